/* crowd.h - one bell for all who wait for any of many jobs. Who waits for one job sleeps at the
 * bell of its record; nobody can sleep at several. Why so: docs/design/0032.
 *
 * Source   ours; an event count that is told how many wait, by a step of its own word, so that
 *          nothing has to be ordered across two words.
 * Roles    any thread enters, and then, as often as it likes: listens, looks at what it waits for,
 *          and sleeps on what it heard; and leaves. Who has ended a job rings.
 * Claims   enter, listen, leave, ring  wait-free. A system call is made only where somebody waits.
 *          BLOCKING for who sleeps: in one who rings, behind its first step and before its call;
 *          until the next one rings.
 *          Wrap  who sleeps on what it heard would have to be held up before it for exactly 2^32
 *                rings.
 * I1       nobody sleeps beside an end for which was rung: on the word `waiting`, ring comes before
 *          enter, and then the look sees the end; or behind it, and then it wakes. Where it wakes
 *          too early for who has not slept yet, `rings` is not what that one heard
 * Edges    crowd:D -> crowd:A    the end of the job, to who enters behind the ring
 *          crowd:B -> crowd:C    the same, to who has entered before
 * If who waits stops for ever: a system call for each ring. If who rings does: see BLOCKING.
 */
#ifndef ENGINE_CROWD_H
#define ENGINE_CROWD_H

#include "ring/atomic.h"
#include "ring/os.h"

/* Letters: S many writers. */
struct leat_crowd {
    LEAT_ALIGNED_LINE leat_atomic_u32 rings; /* S a futex */
    leat_atomic_u32 waiting;                 /* S who entered and did not leave */
};

LEAT_INLINE void
leat_crowd_enter(struct leat_crowd *crowd)
{
    /* crowd:A acquire -> crowd:D.  Carries: the ends of those who found nobody.
     * If relaxed: who enters could miss such an end, and sleep on. */
    (void)atom_add_acq(&crowd->waiting, 1);
}

LEAT_INLINE void
leat_crowd_leave(struct leat_crowd *crowd)
{
    (void)atom_sub_rlx(&crowd->waiting, 1); /* rlx: statistic */
}

/* What to sleep on, once a look behind this call has found nothing. pre: entered. */
LEAT_INLINE uint32_t
leat_crowd_listen(const struct leat_crowd *crowd)
{
    /* crowd:C acquire -> crowd:B.  Carries: the ends of the rings that are counted.
     * If relaxed: the look could miss an end whose ring is heard, and the listener sleep on. */
    return atom_load_acq(&crowd->rings);
}

/* Behind what was waited for. */
LEAT_INLINE void
leat_crowd_ring(struct leat_crowd *crowd)
{
    /* crowd:B release -> crowd:C.  Carries: the end.
     * If relaxed: see crowd:C. */
    (void)atom_add_rel(&crowd->rings, 1);
    /* Changes nothing, but has a place among the steps of this word, which a load has not.
     * crowd:D release -> crowd:A.  Carries: the end.
     * If relaxed: see crowd:A. */
    if (LEAT_UNLIKELY(atom_add_rel(&crowd->waiting, 0) != 0)) {
        leat_os_futex_wake(&crowd->rings, UINT32_MAX);
    }
}

#endif
