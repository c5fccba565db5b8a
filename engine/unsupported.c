/* unsupported.c - what the header declares and is not built yet (docs/status.md). Each function
 * moves out of here when it is. */
#include "engine/engine_internal.h"

/* The parameters are what they will be. NOLINTBEGIN(readability-non-const-parameter) */

static enum leat_status
not_built(const struct leat_engine *engine)
{
    enum leat_status status = leat_engine_check(engine);
    return status == LEAT_OK ? LEAT_UNSUPPORTED : status;
}

enum leat_status
leat_post_to(struct leat_engine *engine, uint32_t worker, uint32_t priority,
             const struct leat_task *task)
{
    (void)worker;
    (void)priority;
    (void)task;
    return not_built(engine);
}

enum leat_status
leat_queue_pause(struct leat_engine *engine, leat_queue queue)
{
    (void)queue;
    return not_built(engine);
}

enum leat_status
leat_queue_resume(struct leat_engine *engine, leat_queue queue)
{
    (void)queue;
    return not_built(engine);
}

enum leat_status
leat_group_create(struct leat_engine *engine, struct leat_group **group)
{
    (void)group;
    return not_built(engine);
}

enum leat_status
leat_group_spawn(struct leat_group *group, leat_task_function function, void *argument)
{
    (void)group;
    (void)function;
    (void)argument;
    return LEAT_UNSUPPORTED;
}

enum leat_status
leat_group_wait(struct leat_group *group, uint64_t timeout_ns)
{
    (void)group;
    (void)timeout_ns;
    return LEAT_UNSUPPORTED;
}

enum leat_status
leat_group_cancel(struct leat_group *group)
{
    (void)group;
    return LEAT_UNSUPPORTED;
}

enum leat_status
leat_group_destroy(struct leat_group *group)
{
    (void)group;
    return LEAT_UNSUPPORTED;
}

enum leat_status
leat_parallel_for(struct leat_engine *engine, const struct leat_range *range,
                  leat_range_function function, void *argument)
{
    (void)range;
    (void)function;
    (void)argument;
    return not_built(engine);
}

/* NOLINTEND(readability-non-const-parameter) */
