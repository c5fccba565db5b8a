/* unit_durable_section.c - what of a submit waits for the disk does so outside of the sections of
 * rcu.h: while it waits, grace periods pass, which others of the engine wait for. What others are
 * asked for its sake (to come later, to give way), what the log is told of a claim, who is dropped,
 * and children whose parents have ended; and what a debounce answers that the log cannot have. */
#include <pthread.h>

#include "ring/rcu.h"
#include "tests/unit/transit_body.h"

#define SLOTS 1024

/* ---- grace periods --------------------------------------------------------------------------- */

struct waiter {
    struct world *world;
    leat_atomic_u32 done;
    enum leat_status status;
    enum leat_unique_conflict conflict;
};

static void *
grace_run(void *argument)
{
    struct waiter *waiter = argument;
    leat_rcu_wait(&waiter->world->engine->domain);
    atom_store_rel(&waiter->done, 1);
    return NULL;
}

/* Not durable itself, so it waits for nothing else. */
static void *
asker_run(void *argument)
{
    struct waiter *waiter = argument;
    struct leat_job job = leat_job_default();
    struct leat_job_options options = leat_job_options_default();
    leat_job_id id;
    options.durability = LEAT_DURABILITY_NONE;
    options.unique_key = "k";
    options.unique_key_bytes = 1;
    options.unique_conflict = waiter->conflict;
    job.type = waiter->world->type;
    job.delay_ns = 2 * MINUTE_NS;
    job.options = &options;
    waiter->status = leat_submit(waiter->world->engine, &job, &id);
    atom_store_rel(&waiter->done, 1);
    return NULL;
}

static bool
is_done(const struct waiter *waiter, uint32_t patience)
{
    for (uint32_t i = 0; i < patience && atom_load_acq(&waiter->done) == 0; i++) {
        (void)usleep(1000);
    }
    return atom_load_acq(&waiter->done) != 0;
}

static void
key_set(struct world *world, enum leat_unique_conflict conflict)
{
    world->options.unique_key = "k";
    world->options.unique_key_bytes = 1;
    world->options.unique_conflict = conflict;
    world->job.delay_ns = MINUTE_NS;
}

/* A job with the key is there; the log's threads rest. */
static struct world *
held_make(void)
{
    struct world *world = world_make(SLOTS);
    log_rest(world);
    key_set(world, LEAT_UNIQUE_REJECT);
    (void)submit(world, NULL);
    log_land(world);
    (void)take_acknowledgement(world, LEAT_OK, NULL);
    world->options.unique_key = NULL;
    world->options.unique_key_bytes = 0;
    return world;
}

/* The disk does not answer: nobody gets the log's role. */
static void
waits_outside(struct world *world, enum leat_unique_conflict conflict, enum leat_status answer)
{
    struct waiter asker = {.world = world, .conflict = conflict};
    struct waiter grace = {.world = world};
    pthread_t threads[2];
    CHECK(leat_wal_role_take(&log_of(world)->role));
    CHECK(pthread_create(&threads[0], NULL, asker_run, &asker) == 0);
    CHECK(!is_done(&asker, 50));
    CHECK(pthread_create(&threads[1], NULL, grace_run, &grace) == 0);
    CHECK(is_done(&grace, 10000));
    CHECK(!is_done(&asker, 1));
    leat_wal_role_give(&log_of(world)->role, true);
    CHECK(is_done(&asker, 10000));
    CHECK_STATUS(asker.status, answer);
    CHECK(pthread_join(threads[0], NULL) == 0);
    CHECK(pthread_join(threads[1], NULL) == 0);
}

static void
a_debounce_waits_outside(void **state)
{
    struct world *world = held_make();
    (void)state;
    waits_outside(world, LEAT_UNIQUE_DEBOUNCE, LEAT_JOINED);
    CHECK_EQUAL(test_statistics(world->engine).jobs_scheduled, 1);
    world_free(world);
}

/* The end of the one that gives way finds no room in the log's ring. */
static void
who_replaces_waits_outside(void **state)
{
    static char payload[4096];
    struct world *world = held_make();
    leat_job_id id;
    uint32_t flown = 0;
    (void)state;
    world->job.payload = payload;
    world->job.payload_bytes = sizeof(payload);
    while (try_submit(world, NULL, &id) == LEAT_OK) {
        flown++;
    }
    world->job.payload_bytes = 0;
    while (try_submit(world, NULL, &id) == LEAT_OK) {
        flown++;
    }
    CHECK(flown < SLOTS); /* it is the ring that is full */
    waits_outside(world, LEAT_UNIQUE_REPLACE, LEAT_OK);
    log_land(world);
    for (uint32_t i = 0; i < flown; i++) {
        (void)take_acknowledgement(world, LEAT_OK, NULL);
    }
    CHECK_EQUAL(test_statistics(world->engine).jobs_scheduled, flown + 1);
    world_free(world);
}

/* ---- what asserts that it is in no section --------------------------------------------------- */

/* Others are dropped for it. */
static void
who_drops_is_in_no_section(void **state)
{
    struct world *world = world_make(8);
    struct leat_queue_limits limits = leat_queue_limits_default();
    struct leat_job jobs[2];
    leat_queue queue;
    (void)state;
    limits.waiting_max = 2;
    limits.full = LEAT_FULL_DROP_OLDEST;
    CHECK_OK(leat_queue_find(world->engine, "default", &queue));
    CHECK_OK(leat_queue_set_limits(world->engine, queue, &limits));
    for (uint32_t i = 0; i < 2; i++) {
        jobs[i] = leat_job_default();
        jobs[i].type = world->type;
    }
    for (uint32_t i = 0; i < 3; i++) {
        CHECK_OK(leat_submit(world->engine, &jobs[0], NULL));
        CHECK_OK(leat_submit_batch(world->engine, jobs, 2, LEAT_BATCH_ALL_OR_NONE, NULL, NULL));
    }
    CHECK_EQUAL(test_statistics(world->engine).jobs_waiting, 2);
    world_close(world);
    world_open(world, 8);
    CHECK_EQUAL(jobs_found(world), 2);
    world_free(world);
}

static struct leat_outcome
pend(struct leat_run *run, void *context)
{
    (void)run;
    (void)context;
    return leat_pending();
}

/* A key whose holder is there yet, and has begun: the log is told who has it now. */
static void
who_claims_is_in_no_section(void **state)
{
    struct world *world = world_make(8);
    struct leat_job jobs[2] = {leat_job_default(), leat_job_default()};
    struct leat_job_options options[2] = {leat_job_options_default(), leat_job_options_default()};
    size_t ran = 0;
    (void)state;
    leat_type type = test_register(world->engine, "pends", pend, NULL);
    for (uint32_t i = 0; i < 2; i++) {
        options[i].unique_key = i == 0 ? "a" : "b";
        options[i].unique_key_bytes = 1;
        options[i].unique_scope = LEAT_UNIQUE_UNTIL_STARTED;
        jobs[i].type = type;
        jobs[i].options = &options[i];
        CHECK_OK(leat_submit(world->engine, &jobs[i], NULL));
    }
    CHECK_OK(leat_start(world->engine));
    while (leat_run_some(world->engine, 10, &ran) == LEAT_OK) {
    }
    uint64_t tail = atom_load_rlx(&log_of(world)->ring.tail);
    CHECK_OK(leat_submit_batch(world->engine, jobs, 2, LEAT_BATCH_ALL_OR_NONE, NULL, NULL));
    CHECK(atom_load_rlx(&log_of(world)->ring.tail) > tail);
    CHECK_STATUS(leat_submit(world->engine, &jobs[0], NULL), LEAT_EXISTS);
    while (leat_run_some(world->engine, 10, &ran) == LEAT_OK) {
    }
    CHECK_OK(leat_submit(world->engine, &jobs[0], NULL));
    world_close(world);
    world_open(world, 8);
    CHECK_EQUAL(jobs_found(world), 5);
    world_free(world);
}

/* ---- a debounce without space ---------------------------------------------------------------- */

/* Of a job that is in no log, with a key of its own: one that asks it has nothing to write. */
static void
light_held(struct world *world)
{
    world->options.durability = LEAT_DURABILITY_NONE;
    key_set(world, LEAT_UNIQUE_REJECT);
    world->options.unique_key = "n";
    (void)submit(world, NULL);
    (void)take_acknowledgement(world, LEAT_OK, NULL);
    world->options.durability = LEAT_DURABILITY_GROUP;
}

/* It is so in memory only, and says so, whoever tells it; the next one that is told does not. */
static void
a_debounce_without_space_says_so(void **state)
{
    struct world *world = held_make();
    struct waiter asker = {.world = world, .conflict = LEAT_UNIQUE_DEBOUNCE};
    (void)state;
    light_held(world);
    key_set(world, LEAT_UNIQUE_DEBOUNCE);
    (void)submit(world, NULL);
    world->options.unique_key = "n";
    (void)submit(world, NULL);
    world->options.unique_key = "k";
    (void)leat_wal_step(log_of(world), false);
    atom_store_rlx(&log_of(world)->full, 1);
    atom_store_rlx(&log_of(world)->ready, 0); /* its end has no room, either */
    atom_store_rlx(&log_of(world)->left, 0);
    leat_durable_landed(world->engine->durable);
    (void)take_acknowledgement(world, LEAT_NO_SPACE, NULL);
    (void)take_acknowledgement(world, LEAT_JOINED, NULL);
    (void)asker_run(&asker);
    CHECK_STATUS(asker.status, LEAT_NO_SPACE);
    atom_store_rlx(&log_of(world)->full, 0);
    (void)asker_run(&asker);
    CHECK_STATUS(asker.status, LEAT_JOINED);
    (void)submit(world, NULL);
    log_land(world);
    (void)take_acknowledgement(world, LEAT_JOINED, NULL);
    CHECK_EQUAL(test_statistics(world->engine).jobs_scheduled, 2);
    world_free(world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_debounce_waits_outside),
        cmocka_unit_test(who_replaces_waits_outside),
        cmocka_unit_test(who_drops_is_in_no_section),
        cmocka_unit_test(who_claims_is_in_no_section),
        cmocka_unit_test(a_debounce_without_space_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
