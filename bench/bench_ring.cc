// bench_ring.cc - rings and the slab: registration only.
#include "bench/bench.hh"
#include "bench/kernels/ring.h"
#include "bench/kernels/slab.h"

namespace
{

constexpr std::uint32_t slots_log2 = 10;
constexpr std::uint64_t solo_count = 1000;   // per iteration
constexpr std::uint64_t pair_count = 200000; // per iteration: long against the start of a thread
constexpr double ns_per_s = 1e9;

// Totals of all iterations, as counters per item.
class Totals
{
  public:
    void add(const bench_ring_run &run, std::uint64_t items)
    {
        items_ += items;
        full_ += run.full;
        empty_ += run.empty;
        wrong_ += run.wrong;
    }

    void report(benchmark::State &state, bool with_retries) const
    {
        double items = static_cast<double>(items_);
        state.SetItemsProcessed(static_cast<std::int64_t>(items_));
        if (with_retries) {
            state.counters["full"] = static_cast<double>(full_) / items;
            state.counters["empty"] = static_cast<double>(empty_) / items;
        }
        if (wrong_ != 0) {
            state.SkipWithError("items were lost or out of order");
        }
    }

  private:
    std::uint64_t items_ = 0;
    std::uint64_t full_ = 0;
    std::uint64_t empty_ = 0;
    std::uint64_t wrong_ = 0;
};

void
ring_solo(benchmark::State &state, bench_ring_kind kind)
{
    bench_ring *ring = bench_ring_create(kind, slots_log2);
    bench_ring_solo(ring, solo_count);
    Totals totals;
    for (auto _ : state) {
        totals.add(bench_ring_solo(ring, solo_count), solo_count);
    }
    totals.report(state, false);
    bench_ring_destroy(ring);
}

void
ring_1p1c(benchmark::State &state, bench_ring_kind kind)
{
    bench_ring *ring = bench_ring_create(kind, slots_log2);
    bench_ring_1p1c(ring, pair_count);
    Totals totals;
    for (auto _ : state) {
        bench_ring_run run = bench_ring_1p1c(ring, pair_count);
        state.SetIterationTime(static_cast<double>(run.elapsed_ns) / ns_per_s);
        totals.add(run, pair_count);
    }
    totals.report(state, true);
    label_crowd(state, 1);
    bench_ring_destroy(ring);
}

void
slab_solo(benchmark::State &state)
{
    bench_slab *slab = bench_slab_create();
    // Until every record has been used.
    bench_slab_solo(slab, solo_count * 32);
    for (auto _ : state) {
        if (bench_slab_solo(slab, solo_count) == 0) {
            state.SkipWithError("no record was free");
            break;
        }
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(solo_count));
    bench_slab_destroy(slab);
}

void
BM_ring_solo(benchmark::State &state)
{
    ring_solo(state, BENCH_RING_LEAT);
}

void
BM_ring_1p1c(benchmark::State &state)
{
    ring_1p1c(state, BENCH_RING_LEAT);
}

void
BM_mutex_ring_solo(benchmark::State &state)
{
    ring_solo(state, BENCH_RING_MUTEX);
}

void
BM_mutex_ring_1p1c(benchmark::State &state)
{
    ring_1p1c(state, BENCH_RING_MUTEX);
}

void
BM_slab_solo(benchmark::State &state)
{
    slab_solo(state);
}

BENCHMARK(BM_ring_solo);
BENCHMARK(BM_mutex_ring_solo);
BENCHMARK(BM_ring_1p1c)->UseManualTime();
BENCHMARK(BM_mutex_ring_1p1c)->UseManualTime();
BENCHMARK(BM_slab_solo);

} // namespace
