/* unit_wal_long.c - a log of 1 MiB, in one segment and in sixteen, cut off at its bytes: files that
 * are too short, and files of the right size that end in zeros. By the rule of docs/design/0036 a
 * short file is damage; zeros are a torn end in the last segment, where all batches before them are
 * told and no other, and damage in an older one. Of what is damaged, salvage tells what stands
 * before that, to the last batch that is whole. Four threads that read it say what one says.
 *
 *   unit_wal_long        every 4 099th byte; fewer under a sanitizer
 *   unit_wal_long all    every byte: minutes
 */
#include <stdlib.h>
#include <string.h>

#include "engine/wal/wal.h"
#include "tests/support/check.h"
#include "tests/support/disk.h"
#include "tests/support/threads.h"

#define LOG_BYTES   (UINT64_C(1) << 20)
#define BATCHES_MAX 256
#define DATA_MAX    7000

static uint32_t step = 4099;
static uint32_t both_step = 3; /* of what is read by one thread and by four */

struct fixture {
    struct disk disk;
    struct leat_wal_config config;
    struct leat_wal_report report;
    uint64_t ends[BATCHES_MAX]; /* of the bytes of a batch that are not zero, in its segment */
    uint64_t segments[BATCHES_MAX];
    uint32_t batches; /* in all */
    uint32_t older;   /* of them in older segments */
    uint32_t read;    /* records */
    uint32_t reads;   /* of the log */
    bool wrong;
    unsigned char data[DATA_MAX];
};

static uint32_t
data_bytes(uint32_t number)
{
    return number % 3 == 2 ? DATA_MAX - number : 1 + number * 37 % 4000;
}

static void
data_fill(uint32_t number, unsigned char *data)
{
    for (uint32_t i = 0; i < data_bytes(number); i++) {
        data[i] = (unsigned char)((number * 7 + i * 13) | 1); /* no zero at the end */
    }
}

static bool
record_read(void *context, struct leat_wal_place place, const struct leat_wal_record *record)
{
    struct fixture *fixture = context;
    uint32_t number = fixture->read++;
    (void)place;
    data_fill(number, fixture->data);
    fixture->wrong = fixture->wrong || number >= fixture->batches || record->tag != number ||
                     record->bytes != data_bytes(number) ||
                     memcmp(record->data, fixture->data, record->bytes) != 0;
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

/* As many segments as are 1 MiB, the last one full, too; each batch has one record. */
static struct fixture *
fixture_make(uint64_t segment_bytes)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct leat_wal wal;
    CHECK(fixture != NULL);
    disk_init(&fixture->disk);
    fixture->config = (struct leat_wal_config){.files = &fixture->disk.files,
                                               .directory = "log",
                                               .memory = leat_memory_default(),
                                               .segment_bytes = segment_bytes,
                                               .ring_bytes = LEAT_WAL_RING_BYTES_MIN,
                                               .seed = 5};
    const struct leat_wal_reader reader = {record_read, fixture};
    CHECK_OK(leat_wal_open(&wal, &fixture->config, &reader, &fixture->report));
    for (uint64_t segment = wal.id;; fixture->batches++) {
        uint32_t bytes = data_bytes(fixture->batches);
        uint64_t position = 0;
        uint64_t size = leat_wal_batch_size(leat_bytes_size(bytes));
        if (leat_wal_bytes(&wal) == LOG_BYTES && wal.offset + size > wal.bytes) {
            break;
        }
        CHECK(fixture->batches < BATCHES_MAX);
        data_fill(fixture->batches, fixture->data);
        const struct leat_wal_entry entry = {fixture->batches, 0, bytes, NULL, fixture->data};
        CHECK_OK(leat_wal_append(&wal, &entry, 1, LEAT_WAL_FIRST, &position));
        CHECK_OK(leat_wal_wait(&wal, position, UINT64_MAX));
        fixture->older = wal.id == segment ? fixture->older : fixture->batches;
        segment = wal.id;
        fixture->segments[fixture->batches] = leat_wal_newest(&wal);
        fixture->ends[fixture->batches] =
            wal.offset - size + sizeof(struct leat_wal_batch) + sizeof(uint64_t) + bytes;
    }
    leat_wal_close(&wal);
    CHECK_OK(read_log(fixture));
    CHECK_EQUAL(fixture->read, fixture->batches);
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
file_of(struct fixture *fixture, uint64_t number)
{
    char name[LEAT_WAL_NAME_BYTES];
    leat_wal_name(name, number, false);
    struct disk_file *file = disk_find(&fixture->disk, name);
    CHECK(file != NULL);
    return file;
}

/* Of a segment that is damaged from `at` on: all batches before that. */
static void
salvage_judge(struct fixture *fixture, uint64_t number, uint64_t at)
{
    const struct leat_wal_reader reader = {record_read, fixture};
    uint32_t before = 0;
    while (before < fixture->batches &&
           (fixture->segments[before] < number ||
            (fixture->segments[before] == number && fixture->ends[before] <= at))) {
        before++;
    }
    fixture->config.threads = fixture->reads % both_step == 0 ? 4 : 1;
    fixture->read = 0;
    CHECK_STATUS(leat_wal_salvage(&fixture->config, &reader, &fixture->report), LEAT_CORRUPT);
    CHECK_EQUAL(fixture->read, before);
    CHECK_EQUAL(fixture->report.damaged, number);
}

/* A file that is too short. */
static void
shorts_judge(struct fixture *fixture, struct disk_file *file, uint64_t number)
{
    uint64_t whole = file->size;
    for (file->size = 0; file->size < whole; file->size += step) {
        CHECK_EQUAL(read_log(fixture), LEAT_CORRUPT);
        CHECK_EQUAL(fixture->read, 0);
        CHECK_EQUAL(fixture->report.damaged, number);
        salvage_judge(fixture, number, file->size);
    }
    file->size = whole;
}

/* How many of the last segment's batches are there, where zeros begin at `at`. */
static uint32_t
batches_before(const struct fixture *fixture, uint64_t at)
{
    uint32_t count = fixture->older;
    while (count < fixture->batches && fixture->ends[count] <= at) {
        count++;
    }
    return count;
}

/* Zeros from each byte on; destroys the file. */
static void
zeros_judge(struct fixture *fixture, uint64_t number, bool last)
{
    struct disk_file *file = file_of(fixture, number);
    uint64_t used = file->size;
    while (used > LEAT_WAL_BLOCK && file->bytes[used - 1] == 0) {
        used--;
    }
    for (uint64_t at = file->size; at > LEAT_WAL_BLOCK;) {
        uint64_t next = at - LEAT_WAL_BLOCK < step ? LEAT_WAL_BLOCK : at - step;
        memset(file->bytes + next, 0, at - next);
        at = next;
        enum leat_status status = read_log(fixture);
        if (last || at >= used) {
            CHECK_EQUAL(status, LEAT_OK);
            CHECK_EQUAL(fixture->read, last ? batches_before(fixture, at) : fixture->batches);
        } else {
            CHECK_EQUAL(status, LEAT_CORRUPT);
            salvage_judge(fixture, number, at);
        }
    }
    bool whole = true;
    for (uint64_t at = sizeof(struct leat_wal_segment); at-- > 0;) {
        whole = whole && file->bytes[at] == 0;
        file->bytes[at] = 0;
        CHECK_EQUAL(read_log(fixture), whole && last ? LEAT_OK : LEAT_CORRUPT);
    }
}

static void
test_one_segment(void **state)
{
    struct fixture *fixture = fixture_make(LOG_BYTES);
    (void)state;
    shorts_judge(fixture, file_of(fixture, 1), 1);
    zeros_judge(fixture, 1, true);
    fixture_free(fixture);
}

static void
test_segments(void **state)
{
    const uint64_t count = LOG_BYTES / LEAT_WAL_SEGMENT_BYTES_MIN;
    struct fixture *fixture = fixture_make(LEAT_WAL_SEGMENT_BYTES_MIN);
    (void)state;
    for (uint64_t number = 1; number <= count; number++) {
        shorts_judge(fixture, file_of(fixture, number), number);
    }
    zeros_judge(fixture, count, true);
    fixture_free(fixture);
    for (uint64_t number = 1; number < count; number += 5) {
        fixture = fixture_make(LEAT_WAL_SEGMENT_BYTES_MIN);
        zeros_judge(fixture, number, false);
        fixture_free(fixture);
    }
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_segment),
        cmocka_unit_test(test_segments),
    };
    if (test_sanitized()) {
        step = 40009;
    }
    if (argc == 2 && strcmp(argv[1], "all") == 0) {
        step = 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
