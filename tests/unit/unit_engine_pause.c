/* unit_engine_pause.c - the pause of all queues at once, with a lent thread: those that are there,
 * those that a submit makes meanwhile, those in exact order, pull queues; beside the pause of each;
 * in order, also where jobs were in the ring before; from a handler; what runs all the same. */
#include <stdlib.h>

#include "tests/support/check.h"
#include "tests/support/engine.h"

#define JOBS 1024
#define RING 64

struct fixture {
    struct leat_engine *engine;
    leat_type type;
    leat_queue queue; /* "default" */
    leat_queue second;
    uint32_t runs[JOBS]; /* what ran, in order */
    uint32_t count;
    bool pauses; /* the handler does */
};

static struct leat_outcome
note(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    const uint32_t *what = leat_run_payload(run, NULL);
    CHECK(fixture->count < JOBS);
    fixture->runs[fixture->count++] = *what;
    if (fixture->pauses) {
        CHECK_OK(leat_pause_all(fixture->engine));
    }
    return leat_done();
}

static struct fixture *
setup(void)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    CHECK(fixture != NULL);
    struct leat_config config = test_config();
    config.jobs_max = JOBS;
    config.workers = 0;
    config.retained_max = 0;
    config.ring_slots = RING;
    config.queues_max = 8;
    fixture->engine = test_start(&config);
    fixture->type = test_register(fixture->engine, "note", note, fixture);
    CHECK_OK(leat_queue_find(fixture->engine, "default", &fixture->queue));
    CHECK_OK(leat_queue_create(fixture->engine, "second", NULL, &fixture->second));
    return fixture;
}

static void
teardown(struct fixture *fixture)
{
    test_close(fixture->engine);
    free(fixture);
}

static void
submit(struct fixture *fixture, leat_queue queue, uint32_t first, uint32_t end)
{
    for (uint32_t i = first; i < end; i++) {
        struct leat_job job = leat_job_default();
        job.type = fixture->type;
        job.queue = queue;
        job.payload = &i;
        job.payload_bytes = sizeof(i);
        CHECK_OK(leat_submit(fixture->engine, &job, NULL));
    }
}

/* Runs what can run. Returns how many. */
static uint32_t
run_all(struct fixture *fixture)
{
    uint32_t before = fixture->count;
    for (uint32_t i = 0; i < 2 * JOBS && leat_run_some(fixture->engine, 1, NULL) == LEAT_OK; i++) {
    }
    test_engine_check(fixture->engine);
    return fixture->count - before;
}

static bool
paused(struct fixture *fixture, leat_queue queue)
{
    struct leat_queue_info info = leat_queue_info_default();
    CHECK_OK(leat_queue_get_info(fixture->engine, queue, &info));
    return info.paused;
}

/* Some are in the ring before, some in the list, some come later. */
static void
jobs_wait_in_order(void **state)
{
    (void)state;
    static const uint32_t befores[] = {0, 1, RING, RING + 1, 500};
    for (size_t i = 0; i < TEST_COUNT_OF(befores); i++) {
        struct fixture *fixture = setup();
        submit(fixture, fixture->queue, 0, befores[i]);
        CHECK_OK(leat_pause_all(fixture->engine));
        submit(fixture, fixture->queue, befores[i], befores[i] + 100);
        CHECK_EQUAL(run_all(fixture), 0);
        CHECK_EQUAL(test_statistics(fixture->engine).jobs_waiting, befores[i] + 100);
        CHECK_OK(leat_pause_all(fixture->engine)); /* twice is no error */
        CHECK_EQUAL(run_all(fixture), 0);
        CHECK_OK(leat_resume_all(fixture->engine));
        CHECK_OK(leat_resume_all(fixture->engine));
        CHECK_EQUAL(run_all(fixture), befores[i] + 100);
        for (uint32_t j = 0; j < fixture->count; j++) {
            CHECK_EQUAL(fixture->runs[j], j);
        }
        teardown(fixture);
    }
}

static void
queues_that_come_meanwhile(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_queue_options options = leat_queue_options_default();
    struct leat_job job = leat_job_default();
    const uint32_t payload = 0;
    leat_queue exact = {0};
    CHECK_OK(leat_pause_all(fixture->engine));
    job.type = fixture->type;
    job.queue_name = "of-a-submit";
    job.payload = &payload;
    job.payload_bytes = sizeof(payload);
    CHECK_OK(leat_submit(fixture->engine, &job, NULL));
    CHECK_EQUAL(run_all(fixture), 0);
    options.order = LEAT_ORDER_EXACT;
    CHECK_OK(leat_queue_create(fixture->engine, "exact", &options, &exact));
    submit(fixture, exact, 1, 3);
    CHECK_EQUAL(run_all(fixture), 0);
    CHECK(paused(fixture, exact));
    CHECK_OK(leat_resume_all(fixture->engine));
    CHECK(!paused(fixture, exact));
    CHECK_EQUAL(run_all(fixture), 3);
    teardown(fixture);
}

/* The engine's goes beside each queue's own. */
static void
each_keeps_its_own(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    CHECK_OK(leat_queue_pause(fixture->engine, fixture->second));
    CHECK_OK(leat_pause_all(fixture->engine));
    submit(fixture, fixture->queue, 0, 10);
    submit(fixture, fixture->second, 10, 20);
    CHECK(paused(fixture, fixture->queue));
    CHECK_OK(leat_queue_resume(fixture->engine, fixture->queue)); /* says nothing now */
    CHECK(paused(fixture, fixture->queue));
    CHECK_EQUAL(run_all(fixture), 0);
    CHECK_OK(leat_resume_all(fixture->engine));
    CHECK(!paused(fixture, fixture->queue));
    CHECK(paused(fixture, fixture->second));
    CHECK_EQUAL(run_all(fixture), 10);
    CHECK_OK(leat_queue_resume(fixture->engine, fixture->second));
    CHECK_EQUAL(run_all(fixture), 10);
    teardown(fixture);
}

static void
a_handler_pauses_all(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    fixture->pauses = true;
    submit(fixture, fixture->queue, 0, 5);
    submit(fixture, fixture->second, 5, 10);
    for (uint32_t i = 0; i < 10; i++) {
        CHECK_EQUAL(run_all(fixture), 1);
        CHECK_OK(leat_resume_all(fixture->engine));
    }
    CHECK_EQUAL(run_all(fixture), 0);
    teardown(fixture);
}

/* What is leased is answered all the same. */
static void
pull_queues_too(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_queue_options options = leat_queue_options_default();
    struct leat_reserve_options asked = leat_reserve_options_default();
    struct leat_lease lease;
    unsigned char buffer[64];
    size_t count = 0;
    options.pull = true;
    CHECK_OK(leat_queue_create(fixture->engine, "pull", &options, &asked.queue));
    submit(fixture, asked.queue, 0, 2);
    asked.buffer = buffer;
    asked.buffer_bytes = sizeof(buffer);
    CHECK_OK(leat_reserve(fixture->engine, &asked, &lease, &count));
    CHECK_OK(leat_pause_all(fixture->engine));
    CHECK_STATUS(leat_reserve(fixture->engine, &asked, &lease, &count), LEAT_EMPTY);
    CHECK_OK(leat_ack(fixture->engine, lease.token, NULL, 0));
    CHECK_STATUS(leat_reserve(fixture->engine, &asked, &lease, &count), LEAT_EMPTY);
    CHECK_OK(leat_resume_all(fixture->engine));
    CHECK_OK(leat_reserve(fixture->engine, &asked, &lease, &count));
    CHECK_OK(leat_ack(fixture->engine, lease.token, NULL, 0));
    teardown(fixture);
}

static void
add_one(void *argument)
{
    *(uint32_t *)argument += 1;
}

/* Tasks, and jobs that run inline; and a drain does not wait for what is paused. */
static void
what_runs_all_the_same(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_job job = leat_job_default();
    const uint32_t payload = 7;
    uint32_t tasks = 0;
    CHECK_OK(leat_pause_all(fixture->engine));
    submit(fixture, fixture->queue, 0, 3);
    CHECK_OK(leat_post(fixture->engine, LEAT_PRIORITY_NORMAL, add_one, &tasks));
    CHECK_EQUAL(run_all(fixture), 0);
    CHECK_EQUAL(tasks, 1);
    job.type = fixture->type;
    job.payload = &payload;
    job.payload_bytes = sizeof(payload);
    CHECK_OK(leat_run_inline(fixture->engine, &job, NULL, NULL));
    CHECK_EQUAL(fixture->count, 1);
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_waiting, 3);
    CHECK_STATUS(leat_pause_all(NULL), LEAT_INVALID);
    CHECK_STATUS(leat_resume_all(NULL), LEAT_INVALID);
    teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_wait_in_order), cmocka_unit_test(queues_that_come_meanwhile),
        cmocka_unit_test(each_keeps_its_own), cmocka_unit_test(a_handler_pauses_all),
        cmocka_unit_test(pull_queues_too),    cmocka_unit_test(what_runs_all_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
