/* hashtree_pool.c - --baseline: the same walk and the same hashing on what one would write without
 * an engine, and write with care: one mutex, a condition variable for the workers, two lists (big
 * files first, as in the other run) linked through the records, so that a submit allocates nothing
 * and never waits for room. A signal is sent only where a worker sleeps, and after the unlock. The
 * workers are pinned as the engine pins its own, one CPU each in turn. */
#include "hashtree_parts.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct list {
    struct record *first;
    struct record **end;
};

struct pool_worker {
    struct pool *pool;
    pthread_t thread;
    uint32_t index;
    uint64_t jobs_run; /* the worker's until it is joined */
    uint64_t parks;
};

struct pool {
    const struct hashers *hashers;
    struct pool_worker *workers;
    uint32_t started;

    /* The rest under the lock. */
    pthread_mutex_t lock;
    pthread_cond_t work;  /* something was listed, or it is closed */
    pthread_cond_t ended; /* the last worker is about to end */
    struct list big;
    struct list small;
    uint32_t asleep;
    uint32_t running; /* threads */
    bool closed;      /* nothing more comes: end when the lists are empty */
};

static struct record *
list_take(struct list *list)
{
    struct record *record = list->first;
    if (record != NULL) {
        list->first = record->queue_next;
        if (list->first == NULL) {
            list->end = &list->first;
        }
    }
    return record;
}

static bool
pool_submit(void *context, struct record *record, bool big)
{
    struct pool *pool = context;
    struct list *list = big ? &pool->big : &pool->small;
    record->queue_next = NULL;
    (void)pthread_mutex_lock(&pool->lock);
    *list->end = record;
    list->end = &record->queue_next;
    bool wake = pool->asleep > 0;
    (void)pthread_mutex_unlock(&pool->lock);
    if (wake) {
        (void)pthread_cond_signal(&pool->work);
    }
    return true;
}

/* NULL: there is nothing and nothing comes. */
static struct record *
pool_take(struct pool *pool, struct pool_worker *worker)
{
    (void)pthread_mutex_lock(&pool->lock);
    struct record *record = NULL;
    for (;;) { /* ends with a record or with the pool */
        record = list_take(&pool->big);
        if (record == NULL) {
            record = list_take(&pool->small);
        }
        if (record != NULL || pool->closed) {
            break;
        }
        pool->asleep++;
        worker->parks++;
        (void)pthread_cond_wait(&pool->work, &pool->lock);
        pool->asleep--;
    }
    (void)pthread_mutex_unlock(&pool->lock);
    return record;
}

static void *
pool_work(void *argument)
{
    struct pool_worker *worker = argument;
    struct pool *pool = worker->pool;
    struct record *record = pool_take(pool, worker);
    while (record != NULL) {
        hash_record(pool->hashers, worker->index, record);
        worker->jobs_run++;
        record = pool_take(pool, worker);
    }
    (void)pthread_mutex_lock(&pool->lock);
    if (--pool->running == 0) {
        (void)pthread_cond_signal(&pool->ended);
    }
    (void)pthread_mutex_unlock(&pool->lock);
    return NULL;
}

/* The CPU of a worker: they go round the allowed ones. */
static void
pool_pin(pthread_attr_t *attributes, const cpu_set_t *allowed, uint32_t worker)
{
    int count = CPU_COUNT(allowed);
    if (count == 0) {
        return;
    }
    int nth = (int)(worker % (uint32_t)count);
    int cpu = -1;
    while (nth >= 0 && cpu + 1 < CPU_SETSIZE) {
        cpu++;
        nth -= CPU_ISSET((size_t)cpu, allowed) ? 1 : 0;
    }
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET((size_t)cpu, &one);
    (void)pthread_attr_setaffinity_np(attributes, sizeof(one), &one);
}

/* 0, or an error number; pool->started says how many run. */
static int
pool_start(struct pool *pool, uint32_t count)
{
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0) {
        CPU_ZERO(&allowed); /* more CPUs than the set holds: unpinned */
    }
    /* Signals are for the main thread, as with the engine. */
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = 0;
    for (uint32_t index = 0; index < count && error == 0; index++) {
        struct pool_worker *worker = &pool->workers[index];
        *worker = (struct pool_worker){.pool = pool, .index = index};
        pthread_attr_t attributes;
        (void)pthread_attr_init(&attributes);
        pool_pin(&attributes, &allowed, index);
        (void)pthread_mutex_lock(&pool->lock);
        error = pthread_create(&worker->thread, &attributes, pool_work, worker);
        pool->running += error == 0 ? 1 : 0;
        (void)pthread_mutex_unlock(&pool->lock);
        (void)pthread_attr_destroy(&attributes);
        pool->started += error == 0 ? 1 : 0;
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

/* Waits until all that was submitted is done and the threads end. */
static void
pool_drain(struct pool *pool)
{
    int wait_ms = message_wait_ms(pool->hashers->message);
    (void)pthread_mutex_lock(&pool->lock);
    pool->closed = true;
    (void)pthread_cond_broadcast(&pool->work);
    while (wait_ms >= 0 && pool->running > 0) {
        struct timespec until;
        (void)clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += (long)wait_ms * 1000000;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        (void)pthread_cond_timedwait(&pool->ended, &pool->lock, &until);
        (void)pthread_mutex_unlock(&pool->lock);
        hashers_tick(pool->hashers, true);
        (void)pthread_mutex_lock(&pool->lock);
    }
    (void)pthread_mutex_unlock(&pool->lock);
    for (uint32_t index = 0; index < pool->started; index++) {
        (void)pthread_join(pool->workers[index].thread, NULL);
    }
}

static void
pool_init(struct pool *pool, const struct hashers *hashers)
{
    memset(pool, 0, sizeof(*pool));
    pool->hashers = hashers;
    pool->big.end = &pool->big.first;
    pool->small.end = &pool->small.first;
    (void)pthread_mutex_init(&pool->lock, NULL);
    (void)pthread_cond_init(&pool->work, NULL);
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&pool->ended, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
}

bool
run_pool(struct hashers *hashers, struct summary *summary)
{
    struct pool pool;
    pool_init(&pool, hashers);
    pool.workers = calloc(hashers->count, sizeof(struct pool_worker));
    int error = pool.workers == NULL ? ENOMEM : pool_start(&pool, hashers->count);
    bool walked = error == 0 && walk_tree(hashers, pool_submit, &pool);
    pool_drain(&pool);
    if (error != 0) {
        complain_of("start", "a thread", error);
    }
    summary->mode = "baseline";
    summary->workers = pool.started;
    for (uint32_t index = 0; index < pool.started; index++) {
        summary->worker[index] = (struct worker_summary){
            .jobs_run = pool.workers[index].jobs_run,
            .parks = pool.workers[index].parks,
        };
    }
    free(pool.workers);
    (void)pthread_cond_destroy(&pool.ended);
    (void)pthread_cond_destroy(&pool.work);
    (void)pthread_mutex_destroy(&pool.lock);
    return walked;
}
