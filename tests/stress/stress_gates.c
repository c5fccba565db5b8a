/* stress_gates.c - threads that submit to queues and types with caps, while one thread pauses,
 * resumes and changes caps, another completes what answered pending, and workers come to rest and
 * wake. Some jobs are run again, some are cancelled. Each ends once, none is lost or stays behind;
 * no cap is ever exceeded; jobs of a queue with a cap of one see what the one before wrote, without
 * a lock; behind a pause, of a queue or of all, no more jobs begin than workers had in hand.
 * Holds I1 and I2 of sched/gate.h, and the edge gate:B -> gate:A. */
#include <stdlib.h>

#include "ring/atomic.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

#define SUBMITTERS 2
#define QUEUES     3 /* of a cap of one; of caps of two and three; paused now and then */
#define TYPES      2 /* of a cap of two; of none */
#define JOBS       12000
#define ALL        (SUBMITTERS * JOBS)
#define WORKERS    3

static const uint32_t queue_caps[QUEUES] = {1, 3, ALL};
static const uint32_t type_caps[TYPES] = {2, ALL};

struct ticket {
    leat_atomic_u32 ends;
    enum leat_status cancel; /* plain: its submitter's; ENDED: not asked, or too late */
    leat_atomic_u32 go;      /* 1: pending, and may be completed */
    leat_token token;        /* plain, before `go` */
};

struct fixture {
    struct leat_engine *engine;
    leat_type types[TYPES];
    leat_queue queues[QUEUES];
    uint64_t seed;
    leat_atomic_u32 busy; /* threads that submit */
    leat_atomic_u32 begun[QUEUES];
    leat_atomic_u32 in_queue[QUEUES];
    leat_atomic_u32 in_type[TYPES];
    uint64_t notes; /* plain, of the queue with a cap of one */
    struct ticket tickets[ALL];
};

static uint32_t
queue_of(uint32_t number)
{
    return number % QUEUES;
}

static uint32_t
type_of(uint32_t number)
{
    return number / QUEUES % TYPES;
}

static void
enter(struct fixture *fixture, uint32_t number)
{
    uint32_t queue = queue_of(number);
    uint32_t type = type_of(number);
    (void)atom_add_rlx(&fixture->begun[queue], 1);
    CHECK(atom_add_rlx(&fixture->in_queue[queue], 1) < queue_caps[queue]);
    CHECK(atom_add_rlx(&fixture->in_type[type], 1) < type_caps[type]);
    if (queue == 0) {
        fixture->notes++;
    }
}

static void
leave(struct fixture *fixture, uint32_t number)
{
    (void)atom_sub_rlx(&fixture->in_queue[queue_of(number)], 1);
    (void)atom_sub_rlx(&fixture->in_type[type_of(number)], 1);
}

static struct leat_outcome
run(struct leat_run *attempt, void *context)
{
    struct fixture *fixture = context;
    uint32_t number = *(const uint32_t *)leat_run_payload(attempt, NULL);
    struct ticket *ticket = &fixture->tickets[number];
    enter(fixture, number);
    if (number % 16 == 3 && leat_run_attempt(attempt) == 1) {
        leave(fixture, number);
        return leat_retry_in(number % 32 == 3 ? 0 : 1000000);
    }
    CHECK_EQUAL(atom_add_rlx(&ticket->ends, 1), 0);
    if (number % 16 == 5) {
        ticket->token = leat_run_token(attempt);
        atom_store_rel(&ticket->go, 1);
        return leat_pending();
    }
    leave(fixture, number);
    return leat_done();
}

static void
submitter(struct fixture *fixture, uint32_t thread)
{
    struct test_prng prng = {fixture->seed + thread};
    for (uint32_t i = 0; i < JOBS; i++) {
        uint32_t number = thread * JOBS + i;
        struct leat_job job = leat_job_default();
        leat_job_id id = {0};
        job.type = fixture->types[type_of(number)];
        job.queue = fixture->queues[queue_of(number)];
        job.payload = &number;
        job.payload_bytes = sizeof(number);
        job.priority = test_random_below(&prng, 8) == 0 ? 0 : LEAT_PRIORITY_OF_QUEUE;
        CHECK_OK(leat_submit(fixture->engine, &job, &id));
        if (test_random_below(&prng, 4) == 0) {
            fixture->tickets[number].cancel = leat_cancel(fixture->engine, id);
        }
    }
    (void)atom_sub_rel(&fixture->busy, 1);
}

static bool
all_ended(struct fixture *fixture)
{
    const struct leat_statistics now = test_statistics(fixture->engine);
    return atom_load_acq(&fixture->busy) == 0 &&
           now.jobs_completed + now.jobs_cancelled + now.jobs_dead == (uint64_t)ALL;
}

static void
completer(struct fixture *fixture)
{
    while (!all_ended(fixture)) {
        for (uint32_t i = 5; i < ALL; i += 16) {
            struct ticket *ticket = &fixture->tickets[i];
            if (atom_load_acq(&ticket->go) == 1) {
                leave(fixture, i);
                atom_store_rlx(&ticket->go, 2);
                CHECK_OK(leat_complete(fixture->engine, ticket->token, leat_done(), NULL));
            }
        }
    }
}

static uint32_t
begun_all(const struct fixture *fixture)
{
    uint32_t begun = 0;
    for (uint32_t i = 0; i < QUEUES; i++) {
        begun += atom_load_rlx(&fixture->begun[i]);
    }
    return begun;
}

static void
pause_all(struct fixture *fixture, uint64_t rest_ns)
{
    CHECK_OK(leat_pause_all(fixture->engine));
    uint32_t begun = begun_all(fixture);
    test_sleep_ns(rest_ns);
    CHECK(begun_all(fixture) - begun <= WORKERS);
    CHECK_OK(leat_resume_all(fixture->engine));
}

static void
controller(struct fixture *fixture)
{
    struct test_prng prng = {fixture->seed + 77};
    struct leat_engine *engine = fixture->engine;
    while (!all_ended(fixture)) {
        uint32_t cap = 2 + test_random_below(&prng, 2);
        CHECK_OK(leat_queue_set_running_max(engine, fixture->queues[1], cap));
        CHECK_OK(leat_queue_pause(engine, fixture->queues[2]));
        uint32_t begun = atom_load_rlx(&fixture->begun[2]);
        test_sleep_ns(test_random_below(&prng, 3) * TEST_MS);
        CHECK(atom_load_rlx(&fixture->begun[2]) - begun <= WORKERS);
        CHECK_OK(leat_queue_resume(engine, fixture->queues[2]));
        pause_all(fixture, test_random_below(&prng, 3) * TEST_MS);
        test_sleep_ns(test_random_below(&prng, 3) * TEST_MS);
    }
}

static void
thread(void *shared, uint32_t number)
{
    if (number < SUBMITTERS) {
        submitter(shared, number);
    } else if (number == SUBMITTERS) {
        completer(shared);
    } else {
        controller(shared);
    }
}

static void
setup(struct fixture *fixture)
{
    static const char *const queues[QUEUES] = {"one", "some", "paused"};
    static const char *const types[TYPES] = {"two", "any"};
    struct leat_config config = test_config();
    config.workers = WORKERS;
    config.jobs_max = ALL;
    config.retained_max = 0;
    fixture->seed = test_seed("stress_gates");
    fixture->engine = test_start(&config);
    for (uint32_t i = 0; i < QUEUES; i++) {
        struct leat_queue_options options = leat_queue_options_default();
        options.running_max = queue_caps[i] == ALL ? 0 : queue_caps[i];
        CHECK_OK(leat_queue_create(fixture->engine, queues[i], &options, &fixture->queues[i]));
    }
    for (uint32_t i = 0; i < TYPES; i++) {
        struct leat_type_options options = leat_type_options_default();
        options.running_max = type_caps[i] == ALL ? 0 : type_caps[i];
        CHECK_OK(leat_type_register(fixture->engine, types[i], run, fixture, &options,
                                    &fixture->types[i]));
    }
    for (uint32_t i = 0; i < ALL; i++) {
        fixture->tickets[i].cancel = LEAT_ENDED;
    }
    atom_init(&fixture->busy, SUBMITTERS);
}

static void
caps_hold(void **state)
{
    (void)state;
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    CHECK(fixture != NULL);
    setup(fixture);
    test_threads_run(SUBMITTERS + 2, thread, fixture);
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    uint32_t ended = 0;
    for (uint32_t i = 0; i < ALL; i++) {
        const struct ticket *ticket = &fixture->tickets[i];
        uint32_t ends = atom_load_rlx(&ticket->ends);
        CHECK(ticket->cancel != LEAT_OK || ends == 0);
        /* One that ran when it was cancelled, and asked to run again, is cancelled then. */
        CHECK(ends == 1 || ticket->cancel == LEAT_OK ||
              (ticket->cancel == LEAT_RUNNING && i % 16 == 3));
        ended += ends;
    }
    for (uint32_t i = 0; i < QUEUES; i++) {
        CHECK_EQUAL(atom_load_rlx(&fixture->in_queue[i]), 0);
    }
    CHECK(ended > ALL / 2);
    test_close(fixture->engine);
    free(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(caps_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
