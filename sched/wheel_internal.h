/* wheel_internal.h - how words, entries, places and slots are made up: for wheel.c, its check, and
 * tests. */
#ifndef SCHED_WHEEL_INTERNAL_H
#define SCHED_WHEEL_INTERNAL_H

#include "sched/wheel.h"

/* ---- words ----------------------------------------------------------------------------------- */

#define LEAT_WHEEL_ARMED      UINT64_C(1)
#define LEAT_WHEEL_INBOX      UINT64_C(2)
#define LEAT_WHEEL_WORD_SHIFT 4
#define LEAT_WHEEL_TICK_SHIFT 12
#define LEAT_WHEEL_TICK_BITS  52

LEAT_STATIC(LEAT_WORKERS_MAX <= 1 << (LEAT_WHEEL_TICK_SHIFT - LEAT_WHEEL_WORD_SHIFT),
            "the wheel's number has 8 bits");
LEAT_STATIC(64 - LEAT_WHEEL_TICK_LOG2_MIN < LEAT_WHEEL_TICK_BITS, "a word holds every tick");

LEAT_INLINE leat_atomic_u64 *
leat_wheel_word(const struct leat_wheels *wheels, uint32_t index)
{
    LEAT_DCHECK(index < wheels->records);
    return &wheels->words[index];
}

LEAT_INLINE leat_atomic_u32 *
leat_wheel_link(const struct leat_wheels *wheels, uint32_t index)
{
    LEAT_DCHECK(index < wheels->records);
    return &wheels->links[index];
}

LEAT_INLINE uint64_t
leat_wheel_word_of(uint64_t tick, uint32_t wheel)
{
    return tick << LEAT_WHEEL_TICK_SHIFT | (uint64_t)wheel << LEAT_WHEEL_WORD_SHIFT;
}

LEAT_INLINE uint64_t
leat_wheel_word_with(uint64_t word, uint64_t tick)
{
    return tick << LEAT_WHEEL_TICK_SHIFT | (word & ((UINT64_C(1) << LEAT_WHEEL_TICK_SHIFT) - 1));
}

LEAT_INLINE uint64_t
leat_wheel_word_tick(uint64_t word)
{
    return word >> LEAT_WHEEL_TICK_SHIFT;
}

LEAT_INLINE uint32_t
leat_wheel_word_number(uint64_t word)
{
    return (uint32_t)(word >> LEAT_WHEEL_WORD_SHIFT) & (LEAT_WORKERS_MAX - 1);
}

/* True if the record is armed and has an entry that the caller, who holds the role of `held` (or
 * NULL), may change. */
LEAT_INLINE bool
leat_wheel_word_here(uint64_t word, const struct leat_wheel *held)
{
    uint64_t rest = word & ((UINT64_C(1) << LEAT_WHEEL_TICK_SHIFT) - 1);
    return held != NULL && rest == (leat_wheel_word_of(0, held->number) | LEAT_WHEEL_ARMED);
}

/* ---- entries and places ---------------------------------------------------------------------- */

#define LEAT_WHEEL_ENTRY_MASK ((UINT64_C(1) << (64 - LEAT_INDEX_BITS)) - 1)

/* A tick is told from an entry's lower bits because it is at most the reach ahead of now. */
LEAT_STATIC(LEAT_WHEEL_LEVELS *LEAT_WHEEL_SLOTS_LOG2 < 64 - LEAT_INDEX_BITS,
            "an entry's bits of tick go beyond the reach");

LEAT_INLINE uint32_t
leat_wheel_entry_index(uint64_t entry)
{
    return (uint32_t)(entry & LEAT_INDEX_NONE);
}

LEAT_INLINE uint64_t
leat_wheel_entry_tick(uint64_t entry, uint64_t now)
{
    return now + (((entry >> LEAT_INDEX_BITS) - now) & LEAT_WHEEL_ENTRY_MASK);
}

LEAT_INLINE struct leat_wheel_block *
leat_wheel_block(const struct leat_wheels *wheels, uint32_t index)
{
    LEAT_DCHECK(index < wheels->blocks.capacity);
    return (struct leat_wheel_block *)(void *)wheels->cells + index;
}

LEAT_INLINE uint32_t
leat_wheel_block_below(const struct leat_wheel_block *block)
{
    /* rlx: single writer */
    return (uint32_t)(atom_load_rlx(&block->head) & LEAT_INDEX_NONE);
}

LEAT_INLINE uint32_t
leat_wheel_block_list(const struct leat_wheel_block *block)
{
    return (uint32_t)(atom_load_rlx(&block->head) >> LEAT_INDEX_BITS); /* rlx: single writer */
}

/* A place is the block of an entry and its number in there, from 1 on: where its word stands among
 * all words of all blocks. A block is full where the last entry's number is the highest there is,
 * which is so of no block, too: so one look tells whether an entry needs a block. */
#define LEAT_WHEEL_NUMBERS (LEAT_WHEEL_BLOCK - 1)
#define LEAT_WHEEL_EMPTY   (LEAT_INDEX_NONE << LEAT_WHEEL_BLOCK_LOG2 | LEAT_WHEEL_NUMBERS)

LEAT_STATIC(LEAT_INDEX_BITS + LEAT_WHEEL_BLOCK_LOG2 <= 32, "a place has 32 bits");
LEAT_STATIC(sizeof(struct leat_wheel_block) == LEAT_WHEEL_BLOCK * sizeof(uint64_t),
            "a block is as many words as its numbers");

LEAT_INLINE uint32_t
leat_wheel_place_block(uint32_t place)
{
    return place >> LEAT_WHEEL_BLOCK_LOG2;
}

LEAT_INLINE uint32_t
leat_wheel_place_number(uint32_t place)
{
    return place & LEAT_WHEEL_NUMBERS;
}

/* The list in which the entry of a place stands. */
LEAT_INLINE uint32_t
leat_wheel_place_list(const struct leat_wheels *wheels, uint32_t place)
{
    return leat_wheel_block_list(leat_wheel_block(wheels, leat_wheel_place_block(place)));
}

/* ---- slots ----------------------------------------------------------------------------------- */

/* The list for a tick that is not past and within reach, see I3. */
LEAT_INLINE uint32_t
leat_wheel_list_of(uint64_t now, uint64_t tick)
{
    /* Of the last bit in which they differ; 0 if they do not. */
    uint32_t bit = 63 - (uint32_t)__builtin_clzll((now ^ tick) | 1);
    uint32_t level = bit / LEAT_WHEEL_SLOTS_LOG2;
    level = level < LEAT_WHEEL_LEVELS ? level : LEAT_WHEEL_LEVELS - 1;
    uint64_t slot = tick >> (level * LEAT_WHEEL_SLOTS_LOG2) & (LEAT_WHEEL_SLOTS - 1);
    return level * LEAT_WHEEL_SLOTS + (uint32_t)slot;
}

/* The first tick of the next list of a level that has one, this moment's included, and which list.
 * The last level goes round; in the others all lists are ahead in the same round. */
LEAT_INLINE uint64_t
leat_wheel_level_next(const struct leat_wheel *wheel, uint32_t level, uint32_t *id)
{
    uint32_t shift = level * LEAT_WHEEL_SLOTS_LOG2;
    uint64_t position = wheel->now >> shift;
    uint32_t digit = (uint32_t)(position & (LEAT_WHEEL_SLOTS - 1));
    uint64_t bits = wheel->occupied[level];
    bits = bits >> digit | bits << ((LEAT_WHEEL_SLOTS - digit) & 63);
    uint32_t distance = (uint32_t)__builtin_ctzll(bits);
    *id = level * LEAT_WHEEL_SLOTS + ((digit + distance) & (LEAT_WHEEL_SLOTS - 1));
    return level == 0 ? position + distance : (position + distance) << shift;
}

#endif
