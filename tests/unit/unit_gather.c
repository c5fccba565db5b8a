/* unit_gather.c - handlers that take batches, exactly, with a lent thread and a clock that the
 * test moves: by count below, at and above it, by delay not a nanosecond early, without a delay
 * what the ring has; who is cancelled, changed, expired or paused meanwhile is not among them;
 * two lists at once, of which one has to wait for a place of its task; each has its own outcome,
 * retry, attempt and times of the statistics; the longest timeout is that of all; caps count
 * jobs; a drain waits for no delay, a stop keeps them; limits of the options. */
#include <stdlib.h>
#include <string.h>

#include "engine/gather.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory.h"

#define SECOND_NS UINT64_C(1000000000)
#define DELAY_NS  (SECOND_NS / 2)
#define JOBS      1024

struct fixture {
    struct leat_engine *engine;
    struct test_clock clock;
    struct test_memory memory;
    leat_type type;
    leat_queue queue;
    leat_job_id ids[JOBS];
    uint32_t calls;
    uint32_t sizes[JOBS]; /* of the calls */
    uint32_t runs;
    uint32_t order[JOBS];           /* what ran */
    struct leat_outcome answers[8]; /* by number, modulo */
    uint64_t pass_ns;               /* the handler takes so long */
    uint64_t left_ns;               /* leat_run_deadline() in the beginning */
    bool several;                   /* types */
    bool told;                      /* all runs are told to end */
    leat_token token;
};

static void
batch(struct leat_run *const *runs, struct leat_outcome *outcomes, size_t count, void *context)
{
    struct fixture *fixture = context;
    CHECK(fixture->calls < JOBS);
    fixture->sizes[fixture->calls++] = (uint32_t)count;
    fixture->left_ns = leat_run_deadline(runs[count - 1]);
    for (uint64_t passed_ns = 0; passed_ns < fixture->pass_ns; passed_ns += SECOND_NS / 8) {
        test_clock_pass(&fixture->clock, fixture->engine, SECOND_NS / 8);
    }
    fixture->told = true;
    for (size_t i = 0; i < count; i++) {
        uint32_t number = *(const uint32_t *)leat_run_payload(runs[i], NULL);
        struct leat_job_info info = test_get(fixture->engine, leat_run_id(runs[i]));
        CHECK_EQUAL(info.state, LEAT_JOB_RUNNING);
        CHECK_EQUAL(info.attempts, leat_run_attempt(runs[i]));
        CHECK_EQUAL(outcomes[i].kind, LEAT_OUTCOME_DONE);
        CHECK(leat_run_type(runs[i]).bits == fixture->type.bits || fixture->several);
        CHECK(fixture->runs < JOBS);
        fixture->order[fixture->runs++] = number;
        fixture->told = fixture->told && leat_run_cancelled(runs[i]);
        fixture->token = leat_run_token(runs[i]);
        outcomes[i] = fixture->answers[number % 8];
    }
}

struct terms {
    uint32_t most;
    uint64_t delay_ns;
    uint32_t running_max;
    uint64_t timeout_ns;
    bool untimed;
    uint32_t tasks_max;
};

static struct fixture *
setup(struct terms terms)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    CHECK(fixture != NULL);
    struct leat_config config = test_config();
    struct leat_type_options options = leat_type_options_default();
    const struct leat_retry_policy at_once = leat_retry_fixed(0);
    test_clock_init(&fixture->clock);
    config.workers = 0;
    config.jobs_max = JOBS;
    config.retained_max = JOBS;
    config.clock = test_clock_of(&fixture->clock);
    config.sample_interval = terms.untimed ? 0 : 1;
    config.tasks_max = terms.tasks_max != 0 ? terms.tasks_max : config.tasks_max;
    test_memory_init(&fixture->memory);
    config.allocator = test_memory_allocator(&fixture->memory);
    fixture->engine = test_start(&config);
    options.batch_max = terms.most;
    options.batch_delay_ns = terms.delay_ns;
    options.running_max = terms.running_max;
    options.timeout_ns = terms.timeout_ns;
    options.retry = &at_once;
    CHECK_OK(
        leat_type_register_batch(fixture->engine, "t", batch, fixture, &options, &fixture->type));
    CHECK_OK(leat_queue_find(fixture->engine, "default", &fixture->queue));
    for (uint32_t i = 0; i < 8; i++) {
        fixture->answers[i] = leat_done();
    }
    return fixture;
}

static struct fixture *
setup_of(uint32_t most, uint64_t delay_ns)
{
    const struct terms terms = {.most = most, .delay_ns = delay_ns};
    return setup(terms);
}

static void
settle(struct fixture *fixture)
{
    enum leat_status status = LEAT_OK;
    while (status == LEAT_OK) {
        status = leat_run_some(fixture->engine, 100, NULL);
    }
    test_engine_check(fixture->engine);
}

static void
pass(struct fixture *fixture, uint64_t ns)
{
    test_clock_pass(&fixture->clock, fixture->engine, ns);
    settle(fixture);
}

static void
give(struct fixture *fixture)
{
    CHECK_EQUAL(test_memory_blocks(&fixture->memory), 0);
    free(fixture);
}

static void
teardown(struct fixture *fixture)
{
    test_finish(fixture->engine);
    give(fixture);
}

static void
submit_with(struct fixture *fixture, uint32_t first, uint32_t end,
            const struct leat_job_options *options)
{
    for (uint32_t i = first; i < end; i++) {
        struct leat_job job = leat_job_default();
        job.type = fixture->type;
        job.payload = &i;
        job.payload_bytes = sizeof(i);
        job.options = options;
        CHECK_OK(leat_submit(fixture->engine, &job, &fixture->ids[i]));
    }
}

static void
submit(struct fixture *fixture, uint32_t first, uint32_t end)
{
    submit_with(fixture, first, end, NULL);
}

/* So many calls so far, and the last one took so many. */
static void
called(const struct fixture *fixture, uint32_t calls, uint32_t size)
{
    CHECK_EQUAL(fixture->calls, calls);
    if (calls > 0) {
        CHECK_EQUAL(fixture->sizes[calls - 1], size);
    }
}

static __attribute__((noinline)) enum leat_job_state
state_of(struct fixture *fixture, uint32_t number)
{
    return test_get(fixture->engine, fixture->ids[number]).state;
}

/* Not inlined: an info is large. */
static __attribute__((noinline)) enum leat_reason
reason_of(struct fixture *fixture, uint32_t number)
{
    return test_get(fixture->engine, fixture->ids[number]).reason;
}

static __attribute__((noinline)) uint32_t
attempts_of(struct fixture *fixture, uint32_t number)
{
    return test_get(fixture->engine, fixture->ids[number]).attempts;
}

/* ---- when ----------------------------------------------------------------------------------- */

static void
by_count(uint32_t most)
{
    struct fixture *fixture = setup_of(most, DELAY_NS);
    submit(fixture, 0, most - 1);
    settle(fixture);
    called(fixture, 0, 0);
    submit(fixture, most - 1, most);
    settle(fixture);
    called(fixture, 1, most);
    submit(fixture, most, 3 * most + (most > 1 ? 1 : 0));
    settle(fixture);
    called(fixture, 3, most);
    for (uint32_t i = 0; i < 3 * most; i++) {
        CHECK_EQUAL(fixture->order[i], i);
        CHECK_EQUAL(state_of(fixture, i), LEAT_JOB_COMPLETED);
    }
    if (most > 1) {
        CHECK_EQUAL(state_of(fixture, 3 * most), LEAT_JOB_PENDING);
        CHECK_EQUAL(test_statistics(fixture->engine).jobs_waiting, 1);
        pass(fixture, DELAY_NS);
        called(fixture, 4, 1);
    }
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_run, fixture->runs);
    teardown(fixture);
}

static void
counts(void **state)
{
    (void)state;
    by_count(1);
    by_count(2);
    by_count(16);
    by_count(LEAT_BATCH_MAX);
}

static void
delays(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(8, DELAY_NS);
    uint64_t due_ns = 0;
    submit(fixture, 0, 1);
    settle(fixture);
    CHECK_OK(leat_next_due(fixture->engine, &due_ns));
    CHECK_EQUAL(due_ns, DELAY_NS);
    pass(fixture, DELAY_NS / 2);
    submit(fixture, 1, 3);
    settle(fixture);
    pass(fixture, DELAY_NS / 2 - 1);
    called(fixture, 0, 0);
    pass(fixture, 1);
    called(fixture, 1, 3);

    /* The time of a list that was taken is not that of the next one. */
    submit(fixture, 3, 10);
    settle(fixture);
    pass(fixture, DELAY_NS / 2);
    submit(fixture, 10, 12);
    settle(fixture);
    called(fixture, 2, 8);
    pass(fixture, DELAY_NS - 1);
    called(fixture, 2, 8);
    pass(fixture, 1);
    called(fixture, 3, 1);
    pass(fixture, 10 * DELAY_NS);
    called(fixture, 3, 1);
    teardown(fixture);
}

static void
no_delay(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(8, 0);
    submit(fixture, 0, 5);
    settle(fixture);
    called(fixture, 1, 5);
    submit(fixture, 5, 25);
    settle(fixture);
    CHECK_EQUAL(fixture->runs, 25);
    called(fixture, 4, 4);
    teardown(fixture);
}

static void
nothing(void *argument)
{
    (void)argument;
}

static struct leat_gather *
newest_of(const struct fixture *fixture)
{
    return atom_load_rlx(&fixture->engine->gathers);
}

/* The task for the list has no room in the ring, again and again. */
static void
no_room(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(8, 0);
    uint32_t posted = 0;
    submit(fixture, 0, 1);
    while (leat_post(fixture->engine, LEAT_PRIORITY_NORMAL, nothing, NULL) == LEAT_OK) {
        posted++;
    }
    CHECK(posted >= 63);
    while (leat_post(fixture->engine, LEAT_PRIORITY_LOW, nothing, NULL) == LEAT_OK) {
    }
    CHECK_OK(leat_run_some(fixture->engine, 1, NULL));
    const struct leat_gather *gather = newest_of(fixture);
    CHECK_EQUAL(gather->count, 1);
    CHECK(!gather->called);
    test_engine_check(fixture->engine);
    settle(fixture);
    called(fixture, 1, 1);
    teardown(fixture);
}

/* The task for a list that was filled meanwhile finds nothing. */
static void
filled_meanwhile(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(8, 0);
    submit(fixture, 0, 8);
    settle(fixture);
    called(fixture, 1, 8);
    teardown(fixture);
}

static void
submit_to(struct fixture *fixture, leat_type type, uint32_t priority, uint32_t number)
{
    struct leat_job job = leat_job_default();
    job.type = type;
    job.priority = priority;
    job.payload = &number;
    job.payload_bytes = sizeof(number);
    CHECK_OK(leat_submit(fixture->engine, &job, &fixture->ids[number]));
}

/* Two lists come due, and the task for one of them has no room: it is looked at again, and only
 * then. What is due next is the first of both. */
static void
two_lists(void **state)
{
    (void)state;
    /* More tasks than a ring has places. */
    const struct terms terms = {.most = 8, .delay_ns = DELAY_NS, .tasks_max = 128};
    struct fixture *fixture = setup(terms);
    struct leat_type_options options = leat_type_options_default();
    leat_type other = {0};
    uint64_t due_ns = 0;
    fixture->several = true;
    options.batch_max = 8;
    options.batch_delay_ns = DELAY_NS / 2;
    CHECK_OK(leat_type_register_batch(fixture->engine, "u", batch, fixture, &options, &other));
    submit_to(fixture, other, LEAT_PRIORITY_NORMAL, 0);
    settle(fixture);
    CHECK_OK(leat_next_due(fixture->engine, &due_ns));
    CHECK_EQUAL(due_ns, DELAY_NS / 2);
    submit_to(fixture, fixture->type, 0, 1);
    settle(fixture);
    CHECK(!leat_gather_advance(fixture->engine));
    while (leat_post(fixture->engine, LEAT_PRIORITY_NORMAL, nothing, NULL) == LEAT_OK) {
    }
    test_clock_pass(&fixture->clock, fixture->engine, DELAY_NS);
    CHECK(leat_gather_advance(fixture->engine));
    CHECK(!newest_of(fixture)->called);
    CHECK(newest_of(fixture)->next->called);
    CHECK(leat_gather_advance(fixture->engine));
    settle(fixture);
    called(fixture, 2, 1);
    CHECK(!leat_gather_advance(fixture->engine));
    submit_to(fixture, fixture->type, 0, 2);
    settle(fixture);
    test_clock_pass(&fixture->clock, fixture->engine, DELAY_NS);
    CHECK(!leat_gather_advance(fixture->engine));
    CHECK(newest_of(fixture)->next->called);
    settle(fixture);
    called(fixture, 3, 1);
    teardown(fixture);
}

/* ---- who is not among them ------------------------------------------------------------------ */

static void
not_among_them(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(8, DELAY_NS);
    struct leat_job_options expires = leat_job_options_default();
    expires.expires_in_ns = DELAY_NS / 4;
    submit(fixture, 0, 4);
    submit_with(fixture, 4, 5, &expires);
    settle(fixture);
    CHECK_OK(leat_cancel(fixture->engine, fixture->ids[1]));
    CHECK_EQUAL(state_of(fixture, 1), LEAT_JOB_CANCELLED);
    CHECK_OK(leat_reschedule(fixture->engine, fixture->ids[2], leat_when_in(10 * DELAY_NS)));
    CHECK_EQUAL(state_of(fixture, 2), LEAT_JOB_SCHEDULED);
    CHECK_OK(leat_priority_set(fixture->engine, fixture->ids[3], 0));
    test_engine_check(fixture->engine);
    pass(fixture, DELAY_NS);
    called(fixture, 1, 1);
    CHECK_EQUAL(fixture->order[0], 0);
    CHECK_EQUAL(state_of(fixture, 4), LEAT_JOB_DEAD);
    CHECK_EQUAL(reason_of(fixture, 4), LEAT_REASON_EXPIRED);
    pass(fixture, DELAY_NS + SECOND_NS / 100);
    called(fixture, 2, 1);
    CHECK_EQUAL(fixture->order[1], 3);
    pass(fixture, 10 * DELAY_NS);
    pass(fixture, DELAY_NS);
    called(fixture, 3, 1);
    CHECK_EQUAL(fixture->order[2], 2);

    /* All of them: there is no call. */
    submit(fixture, 5, 13);
    for (uint32_t i = 5; i < 12; i++) {
        CHECK_OK(leat_run_some(fixture->engine, 1, NULL));
        CHECK_OK(leat_cancel(fixture->engine, fixture->ids[i]));
    }
    CHECK_OK(leat_cancel(fixture->engine, fixture->ids[12]));
    settle(fixture);
    pass(fixture, DELAY_NS);
    called(fixture, 3, 1);
    teardown(fixture);
}

static void
paused(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(4, DELAY_NS);
    submit(fixture, 0, 2);
    settle(fixture);
    CHECK_OK(leat_queue_pause(fixture->engine, fixture->queue));
    pass(fixture, DELAY_NS);
    called(fixture, 0, 0);
    submit(fixture, 2, 4);
    settle(fixture);
    called(fixture, 0, 0);
    CHECK_OK(leat_queue_resume(fixture->engine, fixture->queue));
    settle(fixture);
    called(fixture, 1, 4);
    for (uint32_t i = 0; i < 4; i++) {
        CHECK_EQUAL(fixture->order[i], i);
    }
    teardown(fixture);
}

/* ---- outcomes ------------------------------------------------------------------------------- */

static void
outcomes(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(8, DELAY_NS);
    fixture->answers[1] = leat_fail();
    fixture->answers[2] = leat_retry();
    fixture->answers[3] = leat_retry_in(SECOND_NS);
    fixture->answers[4] = leat_snooze(SECOND_NS);
    fixture->answers[5] = leat_pending();
    fixture->answers[6] = leat_retry();
    submit(fixture, 0, 8);
    settle(fixture);
    called(fixture, 1, 8);
    leat_token token = fixture->token;
    static const enum leat_job_state states[] = {
        LEAT_JOB_COMPLETED, LEAT_JOB_DEAD,    LEAT_JOB_PENDING, LEAT_JOB_RETRYING,
        LEAT_JOB_SCHEDULED, LEAT_JOB_RUNNING, LEAT_JOB_PENDING, LEAT_JOB_COMPLETED};
    for (uint32_t i = 0; i < 8; i++) {
        CHECK_EQUAL(state_of(fixture, i), states[i]);
    }
    token.job = fixture->ids[5].bits;
    CHECK_OK(leat_complete(fixture->engine, token, leat_done(), NULL));
    pass(fixture, DELAY_NS); /* 2 and 6 */
    called(fixture, 2, 2);
    pass(fixture, DELAY_NS); /* their last attempt; 3 and 4 come due a tick behind */
    CHECK_EQUAL(fixture->sizes[2], 2);
    for (uint32_t i = 0; i < 8; i++) {
        fixture->answers[i] = leat_done();
    }
    pass(fixture, SECOND_NS / 100);
    pass(fixture, DELAY_NS);
    CHECK_EQUAL(reason_of(fixture, 2), LEAT_REASON_ATTEMPTS);
    CHECK_EQUAL(attempts_of(fixture, 2), 3);
    CHECK_EQUAL(attempts_of(fixture, 3), 2);
    CHECK_EQUAL(state_of(fixture, 3), LEAT_JOB_COMPLETED);
    CHECK_EQUAL(attempts_of(fixture, 4), 1);
    CHECK_EQUAL(state_of(fixture, 4), LEAT_JOB_COMPLETED);
    CHECK_EQUAL(state_of(fixture, 5), LEAT_JOB_COMPLETED);
    teardown(fixture);
}

static void
timeouts(void **state)
{
    (void)state;
    const struct terms terms = {.most = 3, .delay_ns = DELAY_NS, .timeout_ns = SECOND_NS};
    struct fixture *fixture = setup(terms);
    struct leat_job_options longer = leat_job_options_default();
    longer.timeout_ns = 2 * SECOND_NS;
    submit(fixture, 0, 1);
    submit_with(fixture, 1, 2, &longer);
    submit(fixture, 2, 3);
    fixture->pass_ns = 2 * SECOND_NS - SECOND_NS / 4;
    settle(fixture);
    called(fixture, 1, 3);
    CHECK_EQUAL(fixture->left_ns, 2 * SECOND_NS);
    CHECK(!fixture->told);
    CHECK_EQUAL(state_of(fixture, 0), LEAT_JOB_COMPLETED);

    fixture->pass_ns = 3 * SECOND_NS;
    submit(fixture, 3, 4);
    submit_with(fixture, 4, 5, &longer);
    submit(fixture, 5, 6);
    while (fixture->calls < 2) {
        CHECK_OK(leat_run_some(fixture->engine, 1, NULL));
    }
    CHECK(fixture->told);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_timed_out, 3);
    for (uint32_t i = 3; i < 6; i++) {
        CHECK_EQUAL(state_of(fixture, i), LEAT_JOB_PENDING);
    }
    settle(fixture);
    for (uint32_t i = 3; i < 6; i++) {
        CHECK_EQUAL(state_of(fixture, i), LEAT_JOB_DEAD);
        CHECK_EQUAL(reason_of(fixture, i), LEAT_REASON_TIMEOUT);
    }
    /* One without any: none of them has. */
    longer.timeout_ns = 0;
    submit(fixture, 6, 7);
    submit_with(fixture, 7, 8, &longer);
    submit(fixture, 8, 9);
    settle(fixture);
    CHECK_EQUAL(fixture->left_ns, LEAT_FOREVER);
    CHECK_EQUAL(state_of(fixture, 8), LEAT_JOB_COMPLETED);
    teardown(fixture);
}

/* A cap counts jobs, and below batch_max leaves it to the delay. */
static void
caps(void **state)
{
    (void)state;
    const struct terms terms = {.most = 4, .delay_ns = DELAY_NS, .running_max = 3};
    struct fixture *fixture = setup(terms);
    submit(fixture, 0, 8);
    settle(fixture);
    called(fixture, 0, 0);
    pass(fixture, DELAY_NS);
    called(fixture, 1, 3);
    pass(fixture, DELAY_NS);
    called(fixture, 2, 3);
    pass(fixture, DELAY_NS);
    called(fixture, 3, 2);
    teardown(fixture);
}

/* Each job's wait is that for its first attempt; each attempt has a time. */
static void
samples(void **state)
{
    (void)state;
    for (uint32_t untimed = 0; untimed < 2; untimed++) {
        const struct terms terms = {.most = 3, .delay_ns = DELAY_NS, .untimed = untimed != 0};
        struct fixture *fixture = setup(terms);
        fixture->answers[1] = leat_retry();
        submit(fixture, 0, 3);
        settle(fixture);
        fixture->answers[1] = leat_done();
        pass(fixture, DELAY_NS);
        called(fixture, 2, 1);
        const struct leat_statistics told = test_statistics(fixture->engine);
        CHECK_EQUAL(told.queue_wait.samples, untimed != 0 ? 0 : 3);
        CHECK_EQUAL(told.run_time.samples, untimed != 0 ? 0 : 4);
        teardown(fixture);
    }
}

/* ---- lives of the engine -------------------------------------------------------------------- */

static void
drained(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(8, DELAY_NS);
    submit(fixture, 0, 3);
    settle(fixture);
    submit(fixture, 3, 5);
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    CHECK_EQUAL(fixture->runs, 5);
    called(fixture, 1, 5);
    test_close(fixture->engine);
    give(fixture);
    /* What comes to its list while it drains. */
    fixture = setup_of(8, DELAY_NS);
    submit(fixture, 0, 3);
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    called(fixture, 1, 3);
    test_close(fixture->engine);
    give(fixture);
}

static void
stopped(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(8, DELAY_NS);
    submit(fixture, 0, 3);
    settle(fixture);
    CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
    test_engine_check(fixture->engine);
    CHECK_EQUAL(state_of(fixture, 0), LEAT_JOB_PENDING);
    test_clock_pass(&fixture->clock, fixture->engine, DELAY_NS);
    called(fixture, 0, 0);
    CHECK_OK(leat_start(fixture->engine));
    settle(fixture);
    called(fixture, 1, 3);
    /* And closed with some that wait. */
    submit(fixture, 3, 5);
    settle(fixture);
    test_close(fixture->engine);
    give(fixture);
}

static struct leat_outcome
around(struct leat_run *run, struct leat_next *next, void *context)
{
    (void)run;
    (void)context;
    (void)leat_next_run(next);
    return leat_fail();
}

static void
alone(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(8, DELAY_NS);
    struct leat_engine *engine = fixture->engine;
    struct leat_job job = leat_job_default();
    struct leat_job_info info = leat_job_info_default();
    uint32_t number = 7;
    job.type = fixture->type;
    job.payload = &number;
    job.payload_bytes = sizeof(number);
    CHECK_OK(leat_middleware_add(engine, around, NULL));
    CHECK_STATUS(leat_type_middleware_add(engine, fixture->type, around, NULL), LEAT_UNSUPPORTED);
    CHECK_OK(leat_run_inline(engine, &job, &info, NULL));
    called(fixture, 1, 1);
    CHECK_EQUAL(info.state, LEAT_JOB_COMPLETED);
    struct leat_type_options options = leat_type_options_default();
    options.batch_max = 2;
    CHECK_OK(leat_type_register_batch(engine, "later", batch, fixture, &options, &fixture->type));
    job.type = fixture->type;
    CHECK_OK(leat_run_inline(engine, &job, &info, NULL));
    called(fixture, 2, 1);
    CHECK_EQUAL(info.state, LEAT_JOB_COMPLETED);
    teardown(fixture);
}

static struct leat_outcome
one(struct leat_run *run, void *context)
{
    (void)run;
    (void)context;
    return leat_done();
}

static void
options(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(LEAT_BATCH_MAX, LEAT_RETRY_NS_MAX);
    struct leat_engine *engine = fixture->engine;
    struct leat_type_options given = leat_type_options_default();
    CHECK_STATUS(leat_type_register_batch(engine, "u", batch, NULL, &given, NULL), LEAT_INVALID);
    given.batch_max = LEAT_BATCH_MAX + 1;
    CHECK_STATUS(leat_type_register_batch(engine, "u", batch, NULL, &given, NULL), LEAT_INVALID);
    given.batch_max = 1;
    CHECK_STATUS(leat_type_register(engine, "u", one, NULL, &given, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_type_register_batch(engine, "t", batch, NULL, &given, NULL), LEAT_EXISTS);
    given.batch_delay_ns = LEAT_RETRY_NS_MAX + 1;
    CHECK_STATUS(leat_type_register_batch(engine, "u", batch, NULL, &given, NULL), LEAT_INVALID);
    given.batch_max = 0;
    CHECK_STATUS(leat_type_register(engine, "u", one, NULL, &given, NULL), LEAT_INVALID);
    teardown(fixture);
}

/* What is gathered is in nobody's way: neither for places of a weight's window, nor in the order of
 * its queue. */
static void
gathered_ones_count_as_begun(void **state)
{
    (void)state;
    for (uint32_t exact = 0; exact < 2; exact++) {
        struct fixture *fixture = setup_of(100, DELAY_NS);
        struct leat_queue_options options = leat_queue_options_default();
        leat_queue queue = {0};
        options.weight = exact == 0 ? 1 : 0;
        options.order = exact == 0 ? LEAT_ORDER_FIFO : LEAT_ORDER_EXACT;
        CHECK_OK(leat_queue_create(fixture->engine, "q", &options, &queue));
        for (uint32_t i = 0; i < 20; i++) {
            struct leat_job job = leat_job_default();
            job.type = fixture->type;
            job.queue = queue;
            job.payload = &i;
            job.payload_bytes = sizeof(i);
            CHECK_OK(leat_submit(fixture->engine, &job, &fixture->ids[i]));
        }
        settle(fixture);
        CHECK_EQUAL(fixture->calls, 0);
        pass(fixture, DELAY_NS + SECOND_NS);
        called(fixture, 1, 20);
        teardown(fixture);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts),
        cmocka_unit_test(delays),
        cmocka_unit_test(no_delay),
        cmocka_unit_test(no_room),
        cmocka_unit_test(filled_meanwhile),
        cmocka_unit_test(two_lists),
        cmocka_unit_test(not_among_them),
        cmocka_unit_test(paused),
        cmocka_unit_test(samples),
        cmocka_unit_test(outcomes),
        cmocka_unit_test(timeouts),
        cmocka_unit_test(caps),
        cmocka_unit_test(drained),
        cmocka_unit_test(stopped),
        cmocka_unit_test(alone),
        cmocka_unit_test(options),
        cmocka_unit_test(gathered_ones_count_as_begun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
