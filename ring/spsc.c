/* spsc.c - the parts of the ring for one producer and one consumer that are not on the plain path,
 * see spsc.h. */
#include "ring/spsc.h"

#include <inttypes.h>
#include <string.h>

size_t
leat_spsc_bytes(uint32_t slots_log2)
{
    LEAT_ASSERT(slots_log2 >= LEAT_RING_SLOTS_LOG2_MIN);
    LEAT_ASSERT(slots_log2 <= LEAT_RING_SLOTS_LOG2_MAX);
    return leat_round_up(sizeof(uint32_t) << slots_log2, LEAT_LINE_BYTES) + LEAT_LINE_BYTES;
}

void
leat_spsc_init(struct leat_spsc *ring, const struct leat_ring_config *config)
{
    LEAT_ASSERT(config->slots_log2 >= LEAT_RING_SLOTS_LOG2_MIN);
    LEAT_ASSERT(config->slots_log2 <= LEAT_RING_SLOTS_LOG2_MAX);
    LEAT_ASSERT(!config->remap);
    LEAT_ASSERT(config->memory != NULL);
    LEAT_ASSERT((uintptr_t)config->memory % LEAT_LINE_BYTES == 0);
    ring->items = config->memory;
    ring->mask = (UINT64_C(1) << config->slots_log2) - 1;
    atom_init(&ring->tail, config->start);
    atom_init(&ring->head, config->start);
    ring->head_seen = config->start;
    ring->tail_seen = config->start;
}

/* How many of `count` positions from `position` on come before the end of the slots. */
static uint64_t
before_end(const struct leat_spsc *ring, uint64_t position, uint64_t count)
{
    uint64_t place = position & ring->mask;
    uint64_t left = ring->mask + 1 - place;
    return count < left ? count : left;
}

uint32_t
leat_spsc_push_n(struct leat_spsc *ring, const uint32_t *items, uint32_t count)
{
    uint64_t tail = atom_load_rlx(&ring->tail); /* rlx: single writer */
    uint64_t room = leat_spsc_room(ring, tail, count);
    count = (uint32_t)(room < count ? room : count);
    uint64_t first = before_end(ring, tail, count);
    memcpy(&ring->items[tail & ring->mask], items, first * sizeof(items[0]));
    memcpy(ring->items, items + first, (count - first) * sizeof(items[0]));
    leat_spsc_push_to(ring, tail + count);
    return count;
}

uint32_t
leat_spsc_pop_n(struct leat_spsc *ring, uint32_t *items, uint32_t count)
{
    uint64_t head = atom_load_rlx(&ring->head); /* rlx: single writer */
    uint64_t filled = leat_spsc_filled(ring, head, count);
    count = (uint32_t)(filled < count ? filled : count);
    uint64_t first = before_end(ring, head, count);
    memcpy(items, &ring->items[head & ring->mask], first * sizeof(items[0]));
    memcpy(items + first, ring->items, (count - first) * sizeof(items[0]));
    leat_spsc_pop_to(ring, head + count);
    return count;
}

bool
leat_spsc_check(const struct leat_spsc *ring, FILE *why)
{
    uint64_t tail = atom_load_rlx(&ring->tail); /* rlx: not shared yet */
    uint64_t head = atom_load_rlx(&ring->head); /* rlx: not shared yet */
    const char *wrong = NULL;
    if (tail - head > ring->mask + 1) {
        wrong = "I1";
    } else if ((int64_t)(head - ring->head_seen) < 0 || (int64_t)(tail - ring->tail_seen) < 0) {
        wrong = "I2";
    }
    if (wrong != NULL && why != NULL) {
        (void)fprintf(why,
                      "spsc: %s: tail %" PRIu64 ", head %" PRIu64 ", seen as %" PRIu64
                      " and %" PRIu64 "\n",
                      wrong, tail, head, ring->tail_seen, ring->head_seen);
    }
    return wrong == NULL;
}
