/* model_posted.c - the real sched/posted.c with sched/worker.c, sched/pool.c and sched/park.c:
 * every interleaving of threads that post to one worker with workers that look, park and leave,
 * with C11 memory. The pool has one level and a ring of two slots; what a poster wrote before is
 * plain data.
 *
 * wake    Posters post and end; the worker ends up asleep. If a wake-up is lost, it sleeps beside a
 *         task that did not run. In this, two workers sleep and only the right one is woken. In
 *         order, what one thread posts runs in its order. In beside, a ring has a task, too. In
 *         meet, a task in the ring and one posted wait for each other: the other worker must come.
 * freeze  A poster stops for ever behind its offer, or with the worker notified, in front of its
 *         system call: the post of another one, whose turn it is to repeat a wake-up, gets the
 *         worker going.
 * leave   There are to be fewer workers, beside a post to the one that leaves: either it was
 *         refused, or the task runs. In full, the ring has no room: the one that leaves runs it.
 * quiet   leat_pool_quiet() does not answer yes while a task waits, also while the worker that
 *         leaves moves it from its inbox to the ring.
 * stop    What did not run is still there when the worker has ended, and the place is not quiet.
 */
#include <stdio.h>

#include "sched/posted.h"
#include "tests/support/explore.h"

/* Not its header: each thread of the model has a `current_worker` of its own. */
#include "sched/worker.c" /* NOLINT(bugprone-suspicious-include) */

static void futex_wake(leat_atomic_u32 *word, uint32_t count);

/* The real one, stopped in front of its system call where a scenario says so. */
#define leat_os_futex_wake futex_wake
#include "ring/parker.c" /* NOLINT(bugprone-suspicious-include) */
#undef leat_os_futex_wake

#define TASKS_MAX 4

struct scenario {
    uint32_t workers;
    uint32_t to;      /* the worker that is posted to */
    uint32_t posts;   /* by each poster */
    uint32_t runs;    /* tasks that have run at the end */
    bool asleep;      /* all workers are between W2 and W7 at first */
    bool meets;       /* tasks wait for each other */
    bool waits;       /* a task is in the inbox at first */
    bool full;        /* and two are in the ring */
    bool leaves;      /* worker 1 is asked to leave at first */
    bool unbound;     /* who runs it need not be the one it was posted to */
    bool races;       /* beside the post it is asked to; worker 0 sleeps and has no thread */
    bool ordered;     /* tasks run in the order of their numbers */
    uint32_t freezes; /* thread that stops for ever; 0: none */
};

struct state {
    struct leat_pool pool;
    leat_atomic_u64 elsewhere;
    leat_atomic_u32 ran;
    leat_atomic_u32 frozen;        /* 1: as far as it comes */
    leat_atomic_u32 never;         /* a futex that nobody wakes */
    uint32_t questions[TASKS_MAX]; /* plain, like the following */
    uint32_t answers[TASKS_MAX];
    uint32_t by[TASKS_MAX]; /* worker, and 1 */
    uint32_t last;          /* number of the task that ran last, and 1; of worker `to` */
    uint32_t accepted;      /* of what is posted beside a worker that leaves */
};

static struct state state_now;
static const struct scenario *scenario;

/* ---- tasks ---------------------------------------------------------------------------------- */

static void
task_run(void *argument)
{
    struct state *state = &state_now;
    uint32_t index = (uint32_t)(uintptr_t)argument;
    EXPLORE_CHECK(index < TASKS_MAX);
    explore_plain_read(&state->questions[index], "question");
    EXPLORE_CHECK(state->questions[index] == index + 1);
    explore_plain_write(&state->answers[index], "answer");
    EXPLORE_CHECK(state->answers[index] == 0);
    state->answers[index] = 1;
    state->by[index] = current_worker->index + 1;
    if (scenario->ordered) {
        explore_plain_write(&state->last, "last");
        EXPLORE_CHECK(state->last == index);
        state->last = index + 1;
    }
    (void)atom_add_rlx(&state->ran, 1);                                      /* rlx: statistic */
    while (scenario->meets && atom_load_rlx(&state->ran) < scenario->runs) { /* rlx: statistic */
        explore_pause();
    }
}

static struct leat_pool_task
task_ask(struct state *state, uint32_t index)
{
    explore_plain_write(&state->questions[index], "question");
    state->questions[index] = index + 1;
    struct leat_pool_task task = {task_run, (void *)(uintptr_t)index};
    return task;
}

static enum leat_post_result
post(struct state *state, uint32_t index)
{
    const struct leat_pool_task task = task_ask(state, index);
    return leat_pool_post_to(&state->pool, scenario->to, 0, &task);
}

static void
push(struct state *state, uint32_t index)
{
    const struct leat_pool_task task = task_ask(state, index);
    EXPLORE_CHECK(leat_pool_post(&state->pool, 0, &task));
}

/* ---- the pool ------------------------------------------------------------------------------- */

static void
pool_setup(void *argument)
{
    struct state *state = argument;
    struct leat_pool_config config = {
        .workers = scenario->workers,
        .ring_slots_log2 = 1,
        .tasks_max = TASKS_MAX,
        .memory = explore_memory_table(),
    };
    struct leat_pool *pool = &state->pool;
    EXPLORE_CHECK(leat_pool_init(pool, &config) == LEAT_OS_OK);
    for (uint32_t i = 0; i < pool->places; i++) {
        explore_ignore(&pool->workers[i].parks);
        explore_ignore(&pool->workers[i].ended);
        explore_ignore(&pool->workers[i].wakes);
        explore_ignore(&pool->workers[i].tasks_run);
        atom_init(&pool->workers[i].seat, LEAT_SEAT_TAKEN);
    }
    explore_ignore(&pool->wakes_outside);
    explore_ignore(&pool->tasks_refused);
    if (scenario->full) {
        push(state, 2);
        push(state, 3);
    }
    if (scenario->waits) {
        EXPLORE_CHECK(post(state, 0) == LEAT_POST_OK);
    }
    for (uint32_t i = 0; i < pool->places && scenario->asleep; i++) {
        leat_lot_enter(&pool->lot, &pool->workers[i].bed, i);
    }
    if (scenario->races) {
        leat_lot_enter(&pool->lot, &pool->workers[0].bed, 0);
    }
    if (scenario->freezes == 0) {
        explore_ignore(&pool->lot.passes); /* no repeated wake-up in so few posts */
    }
    atom_init(&pool->lot.passes, LEAT_WAKE_AGAIN - 1);
    atom_init(&pool->alive, scenario->workers); /* as leat_pool_start() leaves it */
    if (scenario->leaves) {
        /* As who makes it so has left it, in front of its wake-ups. */
        atom_init(&pool->workers[1].seat, LEAT_SEAT_ASKED);
        atom_init(&pool->active, 1);
        atom_init(&pool->open, 1);
    }
}

/* Beside a stop, or a worker that leaves, tasks may be left: they are found where they belong. */
static uint32_t
left_count(struct state *state)
{
    uint32_t left = 0;
    for (uint32_t i = 0; i < state->pool.places; i++) {
        const struct leat_worker *worker = &state->pool.workers[i];
        uint32_t count = 0;
        EXPLORE_CHECK(leat_posted_check(worker, &count, stdout));
        /* rlx: not shared yet */
        EXPLORE_CHECK(worker->held == 0 || atom_load_rlx(&worker->busy) == 1);
        left += count;
    }
    return left;
}

static void
pool_check(void *argument)
{
    struct state *state = argument;
    struct leat_pool *pool = &state->pool;
    uint32_t ran = 0;
    uint32_t left = left_count(state);
    bool in_ring = leat_mpmc_ready(&pool->rings[0]);
    EXPLORE_CHECK(leat_mpmc_check(&pool->rings[0], stdout));
    for (uint32_t i = 0; i < TASKS_MAX; i++) {
        ran += state->answers[i];
        bool here = i != 0 || state->answers[i] == 0 || state->by[i] == scenario->to + 1;
        EXPLORE_CHECK(here || scenario->leaves || scenario->unbound);
    }
    EXPLORE_CHECK(ran + left >= scenario->runs);
    /* Only beside a stop. */
    EXPLORE_CHECK(left == 0 || atom_load_rlx(&pool->open) == 0); /* rlx: not shared yet */
    EXPLORE_CHECK(leat_slab_check(&pool->posted, left, stdout));
    if (scenario->races) {
        EXPLORE_CHECK(ran + (in_ring ? 1 : 0) == state->accepted);
        EXPLORE_CHECK(!in_ring || leat_parker_notified(&pool->workers[0].bed));
    }
    if (scenario->asleep && !scenario->meets) {
        for (uint32_t i = 0; i < pool->places; i++) {
            bool other = i != scenario->to;
            EXPLORE_CHECK(!other || !leat_parker_notified(&pool->workers[i].bed));
        }
    }
}

/* ---- threads -------------------------------------------------------------------------------- */

static void
worker_thread(void *argument)
{
    struct state *state = argument;
    /* The workers are the first threads. */
    (void)leat_worker_run(&state->pool.workers[explore_thread()]);
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

/* The same, where worker 0 has no thread. */
static void
worker_1_asleep_thread(void *argument)
{
    struct state *state = argument;
    leat_lot_sleep(&state->pool.lot, &state->pool.workers[1].bed, 1);
    (void)leat_worker_run(&state->pool.workers[1]);
}

static void
worker_1_thread(void *argument)
{
    struct state *state = argument;
    (void)leat_worker_run(&state->pool.workers[1]);
}

static void
post_thread(void *argument)
{
    uint32_t threads =
        scenario->asleep && scenario->workers == 2 && !scenario->meets ? 1 : scenario->workers;
    uint32_t first = (explore_thread() - threads) * scenario->posts;
    for (uint32_t i = 0; i < scenario->posts; i++) {
        EXPLORE_CHECK(post(argument, first + i) == LEAT_POST_OK);
    }
}

static void
post_and_push_thread(void *argument)
{
    EXPLORE_CHECK(post(argument, 0) == LEAT_POST_OK);
    push(argument, 1);
}

/* Either it is refused, or it runs. */
static void
post_away_thread(void *argument)
{
    struct state *state = argument;
    state->accepted = post(state, 0) == LEAT_POST_OK ? 1 : 0;
}

static void
fewer(struct state *state)
{
    bool again = false;
    EXPLORE_CHECK(leat_pool_resize(&state->pool, 1, &again) == LEAT_OS_OK);
}

static void
fewer_thread(void *argument)
{
    fewer(argument);
}

static void
post_and_fewer_thread(void *argument)
{
    EXPLORE_CHECK(post(argument, 0) == LEAT_POST_OK);
    fewer(argument);
}

static void
post_and_quiet_thread(void *argument)
{
    struct state *state = argument;
    post_thread(argument);
    leat_pool_watch(&state->pool);
    for (;;) {
        uint32_t event = leat_pool_watch_event(&state->pool);
        if (leat_pool_quiet(&state->pool, &state->elsewhere)) {
            break;
        }
        leat_pool_watch_wait(&state->pool, event, UINT64_MAX);
    }
    leat_pool_unwatch(&state->pool);
    for (uint32_t i = 0; i < scenario->runs; i++) {
        explore_plain_read(&state->answers[i], "answer");
        EXPLORE_CHECK(state->answers[i] == 1);
    }
}

/* Worker 0, who would run the task in the end, has no thread. */
static void
never_quiet_thread(void *argument)
{
    struct state *state = argument;
    EXPLORE_CHECK(!leat_pool_quiet(&state->pool, &state->elsewhere));
}

static void
halt_thread(void *argument)
{
    struct state *state = argument;
    leat_pool_halt(&state->pool);
}

static void
post_and_stop_thread(void *argument)
{
    struct state *state = argument;
    post_thread(argument);
    leat_pool_halt(&state->pool);
    EXPLORE_CHECK(leat_pool_wait_empty(&state->pool, UINT64_MAX));
}

/* ---- a thread that freezes ------------------------------------------------------------------- */

/* What it stored becomes visible to all: no machine keeps it back for ever. */
static _Noreturn void
freeze(struct state *state)
{
    atom_fence_sc(&state->pool.anchor);
    atom_store_rlx(&state->frozen, 1); /* rlx: statistic */
    for (;;) {
        leat_os_futex_wait(&state->never, 0, UINT64_MAX);
    }
}

static void
futex_wake(leat_atomic_u32 *word, uint32_t count)
{
    if (scenario->freezes != 0 && explore_thread() == scenario->freezes) {
        freeze(&state_now);
    }
    leat_os_futex_wake(word, count);
}

static void
freeze_thread(void *argument)
{
    struct state *state = argument;
    if (explore_choose(2) == 1) {
        (void)post(state, 0);
        freeze(state);
    }
    /* Behind its offer. */
    const struct leat_pool_task task = task_ask(state, 0);
    uint32_t index = 0;
    EXPLORE_CHECK(leat_slab_take(&state->pool.posted, 0, &index));
    struct leat_posted_record *record = leat_slab_record(&state->pool.posted, index);
    atom_store_rlx(&record->argument, (uint64_t)(uintptr_t)task.argument);
    record->function = task.function;
    record->level = 0;
    EXPLORE_CHECK(leat_inbox_offer(&state->pool.workers[0].inbox, &record->next, index));
    freeze(state);
}

static void
post_behind_thread(void *argument)
{
    struct state *state = argument;
    while (atom_load_rlx(&state->frozen) == 0) { /* rlx: statistic */
        explore_pause();
    }
    EXPLORE_CHECK(post(state, 1) == LEAT_POST_OK);
}

/* ---- all ------------------------------------------------------------------------------------ */

struct model {
    struct scenario scenario;
    struct explore_model explore;
};

#define FREEZES 1

#define WORKER_SERVES   1
#define WORKERS_SERVE_2 3

/* In the order of what they cost: whoever looks for a fault finds it sooner. */
static const struct model models[] = {
    {.scenario = {.workers = 1, .posts = 1, .runs = 1},
     .explore = {.name = "posted_wake",
                 .threads = {worker_thread, post_thread},
                 .servants = WORKER_SERVES}},
    {.scenario = {.workers = 2, .to = 1, .posts = 1, .runs = 1, .asleep = true},
     .explore = {.name = "posted_wake_this",
                 .threads = {worker_1_asleep_thread, post_thread},
                 .servants = WORKER_SERVES}},
    {.scenario = {.workers = 1, .posts = 2, .runs = 2, .ordered = true},
     .explore = {.name = "posted_order",
                 .threads = {worker_thread, post_thread},
                 .servants = WORKER_SERVES}},
    {.scenario = {.workers = 1, .runs = 2},
     .explore = {.name = "posted_beside",
                 .threads = {worker_thread, post_and_push_thread},
                 .servants = WORKER_SERVES}},
    {.scenario = {.workers = 1, .posts = 1, .runs = 1},
     .explore = {.name = "posted_stop", .threads = {worker_thread, post_and_stop_thread}}},
    {.scenario = {.workers = 2, .to = 1, .waits = true, .leaves = true},
     .explore = {.name = "posted_quiet_leave", .threads = {worker_1_thread, never_quiet_thread}}},
    {.scenario = {.workers = 1, .posts = 1, .runs = 1},
     .explore = {.name = "posted_quiet",
                 .threads = {worker_thread, post_and_quiet_thread},
                 .servants = WORKER_SERVES}},
    {.scenario = {.workers = 1, .posts = 1, .runs = 2},
     .explore = {.name = "posted_wake_2p",
                 .threads = {worker_thread, post_thread, post_thread},
                 .servants = WORKER_SERVES,
                 .bounded = true,
                 .preemptions = 2}},
    {.scenario = {.workers = 1, .runs = 2, .freezes = FREEZES},
     .explore = {.name = "posted_freeze",
                 .threads = {worker_thread, freeze_thread, post_behind_thread},
                 .servants = WORKER_SERVES | 1 << FREEZES,
                 .bounded = true,
                 .preemptions = 2}},
    {.scenario = {.workers = 2, .to = 1, .waits = true, .full = true, .leaves = true, .runs = 1},
     .explore = {.name = "posted_leave_full", .threads = {worker_1_thread}}},
    {.scenario = {.workers = 2, .to = 1, .waits = true, .full = true, .leaves = true},
     .explore = {.name = "posted_leave_stop", .threads = {worker_1_thread, halt_thread}}},
    {.scenario = {.workers = 2, .to = 1, .races = true},
     .explore = {.name = "posted_leave_race",
                 .threads = {worker_1_thread, fewer_thread, post_away_thread},
                 .bounded = true,
                 .preemptions = 2}},
    {.scenario = {.workers = 2, .to = 1, .runs = 2, .asleep = true, .meets = true},
     .explore = {.name = "posted_meet",
                 .threads = {worker_asleep_thread, worker_asleep_thread, post_and_push_thread},
                 .servants = WORKERS_SERVE_2,
                 .bounded = true,
                 .preemptions = 1}},
    {.scenario = {.workers = 2, .to = 1, .runs = 1, .unbound = true},
     .explore = {.name = "posted_leave",
                 .threads = {worker_thread, worker_thread, post_and_fewer_thread},
                 .servants = WORKER_SERVES,
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
