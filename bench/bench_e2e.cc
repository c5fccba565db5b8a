// bench_e2e.cc - from submit to start, open loop: registration only. The time of a row is its p50.
#include "bench/bench.hh"
#include "bench/kernels/latency.h"

namespace
{

constexpr double ns_per_s = 1e9;
constexpr std::uint64_t ns_per_us = 1000;
constexpr std::uint64_t samples_min = 100;

// Busy: the next item comes before a worker that spins goes to sleep. Idle: long after.
constexpr std::int64_t busy_us = 5;
constexpr std::int64_t idle_us = 250;

void
latency(benchmark::State &state, bench_pool_kind kind)
{
    bench_pool_config config = {kind, static_cast<std::uint32_t>(state.range(0)), UINT32_MAX};
    std::uint64_t period_ns = static_cast<std::uint64_t>(state.range(1)) * ns_per_us;
    double wanted = open_loop_seconds() * ns_per_s / static_cast<double>(period_ns);
    std::uint64_t count = wanted < samples_min ? samples_min : static_cast<std::uint64_t>(wanted);
    bench_pool *pool = bench_pool_open(&config);
    bench_latency_run(pool, samples_min, period_ns);
    bench_pool_counts before = bench_pool_counts_read(pool);
    bench_latency found = {};
    for (auto _ : state) {
        found = bench_latency_run(pool, count, period_ns);
        state.SetIterationTime(static_cast<double>(found.start_ns.p50) / ns_per_s);
    }
    bench_pool_counts after = bench_pool_counts_read(pool);
    state.counters["p50_ns"] = static_cast<double>(found.start_ns.p50);
    state.counters["p90_ns"] = static_cast<double>(found.start_ns.p90);
    state.counters["p99_ns"] = static_cast<double>(found.start_ns.p99);
    // Fewer samples than this have no such percentile, only a maximum.
    if (count >= 1000) {
        state.counters["p999_ns"] = static_cast<double>(found.start_ns.p999);
    }
    if (count >= 10000) {
        state.counters["p9999_ns"] = static_cast<double>(found.start_ns.p9999);
    }
    state.counters["sender_late_p99_ns"] = static_cast<double>(found.late_ns.p99);
    double items = static_cast<double>(count);
    state.counters["parks"] = static_cast<double>(after.parks - before.parks) / items;
    state.counters["wakes"] = static_cast<double>(after.wakes - before.wakes) / items;
    label_crowd(state, config.workers);
    bench_pool_close(pool);
}

void
BM_latency_busy(benchmark::State &state)
{
    latency(state, BENCH_POOL_JOBS);
}

void
BM_latency_idle(benchmark::State &state)
{
    latency(state, BENCH_POOL_JOBS);
}

void
BM_mutex_latency_busy(benchmark::State &state)
{
    latency(state, BENCH_POOL_MUTEX);
}

void
BM_mutex_latency_idle(benchmark::State &state)
{
    latency(state, BENCH_POOL_MUTEX);
}

// One iteration is one run of fixed length.
BENCHMARK(BM_latency_busy)->ArgsProduct({{1, 2}, {busy_us}})->Iterations(1)->UseManualTime();
BENCHMARK(BM_mutex_latency_busy)->ArgsProduct({{1, 2}, {busy_us}})->Iterations(1)->UseManualTime();
BENCHMARK(BM_latency_idle)->ArgsProduct({{1, 2}, {idle_us}})->Iterations(1)->UseManualTime();
BENCHMARK(BM_mutex_latency_idle)->ArgsProduct({{1, 2}, {idle_us}})->Iterations(1)->UseManualTime();

} // namespace
