/* ring_loop.h - the measured loops of ring.h, for C and for C++: written once, and compiled into
 * each ring's own functions, with its push and pop inlined. */
#ifndef BENCH_KERNELS_RING_LOOP_H
#define BENCH_KERNELS_RING_LOOP_H

#include <stddef.h>

#include "bench/kernels/ring.h"

/* Not LEAT_INLINE: ring/base.h is C. */
#define BENCH_INLINE static inline __attribute__((always_inline))

/* Of a ring, or of what one thread has of it: false, or 0, if it is full or empty. */
typedef bool (*bench_ring_push)(void *ring, uint64_t item);
typedef bool (*bench_ring_pop)(void *ring, uint64_t *item);
typedef uint32_t (*bench_ring_push_n)(void *ring, const uint64_t *items, uint32_t count);
typedef uint32_t (*bench_ring_pop_n)(void *ring, uint64_t *items, uint32_t count);

/* ---- time ----------------------------------------------------------------------------------- */

/* A counter of constant rate. Without a fence: it may move by a few instructions, and a fence would
 * order what is measured. */
BENCH_INLINE uint64_t
bench_ring_ticks(void)
{
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
    uint64_t ticks;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
    return ticks;
#endif
}

BENCH_INLINE void
bench_ring_note(struct bench_ring_histogram *histogram, uint64_t ticks)
{
    uint64_t place = ticks;
    if (ticks >= BENCH_RING_STEPS) {
        unsigned shift = 63 - BENCH_RING_STEPS_LOG2 - (unsigned)__builtin_clzll(ticks);
        place = ((uint64_t)shift << BENCH_RING_STEPS_LOG2) + (ticks >> shift);
    }
    uint64_t last = BENCH_RING_STEPS * BENCH_RING_POWERS - 1;
    histogram->counts[place < last ? place : last]++;
    histogram->max = ticks > histogram->max ? ticks : histogram->max;
}

/* ---- check ---------------------------------------------------------------------------------- */

struct bench_ring_seen {
    uint64_t sum;
    uint64_t disordered;
    uint64_t last[BENCH_RING_SIDES_MAX]; /* sequence of each producer's item that came last */
};

BENCH_INLINE uint64_t
bench_ring_first(uint32_t producer)
{
    return (uint64_t)producer << BENCH_RING_SEQUENCE_BITS;
}

BENCH_INLINE void
bench_ring_see(struct bench_ring_seen *seen, uint64_t item)
{
    uint64_t sequence = item & BENCH_RING_ITEMS_MAX;
    uint64_t *last = &seen->last[item >> BENCH_RING_SEQUENCE_BITS & (BENCH_RING_SIDES_MAX - 1)];
    seen->disordered += sequence > *last ? 0U : 1U;
    *last = sequence;
    seen->sum += item;
}

/* ---- one item ------------------------------------------------------------------------------- */

/* Each returns how often it was refused before it succeeded. */

BENCH_INLINE uint32_t
bench_ring_push_one(struct bench_ring_side *side, void *ring, bench_ring_push push, uint64_t item,
                    bool timed)
{
    uint32_t refused = 0;
    uint64_t asked = timed ? bench_ring_ticks() : 0;
    uint64_t called = asked;
    while (!push(ring, item)) {
        if (timed) {
            bench_ring_note(side->call, bench_ring_ticks() - called);
        }
        bench_ring_wait(side, ++refused);
        called = timed ? bench_ring_ticks() : 0;
    }
    if (timed) {
        uint64_t now = bench_ring_ticks();
        bench_ring_note(side->call, now - called);
        bench_ring_note(side->done, now - asked);
    }
    return refused;
}

BENCH_INLINE uint32_t
bench_ring_pop_one(struct bench_ring_side *side, void *ring, bench_ring_pop pop, uint64_t *item,
                   bool timed)
{
    uint32_t refused = 0;
    uint64_t asked = timed ? bench_ring_ticks() : 0;
    uint64_t called = asked;
    while (!pop(ring, item)) {
        if (timed) {
            bench_ring_note(side->call, bench_ring_ticks() - called);
        }
        bench_ring_wait(side, ++refused);
        called = timed ? bench_ring_ticks() : 0;
    }
    if (timed) {
        uint64_t now = bench_ring_ticks();
        bench_ring_note(side->call, now - called);
        bench_ring_note(side->done, now - asked);
    }
    return refused;
}

/* ---- one batch ------------------------------------------------------------------------------ */

/* Pushes all of BENCH_RING_BATCH items, in as many calls as it takes. */
BENCH_INLINE uint32_t
bench_ring_push_batch(struct bench_ring_side *side, void *ring, bench_ring_push_n push_n,
                      const uint64_t *items, bool timed)
{
    uint32_t refused = 0;
    uint64_t asked = timed ? bench_ring_ticks() : 0;
    uint32_t pushed = 0;
    while (pushed < BENCH_RING_BATCH) {
        uint64_t called = timed ? bench_ring_ticks() : 0;
        uint32_t now = push_n(ring, items + pushed, BENCH_RING_BATCH - pushed);
        if (timed) {
            bench_ring_note(side->call, bench_ring_ticks() - called);
        }
        if (now == 0) {
            bench_ring_wait(side, ++refused);
        }
        pushed += now;
    }
    if (timed) {
        bench_ring_note(side->done, bench_ring_ticks() - asked);
    }
    return refused;
}

/* Pops at least one and at most *count items, and says in *count how many. */
BENCH_INLINE uint32_t
bench_ring_pop_batch(struct bench_ring_side *side, void *ring, bench_ring_pop_n pop_n,
                     uint64_t *items, uint32_t *count)
{
    bool timed = side->timed;
    uint32_t refused = 0;
    uint64_t asked = timed ? bench_ring_ticks() : 0;
    uint32_t popped = 0;
    while (popped == 0) {
        uint64_t called = timed ? bench_ring_ticks() : 0;
        popped = pop_n(ring, items, *count);
        if (timed) {
            bench_ring_note(side->call, bench_ring_ticks() - called);
        }
        if (popped == 0) {
            bench_ring_wait(side, ++refused);
        }
    }
    if (timed) {
        bench_ring_note(side->done, bench_ring_ticks() - asked);
    }
    *count = popped;
    return refused;
}

/* A batch of a ring that has none: one by one, as far as it goes. */

BENCH_INLINE uint32_t
bench_ring_push_each(void *ring, bench_ring_push push, const uint64_t *items, uint32_t count)
{
    uint32_t pushed = 0;
    while (pushed < count && push(ring, items[pushed])) {
        pushed++;
    }
    return pushed;
}

BENCH_INLINE uint32_t
bench_ring_pop_each(void *ring, bench_ring_pop pop, uint64_t *items, uint32_t count)
{
    uint32_t popped = 0;
    while (popped < count && pop(ring, &items[popped])) {
        popped++;
    }
    return popped;
}

/* ---- whole loops ---------------------------------------------------------------------------- */

BENCH_INLINE void
bench_ring_solo_loop(struct bench_ring_side *side, void *ring, bench_ring_push push,
                     bench_ring_pop pop)
{
    uint64_t sum = 0;
    uint64_t wrong = 0;
    uint64_t first = bench_ring_first(side->index);
    uint64_t items = side->items;
    uint64_t refused = 0;
    bench_ring_begin(side);
    for (uint64_t i = 1; i <= items; i++) {
        uint64_t item = 0;
        refused += push(ring, first + i) ? 0U : 1U;
        refused += pop(ring, &item) ? 0U : 1U;
        wrong += item == first + i ? 0U : 1U;
        sum += item;
    }
    bench_ring_end(side);
    side->refused = refused;
    side->sum = sum;
    side->wrong = wrong + refused;
}

BENCH_INLINE void
bench_ring_produce_loop(struct bench_ring_side *side, void *ring, bench_ring_push push, bool timed)
{
    uint64_t first = bench_ring_first(side->index);
    uint64_t items = side->items;
    uint64_t refused = 0;
    bench_ring_begin(side);
    for (uint64_t i = 1; i <= items; i++) {
        refused += bench_ring_push_one(side, ring, push, first + i, timed);
    }
    bench_ring_end(side);
    side->refused = refused;
}

BENCH_INLINE void
bench_ring_consume_loop(struct bench_ring_side *side, void *ring, bench_ring_pop pop, bool timed)
{
    struct bench_ring_seen seen = {0, 0, {0}};
    uint64_t items = side->items;
    uint64_t refused = 0;
    bench_ring_begin(side);
    for (uint64_t i = 0; i < items; i++) {
        uint64_t item = 0;
        refused += bench_ring_pop_one(side, ring, pop, &item, timed);
        bench_ring_see(&seen, item);
    }
    bench_ring_end(side);
    side->refused = refused;
    side->sum = seen.sum;
    side->disordered = seen.disordered;
}

BENCH_INLINE void
bench_ring_produce_batch_loop(struct bench_ring_side *side, void *ring, bench_ring_push_n push_n)
{
    uint64_t first = bench_ring_first(side->index);
    uint64_t items = side->items;
    uint64_t refused = 0;
    bool timed = side->timed;
    bench_ring_begin(side);
    for (uint64_t done = 0; done < items; done += BENCH_RING_BATCH) {
        uint64_t batch[BENCH_RING_BATCH];
        for (uint32_t i = 0; i < BENCH_RING_BATCH; i++) {
            batch[i] = first + done + i + 1;
        }
        refused += bench_ring_push_batch(side, ring, push_n, batch, timed);
    }
    bench_ring_end(side);
    side->refused = refused;
}

BENCH_INLINE void
bench_ring_consume_batch_loop(struct bench_ring_side *side, void *ring, bench_ring_pop_n pop_n)
{
    struct bench_ring_seen seen = {0, 0, {0}};
    uint64_t left = side->items;
    uint64_t refused = 0;
    bench_ring_begin(side);
    while (left > 0) {
        uint64_t batch[BENCH_RING_BATCH];
        uint32_t count = left < BENCH_RING_BATCH ? (uint32_t)left : BENCH_RING_BATCH;
        refused += bench_ring_pop_batch(side, ring, pop_n, batch, &count);
        for (uint32_t i = 0; i < count; i++) {
            bench_ring_see(&seen, batch[i]);
        }
        left -= count;
    }
    bench_ring_end(side);
    side->refused = refused;
    side->sum = seen.sum;
    side->disordered = seen.disordered;
}

/* ---- functions of a kind -------------------------------------------------------------------- */

/* The same two loops, compiled with and without the clock. */
BENCH_INLINE void
bench_ring_produce(struct bench_ring_side *side, void *ring, bench_ring_push push)
{
    if (side->timed) {
        bench_ring_produce_loop(side, ring, push, true);
    } else {
        bench_ring_produce_loop(side, ring, push, false);
    }
}

BENCH_INLINE void
bench_ring_consume(struct bench_ring_side *side, void *ring, bench_ring_pop pop)
{
    if (side->timed) {
        bench_ring_consume_loop(side, ring, pop, true);
    } else {
        bench_ring_consume_loop(side, ring, pop, false);
    }
}

/* In C: the functions x_solo, x_produce, x_consume of a ring with x_push and x_pop. */
#define BENCH_RING_LOOPS(x)                                                                        \
    static void x##_solo(struct bench_ring_side *side)                                             \
    {                                                                                              \
        bench_ring_solo_loop(side, side->ring, x##_push, x##_pop);                                 \
    }                                                                                              \
    static void x##_produce(struct bench_ring_side *side)                                          \
    {                                                                                              \
        bench_ring_produce(side, side->ring, x##_push);                                            \
    }                                                                                              \
    static void x##_consume(struct bench_ring_side *side)                                          \
    {                                                                                              \
        bench_ring_consume(side, side->ring, x##_pop);                                             \
    }

/* The functions x_produce_batch and x_consume_batch of a ring with x_push_n and x_pop_n. */
#define BENCH_RING_BATCH_LOOPS(x)                                                                  \
    static void x##_produce_batch(struct bench_ring_side *side)                                    \
    {                                                                                              \
        bench_ring_produce_batch_loop(side, side->ring, x##_push_n);                               \
    }                                                                                              \
    static void x##_consume_batch(struct bench_ring_side *side)                                    \
    {                                                                                              \
        bench_ring_consume_batch_loop(side, side->ring, x##_pop_n);                                \
    }

/* x_push_n and x_pop_n of a ring without batches. */
#define BENCH_RING_EACH(x)                                                                         \
    BENCH_INLINE uint32_t x##_push_n(void *ring, const uint64_t *items, uint32_t count)            \
    {                                                                                              \
        return bench_ring_push_each(ring, x##_push, items, count);                                 \
    }                                                                                              \
    BENCH_INLINE uint32_t x##_pop_n(void *ring, uint64_t *items, uint32_t count)                   \
    {                                                                                              \
        return bench_ring_pop_each(ring, x##_pop, items, count);                                   \
    }

#define BENCH_RING_CALLS(x) x##_solo, x##_produce, x##_consume, x##_produce_batch, x##_consume_batch

#endif
