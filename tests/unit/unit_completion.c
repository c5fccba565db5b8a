/* unit_completion.c - completion queues: every way in which a job can end comes once, with its id,
 * state, reason and user value; slots below, at and above the limit; the descriptor on the edges;
 * kept results; what may and may not be destroyed; stop, drain and close beside waiting jobs; other
 * engines' queues, and sizes of older headers. Each case ends with a look through the engine, which
 * counts the slots (I1 of engine/completion.h). */
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "engine/limits.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/threads.h"

struct fixture {
    struct leat_engine *engine;
    struct leat_completion_queue *queue;
    int descriptor;
    struct leat_job job; /* of type "answer", with `queue` */
    leat_token token;    /* of the last one that answered pending */
    struct test_gate gate;
};

/* Its payload is what it answers. */
static struct leat_outcome
answer(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    const struct leat_outcome *outcome = leat_run_payload(run, NULL);
    fixture->token = leat_run_token(run);
    CHECK_OK(leat_run_result(run, "result", 6));
    return *outcome;
}

static struct leat_outcome
wait_at_gate(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    (void)run;
    test_gate_wait(&fixture->gate);
    return leat_done();
}

/* With 0 workers the test runs the jobs itself, so all is in order. */
static void
setup_with(struct fixture *fixture, struct leat_config config, uint32_t slots)
{
    memset(fixture, 0, sizeof(*fixture));
    config.retained_max = 8;
    fixture->engine = test_start(&config);
    fixture->job = leat_job_default();
    fixture->job.type = test_register(fixture->engine, "answer", answer, fixture);
    (void)test_register(fixture->engine, "gate", wait_at_gate, fixture);
    test_gate_init(&fixture->gate);
    CHECK_OK(leat_completion_queue_create(fixture->engine, slots, &fixture->queue));
    CHECK_OK(leat_completion_queue_descriptor(fixture->queue, &fixture->descriptor));
    fixture->job.completions = fixture->queue;
}

static void
setup(struct fixture *fixture, uint32_t workers, uint32_t slots)
{
    struct leat_config config = test_config();
    config.workers = workers;
    setup_with(fixture, config, slots);
}

static void
teardown(struct fixture *fixture)
{
    test_close(fixture->engine);
    test_gate_fini(&fixture->gate);
}

static leat_job_id
submit(struct fixture *fixture, struct leat_outcome outcome, void *user)
{
    struct leat_job job = fixture->job;
    leat_job_id id = {0};
    job.payload = &outcome;
    job.payload_bytes = sizeof(outcome);
    job.user = user;
    CHECK_OK(leat_submit(fixture->engine, &job, &id));
    return id;
}

static enum leat_status
try_submit(struct fixture *fixture)
{
    struct leat_outcome outcome = leat_done();
    struct leat_job job = fixture->job;
    leat_job_id id = {77};
    job.payload = &outcome;
    job.payload_bytes = sizeof(outcome);
    enum leat_status status = leat_submit(fixture->engine, &job, &id);
    CHECK(status == LEAT_OK || id.bits == 77);
    return status;
}

static void
run_all(struct fixture *fixture)
{
    enum leat_status status = LEAT_OK;
    while (status == LEAT_OK) {
        status = leat_run_some(fixture->engine, 1, NULL);
    }
    CHECK_STATUS(status, LEAT_EMPTY);
}

static bool
readable(const struct fixture *fixture)
{
    struct pollfd look = {.fd = fixture->descriptor, .events = POLLIN};
    int count = poll(&look, 1, 0);
    CHECK(count >= 0);
    return count == 1;
}

static void
take_none(struct fixture *fixture)
{
    struct leat_completion item = {.user = fixture};
    size_t taken = 77;
    CHECK_STATUS(leat_completion_queue_take(fixture->queue, &item, 1, &taken), LEAT_EMPTY);
    CHECK_EQUAL(taken, 77);
    CHECK(item.user == fixture);
    CHECK(!readable(fixture));
}

struct want {
    leat_job_id id;
    enum leat_job_state state;
    enum leat_reason reason;
    void *user;
};

static void
take_one(struct fixture *fixture, struct want want)
{
    struct leat_completion item;
    size_t taken = 0;
    memset(&item, 0, sizeof(item));
    CHECK(readable(fixture));
    CHECK_OK(leat_completion_queue_take(fixture->queue, &item, 1, &taken));
    CHECK_EQUAL(taken, 1);
    CHECK_EQUAL(item.id.bits, want.id.bits);
    CHECK_EQUAL(item.state, want.state);
    CHECK_EQUAL(item.reason, want.reason);
    CHECK(item.user == want.user);
}

/* ---- ends ----------------------------------------------------------------------------------- */

static void
ends_on_a_worker(void **state)
{
    struct fixture fixture;
    char users[4];
    (void)state;
    setup(&fixture, 0, 8);
    take_none(&fixture);
    leat_job_id done = submit(&fixture, leat_done(), &users[0]);
    leat_job_id failed = submit(&fixture, leat_fail(), &users[1]);
    leat_job_id retried = submit(&fixture, leat_retry(), &users[2]);
    struct leat_job job = fixture.job;
    leat_job_id unknown = {0};
    job.type.bits = 0;
    job.type_name = "nobody";
    CHECK_OK(leat_submit(fixture.engine, &job, &unknown));
    take_none(&fixture);
    CHECK_OK(leat_run_some(fixture.engine, 1, NULL));
    take_one(&fixture, (struct want){done, LEAT_JOB_COMPLETED, LEAT_REASON_NONE, &users[0]});
    run_all(&fixture);
    take_one(&fixture, (struct want){failed, LEAT_JOB_DEAD, LEAT_REASON_FAILED, &users[1]});
    /* What a worker keeps in its hand for a retry is behind what waited. */
    struct leat_completion items[3];
    size_t taken = 0;
    CHECK_OK(leat_completion_queue_take(fixture.queue, items, 3, &taken));
    CHECK_EQUAL(taken, 2);
    uint32_t first = items[0].id.bits == retried.bits ? 0 : 1;
    CHECK_EQUAL(items[first].id.bits, retried.bits);
    CHECK_EQUAL(items[first].reason, LEAT_REASON_ATTEMPTS);
    CHECK(items[first].user == &users[2]);
    CHECK_EQUAL(items[1 - first].id.bits, unknown.bits);
    CHECK_EQUAL(items[1 - first].reason, LEAT_REASON_UNKNOWN_TYPE);
    CHECK(items[1 - first].user == NULL);
    take_none(&fixture);
    teardown(&fixture);
}

static void
ends_elsewhere(void **state)
{
    struct fixture fixture;
    char users[3];
    (void)state;
    setup(&fixture, 0, 8);
    /* By a cancel while it waits; the record is given up later. */
    leat_job_id waits = submit(&fixture, leat_done(), &users[0]);
    CHECK_OK(leat_cancel(fixture.engine, waits));
    CHECK_STATUS(leat_cancel(fixture.engine, waits), LEAT_ENDED);
    take_one(&fixture, (struct want){waits, LEAT_JOB_CANCELLED, LEAT_REASON_NONE, &users[0]});
    run_all(&fixture);
    take_none(&fixture);
    /* By a completion. */
    leat_job_id pends = submit(&fixture, leat_pending(), &users[1]);
    run_all(&fixture);
    take_none(&fixture);
    CHECK_OK(leat_complete(fixture.engine, fixture.token, leat_fail(), "why"));
    take_one(&fixture, (struct want){pends, LEAT_JOB_DEAD, LEAT_REASON_FAILED, &users[1]});
    /* By a completion after a cancel: what is not done is cancelled. */
    pends = submit(&fixture, leat_pending(), &users[2]);
    run_all(&fixture);
    CHECK_STATUS(leat_cancel(fixture.engine, pends), LEAT_RUNNING);
    take_none(&fixture);
    CHECK_OK(leat_complete(fixture.engine, fixture.token, leat_fail(), NULL));
    take_one(&fixture, (struct want){pends, LEAT_JOB_CANCELLED, LEAT_REASON_NONE, &users[2]});
    take_none(&fixture);
    teardown(&fixture);
}

static void
kept_result(void **state)
{
    struct fixture fixture;
    char buffer[8];
    size_t bytes = 0;
    (void)state;
    setup(&fixture, 0, 8);
    fixture.job.flags = LEAT_JOB_KEEP_RESULT;
    leat_job_id id = submit(&fixture, leat_done(), NULL);
    run_all(&fixture);
    take_one(&fixture, (struct want){id, LEAT_JOB_COMPLETED, LEAT_REASON_NONE, NULL});
    CHECK_OK(leat_result(fixture.engine, id, buffer, sizeof(buffer), &bytes));
    CHECK_EQUAL(bytes, 6);
    CHECK_OK(leat_release(fixture.engine, id));
    CHECK_STATUS(leat_result(fixture.engine, id, buffer, sizeof(buffer), &bytes), LEAT_GONE);
    /* Its record is used again, the number of the slot must not be. */
    fixture.job.completions = NULL;
    for (uint32_t i = 0; i < 200; i++) {
        fixture.job.flags = 0;
        (void)submit(&fixture, leat_done(), NULL);
        run_all(&fixture);
        take_none(&fixture);
    }
    teardown(&fixture);
}

/* ---- slots ---------------------------------------------------------------------------------- */

static void
slots_limit(uint32_t slots)
{
    struct fixture fixture;
    struct leat_completion items[20];
    size_t taken = 0;
    setup(&fixture, 0, slots);
    CHECK(slots < 20);
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < slots; i++) {
            CHECK_OK(try_submit(&fixture));
        }
        CHECK_STATUS(try_submit(&fixture), LEAT_FULL);
        /* The end of a job gives no slot back, its take does. */
        run_all(&fixture);
        CHECK_STATUS(try_submit(&fixture), LEAT_FULL);
        CHECK_OK(leat_completion_queue_take(fixture.queue, items, 1, &taken));
        CHECK_OK(try_submit(&fixture));
        CHECK_STATUS(try_submit(&fixture), LEAT_FULL);
        run_all(&fixture);
        CHECK_OK(leat_completion_queue_take(fixture.queue, items, 20, &taken));
        CHECK_EQUAL(taken, slots);
        take_none(&fixture);
    }
    struct leat_statistics sum = test_statistics(fixture.engine);
    CHECK_EQUAL(sum.jobs_submitted, 3 * (slots + 1));
    teardown(&fixture);
}

static void
slots(void **state)
{
    (void)state;
    slots_limit(1);
    slots_limit(2);
    slots_limit(7);
    slots_limit(16);
}

static void
numbers(void **state)
{
    struct leat_config config = test_config();
    struct leat_engine *engine = test_open(&config);
    static struct leat_completion_queue *queues[LEAT_COMPLETION_QUEUES_MAX];
    struct leat_completion_queue *queue = NULL;
    (void)state;
    CHECK_STATUS(leat_completion_queue_create(engine, 0, &queue), LEAT_INVALID);
    CHECK_STATUS(leat_completion_queue_create(engine, 1, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_completion_queue_create(engine, LEAT_COMPLETION_SLOTS_MAX + 1, &queue),
                 LEAT_INVALID);
    CHECK_STATUS(leat_completion_queue_create(engine, UINT32_MAX, &queue), LEAT_INVALID);
    CHECK_OK(leat_completion_queue_create(engine, LEAT_COMPLETION_SLOTS_MAX, &queue));
    CHECK_OK(leat_completion_queue_destroy(queue));
    queue = NULL;
    for (uint32_t i = 0; i < LEAT_COMPLETION_QUEUES_MAX; i++) {
        CHECK_OK(leat_completion_queue_create(engine, 1, &queues[i]));
    }
    CHECK_STATUS(leat_completion_queue_create(engine, 1, &queue), LEAT_FULL);
    CHECK(queue == NULL);
    CHECK_OK(leat_completion_queue_destroy(queues[100]));
    CHECK_OK(leat_completion_queue_create(engine, 1, &queue));
    CHECK_STATUS(leat_completion_queue_create(engine, 1, &queues[100]), LEAT_FULL);
    /* A job of the last one, and of the one that took a number again. */
    struct leat_job job = leat_job_default();
    leat_job_id ids[2];
    job.type_name = "t";
    job.completions = queue;
    CHECK_OK(leat_submit(engine, &job, &ids[0]));
    job.completions = queues[LEAT_COMPLETION_QUEUES_MAX - 1];
    CHECK_OK(leat_submit(engine, &job, &ids[1]));
    for (uint32_t i = 0; i < 2; i++) {
        struct leat_completion item;
        size_t taken = 0;
        CHECK_OK(leat_cancel(engine, ids[i]));
        CHECK_OK(leat_completion_queue_take(i == 0 ? queue : job.completions, &item, 1, &taken));
        CHECK_EQUAL(item.id.bits, ids[i].bits);
    }
    test_close(engine);
}

/* What a submit takes is given back when something else refuses the job. */
static void
refused(uint32_t jobs_max)
{
    struct fixture fixture;
    struct leat_config config = test_config();
    config.workers = 0;
    config.jobs_max = jobs_max;
    setup_with(&fixture, config, 3);
    struct leat_job job = fixture.job;
    job.type.bits = 60000;
    for (uint32_t i = 0; i < 10; i++) {
        CHECK_STATUS(leat_submit(fixture.engine, &job, NULL), LEAT_NOT_FOUND);
    }
    /* Until the ring is full, which has 64 places, or the records are used up. */
    struct leat_job plain = fixture.job;
    plain.completions = NULL;
    while (leat_submit(fixture.engine, &plain, NULL) == LEAT_OK) {
    }
    for (uint32_t i = 0; i < 10; i++) {
        CHECK_STATUS(try_submit(&fixture), LEAT_FULL);
    }
    CHECK_OK(leat_completion_queue_destroy(fixture.queue));
    CHECK_OK(leat_stop(fixture.engine, LEAT_FOREVER));
    CHECK_OK(leat_completion_queue_create(fixture.engine, 3, &fixture.queue));
    fixture.job.completions = fixture.queue;
    CHECK_STATUS(try_submit(&fixture), LEAT_CLOSED);
    CHECK_OK(leat_completion_queue_destroy(fixture.queue));
    teardown(&fixture);
}

static void
refused_jobs(void **state)
{
    (void)state;
    refused(64);
    refused(128);
}

static void
batches(void **state)
{
    struct fixture fixture;
    struct leat_job jobs[6];
    leat_job_id ids[6];
    enum leat_status statuses[6];
    struct leat_outcome outcome = leat_done();
    struct leat_completion items[6];
    size_t taken = 0;
    (void)state;
    setup(&fixture, 0, 5);
    fixture.job.payload = &outcome;
    fixture.job.payload_bytes = sizeof(outcome);
    for (uint32_t i = 0; i < 6; i++) {
        jobs[i] = fixture.job;
        jobs[i].user = &jobs[i];
    }
    CHECK_STATUS(leat_submit_batch(fixture.engine, jobs, 6, LEAT_BATCH_ALL_OR_NONE, ids, statuses),
                 LEAT_FULL);
    CHECK_OK(leat_submit_batch(fixture.engine, jobs, 5, LEAT_BATCH_ALL_OR_NONE, ids, statuses));
    run_all(&fixture);
    CHECK_OK(leat_completion_queue_take(fixture.queue, items, 6, &taken));
    CHECK_EQUAL(taken, 5);
    for (uint32_t i = 0; i < 5; i++) {
        CHECK_EQUAL(items[i].id.bits, ids[i].bits);
        CHECK(items[i].user == &jobs[i]);
    }
    CHECK_STATUS(leat_submit_batch(fixture.engine, jobs, 6, LEAT_BATCH_EACH, ids, statuses),
                 LEAT_FULL);
    CHECK_EQUAL(statuses[4], LEAT_OK);
    CHECK_EQUAL(statuses[5], LEAT_FULL);
    run_all(&fixture);
    CHECK_OK(leat_completion_queue_take(fixture.queue, items, 6, &taken));
    CHECK_EQUAL(taken, 5);
    teardown(&fixture);
}

/* ---- the descriptor ------------------------------------------------------------------------- */

static void
edges(void **state)
{
    struct fixture fixture;
    struct leat_completion items[8];
    size_t taken = 0;
    uint64_t rings = 0;
    (void)state;
    setup(&fixture, 0, 8);
    CHECK((fcntl(fixture.descriptor, F_GETFD) & FD_CLOEXEC) != 0);
    CHECK((fcntl(fixture.descriptor, F_GETFL) & O_NONBLOCK) != 0);
    CHECK(!readable(&fixture));
    for (uint32_t i = 0; i < 8; i++) {
        CHECK_OK(try_submit(&fixture));
    }
    run_all(&fixture);
    /* One ring for all eight. */
    CHECK(read(fixture.descriptor, &rings, sizeof(rings)) == sizeof(rings));
    CHECK_EQUAL(rings, 1);
    CHECK_EQUAL(write(fixture.descriptor, &rings, sizeof(rings)), sizeof(rings));
    CHECK_OK(leat_completion_queue_take(fixture.queue, items, 3, &taken));
    CHECK(readable(&fixture));
    CHECK_OK(leat_completion_queue_take(fixture.queue, items, 5, &taken));
    CHECK_EQUAL(taken, 5);
    /* It gave as many as asked for, so it did not look whether there are more. */
    CHECK(readable(&fixture));
    take_none(&fixture);
    /* None before the next edge, and one behind it. */
    CHECK_OK(try_submit(&fixture));
    run_all(&fixture);
    CHECK(readable(&fixture));
    CHECK_OK(leat_completion_queue_take(fixture.queue, items, 8, &taken));
    CHECK_EQUAL(taken, 1);
    CHECK(!readable(&fixture));
    teardown(&fixture);
}

static void
arguments(void **state)
{
    struct fixture fixture;
    struct leat_completion item;
    size_t taken = 77;
    (void)state;
    setup(&fixture, 0, 8);
    CHECK_OK(try_submit(&fixture));
    run_all(&fixture);
    CHECK_STATUS(leat_completion_queue_take(fixture.queue, &item, 0, &taken), LEAT_INVALID);
    CHECK_STATUS(leat_completion_queue_take(fixture.queue, NULL, 1, &taken), LEAT_INVALID);
    CHECK_STATUS(leat_completion_queue_take(fixture.queue, &item, 1, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_completion_queue_descriptor(fixture.queue, NULL), LEAT_INVALID);
    CHECK_EQUAL(taken, 77);
    CHECK_OK(leat_completion_queue_take(fixture.queue, &item, 1, &taken));
    /* Another engine's queue. */
    struct leat_config config = test_config();
    struct leat_engine *other = test_open(&config);
    CHECK_OK(leat_completion_queue_create(other, 8, &fixture.job.completions));
    CHECK_STATUS(try_submit(&fixture), LEAT_INVALID);
    /* A header that does not know the fields yet: they are not looked at. */
    fixture.job.size = (uint32_t)offsetof(struct leat_job, completions);
    CHECK_OK(try_submit(&fixture));
    run_all(&fixture);
    take_none(&fixture);
    test_close(other);
    teardown(&fixture);
}

/* ---- destroy, stop, drain, close ------------------------------------------------------------ */

static void
destroy(void **state)
{
    struct fixture fixture;
    (void)state;
    setup(&fixture, 0, 8);
    leat_job_id waits = submit(&fixture, leat_pending(), NULL);
    CHECK_STATUS(leat_completion_queue_destroy(fixture.queue), LEAT_BUSY);
    run_all(&fixture);
    CHECK_STATUS(leat_completion_queue_destroy(fixture.queue), LEAT_BUSY);
    CHECK_OK(leat_complete(fixture.engine, fixture.token, leat_done(), NULL));
    take_one(&fixture, (struct want){waits, LEAT_JOB_COMPLETED, LEAT_REASON_NONE, NULL});
    /* One that is not taken is dropped. */
    CHECK_OK(try_submit(&fixture));
    run_all(&fixture);
    CHECK_OK(leat_completion_queue_destroy(fixture.queue));
    CHECK(fcntl(fixture.descriptor, F_GETFD) < 0);
    teardown(&fixture);
}

/* A handler that destroys the queue of a job that has ended. */
static struct leat_outcome
destroyer(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    (void)run;
    CHECK_OK(leat_completion_queue_destroy(fixture->queue));
    return leat_done();
}

static void
destroy_in_handler(void **state)
{
    struct fixture fixture;
    (void)state;
    setup(&fixture, 1, 8);
    (void)test_submit(fixture.engine,
                      test_register(fixture.engine, "destroyer", destroyer, &fixture));
    test_finish(fixture.engine);
    test_gate_fini(&fixture.gate);
}

static void
stop_and_drain(void **state)
{
    struct fixture fixture;
    struct leat_completion items[8];
    size_t taken = 0;
    (void)state;
    setup(&fixture, 1, 8);
    struct leat_job gate = fixture.job;
    gate.type.bits = 0;
    gate.type_name = "gate";
    CHECK_OK(leat_submit(fixture.engine, &gate, NULL));
    test_gate_arrivals(&fixture.gate, 1);
    for (uint32_t i = 0; i < 3; i++) {
        CHECK_OK(try_submit(&fixture));
    }
    /* The one that runs comes to its end; those that wait keep waiting, with their slots. */
    CHECK_STATUS(leat_stop(fixture.engine, 0), LEAT_TIMEOUT);
    test_gate_open(&fixture.gate);
    CHECK_OK(leat_stop(fixture.engine, LEAT_FOREVER));
    CHECK_OK(leat_completion_queue_take(fixture.queue, items, 8, &taken));
    CHECK_EQUAL(taken, 1);
    take_none(&fixture);
    CHECK_STATUS(leat_completion_queue_destroy(fixture.queue), LEAT_BUSY);
    test_engine_check(fixture.engine);
    CHECK_OK(leat_start(fixture.engine));
    CHECK_OK(leat_drain(fixture.engine, LEAT_FOREVER));
    CHECK_OK(leat_completion_queue_take(fixture.queue, items, 8, &taken));
    CHECK_EQUAL(taken, 3);
    teardown(&fixture);
}

/* Jobs that wait, one that pends, one that is not taken: close frees the queue with them. */
static void
close_frees(void **state)
{
    struct fixture fixture;
    (void)state;
    setup(&fixture, 0, 8);
    (void)submit(&fixture, leat_pending(), NULL);
    (void)submit(&fixture, leat_done(), NULL);
    run_all(&fixture);
    (void)submit(&fixture, leat_done(), NULL);
    teardown(&fixture);
    CHECK(fcntl(fixture.descriptor, F_GETFD) < 0);
}

static void
forked(void *argument)
{
    struct fixture *fixture = argument;
    struct leat_completion item;
    struct leat_completion_queue *queue = NULL;
    size_t taken = 0;
    int descriptor = 0;
    CHECK_STATUS(leat_completion_queue_create(fixture->engine, 1, &queue), LEAT_FORKED);
    CHECK_STATUS(leat_completion_queue_descriptor(fixture->queue, &descriptor), LEAT_FORKED);
    CHECK_STATUS(leat_completion_queue_take(fixture->queue, &item, 1, &taken), LEAT_FORKED);
    CHECK_STATUS(leat_completion_queue_destroy(fixture->queue), LEAT_FORKED);
}

static void
fork_of_the_host(void **state)
{
    struct fixture fixture;
    (void)state;
    setup(&fixture, 0, 8);
    leat_job_id id = submit(&fixture, leat_done(), NULL);
    run_all(&fixture);
    test_child(forked, &fixture);
    take_one(&fixture, (struct want){id, LEAT_JOB_COMPLETED, LEAT_REASON_NONE, NULL});
    teardown(&fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_on_a_worker),
        cmocka_unit_test(ends_elsewhere),
        cmocka_unit_test(kept_result),
        cmocka_unit_test(slots),
        cmocka_unit_test(numbers),
        cmocka_unit_test(refused_jobs),
        cmocka_unit_test(batches),
        cmocka_unit_test(edges),
        cmocka_unit_test(arguments),
        cmocka_unit_test(destroy),
        cmocka_unit_test(destroy_in_handler),
        cmocka_unit_test(stop_and_drain),
        cmocka_unit_test(close_frees),
        cmocka_unit_test(fork_of_the_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
