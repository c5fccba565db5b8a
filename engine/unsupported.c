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

/* NOLINTEND(readability-non-const-parameter) */
