/* unit_pool_put.c - a pool with a ring of two slots. Jobs of two queues are put into the ring where
 * there is room and none of their queue and level wait, else into the list, behind those; a batch
 * as a whole, and for the sake of one. Tasks that are posted several at once: as many as there are
 * records, or none where the ring is full. */
#include <string.h>

#include "sched/pool.h"
#include "tests/support/check.h"
#include "tests/support/memory.h"

#define JOBS   8
#define QUEUES 2
#define TASKS  6
#define LEVEL  1

struct fixture {
    struct leat_pool pool;
    leat_atomic_u32 links[JOBS];
    uint32_t ran[JOBS]; /* in this order */
    uint32_t count;
};

static struct fixture fixture_now;

static leat_atomic_u32 *
link_of(void *context, uint32_t index)
{
    struct fixture *fixture = context;
    CHECK(index < JOBS);
    return &fixture->links[index];
}

static uint32_t
queue_of(void *context, uint32_t index)
{
    (void)context;
    CHECK(index < JOBS);
    return index % QUEUES;
}

static bool
drop(void *context, uint32_t index)
{
    (void)context;
    (void)index;
    return false;
}

static void
run(void *context, struct leat_worker *worker, uint32_t item)
{
    struct fixture *fixture = context;
    (void)worker;
    CHECK(fixture->count < JOBS);
    fixture->ran[fixture->count++] = leat_item_index(item);
}

static struct fixture *
setup(void)
{
    struct fixture *fixture = &fixture_now;
    memset(fixture, 0, sizeof(*fixture));
    const struct leat_pool_config config = {
        .lenders_max = 1,
        .ring_slots_log2 = 1,
        .tasks_max = TASKS,
        .items_max = JOBS,
        .memory = leat_memory_default(),
        .ops = {.run = run, .context = fixture},
        .queues = QUEUES,
        .lists = {.link = link_of, .queue = queue_of, .drop = drop, .context = fixture},
    };
    CHECK_EQUAL(leat_pool_init(&fixture->pool, &config), LEAT_OS_OK);
    return fixture;
}

static uint32_t
job(uint32_t index)
{
    return leat_item_of(LEAT_KIND_JOB, index);
}

static void
put(struct fixture *fixture, uint32_t index)
{
    leat_pool_put(&fixture->pool, LEVEL, index % QUEUES, job(index));
}

/* So many are in the ring, and so many of each queue are listed. */
static void
must_wait(struct fixture *fixture, uint32_t ring, uint32_t first, uint32_t second)
{
    const struct leat_pool *pool = &fixture->pool;
    CHECK_EQUAL(leat_mpmc_count(&pool->rings[LEVEL]), ring);
    CHECK_EQUAL(atom_load_rlx(&pool->queues[0].waiting[LEVEL]), first);
    CHECK_EQUAL(atom_load_rlx(&pool->queues[1].waiting[LEVEL]), second);
    uint64_t ring_bit = ring != 0 ? LEAT_HINT_RING(LEVEL) : 0;
    uint64_t list_bit = first + second != 0 ? LEAT_HINT_LIST(LEVEL) : 0;
    CHECK_EQUAL(leat_pool_look(pool, LEVEL), ring_bit | list_bit);
}

/* A worker takes the oldest one out of the ring. */
static void
pop(struct fixture *fixture, uint32_t index)
{
    uint32_t item = 0;
    CHECK(leat_mpmc_pop(&fixture->pool.rings[LEVEL], &item));
    CHECK_EQUAL(item, job(index));
}

/* The rest runs in this order. */
static void
finish(struct fixture *fixture, const uint32_t *items, uint32_t count)
{
    size_t ran = 0;
    CHECK(leat_pool_lend(&fixture->pool, JOBS, &ran));
    CHECK_EQUAL(ran, count);
    CHECK_EQUAL(fixture->count, count);
    for (uint32_t i = 0; i < count; i++) {
        CHECK_EQUAL(fixture->ran[i], items[i]);
    }
    must_wait(fixture, 0, 0, 0);
    CHECK(leat_lists_check(&fixture->pool, LEVEL, stdout));
    leat_pool_fini(&fixture->pool);
}

static void
one_goes_behind_those_of_its_queue(void **state)
{
    (void)state;
    static const uint32_t order[] = {1, 3, 2, 4};
    struct fixture *fixture = setup();
    put(fixture, 0);
    put(fixture, 1);
    must_wait(fixture, 2, 0, 0);
    put(fixture, 2);
    must_wait(fixture, 2, 1, 0);
    pop(fixture, 0);
    put(fixture, 4);
    must_wait(fixture, 1, 2, 0);
    put(fixture, 3);
    must_wait(fixture, 2, 2, 0);
    finish(fixture, order, TEST_COUNT_OF(order));
}

/* What stands behind the batch in its array is none of it. */
static void
a_batch_goes_as_one(void **state)
{
    (void)state;
    static const uint32_t order[] = {3, 0, 2, 5, 4};
    struct fixture *fixture = setup();
    const uint32_t both[] = {job(1), job(0)};
    const uint32_t first[] = {job(0), job(2), job(1)};
    put(fixture, 1);
    put(fixture, 3);
    put(fixture, 5);
    must_wait(fixture, 2, 0, 1);
    pop(fixture, 1);
    /* All of one queue, of which nothing is listed. */
    leat_pool_put_n(&fixture->pool, LEVEL, first, 2);
    must_wait(fixture, 2, 0, 1);
    /* The ring is full. */
    const uint32_t more[] = {job(4)};
    leat_pool_put_n(&fixture->pool, LEVEL, more, 1);
    must_wait(fixture, 2, 1, 1);
    finish(fixture, order, TEST_COUNT_OF(order));
    /* One of them waits for others of its queue, the first of the batch or the last. */
    for (uint32_t turn = 0; turn < 2; turn++) {
        static const uint32_t orders[2][4] = {{3, 5, 1, 0}, {3, 5, 1, 0}};
        const uint32_t turned[] = {both[turn], both[1 - turn]};
        fixture = setup();
        put(fixture, 7);
        put(fixture, 3);
        put(fixture, 5);
        pop(fixture, 7);
        leat_pool_put_n(&fixture->pool, LEVEL, turned, 2);
        must_wait(fixture, 1, 1, 2);
        finish(fixture, orders[turn], 4);
    }
}

/* ---- tasks ----------------------------------------------------------------------------------- */

static uint32_t noted[2 * TASKS];
static uint32_t noted_count;

/* The argument is the number of the task. */
static void
note(void *argument)
{
    CHECK(noted_count < TEST_COUNT_OF(noted));
    noted[noted_count++] = *(const uint32_t *)argument;
}

static void
lend(struct fixture *fixture, size_t want)
{
    size_t ran = 0;
    CHECK(leat_pool_lend(&fixture->pool, 2 * want, &ran));
    CHECK_EQUAL(ran, want);
}

/* Each call stands next to the last one, so that one which goes a step too far finds in its own
 * place on the stack what that one left. */
static void
several_tasks_at_once(void **state)
{
    (void)state;
    static uint32_t numbers[TASKS + 1] = {0, 1, 2, 3, 4, 5, 6};
    struct leat_pool_task tasks[TASKS + 1];
    struct fixture *fixture = setup();
    struct leat_pool *pool = &fixture->pool;
    for (uint32_t i = 0; i < TEST_COUNT_OF(tasks); i++) {
        tasks[i] = (struct leat_pool_task){note, &numbers[i]};
    }
    uint32_t first = leat_pool_post_n(pool, LEVEL, tasks, 4);
    uint32_t second = leat_pool_post_n(pool, LEVEL, tasks + 4, 1);
    uint32_t refused = leat_pool_post_n(pool, LEVEL, tasks + 5, 1);
    CHECK_EQUAL(first, 4);
    CHECK_EQUAL(second, 1);
    CHECK_EQUAL(refused, 0);
    CHECK_EQUAL(atom_load_rlx(&pool->tasks_refused), 1);
    CHECK(leat_slab_check(&pool->tasks, 5, stdout));
    lend(fixture, 5);
    CHECK_EQUAL(leat_pool_post_n(pool, LEVEL, tasks, TASKS + 1), TASKS);
    CHECK_EQUAL(leat_pool_post_n(pool, LEVEL, tasks, 1), 0);
    CHECK_EQUAL(atom_load_rlx(&pool->tasks_refused), 1);
    lend(fixture, TASKS);
    CHECK_EQUAL(noted_count, 5 + TASKS);
    for (uint32_t i = 0; i < noted_count; i++) {
        CHECK_EQUAL(noted[i], i < 5 ? i : i - 5);
    }
    CHECK(leat_slab_check(&pool->tasks, 0, stdout));
    leat_pool_fini(pool);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_goes_behind_those_of_its_queue),
        cmocka_unit_test(a_batch_goes_as_one),
        cmocka_unit_test(several_tasks_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
