/* unit_group.c - groups of spawned tasks and loops over ranges, with one worker, with two, with
 * none, and from threads that are no workers: what runs, in which order on one worker, what is
 * passed over after a cancel, which error a wait answers, every status, the limit of the deque
 * from both sides, that a group's memory may go when its wait has answered, and how deep the stack
 * of a worker that helps becomes. */
#include <stdlib.h>
#include <string.h>

#include "engine/engine_internal.h"
#include "sched/spawn.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/threads.h"

#define SLOTS (1U << LEAT_SPAWN_SLOTS_LOG2)

struct fixture {
    struct leat_engine *engine;
    void (*body)(struct fixture *fixture);
    leat_atomic_u32 ended;
    leat_atomic_u32 runs;
    leat_atomic_u32 last;
    struct leat_group *group;
    struct test_gate gate;
    uint32_t order[16];
};

static struct fixture *
setup(uint32_t workers)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct leat_config config = test_config();
    CHECK(fixture != NULL);
    config.workers = workers;
    fixture->engine = test_start(&config);
    test_gate_init(&fixture->gate);
    return fixture;
}

static void
teardown(struct fixture *fixture)
{
    test_finish(fixture->engine);
    test_gate_fini(&fixture->gate);
    free(fixture);
}

static void
count(void *argument)
{
    struct fixture *fixture = argument;
    (void)atom_add_rlx(&fixture->runs, 1);
}

static void
body_run(void *argument)
{
    struct fixture *fixture = argument;
    fixture->body(fixture);
    (void)atom_add_acq_rel(&fixture->ended, 1);
}

static bool
body_ended(void *argument)
{
    struct fixture *fixture = argument;
    return atom_load_acq(&fixture->ended) != 0;
}

/* Runs body on a worker, to its end. */
static void
on_worker(struct fixture *fixture, void (*body)(struct fixture *fixture))
{
    atom_store_rlx(&fixture->ended, 0);
    fixture->body = body;
    CHECK_OK(leat_post(fixture->engine, LEAT_PRIORITY_NORMAL, body_run, fixture));
    if (fixture->engine->config.workers == 0) {
        CHECK_OK(leat_run_some(fixture->engine, 1, NULL));
    }
    CHECK(test_until(body_ended, fixture));
}

static uint32_t
runs(struct fixture *fixture)
{
    return atom_load_rlx(&fixture->runs);
}

/* ---- on a worker ----------------------------------------------------------------------------- */

struct numbered {
    struct fixture *fixture;
    uint32_t number;
};

static void
note(void *argument)
{
    struct numbered *numbered = argument;
    numbered->fixture->order[runs(numbered->fixture)] = numbered->number;
    count(numbered->fixture);
}

static void
newest_first(struct fixture *fixture)
{
    struct leat_group group;
    struct numbered all[5];
    CHECK_OK(leat_group_init(&group, fixture->engine));
    CHECK_OK(leat_group_wait(&group, LEAT_FOREVER));
    for (uint32_t i = 0; i < TEST_COUNT_OF(all); i++) {
        all[i] = (struct numbered){fixture, i};
        CHECK_OK(leat_group_spawn(&group, note, &all[i]));
    }
    CHECK_EQUAL(runs(fixture), 0);
    CHECK_OK(leat_group_wait(&group, LEAT_FOREVER));
    memset(&group, 0xff, sizeof(group));
    CHECK_EQUAL(runs(fixture), 5);
    for (uint32_t i = 0; i < TEST_COUNT_OF(all); i++) {
        CHECK_EQUAL(fixture->order[i], 4 - i);
    }
}

/* As many as there are slots wait, one more runs at once. */
static void
at_the_limit(struct fixture *fixture)
{
    struct leat_group group;
    CHECK_OK(leat_group_init(&group, fixture->engine));
    for (uint32_t i = 0; i < SLOTS; i++) {
        CHECK_OK(leat_group_spawn(&group, count, fixture));
    }
    CHECK_EQUAL(runs(fixture), 0);
    CHECK_OK(leat_group_spawn(&group, count, fixture));
    CHECK_EQUAL(runs(fixture), 1);
    CHECK_OK(leat_group_wait(&group, LEAT_FOREVER));
    CHECK_EQUAL(runs(fixture), SLOTS + 1);
}

static void
fails(void *argument)
{
    struct fixture *fixture = argument;
    count(fixture);
    CHECK_OK(leat_group_fail(fixture->group, LEAT_NO_SPACE));
    CHECK_OK(leat_group_fail(fixture->group, LEAT_CORRUPT));
    CHECK(leat_group_cancelled(fixture->group));
}

/* Newest first: one runs, one fails, two are passed over. */
static void
an_error(struct fixture *fixture)
{
    struct leat_group group;
    fixture->group = &group;
    CHECK_OK(leat_group_init(&group, fixture->engine));
    CHECK_OK(leat_group_spawn(&group, count, fixture));
    CHECK_OK(leat_group_spawn(&group, count, fixture));
    CHECK_OK(leat_group_spawn(&group, fails, fixture));
    CHECK_OK(leat_group_spawn(&group, count, fixture));
    CHECK_STATUS(leat_group_wait(&group, LEAT_FOREVER), LEAT_NO_SPACE);
    CHECK_EQUAL(runs(fixture), 2);
}

static void
a_cancel(struct fixture *fixture)
{
    struct leat_group group;
    struct leat_group other;
    CHECK_OK(leat_group_init(&group, fixture->engine));
    CHECK_OK(leat_group_init(&other, fixture->engine));
    CHECK(!leat_group_cancelled(&group));
    for (uint32_t i = 0; i < 4; i++) {
        CHECK_OK(leat_group_spawn(&group, count, fixture));
        CHECK_OK(leat_group_spawn(&other, count, fixture));
    }
    CHECK_OK(leat_group_cancel(&group));
    CHECK(leat_group_cancelled(&group));
    CHECK_OK(leat_group_spawn(&group, count, fixture));
    CHECK_OK(leat_group_wait(&group, LEAT_FOREVER));
    CHECK_OK(leat_group_wait(&other, LEAT_FOREVER));
    CHECK_EQUAL(runs(fixture), 4);
    CHECK_OK(leat_group_init(&group, fixture->engine));
    CHECK_OK(leat_group_spawn(&group, count, fixture));
    CHECK_OK(leat_group_wait(&group, LEAT_FOREVER));
    CHECK_EQUAL(runs(fixture), 5);
}

static void
waits_for_its_own(void *argument)
{
    struct fixture *fixture = argument;
    CHECK_STATUS(leat_group_wait(fixture->group, LEAT_FOREVER), LEAT_DEADLOCK);
    CHECK_STATUS(leat_group_wait(fixture->group, 0), LEAT_DEADLOCK);
    count(fixture);
}

static void
wrong_waits(struct fixture *fixture)
{
    struct leat_group group;
    fixture->group = &group;
    CHECK_OK(leat_group_init(&group, fixture->engine));
    CHECK_OK(leat_group_spawn(&group, waits_for_its_own, fixture));
    CHECK_OK(leat_group_wait(&group, LEAT_FOREVER));
    CHECK_EQUAL(runs(fixture), 1);
}

/* Spawns into the group of the one above, and returns. */
static void
goes_on(void *argument)
{
    struct fixture *fixture = argument;
    count(fixture);
    if (runs(fixture) < 3000) {
        CHECK_OK(leat_group_spawn(fixture->group, goes_on, fixture));
        CHECK_OK(leat_group_spawn(fixture->group, count, fixture));
    }
}

static void
tasks_that_spawn(struct fixture *fixture)
{
    struct leat_group group;
    fixture->group = &group;
    CHECK_OK(leat_group_init(&group, fixture->engine));
    CHECK_OK(leat_group_spawn(&group, goes_on, fixture));
    CHECK_OK(leat_group_wait(&group, LEAT_FOREVER));
    CHECK(runs(fixture) >= 3000);
    CHECK(runs(fixture) <= 3002);
}

/* What a handler spawns into the group of another thread runs after it, though it does not wait. */
static void
leaves_some(struct fixture *fixture)
{
    for (uint32_t i = 0; i < 10; i++) {
        CHECK_OK(leat_group_spawn(fixture->group, count, fixture));
    }
}

static void
with_one_worker(void **state)
{
    void (*const bodies[])(struct fixture *) = {newest_first, at_the_limit,     an_error,
                                                a_cancel,     tasks_that_spawn, wrong_waits};
    (void)state;
    for (size_t i = 0; i < 2 * TEST_COUNT_OF(bodies); i++) {
        struct fixture *fixture = setup(i < TEST_COUNT_OF(bodies) ? 1 : 0);
        on_worker(fixture, bodies[i % TEST_COUNT_OF(bodies)]);
        teardown(fixture);
    }
}

static void
left_to_others(void **state)
{
    (void)state;
    for (uint32_t workers = 0; workers < 3; workers++) {
        struct fixture *fixture = setup(workers);
        struct leat_group group;
        fixture->group = &group;
        CHECK_OK(leat_group_init(&group, fixture->engine));
        on_worker(fixture, leaves_some);
        /* A lent thread leaves nothing behind, however small its budget. */
        CHECK(workers != 0 || runs(fixture) == 10);
        CHECK_OK(leat_group_wait(&group, LEAT_FOREVER));
        CHECK_EQUAL(runs(fixture), 10);
        teardown(fixture);
    }
}

static void
leaves_some_and_stays(struct fixture *fixture)
{
    leaves_some(fixture);
    test_gate_wait(&fixture->gate);
}

/* A stop that comes while a handler is at work lets what that spawned run, too. */
static void
not_left_by_a_stop(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1);
    struct leat_group group;
    fixture->group = &group;
    CHECK_OK(leat_group_init(&group, fixture->engine));
    fixture->body = leaves_some_and_stays;
    CHECK_OK(leat_post(fixture->engine, LEAT_PRIORITY_NORMAL, body_run, fixture));
    test_gate_arrivals(&fixture->gate, 1);
    CHECK_STATUS(leat_stop(fixture->engine, TEST_MS), LEAT_TIMEOUT);
    CHECK_EQUAL(runs(fixture), 0);
    test_gate_open(&fixture->gate);
    CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
    CHECK_EQUAL(runs(fixture), 10);
    CHECK_OK(leat_group_wait(&group, 0));
    test_close(fixture->engine);
    test_gate_fini(&fixture->gate);
    free(fixture);
}

/* ---- from other threads ---------------------------------------------------------------------- */

static void
held(void *argument)
{
    struct fixture *fixture = argument;
    test_gate_wait(&fixture->gate);
    count(fixture);
}

static void
begins_and_ends(struct fixture *fixture)
{
    struct leat_group group;
    CHECK_OK(leat_group_init(&group, fixture->engine));
    fixture->group = &group;
    test_gate_wait(&fixture->gate);
    CHECK_OK(leat_group_wait(&group, 0));
}

static void
outside(void **state)
{
    (void)state;
    struct fixture *fixture = setup(2);
    struct leat_group group;
    CHECK_OK(leat_group_init(&group, fixture->engine));
    CHECK_OK(leat_group_wait(&group, LEAT_FOREVER));
    for (uint32_t i = 0; i < 40; i++) {
        CHECK_OK(leat_group_spawn(&group, i < 2 ? held : count, fixture));
    }
    CHECK_STATUS(leat_group_wait(&group, 0), LEAT_TIMEOUT);
    CHECK_STATUS(leat_group_wait(&group, TEST_MS), LEAT_TIMEOUT);
    test_gate_open(&fixture->gate);
    CHECK_OK(leat_group_wait(&group, LEAT_FOREVER));
    CHECK_EQUAL(runs(fixture), 40);
    CHECK_OK(leat_group_wait(&group, 0));
    teardown(fixture);
}

/* A group of a worker is no one else's to wait for or to spawn into. */
static void
of_a_worker(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1);
    fixture->body = begins_and_ends;
    CHECK_OK(leat_post(fixture->engine, LEAT_PRIORITY_NORMAL, body_run, fixture));
    test_gate_arrivals(&fixture->gate, 1);
    CHECK_STATUS(leat_group_spawn(fixture->group, count, fixture), LEAT_WRONG_STATE);
    CHECK_STATUS(leat_group_wait(fixture->group, 0), LEAT_DEADLOCK);
    test_gate_open(&fixture->gate);
    teardown(fixture);
}

static void
waits_for_outside(struct fixture *fixture)
{
    CHECK_STATUS(leat_group_wait(fixture->group, 0), LEAT_DEADLOCK);
    CHECK_OK(leat_group_spawn(fixture->group, count, fixture));
}

static void
of_another_thread(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1);
    struct leat_group group;
    fixture->group = &group;
    CHECK_OK(leat_group_init(&group, fixture->engine));
    on_worker(fixture, waits_for_outside);
    CHECK_OK(leat_group_wait(&group, LEAT_FOREVER));
    CHECK_EQUAL(runs(fixture), 1);
    teardown(fixture);
}

static void
no_piece(size_t begin, size_t end, void *argument)
{
    (void)begin;
    (void)end;
    (void)argument;
    CHECK(false);
}

/* The ring is full, then a stop comes, then a new start. */
static void
full_and_stopped(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1);
    struct leat_group group;
    const struct leat_range range = {0, 100, 1};
    uint32_t slots = fixture->engine->config.ring_slots;
    CHECK_OK(leat_group_init(&group, fixture->engine));
    CHECK_OK(leat_group_spawn(&group, held, fixture));
    test_gate_arrivals(&fixture->gate, 1);
    for (uint32_t i = 0; i < slots; i++) {
        CHECK_OK(leat_group_spawn(&group, count, fixture));
    }
    CHECK_STATUS(leat_group_spawn(&group, count, fixture), LEAT_FULL);
    CHECK_STATUS(leat_parallel_for(fixture->engine, &range, no_piece, fixture), LEAT_FULL);
    CHECK_STATUS(leat_stop(fixture->engine, TEST_MS), LEAT_TIMEOUT);
    test_gate_open(&fixture->gate);
    CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
    CHECK_STATUS(leat_group_wait(&group, LEAT_FOREVER), LEAT_CLOSED);
    CHECK_STATUS(leat_group_spawn(&group, count, fixture), LEAT_CLOSED);
    CHECK_STATUS(leat_parallel_for(fixture->engine, &range, no_piece, fixture), LEAT_CLOSED);
    CHECK_EQUAL(runs(fixture), 1);
    test_engine_check(fixture->engine);
    CHECK_OK(leat_start(fixture->engine));
    CHECK_OK(leat_group_wait(&group, LEAT_FOREVER));
    CHECK_EQUAL(runs(fixture), slots + 1);
    teardown(fixture);
}

/* ---- two workers ----------------------------------------------------------------------------- */

static void
meets(void *argument)
{
    struct fixture *fixture = argument;
    count(fixture);
    while (runs(fixture) < 2) {
        leat_pause();
    }
}

/* Each ends only when the other one has begun: the second worker comes, whether it slept or not. */
static void
two_that_meet(struct fixture *fixture)
{
    struct leat_group group;
    CHECK_OK(leat_group_init(&group, fixture->engine));
    CHECK_OK(leat_group_spawn(&group, meets, fixture));
    CHECK_OK(leat_group_spawn(&group, meets, fixture));
    CHECK_OK(leat_group_wait(&group, LEAT_FOREVER));
}

/* The other worker has the only task, for a while. */
static void
waits_in_vain(struct fixture *fixture)
{
    struct leat_group group;
    CHECK_OK(leat_group_init(&group, fixture->engine));
    CHECK_OK(leat_group_spawn(&group, held, fixture));
    test_gate_arrivals(&fixture->gate, 1);
    CHECK_STATUS(leat_group_wait(&group, 0), LEAT_TIMEOUT);
    CHECK_STATUS(leat_group_wait(&group, 3 * TEST_MS), LEAT_TIMEOUT);
    test_gate_open(&fixture->gate);
    CHECK_OK(leat_group_wait(&group, LEAT_FOREVER));
}

static void
with_two_workers(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 100; i++) {
        struct fixture *fixture = setup(2);
        on_worker(fixture, i % 2 == 0 ? two_that_meet : waits_in_vain);
        teardown(fixture);
    }
}

/* ---- loops ----------------------------------------------------------------------------------- */

struct loop {
    struct leat_engine *engine;
    leat_atomic_u8 *seen;
    size_t grain;
    size_t length;
    leat_atomic_u32 pieces;
};

static void
piece(size_t begin, size_t end, void *argument)
{
    struct loop *loop = argument;
    CHECK(end > begin);
    CHECK(loop->grain == 0 || end - begin < 2 * loop->grain);
    CHECK(loop->grain == 0 || end - begin >= loop->grain || end - begin == loop->length);
    for (size_t i = begin; i < end; i++) {
        CHECK_EQUAL(atom_load_rlx(&loop->seen[i]), 0);
        atom_store_rlx(&loop->seen[i], 1);
    }
    (void)atom_add_rlx(&loop->pieces, 1);
}

static void
loop_run(struct loop *loop, size_t begin, size_t end)
{
    const struct leat_range range = {begin, end, loop->grain};
    loop->length = end - begin;
    void *memory = calloc(end + 1, 1);
    CHECK(memory != NULL);
    loop->seen = memory;
    CHECK_OK(leat_parallel_for(loop->engine, &range, piece, loop));
    for (size_t i = 0; i <= end; i++) {
        CHECK_EQUAL(atom_load_rlx(&loop->seen[i]), i >= begin && i < end);
    }
    free(memory);
}

static void
loops(struct fixture *fixture)
{
    const size_t lengths[] = {0, 1, 2, 3, 7, 100, 1023, 4096};
    const size_t grains[] = {0, 1, 2, 3, 50, 100, 10000, SIZE_MAX};
    for (size_t i = 0; i < TEST_COUNT_OF(lengths) * TEST_COUNT_OF(grains); i++) {
        struct loop loop = {.engine = fixture->engine, .grain = grains[i / 8]};
        loop_run(&loop, i % 3, i % 3 + lengths[i % 8]);
        CHECK(lengths[i % 8] != 0 || atom_load_rlx(&loop.pieces) == 0);
    }
}

static void
all_loops(void **state)
{
    (void)state;
    for (uint32_t workers = 0; workers < 3; workers++) {
        struct fixture *fixture = setup(workers);
        loops(fixture);
        on_worker(fixture, loops);
        teardown(fixture);
    }
}

/* ---- the stack ------------------------------------------------------------------------------- */

/* A task of a chain of spawns so long, and where its frame is. */
struct link {
    struct fixture *fixture;
    uint32_t left;
};

static _Thread_local uint32_t stacked;

static void
link_run(void *argument)
{
    struct link *link = argument;
    struct fixture *fixture = link->fixture;
    stacked++;
    if (stacked > atom_load_rlx(&fixture->last)) {
        atom_store_rlx(&fixture->last, stacked);
    }
    count(fixture);
    if (link->left > 0) {
        struct leat_group group;
        struct link next[3] = {
            {fixture, link->left - 1}, {fixture, link->left - 1}, {fixture, link->left - 1}};
        CHECK_OK(leat_group_init(&group, fixture->engine));
        for (uint32_t i = 0; i < 3; i++) {
            CHECK_OK(leat_group_spawn(&group, link_run, &next[i]));
        }
        CHECK_OK(leat_group_wait(&group, LEAT_FOREVER));
    }
    stacked--;
}

/* Whoever helps whom, no stack has more tasks than the longest chain of spawns. */
static void
no_deeper_than_calls(void **state)
{
    (void)state;
    struct fixture *fixture = setup(4);
    struct leat_group group;
    struct link first[4];
    CHECK_OK(leat_group_init(&group, fixture->engine));
    for (uint32_t i = 0; i < 4; i++) {
        first[i] = (struct link){fixture, 8};
        CHECK_OK(leat_group_spawn(&group, link_run, &first[i]));
    }
    CHECK_OK(leat_group_wait(&group, LEAT_FOREVER));
    CHECK_EQUAL(runs(fixture), 4 * 9841);
    CHECK(atom_load_rlx(&fixture->last) <= 9);
    teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_one_worker),    cmocka_unit_test(left_to_others),
        cmocka_unit_test(not_left_by_a_stop), cmocka_unit_test(outside),
        cmocka_unit_test(of_a_worker),        cmocka_unit_test(of_another_thread),
        cmocka_unit_test(full_and_stopped),   cmocka_unit_test(with_two_workers),
        cmocka_unit_test(all_loops),          cmocka_unit_test(no_deeper_than_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
