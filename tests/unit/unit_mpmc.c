/* unit_mpmc.c - the ring that the library uses is the one that the build names, and each call of
 * ring/mpmc.h is that ring's: see ring_body.h. */
#include "ring/mpmc.h"

#define RING(name) leat_mpmc##name
#define RING_NAME  "mpmc"
#include "tests/unit/ring_body.h"

static void
slots_are_the_capacity(void **state)
{
    (void)state;
    for (uint32_t log2 = LEAT_RING_SLOTS_LOG2_MIN; log2 <= 6; log2++) {
        struct fixture fixture;
        setup(&fixture, log2, false, 0);
        CHECK_EQUAL(leat_mpmc_slots(&fixture.ring), fixture.slots);
        CHECK_EQUAL(leat_mpmc_bytes(log2), LEAT_MPMC(_bytes)(log2));
        teardown(&fixture);
    }
}

/* Where the ring can tell. */
static void
a_peek_sees_the_next_item(void **state)
{
    (void)state;
    struct fixture fixture;
    uint32_t item = 0;
    setup(&fixture, 2, false, 0);
    CHECK(!leat_mpmc_peek(&fixture.ring, 0, &item));
    push(&fixture);
    CHECK(leat_mpmc_peek(&fixture.ring, 0, &item) == (LEAT_RING == LEAT_RING_PACKED));
    CHECK(LEAT_RING != LEAT_RING_PACKED || item == fixture.items[0]);
    CHECK(!leat_mpmc_peek(&fixture.ring, 1, &item));
    teardown(&fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {RING_TESTS, cmocka_unit_test(slots_are_the_capacity),
                                       cmocka_unit_test(a_peek_sees_the_next_item)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
