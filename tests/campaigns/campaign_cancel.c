/* campaign_cancel.c - jobs that are cancelled where nobody takes them: in a queue that is paused,
 * and on a wheel, due in a year. Their room comes back at once; their records soon, but for few.
 *
 *   campaign_cancel [--jobs N] [--seed S]
 *
 * The last line says what was counted. Exit status: 0 all right; 1 something was wrong; 2 it cannot
 * run like this. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/engine_internal.h"
#include "ring/os.h"
#include "tests/support/campaign.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

#define YEAR_NS (UINT64_C(365) * 24 * 3600 * 1000000000)
#define LEAST   10000
#define JOBS    100000
#define ROUNDS  3
/* Stay where they are, however many are cancelled: in the list of the queue, in that of the type,
 * and on the wheel. */
#define STAY (2 * LEAT_ZOMBIES_MIN + LEAT_TIMERS_OFF)

struct campaign {
    struct leat_engine *engine;
    leat_type type;
    leat_queue queue;
    leat_job_id *ids;
    uint32_t jobs;
    uint64_t ran;
    uint64_t wrong;
    uint64_t back_ns; /* the longest it took */
};

static struct leat_outcome
job_run(struct leat_run *run, void *context)
{
    struct campaign *campaign = context;
    (void)run;
    campaign->ran++;
    return leat_done();
}

static enum leat_status
submit(struct campaign *campaign, uint32_t number)
{
    struct leat_job job = leat_job_default();
    job.type = campaign->type;
    job.queue = campaign->queue;
    job.delay_ns = number % 2 == 0 ? 0 : YEAR_NS;
    return leat_submit(campaign->engine, &job, &campaign->ids[number]);
}

/* As many as there are records, but for those that stay. */
static void
fill(struct campaign *campaign, uint32_t jobs)
{
    for (uint32_t i = 0; i < jobs; i++) {
        CHECK_OK(submit(campaign, i));
    }
}

/* Records in use at most STAY. With others beside them more may stay. */
static bool
are_back(void *argument)
{
    const struct campaign *campaign = argument;
    const struct leat_slab *jobs = &campaign->engine->jobs;
    uint32_t in_use = 0;
    for (uint32_t i = leat_slab_next(jobs, 0); i < jobs->capacity;
         i = leat_slab_next(jobs, i + 1)) {
        uint64_t word = atom_load_rlx(leat_slab_word(jobs, i)); /* rlx: statistic */
        in_use += (uint32_t)(leat_word_generation(word) & 1);
    }
    return in_use <= STAY;
}

static void
cancel(struct campaign *campaign, uint32_t jobs, struct test_prng *prng)
{
    /* In no order. */
    for (uint32_t i = jobs - 1; i > 0; i--) {
        uint32_t other = test_random_below(prng, i + 1);
        leat_job_id id = campaign->ids[i];
        campaign->ids[i] = campaign->ids[other];
        campaign->ids[other] = id;
    }
    for (uint32_t i = 0; i < jobs; i++) {
        CHECK_OK(leat_cancel(campaign->engine, campaign->ids[i]));
    }
    struct leat_statistics sum = test_statistics(campaign->engine);
    campaign->wrong += sum.jobs_waiting + sum.jobs_scheduled;
    uint64_t begin_ns = leat_os_monotonic_ns();
    CHECK(test_until(are_back, campaign));
    uint64_t took_ns = leat_os_monotonic_ns() - begin_ns;
    campaign->back_ns = took_ns > campaign->back_ns ? took_ns : campaign->back_ns;
}

static int
run(uint32_t jobs, uint64_t seed)
{
    struct campaign campaign = {.jobs = jobs};
    struct test_prng prng = {seed};
    struct leat_config config = test_config();
    struct leat_queue_options options = leat_queue_options_default();
    campaign.ids = calloc(jobs, sizeof(*campaign.ids));
    CHECK(campaign.ids != NULL);
    config.jobs_max = jobs;
    config.retained_max = 0;
    options.waiting_max = jobs / 2;
    campaign.engine = test_start(&config);
    campaign.type = test_register(campaign.engine, "job", job_run, &campaign);
    CHECK_OK(leat_queue_create(campaign.engine, "paused", &options, &campaign.queue));
    CHECK_OK(leat_queue_pause(campaign.engine, campaign.queue));
    CHECK(jobs >= LEAST);
    uint32_t most = jobs - STAY;
    fill(&campaign, most);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        cancel(&campaign, most, &prng);
        fill(&campaign, most);
    }
    cancel(&campaign, most, &prng);
    CHECK_OK(leat_queue_resume(campaign.engine, campaign.queue));
    CHECK_OK(leat_drain(campaign.engine, LEAT_FOREVER));
    test_close(campaign.engine);
    printf("cancel: %" PRIu32 " jobs cancelled %d times, back in %.1f ms at most, %" PRIu64
           " ran, %" PRIu64 " wrong, seed %" PRIu64 "\n",
           most, ROUNDS + 1, (double)campaign.back_ns / 1e6, campaign.ran, campaign.wrong, seed);
    free(campaign.ids);
    return campaign.ran + campaign.wrong == 0 ? 0 : 1;
}

int
main(int argc, char **argv)
{
    const struct test_campaign asked = {"campaign_cancel", "jobs", JOBS, LEAST, LEAT_RECORDS_MAX};
    uint64_t jobs = 0;
    uint64_t seed = 0;
    test_campaign_read(&asked, argc, argv, &jobs, &seed);
    return run((uint32_t)jobs, seed);
}
