/* explore_table.c - the states that a search has seen: hashes of 64 bits with open addressing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/explore_internal.h"

/* Room at first; it doubles when it is half full. */
#define TABLE_LOG2 16

void *
explore_zeroed(size_t bytes)
{
    void *block = calloc(1, bytes);
    if (block == NULL) {
        (void)fputs("explore: no memory\n", stderr);
        abort();
    }
    return block;
}

static void
table_make_of(struct explore_table *table, uint32_t log2)
{
    table->log2 = log2;
    table->used = 0;
    table->states = explore_zeroed(sizeof(*table->states) << log2);
    table->notes = explore_zeroed(sizeof(*table->notes) << log2);
}

void
explore_table_drop(struct explore_table *table)
{
    free(table->states);
    free(table->notes);
    memset(table, 0, sizeof(*table));
}

/* Place of a state, or of the free slot where it belongs. Ends: half of the table is free. */
static uint64_t
table_find(const struct explore_table *table, uint64_t state)
{
    uint64_t mask = (UINT64_C(1) << table->log2) - 1;
    uint64_t place = state & mask;
    while (table->states[place] != 0 && table->states[place] != state) {
        place = (place + 1) & mask;
    }
    return place;
}

void
explore_table_make(struct explore_table *table)
{
    table_make_of(table, TABLE_LOG2);
}

static void
table_grow(struct explore_table *table)
{
    struct explore_table larger;
    table_make_of(&larger, table->log2 + 1);
    for (uint64_t i = 0; i < UINT64_C(1) << table->log2; i++) {
        if (table->states[i] != 0) {
            uint64_t place = table_find(&larger, table->states[i]);
            larger.states[place] = table->states[i];
            larger.notes[place] = table->notes[i];
        }
    }
    larger.used = table->used;
    explore_table_drop(table);
    *table = larger;
}

bool
explore_table_add(struct explore_table *table, uint64_t state, uint8_t **note)
{
    if (table->used >= UINT64_C(1) << (table->log2 - 1)) {
        table_grow(table);
    }
    uint64_t place = table_find(table, state);
    bool known = table->states[place] == state;
    if (!known) {
        table->states[place] = state;
        table->used++;
    }
    *note = &table->notes[place];
    return known;
}
