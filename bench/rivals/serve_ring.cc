// serve_ring.cc - runs one ring at a time, see serve.hh. A line is
//
//     PRODUCERS CONSUMERS BATCH TIMED PAUSES ITEMS NAME
//
// 0 consumers: a thread alone.
#include <iostream>
// From the build: RIVAL_RINGS(X), which is X(NAME) for each library.
#include <rivals_list.h>
#include <sstream>
#include <string>
#include <vector>

#include "bench/kernels/ring.h"
#include "bench/rivals/serve.hh"

#define DECLARE(library) extern const bench_ring_kind bench_rings_##library[];
#define LIST(library)    bench_rings_##library,
extern "C" {
RIVAL_RINGS(DECLARE)
}

namespace
{

std::vector<const bench_ring_kind *>
kinds()
{
    std::vector<const bench_ring_kind *> all;
    for (const bench_ring_kind *list : {bench_rings_leat, bench_rings_mutex, RIVAL_RINGS(LIST)}) {
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
    out << "{";
    serve_describe(out);
    out << ", \"pauses\": " << BENCH_RING_PAUSES << ", \"items_unit\": " << BENCH_RING_ITEMS_UNIT
        << ", \"rings\": [";
    const char *comma = "";
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
            << ", \"disordered\": " << found.disordered << ", \"wrong\": " << found.wrong;
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

const ServeGroup serve_ring = {"ring", describe, run};
