// serve_cases.cc - runs one contestant of one row at a time, see serve.hh, each in a process of its
// own: so no thread, setting or memory of an earlier run is left.
#include <csignal>
#include <iostream>
#include <sstream>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/rivals/serve.hh"

namespace
{

// In the child: measures, and answers.
void
measure(const ServeCase &one, std::uint64_t items, std::ostream &out)
{
    ServeResult result = one.run(items);
    out << "{\"ns\": " << result.ns << ", \"wrong\": " << result.wrong;
    for (const auto &[name, value] : result.facts) {
        out << ", " << quoted(name) << ": " << value;
    }
    if (!result.samples.empty()) {
        out.precision(6); // six digits of a time are more than there are
        const char *comma = ", \"samples\": [";
        for (double sample : result.samples) {
            out << comma << sample;
            comma = ", ";
        }
        out << "]";
    }
    out << "}" << std::endl;
}

} // namespace

void
serve_cases_describe(const std::vector<ServeCase> &cases, std::ostream &out)
{
    out << "{";
    serve_describe(out);
    out << ", \"contestants\": [";
    const char *comma = "";
    for (const ServeCase &one : cases) {
        out << comma << "{\"row\": " << quoted(one.row) << ", \"name\": " << quoted(one.name)
            << ", \"note\": " << quoted(one.note) << ", \"threads\": " << one.threads << "}";
        comma = ", ";
    }
    out << "]}" << std::endl;
}

bool
serve_cases_run(const std::vector<ServeCase> &cases, std::istream &in, std::ostream &out)
{
    std::string row;
    std::string name;
    std::uint64_t items = 0;
    in >> row >> items;
    if (!std::getline(in >> std::ws, name) || items == 0) {
        return false;
    }
    for (const ServeCase &one : cases) {
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
