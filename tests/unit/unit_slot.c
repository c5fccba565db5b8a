/* unit_slot.c - places and turns of the rings of one word per slot: with remap the places of a lap
 * are a permutation in which neighbours stand on different lines, without it they follow each
 * other; distances of turns are right around their wrap. */
#include <stdlib.h>
#include <string.h>

#include "ring/slot.h"
#include "tests/support/check.h"

#define LOG2_MAX 12

static struct leat_slots
slots_setup(uint32_t log2, bool remap, void *memory)
{
    struct leat_slots slots;
    const struct leat_ring_config config = {.slots_log2 = log2, .remap = remap, .memory = memory};
    leat_slots_init(&slots, &config);
    return slots;
}

static uint64_t
place(const struct leat_slots *slots, uint64_t position)
{
    return (uint64_t)(leat_slots_at(slots, position) - slots->words);
}

static void
places_are_a_permutation(void **state)
{
    (void)state;
    static bool taken[1 << LOG2_MAX];
    void *memory = aligned_alloc(LEAT_LINE_BYTES, leat_slots_bytes(LOG2_MAX));
    CHECK(memory != NULL);
    for (uint32_t log2 = LEAT_RING_SLOTS_LOG2_MIN; log2 <= LOG2_MAX; log2++) {
        struct leat_slots slots = slots_setup(log2, true, memory);
        memset(taken, 0, sizeof(taken));
        for (uint64_t position = 0; position <= slots.mask; position++) {
            uint64_t here = place(&slots, position);
            CHECK(here <= slots.mask);
            CHECK(!taken[here]);
            taken[here] = true;
            CHECK_EQUAL(place(&slots, position - (slots.mask + 1)), here);
            /* Two lines have slots in turn. */
            if (log2 > LEAT_SLOTS_LINE_LOG2) {
                uint64_t next = place(&slots, position + 1);
                CHECK(here >> LEAT_SLOTS_LINE_LOG2 != next >> LEAT_SLOTS_LINE_LOG2);
            }
        }
    }
    free(memory);
}

static void
places_follow_each_other_otherwise(void **state)
{
    (void)state;
    void *memory = aligned_alloc(LEAT_LINE_BYTES, leat_slots_bytes(LOG2_MAX));
    CHECK(memory != NULL);
    struct leat_slots slots = slots_setup(LOG2_MAX, false, memory);
    for (uint64_t position = 0; position < 3 << LOG2_MAX; position++) {
        CHECK_EQUAL(place(&slots, position), position % (1 << LOG2_MAX));
    }
    free(memory);
}

static void
turns_wrap(void **state)
{
    (void)state;
    const uint64_t last = (UINT64_C(1) << LEAT_TURN_BITS) - 1;
    CHECK(leat_slot_ahead(leat_slot_word(5, 77), 5) == 0);
    CHECK(leat_slot_ahead(leat_slot_word(7, LEAT_ITEM_MASK), 5) == 2);
    CHECK(leat_slot_ahead(leat_slot_word(4, LEAT_ITEM_MASK), 5) == -1);
    CHECK(leat_slot_ahead(leat_slot_word(0, 1), last) == 1);
    CHECK(leat_slot_ahead(leat_slot_word(last, 1), 0) == -1);
    CHECK(leat_slot_ahead(leat_slot_word(2, 1), last + 1) == 2);
    CHECK(leat_slot_ahead(leat_slot_word(last / 2, 1), 0) == (int64_t)(last / 2));
    CHECK_EQUAL(leat_slot_item(leat_slot_word(last, LEAT_ITEM_MASK)), LEAT_ITEM_MASK);
    CHECK_EQUAL(leat_slot_item(leat_slot_word(last, 0)), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_are_a_permutation),
        cmocka_unit_test(places_follow_each_other_otherwise),
        cmocka_unit_test(turns_wrap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
