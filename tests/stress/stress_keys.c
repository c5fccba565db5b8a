/* stress_keys.c - threads that submit jobs of a few keys, shared by all, to two queues and all
 * levels, while workers come to rest and wake, another thread completes what answered pending, and
 * jobs are cancelled, or given another priority or time. Some jobs are run again, at once or later;
 * some expire. Of a key one attempt runs at a time, and from the first attempt of a job to its last
 * no other one; what it wrote is seen by the next without a lock; jobs of one submitter come in its
 * order, but those that got another time; none runs twice, none is lost or stays behind.
 * Holds I1 to I3 of engine/keys.h at the end. */
#include "engine/keys.h"

#include <stdlib.h>

#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

#define SUBMITTERS 2
#define KEYS       7 /* of which some come and go */
#define JOBS       9000
#define ALL        (SUBMITTERS * JOBS)
#define WORKERS    3

struct ticket {
    leat_atomic_u32 ends;
    enum leat_status cancel; /* plain: its submitter's; ENDED: not asked, or too late */
    leat_atomic_u32 go;      /* 1: pending, and may be completed */
    leat_token token;        /* plain, before `go` */
};

/* Plain but for `inside`: of the one that has the key. */
struct line {
    leat_atomic_u32 inside;
    uint32_t owner;            /* whose first attempt was the last */
    uint32_t next[SUBMITTERS]; /* no job below may begin */
};

struct fixture {
    struct leat_engine *engine;
    leat_type type;
    leat_queue queues[2];
    uint64_t seed;
    leat_atomic_u32 busy; /* threads that submit */
    struct line lines[KEYS];
    struct ticket tickets[ALL];
};

static uint32_t
key_of(uint32_t number)
{
    return number * 2654435761U >> 16 & 7;
}

static bool
retried(uint32_t number)
{
    return number % 16 == 3;
}

static bool
moved(uint32_t number)
{
    return number % 16 == 7;
}

static bool
expires(uint32_t number)
{
    return number % 16 == 9;
}

static void
enter(struct fixture *fixture, uint32_t number, uint32_t attempt)
{
    struct line *line = &fixture->lines[key_of(number)];
    CHECK_EQUAL(atom_add_rlx(&line->inside, 1), 0);
    if (attempt > 1) {
        CHECK_EQUAL(line->owner, number);
        return;
    }
    line->owner = number;
    if (!moved(number)) {
        CHECK(number % JOBS >= line->next[number / JOBS]);
        line->next[number / JOBS] = number % JOBS + 1;
    }
}

static void
leave(struct fixture *fixture, uint32_t number)
{
    (void)atom_sub_rlx(&fixture->lines[key_of(number)].inside, 1);
}

static struct leat_outcome
run(struct leat_run *attempt, void *context)
{
    struct fixture *fixture = context;
    uint32_t number = *(const uint32_t *)leat_run_payload(attempt, NULL);
    struct ticket *ticket = &fixture->tickets[number];
    bool keyed = key_of(number) < KEYS;
    if (keyed) {
        enter(fixture, number, leat_run_attempt(attempt));
    }
    if (retried(number) && leat_run_attempt(attempt) <= 2) {
        if (keyed) {
            leave(fixture, number);
        }
        return leat_retry_in(leat_run_attempt(attempt) == 1 ? 0 : TEST_MS / 4);
    }
    CHECK_EQUAL(atom_add_rlx(&ticket->ends, 1), 0);
    if (number % 16 == 5) {
        ticket->token = leat_run_token(attempt);
        atom_store_rel(&ticket->go, 1);
        return number % 32 == 5 ? leat_pending() : leat_pending_for(1000 * TEST_MS * 1000);
    }
    if (keyed) {
        leave(fixture, number);
    }
    return leat_done();
}

static leat_job_id
submit(struct fixture *fixture, uint32_t number, uint32_t level)
{
    struct leat_job job = leat_job_default();
    struct leat_job_options options = leat_job_options_default();
    leat_job_id id = {0};
    uint32_t key = key_of(number);
    if (key < KEYS) {
        options.key = &key;
        options.key_bytes = sizeof(key);
    }
    if (expires(number)) {
        options.expires_in_ns = number % 32 == 9 ? TEST_MS / 8 : 1000 * TEST_MS;
    }
    job.options = &options;
    job.type = fixture->type;
    job.queue = fixture->queues[number / 3 % 2];
    job.payload = &number;
    job.payload_bytes = sizeof(number);
    job.priority = level;
    CHECK_OK(leat_submit(fixture->engine, &job, &id));
    return id;
}

/* Depends on where the job is by now. */
static void
answered(enum leat_status status)
{
    CHECK(status == LEAT_OK || status == LEAT_WRONG_STATE || status == LEAT_ENDED ||
          status == LEAT_BUSY || status == LEAT_GONE);
}

static void
change(struct fixture *fixture, leat_job_id id, uint32_t number, struct test_prng *prng)
{
    struct leat_engine *engine = fixture->engine;
    uint32_t level = test_random_below(prng, LEAT_PRIORITY_LEVELS);
    if (moved(number)) {
        uint64_t delay_ns = test_random_below(prng, 2) * TEST_MS / 2;
        answered(leat_reschedule(engine, id, leat_when_in(delay_ns)));
    }
    if (number % 8 == 2 || number % 16 == 7) {
        answered(leat_priority_set(engine, id, level));
    }
    if (test_random_below(prng, 4) == 0) {
        fixture->tickets[number].cancel = leat_cancel(engine, id);
    }
}

static void
submitter(struct fixture *fixture, uint32_t thread)
{
    struct test_prng prng = {fixture->seed + thread};
    leat_job_id last = {0};
    for (uint32_t i = 0; i < JOBS; i++) {
        uint32_t number = thread * JOBS + i;
        leat_job_id id = submit(fixture, number, test_random_below(&prng, LEAT_PRIORITY_LEVELS));
        if (i > 0 && i % 2 == 0) {
            change(fixture, last, number - 1, &prng);
            change(fixture, id, number, &prng);
        }
        if (i % 512 == 0) {
            test_sleep_ns(TEST_MS);
        }
        last = id;
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
            if (atom_load_acq(&ticket->go) != 1) {
                continue;
            }
            if (key_of(i) < KEYS) {
                leave(fixture, i);
            }
            atom_store_rlx(&ticket->go, 2);
            CHECK_OK(leat_complete(fixture->engine, ticket->token, leat_done(), NULL));
        }
    }
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
setup(struct fixture *fixture)
{
    static const char *const queues[2] = {"one", "two"};
    struct leat_config config = test_config();
    config.workers = WORKERS;
    config.jobs_max = ALL;
    config.retained_max = 0;
    fixture->seed = test_seed("stress_keys");
    fixture->engine = test_start(&config);
    fixture->type = test_register(fixture->engine, "t", run, fixture);
    for (uint32_t i = 0; i < 2; i++) {
        struct leat_queue_options options = leat_queue_options_default();
        options.running_max = i == 0 ? 0 : 2;
        CHECK_OK(leat_queue_create(fixture->engine, queues[i], &options, &fixture->queues[i]));
    }
    for (uint32_t i = 0; i < ALL; i++) {
        fixture->tickets[i].cancel = LEAT_ENDED;
    }
    atom_init(&fixture->busy, SUBMITTERS);
}

static void
one_at_a_time(void **unused)
{
    (void)unused;
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    CHECK(fixture != NULL);
    setup(fixture);
    test_threads_run(SUBMITTERS + 1, thread, fixture);
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    uint32_t ended = 0;
    for (uint32_t i = 0; i < ALL; i++) {
        const struct ticket *ticket = &fixture->tickets[i];
        uint32_t ends = atom_load_rlx(&ticket->ends);
        CHECK(ticket->cancel != LEAT_OK || ends == 0);
        CHECK(ends == 1 || ticket->cancel == LEAT_OK || expires(i) ||
              (ticket->cancel == LEAT_RUNNING && retried(i)));
        ended += ends;
    }
    uint32_t keys = 0;
    CHECK(leat_keys_check(fixture->engine, &keys, stderr));
    CHECK_EQUAL(keys, 0);
    CHECK(ended > ALL / 2);
    test_close(fixture->engine);
    free(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
