/* api_null_settings.h - the part of unit_api_null.c about settings and knobs: mistakes, and the
 * rows of its table. */
#ifndef TESTS_UNIT_API_NULL_SETTINGS_H
#define TESTS_UNIT_API_NULL_SETTINGS_H

#include "tests/support/check.h"
#include "tests/unit/api_null.h"

static void
mistakes_options(struct leat_settings *settings)
{
    const struct leat_config *config = NULL;
    const struct leat_queue_options *queue = NULL;
    const struct leat_type_options *type = NULL;
    CHECK_STATUS(leat_settings_config(NULL, &config, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_settings_config(settings, NULL, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_settings_queue(NULL, "q", NULL, &queue), LEAT_INVALID);
    CHECK_STATUS(leat_settings_queue(settings, NULL, NULL, &queue), LEAT_INVALID);
    CHECK_STATUS(leat_settings_queue(settings, "q", NULL, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_settings_queue(settings, "not a name", NULL, &queue), LEAT_INVALID);
    CHECK_STATUS(leat_settings_type(NULL, "t", NULL, &type), LEAT_INVALID);
    CHECK_STATUS(leat_settings_type(settings, NULL, NULL, &type), LEAT_INVALID);
    CHECK_STATUS(leat_settings_type(settings, "t", NULL, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_settings_type(settings, "not a name", NULL, &type), LEAT_INVALID);
    CHECK(config == NULL && queue == NULL && type == NULL);
}

static void
case_settings(struct world *world)
{
    (void)world;
    struct leat_error error;
    struct leat_settings *settings = NULL;
    struct leat_config config = leat_config_default();
    CHECK_STATUS(leat_settings_create(NULL, NULL), LEAT_INVALID);
    config.size = 4;
    CHECK_STATUS(leat_settings_create(&config, &settings), LEAT_INVALID);
    config = leat_config_default();
    config.version = 9;
    CHECK_STATUS(leat_settings_create(&config, &settings), LEAT_UNSUPPORTED);
    CHECK(settings == NULL);
    CHECK_OK(leat_settings_create(NULL, &settings));
    CHECK_STATUS(leat_settings_load(NULL, "x", &error), LEAT_INVALID);
    CHECK_STATUS(leat_settings_load(settings, NULL, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_settings_environment(NULL, NULL, &error), LEAT_INVALID);
    CHECK_STATUS(leat_settings_set(NULL, "workers", "1", NULL), LEAT_INVALID);
    CHECK_STATUS(leat_settings_set(settings, NULL, "1", NULL), LEAT_INVALID);
    CHECK_STATUS(leat_settings_set(settings, "workers", NULL, &error), LEAT_INVALID);
    mistakes_options(settings);
    leat_settings_destroy(settings);
    leat_settings_destroy(NULL);
}

static void
case_knobs(struct world *world)
{
    static struct leat_knob_info info;
    size_t count = 7;
    info = leat_knob_info_default();
    CHECK_STATUS(leat_knob_list(NULL, 0, NULL, 1, &count), LEAT_INVALID);
    CHECK_STATUS(leat_knob_list(NULL, 0, &info, 0, &count), LEAT_INVALID);
    CHECK_STATUS(leat_knob_list(NULL, 0, &info, 1, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_knob_change(NULL, "workers", "1", NULL), LEAT_INVALID);
    CHECK_STATUS(leat_knob_change(world->engine, NULL, "1", NULL), LEAT_INVALID);
    CHECK_STATUS(leat_knob_change(world->engine, "workers", NULL, NULL), LEAT_INVALID);
    CHECK_EQUAL(count, 7);
}

static void
case_checks(struct world *world)
{
    struct leat_error error;
    struct leat_job job = leat_job_default();
    job.type = world->type;
    CHECK_STATUS(leat_type_options_check(NULL, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_queue_options_check(NULL, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_job_check(NULL, &job, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_job_check(world->engine, NULL, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_type_options_check(NULL, &error), LEAT_INVALID);
    CHECK_TEXT(error.field, "options");
    CHECK_STATUS(leat_queue_options_check(NULL, &error), LEAT_INVALID);
    CHECK_TEXT(error.field, "options");
    CHECK_STATUS(leat_job_check(NULL, &job, &error), LEAT_INVALID);
    CHECK_TEXT(error.field, "engine");
    CHECK_STATUS(leat_job_check(world->engine, NULL, &error), LEAT_INVALID);
    CHECK_TEXT(error.field, "job");
}

/* clang-format off */
#define API_NULL_SETTINGS                                                                          \
    {"leat_settings_create", case_settings},                                                       \
    {"leat_settings_destroy", case_settings},                                                      \
    {"leat_settings_load", case_settings},                                                         \
    {"leat_settings_environment", case_settings},                                                  \
    {"leat_settings_set", case_settings},                                                          \
    {"leat_settings_config", case_settings},                                                       \
    {"leat_settings_queue", case_settings},                                                        \
    {"leat_settings_type", case_settings},                                                         \
    {"leat_knob_list", case_knobs},                                                                \
    {"leat_knob_change", case_knobs},                                                              \
    {"leat_type_options_check", case_checks},                                                      \
    {"leat_queue_options_check", case_checks},                                                     \
    {"leat_job_check", case_checks}
/* clang-format on */

#endif
