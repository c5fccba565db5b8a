/* unit_mpmc.c - the bounded ring in one thread, against a naive queue: capacity exact, FIFO, full
 * and empty answered where they hold, batches all or none. Positions start at 0, before the wrap of
 * the 36-bit turn, and before the wrap of the 64-bit position. Holds I1 and I2 after every step;
 * shows that leat_mpmc_check() can say no to each of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ring/mpmc.h"
#include "tests/support/check.h"
#include "tests/support/prng.h"

#define SLOTS_MAX 64

struct fixture {
    struct leat_mpmc ring;
    void *memory;
    uint32_t slots;
    uint32_t items[SLOTS_MAX]; /* the naive queue, oldest first */
    uint32_t count;
    uint32_t next; /* item */
};

static void
setup(struct fixture *fixture, uint32_t slots_log2, uint64_t start)
{
    size_t bytes = leat_mpmc_bytes(slots_log2);
    memset(fixture, 0, sizeof(*fixture));
    fixture->memory = aligned_alloc(LEAT_LINE_BYTES, leat_round_up(bytes, LEAT_LINE_BYTES));
    CHECK(fixture->memory != NULL);
    memset(fixture->memory, 0, bytes);
    const struct leat_ring_config config = {
        .slots_log2 = slots_log2, .memory = fixture->memory, .start = start};
    leat_mpmc_init(&fixture->ring, &config);
    fixture->slots = UINT32_C(1) << slots_log2;
}

static void
check(struct fixture *fixture)
{
    CHECK(leat_mpmc_check(&fixture->ring, stderr));
    CHECK_EQUAL(leat_mpmc_count(&fixture->ring), fixture->count);
    CHECK(leat_mpmc_ready(&fixture->ring) == (fixture->count > 0));
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
    CHECK(leat_mpmc_push(&fixture->ring, item) == fits);
    if (fits) {
        fixture->items[fixture->count] = item;
        fixture->count++;
    }
    check(fixture);
}

static void
push_n(struct fixture *fixture, uint32_t count)
{
    uint32_t items[SLOTS_MAX];
    for (uint32_t i = 0; i < count; i++) {
        items[i] = next_item(fixture);
    }
    bool fits = fixture->count + count <= fixture->slots;
    CHECK(leat_mpmc_push_n(&fixture->ring, items, count) == fits);
    if (fits) {
        memcpy(&fixture->items[fixture->count], items, count * sizeof(items[0]));
        fixture->count += count;
    }
    check(fixture);
}

static void
pop(struct fixture *fixture)
{
    uint32_t item = 12345;
    bool any = fixture->count > 0;
    CHECK(leat_mpmc_pop(&fixture->ring, &item) == any);
    CHECK_EQUAL(item, any ? fixture->items[0] : 12345);
    if (any) {
        fixture->count--;
        memmove(fixture->items, fixture->items + 1, fixture->count * sizeof(item));
    }
    check(fixture);
}

/* Positions a few steps before something wraps. */
static const uint64_t starts[] = {0, UINT64_MAX - 2, UINT64_MAX - UINT64_C(2) * SLOTS_MAX + 1};

static uint64_t
turn_wrap(uint32_t slots_log2)
{
    return (UINT64_C(1) << (LEAT_TURN_BITS - 1 + slots_log2)) - 3;
}

static void
fill_and_empty(uint32_t slots_log2, uint64_t start)
{
    struct fixture fixture;
    setup(&fixture, slots_log2, start);
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
            fill_and_empty(log2, starts[i]);
        }
        fill_and_empty(log2, turn_wrap(log2));
    }
}

static void
batches_at(uint32_t slots_log2, uint64_t start)
{
    struct fixture fixture;
    setup(&fixture, slots_log2, start);
    for (uint32_t filled = 0; filled <= fixture.slots; filled++) {
        for (uint32_t count = 1; count <= fixture.slots; count++) {
            for (uint32_t i = 0; i < filled; i++) {
                push(&fixture);
            }
            push_n(&fixture, count);
            while (fixture.count > 0) {
                pop(&fixture);
            }
        }
    }
    teardown(&fixture);
}

static void
batches_are_all_or_none(void **state)
{
    (void)state;
    for (uint32_t log2 = LEAT_RING_SLOTS_LOG2_MIN; log2 <= 4; log2++) {
        for (size_t i = 0; i < TEST_COUNT_OF(starts); i++) {
            batches_at(log2, starts[i]);
        }
        batches_at(log2, turn_wrap(log2));
    }
}

static void
random_operations(void **state)
{
    (void)state;
    struct test_prng prng = {test_seed("unit_mpmc")};
    for (uint32_t round = 0; round < 40; round++) {
        struct fixture fixture;
        uint32_t log2 = 1 + test_random_below(&prng, 6);
        uint64_t start = round % 2 == 0 ? turn_wrap(log2) : test_random(&prng);
        setup(&fixture, log2, start);
        for (uint32_t i = 0; i < 2000; i++) {
            uint32_t choice = test_random_below(&prng, 5);
            if (choice < 2) {
                push(&fixture);
            } else if (choice < 4) {
                pop(&fixture);
            } else {
                push_n(&fixture, 1 + test_random_below(&prng, fixture.slots));
            }
        }
        teardown(&fixture);
    }
}

/* What leat_mpmc_check() says, "" if it is content. */
static void
complaint(const struct leat_mpmc *ring, char *text, size_t bytes)
{
    FILE *stream = tmpfile();
    CHECK(stream != NULL);
    bool content = leat_mpmc_check(ring, stream);
    CHECK(leat_mpmc_check(ring, NULL) == content);
    rewind(stream);
    size_t length = fread(text, 1, bytes - 1, stream);
    text[length] = '\0';
    CHECK(content == (length == 0));
    (void)fclose(stream);
}

static void
check_can_say_no(void **state)
{
    (void)state;
    struct fixture fixture;
    char text[200];
    setup(&fixture, 2, 0);
    push(&fixture);
    struct leat_mpmc *ring = &fixture.ring;
    complaint(ring, text, sizeof(text));
    CHECK_TEXT(text, "");

    uint64_t tail = atom_load_rlx(&ring->ring.tail);
    atom_store_rlx(&ring->ring.tail, tail + 4);
    complaint(ring, text, sizeof(text));
    CHECK(strstr(text, "I1") != NULL);
    atom_store_rlx(&ring->ring.tail, tail - 2);
    complaint(ring, text, sizeof(text));
    CHECK(strstr(text, "I1") != NULL);
    /* Within the limits of I1, but the slot says otherwise. */
    atom_store_rlx(&ring->ring.tail, tail + 1);
    complaint(ring, text, sizeof(text));
    CHECK(strstr(text, "I2") != NULL);
    atom_store_rlx(&ring->ring.tail, tail);

    for (uint32_t i = 0; i < fixture.slots; i++) {
        uint64_t word = atom_load_rlx(&ring->ring.slots.words[i]);
        atom_store_rlx(&ring->ring.slots.words[i], word + (UINT64_C(1) << LEAT_ITEM_BITS));
        complaint(ring, text, sizeof(text));
        CHECK(strstr(text, "I2") != NULL);
        atom_store_rlx(&ring->ring.slots.words[i], word);
    }
    teardown(&fixture);
}

static void
bytes_hold_the_slots(void **state)
{
    (void)state;
    for (uint32_t log2 = LEAT_RING_SLOTS_LOG2_MIN; log2 <= LEAT_RING_SLOTS_LOG2_MAX; log2++) {
        CHECK(leat_mpmc_bytes(log2) >= sizeof(uint64_t) << log2);
        CHECK_EQUAL(leat_mpmc_bytes(log2) % LEAT_LINE_BYTES, 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(capacity_is_exact),    cmocka_unit_test(batches_are_all_or_none),
        cmocka_unit_test(random_operations),    cmocka_unit_test(check_can_say_no),
        cmocka_unit_test(bytes_hold_the_slots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
