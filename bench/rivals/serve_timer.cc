// serve_timer.cc - the timers of serve.hh: what millions of them cost, see bench/kernels/timer.h,
// and how late a few are, see timer_due.h.
#include <memory>
// From the build: RIVAL_TIMERS(X) and RIVAL_DUES(X), which are X(NAME) for each library.
#include <rivals_list.h>

#include "bench/kernels/timer.h"
#include "bench/rivals/serve.hh"
#include "bench/rivals/timer_due.h"

#define DECLARE_TIMERS(library) extern const bench_timer_kind bench_timers_##library[];
#define DECLARE_DUES(library)   extern const bench_due_kind bench_dues_##library[];
#define LIST_TIMERS(library)    bench_timers_##library,
#define LIST_DUES(library)      bench_dues_##library,
extern "C" {
RIVAL_TIMERS(DECLARE_TIMERS)
RIVAL_DUES(DECLARE_DUES)
}

namespace
{

constexpr const char *uses[BENCH_TIMER_USES] = {
    "arm", "cancel", "fire", "rearm", "net_timeout", "remote_arm", "remote_cancel"};

using Plan = std::unique_ptr<bench_timer_plan, void (*)(bench_timer_plan *)>;

ServeCase
of_use(const bench_timer_kind *kind, bench_timer_use use)
{
    bool remote = use == BENCH_TIMER_REMOTE_ARM || use == BENCH_TIMER_REMOTE_CANCEL;
    return {uses[use], kind->name, kind->note, remote ? 2U : 1U, [=](std::uint64_t items) {
                auto count = static_cast<std::uint32_t>(items);
                Plan plan(bench_timer_plan_create(count), bench_timer_plan_destroy);
                bench_timer_run run = bench_timer_measure(kind, plan.get(), use);
                auto each = [count](std::uint64_t all) { return static_cast<double>(all) / count; };
                ServeResult result = {each(run.elapsed_ns), run.wrong, {}, {}};
                if (use == BENCH_TIMER_ARM) {
                    result.facts = {{"bytes_per_timer", each(run.bytes)},
                                    {"bytes_own", each(run.bytes_own)}};
                }
                if (remote) {
                    result.facts = {{"call_ns", each(run.call_ns)}};
                }
                return result;
            }};
}

// The steps of the wheel alone. The one sample of a run is its longest step.
ServeCase
of_steps()
{
    return {
        "steps", "leat wheel", "CPU time of the longest step", 1, [](std::uint64_t items) {
            auto count = static_cast<std::uint32_t>(items);
            Plan plan(bench_timer_plan_create(count), bench_timer_plan_destroy);
            bench_timer_steps steps = bench_timer_steps_measure(plan.get());
            auto longest = static_cast<double>(steps.cpu_ns_most);
            return ServeResult{longest, steps.wrong, {longest}, {{"nodes_most", steps.nodes_most}}};
        }};
}

ServeCase
of_due(const bench_due_kind *kind, bool busy)
{
    return {busy ? "accuracy_busy" : "accuracy_parked", kind->name, kind->note, 1,
            [=](std::uint64_t items) {
                ServeResult result;
                result.samples.resize(items);
                result.wrong = bench_due_measure(kind, busy, static_cast<std::uint32_t>(items),
                                                 result.samples.data());
                return result;
            }};
}

void
add_uses(const bench_timer_kind *kind, std::vector<ServeCase> *all)
{
    for (int use = 0; use < BENCH_TIMER_USES; use++) {
        if (kind->does[use] != nullptr) {
            all->push_back(of_use(kind, static_cast<bench_timer_use>(use)));
        }
    }
}

std::vector<ServeCase>
cases()
{
    std::vector<ServeCase> all;
    for (const bench_timer_kind *list : {bench_timers_leat, RIVAL_TIMERS(LIST_TIMERS)}) {
        for (; list->name != nullptr; list++) {
            add_uses(list, &all);
        }
    }
    all.push_back(of_steps());
    for (const bench_due_kind *list : {bench_dues_leat, RIVAL_DUES(LIST_DUES)}) {
        for (; list->name != nullptr; list++) {
            all.push_back(of_due(list, true));
            all.push_back(of_due(list, false));
        }
    }
    return all;
}

void
describe(std::ostream &out)
{
    serve_cases_describe(cases(), out);
}

bool
run(std::istream &in, std::ostream &out)
{
    return serve_cases_run(cases(), in, out);
}

} // namespace

const ServeGroup serve_timer = {"timer", describe, run};
