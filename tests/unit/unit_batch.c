/* unit_batch.c - many jobs in one call: EACH on its own with a status and an id each; ALL_OR_NONE
 * takes all or leaves everything as it was, names the culprits, and says OK beside them. */
#include <stdlib.h>
#include <string.h>

#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/memory.h"

#define JOBS_MAX 80

struct fixture {
    struct leat_engine *engine;
    struct test_memory memory;
    struct leat_job jobs[JOBS_MAX];
    leat_job_id ids[JOBS_MAX];
    enum leat_status statuses[JOBS_MAX];
};

static struct leat_outcome
done(struct leat_run *run, void *context)
{
    (void)run;
    (void)context;
    return leat_done();
}

static void
reset(struct fixture *fixture)
{
    leat_type type = {0};
    CHECK_OK(leat_type_find(fixture->engine, "t", &type));
    for (uint32_t i = 0; i < JOBS_MAX; i++) {
        fixture->jobs[i] = leat_job_default();
        fixture->jobs[i].type = type;
        fixture->ids[i].bits = 99;
        fixture->statuses[i] = LEAT_TIMEOUT;
    }
}

static struct fixture *
setup(void)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct leat_config config = test_config();
    CHECK(fixture != NULL);
    test_memory_init(&fixture->memory);
    config.jobs_max = 100;
    config.allocator = test_memory_allocator(&fixture->memory);
    fixture->engine = test_open(&config);
    (void)test_register(fixture->engine, "t", done, NULL);
    reset(fixture);
    return fixture;
}

static void
teardown(struct fixture *fixture)
{
    test_close(fixture->engine);
    CHECK_EQUAL(test_memory_blocks(&fixture->memory), 0);
    free(fixture);
}

static enum leat_status
submit(struct fixture *fixture, size_t count, enum leat_batch_mode mode)
{
    return leat_submit_batch(fixture->engine, fixture->jobs, count, mode, fixture->ids,
                             fixture->statuses);
}

/* How many jobs wait. */
static uint64_t
waiting(struct fixture *fixture)
{
    struct leat_statistics sum = test_statistics(fixture->engine);
    CHECK_EQUAL(sum.jobs_submitted, sum.jobs_waiting);
    return sum.jobs_waiting;
}

static void
check_taken(struct fixture *fixture, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        CHECK_STATUS(fixture->statuses[i], LEAT_OK);
        CHECK_EQUAL(test_get(fixture->engine, fixture->ids[i]).state, LEAT_JOB_PENDING);
        for (size_t j = 0; j < i; j++) {
            CHECK(fixture->ids[i].bits != fixture->ids[j].bits);
        }
    }
    CHECK_STATUS(fixture->statuses[count], LEAT_TIMEOUT);
    CHECK_EQUAL(fixture->ids[count].bits, 99);
}

static void
all_good(void **state)
{
    (void)state;
    static const enum leat_batch_mode modes[] = {LEAT_BATCH_EACH, LEAT_BATCH_ALL_OR_NONE};
    for (size_t i = 0; i < TEST_COUNT_OF(modes); i++) {
        struct fixture *fixture = setup();
        CHECK_OK(submit(fixture, 0, modes[i]));
        CHECK_OK(leat_submit_batch(fixture->engine, NULL, 0, modes[i], NULL, NULL));
        check_taken(fixture, 0);
        CHECK_OK(submit(fixture, 1, modes[i]));
        check_taken(fixture, 1);
        reset(fixture);
        CHECK_OK(submit(fixture, 33, modes[i]));
        check_taken(fixture, 33);
        CHECK_OK(leat_submit_batch(fixture->engine, fixture->jobs, 10, modes[i], NULL, NULL));
        CHECK_EQUAL(waiting(fixture), 44);
        CHECK_OK(leat_start(fixture->engine));
        CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
        CHECK_EQUAL(test_statistics(fixture->engine).jobs_completed, 44);
        teardown(fixture);
    }
}

/* ---- each ----------------------------------------------------------------------------------- */

static void
each_on_its_own(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    fixture->jobs[1].payload_bytes = 1;
    fixture->jobs[2].reserved = 1;
    fixture->jobs[4].type.bits = 60;
    fixture->jobs[5].priority = 0; /* levels may differ */
    CHECK_STATUS(submit(fixture, 6, LEAT_BATCH_EACH), LEAT_INVALID);
    static const enum leat_status want[] = {LEAT_OK, LEAT_INVALID,   LEAT_UNSUPPORTED,
                                            LEAT_OK, LEAT_NOT_FOUND, LEAT_OK};
    for (size_t i = 0; i < TEST_COUNT_OF(want); i++) {
        CHECK_STATUS(fixture->statuses[i], want[i]);
        CHECK((fixture->ids[i].bits != 0) == (want[i] == LEAT_OK));
    }
    CHECK_EQUAL(waiting(fixture), 3);
    teardown(fixture);
}

/* 100 records in all. */
static void
each_until_full(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    CHECK_OK(submit(fixture, 70, LEAT_BATCH_EACH));
    CHECK_STATUS(submit(fixture, 40, LEAT_BATCH_EACH), LEAT_FULL);
    for (size_t i = 0; i < 40; i++) {
        CHECK_STATUS(fixture->statuses[i], i < 30 ? LEAT_OK : LEAT_FULL);
    }
    CHECK_EQUAL(waiting(fixture), 100);
    teardown(fixture);
}

/* ---- all or none ---------------------------------------------------------------------------- */

/* Refused: nothing of it is there, the ids are untouched. */
static void
none(struct fixture *fixture, size_t count, enum leat_status want)
{
    uint64_t before = waiting(fixture);
    uint64_t blocks = test_memory_blocks(&fixture->memory);
    CHECK_STATUS(submit(fixture, count, LEAT_BATCH_ALL_OR_NONE), want);
    for (size_t i = 0; i < count; i++) {
        CHECK_EQUAL(fixture->ids[i].bits, 99);
    }
    CHECK_EQUAL(waiting(fixture), before);
    CHECK_EQUAL(test_memory_blocks(&fixture->memory), blocks);
    CHECK_STATUS(leat_submit_batch(fixture->engine, fixture->jobs, count, LEAT_BATCH_ALL_OR_NONE,
                                   NULL, NULL),
                 want);
    CHECK_EQUAL(waiting(fixture), before);
    test_engine_check(fixture->engine);
}

static void
culprits_are_named(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    fixture->jobs[3].payload_bytes = 1;
    fixture->jobs[7].reserved = 1;
    none(fixture, 10, LEAT_INVALID);
    for (size_t i = 0; i < 10; i++) {
        enum leat_status want = i == 3 ? LEAT_INVALID : LEAT_OK;
        CHECK_STATUS(fixture->statuses[i], i == 7 ? LEAT_UNSUPPORTED : want);
    }
    reset(fixture);
    fixture->jobs[0].payload_bytes = SIZE_MAX;
    fixture->jobs[3].priority = 1; /* levels may differ */
    fixture->jobs[9].priority = leat_priority_levels();
    none(fixture, 10, LEAT_INVALID);
    for (size_t i = 0; i < 10; i++) {
        CHECK_STATUS(fixture->statuses[i], i == 0 || i == 9 ? LEAT_INVALID : LEAT_OK);
    }
    teardown(fixture);
}

/* Where it is the room or the memory, nobody is to blame. */
static void
check_nobody(struct fixture *fixture, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        CHECK_STATUS(fixture->statuses[i], LEAT_OK);
    }
}

/* A batch takes one of the ring's 64 places, however long it is; where there is none it is listed.
 */
static void
full_ring_lists(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    CHECK_OK(submit(fixture, 62, LEAT_BATCH_EACH));
    reset(fixture);
    CHECK_OK(submit(fixture, 2, LEAT_BATCH_ALL_OR_NONE));
    reset(fixture);
    CHECK_OK(submit(fixture, 33, LEAT_BATCH_ALL_OR_NONE));
    reset(fixture);
    CHECK_OK(submit(fixture, 2, LEAT_BATCH_ALL_OR_NONE));
    check_taken(fixture, 2);
    reset(fixture);
    none(fixture, 2, LEAT_FULL); /* there is one record more */
    check_nobody(fixture, 2);
    CHECK_OK(submit(fixture, 1, LEAT_BATCH_ALL_OR_NONE));
    test_engine_check(fixture->engine);
    CHECK_OK(leat_start(fixture->engine));
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_completed, 62 + 2 + 33 + 2 + 1);
    teardown(fixture);
}

/* Lengths around those of a chunk and of chains of two and three; all run, in their order. */
static void
chains(void **state)
{
    (void)state;
    static const size_t lengths[] = {2, 31, 32, 33, 62, 63, 64, 65, 79};
    for (size_t i = 0; i < TEST_COUNT_OF(lengths); i++) {
        struct fixture *fixture = setup();
        CHECK_OK(submit(fixture, lengths[i], LEAT_BATCH_ALL_OR_NONE));
        check_taken(fixture, lengths[i]);
        test_engine_check(fixture->engine);
        CHECK_OK(leat_start(fixture->engine));
        CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
        CHECK_EQUAL(test_statistics(fixture->engine).jobs_completed, lengths[i]);
        teardown(fixture);
    }
}

static void
more_than_there_are_records(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    static struct leat_job jobs[101];
    for (size_t i = 0; i < TEST_COUNT_OF(jobs); i++) {
        jobs[i] = fixture->jobs[0];
    }
    CHECK_STATUS(leat_submit_batch(fixture->engine, jobs, 101, LEAT_BATCH_ALL_OR_NONE, NULL, NULL),
                 LEAT_FULL);
    CHECK_EQUAL(waiting(fixture), 0);
    test_engine_check(fixture->engine);
    CHECK_OK(leat_submit_batch(fixture->engine, jobs, 100, LEAT_BATCH_ALL_OR_NONE, NULL, NULL));
    CHECK_EQUAL(waiting(fixture), 100);
    teardown(fixture);
}

static void
full_by_jobs(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    for (uint32_t i = 0; i < JOBS_MAX; i++) {
        fixture->jobs[i].priority = 2;
    }
    CHECK_OK(submit(fixture, 60, LEAT_BATCH_ALL_OR_NONE));
    reset(fixture);
    none(fixture, 41, LEAT_FULL);
    check_nobody(fixture, 41);
    CHECK_OK(submit(fixture, 40, LEAT_BATCH_ALL_OR_NONE));
    reset(fixture);
    none(fixture, 1, LEAT_FULL);
    teardown(fixture);
}

static void
no_memory(void **state)
{
    (void)state;
    static const char payload[1000];
    struct fixture *fixture = setup();
    for (uint32_t i = 0; i < 5; i++) {
        fixture->jobs[i].payload = payload;
        fixture->jobs[i].payload_bytes = sizeof(payload);
    }
    uint64_t before = test_memory_blocks(&fixture->memory);
    for (uint64_t nth = 0;; nth++) {
        CHECK(nth < 100);
        reset(fixture);
        for (uint32_t i = 0; i < 5; i++) {
            fixture->jobs[i].payload = payload;
            fixture->jobs[i].payload_bytes = sizeof(payload);
        }
        test_memory_fail(&fixture->memory, nth, false);
        enum leat_status status = submit(fixture, 5, LEAT_BATCH_ALL_OR_NONE);
        test_memory_heal(&fixture->memory);
        if (status == LEAT_OK) {
            /* Five payloads at least were asked for, each failed once. */
            CHECK(nth >= 5);
            break;
        }
        CHECK_STATUS(status, LEAT_NO_MEMORY);
        check_nobody(fixture, 5);
        CHECK_EQUAL(fixture->ids[0].bits, 99);
        CHECK_EQUAL(test_memory_blocks(&fixture->memory), before);
        CHECK_EQUAL(waiting(fixture), 0);
    }
    CHECK_EQUAL(waiting(fixture), 5);
    teardown(fixture);
}

/* A completion queue of another engine is a mistake like others: it has its culprit, also where
 * there is no room, and a name beside it is not taken in. */
static void
queues_of_others(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_config config = test_config();
    struct leat_engine *other = test_open(&config);
    leat_type type = {0};
    CHECK_OK(leat_completion_queue_create(other, 1, &fixture->jobs[1].completions));
    CHECK_STATUS(submit(fixture, 3, LEAT_BATCH_ALL_OR_NONE), LEAT_INVALID);
    CHECK_STATUS(fixture->statuses[0], LEAT_OK);
    CHECK_STATUS(fixture->statuses[1], LEAT_INVALID);
    CHECK_STATUS(fixture->statuses[2], LEAT_OK);
    fixture->jobs[1].type.bits = 0;
    fixture->jobs[1].type_name = "new";
    CHECK_STATUS(submit(fixture, 3, LEAT_BATCH_EACH), LEAT_INVALID);
    CHECK_STATUS(fixture->statuses[1], LEAT_INVALID);
    CHECK_STATUS(leat_type_find(fixture->engine, "new", &type), LEAT_NOT_FOUND);
    CHECK_EQUAL(waiting(fixture), 2);
    teardown(fixture);
    test_close(other);
}

static void
mistakes(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    CHECK_STATUS(submit(fixture, 1, (enum leat_batch_mode)2), LEAT_INVALID);
    CHECK_STATUS(submit(fixture, 1, (enum leat_batch_mode)(-1)), LEAT_INVALID);
    CHECK_STATUS(leat_submit_batch(fixture->engine, NULL, 1, LEAT_BATCH_EACH, fixture->ids,
                                   fixture->statuses),
                 LEAT_INVALID);
    CHECK_STATUS(leat_submit_batch(fixture->engine, NULL, 1, LEAT_BATCH_ALL_OR_NONE, fixture->ids,
                                   fixture->statuses),
                 LEAT_INVALID);
    check_taken(fixture, 0);
    CHECK_EQUAL(waiting(fixture), 0);
    teardown(fixture);
}

/* An array of a caller whose job struct is shorter: its elements stand closer together. What the
 * second and third say must be what the caller wrote there; or the library says that it cannot. */
static void
arrays_of_other_ages(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    const size_t stride = offsetof(struct leat_job, delay_ns);
    static unsigned char array[3 * sizeof(struct leat_job)];
    static const enum leat_batch_mode modes[] = {LEAT_BATCH_EACH, LEAT_BATCH_ALL_OR_NONE};
    for (size_t mode = 0; mode < TEST_COUNT_OF(modes); mode++) {
        memset(array, 0, sizeof(array));
        for (uint32_t i = 0; i < 3; i++) {
            struct leat_job job = fixture->jobs[0];
            job.size = (uint32_t)stride;
            job.max_attempts = 11 + i;
            memcpy(array + stride * i, &job, stride);
        }
        uint64_t before = waiting(fixture);
        enum leat_status status =
            leat_submit_batch(fixture->engine, (const struct leat_job *)(const void *)array, 3,
                              modes[mode], fixture->ids, fixture->statuses);
        if (status == LEAT_UNSUPPORTED) {
            CHECK_EQUAL(waiting(fixture), before);
            continue;
        }
        CHECK_STATUS(status, LEAT_OK);
        for (uint32_t i = 0; i < 3; i++) {
            CHECK_EQUAL(test_get(fixture->engine, fixture->ids[i]).max_attempts, 11 + i);
        }
    }
    teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_good),        cmocka_unit_test(each_on_its_own),
        cmocka_unit_test(each_until_full), cmocka_unit_test(culprits_are_named),
        cmocka_unit_test(full_ring_lists), cmocka_unit_test(chains),
        cmocka_unit_test(full_by_jobs),    cmocka_unit_test(more_than_there_are_records),
        cmocka_unit_test(no_memory),       cmocka_unit_test(queues_of_others),
        cmocka_unit_test(mistakes),        cmocka_unit_test(arrays_of_other_ages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
