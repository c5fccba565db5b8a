// main.cc - runs one kind of timers at a time, as tools/rivals_timer.py asks for it: that decides
// what is run, how often and in which order, and does all arithmetic.
//
// First a line that describes the machine and the kinds. Then for each line
//
//     USE COUNT NAME
//
// the result of that run. All lines out are JSON.
#include <iostream>
#include <limits>
#include <map>
#include <memory>
// From the build: RIVALS(X), which is X(NAME) for each library, and RIVALS_LEFT_OUT, a string.
#include <rivals_timer_list.h>
#include <sstream>
#include <string>
#include <vector>

#include "bench/context.hh"
#include "bench/kernels/timer.h"

#define DECLARE(library) extern const bench_timer_kind bench_timers_##library[];
#define LIST(library)    bench_timers_##library,
extern "C" {
RIVALS(DECLARE)
}

namespace
{

struct Use {
    const char *name;
    bench_timer_use use;
};

constexpr Use uses[] = {{"arm", BENCH_TIMER_ARM},
                        {"cancel", BENCH_TIMER_CANCEL},
                        {"fire", BENCH_TIMER_FIRE},
                        {"rearm", BENCH_TIMER_REARM}};

std::string
quoted(const std::string &text)
{
    std::string out = "\"";
    for (char letter : text) {
        if (letter == '"' || letter == '\\') {
            out += '\\';
        }
        out += letter;
    }
    return out + "\"";
}

std::vector<const bench_timer_kind *>
kinds()
{
    std::vector<const bench_timer_kind *> all;
    for (const bench_timer_kind *list : {bench_timers_leat, RIVALS(LIST)}) {
        for (; list->facts.name != nullptr; list++) {
            all.push_back(list);
        }
    }
    return all;
}

void
describe(std::ostream &out)
{
    out << "{\"machine\": {";
    const char *comma = "";
    for (const ContextFact &fact : context_facts()) {
        out << comma << quoted(fact.name) << ": " << quoted(fact.value);
        comma = ", ";
    }
    out << "}, \"left_out\": " << quoted(RIVALS_LEFT_OUT) << ", \"pauses\": 0, \"timers\": [";
    comma = "";
    for (const bench_timer_kind *kind : kinds()) {
        out << comma << "{\"name\": " << quoted(kind->facts.name) << ", \"uses\": [";
        const char *between = "";
        for (const Use &use : uses) {
            if ((kind->facts.uses & static_cast<unsigned>(use.use)) != 0) {
                out << between << quoted(use.name);
                between = ", ";
            }
        }
        out << "], \"note\": " << quoted(kind->facts.note) << "}";
        comma = ", ";
    }
    out << "]}" << std::endl;
}

// Plans are kept, since all kinds run the same ones.
const bench_timer_plan *
plan_of(std::uint32_t count)
{
    using Plan = std::unique_ptr<bench_timer_plan, void (*)(bench_timer_plan *)>;
    static std::map<std::uint32_t, Plan> plans;
    auto found = plans.find(count);
    if (found == plans.end()) {
        Plan made(bench_timer_plan_create(count), bench_timer_plan_destroy);
        found = plans.emplace(count, std::move(made)).first;
    }
    return found->second.get();
}

// False: the line is not understood.
bool
run(std::istream &in, std::ostream &out)
{
    std::string what;
    std::string name;
    std::uint32_t count = 0;
    in >> what >> count;
    if (!std::getline(in >> std::ws, name) || count == 0) {
        return false;
    }
    for (const bench_timer_kind *kind : kinds()) {
        for (const Use &use : uses) {
            if (name == kind->facts.name && what == use.name) {
                bench_timer_run found = bench_timer_measure(kind, plan_of(count), use.use);
                out << "{\"ns\": " << static_cast<double>(found.elapsed_ns) / count
                    << ", \"wrong\": " << found.wrong
                    << ", \"bytes\": " << static_cast<double>(found.bytes) / count << "}"
                    << std::endl;
                return true;
            }
        }
    }
    return false;
}

} // namespace

int
main()
{
    std::cout.precision(std::numeric_limits<double>::max_digits10);
    describe(std::cout);
    for (std::string line; std::getline(std::cin, line);) {
        std::istringstream words(line);
        if (!run(words, std::cout)) {
            std::cerr << "leat_rivals_timer: not understood: " << line << std::endl;
            return 2;
        }
    }
    return 0;
}
