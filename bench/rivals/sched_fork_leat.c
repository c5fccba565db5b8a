/* sched_fork_leat.c - Leat's fork and join, see sched_fork.h. */
#include <stdio.h>
#include <stdlib.h>

#include "bench/rivals/sched_fork.h"
#include "engine/leat.h"
#include "ring/os.h"

static void
must(enum leat_status status)
{
    if (status != LEAT_OK) {
        (void)fprintf(stderr, "leat_rivals: %s\n", leat_status_text(status));
        exit(1); /* NOLINT(concurrency-mt-unsafe): the benchmark is over */
    }
}

/* One task: what it is given, and what comes out. */
struct call {
    struct leat_engine *engine;
    uint64_t size;
    uint64_t first;
    uint64_t result;
};

static void
noop(void *argument)
{
    (void)argument;
}

static void
spawn_local(void *argument)
{
    struct call *call = argument;
    struct leat_group group;
    while (call->result < call->size) {
        must(leat_group_init(&group, call->engine));
        for (uint32_t i = 0; i < BENCH_FORK_BURST; i++) {
            must(leat_group_spawn(&group, noop, NULL));
        }
        must(leat_group_wait(&group, LEAT_FOREVER));
        call->result += BENCH_FORK_BURST;
    }
}

/* The plain recursion is what is measured, and each call a task. NOLINTBEGIN(misc-no-recursion) */

static void
fib(void *argument)
{
    struct call *call = argument;
    struct leat_group group;
    if (call->size < 2) {
        call->result = call->size;
        return;
    }
    struct call one = {call->engine, call->size - 1, 0, 0};
    struct call two = {call->engine, call->size - 2, 0, 0};
    must(leat_group_init(&group, call->engine));
    must(leat_group_spawn(&group, fib, &one));
    fib(&two);
    must(leat_group_wait(&group, LEAT_FOREVER));
    call->result = one.result + two.result;
}

static void
children_fill(const struct call *call, struct call children[BENCH_FORK_CHILDREN])
{
    uint64_t step = bench_fork_leaves(call->size - 1);
    for (uint32_t i = 0; i < BENCH_FORK_CHILDREN; i++) {
        children[i] = (struct call){call->engine, call->size - 1, call->first + i * step, 0};
    }
}

static void
children_sum(struct call *call, const struct call children[BENCH_FORK_CHILDREN])
{
    call->result = 0;
    for (uint32_t i = 0; i < BENCH_FORK_CHILDREN; i++) {
        call->result += children[i].result;
    }
}

static void
skynet(void *argument)
{
    struct call *call = argument;
    struct call children[BENCH_FORK_CHILDREN];
    struct leat_group group;
    if (call->size == 0) {
        call->result = call->first;
        return;
    }
    children_fill(call, children);
    must(leat_group_init(&group, call->engine));
    for (uint32_t i = 0; i < BENCH_FORK_CHILDREN - 1; i++) {
        must(leat_group_spawn(&group, skynet, &children[i]));
    }
    skynet(&children[BENCH_FORK_CHILDREN - 1]);
    must(leat_group_wait(&group, LEAT_FOREVER));
    children_sum(call, children);
}

static void tree_for(void *argument);

static void
tree_piece(size_t begin, size_t end, void *argument)
{
    struct call *children = argument;
    for (size_t i = begin; i < end; i++) {
        tree_for(&children[i]);
    }
}

static void
tree_for(void *argument)
{
    struct call *call = argument;
    struct call children[BENCH_FORK_CHILDREN];
    const struct leat_range range = {0, BENCH_FORK_CHILDREN, 1};
    if (call->size == 0) {
        call->result = call->first;
        return;
    }
    children_fill(call, children);
    must(leat_parallel_for(call->engine, &range, tree_piece, children));
    children_sum(call, children);
}

/* NOLINTEND(misc-no-recursion) */

struct timed {
    leat_task_function function;
    struct call call;
    uint64_t elapsed_ns;
};

static void
timed_run(void *argument)
{
    struct timed *timed = argument;
    uint64_t begin_ns = leat_os_monotonic_ns();
    timed->function(&timed->call);
    timed->elapsed_ns = leat_os_monotonic_ns() - begin_ns;
}

/* Runs one task on a worker, and waits for it. */
static uint64_t
root(void *pool, leat_task_function function, uint64_t size, uint64_t *elapsed_ns)
{
    struct timed timed = {function, {pool, size, 0, 0}, 0};
    struct leat_group group;
    must(leat_group_init(&group, pool));
    must(leat_group_spawn(&group, timed_run, &timed));
    must(leat_group_wait(&group, LEAT_FOREVER));
    *elapsed_ns = timed.elapsed_ns;
    return timed.call.result;
}

static uint64_t
run_spawn_local(void *pool, uint64_t size, uint64_t *elapsed_ns)
{
    return root(pool, spawn_local, size, elapsed_ns);
}

static uint64_t
run_fib(void *pool, uint64_t size, uint64_t *elapsed_ns)
{
    return root(pool, fib, size, elapsed_ns);
}

static uint64_t
run_skynet(void *pool, uint64_t size, uint64_t *elapsed_ns)
{
    return root(pool, skynet, size, elapsed_ns);
}

static uint64_t
run_tree_for(void *pool, uint64_t size, uint64_t *elapsed_ns)
{
    return root(pool, tree_for, size, elapsed_ns);
}

static void *
pool_open(uint32_t workers)
{
    struct leat_config config = leat_config_default();
    struct leat_engine *engine = NULL;
    config.workers = workers;
    must(leat_open(&config, &engine, NULL));
    must(leat_start(engine));
    return engine;
}

#define GROUPS "leat groups"

const struct bench_fork_case bench_forks_leat[] = {
    {GROUPS, BENCH_FORK_SPAWN_LOCAL, "", pool_open, run_spawn_local},
    {GROUPS, BENCH_FORK_FIB, "", pool_open, run_fib},
    {GROUPS, BENCH_FORK_SKYNET, "", pool_open, run_skynet},
    {"leat parallel_for", BENCH_FORK_TREE_FOR, "", pool_open, run_tree_for},
    {.name = NULL},
};
