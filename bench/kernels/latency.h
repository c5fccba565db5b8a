/* latency.h - how long after its time an item starts to run. Open loop: item i is due at a time
 * that is fixed before the run, and its latency counts from then, so whoever delays the sender
 * delays what is measured too (no coordinated omission). */
#ifndef BENCH_KERNELS_LATENCY_H
#define BENCH_KERNELS_LATENCY_H

#include "bench/kernels/pool.h"

#ifdef __cplusplus
extern "C" {
#endif

struct bench_percentiles {
    uint64_t p50;
    uint64_t p90;
    uint64_t p99;
    uint64_t p999;
    uint64_t p9999;
    uint64_t max;
};

struct bench_latency {
    struct bench_percentiles start_ns; /* due to start */
    struct bench_percentiles late_ns;  /* due to the sender's call: what is not the pool's doing */
};

/* Sends `count` items, at least 1, one each `period_ns`, to a pool that is otherwise idle. */
struct bench_latency bench_latency_run(struct bench_pool *pool, uint64_t count, uint64_t period_ns);

#ifdef __cplusplus
}
#endif

#endif
