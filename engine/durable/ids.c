/* ids.c - which ids may be given out: those below a ceiling in the log, see durable.h. */
#include "engine/durable/internal.h"

/* Waited for, since an id may be given out that is in no record. */
enum leat_status
leat_durable_ceiling_set(struct leat_durable *durable, uint64_t ceiling)
{
    const struct leat_durable_ids ids = {LEAT_DURABLE_FORMAT, ceiling};
    const struct leat_wal_entry entry = {
        .tag = LEAT_DURABLE_IDS, .head = &ids, .head_bytes = sizeof(ids)};
    enum leat_status status = leat_durable_append(durable, &entry);
    if (status == LEAT_OK) {
        status = leat_durable_wait_as(durable, leat_durable_last(durable));
    }
    if (status == LEAT_OK) {
        /* ceiling:B release -> ceiling:A.  Carries: that it stands in the log.
         * If relaxed: an id could be given out that a later open gives out again. */
        atom_store_rel(&durable->ceiling, ceiling);
    }
    return status;
}

/* The log's own thread comes here where a call of the host's submits. It goes on with what others
 * kick it for: who has the mutex may wait for that. Ends: that one waits for the disk at most. */
static void
ids_lock(struct leat_durable *durable)
{
    if (!leat_durable_lands_here(durable)) {
        leat_wal_lock(&durable->wal, &durable->mutex);
        return;
    }
    while (!leat_mutex_try(&durable->mutex)) {
        (void)leat_wal_step(&durable->wal, false);
        leat_os_yield();
    }
}

/* A higher ceiling stands in the log in front of whatever is appended later. */
static LEAT_COLD enum leat_status
ceiling_raise(struct leat_durable *durable, uint64_t generation)
{
    enum leat_status status = LEAT_OK;
    ids_lock(durable);
    if (generation >= atom_load_rlx(&durable->ceiling)) { /* rlx: single writer */
        status = leat_durable_ceiling_set(durable, generation + LEAT_DURABLE_IDS_STEP);
    }
    leat_mutex_unlock(&durable->mutex);
    return status;
}

enum leat_status
leat_durable_id(struct leat_engine *engine, uint32_t index)
{
    struct leat_durable *durable = engine->durable;
    /* rlx: single writer */
    uint64_t word = atom_load_rlx(leat_slab_word(&engine->jobs, index));
    uint64_t generation = leat_word_generation(word);
    /* ceiling:A acquire -> ceiling:B.  Carries: see ceiling:B.
     * If relaxed: see ceiling:B. */
    if (LEAT_LIKELY(generation < atom_load_acq(&durable->ceiling))) {
        return LEAT_OK;
    }
    return ceiling_raise(durable, generation);
}
