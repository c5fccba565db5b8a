/* ring.c - the loops of ring.h, written once and compiled for each kind of ring. */
#include "bench/kernels/ring.h"

#include <stdlib.h>

#include "bench/kernels/machine.h"
#include "bench/kernels/thread.h"
#include "ring/mpmc.h"

/* Before another try: about a microsecond, in which the other side handles a few dozen items of the
 * 1 024. A try at once would fetch the very line, or take the very lock, that it is using. */
#define RETRY_PAUSES 32

struct mutex_ring {
    LEAT_ALIGNED_LINE pthread_mutex_t mutex;
    uint64_t head;
    uint64_t tail;
    LEAT_ALIGNED_LINE uint32_t *slots;
    uint64_t mask;
};

struct bench_ring {
    struct leat_mpmc mpmc;
    struct mutex_ring plain;
    enum bench_ring_kind kind;
    void *memory;
    size_t bytes;
};

typedef bool (*push_function)(struct bench_ring *ring, uint32_t item);
typedef bool (*pop_function)(struct bench_ring *ring, uint32_t *item);

/* ---- operations ----------------------------------------------------------------------------- */

LEAT_INLINE bool
mpmc_push(struct bench_ring *ring, uint32_t item)
{
    return leat_mpmc_push(&ring->mpmc, item);
}

LEAT_INLINE bool
mpmc_pop(struct bench_ring *ring, uint32_t *item)
{
    return leat_mpmc_pop(&ring->mpmc, item);
}

LEAT_INLINE bool
mutex_push(struct bench_ring *ring, uint32_t item)
{
    struct mutex_ring *plain = &ring->plain;
    (void)pthread_mutex_lock(&plain->mutex);
    bool room = plain->tail - plain->head <= plain->mask;
    if (room) {
        plain->slots[plain->tail & plain->mask] = item;
        plain->tail++;
    }
    (void)pthread_mutex_unlock(&plain->mutex);
    return room;
}

LEAT_INLINE bool
mutex_pop(struct bench_ring *ring, uint32_t *item)
{
    struct mutex_ring *plain = &ring->plain;
    (void)pthread_mutex_lock(&plain->mutex);
    bool some = plain->tail != plain->head;
    if (some) {
        *item = plain->slots[plain->head & plain->mask];
        plain->head++;
    }
    (void)pthread_mutex_unlock(&plain->mutex);
    return some;
}

/* ---- one thread ----------------------------------------------------------------------------- */

LEAT_INLINE struct bench_ring_run
solo(struct bench_ring *ring, uint64_t count, push_function push, pop_function pop)
{
    struct bench_ring_run run = {0, 0, 0, 0};
    uint64_t begin_ns = leat_os_monotonic_ns();
    for (uint64_t i = 0; i < count; i++) {
        uint32_t item = 0;
        run.full += push(ring, (uint32_t)(i & LEAT_ITEM_MASK)) ? 0 : 1;
        run.empty += pop(ring, &item) ? 0 : 1;
        run.wrong += item == (i & LEAT_ITEM_MASK) ? 0 : 1;
    }
    run.elapsed_ns = leat_os_monotonic_ns() - begin_ns;
    return run;
}

struct bench_ring_run
bench_ring_solo(struct bench_ring *ring, uint64_t count)
{
    if (ring->kind == BENCH_RING_MUTEX) {
        return solo(ring, count, mutex_push, mutex_pop);
    }
    return solo(ring, count, mpmc_push, mpmc_pop);
}

/* ---- one producer, one consumer ------------------------------------------------------------- */

/* The consumer's fields apart from what the producer reads while both run. */
struct pair {
    struct bench_ring *ring;
    uint64_t count;
    bool crowded;
    LEAT_ALIGNED_LINE leat_atomic_u32 ready; /* 1: the consumer runs */
    LEAT_ALIGNED_LINE uint64_t end_ns;       /* these for the producer once it has joined */
    uint64_t empty;
    uint64_t wrong;
};

LEAT_INLINE void
consume(struct pair *pair, pop_function pop)
{
    struct bench_ring *ring = pair->ring;
    uint64_t empty = 0;
    uint64_t wrong = 0;
    /* The producer's clock starts when it sees this. */
    atom_store_rel(&pair->ready, 1);
    for (uint64_t i = 0; i < pair->count; i++) {
        uint32_t item = 0;
        while (!pop(ring, &item)) {
            empty++;
            bench_wait(pair->crowded, RETRY_PAUSES);
        }
        wrong += item == (i & LEAT_ITEM_MASK) ? 0 : 1;
    }
    pair->end_ns = leat_os_monotonic_ns();
    pair->empty = empty;
    pair->wrong = wrong;
}

LEAT_INLINE uint64_t
produce(struct pair *pair, push_function push)
{
    struct bench_ring *ring = pair->ring;
    uint64_t full = 0;
    for (uint64_t i = 0; i < pair->count; i++) {
        while (!push(ring, (uint32_t)(i & LEAT_ITEM_MASK))) {
            full++;
            bench_wait(pair->crowded, RETRY_PAUSES);
        }
    }
    return full;
}

static void *
consumer_run(void *argument)
{
    struct pair *pair = argument;
    if (pair->ring->kind == BENCH_RING_MUTEX) {
        consume(pair, mutex_pop);
    } else {
        consume(pair, mpmc_pop);
    }
    return NULL;
}

struct bench_ring_run
bench_ring_1p1c(struct bench_ring *ring, uint64_t count)
{
    struct pair pair = {.ring = ring, .count = count, .crowded = bench_cpus() < 2};
    cpu_set_t before;
    pthread_t consumer = bench_thread_start(consumer_run, &pair, 0);
    bench_pin_last(&before);
    while (atom_load_acq(&pair.ready) == 0) {
        bench_wait(pair.crowded, RETRY_PAUSES);
    }
    uint64_t begin_ns = leat_os_monotonic_ns();
    uint64_t full =
        ring->kind == BENCH_RING_MUTEX ? produce(&pair, mutex_push) : produce(&pair, mpmc_push);
    leat_os_thread_join(consumer);
    bench_unpin(&before);
    struct bench_ring_run run = {pair.end_ns - begin_ns, full, pair.empty, pair.wrong};
    return run;
}

/* ---- create and destroy --------------------------------------------------------------------- */

struct bench_ring *
bench_ring_create(enum bench_ring_kind kind, uint32_t slots_log2)
{
    size_t bytes = leat_round_up(sizeof(struct bench_ring), LEAT_LINE_BYTES);
    struct bench_ring *ring = aligned_alloc(LEAT_LINE_BYTES, bytes);
    LEAT_ASSERT(ring != NULL);
    ring->kind = kind;
    ring->bytes = leat_mpmc_bytes(slots_log2);
    ring->memory = leat_os_map(ring->bytes);
    LEAT_ASSERT(ring->memory != NULL);
    if (kind == BENCH_RING_LEAT) {
        const struct leat_ring_config config = {.slots_log2 = slots_log2, .memory = ring->memory};
        leat_mpmc_init(&ring->mpmc, &config);
    } else {
        ring->plain.slots = ring->memory;
        ring->plain.mask = (UINT64_C(1) << slots_log2) - 1;
        ring->plain.head = 0;
        ring->plain.tail = 0;
        int failed = pthread_mutex_init(&ring->plain.mutex, NULL);
        LEAT_ASSERT(failed == 0);
    }
    return ring;
}

void
bench_ring_destroy(struct bench_ring *ring)
{
    if (ring->kind == BENCH_RING_MUTEX) {
        (void)pthread_mutex_destroy(&ring->plain.mutex);
    }
    leat_os_unmap(ring->memory, ring->bytes);
    free(ring);
}
