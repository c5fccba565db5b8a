/* order.c - weights of queues, and exact order, see order.h. */
#include "engine/order.h"

#include "engine/durable/durable.h"
#include "engine/gates.h"
#include "engine/terms.h"

/* ---- weights -------------------------------------------------------------------------------- */

void
leat_order_weigh(struct leat_engine *engine, uint32_t queue, uint32_t weight)
{
    atom_store_rlx(&engine->pool.queues[queue].weight, weight); /* rlx: statistic */
    leat_lists_gate(&engine->pool, queue);
    leat_gate_use(leat_gate_of(engine, queue));
    leat_gates_settle(engine);
}

enum leat_status
leat_queue_set_weight(struct leat_engine *engine, leat_queue queue, uint32_t weight)
{
    uint32_t list = 0;
    enum leat_status status = leat_registry_queue_check(engine, queue, &list);
    if (status == LEAT_OK && !leat_weight_valid(weight)) {
        status = LEAT_INVALID;
    }
    if (status == LEAT_OK) {
        leat_order_weigh(engine, list, weight);
    }
    return leat_durable_tuned(engine, list, LEAT_TUNED_WEIGHT, status);
}

/* ---- jobs in exact order -------------------------------------------------------------------- */

static struct leat_job_order *
order_of(const struct leat_engine *engine, uint32_t index)
{
    const struct leat_job_extra *extra = leat_job_extra(leat_job_record(engine, index));
    LEAT_ASSERT(extra != NULL);
    LEAT_ASSERT(extra->order != NULL);
    return extra->order;
}

struct leat_heap_node *
leat_order_node(void *context, uint32_t index)
{
    return &order_of(context, index)->node;
}

bool
leat_order_before(void *context, uint32_t index, uint32_t other)
{
    const struct leat_job_order *one = order_of(context, index);
    const struct leat_job_order *two = order_of(context, other);
    if (one->priority != two->priority) {
        return one->priority < two->priority;
    }
    return one->sequence < two->sequence;
}

enum leat_status
leat_order_make(struct leat_engine *engine, uint32_t index, uint32_t queue,
                const struct leat_job_options *given)
{
    struct leat_job_options room;
    struct leat_job_extra *extra = leat_job_extra_make(engine, leat_job_record(engine, index));
    struct leat_job_order *order =
        extra == NULL ? NULL : leat_memory_take(&engine->memory, sizeof(*order));
    if (order == NULL) {
        return LEAT_NO_MEMORY;
    }
    order->priority = leat_terms_read(given, &room)->order_priority;
    /* Of one thread's submits each sees the one before. rlx: ordered by submit:A */
    order->sequence = atom_add_rlx(&engine->pool.queues[queue].sequence, 1);
    extra->order = order;
    return LEAT_OK;
}

void
leat_order_free(struct leat_engine *engine, struct leat_job_extra *extra)
{
    leat_memory_give(&engine->memory, extra->order, sizeof(*extra->order));
    extra->order = NULL;
}

/* ---- ahead of the order --------------------------------------------------------------------- */

static struct leat_gate *
ahead_of(struct leat_engine *engine, uint32_t queue)
{
    return &engine->pool.queues[queue].ahead;
}

bool
leat_order_enter(struct leat_engine *engine, struct leat_job_record *record, uint32_t level,
                 bool first)
{
    uint32_t queue = leat_job_queue(record);
    if (!leat_order_exact(engine, queue) || (record->admitted & LEAT_ADMITTED_AHEAD) != 0) {
        return true;
    }
    if (!leat_gate_enter(ahead_of(engine, queue), level, first)) {
        return false;
    }
    record->admitted |= LEAT_ADMITTED_AHEAD;
    return true;
}

void
leat_order_leave_slowly(struct leat_engine *engine, struct leat_job_record *record)
{
    uint32_t queue = leat_job_queue(record);
    record->admitted &= (uint16_t)~LEAT_ADMITTED_AHEAD;
    leat_gates_call(engine, queue, leat_gate_leave(ahead_of(engine, queue)));
}

void
leat_order_set(struct leat_engine *engine, uint32_t queue)
{
    (void)leat_gate_cap(ahead_of(engine, queue), engine->pool.places);
    leat_lists_exact(&engine->pool, queue);
    leat_gate_use(leat_gate_of(engine, queue));
}
