/* stress_exact.c - threads that submit to a queue in exact order and cancel and put off some of its
 * jobs, so that it is swept, while workers deal, and one thread pauses, resumes and caps it. With
 * one worker, again and again: what was listed while the queue was paused begins exactly in order.
 * With three: no job is lost or runs twice, no more are ahead than workers, and all places come
 * back. Holds I1 to I4 of sched/lists.h, looked at at the end. */
#include <stdlib.h>

#include "engine/engine_internal.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

#define SUBMITTERS 2
#define WORKERS    3
#define ROUNDS     12
#define JOBS       UINT32_C(1500) /* of one submitter in one round */
#define ALL        (SUBMITTERS * JOBS)

struct ticket {
    leat_job_id id;
    uint32_t urgency;
    leat_atomic_u32 runs;
    bool cancelled;
    bool asked; /* while it ran: if it asks to run again, it is cancelled then */
};

struct fixture {
    struct leat_engine *engine;
    leat_type type;
    leat_queue queue;
    uint64_t seed;
    uint32_t workers;
    uint64_t submitted;
    leat_atomic_u32 busy; /* threads that submit */
    leat_atomic_u32 begun;
    leat_atomic_u32 order[ALL]; /* what began, in order */
    struct ticket tickets[ALL];
};

static const struct leat_gate *
ahead_of(const struct fixture *fixture)
{
    return &fixture->engine->pool.queues[fixture->queue.bits - 1].ahead;
}

static struct leat_outcome
run(struct leat_run *attempt, void *context)
{
    struct fixture *fixture = context;
    uint32_t number = *(const uint32_t *)leat_run_payload(attempt, NULL);
    if (number % 16 == 5 && fixture->workers > 1 && leat_run_attempt(attempt) == 1) {
        return leat_retry_in(number % 32 == 5 ? 0 : TEST_MS);
    }
    CHECK_EQUAL(atom_add_rlx(&fixture->tickets[number].runs, 1), 0);
    CHECK(leat_gate_used(atom_load_rlx(&ahead_of(fixture)->word)) <= fixture->workers);
    atom_store_rlx(&fixture->order[atom_add_rlx(&fixture->begun, 1)], number);
    return leat_done();
}

static void
submit(struct fixture *fixture, struct test_prng *prng, uint32_t number)
{
    struct ticket *ticket = &fixture->tickets[number];
    struct leat_job job = leat_job_default();
    struct leat_job_options options = leat_job_options_default();
    ticket->urgency = test_random_below(prng, 1000);
    ticket->cancelled = false;
    ticket->asked = false;
    atom_store_rlx(&ticket->runs, 0);
    options.order_priority = ticket->urgency;
    job.type = fixture->type;
    job.queue = fixture->queue;
    job.payload = &number;
    job.payload_bytes = sizeof(number);
    job.options = &options;
    CHECK_OK(leat_submit(fixture->engine, &job, &ticket->id));
}

static void
submitter(struct fixture *fixture, uint32_t thread)
{
    struct test_prng prng = {fixture->seed + thread};
    const struct leat_when soon = {.delay_ns = TEST_MS};
    for (uint32_t i = 0; i < JOBS; i++) {
        submit(fixture, &prng, thread * JOBS + i);
        struct ticket *ticket = &fixture->tickets[thread * JOBS + test_random_below(&prng, i + 1)];
        if (test_random_below(&prng, 2) == 0) {
            enum leat_status status = leat_cancel(fixture->engine, ticket->id);
            ticket->cancelled = ticket->cancelled || status == LEAT_OK;
            ticket->asked = ticket->asked || status == LEAT_RUNNING;
        } else if (fixture->workers > 1 && test_random_below(&prng, 8) == 0) {
            enum leat_status status = leat_reschedule(fixture->engine, ticket->id, soon);
            CHECK(status != LEAT_INVALID);
        }
    }
    (void)atom_sub_rel(&fixture->busy, 1);
}

static void
controller(struct fixture *fixture)
{
    struct test_prng prng = {fixture->seed + 77};
    while (atom_load_acq(&fixture->busy) != 0) {
        CHECK_OK(leat_queue_set_running_max(fixture->engine, fixture->queue,
                                            1 + test_random_below(&prng, 4)));
        CHECK_OK(leat_queue_pause(fixture->engine, fixture->queue));
        test_sleep_ns(test_random_below(&prng, 2) * TEST_MS);
        CHECK_OK(leat_queue_resume(fixture->engine, fixture->queue));
        test_sleep_ns(test_random_below(&prng, 2) * TEST_MS);
    }
}

static void
thread(void *shared, uint32_t number)
{
    if (number < SUBMITTERS) {
        submitter(shared, number);
    } else {
        controller(shared);
    }
}

static struct fixture *
setup(uint32_t workers)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    CHECK(fixture != NULL);
    struct leat_config config = test_config();
    struct leat_queue_options options = leat_queue_options_default();
    config.workers = workers;
    config.jobs_max = 4 * ALL;
    config.retained_max = 0;
    fixture->workers = workers;
    fixture->seed = test_seed("stress_exact");
    fixture->engine = test_start(&config);
    fixture->type = test_register(fixture->engine, "run", run, fixture);
    options.order = LEAT_ORDER_EXACT;
    CHECK_OK(leat_queue_create(fixture->engine, "exact", &options, &fixture->queue));
    return fixture;
}

/* All have run once, but for those that were cancelled. */
static void
check_round(struct fixture *fixture)
{
    for (uint32_t i = 0; i < ALL; i++) {
        const struct ticket *ticket = &fixture->tickets[i];
        uint32_t runs = atom_load_rlx(&ticket->runs);
        CHECK(runs == (ticket->cancelled ? 0 : 1) || (ticket->asked && i % 16 == 5 && runs == 0));
    }
    CHECK_EQUAL(leat_gate_used(atom_load_rlx(&ahead_of(fixture)->word)), 0);
}

static bool
all_ended(void *argument)
{
    struct fixture *fixture = argument;
    const struct leat_statistics now = test_statistics(fixture->engine);
    return now.jobs_completed + now.jobs_cancelled == fixture->submitted;
}

/* Submitted by one thread, and so in order, are those of one half. */
static void
check_order(const struct fixture *fixture)
{
    uint32_t begun = atom_load_rlx(&fixture->begun);
    uint32_t last = atom_load_rlx(&fixture->order[0]);
    for (uint32_t i = 1; i < begun; i++) {
        uint32_t next = atom_load_rlx(&fixture->order[i]);
        CHECK(fixture->tickets[last].urgency <= fixture->tickets[next].urgency);
        bool both = fixture->tickets[last].urgency == fixture->tickets[next].urgency &&
                    last / JOBS == next / JOBS;
        CHECK(!both || last < next);
        last = next;
    }
}

static void
one_worker_keeps_the_order(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        CHECK_OK(leat_queue_pause(fixture->engine, fixture->queue));
        atom_init(&fixture->busy, SUBMITTERS);
        atom_store_rlx(&fixture->begun, 0);
        test_threads_run(SUBMITTERS, thread, fixture);
        CHECK_OK(leat_queue_resume(fixture->engine, fixture->queue));
        fixture->submitted += (uint64_t)SUBMITTERS * JOBS;
        CHECK(test_until(all_ended, fixture));
        check_round(fixture);
        check_order(fixture);
        fixture->seed += 1000;
    }
    test_close(fixture->engine);
    free(fixture);
}

static void
nothing_is_lost(void **state)
{
    (void)state;
    struct fixture *fixture = setup(WORKERS);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        atom_init(&fixture->busy, SUBMITTERS);
        atom_store_rlx(&fixture->begun, 0);
        test_threads_run(SUBMITTERS + 1, thread, fixture);
        fixture->submitted += (uint64_t)SUBMITTERS * JOBS;
        CHECK(test_until(all_ended, fixture));
        check_round(fixture);
        fixture->seed += 1000;
    }
    test_close(fixture->engine);
    free(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_worker_keeps_the_order),
        cmocka_unit_test(nothing_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
