/* pool.c - bringing work to the workers, lending threads, and knowing when all is quiet. The
 * threads of its own are in pool_threads.c. */
#include "sched/pool.h"

#include <string.h>

#include "sched/posted.h"
#include "sched/spawn.h"
#include "sched/worker.h"

/* ---- bringing work -------------------------------------------------------------------------- */

void
leat_pool_wake_count(struct leat_pool *pool)
{
    struct leat_worker *worker = leat_worker_current();
    if (worker != NULL && worker->pool == pool) {
        atom_count(&worker->wakes, 1);
    } else {
        (void)atom_add_rlx(&pool->wakes_outside, 1); /* rlx: statistic */
    }
}

bool
leat_pool_wake_one(struct leat_pool *pool)
{
    if (!leat_lot_wake(&pool->lot, &pool->workers[0].bed, sizeof(struct leat_worker))) {
        return false;
    }
    leat_pool_wake_count(pool);
    return true;
}

/* P3 to P6. pre: an item was published by a sequentially consistent operation, or a full fence has
 * come since. */
LEAT_INLINE void
tell(struct leat_pool *pool, uint64_t bits)
{
    /* tell:A sc -> park:A.  Orders: item published then hint read, against hint cleared then rings
     * read. */
    if (LEAT_UNLIKELY((atom_load_sc(&pool->hint) & bits) != bits)) {
        (void)atom_or_rlx(&pool->hint, bits); /* rlx: ordered by tell:A */
    }
    if (LEAT_UNLIKELY(leat_lot_any(&pool->lot) && pool->config.tick_ns == 0)) {
        (void)leat_pool_wake_one(pool);
    }
}

void
leat_pool_notify(struct leat_pool *pool, uint64_t bits)
{
    /* notify:A sc -> park:A, park:B, steal:A, advance:A.  Orders: item published then hint and idle
     * bits read, against idle bit changed and hint cleared then rings and local queues read. */
    atom_fence_sc(&pool->anchor);
    tell(pool, bits);
}

bool
leat_pool_push(struct leat_pool *pool, uint32_t level, uint32_t item)
{
    LEAT_ASSERT(level < LEAT_PRIORITY_LEVELS);
    if (LEAT_UNLIKELY(!leat_mpmc_push(&pool->rings[level], item))) {
        return false;
    }
    leat_mpmc_prefetch(&pool->rings[level]);
#if LEAT_MPMC_SC
    tell(pool, LEAT_HINT_RING(level));
#else
    leat_pool_notify(pool, LEAT_HINT_RING(level));
#endif
    return true;
}

/* Gives a chain of chunks back that was not pushed. */
static void
chunks_give(struct leat_pool *pool, uint32_t item)
{
    /* Ends with the chain, whose last block ends with no chunk. */
    while (leat_item_kind(item) == LEAT_KIND_CHUNK) {
        uint32_t items[LEAT_CHUNK_ITEMS];
        uint32_t index = leat_item_index(item);
        uint32_t count = leat_chunk_read(leat_slab_record(&pool->chunks, index), items);
        item = items[count - 1];
        leat_slab_give(&pool->chunks, leat_pool_shard(), index);
    }
}

/* Puts items into a chain of chunks, from its end: so each block knows the one that goes on. */
static bool
chunks_fill(struct leat_pool *pool, const uint32_t *items, uint32_t count, uint32_t *first)
{
    uint32_t rest[LEAT_CHUNK_ITEMS];
    uint32_t shard = leat_pool_shard();
    /* The last block is full, or the only one; the others have one less, and the next. */
    uint32_t last = count < LEAT_CHUNK_ITEMS ? count : LEAT_CHUNK_ITEMS;
    uint32_t index = 0;
    if (!leat_slab_take(&pool->chunks, shard, &index)) {
        return false;
    }
    count -= last;
    leat_chunk_fill(leat_slab_record(&pool->chunks, index), items + count, last);
    *first = leat_item_of(LEAT_KIND_CHUNK, index);
    while (count > 0) {
        uint32_t more = count < LEAT_CHUNK_ITEMS - 1 ? count : LEAT_CHUNK_ITEMS - 1;
        if (!leat_slab_take(&pool->chunks, shard, &index)) {
            chunks_give(pool, *first);
            return false;
        }
        count -= more;
        memcpy(rest, items + count, more * sizeof(rest[0]));
        rest[more] = *first;
        leat_chunk_fill(leat_slab_record(&pool->chunks, index), rest, more + 1);
        *first = leat_item_of(LEAT_KIND_CHUNK, index);
    }
    return true;
}

bool
leat_pool_push_n(struct leat_pool *pool, uint32_t level, const uint32_t *items, uint32_t count)
{
    LEAT_ASSERT(level < LEAT_PRIORITY_LEVELS);
    LEAT_ASSERT(count >= 1);
    uint32_t first = items[0];
    if (count == 1) {
        return leat_pool_push(pool, level, first);
    }
    if (!chunks_fill(pool, items, count, &first)) {
        return false;
    }
    if (!leat_pool_push(pool, level, first)) {
        chunks_give(pool, first);
        return false;
    }
    return true;
}

void
leat_pool_due(struct leat_pool *pool)
{
    /* told:A release -> pass:A, told:B.  Carries: the caller's look at the clock, so that who takes
     * it reads one that is not before.
     * If relaxed: timers that are due could be passed over. Likewise by a store, which would hide
     * that of another thread. */
    (void)atom_or_rel(&pool->due, 1);
    leat_pool_notify(pool, LEAT_HINT_DUE);
}

bool
leat_pool_due_waits(const struct leat_pool *pool)
{
    /* told:B acquire -> told:A, pass:A.  Carries: that who took it is busy, and has counted.
     * If relaxed: a drain could miss what is on its way from a timer to a ring. */
    return atom_load_acq(&pool->due) != 0;
}

/* True if nothing of the queue and level is listed. */
LEAT_INLINE bool
plain(const struct leat_pool *pool, uint32_t level, uint32_t queue)
{
    /* plain:A acquire -> admitted:A.  Carries: the pushes of what was listed.
     * If relaxed: see admitted:A. */
    return LEAT_LIKELY(atom_load_acq(&pool->queues[queue].waiting[level]) == 0);
}

void
leat_pool_put(struct leat_pool *pool, uint32_t level, uint32_t queue, uint32_t item)
{
    LEAT_ASSERT(queue < pool->config.queues);
    if (!plain(pool, level, queue) || LEAT_UNLIKELY(!leat_pool_push(pool, level, item))) {
        leat_lists_add(pool, level, &item, 1);
    }
}

void
leat_pool_put_n(struct leat_pool *pool, uint32_t level, const uint32_t *items, uint32_t count)
{
    const struct leat_lists_ops *ops = &pool->config.lists;
    bool all = true;
    for (uint32_t i = 0; i < count && all; i++) {
        all = plain(pool, level, ops->queue(ops->context, leat_item_index(items[i])));
    }
    if (!all || !leat_pool_push_n(pool, level, items, count)) {
        leat_lists_add(pool, level, items, count);
    }
}

static void
task_fill(struct leat_pool *pool, uint32_t index, const struct leat_pool_task *task)
{
    struct leat_task_record *record = leat_slab_record(&pool->tasks, index);
    /* rlx: ordered by push:C */
    atom_store_rlx(&record->argument, (uint64_t)(uintptr_t)task->argument);
    record->function = task->function;
}

bool
leat_pool_post(struct leat_pool *pool, uint32_t level, const struct leat_pool_task *task)
{
    uint32_t index = 0;
    uint32_t shard = leat_pool_shard();
    if (LEAT_UNLIKELY(!leat_slab_take(&pool->tasks, shard, &index))) {
        return false;
    }
    task_fill(pool, index, task);
    if (LEAT_UNLIKELY(!leat_pool_push(pool, level, leat_item_of(LEAT_KIND_TASK, index)))) {
        (void)atom_add_rlx(&pool->tasks_refused, 1); /* rlx: statistic */
        leat_slab_give(&pool->tasks, shard, index);
        return false;
    }
    return true;
}

uint32_t
leat_pool_post_n(struct leat_pool *pool, uint32_t level, const struct leat_pool_task *tasks,
                 uint32_t count)
{
    LEAT_ASSERT(count <= LEAT_CHUNK_ITEMS);
    uint32_t items[LEAT_CHUNK_ITEMS];
    uint32_t shard = leat_pool_shard();
    uint32_t taken = leat_slab_take_n(&pool->tasks, shard, items, count);
    for (uint32_t i = 0; i < taken; i++) {
        task_fill(pool, items[i], &tasks[i]);
        items[i] = leat_item_of(LEAT_KIND_TASK, items[i]);
    }
    if (taken == 0 || LEAT_LIKELY(leat_pool_push_n(pool, level, items, taken))) {
        return taken;
    }
    /* rlx: statistic */
    (void)atom_add_rlx(&pool->tasks_refused, taken);
    for (uint32_t i = 0; i < taken; i++) {
        leat_slab_give(&pool->tasks, shard, leat_item_index(items[i]));
    }
    return 0;
}

uint64_t
leat_pool_look(const struct leat_pool *pool, uint32_t level)
{
    uint64_t bits = leat_mpmc_ready(&pool->rings[level]) ? LEAT_HINT_RING(level) : 0;
    bits |= leat_lists_ready(&pool->lists[level]) ? LEAT_HINT_LIST(level) : 0;
    for (uint32_t i = 0; i < pool->places; i++) {
        const struct leat_worker *worker = &pool->workers[i];
        /* waits:A acquire -> stock:A.  Carries: see stock:A.
         * If relaxed: see stock:A. */
        if (LEAT_UNLIKELY((atom_load_acq(&worker->stocked) >> level & 1) != 0 &&
                          leat_local_ready(&worker->local[level]))) {
            return bits | LEAT_HINT_LOCAL(level);
        }
    }
    return bits;
}

static bool
anything_waits(const struct leat_pool *pool)
{
    uint64_t bits = 0;
    for (uint32_t level = 0; level < LEAT_PRIORITY_LEVELS; level++) {
        bits |= leat_pool_look(pool, level);
    }
    return bits != 0 || leat_spawn_ready(pool) || leat_pool_due_waits(pool);
}

/* Takes the first place that is free, or the first of those with work left in hand. */
static struct leat_worker *
place_find(struct leat_pool *pool, bool left_only)
{
    for (uint32_t i = 0; i < pool->places; i++) {
        struct leat_worker *worker = &pool->workers[i];
        /* rlx: hint, re-checked at lend:A */
        bool fits = !left_only || atom_load_rlx(&worker->busy) != 0;
        /* lend:A acquire -> lend:B.  Carries: the worker's own fields from the last lent thread.
         * If relaxed: two threads could use one hand. */
        if (fits && atom_swap_acq(&worker->lent, 1) == 0) {
            return worker;
        }
    }
    return NULL;
}

/* Takes a place, one with work left in its hand before all others. NULL: all are taken. */
static struct leat_worker *
place_take(struct leat_pool *pool)
{
    struct leat_worker *worker = place_find(pool, true);
    return worker != NULL ? worker : place_find(pool, false);
}

bool
leat_pool_lend(struct leat_pool *pool, size_t budget, size_t *ran)
{
    struct leat_worker *worker = place_take(pool);
    if (worker == NULL) {
        return false;
    }
    (void)atom_add_rlx(&pool->alive, 1); /* rlx: ordered by lend:C */
    /* lend:C sc -> halt:B.  Orders: alive + 1 then halt read, against halt set then alive read. */
    atom_fence_sc(&pool->anchor);
    *ran = leat_worker_some(worker, budget);
    /* lend:B release -> lend:A.  Carries: see lend:A.
     * If relaxed: see lend:A. */
    atom_store_rel(&worker->lent, 0);
    leat_pool_leave(pool);
    return true;
}

bool
leat_pool_work_waits(const struct leat_pool *pool)
{
    bool waits = anything_waits(pool);
    for (uint32_t i = 0; i < pool->places && pool->config.workers == 0; i++) {
        const struct leat_worker *worker = &pool->workers[i];
        /* rlx: statistic */
        waits = waits || (atom_load_rlx(&worker->busy) != 0 && atom_load_rlx(&worker->lent) == 0);
    }
    return waits;
}

/* ---- quiet ---------------------------------------------------------------------------------- */

/* Looks at the workers, at the rings, lists, local queues and inboxes, and at the workers again. A
 * worker is busy from before it takes, steals or admits something until after all that came of it
 * was pushed or counted; and it counts before it runs, admits, or gives away as it leaves.
 * The first look reads what was taken before it reads that the worker is idle, the second the other
 * way round: so if the sums are equal, every worker was idle from its first look to its second,
 * with the rings and queues read in between; nothing was taken, nothing pushed, and what was there
 * would have been seen. */
bool
leat_pool_quiet(struct leat_pool *pool, const leat_atomic_u64 *also)
{
    uint64_t before = 0;
    uint64_t after = 0;
    for (uint32_t i = 0; i < pool->places; i++) {
        /* quiet:C acquire -> taken:A.  Carries: that the worker was busy by then.
         * If relaxed: it could be seen idle as it was before it took the item. */
        before += atom_load_acq(&pool->workers[i].taken);
        /* quiet:A acquire -> busy:A.  Carries: what the worker ran, pushed and counted.
         * If relaxed: its pushes could be missed. */
        if (atom_load_acq(&pool->workers[i].busy) != 0) {
            return false;
        }
    }
    /* drain:A acquire -> settled:A, changes:B, gathered:A.  Carries: the pushes made, and timers
     * found due, before it was counted down.
     * If relaxed: a push could be missed beside a count of 0. */
    if (atom_load_acq(also) != 0 || anything_waits(pool) || leat_posted_ready(pool)) {
        return false;
    }
    for (uint32_t i = 0; i < pool->places; i++) {
        /* quiet:B acquire -> busy:A.  Carries: what the worker took by then.
         * If relaxed: an item taken and run meanwhile could be missed. */
        if (atom_load_acq(&pool->workers[i].busy) != 0) {
            return false;
        }
        after += atom_load_rlx(&pool->workers[i].taken); /* rlx: ordered by quiet:B */
    }
    return before == after;
}

void
leat_pool_quiet_poke(struct leat_pool *pool)
{
    /* poke:A release -> watch:B.  Carries: the state that made someone poke.
     * If relaxed: the watcher could wake and not see it. */
    (void)atom_add_rel(&pool->quiet_event, 1);
    leat_os_futex_wake(&pool->quiet_event, UINT32_MAX);
}

void
leat_pool_quiet_news(struct leat_pool *pool)
{
    /* news:A sc -> watch:A, more:A.  Orders: busy flag or count lowered then watchers read, against
     * watchers raised then busy flags and counts read; seat read then open read, against open
     * raised then the seat taken back. */
    atom_fence_sc(&pool->anchor);
    if (LEAT_UNLIKELY(atom_load_rlx(&pool->watchers) != 0)) { /* rlx: ordered by news:A */
        leat_pool_quiet_poke(pool);
    }
}

void
leat_pool_watch(struct leat_pool *pool)
{
    (void)atom_add_rlx(&pool->watchers, 1); /* rlx: ordered by watch:A */
    /* watch:A sc -> news:A.  Orders: watchers raised then busy flags and counts read, against busy
     * flag or count lowered then watchers read. */
    atom_fence_sc(&pool->anchor);
}

void
leat_pool_unwatch(struct leat_pool *pool)
{
    (void)atom_sub_rlx(&pool->watchers, 1); /* rlx: hint, re-checked at watch:A */
}

uint32_t
leat_pool_watch_event(const struct leat_pool *pool)
{
    /* watch:B acquire -> poke:A.  Carries: see poke:A.
     * If relaxed: see poke:A. */
    return atom_load_acq(&pool->quiet_event);
}

void
leat_pool_watch_wait(struct leat_pool *pool, uint32_t event, uint64_t deadline_ns)
{
    leat_os_futex_wait(&pool->quiet_event, event, deadline_ns);
}

/* ---- who runs for how long ------------------------------------------------------------------ */

/* A look at a worker: items taken 28 | time 36 bits, in units of 2^20 ns. Looks that are 2^28 items
 * apart, or two years, are mixed up. */
#define LOOK_TIME_BITS 36
#define LOOK_UNIT_LOG2 20

uint64_t
leat_worker_run_ns(struct leat_worker *worker)
{
    const uint64_t time_mask = (UINT64_C(1) << LOOK_TIME_BITS) - 1;
    uint64_t ended = atom_load_rlx(&worker->ended); /* rlx: statistic */
    uint64_t taken = atom_load_rlx(&worker->taken); /* rlx: statistic */
    if (taken == ended) {
        return 0;
    }
    uint64_t now = leat_os_monotonic_ns() >> LOOK_UNIT_LOG2;
    uint64_t seen = atom_load_rlx(&worker->seen_running); /* rlx: statistic */
    if (((seen >> LOOK_TIME_BITS ^ taken) & (UINT64_MAX >> LOOK_TIME_BITS)) != 0) {
        /* rlx: statistic */
        atom_store_rlx(&worker->seen_running, taken << LOOK_TIME_BITS | (now & time_mask));
        return 0;
    }
    return ((now - seen) & time_mask) << LOOK_UNIT_LOG2;
}

/* ---- init and fini -------------------------------------------------------------------------- */

static uint32_t
places_of(const struct leat_pool_config *config)
{
    if (config->workers == 0) {
        return config->lenders_max;
    }
    return config->workers > config->workers_max ? config->workers : config->workers_max;
}

/* As many as can be in use: one at the head of each batch in the rings, of which each has two items
 * at least; one for each 31 items behind it; what each worker has not given back yet, one in its
 * hand, and one in its local queue of each level, which it claimed unopened; one with who brings a
 * batch. More than one who brings batches at the very limit may be refused in passing. */
static uint32_t
chunks_max(const struct leat_pool_config *config)
{
    uint64_t heads = (uint64_t)LEAT_PRIORITY_LEVELS << config->ring_slots_log2;
    uint64_t pairs = config->items_max / 2;
    uint64_t behind = config->items_max / (LEAT_CHUNK_ITEMS - 1);
    uint64_t hands = (LEAT_SPENT_MAX + 1 + LEAT_PRIORITY_LEVELS) * (uint64_t)places_of(config);
    uint64_t all = (heads < pairs ? heads : pairs) + behind + hands + 1;
    return all < LEAT_RECORDS_MAX ? (uint32_t)all : LEAT_RECORDS_MAX;
}

/* Nobody knows a task or the block of a batch by an id. */
static struct leat_slab_config
tasks_config(const struct leat_pool_config *config, uint32_t shards)
{
    struct leat_slab_config slab = {.capacity = config->tasks_max,
                                    .shards = shards,
                                    .record_bytes = sizeof(struct leat_task_record),
                                    .without_ids = true,
                                    .link_inside = true};
    return slab;
}

static struct leat_slab_config
posted_config(const struct leat_pool_config *config, uint32_t shards)
{
    struct leat_slab_config slab = tasks_config(config, shards);
    slab.record_bytes = sizeof(struct leat_posted_record);
    return slab;
}

static struct leat_slab_config
chunks_config(const struct leat_pool_config *config, uint32_t shards)
{
    struct leat_slab_config slab = {.capacity = chunks_max(config),
                                    .shards = shards,
                                    .record_bytes = sizeof(struct leat_chunk),
                                    .without_ids = true,
                                    .link_inside = true};
    return slab;
}

static struct leat_slab_config
spawned_config(const struct leat_pool_config *config, uint32_t shards)
{
    struct leat_slab_config slab = {.capacity = config->tasks_max,
                                    .shards = shards,
                                    .record_bytes = sizeof(struct leat_spawned),
                                    .without_ids = true};
    return slab;
}

static size_t
workers_bytes(uint32_t places)
{
    return sizeof(struct leat_worker) * places;
}

static size_t
victims_bytes(uint32_t places)
{
    return (size_t)places * places;
}

static size_t
flight_bytes(const struct leat_pool_config *config)
{
    return config->flight_slots_log2 == 0 ? 0 : leat_flight_bytes(config->flight_slots_log2);
}

/* Rings, then the local queues of all places, then their deques and recorders, in one mapping. */
static size_t
queues_bytes(const struct leat_pool_config *config)
{
    size_t locals = leat_local_bytes(LEAT_LOCAL_SLOTS_LOG2) * places_of(config);
    size_t deques = leat_deque_bytes(LEAT_SPAWN_SLOTS_LOG2) * places_of(config);
    return (leat_mpmc_bytes(config->ring_slots_log2) + locals) * LEAT_PRIORITY_LEVELS + deques +
           flight_bytes(config) * places_of(config);
}

size_t
leat_pool_bytes(const struct leat_pool_config *config)
{
    const struct leat_slab_config tasks = tasks_config(config, LEAT_SLAB_SHARDS_MAX);
    const struct leat_slab_config chunks = chunks_config(config, LEAT_SLAB_SHARDS_MAX);
    const struct leat_slab_config spawned = spawned_config(config, LEAT_SLAB_SHARDS_MAX);
    const struct leat_slab_config posted = posted_config(config, LEAT_SLAB_SHARDS_MAX);
    return queues_bytes(config) + leat_lists_bytes(config->queues) + leat_slab_bytes(&tasks) +
           leat_slab_bytes(&chunks) + leat_slab_bytes(&spawned) + leat_slab_bytes(&posted) +
           workers_bytes(places_of(config)) + victims_bytes(places_of(config)) +
           sizeof(struct leat_topology) + sizeof(uint16_t) * LEAT_CPUS_MAX;
}

/* The CPU of a place's worker, if each has one. */
static const struct leat_cpu *
cpu_of(const struct leat_pool *pool, uint32_t place)
{
    bool pinned = pool->config.workers != 0 && pool->config.pin == LEAT_POOL_PIN_ONE;
    const struct leat_topology *topology = pool->topology;
    return pinned ? &topology->cpus[place % topology->cpus_count] : NULL;
}

static void
workers_init(struct leat_pool *pool)
{
    bool pinned = cpu_of(pool, 0) != NULL;
    for (uint32_t i = 0; i < pool->places; i++) {
        struct leat_worker *worker = &pool->workers[i];
        const struct leat_cpu *cpu = cpu_of(pool, i);
        worker->pool = pool;
        worker->index = i;
        worker->chunks_spent.most = LEAT_SPENT_MAX;
        worker->cpu = cpu == NULL ? -1 : (int32_t)cpu->number;
        uint8_t *victims = pool->victims + (size_t)pool->places * i;
        leat_topology_victims(pinned ? pool->topology : NULL, pool->places, i, victims,
                              worker->victims_count);
        worker->victims = victims;
        atom_init(&worker->inbox.newest, LEAT_INBOX_CLOSED);
        for (uint32_t level = 0; level < LEAT_PRIORITY_LEVELS; level++) {
            leat_fifo_init(&worker->posted[level]);
        }
    }
    leat_pool_plan(pool, pool->config.workers != 0 ? pool->config.workers : pool->places);
    atom_init(&pool->open, atom_load_rlx(&pool->active)); /* rlx: not shared yet */
}

enum leat_os_result
leat_pool_prepare(const struct leat_pool_config *config, void *memory, size_t bytes)
{
    enum leat_os_result result = LEAT_OS_OK;
    if (config->huge_pages) {
        leat_os_huge(memory, bytes);
    }
    if (config->prefault) {
        result = leat_os_prefault(memory, bytes);
    }
    if (result == LEAT_OS_OK && config->lock_memory) {
        result = leat_os_lock(memory, bytes);
    }
    return result;
}

static enum leat_os_result
queues_init(struct leat_pool *pool)
{
    const struct leat_pool_config *config = &pool->config;
    pool->queues_bytes = queues_bytes(config);
    pool->queues_memory = leat_os_map(pool->queues_bytes);
    if (pool->queues_memory == NULL) {
        return LEAT_OS_NO_MEMORY;
    }
    unsigned char *memory = pool->queues_memory;
    for (uint32_t level = 0; level < LEAT_PRIORITY_LEVELS; level++) {
        const struct leat_ring_config ring = {.slots_log2 = config->ring_slots_log2,
                                              .memory = memory};
        leat_mpmc_init(&pool->rings[level], &ring);
        memory += leat_mpmc_bytes(config->ring_slots_log2);
    }
    for (uint32_t i = 0; i < pool->places * LEAT_PRIORITY_LEVELS; i++) {
        struct leat_worker *worker = &pool->workers[i / LEAT_PRIORITY_LEVELS];
        leat_local_init(&worker->local[i % LEAT_PRIORITY_LEVELS], LEAT_LOCAL_SLOTS_LOG2, memory, 0);
        memory += leat_local_bytes(LEAT_LOCAL_SLOTS_LOG2);
    }
    for (uint32_t i = 0; i < pool->places; i++) {
        leat_deque_init(&pool->workers[i].deque, LEAT_SPAWN_SLOTS_LOG2, memory, 0);
        memory += leat_deque_bytes(LEAT_SPAWN_SLOTS_LOG2);
    }
    for (uint32_t i = 0; i < pool->places && config->flight_slots_log2 != 0; i++) {
        leat_flight_init(&pool->workers[i].flight, config->flight_slots_log2, memory, 0);
        memory += flight_bytes(config);
    }
    return leat_pool_prepare(config, pool->queues_memory, pool->queues_bytes);
}

/* Zeroed and mostly unused: not touched before it is. */
static bool
lists_init(struct leat_pool *pool)
{
    uint32_t queues = pool->config.queues;
    pool->lists_bytes = leat_lists_bytes(queues);
    if (queues != 0) {
        pool->lists_memory = leat_os_map(pool->lists_bytes);
        if (pool->lists_memory == NULL) {
            return false;
        }
    }
    pool->queues = leat_lists_queues(queues, pool->lists_memory);
    leat_lists_init(pool->lists, queues, pool->lists_memory);
    return true;
}

static enum leat_os_result
slab_open(struct leat_pool *pool, struct leat_slab *slab, const struct leat_slab_config *config)
{
    if (!leat_slab_init(slab, config)) {
        return LEAT_OS_NO_MEMORY;
    }
    return leat_pool_prepare(&pool->config, slab->mapping, slab->mapping_bytes);
}

static enum leat_os_result
parts_init(struct leat_pool *pool)
{
    const struct leat_pool_config *config = &pool->config;
    pool->cpus_count = leat_os_cpus_allowed(pool->cpus, LEAT_CPUS_MAX);
    leat_topology_read(pool->topology, "", pool->cpus, pool->cpus_count);
    workers_init(pool);
    leat_lot_init(&pool->lot, pool->places);
    leat_lot_init(&pool->helpers, pool->places);
    pool->spin_ns = config->busy_poll ? UINT64_MAX : config->spin_ns;
    pool->slabs[LEAT_KIND_TASK] = &pool->tasks;
    pool->slabs[LEAT_KIND_JOB] = config->jobs;
    pool->slabs[LEAT_KIND_CHUNK] = &pool->chunks;
    pool->slabs[LEAT_KIND_SPAWNED] = &pool->spawned;
    uint32_t cpus = pool->topology->cpus_count;
    uint32_t shards = cpus < LEAT_SLAB_SHARDS_MAX ? cpus : LEAT_SLAB_SHARDS_MAX;
    struct leat_slab_config tasks = tasks_config(config, shards);
    struct leat_slab_config chunks = chunks_config(config, shards);
    tasks.nodes = leat_pool_nodes(pool);
    chunks.nodes = leat_pool_nodes(pool);
    const struct leat_slab_config spawned = spawned_config(config, shards);
    const struct leat_slab_config posted = posted_config(config, shards);
    enum leat_os_result result = lists_init(pool) ? queues_init(pool) : LEAT_OS_NO_MEMORY;
    if (result == LEAT_OS_OK) {
        result = slab_open(pool, &pool->tasks, &tasks);
    }
    if (result == LEAT_OS_OK) {
        result = slab_open(pool, &pool->chunks, &chunks);
    }
    if (result == LEAT_OS_OK) {
        result = slab_open(pool, &pool->spawned, &spawned);
    }
    if (result == LEAT_OS_OK) {
        result = slab_open(pool, &pool->posted, &posted);
    }
    return result;
}

enum leat_os_result
leat_pool_init(struct leat_pool *pool, const struct leat_pool_config *config)
{
    const struct leat_memory *memory = &config->memory;
    pool->config = *config;
    pool->places = places_of(config);
    LEAT_ASSERT(pool->places >= 1);
    LEAT_ASSERT(pool->places <= LEAT_WORKERS_MAX);
    pool->workers = leat_memory_take_lines(memory, workers_bytes(pool->places));
    pool->topology = leat_memory_take(memory, sizeof(*pool->topology));
    pool->victims = leat_memory_take(memory, victims_bytes(pool->places));
    pool->cpus = leat_memory_take(memory, sizeof(uint16_t) * LEAT_CPUS_MAX);
    bool taken = pool->workers != NULL && pool->topology != NULL;
    enum leat_os_result result = LEAT_OS_NO_MEMORY;
    if (taken && pool->victims != NULL && pool->cpus != NULL) {
        result = parts_init(pool);
    }
    if (result != LEAT_OS_OK) {
        leat_pool_fini(pool);
    }
    return result;
}

void
leat_pool_fini(struct leat_pool *pool)
{
    const struct leat_memory *memory = &pool->config.memory;
    leat_slab_fini(&pool->posted);
    leat_slab_fini(&pool->spawned);
    leat_slab_fini(&pool->chunks);
    leat_slab_fini(&pool->tasks);
    leat_os_unmap(pool->queues_memory, pool->queues_bytes);
    leat_os_unmap(pool->lists_memory, pool->lists_bytes);
    leat_memory_give(memory, pool->cpus, sizeof(uint16_t) * LEAT_CPUS_MAX);
    leat_memory_give(memory, pool->victims, victims_bytes(pool->places));
    leat_memory_give(memory, pool->topology, sizeof(*pool->topology));
    leat_memory_give(memory, pool->workers, workers_bytes(pool->places));
    memset(pool, 0, sizeof(*pool));
}
