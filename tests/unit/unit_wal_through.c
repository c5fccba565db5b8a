/* unit_wal_through.c - a log that writes through to the disk, on a simulated one: what is waited
 * for is one write and no sync; what was only written is synced; a write that fails ends the log;
 * where there is no such write, the open says so and leaves nothing. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/wal/wal.h"
#include "tests/support/check.h"
#include "tests/support/disk.h"

struct fixture {
    struct disk disk;
    struct disk image;
    struct leat_wal_config config;
    struct leat_wal wal;
    struct leat_wal_report report;
    uint32_t records;
};

static bool
record_count(void *context, struct leat_wal_place place, const struct leat_wal_record *record)
{
    (void)place;
    (void)record;
    ((struct fixture *)context)->records++;
    return true;
}

static enum leat_status
log_open(struct fixture *fixture)
{
    const struct leat_wal_reader reader = {record_count, fixture};
    fixture->records = 0;
    return leat_wal_open(&fixture->wal, &fixture->config, &reader, &fixture->report);
}

static struct fixture *
setup(void)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    CHECK(fixture != NULL);
    disk_init(&fixture->disk);
    fixture->config = (struct leat_wal_config){
        .files = &fixture->disk.files,
        .directory = "log",
        .memory = leat_memory_default(),
        .segment_bytes = LEAT_WAL_SEGMENT_BYTES_MIN,
        .ring_bytes = LEAT_WAL_RING_BYTES_MIN,
        .sync = LEAT_LOG_SYNC_DSYNC,
    };
    return fixture;
}

static void
teardown(struct fixture *fixture)
{
    disk_fini(&fixture->disk);
    free(fixture);
}

static uint64_t
append(struct fixture *fixture)
{
    const struct leat_wal_entry entry = {.tag = 1, .data = "x", .data_bytes = 1};
    uint64_t position = 0;
    CHECK_OK(leat_wal_append(&fixture->wal, &entry, 1, LEAT_WAL_FIRST, &position));
    return position;
}

/* How many of these there are from now on. */
static void
count_from_now(struct fixture *fixture, uint32_t kinds)
{
    fixture->disk.counted = 0;
    fixture->disk.fault = (struct disk_fault){.kinds = kinds, .at = UINT64_MAX};
}

/* Opens what a crash leaves. */
static uint32_t
records_behind_a_crash(struct fixture *fixture)
{
    struct test_prng prng = {fixture->disk.operations};
    leat_wal_close(&fixture->wal);
    disk_crash(&fixture->image, &fixture->disk, &prng);
    fixture->config.files = &fixture->image.files;
    CHECK_OK(log_open(fixture));
    leat_wal_close(&fixture->wal);
    fixture->config.files = &fixture->disk.files;
    disk_fini(&fixture->image);
    return fixture->records;
}

static void
one_write_is_enough(void **state)
{
    for (uint32_t i = 1; i < 30; i++) { /* beyond a segment that is made, and a switch to it, too */
        struct fixture *fixture = setup();
        (void)state;
        CHECK_OK(log_open(fixture));
        count_from_now(fixture, DISK_SYNC);
        for (uint32_t j = 0; j < i; j++) {
            CHECK_OK(leat_wal_wait(&fixture->wal, append(fixture), UINT64_MAX));
        }
        CHECK(i > 3 || fixture->disk.counted == 0);
        CHECK_EQUAL(records_behind_a_crash(fixture), i);
        teardown(fixture);
    }
}

/* A write through says nothing of what stands before it. */
static void
what_was_written_is_synced(void **state)
{
    struct fixture *fixture = setup();
    (void)state;
    CHECK_OK(log_open(fixture));
    CHECK_OK(leat_wal_wait_written(&fixture->wal, append(fixture), UINT64_MAX));
    count_from_now(fixture, DISK_SYNC);
    uint64_t position = append(fixture);
    CHECK_OK(leat_wal_wait(&fixture->wal, position, UINT64_MAX));
    CHECK_EQUAL(fixture->disk.counted, 1);
    CHECK(leat_wal_is_durable(&fixture->wal, position));
    CHECK_OK(leat_wal_wait(&fixture->wal, append(fixture), UINT64_MAX));
    CHECK_EQUAL(fixture->disk.counted, 1);
    CHECK_EQUAL(records_behind_a_crash(fixture), 3);
    teardown(fixture);
}

static void
a_failure_ends_the_log(void **state)
{
    struct fixture *fixture = setup();
    uint64_t position = 0;
    (void)state;
    CHECK_OK(log_open(fixture));
    CHECK_OK(leat_wal_wait(&fixture->wal, append(fixture), UINT64_MAX));
    position = append(fixture);
    count_from_now(fixture, DISK_THROUGH | DISK_SYNC);
    fixture->disk.fault.result = -EIO;
    fixture->disk.fault.at = 0;
    CHECK_STATUS(leat_wal_wait(&fixture->wal, position, UINT64_MAX), LEAT_LOG_FAILED);
    CHECK_STATUS(leat_wal_wait(&fixture->wal, position, UINT64_MAX), LEAT_LOG_FAILED);
    CHECK_EQUAL(fixture->disk.counted, 1); /* and never again */
    CHECK_STATUS(leat_wal_stop(&fixture->wal), LEAT_LOG_FAILED);
    uint32_t records = records_behind_a_crash(fixture);
    CHECK(records == 1 || records == 2);
    teardown(fixture);
}

/* What was written in parts is there in parts that are all durable. */
static void
short_writes(void **state)
{
    struct fixture *fixture = setup();
    (void)state;
    CHECK_OK(log_open(fixture));
    fixture->disk.fault = (struct disk_fault){
        .kinds = DISK_THROUGH, .at = fixture->disk.counted, .result = DISK_HALF};
    CHECK_OK(leat_wal_wait(&fixture->wal, append(fixture), UINT64_MAX));
    CHECK_EQUAL(records_behind_a_crash(fixture), 1);
    teardown(fixture);
}

static void
where_there_is_none(void **state)
{
    struct fixture *fixture = setup();
    (void)state;
    fixture->disk.fault =
        (struct disk_fault){.kinds = DISK_THROUGH, .result = -EOPNOTSUPP, .for_ever = true};
    for (uint32_t i = 0; i < 5; i++) {
        CHECK_STATUS(log_open(fixture), LEAT_UNSUPPORTED);
        CHECK(strstr(fixture->report.text, "log_sync") != NULL);
    }
    for (uint32_t i = 0; i < DISK_FILES_MAX; i++) {
        CHECK(!fixture->disk.file[i].used || fixture->disk.file[i].name[0] == 0);
    }
    fixture->config.sync = LEAT_LOG_SYNC_FDATASYNC;
    CHECK_OK(log_open(fixture));
    CHECK_OK(leat_wal_wait(&fixture->wal, append(fixture), UINT64_MAX));
    leat_wal_close(&fixture->wal);
    teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_write_is_enough),    cmocka_unit_test(what_was_written_is_synced),
        cmocka_unit_test(a_failure_ends_the_log), cmocka_unit_test(short_writes),
        cmocka_unit_test(where_there_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
