/* model_gather.c - the real engine/gather.c with the pool of sched/: every interleaving of workers
 * that gather jobs and run them, of a drain, and of who registers a type; with C11 memory. Sections
 * and grace periods of rcu.h are a count of those who are inside.
 *
 * full    a job fills the list: who took it runs both, and one comes back.
 * quiet   and a drain looks once, at any moment.
 * task    no delay: the task comes for the job that waits.
 * delay   a drain begins while a job comes to its list, whose delay would not end: it is hurried.
 * alone   the same without a drain.
 * crowded the task finds no room at first: it is called again.
 * two     two workers, each with a job for the list.
 * begin   a type is registered while the clocks look: they find it as it was made.
 * late    and while one of its jobs comes to its list, and a drain begins: the job is found.
 * found   and while a drain that has begun looks once: it has found nobody to hurry, and the worker
 *         that the type's list is run by is woken by another thread.
 * A drain ends when all jobs have run, those that came back among them, and not before.
 */
#include <stdio.h>
#include <string.h>

#include "sched/pool.h"
#include "tests/support/explore.h"

/* Not its header: each thread of the model has a `current_worker` of its own. */
#include "sched/worker.c" /* NOLINT(bugprone-suspicious-include) */

#include "engine/engine_internal.h"
#include "engine/middleware.h"
#include "ring/rcu.h"

static void lock(void);
static void unlock(void);
static void section_enter(void);
static void section_leave(void);
/* They stand for functions. NOLINTBEGIN(readability-identifier-naming) */
#define leat_mutex_lock(mutex)   ((void)(mutex), lock())
#define leat_mutex_unlock(mutex) ((void)(mutex), unlock())
#define leat_rcu_enter()         section_enter()
#define leat_rcu_leave(domain)   ((void)(domain), section_leave())
/* The thread of the clocks has nothing to do here: the workers do it. */
#define leat_clocks_changed(clocks)   ((void)(clocks))
#define leat_clocks_now(clocks, time) ((void)(clocks), NOW_NS)
/* NOLINTEND(readability-identifier-naming) */

#define NOW_NS   UINT64_C(1)
#define DELAY_NS UINT64_C(1000) /* never over */
#define JOBS_MAX 2

#define BLOCK_BYTES ((size_t)7 * LEAT_PAGE_BYTES)

#include "engine/gather.c" /* NOLINT(bugprone-suspicious-include) */

struct scenario {
    uint32_t workers;
    uint32_t most; /* of a list */
    uint64_t delay_ns;
    uint32_t listed; /* jobs that are in the list at first */
    uint32_t jobs;   /* all: the others are in the ring */
    bool returns;    /* the last one comes back once, as another item */
    bool fresh;      /* a thread registers the type */
    bool drains;     /* from the beginning on */
    bool crowded;    /* there are no more records for tasks at first */
};

struct state {
    struct leat_engine engine; /* but for its atomics never written but in setup */
    struct leat_place places[2];
    struct leat_job_record records[JOBS_MAX];
    leat_atomic_u64 words[JOBS_MAX];
    unsigned char *block; /* what the engine allocates is taken from its beginning */
    size_t block_used;
    leat_atomic_u32 locked; /* 1: one thread is in the list, or registers */
    leat_atomic_u32 inside; /* sections */
    struct leat_gather *gather;
    uint32_t guarded;       /* plain: under the lock */
    uint32_t ran[JOBS_MAX]; /* plain */
    uint32_t returned;      /* plain */
};

static struct state state_now;
static const struct scenario *scenario;

/* ---- locks and sections ---------------------------------------------------------------------- */

static void
lock(void)
{
    uint32_t nobody = 0;
    while (!atom_cas_acq(&state_now.locked, &nobody, 1)) {
        nobody = 0;
        explore_pause();
    }
    explore_plain_write(&state_now.guarded, "list");
}

static void
unlock(void)
{
    atom_store_rel(&state_now.locked, 0);
}

static void
section_enter(void)
{
    (void)atom_add_acq_rel(&state_now.inside, 1);
}

static void
section_leave(void)
{
    (void)atom_sub_acq_rel(&state_now.inside, 1);
}

static void
sections_wait(void)
{
    while (atom_add_acq_rel(&state_now.inside, 0) != 0) {
        explore_pause();
    }
}

/* ---- memory ---------------------------------------------------------------------------------- */

static void *
block_take(size_t bytes, size_t alignment, void *context)
{
    struct state *state = context;
    size_t place = leat_round_up(state->block_used, alignment);
    EXPLORE_CHECK(place + bytes <= BLOCK_BYTES);
    state->block_used = place + bytes;
    return state->block + place;
}

static void
block_give(void *memory, size_t bytes, void *context)
{
    (void)memory;
    (void)bytes;
    (void)context;
}

/* ---- what the engine has elsewhere ----------------------------------------------------------- */

void
leat_middleware_lock(struct leat_engine *engine)
{
    (void)engine;
    lock();
}

void
leat_middleware_unlock(struct leat_engine *engine)
{
    (void)engine;
    unlock();
}

bool
leat_run_begin(struct leat_run *run)
{
    run->id = run->index + 1;
    run->number = 1;
    run->attempt = 1;
    return true;
}

void
leat_run_settle(struct leat_run *run, struct leat_outcome outcome)
{
    EXPLORE_CHECK(outcome.kind == LEAT_OUTCOME_DONE);
    explore_plain_write(&state_now.ran[run->index], "job");
    EXPLORE_CHECK(state_now.ran[run->index] == 0);
    state_now.ran[run->index] = 1;
    if (scenario->returns && run->index == scenario->jobs - 1) {
        const uint32_t item = leat_item_of(LEAT_KIND_JOB, JOBS_MAX);
        EXPLORE_CHECK(leat_pool_push(&state_now.engine.pool, 0, item));
    }
}

uint64_t
leat_terms_timeout_ns(const struct leat_engine *engine, uint32_t index)
{
    (void)engine;
    (void)index;
    return 0;
}

static void
handler(struct leat_run *const *runs, struct leat_outcome *outcomes, size_t count, void *context)
{
    (void)runs;
    (void)outcomes;
    EXPLORE_CHECK(count >= 1 && count <= scenario->most);
    EXPLORE_CHECK(context == &state_now.engine);
}

/* ---- what these scenarios do not come to ----------------------------------------------------- */

#define NEVER(head)                                                                                \
    head                                                                                           \
    {                                                                                              \
        explore_fail(#head, __FILE__, __LINE__);                                                   \
    }
#define UNUSED __attribute__((unused))

NEVER(bool leat_job_mark(UNUSED leat_atomic_u64 *word, UNUSED const struct leat_mark *mark,
                         UNUSED uint64_t *before))
NEVER(void leat_tally_waited(UNUSED struct leat_engine *engine, UNUSED struct leat_place *place,
                             UNUSED const struct leat_job_record *record, UNUSED uint64_t wait_ns))
NEVER(void leat_tally_ran(UNUSED struct leat_engine *engine, UNUSED struct leat_place *place,
                          UNUSED const struct leat_job_record *record, UNUSED uint64_t run_ns))
NEVER(void leat_order_leave_slowly(UNUSED struct leat_engine *engine,
                                   UNUSED struct leat_job_record *record))

/* ---- the pool -------------------------------------------------------------------------------- */

static void
item_run(void *context, struct leat_worker *worker, uint32_t item)
{
    struct state *state = context;
    uint32_t index = leat_item_index(item);
    if (index < JOBS_MAX) {
        leat_gather_take(state->gather, worker, index);
        return;
    }
    explore_plain_write(&state->returned, "returned");
    EXPLORE_CHECK(state->returned == 0);
    state->returned = 1;
}

static bool
advance_all(void *context, uint32_t worker)
{
    (void)context;
    (void)worker;
    return leat_gather_advance(&state_now.engine);
}

static void
nothing(void *argument)
{
    (void)argument;
}

static void
pool_setup(struct state *state)
{
    struct leat_pool *pool = &state_now.engine.pool;
    const struct leat_pool_config config = {
        .workers = scenario->workers,
        .ring_slots_log2 = 1,
        .tasks_max = 1,
        .memory = state->engine.memory,
        .ops = {.run = item_run, .advance = advance_all, .context = state},
    };
    EXPLORE_CHECK(leat_pool_init(pool, &config) == LEAT_OS_OK);
    for (uint32_t i = 0; i < pool->places; i++) {
        explore_ignore(&pool->workers[i].parks);
        explore_ignore(&pool->workers[i].ended);
        explore_ignore(&pool->workers[i].wakes);
        explore_ignore(&pool->workers[i].tasks_run);
        explore_ignore(&state_now.places[i].jobs_run);
        explore_ignore(&state_now.places[i].running);
        atom_init(&pool->workers[i].seat, LEAT_SEAT_TAKEN);
    }
    explore_ignore(&pool->wakes_outside);
    explore_ignore(&pool->lot.passes);
    explore_ignore(&state_now.engine.outside.beside);
    atom_init(&pool->alive, scenario->workers);
}

static struct leat_gather *
gather_make(void)
{
    const struct leat_type_options options = {
        .batch_max = scenario->most,
        .batch_delay_ns = scenario->delay_ns,
    };
    return leat_gather_make(&state_now.engine, handler, &state_now.engine, &options);
}

static void
gather_setup(void *argument)
{
    struct state *state = argument;
    state->block = explore_memory_take(BLOCK_BYTES);
    state->engine.memory = (struct leat_memory){block_take, block_give, state};
    state_now.engine.places = state_now.places;
    state_now.engine.jobs.records = (unsigned char *)state_now.records;
    state_now.engine.jobs.record_bytes = sizeof(state_now.records[0]);
    state_now.engine.jobs.words = (unsigned char *)(uintptr_t)state_now.words;
    state_now.engine.jobs.word_bytes = sizeof(state_now.words[0]);
    state_now.engine.jobs.capacity = JOBS_MAX;
    atom_init(&state_now.engine.state, LEAT_ENGINE_RUNNING);
    pool_setup(state);
    if (scenario->fresh && scenario->jobs == 0) {
        return;
    }
    state->gather = gather_make();
    if (!scenario->fresh) {
        leat_gather_begin(state->gather);
        atom_init(&state_now.engine.pool.due, 0);
        atom_init(&state_now.engine.pool.hint, 0);
    }
    for (uint32_t i = 0; i < scenario->jobs; i++) {
        if (i < scenario->listed) {
            (void)list_add(state->gather, state->gather->batches, i);
        } else {
            EXPLORE_CHECK(
                leat_pool_push(&state_now.engine.pool, 0, leat_item_of(LEAT_KIND_JOB, i)));
        }
    }
    if (scenario->drains) {
        atom_init(&state_now.engine.state, LEAT_ENGINE_DRAINING);
    }
    if (scenario->crowded) {
        const struct leat_pool_task task = {nothing, NULL};
        EXPLORE_CHECK(leat_pool_post(&state_now.engine.pool, 0, &task));
    }
}

static void
gather_check(void *argument)
{
    const struct state *state = argument;
    for (uint32_t i = 0; i < scenario->jobs; i++) {
        EXPLORE_CHECK(state->ran[i] == 1);
    }
    EXPLORE_CHECK(state->returned == (scenario->returns ? 1 : 0));
    EXPLORE_CHECK(leat_gathers_check(&state_now.engine, NULL));
}

/* ---- threads --------------------------------------------------------------------------------- */

static void
worker_thread(void *argument)
{
    (void)argument;
    (void)leat_worker_run(&state_now.engine.pool.workers[explore_thread()]);
}

static void
all_have_run(const struct state *state)
{
    for (uint32_t i = 0; i < scenario->jobs; i++) {
        explore_plain_read(&state->ran[i], "job");
        EXPLORE_CHECK(state->ran[i] == 1);
    }
    explore_plain_read(&state->returned, "returned");
    EXPLORE_CHECK(state->returned == (scenario->returns ? 1 : 0));
}

/* As leat_drain(). */
static void
drain_thread(void *argument)
{
    struct state *state = argument;
    struct leat_pool *pool = &state_now.engine.pool;
    atom_store_rel(&state_now.engine.state, LEAT_ENGINE_DRAINING);
    sections_wait();
    leat_gather_hurry(&state_now.engine);
    leat_pool_watch(pool);
    for (;;) {
        uint32_t event = leat_pool_watch_event(pool);
        if (leat_pool_quiet(pool, &state_now.engine.outside.awaited)) {
            break;
        }
        leat_pool_watch_wait(pool, event, UINT64_MAX);
    }
    leat_pool_unwatch(pool);
    all_have_run(state);
}

/* A drain that has begun, at one of its looks. */
static void
quiet_thread(void *argument)
{
    struct state *state = argument;
    if (leat_pool_quiet(&state->engine.pool, &state->engine.outside.awaited)) {
        all_have_run(state);
    }
}

static void
register_thread(void *argument)
{
    struct state *state = argument;
    leat_gather_begin(state->gather != NULL ? state->gather : gather_make());
}

/* As the thread of the clocks. */
static void
clock_thread(void *argument)
{
    const struct leat_clock_source source = leat_gather_source(&state_now.engine);
    (void)argument;
    EXPLORE_CHECK(source.next(source.context) == LEAT_TIME_NEVER);
}

/* ---- all ------------------------------------------------------------------------------------- */

struct model {
    struct scenario scenario;
    struct explore_model explore;
};

static const struct model models[] = {
    {.scenario =
         {.workers = 1, .most = 2, .delay_ns = DELAY_NS, .listed = 1, .jobs = 2, .returns = true},
     .explore = {.name = "gather_full",
                 .threads = {worker_thread, drain_thread},
                 .servants = 1,
                 .bounded = true,
                 .preemptions = 1}},
    {.scenario = {.workers = 1, .most = 2, .jobs = 1, .returns = true},
     .explore = {.name = "gather_task",
                 .threads = {worker_thread, drain_thread},
                 .servants = 1,
                 .bounded = true,
                 .preemptions = 1}},
    {.scenario = {.workers = 1, .most = 2, .delay_ns = DELAY_NS, .jobs = 1},
     .explore = {.name = "gather_delay",
                 .threads = {worker_thread, drain_thread},
                 .servants = 1,
                 .bounded = true,
                 .preemptions = 1}},
    {.scenario = {.workers = 2, .most = 2, .delay_ns = DELAY_NS, .jobs = 2},
     .explore = {.name = "gather_two",
                 .threads = {worker_thread, worker_thread, drain_thread},
                 .servants = 3,
                 .bounded = true,
                 .preemptions = 0}},
    {.scenario =
         {.workers = 1, .most = 2, .delay_ns = DELAY_NS, .listed = 1, .jobs = 2, .returns = true},
     .explore = {.name = "gather_quiet",
                 .threads = {worker_thread, quiet_thread},
                 .servants = 1,
                 .bounded = true,
                 .preemptions = 2}},
    {.scenario = {.workers = 1, .most = 2, .jobs = 1},
     .explore = {.name = "gather_alone", .threads = {worker_thread}, .servants = 1}},
    {.scenario = {.workers = 1, .most = 2, .jobs = 1, .crowded = true},
     .explore = {.name = "gather_crowded", .threads = {worker_thread}, .servants = 1}},
    {.scenario = {.workers = 1, .most = 2, .fresh = true},
     .explore = {.name = "gather_begin", .threads = {clock_thread, register_thread}}},
    {.scenario = {.workers = 1, .most = 2, .delay_ns = DELAY_NS, .jobs = 1, .fresh = true},
     .explore = {.name = "gather_late",
                 .threads = {worker_thread, drain_thread, register_thread},
                 .servants = 1,
                 .bounded = true,
                 .preemptions = 0}},
    {.scenario = {.workers = 1,
                  .most = 2,
                  .delay_ns = DELAY_NS,
                  .listed = 1,
                  .jobs = 1,
                  .fresh = true,
                  .drains = true},
     .explore = {.name = "gather_found",
                 .threads = {worker_thread, quiet_thread, register_thread},
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
        model.setup = gather_setup;
        model.check = gather_check;
        model.local = (void **)(void *)&current_worker;
        wrong += explore(&model, &counts) ? 0 : 1;
    }
    return wrong == 0 ? 0 : 1;
}
