/* bulk.h - memory for what is read of a log: taken from the system by the megabyte, in huge pages
 * where it has them, and given back as a whole. There a page costs more than what is written to
 * it. One thread. */
#ifndef ENGINE_DURABLE_BULK_H
#define ENGINE_DURABLE_BULK_H

#include "ring/memory.h"

/* Blocks that are given back wait by their size, in such steps; larger ones than the last are the
 * allocator's. */
#define LEAT_DURABLE_BULK_STEP  32
#define LEAT_DURABLE_BULK_SIZES 128

struct leat_durable_bulk {
    void *regions;                        /* linked by their first word */
    unsigned char *next;                  /* what was never used of the last one */
    size_t left;                          /* bytes of it */
    void *spare[LEAT_DURABLE_BULK_SIZES]; /* by size, linked by their first word */
};

/* So many bytes are the allocator's. */
LEAT_INLINE bool
leat_durable_bulk_single(size_t bytes)
{
    return bytes > (size_t)LEAT_DURABLE_BULK_STEP * (LEAT_DURABLE_BULK_SIZES - 1);
}

/* Of any content, aligned to 16. NULL: no memory, or no bytes. */
void *leat_durable_bulk_take(struct leat_durable_bulk *bulk, const struct leat_memory *memory,
                             size_t bytes);
void leat_durable_bulk_give(struct leat_durable_bulk *bulk, const struct leat_memory *memory,
                            void *block, size_t bytes);
/* At most LEAT_DURABLE_BULK_FRESH, all zero, for as long as there is the bulk. NULL: no memory. */
#define LEAT_DURABLE_BULK_FRESH (UINT64_C(1) << 20)
void *leat_durable_bulk_fresh(struct leat_durable_bulk *bulk, size_t bytes);
/* Gives back all but what is the allocator's: so those blocks have to be given before. */
void leat_durable_bulk_fini(struct leat_durable_bulk *bulk);

#endif
