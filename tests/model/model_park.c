/* model_park.c - the real sched/pool.c, sched/worker.c and sched/park.c: every interleaving of threads
 * that bring work with workers that look, park and wake, with C11 memory. The pool has one level and
 * rings of two slots.
 *
 * wake   Producers push and end; the workers end up asleep. If a wake-up is lost, they sleep beside
 *        an item that did not run. What a producer wrote before its push is plain data.
 * late   The same where a wait on a futex may return for no reason.
 * stop   Who pushed stops the pool when all has run: the workers wake up and end, and what they
 *        wrote is there.
 * quiet  leat_pool_quiet() answers only when the items that the caller pushed have run, and
 *        their writes are there.
 * lend   A lent thread beside a stop: after leat_pool_wait_empty() nobody is inside.
 */
#include <stdio.h>
#include <stdlib.h>

#include "sched/pool.h"
#include "tests/support/explore.h"

/* Not its header: each thread of the model has its own `current_worker`, and this is its address. */
#include "sched/worker.c" /* NOLINT(bugprone-suspicious-include) */

#define ITEMS_MAX 4

struct scenario {
    uint32_t producers;
    uint32_t workers;
    uint32_t items; /* of each producer */
    bool batch;     /* pushed at once */
    bool stops;     /* the first producer waits until all has run, and stops the pool */
    bool quiet;     /* waits for quiet instead of counting */
    bool lend;      /* the workers are lent threads */
};

struct state {
    struct leat_pool pool;
    leat_atomic_u32 ran;
    uint32_t questions[ITEMS_MAX]; /* plain */
    uint32_t answers[ITEMS_MAX];   /* plain */
    leat_atomic_u64 elsewhere;
};

static struct state state_now;
static const struct scenario *scenario;

/* ---- the pool ------------------------------------------------------------------------------- */

static void *
memory_allocate(size_t bytes, size_t alignment, void *context)
{
    (void)alignment;
    (void)context;
    return explore_memory_take(bytes);
}

static void
memory_release(void *memory, size_t bytes, void *context)
{
    (void)memory;
    (void)bytes;
    (void)context;
}

static void
item_run(void *context, struct leat_worker *worker, uint32_t item)
{
    struct state *state = context;
    uint32_t index = leat_item_index(item);
    (void)worker;
    explore_check(index < ITEMS_MAX);
    explore_plain_read(&state->questions[index], "question");
    explore_plain_write(&state->answers[index], "answer");
    explore_check(state->questions[index] == index + 1);
    explore_check(state->answers[index] == 0);
    state->answers[index] = 1;
    if (scenario->stops) {
        (void)atom_add_rlx(&state->ran, 1); /* rlx: statistic */
    }
}

static void
pool_setup(void *argument)
{
    struct state *state = argument;
    struct leat_pool_config config = {
        .workers = scenario->lend ? 0 : scenario->workers,
        .lenders_max = scenario->workers,
        .ring_slots_log2 = 1,
        .tasks_max = 1,
        .memory = {memory_allocate, memory_release, NULL},
        .ops = {.run = item_run, .context = state},
    };
    explore_check(leat_pool_init(&state->pool, &config) == LEAT_OS_OK);
    for (uint32_t i = 0; i < scenario->workers; i++) {
        explore_ignore(&state->pool.workers[i].parks);
        explore_ignore(&state->pool.workers[i].wakes);
    }
    explore_ignore(&state->pool.wakes_outside);
    /* As leat_pool_start() leaves it. */
    atom_init(&state->pool.alive, scenario->lend ? 0 : scenario->workers);
}

/* ---- threads -------------------------------------------------------------------------------- */

static void
items_push(struct state *state)
{
    uint32_t items[ITEMS_MAX] = {0};
    for (uint32_t i = 0; i < scenario->items; i++) {
        uint32_t index = explore_thread() * scenario->items + i;
        explore_plain_write(&state->questions[index], "question");
        state->questions[index] = index + 1;
        items[i] = leat_item_of(LEAT_KIND_JOB, index);
        if (!scenario->batch) {
            explore_check(leat_pool_push(&state->pool, 0, items[i]));
        }
    }
    if (scenario->batch) {
        explore_check(leat_pool_push_n(&state->pool, 0, items, scenario->items));
    }
}

static void
answers_read(struct state *state, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        explore_plain_read(&state->answers[i], "answer");
        explore_check(state->answers[i] == 1);
    }
}

static void
all_await(struct state *state)
{
    uint32_t all = scenario->items * scenario->producers;
    while (atom_load_rlx(&state->ran) != all) { /* rlx: statistic */
        leat_pause();
    }
}

static void
quiet_await(struct state *state)
{
    leat_pool_watch(&state->pool);
    for (;;) {
        uint32_t event = leat_pool_watch_event(&state->pool);
        if (leat_pool_quiet(&state->pool, &state->elsewhere)) {
            break;
        }
        leat_pool_watch_wait(&state->pool, event, UINT64_MAX);
    }
    leat_pool_unwatch(&state->pool);
}

/* The first producer. */
static void
first_thread(void *argument)
{
    struct state *state = argument;
    items_push(state);
    if (scenario->quiet) {
        quiet_await(state);
        answers_read(state, scenario->items);
    }
    if (scenario->stops) {
        all_await(state);
    }
    if (scenario->stops || scenario->lend) {
        leat_pool_halt(&state->pool);
        explore_check(leat_pool_wait_empty(&state->pool, UINT64_MAX));
        answers_read(state, scenario->stops ? scenario->items * scenario->producers : 0);
    }
}

static void
producer_thread(void *argument)
{
    items_push(argument);
}

static void
worker_thread(void *argument)
{
    struct state *state = argument;
    uint32_t index = explore_thread() - scenario->producers;
    size_t ran = 0;
    if (scenario->lend) {
        explore_check(leat_pool_lend(&state->pool, 1, &ran));
    } else {
        (void)leat_worker_run(&state->pool.workers[index]);
    }
}

static void
pool_check(void *argument)
{
    struct state *state = argument;
    explore_check(leat_mpmc_check(&state->pool.rings[0], stdout));
    if (scenario->stops || scenario->lend) {
        explore_check(atom_load_rlx(&state->pool.alive) == 0); /* rlx: not shared yet */
    }
    for (uint32_t i = 0; i < scenario->items * scenario->producers && !scenario->lend; i++) {
        explore_check(state->answers[i] == 1);
    }
}

/* ---- all ------------------------------------------------------------------------------------ */

struct model {
    const char *name;
    uint32_t spurious;
    struct scenario scenario;
};

static const struct model models[] = {
    {"park_wake_1p1w", 0, {.producers = 1, .workers = 1, .items = 1}},
    {"park_wake_1p1w_2", 0, {.producers = 1, .workers = 1, .items = 2}},
    {"park_wake_late", 1, {.producers = 1, .workers = 1, .items = 1}},
    {"park_wake_batch", 0, {.producers = 1, .workers = 1, .items = 2, .batch = true}},
    {"park_stop_1p1w", 0, {.producers = 1, .workers = 1, .items = 1, .stops = true}},
    {"park_quiet_1p1w", 0, {.producers = 1, .workers = 1, .items = 1, .quiet = true}},
    {"park_lend", 0, {.producers = 1, .workers = 1, .items = 1, .lend = true}},
    {"park_wake_2p1w", 0, {.producers = 2, .workers = 1, .items = 1}},
    {"park_wake_1p2w", 0, {.producers = 1, .workers = 2, .items = 1}},
};

int
main(int argc, char **argv)
{
    uint32_t wrong = 0;
    size_t first = argc > 1 ? (size_t)strtoul(argv[1], NULL, 10) : 0;
    for (size_t i = first; i < sizeof(models) / sizeof(models[0]); i++) {
        struct explore_model model = {.name = models[i].name,
                                      .state = &state_now,
                                      .state_bytes = sizeof(state_now),
                                      .setup = pool_setup,
                                      .check = pool_check,
                                      .spurious = models[i].spurious,
                                      .local = (void **)(void *)&current_worker};
        struct explore_counts counts;
        scenario = &models[i].scenario;
        model.threads[0] = first_thread;
        for (uint32_t j = 1; j < scenario->producers + scenario->workers; j++) {
            model.threads[j] = j < scenario->producers ? producer_thread : worker_thread;
            bool serves = j >= scenario->producers && !scenario->stops && !scenario->lend;
            model.servants |= (uint8_t)(serves ? 1U << j : 0U);
        }
        wrong += explore(&model, &counts) ? 0 : 1;
    }
    return wrong == 0 ? 0 : 1;
}
