/* cast.h - a pool without threads, in which one thread acts for each worker in turn: tests of
 * spawned tasks say with it exactly what runs when, and on which worker. */
#ifndef TESTS_SUPPORT_CAST_H
#define TESTS_SUPPORT_CAST_H

#include "sched/spawn.h"
#include "sched/worker.h"
#include "tests/support/check.h"

#define CAST_SLOTS   (UINT32_C(1) << LEAT_SPAWN_SLOTS_LOG2)
#define CAST_TASKS   (CAST_SLOTS + 3)
#define CAST_PLACES  3
#define CAST_OUTSIDE 2 /* tasks that can wait from outside */

/* How a piece of a range is noted: not as a task is. */
#define CAST_PIECE(begin, end) ((uint32_t)(10000 * ((begin) + 1) + (end)))

struct cast {
    struct leat_pool pool;
    struct leat_join join;
    struct leat_worker *self; /* for whom the thread acts */
    uint32_t numbers[CAST_TASKS];
    uint32_t ran[CAST_TASKS];    /* tasks and pieces, in this order */
    uint64_t depths[CAST_TASKS]; /* and how deep */
    uint32_t ran_count;
    uint32_t compared;
    uint32_t items; /* that ran and were no tasks */
    uint32_t ended; /* marked groups without an owner */
    /* What tasks and pieces do besides; may be NULL. */
    void (*act)(struct cast *cast, uint32_t number);
    struct leat_deque_entry taken[2]; /* for acts */
};

/* There is one at a time. It acts for the first worker, which begins a group. */
struct cast *cast_setup(void);
/* Nothing may be left anywhere. */
void cast_teardown(struct cast *cast);

struct leat_worker *cast_place(struct cast *cast, uint32_t number);
/* Begins a group. */
void cast_join(struct cast *cast, struct leat_worker *owner, const struct leat_range_work *work);
void cast_wait(struct cast *cast);

/* Tasks have numbers. */
void cast_spawn(struct cast *cast, uint32_t number);
/* The task is so deep, at least 1. */
void cast_spawn_at(struct cast *cast, uint64_t depth, uint32_t number);
bool cast_spawn_outside(struct cast *cast, uint32_t number, uint32_t *index);
/* The body of a range. */
void cast_piece(size_t begin, size_t end, void *cast);
uint64_t cast_waiting(struct cast *cast, uint32_t worker);

/* What that worker takes must be this task. */
struct leat_deque_entry cast_take(struct cast *cast, uint32_t worker, uint32_t number);
void cast_takes_none(struct cast *cast, uint32_t worker);
void cast_run_on(struct cast *cast, uint32_t worker, const struct leat_deque_entry *entry);
/* Runs so many items of rings, and no more can be there. */
void cast_lend(struct cast *cast, size_t want);

/* These, and no others, must have run since the last time. */
void cast_ran(struct cast *cast, const uint32_t *numbers, uint32_t count);
void cast_ran_down(struct cast *cast, uint32_t first, uint32_t last);
void cast_ran_none(const struct cast *cast);

#define CAST_RAN(cast, ...)                                                                        \
    do {                                                                                           \
        const uint32_t numbers_[] = {__VA_ARGS__};                                                 \
        cast_ran((cast), numbers_, (uint32_t)TEST_COUNT_OF(numbers_));                             \
    } while (0)

#endif
