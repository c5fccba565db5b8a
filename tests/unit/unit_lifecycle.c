/* unit_lifecycle.c - every call in every state of an engine: OPEN, RUNNING, DRAINING, STOPPING,
 * STOPPED. What waits runs after the next start and has used up no attempt; drains and stops that
 * run out of time, and go on; calls that would wait for the handler that makes them; work that
 * handlers bring while the engine is closed to others. */
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "ring/atomic.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/threads.h"

#define SHORT_NS (20 * TEST_MS)

struct fixture {
    struct leat_engine *engine;
    struct test_gate gate; /* holds handlers of the type "held" */
    leat_type held;
    leat_type counted;
    leat_atomic_u32 runs;         /* of "counted" */
    leat_atomic_u32 last_attempt; /* of "counted" */
    leat_atomic_u32 cancelled;    /* "held" saw its flag at the end */
    leat_atomic_u32 tasks;
};

static struct leat_outcome
held_run(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    test_gate_wait(&fixture->gate);
    atom_store_rlx(&fixture->cancelled, leat_run_cancelled(run) ? 1 : 0);
    return leat_done();
}

static struct leat_outcome
counted_run(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    atom_store_rlx(&fixture->last_attempt, leat_run_attempt(run));
    (void)atom_add_rlx(&fixture->runs, 1);
    return leat_done();
}

static void
task_run(void *argument)
{
    struct fixture *fixture = argument;
    (void)atom_add_rlx(&fixture->tasks, 1);
}

static struct fixture *
setup(void)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct leat_config config = test_config();
    CHECK(fixture != NULL);
    test_gate_init(&fixture->gate);
    config.jobs_max = 128; /* so that the rings are full first */
    fixture->engine = test_open(&config);
    fixture->held = test_register(fixture->engine, "held", held_run, fixture);
    fixture->counted = test_register(fixture->engine, "counted", counted_run, fixture);
    return fixture;
}

static void
teardown(struct fixture *fixture)
{
    test_gate_open(&fixture->gate);
    test_close(fixture->engine);
    test_gate_fini(&fixture->gate);
    free(fixture);
}

/* Brings one handler to stand at the gate. */
static leat_job_id
hold_one(struct fixture *fixture)
{
    leat_job_id id = test_submit_kept(fixture->engine, fixture->held);
    test_gate_arrivals(&fixture->gate, 1);
    return id;
}

/* What submits and posts answer in the present state. */
static void
takes_work(struct fixture *fixture, enum leat_status want)
{
    struct leat_engine *engine = fixture->engine;
    struct leat_job job = leat_job_default();
    enum leat_status statuses[2] = {LEAT_TIMEOUT, LEAT_TIMEOUT};
    const struct leat_task tasks[2] = {{task_run, fixture}, {task_run, fixture}};
    leat_job_id ids[2] = {{7}, {7}};
    size_t posted = 77;
    job.type = fixture->counted;
    const struct leat_job jobs[2] = {job, job};
    CHECK_STATUS(leat_submit(engine, &job, &ids[0]), want);
    CHECK((ids[0].bits == 7) == (want != LEAT_OK));
    CHECK_STATUS(leat_submit(engine, &job, NULL), want);
    CHECK_STATUS(leat_submit_batch(engine, jobs, 2, LEAT_BATCH_EACH, ids, statuses), want);
    CHECK((ids[1].bits == 0) == (want != LEAT_OK));
    CHECK_STATUS(statuses[0], want);
    CHECK_STATUS(statuses[1], want);
    ids[0].bits = 7;
    CHECK_STATUS(leat_submit_batch(engine, jobs, 2, LEAT_BATCH_ALL_OR_NONE, ids, NULL), want);
    CHECK((ids[0].bits == 7) == (want != LEAT_OK));
    CHECK_STATUS(leat_post(engine, 3, task_run, fixture), want);
    CHECK_STATUS(leat_post_batch(engine, 3, tasks, 2, &posted), want);
    CHECK_EQUAL(posted, want == LEAT_OK ? 2 : 0);
}

/* Calls that every state takes. */
static void
always_answered(struct fixture *fixture, enum leat_engine_state want)
{
    struct leat_engine *engine = fixture->engine;
    uint64_t delay_ns = 1;
    leat_type type = {0};
    leat_queue queue = {0};
    struct leat_worker_statistics worker = leat_worker_statistics_default();
    const leat_job_id never = {0};
    CHECK_EQUAL(test_state(engine), want);
    CHECK_OK(leat_thread_attach(engine));
    CHECK_OK(leat_next_due(engine, &delay_ns));
    CHECK_OK(leat_type_find(engine, "held", &type));
    CHECK_STATUS(leat_type_register(engine, "held", held_run, fixture, NULL, NULL), LEAT_EXISTS);
    CHECK_STATUS(leat_queue_create(engine, "default", NULL, &queue), LEAT_EXISTS);
    CHECK_OK(leat_worker_statistics_get(engine, 0, &worker));
    (void)test_statistics(engine);
    CHECK_STATUS(leat_cancel(engine, never), LEAT_NOT_FOUND);
    CHECK_EQUAL(test_state(engine), want);
}

/* ---- the states ----------------------------------------------------------------------------- */

static void
open_state(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    size_t ran = 77;
    always_answered(fixture, LEAT_ENGINE_OPEN);
    CHECK_STATUS(leat_drain(fixture->engine, 0), LEAT_WRONG_STATE);
    CHECK_STATUS(leat_run_some(fixture->engine, 1, &ran), LEAT_WRONG_STATE);
    CHECK_EQUAL(ran, 77);
    takes_work(fixture, LEAT_OK);
    /* Nothing runs before the start. */
    test_sleep_ns(SHORT_NS);
    CHECK_EQUAL(atom_load_rlx(&fixture->runs), 0);
    CHECK_EQUAL(atom_load_rlx(&fixture->tasks), 0);
    always_answered(fixture, LEAT_ENGINE_OPEN);
    CHECK_OK(leat_start(fixture->engine));
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    CHECK_EQUAL(atom_load_rlx(&fixture->runs), 6);
    CHECK_EQUAL(atom_load_rlx(&fixture->tasks), 3);
    teardown(fixture);
}

static void
running_state(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    CHECK_OK(leat_start(fixture->engine));
    always_answered(fixture, LEAT_ENGINE_RUNNING);
    takes_work(fixture, LEAT_OK);
    CHECK_STATUS(leat_start(fixture->engine), LEAT_WRONG_STATE);
    CHECK_STATUS(leat_close(fixture->engine), LEAT_WRONG_STATE);
    CHECK_STATUS(leat_run_some(fixture->engine, 1, NULL), LEAT_WRONG_STATE);
    always_answered(fixture, LEAT_ENGINE_RUNNING);
    CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
    teardown(fixture);
}

static void
draining_state(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    CHECK_OK(leat_start(fixture->engine));
    leat_job_id held = hold_one(fixture);
    leat_job_id behind = test_submit_kept(fixture->engine, fixture->counted);
    CHECK_STATUS(leat_drain(fixture->engine, SHORT_NS), LEAT_TIMEOUT);
    CHECK_STATUS(leat_drain(fixture->engine, 0), LEAT_TIMEOUT);
    always_answered(fixture, LEAT_ENGINE_DRAINING);
    takes_work(fixture, LEAT_CLOSED);
    CHECK_STATUS(leat_start(fixture->engine), LEAT_WRONG_STATE);
    CHECK_STATUS(leat_close(fixture->engine), LEAT_WRONG_STATE);
    CHECK_STATUS(leat_run_some(fixture->engine, 1, NULL), LEAT_WRONG_STATE);
    CHECK_STATUS(leat_wait(fixture->engine, behind, SHORT_NS, NULL), LEAT_TIMEOUT);
    test_gate_open(&fixture->gate);
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    /* Still draining, and a second drain has nothing to wait for. */
    always_answered(fixture, LEAT_ENGINE_DRAINING);
    takes_work(fixture, LEAT_CLOSED);
    CHECK_OK(leat_drain(fixture->engine, 0));
    CHECK_EQUAL(test_get(fixture->engine, held).state, LEAT_JOB_COMPLETED);
    CHECK_EQUAL(test_get(fixture->engine, behind).state, LEAT_JOB_COMPLETED);
    CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
    CHECK_OK(leat_release(fixture->engine, held));
    CHECK_OK(leat_release(fixture->engine, behind));
    teardown(fixture);
}

static void
stopping_state(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    CHECK_OK(leat_start(fixture->engine));
    leat_job_id held = hold_one(fixture);
    leat_job_id behind = test_submit_kept(fixture->engine, fixture->counted);
    CHECK(!test_get(fixture->engine, held).cancel_requested);
    CHECK_STATUS(leat_stop(fixture->engine, SHORT_NS), LEAT_TIMEOUT);
    always_answered(fixture, LEAT_ENGINE_STOPPING);
    takes_work(fixture, LEAT_CLOSED);
    CHECK_STATUS(leat_stop(fixture->engine, 0), LEAT_TIMEOUT);
    CHECK_STATUS(leat_start(fixture->engine), LEAT_WRONG_STATE);
    CHECK_STATUS(leat_drain(fixture->engine, 0), LEAT_WRONG_STATE);
    CHECK_STATUS(leat_close(fixture->engine), LEAT_WRONG_STATE);
    /* It has workers, and it is stopping: either is true. */
    enum leat_status lent = leat_run_some(fixture->engine, 1, NULL);
    CHECK(lent == LEAT_WRONG_STATE || lent == LEAT_CLOSED);
    CHECK_EQUAL(test_get(fixture->engine, held).state, LEAT_JOB_RUNNING);
    test_gate_open(&fixture->gate);
    CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
    /* Past the timeout the running handler was told; it went on and is done. */
    CHECK_EQUAL(atom_load_rlx(&fixture->cancelled), 1);
    CHECK_EQUAL(test_get(fixture->engine, held).state, LEAT_JOB_COMPLETED);
    CHECK_EQUAL(test_get(fixture->engine, behind).state, LEAT_JOB_PENDING);
    CHECK_EQUAL(atom_load_rlx(&fixture->runs), 0);
    CHECK_OK(leat_release(fixture->engine, held));
    teardown(fixture);
}

static void
stopped_state(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    CHECK_OK(leat_start(fixture->engine));
    CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
    always_answered(fixture, LEAT_ENGINE_STOPPED);
    takes_work(fixture, LEAT_CLOSED);
    CHECK_STATUS(leat_drain(fixture->engine, 0), LEAT_WRONG_STATE);
    enum leat_status lent = leat_run_some(fixture->engine, 1, NULL);
    CHECK(lent == LEAT_WRONG_STATE || lent == LEAT_CLOSED);
    CHECK_OK(leat_stop(fixture->engine, 0));
    CHECK_OK(leat_start(fixture->engine));
    always_answered(fixture, LEAT_ENGINE_RUNNING);
    takes_work(fixture, LEAT_OK);
    CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
    /* Also one that never started can be stopped, and started then. */
    struct fixture *fresh = setup();
    takes_work(fresh, LEAT_OK);
    CHECK_OK(leat_stop(fresh->engine, 0));
    CHECK_EQUAL(test_state(fresh->engine), LEAT_ENGINE_STOPPED);
    takes_work(fresh, LEAT_CLOSED);
    CHECK_OK(leat_start(fresh->engine));
    CHECK_OK(leat_drain(fresh->engine, LEAT_FOREVER));
    CHECK_EQUAL(atom_load_rlx(&fresh->runs), 6);
    teardown(fresh);
    teardown(fixture);
}

/* ---- what waits ----------------------------------------------------------------------------- */

static void
restart_runs_what_waited(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    for (uint32_t round = 0; round < 3; round++) {
        CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
        CHECK_OK(leat_start(fixture->engine));
    }
    leat_job_id held = hold_one(fixture);
    leat_job_id behind = test_submit_kept(fixture->engine, fixture->counted);
    CHECK_STATUS(leat_stop(fixture->engine, 0), LEAT_TIMEOUT);
    test_gate_open(&fixture->gate);
    CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
    CHECK_EQUAL(test_get(fixture->engine, behind).attempts, 0);
    CHECK_STATUS(leat_wait(fixture->engine, behind, LEAT_FOREVER, NULL), LEAT_CLOSED);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_waiting, 1);
    CHECK_OK(leat_start(fixture->engine));
    CHECK_EQUAL(test_wait(fixture->engine, behind).attempts, 1);
    CHECK_EQUAL(atom_load_rlx(&fixture->last_attempt), 1);
    CHECK_OK(leat_release(fixture->engine, held));
    CHECK_OK(leat_release(fixture->engine, behind));
    teardown(fixture);
}

/* The cancel flags that a late stop sets are gone after the next start. */
static void
restart_clears_the_stop(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    CHECK_OK(leat_start(fixture->engine));
    leat_job_id held = hold_one(fixture);
    CHECK_STATUS(leat_stop(fixture->engine, 0), LEAT_TIMEOUT);
    test_gate_open(&fixture->gate);
    CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
    CHECK_EQUAL(atom_load_rlx(&fixture->cancelled), 1);
    CHECK_OK(leat_start(fixture->engine));
    leat_job_id again = test_submit_kept(fixture->engine, fixture->held);
    CHECK(!test_wait(fixture->engine, again).cancel_requested);
    CHECK_EQUAL(atom_load_rlx(&fixture->cancelled), 0);
    CHECK_OK(leat_release(fixture->engine, held));
    CHECK_OK(leat_release(fixture->engine, again));
    teardown(fixture);
}

/* Closing drops what waits: nothing of it runs, and nothing is left behind (sanitizers look). */
static void
close_drops_what_waits(void **state)
{
    (void)state;
    static const char payload[5000];
    struct fixture *fixture = setup();
    struct leat_job job = leat_job_default();
    job.type = fixture->counted;
    job.payload = payload;
    job.payload_bytes = sizeof(payload);
    for (uint32_t i = 0; i < 8; i++) {
        job.flags = i % 2 == 0 ? 0 : LEAT_JOB_KEEP_RESULT;
        CHECK_OK(leat_submit(fixture->engine, &job, NULL));
    }
    takes_work(fixture, LEAT_OK);
    test_engine_check(fixture->engine);
    CHECK_OK(leat_close(fixture->engine));
    CHECK_EQUAL(atom_load_rlx(&fixture->runs), 0);
    CHECK_EQUAL(atom_load_rlx(&fixture->tasks), 0);
    test_gate_fini(&fixture->gate);
    free(fixture);
    CHECK_OK(leat_close(NULL));
}

/* ---- inside handlers ------------------------------------------------------------------------ */

struct inside {
    struct fixture *fixture;
    leat_type next;
    leat_job_id waited;
    leat_atomic_u32 chained; /* runs of the chain */
};

static struct leat_outcome
deadlocks(struct leat_run *run, void *context)
{
    struct inside *inside = context;
    struct leat_engine *engine = leat_run_engine(run);
    CHECK(engine == inside->fixture->engine);
    CHECK_STATUS(leat_start(engine), LEAT_DEADLOCK);
    CHECK_STATUS(leat_drain(engine, LEAT_FOREVER), LEAT_DEADLOCK);
    CHECK_STATUS(leat_drain(engine, 0), LEAT_DEADLOCK);
    CHECK_STATUS(leat_stop(engine, LEAT_FOREVER), LEAT_DEADLOCK);
    CHECK_STATUS(leat_stop(engine, 0), LEAT_DEADLOCK);
    CHECK_STATUS(leat_run_some(engine, 1, NULL), LEAT_DEADLOCK);
    CHECK_STATUS(leat_wait(engine, leat_run_id(run), 1, NULL), LEAT_DEADLOCK);
    CHECK_STATUS(leat_wait(engine, leat_run_id(run), LEAT_FOREVER, NULL), LEAT_DEADLOCK);
    CHECK_STATUS(leat_wait(engine, inside->waited, LEAT_FOREVER, NULL), LEAT_DEADLOCK);
    CHECK_STATUS(leat_wait(engine, inside->waited, 0, NULL), LEAT_TIMEOUT);
    /* To close it here would free the worker under its own feet. */
    CHECK(leat_close(engine) != LEAT_OK);
    CHECK_EQUAL(test_state(engine), LEAT_ENGINE_RUNNING);
    return leat_done();
}

static void
handlers_cannot_wait_for_themselves(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct inside inside = {.fixture = fixture};
    leat_type type = test_register(fixture->engine, "deadlocks", deadlocks, &inside);
    leat_job_id id = test_submit_kept(fixture->engine, type);
    inside.waited = test_submit_kept(fixture->engine, fixture->counted);
    CHECK_OK(leat_start(fixture->engine));
    CHECK_EQUAL(test_wait(fixture->engine, id).state, LEAT_JOB_COMPLETED);
    CHECK_EQUAL(test_wait(fixture->engine, inside.waited).state, LEAT_JOB_COMPLETED);
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    teardown(fixture);
}

#define CHAIN 20

static void
chain_task(void *argument)
{
    struct inside *inside = argument;
    (void)atom_add_rlx(&inside->chained, 1);
}

/* Waits for the drain to begin, then brings the next link of the chain, and a task beside it. */
static struct leat_outcome
chain_run(struct leat_run *run, void *context)
{
    struct inside *inside = context;
    struct leat_engine *engine = leat_run_engine(run);
    while (test_state(engine) != LEAT_ENGINE_DRAINING) {
        test_sleep_ns(TEST_MS / 10);
    }
    if (atom_load_rlx(&inside->chained) < CHAIN) {
        (void)test_submit(engine, inside->next);
        CHECK_OK(leat_post(engine, 0, chain_task, inside));
    }
    return leat_done();
}

static void
handlers_bring_work_while_draining(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct inside inside = {.fixture = fixture};
    inside.next = test_register(fixture->engine, "chain", chain_run, &inside);
    CHECK_OK(leat_start(fixture->engine));
    (void)test_submit(fixture->engine, inside.next);
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    /* All of it is part of the drain. */
    CHECK_EQUAL(atom_load_rlx(&inside.chained), CHAIN);
    struct leat_statistics sum = test_statistics(fixture->engine);
    CHECK_EQUAL(sum.jobs_completed, CHAIN + 1);
    CHECK_EQUAL(sum.tasks_run, CHAIN);
    CHECK_EQUAL(sum.jobs_waiting + sum.jobs_running + sum.tasks_waiting, 0);
    teardown(fixture);
}

/* ---- a retry over a stop -------------------------------------------------------------------- */

/* Waits for the stop, fills the ring of its level, and fails. */
static struct leat_outcome
fills_in_a_stop(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    struct leat_job job = leat_job_default();
    enum leat_status status = LEAT_OK;
    if (leat_run_attempt(run) > 1) {
        return leat_done();
    }
    test_gate_wait(&fixture->gate);
    job.type = fixture->counted;
    while (status == LEAT_OK) {
        status = leat_submit(fixture->engine, &job, NULL);
    }
    CHECK_STATUS(status, LEAT_FULL);
    return leat_retry();
}

/* The attempt failed during the stop, and the ring has no room for the next one. */
static void
a_retry_over_a_stop(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    leat_type fills = test_register(fixture->engine, "fills", fills_in_a_stop, fixture);
    leat_job_id id = test_submit_kept(fixture->engine, fills);
    CHECK_OK(leat_start(fixture->engine));
    test_gate_arrivals(&fixture->gate, 1);
    CHECK_STATUS(leat_stop(fixture->engine, SHORT_NS), LEAT_TIMEOUT);
    test_gate_open(&fixture->gate);
    CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
    test_engine_check(fixture->engine);
    struct leat_job_info info = test_get(fixture->engine, id);
    CHECK_EQUAL(info.state, LEAT_JOB_PENDING);
    CHECK_EQUAL(info.attempts, 1);
    uint64_t waiting = test_statistics(fixture->engine).jobs_waiting;
    CHECK_OK(leat_start(fixture->engine));
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    CHECK_EQUAL(test_get(fixture->engine, id).state, LEAT_JOB_COMPLETED);
    CHECK_EQUAL(atom_load_rlx(&fixture->runs), waiting - 1);
    CHECK_OK(leat_release(fixture->engine, id));
    teardown(fixture);
}

/* ---- two at once ---------------------------------------------------------------------------- */

static void
stop_all(void *shared, uint32_t number)
{
    struct fixture *fixture = shared;
    if (number == 0) {
        CHECK_STATUS(leat_drain(fixture->engine, LEAT_FOREVER), LEAT_CLOSED);
    } else if (number == 1) {
        while (test_state(fixture->engine) != LEAT_ENGINE_DRAINING) {
            test_sleep_ns(TEST_MS / 10);
        }
        CHECK_STATUS(leat_stop(fixture->engine, SHORT_NS), LEAT_TIMEOUT);
        test_gate_open(&fixture->gate);
        CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
    } else {
        while (test_state(fixture->engine) != LEAT_ENGINE_STOPPING) {
            test_sleep_ns(TEST_MS / 10);
        }
        CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
    }
}

/* A stop ends a drain that waits; a second stop waits beside the first. */
static void
stop_ends_a_drain(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    CHECK_OK(leat_start(fixture->engine));
    leat_job_id held = hold_one(fixture);
    test_threads_run(4, stop_all, fixture);
    CHECK_EQUAL(test_state(fixture->engine), LEAT_ENGINE_STOPPED);
    CHECK_OK(leat_release(fixture->engine, held));
    teardown(fixture);
}

struct slow_drain {
    struct fixture *fixture;
    leat_atomic_u32 over;
};

/* Pins the calling thread to the first of its CPUs. */
static void
run_on_the_first_cpu(void)
{
    cpu_set_t set;
    uint32_t first = 0;
    CPU_ZERO(&set);
    CHECK(sched_getaffinity(0, sizeof(set), &set) == 0);
    while (!CPU_ISSET(first, &set)) {
        first++;
    }
    CPU_ZERO(&set);
    CPU_SET(first, &set);
    CHECK(sched_setaffinity(0, sizeof(set), &set) == 0);
}

/* Thread 0 drains, and gets hardly any time on a CPU that thread 1 keeps busy. */
static void
drain_slowly(void *shared, uint32_t number)
{
    struct slow_drain *slow = shared;
    if (number == 0) {
        const struct sched_param idle = {0};
        run_on_the_first_cpu();
        CHECK(sched_setscheduler(0, SCHED_IDLE, &idle) == 0);
        uint64_t before_ns = test_now_ns();
        CHECK_STATUS(leat_drain(slow->fixture->engine, TEST_PATIENCE_NS / 3), LEAT_CLOSED);
        CHECK(test_now_ns() - before_ns < TEST_PATIENCE_NS / 4);
        atom_store_rlx(&slow->over, 2);
        return;
    }
    while (test_state(slow->fixture->engine) != LEAT_ENGINE_DRAINING) {
        test_sleep_ns(TEST_MS);
    }
    test_sleep_ns(SHORT_NS);
    run_on_the_first_cpu();
    atom_store_rlx(&slow->over, 1);
    /* Until the other thread has stopped and started the engine. */
    while (test_state(slow->fixture->engine) != LEAT_ENGINE_RUNNING) {
    }
}

static struct leat_outcome
pending_run(struct leat_run *run, void *context)
{
    leat_token *token = context;
    *token = leat_run_token(run);
    return leat_pending();
}

/* The drain waits for a job that does not end. Meanwhile the engine is stopped and started again,
 * before the draining thread gets to see the one or the other: it is closed out all the same. */
static void
a_restart_ends_a_drain(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct slow_drain slow = {fixture, 0};
    struct test_threads *threads = calloc(1, sizeof(*threads));
    leat_token token = {0, 0};
    CHECK(threads != NULL);
    CHECK_OK(leat_start(fixture->engine));
    leat_type type = test_register(fixture->engine, "pending", pending_run, &token);
    leat_job_id id = test_submit_kept(fixture->engine, type);
    while (test_statistics(fixture->engine).workers_parked == 0) {
        test_sleep_ns(TEST_MS);
    }
    test_threads_start(threads, 2, drain_slowly, &slow);
    while (atom_load_rlx(&slow.over) == 0) {
        test_sleep_ns(TEST_MS);
    }
    CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
    CHECK_OK(leat_start(fixture->engine));
    /* Time again, where it can be given back: on a busy machine it could wait long otherwise. */
    const struct sched_param other = {0};
    (void)pthread_setschedparam(threads->threads[0].handle, SCHED_OTHER, &other);
    test_threads_join(threads);
    CHECK_EQUAL(atom_load_rlx(&slow.over), 2);
    CHECK_OK(leat_complete(fixture->engine, token, leat_done(), NULL));
    CHECK_OK(leat_release(fixture->engine, id));
    free(threads);
    teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(open_state),
        cmocka_unit_test(running_state),
        cmocka_unit_test(draining_state),
        cmocka_unit_test(stopping_state),
        cmocka_unit_test(stopped_state),
        cmocka_unit_test(restart_runs_what_waited),
        cmocka_unit_test(restart_clears_the_stop),
        cmocka_unit_test(close_drops_what_waits),
        cmocka_unit_test(handlers_cannot_wait_for_themselves),
        cmocka_unit_test(handlers_bring_work_while_draining),
        cmocka_unit_test(a_retry_over_a_stop),
        cmocka_unit_test(stop_ends_a_drain),
        cmocka_unit_test(a_restart_ends_a_drain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
