/* log_redis.c - a stream of Redis as a contestant of log.h. */
#include <stdio.h>

#include "bench/rivals/log_server.h"

/* Redis reads 16 KiB of a connection before it syncs, so with one connection a sync is for few
 * entries of many that are on their way. */
static uint32_t
lanes_of(uint32_t depth)
{
    return depth < 4096 ? 1 : BENCH_LOG_LANES;
}

static void *
start(const struct bench_log_setup *setup)
{
    char head[96];
    (void)snprintf(head, sizeof(head), "*5\r\n$4\r\nXADD\r\n$1\r\nq\r\n$1\r\n*\r\n$1\r\nd\r\n$%u\r\n",
                   setup->payload_bytes);
    const char *const arguments[] = {BENCH_REDIS,
                                     "--port",
                                     "0",
                                     "--unixsocket",
                                     "./" BENCH_SERVER_SOCKET,
                                     "--dir",
                                     ".",
                                     "--save",
                                     "",
                                     "--appendonly",
                                     "yes",
                                     "--appendfsync",
                                     setup->fills ? "no" : "always",
                                     "--auto-aof-rewrite-percentage",
                                     "0",
                                     NULL};
    return bench_server_start(setup, arguments,
                              &(struct bench_server_words){head, "\r\n", "$0"});
}

static uint64_t
count(void *server)
{
    uint64_t found;
    do {
        found = bench_server_ask(server, "*2\r\n$4\r\nXLEN\r\n$1\r\nq\r\n", ":", "-LOADING");
    } while (found == UINT64_MAX); /* ends when all is read */
    return found;
}

const struct bench_log_kind bench_logs_redis[] = {
    {.name = "Redis XADD",
     .note = "7.0, appendfsync always, never rewritten; 4096 on their way over 64 connections",
     .lanes = lanes_of,
     .open = start,
     .submit = bench_server_submit,
     .wait = bench_server_wait,
     .count = count,
     .kill = bench_server_kill},
    {.name = NULL},
};
