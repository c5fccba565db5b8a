// sched_asio.cc - boost::asio::thread_pool, by post().
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include "bench/rivals/sched.h"

namespace
{

void *
open(const bench_sched_config *config)
{
    return new boost::asio::thread_pool(config->workers);
}

bool
post_item(void *port, std::uint32_t /*level*/, bench_sched_item *item)
{
    boost::asio::post(*static_cast<boost::asio::thread_pool *>(port),
                      [item] { bench_sched_job(item); });
    return true;
}

} // namespace

extern "C" {
extern const bench_sched_kind bench_pools_asio[];
const bench_sched_kind bench_pools_asio[] = {
    {"boost::asio::thread_pool", BENCH_SCHED_TASKS, "", open, nullptr, post_item, nullptr, nullptr,
     0},
    {},
};
}
