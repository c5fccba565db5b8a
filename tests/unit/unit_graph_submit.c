/* unit_graph_submit.c - whole graphs and chains in one call: what is refused, and by which edge;
 * that nothing is taken then; the order in which the jobs of one that is taken run. No workers. */
#include <stdlib.h>
#include <string.h>

#include "engine/graph.h"
#include "engine/limits.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"

#define JOBS 512

struct fixture {
    struct leat_engine *engine;
    leat_type type;
    uint32_t count;
    uint32_t order[JOBS]; /* that of the runs, by the jobs' numbers */
    struct leat_job jobs[JOBS];
    uint32_t numbers[JOBS];
};

static struct leat_outcome
run(struct leat_run *attempt, void *context)
{
    struct fixture *fixture = context;
    uint32_t number = *(const uint32_t *)leat_run_payload(attempt, NULL);
    CHECK(fixture->count < JOBS);
    fixture->order[fixture->count++] = number;
    return leat_done();
}

static struct fixture *
setup(void)
{
    static struct fixture fixture;
    struct leat_config config = test_config();
    memset(&fixture, 0, sizeof(fixture));
    config.workers = 0;
    config.jobs_max = JOBS;
    fixture.engine = test_start(&config);
    fixture.type = test_register(fixture.engine, "t", run, &fixture);
    for (uint32_t i = 0; i < JOBS; i++) {
        fixture.numbers[i] = i;
        fixture.jobs[i] = leat_job_default();
        fixture.jobs[i].type = fixture.type;
        fixture.jobs[i].payload = &fixture.numbers[i];
        fixture.jobs[i].payload_bytes = sizeof(uint32_t);
    }
    return &fixture;
}

static void
settle(struct fixture *fixture)
{
    enum leat_status status = LEAT_OK;
    while (status == LEAT_OK) {
        status = leat_run_some(fixture->engine, 1000, NULL);
    }
    CHECK_STATUS(status, LEAT_EMPTY);
}

static enum leat_status
submit(struct fixture *fixture, size_t count, const struct leat_graph_edge *edges,
       size_t edges_count, struct leat_error *error)
{
    static leat_job_id ids[JOBS + 1];
    struct leat_graph graph = leat_graph_default();
    ids[0].bits = 7;
    graph.jobs = fixture->jobs;
    graph.count = count;
    graph.edges = edges;
    graph.edges_count = edges_count;
    enum leat_status status = leat_submit_graph(fixture->engine, &graph, ids, error);
    CHECK((status == LEAT_OK && count != 0) == (ids[0].bits != 7));
    return status;
}

static void
taken(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup();
    struct leat_error error;
    /* 3 first, then 1 and 2, then 0; 4 beside them. */
    const struct leat_graph_edge edges[] = {{3, 1}, {3, 2}, {1, 0}, {2, 0}, {3, 0}};
    fixture->jobs[0].priority = 0;
    CHECK_OK(submit(fixture, 5, edges, TEST_COUNT_OF(edges), &error));
    CHECK_EQUAL(error.status, LEAT_OK);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_blocked, 3);
    test_engine_check(fixture->engine);
    settle(fixture);
    const uint32_t order[] = {3, 4, 1, 2, 0};
    CHECK_EQUAL(fixture->count, 5);
    for (uint32_t i = 0; i < 5; i++) {
        CHECK_EQUAL(fixture->order[i], order[i]);
    }
    CHECK_OK(submit(fixture, 0, NULL, 0, &error));
    test_close(fixture->engine);
}

static void
refused(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup();
    struct leat_error error;
    const struct {
        struct leat_graph_edge edges[4];
        size_t count;
        const char *field;
        const char *text;
    } cases[] = {
        {{{0, 1}, {1, 4}}, 2, "edges[1]", "job 4 waits for job 1: there is no such job"},
        {{{4, 1}}, 1, "edges[0]", "job 1 waits for job 4: there is no such job"},
        {{{0, 1}, {2, 2}}, 2, "edges[1]", "job 2 waits for job 2: that is itself"},
        {{{0, 1}, {2, 3}, {0, 1}}, 3, "edges[0]", "job 1 waits for job 0: it is said twice"},
        {{{0, 1}, {1, 0}}, 2, "edges[", "that waits for it in turn"},
        /* 3 hangs on the cycle, and is none of it; 0 is before it. */
        {{{0, 1}, {1, 2}, {2, 1}, {2, 3}}, 4, "edges[", "that waits for it in turn"},
    };
    for (size_t i = 0; i < TEST_COUNT_OF(cases); i++) {
        CHECK_STATUS(submit(fixture, 4, cases[i].edges, cases[i].count, &error), LEAT_INVALID);
        CHECK_EQUAL(error.status, LEAT_INVALID);
        CHECK(strncmp(error.field, cases[i].field, strlen(cases[i].field)) == 0);
        CHECK(strstr(error.text, cases[i].text) != NULL);
        CHECK(strstr(error.text, "job 3") == NULL);
        CHECK_STATUS(submit(fixture, 4, cases[i].edges, cases[i].count, NULL), LEAT_INVALID);
    }
    CHECK_STATUS(submit(fixture, 0, cases[0].edges, 1, &error), LEAT_INVALID);
    CHECK_TEXT(error.field, "edges[0]");
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_submitted, 0);
    test_close(fixture->engine);
}

/* A job of the middle cannot be taken: none is. */
static void
all_or_none(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup();
    struct leat_job_options options = leat_job_options_default();
    enum leat_status statuses[3];
    leat_job_id gone = {(UINT64_C(1) << 26) | 5};
    struct leat_graph graph = leat_graph_default();
    const struct leat_graph_edge edges[] = {{0, 1}, {1, 2}};
    graph.jobs = fixture->jobs;
    graph.count = 3;
    graph.edges = edges;
    graph.edges_count = 2;
    graph.statuses = statuses;
    options.name = "n";
    fixture->jobs[0].options = &options;
    fixture->jobs[2].options = &options;
    CHECK_STATUS(leat_submit_graph(fixture->engine, &graph, NULL, NULL), LEAT_EXISTS);
    CHECK_EQUAL(statuses[2], LEAT_EXISTS);
    test_engine_check(fixture->engine);
    fixture->jobs[0].options = NULL;
    options.name = NULL;
    options.parents = &gone;
    options.parents_count = 1;
    struct leat_error error = {LEAT_OK, "?", "?"};
    CHECK_STATUS(leat_submit_graph(fixture->engine, &graph, NULL, &error), LEAT_NOT_FOUND);
    CHECK_STATUS(error.status, LEAT_NOT_FOUND);
    CHECK_TEXT(error.text, leat_status_text(LEAT_NOT_FOUND));
    CHECK_TEXT(error.field, "");
    CHECK_STATUS(leat_submit_graph(fixture->engine, NULL, NULL, &error), LEAT_INVALID);
    CHECK_TEXT(error.text, leat_status_text(LEAT_INVALID));
    CHECK_STATUS(statuses[0], LEAT_OK);
    CHECK_STATUS(statuses[1], LEAT_OK);
    CHECK_STATUS(statuses[2], LEAT_NOT_FOUND); /* it names a parent that is not there */
    test_engine_check(fixture->engine);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_submitted, 0);
    /* One of its own beside. */
    leat_job_id before = test_submit(fixture->engine, fixture->type);
    fixture->jobs[2].options = &options;
    options.parents = &before;
    CHECK_OK(leat_cancel(fixture->engine, before));
    options.parent_policy = LEAT_PARENT_IGNORE;
    CHECK_OK(leat_submit_graph(fixture->engine, &graph, NULL, NULL));
    settle(fixture);
    CHECK_EQUAL(fixture->count, 3);
    CHECK_EQUAL(fixture->order[2], 2);
    test_close(fixture->engine);
}

static void
chains(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup();
    static leat_job_id ids[JOBS];
    for (uint32_t i = 0; i < JOBS; i++) {
        fixture->jobs[i].priority = i % LEAT_PRIORITY_LEVELS;
    }
    CHECK_OK(leat_submit_chain(fixture->engine, fixture->jobs, 0, NULL));
    CHECK_OK(leat_submit_chain(fixture->engine, fixture->jobs, JOBS, ids));
    CHECK_STATUS(leat_submit_chain(fixture->engine, fixture->jobs, 1, NULL), LEAT_FULL);
    settle(fixture);
    CHECK_EQUAL(fixture->count, JOBS);
    for (uint32_t i = 0; i < JOBS; i++) {
        CHECK_EQUAL(fixture->order[i], i);
    }
    fixture->count = 0;
    CHECK_OK(leat_submit_chain(fixture->engine, fixture->jobs, 1, NULL));
    settle(fixture);
    CHECK_EQUAL(fixture->count, 1);
    test_close(fixture->engine);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(taken),
        cmocka_unit_test(refused),
        cmocka_unit_test(all_or_none),
        cmocka_unit_test(chains),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
