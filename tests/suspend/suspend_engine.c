/* suspend_engine.c - leat_post(), leat_submit() and the workers of a whole engine under the
 * suspension test, see suspend.h. One thread stops for ever at each step of bringing work, with
 * workers asleep, at work, and in front of a full engine; or a worker does, at each step of taking
 * and finishing a task or a job. The others must go on: what they bring is taken in, and all of it
 * runs. What a frozen worker has in its hand, one item, waits with it. */
#include "tests/support/check.h"
#include "tests/suspend/host.h"

#if LEAT_RING == LEAT_RING_TURN
#    define RING_FILE "ring/turn.h"
#else
#    define RING_FILE "ring/packed.h"
#endif

/* ---- a worker's operations ------------------------------------------------------------------- */

/* The worker that is next goes on where it is held, or wakes for what is brought. */
static struct freeze *
begin_task(void *subject, uint64_t step, struct freeze_places *seen)
{
    const struct host *host = subject;
    struct freeze *freeze = host_begin(subject, step, seen);
    CHECK(!host->next_sleeps || host_post(subject, SUSPEND_FROZEN));
    return freeze;
}

static struct freeze *
begin_job(void *subject, uint64_t step, struct freeze_places *seen)
{
    const struct host *host = subject;
    struct freeze *freeze = host_begin(subject, step, seen);
    CHECK(!host->next_sleeps || host_submit(subject, SUSPEND_FROZEN, LEAT_PRIORITY_NORMAL));
    return freeze;
}

/* ---- situations ------------------------------------------------------------------------------ */

static void
all_asleep(void *subject)
{
    host_arrange(subject, 0, false);
}

static void
all_busy(void *subject)
{
    struct host *host = subject;
    host_arrange(host, host->workers, false);
}

static void
one_asleep(void *subject)
{
    struct host *host = subject;
    host_arrange(host, host->workers - 1, false);
}

/* Full of tasks, of jobs, of both. */
static void
full_of_tasks(void *subject)
{
    all_busy(subject);
    while (host_post(subject, SUSPEND_OTHER)) {
    }
}

static void
full_of_jobs(void *subject)
{
    all_busy(subject);
    while (host_submit(subject, SUSPEND_OTHER, LEAT_PRIORITY_NORMAL)) {
    }
}

static void
full(void *subject)
{
    all_busy(subject);
    while (host_submit(subject, SUSPEND_OTHER, LEAT_PRIORITY_NORMAL) &&
           host_post(subject, SUSPEND_OTHER)) {
    }
}

/* A post of long ago has just stored the ring's tail; all sleep again. */
static void
old_tail(void *subject)
{
    struct host *host = subject;
    all_asleep(subject);
    suspend_late_store(host->subject, subject, 0, RING_FILE);
    all_asleep(subject);
}

/* A worker is about to finish a task, and more waits. */
static void
one_finishes(void *subject)
{
    struct host *host = subject;
    host_arrange(host, host->workers - 1, true);
    host->in_hand = 1;
    for (uint32_t i = 0; i < 2; i++) {
        CHECK(host_post(host, SUSPEND_OTHER));
        CHECK(host_submit(host, SUSPEND_OTHER, LEAT_PRIORITY_NORMAL));
    }
}

/* A worker is about to finish a task and to sleep, as all others do. */
static void
others_asleep(void *subject)
{
    host_arrange(subject, 0, true);
}

/* ---- engines --------------------------------------------------------------------------------- */

static const struct host_shape one = {.workers = 1};
static const struct host_shape two = {.workers = 2};

#define ENGINE(shape)                                                                              \
    .capacity = HOST_SLOTS, .budget = 250, .context = &(shape), .create = host_create,             \
    .destroy = host_destroy, .settled = host_settled

#define WITNESSES HOST_TASKS_RAN, HOST_JOBS_RAN

static const struct suspend_subject one_worker = {
    .name = "engine, 1 worker",
    ENGINE(one),
    .operations = {{.name = "post",
                    .run = host_run_post,
                    .blocks = {HOST_RING_BLOCKS},
                    .late = {HOST_WAKING}},
                   {.name = "submit",
                    .run = host_run_submit,
                    .blocks = {HOST_RING_BLOCKS},
                    .late = {HOST_WAKING}},
                   WITNESSES},
    .situations = {{"asleep", all_asleep, 0},
                   {"busy", all_busy, 0},
                   {"full of tasks", full_of_tasks, 0},
                   {"full of jobs", full_of_jobs, 0},
                   {"full", full, 0},
                   {"old tail", old_tail, 0}},
};

static const struct suspend_subject two_workers = {
    .name = "engine, 2 workers",
    ENGINE(two),
    .operations = {{.name = "post", .run = host_run_post, .blocks = {HOST_RING_BLOCKS}},
                   {.name = "submit", .run = host_run_submit, .blocks = {HOST_RING_BLOCKS}},
                   WITNESSES},
    .situations = {{"asleep", all_asleep, 0},
                   {"one asleep", one_asleep, 0},
                   {"busy", all_busy, 0},
                   {"full", full, 0},
                   {"old tail", old_tail, 0}},
};

static const struct suspend_subject frozen_worker = {
    .name = "1 of 2 workers",
    ENGINE(two),
    .operations = {HOST_POSTS,
                   HOST_SUBMITS,
                   WITNESSES,
                   {.name = "task", .begin = begin_task, .blocks = {HOST_RING_BLOCKS}},
                   {.name = "job", .begin = begin_job, .blocks = {HOST_RING_BLOCKS}}},
    /* A worker that is frozen on its way to sleep has its idle bit set: the first push may notify
     * it and nobody else. */
    .situations = {{"one asleep", one_asleep, 0, 1},
                   {"one finishes", one_finishes, 0, 1},
                   {"others asleep", others_asleep, 0, 1}},
};

/* ---- tests ----------------------------------------------------------------------------------- */

static void
one_worker_goes_on(void **state)
{
    (void)state;
    CHECK(suspend_run(&one_worker));
}

static void
two_workers_go_on(void **state)
{
    (void)state;
    CHECK(suspend_run(&two_workers));
}

static void
another_worker_goes_on(void **state)
{
    (void)state;
    CHECK(suspend_run(&frozen_worker));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_worker_goes_on),
        cmocka_unit_test(two_workers_go_on),
        cmocka_unit_test(another_worker_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
