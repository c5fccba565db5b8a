/* log_wal.c - Leat's log alone as a contestant of log.h: records of bytes, without what makes jobs
 * of them. One thread appends and waits, and so writes for itself. */
#include "bench/rivals/log.h"
#include "engine/wal/wal.h"
#include "ring/os.h"

#define SEGMENT_BYTES_LEAST (UINT64_C(16) << 20)
#define RING_BYTES_LEAST    (UINT64_C(1) << 20)

struct log {
    const struct bench_log_setup *setup;
    struct leat_wal wal;
    uint64_t *positions; /* of what is on its way, a ring of setup->depth */
    uint64_t submitted;
    uint64_t acknowledged;
    uint64_t found;
    bool writes; /* the log's threads are there */
};

static bool
found(void *context, struct leat_wal_place place, const struct leat_wal_record *record)
{
    struct log *log = context;
    (void)place;
    log->found += bench_log_is_entry(log->setup, record->data, record->bytes);
    return true;
}

static void *
open_as(const struct bench_log_setup *setup, enum leat_log_sync sync)
{
    struct log *log = bench_log_memory(sizeof(*log));
    const struct leat_wal_reader reader = {found, log};
    struct leat_wal_report report;
    uint64_t ring_bytes = RING_BYTES_LEAST;
    while (ring_bytes < setup->depth * leat_bytes_size(setup->payload_bytes)) {
        ring_bytes *= 2;
    }
    struct leat_wal_config config = {
        .files = &leat_wal_files_system,
        .directory = ".",
        .memory = leat_memory_default(),
        .segment_bytes = 2 * ring_bytes,
        .ring_bytes = ring_bytes,
        .seed = leat_os_monotonic_ns(),
        .sync = sync,
    };
    if (config.segment_bytes < SEGMENT_BYTES_LEAST) {
        config.segment_bytes = SEGMENT_BYTES_LEAST;
    }
    log->setup = setup;
    log->positions = bench_log_memory(setup->depth * sizeof(*log->positions));
    bench_log_must(leat_wal_open(&log->wal, &config, &reader, &report) == LEAT_OK, "wal: open");
    return log;
}

static void *
log_open(const struct bench_log_setup *setup)
{
    return open_as(setup, LEAT_LOG_SYNC_FDATASYNC);
}

static void *
log_open_through(const struct bench_log_setup *setup)
{
    return open_as(setup, LEAT_LOG_SYNC_DSYNC);
}

static void *
log_open_uring(const struct bench_log_setup *setup)
{
    return open_as(setup, LEAT_LOG_SYNC_IO_URING);
}

bool
bench_log_uring_there(void)
{
    const struct leat_memory memory = leat_memory_default();
    void *ring = NULL;
    bool there = leat_wal_files_system.ring_open(NULL, &memory, &ring) == 0;
    if (there) {
        leat_wal_files_system.ring_close(NULL, ring);
    }
    return there;
}

/* The log's threads, and the segment that one of them would make ahead. */
static void
start(struct log *log)
{
    bench_log_must(leat_wal_prepare(&log->wal) == LEAT_OK, "wal: prepare");
    bench_log_must(leat_wal_start(&log->wal), "wal: threads");
    log->writes = true;
}

static void
log_submit(void *argument, uint32_t lane, uint32_t count)
{
    struct log *log = argument;
    if (!log->writes) {
        start(log);
    }
    const struct leat_wal_entry entry = {
        .data_bytes = log->setup->payload_bytes, .data = log->setup->payload, .tag = 1};
    (void)lane;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t *position = &log->positions[log->submitted % log->setup->depth];
        enum leat_status status = leat_wal_append(&log->wal, &entry, 1, LEAT_WAL_FIRST, position);
        bench_log_must(status == LEAT_OK, "wal: append");
        log->submitted++;
    }
}

static void
log_wait(void *argument, uint64_t *acknowledged)
{
    struct log *log = argument;
    const uint64_t *positions = log->positions;
    uint32_t depth = log->setup->depth;
    enum leat_status status =
        leat_wal_wait(&log->wal, positions[log->acknowledged % depth], UINT64_MAX);
    bench_log_must(status == LEAT_OK, "wal: wait");
    while (log->acknowledged < log->submitted &&
           leat_wal_is_durable(&log->wal, positions[log->acknowledged % depth])) {
        log->acknowledged++;
    }
    acknowledged[0] = log->acknowledged;
}

static uint64_t
log_count(void *log)
{
    return ((struct log *)log)->found;
}

extern const struct bench_log_kind bench_logs_wal[];

const struct bench_log_kind bench_logs_wal[] = {
    {.name = "leat wal alone",
     .note = "the log alone, no jobs; one thread appends and waits",
     .open = log_open,
     .submit = log_submit,
     .wait = log_wait,
     .count = log_count},
    {.name = "leat wal dsync",
     .note = "the same, which writes through to the disk instead of a write and a sync",
     .open = log_open_through,
     .submit = log_submit,
     .wait = log_wait,
     .count = log_count},
    {.name = "leat wal io_uring",
     .note = "the same, which hands over a write and a sync by one call of io_uring",
     .there = bench_log_uring_there,
     .open = log_open_uring,
     .submit = log_submit,
     .wait = log_wait,
     .count = log_count},
    {.name = NULL},
};
