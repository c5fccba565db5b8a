/* unit_spawn.c - spawned tasks and pieces of ranges, in one thread that acts for each worker of a
 * pool in turn, so that it can be said exactly what runs when and how deep, what is left, and what
 * comes of a cancel or a spawn from outside. */
#include "tests/support/crew.h"

/* ---- order ---------------------------------------------------------------------------------- */

static void
newest_first_and_deeper(void **state)
{
    (void)state;
    struct crew *crew = crew_setup();
    crew->self->depth = 4;
    crew_join(crew, crew->self, NULL);
    CHECK(leat_join_ended(&crew->join));
    crew_spawn(crew, 0);
    crew_spawn(crew, 1);
    crew_spawn(crew, 2);
    CHECK(!leat_join_ended(&crew->join));
    CHECK_EQUAL(crew_waiting(crew, 0), 3);
    crew_ran_none(crew);
    crew_wait(crew);
    CREW_RAN(crew, 2, 1, 0);
    for (uint32_t i = 0; i < 3; i++) {
        CHECK_EQUAL(crew->depths[i], 5);
    }
    CHECK_EQUAL(crew->self->depth, 4);
    crew_wait(crew);
    crew->self->depth = 0;
    crew_teardown(crew);
}

/* The last one that finds room spawns another one, as it runs. */
static void
act_last_spawns(struct crew *crew, uint32_t number)
{
    if (number == CREW_SLOTS) {
        crew_spawn(crew, CREW_SLOTS + 1);
    }
}

static void
a_full_deque_runs_at_once(void **state)
{
    (void)state;
    struct crew *crew = crew_setup();
    crew->act = act_last_spawns;
    for (uint32_t i = 0; i < CREW_SLOTS; i++) {
        CHECK_EQUAL(crew_waiting(crew, 0), i);
        crew_spawn(crew, i);
    }
    crew_ran_none(crew);
    crew_spawn(crew, CREW_SLOTS);
    CREW_RAN(crew, CREW_SLOTS, CREW_SLOTS + 1);
    CHECK_EQUAL(crew->depths[0], 1);
    CHECK_EQUAL(crew->depths[1], 2);
    CHECK_EQUAL(crew->self->depth, 0);
    CHECK_EQUAL(crew_waiting(crew, 0), CREW_SLOTS);
    /* Room for one again. */
    struct leat_deque_entry entry = crew_take(crew, 1, 0);
    crew_spawn(crew, CREW_SLOTS + 2);
    crew_ran_none(crew);
    crew_run_on(crew, 1, &entry);
    CREW_RAN(crew, 0);
    entry = crew_take(crew, 0, CREW_SLOTS + 2);
    crew_run_on(crew, 0, &entry);
    CREW_RAN(crew, CREW_SLOTS + 2);
    crew_wait(crew);
    crew_ran_down(crew, CREW_SLOTS - 1, 1);
    crew_teardown(crew);
}

static void
act_first_spawns_two(struct crew *crew, uint32_t number)
{
    if (number == 1) {
        crew_spawn(crew, 2);
        crew_spawn(crew, 3);
    }
}

/* Others take what it left, and all that is older. */
static void
act_first_is_robbed(struct crew *crew, uint32_t number)
{
    if (number == 1) {
        crew_spawn(crew, 2);
        crew->taken[0] = crew_take(crew, 1, 0);
        crew->taken[1] = crew_take(crew, 1, 2);
    }
}

static void
what_a_task_leaves_runs_behind_it(void **state)
{
    (void)state;
    struct crew *crew = crew_setup();
    crew->act = act_first_spawns_two;
    crew_spawn(crew, 0);
    crew_spawn(crew, 1);
    struct leat_deque_entry entry = crew_take(crew, 0, 1);
    crew_run_on(crew, 0, &entry);
    CREW_RAN(crew, 1, 3, 2);
    CHECK_EQUAL(crew->depths[1], 2);
    CHECK_EQUAL(crew_waiting(crew, 0), 1);
    crew_wait(crew);
    CREW_RAN(crew, 0);
    CHECK_EQUAL(crew->depths[3], 1);
    crew_teardown(crew);
}

static void
what_was_stolen_is_not_left(void **state)
{
    (void)state;
    struct crew *crew = crew_setup();
    crew->act = act_first_is_robbed;
    crew_spawn(crew, 0);
    crew_spawn(crew, 1);
    struct leat_deque_entry entry = crew_take(crew, 0, 1);
    crew_run_on(crew, 0, &entry);
    CREW_RAN(crew, 1);
    crew_run_on(crew, 1, &crew->taken[0]);
    crew_run_on(crew, 1, &crew->taken[1]);
    CREW_RAN(crew, 0, 2);
    crew_wait(crew);
    crew_teardown(crew);
}

static void
a_deque_is_emptied(void **state)
{
    (void)state;
    struct crew *crew = crew_setup();
    leat_spawn_empty(crew->self);
    crew->act = act_first_spawns_two;
    crew_spawn(crew, 0);
    crew_spawn(crew, 1);
    leat_spawn_empty(crew->self);
    CREW_RAN(crew, 1, 3, 2, 0);
    crew_teardown(crew);
}

/* ---- ranges --------------------------------------------------------------------------------- */

static void
work_on(struct crew *crew, size_t grain, size_t begin, size_t end)
{
    const struct leat_range_work work = {crew_piece, crew, grain};
    crew_join(crew, crew->self, &work);
    leat_join_work(crew->self, &crew->join, begin, end);
    crew_wait(crew);
}

static void
ranges_are_halved_while_nothing_is_offered(void **state)
{
    (void)state;
    struct crew *crew = crew_setup();
    work_on(crew, 2, 5, 5);
    crew_ran_none(crew);
    work_on(crew, 2, 5, 6);
    CREW_RAN(crew, CREW_PIECE(5, 6));
    work_on(crew, 2, 5, 8);
    CREW_RAN(crew, CREW_PIECE(5, 8));
    work_on(crew, 2, 5, 9);
    CREW_RAN(crew, CREW_PIECE(5, 7), CREW_PIECE(7, 9));
    work_on(crew, 2, 0, 10);
    CREW_RAN(crew, CREW_PIECE(0, 2), CREW_PIECE(2, 5), CREW_PIECE(5, 7), CREW_PIECE(7, 10));
    work_on(crew, 1, 0, 8);
    CREW_RAN(crew, CREW_PIECE(0, 1), CREW_PIECE(1, 2), CREW_PIECE(2, 3), CREW_PIECE(3, 4),
             CREW_PIECE(4, 5), CREW_PIECE(5, 6), CREW_PIECE(6, 7), CREW_PIECE(7, 8));
    crew_teardown(crew);
}

/* Each piece has its offer stolen. */
static void
act_is_robbed(struct crew *crew, uint32_t number)
{
    if (number == CREW_PIECE(0, 1)) {
        CHECK(leat_spawn_take(crew_place(crew, 1), &crew->taken[0]));
        CHECK_EQUAL(crew->taken[0].words[0], 4);
        CHECK_EQUAL(crew->taken[0].words[1], 8);
    }
}

static void
a_stolen_offer_is_followed_by_another(void **state)
{
    (void)state;
    struct crew *crew = crew_setup();
    const struct leat_range_work work = {crew_piece, crew, 1};
    crew->act = act_is_robbed;
    crew_join(crew, crew->self, &work);
    leat_join_work(crew->self, &crew->join, 0, 8);
    /* What is left of the first half is [1, 4): it offers [2, 4). */
    CREW_RAN(crew, CREW_PIECE(0, 1), CREW_PIECE(1, 2));
    CHECK_EQUAL(crew_waiting(crew, 0), 1);
    crew_run_on(crew, 1, &crew->taken[0]);
    CREW_RAN(crew, CREW_PIECE(4, 5), CREW_PIECE(5, 6), CREW_PIECE(6, 7), CREW_PIECE(7, 8));
    crew_wait(crew);
    CREW_RAN(crew, CREW_PIECE(2, 3), CREW_PIECE(3, 4));
    crew_teardown(crew);
}

/* ---- cancel --------------------------------------------------------------------------------- */

static void
act_cancels(struct crew *crew, uint32_t number)
{
    if (number == 1 || number == CREW_PIECE(2, 3)) {
        leat_join_cancel(&crew->join);
    }
}

static void
what_has_not_begun_is_passed_over(void **state)
{
    (void)state;
    struct crew *crew = crew_setup();
    crew_spawn(crew, 0);
    leat_join_cancel(&crew->join);
    crew_spawn(crew, 1);
    crew_wait(crew);
    crew_ran_none(crew);
    CHECK_EQUAL(atom_load_rlx(&crew->join.error), 0);
    crew_join(crew, crew->self, NULL);
    crew->act = act_cancels;
    crew_spawn(crew, 0);
    crew_spawn(crew, 1);
    crew_spawn(crew, 2);
    crew_wait(crew);
    CREW_RAN(crew, 2, 1);
    work_on(crew, 1, 0, 16);
    CREW_RAN(crew, CREW_PIECE(0, 1), CREW_PIECE(1, 2), CREW_PIECE(2, 3));
    crew_teardown(crew);
}

static void
the_first_error_counts(void **state)
{
    (void)state;
    struct crew *crew = crew_setup();
    crew_spawn(crew, 0);
    leat_join_fail(&crew->join, 7);
    leat_join_fail(&crew->join, 5);
    CHECK_EQUAL(atom_load_rlx(&crew->join.error), 7);
    crew_wait(crew);
    crew_ran_none(crew);
    crew_teardown(crew);
}

/* ---- from outside --------------------------------------------------------------------------- */

static void
as_many_from_outside_as_there_are_records(void **state)
{
    (void)state;
    struct crew *crew = crew_setup();
    uint32_t index = 0;
    crew_join(crew, NULL, NULL);
    for (uint32_t i = 0; i < CREW_OUTSIDE; i++) {
        CHECK(crew_spawn_outside(crew, i, &index));
    }
    CHECK(leat_slab_check(&crew->pool.spawned, CREW_OUTSIDE, stdout));
    CHECK(!crew_spawn_outside(crew, CREW_OUTSIDE, &index));
    CHECK(leat_slab_check(&crew->pool.spawned, CREW_OUTSIDE, stdout));
    crew->self = crew_place(crew, 0);
    crew_lend(crew, CREW_OUTSIDE);
    CREW_RAN(crew, 0, 1);
    CHECK_EQUAL(crew->depths[0], 0);
    crew_teardown(crew);
}

static void
a_full_ring_keeps_nothing(void **state)
{
    (void)state;
    struct crew *crew = crew_setup();
    uint32_t index = 0;
    uint32_t items = 0;
    crew_join(crew, NULL, NULL);
    while (leat_pool_push(&crew->pool, LEAT_SPAWNED_LEVEL, leat_item_of(LEAT_KIND_JOB, items))) {
        items++;
    }
    CHECK(!crew_spawn_outside(crew, 0, &index));
    CHECK(leat_join_ended(&crew->join));
    CHECK(leat_slab_check(&crew->pool.spawned, 0, stdout));
    /* Whoever marked it hears of it, too. */
    CHECK(leat_join_mark(&crew->join));
    CHECK(!crew_spawn_outside(crew, 0, &index));
    CHECK_EQUAL(crew->ended, 1);
    leat_join_unmark(&crew->join);
    crew_lend(crew, items);
    CHECK_EQUAL(crew->items, items);
    crew_ran_none(crew);
    crew_teardown(crew);
}

static void
what_has_not_begun_is_revoked(void **state)
{
    (void)state;
    struct crew *crew = crew_setup();
    static struct leat_join other;
    uint32_t index = 0;
    uint32_t again = 0;
    crew_join(crew, NULL, NULL);
    CHECK(crew_spawn_outside(crew, 0, &index));
    CHECK(leat_spawn_revoke(&crew->join, index));
    CHECK(leat_join_ended(&crew->join));
    CHECK(!leat_spawn_revoke(&crew->join, index));
    CHECK(leat_join_ended(&crew->join));
    CHECK(leat_slab_check(&crew->pool.spawned, 1, stdout));
    crew_lend(crew, 1);
    crew_ran_none(crew);
    CHECK(leat_slab_check(&crew->pool.spawned, 0, stdout));
    CHECK(crew_spawn_outside(crew, 1, &index));
    crew_lend(crew, 1);
    CREW_RAN(crew, 1);
    CHECK(!leat_spawn_revoke(&crew->join, index));
    /* The record is another group's. */
    CHECK(crew_spawn_outside(crew, 2, &again));
    CHECK_EQUAL(again, index);
    leat_join_init(&other, &crew->pool, NULL, NULL);
    CHECK(!leat_spawn_revoke(&other, again));
    crew_lend(crew, 1);
    CREW_RAN(crew, 2);
    crew_teardown(crew);
}

static void
the_last_one_rings_where_nobody_owns_it(void **state)
{
    (void)state;
    struct crew *crew = crew_setup();
    uint32_t index = 0;
    crew_join(crew, NULL, NULL);
    CHECK(crew_spawn_outside(crew, 0, &index));
    crew_lend(crew, 1);
    CHECK_EQUAL(crew->ended, 0);
    CHECK(leat_join_mark(&crew->join));
    leat_join_unmark(&crew->join);
    CHECK(crew_spawn_outside(crew, 1, &index));
    CHECK(!leat_join_mark(&crew->join));
    crew_spawn(crew, 2);
    leat_spawn_empty(crew->self);
    CHECK_EQUAL(crew->ended, 0);
    CHECK(!leat_join_ended(&crew->join));
    crew_lend(crew, 1);
    CHECK_EQUAL(crew->ended, 1);
    CHECK(leat_join_ended(&crew->join));
    leat_join_unmark(&crew->join);
    CREW_RAN(crew, 0, 2, 1);
    crew_teardown(crew);
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
