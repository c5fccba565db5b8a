/* slot.c - the memory of the rings of one word per slot, see slot.h. */
#include "ring/slot.h"

#include <inttypes.h>

size_t
leat_slots_bytes(uint32_t slots_log2)
{
    LEAT_ASSERT(slots_log2 >= LEAT_RING_SLOTS_LOG2_MIN);
    LEAT_ASSERT(slots_log2 <= LEAT_RING_SLOTS_LOG2_MAX);
    size_t slots = sizeof(leat_atomic_u64) << slots_log2;
    return leat_round_up(slots, LEAT_LINE_BYTES) + LEAT_LINE_BYTES;
}

void
leat_slots_init(struct leat_slots *slots, const struct leat_ring_config *config)
{
    LEAT_ASSERT(config->slots_log2 >= LEAT_RING_SLOTS_LOG2_MIN);
    LEAT_ASSERT(config->slots_log2 <= LEAT_RING_SLOTS_LOG2_MAX);
    LEAT_ASSERT(config->memory != NULL);
    LEAT_ASSERT((uintptr_t)config->memory % LEAT_LINE_BYTES == 0);
    slots->words = config->memory;
    slots->mask = (UINT64_C(1) << config->slots_log2) - 1;
    slots->log2 = config->slots_log2;
    slots->spread = 0;
    if (config->remap && config->slots_log2 > LEAT_SLOTS_LINE_LOG2) {
        slots->spread = LEAT_SLOTS_LINE_LOG2;
    }
    /* Zeroed slots are those of the first lap, so that a ring's pages are taken as it is used. */
    for (uint64_t i = 0; config->start != 0 && i <= slots->mask; i++) {
        uint64_t position = config->start + i;
        atom_init(leat_slots_at(slots, position),
                  leat_slot_word(leat_slots_turn(slots, position), 0));
    }
}

bool
leat_slots_check(const struct leat_slots *slots, uint64_t head, uint64_t tail, FILE *why)
{
    if (tail - head > slots->mask + 1) {
        if (why != NULL) {
            (void)fprintf(why, "slots: I1: %" PRIu64 " items in %" PRIu64 " slots\n", tail - head,
                          slots->mask + 1);
        }
        return false;
    }
    for (uint64_t i = 0; i <= slots->mask; i++) {
        uint64_t position = head + i;
        uint64_t turn = leat_slots_turn(slots, position) + (i < tail - head ? 1 : 0);
        uint64_t word = atom_load_rlx(leat_slots_at(slots, position)); /* rlx: not shared yet */
        if (leat_slot_ahead(word, turn) != 0) {
            if (why != NULL) {
                (void)fprintf(why, "slots: I2: position %" PRIu64 " has word %" PRIx64 "\n",
                              position, word);
            }
            return false;
        }
    }
    return true;
}
