/* sched_uv.c - libuv's pool. uv_queue_work() may be called on the thread of its loop only, so each
 * producer has a loop of its own: the shortest way that there is, without a hand-over from thread
 * to thread. Requests are used again when their loop has seen that they are done. */
#include <stdlib.h>
#include <uv.h>

#include "bench/rivals/sched.h"

extern const struct bench_sched_kind bench_pools_uv[];

/* One producer's. */
struct port {
    uv_loop_t loop;
    size_t free_count;
    uv_work_t *free[BENCH_SCHED_SLOTS];
    uv_work_t requests[BENCH_SCHED_SLOTS];
};

static void
run(uv_work_t *request)
{
    bench_sched_job(request->data);
}

static void
done(uv_work_t *request, int status)
{
    (void)status;
    struct port *port = request->loop->data;
    port->free[port->free_count++] = request;
}

/* The threads start with the first request. */
static void *
uv_open(const struct bench_sched_config *config)
{
    char text[16];
    (void)snprintf(text, sizeof(text), "%u", config->workers);
    if (uv_os_setenv("UV_THREADPOOL_SIZE", text) != 0) {
        abort();
    }
    return NULL;
}

static void *
uv_attach(void *pool, uint32_t producer)
{
    (void)pool;
    (void)producer;
    struct port *port = calloc(1, sizeof(*port));
    if (port == NULL || uv_loop_init(&port->loop) != 0) {
        abort();
    }
    port->loop.data = port;
    for (size_t i = 0; i < BENCH_SCHED_SLOTS; i++) {
        port->free[i] = &port->requests[i];
    }
    port->free_count = BENCH_SCHED_SLOTS;
    return port;
}

static bool
uv_post(void *of, uint32_t level, struct bench_sched_item *item)
{
    (void)level;
    struct port *port = of;
    if (port->free_count == 0) {
        (void)uv_run(&port->loop, UV_RUN_NOWAIT);
        if (port->free_count == 0) {
            return false;
        }
    }
    uv_work_t *request = port->free[--port->free_count];
    request->data = item;
    return uv_queue_work(&port->loop, request, run, done) == 0;
}

const struct bench_sched_kind bench_pools_uv[] = {
    {.name = "libuv uv_queue_work",
     .uses = BENCH_SCHED_TASKS,
     .note = "each producer is the thread of a loop of its own",
     .open = uv_open,
     .attach = uv_attach,
     .post = uv_post},
    {.name = NULL},
};
