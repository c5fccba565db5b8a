/* stress_memory_cap.c - threads that submit payloads of all sizes to queues that reject, wait and
 * drop, below a cap that is far too small for them, while workers run the jobs, some of which fail
 * and retry, keep results and have tags; one thread lowers and raises the cap and lists what is
 * there. Nothing that was taken in is lost: each job runs to its end once, or is dropped. There is
 * never more than the cap and what is looked up; in the end every byte that is out is counted, and
 * what was there at first is all that there is.
 * Holds I1 and I2 of engine/footprint.h, and its edges. */
#include <stdlib.h>
#include <string.h>

#include "engine/engine_internal.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/memory.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

#define SUBMITTERS  3
#define QUEUES      3
#define PAYLOAD_MAX 60000
#define ROOM        (UINT64_C(1) << 20) /* some tens of payloads */
#define LOOKED_UP   (UINT64_C(1) << 20) /* what is mapped besides, at most */

struct fixture {
    struct test_memory memory;
    struct leat_engine *engine;
    leat_type type;
    leat_queue queues[QUEUES]; /* by enum leat_full_policy */
    uint64_t seed;
    uint64_t end_ns;
    uint64_t most;
    leat_atomic_u64 taken;
    leat_atomic_u64 refused;
    leat_atomic_u64 ended;
    leat_atomic_u64 unsaid; /* results for which there was no memory */
};

/* The first byte says what is to become of it. */
static struct leat_outcome
run(struct leat_run *attempt, void *context)
{
    struct fixture *fixture = context;
    size_t bytes = 0;
    const unsigned char *payload = leat_run_payload(attempt, &bytes);
    CHECK(bytes >= 1);
    CHECK(payload[bytes - 1] == payload[0]);
    if (payload[0] % 4 == 1 && leat_run_attempt(attempt) == 1) {
        enum leat_status status = leat_run_error(attempt, "not yet");
        CHECK(status == LEAT_OK || status == LEAT_NO_MEMORY);
        return leat_retry_in(TEST_MS);
    }
    if (payload[0] % 4 == 2) {
        enum leat_status status = leat_run_result(attempt, payload, bytes);
        CHECK(status == LEAT_OK || status == LEAT_NO_MEMORY);
        (void)atom_add_rlx(&fixture->unsaid, status == LEAT_OK ? 0 : 1);
    }
    (void)atom_add_rlx(&fixture->ended, 1);
    return leat_done();
}

static size_t
bytes_of(struct test_prng *prng)
{
    static const uint32_t most[] = {16, 64, 1000, PAYLOAD_MAX};
    return 1 + test_random_below(prng, most[test_random_below(prng, TEST_COUNT_OF(most))]);
}

static void
check_used(const struct fixture *fixture)
{
    CHECK(leat_footprint_used(&fixture->engine->footprint) <= fixture->most + LOOKED_UP);
}

static void
submitter(struct fixture *fixture, uint32_t thread)
{
    struct test_prng prng = {fixture->seed + thread};
    unsigned char *payload = malloc(PAYLOAD_MAX);
    const char *tags[] = {"tagged"};
    struct leat_job_options options = leat_job_options_default();
    CHECK(payload != NULL);
    memset(payload, 0, PAYLOAD_MAX);
    options.tags = tags;
    options.tags_count = 1;
    while (test_now_ns() < fixture->end_ns) {
        struct leat_job job = leat_job_default();
        leat_job_id id = {0};
        size_t bytes = bytes_of(&prng);
        payload[0] = (unsigned char)test_random_below(&prng, 4);
        payload[bytes - 1] = payload[0];
        job.type = fixture->type;
        job.queue = fixture->queues[test_random_below(&prng, QUEUES)];
        job.payload = payload;
        job.payload_bytes = bytes;
        job.flags = payload[0] == 2 ? LEAT_JOB_KEEP_RESULT : 0;
        job.options = payload[0] == 3 ? &options : NULL;
        enum leat_status status = leat_submit(fixture->engine, &job, &id);
        check_used(fixture);
        CHECK(status == LEAT_OK || status == LEAT_FULL || status == LEAT_TIMEOUT);
        (void)atom_add_rlx(status == LEAT_OK ? &fixture->taken : &fixture->refused, 1);
        if (status == LEAT_OK && payload[0] == 2) {
            status = leat_release(fixture->engine, id);
            CHECK_OK(status);
        }
    }
    free(payload);
}

static void
cap(struct fixture *fixture, uint64_t bytes)
{
    char value[32];
    (void)snprintf(value, sizeof(value), "%lluB", (unsigned long long)bytes);
    CHECK_OK(leat_knob_change(fixture->engine, "memory_max", value, NULL));
}

/* Between half of the room and all of it. */
static void
disturber(struct fixture *fixture)
{
    struct test_prng prng = {fixture->seed};
    while (test_now_ns() < fixture->end_ns) {
        struct leat_job_query query = leat_job_query_default();
        struct leat_job_tally tally;
        cap(fixture, fixture->most - test_random_below(&prng, ROOM / 2));
        CHECK_OK(leat_job_count(fixture->engine, &query, &tally, 1));
        test_sleep_ns(TEST_MS);
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
    static const char *const names[QUEUES] = {"rejects", "waits", "drops"};
    test_memory_init(&fixture->memory);
    config.workers = 2;
    config.jobs_max = 4096;
    config.retained_max = 256;
    config.allocator = test_memory_allocator(&fixture->memory);
    config.memory_max = UINT64_C(1) << 40;
    fixture->engine = test_start(&config);
    fixture->type = test_register(fixture->engine, "run", run, fixture);
    for (uint32_t i = 0; i < QUEUES; i++) {
        struct leat_queue_options queue = leat_queue_options_default();
        queue.full = (enum leat_full_policy)i;
        queue.block_ns = 5 * TEST_MS;
        CHECK_OK(leat_queue_create(fixture->engine, names[i], &queue, &fixture->queues[i]));
    }
    fixture->most = leat_footprint_used(&fixture->engine->footprint) + ROOM;
    cap(fixture, fixture->most);
}

static void
check_end(struct fixture *fixture)
{
    struct leat_statistics sum = test_statistics(fixture->engine);
    uint64_t bytes = 0;
    CHECK_EQUAL(sum.jobs_submitted, atom_load_rlx(&fixture->taken));
    CHECK_EQUAL(sum.jobs_completed, atom_load_rlx(&fixture->ended));
    CHECK_EQUAL(sum.jobs_completed + sum.jobs_cancelled, sum.jobs_submitted);
    CHECK(sum.jobs_completed != 0);
    CHECK(sum.memory_refused != 0);
    CHECK(atom_load_rlx(&fixture->refused) != 0);
    CHECK(leat_footprint_check(fixture->engine, &bytes, stderr));
    CHECK_EQUAL(leat_footprint_used(&fixture->engine->footprint),
                bytes + atom_load_rlx(&fixture->memory.bytes));
}

static void
nothing_is_lost(void **state)
{
    (void)state;
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    CHECK(fixture != NULL);
    setup(fixture);
    fixture->seed = test_now_ns();
    test_say("seed %llu\n", (unsigned long long)fixture->seed);
    fixture->end_ns = test_now_ns() + test_duration_ns();
    test_threads_run(SUBMITTERS + 1, body, fixture);
    while (leat_drain(fixture->engine, TEST_PATIENCE_NS) == LEAT_OK &&
           test_statistics(fixture->engine).jobs_retrying != 0) {
        test_sleep_ns(TEST_MS);
    }
    CHECK_OK(leat_stop(fixture->engine, TEST_PATIENCE_NS));
    check_end(fixture);
    test_close(fixture->engine);
    CHECK_EQUAL(test_memory_blocks(&fixture->memory), 0);
    free(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
