/* sched_fork.h - fork and join, Leat's and others' alike: rows whose work is so small that spawning
 * it is what is measured. Each run checks its result. The contestants do the same: a group for each
 * node, all children but the last spawned, the last one called (spawn_local: all spawned).
 *
 *   spawn_local  a task spawns so many no-ops, 512 at a time, and waits
 *   fib          fib(n) by the plain recursion
 *   skynet       a tree of 10 children each, whose leaves are summed
 *   tree_for     the same, the children of a node by a loop of grain 1
 */
#ifndef BENCH_RIVALS_SCHED_FORK_H
#define BENCH_RIVALS_SCHED_FORK_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BENCH_FORK_BURST    512U
#define BENCH_FORK_CHILDREN 10U

/* `size`: how many no-ops, the n of fib, the levels of a tree. */
struct bench_fork_row {
    const char *name; /* NULL: the end */
    /* The result; *elapsed_ns is from the root task's begin to its end. */
    uint64_t (*run)(void *pool, uint64_t size, uint64_t *elapsed_ns);
};

struct bench_fork_kind {
    const char *name;
    /* Ends the process on failure; one that is open is never closed. */
    void *(*open)(uint32_t workers);
    const struct bench_fork_row *rows; /* the same for all kinds */
};

extern const struct bench_fork_kind bench_fork_leat;
extern const struct bench_fork_kind bench_fork_tbb;

#ifdef __cplusplus
}
#endif

#endif
