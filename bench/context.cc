// context.cc - asks the build, the environment and the system.
#include "bench/context.hh"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "bench/kernels/machine.h"

// Both from the build, where it knows them.
#ifndef LEAT_COMMIT
#    define LEAT_COMMIT ""
#endif
#ifndef LEAT_FLAGS
#    define LEAT_FLAGS ""
#endif

namespace
{

std::string
first_line(const char *path, const std::string &beginning)
{
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        if (line.compare(0, beginning.size(), beginning) == 0) {
            return line;
        }
    }
    return "";
}

std::string
cpu_model()
{
    std::string line = first_line("/proc/cpuinfo", "model name");
    std::size_t colon = line.find(": ");
    return colon == std::string::npos ? "" : line.substr(colon + 2);
}

std::string
commit()
{
    const char *given = std::getenv("LEAT_COMMIT");
    return given != nullptr && given[0] != '\0' ? given : LEAT_COMMIT;
}

// Without words that have a path in them.
std::string
flags()
{
    std::istringstream words(LEAT_FLAGS);
    std::string kept;
    for (std::string word; words >> word;) {
        if (word.find('/') == std::string::npos) {
            kept += kept.empty() ? word : " " + word;
        }
    }
    return kept;
}

} // namespace

std::vector<ContextFact>
context_facts()
{
    std::vector<ContextFact> facts = {
        {"leat_commit", commit()},
        {"leat_flags", flags()},
        {"leat_compiler", bench_compiler()},
        {"cpu_model", cpu_model()},
        {"governor", first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "")},
        {"kernel", first_line("/proc/sys/kernel/osrelease", "")},
        {"cores", std::to_string(bench_cpus())},
    };
    for (ContextFact &fact : facts) {
        if (fact.value.empty()) {
            fact.value = "unknown";
        }
    }
    return facts;
}
