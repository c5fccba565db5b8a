/* unit_statistics.c - the numbers: exact once an engine is drained or stopped, of the engine and of
 * each worker; with every job timed, as many samples as attempts, and quantiles in order; how many
 * are timed otherwise; structs of other ages. */
#include <stdlib.h>
#include <string.h>

#include "ring/atomic.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/threads.h"

static struct leat_outcome
by_payload(struct leat_run *run, void *context)
{
    (void)context;
    size_t bytes = 0;
    const char *payload = leat_run_payload(run, &bytes);
    switch (payload[0]) {
    case 'f':
        return leat_fail();
    case 'r':
        return leat_retry();
    case 'o': /* once */
        return leat_run_attempt(run) == 1 ? leat_retry() : leat_done();
    default:
        return leat_done();
    }
}

static void
nothing(void *argument)
{
    (void)argument;
}

static leat_job_id
submit(struct leat_engine *engine, const char *payload)
{
    struct leat_job job = leat_job_default();
    leat_job_id id = {0};
    job.type_name = "by-payload";
    job.payload = payload;
    job.payload_bytes = 1;
    CHECK_OK(leat_submit(engine, &job, &id));
    return id;
}

static void
check_latency(const struct leat_latency *latency, uint64_t samples)
{
    CHECK_EQUAL(latency->samples, samples);
    CHECK((latency->min_ns > 0) == (samples > 0));
    CHECK(latency->min_ns <= latency->p50_ns);
    CHECK(latency->p50_ns <= latency->p90_ns);
    CHECK(latency->p90_ns <= latency->p99_ns);
    CHECK(latency->p99_ns <= latency->p999_ns);
    CHECK(latency->p999_ns <= latency->p9999_ns);
    CHECK(latency->p9999_ns <= latency->max_ns);
    CHECK(latency->max_ns < UINT64_C(60000000000));
}

/* Everything that can be counted, with numbers known beforehand. */
static void
exact_after_a_drain(void **state)
{
    (void)state;
    for (uint32_t workers = 1; workers <= 3; workers++) {
        struct leat_config config = test_config();
        config.workers = workers;
        config.jobs_max = 1000;
        config.ring_slots = 1024;
        config.dead_max = 3;
        struct leat_engine *engine = test_open(&config);
        (void)test_register(engine, "by-payload", by_payload, NULL);
        struct leat_statistics sum = test_statistics(engine);
        CHECK_EQUAL(sum.workers, workers);
        CHECK_EQUAL(sum.jobs_submitted, 0);
        check_latency(&sum.queue_wait, 0);
        check_latency(&sum.run_time, 0);
        for (uint32_t i = 0; i < 10; i++) {
            (void)submit(engine, "d");
            (void)submit(engine, "f");
            (void)submit(engine, "r");
            (void)submit(engine, "o");
            CHECK_OK(leat_cancel(engine, submit(engine, "d")));
            CHECK_OK(leat_post(engine, i % 8, nothing, NULL));
        }
        sum = test_statistics(engine);
        CHECK_EQUAL(sum.jobs_submitted, 50);
        CHECK_EQUAL(sum.jobs_waiting, 40);
        CHECK_EQUAL(sum.jobs_cancelled, 10);
        CHECK_EQUAL(sum.tasks_waiting, 10);
        CHECK_OK(leat_start(engine));
        CHECK_OK(leat_drain(engine, LEAT_FOREVER));
        sum = test_statistics(engine);
        CHECK_EQUAL(sum.tasks_run, 10);
        CHECK_EQUAL(sum.jobs_run, 10 + 10 + 30 + 20);
        CHECK_EQUAL(sum.jobs_submitted, 50);
        CHECK_EQUAL(sum.jobs_completed, 20);
        CHECK_EQUAL(sum.jobs_dead, 20);
        CHECK_EQUAL(sum.jobs_cancelled, 10);
        CHECK_EQUAL(sum.jobs_retried, 20 + 10);
        CHECK_EQUAL(sum.jobs_waiting, 0);
        CHECK_EQUAL(sum.jobs_running, 0);
        CHECK_EQUAL(sum.tasks_waiting, 0);
        CHECK_EQUAL(sum.dead_dropped, 17);
        check_latency(&sum.queue_wait, 40);
        check_latency(&sum.run_time, 70);
        /* The sum of the workers is the whole. */
        uint64_t jobs = 0;
        uint64_t tasks = 0;
        for (uint32_t i = 0; i < workers; i++) {
            struct leat_worker_statistics worker = leat_worker_statistics_default();
            CHECK_OK(leat_worker_statistics_get(engine, i, &worker));
            CHECK_EQUAL(worker.cpu, UINT64_MAX); /* -1: not pinned */
            CHECK(!worker.running);
            jobs += worker.jobs_run;
            tasks += worker.tasks_run;
        }
        CHECK_EQUAL(jobs, sum.jobs_run);
        CHECK_EQUAL(tasks, sum.tasks_run);
        test_close(engine);
    }
}

/* ---- while something runs ------------------------------------------------------------------- */

static struct leat_outcome
held_run(struct leat_run *run, void *context)
{
    (void)run;
    test_gate_wait(context);
    return leat_done();
}

static bool
one_parked(void *argument)
{
    return test_statistics(argument).workers_parked == 1;
}

static void
while_it_runs(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    struct test_gate gate;
    test_gate_init(&gate);
    config.workers = 2;
    struct leat_engine *engine = test_start(&config);
    leat_type type = test_register(engine, "held", held_run, &gate);
    (void)test_submit(engine, type);
    test_gate_arrivals(&gate, 1);
    CHECK(test_until(one_parked, engine));
    struct leat_statistics sum = test_statistics(engine);
    CHECK_EQUAL(sum.jobs_running, 1);
    CHECK_EQUAL(sum.jobs_waiting, 0);
    CHECK_EQUAL(sum.jobs_run, 1);
    CHECK_EQUAL(sum.jobs_submitted, 1);
    uint32_t running = 0;
    uint32_t parked = 0;
    for (uint32_t i = 0; i < 2; i++) {
        struct leat_worker_statistics worker = leat_worker_statistics_default();
        CHECK_OK(leat_worker_statistics_get(engine, i, &worker));
        running += worker.running ? 1 : 0;
        parked += worker.parked ? 1 : 0;
        CHECK(!(worker.running && worker.parked));
        CHECK_EQUAL(worker.jobs_run, worker.running ? 1 : 0);
    }
    CHECK_EQUAL(running, 1);
    CHECK_EQUAL(parked, 1);
    (void)test_submit(engine, type);
    test_gate_arrivals(&gate, 2);
    (void)test_submit(engine, type);
    sum = test_statistics(engine);
    CHECK_EQUAL(sum.jobs_running, 2);
    CHECK_EQUAL(sum.jobs_waiting, 1);
    CHECK(sum.parks >= 1);
    CHECK(sum.wakes >= 1); /* the second job woke the worker that was parked */
    test_gate_open(&gate);
    test_finish(engine);
    test_gate_fini(&gate);
}

static struct leat_outcome
done(struct leat_run *run, void *context)
{
    (void)run;
    (void)context;
    return leat_done();
}

/* Workers that never park, and are stopped and drained all the same. */
static void
busy_polling(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    config.busy_poll = true;
    struct leat_engine *engine = test_start(&config);
    leat_type type = test_register(engine, "done", done, NULL);
    for (uint32_t i = 0; i < 10; i++) {
        leat_job_id id = test_submit_kept(engine, type);
        CHECK_EQUAL(test_wait(engine, id).state, LEAT_JOB_COMPLETED);
        CHECK_OK(leat_release(engine, id));
    }
    struct leat_statistics sum = test_statistics(engine);
    CHECK_EQUAL(sum.parks, 0);
    CHECK_EQUAL(sum.wakes, 0);
    CHECK_EQUAL(sum.workers_parked, 0);
    CHECK_OK(leat_stop(engine, LEAT_FOREVER));
    CHECK_OK(leat_start(engine));
    test_finish(engine);
}

/* How often the first worker has parked. */
static uint64_t
parks_of(struct leat_engine *engine)
{
    struct leat_worker_statistics worker = leat_worker_statistics_default();
    CHECK_OK(leat_worker_statistics_get(engine, 0, &worker));
    CHECK(!worker.parked || worker.parks != 0);
    return worker.parks;
}

static bool
has_parked(void *argument)
{
    return parks_of(argument) != 0;
}

/* Without work for many times as long as one looks for it: a worker without the knob has parked
 * meanwhile, one with it has not, and runs what comes then. */
static void
busy_polling_without_work(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    struct leat_engine *parks = test_start(&config);
    config.busy_poll = true;
    struct leat_engine *polls = test_start(&config);
    leat_type type = test_register(polls, "done", done, NULL);
    CHECK(test_until(has_parked, parks));
    for (uint32_t i = 0; i < 3; i++) {
        test_sleep_ns(50 * TEST_MS);
        CHECK_EQUAL(parks_of(polls), 0);
        leat_job_id id = test_submit_kept(polls, type);
        CHECK_EQUAL(test_wait(polls, id).state, LEAT_JOB_COMPLETED);
        CHECK_OK(leat_release(polls, id));
    }
    CHECK_EQUAL(parks_of(polls), 0);
    test_finish(polls);
    test_finish(parks);
}

/* A known time in the handler and in the queue is seen, within the error of the buckets. */
static struct leat_outcome
sleeper(struct leat_run *run, void *context)
{
    (void)run;
    (void)context;
    test_sleep_ns(20 * TEST_MS);
    return leat_done();
}

static void
latencies_are_times(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    struct leat_engine *engine = test_open(&config);
    leat_type type = test_register(engine, "sleeper", sleeper, NULL);
    uint64_t before_ns = test_now_ns();
    (void)test_submit(engine, type);
    (void)test_submit(engine, type);
    CHECK_OK(leat_start(engine));
    CHECK_OK(leat_drain(engine, LEAT_FOREVER));
    uint64_t took_ns = test_now_ns() - before_ns;
    struct leat_statistics sum = test_statistics(engine);
    check_latency(&sum.run_time, 2);
    check_latency(&sum.queue_wait, 2);
    CHECK(sum.run_time.min_ns >= 20 * TEST_MS);
    CHECK(sum.run_time.max_ns <= took_ns);
    CHECK(sum.run_time.p50_ns >= sum.run_time.min_ns);
    /* The second waited for the first. */
    CHECK(sum.queue_wait.max_ns >= 19 * TEST_MS);
    CHECK(sum.queue_wait.max_ns <= took_ns);
    test_close(engine);
}

/* ---- sampling ------------------------------------------------------------------------------- */

static uint64_t
samples_of(uint32_t interval, uint32_t jobs)
{
    struct leat_config config = test_config();
    config.sample_interval = interval;
    config.workers = 0;
    config.jobs_max = 4096;
    config.retained_max = 0;
    struct leat_engine *engine = test_start(&config);
    (void)test_register(engine, "by-payload", by_payload, NULL);
    for (uint32_t i = 0; i < jobs; i += 64) {
        for (uint32_t j = 0; j < 64; j++) {
            (void)submit(engine, "d");
        }
        CHECK_OK(leat_run_some(engine, 64, NULL));
    }
    struct leat_statistics sum = test_statistics(engine);
    CHECK_EQUAL(sum.jobs_completed, jobs);
    CHECK_EQUAL(sum.queue_wait.samples, sum.run_time.samples);
    test_finish(engine);
    return sum.run_time.samples;
}

static void
one_in_so_many(void **state)
{
    (void)state;
    CHECK_EQUAL(samples_of(1, 6400), 6400);
    static const uint32_t intervals[] = {2, 10, 32, 1000};
    for (size_t i = 0; i < TEST_COUNT_OF(intervals); i++) {
        uint64_t want = 128000 / intervals[i];
        uint64_t samples = samples_of(intervals[i], 128000);
        CHECK(samples >= want / 2);
        CHECK(samples <= want * 2);
    }
}

/* ---- structs -------------------------------------------------------------------------------- */

static void
structs_of_other_ages(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    struct leat_engine *engine = test_open(&config);
    struct leat_statistics sum = leat_statistics_default();
    struct leat_worker_statistics worker = leat_worker_statistics_default();
    (void)submit(engine, "d");
    memset(&sum, 0xee, sizeof(sum));
    sum.size = (uint32_t)offsetof(struct leat_statistics, jobs_completed);
    sum.version = LEAT_STRUCT_VERSION;
    CHECK_OK(leat_statistics_get(engine, &sum));
    CHECK_EQUAL(sum.size, offsetof(struct leat_statistics, jobs_completed));
    CHECK_EQUAL(sum.jobs_submitted, 1);
    CHECK_EQUAL(sum.jobs_completed, UINT64_C(0xeeeeeeeeeeeeeeee));
    sum.size = 4;
    CHECK_STATUS(leat_statistics_get(engine, &sum), LEAT_INVALID);
    sum = leat_statistics_default();
    sum.version = 0;
    CHECK_STATUS(leat_statistics_get(engine, &sum), LEAT_UNSUPPORTED);
    CHECK_STATUS(leat_statistics_get(engine, NULL), LEAT_INVALID);

    worker.size = 3;
    CHECK_STATUS(leat_worker_statistics_get(engine, 0, &worker), LEAT_INVALID);
    worker = leat_worker_statistics_default();
    worker.version = 9;
    CHECK_STATUS(leat_worker_statistics_get(engine, 0, &worker), LEAT_UNSUPPORTED);
    worker = leat_worker_statistics_default();
    worker.jobs_run = 77;
    CHECK_STATUS(leat_worker_statistics_get(engine, 1, &worker), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_worker_statistics_get(engine, UINT32_MAX, &worker), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_worker_statistics_get(engine, 0, NULL), LEAT_INVALID);
    CHECK_EQUAL(worker.jobs_run, 77);
    test_close(engine);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact_after_a_drain),   cmocka_unit_test(while_it_runs),
        cmocka_unit_test(busy_polling),          cmocka_unit_test(busy_polling_without_work),
        cmocka_unit_test(latencies_are_times),   cmocka_unit_test(one_in_so_many),
        cmocka_unit_test(structs_of_other_ages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
