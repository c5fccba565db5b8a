/* unit_lists.c - waiting lists of the engine with rings of 64 slots: a hundred times as many jobs
 * all run, with one worker in the order in which they came, queue by queue; listed jobs survive a
 * stop, go with a close, and are seen by a lent thread; cancelled ones leave at their turn or by a
 * sweep; a queue's limit is exact below, at and above it, and does not keep a retry out.
 * Holds I1 to I4 of sched/lists.h, which test_engine_check() looks at in each test. */
#include <stdlib.h>
#include <string.h>

#include "engine/engine_internal.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/threads.h"

#define JOBS 6400

struct fixture {
    struct leat_engine *engine;
    leat_type type;
    uint32_t runs[JOBS]; /* what ran, in order */
    uint32_t count;
    leat_job_id ids[JOBS];
};

static struct leat_outcome
note(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    size_t bytes = 0;
    const uint32_t *what = leat_run_payload(run, &bytes);
    CHECK_EQUAL(bytes, sizeof(*what));
    CHECK(fixture->count < JOBS);
    fixture->runs[fixture->count] = *what;
    fixture->count++;
    return leat_done();
}

static struct fixture *
setup(uint32_t workers)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    CHECK(fixture != NULL);
    struct leat_config config = test_config();
    config.jobs_max = JOBS;
    config.workers = workers;
    config.retained_max = 0;
    fixture->engine = test_open(&config);
    fixture->type = test_register(fixture->engine, "note", note, fixture);
    return fixture;
}

static void
teardown(struct fixture *fixture)
{
    test_close(fixture->engine);
    free(fixture);
}

static void
submit(struct fixture *fixture, uint32_t first, uint32_t end)
{
    for (uint32_t i = first; i < end; i++) {
        struct leat_job job = leat_job_default();
        job.type = fixture->type;
        job.payload = &i;
        job.payload_bytes = sizeof(i);
        CHECK_OK(leat_submit(fixture->engine, &job, &fixture->ids[i]));
    }
}

static void
check_order(const struct fixture *fixture, uint32_t count)
{
    CHECK_EQUAL(fixture->count, count);
    for (uint32_t i = 0; i < count; i++) {
        CHECK_EQUAL(fixture->runs[i], i);
    }
}

/* ---- order ---------------------------------------------------------------------------------- */

static void
all_run_in_order(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1);
    submit(fixture, 0, JOBS);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_waiting, JOBS);
    test_engine_check(fixture->engine);
    CHECK_OK(leat_start(fixture->engine));
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    check_order(fixture, JOBS);
    teardown(fixture);
}

/* The submitter goes on while the worker runs: jobs are pushed directly and listed in turn. */
static void
in_order_while_running(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < 20; round++) {
        struct fixture *fixture = setup(1);
        submit(fixture, 0, 63 + round);
        CHECK_OK(leat_start(fixture->engine));
        submit(fixture, 63 + round, JOBS);
        CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
        check_order(fixture, JOBS);
        teardown(fixture);
    }
}

static void
a_batch_is_listed_whole(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1);
    static struct leat_job jobs[40];
    static uint32_t numbers[40];
    submit(fixture, 0, 64);
    for (uint32_t i = 0; i < 40; i++) {
        numbers[i] = 64 + i;
        jobs[i] = leat_job_default();
        jobs[i].type = fixture->type;
        jobs[i].payload = &numbers[i];
        jobs[i].payload_bytes = sizeof(numbers[i]);
    }
    CHECK_OK(leat_submit_batch(fixture->engine, jobs, 40, LEAT_BATCH_ALL_OR_NONE, NULL, NULL));
    submit(fixture, 104, 110);
    test_engine_check(fixture->engine);
    CHECK_OK(leat_start(fixture->engine));
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    check_order(fixture, 110);
    teardown(fixture);
}

/* Two queues with jobs in their lists are admitted in turn, whichever listed more. A hold deals
 * more jobs to the lists than the ring takes meanwhile, so later ones overtake those of a flood. */
static void
queues_take_turns(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1);
    submit(fixture, 0, 3000);
    struct leat_job job = leat_job_default();
    job.type = fixture->type;
    job.queue_name = "other";
    job.payload_bytes = sizeof(uint32_t);
    for (uint32_t i = 3000; i < 3100; i++) {
        job.payload = &i;
        CHECK_OK(leat_submit(fixture->engine, &job, NULL));
    }
    CHECK_OK(leat_start(fixture->engine));
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    uint32_t last = 0;
    for (uint32_t i = 0; i < 3100; i++) {
        last = fixture->runs[i] == 3099 ? i : last;
    }
    CHECK(last >= 64 + 100);
    CHECK(last <= 2500);
    teardown(fixture);
}

/* ---- life ----------------------------------------------------------------------------------- */

static void
closed_with_listed_jobs(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1);
    submit(fixture, 0, 1000);
    teardown(fixture);
}

static void
a_lent_thread_admits(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0);
    submit(fixture, 0, JOBS);
    CHECK_OK(leat_start(fixture->engine));
    for (uint32_t i = 0; i < JOBS; i++) {
        size_t ran = 0;
        uint64_t due_ns = 1;
        CHECK_OK(leat_next_due(fixture->engine, &due_ns));
        CHECK_EQUAL(due_ns, 0);
        CHECK_OK(leat_run_some(fixture->engine, 1, &ran));
        CHECK_EQUAL(ran, 1);
    }
    CHECK_STATUS(leat_run_some(fixture->engine, 1, NULL), LEAT_EMPTY);
    check_order(fixture, JOBS);
    teardown(fixture);
}

/* ---- cancel --------------------------------------------------------------------------------- */

static void
cancelled_jobs_do_not_run(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1);
    submit(fixture, 0, 1000);
    for (uint32_t i = 1; i < 1000; i += 2) {
        CHECK_OK(leat_cancel(fixture->engine, fixture->ids[i]));
    }
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_waiting, 500);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_cancelled, 500);
    test_engine_check(fixture->engine);
    CHECK_OK(leat_start(fixture->engine));
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    CHECK_EQUAL(fixture->count, 500);
    for (uint32_t i = 0; i < 500; i++) {
        CHECK_EQUAL(fixture->runs[i], 2 * i);
    }
    teardown(fixture);
}

/* How many records are in use. */
static uint32_t
in_use(const struct fixture *fixture)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < JOBS; i++) {
        uint64_t word = atom_load_rlx(leat_slab_word(&fixture->engine->jobs, i));
        count += (leat_word_generation(word) & 1) != 0 && leat_word_phase(word) != LEAT_PHASE_GONE;
    }
    return count;
}

/* As a worker does beside a full ring. */
static void
hold_often(struct fixture *fixture, uint32_t times)
{
    for (uint32_t i = 0; i < times; i++) {
        CHECK(leat_lists_admit(&fixture->engine->pool, 4));
    }
}

static void
a_sweep_gives_records_back(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1);
    submit(fixture, 0, 64 + 1000);
    hold_often(fixture, 40);
    CHECK_EQUAL(in_use(fixture), 1064);
    /* 500 of 1000: not more than those that live. */
    for (uint32_t i = 0; i < 500; i++) {
        CHECK_OK(leat_cancel(fixture->engine, fixture->ids[64 + 2 * i + 1]));
    }
    hold_often(fixture, 40);
    CHECK_EQUAL(in_use(fixture), 1064);
    CHECK_OK(leat_cancel(fixture->engine, fixture->ids[64 + 2]));
    hold_often(fixture, 40);
    CHECK_EQUAL(in_use(fixture), 64 + 499);
    submit(fixture, 1064, 1074); /* behind those that were swept */
    hold_often(fixture, 2);
    test_engine_check(fixture->engine);
    CHECK_OK(leat_start(fixture->engine));
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    CHECK_EQUAL(fixture->count, 64 + 499 + 10);
    for (uint32_t i = 1; i < fixture->count; i++) {
        CHECK(fixture->runs[i] > fixture->runs[i - 1]);
    }
    teardown(fixture);
}

/* 64 may stay behind one that lives, whatever else there is. At the head they go at once. */
static void
a_few_zombies_stay(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1);
    submit(fixture, 0, 65 + 65);
    hold_often(fixture, 10);
    for (uint32_t i = 0; i < 64; i++) {
        CHECK_OK(leat_cancel(fixture->engine, fixture->ids[65 + i]));
    }
    hold_often(fixture, 10);
    CHECK_EQUAL(in_use(fixture), 65 + 65);
    CHECK_OK(leat_cancel(fixture->engine, fixture->ids[65 + 64]));
    hold_often(fixture, 10);
    CHECK_EQUAL(in_use(fixture), 65);
    teardown(fixture);
}

/* ---- a queue's limit ------------------------------------------------------------------------ */

static struct leat_outcome
retry_once(struct leat_run *run, void *context)
{
    (void)context;
    return leat_run_attempt(run) == 1 ? leat_retry() : leat_done();
}

static leat_queue
limited(struct fixture *fixture, uint32_t most)
{
    leat_queue queue = {0};
    struct leat_queue_options options = leat_queue_options_default();
    options.waiting_max = most;
    CHECK_OK(leat_queue_create(fixture->engine, "limited", &options, &queue));
    return queue;
}

static void
a_limit_is_exact(void **state)
{
    (void)state;
    static const uint32_t limits[] = {1, 2, 63, 64, 65, 200};
    for (size_t i = 0; i < TEST_COUNT_OF(limits); i++) {
        struct fixture *fixture = setup(1);
        struct leat_job job = leat_job_default();
        job.queue = limited(fixture, limits[i]);
        job.type = test_register(fixture->engine, "retry", retry_once, NULL);
        leat_job_id first = {0};
        CHECK_OK(leat_submit(fixture->engine, &job, &first));
        for (uint32_t j = 1; j < limits[i]; j++) {
            CHECK_OK(leat_submit(fixture->engine, &job, NULL));
        }
        CHECK_STATUS(leat_submit(fixture->engine, &job, NULL), LEAT_FULL);
        CHECK_EQUAL(test_statistics(fixture->engine).jobs_waiting, limits[i]);
        /* Others do not mind. */
        submit(fixture, 0, 1);
        /* A cancel gives room back at once, for one. */
        CHECK_OK(leat_cancel(fixture->engine, first));
        CHECK_OK(leat_submit(fixture->engine, &job, NULL));
        CHECK_STATUS(leat_submit(fixture->engine, &job, NULL), LEAT_FULL);
        test_engine_check(fixture->engine);
        CHECK_OK(leat_start(fixture->engine));
        CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
        CHECK_EQUAL(test_statistics(fixture->engine).jobs_retried, limits[i]);
        teardown(fixture);
    }
}

/* A batch of all or none takes all its room or none. */
static void
a_batch_over_the_limit(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1);
    static struct leat_job jobs[11];
    leat_queue queue = limited(fixture, 10);
    for (uint32_t i = 0; i < 11; i++) {
        jobs[i] = leat_job_default();
        jobs[i].type = fixture->type;
        jobs[i].queue = queue;
    }
    CHECK_STATUS(leat_submit_batch(fixture->engine, jobs, 11, LEAT_BATCH_ALL_OR_NONE, NULL, NULL),
                 LEAT_FULL);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_waiting, 0);
    CHECK_OK(leat_submit_batch(fixture->engine, jobs, 10, LEAT_BATCH_ALL_OR_NONE, NULL, NULL));
    CHECK_STATUS(leat_submit(fixture->engine, &jobs[0], NULL), LEAT_FULL);
    test_engine_check(fixture->engine);
    teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_run_in_order),          cmocka_unit_test(in_order_while_running),
        cmocka_unit_test(a_batch_is_listed_whole),   cmocka_unit_test(queues_take_turns),
        cmocka_unit_test(closed_with_listed_jobs),   cmocka_unit_test(a_lent_thread_admits),
        cmocka_unit_test(cancelled_jobs_do_not_run), cmocka_unit_test(a_sweep_gives_records_back),
        cmocka_unit_test(a_few_zombies_stay),        cmocka_unit_test(a_limit_is_exact),
        cmocka_unit_test(a_batch_over_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
