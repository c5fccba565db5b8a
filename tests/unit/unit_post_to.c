/* unit_post_to.c - tasks for one given worker: it alone runs them, also while others are idle and
 * it is busy; in order, by priority, beside other work of the same priority; before a start and
 * across a stop; limits; that a drain waits for them; what becomes of them when their worker
 * leaves, in every state of the engine; waking by the clock; statuses. Holds I1 and I2 of
 * sched/posted.h: the check at each end looks through all places. */
#include <stdlib.h>

#include "engine/engine_internal.h"
#include "sched/posted.h"
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
    struct test_gate gate;      /* holds task_held */
    struct test_gate next_gate; /* holds task_next */
    struct test_gate amid_gate; /* holds task_amid */
    bool posts_behind;          /* task_next posts to worker 1 before it ends */
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
    test_gate_init(&fixture->next_gate);
    test_gate_init(&fixture->amid_gate);
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
    test_gate_fini(&fixture->next_gate);
    test_gate_fini(&fixture->amid_gate);
    free(fixture);
}

static enum leat_status
post_to(struct fixture *fixture, uint32_t worker, uint32_t priority, uint32_t number)
{
    const struct leat_task task = {task_counted, &notes[number]};
    return leat_post_to(fixture->engine, worker, priority, &task);
}

/* A worker hangs in a task, as `nth`, and has begun it. */
static void
hold(struct fixture *fixture, uint32_t worker, uint32_t nth)
{
    const struct leat_task task = {task_held, fixture};
    CHECK_OK(leat_post_to(fixture->engine, worker, 0, &task));
    test_gate_arrivals(&fixture->gate, nth);
}

static void
post_to_n(struct fixture *fixture, uint32_t worker, uint32_t first, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        CHECK_OK(post_to(fixture, worker, LOW, first + i));
    }
}

/* What any worker may run: so many that no more are taken in. */
static void
fill(struct fixture *fixture)
{
    for (uint32_t i = 0; i < TASKS_MAX; i++) {
        CHECK_OK(leat_post(fixture->engine, LOW, task_counted, &notes[100 + i]));
    }
    CHECK_STATUS(leat_post(fixture->engine, LOW, task_counted, &notes[0]), LEAT_FULL);
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
    hold(fixture, 1, 1);
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
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
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
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
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
        CHECK_OK(post_to(fixture, i % 2, i % LEAT_PRIORITY_LEVELS, i));
    }
    CHECK_STATUS(post_to(fixture, 0, 0, 0), LEAT_FULL);
    CHECK_STATUS(post_to(fixture, 1, 7, 0), LEAT_FULL);
    CHECK_OK(leat_post(engine, LOW, task_counted, &notes[TASKS_MAX])); /* a limit of its own */
    CHECK_STATUS(post_to(fixture, 2, 0, 0), LEAT_WRONG_STATE);         /* does not count now */
    CHECK_STATUS(post_to(fixture, WORKERS_MAX, 0, 0), LEAT_INVALID);
    CHECK_STATUS(post_to(fixture, UINT32_MAX, 0, 0), LEAT_INVALID);
    CHECK_STATUS(post_to(fixture, 0, LEAT_PRIORITY_LEVELS, 0), LEAT_INVALID);
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

/* ---- stops ---------------------------------------------------------------------------------- */

static void
task_next(void *argument)
{
    struct fixture *fixture = argument;
    test_gate_wait(&fixture->next_gate);
    if (fixture->posts_behind) {
        post_to_n(fixture, 1, 10, 10);
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
is_halted(void *argument)
{
    struct fixture *fixture = argument;
    /* The state alone comes first. */
    return atom_load_rlx(&fixture->engine->pool.open) == 0;
}

static void
task_amid(void *argument)
{
    struct fixture *fixture = argument;
    test_gate_wait(&fixture->amid_gate);
}

/* Stops it while a worker is held. */
static void
stop_amid(struct fixture *fixture, struct test_gate *gate)
{
    pthread_t thread;
    CHECK_EQUAL(pthread_create(&thread, NULL, stop_run, fixture), 0);
    CHECK(test_until(is_halted, fixture));
    test_gate_open(gate);
    test_gate_open(&fixture->gate);
    CHECK_EQUAL(pthread_join(thread, NULL), 0);
}

/* A stopped engine in which tasks 0 to 19 wait for worker 1: the first 10 in its hands, or in its
 * inbox as the others. */
static struct fixture *
setup_stopped(bool in_hand)
{
    struct fixture *fixture = setup_workers(2);
    const struct leat_task task = {task_next, fixture};
    fixture->posts_behind = true;
    CHECK_OK(leat_start(fixture->engine));
    if (in_hand) {
        hold(fixture, 1, 1);
    }
    CHECK_OK(leat_post_to(fixture->engine, 1, 0, &task));
    if (!in_hand) {
        test_gate_arrivals(&fixture->next_gate, 1);
    }
    post_to_n(fixture, 1, 0, 10);
    test_gate_open(&fixture->gate);
    test_gate_arrivals(&fixture->next_gate, 1);
    CHECK_EQUAL((fixture->engine->pool.workers[1].held & LEAT_HELD_POSTED(LOW)) != 0, in_hand);
    stop_amid(fixture, &fixture->next_gate);
    CHECK_EQUAL(test_statistics(fixture->engine).tasks_waiting, 20);
    CHECK_EQUAL(atom_load_rlx(&fixture->runs), 0);
    test_engine_check(fixture->engine);
    return fixture;
}

static void
finish_stopped(struct fixture *fixture, uint32_t worker)
{
    CHECK_OK(leat_start(fixture->engine));
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    CHECK_EQUAL(atom_load_rlx(&fixture->runs), 20);
    for (uint32_t i = 0; i < 20 && worker < WORKERS_MAX; i++) {
        CHECK_EQUAL(fixture->order[i], i);
    }
    CHECK(worker >= WORKERS_MAX || ran_by(fixture, worker) == 20);
    teardown(fixture);
}

static void
across_a_stop(void **state)
{
    (void)state;
    for (uint32_t in_hand = 0; in_hand < 2; in_hand++) {
        finish_stopped(setup_stopped(in_hand != 0), 1);
    }
}

/* Its worker counts no more, and then again: what had waited for it is for all by then. */
static void
fewer_while_stopped(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < 4; round++) {
        struct fixture *fixture = setup_stopped((round & 1) != 0);
        CHECK_OK(leat_workers_set(fixture->engine, 1));
        test_engine_check(fixture->engine);
        if (round >= 2) {
            CHECK_OK(leat_workers_set(fixture->engine, 2));
        }
        finish_stopped(fixture, round >= 2 ? WORKERS_MAX : 0);
    }
}

/* There is no room for it in the ring. */
static void
fewer_before_the_start(void **state)
{
    (void)state;
    struct fixture *fixture = setup_workers(3);
    fill(fixture);
    post_to_n(fixture, 2, 0, 20);
    CHECK_OK(leat_workers_set(fixture->engine, 1));
    CHECK_STATUS(post_to(fixture, 2, LOW, 0), LEAT_WRONG_STATE);
    CHECK_OK(leat_workers_set(fixture->engine, 2));
    CHECK_OK(post_to(fixture, 1, LOW, 20));
    CHECK_EQUAL(test_statistics(fixture->engine).tasks_waiting, TASKS_MAX + 21);
    test_engine_check(fixture->engine);
    CHECK_OK(leat_start(fixture->engine));
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    CHECK_EQUAL(atom_load_rlx(&fixture->runs), TASKS_MAX + 21);
    CHECK(ran_by(fixture, 0) >= 20);
    CHECK(ran_by(fixture, 1) >= 1);
    teardown(fixture);
}

/* ---- workers that leave --------------------------------------------------------------------- */

static void
one_that_leaves(void **state)
{
    (void)state;
    struct fixture *fixture = setup_workers(2);
    CHECK_OK(leat_start(fixture->engine));
    hold(fixture, 1, 1);
    post_to_n(fixture, 1, 0, 30);
    CHECK_OK(leat_workers_set(fixture->engine, 1));
    CHECK_STATUS(post_to(fixture, 1, LOW, 0), LEAT_WRONG_STATE);
    CHECK_OK(post_to(fixture, 0, LOW, 30));
    test_gate_open(&fixture->gate);
    until_alive(fixture, 1);
    CHECK_STATUS(post_to(fixture, 1, LOW, 0), LEAT_WRONG_STATE);
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    CHECK_EQUAL(ran_by(fixture, 0), 31);
    teardown(fixture);
}

/* All others are stuck and there is no room: it runs what was posted to it, and leaves. */
static void
one_that_leaves_without_room(void **state)
{
    (void)state;
    struct fixture *fixture = setup_workers(2);
    CHECK_OK(leat_start(fixture->engine));
    hold(fixture, 0, 1);
    const struct leat_task task = {task_next, fixture};
    CHECK_OK(leat_post_to(fixture->engine, 1, 0, &task));
    test_gate_arrivals(&fixture->next_gate, 1);
    post_to_n(fixture, 1, 0, 10);
    fill(fixture);
    CHECK_OK(leat_workers_set(fixture->engine, 1));
    test_gate_open(&fixture->next_gate);
    until_alive(fixture, 1);
    test_gate_open(&fixture->gate);
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    CHECK_EQUAL(atom_load_rlx(&fixture->runs), TASKS_MAX + 10);
    CHECK(ran_by(fixture, 1) >= 10);
    teardown(fixture);
}

/* A stop comes while it runs what it could not give away: then it leaves at once. And a start, with
 * as many workers as before it was said otherwise, or so many. */
static void
one_that_leaves_and_a_stop(void **state)
{
    (void)state;
    for (uint32_t workers = 0; workers <= 2; workers++) {
        struct fixture *fixture = setup_workers(2);
        const struct leat_task next = {task_next, fixture};
        const struct leat_task amid = {task_amid, fixture};
        CHECK_OK(leat_start(fixture->engine));
        hold(fixture, 0, 1);
        CHECK_OK(leat_post_to(fixture->engine, 1, 0, &next));
        test_gate_arrivals(&fixture->next_gate, 1);
        CHECK_OK(leat_post_to(fixture->engine, 1, 0, &amid));
        post_to_n(fixture, 1, 0, 10);
        fill(fixture);
        CHECK_OK(leat_workers_set(fixture->engine, 1));
        test_gate_open(&fixture->next_gate);
        test_gate_arrivals(&fixture->amid_gate, 1);
        stop_amid(fixture, &fixture->amid_gate);
        CHECK_EQUAL(atom_load_rlx(&fixture->runs), 0);
        test_engine_check(fixture->engine);
        if (workers != 0) {
            CHECK_OK(leat_workers_set(fixture->engine, workers));
            test_engine_check(fixture->engine);
        }
        CHECK_OK(leat_start(fixture->engine));
        CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
        CHECK_EQUAL(atom_load_rlx(&fixture->runs), TASKS_MAX + 10);
        teardown(fixture);
    }
}

/* It is wanted again before it has left, and after. */
static void
one_that_comes_back(void **state)
{
    (void)state;
    struct fixture *fixture = setup_workers(2);
    CHECK_OK(leat_start(fixture->engine));
    hold(fixture, 1, 1);
    post_to_n(fixture, 1, 0, 10);
    CHECK_OK(leat_workers_set(fixture->engine, 1));
    CHECK_STATUS(post_to(fixture, 1, LOW, 0), LEAT_WRONG_STATE);
    CHECK_OK(leat_workers_set(fixture->engine, 2));
    post_to_n(fixture, 1, 10, 10);
    test_gate_open(&fixture->gate);
    until_ran(fixture, 20);
    CHECK_EQUAL(ran_by(fixture, 1), 20);
    for (uint32_t round = 1; round <= 10; round++) {
        CHECK_OK(leat_workers_set(fixture->engine, 1));
        until_alive(fixture, 1);
        CHECK_STATUS(post_to(fixture, 1, LOW, 0), LEAT_WRONG_STATE);
        CHECK_OK(leat_workers_set(fixture->engine, 2));
        post_to_n(fixture, 1, 0, 10);
        until_ran(fixture, 20 + 10 * round);
        CHECK_EQUAL(ran_by(fixture, 1), 20 + 10 * round);
    }
    teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_worker_runs_it),
        cmocka_unit_test(it_is_not_stolen),
        cmocka_unit_test(in_order_and_by_priority),
        cmocka_unit_test(beside_other_tasks),
        cmocka_unit_test(from_a_handler),
        cmocka_unit_test(by_the_clock),
        cmocka_unit_test(limits),
        cmocka_unit_test(lent_threads),
        cmocka_unit_test(across_a_stop),
        cmocka_unit_test(fewer_while_stopped),
        cmocka_unit_test(fewer_before_the_start),
        cmocka_unit_test(one_that_leaves),
        cmocka_unit_test(one_that_leaves_without_room),
        cmocka_unit_test(one_that_leaves_and_a_stop),
        cmocka_unit_test(one_that_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
