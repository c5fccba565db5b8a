/* model_flight.c - the real ring/flight.h with records of two words in two or four slots: every
 * interleaving of a writer that goes round with a thread that copies, or two, with C11 memory. What
 * is handed out are whole records, without gaps, and at the end all but what has been overwritten.
 * Holds I1, I2 and both edges. */
#include <stdio.h>

#define LEAT_FLIGHT_WORDS 2
#include "ring/flight.h"
#include "tests/support/explore.h"

#define RECORDS 4

struct state {
    struct leat_flight flight;
    struct leat_flight_slot slots[4];
    uint64_t start;
};

static struct state state_now;

static void
begin(struct state *state, uint64_t slots, uint64_t start)
{
    state->flight.slots = state->slots;
    state->flight.mask = slots - 1;
    state->start = start;
    atom_init(&state->flight.end, start);
}

static void
setup_two(void *of)
{
    begin(of, 2, 0);
}

static void
setup_four(void *of)
{
    begin(of, 4, 0);
}

static void
writer(void *of)
{
    struct state *state = of;
    for (uint64_t i = 1; i <= RECORDS; i++) {
        const struct leat_flight_record record = {{i, i}};
        leat_flight_write(&state->flight, &record);
    }
}

/* Returns the number of the last one, 0: there is none. */
static uint64_t
copy_one(const struct state *state, uint64_t *count)
{
    struct leat_flight_record records[4] = {0};
    const struct leat_flight_record *first = NULL;
    *count = leat_flight_copy(&state->flight, records, &first);
    EXPLORE_CHECK(*count <= state->flight.mask);
    for (uint64_t i = 0; i < *count; i++) {
        EXPLORE_CHECK(first[i].words[0] == first[i].words[1]);
        EXPLORE_CHECK(first[i].words[0] == first[0].words[0] + i);
    }
    return *count == 0 ? 0 : first[*count - 1].words[0];
}

static void
reader(void *of)
{
    uint64_t count = 0;
    (void)copy_one(of, &count);
}

static void
reader_twice(void *of)
{
    uint64_t count = 0;
    uint64_t first = copy_one(of, &count);
    uint64_t second = copy_one(of, &count);
    EXPLORE_CHECK(second == 0 || second >= first);
}

static void
check(void *of)
{
    const struct state *state = of;
    uint64_t count = 0;
    EXPLORE_CHECK(copy_one(state, &count) == RECORDS);
    EXPLORE_CHECK(count == (state->flight.mask < RECORDS ? state->flight.mask : RECORDS));
}

static const struct explore_model models[] = {
    {
        .name = "round",
        .state = &state_now,
        .state_bytes = sizeof(state_now),
        .setup = setup_two,
        .threads = {writer, reader_twice},
        .check = check,
    },
    {
        .name = "round_by_two",
        .state = &state_now,
        .state_bytes = sizeof(state_now),
        .setup = setup_two,
        .threads = {writer, reader, reader},
        .check = check,
    },
    {
        .name = "four",
        .state = &state_now,
        .state_bytes = sizeof(state_now),
        .setup = setup_four,
        .threads = {writer, reader},
        .check = check,
    },
};

int
main(void)
{
    struct explore_counts counts;
    bool well = true;
    for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
        well = explore(&models[i], &counts) && well;
    }
    return well ? 0 : 1;
}
