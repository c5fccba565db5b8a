/* log_beanstalkd.c - beanstalkd as a contestant of log.h: with a sync for each job, and as it is by
 * default. */
#include <stdio.h>

#include "bench/rivals/log_server.h"

/* It answers each job alone, however many are on their way, but reads more at a time where they are
 * spread over connections. */
static uint32_t
lanes_of(uint32_t depth, uint32_t payload_bytes)
{
    (void)payload_bytes;
    return depth % BENCH_LOG_LANES == 0 ? BENCH_LOG_LANES : depth % 4 == 0 ? 4 : 1;
}

static void *
start(const struct bench_log_setup *setup, const char *sync)
{
    char head[64];
    (void)snprintf(head, sizeof(head), "put 0 0 60 %u\r\n", setup->payload_bytes);
    const char *const arguments[] = {BENCH_BEANSTALKD,           "-b", ".", "-l", "unix:socket",
                                     setup->fills ? "-F" : sync, NULL};
    return bench_server_start(setup, arguments, &(struct bench_server_words){head, "\r\n", "I"});
}

static void *
start_always(const struct bench_log_setup *setup)
{
    return start(setup, "-f0");
}

static void *
start_default(const struct bench_log_setup *setup)
{
    return start(setup, "-f50");
}

static uint64_t
count_ready(void *server)
{
    return bench_server_ask(server, "stats\r\n", "current-jobs-ready: ", NULL);
}

extern const struct bench_log_kind bench_logs_beanstalkd[];

const struct bench_log_kind bench_logs_beanstalkd[] = {
    {.name = "beanstalkd -f0",
     .note = "1.12, a sync for each job; up to 64 connections",
     .lanes = lanes_of,
     .open = start_always,
     .submit = bench_server_submit,
     .wait = bench_server_wait,
     .count = count_ready,
     .kill = bench_server_kill},
    {.name = "beanstalkd -f50",
     .note = "its default: acknowledges up to 50 ms before the sync, so another promise",
     .lanes = lanes_of,
     .open = start_default,
     .submit = bench_server_submit,
     .wait = bench_server_wait,
     .count = count_ready,
     .kill = bench_server_kill},
    {.name = NULL},
};
