/* posted.c - posting to one worker, and what a worker does with what was posted to it. */
#include "sched/posted.h"

#include <inttypes.h>

#include "sched/worker.h"

LEAT_STATIC(offsetof(struct leat_worker, inbox) / LEAT_LINE_BYTES ==
                offsetof(struct leat_worker, pool) / LEAT_LINE_BYTES,
            "the inbox stands on a line that its worker reads before each pick");
LEAT_STATIC(offsetof(struct leat_worker, inbox) / LEAT_LINE_BYTES !=
                offsetof(struct leat_worker, stocked) / LEAT_LINE_BYTES,
            "who posts does not touch the line that the worker writes");

static leat_atomic_u32 *
link_of(void *context, uint32_t index)
{
    const struct leat_slab *slab = context;
    struct leat_posted_record *record = leat_slab_record(slab, index);
    return &record->next;
}

static struct leat_fifo_links
links_of(struct leat_pool *pool)
{
    struct leat_fifo_links links = {link_of, &pool->posted};
    return links;
}

/* ---- posting -------------------------------------------------------------------------------- */

/* P4 to P6, of one worker. pre: an sc operation or a full fence since it was posted to. */
static void
wake(struct leat_pool *pool, struct leat_worker *worker)
{
    if (leat_lot_wake_this(&pool->lot, &worker->bed, worker->index)) {
        leat_pool_wake_count(pool);
    }
}

enum leat_post_result
leat_pool_post_to(struct leat_pool *pool, uint32_t place, uint32_t level,
                  const struct leat_pool_task *task)
{
    uint32_t index = 0;
    uint32_t shard = leat_pool_shard();
    LEAT_ASSERT(place < pool->places);
    LEAT_ASSERT(level < LEAT_PRIORITY_LEVELS);
    struct leat_worker *worker = &pool->workers[place];
    if (place >= atom_load_rlx(&pool->active)) { /* rlx: hint, re-checked at inbox:D */
        return LEAT_POST_AWAY;
    }
    if (!leat_slab_take(&pool->posted, shard, &index)) {
        return LEAT_POST_FULL;
    }
    struct leat_posted_record *record = leat_slab_record(&pool->posted, index);
    /* rlx: ordered by inbox:D */
    atom_store_rlx(&record->argument, (uint64_t)(uintptr_t)task->argument);
    record->function = task->function;
    record->level = level;
    if (!leat_inbox_offer(&worker->inbox, &record->next, index)) {
        (void)atom_add_rlx(&pool->tasks_refused, 1); /* rlx: statistic */
        leat_slab_give(&pool->posted, shard, index);
        return LEAT_POST_AWAY;
    }
    if (pool->config.tick_ns == 0) {
        wake(pool, worker);
    }
    return LEAT_POST_OK;
}

void
leat_posted_wake(struct leat_pool *pool)
{
    for (uint32_t i = 0; i < pool->places; i++) {
        if (leat_inbox_ready(&pool->workers[i].inbox)) {
            wake(pool, &pool->workers[i]);
        }
    }
}

bool
leat_posted_ready(const struct leat_pool *pool)
{
    bool ready = false;
    for (uint32_t i = 0; i < pool->places && !ready; i++) {
        ready = leat_inbox_ready(&pool->workers[i].inbox);
    }
    return ready;
}

/* ---- taking --------------------------------------------------------------------------------- */

/* Turns a chain round, and puts each task behind those of its level. */
static void
deal(struct leat_worker *worker, uint32_t newest)
{
    const struct leat_fifo_links links = links_of(worker->pool);
    struct leat_fifo all;
    uint32_t index = 0;
    leat_fifo_init(&all);
    (void)leat_fifo_take_over(&all, links, newest);
    while (leat_fifo_pop_front(&all, links, &index)) {
        const struct leat_posted_record *record = leat_slab_record(&worker->pool->posted, index);
        leat_fifo_push_back(&worker->posted[record->level], links, index);
        worker->held |= LEAT_HELD_POSTED(record->level);
    }
}

void
leat_posted_take(struct leat_worker *worker)
{
    deal(worker, leat_inbox_take(&worker->inbox));
}

void
leat_posted_close(struct leat_worker *worker)
{
    deal(worker, leat_inbox_close(&worker->inbox));
}

static bool
pop(struct leat_worker *worker, uint32_t level, uint32_t *index)
{
    struct leat_fifo *fifo = &worker->posted[level];
    bool found = leat_fifo_pop_front(fifo, links_of(worker->pool), index);
    if (fifo->count == 0) {
        worker->held &= ~LEAT_HELD_POSTED(level);
    }
    return found;
}

void
leat_posted_pick(struct leat_worker *worker, uint32_t level, uint32_t *item)
{
    uint32_t index = 0;
    bool found = pop(worker, level, &index);
    LEAT_ASSERT(found);
    *item = leat_item_of(LEAT_KIND_POSTED, index);
}

bool
leat_posted_turn(struct leat_worker *worker, uint32_t level, uint32_t *item)
{
    uint32_t bit = UINT32_C(1) << level;
    worker->passed ^= bit;
    if ((worker->passed & bit) == 0) {
        return false;
    }
    leat_posted_pick(worker, level, item);
    return true;
}

static struct leat_pool_task
task_of(const struct leat_pool *pool, uint32_t index)
{
    const struct leat_posted_record *record = leat_slab_record(&pool->posted, index);
    uint64_t word = atom_load_rlx(&record->argument); /* rlx: ordered by inbox:B */
    /* It is a link at other times. NOLINTNEXTLINE(performance-no-int-to-ptr) */
    struct leat_pool_task task = {record->function, (void *)(uintptr_t)word};
    return task;
}

void
leat_posted_run(struct leat_worker *worker, uint32_t item)
{
    struct leat_pool *pool = worker->pool;
    uint32_t index = leat_item_index(item);
    struct leat_pool_task task = task_of(pool, index);
    atom_count(&worker->tasks_run, 1);
    leat_slab_give(&pool->posted, leat_pool_shard(), index);
    task.function(task.argument);
}

/* ---- giving away ---------------------------------------------------------------------------- */

/* The oldest of a level, as a task for any worker. False: there is none, or no room. */
static bool
give(struct leat_worker *worker, uint32_t level)
{
    struct leat_pool *pool = worker->pool;
    uint32_t index = worker->posted[level].first;
    if (index == LEAT_INDEX_NONE) {
        return false;
    }
    const struct leat_pool_task task = task_of(pool, index);
    if (!leat_pool_post(pool, level, &task)) {
        return false;
    }
    (void)pop(worker, level, &index);
    (void)atom_add_rlx(&pool->tasks_refused, 1); /* rlx: statistic */
    leat_slab_give(&pool->posted, leat_pool_shard(), index);
    return true;
}

void
leat_posted_give(struct leat_worker *worker)
{
    for (uint32_t level = 0; level < LEAT_PRIORITY_LEVELS; level++) {
        while (give(worker, level)) {
        }
    }
}

/* A place without a thread. What has no room in the rings goes to place 0. */
static void
empty(struct leat_worker *worker)
{
    struct leat_pool *pool = worker->pool;
    uint32_t index = 0;
    leat_posted_close(worker);
    leat_posted_give(worker);
    for (uint32_t level = 0; level < LEAT_PRIORITY_LEVELS; level++) {
        while (pop(worker, level, &index)) {
            struct leat_posted_record *record = leat_slab_record(&pool->posted, index);
            bool open = leat_inbox_offer(&pool->workers[0].inbox, &record->next, index);
            LEAT_ASSERT(open);
        }
    }
    if (worker->held == 0) {
        atom_store_rlx(&worker->busy, 0); /* rlx: not shared yet */
    }
}

void
leat_posted_settle(struct leat_pool *pool)
{
    uint32_t active = atom_load_rlx(&pool->active); /* rlx: single writer */
    for (uint32_t i = 0; i < pool->places && pool->config.workers != 0; i++) {
        if (i < active) {
            leat_inbox_open(&pool->workers[i].inbox);
        } else {
            empty(&pool->workers[i]);
        }
    }
}

/* ---- check ---------------------------------------------------------------------------------- */

bool
leat_posted_check(const struct leat_worker *worker, uint32_t *count, FILE *why)
{
    struct leat_slab *slab = &worker->pool->posted;
    bool right = leat_inbox_check(&worker->inbox, link_of, slab, slab->capacity, why);
    *count = 0;
    for (uint32_t level = 0; level < LEAT_PRIORITY_LEVELS; level++) {
        bool held = (worker->held & LEAT_HELD_POSTED(level)) != 0;
        if (held != (worker->posted[level].count != 0)) {
            right = false;
            if (why != NULL) {
                (void)fprintf(why, "posted: I2: level %" PRIu32 " of place %" PRIu32 "\n", level,
                              worker->index);
            }
        }
        *count += worker->posted[level].count;
    }
    uint32_t index = atom_load_rlx(&worker->inbox.newest); /* rlx: not shared yet */
    for (; right && index < LEAT_INDEX_NONE; (*count)++) {
        index = atom_load_rlx(link_of(slab, index)); /* rlx: not shared yet */
    }
    return right;
}
