/* model_due.c - the real sched/pool.c, sched/worker.c and sched/idle.c: a clock that finds timers
 * due and tells the pool, and workers that advance them; with C11 memory. A word for each timer
 * stands for its wheel; like the one that says when a wheel is due, it may be read as it was. Who
 * advances them pushes the first item, and says that there may be more.
 *
 * once, again, two   All items run; if a telling is lost, the workers sleep beside a timer.
 * old                The bit is left from before, with nothing due.
 * quiet              leat_pool_quiet() answers only when the item has run.
 */
#include <stdio.h>

#include "sched/pool.h"
#include "tests/support/explore.h"

/* Not its header: each thread of the model has a `current_worker` of its own. */
#include "sched/worker.c" /* NOLINT(bugprone-suspicious-include) */

#define ITEMS_MAX 2

struct scenario {
    uint32_t workers; /* the first threads of the model */
    uint32_t items;
    bool old; /* the bit of timers is set at first */
};

struct state {
    struct leat_pool pool;
    leat_atomic_u64 elsewhere;         /* 0 */
    leat_atomic_u32 timers[ITEMS_MAX]; /* 1: due */
    uint32_t questions[ITEMS_MAX];     /* plain, like the following */
    uint32_t answers[ITEMS_MAX];
};

static struct state state_now;
static const struct scenario *scenario;

/* ---- timers and items ----------------------------------------------------------------------- */

static bool
timers_advance(void *context, uint32_t worker)
{
    struct state *state = context;
    (void)worker;
    for (uint32_t i = 0; i < scenario->items; i++) {
        uint32_t due = atom_load_rlx(&state->timers[i]); /* rlx: ordered by pass:A */
        if (due == 1 && atom_cas_acq_rel(&state->timers[i], &due, 0)) {
            EXPLORE_CHECK(leat_pool_push(&state->pool, 0, leat_item_of(LEAT_KIND_JOB, i)));
            return i + 1 < scenario->items;
        }
    }
    return false;
}

static void
item_run(void *context, struct leat_worker *worker, uint32_t item)
{
    struct state *state = context;
    uint32_t index = leat_item_index(item);
    (void)worker;
    EXPLORE_CHECK(index < scenario->items);
    explore_plain_read(&state->questions[index], "question");
    EXPLORE_CHECK(state->questions[index] == 1);
    explore_plain_write(&state->answers[index], "answer");
    EXPLORE_CHECK(state->answers[index] == 0);
    state->answers[index] = 1;
}

/* ---- the pool ------------------------------------------------------------------------------- */

static void
due_setup(void *argument)
{
    struct state *state = argument;
    const struct leat_pool_config config = {
        .workers = scenario->workers,
        .ring_slots_log2 = 1,
        .tasks_max = 1,
        .memory = explore_memory_table(),
        .ops = {.run = item_run, .advance = timers_advance, .context = state},
    };
    struct leat_pool *pool = &state->pool;
    EXPLORE_CHECK(leat_pool_init(pool, &config) == LEAT_OS_OK);
    for (uint32_t i = 0; i < pool->places; i++) {
        explore_ignore(&pool->workers[i].parks);
        explore_ignore(&pool->workers[i].ended);
        explore_ignore(&pool->workers[i].wakes);
        atom_init(&pool->workers[i].seat, LEAT_SEAT_TAKEN);
    }
    explore_ignore(&pool->wakes_outside);
    explore_ignore(&pool->lot.passes);
    atom_init(&pool->alive, scenario->workers);
    if (scenario->old) {
        atom_init(&pool->hint, LEAT_HINT_DUE);
    }
}

static void
due_check(void *argument)
{
    const struct state *state = argument;
    for (uint32_t i = 0; i < scenario->items; i++) {
        EXPLORE_CHECK(state->answers[i] == 1);
    }
}

/* ---- threads -------------------------------------------------------------------------------- */

static void
worker_thread(void *argument)
{
    struct state *state = argument;
    (void)leat_worker_run(&state->pool.workers[explore_thread()]);
}

static void
clock_thread(void *argument)
{
    struct state *state = argument;
    for (uint32_t i = 0; i < scenario->items; i++) {
        explore_plain_write(&state->questions[i], "question");
        state->questions[i] = 1;
        atom_store_rel(&state->timers[i], 1); /* seen in time by told:A only */
        leat_pool_due(&state->pool);
    }
}

static void
quiet_thread(void *argument)
{
    struct state *state = argument;
    clock_thread(state);
    leat_pool_watch(&state->pool);
    for (;;) {
        uint32_t event = leat_pool_watch_event(&state->pool);
        if (leat_pool_quiet(&state->pool, &state->elsewhere)) {
            break;
        }
        leat_pool_watch_wait(&state->pool, event, UINT64_MAX);
    }
    leat_pool_unwatch(&state->pool);
    explore_plain_read(&state->answers[0], "answer");
    EXPLORE_CHECK(state->answers[0] == 1);
}

/* ---- all ------------------------------------------------------------------------------------ */

struct model {
    struct scenario scenario;
    struct explore_model explore;
};

static const struct model models[] = {
    {.scenario = {.workers = 1, .items = 1},
     .explore = {.name = "due_once", .threads = {worker_thread, clock_thread}, .servants = 1}},
    {.scenario = {.workers = 1, .items = 1, .old = true},
     .explore = {.name = "due_old", .threads = {worker_thread, clock_thread}, .servants = 1}},
    {.scenario = {.workers = 1, .items = 2},
     .explore = {.name = "due_again",
                 .threads = {worker_thread, clock_thread},
                 .servants = 1,
                 .bounded = true,
                 .preemptions = 2}},
    {.scenario = {.workers = 1, .items = 1},
     .explore = {.name = "due_quiet",
                 .threads = {worker_thread, quiet_thread},
                 .servants = 1,
                 .bounded = true,
                 .preemptions = 2}},
    {.scenario = {.workers = 2, .items = 2},
     .explore = {.name = "due_two",
                 .threads = {worker_thread, worker_thread, clock_thread},
                 .servants = 3,
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
        model.setup = due_setup;
        model.check = due_check;
        model.local = (void **)(void *)&current_worker;
        wrong += explore(&model, &counts) ? 0 : 1;
    }
    return wrong == 0 ? 0 : 1;
}
