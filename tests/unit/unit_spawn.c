/* unit_spawn.c - spawned tasks and pieces of ranges, in one thread that acts for each worker of a
 * pool in turn, so that it can be said exactly what runs when and how deep, what is left, and what
 * comes of a cancel or a spawn from outside. */
#include "tests/support/cast.h"

/* ---- order ---------------------------------------------------------------------------------- */

static void
newest_first_and_deeper(void **state)
{
    (void)state;
    struct cast *cast = cast_setup();
    cast->self->depth = 4;
    cast_join(cast, cast->self, NULL);
    CHECK(leat_join_ended(&cast->join));
    cast_spawn(cast, 0);
    cast_spawn(cast, 1);
    cast_spawn(cast, 2);
    CHECK(!leat_join_ended(&cast->join));
    CHECK_EQUAL(cast_waiting(cast, 0), 3);
    cast_ran_none(cast);
    cast_wait(cast);
    CAST_RAN(cast, 2, 1, 0);
    for (uint32_t i = 0; i < 3; i++) {
        CHECK_EQUAL(cast->depths[i], 5);
    }
    CHECK_EQUAL(cast->self->depth, 4);
    cast_wait(cast);
    cast->self->depth = 0;
    cast_teardown(cast);
}

/* The last one that finds room spawns another one, as it runs. */
static void
act_last_spawns(struct cast *cast, uint32_t number)
{
    if (number == CAST_SLOTS) {
        cast_spawn(cast, CAST_SLOTS + 1);
    }
}

static void
a_full_deque_runs_at_once(void **state)
{
    (void)state;
    struct cast *cast = cast_setup();
    cast->act = act_last_spawns;
    for (uint32_t i = 0; i < CAST_SLOTS; i++) {
        CHECK_EQUAL(cast_waiting(cast, 0), i);
        cast_spawn(cast, i);
    }
    cast_ran_none(cast);
    cast_spawn(cast, CAST_SLOTS);
    CAST_RAN(cast, CAST_SLOTS, CAST_SLOTS + 1);
    CHECK_EQUAL(cast->depths[0], 1);
    CHECK_EQUAL(cast->depths[1], 2);
    CHECK_EQUAL(cast->self->depth, 0);
    CHECK_EQUAL(cast_waiting(cast, 0), CAST_SLOTS);
    /* Room for one again. */
    struct leat_deque_entry entry = cast_take(cast, 1, 0);
    cast_spawn(cast, CAST_SLOTS + 2);
    cast_ran_none(cast);
    cast_run_on(cast, 1, &entry);
    CAST_RAN(cast, 0);
    entry = cast_take(cast, 0, CAST_SLOTS + 2);
    cast_run_on(cast, 0, &entry);
    CAST_RAN(cast, CAST_SLOTS + 2);
    cast_wait(cast);
    cast_ran_down(cast, CAST_SLOTS - 1, 1);
    cast_teardown(cast);
}

static void
act_first_spawns_two(struct cast *cast, uint32_t number)
{
    if (number == 1) {
        cast_spawn(cast, 2);
        cast_spawn(cast, 3);
    }
}

/* Others take what it left, and all that is older. */
static void
act_first_is_robbed(struct cast *cast, uint32_t number)
{
    if (number == 1) {
        cast_spawn(cast, 2);
        cast->taken[0] = cast_take(cast, 1, 0);
        cast->taken[1] = cast_take(cast, 1, 2);
    }
}

static void
what_a_task_leaves_runs_behind_it(void **state)
{
    (void)state;
    struct cast *cast = cast_setup();
    cast->act = act_first_spawns_two;
    cast_spawn(cast, 0);
    cast_spawn(cast, 1);
    struct leat_deque_entry entry = cast_take(cast, 0, 1);
    cast_run_on(cast, 0, &entry);
    CAST_RAN(cast, 1, 3, 2);
    CHECK_EQUAL(cast->depths[1], 2);
    CHECK_EQUAL(cast_waiting(cast, 0), 1);
    cast_wait(cast);
    CAST_RAN(cast, 0);
    CHECK_EQUAL(cast->depths[3], 1);
    cast_teardown(cast);
}

static void
what_was_stolen_is_not_left(void **state)
{
    (void)state;
    struct cast *cast = cast_setup();
    cast->act = act_first_is_robbed;
    cast_spawn(cast, 0);
    cast_spawn(cast, 1);
    struct leat_deque_entry entry = cast_take(cast, 0, 1);
    cast_run_on(cast, 0, &entry);
    CAST_RAN(cast, 1);
    cast_run_on(cast, 1, &cast->taken[0]);
    cast_run_on(cast, 1, &cast->taken[1]);
    CAST_RAN(cast, 0, 2);
    cast_wait(cast);
    cast_teardown(cast);
}

static void
a_deque_is_emptied(void **state)
{
    (void)state;
    struct cast *cast = cast_setup();
    leat_spawn_empty(cast->self);
    cast->act = act_first_spawns_two;
    cast_spawn(cast, 0);
    cast_spawn(cast, 1);
    leat_spawn_empty(cast->self);
    CAST_RAN(cast, 1, 3, 2, 0);
    cast_teardown(cast);
}

/* ---- ranges --------------------------------------------------------------------------------- */

static void
work_on(struct cast *cast, size_t grain, size_t begin, size_t end)
{
    const struct leat_range_work work = {cast_piece, cast, grain};
    cast_join(cast, cast->self, &work);
    leat_join_work(cast->self, &cast->join, begin, end);
    cast_wait(cast);
}

static void
ranges_are_halved_while_nothing_is_offered(void **state)
{
    (void)state;
    struct cast *cast = cast_setup();
    work_on(cast, 2, 5, 5);
    cast_ran_none(cast);
    work_on(cast, 2, 5, 6);
    CAST_RAN(cast, CAST_PIECE(5, 6));
    work_on(cast, 2, 5, 8);
    CAST_RAN(cast, CAST_PIECE(5, 8));
    work_on(cast, 2, 5, 9);
    CAST_RAN(cast, CAST_PIECE(5, 7), CAST_PIECE(7, 9));
    work_on(cast, 2, 0, 10);
    CAST_RAN(cast, CAST_PIECE(0, 2), CAST_PIECE(2, 5), CAST_PIECE(5, 7), CAST_PIECE(7, 10));
    work_on(cast, 1, 0, 8);
    CAST_RAN(cast, CAST_PIECE(0, 1), CAST_PIECE(1, 2), CAST_PIECE(2, 3), CAST_PIECE(3, 4),
             CAST_PIECE(4, 5), CAST_PIECE(5, 6), CAST_PIECE(6, 7), CAST_PIECE(7, 8));
    cast_teardown(cast);
}

/* Each piece has its offer stolen. */
static void
act_is_robbed(struct cast *cast, uint32_t number)
{
    if (number == CAST_PIECE(0, 1)) {
        CHECK(leat_spawn_take(cast_place(cast, 1), &cast->taken[0]));
        CHECK_EQUAL(cast->taken[0].words[0], 4);
        CHECK_EQUAL(cast->taken[0].words[1], 8);
    }
}

static void
a_stolen_offer_is_followed_by_another(void **state)
{
    (void)state;
    struct cast *cast = cast_setup();
    const struct leat_range_work work = {cast_piece, cast, 1};
    cast->act = act_is_robbed;
    cast_join(cast, cast->self, &work);
    leat_join_work(cast->self, &cast->join, 0, 8);
    /* What is left of the first half is [1, 4): it offers [2, 4). */
    CAST_RAN(cast, CAST_PIECE(0, 1), CAST_PIECE(1, 2));
    CHECK_EQUAL(cast_waiting(cast, 0), 1);
    cast_run_on(cast, 1, &cast->taken[0]);
    CAST_RAN(cast, CAST_PIECE(4, 5), CAST_PIECE(5, 6), CAST_PIECE(6, 7), CAST_PIECE(7, 8));
    cast_wait(cast);
    CAST_RAN(cast, CAST_PIECE(2, 3), CAST_PIECE(3, 4));
    cast_teardown(cast);
}

/* ---- cancel --------------------------------------------------------------------------------- */

static void
act_cancels(struct cast *cast, uint32_t number)
{
    if (number == 1 || number == CAST_PIECE(2, 3)) {
        leat_join_cancel(&cast->join);
    }
}

static void
what_has_not_begun_is_passed_over(void **state)
{
    (void)state;
    struct cast *cast = cast_setup();
    cast_spawn(cast, 0);
    leat_join_cancel(&cast->join);
    cast_spawn(cast, 1);
    cast_wait(cast);
    cast_ran_none(cast);
    CHECK_EQUAL(atom_load_rlx(&cast->join.error), 0);
    cast_join(cast, cast->self, NULL);
    cast->act = act_cancels;
    cast_spawn(cast, 0);
    cast_spawn(cast, 1);
    cast_spawn(cast, 2);
    cast_wait(cast);
    CAST_RAN(cast, 2, 1);
    work_on(cast, 1, 0, 16);
    CAST_RAN(cast, CAST_PIECE(0, 1), CAST_PIECE(1, 2), CAST_PIECE(2, 3));
    cast_teardown(cast);
}

static void
the_first_error_counts(void **state)
{
    (void)state;
    struct cast *cast = cast_setup();
    cast_spawn(cast, 0);
    leat_join_fail(&cast->join, 7);
    leat_join_fail(&cast->join, 5);
    CHECK_EQUAL(atom_load_rlx(&cast->join.error), 7);
    cast_wait(cast);
    cast_ran_none(cast);
    cast_teardown(cast);
}

/* ---- from outside --------------------------------------------------------------------------- */

static void
as_many_from_outside_as_there_are_records(void **state)
{
    (void)state;
    struct cast *cast = cast_setup();
    uint32_t index = 0;
    cast_join(cast, NULL, NULL);
    for (uint32_t i = 0; i < CAST_OUTSIDE; i++) {
        CHECK(cast_spawn_outside(cast, i, &index));
    }
    CHECK(leat_slab_check(&cast->pool.spawned, CAST_OUTSIDE, stdout));
    CHECK(!cast_spawn_outside(cast, CAST_OUTSIDE, &index));
    CHECK(leat_slab_check(&cast->pool.spawned, CAST_OUTSIDE, stdout));
    cast->self = cast_place(cast, 0);
    cast_lend(cast, CAST_OUTSIDE);
    CAST_RAN(cast, 0, 1);
    CHECK_EQUAL(cast->depths[0], 0);
    cast_teardown(cast);
}

static void
a_full_ring_keeps_nothing(void **state)
{
    (void)state;
    struct cast *cast = cast_setup();
    uint32_t index = 0;
    uint32_t items = 0;
    cast_join(cast, NULL, NULL);
    while (leat_pool_push(&cast->pool, LEAT_SPAWNED_LEVEL, leat_item_of(LEAT_KIND_JOB, items))) {
        items++;
    }
    CHECK(!cast_spawn_outside(cast, 0, &index));
    CHECK(leat_join_ended(&cast->join));
    CHECK(leat_slab_check(&cast->pool.spawned, 0, stdout));
    /* Whoever marked it hears of it, too. */
    CHECK(leat_join_mark(&cast->join));
    CHECK(!cast_spawn_outside(cast, 0, &index));
    CHECK_EQUAL(cast->ended, 1);
    leat_join_unmark(&cast->join);
    cast_lend(cast, items);
    CHECK_EQUAL(cast->items, items);
    cast_ran_none(cast);
    cast_teardown(cast);
}

static void
what_has_not_begun_is_revoked(void **state)
{
    (void)state;
    struct cast *cast = cast_setup();
    static struct leat_join other;
    uint32_t index = 0;
    uint32_t again = 0;
    cast_join(cast, NULL, NULL);
    CHECK(cast_spawn_outside(cast, 0, &index));
    CHECK(leat_spawn_revoke(&cast->join, index));
    CHECK(leat_join_ended(&cast->join));
    CHECK(!leat_spawn_revoke(&cast->join, index));
    CHECK(leat_join_ended(&cast->join));
    CHECK(leat_slab_check(&cast->pool.spawned, 1, stdout));
    cast_lend(cast, 1);
    cast_ran_none(cast);
    CHECK(leat_slab_check(&cast->pool.spawned, 0, stdout));
    CHECK(cast_spawn_outside(cast, 1, &index));
    cast_lend(cast, 1);
    CAST_RAN(cast, 1);
    CHECK(!leat_spawn_revoke(&cast->join, index));
    /* The record is another group's. */
    CHECK(cast_spawn_outside(cast, 2, &again));
    CHECK_EQUAL(again, index);
    leat_join_init(&other, &cast->pool, NULL, NULL);
    CHECK(!leat_spawn_revoke(&other, again));
    cast_lend(cast, 1);
    CAST_RAN(cast, 2);
    cast_teardown(cast);
}

static void
the_last_one_rings_where_nobody_owns_it(void **state)
{
    (void)state;
    struct cast *cast = cast_setup();
    uint32_t index = 0;
    cast_join(cast, NULL, NULL);
    CHECK(cast_spawn_outside(cast, 0, &index));
    cast_lend(cast, 1);
    CHECK_EQUAL(cast->ended, 0);
    CHECK(leat_join_mark(&cast->join));
    leat_join_unmark(&cast->join);
    CHECK(cast_spawn_outside(cast, 1, &index));
    CHECK(!leat_join_mark(&cast->join));
    cast_spawn(cast, 2);
    leat_spawn_empty(cast->self);
    CHECK_EQUAL(cast->ended, 0);
    CHECK(!leat_join_ended(&cast->join));
    cast_lend(cast, 1);
    CHECK_EQUAL(cast->ended, 1);
    CHECK(leat_join_ended(&cast->join));
    leat_join_unmark(&cast->join);
    CAST_RAN(cast, 0, 2, 1);
    cast_teardown(cast);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(newest_first_and_deeper),
        cmocka_unit_test(a_full_deque_runs_at_once),
        cmocka_unit_test(what_a_task_leaves_runs_behind_it),
        cmocka_unit_test(what_was_stolen_is_not_left),
        cmocka_unit_test(a_deque_is_emptied),
        cmocka_unit_test(ranges_are_halved_while_nothing_is_offered),
        cmocka_unit_test(a_stolen_offer_is_followed_by_another),
        cmocka_unit_test(what_has_not_begun_is_passed_over),
        cmocka_unit_test(the_first_error_counts),
        cmocka_unit_test(as_many_from_outside_as_there_are_records),
        cmocka_unit_test(a_full_ring_keeps_nothing),
        cmocka_unit_test(what_has_not_begun_is_revoked),
        cmocka_unit_test(the_last_one_rings_where_nobody_owns_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
