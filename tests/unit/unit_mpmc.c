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

int
main(void)
{
    const struct CMUnitTest tests[] = {RING_TESTS, cmocka_unit_test(slots_are_the_capacity)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
