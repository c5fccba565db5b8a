/* unit_purge.c - the purge of a queue, with a lent thread: all that waits is cancelled, in a ring,
 * in lists, for a time, for a retry, in a paused queue; what runs goes on, and so do other queues;
 * how many is said; all queues at once; bad input. */
#include <stdlib.h>

#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/fake_clock.h"

#define JOBS 300
#define HOUR (3600 * UINT64_C(1000000000))

struct fixture {
    struct leat_engine *engine;
    struct test_clock clock;
    leat_type type;
    leat_queue queue;
    leat_queue other;
    uint32_t runs;
    size_t purged; /* by the handler */
    enum leat_outcome_kind answer;
    leat_token token;
};

static struct leat_outcome
run(struct leat_run *attempt, void *context)
{
    struct fixture *fixture = context;
    fixture->runs++;
    fixture->token = leat_run_token(attempt);
    if (fixture->answer == LEAT_OUTCOME_SNOOZE) {
        CHECK_OK(leat_queue_purge(fixture->engine, fixture->queue, &fixture->purged));
        CHECK(!leat_run_cancelled(attempt));
        return leat_done();
    }
    return leat_outcome_of(fixture->answer, fixture->answer == LEAT_OUTCOME_RETRY ? HOUR : 0);
}

static struct fixture *
setup(void)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    CHECK(fixture != NULL);
    struct leat_config config = test_config();
    test_clock_init(&fixture->clock);
    config.workers = 0;
    config.jobs_max = 512;
    config.retained_max = 0;
    config.clock = test_clock_of(&fixture->clock);
    fixture->engine = test_start(&config);
    fixture->type = test_register(fixture->engine, "run", run, fixture);
    fixture->answer = LEAT_OUTCOME_DONE;
    CHECK_OK(leat_queue_create(fixture->engine, "purged", NULL, &fixture->queue));
    CHECK_OK(leat_queue_find(fixture->engine, "default", &fixture->other));
    return fixture;
}

static void
submit(struct fixture *fixture, leat_queue queue, uint64_t delay_ns)
{
    struct leat_job job = leat_job_default();
    job.type = fixture->type;
    job.queue = queue;
    job.delay_ns = delay_ns;
    CHECK_OK(leat_submit(fixture->engine, &job, NULL));
}

static void
run_all(struct fixture *fixture)
{
    size_t ran = 0;
    for (uint32_t i = 0; i < 1000 && leat_run_some(fixture->engine, 1, &ran) == LEAT_OK; i++) {
    }
    test_engine_check(fixture->engine);
}

static void
teardown(struct fixture *fixture)
{
    run_all(fixture);
    test_close(fixture->engine);
    free(fixture);
}

static void
purge(struct fixture *fixture, size_t want)
{
    size_t count = 1000;
    CHECK_OK(leat_queue_purge(fixture->engine, fixture->queue, &count));
    CHECK_EQUAL(count, want);
}

static void
ring_lists_and_wheel(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    purge(fixture, 0);
    for (uint32_t i = 0; i < JOBS; i++) {
        submit(fixture, i % 3 == 0 ? fixture->other : fixture->queue, i % 5 == 0 ? HOUR : 0);
    }
    purge(fixture, (size_t)JOBS / 3 * 2);
    purge(fixture, 0);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_cancelled, JOBS / 3 * 2);
    run_all(fixture);
    CHECK_EQUAL(fixture->runs, JOBS / 3 - JOBS / 15);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_scheduled, JOBS / 15);
    test_clock_pass(&fixture->clock, fixture->engine, 2 * HOUR);
    run_all(fixture);
    CHECK_EQUAL(fixture->runs, JOBS / 3);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_waiting, 0);
    teardown(fixture);
}

static void
paused(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    CHECK_OK(leat_queue_pause(fixture->engine, fixture->queue));
    for (uint32_t i = 0; i < JOBS; i++) {
        submit(fixture, fixture->queue, 0);
    }
    run_all(fixture);
    purge(fixture, JOBS);
    CHECK_OK(leat_queue_resume(fixture->engine, fixture->queue));
    run_all(fixture);
    CHECK_EQUAL(fixture->runs, 0);
    submit(fixture, fixture->queue, 0);
    run_all(fixture);
    CHECK_EQUAL(fixture->runs, 1);
    teardown(fixture);
}

static void
retries(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    fixture->answer = LEAT_OUTCOME_RETRY;
    submit(fixture, fixture->queue, 0);
    run_all(fixture);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_retrying, 1);
    purge(fixture, 1);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_retrying, 0);
    teardown(fixture);
}

static void
what_runs(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    size_t ran = 0;
    fixture->answer = LEAT_OUTCOME_PENDING;
    submit(fixture, fixture->queue, 0);
    CHECK_OK(leat_run_some(fixture->engine, 1, &ran));
    purge(fixture, 0);
    CHECK_OK(leat_complete(fixture->engine, fixture->token, leat_done(), NULL));
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_completed, 1);
    fixture->answer = LEAT_OUTCOME_SNOOZE;
    submit(fixture, fixture->queue, 0);
    submit(fixture, fixture->queue, 0);
    run_all(fixture);
    CHECK_EQUAL(fixture->purged, 1);
    CHECK_EQUAL(fixture->runs, 2);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_completed, 2);
    teardown(fixture);
}

/* With what waits for another one; what runs goes on. */
static void
all_queues_at_once(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_job job = leat_job_default();
    struct leat_job_options options = leat_job_options_default();
    leat_job_id parent = {0};
    size_t count = 1000;
    CHECK_OK(leat_purge_all(fixture->engine, &count));
    CHECK_EQUAL(count, 0);
    fixture->answer = LEAT_OUTCOME_PENDING;
    job.type = fixture->type;
    CHECK_OK(leat_submit(fixture->engine, &job, &parent));
    CHECK_OK(leat_run_some(fixture->engine, 1, NULL));
    fixture->answer = LEAT_OUTCOME_DONE;
    options.parents = &parent;
    options.parents_count = 1;
    job.options = &options;
    CHECK_OK(leat_submit(fixture->engine, &job, NULL));
    for (uint32_t i = 0; i < JOBS; i++) {
        submit(fixture, i % 3 == 0 ? fixture->other : fixture->queue, i % 5 == 0 ? HOUR : 0);
    }
    CHECK_OK(leat_purge_all(fixture->engine, &count));
    CHECK_EQUAL(count, JOBS + 1);
    CHECK_OK(leat_purge_all(fixture->engine, NULL));
    CHECK_OK(leat_complete(fixture->engine, fixture->token, leat_done(), NULL));
    test_clock_pass(&fixture->clock, fixture->engine, 2 * HOUR);
    run_all(fixture);
    CHECK_EQUAL(fixture->runs, 1);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_cancelled, JOBS + 1);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_completed, 1);
    teardown(fixture);
}

static void
bad_input(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    const leat_queue none = {0};
    const leat_queue unknown = {60};
    size_t count = 7;
    CHECK_STATUS(leat_queue_purge(NULL, fixture->queue, &count), LEAT_INVALID);
    CHECK_STATUS(leat_queue_purge(fixture->engine, none, &count), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_queue_purge(fixture->engine, unknown, &count), LEAT_NOT_FOUND);
    CHECK_EQUAL(count, 7);
    CHECK_STATUS(leat_purge_all(NULL, &count), LEAT_INVALID);
    CHECK_EQUAL(count, 7);
    CHECK_OK(leat_queue_purge(fixture->engine, fixture->queue, NULL));
    teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ring_lists_and_wheel),
        cmocka_unit_test(paused),
        cmocka_unit_test(retries),
        cmocka_unit_test(what_runs),
        cmocka_unit_test(all_queues_at_once),
        cmocka_unit_test(bad_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
