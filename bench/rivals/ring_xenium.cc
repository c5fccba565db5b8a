// ring_xenium.cc - xenium's Vyukov queue. The weak calls: they answer at once where the slot that
// decides is in another thread's hands, as all others here do; the strong ones wait for it.
#include <cstdint>
#include <xenium/vyukov_bounded_queue.hpp>

#include "bench/rivals/ring.hh"

namespace
{

class Ring
{
  public:
    explicit Ring(const bench_ring_shape & /*shape*/) : queue_(BENCH_RING_SLOTS) {}

    bool push(std::uint64_t item)
    {
        return queue_.try_push_weak(item);
    }

    bool pop(std::uint64_t &item)
    {
        return queue_.try_pop_weak(item);
    }

  private:
    xenium::vyukov_bounded_queue<std::uint64_t> queue_;
};

} // namespace

// Locked: the swap on each of the two positions.
extern const bench_ring_kind bench_rings_xenium[] = {
    RingCalls<Ring>::kind({"xenium vyukov_bounded_queue", BENCH_RING_MANY | BENCH_RING_BATCHED,
                           BENCH_RING_SLOTS, 16, 2, 2, "no batches"}),
    ring_end,
};
