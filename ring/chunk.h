/* chunk.h - a block of up to 32 items that travels through a ring as one item of kind CHUNK: one
 * compare-and-swap publishes them all, and one takes them all.
 *
 * The last item of a block may itself be of kind CHUNK and name the block that goes on: so a batch
 * of any length is one item, published at once, in order.
 *
 * Roles    who fills a block is alone with it until the push of its item; from its pop on, who took
 *          the item is. The ring carries the edge. Words are atomic for the slab's sake alone: it
 *          keeps the link of a free block in the first, and who is late may still read it there.
 */
#ifndef RING_CHUNK_H
#define RING_CHUNK_H

#include "ring/atomic.h"
#include "ring/limits.h"

/* Behind the last item of a block that is not full; no item has all bits set. */
#define LEAT_CHUNK_END UINT32_MAX

/* Two lines of 64 bytes that are fetched as a pair. */
struct leat_chunk {
    LEAT_ALIGNED_LINE leat_atomic_u64 pairs[LEAT_CHUNK_ITEMS / 2]; /* S the first item is low */
};

LEAT_STATIC(LEAT_CHUNK_ITEMS % 2 == 0, "items stand in pairs");
LEAT_STATIC(sizeof(struct leat_chunk) == LEAT_LINE_BYTES, "a block is one line");

/* Fills a block with count items, 1 to LEAT_CHUNK_ITEMS. */
LEAT_INLINE void
leat_chunk_fill(struct leat_chunk *chunk, const uint32_t *items, uint32_t count)
{
    LEAT_ASSERT(count >= 1);
    LEAT_ASSERT(count <= LEAT_CHUNK_ITEMS);
    for (uint32_t i = 0; i < count; i += 2) {
        uint64_t second = i + 1 < count ? items[i + 1] : LEAT_CHUNK_END;
        atom_store_rlx(&chunk->pairs[i / 2], second << 32 | items[i]); /* rlx: ordered by push:C */
    }
    if (count < LEAT_CHUNK_ITEMS && count % 2 == 0) {
        /* rlx: ordered by push:C */
        atom_store_rlx(&chunk->pairs[count / 2], LEAT_CHUNK_END);
    }
}

/* Copies its items; there is room for LEAT_CHUNK_ITEMS. Returns how many they are. */
LEAT_INLINE uint32_t
leat_chunk_read(const struct leat_chunk *chunk, uint32_t *items)
{
    for (uint32_t i = 0; i < LEAT_CHUNK_ITEMS; i += 2) {
        uint64_t pair = atom_load_rlx(&chunk->pairs[i / 2]); /* rlx: ordered by pop:B */
        items[i] = (uint32_t)pair;
        items[i + 1] = (uint32_t)(pair >> 32);
        if (items[i] == LEAT_CHUNK_END || items[i + 1] == LEAT_CHUNK_END) {
            return items[i] == LEAT_CHUNK_END ? i : i + 1;
        }
    }
    return LEAT_CHUNK_ITEMS;
}

#endif
