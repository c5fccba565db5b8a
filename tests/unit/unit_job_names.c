/* unit_job_names.c - a job's own name: unique among those that have not ended, found while its
 * record is there, given anew behind its end; its length below, at and above the limit; each call
 * by name does what the one by id does; keys and names do not meet. */
#include <string.h>

#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory.h"

#define S UINT64_C(1000000000)

struct fixture {
    struct test_clock clock;
    struct test_memory memory;
    struct leat_engine *engine;
    leat_type type;
    struct leat_outcome answer;
    uint32_t runs;
};

static struct leat_outcome
run(struct leat_run *attempt, void *context)
{
    struct fixture *fixture = context;
    leat_job_id id = {0};
    fixture->runs++;
    CHECK_OK(leat_run_result(attempt, "result", 6));
    CHECK_OK(leat_job_find(fixture->engine, "name", &id));
    CHECK_EQUAL(id.bits, leat_run_id(attempt).bits);
    return fixture->answer;
}

static struct fixture *
setup(uint32_t retained_max)
{
    static struct fixture fixture;
    struct leat_config config = test_config();
    memset(&fixture, 0, sizeof(fixture));
    test_clock_init(&fixture.clock);
    test_memory_init(&fixture.memory);
    config.workers = 0;
    config.jobs_max = 1024;
    config.retained_max = retained_max;
    config.clock = test_clock_of(&fixture.clock);
    config.allocator = test_memory_allocator(&fixture.memory);
    fixture.engine = test_start(&config);
    fixture.type = test_register(fixture.engine, "t", run, &fixture);
    fixture.answer = leat_done();
    return &fixture;
}

static void
teardown(struct fixture *fixture)
{
    test_close(fixture->engine);
    CHECK_EQUAL(test_memory_blocks(&fixture->memory), 0);
}

static enum leat_status
submit(struct fixture *fixture, const char *name, uint32_t flags, uint64_t delay_ns,
       leat_job_id *id)
{
    struct leat_job_options options = leat_job_options_default();
    struct leat_job job = leat_job_default();
    options.name = name;
    job.type = fixture->type;
    job.flags = flags;
    job.delay_ns = delay_ns;
    job.options = &options;
    return leat_submit(fixture->engine, &job, id);
}

static void
run_all(struct fixture *fixture)
{
    enum leat_status status = LEAT_OK;
    while (status == LEAT_OK) {
        status = leat_run_some(fixture->engine, 100, NULL);
    }
    CHECK_STATUS(status, LEAT_EMPTY);
}

static void
check_name(struct fixture *fixture, leat_job_id id, const char *name)
{
    char text[129];
    size_t bytes = strlen(name);
    memset(text, 'x', sizeof(text));
    CHECK_STATUS(leat_job_name(fixture->engine, id, text, bytes), LEAT_FULL);
    CHECK(text[0] == 'x');
    CHECK_OK(leat_job_name(fixture->engine, id, text, bytes + 1));
    CHECK_TEXT(text, name);
}

static void
one_name(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0);
    leat_job_id first = {0};
    leat_job_id id = {77};
    CHECK_STATUS(leat_job_find(fixture->engine, "name", &id), LEAT_NOT_FOUND);
    CHECK_OK(submit(fixture, "name", 0, 0, &first));
    CHECK_STATUS(submit(fixture, "name", 0, 0, &id), LEAT_EXISTS);
    CHECK_EQUAL(id.bits, 77);
    CHECK_OK(leat_job_find(fixture->engine, "name", &id));
    CHECK_EQUAL(id.bits, first.bits);
    check_name(fixture, first, "name");
    run_all(fixture);
    CHECK_STATUS(leat_job_find(fixture->engine, "name", &id), LEAT_NOT_FOUND);
    CHECK_OK(submit(fixture, "name", 0, 0, &id));
    CHECK(id.bits != first.bits);
    run_all(fixture);
    teardown(fixture);
}

/* An ended job is found while its record is there, and nobody else has the name. */
static void
ended(void **state)
{
    (void)state;
    for (uint32_t retained = 0; retained < 2; retained++) {
        struct fixture *fixture = setup(retained * 64);
        leat_job_id first = {0};
        leat_job_id second = {0};
        leat_job_id id = {0};
        CHECK_OK(submit(fixture, "name", retained ? 0 : LEAT_JOB_KEEP_RESULT, 0, &first));
        run_all(fixture);
        CHECK_OK(leat_job_find(fixture->engine, "name", &id));
        CHECK_EQUAL(id.bits, first.bits);
        CHECK_OK(submit(fixture, "name", LEAT_JOB_KEEP_RESULT, 0, &second));
        CHECK_OK(leat_job_find(fixture->engine, "name", &id));
        CHECK_EQUAL(id.bits, second.bits);
        check_name(fixture, first, "name");
        if (retained == 0) {
            CHECK_OK(leat_release(fixture->engine, first));
        }
        CHECK_OK(leat_job_find(fixture->engine, "name", &id)); /* that of the second */
        CHECK_EQUAL(id.bits, second.bits);
        run_all(fixture);
        CHECK_OK(leat_release_by_name(fixture->engine, "name"));
        teardown(fixture);
    }
}

static void
lengths(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0);
    char name[130];
    leat_job_id id = {77};
    memset(name, 'n', sizeof(name));
    name[129] = '\0';
    CHECK_STATUS(submit(fixture, name, 0, S, &id), LEAT_INVALID);
    CHECK_STATUS(leat_job_find(fixture->engine, name, &id), LEAT_NOT_FOUND);
    CHECK_STATUS(submit(fixture, "", 0, S, &id), LEAT_INVALID);
    CHECK_EQUAL(id.bits, 77);
    for (size_t bytes = 128; bytes >= 1; bytes--) {
        leat_job_id found = {0};
        name[bytes] = '\0';
        CHECK_OK(submit(fixture, name, 0, S, &id));
        CHECK_STATUS(submit(fixture, name, 0, S, &id), LEAT_EXISTS);
        CHECK_OK(leat_job_find(fixture->engine, name, &found));
        CHECK_EQUAL(found.bits, id.bits);
        check_name(fixture, id, name);
    }
    CHECK_STATUS(leat_job_find(fixture->engine, "", &id), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_job_find(fixture->engine, NULL, &id), LEAT_INVALID);
    CHECK_STATUS(leat_job_find(fixture->engine, name, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_job_find(NULL, name, &id), LEAT_INVALID);
    teardown(fixture);
}

/* A job that fails, by its name: its tags, its attempts, its payload; back, and deleted. */
static void
dead_by_name(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0);
    struct leat_engine *engine = fixture->engine;
    struct leat_job_options options = leat_job_options_default();
    struct leat_attempt_info attempts[2] = {leat_attempt_info_default()};
    static const char *const tags[] = {"red"};
    struct leat_job job = leat_job_default();
    struct leat_tag tag = {""};
    char payload[8] = "";
    uint32_t tags_count = 0;
    size_t count = 0;
    options.name = "name";
    options.tags = tags;
    options.tags_count = 1;
    job.type = fixture->type;
    job.payload = "abc";
    job.payload_bytes = 3;
    job.options = &options;
    fixture->answer = leat_fail();
    CHECK_OK(leat_submit(engine, &job, NULL));
    CHECK_OK(leat_job_tags_by_name(engine, "name", &tag, 1, &tags_count));
    CHECK_EQUAL(tags_count, 1);
    CHECK_TEXT(tag.text, "red");
    CHECK_STATUS(leat_job_payload_by_name(engine, "name", payload, 8, &count), LEAT_WRONG_STATE);
    CHECK_STATUS(leat_dead_retry_by_name(engine, "name", leat_when_now()), LEAT_WRONG_STATE);
    run_all(fixture);
    CHECK_OK(leat_job_payload_by_name(engine, "name", payload, 8, &count));
    CHECK_EQUAL(count, 3);
    CHECK(memcmp(payload, "abc", 3) == 0);
    CHECK_OK(leat_dead_retry_by_name(engine, "name", leat_when_now()));
    run_all(fixture);
    CHECK_EQUAL(fixture->runs, 2);
    CHECK_OK(leat_job_attempts_by_name(engine, "name", attempts, 2, &count));
    CHECK_EQUAL(count, 2);
    CHECK_EQUAL(attempts[1].outcome, LEAT_OUTCOME_FAIL);
    CHECK_OK(leat_dead_delete_by_name(engine, "name"));
    CHECK_EQUAL(test_statistics(engine).dead_letters, 0);
    CHECK_STATUS(leat_job_tags_by_name(engine, "name", &tag, 1, &tags_count), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_job_payload_by_name(engine, "name", payload, 8, &count), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_job_attempts_by_name(engine, "name", attempts, 2, &count), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_dead_retry_by_name(engine, "name", leat_when_now()), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_dead_delete_by_name(engine, "name"), LEAT_NOT_FOUND);
    teardown(fixture);
}

static void
calls_by_name(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0);
    struct leat_engine *engine = fixture->engine;
    struct leat_job_info info = leat_job_info_default();
    char result[8] = "";
    size_t bytes = 0;
    leat_job_id id = {0};
    CHECK_OK(submit(fixture, "name", LEAT_JOB_KEEP_RESULT, 10 * S, &id));
    CHECK_OK(leat_get_by_name(engine, "name", &info));
    CHECK_EQUAL(info.id.bits, id.bits);
    CHECK_EQUAL(info.due_in_ns, 10 * S);
    CHECK_OK(leat_reschedule_by_name(engine, "name", leat_when_in(20 * S)));
    CHECK_OK(leat_priority_set_by_name(engine, "name", 1));
    CHECK_STATUS(leat_wait_by_name(engine, "name", 0, &info), LEAT_TIMEOUT);
    CHECK_EQUAL(info.due_in_ns, 20 * S);
    CHECK_EQUAL(info.priority, 1);
    CHECK_STATUS(leat_result_by_name(engine, "name", result, 8, &bytes), LEAT_WRONG_STATE);
    test_clock_pass(&fixture->clock, engine, 21 * S);
    run_all(fixture);
    CHECK_OK(leat_wait_by_name(engine, "name", LEAT_FOREVER, &info));
    CHECK_EQUAL(info.state, LEAT_JOB_COMPLETED);
    CHECK_OK(leat_result_by_name(engine, "name", result, 8, &bytes));
    CHECK_EQUAL(bytes, 6);
    CHECK(memcmp(result, "result", 6) == 0);
    CHECK_STATUS(leat_cancel_by_name(engine, "name"), LEAT_ENDED);
    CHECK_OK(leat_release_by_name(engine, "name"));
    CHECK_STATUS(leat_get_by_name(engine, "name", &info), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_wait_by_name(engine, "name", 0, &info), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_result_by_name(engine, "name", result, 8, &bytes), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_cancel_by_name(engine, "name"), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_release_by_name(engine, "name"), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_reschedule_by_name(engine, "name", leat_when_now()), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_priority_set_by_name(engine, "name", 1), LEAT_NOT_FOUND);
    CHECK_OK(submit(fixture, "name", 0, 0, &id));
    CHECK_OK(leat_cancel_by_name(engine, "name"));
    CHECK_OK(submit(fixture, "name", 0, 0, &id)); /* at once: a cancelled job has ended */
    CHECK_EQUAL(fixture->runs, 1);
    teardown(fixture);
}

/* Failed attempts keep the name; the last one gives it up. */
static void
until_the_end(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0);
    leat_job_id id = {0};
    fixture->answer = leat_retry_in(S);
    CHECK_OK(submit(fixture, "name", 0, 0, &id));
    for (uint32_t i = 0; i < 3; i++) {
        CHECK_STATUS(submit(fixture, "name", 0, 0, NULL), LEAT_EXISTS);
        run_all(fixture);
        test_clock_pass(&fixture->clock, fixture->engine, 2 * S);
    }
    CHECK_EQUAL(fixture->runs, 3);
    CHECK_OK(submit(fixture, "name", 0, 0, &id));
    teardown(fixture);
}

static void
names_and_keys(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0);
    struct leat_job_options options = leat_job_options_default();
    struct leat_job job = leat_job_default();
    leat_job_id id = {0};
    options.unique_key = "name";
    options.unique_key_bytes = 4;
    job.type = fixture->type;
    job.options = &options;
    CHECK_OK(submit(fixture, "name", 0, 0, &id));
    CHECK_OK(leat_submit(fixture->engine, &job, &id));
    check_name(fixture, id, "");
    /* The key is free, the name is not: neither is taken. */
    options.unique_key = "key";
    options.unique_key_bytes = 3;
    options.name = "name";
    CHECK_STATUS(leat_submit(fixture->engine, &job, NULL), LEAT_EXISTS);
    options.name = "other";
    CHECK_OK(leat_submit(fixture->engine, &job, NULL));
    /* The name is that of a job that was cancelled: with a key or without, it is free. */
    CHECK_OK(leat_cancel_by_name(fixture->engine, "name"));
    options.unique_key = "free";
    options.unique_key_bytes = 4;
    options.name = "name";
    CHECK_OK(leat_submit(fixture->engine, &job, NULL));
    options.unique_key = "key";
    options.unique_key_bytes = 3;
    /* The name is free, the key is not. */
    options.name = "third";
    CHECK_STATUS(leat_submit(fixture->engine, &job, NULL), LEAT_EXISTS);
    CHECK_STATUS(leat_job_find(fixture->engine, "third", &id), LEAT_NOT_FOUND);
    teardown(fixture);
}

/* A batch that is refused behind the first of its names costs who had that one, and has ended, its
 * name, but nothing else; who holds one keeps it. */
static void
refused_batch(void **state)
{
    (void)state;
    struct fixture *fixture = setup(16);
    struct leat_job_options options[2] = {leat_job_options_default(), leat_job_options_default()};
    struct leat_job jobs[2] = {leat_job_default(), leat_job_default()};
    struct leat_job_info info = leat_job_info_default();
    enum leat_status statuses[2];
    leat_job_id ids[2];
    leat_job_id ended = {0};
    leat_job_id holds = {0};
    leat_job_id found = {0};
    char name[16];
    CHECK_OK(submit(fixture, "name", LEAT_JOB_KEEP_RESULT, 0, &ended));
    run_all(fixture);
    CHECK_OK(submit(fixture, "held", 0, S, &holds));
    for (uint32_t i = 0; i < 2; i++) {
        options[i].name = i == 0 ? "name" : "held";
        jobs[i].type = fixture->type;
        jobs[i].options = &options[i];
    }
    enum leat_batch_mode mode = LEAT_BATCH_ALL_OR_NONE;
    CHECK_STATUS(leat_submit_batch(fixture->engine, jobs, 2, mode, ids, statuses), LEAT_EXISTS);
    CHECK_STATUS(statuses[1], LEAT_EXISTS);
    CHECK_STATUS(leat_job_find(fixture->engine, "name", &found), LEAT_NOT_FOUND);
    CHECK_OK(leat_get(fixture->engine, ended, &info));
    CHECK_EQUAL(info.state, LEAT_JOB_COMPLETED);
    CHECK_OK(leat_job_name(fixture->engine, ended, name, sizeof(name)));
    CHECK_EQUAL(strcmp(name, "name"), 0);
    CHECK_OK(leat_job_find(fixture->engine, "held", &found));
    CHECK_EQUAL(found.bits, holds.bits);
    CHECK_OK(submit(fixture, "name", 0, 0, &found));
    CHECK_OK(leat_release(fixture->engine, ended));
    run_all(fixture);
    teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_name),       cmocka_unit_test(ended),
        cmocka_unit_test(lengths),        cmocka_unit_test(calls_by_name),
        cmocka_unit_test(dead_by_name),   cmocka_unit_test(until_the_end),
        cmocka_unit_test(names_and_keys), cmocka_unit_test(refused_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
