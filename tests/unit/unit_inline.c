/* unit_inline.c - jobs that run in the caller's thread, exactly: on an engine that was never
 * started and on one that runs; results, errors and attempts as for a submitted job, delays said
 * and not slept; what a handler answers that goes on elsewhere; cancels; what would make a job
 * wait is not asked; nested ones, up to their limit; refusals leave nothing behind. And
 * leat_config.inline_mode with single jobs and batches. */
#include <stdlib.h>
#include <string.h>

#include "engine/engine_internal.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/fake_clock.h"

#define SECOND_NS UINT64_C(1000000000)

struct fixture {
    struct leat_engine *engine;
    struct test_clock clock;
    leat_type type;
    struct leat_outcome answers[4]; /* of the attempts, the last one repeats */
    struct leat_outcome said;       /* by leat_complete(), once: */
    bool says;
    uint32_t runs;
    uint32_t cancel_at; /* the run that cancels its job; 0: none */
    uint32_t depth;     /* of runs within runs, that are wanted yet */
    enum leat_status deepest;
    uint32_t passed; /* through the middleware */
    leat_job_id id;
    leat_token token;
};

static void
nest(struct fixture *fixture)
{
    struct leat_job job = leat_job_default();
    if (fixture->depth > 0) {
        fixture->depth--;
        job.type = fixture->type;
        fixture->deepest = leat_run_inline(fixture->engine, &job, NULL, NULL);
        fixture->depth += fixture->deepest == LEAT_BUSY ? 1 : 0;
    }
}

static struct leat_outcome
run(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    uint32_t attempt = leat_run_attempt(run);
    fixture->runs++;
    fixture->id = leat_run_id(run);
    fixture->token = leat_run_token(run);
    CHECK_EQUAL(leat_run_worker(run), LEAT_WORKER_NONE);
    CHECK_EQUAL(leat_run_deadline(run), LEAT_FOREVER);
    CHECK_EQUAL(test_get(fixture->engine, fixture->id).state, LEAT_JOB_RUNNING);
    CHECK_EQUAL(test_get(fixture->engine, fixture->id).attempts, attempt);
    CHECK_STATUS(leat_reschedule(fixture->engine, fixture->id, leat_when_now()), LEAT_WRONG_STATE);
    if (attempt != 2) {
        CHECK_OK(leat_run_error(run, attempt == 1 ? "one" : "more"));
    }
    CHECK_OK(leat_run_result(run, &attempt, sizeof(attempt)));
    nest(fixture);
    if (fixture->runs == fixture->cancel_at) {
        CHECK(!leat_run_cancelled(run));
        CHECK_STATUS(leat_cancel(fixture->engine, fixture->id), LEAT_RUNNING);
        CHECK(leat_run_cancelled(run));
    }
    if (fixture->says) {
        fixture->says = false;
        CHECK_OK(leat_complete(fixture->engine, fixture->token, fixture->said, "said"));
    }
    return fixture->answers[attempt > 4 ? 3 : attempt - 1];
}

static struct leat_outcome
pass(struct leat_run *run, struct leat_next *next, void *context)
{
    struct fixture *fixture = context;
    (void)run;
    fixture->passed++;
    return leat_next_run(next);
}

static struct fixture *
setup(bool inline_mode)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    CHECK(fixture != NULL);
    struct leat_config config = test_config();
    struct leat_type_options options = leat_type_options_default();
    const struct leat_retry_policy policy = leat_retry_fixed(SECOND_NS);
    test_clock_init(&fixture->clock);
    config.workers = 0;
    config.jobs_max = 512;
    config.clock = test_clock_of(&fixture->clock);
    config.inline_mode = inline_mode;
    fixture->engine = test_open(&config);
    options.retry = &policy;
    CHECK_OK(leat_type_register(fixture->engine, "t", run, fixture, &options, &fixture->type));
    for (uint32_t i = 0; i < 4; i++) {
        fixture->answers[i] = leat_done();
    }
    return fixture;
}

static void
teardown(struct fixture *fixture)
{
    CHECK_EQUAL(atom_load_rlx(&fixture->engine->outside.inlined), 0);
    CHECK_EQUAL(atom_load_rlx(&fixture->engine->outside.beside), 0);
    test_close(fixture->engine);
    free(fixture);
}

static struct leat_job
kept(const struct fixture *fixture)
{
    struct leat_job job = leat_job_default();
    job.type = fixture->type;
    job.flags = LEAT_JOB_KEEP_RESULT;
    return job;
}

static struct leat_job_info
play(struct fixture *fixture, uint64_t delay_ns)
{
    const struct leat_job job = kept(fixture);
    struct leat_job_info info = leat_job_info_default();
    uint64_t delayed_ns = 7;
    CHECK_OK(leat_run_inline(fixture->engine, &job, &info, &delayed_ns));
    CHECK_EQUAL(delayed_ns, delay_ns);
    CHECK_EQUAL(info.id.bits, fixture->id.bits);
    CHECK_EQUAL(test_get(fixture->engine, info.id).state, info.state);
    return info;
}

/* ---- ends ----------------------------------------------------------------------------------- */

static void
done(void **state)
{
    (void)state;
    struct fixture *fixture = setup(false);
    uint32_t result = 0;
    size_t bytes = 0;
    struct leat_job_info info = play(fixture, 0);
    CHECK_EQUAL(info.state, LEAT_JOB_COMPLETED);
    CHECK_EQUAL(info.attempts, 1);
    CHECK_EQUAL(info.result_bytes, sizeof(result));
    CHECK_OK(leat_result(fixture->engine, info.id, &result, sizeof(result), &bytes));
    CHECK_EQUAL(result, 1);
    CHECK_OK(leat_release(fixture->engine, info.id));
    test_engine_check(fixture->engine);
    struct leat_statistics sum = test_statistics(fixture->engine);
    CHECK_EQUAL(sum.jobs_submitted, 1);
    CHECK_EQUAL(sum.jobs_run, 1);
    CHECK_EQUAL(sum.jobs_completed, 1);
    CHECK_EQUAL(test_state(fixture->engine), LEAT_ENGINE_OPEN);
    teardown(fixture);
}

static void
retries(void **state)
{
    (void)state;
    struct fixture *fixture = setup(false);
    fixture->answers[0] = leat_retry();
    fixture->answers[1] = leat_retry_in(5);
    struct leat_job_info info = play(fixture, SECOND_NS + 5);
    CHECK_EQUAL(info.state, LEAT_JOB_COMPLETED);
    CHECK_EQUAL(info.attempts, 3);
    CHECK_TEXT(info.error, "more");
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_retried, 2);

    fixture->answers[2] = leat_retry();
    info = play(fixture, SECOND_NS + 5);
    CHECK_EQUAL(info.state, LEAT_JOB_DEAD);
    CHECK_EQUAL(info.reason, LEAT_REASON_ATTEMPTS);
    CHECK_EQUAL(info.attempts, 3);

    fixture->answers[1] = leat_fail();
    info = play(fixture, SECOND_NS);
    CHECK_EQUAL(info.reason, LEAT_REASON_FAILED);
    CHECK_EQUAL(info.attempts, 2);
    CHECK_TEXT(info.error, "");

    fixture->answers[1] = leat_retry_in(LEAT_FOREVER - 1);
    fixture->answers[2] = leat_done();
    info = play(fixture, UINT64_C(1) << 62);
    CHECK_EQUAL(info.state, LEAT_JOB_COMPLETED);
    teardown(fixture);
}

static void
attempts_of_its_own(void **state)
{
    (void)state;
    struct fixture *fixture = setup(false);
    struct leat_job job = kept(fixture);
    struct leat_job_info info = leat_job_info_default();
    for (uint32_t i = 0; i < 4; i++) {
        fixture->answers[i] = leat_retry();
    }
    job.max_attempts = 100; /* more than the word has bits for */
    CHECK_OK(leat_run_inline(fixture->engine, &job, &info, NULL));
    CHECK_EQUAL(info.attempts, 100);
    CHECK_EQUAL(fixture->runs, 100);
    CHECK_EQUAL(info.reason, LEAT_REASON_ATTEMPTS);
    teardown(fixture);
}

static void
cancels(void **state)
{
    (void)state;
    struct fixture *fixture = setup(false);
    fixture->answers[0] = leat_retry();
    fixture->cancel_at = 1;
    struct leat_job_info info = play(fixture, 0);
    CHECK_EQUAL(info.state, LEAT_JOB_CANCELLED);
    CHECK_EQUAL(info.attempts, 1);
    fixture->runs = 0;
    fixture->cancel_at = 2;
    info = play(fixture, SECOND_NS);
    CHECK_EQUAL(info.state, LEAT_JOB_COMPLETED); /* it did not heed it */
    CHECK(info.cancel_requested);
    teardown(fixture);
}

static void
unknown(void **state)
{
    (void)state;
    struct fixture *fixture = setup(false);
    struct leat_job job = leat_job_default();
    struct leat_job_info info = leat_job_info_default();
    job.type_name = "nobody";
    CHECK_OK(leat_run_inline(fixture->engine, &job, &info, NULL));
    CHECK_EQUAL(info.state, LEAT_JOB_DEAD);
    CHECK_EQUAL(info.reason, LEAT_REASON_UNKNOWN_TYPE);
    CHECK_EQUAL(info.attempts, 0); /* none has begun */
    fixture->answers[0].kind = (enum leat_outcome_kind)77;
    CHECK_EQUAL(play(fixture, 0).reason, LEAT_REASON_INVALID);
    teardown(fixture);
}

/* ---- what goes on elsewhere ----------------------------------------------------------------- */

static void
pending(void **state)
{
    (void)state;
    struct fixture *fixture = setup(false);
    fixture->answers[0] = leat_pending();
    fixture->said = leat_done();
    fixture->says = true;
    CHECK_EQUAL(play(fixture, 0).state, LEAT_JOB_COMPLETED);
    fixture->said = leat_retry_in(9);
    fixture->says = true;
    struct leat_job_info info = play(fixture, 9);
    CHECK_EQUAL(info.state, LEAT_JOB_COMPLETED);
    CHECK_EQUAL(info.attempts, 2);
    teardown(fixture);
}

/* The second attempt has nothing of the first, and a token of its own. */
static void
pending_again(void **state)
{
    (void)state;
    struct fixture *fixture = setup(false);
    fixture->answers[0] = leat_pending();
    fixture->answers[1] = leat_pending();
    fixture->said = leat_retry_in(9);
    fixture->says = true;
    struct leat_job_info info = play(fixture, 9);
    CHECK_EQUAL(info.state, LEAT_JOB_RUNNING);
    CHECK_EQUAL(info.attempts, 2);
    CHECK_EQUAL(fixture->token.attempt, 2);
    CHECK_OK(leat_complete(fixture->engine, fixture->token, leat_done(), NULL));

    fixture->answers[1] = leat_fail();
    fixture->says = true;
    CHECK_TEXT(play(fixture, 9).error, "");
    teardown(fixture);
}

/* From now on as any that is pending. */
static void
pending_on(void **state)
{
    (void)state;
    struct fixture *fixture = setup(false);
    fixture->answers[0] = leat_pending();
    struct leat_job_info info = play(fixture, 0);
    CHECK_EQUAL(info.state, LEAT_JOB_RUNNING);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_running, 1);
    test_engine_check(fixture->engine);
    CHECK_OK(leat_complete(fixture->engine, fixture->token, leat_done(), NULL));
    CHECK_EQUAL(test_get(fixture->engine, info.id).state, LEAT_JOB_COMPLETED);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_running, 0);
    teardown(fixture);
}

static void
pending_on_for_a_time(void **state)
{
    (void)state;
    struct fixture *fixture = setup(false);
    fixture->answers[0] = leat_pending_for(SECOND_NS);
    struct leat_job_info info = play(fixture, 0);
    CHECK_EQUAL(info.state, LEAT_JOB_RUNNING);
    CHECK_OK(leat_complete(fixture->engine, fixture->token, leat_fail(), "late"));
    info = test_get(fixture->engine, info.id);
    CHECK_EQUAL(info.state, LEAT_JOB_DEAD);
    CHECK_TEXT(info.error, "late");
    teardown(fixture);
}

static struct leat_outcome
lent(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    fixture->runs++;
    CHECK_EQUAL(leat_run_worker(run), fixture->runs == 1 ? LEAT_WORKER_NONE : 0);
    CHECK_EQUAL(leat_run_attempt(run), 1);
    return fixture->runs == 1 ? leat_snooze(SECOND_NS) : leat_done();
}

static void
snooze(void **state)
{
    (void)state;
    struct fixture *fixture = setup(false);
    struct leat_job job = leat_job_default();
    struct leat_job_info info = leat_job_info_default();
    CHECK_OK(leat_start(fixture->engine));
    job.type = test_register(fixture->engine, "lent", lent, fixture);
    job.flags = LEAT_JOB_KEEP_RESULT;
    CHECK_OK(leat_run_inline(fixture->engine, &job, &info, NULL));
    CHECK_EQUAL(info.state, LEAT_JOB_SCHEDULED);
    CHECK_EQUAL(info.due_in_ns, SECOND_NS);
    CHECK_STATUS(leat_run_some(fixture->engine, 1, NULL), LEAT_EMPTY);
    test_clock_pass(&fixture->clock, fixture->engine, 2 * SECOND_NS);
    CHECK_OK(leat_run_some(fixture->engine, 1, NULL));
    info = test_get(fixture->engine, info.id);
    CHECK_EQUAL(info.state, LEAT_JOB_COMPLETED);
    CHECK_EQUAL(info.attempts, 1);
    teardown(fixture);
}

/* ---- what is not asked ---------------------------------------------------------------------- */

static void
nothing_waits(void **state)
{
    (void)state;
    struct fixture *fixture = setup(false);
    struct leat_engine *engine = fixture->engine;
    struct leat_queue_options options = leat_queue_options_default();
    struct leat_job_options own = leat_job_options_default();
    struct leat_job job = kept(fixture);
    struct leat_job_info info = leat_job_info_default();
    leat_queue queue = {0};
    options.waiting_max = 1;
    options.running_max = 1;
    CHECK_OK(leat_queue_create(engine, "q", &options, &queue));
    CHECK_OK(leat_type_set_running_max(engine, fixture->type, 1));
    job.queue = queue;
    CHECK_OK(leat_submit(engine, &job, NULL));
    CHECK_STATUS(leat_submit(engine, &job, NULL), LEAT_FULL);
    CHECK_OK(leat_queue_pause(engine, queue));
    job.delay_ns = SECOND_NS;
    fixture->depth = 3;
    CHECK_OK(leat_run_inline(engine, &job, &info, NULL));
    CHECK_EQUAL(info.state, LEAT_JOB_COMPLETED);
    CHECK_EQUAL(fixture->runs, 4);
    job.delay_ns = 0;
    own.run_at_ns = UINT64_MAX / 2;
    job.options = &own;
    CHECK_OK(leat_run_inline(engine, &job, &info, NULL));
    CHECK_EQUAL(info.state, LEAT_JOB_COMPLETED);
    test_engine_check(engine);
    teardown(fixture);
}

static void
around(void **state)
{
    (void)state;
    struct fixture *fixture = setup(false);
    CHECK_OK(leat_middleware_add(fixture->engine, pass, fixture));
    fixture->answers[0] = leat_retry();
    (void)play(fixture, SECOND_NS);
    CHECK_EQUAL(fixture->passed, 2);
    teardown(fixture);
}

/* A first middleware, added by the handler of an attempt. */
static struct leat_outcome
run_and_add(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    (void)run;
    if (fixture->runs++ == 0) {
        CHECK_OK(leat_middleware_add(fixture->engine, pass, fixture));
    }
    return fixture->runs == 1 ? leat_retry() : leat_done();
}

static void
around_later(void **state)
{
    (void)state;
    struct fixture *fixture = setup(false);
    struct leat_job job = leat_job_default();
    struct leat_job_info info = leat_job_info_default();
    job.type_name = "adds";
    CHECK_OK(leat_type_register(fixture->engine, "adds", run_and_add, fixture, NULL, NULL));
    CHECK_OK(leat_run_inline(fixture->engine, &job, &info, NULL));
    CHECK_EQUAL(info.attempts, 2);
    CHECK_EQUAL(fixture->passed, 1);
    teardown(fixture);
}

/* One that goes on as others do is counted as they are. */
static void
counts_later(void **state)
{
    (void)state;
    struct fixture *fixture = setup(false);
    struct leat_engine *engine = fixture->engine;
    struct leat_queue_options options = leat_queue_options_default();
    struct leat_job job = kept(fixture);
    struct leat_job_info info = leat_job_info_default();
    options.waiting_max = 1;
    CHECK_OK(leat_queue_create(engine, "q", &options, &job.queue));
    CHECK_OK(leat_start(engine));
    CHECK_OK(leat_queue_pause(engine, job.queue));
    fixture->answers[0] = leat_snooze(SECOND_NS);
    CHECK_OK(leat_run_inline(engine, &job, &info, NULL));
    CHECK_EQUAL(info.state, LEAT_JOB_SCHEDULED);
    test_clock_pass(&fixture->clock, engine, 2 * SECOND_NS);
    CHECK_STATUS(leat_run_some(engine, 1, NULL), LEAT_EMPTY);
    CHECK_EQUAL(test_get(engine, info.id).state, LEAT_JOB_PENDING);
    CHECK_STATUS(leat_submit(engine, &job, NULL), LEAT_FULL);
    CHECK_OK(leat_cancel(engine, info.id));
    CHECK_OK(leat_submit(engine, &job, NULL)); /* its room came back, once */
    CHECK_STATUS(leat_submit(engine, &job, NULL), LEAT_FULL);
    teardown(fixture);
}

/* It never had its unique key, and has nothing to give back when it is brought back. */
static void
comes_back(void **state)
{
    (void)state;
    struct fixture *fixture = setup(false);
    struct leat_engine *engine = fixture->engine;
    struct leat_job_options own = leat_job_options_default();
    struct leat_job job = kept(fixture);
    struct leat_job_info info = leat_job_info_default();
    own.unique_key = "k";
    own.unique_key_bytes = 1;
    own.unique_scope = LEAT_UNIQUE_UNTIL_STARTED;
    job.options = &own;
    fixture->answers[0] = leat_fail();
    CHECK_OK(leat_run_inline(engine, &job, &info, NULL));
    CHECK_EQUAL(info.state, LEAT_JOB_DEAD);
    CHECK_OK(leat_dead_retry(engine, info.id, leat_when_now()));
    test_engine_check(engine); /* of claims, too */
    teardown(fixture);
}

static void
told(void **state)
{
    (void)state;
    struct fixture *fixture = setup(false);
    struct leat_completion_queue *queue = NULL;
    struct leat_completion end;
    struct leat_job job = kept(fixture);
    size_t taken = 0;
    CHECK_OK(leat_completion_queue_create(fixture->engine, 1, &queue));
    job.completions = queue;
    job.user = fixture;
    CHECK_OK(leat_run_inline(fixture->engine, &job, NULL, NULL));
    CHECK_STATUS(leat_run_inline(fixture->engine, &job, NULL, NULL), LEAT_FULL);
    CHECK_EQUAL(fixture->runs, 1);
    CHECK_OK(leat_completion_queue_take(queue, &end, 1, &taken));
    CHECK_EQUAL(end.id.bits, fixture->id.bits);
    CHECK(end.user == fixture);
    CHECK_OK(leat_completion_queue_destroy(queue));
    teardown(fixture);
}

/* ---- nested, and refused -------------------------------------------------------------------- */

static void
nested(void **state)
{
    (void)state;
    struct fixture *fixture = setup(false);
    const struct leat_job job = kept(fixture);
    fixture->depth = LEAT_INLINE_MAX - 1;
    CHECK_OK(leat_run_inline(fixture->engine, &job, NULL, NULL));
    CHECK_EQUAL(fixture->runs, LEAT_INLINE_MAX);
    CHECK_EQUAL(fixture->depth, 0);
    fixture->runs = 0;
    fixture->depth = LEAT_INLINE_MAX;
    CHECK_OK(leat_run_inline(fixture->engine, &job, NULL, NULL));
    CHECK_EQUAL(fixture->runs, LEAT_INLINE_MAX);
    CHECK_EQUAL(fixture->depth, 1); /* the one beyond was refused, as busy */
    teardown(fixture);
}

static void
refused(void **state)
{
    (void)state;
    struct fixture *fixture = setup(false);
    const struct leat_job job = kept(fixture);
    struct leat_job_info info = leat_job_info_default();
    for (uint32_t i = 0; i < 512; i++) {
        CHECK_OK(leat_submit(fixture->engine, &job, NULL));
    }
    CHECK_STATUS(leat_run_inline(fixture->engine, &job, &info, NULL), LEAT_FULL);
    CHECK_OK(leat_stop(fixture->engine, 0));
    CHECK_STATUS(leat_run_inline(fixture->engine, &job, &info, NULL), LEAT_CLOSED);
    CHECK_EQUAL(info.id.bits, 0);
    CHECK_EQUAL(fixture->runs, 0);
    teardown(fixture);
}

/* ---- inline mode ---------------------------------------------------------------------------- */

static void
mode(void **state)
{
    (void)state;
    struct fixture *fixture = setup(true);
    struct leat_engine *engine = fixture->engine;
    struct leat_job jobs[3] = {kept(fixture), kept(fixture), kept(fixture)};
    leat_job_id ids[3] = {{0}, {0}, {0}};
    enum leat_status statuses[3];
    fixture->answers[0] = leat_retry();
    jobs[1].delay_ns = SECOND_NS;
    CHECK_OK(leat_submit(engine, &jobs[0], &ids[0]));
    CHECK_EQUAL(ids[0].bits, fixture->id.bits);
    CHECK_EQUAL(fixture->runs, 2);
    CHECK_EQUAL(test_get(engine, ids[0]).state, LEAT_JOB_COMPLETED);
    CHECK_OK(leat_submit_batch(engine, jobs, 3, LEAT_BATCH_EACH, ids, statuses));
    CHECK_EQUAL(fixture->runs, 8);
    CHECK_OK(leat_submit_batch(engine, jobs, 3, LEAT_BATCH_ALL_OR_NONE, ids, statuses));
    CHECK_EQUAL(fixture->runs, 14);
    for (uint32_t i = 0; i < 3; i++) {
        CHECK_EQUAL(test_get(engine, ids[i]).state, LEAT_JOB_COMPLETED);
    }
    jobs[2].max_attempts = UINT32_MAX;
    CHECK_STATUS(leat_submit_batch(engine, jobs, 3, LEAT_BATCH_ALL_OR_NONE, ids, statuses),
                 LEAT_INVALID);
    CHECK_STATUS(statuses[2], LEAT_INVALID);
    CHECK_EQUAL(fixture->runs, 14);
    CHECK_OK(leat_stop(engine, 0));
    jobs[2].max_attempts = 0;
    CHECK_STATUS(leat_submit(engine, &jobs[0], NULL), LEAT_CLOSED);
    CHECK_STATUS(leat_submit_batch(engine, jobs, 3, LEAT_BATCH_ALL_OR_NONE, ids, NULL),
                 LEAT_CLOSED);
    CHECK_EQUAL(fixture->runs, 14);
    test_engine_check(engine);
    teardown(fixture);
}

/* As schedules submit: their thread runs no handler. */
static void
queued(void **state)
{
    (void)state;
    struct fixture *fixture = setup(true);
    const struct leat_job job = kept(fixture);
    leat_job_id id = {0};
    CHECK_OK(leat_submit_once(fixture->engine, &job, LEAT_ROOM_LEAVES, &id));
    CHECK_EQUAL(fixture->runs, 0);
    CHECK_EQUAL(test_get(fixture->engine, id).state, LEAT_JOB_PENDING);
    teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(done),
        cmocka_unit_test(retries),
        cmocka_unit_test(cancels),
        cmocka_unit_test(attempts_of_its_own),
        cmocka_unit_test(unknown),
        cmocka_unit_test(pending),
        cmocka_unit_test(pending_again),
        cmocka_unit_test(pending_on),
        cmocka_unit_test(pending_on_for_a_time),
        cmocka_unit_test(snooze),
        cmocka_unit_test(nothing_waits),
        cmocka_unit_test(around),
        cmocka_unit_test(around_later),
        cmocka_unit_test(counts_later),
        cmocka_unit_test(comes_back),
        cmocka_unit_test(told),
        cmocka_unit_test(nested),
        cmocka_unit_test(refused),
        cmocka_unit_test(mode),
        cmocka_unit_test(queued),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
