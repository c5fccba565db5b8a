// sched_fork_main.cc - leat_forks WORKERS ROUNDS: each row by Leat and by oneTBB in turn, the
// results checked, and the median and the quartiles of the ratios of a round.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
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
        return {BENCH_FORK_BURST * 1600, BENCH_FORK_BURST * 1600, BENCH_FORK_BURST * 1600};
    }
    if (std::strcmp(row, "fib") == 0) {
        return {29, 514229, 832039};
    }
    return {6, 499999500000, 1000000}; // the sum of 0 to 999999
}

// In a process of its own, so that no thread of another pool is there. The second run counts.
double
time_of(const bench_fork_kind &kind, std::size_t row, std::uint32_t workers, const Size &size)
{
    int ends[2] = {-1, -1};
    std::uint64_t elapsed_ns = 0;
    if (pipe(ends) != 0) {
        std::exit(1);
    }
    pid_t child = fork();
    if (child == 0) {
        void *pool = kind.open(workers);
        for (int i = 0; i < 2; i++) {
            if (kind.rows[row].run(pool, size.size, &elapsed_ns) != size.result) {
                std::_Exit(1);
            }
        }
        bool sent = write(ends[1], &elapsed_ns, sizeof(elapsed_ns)) == sizeof(elapsed_ns);
        std::_Exit(sent ? 0 : 1);
    }
    close(ends[1]);
    bool got = read(ends[0], &elapsed_ns, sizeof(elapsed_ns)) == sizeof(elapsed_ns);
    close(ends[0]);
    waitpid(child, nullptr, 0);
    if (!got) {
        std::cerr << "leat_forks: " << kind.name << ", " << kind.rows[row].name
                  << ": no result, or a wrong one" << std::endl;
        std::exit(1);
    }
    return static_cast<double>(elapsed_ns) / size.spawns;
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
    for (std::size_t i = 0; bench_fork_leat.rows[i].name != nullptr; i++) {
        const bench_fork_row &ours = bench_fork_leat.rows[i];
        Size size = size_of(ours.name);
        std::vector<double> leat_ns;
        std::vector<double> tbb_ns;
        std::vector<double> ratios;
        for (int round = 0; round < rounds; round++) {
            leat_ns.push_back(time_of(bench_fork_leat, i, workers, size));
            tbb_ns.push_back(time_of(bench_fork_tbb, i, workers, size));
            ratios.push_back(leat_ns.back() / tbb_ns.back());
        }
        std::cout << ours.name << " workers=" << workers << " rounds=" << rounds
                  << " leat_ns=" << quantile(leat_ns, 0.5) << " tbb_ns=" << quantile(tbb_ns, 0.5)
                  << " ratio=" << quantile(ratios, 0.5) << " [" << quantile(ratios, 0.25) << ", "
                  << quantile(ratios, 0.75) << "]" << std::endl;
    }
    return 0;
}
