/* unit_pull.c - pull queues, exactly, by a clock that the test moves: what leat_reserve() takes and
 * in which order, every call on a lease in every state of its job, leases that end, below, at and
 * above their time; pauses, caps, limits, cancels, expiry, delays, priorities, batches; types
 * without a handler; drain, stop and start; with 0 workers, with and without leat_run_some(), and
 * with some. Holds I1 of engine/pull.h by looking through the engine. */
#include <stdlib.h>
#include <string.h>

#include "engine/gates.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory.h"
#include "tests/support/threads.h"

#define MS   UINT64_C(1000000)
#define S    (1000 * MS)
#define TICK (UINT64_C(1) << 20)
#define MANY 300

enum { ATTEMPTS = 3 };

struct fixture {
    struct test_clock clock;
    struct test_memory memory;
    struct leat_engine *engine;
    leat_queue queue;
    leat_type type; /* without a handler */
    struct leat_lease leases[MANY];
    size_t count;
    leat_job_id ids[MANY];
    _Alignas(16) unsigned char buffer[1 << 16];
};

static struct fixture *
setup_with(uint32_t workers, const struct leat_queue_options *given)
{
    static struct fixture fixture;
    struct leat_config config = test_config();
    struct leat_queue_options options = leat_queue_options_default();
    memset(&fixture, 0, sizeof(fixture));
    test_clock_init(&fixture.clock);
    test_memory_init(&fixture.memory);
    config.workers = workers;
    config.jobs_max = 2 * MANY;
    config.retained_max = 0;
    config.payload_bytes_max = sizeof(fixture.buffer);
    config.clock = test_clock_of(&fixture.clock);
    config.allocator = test_memory_allocator(&fixture.memory);
    fixture.engine = test_start(&config);
    options = given == NULL ? options : *given;
    options.pull = true;
    CHECK_OK(leat_queue_create(fixture.engine, "pull", &options, &fixture.queue));
    return &fixture;
}

static struct fixture *
setup(void)
{
    return setup_with(0, NULL);
}

static void
teardown(struct fixture *fixture)
{
    test_close(fixture->engine);
    CHECK_EQUAL(test_memory_blocks(&fixture->memory), 0);
}

static struct leat_job
job_of(const struct fixture *fixture)
{
    struct leat_job job = leat_job_default();
    job.type_name = "nobody";
    job.queue = fixture->queue;
    job.flags = LEAT_JOB_KEEP_RESULT;
    return job;
}

static leat_job_id
submit(struct fixture *fixture)
{
    const struct leat_job job = job_of(fixture);
    leat_job_id id = {0};
    CHECK_OK(leat_submit(fixture->engine, &job, &id));
    return id;
}

static struct leat_reserve_options
asks(struct fixture *fixture, uint32_t max)
{
    struct leat_reserve_options options = leat_reserve_options_default();
    options.queue = fixture->queue;
    options.max = max;
    options.lease_ns = S;
    options.buffer = fixture->buffer;
    options.buffer_bytes = sizeof(fixture->buffer);
    return options;
}

static enum leat_status
reserve(struct fixture *fixture, uint32_t max)
{
    const struct leat_reserve_options options = asks(fixture, max);
    fixture->count = 0;
    return leat_reserve(fixture->engine, &options, fixture->leases, &fixture->count);
}

/* The only job that can be taken. */
static leat_token
reserve_one(struct fixture *fixture, leat_job_id id)
{
    CHECK_OK(reserve(fixture, MANY));
    CHECK_EQUAL(fixture->count, 1);
    CHECK_EQUAL(fixture->leases[0].id.bits, id.bits);
    CHECK_EQUAL(fixture->leases[0].token.job, id.bits);
    return fixture->leases[0].token;
}

static void
nothing(struct fixture *fixture)
{
    CHECK_STATUS(reserve(fixture, 1), LEAT_EMPTY);
}

static enum leat_job_state
state_of(struct fixture *fixture, leat_job_id id)
{
    return test_get(fixture->engine, id).state;
}

static void
settle(struct fixture *fixture)
{
    enum leat_status status = LEAT_OK;
    while (status == LEAT_OK) {
        status = leat_run_some(fixture->engine, 100, NULL);
    }
    CHECK_STATUS(status, LEAT_EMPTY);
    test_engine_check(fixture->engine);
}

static void
pass(struct fixture *fixture, uint64_t ns)
{
    test_clock_pass(&fixture->clock, fixture->engine, ns);
    settle(fixture);
}

/* ---- taking --------------------------------------------------------------------------------- */

/* Levels first, then the order of the submits; `max` below, at and above what there is. */
static void
order_and_max(void **state)
{
    (void)state;
    static const uint32_t maxes[] = {1, 2, 7, MANY - 1, MANY};
    for (size_t i = 0; i < TEST_COUNT_OF(maxes); i++) {
        struct fixture *fixture = setup();
        leat_job_id *ids = fixture->ids;
        uint32_t taken = 0;
        for (uint32_t n = 0; n < MANY; n++) {
            struct leat_job job = job_of(fixture);
            job.priority = n < MANY / 2 ? LEAT_PRIORITY_LOW : LEAT_PRIORITY_HIGH;
            CHECK_OK(leat_submit(fixture->engine, &job, &ids[(n + MANY / 2) % MANY]));
        }
        if (i % 2 == 0) {
            settle(fixture); /* they are dealt to the list by then */
        }
        while (taken < MANY) {
            uint32_t want = MANY - taken < maxes[i] ? MANY - taken : maxes[i];
            CHECK_OK(reserve(fixture, maxes[i]));
            CHECK_EQUAL(fixture->count, want);
            for (uint32_t n = 0; n < want; n++) {
                CHECK_EQUAL(fixture->leases[n].id.bits, ids[taken + n].bits);
                CHECK_EQUAL(fixture->leases[n].attempt, 1);
                CHECK_EQUAL(fixture->leases[n].max_attempts, ATTEMPTS);
            }
            taken += want;
            CHECK_EQUAL(test_statistics(fixture->engine).jobs_running, taken);
            CHECK_EQUAL(test_statistics(fixture->engine).jobs_run, taken);
        }
        nothing(fixture);
        settle(fixture);
        teardown(fixture);
    }
}

/* Workers and lent threads leave them where they are. */
static void
no_worker_takes_them(void **state)
{
    (void)state;
    for (uint32_t workers = 0; workers < 2; workers++) {
        struct fixture *fixture = setup_with(workers, NULL);
        leat_job_id id = submit(fixture);
        if (workers == 0) {
            settle(fixture);
        } else {
            test_sleep_ns(20 * MS);
        }
        CHECK_EQUAL(state_of(fixture, id), LEAT_JOB_PENDING);
        leat_token token = reserve_one(fixture, id);
        CHECK_EQUAL(token.attempt, 1);
        CHECK_EQUAL(state_of(fixture, id), LEAT_JOB_RUNNING);
        CHECK_OK(leat_ack(fixture->engine, token, NULL, 0));
        CHECK_EQUAL(state_of(fixture, id), LEAT_JOB_COMPLETED);
        test_finish(fixture->engine);
    }
}

/* Payloads stand one behind the other, aligned; they are the caller's, also when the job is gone. */
static void
payloads(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 16, 17, 64, 65, 5000};
    struct fixture *fixture = setup();
    static unsigned char bytes[5000];
    const unsigned char *end = fixture->buffer;
    for (size_t i = 0; i < TEST_COUNT_OF(sizes); i++) {
        struct leat_job job = job_of(fixture);
        memset(bytes, (int)i + 1, sizeof(bytes));
        job.flags = 0;
        job.payload = bytes;
        job.payload_bytes = sizes[i];
        CHECK_OK(leat_submit(fixture->engine, &job, NULL));
    }
    CHECK_OK(reserve(fixture, MANY));
    CHECK_EQUAL(fixture->count, TEST_COUNT_OF(sizes));
    for (size_t i = 0; i < fixture->count; i++) {
        CHECK_OK(leat_ack(fixture->engine, fixture->leases[i].token, NULL, 0));
    }
    settle(fixture); /* by now the wheels have let go of them */
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
    settle(fixture);
    teardown(fixture);
}

/* As many as fit; none: it is said, and the job stays the first one. */
static void
buffer_limits(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    leat_job_id ids[3];
    for (uint32_t i = 0; i < 3; i++) {
        struct leat_job job = job_of(fixture);
        job.payload = "seventeen bytes..";
        job.payload_bytes = 17;
        CHECK_OK(leat_submit(fixture->engine, &job, &ids[i]));
    }
    struct leat_reserve_options options = asks(fixture, MANY);
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
    settle(fixture);
    teardown(fixture);
}

static void
mistakes(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_engine *engine = fixture->engine;
    const struct leat_reserve_options good = asks(fixture, 1);
    struct leat_reserve_options bad = good;
    leat_job_id id = submit(fixture);
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
    leat_token token = reserve_one(fixture, id);
    leat_token never = {0, 0};
    CHECK_STATUS(leat_ack(engine, never, NULL, 0), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_ack(engine, token, NULL, 1), LEAT_INVALID);
    CHECK_STATUS(leat_ack(engine, token, fixture->buffer, sizeof(fixture->buffer) + 1),
                 LEAT_INVALID);
    token.attempt += 64;
    CHECK_STATUS(leat_ack(engine, token, NULL, 0), LEAT_STALE);
    CHECK_STATUS(leat_extend(engine, token, 0), LEAT_STALE);
    CHECK_EQUAL(state_of(fixture, id), LEAT_JOB_RUNNING);
    teardown(fixture);
}

/* ---- ends ----------------------------------------------------------------------------------- */

/* What a lease that does not hold answers to everything; nothing changes. */
static void
check_lost(struct fixture *fixture, leat_token token, enum leat_status status)
{
    const struct leat_statistics before = test_statistics(fixture->engine);
    CHECK_STATUS(leat_ack(fixture->engine, token, "lost", 4), status);
    CHECK_STATUS(leat_nack(fixture->engine, token, 0, "lost"), status);
    CHECK_STATUS(leat_nack(fixture->engine, token, S, NULL), status);
    CHECK_STATUS(leat_extend(fixture->engine, token, 0), status);
    CHECK_STATUS(leat_lease_release(fixture->engine, token), status);
    CHECK_STATUS(leat_complete(fixture->engine, token, leat_fail(), "lost"), status);
    const struct leat_statistics after = test_statistics(fixture->engine);
    CHECK(memcmp(&before.jobs_run, &after.jobs_run, 9 * sizeof(uint64_t)) == 0);
}

static void
ack_with_a_result(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    leat_job_id id = submit(fixture);
    leat_token token = reserve_one(fixture, id);
    char text[8];
    size_t bytes = 0;
    CHECK_OK(leat_ack(fixture->engine, token, "result", 6));
    CHECK_OK(leat_result(fixture->engine, id, text, sizeof(text), &bytes));
    CHECK_EQUAL(bytes, 6);
    CHECK(memcmp(text, "result", 6) == 0);
    check_lost(fixture, token, LEAT_STALE);
    CHECK_OK(leat_release(fixture->engine, id));
    settle(fixture);
    check_lost(fixture, token, LEAT_GONE);
    teardown(fixture);
}

static void
nack_until_dead(void **state)
{
    (void)state;
    static const uint64_t delays[] = {0, 5 * S};
    for (size_t i = 0; i < TEST_COUNT_OF(delays); i++) {
        struct fixture *fixture = setup();
        leat_job_id id = submit(fixture);
        for (uint32_t attempt = 1; attempt <= ATTEMPTS; attempt++) {
            leat_token token = reserve_one(fixture, id);
            CHECK_EQUAL(fixture->leases[0].attempt, attempt);
            CHECK_EQUAL(token.attempt, attempt);
            CHECK_OK(leat_nack(fixture->engine, token, delays[i], "no luck"));
            check_lost(fixture, token, LEAT_STALE);
            if (attempt < ATTEMPTS && delays[i] != 0) {
                CHECK_EQUAL(state_of(fixture, id), LEAT_JOB_RETRYING);
                pass(fixture, delays[i] - 1);
                nothing(fixture);
                test_clock_pass(&fixture->clock, fixture->engine, TICK + 1);
            }
        }
        struct leat_job_info info = test_get(fixture->engine, id);
        CHECK_EQUAL(info.state, LEAT_JOB_DEAD);
        CHECK_EQUAL(info.reason, LEAT_REASON_ATTEMPTS);
        CHECK_TEXT(info.error, "no luck");
        CHECK_EQUAL(test_statistics(fixture->engine).jobs_retried, ATTEMPTS - 1);
        nothing(fixture);
        settle(fixture);
        teardown(fixture);
    }
}

/* Of a type without a handler it is the default one: about 1 s behind the first attempt. */
static void
nack_by_policy(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    leat_job_id id = submit(fixture);
    leat_token token = reserve_one(fixture, id);
    CHECK_OK(leat_nack(fixture->engine, token, LEAT_DELAY_OF_POLICY, NULL));
    CHECK_EQUAL(state_of(fixture, id), LEAT_JOB_RETRYING);
    pass(fixture, 8 * S / 10);
    nothing(fixture);
    pass(fixture, 4 * S / 10);
    (void)reserve_one(fixture, id);
    teardown(fixture);
}

/* They are the first ones again, in any order; and no attempt is used up. */
static void
release_goes_in_front(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    leat_job_id ids[4];
    for (uint32_t i = 0; i < 4; i++) {
        ids[i] = submit(fixture);
    }
    for (uint32_t round = 1; round < 10; round++) {
        CHECK_OK(reserve(fixture, 2));
        for (uint32_t i = 0; i < 2; i++) {
            leat_token token = fixture->leases[i].token;
            CHECK(token.job == ids[0].bits || token.job == ids[1].bits);
            CHECK_EQUAL(fixture->leases[i].attempt, 1);
            CHECK_EQUAL(token.attempt, round);
            CHECK_OK(leat_lease_release(fixture->engine, token));
            check_lost(fixture, token, LEAT_STALE);
        }
        if (round % 2 == 0) {
            settle(fixture);
        }
    }
    CHECK_EQUAL(test_get(fixture->engine, ids[0]).attempts, 0);
    CHECK_OK(reserve(fixture, MANY));
    CHECK_EQUAL(fixture->count, 4);
    for (uint32_t i = 2; i < 4; i++) {
        CHECK_EQUAL(fixture->leases[i].id.bits, ids[i].bits);
    }
    settle(fixture);
    teardown(fixture);
}

/* ---- leases --------------------------------------------------------------------------------- */

/* Never before its time, and not much later; by whoever comes by. */
static void
lease_times(void **state)
{
    (void)state;
    static const uint64_t times[] = {1, TICK - 1, TICK, TICK + 1, 0, 3600 * S};
    for (size_t i = 0; i < TEST_COUNT_OF(times); i++) {
        struct fixture *fixture = setup();
        leat_job_id id = submit(fixture);
        struct leat_reserve_options options = asks(fixture, 1);
        uint64_t ns = times[i] == 0 ? 300 * S : times[i];
        options.lease_ns = times[i];
        CHECK_OK(leat_reserve(fixture->engine, &options, fixture->leases, &fixture->count));
        CHECK_EQUAL(fixture->leases[0].due_in_ns, ns);
        pass(fixture, ns - 1);
        nothing(fixture);
        CHECK_EQUAL(state_of(fixture, id), LEAT_JOB_RUNNING);
        test_clock_pass(&fixture->clock, fixture->engine, 2 * TICK);
        leat_token old = fixture->leases[0].token;
        if (i % 2 == 0) {
            settle(fixture);
            CHECK_EQUAL(state_of(fixture, id), LEAT_JOB_PENDING);
            check_lost(fixture, old, LEAT_STALE);
        }
        leat_token token = reserve_one(fixture, id);
        CHECK_EQUAL(token.attempt, 2);
        CHECK_EQUAL(fixture->leases[0].attempt, 2);
        check_lost(fixture, old, LEAT_STALE);
        CHECK_EQUAL(test_statistics(fixture->engine).jobs_timed_out, 1);
        CHECK_OK(leat_ack(fixture->engine, token, NULL, 0));
        settle(fixture);
        teardown(fixture);
    }
}

static void
leases_use_up_attempts(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    leat_job_id id = submit(fixture);
    for (uint32_t attempt = 1; attempt <= ATTEMPTS; attempt++) {
        (void)reserve_one(fixture, id);
        pass(fixture, S + TICK);
    }
    CHECK_EQUAL(state_of(fixture, id), LEAT_JOB_DEAD);
    CHECK_EQUAL(test_get(fixture->engine, id).reason, LEAT_REASON_TIMEOUT);
    check_lost(fixture, fixture->leases[0].token, LEAT_STALE);
    nothing(fixture);
    teardown(fixture);
}

static void
extended(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    leat_job_id id = submit(fixture);
    leat_token token = reserve_one(fixture, id);
    for (uint32_t i = 0; i < 5; i++) {
        pass(fixture, S - 1);
        CHECK_EQUAL(state_of(fixture, id), LEAT_JOB_RUNNING);
        CHECK_OK(leat_extend(fixture->engine, token, S));
    }
    CHECK_OK(leat_extend(fixture->engine, token, 1)); /* never shorter */
    pass(fixture, S - 1);
    CHECK_EQUAL(state_of(fixture, id), LEAT_JOB_RUNNING);
    CHECK_OK(leat_extend(fixture->engine, token, 0));
    pass(fixture, 300 * S - 1);
    CHECK_EQUAL(state_of(fixture, id), LEAT_JOB_RUNNING);
    pass(fixture, 2 * TICK);
    CHECK_EQUAL(state_of(fixture, id), LEAT_JOB_PENDING);
    check_lost(fixture, token, LEAT_STALE);
    teardown(fixture);
}

/* ---- what else happens to jobs ---------------------------------------------------------------- */

static void
cancelled(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_engine *engine = fixture->engine;
    leat_job_id waits = submit(fixture);
    leat_job_id acked = submit(fixture);
    leat_job_id nacked = submit(fixture);
    leat_job_id released = submit(fixture);
    leat_job_id late = submit(fixture);
    CHECK_OK(leat_cancel(engine, waits));
    CHECK_OK(reserve(fixture, MANY));
    CHECK_EQUAL(fixture->count, 4);
    for (uint32_t i = 0; i < 4; i++) {
        CHECK_STATUS(leat_cancel(engine, fixture->leases[i].id), LEAT_RUNNING);
    }
    CHECK_OK(leat_ack(engine, fixture->leases[0].token, NULL, 0));
    CHECK_OK(leat_nack(engine, fixture->leases[1].token, 0, NULL));
    CHECK_OK(leat_lease_release(engine, fixture->leases[2].token));
    pass(fixture, 2 * S);
    CHECK_EQUAL(state_of(fixture, waits), LEAT_JOB_CANCELLED);
    CHECK_EQUAL(state_of(fixture, acked), LEAT_JOB_COMPLETED);
    CHECK_EQUAL(state_of(fixture, nacked), LEAT_JOB_CANCELLED);
    CHECK_EQUAL(state_of(fixture, released), LEAT_JOB_CANCELLED);
    CHECK_EQUAL(state_of(fixture, late), LEAT_JOB_CANCELLED);
    nothing(fixture);
    teardown(fixture);
}

/* Many that are cancelled where they wait: dropped on the way, the others in their order. */
static void
cancelled_in_the_list(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    leat_job_id *ids = fixture->ids;
    for (uint32_t i = 0; i < MANY; i++) {
        ids[i] = submit(fixture);
    }
    settle(fixture);
    for (uint32_t i = 0; i < MANY; i++) {
        if (i % 3 != 0) {
            CHECK_OK(leat_cancel(fixture->engine, ids[i]));
        }
    }
    CHECK_OK(reserve(fixture, MANY));
    CHECK_EQUAL(fixture->count, MANY / 3);
    for (uint32_t i = 0; i < MANY / 3; i++) {
        CHECK_EQUAL(fixture->leases[i].id.bits, ids[3 * i].bits);
    }
    settle(fixture);
    teardown(fixture);
}

static void
delayed_moved_and_expired(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_job_options options = leat_job_options_default();
    struct leat_job job = job_of(fixture);
    leat_job_id delayed = {0};
    leat_job_id expires = {0};
    leat_job_id moved = submit(fixture);
    job.delay_ns = 10 * S;
    CHECK_OK(leat_submit(fixture->engine, &job, &delayed));
    job.delay_ns = 0;
    options.expires_in_ns = 5 * S;
    job.options = &options;
    CHECK_OK(leat_submit(fixture->engine, &job, &expires));
    CHECK_OK(leat_reschedule(fixture->engine, moved, leat_when_in(20 * S)));
    test_clock_pass(&fixture->clock, fixture->engine, 5 * S);
    nothing(fixture);
    CHECK_EQUAL(state_of(fixture, expires), LEAT_JOB_DEAD);
    CHECK_EQUAL(test_get(fixture->engine, expires).reason, LEAT_REASON_EXPIRED);
    test_clock_pass(&fixture->clock, fixture->engine, 5 * S + TICK);
    (void)reserve_one(fixture, delayed);
    CHECK_STATUS(leat_reschedule(fixture->engine, delayed, leat_when_now()), LEAT_WRONG_STATE);
    test_clock_pass(&fixture->clock, fixture->engine, 10 * S + TICK);
    CHECK_OK(reserve(fixture, MANY));
    CHECK_EQUAL(fixture->count, 2); /* the lease is over, too */
    settle(fixture);
    teardown(fixture);
}

static void
paused_and_resumed(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    leat_job_id id = submit(fixture);
    leat_token token = reserve_one(fixture, id);
    leat_job_id other = submit(fixture);
    CHECK_OK(leat_queue_pause(fixture->engine, fixture->queue));
    nothing(fixture);
    settle(fixture);
    nothing(fixture);
    CHECK_OK(leat_ack(fixture->engine, token, NULL, 0));
    CHECK_OK(leat_queue_resume(fixture->engine, fixture->queue));
    token = reserve_one(fixture, other);
    CHECK_OK(leat_lease_release(fixture->engine, token));
    settle(fixture);
    teardown(fixture);
}

/* Leases at once, below, at and above the cap; each end gives a place up. */
static void
capped(void **state)
{
    (void)state;
    struct leat_queue_options options = leat_queue_options_default();
    options.running_max = 2;
    struct fixture *fixture = setup_with(0, &options);
    const struct leat_gate *gate = leat_gate_of(fixture->engine, fixture->queue.bits - 1);
    for (uint32_t i = 0; i < 8; i++) {
        (void)submit(fixture);
    }
    for (uint32_t round = 0; round < 4; round++) {
        CHECK_OK(reserve(fixture, MANY));
        CHECK_EQUAL(fixture->count, 2);
        leat_token first = fixture->leases[0].token;
        leat_token second = fixture->leases[1].token;
        nothing(fixture);
        settle(fixture);
        CHECK_OK(round == 0 ? leat_ack(fixture->engine, first, NULL, 0)
                            : leat_nack(fixture->engine, first, 100 * S, NULL));
        CHECK_OK(reserve(fixture, MANY));
        CHECK_EQUAL(fixture->count, 1);
        CHECK_OK(leat_lease_release(fixture->engine, fixture->leases[0].token));
        if (round % 2 == 0) {
            CHECK_OK(leat_ack(fixture->engine, second, NULL, 0));
        } else {
            pass(fixture, S + TICK);
        }
        CHECK_EQUAL(leat_gate_used(atom_load_rlx(&gate->word)), 0);
    }
    teardown(fixture);
}

static void
limited(void **state)
{
    (void)state;
    struct leat_queue_options options = leat_queue_options_default();
    options.waiting_max = 2;
    struct fixture *fixture = setup_with(0, &options);
    const struct leat_job job = job_of(fixture);
    (void)submit(fixture);
    (void)submit(fixture);
    CHECK_STATUS(leat_submit(fixture->engine, &job, NULL), LEAT_FULL);
    CHECK_OK(reserve(fixture, 1));
    (void)submit(fixture);
    CHECK_STATUS(leat_submit(fixture->engine, &job, NULL), LEAT_FULL);
    CHECK_OK(leat_lease_release(fixture->engine, fixture->leases[0].token));
    settle(fixture); /* it comes back whatever the limit */
    CHECK_OK(reserve(fixture, MANY));
    CHECK_EQUAL(fixture->count, 3);
    settle(fixture);
    teardown(fixture);
}

/* With jobs of another queue among them. */
static void
batches(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    static struct leat_job jobs[40];
    leat_job_id *ids = fixture->ids;
    for (uint32_t i = 0; i < 40; i++) {
        jobs[i] = job_of(fixture);
        jobs[i].queue.bits = i % 4 == 0 ? 0 : fixture->queue.bits;
    }
    CHECK_OK(leat_submit_batch(fixture->engine, jobs, 40, LEAT_BATCH_ALL_OR_NONE, ids, NULL));
    CHECK_OK(reserve(fixture, MANY));
    CHECK_EQUAL(fixture->count, 30);
    CHECK_EQUAL(fixture->leases[0].id.bits, ids[1].bits);
    CHECK_EQUAL(fixture->leases[29].id.bits, ids[39].bits);
    settle(fixture);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_dead, 10); /* "nobody" has no handler */
    teardown(fixture);
}

/* ---- the engine ----------------------------------------------------------------------------- */

static void
life_of_the_engine(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_engine *engine = fixture->engine;
    leat_job_id leased = submit(fixture);
    leat_token token = reserve_one(fixture, leased);
    leat_job_id waits = submit(fixture);
    CHECK_STATUS(leat_drain(engine, 0), LEAT_TIMEOUT);
    CHECK_STATUS(reserve(fixture, 1), LEAT_CLOSED);
    CHECK_OK(leat_extend(engine, token, 10 * S));
    CHECK_OK(leat_stop(engine, LEAT_FOREVER));
    CHECK_STATUS(reserve(fixture, 1), LEAT_CLOSED);
    CHECK_EQUAL(state_of(fixture, leased), LEAT_JOB_RUNNING);
    CHECK_EQUAL(state_of(fixture, waits), LEAT_JOB_PENDING);
    test_engine_check(engine);
    CHECK_OK(leat_ack(engine, token, NULL, 0));
    CHECK_OK(leat_start(engine));
    token = reserve_one(fixture, waits);
    CHECK_OK(leat_stop(engine, LEAT_FOREVER));
    test_clock_pass(&fixture->clock, engine, 2 * S);
    CHECK_OK(leat_extend(engine, token, S)); /* nobody has looked yet */
    test_clock_pass(&fixture->clock, engine, 2 * S);
    CHECK_OK(leat_start(engine));
    settle(fixture);
    check_lost(fixture, token, LEAT_STALE);
    token = reserve_one(fixture, waits);
    CHECK_EQUAL(fixture->leases[0].attempt, 2);
    CHECK_OK(leat_ack(engine, token, NULL, 0));
    (void)submit(fixture);
    CHECK_OK(leat_drain(engine, TEST_PATIENCE_NS)); /* not waited for */
    CHECK_OK(leat_stop(engine, LEAT_FOREVER));
    teardown(fixture);
}

static void
not_started(void **state)
{
    (void)state;
    const struct leat_config config = test_config();
    struct leat_engine *engine = test_open(&config);
    struct leat_queue_options options = leat_queue_options_default();
    struct leat_reserve_options asked = leat_reserve_options_default();
    struct leat_lease lease;
    size_t count = 0;
    options.pull = true;
    CHECK_OK(leat_queue_create(engine, "pull", &options, &asked.queue));
    CHECK_STATUS(leat_reserve(engine, &asked, &lease, &count), LEAT_WRONG_STATE);
    options.pull = false;
    CHECK_STATUS(leat_queue_create(engine, "pull", &options, &asked.queue), LEAT_EXISTS);
    test_close(engine);
}

/* ---- waiting -------------------------------------------------------------------------------- */

struct waiter {
    struct fixture *fixture;
    leat_atomic_u32 done;
    enum leat_status status;
};

static void
wait_body(void *shared, uint32_t number)
{
    struct waiter *waiter = shared;
    struct leat_reserve_options options = asks(waiter->fixture, 1);
    (void)number;
    options.timeout_ns = TEST_PATIENCE_NS;
    waiter->status = leat_reserve(waiter->fixture->engine, &options, waiter->fixture->leases,
                                  &waiter->fixture->count);
    atom_store_rel(&waiter->done, 1);
}

enum event { EVENT_SUBMIT, EVENT_RESUME, EVENT_CAP, EVENT_NACK, EVENT_LATE, EVENT_DRAIN, EVENTS };

/* What ends a wait, with 0 workers and nobody in leat_run_some(), and with a worker. */
static void
waits_for(enum event event, uint32_t workers)
{
    struct fixture *fixture = setup_with(workers, NULL);
    struct leat_engine *engine = fixture->engine;
    struct waiter waiter = {.fixture = fixture};
    static struct test_threads threads;
    leat_job_id id = {0};
    leat_token token = {0, 0};
    if (event == EVENT_RESUME) {
        CHECK_OK(leat_queue_pause(engine, fixture->queue));
    } else if (event == EVENT_CAP) {
        CHECK_OK(leat_queue_set_running_max(engine, fixture->queue, 1));
    }
    if (event != EVENT_SUBMIT && event != EVENT_DRAIN) {
        id = submit(fixture);
    }
    if (event == EVENT_CAP || event == EVENT_NACK || event == EVENT_LATE) {
        token = reserve_one(fixture, id);
    }
    if (event == EVENT_CAP) {
        (void)submit(fixture);
    }
    test_threads_start(&threads, 1, wait_body, &waiter);
    test_sleep_ns(10 * MS);
    CHECK_EQUAL(atom_load_acq(&waiter.done), 0);
    switch (event) {
    case EVENT_SUBMIT:
        (void)submit(fixture);
        break;
    case EVENT_RESUME:
        CHECK_OK(leat_queue_resume(engine, fixture->queue));
        break;
    case EVENT_CAP:
        CHECK_OK(leat_ack(engine, token, NULL, 0));
        break;
    case EVENT_NACK:
        CHECK_OK(leat_nack(engine, token, 0, NULL));
        break;
    case EVENT_LATE:
        test_clock_pass(&fixture->clock, engine, S + TICK);
        break;
    case EVENT_DRAIN:
        CHECK_OK(leat_drain(engine, TEST_PATIENCE_NS));
        break;
    case EVENTS:
        break;
    }
    test_threads_join(&threads);
    CHECK_STATUS(waiter.status, event == EVENT_DRAIN ? LEAT_CLOSED : LEAT_OK);
    teardown(fixture);
}

static void
waits(void **state)
{
    (void)state;
    for (uint32_t event = 0; event < EVENTS; event++) {
        waits_for((enum event)event, 0);
        waits_for((enum event)event, 1);
    }
}

static void
waits_in_vain(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_reserve_options options = asks(fixture, 1);
    uint64_t before_ns = test_now_ns();
    options.timeout_ns = 5 * MS;
    CHECK_STATUS(leat_reserve(fixture->engine, &options, fixture->leases, &fixture->count),
                 LEAT_TIMEOUT);
    CHECK(test_now_ns() - before_ns >= 5 * MS);
    teardown(fixture);
}

static struct leat_outcome
inside(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    struct leat_reserve_options options = asks(fixture, 1);
    options.timeout_ns = S;
    CHECK_STATUS(leat_reserve(leat_run_engine(run), &options, fixture->leases, &fixture->count),
                 LEAT_DEADLOCK);
    nothing(fixture);
    leat_job_id id = submit(fixture);
    leat_token token = reserve_one(fixture, id);
    CHECK_OK(leat_ack(leat_run_engine(run), token, NULL, 0));
    /* A token of a handler that has not returned is no lease. */
    CHECK_STATUS(leat_ack(leat_run_engine(run), leat_run_token(run), "x", 1), LEAT_WRONG_STATE);
    return leat_done();
}

static void
in_a_handler(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    leat_type type = test_register(fixture->engine, "inside", inside, fixture);
    leat_job_id id = test_submit_kept(fixture->engine, type);
    settle(fixture);
    CHECK_EQUAL(state_of(fixture, id), LEAT_JOB_COMPLETED);
    teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_and_max),
        cmocka_unit_test(no_worker_takes_them),
        cmocka_unit_test(payloads),
        cmocka_unit_test(buffer_limits),
        cmocka_unit_test(mistakes),
        cmocka_unit_test(ack_with_a_result),
        cmocka_unit_test(nack_until_dead),
        cmocka_unit_test(nack_by_policy),
        cmocka_unit_test(release_goes_in_front),
        cmocka_unit_test(lease_times),
        cmocka_unit_test(leases_use_up_attempts),
        cmocka_unit_test(extended),
        cmocka_unit_test(cancelled),
        cmocka_unit_test(cancelled_in_the_list),
        cmocka_unit_test(delayed_moved_and_expired),
        cmocka_unit_test(paused_and_resumed),
        cmocka_unit_test(capped),
        cmocka_unit_test(limited),
        cmocka_unit_test(batches),
        cmocka_unit_test(life_of_the_engine),
        cmocka_unit_test(not_started),
        cmocka_unit_test(waits),
        cmocka_unit_test(waits_in_vain),
        cmocka_unit_test(in_a_handler),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
