/* group.c - groups of spawned tasks, and loops over ranges: the checks of callers, and waits of
 * threads that are no workers. What is counted and how it is run is in sched/spawn.h. */
#include "engine/engine_internal.h"
#include "ring/rcu.h"
#include "sched/spawn.h"

/* What stands in a struct leat_group. */
struct group {
    struct leat_join join;
    struct leat_engine *engine;
};

LEAT_STATIC(sizeof(struct group) <= sizeof(struct leat_group), "a group fits into its caller's");
LEAT_STATIC(_Alignof(struct group) <= _Alignof(struct leat_group), "and is aligned there");

/* ---- inside --------------------------------------------------------------------------------- */

LEAT_INLINE struct group *
group_of(struct leat_group *group)
{
    return (struct group *)(void *)group;
}

/* As leat_engine_check(). */
LEAT_INLINE enum leat_status
group_check(const struct group *group)
{
    return LEAT_LIKELY(group != NULL) ? leat_engine_check(group->engine) : LEAT_INVALID;
}

/* The calling worker of the engine's pool, or NULL. */
LEAT_INLINE struct leat_worker *
worker_of(const struct leat_engine *engine)
{
    struct leat_worker *worker = leat_worker_current();
    return worker != NULL && worker->pool == &engine->pool ? worker : NULL;
}

static struct leat_bell *
bell_of(const struct leat_engine *engine, const struct leat_join *join)
{
    return &engine->bells[(uintptr_t)join / LEAT_LINE_BYTES % LEAT_BELLS];
}

void
leat_group_ended(void *context, const struct leat_join *join)
{
    struct leat_engine *engine = context;
    struct leat_bell *bell = bell_of(engine, join);
    /* group:A release -> group:B.  Carries: that the count came to 0.
     * If relaxed: the waiter could see the bell and not yet the count, and sleep for ever. */
    (void)atom_add_rel(&bell->count, 1);
    leat_os_futex_wake(&bell->count, UINT32_MAX);
}

static LEAT_COLD enum leat_status
spawn_outside(struct group *group, uint64_t function, uint64_t argument, uint32_t *index)
{
    struct leat_engine *engine = group->engine;
    enum leat_status status = LEAT_CLOSED;
    if (group->join.owner != NULL) {
        return LEAT_WRONG_STATE;
    }
    leat_rcu_enter();
    if (leat_engine_accepts(engine)) {
        bool taken = leat_spawn_outside(&group->join, function, argument, index);
        status = taken ? LEAT_OK : LEAT_FULL;
    }
    leat_rcu_leave(&engine->domain);
    return status;
}

/* Sleeps until all have ended; where there are no workers, runs them. */
static enum leat_status
wait_outside(struct group *group, uint64_t timeout_ns)
{
    struct leat_engine *engine = group->engine;
    struct leat_bell *bell = bell_of(engine, &group->join);
    uint64_t deadline_ns = leat_os_deadline_ns(timeout_ns);
    enum leat_status status = LEAT_OK;
    bool ended = leat_join_mark(&group->join);
    while (!ended) {
        /* group:B acquire -> group:A.  Carries: see group:A; read before the count.
         * If relaxed: see group:A. */
        uint32_t count = atom_load_acq(&bell->count);
        size_t ran = 0;
        ended = leat_join_ended(&group->join);
        if (ended) {
            break;
        }
        if (leat_engine_state_now(engine) == LEAT_ENGINE_STOPPED) {
            status = LEAT_CLOSED;
            break;
        }
        if (timeout_ns == 0 || leat_os_monotonic_ns() >= deadline_ns) {
            status = LEAT_TIMEOUT;
            break;
        }
        bool lends = engine->config.workers == 0 &&
                     leat_engine_state_now(engine) != LEAT_ENGINE_OPEN &&
                     leat_pool_lend(&engine->pool, 1, &ran);
        if (!lends || ran == 0) {
            uint64_t soon_ns = leat_os_deadline_ns(LEAT_LENT_LOOK_NS);
            bool looks = engine->config.workers == 0 && soon_ns < deadline_ns;
            leat_os_futex_wait(&bell->count, count, looks ? soon_ns : deadline_ns);
        }
    }
    leat_join_unmark(&group->join);
    return status;
}

static enum leat_status
wait(struct group *group, struct leat_worker *worker, uint64_t timeout_ns)
{
    struct leat_join *join = &group->join;
    if (LEAT_UNLIKELY(join->owner == NULL)) {
        return worker == NULL ? wait_outside(group, timeout_ns) : LEAT_DEADLOCK;
    }
    if (LEAT_UNLIKELY(join->owner != worker || join->depth != worker->depth)) {
        return LEAT_DEADLOCK;
    }
    uint64_t deadline_ns = UINT64_MAX;
    if (LEAT_UNLIKELY(timeout_ns != LEAT_FOREVER)) {
        deadline_ns = leat_os_deadline_ns(timeout_ns);
    }
    return leat_join_wait(join, deadline_ns) ? LEAT_OK : LEAT_TIMEOUT;
}

/* ---- groups --------------------------------------------------------------------------------- */

enum leat_status
leat_group_init(struct leat_group *group, struct leat_engine *engine)
{
    enum leat_status status = leat_engine_check(engine);
    if (LEAT_UNLIKELY(status != LEAT_OK)) {
        return status;
    }
    if (LEAT_UNLIKELY(group == NULL)) {
        return LEAT_INVALID;
    }
    struct group *own = group_of(group);
    own->engine = engine;
    leat_join_init(&own->join, &engine->pool, worker_of(engine), NULL);
    return LEAT_OK;
}

enum leat_status
leat_group_spawn(struct leat_group *group, leat_task_function function, void *argument)
{
    struct group *own = group_of(group);
    enum leat_status status = group_check(own);
    if (LEAT_UNLIKELY(status != LEAT_OK)) {
        return status;
    }
    if (LEAT_UNLIKELY(function == NULL)) {
        return LEAT_INVALID;
    }
    struct leat_worker *worker = worker_of(own->engine);
    if (LEAT_UNLIKELY(worker == NULL)) {
        uint32_t index = 0;
        return spawn_outside(own, (uintptr_t)function, (uintptr_t)argument, &index);
    }
    leat_spawn(worker, &own->join, (uintptr_t)function, (uintptr_t)argument);
    return LEAT_OK;
}

enum leat_status
leat_group_wait(struct leat_group *group, uint64_t timeout_ns)
{
    struct group *own = group_of(group);
    enum leat_status status = group_check(own);
    if (LEAT_LIKELY(status == LEAT_OK)) {
        status = wait(own, worker_of(own->engine), timeout_ns);
    }
    if (LEAT_LIKELY(status == LEAT_OK)) {
        /* rlx: ordered by join:B */
        status = (enum leat_status)atom_load_rlx(&own->join.error);
    }
    return status;
}

enum leat_status
leat_group_cancel(struct leat_group *group)
{
    struct group *own = group_of(group);
    enum leat_status status = group_check(own);
    if (status == LEAT_OK) {
        leat_join_cancel(&own->join);
    }
    return status;
}

enum leat_status
leat_group_fail(struct leat_group *group, enum leat_status error)
{
    struct group *own = group_of(group);
    enum leat_status status = group_check(own);
    if (status == LEAT_OK && (error <= LEAT_OK || error >= LEAT_STATUS_COUNT)) {
        status = LEAT_INVALID;
    }
    if (status == LEAT_OK) {
        leat_join_fail(&own->join, (uint32_t)error);
    }
    return status;
}

bool
leat_group_cancelled(const struct leat_group *group)
{
    const struct group *own = (const struct group *)(const void *)group;
    /* rlx: hint, re-checked at join:A */
    return own != NULL && (atom_load_rlx(&own->join.unusual) & LEAT_JOIN_CANCELLED) != 0;
}

/* ---- loops ---------------------------------------------------------------------------------- */

/* Small enough that the last piece keeps no worker waiting for long, large enough that a look at
 * the deque for each costs nothing. */
static size_t
grain_of(const struct leat_engine *engine, const struct leat_range *range)
{
    size_t grain = range->grain;
    if (grain == 0) {
        grain = (range->end - range->begin) / ((size_t)LEAT_PIECES * engine->pool.places);
    }
    return grain > 0 ? grain : 1;
}

enum leat_status
leat_parallel_for(struct leat_engine *engine, const struct leat_range *range,
                  leat_range_function function, void *argument)
{
    enum leat_status status = leat_engine_check(engine);
    if (LEAT_UNLIKELY(status != LEAT_OK)) {
        return status;
    }
    if (range == NULL || function == NULL || range->begin > range->end) {
        return LEAT_INVALID;
    }
    if (range->begin == range->end) {
        return LEAT_OK;
    }
    const struct leat_range_work work = {function, argument, grain_of(engine, range)};
    struct leat_worker *worker = worker_of(engine);
    struct group group = {.engine = engine};
    uint32_t index = LEAT_INDEX_NONE;
    leat_join_init(&group.join, &engine->pool, worker, &work);
    if (LEAT_LIKELY(worker != NULL)) {
        leat_join_work(worker, &group.join, range->begin, range->end);
    } else {
        status = spawn_outside(&group, range->begin, range->end, &index);
    }
    if (LEAT_UNLIKELY(status != LEAT_OK)) {
        return status;
    }
    /* The pieces use this frame. Where a stop ends the wait, the first one is taken back; if it has
     * begun meanwhile, after a new start, it is waited for. */
    do {
        status = wait(&group, worker, LEAT_FOREVER);
    } while (LEAT_UNLIKELY(status == LEAT_CLOSED) && !leat_spawn_revoke(&group.join, index));
    return status;
}
