/* unit_durable_bulk.c - memory for what is read of a log: each block is its owner's alone, over all
 * sizes around the steps and the largest one; what is given back is used again by its size, so that
 * a log in which jobs come and end needs no more than one with those that are there; what was never
 * used is zero. */
#include <stdint.h>
#include <string.h>

#include "engine/durable/bulk.h"
#include "tests/support/check.h"

#define BLOCKS  4096
#define LARGEST ((size_t)LEAT_DURABLE_BULK_STEP * (LEAT_DURABLE_BULK_SIZES - 1))

struct block {
    unsigned char *at;
    size_t bytes;
};

static struct block blocks[BLOCKS];

static bool
is_all(const unsigned char *at, size_t bytes, unsigned char value)
{
    for (size_t i = 0; i < bytes; i++) {
        if (at[i] != value) {
            return false;
        }
    }
    return true;
}

static void
test_sizes(void **state)
{
    static const size_t around[] = {1, 16, 31, 32, 33, 64, 65, LARGEST - 1, LARGEST, LARGEST + 1};
    const struct leat_memory memory = leat_memory_default();
    struct leat_durable_bulk bulk = {.left = 0};
    (void)state;
    CHECK(leat_durable_bulk_take(&bulk, &memory, 0) == NULL);
    CHECK(!leat_durable_bulk_single(LARGEST));
    CHECK(leat_durable_bulk_single(LARGEST + 1));
    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i].bytes = around[i % (sizeof(around) / sizeof(around[0]))];
        blocks[i].at = leat_durable_bulk_take(&bulk, &memory, blocks[i].bytes);
        CHECK(blocks[i].at != NULL);
        CHECK_EQUAL((uintptr_t)blocks[i].at % 16, 0);
        memset(blocks[i].at, (int)(i % 251), blocks[i].bytes);
    }
    for (size_t i = 0; i < BLOCKS; i++) {
        CHECK(is_all(blocks[i].at, blocks[i].bytes, (unsigned char)(i % 251)));
        leat_durable_bulk_give(&bulk, &memory, blocks[i].at, blocks[i].bytes);
    }
    leat_durable_bulk_give(&bulk, &memory, NULL, 0);
    leat_durable_bulk_fini(&bulk);
    CHECK(bulk.regions == NULL);
}

static size_t
regions_of(const struct leat_durable_bulk *bulk)
{
    size_t count = 0;
    for (void *const *region = bulk->regions; region != NULL; region = *region) {
        count++;
    }
    return count;
}

static void
test_again(void **state)
{
    const struct leat_memory memory = leat_memory_default();
    struct leat_durable_bulk bulk = {.left = 0};
    (void)state;
    for (uint32_t i = 0; i < 100000; i++) {
        const size_t bytes = 200 + i % 25; /* of one step */
        void *block = leat_durable_bulk_take(&bulk, &memory, bytes);
        CHECK(block != NULL);
        leat_durable_bulk_give(&bulk, &memory, block, bytes);
    }
    CHECK_EQUAL(regions_of(&bulk), 1);
    leat_durable_bulk_fini(&bulk);
}

static void
test_fresh(void **state)
{
    struct leat_durable_bulk bulk = {.left = 0};
    (void)state;
    for (uint32_t i = 0; i < 20; i++) {
        const size_t bytes = LEAT_DURABLE_BULK_FRESH - i;
        unsigned char *block = leat_durable_bulk_fresh(&bulk, bytes);
        CHECK(block != NULL);
        CHECK(is_all(block, bytes, 0));
        memset(block, 1, bytes);
    }
    CHECK(regions_of(&bulk) > 1);
    leat_durable_bulk_fini(&bulk);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_again),
        cmocka_unit_test(test_fresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
