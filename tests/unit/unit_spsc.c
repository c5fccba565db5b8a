/* unit_spsc.c - the ring for one producer and one consumer in one thread against a naive queue:
 * capacity exact, first in first out, of several items as many as fit or are there; a side
 * looks at the other's line once a lap. Positions start at 0 and before their wrap. I1 and I2 after
 * every step; leat_spsc_check() can say no to each. */
#include <stdlib.h>
#include <string.h>

#include "ring/spsc.h"
#include "tests/support/check.h"
#include "tests/support/prng.h"

#define SLOTS_MAX 64
#define MANY_MAX  (SLOTS_MAX + 3)

struct fixture {
    struct leat_spsc ring;
    void *memory;
    uint32_t slots;
    uint32_t items[SLOTS_MAX]; /* the naive queue, oldest first */
    uint32_t count;
    uint32_t next; /* item */
};

static void
setup(struct fixture *fixture, uint32_t slots_log2, uint64_t start)
{
    memset(fixture, 0, sizeof(*fixture));
    fixture->memory = aligned_alloc(LEAT_LINE_BYTES, leat_spsc_bytes(slots_log2));
    CHECK(fixture->memory != NULL);
    memset(fixture->memory, 0, leat_spsc_bytes(slots_log2));
    const struct leat_ring_config config = {
        .slots_log2 = slots_log2, .memory = fixture->memory, .start = start};
    leat_spsc_init(&fixture->ring, &config);
    fixture->slots = UINT32_C(1) << slots_log2;
    fixture->next = UINT32_MAX - 5;
}

static void
check(struct fixture *fixture)
{
    CHECK(leat_spsc_check(&fixture->ring, stderr));
    CHECK_EQUAL(leat_spsc_count(&fixture->ring), fixture->count);
    CHECK(leat_spsc_ready(&fixture->ring) == (fixture->count > 0));
}

/* one: with push and pop, else with push_n and pop_n. */
static void
push(struct fixture *fixture, uint32_t count, bool one)
{
    uint32_t items[MANY_MAX];
    uint32_t room = fixture->slots - fixture->count;
    for (uint32_t i = 0; i < count; i++) {
        items[i] = fixture->next + i;
    }
    uint32_t pushed = one ? (uint32_t)leat_spsc_push(&fixture->ring, items[0])
                          : leat_spsc_push_n(&fixture->ring, items, count);
    CHECK_EQUAL(pushed, count < room ? count : room);
    memcpy(&fixture->items[fixture->count], items, pushed * sizeof(items[0]));
    fixture->count += pushed;
    fixture->next += pushed;
    check(fixture);
}

static void
pop(struct fixture *fixture, uint32_t count, bool one)
{
    uint32_t items[MANY_MAX] = {0};
    uint32_t popped = one ? (uint32_t)leat_spsc_pop(&fixture->ring, items)
                          : leat_spsc_pop_n(&fixture->ring, items, count);
    CHECK_EQUAL(popped, count < fixture->count ? count : fixture->count);
    CHECK(memcmp(items, fixture->items, popped * sizeof(items[0])) == 0);
    CHECK_EQUAL(items[popped], 0);
    fixture->count -= popped;
    memmove(fixture->items, fixture->items + popped, fixture->count * sizeof(items[0]));
    check(fixture);
}

static void
teardown(struct fixture *fixture)
{
    while (fixture->count > 0) {
        pop(fixture, 1, true);
    }
    pop(fixture, 1, true);
    free(fixture->memory);
}

static void
capacity_is_exact(void **state)
{
    (void)state;
    const uint64_t starts[] = {0, 5, UINT64_MAX - 2, UINT64_MAX - 70};
    for (uint32_t log2 = LEAT_RING_SLOTS_LOG2_MIN; log2 <= 6; log2++) {
        for (size_t i = 0; i < TEST_COUNT_OF(starts); i++) {
            struct fixture fixture;
            setup(&fixture, log2, starts[i]);
            for (uint32_t j = 0; j < fixture.slots + 2; j++) {
                push(&fixture, 1, true);
            }
            for (uint32_t j = 0; j < fixture.slots + 2; j++) {
                pop(&fixture, 1, true);
            }
            push(&fixture, fixture.slots + 2, false);
            pop(&fixture, fixture.slots + 2, false);
            teardown(&fixture);
        }
    }
}

static void
random_operations(void **state)
{
    (void)state;
    struct test_prng prng = {test_seed("unit_spsc")};
    for (uint32_t round = 0; round < 40; round++) {
        struct fixture fixture;
        setup(&fixture, 1 + test_random_below(&prng, 6), 0 - test_random_below(&prng, 2000));
        for (uint32_t i = 0; i < 2000; i++) {
            uint32_t most = test_random_below(&prng, 3) == 0 ? fixture.slots + 2 : 3;
            uint32_t count = test_random_below(&prng, most);
            bool one = count == 1 && test_random_below(&prng, 2) == 0;
            if (test_random_below(&prng, 2) == 0) {
                push(&fixture, count, one);
            } else {
                pop(&fixture, count, one);
            }
        }
        teardown(&fixture);
    }
}

/* A side looks at the other's position only when the room, or the items, that it knows of are used
 * up: here at every fourth call, though the other side moves at each. */
static void
looks_are_rare(void **state)
{
    (void)state;
    struct fixture fixture;
    setup(&fixture, 2, 0);
    for (uint64_t i = 0; i < 40; i++) {
        push(&fixture, 1, true);
        CHECK_EQUAL(fixture.ring.head_seen, i / 4 * 4);
        pop(&fixture, 1, true);
    }
    push(&fixture, 4, false);
    for (uint64_t i = 40; i < 80; i++) {
        pop(&fixture, 1, true);
        CHECK_EQUAL(fixture.ring.tail_seen, i / 4 * 4 + 4);
        push(&fixture, 1, true);
    }
    teardown(&fixture);
}

static void
complains(const struct leat_spsc *ring, const char *text)
{
    char said[200];
    FILE *why = test_why();
    bool content = leat_spsc_check(ring, why);
    CHECK(leat_spsc_check(ring, NULL) == content);
    test_why_read(why, said, sizeof(said));
    CHECK(content == (said[0] == '\0'));
    CHECK(text[0] == '\0' ? content : strstr(said, text) != NULL);
}

static void
check_can_say_no(void **state)
{
    (void)state;
    struct fixture fixture;
    setup(&fixture, 2, 0);
    push(&fixture, 1, true);
    struct leat_spsc *ring = &fixture.ring;
    complains(ring, "");
    atom_store_rlx(&ring->tail, 5); /* rlx: not shared yet */
    complains(ring, "I1");
    atom_store_rlx(&ring->tail, UINT64_MAX); /* rlx: not shared yet */
    complains(ring, "I1");
    atom_store_rlx(&ring->tail, 1); /* rlx: not shared yet */
    ring->head_seen = 1;
    complains(ring, "I2");
    ring->head_seen = 0;
    ring->tail_seen = 2;
    complains(ring, "I2");
    ring->tail_seen = 0;
    complains(ring, "");
    teardown(&fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(capacity_is_exact),
        cmocka_unit_test(random_operations),
        cmocka_unit_test(looks_are_rare),
        cmocka_unit_test(check_can_say_no),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
