/* unit_workers.c - workers that come and go: how many there are, which ones, in every state of the
 * engine; that one which leaves ends its handler first, and gives away what it has in hand and what
 * its local queue holds; that its counters stay; hooks; a place that is wanted again before its
 * worker has left it, or while its hook still runs; calls that must not be. And a worker that is
 * stuck in its handler: statistics name it and say for how long, and others run what it had taken
 * in, also while there is always work in the ring. */
#include <stdlib.h>
#include <string.h>

#include "engine/engine_internal.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/threads.h"

#define WORKERS_MAX 4
#define BATCH       15

struct fixture {
    struct leat_engine *engine;
    struct test_gate gate;      /* holds handlers of the type "held" */
    struct test_gate hook_gate; /* holds hooks, where slow_hook says so */
    leat_type held;
    leat_type counted;
    leat_atomic_u32 runs;
    leat_atomic_u32 started[WORKERS_MAX];
    leat_atomic_u32 stopping[WORKERS_MAX];
    leat_atomic_u32 ran_by[WORKERS_MAX];
    leat_atomic_u32 stuck_worker;
    leat_atomic_u32 flood; /* the flooding task goes on */
    bool slow_hook;
    bool ends_in_flood;
    uint32_t retries; /* of a held job, before it ends */
};

static void
flood_run(void *argument)
{
    struct fixture *fixture = argument;
    if (atom_load_rlx(&fixture->flood) != 0) {
        CHECK_OK(leat_post(fixture->engine, LEAT_PRIORITY_NORMAL, flood_run, fixture));
    }
}

static void
flood_begin(struct fixture *fixture)
{
    atom_store_rlx(&fixture->flood, 1);
    for (uint32_t i = 0; i < 8; i++) {
        CHECK_OK(leat_post(fixture->engine, LEAT_PRIORITY_NORMAL, flood_run, fixture));
    }
}

static struct leat_outcome
held_run(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    atom_store_rlx(&fixture->stuck_worker, leat_run_worker(run));
    test_gate_wait(&fixture->gate);
    if (fixture->ends_in_flood) {
        flood_begin(fixture); /* from a handler work is always taken */
    }
    return leat_run_attempt(run) <= fixture->retries ? leat_retry() : leat_done();
}

static struct leat_outcome
counted_run(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    (void)atom_add_rlx(&fixture->ran_by[leat_run_worker(run)], 1);
    (void)atom_add_rlx(&fixture->runs, 1);
    return leat_done();
}

static void
hook_started(struct leat_engine *engine, uint32_t worker, void *context)
{
    struct fixture *fixture = context;
    (void)engine;
    (void)atom_add_rlx(&fixture->started[worker], 1);
    CHECK_EQUAL(atom_load_rlx(&fixture->stopping[worker]) + 1,
                atom_load_rlx(&fixture->started[worker]));
}

static void
hook_stopping(struct leat_engine *engine, uint32_t worker, void *context)
{
    struct fixture *fixture = context;
    CHECK_STATUS(leat_workers_set(engine, 1), LEAT_DEADLOCK);
    (void)atom_add_rlx(&fixture->stopping[worker], 1);
    if (fixture->slow_hook) {
        test_gate_wait(&fixture->hook_gate);
    }
}

static struct fixture *
setup(uint32_t workers)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct leat_config config = test_config();
    CHECK(fixture != NULL);
    test_gate_init(&fixture->gate);
    test_gate_init(&fixture->hook_gate);
    config.workers = workers;
    config.workers_max = WORKERS_MAX;
    config.ring_slots = 64;
    config.worker_started = hook_started;
    config.worker_stopping = hook_stopping;
    config.hook_context = fixture;
    fixture->engine = test_open(&config);
    fixture->held = test_register(fixture->engine, "held", held_run, fixture);
    fixture->counted = test_register(fixture->engine, "counted", counted_run, fixture);
    return fixture;
}

static void
teardown(struct fixture *fixture)
{
    test_close(fixture->engine);
    for (uint32_t i = 0; i < WORKERS_MAX; i++) {
        CHECK_EQUAL(atom_load_rlx(&fixture->started[i]), atom_load_rlx(&fixture->stopping[i]));
    }
    test_gate_fini(&fixture->gate);
    test_gate_fini(&fixture->hook_gate);
    free(fixture);
}

static struct leat_worker_statistics
worker_of(struct fixture *fixture, uint32_t worker)
{
    struct leat_worker_statistics statistics = leat_worker_statistics_default();
    CHECK_OK(leat_worker_statistics_get(fixture->engine, worker, &statistics));
    return statistics;
}

static uint32_t
alive(const struct fixture *fixture)
{
    return atom_load_rlx(&fixture->engine->pool.alive);
}

struct wanted {
    const struct fixture *fixture;
    uint32_t alive;
};

static bool
so_many_alive(void *argument)
{
    const struct wanted *wanted = argument;
    return alive(wanted->fixture) == wanted->alive;
}

static void
until_alive(const struct fixture *fixture, uint32_t count)
{
    struct wanted wanted = {fixture, count};
    CHECK(test_until(so_many_alive, &wanted));
}

static bool
all_ran(void *argument)
{
    struct fixture *fixture = argument;
    return atom_load_rlx(&fixture->runs) == BATCH;
}

static bool
all_ran_twice(void *argument)
{
    struct fixture *fixture = argument;
    return atom_load_rlx(&fixture->runs) == 2 * BATCH;
}

/* Every thread was waited for, its stack is free again. */
static void
check_joined(const struct fixture *fixture)
{
    for (uint32_t i = 0; i < WORKERS_MAX; i++) {
        CHECK_EQUAL(atom_load_rlx(&fixture->engine->pool.workers[i].seat), LEAT_SEAT_EMPTY);
    }
}

/* ---- how many ------------------------------------------------------------------------------- */

static void
check_active(struct fixture *fixture, uint32_t count)
{
    CHECK_EQUAL(test_statistics(fixture->engine).workers_active, count);
    CHECK_EQUAL(test_statistics(fixture->engine).workers, WORKERS_MAX);
    for (uint32_t i = 0; i < WORKERS_MAX; i++) {
        CHECK_EQUAL(worker_of(fixture, i).active, i < count);
    }
}

static void
more_and_fewer(void **state)
{
    (void)state;
    struct fixture *fixture = setup(2);
    static const uint32_t counts[] = {4, 1, 3, 3, 2, 4, 1, 2};
    check_active(fixture, 2);
    CHECK_OK(leat_start(fixture->engine));
    CHECK_EQUAL(alive(fixture), 2);
    for (size_t i = 0; i < TEST_COUNT_OF(counts); i++) {
        CHECK_OK(leat_workers_set(fixture->engine, counts[i]));
        check_active(fixture, counts[i]);
        until_alive(fixture, counts[i]);
        for (uint32_t j = 0; j < BATCH; j++) {
            (void)test_submit(fixture->engine, fixture->counted);
        }
        CHECK(test_until(all_ran, fixture));
        atom_store_rlx(&fixture->runs, 0);
    }
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    CHECK_OK(leat_workers_set(fixture->engine, 4)); /* while draining */
    CHECK_EQUAL(alive(fixture), 4);
    CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
    check_joined(fixture);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_completed, BATCH * TEST_COUNT_OF(counts));
    teardown(fixture);
}

static void
from_the_next_start_on(void **state)
{
    (void)state;
    struct fixture *fixture = setup(2);
    CHECK_OK(leat_workers_set(fixture->engine, 3));
    check_active(fixture, 3);
    CHECK_EQUAL(alive(fixture), 0);
    CHECK_OK(leat_start(fixture->engine));
    CHECK_EQUAL(alive(fixture), 3);
    CHECK_OK(leat_workers_set(fixture->engine, 2)); /* one has left, or is about to */
    CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
    check_joined(fixture);
    CHECK_OK(leat_workers_set(fixture->engine, 1));
    CHECK_OK(leat_start(fixture->engine));
    CHECK_EQUAL(alive(fixture), 1);
    check_active(fixture, 1);
    teardown(fixture);
}

static void
limits(void **state)
{
    (void)state;
    struct fixture *fixture = setup(2);
    for (uint32_t round = 0; round < 2; round++) {
        CHECK_STATUS(leat_workers_set(fixture->engine, 0), LEAT_INVALID);
        CHECK_OK(leat_workers_set(fixture->engine, 1));
        CHECK_OK(leat_workers_set(fixture->engine, WORKERS_MAX));
        CHECK_STATUS(leat_workers_set(fixture->engine, WORKERS_MAX + 1), LEAT_INVALID);
        CHECK_STATUS(leat_workers_set(fixture->engine, UINT32_MAX), LEAT_INVALID);
        check_active(fixture, WORKERS_MAX);
        if (round == 0) {
            CHECK_OK(leat_start(fixture->engine));
        }
    }
    CHECK_STATUS(leat_workers_set(NULL, 1), LEAT_INVALID);
    teardown(fixture);
    struct leat_config lent = test_config();
    lent.workers = 0;
    struct leat_engine *engine = test_start(&lent);
    CHECK_STATUS(leat_workers_set(engine, 1), LEAT_WRONG_STATE);
    test_close(engine);
    /* Unless it is said otherwise, there can only be fewer. */
    struct leat_config plain = test_config();
    plain.workers = 2;
    engine = test_start(&plain);
    CHECK_STATUS(leat_workers_set(engine, 3), LEAT_INVALID);
    CHECK_OK(leat_workers_set(engine, 1));
    CHECK_OK(leat_workers_set(engine, 2));
    test_close(engine);
}

/* ---- one that leaves ------------------------------------------------------------------------ */

/* Submits jobs of "counted" as one batch behind one of "held", which a worker then has: the batch
 * lies in the local queue of that worker. */
static void
submit_batch(struct fixture *fixture, leat_type first)
{
    struct leat_job jobs[BATCH + 1];
    for (uint32_t i = 0; i <= BATCH; i++) {
        jobs[i] = leat_job_default();
        jobs[i].type = i == 0 ? first : fixture->counted;
    }
    CHECK_OK(
        leat_submit_batch(fixture->engine, jobs, BATCH + 1, LEAT_BATCH_ALL_OR_NONE, NULL, NULL));
}

/* Worker 1 is stuck with a stocked queue, and asked to leave: worker 0 takes it all. */
static void
its_queue_is_taken(void **state)
{
    (void)state;
    struct fixture *fixture = setup(2);
    CHECK_OK(leat_start(fixture->engine));
    /* Whoever has the first one: the other one goes on. */
    submit_batch(fixture, fixture->held);
    CHECK(test_until(all_ran, fixture));
    test_gate_arrivals(&fixture->gate, 1); /* the first may begin last */
    uint32_t stuck = atom_load_rlx(&fixture->stuck_worker);
    CHECK_EQUAL(atom_load_rlx(&fixture->ran_by[1 - stuck]), BATCH);
    CHECK_OK(leat_workers_set(fixture->engine, 1));
    /* It ends its handler first. */
    CHECK(stuck == 0 || atom_load_rlx(&fixture->stopping[1]) == 0);
    test_gate_open(&fixture->gate);
    until_alive(fixture, 1);
    CHECK_EQUAL(atom_load_rlx(&fixture->stopping[1]), 1);
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    CHECK_EQUAL(worker_of(fixture, 0).jobs_run + worker_of(fixture, 1).jobs_run, BATCH + 1);
    CHECK(worker_of(fixture, 1).jobs_run >= 1);
    teardown(fixture);
}

/* Both workers are stuck; what stands behind is run by the one that stays, when it can. */
static void
stocked_queue_is_left(void **state)
{
    (void)state;
    struct fixture *fixture = setup(2);
    CHECK_OK(leat_start(fixture->engine));
    submit_batch(fixture, fixture->held);
    submit_batch(fixture, fixture->held);
    test_gate_arrivals(&fixture->gate, 2);
    CHECK_OK(leat_workers_set(fixture->engine, 1));
    CHECK_EQUAL(alive(fixture), 2);
    test_gate_open(&fixture->gate);
    until_alive(fixture, 1);
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    CHECK_EQUAL(atom_load_rlx(&fixture->runs), 2 * BATCH);
    teardown(fixture);
}

/* A job that wants another attempt is in the worker's hand, and the ring is full. */
static void
hand_is_given_away(void **state)
{
    (void)state;
    struct fixture *fixture = setup(2);
    fixture->retries = 2;
    CHECK_OK(leat_start(fixture->engine));
    (void)test_submit(fixture->engine, fixture->held);
    (void)test_submit(fixture->engine, fixture->held);
    test_gate_arrivals(&fixture->gate, 2);
    struct leat_job job = leat_job_default();
    job.type = fixture->counted;
    uint32_t taken = 0;
    while (leat_submit(fixture->engine, &job, NULL) == LEAT_OK) {
        taken++;
    }
    CHECK_OK(leat_workers_set(fixture->engine, 1));
    test_gate_open(&fixture->gate);
    until_alive(fixture, 1);
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    CHECK_EQUAL(atom_load_rlx(&fixture->runs), taken);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_completed, taken + 2);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_retried, 4);
    teardown(fixture);
}

/* A queue that is left over from before a stop, in a place that nobody has any more: it is run,
 * though there is always something in the ring. */
static void
queue_of_an_empty_place(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1);
    fixture->ends_in_flood = true;
    CHECK_OK(leat_workers_set(fixture->engine, 2));
    CHECK_OK(leat_start(fixture->engine));
    submit_batch(fixture, fixture->held);
    submit_batch(fixture, fixture->held);
    test_gate_arrivals(&fixture->gate, 2);
    CHECK_STATUS(leat_stop(fixture->engine, 0), LEAT_TIMEOUT);
    CHECK_STATUS(leat_workers_set(fixture->engine, 1), LEAT_CLOSED);
    test_gate_open(&fixture->gate);
    CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
    CHECK_OK(leat_workers_set(fixture->engine, 1));
    CHECK_OK(leat_start(fixture->engine));
    CHECK(test_until(all_ran_twice, fixture));
    atom_store_rlx(&fixture->flood, 0);
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    teardown(fixture);
}

/* ---- wanted again ---------------------------------------------------------------------------- */

static void
back_before_it_left(void **state)
{
    (void)state;
    struct fixture *fixture = setup(2);
    CHECK_OK(leat_start(fixture->engine));
    (void)test_submit(fixture->engine, fixture->held);
    (void)test_submit(fixture->engine, fixture->held);
    test_gate_arrivals(&fixture->gate, 2);
    for (uint32_t i = 0; i < 100; i++) {
        CHECK_OK(leat_workers_set(fixture->engine, 1));
        CHECK_OK(leat_workers_set(fixture->engine, 2));
    }
    test_gate_open(&fixture->gate);
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    /* It stayed all the time. */
    CHECK_EQUAL(atom_load_rlx(&fixture->started[1]), 1);
    CHECK_EQUAL(atom_load_rlx(&fixture->stopping[1]), 0);
    CHECK_EQUAL(alive(fixture), 2);
    teardown(fixture);
}

struct setter {
    struct fixture *fixture;
    leat_atomic_u32 done;
};

static void
set_again(void *shared, uint32_t number)
{
    struct setter *setter = shared;
    if (number == 0) {
        CHECK_OK(leat_workers_set(setter->fixture->engine, 2));
        atom_store_rlx(&setter->done, 1);
        return;
    }
    /* Meanwhile nobody else is held up. */
    test_sleep_ns(10 * TEST_MS);
    CHECK_EQUAL(atom_load_rlx(&setter->done), 0);
    CHECK_EQUAL(test_state(setter->fixture->engine), LEAT_ENGINE_RUNNING);
    CHECK_OK(leat_drain(setter->fixture->engine, LEAT_FOREVER));
    test_gate_open(&setter->fixture->hook_gate);
}

static bool
stopping_1(void *argument)
{
    struct fixture *fixture = argument;
    return atom_load_rlx(&fixture->stopping[1]) == 1;
}

static void
back_while_its_hook_runs(void **state)
{
    (void)state;
    struct fixture *fixture = setup(2);
    struct setter setter = {.fixture = fixture};
    fixture->slow_hook = true;
    CHECK_OK(leat_start(fixture->engine));
    CHECK_OK(leat_workers_set(fixture->engine, 1));
    CHECK(test_until(stopping_1, fixture));
    test_threads_run(2, set_again, &setter);
    CHECK_EQUAL(atom_load_rlx(&setter.done), 1);
    CHECK_EQUAL(atom_load_rlx(&fixture->stopping[1]), 1);
    CHECK_EQUAL(alive(fixture), 2);
    teardown(fixture);
}

/* ---- one that is stuck ----------------------------------------------------------------------- */

/* Not inlined: a function has room for few such structs on its stack. */
static LEAT_COLD uint64_t
run_ns_of(struct fixture *fixture, uint32_t worker)
{
    return worker_of(fixture, worker).run_ns;
}

static LEAT_COLD uint64_t
run_ns_max(struct fixture *fixture)
{
    return test_statistics(fixture->engine).run_ns_max;
}

static void
stuck_is_named(void **state)
{
    (void)state;
    struct fixture *fixture = setup(2);
    CHECK_OK(leat_start(fixture->engine));
    CHECK_EQUAL(run_ns_of(fixture, 0), 0);
    CHECK_EQUAL(run_ns_max(fixture), 0);
    (void)test_submit(fixture->engine, fixture->held);
    test_gate_arrivals(&fixture->gate, 1);
    uint32_t stuck = atom_load_rlx(&fixture->stuck_worker);
    uint64_t begin_ns = test_now_ns();
    CHECK_EQUAL(run_ns_of(fixture, stuck), 0); /* the first look */
    test_sleep_ns(30 * TEST_MS);
    uint64_t run_ns = run_ns_of(fixture, stuck);
    CHECK(run_ns >= 28 * TEST_MS);
    CHECK(run_ns <= test_now_ns() - begin_ns + 2 * TEST_MS);
    CHECK(run_ns_max(fixture) >= run_ns);
    CHECK_EQUAL(test_statistics(fixture->engine).run_worker, stuck);
    CHECK_EQUAL(run_ns_of(fixture, 1 - stuck), 0);
    test_gate_open(&fixture->gate);
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    CHECK_EQUAL(run_ns_of(fixture, stuck), 0);
    CHECK_EQUAL(run_ns_max(fixture), 0);
    teardown(fixture);
}

/* Its time begins anew with each item. */
static void
busy_is_not_stuck(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1);
    CHECK_OK(leat_start(fixture->engine));
    flood_begin(fixture);
    uint64_t longest = 0;
    for (uint32_t i = 0; i < 30; i++) {
        uint64_t run_ns = worker_of(fixture, 0).run_ns;
        longest = run_ns > longest ? run_ns : longest;
        test_sleep_ns(TEST_MS);
    }
    /* A thread can be preempted in an item, but not for all of that time. */
    CHECK(longest < 29 * TEST_MS);
    atom_store_rlx(&fixture->flood, 0);
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    teardown(fixture);
}

static void
spawned_run(void *argument)
{
    struct leat_group *group = argument;
    if (group != NULL) {
        CHECK_OK(leat_group_spawn(group, spawned_run, NULL));
    }
}

/* Nor is one that ran what was spawned: from the ring, and from a deque. */
static void
spawned_is_not_stuck(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1);
    struct leat_group group;
    CHECK_OK(leat_start(fixture->engine));
    CHECK_OK(leat_group_init(&group, fixture->engine));
    CHECK_OK(leat_group_spawn(&group, spawned_run, &group));
    CHECK_OK(leat_group_wait(&group, LEAT_FOREVER));
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    CHECK_EQUAL(worker_of(fixture, 0).run_ns, 0);
    test_sleep_ns(5 * TEST_MS);
    CHECK_EQUAL(worker_of(fixture, 0).run_ns, 0);
    CHECK_EQUAL(test_statistics(fixture->engine).run_ns_max, 0);
    teardown(fixture);
}

static void
stuck_beside_a_flood(void **state)
{
    (void)state;
    struct fixture *fixture = setup(2);
    submit_batch(fixture, fixture->held);
    flood_begin(fixture);
    CHECK_OK(leat_start(fixture->engine));
    CHECK(test_until(all_ran, fixture));
    atom_store_rlx(&fixture->flood, 0);
    test_gate_open(&fixture->gate);
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_and_fewer),
        cmocka_unit_test(from_the_next_start_on),
        cmocka_unit_test(limits),
        cmocka_unit_test(its_queue_is_taken),
        cmocka_unit_test(stocked_queue_is_left),
        cmocka_unit_test(hand_is_given_away),
        cmocka_unit_test(queue_of_an_empty_place),
        cmocka_unit_test(back_before_it_left),
        cmocka_unit_test(back_while_its_hook_runs),
        cmocka_unit_test(stuck_is_named),
        cmocka_unit_test(busy_is_not_stuck),
        cmocka_unit_test(spawned_is_not_stuck),
        cmocka_unit_test(stuck_beside_a_flood),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
