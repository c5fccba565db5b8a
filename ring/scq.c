/* scq.c - the parts of the SCQ ring that are not on the plain path, see scq.h. */
#include "ring/scq.h"

#include <inttypes.h>

size_t
leat_scq_bytes(uint32_t slots_log2)
{
    LEAT_ASSERT(slots_log2 >= LEAT_RING_SLOTS_LOG2_MIN);
    LEAT_ASSERT(slots_log2 <= LEAT_RING_SLOTS_LOG2_MAX);
    size_t slots = sizeof(leat_atomic_u64) << (slots_log2 + 1);
    return leat_round_up(slots, LEAT_LINE_BYTES) + LEAT_LINE_BYTES;
}

void
leat_scq_init(struct leat_scq *ring, const struct leat_ring_config *config)
{
    LEAT_ASSERT(config->slots_log2 >= LEAT_RING_SLOTS_LOG2_MIN);
    LEAT_ASSERT(config->slots_log2 <= LEAT_RING_SLOTS_LOG2_MAX);
    LEAT_ASSERT(config->memory != NULL);
    LEAT_ASSERT((uintptr_t)config->memory % LEAT_LINE_BYTES == 0);
    ring->capacity = UINT64_C(1) << config->slots_log2;
    ring->slots.words = config->memory;
    ring->slots.log2 = config->slots_log2 + 1;
    ring->slots.mask = 2 * ring->capacity - 1;
    ring->slots.spread = 0;
    if (config->remap && ring->slots.log2 > LEAT_SLOTS_LINE_LOG2) {
        ring->slots.spread = LEAT_SLOTS_LINE_LOG2;
    }
    atom_init(&ring->room, ring->capacity);
    atom_init(&ring->tail, config->start);
    atom_init(&ring->head, config->start);
    atom_init(&ring->threshold, UINT64_MAX);
    /* Zeroed slots are of the cycle before the first. */
    for (uint64_t i = 0; config->start != 0 && i <= ring->slots.mask; i++) {
        uint64_t position = config->start + i;
        atom_init(leat_slots_at(&ring->slots, position),
                  leat_scq_cycle(ring, position) - LEAT_SCQ_CYCLE_ONE);
    }
}

/* Brings the tail up to a head that went past it, so that pushes need not take all the positions
 * that pops have passed over; more than to save time it does not. Ends: each round, the tail or the
 * head moved on. */
static void
catch_up(struct leat_scq *ring, uint64_t tail, uint64_t head)
{
    /* rlx: hint, re-checked at scq_put:A */
    while (!atom_cas_rlx(&ring->tail, &tail, head)) {
        head = atom_load_rlx(&ring->head); /* rlx: hint, re-checked at scq_put:A */
        if ((int64_t)(tail - head) >= 0) {
            return;
        }
    }
}

bool
leat_scq_miss(struct leat_scq *ring, uint64_t position)
{
    /* A tail that is too old hides only pushes that the caller cannot know of, and which may come
     * later. rlx: ordered by scq_push:B */
    uint64_t tail = atom_load_rlx(&ring->tail);
    bool over = (int64_t)(tail - (position + 1)) <= 0;
    if (over) {
        catch_up(ring, tail, position + 1);
    }
    /* scq_miss:A sc -> scq_push:C.  Orders: as scq_push:C. */
    int64_t left = (int64_t)atom_sub_sc(&ring->threshold, 1);
    return over || left <= 0;
}

bool
leat_scq_check(const struct leat_scq *ring, FILE *why)
{
    uint64_t tail = atom_load_rlx(&ring->tail); /* rlx: not shared yet */
    uint64_t head = atom_load_rlx(&ring->head); /* rlx: not shared yet */
    uint64_t items = 0;
    for (uint64_t i = 0; i <= ring->slots.mask; i++) {
        uint64_t position = head + i;
        uint64_t word =
            atom_load_rlx(leat_slots_at(&ring->slots, position)); /* rlx: not shared yet */
        int64_t ahead = leat_scq_ahead(word, leat_scq_cycle(ring, position));
        bool live = (word & LEAT_SCQ_LIVE) != 0;
        items += live ? 1 : 0;
        /* Items are those of the head's lap and before the tail; the rest was used a lap before. */
        bool fits = live ? ahead == 0 && (int64_t)(tail - position) > 0 : ahead < 0;
        if (!fits) {
            if (why != NULL) {
                (void)fprintf(why, "scq: I2: position %" PRIu64 " has word %" PRIx64 "\n", position,
                              word);
            }
            return false;
        }
    }
    uint64_t room = atom_load_rlx(&ring->room); /* rlx: not shared yet */
    if (room + items != ring->capacity) {
        if (why != NULL) {
            (void)fprintf(why,
                          "scq: I1: %" PRIu64 " credits and %" PRIu64 " items of %" PRIu64 "\n",
                          room, items, ring->capacity);
        }
        return false;
    }
    return true;
}
