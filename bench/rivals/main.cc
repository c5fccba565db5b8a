// main.cc - runs one contestant at a time, as tools/rivals.py asks for it: that decides what is
// run, how often and in which order, and does all arithmetic. Here is no more than a line in and a
// line out: first one that describes the machine and what there is, then one for each run. All
// lines out are JSON. The argument is the group: ring, if there is none, sched, timer
// or log.
#include "bench/rivals/serve.hh"

#include <iostream>
#include <limits>
// From the build: RIVALS_LEFT_OUT, a string.
#include <rivals_list.h>
#include <sstream>

#include "bench/context.hh"

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

void
serve_describe(std::ostream &out)
{
    out << "\"machine\": {";
    const char *comma = "";
    for (const ContextFact &fact : context_facts()) {
        out << comma << quoted(fact.name) << ": " << quoted(fact.value);
        comma = ", ";
    }
    out << "}, \"left_out\": " << quoted(RIVALS_LEFT_OUT);
}

int
main(int count, char **arguments)
{
    const std::string wanted = count > 1 ? arguments[1] : serve_ring.name;
    std::cout.precision(std::numeric_limits<double>::max_digits10);
    for (const ServeGroup *group : {&serve_ring, &serve_sched, &serve_timer, &serve_log}) {
        if (wanted != group->name) {
            continue;
        }
        group->describe(std::cout);
        for (std::string line; std::getline(std::cin, line);) {
            std::istringstream words(line);
            if (!group->run(words, std::cout)) {
                std::cerr << "leat_rivals: no answer to: " << line << std::endl;
                return 2;
            }
        }
        return 0;
    }
    std::cerr << "leat_rivals: there is no group " << wanted << std::endl;
    return 2;
}
