/* unit_tally.c - statistics by priority, queue and type: what is in which state, and how jobs
 * ended, below, at and beyond statistics_rows; their sums are those of the engine; their times; the
 * oldest that waits; rates between two looks; sampling that is off. */
#include <string.h>

#include "engine/engine_internal.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

#define ROWS_MAX 64

static struct leat_outcome
by_payload(struct leat_run *run, void *context)
{
    (void)context;
    size_t bytes = 0;
    const char *payload = leat_run_payload(run, &bytes);
    if (payload[0] == 'f') {
        return leat_fail();
    }
    return payload[0] == 'o' && leat_run_attempt(run) == 1 ? leat_retry() : leat_done();
}

static leat_job_id
submit(struct leat_engine *engine, leat_type type, leat_queue queue, const char *payload)
{
    struct leat_job job = leat_job_default();
    leat_job_id id = {0};
    job.type = type;
    job.queue = queue;
    job.priority = 3;
    job.payload = payload;
    job.payload_bytes = 1;
    CHECK_OK(leat_submit(engine, &job, &id));
    return id;
}

static size_t
list(struct leat_engine *engine, enum leat_statistics_by by, struct leat_statistics_row *rows)
{
    size_t count = 0;
    rows[0] = leat_statistics_row_default();
    CHECK_OK(leat_statistics_list(engine, by, rows, ROWS_MAX, &count));
    CHECK(count > 0);
    return count;
}

static leat_queue
queue_new(struct leat_engine *engine, const char *name)
{
    struct leat_queue_options options = leat_queue_options_default();
    leat_queue queue = {0};
    CHECK_OK(leat_queue_create(engine, name, &options, &queue));
    return queue;
}

/* The sums over all rows are the engine's. */
static void
check_sums(struct leat_engine *engine)
{
    static struct leat_statistics_row rows[ROWS_MAX];
    struct leat_statistics sum = test_statistics(engine);
    for (int by = LEAT_BY_PRIORITY; by <= LEAT_BY_TYPE; by++) {
        size_t count = list(engine, (enum leat_statistics_by)by, rows);
        struct leat_statistics_row all = leat_statistics_row_default();
        for (size_t i = 0; i < count; i++) {
            all.completed += rows[i].completed;
            all.dead += rows[i].dead;
            all.cancelled += rows[i].cancelled;
            all.retried += rows[i].retried;
            all.jobs[LEAT_JOB_PENDING] += rows[i].jobs[LEAT_JOB_PENDING];
            all.jobs[LEAT_JOB_SCHEDULED] += rows[i].jobs[LEAT_JOB_SCHEDULED];
            all.queue_wait.samples += rows[i].queue_wait.samples;
            all.run_time.samples += rows[i].run_time.samples;
        }
        CHECK_EQUAL(all.completed, sum.jobs_completed);
        CHECK_EQUAL(all.dead, sum.jobs_dead);
        CHECK_EQUAL(all.cancelled, sum.jobs_cancelled);
        CHECK_EQUAL(all.retried, sum.jobs_retried);
        CHECK_EQUAL(all.jobs[LEAT_JOB_PENDING], sum.jobs_waiting);
        CHECK_EQUAL(all.jobs[LEAT_JOB_SCHEDULED], sum.jobs_scheduled);
        if (by != LEAT_BY_PRIORITY) {
            CHECK_EQUAL(all.queue_wait.samples, sum.queue_wait.samples);
            CHECK_EQUAL(all.run_time.samples, sum.run_time.samples);
        }
    }
}

static void
each_in_its_row(void **state)
{
    (void)state;
    static struct leat_statistics_row rows[ROWS_MAX];
    struct leat_config config = test_config();
    config.statistics_rows = 8;
    struct leat_engine *engine = test_open(&config);
    leat_type a = test_register(engine, "a", by_payload, NULL);
    leat_type b = test_register(engine, "b", by_payload, NULL);
    leat_queue q = queue_new(engine, "q");
    const leat_queue usual = {0};
    (void)submit(engine, a, usual, "d");
    test_sleep_ns(5 * TEST_MS);
    (void)submit(engine, a, q, "f");
    (void)submit(engine, b, q, "o");
    CHECK_OK(leat_cancel(engine, submit(engine, b, q, "d")));
    size_t count = list(engine, LEAT_BY_QUEUE, rows);
    CHECK_EQUAL(count, 2);
    CHECK_TEXT(rows[0].name, "default");
    CHECK_TEXT(rows[1].name, "q");
    CHECK_EQUAL(rows[1].index, q.bits);
    CHECK_EQUAL(rows[0].jobs[LEAT_JOB_PENDING], 1);
    CHECK_EQUAL(rows[1].jobs[LEAT_JOB_PENDING], 2);
    CHECK_EQUAL(rows[1].cancelled, 1);
    CHECK(rows[0].oldest_ns >= 5 * TEST_MS);
    CHECK(rows[1].oldest_ns > 0);
    CHECK(rows[1].oldest_ns < rows[0].oldest_ns);
    check_sums(engine);
    CHECK_OK(leat_start(engine));
    CHECK_OK(leat_drain(engine, LEAT_FOREVER));
    count = list(engine, LEAT_BY_TYPE, rows);
    CHECK_EQUAL(count, 2);
    CHECK_TEXT(rows[0].name, "a");
    CHECK_EQUAL(rows[0].completed, 1);
    CHECK_EQUAL(rows[0].dead, 1);
    CHECK_EQUAL(rows[1].completed, 1);
    CHECK_EQUAL(rows[1].retried, 1);
    CHECK_EQUAL(rows[1].cancelled, 1);
    CHECK_EQUAL(rows[1].oldest_ns, 0);
    CHECK_EQUAL(rows[1].run_time.samples, 2);
    CHECK_EQUAL(rows[1].queue_wait.samples, 1);
    count = list(engine, LEAT_BY_PRIORITY, rows);
    CHECK_EQUAL(count, leat_priority_levels());
    CHECK_EQUAL(rows[3].completed, 2);
    CHECK_EQUAL(rows[3].dead, 1);
    CHECK_EQUAL(rows[2].completed, 0);
    CHECK_EQUAL(rows[3].index, 3);
    check_sums(engine);
    test_close(engine);
}

/* Types up to the limit have rows, those beyond share one. */
static void
rows_have_a_limit(void **state)
{
    (void)state;
    static struct leat_statistics_row rows[ROWS_MAX];
    const leat_queue usual = {0};
    for (uint32_t most = 0; most <= 3; most++) {
        struct leat_config config = test_config();
        config.statistics_rows = most;
        struct leat_engine *engine = test_start(&config);
        for (uint32_t i = 0; i < 3; i++) {
            const char name[] = {(char)('a' + i), '\0'};
            leat_type type = test_register(engine, name, by_payload, NULL);
            for (uint32_t j = 0; j <= i; j++) {
                (void)submit(engine, type, usual, "d");
            }
        }
        CHECK_OK(leat_drain(engine, LEAT_FOREVER));
        size_t count = list(engine, LEAT_BY_TYPE, rows);
        CHECK_EQUAL(count, most < 3 ? most + 1 : 3);
        uint64_t others = 6;
        for (uint32_t i = 0; i < most && i < 3; i++) {
            CHECK_EQUAL(rows[i].completed, i + 1);
            CHECK_EQUAL(rows[i].index, i + 1);
            others -= i + 1;
        }
        if (most < 3) {
            CHECK_EQUAL(rows[most].index, 0);
            CHECK_TEXT(rows[most].name, "");
            CHECK_EQUAL(rows[most].completed, others);
            CHECK_EQUAL(rows[most].run_time.samples, others);
        }
        check_sums(engine);
        test_close(engine);
    }
}

/* Fewer rows than there are; a header that is older. */
static void
structs_of_other_ages(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    struct leat_engine *engine = test_open(&config);
    struct leat_statistics_row rows[2];
    size_t count = 0;
    memset(rows, 0xee, sizeof(rows));
    rows[0].size = (uint32_t)sizeof(rows[0]);
    rows[0].version = LEAT_STRUCT_VERSION;
    CHECK_OK(leat_statistics_list(engine, LEAT_BY_PRIORITY, rows, 1, &count));
    CHECK_EQUAL(count, 1);
    CHECK_EQUAL(rows[1].completed, UINT64_C(0xeeeeeeeeeeeeeeee));
    memset(rows, 0xee, sizeof(rows));
    rows[0].size = (uint32_t)offsetof(struct leat_statistics_row, dead);
    rows[0].version = LEAT_STRUCT_VERSION;
    CHECK_OK(leat_statistics_list(engine, LEAT_BY_PRIORITY, rows, 1, &count));
    CHECK_EQUAL(rows[0].completed, 0);
    CHECK_EQUAL(rows[0].dead, UINT64_C(0xeeeeeeeeeeeeeeee));
    rows[0].version = 0;
    CHECK_STATUS(leat_statistics_list(engine, LEAT_BY_PRIORITY, rows, 1, &count), LEAT_UNSUPPORTED);
    test_close(engine);
}

static void
rates_are_per_second(void **state)
{
    (void)state;
    struct leat_statistics before = leat_statistics_default();
    struct leat_statistics after = leat_statistics_default();
    struct leat_rates rates;
    before.at_ns = 1000;
    after.at_ns = 1000 + UINT64_C(2000000000);
    before.jobs_completed = 10;
    after.jobs_completed = 30;
    before.tasks_run = 5; /* a counter never falls; if it did, no rate is below 0 */
    CHECK_OK(leat_rates_get(&before, &after, &rates));
    CHECK(rates.jobs_completed > 9.999);
    CHECK(rates.jobs_completed < 10.001);
    CHECK(rates.tasks_run < 0.001);
    CHECK(rates.tasks_run > -0.001);
    CHECK_STATUS(leat_rates_get(&after, &before, &rates), LEAT_INVALID);
    CHECK_STATUS(leat_rates_get(&after, &after, &rates), LEAT_INVALID);
    after.version = 9;
    CHECK_STATUS(leat_rates_get(&before, &after, &rates), LEAT_UNSUPPORTED);
}

static void
nothing_is_timed(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    config.sample_interval = 0;
    struct leat_engine *engine = test_start(&config);
    leat_type type = test_register(engine, "t", by_payload, NULL);
    const leat_queue usual = {0};
    for (uint32_t i = 0; i < 1000; i++) {
        leat_job_id id = submit(engine, type, usual, "d");
        CHECK_OK(leat_wait(engine, id, LEAT_FOREVER, NULL));
    }
    CHECK_EQUAL(test_statistics(engine).run_time.samples, 0);
    CHECK_OK(leat_knob_change(engine, "sample_interval", "1", NULL));
    (void)submit(engine, type, usual, "d");
    CHECK_OK(leat_drain(engine, LEAT_FOREVER));
    CHECK_EQUAL(test_statistics(engine).run_time.samples, 1);
    struct leat_worker_statistics worker = leat_worker_statistics_default();
    CHECK_OK(leat_worker_statistics_get(engine, 0, &worker));
    CHECK_EQUAL(worker.run_time.samples, 1);
    CHECK_EQUAL(worker.queue_wait.samples, 1);
    test_close(engine);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_in_its_row),       cmocka_unit_test(rows_have_a_limit),
        cmocka_unit_test(structs_of_other_ages), cmocka_unit_test(rates_are_per_second),
        cmocka_unit_test(nothing_is_timed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
