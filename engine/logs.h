/* logs.h - log lines on their way to the host: which are let through, and those of the engine's own
 * events. Why it is so: docs/design/0034.
 *
 * Progress: lock-free but for the host's function. */
#ifndef ENGINE_LOGS_H
#define ENGINE_LOGS_H

#include "engine/engine_internal.h"

/* What the engine says in lines of its own. */
#define LEAT_LOGS_EVENTS                                                                           \
    (LEAT_EVENT_BIT(LEAT_EVENT_BREAKER_OPENED) | LEAT_EVENT_BIT(LEAT_EVENT_BREAKER_CLOSED) |       \
     LEAT_EVENT_BIT(LEAT_EVENT_WORKER_STUCK) | LEAT_EVENT_BIT(LEAT_EVENT_THRESHOLD_RAISED) |       \
     LEAT_EVENT_BIT(LEAT_EVENT_THRESHOLD_CLEARED))

void leat_logs_init(struct leat_engine *engine);
/* Hands a line to the host, unless there is none who hears it, its level is too low, or there were
 * too many: then it is counted. Fills in time and count. */
void leat_logs_write(struct leat_engine *engine, struct leat_log_line line);
/* The line of an event, where it has one. */
void leat_logs_event(struct leat_engine *engine, const struct leat_event *event);

#endif
