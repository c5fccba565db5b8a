/* mutex_pool.h - the plain reference of the pool rows, written with care: one mutex, one condition
 * variable, an array used as a ring. A worker takes one task at a time, as in Leat, so that no
 * thread sits on tasks that another could run; a signal is sent once for each worker that sleeps,
 * and after the unlock. Its workers are pinned as Leat's are. */
#ifndef BENCH_KERNELS_MUTEX_POOL_H
#define BENCH_KERNELS_MUTEX_POOL_H

#include <pthread.h>

#include "engine/leat.h"
#include "ring/base.h"

struct mutex_pool;

struct mutex_worker {
    struct mutex_pool *pool;
    pthread_t thread;
    uint32_t index;
};

struct mutex_pool {
    LEAT_ALIGNED_LINE pthread_mutex_t mutex;
    pthread_cond_t work; /* something was put in, or it is closed */
    uint64_t head;       /* this and the rest under the mutex */
    uint64_t tail;
    uint64_t mask;
    struct leat_task *tasks;
    uint32_t asleep; /* workers that sleep, and are not being woken */
    bool closed;
    uint64_t parks;
    uint64_t wakes;
    uint32_t workers_count;
    struct mutex_worker *workers;
    void (*started)(uint32_t worker, void *context); /* on each worker's thread */
    void *context;
};

struct mutex_pool_config {
    uint32_t workers;
    uint32_t slots; /* a power of two */
    void (*started)(uint32_t worker, void *context);
    void *context;
};

/* Fills `pool` and starts its workers. Ends the process on failure. */
void bench_mutex_open(struct mutex_pool *pool, const struct mutex_pool_config *config);
/* Runs what waits, and ends the workers. */
void bench_mutex_close(struct mutex_pool *pool);

/* Puts a task in. False: full. */
LEAT_INLINE bool
bench_mutex_post(struct mutex_pool *pool, leat_task_function function, void *argument)
{
    (void)pthread_mutex_lock(&pool->mutex);
    bool room = pool->tail - pool->head <= pool->mask;
    bool wake = false;
    if (LEAT_LIKELY(room)) {
        struct leat_task *task = &pool->tasks[pool->tail & pool->mask];
        task->function = function;
        task->argument = argument;
        pool->tail++;
        wake = pool->asleep > 0;
        if (LEAT_UNLIKELY(wake)) {
            pool->asleep--;
            pool->wakes++;
        }
    }
    (void)pthread_mutex_unlock(&pool->mutex);
    if (LEAT_UNLIKELY(wake)) {
        (void)pthread_cond_signal(&pool->work);
    }
    return room;
}

#endif
