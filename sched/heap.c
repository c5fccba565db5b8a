/* heap.c - merging and checking heaps, see heap.h. */
#include "sched/heap.h"

#include <inttypes.h>

static struct leat_heap_node *
node_of(struct leat_heap_links links, uint32_t index)
{
    return links.node(links.context, index);
}

static uint32_t
rank_of(struct leat_heap_links links, uint32_t index)
{
    return index == LEAT_INDEX_NONE ? 0 : node_of(links, index)->rank;
}

/* `right` comes below `index`, on the side where it keeps I2. */
static void
hang(struct leat_heap_links links, uint32_t index, uint32_t right)
{
    struct leat_heap_node *node = node_of(links, index);
    node->right = right;
    if (rank_of(links, node->left) < rank_of(links, right)) {
        node->right = node->left;
        node->left = right;
    }
    node->rank = rank_of(links, node->right) + 1;
}

uint32_t
leat_heap_merge(struct leat_heap_links links, uint32_t one, uint32_t other)
{
    uint32_t path[LEAT_HEAP_PATH];
    uint32_t count = 0;
    /* Down both right spines, which I2 bounds. */
    while (one != LEAT_INDEX_NONE && other != LEAT_INDEX_NONE) {
        LEAT_ASSERT(count < LEAT_HEAP_PATH);
        if (links.before(links.context, other, one)) {
            uint32_t later = one;
            one = other;
            other = later;
        }
        path[count++] = one;
        one = node_of(links, one)->right;
    }
    uint32_t below = one == LEAT_INDEX_NONE ? other : one;
    while (count > 0) {
        count--;
        hang(links, path[count], below);
        below = path[count];
    }
    return below;
}

/* One record, and puts those below it into the queue. */
static bool
node_check(struct leat_heap_links links, struct leat_fifo_links queue, struct leat_fifo *below,
           uint32_t index)
{
    const struct leat_heap_node *node = node_of(links, index);
    const uint32_t sides[] = {node->left, node->right};
    bool good = node->rank == rank_of(links, node->right) + 1 &&
                rank_of(links, node->left) >= rank_of(links, node->right);
    for (uint32_t i = 0; i < 2; i++) {
        if (sides[i] != LEAT_INDEX_NONE) {
            good = !links.before(links.context, sides[i], index) && good;
            leat_fifo_push_back(below, queue, sides[i]);
        }
    }
    return good;
}

bool
leat_heap_check(const struct leat_heap *heap, struct leat_heap_links links,
                struct leat_fifo_links queue, FILE *why)
{
    struct leat_fifo below;
    uint32_t seen = 0;
    uint32_t index = heap->root;
    bool good = true;
    leat_fifo_init(&below);
    if (heap->count != 0) {
        leat_fifo_push_back(&below, queue, heap->root);
    }
    /* More than there are means a circle. */
    while (seen <= heap->count && leat_fifo_pop_front(&below, queue, &index)) {
        seen++;
        good = node_check(links, queue, &below, index) && good;
    }
    if ((!good || seen != heap->count) && why != NULL) {
        (void)fprintf(why, "heap: of %" PRIu32 " records %" PRIu32 " are there, in order %d\n",
                      heap->count, seen, good ? 1 : 0);
    }
    return good && seen == heap->count;
}
