/* unit_exact_pull.c - a pull queue in exact order, by a clock that the test moves: what is taken is
 * the first of all that were submitted before, also where most of it is still in the inbox, or is
 * being swept; what comes back, released, given back at once or later, or because its lease ended,
 * comes to its place; a gate that is shut, a buffer that is too small, a taker that wants no more
 * leave it there. Holds I1 to I4 of sched/lists.h, which pull_settle() looks at. */
#include <string.h>

#include "engine/order.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/prng.h"
#include "tests/support/pull.h"

/* By the job's number, which is the order of the submits. */
static uint32_t urgencies[2 * PULL_JOBS];
static uint32_t submitted;

static struct pull *
setup(void)
{
    struct leat_queue_options options = leat_queue_options_default();
    options.order = LEAT_ORDER_EXACT;
    submitted = 0;
    return pull_setup_with(0, &options);
}

static void
submit(struct pull *fixture, uint32_t urgency)
{
    struct leat_job job = pull_job(fixture);
    struct leat_job_options options = leat_job_options_default();
    options.order_priority = urgency;
    job.options = &options;
    job.flags = 0;
    job.payload = &submitted;
    job.payload_bytes = sizeof(submitted);
    urgencies[submitted] = urgency;
    CHECK_OK(leat_submit(fixture->engine, &job, &fixture->ids[submitted % PULL_JOBS]));
    submitted++;
}

/* Some alike. */
static void
submit_mixed(struct pull *fixture, uint32_t count)
{
    struct test_prng prng = {count};
    for (uint32_t i = 0; i < count; i++) {
        submit(fixture, test_random_below(&prng, 100));
    }
}

static uint32_t
number_of(const struct leat_lease *lease)
{
    uint32_t number = 0;
    memcpy(&number, lease->payload, sizeof(number));
    return number;
}

/* Takes one. Its number. */
static uint32_t
take(struct pull *fixture)
{
    CHECK_OK(pull_reserve(fixture, 1));
    CHECK_EQUAL(fixture->count, 1);
    return number_of(&fixture->leases[0]);
}

static bool
in_order(uint32_t one, uint32_t other)
{
    return urgencies[one] < urgencies[other] || (urgencies[one] == urgencies[other] && one < other);
}

/* Takes all that there are, as many at once as is said, and acknowledges them. How many. */
static uint32_t
take_all(struct pull *fixture, uint32_t at_once)
{
    uint32_t count = 0;
    uint32_t last = 0;
    while (pull_reserve(fixture, at_once) == LEAT_OK) {
        for (size_t i = 0; i < fixture->count; i++) {
            uint32_t number = number_of(&fixture->leases[i]);
            CHECK(count == 0 || in_order(last, number));
            CHECK_OK(leat_ack(fixture->engine, fixture->leases[i].token, NULL, 0));
            last = number;
            count++;
        }
    }
    pull_nothing(fixture);
    pull_settle(fixture);
    return count;
}

/* ---- order ---------------------------------------------------------------------------------- */

static void
jobs_are_taken_in_order(void **state)
{
    (void)state;
    static const uint32_t at_once[] = {1, 7, LEAT_ADMIT_MOVES, LEAT_ADMIT_MOVES + 1, PULL_JOBS};
    for (uint32_t i = 0; i < 2 * TEST_COUNT_OF(at_once); i++) {
        struct pull *fixture = setup();
        submit_mixed(fixture, PULL_JOBS);
        if (i % 2 == 0) {
            pull_settle(fixture); /* they are dealt to the heap by then */
        }
        CHECK_EQUAL(take_all(fixture, at_once[i / 2]), PULL_JOBS);
        pull_teardown(fixture);
    }
}

/* The most urgent one comes first, last, or among many, of which none was dealt before. */
static void
the_first_is_found_in_the_inbox(void **state)
{
    (void)state;
    for (uint32_t at = 0; at < 200; at += 13) {
        struct pull *fixture = setup();
        for (uint32_t i = 0; i < 200; i++) {
            submit(fixture, i == at ? 0 : 1);
        }
        CHECK_EQUAL(take(fixture), at);
        CHECK_EQUAL(take(fixture), at == 0 ? 1 : 0);
        submit(fixture, 0);
        CHECK_EQUAL(take(fixture), 200);
        CHECK_EQUAL(take_all(fixture, 64), 198);
        pull_teardown(fixture);
    }
}

/* The jobs come in their order, so the heap is broad, and a sweep comes by the second one late. */
static void
one_that_is_swept_gives_none(void **state)
{
    (void)state;
    struct pull *fixture = setup();
    for (uint32_t i = 0; i < PULL_JOBS; i++) {
        submit(fixture, i);
    }
    pull_settle(fixture);
    for (uint32_t i = 0; i < PULL_JOBS; i++) {
        if (i % 3 != 0) {
            CHECK_OK(leat_cancel(fixture->engine, fixture->ids[i]));
        }
    }
    for (uint32_t i = 0; i < 10; i++) {
        CHECK_EQUAL(take(fixture), 3 * i);
    }
    CHECK_EQUAL(take_all(fixture, 7), PULL_JOBS / 3 - 10);
    pull_teardown(fixture);
}

/* ---- what comes back ------------------------------------------------------------------------- */

/* Jobs 0 to 9, of which 0 is the last; 5 is taken, and the more urgent ones are gone. */
static leat_token
take_the_fifth(struct pull *fixture)
{
    for (uint32_t i = 0; i < 10; i++) {
        submit(fixture, 9 - i);
    }
    for (uint32_t i = 9; i > 5; i--) {
        CHECK_EQUAL(take(fixture), i);
        CHECK_OK(leat_ack(fixture->engine, fixture->leases[0].token, NULL, 0));
    }
    CHECK_EQUAL(take(fixture), 5);
    return fixture->leases[0].token;
}

static void
one_that_is_released_comes_to_its_place(void **state)
{
    (void)state;
    struct pull *fixture = setup();
    leat_token token = take_the_fifth(fixture);
    submit(fixture, 3);
    CHECK_OK(leat_lease_release(fixture->engine, token));
    CHECK_EQUAL(take(fixture), 10);
    CHECK_EQUAL(take(fixture), 5);
    CHECK_EQUAL(take_all(fixture, 1), 5);
    pull_teardown(fixture);
}

static void
one_that_is_given_back_comes_to_its_place(void **state)
{
    (void)state;
    for (uint32_t later = 0; later < 2; later++) {
        struct pull *fixture = setup();
        leat_token token = take_the_fifth(fixture);
        submit(fixture, 5);
        CHECK_OK(leat_nack(fixture->engine, token, later * S, NULL));
        if (later != 0) {
            CHECK_EQUAL(take(fixture), 4);
            CHECK_OK(leat_ack(fixture->engine, fixture->leases[0].token, NULL, 0));
            pull_pass(fixture, S + 2 * TICK);
            submit(fixture, 4);
        }
        CHECK_EQUAL(take(fixture), 5);
        CHECK_EQUAL(take_all(fixture, 1), 6);
        pull_teardown(fixture);
    }
}

static void
one_whose_lease_ends_comes_to_its_place(void **state)
{
    (void)state;
    struct pull *fixture = setup();
    (void)take_the_fifth(fixture);
    submit(fixture, 4);
    submit(fixture, 3);
    pull_pass(fixture, 2 * S);
    CHECK_EQUAL(take(fixture), 11);
    CHECK_EQUAL(take(fixture), 5);
    CHECK_EQUAL(take(fixture), 10);
    CHECK_EQUAL(take_all(fixture, 1), 5);
    pull_teardown(fixture);
}

/* ---- what stays ------------------------------------------------------------------------------ */

static void
a_gate_leaves_them_in_order(void **state)
{
    (void)state;
    struct pull *fixture = setup();
    CHECK_OK(leat_queue_set_running_max(fixture->engine, fixture->queue, 2));
    submit(fixture, 2);
    submit(fixture, 1);
    submit(fixture, 3);
    CHECK_OK(pull_reserve(fixture, 3));
    CHECK_EQUAL(fixture->count, 2);
    const leat_token token = fixture->leases[1].token;
    CHECK_EQUAL(number_of(&fixture->leases[0]), 1);
    CHECK_EQUAL(number_of(&fixture->leases[1]), 0);
    pull_nothing(fixture);
    submit(fixture, 0);
    pull_nothing(fixture);
    CHECK_OK(leat_queue_pause(fixture->engine, fixture->queue));
    CHECK_OK(leat_ack(fixture->engine, token, NULL, 0));
    pull_nothing(fixture);
    CHECK_OK(leat_queue_resume(fixture->engine, fixture->queue));
    CHECK_EQUAL(take(fixture), 3);
    pull_nothing(fixture);
    CHECK_OK(leat_queue_set_running_max(fixture->engine, fixture->queue, 0));
    CHECK_EQUAL(take(fixture), 2);
    pull_settle(fixture);
    pull_teardown(fixture);
}

static void
a_buffer_that_is_too_small_leaves_the_first(void **state)
{
    (void)state;
    struct pull *fixture = setup();
    submit(fixture, 1);
    submit(fixture, 0);
    struct leat_reserve_options asks = pull_asks(fixture, 1);
    asks.buffer_bytes = sizeof(uint32_t) - 1;
    CHECK_STATUS(leat_reserve(fixture->engine, &asks, fixture->leases, &fixture->count), LEAT_FULL);
    pull_settle(fixture);
    CHECK_EQUAL(take(fixture), 1);
    CHECK_EQUAL(take(fixture), 0);
    pull_teardown(fixture);
}

/* Neither cap nor weight makes workers of takers. */
static void
nobody_is_ahead(void **state)
{
    (void)state;
    struct pull *fixture = setup();
    CHECK_OK(leat_queue_set_weight(fixture->engine, fixture->queue, 3));
    submit_mixed(fixture, 100);
    pull_settle(fixture);
    const struct leat_queue_words *words = &fixture->engine->pool.queues[fixture->queue.bits - 1];
    CHECK_OK(pull_reserve(fixture, 50));
    CHECK_EQUAL(leat_gate_used(atom_load_rlx(&words->ahead.word)), 0);
    for (uint32_t i = 0; i < LEAT_PRIORITY_LEVELS; i++) {
        CHECK_EQUAL(atom_load_rlx(&fixture->engine->windows.used[i]), 0);
    }
    CHECK_EQUAL(take_all(fixture, 50), 50);
    pull_teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_are_taken_in_order),
        cmocka_unit_test(the_first_is_found_in_the_inbox),
        cmocka_unit_test(one_that_is_swept_gives_none),
        cmocka_unit_test(one_that_is_released_comes_to_its_place),
        cmocka_unit_test(one_that_is_given_back_comes_to_its_place),
        cmocka_unit_test(one_whose_lease_ends_comes_to_its_place),
        cmocka_unit_test(a_gate_leaves_them_in_order),
        cmocka_unit_test(a_buffer_that_is_too_small_leaves_the_first),
        cmocka_unit_test(nobody_is_ahead),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
