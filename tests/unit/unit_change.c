/* unit_change.c - a change of a job that waits, and what comes in the middle of it. The change
 * reads the wall clock while it has the job: there another thread cancels it, changes it, lets it
 * come due or expire, or takes it, and is done before the change goes on. So the claim of
 * docs/design/0017 is met at one known moment. And what a drain and a stop do with jobs that were
 * changed. */
#include <pthread.h>
#include <string.h>

#include "engine/engine_internal.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/fake_clock.h"
#include "tests/support/threads.h"

#define MS   UINT64_C(1000000)
#define S    (1000 * MS)
#define TICK (UINT64_C(1) << 20)

struct fixture {
    struct test_clock clock;
    struct leat_engine *engine;
    leat_type type;
    leat_job_id id;
    uint32_t runs;
    uint32_t priority; /* of the last run */
    uint32_t looks;    /* at the wall clock, until the other thread comes; 0: never */
    void *(*other)(void *fixture);
};

static uint64_t
now(enum leat_clock_kind kind, void *context)
{
    struct fixture *fixture = context;
    struct leat_clock clock = test_clock_of(&fixture->clock);
    uint64_t now_ns = clock.now(kind, clock.context);
    if (kind == LEAT_CLOCK_WALL && fixture->looks != 0 && --fixture->looks == 0) {
        pthread_t thread;
        CHECK_EQUAL(pthread_create(&thread, NULL, fixture->other, fixture), 0);
        CHECK_EQUAL(pthread_join(thread, NULL), 0);
    }
    return now_ns;
}

static struct leat_outcome
run(struct leat_run *attempt, void *context)
{
    struct fixture *fixture = context;
    fixture->runs++;
    fixture->priority = leat_run_priority(attempt);
    return leat_done();
}

static leat_job_id
submit_expiring(struct fixture *fixture, uint64_t delay_ns, uint64_t expires_in_ns)
{
    struct leat_job job = leat_job_default();
    struct leat_job_options options = leat_job_options_default();
    leat_job_id id = {0};
    options.expires_in_ns = expires_in_ns;
    job.options = &options;
    job.type = fixture->type;
    job.flags = LEAT_JOB_KEEP_RESULT;
    job.delay_ns = delay_ns;
    CHECK_OK(leat_submit(fixture->engine, &job, &id));
    return id;
}

static leat_job_id
submit(struct fixture *fixture, uint64_t delay_ns)
{
    return submit_expiring(fixture, delay_ns, LEAT_FOREVER);
}

/* Two places for lent threads, since one comes in the middle of another. */
static struct fixture *
setup_expiring(uint64_t delay_ns, uint64_t expires_in_ns)
{
    static struct fixture fixture;
    struct leat_config config = test_config();
    memset(&fixture, 0, sizeof(fixture));
    test_clock_init(&fixture.clock);
    config.workers = 0;
    config.lenders_max = 2;
    config.retained_max = 0;
    config.clock = (struct leat_clock){now, &fixture};
    fixture.engine = test_start(&config);
    fixture.type = test_register(fixture.engine, "t", run, &fixture);
    fixture.id = submit_expiring(&fixture, delay_ns, expires_in_ns);
    return &fixture;
}

static struct fixture *
setup(uint64_t delay_ns)
{
    return setup_expiring(delay_ns, LEAT_FOREVER);
}

static uint32_t
settle(struct fixture *fixture)
{
    enum leat_status status = LEAT_OK;
    while (status == LEAT_OK) {
        status = leat_run_some(fixture->engine, 100, NULL);
    }
    CHECK_STATUS(status, LEAT_EMPTY);
    return fixture->runs;
}

static void
pass(struct fixture *fixture, uint64_t ns)
{
    test_clock_pass(&fixture->clock, fixture->engine, ns);
}

static void
finish(struct fixture *fixture)
{
    struct leat_statistics sum = test_statistics(fixture->engine);
    CHECK_EQUAL(sum.jobs_waiting + sum.jobs_scheduled + sum.jobs_retrying, 0);
    CHECK_EQUAL(atom_load_acq(&fixture->engine->outside.awaited), 0);
    test_finish(fixture->engine);
}

/* Changes the job to be due in 10 s by the wall clock, with the other thread in the middle. */
static enum leat_status
change_with(struct fixture *fixture, void *(*other)(void *fixture))
{
    uint64_t at_ns = atom_load_acq(&fixture->clock.wall) + 10 * S;
    fixture->other = other;
    fixture->looks = 2; /* one for whether it is past */
    enum leat_status status = leat_reschedule(fixture->engine, fixture->id, leat_when_at(at_ns));
    CHECK_EQUAL(fixture->looks, 0);
    return status;
}

static void
runs_in_10_s(struct fixture *fixture)
{
    struct leat_job_info info = test_get(fixture->engine, fixture->id);
    CHECK_EQUAL(info.state, LEAT_JOB_SCHEDULED);
    CHECK_EQUAL(info.due_in_ns, 10 * S);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_scheduled, 1);
    CHECK_EQUAL(settle(fixture), 0);
    pass(fixture, 10 * S - 1);
    CHECK_EQUAL(settle(fixture), 0);
    pass(fixture, TICK);
    CHECK_EQUAL(settle(fixture), 1);
}

/* ---- what comes in the middle ---------------------------------------------------------------- */

static void *
changes_it(void *argument)
{
    struct fixture *fixture = argument;
    leat_job_id id = fixture->id;
    CHECK_STATUS(leat_reschedule(fixture->engine, id, leat_when_in(S)), LEAT_BUSY);
    CHECK_STATUS(leat_reschedule(fixture->engine, id, leat_when_now()), LEAT_BUSY);
    CHECK_STATUS(leat_priority_set(fixture->engine, id, 1), LEAT_BUSY);
    CHECK_STATUS(leat_priority_set(fixture->engine, id, LEAT_PRIORITY_NORMAL), LEAT_BUSY);
    CHECK_EQUAL(test_get(fixture->engine, id).state, LEAT_JOB_SCHEDULED);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_running, 0);
    return NULL;
}

static void
second_change_is_busy(void **state)
{
    (void)state;
    struct fixture *fixture = setup(5 * S);
    CHECK_OK(change_with(fixture, changes_it));
    CHECK_OK(leat_priority_set(fixture->engine, fixture->id, 1));
    runs_in_10_s(fixture);
    CHECK_EQUAL(fixture->priority, 1);
    finish(fixture);
}

static void *
cancels_it(void *argument)
{
    struct fixture *fixture = argument;
    CHECK_OK(leat_cancel(fixture->engine, fixture->id));
    CHECK_STATUS(leat_reschedule(fixture->engine, fixture->id, leat_when_now()), LEAT_ENDED);
    return NULL;
}

/* Also where its submitter has let go of it: the change holds the record to its end. */
static void *
cancels_and_releases_it(void *argument)
{
    struct fixture *fixture = argument;
    (void)cancels_it(argument);
    CHECK_OK(leat_release(fixture->engine, fixture->id));
    (void)settle(fixture);
    return NULL;
}

static void
cancel_comes_first(void **state)
{
    (void)state;
    struct fixture *fixture = setup(5 * S);
    CHECK_STATUS(change_with(fixture, cancels_it), LEAT_ENDED);
    CHECK_EQUAL(test_get(fixture->engine, fixture->id).state, LEAT_JOB_CANCELLED);
    pass(fixture, 20 * S);
    CHECK_EQUAL(settle(fixture), 0);
    finish(fixture);

    fixture = setup(5 * S);
    CHECK_STATUS(change_with(fixture, cancels_and_releases_it), LEAT_ENDED);
    pass(fixture, 20 * S);
    CHECK_EQUAL(settle(fixture), 0);
    finish(fixture);
}

/* Its timer expires: who takes it from the wheel leaves it to the change. */
static void *
lets_it_come(void *argument)
{
    struct fixture *fixture = argument;
    CHECK_EQUAL(settle(fixture), 0);
    return NULL;
}

static void *
lets_it_come_and_cancels(void *argument)
{
    (void)lets_it_come(argument);
    return cancels_it(argument);
}

static void *
lets_it_come_and_drains(void *argument)
{
    struct fixture *fixture = argument;
    (void)lets_it_come(argument);
    CHECK_STATUS(leat_drain(fixture->engine, 0), LEAT_TIMEOUT);
    return NULL;
}

static void
timer_comes_first(void **state)
{
    (void)state;
    struct fixture *fixture = setup(5 * S);
    pass(fixture, 6 * S);
    CHECK_OK(change_with(fixture, lets_it_come));
    runs_in_10_s(fixture);
    finish(fixture);

    fixture = setup(5 * S);
    pass(fixture, 6 * S);
    CHECK_STATUS(change_with(fixture, lets_it_come_and_cancels), LEAT_ENDED);
    CHECK_EQUAL(test_get(fixture->engine, fixture->id).state, LEAT_JOB_CANCELLED);
    pass(fixture, 20 * S);
    CHECK_EQUAL(settle(fixture), 0);
    finish(fixture);
}

/* The same in a ring: the job was put off once, and is taken while it is put off again. */
static void
taker_comes_first(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0);
    CHECK_OK(leat_reschedule(fixture->engine, fixture->id, leat_when_in(S)));
    CHECK_OK(change_with(fixture, lets_it_come));
    runs_in_10_s(fixture);
    finish(fixture);

    fixture = setup(0);
    CHECK_OK(leat_reschedule(fixture->engine, fixture->id, leat_when_in(S)));
    CHECK_STATUS(change_with(fixture, lets_it_come_and_cancels), LEAT_ENDED);
    CHECK_EQUAL(settle(fixture), 0);
    finish(fixture);

    fixture = setup(0);
    CHECK_OK(leat_reschedule(fixture->engine, fixture->id, leat_when_in(S)));
    CHECK_STATUS(change_with(fixture, cancels_and_releases_it), LEAT_ENDED);
    CHECK_EQUAL(settle(fixture), 0);
    finish(fixture);
}

/* ---- the sweep in the middle ----------------------------------------------------------------- */

#define EXPIRES_NS (7 * S)

/* Nobody comes to it; the wheel or the ring has it yet. */
static void *
lets_it_expire(void *argument)
{
    struct fixture *fixture = argument;
    pass(fixture, EXPIRES_NS);
    struct leat_job_info info = test_get(fixture->engine, fixture->id);
    CHECK_EQUAL(info.state, LEAT_JOB_DEAD);
    CHECK_EQUAL(info.reason, LEAT_REASON_EXPIRED);
    CHECK_STATUS(leat_reschedule(fixture->engine, fixture->id, leat_when_now()), LEAT_ENDED);
    CHECK_STATUS(leat_cancel(fixture->engine, fixture->id), LEAT_ENDED);
    return NULL;
}

/* And is let go of by its submitter and its place, before the change goes on. */
static void *
lets_it_expire_and_releases_it(void *argument)
{
    struct fixture *fixture = argument;
    (void)lets_it_expire(argument);
    CHECK_OK(leat_release(fixture->engine, fixture->id));
    (void)settle(fixture);
    return NULL;
}

/* Who takes it leaves it to the change, and then it expires there. */
static void *
lets_it_come_and_expire(void *argument)
{
    (void)lets_it_come(argument);
    return lets_it_expire(argument);
}

static void *
lets_it_come_expire_and_releases_it(void *argument)
{
    (void)lets_it_come(argument);
    return lets_it_expire_and_releases_it(argument);
}

/* In each place: the change finds it dead, and who has the index gives the record back. */
static void
sweep_comes_first(void **state)
{
    (void)state;
    static void *(*const others[])(void *) = {lets_it_expire, lets_it_expire_and_releases_it,
                                              lets_it_come_and_expire,
                                              lets_it_come_expire_and_releases_it};
    for (uint32_t i = 0; i < 2 * TEST_COUNT_OF(others); i++) {
        bool ring = i % 2 != 0;
        struct fixture *fixture = setup_expiring(ring ? 0 : 5 * S, EXPIRES_NS);
        if (ring) {
            CHECK_OK(leat_reschedule(fixture->engine, fixture->id, leat_when_in(S)));
        } else {
            pass(fixture, 6 * S);
        }
        CHECK_STATUS(change_with(fixture, others[i / 2]), LEAT_ENDED);
        CHECK_EQUAL(test_statistics(fixture->engine).jobs_dead, 1);
        CHECK_EQUAL(test_statistics(fixture->engine).jobs_scheduled, 0);
        CHECK_EQUAL(settle(fixture), 0);
        test_engine_check(fixture->engine);
        /* The place of the dead has it, and nobody else. */
        CHECK_EQUAL(test_get(fixture->engine, fixture->id).reason, LEAT_REASON_EXPIRED);
        pass(fixture, 20 * S);
        CHECK_EQUAL(settle(fixture), 0);
        finish(fixture);
    }
}

/* ---- drains and stops ------------------------------------------------------------------------ */

/* A drain does not end beside a change: the job may be due when that has ended. */
static void
drain_waits_for_a_change(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0);
    CHECK_OK(leat_reschedule(fixture->engine, fixture->id, leat_when_in(S)));
    CHECK_OK(change_with(fixture, lets_it_come_and_drains));
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    runs_in_10_s(fixture);
    finish(fixture);
}

/* A drain runs what is to run now, and leaves what was put off; so does a stop. */
static void
drains_and_stops(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0);
    leat_job_id level = submit(fixture, 0);
    leat_job_id soon = submit(fixture, 60 * S);
    (void)submit(fixture, 0);
    CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
    CHECK_OK(leat_reschedule(fixture->engine, fixture->id, leat_when_in(S)));
    CHECK_OK(leat_priority_set(fixture->engine, level, 7));
    CHECK_OK(leat_reschedule(fixture->engine, soon, leat_when_now()));
    struct leat_statistics sum = test_statistics(fixture->engine);
    CHECK_EQUAL(sum.jobs_waiting, 1);
    CHECK_EQUAL(sum.jobs_scheduled, 3);
    test_engine_check(fixture->engine);
    CHECK_OK(leat_start(fixture->engine));
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    CHECK_EQUAL(fixture->runs, 3);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_scheduled, 1);
    CHECK_OK(leat_reschedule(fixture->engine, fixture->id, leat_when_now()));
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    CHECK_EQUAL(fixture->runs, 4);
    finish(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(second_change_is_busy), cmocka_unit_test(cancel_comes_first),
        cmocka_unit_test(timer_comes_first),     cmocka_unit_test(taker_comes_first),
        cmocka_unit_test(sweep_comes_first),     cmocka_unit_test(drain_waits_for_a_change),
        cmocka_unit_test(drains_and_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
