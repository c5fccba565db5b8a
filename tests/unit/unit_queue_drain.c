/* unit_queue_drain.c - the drain of a queue: what waits and runs ends, what handlers submit is
 * part of it, also where that comes into a record that was looked at before; outside submits are
 * refused, other queues go on; what waits for a time is not waited for; at the end of the time what
 * waits stays, and has used up no attempt; a queue is opened again; lent threads; bad input. */
#include <stdlib.h>

#include "ring/atomic.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/fake_clock.h"
#include "tests/support/threads.h"

#define CHAIN  200 /* more than there are records: they come again */
#define HOUR   (3600 * UINT64_C(1000000000))
#define SOON   (20 * TEST_MS)
#define MINUTE (60 * UINT64_C(1000000000))

struct fixture {
    struct leat_engine *engine;
    leat_type type;
    leat_type chain;
    leat_type held;
    leat_queue queue;
    leat_queue other;
    uint32_t chained; /* plain: one runs at a time */
    leat_atomic_u32 runs;
    enum leat_status inside;
    struct test_gate gate;
    struct test_clock clock;
};

static struct leat_outcome
run(struct leat_run *attempt, void *context)
{
    struct fixture *fixture = context;
    (void)attempt;
    (void)atom_add_rlx(&fixture->runs, 1);
    return leat_done();
}

/* Each submits the next one; its own record is free for the one after that. */
static struct leat_outcome
run_chain(struct leat_run *attempt, void *context)
{
    struct fixture *fixture = context;
    struct leat_job job = leat_job_default();
    job.type = fixture->chain;
    job.queue = leat_run_queue(attempt);
    fixture->chained++;
    if (fixture->chained < CHAIN) {
        CHECK_OK(leat_submit(fixture->engine, &job, NULL));
    }
    return leat_done();
}

static struct leat_outcome
run_held(struct leat_run *attempt, void *context)
{
    struct fixture *fixture = context;
    test_gate_wait(&fixture->gate);
    fixture->inside = leat_queue_drain(leat_run_engine(attempt), fixture->queue, 0);
    return leat_done();
}

static struct fixture *
setup_of(uint32_t workers)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    CHECK(fixture != NULL);
    struct leat_config config = test_config();
    config.workers = workers;
    config.retained_max = 0;
    test_clock_init(&fixture->clock);
    if (workers == 0) {
        config.clock = test_clock_of(&fixture->clock);
    }
    fixture->engine = test_start(&config);
    test_gate_init(&fixture->gate);
    fixture->type = test_register(fixture->engine, "run", run, fixture);
    fixture->chain = test_register(fixture->engine, "chain", run_chain, fixture);
    fixture->held = test_register(fixture->engine, "held", run_held, fixture);
    CHECK_OK(leat_queue_create(fixture->engine, "drained", NULL, &fixture->queue));
    CHECK_OK(leat_queue_find(fixture->engine, "default", &fixture->other));
    return fixture;
}

static void
teardown(struct fixture *fixture)
{
    test_close(fixture->engine);
    test_gate_fini(&fixture->gate);
    free(fixture);
}

static enum leat_status
submit(struct fixture *fixture, leat_type type, leat_queue queue, uint64_t delay_ns)
{
    struct leat_job job = leat_job_default();
    job.type = type;
    job.queue = queue;
    job.delay_ns = delay_ns;
    return leat_submit(fixture->engine, &job, NULL);
}

static struct leat_queue_info
info_of(struct fixture *fixture)
{
    struct leat_queue_info info = leat_queue_info_default();
    CHECK_OK(leat_queue_get_info(fixture->engine, fixture->queue, &info));
    return info;
}

static void
runs_dry(void **state)
{
    (void)state;
    for (uint32_t workers = 0; workers < 3; workers++) {
        struct fixture *fixture = setup_of(workers);
        struct leat_job job = leat_job_default();
        for (uint32_t i = 0; i < 20; i++) {
            CHECK_OK(submit(fixture, fixture->type, fixture->other, 0));
        }
        CHECK_OK(submit(fixture, fixture->chain, fixture->queue, 0));
        CHECK_OK(submit(fixture, fixture->type, fixture->queue, HOUR));
        CHECK_OK(leat_queue_drain(fixture->engine, fixture->queue, MINUTE));
        CHECK_EQUAL(fixture->chained, CHAIN);
        CHECK_EQUAL(info_of(fixture).waiting, 0);
        CHECK_EQUAL(info_of(fixture).running, 0);
        CHECK_EQUAL(info_of(fixture).scheduled, 1);
        CHECK(info_of(fixture).draining);
        CHECK(!info_of(fixture).paused);
        CHECK_STATUS(submit(fixture, fixture->type, fixture->queue, 0), LEAT_CLOSED);
        CHECK_STATUS(submit(fixture, fixture->type, fixture->queue, HOUR), LEAT_CLOSED);
        job.type = fixture->type;
        job.queue = fixture->queue;
        CHECK_STATUS(
            leat_submit_batch(fixture->engine, &job, 1, LEAT_BATCH_ALL_OR_NONE, NULL, NULL),
            LEAT_CLOSED);
        CHECK_OK(submit(fixture, fixture->type, fixture->other, 0));
        CHECK_OK(leat_queue_drain(fixture->engine, fixture->queue, 0)); /* once more */
        CHECK_OK(leat_queue_reopen(fixture->engine, fixture->queue));
        CHECK(!info_of(fixture).draining);
        CHECK_OK(submit(fixture, fixture->type, fixture->queue, 0));
        CHECK_OK(leat_drain(fixture->engine, MINUTE));
        CHECK_EQUAL(atom_load_rlx(&fixture->runs), 22);
        teardown(fixture);
    }
}

/* Their time has come, and no lent thread has come to them yet. */
static void
what_is_due(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(0);
    for (uint32_t i = 0; i < 20; i++) {
        CHECK_OK(submit(fixture, fixture->type, fixture->queue, HOUR));
    }
    test_clock_pass(&fixture->clock, fixture->engine, 2 * HOUR);
    CHECK_STATUS(leat_queue_drain(fixture->engine, fixture->queue, 0), LEAT_TIMEOUT);
    CHECK_OK(leat_queue_reopen(fixture->engine, fixture->queue));
    CHECK_OK(submit(fixture, fixture->type, fixture->queue, HOUR));
    test_clock_pass(&fixture->clock, fixture->engine, 2 * HOUR);
    CHECK_OK(leat_queue_drain(fixture->engine, fixture->queue, MINUTE));
    CHECK_EQUAL(atom_load_rlx(&fixture->runs), 21);
    teardown(fixture);
}

/* One runs and one waits at the end of the time. */
static void
time_out(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(1);
    struct leat_job job = leat_job_default();
    leat_job_id id = {0};
    CHECK_OK(submit(fixture, fixture->held, fixture->queue, 0));
    test_gate_arrivals(&fixture->gate, 1);
    job.type = fixture->type;
    job.queue = fixture->queue;
    job.max_attempts = 1;
    CHECK_OK(leat_submit(fixture->engine, &job, &id));
    uint64_t begin_ns = test_now_ns();
    CHECK_STATUS(leat_queue_drain(fixture->engine, fixture->queue, SOON), LEAT_TIMEOUT);
    CHECK(test_now_ns() - begin_ns >= SOON);
    CHECK(info_of(fixture).draining);
    CHECK(info_of(fixture).paused);
    CHECK_EQUAL(info_of(fixture).waiting, 1);
    CHECK_EQUAL(info_of(fixture).running, 1);
    CHECK_EQUAL(test_get(fixture->engine, id).attempts, 0);
    test_gate_open(&fixture->gate);
    CHECK_OK(submit(fixture, fixture->type, fixture->other, 0));
    CHECK_OK(leat_drain(fixture->engine, MINUTE)); /* does not wait for what is paused */
    CHECK_STATUS(fixture->inside, LEAT_DEADLOCK);
    CHECK_EQUAL(atom_load_rlx(&fixture->runs), 1);
    CHECK_EQUAL(test_get(fixture->engine, id).state, LEAT_JOB_PENDING);
    CHECK_OK(leat_queue_reopen(fixture->engine, fixture->queue));
    CHECK_OK(leat_drain(fixture->engine, MINUTE));
    CHECK_EQUAL(atom_load_rlx(&fixture->runs), 2);
    teardown(fixture);
}

static void
bad_input(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(1);
    struct leat_engine *engine = fixture->engine;
    const leat_queue none = {0};
    const leat_queue unknown = {60};
    CHECK_STATUS(leat_queue_drain(NULL, fixture->queue, 0), LEAT_INVALID);
    CHECK_STATUS(leat_queue_drain(engine, none, 0), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_queue_drain(engine, unknown, 0), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_queue_reopen(NULL, fixture->queue), LEAT_INVALID);
    CHECK_STATUS(leat_queue_reopen(engine, none), LEAT_NOT_FOUND);
    CHECK_OK(leat_queue_reopen(engine, fixture->queue)); /* it is open */
    CHECK_OK(leat_stop(engine, LEAT_FOREVER));
    CHECK_STATUS(leat_queue_drain(engine, fixture->queue, 0), LEAT_WRONG_STATE);
    CHECK(!info_of(fixture).draining);
    teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_dry),
        cmocka_unit_test(what_is_due),
        cmocka_unit_test(time_out),
        cmocka_unit_test(bad_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
