/* unit_meeting.c - where features meet that were made apart: a dead letter that is brought back
 * and its unique key and name; caps and minimums. No workers, exact results. */
#include <string.h>

#include "engine/engine_internal.h"
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
    leat_token token; /* of the last attempt */
    struct leat_allocator inner;
    uint32_t
        tries_at; /* at this allocation, counted from 1, a submit of its own is tried; 0: none */
    enum leat_status tried;
};

static const struct leat_when at_once = {0, 0};

static struct leat_outcome
run(struct leat_run *attempt, void *context)
{
    struct fixture *fixture = context;
    fixture->token = leat_run_token(attempt);
    return fixture->answer;
}

static enum leat_status submit(struct fixture *fixture, const char *key, const char *name,
                               leat_job_id *id);

static void *
allocate(size_t bytes, size_t alignment, void *context)
{
    struct fixture *fixture = context;
    if (fixture->tries_at != 0 && --fixture->tries_at == 0) {
        leat_job_id id = {0};
        fixture->tried = submit(fixture, "k", NULL, &id);
    }
    return fixture->inner.allocate(bytes, alignment, fixture->inner.context);
}

static void
release(void *memory, size_t bytes, void *context)
{
    const struct fixture *fixture = context;
    fixture->inner.release(memory, bytes, fixture->inner.context);
}

static struct fixture *
setup(void)
{
    static struct fixture fixture;
    struct leat_config config = test_config();
    memset(&fixture, 0, sizeof(fixture));
    test_clock_init(&fixture.clock);
    test_memory_init(&fixture.memory);
    config.workers = 0;
    config.jobs_max = 256;
    config.retained_max = 0;
    config.dead_max = 16;
    config.clock = test_clock_of(&fixture.clock);
    fixture.inner = test_memory_allocator(&fixture.memory);
    config.allocator = (struct leat_allocator){allocate, release, &fixture};
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

static void
settle(struct fixture *fixture, struct leat_outcome answer)
{
    enum leat_status status = LEAT_OK;
    fixture->answer = answer;
    while (status == LEAT_OK) {
        status = leat_run_some(fixture->engine, 100, NULL);
    }
    CHECK_STATUS(status, LEAT_EMPTY);
}

static enum leat_job_state
state_of(const struct fixture *fixture, leat_job_id id)
{
    return test_get(fixture->engine, id).state;
}

/* ---- claims of a dead letter ----------------------------------------------------------------- */

/* Each may be NULL. */
static enum leat_status
submit(struct fixture *fixture, const char *key, const char *name, leat_job_id *id)
{
    struct leat_job job = leat_job_default();
    struct leat_job_options options = leat_job_options_default();
    options.unique_key = key;
    options.unique_key_bytes = key == NULL ? 0 : strlen(key);
    options.name = name;
    job.type = fixture->type;
    job.options = &options;
    return leat_submit(fixture->engine, &job, id);
}

/* A dead letter with key and name. */
static leat_job_id
dead_letter(struct fixture *fixture, const char *key, const char *name)
{
    leat_job_id id = {0};
    CHECK_OK(submit(fixture, key, name, &id));
    settle(fixture, leat_fail());
    CHECK_EQUAL(state_of(fixture, id), LEAT_JOB_DEAD);
    return id;
}

/* What it had and nobody has taken since is its own again. */
static void
back_with_its_key_and_name(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup();
    const struct leat_when later = {S, 0};
    char name[8] = "";
    leat_job_id found = {0};
    leat_job_id other = {0};
    leat_job_id id = dead_letter(fixture, "k", "n");
    for (uint32_t i = 0; i < 3; i++) {
        CHECK_OK(leat_dead_retry(fixture->engine, id, i == 1 ? later : at_once));
        CHECK_STATUS(submit(fixture, "k", NULL, &other), LEAT_EXISTS);
        CHECK_STATUS(submit(fixture, NULL, "n", &other), LEAT_EXISTS);
        CHECK_OK(leat_job_find(fixture->engine, "n", &found));
        CHECK_EQUAL(found.bits, id.bits);
        CHECK_OK(leat_job_name(fixture->engine, id, name, sizeof(name)));
        CHECK_TEXT(name, "n");
        test_clock_pass(&fixture->clock, fixture->engine, 2 * S);
        settle(fixture, leat_fail());
        CHECK_EQUAL(state_of(fixture, id), LEAT_JOB_DEAD);
    }
    CHECK_OK(submit(fixture, "k", "n", &other));
    settle(fixture, leat_done());
    teardown(fixture);
}

/* While another job has the one or the other it stays dead, and takes nothing; then it comes. */
static void
another_has_it(void **unused)
{
    (void)unused;
    static const char *const texts[2][2] = {{"k", NULL}, {NULL, "n"}};
    for (uint32_t i = 0; i < 2; i++) {
        struct fixture *fixture = setup();
        size_t count = 7;
        leat_job_id other = {0};
        leat_job_id third = {0};
        leat_job_id id = dead_letter(fixture, "k", "n");
        CHECK_OK(submit(fixture, texts[i][0], texts[i][1], &other));
        CHECK_STATUS(leat_dead_retry(fixture->engine, id, at_once), LEAT_EXISTS);
        CHECK_OK(leat_dead_retry_all(fixture->engine, NULL, at_once, &count));
        CHECK_EQUAL(count, 0);
        CHECK_EQUAL(state_of(fixture, id), LEAT_JOB_DEAD);
        CHECK_EQUAL(test_statistics(fixture->engine).dead_letters, 1);
        /* The one that nobody has is free yet. */
        CHECK_OK(submit(fixture, texts[1 - i][0], texts[1 - i][1], &third));
        settle(fixture, leat_done());
        CHECK_OK(leat_dead_retry(fixture->engine, id, at_once));
        CHECK_STATUS(submit(fixture, texts[i][0], texts[i][1], &other), LEAT_EXISTS);
        settle(fixture, leat_done());
        teardown(fixture);
    }
}

/* Its key is held from before it is back: who looks at it meanwhile finds it dead, but coming. */
static void
held_on_the_way(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup();
    leat_job_id id = dead_letter(fixture, "k", "n");
    fixture->tries_at = 2; /* that of the name, behind the key */
    CHECK_OK(leat_dead_retry(fixture->engine, id, at_once));
    CHECK_EQUAL(fixture->tries_at, 0);
    CHECK_STATUS(fixture->tried, LEAT_EXISTS);
    settle(fixture, leat_done());
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_completed, 1);
    teardown(fixture);
}

/* Of two letters with one key the first one that is brought back has it. */
static void
two_letters_with_one_key(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup();
    size_t count = 0;
    leat_job_id first = dead_letter(fixture, "k", NULL);
    leat_job_id second = dead_letter(fixture, "k", NULL);
    CHECK_OK(leat_dead_retry_all(fixture->engine, NULL, at_once, &count));
    CHECK_EQUAL(count, 1);
    CHECK_EQUAL(state_of(fixture, first), LEAT_JOB_PENDING);
    CHECK_EQUAL(state_of(fixture, second), LEAT_JOB_DEAD);
    settle(fixture, leat_done());
    CHECK_OK(leat_dead_retry(fixture->engine, second, at_once));
    settle(fixture, leat_done());
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_completed, 2);
    teardown(fixture);
}

/* Without memory, or where somebody looks at it, it stays as it was, and its key is free. */
static void
not_brought_back(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup();
    uint32_t index = 0;
    leat_job_id other = {0};
    leat_job_id id = dead_letter(fixture, "k", "n");
    CHECK_OK(leat_job_hold(fixture->engine, id, LEAT_HOLDS_TO_LOOK, &index));
    CHECK_STATUS(leat_dead_retry(fixture->engine, id, at_once), LEAT_BUSY);
    leat_job_unhold(fixture->engine, index);
    CHECK_OK(submit(fixture, "k", "n", &other));
    settle(fixture, leat_done());
    for (uint64_t more = 0; more < 2; more++) {
        test_memory_fail(&fixture->memory, more, false);
        CHECK_STATUS(leat_dead_retry(fixture->engine, id, at_once), LEAT_NO_MEMORY);
        test_memory_heal(&fixture->memory);
        CHECK_EQUAL(state_of(fixture, id), LEAT_JOB_DEAD);
        CHECK_OK(submit(fixture, "k", "n", &other));
        settle(fixture, leat_done());
    }
    CHECK_OK(leat_dead_retry(fixture->engine, id, at_once));
    settle(fixture, leat_done());
    teardown(fixture);
}

/* ---- lists of types and of places ------------------------------------------------------------ */

/* Jobs that have passed their type's gate find no place: they wait behind that, all of them, and do
 * not go back behind those that stand in their type's list yet, and so round and round. Then they
 * run in their order. */
static void
no_way_round(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup();
    struct leat_engine *engine = fixture->engine;
    leat_queue kept = {0};
    leat_job_id ids[64];
    uint32_t workers = engine->reserves.workers;
    CHECK_OK(leat_queue_create(engine, "kept", NULL, &kept));
    for (uint32_t round = 0; round < 2; round++) {
        CHECK_OK(leat_type_set_running_max(engine, fixture->type, 1));
        ids[0] = test_submit_kept(engine, fixture->type);
        settle(fixture, leat_pending());
        leat_token token = fixture->token;
        for (uint32_t i = 1; i < TEST_COUNT_OF(ids); i++) {
            ids[i] = test_submit_kept(engine, fixture->type);
        }
        settle(fixture, leat_done());
        /* All places are another queue's. */
        CHECK_OK(leat_queue_set_running_min(engine, kept, workers));
        CHECK_OK(leat_type_set_running_max(engine, fixture->type, 0));
        CHECK_OK(leat_complete(engine, token, leat_done(), NULL));
        settle(fixture, leat_done());
        CHECK_EQUAL(state_of(fixture, ids[1]), LEAT_JOB_PENDING);
        CHECK_EQUAL(test_statistics(engine).jobs_waiting, TEST_COUNT_OF(ids) - 1);
        CHECK_OK(leat_queue_set_running_min(engine, kept, 0));
        settle(fixture, leat_done());
        CHECK_EQUAL(test_statistics(engine).jobs_waiting, 0);
        for (uint32_t i = 0; i < TEST_COUNT_OF(ids); i++) {
            CHECK_OK(leat_release(engine, ids[i]));
        }
    }
    teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(back_with_its_key_and_name),
        cmocka_unit_test(another_has_it),
        cmocka_unit_test(held_on_the_way),
        cmocka_unit_test(two_letters_with_one_key),
        cmocka_unit_test(not_brought_back),
        cmocka_unit_test(no_way_round),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
