/* stress_tally.c - statistics while everything changes: threads submit and cancel jobs of several
 * types and queues, some of which share a row, while others read rows, metrics and health all the
 * time. At the end the rows add up to the engine, and the shared histograms to those of the places.
 * ThreadSanitizer sees the readers beside the writers. */
#include "ring/atomic.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

#define TYPES    6
#define ROWS     3
#define WRITERS  2
#define READERS  2
#define ROWS_MAX 16

struct fixture {
    struct leat_engine *engine;
    leat_type types[TYPES];
    uint64_t end_ns;
    uint64_t seed;
    leat_atomic_u64 submitted;
    struct leat_statistics_row rows[READERS][ROWS_MAX]; /* one reader each */
};

static struct leat_outcome
run(struct leat_run *run, void *context)
{
    (void)context;
    uint64_t luck = leat_run_id(run).bits % 8;
    if (luck == 0) {
        return leat_fail();
    }
    return luck == 1 && leat_run_attempt(run) == 1 ? leat_retry() : leat_done();
}

static void
write_some(struct fixture *fixture, uint32_t number)
{
    struct test_prng prng = {fixture->seed + number};
    while (test_now_ns() < fixture->end_ns) {
        struct leat_job job = leat_job_default();
        leat_job_id id = {0};
        uint64_t luck = test_random_below(&prng, TYPES);
        job.type = fixture->types[luck];
        job.queue_name = luck % 2 == 0 ? "even" : "odd";
        job.priority = (uint8_t)(luck % leat_priority_levels());
        enum leat_status status = leat_submit(fixture->engine, &job, &id);
        if (status == LEAT_FULL) {
            continue;
        }
        CHECK_STATUS(status, LEAT_OK);
        (void)atom_add_rlx(&fixture->submitted, 1);
        if (test_random_below(&prng, 8) == 0) {
            enum leat_status cancelled = leat_cancel(fixture->engine, id);
            CHECK(cancelled != LEAT_INVALID);
        }
    }
}

static bool
sink(const char *text, size_t bytes, void *context)
{
    uint64_t *all = context;
    CHECK(text != NULL);
    *all += bytes;
    return true;
}

static void
read_some(struct fixture *fixture, struct leat_statistics_row *rows)
{
    while (test_now_ns() < fixture->end_ns) {
        for (int by = LEAT_BY_PRIORITY; by <= LEAT_BY_TYPE; by++) {
            size_t count = 0;
            rows[0] = leat_statistics_row_default();
            CHECK_OK(leat_statistics_list(fixture->engine, (enum leat_statistics_by)by, rows,
                                          ROWS_MAX, &count));
            for (size_t i = 0; i < count; i++) {
                CHECK(rows[i].oldest_ns < UINT64_C(600000000000));
                CHECK(rows[i].run_time.p50_ns <= rows[i].run_time.p9999_ns);
            }
        }
        struct leat_health health = leat_health_default();
        CHECK_OK(leat_health_get(fixture->engine, &health));
        CHECK_EQUAL(health.state, LEAT_HEALTH_OK);
        uint64_t bytes = 0;
        CHECK_OK(leat_metrics_write(fixture->engine, LEAT_METRICS_OPENMETRICS, sink, &bytes));
        CHECK(bytes > 1000);
    }
}

static void
body(void *shared, uint32_t number)
{
    if (number < WRITERS) {
        write_some(shared, number);
    } else {
        struct fixture *fixture = shared;
        read_some(fixture, fixture->rows[number - WRITERS]);
    }
}

static void
check_sums(struct fixture *fixture, enum leat_statistics_by by)
{
    struct leat_statistics_row *rows = fixture->rows[0];
    struct leat_statistics sum = test_statistics(fixture->engine);
    uint64_t ended = 0;
    uint64_t retried = 0;
    uint64_t waits = 0;
    uint64_t wait_ns = 0;
    size_t count = 0;
    rows[0] = leat_statistics_row_default();
    CHECK_OK(leat_statistics_list(fixture->engine, by, rows, ROWS_MAX, &count));
    for (size_t i = 0; i < count; i++) {
        ended += rows[i].completed + rows[i].dead + rows[i].cancelled;
        retried += rows[i].retried;
        waits += rows[i].queue_wait.samples;
        wait_ns += rows[i].queue_wait.sum_ns;
    }
    CHECK_EQUAL(ended, atom_load_rlx(&fixture->submitted));
    CHECK_EQUAL(retried, sum.jobs_retried);
    if (by != LEAT_BY_PRIORITY) {
        CHECK_EQUAL(waits, sum.queue_wait.samples);
        CHECK_EQUAL(wait_ns, sum.queue_wait.sum_ns);
    }
}

static void
while_all_changes(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    static struct fixture fixture;
    fixture.seed = test_seed("stress_tally");
    config.workers = 2;
    config.jobs_max = 4096;
    config.statistics_rows = ROWS;
    fixture.engine = test_start(&config);
    for (uint32_t i = 0; i < TYPES; i++) {
        const char name[] = {(char)('a' + i), '\0'};
        fixture.types[i] = test_register(fixture.engine, name, run, NULL);
    }
    fixture.end_ns = test_now_ns() + test_duration_ns();
    test_threads_run(WRITERS + READERS, body, &fixture);
    CHECK_OK(leat_drain(fixture.engine, LEAT_FOREVER));
    CHECK(atom_load_rlx(&fixture.submitted) > 100);
    check_sums(&fixture, LEAT_BY_PRIORITY);
    check_sums(&fixture, LEAT_BY_QUEUE);
    check_sums(&fixture, LEAT_BY_TYPE);
    test_close(fixture.engine);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(while_all_changes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
