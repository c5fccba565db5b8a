/* stress_wal.c - the log with real threads and real files: some append and wait, some append and
 * are called, in their order, some append and kick, one cleans, and the log's own threads write and
 * make segments ahead; again and again it is closed and opened, each time with another way to the
 * disk. When it is read again, the last records of each thread are there, with their own bytes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/wal/wal.h"
#include "tests/support/check.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

#define THREADS  4
#define CALLS    64   /* in flight of a thread */
#define KEEP     1000 /* of the last records of a thread, the cleaner keeps so many */
#define DATA_MAX 3000
#define RUN_NS   UINT64_C(1500000000)

struct record {
    uint32_t thread;
    uint32_t bytes;
    uint64_t number;
};

/* Letters: W its thread; S many. */
struct appender {
    leat_atomic_u64 appended; /* W */
    leat_atomic_u64 durable;  /* W acknowledged up to here */
    leat_atomic_u64 given;    /* W to leat_wal_when() */
    leat_atomic_u64 settled;  /* W of them, by who has the role */
    leat_atomic_u32 links[CALLS];
    uint64_t positions[CALLS];
    uint64_t seen[KEEP]; /* W 1 + the highest number of each that was read */
    unsigned char data[DATA_MAX];
};

struct fixture {
    struct leat_wal wal;
    struct leat_wal_config config;
    struct leat_wal_report report;
    char directory[64];
    struct test_threads threads;
    struct appender appenders[THREADS];
    leat_atomic_u32 stop; /* S */
    uint64_t position;    /* W the cleaner's */
    uint64_t cleaned;     /* W segments */
};

static uint32_t
bytes_of(uint32_t thread, uint64_t number)
{
    struct test_prng prng = {thread * UINT64_C(1000003) + number};
    return test_random_below(&prng, 50) == 0 ? test_random_below(&prng, DATA_MAX)
                                             : test_random_below(&prng, 100);
}

static enum leat_status
append(struct fixture *fixture, const struct record *record, const unsigned char *data,
       uint64_t *position)
{
    const struct leat_wal_entry entry = {record->thread + 1, sizeof(*record), record->bytes, record,
                                         data};
    for (;;) {
        enum leat_status status =
            leat_wal_append(&fixture->wal, &entry, 1, LEAT_WAL_LAST, position);
        if (status != LEAT_FULL) {
            return status;
        }
        usleep(100);
    }
}

static leat_atomic_u32 *
link_of(void *context, uint32_t index)
{
    struct fixture *fixture = context;
    return &fixture->appenders[index / CALLS].links[index % CALLS];
}

static uint64_t
position_of(void *context, uint32_t index)
{
    struct fixture *fixture = context;
    return fixture->appenders[index / CALLS].positions[index % CALLS];
}

static void
settled(void *context, uint32_t index, enum leat_status status)
{
    struct fixture *fixture = context;
    struct appender *appender = &fixture->appenders[index / CALLS];
    uint64_t number = atom_load_rlx(&appender->settled);
    CHECK_OK(status);
    CHECK_EQUAL(index % CALLS, number % CALLS);
    CHECK(leat_wal_is_durable(&fixture->wal, position_of(fixture, index)));
    atom_store_rel(&appender->settled, number + 1);
}

/* Waits for one of its calls only where all are in flight. */
static void
call_later(struct fixture *fixture, uint32_t thread, uint64_t position)
{
    struct appender *me = &fixture->appenders[thread];
    uint64_t number = atom_load_rlx(&me->given);
    while (number - atom_load_acq(&me->settled) == CALLS) {
        usleep(100);
    }
    me->positions[number % CALLS] = position;
    atom_store_rlx(&me->given, number + 1);
    leat_wal_when(&fixture->wal, thread * CALLS + (uint32_t)(number % CALLS));
}

static void
appender_run(void *argument, uint32_t thread)
{
    struct fixture *fixture = argument;
    struct appender *me = &fixture->appenders[thread];
    while (atom_load_acq(&fixture->stop) == 0) {
        uint64_t position = 0;
        uint64_t number = atom_load_rlx(&me->appended);
        const struct record record = {thread, bytes_of(thread, number), number};
        memset(me->data, (int)(number % 251), record.bytes);
        CHECK_OK(append(fixture, &record, me->data, &position));
        atom_store_rel(&me->appended, number + 1);
        if (thread % 2 == 0 || number % 64 == 0) {
            CHECK_OK(leat_wal_wait(&fixture->wal, position, UINT64_MAX));
            CHECK(leat_wal_is_durable(&fixture->wal, position));
            atom_store_rel(&me->durable, number + 1);
        } else if (thread == 1) {
            call_later(fixture, thread, position);
        } else {
            leat_wal_kick(&fixture->wal);
        }
    }
}

/* ---- reading --------------------------------------------------------------------------------- */

static struct record
record_of(const struct leat_wal_record *record)
{
    struct record read;
    CHECK(record->bytes >= sizeof(read));
    memcpy(&read, record->data, sizeof(read));
    CHECK(read.thread < THREADS);
    CHECK_EQUAL(record->tag, read.thread + 1);
    CHECK_EQUAL(record->bytes, sizeof(read) + read.bytes);
    CHECK_EQUAL(read.bytes, bytes_of(read.thread, read.number));
    for (uint32_t i = 0; i < read.bytes; i++) {
        CHECK_EQUAL(record->data[sizeof(read) + i], read.number % 251);
    }
    return read;
}

static bool
record_read(void *context, struct leat_wal_place place, const struct leat_wal_record *record)
{
    struct fixture *fixture = context;
    struct record read = record_of(record);
    uint64_t *seen = &fixture->appenders[read.thread].seen[read.number % KEEP];
    (void)place;
    *seen = *seen > read.number ? *seen : read.number + 1;
    return true;
}

static bool
record_clean(void *context, struct leat_wal_place place, const struct leat_wal_record *record)
{
    struct fixture *fixture = context;
    struct record read = record_of(record);
    const struct appender *appender = &fixture->appenders[read.thread];
    (void)place;
    if (read.number + KEEP >= atom_load_acq(&appender->appended)) {
        return append(fixture, &read, record->data + sizeof(read), &fixture->position) == LEAT_OK;
    }
    return true;
}

static void
cleaner_run(struct fixture *fixture)
{
    const struct leat_wal_reader reader = {record_clean, fixture};
    uint64_t end_ns = leat_os_deadline_ns(RUN_NS);
    while (leat_os_monotonic_ns() < end_ns) {
        if (leat_wal_bytes(&fixture->wal) > 5 * fixture->config.segment_bytes) {
            fixture->position = 0;
            CHECK_OK(leat_wal_look(&fixture->wal, &reader));
            CHECK_OK(leat_wal_forget(&fixture->wal, fixture->position));
            fixture->cleaned++;
        }
        usleep(1000);
    }
    atom_store_rel(&fixture->stop, 1);
}

/* ---- rounds ---------------------------------------------------------------------------------- */

static void
open_and_compare(struct fixture *fixture)
{
    const struct leat_wal_reader reader = {record_read, fixture};
    for (uint32_t i = 0; i < THREADS; i++) {
        memset(fixture->appenders[i].seen, 0, sizeof(fixture->appenders[i].seen));
    }
    fixture->config.seed++;
    CHECK_OK(leat_wal_open(&fixture->wal, &fixture->config, &reader, &fixture->report));
    CHECK_EQUAL(fixture->report.torn_bytes, 0);
    for (uint32_t i = 0; i < THREADS; i++) {
        struct appender *appender = &fixture->appenders[i];
        uint64_t appended = atom_load_rlx(&appender->appended);
        for (uint64_t j = appended < KEEP ? 0 : appended - KEEP; j < appended; j++) {
            CHECK_EQUAL(appender->seen[j % KEEP], j + 1);
        }
        atom_store_rlx(&appender->durable, appended);
    }
}

static void
round_run(struct fixture *fixture)
{
    struct test_threads *threads = &fixture->threads;
    open_and_compare(fixture);
    CHECK(leat_wal_start(&fixture->wal));
    atom_store_rel(&fixture->stop, 0);
    test_threads_start(threads, THREADS, appender_run, fixture);
    cleaner_run(fixture);
    test_threads_join(threads);
    CHECK_OK(leat_wal_stop(&fixture->wal));
    CHECK(leat_bytes_check(&fixture->wal.ring, stderr));
    CHECK_EQUAL(fixture->wal.calls.count, 0);
    for (uint32_t i = 0; i < THREADS; i++) {
        const struct appender *appender = &fixture->appenders[i];
        CHECK_EQUAL(atom_load_rlx(&appender->settled), atom_load_rlx(&appender->given));
    }
    leat_wal_close(&fixture->wal);
}

/* Whoever has the role uses the one ring. */
static enum leat_log_sync
sync_of(const struct leat_memory *memory)
{
    void *ring = NULL;
    if (leat_wal_files_system.ring_open(NULL, memory, &ring) != 0) {
        test_say("stress_wal: no io_uring here, not shown\n");
        return LEAT_LOG_SYNC_DSYNC;
    }
    leat_wal_files_system.ring_close(NULL, ring);
    return LEAT_LOG_SYNC_IO_URING;
}

static void
test_threads_append(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    char command[100];
    (void)state;
    CHECK(fixture != NULL);
    (void)snprintf(fixture->directory, sizeof(fixture->directory), "stress_wal.XXXXXX");
    CHECK(mkdtemp(fixture->directory) != NULL);
    fixture->config =
        (struct leat_wal_config){.files = &leat_wal_files_system,
                                 .directory = fixture->directory,
                                 .memory = leat_memory_default(),
                                 .segment_bytes = UINT64_C(1) << 20,
                                 .ring_bytes = UINT64_C(1) << 16,
                                 .seed = test_seed("stress_wal"),
                                 .calls = {link_of, position_of, settled, fixture, NULL}};
    const enum leat_log_sync syncs[] = {LEAT_LOG_SYNC_FDATASYNC, LEAT_LOG_SYNC_DSYNC,
                                        sync_of(&fixture->config.memory)};
    for (uint32_t i = 0; i < TEST_COUNT_OF(syncs); i++) {
        fixture->config.sync = syncs[i];
        round_run(fixture);
    }
    open_and_compare(fixture);
    leat_wal_close(&fixture->wal);
    uint64_t sum = 0;
    for (uint32_t i = 0; i < THREADS; i++) {
        sum += atom_load_rlx(&fixture->appenders[i].appended);
    }
    test_say("%llu records, %llu segments cleaned\n", (unsigned long long)sum,
             (unsigned long long)fixture->cleaned);
    (void)snprintf(command, sizeof(command), "rm -r '%s'", fixture->directory);
    /* NOLINTNEXTLINE(concurrency-mt-unsafe,cert-env33-c) */
    CHECK_EQUAL(system(command), 0);
    free(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_threads_append)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
