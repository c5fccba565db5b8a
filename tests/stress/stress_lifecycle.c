/* stress_lifecycle.c - start, drain, stop, and workers that come and go, from several threads at
 * once, while others bring work and lend threads: each call answers what its contract allows, none
 * hangs, every worker that began ends, and all that was accepted runs exactly once, before or after
 * any number of stops.
 *
 * One engine has workers, one has none and lives on lent threads; in the last test both go on at
 * once, and handlers of the one submit to the other. What hangs is reported with the state of the
 * engines. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine_internal.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/memory.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

#define WORKERS     2
#define WORKERS_MAX 4
#define LENDERS_MAX 2
#define TICKETS     400000

/* Tests share the time. */
#define PARTS 3

struct place {
    struct leat_engine *engine;
    struct place *other; /* handlers submit there too; may be NULL */
    struct test_memory memory;
    uint32_t workers;
    leat_type type;
    leat_atomic_u32 issued; /* tickets given to submitters */
    leat_atomic_u32 started;
    leat_atomic_u32 hooks_started;
    leat_atomic_u32 hooks_stopping;
    leat_atomic_u64 jobs;  /* accepted */
    leat_atomic_u64 tasks; /* accepted */
    leat_atomic_u64 tasks_run;
    leat_atomic_u8 wanted[TICKETS]; /* runs that must come: 0 or 1 */
    leat_atomic_u8 seen[TICKETS];   /* runs that came to an end */
};

struct fixture {
    struct place *places[2];
    uint32_t places_count;
    uint64_t deadline_ns;
    uint64_t seed;
    leat_atomic_u32 at_work; /* threads */
};

struct hand {
    struct fixture *fixture;
    struct test_prng prng;
};

/* ---- work ------------------------------------------------------------------------------------ */

static void submit_one(struct place *place);

/* Every third job fails once, so that hands are full when a stop comes. */
static struct leat_outcome
ticket_run(struct leat_run *run, void *context)
{
    struct place *place = context;
    size_t bytes = 0;
    uint32_t ticket = 0;
    const void *payload = leat_run_payload(run, &bytes);
    CHECK_EQUAL(bytes, sizeof(ticket));
    memcpy(&ticket, payload, sizeof(ticket));
    CHECK(ticket < TICKETS);
    if (ticket % 3 == 0 && leat_run_attempt(run) == 1) {
        return leat_retry();
    }
    if (ticket % 64 == 0) {
        test_sleep_ns(TEST_MS / 10);
    }
    CHECK_EQUAL(atom_add_rlx(&place->seen[ticket], 1), 0);
    if (place->other != NULL && ticket % 4 == 0) {
        submit_one(place->other);
    }
    return leat_done();
}

static void
task_run(void *argument)
{
    struct place *place = argument;
    (void)atom_add_rlx(&place->tasks_run, 1);
}

/* A ticket is good for one accepted job. */
static void
submit_one(struct place *place)
{
    struct leat_job job = leat_job_default();
    uint32_t ticket = atom_add_rlx(&place->issued, 1);
    if (ticket >= TICKETS) {
        return;
    }
    job.type = place->type;
    job.priority = ticket % leat_priority_levels();
    job.payload = &ticket;
    job.payload_bytes = sizeof(ticket);
    enum leat_status status = leat_submit(place->engine, &job, NULL);
    if (status == LEAT_OK) {
        atom_store_rlx(&place->wanted[ticket], 1);
        (void)atom_add_rlx(&place->jobs, 1);
        return;
    }
    CHECK(status == LEAT_CLOSED || status == LEAT_FULL);
}

static void
post_one(struct place *place, uint32_t priority)
{
    enum leat_status status = leat_post(place->engine, priority, task_run, place);
    if (status == LEAT_OK) {
        (void)atom_add_rlx(&place->tasks, 1);
        return;
    }
    CHECK(status == LEAT_CLOSED || status == LEAT_FULL);
}

static void
bring(struct hand *hand)
{
    struct fixture *fixture = hand->fixture;
    struct place *place = fixture->places[test_random_below(&hand->prng, fixture->places_count)];
    for (uint32_t i = test_random_below(&hand->prng, 20); i > 0; i--) {
        if (test_random_below(&hand->prng, 2) == 0) {
            submit_one(place);
        } else {
            post_one(place, test_random_below(&hand->prng, leat_priority_levels()));
        }
    }
    leat_os_yield();
}

/* ---- life ------------------------------------------------------------------------------------ */

static uint64_t
any_timeout(struct test_prng *prng)
{
    switch (test_random_below(prng, 4)) {
    case 0:
        return 0;
    case 1:
        return test_random_below(prng, 2 * TEST_MS);
    default:
        return LEAT_FOREVER;
    }
}

static void
start(struct place *place)
{
    enum leat_status status = leat_start(place->engine);
    if (status == LEAT_OK) {
        (void)atom_add_rlx(&place->started, 1);
        return;
    }
    CHECK_STATUS(status, LEAT_WRONG_STATE);
}

static void
stop(struct place *place, uint64_t timeout_ns)
{
    enum leat_status status = leat_stop(place->engine, timeout_ns);
    CHECK(status == LEAT_OK || (status == LEAT_TIMEOUT && timeout_ns != LEAT_FOREVER));
}

static void
drain(struct place *place, uint64_t timeout_ns)
{
    enum leat_status status = leat_drain(place->engine, timeout_ns);
    bool allowed = status == LEAT_OK || status == LEAT_WRONG_STATE || status == LEAT_CLOSED;
    allowed = allowed || (status == LEAT_TIMEOUT && timeout_ns != LEAT_FOREVER);
    allowed = allowed || (status == LEAT_BUSY && place->workers == 0);
    CHECK(allowed);
}

static void
resize(struct place *place, uint32_t count)
{
    enum leat_status status = leat_workers_set(place->engine, count);
    bool allowed = status == LEAT_OK || status == LEAT_CLOSED;
    CHECK(allowed || (status == LEAT_WRONG_STATE && place->workers == 0));
}

static void
steer(struct hand *hand)
{
    struct fixture *fixture = hand->fixture;
    struct place *place = fixture->places[test_random_below(&hand->prng, fixture->places_count)];
    enum leat_engine_state now = LEAT_ENGINE_OPEN;
    switch (test_random_below(&hand->prng, 7)) {
    case 0:
        stop(place, any_timeout(&hand->prng));
        break;
    case 1:
        drain(place, any_timeout(&hand->prng));
        break;
    case 2:
        CHECK_OK(leat_state(place->engine, &now));
        CHECK(now <= LEAT_ENGINE_STOPPED);
        test_sleep_ns(test_random_below(&hand->prng, TEST_MS / 2));
        break;
    case 3:
    case 4:
        resize(place, 1 + test_random_below(&hand->prng, WORKERS_MAX));
        break;
    default:
        start(place);
        break;
    }
}

/* ---- lent threads ---------------------------------------------------------------------------- */

static void
lend(struct hand *hand)
{
    struct fixture *fixture = hand->fixture;
    struct place *place = fixture->places[fixture->places_count - 1];
    size_t budget = 1 + test_random_below(&hand->prng, 8);
    size_t ran = 0;
    uint64_t due_ns = 1;
    enum leat_status status = leat_run_some(place->engine, budget, &ran);
    CHECK((status == LEAT_OK) == (ran >= 1));
    CHECK(ran <= budget);
    if (status != LEAT_OK) {
        /* LEAT_WRONG_STATE: not started yet. */
        CHECK(status == LEAT_WRONG_STATE || status == LEAT_CLOSED || status == LEAT_EMPTY ||
              status == LEAT_BUSY);
        leat_os_yield();
    }
    CHECK_OK(leat_next_due(place->engine, &due_ns));
    /* Or where another thread is in a handler: a part of its timeout, of 60 seconds. */
    CHECK(due_ns == 0 || due_ns == LEAT_FOREVER || due_ns <= UINT64_C(7500000000));
}

/* ---- all together ---------------------------------------------------------------------------- */

#define BRINGERS 2
#define STEERERS 4
#define LENDERS  3

static void
act(void *shared, uint32_t number)
{
    struct hand hand = {.fixture = shared};
    hand.prng.state = hand.fixture->seed + number;
    while (test_now_ns() < hand.fixture->deadline_ns) {
        if (number < BRINGERS) {
            bring(&hand);
        } else if (number < BRINGERS + STEERERS) {
            steer(&hand);
        } else {
            lend(&hand);
        }
    }
    (void)atom_sub_rlx(&hand.fixture->at_work, 1);
}

static void
print_place(const struct place *place)
{
    const struct leat_engine *engine = place->engine;
    const struct leat_pool *pool = &engine->pool;
    test_say("%u workers: state %u, open %u, alive %u, watchers %u, hint %#" PRIx64
             ", idle %#" PRIx64 "\n",
             place->workers, atom_load_rlx(&engine->state), atom_load_rlx(&pool->open),
             atom_load_rlx(&pool->alive), atom_load_rlx(&pool->watchers),
             atom_load_rlx(&pool->hint), atom_load_rlx(&pool->lot.idle[0]));
}

static bool
all_through(void *argument)
{
    struct fixture *fixture = argument;
    return atom_load_rlx(&fixture->at_work) == 0;
}

/* No call of the threads waits for another of them: drains end by themselves, since all work does,
 * and since a drain without workers runs it. */
static void
until_through(struct fixture *fixture)
{
    test_sleep_ns(test_duration_ns() / PARTS);
    if (!test_until(all_through, fixture)) {
        test_say("%u threads hang\n", atom_load_rlx(&fixture->at_work));
        for (uint32_t i = 0; i < fixture->places_count; i++) {
            print_place(fixture->places[i]);
        }
        abort();
    }
}

static void
hook_started(struct leat_engine *engine, uint32_t worker, void *context)
{
    struct place *place = context;
    (void)engine;
    CHECK(worker < WORKERS_MAX);
    (void)atom_add_rlx(&place->hooks_started, 1);
}

static void
hook_stopping(struct leat_engine *engine, uint32_t worker, void *context)
{
    struct place *place = context;
    (void)engine;
    CHECK(worker < WORKERS_MAX);
    (void)atom_add_rlx(&place->hooks_stopping, 1);
}

static struct place *
place_setup(uint32_t workers)
{
    struct place *place = calloc(1, sizeof(*place));
    struct leat_config config = test_config();
    CHECK(place != NULL);
    test_memory_init(&place->memory);
    place->workers = workers;
    config.workers = workers;
    config.workers_max = WORKERS_MAX;
    config.lenders_max = LENDERS_MAX;
    config.worker_started = hook_started;
    config.worker_stopping = hook_stopping;
    config.hook_context = place;
    config.allocator = test_memory_allocator(&place->memory);
    config.jobs_max = 256;
    config.retained_max = 16;
    place->engine = test_open(&config);
    place->type = test_register(place->engine, "ticket", ticket_run, place);
    return place;
}

/* Runs what is left, in the engine of `place` alone. */
static void
place_settle(struct place *place)
{
    CHECK_OK(leat_stop(place->engine, LEAT_FOREVER));
    start(place);
    CHECK_OK(leat_drain(place->engine, LEAT_FOREVER));
}

static void
place_teardown(struct place *place)
{
    CHECK_OK(leat_stop(place->engine, LEAT_FOREVER));
    for (uint32_t i = 0; i < TICKETS; i++) {
        CHECK_EQUAL(atom_load_rlx(&place->seen[i]), atom_load_rlx(&place->wanted[i]));
    }
    struct leat_statistics sum = test_statistics(place->engine);
    CHECK_EQUAL(sum.jobs_submitted, atom_load_rlx(&place->jobs));
    CHECK_EQUAL(sum.jobs_completed, atom_load_rlx(&place->jobs));
    CHECK_EQUAL(sum.tasks_run, atom_load_rlx(&place->tasks));
    CHECK_EQUAL(sum.tasks_run, atom_load_rlx(&place->tasks_run));
    CHECK_EQUAL(sum.jobs_run, sum.jobs_completed + sum.jobs_retried);
    CHECK_EQUAL(atom_load_rlx(&place->hooks_stopping), atom_load_rlx(&place->hooks_started));
    test_close(place->engine);
    CHECK_EQUAL(test_memory_blocks(&place->memory), 0);
    free(place);
}

static void
live(struct fixture *fixture, bool lent)
{
    struct test_threads *threads = calloc(1, sizeof(*threads));
    uint32_t count = BRINGERS + STEERERS + (lent ? LENDERS : 0);
    CHECK(threads != NULL);
    fixture->seed = test_seed("stress_lifecycle");
    fixture->deadline_ns = test_now_ns() + test_duration_ns() / PARTS;
    atom_init(&fixture->at_work, count);
    test_threads_start(threads, count, act, fixture);
    until_through(fixture);
    test_threads_join(threads);
    free(threads);
}

static void
with_workers(void **state)
{
    (void)state;
    struct fixture fixture = {.places = {place_setup(WORKERS)}, .places_count = 1};
    live(&fixture, false);
    place_settle(fixture.places[0]);
    place_teardown(fixture.places[0]);
}

static void
with_lent_threads(void **state)
{
    (void)state;
    struct fixture fixture = {.places = {place_setup(0)}, .places_count = 1};
    live(&fixture, true);
    place_settle(fixture.places[0]);
    place_teardown(fixture.places[0]);
}

static void
with_both(void **state)
{
    (void)state;
    struct fixture fixture = {.places = {place_setup(WORKERS), place_setup(0)}, .places_count = 2};
    fixture.places[0]->other = fixture.places[1];
    live(&fixture, true);
    /* The one that brings work to the other first. */
    place_settle(fixture.places[0]);
    place_settle(fixture.places[1]);
    place_teardown(fixture.places[0]);
    place_teardown(fixture.places[1]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_workers),
        cmocka_unit_test(with_lent_threads),
        cmocka_unit_test(with_both),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
