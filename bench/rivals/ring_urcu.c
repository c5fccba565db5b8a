/* ring_urcu.c - liburcu's wfcqueue, for many producers and, without its mutex, one consumer. It
 * links records of the caller and has no bound, so no push is ever refused. There is a record for
 * each item of the run, as in a program whose records are there anyway; a thread alone uses a few
 * again.
 *
 * Its lock-free queue, rculfqueue, is not here: a record is free again only a grace period after
 * its pop, so it is no way to hand on items at this rate. */
#include <stdlib.h>
#include <string.h>
#include <urcu/wfcqueue.h>

#include "bench/kernels/ring_loop.h"

/* A pair of lines, as for all others. */
#define ALIGNMENT 128

extern const struct bench_ring_kind bench_rings_urcu[];

struct record {
    struct cds_wfcq_node node; /* first: its address is the record's */
    uint64_t item;
};

/* The producer's fields apart from the head, which is the consumer's, and from the tail. */
struct urcu {
    __attribute__((aligned(ALIGNMENT))) struct __cds_wfcq_head head;
    __attribute__((aligned(ALIGNMENT))) struct cds_wfcq_tail tail;
    __attribute__((aligned(ALIGNMENT))) struct record *records;
    uint64_t next;
    uint64_t count;
};

static void *
urcu_create(const struct bench_ring_shape *shape)
{
    struct urcu *made = aligned_alloc(ALIGNMENT, sizeof(*made));
    if (made == NULL) {
        return NULL;
    }
    memset(made, 0, sizeof(*made));
    __cds_wfcq_init(&made->head, &made->tail);
    made->count = shape->consumers == 0 ? BENCH_RING_SLOTS : shape->items;
    size_t bytes = made->count * sizeof(*made->records);
    made->records = malloc(bytes);
    if (made->records == NULL) {
        free(made);
        return NULL;
    }
    memset(made->records, 1, bytes); /* every page is there */
    return made;
}

static void
urcu_destroy(void *ring)
{
    struct urcu *made = ring;
    free(made->records);
    free(made);
}

BENCH_INLINE bool
urcu_push(void *ring, uint64_t item)
{
    struct urcu *made = ring;
    struct record *record = &made->records[made->next];
    made->next = made->next + 1 < made->count ? made->next + 1 : 0;
    record->item = item;
    cds_wfcq_node_init(&record->node);
    (void)cds_wfcq_enqueue(&made->head, &made->tail, &record->node);
    return true;
}

BENCH_INLINE bool
urcu_pop(void *ring, uint64_t *item)
{
    struct urcu *made = ring;
    struct cds_wfcq_node *node = __cds_wfcq_dequeue_nonblocking(&made->head, &made->tail);
    if (node == NULL || node == CDS_WFCQ_WOULDBLOCK) {
        return false;
    }
    *item = ((struct record *)node)->item;
    return true;
}

BENCH_RING_LOOPS(urcu)
BENCH_RING_EACH(urcu)
BENCH_RING_BATCH_LOOPS(urcu)

/* Locked: a push exchanges the tail; a pop swaps it back if it takes the last record, which is rare
 * but for a thread alone. */
const struct bench_ring_kind bench_rings_urcu[] = {
    {{"liburcu wfcqueue", BENCH_RING_SPSC, UINT32_MAX, 16, 1, 1, "unbounded; links records"},
     urcu_create,
     urcu_destroy,
     BENCH_RING_CALLS(urcu)},
    {.facts = {.name = NULL}},
};
