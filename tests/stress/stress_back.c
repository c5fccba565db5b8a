/* stress_back.c - dead letters that come back with unique keys, names and keys of an order, while
 * others submit jobs that claim the same, read names, purge, cancel and give other times: of one
 * unique key, one name and one key at most one handler runs at a time, and at the end nothing is
 * left. Holds I1 of engine/unique.h and the claims of engine/keys.h over the end of a job. */
#include <stdlib.h>
#include <string.h>

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
#define QUEUES     4
#define TYPES      2 /* the second one takes batches */
#define PULL       3
#define TOKENS     16

enum { UNIQUE, NAME, KEY, KINDS };

struct fixture {
    struct test_memory memory;
    struct leat_engine *engine;
    leat_type types[TYPES];
    leat_queue queues[QUEUES];
    uint64_t seed;
    leat_atomic_u32 submitting;
    leat_atomic_u32 inside[KINDS][TYPES * TEXTS];
    leat_atomic_u64 refused;  /* retries that found the text taken */
    leat_atomic_u64 accepted; /* retries */
    leat_atomic_u64 last;     /* id of a job that was submitted */
    bool gated;               /* plain; set before */
    bool done;                /* plain; set while no worker runs */
};

static const char *const texts[TEXTS] = {"a", "b", "c"};

/* While a job runs nobody else has what it has. Unique keys are of their type. */
static void
inside_set(struct fixture *fixture, const uint8_t *numbers, uint32_t inside)
{
    for (uint32_t i = 0; i < KINDS; i++) {
        uint32_t type = i == UNIQUE ? numbers[KINDS] : 0;
        if (numbers[i] < TEXTS) {
            leat_atomic_u32 *one = &fixture->inside[i][numbers[i] + type * TEXTS];
            CHECK_EQUAL(atom_swap_acq_rel(one, inside), 1 - inside);
        }
    }
}

static struct leat_outcome
outcome_of(const struct fixture *fixture, const struct leat_run *attempt)
{
    uint64_t choice = leat_run_id(attempt).bits * 7 + leat_run_token(attempt).attempt;
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

static struct leat_outcome
run(struct leat_run *attempt, void *context)
{
    struct fixture *fixture = context;
    const uint8_t *numbers = leat_run_payload(attempt, NULL);
    inside_set(fixture, numbers, 1);
    for (uint32_t i = 0; i < 1000; i++) {
        leat_pause();
    }
    inside_set(fixture, numbers, 0);
    return outcome_of(fixture, attempt);
}

static void
run_batch(struct leat_run *const *runs, struct leat_outcome *outcomes, size_t count, void *context)
{
    struct fixture *fixture = context;
    for (size_t i = 0; i < count; i++) {
        inside_set(fixture, leat_run_payload(runs[i], NULL), 1);
    }
    for (size_t i = 0; i < count; i++) {
        inside_set(fixture, leat_run_payload(runs[i], NULL), 0);
        outcomes[i] = outcome_of(fixture, runs[i]);
    }
}

static void
submitter(struct fixture *fixture, struct test_prng *prng)
{
    for (uint32_t i = 0; i < JOBS; i++) {
        struct leat_job job = leat_job_default();
        struct leat_job_options options = leat_job_options_default();
        uint8_t numbers[KINDS + 1];
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
        numbers[KINDS] = (uint8_t)test_random_below(prng, TYPES);
        job.type = fixture->types[numbers[KINDS]];
        job.queue = fixture->queues[test_random_below(prng, QUEUES)];
        job.payload = numbers;
        job.payload_bytes = sizeof(numbers);
        job.options = &options;
        job.delay_ns = test_random_below(prng, 8) == 0 ? 1000 : 0;
        enum leat_status status = leat_submit(fixture->engine, &job, &id);
        CHECK(status == LEAT_OK || status == LEAT_EXISTS || status == LEAT_JOINED ||
              status == LEAT_BUSY || status == LEAT_FULL || status == LEAT_TIMEOUT);
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
        CHECK(leat_dead_delete(engine, id) != LEAT_INVALID);
        break;
    case 1:
    case 2:
        status = leat_job_name(engine, id, name, sizeof(name));
        CHECK(status != LEAT_OK || name[0] == '\0' || name[1] == '\0');
        break;
    case 3:
        CHECK(leat_cancel(engine, id) != LEAT_INVALID);
        break;
    case 4:
        CHECK(leat_reschedule(engine, id, leat_when_in(1000)) != LEAT_INVALID);
        break;
    default:
        status =
            leat_dead_retry(engine, id, choice % 2 == 0 ? leat_when_now() : leat_when_in(1000));
        (void)atom_add_rlx(status == LEAT_OK ? &fixture->accepted : &fixture->refused,
                           status == LEAT_OK || status == LEAT_EXISTS ? 1 : 0);
        break;
    }
}

static enum leat_status
give_back(struct leat_engine *engine, leat_token token, uint32_t choice)
{
    switch (choice) {
    case 0:
        return leat_ack(engine, token, NULL, 0);
    case 1:
        return leat_nack(engine, token, 1000, "e");
    case 2:
        return leat_lease_release(engine, token);
    default:
        return leat_complete(engine, token, leat_fail(), "f");
    }
}

/* Takes some of the pull queue, and gives all back. */
static void
consume(struct fixture *fixture, struct test_prng *prng)
{
    struct leat_engine *engine = fixture->engine;
    _Alignas(16) uint8_t buffer[TOKENS * 16];
    struct leat_lease leases[TOKENS];
    struct leat_reserve_options options = leat_reserve_options_default();
    size_t count = 0;
    options.queue = fixture->queues[PULL];
    options.max = TOKENS;
    options.buffer = buffer;
    options.buffer_bytes = sizeof(buffer);
    if (leat_reserve(engine, &options, leases, &count) != LEAT_OK) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        inside_set(fixture, leases[i].payload, 1);
    }
    for (size_t i = 0; i < count; i++) {
        enum leat_status status = LEAT_BUSY;
        uint32_t choice = fixture->done ? 0 : test_random_below(prng, 4);
        inside_set(fixture, leases[i].payload, 0);
        /* Who said the error of the last attempt may be on his way out yet. */
        while (status == LEAT_BUSY) {
            status = give_back(engine, leases[i].token, choice);
        }
        CHECK_OK(status);
    }
}

static void
gates(struct fixture *fixture, struct test_prng *prng)
{
    struct leat_engine *engine = fixture->engine;
    leat_queue queue = fixture->queues[test_random_below(prng, QUEUES)];
    uint32_t most = test_random_below(prng, 3);
    switch (test_random_below(prng, 6)) {
    case 0:
        CHECK_OK(leat_queue_pause(engine, queue));
        CHECK_OK(leat_queue_resume(engine, queue));
        break;
    case 1:
        CHECK_OK(leat_queue_set_running_max(engine, queue, most));
        break;
    case 2:
        CHECK_OK(leat_type_set_running_max(engine, fixture->types[most % TYPES], most));
        break;
    case 3:
        CHECK_OK(leat_queue_set_rate(engine, queue, leat_rate_of(most, 100000, 0)));
        break;
    case 4:
        CHECK_OK(leat_queue_set_running_min(engine, queue, most % 2 == 0 ? 1 : 0));
        CHECK_OK(leat_queue_set_running_min(engine, queue, 0));
        break;
    default:
        CHECK_OK(leat_queue_purge(engine, queue, NULL));
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
        consume(fixture, prng);
        if (fixture->gated && test_random_below(prng, 16) == 0) {
            gates(fixture, prng);
        }
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
parts_make(struct fixture *fixture)
{
    static const char *const names[QUEUES] = {"plain", "limited", "bounded", "pull"};
    struct leat_type_options options = leat_type_options_default();
    leat_tenant tenant = {0};
    options.batch_max = 4;
    options.batch_delay_ns = 100000;
    fixture->types[0] = test_register(fixture->engine, "t", run, fixture);
    CHECK_OK(leat_type_register_batch(fixture->engine, "b", run_batch, fixture, &options,
                                      &fixture->types[1]));
    CHECK_OK(leat_tenant_create(fixture->engine, "tenant", NULL, &tenant));
    for (uint32_t i = 0; i < QUEUES; i++) {
        struct leat_queue_options queue = leat_queue_options_default();
        queue.waiting_max = i == 0 ? 0 : 16;
        queue.full = i == 1 ? LEAT_FULL_DROP_OLDEST : LEAT_FULL_BLOCK;
        queue.block_ns = 100000;
        queue.pull = i == PULL;
        queue.tenant = i == 0 ? queue.tenant : tenant;
        CHECK_OK(leat_queue_create(fixture->engine, names[i], &queue, &fixture->queues[i]));
    }
}

/* All that lives runs to its end. */
static void
end_all(struct fixture *fixture)
{
    struct leat_engine *engine = fixture->engine;
    struct test_prng prng = {0};
    uint64_t deadline_ns = leat_os_deadline_ns(TEST_PATIENCE_NS);
    CHECK_OK(leat_stop(engine, LEAT_FOREVER));
    fixture->done = true;
    for (uint32_t i = 0; fixture->gated && i < QUEUES; i++) {
        CHECK_OK(leat_queue_resume(engine, fixture->queues[i]));
        CHECK_OK(leat_queue_set_running_max(engine, fixture->queues[i], 0));
        CHECK_OK(leat_queue_set_rate(engine, fixture->queues[i], leat_rate_of(0, 0, 0)));
        CHECK_OK(leat_type_set_running_max(engine, fixture->types[i % TYPES], 0));
    }
    CHECK_OK(leat_start(engine));
    struct leat_statistics sum = test_statistics(engine);
    while (sum.jobs_waiting + sum.jobs_running + sum.jobs_scheduled + sum.jobs_retrying != 0) {
        CHECK(leat_os_monotonic_ns() < deadline_ns);
        consume(fixture, &prng);
        leat_os_yield();
        sum = test_statistics(engine);
    }
    CHECK_OK(leat_drain(engine, LEAT_FOREVER));
    CHECK_OK(leat_stop(engine, LEAT_FOREVER));
}

static void
check_rest(struct fixture *fixture)
{
    struct leat_engine *engine = fixture->engine;
    uint32_t keys = 7;
    CHECK(leat_keys_check(engine, &keys, stderr));
    CHECK_EQUAL(keys, 0);
    for (uint32_t i = 0; i < engine->config.queues_max + engine->config.types_max; i++) {
        CHECK_EQUAL(leat_gate_used(atom_load_rlx(&leat_gate_of(engine, i)->word)), 0);
        CHECK_EQUAL(leat_gate_used(atom_load_rlx(&engine->pool.queues[i].kept.word)), 0);
    }
    for (uint32_t i = 0; i < engine->config.queues_max; i++) {
        CHECK_EQUAL(leat_quota_used(&engine->rooms.queues[i].room.jobs), 0);
        CHECK_EQUAL(leat_quota_used(&engine->rooms.queues[i].room.bytes), 0);
    }
}

static void
together(uint64_t seed, bool gated)
{
    static struct fixture fixture;
    struct leat_config config = test_config();
    memset(&fixture, 0, sizeof(fixture));
    test_memory_init(&fixture.memory);
    fixture.seed = seed;
    fixture.gated = gated;
    config.workers = 3;
    config.jobs_max = 512;
    config.retained_max = 4;
    config.dead_max = LETTERS;
    config.timer_tick_log2 = 14;
    config.allocator = test_memory_allocator(&fixture.memory);
    fixture.engine = test_start(&config);
    parts_make(&fixture);
    atom_store_rlx(&fixture.submitting, SUBMITTERS);
    test_threads_run(SUBMITTERS + OPERATORS, body, &fixture);
    end_all(&fixture);
    check_rest(&fixture);
    CHECK(atom_load_rlx(&fixture.accepted) > 0);
    CHECK(gated || atom_load_rlx(&fixture.refused) > 0);
    test_close(fixture.engine);
    CHECK_EQUAL(test_memory_blocks(&fixture.memory), 0);
}

static void
one_at_a_time(void **unused)
{
    (void)unused;
    uint64_t seed = test_seed("back");
    together(seed, false);
    together(seed, true);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_at_a_time)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
