/* unit_watch.c - running timeouts, by looks whose time the test says: never early, late by no more
 * than the grain, decided once whatever the handler answers and whoever else is at the job; who is
 * stuck; what a timed-out job keeps for its next attempt. Holds I1 and I2 of engine/watch.h. */
#include <stdlib.h>
#include <string.h>

#include "engine/engine_internal.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory.h"
#include "tests/support/threads.h"

#define SECOND_NS UINT64_C(1000000000)
/* Of the type that is watched here, its grain, and the first look. */
#define TIMEOUT_NS (8 * SECOND_NS)
#define START_NS   (1000 * SECOND_NS)

enum { ATTEMPTS = 3 };

struct fixture {
    struct leat_engine *engine;
    struct test_clock clock; /* so that nobody looks but the test */
    struct test_memory memory;
    struct test_gate gates[ATTEMPTS];
    struct leat_outcome answers[ATTEMPTS];
    leat_token token;
    leat_type type;
    leat_job_id id;
    size_t payload_bytes;
    bool told[ATTEMPTS]; /* behind the gate: that it is cancelled */
};

static void
payload_check(struct leat_run *run, size_t want)
{
    size_t bytes = 1;
    const unsigned char *payload = leat_run_payload(run, &bytes);
    CHECK_EQUAL(bytes, want);
    for (size_t i = 0; i < bytes; i++) {
        CHECK_EQUAL(payload[i], i % 251);
    }
}

/* Stands at the gate of its attempt. */
static struct leat_outcome
held_run(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    uint32_t attempt = leat_run_attempt(run);
    CHECK(attempt <= ATTEMPTS);
    CHECK(!leat_run_cancelled(run));
    fixture->token = leat_run_token(run);
    payload_check(run, fixture->payload_bytes);
    test_gate_wait(&fixture->gates[attempt - 1]);
    fixture->told[attempt - 1] = leat_run_cancelled(run);
    payload_check(run, fixture->payload_bytes);
    return fixture->answers[attempt - 1];
}

static struct fixture *
setup(uint64_t timeout_ns)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct leat_config config = test_config();
    struct leat_type_options options = leat_type_options_default();
    const struct leat_retry_policy at_once = leat_retry_fixed(0);
    CHECK(fixture != NULL);
    test_memory_init(&fixture->memory);
    config.allocator = test_memory_allocator(&fixture->memory);
    test_clock_init(&fixture->clock);
    config.clock = test_clock_of(&fixture->clock);
    fixture->engine = test_start(&config);
    for (uint32_t i = 0; i < ATTEMPTS; i++) {
        test_gate_init(&fixture->gates[i]);
        fixture->answers[i] = leat_done();
    }
    options.max_attempts = ATTEMPTS;
    options.timeout_ns = timeout_ns;
    options.retry = &at_once;
    CHECK_OK(
        leat_type_register(fixture->engine, "held", held_run, fixture, &options, &fixture->type));
    return fixture;
}

static void
teardown(struct fixture *fixture)
{
    for (uint32_t i = 0; i < ATTEMPTS; i++) {
        test_gate_open(&fixture->gates[i]);
    }
    test_finish(fixture->engine);
    CHECK_EQUAL(test_memory_blocks(&fixture->memory), 0);
    for (uint32_t i = 0; i < ATTEMPTS; i++) {
        test_gate_fini(&fixture->gates[i]);
    }
    free(fixture);
}

/* Submits the job and waits until its first attempt stands at its gate. */
static void
begin(struct fixture *fixture)
{
    static unsigned char payload[4096];
    struct leat_job job = leat_job_default();
    for (size_t i = 0; i < sizeof(payload); i++) {
        payload[i] = (unsigned char)(i % 251);
    }
    job.type = fixture->type;
    job.payload = payload;
    job.payload_bytes = fixture->payload_bytes;
    job.flags = LEAT_JOB_KEEP_RESULT;
    CHECK_OK(leat_submit(fixture->engine, &job, &fixture->id));
    test_gate_arrivals(&fixture->gates[0], 1);
}

static uint64_t
look(struct fixture *fixture, uint64_t at_ns)
{
    return leat_watch_look(fixture->engine, START_NS + at_ns);
}

/* Three looks at what stands there: at the last, the time of the attempt is just over. */
static void
run_out(struct fixture *fixture, uint64_t from_ns)
{
    (void)look(fixture, from_ns);
    (void)look(fixture, from_ns + TIMEOUT_NS / 2);
    (void)look(fixture, from_ns + TIMEOUT_NS);
}

static uint64_t
timed_out(struct fixture *fixture)
{
    return test_statistics(fixture->engine).jobs_timed_out;
}

/* Lets the attempts from the second on go, waits for the job's end, and says how it ended. */
static struct leat_job_info
end(struct fixture *fixture)
{
    for (uint32_t i = 0; i < ATTEMPTS; i++) {
        test_gate_open(&fixture->gates[i]);
    }
    return test_wait(fixture->engine, fixture->id);
}

static void
check_end(struct fixture *fixture, enum leat_job_state state, enum leat_reason reason,
          uint32_t attempts)
{
    struct leat_job_info info = end(fixture);
    CHECK_EQUAL(info.state, state);
    CHECK_EQUAL(info.reason, reason);
    CHECK_EQUAL(info.attempts, attempts);
}

/* ---- when ----------------------------------------------------------------------------------- */

static void
when_to_look(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    struct leat_engine *engine = test_open(&config);
    const struct leat_watch *watch = &engine->watch;
    CHECK_EQUAL(leat_watch_grain_ns(watch), LEAT_FOREVER);
    CHECK_EQUAL(leat_watch_look(engine, START_NS), LEAT_FOREVER);
    leat_watch_expect(engine, 0);
    CHECK_EQUAL(leat_watch_look(engine, START_NS), LEAT_FOREVER);
    leat_watch_expect(engine, LEAT_TIMEOUT_NS_DEFAULT);
    CHECK_EQUAL(leat_watch_grain_ns(watch), LEAT_TIMEOUT_NS_DEFAULT / 8);
    leat_watch_expect(engine, LEAT_TIMEOUT_NS_DEFAULT + 1000);
    leat_watch_expect(engine, 0);
    CHECK_EQUAL(leat_watch_grain_ns(watch), LEAT_TIMEOUT_NS_DEFAULT / 8);
    leat_watch_expect(engine, LEAT_TIMEOUT_NS_DEFAULT - 8);
    CHECK_EQUAL(leat_watch_look(engine, START_NS), START_NS + LEAT_TIMEOUT_NS_DEFAULT / 8 - 1);
    /* An eighth that is a millisecond, and one that would be less. */
    leat_watch_expect(engine, 8 * TEST_MS + 8);
    CHECK_EQUAL(leat_watch_grain_ns(watch), TEST_MS + 1);
    leat_watch_expect(engine, 8 * TEST_MS - 8);
    CHECK_EQUAL(leat_watch_grain_ns(watch), TEST_MS);
    leat_watch_expect(engine, 1);
    CHECK_EQUAL(leat_watch_grain_ns(watch), TEST_MS);
    test_close(engine);
}

/* Who comes while another looks goes on, and comes again later. */
static void
one_watcher_at_a_time(void **state)
{
    (void)state;
    struct fixture *fixture = setup(TIMEOUT_NS);
    leat_atomic_u32 *looking = &fixture->engine->watch.looking;
    CHECK_EQUAL(leat_watch_next(fixture->engine), LEAT_FOREVER);
    begin(fixture);
    CHECK_EQUAL(look(fixture, 0), START_NS + SECOND_NS);
    CHECK_EQUAL(leat_watch_next(fixture->engine), START_NS + SECOND_NS);
    CHECK_EQUAL(look(fixture, TIMEOUT_NS - 10), START_NS + TIMEOUT_NS);
    CHECK_EQUAL(leat_watch_next(fixture->engine), START_NS + TIMEOUT_NS);
    CHECK_EQUAL(atom_load_rlx(looking), 0);
    atom_store_rlx(looking, 1);
    CHECK_EQUAL(look(fixture, 2 * TIMEOUT_NS), START_NS + 2 * TIMEOUT_NS + SECOND_NS);
    CHECK_EQUAL(timed_out(fixture), 0);
    atom_store_rlx(looking, 0);
    (void)look(fixture, 2 * TIMEOUT_NS);
    CHECK_EQUAL(timed_out(fixture), 1);
    check_end(fixture, LEAT_JOB_COMPLETED, LEAT_REASON_NONE, 2);
    CHECK_EQUAL(leat_watch_next(fixture->engine), LEAT_FOREVER);
    teardown(fixture);
}

static void
limits(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    struct leat_engine *engine = test_open(&config);
    struct leat_type_options options = leat_type_options_default();
    CHECK_EQUAL(options.timeout_ns, 60 * SECOND_NS);
    static const uint64_t bad[] = {1, LEAT_TIMEOUT_NS_MIN - 1, LEAT_TIMEOUT_NS_MAX + 1, UINT64_MAX};
    for (size_t i = 0; i < TEST_COUNT_OF(bad); i++) {
        options.timeout_ns = bad[i];
        CHECK_STATUS(leat_type_register(engine, "x", held_run, NULL, &options, NULL), LEAT_INVALID);
        CHECK_EQUAL(leat_watch_grain_ns(&engine->watch), LEAT_FOREVER);
    }
    static const uint64_t good[] = {0, LEAT_TIMEOUT_NS_MAX, LEAT_TIMEOUT_NS_MIN};
    static const char *const names[] = {"none", "most", "least"};
    static const uint64_t grains[] = {LEAT_FOREVER, LEAT_TIMEOUT_NS_MAX / 8, TEST_MS};
    for (size_t i = 0; i < TEST_COUNT_OF(good); i++) {
        options.timeout_ns = good[i];
        CHECK_OK(leat_type_register(engine, names[i], held_run, NULL, &options, NULL));
        CHECK_EQUAL(leat_watch_grain_ns(&engine->watch), grains[i]);
    }
    test_close(engine);
}

/* A nanosecond before, and on time; when the watcher wants to come back. */
static void
to_the_nanosecond(void **state)
{
    (void)state;
    struct fixture *fixture = setup(TIMEOUT_NS);
    begin(fixture);
    CHECK_EQUAL(look(fixture, 0), START_NS + SECOND_NS);
    CHECK_EQUAL(look(fixture, SECOND_NS), START_NS + 2 * SECOND_NS);
    CHECK_EQUAL(look(fixture, TIMEOUT_NS - 10), START_NS + TIMEOUT_NS);
    CHECK_EQUAL(look(fixture, TIMEOUT_NS - 1), START_NS + TIMEOUT_NS);
    CHECK_EQUAL(timed_out(fixture), 0);
    CHECK_EQUAL(look(fixture, TIMEOUT_NS), START_NS + TIMEOUT_NS + SECOND_NS);
    CHECK_EQUAL(timed_out(fixture), 1);
    struct leat_job_info info = test_get(fixture->engine, fixture->id);
    CHECK_EQUAL(info.state, LEAT_JOB_RUNNING);
    CHECK(!info.cancel_requested);
    check_end(fixture, LEAT_JOB_COMPLETED, LEAT_REASON_NONE, 2);
    CHECK(fixture->told[0]);
    CHECK(!fixture->told[1]);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_retried, 1);
    CHECK_EQUAL(timed_out(fixture), 1);
    teardown(fixture);
}

/* The time counts from the first look that found the attempt, and each attempt has its own. */
static void
each_attempt_has_its_time(void **state)
{
    (void)state;
    struct fixture *fixture = setup(TIMEOUT_NS);
    (void)look(fixture, 0);
    (void)look(fixture, TIMEOUT_NS);
    begin(fixture);
    (void)look(fixture, TIMEOUT_NS);
    (void)look(fixture, 2 * TIMEOUT_NS - 1);
    fixture->answers[0] = leat_retry();
    test_gate_open(&fixture->gates[0]);
    test_gate_arrivals(&fixture->gates[1], 1);
    (void)look(fixture, 2 * TIMEOUT_NS);
    (void)look(fixture, 3 * TIMEOUT_NS - 1);
    CHECK_EQUAL(timed_out(fixture), 0);
    (void)look(fixture, 3 * TIMEOUT_NS);
    CHECK_EQUAL(timed_out(fixture), 1);
    check_end(fixture, LEAT_JOB_COMPLETED, LEAT_REASON_NONE, 3);
    CHECK(!fixture->told[0]);
    CHECK(fixture->told[1]);
    CHECK(!fixture->told[2]);
    teardown(fixture);
}

static void
without_a_timeout(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0);
    leat_watch_expect(fixture->engine, TIMEOUT_NS);
    begin(fixture);
    run_out(fixture, 0);
    CHECK_EQUAL(look(fixture, 1000 * TIMEOUT_NS), START_NS + 1000 * TIMEOUT_NS + SECOND_NS);
    CHECK_EQUAL(timed_out(fixture), 0);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_stuck, 0);
    check_end(fixture, LEAT_JOB_COMPLETED, LEAT_REASON_NONE, 1);
    CHECK(!fixture->told[0]);
    teardown(fixture);
}

/* Who cannot look at the job, since too many do, asks again at the next look. */
static void
while_many_look(void **state)
{
    (void)state;
    struct fixture *fixture = setup(TIMEOUT_NS);
    uint32_t index = 0;
    begin(fixture);
    (void)look(fixture, 0);
    for (uint32_t i = 0; i < LEAT_HOLDS_TO_LOOK; i++) {
        CHECK_OK(leat_job_hold(fixture->engine, fixture->id, LEAT_HOLDS_MAX, &index));
    }
    (void)look(fixture, 2 * TIMEOUT_NS);
    CHECK_EQUAL(timed_out(fixture), 0);
    for (uint32_t i = 0; i < LEAT_HOLDS_TO_LOOK; i++) {
        leat_job_unhold(fixture->engine, index);
    }
    (void)look(fixture, 2 * TIMEOUT_NS + 1);
    CHECK_EQUAL(timed_out(fixture), 1);
    check_end(fixture, LEAT_JOB_COMPLETED, LEAT_REASON_NONE, 2);
    teardown(fixture);
}

/* ---- what becomes of it --------------------------------------------------------------------- */

/* Times the first attempts out, each while it stands at its gate, and lets them answer. */
static void
time_out_all(struct fixture *fixture, uint32_t count)
{
    begin(fixture);
    for (uint32_t i = 0; i < count; i++) {
        test_gate_arrivals(&fixture->gates[i], 1);
        run_out(fixture, (uint64_t)i * 10 * TIMEOUT_NS);
        test_gate_open(&fixture->gates[i]);
    }
}

static void
attempts_used_up(void **state)
{
    (void)state;
    const struct leat_outcome answers[] = {leat_done(), leat_retry(), leat_pending()};
    for (size_t i = 0; i < TEST_COUNT_OF(answers); i++) {
        struct fixture *fixture = setup(TIMEOUT_NS);
        fixture->answers[ATTEMPTS - 1] = answers[i];
        time_out_all(fixture, ATTEMPTS);
        check_end(fixture, LEAT_JOB_DEAD, LEAT_REASON_TIMEOUT, ATTEMPTS);
        CHECK_EQUAL(timed_out(fixture), ATTEMPTS);
        CHECK_EQUAL(test_statistics(fixture->engine).jobs_retried, ATTEMPTS - 1);
        CHECK_EQUAL(test_statistics(fixture->engine).jobs_dead, 1);
        teardown(fixture);
    }
}

/* The reason is that of the last attempt. */
static void
failed_in_time_at_last(void **state)
{
    (void)state;
    struct fixture *fixture = setup(TIMEOUT_NS);
    fixture->answers[ATTEMPTS - 1] = leat_retry();
    time_out_all(fixture, ATTEMPTS - 1);
    check_end(fixture, LEAT_JOB_DEAD, LEAT_REASON_ATTEMPTS, ATTEMPTS);
    teardown(fixture);
}

static void
failed_for_good(void **state)
{
    (void)state;
    struct fixture *fixture = setup(TIMEOUT_NS);
    fixture->answers[0] = leat_fail();
    time_out_all(fixture, 1);
    check_end(fixture, LEAT_JOB_DEAD, LEAT_REASON_FAILED, 1);
    teardown(fixture);
}

static void
cancelled_as_well(void **state)
{
    (void)state;
    for (uint32_t before = 0; before < 2; before++) {
        struct fixture *fixture = setup(TIMEOUT_NS);
        begin(fixture);
        if (before == 1) {
            CHECK_STATUS(leat_cancel(fixture->engine, fixture->id), LEAT_RUNNING);
        }
        run_out(fixture, 0);
        if (before == 0) {
            CHECK_STATUS(leat_cancel(fixture->engine, fixture->id), LEAT_RUNNING);
        }
        CHECK_EQUAL(timed_out(fixture), 1);
        check_end(fixture, LEAT_JOB_CANCELLED, LEAT_REASON_NONE, 1);
        teardown(fixture);
    }
}

/* What an attempt needed, the next one needs, wherever it stands. */
static void
payloads_stay(void **state)
{
    (void)state;
    static const size_t bytes[] = {0, 1, 16, 17, 64, 65, 4096};
    for (size_t i = 0; i < TEST_COUNT_OF(bytes); i++) {
        struct fixture *fixture = setup(TIMEOUT_NS);
        fixture->payload_bytes = bytes[i];
        time_out_all(fixture, ATTEMPTS - 1);
        check_end(fixture, LEAT_JOB_COMPLETED, LEAT_REASON_NONE, ATTEMPTS);
        teardown(fixture);
    }
}

/* ---- completion from elsewhere -------------------------------------------------------------- */

static void
a_completion_after_it_is_stale(void **state)
{
    (void)state;
    struct fixture *fixture = setup(TIMEOUT_NS);
    fixture->answers[0] = leat_pending();
    begin(fixture);
    run_out(fixture, 0);
    leat_token token = fixture->token;
    CHECK_STATUS(leat_complete(fixture->engine, token, leat_done(), NULL), LEAT_STALE);
    CHECK_STATUS(leat_complete(fixture->engine, token, leat_fail(), "text"), LEAT_STALE);
    CHECK_STATUS(leat_ack(fixture->engine, token, "result", 6), LEAT_STALE);
    test_gate_open(&fixture->gates[0]);
    test_gate_arrivals(&fixture->gates[1], 1);
    CHECK_STATUS(leat_complete(fixture->engine, token, leat_done(), NULL), LEAT_STALE);
    check_end(fixture, LEAT_JOB_COMPLETED, LEAT_REASON_NONE, 2);
    CHECK(fixture->told[0]);
    teardown(fixture);
}

/* Then its handler is stuck, if it does not return, and not timed out. */
static void
a_completion_before_it_stands(void **state)
{
    (void)state;
    struct fixture *fixture = setup(TIMEOUT_NS);
    fixture->answers[0] = leat_pending();
    begin(fixture);
    CHECK_OK(leat_complete(fixture->engine, fixture->token, leat_done(), NULL));
    run_out(fixture, 0);
    (void)look(fixture, TIMEOUT_NS + SECOND_NS);
    CHECK_EQUAL(timed_out(fixture), 0);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_stuck, 1);
    check_end(fixture, LEAT_JOB_COMPLETED, LEAT_REASON_NONE, 1);
    CHECK(!fixture->told[0]);
    teardown(fixture);
}

static bool
awaited(void *argument)
{
    const struct fixture *fixture = argument;
    return atom_load_rlx(&fixture->engine->outside.awaited) == 1 &&
           atom_load_rlx(&fixture->engine->places[0].running) == 0;
}

/* Nobody is in a handler: there is nothing to look at. */
static void
pending_has_no_timeout(void **state)
{
    (void)state;
    struct fixture *fixture = setup(TIMEOUT_NS);
    fixture->answers[0] = leat_pending();
    begin(fixture);
    (void)look(fixture, 0);
    (void)look(fixture, SECOND_NS);
    test_gate_open(&fixture->gates[0]);
    CHECK(test_until(awaited, fixture));
    (void)look(fixture, 10 * TIMEOUT_NS);
    (void)look(fixture, 20 * TIMEOUT_NS);
    CHECK_EQUAL(timed_out(fixture), 0);
    CHECK_OK(leat_complete(fixture->engine, fixture->token, leat_done(), NULL));
    check_end(fixture, LEAT_JOB_COMPLETED, LEAT_REASON_NONE, 1);
    teardown(fixture);
}

/* ---- stuck ---------------------------------------------------------------------------------- */

static uint64_t
stuck_in(struct fixture *fixture)
{
    struct leat_worker_statistics worker = leat_worker_statistics_default();
    CHECK_OK(leat_worker_statistics_get(fixture->engine, 0, &worker));
    return worker.stuck.bits;
}

/* Not inlined: statistics are large. */
static __attribute__((noinline)) uint64_t
stuck_so_far(struct fixture *fixture)
{
    return test_statistics(fixture->engine).jobs_stuck;
}

static void
stuck_is_said_once(void **state)
{
    (void)state;
    struct fixture *fixture = setup(TIMEOUT_NS);
    begin(fixture);
    run_out(fixture, 0);
    CHECK_EQUAL(look(fixture, TIMEOUT_NS + SECOND_NS - 1), START_NS + TIMEOUT_NS + SECOND_NS);
    CHECK_EQUAL(stuck_so_far(fixture), 0);
    CHECK_EQUAL(stuck_in(fixture), 0);
    for (uint64_t i = 1; i < 5; i++) {
        uint64_t at_ns = TIMEOUT_NS + i * SECOND_NS;
        CHECK_EQUAL(look(fixture, at_ns), START_NS + at_ns + SECOND_NS);
        CHECK_EQUAL(stuck_so_far(fixture), 1);
        CHECK_EQUAL(stuck_in(fixture), fixture->id.bits);
        CHECK_EQUAL(timed_out(fixture), 1);
    }
    /* Neither retried nor recycled. */
    CHECK_EQUAL(test_get(fixture->engine, fixture->id).state, LEAT_JOB_RUNNING);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_running, 1);
    /* It returns, and is in its second attempt: that one is not stuck, by the next look at the
     * latest, and may be once more. */
    test_gate_open(&fixture->gates[0]);
    test_gate_arrivals(&fixture->gates[1], 1);
    run_out(fixture, 10 * TIMEOUT_NS);
    CHECK_EQUAL(stuck_in(fixture), 0);
    (void)look(fixture, 12 * TIMEOUT_NS);
    CHECK_EQUAL(stuck_in(fixture), fixture->id.bits);
    CHECK_EQUAL(stuck_so_far(fixture), 2);
    check_end(fixture, LEAT_JOB_COMPLETED, LEAT_REASON_NONE, 3);
    CHECK_EQUAL(stuck_in(fixture), 0);
    teardown(fixture);
}

/* One look that is late by much says all at once. */
static void
a_late_look(void **state)
{
    (void)state;
    struct fixture *fixture = setup(TIMEOUT_NS);
    begin(fixture);
    (void)look(fixture, 0);
    (void)look(fixture, 100 * TIMEOUT_NS);
    CHECK_EQUAL(timed_out(fixture), 1);
    CHECK_EQUAL(stuck_so_far(fixture), 1);
    CHECK_EQUAL(stuck_in(fixture), fixture->id.bits);
    check_end(fixture, LEAT_JOB_COMPLETED, LEAT_REASON_NONE, 2);
    teardown(fixture);
}

/* ---- what the watcher may see of two moments ------------------------------------------------ */

/* The place says a job that another thread has ended, or that runs elsewhere by now: the word tells
 * it, and nothing is timed out. */
static void
what_the_place_says_is_old(void **state)
{
    (void)state;
    struct fixture *fixture = setup(TIMEOUT_NS);
    struct leat_place *place = &fixture->engine->places[0];
    begin(fixture);
    check_end(fixture, LEAT_JOB_COMPLETED, LEAT_REASON_NONE, 1);
    leat_job_id ended = fixture->id;
    atom_store_rlx(&place->running, ended.bits);
    run_out(fixture, 0);
    CHECK_OK(leat_release(fixture->engine, ended));
    run_out(fixture, 10 * TIMEOUT_NS);
    atom_store_rlx(&place->running, ended.bits + (UINT64_C(2) << LEAT_INDEX_BITS));
    run_out(fixture, 20 * TIMEOUT_NS);
    (void)look(fixture, 30 * TIMEOUT_NS);
    CHECK_EQUAL(timed_out(fixture), 0);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_stuck, 0);
    atom_store_rlx(&place->running, 0);
    teardown(fixture);
}

/* The same attempt's bits, and the same job, but another run of the worker: as after 64 attempts.
 * And the same run number, but another attempt. */
static void
runs_that_look_alike(void **state)
{
    (void)state;
    struct fixture *fixture = setup(TIMEOUT_NS);
    struct leat_place *place = &fixture->engine->places[0];
    leat_atomic_u64 *word = NULL;
    begin(fixture);
    (void)look(fixture, 0);
    (void)look(fixture, SECOND_NS);
    (void)atom_add_rlx(&place->jobs_run, 1);
    (void)look(fixture, 2 * TIMEOUT_NS);
    CHECK_EQUAL(timed_out(fixture), 0);
    (void)atom_sub_rlx(&place->jobs_run, 1);
    (void)look(fixture, 4 * TIMEOUT_NS);
    word = leat_slab_word(&fixture->engine->jobs, (uint32_t)(fixture->id.bits & LEAT_INDEX_NONE));
    (void)atom_add_rlx(word, UINT64_C(1) << LEAT_WORD_ATTEMPT_SHIFT);
    (void)look(fixture, 6 * TIMEOUT_NS);
    CHECK_EQUAL(timed_out(fixture), 0);
    (void)atom_sub_rlx(word, UINT64_C(1) << LEAT_WORD_ATTEMPT_SHIFT);
    (void)look(fixture, 8 * TIMEOUT_NS);
    CHECK_EQUAL(timed_out(fixture), 0);
    (void)look(fixture, 9 * TIMEOUT_NS);
    CHECK_EQUAL(timed_out(fixture), 1);
    check_end(fixture, LEAT_JOB_COMPLETED, LEAT_REASON_NONE, 2);
    teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(when_to_look),
        cmocka_unit_test(limits),
        cmocka_unit_test(one_watcher_at_a_time),
        cmocka_unit_test(to_the_nanosecond),
        cmocka_unit_test(each_attempt_has_its_time),
        cmocka_unit_test(without_a_timeout),
        cmocka_unit_test(while_many_look),
        cmocka_unit_test(attempts_used_up),
        cmocka_unit_test(failed_in_time_at_last),
        cmocka_unit_test(failed_for_good),
        cmocka_unit_test(cancelled_as_well),
        cmocka_unit_test(payloads_stay),
        cmocka_unit_test(a_completion_after_it_is_stale),
        cmocka_unit_test(a_completion_before_it_stands),
        cmocka_unit_test(pending_has_no_timeout),
        cmocka_unit_test(stuck_is_said_once),
        cmocka_unit_test(a_late_look),
        cmocka_unit_test(what_the_place_says_is_old),
        cmocka_unit_test(runs_that_look_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
