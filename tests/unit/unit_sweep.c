/* unit_sweep.c - jobs that expire where nobody takes them: in a ring, in a waiting list, behind a
 * gate that is shut, before a delay or a retry is due, put off to later. They end at the moment
 * they may, or at the next sweep, by a clock that the test moves; no other job is touched; their
 * end is like any other: counted, told, waited for, kept. Holds I1 of engine/sweep.h. */
#include <string.h>

#include "engine/engine_internal.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory.h"
#include "tests/support/threads.h"

#define S UINT64_C(1000000000)

struct fixture {
    struct test_clock clock;
    struct test_memory memory;
    struct leat_engine *engine;
    leat_type type;
    leat_queue queue; /* "default" */
    struct leat_outcome answer;
    uint64_t takes_ns; /* each run */
    uint32_t runs;
    struct leat_job_info info;
};

static struct leat_outcome
run(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    fixture->runs++;
    if (fixture->answer.kind == LEAT_OUTCOME_RETRY) {
        CHECK_OK(leat_run_error(run, "no luck"));
    }
    if (fixture->takes_ns != 0) {
        test_clock_pass(&fixture->clock, fixture->engine, fixture->takes_ns);
    }
    return fixture->answer;
}

/* None: threads are lent. */
static struct fixture *
setup_workers(uint32_t workers)
{
    static struct fixture fixture;
    struct leat_config config = test_config();
    memset(&fixture, 0, sizeof(fixture));
    test_clock_init(&fixture.clock);
    test_memory_init(&fixture.memory);
    config.workers = workers;
    config.jobs_max = 4096;
    config.retained_max = 0;
    config.dead_max = 64;
    config.clock = test_clock_of(&fixture.clock);
    config.allocator = test_memory_allocator(&fixture.memory);
    fixture.engine = test_start(&config);
    fixture.type = test_register(fixture.engine, "t", run, &fixture);
    fixture.answer = leat_done();
    CHECK_OK(leat_queue_find(fixture.engine, "default", &fixture.queue));
    return &fixture;
}

static struct fixture *
setup(void)
{
    return setup_workers(0);
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

/* A submit that has said when its job expires, and not published it yet: the sweep comes again. */
static void
while_one_is_submitted(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_engine *engine = fixture->engine;
    uint32_t index = 0;
    CHECK(leat_slab_take(&engine->jobs, 0, &index));
    leat_sweep_expect(engine, leat_clocks_now(&engine->clocks, LEAT_TIME_BOOT));
    CHECK_EQUAL(next_due(fixture), 0);
    pass(fixture, 0);
    for (uint32_t i = 0; i < 3; i++) {
        CHECK_EQUAL(next_due(fixture), LEAT_SWEEP_NS);
        pass(fixture, LEAT_SWEEP_NS);
    }
    /* It was refused. */
    leat_slab_give(&engine->jobs, 0, index);
    (void)atom_add_rlx(&engine->outside.refused, 1);
    pass(fixture, LEAT_SWEEP_NS);
    CHECK_EQUAL(next_due(fixture), LEAT_FOREVER);
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

/* A wheel gives them back long before they were due. */
static void
their_records_leave_the_wheel(void **state)
{
    (void)state;
    enum { JOBS = 4 * LEAT_TIMERS_OFF };
    static leat_job_id ids[JOBS];
    struct fixture *fixture = setup();
    struct leat_job_info info = leat_job_info_default();
    uint32_t gone = 0;
    for (uint32_t i = 0; i < JOBS; i++) {
        ids[i] = submit(fixture, 10 * S, 1000 * S);
    }
    pass(fixture, 10 * S);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_dead, JOBS);
    for (uint32_t i = 0; i < JOBS; i++) {
        CHECK_OK(leat_release(fixture->engine, ids[i]));
    }
    run_all(fixture);
    for (uint32_t i = 0; i < JOBS; i++) {
        gone += leat_get(fixture->engine, ids[i], &info) == LEAT_GONE;
    }
    CHECK(gone >= JOBS - 64); /* dead letters */
    teardown(fixture);
}

/* Of each kind that the sweep finds. */
static void
retries_and_changes(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    fixture->answer = leat_retry_in(100 * S);
    leat_job_id retries = submit(fixture, 10 * S, 0);
    run_all(fixture);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_retrying, 1);
    /* In the ring still, and on the wheel. */
    leat_job_id later = submit(fixture, 10 * S, 0);
    leat_job_id higher = submit(fixture, 10 * S, 0);
    leat_job_id moved = submit(fixture, 10 * S, 20 * S);
    CHECK_OK(leat_reschedule(fixture->engine, later, leat_when_in(30 * S)));
    CHECK_OK(leat_priority_set(fixture->engine, higher, 1));
    CHECK_OK(leat_reschedule(fixture->engine, moved, leat_when_in(40 * S)));
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_scheduled, 3);
    pass(fixture, 10 * S);
    test_engine_check(fixture->engine);
    check_expired(fixture, retries);
    CHECK_EQUAL(fixture->info.attempts, 1);
    CHECK_EQUAL(strcmp(fixture->info.error, "no luck"), 0);
    check_expired(fixture, later);
    check_expired(fixture, higher);
    check_expired(fixture, moved);
    CHECK_STATUS(leat_reschedule(fixture->engine, later, leat_when_now()), LEAT_ENDED);
    struct leat_statistics sum = test_statistics(fixture->engine);
    CHECK_EQUAL(sum.jobs_dead, 4);
    CHECK_EQUAL(sum.jobs_scheduled + sum.jobs_retrying + sum.jobs_waiting, 0);
    pass(fixture, 100 * S);
    run_all(fixture);
    test_engine_check(fixture->engine);
    CHECK_EQUAL(fixture->runs, 1);
    teardown(fixture);
}

/* ---- behind a gate -------------------------------------------------------------------------- */

/* What was in the ring before, and what came behind it. */
static void
in_a_paused_queue(void **state)
{
    (void)state;
    enum { JOBS = 200 };
    static leat_job_id ids[JOBS];
    struct fixture *fixture = setup();
    for (uint32_t i = 0; i < JOBS; i++) {
        if (i == JOBS / 2) {
            CHECK_OK(leat_queue_pause(fixture->engine, fixture->queue));
        }
        ids[i] = submit(fixture, i % 4 == 0 ? LEAT_FOREVER : 10 * S, 0);
    }
    run_all(fixture); /* turned back, or listed */
    CHECK_EQUAL(fixture->runs, 0);
    pass(fixture, 10 * S - 1);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_waiting, JOBS);
    pass(fixture, 1);
    test_engine_check(fixture->engine);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_waiting, JOBS / 4);
    for (uint32_t i = 0; i < JOBS; i++) {
        if (i % 4 != 0) {
            check_expired(fixture, ids[i]);
            CHECK_OK(leat_release(fixture->engine, ids[i]));
        }
    }
    /* Most of its list are dead: that is swept, though nobody takes from it. */
    run_all(fixture);
    uint32_t gone = 0;
    for (uint32_t i = 0; i < JOBS; i++) {
        gone += leat_release(fixture->engine, ids[i]) == LEAT_GONE;
    }
    CHECK(gone >= JOBS / 4 * 3 - 64); /* dead letters */
    CHECK_OK(leat_queue_resume(fixture->engine, fixture->queue));
    run_all(fixture);
    CHECK_EQUAL(fixture->runs, JOBS / 4);
    teardown(fixture);
}

/* The same where a worker sleeps, and another thread waits for the end. */
static void
in_a_paused_queue_of_workers(void **state)
{
    (void)state;
    struct fixture *fixture = setup_workers(1);
    CHECK_OK(leat_queue_pause(fixture->engine, fixture->queue));
    leat_job_id id = submit(fixture, 10 * S, 0);
    leat_job_id other = submit(fixture, LEAT_FOREVER, 0);
    struct leat_job_info info = leat_job_info_default();
    CHECK_STATUS(leat_wait(fixture->engine, id, 20 * TEST_MS, &info), LEAT_TIMEOUT);
    CHECK_EQUAL(info.state, LEAT_JOB_PENDING);
    pass(fixture, 10 * S);
    CHECK_OK(leat_wait(fixture->engine, id, 0, &info));
    CHECK_EQUAL(info.state, LEAT_JOB_DEAD);
    CHECK_EQUAL(info.reason, LEAT_REASON_EXPIRED);
    CHECK_EQUAL(info.attempts, 0);
    CHECK_EQUAL(look(fixture, other)->state, LEAT_JOB_PENDING);
    CHECK_OK(leat_queue_resume(fixture->engine, fixture->queue));
    CHECK_EQUAL(test_wait(fixture->engine, other).state, LEAT_JOB_COMPLETED);
    CHECK_EQUAL(fixture->runs, 1);
    teardown(fixture);
}

/* Its turn does not come: one before it is pending for long. Then its place is given to the next
 * one, and what was admitted and has expired in the ring gives up the place it had. */
static void
behind_a_cap(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    CHECK_OK(leat_type_set_running_max(fixture->engine, fixture->type, 1));
    fixture->answer = leat_pending_for(100 * S);
    (void)submit(fixture, 10 * S, 0);
    leat_job_id waits = submit(fixture, 10 * S, 0);
    leat_job_id next = submit(fixture, LEAT_FOREVER, 0);
    run_all(fixture);
    CHECK_EQUAL(fixture->runs, 1);
    pass(fixture, 10 * S);
    check_expired(fixture, waits);
    test_engine_check(fixture->engine);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_running, 1);
    fixture->answer = leat_done();
    pass(fixture, 100 * S);
    run_all(fixture);
    CHECK_EQUAL(look(fixture, next)->state, LEAT_JOB_COMPLETED);
    CHECK_EQUAL(fixture->runs, 2);
    teardown(fixture);
}

/* Most of a type's list are dead: that is swept, too. */
static void
in_the_list_of_a_type(void **state)
{
    (void)state;
    enum { JOBS = 200 };
    static leat_job_id ids[JOBS];
    struct fixture *fixture = setup();
    struct leat_job_info info = leat_job_info_default();
    CHECK_OK(leat_type_set_running_max(fixture->engine, fixture->type, 1));
    fixture->answer = leat_pending();
    for (uint32_t i = 0; i < JOBS; i++) {
        ids[i] = submit(fixture, i == 0 ? LEAT_FOREVER : 10 * S, 0);
    }
    run_all(fixture);
    CHECK_EQUAL(fixture->runs, 1);
    pass(fixture, 10 * S);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_dead, JOBS - 1);
    uint32_t gone = 0;
    for (uint32_t i = 1; i < JOBS; i++) {
        CHECK_OK(leat_release(fixture->engine, ids[i]));
    }
    run_all(fixture);
    test_engine_check(fixture->engine);
    for (uint32_t i = 1; i < JOBS; i++) {
        gone += leat_get(fixture->engine, ids[i], &info) == LEAT_GONE;
    }
    CHECK(gone >= JOBS - 1 - 64); /* dead letters */
    teardown(fixture);
}

/* ---- how it ends ---------------------------------------------------------------------------- */

/* Dead letters keep their payload, and the last ones are there without having been kept. */
static void
dead_letters(void **state)
{
    (void)state;
    enum { DEAD = 64, MORE = 5 };
    static unsigned char payload[4000];
    struct fixture *fixture = setup();
    struct leat_job_options options = leat_job_options_default();
    struct leat_job job = leat_job_default();
    leat_job_id ids[DEAD + MORE];
    memset(payload, 7, sizeof(payload));
    options.expires_in_ns = S;
    job.type = fixture->type;
    job.options = &options;
    job.payload = payload;
    job.payload_bytes = sizeof(payload);
    uint64_t none = test_memory_blocks(&fixture->memory);
    for (uint32_t i = 0; i < DEAD + MORE; i++) {
        CHECK_OK(leat_submit(fixture->engine, &job, &ids[i]));
    }
    pass(fixture, S);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_dead, DEAD + MORE);
    /* Each: the payload, and what it has of its own. */
    CHECK_EQUAL(test_memory_blocks(&fixture->memory), none + (uint64_t)(3 * (DEAD + MORE)));
    run_all(fixture);
    test_engine_check(fixture->engine);
    CHECK_EQUAL(test_statistics(fixture->engine).dead_dropped, MORE);
    CHECK_EQUAL(test_memory_blocks(&fixture->memory), none + (uint64_t)(3 * DEAD));
    for (uint32_t i = MORE; i < DEAD + MORE; i++) {
        check_expired(fixture, ids[i]);
        CHECK_EQUAL(fixture->info.payload_bytes, sizeof(payload));
        uint32_t index = (uint32_t)(ids[i].bits & LEAT_INDEX_NONE);
        const struct leat_job_record *record = leat_job_record(fixture->engine, index);
        CHECK_EQUAL(leat_payload_place(record), LEAT_PAYLOAD_HEAP);
        CHECK_EQUAL(memcmp(record->payload.pointer, payload, sizeof(payload)), 0);
    }
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
        cmocka_unit_test(at_its_moment),
        cmocka_unit_test(once_in_a_second),
        cmocka_unit_test(nothing_expires),
        cmocka_unit_test(in_steps),
        cmocka_unit_test(wherever_they_wait),
        cmocka_unit_test(its_end_is_told),
        cmocka_unit_test(while_one_is_submitted),
        cmocka_unit_test(their_records_leave_the_wheel),
        cmocka_unit_test(retries_and_changes),
        cmocka_unit_test(in_a_paused_queue),
        cmocka_unit_test(in_the_list_of_a_type),
        cmocka_unit_test(behind_a_cap),
        cmocka_unit_test(in_a_paused_queue_of_workers),
        cmocka_unit_test(dead_letters),
        cmocka_unit_test(expires_while_it_runs),
        cmocka_unit_test(cancelled_before),
        cmocka_unit_test(by_the_systems_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
