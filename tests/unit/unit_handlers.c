/* unit_handlers.c - what a handler is told and what its answer leads to: every accessor of a run;
 * done, retry and fail with attempts counted; answers that are not built or not valid; error texts
 * (copied, cut between characters, cleared, of the last attempt); results kept and not kept;
 * progress; what an attempt leaves in the payload for the next. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ring/atomic.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/threads.h"

/* A handler made of a function pointer and data, so that each test brings its own. */
struct script {
    struct leat_outcome (*step)(struct leat_run *run, struct script *script);
    struct leat_outcome answer;
    const char *text;
    leat_job_id id;
    leat_type type;
    leat_queue queue;
    leat_token tokens[8];
    leat_atomic_u32 runs;
    struct test_gate gate;
};

static struct leat_outcome
script_run(struct leat_run *run, void *context)
{
    struct script *script = context;
    uint32_t runs = atom_add_rlx(&script->runs, 1) + 1;
    CHECK_EQUAL(leat_run_attempt(run), runs);
    return script->step(run, script);
}

static struct leat_outcome
answer(struct leat_run *run, struct script *script)
{
    if (script->text != NULL) {
        CHECK_OK(leat_run_error(run, script->text));
    }
    return script->answer;
}

/* Runs one kept job of the script to its end, and takes the engine down. */
static struct leat_job_info
play(struct script *script, uint32_t max_attempts)
{
    struct leat_config config = test_config();
    struct leat_engine *engine = test_start(&config);
    struct leat_job job = leat_job_default();
    leat_job_id id = {0};
    atom_init(&script->runs, 0);
    job.type = test_register(engine, "script", script_run, script);
    job.flags = LEAT_JOB_KEEP_RESULT;
    job.max_attempts = max_attempts;
    CHECK_OK(leat_submit(engine, &job, &id));
    struct leat_job_info info = test_wait(engine, id);
    CHECK_EQUAL(info.id.bits, id.bits);
    CHECK_EQUAL(info.max_attempts, max_attempts);
    CHECK_OK(leat_drain(engine, LEAT_FOREVER));
    struct leat_statistics sum = test_statistics(engine);
    CHECK_EQUAL(sum.jobs_run, atom_load_rlx(&script->runs));
    CHECK_EQUAL(sum.jobs_retried, info.attempts - 1);
    CHECK_EQUAL(sum.jobs_completed, info.state == LEAT_JOB_COMPLETED ? 1 : 0);
    CHECK_EQUAL(sum.jobs_dead, info.state == LEAT_JOB_DEAD ? 1 : 0);
    CHECK_OK(leat_release(engine, id));
    test_close(engine);
    return info;
}

static void
play_answer(struct leat_outcome outcome, uint32_t max_attempts, const struct leat_job_info *want)
{
    struct script script = {.step = answer, .answer = outcome};
    struct leat_job_info info = play(&script, max_attempts);
    CHECK_EQUAL(info.state, want->state);
    CHECK_EQUAL(info.reason, want->reason);
    CHECK_EQUAL(info.attempts, want->attempts);
    CHECK_TEXT(info.error, "");
}

/* ---- accessors ------------------------------------------------------------------------------ */

static struct leat_outcome
accessors_step(struct leat_run *run, struct script *script)
{
    size_t bytes = 0;
    CHECK_EQUAL(leat_run_id(run).bits, script->id.bits);
    CHECK_EQUAL(leat_run_type(run).bits, script->type.bits);
    CHECK_EQUAL(leat_run_queue(run).bits, script->queue.bits);
    CHECK_EQUAL(leat_run_priority(run), 5);
    CHECK_EQUAL(leat_run_max_attempts(run), 4);
    CHECK_EQUAL(leat_run_worker(run), 0);
    CHECK(!leat_run_cancelled(run));
    CHECK(strcmp(leat_run_payload(run, &bytes), "payload") == 0);
    CHECK_EQUAL(bytes, 8);
    leat_token token = leat_run_token(run);
    CHECK_EQUAL(token.job, script->id.bits);
    script->tokens[leat_run_attempt(run)] = token;

    struct leat_job_info info = test_get(leat_run_engine(run), leat_run_id(run));
    CHECK_EQUAL(info.state, LEAT_JOB_RUNNING);
    CHECK_EQUAL(info.attempts, leat_run_attempt(run));
    CHECK_EQUAL(info.priority, 5);
    CHECK_EQUAL(info.type.bits, script->type.bits);
    CHECK_EQUAL(info.queue.bits, script->queue.bits);
    CHECK_EQUAL(info.reason, LEAT_REASON_NONE);
    return leat_run_attempt(run) < 3 ? leat_retry() : leat_done();
}

static void
accessors(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    struct leat_engine *engine = test_open(&config);
    struct script script = {.step = accessors_step};
    struct leat_job job = leat_job_default();
    job.type = test_register(engine, "script", script_run, &script);
    CHECK_OK(leat_queue_create(engine, "q", NULL, &job.queue));
    job.priority = 5;
    job.max_attempts = 4;
    job.payload = "payload";
    job.payload_bytes = 8;
    job.flags = LEAT_JOB_KEEP_RESULT;
    CHECK_OK(leat_submit(engine, &job, &script.id));
    script.type = job.type;
    script.queue = job.queue;
    CHECK_OK(leat_start(engine));
    struct leat_job_info info = test_wait(engine, script.id);
    CHECK_EQUAL(info.state, LEAT_JOB_COMPLETED);
    CHECK_EQUAL(info.attempts, 3);
    CHECK(script.tokens[1].attempt != script.tokens[2].attempt);
    CHECK(script.tokens[2].attempt != script.tokens[3].attempt);
    test_finish(engine);
}

/* ---- answers -------------------------------------------------------------------------------- */

static void
answers(void **state)
{
    (void)state;
    struct leat_job_info want = leat_job_info_default();
    want.state = LEAT_JOB_COMPLETED;
    want.attempts = 1;
    play_answer(leat_done(), 1, &want);
    play_answer(leat_done(), 65535, &want);
    want.state = LEAT_JOB_DEAD;
    want.reason = LEAT_REASON_FAILED;
    play_answer(leat_fail(), 1, &want);
    play_answer(leat_fail(), 10, &want);
    want.reason = LEAT_REASON_ATTEMPTS;
    play_answer(leat_retry(), 1, &want);
    want.attempts = 2;
    play_answer(leat_retry(), 2, &want);
    want.attempts = 300; /* more than the 6 bits of an attempt in the job's word */
    play_answer(leat_retry(), 300, &want);
    want.attempts = 3;
    play_answer(leat_retry_in(0), 3, &want);
}

static void
answers_invalid(void **state)
{
    (void)state;
    struct leat_job_info want = leat_job_info_default();
    want.state = LEAT_JOB_DEAD;
    want.attempts = 1;
    want.reason = LEAT_REASON_INVALID;
    play_answer(leat_outcome_of((enum leat_outcome_kind)0, 0), 3, &want);
    play_answer(leat_outcome_of((enum leat_outcome_kind)6, 0), 3, &want);
    play_answer(leat_outcome_of((enum leat_outcome_kind)(-1), 0), 3, &want);
}

static void
unknown_type(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    struct leat_engine *engine = test_start(&config);
    struct leat_job job = leat_job_default();
    leat_job_id id = {0};
    job.type_name = "nobody";
    job.flags = LEAT_JOB_KEEP_RESULT;
    CHECK_OK(leat_submit(engine, &job, &id));
    struct leat_job_info info = test_wait(engine, id);
    CHECK_EQUAL(info.state, LEAT_JOB_DEAD);
    CHECK_EQUAL(info.reason, LEAT_REASON_UNKNOWN_TYPE);
    CHECK_EQUAL(info.attempts, 0);
    CHECK_EQUAL(info.max_attempts, 3);
    CHECK_OK(leat_drain(engine, LEAT_FOREVER));
    CHECK_EQUAL(test_statistics(engine).jobs_run, 0);
    CHECK_EQUAL(test_statistics(engine).jobs_dead, 1);
    test_close(engine);
}

/* ---- error texts ---------------------------------------------------------------------------- */

static void
error_text(const char *given, const char *want)
{
    struct script script = {.step = answer, .answer = leat_fail(), .text = given};
    struct leat_job_info info = play(&script, 3);
    CHECK_TEXT(info.error, want);
}

static void
error_texts(void **state)
{
    (void)state;
    char text[600];
    char want[600];
    error_text("disk on fire", "disk on fire");
    error_text("", "");
    memset(text, 'x', sizeof(text));
    text[255] = '\0';
    error_text(text, text);
    text[255] = 'x';
    text[256] = '\0';
    memset(want, 'x', 255);
    want[255] = '\0';
    error_text(text, want);
    text[256] = 'x';
    text[599] = '\0';
    error_text(text, want);
    /* Characters of 2, 3 and 4 bytes, with every alignment at the cut: whole ones only. */
    static const char *const characters[] = {"\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x94\xa5"};
    for (size_t i = 0; i < TEST_COUNT_OF(characters); i++) {
        size_t bytes = strlen(characters[i]);
        for (size_t lead = 0; lead < bytes; lead++) {
            memset(text, 'a', lead);
            size_t length = lead;
            for (; length + bytes < 400; length += bytes) {
                memcpy(text + length, characters[i], bytes);
            }
            text[length] = '\0';
            size_t kept = lead + (255 - lead) / bytes * bytes;
            memcpy(want, text, kept);
            want[kept] = '\0';
            error_text(text, want);
        }
    }
}

static struct leat_outcome
replaced_step(struct leat_run *run, struct script *script)
{
    (void)script;
    CHECK_OK(leat_run_error(run, NULL)); /* nothing to clear yet */
    CHECK_OK(leat_run_error(run, "first words, rather long"));
    CHECK_OK(leat_run_error(run, "second"));
    if (script->text != NULL) {
        CHECK_OK(leat_run_error(run, NULL));
    }
    return leat_fail();
}

static void
error_replaced_and_cleared(void **state)
{
    (void)state;
    struct script script = {.step = replaced_step};
    CHECK_TEXT(play(&script, 1).error, "second");
    script.text = "clear";
    CHECK_TEXT(play(&script, 1).error, "");
}

/* Only the first attempt says why it failed. */
static struct leat_outcome
first_complains(struct leat_run *run, struct script *script)
{
    if (leat_run_attempt(run) == 1) {
        CHECK_OK(leat_run_error(run, "of the first attempt"));
        return leat_retry();
    }
    return script->answer;
}

static void
error_is_of_the_last_attempt(void **state)
{
    (void)state;
    struct script script = {.step = first_complains, .answer = leat_fail()};
    CHECK_TEXT(play(&script, 5).error, "");
    script.answer = leat_done();
    CHECK_TEXT(play(&script, 5).error, "");
}

/* ---- results -------------------------------------------------------------------------------- */

static struct leat_outcome
result_step(struct leat_run *run, struct script *script)
{
    static const char big[4096] = "big";
    (void)script;
    CHECK_OK(leat_run_result(run, big, sizeof(big)));
    CHECK_OK(leat_run_result(run, NULL, 0));
    char text[] = "result";
    CHECK_OK(leat_run_result(run, text, sizeof(text)));
    memset(text, 0, sizeof(text));
    CHECK_STATUS(leat_run_result(run, big, 4097), LEAT_INVALID);
    CHECK_STATUS(leat_run_result(run, NULL, 1), LEAT_INVALID);
    return leat_done();
}

static void
results_kept(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    config.payload_bytes_max = 4096;
    struct leat_engine *engine = test_open(&config);
    struct script script = {.step = result_step};
    leat_type type = test_register(engine, "script", script_run, &script);
    leat_job_id id = test_submit_kept(engine, type);
    char buffer[10] = "untouched";
    size_t bytes = 99;
    CHECK_STATUS(leat_result(engine, id, buffer, sizeof(buffer), &bytes), LEAT_WRONG_STATE);
    CHECK_EQUAL(bytes, 99);
    CHECK_OK(leat_start(engine));
    CHECK_EQUAL(test_wait(engine, id).result_bytes, 7);
    CHECK_STATUS(leat_result(engine, id, buffer, 6, &bytes), LEAT_FULL);
    CHECK_EQUAL(bytes, 7);
    CHECK_STATUS(leat_result(engine, id, NULL, 0, &bytes), LEAT_FULL);
    CHECK_EQUAL(bytes, 7);
    CHECK_STATUS(leat_result(engine, id, buffer, 6, NULL), LEAT_FULL);
    CHECK_TEXT(buffer, "untouched");
    CHECK_STATUS(leat_result(engine, id, NULL, 7, &bytes), LEAT_INVALID);
    CHECK_OK(leat_result(engine, id, buffer, 7, &bytes));
    CHECK_TEXT(buffer, "result");
    CHECK_EQUAL(buffer[9], '\0');
    memset(buffer, 0, sizeof(buffer));
    CHECK_OK(leat_result(engine, id, buffer, sizeof(buffer), NULL));
    CHECK_TEXT(buffer, "result");
    CHECK_OK(leat_release(engine, id));
    CHECK_STATUS(leat_result(engine, id, buffer, sizeof(buffer), &bytes), LEAT_GONE);
    test_finish(engine);
}

/* Without the flag the call does nothing, and the job has a result of 0 bytes. */
static void
results_not_kept(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    config.payload_bytes_max = 4096;
    struct leat_engine *engine = test_start(&config);
    struct script script = {.step = result_step};
    leat_type type = test_register(engine, "script", script_run, &script);
    leat_job_id id = test_submit(engine, type);
    CHECK_OK(leat_drain(engine, LEAT_FOREVER));
    size_t bytes = 99;
    CHECK_EQUAL(test_get(engine, id).result_bytes, 0);
    CHECK_OK(leat_result(engine, id, NULL, 0, &bytes));
    CHECK_EQUAL(bytes, 0);
    test_close(engine);
}

static struct leat_outcome
empty_result_step(struct leat_run *run, struct script *script)
{
    (void)script;
    CHECK_OK(leat_run_result(run, "something", 9));
    CHECK_OK(leat_run_result(run, "nothing", 0));
    return leat_run_attempt(run) == 1 ? leat_retry() : leat_fail();
}

/* A job that fails can have a result too; an empty one replaces the one before. */
static void
results_of_failures(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    struct leat_engine *engine = test_start(&config);
    struct script script = {.step = empty_result_step};
    leat_type type = test_register(engine, "script", script_run, &script);
    leat_job_id id = test_submit_kept(engine, type);
    size_t bytes = 99;
    CHECK_EQUAL(test_wait(engine, id).state, LEAT_JOB_DEAD);
    CHECK_OK(leat_result(engine, id, NULL, 0, &bytes));
    CHECK_EQUAL(bytes, 0);
    test_finish(engine);
}

/* ---- progress and payload ------------------------------------------------------------------- */

static struct leat_outcome
progress_step(struct leat_run *run, struct script *script)
{
    struct leat_engine *engine = leat_run_engine(run);
    leat_job_id id = leat_run_id(run);
    CHECK_EQUAL(test_get(engine, id).progress, 0);
    CHECK_OK(leat_run_progress(run, 0, NULL));
    CHECK_OK(leat_run_progress(run, 42, NULL));
    CHECK_EQUAL(test_get(engine, id).progress, 42);
    CHECK_STATUS(leat_run_progress(run, 101, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_run_progress(run, 101, "more"), LEAT_INVALID);
    CHECK_EQUAL(test_get(engine, id).progress, 42);
    CHECK_OK(leat_run_progress(run, 100, NULL));
    CHECK_EQUAL(test_get(engine, id).progress, 100);
    CHECK_OK(leat_run_progress(run, 7, NULL));
    return script->answer;
}

static void
progress(void **state)
{
    (void)state;
    struct script script = {.step = progress_step, .answer = leat_fail()};
    CHECK_EQUAL(play(&script, 1).progress, 7);
    script.answer = leat_done();
    CHECK_EQUAL(play(&script, 1).progress, 100);
}

static struct leat_outcome
payload_step(struct leat_run *run, struct script *script)
{
    (void)script;
    size_t bytes = 0;
    char *payload = leat_run_payload(run, &bytes);
    uint32_t attempt = leat_run_attempt(run);
    for (size_t i = 0; i < bytes; i++) {
        CHECK_EQUAL(payload[i], (char)('a' + attempt - 1));
        payload[i] = (char)('a' + attempt);
    }
    return attempt < 4 ? leat_retry() : leat_done();
}

/* A later attempt sees what an earlier one wrote, wherever the payload is kept. */
static void
payload_carries_over(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 16, 17, 64, 65, 5000};
    for (size_t i = 0; i < TEST_COUNT_OF(sizes); i++) {
        struct leat_config config = test_config();
        struct leat_engine *engine = test_start(&config);
        struct script script = {.step = payload_step};
        struct leat_job job = leat_job_default();
        static char payload[5000];
        memset(payload, 'a', sizeof(payload));
        job.type = test_register(engine, "script", script_run, &script);
        job.payload = payload;
        job.payload_bytes = sizes[i];
        job.max_attempts = 9;
        CHECK_OK(leat_submit(engine, &job, NULL));
        CHECK_OK(leat_drain(engine, LEAT_FOREVER));
        CHECK_EQUAL(atom_load_rlx(&script.runs), 4);
        CHECK_EQUAL(payload[0], 'a');
        test_close(engine);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accessors),
        cmocka_unit_test(answers),
        cmocka_unit_test(answers_invalid),
        cmocka_unit_test(unknown_type),
        cmocka_unit_test(error_texts),
        cmocka_unit_test(error_replaced_and_cleared),
        cmocka_unit_test(error_is_of_the_last_attempt),
        cmocka_unit_test(results_kept),
        cmocka_unit_test(results_not_kept),
        cmocka_unit_test(results_of_failures),
        cmocka_unit_test(progress),
        cmocka_unit_test(payload_carries_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
