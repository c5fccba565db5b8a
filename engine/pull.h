/* pull.h - queues whose jobs are taken by consumers, not by workers: leases and their tokens. Why
 * so: docs/design/0022.
 *
 * A job of a pull queue waits in the lists of sched/lists.h and never leaves them for a ring: the
 * admitter finds its gate shut (gates.c). leat_reserve() takes it from its list under the level's
 * role, and then it is RUNNING as a job is whose handler has answered leat_pending_for(): the token
 * of that attempt is the lease, its number the fencing token, its timer the end of the lease.
 *
 * Source   ours.
 * Roles    a consumer takes, and ends or extends what it took. Any thread brings jobs.
 * Claims   take    BLOCKING in the holder of a level's role (sched/lists.h), which is waited for.
 *          ack, nack, release, extend   as leat_complete() and leat_pending_extend().
 *          One holder: leases are attempts, and a job has one attempt at a time. A lease that is
 *          over cannot end the next one: its number is another.
 *          No wake-up is lost: sched/takers.h, for each of what a taking looks at: the inbox and
 *          lists, the gate of the queue, the state of the engine.
 *          Payload: copied to the consumer's memory before its timer is armed and its token known.
 *          So nobody reads a record whose lease is over.
 * I1       no job of a pull queue is in a ring, a local queue or a worker's hand
 * Drain and stop: a job is taken, from its list to RUNNING, in a section of rcu.h that has found
 *          the engine RUNNING; and a whole taking is counted as a change at work is (change.c). So
 *          a drain sees no job between its list and `awaited`, and none is taken behind a stop.
 * If a consumer stops for ever: in leat_reserve(), between taking and the arming of the timer, its
 * jobs wait with it; with a lease, nothing: it ends.
 */
#ifndef ENGINE_PULL_H
#define ENGINE_PULL_H

#include "engine/engine_internal.h"

/* A job of the queue was listed, or its gate opened: told to who waits, if it is a pull queue. */
LEAT_INLINE void
leat_pull_tell(struct leat_engine *engine, uint32_t queue)
{
    if (leat_queue_pulls(engine, queue)) {
        leat_takers_tell(&engine->pool.queues[queue].takers, &engine->pool.anchor);
    }
}

/* The state of the engine has changed. */
void leat_pull_tell_all(struct leat_engine *engine);

#endif
