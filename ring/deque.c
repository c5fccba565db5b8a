/* deque.c - stealing from a deque, and its start and check, see deque.h. */
#include "ring/deque.h"

#include <inttypes.h>

enum leat_deque_answer
leat_deque_steal(struct leat_deque *deque, uint64_t least, struct leat_deque_entry *entry)
{
    uint64_t top = atom_load_rlx(&deque->top); /* rlx: ordered by deque_steal:A */
    /* deque_steal:A sc -> deque_pop:B.  Orders: top read (or moved by another thief) then bottom
     * read, against bottom lowered then top read. */
    atom_fence_sc(&deque->anchor);
    /* deque_steal:B acquire -> deque_push:B, deque_pop:A.  Carries: the entries, and what their
     * owner wrote before it pushed them.
     * If relaxed: see deque_push:B. */
    uint64_t bottom = atom_load_acq(&deque->bottom);
    if ((int64_t)(bottom - top) <= 0) {
        return LEAT_DEQUE_EMPTY;
    }
    /* The entry may be taken meanwhile, and the owner write a new one into the slot, so that the
     * words belong to two entries; then the top has moved and the swap fails. */
    const struct leat_deque_slot *slot = &deque->slots[top & deque->mask];
    struct leat_deque_entry read;
    for (uint32_t i = 0; i < LEAT_DEQUE_WORDS; i++) {
        read.words[i] = atom_load_rlx(&slot->words[i]); /* rlx: ordered by deque_steal:B */
    }
    if (read.words[LEAT_DEQUE_RANK] < least) {
        return LEAT_DEQUE_LOW;
    }
    /* deque_steal:C release -> deque_push:A, deque_count:A.  Carries: that the slot was read; what
     * the thief wrote before, such as a busy flag.
     * If relaxed: see deque_push:A, deque_count:A. */
    if (!atom_cas_rel(&deque->top, &top, top + 1)) {
        return LEAT_DEQUE_LOST;
    }
    *entry = read;
    return LEAT_DEQUE_GOT;
}

/* ---- start and check ------------------------------------------------------------------------ */

size_t
leat_deque_bytes(uint32_t slots_log2)
{
    LEAT_ASSERT(slots_log2 >= LEAT_RING_SLOTS_LOG2_MIN);
    LEAT_ASSERT(slots_log2 <= LEAT_RING_SLOTS_LOG2_MAX);
    size_t slots = sizeof(struct leat_deque_slot) << slots_log2;
    /* One line of guard behind the slots: the next-line prefetcher runs past the end. */
    return leat_round_up(slots, LEAT_LINE_BYTES) + LEAT_LINE_BYTES;
}

void
leat_deque_init(struct leat_deque *deque, uint32_t slots_log2, void *memory, uint64_t start)
{
    LEAT_ASSERT(slots_log2 >= LEAT_RING_SLOTS_LOG2_MIN);
    LEAT_ASSERT(slots_log2 <= LEAT_RING_SLOTS_LOG2_MAX);
    LEAT_ASSERT(memory != NULL);
    LEAT_ASSERT((uintptr_t)memory % LEAT_LINE_BYTES == 0);
    deque->slots = memory;
    deque->mask = (UINT64_C(1) << slots_log2) - 1;
    atom_init(&deque->bottom, start);
    atom_init(&deque->top, start);
    atom_init(&deque->anchor, 0);
}

bool
leat_deque_check(const struct leat_deque *deque, FILE *why)
{
    uint64_t top = atom_load_rlx(&deque->top);       /* rlx: not shared yet */
    uint64_t bottom = atom_load_rlx(&deque->bottom); /* rlx: not shared yet */
    if (bottom - top <= deque->mask + 1) {
        return true;
    }
    if (why != NULL) {
        (void)fprintf(why, "deque: I1: %" PRIu64 " entries in %" PRIu64 " slots\n", bottom - top,
                      deque->mask + 1);
    }
    return false;
}
