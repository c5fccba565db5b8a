/* suspend_batches.c - leat_post_batch() and leat_submit_batch() under the suspension test, see
 * suspend.h. One thread stops for ever at each step of bringing several tasks, or several jobs,
 * each for itself or all or none, with workers asleep, at work, and in front of a full engine. The
 * others bring batches as they like, and all of them run. suspend_durable has the same for durable
 * jobs. */
#include "tests/support/check.h"
#include "tests/suspend/host.h"

/* Tasks, or jobs. */
#define BATCH 3

/* ---- operations ------------------------------------------------------------------------------ */

static void
go_on(struct host *host, uint32_t who)
{
    if (host_counts(who)) {
        test_gate_open(&host->busy_gate);
    }
}

static bool
post_batch(void *subject, uint32_t who)
{
    struct host *host = subject;
    struct leat_task tasks[BATCH];
    size_t posted = 0;
    for (size_t i = 0; i < BATCH; i++) {
        tasks[i].function = host_counts(who) ? host_task_counted : host_task_uncounted;
        tasks[i].argument = host;
    }
    go_on(host, who);
    enum leat_status status =
        leat_post_batch(host->engine, LEAT_PRIORITY_NORMAL, tasks, BATCH, &posted);
    CHECK(status == LEAT_OK || status == LEAT_FULL);
    host_accept(host, host_counts(who) ? posted : 0);
    return posted != 0;
}

/* Returns how many were taken. */
static uint64_t
submit(struct host *host, uint32_t who, enum leat_batch_mode mode)
{
    struct leat_job jobs[BATCH];
    enum leat_status statuses[BATCH];
    uint64_t taken = 0;
    for (size_t i = 0; i < BATCH; i++) {
        jobs[i] = leat_job_default();
        jobs[i].type = host_counts(who) ? host->counted : host->uncounted;
        jobs[i].priority = LEAT_PRIORITY_NORMAL;
    }
    go_on(host, who);
    enum leat_status status = leat_submit_batch(host->engine, jobs, BATCH, mode, NULL, statuses);
    CHECK(status == LEAT_OK || status == LEAT_FULL);
    for (size_t i = 0; i < BATCH; i++) {
        taken += statuses[i] == LEAT_OK ? 1 : 0;
    }
    taken = mode == LEAT_BATCH_ALL_OR_NONE && status != LEAT_OK ? 0 : taken;
    (void)atom_add_rlx(&host->jobs.accepted, host_counts(who) ? taken : 0);
    return taken;
}

static bool
submit_each(void *subject, uint32_t who)
{
    return submit(subject, who, LEAT_BATCH_EACH) != 0;
}

static bool
submit_all(void *subject, uint32_t who)
{
    return submit(subject, who, LEAT_BATCH_ALL_OR_NONE) != 0;
}

/* ---- situations ------------------------------------------------------------------------------ */

static void
all_asleep(void *subject)
{
    host_arrange(subject, 0, false);
}

static void
one_asleep(void *subject)
{
    struct host *host = subject;
    host_arrange(host, host->workers - 1, false);
}

static void
all_busy(void *subject)
{
    struct host *host = subject;
    host_arrange(host, host->workers, false);
}

/* Neither tasks nor jobs fit. */
static void
full(void *subject)
{
    all_busy(subject);
    while (submit_all(subject, SUSPEND_FROZEN) && post_batch(subject, SUSPEND_FROZEN)) {
    }
    while (post_batch(subject, SUSPEND_FROZEN)) {
    }
    while (submit_each(subject, SUSPEND_FROZEN)) {
    }
}

/* The ring is full of tasks: jobs are listed. */
static void
ring_full(void *subject)
{
    all_busy(subject);
    host_fill(subject);
}

/* ---- subjects -------------------------------------------------------------------------------- */

static const struct host_shape one = {.workers = 1};
static const struct host_shape two = {.workers = 2};

/* In batches. */
#define ENGINE(shape)                                                                              \
    .capacity = HOST_SLOTS / BATCH, .budget = 60, .context = &(shape), .create = host_create,      \
    .destroy = host_destroy, .settled = host_settled

#define POST .name = "post", .run = post_batch, .blocks = {HOST_RING_BLOCKS}
#define EACH .name = "each", .run = submit_each, .blocks = {HOST_RING_BLOCKS}
#define ALL  .name = "all", .run = submit_all, .blocks = {HOST_RING_BLOCKS}

static const struct suspend_subject one_worker = {
    .name = "batches, 1 worker",
    ENGINE(one),
    .operations = {{POST, .late = {HOST_WAKING}},
                   {EACH, .late = {HOST_WAKING}},
                   {ALL, .late = {HOST_WAKING}},
                   HOST_TASKS_RAN,
                   HOST_JOBS_RAN},
    .situations = {{"asleep", all_asleep, 0, 0}, {"busy", all_busy, 0, 0}, {"full", full, 0, 0}},
};

static const struct suspend_subject two_workers = {
    .name = "batches, 2 workers",
    ENGINE(two),
    .operations = {{POST}, {EACH}, {ALL}, HOST_TASKS_RAN, HOST_JOBS_RAN},
    .situations = {{"one asleep", one_asleep, 0, 0},
                   {"busy", all_busy, 0, 0},
                   {"ring full", ring_full, 0, 0}},
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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_worker_goes_on),
        cmocka_unit_test(two_workers_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
