/* store_suite.c - see store_suite.h. */
#include "tests/support/store_suite.h"

#include <string.h>

#include "ring/atomic.h"
#include "tests/support/check.h"
#include "tests/support/threads.h"

#define S    UINT64_C(1000000000)
#define SOON (2 * TEST_MS) /* more than any store's clock is coarse */

enum { LEASES = 40, ATTEMPTS = 3, THREADS = 3 };

/* What a test took last. */
struct taken {
    struct leat_store_lease leases[LEASES];
    size_t count;
    _Alignas(16) unsigned char buffer[LEASES * 512];
};

/* ---- small things --------------------------------------------------------------------------- */

static void
put_one(struct test_store *store, const char *payload, uint32_t priority, uint64_t delay_ns)
{
    const struct leat_store_job job = {.type_name = "a.type",
                                       .payload = payload,
                                       .payload_bytes = strlen(payload),
                                       .delay_ns = delay_ns,
                                       .priority = priority};
    enum leat_status status = LEAT_INVALID;
    CHECK_OK(store->store.put_batch(store->store.context, &job, 1, &status));
    CHECK_STATUS(status, LEAT_OK);
}

static enum leat_status
take(struct test_store *store, struct taken *taken, size_t max)
{
    const struct leat_store_take what = {max, S, 0, taken->buffer, sizeof(taken->buffer)};
    taken->count = 0;
    return store->store.take_batch(store->store.context, &what, taken->leases, &taken->count);
}

/* The one job that there is to take. */
static leat_token
take_one(struct test_store *store, struct taken *taken, const char *payload)
{
    CHECK_OK(take(store, taken, LEASES));
    CHECK_EQUAL(taken->count, 1);
    CHECK_EQUAL(taken->leases[0].payload_bytes, strlen(payload));
    CHECK(memcmp(taken->leases[0].payload, payload, strlen(payload)) == 0);
    CHECK_TEXT(taken->leases[0].type_name, "a.type");
    return taken->leases[0].token;
}

static void
nothing(struct test_store *store, struct taken *taken)
{
    CHECK_STATUS(take(store, taken, LEASES), LEAT_EMPTY);
}

static enum leat_status
ack(struct test_store *store, leat_token token)
{
    return store->store.ack_batch(store->store.context, &token, 1, NULL);
}

static enum leat_status
nack(struct test_store *store, leat_token token, uint64_t delay_ns)
{
    const struct leat_store_nack back = {token, delay_ns, "no luck"};
    return store->store.nack_batch(store->store.context, &back, 1, NULL);
}

static enum leat_status
extend(struct test_store *store, leat_token token, uint64_t lease_ns)
{
    return store->store.extend_batch(store->store.context, &token, 1, lease_ns, NULL);
}

static void
check_lost(struct test_store *store, leat_token token)
{
    enum leat_status status = ack(store, token);
    CHECK(status == LEAT_STALE || status == LEAT_GONE);
    status = nack(store, token, 0);
    CHECK(status == LEAT_STALE || status == LEAT_GONE);
    status = extend(store, token, S);
    CHECK(status == LEAT_STALE || status == LEAT_GONE);
}

/* ---- tests ---------------------------------------------------------------------------------- */

static void
order(struct test_store *store, struct taken *taken)
{
    static const char *const want[] = {"2", "4", "1", "3", "5"};
    put_one(store, "1", 5, 0);
    put_one(store, "2", 1, 0);
    put_one(store, "3", 5, 0);
    put_one(store, "4", 1, 0);
    put_one(store, "5", 5, 0);
    size_t seen = 0;
    while (take(store, taken, 2) == LEAT_OK) {
        CHECK(taken->count == 1 || taken->count == 2);
        for (size_t i = 0; i < taken->count; i++) {
            const struct leat_store_lease *lease = &taken->leases[i];
            CHECK_EQUAL(*(const char *)lease->payload, *want[seen]);
            CHECK_EQUAL((uintptr_t)lease->payload % 16, 0);
            CHECK_EQUAL(lease->attempt, 1);
            CHECK_EQUAL(lease->max_attempts, ATTEMPTS);
            seen++;
        }
    }
    CHECK_EQUAL(seen, TEST_COUNT_OF(want));
    nothing(store, taken);
}

static void
acked(struct test_store *store, struct taken *taken)
{
    enum leat_status statuses[3] = {LEAT_OK, LEAT_OK, LEAT_OK};
    put_one(store, "a", 0, 0);
    put_one(store, "b", 0, 0);
    CHECK_OK(take(store, taken, LEASES));
    CHECK_EQUAL(taken->count, 2);
    leat_token tokens[3] = {taken->leases[0].token, {0, 0}, taken->leases[1].token};
    CHECK_STATUS(store->store.ack_batch(store->store.context, tokens, 3, statuses), LEAT_NOT_FOUND);
    CHECK_STATUS(statuses[0], LEAT_OK);
    CHECK_STATUS(statuses[1], LEAT_NOT_FOUND);
    CHECK_STATUS(statuses[2], LEAT_OK);
    check_lost(store, tokens[0]);
    check_lost(store, tokens[2]);
    store->pass(store->context, 1000 * S);
    nothing(store, taken);
}

static void
nacked(struct test_store *store, struct taken *taken)
{
    put_one(store, "x", 0, 0);
    uint64_t number = 0;
    for (uint32_t attempt = 1; attempt <= ATTEMPTS; attempt++) {
        leat_token token = take_one(store, taken, "x");
        CHECK_EQUAL(taken->leases[0].attempt, attempt);
        CHECK(token.attempt > number);
        number = token.attempt;
        CHECK_OK(nack(store, token, 10 * S));
        check_lost(store, token);
        store->pass(store->context, 10 * S - SOON);
        nothing(store, taken);
        store->pass(store->context, 2 * SOON);
    }
    nothing(store, taken); /* used up */
}

static void
nacked_at_once_and_by_policy(struct test_store *store, struct taken *taken)
{
    put_one(store, "x", 0, 0);
    leat_token token = take_one(store, taken, "x");
    CHECK_OK(nack(store, token, 0));
    token = take_one(store, taken, "x");
    CHECK_OK(nack(store, token, LEAT_DELAY_OF_POLICY));
    store->pass(store->context, 3600 * S);
    (void)take_one(store, taken, "x");
}

static void
lease_over(struct test_store *store, struct taken *taken)
{
    put_one(store, "x", 0, 0);
    leat_token token = {0, 0};
    for (uint32_t attempt = 1; attempt <= ATTEMPTS; attempt++) {
        leat_token before = token;
        token = take_one(store, taken, "x");
        CHECK_EQUAL(taken->leases[0].attempt, attempt);
        CHECK(token.attempt > before.attempt);
        if (attempt > 1) {
            check_lost(store, before);
        }
        store->pass(store->context, S - SOON);
        nothing(store, taken);
        store->pass(store->context, 2 * SOON);
    }
    nothing(store, taken);
    check_lost(store, token);
}

static void
extended(struct test_store *store, struct taken *taken)
{
    put_one(store, "x", 0, 0);
    leat_token token = take_one(store, taken, "x");
    for (uint32_t i = 0; i < 5; i++) {
        store->pass(store->context, S - SOON);
        CHECK_OK(extend(store, token, S));
    }
    CHECK_OK(extend(store, token, 10 * S));
    CHECK_OK(extend(store, token, 1)); /* never shorter */
    store->pass(store->context, 10 * S - SOON);
    nothing(store, taken);
    CHECK_OK(ack(store, token));
}

static void
delayed(struct test_store *store, struct taken *taken)
{
    put_one(store, "x", 0, 10 * S);
    nothing(store, taken);
    store->pass(store->context, 10 * S - SOON);
    nothing(store, taken);
    store->pass(store->context, 2 * SOON);
    (void)take_one(store, taken, "x");
}

static void
buffers(struct test_store *store, struct taken *taken)
{
    struct leat_store_take what = {LEASES, S, 0, NULL, 0};
    put_one(store, "0123456789abcdef0123456789abcdef", 0, 0);
    put_one(store, "0123456789abcdef0123456789abcdef", 0, 0);
    CHECK_STATUS(store->store.take_batch(store->store.context, &what, taken->leases, &taken->count),
                 LEAT_FULL);
    what.buffer = taken->buffer;
    what.buffer_bytes = 31;
    CHECK_STATUS(store->store.take_batch(store->store.context, &what, taken->leases, &taken->count),
                 LEAT_FULL);
    what.buffer_bytes = 32 + 16; /* the name may stand there, too */
    CHECK_OK(store->store.take_batch(store->store.context, &what, taken->leases, &taken->count));
    CHECK_EQUAL(taken->count, 1);
    CHECK_EQUAL(taken->leases[0].attempt, 1);
    CHECK_OK(take(store, taken, LEASES));
    CHECK_EQUAL(taken->count, 1);
}

static void
waits(struct test_store *store, struct taken *taken)
{
    const struct leat_store_take what = {1, S, 5 * TEST_MS, taken->buffer, sizeof(taken->buffer)};
    uint64_t before_ns = test_now_ns();
    CHECK_STATUS(store->store.take_batch(store->store.context, &what, taken->leases, &taken->count),
                 LEAT_TIMEOUT);
    CHECK(test_now_ns() - before_ns >= 5 * TEST_MS);
    put_one(store, "", 0, 0);
    CHECK_OK(store->store.take_batch(store->store.context, &what, taken->leases, &taken->count));
    CHECK(taken->leases[0].payload == NULL);
}

/* ---- several threads ------------------------------------------------------------------------ */

struct shared {
    struct test_store *store;
    leat_atomic_u32 taken[LEASES];
    leat_atomic_u32 left;
};

static void
consume(void *context, uint32_t number)
{
    struct shared *shared = context;
    struct test_store *store = shared->store;
    static struct taken each[THREADS];
    struct taken *taken = &each[number];
    while (atom_load_acq(&shared->left) != 0) {
        const struct leat_store_take what = {2, 0, TEST_MS, taken->buffer, sizeof(taken->buffer)};
        enum leat_status status =
            store->store.take_batch(store->store.context, &what, taken->leases, &taken->count);
        CHECK(status == LEAT_OK || status == LEAT_TIMEOUT);
        for (size_t i = 0; status == LEAT_OK && i < taken->count; i++) {
            unsigned char job = *(const unsigned char *)taken->leases[i].payload;
            CHECK_EQUAL(atom_add_acq_rel(&shared->taken[job - 'A'], 1), 0);
            CHECK_OK(ack(store, taken->leases[i].token));
            (void)atom_sub_rel(&shared->left, 1);
        }
    }
}

/* Each job is one consumer's. */
static void
shared_by_threads(struct test_store *store, struct taken *taken)
{
    struct shared shared = {.store = store};
    char payload[2] = {0, 0};
    (void)taken;
    atom_init(&shared.left, LEASES);
    for (uint32_t i = 0; i < LEASES; i++) {
        payload[0] = (char)('A' + i);
        put_one(store, payload, i % 3, 0);
    }
    test_threads_run(THREADS, consume, &shared);
}

void
test_store_suite(const struct test_store_maker *maker)
{
    static void (*const tests[])(struct test_store *, struct taken *) = {
        order,      acked,
        nacked,     nacked_at_once_and_by_policy,
        lease_over, extended,
        delayed,    buffers,
        waits,      shared_by_threads,
    };
    static struct taken taken;
    for (size_t i = 0; i < TEST_COUNT_OF(tests); i++) {
        struct test_store store = maker->open();
        tests[i](&store, &taken);
        maker->close(&store);
    }
}
