/* slab.h - the slab of task records: taking and giving back on one thread. */
#ifndef BENCH_KERNELS_SLAB_H
#define BENCH_KERNELS_SLAB_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bench_slab;

/* Ends the process where it cannot have the memory. */
struct bench_slab *bench_slab_create(void);
void bench_slab_destroy(struct bench_slab *slab);

/* Takes a record and gives it back, `count` times. Returns nanoseconds; 0: a take failed. */
uint64_t bench_slab_solo(struct bench_slab *slab, uint64_t count);

#ifdef __cplusplus
}
#endif

#endif
