/* unit_wal.c - the log in one thread on a simulated disk: its limits, one below, at and above; a
 * full ring, a directory that another one has; a disk that fails; segments that are made in another
 * order than they begin, or were left before they did; cleaning; when a batch was written. Without
 * space: unit_wal_space. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/wal/internal.h"
#include "tests/support/check.h"
#include "tests/support/disk.h"
#include "tests/support/memory.h"

struct fixture {
    struct test_memory memory;
    struct disk disk;
    struct leat_wal_config config;
    struct leat_wal wal;
    struct leat_wal_report report;
    uint64_t read; /* records */
    uint64_t sum;  /* of their tags */
    uint64_t done; /* of what progress says, as the two below */
    uint64_t of;
    uint32_t told;
    unsigned char data[LEAT_WAL_RING_BYTES_MIN];
};

static bool
record_read(void *context, struct leat_wal_place place, const struct leat_wal_record *record)
{
    struct fixture *fixture = context;
    (void)place;
    fixture->read++;
    fixture->sum += record->tag;
    return true;
}

static void
progress(void *context, uint64_t done, uint64_t of)
{
    struct fixture *fixture = context;
    CHECK(done > fixture->done && done <= of);
    CHECK(fixture->told == 0 || of == fixture->of);
    fixture->done = done;
    fixture->of = of;
    fixture->told++;
}

static enum leat_status
log_open(struct fixture *fixture)
{
    const struct leat_wal_reader reader = {record_read, fixture};
    fixture->read = 0;
    fixture->sum = 0;
    fixture->config.seed++;
    return leat_wal_open(&fixture->wal, &fixture->config, &reader, &fixture->report);
}

static struct fixture *
setup(void)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    CHECK(fixture != NULL);
    test_memory_init(&fixture->memory);
    disk_init(&fixture->disk);
    fixture->config = (struct leat_wal_config){.files = &fixture->disk.files,
                                               .directory = "log",
                                               .memory = test_memory_table(&fixture->memory),
                                               .segment_bytes = LEAT_WAL_SEGMENT_BYTES_MIN,
                                               .ring_bytes = LEAT_WAL_RING_BYTES_MIN};
    return fixture;
}

static void
teardown(struct fixture *fixture)
{
    CHECK_EQUAL(test_memory_blocks(&fixture->memory), 0);
    disk_fini(&fixture->disk);
    free(fixture);
}

static enum leat_status
append(struct fixture *fixture, uint32_t tag, uint32_t bytes, uint64_t *position)
{
    const struct leat_wal_entry entry = {tag, 0, bytes, NULL, fixture->data};
    return leat_wal_append(&fixture->wal, &entry, 1, LEAT_WAL_FIRST, position);
}

/* Appends records until the next batch begins another segment. */
static void
segment_fill(struct fixture *fixture)
{
    uint64_t segment = fixture->wal.id;
    while (fixture->wal.id == segment) {
        uint64_t position = 0;
        CHECK_OK(append(fixture, 1, 3000, &position));
        CHECK_OK(leat_wal_wait(&fixture->wal, position, UINT64_MAX));
    }
}

/* ---- limits ---------------------------------------------------------------------------------- */

static void
config_tried(struct fixture *fixture, uint64_t segment, uint64_t ring, enum leat_status wanted)
{
    fixture->config.segment_bytes = segment;
    fixture->config.ring_bytes = ring;
    CHECK_STATUS(log_open(fixture), wanted);
    if (wanted == LEAT_OK) {
        leat_wal_close(&fixture->wal);
    }
}

static void
test_config(void **state)
{
    const uint64_t segment = LEAT_WAL_SEGMENT_BYTES_MIN;
    const uint64_t ring = LEAT_WAL_RING_BYTES_MIN;
    struct fixture *fixture = setup();
    (void)state;
    config_tried(fixture, segment, ring, LEAT_OK);
    config_tried(fixture, segment - LEAT_WAL_BLOCK, ring, LEAT_INVALID);
    config_tried(fixture, segment + LEAT_WAL_BLOCK, ring, LEAT_OK);
    config_tried(fixture, segment + 1, ring, LEAT_INVALID);
    config_tried(fixture, LEAT_WAL_SEGMENT_BYTES_MAX + LEAT_WAL_BLOCK, ring, LEAT_INVALID);
    config_tried(fixture, segment, ring / 2, LEAT_INVALID);
    config_tried(fixture, segment, ring + 16, LEAT_INVALID);
    config_tried(fixture, segment, segment / 2, LEAT_OK);
    config_tried(fixture, segment, segment, LEAT_INVALID);
    config_tried(fixture, LEAT_WAL_SEGMENT_BYTES_MAX, LEAT_WAL_RING_BYTES_MAX * 2, LEAT_INVALID);
    teardown(fixture);
}

/* A unit may take half the ring. */
static void
test_units(void **state)
{
    const uint32_t most = LEAT_WAL_RING_BYTES_MIN / 2 - 8;
    struct fixture *fixture = setup();
    uint64_t position = 7;
    (void)state;
    CHECK_OK(log_open(fixture));
    CHECK_STATUS(append(fixture, 1, most + 1, &position), LEAT_INVALID);
    CHECK_STATUS(append(fixture, LEAT_BYTES_TAG_MAX + 1, 1, &position), LEAT_INVALID);
    const struct leat_wal_entry two[2] = {{1, 0, most / 2, NULL, fixture->data},
                                          {1, 0, most / 2 + 16, NULL, fixture->data}};
    CHECK_STATUS(leat_wal_append(&fixture->wal, two, 2, LEAT_WAL_FIRST, &position), LEAT_INVALID);
    CHECK_STATUS(leat_wal_append(&fixture->wal, two, 0, LEAT_WAL_FIRST, &position), LEAT_INVALID);
    CHECK_EQUAL(position, 7);
    CHECK_OK(append(fixture, LEAT_BYTES_TAG_MAX, most - 1, &position));
    CHECK_OK(leat_wal_wait(&fixture->wal, position, UINT64_MAX));
    CHECK_OK(append(fixture, 2, most, &position));
    CHECK_OK(append(fixture, 3, most - 16, &position));
    CHECK_OK(append(fixture, 4, 8, &position));
    CHECK_STATUS(append(fixture, 5, 0, &position), LEAT_FULL);
    CHECK(!leat_wal_is_durable(&fixture->wal, position));
    CHECK_OK(leat_wal_wait(&fixture->wal, position, UINT64_MAX));
    CHECK(leat_wal_is_durable(&fixture->wal, position));
    CHECK(!leat_wal_is_durable(&fixture->wal, position + 1));
    leat_wal_close(&fixture->wal);
    CHECK_OK(log_open(fixture));
    CHECK_EQUAL(fixture->read, 4);
    CHECK_EQUAL(fixture->sum, LEAT_BYTES_TAG_MAX + 9);
    leat_wal_close(&fixture->wal);
    teardown(fixture);
}

static void
test_timeout(void **state)
{
    struct fixture *fixture = setup();
    (void)state;
    CHECK_OK(log_open(fixture));
    CHECK_STATUS(leat_wal_wait(&fixture->wal, 16, leat_os_deadline_ns(1000000)), LEAT_TIMEOUT);
    leat_wal_close(&fixture->wal);
    teardown(fixture);
}

/* ---- the directory --------------------------------------------------------------------------- */

static void
test_locked(void **state)
{
    struct fixture *fixture = setup();
    struct leat_wal other;
    const struct leat_wal_reader reader = {record_read, fixture};
    (void)state;
    CHECK_OK(log_open(fixture));
    CHECK_STATUS(leat_wal_open(&other, &fixture->config, &reader, &fixture->report), LEAT_BUSY);
    CHECK_STATUS(leat_wal_read(&fixture->config, &reader, &fixture->report), LEAT_BUSY);
    leat_wal_close(&fixture->wal);
    CHECK_OK(leat_wal_read(&fixture->config, &reader, &fixture->report));
    teardown(fixture);
}

/* Each allocation of an open fails, once. */
static void
test_no_memory(void **state)
{
    struct fixture *fixture = setup();
    uint64_t position = 0;
    (void)state;
    CHECK_OK(log_open(fixture));
    segment_fill(fixture);
    CHECK_OK(append(fixture, 1, 100, &position));
    CHECK_OK(leat_wal_wait(&fixture->wal, position, UINT64_MAX));
    leat_wal_close(&fixture->wal);
    enum leat_status status = LEAT_NO_MEMORY;
    uint32_t failed = 0;
    for (; status == LEAT_NO_MEMORY; failed++) {
        test_memory_fail(&fixture->memory, failed, false);
        status = log_open(fixture);
        CHECK_EQUAL(status == LEAT_OK ? 0 : test_memory_blocks(&fixture->memory), 0);
    }
    test_memory_heal(&fixture->memory);
    CHECK_EQUAL(status, LEAT_OK);
    CHECK(failed > 4);
    leat_wal_close(&fixture->wal);
    teardown(fixture);
}

/* ---- a disk that fails, or is full ----------------------------------------------------------- */

static void
test_failed_sync(void **state)
{
    struct fixture *fixture = setup();
    uint64_t position = 0;
    (void)state;
    CHECK_OK(log_open(fixture));
    CHECK_OK(append(fixture, 1, 10, &position));
    CHECK_OK(leat_wal_wait(&fixture->wal, position, UINT64_MAX));
    CHECK_OK(append(fixture, 2, 10, &position));
    fixture->disk.fault = (struct disk_fault){.kinds = DISK_SYNC, .result = -EIO};
    CHECK_STATUS(leat_wal_wait(&fixture->wal, position, UINT64_MAX), LEAT_LOG_FAILED);
    CHECK_STATUS(leat_wal_wait(&fixture->wal, position, UINT64_MAX), LEAT_LOG_FAILED);
    CHECK_EQUAL(fixture->disk.counted, 1); /* and never again */
    CHECK_STATUS(append(fixture, 3, 10, &position), LEAT_LOG_FAILED);
    CHECK(!leat_wal_step(&fixture->wal, true));
    CHECK_STATUS(leat_wal_stop(&fixture->wal), LEAT_LOG_FAILED);
    leat_wal_close(&fixture->wal);
    CHECK_OK(log_open(fixture)); /* the cache has it: it is written anew */
    CHECK_EQUAL(fixture->sum, 3);
    CHECK_EQUAL(fixture->report.batches_again, 1);
    CHECK(leat_wal_is_unmarked(&fixture->wal)); /* that it was, the log does not say yet */
    CHECK(leat_wal_step(&fixture->wal, true));
    CHECK(!leat_wal_is_unmarked(&fixture->wal));
    CHECK(!leat_wal_step(&fixture->wal, true));
    leat_wal_close(&fixture->wal);
    CHECK_OK(log_open(fixture));
    CHECK_EQUAL(fixture->report.batches_again, 1); /* the mark */
    leat_wal_close(&fixture->wal);
    teardown(fixture);
}

/* Opens that fail leave no segment behind, however often they are tried. */
static void
test_failed_opens(void **state)
{
    const uint32_t kinds[] = {DISK_ALLOCATE, DISK_WRITE, DISK_SYNC, DISK_RENAME, DISK_NAMES_SYNC};
    struct fixture *fixture = setup();
    (void)state;
    CHECK_OK(log_open(fixture));
    leat_wal_close(&fixture->wal);
    for (uint32_t i = 0; i < TEST_COUNT_OF(kinds); i++) {
        /* The first sync of the directory is that of the names which are there. */
        uint64_t at = kinds[i] == DISK_NAMES_SYNC ? 1 : 0;
        fixture->disk.counted = 0;
        fixture->disk.fault = (struct disk_fault){.kinds = kinds[i], .at = at, .result = -EIO};
        CHECK_STATUS(log_open(fixture), LEAT_SYSTEM);
        CHECK_EQUAL(disk_names(&fixture->disk), 1);
    }
    fixture->disk.fault.kinds = 0;
    CHECK_OK(log_open(fixture));
    CHECK_EQUAL(disk_names(&fixture->disk), 1);
    leat_wal_close(&fixture->wal);
    teardown(fixture);
}

/* ---- segments that a crash has left before they began ---------------------------------------- */

/* No whole number of what is looked at at a time. */
#define LEFTOVER_BYTES (3 * LEAT_WAL_SEGMENT_BYTES_MIN - LEAT_WAL_BLOCK)

/* Such a file of so many zeros, but for the byte `marked`, if it has that. */
static int
leftover_make(struct fixture *fixture, uint64_t number, uint64_t bytes, uint64_t marked)
{
    static const unsigned char mark = 1;
    const struct leat_wal_files *files = &fixture->disk.files;
    struct iovec piece = leat_wal_piece(&mark, 1);
    char name[LEAT_WAL_NAME_BYTES];
    int file = -1;
    leat_wal_name(name, number, true);
    CHECK_EQUAL(files->create(files->disk, 0, name, &file), 0);
    CHECK_EQUAL(files->allocate(files->disk, file, bytes), 0);
    CHECK_EQUAL(marked < bytes ? leat_wal_write_all(files, file, &piece, 1, marked) : 0, 0);
    return file;
}

/* A log of one record, 5, and of segments that are as large as a leftover; closed. */
static struct fixture *
leftover_setup(void)
{
    struct fixture *fixture = setup();
    uint64_t position = 0;
    fixture->config.segment_bytes = LEFTOVER_BYTES;
    CHECK_OK(log_open(fixture));
    CHECK_OK(append(fixture, 5, 100, &position));
    CHECK_OK(leat_wal_wait(&fixture->wal, position, UINT64_MAX));
    leat_wal_close(&fixture->wal);
    return fixture;
}

/* Opens with leftovers 100 and 101, or 100 alone: the older one is used, or not. Either way nothing
 * is lost, and of neither anything is left. */
static void
leftover_tried(uint64_t bytes, uint64_t marked, bool alone, bool used)
{
    struct fixture *fixture = leftover_setup();
    uint64_t position = 0;
    /* Whose name comes first says nothing. */
    const int other = alone ? -1 : leftover_make(fixture, 101, LEFTOVER_BYTES, UINT64_MAX);
    const int older = leftover_make(fixture, 100, bytes, marked);
    CHECK_OK(log_open(fixture));
    CHECK_EQUAL(fixture->sum, 5);
    CHECK_EQUAL(fixture->wal.file == older, used);
    CHECK(fixture->wal.file != other);
    CHECK_EQUAL(leat_wal_held(&fixture->wal), LEFTOVER_BYTES);
    CHECK_OK(append(fixture, 7, 100, &position));
    CHECK_OK(leat_wal_wait(&fixture->wal, position, UINT64_MAX));
    leat_wal_close(&fixture->wal);
    CHECK(disk_find(&fixture->disk, "0000000000000064.new") == NULL);
    CHECK(disk_find(&fixture->disk, "0000000000000065.new") == NULL);
    CHECK_OK(log_open(fixture));
    CHECK_EQUAL(fixture->sum, 12);
    leat_wal_close(&fixture->wal);
    teardown(fixture);
}

static void
test_leftover(void **state)
{
    const uint64_t bytes = LEFTOVER_BYTES;
    (void)state;
    leftover_tried(bytes, UINT64_MAX, false, true);
    leftover_tried(bytes, UINT64_MAX, true, false);
    leftover_tried(bytes, 0, false, false);
    leftover_tried(bytes, 1, false, false);
    leftover_tried(bytes, bytes / 2, false, false);
    leftover_tried(bytes, bytes - 1, false, false);
    leftover_tried(bytes - LEAT_WAL_BLOCK, UINT64_MAX, false, false);
    leftover_tried(bytes + LEAT_WAL_BLOCK, UINT64_MAX, false, false);
}

/* The disk is full but for less than a segment, and there is one leftover of so many bytes: an open
 * takes its space, if that is enough; else it is refused, and nothing is lost. */
static void
leftover_in_the_way(uint64_t bytes, uint64_t space, enum leat_status right)
{
    struct fixture *fixture = leftover_setup();
    (void)leftover_make(fixture, 100, bytes, UINT64_MAX);
    fixture->disk.space = space;
    CHECK_STATUS(log_open(fixture), right);
    if (right != LEAT_OK) {
        fixture->disk.space = LEFTOVER_BYTES;
        CHECK_OK(log_open(fixture));
    }
    CHECK_EQUAL(fixture->sum, 5);
    leat_wal_close(&fixture->wal);
    CHECK(disk_find(&fixture->disk, "0000000000000064.new") == NULL);
    teardown(fixture);
}

static void
test_leftover_in_the_way(void **state)
{
    const uint64_t bytes = LEFTOVER_BYTES;
    (void)state;
    leftover_in_the_way(bytes, 0, LEAT_OK);
    leftover_in_the_way(bytes, bytes - 1, LEAT_OK);
    leftover_in_the_way(bytes - LEAT_WAL_BLOCK, LEAT_WAL_BLOCK, LEAT_OK);
    leftover_in_the_way(bytes - LEAT_WAL_BLOCK, LEAT_WAL_BLOCK - 1, LEAT_NO_SPACE);
}

/* The disk fails in an open that has one, at each operation: no record is lost, and the next open
 * goes well. */
static void
test_leftover_fails(void **state)
{
    enum leat_status status = LEAT_SYSTEM;
    (void)state;
    for (uint64_t at = 0; status != LEAT_OK || at < 10; at++) {
        struct fixture *fixture = leftover_setup();
        (void)leftover_make(fixture, 100, LEFTOVER_BYTES, UINT64_MAX);
        (void)leftover_make(fixture, 101, LEFTOVER_BYTES, UINT64_MAX);
        fixture->disk.counted = 0;
        fixture->disk.fault = (struct disk_fault){.kinds = DISK_ANY, .at = at, .result = -EIO};
        status = log_open(fixture);
        if (status == LEAT_OK) {
            CHECK_EQUAL(fixture->sum, 5);
            leat_wal_close(&fixture->wal);
            status = fixture->disk.counted > at ? LEAT_SYSTEM : LEAT_OK; /* it may do without */
        }
        fixture->disk.fault.kinds = 0;
        CHECK_OK(log_open(fixture));
        CHECK_EQUAL(fixture->sum, 5);
        leat_wal_close(&fixture->wal);
        teardown(fixture);
    }
}

/* ---- segments -------------------------------------------------------------------------------- */

/* One that was begun to be made first may begin last. */
static void
test_order_of_segments(void **state)
{
    struct fixture *fixture = setup();
    struct leat_wal_ahead slow;
    uint64_t position = 0;
    (void)state;
    CHECK_OK(log_open(fixture));
    CHECK_EQUAL(leat_wal_segment_make(&fixture->wal, &slow, LEAT_WAL_SEGMENT_BYTES_MIN), 0);
    segment_fill(fixture);
    fixture->wal.ahead = slow;
    atom_store_rlx(&fixture->wal.ready, 1);
    segment_fill(fixture);
    CHECK_EQUAL(fixture->wal.ahead.number, 0);
    CHECK_OK(append(fixture, 1000, 10, &position));
    CHECK_OK(leat_wal_wait(&fixture->wal, position, UINT64_MAX));
    leat_wal_close(&fixture->wal);
    CHECK_OK(log_open(fixture));
    CHECK(fixture->sum > 1000);
    CHECK_EQUAL(fixture->report.segments, 3);
    leat_wal_close(&fixture->wal);
    teardown(fixture);
}

static void
test_cleaning(void **state)
{
    struct fixture *fixture = setup();
    const struct leat_wal_reader reader = {record_read, fixture};
    uint64_t position = 0;
    (void)state;
    CHECK_OK(log_open(fixture));
    CHECK_EQUAL(leat_wal_oldest(&fixture->wal), 0);
    CHECK_STATUS(leat_wal_look(&fixture->wal, &reader), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_wal_forget(&fixture->wal, 0), LEAT_NOT_FOUND);
    segment_fill(fixture);
    CHECK_EQUAL(leat_wal_oldest(&fixture->wal), 1);
    CHECK_EQUAL(leat_wal_bytes(&fixture->wal), 2 * LEAT_WAL_SEGMENT_BYTES_MIN);
    CHECK_OK(leat_wal_look(&fixture->wal, &reader));
    CHECK(fixture->read > 5);
    CHECK_OK(append(fixture, 50, 10, &position));
    CHECK_OK(leat_wal_forget(&fixture->wal, position));
    CHECK(disk_find(&fixture->disk, "0000000000000001.wal") == NULL);
    CHECK_EQUAL(leat_wal_oldest(&fixture->wal), 0);
    leat_wal_close(&fixture->wal);
    CHECK_OK(log_open(fixture));
    CHECK_EQUAL(fixture->read, 2); /* the one that began the segment, and this one */
    CHECK_EQUAL(fixture->sum, 51);
    leat_wal_close(&fixture->wal);
    teardown(fixture);
}

/* ---- written and durable --------------------------------------------------------------------- */

/* What is written is not synced until somebody asks; what asks syncs all, and a mark says so. */
static void
test_written(void **state)
{
    struct fixture *fixture = setup();
    struct leat_wal *wal = &fixture->wal;
    uint64_t first = 0;
    uint64_t second = 0;
    (void)state;
    CHECK_OK(log_open(fixture));
    fixture->disk.counted = 0;
    fixture->disk.fault = (struct disk_fault){.kinds = DISK_SYNC, .at = UINT64_MAX};
    CHECK_OK(append(fixture, 1, 10, &first));
    CHECK(!leat_wal_is_written(wal, first));
    CHECK_OK(leat_wal_wait_written(wal, first, UINT64_MAX));
    CHECK(leat_wal_is_written(wal, first));
    CHECK(!leat_wal_is_written(wal, first + 1));
    CHECK(!leat_wal_is_durable(wal, first));
    CHECK(leat_wal_is_unmarked(wal));
    CHECK_OK(append(fixture, 2, 10, &second));
    CHECK_OK(leat_wal_wait_written(wal, second, UINT64_MAX));
    CHECK_EQUAL(fixture->disk.counted, 0);
    CHECK_OK(leat_wal_wait(wal, first, UINT64_MAX));
    CHECK_EQUAL(fixture->disk.counted, 1);
    CHECK(leat_wal_is_durable(wal, second));
    CHECK(!leat_wal_step(wal, false));
    CHECK(leat_wal_is_unmarked(wal));
    CHECK(leat_wal_step(wal, true));
    CHECK(!leat_wal_is_unmarked(wal));
    leat_wal_close(wal);
    CHECK_OK(log_open(fixture));
    CHECK_EQUAL(fixture->sum, 3);
    leat_wal_close(wal);
    teardown(fixture);
}

/* With config.late a step writes only; a mark, and the segment's end, sync. */
static void
test_late(void **state)
{
    struct fixture *fixture = setup();
    struct leat_wal *wal = &fixture->wal;
    uint64_t position = 0;
    (void)state;
    fixture->config.late = true;
    CHECK_OK(log_open(fixture));
    CHECK_OK(append(fixture, 1, 10, &position));
    CHECK(leat_wal_step(wal, false));
    CHECK(!leat_wal_is_durable(wal, position));
    CHECK(!leat_wal_step(wal, false));
    CHECK(leat_wal_step(wal, true));
    CHECK(leat_wal_is_durable(wal, position));
    CHECK(!leat_wal_is_unmarked(wal));
    for (uint64_t segment = wal->id; wal->id == segment;) {
        CHECK_OK(append(fixture, 1, 3000, &position));
        CHECK(leat_wal_step(wal, false));
    }
    CHECK(!leat_wal_is_durable(wal, position));
    CHECK(leat_wal_is_durable(wal, position - leat_bytes_size(3000)));
    fixture->disk.counted = 0;
    fixture->disk.fault = (struct disk_fault){.kinds = DISK_SYNC, .result = -EIO};
    CHECK_STATUS(leat_wal_wait(wal, position, UINT64_MAX), LEAT_LOG_FAILED);
    CHECK_OK(leat_wal_wait_written(wal, position, UINT64_MAX)); /* as it was before */
    CHECK_STATUS(leat_wal_wait_written(wal, position + 1, UINT64_MAX), LEAT_LOG_FAILED);
    leat_wal_close(wal);
    CHECK_OK(log_open(fixture));
    leat_wal_close(wal);
    teardown(fixture);
}

/* Without a seed each open has identities of its own. */
static void
test_seeds(void **state)
{
    struct fixture *fixture = setup();
    const struct leat_wal_reader reader = {record_read, fixture};
    uint64_t before = 0;
    (void)state;
    for (uint32_t i = 0; i < 3; i++) {
        CHECK_OK(leat_wal_open(&fixture->wal, &fixture->config, &reader, &fixture->report));
        CHECK(fixture->wal.id != before);
        before = fixture->wal.id;
        leat_wal_close(&fixture->wal);
        disk_fini(&fixture->disk);
        disk_init(&fixture->disk);
    }
    teardown(fixture);
}

/* Several times in each segment; the last one says that all is read. */
static void
test_progress(void **state)
{
    struct fixture *fixture = setup();
    (void)state;
    fixture->config.progress = progress;
    fixture->config.progress_context = fixture;
    CHECK_OK(log_open(fixture));
    CHECK_EQUAL(fixture->told, 0);
    for (uint32_t i = 0; i < 3; i++) {
        segment_fill(fixture);
    }
    leat_wal_close(&fixture->wal);
    CHECK_OK(log_open(fixture));
    CHECK(fixture->report.segments >= 3 && fixture->told > 2 * fixture->report.segments);
    CHECK(fixture->done == fixture->of);
    /* A segment that is cleaned tells nothing. */
    const uint32_t told = fixture->told;
    const struct leat_wal_reader reader = {record_read, fixture};
    CHECK_OK(leat_wal_look(&fixture->wal, &reader));
    CHECK_EQUAL(fixture->told, told);
    leat_wal_close(&fixture->wal);
    teardown(fixture);
}

/* ---- when it was written --------------------------------------------------------------------- */

struct timed {
    struct fixture *fixture;
    uint64_t now_ns;
};

static uint64_t
timed_now(void *context)
{
    return ((const struct timed *)context)->now_ns;
}

/* Each record has the number of its time as its tag; the first one no time. */
static bool
record_timed(void *context, struct leat_wal_place place, const struct leat_wal_record *record)
{
    struct timed *timed = context;
    CHECK_EQUAL(place.written_ns, record->tag == 1 ? 0 : UINT64_C(1000) * record->tag);
    timed->fixture->read++;
    return true;
}

static void
timed_open(struct timed *timed)
{
    struct fixture *fixture = timed->fixture;
    const struct leat_wal_reader reader = {record_timed, timed};
    fixture->read = 0;
    fixture->config.seed++;
    CHECK_OK(leat_wal_open(&fixture->wal, &fixture->config, &reader, &fixture->report));
}

/* A batch keeps its time where it is written anew, whatever the clock says by then, which may go
 * back; who cleans is told it, too. */
static void
test_times(void **state)
{
    struct fixture *fixture = setup();
    struct timed timed = {fixture, 0};
    const struct leat_wal_reader reader = {record_timed, &timed};
    uint64_t position = 0;
    (void)state;
    timed_open(&timed);
    CHECK_OK(append(fixture, 1, 10, &position));
    CHECK_OK(leat_wal_wait(&fixture->wal, position, UINT64_MAX));
    leat_wal_close(&fixture->wal);
    fixture->config.wall_ns = timed_now;
    fixture->config.wall_context = &timed;
    for (uint32_t life = 0; life < 4; life++) {
        timed_open(&timed);
        CHECK_EQUAL(fixture->read, 1 + 2 * life);
        CHECK_EQUAL(fixture->report.batches_again, 1);
        for (uint32_t i = 0; i < 2; i++) {
            uint32_t tag = 20 - 2 * life + i;
            timed.now_ns = UINT64_C(1000) * tag;
            CHECK_OK(append(fixture, tag, 10, &position));
            CHECK_OK(leat_wal_wait(&fixture->wal, position, UINT64_MAX));
        }
        timed.now_ns = 7;
        leat_wal_close(&fixture->wal);
    }
    timed_open(&timed);
    CHECK_EQUAL(fixture->read, 9);
    CHECK_OK(leat_wal_look(&fixture->wal, &reader));
    CHECK(fixture->read > 9);
    leat_wal_close(&fixture->wal);
    teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_config),
        cmocka_unit_test(test_units),
        cmocka_unit_test(test_timeout),
        cmocka_unit_test(test_locked),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_failed_sync),
        cmocka_unit_test(test_leftover),
        cmocka_unit_test(test_leftover_fails),
        cmocka_unit_test(test_leftover_in_the_way),
        cmocka_unit_test(test_order_of_segments),
        cmocka_unit_test(test_cleaning),
        cmocka_unit_test(test_written),
        cmocka_unit_test(test_late),
        cmocka_unit_test(test_seeds),
        cmocka_unit_test(test_failed_opens),
        cmocka_unit_test(test_progress),
        cmocka_unit_test(test_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
