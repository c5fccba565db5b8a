/* wheel_check.c - the checks of wheel.h: they walk all lists of a wheel that nobody is at. */
#include <inttypes.h>

#include "sched/wheel_internal.h"

/* Says what does not hold. */
static bool
fact_check(bool holds, const char *what, uint64_t number, FILE *why)
{
    if (!holds && why != NULL) {
        (void)fprintf(why, "wheel: %s: %" PRIu64 "\n", what, number);
    }
    return holds;
}

/* The entry at a place in list `id`. */
static bool
entry_check(const struct leat_wheel *wheel, uint32_t id, uint32_t place)
{
    const struct leat_wheels *wheels = wheel->all;
    uint64_t entry = wheels->cells[place];
    uint32_t index = leat_wheel_entry_index(entry);
    uint64_t tick = leat_wheel_entry_tick(entry, wheel->now);
    if (index >= wheels->records || wheels->places[index] != place) {
        return false; /* I4 */
    }
    if (tick - wheel->now > LEAT_WHEEL_REACH ||
        (id != wheel->current && leat_wheel_list_of(wheel->now, tick) != id)) {
        return false; /* I3 */
    }
    uint64_t word = atom_load_rlx(leat_wheel_word(wheels, index)); /* rlx: not shared yet */
    if ((word & LEAT_WHEEL_INBOX) != 0) {
        return leat_wheel_word_number(word) == wheel->number;
    }
    /* I2. Late ones stand at the tick at which they came. */
    return (word & LEAT_WHEEL_ARMED) != 0 && leat_wheel_word_number(word) == wheel->number &&
           (tick <= leat_wheel_word_tick(word) || tick == wheel->now);
}

/* Checks a list; adds its entries and blocks. */
static bool
list_check(const struct leat_wheel *wheel, uint32_t id, uint64_t *entries, uint64_t *blocks)
{
    uint32_t top = wheel->tops[id];
    bool occupied = top != LEAT_WHEEL_EMPTY;
    while (top != LEAT_WHEEL_EMPTY) {
        const struct leat_wheel_block *at =
            leat_wheel_block(wheel->all, leat_wheel_place_block(top));
        uint32_t used = leat_wheel_place_number(top);
        if (leat_wheel_block_list(at) != id || used == 0 ||
            *blocks >= wheel->all->blocks.capacity) {
            return false;
        }
        for (uint32_t i = 0; i < used; i++) {
            if (!entry_check(wheel, id, top - i)) {
                return false;
            }
        }
        *entries += used;
        (*blocks)++;
        top = leat_wheel_block_below(at) << LEAT_WHEEL_BLOCK_LOG2 | LEAT_WHEEL_NUMBERS;
    }
    uint64_t bit = wheel->occupied[id / LEAT_WHEEL_SLOTS] >> (id % LEAT_WHEEL_SLOTS) & 1;
    return bit == occupied;
}

/* Counts the blocks, too. */
static bool
wheel_check(const struct leat_wheel *wheel, uint64_t *blocks, FILE *why)
{
    uint64_t entries = 0;
    for (uint32_t id = 0; id < LEAT_WHEEL_LISTS; id++) {
        bool holds = list_check(wheel, id, &entries, blocks);
        if (!fact_check(holds, "I2, I3 or I4 of a list", id, why)) {
            return false;
        }
    }
    *blocks += wheel->spares;
    return fact_check(entries == wheel->count, "entries are not as many as counted", entries,
                      why) &&
           fact_check(wheel->spares <= LEAT_WHEEL_SPARES, "spare blocks", wheel->spares, why);
}

bool
leat_wheel_check(const struct leat_wheel *wheel, FILE *why)
{
    uint64_t blocks = 0;
    return wheel_check(wheel, &blocks, why);
}

/* Records from `index` on along the links; more than there are: a circle. */
static uint64_t
chain_count(const struct leat_wheels *wheels, uint32_t index)
{
    uint64_t count = 0;
    for (; index != LEAT_INDEX_NONE && count <= wheels->records; count++) {
        index = atom_load_rlx(leat_wheel_link(wheels, index)); /* rlx: not shared yet */
    }
    return count;
}

bool
leat_wheels_check(const struct leat_wheels *wheels, FILE *why)
{
    uint64_t blocks = 0;
    uint64_t entries = 0;
    uint64_t sent = 0;
    for (uint32_t i = 0; i < wheels->count; i++) {
        const struct leat_wheel *wheel = &wheels->each[i];
        if (!wheel_check(wheel, &blocks, why)) {
            return false;
        }
        entries += wheel->count;
        sent += chain_count(wheels, wheel->chain);
        sent += chain_count(wheels, atom_load_rlx(&wheel->inbox.newest)); /* rlx: not shared yet */
    }
    uint64_t armed = 0;
    uint64_t placed = 0;
    for (uint32_t i = 0; i < wheels->records; i++) {
        uint64_t word = atom_load_rlx(leat_wheel_word(wheels, i)); /* rlx: not shared yet */
        sent -= (word & LEAT_WHEEL_INBOX) != 0 ? 1 : 0;
        armed += (word & (LEAT_WHEEL_INBOX | LEAT_WHEEL_ARMED)) == LEAT_WHEEL_ARMED ? 1 : 0;
        placed += wheels->places[i] != 0 ? 1 : 0;
    }
    return fact_check(sent == 0, "I1: in inboxes beyond those that say so", sent, why) &&
           fact_check(placed == entries, "I4: records with a place", placed, why) &&
           fact_check(armed <= entries, "I2: records armed", armed, why) &&
           leat_slab_check(&wheels->blocks, (uint32_t)blocks, why);
}
