/* unit_retention.c - what is left of a job after its end: the last retained_max of those that
 * nobody asked to keep, until waiting jobs need their records; the last dead_max dead letters,
 * never given up for others; what is kept, until it is released. */
#include <stdlib.h>
#include <string.h>

#include "ring/atomic.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/memory.h"

#define JOBS_MAX 200

struct fixture {
    struct leat_engine *engine;
    struct test_memory memory;
    leat_type good;
    leat_type bad;
    leat_job_id ids[JOBS_MAX];
    uint32_t count;
};

static struct leat_outcome
good_run(struct leat_run *run, void *context)
{
    (void)context;
    CHECK_OK(leat_run_error(run, "kept with the record"));
    return leat_done();
}

static struct leat_outcome
bad_run(struct leat_run *run, void *context)
{
    (void)context;
    CHECK_OK(leat_run_result(run, "result", 7));
    return leat_fail();
}

static struct fixture *
setup(uint32_t retained_max, uint32_t dead_max)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct leat_config config = test_config();
    CHECK(fixture != NULL);
    test_memory_init(&fixture->memory);
    config.allocator = test_memory_allocator(&fixture->memory);
    config.retained_max = retained_max;
    config.dead_max = dead_max;
    fixture->engine = test_start(&config);
    fixture->good = test_register(fixture->engine, "good", good_run, NULL);
    fixture->bad = test_register(fixture->engine, "bad", bad_run, NULL);
    return fixture;
}

static void
teardown(struct fixture *fixture)
{
    test_finish(fixture->engine);
    CHECK_EQUAL(test_memory_blocks(&fixture->memory), 0);
    free(fixture);
}

/* All jobs have ended, and the worker has let go of the last one. */
static bool
idle(struct fixture *fixture)
{
    struct leat_worker_statistics worker = leat_worker_statistics_default();
    struct leat_statistics sum = test_statistics(fixture->engine);
    CHECK_OK(leat_worker_statistics_get(fixture->engine, 0, &worker));
    return sum.jobs_waiting + sum.jobs_running == 0 && !worker.running;
}

/* Runs `count` jobs one after the other, so that they end in this order. */
static void
run_jobs(struct fixture *fixture, leat_type type, uint32_t count, uint32_t flags)
{
    for (uint32_t i = 0; i < count; i++) {
        struct leat_job job = leat_job_default();
        job.type = type;
        job.flags = flags;
        CHECK(fixture->count < JOBS_MAX);
        CHECK_OK(leat_submit(fixture->engine, &job, &fixture->ids[fixture->count]));
        fixture->count++;
        while (!idle(fixture)) {
        }
    }
}

/* Of all jobs so far the last `left` are there, the others gone. */
static void
check_left(struct fixture *fixture, uint32_t left, enum leat_job_state state)
{
    for (uint32_t i = 0; i < fixture->count; i++) {
        struct leat_job_info info = leat_job_info_default();
        bool there = i + left >= fixture->count;
        CHECK_STATUS(leat_get(fixture->engine, fixture->ids[i], &info),
                     there ? LEAT_OK : LEAT_GONE);
        CHECK_EQUAL(info.state, there ? (uint32_t)state : 0);
        CHECK_STATUS(leat_wait(fixture->engine, fixture->ids[i], 0, NULL),
                     there ? LEAT_OK : LEAT_GONE);
    }
}

/* ---- retained ------------------------------------------------------------------------------- */

static void
retained(void **state)
{
    (void)state;
    static const uint32_t limits[] = {0, 1, 2, 3, 5, 16};
    for (size_t i = 0; i < TEST_COUNT_OF(limits); i++) {
        struct fixture *fixture = setup(limits[i], 0);
        for (uint32_t round = 0; round < 12; round++) {
            run_jobs(fixture, fixture->good, 3, 0);
            uint32_t count = fixture->count;
            check_left(fixture, count < limits[i] ? count : limits[i], LEAT_JOB_COMPLETED);
        }
        teardown(fixture);
    }
}

/* Completed and cancelled share the limit; dead letters have their own. */
static void
cancelled_count_too(void **state)
{
    (void)state;
    struct fixture *fixture = setup(4, 4);
    run_jobs(fixture, fixture->bad, 4, 0);
    run_jobs(fixture, fixture->good, 3, 0);
    for (uint32_t i = 0; i < 3; i++) {
        /* Cancelled at once, or run before that: either way it ends. */
        leat_job_id id = test_submit(fixture->engine, fixture->good);
        enum leat_status status = leat_cancel(fixture->engine, id);
        CHECK(status == LEAT_OK || status == LEAT_RUNNING || status == LEAT_ENDED);
        while (!idle(fixture)) {
        }
    }
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    struct leat_job_info info = leat_job_info_default();
    for (uint32_t i = 0; i < fixture->count; i++) {
        bool there = i < 4 || i == 6;
        CHECK_STATUS(leat_get(fixture->engine, fixture->ids[i], &info),
                     there ? LEAT_OK : LEAT_GONE);
    }
    teardown(fixture);
}

/* With all records taken by ended jobs, new ones get room from the oldest. */
static void
given_up_for_waiting_jobs(void **state)
{
    (void)state;
    struct fixture *fixture = setup(64, 0);
    run_jobs(fixture, fixture->good, 64, 0);
    check_left(fixture, 64, LEAT_JOB_COMPLETED);
    run_jobs(fixture, fixture->good, 10, 0);
    check_left(fixture, 64, LEAT_JOB_COMPLETED);
    teardown(fixture);
}

static void
given_up_for_a_whole_queue(void **state)
{
    (void)state;
    struct fixture *fixture = setup(64, 0);
    run_jobs(fixture, fixture->good, 64, 0);
    struct leat_job job = leat_job_default();
    job.type = fixture->good;
    uint32_t taken = 0;
    /* The worker runs them meanwhile; all the same there must always be room. */
    for (uint32_t i = 0; i < 1000; i++) {
        enum leat_status status = leat_submit(fixture->engine, &job, NULL);
        CHECK(status == LEAT_OK || status == LEAT_FULL);
        taken += status == LEAT_OK ? 1 : 0;
    }
    CHECK(taken >= 64);
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_completed, 64 + taken);
    check_left(fixture, 0, LEAT_JOB_COMPLETED);
    teardown(fixture);
}

/* A submit that is refused changes nothing: what is retained stays. */
static void
a_refusal_gives_up_nothing(void **state)
{
    (void)state;
    struct fixture *fixture = setup(64, 0);
    struct leat_job job = leat_job_default();
    job.type = fixture->good;
    run_jobs(fixture, fixture->good, 64, 0);
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    CHECK_STATUS(leat_submit(fixture->engine, &job, NULL), LEAT_CLOSED);
    const struct leat_job jobs[2] = {job, job};
    CHECK_STATUS(leat_submit_batch(fixture->engine, jobs, 2, LEAT_BATCH_EACH, NULL, NULL),
                 LEAT_CLOSED);
    CHECK_STATUS(leat_submit_batch(fixture->engine, jobs, 2, LEAT_BATCH_ALL_OR_NONE, NULL, NULL),
                 LEAT_CLOSED);
    check_left(fixture, 64, LEAT_JOB_COMPLETED);
    teardown(fixture);
}

/* ---- dead letters --------------------------------------------------------------------------- */

static void
dead_letters(void **state)
{
    (void)state;
    static const uint32_t limits[] = {1, 2, 7};
    for (size_t i = 0; i < TEST_COUNT_OF(limits); i++) {
        struct fixture *fixture = setup(0, limits[i]);
        run_jobs(fixture, fixture->bad, limits[i], 0);
        CHECK_EQUAL(test_statistics(fixture->engine).dead_dropped, 0);
        check_left(fixture, limits[i], LEAT_JOB_DEAD);
        run_jobs(fixture, fixture->bad, 20, 0);
        CHECK_EQUAL(test_statistics(fixture->engine).dead_dropped, 20);
        check_left(fixture, limits[i], LEAT_JOB_DEAD);
        run_jobs(fixture, fixture->good, 70, 0);
        CHECK_EQUAL(test_statistics(fixture->engine).dead_dropped, 20);
        teardown(fixture);
    }
    struct fixture *fixture = setup(0, 0);
    run_jobs(fixture, fixture->bad, 5, 0);
    check_left(fixture, 0, LEAT_JOB_DEAD);
    teardown(fixture);
}

static void
dead_letters_are_never_given_up(void **state)
{
    (void)state;
    struct fixture *fixture = setup(64, 64);
    struct leat_job job = leat_job_default();
    job.type = fixture->good;
    run_jobs(fixture, fixture->bad, 63, 0);
    CHECK_OK(leat_submit(fixture->engine, &job, NULL));
    while (!idle(fixture)) {
    }
    /* 63 dead letters, and one that is retained: that one is given up. */
    CHECK_OK(leat_submit(fixture->engine, &job, NULL));
    while (!idle(fixture)) {
    }
    run_jobs(fixture, fixture->bad, 1, 0);
    check_left(fixture, 64, LEAT_JOB_DEAD);
    CHECK_STATUS(leat_submit(fixture->engine, &job, NULL), LEAT_FULL);
    check_left(fixture, 64, LEAT_JOB_DEAD);
    CHECK_EQUAL(test_statistics(fixture->engine).dead_dropped, 0);
    teardown(fixture);
}

/* ---- kept ----------------------------------------------------------------------------------- */

static void
kept_until_released(void **state)
{
    (void)state;
    struct fixture *fixture = setup(2, 2);
    run_jobs(fixture, fixture->good, 10, LEAT_JOB_KEEP_RESULT);
    check_left(fixture, 10, LEAT_JOB_COMPLETED);
    for (uint32_t i = 0; i < 10; i++) {
        CHECK_OK(leat_release(fixture->engine, fixture->ids[i]));
        struct leat_job_info info = leat_job_info_default();
        CHECK_STATUS(leat_get(fixture->engine, fixture->ids[i], &info), LEAT_GONE);
        CHECK_STATUS(leat_release(fixture->engine, fixture->ids[i]), LEAT_GONE);
    }
    teardown(fixture);
}

/* Kept records are not given up, whoever waits. */
static void
kept_fill_the_engine(void **state)
{
    (void)state;
    struct fixture *fixture = setup(64, 64);
    struct leat_job job = leat_job_default();
    job.type = fixture->good;
    run_jobs(fixture, fixture->good, 64, LEAT_JOB_KEEP_RESULT);
    CHECK_STATUS(leat_submit(fixture->engine, &job, NULL), LEAT_FULL);
    check_left(fixture, 64, LEAT_JOB_COMPLETED);
    CHECK_OK(leat_release(fixture->engine, fixture->ids[30]));
    CHECK_OK(leat_submit(fixture->engine, &job, NULL));
    while (!idle(fixture)) {
    }
    teardown(fixture);
}

/* A dead letter is there for its submitter and for the operator: each lets go on its own. */
static void
kept_and_dead(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0, 1);
    char result[8];
    run_jobs(fixture, fixture->bad, 1, LEAT_JOB_KEEP_RESULT);
    CHECK_OK(leat_release(fixture->engine, fixture->ids[0]));
    CHECK_STATUS(leat_release(fixture->engine, fixture->ids[0]), LEAT_WRONG_STATE);
    check_left(fixture, 1, LEAT_JOB_DEAD);
    run_jobs(fixture, fixture->bad, 1, LEAT_JOB_KEEP_RESULT);
    check_left(fixture, 1, LEAT_JOB_DEAD);
    run_jobs(fixture, fixture->bad, 1, 0);
    /* The second is beyond dead_max, and kept. */
    check_left(fixture, 2, LEAT_JOB_DEAD);
    CHECK_EQUAL(test_statistics(fixture->engine).dead_dropped, 2);
    CHECK_OK(leat_result(fixture->engine, fixture->ids[1], result, sizeof(result), NULL));
    CHECK_TEXT(result, "result");
    CHECK_OK(leat_release(fixture->engine, fixture->ids[1]));
    check_left(fixture, 1, LEAT_JOB_DEAD);
    teardown(fixture);
}

static void
released_before_the_end(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1, 1);
    CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
    CHECK_OK(leat_close(fixture->engine));
    struct leat_config config = test_config();
    config.retained_max = 0;
    config.allocator = test_memory_allocator(&fixture->memory);
    fixture->engine = test_open(&config);
    fixture->good = test_register(fixture->engine, "good", good_run, NULL);
    leat_job_id kept = test_submit_kept(fixture->engine, fixture->good);
    leat_job_id plain = test_submit(fixture->engine, fixture->good);
    CHECK_STATUS(leat_release(fixture->engine, plain), LEAT_WRONG_STATE);
    CHECK_OK(leat_release(fixture->engine, kept));
    CHECK_STATUS(leat_release(fixture->engine, kept), LEAT_WRONG_STATE);
    CHECK_EQUAL(test_get(fixture->engine, kept).state, LEAT_JOB_PENDING);
    CHECK_OK(leat_start(fixture->engine));
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_completed, 2);
    CHECK_STATUS(leat_release(fixture->engine, kept), LEAT_GONE);
    CHECK_STATUS(leat_release(fixture->engine, plain), LEAT_GONE);
    teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(retained),
        cmocka_unit_test(cancelled_count_too),
        cmocka_unit_test(given_up_for_waiting_jobs),
        cmocka_unit_test(given_up_for_a_whole_queue),
        cmocka_unit_test(a_refusal_gives_up_nothing),
        cmocka_unit_test(dead_letters),
        cmocka_unit_test(dead_letters_are_never_given_up),
        cmocka_unit_test(kept_until_released),
        cmocka_unit_test(kept_fill_the_engine),
        cmocka_unit_test(kept_and_dead),
        cmocka_unit_test(released_before_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
