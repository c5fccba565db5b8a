/* sched_fork.c - one run of fork and join: how much is asked for, and what must come out. */
#include "bench/rivals/sched_fork.h"

#include "ring/base.h"

/* The first one makes it warm, the last one counts. */
#define RUNS 2

struct asked {
    uint64_t size;
    uint64_t items;  /* of which the time is told */
    uint64_t result; /* that is right */
};

const char *
bench_fork_name(enum bench_fork_row row)
{
    static const char *const names[] = {"spawn_local", "fib", "skynet", "tree_for"};
    return names[row];
}

uint64_t
bench_fork_leaves(uint64_t levels)
{
    uint64_t count = 1;
    for (uint64_t i = 0; i < levels; i++) {
        count *= BENCH_FORK_CHILDREN;
    }
    return count;
}

static struct asked
bursts_of(uint64_t items)
{
    uint64_t bursts = items < BENCH_FORK_BURST ? 1 : items / BENCH_FORK_BURST;
    uint64_t all = bursts * BENCH_FORK_BURST;
    return (struct asked){all, all, all};
}

/* fib(n) spawns once for each call of an n above 1: fib(n + 1) - 1 times. */
static struct asked
fib_of(uint64_t items)
{
    struct asked asked = {.size = 2, .items = 1, .result = 1};
    while (asked.items + asked.result <= items) {
        uint64_t next = asked.items + 1;
        asked.items += asked.result;
        asked.result = next;
        asked.size++;
    }
    return asked;
}

/* The leaves are numbers from 0 on. */
static struct asked
tree_of(uint64_t items)
{
    struct asked asked = {.size = 1, .items = BENCH_FORK_CHILDREN};
    while (asked.items * BENCH_FORK_CHILDREN <= items) {
        asked.size++;
        asked.items = bench_fork_leaves(asked.size);
    }
    asked.result = asked.items * (asked.items - 1) / 2;
    return asked;
}

void
bench_fork_measure(const struct bench_fork_case *fork, uint32_t workers, uint64_t items,
                   struct bench_sched_result *result)
{
    struct asked asked = {0};
    switch (fork->row) {
    case BENCH_FORK_SPAWN_LOCAL:
        asked = bursts_of(items);
        break;
    case BENCH_FORK_FIB:
        asked = fib_of(items);
        break;
    case BENCH_FORK_SKYNET:
    case BENCH_FORK_TREE_FOR:
        asked = tree_of(items);
        break;
    }
    void *pool = fork->open(workers);
    *result = (struct bench_sched_result){.posted = asked.items};
    for (int i = 0; i < RUNS; i++) {
        uint64_t elapsed_ns = 0;
        result->wrong += fork->run(pool, asked.size, &elapsed_ns) == asked.result ? 0 : 1;
        result->ns = (double)elapsed_ns / (double)asked.items;
    }
}
