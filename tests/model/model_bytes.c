/* model_bytes.c - the ring of bytes: every interleaving of two appenders and a reader over a ring
 * of four units, with C11 memory. What an appender wrote behind its word is declared as plain data,
 * and so is what the reader gives back: a missing edge is a data race.
 *
 * two     Two appenders of records; the reader takes whatever is ready. All come out once, whole,
 *         each appender's in its order.
 * round   The same round the end of the ring, where appenders meet a full one.
 * unit    A unit of two records beside a record: never half of it.
 */
#include <stdio.h>

#include "ring/bytes.h"
#include "tests/support/explore.h"

#define RING_BYTES 64
#define APPENDERS  2
#define RECORDS    4 /* of each */

struct scenario {
    uint32_t records[APPENDERS]; /* of each */
    bool unit[APPENDERS];        /* two records at a time */
    uint32_t start;              /* units that were used before */
    bool may_be_full;            /* else there is room for all */
    uint32_t reads;              /* at most */
};

struct state {
    struct leat_bytes ring;
    uint32_t plain[RING_BYTES / LEAT_BYTES_UNIT];
    uint32_t appended[APPENDERS];
    uint32_t taken[APPENDERS];
};

static struct state state_now;
static const struct scenario *scenario;

static uint32_t *
plain_at(struct state *state, uint64_t position)
{
    return &state->plain[position % RING_BYTES / LEAT_BYTES_UNIT];
}

static void
setup(void *argument)
{
    struct state *state = argument;
    struct leat_memory memory = explore_memory_table();
    uint64_t position = 0;
    EXPLORE_CHECK(leat_bytes_init(&state->ring, &memory, RING_BYTES));
    for (uint32_t i = 0; i < scenario->start; i++) {
        EXPLORE_CHECK(leat_bytes_reserve(&state->ring, LEAT_BYTES_UNIT, &position));
        leat_bytes_publish(&state->ring, position, leat_bytes_word(0, 0));
    }
    leat_bytes_give(&state->ring, (uint64_t)scenario->start * LEAT_BYTES_UNIT);
}

static void
record_put(struct state *state, uint64_t position, uint32_t tag, bool more)
{
    uint64_t word = leat_bytes_word(8, tag);
    explore_plain_write(plain_at(state, position), "record");
    *plain_at(state, position) = tag;
    leat_bytes_publish(&state->ring, position, more ? word | LEAT_BYTES_MORE : word);
}

static void
append(struct state *state, uint32_t me)
{
    uint32_t step = scenario->unit[me] ? 2 : 1;
    for (uint32_t i = 0; i + step <= scenario->records[me]; i += step) {
        uint64_t position = 0;
        uint32_t tag = me * RECORDS + i;
        if (!leat_bytes_reserve(&state->ring, step * LEAT_BYTES_UNIT, &position)) {
            EXPLORE_CHECK(scenario->may_be_full);
            return;
        }
        if (step == 2) {
            record_put(state, position + LEAT_BYTES_UNIT, tag + 1, false);
        }
        record_put(state, position, tag, step == 2);
        state->appended[me] += step;
    }
}

static void
append_0(void *argument)
{
    append(argument, 0);
}

static void
append_1(void *argument)
{
    append(argument, 1);
}

/* Takes what is ready. */
static void
take(struct state *state)
{
    uint64_t from = leat_bytes_head(&state->ring);
    uint64_t to = leat_bytes_ready(&state->ring, RING_BYTES);
    for (uint64_t at = from; at < to; at += LEAT_BYTES_UNIT) {
        explore_plain_write(plain_at(state, at), "record");
        uint32_t tag = *plain_at(state, at);
        uint32_t from_whom = tag / RECORDS;
        EXPLORE_CHECK(from_whom < APPENDERS);
        EXPLORE_CHECK(tag % RECORDS == state->taken[from_whom]);
        state->taken[from_whom]++;
    }
    for (uint32_t i = 0; i < APPENDERS; i++) {
        EXPLORE_CHECK(!scenario->unit[i] || state->taken[i] % 2 == 0);
    }
    if (to != from) {
        leat_bytes_give(&state->ring, to);
    }
}

static void
reader(void *argument)
{
    for (uint32_t i = 0; i < scenario->reads; i++) {
        take(argument);
    }
}

static void
check(void *argument)
{
    struct state *state = argument;
    take(state);
    for (uint32_t i = 0; i < APPENDERS; i++) {
        EXPLORE_CHECK(state->taken[i] == state->appended[i]);
    }
    EXPLORE_CHECK(leat_bytes_check(&state->ring, NULL));
}

static const struct {
    const char *name;
    struct scenario scenario;
} scenarios[] = {
    {"two", {.records = {2, 2}, .reads = 2}},
    {"round", {.records = {3, 2}, .start = 3, .may_be_full = true, .reads = 2}},
    {"unit", {.records = {2, 2}, .unit = {true, false}, .start = 2, .reads = 2}},
    {"units", {.records = {2, 2}, .unit = {true, true}, .start = 3, .reads = 2}},
};

int
main(void)
{
    bool good = true;
    for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
        char name[64];
        struct explore_counts counts;
        (void)snprintf(name, sizeof(name), "bytes %s", scenarios[i].name);
        const struct explore_model model = {
            .name = name,
            .state = &state_now,
            .state_bytes = sizeof(state_now),
            .setup = setup,
            .threads = {append_0, append_1, reader},
            .check = check,
        };
        scenario = &scenarios[i].scenario;
        good = explore(&model, &counts) && good;
    }
    return good ? 0 : 1;
}
