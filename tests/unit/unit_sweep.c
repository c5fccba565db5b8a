/* unit_sweep.c - jobs that expire where nobody takes them: in a ring, in a waiting list, before a
 * delay or a retry is due. They end at the moment they may, or at the next sweep, by a clock that
 * the test moves; no other job is touched; their end is like any other. Holds I1 of engine/sweep.h.
 * */
#include <string.h>

#include "engine/engine_internal.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory.h"
#include "tests/support/threads.h"

#define S    UINT64_C(1000000000)
#define TICK (UINT64_C(1) << 20)

struct fixture {
    struct test_clock clock;
    struct test_memory memory;
    struct leat_engine *engine;
    leat_type type;
    struct leat_outcome answer;
    uint64_t takes_ns; /* each run */
    uint32_t runs;
    struct leat_job_info info;
};

static struct leat_outcome
run(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    (void)run;
    fixture->runs++;
    if (fixture->takes_ns != 0) {
        test_clock_pass(&fixture->clock, fixture->engine, fixture->takes_ns);
    }
    return fixture->answer;
}

/* Threads are lent. */
static struct fixture *
setup(void)
{
    static struct fixture fixture;
    struct leat_config config = test_config();
    memset(&fixture, 0, sizeof(fixture));
    test_clock_init(&fixture.clock);
    test_memory_init(&fixture.memory);
    config.workers = 0;
    config.jobs_max = 4096;
    config.retained_max = 0;
    config.dead_max = 64;
    config.clock = test_clock_of(&fixture.clock);
    config.allocator = test_memory_allocator(&fixture.memory);
    fixture.engine = test_start(&config);
    fixture.type = test_register(fixture.engine, "t", run, &fixture);
    fixture.answer = leat_done();
    return &fixture;
}

static void
teardown(struct fixture *fixture)
{
    test_close(fixture->engine);
    CHECK_EQUAL(test_memory_blocks(&fixture->memory), 0);
}

static leat_job_id
submit(struct fixture *fixture, uint64_t expires_in_ns, uint64_t delay_ns)
{
    struct leat_job_options options = leat_job_options_default();
    struct leat_job job = leat_job_default();
    leat_job_id id = {0};
    options.expires_in_ns = expires_in_ns;
    job.type = fixture->type;
    job.flags = LEAT_JOB_KEEP_RESULT;
    job.delay_ns = delay_ns;
    job.options = &options;
    CHECK_OK(leat_submit(fixture->engine, &job, &id));
    return id;
}

static const struct leat_job_info *
look(struct fixture *fixture, leat_job_id id)
{
    fixture->info = test_get(fixture->engine, id);
    return &fixture->info;
}

static void
pass(struct fixture *fixture, uint64_t ns)
{
    test_clock_pass(&fixture->clock, fixture->engine, ns);
}

static void
check_expired(struct fixture *fixture, leat_job_id id)
{
    CHECK_EQUAL(look(fixture, id)->state, LEAT_JOB_DEAD);
    CHECK_EQUAL(fixture->info.reason, LEAT_REASON_EXPIRED);
    CHECK_STATUS(leat_cancel(fixture->engine, id), LEAT_ENDED);
}

static uint64_t
next_due(struct fixture *fixture)
{
    uint64_t delay_ns = 0;
    CHECK_OK(leat_next_due(fixture->engine, &delay_ns));
    return delay_ns;
}

static void
run_all(struct fixture *fixture)
{
    enum leat_status status = LEAT_OK;
    while (status == LEAT_OK) {
        status = leat_run_some(fixture->engine, 100, NULL);
    }
    CHECK_STATUS(status, LEAT_EMPTY);
}

/* ---- when ----------------------------------------------------------------------------------- */

static void
at_its_moment(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    leat_job_id id = submit(fixture, 10 * S, 0);
    leat_job_id other = submit(fixture, LEAT_FOREVER, 0);
    pass(fixture, 10 * S - 1);
    CHECK_EQUAL(look(fixture, id)->state, LEAT_JOB_PENDING);
    test_engine_check(fixture->engine);
    pass(fixture, 1);
    check_expired(fixture, id);
    test_engine_check(fixture->engine);
    CHECK_EQUAL(look(fixture, other)->state, LEAT_JOB_PENDING);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_dead, 1);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_waiting, 1);
    run_all(fixture);
    CHECK_EQUAL(fixture->runs, 1);
    check_expired(fixture, id);
    teardown(fixture);
}

/* At most one sweep in a second; a thread that is lent is told when. */
static void
once_in_a_second(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    leat_job_id first = submit(fixture, 10 * S, 100 * S);
    leat_job_id second = submit(fixture, 10 * S + 1, 100 * S);
    leat_job_id third = submit(fixture, 20 * S, 100 * S);
    CHECK(next_due(fixture) <= 10 * S);
    pass(fixture, 10 * S);
    check_expired(fixture, first);
    CHECK_EQUAL(look(fixture, second)->state, LEAT_JOB_SCHEDULED);
    CHECK(next_due(fixture) <= LEAT_SWEEP_NS);
    pass(fixture, LEAT_SWEEP_NS - 1);
    CHECK_EQUAL(look(fixture, second)->state, LEAT_JOB_SCHEDULED);
    pass(fixture, 1);
    check_expired(fixture, second);
    CHECK(next_due(fixture) <= 9 * S);
    pass(fixture, 9 * S);
    check_expired(fixture, third);
    run_all(fixture);
    CHECK_EQUAL(fixture->runs, 0);
    teardown(fixture);
}

static void
nothing_expires(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    leat_job_id id = submit(fixture, LEAT_FOREVER, 0);
    run_all(fixture);
    CHECK_EQUAL(look(fixture, id)->state, LEAT_JOB_COMPLETED);
    CHECK_EQUAL(next_due(fixture), LEAT_FOREVER);
    /* One that ran in time: looked for once, in vain. */
    id = submit(fixture, S, 0);
    run_all(fixture);
    pass(fixture, S);
    CHECK_EQUAL(look(fixture, id)->state, LEAT_JOB_COMPLETED);
    CHECK_EQUAL(next_due(fixture), LEAT_FOREVER);
    teardown(fixture);
}

/* More than one step: at each look some more. */
static void
in_steps(void **state)
{
    (void)state;
    enum { JOBS = 2 * LEAT_SWEEP_RECORDS + 7 };
    struct fixture *fixture = setup();
    for (uint32_t i = 0; i < JOBS; i++) {
        (void)submit(fixture, S, 0);
    }
    pass(fixture, S);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_dead, LEAT_SWEEP_RECORDS);
    CHECK_EQUAL(next_due(fixture), 0);
    test_engine_check(fixture->engine);
    pass(fixture, 0);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_dead, 2 * LEAT_SWEEP_RECORDS);
    /* Submitted meanwhile. */
    leat_job_id id = submit(fixture, 5 * S, 200 * S);
    pass(fixture, 0);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_dead, JOBS);
    run_all(fixture);
    CHECK_EQUAL(fixture->runs, 0);
    pass(fixture, 5 * S - 1);
    CHECK_EQUAL(look(fixture, id)->state, LEAT_JOB_SCHEDULED);
    pass(fixture, 1);
    pass(fixture, 0);
    pass(fixture, 0);
    check_expired(fixture, id);
    teardown(fixture);
}

/* ---- where ---------------------------------------------------------------------------------- */

/* The ring, the list behind it, and the wheel; nobody takes any. */
static void
wherever_they_wait(void **state)
{
    (void)state;
    enum { JOBS = 200 };
    struct fixture *fixture = setup();
    leat_job_id ids[JOBS];
    for (uint32_t i = 0; i < JOBS; i++) {
        ids[i] = submit(fixture, i % 2 == 0 ? 10 * S : 11 * S, i % 5 == 0 ? 60 * S : 0);
    }
    pass(fixture, 10 * S);
    test_engine_check(fixture->engine);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_dead, JOBS / 2);
    pass(fixture, S);
    test_engine_check(fixture->engine);
    for (uint32_t i = 0; i < JOBS; i++) {
        check_expired(fixture, ids[i]);
        CHECK_OK(leat_release(fixture->engine, ids[i]));
    }
    run_all(fixture);
    pass(fixture, 100 * S);
    run_all(fixture);
    CHECK_EQUAL(fixture->runs, 0);
    teardown(fixture);
}

/* Its end is told: a completion queue's slot, and the room in its queue. */
static void
its_end_is_told(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_completion_queue *completions = NULL;
    struct leat_queue_options queue_options = leat_queue_options_default();
    struct leat_job_options options = leat_job_options_default();
    struct leat_job job = leat_job_default();
    struct leat_completion item;
    size_t taken = 0;
    queue_options.waiting_max = 1;
    options.expires_in_ns = S;
    CHECK_OK(leat_queue_create(fixture->engine, "q", &queue_options, &job.queue));
    CHECK_OK(leat_completion_queue_create(fixture->engine, 2, &completions));
    job.type = fixture->type;
    job.options = &options;
    job.completions = completions;
    CHECK_OK(leat_submit(fixture->engine, &job, NULL));
    CHECK_STATUS(leat_submit(fixture->engine, &job, NULL), LEAT_FULL);
    CHECK_STATUS(leat_completion_queue_take(completions, &item, 1, &taken), LEAT_EMPTY);
    pass(fixture, S);
    CHECK_OK(leat_completion_queue_take(completions, &item, 1, &taken));
    CHECK_EQUAL(item.state, LEAT_JOB_DEAD);
    CHECK_EQUAL(item.reason, LEAT_REASON_EXPIRED);
    CHECK_OK(leat_submit(fixture->engine, &job, NULL));
    run_all(fixture);
    CHECK_EQUAL(fixture->runs, 1);
    teardown(fixture);
}

/* ---- not while it runs ---------------------------------------------------------------------- */

static void
expires_while_it_runs(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    fixture->takes_ns = 5 * S;
    leat_job_id done = submit(fixture, S, 0);
    run_all(fixture);
    CHECK_EQUAL(look(fixture, done)->state, LEAT_JOB_COMPLETED);
    fixture->takes_ns = 0;
    /* It may run for long, and is to wait then. */
    fixture->answer = leat_snooze(100 * S);
    leat_job_id snoozes = submit(fixture, 5 * S, 0);
    run_all(fixture);
    pass(fixture, 5 * S);
    check_expired(fixture, snoozes);
    fixture->answer = leat_pending();
    leat_job_id pending = submit(fixture, S, 0);
    run_all(fixture);
    pass(fixture, 50 * S);
    pass(fixture, 50 * S);
    CHECK_EQUAL(look(fixture, pending)->state, LEAT_JOB_RUNNING);
    teardown(fixture);
}

static void
cancelled_before(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    leat_job_id id = submit(fixture, S, 0);
    CHECK_OK(leat_cancel(fixture->engine, id));
    pass(fixture, S);
    CHECK_EQUAL(look(fixture, id)->state, LEAT_JOB_CANCELLED);
    CHECK_EQUAL(fixture->info.reason, LEAT_REASON_NONE);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_dead, 0);
    teardown(fixture);
}

/* ---- by the system's clock ------------------------------------------------------------------ */

static struct leat_outcome
held(struct leat_run *run, void *context)
{
    (void)run;
    test_gate_wait(context);
    return leat_done();
}

/* All workers are busy for long. */
static void
by_the_systems_clock(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    struct fixture fixture = {.engine = test_start(&config)};
    struct test_gate gate;
    test_gate_init(&gate);
    fixture.type = test_register(fixture.engine, "held", held, &gate);
    (void)test_submit(fixture.engine, fixture.type);
    test_gate_arrivals(&gate, 1);
    leat_job_id id = submit(&fixture, 20 * TEST_MS, 0);
    CHECK_EQUAL(test_wait(fixture.engine, id).reason, LEAT_REASON_EXPIRED);
    test_gate_open(&gate);
    test_finish(fixture.engine);
    test_gate_fini(&gate);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_its_moment),         cmocka_unit_test(once_in_a_second),
        cmocka_unit_test(nothing_expires),       cmocka_unit_test(in_steps),
        cmocka_unit_test(wherever_they_wait),    cmocka_unit_test(its_end_is_told),
        cmocka_unit_test(expires_while_it_runs), cmocka_unit_test(cancelled_before),
        cmocka_unit_test(by_the_systems_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
