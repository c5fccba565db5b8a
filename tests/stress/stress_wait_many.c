/* stress_wait_many.c - threads wait for all or any of sets of jobs, while these run, are cancelled,
 * fail and come back, and other threads wait for one of them. Nothing is retained: each answer
 * comes from a hold. A wake-up that is lost is a wait that runs out of time. What a job left in
 * plain memory before its end is there for who was told of it, which ThreadSanitizer sees. Holds I1
 * of engine/crowd.h. */
#include <stdlib.h>
#include <string.h>

#include "ring/atomic.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

enum { WAITERS = 4, SET_MAX = 24 };

struct waiter {
    uint32_t results[SET_MAX]; /* plain: written by the jobs */
    leat_job_id ids[SET_MAX];
    enum leat_status statuses[SET_MAX];
    struct leat_job_info infos[SET_MAX];
    uint64_t sets;
    uint64_t slept; /* sets with a job that had not ended when the wait began */
};

struct fixture {
    struct leat_engine *engine;
    leat_type type;
    struct waiter waiters[WAITERS];
    uint64_t seed;
};

struct payload {
    uint32_t *result;
    uint32_t number;
    uint32_t kind;
};

static struct leat_outcome
run(struct leat_run *run, void *context)
{
    const struct payload *payload = leat_run_payload(run, NULL);
    (void)context;
    if (payload->kind == 0 && leat_run_attempt(run) == 1) {
        return leat_retry_in(1000);
    }
    if (payload->kind == 1) {
        test_sleep_ns(payload->number * UINT64_C(3000));
    }
    *payload->result = payload->number + 1;
    return payload->kind == 2 ? leat_fail() : leat_done();
}

static uint32_t
submit_set(struct fixture *fixture, struct waiter *waiter, struct test_prng *prng)
{
    uint32_t count = 1 + test_random_below(prng, SET_MAX);
    for (uint32_t i = 0; i < count; i++) {
        struct payload payload = {&waiter->results[i], i, test_random_below(prng, 6)};
        struct leat_job job = leat_job_default();
        job.type = fixture->type;
        job.payload = &payload;
        job.payload_bytes = sizeof(payload);
        job.delay_ns = payload.kind == 3 ? test_random_below(prng, 1000000) : 0;
        waiter->results[i] = 0;
        CHECK_OK(leat_submit(fixture->engine, &job, &waiter->ids[i]));
    }
    return count;
}

static void
ended_check(const struct waiter *waiter, uint32_t at)
{
    const struct leat_job_info *info = &waiter->infos[at];
    enum leat_status status = waiter->statuses[at];
    CHECK(status == LEAT_OK || status == LEAT_GONE);
    if (status == LEAT_OK && info->state != LEAT_JOB_CANCELLED) {
        CHECK(info->state == LEAT_JOB_COMPLETED || info->state == LEAT_JOB_DEAD);
        CHECK(waiter->results[at] != 0);
    }
}

static size_t
wait_set(struct fixture *fixture, struct waiter *waiter, size_t count, enum leat_wait_mode mode)
{
    struct leat_wait_set set = leat_wait_set_default();
    size_t which = SIZE_MAX;
    waiter->infos[0] = leat_job_info_default();
    set.ids = waiter->ids;
    set.count = count;
    set.mode = mode;
    set.statuses = waiter->statuses;
    set.infos = waiter->infos;
    set.timeout_ns = 0;
    enum leat_status status = leat_wait_many(fixture->engine, &set, &which);
    CHECK(status == LEAT_OK || status == LEAT_TIMEOUT);
    waiter->slept += status == LEAT_TIMEOUT ? 1 : 0;
    set.timeout_ns = TEST_PATIENCE_NS;
    uint64_t begin_ns = test_now_ns();
    CHECK_OK(leat_wait_many(fixture->engine, &set, &which));
    /* Whoever sleeps through an end finds it at its deadline. */
    CHECK(test_now_ns() - begin_ns < TEST_PATIENCE_NS / 2);
    return which;
}

/* One after the other, as they end. */
static void
wait_any(struct fixture *fixture, struct waiter *waiter, size_t count)
{
    while (count > 0) {
        size_t which = wait_set(fixture, waiter, count, LEAT_WAIT_ANY);
        CHECK(which < count);
        ended_check(waiter, (uint32_t)which);
        count--;
        waiter->ids[which] = waiter->ids[count];
        waiter->results[which] = 1; /* of a job that is not asked any more */
    }
}

static void
wait_all(struct fixture *fixture, struct waiter *waiter, size_t count)
{
    CHECK_EQUAL(wait_set(fixture, waiter, count, LEAT_WAIT_ALL), count);
    for (uint32_t i = 0; i < count; i++) {
        ended_check(waiter, i);
    }
}

static void
body(void *shared, uint32_t number)
{
    struct fixture *fixture = shared;
    struct waiter *waiter = &fixture->waiters[number];
    struct test_prng prng = {fixture->seed + number};
    uint64_t until_ns = test_now_ns() + test_duration_ns();
    while (test_now_ns() < until_ns) {
        uint32_t count = submit_set(fixture, waiter, &prng);
        CHECK(count > 0);
        if (test_random_below(&prng, 2) == 0) {
            enum leat_status status =
                leat_cancel(fixture->engine, waiter->ids[test_random_below(&prng, count)]);
            CHECK(status != LEAT_NOT_FOUND);
        }
        if (test_random_below(&prng, 2) == 0) {
            /* Results of jobs that are not asked are others' by then. */
            memset(waiter->statuses, 0, sizeof(waiter->statuses));
            wait_all(fixture, waiter, count);
        } else {
            wait_any(fixture, waiter, count);
        }
        waiter->sets++;
    }
}

static void
no_wake_up_is_lost(void **state)
{
    (void)state;
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct leat_config config = test_config();
    CHECK(fixture != NULL);
    fixture->seed = test_seed("stress_wait_many");
    config.workers = 2;
    config.jobs_max = 1024;
    config.retained_max = 0;
    config.dead_max = 0;
    fixture->engine = test_open(&config);
    fixture->type = test_register(fixture->engine, "run", run, fixture);
    CHECK_OK(leat_start(fixture->engine));
    test_threads_run(WAITERS, body, fixture);
    uint64_t sets = 0;
    uint64_t slept = 0;
    for (uint32_t i = 0; i < WAITERS; i++) {
        sets += fixture->waiters[i].sets;
        slept += fixture->waiters[i].slept;
    }
    test_say("stress_wait_many: %lu sets, %lu waits\n", (unsigned long)sets, (unsigned long)slept);
    CHECK(slept > 0);
    test_finish(fixture->engine);
    free(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_wake_up_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
