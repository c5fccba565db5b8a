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
 * Claims   expect  lock-free: a swap fails only where another thread's was done.
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

void leat_sweep_init(struct leat_sweep *sweep);
/* A job that is not published yet expires then. Progress: lock-free. */
void leat_sweep_expect(struct leat_engine *engine, uint64_t expires_ns);
/* For the thread of the clocks. */
struct leat_clock_source leat_sweep_source(struct leat_engine *engine);

#endif
