/* mpmc.c - the parts of the turn-per-slot ring that are not on the single-item path. */
#include "ring/mpmc.h"

#include <inttypes.h>

size_t
leat_mpmc_bytes(uint32_t slots_log2)
{
    LEAT_ASSERT(slots_log2 >= LEAT_RING_SLOTS_LOG2_MIN);
    LEAT_ASSERT(slots_log2 <= LEAT_RING_SLOTS_LOG2_MAX);
    size_t slots = sizeof(leat_atomic_u64) << slots_log2;
    /* One line of guard behind the slots: the next-line prefetcher runs past the end. */
    return leat_round_up(slots, LEAT_LINE_BYTES) + LEAT_LINE_BYTES;
}

void
leat_mpmc_init(struct leat_mpmc *ring, uint32_t slots_log2, void *memory, uint64_t start)
{
    LEAT_ASSERT(slots_log2 >= LEAT_RING_SLOTS_LOG2_MIN);
    LEAT_ASSERT(slots_log2 <= LEAT_RING_SLOTS_LOG2_MAX);
    LEAT_ASSERT(memory != NULL);
    LEAT_ASSERT((uintptr_t)memory % LEAT_LINE_BYTES == 0);
    ring->slots = memory;
    ring->mask = (UINT64_C(1) << slots_log2) - 1;
    ring->slots_log2 = slots_log2;
    atom_init(&ring->tail, start);
    atom_init(&ring->head, start);
    /* Zeroed slots are those of the first lap, so that a ring's pages are taken as it is used. */
    for (uint64_t i = 0; start != 0 && i <= ring->mask; i++) {
        uint64_t position = start + i;
        atom_init(&ring->slots[position & ring->mask],
                  leat_mpmc_word(leat_mpmc_turn(ring, position), 0));
    }
}

/* True if the slots of positions [position, position + count) are all free for their push. */
static bool
all_free(const struct leat_mpmc *ring, uint64_t position, uint32_t count, bool *behind)
{
    for (uint32_t i = 0; i < count; i++) {
        const leat_atomic_u64 *slot = &ring->slots[(position + i) & ring->mask];
        /* push_n:A acquire -> pop:C.  Carries: the consumer has read the slot.
         * If relaxed: see push:A. */
        int64_t ahead = leat_mpmc_ahead(atom_load_acq(slot), leat_mpmc_turn(ring, position + i));
        if (ahead != 0) {
            *behind = ahead < 0;
            return false;
        }
    }
    return true;
}

bool
leat_mpmc_push_n(struct leat_mpmc *ring, const uint32_t *items, uint32_t count)
{
    LEAT_ASSERT(count >= 1);
    LEAT_ASSERT(count <= ring->mask + 1);
    uint64_t position = atom_load_rlx(&ring->tail); /* rlx: hint, re-checked at push_n:B */
    for (;;) {
        bool behind = false;
        if (!all_free(ring, position, count, &behind)) {
            /* Behind: a slot still holds last lap's item. Ahead: another push passed us. */
            if (behind) {
                return false;
            }
            position = atom_load_rlx(&ring->tail); /* rlx: hint, re-checked at push_n:B */
            continue;
        }
        /* push_n:B release -> count:B.  Carries: as push:B.
         * If relaxed: as push:B. */
        if (atom_cas_rel(&ring->tail, &position, position + count)) {
            break;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        LEAT_DCHECK(items[i] <= LEAT_ITEM_MASK);
        leat_atomic_u64 *slot = &ring->slots[(position + i) & ring->mask];
        /* push_n:C release -> pop:A.  Carries: the producer's writes, and the item.
         * If relaxed: as push:C. */
        atom_store_rel(slot, leat_mpmc_word(leat_mpmc_turn(ring, position + i) + 1, items[i]));
    }
    return true;
}

bool
leat_mpmc_check(const struct leat_mpmc *ring, FILE *why)
{
    uint64_t head = atom_load_rlx(&ring->head); /* rlx: not shared yet */
    uint64_t tail = atom_load_rlx(&ring->tail); /* rlx: not shared yet */
    uint64_t slots = ring->mask + 1;
    if (tail - head > slots) {
        if (why != NULL) {
            (void)fprintf(why, "mpmc: I1: %" PRIu64 " items in %" PRIu64 " slots\n", tail - head,
                          slots);
        }
        return false;
    }
    for (uint64_t i = 0; i < slots; i++) {
        uint64_t position = head + i;
        bool full = i < tail - head;
        uint64_t turn = leat_mpmc_turn(ring, position) + (full ? 1 : 0);
        /* rlx: not shared yet */
        uint64_t word = atom_load_rlx(&ring->slots[position & ring->mask]);
        if (leat_mpmc_ahead(word, turn) != 0) {
            if (why != NULL) {
                (void)fprintf(why, "mpmc: I2: position %" PRIu64 " has word %" PRIx64 "\n",
                              position, word);
            }
            return false;
        }
    }
    return true;
}
