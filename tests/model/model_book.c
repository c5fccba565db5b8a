/* model_book.c - the real engine/book.c: every interleaving of threads that put ids into a book of
 * one or two places, take them out, put them back and look at the ages, with C11 memory. What
 * stands behind an id is plain: its thread writes it before the put, and who has the id out of its
 * place writes it again.
 *
 * put      two threads put into one place: one of the ids is handed out by that.
 * pop      two threads pop, while a third one puts.
 * take     one place is emptied, popped and written over at once.
 * back     the same, and who has taken the id puts it back, or as the newest where that fails.
 * back_2   two threads do so with one id.
 * read     who finds an id in a place sees what it stands for.
 * look     two threads note where the book is, and one puts: one note is not lost in another.
 * blind    who puts an id back without a look at the place loses the one that stands there.
 * twice    who takes what stands there without comparing has what another one has.
 * Of the ids each is handed out once, or stands in one place; the count is how many stand there.
 * Holds I1, I2, I3, and the edges entry:A -> entry:B, entry:A -> entry:C, entry:D -> entry:B.
 */
#include <stdio.h>

#include "tests/support/explore.h"

#include "engine/book.c" /* NOLINT(bugprone-suspicious-include) */

#define IDS_MAX 3
#define AGE     UINT64_C(80)

enum step {
    STEP_NONE,
    STEP_PUT,
    STEP_POP,
    STEP_TAKE,
    STEP_BACK,
    STEP_READ,
    STEP_LOOK,
    STEP_BLIND,
    STEP_TWICE
};

struct act {
    enum step step;
    uint32_t number; /* an id, or a position */
};

struct scenario {
    const char *name;
    uint32_t max;
    uint32_t before; /* ids that were put before */
    uint32_t ids;
    struct act acts[EXPLORE_THREADS_MAX];
    const char *fails;
};

/* What stands behind an id: all plain. */
struct record {
    uint32_t made;  /* written once, before the put */
    uint32_t notes; /* of who has it out of its place */
    uint32_t out;   /* times that it was handed out for ever */
};

struct state {
    struct leat_book book;
    struct record records[IDS_MAX + 1];
};

static struct state state_now;
static const struct scenario *scenario;

/* ---- threads --------------------------------------------------------------------------------- */

/* The caller has the id out of its place. */
static void
note(struct state *state, uint64_t id)
{
    EXPLORE_CHECK(id >= 1);
    EXPLORE_CHECK(id <= scenario->ids);
    explore_plain_write(&state->records[id].notes, "record");
    state->records[id].notes++;
}

static void
have(struct state *state, uint64_t id)
{
    note(state, id);
    EXPLORE_CHECK(state->records[id].out == 0);
    state->records[id].out = 1;
}

static void
put(struct state *state, uint64_t id)
{
    uint64_t before = leat_book_put(&state->book, id);
    if (before != 0) {
        have(state, before);
    }
}

static void
make(struct state *state, uint64_t id)
{
    explore_plain_write(&state->records[id].made, "what it stands for");
    state->records[id].made = 1;
    note(state, id);
    put(state, id);
}

static void
back(struct state *state, uint64_t position)
{
    uint64_t id = leat_book_at(&state->book, position);
    if (id == 0 || !leat_book_take(&state->book, position, id)) {
        return;
    }
    note(state, id);
    if (!leat_book_untake(&state->book, position, id)) {
        put(state, id);
    }
}

static void
blind(struct state *state, uint64_t position)
{
    uint64_t id = leat_book_at(&state->book, position);
    if (id != 0 && leat_book_take(&state->book, position, id)) {
        atom_store_rel(entry_of(&state->book, position), id);
        (void)atom_add_rlx(&state->book.count, 1); /* rlx: statistic */
    }
}

static void
twice(struct state *state, uint64_t position)
{
    uint64_t id = leat_book_at(&state->book, position);
    if (id != 0) {
        atom_store_rel(entry_of(&state->book, position), 0);
        (void)atom_sub_rlx(&state->book.count, 1); /* rlx: statistic */
        have(state, id);
    }
}

static void
thread(void *argument)
{
    struct state *state = argument;
    const struct act *act = &scenario->acts[explore_thread()];
    uint64_t id = 0;
    switch (act->step) {
    case STEP_PUT:
        make(state, act->number);
        break;
    case STEP_POP:
        id = leat_book_pop(&state->book, leat_book_end(&state->book));
        break;
    case STEP_TAKE:
        id = leat_book_at(&state->book, act->number);
        id = id != 0 && leat_book_take(&state->book, act->number, id) ? id : 0;
        break;
    case STEP_BACK:
        back(state, act->number);
        break;
    case STEP_READ:
        id = leat_book_at(&state->book, act->number);
        if (id != 0) {
            explore_plain_read(&state->records[id].made, "what it stands for");
            EXPLORE_CHECK(state->records[id].made == 1);
        }
        return;
    case STEP_LOOK:
        (void)leat_book_look(&state->book, act->number);
        break;
    case STEP_BLIND:
        blind(state, act->number);
        break;
    case STEP_TWICE:
        twice(state, act->number);
        break;
    case STEP_NONE:
        break;
    }
    if (id != 0) {
        have(state, id);
    }
}

/* ---- all ------------------------------------------------------------------------------------- */

static void
book_setup(void *argument)
{
    struct state *state = argument;
    EXPLORE_CHECK(leat_book_init(&state->book, scenario->max, AGE));
    for (uint32_t id = 1; id <= scenario->before; id++) {
        make(state, id);
    }
}

static bool
puts_it(uint64_t id)
{
    bool puts = id <= scenario->before;
    for (uint32_t i = 0; i < EXPLORE_THREADS_MAX; i++) {
        const struct act *act = &scenario->acts[i];
        puts = puts || (act->step == STEP_PUT && act->number == id);
    }
    return puts;
}

static void
book_check(void *argument)
{
    struct state *state = argument;
    struct leat_book *book = &state->book;
    uint32_t standing = 0;
    for (uint64_t id = 1; id <= scenario->ids; id++) {
        uint32_t places = state->records[id].out;
        for (uint32_t i = 0; i < scenario->max; i++) {
            uint32_t there = leat_book_at(book, i) == id ? 1 : 0;
            places += there;
            standing += there;
        }
        EXPLORE_CHECK(places == (puts_it(id) ? 1 : 0));
    }
    EXPLORE_CHECK(leat_book_count(book) == standing);
    EXPLORE_CHECK(atom_load_rlx(&book->looking) == 0); /* rlx: not shared yet */
    for (uint32_t i = 0; i < book->marked; i++) {
        EXPLORE_CHECK(book->marks[i].at_ns != 0);
    }
}

#define PUT(id)                                                                                    \
    {                                                                                              \
        STEP_PUT, id                                                                               \
    }
#define POP                                                                                        \
    {                                                                                              \
        STEP_POP, 0                                                                                \
    }
#define TAKE                                                                                       \
    {                                                                                              \
        STEP_TAKE, 0                                                                               \
    }
#define BACK                                                                                       \
    {                                                                                              \
        STEP_BACK, 0                                                                               \
    }
#define READ                                                                                       \
    {                                                                                              \
        STEP_READ, 0                                                                               \
    }
#define LOOK(ns)                                                                                   \
    {                                                                                              \
        STEP_LOOK, ns                                                                              \
    }
#define BLIND                                                                                      \
    {                                                                                              \
        STEP_BLIND, 0                                                                              \
    }
#define TWICE                                                                                      \
    {                                                                                              \
        STEP_TWICE, 0                                                                              \
    }

static const struct scenario scenarios[] = {
    {"book_put", 1, 0, 2, {PUT(1), PUT(2)}, NULL},
    {"book_put_3", 2, 0, 3, {PUT(1), PUT(2), PUT(3)}, NULL},
    {"book_pop", 2, 1, 2, {PUT(2), POP, POP}, NULL},
    {"book_take", 1, 1, 2, {TAKE, PUT(2), POP}, NULL},
    {"book_back", 1, 1, 2, {BACK, PUT(2), POP}, NULL},
    {"book_back_2", 1, 1, 1, {BACK, BACK}, NULL},
    {"book_back_2_put", 1, 1, 2, {BACK, BACK, PUT(2)}, NULL},
    {"book_read", 1, 0, 1, {PUT(1), READ}, NULL},
    {"book_look", 2, 1, 2, {LOOK(100), LOOK(200), PUT(2)}, NULL},
    {"book_blind", 1, 1, 2, {BLIND, PUT(2)}, "places == (puts_it(id) ? 1 : 0)"},
    {"book_twice", 1, 1, 1, {TWICE, POP}, "data race: write of record"},
};

int
main(void)
{
    bool good = true;
    for (uint32_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
        struct explore_counts counts;
        scenario = &scenarios[i];
        struct explore_model model = {.name = scenario->name,
                                      .state = &state_now,
                                      .state_bytes = sizeof(state_now),
                                      .setup = book_setup,
                                      .check = book_check,
                                      .fails = scenario->fails};
        for (uint32_t j = 0; j < EXPLORE_THREADS_MAX; j++) {
            model.threads[j] = scenario->acts[j].step == STEP_NONE ? NULL : thread;
        }
        good = explore(&model, &counts) && good;
    }
    return good ? 0 : 1;
}
