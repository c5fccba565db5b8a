// consumer.cc - the installed library from C++17: the header compiles, its inline functions work,
// and a job reaches a C++ handler. Exit 0: the job saw its payload.
#include <leat.h>

#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace
{

void
expect_ok(leat_status status, const char *what)
{
    if (status != LEAT_OK) {
        throw std::runtime_error(std::string(what) + ": " + leat_status_text(status));
    }
}

leat_outcome
compare(leat_run *run, void *context)
{
    std::size_t bytes = 0;
    const auto *payload = static_cast<const char *>(leat_run_payload(run, &bytes));
    *static_cast<bool *>(context) = std::string_view(payload, bytes) == "from C++";
    return leat_done();
}

struct close_engine {
    void operator()(leat_engine *engine) const
    {
        if (leat_stop(engine, LEAT_FOREVER) != LEAT_OK || leat_close(engine) != LEAT_OK) {
            std::fprintf(stderr, "the engine does not close\n");
        }
    }
};

} // namespace

int
main()
{
    try {
        leat_config config = leat_config_default();
        config.workers = 1;
        leat_engine *opened = nullptr;
        expect_ok(leat_open(&config, &opened, nullptr), "open");
        const std::unique_ptr<leat_engine, close_engine> engine(opened);
        expect_ok(leat_start(opened), "start");

        bool same = false;
        expect_ok(leat_type_register(opened, "compare", compare, &same, nullptr, nullptr), "type");
        const std::string payload = "from C++";
        leat_job job = leat_job_default();
        job.type_name = "compare";
        job.payload = payload.data();
        job.payload_bytes = payload.size();
        expect_ok(leat_submit(opened, &job, nullptr), "submit");
        expect_ok(leat_drain(opened, LEAT_FOREVER), "drain");
        return same ? 0 : 1;
    } catch (const std::exception &error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
