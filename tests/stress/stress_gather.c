/* stress_gather.c - threads that submit jobs of types that take batches, by count, by delay, with
 * neither, and with a cap on what runs, while one thread cancels, puts off and pauses, and changes
 * how many workers there are. Some fail and are run again, some are completed elsewhere. Each job
 * ends once, none is lost or stays in a list though nobody drains; no call takes more than it may;
 * no cap is exceeded. Then single jobs on an engine at rest: none before its delay.
 * Holds I1 to I3 of engine/gather.h. */
#include <stdlib.h>

#include "ring/atomic.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

#define SUBMITTERS 2
#define TYPES      3
#define JOBS       9000
#define ALL        (SUBMITTERS * JOBS)
#define WORKERS    3
#define CAP        12
#define LONE       40

static const uint32_t mosts[TYPES] = {8, 32, 5};
static const uint64_t delays_ns[TYPES] = {2 * TEST_MS, 0, TEST_MS};
static const uint32_t caps[TYPES] = {0, 0, CAP};

struct ticket {
    leat_atomic_u32 runs;
    leat_atomic_u32 ends;
    uint32_t number;         /* plain, by its submitter */
    enum leat_status cancel; /* plain: its submitter's; ENDED: not asked, or too late */
    leat_atomic_u32 go;      /* 1: pending, and may be completed */
    leat_token token;        /* plain, before `go` */
};

struct fixture {
    struct leat_engine *engine;
    leat_type types[TYPES];
    leat_queue queue;
    uint64_t seed;
    leat_atomic_u32 busy;   /* threads that submit */
    leat_atomic_u32 inside; /* jobs of the capped type */
    leat_atomic_u32 calls[TYPES];
    leat_atomic_u64 began_ns; /* of the last call */
    struct ticket tickets[ALL + LONE];
};

struct of_type {
    struct fixture *fixture;
    uint32_t type;
};

static struct leat_outcome
run_one(struct fixture *fixture, struct leat_run *run, struct ticket *ticket)
{
    uint32_t runs = atom_add_rlx(&ticket->runs, 1) + 1;
    CHECK_EQUAL(ticket, &fixture->tickets[ticket->number]);
    CHECK_EQUAL(leat_run_attempt(run), runs);
    if (ticket->number % 16 == 3 && runs == 1) {
        return leat_retry_in(ticket->number % 32 == 3 ? 0 : TEST_MS);
    }
    CHECK_EQUAL(atom_add_rlx(&ticket->ends, 1), 0);
    if (ticket->number % 64 == 5) {
        ticket->token = leat_run_token(run);
        atom_store_rel(&ticket->go, 1);
        return leat_pending();
    }
    return leat_done();
}

static void
batch(struct leat_run *const *runs, struct leat_outcome *outcomes, size_t count, void *context)
{
    struct of_type *of = context;
    struct fixture *fixture = of->fixture;
    CHECK(count >= 1);
    CHECK(count <= mosts[of->type]);
    atom_store_rlx(&fixture->began_ns, test_now_ns());
    (void)atom_add_rlx(&fixture->calls[of->type], 1);
    if (caps[of->type] != 0) {
        CHECK(atom_add_rlx(&fixture->inside, (uint32_t)count) + count <= CAP);
    }
    for (size_t i = 0; i < count; i++) {
        struct ticket *const *ticket = leat_run_payload(runs[i], NULL);
        outcomes[i] = run_one(fixture, runs[i], *ticket);
    }
    if (caps[of->type] != 0) {
        (void)atom_sub_rlx(&fixture->inside, (uint32_t)count);
    }
}

static void
submit(struct fixture *fixture, uint32_t number, leat_job_id *id)
{
    struct ticket *ticket = &fixture->tickets[number];
    struct leat_job job = leat_job_default();
    ticket->number = number;
    ticket->cancel = LEAT_ENDED;
    job.type = fixture->types[number < ALL ? number % TYPES : 0];
    job.queue = fixture->queue;
    job.payload = &ticket;
    /* The pointer. NOLINTNEXTLINE(bugprone-sizeof-expression) */
    job.payload_bytes = sizeof(ticket);
    CHECK_OK(leat_submit(fixture->engine, &job, id));
}

static void
submitter(struct fixture *fixture, uint32_t thread)
{
    struct test_prng prng = {fixture->seed + thread};
    for (uint32_t i = 0; i < JOBS; i++) {
        uint32_t number = thread * JOBS + i;
        leat_job_id id = {0};
        submit(fixture, number, &id);
        uint32_t what = test_random_below(&prng, 16);
        if (what < 3) {
            fixture->tickets[number].cancel = leat_cancel(fixture->engine, id);
        } else if (what == 3) {
            CHECK(leat_reschedule(fixture->engine, id, leat_when_in(TEST_MS)) != LEAT_INVALID);
        } else if (what == 4) {
            CHECK(leat_priority_set(fixture->engine, id, 0) != LEAT_INVALID);
        } else if (what == 5 && i % 64 == 0) {
            test_sleep_ns(test_random_below(&prng, 3) * TEST_MS);
        }
    }
    (void)atom_sub_rel(&fixture->busy, 1);
}

/* What was never told to drain, and has ended by count and delay alone. */
static bool
all_ended(void *argument)
{
    struct fixture *fixture = argument;
    const struct leat_statistics now = test_statistics(fixture->engine);
    return atom_load_acq(&fixture->busy) == 0 && now.jobs_submitted == (uint64_t)ALL &&
           now.jobs_completed + now.jobs_cancelled + now.jobs_dead == (uint64_t)ALL;
}

static void
completer(struct fixture *fixture)
{
    while (!all_ended(fixture)) {
        for (uint32_t i = 0; i < ALL; i++) {
            struct ticket *ticket = &fixture->tickets[i];
            if (atom_load_acq(&ticket->go) == 1) {
                atom_store_rlx(&ticket->go, 2);
                CHECK_OK(leat_complete(fixture->engine, ticket->token, leat_done(), NULL));
            }
        }
    }
}

static void
controller(struct fixture *fixture)
{
    struct test_prng prng = {fixture->seed + 77};
    struct leat_engine *engine = fixture->engine;
    while (!all_ended(fixture)) {
        CHECK_OK(leat_queue_pause(engine, fixture->queue));
        test_sleep_ns(test_random_below(&prng, 3) * TEST_MS);
        CHECK_OK(leat_queue_resume(engine, fixture->queue));
        CHECK_OK(leat_workers_set(engine, 1 + test_random_below(&prng, WORKERS)));
        test_sleep_ns(test_random_below(&prng, 5) * TEST_MS);
    }
    CHECK_OK(leat_workers_set(engine, WORKERS));
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
setup(struct fixture *fixture, struct of_type *of)
{
    static const char *const names[TYPES] = {"delayed", "at-once", "capped"};
    struct leat_config config = test_config();
    config.workers = WORKERS;
    config.jobs_max = ALL;
    config.retained_max = 0;
    fixture->seed = test_seed("stress_gather");
    fixture->engine = test_start(&config);
    CHECK_OK(leat_queue_create(fixture->engine, "q", NULL, &fixture->queue));
    for (uint32_t i = 0; i < TYPES; i++) {
        struct leat_type_options options = leat_type_options_default();
        of[i] = (struct of_type){fixture, i};
        options.batch_max = mosts[i];
        options.batch_delay_ns = delays_ns[i];
        options.running_max = caps[i];
        CHECK_OK(leat_type_register_batch(fixture->engine, names[i], batch, &of[i], &options,
                                          &fixture->types[i]));
    }
    atom_init(&fixture->busy, SUBMITTERS);
}

static void
check_all(const struct fixture *fixture)
{
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
    CHECK(ended > ALL / 2);
}

/* Jobs that nobody follows. */
static void
lone(struct fixture *fixture)
{
    for (uint32_t i = ALL; i < ALL + LONE; i++) {
        leat_job_id id = {0};
        uint64_t before_ns = test_now_ns();
        submit(fixture, i, &id);
        enum leat_status status = leat_wait(fixture->engine, id, TEST_PATIENCE_NS, NULL);
        CHECK(status == LEAT_OK || status == LEAT_GONE);
        if (i % 16 != 3) {
            CHECK(atom_load_rlx(&fixture->began_ns) - before_ns >= delays_ns[0]);
        }
        CHECK_EQUAL(atom_load_rlx(&fixture->tickets[i].ends), 1);
    }
}

static void
batches(void **state)
{
    (void)state;
    struct of_type of[TYPES];
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    CHECK(fixture != NULL);
    setup(fixture, of);
    test_threads_run(SUBMITTERS + 2, thread, fixture);
    CHECK(test_until(all_ended, fixture));
    check_all(fixture);
    lone(fixture);
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    test_close(fixture->engine);
    free(fixture);
}

/* A drain finds lists that nobody would come for in an hour. */
static void
drained(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < 50; round++) {
        struct fixture *fixture = calloc(1, sizeof(*fixture));
        CHECK(fixture != NULL);
        struct of_type of = {fixture, 1};
        struct leat_config config = test_config();
        struct leat_type_options options = leat_type_options_default();
        leat_job_id id = {0};
        config.workers = WORKERS;
        fixture->engine = test_start(&config);
        options.batch_max = mosts[1];
        options.batch_delay_ns = UINT64_C(3600) * 1000 * TEST_MS;
        CHECK_OK(leat_type_register_batch(fixture->engine, "t", batch, &of, &options,
                                          &fixture->types[1]));
        CHECK_OK(leat_queue_find(fixture->engine, "default", &fixture->queue));
        fixture->types[0] = fixture->types[1];
        fixture->types[2] = fixture->types[1];
        for (uint32_t i = 0; i < 21; i++) {
            submit(fixture, 64 * i + 1, &id); /* of those that end at once */
        }
        CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
        CHECK_EQUAL(test_statistics(fixture->engine).jobs_completed, 21);
        test_close(fixture->engine);
        free(fixture);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches),
        cmocka_unit_test(drained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
