/* ring.hh - makes a kind of ring.h from a C++ class. The class has
 *
 *     explicit Ring(const bench_ring_shape &shape);
 *     bool push(std::uint64_t item);
 *     bool pop(std::uint64_t &item);
 *
 * and no batches of its own: they are pushed and popped one by one.
 * The loops take functions that are known when they are compiled, so all of it inlines. */
#ifndef BENCH_RIVALS_RING_HH
#define BENCH_RIVALS_RING_HH

#include "bench/kernels/ring_loop.h"

// The end of a list of kinds.
constexpr bench_ring_kind ring_end = {};

template <class Ring> class RingCalls
{
  public:
    static constexpr bench_ring_kind kind(const bench_ring_facts &facts)
    {
        return {facts, create, destroy, solo, produce, consume, produce_batch, consume_batch};
    }

  private:
    BENCH_INLINE Ring *of(void *ring)
    {
        return static_cast<Ring *>(ring);
    }

    BENCH_INLINE bool push(void *ring, std::uint64_t item)
    {
        return of(ring)->push(item);
    }

    BENCH_INLINE bool pop(void *ring, std::uint64_t *item)
    {
        return of(ring)->pop(*item);
    }

    BENCH_INLINE std::uint32_t push_n(void *ring, const std::uint64_t *items, std::uint32_t count)
    {
        return bench_ring_push_each(ring, push, items, count);
    }

    BENCH_INLINE std::uint32_t pop_n(void *ring, std::uint64_t *items, std::uint32_t count)
    {
        return bench_ring_pop_each(ring, pop, items, count);
    }

    static void *create(const bench_ring_shape *shape)
    {
        return new Ring(*shape);
    }

    static void destroy(void *ring)
    {
        delete of(ring);
    }

    static void solo(bench_ring_side *side)
    {
        bench_ring_solo_loop(side, side->ring, push, pop);
    }

    static void produce(bench_ring_side *side)
    {
        bench_ring_produce(side, side->ring, push);
    }

    static void consume(bench_ring_side *side)
    {
        bench_ring_consume(side, side->ring, pop);
    }

    static void produce_batch(bench_ring_side *side)
    {
        bench_ring_produce_batch_loop(side, side->ring, push_n);
    }

    static void consume_batch(bench_ring_side *side)
    {
        bench_ring_consume_batch_loop(side, side->ring, pop_n);
    }
};

#endif
