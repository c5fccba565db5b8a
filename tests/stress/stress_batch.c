/* stress_batch.c - threads that submit all-or-none batches of several queues and priorities, which
 * reject, wait and drop, beside single jobs and cancels, while workers run them.
 *   whole          When the first job of a batch begins, each other one is known to the engine,
 *                  whatever its priority; of a refused batch none ever begins. Limits of queues
 *                  that drop nothing, and of their tenant, hold at each moment; that of one that
 *                  drops, when all rests. Each job that was taken in runs once, or is cancelled.
 *   nobody_sleeps  Batches that wait for ever for room in the same queues, in all orders, and for
 *                  each other: all are taken in.
 *   one_at_a_time  Who needs all the room of two queues is woken by each who gives it.
 *   taken_in_vain  Room alone is taken and given: it comes out even, and above no limit.
 * Holds I1 and I2 of engine/room.h, and what engine/batch_room.h claims. */
#include <stdio.h>
#include <stdlib.h>

#include "engine/batch_room.h"
#include "engine/engine_internal.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

#define SUBMITTERS 4
#define WORKERS    2
#define QUEUES     3
#define JOBS_MAX   8 /* of each queue */
#define BOTH_MAX   (UINT32_C(2) * JOBS_MAX)
#define BYTES_MAX  128
#define TENANT_MAX 12
#define BATCH_MAX  6
#define BATCHES    (UINT32_C(1) << 18)

/* What is known of a batch. */
struct batch {
    leat_atomic_u32 ran;     /* bits: jobs that have begun */
    leat_atomic_u32 refused; /* 1: it was */
    uint32_t count;
    uint32_t ends; /* bits: jobs that may end without a run: dropped, or cancelled */
};

struct fixture {
    struct leat_engine *engine;
    leat_type type;
    leat_type single;
    leat_tenant tenant;
    leat_queue queues[QUEUES]; /* by enum leat_full_policy; the last one is of no tenant */
    uint64_t seed;
    uint64_t end_ns;
    leat_atomic_u32 next;
    leat_atomic_u64 taken;   /* jobs */
    leat_atomic_u64 refused; /* batches */
    leat_atomic_u64 ran;
    leat_atomic_u64 timed_out; /* batches */
    struct batch *batches;
};

struct mark {
    uint32_t batch;
    uint32_t index;
};

static void
name_of(struct mark mark, char name[32])
{
    (void)snprintf(name, 32, "%u.%u", mark.batch, mark.index);
}

/* The engine knows the job; or it has been, and is not kept any more. */
static void
check_there(struct fixture *fixture, struct mark mark)
{
    struct batch *batch = &fixture->batches[mark.batch];
    char name[32];
    leat_job_id id = {0};
    name_of(mark, name);
    enum leat_status status = leat_job_find(fixture->engine, name, &id);
    bool ends = (batch->ends >> mark.index & 1) != 0;
    CHECK(status == LEAT_OK || ends || (atom_load_acq(&batch->ran) >> mark.index & 1) != 0);
}

static struct leat_outcome
run(struct leat_run *attempt, void *context)
{
    struct fixture *fixture = context;
    struct mark mark = *(const struct mark *)leat_run_payload(attempt, NULL);
    struct batch *batch = &fixture->batches[mark.batch];
    uint32_t before = atom_or_acq_rel(&batch->ran, UINT32_C(1) << mark.index);
    CHECK((before >> mark.index & 1) == 0);
    CHECK(atom_load_acq(&batch->refused) == 0);
    for (uint32_t i = 0; i < batch->count && before == 0; i++) {
        check_there(fixture, (struct mark){mark.batch, i});
    }
    (void)atom_add_rlx(&fixture->ran, 1);
    return leat_done();
}

static struct leat_outcome
run_single(struct leat_run *attempt, void *context)
{
    struct fixture *fixture = context;
    (void)attempt;
    (void)atom_add_rlx(&fixture->ran, 1);
    return leat_done();
}

static void
check_limits(const struct fixture *fixture)
{
    for (uint32_t i = 0; i < LEAT_FULL_DROP_OLDEST; i++) {
        uint32_t queue = fixture->queues[i].bits - 1;
        const struct leat_room *room = &fixture->engine->rooms.queues[queue].room;
        CHECK(leat_quota_used(&room->jobs) <= JOBS_MAX);
        CHECK(leat_quota_used(&room->bytes) <= BYTES_MAX);
    }
    struct leat_tenant_info info = leat_tenant_info_default();
    CHECK_OK(leat_tenant_get(fixture->engine, fixture->tenant, &info));
    CHECK(info.jobs <= TENANT_MAX);
}

/* Which queues a batch has is drawn first, so that some have one only. */
static void
submit_batch(struct fixture *fixture, struct test_prng *prng, uint32_t number)
{
    struct batch *batch = &fixture->batches[number];
    static _Thread_local struct leat_job_options options[BATCH_MAX]; /* large for a stack */
    struct leat_job jobs[BATCH_MAX];
    struct mark marks[BATCH_MAX];
    char names[BATCH_MAX][32];
    leat_job_id ids[BATCH_MAX] = {{0}};
    uint32_t spread = 1 + (uint32_t)test_random_below(prng, QUEUES);
    uint32_t first = (uint32_t)test_random_below(prng, QUEUES);
    bool cancels = test_random_below(prng, 16) == 0;
    batch->count = 1 + (uint32_t)test_random_below(prng, BATCH_MAX);
    batch->ends = cancels ? 1 : 0;
    for (uint32_t i = 0; i < batch->count; i++) {
        uint32_t queue = (first + (uint32_t)test_random_below(prng, spread)) % QUEUES;
        marks[i] = (struct mark){number, i};
        name_of(marks[i], names[i]);
        options[i] = leat_job_options_default();
        options[i].name = names[i];
        jobs[i] = leat_job_default();
        jobs[i].options = &options[i];
        jobs[i].type = fixture->type;
        jobs[i].queue = fixture->queues[queue];
        jobs[i].priority = (uint32_t)test_random_below(prng, 4);
        jobs[i].payload = &marks[i];
        jobs[i].payload_bytes = sizeof(marks[i]);
        batch->ends |= queue == LEAT_FULL_DROP_OLDEST ? UINT32_C(1) << i : 0;
    }
    enum leat_status status =
        leat_submit_batch(fixture->engine, jobs, batch->count, LEAT_BATCH_ALL_OR_NONE, ids, NULL);
    if (status == LEAT_OK) {
        (void)atom_add_rlx(&fixture->taken, batch->count);
    } else {
        CHECK(status == LEAT_FULL || status == LEAT_TIMEOUT);
        CHECK(atom_load_acq(&batch->ran) == 0);
        CHECK_EQUAL(ids[0].bits, 0);
        atom_store_rel(&batch->refused, 1);
        (void)atom_add_rlx(status == LEAT_FULL ? &fixture->refused : &fixture->timed_out, 1);
    }
    if (status == LEAT_OK && cancels) {
        CHECK(leat_cancel(fixture->engine, ids[0]) != LEAT_NOT_FOUND);
    }
}

static void
submit_single(struct fixture *fixture, struct test_prng *prng)
{
    struct leat_job job = leat_job_default();
    job.type = fixture->single;
    job.queue = fixture->queues[test_random_below(prng, QUEUES)];
    job.payload = &job;
    job.payload_bytes = test_random_below(prng, 30);
    enum leat_status status = leat_submit(fixture->engine, &job, NULL);
    CHECK(status == LEAT_OK || status == LEAT_FULL || status == LEAT_TIMEOUT);
    (void)atom_add_rlx(&fixture->taken, status == LEAT_OK ? 1 : 0);
}

static void
submitter(void *shared, uint32_t thread)
{
    struct fixture *fixture = shared;
    struct test_prng prng = {fixture->seed + thread};
    while (test_now_ns() < fixture->end_ns) {
        uint32_t number = atom_add_rlx(&fixture->next, 1);
        if (number >= BATCHES) {
            return;
        }
        if (test_random_below(&prng, 4) == 0) {
            submit_single(fixture, &prng);
        } else {
            submit_batch(fixture, &prng, number);
        }
        check_limits(fixture);
    }
}

static struct fixture *
setup(uint64_t block_ns)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct leat_config config = test_config();
    struct leat_tenant_options options = leat_tenant_options_default();
    static const char *const names[QUEUES] = {"rejects", "waits", "drops"};
    CHECK(fixture != NULL);
    fixture->batches = calloc(BATCHES, sizeof(*fixture->batches));
    CHECK(fixture->batches != NULL);
    config.workers = WORKERS;
    config.jobs_max = 4096;
    config.retained_max = 1024;
    fixture->engine = test_start(&config);
    fixture->type = test_register(fixture->engine, "run", run, fixture);
    fixture->single = test_register(fixture->engine, "single", run_single, fixture);
    options.jobs_max = TENANT_MAX;
    CHECK_OK(leat_tenant_create(fixture->engine, "tenant", &options, &fixture->tenant));
    for (uint32_t i = 0; i < QUEUES; i++) {
        struct leat_queue_options queue = leat_queue_options_default();
        queue.waiting_max = JOBS_MAX;
        queue.waiting_bytes_max = BYTES_MAX;
        queue.full = (enum leat_full_policy)i;
        queue.block_ns = block_ns;
        queue.tenant.bits = i < LEAT_FULL_DROP_OLDEST ? fixture->tenant.bits : 0;
        CHECK_OK(leat_queue_create(fixture->engine, names[i], &queue, &fixture->queues[i]));
    }
    fixture->seed = test_now_ns();
    test_say("seed %llu\n", (unsigned long long)fixture->seed);
    return fixture;
}

static void
finish(struct fixture *fixture)
{
    CHECK_OK(leat_drain(fixture->engine, TEST_PATIENCE_NS));
    struct leat_statistics sum = test_statistics(fixture->engine);
    CHECK_EQUAL(sum.jobs_submitted, atom_load_rlx(&fixture->taken));
    CHECK_EQUAL(sum.jobs_completed, atom_load_rlx(&fixture->ran));
    CHECK_EQUAL(sum.jobs_completed + sum.jobs_cancelled, sum.jobs_submitted);
    CHECK(sum.jobs_completed != 0);
    for (uint32_t i = 0; i < BATCHES; i++) {
        struct batch *batch = &fixture->batches[i];
        CHECK(atom_load_rlx(&batch->refused) == 0 || atom_load_rlx(&batch->ran) == 0);
    }
    for (uint32_t i = 0; i < QUEUES; i++) {
        uint32_t queue = fixture->queues[i].bits - 1;
        CHECK_EQUAL(leat_quota_used(&fixture->engine->rooms.queues[queue].room.jobs), 0);
        CHECK_EQUAL(leat_quota_used(&fixture->engine->rooms.queues[queue].room.bytes), 0);
    }
    test_close(fixture->engine);
    free(fixture->batches);
    free(fixture);
}

static void
whole(void **state)
{
    (void)state;
    struct fixture *fixture = setup(2 * TEST_MS);
    struct leat_queue_info info = leat_queue_info_default();
    fixture->end_ns = test_now_ns() + test_duration_ns() / 2;
    test_threads_run(SUBMITTERS, submitter, fixture);
    CHECK_OK(leat_queue_get_info(fixture->engine, fixture->queues[LEAT_FULL_DROP_OLDEST], &info));
    CHECK(atom_load_rlx(&fixture->refused) != 0);
    CHECK(info.dropped != 0);
    finish(fixture);
}

/* ---- waiting for ever ------------------------------------------------------------------------ */

#define ROUNDS 2000

static void
waiter(void *shared, uint32_t thread)
{
    struct fixture *fixture = shared;
    struct test_prng prng = {fixture->seed + thread};
    for (uint32_t round = 0; round < ROUNDS && test_now_ns() < fixture->end_ns; round++) {
        struct leat_job jobs[JOBS_MAX];
        uint32_t count = 1 + (uint32_t)test_random_below(&prng, JOBS_MAX);
        for (uint32_t i = 0; i < count; i++) {
            jobs[i] = leat_job_default();
            jobs[i].type = fixture->single;
            jobs[i].queue = fixture->queues[(i + thread) % 2];
            jobs[i].priority = (uint32_t)test_random_below(&prng, 4);
        }
        CHECK_OK(
            leat_submit_batch(fixture->engine, jobs, count, LEAT_BATCH_ALL_OR_NONE, NULL, NULL));
        (void)atom_add_rlx(&fixture->taken, count);
        check_limits(fixture);
    }
}

static void
nobody_sleeps(void **state)
{
    (void)state;
    struct fixture *fixture = setup(LEAT_FOREVER);
    struct leat_queue_limits limits = leat_queue_limits_default();
    limits.waiting_max = JOBS_MAX / 2;
    limits.full = LEAT_FULL_BLOCK;
    CHECK_OK(leat_queue_set_limits(fixture->engine, fixture->queues[0], &limits));
    CHECK_OK(leat_queue_set_limits(fixture->engine, fixture->queues[1], &limits));
    fixture->end_ns = test_now_ns() + test_duration_ns() / 2;
    test_threads_run(SUBMITTERS, waiter, fixture);
    finish(fixture);
}

/* ---- room alone ------------------------------------------------------------------------------ */

/* Takes room for half of a queue and a part of the next one, and gives it back: where nothing else
 * is done, what one thread looks at is often taken by another before it takes it. */
static void
taker(void *shared, uint32_t thread)
{
    struct fixture *fixture = shared;
    struct test_prng prng = {fixture->seed + thread};
    struct leat_batch_ask asks[JOBS_MAX];
    struct leat_batch_room room;
    for (uint32_t i = 0; i < JOBS_MAX; i++) {
        uint32_t queue = (i < JOBS_MAX / 2 ? thread : thread + 1) % 2;
        asks[i] = (struct leat_batch_ask){.queue = fixture->queues[queue].bits - 1,
                                          .block_ns = 1,
                                          .bytes = (uint32_t)test_random_below(&prng, 20),
                                          .counted = test_random_below(&prng, 4) != 0};
    }
    CHECK_OK(leat_batch_room_init(fixture->engine, &room, asks, JOBS_MAX));
    while (test_now_ns() < fixture->end_ns) {
        for (uint32_t i = 0; i < 64; i++) {
            enum leat_status status = leat_batch_room_take(fixture->engine, &room, 0);
            CHECK(status == LEAT_OK || status == LEAT_FULL || status == LEAT_TIMEOUT);
            if (status == LEAT_OK) {
                check_limits(fixture);
                leat_batch_room_give(fixture->engine, &room);
            } else {
                (void)atom_add_rlx(&fixture->refused, 1);
            }
        }
    }
    leat_batch_room_fini(fixture->engine, &room);
}

static void
taken_in_vain(void **state)
{
    (void)state;
    struct fixture *fixture = setup(TEST_MS);
    struct leat_job job = leat_job_default();
    job.type = fixture->single;
    CHECK_OK(leat_submit(fixture->engine, &job, NULL));
    atom_store_rlx(&fixture->taken, 1);
    fixture->end_ns = test_now_ns() + test_duration_ns() / 4;
    test_threads_run(SUBMITTERS, taker, fixture);
    CHECK(atom_load_rlx(&fixture->refused) != 0);
    finish(fixture);
}

/* Each round needs all the room of two queues, and is woken by the end of the other's: a wake-up
 * that is lost is not made up for, since the other one goes on alone. */
static void
alternate(void *shared, uint32_t thread)
{
    struct fixture *fixture = shared;
    struct leat_batch_ask asks[BOTH_MAX];
    struct leat_batch_room room;
    (void)thread;
    for (uint32_t i = 0; i < BOTH_MAX; i++) {
        asks[i] = (struct leat_batch_ask){
            .queue = fixture->queues[i % 2].bits - 1, .block_ns = LEAT_FOREVER, .counted = true};
    }
    CHECK_OK(leat_batch_room_init(fixture->engine, &room, asks, BOTH_MAX));
    for (uint32_t i = 0; i < 5 * ROUNDS && test_now_ns() < fixture->end_ns; i++) {
        uint64_t patience_ns = test_now_ns() + TEST_PATIENCE_NS;
        CHECK_OK(leat_batch_room_take(fixture->engine, &room, patience_ns));
        CHECK_EQUAL(atom_add_rlx(&fixture->next, 1), 0);
        CHECK_EQUAL(atom_sub_rlx(&fixture->next, 1), 1);
        leat_batch_room_give(fixture->engine, &room);
    }
    leat_batch_room_fini(fixture->engine, &room);
}

static void
one_at_a_time(void **state)
{
    (void)state;
    struct fixture *fixture = setup(LEAT_FOREVER);
    struct leat_tenant_options options = leat_tenant_options_default();
    struct leat_queue_limits limits = leat_queue_limits_default();
    struct leat_job job = leat_job_default();
    limits.waiting_max = JOBS_MAX;
    limits.full = LEAT_FULL_BLOCK;
    CHECK_OK(leat_queue_set_limits(fixture->engine, fixture->queues[0], &limits));
    CHECK_OK(leat_tenant_set_limits(fixture->engine, fixture->tenant, &options));
    job.type = fixture->single;
    CHECK_OK(leat_submit(fixture->engine, &job, NULL));
    atom_store_rlx(&fixture->taken, 1);
    fixture->end_ns = test_now_ns() + test_duration_ns();
    test_threads_run(2, alternate, fixture);
    finish(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole),
        cmocka_unit_test(nobody_sleeps),
        cmocka_unit_test(taken_in_vain),
        cmocka_unit_test(one_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
