// ring_moodycamel.cc - Cameron Desrochers' ConcurrentQueue, with tokens.
//
// Inside it is one queue for each producer, of blocks that stay with the one that took them: if one
// could take all of them, the others could never push again. So each has its part of the capacity,
// which is a constant of the type.
#include <concurrentqueue/concurrentqueue.h>
#include <cstdint>

#include "bench/rivals/ring.hh"

namespace
{

template <unsigned Producers> struct Traits : moodycamel::ConcurrentQueueDefaultTraits {
    static const std::size_t MAX_SUBQUEUE_SIZE = BENCH_RING_SLOTS / Producers;
    // Blocks that a producer can have without allocating: those, and one that is half used.
    static const std::size_t EXPLICIT_INITIAL_INDEX_SIZE = 64;
};

template <unsigned Producers>
using Queue = moodycamel::ConcurrentQueue<std::uint64_t, Traits<Producers>>;

struct Ring {
    explicit Ring(unsigned count) : producers(count) {}
    virtual ~Ring() = default;

    unsigned producers;
};

template <unsigned Producers> struct RingOf : Ring {
    RingOf() : Ring(Producers), queue(2 * BENCH_RING_SLOTS, Producers, 0) {}

    Queue<Producers> queue;
};

// What a thread has of it: the tokens are its own, and so are their lines.
template <unsigned Producers> struct Producer {
    explicit Producer(Queue<Producers> &of) : queue(of), token(of) {}

    BENCH_INLINE bool push(void *producer, std::uint64_t item)
    {
        auto *own = static_cast<Producer *>(producer);
        return own->queue.try_enqueue(own->token, item);
    }

    // All or none.
    BENCH_INLINE std::uint32_t push_n(void *producer, const std::uint64_t *items,
                                      std::uint32_t count)
    {
        auto *own = static_cast<Producer *>(producer);
        return own->queue.try_enqueue_bulk(own->token, items, count) ? count : 0;
    }

    Queue<Producers> &queue;
    moodycamel::ProducerToken token;
};

template <unsigned Producers> struct Consumer {
    explicit Consumer(Queue<Producers> &of) : queue(of), token(of) {}

    BENCH_INLINE bool pop(void *consumer, std::uint64_t *item)
    {
        auto *own = static_cast<Consumer *>(consumer);
        return own->queue.try_dequeue(own->token, *item);
    }

    BENCH_INLINE std::uint32_t pop_n(void *consumer, std::uint64_t *items, std::uint32_t count)
    {
        auto *own = static_cast<Consumer *>(consumer);
        return static_cast<std::uint32_t>(own->queue.try_dequeue_bulk(own->token, items, count));
    }

    Queue<Producers> &queue;
    moodycamel::ConsumerToken token;
};

template <unsigned Producers> struct Both {
    explicit Both(Queue<Producers> &of) : producer(of), consumer(of) {}

    BENCH_INLINE bool push(void *both, std::uint64_t item)
    {
        return Producer<Producers>::push(&static_cast<Both *>(both)->producer, item);
    }

    BENCH_INLINE bool pop(void *both, std::uint64_t *item)
    {
        return Consumer<Producers>::pop(&static_cast<Both *>(both)->consumer, item);
    }

    Producer<Producers> producer;
    Consumer<Producers> consumer;
};

// ---- loops --------------------------------------------------------------------------------------

template <unsigned Producers> struct Loops {
    static Queue<Producers> &queue(bench_ring_side *side)
    {
        return static_cast<RingOf<Producers> *>(static_cast<Ring *>(side->ring))->queue;
    }

    static void solo(bench_ring_side *side)
    {
        Both<Producers> both(queue(side));
        bench_ring_solo_loop(side, &both, both.push, both.pop);
    }

    static void produce(bench_ring_side *side)
    {
        Producer<Producers> own(queue(side));
        bench_ring_produce(side, &own, own.push);
    }

    static void consume(bench_ring_side *side)
    {
        Consumer<Producers> own(queue(side));
        bench_ring_consume(side, &own, own.pop);
    }

    static void produce_batch(bench_ring_side *side)
    {
        Producer<Producers> own(queue(side));
        bench_ring_produce_batch_loop(side, &own, own.push_n);
    }

    static void consume_batch(bench_ring_side *side)
    {
        Consumer<Producers> own(queue(side));
        bench_ring_consume_batch_loop(side, &own, own.pop_n);
    }
};

void *
create(const bench_ring_shape *shape)
{
    Ring *made = nullptr;
    if (shape->producers == 1) {
        made = new RingOf<1>;
    } else if (shape->producers == 2) {
        made = new RingOf<2>;
    } else if (shape->producers == 4) {
        made = new RingOf<4>;
    }
    return made;
}

void
destroy(void *ring)
{
    delete static_cast<Ring *>(ring);
}

// Chosen once for a whole loop.
#define LOOP(name)                                                                                 \
    void name(bench_ring_side *side)                                                               \
    {                                                                                              \
        unsigned producers = static_cast<Ring *>(side->ring)->producers;                           \
        producers == 1   ? Loops<1>::name(side)                                                    \
        : producers == 2 ? Loops<2>::name(side)                                                    \
                         : Loops<4>::name(side);                                                   \
    }

LOOP(solo)
LOOP(produce)
LOOP(consume)
LOOP(produce_batch)
LOOP(consume_batch)

} // namespace

// Locked: a push has none; a pop adds to two counters. A block is 336 bytes for 32 items.
extern const bench_ring_kind bench_rings_moodycamel[] = {
    {{"moodycamel ConcurrentQueue", BENCH_RING_MANY | BENCH_RING_BATCHED, BENCH_RING_SLOTS, 10.5, 2,
      2.0 / BENCH_RING_BATCH, "in order of each producer only; each has its part of the capacity"},
     create,
     destroy,
     solo,
     produce,
     consume,
     produce_batch,
     consume_batch},
    ring_end,
};
