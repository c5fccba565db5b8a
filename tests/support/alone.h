/* alone.h - a worker alone in one thread, for tests that look at each of its steps: the real
 * sched/worker.c and sched/idle.c with a clock and a bed of the test's. Each look at the clock
 * moves it by as much as the test says, and instead of a sleep the test goes on. The pool's places
 * have no threads: the test does what they would do. */
#ifndef TESTS_SUPPORT_ALONE_H
#define TESTS_SUPPORT_ALONE_H

#include <string.h>

#include "sched/posted.h"
#include "sched/spawn.h"
#include "sched/worker.h"
#include "tests/support/check.h"

static uint64_t clock_look(void);
static uint64_t clock_deadline(uint64_t timeout_ns);
static void bed_sleep(struct leat_lot *lot, struct leat_parker *bed, uint32_t worker);
static void yield_count(void);
static void prefetch_note(const struct leat_slab *slab, uint32_t index);

/* The real ones, with that clock and that bed.
 * NOLINTBEGIN(bugprone-suspicious-include,readability-identifier-naming) */
#define leat_os_monotonic_ns clock_look
#define leat_os_deadline_ns  clock_deadline
#define leat_lot_sleep       bed_sleep
#define leat_os_yield        yield_count
#define leat_slab_prefetch   prefetch_note
#include "sched/idle.c"
#include "sched/worker.c"
#undef leat_os_monotonic_ns
#undef leat_os_deadline_ns
#undef leat_lot_sleep
#undef leat_os_yield
#undef leat_slab_prefetch
/* NOLINTEND(bugprone-suspicious-include,readability-identifier-naming) */

#define JOBS      256
#define TASKS_MAX 64
#define LEVEL     1
#define LOW       6

#define RING  LEAT_HINT_RING(LEVEL)
#define LOCAL LEAT_HINT_LOCAL(LEVEL)
#define LIST  LEAT_HINT_LIST(LEVEL)

struct fixture {
    struct leat_pool pool;
    leat_atomic_u64 elsewhere;
    leat_atomic_u32 links[JOBS]; /* of listed jobs */
    uint32_t ran[JOBS];          /* in this order */
    uint32_t ran_count;
    uint32_t compared;
    void (*act)(struct leat_worker *worker, uint32_t item); /* what handlers do; may be NULL */
    void (*asleep)(uint32_t worker); /* instead of a sleep; NULL: nobody is to sleep */
    uint64_t now_ns;
    uint64_t step_ns; /* that each look moves the clock */
    uint32_t looks;   /* at the clock */
    bool drops;       /* listed jobs were cancelled */
    uint32_t sleeps;
    uint32_t yields;
    uint32_t prefetches; /* of records of tasks */
    uint32_t prefetched; /* the last one */
    uint32_t advances;
    uint32_t advances_more; /* so many of them say that there is more */
    uint32_t hooks;         /* 1: started, 2: stopping, 3: both */
};

static struct fixture fixture;

/* ---- the test's clock and bed --------------------------------------------------------------- */

static inline uint64_t
clock_look(void)
{
    fixture.looks++;
    fixture.now_ns += fixture.step_ns;
    return fixture.now_ns;
}

static inline uint64_t
clock_deadline(uint64_t timeout_ns)
{
    return timeout_ns == UINT64_MAX ? UINT64_MAX : fixture.now_ns + timeout_ns;
}

static inline bool
lies(uint32_t worker)
{
    return (atom_load_rlx(&fixture.pool.lot.idle[0]) >> worker & 1) != 0;
}

static inline void
bed_sleep(struct leat_lot *lot, struct leat_parker *bed, uint32_t worker)
{
    (void)bed;
    fixture.sleeps++;
    CHECK(lies(worker));
    CHECK_EQUAL(atom_load_rlx(&fixture.pool.hint), 0);
    CHECK(fixture.asleep != NULL);
    fixture.asleep(worker);
    leat_lot_leave(lot, worker);
}

static inline void
yield_count(void)
{
    fixture.yields++;
}

static inline void
prefetch_note(const struct leat_slab *slab, uint32_t index)
{
    if (slab == &fixture.pool.tasks) {
        fixture.prefetches++;
        fixture.prefetched = index;
    }
}

/* ---- fixture -------------------------------------------------------------------------------- */

static inline void
job_run(void *context, struct leat_worker *worker, uint32_t item)
{
    uint32_t index = leat_item_index(item);
    CHECK(context == &fixture);
    CHECK(leat_worker_current() == worker);
    CHECK(fixture.ran_count < JOBS);
    fixture.ran[fixture.ran_count] = index;
    fixture.ran_count++;
    if (fixture.act != NULL) {
        fixture.act(worker, index);
    }
}

static inline bool
timers_advance(void *context, uint32_t worker)
{
    CHECK(context == &fixture);
    CHECK_EQUAL(worker, 0);
    fixture.advances++;
    return fixture.advances <= fixture.advances_more;
}

static inline leat_atomic_u32 *
job_link(void *context, uint32_t index)
{
    CHECK(context == &fixture);
    return &fixture.links[index];
}

static inline uint32_t
job_queue(void *context, uint32_t index)
{
    (void)context;
    (void)index;
    return 0;
}

static inline bool
job_drop(void *context, uint32_t index)
{
    (void)context;
    (void)index;
    return fixture.drops;
}

/* Places of threads that are not there: the tests do what they would do. */
static inline struct leat_pool_config
config_of(uint32_t workers)
{
    struct leat_pool_config config = {
        .workers = workers,
        .ring_slots_log2 = 7,
        .tasks_max = TASKS_MAX,
        .items_max = 1024,
        .memory = leat_memory_default(),
        .ops = {.run = job_run, .advance = timers_advance, .context = &fixture},
    };
    return config;
}

static inline void
open_with(const struct leat_pool_config *config)
{
    memset(&fixture, 0, sizeof(fixture));
    current_worker = NULL;
    CHECK(leat_pool_init(&fixture.pool, config) == LEAT_OS_OK);
}

static inline struct leat_worker *
setup(uint32_t workers)
{
    const struct leat_pool_config config = config_of(workers);
    open_with(&config);
    return &fixture.pool.workers[0];
}

/* With rings of so many slots, behind which jobs are listed. */
static inline struct leat_worker *
setup_listed(uint32_t ring_slots_log2)
{
    struct leat_pool_config config = config_of(1);
    config.ring_slots_log2 = ring_slots_log2;
    config.queues = 1;
    config.lists = (struct leat_lists_ops){
        .link = job_link, .queue = job_queue, .drop = job_drop, .context = &fixture};
    open_with(&config);
    return &fixture.pool.workers[0];
}

/* Nothing is left. */
static inline void
teardown(void)
{
    struct leat_pool *pool = &fixture.pool;
    CHECK_EQUAL(fixture.compared, fixture.ran_count);
    CHECK(!leat_pool_work_waits(pool));
    CHECK(leat_slab_check(&pool->tasks, 0, stdout));
    uint32_t kept = 0;
    for (uint32_t i = 0; i < pool->places; i++) {
        kept += pool->workers[i].chunks_spent.count;
    }
    CHECK(leat_slab_check(&pool->chunks, kept, stdout));
    CHECK(leat_slab_check(&pool->posted, 0, stdout));
    for (uint32_t i = 0; i < pool->places; i++) {
        CHECK_EQUAL(pool->workers[i].held, 0);
    }
    leat_pool_fini(pool);
}

static inline void
must_have_run(const uint32_t *items, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        CHECK(fixture.compared < fixture.ran_count);
        CHECK_EQUAL(fixture.ran[fixture.compared], items[i]);
        fixture.compared++;
    }
    CHECK_EQUAL(fixture.compared, fixture.ran_count);
}

#define MUST_HAVE_RUN(...)                                                                         \
    do {                                                                                           \
        const uint32_t items_[] = {__VA_ARGS__};                                                   \
        must_have_run(items_, (uint32_t)TEST_COUNT_OF(items_));                                    \
    } while (0)

/* What the thread of a place does, from its start to its end. */
static inline void
thread_run(uint32_t place)
{
    (void)atom_add_rlx(&fixture.pool.alive, 1);
    (void)leat_worker_run(&fixture.pool.workers[place]);
    current_worker = NULL;
    CHECK_EQUAL(atom_load_rlx(&fixture.pool.alive), 0);
}

static inline uint32_t
job(uint32_t index)
{
    return leat_item_of(LEAT_KIND_JOB, index);
}

static inline void
push_to(uint32_t level, uint32_t index)
{
    CHECK(leat_pool_push(&fixture.pool, level, job(index)));
}

static inline void
push(uint32_t first, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        push_to(LEVEL, first + i);
    }
}

static inline void
push_batch(uint32_t first, uint32_t count)
{
    uint32_t items[JOBS];
    for (uint32_t i = 0; i < count; i++) {
        items[i] = job(first + i);
    }
    CHECK(leat_pool_push_n(&fixture.pool, LEVEL, items, count));
}

static inline void
put(uint32_t first, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        leat_pool_put(&fixture.pool, LEVEL, 0, job(first + i));
    }
}

/* The worker picks just this one. */
static inline void
picks(struct leat_worker *worker, uint32_t index)
{
    uint32_t item = 0;
    CHECK(pick(worker, &item));
    CHECK_EQUAL(item, job(index));
}

static inline void
picks_n(struct leat_worker *worker, uint32_t first, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        picks(worker, first + i);
    }
}

static inline void
picks_nothing(struct leat_worker *worker)
{
    uint32_t item = 0;
    CHECK(!pick(worker, &item));
}

/* The same where what was claimed took long, so that no more is claimed. */
static inline void
picks_slowly(struct leat_worker *worker, uint32_t first, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        fixture.now_ns += LEAT_CLAIM_NS + 1;
        picks(worker, first + i);
    }
}

static inline uint64_t
stock(const struct leat_worker *worker)
{
    return leat_local_count(&worker->local[LEVEL]);
}

static inline bool
is_stocked(const struct leat_worker *worker)
{
    return (atom_load_rlx(&worker->stocked) >> LEVEL & 1) != 0;
}

static inline uint64_t
ring_count(void)
{
    return leat_mpmc_count(&fixture.pool.rings[LEVEL]);
}

static inline uint64_t
hint(void)
{
    return atom_load_rlx(&fixture.pool.hint);
}

static inline void
lie_down(uint32_t place)
{
    leat_lot_enter(&fixture.pool.lot, &fixture.pool.workers[place].bed, place);
}

static inline bool
is_woken(uint32_t place)
{
    return leat_parker_notified(&fixture.pool.workers[place].bed);
}

/* The worker picks and runs so many. */
static inline void
runs(struct leat_worker *worker, uint32_t count)
{
    struct leat_worker *before = current_worker;
    current_worker = worker;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t item = 0;
        CHECK(pick(worker, &item));
        run(worker, item);
    }
    current_worker = before;
}

static inline void
task_note(void *argument)
{
    fixture.ran[fixture.ran_count] = (uint32_t)(uintptr_t)argument;
    fixture.ran_count++;
}

static inline void
post_to(uint32_t place, uint32_t level, uint32_t number)
{
    /* NOLINTNEXTLINE(performance-no-int-to-ptr): it is never followed */
    const struct leat_pool_task task = {task_note, (void *)(uintptr_t)number};
    CHECK(leat_pool_post_to(&fixture.pool, place, level, &task) == LEAT_POST_OK);
}

static struct leat_join join;

static inline void
spawned_note(void *argument)
{
    uint32_t number = (uint32_t)(uintptr_t)argument;
    fixture.ran[fixture.ran_count] = number;
    fixture.ran_count++;
    if (fixture.act != NULL) {
        fixture.act(NULL, number);
    }
}

static inline void
spawn(struct leat_worker *worker, uint32_t number)
{
    leat_spawn(worker, &join, (uintptr_t)spawned_note, number);
}

#endif
