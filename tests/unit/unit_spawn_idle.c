/* unit_spawn_idle.c - workers without a task of their own, in one thread that acts for each of them
 * in turn: who steals what, who is woken by a spawn, and who sleeps in a wait. */
#include "tests/support/crew.h"

#define SOON_NS 2000000
#define LATE_NS UINT64_C(60000000000)

/* ---- stealing ------------------------------------------------------------------------------- */

static void
the_oldest_of_the_next_place(void **state)
{
    (void)state;
    struct crew *crew = crew_setup();
    struct leat_deque_entry entry;
    crew_takes_none(crew, 1);
    for (uint32_t i = 0; i < CREW_PLACES; i++) {
        crew->self = crew_place(crew, i);
        crew_spawn(crew, 2 * i);
        crew_spawn(crew, 2 * i + 1);
    }
    static const uint32_t order[] = {3, 2, 4, 5, 0, 1};
    for (uint32_t i = 0; i < TEST_COUNT_OF(order); i++) {
        CHECK_EQUAL(atom_load_rlx(&crew_place(crew, 1)->taken), i);
        entry = crew_take(crew, 1, order[i]);
        crew_run_on(crew, 1, &entry);
        CREW_RAN(crew, order[i]);
    }
    crew_takes_none(crew, 1);
    CHECK_EQUAL(atom_load_rlx(&crew_place(crew, 1)->taken), 6);
    CHECK_EQUAL(atom_load_rlx(&crew_place(crew, 0)->taken), 0);
    crew_teardown(crew);
}

static void
each_place_is_looked_at(void **state)
{
    (void)state;
    struct crew *crew = crew_setup();
    CHECK(!leat_spawn_ready(&crew->pool));
    for (uint32_t i = 0; i < CREW_PLACES; i++) {
        crew->self = crew_place(crew, i);
        crew_spawn(crew, i);
        CHECK(leat_spawn_ready(&crew->pool));
        leat_spawn_empty(crew->self);
        CREW_RAN(crew, i);
        CHECK(!leat_spawn_ready(&crew->pool));
    }
    crew_teardown(crew);
}

/* ---- who is woken --------------------------------------------------------------------------- */

static void
lie_down(struct crew *crew, uint32_t worker)
{
    leat_lot_enter(&crew->pool.lot, &crew_place(crew, worker)->bed, worker);
}

static void
wait_down(struct crew *crew, uint32_t worker, uint64_t depth)
{
    atom_init(&crew_place(crew, worker)->floor, depth);
    leat_lot_enter(&crew->pool.helpers, &crew_place(crew, worker)->bed, worker);
}

static bool
gets_up(struct crew *crew, uint32_t worker)
{
    bool woken = leat_parker_notified(&crew_place(crew, worker)->bed);
    leat_parker_prepare(&crew_place(crew, worker)->bed);
    leat_lot_leave(&crew->pool.lot, worker);
    leat_lot_leave(&crew->pool.helpers, worker);
    return woken;
}

static void
must_be_woken(struct crew *crew, bool first, bool second)
{
    CHECK_EQUAL(gets_up(crew, 1), first);
    CHECK_EQUAL(gets_up(crew, 2), second);
}

static uint64_t
wakes(struct crew *crew)
{
    return atom_load_rlx(&crew->pool.wakes_outside);
}

static void
workers_without_work_are_woken_before_helpers(void **state)
{
    (void)state;
    struct crew *crew = crew_setup();
    crew_spawn_at(crew, 3, 0);
    lie_down(crew, 2);
    wait_down(crew, 1, 0);
    crew_spawn_at(crew, 3, 1);
    must_be_woken(crew, false, true);
    CHECK_EQUAL(wakes(crew), 1);
    lie_down(crew, 1);
    crew_spawn_at(crew, 3, 2);
    must_be_woken(crew, true, false);
    CHECK_EQUAL(wakes(crew), 2);
    crew_wait(crew);
    CREW_RAN(crew, 2, 1, 0);
    crew_teardown(crew);
}

static void
one_helper_that_may_take_the_oldest_is_woken(void **state)
{
    (void)state;
    struct crew *crew = crew_setup();
    crew_spawn_at(crew, 3, 0);
    /* It is as deep as the oldest, though not as the newest. */
    wait_down(crew, 1, 3);
    crew_spawn_at(crew, 5, 1);
    CHECK(!leat_parker_notified(&crew_place(crew, 1)->bed));
    wait_down(crew, 2, 2);
    crew_spawn_at(crew, 5, 2);
    must_be_woken(crew, false, true);
    wait_down(crew, 1, 2);
    wait_down(crew, 2, 0);
    crew_spawn_at(crew, 5, 3);
    CHECK(leat_parker_notified(&crew_place(crew, 1)->bed));
    CHECK(!leat_parker_notified(&crew_place(crew, 2)->bed));
    /* Who was woken is passed over, and then nobody is left. */
    crew_spawn_at(crew, 5, 4);
    CHECK(leat_parker_notified(&crew_place(crew, 2)->bed));
    crew_spawn_at(crew, 5, 5);
    must_be_woken(crew, true, true);
    CHECK_EQUAL(wakes(crew), 0);
    crew_wait(crew);
    CREW_RAN(crew, 5, 4, 3, 2, 1, 0);
    crew_teardown(crew);
}

static void
a_thief_wakes_another_if_there_is_more(void **state)
{
    (void)state;
    struct crew *crew = crew_setup();
    struct leat_deque_entry first;
    struct leat_deque_entry second;
    crew_spawn(crew, 0);
    crew_spawn(crew, 1);
    lie_down(crew, 2);
    first = crew_take(crew, 1, 0);
    must_be_woken(crew, false, true);
    lie_down(crew, 2);
    second = crew_take(crew, 1, 1);
    must_be_woken(crew, false, false);
    CHECK_EQUAL(wakes(crew), 1);
    crew_run_on(crew, 1, &first);
    crew_run_on(crew, 1, &second);
    CREW_RAN(crew, 0, 1);
    crew_teardown(crew);
}

/* ---- waiting -------------------------------------------------------------------------------- */

/* A wait of a task of depth 4, whose group has a task that another worker has in its hand. */
static struct leat_deque_entry
hold(struct crew *crew)
{
    crew->self->depth = 4;
    crew_join(crew, crew->self, NULL);
    crew_spawn(crew, 0);
    return crew_take(crew, 1, 0);
}

/* It sleeps until its deadline. */
static void
must_sleep(struct crew *crew)
{
    leat_parker_prepare(&crew->self->bed);
    atom_init(&crew->self->floor, 0);
    CHECK(!leat_join_wait(&crew->join, leat_os_deadline_ns(SOON_NS)));
    CHECK_EQUAL(atom_load_rlx(&crew->self->bed.word), LEAT_PARKER_PARKED);
    CHECK_EQUAL(atom_load_rlx(&crew->self->floor), crew->self->depth);
    CHECK_EQUAL(leat_lot_count(&crew->pool.helpers), 0);
    CHECK_EQUAL(atom_load_rlx(&crew->join.others) & 1, 0);
}

static void
must_end(struct crew *crew, const struct leat_deque_entry *held)
{
    leat_parker_prepare(&crew->self->bed);
    crew_run_on(crew, 1, held);
    CHECK_EQUAL(atom_load_rlx(&crew->self->bed.word), LEAT_PARKER_EMPTY);
    CHECK(leat_join_wait(&crew->join, 0));
    crew->self->depth = 0;
}

static void
a_wait_sleeps_where_nothing_is_deeper(void **state)
{
    (void)state;
    struct crew *crew = crew_setup();
    const struct leat_deque_entry held = hold(crew);
    must_sleep(crew);
    /* A deque in which the place of the oldest had a deeper one. */
    crew->self = crew_place(crew, 2);
    crew_spawn_at(crew, 9, 1);
    crew_spawn_at(crew, 9, 4);
    leat_spawn_empty(crew->self);
    CHECK_EQUAL(leat_deque_oldest(&crew->self->deque), 9);
    crew->self = crew_place(crew, 0);
    CREW_RAN(crew, 4, 1);
    must_sleep(crew);
    /* Its own, and another worker's, that are as deep as the task that waits. */
    crew_spawn_at(crew, 4, 2);
    must_sleep(crew);
    crew->self = crew_place(crew, 2);
    crew_spawn_at(crew, 4, 3);
    crew->self = crew_place(crew, 0);
    must_sleep(crew);
    crew_ran_none(crew);
    leat_spawn_empty(crew_place(crew, 0));
    leat_spawn_empty(crew_place(crew, 2));
    CREW_RAN(crew, 2, 3);
    must_end(crew, &held);
    CREW_RAN(crew, 0);
    crew_teardown(crew);
}

/* The oldest one of place 1 is not deep enough; that of place 2 is. */
static void
a_wait_steals_what_is_deeper(void **state)
{
    (void)state;
    struct crew *crew = crew_setup();
    const struct leat_deque_entry held = hold(crew);
    crew->self = crew_place(crew, 1);
    crew_spawn_at(crew, 4, 1);
    crew_spawn_at(crew, 5, 2);
    crew->self = crew_place(crew, 2);
    crew_spawn_at(crew, 5, 3);
    crew->self = crew_place(crew, 0);
    crew_spawn_at(crew, 4, 4);
    must_sleep(crew);
    CREW_RAN(crew, 3);
    CHECK_EQUAL(crew->depths[0], 5);
    CHECK_EQUAL(crew->self->depth, 4);
    CHECK_EQUAL(crew_waiting(crew, 0), 1);
    CHECK_EQUAL(crew_waiting(crew, 1), 2);
    leat_spawn_empty(crew_place(crew, 0));
    leat_spawn_empty(crew_place(crew, 1));
    CREW_RAN(crew, 4, 2, 1);
    must_end(crew, &held);
    CREW_RAN(crew, 0);
    crew_teardown(crew);
}

static void
a_deadline_that_has_passed_runs_nothing(void **state)
{
    (void)state;
    struct crew *crew = crew_setup();
    CHECK(leat_join_wait(&crew->join, 0));
    crew_spawn(crew, 0);
    crew_spawn(crew, 1);
    CHECK(!leat_join_wait(&crew->join, 0));
    CHECK(!leat_join_wait(&crew->join, leat_os_monotonic_ns()));
    crew_ran_none(crew);
    CHECK(leat_join_wait(&crew->join, leat_os_deadline_ns(LATE_NS)));
    CREW_RAN(crew, 1, 0);
    CHECK_EQUAL(atom_load_rlx(&crew->self->bed.word), LEAT_PARKER_EMPTY);
    crew_teardown(crew);
}

/* ---- marks ---------------------------------------------------------------------------------- */

static void
the_last_one_wakes_a_marked_owner(void **state)
{
    (void)state;
    struct crew *crew = crew_setup();
    struct leat_parker *bed = &crew->self->bed;
    struct leat_deque_entry entries[3];
    for (uint32_t i = 0; i < TEST_COUNT_OF(entries); i++) {
        crew_spawn(crew, i);
        entries[i] = crew_take(crew, 1, i);
    }
    leat_parker_prepare(bed);
    crew_run_on(crew, 1, &entries[0]);
    CHECK(!leat_join_mark(&crew->join));
    crew_run_on(crew, 1, &entries[1]);
    CHECK(!leat_join_ended(&crew->join));
    CHECK(!leat_parker_notified(bed));
    crew_run_on(crew, 1, &entries[2]);
    CHECK(leat_join_ended(&crew->join));
    CHECK(leat_parker_notified(bed));
    leat_join_unmark(&crew->join);
    CHECK(leat_join_mark(&crew->join));
    leat_join_unmark(&crew->join);
    CHECK_EQUAL(crew->ended, 0);
    CREW_RAN(crew, 0, 1, 2);
    crew_teardown(crew);
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
