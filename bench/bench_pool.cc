// bench_pool.cc - no-op tasks and jobs from one outside thread: registration only.
#include "bench/bench.hh"
#include "bench/kernels/pool.h"

namespace
{

constexpr std::uint64_t burst_count = 100000; // per iteration
constexpr double ns_per_s = 1e9;
constexpr std::int64_t retained_default = 10000; // of retained_max

double
per_item(std::uint64_t after, std::uint64_t before, double items)
{
    return static_cast<double>(after - before) / items;
}

void
noop(benchmark::State &state, bench_pool_kind kind, std::uint32_t retained_max)
{
    bench_pool_config config = {kind, static_cast<std::uint32_t>(state.range(0)), retained_max};
    bench_pool *pool = bench_pool_open(&config);
    bench_pool_burst(pool, burst_count);
    bench_pool_counts before = bench_pool_counts_read(pool);
    for (auto _ : state) {
        std::uint64_t elapsed_ns = bench_pool_burst(pool, burst_count);
        state.SetIterationTime(static_cast<double>(elapsed_ns) / ns_per_s);
    }
    bench_pool_counts after = bench_pool_counts_read(pool);
    double items = static_cast<double>(state.iterations()) * static_cast<double>(burst_count);
    state.SetItemsProcessed(static_cast<std::int64_t>(items));
    state.counters["full"] = per_item(after.full, before.full, items);
    state.counters["parks"] = per_item(after.parks, before.parks, items);
    state.counters["wakes"] = per_item(after.wakes, before.wakes, items);
    label_crowd(state, config.workers);
    bench_pool_close(pool);
}

// The call alone; what follows on the worker's side stands beside it.
void
calls(benchmark::State &state, bench_pool_kind kind, std::uint32_t retained_max)
{
    bench_pool_config config = {kind, 0, retained_max};
    bench_pool *pool = bench_pool_open(&config);
    // Until every record has been used.
    for (int i = 0; i < 8; i++) {
        bench_pool_calls_time(pool, BENCH_POOL_CALLS_MAX);
    }
    double run_ns = 0;
    for (auto _ : state) {
        bench_pool_calls one = bench_pool_calls_time(pool, BENCH_POOL_CALLS_MAX);
        state.SetIterationTime(static_cast<double>(one.post_ns) / ns_per_s);
        run_ns += static_cast<double>(one.run_ns);
    }
    double items = static_cast<double>(state.iterations()) * BENCH_POOL_CALLS_MAX;
    state.SetItemsProcessed(static_cast<std::int64_t>(items));
    state.counters["run_ns"] = run_ns / items;
    bench_pool_close(pool);
}

void
BM_post_noop(benchmark::State &state)
{
    noop(state, BENCH_POOL_TASKS, 0);
}

void
BM_submit_noop(benchmark::State &state)
{
    noop(state, BENCH_POOL_JOBS, static_cast<std::uint32_t>(state.range(1)));
}

void
BM_mutex_pool(benchmark::State &state)
{
    noop(state, BENCH_POOL_MUTEX, 0);
}

void
BM_post_call(benchmark::State &state)
{
    calls(state, BENCH_POOL_TASKS, 0);
}

void
BM_submit_call(benchmark::State &state)
{
    calls(state, BENCH_POOL_JOBS, static_cast<std::uint32_t>(state.range(0)));
}

BENCHMARK(BM_post_noop)->Arg(1)->Arg(2)->UseManualTime();
BENCHMARK(BM_mutex_pool)->Arg(1)->Arg(2)->UseManualTime();
BENCHMARK(BM_submit_noop)->ArgsProduct({{1, 2}, {0, retained_default}})->UseManualTime();
BENCHMARK(BM_post_call)->UseManualTime();
BENCHMARK(BM_submit_call)->Arg(0)->Arg(retained_default)->UseManualTime();

} // namespace
