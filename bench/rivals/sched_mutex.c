/* sched_mutex.c - the mutex pool of bench/kernels/mutex_pool.h, in the shape of sched.h. */
#include "bench/kernels/mutex_pool.h"
#include "bench/rivals/sched.h"

static void
started(uint32_t worker, void *context)
{
    (void)worker;
    (void)context;
}

static void *
mutex_open(const struct bench_sched_config *config)
{
    static struct mutex_pool pool;
    const struct mutex_pool_config wanted = {
        .workers = config->workers, .slots = BENCH_SCHED_SLOTS, .started = started};
    bench_mutex_open(&pool, &wanted);
    return &pool;
}

static bool
mutex_post(void *port, uint32_t level, struct bench_sched_item *item)
{
    (void)level;
    return bench_mutex_post(port, bench_sched_job, item);
}

static size_t
mutex_post_noops(void *port, size_t count)
{
    return bench_mutex_post_n(port, bench_sched_job, &bench_sched_noop, count);
}

const struct bench_sched_kind bench_pools_mutex[] = {
    {.name = "mutex pool",
     .uses = BENCH_SCHED_TASKS | BENCH_SCHED_PLACES,
     .note = "one queue in a mutex",
     .open = mutex_open,
     .post = mutex_post,
     .post_noops = mutex_post_noops},
    {.name = NULL},
};
