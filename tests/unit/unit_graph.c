/* unit_graph.c - jobs that wait for others, see engine/graph.h: no workers, a fake clock, exact
 * results. Handlers note the first letter of their payload, and answer what its next letters say;
 * so the order of attempts is a word. I1 to I4 are looked at, with all places, whenever a test says
 * so and at its end. */
#include "engine/graph.h"

#include <string.h>

#include "engine/limits.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory.h"

#define S         UINT64_C(1000000000)
#define JOBS      4096
#define NOTES_MAX (2 * JOBS)

struct fixture {
    struct test_clock clock;
    struct test_memory memory;
    struct leat_engine *engine;
    leat_type type;
    char notes[NOTES_MAX];
    uint32_t count;
    leat_token token; /* of the last one that answered pending */
    char heard[64];   /* results of the parents of the last one that asked */
    leat_job_id last; /* the last one that a handler submitted */
};

static leat_job_id submit(struct fixture *fixture, const char *text, const leat_job_id *parents,
                          uint32_t count);

static void
hear(struct fixture *fixture, const struct leat_run *run)
{
    size_t at = 0;
    uint32_t count = leat_run_parents(run, NULL, 0);
    for (uint32_t i = 0; i < count; i++) {
        size_t bytes = 0;
        CHECK_OK(leat_run_parent_result(run, i, fixture->heard + at, 8, &bytes));
        at += bytes;
    }
    fixture->heard[at] = '\0';
    CHECK_STATUS(leat_run_parent_result(run, count, NULL, 0, NULL), LEAT_INVALID);
}

/* A payload: its letter, and one for each attempt: r retry at once, p pending, f fail, s says its
 * letter as its result, h hears those of its parents, c submits a child of its own; others, done.
 */
static struct leat_outcome
run(struct leat_run *attempt, void *context)
{
    struct fixture *fixture = context;
    const char *text = leat_run_payload(attempt, NULL);
    leat_job_id self = leat_run_id(attempt);
    CHECK(fixture->count < NOTES_MAX - 1);
    fixture->notes[fixture->count++] = text[0];
    switch (text[leat_run_token(attempt).attempt]) {
    case 'r':
        return leat_retry_in(0);
    case 'p':
        fixture->token = leat_run_token(attempt);
        return leat_pending();
    case 'f':
        return leat_fail();
    case 's':
        CHECK_OK(leat_run_result(attempt, text, 1));
        return leat_done();
    case 'h':
        hear(fixture, attempt);
        return leat_done();
    case 'c':
        fixture->last = submit(fixture, "k", &self, 1);
        return leat_done();
    default:
        return leat_done();
    }
}

static struct fixture *
setup_with(uint32_t retained_max, uint32_t dead_max)
{
    static struct fixture fixture;
    struct leat_config config = test_config();
    memset(&fixture, 0, sizeof(fixture));
    test_clock_init(&fixture.clock);
    test_memory_init(&fixture.memory);
    config.workers = 0;
    config.jobs_max = JOBS;
    config.retained_max = retained_max;
    config.dead_max = dead_max;
    config.clock = test_clock_of(&fixture.clock);
    config.allocator = test_memory_allocator(&fixture.memory);
    fixture.engine = test_start(&config);
    fixture.type = test_register(fixture.engine, "t", run, &fixture);
    return &fixture;
}

static struct fixture *
setup(void)
{
    return setup_with(100, 100);
}

struct how {
    uint64_t delay_ns;
    uint64_t run_at_ns;
    uint64_t expires_in_ns;
    enum leat_parent_policy policy;
    leat_job_id cohort;
    leat_queue queue;
    const char *name;
    struct leat_completion_queue *completions;
    uint32_t flags;
};

static leat_job_id made; /* by the last try_submit() that was taken */

static enum leat_status
try_submit(struct fixture *fixture, const char *text, const leat_job_id *parents, uint32_t count,
           struct how how)
{
    struct leat_job job = leat_job_default();
    struct leat_job_options options = leat_job_options_default();
    options.parents = parents;
    options.parents_count = count;
    options.parent_policy = how.policy;
    options.cohort = how.cohort;
    options.run_at_ns = how.run_at_ns;
    options.expires_in_ns = how.expires_in_ns == 0 ? LEAT_FOREVER : how.expires_in_ns;
    options.name = how.name;
    job.options = &options;
    job.type = fixture->type;
    job.queue = how.queue;
    job.payload = text;
    job.payload_bytes = strlen(text) + 1;
    job.delay_ns = how.delay_ns;
    job.flags = how.flags;
    job.completions = how.completions;
    return leat_submit(fixture->engine, &job, &made);
}

static leat_job_id
submit_how(struct fixture *fixture, const char *text, const leat_job_id *parents, uint32_t count,
           struct how how)
{
    CHECK_OK(try_submit(fixture, text, parents, count, how));
    return made;
}

static leat_job_id
submit(struct fixture *fixture, const char *text, const leat_job_id *parents, uint32_t count)
{
    return submit_how(fixture, text, parents, count, (struct how){.delay_ns = 0});
}

static void
settle(struct fixture *fixture)
{
    enum leat_status status = LEAT_OK;
    while (status == LEAT_OK) {
        status = leat_run_some(fixture->engine, 1000, NULL);
    }
    CHECK_STATUS(status, LEAT_EMPTY);
}

static void
begins(struct fixture *fixture, const char *letters)
{
    settle(fixture);
    fixture->notes[fixture->count] = '\0';
    CHECK_TEXT(fixture->notes, letters);
    fixture->count = 0;
    CHECK(leat_graph_check(fixture->engine, stderr));
}

static void
pass(struct fixture *fixture, uint64_t ns)
{
    test_clock_pass(&fixture->clock, fixture->engine, ns);
}

__attribute__((noinline)) static void
state_is(struct fixture *fixture, leat_job_id id, enum leat_job_state state)
{
    CHECK_EQUAL(test_get(fixture->engine, id).state, state);
}

__attribute__((noinline)) static void
reason_is(struct fixture *fixture, leat_job_id id, enum leat_reason reason)
{
    CHECK_EQUAL(test_get(fixture->engine, id).reason, reason);
}

__attribute__((noinline)) static void
is_gone(struct fixture *fixture, leat_job_id id)
{
    struct leat_job_info info = leat_job_info_default();
    CHECK_STATUS(leat_get(fixture->engine, id, &info), LEAT_GONE);
}

__attribute__((noinline)) static void
blocked_are(struct fixture *fixture, uint64_t count)
{
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_blocked, count);
}

static void
finish(struct fixture *fixture)
{
    test_close(fixture->engine);
    CHECK_EQUAL(test_memory_blocks(&fixture->memory), 0);
}

/* ---- order ----------------------------------------------------------------------------------- */

static void
one_parent(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup();
    leat_job_id a = submit(fixture, "a", NULL, 0);
    leat_job_id b = submit(fixture, "b", &a, 1);
    leat_job_id c = submit(fixture, "c", &b, 1);
    leat_job_id d = submit(fixture, "d", &a, 1);
    state_is(fixture, b, LEAT_JOB_BLOCKED);
    blocked_are(fixture, 3);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_waiting, 1);
    CHECK_STATUS(leat_reschedule(fixture->engine, b, leat_when_in(S)), LEAT_WRONG_STATE);
    CHECK_STATUS(leat_priority_set(fixture->engine, b, 0), LEAT_WRONG_STATE);
    begins(fixture, "abdc");
    state_is(fixture, c, LEAT_JOB_COMPLETED);
    state_is(fixture, d, LEAT_JOB_COMPLETED);
    blocked_are(fixture, 0);
    finish(fixture);
}

static void
many_parents(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup();
    leat_job_id parents[3];
    parents[0] = submit(fixture, "ap", NULL, 0);
    begins(fixture, "a");
    leat_token token = fixture->token;
    parents[1] = submit_how(fixture, "b", NULL, 0, (struct how){.delay_ns = S});
    parents[2] = parents[0]; /* twice is once */
    leat_job_id child = submit(fixture, "c", parents, 3);
    begins(fixture, "");
    CHECK_OK(leat_complete(fixture->engine, token, leat_done(), NULL));
    begins(fixture, "");
    state_is(fixture, child, LEAT_JOB_BLOCKED);
    pass(fixture, 2 * S);
    begins(fixture, "bc");
    finish(fixture);
}

static void
ended_parents(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup_with(1, 1);
    leat_job_id kept =
        submit_how(fixture, "as", NULL, 0, (struct how){.flags = LEAT_JOB_KEEP_RESULT});
    leat_job_id gone = submit(fixture, "b", NULL, 0);
    leat_job_id last = submit(fixture, "c", NULL, 0);
    leat_job_id never = {last.bits + (UINT64_C(4) << 26)};
    const struct how plain = {.delay_ns = 0};
    begins(fixture, "abc");
    leat_job_id two[2] = {kept, gone};
    CHECK_STATUS(try_submit(fixture, "x", two, 2, plain), LEAT_GONE);
    two[1] = never;
    CHECK_STATUS(try_submit(fixture, "x", two, 2, plain), LEAT_NOT_FOUND);
    blocked_are(fixture, 0);
    test_engine_check(fixture->engine);
    two[1] = last;
    (void)submit(fixture, "dh", two, 2);
    begins(fixture, "d");
    CHECK_TEXT(fixture->heard, "a");
    CHECK_OK(leat_release(fixture->engine, kept));
    finish(fixture);
}

static void
results(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup_with(0, 0);
    leat_job_id parents[2] = {submit(fixture, "as", NULL, 0), submit(fixture, "bs", NULL, 0)};
    leat_job_id child = submit_how(fixture, "crh", parents, 2, (struct how){.delay_ns = S});
    begins(fixture, "ab");
    /* Gone else, as nothing is retained. */
    state_is(fixture, parents[0], LEAT_JOB_COMPLETED);
    test_engine_check(fixture->engine);
    pass(fixture, 2 * S);
    begins(fixture, "cc");
    CHECK_TEXT(fixture->heard, "ab");
    is_gone(fixture, parents[0]);
    is_gone(fixture, child);
    finish(fixture);
}

/* Nobody asked to keep it but its child. */
static void
results_of_acks(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup();
    leat_job_id a = submit(fixture, "ap", NULL, 0);
    leat_job_id b = submit(fixture, "bp", NULL, 0);
    begins(fixture, "ab");
    const leat_token alone = fixture->token;
    CHECK_OK(leat_ack(fixture->engine, alone, "x", 1));
    (void)submit(fixture, "ch", &a, 1);
    const leat_token token = {a.bits, 1};
    CHECK_OK(leat_ack(fixture->engine, token, "y", 1));
    begins(fixture, "c");
    CHECK_TEXT(fixture->heard, "y");
    CHECK_EQUAL(test_get(fixture->engine, b).result_bytes, 0);
    finish(fixture);
}

static void
from_handlers(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup();
    (void)submit(fixture, "ac", NULL, 0);
    begins(fixture, "ak");
    state_is(fixture, fixture->last, LEAT_JOB_COMPLETED);
    finish(fixture);
}

/* ---- failures -------------------------------------------------------------------------------- */

static void
policies(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup();
    leat_job_id a = submit(fixture, "af", NULL, 0);
    leat_job_id other = submit(fixture, "op", NULL, 0);
    leat_job_id both[2] = {a, other};
    leat_job_id cancelled = submit(fixture, "c", both, 2);
    leat_job_id ignores =
        submit_how(fixture, "i", both, 2, (struct how){.policy = LEAT_PARENT_IGNORE});
    leat_job_id waits = submit_how(fixture, "w", &a, 1, (struct how){.policy = LEAT_PARENT_WAIT});
    leat_job_id below = submit(fixture, "x", &cancelled, 1);
    leat_job_id deeper =
        submit_how(fixture, "y", &below, 1, (struct how){.policy = LEAT_PARENT_WAIT});
    leat_job_id beside =
        submit_how(fixture, "z", &below, 1, (struct how){.policy = LEAT_PARENT_IGNORE});
    begins(fixture, "aoz");
    state_is(fixture, beside, LEAT_JOB_COMPLETED);
    state_is(fixture, below, LEAT_JOB_CANCELLED);
    state_is(fixture, deeper, LEAT_JOB_CANCELLED);
    state_is(fixture, waits, LEAT_JOB_BLOCKED);
    state_is(fixture, ignores, LEAT_JOB_BLOCKED);
    state_is(fixture, cancelled, LEAT_JOB_CANCELLED);
    reason_is(fixture, cancelled, LEAT_REASON_PARENT);
    test_engine_check(fixture->engine);
    CHECK_OK(leat_complete(fixture->engine, fixture->token, leat_done(), NULL));
    begins(fixture, "i");
    /* Its second attempt is done. */
    CHECK_OK(leat_dead_retry(fixture->engine, a, leat_when_in(0)));
    begins(fixture, "aw");
    finish(fixture);
}

static void
waits_for_the_dead(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup();
    const struct how wait = {.policy = LEAT_PARENT_WAIT};
    leat_job_id a = submit(fixture, "aff", NULL, 0);
    begins(fixture, "a");
    leat_job_id b = submit_how(fixture, "b", &a, 1, wait);
    leat_job_id c = submit_how(fixture, "c", &a, 1, wait);
    state_is(fixture, b, LEAT_JOB_BLOCKED);
    CHECK_OK(leat_dead_retry(fixture->engine, a, leat_when_in(S)));
    leat_job_id d = submit_how(fixture, "d", &a, 1, wait);
    pass(fixture, 2 * S);
    begins(fixture, "a");
    state_is(fixture, d, LEAT_JOB_BLOCKED);
    CHECK_OK(leat_cancel(fixture->engine, c));
    CHECK_OK(leat_dead_delete(fixture->engine, a));
    state_is(fixture, b, LEAT_JOB_CANCELLED);
    state_is(fixture, d, LEAT_JOB_CANCELLED);
    reason_is(fixture, d, LEAT_REASON_PARENT);
    begins(fixture, "");
    finish(fixture);
}

/* Without dead letters, and with one, which the next one puts out. */
static void
waits_in_vain(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup_with(100, 0);
    const struct how wait = {.policy = LEAT_PARENT_WAIT};
    leat_job_id a = submit(fixture, "af", NULL, 0);
    leat_job_id b = submit_how(fixture, "b", &a, 1, wait);
    begins(fixture, "a");
    state_is(fixture, b, LEAT_JOB_CANCELLED);
    finish(fixture);
    fixture = setup_with(100, 1);
    a = submit(fixture, "af", NULL, 0);
    b = submit_how(fixture, "b", &a, 1, wait);
    begins(fixture, "a");
    state_is(fixture, b, LEAT_JOB_BLOCKED);
    (void)submit(fixture, "cf", NULL, 0);
    begins(fixture, "c");
    state_is(fixture, b, LEAT_JOB_CANCELLED);
    finish(fixture);
}

static void
deep_cancel(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup_with(0, 0);
    leat_job_id first = submit(fixture, "af", NULL, 0);
    leat_job_id id = first;
    for (uint32_t i = 1; i < JOBS; i++) {
        id = submit(fixture, "b", &id, 1);
    }
    blocked_are(fixture, JOBS - 1);
    begins(fixture, "a");
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_cancelled, JOBS - 1);
    finish(fixture);
}

/* ---- cancel, expiry, time -------------------------------------------------------------------- */

static void
cancels(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup_with(0, 0);
    leat_job_id a = submit(fixture, "ap", NULL, 0);
    leat_job_id b = submit(fixture, "b", &a, 1);
    leat_job_id c = submit(fixture, "c", &b, 1);
    leat_job_id d = submit_how(fixture, "d", &b, 1, (struct how){.policy = LEAT_PARENT_IGNORE});
    begins(fixture, "a");
    CHECK_OK(leat_cancel(fixture->engine, b));
    CHECK_STATUS(leat_cancel(fixture->engine, b), LEAT_ENDED); /* its record is there yet */
    begins(fixture, "d");
    is_gone(fixture, c);
    is_gone(fixture, d);
    state_is(fixture, b, LEAT_JOB_CANCELLED);
    CHECK_OK(leat_complete(fixture->engine, fixture->token, leat_done(), NULL));
    is_gone(fixture, b);
    is_gone(fixture, a);
    /* One that waits. */
    a = submit_how(fixture, "a", NULL, 0, (struct how){.delay_ns = S});
    b = submit(fixture, "b", &a, 1);
    CHECK_OK(leat_cancel(fixture->engine, a));
    is_gone(fixture, b);
    begins(fixture, "");
    finish(fixture);
}

/* What a parent comes to later does not change the reason of one that has ended. */
static void
reasons_stay(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup();
    leat_job_id a = submit(fixture, "ap", NULL, 0);
    leat_job_id b = submit(fixture, "b", &a, 1);
    leat_job_id c = submit(fixture, "c", &a, 1);
    begins(fixture, "a");
    CHECK_OK(leat_cancel(fixture->engine, b));
    reason_is(fixture, b, LEAT_REASON_NONE);
    CHECK_OK(leat_complete(fixture->engine, fixture->token, leat_fail(), NULL));
    reason_is(fixture, b, LEAT_REASON_NONE);
    reason_is(fixture, c, LEAT_REASON_PARENT);
    finish(fixture);
}

static void
expires(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup();
    leat_job_id a = submit(fixture, "ap", NULL, 0);
    leat_job_id b = submit_how(fixture, "b", &a, 1, (struct how){.expires_in_ns = S});
    leat_job_id c = submit_how(fixture, "c", &b, 1, (struct how){.policy = LEAT_PARENT_WAIT});
    begins(fixture, "a");
    pass(fixture, 3 * S);
    settle(fixture);
    pass(fixture, 3 * S);
    begins(fixture, "");
    reason_is(fixture, b, LEAT_REASON_EXPIRED);
    state_is(fixture, c, LEAT_JOB_BLOCKED);
    CHECK_OK(leat_complete(fixture->engine, fixture->token, leat_done(), NULL));
    test_engine_check(fixture->engine);
    CHECK_OK(leat_dead_retry(fixture->engine, b, leat_when_in(0)));
    begins(fixture, "bc");
    finish(fixture);
}

static void
delays_count_from_release(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup();
    leat_job_id a = submit(fixture, "ap", NULL, 0);
    leat_job_id b = submit_how(fixture, "b", &a, 1, (struct how){.delay_ns = 10 * S});
    begins(fixture, "a");
    pass(fixture, 20 * S);
    begins(fixture, "");
    CHECK_OK(leat_complete(fixture->engine, fixture->token, leat_done(), NULL));
    state_is(fixture, b, LEAT_JOB_SCHEDULED);
    pass(fixture, 9 * S);
    begins(fixture, "");
    pass(fixture, 2 * S);
    begins(fixture, "b");
    finish(fixture);
}

/* ---- limits ---------------------------------------------------------------------------------- */

static void
room_is_paid(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup();
    struct leat_queue_options options = leat_queue_options_default();
    leat_queue queue = {0};
    options.waiting_max = 2;
    CHECK_OK(leat_queue_create(fixture->engine, "q", &options, &queue));
    leat_job_id a = submit(fixture, "ap", NULL, 0);
    leat_job_id b = submit_how(fixture, "b", &a, 1, (struct how){.queue = queue});
    leat_job_id c = submit_how(fixture, "c", &a, 1, (struct how){.queue = queue});
    CHECK_STATUS(try_submit(fixture, "x", &a, 1, (struct how){.queue = queue}), LEAT_FULL);
    CHECK_STATUS(try_submit(fixture, "x", NULL, 0, (struct how){.queue = queue}), LEAT_FULL);
    (void)submit_how(fixture, "d", &a, 1, (struct how){.queue = queue, .delay_ns = S});
    begins(fixture, "a");
    test_engine_check(fixture->engine);
    CHECK_OK(leat_cancel(fixture->engine, b));
    (void)submit_how(fixture, "e", NULL, 0, (struct how){.queue = queue});
    CHECK_STATUS(try_submit(fixture, "x", NULL, 0, (struct how){.queue = queue}), LEAT_FULL);
    CHECK_OK(leat_complete(fixture->engine, fixture->token, leat_done(), NULL));
    begins(fixture, "ec");
    pass(fixture, 2 * S);
    begins(fixture, "d");
    state_is(fixture, c, LEAT_JOB_COMPLETED);
    finish(fixture);
}

/* What a child takes of its queue is what it comes to when it goes on, whatever it was at its
 * submit; what was cancelled meanwhile has given it back. */
static void
room_of_those_with_a_date(void **unused)
{
    (void)unused;
    for (uint32_t way = 0; way < 4; way++) {
        const bool cancels = way % 2 != 0;
        const bool later = way / 2 != 0; /* the wall clock is set back */
        struct fixture *fixture = setup();
        struct leat_queue_options options = leat_queue_options_default();
        struct how how = {.run_at_ns = atom_load_rlx(&fixture->clock.wall) + 10 * S};
        options.waiting_max = 1;
        CHECK_OK(leat_queue_create(fixture->engine, "q", &options, &how.queue));
        const struct how here = {.queue = how.queue};
        pass(fixture, later ? 20 * S : 0);
        leat_job_id a = submit(fixture, "ap", NULL, 0);
        leat_job_id b = submit_how(fixture, "b", &a, 1, how);
        begins(fixture, "a");
        CHECK_STATUS(try_submit(fixture, "x", &b, 1, here), later ? LEAT_FULL : LEAT_OK);
        if (!later) {
            CHECK_OK(leat_cancel(fixture->engine, made));
            pass(fixture, 20 * S);
        } else {
            test_clock_step(&fixture->clock, fixture->engine, -100 * (int64_t)S);
        }
        if (cancels) {
            CHECK_OK(leat_cancel(fixture->engine, b));
        }
        CHECK_OK(leat_complete(fixture->engine, fixture->token, leat_done(), NULL));
        test_engine_check(fixture->engine);
        bool takes = !later && !cancels;
        CHECK_STATUS(try_submit(fixture, "e", NULL, 0, here), takes ? LEAT_FULL : LEAT_OK);
        CHECK_STATUS(try_submit(fixture, "x", NULL, 0, here), LEAT_FULL);
        begins(fixture, takes ? "b" : "e");
        pass(fixture, 200 * S);
        begins(fixture, later && !cancels ? "b" : "");
        finish(fixture);
    }
}

/* It waits for a worker from its release on, where that is measured. */
static void
waits_for_a_worker(void **unused)
{
    (void)unused;
    for (uint64_t submit_ns = 0; submit_ns < 2; submit_ns++) {
        struct fixture *fixture = setup();
        leat_job_id a = submit(fixture, "ap", NULL, 0);
        leat_job_id b = submit(fixture, "b", &a, 1);
        const uint32_t index = (uint32_t)(b.bits & LEAT_INDEX_NONE);
        atom_store_rlx(&leat_job_record(fixture->engine, index)->submit_ns, submit_ns);
        begins(fixture, "a");
        CHECK_OK(leat_complete(fixture->engine, fixture->token, leat_done(), NULL));
        begins(fixture, "b");
        const struct leat_statistics told = test_statistics(fixture->engine);
        CHECK_EQUAL(told.queue_wait.samples, 1 + submit_ns);
        CHECK(told.queue_wait.max_ns < leat_os_monotonic_ns() / 2);
        finish(fixture);
    }
}

/* One that ends by its parent is told as any other one. */
static void
completes_by_its_parent(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup();
    struct how how = {.policy = LEAT_PARENT_CANCEL};
    struct leat_completion taken;
    size_t count = 0;
    CHECK_OK(leat_completion_queue_create(fixture->engine, 1, &how.completions));
    leat_job_id a = submit(fixture, "af", NULL, 0);
    leat_job_id b = submit_how(fixture, "b", &a, 1, how);
    begins(fixture, "a");
    CHECK_OK(leat_completion_queue_take(how.completions, &taken, 1, &count));
    CHECK_EQUAL(taken.id.bits, b.bits);
    CHECK_EQUAL(taken.state, LEAT_JOB_CANCELLED);
    CHECK_EQUAL(taken.reason, LEAT_REASON_PARENT);
    CHECK_OK(leat_completion_queue_destroy(how.completions));
    finish(fixture);
}

/* One at which too many look is not brought back now, and is as it was. */
static void
looked_at_by_many(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup();
    leat_job_id a = submit(fixture, "af", NULL, 0);
    (void)submit_how(fixture, "b", &a, 1, (struct how){.policy = LEAT_PARENT_WAIT});
    uint32_t index = 0;
    begins(fixture, "a");
    uint32_t holds = 0;
    while (leat_job_hold(fixture->engine, a, LEAT_HOLDS_TO_LOOK, &index) == LEAT_OK) {
        holds++;
    }
    const struct leat_node *node = leat_node_there(fixture->engine, index);
    const uint32_t uses = atom_load_rlx(&node->uses);
    CHECK_STATUS(leat_dead_retry(fixture->engine, a, leat_when_in(0)), LEAT_BUSY);
    CHECK_EQUAL(atom_load_rlx(&node->uses), uses);
    for (uint32_t i = 0; i < holds; i++) {
        leat_job_unhold(fixture->engine, index);
    }
    CHECK_OK(leat_dead_retry(fixture->engine, a, leat_when_in(0)));
    begins(fixture, "ab");
    finish(fixture);
}

static void
names_hold(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup();
    leat_job_id a = submit(fixture, "ap", NULL, 0);
    const struct how named = {.name = "n"};
    leat_job_id b = submit_how(fixture, "b", &a, 1, named);
    leat_job_id id = {0};
    CHECK_STATUS(try_submit(fixture, "x", &a, 1, named), LEAT_EXISTS);
    CHECK_OK(leat_job_find(fixture->engine, "n", &id));
    CHECK_EQUAL(id.bits, b.bits);
    begins(fixture, "a");
    CHECK_OK(leat_complete(fixture->engine, fixture->token, leat_fail(), NULL));
    (void)submit_how(fixture, "c", NULL, 0, named);
    begins(fixture, "c");
    finish(fixture);
}

/* Who is refused, for a parent or for a name, is no member of its cohort. */
static void
refused_members(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup_with(0, 0);
    struct how how = {.name = "n"};
    leat_job_id gone = submit(fixture, "a", NULL, 0);
    begins(fixture, "a");
    leat_job_id b = submit(fixture, "bp", NULL, 0);
    (void)submit_how(fixture, "c", &b, 1, how);
    CHECK_OK(leat_cohort_open(fixture->engine, NULL, &how.cohort));
    CHECK_STATUS(try_submit(fixture, "x", NULL, 0, how), LEAT_EXISTS);
    how.name = NULL;
    CHECK_STATUS(try_submit(fixture, "x", &gone, 1, how), LEAT_GONE);
    struct leat_cohort_info info = leat_cohort_info_default();
    CHECK_OK(leat_cohort_get(fixture->engine, how.cohort, &info));
    CHECK_EQUAL(info.total, 0);
    CHECK_OK(leat_cohort_close(fixture->engine, how.cohort));
    is_gone(fixture, how.cohort);
    begins(fixture, "b");
    CHECK_OK(leat_complete(fixture->engine, fixture->token, leat_done(), NULL));
    begins(fixture, "c");
    finish(fixture);
}

static void
bad_options(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup();
    static leat_job_id parents[LEAT_PARENTS_MAX + 1];
    leat_job_id a = submit(fixture, "ap", NULL, 0);
    for (uint32_t i = 0; i <= LEAT_PARENTS_MAX; i++) {
        parents[i] = a;
    }
    const struct how plain = {.delay_ns = 0};
    struct how bad = {.policy = (enum leat_parent_policy)(LEAT_PARENT_WAIT + 1)};
    CHECK_STATUS(try_submit(fixture, "x", &a, 1, bad), LEAT_INVALID);
    CHECK_STATUS(try_submit(fixture, "x", NULL, 1, plain), LEAT_INVALID);
    CHECK_STATUS(try_submit(fixture, "x", parents, LEAT_PARENTS_MAX + 1, plain), LEAT_INVALID);
    leat_job_id id = submit(fixture, "b", parents, LEAT_PARENTS_MAX);
    begins(fixture, "a");
    CHECK_OK(leat_complete(fixture->engine, fixture->token, leat_done(), NULL));
    begins(fixture, "b");
    const struct how no_cohort = {.cohort = id};
    CHECK_STATUS(try_submit(fixture, "x", NULL, 0, no_cohort), LEAT_WRONG_STATE);
    finish(fixture);
}

/* Closed while jobs wait for each other, some cancelled. */
static void
closes(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup();
    leat_job_id a = submit(fixture, "a", NULL, 0);
    leat_job_id b = submit(fixture, "b", &a, 1);
    leat_job_id both[2] = {a, b};
    leat_job_id c = submit(fixture, "c", both, 2);
    (void)submit(fixture, "d", &c, 1);
    CHECK_OK(leat_cancel(fixture->engine, c));
    finish(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_parent),
        cmocka_unit_test(many_parents),
        cmocka_unit_test(ended_parents),
        cmocka_unit_test(results),
        cmocka_unit_test(from_handlers),
        cmocka_unit_test(policies),
        cmocka_unit_test(waits_in_vain),
        cmocka_unit_test(waits_for_the_dead),
        cmocka_unit_test(deep_cancel),
        cmocka_unit_test(cancels),
        cmocka_unit_test(expires),
        cmocka_unit_test(delays_count_from_release),
        cmocka_unit_test(room_is_paid),
        cmocka_unit_test(room_of_those_with_a_date),
        cmocka_unit_test(waits_for_a_worker),
        cmocka_unit_test(completes_by_its_parent),
        cmocka_unit_test(looked_at_by_many),
        cmocka_unit_test(names_hold),
        cmocka_unit_test(refused_members),
        cmocka_unit_test(bad_options),
        cmocka_unit_test(closes),
        cmocka_unit_test(reasons_stay),
        cmocka_unit_test(results_of_acks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
