/* sched_leat.c - Leat's pool, in the shape of sched.h: its tasks, and its jobs with the least and
 * with the usual number of ended ones that are kept. */
#include "bench/rivals/sched.h"
#include "engine/leat.h"
#include "ring/base.h"

struct leat_under_test {
    struct leat_engine *engine;
    struct leat_job noop;
    struct leat_task batch[BENCH_SCHED_BATCH];
};

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

static struct leat_outcome
job_noop(struct leat_run *run, void *context)
{
    (void)run;
    (void)context;
    bench_sched_job(&bench_sched_noop);
    return leat_done();
}

/* Between two looks for workers that sleep beside work, where posts wake nobody. */
#define TICK_NS UINT64_C(1000000)

static void *
open_with(const struct bench_sched_config *config, uint32_t retained_max, uint64_t tick_ns)
{
    static struct leat_under_test pool;
    struct leat_config wanted = leat_config_default();
    wanted.workers = config->workers;
    wanted.ring_slots = BENCH_SCHED_SLOTS;
    wanted.retained_max = retained_max;
    wanted.tick_ns = tick_ns;
    enum leat_status status = leat_open(&wanted, &pool.engine, NULL);
    LEAT_ASSERT(status == LEAT_OK);
    pool.noop = leat_job_default();
    status = leat_type_register(pool.engine, "noop", job_noop, NULL, NULL, &pool.noop.type);
    LEAT_ASSERT(status == LEAT_OK);
    for (size_t i = 0; i < BENCH_SCHED_BATCH; i++) {
        pool.batch[i] = (struct leat_task){bench_sched_job, &bench_sched_noop};
    }
    status = leat_start(pool.engine);
    LEAT_ASSERT(status == LEAT_OK);
    return &pool;
}

static void *
tasks_open(const struct bench_sched_config *config)
{
    return open_with(config, 0, 0);
}

static void *
unwoken_open(const struct bench_sched_config *config)
{
    return open_with(config, 0, TICK_NS);
}

static void *
kept_open(const struct bench_sched_config *config)
{
    return open_with(config, LEAT_AUTO, 0);
}

static bool
tasks_post(void *port, uint32_t level, struct bench_sched_item *item)
{
    struct leat_under_test *pool = port;
    return taken(leat_post(pool->engine, level, bench_sched_job, item));
}

static size_t
tasks_post_noops(void *port, size_t count)
{
    struct leat_under_test *pool = port;
    size_t posted = 0;
    (void)taken(leat_post_batch(pool->engine, BENCH_SCHED_NORMAL, pool->batch, count, &posted));
    return posted;
}

static bool
jobs_post(void *port, uint32_t level, struct bench_sched_item *item)
{
    struct leat_under_test *pool = port;
    if (LEAT_UNLIKELY(item != &bench_sched_noop)) {
        return tasks_post(port, level, item);
    }
    leat_job_id id;
    return taken(leat_submit(pool->engine, &pool->noop, &id));
}

static const uint8_t levels[] = {0, 1, 2, 3, 4, 5, 6, 7};

const struct bench_sched_kind bench_pools_leat[] = {
    {.name = "leat tasks",
     .uses = BENCH_SCHED_TASKS | BENCH_SCHED_LEVELS | BENCH_SCHED_PLACES,
     .note = "",
     .open = tasks_open,
     .post = tasks_post,
     .post_noops = tasks_post_noops,
     .levels = levels,
     .levels_count = sizeof(levels)},
    {.name = "leat tasks unwoken",
     .uses = BENCH_SCHED_UNWOKEN | BENCH_SCHED_PLACES,
     .note = "tick_ns of a millisecond: a post makes no system call",
     .open = unwoken_open,
     .post = tasks_post},
    {.name = "leat jobs",
     .uses = BENCH_SCHED_JOBS | BENCH_SCHED_PLACES,
     .note = "id, state, statistics sampled; ended ones are not kept",
     .open = tasks_open,
     .post = jobs_post},
    {.name = "leat jobs kept",
     .uses = BENCH_SCHED_JOBS | BENCH_SCHED_PLACES,
     .note = "the same; the last 10 000 are kept",
     .open = kept_open,
     .post = jobs_post},
    {.name = NULL},
};
