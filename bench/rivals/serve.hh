// serve.hh - what leat_rivals serves: groups of contestants, one group in a process.
#ifndef BENCH_RIVALS_SERVE_HH
#define BENCH_RIVALS_SERVE_HH

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <string>
#include <utility>
#include <vector>

struct ServeGroup {
    const char *name;
    // One line that says what there is.
    void (*describe)(std::ostream &out);
    // What a line asks for, as one line. False: the line is not understood, or the run failed.
    bool (*run)(std::istream &in, std::ostream &out);
};

extern const ServeGroup serve_log;
extern const ServeGroup serve_ring;
extern const ServeGroup serve_sched;
extern const ServeGroup serve_timer;

// A JSON string.
std::string quoted(const std::string &text);
// The machine, and the libraries that are left out: fields of a JSON object.
void serve_describe(std::ostream &out);

// ---- groups of which each row has contestants of its own ----------------------------------------

struct ServeResult {
    double ns = 0; // time per item
    std::uint64_t wrong = 0;
    std::vector<double> samples; // nanoseconds of single items, where the row has them
    std::vector<std::pair<const char *, double>> facts; // other figures, by name
};

struct ServeCase {
    std::string row;
    std::string name;
    std::string note;
    std::uint32_t threads; // that work
    std::function<ServeResult(std::uint64_t items)> run;
};

void serve_cases_describe(const std::vector<ServeCase> &cases, std::ostream &out);
// Runs one, in a process of its own. A line is ROW ITEMS NAME.
bool serve_cases_run(const std::vector<ServeCase> &cases, std::istream &in, std::ostream &out);

#endif
