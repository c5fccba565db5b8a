/* stress_lists.c - threads that submit far more than the rings of 64 slots hold, to several queues
 * of one priority, singly and in batches, and cancel some of it; workers admit and run. Some jobs
 * ask to be run again, some answer pending and are sent back by leat_complete() from another
 * thread, with the ring full: none of that is refused. Each job runs once to its end or is
 * cancelled, none is lost; with one worker, what one thread submits to one queue runs in order.
 * Holds I1 to I3 of sched/lists.h, and the edges admitted:A -> plain:A and hand_on:A -> admitter:A.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "ring/atomic.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

#define SUBMITTERS 3
#define QUEUES     3
#define JOBS       20000 /* of each submitter */
#define BATCH      7
#define ALL        (SUBMITTERS * JOBS)

struct ticket {
    uint32_t ends;           /* plain: its handler's */
    enum leat_status cancel; /* plain: its submitter's; ENDED: not asked, or too late */
    leat_atomic_u32 go;      /* 1: pending, and may be sent back */
    leat_token token;        /* plain, before `go` */
};

struct fixture {
    struct leat_engine *engine;
    leat_type type;
    leat_queue queues[QUEUES];
    bool ordered;
    uint64_t seed;
    leat_atomic_u32 submitting;
    leat_atomic_u32 pending; /* sent back by the completer, or not yet */
    uint32_t last[SUBMITTERS][QUEUES];
    struct ticket tickets[ALL];
};

static struct leat_outcome
run(struct leat_run *attempt, void *context)
{
    struct fixture *fixture = context;
    uint32_t number = *(const uint32_t *)leat_run_payload(attempt, NULL);
    struct ticket *ticket = &fixture->tickets[number];
    CHECK(number < ALL);
    CHECK_EQUAL(ticket->ends, 0);
    if (leat_run_attempt(attempt) == 1) {
        uint32_t *last = &fixture->last[number / JOBS][number % QUEUES];
        CHECK(!fixture->ordered || *last <= number % JOBS);
        if (fixture->ordered) {
            *last = number % JOBS;
        }
        if (number % 16 == 3) {
            return leat_retry();
        }
        if (number % 16 == 5) {
            ticket->token = leat_run_token(attempt);
            (void)atom_add_rlx(&fixture->pending, 1);
            atom_store_rel(&ticket->go, 1);
            return leat_pending();
        }
    }
    ticket->ends = 1;
    return leat_done();
}

static void
job_of(const struct fixture *fixture, const uint32_t *number, struct leat_job *job)
{
    *job = leat_job_default();
    job->type = fixture->type;
    job->queue = fixture->queues[*number % QUEUES];
    job->payload = number;
    job->payload_bytes = sizeof(*number);
}

static void
submit_some(struct fixture *fixture, uint32_t first, uint32_t count, leat_job_id *ids)
{
    struct leat_job jobs[BATCH];
    uint32_t numbers[BATCH];
    for (uint32_t i = 0; i < count; i++) {
        numbers[i] = first + i;
        job_of(fixture, &numbers[i], &jobs[i]);
    }
    CHECK_OK(leat_submit_batch(fixture->engine, jobs, count, LEAT_BATCH_ALL_OR_NONE, ids, NULL));
}

static void
submitter(struct fixture *fixture, uint32_t number)
{
    struct test_prng prng = {fixture->seed + number};
    uint32_t end = (number + 1) * JOBS;
    for (uint32_t i = number * JOBS; i < end;) {
        leat_job_id ids[BATCH];
        uint32_t count = test_random_below(&prng, 4) == 0 ? BATCH : 1;
        count = count > end - i ? end - i : count;
        submit_some(fixture, i, count, ids);
        uint32_t one = count > 1 ? test_random_below(&prng, count) : 0;
        if (test_random_below(&prng, 3) == 0) {
            fixture->tickets[i + one].cancel = leat_cancel(fixture->engine, ids[one]);
        }
        i += count;
    }
    (void)atom_sub_rel(&fixture->submitting, 1);
}

/* Sends pending jobs back, however full the ring is. */
static void
completer(struct fixture *fixture)
{
    uint32_t left = 0;
    do {
        left = atom_load_acq(&fixture->submitting);
        for (uint32_t i = 5; i < ALL; i += 16) {
            struct ticket *ticket = &fixture->tickets[i];
            if (atom_load_acq(&ticket->go) == 1) {
                CHECK_OK(leat_complete(fixture->engine, ticket->token, leat_retry(), NULL));
                atom_store_rlx(&ticket->go, 2);
                (void)atom_sub_rlx(&fixture->pending, 1);
            }
        }
    } while (left != 0 || test_statistics(fixture->engine).jobs_waiting != 0 ||
             test_statistics(fixture->engine).jobs_running != 0);
}

static void
thread(void *shared, uint32_t number)
{
    if (number < SUBMITTERS) {
        submitter(shared, number);
    } else {
        completer(shared);
    }
}

static void
traffic(uint32_t workers)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    CHECK(fixture != NULL);
    struct leat_config config = test_config();
    config.workers = workers;
    config.jobs_max = ALL;
    config.retained_max = 0;
    fixture->seed = test_seed("stress_lists");
    fixture->ordered = workers == 1;
    fixture->engine = test_start(&config);
    fixture->type = test_register(fixture->engine, "run", run, fixture);
    static const char *const names[QUEUES] = {"a", "b", "c"};
    for (uint32_t i = 0; i < QUEUES; i++) {
        CHECK_OK(leat_queue_create(fixture->engine, names[i], NULL, &fixture->queues[i]));
    }
    for (uint32_t i = 0; i < ALL; i++) {
        fixture->tickets[i].cancel = LEAT_ENDED;
    }
    atom_init(&fixture->submitting, SUBMITTERS);
    test_threads_run(SUBMITTERS + 1, thread, fixture);
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    for (uint32_t i = 0; i < ALL; i++) {
        const struct ticket *ticket = &fixture->tickets[i];
        /* One that ran when it was cancelled ends either way, where it asks to run again. */
        bool either = ticket->cancel == LEAT_RUNNING && (i % 16 == 3 || i % 16 == 5);
        CHECK(either || (ticket->ends == 1) != (ticket->cancel == LEAT_OK));
    }
    CHECK_EQUAL(atom_load_rlx(&fixture->pending), 0);
    test_close(fixture->engine);
    free(fixture);
}

static void
in_order(void **state)
{
    (void)state;
    traffic(1);
}

static void
none_is_lost(void **state)
{
    (void)state;
    traffic(2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_order),
        cmocka_unit_test(none_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
