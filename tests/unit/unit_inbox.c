/* unit_inbox.c - the inbox in one thread: a push says whether it was the first, a take gives all,
 * newest first, and leaves nothing; a record may come back at once; what is closed takes nothing.
 * Holds I1; shows that
 * leat_inbox_check() can say no. */
#include <stdio.h>
#include <string.h>

#include "ring/inbox.h"
#include "tests/support/check.h"

#define RECORDS 10

struct fixture {
    struct leat_inbox inbox;
    leat_atomic_u32 links[RECORDS];
};

static leat_atomic_u32 *
link_of(void *context, uint32_t index)
{
    struct fixture *fixture = context;
    CHECK(index < RECORDS);
    return &fixture->links[index];
}

static void
setup(struct fixture *fixture)
{
    leat_inbox_init(&fixture->inbox);
    for (uint32_t i = 0; i < RECORDS; i++) {
        atom_init(&fixture->links[i], i);
    }
}

static bool
check(struct fixture *fixture, uint32_t most, FILE *why)
{
    return leat_inbox_check(&fixture->inbox, link_of, fixture, most, why);
}

static bool
push(struct fixture *fixture, uint32_t index)
{
    return leat_inbox_push(&fixture->inbox, &fixture->links[index], index);
}

/* Takes all; they are the `count` records below `from`. */
static void
take_down_from(struct fixture *fixture, uint32_t from, uint32_t count)
{
    uint32_t index = leat_inbox_take(&fixture->inbox);
    for (uint32_t i = 1; i <= count; i++) {
        CHECK_EQUAL(index, from - i);
        index = atom_load_rlx(&fixture->links[index]);
    }
    CHECK_EQUAL(index, LEAT_INDEX_NONE);
    CHECK(!leat_inbox_ready(&fixture->inbox));
    CHECK(check(fixture, 0, stderr));
}

static void
all_are_taken_newest_first(void **state)
{
    (void)state;
    struct fixture fixture;
    setup(&fixture);
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t count = 0; count <= RECORDS; count++) {
            for (uint32_t i = 0; i < count; i++) {
                CHECK_EQUAL(push(&fixture, i), i == 0);
                CHECK(leat_inbox_ready(&fixture.inbox));
                CHECK(check(&fixture, i + 1, stderr));
            }
            take_down_from(&fixture, count, count);
        }
    }
}

/* Closing takes what was offered; what comes later is refused, until it is opened. */
static void
offers_end_with_the_close(void **state)
{
    (void)state;
    struct fixture fixture;
    setup(&fixture);
    for (uint32_t count = 0; count < RECORDS; count++) {
        leat_inbox_open(&fixture.inbox);
        for (uint32_t i = 0; i < count; i++) {
            CHECK(leat_inbox_offer(&fixture.inbox, &fixture.links[i], i));
        }
        CHECK_EQUAL(leat_inbox_ready(&fixture.inbox), count != 0);
        leat_inbox_open(&fixture.inbox); /* it was: nothing is lost */
        uint32_t index = leat_inbox_close(&fixture.inbox);
        for (uint32_t i = count; i-- > 0;) {
            CHECK_EQUAL(index, i);
            index = atom_load_rlx(&fixture.links[index]);
        }
        CHECK_EQUAL(index, LEAT_INDEX_NONE);
        CHECK(!leat_inbox_offer(&fixture.inbox, &fixture.links[0], 0));
        CHECK(!leat_inbox_ready(&fixture.inbox));
        CHECK(check(&fixture, 0, stderr));
        CHECK_EQUAL(leat_inbox_close(&fixture.inbox), LEAT_INDEX_NONE);
    }
}

/* Index 2^26 - 2 is the last there can be. */
static void
the_last_index(void **state)
{
    (void)state;
    struct leat_inbox inbox;
    leat_atomic_u32 links[2];
    leat_inbox_init(&inbox);
    CHECK(leat_inbox_push(&inbox, &links[0], LEAT_INDEX_NONE - 1));
    CHECK(!leat_inbox_push(&inbox, &links[1], 0));
    CHECK_EQUAL(leat_inbox_take(&inbox), 0);
    CHECK_EQUAL(atom_load_rlx(&links[1]), LEAT_INDEX_NONE - 1);
    CHECK_EQUAL(atom_load_rlx(&links[0]), LEAT_INDEX_NONE);
    CHECK_EQUAL(leat_inbox_take(&inbox), LEAT_INDEX_NONE);
}

static void
check_can_say_no(void **state)
{
    (void)state;
    struct fixture fixture;
    char text[200];
    setup(&fixture);
    for (uint32_t i = 0; i < 4; i++) {
        (void)push(&fixture, i);
    }
    CHECK(check(&fixture, 4, NULL));
    /* More than there can be, or a circle. */
    CHECK(!check(&fixture, 3, NULL));
    atom_store_rlx(&fixture.links[1], 3);
    FILE *why = test_why();
    CHECK(!check(&fixture, RECORDS, why));
    test_why_read(why, text, sizeof(text));
    CHECK(strstr(text, "I1") != NULL);
    /* An index that is none. */
    atom_store_rlx(&fixture.links[1], LEAT_INDEX_NONE + 1);
    CHECK(!check(&fixture, RECORDS, NULL));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_are_taken_newest_first),
        cmocka_unit_test(offers_end_with_the_close),
        cmocka_unit_test(the_last_index),
        cmocka_unit_test(check_can_say_no),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
