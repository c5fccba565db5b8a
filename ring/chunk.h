/* chunk.h - a block of up to 32 items that travels through a ring as one item of kind CHUNK: one
 * compare-and-swap publishes them all, and one takes them all.
 *
 * The last item of a block may itself be of kind CHUNK and name the block that goes on: so a batch
 * of any length is one item, published at once, in order.
 *
 * Roles    who fills a block is alone with it until the push of its item; from its pop on, who took
 *          the item is. The ring carries the edge. The first two items are one atomic word, for the
 *          slab's sake alone: it keeps the link of a free block there (link_inside), and who is
 *          late with a take may still read it. The rest is plain memory.
 */
#ifndef RING_CHUNK_H
#define RING_CHUNK_H

#include "ring/atomic.h"
#include "ring/limits.h"

/* Behind the last item of a block that is not full; no item has all bits set. */
#define LEAT_CHUNK_END UINT32_MAX

/* Two lines of 64 bytes that are fetched as a pair. Letters: S many writers; O who has it. */
struct leat_chunk {
    union {
        LEAT_ALIGNED_LINE leat_atomic_u64 pair; /* S the first two, the first one low */
        uint32_t items[LEAT_CHUNK_ITEMS];       /* O those behind them */
    };
};

LEAT_STATIC(sizeof(struct leat_chunk) == LEAT_LINE_BYTES, "a block is one line");

/* Fills a block with count items, 1 to LEAT_CHUNK_ITEMS. */
LEAT_INLINE void
leat_chunk_fill(struct leat_chunk *chunk, const uint32_t *items, uint32_t count)
{
    LEAT_ASSERT(count >= 1);
    LEAT_ASSERT(count <= LEAT_CHUNK_ITEMS);
    uint64_t second = count == 1 ? LEAT_CHUNK_END : items[1];
    uint32_t end = count == 1 ? 2 : count;
    atom_store_rlx(&chunk->pair, second << 32 | items[0]); /* rlx: ordered by push:C */
    for (uint32_t i = 2; i < count; i++) {
        chunk->items[i] = items[i];
    }
    if (end < LEAT_CHUNK_ITEMS) {
        chunk->items[end] = LEAT_CHUNK_END;
    }
}

/* Copies its items; there is room for LEAT_CHUNK_ITEMS. Returns how many they are, 1 at least. */
LEAT_INLINE uint32_t
leat_chunk_read(const struct leat_chunk *chunk, uint32_t *items)
{
    uint64_t pair = atom_load_rlx(&chunk->pair); /* rlx: ordered by pop:B */
    items[0] = (uint32_t)pair;
    items[1] = (uint32_t)(pair >> 32);
    if (items[1] == LEAT_CHUNK_END) {
        return 1;
    }
    uint32_t count = 2;
    while (count < LEAT_CHUNK_ITEMS && chunk->items[count] != LEAT_CHUNK_END) {
        items[count] = chunk->items[count];
        count++;
    }
    return count;
}

#endif
