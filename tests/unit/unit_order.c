/* unit_order.c - who goes first between queues, exactly, with a lent thread: queues take turns of
 * their weights, also where a turn is longer than a hold or the window of the ring; a weight holds
 * from the next turn on; what was cancelled does not count; a weight below, at, above its limits;
 * weights give the shares, within a turn; jobs that go on to wait for their type, or for a place of
 * a worker, do so in turns, too; of the jobs of queues with a weight no more than the window are in
 * the ring, whatever becomes of them there, and its places all come back. */
#include <stdlib.h>
#include <string.h>

#include "engine/gates.h"
#include "engine/order.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"

#define JOBS   8192
#define LONG   30000
#define QUEUES 4
#define LEVEL  4 /* of priority NORMAL */

struct fixture {
    struct leat_engine *engine;
    leat_type type;
    leat_queue queues[QUEUES];
    uint32_t runs[JOBS]; /* what ran, in order */
    uint32_t count;
    leat_job_id ids[JOBS];
    uint8_t ran[LONG]; /* queues, where there is always another job of each */
    uint32_t long_count;
};

static uint32_t
in_window(const struct fixture *fixture, uint32_t level)
{
    return atom_load_rlx(&fixture->engine->windows.used[level]);
}

static struct leat_outcome
note(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    CHECK(fixture->count < JOBS);
    fixture->runs[fixture->count++] = *(const uint32_t *)leat_run_payload(run, NULL);
    bool weighted = leat_weight_of(fixture->engine, leat_job_queue(run->record)) != 0;
    for (uint32_t i = 0; i < LEAT_PRIORITY_LEVELS; i++) {
        /* Its own is given back. */
        CHECK(in_window(fixture, i) + (weighted ? 1 : 0) <= LEAT_WINDOW_PLACES);
    }
    return leat_done();
}

/* Its queue gets another job. */
static struct leat_outcome
go_on(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    struct leat_job job = leat_job_default();
    uint32_t queue = *(const uint32_t *)leat_run_payload(run, NULL);
    if (fixture->long_count < LONG) {
        fixture->ran[fixture->long_count++] = (uint8_t)queue;
        job.type = leat_run_type(run);
        job.queue = fixture->queues[queue];
        job.payload = &queue;
        job.payload_bytes = sizeof(queue);
        CHECK_OK(leat_submit(fixture->engine, &job, NULL));
    }
    return leat_done();
}

/* Queue i has weights[i]; 0: none. */
static struct fixture *
setup_with(const uint32_t *weights, uint32_t lenders)
{
    static const char *const names[QUEUES] = {"a", "b", "c", "d"};
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    CHECK(fixture != NULL);
    struct leat_config config = test_config();
    config.jobs_max = JOBS;
    config.workers = 0;
    config.lenders_max = lenders;
    config.retained_max = 0;
    config.queues_max = QUEUES + 1;
    fixture->engine = test_start(&config);
    fixture->type = test_register(fixture->engine, "note", note, fixture);
    for (uint32_t i = 0; i < QUEUES; i++) {
        struct leat_queue_options options = leat_queue_options_default();
        options.weight = weights[i];
        CHECK_OK(leat_queue_create(fixture->engine, names[i], &options, &fixture->queues[i]));
    }
    return fixture;
}

static struct fixture *
setup(const uint32_t *weights)
{
    return setup_with(weights, 1);
}

static void
teardown(struct fixture *fixture)
{
    for (uint32_t i = 0; i < LEAT_PRIORITY_LEVELS; i++) {
        CHECK_EQUAL(in_window(fixture, i), 0);
    }
    test_close(fixture->engine);
    free(fixture);
}

static void
submit(struct fixture *fixture, uint32_t number, uint32_t queue)
{
    struct leat_job job = leat_job_default();
    job.type = fixture->type;
    job.queue = fixture->queues[queue];
    job.payload = &number;
    job.payload_bytes = sizeof(number);
    CHECK_OK(leat_submit(fixture->engine, &job, &fixture->ids[number]));
}

/* Jobs first .. end - 1, of the first `queues` queues in turn. */
static void
submit_round(struct fixture *fixture, uint32_t first, uint32_t end, uint32_t queues)
{
    for (uint32_t i = first; i < end; i++) {
        submit(fixture, i, i % queues);
    }
}

static uint32_t
run_some(struct fixture *fixture, uint32_t most)
{
    uint32_t before = fixture->count;
    size_t ran = 0;
    for (uint32_t i = 0; i < 4 * JOBS && fixture->count - before < most &&
                         leat_run_some(fixture->engine, 1, &ran) == LEAT_OK;
         i++) {
    }
    return fixture->count - before;
}

static uint32_t
run_all(struct fixture *fixture)
{
    uint32_t ran = run_some(fixture, JOBS);
    test_engine_check(fixture->engine);
    return ran;
}

/* How many of the next runs from `at` on are of one queue, of the first `queues`. */
static uint32_t
stretch(const struct fixture *fixture, uint32_t at, uint32_t queues)
{
    uint32_t end = at;
    while (end < fixture->count && fixture->runs[end] % queues == fixture->runs[at] % queues) {
        end++;
    }
    return end - at;
}

/* Where the first turn begins that is whole, behind `at`. */
static uint32_t
turn_behind(const struct fixture *fixture, uint32_t at, uint32_t queues)
{
    return at + stretch(fixture, at, queues);
}

/* ---- turns ---------------------------------------------------------------------------------- */

/* A turn of 24 is longer than the window; one of 200 longer than a hold. */
static void
queues_take_turns_of_their_weights(void **state)
{
    (void)state;
    static const uint32_t weights[QUEUES] = {1, 3, 25};
    struct fixture *fixture = setup(weights);
    submit_round(fixture, 0, 6000, 3);
    CHECK_EQUAL(run_some(fixture, 2000), 2000);
    /* Until it is all dealt, a list may be empty before its turn is over. */
    uint32_t at = turn_behind(fixture, 800, 3);
    for (uint32_t turns = 0; turns < 12; turns++) {
        uint32_t queue = fixture->runs[at] % 3;
        CHECK_EQUAL(stretch(fixture, at, 3), weights[queue] * LEAT_ADMIT_TURN);
        CHECK_EQUAL(fixture->runs[at + stretch(fixture, at, 3)] % 3, (queue + 1) % 3);
        at += stretch(fixture, at, 3);
    }
    CHECK_EQUAL(run_all(fixture), 4000);
    teardown(fixture);
}

static void
a_queue_is_in_order(void **state)
{
    (void)state;
    static const uint32_t weights[QUEUES] = {2, 1000, 7, 1};
    uint32_t next[QUEUES] = {0, 1, 2, 3};
    struct fixture *fixture = setup(weights);
    submit_round(fixture, 0, JOBS, QUEUES);
    CHECK_EQUAL(run_all(fixture), JOBS);
    for (uint32_t i = 0; i < JOBS; i++) {
        uint32_t queue = fixture->runs[i] % QUEUES;
        CHECK_EQUAL(fixture->runs[i], next[queue]);
        next[queue] += QUEUES;
    }
    teardown(fixture);
}

static void
a_weight_may_change(void **state)
{
    (void)state;
    static const uint32_t weights[QUEUES] = {1, 1};
    struct fixture *fixture = setup(weights);
    submit_round(fixture, 0, 3000, 2);
    CHECK_EQUAL(run_some(fixture, 600), 600);
    uint32_t at = turn_behind(fixture, 400, 2);
    CHECK_EQUAL(stretch(fixture, at, 2), LEAT_ADMIT_TURN);
    CHECK_OK(leat_queue_set_weight(fixture->engine, fixture->queues[1], 4));
    CHECK_EQUAL(run_some(fixture, 400), 400);
    at = turn_behind(fixture, 700, 2);
    for (uint32_t turns = 0; turns < 6; turns++) {
        uint32_t most = fixture->runs[at] % 2 == 1 ? 4 * LEAT_ADMIT_TURN : LEAT_ADMIT_TURN;
        CHECK_EQUAL(stretch(fixture, at, 2), most);
        at += most;
    }
    CHECK_EQUAL(run_all(fixture), 2000);
    teardown(fixture);
}

/* Half of the first one's jobs are cancelled, and it runs as many in a turn as before. */
static void
what_was_cancelled_does_not_count(void **state)
{
    (void)state;
    static const uint32_t weights[QUEUES] = {2, 1};
    struct fixture *fixture = setup(weights);
    submit_round(fixture, 0, 4000, 2);
    CHECK_EQUAL(run_some(fixture, 500), 500);
    uint32_t cancelled = 0;
    for (uint32_t i = 0; i < 4000; i += 4) {
        cancelled += leat_cancel(fixture->engine, fixture->ids[i]) == LEAT_OK ? 1 : 0;
    }
    CHECK_EQUAL(run_some(fixture, 500), 500);
    uint32_t at = turn_behind(fixture, 600, 2);
    for (uint32_t turns = 0; turns < 6; turns++) {
        CHECK_EQUAL(stretch(fixture, at, 2), (fixture->runs[at] % 2 == 0 ? 2 : 1) * 8U);
        at += stretch(fixture, at, 2);
    }
    CHECK_EQUAL(run_all(fixture), 3000 - cancelled);
    teardown(fixture);
}

/* A queue that runs out of jobs in its turn does not go on with the rest of it later. */
static void
the_rest_of_a_turn_is_forgotten(void **state)
{
    (void)state;
    static const uint32_t weights[QUEUES] = {4, 1};
    struct fixture *fixture = setup(weights);
    for (uint32_t i = 0; i < 1000; i++) {
        submit(fixture, 2 * i + 1, 1);
    }
    for (uint32_t i = 0; i < 5; i++) {
        submit(fixture, 2 * i, 0);
    }
    CHECK_EQUAL(run_some(fixture, 300), 300);
    for (uint32_t i = 5; i < 200; i++) {
        submit(fixture, 2 * i, 0);
    }
    CHECK_EQUAL(run_some(fixture, 200), 200);
    uint32_t at = 300;
    while (fixture->runs[at] % 2 == 1) {
        at++;
    }
    CHECK_EQUAL(stretch(fixture, at, 2), 4 * LEAT_ADMIT_TURN);
    CHECK_EQUAL(run_all(fixture), 700);
    teardown(fixture);
}

/* The ring has room for two more, then for none: those that find that out go back to the list. */
static void
a_full_ring_gives_the_places_back(void **state)
{
    (void)state;
    static const uint32_t weights[QUEUES] = {1, 0};
    struct fixture *fixture = setup(weights);
    uint32_t slots = (uint32_t)leat_mpmc_slots(&fixture->engine->pool.rings[LEVEL]);
    for (uint32_t i = 0; i < slots - 2; i++) {
        submit(fixture, i, 1);
    }
    for (uint32_t i = slots - 2; i < slots + 100; i++) {
        submit(fixture, i, 0);
    }
    for (uint32_t i = 0; i < 10; i++) {
        CHECK(leat_lists_admit(&fixture->engine->pool, LEVEL));
        CHECK(in_window(fixture, LEVEL) <= 2);
    }
    CHECK_EQUAL(in_window(fixture, LEVEL), 2);
    CHECK_EQUAL(run_all(fixture), slots + 100);
    for (uint32_t i = 0; i < fixture->count; i++) {
        CHECK_EQUAL(fixture->runs[i], i);
    }
    teardown(fixture);
}

static void
weights_have_limits(void **state)
{
    (void)state;
    static const uint32_t weights[QUEUES] = {0};
    struct fixture *fixture = setup(weights);
    struct leat_engine *engine = fixture->engine;
    leat_queue queue = fixture->queues[0];
    leat_queue other = {77};
    struct leat_queue_options options = leat_queue_options_default();
    CHECK_STATUS(leat_queue_set_weight(engine, queue, 0), LEAT_INVALID);
    CHECK_STATUS(leat_queue_set_weight(engine, queue, LEAT_WEIGHT_MAX + 1), LEAT_INVALID);
    CHECK_EQUAL(leat_weight_of(engine, queue.bits - 1), 0);
    CHECK(!leat_gates_any(engine));
    options.weight = LEAT_WEIGHT_MAX + 1;
    CHECK_STATUS(leat_queue_create(engine, "e", &options, &other), LEAT_INVALID);
    CHECK_STATUS(leat_queue_find(engine, "e", &other), LEAT_NOT_FOUND);
    CHECK_EQUAL(other.bits, 77);
    CHECK_OK(leat_queue_set_weight(engine, queue, 1));
    CHECK_EQUAL(leat_weight_of(engine, queue.bits - 1), 1);
    CHECK_OK(leat_queue_set_weight(engine, queue, LEAT_WEIGHT_MAX));
    CHECK_OK(leat_queue_set_weight(engine, queue, LEAT_WEIGHT_MAX - 1));
    CHECK_EQUAL(leat_weight_of(engine, queue.bits - 1), LEAT_WEIGHT_MAX - 1);
    teardown(fixture);
}

/* ---- shares --------------------------------------------------------------------------------- */

/* For good, from now on, of the queues with a weight. */
static void
fill(struct fixture *fixture, const uint32_t *weights)
{
    fixture->type = test_register(fixture->engine, "go_on", go_on, fixture);
    for (uint32_t i = 0; i < QUEUES; i++) {
        for (uint32_t j = 0; j < 500 && weights[i] != 0; j++) {
            uint32_t number = i;
            struct leat_job job = leat_job_default();
            job.type = fixture->type;
            job.queue = fixture->queues[i];
            job.payload = &number;
            job.payload_bytes = sizeof(number);
            CHECK_OK(leat_submit(fixture->engine, &job, NULL));
        }
    }
}

static void
go_far(struct fixture *fixture, uint32_t more)
{
    uint32_t end = fixture->long_count + more;
    size_t ran = 0;
    CHECK(end < LONG);
    while (fixture->long_count < end) {
        CHECK_OK(leat_run_some(fixture->engine, end - fixture->long_count, &ran));
    }
    test_engine_check(fixture->engine);
}

/* Of any `length` jobs in a row from `first` on, each queue has its share, but for a turn of its
 * own where the others' are missing: 8 * weight * (1 - weight / all). Times all weights, to stay
 * with whole numbers. */
static void
check_shares(const struct fixture *fixture, const uint32_t *weights, uint32_t first,
             uint32_t length)
{
    uint32_t all = 0;
    for (uint32_t i = 0; i < QUEUES; i++) {
        all += weights[i];
    }
    for (uint32_t i = 0; i < QUEUES; i++) {
        int64_t off_max = (int64_t)LEAT_ADMIT_TURN * weights[i] * (all - weights[i]);
        int64_t count = 0;
        for (uint32_t at = first; at < fixture->long_count; at++) {
            count += fixture->ran[at] == i ? 1 : 0;
            if (at >= first + length) {
                count -= fixture->ran[at - length] == i ? 1 : 0;
            }
            int64_t off = count * all - (int64_t)length * weights[i];
            CHECK(at + 1 < first + length || (off <= off_max && off >= -off_max));
        }
    }
}

static void
weights_give_the_shares(void **state)
{
    (void)state;
    static const uint32_t weights[QUEUES] = {1, 3, 8};
    static const uint32_t even[QUEUES] = {1, 1, 1};
    struct fixture *fixture = setup(weights);
    fill(fixture, weights);
    go_far(fixture, 4000);
    check_shares(fixture, weights, 600, 1000);
    check_shares(fixture, weights, 600, 96); /* one round: exactly */
    for (uint32_t i = 0; i < 3; i++) {
        CHECK_OK(leat_queue_set_weight(fixture->engine, fixture->queues[i], 1));
    }
    go_far(fixture, 4000); /* behind the turn that runs and what was in the window */
    check_shares(fixture, even, 4000 + 64 + LEAT_WINDOW_PLACES, 1000);
    for (uint32_t i = 0; i < 3; i++) {
        CHECK_OK(leat_queue_set_weight(fixture->engine, fixture->queues[i], weights[i]));
    }
    go_far(fixture, 4000);
    check_shares(fixture, weights, 8000 + 8 + LEAT_WINDOW_PLACES, 1000);
    fixture->long_count = LONG;
    (void)run_all(fixture);
    teardown(fixture);
}

/* The least weight beside the highest one; a turn is longer than the list. */
static void
weights_may_be_far_apart(void **state)
{
    (void)state;
    static const uint32_t weights[QUEUES] = {1, LEAT_WEIGHT_MAX};
    struct fixture *fixture = setup(weights);
    fill(fixture, weights);
    go_far(fixture, 28000);
    check_shares(fixture, weights, 600, LEAT_ADMIT_TURN * (1 + LEAT_WEIGHT_MAX));
    fixture->long_count = LONG;
    (void)run_all(fixture);
    teardown(fixture);
}

/* Jobs of three queues that were all listed, and go on to wait elsewhere: in turns as before. */
static void
check_turns_on_the_way(struct fixture *fixture, const uint32_t *weights)
{
    for (uint32_t i = 0; i < 3; i++) {
        CHECK_OK(leat_queue_pause(fixture->engine, fixture->queues[i]));
    }
    submit_round(fixture, 0, 3000, 3);
    CHECK_EQUAL(run_all(fixture), 0);
    for (uint32_t i = 3; i > 0; i--) { /* who is called last is first */
        CHECK_OK(leat_queue_resume(fixture->engine, fixture->queues[i - 1]));
    }
    CHECK_EQUAL(run_all(fixture), 3000);
    uint32_t at = 0;
    for (uint32_t turns = 0; turns < 30; turns++) {
        CHECK_EQUAL(fixture->runs[at] % 3, turns % 3);
        CHECK_EQUAL(stretch(fixture, at, 3), weights[turns % 3] * LEAT_ADMIT_TURN);
        at += stretch(fixture, at, 3);
    }
}

static void
turns_lead_to_the_list_of_a_type(void **state)
{
    (void)state;
    static const uint32_t weights[QUEUES] = {1, 3, 8};
    struct fixture *fixture = setup(weights);
    CHECK_OK(leat_type_set_running_max(fixture->engine, fixture->type, 1));
    check_turns_on_the_way(fixture, weights);
    teardown(fixture);
}

/* The fourth queue keeps all places but one. */
static void
turns_lead_to_the_list_of_places(void **state)
{
    (void)state;
    static const uint32_t weights[QUEUES] = {1, 3, 8};
    struct fixture *fixture = setup_with(weights, 2);
    CHECK_OK(leat_queue_set_running_min(fixture->engine, fixture->queues[3], 1));
    check_turns_on_the_way(fixture, weights);
    teardown(fixture);
}

/* ---- the window ----------------------------------------------------------------------------- */

/* One runs, four are in the ring; two of these are cancelled there, one goes to another priority,
 * one is turned back by a pause. */
static void
whatever_leaves_the_ring_gives_its_place(void **state)
{
    (void)state;
    static const uint32_t weights[QUEUES] = {1};
    struct fixture *fixture = setup(weights);
    submit_round(fixture, 0, 100, 1);
    CHECK_EQUAL(run_some(fixture, 1), 1);
    CHECK_EQUAL(in_window(fixture, LEVEL), LEAT_WINDOW_PLACES - 1);
    CHECK_OK(leat_cancel(fixture->engine, fixture->ids[1]));
    CHECK_OK(leat_priority_set(fixture->engine, fixture->ids[2], 0));
    CHECK_OK(leat_queue_pause(fixture->engine, fixture->queues[0]));
    CHECK_EQUAL(run_all(fixture), 0);
    CHECK_EQUAL(in_window(fixture, LEVEL), 0);
    CHECK_EQUAL(in_window(fixture, 0), 0);
    CHECK_OK(leat_queue_resume(fixture->engine, fixture->queues[0]));
    CHECK_EQUAL(run_all(fixture), 98);
    CHECK_EQUAL(fixture->runs[1], 2);
    CHECK_EQUAL(fixture->runs[2], 3);
    teardown(fixture);
}

/* A queue without a weight uses no place, and goes on beside one that has used all. */
static void
others_need_no_place(void **state)
{
    (void)state;
    static const uint32_t weights[QUEUES] = {1, 0};
    struct fixture *fixture = setup(weights);
    for (uint32_t i = 0; i < 100; i++) {
        submit(fixture, i, 0);
    }
    CHECK_EQUAL(run_some(fixture, 1), 1);
    for (uint32_t i = 100; i < 110; i++) {
        submit(fixture, i, 1);
    }
    CHECK_EQUAL(run_some(fixture, 13), 13);
    CHECK_EQUAL(fixture->runs[LEAT_WINDOW_PLACES], 100); /* behind those in the ring */
    CHECK_EQUAL(run_all(fixture), 96);
    teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queues_take_turns_of_their_weights),
        cmocka_unit_test(a_queue_is_in_order),
        cmocka_unit_test(a_weight_may_change),
        cmocka_unit_test(what_was_cancelled_does_not_count),
        cmocka_unit_test(the_rest_of_a_turn_is_forgotten),
        cmocka_unit_test(weights_give_the_shares),
        cmocka_unit_test(weights_may_be_far_apart),
        cmocka_unit_test(turns_lead_to_the_list_of_a_type),
        cmocka_unit_test(turns_lead_to_the_list_of_places),
        cmocka_unit_test(a_full_ring_gives_the_places_back),
        cmocka_unit_test(weights_have_limits),
        cmocka_unit_test(whatever_leaves_the_ring_gives_its_place),
        cmocka_unit_test(others_need_no_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
