/* worker.c - the loop of a worker: pick the most urgent item, run it; without work, spin for a
 * while, then park. */
#include "sched/worker.h"

#include "ring/probe.h"

#include "sched/posted.h"
#include "sched/spawn.h"
#include "sched/trace.h"

static _Thread_local struct leat_worker *current_worker;

struct leat_worker *
leat_worker_current(void)
{
    return current_worker;
}

/* Counts something taken. */
LEAT_INLINE void
taken(struct leat_worker *worker)
{
    /* taken:A release -> quiet:C.  Carries: that the worker is busy.
     * If relaxed: a drain could see the item taken and the worker idle as before. */
    atom_store_rel(&worker->taken, atom_load_rlx(&worker->taken) + 1); /* rlx: single writer */
}

/* ---- pick and run --------------------------------------------------------------------------- */

void
leat_worker_keep(struct leat_worker *worker, uint32_t level, uint32_t item)
{
    LEAT_ASSERT(level < LEAT_PRIORITY_LEVELS);
    LEAT_ASSERT((worker->held >> level & 1) == 0);
    worker->hand[level] = item;
    worker->held |= UINT32_C(1) << level;
}

/* Says whether the worker's local queue of a level may have items. */
static void
stocked_set(struct leat_worker *worker, uint32_t level, bool stocked)
{
    uint32_t bit = UINT32_C(1) << level;
    uint32_t now = atom_load_rlx(&worker->stocked); /* rlx: single writer */
    /* stock:A release -> waits:A.  Carries: that this worker is busy; that thieves are, who emptied
     * the queue.
     * If relaxed: a drain could see the bit clear and all of them idle as before. */
    atom_store_rel(&worker->stocked, stocked ? now | bit : now & ~bit);
}

/* Puts items into the worker's local queue, where others may steal them. There is room: the queue
 * is empty, and they are no more than a batch. */
static void
local_stock(struct leat_worker *worker, uint32_t level, const uint32_t *items, uint32_t count)
{
    bool room = leat_local_push_n(&worker->local[level], items, count);
    LEAT_ASSERT(room);
    stocked_set(worker, level, true);
    leat_pool_notify(worker->pool, LEAT_HINT_LOCAL(level));
}

/* Gives records back that the worker kept. */
static void
spent_give(struct leat_slab *slab, struct leat_spent *spent)
{
    if (spent->count != 0) {
        leat_slab_give_n(slab, leat_pool_shard(), spent->indices, spent->count);
        spent->count = 0;
    }
}

/* Keeps one, until they are as many as is wanted, or all are to go `now`. */
LEAT_INLINE void
spent_add(struct leat_slab *slab, struct leat_spent *spent, uint32_t index, bool now)
{
    spent->indices[spent->count++] = index;
    if (spent->count >= spent->most || now) {
        spent_give(slab, spent);
    }
}

/* Takes a batch apart: its first item is returned, the others go into the worker's local queue of
 * the level. That is empty: a worker takes from a ring only what it has no items of its own before,
 * and what goes on with a batch is its last item. */
static LEAT_COLD uint32_t
chunk_open(struct leat_worker *worker, uint32_t level, uint32_t item)
{
    struct leat_pool *pool = worker->pool;
    uint32_t items[LEAT_CHUNK_ITEMS];
    uint32_t index = leat_item_index(item);
    uint32_t count = leat_chunk_read(leat_slab_record(&pool->chunks, index), items);
    LEAT_ASSERT(count >= 2);
    LEAT_ASSERT(leat_item_kind(items[0]) != LEAT_KIND_CHUNK);
    worker->tasks_spent.most = LEAT_SPENT_MAX;
    local_stock(worker, level, items + 1, count - 1);
    /* Behind it, so that nobody waits for the batch because of the block. */
    spent_add(&pool->chunks, &worker->chunks_spent, index, false);
    return items[0];
}

LEAT_INLINE uint32_t
item_open(struct leat_worker *worker, uint32_t level, uint32_t item)
{
    if (LEAT_UNLIKELY(leat_item_kind(item) == LEAT_KIND_CHUNK)) {
        return chunk_open(worker, level, item);
    }
    return item;
}

/* The record of an item was written by another core and may have left the caches since. Its way
 * here takes as long as the item before it, or less. */
LEAT_INLINE void
prefetch(const struct leat_pool *pool, uint32_t item)
{
    const struct leat_slab *slab = pool->slabs[leat_item_kind(item)];
    if (LEAT_LIKELY(slab != NULL)) {
        leat_slab_prefetch(slab, leat_item_index(item));
    }
}

/* Prefetches what this worker will take next, as far as that can be told. */
LEAT_INLINE void
prefetch_next(const struct leat_worker *worker, uint32_t level)
{
    uint32_t item = 0;
    if (leat_local_peek(&worker->local[level], &item) ||
        leat_mpmc_peek(&worker->pool->rings[level], 0, &item)) {
        prefetch(worker->pool, item);
    }
}

static bool
local_pick(struct leat_worker *worker, uint32_t level, uint32_t *item)
{
    if (leat_local_pop(&worker->local[level], item)) {
        prefetch_next(worker, level);
        *item = item_open(worker, level, *item);
        return true;
    }
    /* It is empty, so not ready: asked for its edge from the thieves at local_count:A. A drain that
     * sees the bit cleared and this worker idle then sees that they are busy. */
    stocked_set(worker, level, leat_local_ready(&worker->local[level]));
    return false;
}

/* How many items the worker may take at once: twice as many as before if those did not take long,
 * else half; and no more than its share of what waits. */
static uint32_t
claim_size(struct leat_worker *worker, uint32_t level)
{
    const struct leat_pool *pool = worker->pool;
    uint32_t item = 0;
    uint64_t now_ns = leat_os_monotonic_ns();
    uint64_t took_ns = now_ns - worker->claim_ns;
    uint32_t size = took_ns > LEAT_CLAIM_NS ? worker->claim / 2 : worker->claim * 2;
    size = size < 1 ? 1 : size;
    size = size > LEAT_CLAIM_MAX ? LEAT_CLAIM_MAX : size;
    while (size > 1 &&
           !leat_mpmc_peek(&pool->rings[level], (uint64_t)(size - 1) * pool->places, &item)) {
        size /= 2;
    }
    worker->claim_ns = now_ns;
    worker->claim = size;
    worker->singles = 0;
    return size;
}

/* Takes more items behind the one that was just taken, into the local queue, which is empty. */
static LEAT_COLD void
claim(struct leat_worker *worker, uint32_t level)
{
    struct leat_pool *pool = worker->pool;
    uint32_t items[LEAT_CLAIM_MAX];
    uint32_t most = claim_size(worker, level) - 1;
    uint32_t count = 0;
    bool more = count < most;
    while (more && leat_mpmc_pop(&pool->rings[level], &items[count])) {
        /* What goes on with a batch is the last item of a local queue. */
        bool chunk = leat_item_kind(items[count]) == LEAT_KIND_CHUNK;
        count++;
        more = count < most && !chunk;
    }
    if (count > 0) {
        /* Of single tasks each record at once: who posts waits for it sooner. */
        worker->tasks_spent.most = 1;
        local_stock(worker, level, items, count);
    }
}

/* The oldest item of a ring. */
static bool
ring_pick(struct leat_worker *worker, uint32_t level, uint32_t *item)
{
    if (!leat_mpmc_pop(&worker->pool->rings[level], item)) {
        return false;
    }
    if (LEAT_UNLIKELY(leat_item_kind(*item) == LEAT_KIND_CHUNK)) {
        *item = chunk_open(worker, level, *item);
    } else if (worker->claim > 1 || ++worker->singles >= LEAT_CLAIM_EVERY) {
        claim(worker, level);
    }
    prefetch_next(worker, level);
    return true;
}

/* Half of what a victim has of a level. */
static bool
steal_from(struct leat_worker *worker, uint32_t victim, uint32_t level, uint32_t *item)
{
    struct leat_pool *pool = worker->pool;
    uint32_t count =
        leat_local_steal(&pool->workers[victim].local[level], &worker->local[level], item);
    if (count == 0) {
        return false;
    }
    /* First of all: until then the others may not see what was stolen. */
    if (count > 1) {
        stocked_set(worker, level, true);
        leat_pool_notify(pool, LEAT_HINT_LOCAL(level));
    }
    LEAT_PROBE4(steal, worker->index, victim, level, count);
    leat_trace_note(worker, leat_trace_what(LEAT_TRACE_STEAL, victim, level, count));
    atom_count(&worker->steals, 1);
    *item = item_open(worker, level, *item);
    return true;
}

/* From the first that has something of the level, near ones before far ones; the bit said that
 * there is one. Begins elsewhere each time, so that not all thieves go the same way. */
static LEAT_COLD bool
steal(struct leat_worker *worker, uint32_t level, uint32_t *item)
{
    struct leat_pool *pool = worker->pool;
    const uint8_t *victims = worker->victims;
    for (uint32_t distance = 0; distance < LEAT_DISTANCES; distance++) {
        uint32_t count = worker->victims_count[distance];
        uint64_t turn = atom_load_rlx(&worker->taken); /* rlx: single writer */
        for (uint32_t i = 0; i < count; i++) {
            if (steal_from(worker, victims[(turn + i) % count], level, item)) {
                return true;
            }
        }
        victims += count;
    }
    (void)atom_and_rlx(&pool->hint, ~LEAT_HINT_LOCAL(level)); /* rlx: ordered by steal:A */
    /* steal:A sc -> notify:A.  Orders: bit cleared then local queues read, against items published
     * there then hint read. */
    atom_fence_sc(&pool->anchor);
    if ((leat_pool_look(pool, level) & LEAT_HINT_LOCAL(level)) != 0) {
        (void)atom_or_rlx(&pool->hint, LEAT_HINT_LOCAL(level)); /* rlx: ordered by steal:A */
    }
    return false;
}

/* Moves listed jobs to the ring, if there are some and no other worker does. Counted as a taking:
 * see leat_pool_quiet(). */
static LEAT_COLD void
admit(struct leat_worker *worker, uint32_t level)
{
    struct leat_pool *pool = worker->pool;
    worker->unadmitted = 0;
    if (!leat_lists_ready(&pool->lists[level])) {
        return;
    }
    taken(worker);
    (void)leat_lists_admit(pool, level);
    atom_count(&worker->ended, 1);
}

/* True once in LEAT_ROB_EVERY times that it goes to the ring while others have items of the level.
 * Those may wait behind a handler that does not return, or in a place without a thread: they must
 * not wait until the ring is empty, which may be never. */
static bool
robs_first(struct leat_worker *worker, uint32_t level, uint64_t hint)
{
    if ((hint & LEAT_HINT_LOCAL(level)) == 0 || ++worker->rounds < LEAT_ROB_EVERY) {
        return false;
    }
    worker->rounds = 0;
    return true;
}

/* The item of a level that is in hand, or what was posted, if it is its turn. */
static LEAT_COLD bool
held_pick(struct leat_worker *worker, uint32_t level, uint32_t *item)
{
    uint32_t bit = UINT32_C(1) << level;
    if ((worker->held & bit) != 0) {
        *item = worker->hand[level];
        worker->held &= ~bit;
        return true;
    }
    return leat_posted_turn(worker, level, item);
}

/* The item of a level that is in hand, or the oldest in the local queue, or of its ring, or one of
 * another worker's. `hint` is the hint word as it was seen. */
static bool
level_pick(struct leat_worker *worker, uint32_t level, uint64_t hint, uint32_t *item)
{
    uint32_t bit = UINT32_C(1) << level;
    bool listed = (hint & LEAT_HINT_LIST(level)) != 0;
    if (LEAT_UNLIKELY(listed) && ++worker->unadmitted >= LEAT_ADMIT_EVERY) {
        admit(worker, level);
    }
    if (LEAT_UNLIKELY((worker->held & (bit | LEAT_HELD_POSTED(level))) != 0) &&
        held_pick(worker, level, item)) {
        return true;
    }
    /* rlx: single writer */
    if ((atom_load_rlx(&worker->stocked) & bit) != 0 && local_pick(worker, level, item)) {
        return true;
    }
    /* Its own queue is empty, as a steal wants it. */
    if (LEAT_UNLIKELY(robs_first(worker, level, hint)) && steal(worker, level, item)) {
        return true;
    }
    if (ring_pick(worker, level, item)) {
        return true;
    }
    if (LEAT_UNLIKELY(listed)) {
        admit(worker, level);
        if (ring_pick(worker, level, item)) {
            return true;
        }
    }
    if ((hint & LEAT_HINT_LOCAL(level)) != 0 && steal(worker, level, item)) {
        return true;
    }
    if ((worker->held & LEAT_HELD_POSTED(level)) != 0) {
        leat_posted_pick(worker, level, item);
        return true;
    }
    return false;
}

/* The first hinted level behind the one that had its turn last. */
static bool
rotation_pick(struct leat_worker *worker, uint32_t levels, uint64_t hint, uint32_t *item)
{
    for (uint32_t i = 1; i <= LEAT_PRIORITY_LEVELS; i++) {
        uint32_t level = (worker->rotation + i) % LEAT_PRIORITY_LEVELS;
        if ((levels >> level & 1) != 0 && level_pick(worker, level, hint, item)) {
            worker->rotation = level;
            return true;
        }
    }
    return false;
}

/* True once in starvation_picks calls. */
static bool
in_rotation(struct leat_worker *worker)
{
    uint32_t guard = worker->pool->config.starvation_picks;
    if (guard == 0 || LEAT_LIKELY(++worker->picks < guard)) {
        return false;
    }
    worker->picks = 0;
    return true;
}

/* Timers are due, or the bit is left from when they were. Counted as a taking: see
 * leat_pool_quiet(). */
static LEAT_COLD void
advance(struct leat_worker *worker)
{
    struct leat_pool *pool = worker->pool;
    const struct leat_pool_ops *ops = &pool->config.ops;
    taken(worker);
    leat_trace_note(worker, LEAT_TRACE_TIMERS_BEGIN);
    /* pass:A acq_rel -> told:A, told:B.  Carries: when they were found due. And on, that this
     * worker is busy.
     * If relaxed: see told:A and told:B. */
    if (atom_swap_acq_rel(&pool->due, 0) != 0) {
        if (ops->advance(ops->context, worker->index)) {
            leat_pool_due(pool);
        }
    } else {
        (void)atom_and_rlx(&pool->hint, ~LEAT_HINT_DUE); /* rlx: ordered by advance:A */
        /* advance:A sc -> notify:A.  Orders: bit cleared then due read, against due set then hint
         * read. */
        atom_fence_sc(&pool->anchor);
        if (leat_pool_due_waits(pool)) {
            (void)atom_or_rlx(&pool->hint, LEAT_HINT_DUE); /* rlx: ordered by advance:A */
        }
    }
    leat_trace_note(worker, LEAT_TRACE_TIMERS_END);
    atom_count(&worker->ended, 1);
}

/* Takes the next item. A hint bit may be set over an empty ring; it is cleared when the worker
 * parks, since clearing it at once would send the hint's line back and forth for each item. */
static bool
pick(struct leat_worker *worker, uint32_t *item)
{
    uint64_t hint = atom_load_rlx(&worker->pool->hint); /* rlx: hint, re-checked at park:A */
    if (LEAT_UNLIKELY(leat_inbox_ready(&worker->inbox))) {
        leat_posted_take(worker);
    }
    /* Else two workers in step could clear the hint for each other, for ever. */
    hint |= worker->seen;
    worker->seen = 0;
    if (LEAT_UNLIKELY((hint & LEAT_HINT_DUE) != 0)) {
        advance(worker);
        hint |= atom_load_rlx(&worker->pool->hint); /* rlx: hint, re-checked at park:A */
    }
    /* rlx: single writer */
    uint32_t levels = leat_hint_levels(hint | worker->held) | atom_load_rlx(&worker->stocked);
    if (LEAT_UNLIKELY(in_rotation(worker))) {
        return rotation_pick(worker, levels, hint, item);
    }
    while (levels != 0) {
        uint32_t level = (uint32_t)__builtin_ctz(levels);
        if (LEAT_LIKELY(level_pick(worker, level, hint, item))) {
            return true;
        }
        levels &= levels - 1;
    }
    return false;
}

/* What comes rarely. */
static LEAT_COLD void
run_other(struct leat_worker *worker, uint32_t item)
{
    if (leat_item_kind(item) == LEAT_KIND_SPAWNED) {
        leat_spawn_item(worker, item);
        return;
    }
    LEAT_ASSERT(leat_item_kind(item) == LEAT_KIND_POSTED);
    leat_posted_run(worker, item);
}

/* The record of a task is given back before the task runs, so that a long one holds none; of a
 * batch, several together, as long as more of it waits. */
LEAT_INLINE void
spend(struct leat_worker *worker, uint32_t index)
{
    bool alone = atom_load_rlx(&worker->stocked) == 0; /* rlx: single writer */
    spent_add(&worker->pool->tasks, &worker->tasks_spent, index, alone);
}

static void
run(struct leat_worker *worker, uint32_t item)
{
    struct leat_pool *pool = worker->pool;
    taken(worker);
    if (leat_item_kind(item) != LEAT_KIND_TASK) {
        if (LEAT_UNLIKELY(leat_item_kind(item) != LEAT_KIND_JOB)) {
            run_other(worker, item);
        } else {
            pool->config.ops.run(pool->config.ops.context, worker, item);
        }
        atom_count(&worker->ended, 1);
        return;
    }
    uint32_t index = leat_item_index(item);
    struct leat_task_record *record = leat_slab_record(&pool->tasks, index);
    uint64_t word = atom_load_rlx(&record->argument); /* rlx: ordered by pop:B */
    /* It is a link at other times. NOLINTNEXTLINE(performance-no-int-to-ptr) */
    void *argument = (void *)(uintptr_t)word;
    leat_pool_function function = record->function;
    atom_count(&worker->tasks_run, 1);
    spend(worker, index);
    function(argument);
    atom_count(&worker->ended, 1);
}

/* ---- without work --------------------------------------------------------------------------- */

/* Says that this worker has nothing in hand, and tells who waits for quiet. */
static void
busy_end(struct leat_worker *worker)
{
    /* busy:A release -> quiet:A, quiet:B.  Carries: the end of all it ran, the pushes it made
     * included.
     * If relaxed: a drain could see it idle and miss what it pushed. */
    atom_store_rel(&worker->busy, 0);
    leat_pool_quiet_news(worker->pool);
}

static void
busy_begin(struct leat_worker *worker)
{
    /* Ordered before every pop by pop:C, whose release a drain acquires at ready:B. */
    atom_store_rlx(&worker->busy, 1); /* rlx: ordered by pop:C */
}

/* ---- the loop ------------------------------------------------------------------------------- */

/* Until then, or until there are items. */
static void
stolen_rest(const struct leat_worker *worker, uint64_t until_ns)
{
    /* rlx: hint, re-checked at park:A */
    while (leat_os_monotonic_ns() < until_ns && atom_load_rlx(&worker->pool->hint) == 0) {
        leat_pause();
    }
}

/* Where there are no items. False: there is no spawned task either. */
static LEAT_COLD bool
spawned_step(struct leat_worker *worker, bool *first)
{
    struct leat_deque_entry entry;
    bool own = !leat_deque_empty(&worker->deque);
    if (!leat_spawn_take(worker, &entry)) {
        return false;
    }
    if (*first) {
        leat_worker_wake_next(worker);
        *first = false;
    }
    if (own) {
        leat_spawn_run(worker, &entry);
        atom_count(&worker->ended, 1);
        return true;
    }
    uint64_t begin_ns = leat_os_monotonic_ns();
    leat_spawn_run(worker, &entry);
    atom_count(&worker->ended, 1);
    uint64_t end_ns = leat_os_monotonic_ns();
    if (end_ns < begin_ns + LEAT_STOLEN_SHORT_NS) {
        stolen_rest(worker, end_ns + LEAT_STOLEN_REST_NS);
    }
    return true;
}

/* Takes something and runs it. False: there is nothing. `first`: since the worker had none. */
LEAT_INLINE bool
step(struct leat_worker *worker, bool *first)
{
    uint32_t item = 0;
    if (LEAT_UNLIKELY(!pick(worker, &item))) {
        return spawned_step(worker, first);
    }
    if (LEAT_UNLIKELY(*first)) {
        leat_worker_wake_next(worker);
        *first = false;
    }
    run(worker, item);
    return true;
}

/* False: there is no room in the ring, and what has no queue cannot be listed. */
static bool
put_back(struct leat_pool *pool, uint32_t level, uint32_t item)
{
    const struct leat_lists_ops *ops = &pool->config.lists;
    if (pool->config.queues == 0) {
        return leat_pool_push(pool, level, item);
    }
    leat_pool_put(pool, level, ops->queue(ops->context, leat_item_index(item)), item);
    return true;
}

/* What only this thread can reach goes to the rings, where any thread finds it: items in hand, and
 * what was posted to it, unless it is for a stop. What its local queues hold is in the reach of
 * all, where it is. False: something is left. Then the worker stays busy, so that nothing counts as
 * quiet, and goes on with it, or the next thread in this place does. */
static bool
hand_over(struct leat_worker *worker)
{
    spent_give(&worker->pool->tasks, &worker->tasks_spent);
    spent_give(&worker->pool->chunks, &worker->chunks_spent);
    uint32_t held = worker->held & ((UINT32_C(1) << LEAT_PRIORITY_LEVELS) - 1);
    if (atom_load_rlx(&worker->pool->open) != 0) { /* rlx: hint, re-checked at halted:A */
        leat_posted_give(worker);
    }
    while (held != 0) {
        uint32_t level = (uint32_t)__builtin_ctz(held);
        if (put_back(worker->pool, level, worker->hand[level])) {
            worker->held &= ~(UINT32_C(1) << level);
        }
        held &= held - 1;
    }
    return worker->held == 0;
}

/* Ends: as long as this look finds something, this pick or another thread's takes it, or
 * moves listed jobs on. */
static bool
pick_again(struct leat_worker *worker, uint32_t *item)
{
    while (leat_worker_look(worker)) {
        if (pick(worker, item)) {
            return true;
        }
    }
    return false;
}

size_t
leat_worker_some(struct leat_worker *worker, size_t budget)
{
    size_t ran = 0;
    uint32_t item = 0;
    bool first = false;
    /* A handler of one engine may lend its thread to another. */
    struct leat_worker *before = current_worker;
    current_worker = worker;
    busy_begin(worker);
    while (!leat_worker_halted(worker) && ran < budget) {
        /* A lent thread does not park, so it takes the second look here. */
        if (pick(worker, &item) || pick_again(worker, &item)) {
            run(worker, item);
        } else if (!spawned_step(worker, &first)) {
            break;
        }
        ran++;
    }
    leat_spawn_empty(worker);
    if (hand_over(worker)) {
        busy_end(worker);
    }
    current_worker = before;
    return ran;
}

/* Runs the next item. pre: something is in hand. */
static void
held_run(struct leat_worker *worker)
{
    uint32_t item = 0;
    bool found = pick(worker, &item);
    LEAT_ASSERT(found);
    run(worker, item);
}

/* Closes the inbox, and gives away what came in last; where there is no room it goes on, item by
 * item. A stop ends that. Counted as a taking: see leat_pool_quiet(). */
static void
inbox_end(struct leat_worker *worker)
{
    busy_begin(worker);
    taken(worker);
    leat_posted_close(worker);
    bool given = hand_over(worker);
    /* rlx: hint, re-checked at halted:A */
    while (!given && atom_load_rlx(&worker->pool->open) != 0) {
        held_run(worker);
        given = hand_over(worker);
    }
    atom_count(&worker->ended, 1);
    if (given) {
        busy_end(worker);
    }
}

/* True: the thread leaves its place. For a stop it does so at once. Where there are to be fewer
 * workers, not before it has given away what it has in hand; meanwhile it goes on, item by item. */
static bool
leaves(struct leat_worker *worker)
{
    if (LEAT_LIKELY(!leat_worker_halted(worker))) {
        return false;
    }
    if (atom_load_rlx(&worker->pool->open) == 0) { /* rlx: hint, re-checked at halted:A */
        return true;
    }
    if (worker->held != 0) {
        held_run(worker);
        return false;
    }
    if (!leat_worker_may_leave(worker)) {
        return false;
    }
    inbox_end(worker);
    leat_worker_wake_next(worker);
    return true;
}

void *
leat_worker_run(void *argument)
{
    struct leat_worker *worker = argument;
    struct leat_pool *pool = worker->pool;
    const struct leat_pool_ops *ops = &pool->config.ops;
    current_worker = worker;
    if (ops->started != NULL) {
        ops->started(ops->context, worker->index);
    }
    while (!leaves(worker)) {
        bool first = true;
        busy_begin(worker);
        while (!leat_worker_halted(worker) && step(worker, &first)) {
        }
        leat_spawn_empty(worker);
        if (hand_over(worker)) {
            busy_end(worker);
        }
        leat_worker_wait(worker);
    }
    if (ops->stopping != NULL) {
        ops->stopping(ops->context, worker->index);
    }
    leat_worker_left(worker);
    leat_pool_leave(pool);
    return NULL;
}
