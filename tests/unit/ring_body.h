/* ring_body.h - what the unit tests of the rings have in common: a ring in one thread against a
 * naive queue. Capacity exact, first in first out, full and empty answered where they hold, with
 * neighbours on one line or on different ones. Positions start at 0, before the wrap of the turn,
 * and before the wrap of the 64-bit position. Holds the invariants after every step. unit_X.c
 * includes it after it named its ring by RING(), and shows that the ring's check can say no. */
#ifndef TESTS_UNIT_RING_BODY_H
#define TESTS_UNIT_RING_BODY_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/check.h"
#include "tests/support/prng.h"

/* The ring: RING(_push) is its push. Where this header is compiled alone, what the library uses. */
#ifndef RING
#    include "ring/mpmc.h"
#    define RING(name) leat_mpmc##name
#    define RING_NAME  "mpmc"
#endif

/* A few positions before the turn of a slot wraps. */
#ifndef RING_TURN_WRAP
#    define RING_TURN_WRAP(slots_log2) ((UINT64_C(1) << (LEAT_TURN_BITS - 1 + (slots_log2))) - 3)
#endif

#define SLOTS_MAX 64

struct fixture {
    struct RING() ring;
    void *memory;
    uint32_t slots;
    uint32_t items[SLOTS_MAX]; /* the naive queue, oldest first */
    uint32_t count;
    uint32_t next; /* item */
};

static void
setup(struct fixture *fixture, uint32_t slots_log2, bool remap, uint64_t start)
{
    size_t bytes = RING(_bytes)(slots_log2);
    memset(fixture, 0, sizeof(*fixture));
    fixture->memory = aligned_alloc(LEAT_LINE_BYTES, leat_round_up(bytes, LEAT_LINE_BYTES));
    CHECK(fixture->memory != NULL);
    memset(fixture->memory, 0, bytes);
    const struct leat_ring_config config = {
        .slots_log2 = slots_log2, .remap = remap, .memory = fixture->memory, .start = start};
    RING(_init)(&fixture->ring, &config);
    fixture->slots = UINT32_C(1) << slots_log2;
}

static void
check(struct fixture *fixture)
{
    CHECK(RING(_check)(&fixture->ring, stderr));
    CHECK_EQUAL(RING(_count)(&fixture->ring), fixture->count);
    CHECK(RING(_ready)(&fixture->ring) == (fixture->count > 0));
}

static void
teardown(struct fixture *fixture)
{
    check(fixture);
    free(fixture->memory);
}

static uint32_t
next_item(struct fixture *fixture)
{
    /* Both ends of the range come by. */
    uint32_t item =
        fixture->next % 3 == 2 ? (uint32_t)LEAT_ITEM_MASK - fixture->next / 3 : fixture->next / 3;
    fixture->next++;
    return item;
}

static void
push(struct fixture *fixture)
{
    uint32_t item = next_item(fixture);
    bool fits = fixture->count < fixture->slots;
    CHECK(RING(_push)(&fixture->ring, item) == fits);
    if (fits) {
        fixture->items[fixture->count] = item;
        fixture->count++;
    }
    check(fixture);
}

static void
pop(struct fixture *fixture)
{
    uint32_t item = 12345;
    bool any = fixture->count > 0;
    CHECK(RING(_pop)(&fixture->ring, &item) == any);
    CHECK_EQUAL(item, any ? fixture->items[0] : 12345);
    if (any) {
        fixture->count--;
        memmove(fixture->items, fixture->items + 1, fixture->count * sizeof(item));
    }
    check(fixture);
}

/* Positions a few steps before something wraps. */
static const uint64_t starts[] = {0, UINT64_MAX - 2, UINT64_MAX - UINT64_C(2) * SLOTS_MAX + 1};

static void
fill_and_empty(uint32_t slots_log2, bool remap, uint64_t start)
{
    struct fixture fixture;
    setup(&fixture, slots_log2, remap, start);
    for (uint32_t lap = 0; lap < 4; lap++) {
        for (uint32_t i = 0; i < fixture.slots + 2; i++) {
            push(&fixture);
        }
        for (uint32_t i = 0; i < fixture.slots + 2; i++) {
            pop(&fixture);
        }
        /* The next lap begins in the middle of the slots. */
        push(&fixture);
        pop(&fixture);
    }
    teardown(&fixture);
}

static void
capacity_is_exact(void **state)
{
    (void)state;
    for (uint32_t log2 = LEAT_RING_SLOTS_LOG2_MIN; log2 <= 6; log2++) {
        for (size_t i = 0; i < TEST_COUNT_OF(starts); i++) {
            fill_and_empty(log2, false, starts[i]);
            fill_and_empty(log2, true, starts[i]);
        }
        fill_and_empty(log2, false, RING_TURN_WRAP(log2));
        fill_and_empty(log2, true, RING_TURN_WRAP(log2));
    }
}

static void
random_operations(void **state)
{
    (void)state;
    struct test_prng prng = {test_seed("unit_" RING_NAME)};
    for (uint32_t round = 0; round < 40; round++) {
        struct fixture fixture;
        uint32_t log2 = 1 + test_random_below(&prng, 6);
        uint64_t start = round % 2 == 0 ? RING_TURN_WRAP(log2) : test_random(&prng);
        setup(&fixture, log2, round % 4 < 2, start);
        for (uint32_t i = 0; i < 2000; i++) {
            if (test_random_below(&prng, 2) == 0) {
                push(&fixture);
            } else {
                pop(&fixture);
            }
        }
        teardown(&fixture);
    }
}

/* The check says so on its stream; "": nothing. */
static void
complains(struct fixture *fixture, const char *text)
{
    char said[200];
    FILE *why = test_why();
    bool content = RING(_check)(&fixture->ring, why);
    CHECK(RING(_check)(&fixture->ring, NULL) == content);
    test_why_read(why, said, sizeof(said));
    CHECK(content == (said[0] == '\0'));
    CHECK(text[0] == '\0' ? content : strstr(said, text) != NULL);
}

static void
check_reads_the_slots(void **state)
{
    (void)state;
    struct fixture fixture;
    setup(&fixture, 2, false, 0);
    complains(&fixture, "");
    /* The first slot alone is of another lap. */
    memset(fixture.memory, 0x5A, sizeof(uint64_t));
    complains(&fixture, "I");
    free(fixture.memory);
}

static void
bytes_hold_the_slots(void **state)
{
    (void)state;
    for (uint32_t log2 = LEAT_RING_SLOTS_LOG2_MIN; log2 <= LEAT_RING_SLOTS_LOG2_MAX; log2++) {
        CHECK(RING(_bytes)(log2) >= sizeof(uint64_t) << log2);
        CHECK_EQUAL(RING(_bytes)(log2) % LEAT_LINE_BYTES, 0);
    }
}

/* Tests that every ring has. */
#define RING_TESTS                                                                                 \
    cmocka_unit_test(capacity_is_exact), cmocka_unit_test(random_operations),                      \
        cmocka_unit_test(check_reads_the_slots), cmocka_unit_test(bytes_hold_the_slots)

#endif
