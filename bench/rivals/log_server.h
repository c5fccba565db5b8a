/* log_server.h - contestants of log.h that are servers of their own: started in the present folder
 * on a socket there, asked over connections with many requests on their way, and killed. */
#ifndef BENCH_RIVALS_LOG_SERVER_H
#define BENCH_RIVALS_LOG_SERVER_H

#include "bench/rivals/log.h"

struct bench_server;

/* How one entry is put in: `head`, the payload, `tail`. `replies` has a letter for each line of the
 * answer: what it begins with, 0 for any digit. */
struct bench_server_words {
    const char *head;
    const char *tail;
    const char *replies;
};

/* Starts `arguments`, which end with NULL and name the socket "socket", and connects as often as
 * the setup has lanes. */
struct bench_server *bench_server_start(const struct bench_log_setup *setup,
                                        const char *const *arguments,
                                        const struct bench_server_words *words);
/* As log.h has it. */
void bench_server_submit(void *log, uint32_t lane, uint32_t count);
void bench_server_wait(void *log, uint64_t *acknowledged);
void bench_server_kill(void *log);

/* Sends a request, and reads until `key` is there and a line's end behind it: the number that
 * stands behind the key. UINT64_MAX: `not_yet` came instead. pre: nothing is on its way. */
uint64_t bench_server_ask(struct bench_server *server, const char *request, const char *key,
                          const char *not_yet);

#endif
