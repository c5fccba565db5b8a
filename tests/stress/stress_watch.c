/* stress_watch.c - handlers, snoozes, completions from elsewhere, cancels and watchers with a fast
 * clock meet on the words of jobs. Each attempt that was timed out is followed by another, or is
 * the last; a completion that was taken ends its job; a job is in one handler at a time, and finds
 * its payload as it was. Under ThreadSanitizer, payloads and marks are plain data. Holds I1 and I2
 * of engine/watch.h and its "decided once". */
#include <stdlib.h>
#include <string.h>

#include "engine/engine_internal.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/fake_clock.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

enum { JOBS = 48, WORKERS = 2, ATTEMPTS = 4, THREADS = 4, PAYLOAD_BYTES = 200 };

/* What a job's handler does, by the job's number. */
enum { ANSWERS_DONE, SNOOZES, COMPLETES_ITSELF, COMPLETED_ELSEWHERE, KINDS };

struct job {
    uint32_t inside;               /* plain: attempts in the handler */
    leat_atomic_u64 token_job;     /* of the last attempt that answers pending */
    leat_atomic_u64 token_attempt; /* 0: none */
    leat_job_id id;
};

struct fixture {
    struct leat_engine *engine;
    struct test_clock clock;
    struct job jobs[JOBS];
    leat_atomic_u32 ended;
    leat_atomic_u64 accepted; /* completions */
    leat_type type;
    uint64_t rounds;
    uint64_t seed;
    uint64_t states[LEAT_PHASE_COUNT];
    uint64_t completed_by_token;
};

static void
spin(uint64_t duration_ns)
{
    uint64_t until_ns = test_now_ns() + duration_ns;
    while (test_now_ns() < until_ns) {
    }
}

static void
complete(struct fixture *fixture, leat_token token)
{
    enum leat_status status = leat_complete(fixture->engine, token, leat_done(), NULL);
    if (status == LEAT_OK) {
        (void)atom_add_rlx(&fixture->accepted, 1);
        return;
    }
    CHECK(status == LEAT_STALE || status == LEAT_GONE);
}

/* Long enough, now and then, to be timed out. */
static struct leat_outcome
run(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    size_t bytes = 0;
    const unsigned char *payload = leat_run_payload(run, &bytes);
    struct job *job = &fixture->jobs[payload[0]];
    struct test_prng prng = {leat_run_id(run).bits ^ leat_run_token(run).attempt};
    CHECK_EQUAL(job->inside, 0);
    job->inside++;
    for (size_t i = 1; i < bytes; i++) {
        CHECK_EQUAL(payload[i], (unsigned char)(payload[0] + i));
    }
    if (test_random_below(&prng, 4) == 0) {
        /* With fewer cores than threads, the watcher runs now. */
        test_sleep_ns(test_random_below(&prng, 50000));
    }
    spin(test_random_below(&prng, 20000));
    leat_token token = leat_run_token(run);
    uint32_t kind = payload[0] % KINDS;
    job->inside--;
    if (kind == ANSWERS_DONE) {
        return leat_done();
    }
    if (kind == SNOOZES) {
        return test_random_below(&prng, 2) == 0 ? leat_snooze(1) : leat_done();
    }
    if (kind == COMPLETES_ITSELF) {
        complete(fixture, token);
        /* The watcher may yet come. */
        spin(test_random_below(&prng, 2000));
    } else {
        atom_store_rlx(&job->token_job, token.job);
        atom_store_rel(&job->token_attempt, token.attempt);
    }
    return leat_pending();
}

/* ---- the others ----------------------------------------------------------------------------- */

static bool
over(struct fixture *fixture)
{
    return atom_load_acq(&fixture->ended) != 0;
}

/* Two of them: one is the watcher. */
static void
watch(struct fixture *fixture, struct test_prng *prng)
{
    while (!over(fixture)) {
        uint64_t step_ns = test_random_below(prng, LEAT_TIMEOUT_NS_MIN / 4);
        test_clock_pass(&fixture->clock, fixture->engine, step_ns);
        spin(test_random_below(prng, 2000));
    }
}

static void
complete_all(struct fixture *fixture)
{
    while (!over(fixture)) {
        for (uint32_t i = 0; i < JOBS; i++) {
            struct job *job = &fixture->jobs[i];
            uint64_t attempt = atom_load_acq(&job->token_attempt);
            leat_token token = {atom_load_rlx(&job->token_job), attempt};
            if (attempt != 0) {
                complete(fixture, token);
            }
        }
        spin(500);
    }
}

/* Jobs that the handlers of two rounds cannot mix up: the last one was waited for. */
static void
submit(struct fixture *fixture, struct test_prng *prng, uint32_t number)
{
    static const size_t sizes[] = {8, 16, 60, PAYLOAD_BYTES};
    unsigned char payload[PAYLOAD_BYTES];
    struct leat_job job = leat_job_default();
    for (size_t i = 0; i < sizeof(payload); i++) {
        payload[i] = (unsigned char)(number + i);
    }
    atom_store_rlx(&fixture->jobs[number].token_attempt, 0);
    job.type = fixture->type;
    job.payload = payload;
    job.payload_bytes = sizes[test_random_below(prng, TEST_COUNT_OF(sizes))];
    job.flags = LEAT_JOB_KEEP_RESULT;
    CHECK_OK(leat_submit(fixture->engine, &job, &fixture->jobs[number].id));
}

static void
check_ended(struct fixture *fixture, struct job *job, bool cancelled)
{
    struct leat_job_info info = test_wait(fixture->engine, job->id);
    fixture->states[info.state]++;
    if (info.state == LEAT_JOB_COMPLETED && (job - fixture->jobs) % KINDS >= COMPLETES_ITSELF) {
        fixture->completed_by_token++;
    }
    if (info.state == LEAT_JOB_DEAD) {
        CHECK_EQUAL(info.reason, LEAT_REASON_TIMEOUT);
        CHECK_EQUAL(info.attempts, ATTEMPTS);
    } else if (info.state == LEAT_JOB_CANCELLED) {
        CHECK(cancelled);
    } else {
        CHECK_EQUAL(info.state, LEAT_JOB_COMPLETED);
    }
    CHECK_OK(leat_release(fixture->engine, job->id));
}

static void
rounds(struct fixture *fixture, struct test_prng *prng)
{
    uint64_t until_ns = test_now_ns() + test_duration_ns();
    while (test_now_ns() < until_ns) {
        /* In every other round, so that the others can be counted exactly. */
        bool cancels = fixture->rounds % 2 == 1;
        bool cancelled[JOBS] = {false};
        for (uint32_t i = 0; i < JOBS; i++) {
            submit(fixture, prng, i);
        }
        for (uint32_t i = 0; cancels && i < JOBS / 8; i++) {
            uint32_t number = test_random_below(prng, JOBS);
            cancelled[number] = true;
            enum leat_status status = leat_cancel(fixture->engine, fixture->jobs[number].id);
            CHECK(status == LEAT_OK || status == LEAT_RUNNING || status == LEAT_ENDED);
        }
        for (uint32_t i = 0; i < JOBS; i++) {
            check_ended(fixture, &fixture->jobs[i], cancelled[i]);
        }
        fixture->rounds++;
    }
    atom_store_rel(&fixture->ended, 1);
}

static void
body(void *shared, uint32_t number)
{
    struct fixture *fixture = shared;
    struct test_prng prng = {fixture->seed + number};
    if (number == 0) {
        rounds(fixture, &prng);
    } else if (number <= 2) {
        watch(fixture, &prng);
    } else {
        complete_all(fixture);
    }
}

static void
words_decide_once(void **state)
{
    (void)state;
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct leat_config config = test_config();
    struct leat_type_options options = leat_type_options_default();
    const struct leat_retry_policy at_once = leat_retry_fixed(0);
    CHECK(fixture != NULL);
    fixture->seed = test_seed("stress_watch");
    config.workers = WORKERS;
    test_clock_init(&fixture->clock);
    config.clock = test_clock_of(&fixture->clock);
    config.jobs_max = 256;
    fixture->engine = test_start(&config);
    options.timeout_ns = LEAT_TIMEOUT_NS_MIN;
    options.max_attempts = ATTEMPTS;
    options.retry = &at_once;
    CHECK_OK(leat_type_register(fixture->engine, "run", run, fixture, &options, &fixture->type));
    test_threads_run(THREADS, body, fixture);
    CHECK_OK(leat_drain(fixture->engine, TEST_PATIENCE_NS));
    struct leat_statistics sum = test_statistics(fixture->engine);
    test_say("stress_watch: %lu rounds, %lu timed out, %lu stuck, %lu completed, %lu dead, "
             "%lu cancelled\n",
             (unsigned long)fixture->rounds, (unsigned long)sum.jobs_timed_out,
             (unsigned long)sum.jobs_stuck, (unsigned long)sum.jobs_completed,
             (unsigned long)sum.jobs_dead, (unsigned long)sum.jobs_cancelled);
    CHECK_EQUAL(sum.jobs_completed, fixture->states[LEAT_JOB_COMPLETED]);
    CHECK_EQUAL(sum.jobs_dead, fixture->states[LEAT_JOB_DEAD]);
    CHECK_EQUAL(sum.jobs_cancelled, fixture->states[LEAT_JOB_CANCELLED]);
    CHECK_EQUAL(fixture->completed_by_token, atom_load_rlx(&fixture->accepted));
    CHECK(sum.jobs_stuck <= sum.jobs_run);
    /* Whoever failed was timed out, and the other way round, but for who was cancelled as well. */
    CHECK(sum.jobs_timed_out >= sum.jobs_retried + sum.jobs_dead);
    CHECK(sum.jobs_timed_out <= sum.jobs_retried + sum.jobs_dead + sum.jobs_cancelled);
    CHECK(sum.jobs_timed_out > 0);
    test_finish(fixture->engine);
    free(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_decide_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
