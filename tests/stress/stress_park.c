/* stress_park.c - no wake-up is lost: work that comes to a pool at rest, or to one that is just
 * going to rest, runs soon; a stop reaches a worker that is just going to rest.
 *
 * A thread outside posts, waits until its work has run, and pauses so that its next post comes
 * close to the moment at which the worker stops spinning and parks: it aims later when it came
 * too early, and earlier when it came too late. Nothing else goes on that could wake a worker by
 * chance, so a lost wake-up stands still until patience runs out; then the state of the pool is
 * printed. In one test two jobs wait for each other: both workers have to be woken. Holds the
 * steps P1 to W8 of sched/park.h. */
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
#define AWAKE_NS    UINT64_C(200000)
#define SPIN_NS     UINT64_C(20000)
/* Work goes on so long after it said that it is done: time for the poster to come back. */
#define TAIL_NS 1500

/* The steps in which a poster comes closer to the moment, and a stop, which is less exact. */
#define AIM_STEP_NS  50
#define STOP_STEP_NS 1000

/* Tests share the time. */
#define PARTS 6

#define POSTERS_MAX 2

struct fixture {
    struct leat_engine *engine;
    leat_type type;
    uint64_t deadline_ns;
    uint64_t seed;
    uint64_t rounds[POSTERS_MAX];
    leat_atomic_u64 done[POSTERS_MAX]; /* of what each has posted */
    pthread_barrier_t meeting;         /* of two tasks */
};

/* ---- what stands still ----------------------------------------------------------------------- */

static void
print_pool(struct leat_engine *engine)
{
    struct leat_pool *pool = &engine->pool;
    test_say("hint %#x, open %u, watchers %u\n", atom_load_rlx(&pool->hint),
             atom_load_rlx(&pool->open), atom_load_rlx(&pool->watchers));
    for (uint32_t i = 0; i < LEAT_PRIORITY_LEVELS; i++) {
        test_say("level %u: %" PRIu64 " items, %s\n", i, leat_mpmc_count(&pool->rings[i]),
                 leat_mpmc_ready(&pool->rings[i]) ? "ready" : "not ready");
    }
    for (uint32_t i = 0; i < pool->places; i++) {
        const struct leat_worker *worker = &pool->workers[i];
        test_say("worker %u: idle %u, bed %u, busy %u, taken %" PRIu64 ", parks %" PRIu64 "\n", i,
                 (uint32_t)(atom_load_rlx(&pool->lot.idle[i / 64]) >> i % 64 & 1),
                 atom_load_rlx(&worker->bed.word), atom_load_rlx(&worker->busy),
                 atom_load_rlx(&worker->taken), atom_load_rlx(&worker->parks));
    }
}

/* Awake at first: who sleeps comes too late for the moment that we want to meet. */
static bool
wait_until(const leat_atomic_u64 *done, uint64_t count)
{
    uint64_t begin_ns = test_now_ns();
    for (;;) {
        for (uint32_t i = 0; i < 100; i++) {
            if (atom_load_acq(done) >= count) {
                return true;
            }
            leat_pause();
        }
        uint64_t waited_ns = test_now_ns() - begin_ns;
        if (waited_ns > PATIENCE_NS) {
            return false;
        }
        if (waited_ns > AWAKE_NS) {
            test_sleep_ns(AWAKE_NS / 4);
        }
    }
}

static void
must_run(struct fixture *fixture, uint32_t number, uint64_t count)
{
    if (!wait_until(&fixture->done[number], count)) {
        test_say("poster %u, round %" PRIu64 ": what was posted does not run\n", number,
                 fixture->rounds[number]);
        print_pool(fixture->engine);
        test_fail(TEST_HERE);
    }
}

static void
stay_awake(uint64_t duration_ns)
{
    uint64_t until_ns = test_now_ns() + duration_ns;
    while (test_now_ns() < until_ns) {
        leat_pause();
    }
}

/* ---- fixtures -------------------------------------------------------------------------------- */

static struct leat_outcome
count_run(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    size_t bytes = 0;
    uint32_t number = 0;
    const void *payload = leat_run_payload(run, &bytes);
    CHECK_EQUAL(bytes, sizeof(number));
    memcpy(&number, payload, sizeof(number));
    (void)atom_add_acq_rel(&fixture->done[number], 1);
    stay_awake(TAIL_NS);
    return leat_done();
}

static struct fixture *
setup(uint32_t workers, uint64_t spin_ns)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct leat_config config = test_config();
    CHECK(fixture != NULL);
    config.workers = workers;
    config.spin_ns = spin_ns;
    fixture->engine = test_start(&config);
    fixture->type = test_register(fixture->engine, "count", count_run, fixture);
    fixture->seed = test_seed("stress_park");
    fixture->deadline_ns = test_now_ns() + test_duration_ns() / PARTS;
    CHECK(pthread_barrier_init(&fixture->meeting, NULL, 2) == 0);
    return fixture;
}

static void
teardown(struct fixture *fixture)
{
    struct leat_statistics sum = test_statistics(fixture->engine);
    test_say("%" PRIu64 " rounds, %" PRIu64 " parks, %" PRIu64 " wakes\n",
             fixture->rounds[0] + fixture->rounds[1], sum.parks, sum.wakes);
    test_finish(fixture->engine);
    (void)pthread_barrier_destroy(&fixture->meeting);
    free(fixture);
}

/* ---- to and fro ------------------------------------------------------------------------------ */

static void
task_run(void *argument)
{
    (void)atom_add_acq_rel((leat_atomic_u64 *)argument, 1);
    stay_awake(TAIL_NS);
}

/* Finds the moment at which a worker parks, from whether one has parked since. */
struct aim {
    struct leat_pool *pool;
    struct test_prng prng;
    uint64_t parks;    /* so far */
    uint64_t delay_ns; /* what seems to meet the moment */
    uint64_t step_ns;
};

static uint64_t
parks_of(const struct leat_pool *pool)
{
    uint64_t parks = 0;
    for (uint32_t i = 0; i < pool->places; i++) {
        parks += atom_load_rlx(&pool->workers[i].parks);
    }
    return parks;
}

/* `sooner`: with a shorter delay it parks less often; else with a longer one. */
static uint64_t
aim_again(struct aim *aim, bool sooner)
{
    uint64_t parks = parks_of(aim->pool);
    bool parked = parks != aim->parks;
    aim->parks = parks;
    if (parked != sooner) {
        aim->delay_ns += aim->step_ns;
    } else {
        aim->delay_ns -= aim->delay_ns < aim->step_ns ? aim->delay_ns : aim->step_ns;
    }
    return aim->delay_ns + test_random_below(&aim->prng, (uint32_t)aim->step_ns * 4);
}

/* Now and then it sleeps so long that all park for sure, or any time around the spinning. */
static void
pause_well(struct aim *aim)
{
    uint64_t delay_ns = aim_again(aim, true);
    uint32_t choice = test_random_below(&aim->prng, 50);
    if (choice == 0) {
        test_sleep_ns(TEST_MS);
    } else if (choice < 5) {
        stay_awake(test_random_below(&aim->prng, SPIN_NS * 3));
    } else {
        stay_awake(delay_ns);
    }
}

/* A task, or a job, of any priority. Nothing is ever full here. */
static void
bring(struct fixture *fixture, uint32_t number, struct test_prng *prng)
{
    uint32_t priority = test_random_below(prng, leat_priority_levels());
    if (test_random_below(prng, 2) == 0) {
        CHECK_OK(leat_post(fixture->engine, priority, task_run, &fixture->done[number]));
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
    struct aim aim = {&fixture->engine->pool, {fixture->seed + number}, 0, 0, AIM_STEP_NS};
    while (fixture->rounds[number] < ROUNDS_MIN || test_now_ns() < fixture->deadline_ns) {
        fixture->rounds[number]++;
        bring(fixture, number, &aim.prng);
        must_run(fixture, number, fixture->rounds[number]);
        pause_well(&aim);
    }
}

static void
to_and_fro(uint32_t workers, uint32_t posters)
{
    struct fixture *fixture = setup(workers, SPIN_NS);
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
    return count_run(run, context);
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
    struct fixture *fixture = setup(2, SPIN_NS);
    struct aim aim = {&fixture->engine->pool, {fixture->seed}, 0, 0, AIM_STEP_NS};
    leat_type type = test_register(fixture->engine, "meet", meet_run, fixture);
    while (test_now_ns() < fixture->deadline_ns) {
        fixture->rounds[0]++;
        bring_two(fixture, type, &aim.prng);
        must_run(fixture, 0, fixture->rounds[0] * 2);
        pause_well(&aim);
    }
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_run, fixture->rounds[0] * 2);
    teardown(fixture);
}

/* ---- a stop ---------------------------------------------------------------------------------- */

struct chore {
    leat_atomic_u64 *done;
    uint64_t duration_ns;
};

static void
busy_run(void *argument)
{
    const struct chore *chore = argument;
    (void)atom_add_acq_rel(chore->done, 1);
    stay_awake(chore->duration_ns);
}

/* The worker ends its work, and goes to rest, about when the stop comes. */
static void
a_stop_reaches_everyone(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1, 0);
    struct aim aim = {&fixture->engine->pool, {fixture->seed}, 0, 0, STOP_STEP_NS};
    struct chore chore = {&fixture->done[0], 0};
    do {
        CHECK_OK(leat_post(fixture->engine, 0, busy_run, &chore));
        fixture->rounds[0]++;
        must_run(fixture, 0, fixture->rounds[0]);
        if (leat_stop(fixture->engine, PATIENCE_NS) != LEAT_OK) {
            test_say("round %" PRIu64 ": a worker does not stop\n", fixture->rounds[0]);
            print_pool(fixture->engine);
            test_fail(TEST_HERE);
        }
        chore.duration_ns = aim_again(&aim, false);
        CHECK_OK(leat_start(fixture->engine));
    } while (test_now_ns() < fixture->deadline_ns);
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
        cmocka_unit_test(a_stop_reaches_everyone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
