/* stress_delay.c - threads that submit jobs with short delays and cancel some of them, while the
 * handlers snooze, fail with a delay, and answer pending, so that others send them on with a delay;
 * the wall clock jumps meanwhile. Each job ends once or is cancelled, none is lost, none runs twice
 * at the same time. Holds the protocol of engine/timers.h: state first, timer second. */
#include <stdlib.h>

#include "ring/atomic.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/fake_clock.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

#define SUBMITTERS 2
#define JOBS       3000 /* of each submitter */
#define ALL        (SUBMITTERS * JOBS)
#define MS         UINT64_C(1000000)

struct ticket {
    uint32_t inside;         /* plain: its handler's; 1 while it runs */
    uint32_t runs;           /* plain, the same */
    uint32_t ends;           /* plain, the same */
    enum leat_status cancel; /* plain: its submitter's; ENDED: not asked, or too late */
    leat_atomic_u32 go;      /* 1: pending, and may be sent on */
    leat_token token;        /* plain, before `go` */
};

struct fixture {
    struct test_clock clock;
    struct leat_engine *engine;
    leat_type type;
    uint64_t seed;
    leat_atomic_u32 submitting;
    struct ticket tickets[ALL];
};

static struct leat_outcome
answer(struct ticket *ticket, struct leat_run *attempt, uint32_t number)
{
    switch (ticket->runs < 3 ? number % 4 : 0) {
    case 1:
        return leat_snooze(number % 5 * MS);
    case 2:
        return leat_run_attempt(attempt) < 3 ? leat_retry_in(number % 7 * MS) : leat_done();
    case 3:
        ticket->token = leat_run_token(attempt);
        atom_store_rel(&ticket->go, 1);
        return leat_pending();
    default:
        return leat_done();
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
    struct leat_outcome outcome = answer(ticket, attempt, number);
    ticket->inside = 0;
    ticket->ends = outcome.kind == LEAT_OUTCOME_DONE ? 1 : 0;
    return outcome;
}

static void
submitter(struct fixture *fixture, uint32_t number)
{
    struct test_prng prng = {fixture->seed + number};
    leat_job_id ids[8] = {{0}};
    uint32_t numbers[8] = {0};
    for (uint32_t i = number * JOBS; i < (number + 1) * JOBS; i++) {
        struct leat_job job = leat_job_default();
        struct leat_job_options options = leat_job_options_default();
        uint32_t slot = i % 8;
        job.type = fixture->type;
        job.payload = &i;
        job.payload_bytes = sizeof(i);
        job.options = &options;
        if (test_random_below(&prng, 3) == 0) {
            options.run_at_ns = atom_load_acq(&fixture->clock.wall) + 3 * MS;
        } else {
            job.delay_ns = test_random_below(&prng, 4) * MS;
        }
        CHECK_OK(leat_submit(fixture->engine, &job, &ids[slot]));
        numbers[slot] = i;
        slot = test_random_below(&prng, 8);
        if (test_random_below(&prng, 3) == 0 && ids[slot].bits != 0) {
            fixture->tickets[numbers[slot]].cancel = leat_cancel(fixture->engine, ids[slot]);
            ids[slot].bits = 0;
        }
    }
    (void)atom_sub_rel(&fixture->submitting, 1);
}

/* Sends pending jobs on, and lets time go by. */
static void
clock_mover(struct fixture *fixture)
{
    uint64_t left = 1;
    for (uint32_t round = 0; left != 0; round++) {
        uint32_t submitting = atom_load_acq(&fixture->submitting);
        for (uint32_t i = 3; i < ALL; i += 4) {
            struct ticket *ticket = &fixture->tickets[i];
            if (atom_load_acq(&ticket->go) == 1) {
                leat_token token = ticket->token;
                atom_store_rlx(&ticket->go, 0);
                CHECK_OK(leat_complete(fixture->engine, token, leat_snooze(i % 3 * MS), NULL));
            }
        }
        test_clock_pass(&fixture->clock, fixture->engine, MS / 2);
        if (round % 100 == 99) {
            int64_t step = round % 200 == 99 ? 1 : -1;
            test_clock_step(&fixture->clock, fixture->engine, step * (int64_t)(20 * MS));
        }
        struct leat_statistics sum = test_statistics(fixture->engine);
        left = submitting + sum.jobs_waiting + sum.jobs_running + sum.jobs_scheduled +
               sum.jobs_retrying;
    }
}

static void
thread(void *shared, uint32_t number)
{
    if (number < SUBMITTERS) {
        submitter(shared, number);
    } else {
        clock_mover(shared);
    }
}

static void
none_is_lost(void **state)
{
    (void)state;
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    CHECK(fixture != NULL);
    struct leat_config config = test_config();
    config.workers = 2;
    config.jobs_max = ALL;
    config.retained_max = 0;
    test_clock_init(&fixture->clock);
    config.clock = test_clock_of(&fixture->clock);
    fixture->seed = test_seed("stress_delay");
    fixture->engine = test_start(&config);
    fixture->type = test_register(fixture->engine, "run", run, fixture);
    for (uint32_t i = 0; i < ALL; i++) {
        fixture->tickets[i].cancel = LEAT_ENDED;
    }
    atom_init(&fixture->submitting, SUBMITTERS);
    test_threads_run(SUBMITTERS + 1, thread, fixture);
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    for (uint32_t i = 0; i < ALL; i++) {
        const struct ticket *ticket = &fixture->tickets[i];
        bool either = ticket->cancel == LEAT_RUNNING;
        CHECK(either || (ticket->ends == 1) != (ticket->cancel == LEAT_OK));
    }
    test_close(fixture->engine);
    free(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(none_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
