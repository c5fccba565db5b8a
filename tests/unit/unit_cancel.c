/* unit_cancel.c - leat_cancel() in every state of a job: one that waits never runs; one that runs
 * is told, and its answer decides; one that ended stays what it is. Counted once each time. */
#include <stdlib.h>
#include <string.h>

#include "ring/atomic.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/memory.h"
#include "tests/support/threads.h"

struct fixture {
    struct leat_engine *engine;
    struct test_memory memory;
    struct test_gate gate;
    struct leat_outcome answer;
    leat_type type;
    leat_atomic_u32 runs;
    leat_atomic_u32 flag_before;
    leat_atomic_u32 flag_after;
};

/* Stands at the gate once; answers as the fixture says. */
static struct leat_outcome
held_run(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    (void)atom_add_rlx(&fixture->runs, 1);
    atom_store_rlx(&fixture->flag_before, leat_run_cancelled(run) ? 1 : 0);
    test_gate_wait(&fixture->gate);
    atom_store_rlx(&fixture->flag_after, leat_run_cancelled(run) ? 1 : 0);
    return fixture->answer;
}

static struct fixture *
setup(uint32_t retained_max)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct leat_config config = test_config();
    CHECK(fixture != NULL);
    test_memory_init(&fixture->memory);
    config.allocator = test_memory_allocator(&fixture->memory);
    config.retained_max = retained_max;
    test_gate_init(&fixture->gate);
    fixture->answer = leat_done();
    fixture->engine = test_open(&config);
    fixture->type = test_register(fixture->engine, "held", held_run, fixture);
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

/* ---- waiting -------------------------------------------------------------------------------- */

static void
cancel_waiting(struct leat_engine *engine, leat_job_id id)
{
    CHECK_OK(leat_cancel(engine, id));
    struct leat_job_info info = test_get(engine, id);
    CHECK_EQUAL(info.state, LEAT_JOB_CANCELLED);
    CHECK_EQUAL(info.reason, LEAT_REASON_NONE);
    CHECK_EQUAL(info.attempts, 0);
    CHECK_STATUS(leat_cancel(engine, id), LEAT_ENDED);
    CHECK_OK(leat_wait(engine, id, LEAT_FOREVER, NULL));
    CHECK_OK(leat_result(engine, id, NULL, 0, NULL));
}

static void
waiting_jobs_never_run(void **state)
{
    (void)state;
    static const char payload[5000];
    struct fixture *fixture = setup(LEAT_AUTO);
    struct leat_job job = leat_job_default();
    leat_job_id ids[20];
    job.type = fixture->type;
    job.payload = payload;
    for (uint32_t i = 0; i < TEST_COUNT_OF(ids); i++) {
        job.priority = i % leat_priority_levels();
        job.payload_bytes = i % 3 == 0 ? sizeof(payload) : i;
        job.flags = i % 2 == 0 ? LEAT_JOB_KEEP_RESULT : 0;
        CHECK_OK(leat_submit(fixture->engine, &job, &ids[i]));
    }
    for (uint32_t i = 0; i < TEST_COUNT_OF(ids); i++) {
        if (i == 7) {
            continue;
        }
        cancel_waiting(fixture->engine, ids[i]);
    }
    struct leat_statistics sum = test_statistics(fixture->engine);
    CHECK_EQUAL(sum.jobs_cancelled, TEST_COUNT_OF(ids) - 1);
    CHECK_EQUAL(sum.jobs_waiting, 1);
    test_engine_check(fixture->engine);
    test_gate_open(&fixture->gate);
    CHECK_OK(leat_start(fixture->engine));
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    CHECK_EQUAL(atom_load_rlx(&fixture->runs), 1);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_cancelled, TEST_COUNT_OF(ids) - 1);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_completed, 1);
    /* Still there, kept or retained. */
    for (uint32_t i = 0; i < TEST_COUNT_OF(ids); i++) {
        enum leat_job_state want = i == 7 ? LEAT_JOB_COMPLETED : LEAT_JOB_CANCELLED;
        CHECK_EQUAL(test_get(fixture->engine, ids[i]).state, want);
        CHECK_STATUS(leat_cancel(fixture->engine, ids[i]), LEAT_ENDED);
    }
    teardown(fixture);
}

/* Where nothing is retained, a cancelled job is gone once its place has let go of it. */
static void
cancelled_and_gone(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0);
    leat_job_id kept = test_submit_kept(fixture->engine, fixture->type);
    leat_job_id id = test_submit(fixture->engine, fixture->type);
    CHECK_OK(leat_cancel(fixture->engine, kept));
    CHECK_OK(leat_cancel(fixture->engine, id));
    CHECK_OK(leat_start(fixture->engine));
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    CHECK_STATUS(leat_cancel(fixture->engine, id), LEAT_GONE);
    CHECK_STATUS(leat_cancel(fixture->engine, kept), LEAT_ENDED);
    CHECK_OK(leat_release(fixture->engine, kept));
    CHECK_STATUS(leat_cancel(fixture->engine, kept), LEAT_GONE);
    CHECK_EQUAL(atom_load_rlx(&fixture->runs), 0);
    teardown(fixture);
}

/* ---- running -------------------------------------------------------------------------------- */

/* Cancelled while it stands at the gate: it is told, and goes on. */
static void
cancel_running(struct fixture *fixture, leat_job_id id)
{
    test_gate_arrivals(&fixture->gate, 1);
    CHECK(!test_get(fixture->engine, id).cancel_requested);
    CHECK_STATUS(leat_cancel(fixture->engine, id), LEAT_RUNNING);
    CHECK_STATUS(leat_cancel(fixture->engine, id), LEAT_RUNNING);
    struct leat_job_info info = test_get(fixture->engine, id);
    CHECK(info.cancel_requested);
    CHECK_EQUAL(info.state, LEAT_JOB_RUNNING);
    test_gate_open(&fixture->gate);
}

static void
decide(struct leat_outcome answer, enum leat_job_state want)
{
    struct fixture *fixture = setup(LEAT_AUTO);
    fixture->answer = answer;
    CHECK_OK(leat_start(fixture->engine));
    leat_job_id id = test_submit_kept(fixture->engine, fixture->type);
    cancel_running(fixture, id);
    struct leat_job_info info = test_wait(fixture->engine, id);
    CHECK_EQUAL(info.state, want);
    CHECK_EQUAL(info.reason, LEAT_REASON_NONE);
    CHECK_EQUAL(info.attempts, 1);
    CHECK(info.cancel_requested);
    CHECK_EQUAL(atom_load_rlx(&fixture->flag_before), 0);
    CHECK_EQUAL(atom_load_rlx(&fixture->flag_after), 1);
    CHECK_STATUS(leat_cancel(fixture->engine, id), LEAT_ENDED);
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    CHECK_EQUAL(atom_load_rlx(&fixture->runs), 1);
    struct leat_statistics sum = test_statistics(fixture->engine);
    CHECK_EQUAL(sum.jobs_cancelled, want == LEAT_JOB_CANCELLED ? 1 : 0);
    CHECK_EQUAL(sum.jobs_completed, want == LEAT_JOB_COMPLETED ? 1 : 0);
    CHECK_EQUAL(sum.jobs_dead, 0);
    teardown(fixture);
}

static void
running_jobs_decide(void **state)
{
    (void)state;
    decide(leat_done(), LEAT_JOB_COMPLETED);
    decide(leat_fail(), LEAT_JOB_CANCELLED);
    decide(leat_retry(), LEAT_JOB_CANCELLED);
    decide(leat_retry_in(5), LEAT_JOB_CANCELLED);
    decide(leat_snooze(5), LEAT_JOB_CANCELLED);
    decide(leat_outcome_of((enum leat_outcome_kind)9, 0), LEAT_JOB_CANCELLED);
}

static struct leat_outcome
cancels_itself(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    (void)atom_add_rlx(&fixture->runs, 1);
    CHECK_STATUS(leat_cancel(fixture->engine, leat_run_id(run)), LEAT_RUNNING);
    CHECK(leat_run_cancelled(run));
    return leat_retry();
}

static void
a_handler_cancels_itself(void **state)
{
    (void)state;
    struct fixture *fixture = setup(LEAT_AUTO);
    leat_type type = test_register(fixture->engine, "self", cancels_itself, fixture);
    CHECK_OK(leat_start(fixture->engine));
    leat_job_id id = test_submit_kept(fixture->engine, type);
    CHECK_EQUAL(test_wait(fixture->engine, id).state, LEAT_JOB_CANCELLED);
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    CHECK_EQUAL(atom_load_rlx(&fixture->runs), 1);
    teardown(fixture);
}

/* ---- between attempts ----------------------------------------------------------------------- */

static struct leat_outcome
fails_once(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    (void)atom_add_rlx(&fixture->runs, 1);
    return leat_run_attempt(run) == 1 ? leat_retry() : leat_done();
}

struct other {
    struct fixture *fixture;
    leat_job_id victim;
};

/* Runs between two attempts of the victim, being more urgent. */
static struct leat_outcome
cancels_other(struct leat_run *run, void *context)
{
    struct other *other = context;
    (void)run;
    CHECK_EQUAL(test_get(other->fixture->engine, other->victim).state, LEAT_JOB_PENDING);
    CHECK_EQUAL(test_get(other->fixture->engine, other->victim).attempts, 1);
    CHECK_OK(leat_cancel(other->fixture->engine, other->victim));
    return leat_done();
}

static struct leat_outcome
fails_and_submits(struct leat_run *run, void *context)
{
    struct other *other = context;
    struct leat_job job = leat_job_default();
    job.type_name = "cancels-other";
    job.priority = 0;
    CHECK_OK(leat_submit(leat_run_engine(run), &job, NULL));
    return fails_once(run, other->fixture);
}

static void
cancelled_between_attempts(void **state)
{
    (void)state;
    struct fixture *fixture = setup(LEAT_AUTO);
    struct other other = {.fixture = fixture};
    (void)test_register(fixture->engine, "cancels-other", cancels_other, &other);
    leat_type type = test_register(fixture->engine, "fails", fails_and_submits, &other);
    other.victim = test_submit_kept(fixture->engine, type);
    CHECK_OK(leat_start(fixture->engine));
    struct leat_job_info info = test_wait(fixture->engine, other.victim);
    CHECK_EQUAL(info.state, LEAT_JOB_CANCELLED);
    CHECK_EQUAL(info.attempts, 1);
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    CHECK_EQUAL(atom_load_rlx(&fixture->runs), 1);
    struct leat_statistics sum = test_statistics(fixture->engine);
    CHECK_EQUAL(sum.jobs_cancelled, 1);
    CHECK_EQUAL(sum.jobs_completed, 1);
    teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waiting_jobs_never_run),     cmocka_unit_test(cancelled_and_gone),
        cmocka_unit_test(running_jobs_decide),        cmocka_unit_test(a_handler_cancels_itself),
        cmocka_unit_test(cancelled_between_attempts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
