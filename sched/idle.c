/* idle.c - a worker without work: it looks for some for a while, then it parks. */
#include "ring/probe.h"
#include "sched/spawn.h"
#include "sched/trace.h"
#include "sched/worker.h"

static bool
any_ready(const struct leat_pool *pool, uint64_t hint)
{
    if (LEAT_UNLIKELY((hint & LEAT_HINT_DUE) != 0) && leat_pool_due_waits(pool)) {
        return true;
    }
    for (uint32_t levels = leat_hint_levels(hint); levels != 0; levels &= levels - 1) {
        if (leat_pool_look(pool, (uint32_t)__builtin_ctz(levels)) != 0) {
            return true;
        }
    }
    return false;
}

/* Workers that fill all CPUs would spin in the way of whoever brings work: they let others run. */
static bool
crowded(const struct leat_pool *pool)
{
    uint32_t open = atom_load_rlx(&pool->open); /* rlx: hint, re-checked at halted:A */
    return open >= pool->cpus_count && !pool->config.busy_poll;
}

/* Looks for work without taking it. True: there is some, or the pool is halted. */
static bool
spin(struct leat_worker *worker)
{
    struct leat_pool *pool = worker->pool;
    bool for_ever = pool->spin_ns == UINT64_MAX;
    if (worker->spin_ns == 0 && !for_ever) {
        return false;
    }
    uint64_t deadline = leat_os_deadline_ns(for_ever ? UINT64_MAX : worker->spin_ns);
    for (;;) {
        for (uint32_t i = 0; i < LEAT_SPIN_ROUNDS; i++) {
            uint64_t hint = atom_load_rlx(&pool->hint); /* rlx: hint, re-checked at park:A */
            bool any = any_ready(pool, hint) || leat_spawn_ready(pool);
            if (any || leat_inbox_ready(&worker->inbox) || leat_worker_halted(worker)) {
                return true;
            }
            leat_pause();
        }
        if (deadline != UINT64_MAX && leat_os_monotonic_ns() >= deadline) {
            return false;
        }
        if (crowded(pool)) {
            leat_os_yield();
        }
    }
}

/* Of timers, and of every ring, list and local queue, not only the hinted ones: sets the bits of
 * those that have some, and keeps them for the next pick. */
bool
leat_worker_look(struct leat_worker *worker)
{
    struct leat_pool *pool = worker->pool;
    uint64_t found = leat_pool_due_waits(pool) ? LEAT_HINT_DUE : 0;
    for (uint32_t level = 0; level < LEAT_PRIORITY_LEVELS; level++) {
        found |= leat_pool_look(pool, level);
    }
    if (found == 0) {
        return false;
    }
    (void)atom_or_rlx(&pool->hint, found); /* rlx: hint, re-checked at park:A */
    worker->seen |= found;
    return true;
}

/* W5 of park.h: those, and the deques. */
static bool
second_look(struct leat_worker *worker)
{
    bool any = leat_worker_look(worker);
    return leat_spawn_ready(worker->pool) || any;
}

/* Steps W1 to W7 of park.h. */
static void
park(struct leat_worker *worker)
{
    struct leat_pool *pool = worker->pool;
    leat_lot_enter(&pool->lot, &worker->bed, worker->index);
    if (atom_load_rlx(&pool->hint) != 0) { /* rlx: hint, re-checked at park:A */
        /* Bits of what there is come back at once. */
        (void)atom_and_rlx(&pool->hint, 0); /* rlx: ordered by park:A */
    }
    /* park:A sc -> notify:A, tell:A, any:A, this:A, inbox:D, spawned:A, halt:B.  Orders: idle bit
     * set and hint cleared then rings, deques, inbox and halt read, against item published (or halt
     * set) then hint and idle bits read. */
    atom_fence_sc(&pool->anchor);
    if (second_look(worker) || leat_inbox_ready(&worker->inbox) || leat_worker_halted(worker)) {
        leat_lot_leave(&pool->lot, worker->index);
        return;
    }
    atom_count(&worker->parks, 1);
    LEAT_PROBE1(park, worker->index);
    leat_trace_note(worker, LEAT_TRACE_PARK);
    leat_lot_sleep(&pool->lot, &worker->bed, worker->index);
    leat_trace_note(worker, LEAT_TRACE_WAKE);
}

/* Looking for work pays if it comes within the longest time that one looks: then a wake-up is
 * saved. Each time without work tells how long to look the next time. */
static void
spin_learn(struct leat_worker *worker, uint64_t idle_ns)
{
    uint64_t most = worker->pool->spin_ns;
    uint64_t least = most / LEAT_SPIN_PARTS;
    if (idle_ns <= most) {
        uint64_t more = worker->spin_ns < least ? least : 2 * worker->spin_ns;
        worker->spin_ns = more < most ? more : most;
    } else {
        worker->spin_ns = worker->spin_ns <= least ? 0 : worker->spin_ns / 2;
    }
}

/* Until there may be work. */
void
leat_worker_wait(struct leat_worker *worker)
{
    bool learns = worker->pool->spin_ns != 0;
    uint64_t began_ns = learns ? leat_os_monotonic_ns() : 0;
    if (spin(worker)) {
        return;
    }
    park(worker);
    if (learns) {
        spin_learn(worker, leat_os_monotonic_ns() - began_ns);
    }
}

/* W8 of park.h: the first thing that a worker does with work after it had none. And W9: the last
 * one that it does in its place. */
void
leat_worker_wake_next(struct leat_worker *worker)
{
    struct leat_pool *pool = worker->pool;
    /* park:B sc -> notify:A, any:A, spawned:A.  Orders: own idle bit cleared then rings, queues and
     * deques read, against item published then idle bits read. */
    atom_fence_sc(&pool->anchor);
    if (leat_lot_any(&pool->lot) && second_look(worker)) {
        (void)leat_pool_wake_one(pool);
    }
}
