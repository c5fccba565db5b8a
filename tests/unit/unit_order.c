/* unit_order.c - who runs when, with one worker and all work there before it starts, so that the
 * order is exact: first in first out per level, tasks and jobs alike; the most urgent level first;
 * the starvation guard's picks, in rotation and at the stated interval; none of them when it is
 * off; a retry comes again before what waits behind it, and starves nobody. */
#include <stdlib.h>
#include <string.h>

#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/threads.h"

#define RUNS_MAX 4096

struct log {
    uint32_t runs[RUNS_MAX]; /* level << 16 | number within the level */
    uint32_t count;
};

struct entry {
    struct log *log;
    uint32_t what;
};

static void
note(struct log *log, uint32_t what)
{
    CHECK(log->count < RUNS_MAX);
    log->runs[log->count] = what;
    log->count++;
}

static void
task_run(void *argument)
{
    struct entry *entry = argument;
    note(entry->log, entry->what);
}

static struct leat_outcome
job_run(struct leat_run *run, void *context)
{
    uint32_t what = 0;
    size_t bytes = 0;
    const void *payload = leat_run_payload(run, &bytes);
    CHECK_EQUAL(bytes, sizeof(what));
    memcpy(&what, payload, sizeof(what));
    CHECK_EQUAL(leat_run_priority(run), what >> 16);
    note(context, what);
    return leat_done();
}

static struct leat_engine *
open_with(uint32_t starvation_picks)
{
    struct leat_config config = test_config();
    config.ring_slots = 1024;
    config.tasks_max = 8192;
    config.jobs_max = 8192;
    config.starvation_picks = starvation_picks;
    return test_open(&config);
}

static void
submit(struct leat_engine *engine, leat_type type, uint32_t what)
{
    struct leat_job job = leat_job_default();
    job.type = type;
    job.priority = what >> 16;
    job.payload = &what;
    job.payload_bytes = sizeof(what);
    CHECK_OK(leat_submit(engine, &job, NULL));
}

static void
run_all(struct leat_engine *engine)
{
    CHECK_OK(leat_start(engine));
    test_finish(engine);
}

/* Tasks and jobs in turn through one level. */
static void
first_in_first_out(void **state)
{
    (void)state;
    static struct entry entries[1000];
    for (uint32_t level = 0; level < leat_priority_levels(); level++) {
        struct log *log = calloc(1, sizeof(*log));
        CHECK(log != NULL);
        struct leat_engine *engine = open_with(61);
        leat_type type = test_register(engine, "order", job_run, log);
        for (uint32_t i = 0; i < 1000; i++) {
            uint32_t what = level << 16 | i;
            entries[i] = (struct entry){log, what};
            if (i % 3 == 0) {
                CHECK_OK(leat_post(engine, level, task_run, &entries[i]));
            } else {
                submit(engine, type, what);
            }
        }
        run_all(engine);
        CHECK_EQUAL(log->count, 1000);
        for (uint32_t i = 0; i < 1000; i++) {
            CHECK_EQUAL(log->runs[i], level << 16 | i);
        }
        free(log);
    }
}

static void
batches_keep_their_order(void **state)
{
    (void)state;
    struct log *log = calloc(1, sizeof(*log));
    CHECK(log != NULL);
    struct leat_engine *engine = open_with(61);
    leat_type type = test_register(engine, "order", job_run, log);
    static uint32_t whats[300];
    static struct leat_job jobs[300];
    for (uint32_t i = 0; i < 300; i++) {
        whats[i] = 4 << 16 | i;
        jobs[i] = leat_job_default();
        jobs[i].type = type;
        jobs[i].payload = &whats[i];
        jobs[i].payload_bytes = sizeof(whats[i]);
    }
    CHECK_OK(leat_submit_batch(engine, jobs, 100, LEAT_BATCH_EACH, NULL, NULL));
    CHECK_OK(leat_submit_batch(engine, jobs + 100, 100, LEAT_BATCH_ALL_OR_NONE, NULL, NULL));
    CHECK_OK(leat_submit_batch(engine, jobs + 200, 100, LEAT_BATCH_EACH, NULL, NULL));
    run_all(engine);
    CHECK_EQUAL(log->count, 300);
    for (uint32_t i = 0; i < 300; i++) {
        CHECK_EQUAL(log->runs[i], whats[i]);
    }
    free(log);
}

/* Submitted round-robin over the levels, run level by level. */
static void
urgent_first(void **state)
{
    (void)state;
    struct log *log = calloc(1, sizeof(*log));
    CHECK(log != NULL);
    struct leat_engine *engine = open_with(0);
    leat_type type = test_register(engine, "order", job_run, log);
    uint32_t levels = leat_priority_levels();
    for (uint32_t i = 0; i < 400; i++) {
        for (uint32_t level = levels; level > 0; level--) {
            submit(engine, type, (level - 1) << 16 | i);
        }
    }
    run_all(engine);
    CHECK_EQUAL(log->count, 400 * levels);
    for (uint32_t i = 0; i < log->count; i++) {
        CHECK_EQUAL(log->runs[i], (i / 400) << 16 | i % 400);
    }
    free(log);
}

/* With guard n and every level full, each n-th pick serves the levels in rotation; all the others
 * serve level 0 until it is empty. */
static void
guard(uint32_t picks)
{
    struct log *log = calloc(1, sizeof(*log));
    CHECK(log != NULL);
    struct leat_engine *engine = open_with(picks);
    leat_type type = test_register(engine, "order", job_run, log);
    uint32_t levels = leat_priority_levels();
    CHECK(levels >= 1);
    for (uint32_t level = 0; level < levels; level++) {
        for (uint32_t i = 0; i < (level == 0 ? 1000 : 20); i++) {
            submit(engine, type, level << 16 | i);
        }
    }
    run_all(engine);
    CHECK_EQUAL(log->count, 1000 + 20 * (levels - 1));
    uint32_t flood = 0;
    uint32_t seen[16] = {0};
    uint32_t last = 0; /* level of the last pick in rotation */
    for (uint32_t i = 0; flood < 1000; i++) {
        uint32_t level = log->runs[i] >> 16;
        CHECK_EQUAL(log->runs[i] & 0xffff, seen[level]);
        seen[level]++;
        flood += level == 0 ? 1 : 0;
        if ((i + 1) % picks != 0) {
            CHECK_EQUAL(level, 0);
            continue;
        }
        /* The next level behind the last one that still had work, 0 in its turn. */
        uint32_t next = (last + 1) % levels;
        while (next != 0 && seen[next] == 20 && level != next) {
            next = (next + 1) % levels;
        }
        CHECK_EQUAL(level, next);
        last = level;
    }
    free(log);
}

static void
starvation_guard(void **state)
{
    (void)state;
    guard(2);
    guard(7);
    guard(61);
}

/* ---- retries -------------------------------------------------------------------------------- */

struct stubborn {
    struct log *log;
    uint32_t fails; /* attempts that fail */
};

static struct leat_outcome
stubborn_run(struct leat_run *run, void *context)
{
    struct stubborn *stubborn = context;
    note(stubborn->log, UINT32_C(0xffff) << 16 | leat_run_attempt(run));
    return leat_run_attempt(run) <= stubborn->fails ? leat_retry() : leat_done();
}

static void
stubborn_among(struct log *log, struct stubborn *stubborn, uint32_t starvation_picks)
{
    struct leat_engine *engine = open_with(starvation_picks);
    leat_type type = test_register(engine, "order", job_run, log);
    leat_type retrying = test_register(engine, "stubborn", stubborn_run, stubborn);
    struct leat_job job = leat_job_default();
    job.type = retrying;
    job.priority = 3;
    job.max_attempts = 1000;
    CHECK_OK(leat_submit(engine, &job, NULL));
    for (uint32_t i = 0; i < 10; i++) {
        submit(engine, type, 3 << 16 | i);
        submit(engine, type, 6 << 16 | i);
    }
    run_all(engine);
    CHECK_EQUAL(log->count, 20 + stubborn->fails + 1);
}

static void
retries_come_first_in_their_level(void **state)
{
    (void)state;
    struct log *log = calloc(1, sizeof(*log));
    CHECK(log != NULL);
    struct stubborn stubborn = {log, 5};
    stubborn_among(log, &stubborn, 0);
    for (uint32_t i = 0; i < 6; i++) {
        CHECK_EQUAL(log->runs[i], UINT32_C(0xffff) << 16 | (i + 1));
    }
    CHECK_EQUAL(log->runs[6], 3 << 16);
    CHECK_EQUAL(log->runs[16], 6 << 16);
    free(log);
}

/* A job that fails again and again is a flood like any other: every so many picks serve the next
 * level, though the retry is at hand. */
static void
retries_starve_nobody(void **state)
{
    (void)state;
    struct log *log = calloc(1, sizeof(*log));
    CHECK(log != NULL);
    struct stubborn stubborn = {log, 900};
    stubborn_among(log, &stubborn, 10);
    uint32_t low = 0; /* runs of level 6 before the job gave in */
    for (uint32_t i = 0; i < log->count; i++) {
        if (log->runs[i] == (UINT32_C(0xffff) << 16 | 901)) {
            break;
        }
        low += log->runs[i] >> 16 == 6 ? 1 : 0;
    }
    CHECK_EQUAL(low, 10);
    free(log);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_in_first_out),
        cmocka_unit_test(batches_keep_their_order),
        cmocka_unit_test(urgent_first),
        cmocka_unit_test(starvation_guard),
        cmocka_unit_test(retries_come_first_in_their_level),
        cmocka_unit_test(retries_starve_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
