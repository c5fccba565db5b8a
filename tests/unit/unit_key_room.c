/* unit_key_room.c - where rates of keys remember: a key is remembered until it is full and no
 * longer, and at most as many as there may be jobs; those that find no room look again, each stripe
 * for itself; no memory, and no address space, change nothing. Holds I1 to I3 of
 * engine/key_rates.h. */
#include "engine/key_rates.h"

#include <sys/resource.h>

#include "tests/support/process.h"
#include "tests/support/threads.h"
#include "tests/unit/key_rates_body.h"

/* As many keys as jobs_max are remembered; one more waits until one is forgotten. */
static void
memory_is_bounded(void **state)
{
    (void)state;
    struct fixture *fixture = setup(LEAT_JOBS_MIN);
    set(fixture, 1, SECOND, 1);
    for (uint32_t key = 0; key < LEAT_JOBS_MIN - 1; key++) {
        submit(fixture, key, key, key + 1);
        CHECK_EQUAL(run_all(fixture), 1);
    }
    CHECK_EQUAL(buckets(fixture), LEAT_JOBS_MIN - 1);
    submit(fixture, 1000, 0, 1);
    CHECK_EQUAL(run_all(fixture), 1);
    CHECK_EQUAL(buckets(fixture), LEAT_JOBS_MIN);
    submit(fixture, 1001, 1, 2);
    submit(fixture, 1002, 2, 3);
    submit(fixture, 1002, 3, 4);
    CHECK_EQUAL(run_all(fixture), 0);
    CHECK_OK(leat_cancel(fixture->engine, fixture->ids[2]));
    submit(fixture, NO_KEY, 4, 5);
    CHECK_EQUAL(run_all(fixture), 1);
    CHECK_EQUAL(pass(fixture, SECOND / 2), 0);
    CHECK_EQUAL(buckets(fixture), LEAT_JOBS_MIN);
    run_until(fixture, SECOND + 2 * LEAT_KEYS_ROOM_NS);
    CHECK_EQUAL(fixture->count, LEAT_JOBS_MIN + 3);
    run_until(fixture, 10 * SECOND);
    CHECK_EQUAL(buckets(fixture), 0);
    CHECK(next_due(fixture) == LEAT_FOREVER);
    teardown(fixture);
}

/* Keys of the other queue have all the room there is. */
static void
fill(struct fixture *fixture, uint32_t keys)
{
    for (uint32_t key = 0; key < keys; key++) {
        submit_to(fixture, fixture->second, 1000 + key, key);
        CHECK_EQUAL(run_all(fixture), 1);
    }
    CHECK_EQUAL(buckets(fixture), keys);
}

static void
rate_of_the_other(struct fixture *fixture, uint64_t per_ns)
{
    const struct leat_rate rate = leat_rate_of(1, per_ns, 1);
    CHECK_OK(leat_queue_set_key_rate(fixture->engine, fixture->second, rate));
}

/* Two of one stripe, of which one comes 5 ms later: it does not put the look off, and finds room by
 * the same. */
static void
the_look_for_room_is_for_all(void **state)
{
    (void)state;
    struct fixture *fixture = setup(LEAT_JOBS_MIN);
    rate_of_the_other(fixture, SECOND);
    set(fixture, 1, DAY, 1);
    fill(fixture, LEAT_JOBS_MIN);
    CHECK_EQUAL(pass(fixture, SECOND - 9000000), 0);
    submit_hashed(fixture, "k", 5, 1, 0);
    submit_hashed(fixture, "l", 5 + LEAT_KEYS_STRIPES, 5000000, 1);
    CHECK_EQUAL(pass(fixture, 3000000), 0);
    CHECK_EQUAL(pass(fixture, 5000000), 0);
    CHECK_EQUAL(buckets(fixture), LEAT_JOBS_MIN);
    CHECK_EQUAL(pass(fixture, 2000000), 0);
    CHECK_EQUAL(buckets(fixture), 0);
    CHECK_EQUAL(pass(fixture, 3000000 + LATE_NS), 2);
    CHECK_EQUAL(buckets(fixture), 2);
    teardown(fixture);
}

/* Each stripe has its own look. */
static void
all_stripes_look_for_room(void **state)
{
    (void)state;
    struct fixture *fixture = setup(LEAT_JOBS_MIN);
    rate_of_the_other(fixture, SECOND);
    set(fixture, 1, DAY, 1);
    fill(fixture, LEAT_JOBS_MIN);
    for (uint32_t i = 0; i < 32; i++) {
        char key[] = {(char)('a' + i), 0};
        submit_hashed(fixture, key, 2 * i + 1, 1, i);
    }
    CHECK_EQUAL(pass(fixture, 2 * TICK_NS), 0);
    CHECK_EQUAL(pass(fixture, SECOND), 0);
    CHECK_EQUAL(pass(fixture, LEAT_KEYS_ROOM_NS + LATE_NS), 32);
    CHECK_EQUAL(buckets(fixture), 32);
    teardown(fixture);
}

static void
another_rate_looks_for_room_at_once(void **state)
{
    (void)state;
    struct fixture *fixture = setup(LEAT_JOBS_MIN);
    rate_of_the_other(fixture, DAY);
    set(fixture, 1, DAY, 1);
    fill(fixture, LEAT_JOBS_MIN);
    submit(fixture, 1, 0, 1);
    CHECK_EQUAL(run_all(fixture), 0);
    set(fixture, 0, 0, 0);
    CHECK_EQUAL(run_all(fixture), 1);
    teardown(fixture);
}

/* One that was let through before there was a rate finds no room, and does not count. */
static void
let_through_without_room(void **state)
{
    (void)state;
    struct fixture *fixture = setup(LEAT_JOBS_MIN);
    rate_of_the_other(fixture, DAY);
    fill(fixture, LEAT_JOBS_MIN - 1);
    submit(fixture, 1, 0, 1);
    submit_to(fixture, fixture->second, 2, 1);
    CHECK_EQUAL(buckets(fixture), LEAT_JOBS_MIN);
    set(fixture, 1, DAY, 1);
    CHECK_EQUAL(run_all(fixture), 2);
    CHECK_EQUAL(buckets(fixture), LEAT_JOBS_MIN);
    teardown(fixture);
}

/* It owes its queue, and there is no room for what its type would have: it waits for room alone. */
static void
one_of_two_has_no_room(void **state)
{
    (void)state;
    struct fixture *fixture = setup(LEAT_JOBS_MIN);
    rate_of_the_other(fixture, DAY);
    set(fixture, 1, DAY, 1);
    fill(fixture, LEAT_JOBS_MIN - 1);
    submit(fixture, 1, 0, 1);
    CHECK_EQUAL(run_all(fixture), 1);
    CHECK_OK(leat_type_set_key_rate(fixture->engine, fixture->type, leat_rate_of(1, DAY, 1)));
    submit(fixture, 1, 1, 3);
    CHECK_EQUAL(run_all(fixture), 0);
    CHECK_EQUAL(buckets(fixture), LEAT_JOBS_MIN);
    CHECK(next_due(fixture) <= LEAT_KEYS_ROOM_NS + LATE_NS);
    CHECK_OK(leat_cancel(fixture->engine, fixture->ids[1]));
    CHECK_EQUAL(pass(fixture, DAY), 0);
    CHECK_EQUAL(pass(fixture, LEAT_KEYS_ROOM_NS + LATE_NS), 1);
    teardown(fixture);
}

/* The table's first chain is in use when the engine closes. */
static void
closed_with_what_is_owed(void **state)
{
    (void)state;
    struct fixture *fixture = setup(JOBS);
    set(fixture, 1, DAY, 1);
    submit_hashed(fixture, "k", 0, 1, 0);
    submit_hashed(fixture, "l", 1, 1, 1);
    CHECK_EQUAL(pass(fixture, 2 * TICK_NS), 2);
    CHECK_EQUAL(buckets(fixture), 2);
    teardown(fixture);
}

/* Wherever the address space ends, nothing of it stays in use. */
static void
no_space_changes_nothing(void **state)
{
    (void)state;
    if (test_sanitized()) {
        return; /* a sanitizer maps more than that itself */
    }
    struct fixture *fixture = setup(1U << 16);
    struct rlimit before;
    uint32_t refused = 0;
    enum leat_status status = LEAT_NO_MEMORY;
    (void)test_address_space(); /* which takes some itself */
    const size_t used = test_address_space();
    CHECK(getrlimit(RLIMIT_AS, &before) == 0);
    for (size_t more = 0; status != LEAT_OK; more += 1U << 18, refused++) {
        const struct rlimit less = {used + more, before.rlim_max};
        CHECK_EQUAL(test_address_space(), used);
        CHECK(setrlimit(RLIMIT_AS, &less) == 0);
        status = leat_queue_set_key_rate(fixture->engine, fixture->queue, leat_rate_of(1, DAY, 1));
        CHECK(setrlimit(RLIMIT_AS, &before) == 0);
        CHECK(status == LEAT_OK || status == LEAT_NO_MEMORY);
    }
    CHECK(refused > 10);
    submit(fixture, 1, 0, 2);
    CHECK_EQUAL(run_all(fixture), 1);
    teardown(fixture);
}

static void
no_memory_changes_nothing(void **state)
{
    (void)state;
    struct fixture *fixture = setup(JOBS);
    test_memory_fail(&fixture->memory, 0, true);
    CHECK_EQUAL(leat_queue_set_key_rate(fixture->engine, fixture->queue, leat_rate_of(1, DAY, 1)),
                LEAT_NO_MEMORY);
    test_memory_heal(&fixture->memory);
    submit(fixture, 1, 0, 3);
    CHECK_EQUAL(run_all(fixture), 3);
    teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_bounded),
        cmocka_unit_test(the_look_for_room_is_for_all),
        cmocka_unit_test(all_stripes_look_for_room),
        cmocka_unit_test(another_rate_looks_for_room_at_once),
        cmocka_unit_test(let_through_without_room),
        cmocka_unit_test(one_of_two_has_no_room),
        cmocka_unit_test(closed_with_what_is_owed),
        cmocka_unit_test(no_space_changes_nothing),
        cmocka_unit_test(no_memory_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
