/* stress_graph_large.c - a graph of a million jobs in one call: a thousand layers of a thousand,
 * each job with two parents in the layer before. Each runs once, behind both; how long it takes and
 * how many bytes of the allocator a job has is said, not judged. And a failure at the top, which
 * cancels all. */
#include <inttypes.h>
#include <stdlib.h>

#include "engine/graph.h"
#include "ring/os.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"

#if LEAT_THREAD_SANITIZER
#    define LAYERS 40
#else
#    define LAYERS 1000
#endif
#define WIDTH UINT32_C(1000)
#define JOBS  (LAYERS * WIDTH) /* fit into 32 bits */

struct fixture {
    struct leat_engine *engine;
    leat_type type;
    bool fails; /* those of the first layer do */
    leat_atomic_u64 bytes;
    leat_atomic_u64 runs;
    leat_atomic_u32 *ran; /* by job */
    struct leat_job *jobs;
    uint32_t *numbers;
    struct leat_graph_edge *edges;
};

static void *
allocate(size_t bytes, size_t alignment, void *context)
{
    struct fixture *fixture = context;
    (void)atom_add_rlx(&fixture->bytes, bytes);
    return aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
}

static void
give(void *memory, size_t bytes, void *context)
{
    struct fixture *fixture = context;
    (void)atom_sub_rlx(&fixture->bytes, bytes);
    free(memory);
}

static struct leat_outcome
run(struct leat_run *attempt, void *context)
{
    struct fixture *fixture = context;
    uint32_t number = *(const uint32_t *)leat_run_payload(attempt, NULL);
    CHECK_EQUAL(atom_add_rlx(&fixture->ran[number], 1), 0);
    (void)atom_add_rlx(&fixture->runs, 1);
    if (number >= WIDTH) {
        uint32_t above = number - WIDTH;
        uint32_t beside = above % WIDTH + 1 == WIDTH ? above + 1 - WIDTH : above + 1;
        CHECK_EQUAL(atom_load_rlx(&fixture->ran[above]), 1);
        CHECK_EQUAL(atom_load_rlx(&fixture->ran[beside]), 1);
    }
    return fixture->fails ? leat_fail() : leat_done();
}

static struct fixture *
setup(void)
{
    struct leat_config config = test_config();
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    CHECK(fixture != NULL);
    fixture->ran = calloc((size_t)LAYERS * WIDTH, sizeof(*fixture->ran));
    fixture->jobs = calloc((size_t)LAYERS * WIDTH, sizeof(*fixture->jobs));
    fixture->numbers = calloc((size_t)LAYERS * WIDTH, sizeof(*fixture->numbers));
    fixture->edges = calloc((size_t)(LAYERS - 1) * WIDTH * 2, sizeof(*fixture->edges));
    CHECK(fixture->ran != NULL && fixture->jobs != NULL && fixture->numbers != NULL &&
          fixture->edges != NULL);
    config.workers = 2;
    config.jobs_max = JOBS + WIDTH;
    config.retained_max = 0;
    config.dead_max = 0;
    config.allocator = (struct leat_allocator){allocate, give, fixture};
    fixture->engine = test_open(&config);
    fixture->type = test_register(fixture->engine, "t", run, fixture);
    for (uint32_t i = 0; i < JOBS; i++) {
        fixture->numbers[i] = i;
        fixture->jobs[i] = leat_job_default();
        fixture->jobs[i].type = fixture->type;
        fixture->jobs[i].payload = &fixture->numbers[i];
        fixture->jobs[i].payload_bytes = sizeof(uint32_t);
    }
    for (uint32_t i = WIDTH; i < JOBS; i++) {
        uint32_t above = i - WIDTH;
        uint32_t beside = above % WIDTH + 1 == WIDTH ? above + 1 - WIDTH : above + 1;
        struct leat_graph_edge *edges = &fixture->edges[(size_t)above * 2];
        edges[0] = (struct leat_graph_edge){above, i};
        edges[1] = (struct leat_graph_edge){beside, i};
    }
    return fixture;
}

static void
graph(bool fails)
{
    struct fixture *fixture = setup();
    struct leat_graph graph = leat_graph_default();
    struct leat_error error;
    uint64_t before = atom_load_rlx(&fixture->bytes);
    uint64_t start_ns = leat_os_monotonic_ns();
    fixture->fails = fails;
    graph.jobs = fixture->jobs;
    const uint64_t jobs = (uint64_t)LAYERS * WIDTH;
    graph.count = jobs;
    graph.edges = fixture->edges;
    graph.edges_count = (size_t)(LAYERS - 1) * WIDTH * 2;
    CHECK_OK(leat_submit_graph(fixture->engine, &graph, NULL, &error));
    uint64_t taken_ns = leat_os_monotonic_ns();
    uint64_t bytes = atom_load_rlx(&fixture->bytes) - before;
    CHECK_OK(leat_start(fixture->engine));
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    uint64_t end_ns = leat_os_monotonic_ns();
    CHECK_EQUAL(atom_load_rlx(&fixture->runs), fails ? WIDTH : JOBS);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_blocked, 0);
    test_say("%u jobs%s: %" PRIu64 " ns each to submit, %" PRIu64 " ns to end; %" PRIu64
             " bytes each\n",
             (unsigned)jobs, fails ? ", the first layer failing" : "", (taken_ns - start_ns) / jobs,
             (end_ns - taken_ns) / jobs, bytes / jobs);
    test_close(fixture->engine);
    CHECK_EQUAL(atom_load_rlx(&fixture->bytes), 0);
    free(fixture->ran);
    free(fixture->jobs);
    free(fixture->numbers);
    free(fixture->edges);
    free(fixture);
}

static void
runs(void **unused)
{
    (void)unused;
    graph(false);
}

static void
is_cancelled(void **unused)
{
    (void)unused;
    graph(true);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs),
        cmocka_unit_test(is_cancelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
