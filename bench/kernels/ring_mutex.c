/* ring_mutex.c - a mutex around an array, as a kind of ring.h: the plain reference. */
#include <pthread.h>
#include <stdlib.h>

#include "bench/kernels/ring_loop.h"
#include "ring/base.h"

struct mutex_ring {
    LEAT_ALIGNED_LINE pthread_mutex_t mutex;
    uint64_t head; /* these two under the mutex */
    uint64_t tail;
    LEAT_ALIGNED_LINE uint64_t slots[BENCH_RING_SLOTS];
};

static void *
mutex_create(const struct bench_ring_shape *shape)
{
    (void)shape;
    struct mutex_ring *made = aligned_alloc(LEAT_LINE_BYTES, sizeof(*made));
    LEAT_ASSERT(made != NULL);
    made->head = 0;
    made->tail = 0;
    int failed = pthread_mutex_init(&made->mutex, NULL);
    LEAT_ASSERT(failed == 0);
    return made;
}

static void
mutex_destroy(void *ring)
{
    struct mutex_ring *made = ring;
    (void)pthread_mutex_destroy(&made->mutex);
    free(made);
}

LEAT_INLINE uint32_t
mutex_push_n(void *ring, const uint64_t *items, uint32_t count)
{
    struct mutex_ring *made = ring;
    (void)pthread_mutex_lock(&made->mutex);
    uint64_t room = BENCH_RING_SLOTS - (made->tail - made->head);
    uint32_t pushed = room < count ? (uint32_t)room : count;
    for (uint32_t i = 0; i < pushed; i++) {
        made->slots[(made->tail + i) % BENCH_RING_SLOTS] = items[i];
    }
    made->tail += pushed;
    (void)pthread_mutex_unlock(&made->mutex);
    return pushed;
}

LEAT_INLINE uint32_t
mutex_pop_n(void *ring, uint64_t *items, uint32_t count)
{
    struct mutex_ring *made = ring;
    (void)pthread_mutex_lock(&made->mutex);
    uint64_t some = made->tail - made->head;
    uint32_t popped = some < count ? (uint32_t)some : count;
    for (uint32_t i = 0; i < popped; i++) {
        items[i] = made->slots[(made->head + i) % BENCH_RING_SLOTS];
    }
    made->head += popped;
    (void)pthread_mutex_unlock(&made->mutex);
    return popped;
}

LEAT_INLINE bool
mutex_push(void *ring, uint64_t item)
{
    return mutex_push_n(ring, &item, 1) == 1;
}

LEAT_INLINE bool
mutex_pop(void *ring, uint64_t *item)
{
    return mutex_pop_n(ring, item, 1) == 1;
}

BENCH_RING_LOOPS(mutex)
BENCH_RING_BATCH_LOOPS(mutex)

/* glibc's mutex, uncontended: a swap to lock and an exchange to unlock. */
const struct bench_ring_kind bench_rings_mutex[] = {
    {{"mutex", BENCH_RING_MANY | BENCH_RING_BATCHED, BENCH_RING_SLOTS, 8, 4, 4.0 / BENCH_RING_BATCH,
      ""},
     mutex_create,
     mutex_destroy,
     BENCH_RING_CALLS(mutex)},
    {.facts = {.name = NULL}},
};
