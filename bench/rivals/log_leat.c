/* log_leat.c - durable jobs as a contestant of log.h: what is handed over together is one
 * all-or-none batch, and a single one is a leat_submit(). Nothing runs them. */
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
    uint64_t submitted;
    uint64_t acknowledged;
};

static void *
log_open(const struct bench_log_setup *setup)
{
    struct log *log = bench_log_memory(sizeof(*log));
    struct leat_config config = leat_config_default();
    struct leat_error error = {LEAT_OK, "", ""};
    const uint64_t unit = setup->depth * (RECORD_BYTES + setup->payload_bytes);
    config.workers = 0;
    config.jobs_max = JOBS_MAX;
    config.log_directory = ".";
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
    return log;
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
    /* It would make files beside who removes them. */
    bench_log_must(leat_close(log->engine) == LEAT_OK, "close");
    return info.jobs;
}

extern const struct bench_log_kind bench_logs_leat[];

const struct bench_log_kind bench_logs_leat[] = {
    {.name = "leat jobs",
     .note = "durable jobs; what is handed over together is one all-or-none batch of one thread",
     .open = log_open,
     .submit = log_submit,
     .wait = log_wait,
     .count = log_count},
    {.name = NULL},
};
