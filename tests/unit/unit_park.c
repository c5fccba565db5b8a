/* unit_park.c - the lot in one thread, where it can be said exactly whom a wake reaches: each idle
 * worker once, in order; then nobody, until a worker enters again; and once in LEAT_WAKE_AGAIN
 * times the next one in turn. One given worker is woken like this, and no other. With sleepers:
 * those whose waker stopped in front of its system call come back after so many wakes, and at once
 * where all are woken. Holds P4 to P6, W1, W2, W6 and W7 of sched/park.h. */
#include "sched/park.h"
#include "tests/support/check.h"
#include "tests/support/threads.h"

/* Two words of bits, the last one not full. */
#define WORKERS 70

struct worker {
    struct leat_parker bed;
    char other[100];
};

struct fixture {
    struct leat_lot lot;
    struct worker workers[LEAT_WORKERS_MAX];
};

static const uint32_t some[] = {0, 3, 63, 64, 69};

static void
setup(struct fixture *fixture, uint32_t workers)
{
    leat_lot_init(&fixture->lot, workers);
    /* As they are before the first sleep, or after the last one. */
    for (uint32_t i = 0; i < workers; i++) {
        atom_init(&fixture->workers[i].bed.word, i % 3);
    }
}

static void
enter(struct fixture *fixture, uint32_t worker)
{
    leat_lot_enter(&fixture->lot, &fixture->workers[worker].bed, worker);
}

static bool
wake(struct fixture *fixture)
{
    return leat_lot_wake(&fixture->lot, &fixture->workers[0].bed, sizeof(struct worker));
}

static void
wake_all(struct fixture *fixture)
{
    leat_lot_wake_all(&fixture->lot, &fixture->workers[0].bed, sizeof(struct worker));
}

static bool
is_notified(struct fixture *fixture, uint32_t worker)
{
    return leat_parker_notified(&fixture->workers[worker].bed);
}

static void
each_is_woken_once(void **state)
{
    (void)state;
    static struct fixture fixture;
    setup(&fixture, WORKERS);
    CHECK(!leat_lot_any(&fixture.lot));
    CHECK(!wake(&fixture));
    for (uint32_t i = 0; i < TEST_COUNT_OF(some); i++) {
        enter(&fixture, some[i]);
        CHECK(leat_lot_any(&fixture.lot));
        CHECK_EQUAL(leat_lot_count(&fixture.lot), i + 1);
    }
    for (uint32_t i = 0; i < TEST_COUNT_OF(some); i++) {
        CHECK(!is_notified(&fixture, some[i]));
        CHECK(wake(&fixture));
        CHECK(is_notified(&fixture, some[i]));
        /* It has not come yet. */
        CHECK_EQUAL(leat_lot_count(&fixture.lot), TEST_COUNT_OF(some));
    }
    CHECK(!wake(&fixture));
    /* One comes and goes to sleep again; one comes and stays awake. */
    leat_lot_sleep(&fixture.lot, &fixture.workers[63].bed, 63);
    enter(&fixture, 63);
    leat_lot_sleep(&fixture.lot, &fixture.workers[64].bed, 64);
    CHECK_EQUAL(leat_lot_count(&fixture.lot), TEST_COUNT_OF(some) - 1);
    CHECK(!is_notified(&fixture, 63));
    CHECK(wake(&fixture));
    CHECK(is_notified(&fixture, 63));
    CHECK(!wake(&fixture));
    for (uint32_t i = 0; i < TEST_COUNT_OF(some); i++) {
        leat_lot_leave(&fixture.lot, some[i]);
    }
    CHECK(!leat_lot_any(&fixture.lot));
}

/* The most that there can be: one in each word of bits, and the last of all. */
static void
every_word_is_looked_at(void **state)
{
    (void)state;
    static struct fixture fixture;
    setup(&fixture, LEAT_WORKERS_MAX);
    CHECK(!leat_lot_any(&fixture.lot));
    for (uint32_t i = 0; i < LEAT_WAKE_AGAIN; i++) {
        CHECK(!wake(&fixture));
        CHECK_EQUAL(atom_load_rlx(&fixture.lot.turn), 0);
    }
    for (uint32_t i = 63; i < LEAT_WORKERS_MAX; i += 64) {
        enter(&fixture, i);
        CHECK(leat_lot_any(&fixture.lot));
        CHECK(wake(&fixture));
        CHECK(is_notified(&fixture, i));
        CHECK(!wake(&fixture));
        leat_lot_sleep(&fixture.lot, &fixture.workers[i].bed, i);
        CHECK(!leat_lot_any(&fixture.lot));
    }
    enter(&fixture, LEAT_WORKERS_MAX - 1);
    wake_all(&fixture);
    CHECK(is_notified(&fixture, LEAT_WORKERS_MAX - 1));
    leat_lot_leave(&fixture.lot, LEAT_WORKERS_MAX - 1);
}

/* So many passes lead to the next one whose system call is repeated. */
static void
next_in_turn(struct fixture *fixture, uint32_t worker)
{
    uint32_t turn = atom_load_rlx(&fixture->lot.turn);
    for (uint32_t i = 1; i < LEAT_WAKE_AGAIN; i++) {
        CHECK(!wake(fixture));
        CHECK_EQUAL(atom_load_rlx(&fixture->lot.turn), turn);
    }
    CHECK(!wake(fixture));
    CHECK_EQUAL(atom_load_rlx(&fixture->lot.turn), worker + 1);
}

static void
wakes_are_repeated_in_turn(void **state)
{
    (void)state;
    static struct fixture fixture;
    setup(&fixture, WORKERS);
    for (uint32_t i = 0; i < TEST_COUNT_OF(some); i++) {
        enter(&fixture, some[i]);
        CHECK(wake(&fixture));
    }
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < TEST_COUNT_OF(some); i++) {
            next_in_turn(&fixture, some[i]);
        }
    }
    /* A wake that reaches somebody does not count. */
    enter(&fixture, 5);
    CHECK(wake(&fixture));
    next_in_turn(&fixture, 0);
    next_in_turn(&fixture, 3);
    next_in_turn(&fixture, 5);
    leat_lot_leave(&fixture.lot, 63);
    next_in_turn(&fixture, 64);
    leat_lot_leave(&fixture.lot, 69);
    next_in_turn(&fixture, 0);
}

static bool
wake_this(struct fixture *fixture, uint32_t worker)
{
    return leat_lot_wake_this(&fixture->lot, &fixture->workers[worker].bed, worker);
}

/* Whoever is meant, and nobody else. */
static void
one_given_is_woken_once(void **state)
{
    (void)state;
    static struct fixture fixture;
    setup(&fixture, WORKERS);
    enter(&fixture, 63);
    CHECK(!wake_this(&fixture, 64));
    CHECK_EQUAL(atom_load_rlx(&fixture.workers[64].bed.word), 64 % 3);
    enter(&fixture, 64);
    CHECK(wake_this(&fixture, 64));
    CHECK(is_notified(&fixture, 64));
    CHECK(!is_notified(&fixture, 63));
    CHECK_EQUAL(atom_load_rlx(&fixture.lot.passes), 0);
    CHECK(!wake_this(&fixture, 64));
    CHECK_EQUAL(atom_load_rlx(&fixture.lot.passes), 1);
    leat_lot_leave(&fixture.lot, 63);
    leat_lot_leave(&fixture.lot, 64);
    CHECK(!wake_this(&fixture, 64));
    CHECK_EQUAL(atom_load_rlx(&fixture.lot.passes), 1);
}

/* ---- sleepers -------------------------------------------------------------------------------- */

static void
sleep_run(void *shared, uint32_t number)
{
    struct fixture *fixture = shared;
    leat_lot_sleep(&fixture->lot, &fixture->workers[number].bed, number);
}

static bool
all_parked(void *argument)
{
    struct fixture *fixture = argument;
    bool parked = true;
    for (uint32_t i = 0; i < leat_lot_count(&fixture->lot); i++) {
        parked = parked && atom_load_rlx(&fixture->workers[i].bed.word) == LEAT_PARKER_PARKED;
    }
    return parked;
}

/* Workers 0 to count - 1 sleep, notified by threads that stopped before their system call. */
static void
sleepers_start(struct fixture *fixture, struct test_threads *threads, uint32_t count)
{
    setup(fixture, count);
    for (uint32_t i = 0; i < count; i++) {
        enter(fixture, i);
    }
    test_threads_start(threads, count, sleep_run, fixture);
    CHECK(test_until(all_parked, fixture));
    /* Time to fall asleep; a sleeper that comes later does not change the outcome. */
    test_sleep_ns(5 * TEST_MS);
    for (uint32_t i = 0; i < count; i++) {
        leat_atomic_u32 *word = &fixture->workers[i].bed.word;
        CHECK_EQUAL(atom_swap_rel(word, LEAT_PARKER_NOTIFIED), LEAT_PARKER_PARKED);
    }
}

static void
frozen_wakes_are_made_good(void **state)
{
    (void)state;
    static struct test_threads threads;
    static struct fixture fixture;
    sleepers_start(&fixture, &threads, 3);
    for (uint32_t i = 0; i < 3 * LEAT_WAKE_AGAIN; i++) {
        CHECK(!wake(&fixture));
    }
    test_threads_join(&threads);
    CHECK(!leat_lot_any(&fixture.lot));
}

static void
a_frozen_wake_of_one_is_made_good(void **state)
{
    (void)state;
    static struct test_threads threads;
    static struct fixture fixture;
    sleepers_start(&fixture, &threads, 1);
    for (uint32_t i = 1; i < LEAT_WAKE_AGAIN; i++) {
        CHECK(!wake_this(&fixture, 0));
    }
    /* Time to wake up, in case. */
    test_sleep_ns(5 * TEST_MS);
    CHECK(leat_lot_any(&fixture.lot));
    CHECK(!wake_this(&fixture, 0));
    test_threads_join(&threads);
    CHECK(!leat_lot_any(&fixture.lot));
}

static void
all_are_woken(void **state)
{
    (void)state;
    static struct test_threads threads;
    static struct fixture fixture;
    sleepers_start(&fixture, &threads, 2);
    wake_all(&fixture);
    test_threads_join(&threads);
    CHECK(!leat_lot_any(&fixture.lot));
    /* Those who have not slept yet, too. */
    setup(&fixture, WORKERS);
    for (uint32_t i = 0; i < WORKERS; i++) {
        enter(&fixture, i);
    }
    CHECK(wake(&fixture));
    wake_all(&fixture);
    for (uint32_t i = 0; i < WORKERS; i++) {
        leat_lot_sleep(&fixture.lot, &fixture.workers[i].bed, i);
    }
    CHECK(!leat_lot_any(&fixture.lot));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_woken_once),
        cmocka_unit_test(every_word_is_looked_at),
        cmocka_unit_test(wakes_are_repeated_in_turn),
        cmocka_unit_test(one_given_is_woken_once),
        cmocka_unit_test(frozen_wakes_are_made_good),
        cmocka_unit_test(a_frozen_wake_of_one_is_made_good),
        cmocka_unit_test(all_are_woken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
