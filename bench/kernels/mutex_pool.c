/* mutex_pool.c - the workers of mutex_pool.h. */
#include "bench/kernels/mutex_pool.h"

#include <stdlib.h>

#include "bench/kernels/thread.h"

/* Under the mutex. False: there is nothing. */
static bool
pop(struct mutex_pool *pool, struct leat_task *task)
{
    if (pool->tail == pool->head) {
        return false;
    }
    *task = pool->tasks[pool->head & pool->mask];
    pool->head++;
    return true;
}

/* False: there is nothing and nothing comes. */
static bool
take(struct mutex_pool *pool, struct leat_task *task)
{
    (void)pthread_mutex_lock(&pool->mutex);
    while (pool->tail == pool->head && !pool->closed) {
        pool->asleep++;
        pool->parks++;
        /* Who signals counts it as awake. One that wakes for no reason counts as asleep once more;
         * then a signal too many is sent. */
        (void)pthread_cond_wait(&pool->work, &pool->mutex);
    }
    bool some = pop(pool, task);
    (void)pthread_mutex_unlock(&pool->mutex);
    return some;
}

bool
bench_mutex_help(struct mutex_pool *pool)
{
    struct leat_task task = {NULL, NULL};
    (void)pthread_mutex_lock(&pool->mutex);
    bool some = pop(pool, &task);
    (void)pthread_mutex_unlock(&pool->mutex);
    if (some) {
        task.function(task.argument);
    }
    return some;
}

static void *
work(void *argument)
{
    struct mutex_worker *worker = argument;
    struct leat_task task = {NULL, NULL};
    worker->pool->started(worker->index, worker->pool->context);
    while (take(worker->pool, &task)) {
        task.function(task.argument);
    }
    return NULL;
}

void
bench_mutex_open(struct mutex_pool *pool, const struct mutex_pool_config *config)
{
    *pool = (struct mutex_pool){.mask = config->slots - 1,
                                .workers_count = config->workers,
                                .started = config->started,
                                .context = config->context};
    int failed = pthread_mutex_init(&pool->mutex, NULL);
    LEAT_ASSERT(failed == 0);
    failed = pthread_cond_init(&pool->work, NULL);
    LEAT_ASSERT(failed == 0);
    pool->tasks = calloc(config->slots, sizeof(*pool->tasks));
    LEAT_ASSERT(pool->tasks != NULL);
    pool->workers = calloc(config->workers, sizeof(*pool->workers));
    LEAT_ASSERT(pool->workers != NULL);
    for (uint32_t i = 0; i < config->workers; i++) {
        pool->workers[i].pool = pool;
        pool->workers[i].index = i;
        pool->workers[i].thread = bench_thread_start(work, &pool->workers[i], i);
    }
}

void
bench_mutex_close(struct mutex_pool *pool)
{
    (void)pthread_mutex_lock(&pool->mutex);
    pool->closed = true;
    (void)pthread_mutex_unlock(&pool->mutex);
    (void)pthread_cond_broadcast(&pool->work);
    for (uint32_t i = 0; i < pool->workers_count; i++) {
        leat_os_thread_join(pool->workers[i].thread);
    }
    (void)pthread_cond_destroy(&pool->work);
    (void)pthread_mutex_destroy(&pool->mutex);
    free(pool->workers);
    free(pool->tasks);
}
