/* unit_wal_recover.c - what reading a log makes of damage: a small log on a simulated disk, every
 * truncation of it, every bit of it turned round, whole blocks lost, files that are missing, of
 * another format or of another machine. By the rule of docs/design/0036 each is refused as damage
 * or recognised as torn, and no record is ever told that was not appended. Four threads that read
 * it say what one says.
 *
 *   unit_wal_recover        every 11th bit; fewer under a sanitizer
 *   unit_wal_recover all    every bit
 */
#include <stdlib.h>
#include <string.h>

#include "engine/wal/wal.h"
#include "tests/support/check.h"
#include "tests/support/disk.h"
#include "tests/support/threads.h"

#define BATCHES   12
#define DATA_MAX  5000
#define SEGMENT   LEAT_WAL_SEGMENT_BYTES_MIN
#define FILE_NAME "0000000000000001.wal"

static uint32_t stride = 11;
static uint32_t step = 1;       /* of truncations */
static uint32_t both_step = 41; /* of those that are read by one thread and by four */

/* A log of one segment, and where its batches are. */
struct fixture {
    struct disk disk;
    struct leat_wal_config config;
    uint64_t ends[BATCHES + 1]; /* of batches, by number, from [0]: the first block */
    uint32_t read;              /* records */
    uint32_t reads;             /* of the log */
    bool wrong;
    struct leat_wal_report report;
    unsigned char data[DATA_MAX];
    unsigned char saved[LEAT_WAL_BLOCK];
};

static uint32_t
data_bytes(uint32_t number)
{
    return number % 4 == 3 ? DATA_MAX : number * 37 % 300;
}

static void
data_fill(uint32_t number, unsigned char *data)
{
    for (uint32_t i = 0; i < data_bytes(number); i++) {
        data[i] = (unsigned char)(number * 7 + i * 13 + 1);
    }
}

static bool
record_read(void *context, struct leat_wal_place place, const struct leat_wal_record *record)
{
    struct fixture *fixture = context;
    unsigned char *wanted = fixture->data;
    uint32_t number = fixture->read++;
    (void)place;
    data_fill(number, wanted);
    fixture->wrong = fixture->wrong || number >= BATCHES || record->tag != number ||
                     record->bytes != data_bytes(number) ||
                     memcmp(record->data, wanted, record->bytes) != 0;
    return true;
}

static enum leat_status
read_by(struct fixture *fixture, uint32_t threads)
{
    const struct leat_wal_reader reader = {record_read, fixture};
    fixture->config.threads = threads;
    fixture->read = 0;
    return leat_wal_read(&fixture->config, &reader, &fixture->report);
}

/* The same by one thread, and now and then by four. */
static enum leat_status
read_log(struct fixture *fixture)
{
    enum leat_status status = read_by(fixture, 1);
    if (fixture->reads++ % both_step == 0) {
        const struct leat_wal_report report = fixture->report;
        uint32_t read = fixture->read;
        CHECK_STATUS(read_by(fixture, 4), status);
        CHECK_EQUAL(fixture->read, read);
        CHECK_EQUAL(memcmp(&report, &fixture->report, sizeof(report)), 0);
    }
    return status;
}

/* All batches before the damage, and no other. */
static void
salvage_judge(struct fixture *fixture, uint64_t offset)
{
    const struct leat_wal_reader reader = {record_read, fixture};
    uint32_t before = 0;
    while (before < BATCHES && offset >= fixture->ends[before + 1]) {
        before++;
    }
    fixture->config.threads = fixture->reads % both_step == 0 ? 4 : 1;
    fixture->read = 0;
    CHECK_STATUS(leat_wal_salvage(&fixture->config, &reader, &fixture->report), LEAT_CORRUPT);
    CHECK_EQUAL(fixture->read, offset < fixture->ends[0] ? 0 : before);
    CHECK_EQUAL(fixture->report.damaged, 1);
}

/* Each batch has one record; `marked`: the last one is known to be durable. */
static struct fixture *
fixture_make(bool marked)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct leat_wal wal;
    CHECK(fixture != NULL);
    disk_init(&fixture->disk);
    fixture->config = (struct leat_wal_config){.files = &fixture->disk.files,
                                               .directory = "log",
                                               .memory = leat_memory_default(),
                                               .segment_bytes = SEGMENT,
                                               .ring_bytes = LEAT_WAL_RING_BYTES_MIN,
                                               .seed = 5};
    const struct leat_wal_reader reader = {record_read, fixture};
    CHECK_OK(leat_wal_open(&wal, &fixture->config, &reader, &fixture->report));
    fixture->ends[0] = wal.offset;
    for (uint32_t i = 0; i < BATCHES; i++) {
        uint64_t position = 0;
        data_fill(i, fixture->data);
        const struct leat_wal_entry entry = {i, 0, data_bytes(i), NULL, fixture->data};
        CHECK_OK(leat_wal_append(&wal, &entry, 1, LEAT_WAL_FIRST, &position));
        CHECK_OK(leat_wal_wait(&wal, position, UINT64_MAX));
        fixture->ends[i + 1] = wal.offset;
    }
    CHECK(!marked || leat_wal_step(&wal, true));
    CHECK(!leat_wal_step(&wal, marked));
    leat_wal_close(&wal);
    CHECK_OK(read_log(fixture));
    CHECK_EQUAL(fixture->read, BATCHES);
    CHECK(!fixture->wrong);
    return fixture;
}

static void
fixture_free(struct fixture *fixture)
{
    CHECK(!fixture->wrong);
    disk_fini(&fixture->disk);
    free(fixture);
}

static struct disk_file *
file_of(struct fixture *fixture)
{
    struct disk_file *file = disk_find(&fixture->disk, FILE_NAME);
    CHECK(file != NULL);
    return file;
}

/* ---- damage ---------------------------------------------------------------------------------- */

/* What is right where the byte at `offset` is damaged. */
static void
damage_judge(struct fixture *fixture, uint64_t offset, bool marked)
{
    uint64_t last = fixture->ends[BATCHES - 1];
    enum leat_status status = read_log(fixture);
    if (offset < last || (marked && offset < fixture->ends[BATCHES])) {
        CHECK_EQUAL(status, LEAT_CORRUPT);
        CHECK_EQUAL(fixture->report.damaged, 1);
        CHECK(fixture->report.text[0] != 0);
        salvage_judge(fixture, offset);
    } else if (offset < fixture->ends[BATCHES]) {
        CHECK_EQUAL(status, LEAT_OK);
        CHECK_EQUAL(fixture->read, BATCHES - 1);
    } else {
        CHECK_EQUAL(status, LEAT_OK);
        CHECK_EQUAL(fixture->read, BATCHES);
    }
    CHECK(!fixture->wrong);
}

static void
bits_turn(bool marked)
{
    struct fixture *fixture = fixture_make(marked);
    unsigned char *bytes = file_of(fixture)->bytes;
    for (uint64_t bit = 0; bit < SEGMENT * 8; bit += stride) {
        bytes[bit / 8] ^= (unsigned char)(1U << bit % 8);
        damage_judge(fixture, bit / 8, marked);
        bool behind = !marked && bit / 8 >= fixture->ends[BATCHES - 1];
        CHECK(!behind || fixture->report.torn_bytes != 0);
        bytes[bit / 8] ^= (unsigned char)(1U << bit % 8);
    }
    fixture_free(fixture);
}

static void
test_bits(void **state)
{
    (void)state;
    bits_turn(false);
    bits_turn(true);
}

/* A file is as long as it was made, or it is damaged. */
static void
test_truncations(void **state)
{
    struct fixture *fixture = fixture_make(true);
    struct disk_file *file = file_of(fixture);
    (void)state;
    for (uint64_t bytes = 0; bytes < SEGMENT; bytes += step) {
        file->size = bytes;
        CHECK_EQUAL(read_log(fixture), LEAT_CORRUPT);
        CHECK_EQUAL(fixture->read, 0);
    }
    file->size = SEGMENT;
    CHECK_OK(read_log(fixture));
    fixture_free(fixture);
}

/* Blocks that read as zero, or as another one. */
static void
test_blocks(void **state)
{
    (void)state;
    for (uint32_t way = 0; way < 4; way++) {
        bool marked = way % 2 == 1;
        struct fixture *fixture = fixture_make(marked);
        unsigned char *bytes = file_of(fixture)->bytes;
        unsigned char *saved = fixture->saved;
        for (uint64_t at = 0; at < SEGMENT; at += LEAT_WAL_BLOCK) {
            uint64_t other = at == 0 ? fixture->ends[3] : at - LEAT_WAL_BLOCK;
            memcpy(saved, bytes + at, LEAT_WAL_BLOCK);
            if (way < 2) {
                memset(bytes + at, 0, LEAT_WAL_BLOCK);
            } else {
                memcpy(bytes + at, bytes + other, LEAT_WAL_BLOCK);
            }
            if (memcmp(saved, bytes + at, LEAT_WAL_BLOCK) != 0) {
                damage_judge(fixture, at, marked);
            }
            memcpy(bytes + at, saved, LEAT_WAL_BLOCK);
        }
        fixture_free(fixture);
    }
}

/* Of two segments the later one is damaged, outside its batches: all of the older one is told. The
 * mark had no room there, and stood in one between them. */
static void
test_salvage_older(void **state)
{
    struct fixture *fixture = fixture_make(true);
    const struct leat_wal_reader reader = {record_read, fixture};
    struct leat_wal wal;
    (void)state;
    fixture->read = 0;
    CHECK_OK(leat_wal_open(&wal, &fixture->config, &reader, &fixture->report));
    leat_wal_close(&wal);
    struct disk_file *file = disk_find(&fixture->disk, "0000000000000003.wal");
    CHECK(file != NULL);
    file->bytes[LEAT_WAL_BLOCK - 1] ^= 1;
    CHECK_EQUAL(read_log(fixture), LEAT_CORRUPT);
    CHECK_EQUAL(fixture->read, 0);
    CHECK_STATUS(leat_wal_salvage(&fixture->config, &reader, &fixture->report), LEAT_CORRUPT);
    CHECK_EQUAL(fixture->read, BATCHES);
    CHECK_EQUAL(fixture->report.damaged, 3);
    CHECK_EQUAL(fixture->report.damaged_offset, LEAT_WAL_BLOCK - 1);
    fixture_free(fixture);
}

/* ---- foreign files --------------------------------------------------------------------------- */

static void
header_put(struct fixture *fixture, const struct leat_wal_segment *header)
{
    memcpy(file_of(fixture)->bytes, header, sizeof(*header));
}

static void
test_foreign(void **state)
{
    struct fixture *fixture = fixture_make(true);
    struct leat_wal_segment header;
    struct leat_wal wal;
    const struct leat_wal_reader reader = {record_read, fixture};
    (void)state;
    memcpy(&header, file_of(fixture)->bytes, sizeof(header));
    struct leat_wal_segment other = header;
    other.magic = __builtin_bswap64(header.magic);
    header_put(fixture, &other);
    CHECK_STATUS(read_log(fixture), LEAT_UNSUPPORTED);
    CHECK_TEXT(fixture->report.text, "the log was written by a machine of the other byte order");
    CHECK_STATUS(leat_wal_open(&wal, &fixture->config, &reader, &fixture->report),
                 LEAT_UNSUPPORTED);
    other = header;
    other.number = 2;
    leat_wal_segment_seal(&other);
    header_put(fixture, &other);
    CHECK_STATUS(read_log(fixture), LEAT_CORRUPT);
    CHECK_TEXT(fixture->report.text,
               "segment 0000000000000001, byte 0: it is another segment than its name says");
    header_put(fixture, &header);
    CHECK_OK(read_log(fixture));
    fixture_free(fixture);
}

/* A later version whose sum is good. */
static void
test_version(void **state)
{
    struct fixture *fixture = fixture_make(true);
    struct leat_wal_segment header;
    (void)state;
    memcpy(&header, file_of(fixture)->bytes, sizeof(header));
    leat_wal_segment_seal_as(&header, LEAT_WAL_VERSION + 1);
    header_put(fixture, &header);
    CHECK_STATUS(read_log(fixture), LEAT_UNSUPPORTED);
    CHECK_TEXT(fixture->report.text, "the log has a format of another version");
    fixture_free(fixture);
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bits),    cmocka_unit_test(test_truncations),
        cmocka_unit_test(test_blocks),  cmocka_unit_test(test_foreign),
        cmocka_unit_test(test_version), cmocka_unit_test(test_salvage_older),
    };
    if (test_sanitized()) {
        stride = 1009;
        step = 61;
        both_step = 1;
    }
    if (argc == 2 && strcmp(argv[1], "all") == 0) {
        stride = 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
