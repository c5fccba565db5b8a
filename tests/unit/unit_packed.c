/* unit_packed.c - the packed-slot ring in one thread, see ring_body.h. Beside that: hints that fell
 * back by any number of positions, up to many laps, change no answer; a search finds the position;
 * leat_packed_check() can say no to I1, I2 and I3. */
#include "ring/packed.h"

#define RING(name) leat_packed##name
#define RING_NAME  "packed"
#include "tests/unit/ring_body.h"

static void
hints_put(struct fixture *fixture, uint64_t tail, uint64_t head)
{
    atom_store_rlx(&fixture->ring.tail, tail); /* rlx: not shared yet */
    atom_store_rlx(&fixture->ring.head, head); /* rlx: not shared yet */
}

static uint64_t
hint(const leat_atomic_u64 *hint)
{
    return atom_load_rlx(hint); /* rlx: not shared yet */
}

/* With every number of items, from hints that are `back` positions behind, or one of them is. */
static void
fallen_back(uint32_t slots_log2, bool remap, uint64_t start)
{
    struct fixture fixture;
    setup(&fixture, slots_log2, remap, start);
    /* So many laps that no hint falls behind the first position. */
    for (uint32_t i = 0; i < 5 * fixture.slots; i++) {
        push(&fixture);
        pop(&fixture);
    }
    for (uint32_t items = 0; items <= fixture.slots; items++) {
        while (fixture.count < items) {
            push(&fixture);
        }
        for (uint64_t back = 1; back <= UINT64_C(4) * fixture.slots; back++) {
            uint64_t tail = hint(&fixture.ring.tail);
            uint64_t head = hint(&fixture.ring.head);
            hints_put(&fixture, tail - back, back % 3 == 0 ? head : head - back);
            check(&fixture);
            push(&fixture);
            hints_put(&fixture, hint(&fixture.ring.tail) - (back % 2 == 0 ? back : 0),
                      hint(&fixture.ring.head) - back);
            pop(&fixture);
            while (fixture.count < items) {
                push(&fixture);
            }
        }
    }
    teardown(&fixture);
}

static void
hints_may_fall_back(void **state)
{
    (void)state;
    for (uint32_t log2 = LEAT_RING_SLOTS_LOG2_MIN; log2 <= 5; log2++) {
        fallen_back(log2, false, 0);
        fallen_back(log2, true, RING_TURN_WRAP(log2) - (UINT64_C(5) << log2));
        fallen_back(log2, false, 0 - (UINT64_C(6) << log2));
    }
}

/* Turns are compared modulo 2^36, which is 2^35 laps: a hint is seen to be behind at any age, but
 * for the last 5 laps before such a period is full. */
static void
hints_of_any_age(void **state)
{
    (void)state;
    static const uint64_t laps[] = {
        0,
        1,
        (UINT64_C(1) << 34) - 1,
        UINT64_C(1) << 34,
        (UINT64_C(1) << 34) + 1,
        (UINT64_C(1) << 35) - 6,
        UINT64_C(1) << 35,
        UINT64_C(5) << 35,
    };
    for (size_t i = 0; i < TEST_COUNT_OF(laps) * TEST_COUNT_OF(laps); i++) {
        struct fixture fixture;
        uint64_t start = UINT64_C(1) << 50;
        setup(&fixture, 2, false, start);
        uint64_t old = start - laps[i / TEST_COUNT_OF(laps)] * fixture.slots;
        uint64_t older = start - laps[i % TEST_COUNT_OF(laps)] * fixture.slots;
        for (uint32_t filled = 0; filled <= fixture.slots; filled++) {
            hints_put(&fixture, old + filled, older);
            check(&fixture);
            push(&fixture);
        }
        for (uint32_t popped = 0; popped <= fixture.slots; popped++) {
            hints_put(&fixture, older + fixture.slots, old + popped);
            pop(&fixture);
        }
        teardown(&fixture);
    }
}

/* Whoever is done moves its hint on. */
static void
hints_follow(void **state)
{
    (void)state;
    struct fixture fixture;
    setup(&fixture, 2, false, 0);
    for (uint64_t i = 1; i <= 20; i++) {
        push(&fixture);
        CHECK_EQUAL(hint(&fixture.ring.tail), i);
        pop(&fixture);
        CHECK_EQUAL(hint(&fixture.ring.head), i);
    }
    teardown(&fixture);
}

/* Where nobody else is, the true position, from each slot that is ahead, by many laps too. */
static void
find_from(const struct fixture *fixture, uint64_t position, enum leat_packed_side side,
          uint64_t wanted)
{
    const struct leat_slots *slots = &fixture->ring.slots;
    uint64_t word = atom_load_rlx(leat_slots_at(slots, position)); /* rlx: not shared yet */
    int64_t ahead = leat_slot_ahead(word, leat_slots_turn(slots, position) + side);
    CHECK(ahead > 0);
    CHECK_EQUAL(leat_packed_find(slots, position, ahead, side), wanted);
}

static void
find_is_exact(void **state)
{
    (void)state;
    for (uint32_t log2 = LEAT_RING_SLOTS_LOG2_MIN; log2 <= 4; log2++) {
        struct fixture fixture;
        setup(&fixture, log2, false, 0);
        for (uint64_t head = 0; head < 203; head++) {
            while (fixture.count < head % (fixture.slots + 1)) {
                push(&fixture);
            }
            for (uint64_t position = 0; position < head; position++) {
                find_from(&fixture, position, LEAT_PACKED_POP, head);
            }
            for (uint64_t position = 0; position < head + fixture.count; position++) {
                find_from(&fixture, position, LEAT_PACKED_PUSH, head + fixture.count);
            }
            if (fixture.count == 0) {
                push(&fixture);
            }
            pop(&fixture);
        }
        teardown(&fixture);
    }
}

static void
check_can_say_no(void **state)
{
    (void)state;
    struct fixture fixture;
    setup(&fixture, 2, false, 0);
    push(&fixture);
    complains(&fixture, "");
    /* I3, which shows as one of the others. */
    hints_put(&fixture, 2, 0);
    complains(&fixture, "I2");
    hints_put(&fixture, 1, 1);
    complains(&fixture, "I2");
    hints_put(&fixture, 6, 0);
    complains(&fixture, "I1");
    hints_put(&fixture, 1, 2);
    complains(&fixture, "I1");
    hints_put(&fixture, 1, 0);
    for (uint32_t i = 0; i < fixture.slots; i++) {
        uint64_t word = atom_load_rlx(&fixture.ring.slots.words[i]); /* rlx: not shared yet */
        /* By one or two, it would be as after a push, a pop or both. */
        for (uint64_t turns = 3; turns <= 5; turns++) {
            /* rlx: not shared yet */
            atom_store_rlx(&fixture.ring.slots.words[i], word + (turns << LEAT_ITEM_BITS));
            complains(&fixture, "I");
        }
        atom_store_rlx(&fixture.ring.slots.words[i], word); /* rlx: not shared yet */
    }
    teardown(&fixture);
}

/* With every number of items, and beyond the last one and the slots. */
static void
peeks_are_exact(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_COUNT_OF(starts); i++) {
        struct fixture fixture;
        setup(&fixture, 3, true, starts[i]);
        for (uint32_t items = 0; items <= fixture.slots; items++) {
            for (uint32_t ahead = 0; ahead <= fixture.slots; ahead++) {
                uint32_t item = 0;
                CHECK(leat_packed_peek(&fixture.ring, ahead, &item) == (ahead < items));
                CHECK(ahead >= items || item == fixture.items[ahead]);
            }
            pop(&fixture);
            while (fixture.count <= items && fixture.count < fixture.slots) {
                push(&fixture);
            }
        }
        teardown(&fixture);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        RING_TESTS,
        cmocka_unit_test(hints_may_fall_back),
        cmocka_unit_test(hints_follow),
        cmocka_unit_test(hints_of_any_age),
        cmocka_unit_test(find_is_exact),
        cmocka_unit_test(peeks_are_exact),
        cmocka_unit_test(check_can_say_no),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
