/* archive_tbb.cc - --baseline tbb: the runner of archive.c on an arena of oneTBB. */
#include "archive_parts.h"

#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/info.h>
#include <oneapi/tbb/task_arena.h>

namespace
{

struct tbb_runner {
    tbb_runner(int workers, block_work work)
        : control(tbb::global_control::max_allowed_parallelism,
                  static_cast<std::size_t>(workers) + 1),
          arena(workers, 0), work(work)
    {
    }

    tbb::global_control control;
    tbb::task_arena arena;
    block_work work;
    std::mutex mutex;
    std::condition_variable changed;
    std::uint64_t under_way = 0;
    block *awaited = nullptr;
};

enum : std::uint64_t { RUNS = 1, ENDED = 2 };

bool
tbb_begin(void *state, block *mine)
{
    auto *runner = static_cast<tbb_runner *>(state);
    {
        const std::lock_guard<std::mutex> lock(runner->mutex);
        mine->handle = RUNS;
        runner->under_way++;
    }
    runner->arena.enqueue([runner, mine] {
        runner->work(mine);
        const std::lock_guard<std::mutex> lock(runner->mutex);
        mine->handle = ENDED;
        runner->under_way--;
        if (runner->awaited == mine || runner->under_way == 0) {
            runner->changed.notify_all();
        }
    });
    return true;
}

bool
tbb_wait(void *state, block *mine)
{
    auto *runner = static_cast<tbb_runner *>(state);
    std::unique_lock<std::mutex> lock(runner->mutex);
    runner->awaited = mine;
    runner->changed.wait(lock, [mine] { return mine->handle == ENDED; });
    return true;
}

void
tbb_stop(void *state)
{
    const std::unique_ptr<tbb_runner> runner(static_cast<tbb_runner *>(state));
    std::unique_lock<std::mutex> lock(runner->mutex);
    runner->changed.wait(lock, [&runner] { return runner->under_way == 0; });
}

} // namespace

bool
runner_tbb(runner *made, std::uint32_t workers, block_work work)
{
    try {
        int count = workers == 0 ? tbb::info::default_concurrency() : static_cast<int>(workers);
        auto state = std::make_unique<tbb_runner>(count, work);
        *made = {tbb_begin, tbb_wait, tbb_stop, state.release()};
        return true;
    } catch (const std::exception &error) {
        return complain("cannot start oneTBB", error.what());
    }
}
