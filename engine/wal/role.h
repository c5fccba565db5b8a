/* role.h - who writes the log: a word that whoever waits for it takes if it is free, so that one
 * writes for all and nobody waits for another thread to be woken first.
 *
 * States   0 free; 1 held; 2 held, and somebody may sleep until it is let go of
 * Claims   take, let go  wait-free.  sleep  BLOCKING, by its purpose.
 *          If the holder stops for ever, nothing is durable any more, and everybody who waits for
 *          that does so until its time is over; who appends without waiting goes on until the ring
 *          is full.
 * Why no wake-up is lost. A sleeper reads `events`, then looks whether what it waits for is there,
 *          then finds the role held and makes it 2, and sleeps unless `events` has changed. The
 *          holder changes `events` after it has let go of a 2. Where the swap to 2 came before that
 *          release, the holder saw it; where it came after, the word was 0 and the sleeper has the
 *          role. Between the read of `events` and the sleep the holder's change cannot hide: the
 *          kernel compares. Who has had the role in vain, as a record in front was not published,
 *          sleeps too: the publisher of that record takes the role, or wakes who does, and whoever
 *          made something durable changes `events` in any case.
 * Edges    turn_of:C -> turn_of:A    what the last holder did with the log
 *          turn_of:B -> turn_of:C    the records of who wanted the role
 *          turn_of:D -> turn_of:E    what is durable now
 */
#ifndef ENGINE_WAL_ROLE_H
#define ENGINE_WAL_ROLE_H

#include "ring/atomic.h"
#include "ring/os.h"

/* Letters: S many writers. */
struct leat_wal_role {
    LEAT_ALIGNED_LINE leat_atomic_u32 state;  /* S */
    LEAT_ALIGNED_LINE leat_atomic_u32 events; /* S one more at each change that sleepers wait for */
};

/* Before a look at what is waited for. */
LEAT_INLINE uint32_t
leat_wal_role_event(struct leat_wal_role *role)
{
    /* turn_of:E acquire -> turn_of:D.  Carries: what was durable at that event. A change, so that
     * it is the last event: a load may be late, and who was woken would look in vain again.
     * If relaxed: who was woken could see the old position, and sleep until the next batch. */
    return atom_add_acq(&role->events, 0);
}

/* True: the caller has the role. False: another one does, who is going to change `events` when it
 * lets go. */
LEAT_INLINE bool
leat_wal_role_take(struct leat_wal_role *role)
{
    for (;;) {
        uint32_t was = 0;
        /* turn_of:A acquire -> turn_of:C.  Carries: where the log is written up to.
         * If relaxed: a batch could be written over the one before. */
        if (atom_cas_acq(&role->state, &was, 1)) {
            return true;
        }
        /* turn_of:B release -> turn_of:C.  Carries: the caller's records, also where it was 2.
         * If relaxed: the holder could let go, and be woken with the caller, and not see them. */
        if (atom_cas_rel(&role->state, &was, 2)) {
            return false;
        }
        /* Ends: it was let go of meanwhile, or another one made it 2. */
    }
}

LEAT_INLINE void
leat_wal_role_wake(struct leat_wal_role *role)
{
    /* turn_of:D release -> turn_of:E.  Carries: see turn_of:E.
     * If relaxed: see turn_of:E. */
    (void)atom_add_rel(&role->events, 1);
    leat_os_futex_wake(&role->events, UINT32_MAX);
}

/* `news`: something is durable that was not, or nothing will be any more. */
LEAT_INLINE void
leat_wal_role_give(struct leat_wal_role *role, bool news)
{
    /* turn_of:C acq_rel -> turn_of:A, turn_of:B.  Carries: what the holder did with the log; and to
     * it the records of who wanted the role.
     * If relaxed: see turn_of:A, turn_of:B. */
    uint32_t was = atom_swap_acq_rel(&role->state, 0);
    if (news || was == 2) {
        leat_wal_role_wake(role);
    }
}

#endif
