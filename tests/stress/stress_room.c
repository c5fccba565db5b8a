/* stress_room.c - threads that submit to queues with limits in jobs and bytes, of one tenant, which
 * reject, wait and drop, while workers run the jobs, one thread changes limits up to what is
 * promised, purges, and drains and opens a queue again. What waits is never more than the
 * limit: each submit that was taken in counts until its handler begins, or its cancel. Each job
 * that was taken in ends once. In the end the census compares what limits count with what waits.
 * Holds I1 and I2 of engine/room.h, and its edges. */
#include <stdlib.h>

#include "engine/engine_internal.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

#define SUBMITTERS 4
#define QUEUES     3
#define WORKERS    2
#define JOBS_MAX   8   /* of each queue */
#define BYTES_MAX  200 /* the same */
#define TENANT_MAX 20

struct fixture {
    struct leat_engine *engine;
    leat_type type;
    leat_tenant tenant;
    leat_queue queues[QUEUES]; /* by enum leat_full_policy */
    uint64_t seed;
    uint64_t end_ns;
    leat_atomic_u64 taken;
    leat_atomic_u64 refused;
    leat_atomic_u64 ran;
};

static struct leat_outcome
run(struct leat_run *attempt, void *context)
{
    struct fixture *fixture = context;
    size_t bytes = 0;
    const unsigned char *payload = leat_run_payload(attempt, &bytes);
    CHECK(bytes == 0 || payload[bytes - 1] == (unsigned char)bytes);
    (void)atom_add_rlx(&fixture->ran, 1);
    return leat_done();
}

static void
check_limits(const struct fixture *fixture)
{
    for (uint32_t i = 0; i < QUEUES; i++) {
        uint32_t queue = fixture->queues[i].bits - 1;
        const struct leat_room *room = &fixture->engine->rooms.queues[queue].room;
        CHECK(leat_quota_used(&room->jobs) <= JOBS_MAX);
        CHECK(leat_quota_used(&room->bytes) <= BYTES_MAX);
    }
    struct leat_tenant_info info = leat_tenant_info_default();
    CHECK_OK(leat_tenant_get(fixture->engine, fixture->tenant, &info));
    CHECK(info.jobs <= TENANT_MAX);
}

static void
submitter(struct fixture *fixture, uint32_t thread)
{
    struct test_prng prng = {fixture->seed + thread};
    unsigned char payload[BYTES_MAX];
    while (test_now_ns() < fixture->end_ns) {
        struct leat_job job = leat_job_default();
        leat_job_id id = {0};
        size_t bytes = test_random_below(&prng, 90);
        job.type = fixture->type;
        job.queue = fixture->queues[test_random_below(&prng, QUEUES)];
        job.payload = payload;
        job.payload_bytes = bytes;
        if (bytes != 0) {
            payload[bytes - 1] = (unsigned char)bytes;
        }
        enum leat_status status = leat_submit(fixture->engine, &job, &id);
        check_limits(fixture);
        if (status == LEAT_OK) {
            (void)atom_add_rlx(&fixture->taken, 1);
        } else {
            CHECK(status == LEAT_FULL || status == LEAT_TIMEOUT || status == LEAT_CLOSED);
            (void)atom_add_rlx(&fixture->refused, 1);
        }
        if (status == LEAT_OK && test_random_below(&prng, 8) == 0) {
            status = leat_cancel(fixture->engine, id);
            CHECK(status != LEAT_NOT_FOUND);
        }
    }
}

static void
set(struct fixture *fixture, uint32_t policy, uint32_t jobs, uint64_t bytes)
{
    struct leat_queue_limits limits = leat_queue_limits_default();
    limits.waiting_max = jobs;
    limits.waiting_bytes_max = bytes;
    limits.full = (enum leat_full_policy)policy;
    limits.block_ns = 5 * TEST_MS;
    CHECK_OK(leat_queue_set_limits(fixture->engine, fixture->queues[policy], &limits));
}

static void
disturber(struct fixture *fixture)
{
    struct test_prng prng = {fixture->seed};
    while (test_now_ns() < fixture->end_ns) {
        uint32_t policy = (uint32_t)test_random_below(&prng, QUEUES);
        leat_queue queue = fixture->queues[policy];
        size_t count = 0;
        enum leat_status status = LEAT_OK;
        switch (test_random_below(&prng, 4)) {
        case 0:
            set(fixture, policy, 1 + (uint32_t)test_random_below(&prng, JOBS_MAX),
                100 + test_random_below(&prng, BYTES_MAX - 99));
            break;
        case 1:
            CHECK_OK(leat_queue_purge(fixture->engine, queue, &count));
            break;
        case 2:
            status = leat_queue_drain(fixture->engine, queue, TEST_MS);
            CHECK(status == LEAT_OK || status == LEAT_TIMEOUT);
            CHECK_OK(leat_queue_reopen(fixture->engine, queue));
            break;
        default:
            test_sleep_ns(TEST_MS);
            break;
        }
    }
}

static void
body(void *shared, uint32_t number)
{
    if (number < SUBMITTERS) {
        submitter(shared, number);
    } else {
        disturber(shared);
    }
}

static void
setup(struct fixture *fixture)
{
    struct leat_config config = test_config();
    struct leat_tenant_options options = leat_tenant_options_default();
    static const char *const names[QUEUES] = {"rejects", "waits", "drops"};
    config.workers = WORKERS;
    config.jobs_max = 4096;
    config.payload_bytes_inline = 32; /* others are of the allocator */
    config.payload_bytes_total_max = UINT64_C(1) << 30;
    config.retained_max = 64;
    fixture->engine = test_start(&config);
    fixture->type = test_register(fixture->engine, "run", run, fixture);
    options.jobs_max = TENANT_MAX;
    CHECK_OK(leat_tenant_create(fixture->engine, "tenant", &options, &fixture->tenant));
    for (uint32_t i = 0; i < QUEUES; i++) {
        struct leat_queue_options queue = leat_queue_options_default();
        queue.tenant = fixture->tenant;
        CHECK_OK(leat_queue_create(fixture->engine, names[i], &queue, &fixture->queues[i]));
        set(fixture, i, JOBS_MAX, BYTES_MAX);
    }
}

static void
never_above(void **state)
{
    (void)state;
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    CHECK(fixture != NULL);
    setup(fixture);
    fixture->seed = test_now_ns();
    test_say("seed %llu\n", (unsigned long long)fixture->seed);
    fixture->end_ns = test_now_ns() + test_duration_ns();
    test_threads_run(SUBMITTERS + 1, body, fixture);
    CHECK_OK(leat_drain(fixture->engine, TEST_PATIENCE_NS));
    struct leat_statistics sum = test_statistics(fixture->engine);
    CHECK_EQUAL(sum.jobs_submitted, atom_load_rlx(&fixture->taken));
    CHECK_EQUAL(sum.jobs_completed, atom_load_rlx(&fixture->ran));
    CHECK_EQUAL(sum.jobs_completed + sum.jobs_cancelled, sum.jobs_submitted);
    CHECK(atom_load_rlx(&fixture->ran) != 0);
    CHECK(atom_load_rlx(&fixture->refused) != 0);
    test_close(fixture->engine);
    free(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(never_above),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
