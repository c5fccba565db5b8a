/* model_exact.c - lists in exact order: the real sched/lists.c and heap.c with pool.c: every
 * interleaving of threads that list jobs, open the gate of their list, admit and take, with C11
 * memory. One queue, one level; a job with a higher number goes first. The first one, 0, is in the
 * heap before.
 *
 * call   it waits at a gate. One thread lists more urgent ones and then opens the gate, while one
 *        or two others admit: whoever admits has all of them, and the most urgent one first.
 * admit  one thread lists more urgent ones, and admits; another one admits, too: what a thread lets
 *        in is not behind one that it has listed, and that is still there.
 * take   the same with a thread that takes, beside one that deals and never admits, or beside
 *        another taker.
 * drop   as admit, and the first one is dropped on the way.
 * In each, all jobs come once.
 */
#include <stdio.h>

#include "sched/pool.h"
#include "tests/support/explore.h"

/* Not its header: each thread of the model has a `current_worker` of its own. */
#include "sched/worker.c" /* NOLINT(bugprone-suspicious-include) */

#define JOBS_MAX 3

struct scenario {
    uint32_t puts;  /* jobs that the first thread lists, after the one that is in the heap */
    uint32_t holds; /* of each thread that admits */
    bool shut;      /* the gate is, at first */
    bool pulls;     /* jobs are taken, and never admitted */
    bool drops;     /* the first job is dropped where it is next looked at */
};

struct state {
    struct leat_pool pool;
    leat_atomic_u32 links[JOBS_MAX];
    struct leat_heap_node nodes[JOBS_MAX];
    bool listed[JOBS_MAX][EXPLORE_THREADS_MAX]; /* by this thread, which alone looks */
    bool begun;
    bool came[JOBS_MAX]; /* under the role, like the following */
    bool dropped;
    uint32_t count;
    uint32_t order[JOBS_MAX];
};

static struct state state_now;
static const struct scenario *scenario;

/* ---- jobs ----------------------------------------------------------------------------------- */

static leat_atomic_u32 *
job_link(void *context, uint32_t index)
{
    struct state *state = context;
    EXPLORE_CHECK(index < JOBS_MAX);
    return &state->links[index];
}

static uint32_t
job_queue(void *context, uint32_t index)
{
    (void)context;
    (void)index;
    return 0;
}

static bool
job_drop(void *context, uint32_t index)
{
    struct state *state = context;
    bool drops = scenario->drops && state->begun && index == 0;
    EXPLORE_CHECK(!drops || !state->dropped);
    state->dropped = state->dropped || drops;
    return drops;
}

static struct leat_heap_node *
job_node(void *context, uint32_t index)
{
    struct state *state = context;
    EXPLORE_CHECK(index < JOBS_MAX);
    return &state->nodes[index];
}

static bool
job_before(void *context, uint32_t index, uint32_t other)
{
    (void)context;
    return index > other;
}

/* It leaves the heap, in the hands of a thread that has the role. */
static void
job_comes(struct state *state, uint32_t index)
{
    uint32_t thread = explore_thread();
    EXPLORE_CHECK(!state->came[index]);
    state->came[index] = true;
    state->order[state->count++] = index;
    for (uint32_t i = index + 1; i < JOBS_MAX && thread < EXPLORE_THREADS_MAX; i++) {
        EXPLORE_CHECK(!state->listed[i][thread] || state->came[i]);
    }
}

static enum leat_passage
job_enter(void *context, uint32_t index, uint32_t level, uint32_t list, uint32_t *other)
{
    struct state *state = context;
    (void)list;
    (void)other;
    if (scenario->pulls || !leat_gate_enter(&state->pool.queues[0].gate, level, true)) {
        return LEAT_PASSAGE_SHUT;
    }
    job_comes(state, index);
    return LEAT_PASSAGE_GO;
}

static void
job_leave(void *context, uint32_t index)
{
    (void)context;
    (void)index;
    EXPLORE_CHECK(false); /* the ring has room for all */
}

static void
job_run(void *context, struct leat_worker *worker, uint32_t item)
{
    (void)context;
    (void)worker;
    (void)item;
    EXPLORE_CHECK(false);
}

static bool
job_take(void *context, uint32_t index)
{
    job_comes(context, index);
    return true;
}

static void
job_list(struct state *state, uint32_t index)
{
    uint32_t item = leat_item_of(LEAT_KIND_JOB, index);
    leat_lists_add(&state->pool, 0, &item, 1);
    state->listed[index][explore_thread()] = true;
}

/* ---- the pool ------------------------------------------------------------------------------- */

static void
hold(struct state *state, uint32_t holds)
{
    for (uint32_t i = 0; i < holds; i++) {
        (void)leat_lists_admit(&state->pool, 0);
    }
}

static void
gate_open(struct state *state)
{
    (void)leat_gate_resume(&state->pool.queues[0].gate);
    leat_lists_opened(&state->pool, 0, 0);
}

static void
pool_setup(void *argument)
{
    struct state *state = argument;
    uint32_t item = leat_item_of(LEAT_KIND_JOB, 0);
    struct leat_pool_config config = {
        .lenders_max = 1,
        .ring_slots_log2 = 2,
        .tasks_max = 1,
        .memory = explore_memory_table(),
        .ops = {.run = job_run, .context = state},
        .queues = 1,
        .lists = {.link = job_link,
                  .queue = job_queue,
                  .drop = job_drop,
                  .context = state,
                  .enter = job_enter,
                  .leave = job_leave,
                  .node = job_node,
                  .before = job_before},
    };
    struct leat_pool *pool = &state->pool;
    EXPLORE_CHECK(leat_pool_init(pool, &config) == LEAT_OS_OK);
    explore_ignore(&pool->wakes_outside);
    explore_ignore(&pool->lot.passes); /* no repeated wake-up in so few jobs */
    leat_lists_exact(pool, 0);
    leat_gate_pause(&pool->queues[0].gate);
    leat_lists_add(pool, 0, &item, 1);
    hold(state, 4);
    EXPLORE_CHECK(pool->lists[0].lists[0].heap.count == 1);
    EXPLORE_CHECK(pool->lists[0].lists[0].shut);
    if (!scenario->shut && !scenario->pulls) {
        gate_open(state);
    }
    state->begun = true;
}

/* What is left comes here. */
static void
pool_check(void *argument)
{
    struct state *state = argument;
    const struct leat_taker taker = {job_take, state};
    if (scenario->pulls) {
        enum leat_taken taken = LEAT_TAKEN_PART;
        while (taken == LEAT_TAKEN_PART) {
            taken = leat_lists_take(&state->pool, 0, 0, &taker);
        }
        EXPLORE_CHECK(taken == LEAT_TAKEN_ALL);
    } else {
        hold(state, 4 * JOBS_MAX);
    }
    EXPLORE_CHECK(leat_lists_check(&state->pool, 0, stdout));
    EXPLORE_CHECK(state->count + (state->dropped ? 1 : 0) == 1 + scenario->puts);
    EXPLORE_CHECK(state->dropped == scenario->drops);
    for (uint32_t i = 0; i + 1 < state->count && scenario->shut; i++) {
        EXPLORE_CHECK(state->order[i] > state->order[i + 1]);
    }
}

/* ---- threads -------------------------------------------------------------------------------- */

static void
list_thread(void *argument)
{
    struct state *state = argument;
    for (uint32_t i = 1; i <= scenario->puts; i++) {
        job_list(state, i);
    }
    if (scenario->shut) {
        gate_open(state);
    }
}

static void
admit_thread(void *argument)
{
    hold(argument, scenario->holds);
}

static void
list_and_admit_thread(void *argument)
{
    list_thread(argument);
    admit_thread(argument);
}

/* Takes all that there is. Who finds the role held goes on when the other one has given it. */
static void
take_thread(void *argument)
{
    const struct leat_taker taker = {job_take, argument};
    struct state *state = argument;
    enum leat_taken taken = LEAT_TAKEN_PART;
    while (taken != LEAT_TAKEN_ALL) {
        taken = leat_lists_take(&state->pool, 0, 0, &taker);
        if (taken == LEAT_TAKEN_BUSY) {
            explore_pause();
        }
    }
}

static void
list_and_take_thread(void *argument)
{
    list_thread(argument);
    take_thread(argument);
}

/* ---- all ------------------------------------------------------------------------------------ */

struct model {
    struct scenario scenario;
    struct explore_model explore;
};

static const struct model models[] = {
    {.scenario = {.puts = 1, .holds = 3, .shut = true},
     .explore = {.name = "exact_call_1", .threads = {list_thread, admit_thread}}},
    {.scenario = {.puts = 1, .holds = 2, .shut = true},
     .explore = {.name = "exact_call_2",
                 .threads = {list_thread, admit_thread, admit_thread},
                 .bounded = true,
                 .preemptions = 2}},
    {.scenario = {.puts = 2, .holds = 3, .shut = true},
     .explore = {.name = "exact_call_3", .threads = {list_thread, admit_thread}}},
    {.scenario = {.puts = 1, .holds = 2},
     .explore = {.name = "exact_admit_1", .threads = {list_and_admit_thread, admit_thread}}},
    {.scenario = {.puts = 2, .holds = 3},
     .explore = {.name = "exact_admit_2", .threads = {list_and_admit_thread, admit_thread}}},
    {.scenario = {.puts = 1, .holds = 2, .drops = true},
     .explore = {.name = "exact_drop", .threads = {list_and_admit_thread, admit_thread}}},
    {.scenario = {.puts = 1, .holds = 2, .pulls = true},
     .explore = {.name = "exact_take_1", .threads = {list_and_take_thread, admit_thread}}},
    {.scenario = {.puts = 2, .holds = 2, .pulls = true},
     .explore = {.name = "exact_take_2", .threads = {list_and_take_thread, admit_thread}}},
    {.scenario = {.puts = 1, .pulls = true},
     .explore = {.name = "exact_take_3",
                 .threads = {list_and_take_thread, take_thread},
                 .bounded = true,
                 .preemptions = 3}},
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
