// ring_cds.cc - libcds: its Vyukov queue, and its ring for one producer and one consumer. Neither
// needs the library's reclamation, so its threads are not attached.
#include <cds/container/vyukov_mpmc_cycle_queue.h>
#include <cds/container/weak_ringbuffer.h>
#include <cstdint>

#include "bench/rivals/ring.hh"

namespace
{

using Buffer = cds::opt::v::uninitialized_static_buffer<std::uint64_t, BENCH_RING_SLOTS>;

class Vyukov
{
  public:
    explicit Vyukov(const bench_ring_shape & /*shape*/) {}

    bool push(std::uint64_t item)
    {
        return queue_.enqueue(item);
    }

    bool pop(std::uint64_t &item)
    {
        return queue_.dequeue(item);
    }

  private:
    struct Traits : cds::container::vyukov_queue::traits {
        using buffer = Buffer;
    };
    cds::container::VyukovMPMCCycleQueue<std::uint64_t, Traits> queue_;
};

class Weak
{
  public:
    explicit Weak(const bench_ring_shape & /*shape*/) {}

    bool push(std::uint64_t item)
    {
        return queue_.push(item);
    }

    bool pop(std::uint64_t &item)
    {
        return queue_.pop(item);
    }

  private:
    struct Traits : cds::container::weak_ringbuffer::traits {
        using buffer = Buffer;
    };
    cds::container::WeakRingBuffer<std::uint64_t, Traits> queue_;
};

} // namespace

// Locked: the swap on each of the two positions.
extern const bench_ring_kind bench_rings_cds[] = {
    RingCalls<Vyukov>::kind({"libcds VyukovMPMCCycleQueue", BENCH_RING_MANY | BENCH_RING_BATCHED,
                             BENCH_RING_SLOTS, 16, 2, 2,
                             "no batches; waits inside for a slot in another thread's hands"}),
    RingCalls<Weak>::kind(
        {"libcds WeakRingBuffer", BENCH_RING_SPSC, BENCH_RING_SLOTS, 8, 0, 0, ""}),
    ring_end,
};
