/* stress_order.c - 1 000 queues with caps and weights, and one type that hogs: many of its jobs
 * stand in front in every queue, may run one at a time, and last long. While all queues have jobs,
 * those of the other type begin in proportion to the weights: the share of each weight is right
 * within 5 %, and no two queues are further apart than two turns, divided by their weights. Weights
 * 1 to 7 make rounds of 32 000 jobs, which the 100 000 that are counted are no multiple of. Prints
 * how far it was off. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/engine_internal.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/threads.h"

#define WORKERS 3
#define QUEUES  1000
#define WEIGHTS 7
#define WINDOW  (WORKERS * LEAT_WINDOW_PLACES)
#define CAP     (WINDOW + WORKERS) /* as many as may be under way, so that weights decide */
#define HOGS    4                  /* in each queue */
#define BEFORE  20000              /* begin before it is counted */
#define COUNTED 100000
#define JOBS    220000        /* at most; those of the heaviest queues would last for 150 000 */
#define LASTS   (JOBS / 4000) /* jobs of a queue for each unit of its weight */

struct fixture {
    struct leat_engine *engine;
    leat_type type;
    leat_type hog;
    leat_queue queues[QUEUES];
    uint32_t left[QUEUES]; /* to be submitted */
    leat_atomic_u32 begun;
    leat_atomic_u32 counts[QUEUES];
};

static uint32_t
weight_of(uint32_t queue)
{
    return 1 + queue % WEIGHTS;
}

static struct leat_outcome
count(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    uint32_t begun = atom_add_rlx(&fixture->begun, 1);
    if (begun >= BEFORE && begun < BEFORE + COUNTED) {
        uint32_t queue = *(const uint32_t *)leat_run_payload(run, NULL);
        (void)atom_add_rlx(&fixture->counts[queue], 1);
    }
    return leat_done();
}

static struct leat_outcome
hog(struct leat_run *run, void *context)
{
    (void)run;
    (void)context;
    test_sleep_ns(TEST_MS / 20);
    return leat_done();
}

static void
submit(struct fixture *fixture, leat_type type, uint32_t queue)
{
    struct leat_job job = leat_job_default();
    job.type = type;
    job.queue = fixture->queues[queue];
    job.payload = &queue;
    job.payload_bytes = sizeof(queue);
    CHECK_OK(leat_submit(fixture->engine, &job, NULL));
}

static void
submit_all(struct fixture *fixture)
{
    for (uint32_t i = 0; i < HOGS * QUEUES; i++) {
        submit(fixture, fixture->hog, i % QUEUES);
    }
    bool more = true;
    while (more) {
        more = false;
        for (uint32_t i = 0; i < QUEUES; i++) {
            for (uint32_t j = 0; j < weight_of(i) && fixture->left[i] > 0; j++) {
                submit(fixture, fixture->type, i);
                fixture->left[i]--;
                more = true;
            }
        }
    }
}

static void
setup(struct fixture *fixture)
{
    struct leat_config config = test_config();
    struct leat_type_options one = leat_type_options_default();
    config.workers = WORKERS;
    config.jobs_max = JOBS + HOGS * QUEUES;
    config.queues_max = QUEUES + 1;
    config.retained_max = 0;
    fixture->engine = test_open(&config);
    fixture->type = test_register(fixture->engine, "count", count, fixture);
    one.running_max = 1;
    CHECK_OK(leat_type_register(fixture->engine, "hog", hog, NULL, &one, &fixture->hog));
    for (uint32_t i = 0; i < QUEUES; i++) {
        struct leat_queue_options options = leat_queue_options_default();
        char name[16];
        (void)snprintf(name, sizeof(name), "q%" PRIu32, i);
        options.weight = weight_of(i);
        options.running_max = CAP;
        CHECK_OK(leat_queue_create(fixture->engine, name, &options, &fixture->queues[i]));
        fixture->left[i] = weight_of(i) * LASTS;
    }
}

/* The share of each weight, in jobs for each unit of the weight of all its queues. */
static void
check_shares(const struct fixture *fixture)
{
    double worst = 0;
    uint64_t units = 0;
    for (uint32_t i = 0; i < QUEUES; i++) {
        units += weight_of(i);
    }
    for (uint32_t weight = 1; weight <= WEIGHTS; weight++) {
        uint64_t counted = 0;
        uint64_t weights = 0;
        for (uint32_t i = weight - 1; i < QUEUES; i += WEIGHTS) {
            counted += atom_load_rlx(&fixture->counts[i]);
            weights += weight;
        }
        double due = (double)COUNTED * (double)weights / (double)units;
        double off = (double)counted > due ? (double)counted / due - 1 : 1 - (double)counted / due;
        worst = off > worst ? off : worst;
    }
    (void)printf("stress_order: shares of weights are off by %.2f %% at most\n", 100 * worst);
    CHECK(worst <= 0.05);
}

static void
check_distance(const struct fixture *fixture)
{
    double least = COUNTED;
    double most = 0;
    for (uint32_t i = 0; i < QUEUES; i++) {
        double each = (double)atom_load_rlx(&fixture->counts[i]) / weight_of(i);
        least = each < least ? each : least;
        most = each > most ? each : most;
    }
    (void)printf("stress_order: jobs for each unit of weight: %.1f to %.1f\n", least, most);
    CHECK(most - least <= 2 * LEAT_ADMIT_TURN);
}

static void
shares_are_those_of_the_weights(void **state)
{
    (void)state;
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    CHECK(fixture != NULL);
    setup(fixture);
    submit_all(fixture);
    CHECK_OK(leat_start(fixture->engine));
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    check_shares(fixture);
    check_distance(fixture);
    for (uint32_t i = 0; i < LEAT_PRIORITY_LEVELS; i++) {
        CHECK_EQUAL(atom_load_rlx(&fixture->engine->windows.used[i]), 0);
    }
    test_close(fixture->engine);
    free(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_are_those_of_the_weights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
