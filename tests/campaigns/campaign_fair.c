/* campaign_fair.c - how fair and how late: in one engine 1 000 queues with a cap of one job each,
 * and one type that floods a queue of its own; and in an engine at rest with one worker, how late
 * delayed jobs begin, beside a thread that sleeps on a futex for as long.
 *
 *   campaign_fair [--seconds N] [--seed S]
 *
 * Prints the figures. It fails only where a queue was starved. Exit status: 0 all right; 1 a queue
 * was starved; 2 it cannot run like this. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "ring/os.h"
#include "tests/support/campaign.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

#define QUEUES      1000
#define OF_QUEUE    4   /* jobs of a queue that live at once */
#define HOGS        400 /* jobs of the flood that live at once */
#define MS          TEST_MS
#define SECONDS_MAX 1000000
#define LATE_MAX    100000

/* ---- fairness -------------------------------------------------------------------------------- */

struct fair {
    struct leat_engine *engine;
    leat_type type;
    leat_queue queues[QUEUES + 1]; /* the last one is the flood's */
    uint64_t deadline_ns;
    leat_atomic_u64 begun[QUEUES + 1];
};

static bool
submit(struct fair *fair, uint32_t number)
{
    struct leat_job job = leat_job_default();
    job.type = fair->type;
    job.queue = fair->queues[number];
    job.payload = &number;
    job.payload_bytes = sizeof(number);
    return leat_submit(fair->engine, &job, NULL) == LEAT_OK;
}

/* Each job that ends puts another one into its place. */
static struct leat_outcome
job_run(struct leat_run *run, void *context)
{
    struct fair *fair = context;
    uint32_t number = *(const uint32_t *)leat_run_payload(run, NULL);
    uint64_t begin_ns = leat_os_monotonic_ns();
    (void)atom_add_rlx(&fair->begun[number], 1);
    while (leat_os_monotonic_ns() < begin_ns + 2000) {
    }
    if (begin_ns < fair->deadline_ns) {
        CHECK(submit(fair, number));
    }
    return leat_done();
}

static int
compare(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

static void
fair_setup(struct fair *fair, uint64_t seconds)
{
    struct leat_config config = test_config();
    struct leat_queue_options options = leat_queue_options_default();
    config.workers = 2;
    config.jobs_max = 2 * (QUEUES * OF_QUEUE + HOGS);
    config.retained_max = 0;
    config.queues_max = QUEUES + 2;
    fair->engine = test_open(&config);
    fair->type = test_register(fair->engine, "job", job_run, fair);
    for (uint32_t i = 0; i <= QUEUES; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "q%u", i);
        options.running_max = i == QUEUES ? 0 : 1;
        CHECK_OK(leat_queue_create(fair->engine, name, &options, &fair->queues[i]));
    }
    for (uint32_t i = 0; i < HOGS; i++) {
        CHECK(submit(fair, QUEUES));
    }
    for (uint32_t i = 0; i < QUEUES * OF_QUEUE; i++) {
        CHECK(submit(fair, i % QUEUES));
    }
    fair->deadline_ns = leat_os_monotonic_ns() + seconds * 1000 * MS;
}

/* What was begun of the least served queue. */
static uint64_t
fairness(uint64_t seconds)
{
    static uint64_t begun[QUEUES];
    struct fair *fair = calloc(1, sizeof(*fair));
    CHECK(fair != NULL);
    fair_setup(fair, seconds);
    CHECK_OK(leat_start(fair->engine));
    test_sleep_ns(seconds * 1000 * MS);
    for (uint32_t i = 0; i < QUEUES; i++) {
        begun[i] = atom_load_rlx(&fair->begun[i]);
    }
    uint64_t flood = atom_load_rlx(&fair->begun[QUEUES]);
    test_finish(fair->engine);
    free(fair);
    qsort(begun, QUEUES, sizeof(begun[0]), compare);
    printf("fair: jobs begun per queue: min %" PRIu64 ", median %" PRIu64 ", max %" PRIu64
           "; of the flood %" PRIu64 "\n",
           begun[0], begun[QUEUES / 2], begun[QUEUES - 1], flood);
    return begun[0];
}

/* ---- lateness -------------------------------------------------------------------------------- */

struct late {
    uint64_t due_ns;
    uint64_t late_ns;
    leat_atomic_u32 word; /* 1: it has begun */
};

static struct leat_outcome
late_run(struct leat_run *run, void *context)
{
    struct late *late = context;
    (void)run;
    uint64_t now_ns = leat_os_monotonic_ns();
    late->late_ns = now_ns < late->due_ns ? 0 : now_ns - late->due_ns;
    atom_store_rel(&late->word, 1);
    leat_os_futex_wake(&late->word, 1);
    return leat_done();
}

static uint64_t
late_job(struct late *late, struct leat_engine *engine, leat_type type, uint64_t delay_ns)
{
    struct leat_job job = leat_job_default();
    job.type = type;
    job.delay_ns = delay_ns;
    atom_store_rel(&late->word, 0);
    late->due_ns = leat_os_monotonic_ns() + delay_ns;
    CHECK_OK(leat_submit(engine, &job, NULL));
    while (atom_load_acq(&late->word) == 0) {
        leat_os_futex_wait(&late->word, 0, LEAT_FOREVER);
    }
    return late->late_ns;
}

static uint64_t
late_futex(uint64_t delay_ns)
{
    leat_atomic_u32 word;
    atom_init(&word, 0);
    uint64_t due_ns = leat_os_monotonic_ns() + delay_ns;
    while (leat_os_monotonic_ns() < due_ns) {
        leat_os_futex_wait(&word, 0, due_ns);
    }
    return leat_os_monotonic_ns() - due_ns;
}

/* In turn, so that both meet the same machine. */
static void
lateness(uint64_t seconds, uint64_t seed)
{
    static uint64_t late_ns[2][LATE_MAX];
    struct leat_config config = test_config();
    struct late late = {0, 0, 0};
    struct test_prng prng = {seed};
    config.spin_ns = 0;
    config.retained_max = 0;
    config.timer_tick_log2 = 14;
    struct leat_engine *engine = test_start(&config);
    leat_type type = test_register(engine, "late", late_run, &late);
    uint64_t deadline_ns = leat_os_monotonic_ns() + seconds * 1000 * MS;
    uint32_t count = 0;
    while (count < LATE_MAX && leat_os_monotonic_ns() < deadline_ns) {
        uint64_t delay_ns = MS + test_random_below(&prng, 1000) * UINT64_C(1000);
        late_ns[0][count] = late_job(&late, engine, type, delay_ns);
        late_ns[1][count] = late_futex(delay_ns);
        count++;
    }
    test_finish(engine);
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t half = count / 2;
        uint32_t most = count * 99 / 100;
        qsort(late_ns[i], count, sizeof(late_ns[i][0]), compare);
        printf("late: %s: median %.1f us, p99 %.1f us, of %u\n", i == 0 ? "delayed jobs" : "futex",
               (double)late_ns[i][half] / 1e3, (double)late_ns[i][most] / 1e3, count);
    }
}

/* ---- all together ---------------------------------------------------------------------------- */

static int
run(uint64_t seconds, uint64_t seed)
{
    seconds = seconds < 1 ? 1 : seconds;
    uint64_t least = fairness(seconds);
    lateness(seconds, seed);
    printf("fair: %s, %" PRIu64 " s each, seed %" PRIu64 "\n",
           least == 0 ? "a queue was starved" : "none starved", seconds, seed);
    return least == 0 ? 1 : 0;
}

int
main(int argc, char **argv)
{
    const struct test_campaign asked = {"campaign_fair", "seconds", 2, 0, SECONDS_MAX};
    uint64_t seconds = 0;
    uint64_t seed = 0;
    test_campaign_read(&asked, argc, argv, &seconds, &seed);
    return run(seconds, seed);
}
