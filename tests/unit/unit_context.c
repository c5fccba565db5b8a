/* unit_context.c - what a handler says and asks beside its outcome: progress with a text, below, at
 * and above its length, of the last call and over attempts, read while another thread writes it;
 * how long its attempt has yet, by a clock that the test moves; log lines; children; why it
 * fails. */
#include <stdlib.h>
#include <string.h>

#include "ring/atomic.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/fake_clock.h"
#include "tests/support/threads.h"

#define SECOND_NS UINT64_C(1000000000)

/* 64 bytes and a NUL, of which the last two are one character. */
static const char full[] = "0123456789012345678901234567890123456789012345678901234567890 \xc3\xa4";

struct fixture {
    struct leat_engine *engine;
    struct test_clock clock;
    leat_type type;
    struct leat_outcome (*step)(struct leat_run *run, struct fixture *fixture);
    uint32_t runs;
    uint32_t lines;
    leat_job_id line_id;
    struct leat_log_line line;
    char text[64];
    leat_job_id child;
    leat_job_id parent;
    leat_atomic_u32 ended;
};

static struct leat_outcome
run(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    fixture->runs++;
    return fixture->step(run, fixture);
}

static void
sink(struct leat_engine *engine, const struct leat_log_line *line, void *context)
{
    struct fixture *fixture = context;
    CHECK(engine == fixture->engine);
    fixture->lines++;
    fixture->line = *line;
    CHECK(strlen(line->text) < sizeof(fixture->text));
    memcpy(fixture->text, line->text, strlen(line->text) + 1);
}

static struct fixture *
setup(uint64_t timeout_ns, bool sinks)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    CHECK(fixture != NULL);
    struct leat_config config = test_config();
    struct leat_type_options options = leat_type_options_default();
    const struct leat_retry_policy at_once = leat_retry_fixed(0);
    test_clock_init(&fixture->clock);
    config.workers = 0;
    config.clock = test_clock_of(&fixture->clock);
    config.log_sink = sinks ? sink : NULL;
    config.log_context = fixture;
    options.timeout_ns = timeout_ns;
    options.retry = &at_once;
    fixture->engine = test_start(&config);
    CHECK_OK(leat_type_register(fixture->engine, "t", run, fixture, &options, &fixture->type));
    return fixture;
}

/* Runs a kept job with this handler, and all that comes with it. */
static struct leat_job_info
play(struct fixture *fixture,
     struct leat_outcome (*step)(struct leat_run *run, struct fixture *fixture))
{
    fixture->step = step;
    leat_job_id id = test_submit_kept(fixture->engine, fixture->type);
    while (leat_run_some(fixture->engine, 1, NULL) == LEAT_OK) {
    }
    struct leat_job_info info = test_get(fixture->engine, id);
    CHECK_OK(leat_release(fixture->engine, id));
    test_finish(fixture->engine);
    return info;
}

/* ---- progress ------------------------------------------------------------------------------- */

static void
shows(const struct leat_run *run, uint32_t percent, const char *text)
{
    struct leat_job_info info = test_get(leat_run_engine(run), leat_run_id(run));
    CHECK_EQUAL(info.progress, percent);
    CHECK_TEXT(info.progress_text, text);
}

static struct leat_outcome
progress_step(struct leat_run *run, struct fixture *fixture)
{
    if (fixture->runs == 2) {
        shows(run, 9, "third");
        return leat_fail();
    }
    shows(run, 0, "");
    CHECK_OK(leat_run_progress(run, 1, NULL));
    shows(run, 1, "");
    CHECK_OK(leat_run_progress(run, 2, "first"));
    shows(run, 2, "first");
    CHECK_OK(leat_run_progress(run, 3, NULL));
    shows(run, 3, "first");
    CHECK_STATUS(leat_run_progress(run, 101, "no"), LEAT_INVALID);
    shows(run, 3, "first");
    CHECK_OK(leat_run_progress(run, 4, ""));
    shows(run, 4, "");
    /* 62 bytes, then one too many, cut before the character, then 63. */
    CHECK_OK(leat_run_progress(run, 5, full + 2));
    shows(run, 5, full + 2);
    CHECK_OK(leat_run_progress(run, 6, full));
    shows(run, 6, "0123456789012345678901234567890123456789012345678901234567890 ");
    CHECK_OK(leat_run_progress(run, 7, full + 1));
    shows(run, 7, full + 1);
    CHECK_OK(leat_run_progress(run, 8, "third"));
    CHECK_OK(leat_run_progress(run, 9, NULL));
    return leat_retry();
}

static void
progress(void **state)
{
    (void)state;
    CHECK_EQUAL(strlen(full), 64);
    struct fixture *fixture = setup(0, false);
    struct leat_job_info info = play(fixture, progress_step);
    CHECK_EQUAL(info.state, LEAT_JOB_DEAD);
    CHECK_EQUAL(info.progress, 9);
    CHECK_TEXT(info.progress_text, "third");
    free(fixture);
}

/* Says texts of one letter each, and in the percent which. */
static struct leat_outcome
letters_step(struct leat_run *run, struct fixture *fixture)
{
    char text[64] = "";
    fixture->child = leat_run_id(run);
    for (uint32_t i = 0; i < 20000; i++) {
        memset(text, (int)('a' + i % 26), 1 + i % 63);
        text[1 + i % 63] = '\0';
        CHECK_OK(leat_run_progress(run, i % 26, text));
    }
    return leat_done();
}

static void
letters(void *shared, uint32_t number)
{
    struct fixture *fixture = shared;
    struct leat_job_info info = leat_job_info_default();
    if (number == 0) {
        CHECK_OK(leat_run_some(fixture->engine, 1, NULL));
        atom_store_rel(&fixture->ended, 1);
        return;
    }
    while (atom_load_acq(&fixture->ended) == 0) {
        CHECK_OK(leat_get(fixture->engine, fixture->child, &info));
        for (size_t i = 0; info.progress_text[i] != '\0' && info.state == LEAT_JOB_RUNNING; i++) {
            CHECK_EQUAL(info.progress_text[i], 'a' + info.progress);
        }
    }
}

static void
read_meanwhile(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0, false);
    fixture->step = letters_step;
    fixture->child = test_submit_kept(fixture->engine, fixture->type);
    test_threads_run(3, letters, fixture);
    test_finish(fixture->engine);
    free(fixture);
}

/* ---- how long it has yet -------------------------------------------------------------------- */

static struct leat_outcome
deadline_step(struct leat_run *run, struct fixture *fixture)
{
    CHECK_EQUAL(leat_run_deadline(run), SECOND_NS);
    test_clock_pass(&fixture->clock, fixture->engine, SECOND_NS / 4);
    CHECK_EQUAL(leat_run_deadline(run), SECOND_NS / 4 * 3);
    test_clock_suspend(&fixture->clock, fixture->engine, SECOND_NS);
    CHECK_EQUAL(leat_run_deadline(run), SECOND_NS / 4 * 3);
    test_clock_pass(&fixture->clock, fixture->engine, SECOND_NS / 4 * 3 - 1);
    CHECK_EQUAL(leat_run_deadline(run), 1);
    test_clock_pass(&fixture->clock, fixture->engine, 1);
    CHECK_EQUAL(leat_run_deadline(run), 0);
    return fixture->runs == 1 ? leat_retry() : leat_done();
}

/* The watcher sees it at once, the handler asks late. */
static struct leat_outcome
late_step(struct leat_run *run, struct fixture *fixture)
{
    for (uint32_t i = 0; i < 8; i++) {
        test_clock_pass(&fixture->clock, fixture->engine, SECOND_NS / 4);
    }
    CHECK(leat_run_cancelled(run));
    CHECK_EQUAL(leat_run_deadline(run), 0);
    return leat_fail();
}

static struct leat_outcome
forever_step(struct leat_run *run, struct fixture *fixture)
{
    test_clock_pass(&fixture->clock, fixture->engine, SECOND_NS);
    CHECK_EQUAL(leat_run_deadline(run), LEAT_FOREVER);
    return leat_done();
}

static void
deadline(void **state)
{
    (void)state;
    struct fixture *fixture = setup(SECOND_NS, false);
    /* Each attempt has its own. */
    (void)play(fixture, deadline_step);
    CHECK(fixture->runs >= 2);
    free(fixture);
    fixture = setup(SECOND_NS, false);
    (void)play(fixture, late_step);
    free(fixture);
    fixture = setup(0, false);
    (void)play(fixture, forever_step);
    free(fixture);
}

/* ---- log lines ------------------------------------------------------------------------------ */

static struct leat_outcome
log_step(struct leat_run *run, struct fixture *fixture)
{
    CHECK_OK(leat_run_log(run, LEAT_LOG_DEBUG, "least"));
    CHECK_OK(leat_run_log(run, LEAT_LOG_ERROR, "most"));
    CHECK_STATUS(leat_run_log(run, (enum leat_log_level)(LEAT_LOG_ERROR + 1), "beyond"),
                 LEAT_INVALID);
    CHECK_STATUS(leat_run_log(run, LEAT_LOG_INFO, NULL), LEAT_INVALID);
    fixture->line_id = leat_run_id(run);
    return fixture->runs == 1 ? leat_retry() : leat_done();
}

static void
log_lines(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0, true);
    (void)play(fixture, log_step);
    CHECK_EQUAL(fixture->lines, 4);
    CHECK_EQUAL(fixture->line.id.bits, fixture->line_id.bits);
    CHECK_EQUAL(fixture->line.type.bits, fixture->type.bits);
    CHECK_EQUAL(fixture->line.attempt, 2);
    CHECK_EQUAL(fixture->line.level, LEAT_LOG_ERROR);
    CHECK_TEXT(fixture->text, "most");
    free(fixture);
    fixture = setup(0, false);
    (void)play(fixture, log_step);
    CHECK_EQUAL(fixture->lines, 0);
    free(fixture);
}

/* ---- children ------------------------------------------------------------------------------- */

static struct leat_outcome
child_step(struct leat_run *run, struct fixture *fixture)
{
    if (fixture->runs == 1) {
        struct leat_job job = leat_job_default();
        job.type = leat_run_type(run);
        CHECK_OK(leat_run_submit(run, &job, &fixture->child));
        CHECK_STATUS(leat_run_submit(run, NULL, NULL), LEAT_INVALID);
        fixture->parent = leat_run_id(run);
    } else {
        struct leat_job_info info = test_get(fixture->engine, leat_run_id(run));
        CHECK_EQUAL(leat_run_id(run).bits, fixture->child.bits);
        CHECK_EQUAL(info.submitter.bits, fixture->parent.bits);
    }
    return leat_done();
}

static void
children(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0, false);
    struct leat_job_info info = play(fixture, child_step);
    CHECK_EQUAL(fixture->runs, 2);
    CHECK_EQUAL(info.submitter.bits, 0);
    free(fixture);
}

/* Children with options of their own: those stay, and a submitter that they name. */
static struct leat_outcome
own_step(struct leat_run *run, struct fixture *fixture)
{
    static const char *const tags[] = {"tagged"};
    struct leat_job job = leat_job_default();
    struct leat_job_options options = leat_job_options_default();
    const leat_job_id other = {7};
    leat_job_id found[4];
    size_t count = 0;
    if (fixture->runs > 1) {
        return leat_done();
    }
    job.type = leat_run_type(run);
    job.options = &options;
    job.delay_ns = SECOND_NS;
    options.tags = tags;
    options.tags_count = 1;
    CHECK_OK(leat_run_submit(run, &job, &fixture->child));
    CHECK_EQUAL(options.submitter.bits, 0);
    options.submitter = other;
    CHECK_OK(leat_run_submit(run, &job, NULL));
    CHECK_OK(leat_submit(fixture->engine, &job, NULL));
    job.options = NULL;
    CHECK_OK(leat_submit(fixture->engine, &job, NULL)); /* nobody's */
    options.version++;
    job.options = &options;
    CHECK_STATUS(leat_run_submit(run, &job, NULL), LEAT_UNSUPPORTED);
    struct leat_job_query query = leat_job_query_default();
    query.submitter = leat_run_id(run);
    query.tag = "tagged";
    CHECK_OK(leat_job_list(fixture->engine, &query, found, 4, &count));
    CHECK_EQUAL(count, 1);
    CHECK_EQUAL(found[0].bits, fixture->child.bits);
    query = leat_job_query_default();
    query.submitter = other;
    CHECK_OK(leat_job_list(fixture->engine, &query, found, 4, &count));
    CHECK_EQUAL(count, 2);
    query.tag = "none";
    query.cursor = 0;
    CHECK_OK(leat_job_list(fixture->engine, &query, found, 4, &count));
    CHECK_EQUAL(count, 0);
    CHECK_OK(leat_purge_all(fixture->engine, &count));
    CHECK_EQUAL(count, 4);
    return leat_done();
}

static void
children_with_options(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0, false);
    (void)play(fixture, own_step);
    CHECK_EQUAL(fixture->runs, 1);
    free(fixture);
}

/* ---- why it fails --------------------------------------------------------------------------- */

static struct leat_outcome
because_step(struct leat_run *run, struct fixture *fixture)
{
    return fixture->runs == 1 ? leat_retry_because(run, "the line was busy")
                              : leat_fail_because(run, "there is no such address");
}

static struct leat_outcome
silent_step(struct leat_run *run, struct fixture *fixture)
{
    return fixture->runs == 1 ? leat_retry_because(run, "not said by the next one")
                              : leat_fail_because(run, NULL);
}

static void
reasons(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0, false);
    struct leat_job_info info = play(fixture, because_step);
    CHECK_EQUAL(fixture->runs, 2);
    CHECK_EQUAL(info.state, LEAT_JOB_DEAD);
    CHECK_EQUAL(info.reason, LEAT_REASON_FAILED);
    CHECK_TEXT(info.error, "there is no such address");
    free(fixture);
    fixture = setup(0, false);
    info = play(fixture, silent_step);
    CHECK_EQUAL(info.reason, LEAT_REASON_FAILED);
    CHECK_TEXT(info.error, "");
    free(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(progress),
        cmocka_unit_test(read_meanwhile),
        cmocka_unit_test(deadline),
        cmocka_unit_test(log_lines),
        cmocka_unit_test(children),
        cmocka_unit_test(reasons),
        cmocka_unit_test(children_with_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
