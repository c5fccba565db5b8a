/* gates.h - pause and cap of queues and types: who of the jobs may go to the ring. Each queue and
 * each type has a gate (sched/gate.h), and a list for the jobs that wait at it: that of a queue is
 * the queue's, that of a type stands behind those of all queues. Why: docs/design/0018. A tenant
 * has a bucket alone, and a list behind those of the types: docs/design/0028.
 *
 * A job enters both its gates in the hand of the admitter, before the ring, and leaves them when
 * its attempt has ended, or when its place lets go of it. A worker turns back what it took without
 * having entered, which was pushed before the first gate stood, what was paused since, and what has
 * no token of its bucket (buckets.h), because the rate was changed.
 */
#ifndef ENGINE_GATES_H
#define ENGINE_GATES_H

#include "engine/keys.h"
#include "engine/pull.h"

LEAT_INLINE struct leat_gate *
leat_gate_of(struct leat_engine *engine, uint32_t list)
{
    return &engine->pool.queues[list].gate;
}

/* The list of the jobs that wait for their type. */
LEAT_INLINE uint32_t
leat_gates_list(const struct leat_engine *engine, uint32_t type)
{
    return engine->config.queues_max + type;
}

/* That of those that wait for their tenant's rate; there are as many as queues. */
LEAT_INLINE uint32_t
leat_gates_list_tenant(const struct leat_engine *engine, uint32_t tenant)
{
    return engine->config.queues_max + engine->config.types_max + tenant;
}

/* The list of those that wait for a place (reserves.h): of their queue, where some are kept for it;
 * else of their type. */
LEAT_INLINE uint32_t
leat_places_list_queue(const struct leat_engine *engine, uint32_t queue)
{
    return 2 * engine->config.queues_max + engine->config.types_max + queue;
}

LEAT_INLINE uint32_t
leat_places_list_type(const struct leat_engine *engine, uint32_t type)
{
    return 3 * engine->config.queues_max + engine->config.types_max + type;
}

/* Some queue or type was paused or capped once. */
LEAT_INLINE bool
leat_gates_any(const struct leat_engine *engine)
{
    /* gated:A acquire -> settle:A.  Carries: the first gate, and that its queue's jobs are listed.
     * If relaxed: a gate that stands could be found open. */
    return LEAT_UNLIKELY(atom_load_acq(&engine->gates) != 0);
}

/* Calls the lists of a queue or type that waited at its gate or bucket. Progress: lock-free. */
void leat_gates_call(struct leat_engine *engine, uint32_t list, uint32_t levels);
/* A gate is shut, capped or used, by what the caller has just done: waits until no worker is about
 * to begin a job that it took before. */
void leat_gates_settle(struct leat_engine *engine);

/* What was `leat_gates_any()` and the following asks: the job's own queue or type was. */
bool leat_gates_stand_slowly(struct leat_engine *engine, uint32_t queue, uint32_t type);
void leat_gates_leave_slowly(struct leat_engine *engine, struct leat_job_record *record);
bool leat_gates_turn_back_slowly(struct leat_engine *engine, uint32_t index);

/* Jobs of this queue and type go through the lists. */
LEAT_INLINE bool
leat_gates_stand(struct leat_engine *engine, uint32_t queue, uint32_t type)
{
    return leat_queue_pulls(engine, queue) ||
           (leat_gates_any(engine) && leat_gates_stand_slowly(engine, queue, type));
}

/* As leat_pool_put(), for a job that does not wait for its key. Progress: lock-free. */
LEAT_INLINE void
leat_gates_put_on(struct leat_engine *engine, uint32_t level, uint32_t queue, uint32_t type,
                  uint32_t item)
{
    if (leat_gates_stand(engine, queue, type)) {
        leat_lists_add(&engine->pool, level, &item, 1);
        leat_pull_tell(engine, queue);
    } else {
        leat_pool_put(&engine->pool, level, queue, item);
    }
}

/* The same for each; first it gets its key, or waits for it. Progress: see keys.h. */
LEAT_INLINE void
leat_gates_put(struct leat_engine *engine, uint32_t level, uint32_t queue, uint32_t type,
               uint32_t item)
{
    if (leat_keys_enter(engine, leat_item_index(item))) {
        leat_gates_put_on(engine, level, queue, type, item);
    }
}

/* The job's attempt is over, or its place lets go of it; no later than that its word says so. */
LEAT_INLINE void
leat_gates_leave(struct leat_engine *engine, struct leat_job_record *record)
{
    if (LEAT_UNLIKELY(record->admitted != 0)) {
        leat_gates_leave_slowly(engine, record);
    }
}

/* Its handler has answered pending: it holds no worker any more. */
LEAT_INLINE void
leat_gates_rest(struct leat_engine *engine, struct leat_job_record *record)
{
    if (LEAT_UNLIKELY((record->admitted & LEAT_ADMITTED_PLACES) != 0)) {
        leat_reserves_leave(engine, record);
    }
}

/* A worker took the job from its place. True: it may not begin, and waits in a list again.
 * pre: a section of rcu.h, which ends behind the begin. */
LEAT_INLINE bool
leat_gates_turn_back(struct leat_engine *engine, uint32_t index)
{
    return leat_gates_any(engine) && leat_gates_turn_back_slowly(engine, index);
}

/* What leat_queue_pause(), leat_queue_drain() behind its time, leat_queue_set_running_max() and
 * leat_queue_set_rate() do in memory. pre: what they set is valid. */
void leat_gates_pause(struct leat_engine *engine, uint32_t queue);
void leat_gates_drain(struct leat_engine *engine, uint32_t queue);
void leat_gates_cap(struct leat_engine *engine, uint32_t queue, uint32_t running_max);
void leat_gates_rate(struct leat_engine *engine, uint32_t queue, const struct leat_rate *rate);

/* The list of a type that a host names. LEAT_NOT_FOUND, LEAT_FORKED, LEAT_INVALID. */
enum leat_status leat_gates_type_check(struct leat_engine *engine, leat_type type, uint32_t *list);

/* As the admitter has a job enter, for one of a pull queue, which has the gate and the bucket of
 * its queue alone; it takes its token at once. False: one of them is shut. pre: a section of rcu.h,
 * which ends behind the begin. */
bool leat_gates_enter_pull(struct leat_engine *engine, struct leat_job_record *record);

/* The three of struct leat_lists_ops. */
enum leat_passage leat_gates_enter(void *context, uint32_t index, uint32_t level, uint32_t list,
                                   uint32_t *other);
void leat_gates_undo(void *context, uint32_t index);
bool leat_gates_returned(void *context, uint32_t index);

#endif
