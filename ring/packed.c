/* packed.c - the parts of the packed-slot ring that are not on the plain path, see packed.h. */
#include "ring/packed.h"

#include <inttypes.h>

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
    /* used:A acquire -> push:C, pop:C.  Carries: that the position was used, and all before it.
     * If relaxed: the slot behind it could be seen as it was before that. */
    uint64_t word = atom_load_acq(leat_slots_at(slots, position));
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

/* The true position of a side at a moment in the call. */
static uint64_t
true_position(const struct leat_packed *ring, enum leat_packed_side side)
{
    const leat_atomic_u64 *hint = side == LEAT_PACKED_PUSH ? &ring->tail : &ring->head;
    /* where:A acquire -> hint:A.  Carries: see hint:A.
     * If relaxed: see hint:A. */
    uint64_t position = atom_load_acq(hint);
    for (;;) {
        int64_t ahead = ahead_at(&ring->slots, position, side);
        if (ahead <= 0) {
            return position;
        }
        position = leat_packed_find(&ring->slots, position, ahead, side);
    }
}

uint64_t
leat_packed_count(const struct leat_packed *ring)
{
    uint64_t head = true_position(ring, LEAT_PACKED_POP);
    uint64_t count = true_position(ring, LEAT_PACKED_PUSH) - head;
    /* The tail is younger than the head: pushes and pops in between can lift it above. */
    return count > ring->slots.mask + 1 ? ring->slots.mask + 1 : count;
}

bool
leat_packed_check(const struct leat_packed *ring, FILE *why)
{
    uint64_t head = true_position(ring, LEAT_PACKED_POP);
    uint64_t tail = true_position(ring, LEAT_PACKED_PUSH);
    uint64_t head_hint = atom_load_rlx(&ring->head); /* rlx: not shared yet */
    uint64_t tail_hint = atom_load_rlx(&ring->tail); /* rlx: not shared yet */
    if ((int64_t)(head - head_hint) < 0 || (int64_t)(tail - tail_hint) < 0) {
        if (why != NULL) {
            (void)fprintf(why,
                          "packed: I3: hints %" PRIu64 " and %" PRIu64 " ahead of %" PRIu64
                          " and %" PRIu64 "\n",
                          head_hint, tail_hint, head, tail);
        }
        return false;
    }
    return leat_slots_check(&ring->slots, head, tail, why);
}
