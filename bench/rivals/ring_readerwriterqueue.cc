// ring_readerwriterqueue.cc - Cameron Desrochers' queue for one producer and one consumer, by the
// call that does not allocate.
#include <cstdint>
#include <readerwriterqueue/readerwriterqueue.h>

#include "bench/rivals/ring.hh"

namespace
{

// One block, of which one slot stays free.
constexpr std::uint32_t items = BENCH_RING_SLOTS - 1;

class Ring
{
  public:
    explicit Ring(const bench_ring_shape & /*shape*/) : queue_(items) {}

    bool push(std::uint64_t item)
    {
        return queue_.try_enqueue(item);
    }

    bool pop(std::uint64_t &item)
    {
        return queue_.try_dequeue(item);
    }

  private:
    moodycamel::ReaderWriterQueue<std::uint64_t> queue_;
};

} // namespace

extern const bench_ring_kind bench_rings_readerwriterqueue[] = {
    RingCalls<Ring>::kind(
        {"moodycamel ReaderWriterQueue", BENCH_RING_SPSC, items, 8, 0, 0, "holds 1023"}),
    ring_end,
};
