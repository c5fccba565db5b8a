// serve.hh - what leat_rivals serves: groups of contestants, one group in a process.
#ifndef BENCH_RIVALS_SERVE_HH
#define BENCH_RIVALS_SERVE_HH

#include <iosfwd>
#include <string>

struct ServeGroup {
    const char *name;
    // One line that says what there is.
    void (*describe)(std::ostream &out);
    // What a line asks for, as one line. False: the line is not understood, or the run failed.
    bool (*run)(std::istream &in, std::ostream &out);
};

extern const ServeGroup serve_ring;
extern const ServeGroup serve_sched;

// A JSON string.
std::string quoted(const std::string &text);
// The machine, and the libraries that are left out: fields of a JSON object.
void serve_describe(std::ostream &out);

#endif
