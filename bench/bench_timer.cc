// bench_timer.cc - the timing wheel: registration only. Beside the timers of other libraries it is
// measured by tools/bench rivals timer.
#include <string>

#include "bench/bench.hh"
#include "bench/kernels/timer.h"

namespace
{

constexpr double ns_per_s = 1e9;

struct Size {
    const char *name;
    std::uint32_t count;
};

constexpr Size sizes[] = {{"100k", 100'000}, {"1m", 1'000'000}, {"10m", 10'000'000}};

class Plan
{
  public:
    explicit Plan(std::uint32_t count) : plan(bench_timer_plan_create(count)) {}
    ~Plan()
    {
        bench_timer_plan_destroy(plan);
    }
    Plan(const Plan &) = delete;
    Plan &operator=(const Plan &) = delete;

    bench_timer_plan *const plan;
};

void
timers(benchmark::State &state, std::uint32_t count, bench_timer_use use)
{
    Plan plan(count);
    bench_timer_run run = {};
    for (auto _ : state) {
        run = bench_timer_measure(&bench_timers_leat[0], plan.plan, use);
        state.SetIterationTime(static_cast<double>(run.elapsed_ns) / ns_per_s);
        if (run.wrong != 0) {
            state.SkipWithError("timers did not fire, or at another tick");
            break;
        }
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(count));
    if (use == BENCH_TIMER_ARM) {
        state.counters["bytes_per_timer"] = static_cast<double>(run.bytes_own) / count;
    }
    if (use == BENCH_TIMER_REMOTE_ARM || use == BENCH_TIMER_REMOTE_CANCEL) {
        state.counters["call_ns"] = static_cast<double>(run.call_ns) / count;
    }
}

void
row(const std::string &name, const Size &size, bench_timer_use use)
{
    auto *made = benchmark::RegisterBenchmark(
        (name + "/" + size.name).c_str(),
        [=](benchmark::State &state) { timers(state, size.count, use); });
    made->UseManualTime()->Unit(benchmark::kMillisecond);
}

bool
register_rows()
{
    for (const Size &size : sizes) {
        row("BM_wheel_arm", size, BENCH_TIMER_ARM);
        row("BM_wheel_cancel", size, BENCH_TIMER_CANCEL);
        row("BM_wheel_fire", size, BENCH_TIMER_FIRE);
    }
    row("BM_wheel_rearm", sizes[1], BENCH_TIMER_REARM);
    row("BM_wheel_net_timeout", sizes[1], BENCH_TIMER_NET);
    row("BM_wheel_remote_arm", sizes[1], BENCH_TIMER_REMOTE_ARM);
    row("BM_wheel_remote_cancel", sizes[1], BENCH_TIMER_REMOTE_CANCEL);
    return true;
}

const bool registered = register_rows();

} // namespace
