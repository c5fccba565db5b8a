// sched_fork_tbb.cc - oneTBB's fork and join, see sched_fork.h. The calling thread is one of its
// workers, as its interface has it.
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <tbb/partitioner.h>
#include <tbb/task_arena.h>
#include <tbb/task_group.h>

#include <array>
#include <chrono>

#include "bench/rivals/sched_fork.h"

namespace
{

struct Pool {
    tbb::global_control control;
    tbb::task_arena arena;

    explicit Pool(std::uint32_t workers)
        : control(tbb::global_control::max_allowed_parallelism, workers),
          arena(static_cast<int>(workers))
    {
    }
};

std::uint64_t
spawn_local(std::uint64_t size)
{
    std::uint64_t done = 0;
    while (done < size) {
        tbb::task_group group;
        for (std::uint32_t i = 0; i < BENCH_FORK_BURST; i++) {
            group.run([] {});
        }
        group.wait();
        done += BENCH_FORK_BURST;
    }
    return done;
}

std::uint64_t
fib(std::uint64_t n)
{
    if (n < 2) {
        return n;
    }
    std::uint64_t one = 0;
    tbb::task_group group;
    group.run([&one, n] { one = fib(n - 1); });
    std::uint64_t two = fib(n - 2);
    group.wait();
    return one + two;
}

using Results = std::array<std::uint64_t, BENCH_FORK_CHILDREN>;

std::uint64_t
sum(const Results &results)
{
    std::uint64_t all = 0;
    for (std::uint64_t result : results) {
        all += result;
    }
    return all;
}

std::uint64_t
skynet(std::uint64_t levels, std::uint64_t first)
{
    if (levels == 0) {
        return first;
    }
    std::uint64_t step = bench_fork_leaves(levels - 1);
    Results results = {};
    tbb::task_group group;
    for (std::uint32_t i = 0; i < BENCH_FORK_CHILDREN - 1; i++) {
        group.run([&results, levels, first, step, i] {
            results[i] = skynet(levels - 1, first + i * step);
        });
    }
    results.back() = skynet(levels - 1, first + (BENCH_FORK_CHILDREN - 1) * step);
    group.wait();
    return sum(results);
}

std::uint64_t
tree_for(std::uint64_t levels, std::uint64_t first)
{
    if (levels == 0) {
        return first;
    }
    std::uint64_t step = bench_fork_leaves(levels - 1);
    Results results = {};
    tbb::parallel_for(tbb::blocked_range<std::uint32_t>(0, BENCH_FORK_CHILDREN, 1),
                      [&](const tbb::blocked_range<std::uint32_t> &range) {
                          for (std::uint32_t i = range.begin(); i < range.end(); i++) {
                              results[i] = tree_for(levels - 1, first + i * step);
                          }
                      });
    return sum(results);
}

template <typename Function>
std::uint64_t
root(void *pool, std::uint64_t *elapsed_ns, Function function)
{
    std::uint64_t result = 0;
    static_cast<Pool *>(pool)->arena.execute([&] {
        auto begin = std::chrono::steady_clock::now();
        result = function();
        std::chrono::nanoseconds taken = std::chrono::steady_clock::now() - begin;
        *elapsed_ns = static_cast<std::uint64_t>(taken.count());
    });
    return result;
}

std::uint64_t
run_spawn_local(void *pool, std::uint64_t size, std::uint64_t *elapsed_ns)
{
    return root(pool, elapsed_ns, [size] { return spawn_local(size); });
}

std::uint64_t
run_fib(void *pool, std::uint64_t size, std::uint64_t *elapsed_ns)
{
    return root(pool, elapsed_ns, [size] { return fib(size); });
}

std::uint64_t
run_skynet(void *pool, std::uint64_t size, std::uint64_t *elapsed_ns)
{
    return root(pool, elapsed_ns, [size] { return skynet(size, 0); });
}

std::uint64_t
run_tree_for(void *pool, std::uint64_t size, std::uint64_t *elapsed_ns)
{
    return root(pool, elapsed_ns, [size] { return tree_for(size, 0); });
}

void *
pool_open(std::uint32_t workers)
{
    return new Pool(workers);
}

constexpr const char *group_name = "oneTBB task_group";

} // namespace

extern "C" {
extern const bench_fork_case bench_forks_tbb[];
const bench_fork_case bench_forks_tbb[] = {
    {group_name, BENCH_FORK_SPAWN_LOCAL, "", pool_open, run_spawn_local},
    {group_name, BENCH_FORK_FIB, "", pool_open, run_fib},
    {group_name, BENCH_FORK_SKYNET, "", pool_open, run_skynet},
    {"oneTBB parallel_for", BENCH_FORK_TREE_FOR, "", pool_open, run_tree_for},
    {},
};
}
