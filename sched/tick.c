/* tick.c - the thread that wakes workers at fixed intervals, see tick.h. */
#include "sched/tick.h"

#include "sched/pool.h"
#include "sched/worker.h"

static bool
ended(const struct leat_pool *pool)
{
    return atom_load_rlx(&pool->tick.ended) != 0; /* rlx: statistic */
}

static void *
tick_run(void *argument)
{
    struct leat_pool *pool = argument;
    while (!ended(pool)) {
        /* What is missed now is seen an interval later. */
        if (leat_lot_any(&pool->lot) && leat_pool_work_waits(pool)) {
            (void)leat_pool_wake_one(pool);
        }
        leat_os_futex_wait(&pool->tick.ended, 0, leat_os_deadline_ns(pool->config.tick_ns));
    }
    return NULL;
}

enum leat_os_result
leat_tick_start(struct leat_pool *pool)
{
    if (pool->config.tick_ns == 0) {
        return LEAT_OS_OK;
    }
    struct leat_os_thread_config config = {.run = tick_run, .argument = pool};
    leat_pool_side_thread(pool, "tick", &config);
    atom_store_rlx(&pool->tick.ended, 0); /* rlx: not shared yet */
    return leat_os_thread_start(&pool->tick.thread, &config);
}

void
leat_tick_stop(struct leat_pool *pool)
{
    if (pool->config.tick_ns == 0) {
        return;
    }
    atom_store_rlx(&pool->tick.ended, 1); /* rlx: statistic */
    leat_os_futex_wake(&pool->tick.ended, 1);
    leat_os_thread_join(pool->tick.thread);
}
