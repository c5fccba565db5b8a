/* unit_transit.c - submits that do not wait for the disk: what is there before they are
 * acknowledged and behind it, and what they are told. Most of it in one thread: the log's own
 * threads are ended, and the test writes, syncs and lands by itself. */
#include <poll.h>
#include <stdio.h>

#include "tests/unit/transit_body.h"

/* ---- what is there, and when ----------------------------------------------------------------- */

static void
a_job_is_there_when_it_is_durable(void **state)
{
    struct world *world = world_make(8);
    char tag = 0;
    (void)state;
    CHECK_OK(leat_start(world->engine));
    log_rest(world);
    leat_job_id id = submit(world, &tag);
    for (uint32_t i = 0; i < 2; i++) {
        CHECK(!is_there(world, id));
        CHECK_STATUS(leat_cancel(world->engine, id), LEAT_NOT_FOUND);
        CHECK_STATUS(leat_wait(world->engine, id, 0, NULL), LEAT_NOT_FOUND);
        CHECK_STATUS(leat_completion_queue_destroy(world->queue), LEAT_BUSY);
        run_all(world);
        CHECK_EQUAL(world->runs, 0);
        take_none(world);
        leat_durable_landed(world->engine->durable);
    }
    log_land(world);
    CHECK(is_there(world, id));
    struct leat_completion item = take_acknowledgement(world, LEAT_OK, &tag);
    CHECK_EQUAL(item.id.bits, id.bits);
    CHECK_EQUAL(item.state, LEAT_JOB_PENDING);
    run_all(world);
    CHECK_EQUAL(world->runs, 1);
    take_none(world);
    CHECK_OK(leat_completion_queue_destroy(world->queue));
    world_free(world);
}

/* A job that is due later; one of which the end comes to the queue, too. */
static void
state_and_end(void **state)
{
    struct world *world = world_make(8);
    char tags[2];
    (void)state;
    CHECK_OK(leat_start(world->engine));
    log_rest(world);
    world->job.delay_ns = MINUTE_NS;
    leat_job_id later = submit(world, &tags[0]);
    world->job.delay_ns = 0;
    world->job.completions = world->queue;
    world->job.flags = LEAT_JOB_KEEP_RESULT;
    leat_job_id now = submit(world, &tags[1]);
    log_land(world);
    CHECK_EQUAL(take_acknowledgement(world, LEAT_OK, &tags[0]).state, LEAT_JOB_SCHEDULED);
    CHECK_EQUAL(take_acknowledgement(world, LEAT_OK, &tags[1]).state, LEAT_JOB_PENDING);
    CHECK(test_get(world->engine, later).due_in_ns > MINUTE_NS / 2);
    run_all(world);
    struct leat_completion end = take(world);
    CHECK_EQUAL(end.kind, LEAT_COMPLETION_END);
    CHECK_STATUS(end.status, LEAT_OK);
    CHECK_EQUAL(end.id.bits, now.bits);
    CHECK_EQUAL(end.state, LEAT_JOB_COMPLETED);
    CHECK_OK(leat_release(world->engine, now));
    CHECK_OK(leat_cancel(world->engine, later));
    world_free(world);
}

/* By the log's own thread, which sleeps at first. */
static void
many_in_flight(void **state)
{
    enum { COUNT = 3000 };
    static char tags[COUNT];
    struct world *world = world_make(COUNT);
    int descriptor = -1;
    uint32_t acknowledged = 0;
    (void)state;
    CHECK_OK(leat_completion_queue_descriptor(world->queue, &descriptor));
    (void)usleep(30000);
    uint64_t batches = log_batches(world);
    for (uint32_t i = 0; i < COUNT; i++) {
        leat_job_id id = {0};
        enum leat_status status = LEAT_FULL;
        while (status == LEAT_FULL) { /* of the log's ring */
            status = try_submit(world, &tags[i], &id);
        }
        CHECK_OK(status);
    }
    while (acknowledged < COUNT) {
        struct leat_completion items[16];
        struct pollfd look = {.fd = descriptor, .events = POLLIN};
        size_t taken = 0;
        CHECK(poll(&look, 1, 10000) == 1);
        if (leat_completion_queue_take(world->queue, items, 16, &taken) == LEAT_OK) {
            for (size_t i = 0; i < taken; i++) {
                CHECK_STATUS(items[i].status, LEAT_OK);
                CHECK(items[i].user == &tags[acknowledged++]); /* in the order of the submits */
            }
        }
    }
    take_none(world);
    CHECK(log_batches(world) - batches < COUNT / 4);
    world_close(world);
    world_open(world, 1);
    CHECK_EQUAL(jobs_found(world), COUNT);
    world_free(world);
}

/* ---- limits ---------------------------------------------------------------------------------- */

static void
slots_are_the_limit(void **state)
{
    struct world *world = world_make(2);
    leat_job_id id = {77};
    (void)state;
    log_rest(world);
    (void)submit(world, NULL);
    (void)submit(world, NULL);
    CHECK_STATUS(try_submit(world, NULL, &id), LEAT_FULL);
    CHECK_EQUAL(id.bits, 77);
    log_land(world);
    CHECK_STATUS(try_submit(world, NULL, &id), LEAT_FULL); /* until it is taken */
    (void)take_acknowledgement(world, LEAT_OK, NULL);
    (void)submit(world, NULL);
    CHECK_STATUS(try_submit(world, NULL, &id), LEAT_FULL);
    log_land(world);
    (void)take_acknowledgement(world, LEAT_OK, NULL);
    (void)take_acknowledgement(world, LEAT_OK, NULL);
    CHECK_EQUAL(test_statistics(world->engine).jobs_waiting, 3);
    world_free(world);
}

static void
a_full_ring_refuses(void **state)
{
    static char payload[8192];
    struct world *world = world_make(1024);
    leat_job_id id = {77};
    uint32_t taken = 0;
    (void)state;
    log_rest(world);
    world->job.payload = payload;
    world->job.payload_bytes = sizeof(payload);
    while (try_submit(world, NULL, &id) == LEAT_OK) {
        taken++;
    }
    CHECK(taken > 28 && taken < 32); /* of 8 KiB and a few in 256 KiB */
    CHECK_STATUS(try_submit(world, NULL, &id), LEAT_FULL);
    while (atom_load_rlx(&world->engine->durable->flying) != 0) {
        log_land(world);
    }
    for (uint32_t i = 0; i < taken; i++) {
        (void)take_acknowledgement(world, LEAT_OK, NULL);
    }
    take_none(world); /* those that were refused have none */
    (void)submit(world, NULL);
    CHECK_OK(leat_close(world->engine));
    world_open(world, 1);
    CHECK_EQUAL(jobs_found(world), taken + 1); /* a close takes in what is in flight */
    world_free(world);
}

/* ---- names and keys -------------------------------------------------------------------------- */

static void
claims_come_behind(void **state)
{
    struct world *world = world_make(16);
    char tags[6];
    (void)state;
    log_rest(world);
    world->options.name = "one";
    leat_job_id first = submit(world, &tags[0]);
    leat_job_id second = submit(world, &tags[1]); /* the same name */
    world->options.name = NULL;
    world->options.unique_key = "k";
    world->options.unique_key_bytes = 1;
    leat_job_id keyed = submit(world, &tags[2]);
    world->options.unique_conflict = LEAT_UNIQUE_EXISTING;
    (void)submit(world, &tags[3]);
    world->options.unique_conflict = LEAT_UNIQUE_REPLACE;
    leat_job_id replaces = submit(world, &tags[4]);
    log_land(world);
    /* What claims is told when what it may have taken the claim from is durable. */
    CHECK_EQUAL(take_acknowledgement(world, LEAT_EXISTS, &tags[1]).id.bits, second.bits);
    struct leat_completion items[8];
    size_t taken = 0;
    CHECK_OK(leat_completion_queue_take(world->queue, items, 8, &taken));
    CHECK_EQUAL(taken, 4);
    CHECK(items[0].user == &tags[0] && items[0].status == LEAT_OK);
    CHECK_EQUAL(items[0].id.bits, first.bits);
    CHECK(items[1].user == &tags[2] && items[1].status == LEAT_OK);
    CHECK(items[2].user == &tags[3] && items[2].status == LEAT_JOINED);
    CHECK_EQUAL(items[2].id.bits, keyed.bits);
    CHECK(items[3].user == &tags[4] && items[3].status == LEAT_OK);
    CHECK_EQUAL(items[3].id.bits, replaces.bits);
    CHECK_EQUAL(test_get(world->engine, keyed).state, LEAT_JOB_CANCELLED);
    CHECK(is_there(world, first) && is_there(world, replaces));
    uint64_t tail = atom_load_rlx(&log_of(world)->ring.tail);
    CHECK(leat_wal_is_durable(log_of(world), tail));
    world_close(world);
    world_open(world, 4);
    CHECK_EQUAL(jobs_found(world), 2);
    world_free(world);
}

/* More that claim than are put off at once. */
static void
many_claims(void **state)
{
    enum { COUNT = 100 };
    char names[COUNT][8];
    struct world *world = world_make(COUNT);
    (void)state;
    log_rest(world);
    for (uint32_t i = 0; i < COUNT; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "%u", i);
        world->options.name = names[i];
        (void)submit(world, names[i]);
    }
    log_land(world);
    for (uint32_t i = 0; i < COUNT; i++) {
        leat_job_id id = {0};
        struct leat_completion item = take_acknowledgement(world, LEAT_OK, names[i]);
        CHECK_OK(leat_job_find(world->engine, names[i], &id));
        CHECK_EQUAL(item.id.bits, id.bits);
    }
    world_free(world);
}

/* One that claims is told when a record in front is published, by a thread that only kicks: the
 * log's thread waits for that itself. And one that has another's time (a debounce). */
static void
a_record_in_front(void **state)
{
    struct world *world = world_make(8);
    struct leat_bytes *ring = &log_of(world)->ring;
    const uint64_t nobody = UINT64_C(3) << 26;
    uint64_t position = 0;
    int descriptor = -1;
    (void)state;
    CHECK_OK(leat_completion_queue_descriptor(world->queue, &descriptor));
    struct pollfd look = {.fd = descriptor, .events = POLLIN};
    world->options.unique_key = "k";
    world->options.unique_key_bytes = 1;
    world->options.unique_conflict = LEAT_UNIQUE_DEBOUNCE;
    world->job.delay_ns = MINUTE_NS;
    for (uint32_t i = 0; i < 2; i++) {
        while (!leat_wal_role_take(&log_of(world)->role)) {
            (void)usleep(100);
        }
        (void)submit(world, NULL);
        CHECK(leat_bytes_reserve(ring, leat_bytes_size(sizeof(nobody)), &position));
        leat_wal_role_give(&log_of(world)->role, true);
        (void)usleep(50000);
        take_none(world);
        leat_bytes_copy(ring, position, 0, &nobody, sizeof(nobody));
        leat_bytes_publish(ring, position, leat_bytes_word(sizeof(nobody), LEAT_DURABLE_END));
        leat_wal_kick(log_of(world));
        CHECK_EQUAL(poll(&look, 1, 10000), 1);
        CHECK_STATUS(take(world).status, i == 0 ? LEAT_OK : LEAT_JOINED);
    }
    world_free(world);
}

/* ---- logs that fail -------------------------------------------------------------------------- */

static void
a_failed_log_is_told(void **state)
{
    struct world *world = world_make(8);
    leat_job_id id = {77};
    (void)state;
    log_rest(world);
    leat_job_id lost = submit(world, &id);
    atom_store_rlx(&log_of(world)->failed, 1);
    log_land(world);
    struct leat_completion item = take_acknowledgement(world, LEAT_LOG_FAILED, &id);
    CHECK_EQUAL(item.id.bits, lost.bits);
    CHECK_EQUAL((uint32_t)item.state, 0);
    CHECK(!is_there(world, lost));
    CHECK_STATUS(try_submit(world, NULL, &id), LEAT_LOG_FAILED);
    CHECK_EQUAL(id.bits, 77);
    take_none(world);
    CHECK_EQUAL(test_statistics(world->engine).jobs_waiting, 0);
    world_free(world);
}

static void
no_space_is_told(void **state)
{
    struct world *world = world_make(8);
    leat_job_id id = {0};
    (void)state;
    log_rest(world);
    leat_job_id lost = submit(world, &id);
    CHECK(leat_wal_role_take(&log_of(world)->role));
    leat_wal_settle(log_of(world), LEAT_NO_SPACE);
    leat_wal_role_give(&log_of(world)->role, true);
    leat_durable_landed(world->engine->durable);
    (void)take_acknowledgement(world, LEAT_NO_SPACE, &id);
    CHECK(!is_there(world, lost));
    atom_store_rlx(&log_of(world)->full, 1);
    CHECK_STATUS(try_submit(world, NULL, &id), LEAT_NO_SPACE);
    atom_store_rlx(&log_of(world)->full, 0);
    take_none(world);
    world_close(world);
    world_open(world, 1);
    CHECK_EQUAL(jobs_found(world), 0); /* its end is behind its image */
    world_free(world);
}

/* ---- closing --------------------------------------------------------------------------------- */

static void
a_drain_waits(void **state)
{
    struct world *world = world_make(8);
    leat_job_id id = {77};
    (void)state;
    CHECK_OK(leat_start(world->engine));
    log_rest(world);
    (void)submit(world, NULL);
    CHECK_STATUS(leat_drain(world->engine, 0), LEAT_TIMEOUT);
    CHECK_STATUS(try_submit(world, NULL, &id), LEAT_CLOSED);
    CHECK_EQUAL(id.bits, 77);
    log_land(world);
    (void)take_acknowledgement(world, LEAT_OK, NULL); /* it was let in before */
    world->submits = true;
    CHECK_STATUS(leat_drain(world->engine, 0), LEAT_TIMEOUT);
    run_all(world);
    CHECK_EQUAL(world->runs, 1);
    CHECK_STATUS(leat_drain(world->engine, 0), LEAT_TIMEOUT); /* the child's submit is in flight */
    log_land(world);
    CHECK_EQUAL(take_acknowledgement(world, LEAT_OK, NULL).id.bits, world->child.bits);
    CHECK_OK(leat_drain(world->engine, MINUTE_NS));
    CHECK_EQUAL(world->runs, 2);
    world_free(world);
}

static void
a_closed_queue_refuses(void **state)
{
    struct world *world = world_make(8);
    leat_queue queue = {0};
    leat_job_id id = {77};
    (void)state;
    CHECK_OK(leat_queue_create(world->engine, "q", NULL, &queue));
    CHECK_OK(leat_start(world->engine));
    log_rest(world);
    world->job.queue = queue;
    leat_job_id late = submit(world, NULL);
    CHECK_OK(leat_queue_drain(world->engine, queue, MINUTE_NS));
    CHECK_STATUS(try_submit(world, NULL, &id), LEAT_CLOSED);
    log_land(world);
    (void)take_acknowledgement(world, LEAT_CLOSED, NULL);
    CHECK(!is_there(world, late));
    CHECK_OK(leat_queue_reopen(world->engine, queue));
    (void)submit(world, NULL);
    log_land(world);
    (void)take_acknowledgement(world, LEAT_OK, NULL);
    world_free(world);
}

/* ---- without a disk -------------------------------------------------------------------------- */

static void
at_once_where_nothing_is_written(void **state)
{
    struct world *world = world_make(8);
    char tag = 0;
    (void)state;
    log_rest(world);
    world->options.durability = LEAT_DURABILITY_NONE;
    leat_job_id id = submit(world, &tag);
    CHECK(is_there(world, id));
    CHECK_EQUAL(take_acknowledgement(world, LEAT_OK, &tag).id.bits, id.bits);
    world->options.name = "n";
    (void)submit(world, &tag);
    (void)take_acknowledgement(world, LEAT_OK, &tag);
    CHECK_STATUS(try_submit(world, &tag, &id), LEAT_EXISTS); /* is not told twice */
    take_none(world);
    for (uint32_t i = 0; i < 2; i++) {
        world_close(world);
        world->config.log_directory = NULL;
        world->config.inline_mode = i == 1;
        world_open(world, 2);
        id = submit(world, &tag);
        CHECK_EQUAL(take_acknowledgement(world, LEAT_OK, &tag).id.bits, id.bits);
        CHECK_EQUAL(world->runs, i);
        take_none(world);
    }
    world_free(world);
}

static void
what_is_refused(void **state)
{
    struct world *world = world_make(8);
    struct world *other = world_make(8);
    struct leat_schedule schedule = leat_schedule_default();
    leat_job_id id = {77};
    (void)state;
    enum leat_status whole =
        leat_submit_batch(world->engine, &world->job, 1, LEAT_BATCH_ALL_OR_NONE, &id, NULL);
    CHECK_STATUS(whole, LEAT_UNSUPPORTED);
    struct leat_graph graph = leat_graph_default();
    graph.jobs = &world->job;
    graph.count = 1;
    CHECK_STATUS(leat_submit_graph(world->engine, &graph, &id, NULL), LEAT_UNSUPPORTED);
    schedule.job = &world->job;
    schedule.spec = "@hourly";
    CHECK_STATUS(leat_schedule_add(world->engine, "s", &schedule, NULL), LEAT_INVALID);
    const leat_job_id parent = {5};
    world->options.parents = &parent;
    world->options.parents_count = 1;
    CHECK_STATUS(try_submit(world, NULL, &id), LEAT_UNSUPPORTED);
    world->options = leat_job_options_default();
    world->options.acknowledgements = other->queue;
    CHECK_STATUS(try_submit(world, NULL, &id), LEAT_INVALID);
    CHECK_EQUAL(id.bits, 77);
    take_none(world);
    world_free(other);
    world_free(world);
}

/* ---- several at once ------------------------------------------------------------------------- */

static void
a_batch_of_each_waits_once(void **state)
{
    enum { COUNT = 200 };
    static struct leat_job jobs[COUNT];
    static leat_job_id ids[COUNT];
    static enum leat_status statuses[COUNT];
    struct world *world = world_make(1);
    struct leat_job_options named = leat_job_options_default();
    struct leat_job_options loose = leat_job_options_default();
    struct leat_queue_options three = leat_queue_options_default();
    leat_queue queue = {0};
    (void)state;
    three.waiting_max = 3;
    CHECK_OK(leat_queue_create(world->engine, "three", &three, &queue));
    named.name = "name";
    loose.durability = LEAT_DURABILITY_NONE;
    for (uint32_t i = 0; i < COUNT; i++) {
        jobs[i] = world->job;
        jobs[i].options = i % 40 == 0 ? &named : NULL;
        jobs[i].options = i % 40 == 1 ? &loose : jobs[i].options;
        jobs[i].queue = i % 40 == 2 ? queue : jobs[i].queue;
    }
    jobs[50].payload_bytes = 1; /* and no payload */
    uint64_t batches = log_batches(world);
    CHECK_STATUS(leat_submit_batch(world->engine, jobs, COUNT, LEAT_BATCH_EACH, ids, statuses),
                 LEAT_EXISTS);
    CHECK(log_batches(world) - batches < COUNT / 4);
    for (uint32_t i = 0; i < COUNT; i++) {
        enum leat_status want = i % 40 == 0 && i != 0 ? LEAT_EXISTS : LEAT_OK;
        want = i % 40 == 2 && i > 3 * 40 ? LEAT_FULL : want;
        want = i == 50 ? LEAT_INVALID : want;
        CHECK_STATUS(statuses[i], want);
        CHECK((ids[i].bits != 0) == (want == LEAT_OK));
        CHECK(want != LEAT_OK || is_there(world, ids[i]));
    }
    CHECK_EQUAL(atom_load_rlx(&world->engine->durable->flying), 0);
    CHECK_EQUAL(test_statistics(world->engine).jobs_waiting, COUNT - 4 - 2 - 1);
    world_close(world);
    world_open(world, 1);
    CHECK_EQUAL(jobs_found(world), COUNT - 4 - 2 - 1 - 5); /* but for those that are not written */
    world_free(world);
}

/* More than are in flight at once, more than the log's ring has room for, none of them durable. */
static void
batches_of_any_size(void **state)
{
    enum { COUNT = 1500 };
    static struct leat_job jobs[COUNT];
    struct world *world = world_make(1);
    (void)state;
    for (uint32_t i = 0; i < COUNT; i++) {
        jobs[i] = world->job;
        jobs[i].options = NULL;
    }
    CHECK_OK(leat_submit_batch(world->engine, jobs, 1, LEAT_BATCH_EACH, NULL, NULL));
    CHECK_OK(leat_submit_batch(world->engine, jobs, COUNT, LEAT_BATCH_EACH, NULL, NULL));
    struct leat_bulk bulk = leat_bulk_default();
    bulk.jobs = jobs;
    bulk.count = 10;
    bulk.stop_at_error = true;
    CHECK_OK(leat_submit_bulk(world->engine, &bulk));
    CHECK_EQUAL(test_statistics(world->engine).jobs_waiting, COUNT + 11);
    world_free(world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_is_there_when_it_is_durable),
        cmocka_unit_test(state_and_end),
        cmocka_unit_test(many_in_flight),
        cmocka_unit_test(slots_are_the_limit),
        cmocka_unit_test(a_full_ring_refuses),
        cmocka_unit_test(claims_come_behind),
        cmocka_unit_test(many_claims),
        cmocka_unit_test(a_record_in_front),
        cmocka_unit_test(a_failed_log_is_told),
        cmocka_unit_test(no_space_is_told),
        cmocka_unit_test(a_drain_waits),
        cmocka_unit_test(a_closed_queue_refuses),
        cmocka_unit_test(at_once_where_nothing_is_written),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(a_batch_of_each_waits_once),
        cmocka_unit_test(batches_of_any_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
