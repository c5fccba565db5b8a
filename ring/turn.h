/* turn.h - bounded ring for many producers and many consumers, one turn per slot; blocking. Not the
 * default: it stands here for comparison, and as the fastest for a thread alone.
 *
 * Source   Dmitry Vyukov, "Bounded MPMC queue", 1024cores.net, 2010. Differs: turn and item share
 *          one 64-bit word, so the item needs no separate store.
 * Roles    any number of producers (push) and consumers (pop). Memory belongs to the caller.
 * Claims   push  never waits; retries only if another push won turn_push:B. BLOCKING: a thread
 *                stopped between turn_push:B and turn_push:C hides the items behind its slot (pop
 *                says empty); one lap later push says full.
 *          pop   the same, mirrored: a thread stopped between turn_pop:B and turn_pop:C makes push
 *                say full one lap later.
 *          Capacity exact. Full and empty are answers about the one slot that decides: it was seen
 *                so at a moment when the counter had the value that was read.
 *          Wrap  positions are 64-bit and claimed by compare-and-swap: 584 years at 1e9/s. Turns
 *                are compared modulo 2^36, and a turn that is read is used only if the claim at
 *                its 64-bit position succeeds afterwards, so their wrap is harmless.
 *          Reclamation: none; slots live as long as the ring.
 * I1       0 <= tail - head <= slots
 * I2       slot words are as slot.h says for these, but for slots that are claimed and not finished
 * Edges    turn_push:C -> turn_pop:A     the producer's writes before the push; the item
 *          turn_pop:C  -> turn_push:A    the consumer is done with the slot
 *          turn_pop:B  -> turn_count:A   what the consumer wrote before its pop (the busy flag)
 */
#ifndef RING_TURN_H
#define RING_TURN_H

#include "ring/slot.h"

/* Letters: I set at init, then read-only; S many writers. */
struct leat_turn {
    LEAT_ALIGNED_LINE struct leat_slots slots; /* I */
    LEAT_ALIGNED_LINE leat_atomic_u64 tail;    /* S next position to push */
    LEAT_ALIGNED_LINE leat_atomic_u64 head;    /* S next position to pop */
    LEAT_ALIGNED_LINE char guard;              /* I keeps what follows off the head's line */
};

/* Bytes that leat_turn_init() wants for 2^slots_log2 slots. */
size_t leat_turn_bytes(uint32_t slots_log2);

void leat_turn_init(struct leat_turn *ring, const struct leat_ring_config *config);

/* Checks I1 and I2 of a quiescent ring; says on `why` (may be NULL) what is wrong. */
bool leat_turn_check(const struct leat_turn *ring, FILE *why);

/* Items claimed by pushes and not by pops, for the moment when the head was read. */
uint64_t leat_turn_count(const struct leat_turn *ring);

/* Appends an item. False: full. Progress: blocking, see above. */
LEAT_INLINE bool
leat_turn_push(struct leat_turn *ring, uint32_t item)
{
    LEAT_DCHECK(item <= LEAT_ITEM_MASK);
    uint64_t position = atom_load_rlx(&ring->tail); /* rlx: hint, re-checked at turn_push:B */
    for (;;) {
        leat_atomic_u64 *slot = leat_slots_at(&ring->slots, position);
        uint64_t turn = leat_slots_turn(&ring->slots, position);
        /* turn_push:A acquire -> turn_pop:C.  Carries: the consumer has read the slot.
         * If relaxed: nothing is lost here, since the item stands in the word itself; the edge
         * lets what the consumer did before its pop be seen by the next producer. */
        int64_t ahead = leat_slot_ahead(atom_load_acq(slot), turn);
        if (LEAT_LIKELY(ahead == 0)) {
            /* turn_push:B rlx: ordered by turn_push:C */
            if (LEAT_LIKELY(atom_cas_rlx(&ring->tail, &position, position + 1))) {
                /* turn_push:C release -> turn_pop:A.  Carries: the producer's writes,
                 * and the item; that the tail is behind it, on to who sees the pop.
                 * If relaxed: turn_pop:A can see the turn and still read an old record. */
                atom_store_rel(slot, leat_slot_word(turn + 1, item));
                return true;
            }
        } else if (ahead < 0) {
            return false;
        } else {
            position = atom_load_rlx(&ring->tail); /* rlx: hint, re-checked at turn_push:B */
        }
    }
}

/* Takes the oldest item. False: empty. Progress: blocking, see above. */
LEAT_INLINE bool
leat_turn_pop(struct leat_turn *ring, uint32_t *item)
{
    uint64_t position = atom_load_rlx(&ring->head); /* rlx: hint, re-checked at turn_pop:B */
    for (;;) {
        leat_atomic_u64 *slot = leat_slots_at(&ring->slots, position);
        uint64_t turn = leat_slots_turn(&ring->slots, position) + 1;
        /* turn_pop:A acquire -> turn_push:C.  Carries: the producer's writes, and
         * the item.
         * If relaxed: the record behind the item could be read as it was before the push. */
        uint64_t word = atom_load_acq(slot);
        int64_t ahead = leat_slot_ahead(word, turn);
        if (LEAT_LIKELY(ahead == 0)) {
            /* turn_pop:B release -> turn_count:A, turn_ready:A.  Carries: the busy flag stored
             * before the pop; that the tail is behind the item.
             * If relaxed: a drain could see the item gone and the worker idle. */
            if (LEAT_LIKELY(atom_cas_rel(&ring->head, &position, position + 1))) {
                /* turn_pop:C release -> turn_push:A.  Carries: the
                 * slot was read, and the consumer's writes before.
                 * If relaxed: see turn_push:A. */
                atom_store_rel(slot, leat_slot_word(turn + 1, 0));
                *item = leat_slot_item(word);
                return true;
            }
        } else if (ahead < 0) {
            return false;
        } else {
            position = atom_load_rlx(&ring->head); /* rlx: hint, re-checked at turn_pop:B */
        }
    }
}

/* True if a pop would find an item now, or found one a moment ago. */
LEAT_INLINE bool
leat_turn_ready(const struct leat_turn *ring)
{
    /* turn_ready:A acquire -> turn_pop:B.  Carries: the busy flag of who popped the last one.
     * If relaxed: a drain could see the ring empty and the worker idle. */
    uint64_t position = atom_load_acq(&ring->head);
    uint64_t turn = leat_slots_turn(&ring->slots, position) + 1;
    /* A slot ahead of its turn means that the head moved: something was there a moment ago, and
     * the caller's own pop will find out. */
    /* rlx: hint, re-checked at turn_pop:A */
    uint64_t word = atom_load_rlx(leat_slots_at(&ring->slots, position));
    return leat_slot_ahead(word, turn) >= 0;
}

#endif
