/* unit_wal_format.c - what the files of the log have in them: each field at its byte, each bit of a
 * header guarded, records at the limits of a body, sizes of batches around a block, names and what
 * is none. */
#include <string.h>

#include "engine/wal/file.h"
#include "engine/wal/format.h"
#include "ring/bytes.h"
#include "tests/support/check.h"

static void
bit_turn(void *bytes, uint32_t bit)
{
    ((unsigned char *)bytes)[bit / 8] ^= (unsigned char)(1U << bit % 8);
}

/* ---- headers --------------------------------------------------------------------------------- */

static struct leat_wal_segment
segment_make(void)
{
    struct leat_wal_segment header = {.id = UINT64_C(0x1112131415161718),
                                      .number = UINT64_C(0x2122232425262728),
                                      .first = UINT64_C(0x3132333435363738),
                                      .durable = UINT64_C(0x4142434445464748),
                                      .oldest = UINT64_C(0x5152535455565758),
                                      .bytes = UINT64_C(0x6162636465666768)};
    leat_wal_segment_seal(&header);
    return header;
}

static struct leat_wal_batch
batch_make(void)
{
    struct leat_wal_batch header = {.id = UINT64_C(0x1112131415161718),
                                    .number = UINT64_C(0x2122232425262728),
                                    .durable = UINT64_C(0x3132333435363738),
                                    .oldest = UINT64_C(0x4142434445464748),
                                    .bytes = UINT32_C(0x51525354),
                                    .body_crc = UINT32_C(0x61626364),
                                    .written_ns = UINT64_C(0x7172737475767778)};
    leat_wal_batch_seal(&header);
    return header;
}

/* A change of these bytes is a change of the version. The sums are CRC-32C of the bytes behind
 * them, as tests/unit/unit_wal_crc32c.c holds it to published vectors. */
static void
test_layout(void **state)
{
    static const unsigned char segment[] =
        "\x18\x17\x16\x15\x14\x13\x12\x11\x28\x27\x26\x25\x24\x23\x22\x21\x38\x37\x36\x35\x34\x33"
        "\x32\x31\x48\x47\x46\x45\x44\x43\x42\x41\x58\x57\x56\x55\x54\x53\x52\x51\x68\x67\x66\x65"
        "\x64\x63\x62\x61";
    static const unsigned char batch[] =
        "\x18\x17\x16\x15\x14\x13\x12\x11\x28\x27\x26\x25\x24\x23\x22\x21\x38\x37\x36\x35\x34\x33"
        "\x32\x31\x48\x47\x46\x45\x44\x43\x42\x41\x54\x53\x52\x51\x64\x63\x62\x61\x78\x77\x76\x75"
        "\x74\x73\x72\x71\0\0\0\0\0\0\0";
    const struct leat_wal_segment first = segment_make();
    const struct leat_wal_batch later = batch_make();
    const unsigned char *bytes = (const unsigned char *)&first;
    (void)state;
    if (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__) {
        skip();
    }
    CHECK_EQUAL(sizeof(segment) - 1, sizeof(first) - 16);
    CHECK_EQUAL(memcmp(bytes, "LEATLOG1", 8), 0);
    CHECK_EQUAL(memcmp(bytes + 12, "\1\0\0\0", 4), 0);
    CHECK_EQUAL(memcmp(bytes + 16, segment, sizeof(segment) - 1), 0);
    CHECK_EQUAL(memcmp(&later, "LTCH", 4), 0);
    CHECK_EQUAL(sizeof(batch), sizeof(later) - 8);
    CHECK_EQUAL(memcmp((const unsigned char *)&later + 8, batch, sizeof(batch)), 0);
}

static void
test_bits(void **state)
{
    struct leat_wal_segment segment = segment_make();
    struct leat_wal_batch batch = batch_make();
    (void)state;
    CHECK_EQUAL(leat_wal_segment_judge(&segment), LEAT_WAL_HEADER_VALID);
    CHECK(leat_wal_batch_judge(&batch, batch.id));
    CHECK(!leat_wal_batch_judge(&batch, batch.id + 1));
    for (uint32_t bit = 0; bit < 8 * sizeof(segment); bit++) {
        bit_turn(&segment, bit);
        CHECK_EQUAL(leat_wal_segment_judge(&segment), LEAT_WAL_HEADER_DAMAGED);
        bit_turn(&segment, bit);
    }
    for (uint32_t bit = 0; bit < 8 * sizeof(batch); bit++) {
        bit_turn(&batch, bit);
        CHECK(!leat_wal_batch_judge(&batch, UINT64_C(0x1112131415161718)));
        bit_turn(&batch, bit);
    }
    CHECK(leat_wal_batch_judge(&batch, batch.id));
}

/* ---- records --------------------------------------------------------------------------------- */

/* A record of so many bytes in a body of so many is read, or is none. */
static void
record_tried(uint32_t data, uint32_t body_bytes, bool there)
{
    uint64_t body[16] = {leat_bytes_word(data, 5)};
    struct leat_wal_record record = {NULL, 77, 77, NULL};
    uint32_t offset = 0;
    bool read = leat_wal_record_next((unsigned char *)body, body_bytes, &offset, &record);
    CHECK_EQUAL(read, there);
    CHECK_EQUAL(offset, there ? leat_bytes_size(data) : 0);
    CHECK_EQUAL(record.bytes, there ? data : 77);
    CHECK_EQUAL(record.tag, there ? 5 : 77);
    CHECK(record.data == (there ? (unsigned char *)body + 8 : NULL));
}

static void
test_records(void **state)
{
    (void)state;
    record_tried(0, 16, true);
    record_tried(0, 15, false);
    record_tried(0, 8, false);
    record_tried(8, 16, true);
    record_tried(9, 16, false);
    record_tried(9, 31, false);
    record_tried(9, 32, true);
    record_tried(24, 32, true);
    record_tried(25, 32, false);
    record_tried(120, 128, true);
    record_tried(121, 128, false);
    record_tried(UINT32_MAX, 128, false);
    record_tried(UINT32_MAX - 7, 128, false);
}

/* What was never published is none; the second record is found behind the first. */
static void
test_record_words(void **state)
{
    uint64_t body[4] = {leat_bytes_word(3, LEAT_BYTES_TAG_MAX) | LEAT_BYTES_MORE, 0,
                        leat_bytes_word(8, 0), 42};
    struct leat_wal_record record;
    uint32_t offset = 0;
    (void)state;
    CHECK(leat_wal_record_next((unsigned char *)body, sizeof(body), &offset, &record));
    CHECK_EQUAL(record.tag, LEAT_BYTES_TAG_MAX);
    CHECK_EQUAL(record.bytes, 3);
    CHECK(leat_wal_record_next((unsigned char *)body, sizeof(body), &offset, &record));
    CHECK_EQUAL(offset, 32);
    CHECK_EQUAL(record.data[0], 42);
    body[2] &= ~LEAT_BYTES_PUBLISHED;
    offset = 16;
    CHECK(!leat_wal_record_next((unsigned char *)body, sizeof(body), &offset, &record));
    CHECK_EQUAL(offset, 16);
}

static void
test_batch_sizes(void **state)
{
    const uint64_t room = LEAT_WAL_BLOCK - sizeof(struct leat_wal_batch);
    (void)state;
    CHECK_EQUAL(leat_wal_batch_size(0), LEAT_WAL_BLOCK);
    CHECK_EQUAL(leat_wal_batch_size(room - 1), LEAT_WAL_BLOCK);
    CHECK_EQUAL(leat_wal_batch_size(room), LEAT_WAL_BLOCK);
    CHECK_EQUAL(leat_wal_batch_size(room + 1), 2 * LEAT_WAL_BLOCK);
    CHECK_EQUAL(leat_wal_batch_size(UINT32_MAX), (UINT64_C(1) << 32) + LEAT_WAL_BLOCK);
}

/* ---- names ----------------------------------------------------------------------------------- */

static void
name_tried(uint64_t number, bool is_new, const char *wanted)
{
    char name[LEAT_WAL_NAME_BYTES];
    bool was_new = !is_new;
    leat_wal_name(name, number, is_new);
    CHECK_TEXT(name, wanted);
    CHECK_EQUAL(leat_wal_number(name, &was_new), number);
    CHECK_EQUAL(was_new, is_new);
}

static void
test_names(void **state)
{
    static const char *const none[] = {"",
                                       ".",
                                       "0000000000000001",
                                       "0000000000000001.",
                                       "0000000000000001.WAL",
                                       "0000000000000001.wal.torn",
                                       "000000000000001.wal",
                                       "00000000000000001.wal",
                                       "000000000000000A.wal",
                                       "000000000000000g.wal",
                                       "-000000000000001.wal",
                                       "0000000000000001.old",
                                       "0000000000000000.wal",
                                       "ffffffffffffffff.wal",
                                       "ffffffffffffffff.new"};
    bool is_new = false;
    (void)state;
    name_tried(1, false, "0000000000000001.wal");
    name_tried(1, true, "0000000000000001.new");
    name_tried(UINT64_C(0x0123456789abcdef), false, "0123456789abcdef.wal");
    name_tried(UINT64_MAX - 1, true, "fffffffffffffffe.new");
    for (uint32_t i = 0; i < TEST_COUNT_OF(none); i++) {
        CHECK_EQUAL(leat_wal_number(none[i], &is_new), 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layout),      cmocka_unit_test(test_bits),
        cmocka_unit_test(test_records),     cmocka_unit_test(test_record_words),
        cmocka_unit_test(test_batch_sizes), cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
