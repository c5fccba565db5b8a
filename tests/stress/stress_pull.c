/* stress_pull.c - consumers of a pull queue beside a worker, a fast clock and jobs that come at any
 * time: some ack, some nack, release, extend, some die (they never answer), some answer late; a
 * thread pauses, caps and resumes the queue; jobs are cancelled. Each lease ends once, by an answer
 * that was taken or by its time: as many of both as there were leases. No two hold at a time: when
 * an ack was taken, nobody has seen a later lease of the job. A lease that has ended is STALE or
 * GONE from then on. Every job ends, so none is lost, and no consumer sleeps while there are jobs.
 * In the second test there are no workers, and nobody runs anything but the consumers. Payloads are
 * plain data for ThreadSanitizer. Holds I1 and "one holder" of engine/pull.h. */
#include <stdlib.h>
#include <string.h>

#include "engine/engine_internal.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/fake_clock.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

#define US UINT64_C(1000)
#define MS UINT64_C(1000000)

enum { JOBS = 48, CONSUMERS = 3, BATCH = 4, ATTEMPTS = 6, PAYLOAD_BYTES = 200, RECORDS = 256 };
/* Threads by number. */
enum { ROUNDS, CLOCK, PAUSES, CONSUMES };

struct fixture {
    struct leat_engine *engine;
    struct test_clock clock;
    leat_queue queue;
    leat_job_id ids[JOBS];
    leat_atomic_u64 seen[RECORDS]; /* by record: the greatest of its leases that were seen */
    leat_atomic_u32 ended;
    leat_atomic_u64 leases;
    leat_atomic_u64 taken; /* answers that were */
    leat_atomic_u64 stale;
    leat_atomic_u64 died;
    leat_atomic_u64 rounds;
    uint64_t states[LEAT_PHASE_COUNT];
    uint64_t seed;
    bool cancels;
};

struct consumer {
    struct fixture *fixture;
    struct test_prng prng;
    struct leat_lease leases[BATCH];
    struct leat_lease late; /* one that was not answered in time */
    bool has_late;
    _Alignas(16) unsigned char buffer[BATCH * (PAYLOAD_BYTES + 16)];
};

static bool
over(struct fixture *fixture)
{
    return atom_load_acq(&fixture->ended) != 0;
}

/* ---- leases that were seen ------------------------------------------------------------------- */

/* Grows with each lease of a record: generation and number. */
static uint64_t
key_of(leat_token token)
{
    return token.job >> LEAT_INDEX_BITS << 16 | token.attempt;
}

static leat_atomic_u64 *
seen_of(struct fixture *fixture, leat_token token)
{
    return &fixture->seen[token.job & LEAT_INDEX_NONE];
}

/* Somebody had a later lease of the same job. */
static bool
seen_later(struct fixture *fixture, leat_token token)
{
    uint64_t seen = atom_load_acq(seen_of(fixture, token));
    return seen >> 16 == key_of(token) >> 16 && seen > key_of(token);
}

/* ---- consumers ------------------------------------------------------------------------------ */

static enum leat_status
answer(struct consumer *consumer, leat_token token, uint32_t how)
{
    struct leat_engine *engine = consumer->fixture->engine;
    switch (how) {
    case 0:
        return leat_nack(engine, token, 0, "text");
    case 1:
        return leat_nack(engine, token, test_random_below(&consumer->prng, 4) * MS, NULL);
    case 2:
        return leat_lease_release(engine, token);
    case 3:
        return leat_ack(engine, token, "result", 6);
    default:
        return leat_ack(engine, token, NULL, 0);
    }
}

static void
say(struct consumer *consumer, const struct leat_lease *lease)
{
    struct fixture *fixture = consumer->fixture;
    uint32_t how = test_random_below(&consumer->prng, 8);
    enum leat_status status = LEAT_BUSY;
    while (status == LEAT_BUSY) { /* an answer that is late is at its text */
        status = answer(consumer, lease->token, how);
    }
    if (status == LEAT_OK) {
        (void)atom_add_rlx(&fixture->taken, 1);
        CHECK(how < 3 || !seen_later(fixture, lease->token));
    } else {
        CHECK(status == LEAT_STALE || status == LEAT_GONE);
        (void)atom_add_rlx(&fixture->stale, 1);
    }
    /* Whatever came of it, from now on it does not hold. */
    status = leat_ack(fixture->engine, lease->token, NULL, 0);
    CHECK(status == LEAT_STALE || status == LEAT_GONE);
}

/* The payload is the consumer's own, and whole; the number grows from lease to lease. */
static void
look(struct consumer *consumer, const struct leat_lease *lease)
{
    struct fixture *fixture = consumer->fixture;
    const unsigned char *payload = lease->payload;
    CHECK(payload[0] < JOBS);
    for (size_t i = 1; i < lease->payload_bytes; i++) {
        CHECK_EQUAL(payload[i], (unsigned char)(payload[0] + i));
    }
    leat_atomic_u64 *seen = seen_of(fixture, lease->token);
    uint64_t now = atom_load_acq(seen);
    CHECK(now != key_of(lease->token));
    /* Two consumers may come here in another order than they took. */
    while (now < key_of(lease->token) && !atom_cas_acq_rel(seen, &now, key_of(lease->token))) {
    }
    (void)atom_add_rlx(&fixture->leases, 1);
}

static void
serve(struct consumer *consumer, const struct leat_lease *lease)
{
    struct fixture *fixture = consumer->fixture;
    look(consumer, lease);
    switch (test_random_below(&consumer->prng, 8)) {
    case 0: /* it dies, or answers much later */
        (void)atom_add_rlx(&fixture->died, 1);
        if (!consumer->has_late) {
            consumer->late = *lease;
            consumer->has_late = true;
        }
        return;
    case 1:
        test_sleep_ns(test_random_below(&consumer->prng, 50000));
        break;
    case 2: {
        enum leat_status status = leat_extend(fixture->engine, lease->token,
                                              test_random_below(&consumer->prng, 4) * MS + 1);
        CHECK(status == LEAT_OK || status == LEAT_STALE || status == LEAT_GONE);
        break;
    }
    default:
        break;
    }
    say(consumer, lease);
}

static void
consume(struct fixture *fixture, uint32_t number)
{
    struct consumer *consumer = calloc(1, sizeof(*consumer));
    struct leat_reserve_options options = leat_reserve_options_default();
    CHECK(consumer != NULL);
    consumer->fixture = fixture;
    consumer->prng.state = fixture->seed + number;
    options.queue = fixture->queue;
    options.buffer = consumer->buffer;
    options.buffer_bytes = sizeof(consumer->buffer);
    while (!over(fixture)) {
        size_t count = 0;
        options.max = 1 + test_random_below(&consumer->prng, BATCH);
        options.lease_ns = 1 + test_random_below(&consumer->prng, 4) * MS;
        options.timeout_ns = test_random_below(&consumer->prng, 4) == 0 ? 0 : 20 * MS;
        enum leat_status status = leat_reserve(fixture->engine, &options, consumer->leases, &count);
        if (status == LEAT_OK) {
            CHECK(count >= 1 && count <= options.max);
            for (size_t i = 0; i < count; i++) {
                serve(consumer, &consumer->leases[i]);
            }
        } else {
            CHECK(status == (options.timeout_ns == 0 ? LEAT_EMPTY : LEAT_TIMEOUT));
        }
        if (consumer->has_late && test_random_below(&consumer->prng, 4) == 0) {
            consumer->has_late = false;
            say(consumer, &consumer->late);
        }
    }
    free(consumer);
}

/* ---- rounds --------------------------------------------------------------------------------- */

static void
submit(struct fixture *fixture, struct test_prng *prng, uint32_t number)
{
    static const size_t sizes[] = {8, 16, 60, PAYLOAD_BYTES};
    unsigned char payload[PAYLOAD_BYTES];
    struct leat_job job = leat_job_default();
    for (size_t i = 0; i < sizeof(payload); i++) {
        payload[i] = (unsigned char)(number + i);
    }
    job.type_name = "nobody";
    job.queue = fixture->queue;
    job.priority = test_random_below(prng, 2) == 0 ? LEAT_PRIORITY_HIGH : LEAT_PRIORITY_NORMAL;
    job.payload = payload;
    job.payload_bytes = sizes[test_random_below(prng, TEST_COUNT_OF(sizes))];
    job.flags = LEAT_JOB_KEEP_RESULT;
    job.max_attempts = ATTEMPTS;
    job.delay_ns = test_random_below(prng, 4) == 0 ? MS : 0;
    CHECK_OK(leat_submit(fixture->engine, &job, &fixture->ids[number]));
}

static void
rounds(struct fixture *fixture, struct test_prng *prng)
{
    uint64_t until_ns = test_now_ns() + test_duration_ns();
    while (test_now_ns() < until_ns) {
        for (uint32_t i = 0; i < JOBS; i++) {
            submit(fixture, prng, i);
        }
        for (uint32_t i = 0; i < JOBS / 8; i++) {
            uint32_t number = test_random_below(prng, JOBS);
            enum leat_status status = leat_cancel(fixture->engine, fixture->ids[number]);
            CHECK(status == LEAT_OK || status == LEAT_RUNNING || status == LEAT_ENDED);
        }
        for (uint32_t i = 0; i < JOBS; i++) {
            struct leat_job_info info = leat_job_info_default();
            CHECK_OK(leat_wait(fixture->engine, fixture->ids[i], TEST_PATIENCE_NS, &info));
            fixture->states[info.state]++;
            CHECK(info.attempts <= ATTEMPTS);
            CHECK_OK(leat_release(fixture->engine, fixture->ids[i]));
        }
        (void)atom_add_rlx(&fixture->rounds, 1);
    }
    atom_store_rel(&fixture->ended, 1);
}

static void
body(void *shared, uint32_t number)
{
    struct fixture *fixture = shared;
    struct test_prng prng = {fixture->seed + number};
    if (number == ROUNDS) {
        rounds(fixture, &prng);
    } else if (number >= CONSUMES) {
        consume(fixture, number);
    }
    while (number == CLOCK && !over(fixture)) {
        test_clock_pass(&fixture->clock, fixture->engine, test_random_below(&prng, 200) * US);
        test_sleep_ns(test_random_below(&prng, 5000));
    }
    while (number == PAUSES && !over(fixture)) {
        CHECK_OK(leat_queue_pause(fixture->engine, fixture->queue));
        CHECK_OK(leat_queue_set_running_max(fixture->engine, fixture->queue,
                                            1 + test_random_below(&prng, 4)));
        CHECK_OK(leat_queue_resume(fixture->engine, fixture->queue));
        test_sleep_ns(test_random_below(&prng, 2000000));
        CHECK_OK(leat_queue_set_running_max(fixture->engine, fixture->queue, 0));
    }
}

static void
stress(uint32_t workers)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct leat_config config = test_config();
    struct leat_queue_options options = leat_queue_options_default();
    CHECK(fixture != NULL);
    fixture->seed = test_seed("stress_pull");
    config.workers = workers;
    test_clock_init(&fixture->clock);
    config.clock = test_clock_of(&fixture->clock);
    config.jobs_max = RECORDS;
    fixture->engine = test_start(&config);
    options.pull = true;
    CHECK_OK(leat_queue_create(fixture->engine, "pull", &options, &fixture->queue));
    test_threads_run(CONSUMES + CONSUMERS, body, fixture);
    struct leat_statistics sum = test_statistics(fixture->engine);
    uint64_t taken = atom_load_rlx(&fixture->taken);
    uint64_t leases = atom_load_rlx(&fixture->leases);
    test_say("stress_pull: %u workers, %lu rounds, %lu leases, %lu answered in time, %lu late, "
             "%lu over, %lu not answered; %lu done, %lu dead, %lu cancelled\n",
             workers, (unsigned long)atom_load_rlx(&fixture->rounds), (unsigned long)leases,
             (unsigned long)taken, (unsigned long)atom_load_rlx(&fixture->stale),
             (unsigned long)sum.jobs_timed_out, (unsigned long)atom_load_rlx(&fixture->died),
             (unsigned long)sum.jobs_completed, (unsigned long)sum.jobs_dead,
             (unsigned long)sum.jobs_cancelled);
    CHECK_EQUAL(sum.jobs_run, leases);
    CHECK_EQUAL(leases, taken + sum.jobs_timed_out);
    CHECK_EQUAL(sum.jobs_completed, fixture->states[LEAT_JOB_COMPLETED]);
    CHECK_EQUAL(sum.jobs_dead, fixture->states[LEAT_JOB_DEAD]);
    CHECK_EQUAL(sum.jobs_cancelled, fixture->states[LEAT_JOB_CANCELLED]);
    CHECK(sum.jobs_timed_out > 0);
    CHECK(taken > 0);
    test_finish(fixture->engine);
    free(fixture);
}

static void
with_a_worker(void **state)
{
    (void)state;
    stress(1);
}

static void
by_consumers_alone(void **state)
{
    (void)state;
    stress(0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_a_worker),
        cmocka_unit_test(by_consumers_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
