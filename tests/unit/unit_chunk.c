/* unit_chunk.c - a block of items: 1, 31 and 32 of them come out as they went in, and a chain of
 * blocks carries a batch of any length in order. */
#include <string.h>

#include "ring/chunk.h"
#include "tests/support/check.h"

#define ITEM(kind, index) ((uint32_t)(kind) << LEAT_INDEX_BITS | (uint32_t)(index))
#define KIND_CHUNK        2
#define BLOCKS            8
#define BATCH_MAX         150

static void
filled_with(uint32_t count)
{
    struct leat_chunk blocks[2]; /* the second one is another's */
    const unsigned char *others = (const void *)&blocks[1];
    uint32_t items[LEAT_CHUNK_ITEMS + 1];
    for (uint32_t i = 0; i <= LEAT_CHUNK_ITEMS; i++) {
        items[i] = ITEM(i % 3, LEAT_INDEX_NONE - i);
    }
    /* Whatever stood there before. */
    memset(blocks, 0x5A, sizeof(blocks));
    leat_chunk_fill(&blocks[0], items, count);
    for (size_t i = 0; i < sizeof(blocks[1]); i++) {
        CHECK_EQUAL(others[i], 0x5A);
    }
    uint32_t read[LEAT_CHUNK_ITEMS];
    CHECK_EQUAL(leat_chunk_read(&blocks[0], read), count);
    CHECK(memcmp(read, items, count * sizeof(items[0])) == 0);
}

static void
counts_are_kept(void **state)
{
    (void)state;
    for (uint32_t count = 1; count <= LEAT_CHUNK_ITEMS; count++) {
        filled_with(count);
    }
}

/* No item, of whatever kind, is taken for the end. */
static void
the_end_is_no_item(void **state)
{
    (void)state;
    CHECK((LEAT_CHUNK_END & ~((UINT32_C(1) << LEAT_ITEM_BITS) - 1)) != 0);
    struct leat_chunk chunk;
    const uint32_t item = (UINT32_C(1) << LEAT_ITEM_BITS) - 1;
    uint32_t read[LEAT_CHUNK_ITEMS];
    leat_chunk_fill(&chunk, &item, 1);
    CHECK_EQUAL(leat_chunk_read(&chunk, read), 1);
}

/* Fills blocks from the last one on, each with 31 items and the block that goes on. */
static uint32_t
chain_fill(struct leat_chunk *blocks, const uint32_t *items, uint32_t count)
{
    uint32_t used = 0;
    uint32_t last =
        count % (LEAT_CHUNK_ITEMS - 1) == 0 ? LEAT_CHUNK_ITEMS - 1 : count % (LEAT_CHUNK_ITEMS - 1);
    uint32_t first = count - last;
    leat_chunk_fill(&blocks[used], &items[first], last);
    while (first > 0) {
        uint32_t block[LEAT_CHUNK_ITEMS];
        first -= LEAT_CHUNK_ITEMS - 1;
        memcpy(block, &items[first], (LEAT_CHUNK_ITEMS - 1) * sizeof(items[0]));
        block[LEAT_CHUNK_ITEMS - 1] = ITEM(KIND_CHUNK, used);
        used++;
        leat_chunk_fill(&blocks[used], block, LEAT_CHUNK_ITEMS);
    }
    return used;
}

/* Reads on with the first item of a block; returns the block that goes on, or BLOCKS. */
static uint32_t
block_read(const struct leat_chunk *chunk, const uint32_t *items, uint32_t *seen)
{
    uint32_t read[LEAT_CHUNK_ITEMS];
    uint32_t count = leat_chunk_read(chunk, read);
    for (uint32_t i = 0; i < count; i++) {
        if (read[i] >> LEAT_INDEX_BITS == KIND_CHUNK) {
            CHECK_EQUAL(i, LEAT_CHUNK_ITEMS - 1);
            return read[i] & LEAT_INDEX_NONE;
        }
        CHECK_EQUAL(read[i], items[*seen]);
        (*seen)++;
    }
    return BLOCKS;
}

static void
chains_are_in_order(void **state)
{
    (void)state;
    uint32_t items[BATCH_MAX];
    for (uint32_t i = 0; i < BATCH_MAX; i++) {
        items[i] = ITEM(i % 2, i);
    }
    for (uint32_t count = 1; count <= BATCH_MAX; count++) {
        struct leat_chunk blocks[BLOCKS];
        uint32_t seen = 0;
        for (uint32_t i = chain_fill(blocks, items, count); i < BLOCKS;) {
            i = block_read(&blocks[i], items, &seen);
        }
        CHECK_EQUAL(seen, count);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_are_kept),
        cmocka_unit_test(the_end_is_no_item),
        cmocka_unit_test(chains_are_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
