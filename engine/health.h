/* health.h - whether work goes on, and how the service manager is told of it.
 *
 * A worker's heartbeat is the number of the item that it is in: it is counted anyway, and who looks
 * remembers number and time (leat_worker_run_ns()). That of the engine is the sum of these numbers.
 *
 * The protocol of sd_notify(3): a datagram with lines NAME=VALUE to the socket that $NOTIFY_SOCKET
 * names. The variables are read when the engine is opened.
 * BLOCKING: a mutex, of those who ask for the health of one engine.
 */
#ifndef ENGINE_HEALTH_H
#define ENGINE_HEALTH_H

#include "engine/leat.h"
#include "ring/mutex.h"
#include "sched/clock.h"

/* Letters: I set at open, then read-only; S many writers; L under the mutex. */
struct leat_vitals {
    pthread_mutex_t mutex;   /* S */
    uint64_t taken;          /* S under the mutex: items taken, when that changed last */
    uint64_t since_ns;       /* S under the mutex: when that was */
    uint64_t watchdog_ns;    /* I so often it is fed; 0: nobody asks for that */
    leat_atomic_u64 feed_ns; /* S when it is fed next, by BOOT */
    char socket[108];        /* I of the service manager; "": there is none */
};

void leat_vitals_init(struct leat_engine *engine);
void leat_vitals_fini(struct leat_engine *engine);
/* For the thread of the clocks: the watchdog. */
struct leat_clock_source leat_vitals_source(struct leat_engine *engine);
/* The engine has started; begins to stop; has stopped, and its clocks have: the watchdog is fed
 * until then. */
void leat_vitals_started(struct leat_engine *engine);
void leat_vitals_stopping(struct leat_engine *engine);
void leat_vitals_stopped(struct leat_engine *engine);

/* Sends one message to a socket of the file system, or to an abstract one ("@name"). Never waits.
 * False: it could not be sent. */
bool leat_notify_send(const char *socket_name, const char *text);

#endif
