/* heap.h - records in an exact order, owned by one thread at a time: the least comes first.
 *
 * Source   leftist heap: C. A. Crane, Linear Lists and Priority Queues as Balanced Binary Trees,
 *          Stanford 1972; D. E. Knuth, TAOCP 3, 5.2.3. Differs: no recursion; the right spines that
 *          a merge goes down fit into an array.
 * Roles    one owner at a time, as of ring/fifo.h. The links are in the records, so that it holds
 *          any number of them without memory of its own.
 * Claims   No operation waits. merge, add and pop look at 2 * log2(count) records at most, each
 *          single one: so there is no slow one that a holder of a role would have to end.
 * I1       no record is before the one above it
 * I2       rank is 1 more than that of the record to the right, which is at most that of the one to
 *          the left; none has rank 0. So at least 2^rank - 1 records are in and below one.
 */
#ifndef SCHED_HEAP_H
#define SCHED_HEAP_H

#include <stdio.h>

#include "ring/fifo.h"

/* In the record. Letters: O the owner thread only. */
struct leat_heap_node {
    uint32_t left;  /* O LEAT_INDEX_NONE: nothing */
    uint32_t right; /* O */
    uint32_t rank;  /* O */
};

/* Letters: O the owner thread only. A heap of zeros is empty. */
struct leat_heap {
    uint32_t root;  /* O where there are any */
    uint32_t count; /* O */
};

struct leat_heap_links {
    struct leat_heap_node *(*node)(void *context, uint32_t index);
    /* A total order. */
    bool (*before)(void *context, uint32_t index, uint32_t other);
    void *context;
};

/* Two spines, each as long as a rank. */
#define LEAT_HEAP_PATH (2 * LEAT_INDEX_BITS)

/* Checks I1, I2 and the count; `queue` links records that are in the heap only. Says on `why` (may
 * be NULL) what is wrong. */
bool leat_heap_check(const struct leat_heap *heap, struct leat_heap_links links,
                     struct leat_fifo_links queue, FILE *why);

/* One of both roots, or of LEAT_INDEX_NONE for no records, below which all are. */
uint32_t leat_heap_merge(struct leat_heap_links links, uint32_t one, uint32_t other);

LEAT_INLINE void
leat_heap_add(struct leat_heap *heap, struct leat_heap_links links, uint32_t index)
{
    *links.node(links.context, index) =
        (struct leat_heap_node){LEAT_INDEX_NONE, LEAT_INDEX_NONE, 1};
    heap->root = heap->count == 0 ? index : leat_heap_merge(links, heap->root, index);
    heap->count++;
}

/* False: empty. */
LEAT_INLINE bool
leat_heap_pop(struct leat_heap *heap, struct leat_heap_links links, uint32_t *index)
{
    if (heap->count == 0) {
        return false;
    }
    *index = heap->root;
    const struct leat_heap_node *node = links.node(links.context, heap->root);
    heap->root = leat_heap_merge(links, node->left, node->right);
    heap->count--;
    return true;
}

#endif
