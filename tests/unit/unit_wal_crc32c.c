/* unit_wal_crc32c.c - the check sum against published vectors, and the CPU's instruction against
 * the table: of all lengths and offsets up to a few words, in one piece and in two. */
#include <string.h>

#include "engine/wal/crc32c.h"
#include "tests/support/check.h"
#include "tests/support/prng.h"

/* RFC 3720, B.4; and the check value of the catalogue of CRCs. */
static void
test_vectors(void **state)
{
    unsigned char bytes[32];
    (void)state;
    CHECK_EQUAL(leat_crc32c(0, "123456789", 9), 0xe3069283);
    memset(bytes, 0, sizeof(bytes));
    CHECK_EQUAL(leat_crc32c(0, bytes, sizeof(bytes)), 0x8a9136aa);
    memset(bytes, 0xff, sizeof(bytes));
    CHECK_EQUAL(leat_crc32c(0, bytes, sizeof(bytes)), 0x62a8ab43);
    for (uint32_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (unsigned char)i;
    }
    CHECK_EQUAL(leat_crc32c(0, bytes, sizeof(bytes)), 0x46dd794e);
    for (uint32_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (unsigned char)(31 - i);
    }
    CHECK_EQUAL(leat_crc32c(0, bytes, sizeof(bytes)), 0x113fdb5c);
    CHECK_EQUAL(leat_crc32c_table(0, bytes, sizeof(bytes)), 0x113fdb5c);
    CHECK_EQUAL(leat_crc32c(7, bytes, 0), 7);
}

static void
test_instruction_and_table(void **state)
{
    struct test_prng prng = {1};
    unsigned char bytes[80];
    (void)state;
    for (uint32_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (unsigned char)test_random(&prng);
    }
    for (uint32_t from = 0; from < 9; from++) {
        for (uint32_t length = 0; length + from <= sizeof(bytes); length++) {
            uint32_t whole = leat_crc32c(0, bytes + from, length);
            CHECK_EQUAL(whole, leat_crc32c_table(0, bytes + from, length));
            uint32_t half = leat_crc32c(0, bytes + from, length / 3);
            half = leat_crc32c(half, bytes + from + length / 3, length - length / 3);
            CHECK_EQUAL(half, whole);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_instruction_and_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
