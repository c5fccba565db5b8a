/* campaign_spike.c - payloads of the allocator that wait, far more than there is later, below a cap
 * that is just enough for some of them: what is beyond is refused, the process keeps to the cap,
 * and some seconds behind the spike it has its memory back.
 *
 *   campaign_spike [--megabytes N] [--seed S]
 *
 * N is the cap. The last line says what was measured. Exit status: 0 all right; 1 something was
 * wrong, or memory was not there again in time; 2 it cannot run like this. */
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

#define PAYLOAD_MAX 32768
#define USUAL       64 /* megabytes */
#define LEAST       16
#define MOST        65536
#define BEYOND      1000 /* submits that are refused, one behind the other */
#define BACK_NS     UINT64_C(15000000000)
#define STEP_NS     UINT64_C(100000000)
/* What an allocator rounds up, and keeps of what was given back meanwhile. */
#define PERCENT_MAX 130

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
    uint64_t *runs = context;
    size_t bytes = 0;
    const unsigned char *payload = leat_run_payload(run, &bytes);
    CHECK(bytes != 0 && payload[bytes - 1] == (unsigned char)bytes);
    (*runs)++;
    return leat_done();
}

/* Until so many in a row are refused. Returns how many were taken in. */
static uint64_t
fill(struct leat_engine *engine, leat_type type, uint64_t seed)
{
    static unsigned char payload[PAYLOAD_MAX];
    struct test_prng prng = {seed};
    uint64_t taken = 0;
    memset(payload, 1, sizeof(payload));
    for (uint32_t refused = 0; refused < BEYOND; refused++) {
        struct leat_job job = leat_job_default();
        size_t bytes = 1 + test_random_below(&prng, PAYLOAD_MAX);
        job.type = type;
        job.payload = payload;
        job.payload_bytes = bytes;
        unsigned char before = payload[bytes - 1];
        payload[bytes - 1] = (unsigned char)bytes;
        enum leat_status status = leat_submit(engine, &job, NULL);
        payload[bytes - 1] = before;
        CHECK(status == LEAT_OK || status == LEAT_FULL);
        if (status == LEAT_OK) {
            taken++;
            refused = 0;
        }
    }
    return taken;
}

static bool
is_back(uint64_t start, uint64_t peak, uint64_t now)
{
    return now <= start + (peak - start) / 10;
}

static int
run(uint64_t megabytes, uint64_t seed)
{
    struct leat_config config = leat_config_default();
    leat_queue queue = {0};
    uint64_t runs = 0;
    config.workers = 1;
    config.memory_max = megabytes << 20;
    struct leat_engine *engine = test_start(&config);
    leat_type type = test_register(engine, "job", job_run, &runs);
    CHECK_OK(leat_queue_find(engine, "default", &queue));
    CHECK_OK(leat_queue_pause(engine, queue));
    const uint64_t start = resident();
    const uint64_t taken = fill(engine, type, seed);
    const uint64_t peak = resident();
    CHECK_OK(leat_queue_resume(engine, queue));
    CHECK_OK(leat_drain(engine, LEAT_FOREVER));
    const uint64_t begin_ns = leat_os_monotonic_ns();
    uint64_t now = resident();
    while (!is_back(start, peak, now) && leat_os_monotonic_ns() - begin_ns < BACK_NS) {
        test_sleep_ns(STEP_NS);
        now = resident();
    }
    const double seconds = (double)(leat_os_monotonic_ns() - begin_ns) / 1e9;
    const uint64_t grown = (peak - start) * 100 / config.memory_max;
    /* A sanitizer has memory of its own. */
    const bool fits = test_sanitized() || (is_back(start, peak, now) && grown <= PERCENT_MAX);
    test_close(engine);
    printf("spike: %" PRIu64 " jobs taken below %" PRIu64 " MiB, %" PRIu64 " run, %" PRIu64
           " KiB at first, %" PRIu64 " at most, which is %" PRIu64 " %% of the cap more, %" PRIu64
           " after %.1f s, seed %" PRIu64 "\n",
           taken, megabytes, runs, start >> 10, peak >> 10, grown, now >> 10, seconds, seed);
    return fits && runs == taken && taken != 0 ? 0 : 1;
}

int
main(int argc, char **argv)
{
    const struct test_campaign asked = {"campaign_spike", "megabytes", USUAL, LEAST, MOST};
    uint64_t megabytes = 0;
    uint64_t seed = 0;
    test_campaign_read(&asked, argc, argv, &megabytes, &seed);
    return run(megabytes, seed);
}
