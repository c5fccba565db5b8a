/* model_places.c - the real sched/gate.h with the held lists of sched/lists.c, and pool.c, worker.c
 * and park.c: every interleaving of workers that admit jobs of two queues to places which both
 * share with threads that leave these, and set how many there are, with C11 memory. One level;
 * workers end asleep, so a wake-up that is lost leaves a job that has not run.
 *
 * leave    jobs whose handlers leave their place to another thread, which gives it up later: with
 *          one place, the next one is let in by nobody else.
 * own      handlers that leave themselves, and two workers.
 * more     there is no place at first, and a thread makes one; beside one that puts a job.
 * In each, no more have entered than there are places.
 */
#include <stdio.h>

#include "sched/pool.h"
#include "tests/support/explore.h"

/* Not its header: each thread of the model has a `current_worker` of its own. */
#include "sched/worker.c" /* NOLINT(bugprone-suspicious-include) */

#define JOBS_MAX 3
#define QUEUES   2

struct scenario {
    uint32_t workers; /* the first threads of the model */
    uint32_t ready;   /* jobs that are listed before */
    uint32_t puts;    /* jobs put by the thread that puts */
    uint32_t runs;    /* jobs that have run at the end */
    uint32_t places;  /* at first */
    bool pending;     /* jobs leave by a thread that leaves, not by their worker */
};

struct state {
    struct leat_pool pool;
    struct leat_gate shared;
    leat_atomic_u32 links[JOBS_MAX];
    leat_atomic_u32 entered[JOBS_MAX]; /* 2: it ran; 3: it was told to leave */
    leat_atomic_u32 inside;
    uint32_t ran[JOBS_MAX];
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
    return index % QUEUES;
}

static bool
job_drop(void *context, uint32_t index)
{
    (void)context;
    (void)index;
    return false;
}

static void
called(struct state *state, uint32_t levels)
{
    if (levels != 0) {
        leat_lists_placed(&state->pool, 0);
    }
}

static enum leat_passage
job_enter(void *context, uint32_t index, uint32_t level, uint32_t list, uint32_t *other)
{
    struct state *state = context;
    bool alone = !leat_lists_held(&state->pool, level);
    (void)index;
    (void)list;
    (void)other;
    return leat_gate_enter(&state->shared, level, alone) ? LEAT_PASSAGE_GO : LEAT_PASSAGE_HELD;
}

static void
place_leave(struct state *state)
{
    (void)atom_sub_rlx(&state->inside, 1); /* rlx: statistic */
    called(state, leat_gate_leave(&state->shared));
}

static void
job_leave(void *context, uint32_t index)
{
    struct state *state = context;
    (void)index;
    called(state, leat_gate_leave(&state->shared));
}

static void
job_run(void *context, struct leat_worker *worker, uint32_t item)
{
    struct state *state = context;
    uint32_t index = leat_item_index(item);
    EXPLORE_CHECK(index < JOBS_MAX);
    explore_plain_write(worker, "place of a worker");
    uint32_t inside = atom_add_rlx(&state->inside, 1) + 1; /* rlx: statistic */
    EXPLORE_CHECK(inside <= (scenario->places == 0 ? 1 : scenario->places));
    explore_plain_write(&state->ran[index], "run");
    EXPLORE_CHECK(state->ran[index] == 0);
    state->ran[index] = 1;
    if (scenario->pending) {
        atom_store_rel(&state->entered[index], 2);
    } else {
        place_leave(state);
    }
}

static void
job_put(struct state *state, uint32_t index)
{
    leat_pool_put(&state->pool, 0, index % QUEUES, leat_item_of(LEAT_KIND_JOB, index));
}

/* ---- the pool ------------------------------------------------------------------------------- */

static void
pool_setup(void *argument)
{
    struct state *state = argument;
    struct leat_pool_config config = {
        .workers = scenario->workers,
        .ring_slots_log2 = 1,
        .tasks_max = 1,
        .memory = explore_memory_table(),
        .ops = {.run = job_run, .context = state},
        .queues = QUEUES + 1,
        .lists = {.link = job_link,
                  .queue = job_queue,
                  .drop = job_drop,
                  .context = state,
                  .enter = job_enter,
                  .leave = job_leave},
    };
    struct leat_pool *pool = &state->pool;
    EXPLORE_CHECK(leat_pool_init(pool, &config) == LEAT_OS_OK);
    for (uint32_t i = 0; i < pool->places; i++) {
        explore_ignore(&pool->workers[i].parks);
        explore_ignore(&pool->workers[i].wakes);
        explore_ignore(&pool->workers[i].ended);
        atom_init(&pool->workers[i].seat, LEAT_SEAT_TAKEN);
    }
    explore_ignore(&pool->wakes_outside);
    explore_ignore(&pool->lot.passes); /* no repeated wake-up in so few jobs */
    leat_lists_gate(pool, 0);
    leat_lists_gate(pool, 1);
    (void)leat_gate_places(&state->shared, scenario->places);
    for (uint32_t i = 0; i < scenario->ready; i++) {
        job_put(state, i);
    }
    atom_init(&pool->alive, scenario->workers); /* as leat_pool_start() leaves it */
}

static void
pool_check(void *argument)
{
    struct state *state = argument;
    uint32_t ran = 0;
    EXPLORE_CHECK(leat_mpmc_check(&state->pool.rings[0], stdout));
    EXPLORE_CHECK(leat_lists_check(&state->pool, 0, stdout));
    for (uint32_t i = 0; i < JOBS_MAX; i++) {
        ran += state->ran[i];
    }
    EXPLORE_CHECK(ran == scenario->runs);
    EXPLORE_CHECK(!leat_lists_ready(&state->pool.lists[0]));
}

/* ---- threads -------------------------------------------------------------------------------- */

static void
worker_thread(void *argument)
{
    struct state *state = argument;
    (void)leat_worker_run(&state->pool.workers[explore_thread()]);
}

static void
put_thread(void *argument)
{
    struct state *state = argument;
    for (uint32_t i = 0; i < scenario->puts; i++) {
        job_put(state, scenario->ready + i);
    }
}

/* Completes the job of a number, once its handler has answered. */
static void
job_complete(struct state *state, uint32_t index)
{
    uint32_t answered = 2;
    while (!atom_cas_acq(&state->entered[index], &answered, 3)) {
        answered = 2;
        explore_pause();
    }
    place_leave(state);
}

static void
first_thread(void *argument)
{
    job_complete(argument, 0);
}

static void
second_thread(void *argument)
{
    job_complete(argument, 1);
}

static void
more_thread(void *argument)
{
    struct state *state = argument;
    called(state, leat_gate_places(&state->shared, 1));
}

/* ---- all ------------------------------------------------------------------------------------ */

struct model {
    struct scenario scenario;
    struct explore_model explore;
};

static const struct model models[] = {
    {.scenario = {.workers = 1, .ready = 2, .runs = 2, .places = 1, .pending = true},
     .explore = {.name = "places_leave_1",
                 .threads = {worker_thread, first_thread},
                 .servants = 1}},
    {.scenario = {.workers = 1, .ready = 3, .runs = 3, .places = 2, .pending = true},
     .explore = {.name = "places_leave_2",
                 .threads = {worker_thread, first_thread, second_thread},
                 .servants = 1,
                 .bounded = true,
                 .preemptions = 1}},
    {.scenario = {.workers = 1, .ready = 1, .puts = 1, .runs = 2},
     .explore = {.name = "places_more",
                 .threads = {worker_thread, more_thread, put_thread},
                 .servants = 1,
                 .bounded = true,
                 .preemptions = 1}},
    {.scenario = {.workers = 2, .ready = 2, .runs = 2, .places = 1},
     .explore = {.name = "places_2w",
                 .threads = {worker_thread, worker_thread},
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
        model.setup = pool_setup;
        model.check = pool_check;
        model.local = (void **)(void *)&current_worker;
        wrong += explore(&model, &counts) ? 0 : 1;
    }
    return wrong == 0 ? 0 : 1;
}
