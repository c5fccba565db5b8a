/* stress_rates.c - threads that submit to queues, types and a tenant with rates, and cancel, while
 * another one changes a rate, pauses and resumes, and workers come to rest and wake. In no window
 * of time do more attempts begin than the rate says; each job ends once, none is lost or stays
 * behind. Holds I1 to I4 of sched/bucket.h. */
#include <stdlib.h>

#include "engine/gates.h"
#include "ring/atomic.h"
#include "ring/os.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

#define SUBMITTERS 2
#define QUEUES     4 /* a fast rate; one of bursts; one that changes; none */
#define TYPES      2 /* a rate; none */
#define JOBS       6000
#define ALL        (SUBMITTERS * JOBS)
#define WORKERS    3
#define MS         UINT64_C(1000000)

static const struct leat_rate queue_rates[QUEUES] = {
    {6, MS, 20},
    {1, MS / 3, 300},
    {1, MS, 5},
    {0, 0, 0},
};
static const struct leat_rate type_rate = {10, MS, 40};
/* Of the queue of bursts, and the one without a rate. */
static const struct leat_rate tenant_rate = {8, MS, 50};

/* When attempts began: as their handlers say, who may say it later than it was. */
struct begins {
    leat_atomic_u32 count;
    uint64_t at_ns[2 * ALL]; /* plain, each of its handler */
};

struct fixture {
    struct leat_engine *engine;
    leat_type types[TYPES];
    leat_queue queues[QUEUES];
    uint64_t seed;
    leat_atomic_u32 busy; /* threads that submit */
    leat_atomic_u32 ended;
    struct begins of_queue[QUEUES];
    struct begins of_type;
    struct begins of_tenant;
    leat_atomic_u32 ends[ALL];
    enum leat_status cancels[ALL]; /* plain, of its submitter */
};

static uint32_t
queue_of(uint32_t number)
{
    return number % QUEUES;
}

static uint32_t
type_of(uint32_t number)
{
    return number / QUEUES % TYPES;
}

static bool
of_tenant(uint32_t queue)
{
    return queue % 2 == 1;
}

static void
begun(struct begins *begins, uint64_t now_ns)
{
    uint32_t place = atom_add_rlx(&begins->count, 1);
    CHECK(place < 2 * ALL);
    begins->at_ns[place] = now_ns;
}

static struct leat_outcome
run(struct leat_run *attempt, void *context)
{
    struct fixture *fixture = context;
    uint32_t number = *(const uint32_t *)leat_run_payload(attempt, NULL);
    uint64_t now_ns = leat_os_monotonic_ns();
    begun(&fixture->of_queue[queue_of(number)], now_ns);
    if (type_of(number) == 0) {
        begun(&fixture->of_type, now_ns);
    }
    if (of_tenant(queue_of(number))) {
        begun(&fixture->of_tenant, now_ns);
    }
    if (number % 16 == 3 && leat_run_attempt(attempt) == 1) {
        return leat_retry_in(number % 32 == 3 ? 0 : MS);
    }
    CHECK_EQUAL(atom_add_rlx(&fixture->ends[number], 1), 0);
    return leat_done();
}

static void
submitter(struct fixture *fixture, uint32_t thread)
{
    struct test_prng prng = {fixture->seed + thread};
    for (uint32_t i = 0; i < JOBS; i++) {
        uint32_t number = thread * JOBS + i;
        struct leat_job job = leat_job_default();
        leat_job_id id = {0};
        job.type = fixture->types[type_of(number)];
        job.queue = fixture->queues[queue_of(number)];
        job.payload = &number;
        job.payload_bytes = sizeof(number);
        job.priority = test_random_below(&prng, 8) == 0 ? 0 : LEAT_PRIORITY_OF_QUEUE;
        CHECK_OK(leat_submit(fixture->engine, &job, &id));
        fixture->cancels[number] = LEAT_ENDED;
        if (test_random_below(&prng, 4) == 0) {
            fixture->cancels[number] = leat_cancel(fixture->engine, id);
        }
        if (i % 64 == 0) {
            test_sleep_ns(MS / 2);
        }
    }
    (void)atom_sub_rel(&fixture->busy, 1);
}

static bool
all_ended(struct fixture *fixture)
{
    const struct leat_statistics now = test_statistics(fixture->engine);
    return atom_load_acq(&fixture->busy) == 0 &&
           now.jobs_completed + now.jobs_cancelled + now.jobs_dead == (uint64_t)ALL;
}

/* Up to the rate of the table and no further, so that its window holds all the time. */
static void
controller(struct fixture *fixture)
{
    struct test_prng prng = {fixture->seed + 77};
    struct leat_engine *engine = fixture->engine;
    while (!all_ended(fixture)) {
        struct leat_rate rate = queue_rates[2];
        rate.per_ns <<= test_random_below(&prng, 2);
        CHECK_OK(leat_queue_set_rate(engine, fixture->queues[2], rate));
        test_sleep_ns(test_random_below(&prng, 5) * MS);
        if (test_random_below(&prng, 4) == 0) {
            CHECK_OK(leat_queue_pause(engine, fixture->queues[1]));
            test_sleep_ns(test_random_below(&prng, 5) * MS);
            CHECK_OK(leat_queue_resume(engine, fixture->queues[1]));
        }
    }
}

static void
thread(void *shared, uint32_t number)
{
    if (number < SUBMITTERS) {
        submitter(shared, number);
    } else {
        controller(shared);
    }
}

static void
setup(struct fixture *fixture)
{
    static const char *const queues[QUEUES] = {"fast", "bursts", "changes", "any"};
    static const char *const types[TYPES] = {"some", "all"};
    struct leat_config config = test_config();
    config.workers = WORKERS;
    config.jobs_max = ALL;
    config.retained_max = 0;
    fixture->seed = test_seed("stress_rates");
    fixture->engine = test_start(&config);
    leat_tenant tenant = {0};
    CHECK_OK(leat_tenant_create(fixture->engine, "tenant", NULL, &tenant));
    CHECK_OK(leat_tenant_set_rate(fixture->engine, tenant, tenant_rate));
    for (uint32_t i = 0; i < QUEUES; i++) {
        struct leat_queue_options options = leat_queue_options_default();
        options.rate = queue_rates[i];
        options.tenant.bits = of_tenant(i) ? tenant.bits : 0;
        CHECK_OK(leat_queue_create(fixture->engine, queues[i], &options, &fixture->queues[i]));
    }
    for (uint32_t i = 0; i < TYPES; i++) {
        struct leat_type_options options = leat_type_options_default();
        options.rate = i == 0 ? type_rate : queue_rates[3];
        CHECK_OK(leat_type_register(fixture->engine, types[i], run, fixture, &options,
                                    &fixture->types[i]));
    }
    atom_init(&fixture->busy, SUBMITTERS);
}

static int
earlier(const void *one, const void *other)
{
    uint64_t a = *(const uint64_t *)one;
    uint64_t b = *(const uint64_t *)other;
    return a < b ? -1 : (a > b ? 1 : 0);
}

/* A worker may be stopped between its token and its look at the clock. So of those that a window
 * shows, one of each worker may have begun before. */
static void
check_window(const uint64_t *at_ns, uint32_t count, struct leat_rate rate)
{
    uint64_t passed_ns = at_ns[count - 1] - at_ns[0] + 2; /* a mark */
    CHECK(count <= rate.burst + passed_ns * rate.jobs / rate.per_ns + WORKERS);
}

static void
check_rate(struct begins *begins, struct leat_rate rate, uint64_t start_ns)
{
    static const uint32_t counts[] = {1, 5, 20, 60, 300, 1000};
    uint32_t all = atom_load_rlx(&begins->count);
    qsort(begins->at_ns, all, sizeof(begins->at_ns[0]), earlier);
    for (uint32_t i = 0; i < all && rate.jobs != 0; i++) {
        uint64_t passed_ns = begins->at_ns[i] - start_ns + 2;
        CHECK(i + 1 <= rate.burst + passed_ns * rate.jobs / rate.per_ns);
        for (size_t j = 0; j < TEST_COUNT_OF(counts) && i + counts[j] < all; j++) {
            check_window(&begins->at_ns[i], counts[j] + 1, rate);
        }
    }
}

static void
rates_hold(void **state)
{
    (void)state;
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    CHECK(fixture != NULL);
    uint64_t start_ns = leat_os_monotonic_ns();
    setup(fixture);
    test_threads_run(SUBMITTERS + 1, thread, fixture);
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    uint32_t ended = 0;
    for (uint32_t i = 0; i < ALL; i++) {
        uint32_t ends = atom_load_rlx(&fixture->ends[i]);
        CHECK(fixture->cancels[i] != LEAT_OK || ends == 0);
        /* One that ran when it was cancelled, and asked to run again, is cancelled then. */
        CHECK(ends == 1 || fixture->cancels[i] == LEAT_OK ||
              (fixture->cancels[i] == LEAT_RUNNING && i % 16 == 3));
        ended += ends;
    }
    CHECK(ended > ALL / 2);
    for (uint32_t i = 0; i < QUEUES; i++) {
        check_rate(&fixture->of_queue[i], queue_rates[i], start_ns);
    }
    check_rate(&fixture->of_type, type_rate, start_ns);
    check_rate(&fixture->of_tenant, tenant_rate, start_ns);
    for (uint32_t i = 0; i < fixture->engine->pool.config.queues; i++) {
        struct leat_queue_words *words = &fixture->engine->pool.queues[i];
        CHECK_EQUAL(leat_bucket_held(atom_load_rlx(&words->bucket.word)), 0);
        CHECK_EQUAL(leat_gate_used(atom_load_rlx(&words->gate.word)), 0);
    }
    test_close(fixture->engine);
    free(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rates_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
