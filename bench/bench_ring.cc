// bench_ring.cc - rings and the slab: registration only. Each of Leat's rings, and the mutex, has a
// row BM_ring_…/NAME; beside the rings of other libraries they are measured by tools/bench rivals.
#include <algorithm>
#include <string>

#include "bench/bench.hh"
#include "bench/kernels/ring.h"
#include "bench/kernels/slab.h"

namespace
{

constexpr std::uint64_t slab_count = 1000; // per iteration
// Per iteration: long against the start, when threads see each other.
constexpr std::uint64_t ring_count = 200 * BENCH_RING_ITEMS_UNIT;
constexpr double ns_per_s = 1e9;

void
ring(benchmark::State &state, const bench_ring_kind *kind, const bench_ring_shape &shape)
{
    bench_ring_run total = {};
    for (auto _ : state) {
        bench_ring_run run = bench_ring_measure(kind, &shape);
        state.SetIterationTime(static_cast<double>(run.elapsed_ns) / ns_per_s);
        total.full += run.full;
        total.empty += run.empty;
        total.wrong += run.wrong;
    }
    double items = static_cast<double>(state.iterations()) * static_cast<double>(shape.items);
    state.SetItemsProcessed(static_cast<std::int64_t>(items));
    if (shape.consumers != 0) {
        state.counters["full"] = static_cast<double>(total.full) / items;
        state.counters["empty"] = static_cast<double>(total.empty) / items;
    }
    if (total.wrong != 0) {
        state.SkipWithError("items were lost or out of order");
    }
    label_crowd(state, shape.producers + shape.consumers - 1);
}

void
register_row(const char *row, const bench_ring_kind *kind, const bench_ring_shape &shape)
{
    std::string name = std::string(row) + "/" + kind->facts.name;
    std::replace(name.begin(), name.end(), ' ', '_');
    auto *made = benchmark::RegisterBenchmark(
        name.c_str(), [=](benchmark::State &state) { ring(state, kind, shape); });
    made->UseManualTime();
}

bool
register_rings(const bench_ring_kind *kinds)
{
    const bench_ring_shape solo = {1, 0, false, false, BENCH_RING_PAUSES, ring_count};
    const bench_ring_shape pair = {1, 1, false, false, BENCH_RING_PAUSES, ring_count};
    const bench_ring_shape batch = {1, 1, true, false, BENCH_RING_PAUSES, ring_count};
    for (const bench_ring_kind *kind = kinds; kind->facts.name != nullptr; kind++) {
        if ((kind->facts.uses & (BENCH_RING_MANY | BENCH_RING_SPSC)) != 0) {
            register_row("BM_ring_solo", kind, solo);
            register_row("BM_ring_1p1c", kind, pair);
        }
        if ((kind->facts.uses & BENCH_RING_BATCHED) != 0) {
            register_row("BM_ring_1p1c_batch32", kind, batch);
        }
    }
    return true;
}

const bool registered = register_rings(bench_rings_leat) && register_rings(bench_rings_mutex);

void
BM_slab_solo(benchmark::State &state)
{
    bench_slab *slab = bench_slab_create();
    // Until every record has been used.
    bench_slab_solo(slab, slab_count * 32);
    for (auto _ : state) {
        if (bench_slab_solo(slab, slab_count) == 0) {
            state.SkipWithError("no record was free");
            break;
        }
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(slab_count));
    bench_slab_destroy(slab);
}

BENCHMARK(BM_slab_solo);

} // namespace
