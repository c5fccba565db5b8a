/* trail.c - the order of a queue's submits, see trail.h. */
#include "engine/trail.h"

#include <string.h>

#include "engine/engine_internal.h"

/* Places of a row at first: one page holds the rows of all levels. */
#define ROW_MIN 64

/* ---- rows, under the lock ------------------------------------------------------------------- */

/* The job waits, has done so since its submit, and was not run yet, or 64 times. A hint: one that
 * is put off and comes back before it is dropped is dropped all the same. */
static bool
waits(const struct leat_engine *engine, leat_job_id id)
{
    uint32_t index = (uint32_t)(id.bits & LEAT_INDEX_NONE);
    /* trailed:A acquire -> submit:A, change:B.  Carries: that it was put off before.
     * If relaxed: one that has come back could be taken for one that never left. */
    uint64_t word = atom_load_acq(leat_slab_word(&engine->jobs, index));
    return leat_word_judge(word, id) == LEAT_OK && leat_word_phase(word) == LEAT_PHASE_PENDING &&
           (word & LEAT_WORD_ATTEMPT) == 0 && !leat_job_put_off(leat_job_record(engine, index));
}

static void
pass_by(const struct leat_engine *engine, struct leat_trail_row *row)
{
    while (row->first < row->end && !waits(engine, row->ids[row->first])) {
        row->first++;
    }
}

/* Moves those that wait to the front. */
static void
tidy(const struct leat_engine *engine, struct leat_trail_row *row)
{
    uint32_t end = 0;
    for (uint32_t i = row->first; i < row->end; i++) {
        if (waits(engine, row->ids[i])) {
            row->ids[end++] = row->ids[i];
        }
    }
    row->first = 0;
    row->end = end;
}

/* Twice as many places. Without memory it stays. */
static void
grow(const struct leat_engine *engine, struct leat_trail_row *row)
{
    uint32_t capacity = row->capacity == 0 ? ROW_MIN : 2 * row->capacity;
    leat_job_id *ids = leat_memory_take(&engine->memory, sizeof(*ids) * capacity);
    if (ids == NULL) {
        return;
    }
    if (row->end != 0) {
        memcpy(ids, row->ids, sizeof(*ids) * row->end);
    }
    leat_memory_give(&engine->memory, row->ids, sizeof(*ids) * row->capacity);
    row->ids = ids;
    row->capacity = capacity;
}

static bool
oldest(const struct leat_engine *engine, struct leat_trail *trail, uint32_t level, leat_job_id *id)
{
    for (uint32_t i = LEAT_PRIORITY_LEVELS; i > level; i--) {
        struct leat_trail_row *row = &trail->rows[i - 1];
        pass_by(engine, row);
        if (row->first < row->end) {
            *id = row->ids[row->first++];
            return true;
        }
    }
    return false;
}

/* ---- calls ---------------------------------------------------------------------------------- */

void
leat_trail_add(struct leat_engine *engine, struct leat_trail *trail, uint32_t level, leat_job_id id)
{
    struct leat_trail_row *row = &trail->rows[level];
    leat_mutex_lock(&trail->mutex);
    pass_by(engine, row);
    if (row->end == row->capacity) {
        tidy(engine, row);
        if (row->end >= row->capacity / 2) {
            grow(engine, row);
        }
    }
    if (row->end < row->capacity) {
        row->ids[row->end++] = id;
    }
    leat_mutex_unlock(&trail->mutex);
}

bool
leat_trail_drop(struct leat_engine *engine, struct leat_trail *trail, uint32_t level)
{
    /* Ends: each round takes one off the trail, and one that began meanwhile made progress. */
    for (;;) {
        leat_job_id id = {0};
        leat_mutex_lock(&trail->mutex);
        bool found = oldest(engine, trail, level, &id);
        leat_mutex_unlock(&trail->mutex);
        if (!found) {
            return false;
        }
        if (leat_job_drop(engine, id)) {
            (void)atom_add_rlx(&trail->dropped, 1); /* rlx: statistic */
            return true;
        }
    }
}

bool
leat_trail_next(const struct leat_engine *engine, const struct leat_trail *trail, uint32_t level,
                struct leat_trail_look *look, struct leat_stand *stand)
{
    for (; look->rows > level; look->rows--, look->at = 0) {
        const struct leat_trail_row *row = &trail->rows[look->rows - 1];
        while (look->at < row->end - row->first) {
            leat_job_id id = row->ids[row->first + look->at++];
            if (waits(engine, id)) {
                *stand = leat_queue_stand(
                    leat_job_record(engine, (uint32_t)(id.bits & LEAT_INDEX_NONE)));
                return true;
            }
        }
    }
    return false;
}

/* ---- create and destroy --------------------------------------------------------------------- */

struct leat_trail *
leat_trail_create(struct leat_engine *engine)
{
    struct leat_trail *trail = leat_memory_take(&engine->memory, sizeof(*trail));
    if (trail != NULL) {
        leat_mutex_init(&trail->mutex);
    }
    return trail;
}

void
leat_trail_destroy(struct leat_engine *engine, struct leat_trail *trail)
{
    if (trail == NULL) {
        return;
    }
    for (uint32_t i = 0; i < LEAT_PRIORITY_LEVELS; i++) {
        struct leat_trail_row *row = &trail->rows[i];
        leat_memory_give(&engine->memory, row->ids, sizeof(*row->ids) * row->capacity);
    }
    leat_mutex_fini(&trail->mutex);
    leat_memory_give(&engine->memory, trail, sizeof(*trail));
}
