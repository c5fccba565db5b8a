/* inbox.h - a list to which any thread adds a record, and from which one thread takes all at once.
 *
 * Source   R. Kent Treiber, "Systems programming: coping with parallelism", 1986. Differs: nothing
 *          is popped alone, the whole list is taken by one exchange, so it needs no tag.
 * Roles    any number of pushers. One taker at a time, if what it takes is to keep its order. The
 *          link of a record is the pusher's until the push, then the inbox's, then the taker's. A
 *          record is in one inbox at a time, once.
 * Claims   push   lock-free: its compare-and-swap fails only if another push or a take succeeded.
 *          offer  the same, and refused once the inbox is closed.
 *          take, close  wait-free: one exchange.
 *          Holds any number of records: the memory is in them.
 *          Order  newest first; turned round, what one thread pushed comes in its order.
 *          ABA    harmless. A push links to the newest record and does not look into it: if that
 *                 one was taken and pushed again meanwhile, it is the newest again and the link is
 *                 right. A take compares nothing.
 *          Reclamation: none; a record may be used again as soon as it was taken.
 *          A push that found the inbox empty says so to its own caller only. Who is told otherwise
 *          and leaves the wake to that caller depends on it: frozen before the wake, it hides what
 *          comes behind it until the next take.
 *          Closing is one exchange too: what was offered before is in what it takes, and what comes
 *          later is refused. So nothing is left in an inbox that nobody takes from any more.
 * I1       the links lead from the newest record to the oldest, whose link is LEAT_INDEX_NONE
 * Edges    inbox:A -> inbox:B   the link, and what the pusher wrote before
 *          What is offered at inbox:D, an sc operation and so a release, is carried likewise.
 *          inbox:B -> inbox:C   what the taker wrote before it took
 *          inbox:E -> inbox:C   the same, of who closed
 */
#ifndef RING_INBOX_H
#define RING_INBOX_H

#include <stdio.h>

#include "ring/atomic.h"
#include "ring/limits.h"

/* No record is in it, and none may come. */
#define LEAT_INBOX_CLOSED UINT32_MAX

/* On a line that its taker reads anyway, or one of its own. Letters: S many writers. */
struct leat_inbox {
    leat_atomic_u32 newest; /* S LEAT_INDEX_NONE: empty; LEAT_INBOX_CLOSED */
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
        /* inbox:A release -> inbox:B, inbox:E.  Carries: the link, and what the pusher wrote
         * before.
         * If relaxed: the taker could follow the link, or read the record, as it was before. */
        if (LEAT_LIKELY(atom_cas_rel(&inbox->newest, &newest, index))) {
            return newest == LEAT_INDEX_NONE;
        }
    }
}

/* Adds a record unless the inbox is closed; false: it is, and `link` may have been written. It is
 * a full fence for who looks next whether the taker sleeps. Progress: lock-free. */
LEAT_INLINE bool
leat_inbox_offer(struct leat_inbox *inbox, leat_atomic_u32 *link, uint32_t index)
{
    LEAT_DCHECK(index < LEAT_INDEX_NONE);
    uint32_t newest = atom_load_rlx(&inbox->newest); /* rlx: hint, re-checked at inbox:D */
    while (newest != LEAT_INBOX_CLOSED) {
        atom_store_rlx(link, newest); /* rlx: ordered by inbox:D */
        /* inbox:D sc -> park:A.  Orders: record added then idle bit read, against idle bit set then
         * inbox read.  Carries: as inbox:A, to inbox:B and inbox:E. */
        if (LEAT_LIKELY(atom_cas_sc(&inbox->newest, &newest, index))) {
            return true;
        }
    }
    return false;
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

/* Takes all records and closes the inbox. What was closed before is empty. Progress: wait-free. */
LEAT_INLINE uint32_t
leat_inbox_close(struct leat_inbox *inbox)
{
    /* inbox:E acq_rel -> inbox:C, inbox:A.  Carries: as inbox:B.
     * If relaxed: see inbox:A, inbox:C. */
    uint32_t newest = atom_swap_acq_rel(&inbox->newest, LEAT_INBOX_CLOSED);
    return newest == LEAT_INBOX_CLOSED ? LEAT_INDEX_NONE : newest;
}

/* Opens it if it is closed. */
LEAT_INLINE void
leat_inbox_open(struct leat_inbox *inbox)
{
    uint32_t closed = LEAT_INBOX_CLOSED;
    /* Carries nothing: who offers brings all there is to know. */
    (void)atom_cas_rlx(&inbox->newest, &closed, LEAT_INDEX_NONE); /* rlx: ordered by inbox:D */
}

/* True if a take would find something now: for a look before parking, behind the caller's fence, or
 * for a look whether all is quiet. */
LEAT_INLINE bool
leat_inbox_ready(const struct leat_inbox *inbox)
{
    /* inbox:C acquire -> inbox:B, inbox:E.  Carries: that the taker is at work.
     * If relaxed: what was taken could be seen neither here nor with its taker. */
    return atom_load_acq(&inbox->newest) < LEAT_INDEX_NONE;
}

/* Checks I1 of a quiescent inbox that holds at most `most` records; says on `why` (may be NULL)
 * what is wrong. */
bool leat_inbox_check(const struct leat_inbox *inbox,
                      leat_atomic_u32 *(*link_of)(void *context, uint32_t index), void *context,
                      uint32_t most, FILE *why);

#endif
