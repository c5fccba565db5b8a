/* log_leat.c - durable jobs as contestants of log.h. Nothing runs them.
 *
 * jobs     one thread submits them one by one and does not wait: their acknowledgements come to a
 *          completion queue. Where one is on its way at a time, it waits for it.
 * batches  what is handed over together is one all-or-none batch, for which its thread waits.
 *
 * Jobs once more, as they are acknowledged when the system has them (os), and in the other ways in
 * which the log is written (dsync, io_uring: leat_config.log_sync). */
#include <poll.h>

#include "bench/rivals/log.h"
#include "engine/leat.h"

#define SEGMENT_BYTES_LEAST (UINT64_C(16) << 20)
#define RING_BYTES_LEAST    (UINT64_C(4) << 20)
#define RECORD_BYTES        UINT64_C(320) /* in the log, beside a payload, or a few more */
#define JOBS_MAX            (UINT32_C(1) << 23)

struct log {
    const struct bench_log_setup *setup;
    struct leat_engine *engine;
    struct leat_job *jobs; /* setup->depth of them */
    struct leat_job_options options;
    struct leat_completion_queue *queue; /* of acknowledgements */
    int descriptor;
    uint64_t submitted;
    uint64_t acknowledged;
};

static void *
open_as(const struct bench_log_setup *setup, enum leat_durability durability,
        enum leat_log_sync sync)
{
    struct log *log = bench_log_memory(sizeof(*log));
    struct leat_config config = leat_config_default();
    struct leat_error error = {LEAT_OK, "", ""};
    const uint64_t unit = setup->depth * (RECORD_BYTES + setup->payload_bytes);
    config.workers = 0;
    config.jobs_max = JOBS_MAX;
    config.log_directory = ".";
    config.durability = durability;
    config.log_sync = sync;
    config.log_ring_bytes = RING_BYTES_LEAST;
    while (config.log_ring_bytes < 2 * unit) {
        config.log_ring_bytes *= 2;
    }
    config.log_segment_bytes = 2 * config.log_ring_bytes;
    if (config.log_segment_bytes < SEGMENT_BYTES_LEAST) {
        config.log_segment_bytes = SEGMENT_BYTES_LEAST;
    }
    log->setup = setup;
    log->jobs = bench_log_memory(setup->depth * sizeof(*log->jobs));
    for (uint32_t i = 0; i < setup->depth; i++) {
        log->jobs[i] = leat_job_default();
        log->jobs[i].type_name = "job";
        log->jobs[i].payload = setup->payload_bytes == 0 ? NULL : setup->payload;
        log->jobs[i].payload_bytes = setup->payload_bytes;
    }
    bench_log_must(leat_open(&config, &log->engine, &error) == LEAT_OK, error.text);
    log->options = leat_job_options_default();
    bench_log_must(leat_completion_queue_create(log->engine, setup->depth, &log->queue) == LEAT_OK,
                   "a queue");
    bench_log_must(leat_completion_queue_descriptor(log->queue, &log->descriptor) == LEAT_OK,
                   "its descriptor");
    log->options.acknowledgements = log->queue;
    return log;
}

static void *
log_open(const struct bench_log_setup *setup)
{
    return open_as(setup, LEAT_DURABILITY_GROUP, LEAT_LOG_SYNC_FDATASYNC);
}

static void *
log_open_os(const struct bench_log_setup *setup)
{
    return open_as(setup, LEAT_DURABILITY_OS, LEAT_LOG_SYNC_FDATASYNC);
}

static void *
log_open_through(const struct bench_log_setup *setup)
{
    return open_as(setup, LEAT_DURABILITY_GROUP, LEAT_LOG_SYNC_DSYNC);
}

static void *
log_open_uring(const struct bench_log_setup *setup)
{
    return open_as(setup, LEAT_DURABILITY_GROUP, LEAT_LOG_SYNC_IO_URING);
}

/* One by one, none of which waits. */
static void
jobs_submit(void *argument, uint32_t lane, uint32_t count)
{
    struct log *log = argument;
    struct leat_job job = log->jobs[0];
    (void)lane;
    job.options = log->setup->depth == 1 && !log->setup->fills ? NULL : &log->options;
    for (uint32_t i = 0; i < count; i++) {
        enum leat_status status = leat_submit(log->engine, &job, NULL);
        bench_log_must(status == LEAT_OK, leat_status_text(status));
    }
    log->submitted += count;
    log->acknowledged += job.options == NULL ? count : 0;
}

static void
jobs_wait(void *argument, uint64_t *acknowledged)
{
    enum { MANY = 32 };
    struct log *log = argument;
    struct leat_completion items[MANY];
    struct pollfd look = {.fd = log->descriptor, .events = POLLIN};
    uint64_t before = log->acknowledged;
    size_t taken = MANY;
    while (log->acknowledged < log->submitted && (log->acknowledged == before || taken == MANY)) {
        taken = 0;
        if (leat_completion_queue_take(log->queue, items, MANY, &taken) == LEAT_EMPTY) {
            bench_log_must(poll(&look, 1, -1) >= 0, "poll");
        }
        for (size_t i = 0; i < taken; i++) {
            bench_log_must(items[i].status == LEAT_OK, leat_status_text(items[i].status));
        }
        log->acknowledged += taken;
    }
    acknowledged[0] = log->acknowledged;
}

static void
log_submit(void *argument, uint32_t lane, uint32_t count)
{
    struct log *log = argument;
    (void)lane;
    log->submitted += count;
}

static void
log_wait(void *argument, uint64_t *acknowledged)
{
    struct log *log = argument;
    uint64_t count = log->submitted - log->acknowledged;
    enum leat_status status = count == 1 ? leat_submit(log->engine, log->jobs, NULL)
                                         : leat_submit_batch(log->engine, log->jobs, count,
                                                             LEAT_BATCH_ALL_OR_NONE, NULL, NULL);
    bench_log_must(status == LEAT_OK, leat_status_text(status));
    log->acknowledged = log->submitted;
    acknowledged[0] = log->acknowledged;
}

static uint64_t
log_count(void *argument)
{
    struct log *log = argument;
    struct leat_recovery_info info = leat_recovery_info_default();
    bench_log_must(leat_recovery_get(log->engine, &info) == LEAT_OK, "what was found");
    return info.jobs;
}

static void
log_close(void *argument)
{
    struct log *log = argument;
    bench_log_must(leat_close(log->engine) == LEAT_OK, "close");
}

extern const struct bench_log_kind bench_logs_leat[];

const struct bench_log_kind bench_logs_leat[] = {
    {.name = "leat jobs",
     .note = "durable jobs of one thread, one by one; it waits only where one is on its way",
     .open = log_open,
     .submit = jobs_submit,
     .wait = jobs_wait,
     .count = log_count,
     .close = log_close},
    {.name = "leat batches",
     .note = "durable jobs; what is handed over together is one all-or-none batch of one thread",
     .open = log_open,
     .submit = log_submit,
     .wait = log_wait,
     .count = log_count,
     .close = log_close},
    {.name = "leat jobs os",
     .note =
         "leat jobs with LEAT_DURABILITY_OS: a crash of the machine can take what is acknowledged",
     .is_variant = true,
     .open = log_open_os,
     .submit = jobs_submit,
     .wait = jobs_wait,
     .count = log_count,
     .close = log_close},
    {.name = "leat jobs dsync",
     .note = "leat jobs; the log writes through to the disk instead of a write and a sync",
     .is_variant = true,
     .open = log_open_through,
     .submit = jobs_submit,
     .wait = jobs_wait,
     .count = log_count,
     .close = log_close},
    {.name = "leat jobs io_uring",
     .note = "leat jobs; the log hands over a write and a sync by one call of io_uring",
     .there = bench_log_uring_there,
     .is_variant = true,
     .open = log_open_uring,
     .submit = jobs_submit,
     .wait = jobs_wait,
     .count = log_count,
     .close = log_close},
    {.name = NULL},
};
