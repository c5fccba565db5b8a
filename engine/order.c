/* order.c - weights of queues, see order.h. */
#include "engine/order.h"

#include "engine/gates.h"

enum leat_status
leat_queue_set_weight(struct leat_engine *engine, leat_queue queue, uint32_t weight)
{
    enum leat_status status = leat_engine_check(engine);
    uint32_t list = queue.bits - 1;
    if (status == LEAT_OK && !leat_registry_queue_there(engine, list)) {
        status = LEAT_NOT_FOUND;
    }
    if (status == LEAT_OK && !leat_weight_valid(weight)) {
        status = LEAT_INVALID;
    }
    if (status == LEAT_OK) {
        atom_store_rlx(&engine->pool.queues[list].weight, weight); /* rlx: statistic */
        leat_lists_gate(&engine->pool, list);
        leat_gate_use(leat_gate_of(engine, list));
        leat_gates_settle(engine);
    }
    return status;
}
