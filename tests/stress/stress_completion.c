/* stress_completion.c - completion queues with real threads.
 *
 * loops    Event loops, each with a queue of its own: submit until it is full, poll the descriptor,
 *          take a few or all. Jobs end in every way: done, failed, after retries, cancelled while
 *          they wait or run, and by leat_complete() from several foreign threads. Every accepted
 *          job comes once, with its id, state and user value; the queue refuses exactly when its
 *          slots are used up; a poll that does not end is a lost ring. When all have come the queue
 *          is destroyed at once, while a worker may still be at its doorbell, and a new one is
 *          made.
 * shared   One queue, several submitters and several takers that poll the one descriptor.
 * moment   One job at a time, and a look for it at about the moment at which it ends, so that it
 *          comes between the look and the wait.
 *
 * All end with a look through the engine, which counts the slots. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "ring/atomic.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

#define LOOPS     2
#define FOREIGN   3
#define SLOTS_MAX 24
#define WORKERS   2

enum kind { KIND_DONE, KIND_FAIL, KIND_RETRY, KIND_PENDING, KIND_CANCEL, KIND_COUNT };

struct request {
    leat_job_id id;
    enum kind kind;
    bool under_way;
};

struct payload {
    struct request *request; /* in a loop's memory: only the loop looks into it */
    uint32_t kind;
};

/* Tokens on their way from handlers to foreign threads. Each pending job has room here. */
struct tokens {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    leat_token waiting[LOOPS * SLOTS_MAX];
    uint32_t count;
    bool over;
};

struct shared {
    struct leat_engine *engine;
    leat_type type;
    struct tokens tokens;
    uint64_t deadline_ns;
    uint64_t seed;
    leat_atomic_u32 loops; /* that have not ended */
    leat_atomic_u64 ended;
    struct leat_completion_queue *queue; /* of `shared` */
    leat_atomic_u64 accepted;
    leat_atomic_u32 submitters;
};

/* ---- jobs ----------------------------------------------------------------------------------- */

static void
tokens_put(struct tokens *tokens, leat_token token)
{
    CHECK(pthread_mutex_lock(&tokens->mutex) == 0);
    CHECK(tokens->count < TEST_COUNT_OF(tokens->waiting));
    tokens->waiting[tokens->count++] = token;
    CHECK(pthread_cond_signal(&tokens->changed) == 0);
    CHECK(pthread_mutex_unlock(&tokens->mutex) == 0);
}

/* False: there will be no more. */
static bool
tokens_take(struct tokens *tokens, leat_token *token)
{
    CHECK(pthread_mutex_lock(&tokens->mutex) == 0);
    while (tokens->count == 0 && !tokens->over) {
        CHECK(pthread_cond_wait(&tokens->changed, &tokens->mutex) == 0);
    }
    bool taken = tokens->count > 0;
    if (taken) {
        *token = tokens->waiting[--tokens->count];
    }
    CHECK(pthread_mutex_unlock(&tokens->mutex) == 0);
    return taken;
}

static void
tokens_end(struct tokens *tokens)
{
    CHECK(pthread_mutex_lock(&tokens->mutex) == 0);
    tokens->over = true;
    CHECK(pthread_cond_broadcast(&tokens->changed) == 0);
    CHECK(pthread_mutex_unlock(&tokens->mutex) == 0);
}

static struct leat_outcome
job(struct leat_run *run, void *context)
{
    struct shared *shared = context;
    const struct payload *payload = leat_run_payload(run, NULL);
    switch ((enum kind)payload->kind) {
    case KIND_FAIL:
        return leat_fail();
    case KIND_RETRY:
        return leat_retry();
    case KIND_PENDING:
        /* May be completed before we have answered. */
        tokens_put(&shared->tokens, leat_run_token(run));
        return leat_pending();
    case KIND_DONE:
    case KIND_CANCEL:
    case KIND_COUNT:
        break;
    }
    return leat_done();
}

/* One of FOREIGN threads that the engine knows nothing of. */
static void
foreign_body(struct shared *shared)
{
    leat_token token = {0};
    uint32_t turn = 0;
    while (tokens_take(&shared->tokens, &token)) {
        struct leat_outcome outcome = turn++ % 2 == 0 ? leat_done() : leat_fail();
        CHECK_OK(leat_complete(shared->engine, token, outcome, turn % 3 == 0 ? "text" : NULL));
        CHECK(leat_complete(shared->engine, token, outcome, NULL) != LEAT_OK);
    }
}

static void
check_end(const struct leat_completion *item, const struct request *request)
{
    CHECK(request->under_way);
    CHECK_EQUAL(item->id.bits, request->id.bits);
    bool cancelled = item->state == LEAT_JOB_CANCELLED;
    bool done = item->state == LEAT_JOB_COMPLETED;
    switch (request->kind) {
    case KIND_DONE:
        CHECK(done);
        break;
    case KIND_FAIL:
        CHECK_EQUAL(item->reason, LEAT_REASON_FAILED);
        break;
    case KIND_RETRY:
        CHECK_EQUAL(item->reason, LEAT_REASON_ATTEMPTS);
        break;
    case KIND_PENDING:
        CHECK(done || item->reason == LEAT_REASON_FAILED);
        break;
    case KIND_CANCEL:
        CHECK(done || cancelled);
        break;
    case KIND_COUNT:
        CHECK(false);
    }
}

/* ---- event loops ---------------------------------------------------------------------------- */

struct loop {
    struct shared *shared;
    struct leat_completion_queue *queue;
    int descriptor;
    uint32_t slots;
    uint32_t under_way;
    struct request requests[SLOTS_MAX];
    struct test_prng prng;
};

static struct request *
free_request(struct loop *loop)
{
    for (uint32_t i = 0; i < loop->slots; i++) {
        if (!loop->requests[i].under_way) {
            return &loop->requests[i];
        }
    }
    return NULL;
}

static void
loop_submit(struct loop *loop)
{
    struct request none = {.kind = KIND_DONE};
    struct request *request = free_request(loop);
    bool full = request == NULL;
    request = full ? &none : request;
    request->kind = (enum kind)test_random_below(&loop->prng, KIND_COUNT);
    const struct payload payload = {request, (uint32_t)request->kind};
    struct leat_job given = leat_job_default();
    given.type = loop->shared->type;
    given.payload = &payload;
    given.payload_bytes = sizeof(payload);
    given.completions = loop->queue;
    given.user = request;
    CHECK_STATUS(leat_submit(loop->shared->engine, &given, &request->id),
                 full ? LEAT_FULL : LEAT_OK);
    if (full) {
        return;
    }
    request->under_way = true;
    loop->under_way++;
    if (request->kind == KIND_CANCEL) {
        enum leat_status status = leat_cancel(loop->shared->engine, request->id);
        CHECK(status == LEAT_OK || status == LEAT_RUNNING || status == LEAT_ENDED ||
              status == LEAT_GONE);
    }
}

static void
wait_for(int descriptor)
{
    struct pollfd look = {.fd = descriptor, .events = POLLIN};
    CHECK(poll(&look, 1, (int)(TEST_PATIENCE_NS / TEST_MS)) == 1);
}

static void
loop_take(struct loop *loop)
{
    struct leat_completion items[SLOTS_MAX];
    size_t capacity = 1 + test_random_below(&loop->prng, SLOTS_MAX);
    size_t taken = 0;
    enum leat_status status = leat_completion_queue_take(loop->queue, items, capacity, &taken);
    CHECK(status == LEAT_OK || status == LEAT_EMPTY);
    for (size_t i = 0; i < taken; i++) {
        struct request *request = items[i].user;
        check_end(&items[i], request);
        request->under_way = false;
        loop->under_way--;
    }
    (void)atom_add_rlx(&loop->shared->ended, taken); /* rlx: statistic */
}

static void
loop_open(struct loop *loop)
{
    loop->slots = 1 + test_random_below(&loop->prng, SLOTS_MAX);
    CHECK_OK(leat_completion_queue_create(loop->shared->engine, loop->slots, &loop->queue));
    CHECK_OK(leat_completion_queue_descriptor(loop->queue, &loop->descriptor));
}

static void
loop_body(struct shared *shared, uint32_t number)
{
    struct loop *loop = calloc(1, sizeof(*loop));
    CHECK(loop != NULL);
    loop->shared = shared;
    loop->prng.state = shared->seed + number;
    while (test_now_ns() < shared->deadline_ns) {
        loop_open(loop);
        uint32_t rounds = test_random_below(&loop->prng, 50);
        for (uint32_t i = 0; i < rounds || loop->under_way > 0; i++) {
            uint32_t more = i < rounds ? test_random_below(&loop->prng, SLOTS_MAX) : 0;
            for (uint32_t j = 0; j < more; j++) {
                loop_submit(loop);
            }
            if (loop->under_way > 0) {
                wait_for(loop->descriptor);
                loop_take(loop);
            }
        }
        CHECK_OK(leat_completion_queue_destroy(loop->queue));
    }
    free(loop);
    if (atom_sub_acq_rel(&shared->loops, 1) == 1) {
        tokens_end(&shared->tokens);
    }
}

static void
loops_body(void *argument, uint32_t number)
{
    if (number < LOOPS) {
        loop_body(argument, number);
    } else {
        foreign_body(argument);
    }
}

/* One that is of no loop. */
static struct leat_job
done_job(const struct shared *shared, struct leat_completion_queue *queue)
{
    static const struct payload payload = {NULL, KIND_DONE};
    struct leat_job given = leat_job_default();
    given.type = shared->type;
    given.payload = &payload;
    given.payload_bytes = sizeof(payload);
    given.completions = queue;
    return given;
}

/* ---- one queue for all ---------------------------------------------------------------------- */

static void
submitter(struct shared *shared, uint32_t number)
{
    struct test_prng prng = {shared->seed + number};
    while (test_now_ns() < shared->deadline_ns) {
        struct leat_job given = done_job(shared, shared->queue);
        given.user = shared;
        enum leat_status status = leat_submit(shared->engine, &given, NULL);
        CHECK(status == LEAT_OK || status == LEAT_FULL);
        if (status == LEAT_OK) {
            (void)atom_add_acq_rel(&shared->accepted, 1);
        } else if (test_random_below(&prng, 4) == 0) {
            test_sleep_ns(TEST_MS / 20);
        }
    }
    (void)atom_sub_acq_rel(&shared->submitters, 1);
}

static bool
all_taken(struct shared *shared)
{
    return atom_load_acq(&shared->submitters) == 0 &&
           atom_load_acq(&shared->ended) == atom_load_acq(&shared->accepted);
}

/* Polls for a while only: what another taker takes is no event for this one. That none is lost the
 * clock shows, since all must have been taken soon after the end. */
static void
taker(struct shared *shared)
{
    int descriptor = -1;
    CHECK_OK(leat_completion_queue_descriptor(shared->queue, &descriptor));
    while (!all_taken(shared)) {
        struct leat_completion items[5];
        struct pollfd look = {.fd = descriptor, .events = POLLIN};
        size_t taken = 0;
        CHECK(test_now_ns() < shared->deadline_ns + TEST_PATIENCE_NS);
        if (poll(&look, 1, 100) == 0) {
            continue;
        }
        enum leat_status status = leat_completion_queue_take(shared->queue, items, 5, &taken);
        CHECK(status == LEAT_OK || status == LEAT_EMPTY);
        for (size_t i = 0; i < taken; i++) {
            CHECK(items[i].user == shared);
            CHECK_EQUAL(items[i].state, LEAT_JOB_COMPLETED);
        }
        (void)atom_add_acq_rel(&shared->ended, taken);
    }
}

static void
shared_body(void *argument, uint32_t number)
{
    if (number % 2 == 0) {
        submitter(argument, number);
    } else {
        taker(argument);
    }
}

/* ---- a job and a look that meet -------------------------------------------------------------- */

/* The time from the submit to the look follows that which the job takes. */
static void
moment_body(struct shared *shared, struct leat_completion_queue *queue)
{
    const struct leat_job given = done_job(shared, queue);
    uint64_t wait_ns = TEST_MS / 1000;
    int descriptor = -1;
    CHECK_OK(leat_completion_queue_descriptor(queue, &descriptor));
    while (test_now_ns() < shared->deadline_ns) {
        struct leat_completion item;
        size_t taken = 0;
        CHECK_OK(leat_submit(shared->engine, &given, NULL));
        for (uint64_t until_ns = test_now_ns() + wait_ns; test_now_ns() < until_ns;) {
        }
        enum leat_status status = leat_completion_queue_take(queue, &item, 1, &taken);
        wait_ns = status == LEAT_OK ? wait_ns - wait_ns / 16 : wait_ns + wait_ns / 16 + 1;
        wait_ns = wait_ns < TEST_MS / 50 ? wait_ns : TEST_MS / 50; /* both on one CPU: it sleeps */
        while (status == LEAT_EMPTY) {
            wait_for(descriptor);
            status = leat_completion_queue_take(queue, &item, 1, &taken);
        }
        CHECK_OK(status);
        (void)atom_add_rlx(&shared->ended, 1); /* rlx: statistic */
    }
}

/* ---- tests ---------------------------------------------------------------------------------- */

/* One alone never parks, so that what a job takes depends on little else. */
static struct shared *
setup(uint32_t workers)
{
    struct shared *shared = calloc(1, sizeof(*shared));
    struct leat_config config = test_config();
    CHECK(shared != NULL);
    config.workers = workers;
    config.busy_poll = workers == 1;
    config.ring_slots = 1024;
    config.jobs_max = 1024;
    config.retained_max = 16;
    config.dead_max = 16;
    shared->engine = test_start(&config);
    shared->type = test_register(shared->engine, "job", job, shared);
    shared->seed = test_seed("stress_completion");
    shared->deadline_ns = test_now_ns() + test_duration_ns() / 3;
    CHECK(pthread_mutex_init(&shared->tokens.mutex, NULL) == 0);
    CHECK(pthread_cond_init(&shared->tokens.changed, NULL) == 0);
    return shared;
}

static void
teardown(struct shared *shared)
{
    CHECK(atom_load_rlx(&shared->ended) > 0);
    test_say("%llu completions\n", (unsigned long long)atom_load_rlx(&shared->ended));
    test_finish(shared->engine);
    CHECK(pthread_mutex_destroy(&shared->tokens.mutex) == 0);
    CHECK(pthread_cond_destroy(&shared->tokens.changed) == 0);
    free(shared);
}

static void
loops(void **state)
{
    (void)state;
    struct shared *shared = setup(WORKERS);
    atom_init(&shared->loops, LOOPS);
    test_threads_run(LOOPS + FOREIGN, loops_body, shared);
    teardown(shared);
}

static void
shared_queue(void **state)
{
    (void)state;
    struct shared *shared = setup(WORKERS);
    atom_init(&shared->submitters, 2);
    CHECK_OK(leat_completion_queue_create(shared->engine, 64, &shared->queue));
    test_threads_run(4, shared_body, shared);
    CHECK_OK(leat_drain(shared->engine, LEAT_FOREVER));
    CHECK_OK(leat_completion_queue_destroy(shared->queue));
    teardown(shared);
}

static void
moment(void **state)
{
    (void)state;
    struct shared *shared = setup(1);
    struct leat_completion_queue *queue = NULL;
    CHECK_OK(leat_completion_queue_create(shared->engine, 1, &queue));
    moment_body(shared, queue);
    CHECK_OK(leat_completion_queue_destroy(queue));
    teardown(shared);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loops),
        cmocka_unit_test(shared_queue),
        cmocka_unit_test(moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
