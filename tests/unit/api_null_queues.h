/* api_null_queues.h - the part of unit_api_null.c about queues and tenants as a whole: mistakes,
 * and the rows of its table. */
#ifndef TESTS_UNIT_API_NULL_QUEUES_H
#define TESTS_UNIT_API_NULL_QUEUES_H

#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/unit/api_null.h"

static void
case_gates(struct world *world)
{
    leat_queue none = {0};
    CHECK_STATUS(leat_queue_pause(NULL, none), LEAT_INVALID);
    CHECK_STATUS(leat_queue_resume(NULL, none), LEAT_INVALID);
    CHECK_STATUS(leat_pause_all(NULL), LEAT_INVALID);
    CHECK_STATUS(leat_resume_all(NULL), LEAT_INVALID);
    CHECK_STATUS(leat_queue_set_running_max(NULL, none, 1), LEAT_INVALID);
    CHECK_STATUS(leat_type_set_running_max(NULL, (leat_type){0}, 1), LEAT_INVALID);
    CHECK_STATUS(leat_queue_pause(world->engine, none), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_queue_resume(world->engine, none), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_queue_set_running_max(world->engine, none, 1), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_type_set_running_max(world->engine, (leat_type){0}, 1), LEAT_NOT_FOUND);
}

static void
case_limits(struct world *world)
{
    const leat_queue none = {0};
    struct leat_queue_limits limits = leat_queue_limits_default();
    struct leat_queue_info info = leat_queue_info_default();
    size_t count = 7;
    CHECK_STATUS(leat_queue_set_limits(NULL, none, &limits), LEAT_INVALID);
    CHECK_STATUS(leat_queue_set_limits(world->engine, none, &limits), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_queue_purge(NULL, none, &count), LEAT_INVALID);
    CHECK_STATUS(leat_queue_purge(world->engine, none, &count), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_purge_all(NULL, &count), LEAT_INVALID);
    CHECK_STATUS(leat_queue_drain(NULL, none, 0), LEAT_INVALID);
    CHECK_STATUS(leat_queue_drain(world->engine, none, 0), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_queue_reopen(NULL, none), LEAT_INVALID);
    CHECK_STATUS(leat_queue_reopen(world->engine, none), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_queue_get_info(NULL, none, &info), LEAT_INVALID);
    CHECK_STATUS(leat_queue_get_info(world->engine, none, &info), LEAT_NOT_FOUND);
    CHECK_EQUAL(count, 7);
}

static void
case_tenants(struct world *world)
{
    leat_tenant tenant = {7};
    const leat_tenant none = {0};
    const char *name = NULL;
    struct leat_tenant_options options = leat_tenant_options_default();
    struct leat_tenant_info info = leat_tenant_info_default();
    CHECK_STATUS(leat_tenant_create(NULL, "a", NULL, &tenant), LEAT_INVALID);
    CHECK_STATUS(leat_tenant_create(world->engine, NULL, NULL, &tenant), LEAT_INVALID);
    CHECK_STATUS(leat_tenant_create(world->engine, "a", NULL, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_tenant_find(NULL, "a", &tenant), LEAT_INVALID);
    CHECK_STATUS(leat_tenant_find(world->engine, "a", &tenant), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_tenant_name(NULL, none, &name), LEAT_INVALID);
    CHECK_STATUS(leat_tenant_name(world->engine, none, &name), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_tenant_set_limits(NULL, none, &options), LEAT_INVALID);
    CHECK_STATUS(leat_tenant_set_limits(world->engine, none, &options), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_tenant_get(NULL, none, &info), LEAT_INVALID);
    CHECK_STATUS(leat_tenant_get(world->engine, none, &info), LEAT_NOT_FOUND);
    CHECK_EQUAL(tenant.bits, 7);
}

/* clang-format off */
#define API_NULL_QUEUES                                                                            \
    {"leat_queue_pause", case_gates},                                                              \
    {"leat_queue_resume", case_gates},                                                             \
    {"leat_queue_set_running_max", case_gates},                                                    \
    {"leat_type_set_running_max", case_gates},                                                     \
    {"leat_queue_set_limits", case_limits},                                                        \
    {"leat_queue_purge", case_limits},                                                             \
    {"leat_purge_all", case_limits},                                                               \
    {"leat_pause_all", case_gates},                                                                \
    {"leat_resume_all", case_gates},                                                               \
    {"leat_queue_drain", case_limits},                                                             \
    {"leat_queue_reopen", case_limits},                                                            \
    {"leat_queue_get_info", case_limits},                                                          \
    {"leat_tenant_create", case_tenants},                                                          \
    {"leat_tenant_find", case_tenants},                                                            \
    {"leat_tenant_name", case_tenants},                                                            \
    {"leat_tenant_set_limits", case_tenants},                                                      \
    {"leat_tenant_get", case_tenants}
/* clang-format on */

#endif
