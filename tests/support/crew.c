/* crew.c - see crew.h. */
#include "tests/support/crew.h"

#include <string.h>

static struct crew crew_now;

/* ---- the pool ------------------------------------------------------------------------------- */

static void
item_run(void *context, struct leat_worker *worker, uint32_t item)
{
    struct crew *crew = context;
    (void)worker;
    (void)item;
    crew->items++;
}

static void
join_ended(void *context, const struct leat_join *join)
{
    struct crew *crew = context;
    CHECK(join == &crew->join);
    CHECK(leat_join_ended(join));
    crew->ended++;
}

struct leat_worker *
crew_place(struct crew *crew, uint32_t number)
{
    return &crew->pool.workers[number];
}

/* Behind the places in use stands one that looks full of work: nobody may look at it. */
static struct leat_worker *
beyond(struct crew *crew)
{
    return crew_place(crew, CREW_PLACES);
}

void
crew_join(struct crew *crew, struct leat_worker *owner, const struct leat_range_work *work)
{
    leat_join_init(&crew->join, &crew->pool, owner, work);
}

struct crew *
crew_setup(void)
{
    struct crew *crew = &crew_now;
    const struct leat_pool_config config = {
        .lenders_max = CREW_PLACES + 1,
        .ring_slots_log2 = 2,
        .tasks_max = CREW_OUTSIDE,
        .items_max = CREW_TASKS,
        .memory = leat_memory_default(),
        .ops = {.run = item_run, .ended = join_ended, .context = crew}};
    const struct leat_deque_entry deep = {{0, 0, 0, UINT64_MAX}};
    memset(crew, 0, sizeof(*crew));
    CHECK(leat_pool_init(&crew->pool, &config) == LEAT_OS_OK);
    crew->pool.places = CREW_PLACES;
    for (uint32_t i = 0; i < CREW_PLACES; i++) {
        crew_place(crew, i)->victims_count[0] = 0;
    }
    CHECK(leat_deque_push(&beyond(crew)->deque, &deep));
    for (uint32_t i = 0; i < CREW_TASKS; i++) {
        crew->numbers[i] = i;
    }
    crew->self = crew_place(crew, 0);
    crew_join(crew, crew->self, NULL);
    return crew;
}

void
crew_teardown(struct crew *crew)
{
    struct leat_pool *pool = &crew->pool;
    CHECK(!leat_spawn_ready(pool));
    CHECK(leat_join_ended(&crew->join));
    CHECK_EQUAL(crew->compared, crew->ran_count);
    CHECK_EQUAL(leat_lot_count(&pool->helpers), 0);
    CHECK(leat_slab_check(&pool->spawned, 0, stdout));
    CHECK_EQUAL(leat_deque_count(&beyond(crew)->deque), 1);
    for (uint32_t i = 0; i < CREW_PLACES; i++) {
        CHECK(leat_deque_check(&crew_place(crew, i)->deque, stdout));
    }
    pool->places = CREW_PLACES + 1;
    leat_pool_fini(pool);
}

/* ---- tasks ---------------------------------------------------------------------------------- */

static void
note(struct crew *crew, uint32_t number)
{
    CHECK(crew->ran_count < CREW_TASKS);
    crew->ran[crew->ran_count] = number;
    crew->depths[crew->ran_count] = crew->self->depth;
    crew->ran_count++;
    if (crew->act != NULL) {
        crew->act(crew, number);
    }
}

static void
task_run(void *argument)
{
    note(&crew_now, *(const uint32_t *)argument);
}

void
crew_piece(size_t begin, size_t end, void *crew)
{
    note(crew, CREW_PIECE(begin, end));
}

void
crew_spawn_at(struct crew *crew, uint64_t depth, uint32_t number)
{
    uint64_t before = crew->self->depth;
    crew->self->depth = depth - 1;
    leat_spawn(crew->self, &crew->join, (uintptr_t)task_run, (uintptr_t)&crew->numbers[number]);
    CHECK_EQUAL(crew->self->depth, depth - 1);
    crew->self->depth = before;
}

void
crew_spawn(struct crew *crew, uint32_t number)
{
    crew_spawn_at(crew, crew->self->depth + 1, number);
}

bool
crew_spawn_outside(struct crew *crew, uint32_t number, uint32_t *index)
{
    return leat_spawn_outside(&crew->join, (uintptr_t)task_run, (uintptr_t)&crew->numbers[number],
                              index);
}

struct leat_deque_entry
crew_take(struct crew *crew, uint32_t worker, uint32_t number)
{
    struct leat_deque_entry entry;
    CHECK(leat_spawn_take(crew_place(crew, worker), &entry));
    CHECK_EQUAL(entry.words[1], (uintptr_t)&crew->numbers[number]);
    return entry;
}

void
crew_takes_none(struct crew *crew, uint32_t worker)
{
    struct leat_deque_entry entry;
    CHECK(!leat_spawn_take(crew_place(crew, worker), &entry));
}

void
crew_run_on(struct crew *crew, uint32_t worker, const struct leat_deque_entry *entry)
{
    struct leat_worker *before = crew->self;
    crew->self = crew_place(crew, worker);
    leat_spawn_run(crew->self, entry);
    crew->self = before;
}

void
crew_ran(struct crew *crew, const uint32_t *numbers, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        CHECK(crew->compared < crew->ran_count);
        CHECK_EQUAL(crew->ran[crew->compared], numbers[i]);
        crew->compared++;
    }
    CHECK_EQUAL(crew->compared, crew->ran_count);
}

void
crew_ran_down(struct crew *crew, uint32_t first, uint32_t last)
{
    for (uint32_t i = first + 1; i > last; i--) {
        CHECK(crew->compared < crew->ran_count);
        CHECK_EQUAL(crew->ran[crew->compared], i - 1);
        crew->compared++;
    }
    CHECK_EQUAL(crew->compared, crew->ran_count);
}

void
crew_ran_none(const struct crew *crew)
{
    CHECK_EQUAL(crew->compared, crew->ran_count);
}

uint64_t
crew_waiting(struct crew *crew, uint32_t worker)
{
    return leat_deque_count(&crew_place(crew, worker)->deque);
}

void
crew_wait(struct crew *crew)
{
    CHECK(leat_join_wait(&crew->join, UINT64_MAX));
    CHECK(leat_join_ended(&crew->join));
}

void
crew_lend(struct crew *crew, size_t want)
{
    size_t ran = 0;
    CHECK(leat_pool_lend(&crew->pool, want + 1, &ran));
    CHECK_EQUAL(ran, want);
}
