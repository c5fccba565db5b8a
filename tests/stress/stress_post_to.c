/* stress_post_to.c - real threads post to given workers, and to any, while workers come and go at
 * random: each task that was taken in runs exactly once; what one thread posted to one worker with
 * one priority runs in its order while that worker is not asked to leave; what was posted to a
 * worker that always counts runs there. In the second half nobody leaves, and every task runs on
 * its worker. What a poster wrote is plain data to the task. Holds the edges of ring/inbox.h. */
#include <inttypes.h>
#include <stdlib.h>

#include "engine/engine_internal.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

#define WORKERS_MAX 4
#define POSTERS     3
#define LEVELS      3
#define TICKETS     (1U << 18) /* of each poster */

struct fixture;

struct ticket {
    struct fixture *fixture;
    uint32_t poster;
    uint32_t worker;
    uint32_t level;
    uint32_t number; /* of the poster, for this worker and level */
    uint32_t runs;
};

struct fixture {
    struct leat_engine *engine;
    struct ticket *tickets;
    leat_atomic_u64 accepted;
    leat_atomic_u64 ran;
    leat_atomic_u64 away; /* refused, for the worker did not count */
    /* The last that ran; plain, since one worker runs them all. */
    uint32_t last[POSTERS][WORKERS_MAX][LEVELS];
    uint32_t posted[POSTERS][WORKERS_MAX][LEVELS];
    uint64_t deadline_ns;
    uint64_t seed;
    bool steered; /* workers come and go; worker 0 stays */
};

static void
ticket_run(void *argument)
{
    struct ticket *ticket = argument;
    struct fixture *fixture = ticket->fixture;
    CHECK_EQUAL(ticket->runs, 0);
    ticket->runs = 1;
    if (!fixture->steered || ticket->worker == 0) {
        uint32_t *last = &fixture->last[ticket->poster][ticket->worker][ticket->level];
        CHECK_EQUAL(leat_worker_current()->index, ticket->worker);
        CHECK_EQUAL(ticket->number, *last + 1);
        *last = ticket->number;
    }
    (void)atom_add_rlx(&fixture->ran, 1);
}

static void
other_run(void *argument)
{
    struct fixture *fixture = argument;
    (void)atom_add_rlx(&fixture->ran, 1);
}

/* True: the ticket was taken. */
static bool
post_one(struct fixture *fixture, uint32_t poster, struct ticket *ticket, struct test_prng *prng)
{
    uint32_t worker = test_random_below(prng, WORKERS_MAX);
    uint32_t level = test_random_below(prng, LEVELS);
    uint32_t *posted = &fixture->posted[poster][worker][level];
    const struct leat_task task = {ticket_run, ticket};
    *ticket = (struct ticket){fixture, poster, worker, level, *posted + 1, 0};
    enum leat_status status = leat_post_to(fixture->engine, worker, level, &task);
    bool away = status == LEAT_WRONG_STATE;
    CHECK(status == LEAT_OK || status == LEAT_FULL || (away && fixture->steered && worker != 0));
    *posted += status == LEAT_OK ? 1 : 0;
    bool taken = status == LEAT_OK;
    (void)atom_add_rlx(&fixture->accepted, taken ? 1 : 0);
    (void)atom_add_rlx(&fixture->away, away ? 1 : 0);
    if (test_random_below(prng, 8) == 0) {
        status = leat_post(fixture->engine, level, other_run, fixture);
        CHECK(status == LEAT_OK || status == LEAT_FULL);
        (void)atom_add_rlx(&fixture->accepted, status == LEAT_OK ? 1 : 0);
    }
    if (test_random_below(prng, 64) == 0) {
        test_sleep_ns(TEST_MS / 10); /* so that workers sleep, too */
    }
    return taken;
}

static void
steer(struct fixture *fixture, struct test_prng *prng)
{
    while (fixture->steered && test_now_ns() < fixture->deadline_ns) {
        CHECK_OK(leat_workers_set(fixture->engine, 1 + test_random_below(prng, WORKERS_MAX)));
        test_sleep_ns(test_random_below(prng, TEST_MS));
    }
}

static void
body(void *shared, uint32_t number)
{
    struct fixture *fixture = shared;
    struct test_prng prng = {fixture->seed + number};
    uint32_t used = 0;
    if (number == POSTERS) {
        steer(fixture, &prng);
        return;
    }
    while (used < TICKETS && test_now_ns() < fixture->deadline_ns) {
        struct ticket *ticket = &fixture->tickets[TICKETS * number + used];
        used += post_one(fixture, number, ticket, &prng) ? 1 : 0;
    }
}

static void
run(bool steered)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct leat_config config = test_config();
    CHECK(fixture != NULL);
    fixture->tickets = calloc((size_t)TICKETS * POSTERS, sizeof(*fixture->tickets));
    CHECK(fixture->tickets != NULL);
    fixture->seed = test_seed("stress_post_to");
    fixture->steered = steered;
    config.workers = WORKERS_MAX;
    config.workers_max = WORKERS_MAX;
    config.ring_slots = 64;
    config.tasks_max = 64;
    fixture->engine = test_start(&config);
    fixture->deadline_ns = test_now_ns() + test_duration_ns() / 2;
    test_threads_run(POSTERS + 1, body, fixture);
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    CHECK_EQUAL(atom_load_rlx(&fixture->ran), atom_load_rlx(&fixture->accepted));
    test_say("%" PRIu64 " tasks ran, %" PRIu64 " posts refused\n", atom_load_rlx(&fixture->ran),
             atom_load_rlx(&fixture->away));
    test_close(fixture->engine);
    free(fixture->tickets);
    free(fixture);
}

static void
workers_come_and_go(void **state)
{
    (void)state;
    run(true);
}

static void
workers_stay(void **state)
{
    (void)state;
    run(false);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(workers_come_and_go),
        cmocka_unit_test(workers_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
