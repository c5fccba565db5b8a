/* parker.h - one word in which one thread sleeps until another one notifies it.
 *
 * Source   Mara Bos, the parker of threads over a futex in Rust's standard library, 2020. Differs:
 *          the owner empties the word when it begins to look for a reason to sleep, and not when it
 *          wakes; a notifier tells from the word that another one was there before it.
 * Roles    one owner (prepare, wait), any number of notifiers. The owner calls prepare, announces
 *          that it may sleep, looks once more for a reason not to, then calls wait or stays awake.
 *          A notifier has seen the announcement, and with it the prepare: by release and acquire,
 *          or by a full fence of the owner behind both and one of its own before.
 * Claims   prepare, notify, again   wait-free: no loop; notify is one swap, and a system call only
 *                  where the owner had begun to wait.
 *          A notification is a level: one that comes before the wait ends it at once. One that was
 *          meant for the round before ends the wait of this round for nothing, so the owner looks
 *          again whenever it comes back. An owner that stays awake may have been notified, too: it
 *          looks again, behind a full fence, where others count on it (W8 of sched/park.h).
 *          BLOCKING in one place: a thread that stops in notify between the swap and the end of its
 *          system call leaves the owner asleep, and others see NOTIFIED. Any of them mends that
 *          with again(); whether it is needed none of them can tell.
 * Word     EMPTY     the owner is awake, or about to look once more
 *          PARKED    the owner sleeps, or is about to
 *          NOTIFIED  it does not sleep, or is about to be woken; stays until it prepares again
 *          any -> EMPTY: prepare.  EMPTY -> PARKED: wait.  any -> NOTIFIED: notify
 * I1       the word is one of the three
 * Edges    parker:A -> parker:B   what the notifier wrote before it made the word NOTIFIED
 */
#ifndef RING_PARKER_H
#define RING_PARKER_H

#include <stdio.h>

#include "ring/os.h"

#define LEAT_PARKER_EMPTY    0
#define LEAT_PARKER_PARKED   1
#define LEAT_PARKER_NOTIFIED 2

/* Letters: S many writers. On its own line: the owner reads it while it goes to sleep. */
struct leat_parker {
    LEAT_ALIGNED_LINE leat_atomic_u32 word; /* S a futex */
};

/* The owner: forgets what came so far. */
LEAT_INLINE void
leat_parker_prepare(struct leat_parker *parker)
{
    /* A notification of the round before that is late may come behind it, and ends the wait. */
    atom_store_rlx(&parker->word, LEAT_PARKER_EMPTY); /* rlx: ordered by park:A */
}

/* The owner: sleeps until notified since its prepare, or until the monotonic deadline (UINT64_MAX:
 * none). False: the deadline came first; a notification may still be under way. */
bool leat_parker_wait(struct leat_parker *parker, uint64_t deadline_ns);

/* True if the owner has been notified since it prepared, as far as the caller can know. */
LEAT_INLINE bool
leat_parker_notified(const struct leat_parker *parker)
{
    /* rlx: hint, re-checked at parker:A */
    return atom_load_rlx(&parker->word) == LEAT_PARKER_NOTIFIED;
}

/* Ends the owner's wait. False: another thread had notified it before. */
bool leat_parker_notify(struct leat_parker *parker);
/* Repeats the system call of a notify: for an owner that was notified and does not come. */
void leat_parker_again(struct leat_parker *parker);

/* Checks I1 of a quiescent parker; says on `why` (may be NULL) what is wrong. */
bool leat_parker_check(const struct leat_parker *parker, FILE *why);

#endif
