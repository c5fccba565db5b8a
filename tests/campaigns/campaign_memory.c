/* campaign_memory.c - jobs that wait with payloads of 64 bytes: what each of them takes, and that
 * it is given back some seconds after they ran. Ids from before answer gone, a token that comes
 * late stale.
 *
 *   campaign_memory [--jobs N] [--seed S]
 *
 * The last line says what was measured. Exit status: 0 all right; 1 something was wrong, or memory
 * was not there again in time; 2 it cannot run like this. */
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

#define PAYLOAD     64
#define LEAST       (UINT64_C(4) * LEAT_TRIM_RECORDS)
#define SAMPLES     1000 /* ids that are asked for afterwards */
#define TOKENS      64   /* one job in so many is completed from outside */
#define BACK_NS     UINT64_C(10000000000)
#define STEP_NS     UINT64_C(100000000)
#define PER_JOB_MAX 192

struct campaign {
    struct leat_engine *engine;
    uint64_t seed;
    uint64_t runs;
    uint64_t wrong;
    leat_token token; /* of the last attempt that answered pending */
    leat_token first; /* of the first one */
};

/* Bytes of this process that are in memory. */
static uint64_t
resident(void)
{
    char text[256];
    char *next = NULL;
    CHECK(leat_os_file_read("/proc/self/statm", 0, text, sizeof(text)) > 0);
    (void)strtoull(text, &next, 10);
    return strtoull(next, NULL, 10) * LEAT_PAGE_BYTES;
}

static struct leat_outcome
job_run(struct leat_run *run, void *context)
{
    struct campaign *campaign = context;
    size_t bytes = 0;
    const uint64_t *payload = leat_run_payload(run, &bytes);
    struct test_prng prng = {campaign->seed + payload[0]};
    bool right = bytes == PAYLOAD;
    for (uint32_t i = 1; i < PAYLOAD / sizeof(*payload); i++) {
        right = right && payload[i] == test_random(&prng);
    }
    campaign->wrong += right ? 0 : 1;
    campaign->runs++;
    if (payload[0] % TOKENS != 0) {
        return leat_done();
    }
    campaign->token = leat_run_token(run);
    campaign->first = campaign->first.job == 0 ? campaign->token : campaign->first;
    CHECK_OK(leat_complete(campaign->engine, campaign->token, leat_done(), NULL));
    return leat_pending();
}

static leat_job_id
submit(struct campaign *campaign, leat_type type, uint64_t number)
{
    uint64_t payload[PAYLOAD / sizeof(uint64_t)] = {number};
    struct test_prng prng = {campaign->seed + number};
    struct leat_job job = leat_job_default();
    leat_job_id id = {0};
    for (uint32_t i = 1; i < PAYLOAD / sizeof(*payload); i++) {
        payload[i] = test_random(&prng);
    }
    job.type = type;
    job.payload = payload;
    job.payload_bytes = sizeof(payload);
    CHECK_OK(leat_submit(campaign->engine, &job, &id));
    return id;
}

/* The first ids: their records have ended, and were given back since. */
static void
gone(struct campaign *campaign, const leat_job_id *ids)
{
    struct leat_job_info info = leat_job_info_default();
    for (uint32_t i = 0; i < SAMPLES; i++) {
        bool right = leat_get(campaign->engine, ids[i], &info) == LEAT_GONE &&
                     leat_cancel(campaign->engine, ids[i]) == LEAT_GONE;
        campaign->wrong += right ? 0 : 1;
    }
    enum leat_status late = leat_complete(campaign->engine, campaign->first, leat_done(), NULL);
    campaign->wrong += late == LEAT_GONE ? 0 : 1;
    late = leat_complete(campaign->engine, campaign->token, leat_done(), NULL);
    campaign->wrong += late == LEAT_STALE ? 0 : 1; /* retained */
}

struct measured {
    uint64_t start;
    uint64_t peak;
    uint64_t end;
    uint64_t end_ns; /* since they ran */
};

static bool
is_back(const struct measured *measured)
{
    return measured->end <= measured->start + (measured->peak - measured->start) / 10;
}

static void
back_wait(struct measured *measured)
{
    uint64_t begin_ns = leat_os_monotonic_ns();
    do {
        test_sleep_ns(STEP_NS);
        measured->end = resident();
        measured->end_ns = leat_os_monotonic_ns() - begin_ns;
    } while (!is_back(measured) && measured->end_ns < BACK_NS);
}

static int
run(uint64_t jobs, uint64_t seed)
{
    static leat_job_id ids[SAMPLES];
    struct campaign campaign = {.seed = seed};
    struct measured measured = {0};
    struct leat_config config = leat_config_default();
    leat_queue queue = {0};
    config.workers = 1;
    config.jobs_max = (uint32_t)jobs;
    campaign.engine = test_start(&config);
    leat_type type = test_register(campaign.engine, "job", job_run, &campaign);
    CHECK_OK(leat_queue_find(campaign.engine, "default", &queue));
    CHECK_OK(leat_queue_pause(campaign.engine, queue));
    CHECK(jobs >= LEAST);
    measured.start = resident();
    for (uint64_t i = 0; i < jobs; i++) {
        leat_job_id id = submit(&campaign, type, i);
        if (i < SAMPLES) {
            ids[i] = id;
        }
    }
    measured.peak = resident();
    uint64_t each = (measured.peak - measured.start) / jobs;
    CHECK_OK(leat_queue_resume(campaign.engine, queue));
    CHECK_OK(leat_drain(campaign.engine, LEAT_FOREVER));
    measured.peak = resident() > measured.peak ? resident() : measured.peak;
    back_wait(&measured);
    gone(&campaign, ids);
    campaign.wrong += campaign.runs == jobs ? 0 : 1;
    /* A sanitizer has memory of its own. */
    bool fits = test_sanitized() || (is_back(&measured) && each <= PER_JOB_MAX);
    test_close(campaign.engine);
    printf("memory: %" PRIu64 " jobs, %" PRIu64 " bytes each, %" PRIu64 " KiB at first, %" PRIu64
           " at most, %" PRIu64 " after %.1f s, %" PRIu64 " wrong, seed %" PRIu64 "\n",
           jobs, each, measured.start >> 10, measured.peak >> 10, measured.end >> 10,
           (double)measured.end_ns / 1e9, campaign.wrong, seed);
    return fits && campaign.wrong == 0 ? 0 : 1;
}

int
main(int argc, char **argv)
{
    const struct test_campaign asked = {"campaign_memory", "jobs", LEAST, LEAST, LEAT_RECORDS_MAX};
    uint64_t jobs = 0;
    uint64_t seed = 0;
    test_campaign_read(&asked, argc, argv, &jobs, &seed);
    return run(jobs, seed);
}
