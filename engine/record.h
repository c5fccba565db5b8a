/* record.h - taking the record of a job that is submitted. */
#ifndef ENGINE_RECORD_H
#define ENGINE_RECORD_H

#include "engine/engine_internal.h"
#include "engine/timers.h"

/* Takes one that is free; where there is none, of a job that has ended and is kept. LEAT_FULL,
 * LEAT_CLOSED. */
LEAT_INLINE enum leat_status
leat_record_take_any(struct leat_engine *engine, uint32_t *index)
{
    uint32_t shard = leat_pool_shard();
    /* Ends: each round gives up one job that had ended, and those are at most jobs_max; others may
     * take what we gave up, then they made progress. */
    while (LEAT_UNLIKELY(!leat_slab_take(&engine->jobs, shard, index))) {
        /* Asked again when the job is put; here, so that nothing is given up for one refused. */
        if (!leat_engine_accepts(engine)) {
            return LEAT_CLOSED;
        }
        if (!leat_retention_yield(engine)) {
            leat_timers_release(engine);
            return LEAT_FULL;
        }
    }
    return LEAT_OK;
}

/* A record from trim.floor on was taken. As leat_record_take(). */
enum leat_status leat_record_look(struct leat_engine *engine, uint32_t *index);

/* The same, where there is memory for it. LEAT_TIMEOUT: there is none at present. */
LEAT_INLINE enum leat_status
leat_record_take(struct leat_engine *engine, uint32_t *index)
{
    enum leat_status status = leat_record_take_any(engine, index);
    if (LEAT_UNLIKELY(status == LEAT_OK && *index >= engine->trim.floor)) {
        status = leat_record_look(engine, index);
    }
    return status;
}

#endif
