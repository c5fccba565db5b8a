/* campaign_pool.c - an engine for as long as you like, whose workers come and go, while threads
 * submit jobs, cancel some, and complete pending ones from outside. Handlers begin groups, spawn
 * into them, cancel some of those, and wait; some fail, some wait for a time. None is lost, none
 * runs twice at the same time, none goes on after its end.
 *
 *   campaign_pool [--seconds N] [--seed S]
 *
 * Without N it is as long as a stress test. The last line says what was counted. Exit status: 0 all
 * right; 1 something was wrong; 2 it cannot run like this. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "ring/atomic.h"
#include "ring/os.h"
#include "tests/support/campaign.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

#define SUBMITTERS  2
#define COMPLETERS  1
#define THREADS     (SUBMITTERS + COMPLETERS + 1)
#define WORKERS_MAX 4
#define TICKETS     4096 /* jobs alive at once, at most; each has one while it lives */
#define SPAWNS      20
#define MS          UINT64_C(1000000)
#define SECONDS_MAX 1000000

/* What becomes of a ticket. */
enum { FREE = 0, ALIVE = 1, RUNNING = 2, PENDING = 3 };

/* Letters: S many threads, by swaps on `state`; O who has it in that state. */
struct ticket {
    leat_atomic_u32 state; /* S */
    leat_atomic_u32 cells; /* S tasks of its group that ran */
    uint32_t attempts;     /* O */
    leat_token token;      /* O */
};

struct campaign {
    struct leat_engine *engine;
    leat_type type;
    uint64_t seed;
    uint64_t deadline_ns;
    leat_atomic_u32 submitting;
    leat_atomic_u64 submitted;
    leat_atomic_u64 ended;     /* by an answer */
    leat_atomic_u64 cancelled; /* before they ran */
    leat_atomic_u64 twice;     /* ran beside themselves */
    leat_atomic_u64 illegal;   /* ran after their end, or a group with too many or too few */
    struct ticket tickets[TICKETS];
};

static void
count(leat_atomic_u64 *counter)
{
    (void)atom_add_rlx(counter, 1);
}

/* ---- handlers -------------------------------------------------------------------------------- */

static void
cell(void *argument)
{
    struct ticket *ticket = argument;
    (void)atom_add_rlx(&ticket->cells, 1);
}

/* A group of its own; every third one is cancelled behind its spawns. */
static void
group_run(struct campaign *campaign, struct ticket *ticket, uint32_t number)
{
    struct leat_group group;
    uint32_t spawns = number % SPAWNS;
    bool cancels = number % 3 == 0;
    atom_store_rlx(&ticket->cells, 0);
    CHECK_OK(leat_group_init(&group, campaign->engine));
    for (uint32_t i = 0; i < spawns; i++) {
        CHECK_OK(leat_group_spawn(&group, cell, ticket));
    }
    if (cancels) {
        CHECK_OK(leat_group_cancel(&group));
    }
    CHECK_OK(leat_group_wait(&group, LEAT_FOREVER));
    uint32_t ran = atom_load_rlx(&ticket->cells);
    if (ran > spawns || (!cancels && ran != spawns)) {
        count(&campaign->illegal);
    }
}

static struct leat_outcome
job_run(struct leat_run *run, void *context)
{
    struct campaign *campaign = context;
    uint32_t number = *(const uint32_t *)leat_run_payload(run, NULL);
    CHECK(number < TICKETS);
    struct ticket *ticket = &campaign->tickets[number];
    uint32_t alive = ALIVE;
    if (!atom_cas_acq_rel(&ticket->state, &alive, RUNNING)) {
        count(alive == RUNNING ? &campaign->twice : &campaign->illegal);
        return leat_fail();
    }
    ticket->attempts++;
    if (number % 4 == 0) {
        group_run(campaign, ticket, number);
    }
    if (number % 4 == 1 && ticket->attempts < 3) {
        atom_store_rel(&ticket->state, ALIVE);
        return number % 8 == 1 ? leat_retry_in(0) : leat_snooze(number % 3 * MS);
    }
    if (number % 4 == 2) {
        ticket->token = leat_run_token(run);
        atom_store_rel(&ticket->state, PENDING);
        return leat_pending();
    }
    count(&campaign->ended);
    atom_store_rel(&ticket->state, FREE);
    return leat_done();
}

/* ---- threads --------------------------------------------------------------------------------- */

static bool
goes_on(const struct campaign *campaign)
{
    return leat_os_monotonic_ns() < campaign->deadline_ns;
}

/* Submits a job for a ticket that is free. False: it is not, or there is no room. */
static bool
submit(struct campaign *campaign, uint32_t number, leat_job_id *id)
{
    struct ticket *ticket = &campaign->tickets[number];
    uint32_t none = FREE;
    if (!atom_cas_acq_rel(&ticket->state, &none, ALIVE)) {
        return false;
    }
    struct leat_job job = leat_job_default();
    job.type = campaign->type;
    job.payload = &number;
    job.payload_bytes = sizeof(number);
    job.priority = number % leat_priority_levels();
    ticket->attempts = 0;
    enum leat_status status = leat_submit(campaign->engine, &job, id);
    CHECK(status == LEAT_OK || status == LEAT_FULL);
    if (status == LEAT_OK) {
        count(&campaign->submitted);
        return true;
    }
    atom_store_rel(&ticket->state, FREE);
    test_sleep_ns(MS / 10);
    return false;
}

/* One that nobody else knows: submitted and cancelled at once. It ends by one of both. */
static void
submit_and_cancel(struct campaign *campaign, uint32_t number)
{
    leat_job_id id = {0};
    if (submit(campaign, number, &id) && leat_cancel(campaign->engine, id) == LEAT_OK) {
        /* It never runs again: the ticket is this thread's. */
        count(&campaign->cancelled);
        atom_store_rel(&campaign->tickets[number].state, FREE);
    }
}

static void
submitter(struct campaign *campaign, uint32_t self)
{
    struct test_prng prng = {campaign->seed + self};
    while (goes_on(campaign)) {
        uint32_t number = test_random_below(&prng, TICKETS);
        /* Only those that always end by an answer may be cancelled while they run. */
        if (number % 4 == 3 && test_random_below(&prng, 2) == 0) {
            submit_and_cancel(campaign, number);
        } else {
            (void)submit(campaign, number, NULL);
        }
    }
    (void)atom_sub_rel(&campaign->submitting, 1);
}

/* Something waits or runs, and there is patience left. */
static bool
unfinished(struct campaign *campaign)
{
    struct leat_statistics sum = test_statistics(campaign->engine);
    uint64_t left = sum.jobs_waiting + sum.jobs_scheduled + sum.jobs_running;
    return (left != 0 || atom_load_acq(&campaign->submitting) != 0) &&
           leat_os_monotonic_ns() < campaign->deadline_ns + TEST_PATIENCE_NS;
}

static void
completer(struct campaign *campaign)
{
    bool more = true;
    while (more) {
        more = unfinished(campaign);
        for (uint32_t i = 2; i < TICKETS; i += 4) {
            struct ticket *ticket = &campaign->tickets[i];
            if (atom_load_acq(&ticket->state) == PENDING) {
                leat_token token = ticket->token;
                count(&campaign->ended);
                atom_store_rel(&ticket->state, FREE);
                CHECK_OK(leat_complete(campaign->engine, token, leat_done(), NULL));
            }
        }
    }
}

static void
resizer(struct campaign *campaign)
{
    struct test_prng prng = {campaign->seed + 99};
    while (goes_on(campaign)) {
        uint32_t workers = 1 + test_random_below(&prng, WORKERS_MAX);
        CHECK_OK(leat_workers_set(campaign->engine, workers));
        test_sleep_ns(test_random_below(&prng, 3) * MS);
    }
}

static void
thread(void *shared, uint32_t number)
{
    if (number < SUBMITTERS) {
        submitter(shared, number);
    } else if (number < SUBMITTERS + COMPLETERS) {
        completer(shared);
    } else {
        resizer(shared);
    }
}

/* ---- all together ---------------------------------------------------------------------------- */

static int
run(uint64_t seconds, uint64_t seed)
{
    struct campaign *campaign = calloc(1, sizeof(*campaign));
    CHECK(campaign != NULL);
    struct leat_config config = test_config();
    config.workers = 2;
    config.workers_max = WORKERS_MAX;
    config.jobs_max = TICKETS + 64;
    config.retained_max = 0;
    config.timer_tick_log2 = 16;
    campaign->seed = seed;
    campaign->engine = test_start(&config);
    campaign->type = test_register(campaign->engine, "job", job_run, campaign);
    uint64_t begin_ns = leat_os_monotonic_ns();
    campaign->deadline_ns = begin_ns + seconds * 1000 * MS;
    atom_init(&campaign->submitting, SUBMITTERS);
    test_threads_run(THREADS, thread, campaign);
    CHECK_OK(leat_drain(campaign->engine, LEAT_FOREVER));
    uint64_t submitted = atom_load_rlx(&campaign->submitted);
    uint64_t ended = atom_load_rlx(&campaign->ended) + atom_load_rlx(&campaign->cancelled);
    uint64_t twice = atom_load_rlx(&campaign->twice);
    uint64_t illegal = atom_load_rlx(&campaign->illegal);
    uint64_t lost = submitted > ended ? submitted - ended : ended - submitted;
    test_close(campaign->engine);
    printf("pool: %" PRIu64 " jobs, %" PRIu64 " cancelled, %" PRIu64 " lost, %" PRIu64
           " run twice, %" PRIu64 " illegal, %.1f s, seed %" PRIu64 "\n",
           submitted, atom_load_rlx(&campaign->cancelled), lost, twice, illegal,
           (double)(leat_os_monotonic_ns() - begin_ns) / 1e9, seed);
    free(campaign);
    return lost + twice + illegal == 0 ? 0 : 1;
}

int
main(int argc, char **argv)
{
    const struct test_campaign asked = {"campaign_pool", "seconds", 2, 0, SECONDS_MAX};
    uint64_t seconds = 0;
    uint64_t seed = 0;
    test_campaign_read(&asked, argc, argv, &seconds, &seed);
    return run(seconds, seed);
}
