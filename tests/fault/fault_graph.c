/* fault_graph.c - memory that ends at each allocation of a submit in turn: of a child with parents,
 * of a graph, of a cohort. Each is refused as a whole, or taken as a whole; nothing is lost, and
 * what was refused is taken when there is memory again. And once submitted, nothing is allocated:
 * all runs to its end without memory. */
#include <string.h>

#include "engine/graph.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/memory.h"

#define CALLS_MAX 64

struct fixture {
    struct test_memory memory;
    struct leat_engine *engine;
    leat_type type;
    uint32_t runs;
};

static struct leat_outcome
run(struct leat_run *attempt, void *context)
{
    struct fixture *fixture = context;
    (void)attempt;
    fixture->runs++;
    return leat_done();
}

static struct leat_job
job_of(const struct fixture *fixture)
{
    struct leat_job job = leat_job_default();
    job.type = fixture->type;
    return job;
}

static enum leat_status
child(struct fixture *fixture)
{
    struct leat_job job = job_of(fixture);
    struct leat_job_options options = leat_job_options_default();
    leat_job_id parents[2] = {{0}};
    CHECK_OK(leat_submit(fixture->engine, &job, &parents[0]));
    CHECK_OK(leat_submit(fixture->engine, &job, &parents[1]));
    options.parents = parents;
    options.parents_count = 2;
    options.name = "n";
    job.options = &options;
    return leat_submit(fixture->engine, &job, NULL);
}

static enum leat_status
graph(struct fixture *fixture)
{
    struct leat_job jobs[3];
    for (uint32_t i = 0; i < 3; i++) {
        jobs[i] = job_of(fixture);
    }
    return leat_submit_chain(fixture->engine, jobs, 3, NULL);
}

static enum leat_status
cohort(struct fixture *fixture)
{
    struct leat_cohort_options options = leat_cohort_options_default();
    const struct leat_job job = job_of(fixture);
    leat_job_id id = {0};
    options.on_success = &job;
    options.on_death = &job;
    enum leat_status status = leat_cohort_open(fixture->engine, &options, &id);
    if (status == LEAT_OK) {
        CHECK_OK(leat_cohort_close(fixture->engine, id));
    }
    return status;
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

/* `runs`: of one that was taken. `alone`: of what it submits before. */
static void
without_memory(enum leat_status (*submit)(struct fixture *fixture), uint32_t runs, uint32_t alone)
{
    static struct fixture fixture;
    struct leat_config config = test_config();
    memset(&fixture, 0, sizeof(fixture));
    test_memory_init(&fixture.memory);
    config.workers = 0;
    config.retained_max = 0;
    config.allocator = test_memory_allocator(&fixture.memory);
    fixture.engine = test_start(&config);
    fixture.type = test_register(fixture.engine, "t", run, &fixture);
    CHECK_OK(submit(&fixture)); /* names and tables are there from now on */
    settle(&fixture);
    enum leat_status status = LEAT_NO_MEMORY;
    uint32_t refused = 0;
    while (status != LEAT_OK) {
        CHECK(refused < CALLS_MAX);
        fixture.runs = 0;
        test_memory_fail(&fixture.memory, refused, true);
        status = submit(&fixture);
        CHECK(status == LEAT_OK || status == LEAT_NO_MEMORY);
        settle(&fixture);
        test_memory_heal(&fixture.memory);
        CHECK_EQUAL(fixture.runs, status == LEAT_OK ? runs : alone);
        test_engine_check(fixture.engine);
        refused += status == LEAT_OK ? 0 : 1;
    }
    CHECK(refused > 2);
    test_close(fixture.engine);
    CHECK_EQUAL(test_memory_blocks(&fixture.memory), 0);
}

static void
children(void **unused)
{
    (void)unused;
    without_memory(child, 3, 2);
}

static void
graphs(void **unused)
{
    (void)unused;
    without_memory(graph, 3, 0);
}

static void
cohorts(void **unused)
{
    (void)unused;
    without_memory(cohort, 1, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(children),
        cmocka_unit_test(graphs),
        cmocka_unit_test(cohorts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
