/* host.h - a whole engine as a subject of suspend.h: what its threads bring and what of that ran,
 * gates that hold workers, and a worker that is frozen at each step of what comes next in it. */
#ifndef TESTS_SUSPEND_HOST_H
#define TESTS_SUSPEND_HOST_H

#include "engine/leat.h"
#include "ring/mpmc.h"
#include "tests/support/engine.h"
#include "tests/support/threads.h"
#include "tests/suspend/suspend.h"

/* Slots of each ring, and tasks: the least that an engine has. */
#define HOST_SLOTS       64
#define HOST_WORKERS_MAX 4

/* How each ring of an engine holds others up. */
#if LEAT_RING == LEAT_RING_TURN
#    define HOST_RING_BLOCKS "ring/turn.h store slot"
#else
#    define HOST_RING_BLOCKS NULL
#endif

/* A waker that stops here leaves a worker asleep, until LEAT_WAKE_AGAIN pushes later
 * (docs/design/0006); where there is no other worker, all those wait. */
#define HOST_WAKING "tests/support/freeze_os.c call futex wake"

/* What a subject's context is. */
struct host_shape {
    uint32_t workers;
    uint32_t jobs_max; /* 0: HOST_SLOTS */
    bool logs;         /* its jobs are durable, in a directory of its own */
};

/* What is brought by threads that may be frozen is not counted. */
struct host_count {
    leat_atomic_u64 accepted;
    leat_atomic_u64 ran;
    uint64_t seen; /* of those that ran, by the witness */
};

struct host {
    const struct suspend_subject *subject;
    struct leat_engine *engine;
    uint32_t workers;
    leat_type counted;
    leat_type uncounted;
    struct host_count tasks; /* of groups, too */
    struct host_count jobs;
    uint64_t in_hand; /* of a frozen worker, of what is counted: may be missing */
    struct freeze freezes[HOST_WORKERS_MAX];
    pthread_t threads[HOST_WORKERS_MAX];
    /* They hold workers: until the others begin; the one that is going to be frozen, until it is
     * armed; and to the end. */
    struct test_gate busy_gate;
    struct test_gate next_gate;
    struct test_gate last_gate;
    uint32_t next;                      /* worker to be frozen */
    bool next_sleeps;                   /* it is held by no gate, and waits for what is brought */
    leat_job_id ids[SUSPEND_WHO_COUNT]; /* jobs for threads to cancel */
    struct leat_completion_queue *completions; /* may be NULL */
    char directory[32];                        /* of its log, or "" */
};

void *host_create(const struct suspend_subject *subject);
void host_destroy(void *subject);
bool host_settled(void *subject);

/* ---- work ------------------------------------------------------------------------------------ */

/* True of the threads that are never frozen. */
bool host_counts(uint32_t who);

/* `argument` is the host. A counted one has been accepted before, by host_accept(). */
void host_task_counted(void *argument);
void host_task_uncounted(void *argument);
void host_accept(struct host *host, uint64_t tasks);

bool host_post(struct host *host, uint32_t who);
bool host_submit(struct host *host, uint32_t who, uint32_t priority);

/* Operations: the first two of others let those go on that wait until the others begin. */
bool host_run_post(void *subject, uint32_t who);
bool host_run_submit(void *subject, uint32_t who);
bool host_see_task(void *subject, uint32_t who);
bool host_see_job(void *subject, uint32_t who);

/* Posts until the ring is full. */
void host_fill(struct host *host);

#define HOST_POSTS                                                                                 \
    {                                                                                              \
        .name = "post", .run = host_run_post, .witness = true                                      \
    }
#define HOST_SUBMITS                                                                               \
    {                                                                                              \
        .name = "submit", .run = host_run_submit, .witness = true                                  \
    }
#define HOST_TASKS_RAN                                                                             \
    {                                                                                              \
        .name = "task ran", .run = host_see_task, .witness = true                                  \
    }
#define HOST_JOBS_RAN                                                                              \
    {                                                                                              \
        .name = "job ran", .run = host_see_job, .witness = true                                    \
    }

/* ---- situations ------------------------------------------------------------------------------ */

/* A task that waits at a gate has come there. */
void host_hold(struct host *host, leat_task_function function, struct test_gate *gate);
/* The thread that calls it is the worker to be frozen. */
void host_is_next(struct host *host);

void host_task_busy(void *argument);
void host_task_next(void *argument);
/* On the worker to be frozen: waits to the end, which is as a sleep for who freezes it. */
void host_task_last(void *argument);
/* So many workers wait until the others begin; `next`: one is going to be frozen; the rest sleeps,
 * and if none was held to be frozen it is one of these. */
void host_arrange(struct host *host, uint32_t busy, bool next);
/* Until all workers sleep that nobody holds: so many. */
void host_until_asleep(struct host *host, uint32_t count);

/* For operations that freeze the worker that is next. */
struct freeze *host_begin(void *subject, uint64_t step, struct freeze_places *seen);

#endif
