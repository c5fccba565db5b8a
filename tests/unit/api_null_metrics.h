/* api_null_metrics.h - the part of unit_api_null.c about rows of statistics, health and metrics:
 * mistakes, and the rows of its table. */
#ifndef TESTS_UNIT_API_NULL_METRICS_H
#define TESTS_UNIT_API_NULL_METRICS_H

#include "tests/support/check.h"
#include "tests/unit/api_null.h"

static bool
no_sink(const char *text, size_t bytes, void *context)
{
    (void)text;
    (void)bytes;
    (void)context;
    return true;
}

static void
case_metrics(struct world *world)
{
    struct leat_statistics sum = leat_statistics_default();
    struct leat_statistics_row row = leat_statistics_row_default();
    struct leat_health health = leat_health_default();
    struct leat_rates rates;
    size_t count = 7;
    CHECK_STATUS(leat_statistics_list(NULL, LEAT_BY_TYPE, &row, 1, &count), LEAT_INVALID);
    CHECK_STATUS(leat_statistics_list(world->engine, LEAT_BY_TYPE, NULL, 1, &count), LEAT_INVALID);
    CHECK_STATUS(leat_statistics_list(world->engine, LEAT_BY_TYPE, &row, 0, &count), LEAT_INVALID);
    CHECK_STATUS(leat_statistics_list(world->engine, LEAT_BY_TYPE, &row, 1, NULL), LEAT_INVALID);
    row.size = 4;
    CHECK_STATUS(leat_statistics_list(world->engine, LEAT_BY_PRIORITY, &row, 1, &count),
                 LEAT_INVALID);
    CHECK_EQUAL(count, 7);
    CHECK_STATUS(leat_rates_get(NULL, &sum, &rates), LEAT_INVALID);
    CHECK_STATUS(leat_rates_get(&sum, NULL, &rates), LEAT_INVALID);
    CHECK_STATUS(leat_rates_get(&sum, &sum, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_rates_get(&sum, &sum, &rates), LEAT_INVALID);
    struct leat_error error;
    CHECK_STATUS(leat_log_key_rotate(NULL, "key", &error), LEAT_INVALID);
    CHECK_STATUS(leat_log_key_rotate(world->engine, NULL, NULL), LEAT_WRONG_STATE);
    CHECK_STATUS(leat_log_key_rotate(world->engine, "key", &error), LEAT_WRONG_STATE);
    struct leat_recovery_info recovery = leat_recovery_info_default();
    CHECK_STATUS(leat_recovery_get(NULL, &recovery), LEAT_INVALID);
    CHECK_STATUS(leat_recovery_get(world->engine, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_recovery_get(world->engine, &recovery), LEAT_WRONG_STATE);
    CHECK_STATUS(leat_health_get(NULL, &health), LEAT_INVALID);
    CHECK_STATUS(leat_health_get(world->engine, NULL), LEAT_INVALID);
    health.version = 9;
    CHECK_STATUS(leat_health_get(world->engine, &health), LEAT_UNSUPPORTED);
    CHECK_STATUS(leat_metrics_write(NULL, LEAT_METRICS_PROMETHEUS, no_sink, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_metrics_write(world->engine, LEAT_METRICS_PROMETHEUS, NULL, NULL),
                 LEAT_INVALID);
}

#define API_NULL_METRICS                                                                           \
    {"leat_statistics_list", case_metrics}, {"leat_rates_get", case_metrics},                      \
        {"leat_recovery_get", case_metrics}, {"leat_log_key_rotate", case_metrics},                \
        {"leat_health_get", case_metrics},                                                         \
    {                                                                                              \
        "leat_metrics_write", case_metrics                                                         \
    }

#endif
