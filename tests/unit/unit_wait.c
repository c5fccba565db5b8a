/* unit_wait.c - leat_wait() and leat_get(): answers before and after the end, timeouts, many
 * waiters at once, ids that were never given out, records that are gone, an engine that stops
 * meanwhile; and what 239 callers on one job may and may not hold up. */
#include <stdlib.h>
#include <string.h>

#include "ring/atomic.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/threads.h"

#define SHORT_NS (20 * TEST_MS)
#define HOLDS    239

struct fixture {
    struct leat_engine *engine;
    struct test_gate gate;
    leat_type held;
    leat_job_id id;
    enum leat_status want;
    enum leat_job_state want_state;
    leat_atomic_u32 answered;
};

static struct leat_outcome
held_run(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    (void)run;
    test_gate_wait(&fixture->gate);
    return leat_done();
}

static struct fixture *
setup(uint32_t retained_max)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct leat_config config = test_config();
    CHECK(fixture != NULL);
    config.retained_max = retained_max;
    test_gate_init(&fixture->gate);
    fixture->engine = test_open(&config);
    fixture->held = test_register(fixture->engine, "held", held_run, fixture);
    fixture->id = test_submit(fixture->engine, fixture->held);
    fixture->want = LEAT_OK;
    fixture->want_state = LEAT_JOB_COMPLETED;
    return fixture;
}

static void
teardown(struct fixture *fixture)
{
    test_gate_open(&fixture->gate);
    test_close(fixture->engine);
    test_gate_fini(&fixture->gate);
    free(fixture);
}

static void
wait_one(void *shared, uint32_t number)
{
    struct fixture *fixture = shared;
    struct leat_job_info info = leat_job_info_default();
    /* Some for ever, some with a limit that is not reached, some without a wish for details. */
    uint64_t timeout_ns = number % 2 == 0 ? LEAT_FOREVER : TEST_PATIENCE_NS;
    struct leat_job_info *details = number % 3 == 0 ? NULL : &info;
    enum leat_status status;
    /* Busy: await_all()'s own look had the place of the last. */
    while ((status = leat_wait(fixture->engine, fixture->id, timeout_ns, details)) == LEAT_BUSY) {
        test_sleep_ns(TEST_MS);
    }
    CHECK_STATUS(status, fixture->want);
    if (details != NULL && fixture->want == LEAT_OK) {
        CHECK_EQUAL(info.id.bits, fixture->id.bits);
        CHECK_EQUAL(info.state, fixture->want_state);
    }
    (void)atom_add_rlx(&fixture->answered, 1);
}

/* Waits until as many threads as can be are inside leat_wait(). */
static void
await_all(struct fixture *fixture)
{
    uint64_t deadline_ns = test_now_ns() + TEST_PATIENCE_NS;
    struct leat_job_info info = leat_job_info_default();
    while (leat_get(fixture->engine, fixture->id, &info) != LEAT_BUSY) {
        CHECK(test_now_ns() < deadline_ns);
        test_sleep_ns(TEST_MS);
    }
}

/* ---- answers -------------------------------------------------------------------------------- */

static void
timeouts(void **state)
{
    (void)state;
    struct fixture *fixture = setup(LEAT_AUTO);
    struct leat_job_info info = leat_job_info_default();
    /* Not started yet. */
    CHECK_STATUS(leat_wait(fixture->engine, fixture->id, 0, &info), LEAT_TIMEOUT);
    CHECK_EQUAL(info.state, LEAT_JOB_PENDING);
    CHECK_EQUAL(info.id.bits, fixture->id.bits);
    CHECK_EQUAL(info.attempts, 0);
    uint64_t before_ns = test_now_ns();
    CHECK_STATUS(leat_wait(fixture->engine, fixture->id, SHORT_NS, NULL), LEAT_TIMEOUT);
    CHECK(test_now_ns() - before_ns >= SHORT_NS);
    CHECK_OK(leat_start(fixture->engine));
    test_gate_arrivals(&fixture->gate, 1);
    before_ns = test_now_ns();
    CHECK_STATUS(leat_wait(fixture->engine, fixture->id, SHORT_NS, &info), LEAT_TIMEOUT);
    CHECK(test_now_ns() - before_ns >= SHORT_NS);
    CHECK_EQUAL(info.state, LEAT_JOB_RUNNING);
    CHECK_EQUAL(info.attempts, 1);
    test_gate_open(&fixture->gate);
    CHECK_OK(leat_wait(fixture->engine, fixture->id, LEAT_FOREVER, &info));
    CHECK_EQUAL(info.state, LEAT_JOB_COMPLETED);
    /* After the end too, as long as it is retained. */
    CHECK_OK(leat_wait(fixture->engine, fixture->id, 0, NULL));
    CHECK_OK(leat_wait(fixture->engine, fixture->id, LEAT_FOREVER, &info));
    CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
    CHECK_OK(leat_wait(fixture->engine, fixture->id, LEAT_FOREVER, &info));
    teardown(fixture);
}

/* Nothing is retained, and still everyone who came before the end gets the answer. */
static void
many_waiters(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0);
    struct test_threads *threads = calloc(1, sizeof(*threads));
    CHECK(threads != NULL);
    test_threads_start(threads, 24, wait_one, fixture);
    test_sleep_ns(5 * SHORT_NS);
    CHECK_EQUAL(atom_load_rlx(&fixture->answered), 0);
    CHECK_OK(leat_start(fixture->engine));
    test_gate_open(&fixture->gate);
    test_threads_join(threads);
    CHECK_EQUAL(atom_load_rlx(&fixture->answered), 24);
    struct leat_job_info info = leat_job_info_default();
    CHECK_STATUS(leat_wait(fixture->engine, fixture->id, LEAT_FOREVER, &info), LEAT_GONE);
    CHECK_STATUS(leat_get(fixture->engine, fixture->id, &info), LEAT_GONE);
    CHECK_STATUS(leat_result(fixture->engine, fixture->id, NULL, 0, NULL), LEAT_GONE);
    CHECK_STATUS(leat_release(fixture->engine, fixture->id), LEAT_GONE);
    CHECK_STATUS(leat_cancel(fixture->engine, fixture->id), LEAT_GONE);
    CHECK_EQUAL(info.id.bits, 0);
    free(threads);
    teardown(fixture);
}

static void
cancel_wakes_waiters(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0);
    struct test_threads *threads = calloc(1, sizeof(*threads));
    CHECK(threads != NULL);
    fixture->want_state = LEAT_JOB_CANCELLED;
    test_threads_start(threads, 8, wait_one, fixture);
    test_sleep_ns(5 * SHORT_NS);
    CHECK_OK(leat_cancel(fixture->engine, fixture->id));
    test_threads_join(threads);
    free(threads);
    teardown(fixture);
}

static void
stop_wakes_waiters(void **state)
{
    (void)state;
    for (uint32_t started = 0; started < 2; started++) {
        struct fixture *fixture = setup(0);
        struct test_threads *threads = calloc(1, sizeof(*threads));
        CHECK(threads != NULL);
        if (started != 0) {
            /* One runs, and the one that is waited for stands behind it. */
            CHECK_OK(leat_start(fixture->engine));
            test_gate_arrivals(&fixture->gate, 1);
            fixture->id = test_submit(fixture->engine, fixture->held);
        }
        fixture->want = LEAT_CLOSED;
        test_threads_start(threads, 8, wait_one, fixture);
        test_sleep_ns(5 * SHORT_NS);
        CHECK_STATUS(leat_stop(fixture->engine, 0), started != 0 ? LEAT_TIMEOUT : LEAT_OK);
        test_gate_open(&fixture->gate);
        CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
        test_threads_join(threads);
        struct leat_job_info info = leat_job_info_default();
        CHECK_STATUS(leat_wait(fixture->engine, fixture->id, LEAT_FOREVER, &info), LEAT_CLOSED);
        CHECK_STATUS(leat_wait(fixture->engine, fixture->id, 0, &info), LEAT_CLOSED);
        CHECK_EQUAL(info.id.bits, 0);
        CHECK_EQUAL(test_get(fixture->engine, fixture->id).state, LEAT_JOB_PENDING);
        free(threads);
        teardown(fixture);
    }
}

/* ---- ids ------------------------------------------------------------------------------------ */

static void
nowhere(struct leat_engine *engine, leat_job_id id, enum leat_status want)
{
    struct leat_job_info info = leat_job_info_default();
    size_t bytes = 99;
    CHECK_STATUS(leat_get(engine, id, &info), want);
    CHECK_STATUS(leat_wait(engine, id, LEAT_FOREVER, &info), want);
    CHECK_STATUS(leat_wait(engine, id, 0, NULL), want);
    CHECK_STATUS(leat_result(engine, id, NULL, 0, &bytes), want);
    CHECK_STATUS(leat_release(engine, id), want);
    CHECK_STATUS(leat_cancel(engine, id), want);
    CHECK_EQUAL(bytes, 99);
    CHECK_EQUAL(info.id.bits, 0);
    CHECK_EQUAL(info.state, 0);
}

static void
ids_never_given(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0);
    uint64_t bits = fixture->id.bits;
    uint64_t generation = UINT64_C(1) << 26;
    const uint64_t never[] = {
        0,
        1,
        UINT64_MAX,
        bits + 2 * generation,           /* a later life of its record */
        bits + generation,               /* a free one */
        bits - generation,               /* the one before the first */
        bits + 1,                        /* a record never used */
        bits - generation + 1,           /* the same, of generation 0 */
        (bits & ~(generation - 1)) | 64, /* beyond the last record */
        (bits & ~(generation - 1)) | (generation - 1),
        bits ^ UINT64_C(1) << 63,
    };
    for (size_t i = 0; i < TEST_COUNT_OF(never); i++) {
        const leat_job_id id = {never[i]};
        nowhere(fixture->engine, id, LEAT_NOT_FOUND);
    }
    CHECK_EQUAL(test_get(fixture->engine, fixture->id).state, LEAT_JOB_PENDING);
    teardown(fixture);
}

/* Old ids stay gone while their records are used again and again. */
static void
ids_of_old(void **state)
{
    (void)state;
    enum { JOBS = 1000 };
    static leat_job_id old[JOBS];
    struct fixture *fixture = setup(0);
    CHECK_OK(leat_start(fixture->engine));
    test_gate_open(&fixture->gate);
    for (uint32_t i = 0; i < JOBS; i++) {
        old[i] = test_submit(fixture->engine, fixture->held);
        enum leat_status status = leat_wait(fixture->engine, old[i], LEAT_FOREVER, NULL);
        CHECK(status == LEAT_OK || status == LEAT_GONE);
        CHECK(i == 0 || old[i].bits != old[i - 1].bits);
    }
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    for (uint32_t i = 0; i < JOBS; i++) {
        nowhere(fixture->engine, old[i], LEAT_GONE);
    }
    teardown(fixture);
}

/* ---- structs -------------------------------------------------------------------------------- */

static void
infos_of_other_ages(void **state)
{
    (void)state;
    struct fixture *fixture = setup(LEAT_AUTO);
    struct {
        struct leat_job_info known;
        uint64_t unknown;
    } newer = {leat_job_info_default(), 77};
    struct leat_job_info info = leat_job_info_default();
    newer.known.size = sizeof(newer);
    CHECK_OK(leat_get(fixture->engine, fixture->id, &newer.known));
    CHECK_EQUAL(newer.known.size, sizeof(newer));
    CHECK_EQUAL(newer.known.state, LEAT_JOB_PENDING);
    CHECK_EQUAL(newer.unknown, 77);

    memset(&info, 0xee, sizeof(info));
    info.size = (uint32_t)offsetof(struct leat_job_info, attempts);
    info.version = LEAT_STRUCT_VERSION;
    CHECK_OK(leat_get(fixture->engine, fixture->id, &info));
    CHECK_EQUAL(info.size, offsetof(struct leat_job_info, attempts));
    CHECK_EQUAL(info.state, LEAT_JOB_PENDING);
    CHECK_EQUAL(info.priority, LEAT_PRIORITY_NORMAL);
    CHECK_EQUAL(info.attempts, 0xeeeeeeee);

    info = leat_job_info_default();
    info.size = 4;
    CHECK_STATUS(leat_get(fixture->engine, fixture->id, &info), LEAT_INVALID);
    CHECK_STATUS(leat_wait(fixture->engine, fixture->id, 0, &info), LEAT_INVALID);
    info = leat_job_info_default();
    info.version++;
    CHECK_STATUS(leat_get(fixture->engine, fixture->id, &info), LEAT_UNSUPPORTED);
    CHECK_STATUS(leat_wait(fixture->engine, fixture->id, 0, &info), LEAT_UNSUPPORTED);
    CHECK_STATUS(leat_get(fixture->engine, fixture->id, NULL), LEAT_INVALID);
    teardown(fixture);
}

/* ---- 239 callers ---------------------------------------------------------------------------- */

/* With 239 threads waiting for one job, the next who looks is told that it is busy. Who does not
 * look but act (cancel, complete, release) is not: their lists of answers have no such status. */
static void
everyone_waits_for_one(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0);
    struct test_threads *threads = calloc(1, sizeof(*threads));
    CHECK(threads != NULL);
    threads->stack_bytes = 128 << 10;
    struct leat_job job = leat_job_default();
    job.type = fixture->held;
    job.flags = LEAT_JOB_KEEP_RESULT;
    CHECK_OK(leat_cancel(fixture->engine, fixture->id));
    CHECK_OK(leat_submit(fixture->engine, &job, &fixture->id));
    CHECK_OK(leat_start(fixture->engine));
    test_gate_arrivals(&fixture->gate, 1);
    test_threads_start(threads, HOLDS, wait_one, fixture);
    await_all(fixture);
    struct leat_job_info info = leat_job_info_default();
    CHECK_STATUS(leat_get(fixture->engine, fixture->id, &info), LEAT_BUSY);
    CHECK_STATUS(leat_wait(fixture->engine, fixture->id, 0, &info), LEAT_BUSY);
    CHECK_STATUS(leat_wait(fixture->engine, fixture->id, LEAT_FOREVER, &info), LEAT_BUSY);
    CHECK_STATUS(leat_result(fixture->engine, fixture->id, NULL, 0, NULL), LEAT_BUSY);
    CHECK_EQUAL(info.id.bits, 0);
    enum leat_status cancelled = leat_cancel(fixture->engine, fixture->id);
    enum leat_status released = leat_release(fixture->engine, fixture->id);
    test_gate_open(&fixture->gate);
    test_threads_join(threads);
    free(threads);
    teardown(fixture);
    CHECK_STATUS(cancelled, LEAT_RUNNING);
    CHECK_STATUS(released, LEAT_OK);
}

static struct leat_outcome
pending_run(struct leat_run *run, void *context)
{
    leat_token *token = context;
    *token = leat_run_token(run);
    return leat_pending();
}

static bool
all_parked(void *argument)
{
    struct leat_statistics sum = test_statistics(argument);
    return sum.workers_parked == sum.workers;
}

/* As many as may look wait for ever for a job that only a completion can end: it gets through. */
static void
a_completion_gets_through(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0);
    struct test_threads *threads = calloc(1, sizeof(*threads));
    leat_token token = {0, 0};
    CHECK(threads != NULL);
    CHECK_OK(leat_cancel(fixture->engine, fixture->id));
    leat_type type = test_register(fixture->engine, "pending", pending_run, &token);
    fixture->id = test_submit_kept(fixture->engine, type);
    CHECK_OK(leat_start(fixture->engine));
    /* The job came before the workers: when all of them are parked, its attempt is over. */
    CHECK(test_until(all_parked, fixture->engine));
    threads->stack_bytes = 128 << 10;
    test_threads_start(threads, HOLDS, wait_one, fixture);
    await_all(fixture);
    CHECK_OK(leat_complete(fixture->engine, token, leat_done(), "text"));
    test_threads_join(threads);
    CHECK_EQUAL(test_get(fixture->engine, fixture->id).state, LEAT_JOB_COMPLETED);
    CHECK_OK(leat_release(fixture->engine, fixture->id));
    free(threads);
    teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timeouts),
        cmocka_unit_test(many_waiters),
        cmocka_unit_test(cancel_wakes_waiters),
        cmocka_unit_test(stop_wakes_waiters),
        cmocka_unit_test(ids_never_given),
        cmocka_unit_test(ids_of_old),
        cmocka_unit_test(infos_of_other_ages),
        cmocka_unit_test(everyone_waits_for_one),
        cmocka_unit_test(a_completion_gets_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
