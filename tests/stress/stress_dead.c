/* stress_dead.c - dead letters that are listed, brought back, deleted and read by several threads,
 * while workers make new ones and more than dead_max of them. Handlers fail most of the time. No
 * job runs twice at once; what was deleted never runs again; and in the end each job has completed,
 * stands in the book, was deleted once, or was dropped once. Holds I1 to I3 of engine/book.h. */
#include <stdlib.h>

#include "engine/dead.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

#define OPERATORS 3
#define JOBS      6000
#define DEAD_MAX  24
#define PAGE      8

struct ticket {
    uint32_t inside; /* plain: its handler's; 1 while it runs */
    uint32_t runs;   /* plain, the same */
    bool done;       /* plain, the same */
    leat_atomic_u32 deleted;
};

struct fixture {
    struct leat_engine *engine;
    leat_type type;
    uint64_t seed;
    leat_atomic_u32 submitting;
    leat_atomic_u64 retried;
    leat_atomic_u64 deleted;
    leat_atomic_u64 busy;
    leat_atomic_u64 completed;
    struct ticket tickets[JOBS];
};

static struct leat_outcome
run(struct leat_run *attempt, void *context)
{
    struct fixture *fixture = context;
    uint32_t number = *(const uint32_t *)leat_run_payload(attempt, NULL);
    struct ticket *ticket = &fixture->tickets[number];
    CHECK(number < JOBS);
    CHECK_EQUAL(ticket->inside, 0);
    CHECK(!ticket->done);
    CHECK_EQUAL(atom_load_rlx(&ticket->deleted), 0);
    ticket->inside = 1;
    ticket->runs++;
    ticket->done = ticket->runs > 2 + number % 5;
    bool done = ticket->done;
    ticket->inside = 0;
    if (done) {
        (void)atom_add_rlx(&fixture->completed, 1);
        return leat_done();
    }
    CHECK_OK(leat_run_error(attempt, "again, please"));
    return ticket->runs % 2 == 0 ? leat_fail() : leat_retry_in(0);
}

static void
submitter(struct fixture *fixture)
{
    for (uint32_t i = 0; i < JOBS; i++) {
        struct leat_job job = leat_job_default();
        job.type = fixture->type;
        job.payload = &i;
        job.payload_bytes = sizeof(i);
        job.max_attempts = 2;
        enum leat_status status = LEAT_FULL;
        while (status == LEAT_FULL) {
            status = leat_submit(fixture->engine, &job, NULL);
        }
        CHECK_OK(status);
    }
    atom_store_rel(&fixture->submitting, 0);
}

static void
read_one(struct fixture *fixture, leat_job_id id)
{
    struct leat_attempt_info infos[2] = {leat_attempt_info_default()};
    size_t count = 0;
    enum leat_status status = leat_job_attempts(fixture->engine, id, infos, 2, &count);
    CHECK(status == LEAT_OK || status == LEAT_GONE);
    for (size_t i = 0; status == LEAT_OK && i < count; i++) {
        bool failed = infos[i].outcome != LEAT_OUTCOME_DONE;
        CHECK_TEXT(infos[i].error, failed ? "again, please" : "");
    }
}

static void
delete_one(struct fixture *fixture, leat_job_id id)
{
    uint32_t number = 0;
    enum leat_status status = leat_job_payload(fixture->engine, id, &number, sizeof(number), NULL);
    if (status != LEAT_OK) {
        return;
    }
    status = leat_dead_delete(fixture->engine, id);
    if (status == LEAT_OK) {
        CHECK_EQUAL(atom_add_rlx(&fixture->tickets[number].deleted, 1), 0);
        (void)atom_add_rlx(&fixture->deleted, 1);
    }
}

static void
retry_one(struct fixture *fixture, leat_job_id id, uint32_t choice)
{
    struct leat_when when = choice % 2 == 0 ? leat_when_now() : leat_when_in(100000);
    enum leat_status status = leat_dead_retry(fixture->engine, id, when);
    if (status == LEAT_OK) {
        (void)atom_add_rlx(&fixture->retried, 1);
    } else {
        CHECK(status == LEAT_BUSY || status == LEAT_GONE || status == LEAT_WRONG_STATE);
        (void)atom_add_rlx(&fixture->busy, 1);
    }
}

static void
operate(struct fixture *fixture, struct test_prng *prng)
{
    struct leat_dead_query query = leat_dead_query_default();
    leat_job_id ids[PAGE];
    size_t count = 0;
    uint32_t choice = test_random_below(prng, 64);
    if (choice == 0) {
        CHECK_OK(leat_dead_retry_all(fixture->engine, NULL, leat_when_now(), &count));
        (void)atom_add_rlx(&fixture->retried, count);
        return;
    }
    if (choice == 1) {
        query.reason = LEAT_REASON_ATTEMPTS;
    }
    CHECK_OK(leat_dead_list(fixture->engine, &query, ids, PAGE, &count));
    for (size_t i = 0; i < count; i++) {
        choice = test_random_below(prng, 16);
        if (choice < 2) {
            read_one(fixture, ids[i]);
        } else if (choice == 2) {
            delete_one(fixture, ids[i]);
        } else {
            retry_one(fixture, ids[i], choice);
        }
    }
}

/* The submitter may be through before any other thread has begun; letters are left then. */
static bool
goes_on(const struct fixture *fixture)
{
    return atom_load_acq(&fixture->submitting) != 0 ||
           atom_load_rlx(&fixture->retried) + atom_load_rlx(&fixture->deleted) == 0;
}

static void
thread(void *context, uint32_t number)
{
    struct fixture *fixture = context;
    struct test_prng prng = {fixture->seed + number};
    if (number == 0) {
        submitter(fixture);
        return;
    }
    while (goes_on(fixture)) {
        operate(fixture, &prng);
    }
}

static void
letters(void **state)
{
    (void)state;
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct leat_config config = test_config();
    CHECK(fixture != NULL);
    fixture->seed = test_seed("stress_dead");
    config.workers = 2;
    config.jobs_max = 512;
    config.dead_max = DEAD_MAX;
    config.retained_max = 16;
    fixture->engine = test_start(&config);
    fixture->type = test_register(fixture->engine, "t", run, fixture);
    atom_init(&fixture->submitting, 1);
    test_threads_run(1 + OPERATORS, thread, fixture);
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
    struct leat_statistics sum = test_statistics(fixture->engine);
    uint64_t deleted = atom_load_rlx(&fixture->deleted);
    /* A drain does not wait for those that are due later. */
    uint64_t left = sum.jobs_waiting + sum.jobs_scheduled;
    CHECK_EQUAL(sum.jobs_submitted, JOBS);
    CHECK_EQUAL(sum.dead_retried, atom_load_rlx(&fixture->retried));
    CHECK_EQUAL(sum.jobs_completed, atom_load_rlx(&fixture->completed));
    CHECK_EQUAL(sum.jobs_dead + sum.jobs_completed + left, JOBS + sum.dead_retried);
    CHECK_EQUAL(sum.dead_letters + sum.dead_dropped + deleted, sum.jobs_dead - sum.dead_retried);
    CHECK(sum.dead_letters <= DEAD_MAX);
    test_say("stress_dead: %llu done, %llu retried, %llu deleted, %llu dropped, %llu refused\n",
             (unsigned long long)sum.jobs_completed, (unsigned long long)sum.dead_retried,
             (unsigned long long)deleted, (unsigned long long)sum.dead_dropped,
             (unsigned long long)atom_load_rlx(&fixture->busy));
    CHECK(sum.dead_dropped != 0);
    CHECK(sum.dead_retried + deleted != 0);
    test_close(fixture->engine);
    free(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(letters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
