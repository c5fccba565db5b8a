/* lists_check.c - looks through the lists of a quiescent level, see lists.h. */
#include "sched/lists.h"

#include <inttypes.h>

#include "sched/lists_internal.h"

/* A list that was never used is zeroed, which a check of its links would call wrong. */
static bool
list_check(const struct leat_pool *pool, uint32_t level, uint32_t queue, FILE *why)
{
    const struct leat_fifo_links links = job_links(pool);
    const struct leat_list *list = &pool->lists[level].lists[queue];
    /* rlx: not shared yet */
    uint32_t waiting = atom_load_rlx(&pool->queues[queue].waiting[level]) & LEAT_LIST_WAITING;
    bool exact = in_exact_order(pool, level, queue);
    uint32_t chained = list->returned.count + list->swept.count + list->jobs.count;
    uint32_t listed = exact ? list->heap.count + list->under : chained;
    bool linked = (list->returned.count == 0 || leat_fifo_check(&list->returned, links, why)) &&
                  (list->swept.count == 0 || leat_fifo_check(&list->swept, links, why)) &&
                  (list->jobs.count == 0 || leat_fifo_check(&list->jobs, links, why)) &&
                  (!exact || leat_heap_check(&list->heap, heap_links(pool), links, why));
    bool ready = listed == 0 || list->on_ready || list->shut;
    if ((waiting < listed || !ready) && why != NULL) {
        (void)fprintf(why,
                      "lists: level %" PRIu32 ", queue %" PRIu32 ": %" PRIu32 " listed, %" PRIu32
                      " counted (I2), ready %d (I4)\n",
                      level, queue, listed, waiting, list->on_ready ? 1 : 0);
    }
    return linked && ready && waiting >= listed;
}

bool
leat_lists_check(const struct leat_pool *pool, uint32_t level, FILE *why)
{
    const struct leat_lists *lists = &pool->lists[level];
    uint32_t role = atom_load_rlx(&lists->role); /* rlx: not shared yet */
    bool good = role == LEAT_ROLE_LEFT || (role == LEAT_ROLE_FREE && part_empty(lists));
    if (!good && why != NULL) {
        (void)fprintf(why, "lists: I4: role %" PRIu32 "\n", role);
    }
    good = leat_fifo_check(&lists->ready, queue_links(lists), why) && good;
    good = leat_fifo_check(&lists->held, queue_links(lists), why) && good;
    good = leat_fifo_check(&lists->turned, job_links(pool), why) && good;
    for (uint32_t queue = 0; queue < pool->config.queues; queue++) {
        good = list_check(pool, level, queue, why) && good;
    }
    return good;
}
