/* post.c - taking tasks in. */
#include "engine/engine_internal.h"
#include "ring/rcu.h"

enum leat_status
leat_post(struct leat_engine *engine, uint32_t priority, leat_task_function function,
          void *argument)
{
    enum leat_status status = leat_engine_check(engine);
    if (LEAT_UNLIKELY(status != LEAT_OK)) {
        return status;
    }
    if (LEAT_UNLIKELY(priority >= LEAT_PRIORITY_LEVELS || function == NULL)) {
        return LEAT_INVALID;
    }
    const struct leat_pool_task task = {function, argument};
    status = LEAT_CLOSED;
    leat_rcu_enter();
    if (LEAT_LIKELY(leat_engine_accepts(engine))) {
        status = leat_pool_post(&engine->pool, priority, &task) ? LEAT_OK : LEAT_FULL;
    }
    leat_rcu_leave(&engine->domain);
    return status;
}

static enum leat_status
status_of_post(enum leat_post_result result)
{
    switch (result) {
    case LEAT_POST_OK:
        return LEAT_OK;
    case LEAT_POST_FULL:
        return LEAT_FULL;
    case LEAT_POST_AWAY:
        break;
    }
    return LEAT_WRONG_STATE;
}

enum leat_status
leat_post_to(struct leat_engine *engine, uint32_t worker, uint32_t priority,
             const struct leat_task *task)
{
    enum leat_status status = leat_engine_check(engine);
    if (status != LEAT_OK) {
        return status;
    }
    if (priority >= LEAT_PRIORITY_LEVELS || task == NULL || task->function == NULL) {
        return LEAT_INVALID;
    }
    if (engine->config.workers == 0) {
        return LEAT_WRONG_STATE;
    }
    if (worker >= engine->pool.places) {
        return LEAT_INVALID;
    }
    const struct leat_pool_task copy = {task->function, task->argument};
    status = LEAT_CLOSED;
    leat_rcu_enter();
    if (leat_engine_accepts(engine)) {
        status = status_of_post(leat_pool_post_to(&engine->pool, worker, priority, &copy));
    }
    leat_rcu_leave(&engine->domain);
    return status;
}

/* The next tasks, as many as go together. *taken grows by those that were taken. */
static enum leat_status
post_some(struct leat_engine *engine, uint32_t priority, const struct leat_task *tasks,
          size_t count, size_t *taken)
{
    struct leat_pool_task some[LEAT_CHUNK_ITEMS];
    enum leat_status status = LEAT_CLOSED;
    uint32_t most = 0;
    while (most < LEAT_CHUNK_ITEMS && *taken + most < count) {
        some[most].function = tasks[*taken + most].function;
        some[most].argument = tasks[*taken + most].argument;
        most++;
    }
    leat_rcu_enter();
    if (LEAT_LIKELY(leat_engine_accepts(engine))) {
        uint32_t posted = leat_pool_post_n(&engine->pool, priority, some, most);
        *taken += posted;
        status = posted == most ? LEAT_OK : LEAT_FULL;
    }
    leat_rcu_leave(&engine->domain);
    return status;
}

enum leat_status
leat_post_batch(struct leat_engine *engine, uint32_t priority, const struct leat_task *tasks,
                size_t count, size_t *posted)
{
    enum leat_status status = leat_engine_check(engine);
    if (status != LEAT_OK) {
        return status;
    }
    if (priority >= LEAT_PRIORITY_LEVELS || (tasks == NULL && count > 0)) {
        return LEAT_INVALID;
    }
    for (size_t i = 0; i < count; i++) {
        if (tasks[i].function == NULL) {
            return LEAT_INVALID;
        }
    }
    size_t taken = 0;
    while (taken < count && status == LEAT_OK) {
        status = post_some(engine, priority, tasks, count, &taken);
    }
    if (posted != NULL && status != LEAT_FORKED) {
        *posted = taken;
    }
    return status;
}
