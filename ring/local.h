/* local.h - a worker's own queue of items: the worker appends and takes, oldest first; other
 * workers steal half of it.
 *
 * Source   The Go authors, run queues of runtime/proc.go (runqput, runqget, runqgrab), 2014: a
 *          thief copies first and then takes everything by one compare-and-swap. Differs: 64-bit
 *          positions; atomic slots, so that a copy made in vain is no data race; a steal takes no
 *          more than the thief's own queue has room for; the owner may take several by one swap.
 * Roles    one owner (push, push_n, room, pop, pop_n) and any number of thieves (steal), each of
 *          them the owner of another queue. Memory belongs to the caller.
 * Claims   push, push_n, room, ready, count  wait-free.
 *          pop, pop_n  wait-free: a swap fails only if a thief took an item, and nothing is added
 *                      meanwhile, so it fails at most as often as there are slots.
 *          steal       lock-free: a swap fails only if another thread took an item. A thief writes
 *                      nothing that others look at before its swap, and everything is its own
 *                      afterwards, so one that stops for ever holds up nobody. It keeps what it
 *                      took: up to half of the items, rounded up.
 *          Capacity exact. Full is an answer about the head that was read, which may be old: by
 *          now there may be room. Empty is a fact for a pop; a thief may miss what was pushed
 *          since.
 *          Between a steal's swap and the end of the call the items are in no queue. Who looks for
 *          work then finds none, so a thief that leaves items in its own queue has to wake others
 *          as after a push.
 *          Wrap  positions are 64-bit and only grow: 584 years at 1e9/s. Hence no ABA: the head is
 *                the same only if nothing was taken.
 *          Reclamation: none; slots live as long as the queue.
 * I1       0 <= tail - head <= slots
 * I2       the slot of a position is written only while the head is less than a lap behind it and
 *          the tail has not passed it: what a thief copied is right if its swap succeeds
 * Edges    local_push:B  -> local_steal:C   the owner's writes before the push; the items
 *          local_steal:E -> local_steal:C   the same for items that were stolen before
 *          local_steal:D -> local_push:A    the thief has read the slots
 *          local_pop:A   -> local_count:A   what the owner wrote before its pop (the busy flag)
 *          local_steal:D -> local_count:A   what the thief wrote before its steal
 */
#ifndef RING_LOCAL_H
#define RING_LOCAL_H

#include <stdio.h>

#include "ring/atomic.h"
#include "ring/limits.h"

/* Letters: I set at init, then read-only; W one writer, many readers; S many writers. The alignment
 * keeps what follows off the head's line. */
struct leat_local {
    LEAT_ALIGNED_LINE leat_atomic_u32 *slots; /* I */
    uint64_t mask;                            /* I slots - 1 */
    LEAT_ALIGNED_LINE leat_atomic_u64 tail;   /* W next position to push */
    LEAT_ALIGNED_LINE leat_atomic_u64 head;   /* S next position to take */
};

/* Bytes that leat_local_init() wants for 2^slots_log2 slots, a line of guard included. */
size_t leat_local_bytes(uint32_t slots_log2);

/* `memory` is zeroed, aligned to a line, and borrowed as long as the queue is used. The first
 * position is `start`: 0, or near the wrap in tests. */
void leat_local_init(struct leat_local *local, uint32_t slots_log2, void *memory, uint64_t start);

/* Checks I1 of a quiescent queue; says on `why` (may be NULL) what is wrong. */
bool leat_local_check(const struct leat_local *local, FILE *why);

/* ---- owner ---------------------------------------------------------------------------------- */

/* Slots that are free: thieves can only make it more. */
LEAT_INLINE uint64_t
leat_local_room(const struct leat_local *local)
{
    uint64_t tail = atom_load_rlx(&local->tail); /* rlx: single writer */
    /* rlx: hint, re-checked at local_push:A */
    return local->mask + 1 - (tail - atom_load_rlx(&local->head));
}

/* Appends an item. False: full. Progress: wait-free. */
LEAT_INLINE bool
leat_local_push(struct leat_local *local, uint32_t item)
{
    uint64_t tail = atom_load_rlx(&local->tail); /* rlx: single writer */
    /* local_push:A acquire -> local_steal:D.  Carries: the thief has read the slot.
     * If relaxed: a thief whose swap succeeds could have copied the new item and not the old. */
    if (LEAT_UNLIKELY(tail - atom_load_acq(&local->head) > local->mask)) {
        return false;
    }
    atom_store_rlx(&local->slots[tail & local->mask], item); /* rlx: ordered by local_push:B */
    /* local_push:B release -> local_steal:C.  Carries: the owner's writes, and the item.
     * If relaxed: a thief could see the tail and copy what the slot held a lap ago. */
    atom_store_rel(&local->tail, tail + 1);
    return true;
}

/* Appends all of items[0 .. count), or none. False: there is not so much room. Progress:
 * wait-free. */
bool leat_local_push_n(struct leat_local *local, const uint32_t *items, uint32_t count);

/* Takes the oldest item. False: empty. Progress: wait-free. */
LEAT_INLINE bool
leat_local_pop(struct leat_local *local, uint32_t *item)
{
    uint64_t tail = atom_load_rlx(&local->tail); /* rlx: single writer */
    uint64_t head = atom_load_rlx(&local->head); /* rlx: hint, re-checked at local_pop:A */
    while (head != tail) {
        /* rlx: single writer */
        uint32_t oldest = atom_load_rlx(&local->slots[head & local->mask]);
        /* local_pop:A release -> local_steal:B, local_count:A.  Carries: that the tail has come to
         * the head at least; what the owner wrote before, such as a busy flag.
         * If relaxed: a thief could see a head beyond its tail and take what was never pushed. */
        if (LEAT_LIKELY(atom_cas_rel(&local->head, &head, head + 1))) {
            *item = oldest;
            return true;
        }
    }
    return false;
}

/* The item that the next pop takes, if no thief comes first. False: empty. Progress: wait-free. */
LEAT_INLINE bool
leat_local_peek(const struct leat_local *local, uint32_t *item)
{
    uint64_t head = atom_load_rlx(&local->head); /* rlx: hint, re-checked at local_pop:A */
    /* rlx: single writer */
    *item = atom_load_rlx(&local->slots[head & local->mask]);
    return head != atom_load_rlx(&local->tail); /* rlx: single writer */
}

/* Takes the oldest items, up to `most`, by one swap. Returns how many; 0: empty. Progress:
 * wait-free. */
uint32_t leat_local_pop_n(struct leat_local *local, uint32_t *items, uint32_t most);

/* ---- any thread ----------------------------------------------------------------------------- */

/* Takes half of the victim's items, rounded up, oldest first, but no more than fit into `own`, the
 * caller's queue, and one. That one, the oldest, is *first; the others are appended to `own`.
 * Returns how many were taken; 0: there was nothing. Progress: lock-free. */
uint32_t leat_local_steal(struct leat_local *victim, struct leat_local *own, uint32_t *first);

/* Items that wait, for the moment when the head was read. */
LEAT_INLINE uint64_t
leat_local_count(const struct leat_local *local)
{
    /* local_count:A acquire -> local_pop:A, local_pop_n:A, local_steal:D.  Carries: what each taker
     * wrote before it took; a tail that is not behind the head.
     * If relaxed: an empty queue could be seen beside an idle taker, or a count below zero. */
    uint64_t head = atom_load_acq(&local->head);
    uint64_t tail = atom_load_rlx(&local->tail); /* rlx: ordered by local_count:A */
    uint64_t count = tail - head;
    /* The tail is younger than the head: pushes and takes in between can lift it above. */
    return count > local->mask + 1 ? local->mask + 1 : count;
}

/* True if there is something to steal. For the second look before parking: behind a full fence it
 * sees each item whose producer has gone through its own, or that it was taken. */
LEAT_INLINE bool
leat_local_ready(const struct leat_local *local)
{
    return leat_local_count(local) != 0;
}

#endif
