/* crowd.h - one bell for all who wait for any of many jobs. Who waits for one job sleeps at the
 * bell of its record; nobody can sleep at several. Why so: docs/design/0032.
 *
 * Word, 32 bits: rings so far 31 | SOMEBODY, who listens, 1. A futex.
 *
 * Source   ours; an event count whose waiters stand in the word that is counted, so that nothing
 *          has to be ordered against another word.
 * Roles    any thread listens, looks at what it waits for, and then sleeps on what it heard. Who
 *          has ended a job rings.
 * Claims   listen  wait-free.    ring  lock-free: a swap fails only where another one succeeded. A
 *          system call is made only where somebody listened since the last ring.
 *          BLOCKING for who sleeps: in one who rings, between its swap and its call.
 *          Wrap  who sleeps on what it heard would have to be held up before it for exactly 2^31
 *                rings.
 * I1       who sleeps has heard all ends whose ring came before its listen in the order of the
 *          word; the first ring behind it finds SOMEBODY, and wakes it
 * Edges    crowd:B -> crowd:A    the end of the job, to who looks behind its listen
 * If who listens stops for ever: nothing. If who rings does, behind its swap: those who slept then
 * are woken by the next ring that finds SOMEBODY.
 */
#ifndef ENGINE_CROWD_H
#define ENGINE_CROWD_H

#include "ring/atomic.h"
#include "ring/os.h"

#define LEAT_CROWD_SOMEBODY 1u
#define LEAT_CROWD_RING     2u

/* Letters: S many writers. */
struct leat_crowd {
    LEAT_ALIGNED_LINE leat_atomic_u32 word; /* S */
};

/* What to sleep on, once a look behind this call has found nothing. */
LEAT_INLINE uint32_t
leat_crowd_listen(struct leat_crowd *crowd)
{
    /* crowd:A acq_rel -> crowd:B.  Carries: what was done before the rings so far.
     * If relaxed: the look could miss an end whose ring is heard, and the listener sleep on. */
    return atom_or_acq_rel(&crowd->word, LEAT_CROWD_SOMEBODY) | LEAT_CROWD_SOMEBODY;
}

/* Behind what was waited for. */
LEAT_INLINE void
leat_crowd_ring(struct leat_crowd *crowd)
{
    uint32_t before = atom_load_rlx(&crowd->word); /* rlx: hint, re-checked at crowd:B */
    uint32_t next = 0;
    do {
        next = (before + LEAT_CROWD_RING) & ~LEAT_CROWD_SOMEBODY;
        /* crowd:B acq_rel -> crowd:A.  Carries: the end of the job.
         * If relaxed: as crowd:A. */
    } while (!atom_cas_acq_rel(&crowd->word, &before, next));
    if ((before & LEAT_CROWD_SOMEBODY) != 0) {
        leat_os_futex_wake(&crowd->word, UINT32_MAX);
    }
}

#endif
