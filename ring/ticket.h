/* ticket.h - bounded ring for many producers and many consumers: positions by fetch-and-add, so
 * that no call repeats a swap that it lost; blocking per slot. Not the default: it stands here for
 * comparison.
 *
 * Source   tickets by fetch-and-add, a turn per slot: Erik Rigtorp, "MPMCQueue", 2014; Nathan
 *          Bronson, "MPMCQueue" of folly, 2013; Maxim Egorushkin, "atomic_queue", 2019.
 *          Differs: a ticket cannot be given back, so theirs wait where the ring is full or empty.
 *          Here a call takes a credit before its ticket, and who gets none says full or empty.
 * Roles    any number of producers (push) and consumers (pop). Memory belongs to the caller.
 * Claims   push  BLOCKING: with its ticket it waits for the consumer that has the same slot's last
 *                ticket. A thread that is stopped with a ticket holds up who gets its slot next,
 *                and through that one the next but one; all others go on, to the end of the lap.
 *                One that is stopped between credit and ticket makes a call wait that could take
 *                nothing else, and would answer full only were it certain.
 *          pop   the same, mirrored.
 *          ready, count  wait-free.
 *          Capacity exact; all answers are exact as those of packed.h are, see I3. None waits
 *                unless others are in the middle of a call.
 *          Locked operations: 2 for a push, 2 for a pop, all fetch-and-add, and 2 more each time
 *                that several calls go for the last room or the last item and one gets none.
 *          Wrap  positions are 64-bit: 584 years at 1e9/s. Who waits at a slot waits for a turn
 *                that nobody can take from it, so a turn that wraps is harmless.
 *          Reclamation: none; slots live as long as the ring.
 * I1       0 <= tail - head <= slots, these being the tickets taken by pushes and by pops
 * I2       slot words are as slot.h says for these, but for slots whose tickets are under way
 * I3       tickets <= credits, and the credits of those that may take a ticket are below the other
 *          side's tickets (pop), or these and the slots (push). Credits are raised for a moment by
 *          calls that get none, so only tickets say full and empty.
 * Lines    slots: whoever has the ticket; one line for producers, one for consumers. Each side
 *          notes what it last saw of the other's tickets, and looks again when that is used up.
 * Edges    ticket_push:B -> ticket_pop:A     the producer's writes before the push; the item
 *          ticket_pop:B  -> ticket_push:A    the consumer is done with the slot
 *          ticket_take:C -> ticket_count:A   what the consumer wrote before its pop (the busy flag)
 */
#ifndef RING_TICKET_H
#define RING_TICKET_H

#include "ring/os.h"
#include "ring/slot.h"

/* Looks at a slot before the CPU is given away: some microseconds, more than a call that is not
 * stopped takes to finish. In models each look is the last, since counting makes states differ. */
#define LEAT_TICKET_LOOKS (LEAT_MODEL ? 0 : 64)

/* Letters: S many writers. What the calls of one side write. */
struct leat_ticket_side {
    LEAT_ALIGNED_LINE leat_atomic_u64 tickets; /* S next position of this side */
    leat_atomic_u64 credits;                   /* S */
    leat_atomic_u64 seen;                      /* S tickets of the other side, or fewer */
};

/* Letters: I set at init, then read-only; S many writers. */
struct leat_ticket {
    LEAT_ALIGNED_LINE struct leat_slots slots; /* I */
    struct leat_ticket_side tail;              /* S pushes */
    struct leat_ticket_side head;              /* S pops */
};

/* Bytes that leat_ticket_init() wants for 2^slots_log2 slots. */
size_t leat_ticket_bytes(uint32_t slots_log2);

void leat_ticket_init(struct leat_ticket *ring, const struct leat_ring_config *config);

/* Checks I1 to I3 of a quiescent ring; says on `why` (may be NULL) what is wrong. */
bool leat_ticket_check(const struct leat_ticket *ring, FILE *why);

/* Tickets of pushes that no pop has: items that are there or about to be. */
uint64_t leat_ticket_count(const struct leat_ticket *ring);

/* One more look at a word that another thread is about to change. */
LEAT_INLINE void
leat_ticket_wait(uint32_t *looks)
{
    if (*looks == LEAT_TICKET_LOOKS) {
        leat_os_yield();
    } else {
        leat_pause();
        (*looks)++;
    }
}

/* Takes a credit and then a ticket. False: the tickets of the other side and `room` are used up. */
LEAT_INLINE bool
leat_ticket_take(struct leat_ticket_side *side, const leat_atomic_u64 *other, uint64_t room,
                 uint64_t *position)
{
    uint32_t looks = 0;
    /* Ends: a credit that is refused was taken by another call, which goes on to its ticket or
     * gives the credit back. */
    for (;;) {
        /* rlx: hint, re-checked at ticket_take:B */
        uint64_t limit = atom_load_rlx(&side->seen) + room;
        /* rlx: hint, re-checked at ticket_take:B */
        uint64_t credit = atom_load_rlx(&side->credits);
        if ((int64_t)(credit - limit) >= 0) {
            /* ticket_take:A sc -> ticket_take:B, ticket_take:C, ticket_ready:B, ticket_count:B.
             * Orders: a push's tickets read then the pops' read, against the pops' read then the
             * pushes' read. */
            uint64_t ticket = atom_load_sc(&side->tickets);
            /* Younger than `ticket`, so that an answer is true at this moment. */
            /* ticket_take:B sc -> ticket_take:A, ticket_take:C, ticket_ready:A, ticket_count:A.
             * Orders: as ticket_take:A. */
            uint64_t seen = atom_load_sc(other);
            limit = seen + room;
            if ((int64_t)(ticket - limit) >= 0) {
                return false;
            }
            if ((int64_t)(credit - limit) >= 0) {
                leat_ticket_wait(&looks);
                continue;
            }
            atom_store_rlx(&side->seen, seen); /* rlx: hint, re-checked at ticket_take:B */
        }
        /* rlx: ordered by ticket_take:C */
        if (LEAT_LIKELY((int64_t)(atom_add_rlx(&side->credits, 1) - limit) < 0)) {
            /* ticket_take:C release -> ticket_take:A, ticket_take:B, ticket_ready:A,
             * ticket_ready:B, ticket_count:A, ticket_count:B.  Carries: what was written before,
             * such as a busy flag.
             * If relaxed: a drain could see the item gone and the worker idle. */
            *position = atom_add_rel(&side->tickets, 1);
            return true;
        }
        (void)atom_sub_rlx(&side->credits, 1); /* rlx: ordered by ticket_take:C */
    }
}

/* Appends an item. False: full. Progress: blocking, see above. */
LEAT_INLINE bool
leat_ticket_push(struct leat_ticket *ring, uint32_t item)
{
    LEAT_DCHECK(item <= LEAT_ITEM_MASK);
    uint64_t position = 0;
    if (!leat_ticket_take(&ring->tail, &ring->head.tickets, ring->slots.mask + 1, &position)) {
        return false;
    }
    leat_atomic_u64 *slot = leat_slots_at(&ring->slots, position);
    uint64_t turn = leat_slots_turn(&ring->slots, position);
    uint32_t looks = 0;
    /* ticket_push:A acquire -> ticket_pop:B.  Carries: the consumer's writes before its pop.
     * If relaxed: the next producer could not see what the consumer did before. */
    while (LEAT_UNLIKELY(leat_slot_ahead(atom_load_acq(slot), turn) != 0)) {
        leat_ticket_wait(&looks);
    }
    /* ticket_push:B release -> ticket_pop:A.  Carries: the producer's writes, and the item.
     * If relaxed: ticket_pop:A can see the turn and still read an old record. */
    atom_store_rel(slot, leat_slot_word(turn + 1, item));
    return true;
}

/* Takes the oldest item. False: empty. Progress: blocking, see above. */
LEAT_INLINE bool
leat_ticket_pop(struct leat_ticket *ring, uint32_t *item)
{
    uint64_t position = 0;
    if (!leat_ticket_take(&ring->head, &ring->tail.tickets, 0, &position)) {
        return false;
    }
    leat_atomic_u64 *slot = leat_slots_at(&ring->slots, position);
    uint64_t turn = leat_slots_turn(&ring->slots, position) + 1;
    uint64_t word = 0;
    for (uint32_t looks = 0;;) {
        /* ticket_pop:A acquire -> ticket_push:B.  Carries: the producer's writes, and the item.
         * If relaxed: the record behind the item could be read as it was before the push. */
        word = atom_load_acq(slot);
        if (LEAT_LIKELY(leat_slot_ahead(word, turn) == 0)) {
            break;
        }
        leat_ticket_wait(&looks);
    }
    /* ticket_pop:B release -> ticket_push:A.  Carries: the slot was read, and the consumer's writes
     * before.
     * If relaxed: see ticket_push:A. */
    atom_store_rel(slot, leat_slot_word(turn + 1, 0));
    *item = leat_slot_item(word);
    return true;
}

/* True if a pop would find an item now, or wait for one that is about to be there. */
LEAT_INLINE bool
leat_ticket_ready(const struct leat_ticket *ring)
{
    /* ticket_ready:A sc -> ticket_take:B, ticket_take:C.  Orders: as ticket_take:A.  Carries: the
     * busy flag of who popped the last one. */
    uint64_t head = atom_load_sc(&ring->head.tickets);
    /* ticket_ready:B sc -> ticket_take:A, ticket_take:C.  Orders: as ticket_take:A. */
    return (int64_t)(atom_load_sc(&ring->tail.tickets) - head) > 0;
}

#endif
