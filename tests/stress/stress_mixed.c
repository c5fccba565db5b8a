/* stress_mixed.c - all that can happen to a job that waits or is pending, at the same time: queues
 * and types with caps, paused now and then; handlers that answer pending for a time, snooze, fail,
 * take long; threads that complete, late too, extend, cancel, give another time and another level;
 * jobs that expire; clocks that are set. Each job ends once, none is lost, none runs twice at a
 * time, no cap is exceeded by handlers, and at the end no place at a gate is taken.
 * Holds docs/design/0014, 0017 and 0018 beside each other. */
#include <stdlib.h>

#include "engine/gates.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/fake_clock.h"
#include "tests/support/preempt.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

#define SUBMITTERS 2
#define CHANGERS   2
#define LENDERS    3 /* where there are no workers */
#define QUEUES     3
#define TYPES      2
#define MS         UINT64_C(1000000)
#define JOBS       3000 /* of each submitter */
#define ALL        (SUBMITTERS * JOBS)
#define WINDOW     64

struct ticket {
    uint32_t inside;      /* plain: its handler's */
    uint32_t runs;        /* plain, the same */
    leat_atomic_u64 id;   /* 0: not yet there */
    leat_atomic_u64 run;  /* of the last token */
    leat_atomic_u32 ends; /* leat_done() by the handler, or by a completion that was OK; cancels */
};

struct fixture {
    struct test_clock clock;
    struct leat_engine *engine;
    leat_type types[TYPES];
    leat_queue queues[QUEUES];
    uint64_t seed;
    leat_atomic_u32 submitting;
    leat_atomic_u32 in_queue[QUEUES];
    leat_atomic_u32 in_type[TYPES];
    leat_atomic_u32 answers[LEAT_STATUS_COUNT]; /* of completions */
    struct ticket tickets[ALL];
};

static const uint32_t queue_caps[QUEUES] = {1, 3, 1000};
static const uint32_t type_caps[TYPES] = {2, 1000};

static struct leat_outcome
answer(const struct ticket *ticket, uint32_t number)
{
    uint32_t what = (number + ticket->runs * 7) % 12;
    if (ticket->runs > 6) {
        return leat_done();
    }
    switch (what) {
    case 0:
    case 1:
    case 2:
    case 3:
        return leat_pending_for(1 + number % 3 * MS);
    case 4:
        return leat_snooze(number % 3 * MS);
    case 5:
        return leat_retry_in(number % 3 * MS);
    case 6:
        return leat_retry();
    default:
        return leat_done();
    }
}

static struct leat_outcome
run(struct leat_run *attempt, void *context)
{
    struct fixture *fixture = context;
    uint32_t number = *(const uint32_t *)leat_run_payload(attempt, NULL);
    struct ticket *ticket = &fixture->tickets[number];
    uint32_t queue = number % QUEUES;
    uint32_t type = number / QUEUES % TYPES;
    CHECK_EQUAL(ticket->inside, 0);
    ticket->inside = 1;
    ticket->runs++;
    CHECK(atom_add_rlx(&fixture->in_queue[queue], 1) < queue_caps[queue]);
    CHECK(atom_add_rlx(&fixture->in_type[type], 1) < type_caps[type]);
    leat_token token = leat_run_token(attempt);
    atom_store_rel(&ticket->run, token.attempt);
    if (number % 7 == 0) {
        leat_os_yield();
    }
    struct leat_outcome outcome = answer(ticket, number);
    (void)atom_sub_rlx(&fixture->in_queue[queue], 1);
    (void)atom_sub_rlx(&fixture->in_type[type], 1);
    ticket->inside = 0;
    return outcome;
}

static void
submitter(struct fixture *fixture, uint32_t number)
{
    struct test_prng prng = {fixture->seed + number};
    for (uint32_t i = number * JOBS; i < (number + 1) * JOBS; i++) {
        struct leat_job job = leat_job_default();
        struct leat_job_options options = leat_job_options_default();
        leat_job_id id = {0};
        job.type = fixture->types[i / QUEUES % TYPES];
        job.queue = fixture->queues[i % QUEUES];
        job.payload = &i;
        job.payload_bytes = sizeof(i);
        job.priority = test_random_below(&prng, 3);
        job.options = &options;
        if (test_random_below(&prng, 8) == 0) {
            options.expires_in_ns = test_random_below(&prng, 20) * MS;
        }
        if (test_random_below(&prng, 4) == 0) {
            options.run_at_ns = atom_load_acq(&fixture->clock.wall) + 2 * MS;
        } else if (test_random_below(&prng, 4) == 0) {
            job.delay_ns = test_random_below(&prng, 3) * MS;
        }
        enum leat_status status = LEAT_FULL;
        while (status == LEAT_FULL) {
            status = leat_submit(fixture->engine, &job, &id);
            if (status == LEAT_FULL) {
                leat_os_yield();
            }
        }
        CHECK_OK(status);
        atom_store_rel(&fixture->tickets[i].id, id.bits);
    }
    (void)atom_sub_rel(&fixture->submitting, 1);
}

static bool
all_ended(struct fixture *fixture)
{
    const struct leat_statistics now = test_statistics(fixture->engine);
    return atom_load_acq(&fixture->submitting) == 0 &&
           now.jobs_completed + now.jobs_cancelled + now.jobs_dead == (uint64_t)ALL;
}

static void
change_one(struct fixture *fixture, struct test_prng *prng, leat_job_id id)
{
    switch (test_random_below(prng, 8)) {
    case 0:
        if (test_random_below(prng, 64) == 0) {
            (void)!leat_cancel(fixture->engine, id);
        }
        break;
    case 1:
    case 2:
        (void)!leat_priority_set(fixture->engine, id, test_random_below(prng, 3));
        break;
    case 3:
        (void)!leat_reschedule(
            fixture->engine, id,
            leat_when_at(atom_load_acq(&fixture->clock.wall) + test_random_below(prng, 3) * MS));
        break;
    default:
        (void)!leat_reschedule(fixture->engine, id, leat_when_in(test_random_below(prng, 3) * MS));
        break;
    }
}

static void
complete_one(struct fixture *fixture, struct test_prng *prng, struct ticket *ticket, leat_job_id id)
{
    leat_token token = {id.bits, atom_load_acq(&ticket->run)};
    struct leat_outcome outcome = leat_done();
    if (token.attempt == 0) {
        return;
    }
    switch (test_random_below(prng, 6)) {
    case 0:
        (void)!leat_pending_extend(fixture->engine, token, test_random_below(prng, 4) * MS + 1);
        return;
    case 1:
        outcome = leat_retry_in(test_random_below(prng, 2) * MS);
        break;
    case 2:
        outcome = leat_snooze(test_random_below(prng, 2) * MS);
        break;
    case 3:
        outcome = leat_retry();
        break;
    default:
        break;
    }
    enum leat_status status = leat_complete(fixture->engine, token, outcome,
                                            test_random_below(prng, 4) == 0 ? "x" : NULL);
    (void)atom_add_rlx(&fixture->answers[status], 1);
}

static void
changer(struct fixture *fixture, uint32_t number)
{
    struct test_prng prng = {fixture->seed + 100 + number};
    uint32_t newest[SUBMITTERS] = {0};
    for (uint32_t round = 0; (round & 255) != 0 || !all_ended(fixture); round++) {
        uint32_t i = round % SUBMITTERS;
        struct ticket *tickets = &fixture->tickets[(size_t)i * JOBS];
        while (newest[i] + 1 < JOBS && atom_load_acq(&tickets[newest[i] + 1].id) != 0) {
            newest[i]++;
        }
        uint32_t back = test_random_below(&prng, test_random_below(&prng, 4) == 0 ? JOBS : WINDOW);
        struct ticket *ticket = &tickets[newest[i] >= back ? newest[i] - back : 0];
        leat_job_id id = {atom_load_acq(&ticket->id)};
        preempt_here = 1;
        if (id.bits != 0 && test_random_below(&prng, 2) == 0) {
            change_one(fixture, &prng, id);
        } else if (id.bits != 0) {
            complete_one(fixture, &prng, ticket, id);
        }
        preempt_here = 0;
    }
}

static void
controller(struct fixture *fixture)
{
    struct test_prng prng = {fixture->seed + 77};
    struct leat_engine *engine = fixture->engine;
    while (!all_ended(fixture)) {
        CHECK_OK(leat_queue_set_running_max(engine, fixture->queues[1],
                                            2 + test_random_below(&prng, 2)));
        leat_queue queue = fixture->queues[test_random_below(&prng, QUEUES)];
        CHECK_OK(leat_queue_pause(engine, queue));
        test_sleep_ns(test_random_below(&prng, 3) * MS);
        CHECK_OK(leat_queue_resume(engine, queue));
        test_sleep_ns(test_random_below(&prng, 3) * MS);
    }
}

static void
clock_mover(struct fixture *fixture)
{
    for (uint32_t round = 0; !all_ended(fixture); round++) {
        test_clock_pass(&fixture->clock, fixture->engine, MS / 8);
        if (round % 50 == 49) {
            int64_t step = round % 100 == 49 ? 1 : -1;
            test_clock_step(&fixture->clock, fixture->engine, step * (int64_t)(20 * MS));
        }
    }
}

/* A worker that may be stopped between any two instructions. */
static void
lender(struct fixture *fixture)
{
    while (!all_ended(fixture)) {
        preempt_here = 1;
        enum leat_status status = leat_run_some(fixture->engine, 20, NULL);
        preempt_here = 0;
        CHECK(status == LEAT_OK || status == LEAT_EMPTY || status == LEAT_BUSY);
    }
}

static void
thread(void *shared, uint32_t number)
{
    if (number < SUBMITTERS) {
        submitter(shared, number);
    } else if (number < SUBMITTERS + CHANGERS) {
        changer(shared, number);
    } else if (number == SUBMITTERS + CHANGERS) {
        clock_mover(shared);
    } else if (number == SUBMITTERS + CHANGERS + 1) {
        controller(shared);
    } else {
        lender(shared);
    }
}

static void
setup(struct fixture *fixture, uint32_t jobs_max, uint32_t workers)
{
    static const char *const queues[QUEUES] = {"one", "some", "any"};
    static const char *const types[TYPES] = {"two", "more"};
    const struct leat_retry_policy policy = leat_retry_fixed(MS / 3);
    struct leat_config config = test_config();
    config.workers = workers;
    config.lenders_max = LENDERS;
    config.jobs_max = jobs_max;
    config.retained_max = 0;
    config.dead_max = 0;
    test_clock_init(&fixture->clock);
    config.clock = test_clock_of(&fixture->clock);
    fixture->engine = test_start(&config);
    for (uint32_t i = 0; i < QUEUES; i++) {
        struct leat_queue_options options = leat_queue_options_default();
        options.running_max = queue_caps[i] == 1000 ? 0 : queue_caps[i];
        options.waiting_max = i == 2 ? 1000 : 0;
        CHECK_OK(leat_queue_create(fixture->engine, queues[i], &options, &fixture->queues[i]));
    }
    for (uint32_t i = 0; i < TYPES; i++) {
        struct leat_type_options options = leat_type_options_default();
        options.running_max = type_caps[i] == 1000 ? 0 : type_caps[i];
        options.retry = &policy;
        options.max_attempts = 5;
        CHECK_OK(leat_type_register(fixture->engine, types[i], run, fixture, &options,
                                    &fixture->types[i]));
    }
    atom_init(&fixture->submitting, SUBMITTERS);
}

static void
none_is_lost(uint32_t jobs_max, uint32_t workers)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    CHECK(fixture != NULL);
    fixture->seed = test_seed("stress_mixed");
    setup(fixture, jobs_max, workers);
    uint32_t threads = SUBMITTERS + CHANGERS + 2 + (workers == 0 ? LENDERS : 0);
    uint64_t stops = preempt_run(threads, thread, fixture, fixture->seed);
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    struct leat_statistics sum = test_statistics(fixture->engine);
    CHECK_EQUAL(sum.jobs_submitted, ALL);
    CHECK_EQUAL(sum.jobs_completed + sum.jobs_cancelled + sum.jobs_dead, ALL);
    for (uint32_t i = 0; i < fixture->engine->pool.config.queues; i++) {
        CHECK_EQUAL(leat_gate_used(atom_load_rlx(&leat_gate_of(fixture->engine, i)->word)), 0);
    }
    test_say("%lu stops; %u completions, %u stale; %lu done, %lu cancelled, %lu dead\n", stops,
             atom_load_rlx(&fixture->answers[LEAT_OK]),
             atom_load_rlx(&fixture->answers[LEAT_STALE]), sum.jobs_completed, sum.jobs_cancelled,
             sum.jobs_dead);
    test_close(fixture->engine);
    free(fixture);
}

static void
all_at_once(void **state)
{
    (void)state;
    none_is_lost(ALL, 3);
}

static void
with_few_records(void **state)
{
    (void)state;
    none_is_lost(128, 3);
}

static void
by_lent_threads(void **state)
{
    (void)state;
    none_is_lost(ALL, 0);
    none_is_lost(128, 0);
}

int
main(void)
{
    preempt_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_at_once),
        cmocka_unit_test(with_few_records),
        cmocka_unit_test(by_lent_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
