/* unit_submit.c - taking work in: every status of leat_submit(), leat_post() and leat_post_batch(),
 * each limit reached exactly and nothing changed by a refusal; payloads of all sizes that are kept
 * in different places, copied, aligned to 16; types and queues by handle and by name; how many
 * attempts a job has. */
#include <stdlib.h>
#include <string.h>

#include "ring/atomic.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/memory.h"
#include "tests/support/threads.h"

static struct leat_outcome
done(struct leat_run *run, void *context)
{
    (void)run;
    (void)context;
    return leat_done();
}

static void
nothing(void *argument)
{
    (void)argument;
}

static struct leat_job
job_of(leat_type type)
{
    struct leat_job job = leat_job_default();
    job.type = type;
    return job;
}

/* A refusal leaves the numbers as they were. */
static void
refused(struct leat_engine *engine, const struct leat_job *job, enum leat_status want)
{
    struct leat_statistics before = test_statistics(engine);
    leat_job_id id = {99};
    CHECK_STATUS(leat_submit(engine, job, &id), want);
    CHECK_EQUAL(id.bits, 99);
    CHECK_STATUS(leat_submit(engine, job, NULL), want);
    if (want == LEAT_INVALID || want == LEAT_UNSUPPORTED) {
        CHECK_STATUS(leat_job_check(engine, job, NULL), want);
    }
    struct leat_statistics after = test_statistics(engine);
    CHECK_EQUAL(after.jobs_submitted, before.jobs_submitted);
    CHECK_EQUAL(after.jobs_waiting, before.jobs_waiting);
    CHECK_EQUAL(after.jobs_cancelled, before.jobs_cancelled);
}

/* ---- limits --------------------------------------------------------------------------------- */

/* Tasks and jobs share the ring of their level; what finds it full is listed, if it is a job. */
static void
full_ring_lists(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    config.jobs_max = 10000;
    config.tasks_max = 1000;
    struct leat_engine *engine = test_open(&config);
    struct leat_job job = job_of(test_register(engine, "t", done, NULL));
    for (uint32_t level = 0; level < leat_priority_levels(); level++) {
        job.priority = level;
        for (uint32_t i = 0; i < 64; i++) {
            if (i % 2 == 0) {
                CHECK_OK(leat_submit(engine, &job, NULL));
            } else {
                CHECK_OK(leat_post(engine, level, nothing, NULL));
            }
        }
        CHECK_OK(leat_submit(engine, &job, NULL));
        CHECK_STATUS(leat_post(engine, level, nothing, NULL), LEAT_FULL);
    }
    struct leat_statistics sum = test_statistics(engine);
    CHECK_EQUAL(sum.jobs_submitted, 33 * leat_priority_levels());
    CHECK_EQUAL(sum.jobs_waiting, 33 * leat_priority_levels());
    CHECK_EQUAL(sum.tasks_waiting, 32 * leat_priority_levels());
    test_engine_check(engine);
    CHECK_OK(leat_start(engine));
    CHECK_OK(leat_drain(engine, LEAT_FOREVER));
    CHECK_EQUAL(test_statistics(engine).jobs_completed, 33 * leat_priority_levels());
    CHECK_EQUAL(test_statistics(engine).tasks_run, 32 * leat_priority_levels());
    test_close(engine);
}

static void
full_by_jobs(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    config.jobs_max = 65;
    config.ring_slots = 128;
    struct leat_engine *engine = test_open(&config);
    struct leat_job job = job_of(test_register(engine, "t", done, NULL));
    for (uint32_t i = 0; i < 65; i++) {
        CHECK_OK(leat_submit(engine, &job, NULL));
    }
    refused(engine, &job, LEAT_FULL);
    job.priority = 0;
    refused(engine, &job, LEAT_FULL);
    CHECK_OK(leat_post(engine, 0, nothing, NULL));
    CHECK_OK(leat_start(engine));
    test_finish(engine);
}

static void
full_by_tasks(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    config.tasks_max = 65;
    config.ring_slots = 128;
    struct leat_engine *engine = test_open(&config);
    struct leat_job job = job_of(test_register(engine, "t", done, NULL));
    for (uint32_t i = 0; i < 65; i++) {
        CHECK_OK(leat_post(engine, 1, nothing, NULL));
    }
    CHECK_STATUS(leat_post(engine, 1, nothing, NULL), LEAT_FULL);
    CHECK_STATUS(leat_post(engine, 0, nothing, NULL), LEAT_FULL);
    CHECK_EQUAL(test_statistics(engine).tasks_waiting, 65);
    CHECK_OK(leat_submit(engine, &job, NULL));
    CHECK_OK(leat_start(engine));
    CHECK_OK(leat_drain(engine, LEAT_FOREVER));
    CHECK_EQUAL(test_statistics(engine).tasks_run, 65);
    test_close(engine);
}

/* A batch of tasks is taken as far as there is room, in order. */
static void
batch_until_full(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    config.tasks_max = 2148;
    struct leat_engine *engine = test_open(&config);
    static struct leat_task tasks[3000];
    size_t posted = 77;
    for (size_t i = 0; i < TEST_COUNT_OF(tasks); i++) {
        tasks[i] = (struct leat_task){nothing, NULL};
    }
    /* 64 places of a ring, of 32 tasks each. */
    CHECK_STATUS(leat_post_batch(engine, 2, tasks, 2100, &posted), LEAT_FULL);
    CHECK_EQUAL(posted, 2048);
    CHECK_STATUS(leat_post_batch(engine, 2, tasks, 1, &posted), LEAT_FULL);
    CHECK_EQUAL(posted, 0);
    CHECK_STATUS(leat_post_batch(engine, 2, tasks, 100, &posted), LEAT_FULL);
    CHECK_EQUAL(posted, 0);
    CHECK_EQUAL(test_statistics(engine).tasks_waiting, 2048);
    /* 100 records are left. */
    CHECK_OK(leat_post_batch(engine, 3, tasks, 99, NULL));
    CHECK_STATUS(leat_post_batch(engine, 4, tasks, 32, &posted), LEAT_FULL);
    CHECK_EQUAL(posted, 1);
    CHECK_STATUS(leat_post_batch(engine, 5, tasks, 32, &posted), LEAT_FULL);
    CHECK_EQUAL(posted, 0);
    CHECK_EQUAL(test_statistics(engine).tasks_waiting, 2148);
    CHECK_OK(leat_start(engine));
    CHECK_OK(leat_drain(engine, LEAT_FOREVER));
    CHECK_EQUAL(test_statistics(engine).tasks_run, 2148);
    /* And all records are free again. */
    CHECK_OK(leat_stop(engine, LEAT_FOREVER));
    test_close(engine);
}

static void
full_by_names(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    config.types_max = 1;
    config.queues_max = 2;
    struct leat_engine *engine = test_open(&config);
    struct leat_job job = leat_job_default();
    job.type_name = "first";
    CHECK_OK(leat_submit(engine, &job, NULL));
    CHECK_OK(leat_submit(engine, &job, NULL));
    job.type_name = "second";
    refused(engine, &job, LEAT_FULL);
    job.type_name = "first";
    job.queue_name = "other"; /* "default" is the first */
    CHECK_OK(leat_submit(engine, &job, NULL));
    job.queue_name = "third";
    refused(engine, &job, LEAT_FULL);
    job.queue_name = "default";
    CHECK_OK(leat_submit(engine, &job, NULL));
    leat_type type = {0};
    CHECK_STATUS(leat_type_find(engine, "second", &type), LEAT_NOT_FOUND);
    test_close(engine);
}

/* Room comes back as soon as jobs end. */
static void
room_comes_back(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    config.retained_max = 0;
    struct leat_engine *engine = test_open(&config); /* with 64 records */
    struct leat_job job = job_of(test_register(engine, "t", done, NULL));
    for (uint32_t round = 0; round < 50; round++) {
        for (uint32_t i = 0; i < 64; i++) {
            CHECK_OK(leat_submit(engine, &job, NULL));
            CHECK_OK(leat_post(engine, 7, nothing, NULL));
        }
        refused(engine, &job, LEAT_FULL);
        CHECK_OK(leat_start(engine));
        CHECK_OK(leat_drain(engine, LEAT_FOREVER));
        CHECK_OK(leat_stop(engine, LEAT_FOREVER));
        test_engine_check(engine);
        CHECK_OK(leat_close(engine));
        engine = test_open(&config);
        job.type = test_register(engine, "t", done, NULL);
    }
    test_close(engine);
}

/* ---- mistakes ------------------------------------------------------------------------------- */

static void
invalid_jobs(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    config.payload_bytes_max = 100;
    struct leat_engine *engine = test_open(&config);
    leat_type type = test_register(engine, "t", done, NULL);
    const struct leat_job good = job_of(type);
    struct leat_job job = good;
    char byte[200];
    memset(byte, 1, sizeof(byte));

    CHECK_STATUS(leat_submit(engine, NULL, NULL), LEAT_INVALID);
    job.size = 0;
    refused(engine, &job, LEAT_INVALID);
    job = good;
    job.version = LEAT_STRUCT_VERSION + 1;
    refused(engine, &job, LEAT_UNSUPPORTED);
    job = good;
    job.type.bits = 0;
    refused(engine, &job, LEAT_INVALID); /* neither handle nor name */
    static const char *const bad_names[] = {"", "a b", "caf\xc3\xa9", "a\n", "%s"};
    for (size_t i = 0; i < TEST_COUNT_OF(bad_names); i++) {
        job.type_name = bad_names[i];
        refused(engine, &job, LEAT_INVALID);
    }
    job = good;
    for (size_t i = 0; i < TEST_COUNT_OF(bad_names); i++) {
        job.queue_name = bad_names[i];
        refused(engine, &job, LEAT_INVALID);
    }
    job = good;
    job.payload_bytes = 1;
    refused(engine, &job, LEAT_INVALID);
    job.payload = byte;
    job.payload_bytes = 101;
    refused(engine, &job, LEAT_INVALID);
    job.payload_bytes = SIZE_MAX;
    refused(engine, &job, LEAT_INVALID);
    job.payload_bytes = 100;
    CHECK_OK(leat_submit(engine, &job, NULL));
    job = good;
    job.priority = leat_priority_levels();
    refused(engine, &job, LEAT_INVALID);
    job.priority = 254;
    refused(engine, &job, LEAT_INVALID);
    job.priority = 256;
    refused(engine, &job, LEAT_INVALID);
    job = good;
    job.max_attempts = 65536;
    refused(engine, &job, LEAT_INVALID);
    job.max_attempts = 65535;
    CHECK_OK(leat_submit(engine, &job, NULL));
    test_close(engine);
}

static void
unsupported_jobs(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    struct leat_engine *engine = test_open(&config);
    const struct leat_job good = job_of(test_register(engine, "t", done, NULL));
    struct leat_job job = good;
    for (uint32_t bit = 1; bit < 32; bit++) {
        job.flags = UINT32_C(1) << bit;
        refused(engine, &job, LEAT_UNSUPPORTED);
    }
    job = good;
    job.reserved = 1;
    refused(engine, &job, LEAT_UNSUPPORTED);
    /* Options of another version, of none, and two times. */
    struct leat_job_options options = leat_job_options_default();
    job = good;
    job.options = &options;
    options.version = 77;
    refused(engine, &job, LEAT_UNSUPPORTED);
    options = leat_job_options_default();
    options.size = 4;
    refused(engine, &job, LEAT_INVALID);
    options = leat_job_options_default();
    options.run_at_ns = 1;
    job.delay_ns = 1;
    refused(engine, &job, LEAT_INVALID);
    test_close(engine);
}

/* A job struct that is older or newer than the library's. */
static void
jobs_of_other_ages(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    struct leat_engine *engine = test_open(&config);
    leat_type type = test_register(engine, "t", done, NULL);
    struct {
        struct leat_job known;
        uint64_t unknown;
    } newer = {job_of(type), 0};
    newer.known.size = sizeof(newer);
    CHECK_OK(leat_submit(engine, &newer.known, NULL));
    newer.unknown = 1;
    refused(engine, &newer.known, LEAT_UNSUPPORTED);
    struct leat_job older;
    memset(&older, 0xff, sizeof(older));
    older.size = (uint32_t)offsetof(struct leat_job, type_name);
    older.version = LEAT_STRUCT_VERSION;
    older.type = type;
    older.queue.bits = 0;
    leat_job_id id = {0};
    CHECK_OK(leat_submit(engine, &older, &id));
    struct leat_job_info info = test_get(engine, id);
    CHECK_EQUAL(info.priority, LEAT_PRIORITY_NORMAL);
    CHECK_EQUAL(info.payload_bytes, 0);
    CHECK_EQUAL(info.max_attempts, 3);
    test_close(engine);
}

static void
unknown_handles(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    struct leat_engine *engine = test_open(&config);
    const struct leat_job good = job_of(test_register(engine, "t", done, NULL));
    static const uint32_t never[] = {2, 63, 64, 65, 65535, 65536, 65537, UINT32_MAX};
    for (size_t i = 0; i < TEST_COUNT_OF(never); i++) {
        struct leat_job job = good;
        job.type.bits = never[i];
        refused(engine, &job, LEAT_NOT_FOUND);
        job = good;
        job.queue.bits = never[i];
        refused(engine, &job, LEAT_NOT_FOUND);
    }
    test_close(engine);
}

static void
invalid_tasks(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    struct leat_engine *engine = test_open(&config);
    struct leat_task tasks[3] = {{nothing, NULL}, {nothing, NULL}, {NULL, NULL}};
    size_t posted = 77;
    CHECK_STATUS(leat_post(engine, 0, NULL, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_post(engine, leat_priority_levels(), nothing, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_post(engine, LEAT_PRIORITY_OF_QUEUE, nothing, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_post_batch(engine, 0, tasks, 3, &posted), LEAT_INVALID);
    CHECK_STATUS(leat_post_batch(engine, leat_priority_levels(), tasks, 2, &posted), LEAT_INVALID);
    CHECK_STATUS(leat_post_batch(engine, 0, NULL, 1, &posted), LEAT_INVALID);
    CHECK_EQUAL(posted, 77);
    CHECK_EQUAL(test_statistics(engine).tasks_waiting, 0);
    CHECK_OK(leat_post_batch(engine, 0, NULL, 0, &posted));
    CHECK_EQUAL(posted, 0);
    CHECK_OK(leat_post_batch(engine, 0, tasks, 2, NULL));
    CHECK_EQUAL(test_statistics(engine).tasks_waiting, 2);
    test_close(engine);
}

static void
no_memory_for_a_payload(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    struct test_memory memory;
    test_memory_init(&memory);
    config.allocator = test_memory_allocator(&memory);
    struct leat_engine *engine = test_open(&config);
    struct leat_job job = job_of(test_register(engine, "t", done, NULL));
    static const char payload[65];
    job.payload = payload;
    job.payload_bytes = sizeof(payload);
    leat_job_id id = {99};
    test_memory_fail(&memory, 0, true);
    CHECK_STATUS(leat_submit(engine, &job, &id), LEAT_NO_MEMORY);
    CHECK_EQUAL(id.bits, 99);
    /* Up to the inline limit no allocation is asked for. */
    job.payload_bytes = 64;
    CHECK_OK(leat_submit(engine, &job, &id));
    test_memory_heal(&memory);
    CHECK_EQUAL(test_statistics(engine).jobs_submitted, 1);
    job.payload_bytes = 65;
    CHECK_OK(leat_submit(engine, &job, &id));
    test_close(engine);
    CHECK_EQUAL(test_memory_blocks(&memory), 0);
}

/* ---- payloads ------------------------------------------------------------------------------- */

struct expected {
    size_t bytes;
    unsigned char first;
    bool seen;
};

static struct leat_outcome
payload_check(struct leat_run *run, void *context)
{
    struct expected *expected = context;
    size_t bytes = 12345;
    unsigned char *payload = leat_run_payload(run, &bytes);
    CHECK_EQUAL(bytes, expected->bytes);
    CHECK(leat_run_payload(run, NULL) == payload);
    CHECK((payload == NULL) == (bytes == 0));
    CHECK_EQUAL((uintptr_t)payload % 16, 0);
    for (size_t i = 0; i < bytes; i++) {
        CHECK_EQUAL(payload[i], (unsigned char)(expected->first + i % 251));
        /* Writable, to the last byte. */
        payload[i] = 0;
    }
    expected->seen = true;
    return leat_done();
}

static void
payload_of(struct leat_engine *engine, struct expected *expected, size_t bytes)
{
    unsigned char *payload = malloc(bytes + 1);
    leat_type type = {0};
    leat_job_id id = {0};
    CHECK(payload != NULL);
    CHECK_OK(leat_type_find(engine, "payload", &type));
    expected->bytes = bytes;
    expected->first++;
    expected->seen = false;
    for (size_t i = 0; i < bytes; i++) {
        payload[i] = (unsigned char)(expected->first + i % 251);
    }
    struct leat_job job = job_of(type);
    job.flags = LEAT_JOB_KEEP_RESULT;
    job.payload = payload;
    job.payload_bytes = bytes;
    CHECK_OK(leat_submit(engine, &job, &id));
    /* Copied: the caller's own may go. */
    memset(payload, 0xee, bytes);
    free(payload);
    struct leat_job_info info = test_wait(engine, id);
    CHECK_EQUAL(info.state, LEAT_JOB_COMPLETED);
    CHECK_EQUAL(info.payload_bytes, bytes);
    CHECK(expected->seen);
    CHECK_OK(leat_release(engine, id));
}

static void
payloads(void **state)
{
    (void)state;
    static const uint32_t inline_limits[] = {0, 16, 32, 64, 4096};
    static const size_t sizes[] = {0,  1,  15, 16,  17,   31,   32,   33,    63,
                                   64, 65, 80, 100, 4095, 4096, 4097, 99999, 100000};
    for (size_t i = 0; i < TEST_COUNT_OF(inline_limits); i++) {
        struct leat_config config = test_config();
        struct expected expected = {0, 0, false};
        config.payload_bytes_inline = inline_limits[i];
        config.payload_bytes_max = 100000;
        struct leat_engine *engine = test_start(&config);
        (void)test_register(engine, "payload", payload_check, &expected);
        for (size_t j = 0; j < TEST_COUNT_OF(sizes); j++) {
            payload_of(engine, &expected, sizes[j]);
        }
        test_finish(engine);
    }
}

/* A maximum below the inline limit holds all the same. */
static void
payload_limit_below_inline(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    config.payload_bytes_max = 10;
    struct leat_engine *engine = test_open(&config);
    struct leat_job job = job_of(test_register(engine, "t", done, NULL));
    job.payload = "0123456789a";
    job.payload_bytes = 11;
    refused(engine, &job, LEAT_INVALID);
    job.payload_bytes = 10;
    CHECK_OK(leat_submit(engine, &job, NULL));
    test_close(engine);
}

/* ---- names and attempts --------------------------------------------------------------------- */

struct told {
    leat_type type;
    leat_queue queue;
    uint32_t priority;
    uint32_t max_attempts;
    leat_atomic_u32 runs;
};

static struct leat_outcome
tell(struct leat_run *run, void *context)
{
    struct told *told = context;
    told->type = leat_run_type(run);
    told->queue = leat_run_queue(run);
    told->priority = leat_run_priority(run);
    told->max_attempts = leat_run_max_attempts(run);
    (void)atom_add_rlx(&told->runs, 1);
    return leat_done();
}

static void
run_one(struct leat_engine *engine, const struct leat_job *given)
{
    struct leat_job job = *given;
    leat_job_id id = {0};
    job.flags = LEAT_JOB_KEEP_RESULT;
    CHECK_OK(leat_submit(engine, &job, &id));
    CHECK_EQUAL(test_wait(engine, id).state, LEAT_JOB_COMPLETED);
    CHECK_OK(leat_release(engine, id));
}

static void
by_handle_and_by_name(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    struct told told = {{0}, {0}, 99, 0, 0};
    struct leat_engine *engine = test_start(&config);
    struct leat_queue_options options = leat_queue_options_default();
    leat_queue urgent = {0};
    leat_queue found = {0};
    leat_type type = test_register(engine, "tell", tell, &told);
    options.priority = 1;
    CHECK_OK(leat_queue_create(engine, "urgent", &options, &urgent));

    struct leat_job job = job_of(type);
    run_one(engine, &job);
    CHECK_OK(leat_queue_find(engine, "default", &found));
    CHECK_EQUAL(told.type.bits, type.bits);
    CHECK_EQUAL(told.queue.bits, found.bits);
    CHECK_EQUAL(told.priority, LEAT_PRIORITY_NORMAL);

    job.type.bits = 0;
    job.type_name = "tell";
    job.queue_name = "urgent";
    run_one(engine, &job);
    CHECK_EQUAL(told.type.bits, type.bits);
    CHECK_EQUAL(told.queue.bits, urgent.bits);
    CHECK_EQUAL(told.priority, 1);

    job.queue_name = NULL;
    job.queue = urgent;
    job.priority = 6;
    run_one(engine, &job);
    CHECK_EQUAL(told.queue.bits, urgent.bits);
    CHECK_EQUAL(told.priority, 6);

    /* A queue that the job creates has the default options. */
    job = job_of(type);
    job.queue_name = "made-by-a-job";
    CHECK_STATUS(leat_queue_find(engine, "made-by-a-job", &found), LEAT_NOT_FOUND);
    run_one(engine, &job);
    CHECK_OK(leat_queue_find(engine, "made-by-a-job", &found));
    CHECK_EQUAL(told.queue.bits, found.bits);
    CHECK_EQUAL(told.priority, LEAT_PRIORITY_NORMAL);
    CHECK_EQUAL(atom_load_rlx(&told.runs), 4);
    test_finish(engine);
}

static void
attempts_of_job_and_type(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    struct told told = {{0}, {0}, 99, 0, 0};
    struct leat_engine *engine = test_open(&config);
    struct leat_type_options options = leat_type_options_default();
    struct leat_job job = leat_job_default();
    leat_job_id early = {0};
    job.type_name = "later";
    job.flags = LEAT_JOB_KEEP_RESULT;
    /* The type is not registered yet: 3 for now, and what the type says once it is. */
    CHECK_OK(leat_submit(engine, &job, &early));
    CHECK_EQUAL(test_get(engine, early).max_attempts, 3);
    options.max_attempts = 9;
    CHECK_OK(leat_type_register(engine, "later", tell, &told, &options, &job.type));
    CHECK_EQUAL(test_get(engine, early).max_attempts, 9);
    CHECK_OK(leat_start(engine));
    CHECK_EQUAL(test_wait(engine, early).max_attempts, 9);
    CHECK_EQUAL(told.max_attempts, 9);
    CHECK_OK(leat_release(engine, early));
    job.max_attempts = 65535;
    run_one(engine, &job);
    CHECK_EQUAL(told.max_attempts, 65535);
    job.max_attempts = 1;
    run_one(engine, &job);
    CHECK_EQUAL(told.max_attempts, 1);
    test_finish(engine);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(full_ring_lists),
        cmocka_unit_test(full_by_jobs),
        cmocka_unit_test(full_by_tasks),
        cmocka_unit_test(batch_until_full),
        cmocka_unit_test(full_by_names),
        cmocka_unit_test(room_comes_back),
        cmocka_unit_test(invalid_jobs),
        cmocka_unit_test(unsupported_jobs),
        cmocka_unit_test(jobs_of_other_ages),
        cmocka_unit_test(unknown_handles),
        cmocka_unit_test(invalid_tasks),
        cmocka_unit_test(no_memory_for_a_payload),
        cmocka_unit_test(payloads),
        cmocka_unit_test(payload_limit_below_inline),
        cmocka_unit_test(by_handle_and_by_name),
        cmocka_unit_test(attempts_of_job_and_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
