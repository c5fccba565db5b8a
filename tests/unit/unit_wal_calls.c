/* unit_wal_calls.c - records that wait for the log without a thread, in one thread on a simulated
 * disk: settled once, in order, when they are durable and not before; told where the log has failed
 * and where there is no space; and by the log's own thread. */
#include <errno.h>
#include <stdlib.h>

#include "engine/wal/internal.h"
#include "tests/support/check.h"
#include "tests/support/disk.h"
#include "tests/support/threads.h"

#define RECORDS 8

/* Letters: S many writers; O who has the role. */
struct fixture {
    struct disk disk;
    struct leat_wal_config config;
    struct leat_wal wal;
    struct leat_wal_report report;
    leat_atomic_u32 links[RECORDS];     /* S */
    uint64_t positions[RECORDS];        /* S */
    enum leat_status statuses[RECORDS]; /* O */
    uint32_t order[2 * RECORDS];        /* O */
    leat_atomic_u32 settled;            /* S */
    uint32_t again;                     /* O record that is given anew when it is settled */
    unsigned char data[LEAT_WAL_RING_BYTES_MIN / 2];
};

static leat_atomic_u32 *
link_of(void *context, uint32_t index)
{
    return &((struct fixture *)context)->links[index];
}

static uint64_t
position_of(void *context, uint32_t index)
{
    return ((struct fixture *)context)->positions[index];
}

static void
append(struct fixture *fixture, uint32_t index, uint32_t bytes)
{
    const struct leat_wal_entry entry = {index, 0, bytes, NULL, fixture->data};
    CHECK_OK(leat_wal_append(&fixture->wal, &entry, 1, LEAT_WAL_LAST, &fixture->positions[index]));
}

static void
settled(void *context, uint32_t index, enum leat_status status)
{
    struct fixture *fixture = context;
    fixture->statuses[index] = status;
    fixture->order[atom_load_rlx(&fixture->settled)] = index;
    if (index == fixture->again) {
        fixture->again = RECORDS;
        append(fixture, index, 10);
        leat_wal_when(&fixture->wal, index);
    }
    (void)atom_add_rel(&fixture->settled, 1);
}

static bool
record_none(void *context, struct leat_wal_place place, const struct leat_wal_record *record)
{
    (void)context;
    (void)place;
    (void)record;
    return true;
}

static struct fixture *
setup(void)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    const struct leat_wal_reader reader = {record_none, NULL};
    CHECK(fixture != NULL);
    disk_init(&fixture->disk);
    fixture->again = RECORDS;
    fixture->config = (struct leat_wal_config){
        .files = &fixture->disk.files,
        .directory = "log",
        .memory = leat_memory_default(),
        .segment_bytes = LEAT_WAL_SEGMENT_BYTES_MIN,
        .ring_bytes = LEAT_WAL_RING_BYTES_MIN,
        .calls = {link_of, position_of, settled, fixture, NULL},
    };
    CHECK_OK(leat_wal_open(&fixture->wal, &fixture->config, &reader, &fixture->report));
    return fixture;
}

static void
teardown(struct fixture *fixture)
{
    CHECK_EQUAL(fixture->wal.calls.count, 0);
    CHECK(!leat_inbox_ready(&fixture->wal.inbox));
    leat_wal_close(&fixture->wal);
    disk_fini(&fixture->disk);
    free(fixture);
}

static uint32_t
count_of(struct fixture *fixture)
{
    return atom_load_rlx(&fixture->settled);
}

/* Two in one batch, one that does not fit in with them, and one that was durable before. */
static void
test_order(void **state)
{
    const uint32_t half = LEAT_WAL_RING_BYTES_MIN / 2;
    struct fixture *fixture = setup();
    (void)state;
    append(fixture, 5, 10);
    append(fixture, 3, 10);
    append(fixture, 4, half - 16);
    leat_wal_when(&fixture->wal, 5);
    leat_wal_when(&fixture->wal, 3);
    leat_wal_when(&fixture->wal, 4);
    CHECK_EQUAL(count_of(fixture), 0);
    CHECK(leat_wal_step(&fixture->wal, false));
    CHECK_EQUAL(count_of(fixture), 2);
    CHECK_EQUAL(fixture->order[0], 5);
    CHECK_EQUAL(fixture->order[1], 3);
    CHECK(leat_wal_step(&fixture->wal, false));
    CHECK_EQUAL(count_of(fixture), 3);
    CHECK_EQUAL(fixture->order[2], 4);
    leat_wal_when(&fixture->wal, 5);
    CHECK(!leat_wal_step(&fixture->wal, false)); /* nothing to write, but to settle */
    CHECK_EQUAL(count_of(fixture), 4);
    for (uint32_t i = 3; i < 6; i++) {
        CHECK_EQUAL(fixture->statuses[i], LEAT_OK);
    }
    teardown(fixture);
}

/* One that is given first, and has a later place, holds up nobody. */
static void
test_later_first(void **state)
{
    struct fixture *fixture = setup();
    (void)state;
    append(fixture, 1, 10);
    append(fixture, 2, LEAT_WAL_RING_BYTES_MIN / 2 - 16);
    leat_wal_when(&fixture->wal, 2);
    leat_wal_when(&fixture->wal, 1);
    CHECK(leat_wal_step(&fixture->wal, false));
    CHECK_EQUAL(count_of(fixture), 1);
    CHECK_EQUAL(fixture->order[0], 1);
    CHECK(leat_wal_step(&fixture->wal, false));
    CHECK_EQUAL(count_of(fixture), 2);
    teardown(fixture);
}

static bool
is_odd(void *context, uint32_t index)
{
    (void)context;
    return index % 2 == 1;
}

/* In a log that syncs late: one is settled as it is written, and one makes it sync. */
static void
test_late(void **state)
{
    struct fixture *fixture = setup();
    (void)state;
    fixture->wal.config.late = true;
    fixture->wal.config.calls_written = is_odd;
    fixture->disk.fault = (struct disk_fault){.kinds = DISK_SYNC, .at = UINT64_MAX};
    append(fixture, 1, 10);
    leat_wal_when(&fixture->wal, 1);
    CHECK(leat_wal_step(&fixture->wal, false));
    CHECK_EQUAL(count_of(fixture), 1);
    CHECK_EQUAL(fixture->disk.counted, 0);
    append(fixture, 2, 10);
    CHECK(leat_wal_step(&fixture->wal, false));
    CHECK_EQUAL(fixture->disk.counted, 0);
    leat_wal_when(&fixture->wal, 2); /* it is written by then, and not durable */
    CHECK(leat_wal_step(&fixture->wal, false));
    CHECK_EQUAL(fixture->disk.counted, 1);
    CHECK_EQUAL(count_of(fixture), 2);
    CHECK_EQUAL(fixture->order[1], 2);
    teardown(fixture);
}

/* One is appended and given again from the call itself. */
static void
test_again(void **state)
{
    struct fixture *fixture = setup();
    (void)state;
    fixture->again = 2;
    append(fixture, 2, 10);
    leat_wal_when(&fixture->wal, 2);
    CHECK(leat_wal_step(&fixture->wal, false));
    CHECK_EQUAL(count_of(fixture), 1);
    CHECK(leat_wal_step(&fixture->wal, false));
    CHECK_EQUAL(count_of(fixture), 2);
    CHECK(!leat_wal_step(&fixture->wal, false));
    CHECK_EQUAL(count_of(fixture), 2);
    teardown(fixture);
}

/* What was durable by then is so all the same. */
static void
test_failed(void **state)
{
    struct fixture *fixture = setup();
    (void)state;
    append(fixture, 0, 10);
    CHECK_OK(leat_wal_wait(&fixture->wal, fixture->positions[0], UINT64_MAX));
    append(fixture, 1, 10);
    leat_wal_when(&fixture->wal, 1);
    leat_wal_when(&fixture->wal, 0);
    fixture->disk.fault = (struct disk_fault){.kinds = DISK_SYNC, .result = -EIO};
    CHECK(!leat_wal_step(&fixture->wal, false));
    CHECK_EQUAL(count_of(fixture), 2);
    CHECK_EQUAL(fixture->statuses[0], LEAT_OK);
    CHECK_EQUAL(fixture->statuses[1], LEAT_LOG_FAILED);
    fixture->statuses[1] = LEAT_OK;
    leat_wal_when(&fixture->wal, 1); /* too late */
    CHECK(!leat_wal_step(&fixture->wal, false));
    CHECK_EQUAL(fixture->statuses[1], LEAT_LOG_FAILED);
    CHECK_EQUAL(count_of(fixture), 3);
    teardown(fixture);
}

static void
test_no_space(void **state)
{
    struct fixture *fixture = setup();
    (void)state;
    fixture->disk.space = 0;
    while (leat_wal_room(&fixture->wal) > LEAT_WAL_SEGMENT_BYTES_MIN / 2) { /* the rest is kept */
        append(fixture, 0, 10);
        CHECK_OK(leat_wal_wait(&fixture->wal, fixture->positions[0], UINT64_MAX));
    }
    const struct leat_wal_entry entry = {1, 0, 10, NULL, fixture->data};
    CHECK_OK(leat_wal_append(&fixture->wal, &entry, 1, LEAT_WAL_BACK, &fixture->positions[1]));
    leat_wal_when(&fixture->wal, 0);
    leat_wal_when(&fixture->wal, 1);
    CHECK(!leat_wal_step(&fixture->wal, false));
    CHECK_EQUAL(count_of(fixture), 2);
    CHECK_EQUAL(fixture->statuses[0], LEAT_OK);
    CHECK_EQUAL(fixture->statuses[1], LEAT_NO_SPACE);
    teardown(fixture);
}

static bool
all_settled(void *argument)
{
    return atom_load_acq(&((struct fixture *)argument)->settled) == RECORDS;
}

/* Nobody waits: the log's thread settles, also what was durable before. */
static void
test_thread(void **state)
{
    struct fixture *fixture = setup();
    (void)state;
    append(fixture, 0, 10);
    CHECK_OK(leat_wal_wait(&fixture->wal, fixture->positions[0], UINT64_MAX));
    /* Both segments ahead, so that one thread alone is at the disk. */
    CHECK_OK(leat_wal_prepare(&fixture->wal));
    CHECK_OK(leat_wal_prepare(&fixture->wal));
    CHECK(leat_wal_start(&fixture->wal));
    for (uint32_t i = 0; i < RECORDS; i++) {
        if (i != 0) {
            append(fixture, i, 10);
        }
        leat_wal_when(&fixture->wal, i);
    }
    CHECK(test_until(all_settled, fixture));
    for (uint32_t i = 0; i < RECORDS; i++) {
        CHECK_EQUAL(fixture->order[i], i);
        CHECK_EQUAL(fixture->statuses[i], LEAT_OK);
    }
    CHECK_OK(leat_wal_stop(&fixture->wal));
    teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),  cmocka_unit_test(test_again),
        cmocka_unit_test(test_failed), cmocka_unit_test(test_no_space),
        cmocka_unit_test(test_thread), cmocka_unit_test(test_later_first),
        cmocka_unit_test(test_late),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
