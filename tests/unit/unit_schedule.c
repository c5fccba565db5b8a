/* unit_schedule.c - the calls on schedules: what they refuse, with its field and for the expression
 * its line and column, and that nothing has changed then; add, change, remove, pause, resume, get,
 * list, next; each limit below, at and above it; what is copied. When schedules fire is in
 * unit_schedule_fire.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine_internal.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/memory.h"
#include "tests/support/schedules.h"

#define NOON "2026-01-05 12:00:00"

/* ---- what is refused ------------------------------------------------------------------------ */

static void
refused(struct test_schedules *all, const struct leat_schedule *schedule, enum leat_status want,
        const char *text)
{
    struct leat_error error;
    uint32_t count = all->engine->schedules.count;
    memset(&error, 0x55, sizeof(error));
    CHECK_STATUS(leat_schedule_add(all->engine, "refused", schedule, &error), want);
    CHECK_STATUS(error.status, want);
    CHECK_TEXT(error.text, text);
    CHECK_EQUAL(strncmp(error.text, error.field, strlen(error.field)), 0);
    CHECK_STATUS(leat_schedule_add(all->engine, "refused", schedule, NULL), want);
    test_schedule_add(all, "there",
                      &(struct leat_schedule){.size = sizeof(*schedule),
                                              .version = LEAT_STRUCT_VERSION,
                                              .spec = "0 0 * * *",
                                              .job = &all->job,
                                              .runs_max = 7});
    CHECK_STATUS(leat_schedule_change(all->engine, "there", schedule, &error), want);
    CHECK_TEXT(error.text, text);
    CHECK_TEXT(test_schedule_get(all, "there")->spec, "0 0 * * *");
    CHECK_EQUAL(test_schedule_get(all, "there")->runs_max, 7);
    CHECK_OK(leat_schedule_remove(all->engine, "there"));
    CHECK_EQUAL(all->engine->schedules.count, count);
    CHECK(leat_schedules_check(&all->engine->schedules, stderr));
}

static void
bad_specs(void **state)
{
    (void)state;
    static const struct {
        const char *spec;
        const char *text;
    } cases[] = {
        {"* * * *",
         "spec line 1, column 8: fields are missing: there are 5, or 6 with the seconds"},
        {"* 24 * * *", "spec line 1, column 3: hour: 24 is out of range 0-23"},
        {"0 0\n * * 8", "spec line 2, column 6: day of week: 8 is out of range 0-7"},
        {"0 0 30 2 *",
         "spec line 1, column 5: day of month: there is no such day, so it would never fire"},
        {"@every 367d", "spec line 1, column 8: an interval is at least 1s and at most 366d"},
    };
    struct test_schedules all;
    test_schedules_open(&all, NULL, NOON);
    for (size_t i = 0; i < TEST_COUNT_OF(cases); i++) {
        struct leat_schedule schedule = test_schedule(&all, cases[i].spec);
        refused(&all, &schedule, LEAT_INVALID, cases[i].text);
    }
    test_schedules_close(&all);
}

static void
bad_fields(void **state)
{
    (void)state;
    struct test_schedules all;
    test_schedules_open(&all, NULL, NOON);
    const struct leat_schedule good = test_schedule(&all, "* * * * *");
    struct leat_schedule bad = good;
    bad.spec = NULL;
    refused(&all, &bad, LEAT_INVALID, "spec must not be NULL");
    bad = good;
    bad.job = NULL;
    refused(&all, &bad, LEAT_INVALID, "job must not be NULL");
    bad = good;
    bad.overlap = (enum leat_overlap)3;
    refused(&all, &bad, LEAT_INVALID, "overlap must be a leat_overlap");
    bad = good;
    bad.missed = (enum leat_missed)3;
    refused(&all, &bad, LEAT_INVALID, "missed must be a leat_missed");
    bad = good;
    bad.runs_max = 0;
    refused(&all, &bad, LEAT_INVALID, "runs_max must be 1 to 1 000");
    bad.runs_max = LEAT_SCHEDULE_RUNS_MAX + 1;
    refused(&all, &bad, LEAT_INVALID, "runs_max must be 1 to 1 000");
    bad.runs_max = LEAT_SCHEDULE_RUNS_MAX;
    test_schedule_add(&all, "most", &bad);
    bad = good;
    bad.size = 4;
    refused(&all, &bad, LEAT_INVALID, "schedule must be set by leat_schedule_default()");
    bad = good;
    bad.version = 2;
    refused(&all, &bad, LEAT_UNSUPPORTED,
            "schedule has a field that is newer than this library knows");
    bad.version = 0;
    refused(&all, &bad, LEAT_UNSUPPORTED, "schedule must be set by leat_schedule_default()");
    refused(&all, NULL, LEAT_INVALID, "schedule must be set by leat_schedule_default()");
    test_schedules_close(&all);
}

static void
bad_zones(void **state)
{
    (void)state;
    struct test_schedules all;
    test_schedules_open(&all, NULL, NOON);
    struct leat_schedule bad = test_schedule(&all, "* * * * *");
    char text[128];
    static const struct {
        const char *name;
        enum leat_zone_result result;
        enum leat_status status;
    } cases[] = {
        {"", LEAT_ZONE_NAME, LEAT_INVALID},
        {"../etc/passwd", LEAT_ZONE_NAME, LEAT_INVALID},
        {"Europe/Nowhere", LEAT_ZONE_MISSING, LEAT_NOT_FOUND},
        {"Europe", LEAT_ZONE_MISSING, LEAT_NOT_FOUND},
    };
    for (size_t i = 0; i < TEST_COUNT_OF(cases); i++) {
        bad.zone = cases[i].name;
        (void)snprintf(text, sizeof(text), "zone '%s': %s", cases[i].name,
                       leat_zone_result_text(cases[i].result));
        refused(&all, &bad, cases[i].status, text);
    }
    CHECK(all.engine->schedules.zones == NULL);
    test_schedules_close(&all);
}

static void
bad_jobs(void **state)
{
    (void)state;
    struct test_schedules all;
    char text[128];
    test_schedules_open(&all, NULL, NOON);
    struct leat_job job = leat_job_default();
    struct leat_job_options options = leat_job_options_default();
    struct leat_schedule bad = test_schedule(&all, "* * * * *");
    bad.job = &job;
    bad.zone = "Europe/Berlin";
    refused(&all, &bad, LEAT_INVALID, "job has neither a type nor a valid type_name");
    job.type.bits = 60;
    (void)snprintf(text, sizeof(text), "job %s", leat_status_text(LEAT_NOT_FOUND));
    refused(&all, &bad, LEAT_NOT_FOUND, text);
    job.type = all.job.type;
    job.flags = 2;
    (void)snprintf(text, sizeof(text), "job %s", leat_status_text(LEAT_UNSUPPORTED));
    refused(&all, &bad, LEAT_UNSUPPORTED, text);
    job.flags = 0;
    job.payload = text;
    job.payload_bytes = (size_t)(1 << 20) + 1;
    refused(&all, &bad, LEAT_INVALID, "job has more payload_bytes than payload_bytes_max");
    job.payload = NULL;
    job.payload_bytes = 1;
    refused(&all, &bad, LEAT_INVALID, "job has payload_bytes and no payload");
    job.payload_bytes = 0;
    job.max_attempts = LEAT_ATTEMPTS_MAX + 1;
    refused(&all, &bad, LEAT_INVALID, "job has a max_attempts above 65 535");
    job.max_attempts = 0;
    job.priority = LEAT_PRIORITY_LEVELS;
    refused(&all, &bad, LEAT_INVALID, "job has a priority that this build does not have");
    job.priority = LEAT_PRIORITY_OF_QUEUE;
    job.queue_name = "a b";
    refused(&all, &bad, LEAT_INVALID, "job has a queue_name that is not valid");
    job.queue_name = NULL;
    job.size = 1;
    refused(&all, &bad, LEAT_INVALID, "job must be set by leat_job_default()");
    job.size = sizeof(job);
    job.options = &options;
    options.timeout_ns = UINT64_MAX - 1;
    refused(&all, &bad, LEAT_INVALID,
            "job has options that are out of their range, or not for a schedule");
    job.options = NULL;
    test_schedule_add(&all, "good", &bad);
    CHECK_OK(leat_schedule_remove(all.engine, "good"));
    CHECK(all.engine->schedules.zones == NULL);
    test_schedules_close(&all);
}

static void
bad_names(void **state)
{
    (void)state;
    struct test_schedules all;
    struct leat_error error;
    test_schedules_open(&all, NULL, NOON);
    struct leat_schedule schedule = test_schedule(&all, "* * * * *");
    char longest[LEAT_NAME_BYTES_MAX + 2];
    memset(longest, 'n', sizeof(longest));
    longest[LEAT_NAME_BYTES_MAX + 1] = '\0';
    const char *const names[] = {NULL, "", "a b", longest};
    for (size_t i = 0; i < TEST_COUNT_OF(names); i++) {
        CHECK_STATUS(leat_schedule_add(all.engine, names[i], &schedule, &error), LEAT_INVALID);
        CHECK_TEXT(error.field, "name");
        CHECK_STATUS(leat_schedule_change(all.engine, names[i], &schedule, NULL), LEAT_INVALID);
        CHECK_STATUS(leat_schedule_remove(all.engine, names[i]), LEAT_INVALID);
        CHECK_STATUS(leat_schedule_pause(all.engine, names[i]), LEAT_INVALID);
        CHECK_STATUS(leat_schedule_resume(all.engine, names[i]), LEAT_INVALID);
        CHECK_STATUS(leat_schedule_get(all.engine, names[i], all.info), LEAT_INVALID);
    }
    longest[LEAT_NAME_BYTES_MAX] = '\0';
    test_schedule_add(&all, longest, &schedule);
    CHECK_TEXT(test_schedule_get(&all, longest)->name, longest);
    CHECK_STATUS(leat_schedule_add(all.engine, longest, &schedule, &error), LEAT_EXISTS);
    CHECK_TEXT(error.text, "name is that of another schedule");
    CHECK_STATUS(leat_schedule_change(all.engine, "other", &schedule, &error), LEAT_NOT_FOUND);
    CHECK_TEXT(error.text, "name is that of no schedule");
    CHECK_STATUS(leat_schedule_remove(all.engine, "other"), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_schedule_pause(all.engine, "other"), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_schedule_resume(all.engine, "other"), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_schedule_get(all.engine, "other", all.info), LEAT_NOT_FOUND);
    test_schedules_close(&all);
}

/* ---- what is told --------------------------------------------------------------------------- */

static void
told(void **state)
{
    (void)state;
    struct test_schedules all;
    char *spec = malloc(LEAT_CRON_TEXT_MAX + 2);
    CHECK(spec != NULL);
    test_schedules_open(&all, NULL, NOON);
    /* The longest expression there is: 5 fields and blanks. */
    memset(spec, ' ', LEAT_CRON_TEXT_MAX + 2);
    memcpy(spec, "0 0 1 1 *", 9);
    spec[LEAT_CRON_TEXT_MAX] = '\0';
    struct leat_schedule schedule = test_schedule(&all, spec);
    schedule.overlap = LEAT_OVERLAP_QUEUE;
    schedule.missed = LEAT_MISSED_ALL;
    schedule.runs_max = 3;
    schedule.paused = true;
    all.job.type.bits = 0;
    all.job.type_name = "by-name";
    all.job.queue_name = "its-queue";
    test_schedule_add(&all, "s", &schedule);
    const struct leat_schedule_info *info = test_schedule_get(&all, "s");
    const char *name = NULL;
    CHECK_TEXT(info->name, "s");
    CHECK_TEXT(info->spec, spec);
    CHECK_TEXT(info->zone, "UTC");
    CHECK_OK(leat_type_name(all.engine, info->type, &name));
    CHECK_TEXT(name, "by-name");
    CHECK_OK(leat_queue_name(all.engine, info->queue, &name));
    CHECK_TEXT(name, "its-queue");
    CHECK_EQUAL(info->overlap, LEAT_OVERLAP_QUEUE);
    CHECK_EQUAL(info->missed, LEAT_MISSED_ALL);
    CHECK_EQUAL(info->runs_max, 3);
    CHECK(info->paused);
    CHECK_EQUAL(info->next_unix_ns, 0);
    CHECK_EQUAL(info->last_unix_ns + info->last_job.bits + info->runs + info->runs_missed, 0);
    CHECK_EQUAL(info->runs_overlapped + info->refusals + info->refusal_status + info->owed, 0);
    /* One byte more. */
    spec[LEAT_CRON_TEXT_MAX] = ' ';
    spec[LEAT_CRON_TEXT_MAX + 1] = '\0';
    refused(&all, &schedule, LEAT_INVALID, "spec line 1, column 513: the text is too long");
    /* A struct of another header. */
    all.info->size = 4;
    CHECK_STATUS(leat_schedule_get(all.engine, "s", all.info), LEAT_INVALID);
    all.info->size = (uint32_t)sizeof(*all.info);
    all.info->version = 2;
    CHECK_STATUS(leat_schedule_get(all.engine, "s", all.info), LEAT_UNSUPPORTED);
    free(spec);
    test_schedules_close(&all);
}

static void
listed(void **state)
{
    (void)state;
    struct test_schedules all;
    struct leat_schedule_info *infos = calloc(8, sizeof(*infos));
    size_t count = 7;
    CHECK(infos != NULL);
    test_schedules_open(&all, NULL, NOON);
    struct leat_schedule schedule = test_schedule(&all, "* * * * *");
    infos[0].size = (uint32_t)sizeof(infos[0]);
    infos[0].version = LEAT_STRUCT_VERSION;
    CHECK_OK(leat_schedule_list(all.engine, NULL, infos, 8, &count));
    CHECK_EQUAL(count, 0);
    test_schedule_add(&all, "m", &schedule);
    test_schedule_add(&all, "z", &schedule);
    test_schedule_add(&all, "a", &schedule);
    test_schedule_add(&all, "p", &schedule);
    CHECK_OK(leat_schedule_remove(all.engine, "p"));
    CHECK_OK(leat_schedule_list(all.engine, NULL, infos, 2, &count));
    CHECK_EQUAL(count, 2);
    CHECK_TEXT(infos[0].name, "a");
    CHECK_TEXT(infos[1].name, "m");
    /* Behind one that is not there, too. */
    CHECK_OK(leat_schedule_list(all.engine, infos[1].name, infos, 2, &count));
    CHECK_EQUAL(count, 1);
    CHECK_TEXT(infos[0].name, "z");
    CHECK_OK(leat_schedule_list(all.engine, "b", infos, 8, &count));
    CHECK_EQUAL(count, 2);
    CHECK_TEXT(infos[1].name, "z");
    CHECK_OK(leat_schedule_list(all.engine, "z", infos, 8, &count));
    CHECK_EQUAL(count, 0);
    count = 7;
    CHECK_STATUS(leat_schedule_list(all.engine, "a b", infos, 8, &count), LEAT_INVALID);
    CHECK_STATUS(leat_schedule_list(all.engine, NULL, infos, 0, &count), LEAT_INVALID);
    infos[0].version = 2;
    CHECK_STATUS(leat_schedule_list(all.engine, NULL, infos, 8, &count), LEAT_UNSUPPORTED);
    CHECK_EQUAL(count, 7);
    free(infos);
    test_schedules_close(&all);
}

static void
next_moments(void **state)
{
    (void)state;
    struct test_schedules all;
    uint64_t *moments = calloc(LEAT_SCHEDULE_RUNS_MAX + 1, sizeof(*moments));
    size_t count = 0;
    CHECK(moments != NULL);
    test_schedules_open(&all, NULL, NOON);
    struct leat_schedule schedule = test_schedule(&all, "0 0 29 2 *");
    test_schedule_add(&all, "leap", &schedule);
    CHECK_OK(leat_schedule_next(all.engine, "leap", moments, 2, &count));
    CHECK_EQUAL(count, 2);
    CHECK_EQUAL(moments[0], test_ns("2028-02-29 00:00:00"));
    CHECK_EQUAL(moments[1], test_ns("2032-02-29 00:00:00"));
    /* Until nanoseconds end. */
    CHECK_OK(leat_schedule_next(all.engine, "leap", moments, LEAT_SCHEDULE_RUNS_MAX, &count));
    CHECK_EQUAL(moments[count - 1], test_ns("2552-02-29 00:00:00"));
    CHECK_EQUAL(count, 128);
    count = 7;
    CHECK_STATUS(leat_schedule_next(all.engine, "leap", moments, 0, &count), LEAT_INVALID);
    CHECK_STATUS(
        leat_schedule_next(all.engine, "leap", moments, LEAT_SCHEDULE_RUNS_MAX + 1, &count),
        LEAT_INVALID);
    CHECK_STATUS(leat_schedule_next(all.engine, "other", moments, 1, &count), LEAT_NOT_FOUND);
    CHECK_EQUAL(count, 7);
    /* One that is paused says what would be. */
    CHECK_OK(leat_schedule_pause(all.engine, "leap"));
    atom_store_rlx(&all.now_ns, test_ns("2030-01-01 00:00:00"));
    CHECK_OK(leat_schedule_next(all.engine, "leap", moments, 1, &count));
    CHECK_EQUAL(moments[0], test_ns("2032-02-29 00:00:00"));
    free(moments);
    test_schedules_close(&all);
}

/* ---- what changes --------------------------------------------------------------------------- */

static void
paused_and_resumed(void **state)
{
    (void)state;
    struct test_schedules all;
    test_schedules_open(&all, NULL, NOON);
    struct leat_schedule schedule = test_schedule(&all, "* * * * *");
    schedule.overlap = LEAT_OVERLAP_QUEUE;
    schedule.missed = LEAT_MISSED_ALL;
    test_schedule_add(&all, "s", &schedule);
    test_fire(&all, "2026-01-05 12:03:00");
    CHECK_EQUAL(test_schedule_get(&all, "s")->owed, 2);
    CHECK_OK(leat_schedule_pause(all.engine, "s"));
    CHECK_OK(leat_schedule_pause(all.engine, "s"));
    const struct leat_schedule_info *info = test_schedule_get(&all, "s");
    CHECK(info->paused);
    CHECK_EQUAL(info->owed, 0);
    CHECK_EQUAL(info->runs_missed, 2);
    CHECK_EQUAL(info->next_unix_ns, 0);
    CHECK_EQUAL(leat_schedules_next(all.engine), LEAT_FOREVER);
    test_run_all(&all);
    test_fire(&all, "2026-01-05 13:00:30");
    CHECK_EQUAL(test_schedule_get(&all, "s")->runs, 1);
    CHECK_OK(leat_schedule_resume(all.engine, "s"));
    CHECK_EQUAL(leat_schedules_next(all.engine), test_ns("2026-01-05 13:01:00"));
    CHECK_EQUAL(test_schedule_get(&all, "s")->runs_missed, 2);
    /* Resumed twice: what is due stays due. */
    atom_store_rlx(&all.now_ns, test_ns("2026-01-05 13:01:00"));
    CHECK_OK(leat_schedule_resume(all.engine, "s"));
    test_fire(&all, "2026-01-05 13:01:00");
    CHECK_EQUAL(test_schedule_get(&all, "s")->runs, 2);
    test_schedules_close(&all);
}

static void
changed(void **state)
{
    (void)state;
    struct test_schedules all;
    test_schedules_open(&all, NULL, NOON);
    struct leat_schedule schedule = test_schedule(&all, "* * * * *");
    schedule.overlap = LEAT_OVERLAP_QUEUE;
    schedule.missed = LEAT_MISSED_ALL;
    test_schedule_add(&all, "s", &schedule);
    test_fire(&all, "2026-01-05 12:03:00");
    struct leat_schedule_info *before = malloc(sizeof(*before));
    CHECK(before != NULL);
    *before = *test_schedule_get(&all, "s");
    schedule.spec = "0 * * * *";
    CHECK_OK(leat_schedule_change(all.engine, "s", &schedule, NULL));
    const struct leat_schedule_info *info = test_schedule_get(&all, "s");
    CHECK_TEXT(info->spec, "0 * * * *");
    CHECK_EQUAL(info->next_unix_ns, test_ns("2026-01-05 13:00:00"));
    CHECK_EQUAL(info->runs, 1);
    CHECK_EQUAL(info->runs_missed, 2);
    CHECK_EQUAL(info->owed, 0);
    CHECK_EQUAL(info->last_job.bits, before->last_job.bits);
    CHECK_EQUAL(info->last_unix_ns, before->last_unix_ns);
    /* Its job has not ended: that still counts. */
    test_fire(&all, "2026-01-05 13:00:00");
    CHECK_EQUAL(test_schedule_get(&all, "s")->owed, 1);
    /* Paused stays paused, and back. */
    CHECK_OK(leat_schedule_pause(all.engine, "s"));
    CHECK_OK(leat_schedule_change(all.engine, "s", &schedule, NULL));
    CHECK(test_schedule_get(&all, "s")->paused);
    CHECK_OK(leat_schedule_resume(all.engine, "s"));
    schedule.paused = true;
    CHECK_OK(leat_schedule_change(all.engine, "s", &schedule, NULL));
    CHECK(!test_schedule_get(&all, "s")->paused);
    free(before);
    test_schedules_close(&all);
}

static void
removed(void **state)
{
    (void)state;
    struct test_schedules all;
    test_schedules_open(&all, NULL, NOON);
    struct leat_schedule schedule = test_schedule(&all, "* * * * *");
    test_schedule_add(&all, "s", &schedule);
    test_schedule_add(&all, "t", &schedule);
    test_fire(&all, "2026-01-05 12:01:00");
    CHECK_OK(leat_schedule_remove(all.engine, "s"));
    CHECK_STATUS(leat_schedule_get(all.engine, "s", all.info), LEAT_NOT_FOUND);
    /* Its job goes on, and the other schedule. */
    test_run_all(&all);
    CHECK_EQUAL(all.ran, 2);
    test_fire(&all, "2026-01-05 12:02:00");
    CHECK_EQUAL(test_statistics(all.engine).jobs_submitted, 3);
    /* The same name again begins anew. */
    test_schedule_add(&all, "s", &schedule);
    CHECK_EQUAL(test_schedule_get(&all, "s")->runs, 0);
    test_schedules_close(&all);
}

/* ---- what is copied ------------------------------------------------------------------------- */

struct seen {
    size_t bytes;
    unsigned char payload[64];
    uint32_t priority;
    uint32_t max_attempts;
};

static struct leat_outcome
seen_run(struct leat_run *run, void *context)
{
    struct seen *seen = context;
    const void *payload = leat_run_payload(run, &seen->bytes);
    CHECK(seen->bytes <= sizeof(seen->payload));
    memcpy(seen->payload, payload, seen->bytes);
    seen->priority = leat_run_priority(run);
    seen->max_attempts = leat_run_max_attempts(run);
    return leat_done();
}

static void
copied(void **state)
{
    (void)state;
    struct test_schedules all;
    struct seen seen = {0};
    test_schedules_open(&all, NULL, NOON);
    (void)test_register(all.engine, "seen", seen_run, &seen);
    char *texts = malloc(128);
    CHECK(texts != NULL);
    memcpy(texts, "seen", 5);
    memcpy(texts + 16, "* * * * *", 10);
    memcpy(texts + 32, "UTC", 4);
    memcpy(texts + 64, "a payload that is copied", 25);
    struct leat_job job = leat_job_default();
    job.type_name = texts;
    job.payload = texts + 64;
    job.payload_bytes = 25;
    job.priority = 1;
    job.max_attempts = 9;
    struct leat_schedule schedule = test_schedule(&all, texts + 16);
    schedule.job = &job;
    schedule.zone = texts + 32;
    test_schedule_add(&all, "s", &schedule);
    memset(texts, 0x55, 128);
    memset(&job, 0x55, sizeof(job));
    test_fire(&all, "2026-01-05 12:01:00");
    test_run_all(&all);
    CHECK_EQUAL(seen.bytes, 25);
    CHECK_TEXT((const char *)seen.payload, "a payload that is copied");
    CHECK_EQUAL(seen.priority, 1);
    CHECK_EQUAL(seen.max_attempts, 9);
    free(texts);
    test_schedules_close(&all);
}

/* The end of each job comes to the queue that its schedule names. */
static void
completions(void **state)
{
    (void)state;
    struct test_schedules all;
    struct leat_completion_queue *queue = NULL;
    struct leat_completion item;
    size_t taken = 0;
    test_schedules_open(&all, NULL, NOON);
    CHECK_OK(leat_completion_queue_create(all.engine, 4, &queue));
    all.job.completions = queue;
    all.job.user = &all;
    struct leat_schedule schedule = test_schedule(&all, "* * * * *");
    test_schedule_add(&all, "s", &schedule);
    test_fire(&all, "2026-01-05 12:01:00");
    test_run_all(&all);
    CHECK_OK(leat_completion_queue_take(queue, &item, 1, &taken));
    CHECK(item.user == &all);
    CHECK_EQUAL(item.id.bits, test_schedule_get(&all, "s")->last_job.bits);
    CHECK_OK(leat_schedule_remove(all.engine, "s"));
    CHECK_OK(leat_completion_queue_destroy(queue));
    test_schedules_close(&all);
}

/* ---- limits --------------------------------------------------------------------------------- */

static void
up_to(uint32_t most)
{
    struct test_schedules all;
    struct test_memory memory;
    struct leat_config config = test_config();
    struct leat_error error;
    char name[16];
    test_memory_init(&memory);
    config.allocator = test_memory_allocator(&memory);
    config.schedules_max = most;
    test_schedules_open(&all, &config, NOON);
    struct leat_schedule schedule = test_schedule(&all, "0 0 * * *");
    for (uint32_t i = 0; i < most; i++) {
        (void)snprintf(name, sizeof(name), "n%u", (uint32_t)((uint64_t)i * 7919 % most));
        test_schedule_add(&all, name, &schedule);
    }
    CHECK_STATUS(leat_schedule_add(all.engine, "more", &schedule, &error), LEAT_FULL);
    CHECK_TEXT(error.text, "there are schedules_max schedules");
    CHECK_OK(leat_schedule_change(all.engine, "n0", &schedule, &error));
    CHECK(leat_schedules_check(&all.engine->schedules, stderr));
    CHECK_OK(leat_schedule_remove(all.engine, "n0"));
    test_schedule_add(&all, "more", &schedule);
    test_schedules_close(&all);
    CHECK_EQUAL(test_memory_blocks(&memory), 0);
}

static void
schedules_max(void **state)
{
    (void)state;
    up_to(1);
    up_to(5);
    up_to(LEAT_SCHEDULES_MAX);
}

/* A draining engine takes no new names in, but schedules. */
static void
while_draining(void **state)
{
    (void)state;
    struct test_schedules all;
    test_schedules_open(&all, NULL, NOON);
    CHECK_OK(leat_drain(all.engine, LEAT_FOREVER));
    struct leat_schedule schedule = test_schedule(&all, "* * * * *");
    test_schedule_add(&all, "s", &schedule);
    all.job.queue_name = "new";
    CHECK_STATUS(leat_schedule_add(all.engine, "t", &schedule, NULL), LEAT_CLOSED);
    test_schedules_close(&all);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_specs),
        cmocka_unit_test(bad_fields),
        cmocka_unit_test(bad_zones),
        cmocka_unit_test(bad_jobs),
        cmocka_unit_test(bad_names),
        cmocka_unit_test(told),
        cmocka_unit_test(listed),
        cmocka_unit_test(next_moments),
        cmocka_unit_test(paused_and_resumed),
        cmocka_unit_test(changed),
        cmocka_unit_test(removed),
        cmocka_unit_test(copied),
        cmocka_unit_test(completions),
        cmocka_unit_test(schedules_max),
        cmocka_unit_test(while_draining),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
