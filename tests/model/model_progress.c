/* model_progress.c - the real engine/progress.h with texts of two words: every interleaving of a
 * handler that says how far it is with a thread that reads, or two, with C11 memory. What is read
 * is one text, not a mixture of two, with the percent of its call or of a later one without a text;
 * and nothing older than what was read, or known, before.
 * Holds I1 and both edges. */
#include <stdio.h>

#define LEAT_PROGRESS_WORDS 2
#include "engine/progress.h"
#include "tests/support/explore.h"

#define CALLS 4

/* Percents 1 .. CALLS; the texts are the percent of their call, in each word; 0: none. */
static const uint64_t texts[CALLS + 1] = {0, 1, 0, 3, 4};
/* The text that is to be seen with a percent. */
static const uint64_t seen[CALLS + 1] = {0, 1, 1, 3, 4};

struct state {
    struct leat_progress progress;
};

static struct state state_now;

static void
writer(void *of)
{
    struct state *state = of;
    for (uint32_t percent = 1; percent <= CALLS; percent++) {
        const uint64_t text[LEAT_PROGRESS_WORDS] = {texts[percent], texts[percent]};
        leat_progress_write(&state->progress, percent,
                            texts[percent] == 0 ? NULL : (const char *)text);
    }
}

/* Returns the percent. */
static uint32_t
read_one(struct state *state)
{
    uint64_t text[LEAT_PROGRESS_WORDS] = {0};
    uint32_t percent = leat_progress_read(&state->progress, (char *)text);
    EXPLORE_CHECK(percent <= CALLS);
    EXPLORE_CHECK(text[0] == seen[percent]);
    EXPLORE_CHECK(text[1] == seen[percent]);
    return percent;
}

static void
reader(void *of)
{
    uint32_t first = read_one(of);
    uint32_t second = read_one(of);
    EXPLORE_CHECK(second >= first);
}

static void
check(void *of)
{
    EXPLORE_CHECK(read_one(of) == CALLS);
}

static const struct explore_model models[] = {
    {
        .name = "read",
        .state = &state_now,
        .state_bytes = sizeof(state_now),
        .threads = {writer, reader},
        .check = check,
    },
    {
        .name = "read_by_two",
        .state = &state_now,
        .state_bytes = sizeof(state_now),
        .threads = {writer, reader, reader},
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
