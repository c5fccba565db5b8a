// ring_tbb.cc - oneTBB's bounded queue, by the calls that do not wait.
#include <cstdint>
#include <tbb/concurrent_queue.h>

#include "bench/rivals/ring.hh"

namespace
{

class Ring
{
  public:
    explicit Ring(const bench_ring_shape & /*shape*/)
    {
        queue_.set_capacity(BENCH_RING_SLOTS);
    }

    bool push(std::uint64_t item)
    {
        return queue_.try_push(item);
    }

    bool pop(std::uint64_t &item)
    {
        return queue_.try_pop(item);
    }

  private:
    tbb::concurrent_bounded_queue<std::uint64_t> queue_;
};

} // namespace

// Locked: a push swaps the ticket, adds to its part's counter, and has a fence before it looks for
// sleepers; a pop swaps the ticket and has the fence. Pages of 32 items are allocated and freed as
// the queue moves on, each under a spin lock.
constexpr double locked = 5 + 2.0 / 32;

extern const bench_ring_kind bench_rings_tbb[] = {
    RingCalls<Ring>::kind({"oneTBB concurrent_bounded_queue", BENCH_RING_MANY | BENCH_RING_BATCHED,
                           BENCH_RING_SLOTS, 8.5, locked, locked,
                           "no batches; looks for sleepers after each call"}),
    ring_end,
};
