/* pool.h - pools of workers that are fed by one outside thread: Leat's tasks, Leat's jobs, and the
 * mutex pool. The work is a no-op that counts itself, each worker on a line of its own: nothing is
 * shared between workers but the pool. */
#ifndef BENCH_KERNELS_POOL_H
#define BENCH_KERNELS_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/kernels/setting.h"

#ifdef __cplusplus
extern "C" {
#endif

enum bench_pool_kind { BENCH_POOL_TASKS, BENCH_POOL_JOBS, BENCH_POOL_MUTEX };

struct bench_pool_config {
    enum bench_pool_kind kind;
    uint32_t workers;      /* 0: the driving thread lends itself (not the mutex pool) */
    uint32_t retained_max; /* jobs; UINT32_MAX: the default */
};

/* Since the pool was opened. */
struct bench_pool_counts {
    uint64_t full;  /* posts that found no room */
    uint64_t parks; /* workers gone to sleep */
    uint64_t wakes; /* system calls to wake one */
};

struct bench_pool;

/* These end the process on failure. Settings are the engine's, and count more than the config. */
struct bench_pool *bench_pool_open(const struct bench_pool_config *config);
struct bench_pool *bench_pool_open_set(const struct bench_pool_config *config,
                                       const struct bench_setting *settings);
void bench_pool_close(struct bench_pool *pool);

struct bench_pool_counts bench_pool_counts_read(struct bench_pool *pool);

/* Posts `count` no-ops, trying again where the pool is full. Nanoseconds from the first post until
 * all have run. */
uint64_t bench_pool_burst(struct bench_pool *pool, uint64_t count);

struct bench_pool_calls {
    uint64_t post_ns;
    uint64_t run_ns;
};

/* The two halves apart, on one thread: posts `count` no-ops, at most BENCH_POOL_CALLS_MAX, then
 * runs them. pre: 0 workers. */
#define BENCH_POOL_CALLS_MAX 8192
struct bench_pool_calls bench_pool_calls_time(struct bench_pool *pool, uint64_t count);

/* Has a worker call function(argument), trying again where the pool is full. */
void bench_pool_call(struct bench_pool *pool, void (*function)(void *argument), void *argument);

/* More threads than CPUs: the workers and the one that drives them. */
bool bench_pool_crowded(const struct bench_pool *pool);

#ifdef __cplusplus
}
#endif

#endif
