/* api_null_graph.h - cases of unit_api_null.c: jobs that wait for others, and cohorts. */
#ifndef TESTS_UNIT_API_NULL_GRAPH_H
#define TESTS_UNIT_API_NULL_GRAPH_H

#include "tests/unit/api_null.h"

static inline void
case_run_parents(struct world *world)
{
    leat_job_id id = {7};
    size_t bytes = 7;
    (void)world;
    CHECK_EQUAL(leat_run_parents(NULL, &id, 1), 0);
    CHECK_STATUS(leat_run_parent_result(NULL, 0, NULL, 0, &bytes), LEAT_INVALID);
    CHECK_EQUAL(leat_run_cohort(NULL).bits, 0);
    CHECK_EQUAL(id.bits, 7);
    CHECK_EQUAL(bytes, 7);
}

static inline void
case_graph(struct world *world)
{
    struct leat_graph graph = leat_graph_default();
    struct leat_job job = leat_job_default();
    leat_job_id id = {7};
    struct leat_error error;
    CHECK_STATUS(leat_submit_graph(NULL, &graph, &id, &error), LEAT_INVALID);
    CHECK_STATUS(leat_submit_graph(world->engine, NULL, &id, &error), LEAT_INVALID);
    graph.count = 1;
    CHECK_STATUS(leat_submit_graph(world->engine, &graph, &id, &error), LEAT_INVALID);
    graph.jobs = &job;
    graph.edges_count = 1;
    CHECK_STATUS(leat_submit_graph(world->engine, &graph, &id, &error), LEAT_INVALID);
    graph.version++;
    CHECK_STATUS(leat_submit_graph(world->engine, &graph, &id, &error), LEAT_UNSUPPORTED);
    CHECK_STATUS(leat_submit_chain(NULL, &job, 1, &id), LEAT_INVALID);
    CHECK_STATUS(leat_submit_chain(world->engine, NULL, 1, &id), LEAT_INVALID);
    CHECK_EQUAL(id.bits, 7);
}

static inline void
case_cohort(struct world *world)
{
    struct leat_cohort_options options = leat_cohort_options_default();
    struct leat_cohort_info info = leat_cohort_info_default();
    const leat_job_id none = {0};
    leat_job_id id = {7};
    CHECK_STATUS(leat_cohort_open(NULL, &options, &id), LEAT_INVALID);
    CHECK_STATUS(leat_cohort_open(world->engine, &options, NULL), LEAT_INVALID);
    options.version++;
    CHECK_STATUS(leat_cohort_open(world->engine, &options, &id), LEAT_UNSUPPORTED);
    CHECK_STATUS(leat_cohort_close(NULL, none), LEAT_INVALID);
    CHECK_STATUS(leat_cohort_close(world->engine, none), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_cohort_get(NULL, none, &info), LEAT_INVALID);
    CHECK_STATUS(leat_cohort_get(world->engine, none, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_cohort_get(world->engine, none, &info), LEAT_NOT_FOUND);
    CHECK_EQUAL(id.bits, 7);
}

#endif
