/* unit_breaker.c - circuit breakers: opens at its percentage, not below, and not before calls_min,
 * by the last attempts and by those of a time; while open no attempt begins and none is used up;
 * then so many probes as it says; they close it, or one opens it again; those that come to nothing
 * are replaced, at once where the attempt does not begin; attempts that began before it opened
 * close nothing; leat_next_due() knows; other types do not notice. Holds I1 of engine/breaker.h. */
#include "engine/breaker.h"

#include <string.h>

#include "engine/dead.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory.h"

#define S UINT64_C(1000000000)

struct fixture {
    struct test_clock clock;
    struct test_memory memory;
    struct leat_engine *engine;
    leat_type type;
    leat_type other;
    struct leat_outcome answer;
    uint32_t runs;
    leat_token token;
    struct leat_breaker_info info;
    void (*meanwhile)(struct fixture *fixture); /* once, see now() */
    bool locked;
    leat_job_id id;
    leat_token probe;
};

static struct leat_outcome
run(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    fixture->runs++;
    fixture->token = leat_run_token(run);
    return fixture->answer;
}

static struct leat_breaker *
breaker_of(struct fixture *fixture)
{
    return leat_binding_of(fixture->engine, fixture->type.bits - 1)->breaker;
}

static bool
is_locked(struct leat_breaker *breaker)
{
    if (pthread_mutex_trylock(&breaker->mutex) != 0) {
        return true;
    }
    leat_mutex_unlock(&breaker->mutex);
    return false;
}

/* Of the clock. Behind the last ticket something happens once: with the mutex of the breaker, as it
 * is asked first; or without, as it is asked where a token is taken. */
static uint64_t
now(enum leat_clock_kind kind, void *context)
{
    struct fixture *fixture = context;
    const struct leat_clock clock = test_clock_of(&fixture->clock);
    if (fixture->meanwhile != NULL && breaker_of(fixture)->tickets == 0 &&
        is_locked(breaker_of(fixture)) == fixture->locked) {
        void (*meanwhile)(struct fixture *) = fixture->meanwhile;
        fixture->meanwhile = NULL;
        meanwhile(fixture);
    }
    return clock.now(kind, clock.context);
}

static struct fixture *
setup(const struct leat_breaker_options *breaker)
{
    static struct fixture fixture;
    struct leat_config config = test_config();
    struct leat_type_options options = leat_type_options_default();
    memset(&fixture, 0, sizeof(fixture));
    test_clock_init(&fixture.clock);
    test_memory_init(&fixture.memory);
    config.workers = 0;
    config.jobs_max = 256;
    config.retained_max = 0;
    config.dead_max = 0;
    config.quarantine_after = 1;
    config.clock = (struct leat_clock){now, &fixture};
    config.allocator = test_memory_allocator(&fixture.memory);
    fixture.engine = test_start(&config);
    options.breaker = breaker;
    CHECK_OK(leat_type_register(fixture.engine, "t", run, &fixture, &options, &fixture.type));
    fixture.other = test_register(fixture.engine, "other", run, &fixture);
    return &fixture;
}

static void
teardown(struct fixture *fixture)
{
    test_close(fixture->engine);
    CHECK_EQUAL(test_memory_blocks(&fixture->memory), 0);
}

static uint32_t
run_all(struct fixture *fixture)
{
    uint32_t before = fixture->runs;
    while (leat_run_some(fixture->engine, 100, NULL) == LEAT_OK) {
    }
    return fixture->runs - before;
}

/* Submits jobs that come to this, and runs what may run. */
static uint32_t
jobs(struct fixture *fixture, uint32_t count, struct leat_outcome answer)
{
    fixture->answer = answer;
    for (uint32_t i = 0; i < count; i++) {
        (void)test_submit(fixture->engine, fixture->type);
    }
    return run_all(fixture);
}

static const struct leat_breaker_info *
look(struct fixture *fixture)
{
    fixture->info = leat_breaker_info_default();
    CHECK_OK(leat_breaker_get(fixture->engine, fixture->type, &fixture->info));
    return &fixture->info;
}

static struct leat_breaker_options
options_of(uint32_t percent, uint32_t calls_min, uint32_t window, uint32_t probes)
{
    struct leat_breaker_options options = leat_breaker_options_default();
    options.failure_percent = percent;
    options.calls_min = calls_min;
    options.window_calls = window;
    options.probes = probes;
    options.open_ns = 10 * S;
    return options;
}

/* ---- opening -------------------------------------------------------------------------------- */

static void
at_its_percentage(void **state)
{
    (void)state;
    const struct leat_breaker_options options = options_of(30, 10, 10, 1);
    for (uint32_t failures = 0; failures < 6; failures++) {
        struct fixture *fixture = setup(&options);
        CHECK_EQUAL(jobs(fixture, 10 - failures, leat_done()), 10 - failures);
        CHECK_EQUAL(look(fixture)->calls, 10 - failures);
        (void)jobs(fixture, failures, leat_fail());
        bool opens = failures >= 3;
        CHECK_EQUAL(look(fixture)->state, opens ? LEAT_BREAKER_OPEN : LEAT_BREAKER_CLOSED);
        CHECK_EQUAL(fixture->info.openings, opens ? 1 : 0);
        CHECK_EQUAL(fixture->info.open_in_ns, opens ? 10 * S : 0);
        CHECK_EQUAL(fixture->info.failures, opens ? 0 : failures);
        CHECK_EQUAL(jobs(fixture, 1, leat_done()), opens ? 0 : 1);
        teardown(fixture);
    }
}

static void
not_before_calls_min(void **state)
{
    (void)state;
    const struct leat_breaker_options options = options_of(100, 5, 20, 1);
    struct fixture *fixture = setup(&options);
    CHECK_EQUAL(jobs(fixture, 4, leat_fail()), 4);
    CHECK_EQUAL(look(fixture)->state, LEAT_BREAKER_CLOSED);
    CHECK_EQUAL(jobs(fixture, 3, leat_fail()), 1);
    CHECK_EQUAL(look(fixture)->state, LEAT_BREAKER_OPEN);
    teardown(fixture);
}

/* What is further back than the window has gone. */
static void
the_last_calls(void **state)
{
    (void)state;
    const struct leat_breaker_options options = options_of(50, 4, 70, 1);
    struct fixture *fixture = setup(&options);
    for (uint32_t i = 0; i < 10; i++) {
        CHECK_EQUAL(jobs(fixture, 14, leat_done()), 14);
        CHECK_EQUAL(jobs(fixture, 6, leat_fail()), 6);
    }
    CHECK_EQUAL(look(fixture)->calls, 70);
    CHECK_EQUAL(fixture->info.failures, 24);
    CHECK_EQUAL(jobs(fixture, 100, leat_done()), 100);
    CHECK_EQUAL(look(fixture)->failures, 0);
    CHECK_EQUAL(jobs(fixture, 34, leat_fail()), 34);
    CHECK_EQUAL(look(fixture)->state, LEAT_BREAKER_CLOSED);
    CHECK_EQUAL(jobs(fixture, 2, leat_fail()), 1);
    CHECK_EQUAL(look(fixture)->state, LEAT_BREAKER_OPEN);
    teardown(fixture);
}

static void
the_last_time(void **state)
{
    (void)state;
    struct leat_breaker_options options = options_of(50, 4, 0, 1);
    options.window_ns = 8 * S;
    struct fixture *fixture = setup(&options);
    CHECK_EQUAL(jobs(fixture, 3, leat_fail()), 3);
    test_clock_pass(&fixture->clock, fixture->engine, 9 * S);
    CHECK_EQUAL(jobs(fixture, 3, leat_fail()), 3);
    CHECK_EQUAL(look(fixture)->calls, 3);
    test_clock_pass(&fixture->clock, fixture->engine, 9 * S);
    CHECK_EQUAL(look(fixture)->calls, 0); /* though no attempt has ended since */
    CHECK_EQUAL(jobs(fixture, 3, leat_fail()), 3);
    test_clock_pass(&fixture->clock, fixture->engine, 5 * S);
    CHECK_EQUAL(jobs(fixture, 1, leat_fail()), 1);
    CHECK_EQUAL(look(fixture)->state, LEAT_BREAKER_OPEN);
    teardown(fixture);
}

/* ---- open and half open --------------------------------------------------------------------- */

static struct fixture *
opened(const struct leat_breaker_options *options)
{
    struct fixture *fixture = setup(options);
    (void)jobs(fixture, options->calls_min, leat_fail());
    CHECK_EQUAL(look(fixture)->state, LEAT_BREAKER_OPEN);
    fixture->runs = 0;
    return fixture;
}

static void
waits_and_uses_up_nothing(void **state)
{
    (void)state;
    const struct leat_breaker_options options = options_of(50, 4, 8, 1);
    struct fixture *fixture = opened(&options);
    uint64_t delay_ns = 0;
    leat_job_id id = test_submit_kept(fixture->engine, fixture->type);
    CHECK_EQUAL(jobs(fixture, 20, leat_done()), 0);
    CHECK_EQUAL(test_get(fixture->engine, id).state, LEAT_JOB_PENDING);
    CHECK_EQUAL(test_get(fixture->engine, id).attempts, 0);
    (void)test_submit(fixture->engine, fixture->other);
    CHECK_EQUAL(run_all(fixture), 1);
    CHECK_OK(leat_next_due(fixture->engine, &delay_ns));
    CHECK_EQUAL(delay_ns, 10 * S);
    test_clock_pass(&fixture->clock, fixture->engine, 10 * S - 1);
    CHECK_EQUAL(run_all(fixture), 0);
    CHECK_EQUAL(look(fixture)->open_in_ns, 1);
    test_clock_pass(&fixture->clock, fixture->engine, 1);
    CHECK_EQUAL(look(fixture)->state, LEAT_BREAKER_HALF_OPEN);
    CHECK_EQUAL(run_all(fixture), 21);
    CHECK_EQUAL(look(fixture)->state, LEAT_BREAKER_CLOSED);
    CHECK_OK(leat_release(fixture->engine, id));
    teardown(fixture);
}

static void
so_many_probes(void **state)
{
    (void)state;
    for (uint32_t probes = 1; probes < 5; probes++) {
        const struct leat_breaker_options options = options_of(50, 4, 8, probes);
        struct fixture *fixture = opened(&options);
        CHECK_EQUAL(jobs(fixture, 20, leat_pending()), 0);
        test_clock_pass(&fixture->clock, fixture->engine, 10 * S);
        CHECK_EQUAL(run_all(fixture), probes);
        CHECK_EQUAL(look(fixture)->state, LEAT_BREAKER_HALF_OPEN);
        CHECK_EQUAL(run_all(fixture), 0);
        CHECK_OK(leat_complete(fixture->engine, fixture->token, leat_fail(), NULL));
        CHECK_EQUAL(look(fixture)->state, LEAT_BREAKER_OPEN);
        CHECK_EQUAL(fixture->info.openings, 2);
        CHECK_EQUAL(run_all(fixture), 0);
        fixture->answer = leat_done();
        test_clock_pass(&fixture->clock, fixture->engine, 10 * S);
        CHECK_EQUAL(run_all(fixture), 20 - probes);
        CHECK_EQUAL(look(fixture)->state, LEAT_BREAKER_CLOSED);
        teardown(fixture);
    }
}

/* What a probe has come to holds while those that came to nothing are replaced, and no longer. */
static void
successes(void **state)
{
    (void)state;
    const struct leat_breaker_options options = options_of(50, 4, 8, 2);
    for (uint32_t fails = 0; fails < 2; fails++) {
        struct fixture *fixture = opened(&options);
        test_clock_pass(&fixture->clock, fixture->engine, 10 * S);
        CHECK_EQUAL(jobs(fixture, 1, leat_done()), 1);
        CHECK_EQUAL(look(fixture)->state, LEAT_BREAKER_HALF_OPEN);
        CHECK_EQUAL(jobs(fixture, 5, leat_pending()), 1);
        if (fails == 1) {
            CHECK_OK(leat_complete(fixture->engine, fixture->token, leat_fail(), NULL));
            CHECK_EQUAL(look(fixture)->state, LEAT_BREAKER_OPEN);
        }
        test_clock_pass(&fixture->clock, fixture->engine, 10 * S);
        CHECK_EQUAL(run_all(fixture), fails + 1);
        CHECK_EQUAL(run_all(fixture), 0);
        CHECK_OK(leat_complete(fixture->engine, fixture->token, leat_done(), NULL));
        CHECK_EQUAL(look(fixture)->state,
                    fails == 0 ? LEAT_BREAKER_CLOSED : LEAT_BREAKER_HALF_OPEN);
        fixture->answer = leat_done();
        teardown(fixture);
    }
}

static bool
begins(struct fixture *fixture, bool probe)
{
    struct leat_job_record record = {.admitted = LEAT_ADMITTED};
    atom_init(&record.type, (uint16_t)(fixture->type.bits - 1));
    bool may = leat_breaker_begin(fixture->engine, &record);
    CHECK_EQUAL(record.admitted, LEAT_ADMITTED | (probe ? LEAT_ADMITTED_PROBE : 0));
    return may;
}

/* What a worker is told whose job was let through before the gate was shut. */
static void
told_late(void **state)
{
    (void)state;
    const struct leat_breaker_options options = options_of(50, 4, 8, 2);
    struct fixture *fixture = setup(&options);
    CHECK(begins(fixture, false));
    (void)jobs(fixture, 4, leat_fail());
    CHECK_EQUAL(look(fixture)->state, LEAT_BREAKER_OPEN);
    CHECK(!begins(fixture, false));
    test_clock_pass(&fixture->clock, fixture->engine, 10 * S);
    CHECK_EQUAL(look(fixture)->state, LEAT_BREAKER_HALF_OPEN);
    CHECK(begins(fixture, true));
    CHECK(begins(fixture, true));
    CHECK(!begins(fixture, false));
    test_clock_pass(&fixture->clock, fixture->engine, 10 * S);
    CHECK_EQUAL(jobs(fixture, 1, leat_fail()), 1);
    CHECK_EQUAL(look(fixture)->state, LEAT_BREAKER_OPEN);
    CHECK(!begins(fixture, false)); /* the other ticket is of no use any more */
    teardown(fixture);
}

static bool
rings(struct fixture *fixture)
{
    struct leat_doorbell *doorbell = &fixture->engine->clocks.doorbell;
    leat_doorbell_listen(doorbell);
    CHECK(begins(fixture, true));
    return (atom_load_rlx(&doorbell->word) & 1) == 0;
}

/* The thread of the clocks is told of a time that is sooner than those that it knows. */
static void
tells_the_clocks(void **state)
{
    (void)state;
    const struct leat_breaker_options options = options_of(50, 4, 8, 2);
    struct fixture *fixture = opened(&options);
    test_clock_pass(&fixture->clock, fixture->engine, 10 * S);
    CHECK(rings(fixture));
    CHECK(!rings(fixture)); /* at the same time as the first one */
    teardown(fixture);
}

/* Two that opened for different times: the end of one is not that of the other. */
static void
each_in_its_time(void **state)
{
    (void)state;
    struct leat_breaker_options options = options_of(50, 4, 8, 1);
    struct fixture *fixture = setup(&options);
    struct leat_type_options longer = leat_type_options_default();
    leat_type first = fixture->type;
    options.open_ns = 30 * S;
    longer.breaker = &options;
    CHECK_OK(leat_type_register(fixture->engine, "longer", run, fixture, &longer, &fixture->type));
    CHECK_EQUAL(jobs(fixture, 5, leat_fail()), 4);
    fixture->type = first;
    CHECK_EQUAL(jobs(fixture, 5, leat_fail()), 4);
    fixture->answer = leat_done();
    test_clock_pass(&fixture->clock, fixture->engine, 10 * S);
    CHECK_EQUAL(run_all(fixture), 1);
    test_clock_pass(&fixture->clock, fixture->engine, 20 * S - 1);
    CHECK_EQUAL(run_all(fixture), 0);
    test_clock_pass(&fixture->clock, fixture->engine, 1);
    CHECK_EQUAL(run_all(fixture), 1);
    teardown(fixture);
}

/* Half open, and nobody came: no time is waited for. Probes that came to nothing are replaced. */
static void
replaced(void **state)
{
    (void)state;
    const struct leat_breaker_options options = options_of(50, 4, 8, 1);
    struct fixture *fixture = opened(&options);
    uint64_t delay_ns = 0;
    test_clock_pass(&fixture->clock, fixture->engine, 10 * S);
    CHECK_OK(leat_next_due(fixture->engine, &delay_ns));
    CHECK_EQUAL(delay_ns, LEAT_FOREVER);
    CHECK_EQUAL(jobs(fixture, 5, leat_pending()), 1);
    CHECK_OK(leat_next_due(fixture->engine, &delay_ns));
    CHECK_EQUAL(delay_ns, 10 * S);
    test_clock_pass(&fixture->clock, fixture->engine, 10 * S);
    CHECK_EQUAL(run_all(fixture), 1);
    fixture->answer = leat_done();
    CHECK_OK(leat_complete(fixture->engine, fixture->token, leat_done(), NULL));
    CHECK_EQUAL(look(fixture)->state, LEAT_BREAKER_CLOSED);
    CHECK_EQUAL(run_all(fixture), 3);
    teardown(fixture);
}

/* One that was cancelled and failed says nothing. */
static void
cancelled_does_not_count(void **state)
{
    (void)state;
    const struct leat_breaker_options options = options_of(1, 1, 8, 1);
    struct fixture *fixture = setup(&options);
    fixture->answer = leat_pending();
    leat_job_id id = test_submit(fixture->engine, fixture->type);
    CHECK_EQUAL(run_all(fixture), 1);
    CHECK_STATUS(leat_cancel(fixture->engine, id), LEAT_RUNNING);
    CHECK_OK(leat_complete(fixture->engine, fixture->token, leat_fail(), NULL));
    CHECK_EQUAL(look(fixture)->calls, 0);
    CHECK_EQUAL(jobs(fixture, 2, leat_retry()), 1);
    CHECK_EQUAL(look(fixture)->state, LEAT_BREAKER_OPEN);
    teardown(fixture);
}

/* ---- what is no probe ----------------------------------------------------------------------- */

/* They began before it opened: while it is half open they say nothing. */
static void
old_attempts(void **state)
{
    (void)state;
    const struct leat_breaker_options options = options_of(50, 4, 8, 1);
    struct fixture *fixture = setup(&options);
    leat_token old[2];
    for (uint32_t i = 0; i < 2; i++) {
        CHECK_EQUAL(jobs(fixture, 1, leat_pending()), 1);
        old[i] = fixture->token;
    }
    CHECK_EQUAL(jobs(fixture, 4, leat_fail()), 4);
    test_clock_pass(&fixture->clock, fixture->engine, 10 * S);
    CHECK_OK(leat_complete(fixture->engine, old[0], leat_done(), NULL));
    CHECK_EQUAL(look(fixture)->state, LEAT_BREAKER_HALF_OPEN);
    CHECK_OK(leat_complete(fixture->engine, old[1], leat_fail(), NULL));
    CHECK_EQUAL(look(fixture)->state, LEAT_BREAKER_HALF_OPEN);
    CHECK_EQUAL(fixture->info.openings, 1);
    CHECK_EQUAL(jobs(fixture, 3, leat_done()), 3);
    CHECK_EQUAL(look(fixture)->state, LEAT_BREAKER_CLOSED);
    CHECK_EQUAL(fixture->info.calls, 2);
    teardown(fixture);
}

/* The only ticket: the next job is a probe, at once. */
static void
check_ticket_is_back(struct fixture *fixture)
{
    CHECK_EQUAL(look(fixture)->state, LEAT_BREAKER_HALF_OPEN);
    CHECK_EQUAL(jobs(fixture, 1, leat_done()), 1);
    CHECK_EQUAL(look(fixture)->state, LEAT_BREAKER_CLOSED);
}

static void
cancel(struct fixture *fixture)
{
    CHECK_OK(leat_cancel(fixture->engine, fixture->id));
}

static void
cancelled_as_it_begins(void **state)
{
    (void)state;
    const struct leat_breaker_options options = options_of(50, 4, 8, 1);
    struct fixture *fixture = opened(&options);
    test_clock_pass(&fixture->clock, fixture->engine, 10 * S);
    fixture->id = test_submit(fixture->engine, fixture->type);
    fixture->meanwhile = cancel;
    fixture->locked = true;
    CHECK_EQUAL(run_all(fixture), 0);
    CHECK(fixture->meanwhile == NULL);
    check_ticket_is_back(fixture);
    teardown(fixture);
}

static void
quarantined(void **state)
{
    (void)state;
    const struct leat_breaker_options options = options_of(50, 4, 8, 1);
    struct fixture *fixture = opened(&options);
    test_clock_pass(&fixture->clock, fixture->engine, 10 * S);
    CHECK_OK(leat_job_crashed(fixture->engine, test_submit(fixture->engine, fixture->type)));
    CHECK_EQUAL(run_all(fixture), 0);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_dead, 5);
    check_ticket_is_back(fixture);
    teardown(fixture);
}

static void
set_rate(struct fixture *fixture, leat_queue queue, uint32_t burst)
{
    CHECK_OK(leat_queue_set_rate(fixture->engine, queue, leat_rate_of(1, 100 * S, burst)));
}

/* Half open, with all probes but one pending. Two jobs of another type and one of this are in the
 * ring, and then the rate of their queue is changed: it has a token for the first of them only. */
static void
let_through(struct fixture *fixture, uint32_t probes)
{
    struct leat_job job = leat_job_default();
    CHECK_OK(leat_queue_create(fixture->engine, "rated", NULL, &job.queue));
    set_rate(fixture, job.queue, 10);
    test_clock_pass(&fixture->clock, fixture->engine, 10 * S);
    CHECK_EQUAL(jobs(fixture, probes - 1, leat_pending()), probes - 1);
    fixture->probe = fixture->token;
    fixture->answer = leat_done();
    for (uint32_t i = 0; i < 3; i++) {
        job.type = i < 2 ? fixture->other : fixture->type;
        CHECK_OK(leat_submit(fixture->engine, &job, NULL));
    }
    CHECK_OK(leat_run_some(fixture->engine, 1, NULL));
    set_rate(fixture, job.queue, 1);
}

static void
time_passes(struct fixture *fixture)
{
    test_clock_pass(&fixture->clock, fixture->engine, 10 * S);
}

static void
no_token(void **state)
{
    (void)state;
    for (uint32_t probes = 1; probes < 3; probes++) {
        const struct leat_breaker_options options = options_of(50, 4, 8, probes);
        struct fixture *fixture = opened(&options);
        let_through(fixture, probes);
        CHECK_EQUAL(run_all(fixture), 1);
        CHECK_EQUAL(look(fixture)->state, LEAT_BREAKER_HALF_OPEN);
        CHECK_EQUAL(jobs(fixture, 5, leat_pending()), 1);
        CHECK_EQUAL(run_all(fixture), 0);
        time_passes(fixture);
        CHECK_EQUAL(run_all(fixture), probes);
        teardown(fixture);
    }
}

static void
fail_the_other(struct fixture *fixture)
{
    CHECK_OK(leat_complete(fixture->engine, fixture->probe, leat_fail(), NULL));
}

/* A ticket is of no use any more where another probe has failed: it stays shut. */
static void
opens_meanwhile(void **state)
{
    (void)state;
    const struct leat_breaker_options options = options_of(50, 4, 8, 2);
    struct fixture *fixture = opened(&options);
    let_through(fixture, 2);
    fixture->meanwhile = fail_the_other;
    CHECK_EQUAL(run_all(fixture), 1);
    CHECK(fixture->meanwhile == NULL);
    CHECK_EQUAL(look(fixture)->state, LEAT_BREAKER_OPEN);
    CHECK_EQUAL(fixture->info.open_in_ns, 10 * S);
    CHECK_EQUAL(jobs(fixture, 1, leat_done()), 0);
    teardown(fixture);
}

/* Both probes were replaced by the time at which one gives its ticket back. */
static void
replaced_meanwhile(void **state)
{
    (void)state;
    const struct leat_breaker_options options = options_of(50, 4, 8, 2);
    struct fixture *fixture = opened(&options);
    let_through(fixture, 2);
    fixture->meanwhile = time_passes;
    CHECK_EQUAL(run_all(fixture), 1);
    CHECK(fixture->meanwhile == NULL);
    CHECK_EQUAL(jobs(fixture, 5, leat_pending()), 2);
    teardown(fixture);
}

/* ---- limits --------------------------------------------------------------------------------- */

static enum leat_status
given(struct fixture *fixture, const struct leat_breaker_options *breaker)
{
    static uint32_t number;
    char name[16];
    struct leat_type_options options = leat_type_options_default();
    options.breaker = breaker;
    (void)snprintf(name, sizeof(name), "l%u", number++);
    return leat_type_register(fixture->engine, name, run, fixture, &options, NULL);
}

static void
limits(void **state)
{
    (void)state;
    struct fixture *fixture = setup(NULL);
    static const struct {
        uint32_t percent, calls_min, window, probes;
        uint64_t window_ns, open_ns;
        bool good;
    } rows[] = {
        {1, 1, 1, 1, 0, 1000000, true},
        {100, 1024, 1024, 1024, 0, LEAT_TIMEOUT_NS_MAX, true},
        {50, 10, 0, 1, 1000000, S, true},
        {0, 1, 1, 1, 0, S, false},
        {101, 1, 1, 1, 0, S, false},
        {50, 0, 1, 1, 0, S, false},
        {50, 1025, 1025, 1, 0, S, false},
        {50, 1, 1025, 1, 0, S, false},
        {50, 10, 9, 1, 0, S, false},
        {50, 1, 1, 0, 0, S, false},
        {50, 1, 1, 1025, 0, S, false},
        {50, 1, 1, 1, 999999, S, false},
        {50, 1, 1, 1, LEAT_TIMEOUT_NS_MAX + 1, S, false},
        {50, 1, 1, 1, 0, 999999, false},
        {50, 1, 1, 1, 0, LEAT_TIMEOUT_NS_MAX + 1, false},
    };
    for (size_t i = 0; i < TEST_COUNT_OF(rows); i++) {
        struct leat_breaker_options options =
            options_of(rows[i].percent, rows[i].calls_min, rows[i].window, rows[i].probes);
        options.window_ns = rows[i].window_ns;
        options.open_ns = rows[i].open_ns;
        CHECK_STATUS(given(fixture, &options), rows[i].good ? LEAT_OK : LEAT_INVALID);
    }
    struct leat_breaker_options newer = leat_breaker_options_default();
    newer.version++;
    CHECK_STATUS(given(fixture, &newer), LEAT_UNSUPPORTED);
    CHECK_STATUS(leat_breaker_get(fixture->engine, fixture->type, &fixture->info), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_breaker_get(fixture->engine, fixture->type, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_breaker_get(NULL, fixture->type, &fixture->info), LEAT_INVALID);
    const leat_type none = {0};
    CHECK_STATUS(leat_breaker_get(fixture->engine, none, &fixture->info), LEAT_NOT_FOUND);
    teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_its_percentage),
        cmocka_unit_test(not_before_calls_min),
        cmocka_unit_test(the_last_calls),
        cmocka_unit_test(the_last_time),
        cmocka_unit_test(waits_and_uses_up_nothing),
        cmocka_unit_test(so_many_probes),
        cmocka_unit_test(successes),
        cmocka_unit_test(told_late),
        cmocka_unit_test(tells_the_clocks),
        cmocka_unit_test(each_in_its_time),
        cmocka_unit_test(replaced),
        cmocka_unit_test(cancelled_does_not_count),
        cmocka_unit_test(old_attempts),
        cmocka_unit_test(cancelled_as_it_begins),
        cmocka_unit_test(quarantined),
        cmocka_unit_test(no_token),
        cmocka_unit_test(opens_meanwhile),
        cmocka_unit_test(replaced_meanwhile),
        cmocka_unit_test(limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
