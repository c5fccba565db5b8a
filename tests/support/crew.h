/* crew.h - a pool without threads, in which one thread acts for each worker in turn: tests of
 * spawned tasks say with it exactly what runs when, and on which worker. */
#ifndef TESTS_SUPPORT_CREW_H
#define TESTS_SUPPORT_CREW_H

#include "sched/spawn.h"
#include "sched/worker.h"
#include "tests/support/check.h"

#define CREW_SLOTS   (UINT32_C(1) << LEAT_SPAWN_SLOTS_LOG2)
#define CREW_TASKS   (CREW_SLOTS + 3)
#define CREW_PLACES  3
#define CREW_OUTSIDE 2 /* tasks that can wait from outside */

/* How a piece of a range is noted: not as a task is. */
#define CREW_PIECE(begin, end) ((uint32_t)(10000 * ((begin) + 1) + (end)))

struct crew {
    struct leat_pool pool;
    struct leat_join join;
    struct leat_worker *self; /* for whom the thread acts */
    uint32_t numbers[CREW_TASKS];
    uint32_t ran[CREW_TASKS];    /* tasks and pieces, in this order */
    uint64_t depths[CREW_TASKS]; /* and how deep */
    uint32_t ran_count;
    uint32_t compared;
    uint32_t items; /* that ran and were no tasks */
    uint32_t ended; /* marked groups without an owner */
    /* What tasks and pieces do besides; may be NULL. */
    void (*act)(struct crew *crew, uint32_t number);
    struct leat_deque_entry taken[2]; /* for acts */
};

/* There is one at a time. It acts for the first worker, which begins a group. */
struct crew *crew_setup(void);
/* Nothing may be left anywhere. */
void crew_teardown(struct crew *crew);

struct leat_worker *crew_place(struct crew *crew, uint32_t number);
/* Begins a group. */
void crew_join(struct crew *crew, struct leat_worker *owner, const struct leat_range_work *work);
void crew_wait(struct crew *crew);

/* Tasks have numbers. */
void crew_spawn(struct crew *crew, uint32_t number);
/* The task is so deep, at least 1. */
void crew_spawn_at(struct crew *crew, uint64_t depth, uint32_t number);
bool crew_spawn_outside(struct crew *crew, uint32_t number, uint32_t *index);
/* The body of a range. */
void crew_piece(size_t begin, size_t end, void *crew);
uint64_t crew_waiting(struct crew *crew, uint32_t worker);

/* What that worker takes must be this task. */
struct leat_deque_entry crew_take(struct crew *crew, uint32_t worker, uint32_t number);
void crew_takes_none(struct crew *crew, uint32_t worker);
void crew_run_on(struct crew *crew, uint32_t worker, const struct leat_deque_entry *entry);
/* Runs so many items of rings, and no more can be there. */
void crew_lend(struct crew *crew, size_t want);

/* These, and no others, must have run since the last time. */
void crew_ran(struct crew *crew, const uint32_t *numbers, uint32_t count);
void crew_ran_down(struct crew *crew, uint32_t first, uint32_t last);
void crew_ran_none(const struct crew *crew);

#define CREW_RAN(crew, ...)                                                                        \
    do {                                                                                           \
        const uint32_t numbers_[] = {__VA_ARGS__};                                                 \
        crew_ran((crew), numbers_, (uint32_t)TEST_COUNT_OF(numbers_));                             \
    } while (0)

#endif
