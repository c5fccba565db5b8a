/* unit_scq.c - the SCQ ring in one thread, see ring_body.h; leat_scq_check() can say no to I1 and
 * I2, and two slots are there for each item. */
#include "ring/scq.h"

#define RING(name)                 leat_scq##name
#define RING_NAME                  "scq"
#define RING_TURN_WRAP(slots_log2) ((UINT64_C(1) << (LEAT_SCQ_CYCLE_BITS + 1 + (slots_log2))) - 3)
#include "tests/unit/ring_body.h"

static void
check_can_say_no(void **state)
{
    (void)state;
    struct fixture fixture;
    setup(&fixture, 2, false, 0);
    push(&fixture);
    struct leat_scq *ring = &fixture.ring;
    complains(&fixture, "");
    (void)atom_sub_rlx(&ring->room, 1); /* rlx: not shared yet */
    complains(&fixture, "I1");
    (void)atom_add_rlx(&ring->room, 1); /* rlx: not shared yet */
    (void)atom_sub_rlx(&ring->tail, 1); /* rlx: not shared yet */
    complains(&fixture, "I2");
    (void)atom_add_rlx(&ring->tail, 1); /* rlx: not shared yet */
    for (uint32_t i = 0; i < 2 * fixture.slots; i++) {
        uint64_t word = atom_load_rlx(&ring->slots.words[i]); /* rlx: not shared yet */
        /* rlx: not shared yet */
        atom_store_rlx(&ring->slots.words[i], word + LEAT_SCQ_CYCLE_ONE);
        complains(&fixture, "I2");
        atom_store_rlx(&ring->slots.words[i], word); /* rlx: not shared yet */
    }
    CHECK(leat_scq_bytes(6) > sizeof(uint64_t) << 7);
    teardown(&fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {RING_TESTS, cmocka_unit_test(check_can_say_no)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
