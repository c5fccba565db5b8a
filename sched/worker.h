/* worker.h - what a worker does: pick, run, spin, park. */
#ifndef SCHED_WORKER_H
#define SCHED_WORKER_H

#include "sched/pool.h"

/* A worker thread's body; the argument is its struct leat_worker. */
void *leat_worker_run(void *argument);

/* P2 to P6 of park.h: something was published to which the bits of the hint word belong. */
void leat_pool_notify(struct leat_pool *pool, uint64_t bits);

/* True if a worker is to advance timers. */
bool leat_pool_due_waits(const struct leat_pool *pool);

/* Wakes one worker that sleeps. False: there is none, or all are being woken. */
bool leat_pool_wake_one(struct leat_pool *pool);

/* Counts a worker that the calling thread has woken. */
void leat_pool_wake_count(struct leat_pool *pool);

/* Makes those look who wait for quiet. */
void leat_pool_quiet_poke(struct leat_pool *pool);

/* The last thing a thread does inside the pool. */
void leat_pool_leave(struct leat_pool *pool);

/* Decides that the calling thread leaves its place. False: it is not asked to any more. */
bool leat_worker_may_leave(struct leat_worker *worker);
/* Says that nothing of the thread's work is left to do in its place. */
void leat_worker_left(struct leat_worker *worker);

/* Runs up to `budget` items on this worker, until none waits or the pool is halted. */
size_t leat_worker_some(struct leat_worker *worker, size_t budget);

/* ---- idle.c ---------------------------------------------------------------------------------- */

/* Looks at timers, and at every ring, list and local queue, not only the hinted ones. True: there
 * is something; its bits are set in the hint word, and kept for the next pick. */
bool leat_worker_look(struct leat_worker *worker);
/* Until there may be work: looks for a while, then parks. */
void leat_worker_wait(struct leat_worker *worker);
/* W8 of park.h: the first thing that a worker does with work after it had none. And W9: the last
 * one that it does in its place. */
void leat_worker_wake_next(struct leat_worker *worker);

/* ---- what both ask --------------------------------------------------------------------------- */

/* The worker is to take nothing more: the pool is halted, or there are to be fewer workers. */
LEAT_INLINE bool
leat_worker_halted(const struct leat_worker *worker)
{
    /* halted:A acquire -> halt:A.  Carries: what the stopping thread wrote before; that the seat is
     * ASKED.
     * If relaxed: a worker could look a few times more. */
    return atom_load_acq(&worker->pool->open) <= worker->index;
}

/* The levels of which a hint word says anything. */
LEAT_INLINE uint32_t
leat_hint_levels(uint64_t hint)
{
    uint64_t all = hint | hint >> LEAT_PRIORITY_LEVELS_MAX | hint >> 2 * LEAT_PRIORITY_LEVELS_MAX;
    return (uint32_t)all & ((UINT32_C(1) << LEAT_PRIORITY_LEVELS) - 1);
}

#endif
