/* scq.h - bounded ring for many producers and many consumers: positions by fetch-and-add, and no
 * thread waits for another. Not the default: it stands here for comparison.
 *
 * Source   Ruslan Nikolaev, "A Scalable, Portable, and Memory-Efficient Lock-Free FIFO Queue", DISC
 *          2019 (SCQ). Differs: one ring, whose slots hold the item itself; that at most `capacity`
 *          items are in it, which there a ring of free indices sees to, is seen to by a count of
 *          credits, so push can say full; no spin of thousands of looks for a late producer.
 * Roles    any number of producers (push) and consumers (pop), of which at most `capacity` are in a
 *          call at a time. Memory belongs to the caller.
 * Claims   push, pop  lock-free under that premise. A push that finds its slot taken or passed over
 *                goes on with the next position; it never gives up a position because of full. A
 *                pop that finds nothing at its position marks the slot, so that a late producer
 *                goes on too. With more threads in calls than `capacity`, a pop may say empty while
 *                there are items.
 *          ready, count  wait-free.
 *          Capacity exact: the number of credits. Full: by the credits; a push takes its credit
 *                before it places its item, and a pop gives its own back as its last step, so one
 *                of either that is under way can make another push say full. Empty: at
 *                most 3 * capacity - 1 positions are tried in vain after the last push, the
 *                threshold counts them down; no item is hidden by a push that is under way.
 *          Locked operations: 3 for a push (credit, position, slot), 3 for a pop (position, slot,
 *                credit), more for each slot that is passed over.
 *          Memory: 2 slots for each item of capacity.
 *          Wrap  positions are 64-bit, cycles 34: a swap could take an old word for a new one after
 *                exactly 2^34 laps, 3.5e13 positions with a capacity of 1 024.
 *          Reclamation: none; slots live as long as the ring.
 * I1       credits + items, and calls between their credit and their slot, are `capacity`
 * I2       a slot that holds an item is of the cycle of its position; head and tail pass each
 *          position once
 * Lines    slots: whoever has the position; room, tail: producers; head: consumers; threshold: read
 *          by all, written near empty.
 * Edges    scq_put:B  -> scq_take:A    the producer's writes before the push; the item
 *          scq_give:A -> scq_push:A    what a consumer did before it gave its credit back
 *          scq_give:A -> scq_count:A   the same
 */
#ifndef RING_SCQ_H
#define RING_SCQ_H

#include "ring/slot.h"

/* A slot word: cycle 34 | unsafe 1 | live 1 | item 28. Legal transitions:
 *   old cycle, not live                 ->  new cycle, safe, live, item      push
 *   cycle, live, item                   ->  cycle, not live                  pop of that position
 *   old cycle, not live                 ->  new cycle, as safe, not live     pop that came early
 *   old cycle, live                     ->  the same, unsafe                 pop that came late
 */
#define LEAT_SCQ_LIVE       (UINT64_C(1) << LEAT_ITEM_BITS)
#define LEAT_SCQ_UNSAFE     (UINT64_C(2) << LEAT_ITEM_BITS)
#define LEAT_SCQ_CYCLE_BITS (LEAT_TURN_BITS - 2)
#define LEAT_SCQ_CYCLE_ONE  (UINT64_C(4) << LEAT_ITEM_BITS)

/* Looks at a slot whose producer has the position and has not yet come to the slot, before it is
 * passed over: about as long as that takes, if the producer is not stopped. None in models, where a
 * look that finds no news is no step. */
#define LEAT_SCQ_LOOKS (LEAT_MODEL ? 0 : 64)

/* Letters: I set at init, then read-only; S many writers. */
struct leat_scq {
    LEAT_ALIGNED_LINE struct leat_slots slots;   /* I twice the capacity */
    uint64_t capacity;                           /* I */
    LEAT_ALIGNED_LINE leat_atomic_u64 room;      /* S credits of pushes */
    LEAT_ALIGNED_LINE leat_atomic_u64 tail;      /* S next position to push */
    LEAT_ALIGNED_LINE leat_atomic_u64 head;      /* S next position to pop */
    LEAT_ALIGNED_LINE leat_atomic_u64 threshold; /* S tries of pops that are left; < 0: empty */
    LEAT_ALIGNED_LINE char guard;                /* I keeps what follows off the last line */
};

/* Bytes that leat_scq_init() wants for a capacity of 2^slots_log2: twice as many slots. */
size_t leat_scq_bytes(uint32_t slots_log2);

void leat_scq_init(struct leat_scq *ring, const struct leat_ring_config *config);

/* Checks I1 and I2 of a quiescent ring; says on `why` (may be NULL) what is wrong. */
bool leat_scq_check(const struct leat_scq *ring, FILE *why);

/* pre: a pop found nothing at `position`. True: there is nothing behind it either. */
bool leat_scq_miss(struct leat_scq *ring, uint64_t position);

/* The cycle of a position, in its place in the word. */
LEAT_INLINE uint64_t
leat_scq_cycle(const struct leat_scq *ring, uint64_t position)
{
    return ((position >> ring->slots.log2) + 1) * LEAT_SCQ_CYCLE_ONE;
}

/* How far the cycle of a word is ahead, modulo 2^34: its sign says. */
LEAT_INLINE int64_t
leat_scq_ahead(uint64_t word, uint64_t cycle)
{
    return (int64_t)((word & ~(LEAT_SCQ_CYCLE_ONE - 1)) - cycle);
}

/* Places an item at a position. False: the slot is not free, or a pop has passed it over. */
LEAT_INLINE bool
leat_scq_put(struct leat_scq *ring, uint64_t position, uint32_t item)
{
    leat_atomic_u64 *slot = leat_slots_at(&ring->slots, position);
    uint64_t cycle = leat_scq_cycle(ring, position);
    /* Ends: a swap fails only if another call changed the slot, and each does so once a lap. */
    for (;;) {
        /* scq_put:A acquire -> scq_take:B.  Carries: what was before the slot was passed over: the
         * head behind it, and the threshold lowered.
         * If relaxed: a slot could be used that its pop has passed over. */
        uint64_t word = atom_load_acq(slot);
        if (leat_scq_ahead(word, cycle) >= 0 || (word & LEAT_SCQ_LIVE) != 0) {
            return false;
        }
        if (LEAT_UNLIKELY((word & LEAT_SCQ_UNSAFE) != 0)) {
            /* The pop of this position may have been and gone. */
            /* rlx: ordered by scq_put:A */
            if ((int64_t)(atom_load_rlx(&ring->head) - position) > 0) {
                return false;
            }
        }
        /* scq_put:B release -> scq_take:A.  Carries: the producer's writes, and the item.
         * If relaxed: a consumer could see the item and still read an old record. */
        if (LEAT_LIKELY(atom_cas_rel(slot, &word, cycle | LEAT_SCQ_LIVE | item))) {
            return true;
        }
    }
}

/* Appends an item. False: full. Progress: lock-free, see above. */
LEAT_INLINE bool
leat_scq_push(struct leat_scq *ring, uint32_t item)
{
    LEAT_DCHECK(item <= LEAT_ITEM_MASK);
    uint64_t room = atom_load_rlx(&ring->room); /* rlx: hint, re-checked at scq_push:A */
    do {
        if (room == 0) {
            return false;
        }
        /* scq_push:A acquire -> scq_give:A.  Carries: what a consumer did before its pop.
         * If relaxed: the next producer could not see it. */
    } while (LEAT_UNLIKELY(!atom_cas_acq(&ring->room, &room, room - 1)));
    uint64_t position = 0;
    do {
        /* scq_push:B acq_rel -> scq_push:B.  Carries: what the pushes before this one knew of pops,
         * to the pushes behind it.
         * If relaxed: a push could not know of the pop of the item a capacity before its own. */
        position = atom_add_acq_rel(&ring->tail, 1);
    } while (LEAT_UNLIKELY(!leat_scq_put(ring, position, item)));
    uint64_t most = 3 * ring->capacity - 1;
    /* scq_push:C sc -> scq_miss:A.  Orders: item placed then threshold read, against threshold
     * lowered then slots read. */
    if (atom_load_sc(&ring->threshold) != most) {
        atom_store_rlx(&ring->threshold, most); /* rlx: ordered by scq_push:C */
    }
    return true;
}

/* Takes the item of a position, if it is there. False: it is not, and will not be any more. */
LEAT_INLINE bool
leat_scq_take(struct leat_scq *ring, uint64_t position, uint32_t *item)
{
    leat_atomic_u64 *slot = leat_slots_at(&ring->slots, position);
    uint64_t cycle = leat_scq_cycle(ring, position);
    uint32_t looks = 0;
    for (;;) {
        /* scq_take:A acquire -> scq_put:B.  Carries: the producer's writes, and the item.
         * If relaxed: the record behind the item could be read as it was before the push. */
        uint64_t word = atom_load_acq(slot);
        int64_t ahead = leat_scq_ahead(word, cycle);
        if (LEAT_LIKELY(ahead == 0)) {
            (void)atom_sub_rlx(slot, LEAT_SCQ_LIVE); /* rlx: ordered by scq_give:A */
            *item = leat_slot_item(word);
            return true;
        }
        if (ahead > 0) {
            return false;
        }
        if (looks != LEAT_SCQ_LOOKS) {
            leat_pause();
            looks++;
            continue;
        }
        uint64_t passed =
            (word & LEAT_SCQ_LIVE) != 0 ? word | LEAT_SCQ_UNSAFE : cycle | (word & LEAT_SCQ_UNSAFE);
        /* scq_take:B release -> scq_put:A.  Carries: this position is taken, and what lowered the
         * threshold before.
         * If relaxed: see scq_put:A. */
        if (atom_cas_rel(slot, &word, passed)) {
            return false;
        }
    }
}

/* Takes the oldest item. False: empty. Progress: lock-free, see above. */
LEAT_INLINE bool
leat_scq_pop(struct leat_scq *ring, uint32_t *item)
{
    /* rlx: ordered by scq_push:C */
    if ((int64_t)atom_load_rlx(&ring->threshold) < 0) {
        return false;
    }
    for (;;) {
        /* scq_pop:A release -> scq_ready:A.  Carries: what the consumer wrote before its pop (the
         * busy flag).
         * If relaxed: a drain could see the ring empty and the worker idle. */
        uint64_t position = atom_add_rel(&ring->head, 1);
        if (LEAT_LIKELY(leat_scq_take(ring, position, item))) {
            /* scq_give:A release -> scq_push:A, scq_count:A.  Carries: what the consumer did
             * before its pop.
             * If relaxed: a drain could see the item gone and the worker idle. */
            (void)atom_add_rel(&ring->room, 1);
            return true;
        }
        if (leat_scq_miss(ring, position)) {
            return false;
        }
    }
}

/* True if a pop would find an item now, or one that is about to be there. */
LEAT_INLINE bool
leat_scq_ready(const struct leat_scq *ring)
{
    /* scq_ready:A acquire -> scq_pop:A.  Carries: as scq_pop:A.
     * If relaxed: see scq_pop:A. */
    uint64_t head = atom_load_acq(&ring->head);
    /* rlx: hint, re-checked at scq_take:A */
    return (int64_t)(atom_load_rlx(&ring->tail) - head) > 0;
}

/* Items in the ring, and those of calls that are under way. */
LEAT_INLINE uint64_t
leat_scq_count(const struct leat_scq *ring)
{
    /* scq_count:A acquire -> scq_give:A.  Carries: what each consumer wrote before its
     * pop.
     * If relaxed: see scq_give:A. */
    return ring->capacity - atom_load_acq(&ring->room);
}

#endif
