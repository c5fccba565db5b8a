/* graph.c - jobs that wait for others, in the log and back.
 *
 * The image of a child names its parents. A parent that has ended stays in the log, as how it
 * ended and with its result, for as long as its record is there for its children: so the next open
 * finds of each child that waits all its parents, and joins them as a submit does. What a crash has
 * cut off between the end of a parent and what follows from it, follows then. Who is not there had
 * ended before the child came: the child's image says how. */
#include "engine/durable/internal.h"
#include "engine/plan.h"

static uint32_t
index_of(uint64_t id)
{
    return (uint32_t)(id & LEAT_INDEX_NONE);
}

/* ---- submit ---------------------------------------------------------------------------------- */

static size_t
first_bytes(const struct leat_durable_unit *unit)
{
    return sizeof(uint32_t) * ((size_t)unit->count + 1);
}

static size_t
parents_bytes(const struct leat_durable_unit *unit)
{
    return sizeof(uint32_t) * unit->plan->edges_count;
}

enum leat_status
leat_durable_within_init(struct leat_engine *engine, const struct leat_durable_unit *unit,
                         struct leat_durable_within *within)
{
    *within = (struct leat_durable_within){.unit = unit};
    if (unit->plan == NULL || unit->plan->edges_count == 0) {
        return LEAT_OK;
    }
    const struct leat_plan *plan = unit->plan;
    within->first = leat_memory_take(&engine->memory, first_bytes(unit));
    within->parents = leat_memory_take(&engine->memory, parents_bytes(unit));
    if (within->first == NULL || within->parents == NULL) {
        return LEAT_NO_MEMORY;
    }
    uint32_t sum = 0;
    for (uint32_t i = 0; i < unit->count; i++) {
        within->first[i] = sum;
        sum += plan->ties[i].parents;
    }
    within->first[unit->count] = sum;
    LEAT_ASSERT(sum == plan->edges_count);
    /* From the last on, so that each place is that of its first one in the end. */
    for (uint32_t i = 0; i < unit->count; i++) {
        within->first[i] += plan->ties[i].parents;
    }
    for (size_t i = plan->edges_count; i > 0; i--) {
        const struct leat_graph_edge *edge = &plan->edges[i - 1];
        within->parents[--within->first[edge->child]] = edge->parent;
    }
    return LEAT_OK;
}

void
leat_durable_within_fini(struct leat_engine *engine, struct leat_durable_within *within)
{
    if (within->first != NULL) {
        leat_memory_give(&engine->memory, within->first, first_bytes(within->unit));
    }
    if (within->parents != NULL) {
        leat_memory_give(&engine->memory, within->parents, parents_bytes(within->unit));
    }
}

/* Of a parent that the child has found. False: it is not durable. */
static bool
parent_say(const struct leat_engine *engine, uint64_t id, struct leat_durable_parent *parent)
{
    /* If it has not ended by now, who ends it sees that it has a child. */
    uint64_t word = leat_graph_look(engine, index_of(id));
    enum leat_phase phase = leat_word_phase(word);
    const struct leat_job_extra *extra = leat_job_extra(leat_job_record(engine, index_of(id)));
    *parent = (struct leat_durable_parent){id, leat_phase_final(phase) ? phase : 0};
    return extra != NULL && extra->durable != NULL;
}

/* Of one that comes with it. */
static bool
parent_within(const struct leat_engine *engine, const struct leat_durable_unit *unit,
              uint32_t number, struct leat_durable_parent *parent)
{
    uint32_t index = unit->index(unit->context, number);
    uint64_t word = atom_load_rlx(leat_slab_word(&engine->jobs, index)); /* rlx: not shared yet */
    *parent = (struct leat_durable_parent){leat_word_of(leat_word_generation(word), index), 0};
    return leat_durable_wants(engine, unit->job(unit->context, number));
}

enum leat_status
leat_durable_parents_make(struct leat_engine *engine, uint32_t index,
                          const struct leat_durable_within *within,
                          struct leat_durable_parents *parents)
{
    const struct leat_node *node = leat_graph_filled(engine, index);
    uint32_t named = node == NULL ? 0 : node->made;
    bool others = within != NULL && within->first != NULL;
    uint32_t first = others ? within->first[within->number] : 0;
    uint32_t count = others ? within->first[within->number + 1] - first : 0;
    bool durable = true;
    parents->count = named + count;
    if (parents->count == 0) {
        return LEAT_OK;
    }
    parents->all =
        leat_memory_take(&engine->memory, sizeof(struct leat_durable_parent) * parents->count);
    if (parents->all == NULL) {
        return LEAT_NO_MEMORY;
    }
    for (uint32_t i = 0; i < named; i++) {
        durable = parent_say(engine, node->edges[i].parent, &parents->all[i]) && durable;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t parent = within->parents[first + i];
        durable = parent_within(engine, within->unit, parent, &parents->all[named + i]) && durable;
    }
    return durable ? LEAT_OK : LEAT_UNSUPPORTED;
}

void
leat_durable_parents_free(struct leat_engine *engine, struct leat_durable_parents *parents)
{
    if (parents->all != NULL) {
        leat_memory_give(&engine->memory, parents->all,
                         sizeof(struct leat_durable_parent) * parents->count);
    }
}

/* ---- ends ------------------------------------------------------------------------------------ */

void
leat_durable_unused_slowly(struct leat_engine *engine, uint32_t index)
{
    /* rlx: hint, re-checked at noted:A */
    uint64_t word = atom_load_rlx(leat_slab_word(&engine->jobs, index));
    if (leat_phase_final(leat_word_phase(word))) {
        leat_durable_note(engine, (leat_job_id){leat_word_of(leat_word_generation(word), index)});
    }
}

/* ---- jobs of a log --------------------------------------------------------------------------- */

enum leat_status
leat_durable_ties_revive(struct leat_engine *engine, const struct leat_revival *revival,
                         uint32_t index)
{
    const struct leat_durable_found *found = revival->found;
    enum leat_status status = leat_durable_watch_revive(engine, revival, index);
    if (status != LEAT_OK) {
        return status;
    }
    if (revival->used) {
        return leat_graph_back_keep(engine, index);
    }
    if (found->ties.count == 0) {
        return LEAT_OK;
    }
    for (uint32_t i = 0; i < found->ties.count; i++) {
        const struct leat_durable_parent parent = leat_durable_parent_of(found, i);
        leat_graph_back_tie(engine, index, parent.id, parent.phase != LEAT_PHASE_COMPLETED);
    }
    return LEAT_OK;
}

leat_job_id
leat_durable_blocked_revive(struct leat_engine *engine, const struct leat_revival *revival,
                            const struct leat_intake *intake, bool kept)
{
    if (intake->ties.paid) {
        leat_room_force(engine, intake->queue, intake->bytes);
    }
    return leat_intake_publish(engine, intake->index, kept,
                               LEAT_PHASE_BLOCKED | LEAT_WORD_LINKED |
                                   leat_word_attempt(revival->attempts));
}

/* It is counted once more as one that has come and ended. */
void
leat_durable_used_revive(struct leat_engine *engine, const struct leat_revival *revival,
                         uint32_t index, bool kept)
{
    struct leat_job_record *record = leat_job_record(engine, index);
    const struct leat_node *node = leat_graph_filled(engine, index);
    /* A cohort may have members yet. */
    uint64_t link = node != NULL && node->cohort != NULL ? LEAT_WORD_LINKED : 0;
    atom_store_rlx(&record->reason, (uint8_t)revival->reason); /* rlx: not shared yet */
    leat_job_free_payload(engine, index);
    leat_tally_share(engine, leat_tally_key_of(record), leat_tally_of(revival->phase));
    (void)leat_intake_publish(engine, index, kept, (uint64_t)revival->phase | link);
}

static bool
is_there(const struct leat_engine *engine, uint64_t id)
{
    /* rlx: not shared yet */
    uint64_t word = atom_load_rlx(leat_slab_word(&engine->jobs, index_of(id)));
    return leat_word_generation(word) == leat_word_generation(id);
}

/* It waits, or goes on, and has a node. */
static bool
is_noded(const struct leat_engine *engine, const struct leat_durable_entry *entry)
{
    const struct leat_node *node = NULL;
    if (!leat_phase_final(entry->state.phase) && is_there(engine, entry->id)) {
        node = leat_node_of(engine, index_of(entry->id));
    }
    return node != NULL;
}

/* What had ended, and is there for others, is so from now on only as long as they are. */
static void
let_go(struct leat_engine *engine, const struct leat_durable_entry *entry)
{
    uint32_t index = index_of(entry->id);
    if (!leat_phase_final(entry->state.phase) || !is_there(engine, entry->id)) {
        return;
    }
    const struct leat_node *node = leat_node_of(engine, index);
    const bool cohort = node != NULL && node->cohort != NULL;
    if (cohort) {
        leat_graph_join(engine, index);
    }
    if (cohort || (entry->state.flags & LEAT_DURABLE_USED) != 0) {
        leat_graph_back_drop(engine, index);
    }
}

enum leat_status
leat_durable_graph_revive(struct leat_engine *engine, struct leat_durable_entry *const *entries,
                          size_t count)
{
    enum leat_status status = LEAT_OK;
    for (size_t i = 0; i < count && status == LEAT_OK; i++) {
        if (is_noded(engine, entries[i])) {
            status = leat_graph_back_find(engine, index_of(entries[i]->id));
        }
    }
    /* One that is cancelled by this, for a parent that failed, stays until it has joined. */
    for (size_t i = 0; i < count && status == LEAT_OK; i++) {
        if (entries[i]->state.phase == LEAT_PHASE_BLOCKED && is_noded(engine, entries[i])) {
            leat_graph_join(engine, index_of(entries[i]->id));
        }
    }
    for (size_t i = 0; i < count && status == LEAT_OK; i++) {
        let_go(engine, entries[i]);
    }
    return status;
}
