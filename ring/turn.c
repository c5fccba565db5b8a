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

/* True if the slots of positions [position, position + count) are all free for their push. */
static bool
all_free(const struct leat_turn *ring, uint64_t position, uint32_t count, bool *behind)
{
    for (uint32_t i = 0; i < count; i++) {
        const leat_atomic_u64 *slot = leat_slots_at(&ring->slots, position + i);
        uint64_t turn = leat_slots_turn(&ring->slots, position + i);
        /* turn_push_n:A acquire -> turn_pop:C.  Carries: the consumer has read the slot.
         * If relaxed: see turn_push:A. */
        int64_t ahead = leat_slot_ahead(atom_load_acq(slot), turn);
        if (ahead != 0) {
            *behind = ahead < 0;
            return false;
        }
    }
    return true;
}

bool
leat_turn_push_n(struct leat_turn *ring, const uint32_t *items, uint32_t count)
{
    LEAT_ASSERT(count >= 1);
    LEAT_ASSERT(count <= ring->slots.mask + 1);
    uint64_t position = atom_load_rlx(&ring->tail); /* rlx: hint, re-checked at turn_push_n:B */
    for (;;) {
        bool behind = false;
        if (!all_free(ring, position, count, &behind)) {
            /* Behind: a slot still holds last lap's item. Ahead: another push passed us. */
            if (behind) {
                return false;
            }
            position = atom_load_rlx(&ring->tail); /* rlx: hint, re-checked at turn_push_n:B */
            continue;
        }
        /* turn_push_n:B release -> turn_count:B.  Carries: as turn_push:B.
         * If relaxed: as turn_push:B. */
        if (atom_cas_rel(&ring->tail, &position, position + count)) {
            break;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        LEAT_DCHECK(items[i] <= LEAT_ITEM_MASK);
        uint64_t turn = leat_slots_turn(&ring->slots, position + i);
        /* turn_push_n:C release -> turn_pop:A, turn_ready:A.  Carries: the producer's writes, and
         * the item.
         * If relaxed: as turn_push:C. */
        atom_store_rel(leat_slots_at(&ring->slots, position + i),
                       leat_slot_word(turn + 1, items[i]));
    }
    return true;
}

uint64_t
leat_turn_count(const struct leat_turn *ring)
{
    /* turn_count:A acquire -> turn_pop:B.  Carries: what each consumer wrote before its pop.
     * If relaxed: see turn_pop:B. */
    uint64_t head = atom_load_acq(&ring->head);
    /* turn_count:B acquire -> turn_push:B, turn_push_n:B.  Carries: nothing by itself; keeps the
     * tail from being read before the head.
     * If relaxed: the difference could be negative. */
    uint64_t tail = atom_load_acq(&ring->tail);
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
