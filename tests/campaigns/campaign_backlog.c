/* campaign_backlog.c - millions of jobs behind rings of 64 slots, on all priorities and several
 * queues, while retries, snoozes and delays come due all the time. Each of them runs as often as it
 * asks for and no more, none before its time; those without a delay begin, first attempts, in the
 * order in which their thread submitted them to their queue and priority.
 *
 *   campaign_backlog [--jobs N] [--seed S]
 *
 * The last line says what was counted. Exit status: 0 all right; 1 something was wrong; 2 it cannot
 * run like this. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/limits.h"
#include "ring/os.h"
#include "tests/support/campaign.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

#define SUBMITTERS 2
#define QUEUES     4
#define SLOTS      64
#define LEVELS_MAX 16
#define LEAST      (UINT64_C(1) * SLOTS * LEVELS_MAX * QUEUES)
#define JOBS       (25 * LEAST)
#define DELAY_NS   UINT64_C(2000000000)
#define RETRY_NS   UINT64_C(50000000)
#define RUNS_MAX   3

/* What job `number` is: a function of the seed alone. */
struct plan {
    uint32_t submitter;
    uint32_t queue;
    uint32_t level;
    uint32_t runs; /* that it asks for */
    uint64_t delay_ns;
    uint64_t again_ns; /* until its next run */
    bool snoozes;
};

/* Written by one thread: the worker. */
struct campaign {
    struct leat_engine *engine;
    leat_type type;
    leat_queue queues[QUEUES];
    uint64_t jobs;
    uint64_t seed;
    uint8_t *runs;    /* by number */
    uint64_t *due_ns; /* by number: not before; written by the submitter at first */
    uint64_t ended;
    uint64_t again;      /* runs behind the first ones */
    uint64_t wrong_runs; /* more than it asked for */
    uint64_t early;
    uint64_t disordered;
    uint64_t last[SUBMITTERS][QUEUES][LEVELS_MAX]; /* number + 1 of the last that began */
};

static struct plan
plan_of(const struct campaign *campaign, uint64_t number)
{
    struct test_prng prng = {campaign->seed ^ (number + 1) * UINT64_C(0x9e3779b97f4a7c15)};
    struct plan plan = {.submitter = (uint32_t)(number % SUBMITTERS), .runs = 1};
    plan.queue = test_random_below(&prng, QUEUES);
    plan.level = test_random_below(&prng, leat_priority_levels());
    uint32_t kind = test_random_below(&prng, 10);
    if (kind == 0) {
        plan.delay_ns = test_random(&prng) % DELAY_NS;
    } else if (kind == 1) {
        plan.runs = 2 + test_random_below(&prng, RUNS_MAX - 1);
        plan.again_ns = test_random(&prng) % RETRY_NS;
        plan.snoozes = test_random_below(&prng, 2) == 0;
    }
    return plan;
}

static void
order_check(struct campaign *campaign, const struct plan *plan, uint64_t number)
{
    uint64_t *last = &campaign->last[plan->submitter][plan->queue][plan->level];
    campaign->disordered += *last > number ? 1 : 0;
    *last = number + 1;
}

static struct leat_outcome
job_run(struct leat_run *run, void *context)
{
    struct campaign *campaign = context;
    uint64_t number = *(const uint64_t *)leat_run_payload(run, NULL);
    CHECK(number < campaign->jobs);
    struct plan plan = plan_of(campaign, number);
    uint64_t now_ns = leat_os_boot_ns();
    uint32_t runs = ++campaign->runs[number];
    campaign->early += now_ns < campaign->due_ns[number] ? 1 : 0;
    campaign->wrong_runs += runs > plan.runs ? 1 : 0;
    if (runs == 1 && plan.delay_ns == 0) {
        order_check(campaign, &plan, number);
    }
    if (runs < plan.runs) {
        campaign->again++;
        campaign->due_ns[number] = now_ns + plan.again_ns;
        return plan.snoozes ? leat_snooze(plan.again_ns) : leat_retry_in(plan.again_ns);
    }
    campaign->ended++;
    return leat_done();
}

static void
submitter(void *shared, uint32_t self)
{
    struct campaign *campaign = shared;
    for (uint64_t number = self; number < campaign->jobs; number += SUBMITTERS) {
        struct plan plan = plan_of(campaign, number);
        struct leat_job job = leat_job_default();
        job.type = campaign->type;
        job.queue = campaign->queues[plan.queue];
        job.priority = plan.level;
        job.payload = &number;
        job.payload_bytes = sizeof(number);
        job.delay_ns = plan.delay_ns;
        job.max_attempts = RUNS_MAX;
        campaign->due_ns[number] = leat_os_boot_ns() + plan.delay_ns;
        CHECK_OK(leat_submit(campaign->engine, &job, NULL));
    }
}

/* Waits for those, too, that are not due yet, or again, which a drain leaves. */
static void
end_wait(struct campaign *campaign)
{
    struct leat_statistics sum = test_statistics(campaign->engine);
    uint64_t last_ns = leat_os_monotonic_ns();
    uint64_t ended = 0;
    while (sum.jobs_completed != campaign->jobs &&
           leat_os_monotonic_ns() < last_ns + TEST_PATIENCE_NS) {
        test_sleep_ns(TEST_MS);
        sum = test_statistics(campaign->engine);
        last_ns = sum.jobs_completed == ended ? last_ns : leat_os_monotonic_ns();
        ended = sum.jobs_completed;
    }
    /* Nothing is left; or it is lost, and said to be. */
    enum leat_status drained = leat_drain(campaign->engine, TEST_PATIENCE_NS);
    CHECK(drained == LEAT_OK || drained == LEAT_TIMEOUT);
    CHECK_OK(leat_stop(campaign->engine, LEAT_FOREVER));
}

static void
engine_open(struct campaign *campaign)
{
    static const char *const names[QUEUES] = {"a", "b", "c", "d"};
    struct leat_config config = test_config();
    config.workers = 1; /* then the order is exact */
    config.ring_slots = SLOTS;
    config.jobs_max = (uint32_t)campaign->jobs;
    config.retained_max = 0;
    campaign->engine = test_open(&config);
    campaign->type = test_register(campaign->engine, "job", job_run, campaign);
    for (uint32_t i = 0; i < QUEUES; i++) {
        CHECK_OK(leat_queue_create(campaign->engine, names[i], NULL, &campaign->queues[i]));
    }
}

static int
run(uint64_t jobs, uint64_t seed)
{
    static struct campaign campaign;
    campaign.jobs = jobs;
    campaign.seed = seed;
    campaign.runs = calloc(jobs, sizeof(*campaign.runs));
    campaign.due_ns = calloc(jobs, sizeof(*campaign.due_ns));
    CHECK(campaign.runs != NULL && campaign.due_ns != NULL);
    engine_open(&campaign);
    uint64_t begin_ns = leat_os_monotonic_ns();
    test_threads_run(SUBMITTERS, submitter, &campaign);
    uint64_t submitted_ns = leat_os_monotonic_ns();
    CHECK_OK(leat_start(campaign.engine));
    end_wait(&campaign);
    uint64_t end_ns = leat_os_monotonic_ns();
    uint64_t lost = jobs - campaign.ended;
    test_close(campaign.engine);
    printf("backlog: %" PRIu64 " jobs, %" PRIu64 " runs again, %" PRIu64 " lost, %" PRIu64
           " run too often, %" PRIu64 " early, %" PRIu64 " out of order, %.1f s and %.1f s, seed"
           " %" PRIu64 "\n",
           jobs, campaign.again, lost, campaign.wrong_runs, campaign.early, campaign.disordered,
           (double)(submitted_ns - begin_ns) / 1e9, (double)(end_ns - submitted_ns) / 1e9, seed);
    free(campaign.runs);
    free(campaign.due_ns);
    return lost + campaign.wrong_runs + campaign.early + campaign.disordered == 0 ? 0 : 1;
}

int
main(int argc, char **argv)
{
    const struct test_campaign asked = {"campaign_backlog", "jobs", JOBS, LEAST, LEAT_RECORDS_MAX};
    uint64_t jobs = 0;
    uint64_t seed = 0;
    test_campaign_read(&asked, argc, argv, &jobs, &seed);
    return run(jobs, seed);
}
