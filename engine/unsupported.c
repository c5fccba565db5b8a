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
leat_completion_queue_create(struct leat_engine *engine, uint32_t slots,
                             struct leat_completion_queue **queue)
{
    (void)slots;
    (void)queue;
    return not_built(engine);
}

enum leat_status
leat_completion_queue_descriptor(struct leat_completion_queue *queue, int *descriptor)
{
    (void)queue;
    (void)descriptor;
    return LEAT_UNSUPPORTED;
}

enum leat_status
leat_completion_queue_take(struct leat_completion_queue *queue, struct leat_completion *items,
                           size_t capacity, size_t *taken)
{
    (void)queue;
    (void)items;
    (void)capacity;
    (void)taken;
    return LEAT_UNSUPPORTED;
}

enum leat_status
leat_completion_queue_destroy(struct leat_completion_queue *queue)
{
    (void)queue;
    return LEAT_UNSUPPORTED;
}

/* NOLINTEND(readability-non-const-parameter) */
