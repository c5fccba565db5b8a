/* plan.h - what an all-or-none batch needs to become a graph. */
#ifndef ENGINE_PLAN_H
#define ENGINE_PLAN_H

#include "engine/cohort.h"

/* Borrowed until the call returns. */
struct leat_plan {
    const struct leat_graph_edge *edges; /* checked: no cycle */
    size_t edges_count;
    const struct leat_ties *ties; /* by job */
    struct leat_cohort *cohort;   /* that the first job is; or NULL */
    uint32_t death;               /* the job that comes at a member's death; 0: none */
};

/* Ties the jobs to each other. pre: nothing can refuse them any more, nobody knows them yet, and
 * each that has to do with others has its node; `indices` are their records. */
void leat_plan_tie(struct leat_engine *engine, const struct leat_plan *plan,
                   const uint32_t *indices);

#endif
