/* unit_bytes.c - the ring of bytes in one thread: records and units round the end of the ring, its
 * exact capacity, what is ready where one in front is not. Holds I1 and I2; shows that
 * leat_bytes_check() can say no. */
#include <string.h>

#include "ring/bytes.h"
#include "tests/support/check.h"
#include "tests/support/memory.h"
#include "tests/support/prng.h"

#define RING 256

struct fixture {
    struct test_memory memory;
    struct leat_bytes ring;
};

static void
setup(struct fixture *fixture)
{
    test_memory_init(&fixture->memory);
    struct leat_memory table = test_memory_table(&fixture->memory);
    CHECK(leat_bytes_init(&fixture->ring, &table, RING));
}

static void
teardown(struct fixture *fixture)
{
    CHECK(leat_bytes_check(&fixture->ring, stderr));
    leat_bytes_fini(&fixture->ring);
    CHECK_EQUAL(test_memory_blocks(&fixture->memory), 0);
}

static void
put(struct fixture *fixture, uint64_t position, const char *text, bool more)
{
    uint32_t bytes = (uint32_t)strlen(text);
    leat_bytes_copy(&fixture->ring, position, 0, text, bytes);
    uint64_t word = leat_bytes_word(bytes, 5);
    leat_bytes_publish(&fixture->ring, position, more ? word | LEAT_BYTES_MORE : word);
}

static void
test_no_memory(void **state)
{
    struct fixture fixture;
    (void)state;
    test_memory_init(&fixture.memory);
    struct leat_memory table = test_memory_table(&fixture.memory);
    test_memory_fail(&fixture.memory, 0, false);
    CHECK(!leat_bytes_init(&fixture.ring, &table, RING));
    leat_bytes_fini(&fixture.ring);
}

static void
test_sizes(void **state)
{
    (void)state;
    CHECK_EQUAL(leat_bytes_size(0), 16);
    CHECK_EQUAL(leat_bytes_size(8), 16);
    CHECK_EQUAL(leat_bytes_size(9), 32);
    CHECK_EQUAL(leat_bytes_size(24), 32);
    uint64_t word = leat_bytes_word(UINT32_MAX, LEAT_BYTES_TAG_MAX);
    CHECK_EQUAL(leat_bytes_data(word), UINT32_MAX);
    CHECK_EQUAL(leat_bytes_tag(word), LEAT_BYTES_TAG_MAX);
    CHECK_EQUAL(word & LEAT_BYTES_MORE, 0);
}

/* One below, at and above what there is room for. */
static void
test_capacity(void **state)
{
    struct fixture fixture;
    uint64_t position = 0;
    (void)state;
    setup(&fixture);
    CHECK(!leat_bytes_reserve(&fixture.ring, RING + 16, &position));
    CHECK(leat_bytes_reserve(&fixture.ring, RING - 16, &position));
    CHECK_EQUAL(position, 0);
    CHECK(!leat_bytes_reserve(&fixture.ring, 32, &position));
    CHECK(leat_bytes_reserve(&fixture.ring, 16, &position));
    CHECK_EQUAL(position, RING - 16);
    CHECK(!leat_bytes_reserve(&fixture.ring, 16, &position));
    CHECK_EQUAL(leat_bytes_ready(&fixture.ring, RING), 0);
    put(&fixture, RING - 16, "last", false);
    CHECK_EQUAL(leat_bytes_ready(&fixture.ring, RING), 0);
    leat_bytes_publish(&fixture.ring, 0, leat_bytes_word(RING - 16 - 8, 0));
    CHECK_EQUAL(leat_bytes_ready(&fixture.ring, RING), RING);
    CHECK_EQUAL(leat_bytes_ready(&fixture.ring, UINT64_MAX), RING);
    CHECK_EQUAL(leat_bytes_ready(&fixture.ring, RING - 1), RING - 16);
    CHECK_EQUAL(leat_bytes_ready(&fixture.ring, RING - 17), 0);
    leat_bytes_give(&fixture.ring, RING);
    CHECK_EQUAL(leat_bytes_head(&fixture.ring), RING);
    teardown(&fixture);
}

/* A unit is ready as a whole, or not at all. */
static void
test_units(void **state)
{
    struct fixture fixture;
    uint64_t position = 0;
    (void)state;
    setup(&fixture);
    CHECK(leat_bytes_reserve(&fixture.ring, 16, &position));
    put(&fixture, position, "alone", false);
    CHECK(leat_bytes_reserve(&fixture.ring, 48, &position));
    put(&fixture, position + 32, "three", false);
    CHECK_EQUAL(leat_bytes_ready(&fixture.ring, RING), 16);
    put(&fixture, position + 16, "two", true);
    CHECK_EQUAL(leat_bytes_ready(&fixture.ring, RING), 16);
    put(&fixture, position, "one", true);
    CHECK_EQUAL(leat_bytes_ready(&fixture.ring, RING), 64);
    CHECK_EQUAL(leat_bytes_ready(&fixture.ring, 63), 16);
    CHECK_EQUAL(leat_bytes_ready(&fixture.ring, 64), 64);
    leat_bytes_give(&fixture.ring, 64);
    teardown(&fixture);
}

/* Random records, many times round, against their own bytes. */
static void
test_round(void **state)
{
    struct fixture fixture;
    struct test_prng prng = {3};
    unsigned char data[RING];
    unsigned char got[RING];
    (void)state;
    setup(&fixture);
    for (uint32_t round = 0; round < 3000; round++) {
        uint64_t position = 0;
        uint32_t bytes = test_random_below(&prng, RING - 8);
        uint32_t part = bytes == 0 ? 0 : test_random_below(&prng, bytes);
        for (uint32_t i = 0; i < bytes; i++) {
            data[i] = (unsigned char)test_random(&prng);
        }
        CHECK(leat_bytes_reserve(&fixture.ring, leat_bytes_size(bytes), &position));
        leat_bytes_copy(&fixture.ring, position, part, data + part, bytes - part);
        leat_bytes_copy(&fixture.ring, position, 0, data, part);
        leat_bytes_publish(&fixture.ring, position, leat_bytes_word(bytes, round));
        uint64_t end = leat_bytes_ready(&fixture.ring, RING);
        CHECK_EQUAL(end, position + leat_bytes_size(bytes));
        struct leat_bytes_piece pieces[2];
        leat_bytes_pieces(&fixture.ring, position, end, pieces);
        memcpy(got, pieces[0].data, pieces[0].bytes);
        memcpy(got + pieces[0].bytes, pieces[1].data, pieces[1].bytes);
        CHECK(memcmp(got + 8, data, bytes) == 0);
        for (uint64_t i = 8 + bytes; i < end - position; i++) {
            CHECK_EQUAL(got[i], 0);
        }
        leat_bytes_give(&fixture.ring, end);
        CHECK(leat_bytes_check(&fixture.ring, stderr));
    }
    teardown(&fixture);
}

static void
test_check_says_no(void **state)
{
    struct fixture fixture;
    char text[200];
    (void)state;
    setup(&fixture);
    fixture.ring.ring[32] = 1;
    FILE *why = test_why();
    CHECK(!leat_bytes_check(&fixture.ring, why));
    test_why_read(why, text, sizeof(text));
    CHECK_TEXT(text, "bytes: not zero at 32\n");
    CHECK(!leat_bytes_check(&fixture.ring, NULL));
    fixture.ring.ring[32] = 0;
    atom_init(&fixture.ring.head, 16);
    why = test_why();
    CHECK(!leat_bytes_check(&fixture.ring, why));
    test_why_read(why, text, sizeof(text));
    CHECK_TEXT(text, "bytes: head 16, tail 0\n");
    CHECK(!leat_bytes_check(&fixture.ring, NULL));
    atom_init(&fixture.ring.head, 0);
    teardown(&fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_memory), cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_capacity),  cmocka_unit_test(test_units),
        cmocka_unit_test(test_round),     cmocka_unit_test(test_check_says_no),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
