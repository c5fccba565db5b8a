/* clean.c - keeping the log small: a thread appends anew what is needed of the oldest segment, and
 * lets go of that. */
#include "engine/durable/internal.h"

#include <string.h>

#include "ring/rcu.h"

/* ---- what is needed -------------------------------------------------------------------------- */

/* An image is needed if it is the job's last one; a step if none of a later version stands in the
 * log. What the job is now goes to the end of the log. */
static void
job_renew(struct leat_engine *engine, const struct leat_durable_parts *parts)
{
    const struct leat_durable_state *state = &parts->state;
    const leat_job_id id = {state->id};
    uint32_t index = 0;
    if (leat_durable_hold(engine, id, &index) != LEAT_OK) {
        return;
    }
    struct leat_job_extra *extra = leat_job_extra(leat_job_record(engine, index));
    struct leat_job_durable *job = extra == NULL ? NULL : extra->durable;
    bool image = state->image != 0;
    /* rlx: statistic */
    bool latest = job != NULL && (int32_t)(state->version - atom_load_rlx(&job->noted)) >= 0;
    if (job != NULL && image && state->image == job->image) {
        leat_durable_write(engine, id, index, parts->content, state->content_bytes);
    } else if (job != NULL && !image && latest) {
        leat_durable_write(engine, id, index, NULL, 0);
    }
    leat_job_unhold(engine, index);
}

/* As it is. */
static void
record_copy(struct leat_durable *durable, const struct leat_wal_record *record)
{
    const struct leat_wal_entry entry = {
        .tag = record->tag, .data = record->data, .data_bytes = record->bytes};
    uint64_t position = 0;
    (void)leat_durable_append(durable, &entry, &position);
}

static bool
is_ceiling(const struct leat_durable *durable, const struct leat_wal_record *record)
{
    struct leat_durable_ids ids;
    memcpy(&ids, record->data, sizeof(ids));
    return ids.ceiling >= atom_load_rlx(&durable->ceiling); /* rlx: statistic */
}

static bool
record_look(void *context, struct leat_wal_place place, const struct leat_wal_record *record)
{
    struct leat_durable *durable = context;
    struct leat_durable_parts parts;
    (void)place;
    if (record->tag == LEAT_DURABLE_JOB &&
        leat_durable_parts_read(&parts, record->data, record->bytes) == LEAT_OK) {
        job_renew(durable->engine, &parts);
    } else if (record->tag == LEAT_DURABLE_SCHEDULE) {
        leat_durable_schedule_renew(durable->engine, record);
    } else if (record->tag == LEAT_DURABLE_QUEUE ||
               (record->tag == LEAT_DURABLE_IDS && is_ceiling(durable, record))) {
        record_copy(durable, record);
    }
    /* What was lost for want of space is in the old segment only, which is to stay. */
    return true;
}

/* ---- when ------------------------------------------------------------------------------------ */

static bool
is_large(struct leat_durable *durable)
{
    uint64_t live = atom_load_rlx(&durable->live_bytes); /* rlx: statistic */
    return leat_wal_oldest(&durable->wal) != 0 &&
           leat_wal_bytes(&durable->wal) > 2 * live + 2 * durable->segment_bytes;
}

/* One segment. False: it could not be let go of. */
static bool
segment_clean(struct leat_durable *durable)
{
    const struct leat_wal_reader reader = {record_look, durable};
    uint64_t lost = atom_load_rlx(&durable->lost); /* rlx: statistic */
    if (leat_wal_look(&durable->wal, &reader) != LEAT_OK ||
        lost != atom_load_rlx(&durable->lost)) { /* rlx: statistic */
        return false;
    }
    uint64_t tail = atom_load_rlx(&durable->wal.ring.tail); /* rlx: single writer */
    return leat_wal_forget(&durable->wal, tail) == LEAT_OK;
}

static void *
run(void *argument)
{
    struct leat_durable *durable = argument;
    leat_rcu_attach();
    for (;;) {
        /* clean:A acquire -> clean:B.  Carries: that the log has grown, or is to stop.
         * If relaxed: the thread could sleep beside it. */
        uint32_t event = atom_load_acq(&durable->clean_event);
        if (atom_load_rlx(&durable->clean_stop) != 0) { /* rlx: ordered by clean:A */
            return NULL;
        }
        if (!is_large(durable) || !segment_clean(durable)) {
            leat_os_futex_wait(&durable->clean_event, event, UINT64_MAX);
        }
    }
}

static void
tell(struct leat_durable *durable)
{
    /* clean:B release -> clean:A.  Carries: see clean:A.
     * If relaxed: see clean:A. */
    (void)atom_add_rel(&durable->clean_event, 1);
    leat_os_futex_wake(&durable->clean_event, 1);
}

void
leat_durable_grown(struct leat_durable *durable, uint64_t bytes)
{
    uint64_t step = durable->segment_bytes / 4;
    uint64_t before = atom_add_rlx(&durable->appended, bytes); /* rlx: statistic */
    if (LEAT_UNLIKELY(before / step != (before + bytes) / step)) {
        tell(durable);
    }
}

bool
leat_durable_clean_start(struct leat_engine *engine)
{
    struct leat_durable *durable = engine->durable;
    struct leat_os_thread_config config = {
        .run = run, .argument = durable, .name = "leat-log-clean"};
    durable->engine = engine;
    atom_store_rlx(&durable->clean_stop, 0); /* rlx: not shared yet */
    durable->cleans = leat_os_thread_start(&durable->cleaner, &config) == LEAT_OS_OK;
    return durable->cleans;
}

void
leat_durable_clean_stop(struct leat_durable *durable)
{
    if (durable->cleans) {
        atom_store_rlx(&durable->clean_stop, 1); /* rlx: ordered by clean:B */
        tell(durable);
        leat_os_thread_join(durable->cleaner);
        durable->cleans = false;
    }
}
