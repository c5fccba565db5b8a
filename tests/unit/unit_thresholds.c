/* unit_thresholds.c - thresholds, with clocks that the test moves: raised above the limit and not
 * at it, once, over a fifth below; looked at once in a period; changed while it runs; the age of
 * the oldest job, in pieces where there are many; what a share of failures is compared with; and
 * the line of the log that says so. */
#include "engine/thresholds.h"

#include <string.h>

#include "engine/engine_internal.h"
#include "engine/sights.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/fake_clock.h"

#define S        UINT64_C(1000000000)
#define JOBS_MAX 4096

static uint32_t jobs_max = JOBS_MAX;

struct fixture {
    struct test_clock clock;
    struct leat_engine *engine;
    leat_type type;
    struct leat_event last;
    uint32_t raised[LEAT_THRESHOLDS];
    uint32_t cleared[LEAT_THRESHOLDS];
    char line[256];
    enum leat_log_level level;
};

static void
event_sink(struct leat_engine *engine, const struct leat_event *event, void *context)
{
    (void)engine;
    struct fixture *fixture = context;
    fixture->last = *event;
    fixture->raised[event->threshold] += event->kind == LEAT_EVENT_THRESHOLD_RAISED;
    fixture->cleared[event->threshold] += event->kind == LEAT_EVENT_THRESHOLD_CLEARED;
}

static void
log_sink(struct leat_engine *engine, const struct leat_log_line *line, void *context)
{
    (void)engine;
    struct fixture *fixture = context;
    (void)snprintf(fixture->line, sizeof(fixture->line), "%s", line->text);
    fixture->level = line->level;
}

static struct leat_outcome
by_payload(struct leat_run *run, void *context)
{
    (void)context;
    const char *payload = leat_run_payload(run, NULL);
    if (payload[0] == 'r' && leat_run_attempt(run) == 1) {
        return leat_retry();
    }
    return payload[0] == 'f' ? leat_fail() : leat_done();
}

static struct fixture *
setup(uint32_t dead, uint32_t waiting, uint32_t failures)
{
    static struct fixture fixture;
    struct leat_config config = test_config();
    memset(&fixture, 0, sizeof(fixture));
    test_clock_init(&fixture.clock);
    config.workers = 0;
    config.jobs_max = jobs_max;
    config.event_sink = event_sink;
    config.event_context = &fixture;
    config.event_mask =
        LEAT_EVENT_BIT(LEAT_EVENT_THRESHOLD_RAISED) | LEAT_EVENT_BIT(LEAT_EVENT_THRESHOLD_CLEARED);
    config.log_sink = log_sink;
    config.log_context = &fixture;
    config.threshold_dead = dead;
    config.threshold_waiting = waiting;
    config.threshold_failures = failures;
    config.clock = test_clock_of(&fixture.clock);
    fixture.engine = test_start(&config);
    fixture.type = test_register(fixture.engine, "t", by_payload, NULL);
    return &fixture;
}

static void
submit(struct fixture *fixture, uint32_t count, const char *payload)
{
    for (uint32_t i = 0; i < count; i++) {
        struct leat_job job = leat_job_default();
        job.type = fixture->type;
        job.payload = payload;
        job.payload_bytes = 1;
        CHECK_OK(leat_submit(fixture->engine, &job, NULL));
    }
}

static void
run(struct fixture *fixture, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        CHECK_OK(leat_run_some(fixture->engine, 1, NULL));
    }
}

/* A period goes by. */
static void
look(struct fixture *fixture)
{
    test_clock_pass(&fixture->clock, fixture->engine, 10 * S);
    CHECK_OK(leat_clock_changed(fixture->engine));
}

static void
check(const struct fixture *fixture, enum leat_threshold which, uint32_t raised, uint32_t cleared)
{
    CHECK_EQUAL(fixture->raised[which], raised);
    CHECK_EQUAL(fixture->cleared[which], cleared);
}

static void
waiting_is_raised_once_and_is_over_below(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0, 10, 0);
    look(fixture);
    submit(fixture, 10, "d");
    look(fixture);
    check(fixture, LEAT_THRESHOLD_WAITING, 0, 0);
    submit(fixture, 1, "d");
    look(fixture);
    check(fixture, LEAT_THRESHOLD_WAITING, 1, 0);
    CHECK_EQUAL(fixture->last.value, 11);
    CHECK_EQUAL(fixture->last.limit, 10);
    CHECK_TEXT(fixture->line, "threshold raised: jobs waiting is 11, limit 10");
    CHECK_EQUAL(fixture->level, LEAT_LOG_WARNING);
    look(fixture);
    for (uint32_t i = 0; i < 5; i++) { /* it goes up and down around its limit */
        run(fixture, 2);
        look(fixture);
        submit(fixture, 2, "d");
        look(fixture);
    }
    check(fixture, LEAT_THRESHOLD_WAITING, 1, 0);
    run(fixture, 2); /* 9 */
    look(fixture);
    check(fixture, LEAT_THRESHOLD_WAITING, 1, 0);
    run(fixture, 1); /* 8 */
    look(fixture);
    check(fixture, LEAT_THRESHOLD_WAITING, 1, 1);
    CHECK_EQUAL(fixture->level, LEAT_LOG_INFO);
    submit(fixture, 3, "d");
    look(fixture);
    check(fixture, LEAT_THRESHOLD_WAITING, 2, 1);
    run(fixture, 11);
    test_close(fixture->engine);
}

static void
the_least_limit(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1, 0, 0);
    submit(fixture, 1, "f");
    run(fixture, 1);
    look(fixture);
    check(fixture, LEAT_THRESHOLD_DEAD, 0, 0);
    submit(fixture, 1, "f");
    run(fixture, 1);
    look(fixture);
    check(fixture, LEAT_THRESHOLD_DEAD, 1, 0);
    size_t count = 0;
    CHECK_OK(leat_dead_delete_all(fixture->engine, NULL, &count));
    CHECK_EQUAL(count, 2);
    look(fixture);
    check(fixture, LEAT_THRESHOLD_DEAD, 1, 1);
    test_close(fixture->engine);
}

static void
a_look_comes_once_in_a_period(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0, 1, 0);
    uint64_t delay_ns = 0;
    look(fixture);
    submit(fixture, 5, "d");
    run(fixture, 3);
    CHECK_OK(leat_clock_changed(fixture->engine));
    test_clock_pass(&fixture->clock, fixture->engine, 10 * S - 1);
    CHECK_OK(leat_clock_changed(fixture->engine));
    check(fixture, LEAT_THRESHOLD_WAITING, 0, 0);
    test_clock_pass(&fixture->clock, fixture->engine, 1);
    CHECK_OK(leat_clock_changed(fixture->engine));
    check(fixture, LEAT_THRESHOLD_WAITING, 1, 0);
    run(fixture, 2);
    CHECK_OK(leat_next_due(fixture->engine, &delay_ns));
    CHECK_EQUAL(delay_ns, 10 * S);
    /* What is not looked at any more is over, and wakes nobody. */
    CHECK_OK(leat_knob_change(fixture->engine, "threshold_waiting", "0", NULL));
    CHECK_OK(leat_clock_changed(fixture->engine));
    CHECK_OK(leat_clock_changed(fixture->engine));
    check(fixture, LEAT_THRESHOLD_WAITING, 1, 1);
    CHECK_OK(leat_next_due(fixture->engine, &delay_ns));
    CHECK_EQUAL(delay_ns, LEAT_FOREVER);
    CHECK_OK(leat_knob_change(fixture->engine, "threshold_period_ns", "10ms", NULL));
    CHECK_OK(leat_knob_change(fixture->engine, "threshold_dead", "7", NULL));
    CHECK_OK(leat_clock_changed(fixture->engine));
    CHECK_OK(leat_next_due(fixture->engine, &delay_ns));
    CHECK_EQUAL(delay_ns, 10000000);
    test_close(fixture->engine);
}

/* ---- the oldest ------------------------------------------------------------------------------ */

static struct fixture *
setup_oldest(const char *limit)
{
    struct fixture *fixture = setup(0, 0, 0);
    CHECK_OK(leat_knob_change(fixture->engine, "threshold_oldest_ns", limit, NULL));
    CHECK_OK(leat_clock_changed(fixture->engine));
    return fixture;
}

static void
the_oldest_is_raised_and_is_over_below(void **state)
{
    (void)state;
    struct fixture *fixture = setup_oldest("15s");
    submit(fixture, 100, "d");
    look(fixture); /* first seen, unless they are timed: then 10 s old */
    look(fixture);
    check(fixture, LEAT_THRESHOLD_OLDEST, 0, 0);
    look(fixture); /* seen for 20 s */
    check(fixture, LEAT_THRESHOLD_OLDEST, 1, 0);
    CHECK(fixture->last.value > 15 * S);
    CHECK(fixture->last.value <= 20 * S);
    CHECK_EQUAL(fixture->last.limit, 15 * S);
    CHECK(strncmp(fixture->line, "threshold raised: age of the oldest job waiting, in ns, is 1",
                  strlen("threshold raised: age of the oldest job waiting, in ns, is 1")) == 0);
    CHECK_EQUAL(fixture->level, LEAT_LOG_WARNING);
    run(fixture, 99);
    look(fixture);
    check(fixture, LEAT_THRESHOLD_OLDEST, 1, 0);
    run(fixture, 1);
    submit(fixture, 1, "d"); /* another one in its record: its age is its own */
    look(fixture);
    check(fixture, LEAT_THRESHOLD_OLDEST, 1, 1);
    CHECK_EQUAL(fixture->level, LEAT_LOG_INFO);
    run(fixture, 1);
    test_close(fixture->engine);
}

/* Not at its limit, once in a period, and over as soon as it is not looked at. What is known is
 * short of the truth by up to two steps of sights.h. */
static void
the_oldest_below_at_and_above(void **state)
{
    (void)state;
    const uint64_t step_ns = UINT64_C(1) << LEAT_SIGHT_NS_LOG2;
    struct fixture *fixture = setup_oldest("20s");
    submit(fixture, 1, "d");
    look(fixture);
    look(fixture);
    look(fixture); /* known for 20 s less a step */
    check(fixture, LEAT_THRESHOLD_OLDEST, 0, 0);
    test_clock_pass(&fixture->clock, fixture->engine, 2 * step_ns);
    look(fixture);
    check(fixture, LEAT_THRESHOLD_OLDEST, 1, 0);
    run(fixture, 1);
    submit(fixture, 1, "d");
    CHECK_OK(leat_knob_change(fixture->engine, "threshold_oldest_ns", "12s", NULL));
    CHECK_OK(leat_clock_changed(fixture->engine));
    check(fixture, LEAT_THRESHOLD_OLDEST, 1, 1);
    look(fixture);
    check(fixture, LEAT_THRESHOLD_OLDEST, 1, 1);
    look(fixture);
    check(fixture, LEAT_THRESHOLD_OLDEST, 2, 1);
    run(fixture, 1);
    submit(fixture, 1, "d");
    CHECK_OK(leat_clock_changed(fixture->engine));
    check(fixture, LEAT_THRESHOLD_OLDEST, 2, 1); /* nothing is looked at before its period */
    look(fixture);
    check(fixture, LEAT_THRESHOLD_OLDEST, 2, 2);
    look(fixture); /* 10 s, between 9.6 s and 12 s: not raised */
    check(fixture, LEAT_THRESHOLD_OLDEST, 2, 2);
    look(fixture);
    check(fixture, LEAT_THRESHOLD_OLDEST, 3, 2);
    CHECK_OK(leat_knob_change(fixture->engine, "threshold_oldest_ns", "0", NULL));
    CHECK_OK(leat_clock_changed(fixture->engine));
    check(fixture, LEAT_THRESHOLD_OLDEST, 3, 3);
    run(fixture, 1);
    test_close(fixture->engine);
}

/* A job that is not due does not wait for a worker. */
static void
who_does_not_wait_has_no_age(void **state)
{
    (void)state;
    struct fixture *fixture = setup_oldest("10ms");
    struct leat_job job = leat_job_default();
    job.type = fixture->type;
    job.payload = "d";
    job.payload_bytes = 1;
    job.delay_ns = 1000 * S;
    CHECK_OK(leat_submit(fixture->engine, &job, NULL));
    for (uint32_t i = 0; i < 5; i++) {
        look(fixture);
    }
    check(fixture, LEAT_THRESHOLD_OLDEST, 0, 0);
    CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
    test_close(fixture->engine);
}

/* More jobs than a piece: the pass goes on behind a rest, while the other thresholds keep their
 * period; and only at its end something is said. */
static void
the_oldest_of_many_comes_in_pieces(void **state)
{
    (void)state;
    jobs_max = 3 * LEAT_THRESHOLD_PIECE;
    struct fixture *fixture = setup_oldest("5s");
    jobs_max = JOBS_MAX;
    submit(fixture, 2 * LEAT_THRESHOLD_PIECE + 1, "d");
    for (uint32_t pass = 0; pass < 2; pass++) {
        look(fixture);
        check(fixture, LEAT_THRESHOLD_OLDEST, 0, 0);
        for (uint32_t piece = 1; piece < 3; piece++) {
            check(fixture, LEAT_THRESHOLD_OLDEST, 0, 0);
            CHECK_EQUAL(leat_clocks_next(&fixture->engine->clocks), LEAT_THRESHOLD_REST_NS);
            test_clock_pass(&fixture->clock, fixture->engine, LEAT_THRESHOLD_REST_NS);
            CHECK_OK(leat_clock_changed(fixture->engine));
        }
    }
    check(fixture, LEAT_THRESHOLD_OLDEST, 1, 0);
    CHECK_EQUAL(leat_clocks_next(&fixture->engine->clocks), 10 * S - 2 * LEAT_THRESHOLD_REST_NS);
    CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
    test_close(fixture->engine);
}

/* The oldest one of a pass is the oldest of all its pieces, whichever has it. */
static void
the_oldest_is_in_the_first_piece(void **state)
{
    (void)state;
    jobs_max = 3 * LEAT_THRESHOLD_PIECE;
    struct fixture *fixture = setup_oldest("15s");
    jobs_max = JOBS_MAX;
    submit(fixture, 1, "d");
    for (uint32_t pass = 0; pass < 3; pass++) { /* first seen, for 10 s, for 20 s */
        if (pass == 2) {
            submit(fixture, 2 * LEAT_THRESHOLD_PIECE, "d");
        }
        look(fixture);
        for (uint32_t piece = 1; piece < 3; piece++) {
            test_clock_pass(&fixture->clock, fixture->engine, LEAT_THRESHOLD_REST_NS);
            CHECK_OK(leat_clock_changed(fixture->engine));
        }
        check(fixture, LEAT_THRESHOLD_OLDEST, pass == 2 ? 1 : 0, 0);
    }
    CHECK(fixture->last.value > 15 * S);
    CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
    test_close(fixture->engine);
}

/* ---- failures -------------------------------------------------------------------------------- */

/* A period with so many attempts. */
static void
period(struct fixture *fixture, uint32_t done, uint32_t failed)
{
    size_t count = 0;
    submit(fixture, done, "d");
    submit(fixture, failed, "f");
    run(fixture, done + failed);
    look(fixture);
    CHECK_OK(leat_dead_delete_all(fixture->engine, NULL, &count));
}

static void
failures_above_what_is_usual(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0, 0, 3);
    for (uint32_t i = 0; i < 20; i++) {
        period(fixture, 95 - i % 2, 5 + i % 2);
    }
    check(fixture, LEAT_THRESHOLD_FAILURES, 0, 0);
    period(fixture, 90, 10); /* within three deviations of a hundred */
    check(fixture, LEAT_THRESHOLD_FAILURES, 0, 0);
    period(fixture, 60, 40);
    check(fixture, LEAT_THRESHOLD_FAILURES, 1, 0);
    CHECK_EQUAL(fixture->last.value, 4000);
    CHECK(fixture->last.limit > 600);
    CHECK(fixture->last.limit < 2000);
    period(fixture, 60, 40);
    check(fixture, LEAT_THRESHOLD_FAILURES, 1, 0);
    period(fixture, 15, 0); /* too few: they count with the next ones */
    check(fixture, LEAT_THRESHOLD_FAILURES, 1, 0);
    period(fixture, 80, 5);
    check(fixture, LEAT_THRESHOLD_FAILURES, 1, 1);
    test_close(fixture->engine);
}

/* A retry is an attempt that failed, though its job completes. */
static void
retries_are_failures(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0, 0, 3);
    for (uint32_t i = 0; i < 20; i++) {
        period(fixture, 100, 0);
    }
    check(fixture, LEAT_THRESHOLD_FAILURES, 0, 0);
    submit(fixture, 50, "d");
    submit(fixture, 50, "r");
    run(fixture, 150);
    look(fixture);
    check(fixture, LEAT_THRESHOLD_FAILURES, 1, 0);
    CHECK_EQUAL(fixture->last.value, 50 * 10000 / 150);
    test_close(fixture->engine);
}

/* What lasts becomes usual; one outlier does not. */
static void
what_is_usual_moves(void **state)
{
    (void)state;
    struct leat_baseline baseline = {.periods = 0};
    double limit = 0;
    for (uint32_t i = 0; i < LEAT_BASELINE_PERIODS; i++) {
        leat_baseline_add(&baseline, 3, 1000, i == 0 ? 1000 : 10, &limit);
        CHECK(!baseline.raised);
    }
    baseline = (struct leat_baseline){.periods = 0};
    for (uint32_t i = 0; i < 50; i++) {
        leat_baseline_add(&baseline, 3, 1000, 10, &limit);
    }
    CHECK(baseline.mean > 0.0099);
    CHECK(baseline.mean < 0.0101);
    leat_baseline_add(&baseline, 3, 1000, 1000, &limit);
    CHECK(baseline.raised);
    CHECK(baseline.mean < 0.015);
    leat_baseline_add(&baseline, 3, 1000, 10, &limit);
    CHECK(!baseline.raised);
    uint32_t periods = 0;
    do {
        leat_baseline_add(&baseline, 3, 1000, 300, &limit);
        CHECK(periods > 0 || baseline.raised);
        periods++;
    } while (baseline.raised && periods < 1000);
    CHECK(periods > 5);
    CHECK(periods < 500);
    CHECK(baseline.mean > 0.1); /* not by its spread alone */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waiting_is_raised_once_and_is_over_below),
        cmocka_unit_test(the_least_limit),
        cmocka_unit_test(a_look_comes_once_in_a_period),
        cmocka_unit_test(the_oldest_is_raised_and_is_over_below),
        cmocka_unit_test(the_oldest_below_at_and_above),
        cmocka_unit_test(who_does_not_wait_has_no_age),
        cmocka_unit_test(the_oldest_of_many_comes_in_pieces),
        cmocka_unit_test(the_oldest_is_in_the_first_piece),
        cmocka_unit_test(failures_above_what_is_usual),
        cmocka_unit_test(retries_are_failures),
        cmocka_unit_test(what_is_usual_moves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
