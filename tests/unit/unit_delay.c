/* unit_delay.c - jobs that wait for a time: delays, run-at, snoozes and retries with a delay, by
 * clocks that the test moves, so each is right to one tick. Most engines here have no workers: what
 * is due then runs in the test's own thread. */
#include <pthread.h>
#include <string.h>

#include "engine/engine_internal.h"
#include "ring/os.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/fake_clock.h"
#include "tests/support/threads.h"

#define MS   UINT64_C(1000000)
#define S    (1000 * MS)
#define TICK (UINT64_C(1) << 20)

struct fixture {
    struct test_clock clock;
    struct leat_engine *engine;
    leat_type type;
    struct leat_outcome answer; /* of every attempt but the last */
    uint32_t last;              /* run that answers done */
    leat_atomic_u32 runs;
    uint32_t attempt; /* of the last run */
    leat_token token;
};

static struct leat_outcome
run(struct leat_run *attempt, void *context)
{
    struct fixture *fixture = context;
    uint32_t number = atom_add_acq_rel(&fixture->runs, 1) + 1;
    fixture->attempt = leat_run_attempt(attempt);
    fixture->token = leat_run_token(attempt);
    return number == fixture->last ? leat_done() : fixture->answer;
}

static struct fixture *
setup_with(uint32_t workers, uint32_t jobs_max)
{
    static struct fixture fixture;
    struct leat_config config = test_config();
    memset(&fixture, 0, sizeof(fixture));
    test_clock_init(&fixture.clock);
    config.workers = workers;
    config.jobs_max = jobs_max;
    config.clock = test_clock_of(&fixture.clock);
    fixture.engine = test_start(&config);
    fixture.type = test_register(fixture.engine, "t", run, &fixture);
    fixture.answer = leat_done();
    return &fixture;
}

static struct fixture *
setup(void)
{
    return setup_with(0, 1000);
}

static uint32_t
runs(const struct fixture *fixture)
{
    return atom_load_acq(&fixture->runs);
}

/* What is due runs. Returns how many runs there were in all. */
static uint32_t
settle(struct fixture *fixture)
{
    enum leat_status status = LEAT_OK;
    while (status == LEAT_OK) {
        status = leat_run_some(fixture->engine, 100, NULL);
    }
    CHECK_STATUS(status, LEAT_EMPTY);
    return runs(fixture);
}

static void
pass(struct fixture *fixture, uint64_t ns)
{
    test_clock_pass(&fixture->clock, fixture->engine, ns);
}

static leat_job_id
submit(struct fixture *fixture, uint64_t delay_ns, uint64_t run_at_ns)
{
    struct leat_job job = leat_job_default();
    struct leat_job_options options = leat_job_options_default();
    leat_job_id id = {0};
    job.type = fixture->type;
    job.flags = LEAT_JOB_KEEP_RESULT;
    job.delay_ns = delay_ns;
    options.run_at_ns = run_at_ns;
    job.options = run_at_ns == 0 ? NULL : &options;
    CHECK_OK(leat_submit(fixture->engine, &job, &id));
    return id;
}

static uint64_t
next_due(struct fixture *fixture)
{
    uint64_t delay_ns = 0;
    CHECK_OK(leat_next_due(fixture->engine, &delay_ns));
    return delay_ns;
}

/* Goes on until the job has run, by the times that the engine asks for; at most so long. Returns
 * how long it took. */
static uint64_t
until_run(struct fixture *fixture, uint64_t most_ns)
{
    uint32_t before = settle(fixture);
    uint64_t passed_ns = 0;
    while (settle(fixture) == before) {
        uint64_t next_ns = next_due(fixture);
        CHECK(next_ns != 0);
        CHECK(passed_ns + next_ns <= most_ns);
        pass(fixture, next_ns);
        passed_ns += next_ns;
    }
    return passed_ns;
}

/* ---- delays ---------------------------------------------------------------------------------- */

static void
check_counts(struct fixture *fixture, uint64_t scheduled)
{
    const struct leat_statistics sum = test_statistics(fixture->engine);
    CHECK_EQUAL(sum.jobs_scheduled, scheduled);
    CHECK_EQUAL(sum.jobs_waiting, 0);
}

/* Never early, and in the tick that ends at the time or behind it. */
static void
delays_are_kept(void **state)
{
    (void)state;
    static const uint64_t delays[] = {
        1,        TICK - 1,  TICK, TICK + 1, 10 * MS,  S,        60 * S,
        3600 * S, 86400 * S, 1,    90 * S,   12345678, 1000 * S, UINT64_C(366) * 86400 * S};
    for (size_t i = 0; i < TEST_COUNT_OF(delays); i++) {
        struct fixture *fixture = setup();
        pass(fixture, i * 333333);
        leat_job_id id = submit(fixture, delays[i], 0);
        struct leat_job_info info = test_get(fixture->engine, id);
        CHECK_EQUAL(info.state, LEAT_JOB_SCHEDULED);
        CHECK_EQUAL(info.due_in_ns, delays[i]);
        check_counts(fixture, 1);
        pass(fixture, delays[i] - 1);
        CHECK_EQUAL(settle(fixture), 0);
        CHECK(until_run(fixture, 2 * TICK) <= TICK);
        CHECK_EQUAL(test_get(fixture->engine, id).state, LEAT_JOB_COMPLETED);
        check_counts(fixture, 0);
        test_finish(fixture->engine);
    }
}

/* The engine says when to come back, and coming back then is enough. */
static void
next_due_leads_there(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    CHECK_EQUAL(next_due(fixture), LEAT_FOREVER);
    (void)submit(fixture, 10 * S, 0);
    (void)submit(fixture, 3600 * S, 0);
    uint64_t took_ns = until_run(fixture, 11 * S);
    CHECK(took_ns >= 10 * S && took_ns <= 10 * S + TICK);
    took_ns += until_run(fixture, 3600 * S);
    CHECK(took_ns >= 3600 * S && took_ns <= 3600 * S + TICK);
    CHECK_EQUAL(settle(fixture), 2);
    CHECK_EQUAL(next_due(fixture), LEAT_FOREVER);
    test_finish(fixture->engine);
}

/* What never comes does not come, and does no harm. */
static void
delays_without_end(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    leat_job_id id = submit(fixture, LEAT_FOREVER, 0);
    (void)submit(fixture, LEAT_FOREVER - 1, 0);
    (void)submit(fixture, 0, UINT64_MAX);
    pass(fixture, UINT64_C(3000) * 86400 * S);
    CHECK_EQUAL(settle(fixture), 0);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_scheduled, 3);
    CHECK_OK(leat_cancel(fixture->engine, id));
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_scheduled, 2);
    /* A drain waits for none of them. */
    test_finish(fixture->engine);
}

static void
suspend_counts(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    (void)submit(fixture, 3600 * S, 0);
    test_clock_suspend(&fixture->clock, fixture->engine, 3600 * S - TICK);
    CHECK_EQUAL(settle(fixture), 0);
    test_clock_suspend(&fixture->clock, fixture->engine, 2 * TICK);
    CHECK_EQUAL(settle(fixture), 1);
    test_finish(fixture->engine);
}

/* ---- a time of day --------------------------------------------------------------------------- */

static uint64_t
wall(const struct fixture *fixture)
{
    return atom_load_acq(&fixture->clock.wall);
}

static void
run_at_past_is_now(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    (void)submit(fixture, 0, 1);
    (void)submit(fixture, 0, wall(fixture));
    CHECK_EQUAL(settle(fixture), 2);
    leat_job_id id = submit(fixture, 0, wall(fixture) + 5 * S);
    CHECK_EQUAL(test_get(fixture->engine, id).due_in_ns, 5 * S);
    pass(fixture, 5 * S - 1);
    CHECK_EQUAL(settle(fixture), 2);
    pass(fixture, 1 + TICK);
    CHECK_EQUAL(settle(fixture), 3);
    test_finish(fixture->engine);
}

/* The clock is set back by an hour, and it runs an hour later; ahead, and it runs at once. Delays
 * do not care. */
static void
wall_clock_is_set(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    (void)submit(fixture, 0, wall(fixture) + 100 * S);
    (void)submit(fixture, 100 * S, 0);
    test_clock_step(&fixture->clock, fixture->engine, -(int64_t)(3600 * S));
    pass(fixture, 100 * S + TICK);
    CHECK_EQUAL(settle(fixture), 1);
    pass(fixture, 3600 * S - 2 * TICK);
    CHECK_EQUAL(settle(fixture), 1);
    pass(fixture, 2 * TICK);
    CHECK_EQUAL(settle(fixture), 2);

    (void)submit(fixture, 0, wall(fixture) + 100 * S);
    (void)submit(fixture, 100 * S, 0);
    test_clock_step(&fixture->clock, fixture->engine, (int64_t)(99 * S));
    CHECK_EQUAL(settle(fixture), 2);
    test_clock_step(&fixture->clock, fixture->engine, (int64_t)(2 * S));
    pass(fixture, TICK);
    CHECK_EQUAL(settle(fixture), 3);
    pass(fixture, 100 * S);
    CHECK_EQUAL(settle(fixture), 4);
    test_finish(fixture->engine);
}

/* A wall clock that another thread sets ahead, and tells of, right behind the look at it by which a
 * job is about to be armed. */
struct setter {
    struct test_clock clock;
    struct leat_engine *engine;
    uint32_t looks; /* that are left before; 0: never */
};

static void *
setter_run(void *argument)
{
    struct setter *setter = argument;
    test_clock_step(&setter->clock, setter->engine, (int64_t)(3600 * S));
    return NULL;
}

static uint64_t
setter_now(enum leat_clock_kind kind, void *context)
{
    struct setter *setter = context;
    struct leat_clock clock = test_clock_of(&setter->clock);
    uint64_t now_ns = clock.now(kind, clock.context);
    if (kind == LEAT_CLOCK_WALL && setter->looks != 0 && --setter->looks == 0) {
        pthread_t thread;
        CHECK_EQUAL(pthread_create(&thread, NULL, setter_run, setter), 0);
        CHECK_EQUAL(pthread_join(thread, NULL), 0);
    }
    return now_ns;
}

static void
wall_clock_is_set_meanwhile(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    test_finish(fixture->engine);
    struct setter setter = {.looks = 0};
    struct leat_config config = test_config();
    test_clock_init(&setter.clock);
    config.workers = 0;
    config.clock = (struct leat_clock){setter_now, &setter};
    fixture->engine = test_start(&config);
    setter.engine = fixture->engine;
    fixture->type = test_register(fixture->engine, "t", run, fixture);
    setter.looks = 2; /* one for whether it is due at once */
    (void)submit(fixture, 0, atom_load_acq(&setter.clock.wall) + 3600 * S);
    CHECK_EQUAL(setter.looks, 0);
    test_clock_pass(&setter.clock, fixture->engine, 2 * TICK);
    CHECK_EQUAL(settle(fixture), 1);
    test_finish(fixture->engine);
}

/* A clock that goes slower than the other by little, so that it is never taken for set: not early
 * all the same. */
static void
wall_clock_is_slow(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    uint64_t at_ns = wall(fixture) + 100 * MS;
    (void)submit(fixture, 0, at_ns);
    while (settle(fixture) == 0) {
        (void)atom_add_acq_rel(&fixture->clock.boot, MS);
        (void)atom_add_acq_rel(&fixture->clock.wall, MS - MS / 200);
        CHECK_OK(leat_clock_changed(fixture->engine));
        CHECK(wall(fixture) < at_ns + 3 * TICK);
    }
    CHECK(wall(fixture) >= at_ns);
    test_finish(fixture->engine);
}

/* ---- snoozes and retries --------------------------------------------------------------------- */

static void
snooze_uses_up_no_attempt(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    fixture->answer = leat_snooze(7 * S);
    fixture->last = 6;
    leat_job_id id = submit(fixture, 0, 0);
    for (uint32_t i = 1; i < 6; i++) {
        CHECK_EQUAL(settle(fixture), i);
        CHECK_EQUAL(fixture->attempt, 1);
        struct leat_job_info info = test_get(fixture->engine, id);
        CHECK_EQUAL(info.state, LEAT_JOB_SCHEDULED);
        CHECK_EQUAL(info.attempts, 0);
        CHECK_EQUAL(info.due_in_ns, 7 * S);
        uint64_t took_ns = until_run(fixture, 8 * S);
        CHECK(took_ns >= 7 * S && took_ns <= 7 * S + TICK);
    }
    struct leat_job_info info = test_get(fixture->engine, id);
    CHECK_EQUAL(info.state, LEAT_JOB_COMPLETED);
    CHECK_EQUAL(info.attempts, 1);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_retried, 0);
    test_finish(fixture->engine);
}

/* More often than the number of a run has room for. */
static void
snoozes_without_end(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    fixture->answer = leat_snooze(S);
    leat_job_id id = submit(fixture, 0, 0);
    for (uint32_t i = 1; i <= UINT16_MAX + 4; i++) {
        CHECK_EQUAL(settle(fixture), i);
        CHECK_EQUAL(fixture->attempt, 1);
        CHECK_EQUAL(test_get(fixture->engine, id).attempts, 0);
        pass(fixture, S + TICK);
    }
    fixture->answer = leat_retry_in(S);
    CHECK_EQUAL(settle(fixture), UINT16_MAX + 5);
    CHECK_EQUAL(test_get(fixture->engine, id).state, LEAT_JOB_RETRYING);
    CHECK_EQUAL(test_get(fixture->engine, id).attempts, 1);
    fixture->last = UINT16_MAX + 6;
    pass(fixture, S + TICK);
    CHECK_EQUAL(settle(fixture), UINT16_MAX + 6);
    CHECK_EQUAL(test_get(fixture->engine, id).attempts, 2);
    test_finish(fixture->engine);
}

static void
retries_come_when_they_said(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    fixture->answer = leat_retry_in(2 * S);
    leat_job_id id = submit(fixture, S, 0);
    CHECK(until_run(fixture, 2 * S) >= S);
    CHECK_EQUAL(fixture->attempt, 1);
    CHECK_EQUAL(test_get(fixture->engine, id).state, LEAT_JOB_RETRYING);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_retrying, 1);
    CHECK(until_run(fixture, 3 * S) >= 2 * S);
    CHECK_EQUAL(fixture->attempt, 2);
    CHECK(until_run(fixture, 3 * S) >= 2 * S);
    struct leat_job_info info = test_get(fixture->engine, id);
    CHECK_EQUAL(info.state, LEAT_JOB_DEAD);
    CHECK_EQUAL(info.reason, LEAT_REASON_ATTEMPTS);
    CHECK_EQUAL(info.attempts, 3);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_retrying, 0);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_retried, 2);
    test_finish(fixture->engine);
}

/* From elsewhere, with the handler already gone. A token of an attempt that was snoozed is stale,
 * though the next attempt has its number. */
static void
completions_may_delay(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    fixture->answer = leat_pending();
    leat_job_id id = submit(fixture, 0, 0);
    CHECK_EQUAL(settle(fixture), 1);
    leat_token first = fixture->token;
    CHECK_OK(leat_complete(fixture->engine, first, leat_snooze(5 * S), NULL));
    CHECK_EQUAL(test_get(fixture->engine, id).state, LEAT_JOB_SCHEDULED);
    CHECK(until_run(fixture, 6 * S) >= 5 * S);
    CHECK_EQUAL(fixture->attempt, 1);
    CHECK_STATUS(leat_complete(fixture->engine, first, leat_done(), NULL), LEAT_STALE);
    CHECK_OK(leat_complete(fixture->engine, fixture->token, leat_retry_in(3 * S), "later"));
    CHECK_EQUAL(test_get(fixture->engine, id).state, LEAT_JOB_RETRYING);
    CHECK(until_run(fixture, 4 * S) >= 3 * S);
    CHECK_EQUAL(fixture->attempt, 2);
    CHECK_OK(leat_complete(fixture->engine, fixture->token, leat_done(), NULL));
    CHECK_EQUAL(test_get(fixture->engine, id).attempts, 2);
    test_finish(fixture->engine);
}

static struct leat_outcome
complete_inside(struct leat_run *attempt, void *context)
{
    struct fixture *fixture = context;
    uint32_t number = atom_add_acq_rel(&fixture->runs, 1);
    const struct leat_outcome said[] = {leat_snooze(2 * S), leat_retry_in(4 * S), leat_done()};
    CHECK_OK(leat_complete(fixture->engine, leat_run_token(attempt), said[number], NULL));
    return leat_pending();
}

/* And before the handler has answered. */
static void
completions_come_first(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    fixture->type = test_register(fixture->engine, "inside", complete_inside, fixture);
    leat_job_id id = submit(fixture, 0, 0);
    CHECK_EQUAL(settle(fixture), 1);
    CHECK_EQUAL(test_get(fixture->engine, id).state, LEAT_JOB_SCHEDULED);
    uint64_t took_ns = until_run(fixture, 3 * S);
    CHECK(took_ns >= 2 * S && took_ns <= 2 * S + TICK);
    CHECK_EQUAL(test_get(fixture->engine, id).state, LEAT_JOB_RETRYING);
    took_ns = until_run(fixture, 5 * S);
    CHECK(took_ns >= 4 * S && took_ns <= 4 * S + TICK);
    CHECK_EQUAL(test_get(fixture->engine, id).state, LEAT_JOB_COMPLETED);
    CHECK_EQUAL(test_get(fixture->engine, id).attempts, 2);
    test_finish(fixture->engine);
}

/* ---- cancel, stop, limits -------------------------------------------------------------------- */

/* The record is free at once, however far the time is. */
static void
cancelled_at_once(void **state)
{
    (void)state;
    struct fixture *fixture = setup_with(0, 64);
    for (uint32_t round = 0; round < 10; round++) {
        leat_job_id ids[64];
        struct leat_job job = leat_job_default();
        job.type = fixture->type;
        job.delay_ns = 86400 * S;
        for (uint32_t i = 0; i < 64; i++) {
            CHECK_OK(leat_submit(fixture->engine, &job, &ids[i]));
        }
        CHECK_STATUS(leat_submit(fixture->engine, &job, NULL), LEAT_FULL);
        pass(fixture, round % 2 * S); /* from the inbox to a list */
        (void)settle(fixture);
        for (uint32_t i = 0; i < 64; i++) {
            CHECK_OK(leat_cancel(fixture->engine, ids[i]));
        }
        (void)settle(fixture);
    }
    CHECK_EQUAL(runs(fixture), 0);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_scheduled, 0);
    test_finish(fixture->engine);
}

/* The worker has been at the wheels, and sleeps. */
static bool
is_idle(void *argument)
{
    struct fixture *fixture = argument;
    return next_due(fixture) != 0 && test_statistics(fixture->engine).workers_parked == 1;
}

static bool
is_taken_in(void *argument)
{
    struct fixture *fixture = argument;
    struct leat_job job = leat_job_default();
    job.type = fixture->type;
    return leat_submit(fixture->engine, &job, NULL) == LEAT_OK;
}

/* Also with workers that have nothing to do, and nobody who moves the clock. */
static void
cancelled_makes_room(void **state)
{
    (void)state;
    struct fixture *fixture = setup_with(1, 64);
    leat_job_id ids[64];
    for (uint32_t i = 0; i < 64; i++) {
        ids[i] = submit(fixture, 86400 * S, 0);
    }
    pass(fixture, S); /* from the inbox to a list */
    CHECK(test_until(is_idle, fixture));
    for (uint32_t i = 0; i < 64; i++) {
        CHECK_OK(leat_cancel(fixture->engine, ids[i]));
        CHECK_OK(leat_release(fixture->engine, ids[i]));
    }
    CHECK(test_until(is_taken_in, fixture));
    test_finish(fixture->engine);
}

/* Thousands come due at once behind rings of 64 slots, and all run. */
static void
rings_are_full(void **state)
{
    (void)state;
    struct fixture *fixture = setup_with(0, 5000);
    for (uint32_t i = 0; i < 4000; i++) {
        struct leat_job job = leat_job_default();
        job.type = fixture->type;
        job.delay_ns = i < 1000 ? 0 : S + i % 7;
        CHECK_OK(leat_submit(fixture->engine, &job, NULL));
    }
    pass(fixture, 2 * S);
    CHECK_EQUAL(settle(fixture), 4000);
    test_finish(fixture->engine);
}

/* A queue's limit is for what waits for a worker. */
static void
limit_counts_what_is_due(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_queue_options options = leat_queue_options_default();
    struct leat_job job = leat_job_default();
    options.waiting_max = 2;
    job.type = fixture->type;
    CHECK_OK(leat_queue_create(fixture->engine, "small", &options, &job.queue));
    for (uint32_t i = 0; i < 5; i++) {
        job.delay_ns = S;
        CHECK_OK(leat_submit(fixture->engine, &job, NULL));
    }
    job.delay_ns = 0;
    CHECK_OK(leat_submit(fixture->engine, &job, NULL));
    CHECK_OK(leat_submit(fixture->engine, &job, NULL));
    CHECK_STATUS(leat_submit(fixture->engine, &job, NULL), LEAT_FULL);
    pass(fixture, 2 * S);
    CHECK_EQUAL(settle(fixture), 7);
    CHECK_OK(leat_submit(fixture->engine, &job, NULL));
    CHECK_EQUAL(settle(fixture), 8);
    test_finish(fixture->engine);
}

/* What waits survives a stop, and what came due meanwhile runs after the next start. */
static void
stop_keeps_them(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    (void)submit(fixture, S, 0);
    (void)submit(fixture, 10 * S, 0);
    CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_scheduled, 2);
    pass(fixture, 2 * S);
    CHECK_OK(leat_start(fixture->engine));
    CHECK_EQUAL(settle(fixture), 1);
    pass(fixture, 9 * S);
    CHECK_EQUAL(settle(fixture), 2);
    (void)submit(fixture, S, 0);
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_scheduled, 1);
    pass(fixture, 2 * S);
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    CHECK_EQUAL(runs(fixture), 3);
    test_close(fixture->engine);
}

static void
batches_may_delay(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_job jobs[5];
    leat_job_id ids[5];
    for (uint32_t i = 0; i < 5; i++) {
        jobs[i] = leat_job_default();
        jobs[i].type = fixture->type;
        jobs[i].delay_ns = i % 2 * S;
    }
    CHECK_OK(leat_submit_batch(fixture->engine, jobs, 5, LEAT_BATCH_ALL_OR_NONE, ids, NULL));
    CHECK_EQUAL(settle(fixture), 3);
    CHECK_OK(leat_submit_batch(fixture->engine, jobs, 5, LEAT_BATCH_EACH, ids, NULL));
    CHECK_EQUAL(settle(fixture), 6);
    jobs[0].delay_ns = S;
    jobs[2].delay_ns = S;
    jobs[4].delay_ns = S;
    CHECK_OK(leat_submit_batch(fixture->engine, jobs, 5, LEAT_BATCH_ALL_OR_NONE, ids, NULL));
    pass(fixture, 2 * S);
    CHECK_EQUAL(settle(fixture), 15);
    test_finish(fixture->engine);
}

/* ---- workers, and the system's clock --------------------------------------------------------- */

static bool
has_run(void *argument)
{
    return runs(argument) != 0;
}

static void
workers_are_woken(void **state)
{
    (void)state;
    struct fixture *fixture = setup_with(2, 1000);
    (void)submit(fixture, S, 0);
    pass(fixture, S + TICK);
    CHECK(test_until(has_run, fixture));
    test_finish(fixture->engine);
}

static void
system_clock(void **state)
{
    (void)state;
    struct fixture fixture = {.answer = leat_snooze(5 * MS), .last = 3};
    struct leat_config config = test_config();
    config.timer_tick_log2 = 14;
    fixture.engine = test_start(&config);
    fixture.type = test_register(fixture.engine, "t", run, &fixture);
    uint64_t begin_ns = leat_os_monotonic_ns();
    leat_job_id id = submit(&fixture, 20 * MS, 0);
    leat_job_id far = submit(&fixture, 3600 * S, 0);
    struct leat_job_info info = test_wait(fixture.engine, id);
    CHECK_EQUAL(info.state, LEAT_JOB_COMPLETED);
    CHECK(leat_os_monotonic_ns() - begin_ns >= 30 * MS);
    CHECK_EQUAL(test_get(fixture.engine, far).state, LEAT_JOB_SCHEDULED);
    test_finish(fixture.engine);
}

static void
stand(void *gate)
{
    test_gate_wait(gate);
}

/* Beside a worker whose task does not return, whichever of the two it is, what comes due runs: by
 * the clock of the system, not early, and long before anyone's patience ends. */
static void
a_stuck_worker_holds_no_timer(void **state)
{
    (void)state;
    for (uint32_t stuck = 0; stuck < 2; stuck++) {
        struct fixture fixture = {.answer = leat_done()};
        struct leat_config config = test_config();
        struct test_gate gate;
        const struct leat_task task = {stand, &gate};
        test_gate_init(&gate);
        config.workers = 2;
        fixture.engine = test_start(&config);
        fixture.type = test_register(fixture.engine, "t", run, &fixture);
        CHECK_OK(leat_post_to(fixture.engine, stuck, 0, &task));
        test_gate_arrivals(&gate, 1);
        for (uint32_t i = 1; i <= 3; i++) {
            uint64_t begin_ns = leat_os_monotonic_ns();
            leat_job_id id = submit(&fixture, 20 * MS, 0);
            CHECK_EQUAL(test_wait(fixture.engine, id).state, LEAT_JOB_COMPLETED);
            uint64_t took_ns = leat_os_monotonic_ns() - begin_ns;
            CHECK(took_ns >= 20 * MS);
            CHECK(took_ns <= 10 * S);
            CHECK_EQUAL(runs(&fixture), i);
        }
        CHECK_EQUAL(test_statistics(fixture.engine).tasks_run, 1);
        CHECK(!gate.open);
        test_gate_open(&gate);
        test_finish(fixture.engine);
        test_gate_fini(&gate);
    }
}

static void
ticks_have_limits(void **state)
{
    (void)state;
    static const uint32_t good[] = {14, 20, 34};
    static const uint32_t bad[] = {0, 13, 35};
    struct leat_config config = test_config();
    struct leat_error error;
    for (size_t i = 0; i < 3; i++) {
        config.timer_tick_log2 = good[i];
        CHECK_OK(leat_config_check(&config, &error));
        config.timer_tick_log2 = bad[i];
        CHECK_STATUS(leat_config_check(&config, &error), LEAT_INVALID);
        CHECK_TEXT(error.field, "timer_tick_log2");
    }
}

/* As many as there can be look at it, and make it wait. */
static void
a_job_with_all_holds_comes(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    leat_job_id id = submit(fixture, S, 0);
    uint32_t index = 0;
    for (uint32_t i = 0; i < LEAT_HOLDS_TO_COMPLETE; i++) {
        CHECK_OK(leat_job_hold(fixture->engine, id, LEAT_HOLDS_TO_COMPLETE, &index));
    }
    CHECK_STATUS(leat_job_hold(fixture->engine, id, LEAT_HOLDS_TO_COMPLETE, &index), LEAT_BUSY);
    pass(fixture, 2 * S);
    CHECK_EQUAL(settle(fixture), 1);
    for (uint32_t i = 0; i < LEAT_HOLDS_TO_COMPLETE; i++) {
        leat_job_unhold(fixture->engine, index);
    }
    CHECK_EQUAL(test_get(fixture->engine, id).state, LEAT_JOB_COMPLETED);
    test_close(fixture->engine);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(delays_are_kept),
        cmocka_unit_test(next_due_leads_there),
        cmocka_unit_test(delays_without_end),
        cmocka_unit_test(suspend_counts),
        cmocka_unit_test(run_at_past_is_now),
        cmocka_unit_test(wall_clock_is_set),
        cmocka_unit_test(wall_clock_is_slow),
        cmocka_unit_test(wall_clock_is_set_meanwhile),
        cmocka_unit_test(snooze_uses_up_no_attempt),
        cmocka_unit_test(snoozes_without_end),
        cmocka_unit_test(retries_come_when_they_said),
        cmocka_unit_test(completions_may_delay),
        cmocka_unit_test(completions_come_first),
        cmocka_unit_test(cancelled_at_once),
        cmocka_unit_test(cancelled_makes_room),
        cmocka_unit_test(rings_are_full),
        cmocka_unit_test(limit_counts_what_is_due),
        cmocka_unit_test(stop_keeps_them),
        cmocka_unit_test(batches_may_delay),
        cmocka_unit_test(workers_are_woken),
        cmocka_unit_test(system_clock),
        cmocka_unit_test(a_stuck_worker_holds_no_timer),
        cmocka_unit_test(ticks_have_limits),
        cmocka_unit_test(a_job_with_all_holds_comes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
