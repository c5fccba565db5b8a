/* pool_threads.c - the pool's own threads: starting them, making them more or fewer, stopping them.
 *
 * Fewer  1 the seats that are too many are ASKED  2 `open` is lowered, which those workers read
 *        before each pick  3 full fence; all that sleep are woken  4 each ends the item that it is
 *        in, gives away what only it can reach, and goes from ASKED to LEAVING: from then on it is
 *        gone  5 it closes its inbox and gives away or runs what is in there  6 its stopping hook,
 *        LEFT.
 * More   1 `open` is raised  2 ASKED: back to TAKEN, if the worker has not decided yet; LEAVING:
 *        its hook still runs, so the caller comes again; else join what LEFT, and start a thread.
 * Who has a place is decided by one swap of its seat, so it never has two threads, nor none.
 */
#include <stdio.h>

#include "sched/posted.h"
#include "sched/worker.h"

/* ---- start and stop ------------------------------------------------------------------------- */

static void
left_poke(struct leat_pool *pool)
{
    /* left:A release -> empty:B, empty:C.  Carries: that nobody is inside, or that the pool is
     * started; or that a worker has left its place.
     * If relaxed: who waits for it could sleep on. */
    (void)atom_add_rel(&pool->left_event, 1);
    leat_os_futex_wake(&pool->left_event, UINT32_MAX);
}

void
leat_pool_leave(struct leat_pool *pool)
{
    /* leave_pool:A release -> empty:A.  Carries: all this thread did.
     * If relaxed: the stopping thread could read this worker's counters too early. */
    if (atom_sub_rel(&pool->alive, 1) == 1) {
        left_poke(pool);
    }
}

static enum leat_os_result
worker_start(struct leat_worker *worker)
{
    struct leat_pool *pool = worker->pool;
    struct leat_os_thread_config config = {.run = leat_worker_run,
                                           .argument = worker,
                                           .cpus = NULL,
                                           .cpus_count = 0,
                                           .stack_bytes = pool->config.stack_bytes,
                                           .schedule = pool->config.schedule,
                                           .name = ""};
    uint16_t own = (uint16_t)worker->cpu;
    switch (pool->config.pin) {
    case LEAT_POOL_PIN_ONE:
        config.cpus = &own;
        config.cpus_count = 1;
        break;
    case LEAT_POOL_PIN_SET:
        config.cpus = pool->cpus;
        config.cpus_count = pool->cpus_count;
        break;
    case LEAT_POOL_PIN_NONE:
        break;
    }
    /* "name-255" fits: the name has at most 11 bytes. */
    (void)snprintf(config.name, sizeof(config.name), "%s-%u", pool->config.name,
                   worker->index % LEAT_WORKERS_MAX);
    return leat_os_thread_start(&worker->thread, &config);
}

/* Puts a thread into a place that is empty. */
static enum leat_os_result
place_start(struct leat_worker *worker)
{
    atom_store_rlx(&worker->seat, LEAT_SEAT_TAKEN); /* rlx: not shared yet */
    /* The thread that it counts begins behind it. */
    (void)atom_add_rlx(&worker->pool->alive, 1); /* rlx: ordered by leave_pool:A */
    enum leat_os_result result = worker_start(worker);
    if (result != LEAT_OS_OK) {
        atom_store_rlx(&worker->seat, LEAT_SEAT_EMPTY); /* rlx: not shared yet */
        leat_pool_leave(worker->pool);                  /* for the thread that is not there */
    }
    return result;
}

static void
place_join(struct leat_worker *worker)
{
    if (atom_load_rlx(&worker->seat) != LEAT_SEAT_EMPTY) { /* rlx: ordered by empty:A */
        leat_os_thread_join(worker->thread);
        atom_store_rlx(&worker->seat, LEAT_SEAT_EMPTY); /* rlx: not shared yet */
    }
}

void
leat_pool_side_thread(const struct leat_pool *pool, const char *what,
                      struct leat_os_thread_config *config)
{
    if (pool->config.pin != LEAT_POOL_PIN_NONE) {
        config->cpus = pool->cpus;
        config->cpus_count = pool->cpus_count;
    }
    config->schedule = pool->config.schedule;
    (void)snprintf(config->name, sizeof(config->name), "%.9s-%s", pool->config.name, what);
}

enum leat_os_result
leat_pool_start(struct leat_pool *pool)
{
    enum leat_os_result result = leat_tick_start(pool);
    if (result != LEAT_OS_OK) {
        return result;
    }
    uint32_t active = atom_load_rlx(&pool->active); /* rlx: single writer */
    leat_posted_settle(pool);
    atom_store_rlx(&pool->open, active); /* rlx: ordered by left:A */
    left_poke(pool);
    for (uint32_t i = 0; i < active && pool->config.workers != 0; i++) {
        result = place_start(&pool->workers[i]);
        if (result != LEAT_OS_OK) {
            leat_pool_halt(pool);
            leat_pool_join(pool);
            return result;
        }
    }
    return LEAT_OS_OK;
}

/* Lets only so many places go on, and makes all look who sleep. */
static void
open_lower(struct leat_pool *pool, uint32_t count)
{
    /* halt:A release -> halted:A.  Carries: what the stopping thread wrote before; the seats that
     * are ASKED.
     * If relaxed: see halted:A. */
    atom_store_rel(&pool->open, count);
    /* halt:B sc -> park:A, lend:C.  Orders: places closed then idle bits and the count of threads
     * read, against idle bit set (or the count raised) then open read. */
    atom_fence_sc(&pool->anchor);
    leat_lot_wake_all(&pool->lot, &pool->workers[0].bed, sizeof(struct leat_worker));
}

void
leat_pool_halt(struct leat_pool *pool)
{
    open_lower(pool, 0);
    leat_pool_quiet_poke(pool);
}

bool
leat_pool_wait_empty(struct leat_pool *pool, uint64_t deadline_ns)
{
    for (;;) {
        /* empty:B acquire -> left:A.  Carries: see left:A.
         * If relaxed: see left:A. */
        uint32_t event = atom_load_acq(&pool->left_event);
        /* empty:A acquire -> leave_pool:A.  Carries: all those threads did.
         * If relaxed: see leave_pool:A. */
        uint32_t alive = atom_load_acq(&pool->alive);
        /* rlx: hint, re-checked at empty:A */
        if (alive == 0 || atom_load_rlx(&pool->open) != 0) {
            return true;
        }
        if (leat_os_monotonic_ns() >= deadline_ns) {
            return false;
        }
        leat_os_futex_wait(&pool->left_event, event, deadline_ns);
    }
}

void
leat_pool_join(struct leat_pool *pool)
{
    leat_tick_stop(pool);
    for (uint32_t i = 0; i < pool->places; i++) {
        place_join(&pool->workers[i]);
    }
}

/* ---- more and fewer ------------------------------------------------------------------------- */

bool
leat_worker_may_leave(struct leat_worker *worker)
{
    uint32_t asked = LEAT_SEAT_ASKED;
    /* If it stays, the fence of its next round comes before its next look at `open`. */
    return atom_cas_rlx(&worker->seat, &asked, LEAT_SEAT_LEAVING); /* rlx: ordered by news:A */
}

void
leat_worker_left(struct leat_worker *worker)
{
    /* Else it is a stop that it leaves for, and that looks at nothing but `alive`. */
    if (atom_load_rlx(&worker->seat) == LEAT_SEAT_LEAVING) { /* rlx: single writer */
        atom_store_rlx(&worker->seat, LEAT_SEAT_LEFT);       /* rlx: ordered by left:A */
        left_poke(worker->pool);
    }
}

uint32_t
leat_pool_left_event(const struct leat_pool *pool)
{
    /* empty:C acquire -> left:A.  Carries: that a worker has left its place.
     * If relaxed: one could wait for it that had come before. */
    return atom_load_acq(&pool->left_event);
}

void
leat_pool_left_wait(struct leat_pool *pool, uint32_t event)
{
    leat_os_futex_wait(&pool->left_event, event, UINT64_MAX);
}

static void
active_set(struct leat_pool *pool, uint32_t count)
{
    LEAT_ASSERT(count >= 1);
    LEAT_ASSERT(count <= pool->places);
    atom_store_rlx(&pool->active, count); /* rlx: single writer */
}

void
leat_pool_plan(struct leat_pool *pool, uint32_t count)
{
    active_set(pool, count);
    leat_posted_settle(pool);
}

/* Opens the next place. */
static enum leat_os_result
place_open(struct leat_pool *pool, uint32_t place, bool *again)
{
    struct leat_worker *worker = &pool->workers[place];
    uint32_t seat = LEAT_SEAT_ASKED;
    enum leat_os_result result = LEAT_OS_OK;
    /* Carries nothing: who was to leave may go on, and a new thread knows all from its start. */
    atom_store_rlx(&pool->open, place + 1); /* rlx: hint, re-checked at halted:A */
    /* more:A release -> news:A.  Carries: that `open` is raised.
     * If relaxed: a worker that stays could turn round in its loop for as long as it sees the old
     * `open`. */
    if (!atom_cas_rel(&worker->seat, &seat, LEAT_SEAT_TAKEN)) {
        *again = seat == LEAT_SEAT_LEAVING;
        if (!*again) {
            place_join(worker);
            result = place_start(worker);
        }
    }
    if (*again || result != LEAT_OS_OK) {
        atom_store_rlx(&pool->open, place); /* rlx: single writer */
    } else {
        leat_inbox_open(&worker->inbox);
        active_set(pool, place + 1);
    }
    return result;
}

enum leat_os_result
leat_pool_resize(struct leat_pool *pool, uint32_t count, bool *again)
{
    enum leat_os_result result = LEAT_OS_OK;
    uint32_t active = atom_load_rlx(&pool->active); /* rlx: single writer */
    *again = false;
    for (uint32_t i = active; i < count && result == LEAT_OS_OK && !*again; i++) {
        result = place_open(pool, i, again);
    }
    if (count < active) {
        for (uint32_t i = count; i < active; i++) {
            atom_store_rlx(&pool->workers[i].seat, LEAT_SEAT_ASKED); /* rlx: ordered by halt:A */
        }
        active_set(pool, count);
        open_lower(pool, count);
    }
    return result;
}
