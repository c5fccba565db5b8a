/* unit_waits_clock.c - leases, attempts that are pending for a time, retries and snoozes, by the
 * clock that each goes by (docs/design/0016), which is BOOT for all of them: where the wall clock
 * is set back or ahead, once or to and fro, nothing comes earlier or later; a suspend of the
 * machine counts, also where it is all of the time. To one tick. Delays, times of day and rates:
 * unit_delay, unit_rates; how long a handler has run, in which a suspend does not count:
 * unit_retry; schedules: unit_schedule_clock. */
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/pull.h"

#define WAIT_NS (100 * S)
#define DAY_NS  (86400 * S)

struct fixture {
    struct pull *pull;
    struct leat_outcome answer; /* of a handler's first run */
    leat_type type;
    leat_job_id id;
    leat_token token;
    uint32_t runs;
};

static struct leat_outcome
handler(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    fixture->token = leat_run_token(run);
    return ++fixture->runs == 1 ? fixture->answer : leat_done();
}

/* A machine that was suspended before, so that no two clocks say the same. */
static struct fixture *
setup(void)
{
    static struct fixture fixture;
    struct leat_type_options options = leat_type_options_default();
    const struct leat_retry_policy policy = leat_retry_fixed(WAIT_NS);
    fixture = (struct fixture){.pull = pull_setup()};
    test_clock_suspend(&fixture.pull->clock, fixture.pull->engine, 1000 * S);
    pull_settle(fixture.pull);
    options.retry = &policy;
    options.max_attempts = PULL_ATTEMPTS;
    options.timeout_ns = 0;
    CHECK_OK(
        leat_type_register(fixture.pull->engine, "t", handler, &fixture, &options, &fixture.type));
    return &fixture;
}

/* ---- what waits ------------------------------------------------------------------------------ */

/* Waits for WAIT_NS from begin() on; then over() holds, and not before. */
struct wait {
    const char *name;
    void (*begin)(struct fixture *fixture);
    bool (*over)(struct fixture *fixture);
};

static enum leat_job_state
state_of(const struct fixture *fixture)
{
    return pull_state(fixture->pull, fixture->id);
}

/* The handler's run has answered. */
static void
answered(struct fixture *fixture, struct leat_outcome answer)
{
    fixture->answer = answer;
    fixture->id = test_submit_kept(fixture->pull->engine, fixture->type);
    pull_settle(fixture->pull);
    CHECK_EQUAL(fixture->runs, 1);
}

static void
leased(struct fixture *fixture, uint64_t ns)
{
    struct leat_reserve_options asks = pull_asks(fixture->pull, 1);
    fixture->id = pull_submit(fixture->pull);
    asks.lease_ns = ns;
    CHECK_OK(
        leat_reserve(fixture->pull->engine, &asks, fixture->pull->leases, &fixture->pull->count));
    CHECK_EQUAL(fixture->pull->count, 1);
    fixture->token = fixture->pull->leases[0].token;
}

static void
begin_lease(struct fixture *fixture)
{
    leased(fixture, WAIT_NS);
}

static void
begin_extended(struct fixture *fixture)
{
    leased(fixture, S);
    CHECK_OK(leat_extend(fixture->pull->engine, fixture->token, WAIT_NS));
}

/* Somebody else may take it: the lease is over. */
static bool
lease_over(struct fixture *fixture)
{
    return state_of(fixture) == LEAT_JOB_PENDING;
}

static void
begin_nack(struct fixture *fixture)
{
    leased(fixture, S);
    CHECK_OK(leat_nack(fixture->pull->engine, fixture->token, WAIT_NS, "not now"));
    CHECK_EQUAL(state_of(fixture), LEAT_JOB_RETRYING);
}

static void
begin_pending(struct fixture *fixture)
{
    answered(fixture, leat_pending_for(WAIT_NS));
}

static void
begin_heartbeat(struct fixture *fixture)
{
    answered(fixture, leat_pending_for(S));
    CHECK_OK(leat_pending_extend(fixture->pull->engine, fixture->token, WAIT_NS));
}

static bool
pending_over(struct fixture *fixture)
{
    return state_of(fixture) == LEAT_JOB_RETRYING;
}

static void
begin_retry(struct fixture *fixture)
{
    answered(fixture, leat_retry());
    CHECK_EQUAL(state_of(fixture), LEAT_JOB_RETRYING);
}

static void
begin_retry_in(struct fixture *fixture)
{
    answered(fixture, leat_retry_in(WAIT_NS));
    CHECK_EQUAL(state_of(fixture), LEAT_JOB_RETRYING);
}

static void
begin_snooze(struct fixture *fixture)
{
    answered(fixture, leat_snooze(WAIT_NS));
    CHECK_EQUAL(state_of(fixture), LEAT_JOB_SCHEDULED);
}

/* Said by who completes it. */
static void
begin_completed(struct fixture *fixture, struct leat_outcome outcome)
{
    answered(fixture, leat_pending());
    CHECK_OK(leat_complete(fixture->pull->engine, fixture->token, outcome, NULL));
}

static void
begin_completed_retry(struct fixture *fixture)
{
    begin_completed(fixture, leat_retry_in(WAIT_NS));
}

static void
begin_completed_snooze(struct fixture *fixture)
{
    begin_completed(fixture, leat_snooze(WAIT_NS));
}

static bool
ran_again(struct fixture *fixture)
{
    return fixture->runs == 2 && state_of(fixture) == LEAT_JOB_COMPLETED;
}

static const struct wait waits[] = {
    {"lease", begin_lease, lease_over},
    {"extended lease", begin_extended, lease_over},
    {"nack", begin_nack, lease_over},
    {"pending", begin_pending, pending_over},
    {"extended pending", begin_heartbeat, pending_over},
    {"retry", begin_retry, ran_again},
    {"retry in", begin_retry_in, ran_again},
    {"snooze", begin_snooze, ran_again},
    {"completed by a retry", begin_completed_retry, ran_again},
    {"completed by a snooze", begin_completed_snooze, ran_again},
};

/* ---- clocks ---------------------------------------------------------------------------------- */

/* What goes on in WAIT_NS less a tick: steps of the wall clock behind the begin and in the middle,
 * and whether the machine was suspended before, or behind that. */
struct course {
    int64_t first_ns;
    int64_t second_ns;
    bool suspended_first;
    bool suspended_second;
};

static void
pass(struct fixture *fixture, bool suspended, uint64_t ns)
{
    struct pull *pull = fixture->pull;
    if (suspended) {
        test_clock_suspend(&pull->clock, pull->engine, ns);
    } else {
        test_clock_pass(&pull->clock, pull->engine, ns);
    }
    pull_settle(pull);
}

static void
step(struct fixture *fixture, int64_t ns)
{
    test_clock_step(&fixture->pull->clock, fixture->pull->engine, ns);
    pull_settle(fixture->pull);
}

static void
goes_by_boot(const struct wait *wait, const struct course *course)
{
    struct fixture *fixture = setup();
    wait->begin(fixture);
    step(fixture, course->first_ns);
    CHECK(!wait->over(fixture));
    pass(fixture, course->suspended_first, WAIT_NS / 2);
    CHECK(!wait->over(fixture));
    step(fixture, course->second_ns);
    CHECK(!wait->over(fixture));
    pass(fixture, course->suspended_second, WAIT_NS / 2 - TICK);
    if (wait->over(fixture)) {
        print_error("%s: too early\n", wait->name);
    }
    CHECK(!wait->over(fixture));
    pass(fixture, course->suspended_second, 3 * TICK);
    if (!wait->over(fixture)) {
        print_error("%s: too late\n", wait->name);
    }
    CHECK(wait->over(fixture));
    pull_teardown(fixture->pull);
}

static void
course_of_all(const struct course *course)
{
    for (size_t i = 0; i < TEST_COUNT_OF(waits); i++) {
        goes_by_boot(&waits[i], course);
    }
}

static void
wall_clock_is_set(void **state)
{
    const int64_t day = (int64_t)DAY_NS;
    const struct course all[] = {{0, 0, false, false},     {-day, 0, false, false},
                                 {day, 0, false, false},   {0, -day, false, false},
                                 {0, day, false, false},   {day, -day, false, false},
                                 {-day, day, false, false}};
    (void)state;
    for (size_t i = 0; i < TEST_COUNT_OF(all); i++) {
        course_of_all(&all[i]);
    }
}

static void
suspends_count(void **state)
{
    const int64_t day = (int64_t)DAY_NS;
    const struct course all[] = {{0, 0, true, true},
                                 {0, 0, true, false},
                                 {0, 0, false, true},
                                 {-day, 0, true, true},
                                 {0, day, true, true}};
    (void)state;
    for (size_t i = 0; i < TEST_COUNT_OF(all); i++) {
        course_of_all(&all[i]);
    }
}

/* A machine that sleeps for long: what was due meanwhile is due now, and once. */
static void
long_suspend(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_COUNT_OF(waits); i++) {
        struct fixture *fixture = setup();
        waits[i].begin(fixture);
        pass(fixture, true, 30 * S);
        CHECK(!waits[i].over(fixture));
        pass(fixture, true, DAY_NS);
        if (waits[i].over != pending_over) {
            CHECK(waits[i].over(fixture));
        } else { /* its time is over, and its next attempt is as long from now as it ever is */
            CHECK(pending_over(fixture) && fixture->runs == 1);
            pass(fixture, false, WAIT_NS + TICK);
            CHECK(ran_again(fixture));
        }
        pull_teardown(fixture->pull);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wall_clock_is_set),
        cmocka_unit_test(suspends_count),
        cmocka_unit_test(long_suspend),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
