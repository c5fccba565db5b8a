// ring_boost.cc - boost::lockfree: the queue with its nodes in an array, and the ring for one
// producer and one consumer.
#include <boost/lockfree/queue.hpp>
#include <boost/lockfree/spsc_queue.hpp>
#include <cstdint>

#include "bench/rivals/ring.hh"

namespace
{

using boost::lockfree::capacity;

class Queue
{
  public:
    explicit Queue(const bench_ring_shape & /*shape*/) {}

    bool push(std::uint64_t item)
    {
        return queue_.bounded_push(item);
    }

    bool pop(std::uint64_t &item)
    {
        return queue_.pop(item);
    }

  private:
    boost::lockfree::queue<std::uint64_t, capacity<BENCH_RING_SLOTS>> queue_;
};

class Spsc
{
  public:
    explicit Spsc(const bench_ring_shape & /*shape*/) {}

    bool push(std::uint64_t item)
    {
        return queue_.push(item);
    }

    bool pop(std::uint64_t &item)
    {
        return queue_.pop(item);
    }

  private:
    boost::lockfree::spsc_queue<std::uint64_t, capacity<BENCH_RING_SLOTS>> queue_;
};

} // namespace

// Locked: a push takes a node from the free list, links it and swings the tail; a pop swings the
// head and gives the node back. A node fills a line.
extern const bench_ring_kind bench_rings_boost[] = {
    RingCalls<Queue>::kind({"boost::lockfree::queue", BENCH_RING_MANY | BENCH_RING_BATCHED,
                            BENCH_RING_SLOTS, 64, 5, 5, "no batches"}),
    RingCalls<Spsc>::kind(
        {"boost::lockfree::spsc_queue", BENCH_RING_SPSC, BENCH_RING_SLOTS, 8, 0, 0, ""}),
    ring_end,
};
