/* order.h - who goes first between queues: their weights. Why so: docs/design/0027. */
#ifndef ENGINE_ORDER_H
#define ENGINE_ORDER_H

#include "engine/engine_internal.h"

/* 0: none was set. */
LEAT_INLINE uint32_t
leat_weight_of(const struct leat_engine *engine, uint32_t queue)
{
    return atom_load_rlx(&engine->pool.queues[queue].weight); /* rlx: statistic */
}

LEAT_INLINE bool
leat_weight_valid(uint32_t weight)
{
    return weight >= 1 && weight <= LEAT_WEIGHT_MAX;
}

#endif
