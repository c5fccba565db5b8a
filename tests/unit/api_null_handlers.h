/* api_null_handlers.h - mistakes with what stands around a handler; part of unit_api_null.c. */
#ifndef TESTS_UNIT_API_NULL_HANDLERS_H
#define TESTS_UNIT_API_NULL_HANDLERS_H

#include "tests/unit/api_null.h"

static void
case_run_null(struct world *world)
{
    (void)world;
    CHECK_STATUS(leat_run_error(NULL, "text"), LEAT_INVALID);
    CHECK_STATUS(leat_run_error(NULL, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_run_result(NULL, "x", 1), LEAT_INVALID);
    CHECK_STATUS(leat_run_result(NULL, NULL, 0), LEAT_INVALID);
    CHECK_STATUS(leat_run_progress(NULL, 1, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_run_progress(NULL, 101, "text"), LEAT_INVALID);
    CHECK_STATUS(leat_run_log(NULL, LEAT_LOG_INFO, "text"), LEAT_INVALID);
    CHECK_STATUS(leat_run_submit(NULL, NULL, NULL), LEAT_INVALID);
    CHECK_EQUAL(leat_run_deadline(NULL), 0);
    CHECK_EQUAL(leat_next_run(NULL).kind, LEAT_OUTCOME_FAIL);
}

static struct leat_outcome
pass_on(struct leat_run *run, struct leat_next *next, void *context)
{
    (void)run;
    (void)context;
    return leat_next_run(next);
}

static void
case_middleware(struct world *world)
{
    const leat_type none = {0};
    const leat_type wild = {UINT32_MAX};
    CHECK_STATUS(leat_middleware_add(NULL, pass_on, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_middleware_add(world->engine, NULL, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_type_middleware_add(NULL, world->type, pass_on, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_type_middleware_add(world->engine, world->type, NULL, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_type_middleware_add(world->engine, none, pass_on, NULL), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_type_middleware_add(world->engine, wild, pass_on, NULL), LEAT_NOT_FOUND);
}

static void
batch_nothing(struct leat_run *const *runs, struct leat_outcome *outcomes, size_t count,
              void *context)
{
    (void)runs;
    (void)outcomes;
    (void)count;
    (void)context;
}

static void
case_type_register_batch(struct world *world)
{
    leat_type type = {7};
    struct leat_engine *engine = world->engine;
    struct leat_type_options options = leat_type_options_default();
    options.batch_max = 4;
    CHECK_STATUS(leat_type_register_batch(NULL, "x", batch_nothing, NULL, &options, &type),
                 LEAT_INVALID);
    CHECK_STATUS(leat_type_register_batch(engine, NULL, batch_nothing, NULL, &options, &type),
                 LEAT_INVALID);
    CHECK_STATUS(leat_type_register_batch(engine, "x", NULL, NULL, &options, &type), LEAT_INVALID);
    CHECK_STATUS(leat_type_register_batch(engine, "x y", batch_nothing, NULL, &options, &type),
                 LEAT_INVALID);
    CHECK_STATUS(leat_type_register_batch(engine, "x", batch_nothing, NULL, NULL, &type),
                 LEAT_INVALID);
    CHECK_EQUAL(type.bits, 7);
}

static void
case_run_inline(struct world *world)
{
    struct leat_job job = leat_job_default();
    struct leat_job_info info = leat_job_info_default();
    uint64_t delay_ns = 7;
    info.progress = 7;
    job.type = world->type;
    CHECK_STATUS(leat_run_inline(NULL, &job, &info, &delay_ns), LEAT_INVALID);
    CHECK_STATUS(leat_run_inline(world->engine, NULL, &info, &delay_ns), LEAT_INVALID);
    job.flags = UINT32_MAX;
    CHECK_STATUS(leat_run_inline(world->engine, &job, &info, &delay_ns), LEAT_UNSUPPORTED);
    job.flags = 0;
    info.size = 1;
    CHECK_STATUS(leat_run_inline(world->engine, &job, &info, &delay_ns), LEAT_INVALID);
    CHECK_EQUAL(info.progress, 7);
    CHECK_EQUAL(delay_ns, 7);
}

#endif
