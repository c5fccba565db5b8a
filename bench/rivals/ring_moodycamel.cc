// ring_moodycamel.cc - Cameron Desrochers' ConcurrentQueue, with tokens, and his
// ReaderWriterQueue.
#include <concurrentqueue/concurrentqueue.h>
#include <cstdint>

#include "bench/rivals/ring.hh"

namespace
{

using Queue = moodycamel::ConcurrentQueue<std::uint64_t>;

// The least number of items for which the constructor's rule makes 1 024 / 32 blocks in all. They
// are spread over the producers, and one that took a block keeps it.
std::size_t
items_for(const bench_ring_shape &shape)
{
    std::size_t blocks = BENCH_RING_SLOTS / Queue::BLOCK_SIZE;
    std::size_t producers = shape.producers;
    return ((blocks - 2 * producers) / (producers + 1) + 1) * Queue::BLOCK_SIZE;
}

class Ring
{
  public:
    explicit Ring(const bench_ring_shape &shape) : queue(items_for(shape), shape.producers, 0) {}

    Queue queue;
};

// What a thread has of it. The token is the thread's own, and so is its line.
struct Producer {
    explicit Producer(void *ring)
        : queue(static_cast<Ring *>(ring)->queue), token(static_cast<Ring *>(ring)->queue)
    {
    }

    Queue &queue;
    moodycamel::ProducerToken token;
};

struct Consumer {
    explicit Consumer(void *ring)
        : queue(static_cast<Ring *>(ring)->queue), token(static_cast<Ring *>(ring)->queue)
    {
    }

    Queue &queue;
    moodycamel::ConsumerToken token;
};

struct Both {
    explicit Both(void *ring) : producer(ring), consumer(ring) {}

    Producer producer;
    Consumer consumer;
};

// ---- calls --------------------------------------------------------------------------------------

BENCH_INLINE bool
push(void *producer, std::uint64_t item)
{
    auto *own = static_cast<Producer *>(producer);
    return own->queue.try_enqueue(own->token, item);
}

BENCH_INLINE bool
pop(void *consumer, std::uint64_t *item)
{
    auto *own = static_cast<Consumer *>(consumer);
    return own->queue.try_dequeue(own->token, *item);
}

// All or none.
BENCH_INLINE std::uint32_t
push_n(void *producer, const std::uint64_t *items, std::uint32_t count)
{
    auto *own = static_cast<Producer *>(producer);
    return own->queue.try_enqueue_bulk(own->token, items, count) ? count : 0;
}

BENCH_INLINE std::uint32_t
pop_n(void *consumer, std::uint64_t *items, std::uint32_t count)
{
    auto *own = static_cast<Consumer *>(consumer);
    return static_cast<std::uint32_t>(own->queue.try_dequeue_bulk(own->token, items, count));
}

BENCH_INLINE bool
both_push(void *both, std::uint64_t item)
{
    return push(&static_cast<Both *>(both)->producer, item);
}

BENCH_INLINE bool
both_pop(void *both, std::uint64_t *item)
{
    return pop(&static_cast<Both *>(both)->consumer, item);
}

// ---- loops --------------------------------------------------------------------------------------

void *
create(const bench_ring_shape *shape)
{
    return new Ring(*shape);
}

void
destroy(void *ring)
{
    delete static_cast<Ring *>(ring);
}

void
solo(bench_ring_side *side)
{
    Both both(side->ring);
    bench_ring_solo_loop(side, &both, both_push, both_pop);
}

void
produce(bench_ring_side *side)
{
    Producer producer(side->ring);
    bench_ring_produce(side, &producer, push);
}

void
consume(bench_ring_side *side)
{
    Consumer consumer(side->ring);
    bench_ring_consume(side, &consumer, pop);
}

void
produce_batch(bench_ring_side *side)
{
    Producer producer(side->ring);
    bench_ring_produce_batch_loop(side, &producer, push_n);
}

void
consume_batch(bench_ring_side *side)
{
    Consumer consumer(side->ring);
    bench_ring_consume_batch_loop(side, &consumer, pop_n);
}

} // namespace

// Locked: a push has none; a pop adds to two counters. A block is 336 bytes for 32 items.
extern const bench_ring_kind bench_rings_moodycamel[] = {
    {{"moodycamel ConcurrentQueue", BENCH_RING_MANY | BENCH_RING_BATCHED, BENCH_RING_SLOTS, 10.5, 2,
      2.0 / BENCH_RING_BATCH, "in order of each producer only; blocks belong to producers"},
     create,
     destroy,
     solo,
     produce,
     consume,
     produce_batch,
     consume_batch},
    ring_end,
};
