/* unit_retry.c - retries and timeouts of a whole engine, by clocks that the test moves: each
 * attempt comes at the tick that its policy says and not before, whoever says that the last one
 * failed; a handler that is late is told at its time, and its job is retried when it has returned.
 * And once by the system's clock. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine_internal.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/fake_clock.h"
#include "tests/support/threads.h"

#define SECOND_NS UINT64_C(1000000000)
/* Of the engine's wheel. */
#define TICK_NS (UINT64_C(1) << 20)

enum { MOST = 16 };

struct fixture {
    struct leat_engine *engine;
    struct test_clock clock;
    leat_type type;
    struct leat_outcome answer;
    uint32_t runs;
    leat_token token;
    struct leat_failure asked; /* what a policy's function was asked last */
    char asked_error[LEAT_ERROR_BYTES];
    uint64_t answer_ns; /* of that function */
};

/* Runs in the test's own thread. */
static struct leat_outcome
run(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    fixture->runs++;
    fixture->token = leat_run_token(run);
    CHECK_EQUAL(leat_run_attempt(run), fixture->runs);
    return fixture->answer;
}

static struct fixture *
setup(const struct leat_retry_policy *policy, uint32_t max_attempts)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct leat_config config = test_config();
    struct leat_type_options options = leat_type_options_default();
    CHECK(fixture != NULL);
    test_clock_init(&fixture->clock);
    config.workers = 0;
    config.clock = test_clock_of(&fixture->clock);
    fixture->engine = test_start(&config);
    fixture->answer = leat_retry();
    options.retry = policy;
    options.max_attempts = max_attempts;
    CHECK_OK(leat_type_register(fixture->engine, "t", run, fixture, &options, &fixture->type));
    return fixture;
}

static void
teardown(struct fixture *fixture)
{
    test_finish(fixture->engine);
    free(fixture);
}

/* Runs what is due. */
static void
settle(struct fixture *fixture)
{
    enum leat_status status = LEAT_OK;
    while (status == LEAT_OK) {
        status = leat_run_some(fixture->engine, 100, NULL);
    }
    CHECK_STATUS(status, LEAT_EMPTY);
}

static void
pass(struct fixture *fixture, uint64_t ns)
{
    test_clock_pass(&fixture->clock, fixture->engine, ns);
    settle(fixture);
}

static enum leat_job_state
state_of(struct fixture *fixture, leat_job_id id)
{
    return test_get(fixture->engine, id).state;
}

/* The next attempt comes delay_ns from now: not a nanosecond before, and at most a tick behind. */
static void
comes_after(struct fixture *fixture, leat_job_id id, uint64_t delay_ns)
{
    uint32_t runs = fixture->runs;
    CHECK_EQUAL(state_of(fixture, id), LEAT_JOB_RETRYING);
    CHECK_EQUAL(test_get(fixture->engine, id).due_in_ns, delay_ns);
    pass(fixture, delay_ns - 1);
    CHECK_EQUAL(fixture->runs, runs);
    CHECK_EQUAL(state_of(fixture, id), LEAT_JOB_RETRYING);
    pass(fixture, 1 + TICK_NS);
    CHECK_EQUAL(fixture->runs, runs + 1);
}

/* The job's attempts come behind these delays, and then it is dead. */
static void
follows(const struct leat_retry_policy *policy, const uint64_t *delays_ns, uint32_t count)
{
    struct fixture *fixture = setup(policy, count + 1);
    leat_job_id id = test_submit_kept(fixture->engine, fixture->type);
    settle(fixture);
    for (uint32_t i = 0; i < count; i++) {
        comes_after(fixture, id, delays_ns[i]);
    }
    struct leat_job_info info = test_get(fixture->engine, id);
    CHECK_EQUAL(info.state, LEAT_JOB_DEAD);
    CHECK_EQUAL(info.reason, LEAT_REASON_ATTEMPTS);
    CHECK_EQUAL(info.attempts, count + 1);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_retried, count);
    teardown(fixture);
}

/* ---- schedules ------------------------------------------------------------------------------ */

static void
a_list(void **state)
{
    (void)state;
    static const uint64_t delays_ns[] = {SECOND_NS, 5 * SECOND_NS, 30 * SECOND_NS, 300 * SECOND_NS};
    static const uint64_t want_ns[] = {SECOND_NS,       5 * SECOND_NS,   30 * SECOND_NS,
                                       300 * SECOND_NS, 300 * SECOND_NS, 300 * SECOND_NS};
    const struct leat_retry_policy policy = leat_retry_list(delays_ns, TEST_COUNT_OF(delays_ns));
    follows(&policy, want_ns, TEST_COUNT_OF(want_ns));
}

static void
powers_of_two_seconds(void **state)
{
    (void)state;
    static const uint64_t want_ns[] = {2 * SECOND_NS, 4 * SECOND_NS, 8 * SECOND_NS, 16 * SECOND_NS};
    const struct leat_retry_policy policy = leat_retry_exponential(2 * SECOND_NS, 2);
    follows(&policy, want_ns, TEST_COUNT_OF(want_ns));
}

static void
fixed_delays(void **state)
{
    (void)state;
    static const uint64_t want_ns[] = {SECOND_NS / 2, SECOND_NS / 2};
    struct leat_retry_policy policy = leat_retry_fixed(SECOND_NS / 2);
    follows(&policy, want_ns, TEST_COUNT_OF(want_ns));
}

/* 1 s and 16 s, 10 % less or more; not all jobs the same. */
static void
the_default(void **state)
{
    (void)state;
    struct fixture *fixture = setup(NULL, 3);
    static const uint64_t middles_ns[] = {SECOND_NS, 16 * SECOND_NS};
    leat_job_id ids[MOST];
    for (uint32_t i = 0; i < MOST; i++) {
        fixture->runs = 0;
        ids[i] = test_submit_kept(fixture->engine, fixture->type);
        settle(fixture);
    }
    for (uint32_t attempt = 0; attempt < 2; attempt++) {
        uint64_t least_ns = UINT64_MAX;
        uint64_t most_ns = 0;
        uint64_t reach_ns = middles_ns[attempt] / 10;
        for (uint32_t i = 0; i < MOST; i++) {
            uint64_t due_in_ns = test_get(fixture->engine, ids[i]).due_in_ns;
            least_ns = due_in_ns < least_ns ? due_in_ns : least_ns;
            most_ns = due_in_ns > most_ns ? due_in_ns : most_ns;
        }
        CHECK(least_ns >= middles_ns[attempt] - reach_ns);
        CHECK(most_ns <= middles_ns[attempt] + reach_ns);
        CHECK(most_ns - least_ns > reach_ns / 4);
        /* One by one, so that the second delay of each begins now. */
        if (attempt == 0) {
            test_clock_pass(&fixture->clock, fixture->engine, 2 * SECOND_NS);
            for (uint32_t i = 0; i < MOST; i++) {
                fixture->runs = 1;
                CHECK_OK(leat_run_some(fixture->engine, 1, NULL));
            }
        }
    }
    for (uint32_t i = 0; i < MOST; i++) {
        CHECK_OK(leat_cancel(fixture->engine, ids[i]));
    }
    teardown(fixture);
}

static uint64_t
ask(const struct leat_failure *failure, void *context)
{
    struct fixture *fixture = context;
    fixture->asked = *failure;
    (void)snprintf(fixture->asked_error, sizeof(fixture->asked_error), "%s", failure->error);
    return fixture->answer_ns;
}

static void
a_function(void **state)
{
    (void)state;
    struct fixture *fixture = setup(NULL, 9);
    struct leat_job_options options = leat_job_options_default();
    struct leat_retry_policy policy = leat_retry_policy_default();
    struct leat_job job = leat_job_default();
    leat_job_id id = {0};
    policy.kind = LEAT_RETRY_FUNCTION;
    policy.function = ask;
    policy.context = fixture;
    options.retry = &policy;
    job.type = fixture->type;
    job.flags = LEAT_JOB_KEEP_RESULT;
    job.options = &options;
    CHECK_OK(leat_submit(fixture->engine, &job, &id));
    memset(&policy, 0, sizeof(policy));
    fixture->answer_ns = 7 * SECOND_NS;
    settle(fixture);
    CHECK_EQUAL(fixture->asked.id.bits, id.bits);
    CHECK_EQUAL(fixture->asked.type.bits, fixture->type.bits);
    CHECK_EQUAL(fixture->asked.attempt, 1);
    CHECK_EQUAL(fixture->asked.max_attempts, 9);
    CHECK_TEXT(fixture->asked_error, "");
    fixture->answer = leat_pending();
    comes_after(fixture, id, 7 * SECOND_NS);
    /* Completed elsewhere, with a text; and no further attempt, whatever is left of them. */
    fixture->answer_ns = LEAT_FOREVER;
    CHECK_OK(leat_complete(fixture->engine, fixture->token, leat_retry(), "no use"));
    CHECK_EQUAL(fixture->asked.attempt, 2);
    CHECK_TEXT(fixture->asked_error, "no use");
    struct leat_job_info info = test_get(fixture->engine, id);
    CHECK_EQUAL(info.state, LEAT_JOB_DEAD);
    CHECK_EQUAL(info.reason, LEAT_REASON_FAILED);
    CHECK_TEXT(info.error, "no use");
    teardown(fixture);
}

/* ---- who decides ---------------------------------------------------------------------------- */

static void
a_policy_of_its_own(void **state)
{
    (void)state;
    const struct leat_retry_policy types = leat_retry_fixed(100 * SECOND_NS);
    const struct leat_retry_policy own = leat_retry_fixed(3 * SECOND_NS);
    struct fixture *fixture = setup(&types, 4);
    struct leat_job_options options = leat_job_options_default();
    struct leat_job job = leat_job_default();
    leat_job_id id = {0};
    job.type = fixture->type;
    job.flags = LEAT_JOB_KEEP_RESULT;
    job.options = &options;
    options.retry = &own;
    CHECK_OK(leat_submit(fixture->engine, &job, &id));
    settle(fixture);
    comes_after(fixture, id, 3 * SECOND_NS);
    /* What the handler says goes before. */
    fixture->answer = leat_retry_in(20 * SECOND_NS);
    comes_after(fixture, id, 3 * SECOND_NS);
    fixture->answer = leat_done();
    comes_after(fixture, id, 20 * SECOND_NS);
    CHECK_EQUAL(state_of(fixture, id), LEAT_JOB_COMPLETED);
    teardown(fixture);
}

static void
completed_elsewhere(void **state)
{
    (void)state;
    const struct leat_retry_policy policy = leat_retry_exponential(2 * SECOND_NS, 2);
    struct fixture *fixture = setup(&policy, 4);
    fixture->answer = leat_pending();
    leat_job_id id = test_submit_kept(fixture->engine, fixture->type);
    settle(fixture);
    for (uint64_t i = 1; i <= 3; i++) {
        CHECK_OK(leat_complete(fixture->engine, fixture->token, leat_retry(), NULL));
        comes_after(fixture, id, (UINT64_C(1) << i) * SECOND_NS);
    }
    CHECK_OK(leat_complete(fixture->engine, fixture->token, leat_retry(), NULL));
    CHECK_EQUAL(test_get(fixture->engine, id).reason, LEAT_REASON_ATTEMPTS);
    teardown(fixture);
}

/* A delay that is longer than the job may wait: it is dead when it is due, and does not run. */
static void
expired_while_it_waits_for_its_retry(void **state)
{
    (void)state;
    const struct leat_retry_policy policy = leat_retry_fixed(10 * SECOND_NS);
    struct fixture *fixture = setup(&policy, 4);
    struct leat_job_options options = leat_job_options_default();
    struct leat_job job = leat_job_default();
    leat_job_id id = {0};
    job.type = fixture->type;
    job.flags = LEAT_JOB_KEEP_RESULT;
    job.options = &options;
    options.expires_in_ns = 9 * SECOND_NS;
    CHECK_OK(leat_submit(fixture->engine, &job, &id));
    settle(fixture);
    pass(fixture, 10 * SECOND_NS + TICK_NS);
    CHECK_EQUAL(fixture->runs, 1);
    CHECK_EQUAL(test_get(fixture->engine, id).reason, LEAT_REASON_EXPIRED);
    /* And one whose first attempt is due too late. */
    job.delay_ns = 10 * SECOND_NS;
    CHECK_OK(leat_submit(fixture->engine, &job, &id));
    pass(fixture, 10 * SECOND_NS + TICK_NS);
    CHECK_EQUAL(fixture->runs, 1);
    CHECK_EQUAL(test_get(fixture->engine, id).reason, LEAT_REASON_EXPIRED);
    teardown(fixture);
}

/* ---- timeouts by the clocks ----------------------------------------------------------------- */

/* An engine with a worker, whose handler stands at a gate. */
struct held {
    struct leat_engine *engine;
    struct test_clock clock;
    struct test_gate gate;
    struct leat_outcome answer;
    leat_atomic_u32 runs;
    leat_type type;
    leat_job_id id;
};

static struct leat_outcome
held_run(struct leat_run *run, void *context)
{
    struct held *held = context;
    if (leat_run_attempt(run) > 1) {
        (void)atom_add_rel(&held->runs, 1);
        return leat_done();
    }
    test_gate_wait(&held->gate);
    return held->answer;
}

static struct held *
hold(struct leat_outcome answer)
{
    struct held *held = calloc(1, sizeof(*held));
    struct leat_config config = test_config();
    struct leat_type_options options = leat_type_options_default();
    const struct leat_retry_policy policy = leat_retry_fixed(5 * SECOND_NS);
    CHECK(held != NULL);
    test_clock_init(&held->clock);
    test_gate_init(&held->gate);
    config.clock = test_clock_of(&held->clock);
    held->answer = answer;
    held->engine = test_start(&config);
    options.timeout_ns = 8 * SECOND_NS;
    options.retry = &policy;
    CHECK_OK(leat_type_register(held->engine, "held", held_run, held, &options, &held->type));
    held->id = test_submit_kept(held->engine, held->type);
    test_gate_arrivals(&held->gate, 1);
    return held;
}

static void
held_end(struct held *held)
{
    test_gate_open(&held->gate);
    test_finish(held->engine);
    test_gate_fini(&held->gate);
    free(held);
}

static void
held_pass(struct held *held, uint64_t ns)
{
    test_clock_pass(&held->clock, held->engine, ns);
}

static bool
retrying(void *argument)
{
    const struct held *held = argument;
    struct leat_job_info info = test_get(held->engine, held->id);
    /* It says so before it says until when. */
    return info.state == LEAT_JOB_RETRYING && info.due_in_ns != 0;
}

static uint64_t
timed_out(const struct held *held)
{
    return test_statistics(held->engine).jobs_timed_out;
}

static uint64_t
stuck(const struct held *held)
{
    return test_statistics(held->engine).jobs_stuck;
}

/* It is told at its time, which a suspend of the machine is no part of; and is stuck soon. */
static void
told_in_time(struct held *held)
{
    held_pass(held, 0);
    held_pass(held, 4 * SECOND_NS);
    test_clock_suspend(&held->clock, held->engine, 1000 * SECOND_NS);
    held_pass(held, 4 * SECOND_NS - 1);
    CHECK_EQUAL(timed_out(held), 0);
    held_pass(held, 1);
    CHECK_EQUAL(timed_out(held), 1);
    held_pass(held, SECOND_NS);
    CHECK_EQUAL(stuck(held), 1);
    CHECK_EQUAL(test_get(held->engine, held->id).state, LEAT_JOB_RUNNING);
}

/* A job says that it waits before its timer is armed: where the clock was moved in between, the
 * engine is told once more. */
static bool
completed(void *argument)
{
    struct held *held = argument;
    held_pass(held, 0);
    return test_get(held->engine, held->id).state == LEAT_JOB_COMPLETED;
}

/* It fails when it returns, and its delay begins then. */
static void
retried_in_time(struct held *held)
{
    test_gate_open(&held->gate);
    CHECK(test_until(retrying, held));
    CHECK_EQUAL(test_get(held->engine, held->id).due_in_ns, 5 * SECOND_NS);
    held_pass(held, 5 * SECOND_NS - 1);
    CHECK(retrying(held));
    held_pass(held, 1 + TICK_NS);
    CHECK(test_until(completed, held));
    CHECK_EQUAL(test_get(held->engine, held->id).attempts, 2);
    CHECK_EQUAL(timed_out(held), 1);
}

static void
late_handlers(void **state)
{
    (void)state;
    const struct leat_outcome answers[] = {leat_done(), leat_retry(), leat_snooze(1),
                                           leat_pending()};
    for (size_t i = 0; i < TEST_COUNT_OF(answers); i++) {
        struct held *held = hold(answers[i]);
        told_in_time(held);
        retried_in_time(held);
        held_end(held);
    }
}

/* A delay that the handler names is kept, and so is a failure for good. */
static void
late_handlers_that_fail(void **state)
{
    (void)state;
    struct held *held = hold(leat_retry_in(77));
    held_pass(held, 0);
    held_pass(held, SECOND_NS);
    held_pass(held, 8 * SECOND_NS);
    CHECK_EQUAL(timed_out(held), 1);
    test_gate_open(&held->gate);
    CHECK(test_until(retrying, held));
    CHECK_EQUAL(test_get(held->engine, held->id).due_in_ns, 77);
    held_pass(held, TICK_NS);
    CHECK(test_until(completed, held));
    held_end(held);
    held = hold(leat_fail());
    held_pass(held, 0);
    held_pass(held, SECOND_NS);
    held_pass(held, 8 * SECOND_NS);
    test_gate_open(&held->gate);
    CHECK_EQUAL(test_wait(held->engine, held->id).reason, LEAT_REASON_FAILED);
    held_end(held);
}

/* ---- by the system's clock ------------------------------------------------------------------ */

static struct leat_outcome
until_told(struct leat_run *run, void *context)
{
    leat_atomic_u32 *told = context;
    uint64_t give_up_ns = test_now_ns() + TEST_PATIENCE_NS;
    while (!leat_run_cancelled(run)) {
        CHECK(test_now_ns() < give_up_ns);
        test_sleep_ns(TEST_MS / 10);
    }
    (void)atom_add_rlx(told, 1);
    return leat_done();
}

/* The thread of the clocks looks, and hears of a timeout that is shorter than those before. */
static void
the_engines_own_thread(void **state)
{
    (void)state;
    leat_atomic_u32 told;
    struct leat_config config = test_config();
    struct leat_type_options options = leat_type_options_default();
    const struct leat_retry_policy policy = leat_retry_fixed(2 * TEST_MS);
    leat_type type = {0};
    atom_init(&told, 0);
    struct leat_engine *engine = test_start(&config);
    (void)test_register(engine, "minute", until_told, &told);
    test_sleep_ns(20 * TEST_MS);
    options.timeout_ns = 10 * TEST_MS;
    options.retry = &policy;
    CHECK_OK(leat_type_register(engine, "short", until_told, &told, &options, &type));
    uint64_t before_ns = test_now_ns();
    leat_job_id id = test_submit_kept(engine, type);
    struct leat_job_info info = test_wait(engine, id);
    uint64_t took_ns = test_now_ns() - before_ns;
    CHECK(took_ns >= 3 * options.timeout_ns + 2 * (2 * TEST_MS));
    /* The look that was due before anyone spoke of a shorter timeout is 7.5 s away. */
    CHECK(took_ns < 6 * SECOND_NS);
    CHECK_EQUAL(info.state, LEAT_JOB_DEAD);
    CHECK_EQUAL(info.reason, LEAT_REASON_TIMEOUT);
    CHECK_EQUAL(info.attempts, 3);
    CHECK_EQUAL(atom_load_rlx(&told), 3);
    CHECK_EQUAL(test_statistics(engine).jobs_timed_out, 3);
    test_finish(engine);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list),
        cmocka_unit_test(powers_of_two_seconds),
        cmocka_unit_test(fixed_delays),
        cmocka_unit_test(the_default),
        cmocka_unit_test(a_function),
        cmocka_unit_test(a_policy_of_its_own),
        cmocka_unit_test(completed_elsewhere),
        cmocka_unit_test(expired_while_it_waits_for_its_retry),
        cmocka_unit_test(late_handlers),
        cmocka_unit_test(late_handlers_that_fail),
        cmocka_unit_test(the_engines_own_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
