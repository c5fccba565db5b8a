/* unit_spawn_idle.c - workers without a task of their own, in one thread that acts for each of them
 * in turn: who steals what, who is woken by a spawn, and who sleeps in a wait. */
#include "tests/support/cast.h"

#define SOON_NS 2000000
#define LATE_NS UINT64_C(60000000000)

/* ---- stealing ------------------------------------------------------------------------------- */

static void
the_oldest_of_the_next_place(void **state)
{
    (void)state;
    struct cast *cast = cast_setup();
    struct leat_deque_entry entry;
    cast_takes_none(cast, 1);
    for (uint32_t i = 0; i < CAST_PLACES; i++) {
        cast->self = cast_place(cast, i);
        cast_spawn(cast, 2 * i);
        cast_spawn(cast, 2 * i + 1);
    }
    static const uint32_t order[] = {3, 2, 4, 5, 0, 1};
    for (uint32_t i = 0; i < TEST_COUNT_OF(order); i++) {
        CHECK_EQUAL(atom_load_rlx(&cast_place(cast, 1)->taken), i);
        entry = cast_take(cast, 1, order[i]);
        cast_run_on(cast, 1, &entry);
        CAST_RAN(cast, order[i]);
    }
    cast_takes_none(cast, 1);
    CHECK_EQUAL(atom_load_rlx(&cast_place(cast, 1)->taken), 6);
    CHECK_EQUAL(atom_load_rlx(&cast_place(cast, 0)->taken), 0);
    cast_teardown(cast);
}

static void
each_place_is_looked_at(void **state)
{
    (void)state;
    struct cast *cast = cast_setup();
    CHECK(!leat_spawn_ready(&cast->pool));
    for (uint32_t i = 0; i < CAST_PLACES; i++) {
        cast->self = cast_place(cast, i);
        cast_spawn(cast, i);
        CHECK(leat_spawn_ready(&cast->pool));
        leat_spawn_empty(cast->self);
        CAST_RAN(cast, i);
        CHECK(!leat_spawn_ready(&cast->pool));
    }
    cast_teardown(cast);
}

/* ---- who is woken --------------------------------------------------------------------------- */

static void
lie_down(struct cast *cast, uint32_t worker)
{
    leat_lot_enter(&cast->pool.lot, &cast_place(cast, worker)->bed, worker);
}

static void
wait_down(struct cast *cast, uint32_t worker, uint64_t depth)
{
    atom_init(&cast_place(cast, worker)->floor, depth);
    leat_lot_enter(&cast->pool.helpers, &cast_place(cast, worker)->bed, worker);
}

static bool
gets_up(struct cast *cast, uint32_t worker)
{
    bool woken = leat_parker_notified(&cast_place(cast, worker)->bed);
    leat_parker_prepare(&cast_place(cast, worker)->bed);
    leat_lot_leave(&cast->pool.lot, worker);
    leat_lot_leave(&cast->pool.helpers, worker);
    return woken;
}

static void
must_be_woken(struct cast *cast, bool first, bool second)
{
    CHECK_EQUAL(gets_up(cast, 1), first);
    CHECK_EQUAL(gets_up(cast, 2), second);
}

static uint64_t
wakes(struct cast *cast)
{
    return atom_load_rlx(&cast->pool.wakes_outside);
}

static void
workers_without_work_are_woken_before_helpers(void **state)
{
    (void)state;
    struct cast *cast = cast_setup();
    cast_spawn_at(cast, 3, 0);
    lie_down(cast, 2);
    wait_down(cast, 1, 0);
    cast_spawn_at(cast, 3, 1);
    must_be_woken(cast, false, true);
    CHECK_EQUAL(wakes(cast), 1);
    lie_down(cast, 1);
    cast_spawn_at(cast, 3, 2);
    must_be_woken(cast, true, false);
    CHECK_EQUAL(wakes(cast), 2);
    cast_wait(cast);
    CAST_RAN(cast, 2, 1, 0);
    cast_teardown(cast);
}

static void
one_helper_that_may_take_the_oldest_is_woken(void **state)
{
    (void)state;
    struct cast *cast = cast_setup();
    cast_spawn_at(cast, 3, 0);
    /* It is as deep as the oldest, though not as the newest. */
    wait_down(cast, 1, 3);
    cast_spawn_at(cast, 5, 1);
    CHECK(!leat_parker_notified(&cast_place(cast, 1)->bed));
    wait_down(cast, 2, 2);
    cast_spawn_at(cast, 5, 2);
    must_be_woken(cast, false, true);
    wait_down(cast, 1, 2);
    wait_down(cast, 2, 0);
    cast_spawn_at(cast, 5, 3);
    CHECK(leat_parker_notified(&cast_place(cast, 1)->bed));
    CHECK(!leat_parker_notified(&cast_place(cast, 2)->bed));
    /* Who was woken is passed over, and then nobody is left. */
    cast_spawn_at(cast, 5, 4);
    CHECK(leat_parker_notified(&cast_place(cast, 2)->bed));
    cast_spawn_at(cast, 5, 5);
    must_be_woken(cast, true, true);
    CHECK_EQUAL(wakes(cast), 0);
    cast_wait(cast);
    CAST_RAN(cast, 5, 4, 3, 2, 1, 0);
    cast_teardown(cast);
}

static void
a_thief_wakes_another_if_there_is_more(void **state)
{
    (void)state;
    struct cast *cast = cast_setup();
    struct leat_deque_entry first;
    struct leat_deque_entry second;
    cast_spawn(cast, 0);
    cast_spawn(cast, 1);
    lie_down(cast, 2);
    first = cast_take(cast, 1, 0);
    must_be_woken(cast, false, true);
    lie_down(cast, 2);
    second = cast_take(cast, 1, 1);
    must_be_woken(cast, false, false);
    CHECK_EQUAL(wakes(cast), 1);
    cast_run_on(cast, 1, &first);
    cast_run_on(cast, 1, &second);
    CAST_RAN(cast, 0, 1);
    cast_teardown(cast);
}

/* ---- waiting -------------------------------------------------------------------------------- */

/* A wait of a task of depth 4, whose group has a task that another worker has in its hand. */
static struct leat_deque_entry
hold(struct cast *cast)
{
    cast->self->depth = 4;
    cast_join(cast, cast->self, NULL);
    cast_spawn(cast, 0);
    return cast_take(cast, 1, 0);
}

/* It sleeps until its deadline. */
static void
must_sleep(struct cast *cast)
{
    leat_parker_prepare(&cast->self->bed);
    atom_init(&cast->self->floor, 0);
    CHECK(!leat_join_wait(&cast->join, leat_os_deadline_ns(SOON_NS)));
    CHECK_EQUAL(atom_load_rlx(&cast->self->bed.word), LEAT_PARKER_PARKED);
    CHECK_EQUAL(atom_load_rlx(&cast->self->floor), cast->self->depth);
    CHECK_EQUAL(leat_lot_count(&cast->pool.helpers), 0);
    CHECK_EQUAL(atom_load_rlx(&cast->join.others) & 1, 0);
}

static void
must_end(struct cast *cast, const struct leat_deque_entry *held)
{
    leat_parker_prepare(&cast->self->bed);
    cast_run_on(cast, 1, held);
    CHECK_EQUAL(atom_load_rlx(&cast->self->bed.word), LEAT_PARKER_EMPTY);
    CHECK(leat_join_wait(&cast->join, 0));
    cast->self->depth = 0;
}

static void
a_wait_sleeps_where_nothing_is_deeper(void **state)
{
    (void)state;
    struct cast *cast = cast_setup();
    const struct leat_deque_entry held = hold(cast);
    must_sleep(cast);
    /* A deque in which the place of the oldest had a deeper one. */
    cast->self = cast_place(cast, 2);
    cast_spawn_at(cast, 9, 1);
    cast_spawn_at(cast, 9, 4);
    leat_spawn_empty(cast->self);
    CHECK_EQUAL(leat_deque_oldest(&cast->self->deque), 9);
    cast->self = cast_place(cast, 0);
    CAST_RAN(cast, 4, 1);
    must_sleep(cast);
    /* Its own, and another worker's, that are as deep as the task that waits. */
    cast_spawn_at(cast, 4, 2);
    must_sleep(cast);
    cast->self = cast_place(cast, 2);
    cast_spawn_at(cast, 4, 3);
    cast->self = cast_place(cast, 0);
    must_sleep(cast);
    cast_ran_none(cast);
    leat_spawn_empty(cast_place(cast, 0));
    leat_spawn_empty(cast_place(cast, 2));
    CAST_RAN(cast, 2, 3);
    must_end(cast, &held);
    CAST_RAN(cast, 0);
    cast_teardown(cast);
}

/* The oldest one of place 1 is not deep enough; that of place 2 is. */
static void
a_wait_steals_what_is_deeper(void **state)
{
    (void)state;
    struct cast *cast = cast_setup();
    const struct leat_deque_entry held = hold(cast);
    cast->self = cast_place(cast, 1);
    cast_spawn_at(cast, 4, 1);
    cast_spawn_at(cast, 5, 2);
    cast->self = cast_place(cast, 2);
    cast_spawn_at(cast, 5, 3);
    cast->self = cast_place(cast, 0);
    cast_spawn_at(cast, 4, 4);
    must_sleep(cast);
    CAST_RAN(cast, 3);
    CHECK_EQUAL(cast->depths[0], 5);
    CHECK_EQUAL(cast->self->depth, 4);
    CHECK_EQUAL(cast_waiting(cast, 0), 1);
    CHECK_EQUAL(cast_waiting(cast, 1), 2);
    leat_spawn_empty(cast_place(cast, 0));
    leat_spawn_empty(cast_place(cast, 1));
    CAST_RAN(cast, 4, 2, 1);
    must_end(cast, &held);
    CAST_RAN(cast, 0);
    cast_teardown(cast);
}

static void
a_deadline_that_has_passed_runs_nothing(void **state)
{
    (void)state;
    struct cast *cast = cast_setup();
    CHECK(leat_join_wait(&cast->join, 0));
    cast_spawn(cast, 0);
    cast_spawn(cast, 1);
    CHECK(!leat_join_wait(&cast->join, 0));
    CHECK(!leat_join_wait(&cast->join, leat_os_monotonic_ns()));
    cast_ran_none(cast);
    CHECK(leat_join_wait(&cast->join, leat_os_deadline_ns(LATE_NS)));
    CAST_RAN(cast, 1, 0);
    CHECK_EQUAL(atom_load_rlx(&cast->self->bed.word), LEAT_PARKER_EMPTY);
    cast_teardown(cast);
}

/* ---- marks ---------------------------------------------------------------------------------- */

static void
the_last_one_wakes_a_marked_owner(void **state)
{
    (void)state;
    struct cast *cast = cast_setup();
    struct leat_parker *bed = &cast->self->bed;
    struct leat_deque_entry entries[3];
    for (uint32_t i = 0; i < TEST_COUNT_OF(entries); i++) {
        cast_spawn(cast, i);
        entries[i] = cast_take(cast, 1, i);
    }
    leat_parker_prepare(bed);
    cast_run_on(cast, 1, &entries[0]);
    CHECK(!leat_join_mark(&cast->join));
    cast_run_on(cast, 1, &entries[1]);
    CHECK(!leat_join_ended(&cast->join));
    CHECK(!leat_parker_notified(bed));
    cast_run_on(cast, 1, &entries[2]);
    CHECK(leat_join_ended(&cast->join));
    CHECK(leat_parker_notified(bed));
    leat_join_unmark(&cast->join);
    CHECK(leat_join_mark(&cast->join));
    leat_join_unmark(&cast->join);
    CHECK_EQUAL(cast->ended, 0);
    CAST_RAN(cast, 0, 1, 2);
    cast_teardown(cast);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_oldest_of_the_next_place),
        cmocka_unit_test(each_place_is_looked_at),
        cmocka_unit_test(workers_without_work_are_woken_before_helpers),
        cmocka_unit_test(one_helper_that_may_take_the_oldest_is_woken),
        cmocka_unit_test(a_thief_wakes_another_if_there_is_more),
        cmocka_unit_test(a_wait_sleeps_where_nothing_is_deeper),
        cmocka_unit_test(a_wait_steals_what_is_deeper),
        cmocka_unit_test(a_deadline_that_has_passed_runs_nothing),
        cmocka_unit_test(the_last_one_wakes_a_marked_owner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
