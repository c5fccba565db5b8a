/* stress_key_rates.c - threads that submit jobs of a few keys to two queues, while workers run
 * them, and some are run again, cancelled or put off.
 *
 * holds    with one rate of each key: none of a key's jobs begins sooner than its number says, and
 *          all of it is let through in about the time that it takes.
 * changes  while another thread changes the rates of a queue and of the type all the time, also to
 *          none: of a key one attempt runs at a time, what it wrote is seen by the next without a
 *          lock, none is lost, and at the end no key and no bucket is left.
 * Holds I1 to I3 of engine/key_rates.h at the end. */
#include "engine/key_rates.h"

#include <stdlib.h>

#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

#define SUBMITTERS 2
#define KEYS       7
#define JOBS       3000
#define ALL        ((uint64_t)SUBMITTERS * JOBS)
#define WORKERS    3
#define SECOND     UINT64_C(1000000000)

/* Plain but for `inside`: of the one that has the key. */
struct line {
    leat_atomic_u32 inside;
    uint64_t begun;
    uint64_t first_ns;
};

struct fixture {
    struct leat_engine *engine;
    leat_type type;
    leat_queue queues[2];
    uint64_t seed;
    struct leat_rate rate; /* of `holds` */
    leat_atomic_u32 busy;  /* threads that submit */
    struct line lines[KEYS];
    leat_atomic_u32 ends[ALL];
    enum leat_status cancels[ALL]; /* plain: its submitter's */
};

static uint64_t
now(void)
{
    return leat_os_boot_ns();
}

/* The n-th one does not begin before (n - burst) tokens have come since the first was let in. */
static void
check_time(const struct fixture *fixture, struct line *line)
{
    const struct leat_rate *rate = &fixture->rate;
    uint64_t now_ns = now();
    line->begun++;
    if (rate->jobs != 0 && line->begun > rate->burst) {
        uint64_t needed_ns = (line->begun - rate->burst) * rate->per_ns / rate->jobs;
        CHECK(now_ns + 1 >= line->first_ns + needed_ns);
    }
}

static struct leat_outcome
run(struct leat_run *attempt, void *context)
{
    struct fixture *fixture = context;
    uint32_t number = *(const uint32_t *)leat_run_payload(attempt, NULL);
    struct line *line = &fixture->lines[number % KEYS];
    CHECK_EQUAL(atom_add_rlx(&line->inside, 1), 0);
    check_time(fixture, line);
    (void)atom_sub_rlx(&line->inside, 1);
    if (number % 16 == 3 && leat_run_attempt(attempt) == 1) {
        return leat_retry_in(number % 32 == 3 ? 0 : TEST_MS / 4);
    }
    CHECK_EQUAL(atom_add_rlx(&fixture->ends[number], 1), 0);
    return leat_done();
}

static leat_job_id
submit(struct fixture *fixture, uint32_t number)
{
    struct leat_job job = leat_job_default();
    struct leat_job_options options = leat_job_options_default();
    leat_job_id id = {0};
    uint32_t key = number % KEYS;
    options.key = &key;
    options.key_bytes = sizeof(key);
    job.options = &options;
    job.type = fixture->type;
    job.queue = fixture->queues[number / 3 % 2];
    job.payload = &number;
    job.payload_bytes = sizeof(number);
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
submitter(struct fixture *fixture, uint32_t thread)
{
    struct test_prng prng = {fixture->seed + thread};
    for (uint32_t i = 0; i < JOBS; i++) {
        uint32_t number = thread * JOBS + i;
        leat_job_id id = submit(fixture, number);
        uint32_t what = test_random_below(&prng, 16);
        if (what < 2) {
            fixture->cancels[number] = leat_cancel(fixture->engine, id);
        } else if (what < 4) {
            answered(leat_reschedule(fixture->engine, id, leat_when_in(what % 2 * TEST_MS)));
        } else if (what < 5) {
            answered(leat_priority_set(fixture->engine, id, test_random_below(&prng, 4)));
        }
        if (i % 128 == 0) {
            test_sleep_ns(TEST_MS);
        }
    }
    (void)atom_sub_rel(&fixture->busy, 1);
}

/* Ends: submitters do, and a rate of none lets all through. */
static void
setter(struct fixture *fixture)
{
    static const struct leat_rate rates[] = {
        {1, 1000 * SECOND, 1}, {10000, SECOND, 1}, {0, 0, 0}, {1000, SECOND, 4}};
    struct test_prng prng = {fixture->seed + SUBMITTERS};
    while (atom_load_acq(&fixture->busy) != 0) {
        const struct leat_rate rate = rates[test_random_below(&prng, 4)];
        if (test_random_below(&prng, 2) == 0) {
            CHECK_OK(leat_type_set_key_rate(fixture->engine, fixture->type, rate));
        } else {
            CHECK_OK(leat_queue_set_key_rate(fixture->engine, fixture->queues[0], rate));
        }
        test_sleep_ns(test_random_below(&prng, 3) * TEST_MS / 2);
    }
    CHECK_OK(leat_type_set_key_rate(fixture->engine, fixture->type, leat_rate_of(0, 0, 0)));
    CHECK_OK(leat_queue_set_key_rate(fixture->engine, fixture->queues[0], leat_rate_of(0, 0, 0)));
}

static void
thread(void *shared, uint32_t number)
{
    if (number < SUBMITTERS) {
        submitter(shared, number);
    } else {
        setter(shared);
    }
}

static struct fixture *
setup(void)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    CHECK(fixture != NULL);
    struct leat_config config = test_config();
    config.workers = WORKERS;
    config.jobs_max = ALL;
    config.retained_max = 0;
    fixture->seed = test_seed("stress_key_rates");
    fixture->engine = test_start(&config);
    fixture->type = test_register(fixture->engine, "t", run, fixture);
    CHECK_OK(leat_queue_create(fixture->engine, "one", NULL, &fixture->queues[0]));
    CHECK_OK(leat_queue_create(fixture->engine, "two", NULL, &fixture->queues[1]));
    for (uint32_t i = 0; i < ALL; i++) {
        fixture->cancels[i] = LEAT_ENDED;
    }
    atom_init(&fixture->busy, SUBMITTERS);
    return fixture;
}

/* Jobs that wait for a token are not waited for by a drain. */
static void
wait_for(struct fixture *fixture, uint64_t jobs)
{
    for (;;) {
        const struct leat_statistics now = test_statistics(fixture->engine);
        if (now.jobs_completed + now.jobs_cancelled == jobs) {
            break;
        }
        test_sleep_ns(TEST_MS);
    }
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
}

static void
check_rest(struct fixture *fixture)
{
    uint32_t keys = 0;
    uint32_t buckets = 0;
    CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
    CHECK(leat_keys_check(fixture->engine, &keys, stderr));
    CHECK(leat_key_rates_check(fixture->engine, &buckets, stderr));
    CHECK_EQUAL(keys, 0);
    CHECK_EQUAL(buckets, 0);
    test_close(fixture->engine);
    free(fixture);
}

static void
holds(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup();
    fixture->rate = leat_rate_of(2000, SECOND, 3);
    for (uint32_t i = 0; i < KEYS; i++) {
        fixture->lines[i].first_ns = now();
    }
    CHECK_OK(leat_type_set_key_rate(fixture->engine, fixture->type, fixture->rate));
    uint64_t begin_ns = now();
    for (uint32_t i = 0; i < 200 * KEYS; i++) {
        (void)submit(fixture, i);
    }
    wait_for(fixture, UINT64_C(200) * KEYS);
    CHECK(now() - begin_ns < 60 * SECOND);
    test_sleep_ns(5 * TEST_MS); /* until all are full */
    check_rest(fixture);
}

static void
changes(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup();
    test_threads_run(SUBMITTERS + 1, thread, fixture);
    wait_for(fixture, ALL);
    for (uint32_t i = 0; i < ALL; i++) {
        uint32_t ends = atom_load_rlx(&fixture->ends[i]);
        bool cancelled = fixture->cancels[i] == LEAT_OK || fixture->cancels[i] == LEAT_RUNNING;
        CHECK(fixture->cancels[i] != LEAT_OK || ends == 0);
        CHECK(ends == 1 || cancelled);
    }
    check_rest(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds),
        cmocka_unit_test(changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
