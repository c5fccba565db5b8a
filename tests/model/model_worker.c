/* model_worker.c - the real sched/worker.c, sched/idle.c and sched/pool.c: threads that take
 * several items at once, find an old bit, wake the next one, or are told to stop, with C11 memory.
 * The pool has one level. Most threads are lent ones, each in the place of its number.
 *
 * claim  Two threads claim from one ring, and one finds that the other was first. All items run,
 *        each once.
 * steal  One opens a batch while the other one finds nothing to steal, and due: timers come to be
 *        due while a worker clears the bit of earlier ones. What waits in a local queue, and what
 *        is due, has its bit behind that.
 * quiet  leat_pool_quiet() answers yes only when all has run. In next, an item comes from the
 *        handler of the one before. In stock, place 0 has opened a batch and was left with the rest
 *        of it, by a thread whose budget was used up: a thief takes that, and the next one in place
 *        0 finds its queue empty and says so.
 * meet   The handlers of two items wait for each other: the worker that comes first wakes the next.
 * stop   The worker that ends knows what was written before the stop.
 */
#include <stdio.h>

#include "sched/pool.h"
#include "tests/support/explore.h"

/* Not its header: each thread of the model has a `current_worker` of its own. */
#include "sched/worker.c" /* NOLINT(bugprone-suspicious-include) */

#define ITEMS_MAX 4
#define PLACES    2

enum at_first { IN_RING, AS_BATCH, OPENED };

struct scenario {
    uint32_t workers; /* the first threads of the model; 0: threads are lent */
    uint32_t budget;  /* of a lent thread */
    uint32_t items;   /* that wait at first */
    uint32_t runs;    /* items that have run at the end, at least */
    enum at_first at_first;
    uint64_t old;  /* bits of the hint word that are left from before */
    bool chain;    /* each item is pushed by the handler of the one before */
    bool meets;    /* handlers wait for each other */
    uint32_t lies; /* bit per worker that lies down at first */
};

struct state {
    struct leat_pool pool;
    leat_atomic_u64 elsewhere; /* 0 */
    leat_atomic_u32 ran;
    uint32_t answers[ITEMS_MAX]; /* plain */
    uint32_t reason;             /* plain: written before a stop */
};

static struct state state_now;
static const struct scenario *scenario;

/* ---- items and timers ----------------------------------------------------------------------- */

static void
item_push(struct state *state, uint32_t index)
{
    EXPLORE_CHECK(leat_pool_push(&state->pool, 0, leat_item_of(LEAT_KIND_JOB, index)));
}

static void
item_run(void *context, struct leat_worker *worker, uint32_t item)
{
    struct state *state = context;
    uint32_t index = leat_item_index(item);
    (void)worker;
    EXPLORE_CHECK(index < ITEMS_MAX);
    explore_plain_write(&state->answers[index], "answer");
    EXPLORE_CHECK(state->answers[index] == 0);
    state->answers[index] = 1;
    if (scenario->chain && index + 1 < scenario->runs) {
        item_push(state, index + 1);
    }
    if (scenario->meets) {
        (void)atom_add_rlx(&state->ran, 1);                   /* rlx: statistic */
        while (atom_load_rlx(&state->ran) < scenario->runs) { /* rlx: statistic */
            explore_pause();
        }
    }
}

static bool
timers_advance(void *context, uint32_t worker)
{
    (void)context;
    (void)worker;
    return false;
}

static void
worker_stopping(void *context, uint32_t worker)
{
    struct state *state = context;
    (void)worker;
    explore_plain_read(&state->reason, "reason");
    EXPLORE_CHECK(state->reason == 1);
}

/* ---- the pool ------------------------------------------------------------------------------- */

static void
items_setup(struct state *state)
{
    struct leat_pool *pool = &state->pool;
    uint32_t items[ITEMS_MAX];
    for (uint32_t i = 0; i < scenario->items; i++) {
        items[i] = leat_item_of(LEAT_KIND_JOB, i);
        if (scenario->at_first == IN_RING) {
            item_push(state, i);
        }
    }
    if (scenario->at_first != IN_RING) {
        EXPLORE_CHECK(leat_pool_push_n(pool, 0, items, scenario->items));
    }
    if (scenario->at_first == OPENED) {
        EXPLORE_CHECK(leat_worker_some(&pool->workers[0], 1) == 1);
    }
    uint64_t hint = atom_load_rlx(&pool->hint); /* rlx: not shared yet */
    atom_init(&pool->hint, hint | scenario->old);
}

static void
pool_setup(void *argument)
{
    struct state *state = argument;
    const struct leat_pool_config config = {
        .workers = scenario->workers,
        .lenders_max = PLACES,
        .ring_slots_log2 = 2,
        .tasks_max = 1,
        .memory = explore_memory_table(),
        .ops = {.run = item_run,
                .stopping = worker_stopping,
                .advance = timers_advance,
                .context = state},
    };
    struct leat_pool *pool = &state->pool;
    EXPLORE_CHECK(leat_pool_init(pool, &config) == LEAT_OS_OK);
    explore_ignore(&pool->lot.passes);
    explore_ignore(&pool->wakes_outside);
    for (uint32_t i = 0; i < pool->places; i++) {
        explore_ignore(&pool->workers[i].ended);
        explore_ignore(&pool->workers[i].wakes);
        explore_ignore(&pool->workers[i].parks);
        if (scenario->at_first == IN_RING) {
            pool->workers[i].claim = scenario->items / 2; /* it doubles, since no time passes */
        }
    }
    items_setup(state);
    for (uint32_t i = 0; i < pool->places; i++) {
        if ((scenario->lies >> i & 1) != 0) {
            leat_lot_enter(&pool->lot, &pool->workers[i].bed, i);
        }
    }
    atom_init(&pool->alive, scenario->workers); /* as leat_pool_start() leaves it */
}

static void
pool_check(void *argument)
{
    struct state *state = argument;
    struct leat_pool *pool = &state->pool;
    uint64_t hint = atom_load_rlx(&pool->hint); /* rlx: not shared yet */
    uint32_t ran = 0;
    EXPLORE_CHECK(leat_mpmc_check(&pool->rings[0], stdout));
    for (uint32_t i = 0; i < ITEMS_MAX; i++) {
        ran += state->answers[i];
    }
    EXPLORE_CHECK(ran >= scenario->runs);
    for (uint32_t i = 0; i < pool->places; i++) {
        EXPLORE_CHECK(leat_local_check(&pool->workers[i].local[0], stdout));
    }
    EXPLORE_CHECK((leat_pool_look(pool, 0) & LEAT_HINT_LOCAL(0) & ~hint) == 0);
    EXPLORE_CHECK(!leat_pool_due_waits(pool) || (hint & LEAT_HINT_DUE) != 0);
}

/* ---- threads -------------------------------------------------------------------------------- */

static void
lend_thread(void *argument)
{
    struct state *state = argument;
    (void)leat_worker_some(&state->pool.workers[explore_thread()], scenario->budget);
}

static void
lend_twice_thread(void *argument)
{
    lend_thread(argument);
    lend_thread(argument);
}

static void
quiet_look_thread(void *argument)
{
    struct state *state = argument;
    if (leat_pool_quiet(&state->pool, &state->elsewhere)) {
        for (uint32_t i = 0; i < scenario->runs; i++) {
            explore_plain_read(&state->answers[i], "answer");
            EXPLORE_CHECK(state->answers[i] == 1);
        }
    }
}

static void
due_thread(void *argument)
{
    struct state *state = argument;
    leat_pool_due(&state->pool);
}

static void
worker_thread(void *argument)
{
    struct state *state = argument;
    (void)leat_worker_run(&state->pool.workers[explore_thread()]);
}

/* W6 of park.h: it has found something in its second look. */
static void
worker_leaving_thread(void *argument)
{
    struct state *state = argument;
    leat_lot_leave(&state->pool.lot, explore_thread());
    worker_thread(argument);
}

/* W7. */
static void
worker_asleep_thread(void *argument)
{
    struct state *state = argument;
    uint32_t index = explore_thread();
    leat_lot_sleep(&state->pool.lot, &state->pool.workers[index].bed, index);
    worker_thread(argument);
}

/* Behind the one that waits. */
static void
push_second_thread(void *argument)
{
    item_push(argument, 1);
}

static void
stop_thread(void *argument)
{
    struct state *state = argument;
    explore_plain_write(&state->reason, "reason");
    state->reason = 1;
    leat_pool_halt(&state->pool);
}

/* ---- all ------------------------------------------------------------------------------------ */

struct model {
    struct scenario scenario;
    struct explore_model explore;
};

#define WORKERS_SERVE_2 3

/* In the order of what they cost. */
static const struct model models[] = {
    {.scenario = {.budget = 1, .items = 1, .runs = 1, .old = LEAT_HINT_DUE},
     .explore = {.name = "worker_due", .threads = {lend_thread, due_thread}}},
    {.scenario = {.workers = 1},
     .explore = {.name = "worker_stop", .threads = {worker_thread, stop_thread}}},
    {.scenario = {.budget = 1, .items = 1, .runs = 2, .chain = true},
     .explore = {.name = "worker_quiet_next", .threads = {lend_twice_thread, quiet_look_thread}}},
    {.scenario =
         {.budget = 1, .items = 3, .runs = 1, .at_first = AS_BATCH, .old = LEAT_HINT_LOCAL(0)},
     .explore = {.name = "worker_steal", .threads = {lend_thread, lend_thread}}},
    {.scenario = {.workers = 2, .items = 1, .runs = 2, .meets = true, .lies = 3},
     .explore = {.name = "worker_meet",
                 .threads = {worker_leaving_thread, worker_asleep_thread, push_second_thread},
                 .servants = WORKERS_SERVE_2,
                 .bounded = true,
                 .preemptions = 1}},
    {.scenario = {.budget = 2, .items = 2, .runs = 2, .at_first = OPENED},
     .explore = {.name = "worker_quiet_stock",
                 .threads = {lend_thread, lend_thread, quiet_look_thread},
                 .bounded = true,
                 .preemptions = 1}},
    {.scenario = {.budget = 4, .items = 4, .runs = 4},
     .explore = {.name = "worker_claim",
                 .threads = {lend_thread, lend_thread},
                 .bounded = true,
                 .preemptions = 1}},
};

int
main(void)
{
    uint32_t wrong = 0;
    for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
        struct explore_model model = models[i].explore;
        struct explore_counts counts;
        scenario = &models[i].scenario;
        model.state = &state_now;
        model.state_bytes = sizeof(state_now);
        model.setup = pool_setup;
        model.check = pool_check;
        model.local = (void **)(void *)&current_worker;
        wrong += explore(&model, &counts) ? 0 : 1;
    }
    return wrong == 0 ? 0 : 1;
}
