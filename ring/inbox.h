/* inbox.h - a list to which any thread adds a record, and from which one thread takes all at once.
 *
 * Source   R. Kent Treiber, "Systems programming: coping with parallelism", 1986. Differs: nothing
 *          is popped alone, the whole list is taken by one exchange, so it needs no tag.
 * Roles    any number of pushers. One taker at a time, if what it takes is to keep its order. The
 *          link of a record is the pusher's until the push, then the inbox's, then the taker's. A
 *          record is in one inbox at a time, once.
 * Claims   push   lock-free: its compare-and-swap fails only if another push or a take succeeded.
 *          take   wait-free: one exchange.
 *          Holds any number of records: the memory is in them.
 *          Order  newest first; turned round, what one thread pushed comes in its order.
 *          ABA    harmless. A push links to the newest record and does not look into it: if that
 *                 one was taken and pushed again meanwhile, it is the newest again and the link is
 *                 right. A take compares nothing.
 *          Reclamation: none; a record may be used again as soon as it was taken.
 *          A push that found the inbox empty says so to its own caller only. Who is told otherwise
 *          and leaves the wake to that caller depends on it: frozen before the wake, it hides what
 *          comes behind it until the next take.
 * I1       the links lead from the newest record to the oldest, whose link is LEAT_INDEX_NONE
 * Edges    inbox:A -> inbox:B   the link, and what the pusher wrote before
 *          inbox:B -> inbox:C   what the taker wrote before it took
 */
#ifndef RING_INBOX_H
#define RING_INBOX_H

#include <stdio.h>

#include "ring/atomic.h"
#include "ring/limits.h"

/* Letters: S many writers. */
struct leat_inbox {
    LEAT_ALIGNED_LINE leat_atomic_u32 newest; /* S LEAT_INDEX_NONE: empty */
};

LEAT_INLINE void
leat_inbox_init(struct leat_inbox *inbox)
{
    atom_init(&inbox->newest, LEAT_INDEX_NONE);
}

/* Adds a record; `link` is its link. True: the inbox was empty before, and the caller wakes who
 * takes from it, or sets a hint. Progress: lock-free. */
LEAT_INLINE bool
leat_inbox_push(struct leat_inbox *inbox, leat_atomic_u32 *link, uint32_t index)
{
    LEAT_DCHECK(index < LEAT_INDEX_NONE);
    uint32_t newest = atom_load_rlx(&inbox->newest); /* rlx: hint, re-checked at inbox:A */
    for (;;) {
        atom_store_rlx(link, newest); /* rlx: ordered by inbox:A */
        /* inbox:A release -> inbox:B.  Carries: the link, and what the pusher wrote before.
         * If relaxed: the taker could follow the link, or read the record, as it was before. */
        if (LEAT_LIKELY(atom_cas_rel(&inbox->newest, &newest, index))) {
            return newest == LEAT_INDEX_NONE;
        }
    }
}

/* Takes all records: the newest, whose link leads to the one before, and so on to LEAT_INDEX_NONE,
 * which is the answer if there was none. Progress: wait-free. */
LEAT_INLINE uint32_t
leat_inbox_take(struct leat_inbox *inbox)
{
    /* inbox:B acq_rel -> inbox:A, inbox:C.  Carries: all links and records; each push is a
     * read-modify-write, so the newest one carries what those before it carry. And back, what the
     * taker wrote before.
     * If relaxed: see inbox:A, inbox:C. */
    return atom_swap_acq_rel(&inbox->newest, LEAT_INDEX_NONE);
}

/* True if a take would find something now: for a look before parking, behind the caller's fence, or
 * for a look whether all is quiet. */
LEAT_INLINE bool
leat_inbox_ready(const struct leat_inbox *inbox)
{
    /* inbox:C acquire -> inbox:B.  Carries: that the taker is at work.
     * If relaxed: what was taken could be seen neither here nor with its taker. */
    return atom_load_acq(&inbox->newest) != LEAT_INDEX_NONE;
}

/* Checks I1 of a quiescent inbox that holds at most `most` records; says on `why` (may be NULL)
 * what is wrong. */
bool leat_inbox_check(const struct leat_inbox *inbox,
                      leat_atomic_u32 *(*link_of)(void *context, uint32_t index), void *context,
                      uint32_t most, FILE *why);

#endif
