/* slot.h - what the rings of one word per slot have in common: the slot word, its turns, and where
 * the slot of a position stands.
 *
 * A position runs free: 0, 1, 2, … over all laps. Each slot word is turn 36 | item 28. For lap =
 * p / slots, the slot of position p has turn 2 * lap while it waits for the push of p, 2 * lap + 1
 * while it holds the item that was pushed at p, and the pop of p leaves it at 2 * lap + 2, which is
 * the turn for the push of p + slots. Turns are compared modulo 2^36.
 *
 * I1       0 <= tail - head <= slots
 * I2       of a quiescent ring: slots of [head, tail) have the turn of an item, all others that of
 *          their next push
 */
#ifndef RING_SLOT_H
#define RING_SLOT_H

#include <stdio.h>

#include "ring/atomic.h"
#include "ring/limits.h"

struct leat_ring_config {
    uint32_t slots_log2; /* LEAT_RING_SLOTS_LOG2_MIN to _MAX */
    bool remap;          /* neighbouring positions on different lines, see leat_slots_at() */
    void *memory;        /* zeroed, aligned to a line, borrowed as long as the ring is used */
    uint64_t start;      /* first position: 0, or near a wrap in tests */
};

/* Letters: I set at init, then read-only. */
struct leat_slots {
    leat_atomic_u64 *words; /* I */
    uint64_t mask;          /* I slots - 1 */
    uint32_t log2;          /* I of slots */
    uint32_t spread;        /* I bits by which places are turned; 0: none */
};

#define LEAT_ITEM_MASK ((UINT64_C(1) << LEAT_ITEM_BITS) - 1)

/* Slots on one line, as a power of two. */
#define LEAT_SLOTS_LINE_LOG2 4

LEAT_STATIC(LEAT_LINE_BYTES >> LEAT_SLOTS_LINE_LOG2 == sizeof(leat_atomic_u64), "slots of a line");

/* Bytes that leat_slots_init() wants: the slots, and a line of guard behind them, since the
 * next-line prefetcher runs past the end. */
size_t leat_slots_bytes(uint32_t slots_log2);
void leat_slots_init(struct leat_slots *slots, const struct leat_ring_config *config);
/* Checks I1 and I2. Says on `why`, which may be NULL, what is wrong. */
bool leat_slots_check(const struct leat_slots *slots, uint64_t head, uint64_t tail, FILE *why);

/* The slot of a position. With remap, neighbours stand on different lines: two threads that work
 * on neighbouring positions do not share a line then, and a thread alone touches more lines. */
LEAT_INLINE leat_atomic_u64 *
leat_slots_at(const struct leat_slots *slots, uint64_t position)
{
    uint64_t place = position & slots->mask;
    if (LEAT_UNLIKELY(slots->spread != 0)) {
        place = (place << slots->spread | place >> (slots->log2 - slots->spread)) & slots->mask;
    }
    return &slots->words[place];
}

/* Turn for the push of a position; its pop's is one more, the next lap's push two more. */
LEAT_INLINE uint64_t
leat_slots_turn(const struct leat_slots *slots, uint64_t position)
{
    return position >> slots->log2 << 1;
}

/* A slot is at most 3 turns behind one that is looked for, since nobody looks further than a lap
 * behind the last position; see leat_slot_ahead(). */
#define LEAT_TURNS_BEHIND 8

/* How many turns a slot word is ahead of `turn`, modulo 2^36: from -8 to 2^36 - 9. So a position
 * that is behind by any number of laps is seen to be behind. */
LEAT_INLINE int64_t
leat_slot_ahead(uint64_t word, uint64_t turn)
{
    uint64_t behind = (turn - LEAT_TURNS_BEHIND) << LEAT_ITEM_BITS;
    return (int64_t)((word - behind) >> LEAT_ITEM_BITS) - LEAT_TURNS_BEHIND;
}

LEAT_INLINE uint64_t
leat_slot_word(uint64_t turn, uint32_t item)
{
    return turn << LEAT_ITEM_BITS | item;
}

LEAT_INLINE uint32_t
leat_slot_item(uint64_t word)
{
    return (uint32_t)(word & LEAT_ITEM_MASK);
}

#endif
