/* unit_events.c - events: each transition tells its own, in order, with whose it is; only the kinds
 * that are asked for; below, at and above the room for them, with a count of what was dropped; what
 * the host's function may call; what is told by a stop; breakers and stuck workers; and that nobody
 * who does not ask pays memory for them. Holds I1 of engine/events.h. */
#include "engine/events.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/fake_clock.h"
#include "tests/support/threads.h"

#define S        UINT64_C(1000000000)
#define TOLD_MAX 4096

struct fixture {
    struct test_clock clock;
    struct leat_engine *engine;
    leat_type type;
    struct leat_event told[TOLD_MAX];
    uint32_t count;
    void (*meanwhile)(struct fixture *fixture); /* in the first call */
    leat_atomic_u32 open;                       /* lets `h` go on */
    leat_atomic_u32 inside;
};

static void
sink(struct leat_engine *engine, const struct leat_event *event, void *context)
{
    struct fixture *fixture = context;
    CHECK(fixture->engine == engine);
    CHECK(fixture->count < TOLD_MAX);
    fixture->told[fixture->count++] = *event;
    if (fixture->meanwhile != NULL) {
        void (*meanwhile)(struct fixture *) = fixture->meanwhile;
        fixture->meanwhile = NULL;
        meanwhile(fixture);
    }
}

/* d done, f fail, r retry once, s snooze once, h waits to be let go. */
static struct leat_outcome
by_payload(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    const char *payload = leat_run_payload(run, NULL);
    leat_token token = leat_run_token(run);
    switch (payload[0]) {
    case 'f':
        return leat_fail();
    case 'r':
        return leat_run_attempt(run) == 1 ? leat_retry() : leat_done();
    case 's':
        return token.attempt == 1 ? leat_snooze(1) : leat_done();
    case 'h':
        atom_store_rel(&fixture->inside, 1);
        while (atom_load_acq(&fixture->open) == 0) {
            leat_os_yield();
        }
        return leat_done();
    default:
        return leat_done();
    }
}

static struct fixture *
setup(uint32_t workers, uint32_t events_max)
{
    static struct fixture fixture;
    struct leat_config config = test_config();
    memset(&fixture, 0, sizeof(fixture));
    test_clock_init(&fixture.clock);
    config.workers = workers;
    config.jobs_max = 1024;
    config.retained_max = 0;
    config.events_max = events_max;
    config.event_sink = sink;
    config.event_context = &fixture;
    config.clock = test_clock_of(&fixture.clock);
    fixture.engine = test_open(&config);
    fixture.type = test_register(fixture.engine, "t", by_payload, &fixture);
    CHECK_OK(leat_start(fixture.engine));
    return &fixture;
}

static leat_job_id
submit(struct fixture *fixture, const char *payload)
{
    struct leat_job job = leat_job_default();
    leat_job_id id = {0};
    job.type = fixture->type;
    job.payload = payload;
    job.payload_bytes = 1;
    CHECK_OK(leat_submit(fixture->engine, &job, &id));
    return id;
}

static void
run_all(struct fixture *fixture)
{
    while (leat_run_some(fixture->engine, 100, NULL) == LEAT_OK) {
    }
    test_clock_pass(&fixture->clock, fixture->engine, S);
    while (leat_run_some(fixture->engine, 100, NULL) == LEAT_OK) {
    }
    CHECK_OK(leat_clock_changed(fixture->engine));
}

/* The kinds of one job's events, a letter each. */
static void
course(const struct fixture *fixture, leat_job_id id, const char *wanted)
{
    static const char letters[LEAT_EVENT_KINDS + 1] = "+>!xrsdce01w^v%";
    char text[64] = "";
    size_t length = 0;
    uint64_t before_ns = 0;
    for (uint32_t i = 0; i < fixture->count; i++) {
        const struct leat_event *event = &fixture->told[i];
        if (event->id.bits == id.bits && length < sizeof(text) - 1) {
            CHECK_EQUAL(event->type.bits, fixture->type.bits);
            CHECK_EQUAL(event->queue.bits, 1);
            CHECK(event->time_ns >= before_ns);
            before_ns = event->time_ns;
            text[length++] = letters[event->kind];
            text[length] = '\0';
        }
    }
    CHECK_TEXT(text, wanted);
}

static void
each_transition_is_told(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0, 1024);
    struct leat_job job = leat_job_default();
    struct leat_job_options options = leat_job_options_default();
    leat_job_id done = submit(fixture, "d");
    leat_job_id failed = submit(fixture, "f");
    leat_job_id retried = submit(fixture, "r");
    leat_job_id snoozed = submit(fixture, "s");
    leat_job_id cancelled = submit(fixture, "d");
    leat_job_id expired = {0};
    leat_job_id later = {0};
    job.type = fixture->type;
    job.payload = "d";
    job.payload_bytes = 1;
    job.delay_ns = S / 2;
    CHECK_OK(leat_submit(fixture->engine, &job, &later));
    CHECK_OK(leat_cancel(fixture->engine, cancelled));
    run_all(fixture);
    job.delay_ns = 0;
    options.expires_in_ns = S;
    job.options = &options;
    CHECK_OK(leat_submit(fixture->engine, &job, &expired));
    test_clock_pass(&fixture->clock, fixture->engine, 2 * S);
    run_all(fixture);
    course(fixture, done, "+>!");
    course(fixture, failed, "+>xd");
    course(fixture, retried, "+>xr>!");
    course(fixture, snoozed, "+>s>!");
    course(fixture, cancelled, "+c");
    course(fixture, later, "+>!");
    course(fixture, expired, "+e");
    for (uint32_t i = 0; i < fixture->count; i++) {
        const struct leat_event *event = &fixture->told[i];
        bool attempt = event->kind >= LEAT_EVENT_STARTED && event->kind <= LEAT_EVENT_SNOOZED;
        CHECK_EQUAL(event->worker == 0, attempt || event->kind == LEAT_EVENT_DEAD);
        CHECK_EQUAL(event->dropped, 0);
        if (event->kind == LEAT_EVENT_DEAD) {
            CHECK_EQUAL(event->reason, LEAT_REASON_FAILED);
            CHECK_EQUAL(event->attempt, 1);
        }
        if (event->kind == LEAT_EVENT_EXPIRED) {
            CHECK_EQUAL(event->reason, LEAT_REASON_EXPIRED);
        }
    }
    test_close(fixture->engine);
}

static void
inline_jobs_and_graphs_are_told(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0, 1024);
    struct leat_job job = leat_job_default();
    struct leat_job_info info = leat_job_info_default();
    job.type = fixture->type;
    job.payload = "r";
    job.payload_bytes = 1;
    CHECK_OK(leat_run_inline(fixture->engine, &job, &info, NULL));
    leat_job_id parent = submit(fixture, "f");
    struct leat_job_options options = leat_job_options_default();
    leat_job_id child = {0};
    options.parents = &parent;
    options.parents_count = 1;
    job.options = &options;
    CHECK_OK(leat_submit(fixture->engine, &job, &child));
    run_all(fixture);
    course(fixture, info.id, "+>xr>!");
    course(fixture, parent, "+>xd");
    course(fixture, child, "+c");
    test_close(fixture->engine);
}

/* ---- which, and how many --------------------------------------------------------------------- */

static void
only_what_is_asked_for(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0, 1024);
    char mask[16];
    for (uint32_t kind = 0; kind <= LEAT_EVENT_CANCELLED; kind++) {
        (void)snprintf(mask, sizeof(mask), "%u", LEAT_EVENT_BIT(kind));
        CHECK_OK(leat_knob_change(fixture->engine, "event_mask", mask, NULL));
        fixture->count = 0;
        (void)submit(fixture, "d");
        (void)submit(fixture, "f");
        (void)submit(fixture, "r");
        (void)submit(fixture, "s");
        CHECK_OK(leat_cancel(fixture->engine, submit(fixture, "d")));
        run_all(fixture);
        CHECK(fixture->count > 0);
        for (uint32_t i = 0; i < fixture->count; i++) {
            CHECK_EQUAL(fixture->told[i].kind, kind);
        }
    }
    CHECK_OK(leat_knob_change(fixture->engine, "event_mask", "0", NULL));
    fixture->count = 0;
    (void)submit(fixture, "f");
    run_all(fixture);
    CHECK_EQUAL(fixture->count, 0);
    CHECK_OK(leat_knob_change(fixture->engine, "event_mask", "32767", NULL));
    CHECK_STATUS(leat_knob_change(fixture->engine, "event_mask", "32768", NULL), LEAT_INVALID);
    test_close(fixture->engine);
}

static void
what_finds_no_room_is_counted(void **state)
{
    (void)state;
    for (uint32_t jobs = 63; jobs <= 66; jobs++) {
        struct fixture *fixture = setup(0, 64);
        uint32_t dropped = jobs > 64 ? jobs - 64 : 0;
        for (uint32_t i = 0; i < jobs; i++) {
            (void)submit(fixture, "d");
        }
        CHECK_EQUAL(test_statistics(fixture->engine).events_dropped, dropped);
        CHECK_OK(leat_clock_changed(fixture->engine));
        CHECK_EQUAL(fixture->count, jobs - dropped);
        CHECK_EQUAL(fixture->told[0].dropped, dropped);
        CHECK_EQUAL(fixture->told[1].dropped, 0);
        (void)submit(fixture, "d");
        CHECK_OK(leat_clock_changed(fixture->engine));
        CHECK_EQUAL(fixture->told[fixture->count - 1].dropped, 0);
        CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
        CHECK(leat_events_check(fixture->engine, stderr));
        test_close(fixture->engine);
    }
}

/* ---- the host's function --------------------------------------------------------------------- */

static void
calls_back(struct fixture *fixture)
{
    struct leat_engine *engine = fixture->engine;
    struct leat_job_info info = leat_job_info_default();
    leat_job_id id = submit(fixture, "d");
    CHECK_OK(leat_get(engine, id, &info));
    CHECK_OK(leat_cancel(engine, id));
    CHECK_OK(leat_clock_changed(engine)); /* tells nothing inside */
    CHECK_EQUAL(fixture->count, 1);
    CHECK_STATUS(leat_stop(engine, LEAT_FOREVER), LEAT_DEADLOCK);
    CHECK_STATUS(leat_drain(engine, LEAT_FOREVER), LEAT_DEADLOCK);
    CHECK_STATUS(leat_close(engine), LEAT_DEADLOCK);
    CHECK_STATUS(leat_run_some(engine, 1, NULL), LEAT_DEADLOCK);
}

static void
what_the_function_may_call(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0, 64);
    fixture->meanwhile = calls_back;
    leat_job_id id = submit(fixture, "d");
    CHECK_OK(leat_clock_changed(fixture->engine));
    CHECK_OK(leat_clock_changed(fixture->engine));
    CHECK(fixture->meanwhile == NULL);
    CHECK_EQUAL(fixture->count, 3);
    course(fixture, id, "+");
    test_close(fixture->engine);
}

static void
count_events(struct leat_engine *engine, const struct leat_event *event, void *context)
{
    (void)engine;
    (void)event;
    (void)atom_add_acq_rel((leat_atomic_u32 *)context, 1);
}

static struct leat_outcome
by_payload_done(struct leat_run *run, void *context)
{
    (void)run;
    (void)context;
    return leat_done();
}

/* No clock thread follows a host's clock: so what is told here is told by the stop. */
static void
a_stop_tells_all(void **state)
{
    (void)state;
    struct fixture *fixture = setup(2, 1024);
    leat_job_id ids[100];
    for (uint32_t i = 0; i < 100; i++) {
        ids[i] = submit(fixture, i % 2 == 0 ? "d" : "r");
    }
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
    for (uint32_t i = 0; i < 100; i++) {
        course(fixture, ids[i], i % 2 == 0 ? "+>!" : "+>xr>!");
    }
    test_close(fixture->engine);
}

/* By a clock of its own: who puts an event rings for it. */
static void
an_event_does_not_wait_for_a_stop(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    leat_atomic_u32 heard;
    atom_init(&heard, 0);
    config.workers = 1;
    config.event_sink = count_events;
    config.event_context = &heard;
    struct leat_engine *engine = test_start(&config);
    struct leat_job job = leat_job_default();
    job.type = test_register(engine, "d", by_payload_done, NULL);
    for (uint32_t i = 1; i <= 3; i++) {
        CHECK_OK(leat_submit(engine, &job, NULL));
        while (atom_load_acq(&heard) < 3 * i) {
            leat_os_yield();
        }
    }
    test_finish(engine);
}

/* What was done before the start, or behind the stop, is told by the close. */
static void
a_close_tells_the_rest(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0, 64);
    leat_job_id id = submit(fixture, "d");
    CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
    course(fixture, id, "+");
    CHECK_OK(leat_cancel(fixture->engine, id));
    CHECK_OK(leat_close(fixture->engine));
    course(fixture, id, "+c");
    struct leat_config config = test_config();
    memset(fixture, 0, sizeof(*fixture));
    config.event_sink = sink;
    config.event_context = fixture;
    fixture->engine = test_open(&config);
    fixture->type = test_register(fixture->engine, "t", by_payload, fixture);
    id = submit(fixture, "d");
    CHECK_OK(leat_cancel(fixture->engine, id));
    CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
    CHECK_OK(leat_close(fixture->engine));
    course(fixture, id, "+c");
}

/* ---- of no job ------------------------------------------------------------------------------- */

static uint32_t
count_of(const struct fixture *fixture, enum leat_event_kind kind, leat_type type)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < fixture->count; i++) {
        const struct leat_event *event = &fixture->told[i];
        count += event->kind == kind && event->type.bits == type.bits ? 1 : 0;
    }
    return count;
}

static void
breakers_are_told(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0, 1024);
    struct leat_type_options options = leat_type_options_default();
    struct leat_breaker_options breaker = leat_breaker_options_default();
    const leat_type other = fixture->type;
    breaker.calls_min = 2;
    breaker.window_calls = 2;
    options.breaker = &breaker;
    options.max_attempts = 1;
    CHECK_OK(
        leat_type_register(fixture->engine, "b", by_payload, fixture, &options, &fixture->type));
    (void)submit(fixture, "f");
    run_all(fixture);
    CHECK_EQUAL(count_of(fixture, LEAT_EVENT_BREAKER_OPENED, fixture->type), 0);
    (void)submit(fixture, "f");
    run_all(fixture);
    CHECK_EQUAL(count_of(fixture, LEAT_EVENT_BREAKER_OPENED, fixture->type), 1);
    (void)submit(fixture, "d");
    test_clock_pass(&fixture->clock, fixture->engine, 60 * S);
    run_all(fixture);
    CHECK_EQUAL(count_of(fixture, LEAT_EVENT_BREAKER_CLOSED, fixture->type), 1);
    CHECK_EQUAL(count_of(fixture, LEAT_EVENT_BREAKER_OPENED, fixture->type), 1);
    CHECK_EQUAL(count_of(fixture, LEAT_EVENT_BREAKER_OPENED, other), 0);
    test_close(fixture->engine);
}

struct lines {
    uint32_t count;
    enum leat_log_level levels[4];
    char texts[4][32];
};

static void
keep_line(struct leat_engine *engine, const struct leat_log_line *line, void *context)
{
    (void)engine;
    struct lines *lines = context;
    CHECK(lines->count < TEST_COUNT_OF(lines->levels));
    lines->levels[lines->count] = line->level;
    (void)snprintf(lines->texts[lines->count++], sizeof(lines->texts[0]), "%s", line->text);
}

/* What has a line in the log is put where nobody asks for its event; the function is told what it
 * asked for, with all drops. */
static void
a_line_of_the_log_is_no_event(void **state)
{
    (void)state;
    static struct fixture fixture;
    struct leat_config config = test_config();
    struct leat_type_options options = leat_type_options_default();
    struct leat_breaker_options breaker = leat_breaker_options_default();
    struct lines lines = {0};
    memset(&fixture, 0, sizeof(fixture));
    test_clock_init(&fixture.clock);
    config.clock = test_clock_of(&fixture.clock);
    config.workers = 0;
    config.events_max = 64;
    config.event_sink = sink;
    config.event_context = &fixture;
    config.event_mask = LEAT_EVENT_BIT(LEAT_EVENT_SUBMITTED);
    config.log_sink = keep_line;
    config.log_context = &lines;
    breaker.calls_min = 1;
    breaker.window_calls = 1;
    options.breaker = &breaker;
    options.max_attempts = 1;
    fixture.engine = test_start(&config);
    CHECK_OK(
        leat_type_register(fixture.engine, "b", by_payload, &fixture, &options, &fixture.type));
    (void)submit(&fixture, "f");
    CHECK_OK(leat_run_some(fixture.engine, 1, NULL));
    CHECK_OK(leat_clock_changed(fixture.engine));
    CHECK_EQUAL(lines.count, 1);
    CHECK_EQUAL(lines.levels[0], LEAT_LOG_WARNING);
    CHECK_TEXT(lines.texts[0], "breaker opened");
    CHECK_EQUAL(fixture.count, 1);
    CHECK_EQUAL(fixture.told[0].kind, LEAT_EVENT_SUBMITTED);
    (void)submit(&fixture, "d");
    test_clock_pass(&fixture.clock, fixture.engine, 60 * S);
    run_all(&fixture);
    CHECK_EQUAL(lines.count, 2);
    CHECK_EQUAL(lines.levels[1], LEAT_LOG_INFO);
    CHECK_TEXT(lines.texts[1], "breaker closed");
    CHECK_EQUAL(fixture.count, 2);
    test_close(fixture.engine);
}

static void
stuck_workers_are_told(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1, 1024);
    struct leat_type_options options = leat_type_options_default();
    const leat_type none = {0};
    options.timeout_ns = 8 * S;
    CHECK_OK(
        leat_type_register(fixture->engine, "h", by_payload, fixture, &options, &fixture->type));
    leat_job_id id = submit(fixture, "h");
    while (atom_load_acq(&fixture->inside) == 0) {
        leat_os_yield();
    }
    for (uint32_t i = 0; i < 30; i++) {
        test_clock_pass(&fixture->clock, fixture->engine, S / 2);
    }
    test_clock_pass(&fixture->clock, fixture->engine, 0);
    CHECK_EQUAL(count_of(fixture, LEAT_EVENT_WORKER_STUCK, none), 1);
    for (uint32_t i = 0; i < fixture->count; i++) {
        if (fixture->told[i].kind == LEAT_EVENT_WORKER_STUCK) {
            CHECK_EQUAL(fixture->told[i].id.bits, id.bits);
            CHECK_EQUAL(fixture->told[i].worker, 0);
        }
    }
    atom_store_rel(&fixture->open, 1);
    CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
    test_close(fixture->engine);
}

/* ---- nobody ---------------------------------------------------------------------------------- */

static void
who_does_not_ask_pays_nothing(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    size_t bytes = leat_memory_size(&config);
    config.events_max = 1 << 20;
    CHECK_EQUAL(leat_memory_size(&config), bytes);
    struct leat_engine *engine = test_start(&config);
    CHECK(engine->events == NULL);
    CHECK(!leat_events_wanted(engine, UINT32_MAX));
    CHECK_OK(leat_knob_change(engine, "event_mask", "1", NULL));
    CHECK(!leat_events_wanted(engine, UINT32_MAX));
    test_finish(engine);
    config.event_sink = sink;
    CHECK(leat_memory_size(&config) > bytes + (sizeof(struct leat_event) << 20));
}

static void
texts(void **state)
{
    (void)state;
    CHECK_TEXT(leat_event_text(LEAT_EVENT_SUBMITTED), "submitted");
    CHECK_TEXT(leat_event_text(LEAT_EVENT_COHORT_PROGRESS), "cohort progress");
    CHECK_TEXT(leat_event_text(LEAT_EVENT_KINDS), "unknown");
    CHECK_TEXT(leat_threshold_text(LEAT_THRESHOLD_DEAD), "dead letters");
    CHECK_TEXT(leat_threshold_text(LEAT_THRESHOLD_OLDEST), "age of the oldest job waiting, in ns,");
    CHECK_TEXT(leat_threshold_text((enum leat_threshold)LEAT_THRESHOLDS), "unknown");
    for (uint32_t i = 0; i < LEAT_EVENT_KINDS; i++) {
        CHECK(strcmp(leat_event_text((enum leat_event_kind)i), "unknown") != 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_transition_is_told),
        cmocka_unit_test(inline_jobs_and_graphs_are_told),
        cmocka_unit_test(only_what_is_asked_for),
        cmocka_unit_test(what_finds_no_room_is_counted),
        cmocka_unit_test(what_the_function_may_call),
        cmocka_unit_test(a_stop_tells_all),
        cmocka_unit_test(an_event_does_not_wait_for_a_stop),
        cmocka_unit_test(a_close_tells_the_rest),
        cmocka_unit_test(breakers_are_told),
        cmocka_unit_test(a_line_of_the_log_is_no_event),
        cmocka_unit_test(stuck_workers_are_told),
        cmocka_unit_test(who_does_not_ask_pays_nothing),
        cmocka_unit_test(texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
