/* unit_wal_threads.c - the log's own threads on real files: they rest where the log has failed and
 * where there is no space, and what a stop leaves is known to be durable by the log itself. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/wal/internal.h"
#include "tests/support/check.h"
#include "tests/support/threads.h"

#define LOOK_NS (200 * TEST_MS)

/* The system's files, some of which fail. Letters: S many writers; T. */
struct fixture {
    leat_atomic_u32 sync_fails; /* S */
    leat_atomic_u32 no_space;   /* S */
    leat_atomic_u64 asked;      /* T for space */
    struct leat_wal_files files;
    struct leat_wal_config config;
    struct leat_wal wal;
    struct leat_wal_report report;
    char directory[64];
};

static int
sync_maybe(void *disk, int file)
{
    struct fixture *fixture = disk;
    if (atom_load_acq(&fixture->sync_fails) != 0) {
        return -EIO;
    }
    return leat_wal_files_system.sync(NULL, file);
}

static int
allocate_maybe(void *disk, int file, uint64_t bytes)
{
    struct fixture *fixture = disk;
    (void)atom_add_rlx(&fixture->asked, 1);
    if (atom_load_acq(&fixture->no_space) != 0) {
        return -ENOSPC;
    }
    return leat_wal_files_system.allocate(NULL, file, bytes);
}

static bool
record_none(void *context, struct leat_wal_place place, const struct leat_wal_record *record)
{
    (void)context;
    (void)place;
    (void)record;
    return true;
}

static void
log_open(struct fixture *fixture)
{
    const struct leat_wal_reader reader = {record_none, NULL};
    fixture->config.seed++;
    CHECK_OK(leat_wal_open(&fixture->wal, &fixture->config, &reader, &fixture->report));
}

static struct fixture *
setup(void)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    CHECK(fixture != NULL);
    (void)snprintf(fixture->directory, sizeof(fixture->directory), "unit_wal_threads.XXXXXX");
    CHECK(mkdtemp(fixture->directory) != NULL);
    fixture->files = leat_wal_files_system;
    fixture->files.disk = fixture;
    fixture->files.sync = sync_maybe;
    fixture->files.allocate = allocate_maybe;
    fixture->config = (struct leat_wal_config){.files = &fixture->files,
                                               .directory = fixture->directory,
                                               .memory = leat_memory_default(),
                                               .segment_bytes = LEAT_WAL_SEGMENT_BYTES_MIN,
                                               .ring_bytes = LEAT_WAL_RING_BYTES_MIN};
    log_open(fixture);
    return fixture;
}

static void
teardown(struct fixture *fixture)
{
    char command[100];
    leat_wal_close(&fixture->wal);
    (void)snprintf(command, sizeof(command), "rm -r '%s'", fixture->directory);
    /* NOLINTNEXTLINE(concurrency-mt-unsafe,cert-env33-c): the directory is ours. */
    CHECK_EQUAL(system(command), 0);
    free(fixture);
}

/* Appends a record and waits for it. */
static enum leat_status
put(struct fixture *fixture)
{
    const struct leat_wal_entry entry = {1, 0, 4, NULL, "abcd"};
    uint64_t position = 0;
    enum leat_status status = leat_wal_append(&fixture->wal, &entry, 1, LEAT_WAL_LAST, &position);
    return status == LEAT_OK ? leat_wal_wait(&fixture->wal, position, UINT64_MAX) : status;
}

static uint64_t
worked_ns(clockid_t clock)
{
    struct timespec worked;
    CHECK_EQUAL(clock_gettime(clock, &worked), 0);
    return (uint64_t)worked.tv_sec * 1000 * TEST_MS + (uint64_t)worked.tv_nsec;
}

/* How much the log's threads work while this one does for LOOK_NS. One that does not rest gets
 * about as much of the machine, however busy that is. */
static uint64_t
others_worked_ns(void)
{
    const uint64_t all_ns = worked_ns(CLOCK_PROCESS_CPUTIME_ID);
    const uint64_t start_ns = worked_ns(CLOCK_THREAD_CPUTIME_ID);
    uint64_t own_ns = 0;
    while (own_ns < LOOK_NS) {
        own_ns = worked_ns(CLOCK_THREAD_CPUTIME_ID) - start_ns;
    }
    return worked_ns(CLOCK_PROCESS_CPUTIME_ID) - all_ns - own_ns;
}

/* The last records are not known to be durable, and never will be: nobody tries that on and on. */
static void
test_failed_log_rests(void **state)
{
    struct fixture *fixture = setup();
    (void)state;
    CHECK_OK(put(fixture));
    CHECK(leat_wal_is_unmarked(&fixture->wal));
    atom_store_rel(&fixture->sync_fails, 1);
    CHECK_STATUS(put(fixture), LEAT_LOG_FAILED);
    CHECK(leat_wal_start(&fixture->wal));
    test_sleep_ns(LOOK_NS); /* the mark is due */
    uint32_t events = atom_load_acq(&fixture->wal.role.events);
    test_sleep_ns(LOOK_NS);
    CHECK_EQUAL(atom_load_acq(&fixture->wal.role.events), events);
    CHECK_STATUS(leat_wal_stop(&fixture->wal), LEAT_LOG_FAILED);
    teardown(fixture);
}

/* The mark would need what is kept, and there is no space for another segment: it is tried now and
 * then. */
static void
test_no_space_rests(void **state)
{
    struct fixture *fixture = setup();
    (void)state;
    atom_store_rel(&fixture->no_space, 1);
    while (leat_wal_room(&fixture->wal) > LEAT_WAL_SEGMENT_BYTES_MIN / 2) {
        CHECK_OK(put(fixture));
    }
    CHECK(leat_wal_start(&fixture->wal));
    uint64_t asked = atom_load_rlx(&fixture->asked);
    const uint64_t start_ns = test_now_ns();
    CHECK(others_worked_ns() < LOOK_NS / 4);
    const uint64_t most = (test_now_ns() - start_ns) / (100 * TEST_MS);
    asked = atom_load_rlx(&fixture->asked) - asked;
    CHECK(asked > 0);
    CHECK(asked < most + 18); /* every 100 ms, and a few at first */
    atom_store_rel(&fixture->no_space, 0);
    enum leat_status status = LEAT_NO_SPACE;
    for (uint32_t i = 0; i < 1000 && status == LEAT_NO_SPACE; i++) {
        status = put(fixture);
        test_sleep_ns(10 * TEST_MS); /* of the 100 */
    }
    CHECK_OK(status);
    CHECK_OK(leat_wal_stop(&fixture->wal));
    teardown(fixture);
}

/* It does not take 10 ms of idleness: what was acknowledged before a stop is not taken for a torn
 * end where it is damaged later. */
static void
test_stop_marks(void **state)
{
    struct fixture *fixture = setup();
    (void)state;
    CHECK(leat_wal_start(&fixture->wal));
    CHECK_OK(put(fixture));
    CHECK_OK(leat_wal_stop(&fixture->wal));
    CHECK(!leat_wal_is_unmarked(&fixture->wal));
    CHECK_OK(put(fixture));
    CHECK_OK(leat_wal_stop(&fixture->wal)); /* also without threads */
    CHECK(!leat_wal_is_unmarked(&fixture->wal));
    leat_wal_close(&fixture->wal);
    log_open(fixture);
    CHECK_EQUAL(fixture->report.records, 2);
    CHECK_EQUAL(fixture->report.batches_again, 1); /* the mark */
    teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_failed_log_rests),
        cmocka_unit_test(test_no_space_rests),
        cmocka_unit_test(test_stop_marks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
