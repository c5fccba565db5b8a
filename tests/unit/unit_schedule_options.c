/* unit_schedule_options.c - schedules whose job has options: all that they point to is copied, so
 * the caller's memory may be written over; each job has them from its own submit on; one that
 * another stands for, by a unique key, is counted; what makes no sense later is refused. */
#include <stdlib.h>
#include <string.h>

#include "engine/engine_internal.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/memory.h"
#include "tests/support/schedules.h"

#define DAY "2026-01-05 "

/* What the options point to, in memory that is written over. */
struct given {
    struct leat_job job;
    struct leat_job_options options;
    struct leat_retry_policy policy;
    uint64_t delays_ns[2];
    const char *tags[2];
    char tag[2][LEAT_TAG_BYTES_MAX + 1];
    char key[8];
    char unique_key[8];
    char name[32];
    char payload[16];
};

static struct given *
given_make(const struct test_schedules *all)
{
    struct given *given = malloc(sizeof(*given));
    CHECK(given != NULL);
    memset(given, 0, sizeof(*given));
    memcpy(given->tag[0], "nightly", 8);
    memset(given->tag[1], 't', LEAT_TAG_BYTES_MAX);
    memcpy(given->key, "account", 8);
    memcpy(given->unique_key, "report", 7);
    memcpy(given->name, "the report", 11);
    memcpy(given->payload, "what to report", 15);
    given->delays_ns[0] = 3;
    given->delays_ns[1] = UINT64_C(5000000000);
    given->policy = leat_retry_list(given->delays_ns, 2);
    given->tags[0] = given->tag[0];
    given->tags[1] = given->tag[1];
    given->options = leat_job_options_default();
    given->options.retry = &given->policy;
    given->options.tags = given->tags;
    given->options.tags_count = 2;
    given->options.key = given->key;
    given->options.key_bytes = 7;
    given->options.unique_key = given->unique_key;
    given->options.unique_key_bytes = 6;
    given->options.name = given->name;
    given->options.expires_in_ns = UINT64_C(60000000000);
    given->job = all->job;
    given->job.options = &given->options;
    given->job.payload = given->payload;
    given->job.payload_bytes = 15;
    return given;
}

/* Adds it as "s", and nothing of the caller's memory is left. */
static void
add(struct test_schedules *all, struct given *given, enum leat_overlap overlap)
{
    struct leat_schedule schedule = test_schedule(all, "0 * * * *");
    schedule.job = &given->job;
    schedule.overlap = overlap;
    test_schedule_add(all, "s", &schedule);
    memset(given, 0x55, sizeof(*given));
    free(given);
}

static void
all_is_copied(void **state)
{
    (void)state;
    struct test_schedules all;
    struct leat_tag tags[3];
    struct leat_job_info info = leat_job_info_default();
    uint32_t count = 0;
    test_schedules_open(&all, NULL, DAY "12:00:30");
    add(&all, given_make(&all), LEAT_OVERLAP_SKIP);
    for (uint32_t i = 0; i < 2; i++) {
        test_fire(&all, i == 0 ? DAY "13:00:00" : DAY "14:00:00");
        leat_job_id id = test_schedule_get(&all, "s")->last_job;
        CHECK_OK(leat_get_by_name(all.engine, "the report", &info));
        CHECK_EQUAL(info.id.bits, id.bits);
        CHECK_EQUAL(info.state, LEAT_JOB_PENDING);
        CHECK_EQUAL(info.payload_bytes, 15);
        CHECK_OK(leat_job_tags(all.engine, id, tags, 3, &count));
        CHECK_EQUAL(count, 2);
        CHECK_TEXT(tags[0].text, "nightly");
        CHECK_EQUAL(strlen(tags[1].text), LEAT_TAG_BYTES_MAX);
        struct leat_job_query query = leat_job_query_default();
        size_t found = 0;
        leat_job_id listed = {0};
        query.key = "account";
        query.key_bytes = 7;
        query.states = LEAT_STATE_MASK(LEAT_JOB_PENDING);
        CHECK_OK(leat_job_list(all.engine, &query, &listed, 1, &found));
        CHECK_EQUAL(listed.bits, id.bits);
        test_run_all(&all);
        CHECK_EQUAL(all.ran, i + 1);
        CHECK_EQUAL(test_schedule_get(&all, "s")->runs, i + 1);
    }
    test_schedules_close(&all);
}

static struct leat_outcome
fails(struct leat_run *run, void *context)
{
    (void)run;
    (void)context;
    return leat_retry();
}

/* The policy is the job's own, as its list of delays is. */
static void
the_policy_is_copied(void **state)
{
    (void)state;
    struct test_schedules all;
    struct leat_job_info info = leat_job_info_default();
    test_schedules_open(&all, NULL, DAY "12:00:30");
    struct given *given = given_make(&all);
    given->job.type = test_register(all.engine, "fails", fails, NULL);
    given->delays_ns[0] = given->delays_ns[1];
    add(&all, given, LEAT_OVERLAP_SKIP);
    test_fire(&all, DAY "13:00:00");
    CHECK_OK(leat_run_some(all.engine, 1, NULL));
    CHECK_OK(leat_get(all.engine, test_schedule_get(&all, "s")->last_job, &info));
    CHECK_EQUAL(info.state, LEAT_JOB_RETRYING);
    CHECK(info.due_in_ns >= UINT64_C(5000000000));
    CHECK(info.due_in_ns <= UINT64_C(5000000000) + (UINT64_C(1) << 21));
    CHECK_OK(leat_cancel(all.engine, info.id));
    test_schedules_close(&all);
}

static const enum leat_unique_conflict conflicts[] = {LEAT_UNIQUE_EXISTING, LEAT_UNIQUE_REJECT};

/* Opens; a job with a unique key and no name. */
static struct given *
unique_make(struct test_schedules *all, enum leat_unique_conflict conflict)
{
    test_schedules_open(all, NULL, DAY "12:00:30");
    struct given *given = given_make(all);
    given->options.name = NULL;
    given->options.unique_conflict = conflict;
    return given;
}

/* Where another job stands for it the moment is over; where it is refused, it is tried again. */
static void
unique_keys(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 2; i++) {
        struct test_schedules all;
        struct given *given = unique_make(&all, conflicts[i]);
        add(&all, given, LEAT_OVERLAP_ALLOW);
        test_fire(&all, DAY "13:00:00");
        leat_job_id first = test_schedule_get(&all, "s")->last_job;
        test_fire(&all, DAY "14:00:00");
        const struct leat_schedule_info *info = test_schedule_get(&all, "s");
        CHECK_EQUAL(info->runs, 1);
        CHECK_EQUAL(info->last_job.bits, first.bits);
        CHECK_EQUAL(info->last_unix_ns, test_ns(DAY "13:00:00"));
        CHECK_EQUAL(info->runs_overlapped, i == 0 ? 1 : 0);
        CHECK_EQUAL(info->owed, i == 0 ? 0 : 1);
        CHECK_EQUAL(info->refusals, i == 0 ? 0 : 1);
        CHECK_STATUS(info->refusal_status, i == 0 ? LEAT_OK : LEAT_EXISTS);
        test_run_all(&all);
        test_fire_until(&all, DAY "14:00:02");
        CHECK_EQUAL(test_schedule_get(&all, "s")->runs, i == 0 ? 1 : 2);
        test_schedules_close(&all);
    }
}

/* That job is not the schedule's own: it is not told as that, and nothing waits for it but the
 * key. */
static void
another_one_has_the_key(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 2; i++) {
        struct test_schedules all;
        struct given *given = unique_make(&all, conflicts[i]);
        given->options.expires_in_ns = LEAT_FOREVER;
        CHECK_OK(leat_submit(all.engine, &given->job, NULL));
        add(&all, given, LEAT_OVERLAP_SKIP);
        test_fire(&all, DAY "13:00:00");
        test_fire(&all, DAY "13:00:01");
        const struct leat_schedule_info *info = test_schedule_get(&all, "s");
        CHECK_EQUAL(info->last_job.bits, 0);
        CHECK_EQUAL(info->runs + info->last_unix_ns, 0);
        CHECK_EQUAL(info->runs_overlapped, i == 0 ? 1 : 0);
        CHECK_EQUAL(info->refusals, i == 0 ? 0 : 2);
        test_fire(&all, DAY "14:00:00"); /* it is no job of its own that has not ended */
        info = test_schedule_get(&all, "s");
        CHECK_EQUAL(info->runs_overlapped, i == 0 ? 2 : 0);
        CHECK_EQUAL(info->runs_missed, i == 0 ? 0 : 1);
        test_run_all(&all);
        test_schedules_close(&all);
    }
}

static void
refuses(struct test_schedules *all, const struct leat_job *job, enum leat_status want)
{
    struct leat_schedule schedule = test_schedule(all, "* * * * *");
    struct leat_error error;
    schedule.job = job;
    CHECK_STATUS(leat_schedule_add(all->engine, "refused", &schedule, &error), want);
    CHECK_TEXT(error.field, "job");
    CHECK_EQUAL(all->engine->schedules.count, 0);
}

static void
what_is_refused(void **state)
{
    (void)state;
    struct test_schedules all;
    leat_job_id cohort = {0};
    test_schedules_open(&all, NULL, DAY "12:00:30");
    CHECK_OK(leat_cohort_open(all.engine, NULL, &cohort));
    struct given *given = given_make(&all);
    const struct leat_job_options good = given->options;
    given->options.parents = &cohort;
    given->options.parents_count = 1;
    refuses(&all, &given->job, LEAT_INVALID);
    given->options = good;
    given->options.cohort = cohort;
    refuses(&all, &given->job, LEAT_INVALID);
    given->options = good;
    given->options.tags_count = LEAT_TAGS_MAX + 1;
    refuses(&all, &given->job, LEAT_INVALID);
    given->options = good;
    given->policy.delays_count = 0;
    refuses(&all, &given->job, LEAT_INVALID);
    given->policy.delays_count = 2;
    given->options.version++;
    refuses(&all, &given->job, LEAT_UNSUPPORTED);
    free(given);
    CHECK_OK(leat_cohort_close(all.engine, cohort));
    test_schedules_close(&all);
}

/* A schedule that has no memory changes nothing, and leaves nothing. */
static void
without_memory(void **state)
{
    (void)state;
    struct test_schedules all;
    struct test_memory memory;
    struct leat_config config = test_config();
    enum leat_status status = LEAT_NO_MEMORY;
    uint32_t tries = 0;
    test_memory_init(&memory);
    config.allocator = test_memory_allocator(&memory);
    test_schedules_open(&all, &config, DAY "12:00:30");
    struct given *given = given_make(&all);
    struct leat_schedule schedule = test_schedule(&all, "0 * * * *");
    schedule.job = &given->job;
    while (status == LEAT_NO_MEMORY) {
        CHECK(tries < 16);
        test_memory_fail(&memory, tries++, false);
        status = leat_schedule_add(all.engine, "s", &schedule, NULL);
        test_memory_heal(&memory);
        CHECK_EQUAL(all.engine->schedules.count, status == LEAT_OK ? 1 : 0);
    }
    CHECK_OK(status);
    CHECK(tries > 1);
    free(given);
    test_schedules_close(&all);
    CHECK_EQUAL(test_memory_blocks(&memory), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_is_copied),   cmocka_unit_test(the_policy_is_copied),
        cmocka_unit_test(unique_keys),     cmocka_unit_test(another_one_has_the_key),
        cmocka_unit_test(what_is_refused), cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
