/* unit_drop_oldest.c - queues that drop the oldest job for a new one, with a lent thread: which one
 * goes, by level and by order; never one that runs, was run, has waited for a time, is more urgent
 * than the new one, or makes no room; nor for one that is refused; as many as the bytes ask for;
 * what it is then (CANCELLED, DROPPED), also by its completion; where it was in the ring or in a
 * list; a trail of which most have left; memory that is refused. */
#include <stdlib.h>
#include <string.h>

#include "engine/engine_internal.h"
#include "engine/trail.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory.h"

#define JOBS 4096

struct fixture {
    struct leat_engine *engine;
    struct test_clock clock;
    struct test_memory memory;
    leat_type type;
    leat_queue queue;
    enum leat_outcome_kind answer;
    uint32_t runs[JOBS]; /* what ran, in order */
    uint32_t count;
    leat_job_id ids[JOBS]; /* by number */
    enum leat_status inside;
};

static enum leat_status submit(struct fixture *fixture, uint32_t number);

static struct leat_outcome
run(struct leat_run *attempt, void *context)
{
    struct fixture *fixture = context;
    uint32_t number = *(const uint32_t *)leat_run_payload(attempt, NULL);
    fixture->runs[fixture->count++] = number;
    if (fixture->answer == LEAT_OUTCOME_PENDING) {
        fixture->answer = LEAT_OUTCOME_DONE;
        fixture->inside = submit(fixture, number + 1); /* at the limit, beside one that runs */
    }
    return leat_outcome_of(fixture->answer, 0);
}

static struct fixture *
setup_of(uint32_t waiting_max, uint64_t bytes_max)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    CHECK(fixture != NULL);
    struct leat_config config = test_config();
    struct leat_queue_options options = leat_queue_options_default();
    test_clock_init(&fixture->clock);
    config.workers = 0;
    config.jobs_max = 512;
    config.clock = test_clock_of(&fixture->clock);
    test_memory_init(&fixture->memory);
    config.allocator = test_memory_allocator(&fixture->memory);
    fixture->engine = test_start(&config);
    fixture->type = test_register(fixture->engine, "run", run, fixture);
    fixture->answer = LEAT_OUTCOME_DONE;
    options.waiting_max = waiting_max;
    options.waiting_bytes_max = bytes_max;
    options.full = LEAT_FULL_DROP_OLDEST;
    CHECK_OK(leat_queue_create(fixture->engine, "drops", &options, &fixture->queue));
    return fixture;
}

static void
run_all(struct fixture *fixture)
{
    size_t ran = 0;
    for (uint32_t i = 0; i < JOBS && leat_run_some(fixture->engine, 1, &ran) == LEAT_OK; i++) {
    }
}

static void
teardown(struct fixture *fixture)
{
    test_engine_check(fixture->engine);
    run_all(fixture);
    test_close(fixture->engine);
    CHECK_EQUAL(test_memory_blocks(&fixture->memory), 0);
    free(fixture);
}

static struct leat_job
job_of(const struct fixture *fixture, const uint32_t *number)
{
    struct leat_job job = leat_job_default();
    job.type = fixture->type;
    job.queue = fixture->queue;
    job.payload = number;
    job.payload_bytes = sizeof(*number);
    job.max_attempts = 3;
    return job;
}

static enum leat_status
submit_at(struct fixture *fixture, uint32_t number, uint32_t priority)
{
    struct leat_job job = job_of(fixture, &number);
    job.priority = priority;
    return leat_submit(fixture->engine, &job, &fixture->ids[number]);
}

static enum leat_status
submit(struct fixture *fixture, uint32_t number)
{
    return submit_at(fixture, number, LEAT_PRIORITY_OF_QUEUE);
}

static void
check_dropped(struct fixture *fixture, uint32_t number)
{
    struct leat_job_info info = leat_job_info_default();
    CHECK_OK(leat_get(fixture->engine, fixture->ids[number], &info));
    CHECK_EQUAL(info.state, LEAT_JOB_CANCELLED);
    CHECK_EQUAL(info.reason, LEAT_REASON_DROPPED);
}

static void
check_waits(struct fixture *fixture, uint32_t number)
{
    CHECK_EQUAL(test_get(fixture->engine, fixture->ids[number]).state, LEAT_JOB_PENDING);
}

static uint64_t
dropped(struct fixture *fixture)
{
    struct leat_queue_info info = leat_queue_info_default();
    CHECK_OK(leat_queue_get_info(fixture->engine, fixture->queue, &info));
    return info.dropped;
}

/* ---- which ----------------------------------------------------------------------------------- */

static void
the_oldest(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(3, 0);
    for (uint32_t i = 0; i < 3; i++) {
        CHECK_OK(submit(fixture, i));
    }
    CHECK_EQUAL(dropped(fixture), 0);
    CHECK_OK(submit(fixture, 3));
    CHECK_EQUAL(dropped(fixture), 1);
    check_dropped(fixture, 0);
    check_waits(fixture, 1);
    CHECK_OK(leat_cancel(fixture->engine, fixture->ids[1]));
    CHECK_OK(submit(fixture, 4));
    CHECK_EQUAL(dropped(fixture), 1);
    CHECK_OK(submit(fixture, 5));
    check_dropped(fixture, 2);
    CHECK_EQUAL(test_get(fixture->engine, fixture->ids[1]).reason, LEAT_REASON_NONE);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_cancelled, 3);
    run_all(fixture);
    CHECK_EQUAL(fixture->count, 3);
    for (uint32_t i = 0; i < 3; i++) {
        CHECK_EQUAL(fixture->runs[i], i + 3);
    }
    teardown(fixture);
}

static void
the_least_urgent(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(4, 0);
    CHECK_OK(submit_at(fixture, 0, LEAT_PRIORITY_HIGH));
    CHECK_OK(submit_at(fixture, 1, LEAT_PRIORITY_NORMAL));
    CHECK_OK(submit_at(fixture, 2, LEAT_PRIORITY_LOW));
    CHECK_OK(submit_at(fixture, 3, LEAT_PRIORITY_LOW));
    CHECK_OK(submit_at(fixture, 4, LEAT_PRIORITY_LOW));
    check_dropped(fixture, 2);
    CHECK_OK(submit_at(fixture, 5, LEAT_PRIORITY_CRITICAL));
    check_dropped(fixture, 3);
    CHECK_OK(submit_at(fixture, 6, LEAT_PRIORITY_CRITICAL));
    check_dropped(fixture, 4);
    CHECK_STATUS(submit_at(fixture, 7, LEAT_PRIORITY_LOW), LEAT_FULL); /* all are more urgent */
    CHECK_STATUS(submit_at(fixture, 7, LEAT_PRIORITY_NORMAL + 1), LEAT_FULL); /* by one level */
    CHECK_EQUAL(dropped(fixture), 3);
    CHECK_OK(submit_at(fixture, 7, LEAT_PRIORITY_NORMAL));
    check_dropped(fixture, 1);
    CHECK_OK(submit_at(fixture, 8, LEAT_PRIORITY_CRITICAL));
    check_dropped(fixture, 7);
    check_waits(fixture, 0);
    teardown(fixture);
}

static void
as_many_as_bytes_ask_for(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(0, 16);
    unsigned char payload[17] = {0};
    struct leat_job job = leat_job_default();
    for (uint32_t i = 0; i < 4; i++) {
        CHECK_OK(submit(fixture, i));
    }
    job.type = fixture->type;
    job.queue = fixture->queue;
    job.payload = payload;
    job.payload_bytes = 17;
    CHECK_STATUS(leat_submit(fixture->engine, &job, NULL), LEAT_FULL); /* for nothing */
    CHECK_EQUAL(dropped(fixture), 0);
    job.payload_bytes = 9;
    CHECK_OK(leat_submit(fixture->engine, &job, NULL));
    CHECK_EQUAL(dropped(fixture), 3);
    check_dropped(fixture, 2);
    check_waits(fixture, 3);
    job.payload_bytes = 16;
    CHECK_OK(leat_submit(fixture->engine, &job, NULL));
    CHECK_EQUAL(dropped(fixture), 5);
    teardown(fixture);
}

/* ---- which not ------------------------------------------------------------------------------- */

static void
not_what_was_run(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(1, 0);
    size_t ran = 0;
    CHECK_OK(submit(fixture, 0));
    fixture->answer = LEAT_OUTCOME_RETRY;
    CHECK_OK(leat_run_some(fixture->engine, 1, &ran));
    check_waits(fixture, 0);
    CHECK_STATUS(submit(fixture, 1), LEAT_FULL);
    check_waits(fixture, 0);
    fixture->answer = LEAT_OUTCOME_DONE;
    run_all(fixture);
    CHECK_OK(submit(fixture, 1));
    teardown(fixture);
}

static void
not_what_runs(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(1, 0);
    size_t ran = 0;
    CHECK_OK(submit(fixture, 0));
    fixture->answer = LEAT_OUTCOME_PENDING;
    CHECK_OK(leat_run_some(fixture->engine, 1, &ran));
    CHECK_OK(fixture->inside);
    CHECK_EQUAL(test_get(fixture->engine, fixture->ids[0]).state, LEAT_JOB_COMPLETED);
    CHECK_EQUAL(dropped(fixture), 0);
    check_waits(fixture, 1);
    teardown(fixture);
}

static void
not_what_had_a_time(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(2, 0);
    uint32_t number = 0;
    struct leat_job job = job_of(fixture, &number);
    job.delay_ns = 1000000000;
    CHECK_OK(leat_submit(fixture->engine, &job, &fixture->ids[0]));
    number = 1;
    CHECK_OK(leat_submit(fixture->engine, &job, &fixture->ids[1]));
    CHECK_OK(leat_queue_pause(fixture->engine, fixture->queue));
    test_clock_pass(&fixture->clock, fixture->engine, 2000000000);
    run_all(fixture);
    CHECK_STATUS(submit(fixture, 2), LEAT_FULL);
    check_waits(fixture, 0);
    check_waits(fixture, 1);
    CHECK_OK(leat_queue_resume(fixture->engine, fixture->queue));
    teardown(fixture);
}

/* It is put off and comes back; or gets another priority. */
static void
not_what_was_put_off(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(2, 0);
    CHECK_OK(submit(fixture, 0));
    CHECK_OK(submit(fixture, 1));
    CHECK_OK(leat_queue_pause(fixture->engine, fixture->queue));
    CHECK_OK(leat_reschedule(fixture->engine, fixture->ids[0], leat_when_in(1000000000)));
    CHECK_OK(leat_priority_set(fixture->engine, fixture->ids[1], 0));
    test_clock_pass(&fixture->clock, fixture->engine, 2000000000);
    run_all(fixture);
    check_waits(fixture, 0);
    check_waits(fixture, 1);
    CHECK_STATUS(submit(fixture, 2), LEAT_FULL);
    check_waits(fixture, 0);
    check_waits(fixture, 1);
    CHECK_OK(leat_queue_resume(fixture->engine, fixture->queue));
    teardown(fixture);
}

static enum leat_status
submit_unique(struct fixture *fixture, uint32_t number, enum leat_unique_conflict conflict)
{
    struct leat_job job = job_of(fixture, &number);
    struct leat_job_options options = leat_job_options_default();
    options.unique_key = "one";
    options.unique_key_bytes = 3;
    options.unique_conflict = conflict;
    job.options = &options;
    return leat_submit(fixture->engine, &job, &fixture->ids[number]);
}

/* None goes for a job that is not taken, whatever refuses it. */
/* It stands in the line of the queue since its parent has ended, and not since its submit. */
static void
not_what_waited_for_others(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(2, 0);
    struct leat_job_options options = leat_job_options_default();
    uint32_t number = 0;
    struct leat_job job = job_of(fixture, &number);
    job.queue = (leat_queue){0}; /* "default" */
    CHECK_OK(leat_submit(fixture->engine, &job, &fixture->ids[0]));
    number = 1;
    options.parents = fixture->ids;
    options.parents_count = 1;
    job.queue = fixture->queue;
    job.options = &options;
    CHECK_OK(leat_submit(fixture->engine, &job, &fixture->ids[1]));
    CHECK_OK(leat_run_some(fixture->engine, 1, NULL));
    CHECK_EQUAL(test_get(fixture->engine, fixture->ids[1]).state, LEAT_JOB_PENDING);
    CHECK_OK(submit(fixture, 2));
    CHECK_OK(submit(fixture, 3));
    CHECK_EQUAL(test_get(fixture->engine, fixture->ids[1]).state, LEAT_JOB_PENDING);
    CHECK_EQUAL(test_get(fixture->engine, fixture->ids[2]).state, LEAT_JOB_CANCELLED);
    run_all(fixture);
    CHECK_EQUAL(fixture->count, 3);
    teardown(fixture);
}

static void
not_for_one_that_is_refused(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(2, 0);
    CHECK_OK(submit(fixture, 0));
    CHECK_OK(submit_unique(fixture, 1, LEAT_UNIQUE_REJECT));
    CHECK_STATUS(submit_unique(fixture, 2, LEAT_UNIQUE_REJECT), LEAT_EXISTS);
    CHECK_STATUS(submit_unique(fixture, 3, LEAT_UNIQUE_EXISTING), LEAT_JOINED);
    CHECK_STATUS(leat_queue_drain(fixture->engine, fixture->queue, 0), LEAT_TIMEOUT);
    CHECK_STATUS(submit(fixture, 4), LEAT_CLOSED);
    check_waits(fixture, 0);
    check_waits(fixture, 1);
    CHECK_EQUAL(dropped(fixture), 0);
    CHECK_OK(leat_queue_reopen(fixture->engine, fixture->queue));
    /* The one that it replaces makes the room that it needs. */
    CHECK_OK(submit_unique(fixture, 5, LEAT_UNIQUE_REPLACE));
    check_waits(fixture, 0);
    CHECK_EQUAL(dropped(fixture), 0);
    CHECK_OK(submit(fixture, 6));
    check_dropped(fixture, 0);
    teardown(fixture);
}

/* They count for no limit, and make no room: a handler's submit to a queue that is drained. */
static void
not_what_is_not_counted(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(0, 0);
    struct leat_queue_limits limits = leat_queue_limits_default();
    size_t ran = 0;
    limits.full = LEAT_FULL_DROP_OLDEST;
    CHECK_OK(submit(fixture, 0));
    fixture->answer = LEAT_OUTCOME_PENDING;
    CHECK_STATUS(leat_queue_drain(fixture->engine, fixture->queue, 0), LEAT_TIMEOUT);
    CHECK_OK(leat_queue_resume(fixture->engine, fixture->queue));
    while (fixture->count == 0) { /* the pause may have sent it back */
        CHECK_OK(leat_run_some(fixture->engine, 1, &ran));
    }
    CHECK_OK(fixture->inside);
    CHECK_OK(leat_queue_reopen(fixture->engine, fixture->queue));
    limits.waiting_max = 1;
    CHECK_OK(leat_queue_set_limits(fixture->engine, fixture->queue, &limits));
    CHECK_OK(submit(fixture, 2));
    CHECK_OK(submit(fixture, 3));
    check_waits(fixture, 1);
    check_dropped(fixture, 2);
    CHECK_EQUAL(dropped(fixture), 1);
    teardown(fixture);
}

/* More of batches is in unit_batch_room. */
static void
by_batches(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(2, 0);
    uint32_t number = 1;
    struct leat_job jobs[2] = {job_of(fixture, &number), job_of(fixture, &number)};
    CHECK_OK(submit(fixture, 0));
    CHECK_OK(leat_submit_batch(fixture->engine, jobs, 2, LEAT_BATCH_EACH, NULL, NULL));
    check_dropped(fixture, 0);
    run_all(fixture);
    /* What an all-or-none batch brought is dropped as others are. */
    CHECK_OK(leat_submit_batch(fixture->engine, jobs, 2, LEAT_BATCH_ALL_OR_NONE, &fixture->ids[10],
                               NULL));
    CHECK_OK(submit(fixture, 2));
    check_dropped(fixture, 10);
    check_waits(fixture, 11);
    teardown(fixture);
}

/* ---- where ----------------------------------------------------------------------------------- */

/* The ring has 64 places; the others stand in lists. */
static void
in_ring_and_lists(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(100, 0);
    for (uint32_t i = 0; i < 300; i++) {
        CHECK_OK(submit(fixture, i));
    }
    CHECK_EQUAL(dropped(fixture), 200);
    check_dropped(fixture, 0);
    check_dropped(fixture, 199);
    check_waits(fixture, 200);
    test_engine_check(fixture->engine);
    run_all(fixture);
    CHECK_EQUAL(fixture->count, 100);
    for (uint32_t i = 0; i < 100; i++) {
        CHECK_EQUAL(fixture->runs[i], i + 200);
    }
    teardown(fixture);
}

static struct leat_trail *
trail_of(struct fixture *fixture)
{
    return leat_room_trail(fixture->engine, fixture->queue.bits - 1);
}

/* Its trail is tidied behind one that stays. */
static void
a_trail_of_those_that_left(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(2, 0);
    struct leat_trail *trail = trail_of(fixture);
    CHECK_OK(leat_queue_pause(fixture->engine, fixture->queue));
    CHECK_OK(submit(fixture, 0));
    for (uint32_t i = 1; i < 1000; i++) {
        CHECK_OK(submit(fixture, i));
        CHECK_OK(leat_cancel(fixture->engine, fixture->ids[i]));
        if (i % 50 == 0) {
            run_all(fixture); /* gives the records back */
        }
    }
    uint32_t level = leat_queue_options_default().priority;
    CHECK_EQUAL(trail->rows[level].capacity, 64);
    CHECK_OK(submit(fixture, 1000));
    CHECK_OK(submit(fixture, 1001));
    check_dropped(fixture, 0);
    check_waits(fixture, 1000);
    CHECK_EQUAL(dropped(fixture), 1);
    CHECK_OK(leat_queue_resume(fixture->engine, fixture->queue));
    teardown(fixture);
}

/* A row has no more places than it needs, with those of jobs whose records others have by now. */
static void
places_of_a_trail(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(100, 0);
    const struct leat_trail_row *row = &trail_of(fixture)->rows[LEAT_PRIORITY_NORMAL];
    const leat_queue queue = fixture->queue;
    CHECK_OK(leat_queue_pause(fixture->engine, queue));
    CHECK_OK(submit(fixture, 0));
    CHECK_EQUAL(row->capacity, 64);
    for (uint32_t i = 1; i < 40; i++) {
        CHECK_OK(submit(fixture, i));
    }
    CHECK_EQUAL(row->capacity, 64);
    for (uint32_t i = 1; i < 40; i++) {
        CHECK_OK(leat_cancel(fixture->engine, fixture->ids[i]));
    }
    run_all(fixture);
    fixture->queue = (leat_queue){0}; /* "default" */
    uint32_t others = 100;
    while (submit(fixture, others) == LEAT_OK) {
        others++;
    }
    CHECK_EQUAL(others, 100 + 511); /* all records */
    run_all(fixture);
    fixture->queue = queue;
    for (uint32_t i = 40; i < 64; i++) {
        CHECK_OK(submit(fixture, i));
    }
    CHECK_EQUAL(row->end, 64);
    fixture->queue = (leat_queue){0};
    for (uint32_t i = 1000; submit(fixture, i) == LEAT_OK; i++) {
    }
    CHECK_OK(leat_cancel(fixture->engine, fixture->ids[1000]));
    CHECK_OK(leat_run_some(fixture->engine, 1, NULL));
    fixture->queue = queue;
    CHECK_OK(submit(fixture, 64));
    CHECK_EQUAL(row->capacity, 64);
    CHECK_EQUAL(row->end, 1 + 25);
    CHECK_OK(leat_queue_resume(fixture->engine, queue));
    teardown(fixture);
}

/* One that is not noted, for want of memory, is not dropped; those that were are. */
static void
no_memory(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(100, 0);
    const struct leat_trail_row *row = &trail_of(fixture)->rows[LEAT_PRIORITY_NORMAL];
    for (uint32_t i = 0; i < 100; i++) {
        if (i == 0 || i >= 64) {
            test_memory_fail(&fixture->memory, 0, true);
        }
        CHECK_OK(submit(fixture, i));
        test_memory_heal(&fixture->memory);
        CHECK_EQUAL(row->end, i < 64 ? i : 64);
        CHECK_EQUAL(row->capacity, i == 0 ? 0 : 64);
    }
    CHECK_OK(submit(fixture, 100));
    check_waits(fixture, 0);
    check_dropped(fixture, 1);
    teardown(fixture);
}

/* A queue that cannot drop stays as it was; one that drops needs nothing more for that. */
static void
no_memory_to_begin(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(2, 0);
    struct leat_queue_limits limits = leat_queue_limits_default();
    struct leat_queue_info info = leat_queue_info_default();
    leat_queue other = {0};
    CHECK_OK(leat_queue_find(fixture->engine, "default", &other));
    limits.full = LEAT_FULL_DROP_OLDEST;
    limits.waiting_max = 1;
    test_memory_fail(&fixture->memory, 0, true);
    CHECK_STATUS(leat_queue_set_limits(fixture->engine, other, &limits), LEAT_NO_MEMORY);
    CHECK_OK(leat_queue_set_limits(fixture->engine, fixture->queue, &limits));
    test_memory_heal(&fixture->memory);
    CHECK_OK(leat_queue_get_info(fixture->engine, other, &info));
    CHECK_EQUAL(info.full, LEAT_FULL_REJECT);
    CHECK_EQUAL(info.waiting_max, 0);
    teardown(fixture);
}

static bool
next(struct fixture *fixture, uint32_t level, struct leat_trail_look *look, uint32_t bytes)
{
    struct leat_stand stand = {.bytes = 0};
    bool found = leat_trail_next(fixture->engine, trail_of(fixture), level, look, &stand);
    CHECK_EQUAL(stand.bytes, bytes);
    return found;
}

/* Those that would be dropped, in that order. */
static void
a_look(void **state)
{
    (void)state;
    static unsigned char payload[16];
    static const uint32_t levels[] = {LEAT_PRIORITY_NORMAL, LEAT_PRIORITY_LOW, LEAT_PRIORITY_NORMAL,
                                      LEAT_PRIORITY_NORMAL, LEAT_PRIORITY_NORMAL + 1};
    struct fixture *fixture = setup_of(100, 0);
    struct leat_trail_look look = {.rows = LEAT_PRIORITY_LEVELS};
    struct leat_job job = leat_job_default();
    leat_job_id ids[5];
    CHECK_OK(leat_queue_pause(fixture->engine, fixture->queue));
    job.type = fixture->type;
    job.queue = fixture->queue;
    job.payload = payload;
    for (uint32_t i = 0; i < TEST_COUNT_OF(levels); i++) {
        job.priority = levels[i];
        job.payload_bytes = i + 1;
        CHECK_OK(leat_submit(fixture->engine, &job, &ids[i]));
    }
    CHECK_OK(leat_cancel(fixture->engine, ids[2]));
    CHECK(next(fixture, LEAT_PRIORITY_NORMAL + 1, &look, 2));
    CHECK(next(fixture, LEAT_PRIORITY_NORMAL + 1, &look, 5));
    CHECK(!next(fixture, LEAT_PRIORITY_NORMAL + 1, &look, 0));
    look = (struct leat_trail_look){.rows = LEAT_PRIORITY_LEVELS};
    CHECK(next(fixture, 0, &look, 2));
    CHECK(next(fixture, 0, &look, 5));
    CHECK(next(fixture, 0, &look, 1));
    CHECK(next(fixture, 0, &look, 4));
    CHECK(!next(fixture, 0, &look, 0));
    CHECK(!next(fixture, 0, &look, 0));
    CHECK_OK(leat_cancel(fixture->engine, ids[0]));
    CHECK(leat_trail_drop(fixture->engine, trail_of(fixture), LEAT_PRIORITY_LOW));
    job.priority = LEAT_PRIORITY_NORMAL;
    job.payload_bytes = 6; /* those in front are passed by */
    CHECK_OK(leat_submit(fixture->engine, &job, NULL));
    look = (struct leat_trail_look){.rows = LEAT_PRIORITY_LEVELS};
    CHECK(next(fixture, LEAT_PRIORITY_NORMAL, &look, 5));
    CHECK(next(fixture, LEAT_PRIORITY_NORMAL, &look, 4));
    CHECK(next(fixture, LEAT_PRIORITY_NORMAL, &look, 6));
    CHECK(!next(fixture, LEAT_PRIORITY_NORMAL, &look, 0));
    CHECK_OK(leat_queue_purge(fixture->engine, fixture->queue, &(size_t){0}));
    CHECK_OK(leat_queue_resume(fixture->engine, fixture->queue));
    teardown(fixture);
}

/* What was run once would not be dropped, and is not counted as such. */
static void
a_look_at_what_was_run(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(100, 0);
    struct leat_trail_look look = {.rows = LEAT_PRIORITY_LEVELS};
    CHECK_OK(submit(fixture, 0));
    fixture->answer = LEAT_OUTCOME_RETRY;
    CHECK_OK(leat_run_some(fixture->engine, 1, NULL));
    fixture->answer = LEAT_OUTCOME_DONE;
    check_waits(fixture, 0);
    CHECK(!next(fixture, 0, &look, 0));
    teardown(fixture);
}

static void
its_completion(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(1, 0);
    struct leat_completion_queue *completions = NULL;
    struct leat_completion taken;
    uint32_t number = 0;
    size_t count = 0;
    struct leat_job job = job_of(fixture, &number);
    CHECK_OK(leat_completion_queue_create(fixture->engine, 4, &completions));
    job.completions = completions;
    CHECK_OK(leat_submit(fixture->engine, &job, &fixture->ids[0]));
    CHECK_OK(submit(fixture, 1));
    CHECK_OK(leat_completion_queue_take(completions, &taken, 1, &count));
    CHECK_EQUAL(taken.id.bits, fixture->ids[0].bits);
    CHECK_EQUAL(taken.state, LEAT_JOB_CANCELLED);
    CHECK_EQUAL(taken.reason, LEAT_REASON_DROPPED);
    teardown(fixture);
}

/* ---- the policy changes ---------------------------------------------------------------------- */

static void
set_later(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(2, 0);
    struct leat_queue_limits limits = leat_queue_limits_default();
    limits.waiting_max = 2;
    CHECK_OK(leat_queue_set_limits(fixture->engine, fixture->queue, &limits));
    CHECK_OK(submit(fixture, 0));
    CHECK_OK(submit(fixture, 1));
    CHECK_STATUS(submit(fixture, 2), LEAT_FULL);
    limits.full = LEAT_FULL_DROP_OLDEST;
    CHECK_OK(leat_queue_set_limits(fixture->engine, fixture->queue, &limits));
    CHECK_STATUS(submit(fixture, 2), LEAT_FULL); /* those came before */
    limits.waiting_max = 3;
    CHECK_OK(leat_queue_set_limits(fixture->engine, fixture->queue, &limits));
    CHECK_OK(submit(fixture, 2));
    CHECK_OK(submit(fixture, 3));
    check_dropped(fixture, 2);
    limits.waiting_max = 1; /* one less would not do */
    CHECK_OK(leat_queue_set_limits(fixture->engine, fixture->queue, &limits));
    CHECK_STATUS(submit(fixture, 4), LEAT_FULL);
    check_waits(fixture, 3);
    teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_oldest),
        cmocka_unit_test(the_least_urgent),
        cmocka_unit_test(as_many_as_bytes_ask_for),
        cmocka_unit_test(not_what_was_run),
        cmocka_unit_test(not_what_runs),
        cmocka_unit_test(not_what_had_a_time),
        cmocka_unit_test(not_what_was_put_off),
        cmocka_unit_test(not_what_waited_for_others),
        cmocka_unit_test(not_for_one_that_is_refused),
        cmocka_unit_test(not_what_is_not_counted),
        cmocka_unit_test(by_batches),
        cmocka_unit_test(in_ring_and_lists),
        cmocka_unit_test(a_trail_of_those_that_left),
        cmocka_unit_test(places_of_a_trail),
        cmocka_unit_test(no_memory),
        cmocka_unit_test(no_memory_to_begin),
        cmocka_unit_test(a_look),
        cmocka_unit_test(a_look_at_what_was_run),
        cmocka_unit_test(its_completion),
        cmocka_unit_test(set_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
