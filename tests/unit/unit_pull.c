/* unit_pull.c - leases of a pull queue, exactly, by a clock that the test moves: what is taken, in
 * which order, and as much as fits; mistakes; a stop that comes while it takes; every call on a
 * lease that holds and on one that does not; leases that end, below, at and above their time. With
 * 0 workers, with and without leat_run_some(), and with one. Holds I1 of engine/pull.h by looking
 * through the engine.
 * */
#include <string.h>

#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/pull.h"
#include "tests/support/threads.h"

/* ---- taking --------------------------------------------------------------------------------- */

/* Levels first, then the order of the submits; `max` below, at and above what there is. */
static void
order_and_max(void **state)
{
    (void)state;
    static const uint32_t maxes[] = {1, 2, 7, PULL_JOBS - 1, PULL_JOBS};
    for (size_t i = 0; i < TEST_COUNT_OF(maxes); i++) {
        struct pull *fixture = pull_setup();
        leat_job_id *ids = fixture->ids;
        uint32_t taken = 0;
        for (uint32_t n = 0; n < PULL_JOBS; n++) {
            struct leat_job job = pull_job(fixture);
            job.priority = n < PULL_JOBS / 2 ? LEAT_PRIORITY_LOW : LEAT_PRIORITY_HIGH;
            CHECK_OK(leat_submit(fixture->engine, &job, &ids[(n + PULL_JOBS / 2) % PULL_JOBS]));
        }
        if (i % 2 == 0) {
            pull_settle(fixture); /* they are dealt to the list by then */
        }
        while (taken < PULL_JOBS) {
            uint32_t want = PULL_JOBS - taken < maxes[i] ? PULL_JOBS - taken : maxes[i];
            CHECK_OK(pull_reserve(fixture, maxes[i]));
            CHECK_EQUAL(fixture->count, want);
            for (uint32_t n = 0; n < want; n++) {
                CHECK_EQUAL(fixture->leases[n].id.bits, ids[taken + n].bits);
                CHECK_EQUAL(fixture->leases[n].attempt, 1);
                CHECK_EQUAL(fixture->leases[n].max_attempts, PULL_ATTEMPTS);
            }
            taken += want;
            CHECK_EQUAL(test_statistics(fixture->engine).jobs_running, taken);
            CHECK_EQUAL(test_statistics(fixture->engine).jobs_run, taken);
        }
        pull_nothing(fixture);
        pull_settle(fixture);
        pull_teardown(fixture);
    }
}

/* Workers and lent threads leave them where they are. */
static void
no_worker_takes_them(void **state)
{
    (void)state;
    for (uint32_t workers = 0; workers < 2; workers++) {
        struct pull *fixture = pull_setup_with(workers, NULL);
        leat_job_id id = pull_submit(fixture);
        if (workers == 0) {
            pull_settle(fixture);
        } else {
            test_sleep_ns(20 * MS);
        }
        CHECK_EQUAL(pull_state(fixture, id), LEAT_JOB_PENDING);
        leat_token token = pull_reserve_one(fixture, id);
        CHECK_EQUAL(token.attempt, 1);
        CHECK_EQUAL(pull_state(fixture, id), LEAT_JOB_RUNNING);
        CHECK_OK(leat_ack(fixture->engine, token, NULL, 0));
        CHECK_EQUAL(pull_state(fixture, id), LEAT_JOB_COMPLETED);
        test_finish(fixture->engine);
    }
}

/* Payloads stand one behind the other, aligned, and are the caller's, also if the job is gone. */
static void
payloads(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 16, 17, 64, 65, 5000};
    struct pull *fixture = pull_setup();
    static unsigned char bytes[5000];
    const unsigned char *end = fixture->buffer;
    for (size_t i = 0; i < TEST_COUNT_OF(sizes); i++) {
        struct leat_job job = pull_job(fixture);
        memset(bytes, (int)i + 1, sizeof(bytes));
        job.flags = 0;
        job.payload = bytes;
        job.payload_bytes = sizes[i];
        CHECK_OK(leat_submit(fixture->engine, &job, NULL));
    }
    CHECK_OK(pull_reserve(fixture, PULL_JOBS));
    CHECK_EQUAL(fixture->count, TEST_COUNT_OF(sizes));
    for (size_t i = 0; i < fixture->count; i++) {
        CHECK_OK(leat_ack(fixture->engine, fixture->leases[i].token, NULL, 0));
    }
    pull_settle(fixture); /* by now the wheels have let go of them */
    for (size_t i = 0; i < fixture->count; i++) {
        CHECK_STATUS(leat_ack(fixture->engine, fixture->leases[i].token, NULL, 0), LEAT_GONE);
    }
    for (size_t i = 0; i < fixture->count; i++) {
        const unsigned char *payload = fixture->leases[i].payload;
        CHECK_EQUAL(fixture->leases[i].payload_bytes, sizes[i]);
        CHECK((payload == NULL) == (sizes[i] == 0));
        CHECK_EQUAL((uintptr_t)payload % 16, 0);
        CHECK(payload == NULL || payload >= end);
        for (size_t n = 0; n < sizes[i]; n++) {
            CHECK_EQUAL(payload[n], i + 1);
        }
        end = payload == NULL ? end : payload + sizes[i];
    }
    pull_settle(fixture);
    pull_teardown(fixture);
}

/* As many as fit; none: it is said, and the job stays the first one. */
static void
buffer_limits(void **state)
{
    (void)state;
    struct pull *fixture = pull_setup();
    leat_job_id ids[3];
    for (uint32_t i = 0; i < 3; i++) {
        struct leat_job job = pull_job(fixture);
        job.payload = "seventeen bytes..";
        job.payload_bytes = 17;
        CHECK_OK(leat_submit(fixture->engine, &job, &ids[i]));
    }
    struct leat_reserve_options options = pull_asks(fixture, PULL_JOBS);
    options.buffer_bytes = 16;
    CHECK_STATUS(leat_reserve(fixture->engine, &options, fixture->leases, &fixture->count),
                 LEAT_FULL);
    options.buffer = NULL;
    options.buffer_bytes = 0;
    options.timeout_ns = S;
    CHECK_STATUS(leat_reserve(fixture->engine, &options, fixture->leases, &fixture->count),
                 LEAT_FULL);
    options.buffer = fixture->buffer;
    options.buffer_bytes = 32 + 16;
    CHECK_OK(leat_reserve(fixture->engine, &options, fixture->leases, &fixture->count));
    CHECK_EQUAL(fixture->count, 1);
    CHECK_EQUAL(fixture->leases[0].id.bits, ids[0].bits);
    options.buffer_bytes = 32 + 17;
    CHECK_OK(leat_reserve(fixture->engine, &options, fixture->leases, &fixture->count));
    CHECK_EQUAL(fixture->count, 2);
    CHECK_EQUAL(fixture->leases[1].id.bits, ids[2].bits);
    pull_settle(fixture);
    pull_teardown(fixture);
}

/* What comes next is too large: a smaller one of a lower level is not taken in its place. */
static void
buffer_and_levels(void **state)
{
    (void)state;
    struct pull *fixture = pull_setup();
    struct leat_job job = pull_job(fixture);
    leat_job_id high = {0};
    job.priority = LEAT_PRIORITY_LOW;
    CHECK_OK(leat_submit(fixture->engine, &job, NULL));
    job.priority = LEAT_PRIORITY_HIGH;
    job.payload = "seventeen bytes..";
    job.payload_bytes = 17;
    CHECK_OK(leat_submit(fixture->engine, &job, &high));
    struct leat_reserve_options options = pull_asks(fixture, PULL_JOBS);
    options.buffer_bytes = 16;
    CHECK_STATUS(leat_reserve(fixture->engine, &options, fixture->leases, &fixture->count),
                 LEAT_FULL);
    options.buffer_bytes = 17;
    CHECK_OK(leat_reserve(fixture->engine, &options, fixture->leases, &fixture->count));
    CHECK_EQUAL(fixture->count, 2);
    CHECK_EQUAL(fixture->leases[0].id.bits, high.bits);
    pull_settle(fixture);
    pull_teardown(fixture);
}

static void
forked(void *argument)
{
    struct pull *fixture = argument;
    const struct leat_reserve_options good = pull_asks(fixture, 1);
    CHECK_STATUS(leat_reserve(fixture->engine, &good, fixture->leases, &fixture->count),
                 LEAT_FORKED);
    CHECK_STATUS(leat_reserve(fixture->engine, NULL, NULL, NULL), LEAT_FORKED);
}

static void
mistakes(void **state)
{
    (void)state;
    struct pull *fixture = pull_setup();
    struct leat_engine *engine = fixture->engine;
    const struct leat_reserve_options good = pull_asks(fixture, 1);
    struct leat_reserve_options bad = good;
    leat_job_id id = pull_submit(fixture);
    fixture->count = 77;
    CHECK_STATUS(leat_reserve(NULL, &good, fixture->leases, &fixture->count), LEAT_INVALID);
    CHECK_STATUS(leat_reserve(engine, NULL, fixture->leases, &fixture->count), LEAT_INVALID);
    CHECK_STATUS(leat_reserve(engine, &good, NULL, &fixture->count), LEAT_INVALID);
    CHECK_STATUS(leat_reserve(engine, &good, fixture->leases, NULL), LEAT_INVALID);
    bad.max = 0;
    CHECK_STATUS(leat_reserve(engine, &bad, fixture->leases, &fixture->count), LEAT_INVALID);
    bad = good;
    bad.buffer = NULL;
    CHECK_STATUS(leat_reserve(engine, &bad, fixture->leases, &fixture->count), LEAT_INVALID);
    bad.buffer = fixture->buffer + 8;
    bad.buffer_bytes = 64;
    CHECK_STATUS(leat_reserve(engine, &bad, fixture->leases, &fixture->count), LEAT_INVALID);
    bad = good;
    bad.queue.bits = 0;
    CHECK_STATUS(leat_reserve(engine, &bad, fixture->leases, &fixture->count), LEAT_NOT_FOUND);
    bad.queue.bits = 60;
    CHECK_STATUS(leat_reserve(engine, &bad, fixture->leases, &fixture->count), LEAT_NOT_FOUND);
    CHECK_OK(leat_queue_find(engine, "default", &bad.queue));
    CHECK_STATUS(leat_reserve(engine, &bad, fixture->leases, &fixture->count), LEAT_WRONG_STATE);
    bad = good;
    bad.size = 0;
    CHECK_STATUS(leat_reserve(engine, &bad, fixture->leases, &fixture->count), LEAT_INVALID);
    CHECK_EQUAL(fixture->count, 77);
    test_child(forked, fixture);
    leat_token token = pull_reserve_one(fixture, id);
    fixture->count = 77;
    CHECK_STATUS(leat_reserve(engine, &good, fixture->leases, &fixture->count), LEAT_EMPTY);
    CHECK_EQUAL(fixture->count, 77);
    leat_token never = {0, 0};
    CHECK_STATUS(leat_ack(engine, never, NULL, 0), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_ack(engine, token, NULL, 1), LEAT_INVALID);
    CHECK_STATUS(leat_ack(engine, token, fixture->buffer, sizeof(fixture->buffer) + 1),
                 LEAT_INVALID);
    token.attempt += 64;
    CHECK_STATUS(leat_ack(engine, token, NULL, 0), LEAT_STALE);
    CHECK_STATUS(leat_extend(engine, token, 0), LEAT_STALE);
    CHECK_EQUAL(pull_state(fixture, id), LEAT_JOB_RUNNING);
    pull_teardown(fixture);
}

/* A clock that stops its engine when it is asked next. */
struct stopping {
    struct leat_clock clock;
    struct leat_engine *engine;
    bool stops;
};

static uint64_t
stopping_now(enum leat_clock_kind kind, void *context)
{
    struct stopping *stopping = context;
    if (stopping->stops) {
        stopping->stops = false;
        CHECK_OK(leat_stop(stopping->engine, LEAT_FOREVER));
    }
    return stopping->clock.now(kind, stopping->clock.context);
}

/* It has begun its round when the engine is stopped, and takes nothing any more. */
static void
stopped_meanwhile(void **state)
{
    (void)state;
    struct test_clock clock;
    struct leat_config config = test_config();
    struct leat_queue_options pulls = leat_queue_options_default();
    struct leat_reserve_options asks = leat_reserve_options_default();
    struct leat_job job = leat_job_default();
    struct leat_lease lease;
    leat_job_id id = {0};
    size_t count = 77;
    test_clock_init(&clock);
    struct stopping stopping = {.clock = test_clock_of(&clock)};
    pulls.pull = true;
    config.workers = 0;
    config.clock = (struct leat_clock){stopping_now, &stopping};
    stopping.engine = test_start(&config);
    CHECK_OK(leat_queue_create(stopping.engine, "pull", &pulls, &asks.queue));
    job.type_name = "nobody";
    job.queue = asks.queue;
    job.priority = 0; /* of the level that is looked at first */
    CHECK_OK(leat_submit(stopping.engine, &job, &id));
    asks.max = 1;
    stopping.stops = true;
    CHECK_STATUS(leat_reserve(stopping.engine, &asks, &lease, &count), LEAT_CLOSED);
    CHECK(!stopping.stops);
    CHECK_EQUAL(count, 77);
    CHECK_EQUAL(test_get(stopping.engine, id).state, LEAT_JOB_PENDING);
    test_close(stopping.engine);
}

/* ---- ends ----------------------------------------------------------------------------------- */

static void
ack_with_a_result(void **state)
{
    (void)state;
    struct pull *fixture = pull_setup();
    leat_job_id id = pull_submit(fixture);
    leat_token token = pull_reserve_one(fixture, id);
    char text[8];
    size_t bytes = 0;
    CHECK_OK(leat_ack(fixture->engine, token, "result", 6));
    CHECK_OK(leat_result(fixture->engine, id, text, sizeof(text), &bytes));
    CHECK_EQUAL(bytes, 6);
    CHECK(memcmp(text, "result", 6) == 0);
    pull_check_lost(fixture, token, LEAT_STALE);
    CHECK_OK(leat_release(fixture->engine, id));
    pull_settle(fixture);
    pull_check_lost(fixture, token, LEAT_GONE);
    pull_teardown(fixture);
}

static void
nack_until_dead(void **state)
{
    (void)state;
    static const uint64_t delays[] = {0, 5 * S};
    for (size_t i = 0; i < TEST_COUNT_OF(delays); i++) {
        struct pull *fixture = pull_setup();
        leat_job_id id = pull_submit(fixture);
        for (uint32_t attempt = 1; attempt <= PULL_ATTEMPTS; attempt++) {
            leat_token token = pull_reserve_one(fixture, id);
            CHECK_EQUAL(fixture->leases[0].attempt, attempt);
            CHECK_EQUAL(token.attempt, attempt);
            CHECK_OK(leat_nack(fixture->engine, token, delays[i], "no luck"));
            pull_check_lost(fixture, token, LEAT_STALE);
            if (attempt < PULL_ATTEMPTS && delays[i] != 0) {
                CHECK_EQUAL(pull_state(fixture, id), LEAT_JOB_RETRYING);
                pull_pass(fixture, delays[i] - 1);
                pull_nothing(fixture);
                test_clock_pass(&fixture->clock, fixture->engine, TICK + 1);
            }
        }
        struct leat_job_info info = test_get(fixture->engine, id);
        CHECK_EQUAL(info.state, LEAT_JOB_DEAD);
        CHECK_EQUAL(info.reason, LEAT_REASON_ATTEMPTS);
        CHECK_TEXT(info.error, "no luck");
        CHECK_EQUAL(test_statistics(fixture->engine).jobs_retried, PULL_ATTEMPTS - 1);
        pull_nothing(fixture);
        pull_settle(fixture);
        pull_teardown(fixture);
    }
}

/* Of a type without a handler it is the default one: about 1 s behind the first attempt. */
static void
nack_by_policy(void **state)
{
    (void)state;
    struct pull *fixture = pull_setup();
    leat_job_id id = pull_submit(fixture);
    leat_token token = pull_reserve_one(fixture, id);
    CHECK_OK(leat_nack(fixture->engine, token, LEAT_DELAY_OF_POLICY, NULL));
    CHECK_EQUAL(pull_state(fixture, id), LEAT_JOB_RETRYING);
    pull_pass(fixture, 8 * S / 10);
    pull_nothing(fixture);
    pull_pass(fixture, 4 * S / 10);
    (void)pull_reserve_one(fixture, id);
    pull_teardown(fixture);
}

/* They are the first ones again, in any order; and no attempt is used up. */
static void
release_goes_in_front(void **state)
{
    (void)state;
    struct pull *fixture = pull_setup();
    leat_job_id ids[4];
    for (uint32_t i = 0; i < 4; i++) {
        ids[i] = pull_submit(fixture);
    }
    for (uint32_t round = 1; round < 10; round++) {
        CHECK_OK(pull_reserve(fixture, 2));
        for (uint32_t i = 0; i < 2; i++) {
            leat_token token = fixture->leases[i].token;
            CHECK(token.job == ids[0].bits || token.job == ids[1].bits);
            CHECK_EQUAL(fixture->leases[i].attempt, 1);
            CHECK_EQUAL(token.attempt, round);
            CHECK_OK(leat_lease_release(fixture->engine, token));
            pull_check_lost(fixture, token, LEAT_STALE);
        }
        if (round % 2 == 0) {
            pull_settle(fixture);
        }
    }
    CHECK_EQUAL(test_get(fixture->engine, ids[0]).attempts, 0);
    CHECK_OK(pull_reserve(fixture, PULL_JOBS));
    CHECK_EQUAL(fixture->count, 4);
    for (uint32_t i = 2; i < 4; i++) {
        CHECK_EQUAL(fixture->leases[i].id.bits, ids[i].bits);
    }
    pull_settle(fixture);
    pull_teardown(fixture);
}

/* Also where so many are listed before it that they are dealt in parts, and others were dealt
 * before: below, at and above what one look deals. */
static void
release_passes_what_is_not_dealt(void **state)
{
    (void)state;
    for (uint32_t jobs = 2; jobs <= PULL_JOBS; jobs++) {
        struct pull *fixture = pull_setup();
        fixture->ids[0] = pull_submit(fixture);
        fixture->ids[1] = pull_submit(fixture);
        CHECK_OK(pull_reserve(fixture, 1));
        for (uint32_t i = 2; i < jobs; i++) {
            fixture->ids[i] = pull_submit(fixture);
        }
        CHECK_OK(leat_lease_release(fixture->engine, fixture->leases[0].token));
        CHECK_OK(pull_reserve(fixture, 1));
        CHECK_EQUAL(fixture->leases[0].id.bits, fixture->ids[0].bits);
        CHECK_OK(pull_reserve(fixture, PULL_JOBS));
        CHECK_EQUAL(fixture->count, jobs - 1);
        for (uint32_t i = 1; i < jobs; i++) {
            CHECK_EQUAL(fixture->leases[i - 1].id.bits, fixture->ids[i].bits);
        }
        pull_settle(fixture);
        pull_teardown(fixture);
    }
}

/* ---- leases --------------------------------------------------------------------------------- */

/* Never before its time, and not much later; by whoever comes by. */
static void
lease_times(void **state)
{
    (void)state;
    static const uint64_t times[] = {1, TICK - 1, TICK, TICK + 1, 0, 3600 * S};
    for (size_t i = 0; i < TEST_COUNT_OF(times); i++) {
        struct pull *fixture = pull_setup();
        leat_job_id id = pull_submit(fixture);
        struct leat_reserve_options options = pull_asks(fixture, 1);
        uint64_t ns = times[i] == 0 ? 300 * S : times[i];
        options.lease_ns = times[i];
        CHECK_OK(leat_reserve(fixture->engine, &options, fixture->leases, &fixture->count));
        CHECK_EQUAL(fixture->leases[0].due_in_ns, ns);
        pull_pass(fixture, ns - 1);
        pull_nothing(fixture);
        CHECK_EQUAL(pull_state(fixture, id), LEAT_JOB_RUNNING);
        test_clock_pass(&fixture->clock, fixture->engine, 2 * TICK);
        leat_token old = fixture->leases[0].token;
        if (i % 2 == 0) {
            pull_settle(fixture);
            CHECK_EQUAL(pull_state(fixture, id), LEAT_JOB_PENDING);
            pull_check_lost(fixture, old, LEAT_STALE);
        }
        leat_token token = pull_reserve_one(fixture, id);
        CHECK_EQUAL(token.attempt, 2);
        CHECK_EQUAL(fixture->leases[0].attempt, 2);
        pull_check_lost(fixture, old, LEAT_STALE);
        CHECK_EQUAL(test_statistics(fixture->engine).jobs_timed_out, 1);
        CHECK_OK(leat_ack(fixture->engine, token, NULL, 0));
        pull_settle(fixture);
        pull_teardown(fixture);
    }
}

static void
leases_use_up_attempts(void **state)
{
    (void)state;
    struct pull *fixture = pull_setup();
    leat_job_id id = pull_submit(fixture);
    for (uint32_t attempt = 1; attempt <= PULL_ATTEMPTS; attempt++) {
        (void)pull_reserve_one(fixture, id);
        pull_pass(fixture, S + TICK);
    }
    CHECK_EQUAL(pull_state(fixture, id), LEAT_JOB_DEAD);
    CHECK_EQUAL(test_get(fixture->engine, id).reason, LEAT_REASON_TIMEOUT);
    pull_check_lost(fixture, fixture->leases[0].token, LEAT_STALE);
    pull_nothing(fixture);
    pull_teardown(fixture);
}

static void
extended(void **state)
{
    (void)state;
    struct pull *fixture = pull_setup();
    leat_job_id id = pull_submit(fixture);
    leat_token token = pull_reserve_one(fixture, id);
    for (uint32_t i = 0; i < 5; i++) {
        pull_pass(fixture, S - 1);
        CHECK_EQUAL(pull_state(fixture, id), LEAT_JOB_RUNNING);
        CHECK_OK(leat_extend(fixture->engine, token, S));
    }
    CHECK_OK(leat_extend(fixture->engine, token, 1)); /* never shorter */
    pull_pass(fixture, S - 1);
    CHECK_EQUAL(pull_state(fixture, id), LEAT_JOB_RUNNING);
    CHECK_OK(leat_extend(fixture->engine, token, 0));
    pull_pass(fixture, 300 * S - 1);
    CHECK_EQUAL(pull_state(fixture, id), LEAT_JOB_RUNNING);
    pull_pass(fixture, 2 * TICK);
    CHECK_EQUAL(pull_state(fixture, id), LEAT_JOB_PENDING);
    pull_check_lost(fixture, token, LEAT_STALE);
    pull_teardown(fixture);
}

/* A lease takes a token of its queue's rate: below, at and above the burst, and to a tick when the
 * next one is there. What is given back has used its token up. */
static void
leases_take_tokens(void **state)
{
    (void)state;
    static const uint64_t tick_ns = UINT64_C(1) << 14;
    struct pull *fixture = pull_setup();
    CHECK_OK(leat_queue_set_rate(fixture->engine, fixture->queue, leat_rate_of(10, S, 3)));
    for (uint32_t i = 0; i < 8; i++) {
        fixture->ids[i] = pull_submit(fixture);
    }
    CHECK_OK(pull_reserve(fixture, 2));
    CHECK_EQUAL(fixture->count, 2);
    CHECK_OK(pull_reserve(fixture, 2));
    CHECK_EQUAL(fixture->count, 1);
    CHECK_STATUS(pull_reserve(fixture, 1), LEAT_EMPTY);
    CHECK_OK(leat_lease_release(fixture->engine, fixture->leases[0].token));
    CHECK_STATUS(pull_reserve(fixture, 1), LEAT_EMPTY);
    pull_pass(fixture, S / 10 - 1);
    CHECK_STATUS(pull_reserve(fixture, 1), LEAT_EMPTY);
    pull_pass(fixture, 1 + tick_ns);
    CHECK_OK(pull_reserve(fixture, PULL_JOBS));
    CHECK_EQUAL(fixture->count, 1);
    CHECK_EQUAL(fixture->leases[0].id.bits, fixture->ids[2].bits); /* in front again */
    CHECK_EQUAL(fixture->leases[0].attempt, 1);
    pull_pass(fixture, S / 5);
    CHECK_OK(pull_reserve(fixture, PULL_JOBS));
    CHECK_EQUAL(fixture->count, 2);
    CHECK_OK(leat_queue_set_rate(fixture->engine, fixture->queue, leat_rate_of(0, 0, 0)));
    CHECK_OK(pull_reserve(fixture, PULL_JOBS));
    CHECK_EQUAL(fixture->count, 3);
    pull_settle(fixture);
    pull_teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_and_max),
        cmocka_unit_test(no_worker_takes_them),
        cmocka_unit_test(payloads),
        cmocka_unit_test(buffer_limits),
        cmocka_unit_test(buffer_and_levels),
        cmocka_unit_test(mistakes),
        cmocka_unit_test(stopped_meanwhile),
        cmocka_unit_test(ack_with_a_result),
        cmocka_unit_test(nack_until_dead),
        cmocka_unit_test(nack_by_policy),
        cmocka_unit_test(release_goes_in_front),
        cmocka_unit_test(release_passes_what_is_not_dealt),
        cmocka_unit_test(lease_times),
        cmocka_unit_test(leases_use_up_attempts),
        cmocka_unit_test(extended),
        cmocka_unit_test(leases_take_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
