/* unit_keys.c - order per key, see engine/keys.h: no workers, a fake clock, exact results. Handlers
 * note the first letter of their payload, and answer what its next letters say; so the order of
 * attempts is a word. I1 to I3 are looked at when a test says how many keys there are, and at its
 * end, with the places of all jobs. */
#include "engine/keys.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory.h"
#include "tests/support/prng.h"

#define S         UINT64_C(1000000000)
#define TICK      (UINT64_C(1) << 20)
#define JOBS      8192
#define NOTES_MAX (2 * JOBS)
#define KEYS      (JOBS / 4)

struct fixture {
    struct test_clock clock;
    struct test_memory memory;
    struct leat_engine *engine;
    leat_type types[2];
    leat_queue queues[2];
    char notes[NOTES_MAX]; /* a letter for each attempt */
    uint32_t count;
    leat_token token; /* of the last one that answered pending */
};

/* A payload: its letter, and one for each attempt: r retry at once, w retry in a second, s snooze
 * for a second, p pending, f fail; any other, done. */
static struct leat_outcome
run(struct leat_run *attempt, void *context)
{
    struct fixture *fixture = context;
    const char *text = leat_run_payload(attempt, NULL);
    uint64_t number = leat_run_token(attempt).attempt;
    CHECK(fixture->count < NOTES_MAX - 1);
    fixture->notes[fixture->count++] = text[0];
    switch (text[number]) {
    case 'r':
        return leat_retry_in(0);
    case 'w':
        return leat_retry_in(S);
    case 's':
        return leat_snooze(S);
    case 'p':
        fixture->token = leat_run_token(attempt);
        return leat_pending();
    case 'f':
        return leat_fail();
    default:
        return leat_done();
    }
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
    config.jobs_max = JOBS;
    config.retained_max = 0;
    config.dead_max = 0;
    config.clock = test_clock_of(&fixture.clock);
    config.allocator = test_memory_allocator(&fixture.memory);
    fixture.engine = test_start(&config);
    fixture.types[0] = test_register(fixture.engine, "a", run, &fixture);
    fixture.types[1] = test_register(fixture.engine, "b", run, &fixture);
    CHECK_OK(leat_queue_create(fixture.engine, "one", NULL, &fixture.queues[0]));
    CHECK_OK(leat_queue_create(fixture.engine, "two", NULL, &fixture.queues[1]));
    return &fixture;
}

static void
keys_are(const struct fixture *fixture, uint32_t keys)
{
    uint32_t found = 0;
    CHECK(leat_keys_check(fixture->engine, &found, stderr));
    CHECK_EQUAL(found, keys);
}

/* What else a job has than key and payload. */
struct how {
    uint64_t delay_ns;
    uint64_t expires_in_ns; /* 0: never */
    uint32_t priority;      /* plus 1; 0: the queue's */
    uint32_t number;        /* of its type and queue */
};

static leat_job_id
submit_how(struct fixture *fixture, const char *key, const char *text, struct how how)
{
    struct leat_job job = leat_job_default();
    struct leat_job_options options = leat_job_options_default();
    leat_job_id id = {0};
    options.key = key;
    options.key_bytes = key == NULL ? 0 : strlen(key);
    options.expires_in_ns = how.expires_in_ns == 0 ? LEAT_FOREVER : how.expires_in_ns;
    job.options = &options;
    job.type = fixture->types[how.number];
    job.queue = fixture->queues[how.number];
    job.priority = how.priority == 0 ? LEAT_PRIORITY_OF_QUEUE : how.priority - 1;
    job.payload = text;
    job.payload_bytes = strlen(text) + 1;
    job.delay_ns = how.delay_ns;
    job.max_attempts = 10;
    CHECK_OK(leat_submit(fixture->engine, &job, &id));
    return id;
}

static leat_job_id
submit(struct fixture *fixture, const char *key, const char *text)
{
    return submit_how(fixture, key, text, (struct how){.delay_ns = 0});
}

static void
settle(struct fixture *fixture)
{
    enum leat_status status = LEAT_OK;
    while (status == LEAT_OK) {
        status = leat_run_some(fixture->engine, 1000, NULL);
    }
    CHECK_STATUS(status, LEAT_EMPTY);
}

static void
pass(struct fixture *fixture, uint64_t ns)
{
    test_clock_pass(&fixture->clock, fixture->engine, ns);
    settle(fixture);
}

/* Runs all that can, and says whether these have begun since the last time, in this order. */
static void
begins(struct fixture *fixture, const char *letters)
{
    settle(fixture);
    fixture->notes[fixture->count] = '\0';
    CHECK_TEXT(fixture->notes, letters);
    fixture->count = 0;
}

static void
finish(struct fixture *fixture, uint32_t keys)
{
    keys_are(fixture, keys);
    test_close(fixture->engine);
    CHECK_EQUAL(test_memory_blocks(&fixture->memory), 0);
}

/* Finishes an engine in which nothing is left. */
static void
finish_empty(struct fixture *fixture)
{
    struct leat_statistics sum = test_statistics(fixture->engine);
    CHECK_EQUAL(sum.jobs_waiting + sum.jobs_running + sum.jobs_scheduled + sum.jobs_retrying, 0);
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    finish(fixture, 0);
}

/* ---- order ----------------------------------------------------------------------------------- */

/* Whatever the priorities, queues and types; while other keys, and jobs without one, go on. */
static void
one_key_orders_all(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup();
    submit_how(fixture, "k", "a", (struct how){.priority = 1 + LEAT_PRIORITY_LOW});
    submit_how(fixture, "k", "b", (struct how){.priority = 1 + LEAT_PRIORITY_CRITICAL});
    submit_how(fixture, "k", "c", (struct how){.number = 1});
    submit(fixture, "other", "x");
    submit(fixture, NULL, "y");
    keys_are(fixture, 2);
    begins(fixture, "xyabc");
    finish_empty(fixture);
}

/* Retries at once and later, snoozes and pending completions keep the key. */
static void
a_key_is_kept_to_the_end(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup();
    submit(fixture, "k", "arwsp");
    submit(fixture, "k", "b");
    submit(fixture, "k", "cf");
    submit(fixture, "k", "d");
    submit(fixture, "other", "x");
    begins(fixture, "aax");
    pass(fixture, S - 1);
    begins(fixture, "");
    pass(fixture, TICK);
    begins(fixture, "a");
    keys_are(fixture, 1);
    pass(fixture, S + TICK);
    begins(fixture, "a");
    pass(fixture, 10 * S);
    begins(fixture, "");
    CHECK_OK(leat_complete(fixture->engine, fixture->token, leat_done(), NULL));
    begins(fixture, "bcd");
    finish_empty(fixture);
}

/* A pending attempt that is completed while a wheel has its record hands its key on at once. */
static void
an_answer_from_elsewhere_keeps_the_key(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup();
    submit(fixture, "k", "ap");
    submit(fixture, "k", "b");
    begins(fixture, "a");
    CHECK_OK(leat_complete(fixture->engine, fixture->token, leat_retry_in(S), NULL));
    begins(fixture, "");
    pass(fixture, S + TICK);
    begins(fixture, "ab");
    finish_empty(fixture);
}

/* A delayed job takes its place when it is due. */
static void
a_delayed_job_comes_when_it_is_due(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup();
    submit_how(fixture, "k", "d", (struct how){.delay_ns = S});
    keys_are(fixture, 0);
    submit(fixture, "k", "apd");
    submit(fixture, "k", "b");
    begins(fixture, "a");
    pass(fixture, S + TICK);
    submit(fixture, "k", "c");
    begins(fixture, "");
    CHECK_OK(leat_complete(fixture->engine, fixture->token, leat_done(), NULL));
    begins(fixture, "bdc");
    finish_empty(fixture);
}

/* ---- cancel and expiry ----------------------------------------------------------------------- */

/* Of the first, in the middle and the last in line; each gives its record and memory back at once.
 */
static void
cancelled_in_line(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup();
    leat_job_id ids[5];
    static const char *const texts[5] = {"a", "b", "c", "d", "e"};
    submit(fixture, "k", "xp");
    begins(fixture, "x");
    uint64_t blocks = test_memory_blocks(&fixture->memory);
    for (uint32_t i = 0; i < 5; i++) {
        ids[i] = submit(fixture, "k", texts[i]);
    }
    CHECK_OK(leat_cancel(fixture->engine, ids[0]));
    CHECK_OK(leat_cancel(fixture->engine, ids[2]));
    CHECK_OK(leat_cancel(fixture->engine, ids[4]));
    CHECK_STATUS(leat_get(fixture->engine, ids[2], &(struct leat_job_info){.size = 0}), LEAT_GONE);
    CHECK_EQUAL(test_memory_blocks(&fixture->memory), blocks + 4);
    keys_are(fixture, 1);
    CHECK_OK(leat_complete(fixture->engine, fixture->token, leat_done(), NULL));
    begins(fixture, "bd");
    finish_empty(fixture);
}

/* Of the one that has the key: in a ring; in a list of a queue that is paused; on a wheel, where it
 * would stay for long; while it runs. The next one goes on without it. */
static void
cancelled_with_the_key(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup();
    leat_job_id id = submit(fixture, "k", "a");
    submit(fixture, "k", "b");
    CHECK_OK(leat_cancel(fixture->engine, id));
    begins(fixture, "b");

    CHECK_OK(leat_queue_pause(fixture->engine, fixture->queues[1]));
    id = submit_how(fixture, "k", "c", (struct how){.number = 1});
    submit(fixture, "k", "d");
    begins(fixture, "");
    CHECK_OK(leat_cancel(fixture->engine, id));
    begins(fixture, "d");
    CHECK_OK(leat_queue_resume(fixture->engine, fixture->queues[1]));

    id = submit(fixture, "k", "ew");
    submit(fixture, "k", "f");
    begins(fixture, "e");
    CHECK_OK(leat_cancel(fixture->engine, id));
    begins(fixture, "f");

    id = submit(fixture, "k", "gpr");
    submit(fixture, "k", "h");
    begins(fixture, "g");
    CHECK_STATUS(leat_cancel(fixture->engine, id), LEAT_RUNNING);
    begins(fixture, "");
    CHECK_OK(leat_complete(fixture->engine, fixture->token, leat_retry_in(0), NULL));
    begins(fixture, "h");
    pass(fixture, 2 * S);
    finish_empty(fixture);
}

/* Where as many look at the job as can, the canceller has no hold. One in line is passed by at its
 * turn, so that it does not go to a queue that is paused; one that has the key hands it on when its
 * place lets go of it. */
static void
cancelled_without_a_hold(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup();
    submit(fixture, "k", "ap");
    leat_job_id ids[2] = {submit_how(fixture, "k", "b", (struct how){.number = 1}),
                          submit_how(fixture, "k", "c", (struct how){.number = 1})};
    submit(fixture, "k", "d");
    begins(fixture, "a");
    CHECK_OK(leat_queue_pause(fixture->engine, fixture->queues[1]));
    test_cancel_unheld(fixture->engine, ids[0]);
    test_cancel_unheld(fixture->engine, ids[1]);
    keys_are(fixture, 1);
    CHECK_OK(leat_complete(fixture->engine, fixture->token, leat_done(), NULL));
    begins(fixture, "d");
    ids[0] = submit(fixture, "k", "e");
    submit(fixture, "k", "f");
    test_cancel_unheld(fixture->engine, ids[0]);
    begins(fixture, "f");
    finish_empty(fixture);
}

/* By a sweep, in line; by who takes it, where it has the key. */
static void
expired(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup();
    submit(fixture, "k", "ap");
    submit_how(fixture, "k", "b", (struct how){.expires_in_ns = 2 * S});
    submit_how(fixture, "k", "c", (struct how){.expires_in_ns = 20 * S});
    submit(fixture, "k", "d");
    begins(fixture, "a");
    pass(fixture, 4 * S);
    pass(fixture, 4 * S);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_dead, 1);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_waiting, 2);
    CHECK_OK(leat_complete(fixture->engine, fixture->token, leat_done(), NULL));
    test_clock_pass(&fixture->clock, fixture->engine, 20 * S);
    begins(fixture, "d");
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_dead, 2);
    finish_empty(fixture);
}

/* ---- changes --------------------------------------------------------------------------------- */

/* Of one in line: it leaves, and comes anew when it is due. */
static void
another_time_in_line(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup();
    submit(fixture, "k", "ap");
    leat_job_id id = submit(fixture, "k", "b");
    submit(fixture, "k", "c");
    begins(fixture, "a");
    CHECK_OK(leat_reschedule(fixture->engine, id, leat_when_in(S)));
    CHECK_EQUAL(test_get(fixture->engine, id).state, LEAT_JOB_SCHEDULED);
    submit(fixture, "k", "d");
    pass(fixture, S + TICK);
    CHECK_EQUAL(test_get(fixture->engine, id).state, LEAT_JOB_PENDING);
    submit(fixture, "k", "e");
    CHECK_OK(leat_complete(fixture->engine, fixture->token, leat_done(), NULL));
    begins(fixture, "cdbe");
    finish_empty(fixture);
}

/* Of the one that has the key: before its first attempt it gives it up, later it keeps it. */
static void
another_time_with_the_key(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup();
    leat_job_id id = submit(fixture, "k", "aw");
    submit(fixture, "k", "b");
    CHECK_OK(leat_reschedule(fixture->engine, id, leat_when_in(S)));
    begins(fixture, "b");
    keys_are(fixture, 0);
    pass(fixture, S + TICK);
    begins(fixture, "a");
    submit(fixture, "k", "c");
    CHECK_OK(leat_reschedule(fixture->engine, id, leat_when_in(3 * S)));
    pass(fixture, 2 * S);
    begins(fixture, "");
    CHECK_OK(leat_reschedule(fixture->engine, id, leat_when_now()));
    begins(fixture, "ac");
    finish_empty(fixture);
}

/* Another priority changes no order within the key, wherever the job is. */
static void
another_priority(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup();
    leat_job_id first = submit(fixture, "k", "a");
    leat_job_id second = submit(fixture, "k", "b");
    submit(fixture, "k", "c");
    CHECK_OK(leat_priority_set(fixture->engine, first, LEAT_PRIORITY_IDLE));
    CHECK_OK(leat_priority_set(fixture->engine, second, LEAT_PRIORITY_IDLE));
    keys_are(fixture, 1);
    begins(fixture, "abc");
    /* One that got another priority in line, and then another time. */
    submit(fixture, "k", "dp");
    second = submit(fixture, "k", "e");
    submit(fixture, "k", "f");
    begins(fixture, "d");
    CHECK_OK(leat_priority_set(fixture->engine, second, LEAT_PRIORITY_HIGH));
    CHECK_OK(leat_reschedule(fixture->engine, second, leat_when_in(S)));
    CHECK_OK(leat_complete(fixture->engine, fixture->token, leat_done(), NULL));
    begins(fixture, "f");
    pass(fixture, S + TICK);
    begins(fixture, "e");
    /* And then was cancelled. */
    submit(fixture, "k", "gp");
    second = submit(fixture, "k", "h");
    begins(fixture, "g");
    CHECK_OK(leat_priority_set(fixture->engine, second, LEAT_PRIORITY_HIGH));
    CHECK_OK(leat_cancel(fixture->engine, second));
    CHECK_OK(leat_complete(fixture->engine, fixture->token, leat_done(), NULL));
    begins(fixture, "");
    finish_empty(fixture);
}

/* ---- the engine's life ----------------------------------------------------------------------- */

/* A drain waits for the line; a stop leaves it, a start goes on with it, a close gives it back. */
static void
drain_stop_and_close(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup();
    submit(fixture, "k", "a");
    submit(fixture, "k", "b");
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    fixture->count = 0;
    CHECK_OK(leat_stop(fixture->engine, 0));
    CHECK_OK(leat_start(fixture->engine));
    submit(fixture, "k", "cp");
    submit(fixture, "k", "d");
    submit(fixture, "k", "e");
    begins(fixture, "c");
    CHECK_STATUS(leat_drain(fixture->engine, 0), LEAT_TIMEOUT);
    CHECK_OK(leat_stop(fixture->engine, 0));
    keys_are(fixture, 1);
    finish(fixture, 1);
}

/* A job that cannot be taken in leaves nothing of its key. */
static void
no_memory(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup();
    struct leat_job job = leat_job_default();
    struct leat_job_options options = leat_job_options_default();
    uint64_t blocks = test_memory_blocks(&fixture->memory);
    job.type = fixture->types[0];
    job.options = &options;
    options.key = "k";
    options.key_bytes = 1;
    for (uint64_t i = 0; i < 4; i++) {
        test_memory_fail(&fixture->memory, i / 2, i % 2 == 0);
        CHECK_STATUS(leat_submit(fixture->engine, &job, NULL), LEAT_NO_MEMORY);
        test_memory_heal(&fixture->memory);
        CHECK_EQUAL(test_memory_blocks(&fixture->memory), blocks);
        keys_are(fixture, 0);
    }
    CHECK_OK(leat_submit(fixture->engine, &job, NULL));
    CHECK_OK(leat_stop(fixture->engine, 0));
    CHECK_STATUS(leat_submit(fixture->engine, &job, NULL), LEAT_CLOSED);
    finish(fixture, 1);
}

/* Records that were those of delayed jobs have an old time, which says nothing of the next job. */
static void
an_old_time(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup();
    struct leat_job job = leat_job_default();
    struct leat_job_options options = leat_job_options_default();
    leat_job_id id = {0};
    job.type = fixture->types[0];
    job.payload = "a";
    job.payload_bytes = 2;
    job.delay_ns = UINT64_C(3600000000000);
    for (uint32_t i = 0; i < JOBS; i++) {
        CHECK_OK(leat_submit(fixture->engine, &job, &id));
        CHECK_OK(leat_cancel(fixture->engine, id));
    }
    job.delay_ns = 0;
    job.options = &options;
    options.key = "k";
    options.key_bytes = 1;
    while (leat_run_some(fixture->engine, 100, NULL) == LEAT_OK) {
    }
    CHECK_OK(leat_submit(fixture->engine, &job, NULL));
    while (leat_run_some(fixture->engine, 100, NULL) == LEAT_OK) {
    }
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_completed, 1);
    finish_empty(fixture);
}

static void
no_key_at_all(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup();
    CHECK_EQUAL(leat_keys_resident(fixture->engine), 0);
    finish(fixture, 0);
}

/* What a cap on memory counts. */
static void
its_memory_is_counted(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup();
    (void)submit(fixture, "k", "a");
    CHECK(leat_keys_resident(fixture->engine) != 0);
    settle(fixture);
    finish(fixture, 0);
}

/* ---- limits ---------------------------------------------------------------------------------- */

static void
keys_have_limits(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup();
    unsigned char key[LEAT_KEY_BYTES_MAX + 1];
    struct leat_job job = leat_job_default();
    struct leat_job_options options = leat_job_options_default();
    memset(key, 0, sizeof(key));
    job.type = fixture->types[0];
    job.payload = "a";
    job.payload_bytes = 2;
    job.options = &options;
    options.key = key;
    CHECK_STATUS(leat_submit(fixture->engine, &job, NULL), LEAT_INVALID);
    options.key_bytes = LEAT_KEY_BYTES_MAX + 1;
    CHECK_STATUS(leat_submit(fixture->engine, &job, NULL), LEAT_INVALID);
    options.key = NULL;
    options.key_bytes = 1;
    CHECK_STATUS(leat_submit(fixture->engine, &job, NULL), LEAT_INVALID);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_submitted, 0);
    options.key = key;
    /* Keys are bytes, zeros too, and their length. */
    for (size_t bytes = 1; bytes <= LEAT_KEY_BYTES_MAX; bytes++) {
        options.key_bytes = bytes;
        CHECK_OK(leat_submit(fixture->engine, &job, NULL));
        keys_are(fixture, (uint32_t)bytes);
    }
    key[LEAT_KEY_BYTES_MAX - 1] = 1; /* the last byte counts */
    CHECK_OK(leat_submit(fixture->engine, &job, NULL));
    keys_are(fixture, LEAT_KEY_BYTES_MAX + 1);
    settle(fixture);
    finish_empty(fixture);
}

/* Keys of one hash are not the same. */
static void
keys_may_collide(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup();
    leat_job_id id = {0};
    static const char *const texts[4] = {"k", "kl", "kk", "kk"};
    for (uint32_t i = 0; i < 4; i++) {
        id = submit_how(fixture, texts[i], i < 2 ? "ap" : "b", (struct how){.delay_ns = S});
        test_key_hash(fixture->engine, id, 7);
    }
    pass(fixture, S + TICK);
    begins(fixture, "aabb");
    keys_are(fixture, 2);
    CHECK_OK(leat_complete(fixture->engine, fixture->token, leat_done(), NULL));
    keys_are(fixture, 1);
    finish(fixture, 1);
}

/* An all-or-none batch. */
static void
a_batch(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup();
    struct leat_job jobs[4];
    struct leat_job_options options = leat_job_options_default();
    static const char *const texts[4] = {"a", "b", "c", "d"};
    options.key = "k";
    options.key_bytes = 1;
    for (uint32_t i = 0; i < 4; i++) {
        jobs[i] = leat_job_default();
        jobs[i].type = fixture->types[0];
        jobs[i].payload = texts[i];
        jobs[i].payload_bytes = 2;
        jobs[i].options = i == 2 ? NULL : &options;
    }
    CHECK_OK(leat_submit_batch(fixture->engine, jobs, 4, LEAT_BATCH_ALL_OR_NONE, NULL, NULL));
    begins(fixture, "acbd");
    options.key = "l";
    jobs[0].options = NULL;
    jobs[1].options = NULL;
    jobs[2].options = &options;
    jobs[3].options = NULL;
    CHECK_OK(leat_submit_batch(fixture->engine, jobs, 4, LEAT_BATCH_ALL_OR_NONE, NULL, NULL));
    begins(fixture, "abcd"); /* those with a key and those without in their order */
    finish_empty(fixture);
}

/* Thousands of keys come and go, in lines of all lengths, and give their memory back. */
static void
many_keys_come_and_go(void **unused)
{
    (void)unused;
    struct fixture *fixture = setup();
    struct test_prng prng = {.state = 7};
    uint64_t blocks = test_memory_blocks(&fixture->memory);
    static leat_job_id ids[JOBS / 2];
    static bool seen[KEYS];
    for (uint32_t round = 0; round < 4; round++) {
        uint32_t keys = 0;
        memset(seen, 0, sizeof(seen));
        for (uint32_t i = 0; i < JOBS / 2; i++) {
            char key[16];
            uint32_t number = test_random_below(&prng, KEYS);
            (void)snprintf(key, sizeof(key), "%u", number);
            ids[i] = submit(fixture, key, "a");
            keys += seen[number] ? 0 : 1;
            seen[number] = true;
        }
        keys_are(fixture, keys);
        for (uint32_t i = 0; i < JOBS / 2; i += 3) {
            CHECK_OK(leat_cancel(fixture->engine, ids[i]));
        }
        settle(fixture);
        CHECK_EQUAL(fixture->count, JOBS / 2 - (JOBS / 2 + 2) / 3);
        fixture->count = 0;
        keys_are(fixture, 0);
        CHECK_EQUAL(test_memory_blocks(&fixture->memory), blocks);
    }
    finish_empty(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_key_orders_all),
        cmocka_unit_test(a_key_is_kept_to_the_end),
        cmocka_unit_test(an_answer_from_elsewhere_keeps_the_key),
        cmocka_unit_test(a_delayed_job_comes_when_it_is_due),
        cmocka_unit_test(cancelled_in_line),
        cmocka_unit_test(cancelled_with_the_key),
        cmocka_unit_test(cancelled_without_a_hold),
        cmocka_unit_test(expired),
        cmocka_unit_test(another_time_in_line),
        cmocka_unit_test(another_time_with_the_key),
        cmocka_unit_test(another_priority),
        cmocka_unit_test(drain_stop_and_close),
        cmocka_unit_test(no_memory),
        cmocka_unit_test(an_old_time),
        cmocka_unit_test(no_key_at_all),
        cmocka_unit_test(its_memory_is_counted),
        cmocka_unit_test(keys_have_limits),
        cmocka_unit_test(keys_may_collide),
        cmocka_unit_test(a_batch),
        cmocka_unit_test(many_keys_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
