/* reserves.h - places of workers that are kept for the jobs of a queue or type. Why so:
 * docs/design/0019.
 *
 * Where something is kept, each job enters a place in the hand of the admitter, behind its gates
 * and buckets (gates.h): one that is kept for its queue or, where nothing is kept for that, for its
 * type; else one of those that all share, of which there are as many as workers less what is kept.
 * It leaves the place when its handler returns, also where that answered pending. Both kinds are
 * gates of sched/gate.h. A job waits in a list that its queue has for this, if that has places of
 * its own, else in one of its type, beside those for their gates: there it is in the way of those
 * only that wait for the same places. Such lists are held (sched/lists.h), all of a level together:
 * whoever leaves a place at which one was turned away calls them all.
 *
 * Progress: as gates.h. The setters: blocking (a mutex, a grace period).
 */
#ifndef ENGINE_RESERVES_H
#define ENGINE_RESERVES_H

#include "engine/leat.h"
#include "ring/mutex.h"
#include "sched/gate.h"

struct leat_engine;
struct leat_job_record;

/* Letters: S many writers; S under the mutex where it says so. */
struct leat_reserves {
    LEAT_ALIGNED_LINE struct leat_gate shared; /* S places that all share */
    LEAT_ALIGNED_LINE pthread_mutex_t mutex;   /* S and of who pauses all queues */
    uint32_t workers;                          /* S under the mutex: that there are to be */
    uint32_t kept;                             /* S under the mutex: all minimums together */
};

void leat_reserves_init(struct leat_engine *engine);
void leat_reserves_fini(struct leat_engine *engine);

/* Something was kept once, so that all jobs pass. */
LEAT_INLINE uint64_t
leat_reserves_used(const struct leat_reserves *reserves)
{
    /* A later change is ordered by the grace period of who made it. rlx: ordered by gated:A */
    return atom_load_rlx(&reserves->shared.word) & LEAT_GATE_USED;
}

/* A job of the level, which stands in *list, enters a place. False: *list is where it waits; if it
 * is there already, that list is held. */
bool leat_reserves_enter(struct leat_engine *engine, struct leat_job_record *record, uint32_t level,
                         uint32_t *list);
/* It leaves it, if it is in one. */
void leat_reserves_leave(struct leat_engine *engine, struct leat_job_record *record);

/* What leat_queue_set_running_min() and leat_type_set_running_min() do. LEAT_FULL: all minimums
 * together would be more than there are workers. */
enum leat_status leat_reserves_set(struct leat_engine *engine, uint32_t list, uint32_t places);
/* How many are kept for it. */
uint32_t leat_reserves_get(struct leat_engine *engine, uint32_t list);
/* There are to be so many workers. LEAT_FULL: fewer than all minimums together. */
enum leat_status leat_reserves_workers(struct leat_engine *engine, uint32_t workers);

#endif
