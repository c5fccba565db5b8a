/* linear.h - is a small history linearizable: is there a moment for each operation, between its
 * begin and its end, such that a bounded FIFO queue that does them in this order answers as the
 * history says? Full and empty are answers like any other.
 *
 * Source   Jeannette Wing and Chun Gong, "Testing and verifying concurrent objects", 1993, the
 *          search; Gavin Lowe, "Testing for linearizability", 2017, to remember the configurations
 *          that led nowhere. Differs: a configuration, operations done and queue, is one word. */
#ifndef TESTS_SUPPORT_LINEAR_H
#define TESTS_SUPPORT_LINEAR_H

#include "tests/support/history.h"

/* Done operations and the queue fill 64 bits. */
#define LINEAR_OPS_MAX      24
#define LINEAR_CAPACITY_MAX 8

/* Configurations of one history: 24 operations of 4 threads have some ten thousand at most. */
#define LINEAR_SEEN_LOG2 18
#define LINEAR_SEEN_MAX  (UINT32_C(1) << (LINEAR_SEEN_LOG2 - 1))

/* What a search remembers; large, so that it is taken once for many searches. */
struct linear_memory {
    uint64_t seen[UINT32_C(1) << LINEAR_SEEN_LOG2]; /* 0: free */
    uint32_t places[LINEAR_SEEN_MAX];               /* of what is to be freed again */
    uint32_t count;
};

struct linear_memory *linear_memory_create(void);
void linear_memory_destroy(struct linear_memory *memory);

/* pre: at most LINEAR_OPS_MAX operations, all complete, on a queue that was empty at first; the
 * pushed items differ. */
bool linear_check(struct linear_memory *memory, const struct history_op *ops, uint32_t count,
                  struct history_rule rule);

#endif
