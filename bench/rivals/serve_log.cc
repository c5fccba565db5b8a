// serve_log.cc - the queues on a disk of serve.hh, see log.h: rows durable_depthN_BYTES, and
// recovery_BYTES. Each run has a new folder below $TMPDIR, or /tmp.
#include <cstdlib>
#include <filesystem>
// From the build: RIVAL_LOGS(X), which is X(NAME) for each that is there.
#include <rivals_list.h>

#include "bench/rivals/log.h"
#include "bench/rivals/serve.hh"

#define DECLARE_LOGS(library) extern const bench_log_kind bench_logs_##library[];
#define LIST_LOGS(library)    bench_logs_##library,
extern "C" {
RIVAL_LOGS(DECLARE_LOGS)
}

namespace
{

struct Payload {
    const char *name;
    std::uint32_t bytes;
};

constexpr Payload payloads[] = {{"0", 0}, {"64", 64}, {"1k", 1024}, {"16k", 16384}};

// A new folder, the present one as long as this lives.
class Folder
{
  public:
    Folder()
    {
        const char *place = std::getenv("TMPDIR");
        path = std::filesystem::absolute(place != nullptr ? place : "/tmp") / "leat_rivals_log";
        std::filesystem::remove_all(path);
        std::filesystem::create_directories(path);
        std::filesystem::current_path(path);
    }
    ~Folder()
    {
        std::filesystem::current_path("/");
        std::filesystem::remove_all(path);
    }
    Folder(const Folder &) = delete;
    Folder &operator=(const Folder &) = delete;

  private:
    std::filesystem::path path;
};

ServeCase
of_depth(const bench_log_kind *kind, std::uint32_t depth, const Payload &payload)
{
    std::string row = "durable_depth" + std::to_string(depth) + "_" + payload.name;
    return {row, kind->name, kind->note, 1, [=](std::uint64_t items) {
                Folder folder;
                ServeResult result;
                result.samples.resize(items);
                bench_log_case one = {kind, depth, payload.bytes, items};
                bench_log_result found = bench_log_measure(&one, result.samples.data());
                result.samples.resize(found.samples);
                result.ns = found.ns;
                result.wrong = found.wrong;
                return result;
            }};
}

ServeCase
of_recovery(const bench_log_kind *kind, const Payload &payload)
{
    std::string row = std::string("recovery_") + payload.name;
    return {row, kind->name, kind->note, 1, [=](std::uint64_t items) {
                Folder folder;
                bench_log_case one = {kind, 0, payload.bytes, items};
                bench_log_result found = bench_log_recover(&one);
                return ServeResult{found.ns, found.wrong, {}, {}};
            }};
}

void
add(const bench_log_kind *kind, std::vector<ServeCase> *all)
{
    for (const Payload &payload : payloads) {
        if (kind->is_variant && payload.bytes != 64) {
            continue;
        }
        all->push_back(of_depth(kind, 1, payload));
        if (kind->is_floor) {
            continue;
        }
        all->push_back(of_depth(kind, 100, payload));
        all->push_back(of_depth(kind, 4096, payload));
        if (!kind->is_variant) {
            all->push_back(of_recovery(kind, payload));
        }
    }
}

std::vector<ServeCase>
cases()
{
    std::vector<ServeCase> all;
    for (const bench_log_kind *list : {RIVAL_LOGS(LIST_LOGS)}) {
        for (; list->name != nullptr; list++) {
            if (list->there == nullptr || list->there()) {
                add(list, &all);
            }
        }
    }
    return all;
}

void
describe(std::ostream &out)
{
    serve_cases_describe(cases(), out);
}

bool
run(std::istream &in, std::ostream &out)
{
    return serve_cases_run(cases(), in, out);
}

} // namespace

const ServeGroup serve_log = {"log", describe, run};
