/* turn.c - the parts of the turn-per-slot ring that are not on the plain path, see turn.h. */
#include "ring/turn.h"

size_t
leat_turn_bytes(uint32_t slots_log2)
{
    return leat_slots_bytes(slots_log2);
}

void
leat_turn_init(struct leat_turn *ring, const struct leat_ring_config *config)
{
    leat_slots_init(&ring->slots, config);
    atom_init(&ring->tail, config->start);
    atom_init(&ring->head, config->start);
}

uint64_t
leat_turn_count(const struct leat_turn *ring)
{
    /* turn_count:A acquire -> turn_pop:B.  Carries: what each consumer wrote before its pop; a tail
     * that is not behind the head.
     * If relaxed: see turn_pop:B; the difference could be negative. */
    uint64_t head = atom_load_acq(&ring->head);
    uint64_t tail = atom_load_rlx(&ring->tail); /* rlx: ordered by turn_count:A */
    uint64_t count = tail - head;
    /* The tail is younger than the head: pushes and pops in between can lift it above. */
    return count > ring->slots.mask + 1 ? ring->slots.mask + 1 : count;
}

bool
leat_turn_check(const struct leat_turn *ring, FILE *why)
{
    uint64_t head = atom_load_rlx(&ring->head); /* rlx: not shared yet */
    uint64_t tail = atom_load_rlx(&ring->tail); /* rlx: not shared yet */
    return leat_slots_check(&ring->slots, head, tail, why);
}
