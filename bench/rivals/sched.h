/* sched.h - how pools are measured, Leat's and others' alike. A pool is described by a `struct
 * bench_sched_kind`; what is measured is a `struct bench_sched_row`, the same code for all pools.
 *
 * Runs     each has a process of its own, so that no thread, setting or memory of an earlier run is
 *          left, and a library that reads its settings once has them. That is why what jobs share
 *          stands at file scope in sched_run.c, and why nothing is closed at the end.
 * Places   workers begin at the first CPU and producers at the last, see thread.h. A pool that
 *          cannot place its workers has them placed when they run their first job.
 * Checked  every job counts itself, each worker on a line of its own: all are there at the end, and
 *          not one more.
 * Jobs     a pool hands on one pointer, to a bench_sched_item. */
#ifndef BENCH_RIVALS_SCHED_H
#define BENCH_RIVALS_SCHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BENCH_SCHED_WORKERS_MAX   256U
#define BENCH_SCHED_PRODUCERS_MAX 8U
#define BENCH_SCHED_BATCH         32U
/* Jobs that a bounded pool holds; Leat's default. */
#define BENCH_SCHED_SLOTS 16384U
/* Levels that pools know under names of their own. */
#define BENCH_SCHED_CRITICAL 0U
#define BENCH_SCHED_NORMAL   4U
#define BENCH_SCHED_LOW      6U

/* ---- pools ---------------------------------------------------------------------------------- */

struct bench_sched_item {
    void (*run)(struct bench_sched_item *item);
};

/* Told by its address, and not looked into: so no line of it is fetched. */
extern struct bench_sched_item bench_sched_noop;

/* What each pool's workers call, with what was posted. */
void bench_sched_job(void *item);

/* What a pool is, and which rows it is for, as bits. */
enum bench_sched_use {
    BENCH_SCHED_TASKS = 1,   /* runs any job */
    BENCH_SCHED_JOBS = 2,    /* its no-ops are jobs with an id and a state */
    BENCH_SCHED_LEVELS = 4,  /* has levels, and is asked how long a lower one waits */
    BENCH_SCHED_PLACES = 8,  /* places its workers itself */
    BENCH_SCHED_FLOOR = 16,  /* no pool: what a row's floor is, with one worker and one producer */
    BENCH_SCHED_UNWOKEN = 32 /* a post wakes nobody: workers are woken by a tick */
};

struct bench_sched_config {
    uint32_t workers;
    uint32_t producers;
};

struct bench_sched_kind {
    const char *name; /* NULL: the end of a list */
    unsigned uses;
    const char *note; /* what a reader of the figures should know; or "" */
    /* Ends the process where it fails. */
    void *(*open)(const struct bench_sched_config *config);
    /* On each producer's thread, before it posts: what it posts to. NULL: the pool itself. */
    void *(*attach)(void *pool, uint32_t producer);
    /* Level 0 is most urgent, 7 least; a pool without levels takes no notice. False: full. */
    bool (*post)(void *port, uint32_t level, struct bench_sched_item *item);
    /* At most BENCH_SCHED_BATCH. How many were taken. NULL: it has no such call. */
    size_t (*post_noops)(void *port, size_t count);
    const uint8_t *levels; /* LEVELS: all that it tells apart, the most urgent first */
    uint32_t levels_count;
};

/* Lists that end with a kind without a name. */
extern const struct bench_sched_kind bench_pools_floor[];
extern const struct bench_sched_kind bench_pools_leat[];
extern const struct bench_sched_kind bench_pools_mutex[];

/* ---- results -------------------------------------------------------------------------------- */

struct bench_sched_run;

struct bench_sched_result {
    double ns;       /* time per operation */
    uint64_t posted; /* jobs, by the row */
    uint64_t wrong;
    /* Nanoseconds of single operations, where the row has them; from malloc(). */
    double *samples;
    size_t samples_count;
};

/* ---- rows of pools -------------------------------------------------------------------------- */

struct bench_sched_row {
    const char *name;   /* NULL: the end */
    unsigned uses;      /* a pool has at least one of them */
    uint32_t workers;   /* 0: four for each CPU */
    uint32_t producers; /* 1 to BENCH_SCHED_PRODUCERS_MAX; the calling thread is the first */
    bool batch;         /* no-ops are posted in batches, where the pool has a call for it */
    void (*measure)(const struct bench_sched_run *run, struct bench_sched_result *result);
};

extern const struct bench_sched_row bench_sched_rows[];

/* Before the first measurement, on the thread that forks: how fast the machine works. */
void bench_sched_calibrate(void);
uint32_t bench_sched_workers(const struct bench_sched_row *row);
/* Opens a pool and measures `items` operations of one row, at least 1. Once in a process. */
void bench_sched_measure(const struct bench_sched_kind *kind, const struct bench_sched_row *row,
                         uint64_t items, struct bench_sched_result *result);

/* ---- for the rows --------------------------------------------------------------------------- */

/* What a row has: a pool that is warm, and whose workers are all there. */
struct bench_sched_run {
    const struct bench_sched_kind *kind;
    void *pool;
    void *port;     /* of the calling thread */
    uint64_t items; /* how many operations are asked for */
    uint32_t producers;
    bool batch;
    bool crowded; /* more threads than CPUs */
};

/* Works about so long, counted in operations: who is interrupted works none the less. */
void bench_sched_spin(uint64_t ns);
/* Posts, trying again where the pool is full. */
void bench_sched_post(const struct bench_sched_run *run, uint32_t level,
                      struct bench_sched_item *item);
/* Has each producer post `each` no-ops; returns when they have. *begin_ns is when they began. */
void bench_sched_produce(const struct bench_sched_run *run, uint64_t each, uint64_t *begin_ns);
/* Jobs that have run since the row began. */
uint64_t bench_sched_ran(void);
/* Returns when as many have. */
void bench_sched_wait(const struct bench_sched_run *run, uint64_t posted);

#ifdef __cplusplus
}
#endif

#endif
