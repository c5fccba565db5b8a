/* pool.c - the loops of pool.h, written once and compiled for each kind of pool. */
#include "bench/kernels/pool.h"

#include <stdlib.h>
#include <string.h>

#include "bench/kernels/machine.h"
#include "bench/kernels/mutex_pool.h"
#include "bench/kernels/thread.h"

/* The ring of either pool; Leat's default. */
#define SLOTS 16384

/* After a full pool: some 10 microseconds, in which a worker makes room for a few hundred items,
 * a small part of the ring. A try at once would fetch the very lines that the worker is using. */
#define FULL_PAUSES 256

/* While the last items run, the counters are looked at after so many pauses at most, fewer towards
 * the end: each look takes a line from a worker. */
#define LOOK_PAUSES_MAX 256
#define LOOK_ITEMS      8 /* items left per pause */

#define WORKERS_MAX 64

/* One line for each worker. */
struct tally {
    LEAT_ALIGNED_LINE leat_atomic_u64 ran;
};

/* A job that calls a function. */
struct call {
    leat_task_function function;
    void *argument;
};

struct bench_pool {
    struct tally tallies[WORKERS_MAX];
    struct mutex_pool plain;
    LEAT_ALIGNED_LINE struct leat_engine *engine;
    struct leat_job noop;
    struct leat_job call;
    struct call payload; /* of that job */
    struct bench_pool_config config;
    bool crowded;
    uint64_t posted;
    uint64_t full;
};

typedef bool (*post_function)(struct bench_pool *pool);

static _Thread_local struct tally *own_tally;

/* ---- the work ------------------------------------------------------------------------------- */

static void
task_noop(void *argument)
{
    (void)argument;
    /* Released for the look of ran_sum(); on a line that only this worker writes. */
    atom_store_rel(&own_tally->ran, atom_load_rlx(&own_tally->ran) + 1);
}

static struct leat_outcome
job_noop(struct leat_run *run, void *context)
{
    (void)run;
    task_noop(context);
    return leat_done();
}

static struct leat_outcome
job_call(struct leat_run *run, void *context)
{
    (void)context;
    struct call call;
    memcpy(&call, leat_run_payload(run, NULL), sizeof(call));
    call.function(call.argument);
    return leat_done();
}

/* On each worker's thread. */
static void
worker_begins(uint32_t worker, void *context)
{
    struct bench_pool *pool = context;
    own_tally = &pool->tallies[worker];
}

static void
worker_started(struct leat_engine *engine, uint32_t worker, void *context)
{
    (void)engine;
    worker_begins(worker, context);
}

/* ---- posting -------------------------------------------------------------------------------- */

/* Room or not; anything else is a fault of the benchmark. */
LEAT_INLINE bool
taken(enum leat_status status)
{
    if (LEAT_LIKELY(status == LEAT_OK)) {
        return true;
    }
    LEAT_ASSERT(status == LEAT_FULL);
    return false;
}

LEAT_INLINE bool
post_task(struct bench_pool *pool)
{
    return taken(leat_post(pool->engine, LEAT_PRIORITY_NORMAL, task_noop, NULL));
}

LEAT_INLINE bool
post_job(struct bench_pool *pool)
{
    leat_job_id id;
    return taken(leat_submit(pool->engine, &pool->noop, &id));
}

LEAT_INLINE bool
post_mutex(struct bench_pool *pool)
{
    return bench_mutex_post(&pool->plain, task_noop, NULL);
}

static uint64_t
ran_sum(const struct bench_pool *pool)
{
    uint64_t sum = 0;
    uint32_t count = pool->config.workers == 0 ? 1 : pool->config.workers;
    for (uint32_t i = 0; i < count; i++) {
        sum += atom_load_acq(&pool->tallies[i].ran);
    }
    return sum;
}

static void
ran_wait(const struct bench_pool *pool)
{
    for (;;) {
        uint64_t left = pool->posted - ran_sum(pool);
        if (left == 0) {
            return;
        }
        uint64_t pauses = left / LOOK_ITEMS + 1;
        bench_wait(pool->crowded,
                   pauses < LOOK_PAUSES_MAX ? (uint32_t)pauses : (uint32_t)LOOK_PAUSES_MAX);
    }
}

LEAT_INLINE uint64_t
burst(struct bench_pool *pool, uint64_t count, post_function post)
{
    uint64_t full = 0;
    uint64_t begin_ns = leat_os_monotonic_ns();
    for (uint64_t i = 0; i < count; i++) {
        while (LEAT_UNLIKELY(!post(pool))) {
            full++;
            bench_wait(pool->crowded, FULL_PAUSES);
        }
    }
    pool->posted += count;
    ran_wait(pool);
    uint64_t elapsed_ns = leat_os_monotonic_ns() - begin_ns;
    pool->full += full;
    return elapsed_ns;
}

uint64_t
bench_pool_burst(struct bench_pool *pool, uint64_t count)
{
    cpu_set_t before;
    uint64_t elapsed_ns = 0;
    bench_pin_last(&before);
    switch (pool->config.kind) {
    case BENCH_POOL_TASKS:
        elapsed_ns = burst(pool, count, post_task);
        break;
    case BENCH_POOL_JOBS:
        elapsed_ns = burst(pool, count, post_job);
        break;
    case BENCH_POOL_MUTEX:
        elapsed_ns = burst(pool, count, post_mutex);
        break;
    }
    bench_unpin(&before);
    return elapsed_ns;
}

LEAT_INLINE struct bench_pool_calls
calls(struct bench_pool *pool, uint64_t count, post_function post)
{
    struct bench_pool_calls result;
    uint64_t begin_ns = leat_os_monotonic_ns();
    for (uint64_t i = 0; i < count; i++) {
        bool room = post(pool);
        LEAT_ASSERT(room);
    }
    uint64_t middle_ns = leat_os_monotonic_ns();
    size_t ran = 0;
    enum leat_status status = leat_run_some(pool->engine, count, &ran);
    result.run_ns = leat_os_monotonic_ns() - middle_ns;
    result.post_ns = middle_ns - begin_ns;
    LEAT_ASSERT(status == LEAT_OK);
    LEAT_ASSERT(ran == count);
    return result;
}

struct bench_pool_calls
bench_pool_calls_time(struct bench_pool *pool, uint64_t count)
{
    LEAT_ASSERT(pool->config.workers == 0);
    LEAT_ASSERT(count <= BENCH_POOL_CALLS_MAX);
    worker_begins(0, pool);
    if (pool->config.kind == BENCH_POOL_JOBS) {
        return calls(pool, count, post_job);
    }
    return calls(pool, count, post_task);
}

void
bench_pool_call(struct bench_pool *pool, void (*function)(void *argument), void *argument)
{
    bool done = false;
    for (;;) {
        switch (pool->config.kind) {
        case BENCH_POOL_TASKS:
            done = taken(leat_post(pool->engine, LEAT_PRIORITY_NORMAL, function, argument));
            break;
        case BENCH_POOL_JOBS:
            pool->payload = (struct call){function, argument};
            done = taken(leat_submit(pool->engine, &pool->call, NULL));
            break;
        case BENCH_POOL_MUTEX:
            done = bench_mutex_post(&pool->plain, function, argument);
            break;
        }
        if (LEAT_LIKELY(done)) {
            return;
        }
        pool->full++;
        bench_wait(pool->crowded, 1);
    }
}

/* ---- open and close ------------------------------------------------------------------------- */

static void
engine_open(struct bench_pool *pool, const struct bench_setting *settings)
{
    const struct leat_config *set = NULL;
    struct leat_config config = leat_config_default();
    config.workers = pool->config.workers;
    config.ring_slots = SLOTS;
    config.retained_max = pool->config.retained_max;
    config.worker_started = worker_started;
    config.hook_context = pool;
    struct leat_settings *made = bench_settings_over(&config, settings);
    bench_must(leat_settings_config(made, &set, NULL));
    pool->config.workers = set->workers;
    LEAT_ASSERT(set->workers <= WORKERS_MAX);
    bench_must(leat_open(set, &pool->engine, NULL));
    leat_settings_destroy(made);
    pool->noop = leat_job_default();
    pool->call = leat_job_default();
    bench_must(leat_type_register(pool->engine, "noop", job_noop, NULL, NULL, &pool->noop.type));
    bench_must(leat_type_register(pool->engine, "call", job_call, NULL, NULL, &pool->call.type));
    pool->call.payload = &pool->payload;
    pool->call.payload_bytes = sizeof(pool->payload);
    bench_must(leat_start(pool->engine));
}

struct bench_pool *
bench_pool_open(const struct bench_pool_config *config)
{
    return bench_pool_open_set(config, NULL);
}

struct bench_pool *
bench_pool_open_set(const struct bench_pool_config *config, const struct bench_setting *settings)
{
    LEAT_ASSERT(config->workers <= WORKERS_MAX);
    struct bench_pool *pool = aligned_alloc(LEAT_LINE_BYTES, sizeof(struct bench_pool));
    LEAT_ASSERT(pool != NULL);
    memset(pool, 0, sizeof(*pool));
    pool->config = *config;
    if (config->kind == BENCH_POOL_MUTEX) {
        const struct mutex_pool_config plain = {
            .workers = config->workers, .slots = SLOTS, .started = worker_begins, .context = pool};
        bench_mutex_open(&pool->plain, &plain);
    } else {
        engine_open(pool, settings);
    }
    pool->crowded = pool->config.workers + 1 > bench_cpus();
    return pool;
}

void
bench_pool_close(struct bench_pool *pool)
{
    if (pool->config.kind == BENCH_POOL_MUTEX) {
        bench_mutex_close(&pool->plain);
    } else {
        enum leat_status status = leat_stop(pool->engine, LEAT_FOREVER);
        LEAT_ASSERT(status == LEAT_OK);
        status = leat_close(pool->engine);
        LEAT_ASSERT(status == LEAT_OK);
    }
    free(pool);
}

struct bench_pool_counts
bench_pool_counts_read(struct bench_pool *pool)
{
    struct bench_pool_counts counts = {.full = pool->full};
    if (pool->config.kind == BENCH_POOL_MUTEX) {
        (void)pthread_mutex_lock(&pool->plain.mutex);
        counts.parks = pool->plain.parks;
        counts.wakes = pool->plain.wakes;
        (void)pthread_mutex_unlock(&pool->plain.mutex);
    } else {
        struct leat_statistics statistics = leat_statistics_default();
        enum leat_status status = leat_statistics_get(pool->engine, &statistics);
        LEAT_ASSERT(status == LEAT_OK);
        counts.parks = statistics.parks;
        counts.wakes = statistics.wakes;
    }
    return counts;
}

bool
bench_pool_crowded(const struct bench_pool *pool)
{
    return pool->crowded;
}
