// sched_fork_main.cc - leat_forks WORKERS ROUNDS: each row by Leat and by oneTBB in turn, the
// results checked, and the median and the quartiles of the ratios of a round.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <vector>

#include "bench/rivals/sched_fork.h"

namespace
{

struct Size {
    std::uint64_t size;
    std::uint64_t result; // that is right
    double spawns;
};

Size
size_of(const char *row)
{
    if (std::strcmp(row, "spawn_local") == 0) {
        return {BENCH_FORK_BURST * 400, BENCH_FORK_BURST * 400, BENCH_FORK_BURST * 400};
    }
    if (std::strcmp(row, "fib") == 0) {
        return {25, 75025, 121392};
    }
    return {5, 4999950000, 100000}; // sum of 0 to 99999
}

double
time_of(const bench_fork_row &row, void *pool, const Size &size)
{
    auto begin = std::chrono::steady_clock::now();
    std::uint64_t result = row.run(pool, size.size);
    std::chrono::duration<double, std::nano> taken = std::chrono::steady_clock::now() - begin;
    if (result != size.result) {
        std::cerr << "leat_forks: " << row.name << ": " << result << ", not " << size.result
                  << std::endl;
        std::exit(1);
    }
    return taken.count() / size.spawns;
}

double
quantile(std::vector<double> values, double at)
{
    std::sort(values.begin(), values.end());
    return values[static_cast<std::size_t>(at * static_cast<double>(values.size() - 1))];
}

} // namespace

int
main(int count, char **arguments)
{
    std::uint32_t workers = count > 1 ? static_cast<std::uint32_t>(std::atoi(arguments[1])) : 1;
    int rounds = count > 2 ? std::atoi(arguments[2]) : 30;
    void *leat = bench_fork_leat.open(workers);
    void *tbb = bench_fork_tbb.open(workers);
    for (std::size_t i = 0; bench_fork_leat.rows[i].name != nullptr; i++) {
        const bench_fork_row &ours = bench_fork_leat.rows[i];
        Size size = size_of(ours.name);
        std::vector<double> leat_ns;
        std::vector<double> tbb_ns;
        std::vector<double> ratios;
        for (int round = -1; round < rounds; round++) {
            double one = time_of(ours, leat, size);
            double other = time_of(bench_fork_tbb.rows[i], tbb, size);
            if (round >= 0) { // the first warms up
                leat_ns.push_back(one);
                tbb_ns.push_back(other);
                ratios.push_back(one / other);
            }
        }
        std::cout << ours.name << " workers=" << workers << " rounds=" << rounds
                  << " leat_ns=" << quantile(leat_ns, 0.5) << " tbb_ns=" << quantile(tbb_ns, 0.5)
                  << " ratio=" << quantile(ratios, 0.5) << " [" << quantile(ratios, 0.25) << ", "
                  << quantile(ratios, 0.75) << "]" << std::endl;
    }
    // Neither pool is closed: the process ends.
    std::_Exit(0);
}
