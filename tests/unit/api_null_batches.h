/* api_null_batches.h - the part of unit_api_null.c about many jobs in one call: mistakes, and the
 * rows of its table. */
#ifndef TESTS_UNIT_API_NULL_BATCHES_H
#define TESTS_UNIT_API_NULL_BATCHES_H

#include "tests/support/check.h"
#include "tests/unit/api_null.h"

static void
case_submit_batch(struct world *world)
{
    struct leat_job job = leat_job_default();
    leat_job_id id = {7};
    enum leat_status status = LEAT_TIMEOUT;
    CHECK_STATUS(leat_submit_batch(NULL, &job, 1, LEAT_BATCH_EACH, &id, &status), LEAT_INVALID);
    CHECK_STATUS(leat_submit_batch(world->engine, NULL, 1, LEAT_BATCH_EACH, &id, &status),
                 LEAT_INVALID);
    CHECK_STATUS(leat_submit_batch(world->engine, &job, 1, (enum leat_batch_mode)9, &id, &status),
                 LEAT_INVALID);
    CHECK_EQUAL(id.bits, 7);
    CHECK_STATUS(status, LEAT_TIMEOUT);
    CHECK_STATUS(leat_submit_batch(world->engine, &job, 1, LEAT_BATCH_EACH, NULL, NULL),
                 LEAT_INVALID);
    CHECK_STATUS(leat_submit_batch(world->engine, &job, 1, LEAT_BATCH_ALL_OR_NONE, &id, NULL),
                 LEAT_INVALID);
    CHECK_EQUAL(id.bits, 7);
}

static void
case_submit_bulk(struct world *world)
{
    struct leat_job job = leat_job_default();
    struct leat_bulk batch = leat_bulk_default();
    leat_job_id id = {7};
    batch.ids = &id;
    batch.count = 1;
    CHECK_STATUS(leat_submit_bulk(NULL, &batch), LEAT_INVALID);
    CHECK_STATUS(leat_submit_bulk(world->engine, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_submit_bulk(world->engine, &batch), LEAT_INVALID);
    batch.jobs = &job;
    batch.size = 0;
    CHECK_STATUS(leat_submit_bulk(world->engine, &batch), LEAT_INVALID);
    batch = leat_bulk_default();
    batch.version = 9;
    CHECK_STATUS(leat_submit_bulk(world->engine, &batch), LEAT_UNSUPPORTED);
    CHECK_EQUAL(id.bits, 7);
}

/* clang-format off */
#define API_NULL_BATCHES                                                                           \
    {"leat_submit_batch", case_submit_batch},                                                      \
    {"leat_submit_bulk", case_submit_bulk}
/* clang-format on */

#endif
