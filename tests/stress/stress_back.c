/* stress_back.c - dead letters that come back with unique keys, names and keys of an order, while
 * others submit jobs that claim the same, read names, purge, cancel and give other times: of one
 * unique key, one name and one key at most one handler runs at a time, and at the end nothing is
 * left. Holds I1 of engine/unique.h and the claims of engine/keys.h over the end of a job. */
#include <stdlib.h>

#include "engine/gates.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/memory.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

#define TEXTS      3
#define SUBMITTERS 2
#define OPERATORS  2
#define JOBS       20000 /* of each submitter */
#define LETTERS    32

enum { UNIQUE, NAME, KEY, KINDS };

struct fixture {
    struct test_memory memory;
    struct leat_engine *engine;
    leat_type type;
    uint64_t seed;
    leat_atomic_u32 submitting;
    leat_atomic_u32 inside[KINDS][TEXTS];
    leat_atomic_u64 refused;  /* retries that found the text taken */
    leat_atomic_u64 accepted; /* retries */
    leat_atomic_u64 last;     /* id of a job that was submitted */
    bool done;                /* plain; set while no worker runs */
};

static const char *const texts[TEXTS] = {"a", "b", "c"};

static struct leat_outcome
run(struct leat_run *attempt, void *context)
{
    struct fixture *fixture = context;
    const uint8_t *numbers = leat_run_payload(attempt, NULL);
    uint64_t choice = leat_run_id(attempt).bits * 7 + leat_run_token(attempt).attempt;
    for (uint32_t i = 0; i < KINDS; i++) {
        if (numbers[i] < TEXTS) {
            CHECK_EQUAL(atom_swap_acq_rel(&fixture->inside[i][numbers[i]], 1), 0);
        }
    }
    for (uint32_t i = 0; i < 1000; i++) {
        leat_pause();
    }
    for (uint32_t i = 0; i < KINDS; i++) {
        if (numbers[i] < TEXTS) {
            atom_store_rel(&fixture->inside[i][numbers[i]], 0);
        }
    }
    if (fixture->done) {
        return leat_done();
    }
    switch (choice % 8) {
    case 0:
        return leat_done();
    case 1:
        return leat_snooze(1000);
    case 2:
        return leat_retry_in(0);
    default:
        return leat_fail();
    }
}

static void
submitter(struct fixture *fixture, struct test_prng *prng)
{
    for (uint32_t i = 0; i < JOBS; i++) {
        struct leat_job job = leat_job_default();
        struct leat_job_options options = leat_job_options_default();
        uint8_t numbers[KINDS];
        leat_job_id id = {0};
        for (uint32_t kind = 0; kind < KINDS; kind++) {
            numbers[kind] = (uint8_t)test_random_below(prng, TEXTS + 2);
        }
        if (numbers[UNIQUE] < TEXTS) {
            options.unique_key = texts[numbers[UNIQUE]];
            options.unique_key_bytes = 1;
            options.unique_conflict = (enum leat_unique_conflict)test_random_below(prng, 4);
        }
        options.name = numbers[NAME] < TEXTS ? texts[numbers[NAME]] : NULL;
        if (numbers[KEY] < TEXTS) {
            options.key = texts[numbers[KEY]];
            options.key_bytes = 1;
        }
        job.type = fixture->type;
        job.payload = numbers;
        job.payload_bytes = sizeof(numbers);
        job.options = &options;
        job.delay_ns = test_random_below(prng, 8) == 0 ? 1000 : 0;
        enum leat_status status = leat_submit(fixture->engine, &job, &id);
        CHECK(status == LEAT_OK || status == LEAT_EXISTS || status == LEAT_JOINED ||
              status == LEAT_BUSY || status == LEAT_FULL);
        if (status == LEAT_OK) {
            atom_store_rlx(&fixture->last, id.bits);
        } else if (status == LEAT_FULL) {
            leat_os_yield();
        }
    }
    (void)atom_sub_acq_rel(&fixture->submitting, 1);
}

static void
operate(struct fixture *fixture, leat_job_id id, uint32_t choice)
{
    struct leat_engine *engine = fixture->engine;
    enum leat_status status = LEAT_OK;
    char name[LEAT_JOB_NAME_BYTES_MAX + 1];
    switch (choice) {
    case 0:
        status = leat_dead_delete(engine, id);
        break;
    case 1:
    case 2:
        status = leat_job_name(engine, id, name, sizeof(name));
        CHECK(status != LEAT_OK || name[0] == '\0' || name[1] == '\0');
        break;
    case 3:
        status = leat_cancel(engine, id);
        break;
    case 4:
        status = leat_reschedule(engine, id, leat_when_in(1000));
        break;
    default:
        status =
            leat_dead_retry(engine, id, choice % 2 == 0 ? leat_when_now() : leat_when_in(1000));
        (void)atom_add_rlx(status == LEAT_OK ? &fixture->accepted : &fixture->refused,
                           status == LEAT_OK || status == LEAT_EXISTS ? 1 : 0);
        break;
    }
}

static void
operator_run(struct fixture *fixture, struct test_prng *prng)
{
    while (atom_load_acq(&fixture->submitting) != 0) {
        struct leat_dead_query query = leat_dead_query_default();
        leat_job_id ids[LETTERS];
        size_t count = 0;
        const leat_job_id last = {atom_load_rlx(&fixture->last)};
        CHECK_OK(leat_dead_list(fixture->engine, &query, ids, LETTERS, &count));
        for (size_t i = 0; i < count; i++) {
            operate(fixture, ids[i], test_random_below(prng, 12));
        }
        operate(fixture, last, 3 + test_random_below(prng, 2));
    }
}

static void
body(void *shared, uint32_t number)
{
    struct fixture *fixture = shared;
    struct test_prng prng = {fixture->seed + number};
    if (number < SUBMITTERS) {
        submitter(fixture, &prng);
    } else {
        operator_run(fixture, &prng);
    }
}

static void
one_at_a_time(void **unused)
{
    (void)unused;
    static struct fixture fixture;
    struct leat_config config = test_config();
    uint32_t keys = 7;
    test_memory_init(&fixture.memory);
    fixture.seed = test_seed("back");
    config.workers = 3;
    config.jobs_max = 512;
    config.retained_max = 4;
    config.dead_max = LETTERS;
    config.timer_tick_log2 = 14;
    config.allocator = test_memory_allocator(&fixture.memory);
    fixture.engine = test_start(&config);
    fixture.type = test_register(fixture.engine, "t", run, &fixture);
    atom_store_rlx(&fixture.submitting, SUBMITTERS);
    test_threads_run(SUBMITTERS + OPERATORS, body, &fixture);
    CHECK_OK(leat_stop(fixture.engine, LEAT_FOREVER));
    fixture.done = true;
    CHECK_OK(leat_start(fixture.engine));
    struct leat_statistics sum = test_statistics(fixture.engine);
    uint64_t deadline_ns = leat_os_deadline_ns(TEST_PATIENCE_NS);
    while (sum.jobs_waiting + sum.jobs_running + sum.jobs_scheduled + sum.jobs_retrying != 0) {
        CHECK(leat_os_monotonic_ns() < deadline_ns);
        leat_os_yield();
        sum = test_statistics(fixture.engine);
    }
    CHECK_OK(leat_drain(fixture.engine, LEAT_FOREVER));
    CHECK_OK(leat_stop(fixture.engine, LEAT_FOREVER));
    CHECK(leat_keys_check(fixture.engine, &keys, stderr));
    CHECK_EQUAL(keys, 0);
    (void)fprintf(stderr, "%lu back, %lu refused\n", (unsigned long)atom_load_rlx(&fixture.accepted), (unsigned long)atom_load_rlx(&fixture.refused));
    CHECK(atom_load_rlx(&fixture.accepted) > 0);
    CHECK(atom_load_rlx(&fixture.refused) > 0);
    test_close(fixture.engine);
    CHECK_EQUAL(test_memory_blocks(&fixture.memory), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_at_a_time)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
