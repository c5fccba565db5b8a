/* model_deque.c - every interleaving of an owner and one or two thieves over a deque of two or four
 * slots, with C11 memory.
 *
 * transfer  The owner writes plain data behind each entry and pushes it; who gets the entry takes
 *           the data away: a missing edge, or an entry with two takers, is a data race. All words
 *           belong to the same entry. A pop gives the newest entry that the owner has not popped,
 *           whatever the thieves do; thieves get them in the order of their places; none is lost
 *           (I1, I2). Full, empty and lost are justified by what happens before: an empty deque has
 *           no entry that the thread knows of and nobody may have taken, a full one only those that
 *           it does not know to be taken, and who loses has another taker beside it. Positions
 *           start at 0, where a pop lowers the bottom below it, or just before they wrap.
 * reuse     A push that succeeds on a full deque knows what the thief did before its steal: edge
 *           deque_steal:C -> deque_push:A.
 * count     Who counts no entries knows what their takers did before they took (deque_steal:C,
 *           deque_pop:A, deque_pop:C); no count is above what there can be.
 * rescan    An owner that pushes and then looks for sleepers, and a worker that says it sleeps and
 *           then asks leat_deque_ready(), each with a full fence between, do not miss each other.
 */
#include <stdio.h>

#include "ring/deque.h"
#include "tests/support/explore.h"

#define THREADS_MAX 3
#define ENTRIES_MAX 12
#define OPS_MAX     8
/* What leat_deque_bytes() wants for 2^2 slots: a line of slots and one of guard. */
#define SLOTS_LOG2  2
#define SLOTS_BYTES ((size_t)2 * LEAT_LINE_BYTES)

/* ---- what happened -------------------------------------------------------------------------- */

/* Operations, as the scripts name them. */
#define PUSH  '+'
#define POP   '-'
#define STEAL 's'

/* One operation: what it knew of the others when it began, and how it ended. */
struct op {
    struct explore_event end;
    uint8_t knew[EXPLORE_THREADS_MAX]; /* events of each thread */
    char kind;
    bool moved;
    bool lost;
    uint8_t number; /* of the entry */
};

struct scenario {
    const char *scripts[THREADS_MAX]; /* the owner's first */
    uint32_t slots_log2;              /* 0: SLOTS_LOG2 */
    uint32_t filled;                  /* entries at first */
    uint32_t count_most;              /* that leat_deque_count() may say */
    uint64_t start;                   /* position */
};

struct state {
    struct leat_deque deque;
    LEAT_ALIGNED_LINE unsigned char slots[SLOTS_BYTES];
    uint32_t payload[ENTRIES_MAX]; /* plain, behind the entries; 0: nobody's */
    uint8_t places[ENTRIES_MAX];   /* of the entries, counted from the start */
    uint8_t stack[ENTRIES_MAX];    /* pushed and not popped by the owner */
    uint8_t stack_count;
    struct op ops[THREADS_MAX][OPS_MAX];
    uint8_t ops_count[THREADS_MAX];
    uint32_t note; /* plain: what a taker did before it took */
    LEAT_ALIGNED_LINE leat_atomic_u64 anchor;
    LEAT_ALIGNED_LINE leat_atomic_u32 sleeps;
    bool missed[2];
};

static struct state state_now;
static const struct scenario *scenario;

static struct op *
op_begin(struct state *state, char kind)
{
    uint32_t self = explore_thread();
    struct op *op = &state->ops[self][state->ops_count[self]];
    state->ops_count[self]++;
    op->kind = kind;
    for (uint8_t i = 0; i < EXPLORE_THREADS_MAX; i++) {
        struct explore_event event = {.thread = i, .number = 1};
        while (i != self && explore_knows(event)) {
            op->knew[i] = event.number;
            event.number++;
        }
    }
    return op;
}

static void
op_end(struct op *op, bool moved, uint32_t number)
{
    op->moved = moved;
    op->number = (uint8_t)number;
    op->end = explore_event();
}

/* ---- answers -------------------------------------------------------------------------------- */

/* Whether `first` happened before `second` began. */
static bool
is_before(const struct op *first, uint32_t thread, const struct op *second, uint32_t other)
{
    return thread == other ? first < second : first->end.number <= second->knew[thread];
}

/* Whether another thread took something and it was neither before the answer nor after it. */
static bool
has_rival(const struct state *state, uint32_t self, const struct op *answer)
{
    bool found = false;
    for (uint32_t i = 0; i < THREADS_MAX; i++) {
        for (uint32_t j = 0; j < state->ops_count[i] && i != self; j++) {
            const struct op *op = &state->ops[i][j];
            bool beside = !is_before(op, i, answer, self) && !is_before(answer, self, op, i);
            found = found || (op->kind != PUSH && op->moved && beside);
        }
    }
    return found;
}

/* Entries as far as they explain an answer: the fewest for empty, the most for full. */
static uint32_t
entries_explained(const struct state *state, uint32_t self, const struct op *answer, bool empty)
{
    uint32_t pushed = scenario->filled;
    uint32_t taken = 0;
    for (uint32_t i = 0; i < THREADS_MAX; i++) {
        for (uint32_t j = 0; j < state->ops_count[i]; j++) {
            const struct op *op = &state->ops[i][j];
            bool before = is_before(op, i, answer, self);
            bool after = is_before(answer, self, op, i);
            bool counts = before || (empty && !after);
            pushed += op->kind == PUSH && op->moved && before ? 1 : 0;
            taken += op->kind != PUSH && op->moved && counts ? 1 : 0;
        }
    }
    return pushed > taken ? pushed - taken : 0;
}

static uint32_t
slots_log2(void)
{
    return scenario->slots_log2 == 0 ? SLOTS_LOG2 : scenario->slots_log2;
}

static void
answer_check(const struct state *state, uint32_t self, const struct op *op)
{
    if (op->moved) {
        return;
    }
    if (op->lost) {
        EXPLORE_CHECK(has_rival(state, self, op));
        return;
    }
    uint32_t entries = entries_explained(state, self, op, op->kind != PUSH);
    EXPLORE_CHECK(op->kind == PUSH ? entries >= 1U << slots_log2() : entries == 0);
}

/* ---- transfer ------------------------------------------------------------------------------- */

static struct leat_deque_entry
entry_of(uint32_t number)
{
    return (struct leat_deque_entry){{number, ~(uint64_t)number, number + 1, number + 2}};
}

/* The number of an entry, all of whose words are its own. */
static uint32_t
number_of(const struct leat_deque_entry *entry)
{
    EXPLORE_CHECK(entry->words[0] < ENTRIES_MAX);
    EXPLORE_CHECK(entry->words[1] == ~entry->words[0]);
    EXPLORE_CHECK(entry->words[2] == entry->words[0] + 1);
    EXPLORE_CHECK(entry->words[3] == entry->words[0] + 2);
    return (uint32_t)entry->words[0];
}

/* Before it is pushed, so that who gets it may look at its place. */
static void
entry_make(struct state *state, uint32_t number)
{
    explore_plain_write(&state->payload[number], "payload");
    state->payload[number] = number + 1;
    uint64_t bottom = atom_load_rlx(&state->deque.bottom);
    state->places[number] = (uint8_t)(bottom - scenario->start);
}

/* This thread has the entry, and nobody else. */
static void
entry_use(struct state *state, uint32_t number)
{
    explore_plain_write(&state->payload[number], "payload");
    EXPLORE_CHECK(state->payload[number] == number + 1);
    state->payload[number] = 0;
}

static void
deque_setup(void *argument)
{
    struct state *state = argument;
    EXPLORE_CHECK(leat_deque_bytes(slots_log2()) <= sizeof(state->slots));
    leat_deque_init(&state->deque, slots_log2(), state->slots, scenario->start);
    for (uint32_t i = 0; i < scenario->filled; i++) {
        struct leat_deque_entry entry = entry_of(i);
        entry_make(state, i);
        EXPLORE_CHECK(leat_deque_push(&state->deque, &entry));
        state->stack[state->stack_count] = (uint8_t)i;
        state->stack_count++;
    }
}

static void
push(struct state *state, uint32_t number)
{
    struct leat_deque_entry entry = entry_of(number);
    entry_make(state, number);
    struct op *op = op_begin(state, PUSH);
    bool pushed = leat_deque_push(&state->deque, &entry);
    op_end(op, pushed, number);
    if (pushed) {
        state->stack[state->stack_count] = (uint8_t)number;
        state->stack_count++;
    }
}

static void
pop(struct state *state)
{
    struct leat_deque_entry entry = {0};
    struct op *op = op_begin(state, POP);
    bool popped = leat_deque_pop(&state->deque, &entry);
    uint32_t number = popped ? number_of(&entry) : 0;
    op_end(op, popped, number);
    if (popped) {
        EXPLORE_CHECK(state->stack_count > 0);
        state->stack_count--;
        EXPLORE_CHECK(number == state->stack[state->stack_count]);
        entry_use(state, number);
    } else {
        EXPLORE_CHECK(entry.words[1] == 0);
    }
}

static void
steal(struct state *state)
{
    struct leat_deque_entry entry = {0};
    struct op *op = op_begin(state, STEAL);
    enum leat_deque_answer answer = leat_deque_steal(&state->deque, 0, &entry);
    uint32_t number = answer == LEAT_DEQUE_GOT ? number_of(&entry) : 0;
    op->lost = answer == LEAT_DEQUE_LOST;
    op_end(op, answer == LEAT_DEQUE_GOT, number);
    if (answer == LEAT_DEQUE_GOT) {
        entry_use(state, number);
    } else {
        EXPLORE_CHECK(entry.words[1] == 0);
    }
}

static void
script_thread(void *argument)
{
    struct state *state = argument;
    uint32_t next = scenario->filled;
    for (const char *kind = scenario->scripts[explore_thread()]; *kind != '\0'; kind++) {
        switch (*kind) {
        case PUSH:
            push(state, next);
            next++;
            break;
        case POP:
            pop(state);
            break;
        default:
            steal(state);
        }
    }
}

/* What the thread stole stood in ascending places; marks it. */
static void
stolen_mark(const struct state *state, uint32_t thread, uint8_t marks[ENTRIES_MAX])
{
    uint32_t least = 0;
    for (uint32_t i = 0; i < state->ops_count[thread]; i++) {
        const struct op *op = &state->ops[thread][i];
        if (op->kind == STEAL && op->moved) {
            EXPLORE_CHECK(state->places[op->number] >= least);
            least = state->places[op->number] + 1U;
            marks[op->number] = 1;
        }
    }
}

static void
transfer_check(void *argument)
{
    struct state *state = argument;
    uint8_t stolen[ENTRIES_MAX] = {0};
    struct leat_deque_entry entry;
    for (uint32_t i = 0; i < THREADS_MAX; i++) {
        stolen_mark(state, i, stolen);
        for (uint32_t j = 0; j < state->ops_count[i]; j++) {
            answer_check(state, i, &state->ops[i][j]);
        }
    }
    EXPLORE_CHECK(leat_deque_check(&state->deque, stdout));
    /* The owner's stack is in the deque, but for its lowest entries, which were stolen. */
    while (leat_deque_pop(&state->deque, &entry)) {
        EXPLORE_CHECK(state->stack_count > 0);
        state->stack_count--;
        EXPLORE_CHECK(number_of(&entry) == state->stack[state->stack_count]);
        entry_use(state, number_of(&entry));
    }
    for (uint32_t i = 0; i < state->stack_count; i++) {
        EXPLORE_CHECK(stolen[state->stack[i]] == 1);
    }
    EXPLORE_CHECK(leat_deque_check(&state->deque, stdout));
}

/* ---- reuse and count ------------------------------------------------------------------------ */

static void
deque_check(void *argument)
{
    struct state *state = argument;
    EXPLORE_CHECK(leat_deque_check(&state->deque, stdout));
}

static void
note_read(struct state *state)
{
    explore_plain_read(&state->note, "note");
    EXPLORE_CHECK(state->note == 1);
}

/* Writes the note and follows its script, of which another thread learns. */
static void
note_and_run_thread(void *argument)
{
    struct state *state = argument;
    explore_plain_write(&state->note, "note");
    state->note = 1;
    script_thread(state);
}

/* The deque is full, so there is room only behind the steal. */
static void
push_and_read_thread(void *argument)
{
    struct state *state = argument;
    struct leat_deque_entry entry = entry_of(ENTRIES_MAX - 1);
    if (leat_deque_push(&state->deque, &entry)) {
        note_read(state);
    }
}

static void
count_and_read_thread(void *argument)
{
    struct state *state = argument;
    uint64_t count = leat_deque_count(&state->deque);
    EXPLORE_CHECK(count <= scenario->count_most);
    if (count == 0) {
        note_read(state);
    }
}

static void
count_thread(void *argument)
{
    struct state *state = argument;
    EXPLORE_CHECK(leat_deque_count(&state->deque) <= scenario->count_most);
}

/* ---- rescan --------------------------------------------------------------------------------- */

static void
push_and_look_thread(void *argument)
{
    struct state *state = argument;
    push(state, 0);
    atom_fence_sc(&state->anchor);
    state->missed[0] = atom_load_rlx(&state->sleeps) == 0;
}

static void
sleep_and_look_thread(void *argument)
{
    struct state *state = argument;
    atom_store_rlx(&state->sleeps, 1);
    atom_fence_sc(&state->anchor);
    state->missed[1] = !leat_deque_ready(&state->deque);
}

/* If both missed the other, somebody took the entry. */
static void
rescan_check(void *argument)
{
    struct state *state = argument;
    EXPLORE_CHECK(!state->missed[0] || !state->missed[1] || leat_deque_count(&state->deque) == 0);
    deque_check(state);
}

/* ---- all ------------------------------------------------------------------------------------ */

struct model {
    struct scenario scenario;
    struct explore_model explore;
};

#define TRANSFER(model_name, ...)                                                                  \
    {                                                                                              \
        .scenario = {__VA_ARGS__}, .explore = {.name = (model_name), .check = transfer_check }     \
    }
#define THREADS(model_name, first, second, third, ...)                                             \
    {                                                                                              \
        .scenario = {__VA_ARGS__}, .explore = {                                                    \
            .name = (model_name),                                                                  \
            .threads = {first, second, third},                                                     \
            .check = deque_check                                                                   \
        }                                                                                          \
    }
#define WRAP (UINT64_MAX - 1)

static const struct model models[] = {
    TRANSFER("deque_1_thief", .scripts = {"+-+-+-", "sss"}),
    TRANSFER("deque_1_thief_wrap", .scripts = {"+-+-+-", "sss"}, .start = WRAP),
    TRANSFER("deque_1_thief_2", .scripts = {"++--+-", "sss"}, .start = WRAP),
    TRANSFER("deque_1_thief_again", .scripts = {"-+-+-", "sss"}, .filled = 2),
    TRANSFER("deque_1_thief_full", .scripts = {"+++-", "sss"}, .slots_log2 = 1, .filled = 2,
             .start = WRAP),
    TRANSFER("deque_1_thief_deep", .scripts = {"---", "sss"}, .filled = 4),
    TRANSFER("deque_2_thieves", .scripts = {"+-+-", "s", "s"}),
    TRANSFER("deque_2_thieves_2", .scripts = {"-+-", "ss", "s"}, .filled = 2, .start = WRAP),
    TRANSFER("deque_2_thieves_again", .scripts = {"-+-", "s", "s"}, .filled = 3),
    TRANSFER("deque_2_thieves_full", .scripts = {"+-+", "s", "s"}, .slots_log2 = 1, .filled = 2),
    TRANSFER("deque_2_thieves_deep", .scripts = {"--", "ss", "s"}, .filled = 4),
    {.scenario = {.scripts = {"--", "ss", "ss"}, .filled = 4},
     .explore = {.name = "deque_2_thieves_empty", .check = transfer_check, .deep = true}},
    {.scenario = {.scripts = {"-+-+", "ss", "ss"}, .filled = 2, .start = WRAP},
     .explore = {.name = "deque_2_thieves_long", .check = transfer_check, .deep = true}},
    {.scenario = {.scripts = {"++--++-", "ssss"}, .filled = 1},
     .explore = {.name = "deque_1_thief_long", .check = transfer_check, .deep = true}},
    THREADS("deque_reuse", push_and_read_thread, note_and_run_thread, NULL, .scripts = {"", "s"},
            .filled = 4),
    THREADS("deque_count_steal", count_and_read_thread, note_and_run_thread, NULL,
            .scripts = {"", "s"}, .filled = 1, .count_most = 1),
    THREADS("deque_count_pop", note_and_run_thread, count_and_read_thread, NULL, .scripts = {"-"},
            .filled = 1, .count_most = 1),
    THREADS("deque_count_pops", note_and_run_thread, count_and_read_thread, NULL, .scripts = {"--"},
            .filled = 2, .count_most = 2),
    THREADS("deque_count_most", script_thread, script_thread, count_thread, .scripts = {"-+", "s"},
            .filled = 1, .count_most = 2),
    THREADS("deque_count_full", script_thread, script_thread, count_thread, .scripts = {"++", "ss"},
            .slots_log2 = 1, .filled = 2, .count_most = 2),
    {.explore = {.name = "deque_rescan",
                 .threads = {push_and_look_thread, sleep_and_look_thread},
                 .check = rescan_check}},
    {.scenario = {.scripts = {"", "", "s"}},
     .explore = {.name = "deque_rescan_steal",
                 .threads = {push_and_look_thread, sleep_and_look_thread, script_thread},
                 .check = rescan_check}},
};

int
main(void)
{
    uint32_t wrong = 0;
    for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
        struct explore_model model = models[i].explore;
        struct explore_counts counts;
        scenario = &models[i].scenario;
        for (uint32_t j = 0; j < THREADS_MAX && scenario->scripts[j] != NULL; j++) {
            model.threads[j] = model.threads[j] == NULL ? script_thread : model.threads[j];
        }
        model.state = &state_now;
        model.state_bytes = sizeof(state_now);
        model.setup = deque_setup;
        wrong += explore(&model, &counts) ? 0 : 1;
    }
    return wrong == 0 ? 0 : 1;
}
