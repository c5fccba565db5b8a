/* unit_clock.c - what a pair of clocks asks and says, by a clock that is moved by hand: each source
 * is asked once for each look and by its own clock, what is named first is what is left, and a wall
 * clock that was set is told once, from LEAT_CLOCK_DRIFT_NS on. With the system's clocks: the
 * thread asks at once, again at the time that was named, and again when something has changed; and
 * it ends. */
#include <string.h>

#include "sched/clock.h"
#include "sched/limits.h"
#include "tests/support/check.h"
#include "tests/support/threads.h"

#define BOOT_NS  UINT64_C(1000000000000)
#define WALL_NS  UINT64_C(1780000000000000000)
#define DRIFT_NS LEAT_CLOCK_DRIFT_NS

struct source {
    leat_atomic_u64 due_ns; /* what it names */
    leat_atomic_u32 looks;
    uint64_t now_ns; /* of the last look */
    uint32_t nexts;
    uint32_t moves;
};

struct fixture {
    struct leat_clocks clocks;
    uint64_t boot_ns;
    uint64_t wall_ns;
    struct source sources[LEAT_CLOCK_SOURCES_MAX + 1];
};

static struct fixture fixture_now;

static uint64_t
now(enum leat_time time, void *context)
{
    const struct fixture *fixture = context;
    return time == LEAT_TIME_WALL ? fixture->wall_ns : fixture->boot_ns;
}

static uint64_t
look(void *context, uint64_t now_ns)
{
    struct source *source = context;
    source->now_ns = now_ns;
    (void)atom_add_acq_rel(&source->looks, 1);
    return atom_load_acq(&source->due_ns);
}

static uint64_t
next(void *context)
{
    struct source *source = context;
    source->nexts++;
    return atom_load_acq(&source->due_ns);
}

static void
was_moved(void *context)
{
    struct source *source = context;
    source->moves++;
}

static uint32_t
looks(struct fixture *fixture, uint32_t source)
{
    return atom_load_acq(&fixture->sources[source].looks);
}

static void
name(struct fixture *fixture, uint32_t source, uint64_t due_ns)
{
    atom_store_rel(&fixture->sources[source].due_ns, due_ns);
}

/* Of BOOT, told of moves; of WALL, told of moves; of BOOT, not told. Behind them one that looks
 * like another, and is none. */
static struct fixture *
setup(bool system)
{
    struct fixture *fixture = &fixture_now;
    memset(fixture, 0, sizeof(*fixture));
    fixture->boot_ns = BOOT_NS;
    fixture->wall_ns = WALL_NS;
    fixture->clocks.now = system ? NULL : now;
    fixture->clocks.context = fixture;
    CHECK_EQUAL(leat_clocks_init(&fixture->clocks), LEAT_OS_OK);
    for (uint32_t i = 0; i <= 3; i++) {
        name(fixture, i, LEAT_TIME_NEVER);
        const struct leat_clock_source source = {look, next, i == 2 ? NULL : was_moved,
                                                 &fixture->sources[i],
                                                 i == 1 ? LEAT_TIME_WALL : LEAT_TIME_BOOT};
        leat_clocks_add(&fixture->clocks, source);
    }
    fixture->clocks.count = 3;
    return fixture;
}

static void
teardown(struct fixture *fixture)
{
    CHECK_EQUAL(looks(fixture, 3), 0);
    CHECK_EQUAL(fixture->sources[3].nexts, 0);
    CHECK_EQUAL(fixture->sources[3].moves, 0);
    leat_clocks_fini(&fixture->clocks);
}

/* ---- a clock that is moved by hand ----------------------------------------------------------- */

static void
each_is_asked_by_its_clock(void **state)
{
    (void)state;
    struct fixture *fixture = setup(false);
    CHECK_EQUAL(leat_clocks_look(&fixture->clocks), LEAT_TIME_NEVER);
    CHECK_EQUAL(leat_clocks_next(&fixture->clocks), LEAT_TIME_NEVER);
    for (uint32_t i = 0; i < 3; i++) {
        CHECK_EQUAL(looks(fixture, i), 1);
        CHECK_EQUAL(fixture->sources[i].nexts, 1);
        CHECK_EQUAL(fixture->sources[i].now_ns, i == 1 ? WALL_NS : BOOT_NS);
        CHECK_EQUAL(fixture->sources[i].moves, 0);
    }
    teardown(fixture);
}

static void
must_be_left(struct fixture *fixture, uint64_t left_ns)
{
    CHECK_EQUAL(leat_clocks_look(&fixture->clocks), left_ns);
    CHECK_EQUAL(leat_clocks_next(&fixture->clocks), left_ns);
}

static void
the_first_is_what_is_left(void **state)
{
    (void)state;
    struct fixture *fixture = setup(false);
    name(fixture, 0, BOOT_NS + 50);
    must_be_left(fixture, 50);
    name(fixture, 2, BOOT_NS + 40);
    must_be_left(fixture, 40);
    name(fixture, 1, WALL_NS + 30);
    must_be_left(fixture, 30);
    fixture->wall_ns += 30;
    must_be_left(fixture, 0);
    fixture->wall_ns += 30;
    must_be_left(fixture, 0);
    name(fixture, 1, LEAT_TIME_NEVER);
    fixture->boot_ns += 39;
    must_be_left(fixture, 1);
    teardown(fixture);
}

/* The wall clock goes so far from the other one. */
static void
must_be_told(struct fixture *fixture, uint64_t ns, uint32_t moves)
{
    fixture->wall_ns += ns;
    for (uint32_t i = 0; i < 2; i++) {
        (void)leat_clocks_look(&fixture->clocks);
        CHECK_EQUAL(fixture->sources[0].moves, moves);
        CHECK_EQUAL(fixture->sources[1].moves, moves);
        CHECK_EQUAL(fixture->sources[2].moves, 0);
    }
}

static void
a_set_clock_is_told_once(void **state)
{
    (void)state;
    struct fixture *fixture = setup(false);
    must_be_told(fixture, 0, 0);
    must_be_told(fixture, DRIFT_NS - 1, 0);
    must_be_told(fixture, 1, 1);
    must_be_told(fixture, DRIFT_NS - 1, 1);
    must_be_told(fixture, DRIFT_NS + 1, 2);
    must_be_told(fixture, 1 - DRIFT_NS, 2);
    must_be_told(fixture, UINT64_MAX, 3);
    must_be_told(fixture, 0 - 5 * DRIFT_NS, 4);
    /* Both go on: nothing was set. */
    fixture->boot_ns += 10 * DRIFT_NS;
    must_be_told(fixture, 10 * DRIFT_NS, 4);
    teardown(fixture);
}

static void
no_thread_by_a_hosts_clock(void **state)
{
    (void)state;
    const struct leat_os_thread_config config = {.name = "clock"};
    struct fixture *fixture = setup(false);
    CHECK_EQUAL(leat_clocks_start(&fixture->clocks, &config), LEAT_OS_OK);
    CHECK(!fixture->clocks.started);
    leat_clocks_changed(&fixture->clocks);
    leat_clocks_stop(&fixture->clocks);
    CHECK_EQUAL(atom_load_rlx(&fixture->clocks.ended), 0);
    CHECK_EQUAL(looks(fixture, 0), 0);
    teardown(fixture);
}

/* Where none was opened, a change is nobody's to hear. */
static void
without_clocks_nothing_rings(void **state)
{
    (void)state;
    struct fixture *fixture = &fixture_now;
    memset(fixture, 0, sizeof(*fixture));
    leat_clocks_changed(&fixture->clocks);
    CHECK_EQUAL(atom_load_rlx(&fixture->clocks.doorbell.word), 0);
    leat_clocks_stop(&fixture->clocks);
    leat_clocks_fini(&fixture->clocks);
}

/* ---- the thread ------------------------------------------------------------------------------ */

static bool
asked_once(void *argument)
{
    return looks(argument, 0) >= 1;
}

static bool
asked_twice(void *argument)
{
    return looks(argument, 0) >= 2;
}

static void
the_thread_asks_again(void **state)
{
    (void)state;
    const struct leat_os_thread_config config = {.name = "clock"};
    struct fixture *fixture = setup(true);
    /* Twice: a second thread begins like the first. */
    for (uint32_t round = 0; round < 2; round++) {
        atom_store_rel(&fixture->sources[0].looks, 0);
        CHECK_EQUAL(leat_clocks_start(&fixture->clocks, &config), LEAT_OS_OK);
        CHECK(fixture->clocks.started);
        CHECK(test_until(asked_once, fixture));
        leat_clocks_changed(&fixture->clocks);
        CHECK(test_until(asked_twice, fixture));
        leat_clocks_stop(&fixture->clocks);
        CHECK(!fixture->clocks.started);
    }
    teardown(fixture);
}

static void
the_thread_asks_in_time(void **state)
{
    (void)state;
    const struct leat_os_thread_config config = {.name = "clock"};
    for (uint32_t source = 0; source < 2; source++) {
        struct fixture *fixture = setup(true);
        uint64_t now_ns =
            leat_clocks_now(&fixture->clocks, source == 1 ? LEAT_TIME_WALL : LEAT_TIME_BOOT);
        name(fixture, source, now_ns + 20 * TEST_MS);
        CHECK_EQUAL(leat_clocks_start(&fixture->clocks, &config), LEAT_OS_OK);
        CHECK(test_until(asked_twice, fixture));
        leat_clocks_stop(&fixture->clocks);
        teardown(fixture);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_asked_by_its_clock),
        cmocka_unit_test(the_first_is_what_is_left),
        cmocka_unit_test(a_set_clock_is_told_once),
        cmocka_unit_test(no_thread_by_a_hosts_clock),
        cmocka_unit_test(without_clocks_nothing_rings),
        cmocka_unit_test(the_thread_asks_again),
        cmocka_unit_test(the_thread_asks_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
