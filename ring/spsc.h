/* spsc.h - bounded ring for one producer and one consumer: no locked instruction, wait-free.
 *
 * Source   Leslie Lamport, "Proving the Correctness of Multiprocess Programs", 1977. The copies of
 *          the other side's position: Patrick P. C. Lee, Tian Bu and Girish Chandranmenon, "A
 *          Lock-Free, Cache-Efficient Multi-Core Synchronization Mechanism for Line-Rate Network
 *          Traffic Monitoring" (MCRingBuffer), 2010; Erik Rigtorp, "SPSCQueue".
 *          Differs: positions run free, so all slots are used; many items at once are one store.
 * Roles    one producer (push, push_n), one consumer (pop, pop_n); others may ask ready, count.
 *          Memory belongs to the caller.
 * Claims   push, pop, ready, count  wait-free, no loop; push_n, pop_n copy their items and have no
 *          other.
 *          Capacity exact. Full and empty are what the caller knows of the other side: what
 *                happened before the call is counted, what happens meanwhile may be.
 *          Wrap  positions are 64-bit: 584 years at 1e9/s.
 *          Reclamation: none; slots live as long as the ring.
 * I1       0 <= tail - head <= slots
 * I2       the copy of the head is not ahead of the head, nor that of the tail of the tail
 * Lines    the producer's, the consumer's, the slots. Each side reads the other's line only when
 *          its copy is used up: once a lap if they are far apart.
 * Edges    spsc_push:B -> spsc_pop:A     the producer's writes before the push; the items
 *          spsc_pop:B  -> spsc_push:A    the consumer has read the slots
 */
#ifndef RING_SPSC_H
#define RING_SPSC_H

#include <stdio.h>

#include "ring/atomic.h"
#include "ring/slot.h"

/* Letters: I set at init, then read-only; O one side only; W one writer, many readers. */
struct leat_spsc {
    LEAT_ALIGNED_LINE uint32_t *items;      /* I the slots; O by turns, see Edges */
    uint64_t mask;                          /* I slots - 1 */
    LEAT_ALIGNED_LINE leat_atomic_u64 tail; /* W the producer: next position to push */
    uint64_t head_seen;                     /* O the producer: copy of the head */
    LEAT_ALIGNED_LINE leat_atomic_u64 head; /* W the consumer: next position to pop */
    uint64_t tail_seen;                     /* O the consumer: copy of the tail */
};

/* Bytes that leat_spsc_init() wants for 2^slots_log2 slots of 4 bytes. */
size_t leat_spsc_bytes(uint32_t slots_log2);

/* Without remap: items that follow each other are copied together. */
void leat_spsc_init(struct leat_spsc *ring, const struct leat_ring_config *config);

/* Checks I1 and I2 of a quiescent ring; says on `why` (may be NULL) what is wrong. */
bool leat_spsc_check(const struct leat_spsc *ring, FILE *why);

/* Appends as many of items[0 .. count) as there is room for, in order, at once. Returns how many.
 * The producer. Progress: wait-free. */
uint32_t leat_spsc_push_n(struct leat_spsc *ring, const uint32_t *items, uint32_t count);

/* Takes up to `count` of the oldest items. Returns how many. The consumer. Progress: wait-free. */
uint32_t leat_spsc_pop_n(struct leat_spsc *ring, uint32_t *items, uint32_t count);

/* Positions that the producer may fill from `tail` on, at least `wanted` if there are so many. */
LEAT_INLINE uint64_t
leat_spsc_room(struct leat_spsc *ring, uint64_t tail, uint64_t wanted)
{
    uint64_t room = ring->head_seen + ring->mask + 1 - tail;
    if (LEAT_UNLIKELY(room < wanted)) {
        /* spsc_push:A acquire -> spsc_pop:B.  Carries: the consumer has read the slots, and its
         * writes before.
         * If relaxed: an item could be overwritten while it is read. */
        ring->head_seen = atom_load_acq(&ring->head);
        room = ring->head_seen + ring->mask + 1 - tail;
    }
    return room;
}

/* Items that the consumer may take from `head` on, at least `wanted` if there are so many. */
LEAT_INLINE uint64_t
leat_spsc_filled(struct leat_spsc *ring, uint64_t head, uint64_t wanted)
{
    uint64_t filled = ring->tail_seen - head;
    if (LEAT_UNLIKELY(filled < wanted)) {
        /* spsc_pop:A acquire -> spsc_push:B.  Carries: the producer's writes, and the items.
         * If relaxed: an item could be read before it is there. */
        ring->tail_seen = atom_load_acq(&ring->tail);
        filled = ring->tail_seen - head;
    }
    return filled;
}

/* The end of a push: positions below `tail` are filled. */
LEAT_INLINE void
leat_spsc_push_to(struct leat_spsc *ring, uint64_t tail)
{
    /* spsc_push:B release -> spsc_pop:A.  Carries: the producer's writes, and the items.
     * If relaxed: see spsc_pop:A. */
    atom_store_rel(&ring->tail, tail);
}

/* The end of a pop: positions below `head` are read. */
LEAT_INLINE void
leat_spsc_pop_to(struct leat_spsc *ring, uint64_t head)
{
    /* spsc_pop:B release -> spsc_push:A, spsc_ready:A, spsc_count:A.  Carries: the slots were read,
     * and the consumer's writes before.
     * If relaxed: see spsc_push:A. */
    atom_store_rel(&ring->head, head);
}

/* Appends an item. False: full. The producer. Progress: wait-free. */
LEAT_INLINE bool
leat_spsc_push(struct leat_spsc *ring, uint32_t item)
{
    uint64_t tail = atom_load_rlx(&ring->tail); /* rlx: single writer */
    if (LEAT_UNLIKELY(leat_spsc_room(ring, tail, 1) == 0)) {
        return false;
    }
    ring->items[tail & ring->mask] = item;
    leat_spsc_push_to(ring, tail + 1);
    return true;
}

/* Takes the oldest item. False: empty. The consumer. Progress: wait-free. */
LEAT_INLINE bool
leat_spsc_pop(struct leat_spsc *ring, uint32_t *item)
{
    uint64_t head = atom_load_rlx(&ring->head); /* rlx: single writer */
    if (LEAT_UNLIKELY(leat_spsc_filled(ring, head, 1) == 0)) {
        return false;
    }
    *item = ring->items[head & ring->mask];
    leat_spsc_pop_to(ring, head + 1);
    return true;
}

/* True if a pop would find an item now. Any thread. Progress: wait-free. */
LEAT_INLINE bool
leat_spsc_ready(const struct leat_spsc *ring)
{
    /* spsc_ready:A acquire -> spsc_pop:B.  Carries: what the consumer did before its last pop; a
     * tail that is not behind the head.
     * If relaxed: a reader could see the ring empty and the consumer idle. */
    uint64_t head = atom_load_acq(&ring->head);
    /* rlx: hint, re-checked at spsc_pop:A */
    return atom_load_rlx(&ring->tail) != head;
}

/* Items in the ring; exact if nobody changes it. Any thread. Progress: wait-free. */
LEAT_INLINE uint64_t
leat_spsc_count(const struct leat_spsc *ring)
{
    /* spsc_count:A acquire -> spsc_pop:B.  Carries: what the consumer wrote before its pops, and
     * the pushes of what it popped.
     * If relaxed: the difference could be negative. */
    uint64_t head = atom_load_acq(&ring->head);
    uint64_t count = atom_load_rlx(&ring->tail) - head; /* rlx: ordered by spsc_count:A */
    /* The tail is younger than the head: pushes and pops in between can lift it above. */
    return count > ring->mask + 1 ? ring->mask + 1 : count;
}

#endif
