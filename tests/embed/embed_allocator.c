/* embed_allocator.c - a host's own allocator table: what the library takes from it comes back, each
 * block once and with its size, aligned as it asked; it may be called from many threads; and the
 * path of a job that needs no memory asks for none. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ring/atomic.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/memory.h"
#include "tests/support/threads.h"

static struct leat_outcome
by_payload(struct leat_run *run, void *context)
{
    (void)context;
    size_t bytes = 0;
    const unsigned char *payload = leat_run_payload(run, &bytes);
    CHECK_OK(leat_run_error(run, "text"));
    CHECK_OK(leat_run_progress(run, 50, NULL));
    CHECK_OK(leat_run_result(run, payload, bytes));
    CHECK_OK(leat_run_result(run, payload, bytes / 2));
    return bytes % 3 == 0 ? leat_retry() : leat_done();
}

static struct leat_outcome
plain(struct leat_run *run, void *context)
{
    (void)run;
    (void)atom_add_rlx((leat_atomic_u64 *)context, 1);
    return leat_done();
}

static void
task(void *argument)
{
    (void)atom_add_rlx((leat_atomic_u64 *)argument, 1);
}

static struct leat_config
config_of(struct test_memory *memory)
{
    struct leat_config config = test_config();
    config.allocator = test_memory_allocator(memory);
    config.jobs_max = 500;
    config.ring_slots = 512;
    config.retained_max = 100;
    config.dead_max = 50;
    return config;
}

static void
open_and_close(void **state)
{
    (void)state;
    struct test_memory memory;
    test_memory_init(&memory);
    struct leat_config config = config_of(&memory);
    for (uint32_t workers = 0; workers < 4; workers++) {
        config.workers = workers;
        struct leat_engine *engine = test_open(&config);
        CHECK(test_memory_blocks(&memory) > 0);
        CHECK_OK(leat_close(engine));
        CHECK_EQUAL(test_memory_blocks(&memory), 0);
        CHECK_EQUAL(atom_load_rlx(&memory.bytes), 0);
        engine = test_start(&config);
        test_finish(engine);
        CHECK_EQUAL(test_memory_blocks(&memory), 0);
    }
}

struct shared {
    struct leat_engine *engine;
    leat_atomic_u32 names;
};

static void
use(void *argument, uint32_t number)
{
    static const unsigned char payload[20000];
    struct shared *shared = argument;
    for (uint32_t i = 0; i < 400; i++) {
        struct leat_job job = leat_job_default();
        char name[32];
        leat_job_id id = {0};
        (void)snprintf(name, sizeof(name), "type-%u", atom_add_rlx(&shared->names, 1) % 50);
        job.type_name = i % 8 == 0 ? name : "by-payload";
        job.flags = i % 3 == 0 ? LEAT_JOB_KEEP_RESULT : 0;
        job.payload = payload;
        job.payload_bytes = (number * 7919 + i * 104729) % sizeof(payload);
        enum leat_status status = leat_submit(shared->engine, &job, &id);
        CHECK(status == LEAT_OK || status == LEAT_FULL);
        if (status == LEAT_OK && i % 5 == 0) {
            status = leat_cancel(shared->engine, id);
            CHECK(status == LEAT_OK || status == LEAT_RUNNING || status == LEAT_ENDED ||
                  status == LEAT_GONE);
        }
        if (id.bits != 0 && i % 6 == 0) {
            status = leat_release(shared->engine, id);
            CHECK(status == LEAT_OK || status == LEAT_GONE);
        }
    }
}

/* Everything that takes memory, from several threads; some of it still there at the close. */
static void
everything_comes_back(void **state)
{
    (void)state;
    struct test_memory memory;
    test_memory_init(&memory);
    struct leat_config config = config_of(&memory);
    config.workers = 2;
    for (uint32_t round = 0; round < 3; round++) {
        struct shared shared = {test_start(&config), 0};
        (void)test_register(shared.engine, "by-payload", by_payload, NULL);
        test_threads_run(3, use, &shared);
        if (round > 0) {
            CHECK_OK(leat_drain(shared.engine, LEAT_FOREVER));
        }
        test_close(shared.engine);
        CHECK_EQUAL(test_memory_blocks(&memory), 0);
        CHECK_EQUAL(atom_load_rlx(&memory.bytes), 0);
    }
}

/* Submit, take, run, end: no call of the allocator, with payloads up to the inline limit. */
static void
the_hot_path_asks_for_nothing(void **state)
{
    (void)state;
    static const char payload[64];
    struct test_memory memory;
    leat_atomic_u64 runs;
    atom_init(&runs, 0);
    test_memory_init(&memory);
    struct leat_config config = config_of(&memory);
    struct leat_engine *engine = test_start(&config);
    struct leat_job job = leat_job_default();
    job.type = test_register(engine, "plain", plain, &runs);
    job.payload = payload;
    CHECK_OK(leat_thread_attach(engine));
    uint64_t calls = test_memory_calls(&memory);
    uint64_t accepted = 0;
    while (accepted < 5000) {
        job.payload_bytes = accepted % 65;
        job.priority = (uint32_t)(accepted % 8);
        leat_job_id id = {0};
        enum leat_status status = accepted % 4 == 0 ? leat_post(engine, job.priority, task, &runs)
                                                    : leat_submit(engine, &job, &id);
        CHECK(status == LEAT_OK || status == LEAT_FULL);
        accepted += status == LEAT_OK ? 1 : 0;
        if (id.bits != 0 && accepted % 3 == 0) {
            struct leat_job_info info = leat_job_info_default();
            status = leat_get(engine, id, &info);
            CHECK(status == LEAT_OK || status == LEAT_GONE);
        }
    }
    CHECK_OK(leat_drain(engine, LEAT_FOREVER));
    CHECK_EQUAL(atom_load_rlx(&runs), 5000);
    CHECK_EQUAL(test_memory_calls(&memory), calls);
    test_close(engine);
    CHECK_EQUAL(test_memory_blocks(&memory), 0);
}

/* Two engines with two tables: each gets its own back (a block knows where it is from). */
static void
tables_are_not_mixed_up(void **state)
{
    (void)state;
    struct test_memory memories[2];
    struct shared shared[2];
    for (uint32_t i = 0; i < 2; i++) {
        test_memory_init(&memories[i]);
        struct leat_config config = config_of(&memories[i]);
        shared[i].engine = test_start(&config);
        atom_init(&shared[i].names, 0);
        (void)test_register(shared[i].engine, "by-payload", by_payload, NULL);
    }
    use(&shared[0], 0);
    use(&shared[1], 1);
    test_finish(shared[0].engine);
    CHECK_EQUAL(test_memory_blocks(&memories[0]), 0);
    CHECK(test_memory_blocks(&memories[1]) > 0);
    test_finish(shared[1].engine);
    CHECK_EQUAL(test_memory_blocks(&memories[1]), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(open_and_close),
        cmocka_unit_test(everything_comes_back),
        cmocka_unit_test(the_hot_path_asks_for_nothing),
        cmocka_unit_test(tables_are_not_mixed_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
