/* unit_parker.c - the parker where the outcome does not depend on time: what a notify answers,
 * waits that end at once, deadlines, and sleepers that are woken by a notify, or by the repeated
 * call where the first one never came. Holds I1; shows that leat_parker_check() can say no. */
#include <stdio.h>

#include "ring/parker.h"
#include "tests/support/check.h"
#include "tests/support/threads.h"

static uint32_t
word_of(struct leat_parker *parker)
{
    return atom_load_rlx(&parker->word);
}

static void
notified_before_the_wait(void **state)
{
    (void)state;
    struct leat_parker parker;
    for (uint32_t round = 0; round < 3; round++) {
        leat_parker_prepare(&parker);
        CHECK_EQUAL(word_of(&parker), LEAT_PARKER_EMPTY);
        CHECK(!leat_parker_notified(&parker));
        CHECK(leat_parker_notify(&parker));
        CHECK(leat_parker_notified(&parker));
        CHECK(!leat_parker_notify(&parker));
        CHECK(leat_parker_wait(&parker, UINT64_MAX));
        /* It stays so, for those who come later. */
        CHECK(leat_parker_wait(&parker, UINT64_MAX));
        CHECK(!leat_parker_notify(&parker));
        CHECK(leat_parker_check(&parker, stderr));
    }
}

static void
deadlines(void **state)
{
    (void)state;
    struct leat_parker parker;
    leat_parker_prepare(&parker);
    CHECK(!leat_parker_wait(&parker, 0));
    CHECK(!leat_parker_notified(&parker));
    uint64_t deadline_ns = leat_os_deadline_ns(TEST_MS);
    CHECK(!leat_parker_wait(&parker, deadline_ns));
    CHECK(leat_os_monotonic_ns() >= deadline_ns);
    CHECK_EQUAL(word_of(&parker), LEAT_PARKER_PARKED);
    /* A notification that comes too late for the wait, and one that is in time. */
    CHECK(leat_parker_notify(&parker));
    CHECK(leat_parker_wait(&parker, 0));
    leat_parker_prepare(&parker);
    CHECK(!leat_parker_wait(&parker, 0));
    CHECK(leat_parker_check(&parker, stderr));
}

/* ---- sleepers -------------------------------------------------------------------------------- */

static void
sleep_until_told(void *shared, uint32_t number)
{
    struct leat_parker *parkers = shared;
    CHECK(leat_parker_wait(&parkers[number], UINT64_MAX));
}

static bool
is_parked(void *argument)
{
    return word_of(argument) == LEAT_PARKER_PARKED;
}

static void
sleeper_wakes(bool by_again)
{
    struct leat_parker parker;
    static struct test_threads threads;
    leat_parker_prepare(&parker);
    test_threads_start(&threads, 1, sleep_until_told, &parker);
    CHECK(test_until(is_parked, &parker));
    /* Time to fall asleep; a sleeper that comes later does not change the outcome. */
    test_sleep_ns(5 * TEST_MS);
    /* For nothing: it sleeps on. */
    leat_parker_again(&parker);
    test_sleep_ns(TEST_MS);
    CHECK_EQUAL(word_of(&parker), LEAT_PARKER_PARKED);
    if (by_again) {
        /* A notify that stops before its system call. */
        CHECK_EQUAL(atom_swap_rel(&parker.word, LEAT_PARKER_NOTIFIED), LEAT_PARKER_PARKED);
        CHECK(!leat_parker_notify(&parker));
        leat_parker_again(&parker);
    } else {
        CHECK(leat_parker_notify(&parker));
    }
    test_threads_join(&threads);
    CHECK(leat_parker_check(&parker, stderr));
}

static void
a_sleeper_is_woken(void **state)
{
    (void)state;
    sleeper_wakes(false);
}

static void
a_wake_is_made_good(void **state)
{
    (void)state;
    sleeper_wakes(true);
}

static void
check_can_say_no(void **state)
{
    (void)state;
    struct leat_parker parker;
    atom_init(&parker.word, LEAT_PARKER_NOTIFIED + 1);
    CHECK(!leat_parker_check(&parker, NULL));
    char text[200];
    FILE *why = test_why();
    CHECK(!leat_parker_check(&parker, why));
    test_why_read(why, text, sizeof(text));
    CHECK(text[0] != '\0');
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(notified_before_the_wait), cmocka_unit_test(deadlines),
        cmocka_unit_test(a_sleeper_is_woken),       cmocka_unit_test(a_wake_is_made_good),
        cmocka_unit_test(check_can_say_no),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
