/* unit_terms.c - what a job has of its own by struct leat_job_options: a timeout and a retry policy
 * instead of its type's, and how long it may wait. What is refused, at every limit, changes
 * nothing; an expired job never runs, wherever it waited, and its end is like any other. */
#include <stdlib.h>
#include <string.h>

#include "engine/engine_internal.h"
#include "engine/terms.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory.h"
#include "tests/support/threads.h"

#define SECOND_NS UINT64_C(1000000000)
#define START_NS  (1000 * SECOND_NS)

struct fixture {
    struct leat_engine *engine;
    struct test_clock clock;
    struct test_memory memory;
    struct test_gate gate;
    struct leat_outcome answer;
    leat_atomic_u32 runs;
    leat_type type;
    uint64_t dead_seen; /* by the last handler */
};

static struct leat_outcome
held_run(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    (void)run;
    (void)atom_add_rlx(&fixture->runs, 1);
    fixture->dead_seen = test_statistics(fixture->engine).jobs_dead;
    test_gate_wait(&fixture->gate);
    return fixture->answer;
}

/* Open, not started. The type's timeout is 80 s. */
static struct fixture *
setup(void)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct leat_config config = test_config();
    struct leat_type_options options = leat_type_options_default();
    const struct leat_retry_policy policy = leat_retry_fixed(0);
    CHECK(fixture != NULL);
    test_memory_init(&fixture->memory);
    config.allocator = test_memory_allocator(&fixture->memory);
    test_clock_init(&fixture->clock);
    config.clock = test_clock_of(&fixture->clock);
    config.jobs_max = 256;
    fixture->engine = test_open(&config);
    test_gate_init(&fixture->gate);
    fixture->answer = leat_done();
    options.timeout_ns = 80 * SECOND_NS;
    options.retry = &policy;
    CHECK_OK(
        leat_type_register(fixture->engine, "held", held_run, fixture, &options, &fixture->type));
    return fixture;
}

static void
teardown(struct fixture *fixture)
{
    test_gate_open(&fixture->gate);
    test_close(fixture->engine);
    CHECK_EQUAL(test_memory_blocks(&fixture->memory), 0);
    test_gate_fini(&fixture->gate);
    free(fixture);
}

static void
run_all(struct fixture *fixture)
{
    test_gate_open(&fixture->gate);
    CHECK_OK(leat_start(fixture->engine));
    CHECK_OK(leat_drain(fixture->engine, TEST_PATIENCE_NS));
}

static struct leat_job
job_with(const struct fixture *fixture, const struct leat_job_options *options)
{
    struct leat_job job = leat_job_default();
    job.type = fixture->type;
    job.flags = LEAT_JOB_KEEP_RESULT;
    job.options = options;
    return job;
}

static leat_job_id
submit(struct fixture *fixture, const struct leat_job_options *options)
{
    leat_job_id id = {0};
    struct leat_job job = job_with(fixture, options);
    CHECK_OK(leat_submit(fixture->engine, &job, &id));
    return id;
}

static leat_job_id
submit_expiring(struct fixture *fixture, uint64_t expires_in_ns)
{
    struct leat_job_options options = leat_job_options_default();
    options.expires_in_ns = expires_in_ns;
    return submit(fixture, &options);
}

/* ---- what is refused ------------------------------------------------------------------------ */

static void
check_refused(struct fixture *fixture, const struct leat_job_options *options,
              enum leat_status want)
{
    struct leat_job jobs[2] = {job_with(fixture, NULL), job_with(fixture, options)};
    leat_job_id ids[2] = {{7}, {7}};
    enum leat_status statuses[2] = {LEAT_OK, LEAT_OK};
    uint64_t blocks = test_memory_blocks(&fixture->memory);
    jobs[1].type = (leat_type){0};
    jobs[1].type_name = "never-heard-of";
    CHECK_STATUS(leat_submit(fixture->engine, &jobs[1], &ids[1]), want);
    CHECK_STATUS(leat_submit_batch(fixture->engine, jobs, 2, LEAT_BATCH_ALL_OR_NONE, ids, statuses),
                 want);
    CHECK_STATUS(statuses[0], LEAT_OK);
    CHECK_STATUS(statuses[1], want);
    CHECK_EQUAL(ids[1].bits, 7);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_submitted, 0);
    CHECK_EQUAL(test_memory_blocks(&fixture->memory), blocks);
    leat_type type;
    CHECK_STATUS(leat_type_find(fixture->engine, "never-heard-of", &type), LEAT_NOT_FOUND);
}

static void
bad_options(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_job_options options;
    memset(&options, 0, sizeof(options));
    check_refused(fixture, &options, LEAT_INVALID);
    options = leat_job_options_default();
    options.version++;
    check_refused(fixture, &options, LEAT_UNSUPPORTED);
    options = leat_job_options_default();
    static const uint64_t timeouts[] = {1, LEAT_TIMEOUT_NS_MIN - 1, LEAT_TIMEOUT_NS_MAX + 1,
                                        LEAT_TIMEOUT_OF_TYPE - 1};
    for (size_t i = 0; i < TEST_COUNT_OF(timeouts); i++) {
        options.timeout_ns = timeouts[i];
        check_refused(fixture, &options, LEAT_INVALID);
    }
    options = leat_job_options_default();
    struct leat_retry_policy policy = leat_retry_fixed(LEAT_RETRY_NS_MAX + 1);
    options.retry = &policy;
    check_refused(fixture, &options, LEAT_INVALID);
    policy = leat_retry_fixed(0);
    policy.version++;
    check_refused(fixture, &options, LEAT_UNSUPPORTED);
    test_engine_check(fixture->engine);
    teardown(fixture);
}

static void
good_options(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_job_options options = leat_job_options_default();
    uint64_t blocks = test_memory_blocks(&fixture->memory);
    CHECK_EQUAL(options.timeout_ns, LEAT_TIMEOUT_OF_TYPE);
    CHECK_EQUAL(options.expires_in_ns, LEAT_FOREVER);
    CHECK(options.retry == NULL);
    /* The defaults are none. */
    (void)submit(fixture, &options);
    CHECK_EQUAL(test_memory_blocks(&fixture->memory), blocks);
    static const uint64_t timeouts[] = {0, LEAT_TIMEOUT_NS_MAX, LEAT_TIMEOUT_NS_MIN};
    for (size_t i = 0; i < TEST_COUNT_OF(timeouts); i++) {
        options.timeout_ns = timeouts[i];
        (void)submit(fixture, &options);
        /* Beside its record's: what it has of its own. */
        CHECK_EQUAL(test_memory_blocks(&fixture->memory), blocks + 2 * (i + 1));
    }
    CHECK_EQUAL(leat_watch_grain_ns(&fixture->engine->watch), TEST_MS);
    run_all(fixture);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_completed, 4);
    teardown(fixture);
}

/* Each allocation fails once: the job is not there, and its completion slot is free again. */
static void
no_memory(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_job_options options = leat_job_options_default();
    static const char payload[2000];
    struct leat_completion_queue *queue = NULL;
    struct leat_job job = job_with(fixture, &options);
    CHECK_OK(leat_completion_queue_create(fixture->engine, 1, &queue));
    options.timeout_ns = 0;
    job.payload = payload;
    job.payload_bytes = sizeof(payload);
    job.completions = queue;
    uint64_t blocks = test_memory_blocks(&fixture->memory);
    for (uint64_t nth = 0; nth < 3; nth++) {
        test_memory_fail(&fixture->memory, nth, false);
        CHECK_STATUS(leat_submit(fixture->engine, &job, NULL), LEAT_NO_MEMORY);
        test_memory_heal(&fixture->memory);
        CHECK_EQUAL(test_memory_blocks(&fixture->memory), blocks);
        CHECK_EQUAL(test_statistics(fixture->engine).jobs_submitted, 0);
    }
    CHECK_OK(leat_submit(fixture->engine, &job, NULL));
    run_all(fixture);
    struct leat_completion completion;
    size_t taken = 0;
    CHECK_OK(leat_completion_queue_take(queue, &completion, 1, &taken));
    CHECK_EQUAL(completion.state, LEAT_JOB_COMPLETED);
    teardown(fixture);
}

/* ---- what it has of its own ----------------------------------------------------------------- */

/* Looks until past `timeout_ns`: not timed out a nanosecond before, and then it is. */
static void
timed_out_after(const struct leat_job_options *options, uint64_t timeout_ns)
{
    struct fixture *fixture = setup();
    CHECK_OK(leat_start(fixture->engine));
    leat_job_id id = submit(fixture, options);
    test_gate_arrivals(&fixture->gate, 1);
    (void)leat_watch_look(fixture->engine, START_NS);
    (void)leat_watch_look(fixture->engine, START_NS + timeout_ns - 1);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_timed_out, 0);
    (void)leat_watch_look(fixture->engine, START_NS + timeout_ns);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_timed_out, 1);
    test_gate_open(&fixture->gate);
    struct leat_job_info info = test_wait(fixture->engine, id);
    CHECK_EQUAL(info.state, LEAT_JOB_COMPLETED);
    CHECK_EQUAL(info.attempts, 2);
    teardown(fixture);
}

static void
own_timeouts(void **state)
{
    (void)state;
    struct leat_job_options options = leat_job_options_default();
    timed_out_after(NULL, 80 * SECOND_NS);
    timed_out_after(&options, 80 * SECOND_NS);
    options.timeout_ns = 1 * SECOND_NS;
    timed_out_after(&options, 1 * SECOND_NS);
    options.timeout_ns = 800 * SECOND_NS;
    timed_out_after(&options, 800 * SECOND_NS);
    /* Of its own, but not this. */
    options.timeout_ns = LEAT_TIMEOUT_OF_TYPE;
    options.expires_in_ns = LEAT_FOREVER - 1;
    timed_out_after(&options, 80 * SECOND_NS);
}

static void
no_timeout_of_its_own(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_job_options options = leat_job_options_default();
    options.timeout_ns = 0;
    CHECK_OK(leat_start(fixture->engine));
    (void)submit(fixture, &options);
    test_gate_arrivals(&fixture->gate, 1);
    for (uint64_t i = 0; i < 10; i++) {
        (void)leat_watch_look(fixture->engine, START_NS + i * 100 * SECOND_NS);
    }
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_timed_out, 0);
    teardown(fixture);
}

/* ---- expiry --------------------------------------------------------------------------------- */

static void
check_expired(struct fixture *fixture, leat_job_id id, uint32_t attempts)
{
    struct leat_job_info info = test_wait(fixture->engine, id);
    CHECK_EQUAL(info.state, LEAT_JOB_DEAD);
    CHECK_EQUAL(info.reason, LEAT_REASON_EXPIRED);
    CHECK_EQUAL(info.attempts, attempts);
}

static void
expired_jobs_never_run(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    leat_job_id now = submit_expiring(fixture, 0);
    leat_job_id soon = submit_expiring(fixture, 1000);
    leat_job_id later = submit_expiring(fixture, 1001);
    leat_job_id last = submit_expiring(fixture, LEAT_FOREVER - 1);
    leat_job_id never = submit_expiring(fixture, LEAT_FOREVER);
    test_clock_pass(&fixture->clock, fixture->engine, 1000);
    run_all(fixture);
    check_expired(fixture, now, 0);
    check_expired(fixture, soon, 0);
    CHECK_EQUAL(test_wait(fixture->engine, later).state, LEAT_JOB_COMPLETED);
    CHECK_EQUAL(test_wait(fixture->engine, last).state, LEAT_JOB_COMPLETED);
    CHECK_EQUAL(test_wait(fixture->engine, never).state, LEAT_JOB_COMPLETED);
    CHECK_EQUAL(atom_load_rlx(&fixture->runs), 3);
    struct leat_statistics sum = test_statistics(fixture->engine);
    CHECK_EQUAL(sum.jobs_dead, 2);
    CHECK_EQUAL(sum.jobs_run, 3);
    teardown(fixture);
}

static void
cancelled_before_it_expired(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    leat_job_id id = submit_expiring(fixture, 0);
    CHECK_OK(leat_cancel(fixture->engine, id));
    run_all(fixture);
    CHECK_EQUAL(test_wait(fixture->engine, id).state, LEAT_JOB_CANCELLED);
    CHECK_EQUAL(test_wait(fixture->engine, id).reason, LEAT_REASON_NONE);
    teardown(fixture);
}

/* Time passes while it is in its handler: that it ends, and is not begun again. */
static struct leat_outcome
fails_late(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    CHECK_OK(leat_run_error(run, "too slow"));
    test_clock_pass(&fixture->clock, fixture->engine, 500);
    return leat_retry();
}

static void
expired_between_attempts(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    fixture->type = test_register(fixture->engine, "late", fails_late, fixture);
    leat_job_id second = submit_expiring(fixture, 1000);
    run_all(fixture);
    check_expired(fixture, second, 2);
    CHECK_TEXT(test_wait(fixture->engine, second).error, "too slow");
    teardown(fixture);
}

/* More than the ring holds: they are ended from the waiting list, their queue has its room again,
 * and their completions come. */
static void
expired_in_lists(void **state)
{
    (void)state;
    enum { JOBS = 150 };
    struct fixture *fixture = setup();
    struct leat_queue_options queue_options = leat_queue_options_default();
    struct leat_job_options options = leat_job_options_default();
    struct leat_completion_queue *completions = NULL;
    static struct leat_completion items[JOBS];
    leat_queue queue = {0};
    size_t taken = 0;
    queue_options.waiting_max = JOBS;
    options.expires_in_ns = 0;
    CHECK_OK(leat_queue_create(fixture->engine, "q", &queue_options, &queue));
    CHECK_OK(leat_completion_queue_create(fixture->engine, JOBS, &completions));
    struct leat_job job = job_with(fixture, &options);
    job.queue = queue;
    job.flags = 0;
    job.completions = completions;
    for (uint32_t i = 0; i < JOBS; i++) {
        CHECK_OK(leat_submit(fixture->engine, &job, NULL));
    }
    test_engine_check(fixture->engine);
    run_all(fixture);
    CHECK_EQUAL(atom_load_rlx(&fixture->runs), 0);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_dead, JOBS);
    CHECK_EQUAL(leat_quota_used(&fixture->engine->rooms.queues[queue.bits - 1].room.jobs), 0);
    CHECK_OK(leat_completion_queue_take(completions, items, JOBS, &taken));
    CHECK_EQUAL(taken, JOBS);
    for (uint32_t i = 0; i < JOBS; i++) {
        CHECK_EQUAL(items[i].state, LEAT_JOB_DEAD);
        CHECK_EQUAL(items[i].reason, LEAT_REASON_EXPIRED);
    }
    teardown(fixture);
}

/* Those in the list are ended while those in the ring, which came before, still wait. */
static void
expired_behind_a_full_ring(void **state)
{
    (void)state;
    enum { RING = 64, JOBS = 20 };
    struct fixture *fixture = setup();
    for (uint32_t i = 0; i < RING; i++) {
        (void)test_submit(fixture->engine, fixture->type);
    }
    leat_job_id last = {0};
    uint32_t index = 0;
    for (uint32_t i = 0; i < JOBS; i++) {
        last = submit_expiring(fixture, 0);
    }
    run_all(fixture);
    /* It was ended as a new attempt: tokens of the one before do not fit. */
    CHECK_OK(leat_job_locate(fixture->engine, last, &index));
    uint64_t word = atom_load_rlx(leat_slab_word(&fixture->engine->jobs, index));
    CHECK_EQUAL(word & LEAT_WORD_ATTEMPT, leat_word_attempt(1));
    CHECK_EQUAL(atom_load_rlx(&fixture->runs), RING);
    CHECK_EQUAL(fixture->dead_seen, JOBS);
    teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_options),
        cmocka_unit_test(good_options),
        cmocka_unit_test(no_memory),
        cmocka_unit_test(own_timeouts),
        cmocka_unit_test(no_timeout_of_its_own),
        cmocka_unit_test(expired_jobs_never_run),
        cmocka_unit_test(cancelled_before_it_expired),
        cmocka_unit_test(expired_between_attempts),
        cmocka_unit_test(expired_in_lists),
        cmocka_unit_test(expired_behind_a_full_ring),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
