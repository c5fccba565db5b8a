/* unit_post_to.c - tasks for one given worker: it alone runs them, also while others are idle and it
 * is busy; in order, by priority, beside other work of the same priority; before a start and across
 * a stop; limits; that a drain waits for them; what becomes of them when their worker leaves, in
 * every state of the engine; waking by the clock; statuses, and what they leave as it was.
 * Holds I1 and I2 of sched/posted.h: the check at each end looks through all places. */
#include <stdlib.h>

#include "engine/engine_internal.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/threads.h"

#define WORKERS_MAX 3
#define TASKS_MAX   64
#define RING_SLOTS  64
#define ORDER_MAX   256
#define LOW         6

struct fixture {
    struct leat_engine *engine;
    struct test_gate gate; /* holds task_held */
    leat_atomic_u32 runs;
    leat_atomic_u32 ran_by[WORKERS_MAX];
    uint32_t order[ORDER_MAX]; /* which ones ran; where one worker runs them all */
};

/* What a task is given: who it is. */
struct note {
    struct fixture *fixture;
    uint32_t number;
};

static struct note notes[ORDER_MAX];

static uint32_t
here(void)
{
    const struct leat_worker *worker = leat_worker_current();
    CHECK(worker != NULL);
    return worker->index;
}

static void
task_held(void *argument)
{
    struct fixture *fixture = argument;
    test_gate_wait(&fixture->gate);
}

static void
task_counted(void *argument)
{
    struct note *note = argument;
    struct fixture *fixture = note->fixture;
    (void)atom_add_rlx(&fixture->ran_by[here()], 1);
    fixture->order[atom_add_rlx(&fixture->runs, 1) % ORDER_MAX] = note->number;
}

static struct fixture *
setup(struct leat_config config)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    CHECK(fixture != NULL);
    test_gate_init(&fixture->gate);
    config.workers_max = WORKERS_MAX;
    config.ring_slots = RING_SLOTS;
    config.tasks_max = TASKS_MAX;
    fixture->engine = test_open(&config);
    for (uint32_t i = 0; i < ORDER_MAX; i++) {
        notes[i] = (struct note){fixture, i};
    }
    return fixture;
}

static struct fixture *
setup_workers(uint32_t workers)
{
    struct leat_config config = test_config();
    config.workers = workers;
    return setup(config);
}

static void
teardown(struct fixture *fixture)
{
    test_close(fixture->engine);
    test_gate_fini(&fixture->gate);
    free(fixture);
}

static enum leat_status
post_to(struct fixture *fixture, uint32_t worker, uint32_t priority, uint32_t number)
{
    const struct leat_task task = {task_counted, &notes[number]};
    return leat_post_to(fixture->engine, worker, priority, &task);
}

/* A worker hangs in a task, and has begun it. */
static void
hold(struct fixture *fixture, uint32_t worker)
{
    const struct leat_task task = {task_held, fixture};
    CHECK_OK(leat_post_to(fixture->engine, worker, 0, &task));
    test_gate_arrivals(&fixture->gate, 1);
}

static uint32_t
ran_by(const struct fixture *fixture, uint32_t worker)
{
    return atom_load_rlx(&fixture->ran_by[worker]);
}

struct wanted {
    const struct fixture *fixture;
    uint32_t count;
};

static bool
so_many_ran(void *argument)
{
    const struct wanted *wanted = argument;
    return atom_load_rlx(&wanted->fixture->runs) >= wanted->count;
}

static void
until_ran(const struct fixture *fixture, uint32_t count)
{
    struct wanted wanted = {fixture, count};
    CHECK(test_until(so_many_ran, &wanted));
}

static bool
so_many_alive(void *argument)
{
    const struct wanted *wanted = argument;
    return atom_load_rlx(&wanted->fixture->engine->pool.alive) == wanted->count;
}

static void
until_alive(const struct fixture *fixture, uint32_t count)
{
    struct wanted wanted = {fixture, count};
    CHECK(test_until(so_many_alive, &wanted));
}

/* ---- who runs it, and when ------------------------------------------------------------------ */

static void
its_worker_runs_it(void **state)
{
    (void)state;
    struct fixture *fixture = setup_workers(WORKERS_MAX);
    CHECK_OK(post_to(fixture, 1, LOW, 0)); /* before the start */
    CHECK_OK(leat_start(fixture->engine));
    until_ran(fixture, 1);
    CHECK_EQUAL(ran_by(fixture, 1), 1);
    for (uint32_t i = 0; i < 60; i++) {
        CHECK_OK(post_to(fixture, i % WORKERS_MAX, LOW, i)); /* asleep, most often */
        until_ran(fixture, i + 2);
    }
    for (uint32_t i = 0; i < WORKERS_MAX; i++) {
        CHECK_EQUAL(ran_by(fixture, i), i == 1 ? 21 : 20);
    }
    CHECK_EQUAL(test_statistics(fixture->engine).tasks_run, 61);
    teardown(fixture);
}

/* Nobody takes it from a worker that is busy; the others run what is theirs. */
static void
it_is_not_stolen(void **state)
{
    (void)state;
    struct fixture *fixture = setup_workers(WORKERS_MAX);
    CHECK_OK(leat_start(fixture->engine));
    hold(fixture, 1);
    for (uint32_t i = 0; i < 30; i++) {
        CHECK_OK(post_to(fixture, i % WORKERS_MAX, LOW, i));
    }
    until_ran(fixture, 20);
    CHECK_STATUS(leat_drain(fixture->engine, 20000000), LEAT_TIMEOUT);
    CHECK_EQUAL(ran_by(fixture, 1), 0);
    CHECK_EQUAL(test_statistics(fixture->engine).tasks_waiting, 10);
    test_gate_open(&fixture->gate);
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    for (uint32_t i = 0; i < WORKERS_MAX; i++) {
        CHECK_EQUAL(ran_by(fixture, i), 10);
    }
    teardown(fixture);
}

static void
in_order_and_by_priority(void **state)
{
    (void)state;
    struct fixture *fixture = setup_workers(1);
    static const uint32_t levels[] = {5, 2, 7, 2, 0, 5, 0, 7, 2, 5};
    uint32_t next = 0;
    for (uint32_t round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < TEST_COUNT_OF(levels); i++) {
            CHECK_OK(post_to(fixture, 0, levels[i], round * 10 + i));
        }
    }
    CHECK_OK(leat_start(fixture->engine));
    until_ran(fixture, 20);
    for (uint32_t level = 0; level < 8; level++) {
        for (uint32_t i = 0; i < 20; i++) {
            if (levels[i % 10] == level) {
                CHECK_EQUAL(fixture->order[next], i);
                next++;
            }
        }
    }
    CHECK_EQUAL(next, 20);
    teardown(fixture);
}

/* Neither keeps the other from its turn. */
static void
beside_other_tasks(void **state)
{
    (void)state;
    struct fixture *fixture = setup_workers(1);
    for (uint32_t i = 0; i < 20; i++) {
        CHECK_OK(post_to(fixture, 0, LOW, i));
        CHECK_OK(leat_post(fixture->engine, LOW, task_counted, &notes[100 + i]));
    }
    CHECK_OK(leat_start(fixture->engine));
    until_ran(fixture, 40);
    for (uint32_t i = 0; i < 40; i++) {
        CHECK_EQUAL(fixture->order[i], i % 2 == 0 ? i / 2 : 100 + i / 2);
    }
    teardown(fixture);
}

/* A handler posts to its own worker and to another one. */
static void
task_posts(void *argument)
{
    struct fixture *fixture = argument;
    CHECK_OK(post_to(fixture, 0, LOW, 0));
    CHECK_OK(post_to(fixture, 1, LOW, 1));
}

static void
from_a_handler(void **state)
{
    (void)state;
    struct fixture *fixture = setup_workers(2);
    const struct leat_task task = {task_posts, fixture};
    CHECK_OK(leat_start(fixture->engine));
    CHECK_OK(leat_post_to(fixture->engine, 0, LOW, &task));
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    CHECK_EQUAL(ran_by(fixture, 0), 1);
    CHECK_EQUAL(ran_by(fixture, 1), 1);
    teardown(fixture);
}

static void
by_the_clock(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    config.workers = 2;
    config.tick_ns = 1000000;
    struct fixture *fixture = setup(config);
    CHECK_OK(leat_start(fixture->engine));
    for (uint32_t i = 0; i < 20; i++) {
        CHECK_OK(post_to(fixture, i % 2, LOW, i));
        until_ran(fixture, i + 1);
    }
    CHECK_EQUAL(ran_by(fixture, 0), 10);
    CHECK_EQUAL(ran_by(fixture, 1), 10);
    teardown(fixture);
}

/* ---- statuses and limits -------------------------------------------------------------------- */

static void
limits(void **state)
{
    (void)state;
    struct fixture *fixture = setup_workers(2);
    struct leat_engine *engine = fixture->engine;
    for (uint32_t i = 0; i < TASKS_MAX; i++) {
        CHECK_OK(post_to(fixture, i % 2, i % LEAT_PRIORITIES, i));
    }
    CHECK_STATUS(post_to(fixture, 0, 0, 0), LEAT_FULL);
    CHECK_STATUS(post_to(fixture, 1, 7, 0), LEAT_FULL);
    CHECK_OK(leat_post(engine, LOW, task_counted, &notes[TASKS_MAX])); /* a limit of its own */
    CHECK_STATUS(post_to(fixture, 2, 0, 0), LEAT_WRONG_STATE);         /* does not count now */
    CHECK_STATUS(post_to(fixture, WORKERS_MAX, 0, 0), LEAT_INVALID);
    CHECK_STATUS(post_to(fixture, UINT32_MAX, 0, 0), LEAT_INVALID);
    CHECK_STATUS(post_to(fixture, 0, LEAT_PRIORITIES, 0), LEAT_INVALID);
    CHECK_EQUAL(test_statistics(engine).tasks_waiting, TASKS_MAX + 1);
    CHECK_OK(leat_start(engine));
    CHECK_OK(leat_drain(engine, LEAT_FOREVER));
    CHECK_EQUAL(atom_load_rlx(&fixture->runs), TASKS_MAX + 1);
    CHECK_STATUS(post_to(fixture, 0, 0, 0), LEAT_CLOSED);
    CHECK_OK(leat_stop(engine, LEAT_FOREVER));
    CHECK_STATUS(post_to(fixture, 0, 0, 0), LEAT_CLOSED);
    CHECK_OK(leat_start(engine));
    for (uint32_t i = 0; i < 4 * TASKS_MAX; i++) { /* records come back */
        CHECK_OK(post_to(fixture, i % 2, LOW, i % TASKS_MAX));
        until_ran(fixture, TASKS_MAX + 2 + i);
    }
    teardown(fixture);
}

static void
lent_threads(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    const struct leat_task task = {task_held, NULL};
    config.workers = 0;
    struct leat_engine *engine = test_start(&config);
    CHECK_STATUS(leat_post_to(engine, 0, 0, &task), LEAT_WRONG_STATE);
    CHECK_STATUS(leat_post_to(engine, UINT32_MAX, 0, &task), LEAT_WRONG_STATE);
    test_finish(engine);
}

/* ---- stops, and workers that leave ---------------------------------------------------------- */

static void
task_stops_behind(void *argument)
{
    struct fixture *fixture = argument;
    test_gate_wait(&fixture->gate);
    for (uint32_t i = 0; i < 10; i++) {
        CHECK_OK(post_to(fixture, 1, LOW, 20 + i));
    }
}

static void *
stop_run(void *argument)
{
    struct fixture *fixture = argument;
    CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
    return NULL;
}

static bool
is_stopping(void *argument)
{
    struct fixture *fixture = argument;
    return test_state(fixture->engine) == LEAT_ENGINE_STOPPING;
}

/* 20 tasks wait for worker 1 in a stopped engine: some in its inbox, and, as `in_hand` wants it,
 * some that it had taken. */
static void
stopped_with_tasks(struct fixture *fixture, bool in_hand)
{
    pthread_t thread;
    const struct leat_task task = {task_stops_behind, fixture};
    CHECK_OK(leat_start(fixture->engine));
    if (in_hand) {
        hold(fixture, 1);
        CHECK_OK(leat_post_to(fixture->engine, 1, 0, &task));
    } else {
        CHECK_OK(leat_post_to(fixture->engine, 1, 0, &task));
        test_gate_arrivals(&fixture->gate, 1);
    }
    for (uint32_t i = 0; i < 10; i++) {
        CHECK_OK(post_to(fixture, 1, LOW, 10 + i));
    }
    if (in_hand) {
        /* The next task takes the inbox, and stops as the first one did. */
        test_gate_step(&fixture->gate);
        test_gate_arrivals(&fixture->gate, 2);
    }
    CHECK_EQUAL(pthread_create(&thread, NULL, stop_run, fixture), 0);
    CHECK(test_until(is_stopping, fixture));
    test_gate_open(&fixture->gate);
    CHECK_EQUAL(pthread_join(thread, NULL), 0);
    CHECK_EQUAL(test_statistics(fixture->engine).tasks_waiting, 20);
    CHECK_EQUAL(atom_load_rlx(&fixture->runs), 0);
}
