/* model_chunk.c - the real leat_pool_push_n() with sched/worker.c: chains of blocks that threads
 * push while workers take them apart, with C11 memory. A block has two items here, so that three
 * are a chain of two blocks. The pool has one level, and its workers end asleep.
 *
 * order  One thread pushes a single item, a chain, and a single one, into a ring of two slots: one
 *        worker runs them in the order in which they were pushed.
 * full   The chain finds the ring full, over and over until the worker has taken something: each
 *        time its blocks are given back, and the next try fills them again.
 * slab   There are two blocks, and both are in use: a second chain finds none, or one and no second
 *        one, which it gives back. What is refused does not run. In two, there are three blocks,
 *        the ring is full, and one thread fills what another one gives back. In kept, the worker
 *        gives two back at once.
 * two    Two threads push a chain each: each is run from end to end before the other one.
 * claim  Single items and chains wait, and a worker takes several at once: the rest of a chain is
 *        the last one of them, so the order is as before. The queue has room for it.
 * steal  Two workers, of which one steals single items, or the item of the block that goes on. Each
 *        item runs once; and in order, from one steal of a worker to its next.
 * meet   The handlers of two items of a chain wait for each other: who opens a block wakes the
 *        other worker, though that one has just seen that there is nothing.
 *
 * In all of them: each item runs once, and reads what was written before its push; all blocks are
 * free at the end. A block is written by who took it from the slab and read by who took its item:
 * push:C -> pop:A, pop:B of the ring and give:B -> take:A of the slab carry it, and that it was
 * read before it is filled again.
 */
#include <stdio.h>

/* Of this program alone, which has all that looks into a block: in other models a batch of two or
 * three items is a block, as it is with 32. */
#define LEAT_CHUNK_ITEMS 2

#include "sched/pool.h"
#include "tests/support/explore.h"

/* What pool.c and worker.c do with a block is declared: it is memory that threads hand on, and all
 * but its first two items is plain. */
static void
block_fill(struct leat_chunk *chunk, const uint32_t *items, uint32_t count)
{
    explore_plain_write(chunk, "block");
    leat_chunk_fill(chunk, items, count);
}

static uint32_t
block_read(const struct leat_chunk *chunk, uint32_t *items)
{
    explore_plain_read(chunk, "block");
    return leat_chunk_read(chunk, items);
}

#define leat_chunk_fill block_fill
#define leat_chunk_read block_read

/* Not its header: each thread of the model has a `current_worker` of its own. */
#include "sched/pool.c"   /* NOLINT(bugprone-suspicious-include) */
#include "sched/worker.c" /* NOLINT(bugprone-suspicious-include) */

#define ITEMS_MAX   8
#define WORKERS_MAX 2
#define PUSHES_MAX  4

struct scenario {
    uint32_t workers;            /* the first threads of the model */
    uint32_t pushers;            /* the others */
    uint32_t slots_log2;         /* of the ring */
    uint32_t items_max;          /* what the slab of blocks is made for: see chunks_max() */
    uint32_t blocks;             /* so many of them are there; 0: all */
    uint32_t kept;               /* blocks that a worker gives back at once; 0: as it is */
    uint32_t claim;              /* so many items a worker took at once before; it may double */
    uint32_t ready[PUSHES_MAX];  /* items of each push before the threads begin */
    uint32_t pushes[PUSHES_MAX]; /* the same of each thread that pushes */
    bool drops;                  /* a push that fails is not tried again */
    bool meets;                  /* all items but the first wait until two of them have begun */
    bool refuses;                /* in some run a push fails, */
    bool steals;                 /* or a worker takes from the other one */
};

struct state {
    struct leat_pool pool;
    leat_atomic_u32 begun;
    uint32_t questions[ITEMS_MAX]; /* plain, like the following */
    uint32_t answers[ITEMS_MAX];
    bool refused[ITEMS_MAX];      /* with the first item of a push: all of it was */
    uint32_t lasts[WORKERS_MAX];  /* item that each worker ran last */
    uint64_t steals[WORKERS_MAX]; /* that it had made by then */
    uint32_t turns[ITEMS_MAX];    /* where there is one worker: when it ran the item */
    uint32_t ran;
    uint32_t aside; /* blocks that nobody can take */
};

static struct state state_now;
static const struct scenario *scenario;

/* In some run of the model at hand. Nothing in a run reads them. */
static bool seen_refused;
static bool seen_steals;

/* ---- items ---------------------------------------------------------------------------------- */

static uint32_t
items_count(const uint32_t counts[PUSHES_MAX])
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < PUSHES_MAX; i++) {
        count += counts[i];
    }
    return count;
}

/* Pushes `count` items from `first` on, however often that takes; or once. */
static void
push(struct state *state, uint32_t first, uint32_t count)
{
    uint32_t items[ITEMS_MAX];
    for (uint32_t i = 0; i < count; i++) {
        EXPLORE_CHECK(first + i < ITEMS_MAX);
        explore_plain_write(&state->questions[first + i], "question");
        state->questions[first + i] = first + i + 1;
        items[i] = leat_item_of(LEAT_KIND_JOB, first + i);
    }
    while (!leat_pool_push_n(&state->pool, 0, items, count)) {
        seen_refused = true;
        if (scenario->drops) {
            state->refused[first] = true;
            return;
        }
        explore_pause();
    }
}

static void
pushes(struct state *state, uint32_t first, const uint32_t counts[PUSHES_MAX])
{
    for (uint32_t i = 0; i < PUSHES_MAX && counts[i] != 0; i++) {
        push(state, first, counts[i]);
        first += counts[i];
    }
}

static void
item_run(void *context, struct leat_worker *worker, uint32_t item)
{
    struct state *state = context;
    uint32_t index = leat_item_index(item);
    uint64_t steals = atom_load_rlx(&worker->steals); /* rlx: single writer */
    EXPLORE_CHECK(leat_item_kind(item) == LEAT_KIND_JOB);
    EXPLORE_CHECK(index < ITEMS_MAX);
    explore_plain_read(&state->questions[index], "question");
    EXPLORE_CHECK(state->questions[index] == index + 1);
    explore_plain_write(&state->answers[index], "answer");
    EXPLORE_CHECK(state->answers[index] == 0);
    state->answers[index] = 1;
    if (scenario->workers == 1) {
        state->turns[index] = state->ran;
        state->ran++;
        return;
    }
    seen_steals = seen_steals || steals != 0;
    EXPLORE_CHECK(steals != state->steals[worker->index] || index >= state->lasts[worker->index]);
    state->steals[worker->index] = steals;
    state->lasts[worker->index] = index;
    if (scenario->meets && index != 0) {
        (void)atom_add_rlx(&state->begun, 1);      /* rlx: statistic */
        while (atom_load_rlx(&state->begun) < 2) { /* rlx: statistic */
            explore_pause();
        }
    }
}

/* ---- the pool ------------------------------------------------------------------------------- */

/* Those that workers may keep make no block scarce, where that is what is looked at. */
static void
blocks_put_aside(struct state *state)
{
    struct leat_slab *blocks = &state->pool.chunks;
    uint32_t index = 0;
    while (scenario->blocks != 0 && blocks->capacity - state->aside > scenario->blocks) {
        EXPLORE_CHECK(leat_slab_take(blocks, 0, &index));
        state->aside++;
    }
}

static void
pool_setup(void *argument)
{
    struct state *state = argument;
    const struct leat_pool_config config = {
        .workers = scenario->workers,
        .ring_slots_log2 = scenario->slots_log2,
        .tasks_max = 1,
        .items_max = scenario->items_max,
        .memory = explore_memory_table(),
        .ops = {.run = item_run, .context = state},
    };
    struct leat_pool *pool = &state->pool;
    EXPLORE_CHECK(leat_pool_init(pool, &config) == LEAT_OS_OK);
    explore_ignore(&pool->lot.passes); /* no repeated wake-up in so few items */
    explore_ignore(&pool->wakes_outside);
    for (uint32_t i = 0; i < pool->places; i++) {
        explore_ignore(&pool->workers[i].ended);
        explore_ignore(&pool->workers[i].wakes);
        explore_ignore(&pool->workers[i].parks);
        atom_init(&pool->workers[i].seat, LEAT_SEAT_TAKEN);
        pool->workers[i].claim = scenario->claim;
        if (scenario->kept != 0) {
            pool->workers[i].chunks_spent.most = scenario->kept;
        }
    }
    blocks_put_aside(state);
    pushes(state, 0, scenario->ready);
    atom_init(&pool->alive, scenario->workers); /* as leat_pool_start() leaves it */
}

/* Of one worker: the items of a push ran one behind the other, and behind those of the push before.
 */
static void
turns_check(const struct state *state, uint32_t first, uint32_t count, uint32_t *next)
{
    EXPLORE_CHECK(state->turns[first] >= *next);
    for (uint32_t i = 1; i < count; i++) {
        EXPLORE_CHECK(state->turns[first + i] == state->turns[first] + i);
    }
    *next = state->turns[first] + count;
}

/* Each item of these pushes has run, or none of a push that was refused. Returns where the next
 * ones begin. */
static uint32_t
pushes_check(const struct state *state, uint32_t first, const uint32_t counts[PUSHES_MAX])
{
    uint32_t next = 0;
    for (uint32_t i = 0; i < PUSHES_MAX && counts[i] != 0; i++) {
        bool refused = state->refused[first];
        for (uint32_t j = 0; j < counts[i]; j++) {
            EXPLORE_CHECK(state->answers[first + j] == (refused ? 0 : 1));
        }
        if (!refused && scenario->workers == 1) {
            turns_check(state, first, counts[i], &next);
        }
        first += counts[i];
    }
    return first;
}

static void
pool_check(void *argument)
{
    struct state *state = argument;
    struct leat_pool *pool = &state->pool;
    uint32_t first = pushes_check(state, 0, scenario->ready);
    for (uint32_t i = 0; i < scenario->pushers; i++) {
        first = pushes_check(state, first, scenario->pushes);
    }
    EXPLORE_CHECK(leat_mpmc_check(&pool->rings[0], stdout));
    EXPLORE_CHECK(leat_pool_look(pool, 0) == 0);
    EXPLORE_CHECK(leat_slab_check(&pool->chunks, state->aside, stdout));
    for (uint32_t i = 0; i < pool->places; i++) {
        EXPLORE_CHECK(leat_local_check(&pool->workers[i].local[0], stdout));
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
push_thread(void *argument)
{
    uint32_t before = (explore_thread() - scenario->workers) * items_count(scenario->pushes);
    pushes(argument, items_count(scenario->ready) + before, scenario->pushes);
}

/* ---- all ------------------------------------------------------------------------------------ */

struct model {
    struct scenario scenario;
    struct explore_model explore;
};

#define WORKER_SERVES 1
#define WORKERS_SERVE 3

static const struct model models[] = {
    {.scenario = {.workers = 1, .pushers = 1, .slots_log2 = 1, .items_max = 5, .pushes = {1, 3, 1}},
     .explore = {.name = "chunk_order", .threads = {worker_thread, push_thread}, .preemptions = 2}},
    {.scenario = {.workers = 1,
                  .pushers = 1,
                  .slots_log2 = 1,
                  .items_max = 5,
                  .ready = {1, 1},
                  .pushes = {3},
                  .refuses = true},
     .explore = {.name = "chunk_full", .threads = {worker_thread, push_thread}, .preemptions = 2}},
    /* The ring has room for all: it is the slab that refuses. */
    {.scenario = {.workers = 1,
                  .pushers = 1,
                  .slots_log2 = 2,
                  .blocks = 2,
                  .kept = 1,
                  .ready = {3},
                  .pushes = {3, 2},
                  .drops = true,
                  .refuses = true},
     .explore = {.name = "chunk_slab", .threads = {worker_thread, push_thread}, .preemptions = 2}},
    {.scenario = {.workers = 1,
                  .pushers = 1,
                  .slots_log2 = 2,
                  .blocks = 3,
                  .kept = 2,
                  .ready = {3},
                  .pushes = {3, 2},
                  .drops = true,
                  .refuses = true},
     .explore = {.name = "chunk_slab_kept",
                 .threads = {worker_thread, push_thread},
                 .preemptions = 2}},
    {.scenario = {.workers = 1,
                  .pushers = 2,
                  .slots_log2 = 1,
                  .items_max = 1,
                  .blocks = 3,
                  .kept = 1,
                  .ready = {1, 1},
                  .pushes = {3},
                  .drops = true,
                  .refuses = true},
     .explore = {.name = "chunk_slab_two",
                 .threads = {worker_thread, push_thread, push_thread},
                 .preemptions = 1}},
    {.scenario = {.workers = 1, .pushers = 2, .slots_log2 = 1, .items_max = 6, .pushes = {3}},
     .explore = {.name = "chunk_two",
                 .threads = {worker_thread, push_thread, push_thread},
                 .preemptions = 1}},
    {.scenario = {.workers = 1,
                  .pushers = 1,
                  .slots_log2 = 2,
                  .items_max = 8,
                  .claim = 2,
                  .ready = {1, 1, 3, 1},
                  .pushes = {2}},
     .explore = {.name = "chunk_claim", .threads = {worker_thread, push_thread}, .preemptions = 2}},
    {.scenario = {.workers = 2, .slots_log2 = 1, .items_max = 4, .ready = {4}, .steals = true},
     .explore = {.name = "chunk_steal",
                 .threads = {worker_thread, worker_thread},
                 .preemptions = 1}},
    {.scenario = {.workers = 2,
                  .slots_log2 = 1,
                  .items_max = 4,
                  .ready = {1, 3},
                  .meets = true,
                  .steals = true},
     .explore = {.name = "chunk_meet",
                 .threads = {worker_thread, worker_thread},
                 .preemptions = 1}},
    {.scenario = {.workers = 2,
                  .pushers = 1,
                  .slots_log2 = 1,
                  .items_max = 5,
                  .pushes = {3},
                  .steals = true},
     .explore = {.name = "chunk_steal_push",
                 .threads = {worker_thread, worker_thread, push_thread},
                 .preemptions = 1}},
};

/* What a scenario is for has come about. */
static bool
seen(const char *name)
{
    bool refused = seen_refused || !scenario->refuses;
    bool fits = explore_is_cut() || (refused && (seen_steals || !scenario->steals));
    if (!fits) {
        (void)printf("%s: in no run what it is for\n", name);
    }
    return fits;
}

int
main(void)
{
    uint32_t wrong = 0;
    for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
        struct explore_model model = models[i].explore;
        struct explore_counts counts;
        scenario = &models[i].scenario;
        seen_refused = false;
        seen_steals = false;
        model.state = &state_now;
        model.state_bytes = sizeof(state_now);
        model.setup = pool_setup;
        model.check = pool_check;
        model.servants = scenario->workers == 1 ? WORKER_SERVES : WORKERS_SERVE;
        model.bounded = true;
        model.local = (void **)(void *)&current_worker;
        wrong += explore(&model, &counts) && seen(model.name) ? 0 : 1;
    }
    return wrong == 0 ? 0 : 1;
}
