/* spawn.c - spawning, running and waiting for spawned tasks, see spawn.h. */
#include "sched/spawn.h"

#include "sched/worker.h"

/* What one task counts in `others`, beside the mark. */
#define ONE  UINT64_C(2)
#define MARK UINT64_C(1)

/* The words of an entry. */
#define FUNCTION 0
#define ARGUMENT 1
#define JOIN     2
#define DEPTH    LEAT_DEQUE_RANK

/* ---- running -------------------------------------------------------------------------------- */

/* One fewer in `others`. The group is not touched behind the last subtraction. */
static void
others_count_down(struct leat_join *join)
{
    struct leat_pool *pool = join->pool;
    struct leat_worker *owner = join->owner;
    /* join:A acq_rel -> join:B, join:C.  Carries: what the task did, to the waiter; from the waiter
     * that its bed is prepared.
     * If relaxed: the waiter could miss what the task wrote, or its wake-up come too early. */
    if (LEAT_LIKELY(atom_sub_acq_rel(&join->others, ONE) != (ONE | MARK))) {
        return;
    }
    if (owner != NULL) {
        (void)leat_parker_notify(&owner->bed);
    } else {
        pool->config.ops.ended(pool->config.ops.context, join);
    }
}

/* A task of the group has ended. */
LEAT_INLINE void
join_count_down(struct leat_join *join, const struct leat_worker *worker)
{
    if (LEAT_LIKELY(join->owner == worker)) {
        join->own--;
    } else {
        others_count_down(join);
    }
}

/* What is spawned and finds the deque full runs in its spawner, and what is left over in whoever
 * ran what spawned it. Both are as deep as the program's own recursion is (D2 and D3 of spawn.h).
 * The words of an entry are addresses.
 * NOLINTBEGIN(misc-no-recursion, performance-no-int-to-ptr) */

/* Runs a piece: as long as nobody has taken what this worker last offered to others, it goes on by
 * itself; then it offers half of the rest. */
void
leat_join_work(struct leat_worker *worker, struct leat_join *join, size_t begin, size_t end)
{
    const struct leat_range_work *work = join->work;
    /* rlx: hint, re-checked at join:A */
    while (begin < end && (atom_load_rlx(&join->unusual) & LEAT_JOIN_CANCELLED) == 0) {
        size_t rest = end - begin;
        if (rest / 2 >= work->grain && leat_deque_empty(&worker->deque)) {
            size_t middle = begin + rest / 2;
            leat_spawn(worker, join, middle, end);
            end = middle;
            continue;
        }
        size_t step = rest / 2 >= work->grain ? work->grain : rest;
        work->body(begin, begin + step, work->argument);
        begin += step;
    }
}

/* A piece; or what is passed over, since a cancelled group has no work left. */
static LEAT_COLD void
unusual_run(struct leat_worker *worker, struct leat_join *join,
            const struct leat_deque_entry *entry)
{
    leat_join_work(worker, join, entry->words[FUNCTION], entry->words[ARGUMENT]);
}

static void
entry_run(struct leat_worker *worker, const struct leat_deque_entry *entry)
{
    struct leat_join *join = (struct leat_join *)(uintptr_t)entry->words[JOIN];
    uint64_t before = worker->depth;
    worker->depth = entry->words[DEPTH];
    if (LEAT_LIKELY(atom_load_rlx(&join->unusual) == 0)) { /* rlx: ordered by deque_steal:B */
        leat_pool_function function = (leat_pool_function)(uintptr_t)entry->words[FUNCTION];
        function((void *)(uintptr_t)entry->words[ARGUMENT]);
    } else {
        unusual_run(worker, join, entry);
    }
    worker->depth = before;
    join_count_down(join, worker);
}

/* D2: what stands at `place` and behind. Ends, unless the tasks spawn others for ever. */
static LEAT_COLD void
leftovers_run(struct leat_worker *worker, uint64_t place)
{
    struct leat_deque_entry entry;
    while ((int64_t)(leat_deque_bottom(&worker->deque) - place) > 0 &&
           leat_deque_pop(&worker->deque, &entry)) {
        entry_run(worker, &entry);
    }
}

void
leat_spawn_run(struct leat_worker *worker, const struct leat_deque_entry *entry)
{
    uint64_t place = leat_deque_bottom(&worker->deque);
    entry_run(worker, entry);
    if (LEAT_UNLIKELY(leat_deque_bottom(&worker->deque) != place)) {
        leftovers_run(worker, place);
    }
}

/* ---- spawning ------------------------------------------------------------------------------- */

/* Wakes a worker that waits for a group, and may take the oldest entry. */
static void
helper_wake(struct leat_pool *pool, const struct leat_deque *deque)
{
    uint64_t depth = leat_deque_oldest(deque);
    uint32_t index = leat_lot_next(&pool->helpers, 0);
    while (index != LEAT_WORKERS_MAX) {
        struct leat_worker *helper = &pool->workers[index];
        /* rlx: hint, re-checked at deque_steal:C */
        if (atom_load_rlx(&helper->floor) < depth && !leat_parker_notified(&helper->bed) &&
            leat_parker_notify(&helper->bed)) {
            return;
        }
        index = leat_lot_next(&pool->helpers, index + 1);
    }
}

static LEAT_COLD void
spawned_wake(struct leat_pool *pool, const struct leat_deque *deque)
{
    if (leat_lot_any(&pool->lot)) {
        (void)leat_pool_wake_one(pool);
    } else {
        helper_wake(pool, deque);
    }
}

/* Something is in the deque. */
LEAT_INLINE void
spawned_notify(struct leat_pool *pool, const struct leat_deque *deque)
{
    if (LEAT_UNLIKELY(pool->places == 1)) {
        return; /* nobody else is there, nor ever will be */
    }
    /* spawned:A sc -> park:A, park:B, join:D.  Orders: entry pushed then idle bits read, against
     * idle bit changed then deques read. */
    atom_fence_sc(&pool->anchor);
    if (LEAT_UNLIKELY(leat_lot_any(&pool->lot) || leat_lot_any(&pool->helpers))) {
        spawned_wake(pool, deque);
    }
}

void
leat_spawn(struct leat_worker *worker, struct leat_join *join, uint64_t function, uint64_t argument)
{
    const struct leat_deque_entry entry = {
        {function, argument, (uint64_t)(uintptr_t)join, worker->depth + 1}};
    if (LEAT_LIKELY(join->owner == worker)) {
        join->own++;
    } else {
        (void)atom_add_rlx(&join->others, ONE); /* rlx: ordered by join:A */
    }
    if (LEAT_LIKELY(leat_deque_push(&worker->deque, &entry))) {
        spawned_notify(worker->pool, &worker->deque);
    } else {
        leat_spawn_run(worker, &entry);
    }
}

/* NOLINTEND(misc-no-recursion, performance-no-int-to-ptr) */

bool
leat_spawn_outside(struct leat_join *join, uint64_t function, uint64_t argument, uint32_t *index)
{
    struct leat_pool *pool = join->pool;
    uint32_t shard = leat_pool_shard();
    LEAT_ASSERT(join->owner == NULL);
    if (!leat_slab_take(&pool->spawned, shard, index)) {
        return false;
    }
    struct leat_spawned *record = leat_slab_record(&pool->spawned, *index);
    record->function = function;
    record->argument = argument;
    atom_store_rlx(&record->join, (uintptr_t)join); /* rlx: ordered by push:C */
    (void)atom_add_rlx(&join->others, ONE);         /* rlx: ordered by join:A */
    if (!leat_pool_push(pool, LEAT_SPAWNED_LEVEL, leat_item_of(LEAT_KIND_SPAWNED, *index))) {
        /* The last task may have ended meanwhile, and left the wake-up to this thread. */
        others_count_down(join);
        leat_slab_give(&pool->spawned, shard, *index);
        return false;
    }
    return true;
}

void
leat_spawn_item(struct leat_worker *worker, uint32_t item)
{
    struct leat_pool *pool = worker->pool;
    uint32_t index = leat_item_index(item);
    struct leat_spawned *record = leat_slab_record(&pool->spawned, index);
    uint64_t function = record->function;
    uint64_t argument = record->argument;
    uint64_t join = atom_load_rlx(&record->join); /* rlx: ordered by pop:B */
    /* The swap decides whether it runs. rlx: ordered by pop:B */
    bool runs = join != 0 && atom_cas_rlx(&record->join, &join, 0);
    leat_slab_give(&pool->spawned, leat_pool_shard(), index);
    if (runs) {
        leat_spawn_run(worker, &(struct leat_deque_entry){{function, argument, join, 0}});
    }
}

bool
leat_spawn_revoke(struct leat_join *join, uint32_t index)
{
    struct leat_spawned *record = leat_slab_record(&join->pool->spawned, index);
    uint64_t expected = (uintptr_t)join;
    /* Where the record has gone on to others, it names another group: this one is still here. */
    if (!atom_cas_rlx(&record->join, &expected, 0)) { /* rlx: ordered by join:B */
        return false;
    }
    (void)atom_sub_rlx(&join->others, ONE); /* rlx: ordered by join:A */
    return true;
}

/* ---- stealing ------------------------------------------------------------------------------- */

/* Takes an entry of at least that depth from another worker. */
static bool
steal(struct leat_worker *worker, uint64_t least, struct leat_deque_entry *entry)
{
    struct leat_pool *pool = worker->pool;
    for (uint32_t i = 1; i < pool->places; i++) {
        struct leat_worker *victim = &pool->workers[(worker->index + i) % pool->places];
        if (!leat_deque_ready(&victim->deque)) {
            continue;
        }
        if (leat_deque_steal(&victim->deque, least, entry) == LEAT_DEQUE_GOT) {
            if (leat_deque_ready(&victim->deque)) {
                spawned_notify(pool, &victim->deque);
            }
            return true;
        }
    }
    return false;
}

bool
leat_spawn_take(struct leat_worker *worker, struct leat_deque_entry *entry)
{
    if (!leat_deque_pop(&worker->deque, entry) && !steal(worker, 0, entry)) {
        return false;
    }
    /* Whoever sees it sees that the worker is busy: between both is the fence of a pop or a steal.
     * rlx: ordered by deque_pop:B, deque_steal:A */
    atom_store_rlx(&worker->taken, atom_load_rlx(&worker->taken) + 1); /* rlx: single writer */
    return true;
}

void
leat_spawn_empty(struct leat_worker *worker)
{
    struct leat_deque_entry entry;
    while (leat_deque_pop(&worker->deque, &entry)) {
        leat_spawn_run(worker, &entry);
    }
}

bool
leat_spawn_ready(const struct leat_pool *pool)
{
    bool ready = false;
    for (uint32_t i = 0; i < pool->places && !ready; i++) {
        ready = leat_deque_ready(&pool->workers[i].deque);
    }
    return ready;
}

/* ---- waiting -------------------------------------------------------------------------------- */

static uint64_t
others_now(const struct leat_join *join)
{
    /* join:B acquire -> join:A.  Carries: what the tasks did.
     * If relaxed: see join:A. */
    return atom_load_acq(&join->others);
}

bool
leat_join_ended(const struct leat_join *join)
{
    return (others_now(join) & ~MARK) + ONE * join->own == 0;
}

bool
leat_join_mark(struct leat_join *join)
{
    uint64_t more = ONE * join->own + MARK;
    join->own = 0;
    /* join:C acq_rel -> join:A.  Carries: that the bed is prepared, to who ends the last task; what
     * the tasks did.
     * If relaxed: see join:A. */
    return atom_add_acq_rel(&join->others, more) + more == MARK;
}

void
leat_join_unmark(struct leat_join *join)
{
    (void)atom_sub_rlx(&join->others, MARK); /* rlx: ordered by join:A */
}

/* Runs one task deeper than the one that waits. */
static bool
help(struct leat_worker *worker)
{
    struct leat_deque_entry entry;
    bool got =
        leat_deque_newest(&worker->deque) > worker->depth && leat_deque_pop(&worker->deque, &entry);
    if (LEAT_UNLIKELY(!got)) {
        got = steal(worker, worker->depth + 1, &entry);
    }
    if (got) {
        leat_spawn_run(worker, &entry);
    }
    return got;
}

/* Behind a help() in vain: true if there may be something now. In the own deque nothing is deeper
 * than the newest (D1), which was not deep enough. */
static bool
steal_ready(const struct leat_worker *worker)
{
    const struct leat_pool *pool = worker->pool;
    for (uint32_t i = 0; i < pool->places; i++) {
        const struct leat_deque *deque = &pool->workers[i].deque;
        if (leat_deque_ready(deque) && leat_deque_oldest(deque) > worker->depth) {
            return true;
        }
    }
    return false;
}

/* W1 to W7 of park.h. */
static void
join_sleep(struct leat_join *join, struct leat_worker *worker, uint64_t deadline_ns)
{
    struct leat_pool *pool = worker->pool;
    atom_store_rlx(&worker->floor, worker->depth); /* rlx: hint, re-checked at deque_steal:C */
    leat_lot_enter(&pool->helpers, &worker->bed, worker->index);
    bool ended = leat_join_mark(join);
    /* join:D sc -> spawned:A.  Orders: idle bit set then deques read, against entry pushed then
     * idle bits read. */
    atom_fence_sc(&pool->anchor);
    if (!ended && !steal_ready(worker)) {
        (void)leat_parker_wait(&worker->bed, deadline_ns);
    }
    leat_lot_leave(&pool->helpers, worker->index);
    leat_join_unmark(join);
}

/* Looks for a while whether the group ends or there is something to help with. */
static bool
join_spin(struct leat_join *join, struct leat_worker *worker)
{
    for (uint32_t i = LEAT_JOIN_ROUNDS; i > 0; i--) {
        if (leat_join_ended(join) || steal_ready(worker)) {
            return true;
        }
        for (uint32_t j = 0; j < LEAT_JOIN_PAUSES; j++) {
            leat_pause();
        }
    }
    return false;
}

bool
leat_join_wait(struct leat_join *join, uint64_t deadline_ns)
{
    struct leat_worker *worker = join->owner;
    while (!leat_join_ended(join)) {
        if (deadline_ns != UINT64_MAX && leat_os_monotonic_ns() >= deadline_ns) {
            return false;
        }
        if (!help(worker) && !join_spin(join, worker)) {
            join_sleep(join, worker, deadline_ns);
        }
    }
    return true;
}

/* ---- start, cancel -------------------------------------------------------------------------- */

void
leat_join_init(struct leat_join *join, struct leat_pool *pool, struct leat_worker *owner,
               const struct leat_range_work *work)
{
    join->pool = pool;
    join->owner = owner;
    join->work = work;
    join->own = 0;
    join->depth = owner != NULL ? owner->depth : 0;
    atom_init(&join->others, 0);
    atom_init(&join->unusual, work != NULL ? LEAT_JOIN_WORK : 0);
    atom_init(&join->error, 0);
}

void
leat_join_cancel(struct leat_join *join)
{
    (void)atom_or_rlx(&join->unusual, LEAT_JOIN_CANCELLED); /* rlx: hint, re-checked at join:A */
}

void
leat_join_fail(struct leat_join *join, uint32_t error)
{
    uint32_t none = 0;
    (void)atom_cas_rlx(&join->error, &none, error); /* rlx: ordered by join:A */
    leat_join_cancel(join);
}
