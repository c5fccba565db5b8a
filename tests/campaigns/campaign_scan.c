/* campaign_scan.c - what it costs others that somebody lists, searches and counts: millions of jobs
 * wait for a time, one worker runs jobs each of which brings the next, and beside it a thread is at
 * work for a part of the time. In windows that alternate that is the scanner (pages of a list, of a
 * search by tag and of a count, and the statistics, round and round), or one that only computes for
 * as long. Shown are the gaps between the begins of two jobs.
 *
 *   campaign_scan [--jobs N] [--seed S]
 *
 * The last line has the 99.9 % gap with the scanner over that with the other one: the median of the
 * ratios of two neighbouring windows, with its interval. That is measured with a million jobs and
 * more, on a machine that does nothing else; with fewer the windows are few and short. Exit status:
 * 0 all right; 1 a pass did not come to each job that waits exactly once, or the median of a
 * measurement is above the bar; 2 it cannot run like this. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/limits.h"
#include "ring/os.h"
#include "tests/support/campaign.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

#define JOBS      20000
#define JOBS_MIN  1000
#define MEASURED  1000000
#define ALIVE     64 /* jobs of the flow at once */
#define PAIRS_MAX 60
#define HOUR_NS   UINT64_C(3600000000000)

/* The part of the time in which the thread beside is at work. */
#define PERIOD_NS UINT64_C(10000000)
#define DUTY_NS   (PERIOD_NS / 2)

/* Gaps by steps of so much; what is beyond counts as the last one. */
#define STEP_NS 8
#define STEPS   16384
#define BAR     1.1

enum kind { SCANNER, BURNER, KINDS };

/* Gaps in one window. */
struct window {
    uint32_t counts[STEPS];
    uint64_t all;
};

struct campaign {
    struct leat_engine *engine;
    leat_type stay;
    leat_type flow;
    uint64_t jobs;
    uint32_t pairs;
    uint64_t window_ns;
    struct window *windows; /* by number; the worker's until the end */
    uint64_t last_ns;       /* the worker's */
    uint64_t last_window;   /* the worker's */
    /* Which one is on, + 1; 0: none. The thread beside is asked to end by the last one + 1. */
    LEAT_ALIGNED_LINE leat_atomic_u64 window;
    LEAT_ALIGNED_LINE leat_atomic_u32 ended;
    uint64_t busy_ns[KINDS]; /* the thread beside's, like the following */
    uint64_t passes;
    uint64_t wrong_passes;
    uint64_t pages;
};

/* ---- the flow -------------------------------------------------------------------------------- */

static void
flow_submit(const struct campaign *campaign)
{
    struct leat_job job = leat_job_default();
    job.type = campaign->flow;
    CHECK_OK(leat_submit(campaign->engine, &job, NULL));
}

static struct leat_outcome
flow_run(struct leat_run *run, void *context)
{
    struct campaign *campaign = context;
    uint64_t now_ns = leat_os_monotonic_ns();
    uint64_t on = atom_load_rlx(&campaign->window);
    (void)run;
    if (on != 0 && on == campaign->last_window) {
        struct window *window = &campaign->windows[on - 1];
        uint64_t step = (now_ns - campaign->last_ns) / STEP_NS;
        window->counts[step < STEPS ? step : STEPS - 1]++;
        window->all++;
    }
    campaign->last_ns = now_ns;
    campaign->last_window = on;
    if (atom_load_rlx(&campaign->ended) == 0) {
        flow_submit(campaign);
    }
    return leat_done();
}

/* ---- the thread beside ----------------------------------------------------------------------- */

/* Where its passes are. */
struct scanner {
    struct leat_job_query list;
    struct leat_job_query search;
    struct leat_job_query count;
    struct leat_job_tally tally;
};

static void
query_go_on(struct leat_job_query *query)
{
    query->cursor = query->more ? query->cursor : 0;
}

/* One page of each. */
static void
scan(struct campaign *campaign, struct scanner *scanner)
{
    static leat_job_id ids[4096];
    size_t count = 0;
    struct leat_engine *engine = campaign->engine;
    CHECK_OK(leat_job_list(engine, &scanner->list, ids, TEST_COUNT_OF(ids), &count));
    CHECK_OK(leat_job_list(engine, &scanner->search, ids, TEST_COUNT_OF(ids), &count));
    CHECK_OK(leat_job_count(engine, &scanner->count, &scanner->tally, 1));
    struct leat_statistics sum = test_statistics(engine);
    CHECK(sum.jobs_scheduled == campaign->jobs);
    campaign->pages += 3;
    query_go_on(&scanner->list);
    query_go_on(&scanner->search);
    if (!scanner->count.more) {
        campaign->passes++;
        campaign->wrong_passes += scanner->tally.jobs != campaign->jobs ? 1 : 0;
        memset(&scanner->tally, 0, sizeof(scanner->tally));
    }
    query_go_on(&scanner->count);
}

static void
burn(void)
{
    uint64_t until_ns = leat_os_monotonic_ns() + 100000;
    while (leat_os_monotonic_ns() < until_ns) {
    }
}

static void
beside(void *shared, uint32_t number)
{
    struct campaign *campaign = shared;
    struct scanner scanner;
    (void)number;
    memset(&scanner, 0, sizeof(scanner));
    scanner.list = leat_job_query_default();
    scanner.list.states = LEAT_STATE_MASK(LEAT_JOB_SCHEDULED);
    scanner.search = leat_job_query_default();
    scanner.search.tag = "rare";
    scanner.count = leat_job_query_default();
    scanner.count.type = campaign->stay;
    uint64_t free_ns = leat_os_monotonic_ns(); /* it owes nothing from then on */
    while (atom_load_acq(&campaign->ended) == 0) {
        uint64_t on = atom_load_rlx(&campaign->window);
        uint64_t begin_ns = leat_os_monotonic_ns();
        if (on == 0 || begin_ns < free_ns) {
            test_sleep_ns(on == 0 ? TEST_MS / 2 : free_ns - begin_ns);
            free_ns = on == 0 ? 0 : free_ns;
            continue;
        }
        enum kind kind = (on - 1) % 4 == 0 || (on - 1) % 4 == 3 ? SCANNER : BURNER;
        uint64_t end_ns = begin_ns;
        while (end_ns < begin_ns + DUTY_NS) {
            if (kind == SCANNER) {
                scan(campaign, &scanner);
            } else {
                burn();
            }
            end_ns = leat_os_monotonic_ns();
        }
        campaign->busy_ns[kind] += end_ns - begin_ns;
        /* As long as it takes for the part to be right, since a page may end late. */
        free_ns = begin_ns + (end_ns - begin_ns) * PERIOD_NS / DUTY_NS;
    }
}

/* ---- passes alone ---------------------------------------------------------------------------- */

/* What a pass takes for each job, beside nothing else. */
static double
pass_ns(const struct campaign *campaign, struct leat_job_query query, bool counts)
{
    static leat_job_id ids[4096];
    struct leat_job_tally tally = {0, 0, {0}};
    size_t count = 0;
    uint64_t begin_ns = leat_os_monotonic_ns();
    do {
        if (counts) {
            CHECK_OK(leat_job_count(campaign->engine, &query, &tally, 1));
        } else {
            CHECK_OK(leat_job_list(campaign->engine, &query, ids, TEST_COUNT_OF(ids), &count));
        }
    } while (query.more);
    return (double)(leat_os_monotonic_ns() - begin_ns) / (double)campaign->jobs;
}

static void
passes_print(const struct campaign *campaign)
{
    struct leat_job_query all = leat_job_query_default();
    struct leat_job_query none = leat_job_query_default();
    struct leat_job_query tagged = leat_job_query_default();
    none.states = LEAT_STATE_MASK(LEAT_JOB_DEAD);
    tagged.tag = "rare";
    printf("scan: a pass takes for each job: %.1f ns to list it, %.1f ns to count it, %.1f ns to"
           " see its state, %.1f ns to see that it has no tag\n",
           pass_ns(campaign, all, false), pass_ns(campaign, all, true),
           pass_ns(campaign, none, false), pass_ns(campaign, tagged, false));
}

/* ---- figures --------------------------------------------------------------------------------- */

/* The gap that so many of 10 000 are not above. */
static double
gap_ns(const uint32_t *counts, uint64_t all, uint32_t parts)
{
    uint64_t seen = 0;
    uint32_t step = 0;
    while (step < STEPS - 1 && (seen + counts[step]) * 10000 < all * parts) {
        seen += counts[step++];
    }
    return ((double)step + 0.5) * STEP_NS;
}

static void
gaps_print(const struct campaign *campaign, enum kind kind)
{
    static uint32_t counts[STEPS];
    uint64_t all = 0;
    double window_ns = (double)campaign->window_ns * campaign->pairs;
    memset(counts, 0, sizeof(counts));
    for (uint32_t i = 0; i < 2 * campaign->pairs; i++) {
        bool scanned = i % 4 == 0 || i % 4 == 3;
        if (scanned == (kind == SCANNER)) {
            all += campaign->windows[i].all;
            for (uint32_t step = 0; step < STEPS; step++) {
                counts[step] += campaign->windows[i].counts[step];
            }
        }
    }
    printf("scan: beside a %s: %.2f M jobs/s, gaps p50 %.0f ns, p99 %.0f ns, p99.9 %.0f ns, p99.99"
           " %.0f ns, at work for %.1f %%\n",
           kind == SCANNER ? "scanner" : "burner", (double)all * 1e3 / window_ns,
           gap_ns(counts, all, 5000), gap_ns(counts, all, 9900), gap_ns(counts, all, 9990),
           gap_ns(counts, all, 9999), (double)campaign->busy_ns[kind] * 100 / window_ns);
}

static int
compare(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return a < b ? -1 : a > b;
}

/* Of a measurement the interval holds the median in 95 of 100 cases, by ranks of 60 ratios. */
static double
ratios_print(const struct campaign *campaign)
{
    static double ratios[PAIRS_MAX];
    uint32_t pairs = campaign->pairs;
    for (uint32_t i = 0; i < pairs; i++) {
        const struct window *pair = &campaign->windows[(size_t)2 * i];
        uint32_t first = i % 2; /* who was first changes */
        double scanned = gap_ns(pair[first].counts, pair[first].all, 9990);
        double burnt = gap_ns(pair[1 - first].counts, pair[1 - first].all, 9990);
        ratios[i] = scanned / burnt;
    }
    qsort(ratios, pairs, sizeof(ratios[0]), compare);
    /* 30 - 0.98 * sqrt(60), and as many from above. */
    uint32_t rank = pairs == PAIRS_MAX ? 21 : 0;
    double median = (ratios[pairs / 2 - 1] + ratios[pairs / 2]) / 2;
    printf("scan: p99.9 gap with the scanner over that with the burner: %.3f (%.3f to %.3f), bar"
           " %.1f\n",
           median, ratios[rank], ratios[pairs - 1 - rank], BAR);
    return median;
}

/* ---- all together ---------------------------------------------------------------------------- */

static void
fill(struct campaign *campaign)
{
    const char *tag = "rare";
    struct leat_job_options options = leat_job_options_default();
    options.tags = &tag;
    options.tags_count = 1;
    for (uint64_t i = 0; i < campaign->jobs; i++) {
        struct leat_job job = leat_job_default();
        job.type = campaign->stay;
        job.delay_ns = HOUR_NS;
        job.options = i % 1000 == 0 ? &options : NULL;
        CHECK_OK(leat_submit(campaign->engine, &job, NULL));
    }
}

static void
measure(struct campaign *campaign)
{
    static struct test_threads threads;
    test_threads_start(&threads, 1, beside, campaign);
    for (uint32_t i = 0; i < ALIVE; i++) {
        flow_submit(campaign);
    }
    test_sleep_ns(1000 * TEST_MS);
    for (uint64_t i = 0; i < UINT64_C(2) * campaign->pairs; i++) {
        atom_store_rlx(&campaign->window, i + 1);
        test_sleep_ns(campaign->window_ns);
        atom_store_rlx(&campaign->window, 0);
        test_sleep_ns(20 * TEST_MS);
    }
    atom_store_rel(&campaign->ended, 1);
    test_threads_join(&threads);
}

static int
run(uint64_t jobs, uint64_t seed)
{
    static struct campaign campaign;
    struct leat_config config = test_config();
    campaign.jobs = jobs;
    bool measured = jobs >= MEASURED && !test_sanitized();
    campaign.pairs = measured ? PAIRS_MAX : 6;
    campaign.window_ns = measured ? 250 * TEST_MS : 30 * TEST_MS;
    campaign.windows = calloc((size_t)2 * campaign.pairs, sizeof(*campaign.windows));
    CHECK(campaign.windows != NULL);
    config.pinning = LEAT_PIN_ONE;
    config.ring_slots = 1024;
    config.jobs_max = (uint32_t)jobs + 8192;
    config.retained_max = 0;
    config.sample_interval = 32;
    campaign.engine = test_start(&config);
    campaign.stay = test_register(campaign.engine, "stay", flow_run, &campaign);
    campaign.flow = test_register(campaign.engine, "flow", flow_run, &campaign);
    fill(&campaign);
    measure(&campaign);
    CHECK_OK(leat_drain(campaign.engine, LEAT_FOREVER));
    CHECK_OK(leat_stop(campaign.engine, LEAT_FOREVER));
    passes_print(&campaign);
    CHECK_OK(leat_close(campaign.engine));
    gaps_print(&campaign, SCANNER);
    gaps_print(&campaign, BURNER);
    printf("scan: %" PRIu64 " jobs wait, %" PRIu64 " pages, %" PRIu64
           " passes of the count, %" PRIu64 " of them wrong, seed %" PRIu64 "\n",
           jobs, campaign.pages, campaign.passes, campaign.wrong_passes, seed);
    double median = ratios_print(&campaign);
    free(campaign.windows);
    return campaign.wrong_passes == 0 && (!measured || median <= BAR) ? 0 : 1;
}

int
main(int argc, char **argv)
{
    const struct test_campaign asked = {"campaign_scan", "jobs", JOBS, JOBS_MIN,
                                        LEAT_RECORDS_MAX - 8192};
    uint64_t jobs = 0;
    uint64_t seed = 0;
    test_campaign_read(&asked, argc, argv, &jobs, &seed);
    return run(jobs, seed);
}
