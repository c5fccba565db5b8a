/* cast.c - see cast.h. */
#include "tests/support/cast.h"

#include <string.h>

static struct cast cast_now;

/* ---- the pool ------------------------------------------------------------------------------- */

static void
item_run(void *context, struct leat_worker *worker, uint32_t item)
{
    struct cast *cast = context;
    (void)worker;
    (void)item;
    cast->items++;
}

static void
join_ended(void *context, const struct leat_join *join)
{
    struct cast *cast = context;
    CHECK(join == &cast->join);
    CHECK(leat_join_ended(join));
    cast->ended++;
}

struct leat_worker *
cast_place(struct cast *cast, uint32_t number)
{
    return &cast->pool.workers[number];
}

/* Behind the places in use stands one that looks full of work: nobody may look at it. */
static struct leat_worker *
beyond(struct cast *cast)
{
    return cast_place(cast, CAST_PLACES);
}

void
cast_join(struct cast *cast, struct leat_worker *owner, const struct leat_range_work *work)
{
    leat_join_init(&cast->join, &cast->pool, owner, work);
}

struct cast *
cast_setup(void)
{
    struct cast *cast = &cast_now;
    const struct leat_pool_config config = {
        .lenders_max = CAST_PLACES + 1,
        .ring_slots_log2 = 2,
        .tasks_max = CAST_OUTSIDE,
        .items_max = CAST_TASKS,
        .memory = leat_memory_default(),
        .ops = {.run = item_run, .ended = join_ended, .context = cast}};
    const struct leat_deque_entry deep = {{0, 0, 0, UINT64_MAX}};
    memset(cast, 0, sizeof(*cast));
    CHECK(leat_pool_init(&cast->pool, &config) == LEAT_OS_OK);
    cast->pool.places = CAST_PLACES;
    for (uint32_t i = 0; i < CAST_PLACES; i++) {
        cast_place(cast, i)->victims_count[0] = 0;
    }
    CHECK(leat_deque_push(&beyond(cast)->deque, &deep));
    for (uint32_t i = 0; i < CAST_TASKS; i++) {
        cast->numbers[i] = i;
    }
    cast->self = cast_place(cast, 0);
    cast_join(cast, cast->self, NULL);
    return cast;
}

void
cast_teardown(struct cast *cast)
{
    struct leat_pool *pool = &cast->pool;
    CHECK(!leat_spawn_ready(pool));
    CHECK(leat_join_ended(&cast->join));
    CHECK_EQUAL(cast->compared, cast->ran_count);
    CHECK_EQUAL(leat_lot_count(&pool->helpers), 0);
    CHECK(leat_slab_check(&pool->spawned, 0, stdout));
    CHECK_EQUAL(leat_deque_count(&beyond(cast)->deque), 1);
    for (uint32_t i = 0; i < CAST_PLACES; i++) {
        CHECK(leat_deque_check(&cast_place(cast, i)->deque, stdout));
    }
    pool->places = CAST_PLACES + 1;
    leat_pool_fini(pool);
}

/* ---- tasks ---------------------------------------------------------------------------------- */

static void
note(struct cast *cast, uint32_t number)
{
    CHECK(cast->ran_count < CAST_TASKS);
    cast->ran[cast->ran_count] = number;
    cast->depths[cast->ran_count] = cast->self->depth;
    cast->ran_count++;
    if (cast->act != NULL) {
        cast->act(cast, number);
    }
}

static void
task_run(void *argument)
{
    note(&cast_now, *(const uint32_t *)argument);
}

void
cast_piece(size_t begin, size_t end, void *cast)
{
    note(cast, CAST_PIECE(begin, end));
}

void
cast_spawn_at(struct cast *cast, uint64_t depth, uint32_t number)
{
    uint64_t before = cast->self->depth;
    cast->self->depth = depth - 1;
    leat_spawn(cast->self, &cast->join, (uintptr_t)task_run, (uintptr_t)&cast->numbers[number]);
    CHECK_EQUAL(cast->self->depth, depth - 1);
    cast->self->depth = before;
}

void
cast_spawn(struct cast *cast, uint32_t number)
{
    cast_spawn_at(cast, cast->self->depth + 1, number);
}

bool
cast_spawn_outside(struct cast *cast, uint32_t number, uint32_t *index)
{
    return leat_spawn_outside(&cast->join, (uintptr_t)task_run, (uintptr_t)&cast->numbers[number],
                              index);
}

struct leat_deque_entry
cast_take(struct cast *cast, uint32_t worker, uint32_t number)
{
    struct leat_deque_entry entry;
    CHECK(leat_spawn_take(cast_place(cast, worker), &entry));
    CHECK_EQUAL(entry.words[1], (uintptr_t)&cast->numbers[number]);
    return entry;
}

void
cast_takes_none(struct cast *cast, uint32_t worker)
{
    struct leat_deque_entry entry;
    CHECK(!leat_spawn_take(cast_place(cast, worker), &entry));
}

void
cast_run_on(struct cast *cast, uint32_t worker, const struct leat_deque_entry *entry)
{
    struct leat_worker *before = cast->self;
    cast->self = cast_place(cast, worker);
    leat_spawn_run(cast->self, entry);
    cast->self = before;
}

void
cast_ran(struct cast *cast, const uint32_t *numbers, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        CHECK(cast->compared < cast->ran_count);
        CHECK_EQUAL(cast->ran[cast->compared], numbers[i]);
        cast->compared++;
    }
    CHECK_EQUAL(cast->compared, cast->ran_count);
}

void
cast_ran_down(struct cast *cast, uint32_t first, uint32_t last)
{
    for (uint32_t i = first + 1; i > last; i--) {
        CHECK(cast->compared < cast->ran_count);
        CHECK_EQUAL(cast->ran[cast->compared], i - 1);
        cast->compared++;
    }
    CHECK_EQUAL(cast->compared, cast->ran_count);
}

void
cast_ran_none(const struct cast *cast)
{
    CHECK_EQUAL(cast->compared, cast->ran_count);
}

uint64_t
cast_waiting(struct cast *cast, uint32_t worker)
{
    return leat_deque_count(&cast_place(cast, worker)->deque);
}

void
cast_wait(struct cast *cast)
{
    CHECK(leat_join_wait(&cast->join, UINT64_MAX));
    CHECK(leat_join_ended(&cast->join));
}

void
cast_lend(struct cast *cast, size_t want)
{
    size_t ran = 0;
    CHECK(leat_pool_lend(&cast->pool, want + 1, &ran));
    CHECK_EQUAL(ran, want);
}
