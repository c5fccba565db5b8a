/* unit_scq.c - the SCQ ring in one thread, see ring_body.h; leat_scq_check() can say no to I1 and
 * I2, two slots are there for each item, and pops in vain end when the threshold does. */
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

/* Positions that pops in vain have taken: one each, as long as the threshold lasts. The tail comes
 * with them. */
static void
pops_in_vain_end(void **state)
{
    (void)state;
    struct fixture fixture;
    setup(&fixture, 2, false, 0);
    struct leat_scq *ring = &fixture.ring;
    const uint64_t most = 3 * (uint64_t)fixture.slots - 1;
    pop(&fixture);
    CHECK_EQUAL(atom_load_rlx(&ring->head), 0); /* rlx: not shared yet */
    push(&fixture);
    CHECK_EQUAL(atom_load_rlx(&ring->threshold), most); /* rlx: not shared yet */
    pop(&fixture);
    for (uint64_t i = 1; i <= 2 * most; i++) {
        pop(&fixture);
        uint64_t head = i <= most + 1 ? 1 + i : 2 + most;
        CHECK_EQUAL(atom_load_rlx(&ring->head), head); /* rlx: not shared yet */
        CHECK_EQUAL(atom_load_rlx(&ring->tail), head); /* rlx: not shared yet */
    }
    push(&fixture);
    CHECK_EQUAL(atom_load_rlx(&ring->threshold), most); /* rlx: not shared yet */
    teardown(&fixture);
}

/* A slot that a late pop marked is used again, and clean then, if its pop has yet to come. */
static void
marked_slots_are_used(void **state)
{
    (void)state;
    struct fixture fixture;
    setup(&fixture, 2, false, 0);
    struct leat_scq *ring = &fixture.ring;
    for (uint32_t i = 0; i < 2 * fixture.slots; i++) {
        atom_store_rlx(&ring->slots.words[i], LEAT_SCQ_UNSAFE); /* rlx: not shared yet */
    }
    push(&fixture);
    CHECK_EQUAL(atom_load_rlx(&ring->tail), 1); /* rlx: not shared yet */
    pop(&fixture);
    CHECK_EQUAL(atom_load_rlx(&ring->slots.words[0]), LEAT_SCQ_CYCLE_ONE); /* rlx: not shared yet */
    /* The pop of position 1 has been and gone. */
    (void)atom_add_rlx(&ring->head, 1); /* rlx: not shared yet */
    CHECK(leat_scq_push(ring, 5));
    CHECK_EQUAL(atom_load_rlx(&ring->tail), 3); /* rlx: not shared yet */
    free(fixture.memory);
}

/* A pop that comes when its slot is in use for a later lap leaves it alone. */
static void
later_laps_are_left_alone(void **state)
{
    (void)state;
    struct fixture fixture;
    uint32_t item = 0;
    setup(&fixture, 2, false, 0);
    push(&fixture);
    leat_atomic_u64 *slot = &fixture.ring.slots.words[0];
    uint64_t word = atom_load_rlx(slot) + LEAT_SCQ_CYCLE_ONE; /* rlx: not shared yet */
    atom_store_rlx(slot, word);                               /* rlx: not shared yet */
    CHECK(!leat_scq_pop(&fixture.ring, &item));
    CHECK_EQUAL(atom_load_rlx(slot), word); /* rlx: not shared yet */
    free(fixture.memory);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        RING_TESTS, cmocka_unit_test(pops_in_vain_end), cmocka_unit_test(marked_slots_are_used),
        cmocka_unit_test(later_laps_are_left_alone), cmocka_unit_test(check_can_say_no)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
