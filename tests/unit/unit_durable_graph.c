/* unit_durable_graph.c - jobs that wait for others, in the log. A program is run to its end once;
 * then the next open goes on from each prefix of its log that has what was acknowledged: so a crash
 * comes between each two records. A child never runs before its parents have ended, none is lost,
 * and each ends as its policy says. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/durable/internal.h"
#include "tests/support/check.h"
#include "tests/support/directory.h"
#include "tests/support/engine.h"
#include "tests/support/fake_clock.h"
#include "tests/support/log_cut.h"

#define JOBS_MAX 8

enum way { WAY_DONE = 'd', WAY_FAIL = 'f', WAY_READ = 'r' };

struct world {
    char directory[32];
    struct leat_config config;
    struct test_clock clock;
    struct leat_engine *engine;
    leat_type type;
    leat_job_id ids[JOBS_MAX];
    uint32_t runs[JOBS_MAX]; /* in this life */
    char order[64];          /* numbers of those that ran, in this life */
    uint32_t images;         /* records when all was acknowledged */
    bool ended[JOBS_MAX];    /* the log that this life began with says so */
    bool results;            /* a child of two has read what they found */
};

/* ---- handlers -------------------------------------------------------------------------------- */

/* Reads what its parents have found: the payload of each. */
static void
results_read(struct leat_run *run, struct world *world)
{
    char result[8] = "";
    size_t bytes = 0;
    uint32_t count = leat_run_parents(run, NULL, 0);
    CHECK(count == 2);
    for (uint32_t i = 0; i < count; i++) {
        CHECK_OK(leat_run_parent_result(run, i, result, sizeof(result), &bytes));
        CHECK(bytes == 2 && result[1] == (char)('0' + i));
    }
    world->results = true;
}

static struct leat_outcome
handler(struct leat_run *run, void *context)
{
    struct world *world = context;
    const char *payload = leat_run_payload(run, NULL);
    uint32_t number = (uint32_t)(payload[1] - '0');
    CHECK(number < JOBS_MAX);
    world->runs[number]++;
    world->order[strlen(world->order)] = payload[1];
    if (payload[0] == WAY_FAIL) {
        return leat_fail();
    }
    if (payload[0] == WAY_READ) {
        results_read(run, world);
    }
    CHECK_OK(leat_run_result(run, payload, 2));
    return leat_done();
}

/* ---- worlds ---------------------------------------------------------------------------------- */

static void
world_open(struct world *world)
{
    memset(world->runs, 0, sizeof(world->runs));
    memset(world->order, 0, sizeof(world->order));
    world->config.log_directory = world->directory;
    world->engine = test_open(&world->config);
    world->type = test_register(world->engine, "work", handler, world);
}

static struct world *
world_make(void)
{
    struct world *world = calloc(1, sizeof(*world));
    CHECK(world != NULL);
    strcpy(world->directory, "unit_dgraph.XXXXXX");
    CHECK(mkdtemp(world->directory) != NULL);
    world->config = test_config();
    world->config.workers = 0;
    world->config.jobs_max = 64;
    world->config.retained_max = 0;
    test_clock_init(&world->clock);
    world->config.clock = test_clock_of(&world->clock);
    world->config.log_segment_bytes = UINT64_C(1) << 20;
    world->config.log_ring_bytes = UINT64_C(1) << 19;
    world_open(world);
    return world;
}

static void
world_free(struct world *world)
{
    test_directory_remove(world->directory);
    free(world);
}

static void
run_all(struct world *world)
{
    size_t ran = 0;
    if (test_state(world->engine) == LEAT_ENGINE_OPEN) {
        CHECK_OK(leat_start(world->engine));
    }
    while (leat_run_some(world->engine, 100, &ran) == LEAT_OK) {
    }
}

/* One job more, which does as its payload says: "d0" is done, and job 0. */
static leat_job_id
submit(struct world *world, const char *payload, const struct leat_job_options *options)
{
    leat_job_id id;
    struct leat_job job = leat_job_default();
    job.type = world->type;
    job.payload = payload;
    job.payload_bytes = 2;
    job.options = options;
    CHECK_OK(leat_submit(world->engine, &job, &id));
    world->ids[payload[1] - '0'] = id;
    return id;
}

static void
acknowledged(struct world *world)
{
    char copy[] = "unit_dgraph.XXXXXX";
    CHECK_OK(leat_durable_wait_all(world->engine, LEAT_DURABILITY_GROUP));
    CHECK(mkdtemp(copy) != NULL);
    test_directory_copy(world->directory, copy);
    struct test_log *log = test_log_read(copy);
    world->images = test_log_count(log);
    test_log_free(log);
    test_directory_remove(copy);
}

/* Goes on from each prefix of the log, and looks what became of it. */
static void
prefixes(struct world *world, void (*look)(struct world *world))
{
    test_close(world->engine);
    struct test_log *log = test_log_read(world->directory);
    uint32_t count = test_log_count(log);
    CHECK(world->images != 0 && count > world->images);
    for (uint32_t i = world->images; i <= count; i++) {
        test_directory_empty(world->directory);
        test_log_write(log, i, world->directory);
        for (uint32_t j = 0; j < JOBS_MAX; j++) {
            world->ended[j] = test_log_ended(log, i, world->ids[j].bits);
        }
        world_open(world);
        run_all(world);
        look(world);
        test_close(world->engine);
        world_open(world); /* nothing is left of it but dead letters */
        struct leat_statistics sum = test_statistics(world->engine);
        CHECK(sum.jobs_waiting == 0);
        test_close(world->engine);
    }
    test_log_free(log);
}

/* True if both ran and the first one did so before. */
static bool
is_before(const struct world *world, char first, char second)
{
    const char *one = strchr(world->order, first);
    const char *two = strchr(world->order, second);
    return one != NULL && two != NULL && one < two;
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void
chain_look(struct world *world)
{
    /* Who ran again ran in order; behind the first one that ran, all did. */
    CHECK(strlen(world->order) <= 3);
    CHECK(strcmp(world->order, &"012"[3 - strlen(world->order)]) == 0);
    for (uint32_t i = 0; i < 3; i++) {
        CHECK((world->runs[i] == 0) == world->ended[i]);
    }
}

static void
a_chain_goes_on_where_it_was(void **state)
{
    struct world *world = world_make();
    struct leat_job jobs[3];
    const char *const payloads[] = {"d0", "d1", "d2"};
    (void)state;
    for (uint32_t i = 0; i < 3; i++) {
        jobs[i] = leat_job_default();
        jobs[i].type = world->type;
        jobs[i].payload = payloads[i];
        jobs[i].payload_bytes = 2;
    }
    CHECK_OK(leat_submit_chain(world->engine, jobs, 3, world->ids));
    acknowledged(world);
    run_all(world);
    CHECK_TEXT(world->order, "012");
    prefixes(world, chain_look);
    world_free(world);
}

static void
results_look(struct world *world)
{
    if (world->runs[2] != 0) {
        CHECK(world->results);
        CHECK(world->runs[0] == 0 || is_before(world, '0', '2'));
        CHECK(world->runs[1] == 0 || is_before(world, '1', '2'));
    }
    for (uint32_t i = 0; i < 3; i++) {
        CHECK((world->runs[i] == 0) == world->ended[i]);
    }
    world->results = false;
}

static void
results_wait_for_their_readers(void **state)
{
    struct world *world = world_make();
    leat_job_id parents[2];
    (void)state;
    struct leat_job_options options = leat_job_options_default();
    parents[0] = submit(world, "d0", NULL);
    parents[1] = submit(world, "d1", NULL);
    options.parents = parents;
    options.parents_count = 2;
    (void)submit(world, "r2", &options);
    acknowledged(world);
    run_all(world);
    CHECK(world->results);
    prefixes(world, results_look);
    world_free(world);
}

/* 0 dies; 1 does not mind, 2 is cancelled, and so is 3, which waits for it; 4 waits for the letter
 * to come back. */
static void
failures_look(struct world *world)
{
    struct leat_job_info info = leat_job_info_default();
    const struct leat_when now = {.delay_ns = 0};
    CHECK(world->runs[2] == 0 && world->runs[3] == 0 && world->runs[4] == 0);
    CHECK(world->runs[0] == 0 || world->ended[1] || is_before(world, '0', '1'));
    CHECK((world->runs[0] == 0) == world->ended[0]);
    CHECK((world->runs[1] == 0) == world->ended[1]);
    CHECK(test_get(world->engine, world->ids[0]).state == LEAT_JOB_DEAD);
    CHECK(test_get(world->engine, world->ids[4]).state == LEAT_JOB_BLOCKED);
    CHECK(leat_get(world->engine, world->ids[2], &info) != LEAT_OK);
    CHECK(leat_get(world->engine, world->ids[3], &info) != LEAT_OK);
    CHECK_OK(leat_dead_retry(world->engine, world->ids[0], now)); /* it dies again */
    run_all(world);
    CHECK_OK(leat_dead_delete(world->engine, world->ids[0]));
    CHECK(leat_get(world->engine, world->ids[4], &info) != LEAT_OK);
}

static void
a_failure_goes_down_once_more(void **state)
{
    struct world *world = world_make();
    (void)state;
    struct leat_job_options options = leat_job_options_default();
    leat_job_id parent = submit(world, "f0", NULL);
    options.parents = &parent;
    options.parents_count = 1;
    options.parent_policy = LEAT_PARENT_IGNORE;
    (void)submit(world, "d1", &options);
    options.parent_policy = LEAT_PARENT_WAIT;
    (void)submit(world, "d4", &options);
    options.parent_policy = LEAT_PARENT_CANCEL;
    leat_job_id child = submit(world, "d2", &options);
    options.parents = &child;
    (void)submit(world, "d3", &options);
    acknowledged(world);
    run_all(world);
    CHECK(world->runs[0] == 1 && world->runs[1] == 1);
    prefixes(world, failures_look);
    world_free(world);
}

/* A parent that had ended, and been forgotten by the log, before its child came. */
static void
gone_look(struct world *world)
{
    CHECK(world->runs[0] == 0);
    CHECK((world->runs[1] == 0) == world->ended[1]);
    CHECK((world->runs[2] == 0) == world->ended[2]);
    CHECK(world->runs[1] == 0 || world->runs[2] == 0 || is_before(world, '1', '2'));
}

static void
a_parent_may_have_ended_before(void **state)
{
    struct world *world = world_make();
    leat_job_id parents[2];
    (void)state;
    test_close(world->engine);
    world->config.retained_max = 8;
    world_open(world);
    struct leat_job_options options = leat_job_options_default();
    parents[0] = submit(world, "d0", NULL);
    run_all(world);
    parents[1] = submit(world, "d1", NULL);
    options.parents = parents;
    options.parents_count = 2;
    (void)submit(world, "d2", &options);
    acknowledged(world);
    run_all(world);
    CHECK_TEXT(world->order, "012");
    prefixes(world, gone_look);
    world_free(world);
}

/* A parent that had failed, and been forgotten by the log, before its children came: they are told
 * of it once more. */
static void
forgotten_look(struct world *world)
{
    struct leat_job_info info = leat_job_info_default();
    CHECK((world->runs[1] == 0) == world->ended[1]);
    CHECK(world->runs[2] == 0);
    CHECK(leat_get(world->engine, world->ids[2], &info) != LEAT_OK ||
          info.state == LEAT_JOB_CANCELLED);
}

static void
a_failed_parent_may_be_forgotten(void **state)
{
    struct world *world = world_make();
    (void)state;
    test_close(world->engine);
    world->config.retained_max = 8;
    world_open(world);
    struct leat_job_options options = leat_job_options_default();
    leat_job_id parent = submit(world, "d0", NULL);
    CHECK_OK(leat_cancel(world->engine, parent));
    options.parents = &parent;
    options.parents_count = 1;
    options.parent_policy = LEAT_PARENT_IGNORE;
    (void)submit(world, "d1", &options);
    options.parent_policy = LEAT_PARENT_CANCEL;
    (void)submit(world, "d2", &options);
    acknowledged(world);
    run_all(world);
    CHECK_TEXT(world->order, "1");
    prefixes(world, forgotten_look);
    world_free(world);
}

/* A child is cancelled while its parent waits. Nobody uses it, and so it is over: no open finds it,
 * and counts it once more. */
static void
a_child_may_end_before_its_parent(void **state)
{
    struct world *world = world_make();
    (void)state;
    struct leat_job_options options = leat_job_options_default();
    leat_job_id parent = submit(world, "d0", NULL);
    options.parents = &parent;
    options.parents_count = 1;
    CHECK_OK(leat_cancel(world->engine, submit(world, "d1", &options)));
    CHECK_EQUAL(test_statistics(world->engine).jobs_cancelled, 1);
    test_close(world->engine);
    world_open(world);
    CHECK_EQUAL(test_statistics(world->engine).jobs_cancelled, 0);
    run_all(world);
    CHECK_TEXT(world->order, "0");
    test_close(world->engine);
    world_free(world);
}

static void
a_delay_begins_with_the_release(void **state)
{
    struct world *world = world_make();
    (void)state;
    struct leat_job job = leat_job_default();
    struct leat_job_options options = leat_job_options_default();
    leat_job_id parent = submit(world, "d0", NULL);
    leat_job_id child;
    options.parents = &parent;
    options.parents_count = 1;
    job.type = world->type;
    job.payload = "d1";
    job.payload_bytes = 2;
    job.options = &options;
    job.delay_ns = UINT64_C(3600) * 1000000000;
    CHECK_OK(leat_submit(world->engine, &job, &child));
    for (uint32_t i = 0; i < 2; i++) {
        test_close(world->engine);
        world_open(world);
        CHECK(test_get(world->engine, child).state ==
              (i == 0 ? LEAT_JOB_BLOCKED : LEAT_JOB_SCHEDULED));
        run_all(world);
        CHECK(world->runs[0] == (i == 0 ? 1U : 0U) && world->runs[1] == 0);
        (void)atom_add_rlx(&world->clock.wall, i == 0 ? UINT64_C(1800) * 1000000000 : 0);
    }
    CHECK(test_get(world->engine, child).due_in_ns > UINT64_C(1700) * 1000000000);
    CHECK(test_get(world->engine, child).due_in_ns <= UINT64_C(1800) * 1000000000);
    test_close(world->engine);
    world_free(world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_goes_on_where_it_was),
        cmocka_unit_test(results_wait_for_their_readers),
        cmocka_unit_test(a_failure_goes_down_once_more),
        cmocka_unit_test(a_parent_may_have_ended_before),
        cmocka_unit_test(a_failed_parent_may_be_forgotten),
        cmocka_unit_test(a_child_may_end_before_its_parent),
        cmocka_unit_test(a_delay_begins_with_the_release),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
