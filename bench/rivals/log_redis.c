/* log_redis.c - a stream of Redis as a contestant of log.h. */
#include <stdio.h>

#include "bench/rivals/log_server.h"

#define WORDS_BYTES   40    /* of a request, beside the payload, about */
#define READ_BYTES    16384 /* that Redis reads of a connection before it syncs */
#define LANES_AT_MOST 32    /* with more it was not faster */

/* So many connections that one sync can be for all that is on its way, but no more: each costs
 * calls of the system. */
static uint32_t
lanes_of(uint32_t depth, uint32_t payload_bytes)
{
    uint64_t wanted = (uint64_t)depth * (payload_bytes + WORDS_BYTES) / READ_BYTES;
    uint32_t lanes = wanted < LANES_AT_MOST ? (uint32_t)wanted : LANES_AT_MOST;
    while (lanes > 1 && depth % lanes != 0) {
        lanes--;
    }
    return lanes > 0 ? lanes : 1;
}

static void *
start(const struct bench_log_setup *setup)
{
    char head[96];
    (void)snprintf(head, sizeof(head),
                   "*5\r\n$4\r\nXADD\r\n$1\r\nq\r\n$1\r\n*\r\n$1\r\nd\r\n$%u\r\n",
                   setup->payload_bytes);
    const char *const arguments[] = {BENCH_REDIS,
                                     "--port",
                                     "0",
                                     "--unixsocket",
                                     "./socket",
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
    return bench_server_start(setup, arguments, &(struct bench_server_words){head, "\r\n", "$0"});
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

extern const struct bench_log_kind bench_logs_redis[];

const struct bench_log_kind bench_logs_redis[] = {
    {.name = "Redis XADD",
     .note = "7.0, appendfsync always, never rewritten; as many connections as help it",
     .lanes = lanes_of,
     .open = start,
     .submit = bench_server_submit,
     .wait = bench_server_wait,
     .count = count,
     .kill = bench_server_kill},
    {.name = NULL},
};
