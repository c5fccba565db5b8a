/* api_null.h - cases of unit_api_null.c: looking at jobs, and what they are called. */
#ifndef TESTS_UNIT_API_NULL_H
#define TESTS_UNIT_API_NULL_H

#include "tests/support/check.h"

/* An engine to make mistakes with, and a run of it for what is asked of runs. */
struct world {
    struct leat_engine *engine;
    struct leat_run *run; /* NULL outside the handler */
    leat_type type;
};

static inline void
case_get(struct world *world)
{
    struct leat_job_info info = leat_job_info_default();
    const leat_job_id none = {0};
    CHECK_STATUS(leat_get(NULL, none, &info), LEAT_INVALID);
    CHECK_STATUS(leat_get(world->engine, none, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_get(world->engine, none, &info), LEAT_NOT_FOUND);
    CHECK_EQUAL(info.state, 0);
}

static inline void
case_labels(struct world *world)
{
    const leat_job_id none = {0};
    leat_job_id id = {7};
    struct leat_tag tag;
    struct leat_tag_cursor cursor = {"t", 0};
    struct leat_tag_cursor nothing = {NULL, 0};
    uint64_t count = 7;
    size_t listed = 7;
    uint32_t tags = 7;
    CHECK_STATUS(leat_job_find(NULL, "name", &id), LEAT_INVALID);
    CHECK_STATUS(leat_job_find(world->engine, NULL, &id), LEAT_INVALID);
    CHECK_STATUS(leat_job_find(world->engine, "name", NULL), LEAT_INVALID);
    CHECK_STATUS(leat_job_name(NULL, none, tag.text, 1), LEAT_INVALID);
    CHECK_STATUS(leat_job_name(world->engine, none, NULL, 1), LEAT_INVALID);
    CHECK_STATUS(leat_job_name(world->engine, none, tag.text, 1), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_job_tags(NULL, none, &tag, 1, &tags), LEAT_INVALID);
    CHECK_STATUS(leat_job_tags(world->engine, none, &tag, 1, &tags), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_job_tags(world->engine, none, NULL, 1, &tags), LEAT_INVALID);
    CHECK_STATUS(leat_job_tags(world->engine, none, &tag, 1, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_tag_list(NULL, &cursor, &id, 1, &listed), LEAT_INVALID);
    CHECK_STATUS(leat_tag_list(world->engine, &nothing, &id, 1, &listed), LEAT_INVALID);
    CHECK_STATUS(leat_tag_count(NULL, "t", &count), LEAT_INVALID);
    CHECK_STATUS(leat_tag_count(world->engine, NULL, &count), LEAT_INVALID);
    CHECK_STATUS(leat_tag_count(world->engine, "t", NULL), LEAT_INVALID);
    CHECK_EQUAL(id.bits, 7);
    CHECK_EQUAL(count, 7);
    CHECK_EQUAL(listed, 7);
    CHECK_EQUAL(tags, 7);
}

#endif
