// main.cc - runs one ring at a time, as tools/rivals.py asks for it: that decides what is run, how
// often and in which order, and does all arithmetic. Here is no more than a line in and a line out.
//
// First a line that describes the machine and the rings. Then for each line
//
//     PRODUCERS CONSUMERS BATCH TIMED PAUSES ITEMS NAME
//
// the result of that run (0 consumers: a thread alone). All lines out are JSON.
#include <iostream>
#include <limits>
// From the build: RIVALS(X), which is X(NAME) for each library, and RIVALS_LEFT_OUT, a string.
#include <rivals_list.h>
#include <sstream>
#include <string>
#include <vector>

#include "bench/context.hh"
#include "bench/kernels/machine.h"
#include "bench/kernels/ring.h"

#define DECLARE(library) extern const bench_ring_kind bench_rings_##library[];
#define LIST(library)    bench_rings_##library,
extern "C" {
RIVALS(DECLARE)
}

namespace
{

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

std::vector<const bench_ring_kind *>
kinds()
{
    std::vector<const bench_ring_kind *> all;
    for (const bench_ring_kind *list : {bench_rings_leat, bench_rings_mutex, RIVALS(LIST)}) {
        for (; list->facts.name != nullptr; list++) {
            all.push_back(list);
        }
    }
    return all;
}

// ---- description --------------------------------------------------------------------------------

std::string
use_names(unsigned uses)
{
    std::string names;
    auto add = [&](unsigned use, const char *name) {
        if ((uses & use) != 0) {
            names += (names.empty() ? "" : ", ") + quoted(name);
        }
    };
    add(BENCH_RING_MANY, "many");
    add(BENCH_RING_BATCHED, "batched");
    add(BENCH_RING_SPSC, "spsc");
    add(BENCH_RING_UNCROWDED, "uncrowded");
    return "[" + names + "]";
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
    out << "}, \"left_out\": " << quoted(RIVALS_LEFT_OUT) << ", \"pauses\": " << BENCH_RING_PAUSES
        << ", \"items_unit\": " << BENCH_RING_ITEMS_UNIT << ", \"rings\": [";
    comma = "";
    for (const bench_ring_kind *kind : kinds()) {
        const bench_ring_facts &facts = kind->facts;
        out << comma << "{\"name\": " << quoted(facts.name)
            << ", \"uses\": " << use_names(facts.uses) << ", \"capacity\": " << facts.capacity
            << ", \"bytes_per_slot\": " << facts.bytes_per_slot
            << ", \"locked_single\": " << facts.locked_single
            << ", \"locked_batch\": " << facts.locked_batch << ", \"note\": " << quoted(facts.note)
            << "}";
        comma = ", ";
    }
    out << "]}" << std::endl;
}

// ---- runs ---------------------------------------------------------------------------------------

void
print(std::ostream &out, const char *name, const bench_ring_spread &spread)
{
    out << ", \"" << name << "\": {\"p50\": " << spread.p50_ns << ", \"p99\": " << spread.p99_ns
        << ", \"p999\": " << spread.p999_ns << ", \"max\": " << spread.max_ns << "}";
}

// False: the line is not understood.
bool
run(std::istream &in, std::ostream &out)
{
    bench_ring_shape shape = {};
    std::string name;
    in >> shape.producers >> shape.consumers >> shape.batch >> shape.timed >> shape.pauses >>
        shape.items;
    if (!std::getline(in >> std::ws, name)) {
        return false;
    }
    for (const bench_ring_kind *kind : kinds()) {
        if (name != kind->facts.name) {
            continue;
        }
        bench_ring_run found = bench_ring_measure(kind, &shape);
        out << "{\"ns\": "
            << static_cast<double>(found.elapsed_ns) / static_cast<double>(shape.items)
            << ", \"full\": " << found.full << ", \"empty\": " << found.empty
            << ", \"wrong\": " << found.wrong;
        if (shape.timed) {
            print(out, "call", found.call);
            print(out, "done", found.done);
        }
        out << "}" << std::endl;
        return true;
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
            std::cerr << "leat_rivals: not understood: " << line << std::endl;
            return 2;
        }
    }
    return 0;
}
