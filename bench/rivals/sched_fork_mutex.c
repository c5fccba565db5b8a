/* sched_fork_mutex.c - the mutex pool of bench/kernels/mutex_pool.h in the row of sched_fork.h that
 * it can do: its one queue hands out the oldest first, so that a task which waits in a deep tree
 * would begin ever more of it on its stack. */
#include "bench/kernels/mutex_pool.h"
#include "bench/rivals/sched_fork.h"
#include "ring/os.h"

struct root {
    struct mutex_pool *pool;
    uint64_t size;
    uint64_t ran;
    uint64_t elapsed_ns;
    leat_atomic_u32 left; /* of the burst */
    leat_atomic_u32 over; /* a futex: 1 at the end */
};

static void
started(uint32_t worker, void *context)
{
    (void)worker;
    (void)context;
}

static void
noop(void *argument)
{
    struct root *root = argument;
    atom_sub_rel(&root->left, 1);
}

static void
spawn_local(void *argument)
{
    struct root *root = argument;
    uint64_t begin_ns = leat_os_monotonic_ns();
    while (root->ran < root->size) {
        atom_store_rel(&root->left, BENCH_FORK_BURST);
        for (uint32_t i = 0; i < BENCH_FORK_BURST; i++) {
            bool posted = bench_mutex_post(root->pool, noop, root);
            LEAT_ASSERT(posted);
        }
        while (atom_load_acq(&root->left) != 0) {
            if (!bench_mutex_help(root->pool)) {
                leat_pause();
            }
        }
        root->ran += BENCH_FORK_BURST;
    }
    root->elapsed_ns = leat_os_monotonic_ns() - begin_ns;
    atom_store_rel(&root->over, 1);
    leat_os_futex_wake(&root->over, 1);
}

static uint64_t
run_spawn_local(void *pool, uint64_t size, uint64_t *elapsed_ns)
{
    struct root root = {.pool = pool, .size = size};
    bool posted = bench_mutex_post(pool, spawn_local, &root);
    LEAT_ASSERT(posted);
    while (atom_load_acq(&root.over) == 0) {
        leat_os_futex_wait(&root.over, 0, UINT64_MAX);
    }
    *elapsed_ns = root.elapsed_ns;
    return root.ran;
}

static void *
pool_open(uint32_t workers)
{
    static struct mutex_pool pool;
    const struct mutex_pool_config wanted = {
        .workers = workers, .slots = BENCH_SCHED_SLOTS, .started = started};
    bench_mutex_open(&pool, &wanted);
    return &pool;
}

const struct bench_fork_case bench_forks_mutex[] = {
    {"mutex pool", BENCH_FORK_SPAWN_LOCAL, "who waits runs what is in the queue", pool_open,
     run_spawn_local},
    {.name = NULL},
};
