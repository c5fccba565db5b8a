/* unit_wal_uring.c - a log whose write and sync are handed over by one call. On a simulated disk:
 * what was only written before is reached, nothing counts that was not synced, a failure ends the
 * log. On real files, where the system lets this process use io_uring: the same, and that the sync
 * is not begun where the write has not written all, that signals do no harm, that nothing else
 * writes, and what a system says that forbids it. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "engine/wal/uring.h"
#include "engine/wal/wal.h"
#include "tests/support/check.h"
#include "tests/support/directory.h"
#include "tests/support/disk.h"
#include "tests/support/forbid.h"
#include "tests/support/memory.h"

#define BATCHES 40

struct fixture {
    struct disk disk;
    struct disk image;
    struct leat_wal_config config;
    struct leat_wal wal;
    struct leat_wal_report report;
    uint32_t records;
    char directory[64]; /* of real files; "": on the simulated disk */
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
setup(bool real)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    CHECK(fixture != NULL);
    disk_init(&fixture->disk);
    if (real) {
        (void)snprintf(fixture->directory, sizeof(fixture->directory), "unit_wal_uring.XXXXXX");
        CHECK(mkdtemp(fixture->directory) != NULL);
    }
    fixture->config = (struct leat_wal_config){
        .files = real ? &leat_wal_files_system : &fixture->disk.files,
        .directory = real ? fixture->directory : "log",
        .memory = leat_memory_default(),
        .segment_bytes = LEAT_WAL_SEGMENT_BYTES_MIN,
        .ring_bytes = LEAT_WAL_RING_BYTES_MIN,
        .sync = LEAT_LOG_SYNC_IO_URING,
    };
    return fixture;
}

static void
teardown(struct fixture *fixture)
{
    if (fixture->directory[0] != 0) {
        test_directory_empty(fixture->directory);
        CHECK_EQUAL(rmdir(fixture->directory), 0);
    }
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

static void
put(struct fixture *fixture)
{
    CHECK_OK(leat_wal_wait(&fixture->wal, append(fixture), UINT64_MAX));
}

/* ---- on a simulated disk --------------------------------------------------------------------- */

static void
fault_set(struct fixture *fixture, uint32_t kinds, uint64_t at, int result)
{
    fixture->disk.counted = 0;
    fixture->disk.fault = (struct disk_fault){.kinds = kinds, .at = at, .result = result};
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
a_write_and_a_sync(void **state)
{
    (void)state;
    for (uint32_t i = 1; i < BATCHES;
         i++) { /* beyond a segment that is made, and a switch to it, too */
        struct fixture *fixture = setup(false);
        CHECK_OK(log_open(fixture));
        fault_set(fixture, DISK_SYNC, UINT64_MAX, 0);
        for (uint32_t j = 0; j < i; j++) {
            put(fixture);
        }
        CHECK(i > 3 || fixture->disk.counted == i);
        CHECK_EQUAL(records_behind_a_crash(fixture), i);
        teardown(fixture);
    }
}

/* The sync behind a write reaches what stands before it; where there is nothing to write, what was
 * written is synced all the same. */
static void
what_was_written_is_synced(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 2; i++) {
        struct fixture *fixture = setup(false);
        CHECK_OK(log_open(fixture));
        uint64_t position = append(fixture);
        CHECK_OK(leat_wal_wait_written(&fixture->wal, position, UINT64_MAX));
        CHECK(!leat_wal_is_durable(&fixture->wal, position));
        fault_set(fixture, DISK_SYNC, UINT64_MAX, 0);
        position = i == 0 ? position : append(fixture);
        CHECK_OK(leat_wal_wait(&fixture->wal, position, UINT64_MAX));
        CHECK_EQUAL(fixture->disk.counted, 1);
        CHECK(leat_wal_is_durable(&fixture->wal, position));
        CHECK_EQUAL(records_behind_a_crash(fixture), 1 + i);
        teardown(fixture);
    }
}

static void
a_failure_ends_the_log(void **state)
{
    static const uint32_t kinds[] = {DISK_WRITE, DISK_SYNC};
    (void)state;
    for (uint32_t i = 0; i < TEST_COUNT_OF(kinds); i++) {
        struct fixture *fixture = setup(false);
        CHECK_OK(log_open(fixture));
        put(fixture);
        uint64_t position = append(fixture);
        fault_set(fixture, kinds[i], 0, -EIO);
        uint64_t operations = fixture->disk.operations;
        CHECK_STATUS(leat_wal_wait(&fixture->wal, position, UINT64_MAX), LEAT_LOG_FAILED);
        CHECK_EQUAL(fixture->disk.operations, operations + 1 + i); /* no sync behind no write */
        CHECK_STATUS(leat_wal_wait(&fixture->wal, position, UINT64_MAX), LEAT_LOG_FAILED);
        CHECK_STATUS(leat_wal_stop(&fixture->wal), LEAT_LOG_FAILED);
        CHECK_EQUAL(fixture->disk.operations, operations + 1 + i); /* and never again */
        uint32_t records = records_behind_a_crash(fixture);
        CHECK(records == 1 || records == 2);
        teardown(fixture);
    }
}

static void
short_writes(void **state)
{
    static const int results[] = {DISK_SHORT, DISK_HALF};
    (void)state;
    for (uint32_t i = 0; i < TEST_COUNT_OF(results); i++) {
        struct fixture *fixture = setup(false);
        CHECK_OK(log_open(fixture));
        fault_set(fixture, DISK_WRITE, 0, results[i]);
        put(fixture);
        CHECK(fixture->disk.counted >= 2);
        CHECK_EQUAL(records_behind_a_crash(fixture), 1);
        teardown(fixture);
    }
}

static void
where_there_is_none(void **state)
{
    struct fixture *fixture = setup(false);
    (void)state;
    fixture->disk.fault =
        (struct disk_fault){.kinds = DISK_RING, .result = -EOPNOTSUPP, .for_ever = true};
    for (uint32_t i = 0; i < 5; i++) {
        CHECK_STATUS(log_open(fixture), LEAT_UNSUPPORTED);
        CHECK(strstr(fixture->report.text, "log_sync") != NULL);
    }
    for (uint32_t i = 0; i < DISK_FILES_MAX; i++) {
        CHECK(!fixture->disk.file[i].used || fixture->disk.file[i].name[0] == 0);
    }
    fixture->config.sync = LEAT_LOG_SYNC_FDATASYNC;
    CHECK_OK(log_open(fixture));
    put(fixture);
    leat_wal_close(&fixture->wal);
    teardown(fixture);
}

/* ---- on real files --------------------------------------------------------------------------- */

/* A ring of the system's. Where there is none, the test is skipped, and says why. */
static void *
ring_open(void)
{
    const struct leat_memory memory = leat_memory_default();
    void *ring = NULL;
    int result = leat_wal_files_system.ring_open(NULL, &memory, &ring);
    if (result != 0) {
        test_say("unit_wal_uring: skipped: %s: %s\n",
                 leat_wal_uring_there() ? "the system refuses io_uring" : "built without liburing",
                 strerror(-result)); /* NOLINT(concurrency-mt-unsafe): one thread */
        skip();
    }
    return ring;
}

static void
ring_close(void *ring)
{
    leat_wal_files_system.ring_close(NULL, ring);
}

/* Marks the test as skipped where there is no io_uring. */
static void
ring_needed(void)
{
    ring_close(ring_open());
}

static void
real_files(void **state)
{
    (void)state;
    struct test_memory memory;
    ring_needed();
    test_memory_init(&memory);
    struct fixture *fixture = setup(true);
    fixture->config.memory = test_memory_table(&memory);
    for (uint32_t round = 0; round < 3; round++) {
        CHECK_OK(log_open(fixture));
        CHECK_EQUAL(fixture->records, round * BATCHES);
        for (uint32_t i = 0; i < BATCHES; i++) {
            put(fixture);
        }
        CHECK_OK(leat_wal_stop(&fixture->wal));
        leat_wal_close(&fixture->wal);
        CHECK_EQUAL(test_memory_blocks(&memory), 0);
    }
    teardown(fixture);
}

/* The answers of one write with a sync behind it, into the file of a name. */
static int64_t
write_into(void *ring, int file, uint64_t offset)
{
    static const char text[] = "what is written";
    const struct iovec pieces[2] = {leat_wal_piece(text, 5), leat_wal_piece(text + 5, 10)};
    return leat_wal_files_system.write_synced(ring, file, pieces, 2, offset);
}

/* Behind a limit the system writes what fits in; then the sync is left out. A write that fails, and
 * a sync that fails behind a good write, say so. */
static void
what_the_system_says(void **state)
{
    const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
    const struct rlimit limit = {4096, RLIM_INFINITY};
    char read[16] = "";
    int pipes[2];
    (void)state;
    void *ring = ring_open();
    int file = open(".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    CHECK(file >= 0);
    CHECK_EQUAL(write_into(ring, file, 0), 15);
    CHECK(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    CHECK_EQUAL(setrlimit(RLIMIT_FSIZE, &limit), 0);
    CHECK_EQUAL(write_into(ring, file, 4090), 6);
    CHECK_EQUAL(write_into(ring, file, 4096), -EFBIG);
    CHECK_EQUAL(setrlimit(RLIMIT_FSIZE, &unlimited), 0);
    CHECK_EQUAL(pread(file, read, sizeof(read), 4090), 6);
    CHECK_TEXT(read, "what i");
    CHECK_EQUAL(write_into(ring, file, 4090), 15);
    CHECK_EQUAL(close(file), 0);
    CHECK_EQUAL(write_into(ring, file, 0), -EBADF);
    CHECK_EQUAL(pipe(pipes), 0);
    CHECK_EQUAL(write_into(ring, pipes[1], 0), -EINVAL); /* a pipe cannot be synced */
    CHECK_EQUAL(close(pipes[0]), 0);
    CHECK_EQUAL(close(pipes[1]), 0);
    ring_close(ring);
}

/* Where a write is cut short, what cannot be synced is not asked to be. */
static void
no_sync_behind_a_short_write(void **state)
{
    static const unsigned char zeros[1 << 18];
    const struct iovec piece = leat_wal_piece(zeros, sizeof(zeros));
    int pipes[2];
    (void)state;
    void *ring = ring_open();
    CHECK_EQUAL(pipe2(pipes, O_NONBLOCK | O_CLOEXEC), 0);
    int64_t written = leat_wal_files_system.write_synced(ring, pipes[1], &piece, 1, 0);
    CHECK(written > 0 && written < (int64_t)sizeof(zeros));
    CHECK_EQUAL(close(pipes[0]), 0);
    CHECK_EQUAL(close(pipes[1]), 0);
    ring_close(ring);
}

/* A short write that is not the last one: the rest is written, and all is synced. */
static void
a_limit_that_ends(void **state)
{
    (void)state;
    ring_needed();
    struct fixture *fixture = setup(true);
    const struct rlimit limit = {LEAT_WAL_BLOCK + 100, RLIM_INFINITY};
    const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
    CHECK_OK(log_open(fixture));
    put(fixture);
    uint64_t position = append(fixture);
    CHECK(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    CHECK_EQUAL(setrlimit(RLIMIT_FSIZE, &limit), 0);
    enum leat_status status = leat_wal_wait(&fixture->wal, position, UINT64_MAX);
    CHECK_EQUAL(setrlimit(RLIMIT_FSIZE, &unlimited), 0);
    CHECK_EQUAL(status, LEAT_LOG_FAILED); /* the rest found no room */
    leat_wal_close(&fixture->wal);
    CHECK_OK(log_open(fixture));
    CHECK_EQUAL(fixture->records, 1);
    leat_wal_close(&fixture->wal);
    teardown(fixture);
}

static leat_atomic_u32 alarms;

static void
alarm_count(int number)
{
    (void)number;
    (void)atom_add_rlx(&alarms, 1);
}

static void
alarms_begin(struct sigaction *before)
{
    const struct sigaction action = {.sa_handler = alarm_count}; /* without SA_RESTART */
    const struct itimerval often = {{0, 50}, {0, 50}};
    CHECK_EQUAL(sigaction(SIGALRM, &action, before), 0);
    CHECK_EQUAL(setitimer(ITIMER_REAL, &often, NULL), 0);
}

static void
alarms_end(const struct sigaction *before)
{
    const struct itimerval never = {{0, 0}, {0, 0}};
    CHECK_EQUAL(setitimer(ITIMER_REAL, &never, NULL), 0);
    CHECK_EQUAL(sigaction(SIGALRM, before, NULL), 0);
}

/* Signals that come while the system is waited for. */
static void
signals_do_no_harm(void **state)
{
    struct sigaction before;
    (void)state;
    ring_needed();
    struct fixture *fixture = setup(true);
    CHECK_OK(log_open(fixture));
    alarms_begin(&before);
    for (uint32_t i = 0; i < 100 || (atom_load_rlx(&alarms) < 100 && i < 100000); i++) {
        put(fixture);
    }
    alarms_end(&before);
    CHECK(atom_load_rlx(&alarms) >= 100);
    leat_wal_close(&fixture->wal);
    teardown(fixture);
}

/* Reads what is in the way, once the other thread's wait was cut many times. */
static void *
late_reader(void *argument)
{
    static char bytes[1 << 16];
    const int *pipes = argument;
    const uint32_t since = atom_load_rlx(&alarms);
    /* ThreadSanitizer may hand them on behind the wait only. */
    for (uint32_t i = 0; i < 500 && atom_load_rlx(&alarms) - since < 100; i++) {
        (void)usleep(1000);
    }
    CHECK(read(pipes[0], bytes, sizeof(bytes)) > 0);
    return NULL;
}

/* A write that waits for a reader: however often the wait for it is cut, it is waited for. Of a
 * pipe there is no sync, or the system drops it, which is the answer. */
static void
a_wait_that_is_cut(void **state)
{
    static const char bytes[1 << 16];
    const struct iovec piece = leat_wal_piece(bytes, 4096);
    struct sigaction before;
    sigset_t alarm;
    pthread_t reader;
    int pipes[2];
    (void)state;
    void *ring = ring_open();
    CHECK_EQUAL(pipe2(pipes, O_CLOEXEC), 0);
    CHECK_EQUAL(write(pipes[1], bytes, sizeof(bytes)), sizeof(bytes));
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    CHECK_EQUAL(pthread_sigmask(SIG_BLOCK, &alarm, NULL),
                0); /* the reader, too, and that keeps it */
    CHECK_EQUAL(pthread_create(&reader, NULL, late_reader, pipes), 0);
    CHECK_EQUAL(pthread_sigmask(SIG_UNBLOCK, &alarm, NULL), 0);
    alarms_begin(&before);
    int64_t result = leat_wal_files_system.write_synced(ring, pipes[1], &piece, 1, 0);
    alarms_end(&before);
    CHECK(result == -EINVAL || result == -ECANCELED);
    CHECK_EQUAL(pthread_join(reader, NULL), 0);
    CHECK_EQUAL(close(pipes[0]), 0);
    CHECK_EQUAL(close(pipes[1]), 0);
    ring_close(ring);
}

/* A ring that cannot be had for want of memory is that, and nothing is left. */
static void *
allocate_nothing(size_t bytes, size_t alignment, void *context)
{
    (void)bytes;
    (void)alignment;
    (void)context;
    return NULL;
}

static void
no_memory(void **state)
{
    struct leat_memory memory = leat_memory_default();
    void *ring = NULL;
    (void)state;
    ring_needed();
    memory.allocate = allocate_nothing;
    CHECK_EQUAL(leat_wal_files_system.ring_open(NULL, &memory, &ring), -ENOMEM);
    CHECK(ring == NULL);
}

/* ---- what may not be called ------------------------------------------------------------------ */

struct forbidden {
    uint32_t call;
    int error;
};

/* In a process that may not use it. */
static void
refused_body(void *argument)
{
    const struct forbidden *forbidden = argument;
    struct fixture *fixture = setup(true);
    test_forbid(&forbidden->call, 1, forbidden->error);
    uint64_t before = test_directory_digest(fixture->directory);
    CHECK_STATUS(log_open(fixture), LEAT_UNSUPPORTED);
    CHECK_TEXT(fixture->report.text, "the system does not let this process use io_uring: log_sync "
                                     "must be fdatasync, or dsync, there");
    CHECK_EQUAL(test_directory_digest(fixture->directory), before);
    struct leat_config config = leat_config_default();
    struct leat_error error;
    struct leat_engine *engine = NULL;
    config.log_directory = fixture->directory;
    config.log_segment_bytes = LEAT_WAL_SEGMENT_BYTES_MIN;
    config.log_ring_bytes = LEAT_WAL_RING_BYTES_MIN;
    config.log_sync = LEAT_LOG_SYNC_IO_URING;
    CHECK_STATUS(leat_open(&config, &engine, &error), LEAT_UNSUPPORTED);
    CHECK(strstr(error.text, "io_uring") != NULL);
    fixture->config.sync = LEAT_LOG_SYNC_FDATASYNC;
    CHECK_OK(log_open(fixture));
    put(fixture);
    leat_wal_close(&fixture->wal);
    teardown(fixture);
}

static void
a_system_that_forbids_it(void **state)
{
    static const struct forbidden all[] = {{SYS_io_uring_setup, ENOSYS},
                                           {SYS_io_uring_setup, EPERM},
                                           {SYS_io_uring_setup, EACCES},
                                           {SYS_io_uring_enter, ENOSYS},
                                           {SYS_io_uring_enter, EPERM}};
    (void)state;
    ring_needed();
    for (size_t i = 0; i < TEST_COUNT_OF(all); i++) {
        struct forbidden one = all[i];
        test_child(refused_body, &one);
    }
}

/* Once the log is open, its batches get to the disk by nothing else. */
static void
alone_body(void *argument)
{
    static const uint32_t others[] = {SYS_write, SYS_writev,   SYS_pwrite64, SYS_pwritev,
                                      SYS_fsync, SYS_pwritev2, SYS_fdatasync};
    struct fixture *fixture = argument;
    CHECK_OK(log_open(fixture));
    test_forbid(others, TEST_COUNT_OF(others), EIO);
    for (uint32_t i = 0; i < 5; i++) {
        put(fixture);
    }
    uint64_t position = append(fixture);
    CHECK_STATUS(leat_wal_wait_written(&fixture->wal, position, UINT64_MAX), LEAT_LOG_FAILED);
}

/* It is forbidden while the log is open: that is a failure, and ends it. */
static void
later_body(void *argument)
{
    static const uint32_t enter = SYS_io_uring_enter;
    struct fixture *fixture = argument;
    CHECK_OK(log_open(fixture));
    put(fixture);
    uint64_t position = append(fixture);
    test_forbid(&enter, 1, EPERM);
    CHECK_STATUS(leat_wal_wait(&fixture->wal, position, UINT64_MAX), LEAT_LOG_FAILED);
    CHECK_STATUS(leat_wal_stop(&fixture->wal), LEAT_LOG_FAILED);
}

static void
nothing_else_writes(void **state)
{
    (void)state;
    ring_needed();
    struct fixture *fixture = setup(true);
    test_child(alone_body, fixture);
    CHECK_OK(log_open(fixture));
    CHECK_EQUAL(fixture->records, 5);
    leat_wal_close(&fixture->wal);
    test_child(later_body, fixture);
    CHECK_OK(log_open(fixture));
    CHECK_EQUAL(fixture->records, 6);
    leat_wal_close(&fixture->wal);
    teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_write_and_a_sync),       cmocka_unit_test(what_was_written_is_synced),
        cmocka_unit_test(a_failure_ends_the_log),   cmocka_unit_test(short_writes),
        cmocka_unit_test(where_there_is_none),      cmocka_unit_test(real_files),
        cmocka_unit_test(what_the_system_says),     cmocka_unit_test(no_sync_behind_a_short_write),
        cmocka_unit_test(a_limit_that_ends),        cmocka_unit_test(signals_do_no_harm),
        cmocka_unit_test(a_wait_that_is_cut),       cmocka_unit_test(no_memory),
        cmocka_unit_test(a_system_that_forbids_it), cmocka_unit_test(nothing_else_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
