/* cohort.c - the numbers of cohorts, in the log and back. Why so: docs/design/0040.
 *
 * The record that says that a member has ended is one unit with the numbers of its cohort that have
 * it. So of a cohort all units are appended under its lock, in the order in which they count. The
 * next open finds of each cohort the last numbers, and as its members those that they do not have.
 */
#include "engine/durable/internal.h"

#include <string.h>

#include "engine/plan.h"
#include "ring/mutex.h"

/* ---- counting -------------------------------------------------------------------------------- */

static struct leat_job_durable *
durable_of(const struct leat_engine *engine, uint32_t index)
{
    return leat_job_extra(leat_job_record(engine, index))->durable;
}

static struct leat_cohort *
cohort_of(const struct leat_engine *engine, uint32_t index)
{
    const struct leat_node *node = leat_node_of(engine, index);
    struct leat_cohort *cohort = node == NULL ? NULL : node->cohort;
    return cohort == NULL || !cohort->logged ? NULL : cohort;
}

/* With a hold on it; NULL: there is none. */
static struct leat_cohort *
cohort_hold(struct leat_engine *engine, uint64_t id, uint32_t *index)
{
    if (leat_durable_hold(engine, (leat_job_id){id}, index) != LEAT_OK) {
        return NULL;
    }
    struct leat_cohort *cohort = cohort_of(engine, *index);
    if (cohort == NULL) {
        leat_job_unhold(engine, *index);
    }
    return cohort;
}

/* The next one of a cohort, which is at hand and locked. */
static struct leat_durable_count
count_next(const struct leat_cohort *cohort, uint64_t id)
{
    struct leat_durable_count count = cohort->log;
    count.format = LEAT_DURABLE_FORMAT;
    count.number++;
    count.id = id;
    return count;
}

static struct leat_wal_entry
count_entry(const struct leat_durable_count *count)
{
    return (struct leat_wal_entry){
        .tag = LEAT_DURABLE_COUNT, .head = count, .head_bytes = (uint32_t)sizeof(*count)};
}

static void
counted(struct leat_durable_count *count, enum leat_phase phase)
{
    if (phase == LEAT_PHASE_COMPLETED) {
        count->completed++;
    } else if (phase == LEAT_PHASE_DEAD) {
        count->dead++;
    } else {
        count->cancelled++;
    }
}

const struct leat_wal_entry *
leat_durable_counting_begin(struct leat_engine *engine, uint32_t index, enum leat_phase phase,
                            struct leat_durable_counting *counting)
{
    const struct leat_node *node = leat_node_of(engine, index);
    struct leat_job_durable *job = durable_of(engine, index);
    counting->cohort = NULL;
    /* numbered:A acquire -> numbered:B.  Carries: that the unit was appended.
     * If relaxed: an end could stand in front of it, and a crash between find the member neither
     * there nor counted. */
    if (node == NULL || node->cohort_id == 0 || !leat_phase_final(phase) ||
        atom_load_acq(&job->counted) != 0) {
        return NULL;
    }
    struct leat_cohort *cohort = cohort_hold(engine, node->cohort_id, &counting->index);
    if (cohort == NULL) {
        return NULL; /* the numbers were lost, see docs/design/0040 */
    }
    leat_wal_lock(&engine->durable->wal, &cohort->mutex);
    if (atom_load_rlx(&job->counted) != 0) { /* rlx: ordered by numbered:A */
        leat_mutex_unlock(&cohort->mutex);
        leat_job_unhold(engine, counting->index);
        return NULL;
    }
    counting->cohort = cohort;
    counting->job = job;
    counting->phase = phase;
    counting->count = count_next(cohort, node->cohort_id);
    counted(&counting->count, phase);
    counting->entry = count_entry(&counting->count);
    return &counting->entry;
}

void
leat_durable_counting_end(struct leat_engine *engine, const struct leat_durable_counting *counting,
                          bool appended)
{
    struct leat_cohort *cohort = counting->cohort;
    if (cohort == NULL) {
        return;
    }
    if (appended) {
        cohort->log = counting->count;
        /* numbered:B release -> numbered:A.  Carries: see numbered:A.
         * If relaxed: see numbered:A. */
        atom_store_rel(&counting->job->counted, 1);
    } else {
        counting->job->outcome = counting->phase;
    }
    leat_mutex_unlock(&cohort->mutex);
    leat_job_unhold(engine, counting->index);
}

/* ---- calls ----------------------------------------------------------------------------------- */

void
leat_durable_ready(struct leat_engine *engine)
{
    if (engine->durable != NULL) {
        leat_durable_pace(engine->durable);
    }
}

void
leat_durable_cohort_closed(struct leat_engine *engine, leat_job_id id, struct leat_cohort *cohort)
{
    struct leat_durable *durable = engine->durable;
    uint64_t before = leat_durable_last(durable);
    leat_wal_lock(&engine->durable->wal, &cohort->mutex);
    /* If there is no room for it, the next one says so. */
    cohort->log.flags |= LEAT_DURABLE_CLOSED;
    const struct leat_durable_count count = count_next(cohort, id.bits);
    const struct leat_wal_entry entry = count_entry(&count);
    if (leat_durable_append(durable, &entry) == LEAT_OK) {
        cohort->log = count;
    }
    leat_mutex_unlock(&cohort->mutex);
    leat_durable_wait_less(durable, durable_of(engine, (uint32_t)(id.bits & LEAT_INDEX_NONE)),
                           before);
    leat_wal_kick(&durable->wal);
}

void
leat_durable_watch_make(const struct leat_engine *engine, const struct leat_durable_within *within,
                        struct leat_durable_watch *watch)
{
    const struct leat_durable_unit *unit = within == NULL ? NULL : within->unit;
    if (unit == NULL || unit->plan == NULL || unit->plan->cohort == NULL) {
        return;
    }
    if (within->number == 0) {
        watch->is_cohort = 1;
        watch->progress_every = unit->plan->cohort->progress_every;
    } else if (within->number == unit->plan->death) {
        uint32_t index = unit->index(unit->context, 0);
        /* rlx: not shared yet */
        uint64_t word = atom_load_rlx(leat_slab_word(&engine->jobs, index));
        watch->called_by = leat_word_of(leat_word_generation(word), index);
    }
}

/* ---- the log --------------------------------------------------------------------------------- */

enum leat_status
leat_durable_count_read(struct leat_durable_count *count, const struct leat_wal_record *record)
{
    if (record->bytes != sizeof(*count)) {
        return LEAT_CORRUPT;
    }
    memcpy(count, record->data, sizeof(*count));
    if (count->format != LEAT_DURABLE_FORMAT) {
        return LEAT_UNSUPPORTED;
    }
    return count->id == 0 ? LEAT_CORRUPT : LEAT_OK;
}

bool
leat_durable_count_renew(struct leat_engine *engine, const struct leat_wal_record *record,
                         bool copies)
{
    struct leat_durable_count count;
    uint32_t index = 0;
    struct leat_cohort *cohort = NULL;
    if (leat_durable_count_read(&count, record) == LEAT_OK) {
        cohort = cohort_hold(engine, count.id, &index);
    }
    if (cohort == NULL) {
        return false;
    }
    leat_wal_lock(&engine->durable->wal, &cohort->mutex);
    bool latest = count.number == cohort->log.number;
    if (latest && copies) {
        const struct leat_wal_entry entry = count_entry(&count);
        (void)leat_durable_append(engine->durable, &entry);
    }
    leat_mutex_unlock(&cohort->mutex);
    leat_job_unhold(engine, index);
    return latest;
}

/* ---- jobs of a log --------------------------------------------------------------------------- */

/* One that is made already, as it was submitted before. NULL: there is none. Nobody else is at the
 * engine. */
static struct leat_node *
cohort_find(struct leat_engine *engine, uint64_t id)
{
    uint32_t index = 0;
    if (id == 0 ||
        leat_job_hold(engine, (leat_job_id){id}, LEAT_HOLDS_TO_LOOK, &index) != LEAT_OK) {
        return NULL;
    }
    struct leat_node *node = cohort_of(engine, index) == NULL ? NULL : leat_node_of(engine, index);
    leat_job_unhold(engine, index);
    return node;
}

/* The one that a job waits for, to be called at its first death; NULL: that came. */
static struct leat_node *
caller_find(struct leat_engine *engine, const struct leat_revival *revival)
{
    struct leat_node *node = NULL;
    if (revival->phase == LEAT_PHASE_BLOCKED) {
        node = cohort_find(engine, revival->found->watch.called_by);
    }
    return node == NULL || !leat_cohort_waits_for_death(node->cohort) ? NULL : node;
}

/* The one that it is counted by; or NULL. */
static struct leat_node *
member_find(struct leat_engine *engine, const struct leat_revival *revival)
{
    bool lives = !leat_phase_final(revival->phase) && !revival->counted;
    return lives ? cohort_find(engine, revival->found->watch.member_of) : NULL;
}

void
leat_durable_watch_ties(struct leat_engine *engine, const struct leat_revival *revival,
                        struct leat_ties *ties)
{
    const struct leat_durable_count *count = revival->count;
    if (revival->found->watch.is_cohort != 0) {
        ties->noded = true;
        ties->held = count == NULL || (count->flags & LEAT_DURABLE_CLOSED) == 0 ? 1 : 0;
    } else if (caller_find(engine, revival) != NULL) {
        ties->held = 1;
    }
    ties->blocks = revival->phase == LEAT_PHASE_BLOCKED;
    ties->noded = ties->noded || ties->blocks || member_find(engine, revival) != NULL;
}

static enum leat_status
cohort_revive(struct leat_engine *engine, const struct leat_revival *revival,
              struct leat_node *node)
{
    const struct leat_durable_watch *watch = &revival->found->watch;
    struct leat_cohort *cohort = leat_cohort_make(engine, watch->progress_every, true);
    if (cohort == NULL) {
        return LEAT_NO_MEMORY;
    }
    if (revival->count != NULL) {
        cohort->log = *revival->count;
    }
    const struct leat_durable_count *log = &cohort->log;
    uint64_t ended = log->completed + log->dead + log->cancelled;
    atom_init(&cohort->completed, log->completed);
    atom_init(&cohort->dead, log->dead);
    atom_init(&cohort->cancelled, log->cancelled);
    atom_init(&cohort->ended, ended);
    atom_init(&cohort->total, ended);
    atom_init(&cohort->closed, (log->flags & LEAT_DURABLE_CLOSED) != 0);
    leat_cohort_bind(node, cohort, NULL);
    if (leat_phase_final(revival->phase)) {
        /* It ended before its members, or is kept: until leat_durable_graph_revive() counts. */
        node->self = false;
        atom_init(&node->waits, 1);
    }
    return LEAT_OK;
}

enum leat_status
leat_durable_watch_revive(struct leat_engine *engine, const struct leat_revival *revival,
                          uint32_t index)
{
    struct leat_node *node = leat_node_of(engine, index);
    if (node == NULL) {
        return LEAT_OK;
    }
    struct leat_node *cohort = member_find(engine, revival);
    if (cohort != NULL) {
        leat_cohort_back(cohort, node, revival->found->watch.member_of);
    }
    if (revival->found->watch.is_cohort != 0) {
        return cohort_revive(engine, revival, node);
    }
    cohort = caller_find(engine, revival);
    if (cohort != NULL) {
        leat_cohort_bind(cohort, cohort->cohort, node);
    }
    return LEAT_OK;
}
