/* fault_handlers.c - handlers that come back late or not at all: a stop with a deadline answers in
 * time, tells them, and goes on when they end; an engine whose handler never returns is never
 * closed under it; its process can end all the same. Tasks as well as jobs, and threads lent. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ring/atomic.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/threads.h"

#define DEADLINE_NS (50 * TEST_MS)
/* What a loaded machine may take on top. */
#define SLACK_NS (10000 * TEST_MS)

struct fixture {
    struct leat_engine *engine;
    struct test_gate gate;
    leat_type late;
    leat_type heeding;
    leat_atomic_u32 heeded;
};

/* Comes back when the gate opens, and not before. */
static struct leat_outcome
late_run(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    (void)run;
    test_gate_wait(&fixture->gate);
    return leat_done();
}

static void
late_task(void *argument)
{
    struct fixture *fixture = argument;
    test_gate_wait(&fixture->gate);
}

/* Runs until it is told; then it gives the rest back for a later attempt. */
static struct leat_outcome
heeding_run(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    if (leat_run_attempt(run) > 1) {
        return leat_done();
    }
    uint64_t deadline_ns = test_now_ns() + TEST_PATIENCE_NS;
    while (!leat_run_cancelled(run)) {
        CHECK(test_now_ns() < deadline_ns);
        test_sleep_ns(TEST_MS / 10);
    }
    (void)atom_add_rlx(&fixture->heeded, 1);
    return leat_retry();
}

static struct fixture *
setup(uint32_t workers)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct leat_config config = test_config();
    CHECK(fixture != NULL);
    config.workers = workers;
    config.lenders_max = 4;
    test_gate_init(&fixture->gate);
    fixture->engine = test_start(&config);
    fixture->late = test_register(fixture->engine, "late", late_run, fixture);
    fixture->heeding = test_register(fixture->engine, "heeding", heeding_run, fixture);
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

/* A stop that cannot succeed answers at its deadline. */
static void
stop_times_out(struct leat_engine *engine, uint64_t timeout_ns)
{
    uint64_t before_ns = test_now_ns();
    CHECK_STATUS(leat_stop(engine, timeout_ns), LEAT_TIMEOUT);
    uint64_t took_ns = test_now_ns() - before_ns;
    CHECK(took_ns >= timeout_ns);
    CHECK(took_ns < timeout_ns + SLACK_NS);
    CHECK_EQUAL(test_state(engine), LEAT_ENGINE_STOPPING);
    CHECK_STATUS(leat_close(engine), LEAT_WRONG_STATE);
}

/* ---- late ----------------------------------------------------------------------------------- */

static void
late_jobs(void **state)
{
    (void)state;
    struct fixture *fixture = setup(3);
    leat_job_id ids[5];
    for (uint32_t i = 0; i < TEST_COUNT_OF(ids); i++) {
        ids[i] = test_submit_kept(fixture->engine, fixture->late);
    }
    test_gate_arrivals(&fixture->gate, 3);
    stop_times_out(fixture->engine, DEADLINE_NS);
    stop_times_out(fixture->engine, 0);
    stop_times_out(fixture->engine, DEADLINE_NS);
    test_gate_open(&fixture->gate);
    CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
    uint32_t completed = 0;
    for (uint32_t i = 0; i < TEST_COUNT_OF(ids); i++) {
        struct leat_job_info info = test_get(fixture->engine, ids[i]);
        completed += info.state == LEAT_JOB_COMPLETED ? 1 : 0;
        CHECK(info.state == LEAT_JOB_COMPLETED || info.attempts == 0);
    }
    CHECK_EQUAL(completed, 3);
    CHECK_OK(leat_start(fixture->engine));
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_completed, 5);
    teardown(fixture);
}

static void
late_tasks(void **state)
{
    (void)state;
    struct fixture *fixture = setup(2);
    for (uint32_t i = 0; i < 5; i++) {
        CHECK_OK(leat_post(fixture->engine, i, late_task, fixture));
    }
    test_gate_arrivals(&fixture->gate, 2);
    stop_times_out(fixture->engine, DEADLINE_NS);
    CHECK_EQUAL(test_statistics(fixture->engine).tasks_waiting, 3);
    test_gate_open(&fixture->gate);
    CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
    CHECK_EQUAL(test_statistics(fixture->engine).tasks_run, 2);
    CHECK_EQUAL(test_statistics(fixture->engine).tasks_waiting, 3);
    CHECK_OK(leat_start(fixture->engine));
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    CHECK_EQUAL(test_statistics(fixture->engine).tasks_run, 5);
    teardown(fixture);
}

static void
lend(void *shared, uint32_t number)
{
    struct fixture *fixture = shared;
    size_t ran = 0;
    (void)number;
    CHECK_OK(leat_run_some(fixture->engine, 10, &ran));
    /* The stop came while the first was running. */
    CHECK_EQUAL(ran, 1);
}

static void
late_lent_threads(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0);
    struct test_threads *threads = calloc(1, sizeof(*threads));
    CHECK(threads != NULL);
    for (uint32_t i = 0; i < 6; i++) {
        (void)test_submit(fixture->engine, fixture->late);
    }
    test_threads_start(threads, 2, lend, fixture);
    test_gate_arrivals(&fixture->gate, 2);
    stop_times_out(fixture->engine, DEADLINE_NS);
    test_gate_open(&fixture->gate);
    test_threads_join(threads);
    CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_waiting, 4);
    CHECK_OK(leat_start(fixture->engine));
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    free(threads);
    teardown(fixture);
}

/* ---- told ----------------------------------------------------------------------------------- */

/* Before the deadline nobody is told; past it everyone who runs. What they give back waits, and
 * runs after the next start as the next attempt. */
static void
told_past_the_deadline(void **state)
{
    (void)state;
    struct fixture *fixture = setup(2);
    leat_job_id ids[2];
    for (uint32_t i = 0; i < 2; i++) {
        ids[i] = test_submit_kept(fixture->engine, fixture->heeding);
    }
    while (test_statistics(fixture->engine).jobs_running < 2) {
        test_sleep_ns(TEST_MS);
    }
    CHECK_STATUS(leat_drain(fixture->engine, DEADLINE_NS), LEAT_TIMEOUT);
    CHECK_EQUAL(atom_load_rlx(&fixture->heeded), 0);
    stop_times_out(fixture->engine, DEADLINE_NS);
    CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
    CHECK_EQUAL(atom_load_rlx(&fixture->heeded), 2);
    for (uint32_t i = 0; i < 2; i++) {
        struct leat_job_info info = test_get(fixture->engine, ids[i]);
        CHECK_EQUAL(info.state, LEAT_JOB_PENDING);
        CHECK_EQUAL(info.attempts, 1);
        CHECK(!info.cancel_requested);
    }
    CHECK_OK(leat_start(fixture->engine));
    for (uint32_t i = 0; i < 2; i++) {
        struct leat_job_info info = test_wait(fixture->engine, ids[i]);
        CHECK_EQUAL(info.state, LEAT_JOB_COMPLETED);
        CHECK_EQUAL(info.attempts, 2);
    }
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    teardown(fixture);
}

/* ---- never ---------------------------------------------------------------------------------- */

/* Until the process ends: every signal is blocked in a worker. */
static struct leat_outcome
never_run(struct leat_run *run, void *context)
{
    (void)run;
    test_gate_open(context);
    (void)pause();
    return leat_done();
}

static void
live_with_it(void *argument)
{
    struct leat_config config = test_config();
    struct test_gate gate;
    (void)argument;
    test_gate_init(&gate);
    struct leat_engine *engine = test_start(&config);
    leat_type never = test_register(engine, "never", never_run, &gate);
    leat_job_id id = test_submit_kept(engine, never);
    test_gate_wait(&gate);
    CHECK_STATUS(leat_drain(engine, DEADLINE_NS), LEAT_TIMEOUT);
    CHECK_STATUS(leat_wait(engine, id, DEADLINE_NS, NULL), LEAT_TIMEOUT);
    for (uint32_t i = 0; i < 3; i++) {
        stop_times_out(engine, DEADLINE_NS);
    }
    CHECK_STATUS(leat_cancel(engine, id), LEAT_RUNNING);
    CHECK_EQUAL(test_statistics(engine).jobs_running, 1);
}

/* In a process of its own, which ends with the handler still inside. */
static void
never_returns(void **state)
{
    (void)state;
    test_child(live_with_it, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        /* First: it forks, and no thread may be there yet. */
        cmocka_unit_test(never_returns),
        cmocka_unit_test(late_jobs),
        cmocka_unit_test(late_tasks),
        cmocka_unit_test(late_lent_threads),
        cmocka_unit_test(told_past_the_deadline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
