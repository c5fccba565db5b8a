/* mpmc.h - bounded ring for many producers and many consumers, one turn per slot.
 *
 * Source   Dmitry Vyukov, "Bounded MPMC queue", 1024cores.net, 2010. Differs: turn and item share
 *          one 64-bit word, so the item needs no separate store, and a batch is claimed by one
 *          compare-and-swap over slots that were all seen ready.
 * Roles    any number of producers (push) and consumers (pop). Memory belongs to the caller.
 * Claims   push  never waits; retries only if another push won push:B. BLOCKING: a thread stopped
 *                between push:B and push:C hides the items behind its slot (pop says empty); one
 *                lap later push says full.
 *          pop   the same, mirrored: a thread stopped between pop:B and pop:C makes push say full
 *                one lap later.
 *          Capacity exact. Full and empty are answers about the one slot that decides: it was seen
 *          so at a moment when the counter had the value that was read.
 *          Wrap  positions are 64-bit and claimed by compare-and-swap: 584 years at 1e9/s. Turns
 *                are compared modulo 2^36, and a turn that is read is used only if the claim at
 *                its 64-bit position succeeds afterwards, so their wrap is harmless.
 *          Reclamation: none; slots live as long as the ring.
 * I1       0 <= tail - head <= slots
 * I2       the turn of slot i is 2 * lap (free for the push of that lap) or 2 * lap + 1 (full),
 *          lap being the one of the position that uses the slot next, modulo 2^36
 * Edges    push:C -> pop:A     the producer's writes before the push; the item
 *          pop:C  -> push:A    the consumer is done with the slot
 *          pop:B  -> count:A   what the consumer wrote before its pop (the busy flag)
 */
#ifndef RING_MPMC_H
#define RING_MPMC_H

#include <stdio.h>

#include "ring/atomic.h"
#include "ring/limits.h"

/* Letters: I set at init, then read-only; S many writers. */
struct leat_mpmc {
    LEAT_ALIGNED_LINE leat_atomic_u64 *slots; /* I turn 36 | item 28 */
    uint64_t mask;                            /* I slots - 1 */
    uint32_t slots_log2;                      /* I */
    LEAT_ALIGNED_LINE leat_atomic_u64 tail;   /* S next position to push */
    LEAT_ALIGNED_LINE leat_atomic_u64 head;   /* S next position to pop */
    LEAT_ALIGNED_LINE char guard;             /* I keeps what follows off the head's line */
};

#define LEAT_ITEM_MASK ((UINT64_C(1) << LEAT_ITEM_BITS) - 1)

/* Bytes that leat_mpmc_init() wants for 2^slots_log2 slots, lines of guard included. */
size_t leat_mpmc_bytes(uint32_t slots_log2);

/* `memory` is zeroed, aligned to a line, and borrowed as long as the ring is used. The first
 * position is `start`: 0, or near a wrap in tests. */
void leat_mpmc_init(struct leat_mpmc *ring, uint32_t slots_log2, void *memory, uint64_t start);

/* Checks I1 and I2 of a quiescent ring; says on `why` (may be NULL) what is wrong. */
bool leat_mpmc_check(const struct leat_mpmc *ring, FILE *why);

/* How far the slot word is ahead of `turn`, modulo 2^36, as a signed distance. */
LEAT_INLINE int64_t
leat_mpmc_ahead(uint64_t word, uint64_t turn)
{
    return (int64_t)((word & ~LEAT_ITEM_MASK) - (turn << LEAT_ITEM_BITS)) >> LEAT_ITEM_BITS;
}

LEAT_INLINE uint64_t
leat_mpmc_word(uint64_t turn, uint32_t item)
{
    return turn << LEAT_ITEM_BITS | item;
}

/* Turn of the push at `position`; the pop's is one more, the next lap's push two more. */
LEAT_INLINE uint64_t
leat_mpmc_turn(const struct leat_mpmc *ring, uint64_t position)
{
    return position >> ring->slots_log2 << 1;
}

/* Appends an item. False: full. Progress: blocking, see above. */
LEAT_INLINE bool
leat_mpmc_push(struct leat_mpmc *ring, uint32_t item)
{
    LEAT_DCHECK(item <= LEAT_ITEM_MASK);
    uint64_t position = atom_load_rlx(&ring->tail); /* rlx: hint, re-checked at push:B */
    for (;;) {
        leat_atomic_u64 *slot = &ring->slots[position & ring->mask];
        uint64_t turn = leat_mpmc_turn(ring, position);
        /* push:A acquire -> pop:C.  Carries: the consumer has read the slot.
         * If relaxed: nothing is lost here, since the item stands in the word itself; the edge
         * lets what the consumer did before its pop be seen by the next producer. */
        int64_t ahead = leat_mpmc_ahead(atom_load_acq(slot), turn);
        if (LEAT_LIKELY(ahead == 0)) {
            /* push:B release -> count:B.  Carries: that the item was counted before it runs.
             * If relaxed: a reader of both counters could see a pop and not its push. */
            if (LEAT_LIKELY(atom_cas_rel(&ring->tail, &position, position + 1))) {
                /* push:C release -> pop:A.  Carries: the producer's writes, and the item.
                 * If relaxed: pop:A can see the turn and still read an old record. */
                atom_store_rel(slot, leat_mpmc_word(turn + 1, item));
                return true;
            }
        } else if (ahead < 0) {
            return false;
        } else {
            position = atom_load_rlx(&ring->tail); /* rlx: hint, re-checked at push:B */
        }
    }
}

/* Takes the oldest item. False: empty. Progress: blocking, see above. */
LEAT_INLINE bool
leat_mpmc_pop(struct leat_mpmc *ring, uint32_t *item)
{
    uint64_t position = atom_load_rlx(&ring->head); /* rlx: hint, re-checked at pop:B */
    for (;;) {
        leat_atomic_u64 *slot = &ring->slots[position & ring->mask];
        uint64_t turn = leat_mpmc_turn(ring, position) + 1;
        /* pop:A acquire -> push:C, push_n:C.  Carries: the producer's writes, and the item.
         * If relaxed: the record behind the item could be read as it was before the push. */
        uint64_t word = atom_load_acq(slot);
        int64_t ahead = leat_mpmc_ahead(word, turn);
        if (LEAT_LIKELY(ahead == 0)) {
            /* pop:B release -> count:A.  Carries: the busy flag stored before the pop.
             * If relaxed: a drain could see the item gone and the worker idle. */
            if (LEAT_LIKELY(atom_cas_rel(&ring->head, &position, position + 1))) {
                /* pop:C release -> push:A, push_n:A.  Carries: the slot was read.
                 * If relaxed: see push:A. */
                atom_store_rel(slot, leat_mpmc_word(turn + 1, 0));
                *item = (uint32_t)(word & LEAT_ITEM_MASK);
                return true;
            }
        } else if (ahead < 0) {
            return false;
        } else {
            position = atom_load_rlx(&ring->head); /* rlx: hint, re-checked at pop:B */
        }
    }
}

/* Appends all of items[0 .. count), next to each other, or none. count is 1 to the number of
 * slots. False: there is not so much room. Progress: blocking, as push. */
bool leat_mpmc_push_n(struct leat_mpmc *ring, const uint32_t *items, uint32_t count);

/* True if a pop would find an item now. */
LEAT_INLINE bool
leat_mpmc_ready(const struct leat_mpmc *ring)
{
    uint64_t position = atom_load_rlx(&ring->head); /* rlx: hint, re-checked at pop:B */
    uint64_t turn = leat_mpmc_turn(ring, position) + 1;
    /* A slot ahead of its turn means that the head moved: something was there a moment ago, and
     * the caller's own pop will find out. */
    /* rlx: hint, re-checked at pop:A */
    return leat_mpmc_ahead(atom_load_rlx(&ring->slots[position & ring->mask]), turn) >= 0;
}

/* Items claimed by pushes and not by pops, for the moment when the head was read. */
LEAT_INLINE uint64_t
leat_mpmc_count(const struct leat_mpmc *ring)
{
    /* count:A acquire -> pop:B.  Carries: what each consumer wrote before its pop.
     * If relaxed: see pop:B. */
    uint64_t head = atom_load_acq(&ring->head);
    /* count:B acquire -> push:B, push_n:B.  Carries: nothing by itself; keeps the tail from being
     * read before the head.
     * If relaxed: the difference could be negative. */
    uint64_t tail = atom_load_acq(&ring->tail);
    uint64_t count = tail - head;
    /* The tail is younger than the head: pushes and pops in between can lift it above. */
    return count > ring->mask + 1 ? ring->mask + 1 : count;
}

#endif
