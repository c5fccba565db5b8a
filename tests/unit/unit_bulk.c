/* unit_bulk.c - leat_submit_bulk(): chunks of all lengths, each on its own or all or none; what is
 * told of jobs that were refused, refused with others, or not tried; a stop at the first error, and
 * by who is told how far it is; a rate, to the nanosecond, by a clock that is moved by hand; its
 * time; a drain and a stop while it sleeps; handlers; mistakes, which change nothing. */
#include <stdlib.h>
#include <string.h>

#include "engine/engine_internal.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/fake_clock.h"
#include "tests/support/threads.h"

#define JOBS 100
#define MS   UINT64_C(1000000)

struct fixture {
    struct leat_engine *engine;
    struct test_clock clock;
    leat_type type;
    leat_type inner;
    leat_queue queue; /* 3 jobs may wait */
    struct leat_bulk bulk;
    struct leat_job jobs[JOBS];
    leat_job_id ids[JOBS];
    enum leat_status statuses[JOBS];
    struct leat_bulk_progress told[JOBS];
    uint32_t told_count;
    uint32_t stop_after; /* calls of progress; 0: never */
    enum leat_status answer;
    struct test_threads threads;
};

static struct leat_outcome
run(struct leat_run *attempt, void *context)
{
    (void)attempt;
    (void)context;
    return leat_done();
}

static struct leat_outcome
run_inner(struct leat_run *attempt, void *context)
{
    struct fixture *fixture = context;
    (void)attempt;
    fixture->answer = leat_submit_bulk(fixture->engine, &fixture->bulk);
    return leat_done();
}

static bool
told(const struct leat_bulk_progress *progress, void *context)
{
    struct fixture *fixture = context;
    CHECK_EQUAL(progress->size, sizeof(*progress));
    CHECK_EQUAL(progress->total, fixture->bulk.count);
    fixture->told[fixture->told_count++] = *progress;
    return fixture->told_count != fixture->stop_after;
}

static void
reset(struct fixture *fixture)
{
    for (uint32_t i = 0; i < JOBS; i++) {
        fixture->jobs[i] = leat_job_default();
        fixture->jobs[i].type = fixture->type;
        fixture->ids[i].bits = 99;
        fixture->statuses[i] = LEAT_CORRUPT;
    }
    fixture->bulk = leat_bulk_default();
    fixture->bulk.jobs = fixture->jobs;
    fixture->bulk.ids = fixture->ids;
    fixture->bulk.statuses = fixture->statuses;
    fixture->bulk.progress = told;
    fixture->bulk.context = fixture;
    fixture->told_count = 0;
    fixture->stop_after = 0;
}

static struct fixture *
setup_of(uint32_t workers, bool fake)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    CHECK(fixture != NULL);
    struct leat_config config = test_config();
    struct leat_queue_options options = leat_queue_options_default();
    test_clock_init(&fixture->clock);
    config.workers = workers;
    config.jobs_max = 1000;
    if (fake) {
        config.clock = test_clock_of(&fixture->clock);
    }
    fixture->engine = test_start(&config);
    fixture->type = test_register(fixture->engine, "run", run, fixture);
    fixture->inner = test_register(fixture->engine, "inner", run_inner, fixture);
    options.waiting_max = 3;
    CHECK_OK(leat_queue_create(fixture->engine, "three", &options, &fixture->queue));
    reset(fixture);
    return fixture;
}

static struct fixture *
setup(void)
{
    return setup_of(0, true);
}

static void
teardown(struct fixture *fixture)
{
    test_close(fixture->engine);
    free(fixture);
}

static enum leat_status
submit(struct fixture *fixture, size_t count)
{
    fixture->bulk.count = count;
    return leat_submit_bulk(fixture->engine, &fixture->bulk);
}

static uint64_t
submitted(struct fixture *fixture)
{
    return test_statistics(fixture->engine).jobs_submitted;
}

/* Jobs first .. first + count have this status, and an id if they were taken. */
static void
are(struct fixture *fixture, uint32_t first, uint32_t count, enum leat_status want)
{
    for (uint32_t i = first; i < first + count; i++) {
        CHECK_STATUS(fixture->statuses[i], want);
        CHECK((fixture->ids[i].bits != 0) == (want == LEAT_OK));
        CHECK(fixture->ids[i].bits != 99);
    }
    CHECK_EQUAL(fixture->ids[first + count].bits == 99, first + count == fixture->bulk.count);
}

static void
told_are(struct fixture *fixture, uint32_t call, size_t done, size_t refused)
{
    CHECK(call < fixture->told_count);
    CHECK_EQUAL(fixture->told[call].done, done);
    CHECK_EQUAL(fixture->told[call].refused, refused);
}

/* ---- chunks ---------------------------------------------------------------------------------- */

static void
chunks(void **state)
{
    (void)state;
    static const enum leat_batch_mode modes[] = {LEAT_BATCH_EACH, LEAT_BATCH_ALL_OR_NONE};
    static const size_t lengths[] = {0, 1, 9, 10, 11, SIZE_MAX};
    static const uint32_t calls[] = {1, 10, 2, 1, 1, 1};
    for (size_t i = 0; i < TEST_COUNT_OF(modes) * TEST_COUNT_OF(lengths); i++) {
        struct fixture *fixture = setup();
        size_t length = i % TEST_COUNT_OF(lengths);
        fixture->bulk.mode = modes[i / TEST_COUNT_OF(lengths)];
        fixture->bulk.chunk = lengths[length];
        CHECK_OK(submit(fixture, 0));
        CHECK_EQUAL(fixture->told_count, 0);
        CHECK_OK(submit(fixture, 10));
        are(fixture, 0, 10, LEAT_OK);
        CHECK_EQUAL(fixture->told_count, calls[length]);
        told_are(fixture, calls[length] - 1, 10, 0);
        CHECK_EQUAL(submitted(fixture), 10);
        fixture->bulk.ids = NULL;
        fixture->bulk.statuses = NULL;
        fixture->bulk.progress = NULL;
        CHECK_OK(submit(fixture, 10));
        CHECK_EQUAL(submitted(fixture), 20);
        teardown(fixture);
    }
}

/* What was taken stays. Of a refused chunk the culprits are named; or it is the room. */
static void
chunks_are_refused(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    fixture->bulk.mode = LEAT_BATCH_ALL_OR_NONE;
    fixture->bulk.chunk = 4;
    fixture->jobs[5].reserved = 1;
    for (uint32_t i = 8; i < 12; i++) {
        fixture->jobs[i].queue = fixture->queue;
    }
    CHECK_STATUS(submit(fixture, 14), LEAT_UNSUPPORTED);
    are(fixture, 0, 4, LEAT_OK);
    are(fixture, 4, 1, LEAT_SKIPPED);
    are(fixture, 5, 1, LEAT_UNSUPPORTED);
    are(fixture, 6, 2, LEAT_SKIPPED);
    are(fixture, 8, 4, LEAT_FULL);
    are(fixture, 12, 2, LEAT_OK);
    CHECK_EQUAL(fixture->told_count, 4);
    told_are(fixture, 1, 4, 4);
    told_are(fixture, 3, 6, 8);
    CHECK_EQUAL(submitted(fixture), 6);
    fixture->bulk.ids = NULL;
    fixture->bulk.statuses = NULL;
    CHECK_STATUS(submit(fixture, 14), LEAT_UNSUPPORTED);
    CHECK_EQUAL(submitted(fixture), 12);
    teardown(fixture);
}

static void
each_is_refused(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    fixture->bulk.chunk = 4;
    for (uint32_t i = 0; i < 5; i++) {
        fixture->jobs[i].queue = fixture->queue;
    }
    fixture->jobs[6].reserved = 1;
    CHECK_STATUS(submit(fixture, 9), LEAT_FULL);
    are(fixture, 0, 3, LEAT_OK);
    are(fixture, 3, 2, LEAT_FULL);
    are(fixture, 5, 1, LEAT_OK);
    are(fixture, 6, 1, LEAT_UNSUPPORTED);
    are(fixture, 7, 2, LEAT_OK);
    told_are(fixture, 0, 3, 1);
    told_are(fixture, 2, 6, 3);
    teardown(fixture);
}

/* ---- stops ----------------------------------------------------------------------------------- */

static void
stops_at_an_error(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    fixture->bulk.stop_at_error = true;
    fixture->bulk.chunk = 4;
    fixture->jobs[5].reserved = 1;
    CHECK_STATUS(submit(fixture, 12), LEAT_UNSUPPORTED);
    are(fixture, 0, 5, LEAT_OK);
    are(fixture, 5, 1, LEAT_UNSUPPORTED);
    are(fixture, 6, 6, LEAT_SKIPPED);
    CHECK_EQUAL(fixture->told_count, 2);
    told_are(fixture, 1, 5, 1);
    fixture->bulk.mode = LEAT_BATCH_ALL_OR_NONE;
    CHECK_STATUS(submit(fixture, 12), LEAT_UNSUPPORTED);
    are(fixture, 0, 4, LEAT_OK);
    are(fixture, 4, 1, LEAT_SKIPPED);
    are(fixture, 5, 1, LEAT_UNSUPPORTED);
    are(fixture, 6, 6, LEAT_SKIPPED);
    told_are(fixture, 3, 4, 4);
    CHECK_EQUAL(submitted(fixture), 9);
    fixture->jobs[5].reserved = 0;
    fixture->jobs[11].reserved = 1; /* the last one of all */
    fixture->bulk.mode = LEAT_BATCH_EACH;
    CHECK_STATUS(submit(fixture, 12), LEAT_UNSUPPORTED);
    are(fixture, 0, 11, LEAT_OK);
    are(fixture, 11, 1, LEAT_UNSUPPORTED);
    teardown(fixture);
}

static void
is_told_to_stop(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    fixture->bulk.chunk = 4;
    fixture->stop_after = 2;
    CHECK_STATUS(submit(fixture, 12), LEAT_SKIPPED);
    are(fixture, 0, 8, LEAT_OK);
    are(fixture, 8, 4, LEAT_SKIPPED);
    reset(fixture);
    fixture->bulk.chunk = 4;
    fixture->stop_after = 3; /* behind the last one there is nothing to stop */
    CHECK_OK(submit(fixture, 12));
    reset(fixture);
    fixture->bulk.chunk = 4;
    fixture->stop_after = 1;
    fixture->jobs[0].reserved = 1;
    CHECK_STATUS(submit(fixture, 12), LEAT_UNSUPPORTED);
    are(fixture, 4, 8, LEAT_SKIPPED);
    teardown(fixture);
}

/* ---- a rate ---------------------------------------------------------------------------------- */

static void
submitter(void *shared, uint32_t number)
{
    struct fixture *fixture = shared;
    (void)number;
    fixture->answer = leat_submit_bulk(fixture->engine, &fixture->bulk);
}

static void
begin(struct fixture *fixture, size_t count)
{
    fixture->bulk.count = count;
    fixture->answer = LEAT_CORRUPT;
    test_threads_start(&fixture->threads, 1, submitter, fixture);
}

static void
end(struct fixture *fixture, enum leat_status want)
{
    test_threads_join(&fixture->threads);
    CHECK_STATUS(fixture->answer, want);
}

struct count {
    struct fixture *fixture;
    uint64_t count;
};

static bool
came(void *argument)
{
    struct count *count = argument;
    return submitted(count->fixture) == count->count;
}

/* By now so many jobs have been submitted, and no more. */
static void
comes(struct fixture *fixture, uint64_t count)
{
    struct count wanted = {fixture, count};
    CHECK(test_until(came, &wanted));
    test_sleep_ns(TEST_MS);
    CHECK_EQUAL(submitted(fixture), count);
}

static void
pass(struct fixture *fixture, uint64_t ns)
{
    test_clock_pass(&fixture->clock, fixture->engine, ns);
}

/* 3 jobs in 10 ms, 4 at once: the fifth comes 3 333 334 ns behind the first. */
static void
to_the_nanosecond(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    fixture->bulk.rate = leat_rate_of(3, 10 * MS, 4);
    fixture->bulk.chunk = 1;
    begin(fixture, 8);
    comes(fixture, 4);
    pass(fixture, 3333333);
    comes(fixture, 4);
    pass(fixture, 1);
    comes(fixture, 5);
    pass(fixture, 6666666);
    comes(fixture, 7);
    pass(fixture, 3333333);
    comes(fixture, 7);
    pass(fixture, 1);
    end(fixture, LEAT_OK);
    CHECK_EQUAL(submitted(fixture), 8);
    CHECK_EQUAL(fixture->told_count, 8);
    teardown(fixture);
}

/* A chunk waits for all of its tokens; without a length it has the burst's, or the rate's. What a
 * full bucket did not take is lost. */
static void
by_chunks(void **state)
{
    (void)state;
    for (uint32_t way = 0; way < 4; way++) {
        struct fixture *fixture = setup();
        fixture->bulk.rate = leat_rate_of(10, 10 * MS, way == 2 ? 0 : 10);
        fixture->bulk.chunk = way == 0 ? 10 : 0;
        if (way == 3) {
            fixture->bulk.mode = LEAT_BATCH_ALL_OR_NONE;
            fixture->bulk.chunk = 10;
        }
        begin(fixture, 25);
        comes(fixture, 10);
        pass(fixture, 10 * MS - 1);
        comes(fixture, 10);
        pass(fixture, 1);
        comes(fixture, 20);
        pass(fixture, 5 * MS - 1); /* the last chunk has 5 */
        comes(fixture, 20);
        pass(fixture, 100 * MS);
        end(fixture, LEAT_OK);
        CHECK_EQUAL(fixture->told_count, 3);
        teardown(fixture);
    }
}

/* The bucket is full at most, however late the next chunk comes. */
static void
no_more_than_the_burst(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    fixture->bulk.rate = leat_rate_of(1, 10 * MS, 2);
    fixture->bulk.chunk = 1;
    begin(fixture, 7);
    comes(fixture, 2);
    pass(fixture, 1000 * MS);
    comes(fixture, 4);
    pass(fixture, 10 * MS - 1);
    comes(fixture, 4);
    pass(fixture, 1);
    comes(fixture, 5);
    pass(fixture, 1000 * MS);
    end(fixture, LEAT_OK);
    teardown(fixture);
}

/* Numbers at their ends. */
static void
extremes(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    fixture->bulk.rate = leat_rate_of(1, LEAT_RATE_NS_MAX, LEAT_RATE_BURST_MAX);
    CHECK_OK(submit(fixture, 10));
    fixture->bulk.rate = leat_rate_of(LEAT_RATE_JOBS_MAX, LEAT_RATE_JOBS_MAX, 1);
    fixture->bulk.chunk = 1;
    CHECK_OK(submit(fixture, 1));
    begin(fixture, 2);
    comes(fixture, 12);
    pass(fixture, 1);
    end(fixture, LEAT_OK);
    teardown(fixture);
}

/* With the system's clock, and threads of its own. */
static void
by_the_system(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(1, false);
    fixture->bulk.rate = leat_rate_of(10, 20 * MS, 1);
    uint64_t begin_ns = test_now_ns();
    CHECK_OK(submit(fixture, 11));
    CHECK(test_now_ns() - begin_ns >= 20 * MS);
    CHECK_EQUAL(fixture->told_count, 11);
    CHECK_OK(leat_drain(fixture->engine, TEST_PATIENCE_NS));
    teardown(fixture);
}

/* ---- its time -------------------------------------------------------------------------------- */

static void
time_is_over(void **state)
{
    (void)state;
    for (uint32_t way = 0; way < 3; way++) {
        struct fixture *fixture = setup();
        fixture->bulk.rate = leat_rate_of(1, 10 * MS, 1);
        fixture->bulk.timeout_ns = way == 0 ? 10 * MS : 10 * MS + 1;
        begin(fixture, 3);
        comes(fixture, 1);
        pass(fixture, way == 2 ? 100 * MS : 10 * MS);
        if (way == 1) {
            comes(fixture, 2);
            pass(fixture, 1);
        }
        end(fixture, LEAT_TIMEOUT);
        are(fixture, 0, way == 1 ? 2 : 1, LEAT_OK);
        are(fixture, way == 1 ? 2 : 1, way == 1 ? 1 : 2, LEAT_TIMEOUT);
        CHECK_EQUAL(fixture->told_count, way == 1 ? 2 : 1);
        teardown(fixture);
    }
}

static bool
passes(const struct leat_bulk_progress *progress, void *context)
{
    (void)progress;
    pass(context, MS);
    return true;
}

/* Without a rate: between chunks. */
static void
time_is_over_between(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    fixture->bulk.progress = passes;
    fixture->bulk.chunk = 2;
    fixture->bulk.timeout_ns = 2 * MS + 1;
    CHECK_STATUS(submit(fixture, 10), LEAT_TIMEOUT);
    are(fixture, 0, 6, LEAT_OK);
    are(fixture, 6, 4, LEAT_TIMEOUT);
    fixture->bulk.timeout_ns = 2 * MS;
    CHECK_STATUS(submit(fixture, 10), LEAT_TIMEOUT);
    are(fixture, 4, 6, LEAT_TIMEOUT);
    fixture->bulk.timeout_ns = UINT64_MAX;
    CHECK_OK(submit(fixture, 10));
    teardown(fixture);
}

/* It also ends a wait for room; also of a submit that its queue lets wait for ever. */
static void
time_is_over_for_room(void **state)
{
    (void)state;
    for (uint32_t all = 0; all < 2; all++) {
        struct fixture *fixture = setup_of(1, false);
        struct leat_queue_limits limits = leat_queue_limits_default();
        limits.full = LEAT_FULL_BLOCK;
        limits.waiting_max = 3;
        CHECK_OK(leat_queue_set_limits(fixture->engine, fixture->queue, &limits));
        CHECK_OK(leat_queue_pause(fixture->engine, fixture->queue));
        for (uint32_t i = 0; i < 6; i++) {
            fixture->jobs[i].queue = fixture->queue;
        }
        fixture->bulk.mode = all != 0 ? LEAT_BATCH_ALL_OR_NONE : LEAT_BATCH_EACH;
        fixture->bulk.chunk = 2;
        fixture->bulk.timeout_ns = 5 * MS;
        uint64_t begin_ns = test_now_ns();
        CHECK_STATUS(submit(fixture, 8), LEAT_TIMEOUT);
        CHECK(test_now_ns() - begin_ns >= 5 * MS);
        uint32_t taken = all != 0 ? 2 : 3;
        are(fixture, 0, taken, LEAT_OK);
        are(fixture, taken, 8 - taken, LEAT_TIMEOUT);
        CHECK_EQUAL(fixture->told_count, 2);
        told_are(fixture, 1, taken, 4 - taken);
        teardown(fixture);
    }
}

/* ---- who ends it, and who may not ------------------------------------------------------------ */

static void
closed(void **state)
{
    (void)state;
    for (uint32_t stop = 0; stop < 2; stop++) {
        struct fixture *fixture = setup_of(1, true);
        fixture->bulk.rate = leat_rate_of(1, 10 * MS, 1);
        begin(fixture, 3);
        comes(fixture, 1);
        CHECK_OK(stop != 0 ? leat_stop(fixture->engine, LEAT_FOREVER)
                           : leat_drain(fixture->engine, TEST_PATIENCE_NS));
        end(fixture, LEAT_CLOSED);
        are(fixture, 1, 2, LEAT_CLOSED);
        teardown(fixture);
    }
}

/* A rate would have a worker sleep; all else is as from outside. */
static void
handlers(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(1, false);
    struct leat_job job = leat_job_default();
    leat_job_id id = {0};
    job.type = fixture->inner;
    job.flags = LEAT_JOB_KEEP_RESULT;
    fixture->bulk.count = 4;
    fixture->bulk.chunk = 1;
    fixture->bulk.rate = leat_rate_of(100, 100, 100);
    CHECK_OK(leat_submit(fixture->engine, &job, &id));
    (void)test_wait(fixture->engine, id);
    CHECK_STATUS(fixture->answer, LEAT_WRONG_STATE);
    CHECK_EQUAL(fixture->told_count, 0);
    CHECK_EQUAL(fixture->ids[0].bits, 99);
    fixture->bulk.rate.jobs = 0;
    CHECK_OK(leat_submit(fixture->engine, &job, &id));
    (void)test_wait(fixture->engine, id);
    CHECK_STATUS(fixture->answer, LEAT_OK);
    are(fixture, 0, 4, LEAT_OK);
    teardown(fixture);
}

static void
wrong(struct fixture *fixture, size_t count, enum leat_status want)
{
    CHECK_STATUS(submit(fixture, count), want);
    CHECK_EQUAL(fixture->ids[0].bits, 99);
    CHECK_STATUS(fixture->statuses[0], LEAT_CORRUPT);
    CHECK_EQUAL(fixture->told_count, 0);
    CHECK_EQUAL(submitted(fixture), 0);
}

static void
mistakes(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    fixture->bulk.mode = (enum leat_batch_mode)2;
    wrong(fixture, 1, LEAT_INVALID);
    fixture->bulk.mode = LEAT_BATCH_EACH;
    fixture->bulk.jobs = NULL;
    wrong(fixture, 1, LEAT_INVALID);
    fixture->bulk.jobs = fixture->jobs;
    fixture->bulk.rate = leat_rate_of(11, 10, 1);
    wrong(fixture, 1, LEAT_INVALID);
    fixture->bulk.rate = leat_rate_of(5, 10, 4);
    fixture->bulk.chunk = 5;
    wrong(fixture, 1, LEAT_INVALID);
    fixture->bulk.rate.burst = 0; /* as jobs */
    fixture->bulk.chunk = 6;
    wrong(fixture, 1, LEAT_INVALID);
    fixture->bulk.mode = LEAT_BATCH_ALL_OR_NONE;
    fixture->bulk.chunk = 0;
    wrong(fixture, 6, LEAT_INVALID);
    fixture->jobs[0].size = 4;
    wrong(fixture, 2, LEAT_INVALID);
    fixture->jobs[0].size = (uint32_t)sizeof(struct leat_job);
    fixture->bulk.size = 4;
    wrong(fixture, 1, LEAT_INVALID);
    fixture->bulk.size = (uint32_t)sizeof(struct leat_bulk);
    fixture->bulk.version = LEAT_STRUCT_VERSION + 1;
    wrong(fixture, 1, LEAT_UNSUPPORTED);
    fixture->bulk.version = LEAT_STRUCT_VERSION;
    CHECK_OK(submit(fixture, 5));
    teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunks),
        cmocka_unit_test(chunks_are_refused),
        cmocka_unit_test(each_is_refused),
        cmocka_unit_test(stops_at_an_error),
        cmocka_unit_test(is_told_to_stop),
        cmocka_unit_test(to_the_nanosecond),
        cmocka_unit_test(by_chunks),
        cmocka_unit_test(no_more_than_the_burst),
        cmocka_unit_test(extremes),
        cmocka_unit_test(by_the_system),
        cmocka_unit_test(time_is_over),
        cmocka_unit_test(time_is_over_between),
        cmocka_unit_test(time_is_over_for_room),
        cmocka_unit_test(closed),
        cmocka_unit_test(handlers),
        cmocka_unit_test(mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
