/* model_worker.c - the real sched/worker.c and sched/pool.c: lent threads that take several items
 * at once, or find an old bit, with C11 memory. The pool has one level.
 *
 * claim  Two threads claim from one ring, and one finds that the other was first. All items run,
 *        each once.
 * due    Timers come to be due while a worker clears the bit of earlier ones and goes on with an
 *        item: what is due and not advanced yet has its bit behind that.
 * quiet  Place 0 has opened a batch and was left with the rest of it, by a thread whose budget was
 *        used up. A thief takes what is there, and the next one in place 0 finds its queue empty
 *        and says so, beside leat_pool_quiet(): that answers yes only when all has run.
 */
#include <stdio.h>

#include "sched/pool.h"
#include "tests/support/explore.h"

/* Not its header: each thread of the model has a `current_worker` of its own. */
#include "sched/worker.c" /* NOLINT(bugprone-suspicious-include) */

#define ITEMS_MAX 4
#define PLACES    2

struct scenario {
    uint32_t items; /* that wait in the ring at first, or as a batch */
    bool batch;     /* opened in place 0 */
    bool due;       /* the bit of timers is set at first */
};

struct state {
    struct leat_pool pool;
    leat_atomic_u64 elsewhere;   /* 0 */
    uint32_t answers[ITEMS_MAX]; /* plain */
};

static struct state state_now;
static const struct scenario *scenario;

static void
item_run(void *context, struct leat_worker *worker, uint32_t item)
{
    struct state *state = context;
    uint32_t index = leat_item_index(item);
    (void)worker;
    EXPLORE_CHECK(index < scenario->items);
    explore_plain_write(&state->answers[index], "answer");
    EXPLORE_CHECK(state->answers[index] == 0);
    state->answers[index] = 1;
}

static bool
timers_advance(void *context, uint32_t worker)
{
    (void)context;
    (void)worker;
    return false;
}

static void
pool_setup(void *argument)
{
    struct state *state = argument;
    const struct leat_pool_config config = {
        .lenders_max = PLACES,
        .ring_slots_log2 = 2,
        .tasks_max = 1,
        .memory = explore_memory_table(),
        .ops = {.run = item_run, .advance = timers_advance, .context = state},
    };
    struct leat_pool *pool = &state->pool;
    uint32_t items[ITEMS_MAX];
    EXPLORE_CHECK(leat_pool_init(pool, &config) == LEAT_OS_OK);
    for (uint32_t i = 0; i < PLACES; i++) {
        explore_ignore(&pool->workers[i].ended);
        explore_ignore(&pool->workers[i].wakes);
        pool->workers[i].claim = scenario->batch ? 0 : 2; /* it doubles, since no time passes */
    }
    for (uint32_t i = 0; i < scenario->items; i++) {
        items[i] = leat_item_of(LEAT_KIND_JOB, i);
        EXPLORE_CHECK(scenario->batch || leat_pool_push(pool, 0, items[i]));
    }
    if (scenario->batch) {
        EXPLORE_CHECK(leat_pool_push_n(pool, 0, items, scenario->items));
        EXPLORE_CHECK(leat_worker_some(&pool->workers[0], 1) == 1);
    }
    if (scenario->due) {
        atom_init(&pool->hint, LEAT_HINT_RING(0) | LEAT_HINT_DUE);
    }
}

static void
pool_check(void *argument)
{
    struct state *state = argument;
    EXPLORE_CHECK(leat_mpmc_check(&state->pool.rings[0], stdout));
    for (uint32_t i = 0; i < scenario->items; i++) {
        EXPLORE_CHECK(state->answers[i] == 1);
    }
    for (uint32_t i = 0; i < PLACES; i++) {
        EXPLORE_CHECK(leat_local_check(&state->pool.workers[i].local[0], stdout));
    }
    if (scenario->due) {
        bool told =
            (atom_load_rlx(&state->pool.hint) & LEAT_HINT_DUE) != 0; /* rlx: not shared yet */
        EXPLORE_CHECK(told || !leat_pool_due_waits(&state->pool));
    } else {
        EXPLORE_CHECK(leat_pool_quiet(&state->pool, &state->elsewhere));
    }
}

/* A thread in the place of its number. */
static void
lend_thread(void *argument)
{
    struct state *state = argument;
    (void)leat_worker_some(&state->pool.workers[explore_thread()], scenario->items);
}

static void
due_thread(void *argument)
{
    struct state *state = argument;
    leat_pool_due(&state->pool);
}

static void
quiet_look_thread(void *argument)
{
    struct state *state = argument;
    if (leat_pool_quiet(&state->pool, &state->elsewhere)) {
        for (uint32_t i = 0; i < scenario->items; i++) {
            explore_plain_read(&state->answers[i], "answer");
            EXPLORE_CHECK(state->answers[i] == 1);
        }
    }
}

/* ---- all ------------------------------------------------------------------------------------ */

struct model {
    struct scenario scenario;
    struct explore_model explore;
};

static const struct model models[] = {
    {.scenario = {.items = 2, .batch = true},
     .explore = {.name = "worker_quiet",
                 .threads = {lend_thread, lend_thread, quiet_look_thread},
                 .bounded = true,
                 .preemptions = 1}},
    {.scenario = {.items = 1, .due = true},
     .explore = {.name = "worker_due", .threads = {lend_thread, due_thread}}},
    {.scenario = {.items = 4},
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
