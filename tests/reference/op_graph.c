/* op_graph.c - what a submit says of other jobs: its parents, its cohort; and whole graphs in one
 * call, with edges that cannot be now and then. */
#include "tests/reference/submit.h"

#include <inttypes.h>
#include <string.h>

#include "ring/base.h"

#define INDEX_MASK ((UINT64_C(1) << 26) - 1)
#define EDGES_MAX  (2 * REF_BATCH)

LEAT_STATIC(REF_PARENTS > REF_PARENTS_NAMED, "a graph can add some");

/* ---- drawing --------------------------------------------------------------------------------- */

static bool
is_live(const struct ref_world *world, const struct ref_job *job)
{
    (void)world;
    return ref_live(job);
}

static bool
has_ended(const struct ref_world *world, const struct ref_job *job)
{
    (void)world;
    return ref_final(job) && !job->gone;
}

static bool
is_cohort(const struct ref_world *world, const struct ref_job *job)
{
    (void)world;
    return ref_live(job) && job->node.cohort.is;
}

static void
draw_parents(struct ref_world *world, struct ref_ties *ties)
{
    uint32_t count = 1 + ref_below(world, ref_chance(world, 50) ? 1 : REF_PARENTS_NAMED);
    ties->policy = (enum leat_parent_policy)ref_below(world, 3);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t way = ref_below(world, 10);
        struct ref_target target = way < 6   ? ref_target_of(world, is_live)
                                   : way < 9 ? ref_target_of(world, has_ended)
                                             : ref_target(world);
        ties->parents[i] = target.id;
        ties->missing[i] = target.job == NULL ? target.missing : LEAT_OK;
        if (target.job != NULL) {
            target.job->node.named = true; /* also where the submit is refused */
        }
    }
    if (count > 1 && ref_chance(world, 5)) {
        ties->parents[1] = ties->parents[0]; /* twice is once */
        ties->missing[1] = ties->missing[0];
    }
    ties->count = count;
}

static void
draw_cohort(struct ref_world *world, struct ref_ties *ties)
{
    struct ref_target target =
        ref_chance(world, 92) ? ref_target_of(world, is_cohort) : ref_target(world);
    if (target.job == NULL && ref_chance(world, 80)) {
        return;
    }
    ties->cohort = target.id;
    ties->cohort_missing = target.job == NULL ? target.missing : LEAT_OK;
}

enum leat_status
ref_ties_draw(struct ref_world *world, struct leat_job_options *options, struct ref_ties *ties)
{
    if (ref_chance(world, 50)) {
        draw_parents(world, ties);
    }
    if (ref_chance(world, 40)) {
        draw_cohort(world, ties);
    }
    options->parents = ties->parents;
    options->parents_count = ties->count;
    options->parent_policy = ties->policy;
    options->cohort = ties->cohort;
    if (!ref_chance(world, 2)) {
        return LEAT_OK;
    }
    switch (ref_below(world, 3)) {
    case 0:
        options->parent_policy = (enum leat_parent_policy)3;
        break;
    case 1:
        options->parents = NULL;
        options->parents_count = 1;
        break;
    default:
        options->parents_count = 65536;
        break;
    }
    return LEAT_INVALID;
}

/* ---- what is right --------------------------------------------------------------------------- */

static struct ref_job *
job_of(struct ref_world *world, leat_job_id id)
{
    struct ref_job *job = &world->jobs[(id.bits & INDEX_MASK) % REF_RECORDS];
    return job->id.bits == id.bits && !job->gone ? job : NULL;
}

/* The call may take its record, before it comes to hold it. */
static bool
may_go(struct ref_world *world, struct ref_job *job, bool presses)
{
    if (ref_may_be_gone(world, job)) {
        return true; /* others of its batch may have made its place let go of it */
    }
    if (ref_final(job) && !job->kept && ref_pinned(job) && !ref_pinned_surely(world, job)) {
        return true; /* or a letter be given up, for which it waits */
    }
    return presses && ref_final(job) && job->state != LEAT_JOB_DEAD && !job->kept &&
           !ref_pinned(job);
}

static uint64_t
parent_right(struct ref_world *world, const struct ref_ties *ties, uint32_t number, bool presses)
{
    struct ref_job *job = job_of(world, ties->parents[number]);
    if (ties->missing[number] != LEAT_OK) {
        return REF_ONE(ties->missing[number]);
    }
    if (job == NULL) {
        return REF_ONE(LEAT_GONE);
    }
    return REF_ONE(LEAT_OK) | (may_go(world, job, presses) ? REF_ONE(LEAT_GONE) : 0);
}

static uint64_t
cohort_right(struct ref_world *world, const struct ref_ties *ties, bool presses)
{
    struct ref_job *job = job_of(world, ties->cohort);
    if (ties->cohort_missing != LEAT_OK) {
        return REF_ONE(ties->cohort_missing);
    }
    if (job == NULL) {
        return REF_ONE(LEAT_GONE);
    }
    uint64_t right = may_go(world, job, presses) ? REF_ONE(LEAT_GONE) : 0;
    if (!job->node.cohort.is) {
        return right | REF_ONE(LEAT_WRONG_STATE);
    }
    return right | REF_ONE(job->state == LEAT_JOB_BLOCKED ? LEAT_OK : LEAT_ENDED);
}

/* Each that is missing may be the one that is told. */
uint64_t
ref_ties_right(struct ref_world *world, const struct ref_ties *ties, bool presses)
{
    uint64_t right = REF_ONE(LEAT_OK);
    bool taken = true;
    for (uint32_t i = 0; i < ties->count; i++) {
        uint64_t one = parent_right(world, ties, i, presses);
        taken = taken && (one & REF_ONE(LEAT_OK)) != 0;
        right |= one;
    }
    if (ties->cohort.bits != 0) {
        uint64_t one = cohort_right(world, ties, presses);
        taken = taken && (one & REF_ONE(LEAT_OK)) != 0;
        right |= one;
    }
    return taken ? right : right & ~REF_ONE(LEAT_OK);
}

/* ---- edges ----------------------------------------------------------------------------------- */

struct edges {
    struct leat_graph_edge all[EDGES_MAX];
    uint32_t count;
};

static bool
is_there(const struct edges *edges, uint32_t parent, uint32_t child, uint32_t but)
{
    bool found = false;
    for (uint32_t i = 0; i < edges->count; i++) {
        found =
            found || (i != but && edges->all[i].parent == parent && edges->all[i].child == child);
    }
    return found;
}

static uint32_t
parents_of(const struct edges *edges, uint32_t child)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < edges->count; i++) {
        count += edges->all[i].child == child ? 1 : 0;
    }
    return count;
}

static void
add(struct edges *edges, uint32_t parent, uint32_t child)
{
    if (edges->count < EDGES_MAX && parents_of(edges, child) < REF_PARENTS - REF_PARENTS_NAMED) {
        edges->all[edges->count++] = (struct leat_graph_edge){parent, child};
    }
}

/* In some order of the jobs, from those before to those behind: so there is no cycle. */
static void
draw_edges(struct ref_world *world, uint32_t count, struct edges *edges)
{
    uint32_t order[REF_BATCH];
    uint32_t most = ref_below(world, EDGES_MAX);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t other = ref_below(world, i + 1);
        order[i] = order[other];
        order[other] = i;
    }
    for (uint32_t i = 0; count > 1 && i < most; i++) {
        uint32_t behind = 1 + ref_below(world, count - 1);
        uint32_t before = ref_below(world, behind);
        if (!is_there(edges, order[before], order[behind], REF_NONE)) {
            add(edges, order[before], order[behind]);
        }
    }
}

static void
draw_mistake(struct ref_world *world, uint32_t count, struct edges *edges)
{
    uint32_t way = ref_below(world, 4);
    uint32_t other = edges->count == 0 ? 0 : ref_below(world, edges->count);
    if (way == 0 || edges->count == 0) {
        add(edges, ref_chance(world, 50) ? count : UINT32_MAX, 0);
    } else if (way == 1) {
        add(edges, edges->all[other].child, edges->all[other].child);
    } else if (way == 2) {
        add(edges, edges->all[other].parent, edges->all[other].child);
    } else {
        add(edges, edges->all[other].child, edges->all[other].parent);
    }
}

/* The jobs that come behind one. */
static bool
leads_to(const struct edges *edges, uint32_t from, uint32_t to, uint32_t count)
{
    bool behind[REF_BATCH] = {false};
    behind[from] = true;
    for (uint32_t round = 0; round < count; round++) {
        for (uint32_t i = 0; i < edges->count; i++) {
            const struct leat_graph_edge *edge = &edges->all[i];
            if (edge->parent < count && edge->child < count && behind[edge->parent]) {
                behind[edge->child] = true;
            }
        }
    }
    return behind[to];
}

static bool
cannot_be(const struct edges *edges, uint32_t number, uint32_t count)
{
    const struct leat_graph_edge *edge = &edges->all[number];
    return edge->parent >= count || edge->child >= count || edge->parent == edge->child ||
           is_there(edges, edge->parent, edge->child, number) ||
           leads_to(edges, edge->child, edge->parent, count);
}

/* It names an edge that is wrong. */
static void
check_error(struct ref_world *world, const struct edges *edges, uint32_t count,
            const struct leat_error *error)
{
    bool named = false;
    for (uint32_t i = 0; i < edges->count; i++) {
        char field[32];
        (void)snprintf(field, sizeof(field), "edges[%u]", i);
        named = named || (cannot_be(edges, i, count) && strcmp(field, error->field) == 0);
    }
    if (!named || error->status != LEAT_INVALID || error->text[0] == '\0') {
        ref_fail(world, NULL, "the error names \"%s\": %s", error->field, error->text);
    }
}

/* ---- operations ------------------------------------------------------------------------------ */

/* They have nothing to do with others: see docs/design/0026. */
static bool
runs_inline(const struct ref_world *world, const struct spec *specs, uint32_t count)
{
    bool any = false;
    for (uint32_t i = 0; i < count; i++) {
        any = any || ref_ties_any(&specs[i].ties);
    }
    return world->config.inline_mode && !any;
}

void
ref_op_graph(struct ref_world *world)
{
    static struct spec specs[REF_BATCH]; /* too much for a stack */
    static struct leat_job jobs[REF_BATCH];
    leat_job_id ids[REF_BATCH] = {{0}};
    enum leat_status statuses[REF_BATCH] = {LEAT_OK};
    struct edges edges = {.count = 0};
    struct leat_graph graph = leat_graph_default();
    struct leat_error error = {.status = LEAT_FORKED};
    bool wrong = false;
    uint32_t count = ref_batch_draw(world, specs, jobs, true);
    draw_edges(world, count, &edges);
    if (ref_chance(world, 6)) {
        draw_mistake(world, count, &edges);
    }
    for (uint32_t i = 0; i < edges.count; i++) {
        wrong = wrong || cannot_be(&edges, i, count);
    }
    if (edges.count == 0 && runs_inline(world, specs, count)) {
        return;
    }
    graph.jobs = jobs;
    graph.count = count;
    graph.edges = edges.all;
    graph.edges_count = edges.count;
    graph.statuses = statuses;
    ref_note(world, count, edges.count, wrong);
    enum leat_status got = leat_submit_graph(world->engine, &graph, ids, &error);
    if (wrong) {
        ref_answer(world, REF_AT_NOTHING, REF_ONE(LEAT_INVALID), got);
        check_error(world, &edges, count, &error);
        return;
    }
    world->noted->values[2] = ids[0].bits;
    const struct ref_told told = {
        .ids = ids, .statuses = statuses, .edges = edges.all, .edges_count = edges.count};
    ref_batch_judge(world, specs, count, got, &told);
    if (error.status != got || error.field[0] != '\0') {
        ref_fail(world, NULL, "the error says: %s", leat_status_text(error.status));
    }
}

void
ref_op_chain(struct ref_world *world)
{
    static struct spec specs[REF_BATCH]; /* too much for a stack */
    static struct leat_job jobs[REF_BATCH];
    leat_job_id ids[REF_BATCH] = {{0}};
    struct leat_graph_edge edges[REF_BATCH];
    uint32_t count = ref_batch_draw(world, specs, jobs, true);
    for (uint32_t i = 0; i + 1 < count; i++) {
        edges[i] = (struct leat_graph_edge){i, i + 1};
    }
    if (count < 2 && runs_inline(world, specs, count)) {
        return;
    }
    ref_note(world, count, 0, 0);
    enum leat_status got = leat_submit_chain(world->engine, jobs, count, ids);
    world->noted->values[1] = ids[0].bits;
    const struct ref_told told = {
        .ids = ids, .edges = edges, .edges_count = count == 0 ? 0 : count - 1};
    ref_batch_judge(world, specs, count, got, &told);
}
