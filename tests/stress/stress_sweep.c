/* stress_sweep.c - jobs that expire by the sweep while other threads take them, give them another
 * time and level, cancel them, look at them, and pause their queue; the records are few, so that a
 * sweep meets jobs that are just submitted and others that are just gone, and goes over them in
 * steps of several threads. The handlers snooze and fail. Each job comes to one end, which its
 * completion queue, leat_get() and the statistics agree on; none that has ended runs; none that may
 * wait for ever expires, and none before its time. Holds I1 of engine/sweep.h and what
 * docs/design/0017 says of a sweep. */
#include <sched.h>
#include <stdlib.h>

#include "engine/engine_internal.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/fake_clock.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

#define SUBMITTERS 2
#define CHANGERS   1
#define LOOKERS    2     /* at the ends; they move the clock, too */
#define JOBS       20000 /* of each submitter */
#define ALL        (SUBMITTERS * JOBS)
#define RECORDS    (LEAT_SWEEP_RECORDS * 3 / 2)
#define S          UINT64_C(1000000000)
/* Jobs that are changed and cancelled: the last ones. */
#define WINDOW 512

struct ticket {
    uint32_t inside;           /* plain: its handler's; 1 while it runs */
    uint32_t runs;             /* plain, the same */
    bool done;                 /* plain, the same */
    uint64_t expires_ns;       /* plain, before its submit: not before; LEAT_FOREVER: never */
    leat_atomic_u32 ended;     /* times that its completion was taken */
    leat_atomic_u32 cancelled; /* 1: a cancel was OK; 2: it ran then */
    leat_atomic_u64 id;        /* 0: not yet there */
};

struct fixture {
    struct test_clock clock;
    struct leat_engine *engine;
    struct leat_completion_queue *completions;
    leat_type type;
    leat_queue queues[2]; /* the second is paused now and then */
    uint64_t seed;
    leat_atomic_u32 submitting;
    leat_atomic_u32 ended;
    leat_atomic_u32 expired;
    leat_atomic_u32 swept; /* of those */
    leat_atomic_u32 changed[LEAT_STATUS_COUNT];
    struct ticket tickets[ALL];
};

/* ---- handler --------------------------------------------------------------------------------- */

static struct leat_outcome
run(struct leat_run *attempt, void *context)
{
    struct fixture *fixture = context;
    uint32_t number = *(const uint32_t *)leat_run_payload(attempt, NULL);
    CHECK(number < ALL);
    struct ticket *ticket = &fixture->tickets[number];
    CHECK_EQUAL(ticket->inside, 0);
    CHECK(!ticket->done);
    CHECK_EQUAL(atom_load_acq(&ticket->ended), 0);
    ticket->inside = 1;
    ticket->runs++;
    struct leat_outcome outcome = leat_done();
    if (ticket->runs < 3 && number % 4 == 1) {
        outcome = leat_snooze(number % 3 * S);
    } else if (ticket->runs < 3 && number % 4 == 2) {
        outcome = leat_retry_in(number % 3 * S);
    }
    ticket->done = outcome.kind == LEAT_OUTCOME_DONE;
    ticket->inside = 0;
    return outcome;
}

/* ---- who submits, changes and cancels -------------------------------------------------------- */

static void
submit_one(struct fixture *fixture, struct test_prng *prng, uint32_t number)
{
    struct leat_job job = leat_job_default();
    struct leat_job_options options = leat_job_options_default();
    struct ticket *ticket = &fixture->tickets[number];
    leat_job_id id = {0};
    job.type = fixture->type;
    job.queue = fixture->queues[test_random_below(prng, 4) == 0 ? 1 : 0];
    job.payload = &number;
    job.payload_bytes = sizeof(number);
    job.priority = test_random_below(prng, 8);
    job.options = &options;
    job.completions = fixture->completions;
    job.user = ticket;
    job.flags = test_random_below(prng, 2) == 0 ? LEAT_JOB_KEEP_RESULT : 0;
    job.delay_ns = 2 * S * test_random_below(prng, 3);
    ticket->expires_ns = LEAT_FOREVER;
    if (test_random_below(prng, 4) != 0) {
        options.expires_in_ns = test_random_below(prng, 4) * S;
        ticket->expires_ns = atom_load_acq(&fixture->clock.boot) + options.expires_in_ns;
    }
    enum leat_status status = leat_submit(fixture->engine, &job, &id);
    while (status == LEAT_FULL) {
        (void)sched_yield();
        status = leat_submit(fixture->engine, &job, &id);
    }
    CHECK_OK(status);
    atom_store_rel(&ticket->id, id.bits);
}

static void
cancel(struct fixture *fixture, struct ticket *ticket)
{
    leat_job_id id = {atom_load_acq(&ticket->id)};
    if (id.bits == 0) {
        return;
    }
    enum leat_status status = leat_cancel(fixture->engine, id);
    CHECK(status == LEAT_OK || status == LEAT_RUNNING || status == LEAT_ENDED ||
          status == LEAT_GONE);
    if (status == LEAT_OK || status == LEAT_RUNNING) {
        atom_store_rel(&ticket->cancelled, status == LEAT_OK ? 1 : 2);
    }
}

static void
submitter(struct fixture *fixture, uint32_t number)
{
    struct test_prng prng = {fixture->seed + number};
    for (uint32_t i = number * JOBS; i < (number + 1) * JOBS; i++) {
        submit_one(fixture, &prng, i);
        uint32_t back = test_random_below(&prng, WINDOW);
        if (test_random_below(&prng, 8) == 0 && i >= number * JOBS + back) {
            cancel(fixture, &fixture->tickets[i - back]);
        }
    }
    (void)atom_sub_rel(&fixture->submitting, 1);
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
            leat_job_id id = {atom_load_acq(&tickets[newest[i] >= back ? newest[i] - back : 0].id)};
            if (id.bits == 0) {
                continue;
            }
            uint64_t delay_ns = test_random_below(&prng, 4) * S;
            enum leat_status status =
                delay_ns == 3 * S ? leat_priority_set(fixture->engine, id, newest[i] % 8)
                                  : leat_reschedule(fixture->engine, id, leat_when_in(delay_ns));
            CHECK(status == LEAT_OK || status == LEAT_WRONG_STATE || status == LEAT_ENDED ||
                  status == LEAT_GONE || status == LEAT_BUSY);
            (void)atom_add_rlx(&fixture->changed[status], 1);
        }
    }
}

/* ---- who looks at the ends ------------------------------------------------------------------- */

/* A kept job is there, and says the same. */
static void
look(struct fixture *fixture, const struct leat_completion *item)
{
    struct leat_job_info info = leat_job_info_default();
    enum leat_status status = leat_get(fixture->engine, item->id, &info);
    if (status == LEAT_OK) {
        CHECK_EQUAL(info.state, item->state);
        CHECK_EQUAL(info.reason, item->reason);
        uint32_t index = (uint32_t)(item->id.bits & LEAT_INDEX_NONE);
        uint64_t word = atom_load_acq(leat_slab_word(&fixture->engine->jobs, index));
        bool same = leat_word_generation(word) == leat_word_generation(item->id.bits);
        if (same && item->state == LEAT_JOB_DEAD && (word & LEAT_WORD_EXPIRED) != 0) {
            CHECK_EQUAL(item->reason, LEAT_REASON_EXPIRED);
            (void)atom_add_rlx(&fixture->swept, 1);
        }
    }
    CHECK(status == LEAT_OK || status == LEAT_GONE);
    status = leat_release(fixture->engine, item->id);
    CHECK(status == LEAT_OK || status == LEAT_WRONG_STATE || status == LEAT_GONE);
}

static void
end(struct fixture *fixture, const struct leat_completion *item)
{
    struct ticket *ticket = item->user;
    CHECK_EQUAL(atom_add_acq_rel(&ticket->ended, 1), 0);
    CHECK_EQUAL(ticket->inside, 0);
    CHECK_EQUAL(ticket->done, item->state == LEAT_JOB_COMPLETED);
    if (item->state == LEAT_JOB_DEAD) {
        CHECK_EQUAL(item->reason, LEAT_REASON_EXPIRED);
        CHECK(ticket->expires_ns <= atom_load_acq(&fixture->clock.boot));
        (void)atom_add_rlx(&fixture->expired, 1);
    }
    look(fixture, item);
    (void)atom_add_rel(&fixture->ended, 1);
}

static void
looker(struct fixture *fixture, uint32_t number)
{
    struct test_prng prng = {fixture->seed + 200 + number};
    while (atom_load_acq(&fixture->ended) != ALL) {
        struct leat_completion items[16];
        size_t taken = 0;
        test_clock_pass(&fixture->clock, fixture->engine, test_random_below(&prng, 3) * S / 8);
        enum leat_status status =
            leat_completion_queue_take(fixture->completions, items, 16, &taken);
        CHECK(status == LEAT_OK || status == LEAT_EMPTY);
        for (size_t i = 0; i < taken; i++) {
            end(fixture, &items[i]);
        }
        if (number == 0 && test_random_below(&prng, 4) == 0) {
            CHECK_OK(leat_queue_pause(fixture->engine, fixture->queues[1]));
        } else if (number == 0 && test_random_below(&prng, 8) == 0) {
            CHECK_OK(leat_queue_resume(fixture->engine, fixture->queues[1]));
        }
    }
}

static void
thread(void *shared, uint32_t number)
{
    if (number < SUBMITTERS) {
        submitter(shared, number);
    } else if (number < SUBMITTERS + CHANGERS) {
        changer(shared, number - SUBMITTERS);
    } else {
        looker(shared, number - SUBMITTERS - CHANGERS);
    }
}

/* ---- all of it ------------------------------------------------------------------------------- */

static struct fixture *
setup(void)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    CHECK(fixture != NULL);
    struct leat_config config = test_config();
    config.workers = 2;
    config.jobs_max = RECORDS;
    config.retained_max = 0;
    config.dead_max = 32;
    fixture->seed = test_seed("stress_sweep");
    test_clock_init(&fixture->clock);
    config.clock = test_clock_of(&fixture->clock);
    fixture->engine = test_start(&config);
    /* The clock runs: a handler that is not on a core for a moment would be late. */
    struct leat_type_options options = leat_type_options_default();
    options.timeout_ns = 0;
    CHECK_OK(leat_type_register(fixture->engine, "run", run, fixture, &options, &fixture->type));
    CHECK_OK(leat_queue_find(fixture->engine, "default", &fixture->queues[0]));
    CHECK_OK(leat_queue_create(fixture->engine, "paused", NULL, &fixture->queues[1]));
    CHECK_OK(leat_completion_queue_create(fixture->engine, RECORDS, &fixture->completions));
    atom_init(&fixture->submitting, SUBMITTERS);
    return fixture;
}

static void
each_ends_once(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    test_threads_run(SUBMITTERS + CHANGERS + LOOKERS, thread, fixture);
    struct leat_statistics sum = test_statistics(fixture->engine);
    CHECK_EQUAL(sum.jobs_submitted, ALL);
    CHECK_EQUAL(sum.jobs_completed + sum.jobs_cancelled + sum.jobs_dead, ALL);
    CHECK_EQUAL(sum.jobs_waiting + sum.jobs_scheduled + sum.jobs_retrying, 0);
    CHECK_EQUAL(sum.jobs_dead, atom_load_acq(&fixture->expired));
    for (uint32_t i = 0; i < ALL; i++) {
        const struct ticket *ticket = &fixture->tickets[i];
        CHECK_EQUAL(atom_load_acq(&ticket->ended), 1);
        CHECK(atom_load_acq(&ticket->cancelled) != 1 || !ticket->done);
    }
    test_say("%u expired, at least %u of them by a sweep; changes: %u done, %u behind an end\n",
             atom_load_acq(&fixture->expired), atom_load_acq(&fixture->swept),
             atom_load_acq(&fixture->changed[LEAT_OK]),
             atom_load_acq(&fixture->changed[LEAT_ENDED]));
    CHECK(atom_load_acq(&fixture->swept) > 100);
    CHECK(atom_load_acq(&fixture->changed[LEAT_OK]) > 100);
    CHECK_OK(leat_queue_resume(fixture->engine, fixture->queues[1]));
    test_finish(fixture->engine);
    free(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_ends_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
