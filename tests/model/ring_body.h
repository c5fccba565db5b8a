/* ring_body.h - what the models of the rings have in common: every interleaving of two to four
 * threads over a ring of two or four slots, with C11 memory. model_X.c includes it after it named
 * its ring by RING(); the rings have the same calls.
 *
 * history  Each thread does what its string says. Producers write plain data behind each item and
 *          consumers read it: a missing edge from push to pop is a data race. At the end the calls
 *          must fit into one row in which a queue of that capacity gives the same answers, what
 *          happens before being kept: no item lost, doubled or made up, first in first out, and
 *          where the ring claims exact answers each full and each empty true at a moment in its
 *          call. Answers that are not claimed exact must be explained by a call that was under
 *          way. A push knows what was before the pop of the item that had its slot.
 * reuse    A push that succeeds on a full ring knows the plain data that the consumer wrote before
 *          its pop.
 * count    Who counts no items, or sees none ready, knows what their consumers did before they
 *          popped; no count is above the items there can be.
 */
#ifndef TESTS_MODEL_RING_BODY_H
#define TESTS_MODEL_RING_BODY_H

#include <stdio.h>

#include "tests/support/explore.h"

/* Which answers are claimed to be exact; the others are explained by a call under way. Empty: said
 * by pop, ready or count. */
#define NONE_EXACT  0
#define EMPTY_EXACT 1
#define ALL_EXACT   2

/* The ring: RING(_push) is its push. Where this header is compiled alone, what the library uses. */
#ifndef RING
#    include "ring/mpmc.h"
#    define RING(name) leat_mpmc##name
#    define RING_NAME  "mpmc"
#    define RING_EXACT NONE_EXACT
#endif

/* Its calls have so many steps that the larger models take minutes. */
#ifndef RING_DEEP
#    define RING_DEEP false
#endif

/* The push of the threads. */
#ifndef RING_PUSH
#    define RING_PUSH RING(_push)
#endif

/* Of four slots, or of two. */
#define SLOTS_LOG2_MAX 2
#define MEMORY_BYTES   ((size_t)4 * LEAT_LINE_BYTES)
#define OPS_MAX        10
#define FILLED_MAX     4
/* Items of thread i are i * OPS_MAX and following; behind them those of setup. */
#define ITEMS_SETUP (EXPLORE_THREADS_MAX * OPS_MAX)
#define ITEMS_MAX   (ITEMS_SETUP + FILLED_MAX)

/* Position and turn wrap in the run; or the turn alone, with two slots. */
#define BEFORE_WRAP      UINT64_MAX
#define BEFORE_TURN_WRAP ((UINT64_C(1) << LEAT_TURN_BITS) - 1)

enum op_kind { OP_PUSH = '+', OP_POP = '-', OP_READY = '?', OP_COUNT = '#' };

/* One call: what it knew of the others when it began and when it ended, and its answer. */
struct op {
    struct explore_event begin;
    struct explore_event end;
    uint8_t knew[EXPLORE_THREADS_MAX];  /* events of each thread */
    uint8_t knows[EXPLORE_THREADS_MAX]; /* the same at the end */
    uint8_t item;
    uint8_t kind; /* 0: none */
    bool yes;     /* succeeded; ready; counted some */
};

struct scenario {
    const char *threads[EXPLORE_THREADS_MAX]; /* kinds of their calls */
    uint64_t start;                           /* position of the first item that setup leaves */
    uint32_t slots_log2;                      /* 0: 1 */
    uint32_t filled;                          /* items in the ring at first */
    uint32_t used;                            /* items that were pushed and popped before these */
    uint32_t tail_back; /* hints: so many positions behind, where the ring has hints */
    uint32_t head_back;
};

struct state {
    struct RING() ring;
    LEAT_ALIGNED_LINE leat_atomic_u64 memory[MEMORY_BYTES / sizeof(leat_atomic_u64)];
    uint32_t payload[ITEMS_MAX];                     /* plain, behind the items */
    struct op ops[EXPLORE_THREADS_MAX][OPS_MAX + 1]; /* the last is none */
    uint32_t note;                                   /* plain: what a consumer did before its pop */
};

static struct state state_now;
static const struct scenario *scenario;

/* ---- setup ---------------------------------------------------------------------------------- */

static uint32_t
slots_count(void)
{
    return UINT32_C(1) << (scenario->slots_log2 == 0 ? 1 : scenario->slots_log2);
}

#ifndef RING_HINTS_BACK
#    define RING_HINTS_BACK(ring, tail_back, head_back) ((void)(ring))
#endif

static void
ring_setup(void *argument)
{
    struct state *state = argument;
    const struct leat_ring_config config = {
        .slots_log2 = scenario->slots_log2 == 0 ? 1 : scenario->slots_log2,
        .memory = state->memory,
        .start = scenario->start - scenario->used};
    EXPLORE_CHECK(RING(_bytes)(config.slots_log2) <= sizeof(state->memory));
    RING(_init)(&state->ring, &config);
    for (uint32_t i = 0; i < scenario->used; i++) {
        uint32_t item = 0;
        EXPLORE_CHECK(RING(_push)(&state->ring, i));
        EXPLORE_CHECK(RING(_pop)(&state->ring, &item));
        EXPLORE_CHECK(item == i);
    }
    for (uint32_t i = 0; i < scenario->filled; i++) {
        state->payload[ITEMS_SETUP + i] = ITEMS_SETUP + i + 1;
        EXPLORE_CHECK(RING(_push)(&state->ring, ITEMS_SETUP + i));
    }
    RING_HINTS_BACK(&state->ring, scenario->tail_back, scenario->head_back);
}

/* ---- what happened -------------------------------------------------------------------------- */

static void
knowledge_take(uint8_t *knowledge)
{
    for (uint8_t i = 0; i < EXPLORE_THREADS_MAX; i++) {
        struct explore_event event = {.thread = i, .number = 1};
        while (i != explore_thread() && explore_knows(event)) {
            knowledge[i] = event.number;
            event.number++;
        }
    }
}

static struct op *
op_begin(struct state *state, uint32_t number, uint8_t kind)
{
    struct op *op = &state->ops[explore_thread()][number];
    op->kind = kind;
    op->begin = explore_event();
    knowledge_take(op->knew);
    return op;
}

static void
op_end(struct op *op, uint32_t item, bool yes)
{
    op->item = (uint8_t)item;
    op->yes = yes;
    op->end = explore_event();
    knowledge_take(op->knows);
}

static void
ring_thread(void *argument)
{
    struct state *state = argument;
    uint32_t self = explore_thread();
    const char *kinds = scenario->threads[self];
    for (uint32_t i = 0; kinds[i] != '\0'; i++) {
        uint32_t item = self * OPS_MAX + i;
        bool yes = false;
        if (kinds[i] == OP_PUSH) {
            explore_plain_write(&state->payload[item], "payload");
            state->payload[item] = item + 1;
        }
        struct op *op = op_begin(state, i, (uint8_t)kinds[i]);
        if (kinds[i] == OP_PUSH) {
            yes = RING_PUSH(&state->ring, item);
        } else if (kinds[i] == OP_POP) {
            yes = RING(_pop)(&state->ring, &item);
        } else if (kinds[i] == OP_READY) {
            yes = RING(_ready)(&state->ring);
        } else {
            uint64_t count = RING(_count)(&state->ring);
            EXPLORE_CHECK(count <= slots_count());
            yes = count != 0;
        }
        op_end(op, item, yes);
        if (kinds[i] == OP_POP && yes) {
            EXPLORE_CHECK(item < ITEMS_MAX);
            explore_plain_read(&state->payload[item], "payload");
            EXPLORE_CHECK(state->payload[item] == item + 1);
        }
    }
}

/* ---- answers that need not be exact --------------------------------------------------------- */

static bool
is_before(const struct op *first, uint32_t thread, const struct op *second, uint32_t other)
{
    return thread == other ? first < second : first->end.number <= second->knew[thread];
}

static bool
moves(const struct op *op)
{
    return op->yes && (op->kind == OP_PUSH || op->kind == OP_POP);
}

/* Items in the ring as far as they explain an answer: the fewest for empty, the most for full. What
 * helps counts unless it came later, the rest only if it came before. *hidden: a call of the other
 * kind was under way, and may hide items or free slots. */
static uint32_t
items_explained(const struct state *state, uint32_t self, const struct op *answer, bool *hidden)
{
    uint32_t pushed = scenario->filled;
    uint32_t popped = 0;
    for (uint32_t i = 0; i < EXPLORE_THREADS_MAX; i++) {
        for (uint32_t j = 0; j < OPS_MAX; j++) {
            const struct op *op = &state->ops[i][j];
            if (!moves(op) || is_before(answer, self, op, i)) {
                continue;
            }
            bool helps = (op->kind == OP_PUSH) == (answer->kind == OP_PUSH);
            bool counts = helps || is_before(op, i, answer, self);
            pushed += counts && op->kind == OP_PUSH ? 1 : 0;
            popped += counts && op->kind == OP_POP ? 1 : 0;
            *hidden = *hidden || !counts;
        }
    }
    return pushed > popped ? pushed - popped : 0;
}

static void
answers_check(const struct state *state)
{
    for (uint32_t i = 0; i < EXPLORE_THREADS_MAX; i++) {
        for (uint32_t j = 0; j < OPS_MAX; j++) {
            const struct op *op = &state->ops[i][j];
            bool hidden = false;
            if (op->kind != 0 && !op->yes) {
                uint32_t items = items_explained(state, i, op, &hidden);
                bool fits = op->kind == OP_PUSH ? items >= slots_count() : items == 0;
                EXPLORE_CHECK(fits || hidden);
            }
        }
    }
}

/* ---- one row -------------------------------------------------------------------------------- */

/* Calls put into a row so far, and the queue behind them: what was pushed, in its order, of which
 * the first `popped` are out. */
struct row {
    uint8_t threads[EXPLORE_THREADS_MAX * OPS_MAX]; /* whose call comes at each place */
    uint32_t length;
    uint32_t next[EXPLORE_THREADS_MAX]; /* call of each thread */
    uint8_t items[ITEMS_MAX];
    uint32_t pushed;
    uint32_t popped;
    const struct op *poppers[ITEMS_MAX]; /* by place in `items` */
    uint8_t popper_threads[ITEMS_MAX];
};

static const struct op *
row_next(const struct state *state, const struct row *row, uint32_t thread)
{
    return &state->ops[thread][row->next[thread]];
}

/* The push of place `pushed` ended knowing what was before the pop from the same slot. */
static bool
knows_its_slot(const struct row *row, const struct op *push, uint32_t thread)
{
    if (row->pushed < slots_count()) {
        return true;
    }
    uint32_t place = row->pushed - slots_count();
    uint32_t popper = row->popper_threads[place];
    return popper == thread || row->poppers[place]->begin.number <= push->knows[popper];
}

/* Whether the next call of a thread can stand at this place: nothing that is left happens before
 * it, and the queue gives its answer. */
static bool
row_allows(const struct state *state, const struct row *row, uint32_t thread)
{
    const struct op *op = row_next(state, row, thread);
    uint32_t count = row->pushed - row->popped;
    if (op->kind == 0) {
        return false;
    }
    for (uint32_t i = 0; i < EXPLORE_THREADS_MAX; i++) {
        const struct op *other = row_next(state, row, i);
        if (i != thread && other->kind != 0 && is_before(other, i, op, thread)) {
            return false;
        }
    }
    if (op->kind == OP_PUSH && op->yes) {
        return count < slots_count() && knows_its_slot(row, op, thread);
    }
    if (op->kind == OP_POP && op->yes) {
        return count > 0 && row->items[row->popped] == op->item;
    }
    bool exact = RING_EXACT == ALL_EXACT || (RING_EXACT == EMPTY_EXACT && op->kind != OP_PUSH);
    if (!exact || (op->yes && (op->kind == OP_COUNT || RING_EXACT == EMPTY_EXACT))) {
        return true;
    }
    return op->kind == OP_PUSH ? count == slots_count() : (count > 0) == op->yes;
}

static void
row_extend(const struct state *state, struct row *row, uint32_t thread)
{
    const struct op *op = row_next(state, row, thread);
    if (op->kind == OP_PUSH && op->yes) {
        row->items[row->pushed] = op->item;
        row->pushed++;
    } else if (op->kind == OP_POP && op->yes) {
        row->poppers[row->popped] = op;
        row->popper_threads[row->popped] = (uint8_t)thread;
        row->popped++;
    }
    row->threads[row->length] = (uint8_t)thread;
    row->length++;
    row->next[thread]++;
}

static uint32_t
row_shorten(const struct state *state, struct row *row)
{
    row->length--;
    uint32_t thread = row->threads[row->length];
    row->next[thread]--;
    const struct op *op = row_next(state, row, thread);
    row->pushed -= op->kind == OP_PUSH && op->yes ? 1 : 0;
    row->popped -= op->kind == OP_POP && op->yes ? 1 : 0;
    return thread;
}

/* All calls stand in the row, and what is left in the ring is what the queue has left. */
static bool
row_ends(const struct state *state, const struct row *row, const struct row *left)
{
    for (uint32_t i = 0; i < EXPLORE_THREADS_MAX; i++) {
        if (row_next(state, row, i)->kind != 0) {
            return false;
        }
    }
    bool equal = row->pushed - row->popped == left->pushed;
    for (uint32_t i = 0; equal && i < left->pushed; i++) {
        equal = row->items[row->popped + i] == left->items[i];
    }
    return equal;
}

/* Depth first over the rows. Ends, since each is tried once and the calls are few. */
static bool
row_exists(const struct state *state, const struct row *left)
{
    struct row row = {.pushed = scenario->filled};
    uint32_t thread = 0;
    for (uint32_t i = 0; i < scenario->filled; i++) {
        row.items[i] = (uint8_t)(ITEMS_SETUP + i);
    }
    for (;;) {
        if (row_ends(state, &row, left)) {
            return true;
        }
        while (thread < EXPLORE_THREADS_MAX && !row_allows(state, &row, thread)) {
            thread++;
        }
        if (thread < EXPLORE_THREADS_MAX) {
            row_extend(state, &row, thread);
            thread = 0;
        } else if (row.length > 0) {
            thread = row_shorten(state, &row) + 1;
        } else {
            return false;
        }
    }
}

static void
ring_check(void *argument)
{
    struct state *state = argument;
    EXPLORE_CHECK(RING(_check)(&state->ring, stdout));
}

static void
history_check(void *argument)
{
    struct state *state = argument;
    struct row left = {.pushed = 0};
    uint32_t item = 0;
    ring_check(state);
    uint64_t count = RING(_count)(&state->ring);
    EXPLORE_CHECK(RING(_ready)(&state->ring) == (count > 0));
    while (left.pushed < ITEMS_MAX && RING(_pop)(&state->ring, &item)) {
        left.items[left.pushed] = (uint8_t)item;
        left.pushed++;
    }
    EXPLORE_CHECK(left.pushed == count);
    EXPLORE_CHECK(row_exists(state, &left));
    if (RING_EXACT != ALL_EXACT) {
        answers_check(state);
    }
    ring_check(state);
}

/* ---- reuse, count --------------------------------------------------------------------------- */

static void
note_write(struct state *state)
{
    explore_plain_write(&state->note, "note");
    state->note = 1;
}

static void
note_read(const struct state *state)
{
    explore_plain_read(&state->note, "note");
    EXPLORE_CHECK(state->note == 1);
}

static void
note_and_pop_thread(void *argument)
{
    struct state *state = argument;
    uint32_t item = 0;
    note_write(state);
    EXPLORE_CHECK(RING(_pop)(&state->ring, &item));
}

/* A slot was free, so the pop has been. */
static void
push_and_read_thread(void *argument)
{
    struct state *state = argument;
    if (RING_PUSH(&state->ring, 0)) {
        note_read(state);
    }
}

static void
count_and_read_thread(void *argument)
{
    struct state *state = argument;
    uint64_t count = RING(_count)(&state->ring);
    EXPLORE_CHECK(count <= scenario->filled);
    if (count == 0) {
        note_read(state);
    }
}

static void
ready_and_read_thread(void *argument)
{
    struct state *state = argument;
    if (!RING(_ready)(&state->ring)) {
        note_read(state);
    }
}

static void
push_thread(void *argument)
{
    struct state *state = argument;
    EXPLORE_CHECK(RING_PUSH(&state->ring, 0));
}

static void
pop_thread(void *argument)
{
    struct state *state = argument;
    uint32_t item = 0;
    (void)RING(_pop)(&state->ring, &item);
}

/* At most one item was there at any time. */
static void
count_thread(void *argument)
{
    struct state *state = argument;
    EXPLORE_CHECK(RING(_count)(&state->ring) <= 1);
}

/* ---- all ------------------------------------------------------------------------------------ */

struct model {
    struct scenario scenario;
    struct explore_model explore;
};

/* HISTORY(name, position of the first item, "calls of a thread", …) */
#define HISTORY(model_name, first, ...)      HISTORY_DEEP(false, model_name, first, __VA_ARGS__)
#define HISTORY_MORE(model_name, first, ...) HISTORY_DEEP(RING_DEEP, model_name, first, __VA_ARGS__)
#define HISTORY_DEEP(is_deep, model_name, first, ...)                                              \
    {                                                                                              \
        .scenario = {.threads = {__VA_ARGS__}, .start = (first)}, .explore = {                     \
            .name = RING_NAME "_" model_name,                                                      \
            .check = history_check,                                                                \
            .deep = (is_deep)                                                                      \
        }                                                                                          \
    }

/* The same, with items in the ring at first. */
#define FILLED(model_name, items, first, ...)                                                      \
    {                                                                                              \
        .scenario = {.threads = {__VA_ARGS__}, .start = (first), .filled = (items)}, .explore = {  \
            .name = RING_NAME "_" model_name,                                                      \
            .check = history_check                                                                 \
        }                                                                                          \
    }

#define PROTOCOL(model_name, items, ...)                                                           \
    {                                                                                              \
        .scenario = {.filled = (items), .start = BEFORE_WRAP}, .explore = {                        \
            .name = RING_NAME "_" model_name,                                                      \
            .threads = {__VA_ARGS__},                                                              \
            .check = ring_check                                                                    \
        }                                                                                          \
    }

static const struct model models_common[] = {
    HISTORY_MORE("1p1c", BEFORE_WRAP, "++++", "----"),
    PROTOCOL("reuse", 2, note_and_pop_thread, push_and_read_thread),
    PROTOCOL("count_done", 1, note_and_pop_thread, count_and_read_thread),
    PROTOCOL("ready_done", 1, note_and_pop_thread, ready_and_read_thread),
    PROTOCOL("count_most", 0, push_thread, pop_thread, count_thread),
    FILLED("count_full", 2, BEFORE_WRAP, "#", "-", "+"),
#ifndef RING_ONE /* producer and consumer only */
    PROTOCOL("reuse_2p", 2, note_and_pop_thread, push_and_read_thread, push_and_read_thread),
    FILLED("2p", 0, BEFORE_WRAP, "+", "+"),
    FILLED("2c", 2, BEFORE_WRAP, "-", "-"),
    HISTORY("2p1c", BEFORE_WRAP, "+", "+", "--"),
    HISTORY("1p2c", BEFORE_TURN_WRAP, "++", "-", "-"),
    HISTORY_MORE("2p1c_2", BEFORE_WRAP, "++", "++", "--"),
    HISTORY_MORE("1p2c_2", BEFORE_TURN_WRAP, "+++", "--", "--"),
    HISTORY_MORE("2p2c_1", BEFORE_WRAP, "+", "+", "-", "-"),
    HISTORY_MORE("both", BEFORE_WRAP, "+-+-", "+-+-"),
    HISTORY_MORE("ready", BEFORE_WRAP, "++-", "-+", "?"),
    HISTORY_MORE("count", BEFORE_TURN_WRAP, "++-", "-+", "#"),
#endif
};

#define MODELS_RUN(models) models_run((models), sizeof(models) / sizeof((models)[0]))

/* How many did not go as they should. */
static uint32_t
models_run(const struct model *models, size_t count)
{
    uint32_t wrong = 0;
    for (size_t i = 0; i < count; i++) {
        struct explore_model model = models[i].explore;
        struct explore_counts counts;
        scenario = &models[i].scenario;
        for (uint32_t j = 0; j < EXPLORE_THREADS_MAX && scenario->threads[j] != NULL; j++) {
            model.threads[j] = ring_thread;
        }
        model.state = &state_now;
        model.state_bytes = sizeof(state_now);
        model.setup = ring_setup;
        wrong += explore(&model, &counts) ? 0 : 1;
    }
    return wrong;
}

#endif
