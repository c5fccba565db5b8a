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

#endif
