/* stress_workers.c - workers come and go at random, while others post, submit, submit batches of
 * both kinds, and cancel: each task and each job that was taken runs exactly once, or was cancelled
 * before and does not run at all; nothing waits at the end. Handlers run short and long, fail and
 * are retried, and bring work themselves. Somebody reads the statistics of the workers all the
 * time. What hangs is reported with who is where. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine_internal.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

#define WORKERS_MAX 5
#define BRINGERS    3
#define STEERERS    2
#define TICKETS     (1U << 24)
#define BATCH       8

/* What became of a ticket. ASKED: it was cancelled while it ran; where its handler asked for
 * another attempt, that is its end. */
enum { WANTED = 1, RAN = 2, CANCELLED = 4, ASKED = 8 };

#define FAILS_FIRST(ticket) ((ticket) % 5 == 0)

struct fixture {
    struct leat_engine *engine;
    leat_type type;
    leat_atomic_u8 *tickets;
    leat_atomic_u32 issued;
    leat_atomic_u64 tasks; /* accepted */
    leat_atomic_u64 tasks_run;
    leat_atomic_u64 jobs; /* accepted */
    leat_atomic_u32 at_work;
    leat_atomic_u32 hooks; /* started less stopping */
    uint64_t deadline_ns;
    uint64_t seed;
};

struct hand {
    struct fixture *fixture;
    struct test_prng prng;
    leat_job_id last;
    uint32_t last_ticket;
};

/* ---- work ------------------------------------------------------------------------------------ */

static void
task_run(void *argument)
{
    struct fixture *fixture = argument;
    (void)atom_add_rlx(&fixture->tasks_run, 1);
}

static void
post_one(struct fixture *fixture, uint32_t priority)
{
    enum leat_status status = leat_post(fixture->engine, priority, task_run, fixture);
    CHECK(status == LEAT_OK || status == LEAT_FULL);
    (void)atom_add_rlx(&fixture->tasks, status == LEAT_OK ? 1 : 0);
}

static struct leat_outcome
ticket_run(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    size_t bytes = 0;
    uint32_t ticket = 0;
    memcpy(&ticket, leat_run_payload(run, &bytes), sizeof(ticket));
    CHECK(ticket < TICKETS);
    if (FAILS_FIRST(ticket) && leat_run_attempt(run) == 1) {
        return leat_retry();
    }
    if (ticket % 256 == 0) {
        test_sleep_ns(TEST_MS / 4);
    }
    if (ticket % 16 == 0) {
        post_one(fixture, ticket % leat_priority_levels());
    }
    uint32_t before = atom_or_rlx(&fixture->tickets[ticket], RAN);
    CHECK((before & RAN) == 0);
    CHECK((before & CANCELLED) == 0);
    return leat_done();
}

static void
job_fill(struct hand *hand, struct leat_job *job, uint32_t *ticket)
{
    struct fixture *fixture = hand->fixture;
    *job = leat_job_default();
    *ticket = atom_add_rlx(&fixture->issued, 1);
    CHECK(*ticket < TICKETS);
    job->type = fixture->type;
    job->payload = ticket;
    job->payload_bytes = sizeof(*ticket);
}

static void
accepted(struct fixture *fixture, uint32_t ticket)
{
    (void)atom_or_rlx(&fixture->tickets[ticket], WANTED);
    (void)atom_add_rlx(&fixture->jobs, 1);
}

static void
submit_one(struct hand *hand)
{
    struct leat_job job;
    uint32_t ticket = 0;
    leat_job_id id = {0};
    job_fill(hand, &job, &ticket);
    job.priority = ticket % leat_priority_levels();
    enum leat_status status = leat_submit(hand->fixture->engine, &job, &id);
    CHECK(status == LEAT_OK || status == LEAT_FULL);
    if (status == LEAT_OK) {
        accepted(hand->fixture, ticket);
        hand->last = id;
        hand->last_ticket = ticket;
    } else {
        test_sleep_ns(TEST_MS / 10);
    }
}

static void
submit_batch(struct hand *hand)
{
    struct leat_job jobs[BATCH];
    uint32_t tickets[BATCH];
    enum leat_status statuses[BATCH];
    bool each = test_random_below(&hand->prng, 2) == 0;
    uint32_t priority = test_random_below(&hand->prng, leat_priority_levels());
    for (uint32_t i = 0; i < BATCH; i++) {
        job_fill(hand, &jobs[i], &tickets[i]);
        jobs[i].priority = priority;
    }
    enum leat_status status =
        leat_submit_batch(hand->fixture->engine, jobs, BATCH,
                          each ? LEAT_BATCH_EACH : LEAT_BATCH_ALL_OR_NONE, NULL, statuses);
    CHECK(status == LEAT_OK || status == LEAT_FULL);
    for (uint32_t i = 0; i < BATCH; i++) {
        if (status == LEAT_OK || (each && statuses[i] == LEAT_OK)) {
            accepted(hand->fixture, tickets[i]);
        }
    }
    if (status != LEAT_OK) {
        test_sleep_ns(TEST_MS / 10);
    }
}

static void
post_batch(struct hand *hand)
{
    struct leat_task tasks[BATCH];
    size_t posted = 0;
    for (uint32_t i = 0; i < BATCH; i++) {
        tasks[i] = (struct leat_task){task_run, hand->fixture};
    }
    enum leat_status status =
        leat_post_batch(hand->fixture->engine, LEAT_PRIORITY_NORMAL, tasks, BATCH, &posted);
    CHECK(status == LEAT_OK || status == LEAT_FULL);
    (void)atom_add_rlx(&hand->fixture->tasks, posted);
}

static void
cancel_last(struct hand *hand)
{
    leat_atomic_u8 *ticket = &hand->fixture->tickets[hand->last_ticket];
    if (hand->last.bits == 0) {
        return;
    }
    enum leat_status status = leat_cancel(hand->fixture->engine, hand->last);
    if (status == LEAT_OK) {
        CHECK((atom_or_rlx(ticket, CANCELLED) & RAN) == 0);
    } else if (status == LEAT_RUNNING) {
        (void)atom_or_rlx(ticket, ASKED);
    }
    hand->last.bits = 0;
}

static void
bring(struct hand *hand)
{
    switch (test_random_below(&hand->prng, 8)) {
    case 0:
        post_batch(hand);
        break;
    case 1:
    case 2:
        submit_batch(hand);
        break;
    case 3:
        cancel_last(hand);
        break;
    case 4:
        /* So that workers sleep, too. */
        test_sleep_ns(test_random_below(&hand->prng, TEST_MS / 4));
        break;
    case 5:
        post_one(hand->fixture, test_random_below(&hand->prng, leat_priority_levels()));
        break;
    default:
        submit_one(hand);
        break;
    }
}

/* ---- who comes and goes ---------------------------------------------------------------------- */

static void
steer(struct hand *hand)
{
    struct leat_worker_statistics worker = leat_worker_statistics_default();
    struct leat_engine *engine = hand->fixture->engine;
    CHECK_OK(leat_workers_set(engine, 1 + test_random_below(&hand->prng, WORKERS_MAX)));
    CHECK_OK(
        leat_worker_statistics_get(engine, test_random_below(&hand->prng, WORKERS_MAX), &worker));
    CHECK(worker.run_ns < TEST_PATIENCE_NS);
    CHECK(test_statistics(engine).workers_active <= WORKERS_MAX);
    if (test_random_below(&hand->prng, 2) == 0) {
        test_sleep_ns(test_random_below(&hand->prng, 2 * TEST_MS));
    }
}

static void
hook_started(struct leat_engine *engine, uint32_t worker, void *context)
{
    struct fixture *fixture = context;
    (void)engine;
    CHECK(worker < WORKERS_MAX);
    (void)atom_add_rlx(&fixture->hooks, 1);
}

static void
hook_stopping(struct leat_engine *engine, uint32_t worker, void *context)
{
    struct fixture *fixture = context;
    (void)engine;
    CHECK(worker < WORKERS_MAX);
    (void)atom_sub_rlx(&fixture->hooks, 1);
}

static void
act(void *shared, uint32_t number)
{
    struct hand hand = {.fixture = shared};
    hand.prng.state = hand.fixture->seed + number;
    /* However long it may: as long as there are tickets. */
    while (test_now_ns() < hand.fixture->deadline_ns &&
           atom_load_rlx(&hand.fixture->issued) < TICKETS - BRINGERS * BATCH) {
        if (number < BRINGERS) {
            bring(&hand);
        } else {
            steer(&hand);
        }
    }
    (void)atom_sub_rlx(&hand.fixture->at_work, 1);
}

/* ---- all together ---------------------------------------------------------------------------- */

static bool
all_through(void *argument)
{
    struct fixture *fixture = argument;
    return atom_load_rlx(&fixture->at_work) == 0;
}

static void
print_all(const struct fixture *fixture)
{
    const struct leat_pool *pool = &fixture->engine->pool;
    test_say("open %u, active %u, alive %u, hint %#x, idle %#" PRIx64 "\n",
             atom_load_rlx(&pool->open), atom_load_rlx(&pool->active), atom_load_rlx(&pool->alive),
             atom_load_rlx(&pool->hint), atom_load_rlx(&pool->lot.idle[0]));
    for (uint32_t i = 0; i < pool->places; i++) {
        const struct leat_worker *worker = &pool->workers[i];
        test_say("worker %u: seat %u, busy %u, stocked %#x, taken %" PRIu64 "\n", i,
                 atom_load_rlx(&worker->seat), atom_load_rlx(&worker->busy),
                 atom_load_rlx(&worker->stocked), atom_load_rlx(&worker->taken));
    }
}

static void
settle(struct fixture *fixture)
{
    if (leat_drain(fixture->engine, TEST_PATIENCE_NS) != LEAT_OK) {
        print_all(fixture);
        CHECK(false);
    }
    CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
    CHECK_EQUAL(atom_load_rlx(&fixture->hooks), 0);
    uint64_t cancelled = 0;
    for (uint32_t i = 0; i < TICKETS; i++) {
        uint32_t ticket = atom_load_rlx(&fixture->tickets[i]);
        bool ended_early = ticket == (WANTED | ASKED) && FAILS_FIRST(i);
        bool ran = (ticket | ASKED) == (WANTED | RAN | ASKED);
        bool never = ticket == (WANTED | CANCELLED);
        if (ticket != 0 && !ended_early && !ran && !never) {
            test_say("ticket %u: %#x\n", i, ticket);
            CHECK(false);
        }
        cancelled += ended_early || never ? 1 : 0;
    }
    struct leat_statistics sum = test_statistics(fixture->engine);
    CHECK_EQUAL(sum.jobs_submitted, atom_load_rlx(&fixture->jobs));
    CHECK_EQUAL(sum.jobs_completed, atom_load_rlx(&fixture->jobs) - cancelled);
    CHECK_EQUAL(sum.jobs_cancelled, cancelled);
    CHECK_EQUAL(sum.tasks_run, atom_load_rlx(&fixture->tasks));
    CHECK_EQUAL(sum.tasks_run, atom_load_rlx(&fixture->tasks_run));
}

static void
come_and_go(void **state)
{
    (void)state;
    struct fixture fixture = {.seed = test_seed("stress_workers")};
    struct test_threads *threads = calloc(1, sizeof(*threads));
    struct leat_config config = test_config();
    CHECK(threads != NULL);
    fixture.tickets = calloc(TICKETS, sizeof(fixture.tickets[0]));
    CHECK(fixture.tickets != NULL);
    config.workers = 2;
    config.workers_max = WORKERS_MAX;
    config.worker_started = hook_started;
    config.worker_stopping = hook_stopping;
    config.hook_context = &fixture;
    config.jobs_max = 1024;
    fixture.engine = test_start(&config);
    fixture.type = test_register(fixture.engine, "ticket", ticket_run, &fixture);
    fixture.deadline_ns = test_now_ns() + test_duration_ns();
    atom_init(&fixture.at_work, BRINGERS + STEERERS);
    test_threads_start(threads, BRINGERS + STEERERS, act, &fixture);
    test_sleep_ns(test_duration_ns());
    if (!test_until(all_through, &fixture)) {
        print_all(&fixture);
        abort();
    }
    test_threads_join(threads);
    settle(&fixture);
    test_close(fixture.engine);
    free(fixture.tickets);
    free(threads);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(come_and_go)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
