/* unit_cohort.c - jobs that are watched together, see engine/cohort.h: which callbacks come, when,
 * and what is counted. No workers; what ran is a word of letters. */
#include "engine/cohort.h"

#include <string.h>

#include "tests/support/check.h"
#include "tests/support/engine.h"

struct fixture {
    struct leat_engine *engine;
    leat_type type;
    char notes[64];
    uint32_t count;
    leat_job_id cohort;        /* of the last run */
    struct leat_event told[8]; /* of cohorts */
    uint32_t events;
    leat_job_id watched;
    uint32_t cancels; /* of the watched job */
    enum leat_reason reason;
};

static struct leat_job
job_of(const struct fixture *fixture, const char *text)
{
    struct leat_job job = leat_job_default();
    job.type = fixture->type;
    job.payload = text;
    job.payload_bytes = strlen(text) + 1;
    return job;
}

static enum leat_status
submit(struct fixture *fixture, const char *text, leat_job_id cohort, leat_job_id *id)
{
    struct leat_job_options options = leat_job_options_default();
    struct leat_job job = job_of(fixture, text);
    options.cohort = cohort;
    job.options = &options;
    return leat_submit(fixture->engine, &job, id);
}

/* A payload: its letter; then f fails, m submits another member, other letters are done. */
static struct leat_outcome
run(struct leat_run *attempt, void *context)
{
    struct fixture *fixture = context;
    const char *text = leat_run_payload(attempt, NULL);
    CHECK(fixture->count < sizeof(fixture->notes) - 1);
    fixture->notes[fixture->count++] = text[0];
    fixture->cohort = leat_run_cohort(attempt);
    if (text[1] == 'm') {
        CHECK_OK(submit(fixture, "x", fixture->cohort, NULL));
    }
    return text[1] == 'f' ? leat_fail() : leat_done();
}

static void
sink(struct leat_engine *engine, const struct leat_event *event, void *context)
{
    struct fixture *fixture = context;
    (void)engine;
    if (event->kind == LEAT_EVENT_COHORT_PROGRESS) {
        CHECK(fixture->events < TEST_COUNT_OF(fixture->told));
        fixture->told[fixture->events++] = *event;
    }
    if (event->kind == LEAT_EVENT_CANCELLED && event->id.bits == fixture->watched.bits) {
        fixture->cancels++;
        fixture->reason = event->reason;
    }
}

static struct fixture *
setup(void)
{
    static struct fixture fixture;
    struct leat_config config = test_config();
    memset(&fixture, 0, sizeof(fixture));
    config.workers = 0;
    config.event_sink = sink;
    config.event_context = &fixture;
    fixture.engine = test_start(&config);
    fixture.type = test_register(fixture.engine, "t", run, &fixture);
    return &fixture;
}

static void
begins(struct fixture *fixture, const char *letters)
{
    enum leat_status status = LEAT_OK;
    while (status == LEAT_OK) {
        status = leat_run_some(fixture->engine, 1000, NULL);
    }
    CHECK_STATUS(status, LEAT_EMPTY);
    fixture->notes[fixture->count] = '\0';
    CHECK_TEXT(fixture->notes, letters);
    fixture->count = 0;
    test_engine_check(fixture->engine);
}

/* With callbacks S, C and D. */
static leat_job_id
open_all(struct fixture *fixture)
{
    struct leat_cohort_options options = leat_cohort_options_default();
    const struct leat_job success = job_of(fixture, "S");
    const struct leat_job complete = job_of(fixture, "C");
    const struct leat_job death = job_of(fixture, "D");
    leat_job_id cohort = {0};
    options.on_success = &success;
    options.on_complete = &complete;
    options.on_death = &death;
    options.flags = LEAT_JOB_KEEP_RESULT;
    CHECK_OK(leat_cohort_open(fixture->engine, &options, &cohort));
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_blocked, 4);
    return cohort;
}

static void
counts_are(struct fixture *fixture, leat_job_id cohort, enum leat_job_state state, uint64_t total,
           uint64_t completed)
{
    struct leat_cohort_info info = leat_cohort_info_default();
    CHECK_OK(leat_cohort_get(fixture->engine, cohort, &info));
    CHECK_EQUAL(info.state, state);
    CHECK_EQUAL(info.total, total);
    CHECK_EQUAL(info.completed, completed);
}

static void
success(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup();
    leat_job_id cohort = open_all(fixture);
    CHECK_OK(submit(fixture, "am", cohort, NULL));
    begins(fixture, "ax");
    CHECK_EQUAL(fixture->cohort.bits, cohort.bits);
    counts_are(fixture, cohort, LEAT_JOB_BLOCKED, 2, 2);
    CHECK_OK(submit(fixture, "bm", cohort, NULL));
    CHECK_OK(leat_cohort_close(fixture->engine, cohort));
    CHECK_STATUS(leat_cohort_close(fixture->engine, cohort), LEAT_WRONG_STATE);
    begins(fixture, "bxCS");
    counts_are(fixture, cohort, LEAT_JOB_COMPLETED, 4, 4);
    CHECK_STATUS(submit(fixture, "c", cohort, NULL), LEAT_ENDED);
    CHECK_OK(leat_wait(fixture->engine, cohort, 0, NULL));
    CHECK_OK(leat_release(fixture->engine, cohort));
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_blocked, 0);
    test_close(fixture->engine);
}

/* The job of the first death waits for another one besides. */
static void
death_with_a_parent(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup();
    struct leat_cohort_options options = leat_cohort_options_default();
    struct leat_job_options own = leat_job_options_default();
    struct leat_job callback = job_of(fixture, "D");
    leat_job_id parent = {0};
    leat_job_id cohort = {0};
    CHECK_OK(submit(fixture, "p", cohort, &parent));
    own.parents = &parent;
    own.parents_count = 1;
    callback.options = &own;
    options.on_death = &callback;
    CHECK_OK(leat_cohort_open(fixture->engine, &options, &cohort));
    test_engine_check(fixture->engine);
    CHECK_OK(submit(fixture, "af", cohort, NULL));
    begins(fixture, "paD");
    CHECK_OK(leat_cohort_close(fixture->engine, cohort));
    test_close(fixture->engine);
}

static void
death(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup();
    leat_job_id cohort = open_all(fixture);
    fixture->watched = cohort;
    CHECK_OK(submit(fixture, "af", cohort, NULL));
    CHECK_OK(submit(fixture, "bf", cohort, NULL));
    CHECK_OK(submit(fixture, "c", cohort, NULL));
    begins(fixture, "abcD");
    CHECK_OK(leat_cohort_close(fixture->engine, cohort));
    begins(fixture, "C");
    struct leat_cohort_info info = leat_cohort_info_default();
    CHECK_OK(leat_cohort_get(fixture->engine, cohort, &info));
    CHECK_EQUAL(info.dead, 2);
    CHECK(!info.open);
    counts_are(fixture, cohort, LEAT_JOB_CANCELLED, 3, 1);
    CHECK_EQUAL(test_get(fixture->engine, cohort).reason, LEAT_REASON_NONE);
    CHECK_OK(leat_clock_changed(fixture->engine));
    CHECK_EQUAL(fixture->cancels, 1);
    CHECK_EQUAL(fixture->reason, LEAT_REASON_NONE);
    CHECK_OK(leat_release(fixture->engine, cohort));
    test_close(fixture->engine);
}

static void
cancelled(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup();
    leat_job_id cohort = open_all(fixture);
    leat_job_id member = {0};
    CHECK_OK(submit(fixture, "a", cohort, &member));
    CHECK_OK(leat_cancel(fixture->engine, member));
    CHECK_OK(leat_cohort_close(fixture->engine, cohort));
    begins(fixture, "C");
    counts_are(fixture, cohort, LEAT_JOB_CANCELLED, 1, 0);
    CHECK_OK(leat_release(fixture->engine, cohort));
    /* The cohort itself: its members go on. */
    cohort = open_all(fixture);
    CHECK_OK(submit(fixture, "bf", cohort, NULL));
    CHECK_OK(leat_cancel(fixture->engine, cohort));
    CHECK_STATUS(submit(fixture, "c", cohort, NULL), LEAT_ENDED);
    begins(fixture, "bCD");
    CHECK_OK(leat_cohort_close(fixture->engine, cohort));
    begins(fixture, "");
    CHECK_OK(leat_release(fixture->engine, cohort));
    test_close(fixture->engine);
}

static void
plain(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup();
    leat_job_id cohort = {0};
    struct leat_cohort_info info = leat_cohort_info_default();
    CHECK_OK(leat_cohort_open(fixture->engine, NULL, &cohort));
    leat_job_id child = {0};
    struct leat_job_options options = leat_job_options_default();
    struct leat_job job = job_of(fixture, "p");
    options.parents = &cohort;
    options.parents_count = 1;
    job.options = &options;
    CHECK_OK(leat_submit(fixture->engine, &job, &child));
    begins(fixture, "");
    CHECK_OK(leat_cohort_close(fixture->engine, cohort)); /* without a member */
    begins(fixture, "p");
    CHECK_STATUS(leat_cohort_get(fixture->engine, child, &info), LEAT_WRONG_STATE);
    CHECK_STATUS(leat_cohort_close(fixture->engine, child), LEAT_WRONG_STATE);
    CHECK_STATUS(leat_cohort_close(NULL, child), LEAT_INVALID);
    CHECK_STATUS(submit(fixture, "x", child, NULL), LEAT_WRONG_STATE);
    leat_job_id alone = {0};
    const leat_job_id none = {0};
    CHECK_OK(submit(fixture, "a", none, &alone));
    CHECK_STATUS(submit(fixture, "x", alone, NULL), LEAT_WRONG_STATE);
    begins(fixture, "a");
    CHECK_OK(leat_cohort_open(fixture->engine, NULL, &cohort)); /* open at the end */
    test_close(fixture->engine);
}

/* With `count` members, of which one fails and one is cancelled; an event for each `every` of
 * them. */
static void
progress_of(uint32_t every, uint32_t count)
{
    struct fixture *fixture = setup();
    struct leat_cohort_options options = leat_cohort_options_default();
    leat_job_id cohort = {0};
    leat_job_id last = {0};
    options.progress_every = every;
    CHECK_OK(leat_cohort_open(fixture->engine, &options, &cohort));
    for (uint32_t i = 0; i < count; i++) {
        CHECK_OK(submit(fixture, i == 1 ? "xf" : "x", cohort, &last));
    }
    CHECK_OK(leat_cancel(fixture->engine, last));
    while (leat_run_some(fixture->engine, 1, NULL) == LEAT_OK) {
    }
    CHECK_OK(leat_cohort_close(fixture->engine, cohort));
    CHECK_OK(leat_clock_changed(fixture->engine));
    CHECK_EQUAL(fixture->events, every == 0 ? 0 : count / every);
    for (uint32_t i = 0; i < fixture->events; i++) {
        CHECK_EQUAL(fixture->told[i].id.bits, cohort.bits);
        CHECK_EQUAL(fixture->told[i].value, (i + 1) * every);
        CHECK_EQUAL(fixture->told[i].limit, count);
    }
    test_close(fixture->engine);
}

static void
progress(void **unused)
{
    (void)unused;
    progress_of(0, 6);
    progress_of(1, 6);
    progress_of(3, 5);
    progress_of(3, 6);
    progress_of(3, 7);
    progress_of(UINT32_MAX, 7);
}

/* A callback that cannot be taken: nothing is. */
static void
refused(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup();
    struct leat_cohort_options options = leat_cohort_options_default();
    leat_job_id cohort = {7};
    struct leat_job bad = job_of(fixture, "S");
    bad.type.bits = 999;
    options.on_death = &bad;
    CHECK_STATUS(leat_cohort_open(fixture->engine, &options, &cohort), LEAT_NOT_FOUND);
    CHECK_EQUAL(cohort.bits, 7);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_submitted, 0);
    test_close(fixture->engine);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(success),  cmocka_unit_test(death_with_a_parent),
        cmocka_unit_test(death),    cmocka_unit_test(cancelled),
        cmocka_unit_test(plain),    cmocka_unit_test(refused),
        cmocka_unit_test(progress),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
