/* context.hh - what was measured, on what: for every file of results. */
#ifndef BENCH_CONTEXT_HH
#define BENCH_CONTEXT_HH

#include <string>
#include <vector>

struct ContextFact {
    std::string name;
    std::string value; // "unknown" where it is not known
};

// Commit, flags, compiler, CPU, governor, kernel. Not who measured: no path, no name of a host.
std::vector<ContextFact> context_facts();

#endif
