/* bulk.c - see bulk.h. */
#include "engine/durable/bulk.h"

#include "ring/os.h"

/* Four huge pages; what is not used of them was never touched. */
#define REGION_BYTES (UINT64_C(8) << 20)
/* In front of a region: its link, and the alignment of what follows. */
#define REGION_HEAD 64

LEAT_STATIC(LEAT_DURABLE_BULK_FRESH <= REGION_BYTES - REGION_HEAD, "it fits into a region");
LEAT_STATIC(LEAT_DURABLE_BULK_STEP % 16 == 0, "blocks stay aligned");

static size_t
size_of(size_t bytes)
{
    return leat_round_up(bytes, LEAT_DURABLE_BULK_STEP) / LEAT_DURABLE_BULK_STEP;
}

void *
leat_durable_bulk_fresh(struct leat_durable_bulk *bulk, size_t bytes)
{
    bytes = leat_round_up(bytes, LEAT_DURABLE_BULK_STEP);
    if (bytes > bulk->left) {
        void **region = leat_os_map(REGION_BYTES);
        if (region == NULL) {
            return NULL;
        }
        leat_os_huge(region, REGION_BYTES);
        *region = bulk->regions;
        bulk->regions = region;
        bulk->next = (unsigned char *)region + REGION_HEAD;
        bulk->left = REGION_BYTES - REGION_HEAD;
    }
    void *block = bulk->next;
    bulk->next += bytes;
    bulk->left -= bytes;
    return block;
}

void *
leat_durable_bulk_take(struct leat_durable_bulk *bulk, const struct leat_memory *memory,
                       size_t bytes)
{
    const size_t size = size_of(bytes);
    if (leat_durable_bulk_single(bytes)) {
        return leat_memory_take(memory, bytes);
    }
    if (size == 0) {
        return NULL;
    }
    void **spare = bulk->spare[size];
    if (spare == NULL) {
        return leat_durable_bulk_fresh(bulk, bytes);
    }
    bulk->spare[size] = *spare;
    return spare;
}

void
leat_durable_bulk_give(struct leat_durable_bulk *bulk, const struct leat_memory *memory,
                       void *block, size_t bytes)
{
    const size_t size = size_of(bytes);
    if (block == NULL) {
        return;
    }
    if (leat_durable_bulk_single(bytes)) {
        leat_memory_give(memory, block, bytes);
        return;
    }
    void **spare = block;
    *spare = bulk->spare[size];
    bulk->spare[size] = block;
}

void
leat_durable_bulk_fini(struct leat_durable_bulk *bulk)
{
    while (bulk->regions != NULL) {
        void **region = bulk->regions;
        bulk->regions = *region;
        leat_os_unmap(region, REGION_BYTES);
    }
    *bulk = (struct leat_durable_bulk){.left = 0};
}
