// sched_tbb.cc - oneTBB's arenas, by enqueue(). Its three priorities are those of arenas, which
// share the workers.
#include <tbb/global_control.h>
#include <tbb/task_arena.h>

#include "bench/rivals/sched.h"

namespace
{

class Arenas
{
  public:
    explicit Arenas(const bench_sched_config &config)
        // The thread that posts counts as one, whether it works or not.
        : limit_(tbb::global_control::max_allowed_parallelism, config.workers + 1),
          high_(static_cast<int>(config.workers), 0, tbb::task_arena::priority::high),
          normal_(static_cast<int>(config.workers), 0, tbb::task_arena::priority::normal),
          low_(static_cast<int>(config.workers), 0, tbb::task_arena::priority::low)
    {
    }

    tbb::task_arena &of(std::uint32_t level)
    {
        if (level < BENCH_SCHED_NORMAL) {
            return high_;
        }
        return level < BENCH_SCHED_LOW ? normal_ : low_;
    }

  private:
    tbb::global_control limit_;
    tbb::task_arena high_;
    tbb::task_arena normal_;
    tbb::task_arena low_;
};

void *
open(const bench_sched_config *config)
{
    return new Arenas(*config);
}

bool
post(void *port, std::uint32_t level, bench_sched_item *item)
{
    static_cast<Arenas *>(port)->of(level).enqueue([item] { bench_sched_job(item); });
    return true;
}

constexpr std::uint8_t levels[] = {BENCH_SCHED_CRITICAL, BENCH_SCHED_NORMAL, BENCH_SCHED_LOW};

} // namespace

extern "C" {
extern const bench_sched_kind bench_pools_tbb[];
const bench_sched_kind bench_pools_tbb[] = {
    {"oneTBB task_arena", BENCH_SCHED_TASKS | BENCH_SCHED_LEVELS,
     "enqueue(); an arena for each of its three priorities", open, nullptr, post, nullptr, levels,
     sizeof(levels)},
    {},
};
}
