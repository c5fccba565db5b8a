/* patience.h - for how long nothing happens is taken for blocking. Not by the clock alone: on a
 * loaded machine threads wait for a processor, and then nobody holds them up but the machine. A
 * thread's time counts while it runs, and while it sleeps of its own; and patience is over when
 * that of every thread of the program has come to the limit, but for the one that asks. */
#ifndef TESTS_SUSPEND_PATIENCE_H
#define TESTS_SUSPEND_PATIENCE_H

#include <stdbool.h>
#include <stdint.h>

#define PATIENCE_THREADS_MAX 32

struct patience {
    uint64_t limit_ns;
    uint64_t looked_ns; /* 0: not yet */
    uint32_t count;
    struct patience_thread {
        long id;
        uint64_t worked_ns; /* since it began, as of the last look */
        uint64_t had_ns;    /* of what counts */
    } threads[PATIENCE_THREADS_MAX];
};

void patience_begin(struct patience *patience, uint64_t limit_ns);
/* To be asked again and again. */
bool patience_is_over(struct patience *patience);

#endif
