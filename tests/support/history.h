/* history.h - what threads did with a bounded queue, and when; and what must hold of it.
 *
 * Each thread writes a log of its own. An operation carries two stamps of one clock, taken before
 * the call and after it; if one ends before another begins, the queue has to explain them in this
 * order. The clock is one of two:
 *
 *   counted  An atomic counter: all stamps differ, none is left out, and a stamp happens-before
 *            every later one, so the order holds by the rules of the memory model too. It orders
 *            the threads more than the queue alone would, and so may hide a missing edge.
 *   timed    The system's monotonic clock, which disturbs less. Two stamps may be equal, and an
 *            answer of full or empty proves nothing to the nanosecond.
 *
 * history_check() looks at a history of any length. It is sound and not complete: what it reports
 * is wrong, but it tries no orders. linear.h tries them all, on small histories. */
#ifndef TESTS_SUPPORT_HISTORY_H
#define TESTS_SUPPORT_HISTORY_H

#include <stdio.h>

#include "ring/atomic.h"
#include "tests/support/rings.h"

struct history_op {
    uint64_t begin;
    uint64_t end;
    uint32_t item; /* a different one for each push; of an empty answer: 0 */
    uint16_t thread;
    bool pops;
    bool ok; /* false: full, or empty */
};

struct history_log {
    LEAT_ALIGNED_LINE struct history_op *ops; /* in the order of their calls */
    uint32_t count;
};

struct history {
    LEAT_ALIGNED_LINE leat_atomic_u64 clock; /* next stamp, if counted */
    LEAT_ALIGNED_LINE struct history_log *logs;
    uint32_t threads;
    uint32_t ops_max; /* of each log */
    bool counted;
};

/* What the queue promises. */
struct history_rule {
    uint32_t capacity;
    /* A push may also answer full while a pop is under way, a pop empty while a push is. */
    bool busy_answers;
};

void history_init(struct history *history, uint32_t threads, uint32_t ops_max, bool counted);
void history_fini(struct history *history);
/* Forgets all operations. */
void history_clear(struct history *history);

/* One operation of `thread`, logged. False: full, or empty. */
bool history_push(struct history *history, uint32_t thread, struct test_ring ring, uint32_t item);
bool history_pop(struct history *history, uint32_t thread, struct test_ring ring);
bool history_log_full(const struct history *history, uint32_t thread);

/* The rest are for the time after the threads. */

/* All operations in the order of their begins; the caller frees them. */
struct history_op *history_merge(const struct history *history, uint32_t *count);
void history_print(const struct history_op *ops, uint32_t count, FILE *file);

/* pre: the queue was empty at first and drained at the end.
 * Items: each pushed one was popped once, and no other. Order: each thread got the items of each
 * other in the order of its pushes; and if one item went in before another, it did not come out
 * after it. Of counted histories also: never were more items inside than fit; at some moment of an
 * empty answer no item had to be inside, at some moment of a full one enough could have been. Says
 * on `why` what does not hold. */
bool history_check(const struct history *history, struct history_rule rule, FILE *why);

#endif
