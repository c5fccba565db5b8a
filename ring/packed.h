/* packed.h - bounded ring for many producers and many consumers, lock-free: turn and item in one
 * word, published and taken by one compare-and-swap on the slot.
 *
 * Source   the turn per slot is Dmitry Vyukov's ("Bounded MPMC queue", 1024cores.net, 2010).
 *          Differs: there a thread claims a position on a counter and publishes in the slot later;
 *          here the swap on the slot is both, and the counters are hints of where to look.
 * Roles    any number of producers (push) and consumers (pop). Memory belongs to the caller.
 * Claims   push, pop, ready, count  lock-free: no step leaves anything half done. A call goes round
 *                again once because its hint was old, and else because another call succeeded.
 *          Exact: all answers together are those of a queue that is used by one call at a time,
 *                each at a moment in it. For this the loads and swaps of slots are sequentially
 *                consistent: with less, a producer that pushed and then saw full and a consumer
 *                that popped and then saw empty could both be right, each in its own order of the
 *                two swaps. On x86 and ARMv8 these are the instructions of acquire and release.
 *          Linearisation: the swap on the slot (push:C, pop:C) for what succeeds; the load of the
 *                slot (push:B, pop:B) for full and empty.
 *          Wrap  turns have 36 bits. A swap could take an old word for a new one if its thread
 *                sleeps in front of it for exactly a multiple of 2^35 laps, to the lap, and a pop
 *                only if the same item is there again: 2.2e12 items with 64 slots, 30 hours at 20
 *                million a second, and then one chance in 3e10. An old hint does no harm at any
 *                age but the last 5 laps before such a period is full, which 8 turns of window and
 *                a search a lap ahead take for positions that are not reached yet.
 *          Reclamation: none; slots live as long as the ring.
 * I1       true tail = number of positions pushed, true head = number popped, from the start;
 *          0 <= tail - head <= slots. A position is pushed only after all before it, and popped
 *          likewise.
 * I2       slot words are as slot.h says for these
 * I3       hints are never ahead of the true positions. They may be behind by any number of laps: a
 *          thread can sleep in front of its store. (Both modulo 2^35 laps.)
 * I4       whoever looks at a position knows that the one before it was used: from the hint, from a
 *          failed swap, or from leat_packed_find(). So a slot that is seen not yet used is the true
 *          position, and the answer is exact. From a slot that is ahead follows only that the true
 *          position is behind that slot's last use; a jump to its next use would leave items out.
 * Lines    slots: whoever uses the position; tail: producers; head: consumers. A producer never
 *          touches the head, a consumer never the tail.
 * Edges    push:C -> pop:B     the producer's writes before the push; the item
 *          pop:C  -> push:B    the consumer is done with the slot
 *          hint:A -> push:A    the position before the hint was used, and what its user did before:
 *                              who is told full knows it of the producers
 *          hint:A -> pop:A     the same; who is told empty knows it of the consumers
 */
#ifndef RING_PACKED_H
#define RING_PACKED_H

#include "ring/slot.h"

/* Letters: I set at init, then read-only; S many writers. */
struct leat_packed {
    LEAT_ALIGNED_LINE struct leat_slots slots; /* I */
    LEAT_ALIGNED_LINE leat_atomic_u64 tail;    /* S hint: next position to push, or before */
    LEAT_ALIGNED_LINE leat_atomic_u64 head;    /* S hint: next position to pop, or before */
    LEAT_ALIGNED_LINE char guard;              /* I keeps what follows off the head's line */
};

/* Whose positions are looked at: the turn that a slot has before its use, over that of a push. */
enum leat_packed_side { LEAT_PACKED_PUSH = 0, LEAT_PACKED_POP = 1 };

/* Bytes that leat_packed_init() wants for 2^slots_log2 slots. */
size_t leat_packed_bytes(uint32_t slots_log2);

void leat_packed_init(struct leat_packed *ring, const struct leat_ring_config *config);

/* Checks I1 to I3 of a quiescent ring; says on `why` (may be NULL) what is wrong. */
bool leat_packed_check(const struct leat_packed *ring, FILE *why);

/* Items in the ring; exact if nobody changes it. Progress: lock-free. */
uint64_t leat_packed_count(const struct leat_packed *ring);

/* pre: the slot of `position` was seen `ahead` > 0 turns ahead of its use there. Returns a later
 * position whose predecessor was seen used, close to the true one. */
uint64_t leat_packed_find(const struct leat_slots *slots, uint64_t position, int64_t ahead,
                          enum leat_packed_side side);

/* Moves a hint forward. A thread that sleeps in front of the store moves it back: see I3. */
LEAT_INLINE void
leat_packed_advance(leat_atomic_u64 *hint, uint64_t position)
{
    /* rlx: hint, re-checked at push:B, as the head's at pop:B */
    if (LEAT_LIKELY((int64_t)(position - atom_load_rlx(hint)) > 0)) {
        /* hint:A release -> push:A, pop:A, ready:A, where:A.  Carries: the use of the position
         * before.
         * If relaxed: a later call could look at a slot and see it as it was before that use, and
         * answer full or empty for a position that is not the true one. */
        atom_store_rel(hint, position);
    }
}

/* Appends an item. False: full. Progress: lock-free. */
LEAT_INLINE bool
leat_packed_push(struct leat_packed *ring, uint32_t item)
{
    LEAT_DCHECK(item <= LEAT_ITEM_MASK);
    /* push:A acquire -> hint:A.  Carries: see hint:A.
     * If relaxed: see hint:A. */
    uint64_t position = atom_load_acq(&ring->tail);
    for (;;) {
        leat_atomic_u64 *slot = leat_slots_at(&ring->slots, position);
        uint64_t turn = leat_slots_turn(&ring->slots, position);
        /* push:B sc -> pop:C, push:C.  Orders: as push:C.  Carries: the consumer's writes before
         * its pop; from a slot that is ahead, that its position was used.
         * If relaxed: the slot behind one that is ahead could be seen as it was a lap before. */
        uint64_t word = atom_load_sc(slot);
        int64_t ahead = leat_slot_ahead(word, turn);
        if (LEAT_LIKELY(ahead == 0)) {
            /* push:C sc -> pop:B, pop:C, push:B, ready:B, used:A.  Orders: this slot pushed then
             * the next one seen full, against that one popped then this one seen empty.
             * Carries: the producer's writes and the item; on failure, that the position was used.
             * If relaxed: pop:B can see the item and still read an old record. */
            if (LEAT_LIKELY(atom_cas_sc(slot, &word, leat_slot_word(turn + 1, item)))) {
                leat_packed_advance(&ring->tail, position + 1);
                return true;
            }
            position++;
        } else if (ahead < 0) {
            return false;
        } else {
            position = leat_packed_find(&ring->slots, position, ahead, LEAT_PACKED_PUSH);
        }
    }
}

/* Takes the oldest item. False: empty. Progress: lock-free. */
LEAT_INLINE bool
leat_packed_pop(struct leat_packed *ring, uint32_t *item)
{
    /* pop:A acquire -> hint:A.  Carries: see hint:A.
     * If relaxed: see hint:A. */
    uint64_t position = atom_load_acq(&ring->head);
    for (;;) {
        leat_atomic_u64 *slot = leat_slots_at(&ring->slots, position);
        uint64_t turn = leat_slots_turn(&ring->slots, position) + 1;
        /* pop:B sc -> push:C, pop:C.  Orders: as push:C.  Carries: the producer's writes, and the
         * item; from a slot that is ahead, that its position was used.
         * If relaxed: the record behind the item could be read as it was before the push. */
        uint64_t word = atom_load_sc(slot);
        int64_t ahead = leat_slot_ahead(word, turn);
        if (LEAT_LIKELY(ahead == 0)) {
            /* pop:C sc -> push:B, push:C, pop:B, ready:B, used:A.  Orders: as push:C.
             * Carries: the consumer's writes, a worker's busy flag among them; on failure, that the
             * position was used.
             * If relaxed: a drain could see the item gone and the worker idle. */
            if (LEAT_LIKELY(atom_cas_sc(slot, &word, leat_slot_word(turn + 1, 0)))) {
                leat_packed_advance(&ring->head, position + 1);
                *item = leat_slot_item(word);
                return true;
            }
            position++;
        } else if (ahead < 0) {
            return false;
        } else {
            position = leat_packed_find(&ring->slots, position, ahead, LEAT_PACKED_POP);
        }
    }
}

/* 64 bytes, which is what travels at once. */
#define LEAT_PACKED_AHEAD 8

/* For a producer that will push more: the line of the slots a few places on. Consumers had it last,
 * a lap ago. Progress: wait-free. */
LEAT_INLINE void
leat_packed_prefetch(const struct leat_packed *ring)
{
    uint64_t position = atom_load_rlx(&ring->tail); /* rlx: hint, re-checked at push:B */
    leat_prefetch(leat_slots_at(&ring->slots, position + LEAT_PACKED_AHEAD));
}

/* The item `ahead` places behind the head's hint, if it is there now: with 0 the next pop is likely
 * to take it. Progress: wait-free. */
LEAT_INLINE bool
leat_packed_peek(const struct leat_packed *ring, uint64_t ahead, uint32_t *item)
{
    uint64_t position = atom_load_rlx(&ring->head) + ahead; /* rlx: hint, re-checked at pop:B */
    uint64_t turn = leat_slots_turn(&ring->slots, position) + 1;
    /* rlx: hint, re-checked at pop:B */
    uint64_t word = atom_load_rlx(leat_slots_at(&ring->slots, position));
    *item = leat_slot_item(word);
    return leat_slot_ahead(word, turn) == 0;
}

/* True if a pop would find an item now. Progress: lock-free. */
LEAT_INLINE bool
leat_packed_ready(const struct leat_packed *ring)
{
    /* ready:A acquire -> hint:A.  Carries: see hint:A.
     * If relaxed: see hint:A. */
    uint64_t position = atom_load_acq(&ring->head);
    for (;;) {
        uint64_t turn = leat_slots_turn(&ring->slots, position) + 1;
        /* ready:B sc -> push:C, pop:C.  Orders: as push:C.  Carries: as pop:B.
         * If relaxed: as pop:B. */
        uint64_t word = atom_load_sc(leat_slots_at(&ring->slots, position));
        int64_t ahead = leat_slot_ahead(word, turn);
        if (LEAT_LIKELY(ahead <= 0)) {
            return ahead == 0;
        }
        position = leat_packed_find(&ring->slots, position, ahead, LEAT_PACKED_POP);
    }
}

#endif
