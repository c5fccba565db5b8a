/* unit_status.c - words for every status, state and reason: there, distinct, one lower-case
 * sentence without a full stop; beyond the lists the words for "unknown". The version in text and
 * number. */
#include <stdio.h>
#include <string.h>

#include "tests/support/check.h"

#define TEXTS_MAX 64

struct texts {
    const char *all[TEXTS_MAX];
    uint32_t count;
};

static void
check_sentence(struct texts *texts, const char *text)
{
    CHECK(text != NULL);
    size_t length = strlen(text);
    CHECK(length > 0);
    CHECK(text[length - 1] != '.');
    CHECK(text[0] >= 'a');
    CHECK(text[0] <= 'z');
    CHECK(strstr(text, "unknown status") == NULL);
    for (uint32_t i = 0; i < texts->count; i++) {
        CHECK(strcmp(texts->all[i], text) != 0);
    }
    CHECK(texts->count < TEXTS_MAX);
    texts->all[texts->count] = text;
    texts->count++;
}

static void
statuses(void **state)
{
    (void)state;
    struct texts texts = {.count = 0};
    for (uint32_t i = 0; i < LEAT_STATUS_COUNT; i++) {
        check_sentence(&texts, leat_status_text((enum leat_status)i));
    }
    CHECK_TEXT(leat_status_text(LEAT_OK), "ok");
    CHECK_TEXT(leat_status_text(LEAT_STATUS_COUNT), "unknown status");
    CHECK_TEXT(leat_status_text((enum leat_status)1000), "unknown status");
    CHECK_TEXT(leat_status_text((enum leat_status)(-1)), "unknown status");
}

static void
states(void **state)
{
    (void)state;
    struct texts texts = {.count = 0};
    for (uint32_t i = LEAT_JOB_SCHEDULED; i <= LEAT_JOB_CANCELLED; i++) {
        check_sentence(&texts, leat_job_state_text((enum leat_job_state)i));
    }
    CHECK_TEXT(leat_job_state_text(LEAT_JOB_SCHEDULED), "scheduled");
    CHECK_TEXT(leat_job_state_text(LEAT_JOB_BLOCKED), "blocked");
    CHECK_TEXT(leat_job_state_text(LEAT_JOB_PENDING), "pending");
    CHECK_TEXT(leat_job_state_text(LEAT_JOB_RUNNING), "running");
    CHECK_TEXT(leat_job_state_text(LEAT_JOB_RETRYING), "retrying");
    CHECK_TEXT(leat_job_state_text(LEAT_JOB_COMPLETED), "completed");
    CHECK_TEXT(leat_job_state_text(LEAT_JOB_DEAD), "dead");
    CHECK_TEXT(leat_job_state_text(LEAT_JOB_CANCELLED), "cancelled");
    CHECK_TEXT(leat_job_state_text((enum leat_job_state)0), "unknown");
    CHECK_TEXT(leat_job_state_text((enum leat_job_state)(LEAT_JOB_CANCELLED + 1)), "unknown");
    CHECK_TEXT(leat_job_state_text((enum leat_job_state)(-1)), "unknown");
}

static void
reasons(void **state)
{
    (void)state;
    struct texts texts = {.count = 0};
    for (uint32_t i = LEAT_REASON_NONE; i <= LEAT_REASON_PARENT; i++) {
        check_sentence(&texts, leat_reason_text((enum leat_reason)i));
    }
    CHECK_TEXT(leat_reason_text(LEAT_REASON_UNKNOWN_TYPE), "unknown type");
    CHECK_TEXT(leat_reason_text((enum leat_reason)(LEAT_REASON_PARENT + 1)), "unknown");
    CHECK_TEXT(leat_reason_text((enum leat_reason)(-1)), "unknown");
}

static void
version(void **state)
{
    (void)state;
    char text[40];
    uint32_t number = leat_version();
    CHECK_EQUAL(number >> 16, LEAT_VERSION_MAJOR);
    CHECK_EQUAL(number >> 8 & 0xff, LEAT_VERSION_MINOR);
    CHECK_EQUAL(number & 0xff, LEAT_VERSION_PATCH);
    (void)snprintf(text, sizeof(text), "%u.%u.%u", number >> 16, number >> 8 & 0xff, number & 0xff);
    CHECK_TEXT(leat_version_text(), text);
}

static void
levels(void **state)
{
    (void)state;
    CHECK_EQUAL(leat_priority_levels(), LEAT_PRIORITY_LEVELS);
    CHECK(leat_priority_levels() >= 1);
    CHECK(leat_priority_levels() <= 16);
}

/* Numbers of other scales keep their order; the ends are the ends; and any number is a level. */
static void
scales(void **state)
{
    (void)state;
    static const struct leat_priority_scale all[] = {{1, 10},
                                                     {0, 100},
                                                     {10, 1},
                                                     {-5, 5},
                                                     {0, 1},
                                                     {1, 0},
                                                     {INT32_MIN, INT32_MAX},
                                                     {INT32_MAX, INT32_MIN}};
    const uint32_t last = leat_priority_levels() - 1;
    for (size_t i = 0; i < TEST_COUNT_OF(all); i++) {
        const struct leat_priority_scale scale = all[i];
        bool upward = scale.least < scale.most;
        uint32_t before = upward ? last : 0;
        CHECK_EQUAL(leat_priority_of(scale, scale.most), 0);
        CHECK_EQUAL(leat_priority_of(scale, scale.least), last);
        CHECK_EQUAL(leat_priority_of(scale, INT32_MIN), upward ? last : 0);
        CHECK_EQUAL(leat_priority_of(scale, INT32_MAX), upward ? 0 : last);
        for (int32_t number = -200; number <= 200; number++) {
            uint32_t level = leat_priority_of(scale, number);
            CHECK(upward ? level <= before : level >= before);
            CHECK(level <= last);
            before = level;
        }
    }
    CHECK_EQUAL(leat_priority_of((struct leat_priority_scale){3, 3}, 7), (last + 1) / 2);
    if (last == 7) {
        static const uint32_t ten[] = {7, 6, 5, 5, 4, 3, 2, 2, 1, 0};
        for (int32_t number = 1; number <= 10; number++) {
            CHECK_EQUAL(leat_priority_of((struct leat_priority_scale){1, 10}, number),
                        ten[number - 1]);
        }
        CHECK_EQUAL(leat_priority_of((struct leat_priority_scale){1, 10}, 5), LEAT_PRIORITY_NORMAL);
        CHECK_EQUAL(leat_priority_of((struct leat_priority_scale){7, 0}, 5), 5);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statuses), cmocka_unit_test(states), cmocka_unit_test(reasons),
        cmocka_unit_test(version),  cmocka_unit_test(levels), cmocka_unit_test(scales),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
