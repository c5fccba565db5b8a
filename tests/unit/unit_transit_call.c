/* unit_transit_call.c - submits that do not wait for the disk, and are told by a call: when it
 * comes, that it comes once whatever happens, and what may be done in it. Most of it in one thread,
 * as in unit_transit.c; where it says so, by the log's own. */
#include <pthread.h>
#include <stdio.h>

#include "tests/support/threads.h"
#include "tests/unit/transit_body.h"

/* What one call has said. Letters: W who calls. */
struct heard {
    leat_atomic_u32 count; /* W */
    leat_job_id id;        /* W the last one, as below */
    enum leat_status status;
    pthread_t thread;
    uint64_t order;
};

static leat_atomic_u64 order;

static void
hear(leat_job_id id, enum leat_status status, void *context)
{
    struct heard *heard = context;
    heard->id = id;
    heard->status = status;
    heard->thread = pthread_self();
    heard->order = atom_add_rlx(&order, 1) + 1;
    (void)atom_add_acq_rel(&heard->count, 1);
}

static uint32_t
heard_count(const struct heard *heard)
{
    return atom_load_acq(&heard->count);
}

static bool
was_heard(void *argument)
{
    return heard_count(argument) != 0;
}

static void
by_call(struct world *world, struct heard *heard)
{
    world->options.acknowledgements = NULL;
    world->options.acknowledged = hear;
    world->options.acknowledged_context = heard;
}

static leat_job_id
submit_heard(struct world *world, struct heard *heard)
{
    by_call(world, heard);
    return submit(world, NULL);
}

static void
check_heard(const struct heard *heard, enum leat_status status, leat_job_id id)
{
    CHECK_EQUAL(heard_count(heard), 1);
    CHECK_STATUS(heard->status, status);
    CHECK_EQUAL(heard->id.bits, id.bits);
}

/* ---- when it comes --------------------------------------------------------------------------- */

static void
a_call_comes_when_it_is_durable(void **state)
{
    struct world *world = world_make(8);
    struct heard heard = {.count = 0};
    (void)state;
    CHECK_OK(leat_start(world->engine));
    log_rest(world);
    leat_job_id id = submit_heard(world, &heard);
    for (uint32_t i = 0; i < 2; i++) {
        CHECK(!is_there(world, id));
        CHECK_EQUAL(heard_count(&heard), 0);
        leat_durable_landed(world->engine->durable);
    }
    log_land(world);
    check_heard(&heard, LEAT_OK, id);
    CHECK(is_there(world, id));
    uint64_t tail = atom_load_rlx(&log_of(world)->ring.tail);
    CHECK(leat_wal_is_durable(log_of(world), tail));
    run_all(world);
    log_land(world);
    CHECK_EQUAL(world->runs, 1);
    CHECK_EQUAL(heard_count(&heard), 1);
    take_none(world);
    world_free(world);
}

/* By the log's own thread, in the order of the submits; and of two ways at once. */
static void
many_by_the_thread(void **state)
{
    enum { COUNT = 2000 };
    static struct heard heard[COUNT];
    static leat_job_id ids[COUNT];
    struct world *world = world_make(COUNT);
    uint32_t queued = 0;
    (void)state;
    memset(heard, 0, sizeof(heard));
    for (uint32_t i = 0; i < COUNT; i++) {
        bool calls = i % 4 != 3;
        by_call(world, &heard[i]);
        world->options.acknowledged = calls ? hear : NULL;
        world->options.acknowledgements = calls ? NULL : world->queue;
        world->options.durability = i % 8 == 1 ? LEAT_DURABILITY_OS : LEAT_DURABILITY_GROUP;
        enum leat_status status = LEAT_FULL;
        while (status == LEAT_FULL) { /* of the log's ring */
            status = try_submit(world, &heard[i], &ids[i]);
        }
        CHECK_OK(status);
        queued += calls ? 0 : 1;
    }
    for (uint32_t i = 0; i < COUNT; i++) {
        if (i % 4 != 3) {
            CHECK(test_until(was_heard, &heard[i]));
            check_heard(&heard[i], LEAT_OK, ids[i]);
            CHECK(pthread_equal(heard[i].thread, log_of(world)->threads.writer) != 0);
        }
        if (i >= 8 && i % 4 == 2) {
            CHECK(heard[i].order > heard[i - 4].order);
        }
    }
    while (atom_load_acq(&world->engine->durable->flying) != 0) {
        (void)usleep(100);
    }
    for (uint32_t i = 0; i < queued; i++) {
        CHECK_STATUS(take(world).status, LEAT_OK);
    }
    take_none(world);
    world_close(world);
    world_open(world, 1);
    CHECK_EQUAL(jobs_found(world), COUNT);
    for (uint32_t i = 0; i < COUNT; i++) {
        CHECK_EQUAL(heard_count(&heard[i]), i % 4 != 3 ? 1 : 0); /* nobody hears of them again */
    }
    world_free(world);
}

static void
claims_are_told(void **state)
{
    struct world *world = world_make(8);
    struct heard heard[4] = {{.count = 0}};
    (void)state;
    log_rest(world);
    world->options.name = "one";
    leat_job_id first = submit_heard(world, &heard[0]);
    leat_job_id second = submit_heard(world, &heard[1]);
    world->options.name = NULL;
    world->options.unique_key = "k";
    world->options.unique_key_bytes = 1;
    leat_job_id keyed = submit_heard(world, &heard[2]);
    world->options.unique_conflict = LEAT_UNIQUE_EXISTING;
    (void)submit_heard(world, &heard[3]);
    log_land(world);
    check_heard(&heard[0], LEAT_OK, first);
    check_heard(&heard[1], LEAT_EXISTS, second);
    check_heard(&heard[2], LEAT_OK, keyed);
    check_heard(&heard[3], LEAT_JOINED, keyed);
    CHECK_EQUAL(test_statistics(world->engine).jobs_waiting, 2);
    world_free(world);
}

/* ---- once, whatever happens ------------------------------------------------------------------ */

static void
a_failed_log_is_told(void **state)
{
    struct world *world = world_make(8);
    struct heard heard[2] = {{.count = 0}};
    leat_job_id id = {77};
    (void)state;
    log_rest(world);
    leat_job_id lost = submit_heard(world, &heard[0]);
    atom_store_rlx(&log_of(world)->failed, 1);
    log_land(world);
    check_heard(&heard[0], LEAT_LOG_FAILED, lost);
    CHECK(!is_there(world, lost));
    by_call(world, &heard[1]);
    CHECK_STATUS(try_submit(world, NULL, &id), LEAT_LOG_FAILED);
    CHECK_EQUAL(id.bits, 77);
    log_land(world);
    world_free(world);
    CHECK_EQUAL(heard_count(&heard[0]), 1);
    CHECK_EQUAL(heard_count(&heard[1]), 0);
}

static void
no_space_is_told(void **state)
{
    struct world *world = world_make(8);
    struct heard heard = {.count = 0};
    leat_job_id id = {77};
    (void)state;
    log_rest(world);
    leat_job_id lost = submit_heard(world, &heard);
    CHECK(leat_wal_role_take(&log_of(world)->role));
    leat_wal_settle(log_of(world), LEAT_NO_SPACE);
    leat_wal_role_give(&log_of(world)->role, true);
    leat_durable_landed(world->engine->durable);
    check_heard(&heard, LEAT_NO_SPACE, lost);
    atom_store_rlx(&log_of(world)->full, 1);
    CHECK_STATUS(try_submit(world, NULL, &id), LEAT_NO_SPACE);
    atom_store_rlx(&log_of(world)->full, 0);
    world_free(world);
    CHECK_EQUAL(heard_count(&heard), 1);
}

/* What is in flight at a close is told before it returns: by the log's thread, by who closes, and
 * where the log has failed. */
static void
a_close_tells(void **state)
{
    enum { COUNT = 200 };
    static struct heard heard[COUNT];
    (void)state;
    for (uint32_t round = 0; round < 3; round++) {
        struct world *world = world_make(1);
        memset(heard, 0, sizeof(heard));
        if (round != 0) {
            log_rest(world);
        }
        for (uint32_t i = 0; i < COUNT; i++) {
            (void)submit_heard(world, &heard[i]);
        }
        if (round == 2) {
            atom_store_rlx(&log_of(world)->failed, 1);
        }
        CHECK_OK(leat_close(world->engine));
        for (uint32_t i = 0; i < COUNT; i++) {
            CHECK_EQUAL(heard_count(&heard[i]), 1);
            CHECK_STATUS(heard[i].status, round == 2 ? LEAT_LOG_FAILED : LEAT_OK);
        }
        world_open(world, 1);
        CHECK_EQUAL(jobs_found(world), round == 2 ? 0 : COUNT);
        world_free(world);
    }
}

/* Who is told of one submits the next one, for ever: a close ends that. */
struct chain {
    struct world *world;
    leat_atomic_u32 links; /* W */
    enum leat_status last;
};

static void
chain_on(leat_job_id id, enum leat_status status, void *context)
{
    struct chain *chain = context;
    struct world *world = chain->world;
    leat_job_id next = {0};
    (void)id;
    CHECK_STATUS(status, LEAT_OK);
    do {
        chain->last = leat_submit(world->engine, &world->job, &next);
    } while (chain->last == LEAT_FULL);
    (void)atom_add_acq_rel(&chain->links, 1);
}

static bool
chain_is_long(void *argument)
{
    struct chain *chain = argument;
    return atom_load_acq(&chain->links) >= 100;
}

static void
a_close_ends_a_chain(void **state)
{
    struct world *world = world_make(1);
    struct chain chain = {.world = world};
    (void)state;
    world->options.acknowledgements = NULL;
    world->options.acknowledged = chain_on;
    world->options.acknowledged_context = &chain;
    (void)submit(world, NULL);
    CHECK(test_until(chain_is_long, &chain));
    CHECK_OK(leat_close(world->engine));
    CHECK_STATUS(chain.last, LEAT_CLOSED);
    world_open(world, 1);
    CHECK_EQUAL(jobs_found(world), atom_load_acq(&chain.links));
    world_free(world);
}

/* ---- where nothing is written ---------------------------------------------------------------- */

static void
at_once_where_nothing_is_written(void **state)
{
    struct world *world = world_make(8);
    struct heard heard[4] = {{.count = 0}};
    (void)state;
    log_rest(world);
    world->options.durability = LEAT_DURABILITY_NONE;
    leat_job_id id = submit_heard(world, &heard[0]);
    check_heard(&heard[0], LEAT_OK, id);
    CHECK(pthread_equal(heard[0].thread, pthread_self()) != 0);
    CHECK(is_there(world, id));
    world->options.name = "n";
    (void)submit_heard(world, &heard[1]);
    CHECK_EQUAL(heard_count(&heard[1]), 1);
    CHECK_STATUS(try_submit(world, NULL, &id), LEAT_EXISTS); /* of that there is no call */
    CHECK_EQUAL(heard_count(&heard[1]), 1);
    for (uint32_t i = 0; i < 2; i++) {
        world_close(world);
        world->config.log_directory = NULL;
        world->config.inline_mode = i == 1;
        world_open(world, 2);
        id = submit_heard(world, &heard[2 + i]);
        check_heard(&heard[2 + i], LEAT_OK, id);
        CHECK_EQUAL(world->runs, i);
    }
    world_free(world);
}

/* ---- what is refused ------------------------------------------------------------------------- */

static void
what_is_refused(void **state)
{
    struct world *world = world_make(8);
    struct heard heard = {.count = 0};
    struct leat_schedule schedule = leat_schedule_default();
    leat_job_id id = {77};
    (void)state;
    by_call(world, &heard);
    world->options.acknowledgements = world->queue;
    CHECK_STATUS(try_submit(world, NULL, &id), LEAT_INVALID);
    by_call(world, &heard);
    enum leat_status whole =
        leat_submit_batch(world->engine, &world->job, 1, LEAT_BATCH_ALL_OR_NONE, &id, NULL);
    CHECK_STATUS(whole, LEAT_UNSUPPORTED);
    schedule.job = &world->job;
    schedule.spec = "@hourly";
    CHECK_STATUS(leat_schedule_add(world->engine, "s", &schedule, NULL), LEAT_INVALID);
    const leat_job_id parent = {5};
    world->options.parents = &parent;
    world->options.parents_count = 1;
    CHECK_STATUS(try_submit(world, NULL, &id), LEAT_UNSUPPORTED);
    world->options.parents_count = 0;
    CHECK_EQUAL(id.bits, 77);
    /* What was built with an earlier header has no call, and waits. */
    world->options.size = (uint32_t)offsetof(struct leat_job_options, acknowledged);
    (void)submit(world, NULL);
    CHECK_EQUAL(atom_load_acq(&world->engine->durable->flying), 0);
    CHECK_EQUAL(test_statistics(world->engine).jobs_waiting, 1);
    world_free(world);
    CHECK_EQUAL(heard_count(&heard), 0);
}

/* ---- what may be done in a call -------------------------------------------------------------- */

struct inside {
    struct world *world;
    struct world *other;
    struct heard next;
    leat_job_id waits; /* a job that waits */
    leat_atomic_u32 done;
};

static void
check_deadlocks(struct world *world, leat_job_id waits)
{
    struct leat_engine *engine = world->engine;
    struct leat_job job = world->job;
    leat_job_id id = {77};
    enum leat_status status = LEAT_OK;
    job.options = NULL;
    CHECK_STATUS(leat_submit(engine, &job, &id), LEAT_DEADLOCK);
    CHECK_STATUS(leat_submit_batch(engine, &job, 1, LEAT_BATCH_EACH, &id, &status), LEAT_DEADLOCK);
    CHECK_STATUS(status, LEAT_DEADLOCK);
    CHECK_STATUS(leat_submit_batch(engine, &job, 1, LEAT_BATCH_ALL_OR_NONE, NULL, NULL),
                 LEAT_DEADLOCK);
    CHECK_STATUS(leat_wait(engine, waits, MINUTE_NS, NULL), LEAT_DEADLOCK);
    CHECK_STATUS(leat_drain(engine, 0), LEAT_DEADLOCK);
    CHECK_STATUS(leat_stop(engine, 0), LEAT_DEADLOCK);
    CHECK_STATUS(leat_run_some(engine, 1, NULL), LEAT_DEADLOCK);
    CHECK_STATUS(leat_close(engine), LEAT_DEADLOCK);
}

static void
act(leat_job_id id, enum leat_status status, void *context)
{
    struct inside *inside = context;
    struct world *world = inside->world;
    struct leat_job_info info = leat_job_info_default();
    struct leat_job job = world->job;
    struct leat_job_options options = leat_job_options_default();
    leat_job_id loose = {0};
    CHECK_STATUS(status, LEAT_OK);
    CHECK_OK(leat_get(world->engine, id, &info));
    check_deadlocks(world, inside->waits);
    /* The log of another engine may be waited for, and then this one is as it was. */
    struct leat_job elsewhere = inside->other->job;
    elsewhere.options = NULL;
    CHECK_OK(leat_submit(inside->other->engine, &elsewhere, NULL));
    if (pthread_equal(pthread_self(), log_of(world)->threads.writer) != 0) {
        CHECK(leat_durable_lands_here(world->engine->durable));
    }
    check_deadlocks(world, inside->waits);
    CHECK_OK(leat_cancel(world->engine, inside->waits));
    options.durability = LEAT_DURABILITY_NONE;
    job.options = &options;
    CHECK_OK(leat_submit(world->engine, &job, &loose));
    options.durability = LEAT_DURABILITY_GROUP;
    options.acknowledged = hear;
    options.acknowledged_context = &inside->next;
    CHECK_OK(leat_submit(world->engine, &job, NULL));
    (void)atom_add_acq_rel(&inside->done, 1);
}

/* A job that waits, and one for which act() is called. */
static void
submit_and_act(struct inside *inside, enum leat_durability durability)
{
    struct world *world = inside->world;
    CHECK_OK(leat_start(world->engine));
    world->job.options = NULL;
    inside->waits = submit(world, NULL);
    world->job.options = &world->options;
    world->options.durability = durability;
    world->options.acknowledgements = NULL;
    world->options.acknowledged = act;
    world->options.acknowledged_context = inside;
    (void)submit(world, NULL);
}

static void
what_may_be_done(void **state)
{
    struct world *world = world_make(8);
    struct world *other = world_make(8);
    struct inside inside = {.world = world, .other = other};
    (void)state;
    submit_and_act(&inside, world->options.durability);
    CHECK(test_until(was_heard, &inside.next));
    CHECK_STATUS(inside.next.status, LEAT_OK);
    CHECK_EQUAL(atom_load_acq(&inside.done), 1);
    CHECK_EQUAL(test_get(world->engine, inside.waits).state, LEAT_JOB_CANCELLED);
    world->job.options = NULL;
    (void)submit(world, NULL); /* and by who is not in a call it may be waited for again */
    CHECK_EQUAL(test_statistics(world->engine).jobs_waiting, 4);
    CHECK_EQUAL(test_statistics(other->engine).jobs_waiting, 1);
    world_free(world);
    world_free(other);
}

/* The same where it is the submitter that calls. */
static void
what_may_be_done_at_once(void **state)
{
    struct world *world = world_make(8);
    struct world *other = world_make(8);
    struct inside inside = {.world = world, .other = other};
    (void)state;
    submit_and_act(&inside, LEAT_DURABILITY_NONE);
    CHECK_EQUAL(atom_load_acq(&inside.done), 1);
    CHECK(test_until(was_heard, &inside.next));
    world_free(world);
    world_free(other);
}

/* ---- no ids left, in a call ------------------------------------------------------------------ */

/* Another thread has the mutex of the ceiling, and waits for what is behind a record that is not
 * there yet. Whose record that is only kicks: so the log's thread is to go on, though it waits for
 * the mutex, for a submit of a call's. */
struct ids {
    struct world *world;
    struct heard next;
    leat_atomic_u32 in_call;
    leat_atomic_u32 locked;
    uint64_t front; /* where the record is to stand */
    uint64_t behind;
};

static bool
is_set(void *argument)
{
    return atom_load_acq((leat_atomic_u32 *)argument) != 0;
}

static void
submit_without_ids(leat_job_id id, enum leat_status status, void *context)
{
    struct ids *ids = context;
    struct world *world = ids->world;
    struct leat_job job = world->job;
    struct leat_job_options options = leat_job_options_default();
    (void)id;
    CHECK_STATUS(status, LEAT_OK);
    atom_store_rel(&ids->in_call, 1);
    CHECK(test_until(is_set, &ids->locked));
    atom_store_rel(&world->engine->durable->ceiling, 0);
    options.acknowledged = hear;
    options.acknowledged_context = &ids->next;
    job.options = &options;
    CHECK_OK(leat_submit(world->engine, &job, NULL));
}

static const uint64_t nobody = UINT64_C(3) << 26;

static void
lock_and_wait(void *shared, uint32_t number)
{
    struct ids *ids = shared;
    struct leat_durable *durable = ids->world->engine->durable;
    const struct leat_wal_entry entry = {
        .tag = LEAT_DURABLE_END, .head = &nobody, .head_bytes = sizeof(nobody)};
    (void)number;
    CHECK(test_until(is_set, &ids->in_call));
    leat_mutex_lock(&durable->mutex);
    CHECK(leat_bytes_reserve(&durable->wal.ring, leat_bytes_size(sizeof(nobody)), &ids->front));
    CHECK_OK(leat_wal_append(&durable->wal, &entry, 1, LEAT_WAL_LAST, &ids->behind));
    atom_store_rel(&ids->locked, 1);
    CHECK_OK(leat_wal_wait(&durable->wal, ids->behind, leat_os_monotonic_ns() + TEST_PATIENCE_NS));
    leat_mutex_unlock(&durable->mutex);
}

static void
ids_run_out_in_a_call(void **state)
{
    static struct test_threads threads;
    struct world *world = world_make(8);
    struct ids ids = {.world = world};
    struct leat_bytes *ring = &log_of(world)->ring;
    (void)state;
    world->options.acknowledgements = NULL;
    world->options.acknowledged = submit_without_ids;
    world->options.acknowledged_context = &ids;
    test_threads_start(&threads, 1, lock_and_wait, &ids);
    (void)submit(world, NULL);
    CHECK(test_until(is_set, &ids.locked));
    (void)usleep(50000);
    CHECK_EQUAL(heard_count(&ids.next), 0);
    leat_bytes_copy(ring, ids.front, 0, &nobody, sizeof(nobody));
    leat_bytes_publish(ring, ids.front, leat_bytes_word(sizeof(nobody), LEAT_DURABLE_END));
    leat_wal_kick(log_of(world));
    test_threads_join(&threads);
    CHECK(test_until(was_heard, &ids.next));
    CHECK_STATUS(ids.next.status, LEAT_OK);
    CHECK(atom_load_acq(&world->engine->durable->ceiling) != 0);
    world_free(world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_comes_when_it_is_durable),
        cmocka_unit_test(many_by_the_thread),
        cmocka_unit_test(claims_are_told),
        cmocka_unit_test(a_failed_log_is_told),
        cmocka_unit_test(no_space_is_told),
        cmocka_unit_test(a_close_tells),
        cmocka_unit_test(a_close_ends_a_chain),
        cmocka_unit_test(at_once_where_nothing_is_written),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(what_may_be_done),
        cmocka_unit_test(what_may_be_done_at_once),
        cmocka_unit_test(ids_run_out_in_a_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
