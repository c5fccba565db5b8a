/* sched_glib.c - glib's GThreadPool. Exclusive: its threads are there from the start and take no
 * other work. An urgent job is moved to the front, where it is the last one that was put in. */
#include <glib.h>

#include "bench/rivals/sched.h"

extern const struct bench_sched_kind bench_pools_glib[];

static void
run(gpointer item, gpointer context)
{
    (void)context;
    bench_sched_job(item);
}

static void *
glib_open(const struct bench_sched_config *config)
{
    GThreadPool *pool = g_thread_pool_new(run, NULL, (gint)config->workers, TRUE, NULL);
    g_assert_nonnull(pool);
    return pool;
}

static bool
glib_post(void *port, uint32_t level, struct bench_sched_item *item)
{
    bool posted = g_thread_pool_push(port, item, NULL);
    if (level == BENCH_SCHED_CRITICAL) {
        (void)g_thread_pool_move_to_front(port, item);
    }
    return posted;
}

const struct bench_sched_kind bench_pools_glib[] = {
    {.name = "glib GThreadPool",
     .uses = BENCH_SCHED_TASKS,
     .note = "exclusive; urgent jobs by g_thread_pool_move_to_front()",
     .open = glib_open,
     .post = glib_post},
    {.name = NULL},
};
