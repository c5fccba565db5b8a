/* litmus.c - reads and runs the programs of litmus.h. */
#include "tests/model/litmus.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ring/atomic.h"

#define REGISTERS     10
#define WORDS         8
#define PLAINS        2
#define REGISTER_FREE 9
/* Registers and words, a digit each. */
#define OUTCOME_BYTES (REGISTERS + WORDS + 1)
/* A program with more outcomes than this is no litmus test. */
#define OUTCOMES_MAX 4096

struct litmus_state {
    leat_atomic_u32 words[WORDS];
    uint32_t registers[REGISTERS];
    uint32_t plains[PLAINS];
};

static struct litmus_state state_now;
static const struct litmus *program;

static char outcomes[OUTCOMES_MAX][OUTCOME_BYTES];
static uint32_t outcomes_count;

/* ---- reading -------------------------------------------------------------------------------- */

static bool
is_register(char name)
{
    return name >= 'a' && name < 'a' + REGISTERS;
}

static bool
is_plain(char name)
{
    return name >= 'p' && name < 'p' + PLAINS;
}

static struct leat_model_word
word_of(struct litmus_state *state, char name)
{
    static const char *const names[WORDS] = {"s", "t", "u", "v", "w", "x", "y", "z"};
    if (name < 's' || name > 'z') {
        explore_fail("no such word", __FILE__, __LINE__);
    }
    struct leat_model_word word = LEAT_MODEL_WORD(&state->words[name - 's']);
    word.text = names[name - 's'];
    return word;
}

/* The order behind a point or a slash, if there is one. */
static enum leat_model_order
order_of(const char *text, char before)
{
    static const struct {
        const char *name;
        enum leat_model_order order;
    } orders[] = {{"acq", LEAT_MODEL_ACQUIRE},
                  {"rel", LEAT_MODEL_RELEASE},
                  {"ar", LEAT_MODEL_ACQ_REL},
                  {"sc", LEAT_MODEL_SC}};
    size_t length = strcspn(text, " ");
    const char *mark = memchr(text, before, length);
    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]) && mark != NULL; i++) {
        if (strncmp(mark + 1, orders[i].name, strlen(orders[i].name)) == 0) {
            return orders[i].order;
        }
    }
    return LEAT_MODEL_RELAXED;
}

static uint32_t
number_of(const struct litmus_state *state, const char *text)
{
    return is_register(*text) ? state->registers[*text - 'a'] : (uint32_t)strtoul(text, NULL, 10);
}

/* ---- running -------------------------------------------------------------------------------- */

/* What stands behind "a=". */
static uint32_t
value_of(struct litmus_state *state, const char *text)
{
    if (is_plain(*text)) {
        explore_plain_read(&state->plains[*text - 'p'], *text == 'p' ? "p" : "q");
        return state->plains[*text - 'p'];
    }
    struct leat_model_word word = word_of(state, *text);
    enum leat_model_order order = order_of(text, '.');
    switch (text[1]) {
    case '+':
        return (uint32_t)leat_model_change(word, LEAT_MODEL_ADD, number_of(state, text + 2), order);
    case ':':
        return (uint32_t)leat_model_change(word, LEAT_MODEL_SWAP, number_of(state, text + 2),
                                           order);
    case '?': {
        uint32_t seen = number_of(state, text + 2);
        struct leat_model_swap swap = {.expected = &seen,
                                       .desired = number_of(state, strchr(text, '>') + 1),
                                       .success = order,
                                       .failure = order_of(text, '/')};
        (void)leat_model_cas(word, swap);
        return seen;
    }
    default:
        return (uint32_t)leat_model_load(word, order);
    }
}

static bool
condition_holds(const struct litmus_state *state, const char *text)
{
    uint32_t value = state->registers[text[1] - 'a'];
    return text[2] == '=' ? value == number_of(state, text + 3) : value != 0;
}

static void
statement_run(struct litmus_state *state, const char *text)
{
    if (*text == 'F') {
        leat_model_fence(LEAT_MODEL_PLACE("fence"), order_of(text, '.'));
    } else if (is_register(*text)) {
        state->registers[*text - 'a'] = value_of(state, text + 2);
    } else if (is_plain(*text)) {
        explore_plain_write(&state->plains[*text - 'p'], *text == 'p' ? "p" : "q");
        state->plains[*text - 'p'] = number_of(state, text + 2);
    } else {
        leat_model_store(word_of(state, *text), number_of(state, text + 2), order_of(text, '.'));
    }
}

static void
thread_run(void *argument)
{
    struct litmus_state *state = argument;
    const char *text = program->threads[explore_thread()];
    while (*text != 0) {
        if (*text == '?' && !condition_holds(state, text)) {
            return;
        }
        if (*text != '?') {
            statement_run(state, text);
        }
        text += strcspn(text, " ");
        text += strspn(text, " ");
    }
}

static void
registers_setup(void *argument)
{
    struct litmus_state *state = argument;
    for (uint32_t i = 0; i < REGISTERS; i++) {
        state->registers[i] = REGISTER_FREE;
    }
}

/* ---- outcomes ------------------------------------------------------------------------------- */

static uint32_t
final_of(struct litmus_state *state, char name)
{
    if (is_register(name)) {
        return state->registers[name - 'a'];
    }
    return (uint32_t)leat_model_load(word_of(state, name), LEAT_MODEL_RELAXED);
}

static void
outcome_check(void *argument)
{
    struct litmus_state *state = argument;
    bool seen = *program->outcome != 0;
    for (const char *text = program->outcome; *text != 0;) {
        seen = seen && final_of(state, *text) == number_of(state, text + 2);
        text += strcspn(text, " ");
        text += strspn(text, " ");
    }
    if (seen) {
        explore_fail("the outcome was found", __FILE__, __LINE__);
    }
}

static void
outcome_collect(void *argument)
{
    char outcome[OUTCOME_BYTES] = {0};
    for (uint32_t i = 0; i < REGISTERS + WORDS; i++) {
        char name = (char)(i < REGISTERS ? 'a' + i : 's' + i - REGISTERS);
        outcome[i] = (char)('0' + final_of(argument, name) % 10);
    }
    for (uint32_t i = 0; i < outcomes_count; i++) {
        if (memcmp(outcomes[i], outcome, sizeof(outcome)) == 0) {
            return;
        }
    }
    if (outcomes_count == OUTCOMES_MAX) {
        explore_fail("more outcomes than OUTCOMES_MAX", __FILE__, __LINE__);
    }
    memcpy(outcomes[outcomes_count], outcome, sizeof(outcome));
    outcomes_count++;
}

static struct explore_model
model_of(const struct litmus *litmus)
{
    struct explore_model model = {.name = litmus->name,
                                  .state = &state_now,
                                  .state_bytes = sizeof(state_now),
                                  .setup = registers_setup,
                                  .check = outcome_check,
                                  .quiet = true};
    for (uint32_t i = 0; i < EXPLORE_THREADS_MAX; i++) {
        model.threads[i] = litmus->threads[i] != NULL ? thread_run : NULL;
    }
    program = litmus;
    return model;
}

bool
litmus_run(const struct litmus *litmus)
{
    struct explore_model model = model_of(litmus);
    struct explore_counts counts;
    if (litmus->verdict == ALLOWED) {
        model.fails = "the outcome was found";
    } else if (litmus->verdict == RACE) {
        model.fails = "data race";
    }
    return explore(&model, &counts);
}

/* Explores the program whole and fills `outcomes`. */
static bool
outcomes_find(const struct litmus *litmus, bool unpruned, struct explore_counts *counts)
{
    struct explore_model model = model_of(litmus);
    model.check = outcome_collect;
    model.unpruned = unpruned;
    outcomes_count = 0;
    return explore(&model, counts);
}

bool
litmus_prunes_well(const struct litmus *litmus, uint64_t *states)
{
    struct explore_counts pruned;
    struct explore_counts unpruned;
    bool fine = outcomes_find(litmus, false, &pruned);
    uint32_t count = outcomes_count;
    fine = fine && outcomes_find(litmus, true, &unpruned);
    *states += pruned.states;
    return fine && pruned.states == unpruned.states && count == outcomes_count;
}

int
litmus_outcomes(int threads_count, char **threads)
{
    struct litmus litmus = {.name = "litmus", .outcome = ""};
    for (int i = 0; i < threads_count && i < EXPLORE_THREADS_MAX; i++) {
        litmus.threads[i] = threads[i];
    }
    struct explore_counts counts;
    bool fine = outcomes_find(&litmus, false, &counts);
    for (uint32_t i = 0; i < outcomes_count; i++) {
        for (uint32_t j = 0; j < REGISTERS + WORDS; j++) {
            char name = (char)(j < REGISTERS ? 'a' + j : 's' + j - REGISTERS);
            char none = j < REGISTERS ? '0' + REGISTER_FREE : '0';
            if (outcomes[i][j] != none) {
                printf("%c=%c ", name, outcomes[i][j]);
            }
        }
        printf("\n");
    }
    return fine ? 0 : 1;
}
