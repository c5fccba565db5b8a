/* unit_batch_room.c - all-or-none batches beside limits: jobs of several queues and tenants are
 * taken as a whole or not at all, one below, at and above each limit; queues that
 * reject, that wait, and that drop, and these beside each other; who waits keeps nothing, is woken
 * by each room that is enough, and ends with its time or its queue; who drops, drops when all else
 * is sure, the oldest, as many as are needed, or none. Memory that is refused. */
#include <stdlib.h>
#include <string.h>

#include "engine/engine_internal.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/memory.h"
#include "tests/support/threads.h"

#define QUEUES   3
#define JOBS     64
#define BLOCK_NS UINT64_C(20000000)

struct fixture {
    struct leat_engine *engine;
    struct test_memory memory;
    leat_type type;
    leat_type inner;
    leat_tenant tenant;
    leat_queue queues[QUEUES]; /* 2 is not of the tenant */
    struct leat_job jobs[JOBS];
    uint32_t numbers[JOBS];
    leat_job_id ids[JOBS];
    enum leat_status statuses[JOBS];
    uint32_t ran[2 * JOBS];
    uint32_t ran_count;
    enum leat_status waited; /* of the thread that waits */
    uint32_t waited_count;
    enum leat_status inside;
    struct test_threads threads;
};

static enum leat_status
submit(struct fixture *fixture, size_t count)
{
    return leat_submit_batch(fixture->engine, fixture->jobs, count, LEAT_BATCH_ALL_OR_NONE,
                             fixture->ids, fixture->statuses);
}

static struct leat_outcome
run(struct leat_run *attempt, void *context)
{
    struct fixture *fixture = context;
    const uint32_t *number = leat_run_payload(attempt, NULL);
    fixture->ran[fixture->ran_count++] = *number;
    return leat_done();
}

static struct leat_outcome
run_inner(struct leat_run *attempt, void *context)
{
    struct fixture *fixture = context;
    (void)attempt;
    fixture->inside = submit(fixture, 2);
    return leat_done();
}

/* Jobs of the first queue, with 4 bytes each. */
static void
reset(struct fixture *fixture)
{
    for (uint32_t i = 0; i < JOBS; i++) {
        fixture->numbers[i] = i;
        fixture->jobs[i] = leat_job_default();
        fixture->jobs[i].type = fixture->type;
        fixture->jobs[i].queue = fixture->queues[0];
        fixture->jobs[i].payload = &fixture->numbers[i];
        fixture->jobs[i].payload_bytes = sizeof(uint32_t);
        fixture->ids[i].bits = 99;
        fixture->statuses[i] = LEAT_TIMEOUT;
    }
    fixture->ran_count = 0;
}

/* All queues with the same limits; the tenant has none. Where there are workers, the queues are
 * paused. */
static struct fixture *
setup_of(uint32_t workers, struct leat_queue_limits limits)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    CHECK(fixture != NULL);
    struct leat_config config = test_config();
    struct leat_queue_options options = leat_queue_options_default();
    const struct leat_tenant_options tenant = leat_tenant_options_default();
    static const char *const names[QUEUES] = {"a", "b", "c"};
    test_memory_init(&fixture->memory);
    config.allocator = test_memory_allocator(&fixture->memory);
    config.workers = workers;
    config.jobs_max = 256;
    fixture->engine = test_start(&config);
    fixture->type = test_register(fixture->engine, "run", run, fixture);
    fixture->inner = test_register(fixture->engine, "inner", run_inner, fixture);
    CHECK_OK(leat_tenant_create(fixture->engine, "t", &tenant, &fixture->tenant));
    options.waiting_max = limits.waiting_max;
    options.waiting_bytes_max = limits.waiting_bytes_max;
    options.full = limits.full;
    options.block_ns = limits.block_ns;
    for (uint32_t i = 0; i < QUEUES; i++) {
        options.tenant.bits = i < 2 ? fixture->tenant.bits : 0;
        CHECK_OK(leat_queue_create(fixture->engine, names[i], &options, &fixture->queues[i]));
        if (workers != 0) {
            CHECK_OK(leat_queue_pause(fixture->engine, fixture->queues[i]));
        }
    }
    reset(fixture);
    return fixture;
}

static struct leat_queue_limits
limits_of(uint32_t jobs, uint64_t bytes, enum leat_full_policy full, uint64_t block_ns)
{
    struct leat_queue_limits limits = leat_queue_limits_default();
    limits.waiting_max = jobs;
    limits.waiting_bytes_max = bytes;
    limits.full = full;
    limits.block_ns = block_ns;
    return limits;
}

static struct fixture *
setup(uint32_t jobs, uint64_t bytes, enum leat_full_policy full)
{
    return setup_of(full == LEAT_FULL_BLOCK ? 1 : 0, limits_of(jobs, bytes, full, LEAT_FOREVER));
}

static void
run_all(struct fixture *fixture)
{
    size_t ran = 0;
    for (uint32_t i = 0; i < JOBS && leat_run_some(fixture->engine, JOBS, &ran) == LEAT_OK; i++) {
    }
}

static void
teardown(struct fixture *fixture)
{
    test_close(fixture->engine);
    CHECK_EQUAL(test_memory_blocks(&fixture->memory), 0);
    free(fixture);
}

static struct leat_queue_info
info_of(struct fixture *fixture, uint32_t queue)
{
    struct leat_queue_info info = leat_queue_info_default();
    CHECK_OK(leat_queue_get_info(fixture->engine, fixture->queues[queue], &info));
    return info;
}

static void
waiting_are(struct fixture *fixture, uint32_t first, uint32_t second, uint32_t third)
{
    struct leat_tenant_info tenant = leat_tenant_info_default();
    CHECK_EQUAL(info_of(fixture, 0).waiting, first);
    CHECK_EQUAL(info_of(fixture, 1).waiting, second);
    CHECK_EQUAL(info_of(fixture, 2).waiting, third);
    CHECK_OK(leat_tenant_get(fixture->engine, fixture->tenant, &tenant));
    CHECK_EQUAL(tenant.jobs, (uint64_t)first + second);
}

/* Jobs first .. first + count are of that queue. */
static void
place(struct fixture *fixture, uint32_t first, uint32_t count, uint32_t queue)
{
    for (uint32_t i = first; i < first + count; i++) {
        fixture->jobs[i].queue = fixture->queues[queue];
    }
}

static void
tenant_limit(struct fixture *fixture, uint32_t jobs, uint64_t bytes)
{
    struct leat_tenant_options options = leat_tenant_options_default();
    options.jobs_max = jobs;
    options.bytes_max = bytes;
    CHECK_OK(leat_tenant_set_limits(fixture->engine, fixture->tenant, &options));
}

/* Refused: nothing has changed, and nobody is to blame. */
static void
none(struct fixture *fixture, size_t count, enum leat_status want)
{
    uint64_t blocks = test_memory_blocks(&fixture->memory);
    uint64_t submitted = test_statistics(fixture->engine).jobs_submitted;
    uint64_t dropped = info_of(fixture, 0).dropped + info_of(fixture, 1).dropped;
    for (size_t i = 0; i < count; i++) {
        fixture->ids[i].bits = 99;
    }
    CHECK_STATUS(submit(fixture, count), want);
    for (size_t i = 0; i < count; i++) {
        CHECK_STATUS(fixture->statuses[i], LEAT_OK);
        CHECK_EQUAL(fixture->ids[i].bits, 99);
    }
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_submitted, submitted);
    CHECK_EQUAL(test_memory_blocks(&fixture->memory), blocks);
    CHECK_EQUAL(info_of(fixture, 0).dropped + info_of(fixture, 1).dropped, dropped);
}

/* ---- at the limits --------------------------------------------------------------------------- */

static void
rejects(void **state)
{
    (void)state;
    struct fixture *fixture = setup(4, 20, LEAT_FULL_REJECT);
    CHECK_OK(submit(fixture, 3));
    none(fixture, 2, LEAT_FULL);
    CHECK_OK(submit(fixture, 1));
    none(fixture, 1, LEAT_FULL);
    run_all(fixture);
    none(fixture, 5, LEAT_FULL);
    fixture->jobs[3].payload_bytes = 9; /* 21 in all */
    none(fixture, 4, LEAT_FULL);
    fixture->jobs[3].payload_bytes = 8;
    fixture->jobs[3].payload = fixture->numbers;
    CHECK_OK(submit(fixture, 4));
    CHECK_EQUAL(info_of(fixture, 0).waiting_bytes, 20);
    run_all(fixture);
    waiting_are(fixture, 0, 0, 0);
    teardown(fixture);
}

/* What one queue has room for is given back where another one has none. */
static void
of_several_queues(void **state)
{
    (void)state;
    struct fixture *fixture = setup(4, 0, LEAT_FULL_REJECT);
    for (uint32_t lacks = 0; lacks < QUEUES; lacks++) {
        reset(fixture);
        for (uint32_t i = 0; i < 13; i++) {
            place(fixture, i, 1, i < 12 ? i % 3 : lacks);
        }
        none(fixture, 13, LEAT_FULL);
        waiting_are(fixture, 0, 0, 0);
        CHECK_OK(submit(fixture, 12));
        waiting_are(fixture, 4, 4, 4);
        run_all(fixture);
    }
    teardown(fixture);
}

static void
of_a_tenant(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0, 0, LEAT_FULL_REJECT);
    tenant_limit(fixture, 4, 20);
    place(fixture, 2, 2, 1);
    place(fixture, 4, 9, 2);
    CHECK_OK(submit(fixture, 13));
    waiting_are(fixture, 2, 2, 9);
    none(fixture, 1, LEAT_FULL);
    run_all(fixture);
    place(fixture, 4, 1, 1);
    none(fixture, 5, LEAT_FULL);
    waiting_are(fixture, 0, 0, 0);
    fixture->jobs[3].payload_bytes = 9;
    none(fixture, 4, LEAT_FULL);
    fixture->jobs[3].payload_bytes = 8;
    fixture->jobs[3].payload = fixture->numbers;
    CHECK_OK(submit(fixture, 4));
    waiting_are(fixture, 2, 2, 0);
    run_all(fixture);
    teardown(fixture);
}

/* Those that have a time are not counted. */
static void
with_a_time(void **state)
{
    (void)state;
    struct fixture *fixture = setup(2, 0, LEAT_FULL_REJECT);
    for (uint32_t i = 0; i < 5; i++) {
        fixture->jobs[i].delay_ns = i % 2 == 0 ? UINT64_C(3600000000000) : 0;
    }
    CHECK_OK(submit(fixture, 5));
    waiting_are(fixture, 2, 0, 0);
    teardown(fixture);
}

/* ---- dropping -------------------------------------------------------------------------------- */

/* Of jobs with these ids, the first `count` were dropped, and the others wait. */
static void
dropped_are(struct fixture *fixture, const leat_job_id *ids, uint32_t all, uint32_t count)
{
    for (uint32_t i = 0; i < all; i++) {
        struct leat_job_info info = test_get(fixture->engine, ids[i]);
        CHECK_EQUAL(info.state, i < count ? LEAT_JOB_CANCELLED : LEAT_JOB_PENDING);
        CHECK_EQUAL(info.reason, i < count ? LEAT_REASON_DROPPED : LEAT_REASON_NONE);
    }
}

static void
drops(void **state)
{
    (void)state;
    for (uint32_t count = 1; count <= 4; count++) {
        struct fixture *fixture = setup(4, 0, LEAT_FULL_DROP_OLDEST);
        leat_job_id before[4];
        CHECK_OK(submit(fixture, 3));
        memcpy(before, fixture->ids, sizeof(before));
        none(fixture, 5, LEAT_FULL);
        CHECK_OK(submit(fixture, count));
        dropped_are(fixture, before, 3, count - 1);
        dropped_are(fixture, fixture->ids, count, 0);
        waiting_are(fixture, 4, 0, 0);
        CHECK_EQUAL(info_of(fixture, 0).dropped, count - 1);
        run_all(fixture);
        CHECK_EQUAL(fixture->ran_count, 4);
        teardown(fixture);
    }
}

/* As many as the bytes ask for; or none. */
static void
drops_by_bytes(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0, 20, LEAT_FULL_DROP_OLDEST);
    leat_job_id before[5];
    CHECK_OK(submit(fixture, 5));
    memcpy(before, fixture->ids, sizeof(before));
    fixture->jobs[0].payload_bytes = 17;
    none(fixture, 2, LEAT_FULL);
    fixture->jobs[0].payload_bytes = 5;
    fixture->jobs[0].payload = fixture->numbers;
    CHECK_OK(submit(fixture, 2)); /* 9 bytes: three of 4 */
    dropped_are(fixture, before, 5, 3);
    CHECK_EQUAL(info_of(fixture, 0).waiting_bytes, 17);
    run_all(fixture);
    teardown(fixture);
}

/* None goes that is more urgent than the least urgent of the batch, nor one that was run. */
static void
not_the_urgent(void **state)
{
    (void)state;
    struct fixture *fixture = setup(4, 0, LEAT_FULL_DROP_OLDEST);
    leat_job_id before[4];
    for (uint32_t i = 0; i < 4; i++) {
        fixture->jobs[i].priority = i < 2 ? 5 : 3;
    }
    CHECK_OK(submit(fixture, 4));
    memcpy(before, fixture->ids, sizeof(before));
    reset(fixture);
    fixture->jobs[0].priority = 0;
    fixture->jobs[1].priority = 4;
    fixture->jobs[2].priority = 4;
    none(fixture, 3, LEAT_FULL); /* two are not more urgent than 4 */
    dropped_are(fixture, before, 4, 0);
    CHECK_OK(submit(fixture, 2));
    dropped_are(fixture, before, 4, 2);
    fixture->jobs[0].priority = 3;
    fixture->jobs[1].priority = 1;
    CHECK_OK(submit(fixture, 2)); /* that of level 4, and one of 3 */
    dropped_are(fixture, before, 4, 3);
    run_all(fixture);
    CHECK_EQUAL(fixture->ran_count, 4);
    teardown(fixture);
}

/* Enough in one queue and not in the other: none in either. */
static void
drops_of_several_queues(void **state)
{
    (void)state;
    struct fixture *fixture = setup(4, 0, LEAT_FULL_DROP_OLDEST);
    leat_job_id before[8];
    place(fixture, 4, 4, 1);
    for (uint32_t i = 5; i < 8; i++) {
        fixture->jobs[i].priority = 0;
    }
    CHECK_OK(submit(fixture, 8));
    memcpy(before, fixture->ids, sizeof(before));
    reset(fixture);
    place(fixture, 2, 2, 1);
    none(fixture, 4, LEAT_FULL);
    dropped_are(fixture, before, 8, 0);
    place(fixture, 3, 1, 2);
    CHECK_OK(submit(fixture, 4));
    dropped_are(fixture, before, 4, 2);
    dropped_are(fixture, before + 4, 4, 1);
    waiting_are(fixture, 4, 4, 1);
    run_all(fixture);
    teardown(fixture);
}

/* For the room of a tenant both its queues drop, the first one first; and where one of them does
 * not, none. */
static void
drops_for_a_tenant(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0, 0, LEAT_FULL_DROP_OLDEST);
    const struct leat_queue_limits limits = limits_of(0, 0, LEAT_FULL_REJECT, 0);
    leat_job_id before[8];
    tenant_limit(fixture, 8, 0);
    place(fixture, 4, 4, 1);
    CHECK_OK(submit(fixture, 8));
    memcpy(before, fixture->ids, sizeof(before));
    place(fixture, 0, 9, 1);
    none(fixture, 9, LEAT_FULL);
    none(fixture, 5, LEAT_FULL); /* it drops of the queues of its jobs only */
    place(fixture, 0, 1, 0);
    CHECK_OK(leat_queue_set_limits(fixture->engine, fixture->queues[1], &limits));
    none(fixture, 2, LEAT_FULL);
    place(fixture, 0, 2, 0);
    CHECK_OK(submit(fixture, 2));
    dropped_are(fixture, before, 4, 2);
    dropped_are(fixture, before + 4, 4, 0);
    waiting_are(fixture, 4, 4, 0);
    run_all(fixture);
    teardown(fixture);
}

static void
drops_of_both_queues(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0, 0, LEAT_FULL_DROP_OLDEST);
    leat_job_id before[8];
    tenant_limit(fixture, 8, 0);
    place(fixture, 4, 4, 1);
    CHECK_OK(submit(fixture, 8));
    memcpy(before, fixture->ids, sizeof(before));
    place(fixture, 1, 5, 1);
    CHECK_OK(submit(fixture, 6));
    dropped_are(fixture, before, 4, 4);
    dropped_are(fixture, before + 4, 4, 2);
    waiting_are(fixture, 1, 7, 0);
    run_all(fixture);
    teardown(fixture);
}

/* What refuses the batch otherwise is found before anything is dropped. */
static void
drops_when_all_is_sure(void **state)
{
    (void)state;
    struct fixture *fixture = setup(4, 0, LEAT_FULL_DROP_OLDEST);
    struct leat_job_options options = leat_job_options_default();
    leat_job_id before[4];
    options.unique_key = "k";
    options.unique_key_bytes = 1;
    fixture->jobs[0].options = &options;
    CHECK_OK(submit(fixture, 4));
    memcpy(before, fixture->ids, sizeof(before));
    reset(fixture);
    fixture->jobs[1].options = &options;
    CHECK_STATUS(submit(fixture, 3), LEAT_EXISTS);
    CHECK_STATUS(fixture->statuses[1], LEAT_EXISTS);
    CHECK_STATUS(fixture->statuses[2], LEAT_OK);
    dropped_are(fixture, before, 4, 0);
    reset(fixture);
    place(fixture, 2, 5, 1);
    none(fixture, 7, LEAT_FULL); /* the other queue is too small */
    dropped_are(fixture, before, 4, 0);
    for (uint64_t nth = 0;; nth++) {
        uint64_t blocks = test_memory_blocks(&fixture->memory);
        CHECK(nth < 100);
        test_memory_fail(&fixture->memory, nth, false);
        enum leat_status status = submit(fixture, 3);
        test_memory_heal(&fixture->memory);
        if (status == LEAT_OK) {
            CHECK(nth >= 3);
            break;
        }
        CHECK_STATUS(status, LEAT_NO_MEMORY);
        CHECK_EQUAL(test_memory_blocks(&fixture->memory), blocks);
        dropped_are(fixture, before, 4, 0);
        waiting_are(fixture, 4, 0, 0);
    }
    dropped_are(fixture, before, 4, 2);
    run_all(fixture);
    teardown(fixture);
}

/* ---- waiting --------------------------------------------------------------------------------- */

static void
waiter(void *shared, uint32_t number)
{
    struct fixture *fixture = shared;
    (void)number;
    fixture->waited = submit(fixture, fixture->waited_count);
}

static bool
someone_waits(void *argument)
{
    struct fixture *fixture = argument;
    uint64_t words = atom_load_rlx(&fixture->engine->tenants.rooms[0].room.jobs.used);
    for (uint32_t i = 0; i < QUEUES; i++) {
        const struct leat_room *room = &fixture->engine->rooms.queues[i + 1].room;
        words |= atom_load_rlx(&room->jobs.used) | atom_load_rlx(&room->bytes.used);
    }
    return (words & LEAT_QUOTA_WAITED) != 0;
}

static void
begin_wait(struct fixture *fixture, uint32_t count)
{
    fixture->waited_count = count;
    fixture->waited = LEAT_BUSY;
    test_threads_start(&fixture->threads, 1, waiter, fixture);
    CHECK(test_until(someone_waits, fixture));
}

static void
end_wait(struct fixture *fixture, enum leat_status want)
{
    test_threads_join(&fixture->threads);
    CHECK_STATUS(fixture->waited, want);
}

/* One job of a queue, beside the batch's. */
static leat_job_id
single(struct fixture *fixture, uint32_t queue)
{
    struct leat_job job = fixture->jobs[JOBS - 1];
    leat_job_id id = {0};
    job.queue = fixture->queues[queue];
    CHECK_OK(leat_submit(fixture->engine, &job, &id));
    return id;
}

/* Until there is room for all; meanwhile it has none. */
static void
waits_for_all(void **state)
{
    (void)state;
    struct fixture *fixture = setup(4, 0, LEAT_FULL_BLOCK);
    leat_job_id first = single(fixture, 0);
    leat_job_id second = single(fixture, 0);
    begin_wait(fixture, 4);
    waiting_are(fixture, 2, 0, 0);
    leat_job_id third = single(fixture, 0); /* passes by */
    CHECK_OK(leat_cancel(fixture->engine, first));
    CHECK_OK(leat_cancel(fixture->engine, second));
    CHECK(test_until(someone_waits, fixture));
    CHECK_STATUS(fixture->waited, LEAT_BUSY);
    waiting_are(fixture, 1, 0, 0);
    CHECK_OK(leat_cancel(fixture->engine, third));
    end_wait(fixture, LEAT_OK);
    waiting_are(fixture, 4, 0, 0);
    teardown(fixture);
}

/* It lacks room in one queue, then in the other, and then in that of the tenant. */
static void
waits_here_and_there(void **state)
{
    (void)state;
    struct fixture *fixture = setup(2, 0, LEAT_FULL_BLOCK);
    leat_job_id first = single(fixture, 2);
    leat_job_id second = single(fixture, 0);
    leat_job_id third = single(fixture, 1);
    tenant_limit(fixture, 3, 0);
    place(fixture, 0, 2, 2);
    place(fixture, 2, 2, 0);
    begin_wait(fixture, 4);
    CHECK_OK(leat_cancel(fixture->engine, first));
    CHECK(test_until(someone_waits, fixture));
    waiting_are(fixture, 1, 1, 0);
    CHECK_OK(leat_cancel(fixture->engine, second));
    end_wait(fixture, LEAT_OK);
    waiting_are(fixture, 2, 1, 2);
    place(fixture, 0, 2, 1);
    begin_wait(fixture, 2);
    CHECK_OK(leat_cancel(fixture->engine, third));
    CHECK(test_until(someone_waits, fixture));
    tenant_limit(fixture, 4, 0);
    end_wait(fixture, LEAT_OK);
    waiting_are(fixture, 2, 2, 2);
    teardown(fixture);
}

static void
two_that_cross(void *shared, uint32_t number)
{
    struct fixture *fixture = shared;
    struct leat_job jobs[4];
    for (uint32_t i = 0; i < 4; i++) {
        jobs[i] = fixture->jobs[i];
        jobs[i].queue = fixture->queues[(i / 2 + number) % 2];
    }
    CHECK_OK(leat_submit_batch(fixture->engine, jobs, 4, LEAT_BATCH_ALL_OR_NONE, NULL, NULL));
}

/* Two batches that need what the other one might have: both are taken in as room comes. */
static void
no_deadlock(void **state)
{
    (void)state;
    struct fixture *fixture = setup(3, 0, LEAT_FULL_BLOCK);
    size_t purged = 0;
    uint32_t seen = 0;
    CHECK_OK(submit(fixture, 3));
    test_threads_start(&fixture->threads, 2, two_that_cross, fixture);
    CHECK(test_until(someone_waits, fixture));
    for (uint64_t end_ns = test_now_ns() + TEST_PATIENCE_NS; seen < 3 + 2 * 4;) {
        CHECK(test_now_ns() < end_ns);
        for (uint32_t i = 0; i < 2; i++) {
            CHECK_OK(leat_queue_purge(fixture->engine, fixture->queues[i], &purged));
            seen += (uint32_t)purged;
        }
    }
    test_threads_join(&fixture->threads);
    waiting_are(fixture, 0, 0, 0);
    teardown(fixture);
}

/* The shortest time of its jobs and queues; and never below a single job's own. */
static void
time_out(void **state)
{
    (void)state;
    struct fixture *fixture = setup_of(1, limits_of(2, 0, LEAT_FULL_BLOCK, BLOCK_NS));
    struct leat_job_options options = leat_job_options_default();
    (void)single(fixture, 0);
    uint64_t begin_ns = test_now_ns();
    none(fixture, 2, LEAT_TIMEOUT);
    CHECK(test_now_ns() - begin_ns >= BLOCK_NS);
    options.block_ns = 1;
    fixture->jobs[1].options = &options;
    none(fixture, 2, LEAT_TIMEOUT);
    options.block_ns = 2 * BLOCK_NS;
    fixture->jobs[0].options = &options;
    begin_ns = test_now_ns();
    none(fixture, 2, LEAT_TIMEOUT);
    CHECK(test_now_ns() - begin_ns >= 2 * BLOCK_NS);
    teardown(fixture);
}

static void
closed(void **state)
{
    (void)state;
    for (uint32_t way = 0; way < 3; way++) {
        struct fixture *fixture = setup(2, 0, LEAT_FULL_BLOCK);
        (void)single(fixture, 0);
        begin_wait(fixture, 2);
        if (way == 0) {
            CHECK_OK(leat_drain(fixture->engine, TEST_PATIENCE_NS));
        } else if (way == 1) {
            CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
        } else {
            CHECK_STATUS(leat_queue_drain(fixture->engine, fixture->queues[0], 0), LEAT_TIMEOUT);
        }
        test_threads_join(&fixture->threads);
        CHECK_STATUS(fixture->waited, LEAT_CLOSED);
        waiting_are(fixture, 1, 0, 0);
        teardown(fixture);
    }
}

/* Handlers, hosts without workers, what is too large, and where one queue rejects. */
static void
who_does_not_wait(void **state)
{
    (void)state;
    struct leat_queue_limits limits = limits_of(2, 0, LEAT_FULL_BLOCK, LEAT_FOREVER);
    struct fixture *fixture = setup_of(0, limits);
    (void)single(fixture, 0);
    none(fixture, 2, LEAT_FULL);
    run_all(fixture);
    teardown(fixture);
    fixture = setup_of(1, limits);
    none(fixture, 3, LEAT_FULL);
    (void)single(fixture, 0);
    struct leat_job job = leat_job_default();
    job.type = fixture->inner;
    leat_job_id id = {0};
    job.flags = LEAT_JOB_KEEP_RESULT;
    CHECK_OK(leat_submit(fixture->engine, &job, &id));
    (void)test_wait(fixture->engine, id);
    CHECK_STATUS(fixture->inside, LEAT_FULL);
    (void)single(fixture, 2);
    limits.full = LEAT_FULL_REJECT;
    CHECK_OK(leat_queue_set_limits(fixture->engine, fixture->queues[2], &limits));
    place(fixture, 2, 2, 2);
    none(fixture, 4, LEAT_FULL);
    teardown(fixture);
}

/* A queue that waits beside one that drops: it drops when the other one has room. */
static void
waits_and_then_drops(void **state)
{
    (void)state;
    struct fixture *fixture = setup(2, 0, LEAT_FULL_BLOCK);
    const struct leat_queue_limits limits = limits_of(2, 0, LEAT_FULL_DROP_OLDEST, 0);
    CHECK_OK(leat_queue_set_limits(fixture->engine, fixture->queues[0], &limits));
    CHECK_OK(submit(fixture, 2));
    leat_job_id before[2] = {fixture->ids[0], fixture->ids[1]};
    leat_job_id other = single(fixture, 2);
    place(fixture, 0, 2, 2);
    begin_wait(fixture, 3);
    dropped_are(fixture, before, 2, 0);
    CHECK_OK(leat_cancel(fixture->engine, other));
    end_wait(fixture, LEAT_OK);
    dropped_are(fixture, before, 2, 1);
    waiting_are(fixture, 2, 0, 2);
    teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rejects),
        cmocka_unit_test(of_several_queues),
        cmocka_unit_test(of_a_tenant),
        cmocka_unit_test(with_a_time),
        cmocka_unit_test(drops),
        cmocka_unit_test(drops_by_bytes),
        cmocka_unit_test(not_the_urgent),
        cmocka_unit_test(drops_of_several_queues),
        cmocka_unit_test(drops_for_a_tenant),
        cmocka_unit_test(drops_of_both_queues),
        cmocka_unit_test(drops_when_all_is_sure),
        cmocka_unit_test(waits_for_all),
        cmocka_unit_test(waits_here_and_there),
        cmocka_unit_test(no_deadlock),
        cmocka_unit_test(time_out),
        cmocka_unit_test(closed),
        cmocka_unit_test(who_does_not_wait),
        cmocka_unit_test(waits_and_then_drops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
