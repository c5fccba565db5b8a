/* stress_reschedule.c - threads that submit jobs, now, later, in batches and behind full rings,
 * while others give them another time and another level, cancel them, let them expire, and set the
 * wall clock; the handlers snooze, fail, and change jobs, too. Each job runs to its end once, is
 * cancelled, or expires; none is lost, none runs twice at a time; none runs before the time that it
 * was last given, if the thread that gave it can tell; and a drain leaves nothing that is to run
 * now. What who changes a job wrote before is plain data of its handler. Holds docs/design/0017. */
#include <stdlib.h>

#include "ring/atomic.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/fake_clock.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

#define SUBMITTERS 2
#define CHANGERS   2
#define JOBS       20000 /* of each submitter */
#define ALL        (SUBMITTERS * JOBS)
#define MS         UINT64_C(1000000)
#define FAR        (UINT64_C(3600000) * MS)
/* Jobs that the changers look at: the last ones. */
#define WINDOW 64

struct ticket {
    uint32_t inside;            /* plain: its handler's; 1 while it runs */
    uint32_t runs;              /* plain, the same */
    uint32_t ends;              /* plain, the same */
    leat_atomic_u32 cancelled;  /* a cancel was OK */
    leat_atomic_u32 either;     /* a cancel found it running */
    leat_atomic_u32 owner;      /* 1: a changer is at it, and nobody else changes it */
    leat_atomic_u64 not_before; /* BOOT: the last change, while nobody else was at it; or 0 */
    leat_atomic_u64 id;         /* 0: not yet there */
    bool expires;               /* plain, before its submit */
};

struct fixture {
    struct test_clock clock;
    struct leat_engine *engine;
    leat_type type;
    uint64_t seed;
    leat_atomic_u32 submitting;
    leat_atomic_u32 changing;
    leat_atomic_u32 changed[LEAT_STATUS_COUNT]; /* answers */
    struct ticket tickets[ALL];
};

/* ---- handlers -------------------------------------------------------------------------------- */

static struct leat_outcome
answer(const struct ticket *ticket, struct leat_run *attempt, uint32_t number)
{
    switch (ticket->runs < 3 ? number % 4 : 0) {
    case 1:
        return leat_snooze(number % 5 * MS);
    case 2:
        return leat_run_attempt(attempt) < 3 ? leat_retry_in(number % 3 * MS) : leat_done();
    default:
        return leat_done();
    }
}

static void
not_early(struct fixture *fixture, struct ticket *ticket)
{
    uint64_t not_before = atom_load_acq(&ticket->not_before);
    if (not_before != 0) {
        CHECK(atom_load_acq(&fixture->clock.boot) >= not_before);
        atom_store_rlx(&ticket->not_before, 0);
    }
}

static struct leat_outcome
run(struct leat_run *attempt, void *context)
{
    struct fixture *fixture = context;
    uint32_t number = *(const uint32_t *)leat_run_payload(attempt, NULL);
    CHECK(number < ALL);
    struct ticket *ticket = &fixture->tickets[number];
    CHECK_EQUAL(ticket->inside, 0);
    CHECK_EQUAL(ticket->ends, 0);
    ticket->inside = 1;
    ticket->runs++;
    not_early(fixture, ticket);
    leat_job_id id = leat_run_id(attempt);
    CHECK_STATUS(leat_reschedule(fixture->engine, id, leat_when_in(MS)), LEAT_WRONG_STATE);
    CHECK_STATUS(leat_priority_set(fixture->engine, id, number % 8), LEAT_WRONG_STATE);
    struct leat_outcome outcome = answer(ticket, attempt, number);
    ticket->inside = 0;
    ticket->ends = outcome.kind == LEAT_OUTCOME_DONE ? 1 : 0;
    return outcome;
}

/* ---- threads --------------------------------------------------------------------------------- */

static void
submit_one(struct fixture *fixture, struct test_prng *prng, uint32_t number)
{
    struct leat_job job = leat_job_default();
    struct leat_job_options options = leat_job_options_default();
    struct ticket *ticket = &fixture->tickets[number];
    leat_job_id id = {0};
    job.type = fixture->type;
    job.payload = &number;
    job.payload_bytes = sizeof(number);
    job.priority = test_random_below(prng, 8);
    job.options = &options;
    ticket->expires = test_random_below(prng, 8) == 0;
    if (ticket->expires) {
        options.expires_in_ns = test_random_below(prng, 5) * MS;
    }
    switch (test_random_below(prng, 3)) {
    case 0:
        options.run_at_ns = atom_load_acq(&fixture->clock.wall) + 3 * MS;
        break;
    case 1:
        job.delay_ns = test_random_below(prng, 4) * MS;
        break;
    default:
        break;
    }
    CHECK_OK(leat_submit(fixture->engine, &job, &id));
    atom_store_rel(&ticket->id, id.bits);
}

static void
submitter(struct fixture *fixture, uint32_t number)
{
    struct test_prng prng = {fixture->seed + number};
    for (uint32_t i = number * JOBS; i < (number + 1) * JOBS; i++) {
        submit_one(fixture, &prng, i);
        uint32_t back = test_random_below(&prng, WINDOW);
        struct ticket *ticket = &fixture->tickets[i >= back ? i - back : i];
        leat_job_id id = {atom_load_acq(&ticket->id)};
        if (test_random_below(&prng, 6) == 0 && id.bits != 0) {
            enum leat_status status = leat_cancel(fixture->engine, id);
            CHECK(status == LEAT_OK || status == LEAT_RUNNING || status == LEAT_ENDED ||
                  status == LEAT_GONE);
            if (status == LEAT_OK) {
                CHECK_EQUAL(atom_add_acq_rel(&ticket->cancelled, 1), 0);
            } else if (status == LEAT_RUNNING) {
                atom_store_rel(&ticket->either, 1);
            }
        }
    }
    (void)atom_sub_rel(&fixture->submitting, 1);
}

static bool
is_answer(enum leat_status status)
{
    return status == LEAT_OK || status == LEAT_WRONG_STATE || status == LEAT_ENDED ||
           status == LEAT_GONE || status == LEAT_BUSY;
}

/* Another time for a job that waits, whose changer this thread is. Ends: another thread is at its
 * level, and soon is no more. */
static enum leat_status
reschedule(struct fixture *fixture, leat_job_id id, struct leat_when when)
{
    enum leat_status status = LEAT_BUSY;
    while (status == LEAT_BUSY) {
        status = leat_reschedule(fixture->engine, id, when);
    }
    return status;
}

/* Far away first: then nobody runs the job, and nobody else writes here. */
static enum leat_status
change_time(struct fixture *fixture, struct test_prng *prng, struct ticket *ticket, leat_job_id id)
{
    uint64_t delay_ns = test_random_below(prng, 4) * MS;
    bool by_wall = test_random_below(prng, 3) == 0;
    struct leat_when when = leat_when_in(delay_ns);
    if (by_wall) {
        when = leat_when_at(atom_load_acq(&fixture->clock.wall) + delay_ns);
    }
    if (test_random_below(prng, 2) == 0 && atom_load_acq(&ticket->not_before) == 0) {
        return leat_reschedule(fixture->engine, id, when);
    }
    enum leat_status status = reschedule(fixture, id, leat_when_in(FAR));
    if (status == LEAT_OK) {
        uint64_t begin_ns = atom_load_acq(&fixture->clock.boot);
        atom_store_rel(&ticket->not_before, by_wall || delay_ns == 0 ? 0 : begin_ns + delay_ns);
        status = reschedule(fixture, id, when);
        CHECK(status == LEAT_OK || status == LEAT_ENDED || status == LEAT_GONE);
    }
    return status;
}

static enum leat_status
change_one(struct fixture *fixture, struct test_prng *prng, struct ticket *ticket, leat_job_id id)
{
    uint32_t nobody = 0;
    if (test_random_below(prng, 3) == 0 || !atom_cas_acq_rel(&ticket->owner, &nobody, 1)) {
        return leat_priority_set(fixture->engine, id, test_random_below(prng, 8));
    }
    enum leat_status status = change_time(fixture, prng, ticket, id);
    atom_store_rel(&ticket->owner, 0);
    return status;
}

/* Goes along behind the submitters. */
static void
changer(struct fixture *fixture, uint32_t number)
{
    struct test_prng prng = {fixture->seed + 100 + number};
    uint32_t newest[SUBMITTERS] = {0};
    while (atom_load_acq(&fixture->submitting) != 0) {
        for (uint32_t i = 0; i < SUBMITTERS; i++) {
            struct ticket *tickets = &fixture->tickets[(size_t)i * JOBS];
            while (newest[i] + 1 < JOBS && atom_load_acq(&tickets[newest[i] + 1].id) != 0) {
                newest[i]++;
            }
            uint32_t back = test_random_below(&prng, WINDOW);
            struct ticket *ticket = &tickets[newest[i] >= back ? newest[i] - back : 0];
            leat_job_id id = {atom_load_acq(&ticket->id)};
            if (id.bits != 0) {
                enum leat_status status = change_one(fixture, &prng, ticket, id);
                CHECK(is_answer(status));
                (void)atom_add_rlx(&fixture->changed[status], 1);
            }
        }
    }
    (void)atom_sub_rel(&fixture->changing, 1);
}

static void
clock_mover(struct fixture *fixture)
{
    uint64_t left = 1;
    for (uint32_t round = 0; left != 0; round++) {
        uint32_t at_work = atom_load_acq(&fixture->submitting) + atom_load_acq(&fixture->changing);
        test_clock_pass(&fixture->clock, fixture->engine, MS / 2);
        if (round % 100 == 99) {
            int64_t step = round % 200 == 99 ? 1 : -1;
            test_clock_step(&fixture->clock, fixture->engine, step * (int64_t)(20 * MS));
        }
        struct leat_statistics sum = test_statistics(fixture->engine);
        left =
            at_work + sum.jobs_waiting + sum.jobs_running + sum.jobs_scheduled + sum.jobs_retrying;
    }
}

static void
thread(void *shared, uint32_t number)
{
    if (number < SUBMITTERS) {
        submitter(shared, number);
    } else if (number < SUBMITTERS + CHANGERS) {
        changer(shared, number);
    } else {
        clock_mover(shared);
    }
}

/* Each came to one end. Returns how many to none that is seen here: they must have expired. */
static uint64_t
ends_check(struct fixture *fixture)
{
    uint64_t expired = 0;
    for (uint32_t i = 0; i < ALL; i++) {
        const struct ticket *ticket = &fixture->tickets[i];
        uint32_t ends = ticket->ends + atom_load_acq(&ticket->cancelled);
        bool either = atom_load_acq(&ticket->either) != 0;
        CHECK(ends <= 1);
        CHECK(ends == 1 || either || ticket->expires);
        expired += ends == 0 && !either ? 1 : 0;
    }
    return expired;
}

static struct fixture *
setup(struct leat_config config)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    CHECK(fixture != NULL);
    config.workers = 2;
    config.jobs_max = ALL;
    config.retained_max = 0;
    fixture->seed = test_seed("stress_reschedule");
    test_clock_init(&fixture->clock);
    config.clock = test_clock_of(&fixture->clock);
    fixture->engine = test_start(&config);
    fixture->type = test_register(fixture->engine, "run", run, fixture);
    return fixture;
}

static void
none_is_lost(void **state)
{
    (void)state;
    struct fixture *fixture = setup(test_config());
    atom_init(&fixture->submitting, SUBMITTERS);
    atom_init(&fixture->changing, CHANGERS);
    test_threads_run(SUBMITTERS + CHANGERS + 1, thread, fixture);
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    struct leat_statistics sum = test_statistics(fixture->engine);
    CHECK_EQUAL(sum.jobs_submitted, ALL);
    CHECK_EQUAL(sum.jobs_completed + sum.jobs_cancelled + sum.jobs_dead, ALL);
    CHECK(sum.jobs_dead >= ends_check(fixture));
    test_say("changes: %u done, %u while it ran, %u behind its end, %u gone, %u busy\n",
             atom_load_acq(&fixture->changed[LEAT_OK]),
             atom_load_acq(&fixture->changed[LEAT_WRONG_STATE]),
             atom_load_acq(&fixture->changed[LEAT_ENDED]),
             atom_load_acq(&fixture->changed[LEAT_GONE]),
             atom_load_acq(&fixture->changed[LEAT_BUSY]));
    CHECK(atom_load_acq(&fixture->changed[LEAT_OK]) > 100);
    test_close(fixture->engine);
    free(fixture);
}

/* ---- drains ---------------------------------------------------------------------------------- */

#define ROUNDS 60
#define SOME   200 /* jobs of a round */

struct drained {
    struct leat_engine *engine;
    leat_atomic_u32 runs;
    leat_atomic_u32 over;
    uint64_t seed;
    leat_job_id ids[SOME];
};

static struct leat_outcome
count(struct leat_run *attempt, void *context)
{
    struct drained *drained = context;
    (void)attempt;
    (void)atom_add_acq_rel(&drained->runs, 1);
    return leat_done();
}

/* One lets the jobs that are due much later come now, and drains; the others change levels:
 * whatever they do, all jobs have run when it has drained. */
static void
drained_thread(void *shared, uint32_t number)
{
    struct drained *drained = shared;
    struct test_prng prng = {drained->seed + number};
    if (number == 0) {
        for (uint32_t i = 1; i < SOME; i += 2) {
            enum leat_status status = LEAT_BUSY;
            while (status == LEAT_BUSY) {
                status = leat_reschedule(drained->engine, drained->ids[i], leat_when_now());
            }
            CHECK_OK(status);
        }
        CHECK_OK(leat_drain(drained->engine, LEAT_FOREVER));
        CHECK_EQUAL(atom_load_acq(&drained->runs), SOME);
        atom_store_rel(&drained->over, 1);
        return;
    }
    while (atom_load_acq(&drained->over) == 0) {
        leat_job_id id = drained->ids[test_random_below(&prng, SOME)];
        enum leat_status status =
            leat_priority_set(drained->engine, id, test_random_below(&prng, 8));
        CHECK(is_answer(status));
    }
}

static void
drains_wait_for_them(void **state)
{
    (void)state;
    static struct drained drained;
    drained.seed = test_seed("stress_reschedule");
    for (uint32_t round = 0; round < ROUNDS; round++) {
        struct leat_config config = test_config();
        config.workers = 1 + round % 2;
        config.jobs_max = 1000;
        atom_init(&drained.runs, 0);
        atom_init(&drained.over, 0);
        drained.seed += 3;
        drained.engine = test_start(&config);
        leat_type type = test_register(drained.engine, "count", count, &drained);
        for (uint32_t i = 0; i < SOME; i++) {
            struct leat_job job = leat_job_default();
            job.type = type;
            job.delay_ns = i % 2 * FAR;
            CHECK_OK(leat_submit(drained.engine, &job, &drained.ids[i]));
        }
        test_threads_run(3, drained_thread, &drained);
        test_close(drained.engine);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(none_is_lost),
        cmocka_unit_test(drains_wait_for_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
