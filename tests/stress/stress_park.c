/* stress_park.c - no wake-up is lost: work that comes to a pool at rest, or to one that is just
 * going to rest, runs soon.
 *
 * A thread outside posts, waits until its work has run, and pauses for a random time around the
 * moment at which a worker stops spinning and parks. Nothing else goes on that could wake a worker
 * by chance, so a lost wake-up stands still until patience runs out; then the state of the pool is
 * printed. In the last test two tasks wait for each other: both workers have to be woken. Holds the
 * steps P1 to W7 of sched/park.h. */
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine_internal.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

/* Enough that there is a long pause among them, however slow the machine. */
#define ROUNDS_MIN 100

/* A wake-up takes microseconds, on a loaded machine milliseconds. */
#define PATIENCE_NS UINT64_C(20000000000)
#define SPIN_NS     UINT64_C(20000)

#define POSTERS_MAX 2

/* One thread's way to wait for what it posted. */
struct signal {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    uint64_t count;
};

struct fixture {
    struct leat_engine *engine;
    leat_type type;
    uint64_t deadline_ns;
    uint64_t seed;
    uint64_t rounds[POSTERS_MAX];
    struct signal signals[POSTERS_MAX];
    pthread_barrier_t meeting; /* of two tasks */
};

/* ---- signals --------------------------------------------------------------------------------- */

static void
signal_init(struct signal *signal)
{
    pthread_condattr_t attributes;
    CHECK(pthread_condattr_init(&attributes) == 0);
    CHECK(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
    CHECK(pthread_mutex_init(&signal->mutex, NULL) == 0);
    CHECK(pthread_cond_init(&signal->changed, &attributes) == 0);
    (void)pthread_condattr_destroy(&attributes);
    signal->count = 0;
}

static void
signal_fini(struct signal *signal)
{
    CHECK(pthread_cond_destroy(&signal->changed) == 0);
    CHECK(pthread_mutex_destroy(&signal->mutex) == 0);
}

static void
signal_raise(struct signal *signal)
{
    CHECK(pthread_mutex_lock(&signal->mutex) == 0);
    signal->count++;
    CHECK(pthread_cond_signal(&signal->changed) == 0);
    CHECK(pthread_mutex_unlock(&signal->mutex) == 0);
}

/* False: patience ran out. */
static bool
signal_wait(struct signal *signal, uint64_t count)
{
    struct timespec deadline;
    uint64_t deadline_ns = test_now_ns() + PATIENCE_NS;
    deadline.tv_sec = (time_t)(deadline_ns / (TEST_MS * 1000));
    deadline.tv_nsec = (long)(deadline_ns % (TEST_MS * 1000));
    int late = 0;
    CHECK(pthread_mutex_lock(&signal->mutex) == 0);
    while (signal->count < count && late == 0) {
        late = pthread_cond_timedwait(&signal->changed, &signal->mutex, &deadline);
    }
    bool enough = signal->count >= count;
    CHECK(pthread_mutex_unlock(&signal->mutex) == 0);
    return enough;
}

/* ---- what stands still ----------------------------------------------------------------------- */

static void
print_pool(struct leat_engine *engine)
{
    struct leat_pool *pool = &engine->pool;
    test_say("hint %#x, halt %u, watchers %u\n", atom_load_rlx(&pool->hint),
             atom_load_rlx(&pool->halt), atom_load_rlx(&pool->watchers));
    for (uint32_t i = 0; i < LEAT_PRIORITY_LEVELS; i++) {
        test_say("level %u: %" PRIu64 " items, %s\n", i, leat_mpmc_count(&pool->rings[i]),
                 leat_mpmc_ready(&pool->rings[i]) ? "ready" : "not ready");
    }
    for (uint32_t i = 0; i < pool->places; i++) {
        const struct leat_worker *worker = &pool->workers[i];
        test_say("worker %u: idle %u, token %u, busy %u, taken %" PRIu64 ", parks %" PRIu64 "\n", i,
                 (uint32_t)(atom_load_rlx(&pool->lot.idle[i / 64]) >> i % 64 & 1),
                 atom_load_rlx(&worker->bed.token), atom_load_rlx(&worker->busy),
                 atom_load_rlx(&worker->taken), atom_load_rlx(&worker->parks));
    }
}

static void
must_run(struct fixture *fixture, uint32_t number, uint64_t count)
{
    if (!signal_wait(&fixture->signals[number], count)) {
        test_say("poster %u, round %" PRIu64 ": what was posted does not run\n", number,
                 fixture->rounds[number]);
        print_pool(fixture->engine);
        test_fail(TEST_HERE);
    }
}

/* ---- fixtures -------------------------------------------------------------------------------- */

static struct leat_outcome
signal_run(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    size_t bytes = 0;
    uint32_t number = 0;
    const void *payload = leat_run_payload(run, &bytes);
    CHECK_EQUAL(bytes, sizeof(number));
    memcpy(&number, payload, sizeof(number));
    signal_raise(&fixture->signals[number]);
    return leat_done();
}

static struct fixture *
setup(uint32_t workers)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct leat_config config = test_config();
    CHECK(fixture != NULL);
    config.workers = workers;
    config.spin_ns = SPIN_NS;
    fixture->engine = test_start(&config);
    fixture->type = test_register(fixture->engine, "signal", signal_run, fixture);
    fixture->seed = test_seed("stress_park");
    fixture->deadline_ns = test_now_ns() + test_duration_ns() / 5;
    CHECK(pthread_barrier_init(&fixture->meeting, NULL, 2) == 0);
    for (uint32_t i = 0; i < POSTERS_MAX; i++) {
        signal_init(&fixture->signals[i]);
    }
    return fixture;
}

static void
teardown(struct fixture *fixture)
{
    test_finish(fixture->engine);
    for (uint32_t i = 0; i < POSTERS_MAX; i++) {
        signal_fini(&fixture->signals[i]);
    }
    (void)pthread_barrier_destroy(&fixture->meeting);
    free(fixture);
}

/* ---- to and fro ------------------------------------------------------------------------------ */

static void
task_run(void *argument)
{
    signal_raise(argument);
}

/* Up to three times what a worker spins; now and then much longer, so that it sleeps for sure. */
static void
pause_randomly(struct test_prng *prng)
{
    uint64_t duration_ns = test_random_below(prng, SPIN_NS * 3);
    if (test_random_below(prng, 25) == 0) {
        test_sleep_ns(TEST_MS);
    } else if (test_random_below(prng, 8) != 0) {
        uint64_t until_ns = test_now_ns() + duration_ns;
        while (test_now_ns() < until_ns) {
        }
    }
}

/* A task, or a job, of any priority. Nothing is ever full here. */
static void
bring(struct fixture *fixture, uint32_t number, struct test_prng *prng)
{
    uint32_t priority = test_random_below(prng, leat_priority_levels());
    if (test_random_below(prng, 2) == 0) {
        CHECK_OK(leat_post(fixture->engine, priority, task_run, &fixture->signals[number]));
        return;
    }
    struct leat_job job = leat_job_default();
    job.type = fixture->type;
    job.priority = priority;
    job.payload = &number;
    job.payload_bytes = sizeof(number);
    CHECK_OK(leat_submit(fixture->engine, &job, NULL));
}

static void
post_and_wait(void *shared, uint32_t number)
{
    struct fixture *fixture = shared;
    struct test_prng prng = {fixture->seed + number};
    while (fixture->rounds[number] < ROUNDS_MIN || test_now_ns() < fixture->deadline_ns) {
        fixture->rounds[number]++;
        bring(fixture, number, &prng);
        must_run(fixture, number, fixture->rounds[number]);
        pause_randomly(&prng);
    }
}

static void
to_and_fro(uint32_t workers, uint32_t posters)
{
    struct fixture *fixture = setup(workers);
    test_threads_run(posters, post_and_wait, fixture);
    struct leat_statistics sum = test_statistics(fixture->engine);
    CHECK_EQUAL(sum.tasks_run + sum.jobs_run, fixture->rounds[0] + fixture->rounds[1]);
    /* It did go to sleep between. */
    CHECK(sum.parks > 0);
    CHECK(sum.wakes > 0);
    teardown(fixture);
}

static void
one_worker(void **state)
{
    (void)state;
    to_and_fro(1, 1);
}

static void
two_workers(void **state)
{
    (void)state;
    to_and_fro(2, 1);
}

static void
two_posters_one_worker(void **state)
{
    (void)state;
    to_and_fro(1, 2);
}

static void
two_posters_many_workers(void **state)
{
    (void)state;
    to_and_fro(5, 2);
}

/* ---- two that need each other ---------------------------------------------------------------- */

static struct leat_outcome
meet_run(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    (void)pthread_barrier_wait(&fixture->meeting);
    return signal_run(run, context);
}

/* As one batch, or one after the other. */
static void
bring_two(struct fixture *fixture, leat_type type, struct test_prng *prng)
{
    static const uint32_t number;
    struct leat_job jobs[2] = {leat_job_default(), leat_job_default()};
    uint32_t priority = test_random_below(prng, leat_priority_levels());
    enum leat_batch_mode mode =
        test_random_below(prng, 2) == 0 ? LEAT_BATCH_ALL_OR_NONE : LEAT_BATCH_EACH;
    for (uint32_t i = 0; i < 2; i++) {
        jobs[i].type = type;
        jobs[i].priority = priority;
        jobs[i].payload = &number;
        jobs[i].payload_bytes = sizeof(number);
    }
    CHECK_OK(leat_submit_batch(fixture->engine, jobs, 2, mode, NULL, NULL));
}

static void
each_item_wakes_a_worker(void **state)
{
    (void)state;
    struct fixture *fixture = setup(2);
    struct test_prng prng = {fixture->seed};
    leat_type type = test_register(fixture->engine, "meet", meet_run, fixture);
    while (test_now_ns() < fixture->deadline_ns) {
        fixture->rounds[0]++;
        bring_two(fixture, type, &prng);
        must_run(fixture, 0, fixture->rounds[0] * 2);
        pause_randomly(&prng);
    }
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_run, fixture->rounds[0] * 2);
    teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_worker),
        cmocka_unit_test(two_workers),
        cmocka_unit_test(two_posters_one_worker),
        cmocka_unit_test(two_posters_many_workers),
        cmocka_unit_test(each_item_wakes_a_worker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
