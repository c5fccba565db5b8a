/* model_pull.c - the real leat_lists_take() of sched/lists.c and sched/takers.h, with pool.c,
 * worker.c, park.c and sched/gate.h: every interleaving of threads that take jobs out of a queue's
 * list by themselves, and wait for them, with those that list jobs or open the gate, and with a
 * worker that deals and never admits, with C11 memory. One queue, one level. A taker ends when it
 * has its jobs, so a wake-up that is lost leaves it waiting for ever: which the explorer finds.
 *
 * put      one thread lists, one takes, with no worker.
 * worker   the same beside a worker, which may have the role, or the job in hand.
 * two      two takers, of which each wants one of two jobs.
 * turn     of two jobs one is listed before; the taker comes by for one after the other.
 * gate     a taker that is turned away at the gate, and a thread that opens it.
 * drop     one of two jobs is dropped on the way.
 * behind   a worker has left dropped jobs half dealt, and one more is listed behind them.
 * front    one job is dealt, and behind it two are listed, of which the last one goes in front.
 * close    no job: a thread says that there will be none, and tells, with no fence of a list's.
 * Each job is taken once, in its order; what was written before it was listed is seen by who takes
 * it.
 */
#include <stdio.h>

#include "sched/pool.h"
#include "tests/support/explore.h"

/* Not its header: each thread of the model has a `current_worker` of its own. */
#include "sched/worker.c" /* NOLINT(bugprone-suspicious-include) */

#define JOBS_MAX 3

struct scenario {
    uint32_t workers; /* the first threads of the model */
    uint32_t ready;   /* jobs that are listed before */
    uint32_t puts;    /* jobs listed by the thread that lists */
    uint32_t wants;   /* of each taker */
    uint32_t taken;   /* at the end */
    bool paused;      /* at first */
    uint32_t drops;   /* so many of the first jobs are dropped */
    bool front;       /* the first job is dealt before, and the last one goes in front of it */
};

struct state {
    struct leat_pool pool;
    leat_atomic_u32 links[JOBS_MAX];
    leat_atomic_u32 closed;
    uint32_t notes[JOBS_MAX]; /* plain: written before the job is listed, and when it is taken */
    uint32_t newest;          /* plain: under the role; the number behind that of the last one */
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
    (void)context;
    return index < scenario->drops;
}

static bool
job_returned(void *context, uint32_t index)
{
    (void)context;
    return scenario->front && index == JOBS_MAX - 1;
}

static enum leat_passage
job_enter(void *context, uint32_t index, uint32_t level, uint32_t list, uint32_t *other)
{
    (void)context;
    (void)index;
    (void)level;
    (void)list;
    (void)other;
    return LEAT_PASSAGE_SHUT;
}

static void
job_run(void *context, struct leat_worker *worker, uint32_t item)
{
    (void)context;
    (void)worker;
    (void)item;
    EXPLORE_CHECK(!"a worker has a job of a pull queue");
}

static void
job_put(struct state *state, uint32_t index)
{
    uint32_t item = leat_item_of(LEAT_KIND_JOB, index);
    explore_plain_write(&state->notes[index], "notes");
    state->notes[index] = 1;
    leat_lists_add(&state->pool, 0, &item, 1);
    leat_takers_tell(&state->pool.queues[0].takers, &state->pool.anchor);
}

/* ---- takers --------------------------------------------------------------------------------- */

struct taker {
    struct state *state;
    uint32_t left;
};

static bool
take_one(void *context, uint32_t index)
{
    struct taker *taker = context;
    struct state *state = taker->state;
    if (taker->left == 0 || !leat_gate_enter(&state->pool.queues[0].gate, 0, true)) {
        return false;
    }
    taker->left--;
    explore_plain_write(&state->notes[index], "notes");
    EXPLORE_CHECK(state->notes[index] == 1);
    EXPLORE_CHECK(!scenario->front || index == JOBS_MAX - 1);
    state->notes[index] = 2;
    explore_plain_write(&state->newest, "order");
    EXPLORE_CHECK(state->newest <= index);
    state->newest = index + 1;
    return true;
}

static void
take_thread(void *argument)
{
    struct state *state = argument;
    struct leat_takers *takers = &state->pool.queues[0].takers;
    struct taker taker = {state, scenario->wants};
    const struct leat_taker ask = {take_one, &taker};
    leat_takers_enter(takers, &state->pool.anchor);
    while (taker.left != 0) {
        uint32_t news = leat_takers_look(takers);
        if (atom_load_rlx(&state->closed) != 0) { /* rlx: ordered by takers:A */
            break;
        }
        uint32_t before = taker.left;
        enum leat_taken taken = LEAT_TAKEN_PART;
        while (taken != LEAT_TAKEN_ALL) {
            taken = leat_lists_take(&state->pool, 0, 0, &ask);
            if (taken == LEAT_TAKEN_BUSY) {
                explore_pause();
            }
        }
        if (taker.left == before) {
            leat_takers_wait(takers, news, UINT64_MAX);
            /* The kernel has seen another value, and so the thread does from now on; the explorer
             * does not know of that. */
            while (leat_takers_look(takers) == news) {
                explore_pause();
            }
        }
    }
    leat_takers_leave(takers);
}

/* ---- the pool ------------------------------------------------------------------------------- */

static void
pool_setup(void *argument)
{
    struct state *state = argument;
    struct leat_pool_config config = {
        .workers = scenario->workers,
        .lenders_max = 1,
        .ring_slots_log2 = 1,
        .tasks_max = 1,
        .memory = explore_memory_table(),
        .ops = {.run = job_run, .context = state},
        .queues = 1,
        .lists = {.link = job_link,
                  .queue = job_queue,
                  .drop = job_drop,
                  .context = state,
                  .enter = job_enter,
                  .returned = job_returned},
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
    if (scenario->paused) {
        leat_gate_pause(&pool->queues[0].gate);
    }
    for (uint32_t i = 0; i < scenario->ready; i++) {
        job_put(state, i);
        if (scenario->front && i == 0) {
            EXPLORE_CHECK(leat_lists_admit(pool, 0));
        }
    }
    atom_init(&pool->alive, scenario->workers); /* as leat_pool_start() leaves it */
}

static void
pool_check(void *argument)
{
    struct state *state = argument;
    uint32_t taken = 0;
    EXPLORE_CHECK(leat_lists_check(&state->pool, 0, stdout));
    for (uint32_t i = 0; i < JOBS_MAX; i++) {
        taken += state->notes[i] == 2 ? 1 : 0;
    }
    EXPLORE_CHECK(taken == scenario->taken);
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

static void
resume_thread(void *argument)
{
    struct state *state = argument;
    if (leat_gate_resume(&state->pool.queues[0].gate) != 0) {
        leat_lists_opened(&state->pool, 0, 0);
        leat_takers_tell(&state->pool.queues[0].takers, &state->pool.anchor);
    }
}

static void
close_thread(void *argument)
{
    struct state *state = argument;
    atom_store_rlx(&state->closed, 1); /* rlx: ordered by takers:C */
    leat_takers_tell(&state->pool.queues[0].takers, &state->pool.anchor);
}

/* ---- all ------------------------------------------------------------------------------------ */

struct model {
    struct scenario scenario;
    struct explore_model explore;
};

static const struct model models[] = {
    {.scenario = {.puts = 1, .wants = 1, .taken = 1},
     .explore = {.name = "pull_put", .threads = {take_thread, put_thread}}},
    {.scenario = {.ready = 1, .puts = 1, .wants = 2, .taken = 2},
     .explore = {.name = "pull_turn", .threads = {take_thread, put_thread}}},
    {.scenario = {.ready = 1, .wants = 1, .taken = 1, .paused = true},
     .explore = {.name = "pull_gate", .threads = {take_thread, resume_thread}}},
    {.scenario = {.ready = 1, .puts = 1, .wants = 1, .taken = 1, .drops = 1},
     .explore = {.name = "pull_drop", .threads = {take_thread, put_thread}}},
    {.scenario = {.workers = 1, .ready = JOBS_MAX, .wants = 1, .taken = 1, .front = true},
     .explore = {.name = "pull_front",
                 .threads = {worker_thread, take_thread},
                 .servants = 1,
                 .bounded = true,
                 .preemptions = 2}},
    {.scenario = {.wants = 1},
     .explore = {.name = "pull_close", .threads = {take_thread, close_thread}}},
    {.scenario = {.puts = 2, .wants = 1, .taken = 2},
     .explore = {.name = "pull_two",
                 .threads = {take_thread, take_thread, put_thread},
                 .bounded = true,
                 .preemptions = 1}},
    {.scenario = {.puts = 2, .wants = 1, .taken = 2},
     .explore = {.name = "pull_two_deep",
                 .threads = {take_thread, take_thread, put_thread},
                 .bounded = true,
                 .preemptions = 2,
                 .deep = true}},
    {.scenario = {.workers = 1, .puts = 1, .wants = 1, .taken = 1},
     .explore = {.name = "pull_worker",
                 .threads = {worker_thread, take_thread, put_thread},
                 .servants = 1,
                 .bounded = true,
                 .preemptions = 1}},
    {.scenario = {.workers = 1, .ready = 2, .puts = 1, .wants = 1, .taken = 1, .drops = 2},
     .explore = {.name = "pull_behind",
                 .threads = {worker_thread, take_thread, put_thread},
                 .servants = 1,
                 .bounded = true,
                 .preemptions = 1}},
    {.scenario = {.workers = 1, .ready = 1, .wants = 1, .taken = 1, .paused = true},
     .explore = {.name = "pull_worker_gate",
                 .threads = {worker_thread, take_thread, resume_thread},
                 .servants = 1,
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
