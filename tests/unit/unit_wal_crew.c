/* unit_wal_crew.c - threads that help who reads: each part is done once, whoever does it, and comes
 * back in the order in which it was laid, with what was left in its place; an errand is done once;
 * what is dropped is not done any more; helpers have all signals blocked, and are gone behind the
 * end; and where the system gives no thread, all is done all the same. Holds I1 and I2 of
 * crew.h; what is plain data in a place is for ThreadSanitizer. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/wal/crew.h"
#include "tests/support/check.h"
#include "tests/support/forbid.h"
#include "tests/support/process.h"
#include "tests/support/threads.h"

#define ROUNDS 100
#define PARTS  40

/* Letters: O the owner before it lays and behind it comes back, else who does the part; S. */
struct place {
    uint64_t given; /* O */
    uint64_t made;  /* O */
};

struct fixture {
    struct leat_wal_crew crew;
    struct place places[LEAT_WAL_CREW_PLACES];
    uint64_t errand;         /* O of who does it */
    leat_atomic_u64 done;    /* S parts */
    leat_atomic_u64 helped;  /* S of them by helpers */
    leat_atomic_u32 within;  /* S helpers that are doing one, and who is at the errand */
    leat_atomic_u32 slow;    /* W the owner: they take their time */
    leat_atomic_u32 signals; /* S helpers that had one not blocked */
    pthread_t owner;
};

static void
signals_look(struct fixture *fixture)
{
    sigset_t blocked;
    CHECK_EQUAL(pthread_sigmask(SIG_BLOCK, NULL, &blocked), 0);
    bool all = sigismember(&blocked, SIGINT) == 1 && sigismember(&blocked, SIGTERM) == 1 &&
               sigismember(&blocked, SIGALRM) == 1 && sigismember(&blocked, SIGUSR1) == 1;
    (void)atom_add_rlx(&fixture->signals, all ? 0 : 1);
}

static void
part(void *context, uint32_t place)
{
    struct fixture *fixture = context;
    struct place *mine = &fixture->places[place];
    const uint32_t helper = pthread_equal(pthread_self(), fixture->owner) == 0 ? 1 : 0;
    (void)atom_add_rlx(&fixture->within, helper);
    if (helper != 0) {
        signals_look(fixture);
        (void)atom_add_rlx(&fixture->helped, 1);
        if (atom_load_rlx(&fixture->slow) != 0) {
            (void)usleep(50000);
        }
    }
    for (uint64_t i = 0; i < mine->given % 7; i++) {
        (void)sched_yield();
    }
    mine->made = mine->given * 3 + 1;
    (void)atom_add_rlx(&fixture->done, 1);
    (void)atom_sub_rlx(&fixture->within, helper);
}

static void
errand(void *context)
{
    struct fixture *fixture = context;
    (void)atom_add_rlx(&fixture->within, 1);
    if (atom_load_rlx(&fixture->slow) != 0) {
        (void)usleep(200000);
    }
    fixture->errand++;
    (void)atom_sub_rlx(&fixture->within, 1);
}

static struct fixture *
setup(uint32_t threads)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    CHECK(fixture != NULL);
    const struct leat_wal_crew_work work = {part, errand, fixture};
    fixture->owner = pthread_self();
    leat_wal_crew_init(&fixture->crew, threads, &work);
    return fixture;
}

static void
teardown(struct fixture *fixture, uint32_t threads_before)
{
    leat_wal_crew_fini(&fixture->crew);
    CHECK(test_threads_are(threads_before));
    CHECK_EQUAL(atom_load_rlx(&fixture->signals), 0);
    free(fixture);
}

/* Lays as many as there are places for, up to `end`. Returns the next one's number. */
static uint64_t
lay(struct fixture *fixture, uint64_t next, uint64_t end)
{
    uint32_t place = leat_wal_crew_place(&fixture->crew);
    while (place != LEAT_WAL_CREW_PLACES && next < end) {
        fixture->places[place] = (struct place){.given = next++};
        leat_wal_crew_lay(&fixture->crew);
        place = leat_wal_crew_place(&fixture->crew);
    }
    return next;
}

/* All parts of a round come back, in order. */
static void
round_run(struct fixture *fixture, uint64_t from)
{
    uint64_t next = lay(fixture, from, from + PARTS);
    uint64_t number = from;
    uint32_t place = 0;
    CHECK(next - from <= fixture->crew.places);
    for (; leat_wal_crew_back(&fixture->crew, &place); number++) {
        CHECK_EQUAL(fixture->places[place].given, number);
        CHECK_EQUAL(fixture->places[place].made, number * 3 + 1);
        next = lay(fixture, next, from + PARTS);
    }
    CHECK_EQUAL(number, from + PARTS);
}

/* More of them while no helper has had the CPU. */
static bool
goes_on(struct fixture *fixture, uint64_t rounds, uint32_t helpers, uint64_t deadline_ns)
{
    bool waits = helpers != 0 && atom_load_rlx(&fixture->helped) == 0;
    CHECK(rounds < ROUNDS || !waits || test_now_ns() < deadline_ns);
    return rounds < ROUNDS || waits;
}

static void
in_order(void **state)
{
    (void)state;
    for (uint32_t threads = 0; threads <= LEAT_WAL_CREW_MAX + 1; threads++) {
        uint32_t before = test_thread_count();
        struct fixture *fixture = setup(threads);
        uint32_t helpers = threads < 2 ? 0 : threads - 1;
        helpers = helpers < LEAT_WAL_CREW_MAX ? helpers : LEAT_WAL_CREW_MAX - 1;
        CHECK_EQUAL(fixture->crew.places, 2 * (helpers + 1));
        uint64_t deadline_ns = test_now_ns() + TEST_PATIENCE_NS;
        uint64_t rounds = 0;
        for (; goes_on(fixture, rounds, helpers, deadline_ns); rounds++) {
            CHECK(test_threads_are(before + (rounds == 0 ? 0 : helpers)));
            leat_wal_crew_send(&fixture->crew);
            round_run(fixture, rounds * PARTS);
            leat_wal_crew_fetch(&fixture->crew);
            CHECK_EQUAL(fixture->errand, rounds + 1);
        }
        CHECK_EQUAL(atom_load_rlx(&fixture->done), rounds * PARTS);
        CHECK_EQUAL(atom_load_rlx(&fixture->helped) != 0, helpers != 0);
        teardown(fixture, before);
    }
}

/* What is dropped was done once or never, and what comes behind it is as ever. */
static void
dropped(void **state)
{
    (void)state;
    for (uint32_t threads = 1; threads <= LEAT_WAL_CREW_MAX; threads += 3) {
        uint32_t before = test_thread_count();
        struct fixture *fixture = setup(threads);
        for (uint64_t i = 0; i < ROUNDS; i++) {
            uint32_t place = 0;
            uint64_t done = atom_load_rlx(&fixture->done);
            uint64_t laid = lay(fixture, 0, PARTS);
            CHECK(leat_wal_crew_back(&fixture->crew, &place));
            leat_wal_crew_drop(&fixture->crew);
            CHECK(!leat_wal_crew_back(&fixture->crew, &place));
            uint64_t more = atom_load_rlx(&fixture->done) - done;
            CHECK(more >= 1 && more <= laid);
            round_run(fixture, i);
        }
        (void)lay(fixture, 0, PARTS);
        leat_wal_crew_send(&fixture->crew);
        teardown(fixture, before);
    }
}

static bool
is_within(void *argument)
{
    return atom_load_rlx(&((struct fixture *)argument)->within) != 0;
}

/* A part that a helper has begun is waited for: its place is used anew. */
static void
dropped_in_the_middle(void **state)
{
    (void)state;
    uint32_t before = test_thread_count();
    struct fixture *fixture = setup(2);
    atom_store_rlx(&fixture->slow, 1);
    for (uint64_t i = 0; i < 3; i++) {
        (void)lay(fixture, 0, PARTS);
        CHECK(test_until(is_within, fixture));
        leat_wal_crew_drop(&fixture->crew);
        CHECK_EQUAL(atom_load_rlx(&fixture->within), 0);
    }
    teardown(fixture, before);
}

/* Who comes for an errand that a helper has begun waits for it, and does not do it once more. */
static void
an_errand_under_way(void **state)
{
    uint32_t before = test_thread_count();
    struct fixture *fixture = setup(2);
    (void)state;
    round_run(fixture, 0); /* the helper is there */
    atom_store_rlx(&fixture->slow, 1);
    leat_wal_crew_send(&fixture->crew);
    CHECK(test_until(is_within, fixture));
    leat_wal_crew_fetch(&fixture->crew);
    CHECK_EQUAL(atom_load_rlx(&fixture->within), 0);
    CHECK_EQUAL(fixture->errand, 1);
    teardown(fixture, before);
}

/* An errand that nobody has begun when the end comes is not done. */
static void
an_errand_in_vain(void **state)
{
    uint32_t before = test_thread_count();
    struct fixture *fixture = setup(1);
    (void)state;
    leat_wal_crew_send(&fixture->crew);
    leat_wal_crew_fini(&fixture->crew);
    CHECK_EQUAL(fixture->errand, 0);
    CHECK(test_threads_are(before));
    free(fixture);
}

static void
no_threads_body(void *argument)
{
    static const uint32_t calls[] = {SYS_clone, SYS_clone3};
    struct fixture *fixture = setup(LEAT_WAL_CREW_MAX);
    (void)argument;
    uint32_t before = test_thread_count();
    test_forbid(calls, TEST_COUNT_OF(calls), EAGAIN);
    for (uint64_t i = 0; i < ROUNDS; i++) {
        leat_wal_crew_send(&fixture->crew);
        round_run(fixture, i * PARTS);
        leat_wal_crew_fetch(&fixture->crew);
    }
    CHECK_EQUAL(fixture->crew.wanted, 0); /* and it is not tried again */
    CHECK_EQUAL(fixture->errand, ROUNDS);
    CHECK_EQUAL(atom_load_rlx(&fixture->done), ROUNDS * PARTS);
    CHECK_EQUAL(atom_load_rlx(&fixture->helped), 0);
    teardown(fixture, before);
}

static void
no_threads(void **state)
{
    (void)state;
    test_child(no_threads_body, NULL);
}

/* One part alone needs nobody. */
static void
a_small_log(void **state)
{
    uint32_t before = test_thread_count();
    struct fixture *fixture = setup(LEAT_WAL_CREW_MAX);
    uint32_t place = 0;
    (void)state;
    for (uint64_t i = 0; i < 100; i++) {
        CHECK_EQUAL(lay(fixture, i, i + 1), i + 1);
        CHECK(leat_wal_crew_back(&fixture->crew, &place));
        CHECK_EQUAL(fixture->places[place].made, i * 3 + 1);
        CHECK(test_threads_are(before));
    }
    teardown(fixture, before);
}

static void
nothing(void *shared, uint32_t number)
{
    (void)shared;
    (void)number;
}

int
main(void)
{
    test_threads_run(1, nothing, NULL); /* a sanitizer's own thread comes with the first one */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_order),
        cmocka_unit_test(dropped),
        cmocka_unit_test(dropped_in_the_middle),
        cmocka_unit_test(an_errand_under_way),
        cmocka_unit_test(an_errand_in_vain),
        cmocka_unit_test(no_threads),
        cmocka_unit_test(a_small_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
