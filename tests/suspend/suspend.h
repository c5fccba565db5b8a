/* suspend.h - what earns the word lock-free (docs/design/0002): a real thread is stopped for ever
 * in front of each atomic step of each operation, and two threads at every pair of steps; the
 * others must go on.
 *
 * A subject is a structure, or a whole engine, as a table: its operations, and the situations in
 * which they begin, chosen so that each path is walked. Each trial makes a new one, brings it into
 * the situation, lets one or two threads run into an operation up to a step, and then has another
 * thread alone, and after that two, do all operations until each has succeeded 3 times, and then 8
 * times, as often as the subject has places.
 * No success for a while, in spite of everybody's trying, means that the step is BLOCKING. Before
 * that, one thread does the first operation once, and what it brought must come to its end without
 * more being brought; where it does not, and yet the step does not block, it is LATE.
 *
 *   one frozen    every step; and again after the operation was interrupted in front of each
 *                 earlier step by one operation of another thread, or by laps of all of them (swaps
 *                 that fail, hints that have moved)
 *   two frozen    a second operation at every step while the first one is frozen at every step
 *
 * Of an operation that is called wait-free the steps are counted to its end in all these trials: it
 * must not take more than the table says.
 *
 * Where an operation was interrupted, and in pairs, steps count as one up to the next that writes:
 * a thread that is stopped for ever in front of a read leaves others what it left them before.
 * Interruptions and pairs beyond the subject's budget are drawn evenly by the printed seed;
 * LEAT_SUSPEND_ALL=1 tries all.
 */
#ifndef TESTS_SUSPEND_SUSPEND_H
#define TESTS_SUSPEND_SUSPEND_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/support/freeze.h"

#define SUSPEND_OPERATIONS_MAX 6
#define SUSPEND_SITUATIONS_MAX 10
#define SUSPEND_PLACES_MAX     4

/* Numbers of threads: the two others, the two that are frozen, and one that was held long ago. The
 * test's own thread arranges as the first. */
enum suspend_who {
    SUSPEND_OTHER,
    SUSPEND_OTHER_SECOND,
    SUSPEND_FROZEN,
    SUSPEND_FROZEN_SECOND,
    SUSPEND_EARLIER,
    SUSPEND_WHO_COUNT
};

struct suspend_subject;

/* From behind one place up to in front of another. */
struct suspend_span {
    const char *behind;
    const char *upto;
};

struct suspend_operation {
    const char *name;
    /* One call, by the thread `who`. True: it succeeded. */
    bool (*run)(void *subject, uint32_t who);
    /* Not NULL: what is frozen is a thread of the subject's own, which then is brought to run. */
    struct freeze *(*begin)(void *subject, uint64_t step, struct freeze_places *seen);
    bool witness; /* shows that the others go on; nobody is frozen in it */
    bool tries;   /* it need not succeed, but has to come back */
    bool owner;   /* one thread alone may do operations of an owner, and if it stops nobody does */
    /* Of the items that there are, so many may be out of reach while a thread is frozen in it. */
    uint32_t hides;
    /* Not 0: it is wait-free, and takes at most so many steps, whatever the others do. */
    uint64_t steps_most;
    /* Steps that it must come by in some situation, as below. */
    const char *walks[SUSPEND_PLACES_MAX];
    /* Where it must be found blocking, or late, as "FILE KIND WORD". None: it must be lock-free. */
    const char *blocks[SUSPEND_PLACES_MAX];
    /* Where it may block or not: whether it comes to what others need is a matter of time. */
    const char *blocks_or_not[SUSPEND_PLACES_MAX];
    /* Or each step in here, as often as an operation that nobody disturbs comes through it, and no
     * step outside. */
    struct suspend_span span;
    const char *late[SUSPEND_PLACES_MAX];
    /* Where it may be late or not: whether someone is asleep then is a matter of time. */
    const char *late_or_not[SUSPEND_PLACES_MAX];
};

struct suspend_situation {
    const char *name;
    void (*arrange)(void *subject);
    uint32_t items; /* there then; of interest to subjects with an owner */
    uint32_t more;  /* so many operations more than one are allowed before it is late */
};

struct suspend_subject {
    const char *name;
    uint32_t capacity; /* places */
    uint32_t budget;   /* trials with an interruption, and as many with two frozen */
    const void *context;
    void *(*create)(const struct suspend_subject *subject);
    /* All threads have gone on to the end of their operation: looks through it and frees it. */
    void (*destroy)(void *subject);
    /* True if nothing is left undone that the others have begun. NULL: what succeeds is done. */
    bool (*settled)(void *subject);
    struct suspend_operation operations[SUSPEND_OPERATIONS_MAX];
    struct suspend_situation situations[SUSPEND_SITUATIONS_MAX];
};

/* Runs all trials and prints a line for each operation. False: something is not as it should be. */
bool suspend_run(const struct suspend_subject *subject);

/* ---- for situations -------------------------------------------------------------------------- */

/* A thread does all operations, until each has succeeded 3 times as often as there are places. */
void suspend_laps(const struct suspend_subject *subject, void *state);

/* A thread in `operation` is held in front of its last store to a word of `file`, laps go by, and
 * it goes on: what it stores is long out of date. */
void suspend_late_store(const struct suspend_subject *subject, void *state, uint32_t operation,
                        const char *file);

#endif
