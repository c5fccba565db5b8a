/* graph.c - jobs that wait for their parents: who counts them down, who releases and who ends them.
 * See graph.h. */
#include "engine/graph.h"
#include "engine/durable/durable.h"

#include "engine/cohort.h"
#include "engine/completion.h"
#include "engine/events.h"
#include "engine/gates.h"
#include "engine/terms.h"
#include "engine/timers.h"
#include "ring/rcu.h"

static uint32_t
index_of(uint64_t id)
{
    return (uint32_t)(id & LEAT_INDEX_NONE);
}

static leat_job_id
id_of(uint64_t word, uint32_t index)
{
    return (leat_job_id){leat_word_of(leat_word_generation(word), index)};
}

static struct leat_node *
child_of(struct leat_edge *edge)
{
    unsigned char *edges = (unsigned char *)(edge - edge->place);
    return (struct leat_node *)(void *)(edges - offsetof(struct leat_node, edges));
}

static size_t
node_bytes(uint32_t edges)
{
    return sizeof(struct leat_node) + sizeof(struct leat_edge) * edges;
}

/* ---- uses ------------------------------------------------------------------------------------ */

/* Takes the caller's hold. */
static void
use(struct leat_engine *engine, uint32_t index, struct leat_node *node)
{
    /* The number decides. rlx: ordered by uses:A */
    if (atom_add_rlx(&node->uses, 1) != 0) {
        leat_job_unhold(engine, index);
    }
}

/* The node may be gone behind this. */
static void
unuse(struct leat_engine *engine, uint32_t index, struct leat_node *node)
{
    /* uses:A acq_rel -> uses:A.  Carries: what this user read of the record.
     * If relaxed: the record could be given back under another one. */
    if (atom_sub_acq_rel(&node->uses, 1) == 1) {
        leat_durable_unused(engine, index);
        leat_job_unhold(engine, index);
    }
}

/* The child has ended, and its edges are counted. */
static void
parents_leave(struct leat_engine *engine, const struct leat_node *node)
{
    for (uint32_t i = 0; i < node->made; i++) {
        uint32_t parent = index_of(node->edges[i].parent);
        if (!node->edges[i].gone) {
            unuse(engine, parent, leat_node_there(engine, parent));
        }
    }
}

/* ---- lists of edges -------------------------------------------------------------------------- */

/* Ends: a swap fails only where another edge was put there, or all were taken. */
static void
list_push(struct leat_node *parent, struct leat_edge *edge)
{
    void *first = atom_load_rlx(&parent->children); /* rlx: hint, re-checked at tie:A */
    do {
        edge->next = first;
        /* tie:A release -> tie:B.  Carries: the edge, and its child's node.
         * If relaxed: who takes the list could read what the memory was before. */
    } while (!atom_cas_rel(&parent->children, &first, (void *)edge));
}

/* All of them, the oldest first. */
static struct leat_edge *
list_take(struct leat_node *parent)
{
    /* tie:B acquire -> tie:A.  Carries: see tie:A.
     * If relaxed: see tie:A. */
    struct leat_edge *edge = atom_swap_acq(&parent->children, (void *)NULL);
    struct leat_edge *turned = NULL;
    while (edge != NULL) {
        struct leat_edge *next = edge->next;
        edge->next = turned;
        turned = edge;
        edge = next;
    }
    return turned;
}

/* ---- a child goes on, or ends ---------------------------------------------------------------- */

static void
count_blocked(struct leat_engine *engine, int change)
{
    /* rlx: statistic */
    (void)atom_add_rlx(&engine->outside.blocked, (uint64_t)(int64_t)change);
}

void
leat_graph_unblocked(struct leat_engine *engine, uint32_t index)
{
    const struct leat_job_record *record = leat_job_record(engine, index);
    count_blocked(engine, -1);
    if (leat_node_there(engine, index)->paid) {
        leat_room_give(engine, leat_job_queue(record), leat_job_payload_bytes(record));
    }
}

/* To PENDING. False: it was ended. */
static bool
release_now(struct leat_engine *engine, uint32_t index, bool pays)
{
    const struct leat_change change = {.from = LEAT_PHASE_BLOCKED, .to = LEAT_PHASE_PENDING};
    struct leat_job_record *record = leat_job_record(engine, index);
    struct leat_stand stand = leat_queue_stand(record);
    uint64_t before = 0;
    uint64_t after = 0;
    if (pays) {
        leat_room_force(engine, stand.queue, stand.bytes);
    }
    if (atom_load_rlx(&record->submit_ns) != 0) { /* rlx: single writer */
        /* It waits for a worker from now on. rlx: ordered by change:B */
        atom_store_rlx(&record->submit_ns, leat_os_monotonic_ns());
    }
    if (!leat_job_change(leat_slab_word(&engine->jobs, index), &change, &before, &after)) {
        if (pays) {
            leat_room_give(engine, stand.queue, stand.bytes);
        }
        return false;
    }
    count_blocked(engine, -1);
    leat_rcu_enter();
    leat_gates_put(engine, stand.level, stand.queue, stand.type,
                   leat_item_of(LEAT_KIND_JOB, index));
    leat_rcu_leave(&engine->domain);
    return true;
}

/* To SCHEDULED. */
static bool
release_later(struct leat_engine *engine, uint32_t index, struct leat_due due)
{
    const struct leat_change change = {
        .from = LEAT_PHASE_BLOCKED, .to = LEAT_PHASE_SCHEDULED, .hold = true};
    uint64_t before = 0;
    uint64_t after = 0;
    leat_timers_set(engine, index, due);
    leat_timers_count(engine, LEAT_PHASE_SCHEDULED, 1);
    if (!leat_job_change(leat_slab_word(&engine->jobs, index), &change, &before, &after)) {
        leat_timers_count(engine, LEAT_PHASE_SCHEDULED, -1);
        return false;
    }
    count_blocked(engine, -1);
    leat_timers_arm(engine, index);
    /* Its time goes on from now. */
    leat_durable_note_follows(engine, id_of(before, index));
    leat_job_unhold(engine, index);
    return true;
}

/* All its parents have ended. The node may be gone behind this. */
static bool
release(struct leat_engine *engine, const struct leat_node *node)
{
    uint32_t index = node->index;
    bool counted = leat_job_counted(leat_job_record(engine, index));
    struct leat_due due = leat_timers_due(engine, node->delay_ns, node->run_at_ns);
    if (due.time == 0) {
        return release_now(engine, index, counted && !node->paid);
    }
    struct leat_stand stand = leat_queue_stand(leat_job_record(engine, index));
    bool paid = node->paid;
    bool released = release_later(engine, index, due);
    if (released && paid) {
        /* The wall clock was set back since its submit. */
        leat_room_give(engine, stand.queue, stand.bytes);
    }
    return released;
}

/* Ends a job that is BLOCKED. False: it is not. pre: it has an edge that is not counted, or the
 * caller has counted the last. */
static bool
end_blocked(struct leat_engine *engine, struct leat_node *node, enum leat_phase to,
            struct leat_todo *todo)
{
    bool failed = to == LEAT_PHASE_CANCELLED && node->cohort == NULL;
    const struct leat_change change = {
        .from = LEAT_PHASE_BLOCKED, .to = to, .set = failed ? LEAT_WORD_PARENT : 0, .hold = true};
    uint32_t index = node->index;
    leat_atomic_u64 *word = leat_slab_word(&engine->jobs, index);
    /* rlx: ordered by submit:A */
    uint32_t completion = atom_load_rlx(&leat_job_record(engine, index)->notice);
    uint64_t before = 0;
    uint64_t after = 0;
    if (!leat_job_change(word, &change, &before, &after)) {
        return false;
    }
    leat_graph_unblocked(engine, index);
    const struct leat_ending ended = {to, failed ? LEAT_REASON_PARENT : LEAT_REASON_NONE, NULL,
                                      false};
    const leat_job_id id = id_of(before, index);
    leat_events_ended(engine, index, ended);
    leat_durable_note(engine, id);
    leat_tally_share(engine, leat_tally_key_of(leat_job_record(engine, index)), leat_tally_of(to));
    leat_job_ring_bell(engine, index, leat_graph_lookers(engine, index, before));
    if (LEAT_UNLIKELY(completion != 0)) {
        const struct leat_completion_end end = {
            .id = id, .phase = ended.phase, .reason = ended.reason};
        leat_completion_deliver(engine, completion, end);
    }
    node->todo = todo->first;
    todo->first = node;
    return true;
}

/* The caller has counted the last edge. */
static void
last(struct leat_engine *engine, struct leat_node *node, bool failed, struct leat_todo *todo)
{
    if (node->cohort != NULL) {
        /* In this order in the log, see docs/design/0040. */
        leat_cohort_rest(engine, node->cohort, todo);
        (void)end_blocked(engine, node, leat_cohort_end(node->cohort), todo);
    } else if (failed) {
        (void)end_blocked(engine, node, LEAT_PHASE_CANCELLED, todo);
    } else if (release(engine, node)) {
        return;
    }
    /* It has ended, here or before: its edges let go of it. */
    uint32_t index = node->index;
    parents_leave(engine, node);
    leat_job_retire(engine, index);
}

void
leat_graph_count(struct leat_engine *engine, struct leat_node *node, struct leat_todo *todo)
{
    /* edge:B acq_rel -> edge:A, edge:B.  Carries: what the parent did, to who releases the child;
     * that it was published, to who ended a parent.
     * If relaxed: a handler could miss what the parent's handler wrote. */
    uint64_t waits = atom_sub_acq_rel(&node->waits, 1) - 1;
    if ((waits & LEAT_WAITS_COUNT) == 0) {
        last(engine, node, (waits & LEAT_WAITS_FAILED) != 0, todo);
    }
}

void
leat_graph_fail(struct leat_engine *engine, struct leat_node *node, struct leat_todo *todo)
{
    /* Where its submit is at work yet, that sees the bit.
     * edge:A acq_rel -> edge:B, edge:C.  Carries: that it was published, from its submit; the end
     * of the parent, to its submit.
     * If relaxed: a child could wait for its other parents in vain, or end before its parent. */
    (void)atom_or_acq_rel(&node->waits, LEAT_WAITS_FAILED);
    (void)end_blocked(engine, node, LEAT_PHASE_CANCELLED, todo);
}

/* ---- the end of a parent --------------------------------------------------------------------- */

uint64_t
leat_graph_look(const struct leat_engine *engine, uint32_t index)
{
    /* graph:A acq_rel -> end:A, cancel:A, change:B, let_go:B.  Carries: an edge that was put into
     * the list, to who ends the parent; or that it has ended, to who put it there.
     * If relaxed: both could miss it, and the child would wait for ever. */
    return atom_add_acq_rel(leat_slab_word(&engine->jobs, index), 0);
}

/* No one can bring it back. */
static bool
forsaken(uint64_t word)
{
    return leat_word_phase(word) == LEAT_PHASE_DEAD && (word & LEAT_WORD_LINKED) == 0;
}

/* Sees to the edges in the list of a job that ended as `word` says. True: some are in it again. */
static bool
list_settle(struct leat_engine *engine, struct leat_node *node, uint64_t word,
            struct leat_todo *todo)
{
    bool completed = leat_word_phase(word) == LEAT_PHASE_COMPLETED;
    bool may_return = leat_word_phase(word) == LEAT_PHASE_DEAD && !forsaken(word);
    bool kept = false;
    struct leat_edge *next = NULL;
    for (struct leat_edge *edge = list_take(node); edge != NULL; edge = next) {
        struct leat_node *child = child_of(edge);
        next = edge->next;
        if (child->policy == LEAT_PARENT_WAIT && may_return) {
            list_push(node, edge);
            kept = true;
            continue;
        }
        if (!completed && child->policy != LEAT_PARENT_IGNORE) {
            leat_graph_fail(engine, child, todo);
        }
        leat_graph_count(engine, child, todo);
    }
    return kept;
}

/* The same, if the job has ended. Ends: once more only where it was brought back meanwhile, and has
 * ended anew, or cannot be any more. pre: a hold, or a use. */
static void
settle(struct leat_engine *engine, uint32_t index, struct leat_node *node, struct leat_todo *todo)
{
    uint64_t word = leat_graph_look(engine, index);
    bool again = leat_phase_final(leat_word_phase(word));
    while (again) {
        bool kept = list_settle(engine, node, word, todo);
        uint64_t after = kept ? leat_graph_look(engine, index) : word;
        again = kept && leat_phase_final(leat_word_phase(after)) &&
                (leat_word_phase(after) != LEAT_PHASE_DEAD || forsaken(after) != forsaken(word));
        word = after;
    }
}

/* What the end of a job is to those around it. `blocked`: it was; then its edges let go later. pre:
 * a hold. */
static void
see_to(struct leat_engine *engine, struct leat_node *node, uint32_t index, bool blocked,
       struct leat_todo *todo)
{
    settle(engine, index, node, todo);
    if (!node->self) {
        return; /* nobody gave it a node but its children; or it was brought back */
    }
    node->self = false;
    if (node->cohort_id != 0) {
        leat_cohort_member_ended(engine, node, todo);
    }
    if (!blocked) {
        parents_leave(engine, node);
    }
    unuse(engine, index, node);
}

/* Ends: each job is there once, and was BLOCKED. */
void
leat_graph_todo(struct leat_engine *engine, struct leat_todo *todo)
{
    while (todo->first != NULL) {
        struct leat_node *node = todo->first;
        uint32_t index = node->index;
        todo->first = node->todo;
        see_to(engine, node, index, true, todo);
        leat_keys_left(engine, index);
    }
}

/* A thread that is no worker has jobs in hand. */
static void
begins(struct leat_engine *engine)
{
    if (!leat_engine_inside(engine)) {
        leat_change_begins(engine);
    }
}

static void
ends(struct leat_engine *engine)
{
    if (!leat_engine_inside(engine)) {
        leat_change_ends(engine);
    }
}

void
leat_graph_ended(struct leat_engine *engine, uint32_t index, uint64_t before)
{
    struct leat_node *node = leat_node_of(engine, index);
    struct leat_todo todo = {NULL};
    if (node == NULL) {
        return;
    }
    begins(engine);
    /* Before its children go on, and before its parents may go. */
    leat_durable_note(engine, id_of(before, index));
    see_to(engine, node, index, leat_word_phase(before) == LEAT_PHASE_BLOCKED, &todo);
    leat_graph_todo(engine, &todo);
    ends(engine);
}

void
leat_graph_forsaken(struct leat_engine *engine, uint32_t index)
{
    struct leat_node *node = leat_node_of(engine, index);
    struct leat_todo todo = {NULL};
    if (node != NULL) {
        begins(engine);
        settle(engine, index, node, &todo);
        leat_graph_todo(engine, &todo);
        ends(engine);
    }
}

uint64_t
leat_graph_lookers(const struct leat_engine *engine, uint32_t index, uint64_t before)
{
    const struct leat_node *node = leat_node_of(engine, index);
    return node != NULL && node->self ? before - LEAT_WORD_HOLD : before;
}

bool
leat_graph_keeps(const struct leat_engine *engine, uint32_t index)
{
    return leat_node_of(engine, index) != NULL;
}

/* ---- back from the dead ---------------------------------------------------------------------- */

enum leat_status
leat_graph_revive(struct leat_engine *engine, leat_job_id id, uint64_t *unless)
{
    uint32_t index = index_of(id.bits);
    struct leat_node *node = leat_node_of(engine, index);
    *unless = LEAT_WORD_HOLDS;
    if (node == NULL) {
        return LEAT_OK;
    }
    enum leat_status status = leat_job_hold(engine, id, LEAT_HOLDS_TO_LOOK, &index);
    if (status == LEAT_OK) {
        /* From now on one hold is that of the uses: a second one is somebody else's. */
        use(engine, index, node);
        *unless = LEAT_WORD_HOLDS & ~LEAT_WORD_HOLD;
    }
    return status;
}

void
leat_graph_revived(struct leat_engine *engine, uint32_t index, uint64_t unless)
{
    /* By now it may have a node that it had not before. */
    if (unless != LEAT_WORD_HOLDS) {
        unuse(engine, index, leat_node_there(engine, index));
    }
}

/* ---- submit ---------------------------------------------------------------------------------- */

enum leat_status
leat_graph_check_options(const struct leat_job_options *options, struct leat_ties *ties)
{
    bool valid = options->parents_count <= LEAT_PARENTS_MAX &&
                 (options->parents != NULL || options->parents_count == 0) &&
                 (uint32_t)options->parent_policy <= LEAT_PARENT_WAIT;
    ties->noded = ties->noded || options->parents_count != 0 || options->cohort.bits != 0;
    return valid ? LEAT_OK : LEAT_INVALID;
}

/* One more edge. pre: room for it, and a use of its parent for it. */
static struct leat_edge *
edge_make(struct leat_node *child, uint64_t parent)
{
    struct leat_edge *edge = &child->edges[child->made];
    LEAT_ASSERT(child->made < child->count);
    edge->parent = parent;
    edge->place = child->made;
    child->made++;
    return edge;
}

/* Of a parent, which may have none yet. NULL: no memory. */
static struct leat_node *
node_of_parent(struct leat_engine *engine, uint32_t index)
{
    struct leat_job_extra *extra = leat_job_extra_make(engine, leat_job_record(engine, index));
    return extra == NULL ? NULL : leat_block_make(engine, &extra->node, sizeof(struct leat_node));
}

/* From now on its record is there for a child. */
static enum leat_status
parent_use(struct leat_engine *engine, leat_job_id id)
{
    uint32_t index = 0;
    enum leat_status status = leat_job_hold(engine, id, LEAT_HOLDS_TO_LOOK, &index);
    if (status != LEAT_OK) {
        return status;
    }
    struct leat_node *node = node_of_parent(engine, index);
    if (node == NULL) {
        leat_job_unhold(engine, index);
        return LEAT_NO_MEMORY;
    }
    use(engine, index, node);
    return LEAT_OK;
}

static enum leat_status
parent_find(struct leat_engine *engine, struct leat_node *child, leat_job_id id)
{
    enum leat_status status = parent_use(engine, id);
    if (status == LEAT_OK) {
        (void)edge_make(child, id.bits);
    }
    return status;
}

static struct leat_node *
node_make(struct leat_engine *engine, uint32_t index, const struct leat_job_options *options,
          const struct leat_ties *ties)
{
    uint32_t count = options->parents_count + ties->parents;
    struct leat_job_extra *extra = leat_job_extra_make(engine, leat_job_record(engine, index));
    struct leat_node *node =
        extra == NULL ? NULL : leat_memory_take(&engine->memory, node_bytes(count));
    if (node == NULL) {
        return NULL;
    }
    node->index = index;
    node->count = count;
    node->policy = (uint8_t)options->parent_policy;
    node->paid = ties->paid;
    node->self = true;
    node->run_at_ns = options->run_at_ns;
    atom_init(&node->uses, 1);
    count += ties->held;
    atom_init(&node->waits, count == 0 && !ties->blocks ? 0 : (uint64_t)count + 1);
    atom_init(&extra->node, (void *)node);
    return node;
}

enum leat_status
leat_graph_make(struct leat_engine *engine, uint32_t index, const struct leat_job *job,
                const struct leat_ties *ties)
{
    struct leat_job_options room;
    const struct leat_job_options *options = leat_terms_read(job->options, &room);
    struct leat_node *node = node_make(engine, index, options, ties);
    if (node == NULL) {
        return LEAT_NO_MEMORY;
    }
    node->delay_ns = job->delay_ns;
    if (ties->released) {
        atom_init(&node->waits, 0);
    }
    /* rlx: not shared yet */
    if (atom_load_rlx(&node->waits) != 0) {
        count_blocked(engine, 1);
    }
    enum leat_status status = LEAT_OK;
    for (uint32_t i = 0; i < options->parents_count && status == LEAT_OK; i++) {
        status = parent_find(engine, node, options->parents[i]);
    }
    if (status == LEAT_OK && options->cohort.bits != 0) {
        bool durable = engine->durable != NULL && leat_durable_wants(engine, job);
        status = leat_cohort_enter(engine, options->cohort, durable);
        node->cohort_id = status == LEAT_OK ? options->cohort.bits : 0;
    }
    return status;
}

void
leat_graph_tie(struct leat_engine *engine, uint32_t parent, uint32_t child)
{
    struct leat_node *node = leat_node_there(engine, parent);
    uint64_t word = atom_load_rlx(leat_slab_word(&engine->jobs, parent)); /* rlx: not shared yet */
    uint64_t id = leat_word_of(leat_word_generation(word), parent);
    struct leat_edge *edge = edge_make(leat_node_there(engine, child), id);
    edge->within = true;
    (void)atom_add_rlx(&node->uses, 1); /* rlx: not shared yet */
    list_push(node, edge);
}

void
leat_graph_refuse_slowly(struct leat_engine *engine, uint32_t index)
{
    struct leat_node *node = leat_node_there(engine, index);
    /* rlx: not shared yet */
    if (atom_load_rlx(&node->waits) != 0) {
        count_blocked(engine, -1);
    }
    parents_leave(engine, node);
    if (node->cohort_id != 0) {
        struct leat_todo todo = {NULL};
        begins(engine);
        leat_durable_refused(engine, index);
        leat_cohort_leave(engine, node->cohort_id, &todo);
        node->cohort_id = 0;
        leat_graph_todo(engine, &todo);
        ends(engine);
    }
}

/* pre: the submit's own count, so that this is not the last one. */
static void
edge_gone(struct leat_engine *engine, struct leat_node *node, const struct leat_edge *edge,
          struct leat_todo *todo)
{
    if (edge->failed && node->policy != LEAT_PARENT_IGNORE) {
        leat_graph_fail(engine, node, todo);
    }
    leat_graph_count(engine, node, todo);
}

void
leat_graph_join(struct leat_engine *engine, uint32_t index)
{
    struct leat_node *node = leat_node_there(engine, index);
    struct leat_todo todo = {NULL};
    leat_job_set_put_off(leat_job_record(engine, index)); /* it did not wait since its submit */
    for (uint32_t i = 0; i < node->made; i++) {
        struct leat_edge *edge = &node->edges[i];
        uint32_t parent = index_of(edge->parent);
        if (edge->gone) {
            edge_gone(engine, node, edge, &todo);
        } else if (!edge->within) {
            list_push(leat_node_there(engine, parent), edge);
            settle(engine, parent, leat_node_there(engine, parent), &todo);
        }
    }
    /* edge:C acq_rel -> edge:A.  Carries: that it was published; the end of a parent that failed.
     * If relaxed: see edge:A. */
    if ((atom_or_acq_rel(&node->waits, 0) & LEAT_WAITS_FAILED) != 0) {
        (void)end_blocked(engine, node, LEAT_PHASE_CANCELLED, &todo);
    }
    leat_graph_count(engine, node, &todo);
    leat_graph_todo(engine, &todo);
}

/* ---- jobs of a log --------------------------------------------------------------------------- */

void
leat_graph_back_tie(struct leat_engine *engine, uint32_t index, uint64_t parent, bool failed)
{
    struct leat_edge *edge = edge_make(leat_node_there(engine, index), parent);
    edge->gone = true;
    edge->failed = failed;
}

enum leat_status
leat_graph_back_find(struct leat_engine *engine, uint32_t index)
{
    struct leat_node *node = leat_node_there(engine, index);
    for (uint32_t i = 0; i < node->made; i++) {
        const leat_job_id id = {node->edges[i].parent};
        enum leat_status status = parent_use(engine, id);
        if (status == LEAT_NO_MEMORY) {
            return status;
        }
        node->edges[i].gone = status != LEAT_OK;
    }
    return LEAT_OK;
}

enum leat_status
leat_graph_back_keep(struct leat_engine *engine, uint32_t index)
{
    struct leat_node *node = node_of_parent(engine, index);
    if (node == NULL) {
        return LEAT_NO_MEMORY;
    }
    atom_init(&node->uses, 1);
    return LEAT_OK;
}

void
leat_graph_back_drop(struct leat_engine *engine, uint32_t index)
{
    unuse(engine, index, leat_node_there(engine, index));
}

void
leat_graph_free(struct leat_engine *engine, struct leat_job_extra *extra)
{
    struct leat_node *node = leat_block(&extra->node);
    if (node != NULL) {
        leat_cohort_free(engine, node->cohort);
        leat_memory_give(&engine->memory, node, node_bytes(node->count));
    }
}

/* ---- checks ---------------------------------------------------------------------------------- */

static uint64_t
word_of(const struct leat_engine *engine, uint32_t index)
{
    return atom_load_rlx(leat_slab_word(&engine->jobs, index)); /* rlx: not shared yet */
}

bool
leat_graph_waits(const struct leat_engine *engine, uint32_t index)
{
    const struct leat_node *node = leat_node_of(engine, index);
    /* rlx: not shared yet */
    return node != NULL && (atom_load_rlx(&node->waits) & LEAT_WAITS_COUNT) != 0;
}

bool
leat_graph_uses(const struct leat_engine *engine, uint32_t index)
{
    const struct leat_node *node = leat_node_of(engine, index);
    /* Who is one of them has counted itself. rlx: ordered by uses:A */
    return node != NULL && atom_load_rlx(&node->uses) != 0;
}

/* What is wrong with the list of a job; NULL: nothing. *edges gets more. */
static const char *
list_fault(const struct leat_engine *engine, uint32_t index, const struct leat_node *node,
           uint64_t *edges)
{
    uint64_t word = word_of(engine, index);
    uint64_t id = leat_word_of(leat_word_generation(word), index);
    struct leat_edge *edge = atom_load_rlx(&node->children); /* rlx: not shared yet */
    uint32_t uses = atom_load_rlx(&node->uses);              /* rlx: not shared yet */
    uint32_t found = 0;
    for (; edge != NULL; edge = edge->next) {
        const struct leat_node *child = child_of(edge);
        if (edge->parent != id || leat_node_of(engine, child->index) != child) {
            return "an edge is in another parent's list";
        }
        if (leat_phase_final(leat_word_phase(word)) &&
            (child->policy != LEAT_PARENT_WAIT || leat_word_phase(word) != LEAT_PHASE_DEAD ||
             forsaken(word))) {
            return "an edge waits for a job that has ended";
        }
        found++;
    }
    *edges += found;
    return found > uses ? "an edge is no use of its parent" : NULL;
}

bool
leat_graph_check(struct leat_engine *engine, FILE *why)
{
    const struct leat_slab *jobs = &engine->jobs;
    const char *fault = NULL;
    uint64_t edges = 0;
    uint64_t waits = 0;
    for (uint32_t i = leat_slab_next(jobs, 0); i < jobs->capacity && fault == NULL;
         i = leat_slab_next(jobs, i + 1)) {
        uint64_t word = word_of(engine, i);
        bool in_use = (leat_word_generation(word) & 1) != 0;
        const struct leat_node *node = in_use ? leat_node_of(engine, i) : NULL;
        if (node == NULL) {
            continue;
        }
        fault = list_fault(engine, i, node, &edges);
        if (node->cohort != NULL) {
            const struct leat_node *death =
                atom_load_rlx(&node->cohort->death);            /* rlx: not shared yet */
            edges += death != NULL && death->made != 0 ? 1 : 0; /* in the cohort's hands */
        }
        if (node->made != 0) {
            waits += atom_load_rlx(&node->waits) & LEAT_WAITS_COUNT; /* rlx: not shared yet */
        }
        if (leat_word_phase(word) == LEAT_PHASE_BLOCKED && !leat_graph_waits(engine, i)) {
            fault = "a job is blocked by nothing";
        }
    }
    if (fault == NULL && edges != waits) {
        fault = "an edge is in no list";
    }
    if (fault != NULL && why != NULL) {
        (void)fprintf(why, "graph: %s\n", fault);
    }
    return fault == NULL;
}
