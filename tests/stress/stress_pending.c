/* stress_pending.c - attempts that are pending for a time: the end of that time, completions from
 * two foreign threads and from the handlers themselves, extensions, cancels, and timers that are
 * not armed yet when the completion comes, meet on the words of jobs; the clock is fast. Each run
 * ends once, by a completion that was taken or by its time: as many of both as there were runs.
 * None is over before the time that an extension promised. A job is in one handler at a time, and
 * finds its payload as it was. Under ThreadSanitizer, payloads and marks are plain data. Holds I1,
 * I2, "decided once" and "whose record" of engine/pending.h. */
#include <stdlib.h>
#include <string.h>

#include "engine/engine_internal.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/fake_clock.h"
#include "tests/support/preempt.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

#define US UINT64_C(1000)
#define MS UINT64_C(1000000)

enum { JOBS = 48, WORKERS = 2, ATTEMPTS = 5, RUNS_MAX = 16, PAYLOAD_BYTES = 200 };
/* Threads by number; the clock has two, and the others are lent where there are no workers. */
enum { ROUNDS, COMPLETES, COMPLETES_TOO, EXTENDS, HELPERS, LENT = HELPERS + 2 };

/* One run of one job. */
struct run {
    leat_atomic_u32 taken;    /* completions that were */
    leat_atomic_u64 promised; /* until when it has time, by the clock */
    uint64_t began_ns;        /* plain */
};

struct job {
    uint32_t inside;               /* plain: runs in the handler */
    leat_atomic_u64 token_job;     /* of the last run */
    leat_atomic_u64 token_attempt; /* 0: none */
    struct run runs[RUNS_MAX + 2];
    leat_job_id id;
};

struct fixture {
    struct leat_engine *engine;
    struct test_clock clock;
    struct job jobs[JOBS];
    leat_atomic_u32 ended;
    leat_atomic_u32 round;
    leat_atomic_u32 seen[HELPERS]; /* round in which a pass over all jobs began */
    leat_atomic_u64 taken;
    leat_atomic_u64 stale;
    leat_atomic_u64 extended;
    leat_atomic_u64 too_late; /* to be extended */
    leat_type type;
    uint64_t seed;
    uint64_t stops;
    uint64_t states[LEAT_PHASE_COUNT];
};

static uint64_t
now(struct fixture *fixture)
{
    return atom_load_acq(&fixture->clock.boot);
}

static void
spin(uint64_t duration_ns)
{
    uint64_t until_ns = test_now_ns() + duration_ns;
    while (test_now_ns() < until_ns) {
    }
}

/* ---- completions ---------------------------------------------------------------------------- */

static struct leat_outcome
outcome_of(struct test_prng *prng, uint64_t number)
{
    switch (number < RUNS_MAX / 2 ? test_random_below(prng, 8) : 0) {
    case 1:
    case 2:
        return leat_retry_in(0);
    case 3:
        return leat_retry_in(test_random_below(prng, 4) * MS);
    case 4:
        return leat_snooze(test_random_below(prng, 4) * MS);
    case 5:
        return leat_fail();
    case 6:
        return leat_retry();
    default:
        return leat_done();
    }
}

static void
complete(struct fixture *fixture, struct job *job, leat_token token, struct test_prng *prng)
{
    const char *text = test_random_below(prng, 8) == 0 ? "text" : NULL;
    struct leat_outcome outcome = outcome_of(prng, token.attempt);
    enum leat_status status = leat_complete(fixture->engine, token, outcome, text);
    if (status == LEAT_OK) {
        (void)atom_add_rlx(&fixture->taken, 1);
        (void)atom_add_rlx(&job->runs[token.attempt].taken, 1);
        return;
    }
    if (status == LEAT_STALE) {
        (void)atom_add_rlx(&fixture->stale, 1);
        return;
    }
    CHECK(status == LEAT_GONE || status == LEAT_BUSY);
}

static void
extend(struct fixture *fixture, struct job *job, leat_token token, struct test_prng *prng)
{
    uint64_t more_ns = test_random_below(prng, 8) * MS;
    uint64_t promised_ns = now(fixture) + more_ns;
    enum leat_status status = leat_pending_extend(fixture->engine, token, more_ns);
    if (status != LEAT_OK) {
        CHECK(status == LEAT_STALE || status == LEAT_GONE || status == LEAT_WRONG_STATE);
        (void)atom_add_rlx(&fixture->too_late, status == LEAT_STALE ? 1 : 0);
        return;
    }
    (void)atom_add_rlx(&fixture->extended, 1);
    leat_atomic_u64 *promised = &job->runs[token.attempt].promised;
    if (atom_load_rlx(promised) < promised_ns) {
        atom_store_rlx(promised, promised_ns);
    }
}

static void
pass_over(struct fixture *fixture, uint32_t number, struct test_prng *prng)
{
    for (uint32_t i = 0; i < JOBS; i++) {
        struct job *job = &fixture->jobs[i];
        uint64_t attempt = atom_load_acq(&job->token_attempt);
        leat_token token = {atom_load_rlx(&job->token_job), attempt};
        if (attempt == 0 || test_random_below(prng, 4) == 0) {
            continue;
        }
        if (number == EXTENDS && test_random_below(prng, 16) == 0) {
            extend(fixture, job, token, prng);
        } else if (number != EXTENDS && (i % 3 != 0 || test_random_below(prng, 16) == 0)) {
            complete(fixture, job, token, prng);
        }
    }
}

static bool
over(struct fixture *fixture)
{
    return atom_load_acq(&fixture->ended) != 0;
}

static void
help(struct fixture *fixture, uint32_t number, struct test_prng *prng)
{
    while (!over(fixture)) {
        uint32_t round = atom_load_acq(&fixture->round);
        atom_store_rel(&fixture->seen[number], round);
        preempt_here = 1;
        pass_over(fixture, number, prng);
        preempt_here = 0;
        test_sleep_ns(test_random_below(prng, 20000));
    }
}

static void
tick(struct fixture *fixture, struct test_prng *prng)
{
    while (!over(fixture)) {
        test_clock_pass(&fixture->clock, fixture->engine, test_random_below(prng, 200) * US);
        test_sleep_ns(test_random_below(prng, 5000));
    }
}

/* A worker that may be stopped between any two steps. */
static void
lend(struct fixture *fixture)
{
    while (!over(fixture)) {
        preempt_here = 1;
        enum leat_status status = leat_run_some(fixture->engine, 8, NULL);
        preempt_here = 0;
        CHECK(status == LEAT_OK || status == LEAT_EMPTY);
        if (status == LEAT_EMPTY) {
            test_sleep_ns(1000);
        }
    }
}

/* ---- handlers ------------------------------------------------------------------------------- */

static struct leat_outcome
run(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    size_t bytes = 0;
    const unsigned char *payload = leat_run_payload(run, &bytes);
    struct job *job = &fixture->jobs[payload[0]];
    leat_token token = leat_run_token(run);
    struct test_prng prng = {token.job ^ token.attempt * 7919};
    CHECK(token.attempt <= RUNS_MAX);
    CHECK_EQUAL(job->inside, 0);
    job->inside++;
    for (size_t i = 1; i < bytes; i++) {
        CHECK_EQUAL(payload[i], (unsigned char)(payload[0] + i));
    }
    job->runs[token.attempt].began_ns = now(fixture);
    atom_store_rlx(&job->token_job, token.job);
    atom_store_rel(&job->token_attempt, token.attempt);
    uint32_t kind = test_random_below(&prng, 8);
    if (kind == 0) {
        test_sleep_ns(test_random_below(&prng, 50000));
    } else {
        spin(test_random_below(&prng, 5000));
    }
    if (kind == 1) {
        complete(fixture, job, token, &prng);
    }
    job->inside--;
    /* A run that nobody completes must end by its time; the others may have more than the clock
     * has, so that what is armed by that time, and not by the next one, is not found. */
    uint64_t time_ns = test_random_below(&prng, 3) * MS / 2;
    if (kind >= 4 && payload[0] % 3 != 0) {
        return kind == 4 ? leat_pending() : leat_pending_for(LEAT_FOREVER);
    }
    return leat_pending_for(time_ns);
}

/* ---- rounds --------------------------------------------------------------------------------- */

static void
submit(struct fixture *fixture, struct test_prng *prng, uint32_t number)
{
    static const size_t sizes[] = {8, 16, 60, PAYLOAD_BYTES};
    unsigned char payload[PAYLOAD_BYTES];
    struct leat_job job = leat_job_default();
    struct job *slot = &fixture->jobs[number];
    for (size_t i = 0; i < sizeof(payload); i++) {
        payload[i] = (unsigned char)(number + i);
    }
    memset(slot->runs, 0, sizeof(slot->runs));
    job.type = fixture->type;
    job.payload = payload;
    job.payload_bytes = sizes[test_random_below(prng, TEST_COUNT_OF(sizes))];
    job.flags = LEAT_JOB_KEEP_RESULT;
    job.delay_ns = test_random_below(prng, 4) == 0 ? MS : 0;
    CHECK_OK(leat_submit(fixture->engine, &job, &slot->id));
}

/* pre: nobody is at the jobs of this round any more. */
static void
check_runs(const struct job *job, struct leat_job_info *info, uint64_t now_ns)
{
    for (uint32_t i = 1; job->runs[i].began_ns != 0; i++) {
        const struct run *run = &job->runs[i];
        uint64_t next_ns = job->runs[i + 1].began_ns;
        uint32_t taken = atom_load_rlx(&run->taken);
        CHECK(taken <= 1);
        CHECK(taken == 1 || (next_ns == 0 ? now_ns : next_ns) >= atom_load_rlx(&run->promised));
        CHECK(next_ns != 0 || taken == 1 || info->state != LEAT_JOB_COMPLETED);
    }
}

static void
round_end(struct fixture *fixture)
{
    static struct leat_job_info infos[JOBS];
    for (uint32_t i = 0; i < JOBS; i++) {
        infos[i] = test_wait(fixture->engine, fixture->jobs[i].id);
        fixture->states[infos[i].state]++;
        CHECK_OK(leat_release(fixture->engine, fixture->jobs[i].id));
    }
    uint64_t now_ns = now(fixture);
    for (uint32_t i = 0; i < JOBS; i++) {
        atom_store_rlx(&fixture->jobs[i].token_attempt, 0);
    }
    uint32_t round = atom_load_rlx(&fixture->round) + 1;
    atom_store_rel(&fixture->round, round);
    for (uint32_t i = COMPLETES; i < HELPERS; i++) {
        uint64_t deadline_ns = test_now_ns() + TEST_PATIENCE_NS;
        while (atom_load_acq(&fixture->seen[i]) != round) {
            CHECK(test_now_ns() < deadline_ns);
            test_sleep_ns(1000);
        }
    }
    for (uint32_t i = 0; i < JOBS; i++) {
        check_runs(&fixture->jobs[i], &infos[i], now_ns);
    }
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
            enum leat_status status = leat_cancel(fixture->engine, fixture->jobs[number].id);
            CHECK(status == LEAT_OK || status == LEAT_RUNNING || status == LEAT_ENDED);
            spin(test_random_below(prng, 20000));
        }
        round_end(fixture);
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
    } else if (number < HELPERS) {
        help(fixture, number, &prng);
    } else if (number < LENT) {
        tick(fixture, &prng);
    } else {
        lend(fixture);
    }
}

static void
check_sums(struct fixture *fixture)
{
    struct leat_statistics sum = test_statistics(fixture->engine);
    uint64_t taken = atom_load_rlx(&fixture->taken);
    test_say("stress_pending: %lu rounds, %lu runs, %lu completed in time, %lu timed out, %lu "
             "extended, %lu and %lu too late; %lu done, %lu dead, %lu cancelled, %lu stops\n",
             (unsigned long)atom_load_rlx(&fixture->round), (unsigned long)sum.jobs_run,
             (unsigned long)taken, (unsigned long)sum.jobs_timed_out,
             (unsigned long)atom_load_rlx(&fixture->extended),
             (unsigned long)atom_load_rlx(&fixture->stale),
             (unsigned long)atom_load_rlx(&fixture->too_late), (unsigned long)sum.jobs_completed,
             (unsigned long)sum.jobs_dead, (unsigned long)sum.jobs_cancelled,
             (unsigned long)fixture->stops);
    CHECK_EQUAL(sum.jobs_run, taken + sum.jobs_timed_out);
    CHECK_EQUAL(sum.jobs_completed, fixture->states[LEAT_JOB_COMPLETED]);
    CHECK_EQUAL(sum.jobs_dead, fixture->states[LEAT_JOB_DEAD]);
    CHECK_EQUAL(sum.jobs_cancelled, fixture->states[LEAT_JOB_CANCELLED]);
    CHECK(sum.jobs_timed_out > 0);
    CHECK(taken > 0);
    CHECK(atom_load_rlx(&fixture->extended) > 0);
}

static void
stress(uint32_t workers)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct leat_config config = test_config();
    struct leat_type_options options = leat_type_options_default();
    const struct leat_retry_policy policy = leat_retry_fixed(0);
    CHECK(fixture != NULL);
    fixture->seed = test_seed("stress_pending");
    config.workers = workers;
    config.lenders_max = WORKERS;
    test_clock_init(&fixture->clock);
    config.clock = test_clock_of(&fixture->clock);
    config.jobs_max = 256;
    fixture->engine = test_start(&config);
    options.timeout_ns = 0;
    options.max_attempts = ATTEMPTS;
    options.retry = &policy;
    CHECK_OK(leat_type_register(fixture->engine, "run", run, fixture, &options, &fixture->type));
    if (workers == 0) {
        fixture->stops = preempt_run(LENT + WORKERS, body, fixture, fixture->seed);
    } else {
        test_threads_run(LENT, body, fixture);
    }
    CHECK_OK(leat_drain(fixture->engine, TEST_PATIENCE_NS));
    check_sums(fixture);
    test_finish(fixture->engine);
    free(fixture);
}

static void
each_run_ends_once(void **state)
{
    (void)state;
    stress(WORKERS);
}

/* Threads are lent, and stopped between any two instructions, as are those that complete and
 * extend: so timers are armed late, and tokens used late. */
static void
by_threads_that_stop(void **state)
{
    (void)state;
    preempt_init();
    stress(0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_run_ends_once),
        cmocka_unit_test(by_threads_that_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
