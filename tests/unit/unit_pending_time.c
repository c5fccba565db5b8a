/* unit_pending_time.c - attempts that are pending for a time: leat_pending_for() and
 * leat_pending_extend(), by a clock that the test moves, so each is right to one tick: below, at
 * and above it. What an attempt comes to whose time is over, and that nobody completes it any more;
 * that a completion takes the timer off, whatever it says; cancels, stops, records that come back.
 * Holds I1 and I2 of engine/pending.h. Most engines here have no workers: what is due then runs in
 * the test's own thread. */
#include <string.h>

#include "engine/engine_internal.h"
#include "sched/wheel_internal.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory.h"
#include "tests/support/threads.h"

#define MS   UINT64_C(1000000)
#define S    (1000 * MS)
#define YEAR (UINT64_C(366) * 86400 * S)
#define TICK (UINT64_C(1) << 20)

enum { ATTEMPTS = 3 };

struct fixture {
    struct test_clock clock;
    struct test_memory memory;
    struct leat_engine *engine;
    uint64_t start_ns; /* of the wheels */
    leat_type type;
    leat_job_id id;
    struct leat_outcome answer; /* of every run */
    leat_atomic_u32 runs;
    leat_token tokens[LEAT_TIMERS_OFF + 1]; /* by run */
    const struct leat_outcome *inside;
    enum leat_status extended_inside;
    struct leat_job_info info;
};

static struct leat_outcome
run(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    uint32_t number = atom_load_rlx(&fixture->runs) + 1;
    leat_token token = leat_run_token(run);
    fixture->tokens[number % TEST_COUNT_OF(fixture->tokens)] = token;
    CHECK_OK(leat_run_error(run, "of the handler"));
    fixture->extended_inside = leat_pending_extend(fixture->engine, token, S);
    if (fixture->inside != NULL) {
        CHECK_OK(leat_complete(fixture->engine, token, *fixture->inside, NULL));
        CHECK_STATUS(leat_pending_extend(fixture->engine, token, S), LEAT_STALE);
    }
    /* What the handler wrote is there once the count is seen. */
    (void)atom_add_acq_rel(&fixture->runs, 1);
    return fixture->answer;
}

static struct fixture *
setup_with(uint32_t workers, uint32_t tick_log2, uint64_t retry_ns)
{
    static struct fixture fixture;
    struct leat_config config = test_config();
    struct leat_type_options options = leat_type_options_default();
    const struct leat_retry_policy policy = leat_retry_fixed(retry_ns);
    memset(&fixture, 0, sizeof(fixture));
    test_clock_init(&fixture.clock);
    test_memory_init(&fixture.memory);
    config.workers = workers;
    config.jobs_max = 256;
    config.retained_max = 0;
    config.timer_tick_log2 = tick_log2;
    config.clock = test_clock_of(&fixture.clock);
    config.allocator = test_memory_allocator(&fixture.memory);
    fixture.engine = test_start(&config);
    fixture.start_ns = fixture.engine->timers.wheels.start_ns;
    options.max_attempts = ATTEMPTS;
    options.retry = &policy;
    options.timeout_ns = 0;
    CHECK_OK(leat_type_register(fixture.engine, "t", run, &fixture, &options, &fixture.type));
    fixture.answer = leat_pending_for(S);
    return &fixture;
}

static struct fixture *
setup(void)
{
    return setup_with(0, 20, 10 * S);
}

static void
teardown(struct fixture *fixture)
{
    test_close(fixture->engine);
    CHECK_EQUAL(test_memory_blocks(&fixture->memory), 0);
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
    return atom_load_rlx(&fixture->runs);
}

/* What the job has come to, borrowed until the next call. */
static const struct leat_job_info *
look(struct fixture *fixture)
{
    fixture->info = test_get(fixture->engine, fixture->id);
    return &fixture->info;
}

static const struct leat_job_info *
pass(struct fixture *fixture, uint64_t ns)
{
    test_clock_pass(&fixture->clock, fixture->engine, ns);
    (void)settle(fixture);
    return look(fixture);
}

/* A kept job whose first attempt has answered. */
static void
begin(struct fixture *fixture, struct leat_outcome answer)
{
    fixture->answer = answer;
    fixture->id = test_submit_kept(fixture->engine, fixture->type);
    CHECK_EQUAL(settle(fixture), 1);
}

static enum leat_status
complete(struct fixture *fixture, uint32_t number, struct leat_outcome outcome)
{
    return leat_complete(fixture->engine, fixture->tokens[number], outcome, NULL);
}

static enum leat_status
extend(struct fixture *fixture, uint32_t number, uint64_t ns)
{
    return leat_pending_extend(fixture->engine, fixture->tokens[number], ns);
}

static uint64_t
next_due(struct fixture *fixture)
{
    uint64_t delay_ns = 0;
    CHECK_OK(leat_next_due(fixture->engine, &delay_ns));
    return delay_ns;
}

static LEAT_COLD uint64_t
timed_out(struct fixture *fixture)
{
    return test_statistics(fixture->engine).jobs_timed_out;
}

/* How long until the first tick that is not before now and so long. */
static uint64_t
until_tick(const struct fixture *fixture, uint64_t ns)
{
    uint64_t now_ns = atom_load_rlx(&fixture->clock.boot);
    uint64_t since_ns = now_ns + ns - fixture->start_ns;
    return (since_ns + TICK - 1) / TICK * TICK + fixture->start_ns - now_ns;
}

/* No record is on a wheel. */
static bool
all_off(void *argument)
{
    const struct fixture *fixture = argument;
    uint64_t left = 0;
    for (uint32_t i = 0; i < fixture->engine->jobs.capacity; i++) {
        left |= atom_load_rlx(&fixture->engine->timers.wheels.words[i]);
    }
    return (left & (LEAT_WHEEL_ARMED | LEAT_WHEEL_INBOX)) == 0;
}

/* Nothing waits for a time: once a worker has come by. */
static void
check_off(struct fixture *fixture)
{
    leat_pool_due(&fixture->engine->pool);
    CHECK_EQUAL(settle(fixture), atom_load_rlx(&fixture->runs));
    CHECK(all_off(fixture));
    CHECK_EQUAL(next_due(fixture), LEAT_FOREVER);
    test_engine_check(fixture->engine);
}

/* ---- times ---------------------------------------------------------------------------------- */

/* Never early, and in the first tick that is not before the time. */
static void
times_are_kept(void **state)
{
    (void)state;
    static const uint64_t times[] = {0,        1,        TICK - 1, TICK,     TICK + 1,
                                     2 * TICK, 10 * MS,  S,        3600 * S, YEAR,
                                     3 * YEAR, 12345678, 90 * S,   86400 * S};
    for (size_t i = 0; i < TEST_COUNT_OF(times); i++) {
        struct fixture *fixture = setup();
        test_clock_pass(&fixture->clock, fixture->engine, i * 333333);
        begin(fixture, leat_pending_for(times[i]));
        uint64_t ends_ns = until_tick(fixture, times[i] == 0 ? 1 : times[i]);
        CHECK_EQUAL(look(fixture)->state, LEAT_JOB_RUNNING);
        CHECK_EQUAL(test_statistics(fixture->engine).jobs_running, 1);
        CHECK(next_due(fixture) <= ends_ns);
        CHECK_EQUAL(pass(fixture, ends_ns - 1)->state, LEAT_JOB_RUNNING);
        CHECK_EQUAL(timed_out(fixture), 0);
        test_engine_check(fixture->engine);
        CHECK_EQUAL(pass(fixture, 1)->state, LEAT_JOB_RETRYING);
        CHECK_EQUAL(timed_out(fixture), 1);
        CHECK_EQUAL(test_statistics(fixture->engine).jobs_running, 0);
        test_engine_check(fixture->engine);
        teardown(fixture);
    }
}

/* As long as the longest delay: 146 years by the clock. */
static void
times_beyond_all_delays(void **state)
{
    (void)state;
    static const uint64_t times[] = {LEAT_FOREVER, LEAT_FOREVER - 1, UINT64_C(1) << 63,
                                     UINT64_C(1) << 62, (UINT64_C(1) << 62) - 1000 * S};
    for (size_t i = 0; i < TEST_COUNT_OF(times); i++) {
        struct fixture *fixture = setup();
        begin(fixture, leat_pending_for(times[i]));
        uint64_t now_ns = atom_load_rlx(&fixture->clock.boot);
        CHECK_EQUAL(pass(fixture, 100 * YEAR)->state, LEAT_JOB_RUNNING);
        uint64_t rest_ns = (UINT64_C(1) << 62) - now_ns - 100 * YEAR;
        CHECK_EQUAL(pass(fixture, rest_ns - 1)->state, LEAT_JOB_RUNNING);
        CHECK_EQUAL(pass(fixture, TICK)->state, LEAT_JOB_RETRYING);
        teardown(fixture);
    }
}

static void
without_a_time(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    begin(fixture, leat_pending());
    CHECK_EQUAL(next_due(fixture), LEAT_FOREVER);
    CHECK_EQUAL(pass(fixture, 200 * YEAR)->state, LEAT_JOB_RUNNING);
    CHECK_OK(complete(fixture, 1, leat_done()));
    check_off(fixture);
    teardown(fixture);
}

/* ---- what becomes of it --------------------------------------------------------------------- */

static void
retried_and_dead(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    begin(fixture, leat_pending_for(S));
    for (uint32_t attempt = 1; attempt <= ATTEMPTS; attempt++) {
        const struct leat_job_info *info = pass(fixture, S - 1);
        CHECK_EQUAL(info->state, LEAT_JOB_RUNNING);
        CHECK_EQUAL(info->attempts, attempt);
        info = pass(fixture, TICK + 1);
        CHECK_EQUAL(timed_out(fixture), attempt);
        CHECK_STATUS(complete(fixture, attempt, leat_done()), LEAT_STALE);
        CHECK_STATUS(complete(fixture, attempt, leat_retry()), LEAT_STALE);
        CHECK_STATUS(extend(fixture, attempt, S), LEAT_STALE);
        CHECK_EQUAL(info->attempts, attempt);
        if (attempt == ATTEMPTS) {
            CHECK_EQUAL(info->state, LEAT_JOB_DEAD);
            CHECK_EQUAL(info->reason, LEAT_REASON_TIMEOUT);
            CHECK_TEXT(info->error, "of the handler");
            break;
        }
        CHECK_EQUAL(info->state, LEAT_JOB_RETRYING);
        CHECK_EQUAL(info->due_in_ns, 10 * S);
        CHECK_EQUAL(pass(fixture, 10 * S - 1)->state, LEAT_JOB_RETRYING);
        CHECK_EQUAL(pass(fixture, TICK + 1)->state, LEAT_JOB_RUNNING);
    }
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_retried, ATTEMPTS - 1);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_dead, 1);
    check_off(fixture);
    CHECK_OK(leat_release(fixture->engine, fixture->id));
    teardown(fixture);
}

static void
begin_with(struct fixture *fixture, const struct leat_retry_policy *policy, uint32_t max_attempts)
{
    struct leat_job_options options = leat_job_options_default();
    struct leat_job job = leat_job_default();
    options.retry = policy;
    job.type = fixture->type;
    job.flags = LEAT_JOB_KEEP_RESULT;
    job.options = &options;
    job.max_attempts = max_attempts;
    CHECK_OK(leat_submit(fixture->engine, &job, &fixture->id));
    CHECK_EQUAL(settle(fixture), 1);
}

/* By the job's own terms, where it has some; also at once. */
static void
retried_by_its_own_terms(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    const struct leat_retry_policy policy = leat_retry_fixed(0);
    begin_with(fixture, &policy, 2);
    CHECK_EQUAL(pass(fixture, S + TICK)->state, LEAT_JOB_RUNNING);
    CHECK_EQUAL(atom_load_rlx(&fixture->runs), 2);
    CHECK_STATUS(complete(fixture, 1, leat_done()), LEAT_STALE);
    CHECK_EQUAL(pass(fixture, S + TICK)->reason, LEAT_REASON_TIMEOUT);
    CHECK_EQUAL(atom_load_rlx(&fixture->runs), 2);
    check_off(fixture);
    teardown(fixture);
}

static uint64_t
never_again(const struct leat_failure *failure, void *context)
{
    (void)context;
    CHECK_EQUAL(failure->attempt, 1);
    CHECK_EQUAL(failure->max_attempts, ATTEMPTS);
    CHECK_TEXT(failure->error, "of the handler");
    return LEAT_FOREVER;
}

static void
the_policy_says_no(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_retry_policy policy = leat_retry_policy_default();
    policy.kind = LEAT_RETRY_FUNCTION;
    policy.function = never_again;
    begin_with(fixture, &policy, 0);
    CHECK_EQUAL(pass(fixture, S + TICK)->reason, LEAT_REASON_FAILED);
    teardown(fixture);
}

/* Its end is like any other: a slot of a completion queue, room in its queue, a drain. */
static void
its_end_is_told(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_completion_queue *completions = NULL;
    struct leat_queue_options options = leat_queue_options_default();
    struct leat_completion item;
    size_t taken = 0;
    struct leat_job job = leat_job_default();
    CHECK_OK(leat_completion_queue_create(fixture->engine, 1, &completions));
    options.waiting_max = 1;
    CHECK_OK(leat_queue_create(fixture->engine, "q", &options, &job.queue));
    job.type = fixture->type;
    job.max_attempts = 1;
    job.completions = completions;
    CHECK_OK(leat_submit(fixture->engine, &job, &fixture->id));
    CHECK_EQUAL(settle(fixture), 1);
    CHECK_STATUS(leat_drain(fixture->engine, 0), LEAT_TIMEOUT);
    test_clock_pass(&fixture->clock, fixture->engine, S + TICK);
    CHECK_OK(leat_drain(fixture->engine, TEST_PATIENCE_NS));
    CHECK_OK(leat_completion_queue_take(completions, &item, 1, &taken));
    CHECK_EQUAL(item.id.bits, fixture->id.bits);
    CHECK_EQUAL(item.state, LEAT_JOB_DEAD);
    CHECK_EQUAL(item.reason, LEAT_REASON_TIMEOUT);
    CHECK_EQUAL(leat_quota_used(&fixture->engine->rooms.queues[job.queue.bits - 1].room.jobs), 0);
    check_off(fixture);
    teardown(fixture);
}

/* ---- completed in time ---------------------------------------------------------------------- */

static void
completed_at_the_last_moment(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    begin(fixture, leat_pending_for(S));
    (void)pass(fixture, until_tick(fixture, S) - 1);
    CHECK_OK(complete(fixture, 1, leat_done()));
    CHECK_EQUAL(look(fixture)->state, LEAT_JOB_COMPLETED);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_running, 0);
    CHECK_STATUS(complete(fixture, 1, leat_done()), LEAT_STALE);
    CHECK_STATUS(extend(fixture, 1, S), LEAT_STALE);
    test_engine_check(fixture->engine);
    CHECK_EQUAL(pass(fixture, 100 * S)->state, LEAT_JOB_COMPLETED);
    CHECK_EQUAL(timed_out(fixture), 0);
    check_off(fixture);
    teardown(fixture);
}

/* The time is over, and nobody has come by yet: then the completion is the first one. */
static void
completed_before_anybody_looked(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    begin(fixture, leat_pending_for(S));
    test_clock_pass(&fixture->clock, fixture->engine, 2 * S);
    CHECK_OK(complete(fixture, 1, leat_done()));
    CHECK_EQUAL(pass(fixture, 0)->state, LEAT_JOB_COMPLETED);
    CHECK_EQUAL(timed_out(fixture), 0);
    check_off(fixture);
    teardown(fixture);
}

/* By each outcome, with the record still on its way to the wheel, and on it. */
static void
every_outcome_takes_the_timer_off(void **state)
{
    (void)state;
    const struct {
        struct leat_outcome outcome;
        enum leat_job_state after;
        uint64_t due_in_ns;
    } cases[] = {
        {leat_done(), LEAT_JOB_COMPLETED, 0},
        {leat_fail(), LEAT_JOB_DEAD, 0},
        {leat_retry_in(0), LEAT_JOB_RUNNING, 0},
        {leat_retry(), LEAT_JOB_RETRYING, 10 * S},
        {leat_retry_in(5 * S), LEAT_JOB_RETRYING, 5 * S},
        {leat_retry_in(MS), LEAT_JOB_RETRYING, MS},
        {leat_snooze(5 * S), LEAT_JOB_SCHEDULED, 5 * S},
        {leat_snooze(MS), LEAT_JOB_SCHEDULED, MS},
    };
    for (size_t i = 0; i < 2 * TEST_COUNT_OF(cases); i++) {
        struct fixture *fixture = setup();
        bool on_it = i % 2 == 1;
        begin(fixture, leat_pending_for(2 * S));
        if (on_it) {
            (void)pass(fixture, S);
        }
        CHECK_OK(complete(fixture, 1, cases[i / 2].outcome));
        CHECK_STATUS(complete(fixture, 1, cases[i / 2].outcome), LEAT_STALE);
        CHECK_STATUS(extend(fixture, 1, S), LEAT_STALE);
        fixture->answer = leat_pending();
        test_engine_check(fixture->engine);
        const struct leat_job_info *info = pass(fixture, 0);
        CHECK_EQUAL(info->state, cases[i / 2].after);
        CHECK_EQUAL(info->due_in_ns, cases[i / 2].due_in_ns);
        test_engine_check(fixture->engine);
        if (info->due_in_ns != 0) {
            CHECK_EQUAL(pass(fixture, info->due_in_ns - 1)->state, info->state);
            CHECK_EQUAL(pass(fixture, TICK + 1)->state, LEAT_JOB_RUNNING);
        }
        if (!leat_phase_final((enum leat_phase)info->state)) {
            CHECK_EQUAL(pass(fixture, 100 * S)->state, LEAT_JOB_RUNNING);
            CHECK_EQUAL(atom_load_rlx(&fixture->runs), 2);
            CHECK_OK(complete(fixture, 2, leat_done()));
        }
        CHECK_EQUAL(timed_out(fixture), 0);
        check_off(fixture);
        teardown(fixture);
    }
}

/* Then the timer is not armed at all. */
static void
completed_before_the_handler_returns(void **state)
{
    (void)state;
    const struct leat_outcome outcomes[] = {leat_done(), leat_fail(), leat_retry(), leat_snooze(S)};
    for (size_t i = 0; i < TEST_COUNT_OF(outcomes); i++) {
        struct fixture *fixture = setup();
        fixture->inside = &outcomes[i];
        begin(fixture, leat_pending_for(MS));
        fixture->inside = NULL;
        CHECK_STATUS(fixture->extended_inside, LEAT_WRONG_STATE);
        CHECK_EQUAL(pass(fixture, 100 * MS)->state != LEAT_JOB_RUNNING, true);
        CHECK_EQUAL(timed_out(fixture), 0);
        if (i < 2) {
            CHECK(all_off(fixture));
        }
        teardown(fixture);
    }
}

/* What is to be run again at once does not wait for a tick, however long that is. */
static void
at_once_is_at_once(void **state)
{
    (void)state;
    struct fixture *fixture = setup_with(0, 34, 0);
    begin(fixture, leat_pending_for(S));
    CHECK_OK(complete(fixture, 1, leat_retry_in(0)));
    CHECK_EQUAL(look(fixture)->due_in_ns, 0);
    CHECK_EQUAL(next_due(fixture), 0);
    CHECK_EQUAL(settle(fixture), 2);
    test_clock_pass(&fixture->clock, fixture->engine, UINT64_C(1) << 34);
    CHECK_EQUAL(settle(fixture), 3);
    CHECK_EQUAL(timed_out(fixture), 1);
    CHECK_STATUS(complete(fixture, 2, leat_done()), LEAT_STALE);
    CHECK_OK(complete(fixture, 3, leat_done()));
    check_off(fixture);
    teardown(fixture);
}

/* ---- extending ------------------------------------------------------------------------------ */

static void
extended_to_one_tick(void **state)
{
    (void)state;
    static const uint64_t times[] = {S + 1, S + TICK, 2 * S, 3600 * S, 3 * YEAR};
    for (size_t i = 0; i < TEST_COUNT_OF(times); i++) {
        struct fixture *fixture = setup();
        test_clock_pass(&fixture->clock, fixture->engine, i * 333333);
        begin(fixture, leat_pending_for(S));
        CHECK_EQUAL(pass(fixture, i * 1000)->state, LEAT_JOB_RUNNING);
        CHECK_OK(extend(fixture, 1, times[i]));
        uint64_t ends_ns = until_tick(fixture, times[i]);
        CHECK_EQUAL(pass(fixture, times[i] - 1)->state, LEAT_JOB_RUNNING);
        test_engine_check(fixture->engine);
        CHECK_EQUAL(timed_out(fixture), 0);
        CHECK_EQUAL(pass(fixture, ends_ns - times[i] + 1)->state, LEAT_JOB_RETRYING);
        CHECK_STATUS(extend(fixture, 1, times[i]), LEAT_STALE);
        teardown(fixture);
    }
}

/* It never has less time by it, and 0 changes nothing. */
static void
extended_by_less(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    begin(fixture, leat_pending_for(S));
    uint64_t ends_ns = until_tick(fixture, S);
    static const uint64_t times[] = {0, 1, S - 1, S};
    for (size_t i = 0; i < TEST_COUNT_OF(times); i++) {
        CHECK_OK(extend(fixture, 1, times[i]));
    }
    CHECK_EQUAL(pass(fixture, ends_ns - 1)->state, LEAT_JOB_RUNNING);
    CHECK_OK(extend(fixture, 1, 0));
    CHECK_EQUAL(pass(fixture, 1)->state, LEAT_JOB_RETRYING);
    teardown(fixture);
}

static void
a_heartbeat(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    begin(fixture, leat_pending_for(S));
    for (uint32_t i = 0; i < 100; i++) {
        CHECK_EQUAL(pass(fixture, S / 2)->state, LEAT_JOB_RUNNING);
        CHECK_OK(extend(fixture, 1, S));
        test_engine_check(fixture->engine);
    }
    CHECK_EQUAL(pass(fixture, S - 1)->state, LEAT_JOB_RUNNING);
    CHECK_EQUAL(pass(fixture, TICK)->state, LEAT_JOB_RETRYING);
    CHECK_EQUAL(timed_out(fixture), 1);
    teardown(fixture);
}

/* Late, but before anybody has come by. */
static void
extended_before_anybody_looked(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    begin(fixture, leat_pending_for(S));
    test_clock_pass(&fixture->clock, fixture->engine, 2 * S);
    CHECK_OK(extend(fixture, 1, S));
    CHECK_EQUAL(pass(fixture, S - 1)->state, LEAT_JOB_RUNNING);
    CHECK_EQUAL(pass(fixture, TICK)->state, LEAT_JOB_RETRYING);
    teardown(fixture);
}

static void
not_to_be_extended(void **state)
{
    (void)state;
    struct fixture *fixture = setup_with(0, 20, 0);
    begin(fixture, leat_pending());
    leat_token token = fixture->tokens[1];
    CHECK_STATUS(fixture->extended_inside, LEAT_WRONG_STATE);
    CHECK_STATUS(extend(fixture, 1, S), LEAT_WRONG_STATE);
    static const uint64_t wrong[] = {0, 2, 65, 65537, (UINT64_C(1) << 32) + 1, UINT64_MAX};
    for (size_t i = 0; i < TEST_COUNT_OF(wrong); i++) {
        token.attempt = wrong[i];
        CHECK_STATUS(leat_pending_extend(fixture->engine, token, S), LEAT_STALE);
    }
    token.job = 0;
    CHECK_STATUS(leat_pending_extend(fixture->engine, token, S), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_pending_extend(NULL, fixture->tokens[1], S), LEAT_INVALID);
    /* The token of an attempt before, with the same time left. */
    fixture->answer = leat_pending_for(S);
    CHECK_OK(complete(fixture, 1, leat_retry()));
    CHECK_EQUAL(settle(fixture), 2);
    CHECK_OK(complete(fixture, 2, leat_retry()));
    CHECK_EQUAL(settle(fixture), 3);
    CHECK_STATUS(extend(fixture, 1, 2 * S), LEAT_STALE);
    CHECK_STATUS(extend(fixture, 2, 2 * S), LEAT_STALE);
    CHECK_OK(extend(fixture, 3, S));
    CHECK_EQUAL(pass(fixture, S + TICK)->state, LEAT_JOB_DEAD);
    CHECK_OK(leat_release(fixture->engine, fixture->id));
    check_off(fixture);
    teardown(fixture);
}

/* ---- cancel, stop, close -------------------------------------------------------------------- */

static void
cancelled(void **state)
{
    (void)state;
    const struct leat_outcome outcomes[] = {leat_done(), leat_fail(), leat_retry(),
                                            leat_retry_in(0), leat_snooze(S)};
    for (size_t i = 0; i <= TEST_COUNT_OF(outcomes); i++) {
        struct fixture *fixture = setup();
        begin(fixture, leat_pending_for(S));
        CHECK_STATUS(leat_cancel(fixture->engine, fixture->id), LEAT_RUNNING);
        CHECK_EQUAL(pass(fixture, S - 1)->state, LEAT_JOB_RUNNING);
        if (i < TEST_COUNT_OF(outcomes)) {
            CHECK_OK(complete(fixture, 1, outcomes[i]));
        } else {
            (void)pass(fixture, TICK);
        }
        const struct leat_job_info *info = look(fixture);
        CHECK_EQUAL(info->state, i == 0 ? LEAT_JOB_COMPLETED : LEAT_JOB_CANCELLED);
        CHECK_EQUAL(info->reason, LEAT_REASON_NONE);
        CHECK_EQUAL(info->attempts, 1);
        CHECK_EQUAL(timed_out(fixture), i < TEST_COUNT_OF(outcomes) ? 0 : 1);
        check_off(fixture);
        teardown(fixture);
    }
}

/* What waits for its next attempt on the wheel that has its record yet. */
static void
cancelled_on_its_way(void **state)
{
    (void)state;
    const struct leat_outcome outcomes[] = {leat_retry_in(0), leat_retry_in(5 * S),
                                            leat_snooze(5 * S)};
    for (size_t i = 0; i < TEST_COUNT_OF(outcomes); i++) {
        struct fixture *fixture = setup();
        begin(fixture, leat_pending_for(S));
        CHECK_OK(complete(fixture, 1, outcomes[i]));
        CHECK_OK(leat_cancel(fixture->engine, fixture->id));
        test_engine_check(fixture->engine);
        CHECK_EQUAL(pass(fixture, 10 * S)->state, LEAT_JOB_CANCELLED);
        CHECK_EQUAL(atom_load_rlx(&fixture->runs), 1);
        check_off(fixture);
        teardown(fixture);
    }
}

static void
over_a_stop(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    begin(fixture, leat_pending_for(S));
    CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
    test_clock_pass(&fixture->clock, fixture->engine, 2 * S);
    test_engine_check(fixture->engine);
    CHECK_EQUAL(look(fixture)->state, LEAT_JOB_RUNNING);
    CHECK_OK(leat_start(fixture->engine));
    CHECK_EQUAL(pass(fixture, 0)->state, LEAT_JOB_RETRYING);
    CHECK_EQUAL(pass(fixture, 10 * S + TICK)->state, LEAT_JOB_RUNNING);
    CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
    CHECK_OK(extend(fixture, 2, LEAT_FOREVER));
    CHECK_OK(complete(fixture, 2, leat_retry_in(0)));
    test_engine_check(fixture->engine);
    CHECK_OK(leat_start(fixture->engine));
    CHECK_EQUAL(settle(fixture), 3);
    teardown(fixture);
}

static bool
parked(void *argument)
{
    const struct fixture *fixture = argument;
    struct leat_worker_statistics worker = leat_worker_statistics_default();
    CHECK_OK(leat_worker_statistics_get(fixture->engine, 0, &worker));
    return worker.parked;
}

/* Until so many have run, and the worker is done with them. */
static void
await_runs(struct fixture *fixture, uint32_t count)
{
    uint64_t deadline_ns = test_now_ns() + TEST_PATIENCE_NS;
    while (atom_load_acq(&fixture->runs) != count) {
        CHECK(test_now_ns() < deadline_ns);
        test_sleep_ns(TEST_MS / 10);
    }
    CHECK(test_until(parked, fixture));
}

/* With a worker, too. */
static void
with_workers(void **state)
{
    (void)state;
    struct fixture *fixture = setup_with(1, 20, 0);
    fixture->answer = leat_pending_for(S);
    fixture->id = test_submit_kept(fixture->engine, fixture->type);
    for (uint32_t i = 1; i <= ATTEMPTS; i++) {
        await_runs(fixture, i);
        test_clock_pass(&fixture->clock, fixture->engine, S + TICK);
    }
    CHECK_OK(leat_drain(fixture->engine, TEST_PATIENCE_NS));
    CHECK_EQUAL(test_wait(fixture->engine, fixture->id).reason, LEAT_REASON_TIMEOUT);
    teardown(fixture);
}

/* ---- records -------------------------------------------------------------------------------- */

/* Many more than there are records, each completed long before its time: they come back. */
static void
records_come_back(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    fixture->answer = leat_pending_for(3600 * S);
    for (uint32_t i = 1; i <= 3000; i++) {
        (void)test_submit(fixture->engine, fixture->type);
        CHECK_EQUAL(settle(fixture), i);
        CHECK_OK(complete(fixture, i % TEST_COUNT_OF(fixture->tokens), leat_done()));
    }
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_completed, 3000);
    check_off(fixture);
    teardown(fixture);
}

/* By a clock that stands still, and workers that sleep: told of so many records that are to come
 * off a wheel, and not of fewer. */
static void
workers_are_told_of_records(void **state)
{
    (void)state;
    struct fixture *fixture = setup_with(1, 20, 0);
    fixture->answer = leat_pending_for(3600 * S);
    for (uint32_t i = 0; i < LEAT_TIMERS_OFF; i++) {
        (void)test_submit(fixture->engine, fixture->type);
    }
    await_runs(fixture, LEAT_TIMERS_OFF);
    for (uint32_t i = 1; i <= LEAT_TIMERS_OFF; i++) {
        CHECK(!all_off(fixture));
        CHECK_OK(complete(fixture, i, leat_done()));
    }
    CHECK(test_until(all_off, fixture));
    teardown(fixture);
}

/* And of a job that is to be run again. */
static void
workers_are_told_of_jobs(void **state)
{
    (void)state;
    struct fixture *fixture = setup_with(1, 20, 0);
    fixture->answer = leat_pending_for(3600 * S);
    fixture->id = test_submit_kept(fixture->engine, fixture->type);
    for (uint32_t i = 1; i <= ATTEMPTS; i++) {
        await_runs(fixture, i);
        CHECK_OK(complete(fixture, i, leat_retry_in(0)));
    }
    CHECK_EQUAL(look(fixture)->reason, LEAT_REASON_ATTEMPTS);
    teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_kept),
        cmocka_unit_test(times_beyond_all_delays),
        cmocka_unit_test(without_a_time),
        cmocka_unit_test(retried_and_dead),
        cmocka_unit_test(retried_by_its_own_terms),
        cmocka_unit_test(the_policy_says_no),
        cmocka_unit_test(its_end_is_told),
        cmocka_unit_test(completed_at_the_last_moment),
        cmocka_unit_test(completed_before_anybody_looked),
        cmocka_unit_test(every_outcome_takes_the_timer_off),
        cmocka_unit_test(completed_before_the_handler_returns),
        cmocka_unit_test(at_once_is_at_once),
        cmocka_unit_test(extended_to_one_tick),
        cmocka_unit_test(extended_by_less),
        cmocka_unit_test(a_heartbeat),
        cmocka_unit_test(extended_before_anybody_looked),
        cmocka_unit_test(not_to_be_extended),
        cmocka_unit_test(cancelled),
        cmocka_unit_test(cancelled_on_its_way),
        cmocka_unit_test(over_a_stop),
        cmocka_unit_test(with_workers),
        cmocka_unit_test(records_come_back),
        cmocka_unit_test(workers_are_told_of_records),
        cmocka_unit_test(workers_are_told_of_jobs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
