/* ring_dpdk.c - DPDK's rte_ring in its four modes, on memory of our own: without its environment
 * layer. Of 1 024 slots one stays free. */
#include <rte_ring.h>
#include <stdlib.h>

#include "bench/kernels/ring_loop.h"

/* A pair of lines, as for all others. */
#define ALIGNMENT 128

extern const struct bench_ring_kind bench_rings_dpdk[];

static void *
dpdk_create(unsigned flags)
{
    ssize_t bytes = rte_ring_get_memsize(BENCH_RING_SLOTS);
    if (bytes < 0) {
        return NULL;
    }
    size_t rounded = ((size_t)bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    struct rte_ring *made = aligned_alloc(ALIGNMENT, rounded);
    if (made == NULL || rte_ring_init(made, "rivals", BENCH_RING_SLOTS, flags) != 0) {
        free(made);
        return NULL;
    }
    return made;
}

static void
dpdk_destroy(void *ring)
{
    free(ring);
}

/* The calls that name the mode, so that none is looked up while it counts. */
#define DPDK_RING(x, flags, enqueue, dequeue)                                                      \
    static void *x##_create(const struct bench_ring_shape *shape)                                  \
    {                                                                                              \
        (void)shape;                                                                               \
        return dpdk_create(flags);                                                                 \
    }                                                                                              \
    BENCH_INLINE uint32_t x##_push_n(void *ring, const uint64_t *items, uint32_t count)            \
    {                                                                                              \
        return enqueue(ring, items, sizeof(*items), count, NULL);                                  \
    }                                                                                              \
    BENCH_INLINE uint32_t x##_pop_n(void *ring, uint64_t *items, uint32_t count)                   \
    {                                                                                              \
        return dequeue(ring, items, sizeof(*items), count, NULL);                                  \
    }                                                                                              \
    BENCH_INLINE bool x##_push(void *ring, uint64_t item)                                          \
    {                                                                                              \
        return x##_push_n(ring, &item, 1) == 1;                                                    \
    }                                                                                              \
    BENCH_INLINE bool x##_pop(void *ring, uint64_t *item)                                          \
    {                                                                                              \
        return x##_pop_n(ring, item, 1) == 1;                                                      \
    }                                                                                              \
    BENCH_RING_LOOPS(x)                                                                            \
    BENCH_RING_BATCH_LOOPS(x)

#define DPDK_CALLS(x) x##_create, dpdk_destroy, BENCH_RING_CALLS(x)

DPDK_RING(mpmc, 0, rte_ring_mp_enqueue_burst_elem, rte_ring_mc_dequeue_burst_elem)
DPDK_RING(rts, RING_F_MP_RTS_ENQ | RING_F_MC_RTS_DEQ, rte_ring_mp_rts_enqueue_burst_elem,
          rte_ring_mc_rts_dequeue_burst_elem)
DPDK_RING(hts, RING_F_MP_HTS_ENQ | RING_F_MC_HTS_DEQ, rte_ring_mp_hts_enqueue_burst_elem,
          rte_ring_mc_hts_dequeue_burst_elem)
DPDK_RING(spsc, RING_F_SP_ENQ | RING_F_SC_DEQ, rte_ring_sp_enqueue_burst_elem,
          rte_ring_sc_dequeue_burst_elem)

#define MANY_BATCHED (BENCH_RING_MANY | BENCH_RING_BATCHED)
#define CAPACITY     (BENCH_RING_SLOTS - 1)

/* Locked: MP/MC and HTS swap a head on each side; RTS a head and a tail. */
const struct bench_ring_kind bench_rings_dpdk[] = {
    {{"rte_ring MP/MC", MANY_BATCHED, CAPACITY, 8, 2, 2.0 / BENCH_RING_BATCH,
      "holds 1023; waits inside for calls before it"},
     DPDK_CALLS(mpmc)},
    {{"rte_ring RTS", MANY_BATCHED, CAPACITY, 8, 4, 4.0 / BENCH_RING_BATCH, "holds 1023"},
     DPDK_CALLS(rts)},
    {{"rte_ring HTS", MANY_BATCHED, CAPACITY, 8, 2, 2.0 / BENCH_RING_BATCH,
      "holds 1023; waits inside for the call before it"},
     DPDK_CALLS(hts)},
    {{"rte_ring SP/SC", BENCH_RING_SPSC, CAPACITY, 8, 0, 0, "holds 1023"}, DPDK_CALLS(spsc)},
    {.facts = {.name = NULL}},
};
