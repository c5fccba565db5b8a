/* ring.h - rings of 32-bit items: Leat's, and a mutex around an array as the plain reference. Both
 * answer full and empty at once; the kernels wait and try again. */
#ifndef BENCH_KERNELS_RING_H
#define BENCH_KERNELS_RING_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum bench_ring_kind { BENCH_RING_LEAT, BENCH_RING_MUTEX };

struct bench_ring;

/* Both end the process where they cannot have the memory. */
struct bench_ring *bench_ring_create(enum bench_ring_kind kind, uint32_t slots_log2);
void bench_ring_destroy(struct bench_ring *ring);

/* What a kernel measured. */
struct bench_ring_run {
    uint64_t elapsed_ns;
    uint64_t full;  /* pushes that found no room */
    uint64_t empty; /* pops that found nothing */
    uint64_t wrong; /* items that came out of order, or not at all: 0 */
};

/* Pushes and pops `count` items in turn, one thread, the ring otherwise empty. */
struct bench_ring_run bench_ring_solo(struct bench_ring *ring, uint64_t count);

/* Hands `count` items from one thread to another, each on a CPU of its own where there are two.
 * Timed from the first push to the last pop. */
struct bench_ring_run bench_ring_1p1c(struct bench_ring *ring, uint64_t count);

#ifdef __cplusplus
}
#endif

#endif
