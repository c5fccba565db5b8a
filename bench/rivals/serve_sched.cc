// serve_sched.cc - runs one pool at a time, see serve.hh, each in a process of its own. A line is
//
//     ROW ITEMS NAME
#include <csignal>
#include <functional>
#include <iostream>
// From the build: RIVAL_POOLS(X) and RIVAL_CASES(X), which are X(NAME) for each library.
#include <rivals_list.h>
#include <sstream>
#include <string>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include "bench/rivals/sched.h"
#include "bench/rivals/serve.hh"

#define DECLARE_POOLS(library) extern const bench_sched_kind bench_pools_##library[];
#define DECLARE_CASES(library) extern const bench_sched_case bench_cases_##library[];
#define LIST_POOLS(library)    bench_pools_##library,
#define LIST_CASES(library)    bench_cases_##library,
extern "C" {
RIVAL_POOLS(DECLARE_POOLS)
RIVAL_CASES(DECLARE_CASES)
}

namespace
{

struct Contestant {
    const char *row;
    const char *name;
    const char *note;
    std::uint32_t threads;
    std::function<void(std::uint64_t items, bench_sched_result *result)> run;
};

Contestant
in_row(const bench_sched_kind *kind, const bench_sched_row *row)
{
    return {row->name, kind->name, kind->note, bench_sched_workers(row) + row->producers,
            [kind, row](std::uint64_t items, bench_sched_result *result) {
                bench_sched_measure(kind, row, items, result);
            }};
}

// Those of the rows of pools, and those that do a row by themselves.
std::vector<Contestant>
contestants()
{
    std::vector<const bench_sched_kind *> kinds;
    for (const bench_sched_kind *list :
         {bench_pools_leat, bench_pools_mutex, RIVAL_POOLS(LIST_POOLS)}) {
        for (; list->name != nullptr; list++) {
            kinds.push_back(list);
        }
    }
    std::vector<Contestant> all;
    for (const bench_sched_row *row = bench_sched_rows; row->name != nullptr; row++) {
        for (const bench_sched_kind *kind : kinds) {
            if ((kind->uses & row->uses) != 0) {
                all.push_back(in_row(kind, row));
            }
        }
    }
    for (const bench_sched_case *list :
         std::vector<const bench_sched_case *>{RIVAL_CASES(LIST_CASES)}) {
        for (; list->row != nullptr; list++) {
            all.push_back({list->row, list->name, list->note, list->threads, list->run});
        }
    }
    return all;
}

// In the child: measures, and answers.
void
measure(const Contestant &contestant, std::uint64_t items, std::ostream &out)
{
    bench_sched_result result = {};
    contestant.run(items, &result);
    out << "{\"ns\": " << result.ns << ", \"wrong\": " << result.wrong;
    if (result.samples_count > 0) {
        out.precision(6); // six digits of a time are more than there are
        const char *comma = ", \"samples\": [";
        for (std::size_t i = 0; i < result.samples_count; i++) {
            out << comma << result.samples[i];
            comma = ", ";
        }
        out << "]";
    }
    out << "}" << std::endl;
}

void
describe(std::ostream &out)
{
    bench_sched_calibrate();
    out << "{";
    serve_describe(out);
    out << ", \"contestants\": [";
    const char *comma = "";
    for (const Contestant &one : contestants()) {
        out << comma << "{\"row\": " << quoted(one.row) << ", \"name\": " << quoted(one.name)
            << ", \"note\": " << quoted(one.note) << ", \"threads\": " << one.threads << "}";
        comma = ", ";
    }
    out << "]}" << std::endl;
}

bool
run(std::istream &in, std::ostream &out)
{
    std::string row;
    std::string name;
    std::uint64_t items = 0;
    in >> row >> items;
    if (!std::getline(in >> std::ws, name) || items == 0) {
        return false;
    }
    for (const Contestant &one : contestants()) {
        if (row != one.row || name != one.name) {
            continue;
        }
        pid_t child = fork();
        if (child == 0) {
            // Who asks may end this process when it takes too long; then the child ends too.
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            measure(one, items, out);
            _exit(0);
        }
        int status = 0;
        return child > 0 && waitpid(child, &status, 0) == child && status == 0;
    }
    return false;
}

} // namespace

const ServeGroup serve_sched = {"sched", describe, run};
