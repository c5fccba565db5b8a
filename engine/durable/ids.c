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
        status = leat_wal_wait(&durable->wal, leat_durable_last(durable), UINT64_MAX);
    }
    if (status == LEAT_OK) {
        /* ceiling:B release -> ceiling:A.  Carries: that it stands in the log.
         * If relaxed: an id could be given out that a later open gives out again. */
        atom_store_rel(&durable->ceiling, ceiling);
    }
    return status;
}

/* A higher ceiling stands in the log in front of whatever is appended later. */
static LEAT_COLD enum leat_status
ceiling_raise(struct leat_durable *durable, uint64_t generation)
{
    enum leat_status status = LEAT_OK;
    leat_wal_lock(&durable->wal, &durable->mutex);
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
