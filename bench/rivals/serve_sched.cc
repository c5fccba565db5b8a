// serve_sched.cc - the pools of serve.hh: rows in which no-ops are posted, see sched.h, and rows of
// fork and join, see sched_fork.h.
#include <iostream>
// From the build: RIVAL_POOLS(X) and RIVAL_FORKS(X), which are X(NAME) for each library.
#include <rivals_list.h>

#include "bench/rivals/sched.h"
#include "bench/rivals/sched_fork.h"
#include "bench/rivals/serve.hh"

#define DECLARE_POOLS(library) extern const bench_sched_kind bench_pools_##library[];
#define DECLARE_FORKS(library) extern const bench_fork_case bench_forks_##library[];
#define LIST_POOLS(library)    bench_pools_##library,
#define LIST_FORKS(library)    bench_forks_##library,
extern "C" {
RIVAL_POOLS(DECLARE_POOLS)
RIVAL_FORKS(DECLARE_FORKS)
}

namespace
{

// Of fork and join.
constexpr std::uint32_t fork_workers[] = {1, 2};

ServeResult
result_of(const bench_sched_result &result)
{
    return {result.ns, result.wrong, {result.samples, result.samples + result.samples_count}, {}};
}

ServeCase
of_pool(const bench_sched_kind *kind, const bench_sched_row *row)
{
    return {row->name, kind->name, kind->note, bench_sched_workers(row) + row->producers,
            [kind, row](std::uint64_t items) {
                bench_sched_result result = {};
                bench_sched_measure(kind, row, items, &result);
                return result_of(result);
            }};
}

ServeCase
of_fork(const bench_fork_case *fork, std::uint32_t workers)
{
    std::string row = bench_fork_name(fork->row);
    return {row + "_" + std::to_string(workers) + "w", fork->name, fork->note, workers,
            [fork, workers](std::uint64_t items) {
                bench_sched_result result = {};
                bench_fork_measure(fork, workers, items, &result);
                return result_of(result);
            }};
}

std::vector<ServeCase>
cases()
{
    std::vector<const bench_sched_kind *> kinds;
    for (const bench_sched_kind *list :
         {bench_pools_leat, bench_pools_mutex, bench_pools_floor, RIVAL_POOLS(LIST_POOLS)}) {
        for (; list->name != nullptr; list++) {
            kinds.push_back(list);
        }
    }
    std::vector<ServeCase> all;
    for (const bench_sched_row *row = bench_sched_rows; row->name != nullptr; row++) {
        for (const bench_sched_kind *kind : kinds) {
            if ((kind->uses & row->uses) != 0) {
                all.push_back(of_pool(kind, row));
            }
        }
    }
    for (const bench_fork_case *list :
         {bench_forks_leat, bench_forks_mutex, RIVAL_FORKS(LIST_FORKS)}) {
        for (; list->name != nullptr; list++) {
            for (std::uint32_t workers : fork_workers) {
                all.push_back(of_fork(list, workers));
            }
        }
    }
    return all;
}

void
describe(std::ostream &out)
{
    bench_sched_calibrate();
    serve_cases_describe(cases(), out);
}

bool
run(std::istream &in, std::ostream &out)
{
    return serve_cases_run(cases(), in, out);
}

} // namespace

const ServeGroup serve_sched = {"sched", describe, run};
