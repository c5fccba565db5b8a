// main.cc - runs what the other files register. Adds to the result what was measured, on what, and
// leaves out of it who measured: no path, no name of a host.
#include <algorithm>
#include <cstdlib>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "bench/bench.hh"
#include "bench/context.hh"
#include "bench/kernels/machine.h"

namespace
{

using benchmark::BenchmarkReporter;

// ---- reporters ---------------------------------------------------------------------------------

// Names are BM_structure_operation/arguments: how a row is timed and repeated is not part of it.
std::vector<BenchmarkReporter::Run>
plain_names(const std::vector<BenchmarkReporter::Run> &runs)
{
    std::vector<BenchmarkReporter::Run> plain = runs;
    for (BenchmarkReporter::Run &run : plain) {
        run.run_name.min_time.clear();
        run.run_name.iterations.clear();
        run.run_name.time_type.clear();
    }
    return plain;
}

class Console : public benchmark::ConsoleReporter
{
  public:
    Console() : ConsoleReporter(OO_None) {}

    void ReportRuns(const std::vector<Run> &runs) override
    {
        ConsoleReporter::ReportRuns(plain_names(runs));
    }
};

class Json : public benchmark::JSONReporter
{
  public:
    bool ReportContext(const Context &context) override
    {
        std::ostream &out = GetOutputStream();
        std::ostringstream all;
        SetOutputStream(&all);
        bool go_on = JSONReporter::ReportContext(context);
        SetOutputStream(&out);
        // One field a line; ours come last, so what is left out is followed by another one.
        std::istringstream lines(all.str());
        for (std::string line; std::getline(lines, line);) {
            if (!left_out(line)) {
                out << line << '\n';
            }
        }
        return go_on;
    }

    void ReportRuns(const std::vector<Run> &runs) override
    {
        JSONReporter::ReportRuns(plain_names(runs));
    }

  private:
    // Who measured; and how Google Benchmark was built, which is easily taken for how we were.
    static bool left_out(const std::string &line)
    {
        const std::vector<std::string> fields = {"host_name", "executable", "library_build_type"};
        return std::any_of(fields.begin(), fields.end(), [&](const std::string &field) {
            return line.find("\"" + field + "\":") != std::string::npos;
        });
    }
};

// ---- options ------------------------------------------------------------------------------------

// The value of --benchmark_NAME or, as the library does it, of BENCHMARK_NAME in the environment.
std::string
option(const std::vector<std::string> &arguments, const std::string &name)
{
    std::string prefix = "--benchmark_" + name + "=";
    std::string variable = "BENCHMARK_";
    for (char letter : name) {
        variable += letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 'a' + 'A') : letter;
    }
    const char *set = std::getenv(variable.c_str());
    std::string value = set == nullptr ? "" : set;
    for (const std::string &argument : arguments) {
        if (argument.compare(0, prefix.size(), prefix) == 0) {
            value = argument.substr(prefix.size());
        }
    }
    return value;
}

double min_time = 0.5; // the library's default

} // namespace

double
open_loop_seconds()
{
    // A row of percentiles needs more samples than a mean: at 4 000 a second, 10 times the
    // default leaves 2 beyond the p99.99.
    return 10 * min_time;
}

void
label_crowd(benchmark::State &state, unsigned others)
{
    if (others + 1 > bench_cpus()) {
        state.SetLabel("oversubscribed");
    }
}

int
main(int argc, char **argv)
{
    std::vector<std::string> arguments(argv, argv + argc);
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
        return 2;
    }
    std::string seconds = option(arguments, "min_time");
    if (!seconds.empty()) {
        min_time = std::atof(seconds.c_str());
    }
    for (const ContextFact &fact : context_facts()) {
        benchmark::AddCustomContext(fact.name, fact.value);
    }

    std::string format = option(arguments, "format");
    std::string file_format = option(arguments, "out_format");
    std::unique_ptr<BenchmarkReporter> shown;
    std::unique_ptr<BenchmarkReporter> written;
    if (format.empty() || format == "console") {
        shown = std::make_unique<Console>();
    } else if (format == "json") {
        shown = std::make_unique<Json>();
    }
    if (!option(arguments, "out").empty() && (file_format.empty() || file_format == "json")) {
        written = std::make_unique<Json>();
    }
    std::size_t count = benchmark::RunSpecifiedBenchmarks(shown.get(), written.get());
    benchmark::Shutdown();
    return count == 0 ? 2 : 0;
}
