/* model_local.c - every interleaving of two or three threads over local queues of two or four
 * slots, with C11 memory.
 *
 * transfer  Each thread has a queue and a script: push and pop there, steal from another one. Who
 *           pushes writes plain data behind the item, who gets it takes that away: a missing
 *           edge, or an item with two takers, is a data race. Afterwards the contents of all queues
 *           over time are put together again: what was taken from a queue is exactly its first
 *           part, each taker in its order, and the rest is still there (I1, I2, no loss, FIFO).
 *           Full and empty are justified by what happens before: pushes that the thread knows of
 *           and nobody may have taken refute empty, items that it knows to be taken refute full.
 *           Positions start just before they wrap.
 * reuse     A push that succeeds on a full queue knows what the thief did before its steal, and so
 *           does a steal into a full queue: edges local_steal:D -> local_push:A, local_push_n:A,
 *           local_steal:A.
 * count     Who counts no items knows what their takers did before they took (local_pop:A,
 *           local_pop_n:A, local_steal:D -> local_count:A); no count is above what there can be.
 * rescan    A producer that pushes and then looks for sleepers, and a worker that says it sleeps
 *           and then asks leat_local_ready(), each with a full fence between, do not miss each
 *           other.
 */
#include <stdio.h>

#include "ring/local.h"
#include "tests/support/explore.h"

#define QUEUES     3
#define SLOTS_LOG2 2 /* the most */
#define BATCH      2
/* Items of a queue's owner are numbered from its number times this. */
#define ITEMS_EACH 8
#define ITEMS_MAX  (QUEUES * ITEMS_EACH)
#define OPS_MAX    8
/* What leat_local_bytes() wants: a line of slots and one of guard. */
#define SLOTS_BYTES ((size_t)2 * LEAT_LINE_BYTES)

/* ---- what happened -------------------------------------------------------------------------- */

/* Operations, as the scripts name them; a digit steals from that queue. */
#define PUSH   '+'
#define PUSH_N '#'
#define POP    '-'
#define POP_N  '='

/* One operation: what it knew of the others when it began, and how it ended. */
struct op {
    struct explore_event end;
    uint8_t knew[EXPLORE_THREADS_MAX]; /* events of each thread */
    char kind;
    uint8_t queue;        /* that it was about */
    uint8_t moved;        /* items */
    uint8_t items[BATCH]; /* pushed or taken; of a steal the first */
};

struct scenario {
    const char *scripts[QUEUES];
    uint32_t slots_log2[QUEUES]; /* 0: SLOTS_LOG2 */
    uint32_t filled[QUEUES];     /* items at first */
    uint32_t count_most;         /* that leat_local_count() may say of the first queue */
};

struct queue {
    struct leat_local local;
    LEAT_ALIGNED_LINE leat_atomic_u32 slots[SLOTS_BYTES / sizeof(leat_atomic_u32)];
};

struct state {
    struct queue queues[QUEUES];
    uint32_t payload[ITEMS_MAX]; /* plain, behind the items; 0: nobody's */
    struct op ops[QUEUES][OPS_MAX];
    uint8_t ops_count[QUEUES];
    uint32_t note; /* plain: what a taker did before it took */
    LEAT_ALIGNED_LINE leat_atomic_u64 anchor;
    LEAT_ALIGNED_LINE leat_atomic_u32 sleeps;
    bool missed[2];
};

static struct state state_now;
static const struct scenario *scenario;

static bool
is_steal(const struct op *op)
{
    return op->kind >= '0' && op->kind <= '9';
}

/* Items that an operation put into a queue, and that it took out of one. */
static uint32_t
added(const struct op *op, uint32_t thread, uint32_t queue)
{
    if (thread != queue || op->moved == 0) {
        return 0;
    }
    if (is_steal(op)) {
        return op->moved - 1U;
    }
    return op->kind == PUSH || op->kind == PUSH_N ? op->moved : 0;
}

static uint32_t
taken(const struct op *op, uint32_t queue)
{
    return op->queue == queue && op->kind != PUSH && op->kind != PUSH_N ? op->moved : 0;
}

static struct op *
op_begin(struct state *state, char kind)
{
    uint32_t self = explore_thread();
    struct op *op = &state->ops[self][state->ops_count[self]];
    state->ops_count[self]++;
    op->kind = kind;
    op->queue = (uint8_t)(is_steal(op) ? (uint32_t)(kind - '0') : self);
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
op_end(struct op *op, uint32_t moved)
{
    op->moved = (uint8_t)moved;
    op->end = explore_event();
}

/* ---- answers -------------------------------------------------------------------------------- */

/* Whether `first` happened before `second` began. */
static bool
is_before(const struct op *first, uint32_t thread, const struct op *second, uint32_t other)
{
    return thread == other ? first < second : first->end.number <= second->knew[thread];
}

/* Items in the queue as far as they explain an answer: the fewest for empty, the most for full. */
static uint32_t
items_explained(const struct state *state, uint32_t self, const struct op *answer, bool empty)
{
    uint32_t adds = scenario->filled[answer->queue];
    uint32_t takes = 0;
    for (uint32_t i = 0; i < QUEUES; i++) {
        for (uint32_t j = 0; j < state->ops_count[i]; j++) {
            const struct op *op = &state->ops[i][j];
            bool before = is_before(op, i, answer, self);
            bool after = is_before(answer, self, op, i);
            adds += before ? added(op, i, answer->queue) : 0;
            takes += before || (empty && !after) ? taken(op, answer->queue) : 0;
        }
    }
    return adds > takes ? adds - takes : 0;
}

static uint32_t
slots_of(uint32_t queue)
{
    uint32_t slots_log2 = scenario->slots_log2[queue];
    return 1U << (slots_log2 == 0 ? SLOTS_LOG2 : slots_log2);
}

static void
answer_check(const struct state *state, uint32_t self, const struct op *op)
{
    bool pushes = op->kind == PUSH || op->kind == PUSH_N;
    uint32_t wanted = op->kind == PUSH_N || op->kind == POP_N ? BATCH : 1;
    if (op->moved < wanted) {
        uint32_t items = items_explained(state, self, op, !pushes);
        EXPLORE_CHECK(pushes ? items + wanted > slots_of(self) : items == 0);
    }
    EXPLORE_CHECK(!is_steal(op) || op->moved <= (slots_of(op->queue) + 1) / 2);
}

/* ---- the queues, put together again --------------------------------------------------------- */

/* All that was ever in a queue, in its order. */
struct history {
    uint8_t items[ITEMS_MAX];
    uint8_t count;
    uint8_t taken[ITEMS_MAX];
    uint8_t last[QUEUES]; /* place of the last item that each thread took, + 1 */
};

static void
append(struct history *history, uint32_t item)
{
    EXPLORE_CHECK(history->count < ITEMS_MAX);
    history->items[history->count] = (uint8_t)item;
    history->count++;
}

/* The place of an item, or the count of items if it is not there. */
static uint32_t
place_of(const struct history *history, uint32_t item)
{
    uint32_t place = 0;
    while (place < history->count && history->items[place] != item) {
        place++;
    }
    return place;
}

/* Appends what an operation added. False: it took what is not in the victim's history yet. */
static bool
replay_add(struct history histories[], uint32_t self, const struct op *op)
{
    struct history *own = &histories[self];
    if (!is_steal(op)) {
        for (uint32_t i = 0; i < added(op, self, self); i++) {
            append(own, op->items[i]);
        }
        return true;
    }
    const struct history *victim = &histories[op->queue];
    uint32_t place = place_of(victim, op->items[0]);
    if (op->moved > 0 && place + op->moved > victim->count) {
        return false;
    }
    for (uint32_t i = 1; i < op->moved; i++) {
        append(own, victim->items[place + i]);
    }
    return true;
}

static void
histories_make(const struct state *state, struct history histories[])
{
    uint32_t done[QUEUES] = {0};
    bool moves = true;
    for (uint32_t i = 0; i < QUEUES; i++) {
        for (uint32_t j = 0; j < scenario->filled[i]; j++) {
            append(&histories[i], i * ITEMS_EACH + j);
        }
    }
    while (moves) { /* ends: each round that moves does an operation */
        moves = false;
        for (uint32_t i = 0; i < QUEUES; i++) {
            while (done[i] < state->ops_count[i] &&
                   replay_add(histories, i, &state->ops[i][done[i]])) {
                done[i]++;
                moves = true;
            }
        }
    }
    for (uint32_t i = 0; i < QUEUES; i++) {
        EXPLORE_CHECK(done[i] == state->ops_count[i]);
    }
}

/* What one operation took are neighbours, behind what the same thread took before. */
static void
replay_take(struct history *history, uint32_t self, const struct op *op)
{
    uint32_t place = place_of(history, op->items[0]);
    for (uint32_t i = 0; i < op->moved; i++) {
        EXPLORE_CHECK(place + i < history->count);
        EXPLORE_CHECK(place + i >= history->last[self]);
        EXPLORE_CHECK(is_steal(op) || history->items[place + i] == op->items[i]);
        history->taken[place + i]++;
    }
    history->last[self] = (uint8_t)(op->moved > 0 ? place + op->moved : history->last[self]);
}

/* The first part of the history is taken, the rest is in the queue. */
static void
rest_check(struct leat_local *local, const struct history *history)
{
    uint32_t place = 0;
    uint32_t item = 0;
    while (place < history->count && history->taken[place] == 1) {
        place++;
    }
    for (; place < history->count; place++) {
        EXPLORE_CHECK(history->taken[place] == 0);
        EXPLORE_CHECK(leat_local_pop(local, &item));
        EXPLORE_CHECK(item == history->items[place]);
    }
    EXPLORE_CHECK(!leat_local_pop(local, &item));
}

/* ---- transfer ------------------------------------------------------------------------------- */

static void
queues_setup(void *argument)
{
    struct state *state = argument;
    for (uint32_t i = 0; i < QUEUES; i++) {
        uint32_t slots_log2 = scenario->slots_log2[i];
        struct queue *queue = &state->queues[i];
        slots_log2 = slots_log2 == 0 ? SLOTS_LOG2 : slots_log2;
        EXPLORE_CHECK(leat_local_bytes(slots_log2) == sizeof(queue->slots));
        /* The position wraps within the run. */
        leat_local_init(&queue->local, slots_log2, queue->slots, UINT64_MAX - 1);
        for (uint32_t j = 0; j < scenario->filled[i]; j++) {
            uint32_t item = i * ITEMS_EACH + j;
            state->payload[item] = item + 1;
            EXPLORE_CHECK(leat_local_push(&queue->local, item));
        }
    }
}

static void
item_make(struct state *state, uint32_t item)
{
    explore_plain_write(&state->payload[item], "payload");
    state->payload[item] = item + 1;
}

/* This thread has the item, and nobody else. */
static void
item_use(struct state *state, uint32_t item)
{
    EXPLORE_CHECK(item < ITEMS_MAX);
    explore_plain_write(&state->payload[item], "payload");
    EXPLORE_CHECK(state->payload[item] == item + 1);
    state->payload[item] = 0;
}

static uint32_t
op_run(struct state *state, char kind, uint32_t items[BATCH])
{
    struct leat_local *own = &state->queues[explore_thread()].local;
    switch (kind) {
    case PUSH:
        return leat_local_push(own, items[0]) ? 1 : 0;
    case PUSH_N:
        return leat_local_push_n(own, items, BATCH) ? BATCH : 0;
    case POP:
        return leat_local_pop(own, &items[0]) ? 1 : 0;
    case POP_N:
        return leat_local_pop_n(own, items, BATCH);
    default:
        return leat_local_steal(&state->queues[kind - '0'].local, own, &items[0]);
    }
}

static void
script_thread(void *argument)
{
    struct state *state = argument;
    uint32_t self = explore_thread();
    uint32_t next = self * ITEMS_EACH + scenario->filled[self];
    for (const char *kind = scenario->scripts[self]; *kind != '\0'; kind++) {
        uint32_t items[BATCH] = {next, next + 1};
        uint32_t makes = *kind == PUSH ? 1 : *kind == PUSH_N ? BATCH : 0;
        for (uint32_t i = 0; i < makes; i++) {
            item_make(state, items[i]);
        }
        next += makes;
        struct op *op = op_begin(state, *kind);
        uint32_t moved = op_run(state, *kind, items);
        op_end(op, moved);
        uint32_t uses = makes > 0 ? 0 : is_steal(op) && moved > 1 ? 1 : moved;
        for (uint32_t i = 0; i < BATCH; i++) {
            op->items[i] = (uint8_t)items[i];
        }
        for (uint32_t i = 0; i < uses; i++) {
            item_use(state, items[i]);
        }
    }
}

static void
transfer_check(void *argument)
{
    struct state *state = argument;
    struct history histories[QUEUES] = {0};
    histories_make(state, histories);
    for (uint32_t i = 0; i < QUEUES; i++) {
        for (uint32_t j = 0; j < state->ops_count[i]; j++) {
            const struct op *op = &state->ops[i][j];
            answer_check(state, i, op);
            if (taken(op, op->queue) > 0) {
                replay_take(&histories[op->queue], i, op);
            }
        }
    }
    for (uint32_t i = 0; i < QUEUES; i++) {
        EXPLORE_CHECK(leat_local_check(&state->queues[i].local, stdout));
        rest_check(&state->queues[i].local, &histories[i]);
    }
}

/* ---- reuse and count ------------------------------------------------------------------------ */

static void
queues_check(void *argument)
{
    struct state *state = argument;
    for (uint32_t i = 0; i < QUEUES; i++) {
        EXPLORE_CHECK(leat_local_check(&state->queues[i].local, stdout));
    }
}

static void
note_write(struct state *state)
{
    explore_plain_write(&state->note, "note");
    state->note = 1;
}

static void
note_read(struct state *state)
{
    explore_plain_read(&state->note, "note");
    EXPLORE_CHECK(state->note == 1);
}

/* Does something, of which another thread learns. */
static void
note_and_run_thread(void *argument)
{
    struct state *state = argument;
    uint32_t items[BATCH] = {0};
    note_write(state);
    (void)op_run(state, scenario->scripts[explore_thread()][0], items);
}

/* Its queue is full, so it moves more than it must only behind the steal. */
static void
run_and_read_thread(void *argument)
{
    struct state *state = argument;
    uint32_t items[BATCH] = {0, 1};
    char kind = scenario->scripts[explore_thread()][0];
    uint32_t moved = op_run(state, kind, items);
    if (moved > (kind == PUSH || kind == PUSH_N ? 0U : 1U)) {
        note_read(state);
    }
}

static void
count_and_read_thread(void *argument)
{
    struct state *state = argument;
    uint64_t count = leat_local_count(&state->queues[0].local);
    EXPLORE_CHECK(count <= scenario->filled[0]);
    if (count == 0) {
        note_read(state);
    }
}

static void
run_thread(void *argument)
{
    struct state *state = argument;
    uint32_t items[BATCH] = {0, 1};
    for (const char *kind = scenario->scripts[explore_thread()]; *kind != '\0'; kind++) {
        (void)op_run(state, *kind, items);
    }
}

static void
count_thread(void *argument)
{
    struct state *state = argument;
    EXPLORE_CHECK(leat_local_count(&state->queues[0].local) <= scenario->count_most);
}

/* ---- rescan --------------------------------------------------------------------------------- */

static void
push_and_look_thread(void *argument)
{
    struct state *state = argument;
    EXPLORE_CHECK(leat_local_push(&state->queues[0].local, 0));
    atom_fence_sc(&state->anchor);
    state->missed[0] = atom_load_rlx(&state->sleeps) == 0;
}

static void
sleep_and_look_thread(void *argument)
{
    struct state *state = argument;
    atom_store_rlx(&state->sleeps, 1);
    atom_fence_sc(&state->anchor);
    state->missed[1] = !leat_local_ready(&state->queues[0].local);
}

/* If both missed the other, somebody took the item. */
static void
rescan_check(void *argument)
{
    struct state *state = argument;
    EXPLORE_CHECK(!state->missed[0] || !state->missed[1] ||
                  leat_local_count(&state->queues[0].local) == 0);
    queues_check(state);
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
            .check = queues_check                                                                  \
        }                                                                                          \
    }

static const struct model models[] = {
    TRANSFER("local_1_thief", .scripts = {"+-+-+-", "0000"}, .slots_log2 = {1}),
    TRANSFER("local_1_thief_full", .scripts = {"+++-+", "000"}, .slots_log2 = {1}, .filled = {2}),
    TRANSFER("local_1_thief_half", .scripts = {"-+-+", "0-0-"}, .filled = {3}),
    TRANSFER("local_1_thief_lap", .scripts = {"++-+++", "0-00-"}, .filled = {4}),
    TRANSFER("local_pop_n", .scripts = {"=+=+", "0-0-"}, .filled = {3}),
    TRANSFER("local_push_n", .scripts = {"#=#-#", "0-0"}, .filled = {2}),
    TRANSFER("local_push_n_full", .scripts = {"#-#+", "000"}, .slots_log2 = {1}, .filled = {2}),
    TRANSFER("local_2_thieves", .scripts = {"-++", "00", "0"}, .slots_log2 = {1}, .filled = {2}),
    TRANSFER("local_2_thieves_half", .scripts = {"+-+", "0-", "0-"}, .filled = {3}),
    TRANSFER("local_2_thieves_pop_n", .scripts = {"=#", "0-", "0-"}, .filled = {4}),
    TRANSFER("local_chain", .scripts = {"-+", "0-0", "11"}, .filled = {4}),
    TRANSFER("local_chain_lap", .scripts = {"+", "0-0", "11"}, .slots_log2 = {2, 1, 1},
             .filled = {4, 1}),
    TRANSFER("local_no_room", .scripts = {"-+", "0-0"}, .slots_log2 = {2, 1}, .filled = {4, 2}),
    TRANSFER("local_ring", .scripts = {"1-", "2-", "0-"}, .filled = {2, 2, 2}),
    TRANSFER("local_exchange", .scripts = {"1-1", "0-0"}, .filled = {3, 3}),
    {.scenario = {.scripts = {"-++-+", "00", "00"}, .slots_log2 = {1}, .filled = {2}},
     .explore = {.name = "local_2_thieves_long", .check = transfer_check, .deep = true}},
    {.scenario = {.scripts = {"+=#-", "0-0-", "0-0"}, .filled = {3}},
     .explore = {.name = "local_2_thieves_batch", .check = transfer_check, .deep = true}},
    {.scenario = {.scripts = {"-+#", "0-0-", "1-1-"}, .filled = {4, 1}},
     .explore = {.name = "local_chain_long", .check = transfer_check, .deep = true}},
    THREADS("local_reuse", run_and_read_thread, note_and_run_thread, NULL, .scripts = {"+", "0"},
            .filled = {4}),
    THREADS("local_reuse_n", run_and_read_thread, note_and_run_thread, NULL, .scripts = {"#", "0"},
            .filled = {4}),
    THREADS("local_reuse_steal", run_thread, run_and_read_thread, note_and_run_thread,
            .scripts = {"", "0", "1"}, .slots_log2 = {2, 1}, .filled = {4, 2}),
    THREADS("local_count_pop", note_and_run_thread, count_and_read_thread, NULL, .scripts = {"-"},
            .filled = {1}),
    THREADS("local_count_pop_n", note_and_run_thread, count_and_read_thread, NULL, .scripts = {"="},
            .filled = {2}),
    THREADS("local_count_steal", count_and_read_thread, note_and_run_thread, NULL,
            .scripts = {"", "0"}, .filled = {1}),
    THREADS("local_count_most", run_thread, count_thread, NULL, .scripts = {"+-"}, .count_most = 1),
    THREADS("local_count_most_steal", run_thread, run_thread, count_thread, .scripts = {"+", "0"},
            .count_most = 1),
    THREADS("local_count_full", run_thread, count_thread, NULL, .scripts = {"-+-+"},
            .slots_log2 = {1}, .filled = {2}, .count_most = 2),
    {.explore = {.name = "local_rescan",
                 .threads = {push_and_look_thread, sleep_and_look_thread},
                 .check = rescan_check}},
    {.scenario = {.scripts = {"", "", "0"}},
     .explore = {.name = "local_rescan_steal",
                 .threads = {push_and_look_thread, sleep_and_look_thread, run_thread},
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
        for (uint32_t j = 0; j < QUEUES && scenario->scripts[j] != NULL; j++) {
            model.threads[j] = model.threads[j] == NULL ? script_thread : model.threads[j];
        }
        model.state = &state_now;
        model.state_bytes = sizeof(state_now);
        model.setup = queues_setup;
        wrong += explore(&model, &counts) ? 0 : 1;
    }
    return wrong == 0 ? 0 : 1;
}
