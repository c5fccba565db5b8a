/* fifo.h - a list of records in the order in which they wait, owned by one thread at a time.
 *
 * Source   the singly linked list with two ends. The links are in the records, so that it holds any
 *          number of them without memory of its own.
 * Roles    one owner at a time; who hands it on hands on what it wrote, by an edge of its own. The
 *          links are atomic because the same words serve lists that are shared; while a record is
 *          in here they are the owner's. A record is in one list at a time, once.
 * Claims   No operation waits. All take constant time but take_over, sweep and check, which look at
 *          each record once.
 *          Order  as pushed, and what is taken over from a list that has its newest record first,
 *                 oldest first.
 * I1       the links lead from the first record over `count` of them to the last, whose link is
 *          LEAT_INDEX_NONE; where count is 0, first and last are LEAT_INDEX_NONE
 */
#ifndef RING_FIFO_H
#define RING_FIFO_H

#include <stdio.h>

#include "ring/atomic.h"
#include "ring/limits.h"

/* Letters: O the owner thread only. */
struct leat_fifo {
    uint32_t first; /* O */
    uint32_t last;  /* O */
    uint32_t count; /* O */
};

/* Where the links are. Given at each call, as a constant, so that `of` is inlined. */
struct leat_fifo_links {
    leat_atomic_u32 *(*of)(void *context, uint32_t index);
    void *context;
};

/* Checks I1; says on `why` (may be NULL) what is wrong. */
bool leat_fifo_check(const struct leat_fifo *fifo, struct leat_fifo_links links, FILE *why);

LEAT_INLINE uint32_t
leat_fifo_link(struct leat_fifo_links links, uint32_t index)
{
    return atom_load_rlx(links.of(links.context, index)); /* rlx: single writer */
}

LEAT_INLINE void
leat_fifo_link_to(struct leat_fifo_links links, uint32_t index, uint32_t next)
{
    atom_store_rlx(links.of(links.context, index), next); /* rlx: single writer */
}

LEAT_INLINE void
leat_fifo_init(struct leat_fifo *fifo)
{
    fifo->first = LEAT_INDEX_NONE;
    fifo->last = LEAT_INDEX_NONE;
    fifo->count = 0;
}

/* Appends records that are linked from `first` to `last`. */
LEAT_INLINE void
leat_fifo_append(struct leat_fifo *fifo, struct leat_fifo_links links, struct leat_fifo chain)
{
    if (fifo->count == 0) {
        fifo->first = chain.first;
    } else {
        leat_fifo_link_to(links, fifo->last, chain.first);
    }
    fifo->last = chain.last;
    fifo->count += chain.count;
}

LEAT_INLINE void
leat_fifo_push_back(struct leat_fifo *fifo, struct leat_fifo_links links, uint32_t index)
{
    LEAT_DCHECK(index < LEAT_INDEX_NONE);
    leat_fifo_link_to(links, index, LEAT_INDEX_NONE);
    leat_fifo_append(fifo, links, (struct leat_fifo){index, index, 1});
}

LEAT_INLINE void
leat_fifo_push_front(struct leat_fifo *fifo, struct leat_fifo_links links, uint32_t index)
{
    LEAT_DCHECK(index < LEAT_INDEX_NONE);
    leat_fifo_link_to(links, index, fifo->first);
    fifo->first = index;
    if (fifo->count == 0) {
        fifo->last = index;
    }
    fifo->count++;
}

/* False: empty. */
LEAT_INLINE bool
leat_fifo_pop_front(struct leat_fifo *fifo, struct leat_fifo_links links, uint32_t *index)
{
    if (fifo->count == 0) {
        return false;
    }
    *index = fifo->first;
    fifo->first = leat_fifo_link(links, fifo->first);
    fifo->count--;
    if (fifo->count == 0) {
        fifo->last = LEAT_INDEX_NONE;
    }
    return true;
}

/* Appends a chain that comes newest first, such as an inbox gives, in the order from its oldest to
 * its newest record. LEAT_INDEX_NONE: nothing. Returns how many there were. */
LEAT_INLINE uint32_t
leat_fifo_take_over(struct leat_fifo *fifo, struct leat_fifo_links links, uint32_t newest)
{
    struct leat_fifo chain = {LEAT_INDEX_NONE, newest, 0};
    uint32_t index = newest;
    while (index != LEAT_INDEX_NONE) {
        /* More than there can be means a circle. */
        LEAT_ASSERT(chain.count < LEAT_RECORDS_MAX);
        uint32_t older = leat_fifo_link(links, index);
        leat_fifo_link_to(links, index, chain.first);
        chain.first = index;
        chain.count++;
        index = older;
    }
    if (chain.count != 0) {
        leat_fifo_append(fifo, links, chain);
    }
    return chain.count;
}

/* Asks `drops` about each record in order, and takes out those for which it says yes; such a record
 * is its caller's from that moment and may be used again at once. Returns how many. */
LEAT_INLINE uint32_t
leat_fifo_sweep(struct leat_fifo *fifo, struct leat_fifo_links links,
                bool (*drops)(void *context, uint32_t index))
{
    uint32_t count = fifo->count;
    uint32_t kept = LEAT_INDEX_NONE; /* the last that stays */
    uint32_t index = fifo->first;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t next = leat_fifo_link(links, index);
        if (!drops(links.context, index)) {
            kept = index;
        } else {
            fifo->count--;
            if (kept == LEAT_INDEX_NONE) {
                fifo->first = next;
            } else {
                leat_fifo_link_to(links, kept, next);
            }
        }
        index = next;
    }
    fifo->last = kept;
    return count - fifo->count;
}

#endif
