/* unit_answer.c - leat_complete_with(): each outcome with an error and a result; a result of no, of
 * the most, and of too many bytes; one that nobody keeps; an attempt that its caller timed out; a
 * handler that has not returned; tokens that no longer hold; what may not be. What is refused
 * changes nothing, and the token holds. */
#include <stdlib.h>
#include <string.h>

#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/memory.h"
#include "tests/support/threads.h"

#define RESULT_BYTES_MAX 4096u

struct fixture {
    struct leat_engine *engine;
    struct test_memory memory;
    leat_job_id id;
    leat_token token; /* of the last attempt */
    leat_atomic_u32 runs;
    const struct leat_answer *inside; /* refused with WRONG_STATE before the handler returns */
};

static struct leat_outcome
pending_run(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    fixture->token = leat_run_token(run);
    if (fixture->inside != NULL) {
        CHECK_STATUS(leat_complete_with(fixture->engine, fixture->token, fixture->inside),
                     LEAT_WRONG_STATE);
    }
    /* What the handler wrote is there once the count is seen. */
    (void)atom_add_acq_rel(&fixture->runs, 1);
    return leat_pending();
}

static bool
parked(void *argument)
{
    struct leat_worker_statistics worker = leat_worker_statistics_default();
    CHECK_OK(leat_worker_statistics_get(argument, 0, &worker));
    return worker.parked;
}

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

/* One job of two attempts, the first of which is pending. */
static struct fixture *
begin(uint32_t flags, const struct leat_answer *inside)
{
    static const struct leat_retry_policy at_once = {
        .size = sizeof(at_once), .version = LEAT_STRUCT_VERSION, .kind = LEAT_RETRY_FIXED};
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct leat_type_options options = leat_type_options_default();
    struct leat_config config = test_config();
    struct leat_job job = leat_job_default();
    CHECK(fixture != NULL);
    test_memory_init(&fixture->memory);
    fixture->inside = inside;
    config.allocator = test_memory_allocator(&fixture->memory);
    config.payload_bytes_max = RESULT_BYTES_MAX;
    fixture->engine = test_start(&config);
    options.retry = &at_once;
    options.max_attempts = 2;
    CHECK_OK(leat_type_register(fixture->engine, "t", pending_run, fixture, &options, &job.type));
    job.flags = flags;
    CHECK_OK(leat_submit(fixture->engine, &job, &fixture->id));
    await_runs(fixture, 1);
    return fixture;
}

static void
end(struct fixture *fixture)
{
    test_finish(fixture->engine);
    CHECK_EQUAL(test_memory_blocks(&fixture->memory), 0);
    free(fixture);
}

static struct leat_answer
answer_of(struct leat_outcome outcome, const char *error, const char *result)
{
    struct leat_answer answer = leat_answer_default();
    answer.outcome = outcome;
    answer.error = error;
    answer.result = result;
    answer.result_bytes = result == NULL ? 0 : strlen(result);
    return answer;
}

static void
answers(struct fixture *fixture, const struct leat_answer *answer)
{
    leat_token token = fixture->token;
    CHECK_OK(leat_complete_with(fixture->engine, token, answer));
    enum leat_status status = leat_complete_with(fixture->engine, token, answer);
    CHECK(status == LEAT_STALE || status == LEAT_GONE);
}

static void
has_ended(struct fixture *fixture, enum leat_job_state state, enum leat_reason reason,
          const char *error, const char *result)
{
    static char got[RESULT_BYTES_MAX];
    size_t bytes = 0;
    struct leat_job_info info = test_wait(fixture->engine, fixture->id);
    CHECK_EQUAL(info.state, state);
    CHECK_EQUAL(info.reason, reason);
    CHECK_TEXT(info.error, error);
    CHECK_OK(leat_result(fixture->engine, fixture->id, got, sizeof(got), &bytes));
    CHECK_EQUAL(bytes, strlen(result));
    CHECK(memcmp(got, result, bytes) == 0);
}

static void
each_outcome_has_error_and_result(void **state)
{
    struct leat_answer retry = answer_of(leat_retry(), "first", "one");
    struct leat_answer done = answer_of(leat_done(), "remark", "two");
    struct leat_answer fail = answer_of(leat_fail(), "lost", "three");
    struct leat_answer snooze = answer_of(leat_snooze(0), NULL, "four");
    struct leat_answer bare = answer_of(leat_done(), NULL, NULL);
    (void)state;
    struct fixture *fixture = begin(LEAT_JOB_KEEP_RESULT, NULL);
    answers(fixture, &retry);
    await_runs(fixture, 2);
    answers(fixture, &done);
    has_ended(fixture, LEAT_JOB_COMPLETED, LEAT_REASON_NONE, "remark", "two");
    end(fixture);

    fixture = begin(LEAT_JOB_KEEP_RESULT, NULL);
    answers(fixture, &fail);
    has_ended(fixture, LEAT_JOB_DEAD, LEAT_REASON_FAILED, "lost", "three");
    end(fixture);

    fixture = begin(LEAT_JOB_KEEP_RESULT, NULL);
    answers(fixture, &retry);
    await_runs(fixture, 2);
    answers(fixture, &retry);
    has_ended(fixture, LEAT_JOB_DEAD, LEAT_REASON_ATTEMPTS, "first", "one");
    end(fixture);

    /* What an earlier attempt left. */
    fixture = begin(LEAT_JOB_KEEP_RESULT, NULL);
    answers(fixture, &snooze);
    await_runs(fixture, 2);
    answers(fixture, &bare);
    has_ended(fixture, LEAT_JOB_COMPLETED, LEAT_REASON_NONE, "", "four");
    end(fixture);
}

static void
a_timeout_of_the_caller_is_one(void **state)
{
    struct leat_answer late = answer_of(leat_retry(), "late", "half");
    late.timed_out = true;
    (void)state;
    struct fixture *fixture = begin(LEAT_JOB_KEEP_RESULT, NULL);
    answers(fixture, &late);
    await_runs(fixture, 2);
    late.error = NULL;
    late.result_bytes = 0;
    answers(fixture, &late);
    has_ended(fixture, LEAT_JOB_DEAD, LEAT_REASON_TIMEOUT, "", "half");
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_timed_out, 2);
    end(fixture);

    /* Only of the last attempt. */
    fixture = begin(LEAT_JOB_KEEP_RESULT, NULL);
    answers(fixture, &late);
    await_runs(fixture, 2);
    late.timed_out = false;
    answers(fixture, &late);
    CHECK_EQUAL(test_wait(fixture->engine, fixture->id).reason, LEAT_REASON_ATTEMPTS);
    end(fixture);

    fixture = begin(LEAT_JOB_KEEP_RESULT, NULL);
    CHECK_STATUS(leat_cancel(fixture->engine, fixture->id), LEAT_RUNNING);
    late.timed_out = true;
    answers(fixture, &late);
    CHECK_EQUAL(test_wait(fixture->engine, fixture->id).state, LEAT_JOB_CANCELLED);
    end(fixture);
}

static void
a_result_has_limits(void **state)
{
    static char bytes[RESULT_BYTES_MAX + 1];
    static char got[RESULT_BYTES_MAX];
    struct leat_answer answer = leat_answer_default();
    size_t count = 0;
    (void)state;
    memset(bytes, 'r', sizeof(bytes));
    answer.result = bytes;
    struct fixture *fixture = begin(LEAT_JOB_KEEP_RESULT, NULL);
    answer.result_bytes = RESULT_BYTES_MAX + 1;
    CHECK_STATUS(leat_complete_with(fixture->engine, fixture->token, &answer), LEAT_INVALID);
    answer.result_bytes = RESULT_BYTES_MAX;
    answers(fixture, &answer);
    CHECK_EQUAL(test_wait(fixture->engine, fixture->id).state, LEAT_JOB_COMPLETED);
    CHECK_STATUS(leat_result(fixture->engine, fixture->id, got, sizeof(got) - 1, &count),
                 LEAT_FULL);
    CHECK_OK(leat_result(fixture->engine, fixture->id, got, sizeof(got), &count));
    CHECK_EQUAL(count, RESULT_BYTES_MAX);
    CHECK(memcmp(got, bytes, count) == 0);
    end(fixture);

    fixture = begin(0, NULL); /* nobody keeps it */
    answers(fixture, &answer);
    end(fixture);
}

static void
what_may_not_be_changes_nothing(void **state)
{
    (void)state;
    struct fixture *fixture = begin(LEAT_JOB_KEEP_RESULT, NULL);
    struct leat_engine *engine = fixture->engine;
    leat_token other = fixture->token;
    struct leat_answer answer = leat_answer_default();
    CHECK_STATUS(leat_complete_with(NULL, fixture->token, &answer), LEAT_INVALID);
    CHECK_STATUS(leat_complete_with(engine, fixture->token, NULL), LEAT_INVALID);
    answer.result_bytes = 1;
    CHECK_STATUS(leat_complete_with(engine, fixture->token, &answer), LEAT_INVALID);
    answer.result_bytes = 0;
    answer.outcome = leat_pending();
    CHECK_STATUS(leat_complete_with(engine, fixture->token, &answer), LEAT_INVALID);
    const struct leat_outcome no_retries[] = {leat_done(), leat_fail(), leat_snooze(0)};
    answer.timed_out = true;
    for (size_t i = 0; i < TEST_COUNT_OF(no_retries); i++) {
        answer.outcome = no_retries[i];
        CHECK_STATUS(leat_complete_with(engine, fixture->token, &answer), LEAT_INVALID);
    }
    answer = answer_of(leat_done(), NULL, "r");
    answer.version++;
    CHECK_STATUS(leat_complete_with(engine, fixture->token, &answer), LEAT_UNSUPPORTED);
    answer.version--;
    answer.size = 1;
    CHECK_STATUS(leat_complete_with(engine, fixture->token, &answer), LEAT_INVALID);
    answer.size = sizeof(answer);
    other.attempt++;
    CHECK_STATUS(leat_complete_with(engine, other, &answer), LEAT_STALE);
    answer.error = "no room for it";
    test_memory_fail(&fixture->memory, 0, true);
    CHECK_STATUS(leat_complete_with(engine, fixture->token, &answer), LEAT_NO_MEMORY);
    test_memory_heal(&fixture->memory);
    answer.error = NULL;
    answers(fixture, &answer);
    has_ended(fixture, LEAT_JOB_COMPLETED, LEAT_REASON_NONE, "", "r");
    end(fixture);
}

static void
a_handler_must_have_returned(void **state)
{
    struct leat_answer result = answer_of(leat_done(), NULL, "early");
    struct leat_answer late = answer_of(leat_retry(), "late", NULL);
    late.timed_out = true;
    const struct leat_answer *const early[] = {&result, &late};
    (void)state;
    for (size_t i = 0; i < TEST_COUNT_OF(early); i++) {
        struct fixture *fixture = begin(LEAT_JOB_KEEP_RESULT, early[i]);
        answers(fixture, &result); /* the token has held */
        has_ended(fixture, LEAT_JOB_COMPLETED, LEAT_REASON_NONE, "", "early");
        end(fixture);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_outcome_has_error_and_result),
        cmocka_unit_test(a_timeout_of_the_caller_is_one),
        cmocka_unit_test(a_result_has_limits),
        cmocka_unit_test(what_may_not_be_changes_nothing),
        cmocka_unit_test(a_handler_must_have_returned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
