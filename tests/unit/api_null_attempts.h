/* api_null_attempts.h - the part of unit_api_null.c for what ends attempts, and for jobs that
 * failed: mistakes with each function, answered by a status, outputs as they were. */
#ifndef TESTS_UNIT_API_NULL_ATTEMPTS_H
#define TESTS_UNIT_API_NULL_ATTEMPTS_H

#include "engine/leat.h"
#include "tests/support/check.h"

static inline void
mistakes_ends(struct leat_engine *engine)
{
    const leat_token none = {0, 0};
    const leat_token wild = {UINT64_MAX, UINT64_MAX};
    CHECK_STATUS(leat_pending_extend(NULL, none, 1), LEAT_INVALID);
    CHECK_STATUS(leat_pending_extend(engine, none, 1), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_pending_extend(engine, wild, LEAT_FOREVER), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_complete(NULL, none, leat_done(), NULL), LEAT_INVALID);
    CHECK_STATUS(leat_complete(engine, none, leat_done(), NULL), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_complete(engine, wild, leat_done(), "x"), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_complete(engine, none, leat_pending(), NULL), LEAT_INVALID);
    struct leat_answer answer = leat_answer_default();
    CHECK_STATUS(leat_complete_with(NULL, none, &answer), LEAT_INVALID);
    CHECK_STATUS(leat_complete_with(engine, none, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_complete_with(engine, none, &answer), LEAT_NOT_FOUND);
    answer.result_bytes = 1;
    CHECK_STATUS(leat_complete_with(engine, none, &answer), LEAT_INVALID);
    answer = leat_answer_default();
    answer.version++;
    CHECK_STATUS(leat_complete_with(engine, none, &answer), LEAT_UNSUPPORTED);
}

static inline void
mistakes_failed(struct leat_engine *engine, leat_type type)
{
    const leat_job_id none = {0};
    const struct leat_when both = {1, 1};
    struct leat_attempt_info info = leat_attempt_info_default();
    struct leat_breaker_info breaker = leat_breaker_info_default();
    struct leat_dead_query query = {0};
    leat_job_id ids[1];
    size_t count = 7;
    leat_breaker_options_init(NULL, sizeof(struct leat_breaker_options));
    CHECK_STATUS(leat_breaker_get(NULL, type, &breaker), LEAT_INVALID);
    CHECK_STATUS(leat_breaker_get(engine, type, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_breaker_get(engine, type, &breaker), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_job_attempts(NULL, none, &info, 1, &count), LEAT_INVALID);
    CHECK_STATUS(leat_job_attempts(engine, none, NULL, 1, &count), LEAT_INVALID);
    CHECK_STATUS(leat_job_attempts(engine, none, &info, 1, &count), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_job_payload(NULL, none, NULL, 0, &count), LEAT_INVALID);
    CHECK_STATUS(leat_job_payload(engine, none, NULL, 1, &count), LEAT_INVALID);
    CHECK_STATUS(leat_job_payload(engine, none, NULL, 0, &count), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_dead_list(NULL, &query, ids, 1, &count), LEAT_INVALID);
    CHECK_STATUS(leat_dead_list(engine, &query, ids, 1, &count), LEAT_INVALID);
    CHECK_STATUS(leat_dead_list(engine, NULL, ids, 1, &count), LEAT_INVALID);
    CHECK_STATUS(leat_dead_retry(NULL, none, leat_when_now()), LEAT_INVALID);
    CHECK_STATUS(leat_dead_retry(engine, none, both), LEAT_INVALID);
    CHECK_STATUS(leat_dead_retry(engine, none, leat_when_now()), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_dead_retry_all(NULL, NULL, leat_when_now(), &count), LEAT_INVALID);
    CHECK_STATUS(leat_dead_retry_all(engine, NULL, both, &count), LEAT_INVALID);
    CHECK_STATUS(leat_dead_retry_all(engine, &query, leat_when_now(), NULL), LEAT_INVALID);
    CHECK_STATUS(leat_dead_delete(NULL, none), LEAT_INVALID);
    CHECK_STATUS(leat_dead_delete(engine, none), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_dead_delete_all(NULL, NULL, &count), LEAT_INVALID);
    CHECK_STATUS(leat_dead_delete_all(engine, &query, &count), LEAT_INVALID);
    CHECK_EQUAL(count, 7);
}

/* Entries of the list. */
#define API_NULL_ATTEMPTS                                                                          \
    {"leat_complete_with", case_attempts}, {"leat_breaker_options_init", case_attempts},           \
        {"leat_breaker_get", case_attempts}, {"leat_job_attempts", case_attempts},                 \
        {"leat_job_payload", case_attempts}, {"leat_dead_list", case_attempts},                    \
        {"leat_dead_retry", case_attempts}, {"leat_dead_retry_all", case_attempts},                \
        {"leat_dead_delete", case_attempts},                                                       \
    {                                                                                              \
        "leat_dead_delete_all", case_attempts                                                      \
    }

#endif
