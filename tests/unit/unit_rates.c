/* unit_rates.c - rates of queues and types, exactly, with a lent thread and a clock by hand: which
 * jobs begin when, in their order, at rates from one a day to a million a second; leat_next_due()
 * names the time; a limited type holds up nobody else, and a limited queue no other one; retries
 * count, what is cancelled or paused before it begins does not; a job passes both buckets or none;
 * a cap and a rate hold together; rates change while jobs wait, and go on through a suspend; jobs
 * that were in the ring before the first rate wait as well; levels share a bucket, the urgent one
 * first; bad input changes nothing. */
#include <stdlib.h>

#include "engine/gates.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/fake_clock.h"
#include "tests/support/threads.h"

#define JOBS   4096
#define RING   64
#define SECOND UINT64_C(1000000000)
#define DAY    (86400 * SECOND)
/* A timer's: a tick of its wheel. */
#define LATE_NS (UINT64_C(1) << LEAT_WHEEL_TICK_LOG2_MIN)

enum way { WAY_DONE, WAY_PENDING, WAY_RETRY_ONCE };

struct fixture {
    struct leat_engine *engine;
    struct test_clock clock;
    uint64_t start_ns;
    leat_type type;
    leat_type other;
    leat_queue queue; /* "default" */
    leat_queue second;
    uint32_t runs[JOBS]; /* what ran, in order */
    uint64_t at_ns[JOBS];
    uint32_t count;
    leat_token tokens[JOBS]; /* by number */
    leat_job_id ids[JOBS];
    enum way way;
};

static uint64_t
now(struct fixture *fixture)
{
    return atom_load_rlx(&fixture->clock.boot) - fixture->start_ns;
}

static struct leat_outcome
note(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    const uint32_t *what = leat_run_payload(run, NULL);
    CHECK(fixture->count < JOBS);
    fixture->at_ns[fixture->count] = now(fixture);
    fixture->runs[fixture->count++] = *what;
    fixture->tokens[*what] = leat_run_token(run);
    if (fixture->way == WAY_PENDING) {
        return leat_pending();
    }
    bool again = fixture->way == WAY_RETRY_ONCE && leat_run_attempt(run) == 1;
    return again ? leat_retry_in(0) : leat_done();
}

static struct fixture *
setup(void)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    CHECK(fixture != NULL);
    struct leat_config config = test_config();
    test_clock_init(&fixture->clock);
    config.clock = test_clock_of(&fixture->clock);
    config.jobs_max = JOBS;
    config.workers = 0;
    config.retained_max = 0;
    config.ring_slots = RING;
    fixture->start_ns = atom_load_rlx(&fixture->clock.boot);
    fixture->engine = test_start(&config);
    fixture->type = test_register(fixture->engine, "note", note, fixture);
    fixture->other = test_register(fixture->engine, "other", note, fixture);
    CHECK_OK(leat_queue_find(fixture->engine, "default", &fixture->queue));
    CHECK_OK(leat_queue_create(fixture->engine, "second", NULL, &fixture->second));
    return fixture;
}

static void
teardown(struct fixture *fixture)
{
    test_close(fixture->engine);
    free(fixture);
}

struct where {
    leat_type type;
    leat_queue queue;
    uint32_t priority;
};

static struct where
usual(const struct fixture *fixture)
{
    struct where where = {fixture->type, fixture->queue, LEAT_PRIORITY_OF_QUEUE};
    return where;
}

static void
submit_to(struct fixture *fixture, struct where where, uint32_t first, uint32_t end)
{
    for (uint32_t i = first; i < end; i++) {
        struct leat_job job = leat_job_default();
        job.type = where.type;
        job.queue = where.queue;
        job.priority = where.priority;
        job.payload = &i;
        job.payload_bytes = sizeof(i);
        CHECK_OK(leat_submit(fixture->engine, &job, &fixture->ids[i]));
    }
}

static void
submit(struct fixture *fixture, uint32_t first, uint32_t end)
{
    submit_to(fixture, usual(fixture), first, end);
}

/* Runs what can run now. Returns how many. */
static uint32_t
run_all(struct fixture *fixture)
{
    uint32_t before = fixture->count;
    for (uint32_t i = 0; i < 2 * JOBS && leat_run_some(fixture->engine, 1, NULL) == LEAT_OK; i++) {
    }
    test_engine_check(fixture->engine);
    return fixture->count - before;
}

static uint64_t
next_due(struct fixture *fixture)
{
    uint64_t delay_ns = 0;
    CHECK_OK(leat_next_due(fixture->engine, &delay_ns));
    return delay_ns;
}

static void
pass(struct fixture *fixture, uint64_t ns)
{
    test_clock_pass(&fixture->clock, fixture->engine, ns);
}

/* Goes from one time that is named to the next, up to `end_ns`, running what can run. */
static void
run_until(struct fixture *fixture, uint64_t end_ns)
{
    (void)run_all(fixture);
    for (uint32_t i = 0; i < 10 * JOBS; i++) {
        uint64_t delay_ns = next_due(fixture);
        if (delay_ns > end_ns - now(fixture)) {
            break;
        }
        pass(fixture, delay_ns);
        (void)run_all(fixture);
    }
    pass(fixture, end_ns - now(fixture));
    (void)run_all(fixture);
}

static void
check_order(const struct fixture *fixture, uint32_t count)
{
    CHECK_EQUAL(fixture->count, count);
    for (uint32_t i = 0; i < count; i++) {
        CHECK_EQUAL(fixture->runs[i], i);
    }
}

static void
complete(struct fixture *fixture, uint32_t number)
{
    CHECK_OK(leat_complete(fixture->engine, fixture->tokens[number], leat_done(), NULL));
}

/* No place is kept in a bucket, and no gate has anybody. */
static void
check_empty(struct fixture *fixture)
{
    for (uint32_t i = 0; i < fixture->engine->pool.config.queues; i++) {
        struct leat_queue_words *words = &fixture->engine->pool.queues[i];
        CHECK_EQUAL(leat_bucket_held(atom_load_rlx(&words->bucket.word)), 0);
        CHECK_EQUAL(leat_gate_used(atom_load_rlx(&words->gate.word)), 0);
    }
    CHECK(leat_wheels_check(&fixture->engine->buckets.wheels, stdout));
}

/* ---- when ------------------------------------------------------------------------------------ */

static const struct leat_rate rates[] = {
    {1, DAY, 1},          {1, DAY, 5},         {3, SECOND, 1}, {10, SECOND, 10},
    {1000, SECOND, 1000}, {1000, SECOND, 100}, {100, DAY, 1},
};

static void
set_rate(struct fixture *fixture, bool of_type, struct leat_rate rate)
{
    if (of_type) {
        CHECK_OK(leat_type_set_rate(fixture->engine, fixture->type, rate));
    } else {
        CHECK_OK(leat_queue_set_rate(fixture->engine, fixture->queue, rate));
    }
}

/* As long as jobs wait, each begins when its token is there, and a tick of the timers later. */
static void
each_begins_at_its_time(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 2 * TEST_COUNT_OF(rates); i++) {
        struct fixture *fixture = setup();
        const struct leat_rate rate = rates[i / 2];
        uint32_t count = (uint32_t)rate.burst + 200;
        set_rate(fixture, i % 2 == 0, rate);
        submit(fixture, 0, count);
        run_until(fixture, (300 + rate.burst) * (rate.per_ns / rate.jobs));
        check_order(fixture, count);
        uint64_t sum_ns = 0;
        for (uint32_t n = 0; n < count; n++) {
            uint64_t at_ns = fixture->at_ns[n];
            uint64_t behind = n < rate.burst ? 0 : n - rate.burst + 1;
            uint64_t earliest_ns = (behind * rate.per_ns + rate.jobs - 1) / rate.jobs;
            /* With a burst of one, a late one makes the next ones late. */
            uint64_t late_ns = rate.burst == 1 ? behind * LATE_NS : LATE_NS;
            CHECK(at_ns >= earliest_ns);
            CHECK(at_ns <= earliest_ns + late_ns);
            sum_ns += at_ns;
        }
        CHECK(sum_ns > 0);
        CHECK(next_due(fixture) == LEAT_FOREVER);
        check_empty(fixture);
        teardown(fixture);
    }
}

/* Seven a second for a day, with new jobs all the time: none more, none less. */
static void
a_day_is_exact(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    const uint64_t hours = test_sanitized() ? 4 : 24; /* else it is slow */
    const uint64_t steps = hours * 60 * 12;
    uint64_t all = 0;
    set_rate(fixture, false, leat_rate_of(7, SECOND, 70));
    submit(fixture, 0, 200);
    for (uint64_t step = 0; step <= steps; step++) {
        fixture->count = 0;
        all += run_all(fixture);
        submit(fixture, 0, fixture->count);
        pass(fixture, 5 * SECOND);
    }
    CHECK_EQUAL(all, 70 + 7 * hours * 3600);
    CHECK_OK(leat_queue_set_rate(fixture->engine, fixture->queue, leat_rate_of(0, 0, 0)));
    (void)run_all(fixture);
    check_empty(fixture);
    teardown(fixture);
}

/* A million a second, and ten: more tokens than a timer has ticks. */
static void
fast_rates(void **state)
{
    (void)state;
    static const uint64_t fast[] = {1000000, 10000000};
    for (size_t i = 0; i < TEST_COUNT_OF(fast); i++) {
        struct fixture *fixture = setup();
        set_rate(fixture, i == 0, leat_rate_of(fast[i], SECOND, 100));
        submit(fixture, 0, 3000);
        CHECK_EQUAL(run_all(fixture), 100);
        for (uint64_t step = 1; step <= 10; step++) {
            pass(fixture, 90 * SECOND / fast[i]);
            pass(fixture, 10 * SECOND / fast[i]);
            (void)run_all(fixture);
            CHECK(fixture->count <= 100 + 100 * step);
        }
        run_until(fixture, SECOND);
        check_order(fixture, 3000);
        check_empty(fixture);
        teardown(fixture);
    }
}

static void
a_long_rest_gives_a_burst(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    set_rate(fixture, false, leat_rate_of(10, SECOND, 4));
    pass(fixture, 1000 * DAY);
    submit(fixture, 0, 50);
    CHECK_EQUAL(run_all(fixture), 4);
    test_clock_suspend(&fixture->clock, fixture->engine, SECOND / 5 + LATE_NS);
    CHECK_EQUAL(run_all(fixture), 2); /* it goes on while the machine is suspended */
    test_clock_step(&fixture->clock, fixture->engine, (int64_t)DAY);
    CHECK_EQUAL(run_all(fixture), 0); /* and not by the time of day */
    test_clock_step(&fixture->clock, fixture->engine, -(int64_t)(2 * DAY));
    CHECK_EQUAL(run_all(fixture), 0);
    pass(fixture, DAY);
    CHECK_EQUAL(run_all(fixture), 4);
    run_until(fixture, 1003 * DAY);
    check_order(fixture, 50);
    check_empty(fixture);
    teardown(fixture);
}

/* Three in the ring were let through before there was a rate, and take the tokens that are kept for
 * three behind them. These wait for the next tokens, one by one, not for the third. */
static void
the_first_rate_takes_what_was_kept(void **state)
{
    (void)state;
    static const struct leat_rate rate = {6, SECOND, 3};
    struct fixture *fixture = setup();
    CHECK_OK(leat_type_set_running_max(fixture->engine, fixture->type, 100));
    submit(fixture, 0, 4);
    CHECK_OK(leat_run_some(fixture->engine, 1, NULL));
    set_rate(fixture, true, rate);
    submit(fixture, 4, 7);
    CHECK_EQUAL(run_all(fixture), 3);
    run_until(fixture, SECOND);
    check_order(fixture, 7);
    for (uint32_t i = 4; i < 7; i++) {
        uint64_t earliest_ns = ((i - 3) * SECOND + 5) / 6;
        CHECK(fixture->at_ns[i] >= earliest_ns);
        CHECK(fixture->at_ns[i] <= earliest_ns + LATE_NS);
    }
    check_empty(fixture);
    teardown(fixture);
}

/* ---- others ---------------------------------------------------------------------------------- */

static void
a_limited_type_is_in_nobodys_way(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct where other = usual(fixture);
    other.type = fixture->other;
    set_rate(fixture, true, leat_rate_of(1, SECOND, 2));
    submit(fixture, 0, 1000);
    submit_to(fixture, other, 1000, 1500);
    CHECK_EQUAL(run_all(fixture), 502);
    CHECK_EQUAL(fixture->runs[0], 0);
    CHECK_EQUAL(fixture->runs[1], 1);
    for (uint32_t i = 2; i < 502; i++) {
        CHECK_EQUAL(fixture->runs[i], 998 + i);
    }
    /* New ones of the type go behind those that wait. */
    submit(fixture, 1500, 1510);
    run_until(fixture, 2000 * SECOND);
    CHECK_EQUAL(fixture->count, 1510);
    for (uint32_t i = 502; i < 1500; i++) {
        CHECK_EQUAL(fixture->runs[i], i - 500);
    }
    CHECK_EQUAL(fixture->runs[1509], 1509);
    check_empty(fixture);
    teardown(fixture);
}

static void
other_queues_go_on(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct where second = usual(fixture);
    second.queue = fixture->second;
    set_rate(fixture, false, leat_rate_of(1, DAY, 1));
    submit(fixture, 0, 200);
    submit_to(fixture, second, 200, 300);
    CHECK_EQUAL(run_all(fixture), 101);
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER)); /* does not wait for them */
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_waiting, 199);
    teardown(fixture);
}

/* A job needs a token of both; who finds but one leaves it to the next. */
static void
both_buckets_or_none(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct where other = usual(fixture);
    other.type = fixture->other;
    set_rate(fixture, false, leat_rate_of(1, SECOND, 10));
    set_rate(fixture, true, leat_rate_of(1, SECOND, 3));
    submit(fixture, 0, 20);
    submit_to(fixture, other, 20, 40);
    CHECK_EQUAL(run_all(fixture), 10);
    for (uint32_t i = 0; i < 10; i++) {
        CHECK_EQUAL(fixture->runs[i], i < 3 ? i : 17 + i);
    }
    run_until(fixture, 31 * SECOND);
    CHECK_EQUAL(fixture->count, 40);
    uint32_t next[2] = {0, 20};
    for (uint32_t i = 0; i < 40; i++) {
        CHECK_EQUAL(fixture->runs[i], next[fixture->runs[i] / 20]++);
    }
    for (uint32_t i = 10; i < 40; i++) {
        CHECK(fixture->at_ns[i] >= (i - 9) * SECOND);
        CHECK(fixture->at_ns[i] <= (i - 9) * SECOND + LATE_NS);
    }
    check_empty(fixture);
    teardown(fixture);
}

static void
levels_share_a_bucket(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct where urgent = usual(fixture);
    urgent.priority = 0;
    set_rate(fixture, false, leat_rate_of(1, SECOND, 1));
    submit(fixture, 0, 5);
    CHECK_EQUAL(run_all(fixture), 1);
    submit_to(fixture, urgent, 5, 10);
    run_until(fixture, 20 * SECOND);
    CHECK_EQUAL(fixture->count, 10);
    for (uint32_t i = 1; i < 10; i++) {
        CHECK_EQUAL(fixture->runs[i], i <= 5 ? 4 + i : i - 5);
    }
    check_empty(fixture);
    teardown(fixture);
}

/* ---- what counts ----------------------------------------------------------------------------- */

static void
retries_count(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    fixture->way = WAY_RETRY_ONCE;
    set_rate(fixture, false, leat_rate_of(1, SECOND, 4));
    submit(fixture, 0, 10);
    CHECK_EQUAL(run_all(fixture), 4);
    run_until(fixture, 100 * SECOND);
    CHECK_EQUAL(fixture->count, 20);
    CHECK(fixture->at_ns[19] >= 16 * SECOND);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_completed, 10);
    check_empty(fixture);
    teardown(fixture);
}

/* Ten are let through, and nine of these are cancelled in the ring: theirs are for others. */
static void
what_is_cancelled_does_not_count(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    set_rate(fixture, false, leat_rate_of(1, DAY, 10));
    submit(fixture, 0, 30);
    CHECK_OK(leat_run_some(fixture->engine, 1, NULL));
    for (uint32_t i = 1; i < 10; i++) {
        CHECK_OK(leat_cancel(fixture->engine, fixture->ids[i]));
    }
    CHECK_EQUAL(run_all(fixture), 9);
    CHECK_EQUAL(fixture->count, 10);
    CHECK_EQUAL(fixture->runs[1], 10);
    CHECK_EQUAL(fixture->runs[9], 18);
    for (uint32_t i = 19; i < 30; i++) {
        CHECK_OK(leat_cancel(fixture->engine, fixture->ids[i]));
    }
    run_until(fixture, 3 * DAY);
    check_empty(fixture);
    teardown(fixture);
}

/* Let through, and turned back by a pause: they count when they begin, and keep their order. */
static void
what_is_paused_does_not_count(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    set_rate(fixture, false, leat_rate_of(1, DAY, 10));
    submit(fixture, 0, 30);
    CHECK_OK(leat_run_some(fixture->engine, 1, NULL));
    CHECK_OK(leat_queue_pause(fixture->engine, fixture->queue));
    CHECK_EQUAL(run_all(fixture), 0);
    check_empty(fixture);
    pass(fixture, SECOND);
    CHECK_OK(leat_queue_resume(fixture->engine, fixture->queue));
    CHECK_EQUAL(run_all(fixture), 9);
    run_until(fixture, 30 * DAY);
    check_order(fixture, 30);
    check_empty(fixture);
    teardown(fixture);
}

/* What is let through and has to wait in the ring does not come as a heap later. */
static void
a_stall_is_not_made_up_for(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    set_rate(fixture, false, leat_rate_of(10, SECOND, 2));
    submit(fixture, 0, 100);
    CHECK_EQUAL(run_all(fixture), 2);
    for (uint32_t i = 0; i < 50; i++) {
        pass(fixture, SECOND / 10); /* nobody takes anything */
    }
    CHECK_EQUAL(run_all(fixture), 2);
    run_until(fixture, DAY);
    check_order(fixture, 100);
    for (uint32_t i = 4; i < 100; i++) {
        CHECK(fixture->at_ns[i] + 2 >= 5 * SECOND + (i - 3) * SECOND / 10);
    }
    teardown(fixture);
}

static void
a_cap_and_a_rate(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    fixture->way = WAY_PENDING;
    set_rate(fixture, false, leat_rate_of(1, SECOND, 3));
    CHECK_OK(leat_queue_set_running_max(fixture->engine, fixture->queue, 2));
    submit(fixture, 0, 10);
    CHECK_EQUAL(run_all(fixture), 2);
    complete(fixture, 0);
    CHECK_EQUAL(run_all(fixture), 1); /* the burst is used up */
    complete(fixture, 1);
    CHECK_EQUAL(run_all(fixture), 0);
    run_until(fixture, DAY);
    CHECK_EQUAL(fixture->count, 4); /* the cap holds */
    for (uint32_t i = 2; i < 10; i++) {
        complete(fixture, i);
        run_until(fixture, DAY * i);
    }
    check_order(fixture, 10);
    check_empty(fixture);
    teardown(fixture);
}

/* ---- changes --------------------------------------------------------------------------------- */

static void
jobs_in_the_ring_wait_too(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 2; i++) {
        struct fixture *fixture = setup();
        submit(fixture, 0, RING + 10);
        set_rate(fixture, i == 0, leat_rate_of(1, SECOND, 3));
        CHECK_EQUAL(run_all(fixture), 3);
        run_until(fixture, DAY);
        check_order(fixture, RING + 10);
        check_empty(fixture);
        teardown(fixture);
    }
}

static void
a_rate_changes_while_jobs_wait(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    set_rate(fixture, false, leat_rate_of(1, 300 * DAY, 1));
    submit(fixture, 0, 40);
    CHECK_EQUAL(run_all(fixture), 1);
    CHECK(next_due(fixture) > 10 * DAY);                  /* as far as its wheel looks ahead */
    set_rate(fixture, false, leat_rate_of(1, SECOND, 2)); /* with no token */
    CHECK_EQUAL(run_all(fixture), 0);
    CHECK(next_due(fixture) <= SECOND + LATE_NS);
    pass(fixture, SECOND + LATE_NS);
    CHECK_EQUAL(run_all(fixture), 1);
    set_rate(fixture, false, leat_rate_of(1, DAY, 2));
    pass(fixture, DAY / 2);
    CHECK_EQUAL(run_all(fixture), 0);
    pass(fixture, DAY / 2 + LATE_NS);
    CHECK_EQUAL(run_all(fixture), 1);
    set_rate(fixture, false, leat_rate_of(0, 0, 0));
    CHECK_EQUAL(run_all(fixture), 37);
    check_order(fixture, 40);
    CHECK(next_due(fixture) == LEAT_FOREVER);
    check_empty(fixture);
    teardown(fixture);
}

/* Ten were let through by the rate before; they wait once more. */
static void
a_lower_rate_turns_back(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    set_rate(fixture, true, leat_rate_of(10, SECOND, 10));
    submit(fixture, 0, 30);
    CHECK_OK(leat_run_some(fixture->engine, 1, NULL));
    set_rate(fixture, true, leat_rate_of(1, SECOND, 2));
    CHECK_EQUAL(run_all(fixture), 2);
    run_until(fixture, 100 * SECOND);
    check_order(fixture, 30);
    for (uint32_t i = 3; i < 30; i++) {
        CHECK(fixture->at_ns[i] + 2 >= (i - 2) * SECOND);
    }
    check_empty(fixture);
    teardown(fixture);
}

/* ---- options and errors ---------------------------------------------------------------------- */

static void
rates_by_options(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_queue_options queue_options = leat_queue_options_default();
    struct leat_type_options type_options = leat_type_options_default();
    struct where where = usual(fixture);
    queue_options.rate = leat_rate_of(5, SECOND, 0);
    type_options.rate = leat_rate_of(4, SECOND, 2);
    CHECK_OK(leat_queue_create(fixture->engine, "five", &queue_options, &where.queue));
    submit_to(fixture, where, 0, 8);
    CHECK_EQUAL(run_all(fixture), 5); /* a burst of 0 is one of `jobs` */
    CHECK_OK(
        leat_type_register(fixture->engine, "four", note, fixture, &type_options, &where.type));
    where.queue = fixture->queue;
    submit_to(fixture, where, 8, 16);
    CHECK_EQUAL(run_all(fixture), 2);
    run_until(fixture, 3 * SECOND);
    CHECK_EQUAL(fixture->count, 16);
    check_empty(fixture);
    teardown(fixture);
}

static void
check_limits(struct fixture *fixture, struct leat_rate rate, enum leat_status status)
{
    struct leat_queue_options queue_options = leat_queue_options_default();
    struct leat_type_options type_options = leat_type_options_default();
    leat_queue queue = {7};
    CHECK_STATUS(leat_queue_set_rate(fixture->engine, fixture->queue, rate), status);
    CHECK_STATUS(leat_type_set_rate(fixture->engine, fixture->type, rate), status);
    if (status != LEAT_OK) {
        queue_options.rate = rate;
        type_options.rate = rate;
        CHECK_STATUS(leat_queue_create(fixture->engine, "x", &queue_options, &queue), status);
        CHECK_STATUS(leat_type_register(fixture->engine, "x", note, NULL, &type_options, NULL),
                     status);
        CHECK_EQUAL(queue.bits, 7);
    }
}

static void
limits(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    const uint64_t jobs = LEAT_RATE_JOBS_MAX;
    const uint64_t per_ns = LEAT_RATE_NS_MAX;
    const uint64_t burst = LEAT_RATE_BURST_MAX;
    check_limits(fixture, leat_rate_of(1, 0, 1), LEAT_INVALID);
    check_limits(fixture, leat_rate_of(2, 1, 1), LEAT_INVALID);
    check_limits(fixture, leat_rate_of(jobs + 1, jobs + 1, 1), LEAT_INVALID);
    check_limits(fixture, leat_rate_of(1, per_ns + 1, 1), LEAT_INVALID);
    check_limits(fixture, leat_rate_of(1, SECOND, burst + 1), LEAT_INVALID);
    check_limits(fixture, leat_rate_of(UINT64_MAX, UINT64_MAX, 1), LEAT_INVALID);
    CHECK(!leat_gates_any(fixture->engine));
    check_limits(fixture, leat_rate_of(1, 1, 1), LEAT_OK);
    check_limits(fixture, leat_rate_of(jobs, jobs, 0), LEAT_OK);
    check_limits(fixture, leat_rate_of(jobs - 1, per_ns, 0), LEAT_OK);
    check_limits(fixture, leat_rate_of(1, per_ns, burst), LEAT_OK);
    check_limits(fixture, leat_rate_of(1, per_ns - 1, burst - 1), LEAT_OK);
    check_limits(fixture, leat_rate_of(jobs, per_ns, burst), LEAT_OK);
    submit(fixture, 0, 300);
    CHECK_EQUAL(run_all(fixture), 1); /* the token of the first rate */
    set_rate(fixture, true, leat_rate_of(0, 0, 0));
    CHECK_EQUAL(run_all(fixture), 0);
    set_rate(fixture, false, leat_rate_of(0, 0, 0));
    set_rate(fixture, false, leat_rate_of(jobs, per_ns, burst));
    CHECK_EQUAL(run_all(fixture), 299);
    check_order(fixture, 300);
    check_empty(fixture);
    teardown(fixture);
}

static void
bad_input(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_engine *engine = fixture->engine;
    const struct leat_rate rate = leat_rate_of(1, SECOND, 1);
    const leat_queue no_queue = {0};
    const leat_queue far_queue = {64 + 1};
    const leat_type no_type = {0};
    const leat_type far_type = {1000};
    CHECK_STATUS(leat_queue_set_rate(NULL, fixture->queue, rate), LEAT_INVALID);
    CHECK_STATUS(leat_queue_set_rate(engine, no_queue, rate), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_queue_set_rate(engine, far_queue, rate), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_type_set_rate(NULL, fixture->type, rate), LEAT_INVALID);
    CHECK_STATUS(leat_type_set_rate(engine, no_type, rate), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_type_set_rate(engine, far_type, rate), LEAT_NOT_FOUND);
    CHECK(!leat_gates_any(engine));
    teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_begins_at_its_time),
        cmocka_unit_test(a_day_is_exact),
        cmocka_unit_test(fast_rates),
        cmocka_unit_test(a_long_rest_gives_a_burst),
        cmocka_unit_test(the_first_rate_takes_what_was_kept),
        cmocka_unit_test(a_limited_type_is_in_nobodys_way),
        cmocka_unit_test(other_queues_go_on),
        cmocka_unit_test(both_buckets_or_none),
        cmocka_unit_test(levels_share_a_bucket),
        cmocka_unit_test(retries_count),
        cmocka_unit_test(what_is_cancelled_does_not_count),
        cmocka_unit_test(what_is_paused_does_not_count),
        cmocka_unit_test(a_stall_is_not_made_up_for),
        cmocka_unit_test(a_cap_and_a_rate),
        cmocka_unit_test(jobs_in_the_ring_wait_too),
        cmocka_unit_test(a_rate_changes_while_jobs_wait),
        cmocka_unit_test(a_lower_rate_turns_back),
        cmocka_unit_test(rates_by_options),
        cmocka_unit_test(limits),
        cmocka_unit_test(bad_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
