/* unit_pool.c - the pool in one thread that lends itself, also from inside a handler, so that it
 * can be said exactly what runs when, who steals what, which bits of the hint word and of a
 * worker's stock are set, when all is quiet, who counts a wake, and that nothing of a batch or a
 * task is kept where the ring or a slab was full. */
#include <string.h>

#include "sched/pool.h"
#include "sched/worker.h"
#include "tests/support/check.h"
#include "tests/support/memory.h"

#define ITEMS_MAX 1024
#define BATCH_MAX 250
#define PLACES    2
#define LEVEL     1

#define RING  LEAT_HINT_RING(LEVEL)
#define LOCAL LEAT_HINT_LOCAL(LEVEL)

struct fixture {
    struct leat_pool pool;
    leat_atomic_u64 also;
    uint32_t ran[ITEMS_MAX]; /* in this order */
    uint32_t ran_count;
    uint32_t compared;
    /* What handlers do besides; may be NULL. */
    void (*act)(struct fixture *fixture, struct leat_worker *worker, uint32_t item);
    struct fixture *other;
};

static struct fixture fixtures[2];

static void
run(void *context, struct leat_worker *worker, uint32_t item)
{
    struct fixture *fixture = context;
    CHECK(fixture->ran_count < ITEMS_MAX);
    CHECK(leat_worker_current() == worker);
    CHECK(!leat_pool_quiet(&fixture->pool, &fixture->also));
    fixture->ran[fixture->ran_count] = leat_item_index(item);
    fixture->ran_count++;
    if (fixture->act != NULL) {
        fixture->act(fixture, worker, leat_item_index(item));
    }
}

static struct leat_pool_config
config_of(struct fixture *fixture)
{
    struct leat_pool_config config = {.lenders_max = PLACES + 1,
                                      .ring_slots_log2 = 3,
                                      .tasks_max = 2,
                                      .items_max = ITEMS_MAX,
                                      .memory = leat_memory_default(),
                                      .ops = {.run = run, .context = fixture}};
    return config;
}

/* Behind the places in use stands one that looks full of work: nobody may look at it. */
static struct leat_worker *
beyond(struct fixture *fixture)
{
    return &fixture->pool.workers[PLACES];
}

static void
open_with(struct fixture *fixture, const struct leat_pool_config *config)
{
    memset(fixture, 0, sizeof(*fixture));
    CHECK(leat_pool_init(&fixture->pool, config) == LEAT_OS_OK);
    fixture->pool.places = PLACES;
    for (uint32_t i = 0; i < PLACES; i++) {
        LEAT_STATIC(PLACES == 2, "each of two places has one victim");
        fixture->pool.victims[(size_t)(PLACES + 1) * i] = (uint8_t)(1 - i);
        fixture->pool.workers[i].victims_count[0] = 1;
    }
    atom_init(&beyond(fixture)->busy, 1);
    atom_init(&beyond(fixture)->stocked, UINT32_MAX);
    for (uint32_t i = 0; i < LEAT_PRIORITY_LEVELS; i++) {
        CHECK(leat_local_push(&beyond(fixture)->local[i], 0));
    }
}

static struct fixture *
setup(void)
{
    struct leat_pool_config config = config_of(&fixtures[0]);
    open_with(&fixtures[0], &config);
    return &fixtures[0];
}

/* The items that ran since the last time. */
static void
must_have_run(struct fixture *fixture, const uint32_t *items, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        CHECK(fixture->compared < fixture->ran_count);
        CHECK_EQUAL(fixture->ran[fixture->compared], items[i]);
        fixture->compared++;
    }
    CHECK_EQUAL(fixture->compared, fixture->ran_count);
}

#define MUST_HAVE_RUN(fixture, ...)                                                                \
    do {                                                                                           \
        const uint32_t items_[] = {__VA_ARGS__};                                                   \
        must_have_run((fixture), items_, (uint32_t)TEST_COUNT_OF(items_));                         \
    } while (0)

static void
push(struct fixture *fixture, uint32_t level, uint32_t index)
{
    CHECK(leat_pool_push(&fixture->pool, level, leat_item_of(LEAT_KIND_JOB, index)));
}

static bool
push_n(struct fixture *fixture, uint32_t level, uint32_t first, uint32_t count)
{
    uint32_t items[BATCH_MAX];
    CHECK(count <= BATCH_MAX);
    for (uint32_t i = 0; i < count; i++) {
        items[i] = leat_item_of(LEAT_KIND_JOB, first + i);
    }
    return leat_pool_push_n(&fixture->pool, level, items, count);
}

static void
lend(struct fixture *fixture, size_t budget, size_t want)
{
    size_t ran = 0;
    CHECK(leat_pool_lend(&fixture->pool, budget, &ran));
    CHECK_EQUAL(ran, want);
}

static bool
is_quiet(struct fixture *fixture)
{
    return leat_pool_quiet(&fixture->pool, &fixture->also);
}

static uint64_t
hint(struct fixture *fixture)
{
    return atom_load_rlx(&fixture->pool.hint);
}

static bool
is_stocked(struct fixture *fixture, uint32_t place)
{
    return (atom_load_rlx(&fixture->pool.workers[place].stocked) >> LEVEL & 1) != 0;
}

static uint64_t
stock(struct fixture *fixture, uint32_t place)
{
    return leat_local_count(&fixture->pool.workers[place].local[LEVEL]);
}

/* Nothing is left anywhere. */
static void
teardown(struct fixture *fixture)
{
    struct leat_pool *pool = &fixture->pool;
    CHECK(is_quiet(fixture));
    CHECK(!leat_pool_work_waits(pool));
    CHECK_EQUAL(fixture->compared, fixture->ran_count);
    CHECK(leat_slab_check(&pool->chunks, 0, stdout));
    CHECK(leat_slab_check(&pool->tasks, 0, stdout));
    CHECK_EQUAL(atom_load_rlx(&pool->alive), 0);
    pool->places = PLACES + 1;
    leat_pool_fini(pool);
}

/* ---- order ----------------------------------------------------------------------------------- */

static void
urgent_first(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    CHECK(is_quiet(fixture));
    push(fixture, 2, 0);
    push(fixture, 0, 1);
    push(fixture, 2, 2);
    push(fixture, 7, 3);
    CHECK_EQUAL(hint(fixture), 1 << 2 | 1 << 0 | 1 << 7);
    CHECK_EQUAL(leat_pool_look(&fixture->pool, 2), 1 << 2);
    CHECK_EQUAL(leat_pool_look(&fixture->pool, 1), 0);
    CHECK(!is_quiet(fixture));
    CHECK(leat_pool_work_waits(&fixture->pool));
    lend(fixture, 0, 0);
    lend(fixture, 3, 3);
    MUST_HAVE_RUN(fixture, 1, 0, 2);
    lend(fixture, 10, 1);
    MUST_HAVE_RUN(fixture, 3);
    lend(fixture, 10, 0);
    CHECK_EQUAL(atom_load_rlx(&fixture->pool.workers[0].taken), 4);
    /* Whatever the hint word says. */
    push(fixture, 5, 4);
    atom_init(&fixture->pool.hint, 0);
    lend(fixture, 10, 1);
    MUST_HAVE_RUN(fixture, 4);
    CHECK_EQUAL(hint(fixture), 1 << 5);
    CHECK_EQUAL(atom_load_rlx(&fixture->pool.lot.passes), 0);
    teardown(fixture);
}

static void
levels_take_turns(void **state)
{
    (void)state;
    struct fixture *fixture = &fixtures[0];
    struct leat_pool_config config = config_of(fixture);
    config.starvation_picks = 3;
    open_with(fixture, &config);
    for (uint32_t i = 0; i < 8; i++) {
        push(fixture, 0, i);
    }
    push(fixture, 1, 10);
    push(fixture, 1, 11);
    push(fixture, 3, 30);
    push(fixture, 3, 31);
    lend(fixture, 20, 12);
    MUST_HAVE_RUN(fixture, 0, 1, 10, 2, 3, 30, 4, 5, 6, 7, 11, 31);
    teardown(fixture);
    /* The level whose turn it was is the last one looked at, and only what is hinted counts. */
    config.starvation_picks = 1;
    open_with(fixture, &config);
    push(fixture, 1, 0);
    push(fixture, 1, 1);
    lend(fixture, 20, 2);
    MUST_HAVE_RUN(fixture, 0, 1);
    atom_init(&fixture->pool.hint, 0);
    CHECK(leat_mpmc_push(&fixture->pool.rings[2], leat_item_of(LEAT_KIND_JOB, 2)));
    push(fixture, 3, 3);
    lend(fixture, 20, 2);
    MUST_HAVE_RUN(fixture, 3, 2);
    teardown(fixture);
}

/* ---- full ------------------------------------------------------------------------------------ */

static void
count_task(void *argument)
{
    ++*(uint32_t *)argument;
}

static void
a_full_ring_keeps_nothing(void **state)
{
    (void)state;
    struct fixture *fixture = &fixtures[0];
    struct leat_pool_config config = config_of(fixture);
    config.ring_slots_log2 = 1;
    open_with(fixture, &config);
    uint32_t count = 0;
    const struct leat_pool_task task = {count_task, &count};
    push(fixture, LEVEL, 0);
    push(fixture, LEVEL, 1);
    CHECK(!leat_pool_push(&fixture->pool, LEVEL, leat_item_of(LEAT_KIND_JOB, 2)));
    CHECK(!push_n(fixture, LEVEL, 2, 1));
    CHECK(!push_n(fixture, LEVEL, 2, 100));
    CHECK(leat_slab_check(&fixture->pool.chunks, 0, stdout));
    CHECK(!leat_pool_post(&fixture->pool, LEVEL, &task));
    CHECK(leat_slab_check(&fixture->pool.tasks, 0, stdout));
    CHECK_EQUAL(atom_load_rlx(&fixture->pool.tasks_refused), 1);
    CHECK_EQUAL(leat_mpmc_count(&fixture->pool.rings[LEVEL]), 2);
    lend(fixture, 10, 2);
    MUST_HAVE_RUN(fixture, 0, 1);
    CHECK_EQUAL(count, 0);
    teardown(fixture);
}

static void
tasks_are_records(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    uint32_t count = 0;
    const struct leat_pool_task task = {count_task, &count};
    CHECK(leat_pool_post(&fixture->pool, LEVEL, &task));
    CHECK(leat_pool_post(&fixture->pool, LEVEL, &task));
    CHECK(!leat_pool_post(&fixture->pool, LEVEL, &task));
    CHECK(leat_slab_check(&fixture->pool.tasks, 2, stdout));
    CHECK_EQUAL(atom_load_rlx(&fixture->pool.tasks_refused), 0);
    lend(fixture, 10, 2);
    CHECK_EQUAL(count, 2);
    CHECK_EQUAL(atom_load_rlx(&fixture->pool.workers[0].tasks_run), 2);
    teardown(fixture);
}

/* ---- batches --------------------------------------------------------------------------------- */

static void
batch_of(struct fixture *fixture, uint32_t count)
{
    uint64_t blocks = leat_slab_takes(&fixture->pool.chunks);
    CHECK(push_n(fixture, LEVEL, 0, count));
    CHECK_EQUAL(leat_mpmc_count(&fixture->pool.rings[LEVEL]), 1);
    blocks = leat_slab_takes(&fixture->pool.chunks) - blocks;
    uint32_t behind = count < LEAT_CHUNK_ITEMS ? 0 : count - LEAT_CHUNK_ITEMS;
    CHECK_EQUAL(blocks,
                count == 1 ? 0 : 1 + (behind + LEAT_CHUNK_ITEMS - 2) / (LEAT_CHUNK_ITEMS - 1));
    lend(fixture, count, count);
    for (uint32_t i = 0; i < count; i++) {
        CHECK_EQUAL(fixture->ran[i], i);
    }
    fixture->ran_count = 0;
    CHECK(is_quiet(fixture));
    CHECK(leat_slab_check(&fixture->pool.chunks, 0, stdout));
}

static void
batches_stay_in_order(void **state)
{
    (void)state;
    static const uint32_t counts[] = {1, 2, 3, 31, 32, 33, 62, 63, 64, 65, 94, 95, BATCH_MAX};
    struct fixture *fixture = setup();
    for (uint32_t i = 0; i < TEST_COUNT_OF(counts); i++) {
        batch_of(fixture, counts[i]);
    }
    teardown(fixture);
}

/* 32 blocks for pairs of items, 2 for what is behind, 1 for each place and one more; and what each
 * place may keep or have claimed, which is taken here as if they did. */
static void
blocks_come_back(void **state)
{
    enum { KEPT = (LEAT_SPENT_MAX + LEAT_PRIORITY_LEVELS) * (PLACES + 1) };
    (void)state;
    struct fixture *fixture = &fixtures[0];
    struct leat_pool_config config = config_of(fixture);
    uint32_t kept[KEPT];
    config.items_max = 64;
    open_with(fixture, &config);
    uint32_t blocks = fixture->pool.chunks.capacity - KEPT;
    CHECK_EQUAL(blocks, 32 + 2 + PLACES + 1 + 1);
    CHECK_EQUAL(leat_slab_take_n(&fixture->pool.chunks, 0, kept, KEPT), KEPT);
    for (uint32_t i = 0; i < blocks - 1; i++) {
        CHECK(push_n(fixture, i / 8, 2 * i, 2));
    }
    CHECK(!push_n(fixture, 7, 0, 40));
    CHECK(leat_slab_check(&fixture->pool.chunks, KEPT + blocks - 1, stdout));
    CHECK(push_n(fixture, 7, 2 * (blocks - 1), 2));
    CHECK(!push_n(fixture, 7, 0, 2));
    CHECK(leat_slab_check(&fixture->pool.chunks, KEPT + blocks, stdout));
    lend(fixture, ITEMS_MAX, (size_t)2 * blocks);
    leat_slab_give_n(&fixture->pool.chunks, 0, kept, KEPT);
    fixture->compared = fixture->ran_count;
    teardown(fixture);
}

/* ---- stealing -------------------------------------------------------------------------------- */

/* The first item of a batch of nine lends its thread to the other place. */
static void
act_steal(struct fixture *fixture, struct leat_worker *worker, uint32_t item)
{
    (void)worker;
    if (item == 0) {
        CHECK_EQUAL(stock(fixture, 0), 8);
        CHECK_EQUAL(leat_pool_look(&fixture->pool, LEVEL), LOCAL);
        lend(fixture, 1, 1);
        CHECK_EQUAL(stock(fixture, 1), 3);
        CHECK_EQUAL(stock(fixture, 0), 4);
        CHECK(is_stocked(fixture, 1));
    }
}

static void
half_is_stolen(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    fixture->act = act_steal;
    CHECK(push_n(fixture, LEVEL, 0, 9));
    CHECK(!is_stocked(fixture, 0));
    lend(fixture, 1, 1);
    MUST_HAVE_RUN(fixture, 0, 1);
    CHECK(is_stocked(fixture, 0));
    CHECK_EQUAL(hint(fixture), RING | LOCAL);
    CHECK_EQUAL(leat_pool_look(&fixture->pool, LEVEL), LOCAL);
    CHECK(!is_quiet(fixture));
    CHECK(leat_pool_work_waits(&fixture->pool));
    /* A stop leaves it where it is. */
    leat_pool_halt(&fixture->pool);
    lend(fixture, 100, 0);
    atom_init(&fixture->pool.open, PLACES);
    lend(fixture, 100, 7);
    MUST_HAVE_RUN(fixture, 5, 6, 7, 8, 2, 3, 4);
    /* The owner has not seen yet that its stock is gone. */
    CHECK(is_stocked(fixture, 1));
    CHECK(!is_stocked(fixture, 0));
    CHECK_EQUAL(leat_pool_look(&fixture->pool, LEVEL), 0);
    CHECK_EQUAL(hint(fixture), RING);
    teardown(fixture);
}

/* The first item of a batch of two: the other one is all that there is to steal. */
static void
act_steal_last(struct fixture *fixture, struct leat_worker *worker, uint32_t item)
{
    (void)worker;
    if (item == 0) {
        atom_init(&fixture->pool.hint, RING);
        lend(fixture, 1, 1);
    }
}

static void
the_last_one_is_stolen(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    fixture->act = act_steal_last;
    CHECK(push_n(fixture, LEVEL, 0, 2));
    lend(fixture, 1, 1);
    MUST_HAVE_RUN(fixture, 0, 1);
    CHECK(!is_stocked(fixture, 1));
    /* Stolen only because the second look had set the bit. */
    CHECK_EQUAL(hint(fixture), RING | LOCAL);
    lend(fixture, 1, 0);
    CHECK(!is_stocked(fixture, 0));
    CHECK_EQUAL(hint(fixture), RING);
    teardown(fixture);
}

/* ---- items in hand, and places --------------------------------------------------------------- */

/* The first run of item 0 asks for another one. */
static void
act_keep(struct fixture *fixture, struct leat_worker *worker, uint32_t item)
{
    bool before = fixture->ran_count > 1 && fixture->ran[fixture->ran_count - 2] == 0;
    if (item == 0 && !before) {
        leat_worker_keep(worker, LEVEL, leat_item_of(LEAT_KIND_JOB, item));
    }
}

static void
kept_items_go_first(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    fixture->act = act_keep;
    push(fixture, LEVEL, 0);
    push(fixture, LEVEL, 1);
    lend(fixture, 10, 3);
    MUST_HAVE_RUN(fixture, 0, 0, 1);
    /* What is in hand at the end goes behind the others. */
    push(fixture, LEVEL, 0);
    push(fixture, LEVEL, 2);
    lend(fixture, 1, 1);
    MUST_HAVE_RUN(fixture, 0);
    fixture->act = NULL;
    lend(fixture, 10, 2);
    MUST_HAVE_RUN(fixture, 2, 0);
    teardown(fixture);
}

/* Item 10 runs in place 0 and lends itself to place 1, where item 0 is kept beside a full ring. */
static void
act_leave(struct fixture *fixture, struct leat_worker *worker, uint32_t item)
{
    size_t ran = 0;
    if (item == 10) {
        push(fixture, LEVEL, 0);
        push(fixture, LEVEL, 1);
        lend(fixture, 1, 1);
        CHECK(worker->index == 0);
    } else if (item == 0) {
        CHECK(worker->index == 1);
        push(fixture, LEVEL, 2);
        leat_worker_keep(worker, LEVEL, leat_item_of(LEAT_KIND_JOB, 20));
        CHECK(!leat_pool_lend(&fixture->pool, 1, &ran));
    } else if (item == 20) {
        CHECK(worker->index == 1);
        /* Somebody is inside who goes on with it. */
        CHECK(!leat_pool_work_waits(&fixture->pool));
    }
}

static void
what_does_not_fit_stays_in_hand(void **state)
{
    (void)state;
    struct fixture *fixture = &fixtures[0];
    struct leat_pool *pool = &fixture->pool;
    struct leat_pool_config config = config_of(fixture);
    uint32_t item = 0;
    config.ring_slots_log2 = 1;
    open_with(fixture, &config);
    fixture->act = act_leave;
    push(fixture, LEVEL, 10);
    lend(fixture, 1, 1);
    MUST_HAVE_RUN(fixture, 10, 0);
    for (uint32_t i = 1; i <= 2; i++) {
        CHECK(leat_mpmc_pop(&pool->rings[LEVEL], &item));
        CHECK_EQUAL(leat_item_index(item), i);
    }
    CHECK(!is_quiet(fixture));
    CHECK(leat_pool_work_waits(pool));
    pool->config.workers = 1; /* of its own: they do not leave */
    CHECK(!leat_pool_work_waits(pool));
    pool->config.workers = 0;
    /* Before anything else, by the place that has it. */
    push(fixture, 0, 3);
    lend(fixture, 0, 0);
    CHECK_EQUAL(leat_mpmc_count(&pool->rings[LEVEL]), 1);
    CHECK(leat_mpmc_pop(&pool->rings[LEVEL], &item));
    CHECK_EQUAL(leat_item_index(item), 20);
    lend(fixture, 10, 1);
    MUST_HAVE_RUN(fixture, 3);
    teardown(fixture);
}

static void
left_work_goes_on_in_its_place(void **state)
{
    (void)state;
    struct fixture *fixture = &fixtures[0];
    struct leat_pool_config config = config_of(fixture);
    uint32_t item = 0;
    config.ring_slots_log2 = 1;
    open_with(fixture, &config);
    fixture->act = act_leave;
    push(fixture, LEVEL, 10);
    lend(fixture, 1, 1);
    CHECK(leat_mpmc_pop(&fixture->pool.rings[LEVEL], &item));
    CHECK(leat_mpmc_pop(&fixture->pool.rings[LEVEL], &item));
    lend(fixture, 10, 1);
    MUST_HAVE_RUN(fixture, 10, 0, 20);
    teardown(fixture);
}

static void
act_nest(struct fixture *fixture, struct leat_worker *worker, uint32_t item)
{
    (void)worker;
    if (item == 0) {
        lend(fixture, 1, 1);
        CHECK_EQUAL(atom_load_rlx(&fixture->pool.left_event), 0);
        CHECK_EQUAL(atom_load_rlx(&fixture->pool.alive), 1);
    }
}

static void
the_last_one_out_says_so(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    fixture->act = act_nest;
    push(fixture, LEVEL, 0);
    push(fixture, LEVEL, 1);
    lend(fixture, 1, 1);
    MUST_HAVE_RUN(fixture, 0, 1);
    CHECK_EQUAL(atom_load_rlx(&fixture->pool.left_event), 1);
    teardown(fixture);
}

/* ---- quiet ----------------------------------------------------------------------------------- */

static void
quiet_counts_what_goes_on_elsewhere(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    atom_init(&fixture->also, 1);
    CHECK(!is_quiet(fixture));
    atom_init(&fixture->also, 0);
    CHECK(is_quiet(fixture));
    teardown(fixture);
}

static void
spawned_tasks_are_work(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_deque *deque = &fixture->pool.workers[1].deque;
    struct leat_deque_entry entry = {{0}};
    CHECK(leat_deque_push(deque, &entry));
    CHECK(!is_quiet(fixture));
    CHECK(leat_pool_work_waits(&fixture->pool));
    CHECK(leat_deque_pop(deque, &entry));
    teardown(fixture);
}

static void
timers_that_are_due_are_work(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    leat_pool_due(&fixture->pool);
    CHECK(leat_pool_due_waits(&fixture->pool));
    CHECK_EQUAL(hint(fixture), LEAT_HINT_DUE);
    CHECK(!is_quiet(fixture));
    CHECK(leat_pool_work_waits(&fixture->pool));
    atom_init(&fixture->pool.due, 0);
    CHECK(!leat_pool_due_waits(&fixture->pool));
    teardown(fixture);
}

static void
news_are_for_watchers(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    uint32_t event = leat_pool_watch_event(&fixture->pool);
    lend(fixture, 1, 0);
    CHECK_EQUAL(leat_pool_watch_event(&fixture->pool), event);
    leat_pool_watch(&fixture->pool);
    lend(fixture, 1, 0);
    CHECK_EQUAL(leat_pool_watch_event(&fixture->pool), event + 1);
    leat_pool_unwatch(&fixture->pool);
    leat_pool_quiet_news(&fixture->pool);
    CHECK_EQUAL(leat_pool_watch_event(&fixture->pool), event + 1);
    teardown(fixture);
}

/* ---- wakes ----------------------------------------------------------------------------------- */

static void
lie_down(struct fixture *fixture, uint32_t place)
{
    leat_lot_enter(&fixture->pool.lot, &fixture->pool.workers[place].bed, place);
}

static uint64_t
wakes(struct fixture *fixture, uint32_t place)
{
    return atom_load_rlx(&fixture->pool.workers[place].wakes);
}

static uint64_t
wakes_outside(struct fixture *fixture)
{
    return atom_load_rlx(&fixture->pool.wakes_outside);
}

/* Item 0 brings work to the own pool, where a worker sleeps, and to the other one. */
static void
act_bring(struct fixture *fixture, struct leat_worker *worker, uint32_t item)
{
    (void)worker;
    if (item == 0) {
        push(fixture, LEVEL, 1);
        push(fixture->other, LEVEL, 2);
    }
}

static void
wakes_are_counted_by_who_wakes(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct fixture *other = &fixtures[1];
    struct leat_pool_config config = config_of(other);
    open_with(other, &config);
    fixture->other = other;
    fixture->act = act_bring;
    lie_down(fixture, 1);
    lie_down(other, 0);
    push(fixture, LEVEL, 5);
    CHECK_EQUAL(wakes_outside(fixture), 1);
    /* It is on its way: nobody else is there to be woken. */
    push(fixture, LEVEL, 0);
    CHECK(!leat_pool_wake_one(&fixture->pool));
    CHECK_EQUAL(wakes_outside(fixture), 1);
    CHECK_EQUAL(atom_load_rlx(&fixture->pool.lot.passes), 2);
    lie_down(fixture, 1);
    lend(fixture, 2, 2);
    MUST_HAVE_RUN(fixture, 5, 0);
    CHECK_EQUAL(wakes_outside(fixture), 1);
    CHECK_EQUAL(wakes(fixture, 0), 1);
    CHECK_EQUAL(wakes_outside(other), 1);
    CHECK_EQUAL(wakes(other, 0), 0);
    lend(fixture, 2, 1);
    MUST_HAVE_RUN(fixture, 1);
    lend(other, 2, 1);
    MUST_HAVE_RUN(other, 2);
    teardown(other);
    teardown(fixture);
}

/* Where a thread wakes by the clock, a push does not. */
static void
a_tick_wakes_instead(void **state)
{
    (void)state;
    struct fixture *fixture = &fixtures[0];
    struct leat_pool_config config = config_of(fixture);
    config.tick_ns = 1;
    open_with(fixture, &config);
    lie_down(fixture, 1);
    push(fixture, LEVEL, 0);
    CHECK_EQUAL(wakes_outside(fixture), 0);
    CHECK(!leat_parker_notified(&fixture->pool.workers[1].bed));
    CHECK_EQUAL(hint(fixture), RING);
    lend(fixture, 1, 1);
    MUST_HAVE_RUN(fixture, 0);
    teardown(fixture);
}

/* ---- places --------------------------------------------------------------------------------- */

/* A thread of a place behind those in use is nobody's to wait for. */
static void
joins_no_place_beyond(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    atom_init(&beyond(fixture)->seat, LEAT_SEAT_TAKEN);
    leat_pool_join(&fixture->pool);
    CHECK_EQUAL(atom_load_rlx(&beyond(fixture)->seat), LEAT_SEAT_TAKEN);
    atom_init(&beyond(fixture)->seat, LEAT_SEAT_EMPTY);
    teardown(fixture);
}

/* Whichever of its parts there was no memory for. */
static void
a_failed_start_keeps_nothing(void **state)
{
    (void)state;
    struct test_memory memory;
    static struct leat_pool pool; /* large */
    struct leat_pool_config config = config_of(&fixtures[0]);
    uint64_t failed = 0;
    test_memory_init(&memory);
    config.memory = test_memory_table(&memory);
    test_memory_fail(&memory, failed, false);
    memset(&pool, 0, sizeof(pool));
    while (leat_pool_init(&pool, &config) != LEAT_OS_OK) {
        CHECK_EQUAL(test_memory_blocks(&memory), 0);
        failed++;
        test_memory_fail(&memory, failed, false);
    }
    CHECK(failed > 0);
    leat_pool_fini(&pool);
    CHECK_EQUAL(test_memory_blocks(&memory), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urgent_first),
        cmocka_unit_test(levels_take_turns),
        cmocka_unit_test(a_full_ring_keeps_nothing),
        cmocka_unit_test(tasks_are_records),
        cmocka_unit_test(batches_stay_in_order),
        cmocka_unit_test(blocks_come_back),
        cmocka_unit_test(half_is_stolen),
        cmocka_unit_test(the_last_one_is_stolen),
        cmocka_unit_test(kept_items_go_first),
        cmocka_unit_test(what_does_not_fit_stays_in_hand),
        cmocka_unit_test(left_work_goes_on_in_its_place),
        cmocka_unit_test(the_last_one_out_says_so),
        cmocka_unit_test(quiet_counts_what_goes_on_elsewhere),
        cmocka_unit_test(spawned_tasks_are_work),
        cmocka_unit_test(timers_that_are_due_are_work),
        cmocka_unit_test(news_are_for_watchers),
        cmocka_unit_test(wakes_are_counted_by_who_wakes),
        cmocka_unit_test(a_tick_wakes_instead),
        cmocka_unit_test(joins_no_place_beyond),
        cmocka_unit_test(a_failed_start_keeps_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
