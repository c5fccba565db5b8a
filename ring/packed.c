/* packed.c - the parts of the packed-slot ring that are not on the plain path, see packed.h. */
#include "ring/packed.h"

/* Of a search in a ring that nobody changes: one finds the position, the next sees that it is. */
#define CHECK_ROUNDS 2

size_t
leat_packed_bytes(uint32_t slots_log2)
{
    return leat_slots_bytes(slots_log2);
}

void
leat_packed_init(struct leat_packed *ring, const struct leat_ring_config *config)
{
    leat_slots_init(&ring->slots, config);
    atom_init(&ring->tail, config->start);
    atom_init(&ring->head, config->start);
}

/* The last position at which a slot was used, seen from a position that it is ahead of: the use
 * there, and one a lap later for each two turns more. */
static uint64_t
last_use(const struct leat_slots *slots, uint64_t position, int64_t ahead)
{
    return position + ((uint64_t)(ahead - 1) >> 1 << slots->log2);
}

/* How far the slot of a position is ahead of its use; > 0: it was used. */
static int64_t
ahead_at(const struct leat_slots *slots, uint64_t position, enum leat_packed_side side)
{
    /* used:A sc -> push:C, pop:C.  Orders: as push:C.  Carries: that the position was used, and
     * all before it.
     * If relaxed: the slot behind it could be seen as it was before that. */
    uint64_t word = atom_load_sc(leat_slots_at(slots, position));
    return leat_slot_ahead(word, leat_slots_turn(slots, position) + side);
}

/* In steps that double while slots were used, then halve again: a hint that is one behind costs one
 * look, one that is laps behind twice log2(slots). Both loops are bounded by log2(slots). */
uint64_t
leat_packed_find(const struct leat_slots *slots, uint64_t position, int64_t ahead,
                 enum leat_packed_side side)
{
    uint64_t used = last_use(slots, position, ahead);
    uint64_t step = 1;
    ahead = ahead_at(slots, used + step, side);
    while (ahead > 0 && step <= slots->mask) {
        used = last_use(slots, used + step, ahead);
        step <<= 1;
        ahead = ahead_at(slots, used + step, side);
    }
    while (step > 1) {
        step >>= 1;
        ahead = ahead_at(slots, used + step, side);
        if (ahead > 0) {
            used = last_use(slots, used + step, ahead);
        }
    }
    return used + 1;
}

/* The true position of a side at a moment in the call. Each round but the first means that others
 * went on, or that the slots contradict each other: who suspects that gives a bound. */
static uint64_t
true_position(const struct leat_packed *ring, enum leat_packed_side side, uint64_t rounds)
{
    const leat_atomic_u64 *hint = side == LEAT_PACKED_PUSH ? &ring->tail : &ring->head;
    /* where:A acquire -> hint:A.  Carries: see hint:A.
     * If relaxed: see hint:A. */
    uint64_t position = atom_load_acq(hint);
    for (uint64_t i = 0; i < rounds; i++) {
        int64_t ahead = ahead_at(&ring->slots, position, side);
        if (ahead <= 0) {
            break;
        }
        position = leat_packed_find(&ring->slots, position, ahead, side);
    }
    return position;
}

/* From head to tail, which are known modulo 2^35 laps. */
static uint64_t
distance(const struct leat_packed *ring, uint64_t head, uint64_t tail)
{
    return (tail - head) & ((UINT64_C(1) << (LEAT_TURN_BITS - 1 + ring->slots.log2)) - 1);
}

uint64_t
leat_packed_count(const struct leat_packed *ring)
{
    uint64_t head = true_position(ring, LEAT_PACKED_POP, UINT64_MAX);
    uint64_t tail = true_position(ring, LEAT_PACKED_PUSH, UINT64_MAX);
    uint64_t count = distance(ring, head, tail);
    /* The tail is younger than the head: pushes and pops in between can lift it above. */
    return count > ring->slots.mask + 1 ? ring->slots.mask + 1 : count;
}

/* A hint that is ahead is taken for the true position, and the slots say otherwise. */
bool
leat_packed_check(const struct leat_packed *ring, FILE *why)
{
    uint64_t head = true_position(ring, LEAT_PACKED_POP, CHECK_ROUNDS);
    uint64_t tail = true_position(ring, LEAT_PACKED_PUSH, CHECK_ROUNDS);
    return leat_slots_check(&ring->slots, head, head + distance(ring, head, tail), why);
}
