/* graph_submit.c - whole graphs in one call: their edges are checked, and given to the batch that
 * takes their jobs in; and what a handler asks of its parents. */
#include <stdio.h>
#include <string.h>

#include "engine/batch.h"
#include "engine/config.h"
#include "engine/plan.h"

/* What is known of a graph while its edges are checked. Arrays by job but for `children`. */
struct sketch {
    const struct leat_graph *graph;
    struct leat_error *error; /* or NULL */
    struct leat_ties *ties;
    uint32_t *first;    /* count + 1: of its children, the first one's place */
    uint32_t *children; /* by edge, those of one parent next to each other */
    uint32_t *waits;    /* parents that are not sorted yet */
    uint32_t *mark;     /* jobs that are sorted, in order; or, per job, the last parent seen + 1 */
};

/* ---- faults ---------------------------------------------------------------------------------- */

static enum leat_status
fault(const struct sketch *sketch, size_t edge, const char *what)
{
    if (sketch->error != NULL) {
        const struct leat_graph_edge *at = &sketch->graph->edges[edge];
        struct leat_error *error = sketch->error;
        memset(error, 0, sizeof(*error));
        error->status = LEAT_INVALID;
        (void)snprintf(error->field, sizeof(error->field), "edges[%zu]", edge);
        (void)snprintf(error->text, sizeof(error->text), "job %u waits for job %u: %s", at->child,
                       at->parent, what);
    }
    return LEAT_INVALID;
}

/* The first edge from a parent to a child. pre: there is one. */
static size_t
edge_find(const struct leat_graph *graph, uint32_t parent, uint32_t child)
{
    size_t edge = 0;
    while (graph->edges[edge].parent != parent || graph->edges[edge].child != child) {
        edge++;
    }
    return edge;
}

/* ---- checks ---------------------------------------------------------------------------------- */

static enum leat_status
edges_check(struct sketch *sketch)
{
    const struct leat_graph *graph = sketch->graph;
    for (size_t i = 0; i < graph->edges_count; i++) {
        const struct leat_graph_edge *edge = &graph->edges[i];
        if (edge->parent >= graph->count || edge->child >= graph->count) {
            return fault(sketch, i, "there is no such job");
        }
        if (edge->parent == edge->child) {
            return fault(sketch, i, "that is itself");
        }
        if (++sketch->waits[edge->child] > LEAT_PARENTS_MAX) {
            return fault(sketch, i, "it has too many parents");
        }
        sketch->first[edge->parent + 1]++;
    }
    return LEAT_OK;
}

/* Sorts the children by parent. */
static void
children_sort(struct sketch *sketch)
{
    const struct leat_graph *graph = sketch->graph;
    for (size_t i = 0; i < graph->count; i++) {
        sketch->first[i + 1] += sketch->first[i];
        sketch->mark[i] = sketch->first[i];
    }
    for (size_t i = 0; i < graph->edges_count; i++) {
        const struct leat_graph_edge *edge = &graph->edges[i];
        sketch->children[sketch->mark[edge->parent]++] = edge->child;
    }
}

static enum leat_status
doubles_check(struct sketch *sketch)
{
    const struct leat_graph *graph = sketch->graph;
    memset(sketch->mark, 0, sizeof(uint32_t) * graph->count);
    for (uint32_t i = 0; i < graph->count; i++) {
        for (uint32_t at = sketch->first[i]; at < sketch->first[i + 1]; at++) {
            uint32_t child = sketch->children[at];
            if (sketch->mark[child] == i + 1) {
                return fault(sketch, edge_find(graph, i, child), "it is said twice");
            }
            sketch->mark[child] = i + 1;
        }
    }
    return LEAT_OK;
}

/* Names an edge of a cycle: each job that is left has a parent that is left, so who goes from one
 * to its parent, and so on, comes to a cycle before he has met all. */
static enum leat_status
cycle_fault(struct sketch *sketch)
{
    const struct leat_graph *graph = sketch->graph;
    uint32_t at = 0;
    for (size_t i = 0; i < graph->edges_count; i++) {
        const struct leat_graph_edge *edge = &graph->edges[i];
        if (sketch->waits[edge->parent] != 0 && sketch->waits[edge->child] != 0) {
            sketch->mark[edge->child] = edge->parent;
            at = edge->child;
        }
    }
    for (size_t i = 0; i < graph->count; i++) {
        at = sketch->mark[at];
    }
    return fault(sketch, edge_find(graph, sketch->mark[at], at), "that waits for it in turn");
}

/* Kahn, Topological Sorting of Large Networks, 1962. */
static enum leat_status
cycles_check(struct sketch *sketch)
{
    const struct leat_graph *graph = sketch->graph;
    size_t sorted = 0;
    for (uint32_t i = 0; i < graph->count; i++) {
        if (sketch->waits[i] == 0) {
            sketch->mark[sorted++] = i;
        }
    }
    for (size_t done = 0; done < sorted; done++) {
        uint32_t parent = sketch->mark[done];
        for (uint32_t at = sketch->first[parent]; at < sketch->first[parent + 1]; at++) {
            uint32_t child = sketch->children[at];
            if (--sketch->waits[child] == 0) {
                sketch->mark[sorted++] = child;
            }
        }
    }
    return sorted == graph->count ? LEAT_OK : cycle_fault(sketch);
}

static enum leat_status
sketch_check(struct sketch *sketch)
{
    const struct leat_graph *graph = sketch->graph;
    enum leat_status status = edges_check(sketch);
    if (status != LEAT_OK) {
        return status;
    }
    for (size_t i = 0; i < graph->count; i++) {
        sketch->ties[i].parents = sketch->waits[i];
        sketch->ties[i].noded = sketch->waits[i] != 0 || sketch->first[i + 1] != 0;
    }
    children_sort(sketch);
    status = doubles_check(sketch);
    return status == LEAT_OK ? cycles_check(sketch) : status;
}

/* ---- tying ----------------------------------------------------------------------------------- */

void
leat_plan_tie(struct leat_engine *engine, const struct leat_plan *plan, const uint32_t *indices)
{
    for (size_t i = 0; i < plan->edges_count; i++) {
        leat_graph_tie(engine, indices[plan->edges[i].parent], indices[plan->edges[i].child]);
    }
    if (plan->cohort != NULL) {
        struct leat_node *death = NULL;
        if (plan->death != 0) {
            death = leat_node_there(engine, indices[plan->death]);
        }
        leat_cohort_bind(leat_node_there(engine, indices[0]), plan->cohort, death);
    }
}

/* ---- calls ----------------------------------------------------------------------------------- */

/* Lays the arrays into one block. */
static size_t
sketch_lay(struct sketch *sketch, unsigned char *block)
{
    size_t count = sketch->graph->count;
    size_t first = sizeof(struct leat_ties) * count;
    size_t waits = first + sizeof(uint32_t) * (count + 1);
    size_t mark = waits + sizeof(uint32_t) * count;
    size_t children = mark + sizeof(uint32_t) * count;
    if (block != NULL) {
        sketch->ties = (struct leat_ties *)(void *)block;
        sketch->first = (uint32_t *)(void *)(block + first);
        sketch->waits = (uint32_t *)(void *)(block + waits);
        sketch->mark = (uint32_t *)(void *)(block + mark);
        sketch->children = (uint32_t *)(void *)(block + children);
    }
    return children + sizeof(uint32_t) * sketch->graph->edges_count;
}

static enum leat_status
graph_check(const struct leat_engine *engine, const struct leat_graph *graph)
{
    bool valid = (graph->jobs != NULL || graph->count == 0) &&
                 (graph->edges != NULL || graph->edges_count == 0) &&
                 (graph->count <= 1 || graph->jobs->size >= sizeof(uint32_t) * 2);
    if (!valid) {
        return LEAT_INVALID;
    }
    /* So no size can overflow. */
    bool fits = graph->count <= engine->config.jobs_max && graph->edges_count <= UINT32_MAX;
    return fits ? LEAT_OK : LEAT_FULL;
}

static enum leat_status
graph_submit(struct leat_engine *engine, const struct leat_graph *graph, leat_job_id *ids,
             struct leat_error *error)
{
    struct sketch sketch = {.graph = graph, .error = error};
    size_t bytes = sketch_lay(&sketch, NULL);
    unsigned char *block = leat_memory_take(&engine->memory, bytes);
    if (block == NULL) {
        return LEAT_NO_MEMORY;
    }
    (void)sketch_lay(&sketch, block);
    enum leat_status status = sketch_check(&sketch);
    if (status == LEAT_OK) {
        const struct leat_plan plan = {
            .edges = graph->edges, .edges_count = graph->edges_count, .ties = sketch.ties};
        const struct leat_batch_part part = {.jobs = graph->jobs,
                                             .count = graph->count,
                                             .ids = ids,
                                             .statuses = graph->statuses,
                                             .deadline_ns = LEAT_FOREVER,
                                             .plan = &plan};
        status = leat_submit_all(engine, &part);
    }
    leat_memory_give(&engine->memory, block, bytes);
    return status;
}

enum leat_status
leat_submit_graph(struct leat_engine *engine, const struct leat_graph *given, leat_job_id *ids,
                  struct leat_error *error)
{
    struct leat_graph graph = leat_graph_default();
    enum leat_status status = leat_engine_check(engine);
    if (status == LEAT_OK) {
        status = given == NULL ? LEAT_INVALID : leat_struct_read(&graph, sizeof(graph), given);
    }
    if (status == LEAT_OK) {
        status = graph_check(engine, &graph);
    }
    if (error != NULL) {
        memset(error, 0, sizeof(*error));
    }
    if (status == LEAT_OK && (graph.count != 0 || graph.edges_count != 0)) {
        status = graph_submit(engine, &graph, ids, error);
    }
    if (status != LEAT_OK && error != NULL && error->text[0] == '\0') {
        return leat_error_set(error, status, "", leat_status_text(status));
    }
    return leat_error_as(error, status);
}

enum leat_status
leat_submit_chain(struct leat_engine *engine, const struct leat_job *jobs, size_t count,
                  leat_job_id *ids)
{
    struct leat_graph graph = leat_graph_default();
    enum leat_status status = leat_engine_check(engine);
    graph.jobs = jobs;
    graph.count = count;
    if (status == LEAT_OK) {
        status = graph_check(engine, &graph);
    }
    if (status != LEAT_OK || count == 0) {
        return status;
    }
    size_t bytes = sizeof(struct leat_graph_edge) * count;
    struct leat_graph_edge *edges = leat_memory_take(&engine->memory, bytes);
    if (edges == NULL) {
        return LEAT_NO_MEMORY;
    }
    for (uint32_t i = 0; i + 1 < count; i++) {
        edges[i] = (struct leat_graph_edge){i, i + 1};
    }
    graph.edges = edges;
    graph.edges_count = count - 1;
    status = graph_submit(engine, &graph, ids, NULL);
    leat_memory_give(&engine->memory, edges, bytes);
    return status;
}

/* ---- parents, for a handler ------------------------------------------------------------------ */

uint32_t
leat_run_parents(const struct leat_run *run, leat_job_id *ids, uint32_t capacity)
{
    const struct leat_node *node = run == NULL ? NULL : leat_node_of(run->engine, run->index);
    uint32_t count = node == NULL ? 0 : node->made;
    for (uint32_t i = 0; ids != NULL && i < count && i < capacity; i++) {
        ids[i].bits = node->edges[i].parent;
    }
    return count;
}

enum leat_status
leat_run_parent_result(const struct leat_run *run, uint32_t number, void *buffer, size_t capacity,
                       size_t *bytes)
{
    if (run == NULL || number >= leat_run_parents(run, NULL, 0)) {
        return LEAT_INVALID;
    }
    const leat_job_id parent = {leat_node_there(run->engine, run->index)->edges[number].parent};
    return leat_result(run->engine, parent, buffer, capacity, bytes);
}
