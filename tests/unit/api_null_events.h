/* api_null_events.h - the part of unit_api_null.c for the flight recorder and for events: mistakes
 * with each function, answered by a status. */
#ifndef TESTS_UNIT_API_NULL_EVENTS_H
#define TESTS_UNIT_API_NULL_EVENTS_H

#include "engine/leat.h"
#include "tests/support/check.h"

static inline bool
no_text(const char *text, size_t bytes, void *context)
{
    (void)context;
    (void)text;
    (void)bytes;
    return false;
}

static inline void
mistakes_trace(struct leat_engine *engine)
{
    CHECK_STATUS(leat_trace_write(NULL, no_text, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_trace_write(engine, NULL, NULL), LEAT_INVALID);
    CHECK_EQUAL(leat_log_format(NULL, LEAT_LOG_JSON, NULL, 0), 0);
    CHECK_TEXT(leat_event_text(LEAT_EVENT_KINDS), "unknown");
    CHECK_TEXT(leat_threshold_text((enum leat_threshold)UINT32_MAX), "unknown");
}

/* Rows of the table, for the case that calls these. */
#define API_NULL_EVENTS                                                                            \
    {"leat_trace_write", case_statistics}, {"leat_log_format", case_statistics},                   \
        {"leat_event_text", case_statistics},                                                      \
    {                                                                                              \
        "leat_threshold_text", case_statistics                                                     \
    }

#endif
