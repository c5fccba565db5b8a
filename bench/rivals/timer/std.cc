// std.cc - timers in the containers of the standard library: a red-black tree, and a binary heap,
// which cannot cancel.
#include <cstdint>
#include <map>
#include <queue>
#include <utility>
#include <vector>

#include "bench/kernels/timer.h"

extern "C" {
extern const bench_timer_kind bench_timers_std[];
}

namespace
{

class Tree
{
  public:
    explicit Tree(const bench_timer_plan &asked) : plan(asked), places(asked.count) {}

    void arm()
    {
        for (std::uint32_t i = 0; i < plan.count; i++) {
            places[i] = timers.emplace(plan.deadlines[i], i);
        }
    }

    void cancel()
    {
        for (std::uint32_t i = 0; i < plan.count; i++) {
            timers.erase(places[plan.order[i]]);
        }
    }

    void rearm()
    {
        for (std::uint32_t i = 0; i < plan.count; i++) {
            std::uint32_t index = plan.order[i];
            auto node = timers.extract(places[index]);
            node.key() = plan.moved[index];
            places[index] = timers.insert(std::move(node));
        }
    }

    std::uint32_t fire()
    {
        std::uint32_t fired = 0;
        for (std::uint32_t tick = 1; tick <= BENCH_TIMER_TICKS; tick++) {
            while (!timers.empty() && timers.begin()->first <= tick) {
                if (plan.deadlines[timers.begin()->second] == tick) {
                    fired++;
                }
                timers.erase(timers.begin());
            }
        }
        return fired;
    }

  private:
    using Timers = std::multimap<std::uint32_t, std::uint32_t>;

    const bench_timer_plan &plan;
    Timers timers;
    std::vector<Timers::iterator> places;
};

class Heap
{
  public:
    explicit Heap(const bench_timer_plan &asked) : plan(asked) {}

    void arm()
    {
        for (std::uint32_t i = 0; i < plan.count; i++) {
            timers.emplace(plan.deadlines[i], i);
        }
    }

    void cancel() {}

    void rearm() {}

    std::uint32_t fire()
    {
        std::uint32_t fired = 0;
        for (std::uint32_t tick = 1; tick <= BENCH_TIMER_TICKS; tick++) {
            while (!timers.empty() && timers.top().first <= tick) {
                if (plan.deadlines[timers.top().second] == tick) {
                    fired++;
                }
                timers.pop();
            }
        }
        return fired;
    }

  private:
    using Timer = std::pair<std::uint32_t, std::uint32_t>;

    const bench_timer_plan &plan;
    std::priority_queue<Timer, std::vector<Timer>, std::greater<Timer>> timers;
};

template <class Timers>
constexpr bench_timer_kind
kind(const bench_timer_facts &facts)
{
    return {facts,
            [](const bench_timer_plan *plan) -> void * { return new Timers(*plan); },
            [](void *timers) { delete static_cast<Timers *>(timers); },
            [](void *timers) { static_cast<Timers *>(timers)->arm(); },
            [](void *timers) { static_cast<Timers *>(timers)->cancel(); },
            [](void *timers) { static_cast<Timers *>(timers)->rearm(); },
            [](void *timers) { return static_cast<Timers *>(timers)->fire(); },
            nullptr};
}

constexpr unsigned all =
    BENCH_TIMER_ARM | BENCH_TIMER_CANCEL | BENCH_TIMER_FIRE | BENCH_TIMER_REARM;

} // namespace

const bench_timer_kind bench_timers_std[] = {
    kind<Tree>({"std::multimap", all, ""}),
    kind<Heap>({"std::priority_queue", BENCH_TIMER_ARM | BENCH_TIMER_FIRE, "cannot cancel"}),
    {}};
