/* unit_run_some.c - an engine without workers: the host lends its threads. Budgets, order, when it
 * says empty, how many may be inside, what a drain does, when to come back; and what an attempt
 * that failed inside one lent thread has to wait for: nothing, the next one runs it. */
#include <stdlib.h>
#include <string.h>

#include "ring/atomic.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/threads.h"

struct fixture {
    struct leat_engine *engine;
    struct test_gate gate;
    leat_type counted;
    leat_type held;
    leat_type once;      /* fails its first attempt */
    leat_type alone;     /* checks what a handler may not do */
    uint32_t order[128]; /* levels as they ran */
    leat_atomic_u32 runs;
};

static struct leat_outcome
counted_run(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    uint32_t place = atom_add_rlx(&fixture->runs, 1);
    fixture->order[place % TEST_COUNT_OF(fixture->order)] = leat_run_priority(run);
    return leat_done();
}

static struct leat_outcome
held_run(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    (void)run;
    test_gate_wait(&fixture->gate);
    return leat_done();
}

static struct leat_outcome
once_run(struct leat_run *run, void *context)
{
    (void)context;
    return leat_run_attempt(run) == 1 ? leat_retry() : leat_done();
}

static struct leat_outcome
alone_run(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    CHECK_STATUS(leat_run_some(leat_run_engine(run), 1, NULL), LEAT_DEADLOCK);
    CHECK_STATUS(leat_drain(leat_run_engine(run), 0), LEAT_DEADLOCK);
    CHECK_STATUS(leat_stop(leat_run_engine(run), 0), LEAT_DEADLOCK);
    CHECK_STATUS(leat_wait(leat_run_engine(run), leat_run_id(run), 1, NULL), LEAT_DEADLOCK);
    CHECK_EQUAL(leat_run_worker(run), 0);
    (void)test_submit(leat_run_engine(run), fixture->counted);
    return leat_done();
}

static struct fixture *
setup(uint32_t lenders_max)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct leat_config config = test_config();
    CHECK(fixture != NULL);
    config.workers = 0;
    config.lenders_max = lenders_max;
    config.starvation_picks = 0;
    config.jobs_max = 128; /* so that the rings are full first */
    test_gate_init(&fixture->gate);
    fixture->engine = test_open(&config);
    fixture->counted = test_register(fixture->engine, "counted", counted_run, fixture);
    fixture->held = test_register(fixture->engine, "held", held_run, fixture);
    fixture->once = test_register(fixture->engine, "once", once_run, fixture);
    fixture->alone = test_register(fixture->engine, "alone", alone_run, fixture);
    return fixture;
}

static void
teardown(struct fixture *fixture)
{
    test_gate_open(&fixture->gate);
    test_close(fixture->engine);
    test_gate_fini(&fixture->gate);
    free(fixture);
}

static uint64_t
next_due(struct fixture *fixture)
{
    uint64_t delay_ns = 77;
    CHECK_OK(leat_next_due(fixture->engine, &delay_ns));
    return delay_ns;
}

/* ---- one lent thread ------------------------------------------------------------------------ */

static void
budgets(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1);
    size_t ran = 77;
    CHECK_STATUS(leat_run_some(fixture->engine, 1, &ran), LEAT_WRONG_STATE);
    CHECK_OK(leat_start(fixture->engine));
    CHECK_STATUS(leat_run_some(fixture->engine, 0, &ran), LEAT_INVALID);
    CHECK_STATUS(leat_run_some(fixture->engine, 1, &ran), LEAT_EMPTY);
    CHECK_EQUAL(ran, 77);
    CHECK_EQUAL(next_due(fixture), LEAT_FOREVER);
    for (uint32_t i = 0; i < 20; i++) {
        (void)test_submit(fixture->engine, fixture->counted);
    }
    CHECK_EQUAL(next_due(fixture), 0);
    CHECK_OK(leat_run_some(fixture->engine, 1, &ran));
    CHECK_EQUAL(ran, 1);
    CHECK_EQUAL(atom_load_rlx(&fixture->runs), 1);
    CHECK_OK(leat_run_some(fixture->engine, 7, &ran));
    CHECK_EQUAL(ran, 7);
    CHECK_EQUAL(atom_load_rlx(&fixture->runs), 8);
    CHECK_OK(leat_run_some(fixture->engine, 11, NULL));
    CHECK_EQUAL(next_due(fixture), 0);
    CHECK_OK(leat_run_some(fixture->engine, SIZE_MAX, &ran));
    CHECK_EQUAL(ran, 1);
    CHECK_EQUAL(next_due(fixture), LEAT_FOREVER);
    CHECK_STATUS(leat_run_some(fixture->engine, SIZE_MAX, &ran), LEAT_EMPTY);
    struct leat_statistics sum = test_statistics(fixture->engine);
    CHECK_EQUAL(sum.workers, 1);
    CHECK_EQUAL(sum.jobs_run, 20);
    CHECK_EQUAL(sum.parks, 0);
    CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
    CHECK_STATUS(leat_run_some(fixture->engine, 1, &ran), LEAT_CLOSED);
    CHECK_OK(leat_start(fixture->engine));
    CHECK_STATUS(leat_run_some(fixture->engine, 1, &ran), LEAT_EMPTY);
    CHECK_EQUAL(ran, 1);
    teardown(fixture);
}

static void
urgent_first(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1);
    struct leat_job job = leat_job_default();
    job.type = fixture->counted;
    CHECK_OK(leat_start(fixture->engine));
    uint32_t levels = leat_priority_levels();
    for (uint32_t i = 0; i < 5 * levels; i++) {
        job.priority = (levels - 1) - i % levels;
        CHECK_OK(leat_submit(fixture->engine, &job, NULL));
    }
    for (uint32_t i = 0; i < 5 * levels; i++) {
        CHECK_OK(leat_run_some(fixture->engine, 1, NULL));
        CHECK_EQUAL(fixture->order[i], i / 5);
    }
    teardown(fixture);
}

static void
inside_a_handler(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1);
    size_t ran = 0;
    CHECK_OK(leat_start(fixture->engine));
    (void)test_submit(fixture->engine, fixture->alone);
    /* What a handler brings runs within the same budget. */
    CHECK_OK(leat_run_some(fixture->engine, 10, &ran));
    CHECK_EQUAL(ran, 2);
    CHECK_EQUAL(atom_load_rlx(&fixture->runs), 1);
    teardown(fixture);
}

static void
drain_runs_the_work(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1);
    for (uint32_t i = 0; i < 30; i++) {
        (void)test_submit(fixture->engine, i % 3 == 0 ? fixture->once : fixture->counted);
    }
    (void)test_submit(fixture->engine, fixture->alone);
    CHECK_OK(leat_start(fixture->engine));
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_completed, 32);
    CHECK_STATUS(leat_run_some(fixture->engine, 1, NULL), LEAT_EMPTY);
    teardown(fixture);
}

/* An attempt that failed waits for the next call, which finds it. */
static void
a_retry_is_due_at_once(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1);
    CHECK_OK(leat_start(fixture->engine));
    leat_job_id id = test_submit_kept(fixture->engine, fixture->once);
    CHECK_OK(leat_run_some(fixture->engine, 1, NULL));
    CHECK_EQUAL(test_get(fixture->engine, id).state, LEAT_JOB_PENDING);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_waiting, 1);
    CHECK_EQUAL(next_due(fixture), 0);
    CHECK_OK(leat_run_some(fixture->engine, 1, NULL));
    CHECK_EQUAL(test_get(fixture->engine, id).state, LEAT_JOB_COMPLETED);
    CHECK_EQUAL(next_due(fixture), LEAT_FOREVER);
    teardown(fixture);
}

/* Fails, and leaves no room in the ring of its level. */
static struct leat_outcome
fills_run(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    struct leat_job job = leat_job_default();
    enum leat_status status = LEAT_OK;
    job.type = fixture->counted;
    while (leat_run_attempt(run) == 1 && status == LEAT_OK) {
        status = leat_submit(leat_run_engine(run), &job, NULL);
    }
    return leat_run_attempt(run) < 3 ? leat_retry() : leat_done();
}

static void
a_budget_is_never_exceeded(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1);
    leat_type fills = test_register(fixture->engine, "fills", fills_run, fixture);
    leat_job_id id = test_submit_kept(fixture->engine, fills);
    size_t ran = 0;
    CHECK_OK(leat_start(fixture->engine));
    CHECK_OK(leat_run_some(fixture->engine, 1, &ran));
    CHECK_EQUAL(ran, 1);
    CHECK_EQUAL(test_get(fixture->engine, id).state, LEAT_JOB_PENDING);
    CHECK_EQUAL(next_due(fixture), 0);
    /* Over a stop, too, the failed attempt is neither lost nor forgotten. */
    CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
    test_engine_check(fixture->engine);
    CHECK_OK(leat_start(fixture->engine));
    CHECK_EQUAL(next_due(fixture), 0);
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    CHECK_EQUAL(test_get(fixture->engine, id).state, LEAT_JOB_COMPLETED);
    CHECK_EQUAL(test_get(fixture->engine, id).attempts, 3);
    teardown(fixture);
}

/* ---- several -------------------------------------------------------------------------------- */

struct lender {
    struct fixture *fixture;
    leat_atomic_u32 inside;
};

/* Each thread runs one held job. */
static void
lend_one(void *shared, uint32_t number)
{
    struct lender *lender = shared;
    size_t ran = 0;
    (void)number;
    CHECK_OK(leat_run_some(lender->fixture->engine, 1, &ran));
    CHECK_EQUAL(ran, 1);
}

static void
as_many_as_allowed(void **state)
{
    (void)state;
    struct fixture *fixture = setup(3);
    struct lender lender = {fixture, 0};
    struct test_threads *threads = calloc(1, sizeof(*threads));
    size_t ran = 77;
    CHECK(threads != NULL);
    CHECK_OK(leat_start(fixture->engine));
    for (uint32_t i = 0; i < 4; i++) {
        (void)test_submit(fixture->engine, fixture->held);
    }
    test_threads_start(threads, 3, lend_one, &lender);
    test_gate_arrivals(&fixture->gate, 3);
    CHECK_STATUS(leat_run_some(fixture->engine, 1, &ran), LEAT_BUSY);
    CHECK_EQUAL(ran, 77);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_running, 3);
    CHECK_STATUS(leat_drain(fixture->engine, LEAT_FOREVER), LEAT_BUSY);
    CHECK_EQUAL(test_state(fixture->engine), LEAT_ENGINE_DRAINING);
    CHECK_STATUS(leat_stop(fixture->engine, TEST_MS), LEAT_TIMEOUT);
    CHECK_STATUS(leat_run_some(fixture->engine, 1, &ran), LEAT_CLOSED);
    test_gate_open(&fixture->gate);
    test_threads_join(threads);
    CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
    CHECK_OK(leat_start(fixture->engine));
    CHECK_OK(leat_run_some(fixture->engine, 1, &ran));
    CHECK_EQUAL(ran, 1);
    free(threads);
    teardown(fixture);
}

/* A job fails while two threads are inside; then only one comes back. It must not matter which
 * place the failed attempt was run in. */
static void
a_retry_is_anyones(void **state)
{
    (void)state;
    struct fixture *fixture = setup(2);
    struct lender lender = {fixture, 0};
    struct test_threads *threads = calloc(1, sizeof(*threads));
    CHECK(threads != NULL);
    CHECK_OK(leat_start(fixture->engine));
    (void)test_submit(fixture->engine, fixture->held);
    test_threads_start(threads, 1, lend_one, &lender);
    test_gate_arrivals(&fixture->gate, 1);
    leat_job_id id = test_submit_kept(fixture->engine, fixture->once);
    CHECK_OK(leat_run_some(fixture->engine, 1, NULL));
    CHECK_EQUAL(test_get(fixture->engine, id).attempts, 1);
    test_gate_open(&fixture->gate);
    test_threads_join(threads);
    CHECK_OK(leat_run_some(fixture->engine, 1, NULL));
    CHECK_EQUAL(test_get(fixture->engine, id).state, LEAT_JOB_COMPLETED);
    free(threads);
    teardown(fixture);
}

/* The same, and a drain: it is over when nothing waits, and not before. */
static void
a_drain_finds_the_retry(void **state)
{
    (void)state;
    struct fixture *fixture = setup(2);
    struct lender lender = {fixture, 0};
    struct test_threads *threads = calloc(1, sizeof(*threads));
    CHECK(threads != NULL);
    CHECK_OK(leat_start(fixture->engine));
    (void)test_submit(fixture->engine, fixture->held);
    test_threads_start(threads, 1, lend_one, &lender);
    test_gate_arrivals(&fixture->gate, 1);
    leat_job_id id = test_submit_kept(fixture->engine, fixture->once);
    CHECK_OK(leat_run_some(fixture->engine, 1, NULL));
    test_gate_open(&fixture->gate);
    test_threads_join(threads);
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    CHECK_EQUAL(test_get(fixture->engine, id).state, LEAT_JOB_COMPLETED);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_waiting, 0);
    free(threads);
    teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(budgets),
        cmocka_unit_test(urgent_first),
        cmocka_unit_test(inside_a_handler),
        cmocka_unit_test(drain_runs_the_work),
        cmocka_unit_test(a_retry_is_due_at_once),
        cmocka_unit_test(a_budget_is_never_exceeded),
        cmocka_unit_test(as_many_as_allowed),
        cmocka_unit_test(a_retry_is_anyones),
        cmocka_unit_test(a_drain_finds_the_retry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
