/* embed_two_engines.c - two engines in one process do not touch each other: different
 * configurations, types of the same name, ids that mean nothing to the other; handlers of one
 * submit to the other, wait for it, drain it, and are still inside their own afterwards. */
#include <stdlib.h>
#include <string.h>

#include "ring/atomic.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/threads.h"

struct pair {
    struct leat_engine *first;
    struct leat_engine *second;
    leat_type first_type;
    leat_type second_type;
    leat_atomic_u32 first_runs;
    leat_atomic_u32 second_runs;
    struct test_gate gate;
};

static struct leat_outcome
first_run(struct leat_run *run, void *context)
{
    struct pair *pair = context;
    CHECK(leat_run_engine(run) == pair->first);
    (void)atom_add_rlx(&pair->first_runs, 1);
    return leat_done();
}

static struct leat_outcome
second_run(struct leat_run *run, void *context)
{
    struct pair *pair = context;
    CHECK(leat_run_engine(run) == pair->second);
    (void)atom_add_rlx(&pair->second_runs, 1);
    return leat_done();
}

static struct pair *
setup(uint32_t second_workers)
{
    struct pair *pair = calloc(1, sizeof(*pair));
    struct leat_config config = test_config();
    CHECK(pair != NULL);
    test_gate_init(&pair->gate);
    config.workers = 2;
    config.worker_name = "first";
    pair->first = test_start(&config);
    config = test_config();
    config.workers = second_workers;
    config.ring_slots = 128;
    config.jobs_max = 999;
    config.payload_bytes_inline = 0;
    config.starvation_picks = 0;
    config.worker_name = "second";
    pair->second = test_start(&config);
    pair->first_type = test_register(pair->first, "same-name", first_run, pair);
    pair->second_type = test_register(pair->second, "same-name", second_run, pair);
    return pair;
}

static void
teardown(struct pair *pair)
{
    test_gate_open(&pair->gate);
    test_close(pair->first);
    test_close(pair->second);
    test_gate_fini(&pair->gate);
    free(pair);
}

/* ---- apart ---------------------------------------------------------------------------------- */

static void
submit_both(void *shared, uint32_t number)
{
    struct pair *pair = shared;
    struct leat_job job = leat_job_default();
    job.type_name = "same-name";
    job.payload = "a payload of forty bytes, heap or inline";
    job.payload_bytes = 40;
    for (uint32_t i = 0; i < 2000; i++) {
        struct leat_engine *engine = (i + number) % 2 == 0 ? pair->first : pair->second;
        enum leat_status status = LEAT_FULL;
        while (status == LEAT_FULL) {
            status = leat_submit(engine, &job, NULL);
        }
        CHECK_STATUS(status, LEAT_OK);
    }
}

static void
both_at_once(void **state)
{
    (void)state;
    struct pair *pair = setup(1);
    test_threads_run(3, submit_both, pair);
    CHECK_OK(leat_drain(pair->first, LEAT_FOREVER));
    CHECK_OK(leat_drain(pair->second, LEAT_FOREVER));
    CHECK_EQUAL(atom_load_rlx(&pair->first_runs), 3000);
    CHECK_EQUAL(atom_load_rlx(&pair->second_runs), 3000);
    CHECK_EQUAL(test_statistics(pair->first).jobs_completed, 3000);
    CHECK_EQUAL(test_statistics(pair->second).jobs_completed, 3000);
    CHECK_EQUAL(test_statistics(pair->first).workers, 2);
    CHECK_EQUAL(test_statistics(pair->second).workers, 1);
    teardown(pair);
}

/* What happens to one does not happen to the other. */
static void
states_are_apart(void **state)
{
    (void)state;
    struct pair *pair = setup(1);
    leat_type type = {0};
    CHECK_OK(leat_drain(pair->first, LEAT_FOREVER));
    CHECK_EQUAL(test_state(pair->second), LEAT_ENGINE_RUNNING);
    (void)test_submit(pair->second, pair->second_type);
    CHECK_OK(leat_stop(pair->first, LEAT_FOREVER));
    CHECK_OK(leat_type_register(pair->first, "only-here", first_run, pair, NULL, NULL));
    CHECK_STATUS(leat_type_find(pair->second, "only-here", &type), LEAT_NOT_FOUND);
    CHECK_OK(leat_close(pair->first));
    leat_job_id id = test_submit_kept(pair->second, pair->second_type);
    CHECK_EQUAL(test_wait(pair->second, id).state, LEAT_JOB_COMPLETED);
    CHECK_OK(leat_release(pair->second, id));
    struct leat_config config = test_config();
    pair->first = test_start(&config);
    CHECK_OK(leat_drain(pair->second, LEAT_FOREVER));
    CHECK_EQUAL(atom_load_rlx(&pair->second_runs), 2);
    teardown(pair);
}

/* ---- a handler of one at work on the other -------------------------------------------------- */

static struct leat_outcome
visits(struct leat_run *run, void *context)
{
    struct pair *pair = context;
    leat_job_id id = test_submit_kept(pair->second, pair->second_type);
    CHECK_EQUAL(test_wait(pair->second, id).state, LEAT_JOB_COMPLETED);
    CHECK_OK(leat_release(pair->second, id));
    /* Here, too, it only must not wait for itself. */
    CHECK_STATUS(leat_wait(pair->first, leat_run_id(run), LEAT_FOREVER, NULL), LEAT_DEADLOCK);
    return leat_done();
}

static void
a_handler_submits_and_waits(void **state)
{
    (void)state;
    struct pair *pair = setup(1);
    leat_type type = test_register(pair->first, "visits", visits, pair);
    for (uint32_t i = 0; i < 20; i++) {
        (void)test_submit(pair->first, type);
    }
    CHECK_OK(leat_drain(pair->first, LEAT_FOREVER));
    CHECK_EQUAL(atom_load_rlx(&pair->second_runs), 20);
    teardown(pair);
}

/* Drains and stops the other engine from a handler, and is then still inside its own: work it
 * brings is taken though its engine is draining, and waiting calls say DEADLOCK. */
static struct leat_outcome
drains(struct leat_run *run, void *context)
{
    struct pair *pair = context;
    struct leat_engine *own = leat_run_engine(run);
    test_gate_wait(&pair->gate);
    while (test_state(own) != LEAT_ENGINE_DRAINING) {
        test_sleep_ns(TEST_MS / 10);
    }
    (void)test_submit(pair->second, pair->second_type);
    CHECK_OK(leat_drain(pair->second, LEAT_FOREVER));
    CHECK_OK(leat_stop(pair->second, LEAT_FOREVER));
    CHECK_STATUS(leat_stop(own, 0), LEAT_DEADLOCK);
    CHECK_STATUS(leat_drain(own, 0), LEAT_DEADLOCK);
    CHECK_STATUS(leat_wait(own, leat_run_id(run), 1, NULL), LEAT_DEADLOCK);
    (void)test_submit(own, pair->first_type);
    CHECK_OK(leat_start(pair->second));
    return leat_done();
}

static void
drained_from_a_handler(uint32_t second_workers)
{
    struct pair *pair = setup(second_workers);
    leat_type type = test_register(pair->first, "drains", drains, pair);
    (void)test_submit(pair->first, type);
    test_gate_open(&pair->gate);
    CHECK_OK(leat_drain(pair->first, LEAT_FOREVER));
    CHECK_EQUAL(atom_load_rlx(&pair->first_runs), 1);
    CHECK_EQUAL(atom_load_rlx(&pair->second_runs), 1);
    teardown(pair);
}

static void
a_handler_drains_the_other(void **state)
{
    (void)state;
    drained_from_a_handler(1);
}

/* The same, where the drain runs the other engine's work in this very handler. */
static void
a_handler_lends_itself(void **state)
{
    (void)state;
    drained_from_a_handler(0);
}

static struct leat_outcome
nests(struct leat_run *run, void *context)
{
    struct pair *pair = context;
    CHECK(leat_run_engine(run) == pair->first);
    (void)test_submit(pair->second, pair->second_type);
    CHECK_OK(leat_run_some(pair->second, 10, NULL));
    CHECK_STATUS(leat_stop(pair->first, 0), LEAT_DEADLOCK);
    (void)test_submit(pair->first, pair->first_type);
    return leat_retry();
}

static void
a_handler_runs_some_of_the_other(void **state)
{
    (void)state;
    struct pair *pair = setup(0);
    leat_type type = test_register(pair->first, "nests", nests, pair);
    (void)test_submit(pair->first, type);
    CHECK_OK(leat_drain(pair->first, LEAT_FOREVER));
    /* Three attempts. */
    CHECK_EQUAL(atom_load_rlx(&pair->first_runs), 3);
    CHECK_EQUAL(atom_load_rlx(&pair->second_runs), 3);
    teardown(pair);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_at_once),
        cmocka_unit_test(states_are_apart),
        cmocka_unit_test(a_handler_submits_and_waits),
        cmocka_unit_test(a_handler_drains_the_other),
        cmocka_unit_test(a_handler_lends_itself),
        cmocka_unit_test(a_handler_runs_some_of_the_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
