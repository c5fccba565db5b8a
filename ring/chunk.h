/* chunk.h - a block of up to 32 items that travels through a ring as one item of kind CHUNK: one
 * compare-and-swap publishes them all, and one takes them all.
 *
 * The last item of a block may itself be of kind CHUNK and name the block that goes on: so a batch
 * of any length is one item, published at once, in order.
 *
 * Roles    plain memory. Who fills a block is alone with it until the push of its item; from its
 *          pop on, who took the item is. The ring carries the edge.
 */
#ifndef RING_CHUNK_H
#define RING_CHUNK_H

#include <string.h>

#include "ring/limits.h"

/* Behind the last item of a block that is not full; no item has all bits set. */
#define LEAT_CHUNK_END UINT32_MAX

/* Two lines of 64 bytes that are fetched as a pair. */
struct leat_chunk {
    LEAT_ALIGNED_LINE uint32_t items[LEAT_CHUNK_ITEMS];
};

LEAT_STATIC(sizeof(struct leat_chunk) == LEAT_LINE_BYTES, "a block is one line");

/* Fills a block with count items, 1 to LEAT_CHUNK_ITEMS. */
LEAT_INLINE void
leat_chunk_fill(struct leat_chunk *chunk, const uint32_t *items, uint32_t count)
{
    LEAT_ASSERT(count >= 1);
    LEAT_ASSERT(count <= LEAT_CHUNK_ITEMS);
    memcpy(chunk->items, items, count * sizeof(items[0]));
    if (count < LEAT_CHUNK_ITEMS) {
        chunk->items[count] = LEAT_CHUNK_END;
    }
}

/* How many items are in it. */
LEAT_INLINE uint32_t
leat_chunk_count(const struct leat_chunk *chunk)
{
    uint32_t count = 0;
    while (count < LEAT_CHUNK_ITEMS && chunk->items[count] != LEAT_CHUNK_END) {
        count++;
    }
    return count;
}

#endif
