/* sweep.h - jobs that wait for longer than they may: who looks for them where nobody takes them.
 * Why so: docs/design/0014.
 *
 * A worker that takes a job, and who moves one from a waiting list to a ring, looks whether it has
 * expired. For those that nobody comes to there is the sweep: it goes over all records, some at a
 * time, from the moment at which the first of them expires, and at most once in LEAT_SWEEP_NS. It
 * is a source of the clocks. Where no job expires it costs nothing.
 *
 * Source   ours.
 * Roles    any thread that submits says when its job expires. Any thread looks: the first one
 *          sweeps, who comes while it is at it goes on.
 * Claims   bring   lock-free: a swap fails only where another thread's was done.
 *          look    never waits. BLOCKING in its sweeper: while one that has stopped is at it,
 *                  nobody is swept; takers look all the same.
 *          Decided once: a job that waits is ended by one swap of its word, as by leat_cancel(),
 *          also while another thread changes it (docs/design/0017).
 *          In time: within LEAT_SWEEP_NS and one look at each record.
 * I1       no job that waits, or may wait again, expires before `next_ns`, but for those that a
 *          sweep which is under way has yet to come to
 * Edges    expiry:A -> expiry:B     that the record is in use; each submit swaps, so that it comes
 *                                   before the sweep, or its time behind it
 *          swept:B -> sweeping:A    how far the sweep is
 * If the sweeper stops for ever: nobody is swept any more; one record is not given back, if it held
 * it. If who submits does: before its job is published, nothing.
 */
#ifndef ENGINE_SWEEP_H
#define ENGINE_SWEEP_H

#include "ring/atomic.h"
#include "sched/clock.h"

struct leat_engine;

/* Letters: S many writers; W the sweeper writes, many read; O the sweeper. */
struct leat_sweep {
    LEAT_ALIGNED_LINE leat_atomic_u64 next_ns; /* S by BOOT; LEAT_TIME_NEVER; see I1 */
    leat_atomic_u32 looking;                   /* S 1: a thread is the sweeper */
    leat_atomic_u32 index;                     /* W record to look at next; 0: no sweep under way */
    leat_atomic_u64 not_before_ns;             /* W of the next sweep */
};

/* Here is somebody who expires then. True: earlier than all others. That is written also where it
 * changes nothing: then a sweep begins behind this swap, and sees the record; or before it, and
 * the time stays in the word. Who only read the word could read a time that a sweep has forgotten
 * meanwhile, which passed over the record. Ends: a swap fails only where another thread brought a
 * time, or a sweep began. */
LEAT_INLINE bool
leat_sweep_bring(struct leat_sweep *sweep, uint64_t expires_ns)
{
    uint64_t before_ns = atom_load_rlx(&sweep->next_ns); /* rlx: hint, re-checked at expiry:A */
    uint64_t next_ns = 0;
    do {
        next_ns = expires_ns < before_ns ? expires_ns : before_ns;
        /* expiry:A release -> expiry:B.  Carries: that the record is in use.
         * If relaxed: a sweep that forgets this time could pass over the record. */
    } while (!atom_cas_rel(&sweep->next_ns, &before_ns, next_ns));
    return next_ns < before_ns;
}

/* Forgets the times so far; the caller looks at all records from now on. */
LEAT_INLINE void
leat_sweep_begin(struct leat_sweep *sweep)
{
    /* expiry:B acquire -> expiry:A.  Carries: see expiry:A.
     * If relaxed: see expiry:A. */
    (void)atom_swap_acq(&sweep->next_ns, LEAT_TIME_NEVER);
}

void leat_sweep_init(struct leat_sweep *sweep);
/* A job that is not published yet expires then. Progress: lock-free. */
void leat_sweep_expect(struct leat_engine *engine, uint64_t expires_ns);
/* For the thread of the clocks. */
struct leat_clock_source leat_sweep_source(struct leat_engine *engine);

#endif
