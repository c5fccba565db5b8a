/* unit_pull_jobs.c - what else happens to jobs of a pull queue: pauses, caps, limits, cancels,
 * expiry, delays, batches; drain, stop and start of the engine; who waits in leat_reserve() and
 * what ends the wait, with 0 workers and nobody in leat_run_some(), and with one. */
#include "engine/gates.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/pull.h"
#include "tests/support/threads.h"

/* ---- jobs ----------------------------------------------------------------------------------- */

static void
cancelled(void **state)
{
    (void)state;
    struct pull *fixture = pull_setup();
    struct leat_engine *engine = fixture->engine;
    leat_job_id waits = pull_submit(fixture);
    leat_job_id acked = pull_submit(fixture);
    leat_job_id nacked = pull_submit(fixture);
    leat_job_id released = pull_submit(fixture);
    leat_job_id late = pull_submit(fixture);
    CHECK_OK(leat_cancel(engine, waits));
    CHECK_OK(pull_reserve(fixture, PULL_JOBS));
    CHECK_EQUAL(fixture->count, 4);
    for (uint32_t i = 0; i < 4; i++) {
        CHECK_STATUS(leat_cancel(engine, fixture->leases[i].id), LEAT_RUNNING);
    }
    CHECK_OK(leat_ack(engine, fixture->leases[0].token, NULL, 0));
    CHECK_OK(leat_nack(engine, fixture->leases[1].token, 0, NULL));
    CHECK_OK(leat_lease_release(engine, fixture->leases[2].token));
    pull_pass(fixture, 2 * S);
    CHECK_EQUAL(pull_state(fixture, waits), LEAT_JOB_CANCELLED);
    CHECK_EQUAL(pull_state(fixture, acked), LEAT_JOB_COMPLETED);
    CHECK_EQUAL(pull_state(fixture, nacked), LEAT_JOB_CANCELLED);
    CHECK_EQUAL(pull_state(fixture, released), LEAT_JOB_CANCELLED);
    CHECK_EQUAL(pull_state(fixture, late), LEAT_JOB_CANCELLED);
    pull_nothing(fixture);
    pull_teardown(fixture);
}

/* Many that are cancelled where they wait: dropped on the way, the others in their order. */
static void
cancelled_in_the_list(void **state)
{
    (void)state;
    struct pull *fixture = pull_setup();
    leat_job_id *ids = fixture->ids;
    for (uint32_t i = 0; i < PULL_JOBS; i++) {
        ids[i] = pull_submit(fixture);
    }
    pull_settle(fixture);
    for (uint32_t i = 0; i < PULL_JOBS; i++) {
        if (i % 3 != 0) {
            CHECK_OK(leat_cancel(fixture->engine, ids[i]));
        }
    }
    CHECK_OK(pull_reserve(fixture, PULL_JOBS));
    CHECK_EQUAL(fixture->count, PULL_JOBS / 3);
    for (uint32_t i = 0; i < PULL_JOBS / 3; i++) {
        CHECK_EQUAL(fixture->leases[i].id.bits, ids[(size_t)3 * i].bits);
    }
    pull_settle(fixture);
    pull_teardown(fixture);
}

static void
delayed_moved_and_expired(void **state)
{
    (void)state;
    struct pull *fixture = pull_setup();
    struct leat_job_options options = leat_job_options_default();
    struct leat_job job = pull_job(fixture);
    leat_job_id delayed = {0};
    leat_job_id expires = {0};
    leat_job_id moved = pull_submit(fixture);
    job.delay_ns = 10 * S;
    CHECK_OK(leat_submit(fixture->engine, &job, &delayed));
    job.delay_ns = 0;
    options.expires_in_ns = 100 * MS;
    job.options = &options;
    CHECK_OK(leat_submit(fixture->engine, &job, &expires));
    CHECK_OK(leat_reschedule(fixture->engine, moved, leat_when_in(20 * S)));
    CHECK_EQUAL(pull_state(fixture, expires), LEAT_JOB_PENDING);
    pull_settle(fixture); /* it is dealt to its list, and no sweep comes by */
    test_clock_pass(&fixture->clock, fixture->engine, 100 * MS);
    pull_nothing(fixture);
    CHECK_EQUAL(pull_state(fixture, expires), LEAT_JOB_DEAD);
    CHECK_EQUAL(test_get(fixture->engine, expires).reason, LEAT_REASON_EXPIRED);
    test_clock_pass(&fixture->clock, fixture->engine, 10 * S + TICK);
    (void)pull_reserve_one(fixture, delayed);
    CHECK_STATUS(leat_reschedule(fixture->engine, delayed, leat_when_now()), LEAT_WRONG_STATE);
    test_clock_pass(&fixture->clock, fixture->engine, 10 * S + TICK);
    CHECK_OK(pull_reserve(fixture, PULL_JOBS));
    CHECK_EQUAL(fixture->count, 2); /* the lease is over, too */
    pull_settle(fixture);
    pull_teardown(fixture);
}

/* Of level 5 a job that waits, and of level 1 one that waits for `parent`. */
static void
behind_a_parent(struct pull *fixture, leat_job_id parent, leat_job_id *plain, leat_job_id *child)
{
    struct leat_job_options options = leat_job_options_default();
    struct leat_job job = pull_job(fixture);
    job.priority = 5;
    CHECK_OK(leat_submit(fixture->engine, &job, plain));
    options.parents = &parent;
    options.parents_count = 1;
    options.parent_policy = LEAT_PARENT_IGNORE;
    job.priority = 1;
    job.options = &options;
    CHECK_OK(leat_submit(fixture->engine, &job, child));
    CHECK_EQUAL(pull_state(fixture, *child), LEAT_JOB_BLOCKED);
}

/* Its parent is dropped on the way, at level 4: level 1 was looked at before, so that the next call
 * finds it. */
static void
freed_within_the_call(void **state)
{
    (void)state;
    struct pull *fixture = pull_setup();
    struct leat_job_options options = leat_job_options_default();
    struct leat_job job = pull_job(fixture);
    leat_job_id parent = {0};
    leat_job_id plain = {0};
    leat_job_id child = {0};
    options.expires_in_ns = 100 * MS;
    job.priority = 4;
    job.options = &options;
    CHECK_OK(leat_submit(fixture->engine, &job, &parent));
    behind_a_parent(fixture, parent, &plain, &child);
    (void)atom_add_acq_rel(&fixture->clock.boot, 100 * MS); /* no leat_clock_changed(): no sweep */
    CHECK_EQUAL(pull_state(fixture, child), LEAT_JOB_BLOCKED);
    CHECK_OK(pull_reserve(fixture, 1));
    CHECK_EQUAL(fixture->leases[0].id.bits, plain.bits);
    CHECK_EQUAL(test_get(fixture->engine, parent).reason, LEAT_REASON_EXPIRED);
    CHECK_EQUAL(pull_state(fixture, child), LEAT_JOB_PENDING);
    (void)pull_reserve_one(fixture, child);
    pull_settle(fixture);
    pull_teardown(fixture);
}

/* Its parent's last lease is over: that is due before any level is looked at. */
static void
freed_as_the_call_begins(void **state)
{
    (void)state;
    struct pull *fixture = pull_setup();
    struct leat_job job = pull_job(fixture);
    leat_job_id parent = {0};
    leat_job_id plain = {0};
    leat_job_id child = {0};
    job.max_attempts = 1;
    job.priority = 4;
    CHECK_OK(leat_submit(fixture->engine, &job, &parent));
    (void)pull_reserve_one(fixture, parent);
    behind_a_parent(fixture, parent, &plain, &child);
    test_clock_pass(&fixture->clock, fixture->engine, S + TICK);
    CHECK_EQUAL(pull_state(fixture, child), LEAT_JOB_BLOCKED);
    CHECK_OK(pull_reserve(fixture, 1));
    CHECK_EQUAL(fixture->leases[0].id.bits, child.bits);
    CHECK_EQUAL(test_get(fixture->engine, parent).reason, LEAT_REASON_TIMEOUT);
    CHECK_EQUAL(pull_state(fixture, plain), LEAT_JOB_PENDING);
    pull_settle(fixture);
    pull_teardown(fixture);
}

static void
paused_and_resumed(void **state)
{
    (void)state;
    struct pull *fixture = pull_setup();
    leat_job_id id = pull_submit(fixture);
    leat_token token = pull_reserve_one(fixture, id);
    leat_job_id other = pull_submit(fixture);
    CHECK_OK(leat_queue_pause(fixture->engine, fixture->queue));
    pull_nothing(fixture);
    pull_settle(fixture);
    pull_nothing(fixture);
    CHECK_OK(leat_ack(fixture->engine, token, NULL, 0));
    CHECK_OK(leat_queue_resume(fixture->engine, fixture->queue));
    token = pull_reserve_one(fixture, other);
    CHECK_OK(leat_lease_release(fixture->engine, token));
    pull_settle(fixture);
    pull_teardown(fixture);
}

/* Leases at once, below, at and above the cap; each end gives a place up. */
static void
capped(void **state)
{
    (void)state;
    struct leat_queue_options options = leat_queue_options_default();
    options.running_max = 2;
    struct pull *fixture = pull_setup_with(0, &options);
    const struct leat_gate *gate = leat_gate_of(fixture->engine, fixture->queue.bits - 1);
    for (uint32_t i = 0; i < 8; i++) {
        (void)pull_submit(fixture);
    }
    for (uint32_t round = 0; round < 4; round++) {
        CHECK_OK(pull_reserve(fixture, PULL_JOBS));
        CHECK_EQUAL(fixture->count, 2);
        leat_token first = fixture->leases[0].token;
        leat_token second = fixture->leases[1].token;
        pull_nothing(fixture);
        pull_settle(fixture);
        CHECK_OK(round == 0 ? leat_ack(fixture->engine, first, NULL, 0)
                            : leat_nack(fixture->engine, first, 100 * S, NULL));
        CHECK_OK(pull_reserve(fixture, PULL_JOBS));
        CHECK_EQUAL(fixture->count, 1);
        CHECK_OK(leat_lease_release(fixture->engine, fixture->leases[0].token));
        if (round % 2 == 0) {
            CHECK_OK(leat_ack(fixture->engine, second, NULL, 0));
        } else {
            pull_pass(fixture, S + TICK);
        }
        CHECK_EQUAL(leat_gate_used(atom_load_rlx(&gate->word)), 0);
    }
    pull_teardown(fixture);
}

static void
limited(void **state)
{
    (void)state;
    struct leat_queue_options options = leat_queue_options_default();
    options.waiting_max = 2;
    struct pull *fixture = pull_setup_with(0, &options);
    const struct leat_job job = pull_job(fixture);
    (void)pull_submit(fixture);
    (void)pull_submit(fixture);
    CHECK_STATUS(leat_submit(fixture->engine, &job, NULL), LEAT_FULL);
    CHECK_OK(pull_reserve(fixture, 1));
    (void)pull_submit(fixture);
    CHECK_STATUS(leat_submit(fixture->engine, &job, NULL), LEAT_FULL);
    CHECK_OK(leat_lease_release(fixture->engine, fixture->leases[0].token));
    pull_settle(fixture); /* it comes back whatever the limit */
    CHECK_OK(pull_reserve(fixture, PULL_JOBS));
    CHECK_EQUAL(fixture->count, 3);
    pull_settle(fixture);
    pull_teardown(fixture);
}

/* With jobs of another queue among them. */
static void
batches(void **state)
{
    (void)state;
    struct pull *fixture = pull_setup();
    static struct leat_job jobs[40];
    leat_job_id *ids = fixture->ids;
    for (uint32_t i = 0; i < 40; i++) {
        jobs[i] = pull_job(fixture);
        jobs[i].queue.bits = i % 4 == 0 ? 0 : fixture->queue.bits;
    }
    CHECK_OK(leat_submit_batch(fixture->engine, jobs, 40, LEAT_BATCH_ALL_OR_NONE, ids, NULL));
    CHECK_OK(pull_reserve(fixture, PULL_JOBS));
    CHECK_EQUAL(fixture->count, 30);
    CHECK_EQUAL(fixture->leases[0].id.bits, ids[1].bits);
    CHECK_EQUAL(fixture->leases[29].id.bits, ids[39].bits);
    pull_settle(fixture);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_dead, 10); /* "nobody" has no handler */
    pull_teardown(fixture);
}

/* ---- the engine ----------------------------------------------------------------------------- */

static void
life_of_the_engine(void **state)
{
    (void)state;
    struct pull *fixture = pull_setup();
    struct leat_engine *engine = fixture->engine;
    leat_job_id leased = pull_submit(fixture);
    leat_token token = pull_reserve_one(fixture, leased);
    leat_job_id waits = pull_submit(fixture);
    CHECK_STATUS(leat_drain(engine, 0), LEAT_TIMEOUT);
    CHECK_STATUS(pull_reserve(fixture, 1), LEAT_CLOSED);
    CHECK_OK(leat_extend(engine, token, 10 * S));
    CHECK_OK(leat_stop(engine, LEAT_FOREVER));
    CHECK_STATUS(pull_reserve(fixture, 1), LEAT_CLOSED);
    CHECK_EQUAL(pull_state(fixture, leased), LEAT_JOB_RUNNING);
    CHECK_EQUAL(pull_state(fixture, waits), LEAT_JOB_PENDING);
    test_engine_check(engine);
    CHECK_OK(leat_ack(engine, token, NULL, 0));
    CHECK_OK(leat_start(engine));
    token = pull_reserve_one(fixture, waits);
    CHECK_OK(leat_stop(engine, LEAT_FOREVER));
    test_clock_pass(&fixture->clock, engine, 2 * S);
    CHECK_OK(leat_extend(engine, token, S)); /* nobody has looked yet */
    test_clock_pass(&fixture->clock, engine, 2 * S);
    CHECK_OK(leat_start(engine));
    pull_settle(fixture);
    pull_check_lost(fixture, token, LEAT_STALE);
    token = pull_reserve_one(fixture, waits);
    CHECK_EQUAL(fixture->leases[0].attempt, 2);
    CHECK_OK(leat_ack(engine, token, NULL, 0));
    (void)pull_submit(fixture);
    CHECK_OK(leat_drain(engine, TEST_PATIENCE_NS)); /* not waited for */
    CHECK_OK(leat_stop(engine, LEAT_FOREVER));
    pull_teardown(fixture);
}

static void
not_started(void **state)
{
    (void)state;
    const struct leat_config config = test_config();
    struct leat_engine *engine = test_open(&config);
    struct leat_queue_options options = leat_queue_options_default();
    struct leat_reserve_options asked = leat_reserve_options_default();
    struct leat_lease lease;
    size_t count = 0;
    options.pull = true;
    CHECK_OK(leat_queue_create(engine, "pull", &options, &asked.queue));
    CHECK_STATUS(leat_reserve(engine, &asked, &lease, &count), LEAT_WRONG_STATE);
    options.pull = false;
    CHECK_STATUS(leat_queue_create(engine, "pull", &options, &asked.queue), LEAT_EXISTS);
    test_close(engine);
}

/* ---- waiting -------------------------------------------------------------------------------- */

struct waiter {
    struct pull *fixture;
    leat_atomic_u32 done;
    enum leat_status status;
};

static void
wait_body(void *shared, uint32_t number)
{
    struct waiter *waiter = shared;
    struct leat_reserve_options options = pull_asks(waiter->fixture, 1);
    (void)number;
    options.timeout_ns = TEST_PATIENCE_NS;
    waiter->status = leat_reserve(waiter->fixture->engine, &options, waiter->fixture->leases,
                                  &waiter->fixture->count);
    atom_store_rel(&waiter->done, 1);
}

enum event { EVENT_SUBMIT, EVENT_RESUME, EVENT_CAP, EVENT_NACK, EVENT_LATE, EVENT_DRAIN, EVENTS };

/* What ends a wait, with 0 workers and nobody in leat_run_some(), and with a worker. */
static void
waits_for(enum event event, uint32_t workers)
{
    struct pull *fixture = pull_setup_with(workers, NULL);
    struct leat_engine *engine = fixture->engine;
    struct waiter waiter = {.fixture = fixture};
    static struct test_threads threads;
    leat_job_id id = {0};
    leat_token token = {0, 0};
    if (event == EVENT_RESUME) {
        CHECK_OK(leat_queue_pause(engine, fixture->queue));
    } else if (event == EVENT_CAP) {
        CHECK_OK(leat_queue_set_running_max(engine, fixture->queue, 1));
    }
    if (event != EVENT_SUBMIT && event != EVENT_DRAIN) {
        id = pull_submit(fixture);
    }
    if (event == EVENT_CAP || event == EVENT_NACK || event == EVENT_LATE) {
        token = pull_reserve_one(fixture, id);
    }
    if (event == EVENT_CAP) {
        (void)pull_submit(fixture);
    }
    test_threads_start(&threads, 1, wait_body, &waiter);
    test_sleep_ns(10 * MS);
    CHECK_EQUAL(atom_load_acq(&waiter.done), 0);
    switch (event) {
    case EVENT_SUBMIT:
        (void)pull_submit(fixture);
        break;
    case EVENT_RESUME:
        CHECK_OK(leat_queue_resume(engine, fixture->queue));
        break;
    case EVENT_CAP:
        CHECK_OK(leat_ack(engine, token, NULL, 0));
        break;
    case EVENT_NACK:
        CHECK_OK(leat_nack(engine, token, 0, NULL));
        break;
    case EVENT_LATE:
        test_clock_pass(&fixture->clock, engine, S + TICK);
        break;
    case EVENT_DRAIN:
        CHECK_OK(leat_drain(engine, TEST_PATIENCE_NS));
        break;
    case EVENTS:
        break;
    }
    test_threads_join(&threads);
    CHECK_STATUS(waiter.status, event == EVENT_DRAIN ? LEAT_CLOSED : LEAT_OK);
    pull_teardown(fixture);
}

static void
waits(void **state)
{
    (void)state;
    for (uint32_t event = 0; event < EVENTS; event++) {
        waits_for((enum event)event, 0);
        waits_for((enum event)event, 1);
    }
}

static void
waits_in_vain(void **state)
{
    (void)state;
    struct pull *fixture = pull_setup();
    struct leat_reserve_options options = pull_asks(fixture, 1);
    uint64_t before_ns = test_now_ns();
    options.timeout_ns = 5 * MS;
    CHECK_STATUS(leat_reserve(fixture->engine, &options, fixture->leases, &fixture->count),
                 LEAT_TIMEOUT);
    CHECK(test_now_ns() - before_ns >= 5 * MS);
    pull_teardown(fixture);
}

static struct leat_outcome
inside(struct leat_run *run, void *context)
{
    struct pull *fixture = context;
    struct leat_reserve_options options = pull_asks(fixture, 1);
    options.timeout_ns = S;
    CHECK_STATUS(leat_reserve(leat_run_engine(run), &options, fixture->leases, &fixture->count),
                 LEAT_DEADLOCK);
    pull_nothing(fixture);
    leat_job_id id = pull_submit(fixture);
    leat_token token = pull_reserve_one(fixture, id);
    CHECK_OK(leat_ack(leat_run_engine(run), token, NULL, 0));
    /* A token of a handler that has not returned is no lease. */
    CHECK_STATUS(leat_ack(leat_run_engine(run), leat_run_token(run), "x", 1), LEAT_WRONG_STATE);
    return leat_done();
}

static void
in_a_handler(void **state)
{
    (void)state;
    struct pull *fixture = pull_setup();
    leat_type type = test_register(fixture->engine, "inside", inside, fixture);
    leat_job_id id = test_submit_kept(fixture->engine, type);
    pull_settle(fixture);
    CHECK_EQUAL(pull_state(fixture, id), LEAT_JOB_COMPLETED);
    pull_teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cancelled),
        cmocka_unit_test(cancelled_in_the_list),
        cmocka_unit_test(delayed_moved_and_expired),
        cmocka_unit_test(freed_within_the_call),
        cmocka_unit_test(freed_as_the_call_begins),
        cmocka_unit_test(paused_and_resumed),
        cmocka_unit_test(capped),
        cmocka_unit_test(limited),
        cmocka_unit_test(batches),
        cmocka_unit_test(life_of_the_engine),
        cmocka_unit_test(not_started),
        cmocka_unit_test(waits),
        cmocka_unit_test(waits_in_vain),
        cmocka_unit_test(in_a_handler),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
