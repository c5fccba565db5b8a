/* sched_fork.h - fork and join, Leat's and others' alike: rows whose work is so small that spawning
 * it is what is measured. Each run checks its result. The contestants do the same: a group for each
 * node, all children but the last spawned, the last one called (spawn_local: all spawned).
 *
 *   spawn_local  a task spawns so many no-ops, 512 at a time, and waits; time per no-op
 *   fib          fib(n) by the plain recursion; time per spawn
 *   skynet       a tree of 10 children each, whose leaves are summed; time per leaf
 *   tree_for     the same, the children of a node by a loop of grain 1
 */
#ifndef BENCH_RIVALS_SCHED_FORK_H
#define BENCH_RIVALS_SCHED_FORK_H

#include "bench/rivals/sched.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BENCH_FORK_BURST    512U
#define BENCH_FORK_CHILDREN 10U

enum bench_fork_row {
    BENCH_FORK_SPAWN_LOCAL,
    BENCH_FORK_FIB,
    BENCH_FORK_SKYNET,
    BENCH_FORK_TREE_FOR
};

/* One contestant of one row. */
struct bench_fork_case {
    const char *name; /* NULL: the end of a list */
    enum bench_fork_row row;
    const char *note;
    /* Ends the process on failure; one that is open is never closed. */
    void *(*open)(uint32_t workers);
    /* `size`: how many no-ops, the n of fib, the levels of a tree. The result; *elapsed_ns is from
     * the root task's begin to its end. */
    uint64_t (*run)(void *pool, uint64_t size, uint64_t *elapsed_ns);
};

extern const struct bench_fork_case bench_forks_leat[];
extern const struct bench_fork_case bench_forks_mutex[];

const char *bench_fork_name(enum bench_fork_row row);
/* 10 to the power of `levels`: the leaves of a tree. */
uint64_t bench_fork_leaves(uint64_t levels);
/* Measures the largest size of at most `items`. Once in a process. */
void bench_fork_measure(const struct bench_fork_case *fork, uint32_t workers, uint64_t items,
                        struct bench_sched_result *result);

#ifdef __cplusplus
}
#endif

#endif
