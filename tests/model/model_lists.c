/* model_lists.c - the real sched/lists.c with sched/pool.c, sched/worker.c and sched/park.c: every
 * interleaving of threads that put jobs with workers that admit, take and park, with C11 memory.
 * The pool has one level and a ring of two slots, full at first where a scenario says so; a hold of
 * the role moves one job in each of its steps (see the models' build), so that much is left.
 *
 * order  One thread puts jobs, of which the first find the ring full and the last may find room:
 *        they run in order, I3. In cancel, one is cancelled meanwhile: it runs or is dropped, once.
 * wake   Threads put, workers end asleep: nothing is left in a list, or in the inbox. In long, a
 *        handler does not end before all have begun: who holds the role and goes on with a long job
 *        leaves what another one was turned away from to that one. In holder, who holds the role
 *        once takes nothing, then or later, and is not the worker.
 * sweep  Two jobs are cancelled at once, by two threads, one or both of which ask for a sweep,
 *        while one or two others hold the role beside a full ring: what was counted when a sweep
 *        forgot the count is dropped. In cancel, a worker admits meanwhile: no request is left.
 * lend   Two lent threads: each job runs once.
 * quiet  leat_pool_quiet() answers only when what was put before has run, though a worker moves it
 *        from list to ring meanwhile, and another one takes it there. In local, it is in the local
 *        queue of an idle place, whose worker finds it stolen.
 */
#include <stdio.h>

#include "sched/pool.h"
#include "tests/support/explore.h"

/* Not its header: each thread of the model has a `current_worker` of its own. */
#include "sched/worker.c" /* NOLINT(bugprone-suspicious-include) */

#define JOBS_MAX 5

struct scenario {
    uint32_t workers; /* the first threads of the model */
    uint32_t lenders; /* places for lent threads, where workers is 0 */
    uint32_t ready;   /* jobs that were put before: two are in the ring, the others listed */
    bool listed;      /* these are listed beside an empty ring */
    bool local;       /* these are in the local queue of the first place */
    uint32_t puts;    /* jobs put by each thread that puts */
    uint32_t runs;    /* jobs that have run at the end */
    bool ordered;     /* they ran in order */
    bool meets;       /* handlers wait until all have begun */
    uint32_t zombies; /* cancels of the last queue that were counted before */
    uint32_t holds;   /* of each thread that holds the role; then there are two queues */
};

struct state {
    struct leat_pool pool;
    leat_atomic_u64 elsewhere;
    leat_atomic_u32 links[JOBS_MAX];
    leat_atomic_u32 phases[JOBS_MAX]; /* 0 waits, 1 runs, 2 cancelled, 3 dropped */
    leat_atomic_u32 begun;
    uint32_t questions[JOBS_MAX]; /* plain, like the following */
    uint32_t answers[JOBS_MAX];
    uint32_t last; /* number of the job that ran last, where they are ordered */
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
    return scenario->holds != 0 && index >= 3 ? 1 : 0;
}

/* Its place lets go of a cancelled job. */
static bool
job_drop(void *context, uint32_t index)
{
    struct state *state = context;
    if (atom_load_rlx(&state->phases[index]) != 2) { /* rlx: statistic */
        return false;
    }
    EXPLORE_CHECK(state->answers[index] == 0);
    state->answers[index] = 3;
    return true;
}

static void
job_ask(struct state *state, uint32_t index)
{
    explore_plain_write(&state->questions[index], "question");
    state->questions[index] = index + 1;
}

static void
job_put(struct state *state, uint32_t index)
{
    job_ask(state, index);
    leat_pool_put(&state->pool, 0, 0, leat_item_of(LEAT_KIND_JOB, index));
}

static void
job_run(void *context, struct leat_worker *worker, uint32_t item)
{
    struct state *state = context;
    uint32_t index = leat_item_index(item);
    uint32_t waits = 0;
    EXPLORE_CHECK(index < JOBS_MAX);
    explore_plain_write(worker, "place of a worker");
    if (!atom_cas_acq_rel(&state->phases[index], &waits, 1)) {
        EXPLORE_CHECK(waits == 2);
        EXPLORE_CHECK(job_drop(state, index));
        return;
    }
    explore_plain_read(&state->questions[index], "question");
    EXPLORE_CHECK(state->questions[index] == index + 1);
    explore_plain_write(&state->answers[index], "answer");
    EXPLORE_CHECK(state->answers[index] == 0);
    state->answers[index] = 1;
    if (scenario->ordered) {
        EXPLORE_CHECK(state->last <= index);
        state->last = index;
    }
    (void)atom_add_rlx(&state->begun, 1);                                      /* rlx: statistic */
    while (scenario->meets && atom_load_rlx(&state->begun) < scenario->runs) { /* rlx: statistic */
        explore_pause();
    }
}

static void
answers_read(struct state *state)
{
    for (uint32_t i = 0; i < scenario->runs; i++) {
        explore_plain_read(&state->answers[i], "answer");
        EXPLORE_CHECK(state->answers[i] == 1);
    }
}

/* ---- the pool ------------------------------------------------------------------------------- */

static void
pool_setup(void *argument)
{
    struct state *state = argument;
    struct leat_pool_config config = {
        .workers = scenario->workers,
        .lenders_max = scenario->lenders,
        .ring_slots_log2 = 1,
        .tasks_max = 1,
        .memory = explore_memory_table(),
        .ops = {.run = job_run, .context = state},
        .queues = scenario->holds != 0 ? 2 : 1,
        .lists = {.link = job_link, .queue = job_queue, .drop = job_drop, .context = state},
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
    for (uint32_t i = 0; i < scenario->ready; i++) {
        job_ask(state, i);
        uint32_t item = leat_item_of(LEAT_KIND_JOB, i);
        if (scenario->local) {
            local_stock(&pool->workers[0], 0, &item, 1);
        } else if (scenario->listed) {
            leat_lists_add(pool, 0, &item, 1);
        } else {
            leat_pool_put(pool, 0, 0, item);
        }
    }
    atom_init(&pool->lists[0].lists[config.queues - 1].zombies, scenario->zombies);
    atom_init(&pool->alive, scenario->workers); /* as leat_pool_start() leaves it */
}

/* One job of the first queue and two of the second are dealt before the threads begin. The first
 * one keeps its queue in front, so that the others leave by sweeps alone. */
static void
sweep_setup(void *argument)
{
    struct state *state = argument;
    pool_setup(state);
    for (uint32_t i = 0; i < 2 * JOBS_MAX; i++) {
        EXPLORE_CHECK(leat_lists_admit(&state->pool, 0));
    }
    EXPLORE_CHECK(state->pool.lists[0].lists[0].jobs.count == 1);
    EXPLORE_CHECK(state->pool.lists[0].lists[1].jobs.count == 2);
}

/* The sweeps that were asked for end here. */
static void
sweep_check(void *argument)
{
    struct state *state = argument;
    struct leat_lists *lists = &state->pool.lists[0];
    for (uint32_t i = 0; i < 2 * JOBS_MAX; i++) {
        EXPLORE_CHECK(leat_lists_admit(&state->pool, 0));
    }
    uint32_t waiting = 0;
    uint32_t zombies = 0;
    for (uint32_t i = 3; i < JOBS_MAX; i++) {
        bool cancelled = atom_load_rlx(&state->phases[i]) == 2; /* rlx: not shared yet */
        waiting += state->answers[i] == 0 ? 1 : 0;
        zombies += state->answers[i] == 0 && cancelled ? 1 : 0;
    }
    const struct leat_list *list = &lists->lists[1];
    EXPLORE_CHECK(leat_lists_check(&state->pool, 0, stdout));
    EXPLORE_CHECK(lists->sweeping == LEAT_INDEX_NONE);
    EXPLORE_CHECK(list->swept.count + list->jobs.count == waiting);
    /* rlx: not shared yet */
    EXPLORE_CHECK(atom_load_rlx(&state->pool.queues[1].waiting[0]) == waiting);
    EXPLORE_CHECK(zombies <= atom_load_rlx(&list->zombies)); /* rlx: not shared yet */
}

static void
pool_check(void *argument)
{
    struct state *state = argument;
    uint32_t ran = 0;
    EXPLORE_CHECK(leat_mpmc_check(&state->pool.rings[0], stdout));
    EXPLORE_CHECK(leat_lists_check(&state->pool, 0, stdout));
    for (uint32_t i = 0; i < JOBS_MAX; i++) {
        ran += state->answers[i] == 0 ? 0 : 1;
    }
    EXPLORE_CHECK(ran >= scenario->runs);
    if (scenario->workers != 0) {
        EXPLORE_CHECK(!leat_lists_ready(&state->pool.lists[0]));
        /* rlx: not shared yet */
        EXPLORE_CHECK(atom_load_rlx(&state->pool.queues[0].waiting[0]) == 0);
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
put_thread(void *argument)
{
    struct state *state = argument;
    uint32_t places = scenario->workers != 0 ? scenario->workers : scenario->lenders;
    uint32_t first = scenario->ready + (explore_thread() - places) * scenario->puts;
    for (uint32_t i = 0; i < scenario->puts; i++) {
        job_put(state, first + i);
    }
}

/* As leat_cancel() does. */
static void
cancel(struct state *state, uint32_t index)
{
    uint32_t waits = 0;
    if (atom_cas_acq_rel(&state->phases[index], &waits, 2)) {
        leat_lists_cancelled(&state->pool, 0, job_queue(state, index));
    }
}

static void
cancel_thread(void *argument)
{
    cancel(argument, scenario->ready - 1);
}

static void
cancel_other_thread(void *argument)
{
    cancel(argument, scenario->ready - 2);
}

static void
hold_thread(void *argument)
{
    struct state *state = argument;
    for (uint32_t i = 0; i < scenario->holds; i++) {
        (void)leat_lists_admit(&state->pool, 0);
    }
}

static void
lend_thread(void *argument)
{
    struct state *state = argument;
    size_t ran = 0;
    (void)leat_pool_lend(&state->pool, JOBS_MAX, &ran);
}

static void
quiet_look_thread(void *argument)
{
    struct state *state = argument;
    if (leat_pool_quiet(&state->pool, &state->elsewhere)) {
        answers_read(state);
    }
}

/* ---- all ------------------------------------------------------------------------------------ */

struct model {
    struct scenario scenario;
    struct explore_model explore;
};

static const struct model models[] = {
    {.scenario = {.workers = 1, .ready = 3, .runs = 3, .ordered = true},
     .explore = {.name = "lists_order_ready", .threads = {worker_thread}, .servants = 1}},
    {.scenario = {.workers = 1, .ready = 2, .puts = 1, .runs = 3, .ordered = true},
     .explore = {.name = "lists_order_1",
                 .threads = {worker_thread, put_thread},
                 .servants = 1,
                 .bounded = true,
                 .preemptions = 2}},
    {.scenario = {.workers = 1, .ready = 2, .puts = 2, .runs = 4, .ordered = true},
     .explore = {.name = "lists_order_2",
                 .threads = {worker_thread, put_thread},
                 .servants = 1,
                 .bounded = true,
                 .preemptions = 2}},
    {.scenario = {.workers = 1, .ready = 3, .runs = 3},
     .explore = {.name = "lists_order_cancel",
                 .threads = {worker_thread, cancel_thread},
                 .servants = 1,
                 .bounded = true,
                 .preemptions = 2}},
    {.scenario = {.workers = 1, .ready = 3, .runs = 3, .zombies = LEAT_ZOMBIES_MIN},
     .explore = {.name = "lists_sweep_cancel",
                 .threads = {worker_thread, cancel_thread},
                 .servants = 1,
                 .bounded = true,
                 .preemptions = 2}},
    {.scenario = {.lenders = 1, .ready = 5, .zombies = LEAT_ZOMBIES_MIN - 1, .holds = 2},
     .explore = {.name = "lists_sweep_1",
                 .threads = {hold_thread, cancel_thread, cancel_other_thread},
                 .setup = sweep_setup,
                 .check = sweep_check,
                 .bounded = true,
                 .preemptions = 2}},
    {.scenario = {.lenders = 1, .ready = 5, .zombies = LEAT_ZOMBIES_MIN, .holds = 2},
     .explore = {.name = "lists_sweep_2",
                 .threads = {hold_thread, cancel_thread, cancel_other_thread},
                 .setup = sweep_setup,
                 .check = sweep_check,
                 .bounded = true,
                 .preemptions = 2}},
    {.scenario = {.lenders = 1, .ready = 5, .zombies = LEAT_ZOMBIES_MIN, .holds = 2},
     .explore = {.name = "lists_sweep_roles",
                 .threads = {hold_thread, hold_thread, cancel_thread},
                 .setup = sweep_setup,
                 .check = sweep_check,
                 .bounded = true,
                 .preemptions = 2}},
    {.scenario = {.workers = 1, .ready = 2, .listed = true, .puts = 1, .runs = 3, .holds = 1},
     .explore = {.name = "lists_wake_holder",
                 .threads = {worker_thread, put_thread, hold_thread},
                 .servants = 1,
                 .bounded = true,
                 .preemptions = 1}},
    {.scenario = {.lenders = 2, .ready = 3, .runs = 3},
     .explore = {.name = "lists_lend",
                 .threads = {lend_thread, lend_thread},
                 .bounded = true,
                 .preemptions = 1}},
    {.scenario = {.lenders = 1, .ready = 1, .listed = true, .runs = 1},
     .explore = {.name = "lists_quiet_1", .threads = {lend_thread, quiet_look_thread}}},
    {.scenario = {.lenders = 2, .ready = 1, .listed = true, .runs = 1},
     .explore = {.name = "lists_quiet_2",
                 .threads = {lend_thread, lend_thread, quiet_look_thread},
                 .bounded = true,
                 .preemptions = 1}},
    {.scenario = {.lenders = 2, .ready = 1, .local = true, .runs = 1},
     .explore = {.name = "lists_quiet_local",
                 .threads = {lend_thread, lend_thread, quiet_look_thread},
                 .bounded = true,
                 .preemptions = 1}},
    {.scenario = {.workers = 1, .ready = 2, .puts = 1, .runs = 4},
     .explore = {.name = "lists_wake_2p",
                 .threads = {worker_thread, put_thread, put_thread},
                 .servants = 1,
                 .bounded = true,
                 .preemptions = 1}},
    {.scenario = {.workers = 2, .ready = 2, .puts = 1, .runs = 3},
     .explore = {.name = "lists_wake_2w",
                 .threads = {worker_thread, worker_thread, put_thread},
                 .servants = 3,
                 .bounded = true,
                 .preemptions = 1}},
    {.scenario = {.workers = 2, .ready = 1, .listed = true, .puts = 1, .runs = 2, .meets = true},
     .explore = {.name = "lists_wake_long",
                 .threads = {worker_thread, worker_thread, put_thread},
                 .servants = 3,
                 .bounded = true,
                 .preemptions = 1}},
    {.scenario = {.workers = 2, .ready = 1, .listed = true, .puts = 1, .runs = 2, .holds = 1},
     .explore = {.name = "lists_wake_holder_deep",
                 .threads = {worker_thread, worker_thread, put_thread, hold_thread},
                 .servants = 3,
                 .bounded = true,
                 .preemptions = 1,
                 .deep = true}},
    {.scenario = {.lenders = 2, .ready = 1, .listed = true, .runs = 1},
     .explore = {.name = "lists_quiet_deep",
                 .threads = {lend_thread, lend_thread, quiet_look_thread},
                 .bounded = true,
                 .preemptions = 2,
                 .deep = true}},
    {.scenario = {.lenders = 2, .ready = 1, .local = true, .runs = 1},
     .explore = {.name = "lists_quiet_local_deep",
                 .threads = {lend_thread, lend_thread, quiet_look_thread},
                 .bounded = true,
                 .preemptions = 2,
                 .deep = true}},
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
        model.setup = model.setup == NULL ? pool_setup : model.setup;
        model.check = model.check == NULL ? pool_check : model.check;
        model.local = (void **)(void *)&current_worker;
        wrong += explore(&model, &counts) ? 0 : 1;
    }
    return wrong == 0 ? 0 : 1;
}
