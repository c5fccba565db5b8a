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
/* Runs one task, if there is any: for a task that waits for others. */
bool bench_mutex_help(struct mutex_pool *pool);

/* Puts `count` tasks in at once, or as many as there is room for, and says how many. */
LEAT_INLINE size_t
bench_mutex_post_n(struct mutex_pool *pool, leat_task_function function, void *argument,
                   size_t count)
{
    (void)pthread_mutex_lock(&pool->mutex);
    size_t room = (size_t)(pool->mask + 1 - (pool->tail - pool->head));
    size_t some = count < room ? count : room;
    for (size_t i = 0; i < some; i++) {
        struct leat_task *task = &pool->tasks[pool->tail & pool->mask];
        task->function = function;
        task->argument = argument;
        pool->tail++;
    }
    uint32_t wake = pool->asleep < some ? pool->asleep : (uint32_t)some;
    if (LEAT_UNLIKELY(wake > 0)) {
        pool->asleep -= wake;
        pool->wakes += wake;
    }
    (void)pthread_mutex_unlock(&pool->mutex);
    for (uint32_t i = 0; LEAT_UNLIKELY(i < wake); i++) {
        (void)pthread_cond_signal(&pool->work);
    }
    return some;
}

/* Puts a task in. False: full. */
LEAT_INLINE bool
bench_mutex_post(struct mutex_pool *pool, leat_task_function function, void *argument)
{
    return bench_mutex_post_n(pool, function, argument, 1) == 1;
}

#endif
