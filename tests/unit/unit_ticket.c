/* unit_ticket.c - the ticket ring in one thread, see ring_body.h; leat_ticket_check() can say no
 * to I1, I2 and I3. */
#include "ring/ticket.h"

#define RING(name) leat_ticket##name
#define RING_NAME  "ticket"
#include "tests/unit/ring_body.h"

static void
check_can_say_no(void **state)
{
    (void)state;
    struct fixture fixture;
    setup(&fixture, 2, false, 0);
    push(&fixture);
    struct leat_ticket *ring = &fixture.ring;
    complains(&fixture, "");
    atom_store_rlx(&ring->tail.tickets, 5); /* rlx: not shared yet */
    complains(&fixture, "I1");
    atom_store_rlx(&ring->tail.tickets, UINT64_MAX); /* rlx: not shared yet */
    complains(&fixture, "I1");
    /* Within the limits of I1, but the slot says otherwise. */
    atom_store_rlx(&ring->tail.tickets, 2); /* rlx: not shared yet */
    complains(&fixture, "I2");
    atom_store_rlx(&ring->tail.tickets, 1); /* rlx: not shared yet */
    leat_atomic_u64 *words[] = {&ring->tail.credits, &ring->head.credits, &ring->head.seen};
    for (size_t i = 0; i < TEST_COUNT_OF(words); i++) {
        (void)atom_add_rlx(words[i], 2); /* rlx: not shared yet */
        complains(&fixture, "I3");
        (void)atom_sub_rlx(words[i], 2); /* rlx: not shared yet */
    }
    for (uint32_t i = 0; i < fixture.slots; i++) {
        uint64_t word = atom_load_rlx(&ring->slots.words[i]); /* rlx: not shared yet */
        /* rlx: not shared yet */
        atom_store_rlx(&ring->slots.words[i], word + (UINT64_C(1) << LEAT_ITEM_BITS));
        complains(&fixture, "I2");
        atom_store_rlx(&ring->slots.words[i], word); /* rlx: not shared yet */
    }
    teardown(&fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {RING_TESTS, cmocka_unit_test(check_can_say_no)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
