/* stress_reserved.c - threads that submit to a queue and a type with places of their own and to
 * others without, while another thread sets minimums and workers anew, pauses and caps. The others
 * never run in more places than are left; each job ends once, none is lost or stays behind, and no
 * place is taken in the end. */
#include <stdlib.h>

#include "engine/gates.h"
#include "ring/atomic.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

#define SUBMITTERS 2
#define QUEUES     3 /* with a place of its own; two without */
#define TYPES      2 /* with one; without */
#define JOBS       10000
#define ALL        (SUBMITTERS * JOBS)
#define WORKERS    4

struct fixture {
    struct leat_engine *engine;
    leat_type types[TYPES];
    leat_queue queues[QUEUES];
    uint64_t seed;
    leat_atomic_u32 busy;   /* threads that submit */
    leat_atomic_u32 others; /* that run and have no places of their own */
    leat_atomic_u32 ends[ALL];
    enum leat_status cancels[ALL];
};

static uint32_t
queue_of(uint32_t number)
{
    return number % QUEUES;
}

static uint32_t
type_of(uint32_t number)
{
    return number / QUEUES % TYPES;
}

static struct leat_outcome
run(struct leat_run *attempt, void *context)
{
    struct fixture *fixture = context;
    uint32_t number = *(const uint32_t *)leat_run_payload(attempt, NULL);
    bool other = queue_of(number) != 0 && type_of(number) != 0;
    if (other) {
        CHECK(atom_add_rlx(&fixture->others, 1) < WORKERS - 2);
        (void)atom_sub_rlx(&fixture->others, 1);
    }
    if (number % 16 == 3 && leat_run_attempt(attempt) == 1) {
        return leat_retry_in(number % 32 == 3 ? 0 : 1000000);
    }
    CHECK_EQUAL(atom_add_rlx(&fixture->ends[number], 1), 0);
    return leat_done();
}

static void
submitter(struct fixture *fixture, uint32_t thread)
{
    struct test_prng prng = {fixture->seed + thread};
    for (uint32_t i = 0; i < JOBS; i++) {
        uint32_t number = thread * JOBS + i;
        struct leat_job job = leat_job_default();
        leat_job_id id = {0};
        job.type = fixture->types[type_of(number)];
        job.queue = fixture->queues[queue_of(number)];
        job.payload = &number;
        job.payload_bytes = sizeof(number);
        job.priority = test_random_below(&prng, 8) == 0 ? 0 : LEAT_PRIORITY_OF_QUEUE;
        CHECK_OK(leat_submit(fixture->engine, &job, &id));
        fixture->cancels[number] = LEAT_ENDED;
        if (test_random_below(&prng, 4) == 0) {
            fixture->cancels[number] = leat_cancel(fixture->engine, id);
        }
    }
    (void)atom_sub_rel(&fixture->busy, 1);
}

static bool
all_ended(struct fixture *fixture)
{
    const struct leat_statistics now = test_statistics(fixture->engine);
    return atom_load_acq(&fixture->busy) == 0 &&
           now.jobs_completed + now.jobs_cancelled + now.jobs_dead == (uint64_t)ALL;
}

/* What is kept never comes to less than two places, nor are there more workers. */
static void
controller(struct fixture *fixture)
{
    struct test_prng prng = {fixture->seed + 77};
    struct leat_engine *engine = fixture->engine;
    while (!all_ended(fixture)) {
        uint32_t more = test_random_below(&prng, 2);
        CHECK_OK(leat_queue_set_running_min(engine, fixture->queues[0], 1 + more));
        test_sleep_ns(test_random_below(&prng, 3) * TEST_MS);
        CHECK_OK(leat_workers_set(engine, 3 + test_random_below(&prng, 2)));
        CHECK_OK(leat_queue_pause(engine, fixture->queues[1]));
        CHECK_OK(leat_type_set_running_max(engine, fixture->types[1], 1 + more));
        test_sleep_ns(test_random_below(&prng, 3) * TEST_MS);
        CHECK_OK(leat_queue_resume(engine, fixture->queues[1]));
    }
}

static void
thread(void *shared, uint32_t number)
{
    if (number < SUBMITTERS) {
        submitter(shared, number);
    } else {
        controller(shared);
    }
}

static void
setup(struct fixture *fixture)
{
    static const char *const queues[QUEUES] = {"kept", "one", "two"};
    static const char *const types[TYPES] = {"kept", "any"};
    struct leat_config config = test_config();
    config.workers = WORKERS;
    config.jobs_max = ALL;
    config.retained_max = 0;
    fixture->seed = test_seed("stress_reserved");
    fixture->engine = test_start(&config);
    for (uint32_t i = 0; i < QUEUES; i++) {
        struct leat_queue_options options = leat_queue_options_default();
        options.running_min = i == 0 ? 1 : 0;
        CHECK_OK(leat_queue_create(fixture->engine, queues[i], &options, &fixture->queues[i]));
    }
    for (uint32_t i = 0; i < TYPES; i++) {
        struct leat_type_options options = leat_type_options_default();
        options.running_min = i == 0 ? 1 : 0;
        CHECK_OK(leat_type_register(fixture->engine, types[i], run, fixture, &options,
                                    &fixture->types[i]));
    }
    atom_init(&fixture->busy, SUBMITTERS);
}

static void
minimums_hold(void **state)
{
    (void)state;
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    CHECK(fixture != NULL);
    setup(fixture);
    struct leat_engine *engine = fixture->engine;
    test_threads_run(SUBMITTERS + 1, thread, fixture);
    CHECK_OK(leat_drain(engine, LEAT_FOREVER));
    for (uint32_t i = 0; i < ALL; i++) {
        uint32_t ends = atom_load_rlx(&fixture->ends[i]);
        CHECK(fixture->cancels[i] != LEAT_OK || ends == 0);
        /* One that ran when it was cancelled, and asked to run again, is cancelled then. */
        CHECK(ends == 1 || fixture->cancels[i] == LEAT_OK ||
              (fixture->cancels[i] == LEAT_RUNNING && i % 16 == 3));
    }
    CHECK_EQUAL(leat_gate_used(atom_load_rlx(&engine->reserves.shared.word)), 0);
    for (uint32_t i = 0; i < engine->pool.config.queues; i++) {
        CHECK_EQUAL(leat_gate_used(atom_load_rlx(&engine->pool.queues[i].kept.word)), 0);
        CHECK_EQUAL(leat_gate_used(atom_load_rlx(&engine->pool.queues[i].gate.word)), 0);
    }
    test_close(engine);
    free(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(minimums_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
