/* model_mpmc.c - every interleaving of two to four threads over a ring of two slots, with C11
 * memory.
 *
 * transfer  Producers write plain data behind each item and push it, consumers pop and read the
 *           data: a missing edge push:C -> pop:A is a data race. No item is lost, doubled or made
 *           up, those of one producer come out in their order, and the ring keeps I1 and I2.
 *           Full and empty are justified by what happens before: a pop may say empty only if the
 *           pushes that it knows of can all have been popped, or another push is under way (the
 *           BLOCKING of the ring's head). Positions start just before they wrap.
 * reuse     A push that succeeds on a full ring knows what the consumer did before its pop: edges
 *           pop:C -> push:A and push_n:A.
 * count     Who counts no items knows what their consumers did before they popped (pop:B ->
 *           count:A), and no count is above the items there can be (push:B, push_n:B -> count:B).
 */
#include <stdio.h>

#include "ring/mpmc.h"
#include "tests/support/explore.h"

#define SLOTS_LOG2 1
#define SLOTS      2
/* What leat_mpmc_bytes() wants: a line of slots and one of guard. */
#define SLOTS_BYTES ((size_t)2 * LEAT_LINE_BYTES)
#define ITEMS_MAX   8
#define OPS_MAX     8

/* ---- what happened -------------------------------------------------------------------------- */

/* One operation: what it knew of the others when it began, and how it ended. */
struct op {
    struct explore_event end;
    uint8_t knew[EXPLORE_THREADS_MAX]; /* events of each thread */
    uint8_t items;                     /* wanted or moved */
    bool pushes;
    bool succeeded;
};

struct scenario {
    uint32_t producers;
    uint32_t consumers;
    uint32_t pushes; /* each producer */
    uint32_t pops;   /* each consumer */
    uint32_t batch;  /* items in one push of the first producer; 0: single pushes */
    uint32_t filled; /* items in the ring at first */
};

struct state {
    struct leat_mpmc ring;
    LEAT_ALIGNED_LINE leat_atomic_u64 slots[SLOTS_BYTES / sizeof(leat_atomic_u64)];
    uint32_t payload[ITEMS_MAX]; /* plain, behind the items */
    struct op ops[EXPLORE_THREADS_MAX][OPS_MAX];
    uint8_t ops_count[EXPLORE_THREADS_MAX];
    uint8_t popped[EXPLORE_THREADS_MAX][OPS_MAX]; /* items in their order, + 1 */
    uint8_t popped_count[EXPLORE_THREADS_MAX];
    uint8_t pushed[ITEMS_MAX]; /* by item */
    uint32_t note;             /* plain: what a consumer did before its pop */
};

static struct state state_now;
static const struct scenario *scenario;

static struct op *
op_begin(struct state *state, bool pushes, uint32_t items)
{
    uint32_t self = explore_thread();
    struct op *op = &state->ops[self][state->ops_count[self]];
    state->ops_count[self]++;
    op->pushes = pushes;
    op->items = (uint8_t)items;
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
op_end(struct op *op, bool succeeded)
{
    op->succeeded = succeeded;
    op->end = explore_event();
}

/* Whether `first` happened before `second` began. */
static bool
is_before(const struct op *first, uint32_t thread, const struct op *second, uint32_t other)
{
    return thread == other ? first < second : first->end.number <= second->knew[thread];
}

/* Items in the ring as far as they explain an answer: the fewest for empty, the most for full. What
 * helps counts unless it came later, the rest only if it came before. *hidden: an operation of the
 * other kind was under way, and may hide items or free slots. */
static uint32_t
items_explained(const struct state *state, uint32_t self, const struct op *answer, bool *hidden)
{
    uint32_t pushed = scenario->filled;
    uint32_t popped = 0;
    for (uint32_t i = 0; i < EXPLORE_THREADS_MAX; i++) {
        for (uint32_t j = 0; j < state->ops_count[i]; j++) {
            const struct op *op = &state->ops[i][j];
            bool before = is_before(op, i, answer, self);
            if (!op->succeeded || is_before(answer, self, op, i)) {
                continue;
            }
            bool counts = before || op->pushes == answer->pushes;
            pushed += counts && op->pushes ? op->items : 0;
            popped += counts && !op->pushes ? op->items : 0;
            *hidden = *hidden || !counts;
        }
    }
    return pushed > popped ? pushed - popped : 0;
}

static void
answers_check(const struct state *state)
{
    for (uint32_t i = 0; i < EXPLORE_THREADS_MAX; i++) {
        for (uint32_t j = 0; j < state->ops_count[i]; j++) {
            const struct op *op = &state->ops[i][j];
            bool hidden = false;
            if (!op->succeeded) {
                uint32_t items = items_explained(state, i, op, &hidden);
                bool fits = op->pushes ? items + op->items > SLOTS : items == 0;
                EXPLORE_CHECK(fits || hidden);
            }
        }
    }
}

/* ---- transfer ------------------------------------------------------------------------------- */

static void
ring_setup(void *argument)
{
    struct state *state = argument;
    EXPLORE_CHECK(leat_mpmc_bytes(SLOTS_LOG2) == sizeof(state->slots));
    /* The turn and the position wrap within the run. */
    const struct leat_ring_config config = {
        .slots_log2 = SLOTS_LOG2, .memory = state->slots, .start = UINT64_MAX};
    leat_mpmc_init(&state->ring, &config);
    for (uint32_t i = 0; i < scenario->filled; i++) {
        EXPLORE_CHECK(leat_mpmc_push(&state->ring, ITEMS_MAX - 1 - i));
    }
}

static void
payload_write(struct state *state, uint32_t item)
{
    explore_plain_write(&state->payload[item], "payload");
    state->payload[item] = item + 1;
}

static void
producer_thread(void *argument)
{
    struct state *state = argument;
    uint32_t self = explore_thread();
    uint32_t batch = self == 0 && scenario->batch != 0 ? scenario->batch : 1;
    for (uint32_t i = 0; i < scenario->pushes; i++) {
        uint32_t items[SLOTS] = {0};
        for (uint32_t j = 0; j < batch; j++) {
            items[j] = self * 4 + i * batch + j;
            payload_write(state, items[j]);
        }
        struct op *op = op_begin(state, true, batch);
        bool pushed = batch == 1 ? leat_mpmc_push(&state->ring, items[0])
                                 : leat_mpmc_push_n(&state->ring, items, batch);
        op_end(op, pushed);
        for (uint32_t j = 0; j < batch && pushed; j++) {
            state->pushed[items[j]] = 1;
        }
    }
}

static void
consumer_thread(void *argument)
{
    struct state *state = argument;
    uint32_t self = explore_thread();
    for (uint32_t i = 0; i < scenario->pops; i++) {
        uint32_t item = 0;
        struct op *op = op_begin(state, false, 1);
        bool popped = leat_mpmc_pop(&state->ring, &item);
        op_end(op, popped);
        if (popped) {
            EXPLORE_CHECK(item < ITEMS_MAX);
            explore_plain_read(&state->payload[item], "payload");
            EXPLORE_CHECK(state->payload[item] == item + 1);
            state->popped[self][state->popped_count[self]] = (uint8_t)(item + 1);
            state->popped_count[self]++;
        }
    }
}

/* Puts what is left into the list of thread `place`, as if it had popped it at last. */
static void
ring_drain(struct state *state, uint32_t place)
{
    uint32_t item = 0;
    while (leat_mpmc_pop(&state->ring, &item)) {
        state->popped[place][state->popped_count[place]] = (uint8_t)(item + 1);
        state->popped_count[place]++;
    }
}

/* Items of one producer that one thread popped stand in their order. */
static void
order_check(const struct state *state, uint32_t thread)
{
    uint32_t last[2] = {0, 0};
    for (uint32_t i = 0; i < state->popped_count[thread]; i++) {
        uint32_t item = state->popped[thread][i];
        uint32_t producer = (item - 1) / 4;
        EXPLORE_CHECK(item > last[producer]);
        last[producer] = item;
    }
}

static void
transfer_check(void *argument)
{
    struct state *state = argument;
    uint8_t seen[ITEMS_MAX] = {0};
    EXPLORE_CHECK(leat_mpmc_check(&state->ring, stdout));
    answers_check(state);
    /* Behind what the first consumer popped: with one consumer this is the order of the ring. */
    ring_drain(state, scenario->producers);
    for (uint32_t i = 0; i < EXPLORE_THREADS_MAX; i++) {
        order_check(state, i);
        for (uint32_t j = 0; j < state->popped_count[i]; j++) {
            uint32_t item = state->popped[i][j] - 1U;
            EXPLORE_CHECK(seen[item] == 0);
            seen[item] = 1;
        }
    }
    for (uint32_t i = 0; i < ITEMS_MAX; i++) {
        EXPLORE_CHECK(seen[i] == state->pushed[i]);
    }
    EXPLORE_CHECK(leat_mpmc_check(&state->ring, stdout));
}

/* ---- reuse ---------------------------------------------------------------------------------- */

static void
note_and_pop_thread(void *argument)
{
    struct state *state = argument;
    uint32_t item = 0;
    explore_plain_write(&state->note, "note");
    state->note = 1;
    EXPLORE_CHECK(leat_mpmc_pop(&state->ring, &item));
}

/* A slot was free, so the pop has been. */
static void
push_and_read_thread(void *argument)
{
    struct state *state = argument;
    uint32_t items[SLOTS] = {0, 1};
    uint32_t batch = scenario->batch == 0 ? 1 : scenario->batch;
    bool pushed = scenario->batch == 0 ? leat_mpmc_push(&state->ring, 0)
                                       : leat_mpmc_push_n(&state->ring, items, batch);
    if (pushed) {
        explore_plain_read(&state->note, "note");
        EXPLORE_CHECK(state->note == 1);
    }
}

static void
ring_check(void *argument)
{
    struct state *state = argument;
    EXPLORE_CHECK(leat_mpmc_check(&state->ring, stdout));
}

/* ---- count ---------------------------------------------------------------------------------- */

static void
count_and_read_thread(void *argument)
{
    struct state *state = argument;
    uint64_t count = leat_mpmc_count(&state->ring);
    EXPLORE_CHECK(count <= scenario->filled);
    if (count == 0) {
        explore_plain_read(&state->note, "note");
        EXPLORE_CHECK(state->note == 1);
    }
}

static void
push_thread(void *argument)
{
    struct state *state = argument;
    uint32_t items[SLOTS] = {0, 1};
    EXPLORE_CHECK(scenario->batch == 0 ? leat_mpmc_push(&state->ring, 0)
                                       : leat_mpmc_push_n(&state->ring, items, scenario->batch));
}

static void
pop_thread(void *argument)
{
    struct state *state = argument;
    uint32_t item = 0;
    (void)leat_mpmc_pop(&state->ring, &item);
}

/* At most one item was there at any time. */
static void
count_thread(void *argument)
{
    struct state *state = argument;
    uint64_t count = leat_mpmc_count(&state->ring);
    EXPLORE_CHECK(count <= (scenario->batch == 0 ? 1 : scenario->batch));
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

static const struct model models[] = {
    TRANSFER("mpmc_1p1c", .producers = 1, .consumers = 1, .pushes = 4, .pops = 4),
    TRANSFER("mpmc_2p1c", .producers = 2, .consumers = 1, .pushes = 1, .pops = 2),
    TRANSFER("mpmc_1p2c", .producers = 1, .consumers = 2, .pushes = 2, .pops = 1),
    TRANSFER("mpmc_2p1c_2", .producers = 2, .consumers = 1, .pushes = 2, .pops = 2),
    TRANSFER("mpmc_2p1c_3", .producers = 2, .consumers = 1, .pushes = 2, .pops = 3),
    TRANSFER("mpmc_1p2c_2", .producers = 1, .consumers = 2, .pushes = 3, .pops = 2),
    TRANSFER("mpmc_2p2c_1", .producers = 2, .consumers = 2, .pushes = 1, .pops = 1),
    TRANSFER("mpmc_batch", .producers = 2, .consumers = 1, .pushes = 1, .pops = 2, .batch = 2),
    TRANSFER("mpmc_2p2c_2", .producers = 2, .consumers = 2, .pushes = 2, .pops = 1),
    TRANSFER("mpmc_2p2c_2_2", .producers = 2, .consumers = 2, .pushes = 2, .pops = 2),
    {.scenario = {.filled = SLOTS},
     .explore = {.name = "mpmc_reuse",
                 .threads = {note_and_pop_thread, push_and_read_thread},
                 .check = ring_check}},
    {.scenario = {.filled = 1, .batch = 2},
     .explore = {.name = "mpmc_reuse_n",
                 .threads = {note_and_pop_thread, push_and_read_thread},
                 .check = ring_check}},
    {.scenario = {.filled = 1},
     .explore = {.name = "mpmc_count_done",
                 .threads = {note_and_pop_thread, count_and_read_thread},
                 .check = ring_check}},
    {.scenario = {.filled = 0},
     .explore = {.name = "mpmc_count_most",
                 .threads = {push_thread, pop_thread, count_thread},
                 .check = ring_check}},
    {.scenario = {.filled = 0, .batch = 1},
     .explore = {.name = "mpmc_count_most_n",
                 .threads = {push_thread, pop_thread, count_thread},
                 .check = ring_check}},
};

int
main(void)
{
    uint32_t wrong = 0;
    for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
        struct explore_model model = models[i].explore;
        struct explore_counts counts;
        scenario = &models[i].scenario;
        for (uint32_t j = 0; j < scenario->producers + scenario->consumers; j++) {
            model.threads[j] = j < scenario->producers ? producer_thread : consumer_thread;
        }
        model.state = &state_now;
        model.state_bytes = sizeof(state_now);
        model.setup = ring_setup;
        wrong += explore(&model, &counts) ? 0 : 1;
    }
    return wrong == 0 ? 0 : 1;
}
