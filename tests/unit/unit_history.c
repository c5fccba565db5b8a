/* unit_history.c - the last attempts of a job: none of one that succeeds at once, all up to the
 * eighth, the last eight of more; what each came to, when, for how long, where and why; live,
 * ended, dead and brought back; one answer that came too late counts once; what is known of its
 * begin. */
#include <string.h>

#include "engine/dead.h"
#include "engine/history.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory.h"

#define S    UINT64_C(1000000000)
#define KEPT LEAT_ATTEMPTS_KEPT

struct fixture {
    struct test_clock clock;
    struct test_memory memory;
    struct leat_engine *engine;
    leat_type type;
    uint32_t fails; /* attempts that fail; then it is done */
    uint32_t runs;
    struct leat_outcome answer;
    uint64_t takes_ns;
    bool silent;
    leat_token token;
    struct leat_attempt_info infos[KEPT + 1];
    size_t count;
};

static struct leat_outcome
run(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    char text[16];
    fixture->runs++;
    fixture->token = leat_run_token(run);
    test_clock_pass(&fixture->clock, fixture->engine, fixture->takes_ns);
    if (fixture->runs > fixture->fails) {
        return leat_done();
    }
    (void)snprintf(text, sizeof(text), "no %u", fixture->runs);
    if (!fixture->silent) {
        CHECK_OK(leat_run_error(run, text));
    }
    return fixture->answer;
}

static struct fixture *
setup(uint32_t fails, uint32_t max_attempts)
{
    static struct fixture fixture;
    struct leat_config config = test_config();
    struct leat_type_options options = leat_type_options_default();
    const struct leat_retry_policy at_once = leat_retry_fixed(0);
    memset(&fixture, 0, sizeof(fixture));
    test_clock_init(&fixture.clock);
    test_memory_init(&fixture.memory);
    config.workers = 0;
    config.clock = test_clock_of(&fixture.clock);
    config.allocator = test_memory_allocator(&fixture.memory);
    fixture.engine = test_start(&config);
    fixture.fails = fails;
    fixture.answer = leat_retry();
    fixture.takes_ns = S;
    options.retry = &at_once;
    options.max_attempts = max_attempts;
    CHECK_OK(leat_type_register(fixture.engine, "t", run, &fixture, &options, &fixture.type));
    for (size_t i = 0; i < KEPT + 1; i++) {
        fixture.infos[i] = leat_attempt_info_default();
    }
    return &fixture;
}

static void
teardown(struct fixture *fixture)
{
    test_close(fixture->engine);
    CHECK_EQUAL(test_memory_blocks(&fixture->memory), 0);
}

static void
run_all(struct fixture *fixture)
{
    while (leat_run_some(fixture->engine, 100, NULL) == LEAT_OK) {
    }
}

static size_t
look(struct fixture *fixture, leat_job_id id)
{
    CHECK_OK(leat_job_attempts(fixture->engine, id, fixture->infos, KEPT + 1, &fixture->count));
    return fixture->count;
}

static struct leat_job_extra *
extra_of(struct fixture *fixture, leat_job_id id)
{
    uint32_t index = 0;
    CHECK_OK(leat_job_locate(fixture->engine, id, &index));
    return leat_job_extra(leat_job_record(fixture->engine, index));
}

/* ---- how many ------------------------------------------------------------------------------- */

static void
none_of_one_that_succeeds(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0, 3);
    leat_job_id id = test_submit_kept(fixture->engine, fixture->type);
    CHECK_EQUAL(look(fixture, id), 0);
    run_all(fixture);
    CHECK_EQUAL(look(fixture, id), 0);
    CHECK(extra_of(fixture, id) == NULL);
    CHECK_OK(leat_release(fixture->engine, id));
    teardown(fixture);
}

/* One that failed and then succeeded: its last attempt is there, too. */
static void
below_at_and_above_eight(void **state)
{
    (void)state;
    for (uint32_t fails = 1; fails < 2 * KEPT + 3; fails++) {
        struct fixture *fixture = setup(fails, 100);
        leat_job_id id = test_submit_kept(fixture->engine, fixture->type);
        run_all(fixture);
        uint32_t all = fails + 1;
        uint32_t kept = all < KEPT ? all : KEPT;
        CHECK_EQUAL(look(fixture, id), kept);
        for (uint32_t i = 0; i < kept; i++) {
            const struct leat_attempt_info *info = &fixture->infos[i];
            char text[16] = "";
            uint32_t attempt = all - kept + i + 1;
            bool failed = attempt <= fails;
            if (failed) {
                (void)snprintf(text, sizeof(text), "no %u", attempt);
            }
            CHECK_EQUAL(info->attempt, attempt);
            CHECK_EQUAL(info->outcome, failed ? LEAT_OUTCOME_RETRY : LEAT_OUTCOME_DONE);
            CHECK_TEXT(info->error, text);
            CHECK_EQUAL(info->worker, 0);
            CHECK(!info->timed_out);
            /* The fake clock is not what the statistics read. */
            CHECK_EQUAL(info->duration_ns, attempt == 1 ? 0 : S);
            CHECK(attempt == 1 ? info->started_unix_ns == 0
                               : info->ended_unix_ns - info->started_unix_ns == S);
            CHECK(i == 0 || info->ended_unix_ns - fixture->infos[i - 1].ended_unix_ns == S);
        }
        CHECK_EQUAL(fixture->infos[kept - 1].ended_unix_ns, atom_load_rlx(&fixture->clock.wall));
        CHECK_OK(leat_release(fixture->engine, id));
        teardown(fixture);
    }
}

static void
few_are_the_newest(void **state)
{
    (void)state;
    struct fixture *fixture = setup(5, 5);
    leat_job_id id = test_submit(fixture->engine, fixture->type);
    run_all(fixture);
    for (size_t capacity = 1; capacity <= KEPT; capacity++) {
        size_t count = 0;
        CHECK_OK(leat_job_attempts(fixture->engine, id, fixture->infos, capacity, &count));
        CHECK_EQUAL(count, capacity < 5 ? capacity : 5);
        CHECK_EQUAL(fixture->infos[count - 1].attempt, 5);
        CHECK_EQUAL(fixture->infos[0].attempt, 5 - count + 1);
    }
    teardown(fixture);
}

/* ---- what ----------------------------------------------------------------------------------- */

static void
live_dead_and_brought_back(void **state)
{
    (void)state;
    struct fixture *fixture = setup(3, 2);
    fixture->answer = leat_retry_in(S);
    leat_job_id id = test_submit_kept(fixture->engine, fixture->type);
    run_all(fixture);
    CHECK_EQUAL(test_get(fixture->engine, id).state, LEAT_JOB_RETRYING);
    CHECK_EQUAL(look(fixture, id), 1);
    test_clock_pass(&fixture->clock, fixture->engine, 2 * S);
    run_all(fixture);
    CHECK_EQUAL(test_get(fixture->engine, id).state, LEAT_JOB_DEAD);
    CHECK_EQUAL(look(fixture, id), 2);
    CHECK_EQUAL(fixture->infos[0].attempt, 1);
    CHECK_EQUAL(fixture->infos[1].attempt, 2);
    CHECK_OK(leat_dead_retry(fixture->engine, id, leat_when_now()));
    fixture->answer = leat_fail();
    run_all(fixture);
    CHECK_EQUAL(look(fixture, id), 3);
    CHECK_EQUAL(fixture->infos[2].attempt, 1);
    CHECK_EQUAL(fixture->infos[2].outcome, LEAT_OUTCOME_FAIL);
    CHECK_TEXT(fixture->infos[2].error, "no 3");
    CHECK_OK(leat_release(fixture->engine, id));
    teardown(fixture);
}

/* done() that came too late is a failure, and one attempt. */
static void
too_late_counts_once(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1, 3);
    fixture->takes_ns = 61 * S; /* longer than its timeout, and seen twice */
    leat_job_id id = test_submit_kept(fixture->engine, fixture->type);
    fixture->fails = 1;
    test_clock_pass(&fixture->clock, fixture->engine, 1);
    CHECK_OK(leat_run_some(fixture->engine, 1, NULL));
    fixture->takes_ns = 0;
    run_all(fixture);
    CHECK_EQUAL(look(fixture, id), 2);
    CHECK_EQUAL(fixture->infos[0].attempt, 1);
    CHECK_EQUAL(fixture->infos[0].outcome, LEAT_OUTCOME_RETRY);
    CHECK_EQUAL(fixture->infos[1].outcome, LEAT_OUTCOME_DONE);
    CHECK_OK(leat_release(fixture->engine, id));
    teardown(fixture);
}

static void
ended_from_outside(void **state)
{
    (void)state;
    struct fixture *fixture = setup(3, 3);
    fixture->answer = leat_pending_for(S);
    leat_job_id id = test_submit_kept(fixture->engine, fixture->type);
    CHECK_OK(leat_run_some(fixture->engine, 1, NULL));
    CHECK_EQUAL(look(fixture, id), 0);
    CHECK_OK(leat_complete(fixture->engine, fixture->token, leat_retry_in(0), "from elsewhere"));
    CHECK_EQUAL(look(fixture, id), 1);
    CHECK_TEXT(fixture->infos[0].error, "from elsewhere");
    CHECK_EQUAL(fixture->infos[0].worker, LEAT_WORKER_OUTSIDE);
    CHECK_EQUAL(fixture->infos[0].duration_ns, 0);
    fixture->silent = true;
    CHECK_OK(leat_run_some(fixture->engine, 1, NULL));
    test_clock_pass(&fixture->clock, fixture->engine, 2 * S);
    CHECK_OK(leat_run_some(fixture->engine, 1, NULL));
    CHECK_EQUAL(look(fixture, id), 2);
    CHECK(fixture->infos[1].timed_out);
    CHECK_EQUAL(fixture->infos[1].outcome, LEAT_OUTCOME_RETRY);
    CHECK_TEXT(fixture->infos[1].error, "");
    CHECK_OK(leat_complete(fixture->engine, fixture->token, leat_fail(), NULL));
    CHECK_EQUAL(look(fixture, id), 3);
    CHECK_EQUAL(fixture->infos[2].outcome, LEAT_OUTCOME_FAIL);
    CHECK_OK(leat_release(fixture->engine, id));
    teardown(fixture);
}

/* With the system's clock a timed attempt knows its begin, also the first one. */
static void
timed(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1, 1);
    struct leat_config config = test_config();
    config.workers = 0;
    test_close(fixture->engine);
    fixture->takes_ns = 0;
    fixture->engine = test_start(&config);
    fixture->type = test_register(fixture->engine, "t", run, fixture);
    fixture->answer = leat_fail();
    leat_job_id id = test_submit(fixture->engine, fixture->type);
    run_all(fixture);
    CHECK_EQUAL(look(fixture, id), 1);
    CHECK(fixture->infos[0].duration_ns != 0);
    CHECK(fixture->infos[0].duration_ns < 60 * S);
    CHECK_EQUAL(fixture->infos[0].ended_unix_ns - fixture->infos[0].started_unix_ns,
                fixture->infos[0].duration_ns);
    teardown(fixture);
}

/* ---- refusals ------------------------------------------------------------------------------- */

static void
bad_arguments(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1, 1);
    size_t count = 7;
    leat_job_id none = {0};
    leat_job_id id = test_submit(fixture->engine, fixture->type);
    run_all(fixture);
    struct leat_attempt_info *infos = fixture->infos;
    CHECK_STATUS(leat_job_attempts(NULL, id, infos, 1, &count), LEAT_INVALID);
    CHECK_STATUS(leat_job_attempts(fixture->engine, id, NULL, 1, &count), LEAT_INVALID);
    CHECK_STATUS(leat_job_attempts(fixture->engine, id, infos, 0, &count), LEAT_INVALID);
    CHECK_STATUS(leat_job_attempts(fixture->engine, id, infos, 1, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_job_attempts(fixture->engine, none, infos, 1, &count), LEAT_NOT_FOUND);
    infos->size = 4;
    CHECK_STATUS(leat_job_attempts(fixture->engine, id, infos, 1, &count), LEAT_INVALID);
    *infos = leat_attempt_info_default();
    infos->version++;
    CHECK_STATUS(leat_job_attempts(fixture->engine, id, infos, 1, &count), LEAT_UNSUPPORTED);
    CHECK_EQUAL(count, 7);
    *infos = leat_attempt_info_default();
    CHECK_OK(leat_dead_delete(fixture->engine, id));
    CHECK_STATUS(leat_job_attempts(fixture->engine, id, infos, 1, &count), LEAT_GONE);
    teardown(fixture);
}

/* Elements of another header's size. */
static void
other_sizes(void **state)
{
    (void)state;
    struct fixture *fixture = setup(2, 2);
    struct leat_attempt_info infos[2];
    unsigned char *bytes = (unsigned char *)infos;
    size_t count = 0;
    leat_job_id id = test_submit(fixture->engine, fixture->type);
    run_all(fixture);
    memset(infos, 0, sizeof(infos));
    infos->size = 16;
    infos->version = LEAT_STRUCT_VERSION;
    CHECK_OK(leat_job_attempts(fixture->engine, id, infos, 2, &count));
    CHECK_EQUAL(count, 2);
    uint32_t second[4];
    memcpy(second, bytes + 16, sizeof(second));
    CHECK_EQUAL(second[0], 16);
    CHECK_EQUAL(second[2], 2);
    teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(none_of_one_that_succeeds),
        cmocka_unit_test(below_at_and_above_eight),
        cmocka_unit_test(few_are_the_newest),
        cmocka_unit_test(live_dead_and_brought_back),
        cmocka_unit_test(too_late_counts_once),
        cmocka_unit_test(ended_from_outside),
        cmocka_unit_test(timed),
        cmocka_unit_test(bad_arguments),
        cmocka_unit_test(other_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
