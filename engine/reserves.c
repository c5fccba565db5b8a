/* reserves.c - minimums of queues and types, see reserves.h. */
#include "engine/reserves.h"

#include "engine/gates.h"

static struct leat_gate *
kept_of(struct leat_engine *engine, uint32_t list)
{
    return &engine->pool.queues[list].kept;
}

static bool
keeps(struct leat_engine *engine, uint32_t list)
{
    /* rlx: ordered by gated:A */
    return (atom_load_rlx(&kept_of(engine, list)->word) & LEAT_GATE_USED) != 0;
}

static void
call(struct leat_engine *engine, uint32_t levels)
{
    for (uint32_t level = 0; levels != 0; level++, levels >>= 1) {
        if ((levels & 1) != 0) {
            leat_lists_placed(&engine->pool, level);
        }
    }
}

/* ---- jobs ------------------------------------------------------------------------------------ */

bool
leat_reserves_enter(struct leat_engine *engine, struct leat_job_record *record, uint32_t level,
                    uint32_t *list)
{
    struct leat_reserves *reserves = &engine->reserves;
    const struct leat_pool *pool = &engine->pool;
    uint32_t queue = leat_job_queue(record);
    uint32_t type = leat_job_type(record);
    bool of_queue = keeps(engine, queue);
    uint32_t own = of_queue ? queue : leat_gates_list(engine, type);
    uint32_t theirs = leat_places_list_queue(engine, queue);
    uint32_t waits = of_queue ? theirs : leat_places_list_type(engine, type);
    /* While others are held their level's bit stays, so that each that leaves calls. */
    bool alone = !leat_lists_held(pool, level);
    /* Where nothing is kept for the queue any more: behind those that waited for it, and go on. */
    if (*list < leat_places_list_queue(engine, 0) && leat_lists_some(pool, level, theirs)) {
        waits = theirs;
    }
    bool behind = *list != waits && (*list == theirs || leat_lists_some(pool, level, waits));
    if (leat_reserves_used(reserves) == 0) {
        return true;
    }
    if (!behind && keeps(engine, own) && leat_gate_enter(kept_of(engine, own), level, alone)) {
        record->admitted |= of_queue ? LEAT_ADMITTED_KEPT_QUEUE : LEAT_ADMITTED_KEPT_TYPE;
        return true;
    }
    if (!behind && leat_gate_enter(&reserves->shared, level, alone)) {
        record->admitted |= LEAT_ADMITTED_PLACE;
        return true;
    }
    *list = waits;
    return false;
}

void
leat_reserves_leave(struct leat_engine *engine, struct leat_job_record *record)
{
    uint16_t places = record->admitted & LEAT_ADMITTED_PLACES;
    uint32_t of_type = leat_gates_list(engine, leat_job_type(record));
    record->admitted ^= places;
    if ((places & LEAT_ADMITTED_PLACE) != 0) {
        call(engine, leat_gate_leave(&engine->reserves.shared));
    }
    if ((places & LEAT_ADMITTED_KEPT_QUEUE) != 0) {
        call(engine, leat_gate_leave(kept_of(engine, leat_job_queue(record))));
    }
    if ((places & LEAT_ADMITTED_KEPT_TYPE) != 0) {
        call(engine, leat_gate_leave(kept_of(engine, of_type)));
    }
}

/* ---- what the host asks --------------------------------------------------------------------- */

/* pre: the mutex. */
static uint32_t
share(struct leat_reserves *reserves)
{
    uint32_t most = reserves->workers > reserves->kept ? reserves->workers - reserves->kept : 0;
    return leat_gate_places(&reserves->shared, most);
}

static uint32_t
places_of(const struct leat_gate *gate)
{
    uint64_t word = atom_load_rlx(&gate->word); /* rlx: single writer */
    return (word & LEAT_GATE_USED) != 0 ? leat_gate_most(word) : 0;
}

/* pre: the mutex. */
static void
set(struct leat_engine *engine, uint32_t list, uint32_t places)
{
    struct leat_reserves *reserves = &engine->reserves;
    struct leat_gate *gate = kept_of(engine, list);
    if (leat_reserves_used(reserves) == 0) {
        for (uint32_t i = 0; i < engine->config.queues_max; i++) {
            leat_lists_gate(&engine->pool, i);
        }
    }
    uint32_t levels = leat_gate_places(gate, places);
    if (places == 0) {
        levels |= leat_gate_change(gate, LEAT_GATE_USED, 0, 0);
    }
    levels |= share(reserves);
    leat_gates_settle(engine);
    /* Those that were turned away where nothing is kept any more, too; and those that wait for a
     * place of all, and may have one of their own now. */
    levels |= leat_gate_wanted(atom_load_rlx(&gate->word)); /* rlx: single writer */
    /* rlx: ordered by settle:A */
    levels |= leat_gate_wanted(atom_load_rlx(&reserves->shared.word));
    call(engine, levels);
}

enum leat_status
leat_reserves_set(struct leat_engine *engine, uint32_t list, uint32_t places)
{
    struct leat_reserves *reserves = &engine->reserves;
    enum leat_status status = LEAT_OK;
    leat_mutex_lock(&reserves->mutex);
    uint32_t others = reserves->kept - places_of(kept_of(engine, list));
    if (places > reserves->workers - others) {
        status = LEAT_FULL;
    } else {
        reserves->kept = others + places;
        set(engine, list, places);
    }
    leat_mutex_unlock(&reserves->mutex);
    return status;
}

uint32_t
leat_reserves_get(struct leat_engine *engine, uint32_t list)
{
    return places_of(kept_of(engine, list));
}

enum leat_status
leat_reserves_workers(struct leat_engine *engine, uint32_t workers)
{
    struct leat_reserves *reserves = &engine->reserves;
    enum leat_status status = LEAT_OK;
    leat_mutex_lock(&reserves->mutex);
    if (workers < reserves->kept) {
        status = LEAT_FULL;
    } else {
        reserves->workers = workers;
        if (leat_reserves_used(reserves) != 0) {
            call(engine, share(reserves));
        }
    }
    leat_mutex_unlock(&reserves->mutex);
    return status;
}

/* ---- init and fini -------------------------------------------------------------------------- */

void
leat_reserves_init(struct leat_engine *engine)
{
    const struct leat_config *config = &engine->config;
    leat_mutex_init(&engine->reserves.mutex);
    engine->reserves.workers = config->workers != 0 ? config->workers : config->lenders_max;
}

void
leat_reserves_fini(struct leat_engine *engine)
{
    leat_mutex_fini(&engine->reserves.mutex);
}
