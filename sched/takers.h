/* takers.h - how those who take jobs out of a queue's list by themselves wait until there are some.
 *
 * Source   ours: an event count, which costs who brings a job a load where nobody waits.
 * Roles    waiter  any thread: enter; in each round look, take, wait; leave.
 *          teller  any thread that has listed a job of the queue, opened its gate, or changed
 *                  something else that the waiters look at.
 * Claims   enter, leave, look, tell   wait-free, but for the system call that wakes.
 *          No wake-up is lost. Who takes and does not find what was listed has read the inbox
 *          before that was written; then its fence in enter is before the one in tell, so tell
 *          finds it waiting and changes `news`. By then it has looked at `news`, as it does first
 *          in each round, so its wait ends at once; had it looked later, it would have found the
 *          job. Where the job was in another thread's hand, which held the level's role, the round
 *          was not over (LEAT_TAKEN_BUSY, _PART).
 * I1       waiting: those between enter and leave
 * Edges    takers:D -> takers:B   what was listed
 * If a thread stops for ever: in tell, before it wakes: its job waits for the next tell, or for the
 * next who takes.
 */
#ifndef SCHED_TAKERS_H
#define SCHED_TAKERS_H

#include "ring/atomic.h"
#include "ring/os.h"

/* Zeroed at first. Letters: S many writers. */
struct leat_takers {
    leat_atomic_u32 waiting; /* S */
    leat_atomic_u32 news;    /* S a futex */
};

LEAT_INLINE void
leat_takers_enter(struct leat_takers *takers, leat_atomic_u64 *anchor)
{
    (void)atom_add_rlx(&takers->waiting, 1); /* rlx: ordered by takers:A */
    /* takers:A sc -> takers:C.  Orders: waiting raised then inbox, gate and state read, against
     * these written then waiting read. */
    atom_fence_sc(anchor);
}

LEAT_INLINE void
leat_takers_leave(struct leat_takers *takers)
{
    (void)atom_sub_rlx(&takers->waiting, 1); /* rlx: hint, re-checked at takers:A */
}

/* What to wait with, if nothing is found from now on. */
LEAT_INLINE uint32_t
leat_takers_look(const struct leat_takers *takers)
{
    /* takers:B acquire -> takers:D.  Carries: what was listed before.
     * If relaxed: a waiter could see the news, and not the job, and sleep. */
    return atom_load_acq(&takers->news);
}

/* Until there are news. */
LEAT_INLINE void
leat_takers_wait(struct leat_takers *takers, uint32_t news, uint64_t deadline_ns)
{
    leat_os_futex_wait(&takers->news, news, deadline_ns);
}

LEAT_INLINE void
leat_takers_tell(struct leat_takers *takers, leat_atomic_u64 *anchor)
{
    /* takers:C sc -> takers:A.  Orders: inbox, gate or state written then waiting read, against
     * waiting raised then these read. */
    atom_fence_sc(anchor);
    if (atom_load_rlx(&takers->waiting) != 0) { /* rlx: ordered by takers:C */
        /* takers:D release -> takers:B.  Carries: see takers:B.
         * If relaxed: see takers:B; but the fence in front carries the same. */
        (void)atom_add_rel(&takers->news, 1);
        leat_os_futex_wake(&takers->news, UINT32_MAX);
    }
}

#endif
