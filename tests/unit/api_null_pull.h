/* api_null_pull.h - the case of unit_api_null.c for pull queues and stores. */
#ifndef TESTS_UNIT_API_NULL_PULL_H
#define TESTS_UNIT_API_NULL_PULL_H

#include "tests/support/check.h"

static inline void
mistakes_pull(struct leat_engine *engine)
{
    const leat_token none = {0, 0};
    struct leat_reserve_options options = leat_reserve_options_default();
    struct leat_lease lease;
    struct leat_store store = {.close = NULL};
    size_t count = 77;
    CHECK_STATUS(leat_reserve(NULL, &options, &lease, &count), LEAT_INVALID);
    CHECK_STATUS(leat_reserve(engine, NULL, &lease, &count), LEAT_INVALID);
    CHECK_STATUS(leat_reserve(engine, &options, NULL, &count), LEAT_INVALID);
    CHECK_STATUS(leat_reserve(engine, &options, &lease, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_reserve(engine, &options, &lease, &count), LEAT_NOT_FOUND);
    CHECK_EQUAL(count, 77);
    CHECK_STATUS(leat_ack(NULL, none, NULL, 0), LEAT_INVALID);
    CHECK_STATUS(leat_ack(engine, none, NULL, 1), LEAT_INVALID);
    CHECK_STATUS(leat_ack(engine, none, NULL, 0), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_nack(NULL, none, 0, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_nack(engine, none, LEAT_FOREVER, "x"), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_extend(NULL, none, 0), LEAT_INVALID);
    CHECK_STATUS(leat_extend(engine, none, LEAT_FOREVER), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_lease_release(NULL, none), LEAT_INVALID);
    CHECK_STATUS(leat_lease_release(engine, none), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_queue_store(NULL, options.queue, &store), LEAT_INVALID);
    CHECK_STATUS(leat_queue_store(engine, options.queue, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_queue_store(engine, options.queue, &store), LEAT_NOT_FOUND);
    CHECK(store.close == NULL);
}

/* Its entries, where case_pull() calls it. */
#define API_NULL_PULL                                                                              \
    {"leat_reserve", case_pull}, {"leat_ack", case_pull}, {"leat_nack", case_pull},                \
        {"leat_extend", case_pull}, {"leat_lease_release", case_pull},                             \
    {                                                                                              \
        "leat_queue_store", case_pull                                                              \
    }

#endif
