/* ring_ck.c - Concurrency Kit's ring, for many and for one on each side. Of 1 024 slots one stays
 * free. */
#include <ck_ring.h>
#include <stdlib.h>
#include <string.h>

#include "bench/kernels/ring_loop.h"

/* A pair of lines, as for all others. */
#define ALIGNMENT 128

extern const struct bench_ring_kind bench_rings_ck[];

struct ck_item {
    uint64_t value;
};

CK_RING_PROTOTYPE(item, ck_item)

struct ck {
    __attribute__((aligned(ALIGNMENT))) ck_ring_t ring;
    __attribute__((aligned(ALIGNMENT))) struct ck_item slots[BENCH_RING_SLOTS];
};

static void *
ck_create(const struct bench_ring_shape *shape)
{
    (void)shape;
    struct ck *made = aligned_alloc(ALIGNMENT, sizeof(*made));
    if (made != NULL) {
        memset(made, 0, sizeof(*made));
        ck_ring_init(&made->ring, BENCH_RING_SLOTS);
    }
    return made;
}

static void
ck_destroy(void *ring)
{
    free(ring);
}

#define CK_RING(x)                                                                                 \
    BENCH_INLINE bool x##_push(void *ring, uint64_t item)                                          \
    {                                                                                              \
        struct ck *made = ring;                                                                    \
        struct ck_item pushed = {item};                                                            \
        return CK_RING_ENQUEUE_##x(item, &made->ring, made->slots, &pushed);                       \
    }                                                                                              \
    BENCH_INLINE bool x##_pop(void *ring, uint64_t *item)                                          \
    {                                                                                              \
        struct ck *made = ring;                                                                    \
        struct ck_item popped = {0};                                                               \
        bool some = CK_RING_DEQUEUE_##x(item, &made->ring, made->slots, &popped);                  \
        *item = popped.value;                                                                      \
        return some;                                                                               \
    }                                                                                              \
    BENCH_RING_LOOPS(x)                                                                            \
    BENCH_RING_EACH(x)                                                                             \
    BENCH_RING_BATCH_LOOPS(x)

CK_RING(MPMC)
CK_RING(SPSC)

#define CAPACITY (BENCH_RING_SLOTS - 1)

/* Locked: the swap on each of the two heads. */
const struct bench_ring_kind bench_rings_ck[] = {
    {{"ck_ring mpmc", BENCH_RING_MANY | BENCH_RING_BATCHED, CAPACITY, 8, 2, 2,
      "holds 1023; no batches; waits inside for pushes before it"},
     ck_create,
     ck_destroy,
     BENCH_RING_CALLS(MPMC)},
    {{"ck_ring spsc", BENCH_RING_SPSC, CAPACITY, 8, 0, 0, "holds 1023"},
     ck_create,
     ck_destroy,
     BENCH_RING_CALLS(SPSC)},
    {.facts = {.name = NULL}},
};
