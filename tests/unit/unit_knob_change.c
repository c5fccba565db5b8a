/* unit_knob_change.c - knobs while an engine runs: each that is live takes another value and does
 * what it says, each that is not says so and stays, and mistakes change nothing. Two threads that
 * change limits of one queue do not undo each other's. */
#include <string.h>

#include "engine/engine_internal.h"
#include "engine/knobs.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/fake_clock.h"
#include "tests/support/threads.h"

static struct leat_outcome
done(struct leat_run *run, void *context)
{
    (void)run;
    (void)context;
    return leat_done();
}

static enum leat_status
change(struct leat_engine *engine, const char *name, const char *value)
{
    struct leat_error error;
    memset(&error, 0x55, sizeof(error));
    enum leat_status status = leat_knob_change(engine, name, value, &error);
    CHECK_STATUS(error.status, status);
    CHECK(strlen(error.text) > 0);
    CHECK_EQUAL(error.field[0] == '\0', status == LEAT_OK);
    return status;
}

static struct leat_queue_info
info_of(struct leat_engine *engine, leat_queue queue)
{
    struct leat_queue_info info = leat_queue_info_default();
    CHECK_OK(leat_queue_get_info(engine, queue, &info));
    return info;
}

/* Every row of the table: LEAT_OK where it is live, else LEAT_WRONG_STATE. */
static void
every_knob_is_live_or_says_so(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    config.workers_max = 2;
    config.payload_bytes_total_max = 1 << 20;
    config.memory_max = UINT64_C(1) << 30;
    struct leat_engine *engine = test_start(&config);
    leat_queue queue = {0};
    CHECK_OK(leat_queue_create(engine, "x", NULL, &queue));
    (void)test_register(engine, "x", done, NULL);
    uint32_t live = 0;
    for (uint32_t i = 0; i < leat_knob_first(LEAT_KNOB_BUILD); i++) {
        const struct leat_knob *knob = leat_knob_at(i);
        const char *const scopes[] = {"", "queue.x.", "type.x.", ""};
        char name[96];
        char value[96];
        const struct leat_knob_value least = {{knob->least > 0 ? knob->least : 1, 1, 1}, "a", 1};
        (void)snprintf(name, sizeof(name), "%s%s", scopes[knob->scope], knob->name);
        leat_knob_write(knob, &least, value, sizeof(value));
        const char *said = strcmp(knob->name, "running_min") == 0 ? "0" : value;
        said = strcmp(knob->name, "payload_bytes_inline") == 0 ? "16" : said;
        said = strcmp(knob->name, "memory_max") == 0 ? "1g" : said; /* others need some */
        CHECK_STATUS(change(engine, name, said),
                     knob->live != LEAT_LIVE_NO ? LEAT_OK : LEAT_WRONG_STATE);
        live += knob->live != LEAT_LIVE_NO;
    }
    CHECK_EQUAL(live, 27);
    test_finish(engine);
}

static void
mistakes_change_nothing(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    struct leat_engine *engine = test_open(&config);
    leat_queue queue = {0};
    CHECK_OK(leat_queue_create(engine, "q", NULL, &queue));
    CHECK_STATUS(change(engine, "queue.q.running_max", "67108865"), LEAT_INVALID);
    CHECK_STATUS(change(engine, "queue.q.runing_max", "1"), LEAT_INVALID);
    CHECK_STATUS(change(engine, "queue.p.running_max", "1"), LEAT_NOT_FOUND);
    CHECK_STATUS(change(engine, "queue.p.waiting_max", "1"), LEAT_NOT_FOUND);
    CHECK_STATUS(change(engine, "type.p.running_max", "1"), LEAT_NOT_FOUND);
    CHECK_STATUS(change(engine, "queue.p.priority", "1"), LEAT_WRONG_STATE);
    CHECK_STATUS(change(engine, "workers", "0"), LEAT_INVALID);
    CHECK_STATUS(change(engine, "workers", "2"), LEAT_INVALID); /* beyond workers_max */
    CHECK_STATUS(change(engine, "LEAT_CLAIM_MAX", "1"), LEAT_INVALID);
    /* It was not counted from the start. */
    CHECK_STATUS(change(engine, "payload_bytes_total_max", "1g"), LEAT_WRONG_STATE);
    CHECK_EQUAL(info_of(engine, queue).running_max, 0);
    CHECK_STATUS(leat_knob_change(engine, NULL, "1", NULL), LEAT_INVALID);
    CHECK_STATUS(leat_knob_change(engine, "workers", NULL, NULL), LEAT_INVALID);
    test_close(engine);
}

/* What leat_knob_change() says. */
static void
says(struct leat_engine *engine, const char *name, const char *value, const char *text)
{
    struct leat_error error;
    CHECK(leat_knob_change(engine, name, value, &error) != LEAT_OK);
    CHECK_TEXT(error.text, text);
}

static void
mistakes_are_told_in_sentences(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    config.workers_max = 2;
    struct leat_engine *engine = test_open(&config);
    leat_queue queue = {0};
    CHECK_OK(leat_queue_create(engine, "q", NULL, &queue));
    says(engine, "workers", "100", "workers must be 1 to workers_max (2)");
    says(engine, "workers", "0", "workers must be 1 to workers_max (2)");
    says(engine, "queue.nosuch.running_max", "1", "there is no queue 'nosuch'");
    says(engine, "queue.nosuch.full", "block", "there is no queue 'nosuch'");
    says(engine, "type.nosuch.running_max", "1", "there is no type 'nosuch'");
    says(engine, "queue.q.weight", "0", "weight cannot become that while the engine runs");
    says(engine, "queue.q.priority", "0", "priority needs a restart");
    says(engine, "payload_bytes_total_max", "1g",
         "payload_bytes_total_max cannot be changed, as payload_bytes_total_max was 0 when the "
         "engine was opened");
    says(engine, "memory_soft_percent", "9",
         "memory_soft_percent cannot be changed, as memory_max was 0 when the engine was opened");
    says(engine, "queue.q.rate", "1/1s/67108865",
         "rate must be 0, JOBS/TIME or JOBS/TIME/BURST with JOBS at most the nanoseconds of TIME "
         "and 1000000000, BURST at most 67108864, not '1/1s/67108865'");
    CHECK_OK(change(engine, "workers", "2"));
    CHECK_OK(leat_queue_set_running_min(engine, queue, 2));
    says(engine, "workers", "1",
         "workers was not changed: a limit of the queue or the engine is reached");
    CHECK_OK(leat_queue_set_running_min(engine, queue, 0));
    test_close(engine);
    config.workers = 0;
    config.workers_max = LEAT_AUTO;
    engine = test_open(&config);
    says(engine, "workers", "1", "workers cannot be changed, as the engine has lent threads");
    test_close(engine);
}

/* One limit is changed, and the others stay. */
static void
limits_change_one_by_one(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    struct leat_engine *engine = test_open(&config);
    leat_queue queue = {0};
    CHECK_OK(leat_queue_create(engine, "q.1", NULL, &queue));
    (void)test_register(engine, "t", done, NULL);
    CHECK_OK(change(engine, "queue.q.1.waiting_max", "2"));
    CHECK_OK(change(engine, "queue.q.1.waiting_bytes_max", "1k"));
    CHECK_OK(change(engine, "queue.q.1.full", "drop_oldest"));
    CHECK_OK(change(engine, "queue.q.1.block_ns", "5ms"));
    CHECK_OK(change(engine, "queue.q.1.running_max", "3"));
    CHECK_EQUAL(info_of(engine, queue).full, LEAT_FULL_DROP_OLDEST);
    CHECK_OK(change(engine, "queue.q.1.full", "reject"));
    struct leat_queue_info info = info_of(engine, queue);
    CHECK_EQUAL(info.waiting_max, 2);
    CHECK_EQUAL(info.waiting_bytes_max, 1024);
    CHECK_EQUAL(info.full, LEAT_FULL_REJECT);
    CHECK_EQUAL(info.block_ns, 5000000);
    CHECK_EQUAL(info.running_max, 3);
    struct leat_job job = leat_job_default();
    leat_job_id id = {0};
    job.type_name = "t";
    job.queue = queue;
    CHECK_OK(leat_submit(engine, &job, &id));
    CHECK_OK(leat_submit(engine, &job, &id));
    CHECK_STATUS(leat_submit(engine, &job, &id), LEAT_FULL);
    CHECK_OK(change(engine, "queue.q.1.waiting_max", "3"));
    CHECK_OK(leat_submit(engine, &job, &id));
    CHECK_OK(leat_start(engine));
    test_finish(engine);
}

/* Each of two threads has a limit of its own, and finds it as it left it. */
static void
change_one(void *shared, uint32_t number)
{
    struct leat_engine *engine = shared;
    leat_queue queue = {0};
    CHECK_OK(leat_queue_find(engine, "q", &queue));
    for (uint32_t i = 1; i <= 20000; i++) {
        char value[32];
        (void)snprintf(value, sizeof(value), "%u", i);
        const char *name = number == 0 ? "queue.q.waiting_max" : "queue.q.waiting_bytes_max";
        CHECK_OK(leat_knob_change(engine, name, value, NULL));
        struct leat_queue_info info = leat_queue_info_default();
        leat_room_tell(engine, queue.bits - 1, &info);
        CHECK_EQUAL(number == 0 ? info.waiting_max : info.waiting_bytes_max, i);
    }
}

static void
two_change_limits_at_once(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    struct leat_engine *engine = test_open(&config);
    leat_queue queue = {0};
    CHECK_OK(leat_queue_create(engine, "q", NULL, &queue));
    test_threads_run(2, change_one, engine);
    test_close(engine);
}

/* A look that was about to begin when the age was taken away. */
static void
no_age_drops_nothing(void **state)
{
    (void)state;
    struct leat_book book;
    memset(&book, 0, sizeof(book));
    CHECK(leat_book_init(&book, 4, LEAT_AGE_NS_MIN));
    CHECK_EQUAL(leat_book_put(&book, 7), 0);
    CHECK_EQUAL(leat_book_look(&book, 1), 0);
    CHECK(leat_book_age(&book, 0));
    CHECK_EQUAL(leat_book_look(&book, LEAT_TIME_NEVER), 0);
    atom_store_rlx(&book.looking, 1); /* rlx: not shared yet */
    CHECK(!leat_book_age(&book, LEAT_AGE_NS_MIN));
    CHECK_EQUAL(book.age_ns, 0);
    leat_book_fini(&book);
}

static void
payloads_have_another_limit(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    config.payload_bytes_total_max = 1000;
    struct leat_engine *engine = test_open(&config);
    static const char payload[1000];
    struct leat_job job = leat_job_default();
    leat_job_id id = {0};
    (void)test_register(engine, "t", done, NULL);
    job.type_name = "t";
    job.payload = payload;
    job.payload_bytes = sizeof(payload);
    CHECK_OK(leat_submit(engine, &job, &id));
    CHECK_STATUS(leat_submit(engine, &job, &id), LEAT_FULL);
    CHECK_OK(change(engine, "payload_bytes_total_max", "1999B"));
    CHECK_STATUS(leat_submit(engine, &job, &id), LEAT_FULL);
    CHECK_OK(change(engine, "payload_bytes_total_max", "2000B"));
    CHECK_OK(leat_submit(engine, &job, &id));
    CHECK_STATUS(leat_submit(engine, &job, &id), LEAT_FULL);
    CHECK_OK(change(engine, "payload_bytes_total_max", "0"));
    CHECK_OK(leat_submit(engine, &job, &id));
    CHECK_OK(leat_start(engine));
    test_finish(engine);
}

static void
samples_are_taken_from_now_on(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    config.sample_interval = 1000000;
    struct leat_engine *engine = test_start(&config);
    leat_type type = test_register(engine, "t", done, NULL);
    for (uint32_t i = 0; i < 10; i++) {
        (void)test_submit(engine, type);
    }
    CHECK_OK(change(engine, "sample_interval", "1"));
    uint64_t before = test_statistics(engine).queue_wait.samples;
    CHECK(before < 10);
    for (uint32_t i = 0; i < 20; i++) {
        (void)test_submit(engine, type);
    }
    CHECK_OK(leat_drain(engine, LEAT_FOREVER));
    CHECK(test_statistics(engine).queue_wait.samples >= 20);
    test_close(engine);
}

static struct leat_outcome
failed(struct leat_run *run, void *context)
{
    (void)run;
    (void)context;
    return leat_fail();
}

static leat_job_id
end_one(struct leat_engine *engine, leat_type type)
{
    leat_job_id id = test_submit(engine, type);
    CHECK_OK(leat_run_some(engine, 1, NULL));
    return id;
}

static bool
gone(struct leat_engine *engine, leat_job_id id)
{
    struct leat_job_info info = leat_job_info_default();
    enum leat_status status = leat_get(engine, id, &info);
    CHECK(status == LEAT_OK || status == LEAT_GONE);
    return status == LEAT_GONE;
}

#define S UINT64_C(1000000000)

/* From no age to one, to a longer and a shorter one, and to none; alike for both books. */
static void
ages_change(void **state)
{
    (void)state;
    static const char *const names[] = {"retained_age_ns", "dead_age_ns"};
    for (size_t i = 0; i < TEST_COUNT_OF(names); i++) {
        struct test_clock clock;
        struct leat_config config = test_config();
        test_clock_init(&clock);
        config.workers = 0;
        config.retained_max = 16;
        config.dead_max = 16;
        config.clock = test_clock_of(&clock);
        struct leat_engine *engine = test_start(&config);
        leat_type type = test_register(engine, "t", i == 0 ? done : failed, NULL);
        leat_job_id first = end_one(engine, type);
        test_clock_pass(&clock, engine, 1000000 * S);
        CHECK(!gone(engine, first));
        CHECK_OK(change(engine, names[i], "8s"));
        test_clock_pass(&clock, engine, 8 * S - 1);
        CHECK(!gone(engine, first));
        test_clock_pass(&clock, engine, 2 * S);
        CHECK(gone(engine, first));
        /* Longer: what was marked by the shorter one stays, too. */
        leat_job_id second = end_one(engine, type);
        test_clock_pass(&clock, engine, 4 * S);
        CHECK_OK(change(engine, names[i], "80s"));
        for (uint32_t j = 0; j < 15; j++) {
            test_clock_pass(&clock, engine, 5 * S);
        }
        CHECK(!gone(engine, second));
        test_clock_pass(&clock, engine, 15 * S);
        CHECK(gone(engine, second));
        /* None. */
        leat_job_id third = end_one(engine, type);
        CHECK_OK(change(engine, names[i], "0"));
        test_clock_pass(&clock, engine, 1000 * S);
        CHECK(!gone(engine, third));
        /* Shorter than the time of the next look would have been. */
        CHECK_OK(change(engine, names[i], "366d"));
        test_clock_pass(&clock, engine, S);
        CHECK_OK(change(engine, names[i], "1s"));
        test_clock_pass(&clock, engine, S);
        test_clock_pass(&clock, engine, S);
        CHECK(gone(engine, third));
        test_close(engine);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_knob_is_live_or_says_so),
        cmocka_unit_test(mistakes_change_nothing),
        cmocka_unit_test(mistakes_are_told_in_sentences),
        cmocka_unit_test(limits_change_one_by_one),
        cmocka_unit_test(two_change_limits_at_once),
        cmocka_unit_test(no_age_drops_nothing),
        cmocka_unit_test(payloads_have_another_limit),
        cmocka_unit_test(samples_are_taken_from_now_on),
        cmocka_unit_test(ages_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
