/* unit_trim.c - memory of records that are free comes back to the system some seconds after they
 * were used, by a clock that the test moves; not where few were used, where they are in use still,
 * or where the host wants pages to be there. Meanwhile, at each step, the engine takes as many jobs
 * as ever; ids from before answer gone, and payloads are what was submitted. */
#include <string.h>

#include "engine/engine_internal.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/fake_clock.h"

#define S       UINT64_C(1000000000)
#define PAYLOAD 64
#define JOBS    (LEAT_TRIM_RECORDS + 64 * 64)

struct fixture {
    struct test_clock clock;
    struct leat_engine *engine;
    leat_type type;
    uint64_t runs;
    leat_job_id first;
};

static struct leat_outcome
run(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    size_t bytes = 0;
    const unsigned char *payload = leat_run_payload(run, &bytes);
    CHECK_EQUAL(bytes, PAYLOAD);
    for (uint32_t i = 1; i < PAYLOAD; i++) {
        CHECK_EQUAL(payload[i], payload[0]);
    }
    fixture->runs++;
    return leat_done();
}

static struct fixture *
setup(bool prefault)
{
    static struct fixture fixture;
    struct leat_config config = test_config();
    memset(&fixture, 0, sizeof(fixture));
    test_clock_init(&fixture.clock);
    config.workers = 0;
    config.jobs_max = JOBS;
    config.retained_max = 0;
    config.prefault = prefault;
    config.clock = test_clock_of(&fixture.clock);
    fixture.engine = test_start(&config);
    fixture.type = test_register(fixture.engine, "t", run, &fixture);
    return &fixture;
}

static void
submit(struct fixture *fixture, uint32_t count)
{
    unsigned char payload[PAYLOAD];
    for (uint32_t i = 0; i < count; i++) {
        struct leat_job job = leat_job_default();
        leat_job_id id = {0};
        memset(payload, (int)(i & 0xff), sizeof(payload));
        job.type = fixture->type;
        job.payload = payload;
        job.payload_bytes = sizeof(payload);
        CHECK_OK(leat_submit(fixture->engine, &job, &id));
        fixture->first = i == 0 ? id : fixture->first;
    }
}

static void
run_all(struct fixture *fixture)
{
    while (leat_run_some(fixture->engine, JOBS, NULL) == LEAT_OK) {
    }
}

static uint64_t
due_ns(struct fixture *fixture)
{
    uint64_t delay_ns = 0;
    CHECK_OK(leat_next_due(fixture->engine, &delay_ns));
    return delay_ns;
}

static size_t
resident(const struct fixture *fixture)
{
    const struct leat_slab *jobs = &fixture->engine->jobs;
    return leat_os_resident(jobs->records, jobs->record_bytes * jobs->capacity) +
           leat_os_resident(fixture->engine->inline_payloads, (size_t)PAYLOAD * jobs->capacity);
}

/* Lets time pass until nobody is to come for a trim at once. Returns how often it was come. */
static uint32_t
pass(struct fixture *fixture, uint64_t ns)
{
    uint32_t steps = 1;
    test_clock_pass(&fixture->clock, fixture->engine, ns);
    while (due_ns(fixture) == 0) {
        CHECK_OK(leat_clock_changed(fixture->engine));
        steps++;
        CHECK(steps < JOBS);
    }
    return steps;
}

static void
comes_back(void **state)
{
    (void)state;
    struct fixture *fixture = setup(false);
    struct leat_job_info info = leat_job_info_default();
    submit(fixture, JOBS);
    size_t most = resident(fixture);
    CHECK(most >= (size_t)JOBS * (64 + PAYLOAD));
    /* In use: looked at, and left. */
    test_clock_pass(&fixture->clock, fixture->engine, LEAT_TRIM_NS);
    for (uint32_t i = 0; i < 2 * JOBS / LEAT_TRIM_STEP; i++) {
        CHECK_OK(leat_clock_changed(fixture->engine));
    }
    CHECK_EQUAL(resident(fixture), most);
    leat_job_id first = fixture->first;
    run_all(fixture);
    CHECK_EQUAL(fixture->runs, JOBS);
    CHECK_EQUAL(resident(fixture), most);
    pass(fixture, LEAT_TRIM_NS - 1);
    CHECK_EQUAL(resident(fixture), most);
    CHECK(pass(fixture, 1) > 1);
    CHECK(resident(fixture) < most / 100);
    CHECK(leat_get(fixture->engine, first, &info) == LEAT_GONE);
    CHECK(leat_cancel(fixture->engine, first) == LEAT_GONE);
    CHECK(due_ns(fixture) > S * 1000);
    /* As if new; and once more, after a longer time. */
    submit(fixture, JOBS);
    run_all(fixture);
    CHECK_EQUAL(fixture->runs, 2 * JOBS);
    pass(fixture, 2 * LEAT_TRIM_NS - 1);
    CHECK_EQUAL(resident(fixture), most);
    pass(fixture, 1);
    CHECK(resident(fixture) < most / 100);
    test_close(fixture->engine);
}

static void
few_stay(void **state)
{
    (void)state;
    struct fixture *fixture = setup(false);
    submit(fixture, LEAT_TRIM_RECORDS);
    size_t most = resident(fixture);
    run_all(fixture);
    CHECK_EQUAL(pass(fixture, 10 * LEAT_TRIM_NS), 1);
    CHECK_EQUAL(resident(fixture), most);
    /* One more is enough. */
    submit(fixture, LEAT_TRIM_RECORDS + 1);
    run_all(fixture);
    CHECK(pass(fixture, LEAT_TRIM_NS) > 1);
    CHECK(resident(fixture) < most / 100);
    test_close(fixture->engine);
}

static void
prefaulted_stay(void **state)
{
    (void)state;
    struct fixture *fixture = setup(true);
    size_t most = resident(fixture);
    submit(fixture, JOBS);
    run_all(fixture);
    CHECK_EQUAL(pass(fixture, 10 * LEAT_TRIM_NS), 1);
    CHECK_EQUAL(resident(fixture), most);
    test_close(fixture->engine);
}

/* At each step there are as many free records as there are. */
static void
limit_is_exact(void **state)
{
    (void)state;
    struct fixture *fixture = setup(false);
    uint32_t steps = 0;
    submit(fixture, JOBS);
    run_all(fixture);
    test_clock_pass(&fixture->clock, fixture->engine, LEAT_TRIM_NS);
    while (due_ns(fixture) == 0) {
        struct leat_job job = leat_job_default();
        unsigned char payload[PAYLOAD] = {0};
        job.type = fixture->type;
        job.payload = payload;
        job.payload_bytes = sizeof(payload);
        if (steps % 8 == 4) {
            submit(fixture, JOBS);
            CHECK(leat_submit(fixture->engine, &job, NULL) == LEAT_FULL);
            run_all(fixture);
        }
        CHECK_OK(leat_clock_changed(fixture->engine));
        steps++;
    }
    CHECK(steps > 4);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_waiting, 0);
    test_close(fixture->engine);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_back),
        cmocka_unit_test(few_stay),
        cmocka_unit_test(prefaulted_stay),
        cmocka_unit_test(limit_is_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
