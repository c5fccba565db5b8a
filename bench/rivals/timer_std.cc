// timer_std.cc - timers in containers of the standard library and of Boost: a red-black tree, and
// heaps, of which one cannot cancel, and one has handles. For other threads each is in a mutex.
#include <boost/heap/d_ary_heap.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <queue>
#include <utility>
#include <vector>

#include "bench/kernels/timer.h"

extern "C" {
extern const bench_timer_kind bench_timers_std[];
}

namespace
{

using Timer = std::pair<std::uint32_t, std::uint32_t>; // tick, index

// Nothing of a timer but tick and index; what was cancelled is found when its tick comes.
class Heap
{
  public:
    explicit Heap(const bench_timer_plan & /*plan*/) {}

    void arm(std::uint32_t index, std::uint32_t tick)
    {
        timers.emplace(tick, index);
    }

    bool due(std::uint32_t tick) const
    {
        return !timers.empty() && timers.top().first <= tick;
    }

    std::uint32_t fire()
    {
        std::uint32_t index = timers.top().second;
        timers.pop();
        return index;
    }

  private:
    std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers;
};

class Tree
{
  public:
    explicit Tree(const bench_timer_plan &plan) : places(plan.count) {}

    void arm(std::uint32_t index, std::uint32_t tick)
    {
        places[index] = timers.emplace(tick, index);
    }

    void cancel(std::uint32_t index)
    {
        timers.erase(places[index]);
    }

    void move(std::uint32_t index, std::uint32_t tick)
    {
        auto node = timers.extract(places[index]);
        node.key() = tick;
        places[index] = timers.insert(std::move(node));
    }

    bool due(std::uint32_t tick) const
    {
        return !timers.empty() && timers.begin()->first <= tick;
    }

    std::uint32_t fire()
    {
        std::uint32_t index = timers.begin()->second;
        timers.erase(timers.begin());
        return index;
    }

  private:
    using Timers = std::multimap<std::uint32_t, std::uint32_t>;

    Timers timers;
    std::vector<Timers::iterator> places;
};

class Handles
{
  public:
    explicit Handles(const bench_timer_plan &plan) : places(plan.count) {}

    void arm(std::uint32_t index, std::uint32_t tick)
    {
        places[index] = timers.push({tick, index});
    }

    void cancel(std::uint32_t index)
    {
        timers.erase(places[index]);
    }

    void move(std::uint32_t index, std::uint32_t tick)
    {
        timers.update(places[index], {tick, index});
    }

    bool due(std::uint32_t tick) const
    {
        return !timers.empty() && timers.top().first <= tick;
    }

    std::uint32_t fire()
    {
        std::uint32_t index = timers.top().second;
        timers.pop();
        return index;
    }

  private:
    using Timers =
        boost::heap::d_ary_heap<Timer, boost::heap::arity<4>, boost::heap::mutable_<true>,
                                boost::heap::compare<std::greater<>>>;

    Timers timers;
    std::vector<Timers::handle_type> places;
};

// A heap that cannot cancel, with the tick that each timer is armed for beside it.
class Lazy
{
  public:
    explicit Lazy(const bench_timer_plan &plan) : heap(plan), ticks(plan.count) {}

    void arm(std::uint32_t index, std::uint32_t tick)
    {
        heap.arm(index, tick);
        ticks[index] = tick;
    }

    void cancel(std::uint32_t index)
    {
        ticks[index] = 0;
    }

    // True if one fires at this tick, not one that was cancelled.
    bool due(std::uint32_t tick)
    {
        while (heap.due(tick)) {
            last = heap.fire();
            if (ticks[last] != 0 && ticks[last] <= tick) {
                ticks[last] = 0;
                return true;
            }
        }
        return false;
    }

    std::uint32_t fire() const
    {
        return last;
    }

  private:
    Heap heap;
    std::vector<std::uint32_t> ticks;
    std::uint32_t last = 0;
};

// What is measured, in any of them.
template <class Timers> struct Measured {
    explicit Measured(const bench_timer_plan &asked) : plan(asked), timers(asked) {}

    static void *create(const bench_timer_plan *plan, bench_timer_use /*use*/)
    {
        return new Measured(*plan);
    }

    static void destroy(void *made)
    {
        delete static_cast<Measured *>(made);
    }

    static std::uint32_t arm(void *made)
    {
        auto &[plan, timers, mutex] = *static_cast<Measured *>(made);
        for (std::uint32_t i = 0; i < plan.count; i++) {
            timers.arm(i, plan.deadlines[i]);
        }
        return plan.count;
    }

    static std::uint32_t cancel(void *made)
    {
        auto &[plan, timers, mutex] = *static_cast<Measured *>(made);
        for (std::uint32_t i = 0; i < plan.count; i++) {
            timers.cancel(plan.order[i]);
        }
        return plan.count;
    }

    static std::uint32_t rearm(void *made)
    {
        auto &[plan, timers, mutex] = *static_cast<Measured *>(made);
        for (std::uint32_t i = 0; i < plan.count; i++) {
            timers.move(plan.order[i], plan.moved[plan.order[i]]);
        }
        return plan.count;
    }

    static std::uint32_t fire(void *made)
    {
        auto &[plan, timers, mutex] = *static_cast<Measured *>(made);
        std::uint32_t fired = 0;
        for (std::uint32_t tick = 1; tick <= BENCH_TIMER_TICKS; tick++) {
            while (timers.due(tick)) {
                fired += plan.deadlines[timers.fire()] == tick ? 1U : 0U;
            }
        }
        return fired;
    }

    static std::uint32_t net(void *made)
    {
        auto &[plan, timers, mutex] = *static_cast<Measured *>(made);
        std::uint32_t done = 0;
        for (std::uint32_t i = 0; i < plan.count; i++) {
            std::uint32_t index = plan.order[i];
            if (!bench_timer_fires(i)) {
                timers.cancel(index);
                timers.arm(index, bench_timer_later(&plan, index));
                done++;
            }
        }
        return done + fire(made);
    }

    static std::uint32_t remote_arm(void *made)
    {
        auto &[plan, timers, mutex] = *static_cast<Measured *>(made);
        for (std::uint32_t i = 0; i < plan.count; i++) {
            std::lock_guard<std::mutex> lock(mutex);
            timers.arm(i, plan.deadlines[i]);
        }
        return plan.count;
    }

    static std::uint32_t remote_cancel(void *made)
    {
        auto &[plan, timers, mutex] = *static_cast<Measured *>(made);
        for (std::uint32_t i = 0; i < plan.count; i++) {
            std::lock_guard<std::mutex> lock(mutex);
            timers.cancel(plan.order[i]);
        }
        return plan.count;
    }

    const bench_timer_plan &plan;
    Timers timers;
    std::mutex mutex;
};

template <class Timers>
constexpr bench_timer_kind
whole(const char *name)
{
    using Kind = Measured<Timers>;
    return {name,
            "",
            Kind::create,
            Kind::destroy,
            {Kind::arm, Kind::cancel, Kind::fire, Kind::rearm, Kind::net, Kind::remote_arm,
             Kind::remote_cancel},
            nullptr};
}

using Plain = Measured<Heap>;
using Late = Measured<Lazy>;

} // namespace

const bench_timer_kind bench_timers_std[] = {
    whole<Tree>("std::multimap"),
    whole<Handles>("boost d_ary_heap"),
    {"std::priority_queue",
     "cannot cancel",
     Plain::create,
     Plain::destroy,
     {Plain::arm, nullptr, Plain::fire, nullptr, nullptr, Plain::remote_arm, nullptr},
     nullptr},
    {"std::priority_queue, lazy",
     "what was cancelled stays until its tick",
     Late::create,
     Late::destroy,
     {Late::arm, nullptr, nullptr, nullptr, Late::net, nullptr, nullptr},
     nullptr},
    {}};
