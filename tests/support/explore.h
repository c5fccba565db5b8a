/* explore.h - runs a few threads over the atomics of ring/atomic.h in every order in which they can
 * meet, with every stale value that C11 lets them read.
 *
 * A model is a state, up to four threads, and what must hold. Its sources, those of the library
 * included, are compiled with LEAT_MODEL=1, which turns each operation of ring/atomic.h into a
 * call of the explorer (leat_model_load() and its like). The threads are fibers of one thread:
 * each stops in front of each atomic operation, and the explorer says who goes on, and with what
 * value.
 *
 * Search   depth first over (thread, alternative) choices. Each run starts from the beginning and
 *          follows the choices of the run before up to its last open one. A state that was seen
 *          before is not looked into again: explore.c says what a state is and why that is sound.
 *          There is no bound on stale reads, and none on preemptions unless the model sets one.
 * Memory   C11 as repaired by RC11 (Lahav et al., PLDI 2017) and C++20: explore_memory.c says how,
 *          and which executions are left out.
 * Faults   a failed assertion of the library or the model; a data race on memory that the model
 *          declares with explore_plain_read() and explore_plain_write(); threads that wait and
 *          nobody to wake them; a thread that runs alone in a circle.
 *
 * A fault is printed with its schedule. With that schedule in LEAT_EXPLORE_REPLAY the program runs
 * that one run again and prints each step.
 *
 * LEAT_EXPLORE_PREEMPTIONS=N bounds the preemptions of all models to N, for who looks for a fault
 * that is easily found first: tools/mutants. No test of ctest sets it.
 *
 * What a model must keep to
 * - Everything that a run changes stands in the model's state, on the threads' stacks, in memory of
 *   explore_memory_take(), or in its one thread-local word. Otherwise states look equal that are
 *   not.
 * - It does not depend on the address space: no hashing of pointers, no rand().
 * - Plain data that threads share is declared by explore_plain_read() and explore_plain_write(), or
 *   is touched only between explore_point() and the thread's next operation (a model's own
 *   bookkeeping).
 * - A loop that waits for another thread calls explore_pause().
 */
#ifndef TESTS_SUPPORT_EXPLORE_H
#define TESTS_SUPPORT_EXPLORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ring/memory.h"

#define EXPLORE_THREADS_MAX 4

struct explore_model {
    const char *name;
    void *state; /* zeroed before each run */
    size_t state_bytes;
    void (*setup)(void *state); /* alone, before the threads begin */
    void (*threads[EXPLORE_THREADS_MAX])(void *state);
    void (*check)(void *state); /* alone, after all threads ended; may be NULL */
    /* A bit for each thread that need not end: a run is over when it waits and the others ended. */
    uint8_t servants;

    /* Every load reads the newest value, and every store becomes it: interleavings only. */
    bool sequential;
    /* Only runs in which at most so many times a thread is stopped that could go on. */
    bool bounded;
    uint32_t preemptions;
    /* So many times each thread's wait on a futex may return for no reason. */
    uint32_t spurious;
    /* A thread-local word of the library, one for each thread of the model; may be NULL. */
    void **local;
    /* The model must fail, with this text in its message; NULL: it must not. */
    const char *fails;
    /* Says nothing unless it goes wrong. */
    bool quiet;
    /* Looks into known states again, and takes all orders: so the explorer tests itself. */
    bool unpruned;
    /* Takes minutes: explored only where LEAT_EXPLORE_DEEP is set. */
    bool deep;
};

struct explore_counts {
    uint64_t runs;
    uint64_t states;
    uint64_t steps;   /* choices taken, those of earlier runs not repeated */
    uint64_t pruned;  /* runs that ended in a state seen before */
    uint64_t longest; /* run, in steps */
};

/* Explores the model and prints one line. True: it is as it should be. */
bool explore(const struct explore_model *model, struct explore_counts *counts);
/* True: the environment asks for less than the models say, so that not all comes about in them. */
bool explore_is_cut(void);

/* ---- for threads, setup and check of a model ------------------------------------------------ */

/* Fails the run. */
_Noreturn void explore_fail(const char *fact, const char *file, int line);

#define EXPLORE_CHECK(fact)                                                                        \
    do {                                                                                           \
        if (!(fact)) {                                                                             \
            explore_fail(#fact, __FILE__, __LINE__);                                               \
        }                                                                                          \
    } while (0)

/* Which of the model's threads this is. */
uint32_t explore_thread(void);

/* Plain data is about to be read or written. Fails if another thread's access to the same address,
 * one of them a write, does not happen before this one. */
void explore_plain_read(const void *address, const char *name);
void explore_plain_write(const void *address, const char *name);

/* An event of the calling thread, and whether one of another thread happens before this moment. */
struct explore_event {
    uint8_t thread;
    uint8_t number;
};
struct explore_event explore_event(void);
bool explore_knows(struct explore_event event);

/* A step that comes before or after each other thread's explore_point(), in either order. */
void explore_point(void);
/* One of 0 .. count - 1, each of them. */
uint32_t explore_choose(uint32_t count);
/* Lets others go on: the thread continues when something it looked at has changed. */
void explore_pause(void);
/* In setup: operations on this word do nothing, and it reads as 0. For statistics, which would make
 * states look different that are not. */
void explore_ignore(const void *word);
/* Zeroed memory, aligned to a page, gone at the end of the run. */
void *explore_memory_take(size_t bytes);
/* That as the allocator of a pool. What is given back stays as it is. */
struct leat_memory explore_memory_table(void);

#endif
