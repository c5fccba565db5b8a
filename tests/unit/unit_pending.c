/* unit_pending.c - attempts that end elsewhere: leat_complete() before and after the handler has
 * answered pending, with every outcome; tokens that no longer hold, or never did; a completion that
 * is refused leaves the token good; cancel, drain and stop while an attempt is pending. */
#include <stdlib.h>
#include <string.h>

#include "engine/timers.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/memory.h"
#include "tests/support/threads.h"

#define SHORT_NS (20 * TEST_MS)

struct fixture {
    struct leat_engine *engine;
    struct test_memory memory;
    leat_type type;
    leat_job_id id;
    leat_token tokens[8]; /* by attempt */
    leat_atomic_u32 runs;
    const char *handler_error;
    const struct leat_outcome *inside; /* completed so before the handler returns */
    enum leat_status inside_want;
    uint64_t time_ns; /* 0: none */
};

static struct leat_outcome
pending_run(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    uint32_t attempt = leat_run_attempt(run);
    CHECK(attempt < TEST_COUNT_OF(fixture->tokens));
    fixture->tokens[attempt] = leat_run_token(run);
    if (fixture->handler_error != NULL) {
        CHECK_OK(leat_run_error(run, fixture->handler_error));
    }
    if (fixture->inside != NULL) {
        CHECK_STATUS(
            leat_complete(fixture->engine, fixture->tokens[attempt], *fixture->inside, "inside"),
            fixture->inside_want);
    }
    /* What the handler wrote is there once the count is seen. */
    (void)atom_add_acq_rel(&fixture->runs, 1);
    return fixture->time_ns == 0 ? leat_pending() : leat_pending_for(fixture->time_ns);
}

static struct fixture *
setup(void)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct leat_config config = test_config();
    CHECK(fixture != NULL);
    test_memory_init(&fixture->memory);
    config.jobs_max = 128;
    config.allocator = test_memory_allocator(&fixture->memory);
    fixture->engine = test_start(&config);
    fixture->type = test_register(fixture->engine, "pending", pending_run, fixture);
    return fixture;
}

static void
teardown(struct fixture *fixture)
{
    test_close(fixture->engine);
    CHECK_EQUAL(test_memory_blocks(&fixture->memory), 0);
    free(fixture);
}

static bool
parked(void *argument)
{
    struct leat_worker_statistics worker = leat_worker_statistics_default();
    CHECK_OK(leat_worker_statistics_get(argument, 0, &worker));
    return worker.parked;
}

/* Waits until the handler has begun its n-th run, and has returned. */
static void
await_runs(struct fixture *fixture, uint32_t runs)
{
    uint64_t deadline_ns = test_now_ns() + TEST_PATIENCE_NS;
    while (atom_load_acq(&fixture->runs) < runs) {
        CHECK(test_now_ns() < deadline_ns);
        test_sleep_ns(TEST_MS / 10);
    }
    CHECK(test_until(parked, fixture->engine));
}

/* One kept job whose first attempt is pending. */
static void
begin(struct fixture *fixture)
{
    fixture->id = test_submit_kept(fixture->engine, fixture->type);
    await_runs(fixture, 1);
    CHECK_EQUAL(test_get(fixture->engine, fixture->id).state, LEAT_JOB_RUNNING);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_running, 1);
    CHECK_STATUS(leat_wait(fixture->engine, fixture->id, 0, NULL), LEAT_TIMEOUT);
}

static struct leat_job_info
ended(struct fixture *fixture, enum leat_job_state state)
{
    struct leat_job_info info = test_wait(fixture->engine, fixture->id);
    CHECK_EQUAL(info.state, state);
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_running, 0);
    return info;
}

/* Puts the rest of `patience` behind a case and closes. */
static void
finish(struct fixture *fixture, enum leat_job_state state, enum leat_reason reason,
       const char *error)
{
    struct leat_job_info info = ended(fixture, state);
    CHECK_EQUAL(info.reason, reason);
    CHECK_TEXT(info.error, error);
    teardown(fixture);
}

/* ---- outcomes ------------------------------------------------------------------------------- */

static void
after_the_handler(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    begin(fixture);
    CHECK_OK(leat_complete(fixture->engine, fixture->tokens[1], leat_done(), NULL));
    finish(fixture, LEAT_JOB_COMPLETED, LEAT_REASON_NONE, "");

    fixture = setup();
    begin(fixture);
    CHECK_OK(leat_complete(fixture->engine, fixture->tokens[1], leat_fail(), "lost it"));
    finish(fixture, LEAT_JOB_DEAD, LEAT_REASON_FAILED, "lost it");

    fixture = setup();
    begin(fixture);
    CHECK_OK(leat_complete(fixture->engine, fixture->tokens[1], leat_done(), "with a remark"));
    finish(fixture, LEAT_JOB_COMPLETED, LEAT_REASON_NONE, "with a remark");
}

static void
before_the_handler_returns(void **state)
{
    (void)state;
    const struct leat_outcome outcomes[] = {leat_done(), leat_fail()};
    for (size_t i = 0; i < TEST_COUNT_OF(outcomes); i++) {
        struct fixture *fixture = setup();
        fixture->inside = &outcomes[i];
        fixture->id = test_submit_kept(fixture->engine, fixture->type);
        struct leat_job_info info = test_wait(fixture->engine, fixture->id);
        CHECK_EQUAL(info.state, i == 0 ? LEAT_JOB_COMPLETED : LEAT_JOB_DEAD);
        CHECK_EQUAL(info.attempts, 1);
        CHECK_TEXT(info.error, "inside");
        CHECK_STATUS(leat_complete(fixture->engine, fixture->tokens[1], leat_done(), NULL),
                     LEAT_STALE);
        CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
        teardown(fixture);
    }
}

/* A retry said inside comes after the handler's return, with a new token. */
static void
retry_before_the_handler_returns(void **state)
{
    (void)state;
    const struct leat_outcome outcome = leat_retry();
    struct fixture *fixture = setup();
    fixture->inside = &outcome;
    fixture->id = test_submit_kept(fixture->engine, fixture->type);
    struct leat_job_info info = ended(fixture, LEAT_JOB_DEAD);
    CHECK_EQUAL(info.reason, LEAT_REASON_ATTEMPTS);
    CHECK_EQUAL(info.attempts, 3);
    CHECK_EQUAL(atom_load_rlx(&fixture->runs), 3);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_retried, 2);
    teardown(fixture);
}

static void
retries(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    begin(fixture);
    for (uint32_t attempt = 1; attempt <= 3; attempt++) {
        await_runs(fixture, attempt);
        CHECK_EQUAL(test_get(fixture->engine, fixture->id).attempts, attempt);
        for (uint32_t before = 1; before < attempt; before++) {
            CHECK_STATUS(leat_complete(fixture->engine, fixture->tokens[before], leat_done(), NULL),
                         LEAT_STALE);
        }
        CHECK_OK(leat_complete(fixture->engine, fixture->tokens[attempt], leat_retry_in(0), NULL));
    }
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_retried, 2);
    finish(fixture, LEAT_JOB_DEAD, LEAT_REASON_ATTEMPTS, "");
}

/* ---- texts ---------------------------------------------------------------------------------- */

static void
error_texts(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    fixture->handler_error = "said by the handler";
    begin(fixture);
    CHECK_OK(leat_complete(fixture->engine, fixture->tokens[1], leat_fail(), NULL));
    finish(fixture, LEAT_JOB_DEAD, LEAT_REASON_FAILED, "said by the handler");

    fixture = setup();
    fixture->handler_error = "said by the handler";
    begin(fixture);
    CHECK_OK(leat_complete(fixture->engine, fixture->tokens[1], leat_fail(), "said later"));
    finish(fixture, LEAT_JOB_DEAD, LEAT_REASON_FAILED, "said later");
}

/* The error is of the last attempt, also where an earlier one was completed with a text. */
static void
error_is_of_the_last_attempt(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    begin(fixture);
    fixture->handler_error = "second attempt";
    CHECK_OK(leat_complete(fixture->engine, fixture->tokens[1], leat_retry(), "first attempt"));
    await_runs(fixture, 2);
    CHECK_OK(leat_complete(fixture->engine, fixture->tokens[2], leat_fail(), NULL));
    finish(fixture, LEAT_JOB_DEAD, LEAT_REASON_FAILED, "second attempt");
}

/* Also where the job is cancelled before there is another one; and what a record says of the job
 * that had it before is not said of the next one. */
static void
error_of_a_job_that_waits(void **state)
{
    (void)state;
    const struct leat_outcome outcomes[] = {leat_retry_in(LEAT_FOREVER - 1),
                                            leat_snooze(LEAT_FOREVER - 1)};
    for (size_t i = 0; i < TEST_COUNT_OF(outcomes); i++) {
        struct fixture *fixture = setup();
        begin(fixture);
        CHECK_OK(leat_complete(fixture->engine, fixture->tokens[1], outcomes[i], "said later"));
        CHECK_OK(leat_cancel(fixture->engine, fixture->id));
        finish(fixture, LEAT_JOB_CANCELLED, LEAT_REASON_NONE, "said later");
    }
    struct fixture *fixture = setup();
    begin(fixture);
    CHECK_OK(leat_complete(fixture->engine, fixture->tokens[1], leat_fail(), "of the first job"));
    (void)test_wait(fixture->engine, fixture->id);
    fixture->handler_error = "said by the handler";
    atom_store_rel(&fixture->runs, 0);
    begin(fixture);
    CHECK_OK(leat_complete(fixture->engine, fixture->tokens[1], outcomes[0], NULL));
    CHECK_OK(leat_cancel(fixture->engine, fixture->id));
    finish(fixture, LEAT_JOB_CANCELLED, LEAT_REASON_NONE, "said by the handler");
}

/* ---- tokens that do not hold ---------------------------------------------------------------- */

static void
stale_tokens(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    begin(fixture);
    static const uint64_t wrong[] = {0, 2, 65, 65537, UINT64_MAX, (UINT64_C(1) << 32) + 1};
    for (size_t i = 0; i < TEST_COUNT_OF(wrong); i++) {
        leat_token token = {fixture->id.bits, wrong[i]};
        CHECK_STATUS(leat_complete(fixture->engine, token, leat_done(), "x"), LEAT_STALE);
    }
    static const uint64_t never[] = {0, 1, UINT64_MAX, 63, 64, UINT64_C(5) << 26 | 60};
    for (size_t i = 0; i < TEST_COUNT_OF(never); i++) {
        leat_token token = {never[i], 1};
        CHECK_STATUS(leat_complete(fixture->engine, token, leat_done(), "x"), LEAT_NOT_FOUND);
    }
    CHECK_EQUAL(test_get(fixture->engine, fixture->id).state, LEAT_JOB_RUNNING);
    CHECK_OK(leat_complete(fixture->engine, fixture->tokens[1], leat_done(), NULL));
    CHECK_STATUS(leat_complete(fixture->engine, fixture->tokens[1], leat_done(), NULL), LEAT_STALE);
    CHECK_STATUS(leat_complete(fixture->engine, fixture->tokens[1], leat_retry(), "y"), LEAT_STALE);
    CHECK_TEXT(ended(fixture, LEAT_JOB_COMPLETED).error, "");
    CHECK_OK(leat_release(fixture->engine, fixture->id));
    CHECK_STATUS(leat_complete(fixture->engine, fixture->tokens[1], leat_done(), NULL), LEAT_GONE);
    teardown(fixture);
}

/* A token made up for a job that waits. */
static void
token_of_a_waiting_job(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    struct leat_engine *engine = test_open(&config);
    leat_type type = test_register(engine, "pending", pending_run, NULL);
    leat_token token = {test_submit(engine, type).bits, 1};
    CHECK_STATUS(leat_complete(engine, token, leat_done(), NULL), LEAT_STALE);
    token.attempt = 0;
    CHECK_STATUS(leat_complete(engine, token, leat_done(), NULL), LEAT_STALE);
    test_close(engine);
}

/* ---- refused, and the token still holds ----------------------------------------------------- */

static void
outcomes_refused(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    const struct {
        struct leat_outcome outcome;
        enum leat_status want;
    } cases[] = {
        {leat_pending(), LEAT_INVALID},
        {leat_outcome_of((enum leat_outcome_kind)0, 0), LEAT_INVALID},
        {leat_outcome_of((enum leat_outcome_kind)6, 0), LEAT_INVALID},
    };
    begin(fixture);
    for (size_t i = 0; i < TEST_COUNT_OF(cases); i++) {
        CHECK_STATUS(leat_complete(fixture->engine, fixture->tokens[1], cases[i].outcome, "x"),
                     cases[i].want);
        CHECK_EQUAL(test_get(fixture->engine, fixture->id).state, LEAT_JOB_RUNNING);
    }
    CHECK_OK(leat_complete(fixture->engine, fixture->tokens[1], leat_done(), NULL));
    finish(fixture, LEAT_JOB_COMPLETED, LEAT_REASON_NONE, "");
}

static void
no_memory_for_the_text(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    begin(fixture);
    test_memory_fail(&fixture->memory, 0, true);
    CHECK_STATUS(leat_complete(fixture->engine, fixture->tokens[1], leat_fail(), "text"),
                 LEAT_NO_MEMORY);
    CHECK_STATUS(leat_complete(fixture->engine, fixture->tokens[1], leat_retry(), "text"),
                 LEAT_NO_MEMORY);
    test_memory_heal(&fixture->memory);
    CHECK_EQUAL(test_get(fixture->engine, fixture->id).state, LEAT_JOB_RUNNING);
    CHECK_OK(leat_complete(fixture->engine, fixture->tokens[1], leat_fail(), "text"));
    finish(fixture, LEAT_JOB_DEAD, LEAT_REASON_FAILED, "text");
}

static struct leat_outcome
gate_run(struct leat_run *run, void *context)
{
    (void)run;
    test_gate_wait(context);
    return leat_done();
}

/* The only worker is held, and the ring of the job's level filled behind its back: the retry is
 * listed, and comes behind what was there. */
static void
no_room_for_the_retry(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct test_gate gate;
    test_gate_init(&gate);
    leat_type held = test_register(fixture->engine, "held", gate_run, &gate);
    begin(fixture);
    (void)test_submit(fixture->engine, held);
    test_gate_arrivals(&gate, 1);
    for (uint32_t i = 0; i < 64; i++) {
        (void)test_submit(fixture->engine, held);
    }
    CHECK_OK(leat_complete(fixture->engine, fixture->tokens[1], leat_retry(), NULL));
    struct leat_job_info info = test_get(fixture->engine, fixture->id);
    CHECK_EQUAL(info.state, LEAT_JOB_PENDING);
    CHECK_EQUAL(info.attempts, 1);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_retried, 1);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_waiting, 65);
    CHECK_STATUS(leat_complete(fixture->engine, fixture->tokens[1], leat_retry(), NULL),
                 LEAT_STALE);
    test_gate_open(&gate);
    await_runs(fixture, 2);
    CHECK_OK(leat_complete(fixture->engine, fixture->tokens[2], leat_done(), NULL));
    finish(fixture, LEAT_JOB_COMPLETED, LEAT_REASON_NONE, "");
    test_gate_fini(&gate);
}

/* ---- cancel, drain, stop -------------------------------------------------------------------- */

static void
cancelled_while_pending(void **state)
{
    (void)state;
    const struct leat_outcome outcomes[] = {leat_done(), leat_fail(), leat_retry()};
    for (size_t i = 0; i < TEST_COUNT_OF(outcomes); i++) {
        struct fixture *fixture = setup();
        begin(fixture);
        CHECK_STATUS(leat_cancel(fixture->engine, fixture->id), LEAT_RUNNING);
        CHECK(test_get(fixture->engine, fixture->id).cancel_requested);
        CHECK_OK(leat_complete(fixture->engine, fixture->tokens[1], outcomes[i], NULL));
        /* Only done ends otherwise than cancelled. */
        struct leat_job_info info =
            ended(fixture, i == 0 ? LEAT_JOB_COMPLETED : LEAT_JOB_CANCELLED);
        CHECK_EQUAL(info.reason, LEAT_REASON_NONE);
        CHECK_EQUAL(atom_load_rlx(&fixture->runs), 1);
        CHECK_EQUAL(test_statistics(fixture->engine).jobs_cancelled, i == 0 ? 0 : 1);
        teardown(fixture);
    }
}

static void
complete_later(void *shared, uint32_t number)
{
    struct fixture *fixture = shared;
    if (number == 0) {
        CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
        CHECK_EQUAL(test_get(fixture->engine, fixture->id).state, LEAT_JOB_COMPLETED);
    } else {
        test_sleep_ns(SHORT_NS);
        CHECK_OK(leat_complete(fixture->engine, fixture->tokens[1], leat_retry(), NULL));
        await_runs(fixture, 2);
        test_sleep_ns(SHORT_NS);
        CHECK_OK(leat_complete(fixture->engine, fixture->tokens[2], leat_done(), NULL));
    }
}

static void
drain_waits(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    begin(fixture);
    CHECK_STATUS(leat_drain(fixture->engine, SHORT_NS), LEAT_TIMEOUT);
    test_threads_run(2, complete_later, fixture);
    CHECK_EQUAL(test_get(fixture->engine, fixture->id).attempts, 2);
    teardown(fixture);
}

/* No handler runs, so a stop has nothing to wait for; the token holds over it. */
static void
over_a_stop(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    begin(fixture);
    CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
    CHECK_EQUAL(test_get(fixture->engine, fixture->id).state, LEAT_JOB_RUNNING);
    test_engine_check(fixture->engine);
    CHECK_OK(leat_complete(fixture->engine, fixture->tokens[1], leat_retry(), NULL));
    CHECK_EQUAL(test_get(fixture->engine, fixture->id).state, LEAT_JOB_PENDING);
    test_sleep_ns(SHORT_NS);
    CHECK_EQUAL(atom_load_rlx(&fixture->runs), 1);
    CHECK_OK(leat_start(fixture->engine));
    await_runs(fixture, 2);
    CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
    CHECK_OK(leat_complete(fixture->engine, fixture->tokens[2], leat_done(), NULL));
    struct leat_job_info info = test_wait(fixture->engine, fixture->id);
    CHECK_EQUAL(info.state, LEAT_JOB_COMPLETED);
    CHECK_EQUAL(info.attempts, 2);
    CHECK_OK(leat_release(fixture->engine, fixture->id));
    teardown(fixture);
}

/* By the system's clock; unit_pending_time has it to one tick. */
static void
times_run_out(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    uint64_t start_ns = test_now_ns();
    fixture->time_ns = SHORT_NS;
    fixture->id = test_submit_kept(fixture->engine, fixture->type);
    CHECK_OK(leat_drain(fixture->engine, TEST_PATIENCE_NS));
    CHECK(test_now_ns() - start_ns >= 3 * SHORT_NS);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_timed_out, 3);
    finish(fixture, LEAT_JOB_DEAD, LEAT_REASON_TIMEOUT, "");
}

/* Closed while an attempt is pending: nothing is left behind. */
static void
over_a_close(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    fixture->handler_error = "text";
    begin(fixture);
    teardown(fixture);
}

/* ---- what is kept until the handler answers ------------------------------------------------ */

/* Answers of the run, and what is there for them. */
static void
answers_check(struct leat_run *run)
{
    const uint64_t exact = (UINT64_C(1) << 46) - 2; /* 19 hours */
    const uint64_t unit = UINT64_C(1) << 15;
    const uint64_t delays[] = {
        0, 1, SHORT_NS, exact, exact + 1, exact + 2, LEAT_RETRY_NS_MAX, UINT64_C(1) << 60,
    };
    for (size_t i = 0; i < 2 * TEST_COUNT_OF(delays); i++) {
        uint64_t delay_ns = delays[i / 2];
        struct leat_outcome said = i % 2 == 0 ? leat_snooze(delay_ns) : leat_retry_in(delay_ns);
        CHECK_EQUAL(leat_timers_answer_keep(run, said), LEAT_OUTCOME_RETRY);
        struct leat_outcome is = leat_timers_answer(run->engine, run->index, LEAT_OUTCOME_RETRY);
        CHECK_EQUAL(is.kind, said.kind);
        CHECK(is.delay_ns >= delay_ns);
        CHECK(is.delay_ns - delay_ns < (delay_ns > exact ? unit : 1));
    }
    CHECK_EQUAL(leat_timers_answer_keep(run, leat_retry()), LEAT_OUTCOME_RETRY);
    struct leat_outcome is = leat_timers_answer(run->engine, run->index, LEAT_OUTCOME_RETRY);
    CHECK_EQUAL(is.kind, LEAT_OUTCOME_RETRY);
    CHECK_EQUAL(is.delay_ns, LEAT_DELAY_OF_POLICY);
}

/* The second run is completed while its handler is at work, and then a completion of the first run
 * goes on that stood between its claim and what it says. */
static struct leat_outcome
overtaken_run(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    struct leat_run late = *run;
    if (leat_run_attempt(run) == 1) {
        return leat_retry_in(0);
    }
    late.number = 1;
    CHECK_OK(leat_complete(fixture->engine, leat_run_token(run), leat_fail(), NULL));
    answers_check(run);
    CHECK_EQUAL(leat_timers_answer_keep(run, leat_snooze(3600000 * TEST_MS)), LEAT_OUTCOME_RETRY);
    CHECK_EQUAL(leat_timers_answer_keep(&late, leat_retry_in(0)), LEAT_OUTCOME_RETRY);
    struct leat_outcome is = leat_timers_answer(run->engine, run->index, LEAT_OUTCOME_RETRY);
    CHECK_EQUAL(is.kind, LEAT_OUTCOME_SNOOZE);
    CHECK_EQUAL(is.delay_ns, 3600000 * TEST_MS);
    return leat_pending();
}

static void
a_late_completion_changes_no_answer(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    fixture->type = test_register(fixture->engine, "overtaken", overtaken_run, fixture);
    fixture->id = test_submit_kept(fixture->engine, fixture->type);
    (void)ended(fixture, LEAT_JOB_DEAD);
    teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(after_the_handler),
        cmocka_unit_test(before_the_handler_returns),
        cmocka_unit_test(retry_before_the_handler_returns),
        cmocka_unit_test(retries),
        cmocka_unit_test(error_texts),
        cmocka_unit_test(error_is_of_the_last_attempt),
        cmocka_unit_test(error_of_a_job_that_waits),
        cmocka_unit_test(stale_tokens),
        cmocka_unit_test(token_of_a_waiting_job),
        cmocka_unit_test(outcomes_refused),
        cmocka_unit_test(no_memory_for_the_text),
        cmocka_unit_test(no_room_for_the_retry),
        cmocka_unit_test(cancelled_while_pending),
        cmocka_unit_test(drain_waits),
        cmocka_unit_test(over_a_stop),
        cmocka_unit_test(times_run_out),
        cmocka_unit_test(over_a_close),
        cmocka_unit_test(a_late_completion_changes_no_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
