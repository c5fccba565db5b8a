/* unit_reschedule.c - another time or level for a job that waits: on a wheel, in a ring, a list, a
 * batch, a worker's hand; by clocks that the test moves, so each is right to one tick. Engines have
 * no workers, so that nothing happens between two calls; what is due runs in the test's own thread.
 * Holds docs/design/0017; what comes in the middle of a change is in unit_change.c. */
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

#define RUNS_MAX 4096

struct fixture {
    struct test_clock clock;
    struct leat_engine *engine;
    leat_type type;
    struct leat_outcome answer; /* of every attempt but the last */
    uint32_t last;              /* run that answers done; 0: each asks `answer` */
    uint32_t runs;
    leat_job_id order[RUNS_MAX]; /* who ran */
    uint32_t priority;           /* of the last run */
    leat_token token;
    enum leat_status inside[2]; /* what a handler was told that changes its own job */
};

static struct leat_outcome
run(struct leat_run *attempt, void *context)
{
    struct fixture *fixture = context;
    leat_job_id id = leat_run_id(attempt);
    fixture->order[fixture->runs % RUNS_MAX] = id;
    fixture->runs++;
    fixture->priority = leat_run_priority(attempt);
    fixture->token = leat_run_token(attempt);
    fixture->inside[0] = leat_reschedule(fixture->engine, id, leat_when_in(S));
    fixture->inside[1] = leat_priority_set(fixture->engine, id, 0);
    return fixture->runs == fixture->last ? leat_done() : fixture->answer;
}

static struct fixture *
setup_with(struct leat_config config)
{
    static struct fixture fixture;
    memset(&fixture, 0, sizeof(fixture));
    test_clock_init(&fixture.clock);
    config.workers = 0;
    config.clock = test_clock_of(&fixture.clock);
    fixture.engine = test_start(&config);
    fixture.type = test_register(fixture.engine, "t", run, &fixture);
    fixture.answer = leat_done();
    return &fixture;
}

static struct fixture *
setup(void)
{
    struct leat_config config = test_config();
    config.jobs_max = 4000;
    config.starvation_picks = 0;
    return setup_with(config);
}

static void
finish(struct fixture *fixture)
{
    CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
    test_engine_check(fixture->engine);
    CHECK_OK(leat_start(fixture->engine));
    test_finish(fixture->engine);
}

/* What is due runs. Returns how many runs there were in all. */
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

static uint64_t
wall(const struct fixture *fixture)
{
    return atom_load_acq(&fixture->clock.wall);
}

static leat_job_id
submit_at(struct fixture *fixture, uint64_t delay_ns, uint32_t priority)
{
    struct leat_job job = leat_job_default();
    leat_job_id id = {0};
    job.type = fixture->type;
    job.flags = LEAT_JOB_KEEP_RESULT;
    job.delay_ns = delay_ns;
    job.priority = priority;
    CHECK_OK(leat_submit(fixture->engine, &job, &id));
    return id;
}

static leat_job_id
submit(struct fixture *fixture, uint64_t delay_ns)
{
    return submit_at(fixture, delay_ns, LEAT_PRIORITY_NORMAL);
}

static struct leat_job_info
get(const struct fixture *fixture, leat_job_id id)
{
    return test_get(fixture->engine, id);
}

static void
counts_are(const struct fixture *fixture, uint64_t waiting, uint64_t scheduled, uint64_t retrying)
{
    struct leat_statistics sum = test_statistics(fixture->engine);
    CHECK_EQUAL(sum.jobs_waiting, waiting);
    CHECK_EQUAL(sum.jobs_scheduled, scheduled);
    CHECK_EQUAL(sum.jobs_retrying, retrying);
    CHECK_EQUAL(sum.jobs_running, 0);
}

/* The job is due in so long, and runs then: not before, and within a tick. */
static void
runs_in(struct fixture *fixture, leat_job_id id, uint64_t ns)
{
    uint32_t before = settle(fixture);
    CHECK_EQUAL(get(fixture, id).due_in_ns, ns);
    if (ns != 0) {
        pass(fixture, ns - 1);
        CHECK_EQUAL(settle(fixture), before);
        pass(fixture, TICK);
    }
    CHECK_EQUAL(settle(fixture), before + 1);
    CHECK_EQUAL(fixture->order[before % RUNS_MAX].bits, id.bits);
}

/* ---- a job on a wheel ------------------------------------------------------------------------ */

static void
wheel_sooner_and_later(void **state)
{
    (void)state;
    static const uint64_t delays[] = {
        1,      TICK - 1, TICK,     TICK + 1,  10 * MS,
        59 * S, 61 * S,   3600 * S, 86400 * S, UINT64_C(366) * 86400 * S};
    for (size_t i = 0; i < TEST_COUNT_OF(delays); i++) {
        struct fixture *fixture = setup();
        leat_job_id id = submit(fixture, 60 * S);
        leat_job_id seen = submit(fixture, 60 * S);
        pass(fixture, 7 * MS + i * 333333);
        (void)settle(fixture); /* the second one's timer has gone from the inbox to a list */
        CHECK_OK(leat_reschedule(fixture->engine, id, leat_when_in(delays[i])));
        CHECK_EQUAL(get(fixture, id).state, LEAT_JOB_SCHEDULED);
        CHECK_EQUAL(get(fixture, id).due_in_ns, delays[i]);
        counts_are(fixture, 0, 2, 0);
        CHECK_OK(leat_cancel(fixture->engine, seen));
        counts_are(fixture, 0, 1, 0);
        runs_in(fixture, id, delays[i]);
        CHECK_EQUAL(get(fixture, id).state, LEAT_JOB_COMPLETED);
        counts_are(fixture, 0, 0, 0);
        finish(fixture);
    }
}

static void
wheel_now(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    const struct leat_when now[] = {leat_when_now(), leat_when_at(1), leat_when_at(wall(fixture)),
                                    leat_when_at(wall(fixture) - 1), leat_when_in(0)};
    for (size_t i = 0; i < TEST_COUNT_OF(now); i++) {
        leat_job_id id = submit(fixture, 3600 * S);
        CHECK_EQUAL(settle(fixture), i);
        CHECK_OK(leat_reschedule(fixture->engine, id, now[i]));
        CHECK_EQUAL(get(fixture, id).due_in_ns, 0);
        CHECK_EQUAL(settle(fixture), i + 1);
        CHECK_EQUAL(get(fixture, id).state, LEAT_JOB_COMPLETED);
    }
    finish(fixture);
}

/* From a delay to a time of day, which follows the clock when that is set, and back. */
static void
wheel_other_clock(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    leat_job_id id = submit(fixture, 10 * S);
    CHECK_OK(leat_reschedule(fixture->engine, id, leat_when_at(wall(fixture) + 20 * S)));
    CHECK_EQUAL(get(fixture, id).due_in_ns, 20 * S);
    pass(fixture, 11 * S);
    CHECK_EQUAL(settle(fixture), 0);
    test_clock_step(&fixture->clock, fixture->engine, -(int64_t)(3600 * S));
    CHECK_EQUAL(get(fixture, id).due_in_ns, 3609 * S);
    pass(fixture, 10 * S);
    CHECK_EQUAL(settle(fixture), 0);
    test_clock_step(&fixture->clock, fixture->engine, (int64_t)(3590 * S));
    runs_in(fixture, id, 9 * S);

    id = submit(fixture, 10 * S);
    CHECK_OK(leat_reschedule(fixture->engine, id, leat_when_at(wall(fixture) + 5 * S)));
    CHECK_OK(leat_reschedule(fixture->engine, id, leat_when_in(7 * S)));
    test_clock_step(&fixture->clock, fixture->engine, (int64_t)(3600 * S));
    runs_in(fixture, id, 7 * S);

    /* A time that never comes, by either clock. */
    id = submit(fixture, S);
    CHECK_OK(leat_reschedule(fixture->engine, id, leat_when_at(UINT64_MAX)));
    pass(fixture, UINT64_C(3000) * 86400 * S);
    CHECK_OK(leat_reschedule(fixture->engine, id, leat_when_at(UINT64_C(1) << 63)));
    CHECK_EQUAL(settle(fixture), 2);
    CHECK_OK(leat_reschedule(fixture->engine, id, leat_when_in(LEAT_FOREVER)));
    pass(fixture, UINT64_C(3000) * 86400 * S);
    CHECK_EQUAL(settle(fixture), 2);
    CHECK_OK(leat_reschedule(fixture->engine, id, leat_when_now()));
    CHECK_EQUAL(settle(fixture), 3);
    finish(fixture);
}

static void
retries_are_moved(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    fixture->answer = leat_retry_in(60 * S);
    fixture->last = 3;
    leat_job_id id = submit(fixture, 0);
    CHECK_EQUAL(settle(fixture), 1);
    CHECK_OK(leat_reschedule(fixture->engine, id, leat_when_in(2 * S)));
    CHECK_EQUAL(get(fixture, id).state, LEAT_JOB_RETRYING);
    counts_are(fixture, 0, 0, 1);
    CHECK_OK(leat_priority_set(fixture->engine, id, 1));
    runs_in(fixture, id, 2 * S);
    CHECK_EQUAL(fixture->priority, 1);
    CHECK_OK(leat_reschedule(fixture->engine, id, leat_when_now()));
    CHECK_EQUAL(settle(fixture), 3);
    CHECK_EQUAL(get(fixture, id).attempts, 3);
    counts_are(fixture, 0, 0, 0);
    finish(fixture);
}

/* A snooze is moved, and the next one is not: its time is its own again. Its level stays. */
static void
snoozes_are_moved(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    fixture->answer = leat_snooze(60 * S);
    fixture->last = 4;
    leat_job_id id = submit(fixture, 0);
    CHECK_EQUAL(settle(fixture), 1);
    CHECK_OK(leat_priority_set(fixture->engine, id, 7));
    CHECK_EQUAL(get(fixture, id).attempts, 0);
    runs_in(fixture, id, 60 * S);
    CHECK_EQUAL(fixture->priority, 7);
    CHECK_OK(leat_reschedule(fixture->engine, id, leat_when_in(5 * S)));
    runs_in(fixture, id, 5 * S);
    CHECK_EQUAL(get(fixture, id).attempts, 0);
    runs_in(fixture, id, 60 * S);
    CHECK_EQUAL(fixture->priority, 7);
    CHECK_EQUAL(get(fixture, id).attempts, 1);
    finish(fixture);
}

/* ---- a job in a ring ------------------------------------------------------------------------- */

static void
ring_put_off(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    leat_job_id first = submit(fixture, 0);
    leat_job_id second = submit(fixture, 0);
    counts_are(fixture, 2, 0, 0);
    CHECK_OK(leat_reschedule(fixture->engine, first, leat_when_in(10 * S)));
    CHECK_EQUAL(get(fixture, first).state, LEAT_JOB_SCHEDULED);
    CHECK_EQUAL(get(fixture, first).due_in_ns, 10 * S);
    counts_are(fixture, 1, 1, 0);
    CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
    test_engine_check(fixture->engine); /* with the mark in the ring */
    CHECK_OK(leat_start(fixture->engine));
    CHECK_EQUAL(settle(fixture), 1);
    CHECK_EQUAL(fixture->order[0].bits, second.bits);
    counts_are(fixture, 0, 1, 0);
    runs_in(fixture, first, 10 * S);
    finish(fixture);
}

/* By a time of day, with the clock set while the job is still in the ring, and behind that. */
static void
ring_put_off_by_wall(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    leat_job_id id = submit(fixture, 0);
    CHECK_OK(leat_reschedule(fixture->engine, id, leat_when_at(wall(fixture) + 10 * S)));
    test_clock_step(&fixture->clock, fixture->engine, (int64_t)(4 * S));
    CHECK_EQUAL(settle(fixture), 0);
    test_clock_step(&fixture->clock, fixture->engine, (int64_t)(3 * S));
    runs_in(fixture, id, 3 * S);
    finish(fixture);
}

/* The time is over before anybody comes to the job. */
static void
ring_put_off_and_over(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    leat_job_id id = submit(fixture, 0);
    CHECK_OK(leat_reschedule(fixture->engine, id, leat_when_in(S)));
    pass(fixture, S + TICK);
    CHECK_EQUAL(get(fixture, id).state, LEAT_JOB_SCHEDULED);
    CHECK_EQUAL(get(fixture, id).due_in_ns, 0);
    CHECK_EQUAL(settle(fixture), 1);
    id = submit(fixture, 0);
    CHECK_OK(leat_reschedule(fixture->engine, id, leat_when_at(wall(fixture) + S)));
    pass(fixture, S + TICK);
    CHECK_EQUAL(settle(fixture), 2);
    counts_are(fixture, 0, 0, 0);
    finish(fixture);
}

/* Changed twice, and back, before anybody comes to it. */
static void
ring_changed_again(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    leat_job_id twice = submit(fixture, 0);
    leat_job_id back = submit(fixture, 0);
    leat_job_id other = submit(fixture, 0);
    CHECK_OK(leat_reschedule(fixture->engine, twice, leat_when_in(10 * S)));
    CHECK_OK(leat_reschedule(fixture->engine, twice, leat_when_in(3 * S)));
    CHECK_OK(leat_reschedule(fixture->engine, back, leat_when_in(10 * S)));
    CHECK_OK(leat_reschedule(fixture->engine, back, leat_when_now()));
    CHECK_EQUAL(get(fixture, back).due_in_ns, 0);
    counts_are(fixture, 1, 2, 0);
    CHECK_EQUAL(settle(fixture), 2);
    CHECK_EQUAL(fixture->order[0].bits, other.bits);
    CHECK_EQUAL(fixture->order[1].bits, back.bits);
    runs_in(fixture, twice, 3 * S);
    twice = submit(fixture, 60 * S); /* on a wheel */
    CHECK_OK(leat_reschedule(fixture->engine, twice, leat_when_now()));
    CHECK_OK(leat_reschedule(fixture->engine, twice, leat_when_in(4 * S)));
    runs_in(fixture, twice, 4 * S);
    counts_are(fixture, 0, 0, 0);
    finish(fixture);
}

/* A PENDING job that is to run now keeps its turn. */
static void
ring_now_is_nothing(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    leat_job_id first = submit(fixture, 0);
    (void)submit(fixture, 0);
    CHECK_OK(leat_reschedule(fixture->engine, first, leat_when_now()));
    CHECK_OK(leat_priority_set(fixture->engine, first, LEAT_PRIORITY_NORMAL));
    CHECK_EQUAL(get(fixture, first).state, LEAT_JOB_PENDING);
    counts_are(fixture, 2, 0, 0);
    CHECK_EQUAL(settle(fixture), 2);
    CHECK_EQUAL(fixture->order[0].bits, first.bits);
    finish(fixture);
}

/* In a batch's item, in a local queue, and in a worker's hand between two attempts. */
static void
other_places(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_job jobs[6];
    leat_job_id ids[6];
    for (uint32_t i = 0; i < 6; i++) {
        jobs[i] = leat_job_default();
        jobs[i].type = fixture->type;
        jobs[i].flags = LEAT_JOB_KEEP_RESULT;
    }
    CHECK_OK(leat_submit_batch(fixture->engine, jobs, 6, LEAT_BATCH_ALL_OR_NONE, ids, NULL));
    CHECK_OK(leat_reschedule(fixture->engine, ids[1], leat_when_in(S)));
    CHECK_OK(leat_run_some(fixture->engine, 1, NULL));
    CHECK_EQUAL(fixture->order[0].bits, ids[0].bits);
    CHECK_OK(leat_reschedule(fixture->engine, ids[3], leat_when_in(2 * S)));
    CHECK_OK(leat_priority_set(fixture->engine, ids[4], 6));
    CHECK_EQUAL(settle(fixture), 4);
    CHECK_EQUAL(fixture->order[1].bits, ids[2].bits);
    CHECK_EQUAL(fixture->order[2].bits, ids[5].bits);
    CHECK_EQUAL(fixture->order[3].bits, ids[4].bits);
    CHECK_EQUAL(fixture->priority, 6);
    runs_in(fixture, ids[1], S);
    runs_in(fixture, ids[3], S - TICK + 1);

    fixture->answer = leat_retry_in(0);
    fixture->last = fixture->runs + 2;
    leat_job_id id = submit(fixture, 0);
    CHECK_OK(leat_run_some(fixture->engine, 1, NULL));
    CHECK_EQUAL(get(fixture, id).state, LEAT_JOB_PENDING);
    CHECK_OK(leat_reschedule(fixture->engine, id, leat_when_in(5 * S)));
    runs_in(fixture, id, 5 * S);
    CHECK_EQUAL(get(fixture, id).attempts, 2);
    CHECK_EQUAL(get(fixture, id).state, LEAT_JOB_COMPLETED);
    finish(fixture);
}

/* ---- a job in a list, and full rings --------------------------------------------------------- */

enum { MANY = 3000 };

/* Rings of 64 slots: most wait in the list, in its inbox and, once something was admitted, behind
 * it. Every third is put off, every third gets another level; none is lost, and their order is that
 * of the submits within a level. */
static void
lists_are_changed(void **state)
{
    (void)state;
    static leat_job_id ids[MANY];
    struct fixture *fixture = setup();
    for (uint32_t i = 0; i < MANY; i++) {
        ids[i] = submit(fixture, 0);
    }
    CHECK_OK(leat_run_some(fixture->engine, 90, NULL));
    for (uint32_t i = 90; i < MANY; i++) {
        if (i % 3 == 0) {
            CHECK_OK(leat_reschedule(fixture->engine, ids[i], leat_when_in(100 * S)));
        } else if (i % 3 == 1) {
            CHECK_OK(leat_priority_set(fixture->engine, ids[i], LEAT_PRIORITY_LOW));
        }
    }
    const uint32_t third = (MANY - 90) / 3;
    counts_are(fixture, third, UINT64_C(2) * third, 0);
    CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
    test_engine_check(fixture->engine);
    CHECK_OK(leat_start(fixture->engine));
    CHECK_EQUAL(settle(fixture), 90 + 2 * third);
    for (uint32_t i = 0; i < third; i++) {
        CHECK_EQUAL(fixture->order[90 + i].bits, ids[90 + 3 * i + 2].bits);
    }
    counts_are(fixture, 0, third, 0);
    pass(fixture, 100 * S - 1);
    CHECK_EQUAL(settle(fixture), 90 + 2 * third);
    pass(fixture, TICK);
    CHECK_EQUAL(settle(fixture), MANY);
    counts_are(fixture, 0, 0, 0);
    finish(fixture);
}

/* All rings and lists are full, and thousands come back at once: there is always room. */
static void
rings_are_full(void **state)
{
    (void)state;
    static leat_job_id ids[MANY];
    struct fixture *fixture = setup();
    for (uint32_t i = 0; i < MANY; i++) {
        ids[i] = submit(fixture, i % 2 == 0 ? 0 : 3600 * S);
    }
    for (uint32_t i = 0; i < MANY; i++) {
        CHECK_OK(leat_priority_set(fixture->engine, ids[i], i % 8));
        CHECK_OK(leat_reschedule(fixture->engine, ids[i], leat_when_now()));
    }
    CHECK_EQUAL(settle(fixture), MANY);
    finish(fixture);
}

static bool
sweep_is_asked(const struct fixture *fixture)
{
    const struct leat_pool *pool = &fixture->engine->pool;
    return (atom_load_acq(&pool->queues[0].waiting[LEAT_PRIORITY_NORMAL]) & LEAT_LIST_SWEEP) != 0;
}

/* A list most of whose jobs were changed is swept, as one of cancelled jobs is: they are on their
 * way before those that wait in front of them have gone. */
static void
lists_are_swept(void **state)
{
    (void)state;
    enum { LISTED = 936 };
    static leat_job_id ids[64 + LISTED];
    struct fixture *fixture = setup();
    for (uint32_t i = 0; i < 64 + LISTED; i++) {
        ids[i] = submit(fixture, 0);
    }
    for (uint32_t i = 0; i < LISTED / 2; i++) {
        leat_job_id id = ids[64 + LISTED - 1 - i];
        CHECK_OK(i % 2 == 0 ? leat_reschedule(fixture->engine, id, leat_when_in(S))
                            : leat_priority_set(fixture->engine, id, LEAT_PRIORITY_LOW));
    }
    CHECK(!sweep_is_asked(fixture));
    CHECK_OK(leat_reschedule(fixture->engine, ids[64], leat_when_in(S)));
    CHECK(sweep_is_asked(fixture));
    counts_are(fixture, 64 + LISTED / 2 - 1, LISTED / 2 + 1, 0);
    uint32_t ran = settle(fixture);
    CHECK(!sweep_is_asked(fixture));
    CHECK_EQUAL(ran, 64 + LISTED - LISTED / 4 - 1);
    pass(fixture, S + TICK);
    CHECK_EQUAL(settle(fixture), 64 + LISTED);
    finish(fixture);
}

/* ---- levels ---------------------------------------------------------------------------------- */

static void
levels_of_a_ring(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    leat_job_id down = submit(fixture, 0);
    leat_job_id up = submit(fixture, 0);
    leat_job_id idle = submit_at(fixture, 0, LEAT_PRIORITY_IDLE);
    leat_job_id back = submit(fixture, 0);
    CHECK_OK(leat_priority_set(fixture->engine, down, LEAT_PRIORITY_IDLE));
    CHECK_OK(leat_priority_set(fixture->engine, up, LEAT_PRIORITY_CRITICAL));
    CHECK_OK(leat_priority_set(fixture->engine, back, LEAT_PRIORITY_LOW));
    CHECK_OK(leat_priority_set(fixture->engine, back, LEAT_PRIORITY_NORMAL));
    CHECK_EQUAL(get(fixture, down).priority, LEAT_PRIORITY_IDLE);
    CHECK_EQUAL(get(fixture, down).state, LEAT_JOB_SCHEDULED);
    CHECK_EQUAL(get(fixture, down).due_in_ns, 0);
    counts_are(fixture, 1, 3, 0);
    CHECK_EQUAL(settle(fixture), 4);
    CHECK_EQUAL(fixture->order[0].bits, up.bits);
    CHECK_EQUAL(fixture->order[1].bits, back.bits);
    CHECK_EQUAL(fixture->order[2].bits, idle.bits);
    CHECK_EQUAL(fixture->order[3].bits, down.bits);
    CHECK_EQUAL(fixture->priority, LEAT_PRIORITY_IDLE);
    counts_are(fixture, 0, 0, 0);
    finish(fixture);
}

static void
levels_of_a_wheel(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    leat_job_id low = submit_at(fixture, 10 * S, LEAT_PRIORITY_CRITICAL);
    leat_job_id high = submit_at(fixture, 10 * S, LEAT_PRIORITY_IDLE);
    CHECK_OK(leat_priority_set(fixture->engine, low, LEAT_PRIORITY_IDLE));
    CHECK_OK(leat_priority_set(fixture->engine, high, LEAT_PRIORITY_CRITICAL));
    CHECK_EQUAL(get(fixture, low).due_in_ns, 10 * S);
    counts_are(fixture, 0, 2, 0);
    pass(fixture, 10 * S - 1);
    CHECK_EQUAL(settle(fixture), 0);
    pass(fixture, TICK);
    CHECK_EQUAL(settle(fixture), 2);
    CHECK_EQUAL(fixture->order[0].bits, high.bits);
    CHECK_EQUAL(fixture->order[1].bits, low.bits);
    finish(fixture);
}

/* A job whose time of day has come waits for a worker, also when the clock is set back then. */
static void
levels_know_no_old_time(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    leat_job_id id = submit(fixture, 3600 * S);
    CHECK_OK(leat_reschedule(fixture->engine, id, leat_when_at(wall(fixture) + S)));
    pass(fixture, S + TICK);
    (void)submit_at(fixture, 0, LEAT_PRIORITY_CRITICAL);
    CHECK_OK(leat_run_some(fixture->engine, 1, NULL));
    CHECK_EQUAL(get(fixture, id).state, LEAT_JOB_PENDING);
    test_clock_step(&fixture->clock, fixture->engine, -(int64_t)(60 * S));
    CHECK_OK(leat_priority_set(fixture->engine, id, LEAT_PRIORITY_LOW));
    CHECK_EQUAL(settle(fixture), 2);
    finish(fixture);
}

/* Both changes of one job, in either order, from either kind of place. */
static void
time_and_level(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    for (uint32_t i = 0; i < 4; i++) {
        leat_job_id id = submit(fixture, UINT64_C(60) * (i % 2) * S);
        if (i < 2) {
            CHECK_OK(leat_priority_set(fixture->engine, id, 1));
        }
        CHECK_OK(leat_reschedule(fixture->engine, id, leat_when_in(7 * S)));
        if (i >= 2) {
            CHECK_OK(leat_priority_set(fixture->engine, id, 1));
        }
        CHECK_EQUAL(get(fixture, id).priority, 1);
        runs_in(fixture, id, 7 * S);
        CHECK_EQUAL(fixture->priority, 1);
    }
    finish(fixture);
}

/* ---- limits of a queue, and an end meanwhile ------------------------------------------------- */

/* What is put off gives its room to others, and takes it again without asking. */
static void
room_of_a_queue(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_queue_options options = leat_queue_options_default();
    struct leat_job job = leat_job_default();
    leat_job_id ids[2];
    options.waiting_max = 2;
    job.type = fixture->type;
    CHECK_OK(leat_queue_create(fixture->engine, "small", &options, &job.queue));
    CHECK_OK(leat_submit(fixture->engine, &job, &ids[0]));
    CHECK_OK(leat_submit(fixture->engine, &job, &ids[1]));
    CHECK_STATUS(leat_submit(fixture->engine, &job, NULL), LEAT_FULL);
    CHECK_OK(leat_reschedule(fixture->engine, ids[0], leat_when_in(S)));
    CHECK_OK(leat_submit(fixture->engine, &job, NULL));
    CHECK_STATUS(leat_submit(fixture->engine, &job, NULL), LEAT_FULL);
    CHECK_OK(leat_priority_set(fixture->engine, ids[1], 7));
    CHECK_OK(leat_cancel(fixture->engine, ids[1]));
    CHECK_OK(leat_submit(fixture->engine, &job, NULL));
    CHECK_STATUS(leat_submit(fixture->engine, &job, NULL), LEAT_FULL);
    CHECK_OK(leat_run_some(fixture->engine, 1, NULL)); /* ids[0] goes to a wheel */
    pass(fixture, 2 * S);
    CHECK_EQUAL(settle(fixture), 3);
    finish(fixture);
}

static void
cancelled_behind_a_change(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    leat_job_id ids[4];
    for (uint32_t i = 0; i < 4; i++) {
        ids[i] = submit(fixture, i == 2 ? 60 * S : 0);
    }
    CHECK_OK(leat_reschedule(fixture->engine, ids[0], leat_when_in(S)));
    CHECK_OK(leat_priority_set(fixture->engine, ids[1], 7));
    CHECK_OK(leat_reschedule(fixture->engine, ids[2], leat_when_in(S)));
    CHECK_OK(leat_reschedule(fixture->engine, ids[3], leat_when_in(S)));
    for (uint32_t i = 0; i < 3; i++) {
        CHECK_OK(leat_cancel(fixture->engine, ids[i]));
        CHECK_EQUAL(get(fixture, ids[i]).state, LEAT_JOB_CANCELLED);
        CHECK(!get(fixture, ids[i]).cancel_requested);
        CHECK_STATUS(leat_reschedule(fixture->engine, ids[i], leat_when_now()), LEAT_ENDED);
        CHECK_STATUS(leat_priority_set(fixture->engine, ids[i], 1), LEAT_ENDED);
        CHECK_STATUS(leat_cancel(fixture->engine, ids[i]), LEAT_ENDED);
    }
    counts_are(fixture, 0, 1, 0);
    CHECK_EQUAL(settle(fixture), 0);
    CHECK_OK(leat_cancel(fixture->engine, ids[3])); /* on its wheel by now */
    counts_are(fixture, 0, 0, 0);
    pass(fixture, 100 * S);
    CHECK_EQUAL(settle(fixture), 0);
    finish(fixture);
}

static leat_job_id
submit_expiring(struct fixture *fixture, uint64_t delay_ns, uint64_t expires_in_ns)
{
    struct leat_job job = leat_job_default();
    struct leat_job_options options = leat_job_options_default();
    leat_job_id id = {0};
    job.type = fixture->type;
    job.flags = LEAT_JOB_KEEP_RESULT;
    job.delay_ns = delay_ns;
    options.expires_in_ns = expires_in_ns;
    job.options = &options;
    CHECK_OK(leat_submit(fixture->engine, &job, &id));
    return id;
}

/* An expiry is counted from the submit: a change does not put it off. */
static void
expired_behind_a_change(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    leat_job_id ids[3];
    for (uint32_t i = 0; i < 3; i++) {
        ids[i] = submit_expiring(fixture, i == 2 ? 60 * S : 0, 5 * S);
    }
    CHECK_OK(leat_reschedule(fixture->engine, ids[0], leat_when_in(6 * S)));
    CHECK_OK(leat_reschedule(fixture->engine, ids[1], leat_when_in(4 * S)));
    CHECK_OK(leat_reschedule(fixture->engine, ids[2], leat_when_in(4 * S)));
    CHECK_EQUAL(settle(fixture), 0);
    pass(fixture, 4 * S + TICK);
    CHECK_EQUAL(settle(fixture), 2);
    pass(fixture, 2 * S);
    CHECK_EQUAL(settle(fixture), 2);
    struct leat_job_info info = get(fixture, ids[0]);
    CHECK_EQUAL(info.state, LEAT_JOB_DEAD);
    CHECK_EQUAL(info.reason, LEAT_REASON_EXPIRED);
    CHECK_STATUS(leat_reschedule(fixture->engine, ids[0], leat_when_now()), LEAT_ENDED);
    /* Over its time, and the next sweep is to come: it may be changed yet, and is dead when due. */
    leat_job_id late = submit_expiring(fixture, 0, S / 4);
    pass(fixture, S / 4);
    CHECK_OK(leat_reschedule(fixture->engine, late, leat_when_in(S / 4)));
    CHECK_EQUAL(settle(fixture), 2);
    CHECK_EQUAL(get(fixture, late).state, LEAT_JOB_SCHEDULED);
    pass(fixture, S / 4 + TICK);
    CHECK_EQUAL(settle(fixture), 2);
    CHECK_EQUAL(get(fixture, late).reason, LEAT_REASON_EXPIRED);
    finish(fixture);
}

/* ---- refusals -------------------------------------------------------------------------------- */

static void
not_while_it_runs(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    fixture->answer = leat_pending();
    leat_job_id id = submit(fixture, 0);
    CHECK_EQUAL(settle(fixture), 1);
    CHECK_STATUS(fixture->inside[0], LEAT_WRONG_STATE);
    CHECK_STATUS(fixture->inside[1], LEAT_WRONG_STATE);
    CHECK_STATUS(leat_reschedule(fixture->engine, id, leat_when_in(S)), LEAT_WRONG_STATE);
    CHECK_STATUS(leat_priority_set(fixture->engine, id, 4), LEAT_WRONG_STATE);
    CHECK_EQUAL(get(fixture, id).state, LEAT_JOB_RUNNING);
    CHECK_EQUAL(get(fixture, id).priority, LEAT_PRIORITY_NORMAL);
    CHECK_OK(leat_complete(fixture->engine, fixture->token, leat_done(), NULL));
    CHECK_STATUS(leat_reschedule(fixture->engine, id, leat_when_in(S)), LEAT_ENDED);
    CHECK_STATUS(leat_priority_set(fixture->engine, id, 4), LEAT_ENDED);
    CHECK_OK(leat_release(fixture->engine, id));
    CHECK_STATUS(leat_reschedule(fixture->engine, id, leat_when_in(S)), LEAT_GONE);
    CHECK_STATUS(leat_priority_set(fixture->engine, id, 4), LEAT_GONE);
    finish(fixture);
}

static void
bad_input_changes_nothing(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    leat_job_id id = submit(fixture, 0);
    leat_job_id none = {0};
    leat_job_id beyond = {id.bits + (UINT64_C(2) << LEAT_INDEX_BITS)};
    struct leat_when both = {S, wall(fixture) + S};
    CHECK_STATUS(leat_reschedule(NULL, id, leat_when_now()), LEAT_INVALID);
    CHECK_STATUS(leat_priority_set(NULL, id, 0), LEAT_INVALID);
    CHECK_STATUS(leat_reschedule(fixture->engine, id, both), LEAT_INVALID);
    CHECK_STATUS(leat_reschedule(fixture->engine, none, leat_when_now()), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_reschedule(fixture->engine, beyond, leat_when_now()), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_priority_set(fixture->engine, none, 0), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_priority_set(fixture->engine, beyond, 0), LEAT_NOT_FOUND);
    uint32_t levels = leat_priority_levels();
    CHECK_STATUS(leat_priority_set(fixture->engine, id, levels), LEAT_INVALID);
    CHECK_STATUS(leat_priority_set(fixture->engine, id, LEAT_PRIORITY_OF_QUEUE), LEAT_INVALID);
    CHECK_STATUS(leat_priority_set(fixture->engine, id, UINT32_MAX), LEAT_INVALID);
    CHECK_EQUAL(get(fixture, id).state, LEAT_JOB_PENDING);
    CHECK_EQUAL(get(fixture, id).priority, LEAT_PRIORITY_NORMAL);
    CHECK_OK(leat_priority_set(fixture->engine, id, levels - 1));
    CHECK_EQUAL(settle(fixture), 1);
    CHECK_EQUAL(fixture->priority, levels - 1);
    finish(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wheel_sooner_and_later),
        cmocka_unit_test(wheel_now),
        cmocka_unit_test(wheel_other_clock),
        cmocka_unit_test(retries_are_moved),
        cmocka_unit_test(snoozes_are_moved),
        cmocka_unit_test(ring_put_off),
        cmocka_unit_test(ring_put_off_by_wall),
        cmocka_unit_test(ring_put_off_and_over),
        cmocka_unit_test(ring_changed_again),
        cmocka_unit_test(ring_now_is_nothing),
        cmocka_unit_test(other_places),
        cmocka_unit_test(lists_are_changed),
        cmocka_unit_test(rings_are_full),
        cmocka_unit_test(lists_are_swept),
        cmocka_unit_test(levels_of_a_ring),
        cmocka_unit_test(levels_of_a_wheel),
        cmocka_unit_test(levels_know_no_old_time),
        cmocka_unit_test(time_and_level),
        cmocka_unit_test(room_of_a_queue),
        cmocka_unit_test(cancelled_behind_a_change),
        cmocka_unit_test(expired_behind_a_change),
        cmocka_unit_test(not_while_it_runs),
        cmocka_unit_test(bad_input_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
