/* lists_internal.h - what lists.c and lists_check.c share: where the links are, and what a level's
 * part is. */
#ifndef SCHED_LISTS_INTERNAL_H
#define SCHED_LISTS_INTERNAL_H

#include "sched/pool.h"

LEAT_INLINE struct leat_fifo_links
job_links(const struct leat_pool *pool)
{
    struct leat_fifo_links links = {pool->config.lists.link, pool->config.lists.context};
    return links;
}

LEAT_INLINE leat_atomic_u32 *
ready_link(void *context, uint32_t queue)
{
    struct leat_list *lists = context;
    return &lists[queue].next;
}

LEAT_INLINE struct leat_fifo_links
queue_links(const struct leat_lists *lists)
{
    struct leat_fifo_links links = {ready_link, lists->lists};
    return links;
}

LEAT_INLINE struct leat_heap_links
heap_links(const struct leat_pool *pool)
{
    const struct leat_lists_ops *ops = &pool->config.lists;
    struct leat_heap_links links = {ops->node, ops->before, ops->context};
    return links;
}

LEAT_INLINE bool
in_exact_order(const struct leat_pool *pool, uint32_t level, uint32_t queue)
{
    /* Set before the first job was listed. rlx: ordered by inbox:B */
    return (atom_load_rlx(&pool->queues[queue].waiting[level]) & LEAT_LIST_EXACT) != 0;
}

LEAT_INLINE bool
part_empty(const struct leat_lists *lists)
{
    bool jobs = lists->chain != LEAT_INDEX_NONE || lists->turned.count != 0;
    bool sweeps = lists->chain_calls != LEAT_INDEX_NONE || lists->sweeping != LEAT_INDEX_NONE;
    return !jobs && !sweeps && lists->ready.count == 0;
}

#endif
