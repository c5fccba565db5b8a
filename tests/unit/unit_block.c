/* unit_block.c - submits that wait for room: each thing that makes room wakes them, and those that
 * fit are taken in; time, the queue's and the job's own; a drain, a stop and the close of the
 * queue end the wait; who may not wait is refused at once: handlers, hosts with 0 workers, jobs
 * that never fit, submits that another limit refuses, and those to queues that reject.
 * All-or-none batches: unit_batch_room.
 * Holds I2 of engine/room.h. */
#include <stdio.h>
#include <stdlib.h>

#include "engine/engine_internal.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/threads.h"

#define LARGE    100
#define BLOCK_NS UINT64_C(20000000)

struct fixture {
    struct leat_engine *engine;
    leat_type type;
    leat_type inner;
    leat_queue queue;
    leat_queue other;
    struct test_gate gate;
    unsigned char payload[LARGE];
    enum leat_status inside; /* what a handler's submit answered */
    enum leat_status waited; /* of the thread that waits */
    uint64_t waited_ns;
    size_t waited_bytes;
    uint64_t block_ns; /* of its job; 0: none */
    leat_job_id last;
    struct test_threads threads;
};

static struct leat_job
job_of(const struct fixture *fixture, size_t bytes)
{
    struct leat_job job = leat_job_default();
    job.type = fixture->type;
    job.queue = fixture->queue;
    job.payload = bytes == 0 ? NULL : fixture->payload;
    job.payload_bytes = bytes;
    return job;
}

static struct leat_outcome
run(struct leat_run *attempt, void *context)
{
    (void)attempt;
    (void)context;
    return leat_done();
}

static struct leat_outcome
submit_inside(struct leat_run *attempt, void *context)
{
    struct fixture *fixture = context;
    struct leat_job job = job_of(fixture, 0);
    fixture->inside = leat_submit(leat_run_engine(attempt), &job, NULL);
    return leat_done();
}

static struct fixture *
setup_of(uint32_t workers, uint64_t block_ns)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    CHECK(fixture != NULL);
    struct leat_config config = test_config();
    struct leat_queue_options options = leat_queue_options_default();
    config.workers = workers;
    fixture->engine = test_start(&config);
    fixture->type = test_register(fixture->engine, "run", run, fixture);
    fixture->inner = test_register(fixture->engine, "inner", submit_inside, fixture);
    options.waiting_max = 2;
    options.waiting_bytes_max = LARGE;
    options.full = LEAT_FULL_BLOCK;
    options.block_ns = block_ns;
    CHECK_OK(leat_queue_create(fixture->engine, "blocks", &options, &fixture->queue));
    CHECK_OK(leat_queue_find(fixture->engine, "default", &fixture->other));
    CHECK_OK(leat_queue_pause(fixture->engine, fixture->queue));
    return fixture;
}

static void
teardown(struct fixture *fixture)
{
    test_close(fixture->engine);
    free(fixture);
}

static enum leat_status
submit(struct fixture *fixture, size_t bytes)
{
    struct leat_job job = job_of(fixture, bytes);
    return leat_submit(fixture->engine, &job, &fixture->last);
}

static void
waiter(void *shared, uint32_t number)
{
    struct fixture *fixture = shared;
    struct leat_job job = job_of(fixture, fixture->waited_bytes);
    struct leat_job_options options = leat_job_options_default();
    uint64_t begin_ns = test_now_ns();
    (void)number;
    options.block_ns = fixture->block_ns;
    job.options = fixture->block_ns == 0 ? NULL : &options;
    fixture->waited = leat_submit(fixture->engine, &job, NULL);
    fixture->waited_ns = test_now_ns() - begin_ns;
}

static bool
someone_waits(void *argument)
{
    struct fixture *fixture = argument;
    const struct leat_room *room = &fixture->engine->rooms.queues[fixture->queue.bits - 1].room;
    return ((atom_load_rlx(&room->jobs.used) | atom_load_rlx(&room->bytes.used)) &
            LEAT_QUOTA_WAITED) != 0;
}

/* Fills the queue, and has a thread wait for room. */
static void
begin_wait(struct fixture *fixture)
{
    CHECK_OK(submit(fixture, 1));
    CHECK_OK(submit(fixture, LARGE - 1));
    test_threads_start(&fixture->threads, 1, waiter, fixture);
    CHECK(test_until(someone_waits, fixture));
}

/* ---- what makes room ------------------------------------------------------------------------- */

enum maker { MAKER_CANCEL, MAKER_RUN, MAKER_LIMIT, MAKER_PURGE, MAKER_RESCHEDULE, MAKER_COUNT };

static void
make_room(struct fixture *fixture, enum maker maker)
{
    struct leat_queue_limits limits = leat_queue_limits_default();
    size_t count = 0;
    switch (maker) {
    case MAKER_CANCEL:
        CHECK_OK(leat_cancel(fixture->engine, fixture->last));
        break;
    case MAKER_RUN:
        CHECK_OK(leat_queue_resume(fixture->engine, fixture->queue));
        break;
    case MAKER_LIMIT:
        limits.waiting_max = 3;
        limits.waiting_bytes_max = UINT64_C(2) * LARGE;
        limits.full = LEAT_FULL_BLOCK;
        CHECK_OK(leat_queue_set_limits(fixture->engine, fixture->queue, &limits));
        break;
    case MAKER_PURGE:
        CHECK_OK(leat_queue_purge(fixture->engine, fixture->queue, &count));
        CHECK(count == 2 || count == 3); /* the one that it lets in may be among them */
        break;
    case MAKER_RESCHEDULE:
        CHECK_OK(leat_reschedule(fixture->engine, fixture->last,
                                 leat_when_in(3600 * UINT64_C(1000000000))));
        break;
    case MAKER_COUNT:
        break;
    }
}

static void
room_wakes(void **state)
{
    (void)state;
    for (uint32_t maker = 0; maker < MAKER_COUNT; maker++) {
        struct fixture *fixture = setup_of(1, LEAT_FOREVER);
        fixture->waited_bytes = LARGE / 2;
        begin_wait(fixture);
        make_room(fixture, (enum maker)maker);
        test_threads_join(&fixture->threads);
        CHECK_OK(fixture->waited);
        teardown(fixture);
    }
}

/* Room that is too small for one who waits leaves it waiting, and the next room wakes it. */
static void
too_little_room(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(1, LEAT_FOREVER);
    leat_job_id first = {0};
    fixture->waited_bytes = LARGE;
    CHECK_OK(submit(fixture, 1));
    first = fixture->last;
    CHECK_OK(submit(fixture, 1));
    test_threads_start(&fixture->threads, 1, waiter, fixture);
    CHECK(test_until(someone_waits, fixture));
    CHECK_OK(leat_cancel(fixture->engine, first));
    CHECK(test_until(someone_waits, fixture));
    CHECK_OK(leat_cancel(fixture->engine, fixture->last));
    test_threads_join(&fixture->threads);
    CHECK_OK(fixture->waited);
    teardown(fixture);
}

/* ---- time ------------------------------------------------------------------------------------ */

static void
time_out(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(1, BLOCK_NS);
    CHECK_OK(submit(fixture, 1));
    CHECK_OK(submit(fixture, 1));
    waiter(fixture, 0);
    CHECK_STATUS(fixture->waited, LEAT_TIMEOUT);
    CHECK(fixture->waited_ns >= BLOCK_NS);
    fixture->block_ns = 1;
    waiter(fixture, 0);
    CHECK_STATUS(fixture->waited, LEAT_TIMEOUT);
    fixture->block_ns = 2 * BLOCK_NS;
    waiter(fixture, 0);
    CHECK_STATUS(fixture->waited, LEAT_TIMEOUT);
    CHECK(fixture->waited_ns >= 2 * BLOCK_NS);
    struct leat_queue_info info = leat_queue_info_default();
    CHECK_OK(leat_queue_get_info(fixture->engine, fixture->queue, &info));
    CHECK_EQUAL(info.waiting, 2);
    teardown(fixture);
}

/* Options that say nothing of it leave it to the queue. */
static void
time_of_the_queue(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(1, BLOCK_NS);
    struct leat_job job = job_of(fixture, 1);
    const struct leat_job_options options = leat_job_options_default();
    job.options = &options;
    CHECK_OK(submit(fixture, 1));
    CHECK_OK(submit(fixture, 1));
    CHECK_STATUS(leat_submit(fixture->engine, &job, NULL), LEAT_TIMEOUT);
    teardown(fixture);
}

/* A call with a time of its own waits no longer than that. */
static void
time_of_the_call(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(1, LEAT_FOREVER);
    const struct leat_job job = job_of(fixture, 1);
    struct leat_bulk bulk = leat_bulk_default();
    bulk.jobs = &job;
    bulk.count = 1;
    bulk.mode = LEAT_BATCH_EACH;
    bulk.timeout_ns = BLOCK_NS;
    CHECK_OK(submit(fixture, 1));
    CHECK_OK(submit(fixture, 1));
    CHECK_STATUS(leat_submit_bulk(fixture->engine, &bulk), LEAT_TIMEOUT);
    teardown(fixture);
}

/* ---- what ends a wait ------------------------------------------------------------------------ */

static void
closed(void **state)
{
    (void)state;
    for (uint32_t way = 0; way < 3; way++) {
        struct fixture *fixture = setup_of(1, LEAT_FOREVER);
        begin_wait(fixture);
        if (way == 0) {
            /* What is paused is not waited for. */
            CHECK_OK(leat_drain(fixture->engine, TEST_PATIENCE_NS));
        } else if (way == 1) {
            CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
        } else {
            CHECK_STATUS(leat_queue_drain(fixture->engine, fixture->queue, 0), LEAT_TIMEOUT);
        }
        test_threads_join(&fixture->threads);
        CHECK_STATUS(fixture->waited, LEAT_CLOSED);
        teardown(fixture);
    }
}

/* ---- who does not wait ----------------------------------------------------------------------- */

static void
handlers_do_not_wait(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(1, LEAT_FOREVER);
    struct leat_job job = leat_job_default();
    leat_job_id id = {0};
    CHECK_OK(submit(fixture, 1));
    CHECK_OK(submit(fixture, 1));
    job.type = fixture->inner;
    job.flags = LEAT_JOB_KEEP_RESULT;
    CHECK_OK(leat_submit(fixture->engine, &job, &id));
    CHECK_EQUAL(test_wait(fixture->engine, id).state, LEAT_JOB_COMPLETED);
    CHECK_STATUS(fixture->inside, LEAT_FULL);
    CHECK_OK(leat_release(fixture->engine, id));
    teardown(fixture);
}

static void
lent_threads_do_not_wait(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(0, LEAT_FOREVER);
    CHECK_OK(submit(fixture, 1));
    CHECK_OK(submit(fixture, 1));
    CHECK_STATUS(submit(fixture, 1), LEAT_FULL);
    teardown(fixture);
}

/* Its times are those of a queue that blocks, and this one is none. */
static void
queues_that_reject(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(1, BLOCK_NS);
    struct leat_queue_limits limits = leat_queue_limits_default();
    limits.waiting_max = 1;
    limits.block_ns = BLOCK_NS;
    CHECK_OK(leat_queue_set_limits(fixture->engine, fixture->queue, &limits));
    CHECK_OK(submit(fixture, 1));
    CHECK_STATUS(submit(fixture, 1), LEAT_FULL);
    fixture->block_ns = BLOCK_NS;
    waiter(fixture, 0);
    CHECK_STATUS(fixture->waited, LEAT_FULL);
    teardown(fixture);
}

/* There are as many queues as may be: that is not looked for in the default one. */
static void
queues_that_are_none(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(1, LEAT_FOREVER);
    struct leat_queue_limits limits = leat_queue_limits_default();
    struct leat_job job = job_of(fixture, 1);
    leat_queue queue = {0};
    enum leat_status status = LEAT_OK;
    limits.full = LEAT_FULL_BLOCK;
    CHECK_OK(leat_queue_set_limits(fixture->engine, fixture->other, &limits));
    CHECK_OK(leat_queue_drain(fixture->engine, fixture->other, 0));
    for (uint32_t i = 0; status == LEAT_OK; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "q%u", i);
        status = leat_queue_create(fixture->engine, name, NULL, &queue);
    }
    CHECK_STATUS(status, LEAT_FULL);
    job.queue.bits = 0;
    job.queue_name = "one-more";
    CHECK_STATUS(leat_submit(fixture->engine, &job, NULL), LEAT_FULL);
    teardown(fixture);
}

/* All or none, which never fits, takes no part; each on its own waits. */
static void
batches(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(1, BLOCK_NS);
    struct leat_job jobs[3] = {job_of(fixture, 1), job_of(fixture, 1), job_of(fixture, 1)};
    leat_job_id ids[3] = {{0}};
    enum leat_status statuses[3];
    CHECK_STATUS(leat_submit_batch(fixture->engine, jobs, 3, LEAT_BATCH_ALL_OR_NONE, ids, statuses),
                 LEAT_FULL);
    CHECK_STATUS(leat_submit_batch(fixture->engine, jobs, 3, LEAT_BATCH_EACH, ids, statuses),
                 LEAT_TIMEOUT);
    CHECK_STATUS(statuses[1], LEAT_OK);
    CHECK_STATUS(statuses[2], LEAT_TIMEOUT);
    CHECK_EQUAL(ids[2].bits, 0);
    teardown(fixture);
}

static void
what_never_fits(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(1, LEAT_FOREVER);
    struct leat_queue_limits limits = leat_queue_limits_default();
    limits.full = LEAT_FULL_BLOCK;
    limits.waiting_bytes_max = LARGE - 1;
    CHECK_OK(leat_queue_set_limits(fixture->engine, fixture->queue, &limits));
    CHECK_STATUS(submit(fixture, LARGE), LEAT_FULL);
    limits.waiting_bytes_max = 0;
    CHECK_OK(leat_queue_set_limits(fixture->engine, fixture->queue, &limits));
    for (uint32_t i = 0; i < 64; i++) {
        CHECK_OK(submit(fixture, 0));
    }
    CHECK_STATUS(submit(fixture, 0), LEAT_FULL); /* jobs_max: no room to wait for */
    teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(room_wakes),
        cmocka_unit_test(too_little_room),
        cmocka_unit_test(time_out),
        cmocka_unit_test(time_of_the_queue),
        cmocka_unit_test(time_of_the_call),
        cmocka_unit_test(queues_that_reject),
        cmocka_unit_test(queues_that_are_none),
        cmocka_unit_test(closed),
        cmocka_unit_test(handlers_do_not_wait),
        cmocka_unit_test(lent_threads_do_not_wait),
        cmocka_unit_test(batches),
        cmocka_unit_test(what_never_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
