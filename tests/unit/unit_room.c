/* unit_room.c - limits of a queue in jobs and bytes, exactly, with a lent thread: below, at and
 * above each; what ends the waiting of a job gives its room back: a begin, a cancel, an expiry, a
 * change; what comes back from a time or for a retry takes it whatever the limit; limits are set,
 * changed and taken away while jobs wait; batches of both modes, all or none exact in bytes; the
 * engine's limit on payloads; bad input. Each test ends with the census of the engine, which
 * compares what limits count with what waits (I1 of engine/room.h). */
#include <stdlib.h>
#include <string.h>

#include "engine/engine_internal.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/fake_clock.h"

#define MANY  60   /* that are submitted where nothing limits them */
#define LARGE 1024 /* above payload_bytes_inline: from the allocator */

struct fixture {
    struct leat_engine *engine;
    struct test_clock clock;
    leat_type type;
    leat_queue queue;
    enum leat_outcome_kind answer;
    uint32_t runs;
    unsigned char payload[LARGE];
};

static struct leat_outcome
run(struct leat_run *attempt, void *context)
{
    struct fixture *fixture = context;
    (void)attempt;
    fixture->runs++;
    return leat_outcome_of(fixture->answer, fixture->answer == LEAT_OUTCOME_RETRY ? 0 : 1);
}

static struct fixture *
setup(const struct leat_queue_limits *limits, uint64_t total_max)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    CHECK(fixture != NULL);
    test_clock_init(&fixture->clock);
    struct leat_config config = test_config();
    struct leat_queue_options options = leat_queue_options_default();
    config.workers = 0;
    config.retained_max = 0;
    config.jobs_max = 256;
    config.clock = test_clock_of(&fixture->clock);
    config.payload_bytes_total_max = total_max;
    fixture->engine = test_start(&config);
    fixture->type = test_register(fixture->engine, "run", run, fixture);
    fixture->answer = LEAT_OUTCOME_DONE;
    options.waiting_max = limits->waiting_max;
    options.waiting_bytes_max = limits->waiting_bytes_max;
    CHECK_OK(leat_queue_create(fixture->engine, "limited", &options, &fixture->queue));
    return fixture;
}

static struct fixture *
setup_of(uint32_t waiting_max, uint64_t bytes_max)
{
    struct leat_queue_limits limits = leat_queue_limits_default();
    limits.waiting_max = waiting_max;
    limits.waiting_bytes_max = bytes_max;
    return setup(&limits, 0);
}

static void
run_all(struct fixture *fixture)
{
    size_t ran = 0;
    for (uint32_t i = 0; i < 1000 && leat_run_some(fixture->engine, 1, &ran) == LEAT_OK; i++) {
    }
}

static void
teardown(struct fixture *fixture)
{
    test_engine_check(fixture->engine);
    fixture->answer = LEAT_OUTCOME_DONE;
    run_all(fixture);
    test_close(fixture->engine);
    free(fixture);
}

static struct leat_job
job_of(const struct fixture *fixture, size_t bytes)
{
    struct leat_job job = leat_job_default();
    job.type = fixture->type;
    job.queue = fixture->queue;
    job.payload = bytes == 0 ? NULL : fixture->payload;
    job.payload_bytes = bytes;
    return job;
}

static enum leat_status
submit(struct fixture *fixture, size_t bytes, leat_job_id *id)
{
    struct leat_job job = job_of(fixture, bytes);
    return leat_submit(fixture->engine, &job, id);
}

/* Submits until it is refused. Returns how many were taken. */
static uint32_t
fill(struct fixture *fixture, size_t bytes)
{
    uint32_t taken = 0;
    enum leat_status status = LEAT_OK;
    while (status == LEAT_OK && taken < MANY) {
        status = submit(fixture, bytes, NULL);
        taken += status == LEAT_OK ? 1 : 0;
    }
    CHECK(status == LEAT_OK || status == LEAT_FULL);
    return taken;
}

static void
set(struct fixture *fixture, uint32_t waiting_max, uint64_t bytes_max)
{
    struct leat_queue_limits limits = leat_queue_limits_default();
    limits.waiting_max = waiting_max;
    limits.waiting_bytes_max = bytes_max;
    CHECK_OK(leat_queue_set_limits(fixture->engine, fixture->queue, &limits));
}

static struct leat_queue_info
info_of(struct fixture *fixture)
{
    struct leat_queue_info info = leat_queue_info_default();
    CHECK_OK(leat_queue_get_info(fixture->engine, fixture->queue, &info));
    return info;
}

/* ---- at the limit ---------------------------------------------------------------------------- */

static void
jobs_at_the_limit(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(3, 0);
    CHECK_OK(submit(fixture, 0, NULL));
    CHECK_OK(submit(fixture, LARGE, NULL));
    CHECK_OK(submit(fixture, 0, NULL));
    CHECK_STATUS(submit(fixture, 0, NULL), LEAT_FULL);
    test_engine_check(fixture->engine);
    size_t ran = 0;
    CHECK_OK(leat_run_some(fixture->engine, 1, &ran));
    CHECK_EQUAL(fill(fixture, 0), 1);
    CHECK_EQUAL(leat_room_within(fixture->engine, fixture->queue.bits - 1), 0);
    teardown(fixture);
}

static void
bytes_at_the_limit(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(0, 100);
    CHECK_STATUS(submit(fixture, 101, NULL), LEAT_FULL);
    CHECK_OK(submit(fixture, 60, NULL));
    CHECK_STATUS(submit(fixture, 41, NULL), LEAT_FULL);
    CHECK_OK(submit(fixture, 39, NULL));
    CHECK_STATUS(submit(fixture, 2, NULL), LEAT_FULL);
    CHECK_OK(submit(fixture, 1, NULL));
    CHECK_STATUS(submit(fixture, 1, NULL), LEAT_FULL);
    CHECK_OK(submit(fixture, 0, NULL)); /* takes none */
    CHECK_EQUAL(info_of(fixture).waiting_bytes, 100);
    CHECK_EQUAL(info_of(fixture).waiting, 4);
    run_all(fixture);
    CHECK_EQUAL(fixture->runs, 4);
    CHECK_OK(submit(fixture, 100, NULL));
    teardown(fixture);
}

/* Who is refused for bytes has given its place back. */
static void
both_limits(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(2, 100);
    CHECK_OK(submit(fixture, 90, NULL));
    CHECK_STATUS(submit(fixture, 20, NULL), LEAT_FULL);
    CHECK_STATUS(submit(fixture, 20, NULL), LEAT_FULL);
    CHECK_OK(submit(fixture, 10, NULL));
    CHECK_STATUS(submit(fixture, 0, NULL), LEAT_FULL);
    teardown(fixture);
}

/* ---- who gives, who takes -------------------------------------------------------------------- */

static void
what_gives_room_back(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(1, 100);
    leat_job_id id = {0};
    struct leat_job_options options = leat_job_options_default();
    struct leat_job job = job_of(fixture, 100);
    CHECK_OK(submit(fixture, 100, &id));
    CHECK_OK(leat_cancel(fixture->engine, id));
    CHECK_OK(submit(fixture, 100, &id));
    CHECK_OK(leat_reschedule(fixture->engine, id, leat_when_in(1000 * UINT64_C(1000000000))));
    options.expires_in_ns = 1000;
    job.options = &options;
    CHECK_OK(leat_submit(fixture->engine, &job, NULL));
    CHECK_STATUS(submit(fixture, 1, NULL), LEAT_FULL);
    test_clock_pass(&fixture->clock, fixture->engine, 2000);
    run_all(fixture);
    CHECK_EQUAL(fixture->runs, 0);
    CHECK_OK(submit(fixture, 100, NULL));
    run_all(fixture);
    CHECK_EQUAL(fixture->runs, 1);
    CHECK_EQUAL(info_of(fixture).scheduled, 1);
    teardown(fixture);
}

static void
what_takes_room_above_the_limit(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(1, 100);
    struct leat_job job = job_of(fixture, 80);
    size_t ran = 0;
    job.delay_ns = 1000000000;
    job.max_attempts = 10;
    CHECK_OK(leat_submit(fixture->engine, &job, NULL));
    CHECK_OK(leat_submit(fixture->engine, &job, NULL));
    CHECK_OK(submit(fixture, 70, NULL));
    CHECK_STATUS(submit(fixture, 1, NULL), LEAT_FULL);
    test_clock_pass(&fixture->clock, fixture->engine, 2000000000);
    fixture->answer = LEAT_OUTCOME_RETRY;
    for (uint32_t i = 0; i < 6; i++) {
        CHECK_OK(leat_run_some(fixture->engine, 1, &ran));
        CHECK_STATUS(submit(fixture, 0, NULL), LEAT_FULL);
    }
    CHECK_EQUAL(info_of(fixture).waiting, 3);
    CHECK_EQUAL(info_of(fixture).waiting_bytes, 230);
    test_engine_check(fixture->engine);
    fixture->answer = LEAT_OUTCOME_DONE;
    run_all(fixture);
    CHECK_OK(submit(fixture, 100, NULL));
    teardown(fixture);
}

/* What is refused for another reason gives its room back. */
static void
refused_later(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(40, 4000);
    struct leat_completion_queue *completions = NULL;
    struct leat_job job = job_of(fixture, 100);
    CHECK_OK(leat_completion_queue_create(fixture->engine, 1, &completions));
    job.completions = completions;
    CHECK_OK(leat_submit(fixture->engine, &job, NULL));
    for (uint32_t i = 0; i < 100; i++) {
        CHECK_STATUS(leat_submit(fixture->engine, &job, NULL), LEAT_FULL);
    }
    CHECK_EQUAL(info_of(fixture).waiting, 1);
    CHECK_EQUAL(fill(fixture, 100), 39);
    teardown(fixture);
}

/* ---- limits that change ---------------------------------------------------------------------- */

static void
limits_set_later(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(0, 0);
    CHECK_EQUAL(fill(fixture, 1), MANY);
    set(fixture, 2, 0); /* those that wait are not counted */
    CHECK_EQUAL(fill(fixture, 0), 2);
    run_all(fixture);
    CHECK_EQUAL(fill(fixture, 0), 2);
    set(fixture, 4, 0);
    CHECK_EQUAL(fill(fixture, 0), 2);
    set(fixture, 1, 0);
    CHECK_STATUS(submit(fixture, 0, NULL), LEAT_FULL);
    size_t ran = 0;
    for (uint32_t i = 0; i < 3; i++) {
        CHECK_OK(leat_run_some(fixture->engine, 1, &ran));
        CHECK_STATUS(submit(fixture, 0, NULL), LEAT_FULL);
    }
    CHECK_OK(leat_run_some(fixture->engine, 1, &ran));
    CHECK_EQUAL(fill(fixture, 0), 1);
    set(fixture, 0, 0);
    CHECK_EQUAL(fill(fixture, 0), MANY);
    set(fixture, 0, 10); /* counted all the time */
    CHECK_EQUAL(fill(fixture, 1), 10);
    set(fixture, MANY + 11, 0);
    CHECK_STATUS(submit(fixture, 0, NULL), LEAT_FULL);
    set(fixture, MANY + 12, 0);
    CHECK_EQUAL(fill(fixture, 0), 1);
    teardown(fixture);
}

static void
what_is_told(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(7, 77);
    struct leat_queue_limits limits = leat_queue_limits_default();
    struct leat_queue_info info = info_of(fixture);
    CHECK_EQUAL(info.waiting_max, 7);
    CHECK_EQUAL(info.waiting_bytes_max, 77);
    CHECK_EQUAL(info.full, LEAT_FULL_REJECT);
    CHECK_EQUAL(info.block_ns, LEAT_FOREVER);
    CHECK_EQUAL(info.tenant.bits, 0);
    CHECK_EQUAL(info.priority, leat_queue_options_default().priority);
    CHECK_EQUAL(info.running_max, 0);
    CHECK(!info.paused);
    CHECK(!info.draining);
    limits.full = LEAT_FULL_BLOCK;
    limits.block_ns = 5;
    CHECK_OK(leat_queue_set_limits(fixture->engine, fixture->queue, &limits));
    CHECK_OK(leat_queue_pause(fixture->engine, fixture->queue));
    CHECK_OK(leat_queue_set_running_max(fixture->engine, fixture->queue, 9));
    info = info_of(fixture);
    CHECK_EQUAL(info.waiting_max, 0);
    CHECK_EQUAL(info.waiting_bytes_max, 0);
    CHECK_EQUAL(info.full, LEAT_FULL_BLOCK);
    CHECK_EQUAL(info.block_ns, 5);
    CHECK_EQUAL(info.running_max, 9);
    CHECK(info.paused);
    teardown(fixture);
}

/* Who waits for one of them is not called for another one; and nothing is kept of those that
 * nobody drops. */
static void
queues_of_nobody(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(1, 0);
    const uint32_t queue = fixture->queue.bits - 1;
    CHECK(leat_room_bell(fixture->engine, queue) != leat_room_bell(fixture->engine, queue + 1));
    set(fixture, 2, 0);
    CHECK(leat_room_trail(fixture->engine, queue) == NULL);
    teardown(fixture);
}

/* ---- batches --------------------------------------------------------------------------------- */

static void
batches(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(4, 100);
    struct leat_job jobs[5];
    leat_job_id ids[5];
    enum leat_status statuses[5];
    for (uint32_t i = 0; i < 5; i++) {
        jobs[i] = job_of(fixture, 26);
    }
    jobs[3].payload_bytes = 22;
    jobs[4].payload_bytes = 0;
    CHECK_STATUS(leat_submit_batch(fixture->engine, jobs, 5, LEAT_BATCH_ALL_OR_NONE, ids, statuses),
                 LEAT_FULL); /* jobs */
    jobs[3].payload_bytes = 23;
    CHECK_STATUS(leat_submit_batch(fixture->engine, jobs, 4, LEAT_BATCH_ALL_OR_NONE, ids, statuses),
                 LEAT_FULL); /* bytes */
    CHECK_EQUAL(statuses[3], LEAT_OK);
    CHECK_EQUAL(info_of(fixture).waiting, 0);
    jobs[3].payload_bytes = 22;
    CHECK_OK(leat_submit_batch(fixture->engine, jobs, 4, LEAT_BATCH_ALL_OR_NONE, ids, statuses));
    CHECK_EQUAL(info_of(fixture).waiting_bytes, 100);
    run_all(fixture);
    jobs[1].payload_bytes = 90;
    CHECK_STATUS(leat_submit_batch(fixture->engine, jobs, 5, LEAT_BATCH_EACH, ids, statuses),
                 LEAT_FULL);
    CHECK_EQUAL(statuses[0], LEAT_OK);
    CHECK_EQUAL(statuses[1], LEAT_FULL);
    CHECK_EQUAL(statuses[2], LEAT_OK);
    CHECK_EQUAL(statuses[3], LEAT_OK);
    CHECK_EQUAL(statuses[4], LEAT_OK);
    CHECK_EQUAL(info_of(fixture).waiting_bytes, 74);
    teardown(fixture);
}

/* ---- the engine's payloads ------------------------------------------------------------------- */

static void
payloads_of_all(void **state)
{
    (void)state;
    struct leat_queue_limits limits = leat_queue_limits_default();
    struct fixture *fixture = setup(&limits, UINT64_C(2) * LARGE);
    leat_job_id id = {0};
    struct leat_job job = job_of(fixture, LARGE);
    CHECK_OK(submit(fixture, LARGE, &id));
    CHECK_STATUS(submit(fixture, LARGE - 1, NULL), LEAT_OK);
    CHECK_STATUS(submit(fixture, LARGE, NULL), LEAT_FULL);
    CHECK_EQUAL(fill(fixture, 16), MANY); /* they have no memory of the allocator */
    test_engine_check(fixture->engine);
    run_all(fixture);
    job.delay_ns = 1000000000;
    CHECK_OK(leat_submit(fixture->engine, &job, &id));
    CHECK_OK(submit(fixture, LARGE, NULL));
    CHECK_STATUS(submit(fixture, LARGE, NULL), LEAT_FULL);
    CHECK_OK(leat_cancel(fixture->engine, id)); /* its wheel lets go of it in the next run */
    fixture->answer = LEAT_OUTCOME_FAIL;
    run_all(fixture);
    test_engine_check(fixture->engine);
    CHECK_OK(submit(fixture, LARGE, NULL));
    CHECK_STATUS(submit(fixture, LARGE, NULL), LEAT_FULL); /* the dead letter has its payload */
    teardown(fixture);
}

/* ---- bad input ------------------------------------------------------------------------------- */

static void
bad_input(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(1, 0);
    struct leat_engine *engine = fixture->engine;
    struct leat_queue_limits limits = leat_queue_limits_default();
    struct leat_queue_options options = leat_queue_options_default();
    struct leat_queue_info info = leat_queue_info_default();
    const leat_queue none = {0};
    const leat_queue unknown = {60};
    leat_queue queue = {0};
    CHECK_STATUS(leat_queue_set_limits(NULL, fixture->queue, &limits), LEAT_INVALID);
    CHECK_STATUS(leat_queue_set_limits(engine, fixture->queue, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_queue_set_limits(engine, none, &limits), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_queue_set_limits(engine, unknown, &limits), LEAT_NOT_FOUND);
    limits.full = (enum leat_full_policy)3;
    CHECK_STATUS(leat_queue_set_limits(engine, fixture->queue, &limits), LEAT_INVALID);
    limits = leat_queue_limits_default();
    limits.version = 2;
    CHECK_STATUS(leat_queue_set_limits(engine, fixture->queue, &limits), LEAT_UNSUPPORTED);
    CHECK_STATUS(leat_queue_get_info(NULL, fixture->queue, &info), LEAT_INVALID);
    CHECK_STATUS(leat_queue_get_info(engine, fixture->queue, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_queue_get_info(engine, none, &info), LEAT_NOT_FOUND);
    options.full = (enum leat_full_policy)3;
    CHECK_STATUS(leat_queue_create(engine, "bad", &options, &queue), LEAT_INVALID);
    options.full = LEAT_FULL_REJECT;
    options.tenant.bits = 1;
    CHECK_STATUS(leat_queue_create(engine, "bad", &options, &queue), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_queue_find(engine, "bad", &queue), LEAT_NOT_FOUND);
    CHECK_EQUAL(info_of(fixture).waiting_max, 1);
    teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_at_the_limit),
        cmocka_unit_test(bytes_at_the_limit),
        cmocka_unit_test(both_limits),
        cmocka_unit_test(what_gives_room_back),
        cmocka_unit_test(what_takes_room_above_the_limit),
        cmocka_unit_test(refused_later),
        cmocka_unit_test(limits_set_later),
        cmocka_unit_test(what_is_told),
        cmocka_unit_test(queues_of_nobody),
        cmocka_unit_test(batches),
        cmocka_unit_test(payloads_of_all),
        cmocka_unit_test(bad_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
