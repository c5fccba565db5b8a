/* order.h - who goes first: weights of queues, and exact order within one. Why so:
 * docs/design/0027.
 *
 * The jobs of a queue in exact order are listed, in a heap (sched/heap.h), of which the admitter
 * takes the first. Each has a block with its place in the order and its links, from its submit on,
 * so that to come back, by a retry or when it is due, needs no memory. One that is on its way from
 * the heap to its begin has a place of the gate `ahead`, of which there are as many as workers, and
 * keeps it in the list of its type: these alone may begin in front of a job that comes later and is
 * before them in the order.
 */
#ifndef ENGINE_ORDER_H
#define ENGINE_ORDER_H

#include "engine/engine_internal.h"

/* Letters: I set by the submitter; O the place that has the job. */
struct leat_job_order {
    struct leat_heap_node node; /* O */
    uint32_t priority;          /* I 0 goes first */
    uint64_t sequence;          /* I of its submit, in its queue */
};

/* ---- weights -------------------------------------------------------------------------------- */

/* 0: none was set. */
LEAT_INLINE uint32_t
leat_weight_of(const struct leat_engine *engine, uint32_t queue)
{
    return atom_load_rlx(&engine->pool.queues[queue].weight); /* rlx: statistic */
}

/* What leat_queue_set_weight() does in memory. */
void leat_order_weigh(struct leat_engine *engine, uint32_t queue, uint32_t weight);

LEAT_INLINE bool
leat_weight_valid(uint32_t weight)
{
    return weight >= 1 && weight <= LEAT_WEIGHT_MAX;
}

/* ---- exact order ---------------------------------------------------------------------------- */

/* pre: the queue is there. */
LEAT_INLINE bool
leat_order_exact(const struct leat_engine *engine, uint32_t queue)
{
    /* Never changed once the queue is there. rlx: ordered by queue:B */
    return (atom_load_rlx(&engine->pool.queues[queue].options) & LEAT_QUEUE_EXACT) != 0;
}

/* All jobs of a queue in exact order have its priority. */
LEAT_INLINE bool
leat_order_level(uint64_t options, uint32_t level)
{
    return (options & LEAT_QUEUE_EXACT) == 0 || level == leat_queue_priority(options);
}

/* A queue is to be in exact order that only the caller knows. */
void leat_order_set(struct leat_engine *engine, uint32_t queue);

/* Gives a record that nobody knows yet its place in the order of its queue; the options, or NULL,
 * were checked. LEAT_NO_MEMORY. */
enum leat_status leat_order_make(struct leat_engine *engine, uint32_t index, uint32_t queue,
                                 const struct leat_job_options *given);
void leat_order_free(struct leat_engine *engine, struct leat_job_extra *extra);

/* A job in the admitter's hand is to leave the heap; `first` as of leat_gate_enter(). False: as
 * many as may be are ahead, and the list will be called. True also where it is ahead already, or
 * its queue is in no exact order. */
bool leat_order_enter(struct leat_engine *engine, struct leat_job_record *record, uint32_t level,
                      bool first);
void leat_order_leave_slowly(struct leat_engine *engine, struct leat_job_record *record);

/* It begins, or is let go of, or goes back to the heap. pre: the caller has it in hand. */
LEAT_INLINE void
leat_order_leave(struct leat_engine *engine, struct leat_job_record *record)
{
    if ((record->admitted & LEAT_ADMITTED_AHEAD) != 0) {
        leat_order_leave_slowly(engine, record);
    }
}

/* It has left the ring, to begin or to go back: neither a window nor the order counts it. pre: as
 * above; nothing where it was counted no more. */
LEAT_INLINE void
leat_order_begun(struct leat_engine *engine, struct leat_job_record *record)
{
    leat_windows_leave(&engine->windows, record);
    leat_order_leave(engine, record);
}

/* The two of struct leat_lists_ops. */
struct leat_heap_node *leat_order_node(void *context, uint32_t index);
bool leat_order_before(void *context, uint32_t index, uint32_t other);

#endif
