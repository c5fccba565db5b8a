/* litmus.h - small programs over shared words, as text.
 *
 * A program is one line per thread, operations with blanks between them:
 *
 *   x=1   x=1.rel   x=a        store a number or a register; without an order: relaxed
 *   a=x   a=x.acq              load
 *   a=x+1.ar                   add; a is the value before. .ar is acq_rel
 *   a=x:1.ar                   swap
 *   a=x?0>1.ar/acq             swap if it is 0; a is the value seen. Behind / the order if it fails
 *   F.sc  F.ar  F.acq  F.rel   fence
 *   p=1   a=p                  plain write and read
 *   ?a    ?a=2                 the thread goes on only if a is not 0, or is 2
 *
 * Words are s to z, registers a to j, plain data p and q; all are 0 at first, and a register is 9
 * until it is set. An outcome names registers and final values: "a=1 b=0 x=2"; an empty one is
 * never found.
 */
#ifndef TESTS_MODEL_LITMUS_H
#define TESTS_MODEL_LITMUS_H

#include "tests/support/explore.h"

enum litmus_verdict {
    ALLOWED,   /* must be found */
    FORBIDDEN, /* must not be found, and nothing else goes wrong */
    RACE,      /* there must be a data race */
    UNSEEN     /* allowed in C11, but of the kinds that the explorer leaves out: not found */
};

struct litmus {
    const char *name;
    const char *threads[EXPLORE_THREADS_MAX];
    const char *outcome;
    enum litmus_verdict verdict;
};

/* Explores the program. True: the verdict holds. */
bool litmus_run(const struct litmus *litmus);
/* Explores the program with and without pruning. True: the same states and outcomes were seen. */
bool litmus_prunes_well(const struct litmus *litmus, uint64_t *states);
/* Prints all outcomes of a program. Returns an exit status. */
int litmus_outcomes(int threads_count, char **threads);
/* Runs the table and prints a summary. Returns how many verdicts do not hold. */
uint32_t litmus_table(void);

#endif
