/* engine_internal.h - struct leat_engine and the functions that the engine's files share. */
#ifndef ENGINE_ENGINE_INTERNAL_H
#define ENGINE_ENGINE_INTERNAL_H

#include "engine/backoff.h"
#include "engine/book.h"
#include "engine/buckets.h"
#include "engine/config.h"
#include "engine/crowd.h"
#include "engine/footprint.h"
#include "engine/health.h"
#include "engine/histogram.h"
#include "engine/job.h"
#include "engine/middleware.h"
#include "engine/names.h"
#include "engine/reserves.h"
#include "engine/room.h"
#include "engine/schedule.h"
#include "engine/sweep.h"
#include "engine/tally.h"
#include "engine/tenants.h"
#include "engine/thresholds.h"
#include "engine/trim.h"
#include "engine/unique.h"
#include "engine/watch.h"
#include "engine/windows.h"
#include "ring/mutex.h"
#include "sched/clock.h"
#include "sched/pool.h"
#include "sched/wheel.h"

struct leat_durable;
struct leat_gather;
struct leat_events;

/* What a type's name is bound to; not freed while the engine is open. The first middleware binds it
 * anew. Letters: I set when it is bound; S see middleware.h. */
struct leat_binding {
    leat_handler handler;                /* I */
    void *context;                       /* I */
    struct leat_gather *gather;          /* I its jobs run in batches; NULL: each alone */
    uint32_t max_attempts;               /* I */
    uint64_t timeout_ns;                 /* I 0: none */
    struct leat_backoff backoff;         /* I */
    struct leat_binding *plain;          /* I without middleware; NULL: this is it */
    struct leat_middlewares middlewares; /* S of this type */
    struct leat_breaker *breaker;        /* I NULL: none; shared with `plain` */
};

/* Counters of one place (worker or lent thread); its own lines.
 * Letters: W one writer, many readers. */
struct leat_place {
    LEAT_ALIGNED_LINE leat_atomic_u64 jobs_run; /* W attempts begun */
    struct leat_cell *cells;                    /* I what it has counted, see tally.h */
    leat_atomic_u64 running;                    /* W id of the job in whose handler it is; or 0 */
    struct leat_histogram queue_wait;           /* W */
    struct leat_histogram run_time;             /* W */
    struct leat_watched watched;                /* W of the watcher */
};

/* The same where no worker is at hand: leat_cancel(), leat_complete(). Letters: S many writers. */
struct leat_outside {
    LEAT_ALIGNED_LINE leat_atomic_u64 refused; /* S records taken and given back unused */
    leat_atomic_u64 run;                       /* S attempts begun */
    leat_atomic_u64 beside;                    /* S running jobs that no place names: of a batch, */
                                               /*   but for one; inline */
    leat_atomic_u64 leased;                    /* S attempts begun by leat_reserve() */
    leat_atomic_u64 dead_dropped;              /* S */
    leat_atomic_u64 dead_retried;              /* S */
    leat_atomic_u64 awaited; /* S attempts that answered pending, not yet ended; and, 32 bits up,
                                  changes, and takings of pull queues, at work; and
                                  lists of gathered jobs */
    leat_atomic_u32 inlined; /* S runs of leat_run_inline() */
    leat_atomic_u64 blocked; /* S jobs in this phase */
};

/* One of these in leat_outside.awaited. */
#define LEAT_OUTSIDE_CHANGE (UINT64_C(1) << 32)

/* What only jobs need that wait for a time; of all records, in pages that are taken as they are
 * used. Letters: S many writers; W one writer at a time, many readers. */
struct leat_timer_node {
    leat_atomic_u64 due;     /* W nanoseconds; bit 63: by WALL, else by BOOT; 0: at once */
    leat_atomic_u64 pending; /* S of pending.h */
    leat_atomic_u64 answer;  /* S what leat_complete() says before the handler does, if it is */
                             /*   a retry or a snooze; see leat_timers_answer_keep() */
    leat_atomic_u32 snoozes; /* W valid with LEAT_JOB_SNOOZED */
};

/* Letters: I set at open, then read-only; S many writers. */
struct leat_timers {
    struct leat_timer_node *nodes; /* I by record */
    struct leat_wheels wheels;     /* S one for each place */
    leat_atomic_u64 scheduled;     /* S jobs in this phase */
    leat_atomic_u64 retrying;      /* S */
    leat_atomic_u64 timed_out;     /* S pending attempts */
    leat_atomic_u64 taken_off;     /* S how often a record was to leave its wheel early */
};

/* What says how many jobs are timed, and recorded (trace.h). */
struct leat_tracing {
    enum leat_trace_mode mode;
    uint32_t interval;
    uint32_t round; /* of sched/trace.h: the last one that began */
};

/* Log lines, see logs.h. Letters: S many writers. */
struct leat_logs {
    LEAT_ALIGNED_LINE struct leat_bucket bucket; /* S by MONOTONIC; its rate stays */
    leat_atomic_u64 dropped;                     /* S since the last line that passed */
};

struct leat_bell {
    LEAT_ALIGNED_LINE leat_atomic_u32 count; /* S a futex: one more per end of a job waited for */
};

/* The circuit breakers of all types. Letters: S many writers. */
struct leat_breakers {
    leat_atomic_pointer first; /* S struct leat_breaker; the last one made */
    struct leat_sweep due;     /* S when one of them is to be looked at; `next_ns` alone is used */
};

/* Letters: I set at open, then read-only; S many writers; L under the mutex. */
struct leat_engine {
    leat_atomic_u32 *alive;                  /* I in the page that a fork wipes: 0 in a child */
    void *alive_page;                        /* I */
    LEAT_ALIGNED_LINE leat_atomic_u32 state; /* S enum leat_engine_state; changed under the mutex */
    leat_atomic_u32 stop_expired;            /* S 1: a stop ran out of time */
    leat_atomic_u32 gates;                   /* S 1: see leat_gates_any() */
    leat_atomic_u32 events_wanted;           /* S see leat_events_wanted() */
    uint64_t stop_round;                     /* S under the mutex: stops begun */
    pthread_mutex_t mutex;                   /* S lifecycle */
    struct leat_config config;               /* I */
    uint32_t submits;                        /* I enum leat_submits */
    uint32_t life;                           /* I grows with each open of the log; else 0 */
    struct leat_durable *durable;            /* I NULL: there is no log */
    struct leat_memory memory;               /* I */
    uint64_t seed;                           /* I of the jitter of retries */
    leat_atomic_u64 sample_below;            /* S a job is timed if its hash is less than this */
    struct leat_tracing tracing;             /* S under the mutex */
    unsigned char *inline_payloads;          /* I payload_bytes_inline each */
    size_t inline_bytes;                     /* I */
    struct leat_place *places;               /* I one per place of the pool */
    leat_atomic_pointer *bindings;           /* S by type: struct leat_binding */
    struct leat_backoff backoff;             /* I of a type that has no handler */
    struct leat_slab jobs;                   /* S */
    struct leat_names types;                 /* S */
    struct leat_names queues;                /* S */
    struct leat_book finished;               /* S completed and cancelled */
    struct leat_book dead;                   /* S dead letters */
    struct leat_bell *bells;                 /* S LEAT_BELLS */
    struct leat_crowd crowd;                 /* S */
    leat_atomic_pointer sights;              /* S see sights.c; NULL: nobody has asked */
    /* S struct leat_completion_queue, or NULL */
    leat_atomic_pointer completions[LEAT_COMPLETION_QUEUES_MAX];
    struct leat_chains chains;                /* S */
    leat_atomic_pointer gathers;              /* S the newest struct leat_gather, or NULL */
    struct leat_schedules schedules;          /* S */
    struct leat_outside outside;              /* S */
    struct leat_clocks clocks;                /* S */
    struct leat_timers timers;                /* S */
    LEAT_ALIGNED_LINE leat_atomic_u64 domain; /* S address of the grace periods */
    struct leat_watch watch;                  /* S */
    struct leat_events *events;               /* I NULL: nobody hears them */
    struct leat_logs logs;                    /* S */
    struct leat_thresholds thresholds;        /* S */
    struct leat_sweep sweep;                  /* S */
    struct leat_trim trim;                    /* S */
    leat_atomic_pointer keys;                 /* S see keys.c; NULL: no job has had a key */
    leat_atomic_pointer key_rates;            /* S see key_rates.c; NULL: keys have no rates */
    struct leat_breakers breakers;            /* S */
    struct leat_buckets buckets;              /* S */
    struct leat_claims claims;                /* S */
    struct leat_reserves reserves;            /* S */
    struct leat_windows windows;              /* S */
    struct leat_rooms rooms;                  /* S */
    struct leat_tenants tenants;              /* S */
    struct leat_tally tally;                  /* S */
    struct leat_footprint footprint;          /* S */
    struct leat_vitals vitals;                /* S */
    struct leat_pool pool;                    /* S */
};

/* What a submit does beside what most do. */
enum leat_submits {
    LEAT_SUBMITS_PLAIN = 0,
    LEAT_SUBMITS_INLINE, /* leat_config.inline_mode */
    LEAT_SUBMITS_DURABLE /* there is a log */
};

/* How an attempt is run. */
enum leat_how {
    LEAT_HOW_ITEM = 0, /* as an item of its worker, or by who completed it */
    LEAT_HOW_BATCH,    /* it stands in a struct leat_batch_run */
    LEAT_HOW_INLINE    /* it stands in a struct leat_inline_run */
};

/* One attempt, on the stack of its worker. */
struct leat_run {
    struct leat_engine *engine;
    struct leat_worker *worker;
    struct leat_job_record *record;
    leat_atomic_u64 *word;
    uint64_t id;
    uint32_t index;
    uint32_t number;  /* of this run of the job, modulo 2^16; the first is 1 */
    uint32_t attempt; /* the same without the runs that were snoozed */
    uint32_t max_attempts;
    bool late;                    /* its answer, and error text, came by leat_complete() */
    bool asked;                   /* its handler has asked for its deadline */
    uint8_t how;                  /* enum leat_how */
    uint64_t asked_ns;            /* when, by MONOTONIC */
    uint64_t start_ns;            /* by MONOTONIC; 0: not known, see history.h */
    struct leat_breaker *breaker; /* of its type; or NULL */
    bool probe;                   /* of that breaker */
    bool timed_out;               /* says its leat_complete_with() */
};

/* Bytes that the engine takes beside its pool and job slab. */
size_t leat_engine_bytes(const struct leat_config *concrete);

/* What sample_below is: one job in so many is timed; 0: none. */
LEAT_INLINE uint64_t
leat_sample_below(uint32_t interval)
{
    return interval == 0 ? 0 : (UINT64_C(1) << 32) / interval;
}

/* ---- engine.c ------------------------------------------------------------------------------- */

/* LEAT_OK, LEAT_INVALID (NULL) or LEAT_FORKED. Every public function begins with it. */
LEAT_INLINE enum leat_status
leat_engine_check(const struct leat_engine *engine)
{
    if (LEAT_UNLIKELY(engine == NULL)) {
        return LEAT_INVALID;
    }
    /* rlx: single writer */
    return LEAT_LIKELY(atom_load_rlx(engine->alive) != 0) ? LEAT_OK : LEAT_FORKED;
}

LEAT_INLINE enum leat_engine_state
leat_engine_state_now(const struct leat_engine *engine)
{
    /* state:A acquire -> state:B.  Carries: what the thread that changed the state did before.
     * If relaxed: work could be taken by an engine whose workers are not yet set up. */
    return (enum leat_engine_state)atom_load_acq(&engine->state);
}

/* The calling thread is one of the engine's workers, in a handler or a hook. */
bool leat_engine_inside(const struct leat_engine *engine);
/* It is that, or in a call of the host's by which a submit is told: the engine may wait for it. */
bool leat_engine_within(const struct leat_engine *engine);

/* True if new work is taken: from outside while OPEN or RUNNING, from handlers always. Valid until
 * the section of rcu.h ends in which it is called. */
LEAT_INLINE bool
leat_engine_accepts(const struct leat_engine *engine)
{
    enum leat_engine_state state = leat_engine_state_now(engine);
    return LEAT_LIKELY(state <= LEAT_ENGINE_RUNNING) || leat_engine_inside(engine);
}

/* ---- registry.c ----------------------------------------------------------------------------- */

bool leat_registry_init(struct leat_engine *engine);
void leat_registry_fini(struct leat_engine *engine);
LEAT_INLINE struct leat_binding *
leat_binding_of(const struct leat_engine *engine, uint32_t type)
{
    /* binding:A acquire -> bind:A, chain:A.  Carries: the handler and its options.
     * If relaxed: a handler just registered could be called with an old context. */
    return atom_load_acq(&engine->bindings[type]);
}

/* What the two below ask of a job whose type has no handle, and of one that says a queue. */
enum leat_status leat_registry_type_named(struct leat_engine *engine, const struct leat_job *job,
                                          uint32_t *type);
enum leat_status leat_registry_queue_named(struct leat_engine *engine, const struct leat_job *job,
                                           uint32_t *queue);

/* Index of the type or queue that a job names; takes new names in. */
LEAT_INLINE enum leat_status
leat_registry_type(struct leat_engine *engine, const struct leat_job *job, uint32_t *type)
{
    if (LEAT_UNLIKELY(job->type.bits == 0)) {
        return leat_registry_type_named(engine, job, type);
    }
    *type = job->type.bits - 1;
    return leat_names_text(&engine->types, *type) != NULL ? LEAT_OK : LEAT_NOT_FOUND;
}

LEAT_INLINE enum leat_status
leat_registry_queue(struct leat_engine *engine, const struct leat_job *job, uint32_t *queue)
{
    if (job->queue.bits != 0 || job->queue_name != NULL) {
        return leat_registry_queue_named(engine, job, queue);
    }
    *queue = 0;
    return LEAT_OK;
}

/* Makes a queue of a log; and, when all are there: who asks for one first, makes it. */
enum leat_status leat_registry_queue_revive(struct leat_engine *engine, const char *name,
                                            const struct leat_queue_options *options,
                                            uint32_t *index);
void leat_registry_queues_revived(struct leat_engine *engine);

/* A queue is there once it has its options; its name is there a moment before. */
bool leat_registry_queue_there(const struct leat_engine *engine, uint32_t index);
/* The same for a handle that a host gives to a public call: LEAT_OK and the index, LEAT_NOT_FOUND,
 * or what leat_engine_check() says. */
enum leat_status leat_registry_queue_check(const struct leat_engine *engine, leat_queue queue,
                                           uint32_t *index);

/* ---- queue.c -------------------------------------------------------------------------------- */

/* A queue's options, in its word of the pool: 0, or MAKING while one thread has it, until it is
 * there; then its priority + 1 in the low half, and above:
 *   PULL     a pull queue
 *   LIMITED  its jobs are counted (room.h); stays
 *   CLOSED   by leat_queue_drain(), until it is opened again
 *   EXACT    in exact order (order.h)
 *   REVIVED  made for jobs of a log, and nobody has asked for it yet */
#define LEAT_QUEUE_PULL    (UINT64_C(1) << 31)
#define LEAT_QUEUE_LIMITED (UINT64_C(1) << 32)
#define LEAT_QUEUE_CLOSED  (UINT64_C(1) << 33)
#define LEAT_QUEUE_MAKING  (UINT64_C(1) << 34)
#define LEAT_QUEUE_EXACT   (UINT64_C(1) << 35)
#define LEAT_QUEUE_REVIVED (UINT64_C(1) << 36)
/* Of the options in a submit's hands: who submits is told by leat_intake.told. */
#define LEAT_QUEUE_TOLD (UINT64_C(1) << 37)
/* Of one submit, too: the job has others to wait for. */
#define LEAT_QUEUE_JOINS (UINT64_C(1) << 38)
/* The same: who submits holds it. */
#define LEAT_QUEUE_HELD (UINT64_C(1) << 39)

LEAT_INLINE uint64_t
leat_queue_options(const struct leat_engine *engine, uint32_t queue)
{
    /* options:A acquire -> limit:A.  Carries: the limits, where there are some.
     * If relaxed: a submit could count for no tenant, and be given back to one. */
    return atom_load_acq(&engine->pool.queues[queue].options);
}

LEAT_INLINE uint32_t
leat_queue_priority(uint64_t options)
{
    return (uint32_t)(options & (LEAT_QUEUE_PULL - 1)) - 1;
}

/* Its jobs wait for leat_reserve(), always in lists (pull.h). Also for the list of a type: no. */
LEAT_INLINE bool
leat_queue_pulls(const struct leat_engine *engine, uint32_t queue)
{
    /* Never changed once the queue is there. rlx: ordered by queue:B */
    uint64_t options = atom_load_rlx(&engine->pool.queues[queue].options);
    return LEAT_UNLIKELY((options & LEAT_QUEUE_PULL) != 0);
}

/* A queue with these options takes a job of the calling thread. Valid as leat_engine_accepts(). */
LEAT_INLINE bool
leat_queue_open(const struct leat_engine *engine, uint64_t options)
{
    return LEAT_LIKELY((options & LEAT_QUEUE_CLOSED) == 0) || leat_engine_inside(engine);
}

struct leat_lists_ops leat_queue_lists(struct leat_engine *engine);

/* Where a job stands while it is PENDING. */
struct leat_stand {
    uint32_t type;
    uint32_t queue;
    uint32_t level;
    uint32_t bytes; /* of its payload */
    bool counted;
};

struct leat_stand leat_queue_stand(const struct leat_job_record *record);
/* A job is PENDING no more, by another thread than its taker: gives its room back, and tells the
 * lists in one of which it may be. */
void leat_queue_left(struct leat_engine *engine, struct leat_stand stand);

/* ---- submit.c ------------------------------------------------------------------------------- */

/* The checks of a submit, which take new names in. `checked` is the job with handles in the place
 * of names, for later submits. */
enum leat_status leat_submit_check(struct leat_engine *engine, const struct leat_job *given,
                                   struct leat_job *checked);
/* For inline.c: takes the job in as RUNNING its first attempt, with a hold of the caller. */
enum leat_status leat_submit_running(struct leat_engine *engine, const struct leat_job *given,
                                     leat_job_id *id);
/* leat_submit(), without a wait for room. LEAT_TIMEOUT where the caller waits: there is none, and
 * it will be called; or memory is short, and it comes again in a while. */
enum leat_status leat_submit_once(struct leat_engine *engine, const struct leat_job *given,
                                  enum leat_room_how how, leat_job_id *id);
/* The same of a schedule of an engine with a log: `with` goes into the unit of the job, if that is
 * durable. */
struct leat_durable_with;
enum leat_status leat_submit_with(struct leat_engine *engine, const struct leat_job *given,
                                  struct leat_durable_with *with, leat_job_id *id);

/* ---- run.c ---------------------------------------------------------------------------------- */

void leat_run_item(void *context, struct leat_worker *worker, uint32_t item);
/* PENDING to RUNNING; run says engine, worker, record, word, index. False: it may not begin, and
 * was sent where it belongs. */
bool leat_run_begin(struct leat_run *run);
/* What an attempt's answer comes to. */
void leat_run_settle(struct leat_run *run, struct leat_outcome outcome);
/* The time of a pending attempt is over: it has failed, and the caller, who has it from its wheel,
 * hands it on. False: a leat_complete() came first; nothing has changed. */
bool leat_run_time_out(struct leat_engine *engine, uint32_t index);

/* ---- inline.c ------------------------------------------------------------------------------- */

/* LEAT_OK: one more may run, and the engine takes it in. LEAT_BUSY, LEAT_CLOSED. */
enum leat_status leat_inline_enter(struct leat_engine *engine);
/* What leat_submit_running() took in: runs it, and lets go of its hold. */
void leat_inline_run(struct leat_engine *engine, leat_job_id id, struct leat_job_info *info,
                     uint64_t *delay_ns);
/* A further attempt of a job that runs inline. False: it was cancelled. */
bool leat_inline_again(const struct leat_run *run, uint64_t delay_ns);
/* ---- breaker.c ------------------------------------------------------------------------------ */

void leat_breakers_init(struct leat_engine *engine);
/* For the thread of the clocks. */
struct leat_clock_source leat_breakers_source(struct leat_engine *engine);
/* PENDING to RUNNING, for a consumer in the place of a handler. False: as begin(). run->worker is
 * NULL. pre: the caller has the index from its list. */
bool leat_run_lease(struct leat_run *run);
/* As a handler answers leat_pending_for(). The record may be gone by the return. */
void leat_run_await(struct leat_run *run, uint64_t timeout_ns);
struct leat_run leat_run_of(struct leat_engine *engine, uint32_t index);

/* What a completion says beside its outcome. */
struct leat_said {
    const char *error; /* NULL: nothing */
    void *result;      /* of the allocator, or NULL; taken with LEAT_OK, where the attempt answered
                          pending before: else LEAT_WRONG_STATE */
    size_t result_bytes;
    bool timed_out; /* as `result`: else LEAT_WRONG_STATE */
};

/* LEAT_OK: one that a completion may have; else LEAT_INVALID. */
enum leat_status leat_outcome_check(struct leat_outcome outcome);

/* leat_complete() of the run `number`. pre: leat_token_hold(). */
enum leat_status leat_run_complete(struct leat_run *run, uint32_t number,
                                   struct leat_outcome outcome, const struct leat_said *said);

/* ---- change.c ------------------------------------------------------------------------------- */

/* A thread that is no worker has jobs in hand, for a moment: a drain waits for it. */
void leat_change_begins(struct leat_engine *engine);
void leat_change_ends(struct leat_engine *engine);

/* ---- group.c ------------------------------------------------------------------------------- */

void leat_group_ended(void *context, const struct leat_join *join);

/* ---- retain.c: ends ------------------------------------------------------------------------- */

bool leat_retention_init(struct leat_engine *engine);
void leat_retention_fini(struct leat_engine *engine);
/* Gives one retained job's record up for a job that waits. False: there was none to give up. */
bool leat_retention_yield(struct leat_engine *engine);
/* The job has ended, and its word has LINKED for this book. Progress: lock-free. */
void leat_retention_put(struct leat_engine *engine, struct leat_book *book, uint32_t index);
/* The caller has taken the id out of its book. */
void leat_retention_drop(struct leat_engine *engine, uint64_t id);
/* Drops what is kept for longer than its age, for the thread of the clocks. */
struct leat_clock_source leat_retention_source(struct leat_engine *engine);

/* The phase is final and the caller's place has let go of the index: keeps the record for a while,
 * or gives it back. */
void leat_job_retire(struct leat_engine *engine, uint32_t index);
/* How an attempt ends. One that was timed out has not ATTEMPTS for a reason, but TIMEOUT. */
struct leat_ending {
    enum leat_phase phase; /* COMPLETED, DEAD or CANCELLED */
    enum leat_reason reason;
    struct leat_worker *worker; /* NULL: another thread than the job's */
    bool late;                  /* the error is the text of a leat_complete() */
};

/* RUNNING to the end. False: it was timed out, so it cannot end COMPLETED; nothing has changed. */
bool leat_job_end(struct leat_engine *engine, uint32_t index, struct leat_ending ending);
/* What a cancelled, completed or gone job no longer needs. By several threads, where each keeps the
 * record: the one that finds the payload frees it. */
void leat_job_free_payload(struct leat_engine *engine, uint32_t index);
/* The word is in phase GONE by the caller's own swap: gives the record back. */
void leat_job_reclaim(struct leat_engine *engine, uint32_t index);
/* Wakes those who wait for the job, if its word says that there are some. */
void leat_job_ring_bell(struct leat_engine *engine, uint32_t index, uint64_t word);
void leat_bells_ring_all(struct leat_engine *engine);

/* ---- look.c --------------------------------------------------------------------------------- */

/* Takes a hold on a live job: its record stays until leat_job_unhold(). LEAT_BUSY: it has `most`.
 */
enum leat_status leat_job_hold(struct leat_engine *engine, leat_job_id id, uint32_t most,
                               uint32_t *index);
/* The same of one that has ended, too, and that others are about to give back. */
enum leat_status leat_job_hold_any(struct leat_engine *engine, leat_job_id id, uint32_t most,
                                   uint32_t *index);
void leat_job_unhold(struct leat_engine *engine, uint32_t index);
/* The same of the job of a token, for who completes or extends, and the number of its run. All that
 * take a token begin with this. LEAT_STALE: it is of an engine before this one, with the same log.
 */
enum leat_status leat_token_hold(struct leat_engine *engine, leat_token token, uint32_t *index,
                                 uint32_t *number);
/* The phase, for a reader of the record. pre: a hold. */
enum leat_phase leat_job_phase_held(const struct leat_engine *engine, uint32_t index);
/* Where the id's word is, and what the word says of it: LEAT_OK, LEAT_GONE or LEAT_NOT_FOUND. */
enum leat_status leat_job_locate(const struct leat_engine *engine, leat_job_id id, uint32_t *index);
enum leat_status leat_word_judge(uint64_t word, leat_job_id id);
/* Ends a job that waits and has expired. False: it does not wait. Progress: lock-free. */
bool leat_job_expire(struct leat_engine *engine, leat_job_id id);
/* What leat_get() says. pre: a hold. */
void leat_job_tell(const struct leat_engine *engine, leat_job_id id, uint32_t index,
                   struct leat_job_info *info);
/* The job's word. False: the id's record is not this job's any more. Progress: wait-free. */
bool leat_job_word_of(const struct leat_engine *engine, leat_job_id id, uint64_t *word);
/* Cancels a job that waits; one that runs is let be. False: it does not wait. Lock-free. */
bool leat_job_purge(struct leat_engine *engine, leat_job_id id);
/* The same for one that is PENDING and was not run yet, with LEAT_REASON_DROPPED. */
bool leat_job_drop(struct leat_engine *engine, leat_job_id id);
/* The job has not ended. False also for an id that was never given out. */
bool leat_job_live(const struct leat_engine *engine, leat_job_id id);

LEAT_INLINE struct leat_job_record *
leat_job_record(const struct leat_engine *engine, uint32_t index)
{
    return leat_slab_record(&engine->jobs, index);
}

/* Where a payload of at most payload_bytes_inline stands. */
LEAT_INLINE void *
leat_job_inline(const struct leat_engine *engine, uint32_t index)
{
    size_t room = engine->config.payload_bytes_inline;
    return engine->inline_payloads + room * index;
}

/* Larger ones are of the allocator. */
LEAT_INLINE bool
leat_payload_allocated(const struct leat_engine *engine, uint64_t bytes)
{
    return bytes > engine->config.payload_bytes_inline && bytes > LEAT_PAYLOAD_RECORD_BYTES;
}

/* A block that whoever needs it first puts into its place: it, or NULL; and the same made at need,
 * zeroed, where NULL is no memory. */
LEAT_INLINE void *
leat_block(const leat_atomic_pointer *place)
{
    /* block:A acquire -> made:A, history:A.  Carries: the zeroed block.
     * If relaxed: a reader could see an old progress in it. */
    return atom_load_acq(place);
}

void *leat_block_make(struct leat_engine *engine, leat_atomic_pointer *place, size_t bytes);

/* The extra block, or NULL. */
LEAT_INLINE struct leat_job_extra *
leat_job_extra(const struct leat_job_record *record)
{
    return leat_block(&record->extra);
}

/* The extra block, made at need. NULL: no memory. */
struct leat_job_extra *leat_job_extra_make(struct leat_engine *engine,
                                           struct leat_job_record *record);

#endif
