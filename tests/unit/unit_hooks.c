/* unit_hooks.c - what happens on a worker's thread around its work: the two hooks once each, on
 * that thread, before the first and after the last handler; the thread's name and stack; what a
 * hook may call. Without workers there is no thread of ours and no hook. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ring/atomic.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/threads.h"

#define WORKERS UINT64_C(4)

struct fixture {
    struct leat_engine *engine;
    leat_type type;
    leat_atomic_u32 started[WORKERS];
    leat_atomic_u32 stopping[WORKERS];
    leat_atomic_u32 runs[WORKERS];
    leat_atomic_u32 thread[WORKERS]; /* kernel id of the worker's thread */
    size_t stack_bytes;              /* at least */
    const char *name;
    leat_atomic_u32 hook_jobs; /* submitted by hooks */
};

static size_t
own_stack(void)
{
    pthread_attr_t attributes;
    size_t bytes = 0;
    CHECK(pthread_getattr_np(pthread_self(), &attributes) == 0);
    CHECK(pthread_attr_getstacksize(&attributes, &bytes) == 0);
    (void)pthread_attr_destroy(&attributes);
    return bytes;
}

/* The thread names itself after its number; the name may come a moment after the thread. */
static bool
named(void *argument)
{
    const char *want = argument;
    char name[16];
    CHECK(pthread_getname_np(pthread_self(), name, sizeof(name)) == 0);
    return strcmp(name, want) == 0;
}

static void
hook_started(struct leat_engine *engine, uint32_t worker, void *context)
{
    struct fixture *fixture = context;
    char want[32];
    CHECK(worker < WORKERS);
    CHECK(engine == fixture->engine);
    (void)atom_add_rlx(&fixture->started[worker], 1);
    CHECK_EQUAL(atom_load_rlx(&fixture->stopping[worker]) + 1,
                atom_load_rlx(&fixture->started[worker]));
    atom_store_rlx(&fixture->thread[worker], (uint32_t)gettid());
    CHECK(gettid() != getpid());
    CHECK(own_stack() >= fixture->stack_bytes);
    if (fixture->stack_bytes != 0 && !test_sanitized()) {
        CHECK(own_stack() < fixture->stack_bytes + (256 << 10));
    }
    (void)snprintf(want, sizeof(want), "%s-%u", fixture->name, worker);
    CHECK(test_until(named, want));
}

static void
hook_stopping(struct leat_engine *engine, uint32_t worker, void *context)
{
    struct fixture *fixture = context;
    CHECK(worker < WORKERS);
    CHECK(engine == fixture->engine);
    (void)atom_add_rlx(&fixture->stopping[worker], 1);
    CHECK_EQUAL(atom_load_rlx(&fixture->stopping[worker]),
                atom_load_rlx(&fixture->started[worker]));
    CHECK_EQUAL(atom_load_rlx(&fixture->thread[worker]), (uint32_t)gettid());
}

static struct leat_outcome
counted_run(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    uint32_t worker = leat_run_worker(run);
    CHECK_EQUAL(atom_load_rlx(&fixture->thread[worker]), (uint32_t)gettid());
    CHECK_EQUAL(atom_load_rlx(&fixture->started[worker]),
                atom_load_rlx(&fixture->stopping[worker]) + 1);
    (void)atom_add_rlx(&fixture->runs[worker], 1);
    return leat_done();
}

static struct leat_config
config_of(struct fixture *fixture)
{
    struct leat_config config = test_config();
    config.workers = WORKERS;
    config.worker_started = hook_started;
    config.worker_stopping = hook_stopping;
    config.hook_context = fixture;
    config.worker_name = fixture->name;
    config.worker_stack_bytes = fixture->stack_bytes;
    return config;
}

static void
once_per_worker(struct fixture *fixture)
{
    struct leat_config config = config_of(fixture);
    fixture->engine = test_open(&config);
    fixture->type = test_register(fixture->engine, "counted", counted_run, fixture);
    for (uint32_t round = 1; round <= 3; round++) {
        uint32_t runs = 0;
        CHECK_OK(leat_start(fixture->engine));
        for (uint32_t i = 0; i < 20; i++) {
            (void)test_submit(fixture->engine, fixture->type);
        }
        CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
        CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
        for (uint32_t i = 0; i < WORKERS; i++) {
            CHECK_EQUAL(atom_load_rlx(&fixture->started[i]), round);
            CHECK_EQUAL(atom_load_rlx(&fixture->stopping[i]), round);
            runs += atom_load_rlx(&fixture->runs[i]);
        }
        CHECK_EQUAL(runs, 20 * round);
    }
    test_close(fixture->engine);
}

static void
hooks(void **state)
{
    (void)state;
    struct fixture fixture = {.name = "leat"};
    once_per_worker(&fixture);
    struct fixture small = {.name = "eleven-byte", .stack_bytes = 256 << 10};
    once_per_worker(&small);
}

static void
only_one_hook(void **state)
{
    (void)state;
    struct fixture fixture = {.name = "w"};
    struct leat_config config = config_of(&fixture);
    config.worker_stopping = NULL;
    fixture.engine = test_open(&config);
    CHECK_OK(leat_start(fixture.engine));
    test_finish(fixture.engine);
    for (uint32_t i = 0; i < WORKERS; i++) {
        CHECK_EQUAL(atom_load_rlx(&fixture.started[i]), 1);
        CHECK_EQUAL(atom_load_rlx(&fixture.stopping[i]), 0);
    }
}

/* The engine's name is copied: the caller's may be gone by the start. */
static void
name_is_copied(void **state)
{
    (void)state;
    struct fixture fixture = {.name = "short-live"};
    char name[] = "short-live";
    struct leat_config config = config_of(&fixture);
    config.worker_name = name;
    fixture.engine = test_open(&config);
    memset(name, 'x', sizeof(name));
    CHECK_OK(leat_start(fixture.engine));
    test_finish(fixture.engine);
    CHECK_EQUAL(atom_load_rlx(&fixture.started[WORKERS - 1]), 1);
}

/* ---- calls from hooks ----------------------------------------------------------------------- */

static void
busy_started(struct leat_engine *engine, uint32_t worker, void *context)
{
    struct fixture *fixture = context;
    (void)worker;
    CHECK_STATUS(leat_drain(engine, LEAT_FOREVER), LEAT_DEADLOCK);
    CHECK_STATUS(leat_stop(engine, LEAT_FOREVER), LEAT_DEADLOCK);
    CHECK_STATUS(leat_start(engine), LEAT_DEADLOCK);
    CHECK(leat_close(engine) != LEAT_OK);
    (void)test_submit(engine, fixture->type);
    (void)atom_add_rlx(&fixture->hook_jobs, 1);
}

static void
busy_stopping(struct leat_engine *engine, uint32_t worker, void *context)
{
    struct fixture *fixture = context;
    (void)worker;
    CHECK_STATUS(leat_stop(engine, LEAT_FOREVER), LEAT_DEADLOCK);
    /* From a worker work is always taken; it waits for the next start. */
    (void)test_submit(engine, fixture->type);
    (void)atom_add_rlx(&fixture->hook_jobs, 1);
}

static struct leat_outcome
done(struct leat_run *run, void *context)
{
    (void)run;
    (void)context;
    return leat_done();
}

static void
check_counts(struct leat_engine *engine, uint64_t submitted, uint64_t waiting_min)
{
    const struct leat_statistics sum = test_statistics(engine);
    CHECK_EQUAL(sum.jobs_submitted, submitted);
    CHECK(sum.jobs_waiting >= waiting_min);
}

static void
hooks_bring_work(void **state)
{
    (void)state;
    struct fixture fixture = {.name = "w"};
    struct leat_config config = config_of(&fixture);
    config.worker_started = busy_started;
    config.worker_stopping = busy_stopping;
    struct leat_engine *engine = test_open(&config);
    fixture.type = test_register(engine, "done", done, NULL);
    CHECK_OK(leat_start(engine));
    CHECK_OK(leat_stop(engine, LEAT_FOREVER));
    CHECK_EQUAL(atom_load_rlx(&fixture.hook_jobs), 2 * WORKERS);
    check_counts(engine, 2 * WORKERS, WORKERS);
    test_engine_check(engine);
    CHECK_OK(leat_start(engine));
    /* A drain does not wait for hooks that are still to come. */
    while (atom_load_rlx(&fixture.hook_jobs) < 3 * WORKERS) {
        test_sleep_ns(TEST_MS);
    }
    CHECK_OK(leat_drain(engine, LEAT_FOREVER));
    CHECK_EQUAL(test_statistics(engine).jobs_waiting, 0);
    CHECK_EQUAL(test_statistics(engine).jobs_completed, 3 * WORKERS);
    test_close(engine);
}

/* ---- start and drain ------------------------------------------------------------------------ */

static void
slow_started(struct leat_engine *engine, uint32_t worker, void *context)
{
    (void)engine;
    (void)worker;
    (void)context;
    test_sleep_ns(30 * TEST_MS);
}

struct retrying {
    leat_atomic_u32 runs;
    struct test_gate gate;
};

/* Fails while the engine is being stopped. */
static struct leat_outcome
fails_in_a_stop(struct leat_run *run, void *context)
{
    struct retrying *retrying = context;
    (void)atom_add_rlx(&retrying->runs, 1);
    test_gate_wait(&retrying->gate);
    return leat_run_attempt(run) == 1 ? leat_retry() : leat_done();
}

/* A drain right after the start, before the workers are at work, waits for what was left over from
 * before the stop: also for an attempt that failed during it. */
static void
drain_waits_for_slow_workers(void **state)
{
    (void)state;
    struct retrying retrying = {.runs = 0};
    struct leat_config config = test_config();
    test_gate_init(&retrying.gate);
    config.worker_started = slow_started;
    struct leat_engine *engine = test_start(&config);
    leat_type type = test_register(engine, "fails", fails_in_a_stop, &retrying);
    leat_job_id id = test_submit_kept(engine, type);
    test_gate_arrivals(&retrying.gate, 1);
    CHECK_STATUS(leat_stop(engine, TEST_MS), LEAT_TIMEOUT);
    test_gate_open(&retrying.gate);
    CHECK_OK(leat_stop(engine, LEAT_FOREVER));
    CHECK_EQUAL(test_get(engine, id).state, LEAT_JOB_PENDING);
    CHECK_EQUAL(test_statistics(engine).jobs_waiting, 1);
    CHECK_OK(leat_start(engine));
    CHECK_OK(leat_drain(engine, LEAT_FOREVER));
    CHECK_EQUAL(test_get(engine, id).state, LEAT_JOB_COMPLETED);
    CHECK_EQUAL(atom_load_rlx(&retrying.runs), 2);
    test_close(engine);
    test_gate_fini(&retrying.gate);
}

static void
no_workers_no_hooks(void **state)
{
    (void)state;
    struct fixture fixture = {.name = "w"};
    struct leat_config config = config_of(&fixture);
    config.workers = 0;
    struct leat_engine *engine = test_start(&config);
    leat_type type = test_register(engine, "done", done, NULL);
    (void)test_submit(engine, type);
    CHECK_OK(leat_run_some(engine, 1, NULL));
    test_finish(engine);
    for (uint32_t i = 0; i < WORKERS; i++) {
        CHECK_EQUAL(atom_load_rlx(&fixture.started[i]), 0);
        CHECK_EQUAL(atom_load_rlx(&fixture.stopping[i]), 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hooks),
        cmocka_unit_test(only_one_hook),
        cmocka_unit_test(name_is_copied),
        cmocka_unit_test(hooks_bring_work),
        cmocka_unit_test(drain_waits_for_slow_workers),
        cmocka_unit_test(no_workers_no_hooks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
