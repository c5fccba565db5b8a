// ring_atomic_queue.cc - Maxim Egorushkin's atomic_queue for items of one word, 0 being its empty
// slot. Its push() and pop() take a ticket first and then wait for the slot, in their own way and
// for as long as it takes: they stand beside, but not where threads share CPUs.
//
// Its tickets name slots, and a slot does not say whose turn it is: behind a push that is stopped
// with its ticket, a push of the next lap may fill the slot, and the pop that waits for the first
// one takes that. Nothing is lost; a consumer may see a producer's later item first.
#include <atomic_queue/atomic_queue.h>
#include <cstdint>

#include "bench/rivals/ring.hh"

namespace
{

using Many = atomic_queue::AtomicQueue<std::uint64_t, BENCH_RING_SLOTS>;
using One = atomic_queue::AtomicQueue<std::uint64_t, BENCH_RING_SLOTS, 0, true, true, false, true>;

template <class Queue> class Try
{
  public:
    explicit Try(const bench_ring_shape & /*shape*/) {}

    bool push(std::uint64_t item)
    {
        return queue_.try_push(item);
    }

    bool pop(std::uint64_t &item)
    {
        return queue_.try_pop(item);
    }

  private:
    Queue queue_;
};

class Optimist
{
  public:
    explicit Optimist(const bench_ring_shape & /*shape*/) {}

    bool push(std::uint64_t item)
    {
        queue_.push(item);
        return true;
    }

    bool pop(std::uint64_t &item)
    {
        item = queue_.pop();
        return true;
    }

  private:
    Many queue_;
};

} // namespace

// Locked: a push moves the head and swaps the slot, a pop moves the tail and exchanges the slot.
extern const bench_ring_kind bench_rings_atomic_queue[] = {
    RingCalls<Try<Many>>::kind(
        {"atomic_queue", BENCH_RING_MANY | BENCH_RING_BATCHED | BENCH_RING_DISORDERS,
         BENCH_RING_SLOTS, 8, 4, 4, "no batches; may change the order where a thread is stopped"}),
    RingCalls<Optimist>::kind(
        {"atomic_queue optimist", BENCH_RING_MANY | BENCH_RING_UNCROWDED | BENCH_RING_DISORDERS,
         BENCH_RING_SLOTS, 8, 4, 4, "waits inside, in its own way; may change the order"}),
    RingCalls<Try<One>>::kind(
        {"atomic_queue SPSC", BENCH_RING_SPSC, BENCH_RING_SLOTS, 8, 0, 0, ""}),
    ring_end,
};
