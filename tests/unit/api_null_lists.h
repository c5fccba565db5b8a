/* api_null_lists.h - the part of unit_api_null.c about many jobs looked at in one call: mistakes,
 * and the rows of its table. */
#ifndef TESTS_UNIT_API_NULL_LISTS_H
#define TESTS_UNIT_API_NULL_LISTS_H

#include "tests/support/check.h"
#include "tests/unit/api_null.h"

static void
case_wait_many(struct world *world)
{
    struct leat_wait_set set = leat_wait_set_default();
    const leat_job_id none = {0};
    size_t which = 7;
    CHECK_STATUS(leat_wait_many(NULL, &set, &which), LEAT_INVALID);
    CHECK_STATUS(leat_wait_many(world->engine, NULL, &which), LEAT_INVALID);
    CHECK_STATUS(leat_wait_many(world->engine, &set, &which), LEAT_INVALID);
    set.count = 1;
    CHECK_STATUS(leat_wait_many(world->engine, &set, &which), LEAT_INVALID);
    CHECK_EQUAL(which, 7);
    set.ids = &none;
    CHECK_STATUS(leat_wait_many(world->engine, &set, NULL), LEAT_NOT_FOUND);
}

static void
case_lists(struct world *world)
{
    struct leat_job_query query = leat_job_query_default();
    struct leat_job_tally tally = {7, 7, {7}};
    leat_job_id id = {7};
    size_t count = 7;
    CHECK_STATUS(leat_job_list(NULL, &query, &id, 1, &count), LEAT_INVALID);
    CHECK_STATUS(leat_job_list(world->engine, NULL, &id, 1, &count), LEAT_INVALID);
    CHECK_STATUS(leat_job_list(world->engine, &query, NULL, 1, &count), LEAT_INVALID);
    CHECK_STATUS(leat_job_list(world->engine, &query, &id, 1, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_job_count(NULL, &query, &tally, 1), LEAT_INVALID);
    CHECK_STATUS(leat_job_count(world->engine, NULL, &tally, 1), LEAT_INVALID);
    CHECK_STATUS(leat_job_count(world->engine, &query, NULL, 1), LEAT_INVALID);
    CHECK_EQUAL(id.bits, 7);
    CHECK_EQUAL(count, 7);
    CHECK_EQUAL(tally.jobs, 7);
}

/* clang-format off */
#define API_NULL_LISTS                                                                             \
    {"leat_wait_many", case_wait_many},                                                            \
    {"leat_job_list", case_lists},                                                                 \
    {"leat_job_count", case_lists}
/* clang-format on */

#endif
