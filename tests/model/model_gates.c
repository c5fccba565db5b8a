/* model_gates.c - the real sched/gate.h with sched/lists.c, pool.c, worker.c and park.c: every
 * interleaving of a worker that admits through a gate with threads that leave it, pause it, resume
 * it, cap it and put jobs, with C11 memory. One queue, one level; workers end asleep, so a wake-up
 * that is lost leaves a job that has not run.
 *
 * leave    jobs whose handlers leave the gate to another thread, which gives the place up later:
 *          with a cap of one, the next one is let in by nobody else. In leave_2, two threads leave
 *          at once.
 * pause    a thread pauses and resumes, a worker admits, and another thread puts.
 * cap      a cap is lowered to one and taken away, beside jobs that leave.
 * lend     two lent threads, of which one may leave the gate while the other one admits.
 * In each, no more have entered than the cap says, and what a handler wrote is seen by the next.
 */
#include <stdio.h>

#include "sched/pool.h"
#include "tests/support/explore.h"

/* Not its header: each thread of the model has a `current_worker` of its own. */
#include "sched/worker.c" /* NOLINT(bugprone-suspicious-include) */

#define JOBS_MAX 3

struct scenario {
    uint32_t workers; /* the first threads of the model */
    uint32_t lenders; /* places for lent threads, where workers is 0 */
    uint32_t ready;   /* jobs that are listed before */
    uint32_t puts;    /* jobs put by each thread that puts */
    uint32_t runs;    /* jobs that have run at the end */
    uint32_t cap;     /* at first; 0: none */
    bool paused;      /* at first */
    bool pending;     /* jobs leave by a thread that leaves, not by their worker */
};

struct state {
    struct leat_pool pool;
    leat_atomic_u32 links[JOBS_MAX];
    leat_atomic_u32 entered[JOBS_MAX]; /* 1: in the gate; 2: it ran; 3: it was told to leave */
    leat_atomic_u32 inside;
    uint32_t notes; /* plain: what each handler writes where the cap is one */
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
    (void)index;
    return 0;
}

static bool
job_drop(void *context, uint32_t index)
{
    (void)context;
    (void)index;
    return false;
}

static struct leat_gate *
gate_of(struct state *state)
{
    return &state->pool.queues[0].gate;
}

static void
called(struct state *state, uint32_t levels)
{
    if (levels != 0) {
        leat_lists_opened(&state->pool, 0, 0);
    }
}

static enum leat_passage
job_enter(void *context, uint32_t index, uint32_t level, uint32_t list, uint32_t *other)
{
    struct state *state = context;
    (void)index;
    (void)list;
    (void)other;
    return leat_gate_enter(gate_of(state), level, true) ? LEAT_PASSAGE_GO : LEAT_PASSAGE_SHUT;
}

static void
gate_leave(struct state *state)
{
    (void)atom_sub_rlx(&state->inside, 1); /* rlx: statistic */
    called(state, leat_gate_leave(gate_of(state)));
}

static void
job_leave(void *context, uint32_t index)
{
    struct state *state = context;
    (void)index;
    called(state, leat_gate_leave(gate_of(state)));
}

static void
job_run(void *context, struct leat_worker *worker, uint32_t item)
{
    struct state *state = context;
    uint32_t index = leat_item_index(item);
    EXPLORE_CHECK(index < JOBS_MAX);
    explore_plain_write(worker, "place of a worker");
    uint32_t inside = atom_add_rlx(&state->inside, 1) + 1; /* rlx: statistic */
    EXPLORE_CHECK(scenario->cap == 0 || inside <= scenario->cap);
    if (scenario->cap == 1) {
        explore_plain_write(&state->notes, "notes of handlers");
        state->notes++;
    }
    explore_plain_write(&state->ran[index], "run");
    EXPLORE_CHECK(state->ran[index] == 0);
    state->ran[index] = 1;
    if (scenario->pending) {
        atom_store_rel(&state->entered[index], 2);
    } else {
        gate_leave(state);
    }
}

static void
job_put(struct state *state, uint32_t index)
{
    leat_pool_put(&state->pool, 0, 0, leat_item_of(LEAT_KIND_JOB, index));
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
        .queues = 1,
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
    (void)leat_gate_cap(gate_of(state), scenario->cap);
    if (scenario->paused) {
        leat_gate_pause(gate_of(state));
    }
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
    /* A lent thread goes when it finds nothing, or has run enough. */
    EXPLORE_CHECK(ran == scenario->runs || scenario->workers == 0);
    EXPLORE_CHECK(!leat_lists_ready(&state->pool.lists[0]) || scenario->workers == 0);
}

/* ---- threads -------------------------------------------------------------------------------- */

static void
worker_thread(void *argument)
{
    struct state *state = argument;
    (void)leat_worker_run(&state->pool.workers[explore_thread()]);
}

static void
lend_thread(void *argument)
{
    struct state *state = argument;
    size_t ran = 0;
    (void)leat_pool_lend(&state->pool, JOBS_MAX, &ran);
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
    gate_leave(state);
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
pause_thread(void *argument)
{
    struct state *state = argument;
    leat_gate_pause(gate_of(state));
    called(state, leat_gate_resume(gate_of(state)));
}

static void
resume_thread(void *argument)
{
    struct state *state = argument;
    called(state, leat_gate_resume(gate_of(state)));
}

static void
cap_thread(void *argument)
{
    struct state *state = argument;
    called(state, leat_gate_cap(gate_of(state), 1));
    called(state, leat_gate_cap(gate_of(state), 0));
}

/* ---- all ------------------------------------------------------------------------------------ */

struct model {
    struct scenario scenario;
    struct explore_model explore;
};

static const struct model models[] = {
    {.scenario = {.workers = 1, .ready = 2, .runs = 2, .cap = 1, .pending = true},
     .explore = {.name = "gates_leave_1", .threads = {worker_thread, first_thread}, .servants = 1}},
    {.scenario = {.workers = 1, .ready = 3, .runs = 3, .cap = 2, .pending = true},
     .explore = {.name = "gates_leave_2",
                 .threads = {worker_thread, first_thread, second_thread},
                 .servants = 1,
                 .bounded = true,
                 .preemptions = 1}},
    {.scenario = {.workers = 1, .ready = 2, .runs = 2, .cap = 1},
     .explore = {.name = "gates_own", .threads = {worker_thread}, .servants = 1}},
    {.scenario = {.workers = 1, .ready = 1, .runs = 1, .paused = true},
     .explore = {.name = "gates_resume", .threads = {worker_thread, resume_thread}, .servants = 1}},
    {.scenario = {.workers = 1, .ready = 1, .puts = 1, .runs = 2},
     .explore = {.name = "gates_pause",
                 .threads = {worker_thread, pause_thread, put_thread},
                 .servants = 1,
                 .bounded = true,
                 .preemptions = 1}},
    {.scenario = {.workers = 1, .ready = 2, .runs = 2, .pending = true},
     .explore = {.name = "gates_cap",
                 .threads = {worker_thread, cap_thread, first_thread},
                 .servants = 1,
                 .bounded = true,
                 .preemptions = 1}},
    {.scenario = {.workers = 2, .ready = 2, .runs = 2, .cap = 1},
     .explore = {.name = "gates_2w",
                 .threads = {worker_thread, worker_thread},
                 .servants = 3,
                 .bounded = true,
                 .preemptions = 1}},
    {.scenario = {.lenders = 2, .ready = 2, .runs = 2, .cap = 1},
     .explore = {.name = "gates_lend",
                 .threads = {lend_thread, lend_thread},
                 .bounded = true,
                 .preemptions = 2}},
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
