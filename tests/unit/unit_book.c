/* unit_book.c - engine/book.h in one thread: an id is written at the end and hands out the one
 * whose place it takes; it is taken where it stands and nowhere else, and put back where nothing
 * else stands; pop takes the oldest, one that came late too, and none from its end on; the count is
 * exact; ages are told at their nanosecond, and looked at a given number of times in an age.
 * Holds I1, I2, I3. */
#include "engine/book.h"
#include "sched/clock.h"
#include "tests/support/check.h"

#define AGE  UINT64_C(80)
#define PART (AGE / LEAT_BOOK_PARTS)

static struct leat_book
book_of(uint32_t max, uint64_t age_ns)
{
    struct leat_book book = {.max = 0};
    CHECK(leat_book_init(&book, max, age_ns));
    CHECK_EQUAL(leat_book_count(&book), 0);
    CHECK_EQUAL(leat_book_end(&book), 0);
    return book;
}

static uint64_t
pop(struct leat_book *book)
{
    return leat_book_pop(book, leat_book_end(book));
}

/* ---- entries --------------------------------------------------------------------------------- */

static void
round_and_round(void **state)
{
    (void)state;
    for (uint32_t max = 1; max <= 3; max++) {
        struct leat_book book = book_of(max, 0);
        for (uint64_t id = 1; id <= 10; id++) {
            CHECK_EQUAL(leat_book_put(&book, id), id > max ? id - max : 0);
            CHECK_EQUAL(leat_book_count(&book), id < max ? id : max);
            CHECK_EQUAL(leat_book_end(&book), id);
            CHECK_EQUAL(leat_book_first(&book), id > max ? id - max : 0);
            CHECK_EQUAL(leat_book_at(&book, id - 1), id);
        }
        leat_book_fini(&book);
    }
}

static void
taken_where_it_stands(void **state)
{
    (void)state;
    struct leat_book book = book_of(2, 0);
    (void)leat_book_put(&book, 1);
    (void)leat_book_put(&book, 2);
    CHECK(!leat_book_take(&book, 0, 2));
    CHECK(!leat_book_take(&book, 1, 1));
    CHECK_EQUAL(leat_book_count(&book), 2);
    CHECK(leat_book_take(&book, 0, 1));
    CHECK_EQUAL(leat_book_count(&book), 1);
    CHECK_EQUAL(leat_book_at(&book, 0), 0);
    CHECK(!leat_book_take(&book, 0, 1));
    CHECK_EQUAL(leat_book_count(&book), 1);
    /* It hands out nothing where one was taken, and the count goes on from there. */
    CHECK_EQUAL(leat_book_put(&book, 3), 0);
    CHECK_EQUAL(leat_book_count(&book), 2);
    CHECK_EQUAL(leat_book_at(&book, 2), 3);
    leat_book_fini(&book);
}

static void
put_back(void **state)
{
    (void)state;
    struct leat_book book = book_of(1, 0);
    (void)leat_book_put(&book, 1);
    CHECK(leat_book_take(&book, 0, 1));
    CHECK(leat_book_untake(&book, 0, 1));
    CHECK_EQUAL(leat_book_at(&book, 0), 1);
    CHECK_EQUAL(leat_book_count(&book), 1);
    CHECK(leat_book_take(&book, 0, 1));
    CHECK_EQUAL(leat_book_put(&book, 2), 0);
    CHECK(!leat_book_untake(&book, 0, 1));
    CHECK_EQUAL(leat_book_at(&book, 0), 2);
    CHECK_EQUAL(leat_book_count(&book), 1);
    leat_book_fini(&book);
}

static void
the_oldest(void **state)
{
    (void)state;
    struct leat_book book = book_of(3, 0);
    CHECK_EQUAL(pop(&book), 0);
    for (uint64_t id = 1; id <= 5; id++) {
        (void)leat_book_put(&book, id);
    }
    CHECK_EQUAL(leat_book_pop(&book, 2), 0); /* 3 stands at 2 */
    CHECK_EQUAL(leat_book_pop(&book, 3), 3);
    CHECK_EQUAL(leat_book_pop(&book, 3), 0);
    CHECK(leat_book_take(&book, 3, 4));
    CHECK_EQUAL(pop(&book), 5);
    CHECK_EQUAL(leat_book_count(&book), 0);
    CHECK_EQUAL(pop(&book), 0);
    CHECK_EQUAL(leat_book_put(&book, 6), 0);
    CHECK_EQUAL(pop(&book), 6);
    leat_book_fini(&book);
}

/* It came back behind the moment at which those in front of it were popped; first it is passed
 * over, with what stands behind it taken, and then found. */
static void
one_that_came_late(void **state)
{
    (void)state;
    struct leat_book book = book_of(4, 0);
    for (uint64_t id = 1; id <= 3; id++) {
        (void)leat_book_put(&book, id);
    }
    CHECK(leat_book_take(&book, 0, 1));
    CHECK_EQUAL(pop(&book), 2);
    CHECK(leat_book_untake(&book, 0, 1));
    CHECK_EQUAL(pop(&book), 3);
    CHECK_EQUAL(pop(&book), 0);
    CHECK_EQUAL(leat_book_count(&book), 1);
    CHECK_EQUAL(pop(&book), 1);
    CHECK_EQUAL(pop(&book), 0);
    CHECK_EQUAL(leat_book_count(&book), 0);
    leat_book_fini(&book);
}

/* The place at which it went on last was written over long ago. */
static void
laps_behind_a_pop(void **state)
{
    (void)state;
    struct leat_book book = book_of(2, 0);
    (void)leat_book_put(&book, 1);
    CHECK_EQUAL(pop(&book), 1);
    for (uint64_t id = 2; id <= 8; id++) {
        (void)leat_book_put(&book, id);
    }
    CHECK_EQUAL(pop(&book), 7);
    CHECK_EQUAL(pop(&book), 8);
    leat_book_fini(&book);
}

/* A place behind `end` is the same as one a lap before: it is not taken for that. */
static void
never_beyond_its_end(void **state)
{
    (void)state;
    struct leat_book book = book_of(2, 0);
    (void)leat_book_put(&book, 1);
    (void)leat_book_put(&book, 2);
    CHECK(leat_book_take(&book, 0, 1));
    CHECK_EQUAL(leat_book_pop(&book, 1), 0);
    CHECK_EQUAL(leat_book_pop(&book, 2), 2);
    leat_book_fini(&book);
}

/* ---- ages ------------------------------------------------------------------------------------ */

static void
to_the_nanosecond(void **state)
{
    (void)state;
    struct leat_book book = book_of(8, AGE);
    (void)leat_book_put(&book, 1);
    CHECK_EQUAL(leat_book_look(&book, 1000), 0);
    (void)leat_book_put(&book, 2);
    CHECK_EQUAL(leat_book_look(&book, 1000 + PART - 1), 0);
    CHECK_EQUAL(book.marked, 1);
    CHECK_EQUAL(leat_book_look(&book, 1000 + PART), 0);
    CHECK_EQUAL(book.marked, 2);
    (void)leat_book_put(&book, 3);
    for (uint64_t i = 2; i < LEAT_BOOK_PARTS; i++) {
        CHECK_EQUAL(leat_book_look(&book, 1000 + i * PART), 0);
    }
    CHECK_EQUAL(leat_book_look(&book, 1000 + AGE), 1);
    CHECK_EQUAL(leat_book_look(&book, 1000 + AGE + PART - 1), 0); /* it is not time */
    CHECK_EQUAL(leat_book_look(&book, 1000 + AGE + PART), 2);
    CHECK_EQUAL(leat_book_look(&book, 1000 + AGE + 2 * PART), 3);
    leat_book_fini(&book);
}

/* Looks that come late, and a clock that is set back: what is told is never more than what was
 * there an age before. */
static void
late_looks(void **state)
{
    (void)state;
    struct leat_book book = book_of(8, AGE);
    (void)leat_book_put(&book, 1);
    (void)leat_book_put(&book, 2);
    CHECK_EQUAL(leat_book_look(&book, 1000), 0);
    (void)leat_book_put(&book, 3);
    CHECK_EQUAL(leat_book_look(&book, 1000 + AGE - 1), 0);
    CHECK_EQUAL(leat_book_look(&book, 1000 + 20 * AGE), 3);
    CHECK_EQUAL(leat_book_look(&book, 900), 0);
    leat_book_fini(&book);
}

/* Marks are written round and round: an age in which there are more looks than marks would lose the
 * oldest, and there is none. */
static void
marks_suffice(void **state)
{
    (void)state;
    struct leat_book book = book_of(64, AGE);
    for (uint64_t i = 0; i < 40; i++) {
        uint64_t old = i < LEAT_BOOK_PARTS ? 0 : i - LEAT_BOOK_PARTS;
        CHECK_EQUAL(leat_book_look(&book, 1000 + i * PART), old);
        (void)leat_book_put(&book, i + 1);
    }
    leat_book_fini(&book);
}

static void
one_looks(void **state)
{
    (void)state;
    struct leat_book book = book_of(8, AGE);
    (void)leat_book_put(&book, 1);
    CHECK_EQUAL(leat_book_look(&book, 1000), 0);
    atom_store_rlx(&book.looking, 1); /* as by another thread */
    CHECK_EQUAL(leat_book_look(&book, 1000 + AGE), 0);
    CHECK_EQUAL(book.marked, 1);
    atom_store_rlx(&book.looking, 0);
    CHECK_EQUAL(leat_book_look(&book, 1000 + AGE), 1);
    CHECK_EQUAL(atom_load_rlx(&book.looking), 0);
    leat_book_fini(&book);
}

static void
no_age(void **state)
{
    (void)state;
    struct leat_book book = book_of(8, 0);
    (void)leat_book_put(&book, 1);
    CHECK_EQUAL(atom_load_rlx(&book.look_ns), LEAT_TIME_NEVER);
    CHECK_EQUAL(leat_book_look(&book, LEAT_TIME_NEVER - 1), 0);
    CHECK_EQUAL(book.marked, 0);
    leat_book_fini(&book);
    struct leat_book none = book_of(0, AGE);
    CHECK_EQUAL(atom_load_rlx(&none.look_ns), LEAT_TIME_NEVER);
    leat_book_fini(&none);
}

/* A new age holds from the next look on, which is at once; not while someone looks. */
static void
another_age(void **state)
{
    (void)state;
    struct leat_book book = book_of(8, 0);
    (void)leat_book_put(&book, 1);
    CHECK(leat_book_age(&book, AGE));
    CHECK_EQUAL(atom_load_rlx(&book.looking), 0);
    CHECK_EQUAL(leat_book_look(&book, 1000), 0);
    CHECK_EQUAL(book.marked, 1);
    CHECK_EQUAL(leat_book_look(&book, 1000 + AGE), 1);
    CHECK(leat_book_age(&book, 2 * AGE));
    CHECK_EQUAL(leat_book_look(&book, 1000 + 2 * AGE - 1), 0);
    CHECK_EQUAL(book.marked, 3);
    atom_store_rlx(&book.looking, 1); /* as by another thread */
    CHECK(!leat_book_age(&book, 0));
    CHECK_EQUAL(book.age_ns, 2 * AGE);
    CHECK_EQUAL(atom_load_rlx(&book.looking), 1);
    atom_store_rlx(&book.looking, 0);
    CHECK(leat_book_age(&book, 0));
    CHECK_EQUAL(atom_load_rlx(&book.look_ns), LEAT_TIME_NEVER);
    leat_book_fini(&book);
    struct leat_book none = book_of(0, 0);
    CHECK(leat_book_age(&none, AGE));
    CHECK_EQUAL(atom_load_rlx(&none.look_ns), LEAT_TIME_NEVER);
    leat_book_fini(&none);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_and_round),
        cmocka_unit_test(taken_where_it_stands),
        cmocka_unit_test(put_back),
        cmocka_unit_test(the_oldest),
        cmocka_unit_test(one_that_came_late),
        cmocka_unit_test(laps_behind_a_pop),
        cmocka_unit_test(never_beyond_its_end),
        cmocka_unit_test(to_the_nanosecond),
        cmocka_unit_test(late_looks),
        cmocka_unit_test(marks_suffice),
        cmocka_unit_test(one_looks),
        cmocka_unit_test(no_age),
        cmocka_unit_test(another_age),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
