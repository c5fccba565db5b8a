/* model_park.c - the real sched/pool.c, sched/worker.c, sched/park.c and ring/parker.c: every
 * interleaving of threads that bring work with workers that look, park and wake, with C11 memory.
 * The pool has one level and a ring of two slots.
 *
 * wake   Producers push and end; the workers end up asleep. If a wake-up is lost, they sleep beside
 *        an item that did not run. What a producer wrote before its push is plain data. In late, a
 *        wait on a futex may return for no reason.
 *        In meet, the handlers of two items wait for each other: both workers must come. In
 *        two_wakers, two threads at once wake two workers, not one of them twice; in of_one, both
 *        mean the same one, and one of them wakes it. In none and next, a worker with its first
 *        item wakes another one only if there is more.
 * stop   Who pushed stops the pool when all has run: the workers wake up and end. They know what
 *        was written before the stop, and the stopping thread what they wrote. In keep, the worker
 *        ends with an item in hand and a full ring: then it does not look idle.
 * quiet  leat_pool_quiet() answers only when the items that the caller pushed have run, and what
 *        their handlers pushed, and what was counted elsewhere; and their writes are there.
 * freeze A producer stops for ever: behind its push into the ring, with the hint set, or with the
 *        worker notified, in front of its system call. The push of another producer gets the
 *        worker going, if it is the one whose turn it is to repeat a wake-up; both items run. A
 *        stop gets it going too.
 * retire There are to be fewer workers: the one that is too many leaves, asleep or at work, its
 *        idle bit is clear, and all items run, also those that it had in hand (keep, with a full
 *        ring) or in its local queue (batch). In back, it is wanted again at once: it stays, or has
 *        left and the place is free; never both, never neither, and who waits for it is told. In
 *        freeze, the wake-up of a push went to it, while the other worker hangs on a waker that is
 *        frozen: it passes the wake-up on.
 * lend   Lent threads beside a stop: after leat_pool_wait_empty() nobody is inside. Two threads are
 *        never in one place. In keep, one leaves an item in hand that the next one goes on with.
 *        In steal, one opens a batch while the other one finds nothing to steal: the hint stays.
 *        In hide, both find an item in their second look, and one takes it.
 *
 * With three threads either the memory is sequentially consistent, or the preemptions are bounded.
 */
#include <stdio.h>

#include "sched/pool.h"
#include "tests/support/explore.h"

/* Not its header: each thread of the model has a `current_worker` of its own. */
#include "sched/worker.c" /* NOLINT(bugprone-suspicious-include) */

static void futex_wake(leat_atomic_u32 *word, uint32_t count);

/* The real one, stopped in front of its system call where a scenario says so. */
#define leat_os_futex_wake futex_wake
#include "ring/parker.c" /* NOLINT(bugprone-suspicious-include) */
#undef leat_os_futex_wake

#define ITEMS_MAX 4

struct scenario {
    uint32_t workers; /* the first threads of the model */
    uint32_t lenders; /* places for lent threads, where workers is 0 */
    uint32_t items;   /* pushed by each producer */
    uint32_t ready;   /* items that wait in the ring at first */
    uint32_t runs;    /* items that have run at the end */
    bool batch;       /* pushed at once */
    bool meets;       /* handlers wait for each other */
    bool steals;      /* a batch is ready, and an old hint of items to steal */
    bool hides;       /* what is ready has no hint: its producer is in front of P3 */
    bool clears;      /* the hint word is 0 at the end */
    bool keeps;       /* the first item is kept at first, and the ring filled */
    bool asleep;      /* all workers are between W2 and W7 at first */
    uint32_t woken;   /* bit per worker whose bed is NOTIFIED at the end; where they do not meet */
    bool given;       /* who wakes means worker 0 */
    bool chain;       /* each item is pushed by the handler of the one before */
    bool elsewhere;   /* work is counted elsewhere, until the producer pushes it */
    bool retires;     /* worker 1 is to leave */
    bool returns;     /* and is wanted again */
    uint32_t freezes; /* thread that stops for ever; 0: none */
    uint32_t passes;  /* before the one that repeats a wake-up */
    uint32_t claim;   /* items that a worker may take at once, in a ring of twice as many slots */
};

struct state {
    struct leat_pool pool;
    leat_atomic_u64 elsewhere;
    leat_atomic_u32 ran;
    leat_atomic_u32 frozen;        /* 1: as far as it comes */
    leat_atomic_u32 never;         /* a futex that nobody wakes */
    leat_atomic_u32 woke;          /* wakes of the worker that is meant */
    uint32_t questions[ITEMS_MAX]; /* plain, like the following */
    uint32_t answers[ITEMS_MAX];
    uint32_t kept;
    uint32_t parted; /* by the worker that ends */
    uint32_t reason; /* written before a stop */
    uint32_t closed; /* written after it */
};

static struct state state_now;
static const struct scenario *scenario;

/* ---- items ---------------------------------------------------------------------------------- */

static uint32_t
item_ask(struct state *state, uint32_t index)
{
    explore_plain_write(&state->questions[index], "question");
    state->questions[index] = index + 1;
    return leat_item_of(LEAT_KIND_JOB, index);
}

static void
item_push(struct state *state, uint32_t index)
{
    EXPLORE_CHECK(leat_pool_push(&state->pool, 0, item_ask(state, index)));
}

/* A handler that waits for something and asks to be called again. */
static bool
item_keep(struct state *state, struct leat_worker *worker, uint32_t index)
{
    if (!scenario->keeps || index != 0 || state->kept != 0) {
        return false;
    }
    state->kept = 1;
    leat_worker_keep(worker, 0, leat_item_of(LEAT_KIND_JOB, index));
    item_push(state, 2);
    explore_plain_write(worker, "place of a worker");
    return true;
}

static void
item_run(void *context, struct leat_worker *worker, uint32_t item)
{
    struct state *state = context;
    uint32_t index = leat_item_index(item);
    EXPLORE_CHECK(index < ITEMS_MAX);
    explore_plain_write(worker, "place of a worker");
    if (item_keep(state, worker, index)) {
        return;
    }
    explore_plain_read(&state->closed, "closed");
    EXPLORE_CHECK(state->closed == 0);
    explore_plain_read(&state->questions[index], "question");
    EXPLORE_CHECK(state->questions[index] == index + 1);
    explore_plain_write(&state->answers[index], "answer");
    EXPLORE_CHECK(state->answers[index] == 0);
    state->answers[index] = 1;
    if (scenario->chain && index + 1 < scenario->runs) {
        item_push(state, index + 1);
    }
    (void)atom_add_rlx(&state->ran, 1);                                      /* rlx: statistic */
    while (scenario->meets && atom_load_rlx(&state->ran) < scenario->runs) { /* rlx: statistic */
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
worker_stopping(void *context, uint32_t worker)
{
    struct state *state = context;
    (void)worker;
    explore_plain_read(&state->reason, "reason");
    EXPLORE_CHECK(state->reason == 1 || scenario->freezes != 0);
    explore_plain_write(&state->parted, "parted");
    state->parted = 1;
}

static void
pool_setup(void *argument)
{
    struct state *state = argument;
    struct leat_pool_config config = {
        .workers = scenario->workers,
        .lenders_max = scenario->lenders,
        .ring_slots_log2 = scenario->claim != 0 ? 2 : 1,
        .tasks_max = 1,
        .memory = explore_memory_table(),
        .ops = {.run = item_run, .stopping = worker_stopping, .context = state},
    };
    struct leat_pool *pool = &state->pool;
    EXPLORE_CHECK(leat_pool_init(pool, &config) == LEAT_OS_OK);
    for (uint32_t i = 0; i < pool->places; i++) {
        explore_ignore(&pool->workers[i].parks);
        explore_ignore(&pool->workers[i].ended);
        atom_init(&pool->workers[i].seat, LEAT_SEAT_TAKEN);
        explore_ignore(&pool->workers[i].wakes);
        pool->workers[i].claim = scenario->claim / 2; /* it doubles, since no time passes */
    }
    explore_ignore(&pool->wakes_outside);
    for (uint32_t i = 0; i < scenario->ready; i++) {
        item_push(state, i);
    }
    if (scenario->hides) {
        atom_init(&pool->hint, 0);
    }
    if (scenario->steals) {
        const uint32_t items[3] = {item_ask(state, 0), item_ask(state, 1), item_ask(state, 2)};
        EXPLORE_CHECK(leat_pool_push_n(pool, 0, items, 3));
        atom_init(&pool->hint, LEAT_HINT_RING(0) | LEAT_HINT_LOCAL(0));
    }
    for (uint32_t i = 0; i < pool->places && scenario->asleep; i++) {
        leat_lot_enter(&pool->lot, &pool->workers[i].bed, i);
    }
    if (scenario->freezes == 0) {
        explore_ignore(&pool->lot.passes); /* no repeated wake-up in so few pushes */
    }
    atom_init(&pool->lot.passes, LEAT_WAKE_AGAIN - 1 - scenario->passes);
    atom_init(&pool->alive, scenario->workers); /* as leat_pool_start() leaves it */
    atom_init(&state->elsewhere, scenario->elsewhere ? 1 : 0);
    if (scenario->retires && scenario->freezes != 0) {
        /* As who makes it so has left it, in front of its wake-ups. */
        atom_init(&pool->workers[1].seat, LEAT_SEAT_ASKED);
        atom_init(&pool->open, 1);
    }
}

static void
hint_check(const struct state *state)
{
    uint64_t hint = atom_load_rlx(&state->pool.hint); /* rlx: not shared yet */
    EXPLORE_CHECK(!scenario->clears || hint == 0);
    uint64_t local = leat_pool_look(&state->pool, 0) & LEAT_HINT_LOCAL(0);
    EXPLORE_CHECK(!scenario->steals || (local & ~hint) == 0);
}

/* Who is in the place agrees with what the place says. */
static void
seat_check(struct state *state)
{
    struct leat_pool *pool = &state->pool;
    uint32_t seat = atom_load_rlx(&pool->workers[1].seat); /* rlx: not shared yet */
    uint32_t open = atom_load_rlx(&pool->open);            /* rlx: not shared yet */
    uint64_t idle = atom_load_rlx(&pool->lot.idle[0]);     /* rlx: not shared yet */
    bool left = state->parted == 1;
    EXPLORE_CHECK(left == (seat != LEAT_SEAT_TAKEN));
    EXPLORE_CHECK(left || scenario->returns);
    EXPLORE_CHECK(open == (left ? 1 : 2));
    EXPLORE_CHECK(!left || (idle & 2) == 0);
}

static void
pool_check(void *argument)
{
    struct state *state = argument;
    uint32_t ran = 0;
    EXPLORE_CHECK(leat_mpmc_check(&state->pool.rings[0], stdout));
    for (uint32_t i = 0; i < ITEMS_MAX; i++) {
        ran += state->answers[i];
    }
    EXPLORE_CHECK(ran >= scenario->runs);
    EXPLORE_CHECK(!scenario->given || atom_load_rlx(&state->woke) == 1); /* rlx: not shared yet */
    hint_check(state);
    for (uint32_t i = 0; i < state->pool.places; i++) {
        const struct leat_worker *worker = &state->pool.workers[i];
        /* rlx: not shared yet */
        EXPLORE_CHECK(worker->held == 0 || atom_load_rlx(&worker->busy) == 1);
    }
    if (scenario->retires && scenario->freezes == 0) {
        seat_check(state);
    }
    bool beds = scenario->asleep && !scenario->meets && !scenario->retires;
    for (uint32_t i = 0; i < state->pool.places && beds; i++) {
        bool notified = leat_parker_notified(&state->pool.workers[i].bed);
        EXPLORE_CHECK(notified == ((scenario->woken >> i & 1) != 0));
    }
}

/* ---- threads -------------------------------------------------------------------------------- */

static void
push_thread(void *argument)
{
    struct state *state = argument;
    uint32_t first = (explore_thread() - scenario->workers) * scenario->items;
    uint32_t items[ITEMS_MAX] = {0};
    for (uint32_t i = 0; i < scenario->items; i++) {
        if (scenario->batch) {
            items[i] = item_ask(state, first + i);
        } else {
            item_push(state, first + i);
        }
    }
    if (scenario->batch) {
        EXPLORE_CHECK(leat_pool_push_n(&state->pool, 0, items, scenario->items));
    }
}

/* Behind the one that is ready. */
static void
push_second_thread(void *argument)
{
    item_push(argument, 1);
}

/* Behind the two that are ready. */
static void
push_third_thread(void *argument)
{
    item_push(argument, 2);
}

static void
wake_thread(void *argument)
{
    struct state *state = argument;
    EXPLORE_CHECK(leat_pool_wake_one(&state->pool));
}

static void
wake_given_thread(void *argument)
{
    struct state *state = argument;
    struct leat_pool *pool = &state->pool;
    if (leat_lot_wake_this(&pool->lot, &pool->workers[0].bed, 0)) {
        (void)atom_add_rlx(&state->woke, 1); /* rlx: statistic */
    }
}

/* What was counted elsewhere is pushed, then counted no more. */
static void
push_elsewhere_thread(void *argument)
{
    struct state *state = argument;
    item_push(state, 0);
    (void)atom_sub_acq_rel(&state->elsewhere, 1);
    leat_pool_quiet_news(&state->pool);
}

static void
quiet_thread(void *argument)
{
    struct state *state = argument;
    if (!scenario->elsewhere) {
        push_thread(state);
    }
    leat_pool_watch(&state->pool);
    for (;;) {
        uint32_t event = leat_pool_watch_event(&state->pool);
        if (leat_pool_quiet(&state->pool, &state->elsewhere)) {
            break;
        }
        leat_pool_watch_wait(&state->pool, event, UINT64_MAX);
    }
    leat_pool_unwatch(&state->pool);
    answers_read(state);
}

static void
quiet_look_thread(void *argument)
{
    struct state *state = argument;
    if (leat_pool_quiet(&state->pool, &state->elsewhere)) {
        answers_read(state);
    }
}

static void
stop_thread(void *argument)
{
    struct state *state = argument;
    explore_plain_write(&state->reason, "reason");
    state->reason = 1;
    leat_pool_halt(&state->pool);
    EXPLORE_CHECK(leat_pool_wait_empty(&state->pool, UINT64_MAX));
    explore_plain_read(&state->parted, "parted");
    EXPLORE_CHECK(state->parted == scenario->workers);
    answers_read(state);
    explore_plain_write(&state->closed, "closed");
    state->closed = 1;
}

static void
push_and_stop_thread(void *argument)
{
    struct state *state = argument;
    push_thread(state);
    while (atom_load_rlx(&state->ran) != scenario->runs) { /* rlx: statistic */
        leat_pause();
    }
    stop_thread(state);
}

/* One worker less, and with `returns` one more again, as leat_workers_set() does it. */
static void
retire_thread(void *argument)
{
    struct state *state = argument;
    bool again = false;
    explore_plain_write(&state->reason, "reason");
    state->reason = 1;
    EXPLORE_CHECK(leat_pool_resize(&state->pool, 1, &again) == LEAT_OS_OK);
    EXPLORE_CHECK(!again);
    /* It may see the old event for as long as it likes, and come again for nothing: here once. */
    for (uint32_t i = 0; scenario->returns && i < 2 && (i == 0 || again); i++) {
        uint32_t event = leat_pool_left_event(&state->pool);
        enum leat_os_result result = leat_pool_resize(&state->pool, 2, &again);
        /* A model has no thread for a place that is free. */
        uint32_t active = atom_load_rlx(&state->pool.active); /* rlx: single writer */
        EXPLORE_CHECK(active == (result == LEAT_OS_OK && !again ? 2 : 1));
        if (again) {
            leat_pool_left_wait(&state->pool, event);
        }
    }
}

static void
push_and_retire_thread(void *argument)
{
    push_thread(argument);
    retire_thread(argument);
}

static void
retire_and_push_thread(void *argument)
{
    retire_thread(argument);
    push_thread(argument);
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

/* P1 to P3, or P1 alone, as in leat_pool_push(); or all of it, where it may be frozen in P5. */
static void
freeze_thread(void *argument)
{
    struct state *state = argument;
    struct leat_pool *pool = &state->pool;
    uint32_t item = item_ask(state, 0);
    uint32_t steps = explore_choose(3);
    if (steps == 2) {
        EXPLORE_CHECK(leat_pool_push(pool, 0, item));
        freeze(state);
    }
    EXPLORE_CHECK(leat_mpmc_push(&pool->rings[0], item));
    if (steps == 1) {
        atom_fence_sc(&pool->anchor);
        (void)atom_or_rlx(&pool->hint, 1); /* rlx: ordered by the fence */
    }
    freeze(state);
}

static void
frozen_await(struct state *state)
{
    while (atom_load_rlx(&state->frozen) == 0) { /* rlx: statistic */
        explore_pause();
    }
}

static void
push_behind_thread(void *argument)
{
    struct state *state = argument;
    frozen_await(state);
    item_push(state, 1);
    /* As further pushes do; the ring has no room for their items. */
    for (uint32_t i = 0; i < scenario->passes; i++) {
        (void)leat_pool_wake_one(&state->pool);
    }
}

static void
stop_behind_thread(void *argument)
{
    struct state *state = argument;
    frozen_await(state);
    explore_plain_write(&state->reason, "reason");
    state->reason = 1;
    leat_pool_halt(&state->pool);
    EXPLORE_CHECK(leat_pool_wait_empty(&state->pool, UINT64_MAX));
}

/* ---- workers -------------------------------------------------------------------------------- */

static void
worker_thread(void *argument)
{
    struct state *state = argument;
    /* The workers are the first threads. */
    (void)leat_worker_run(&state->pool.workers[explore_thread()]);
}

/* As often as it takes to run all: each time one item, so work waits while nobody is inside. */
static void
lend_often_thread(void *argument)
{
    struct state *state = argument;
    for (size_t all = 0; all < scenario->runs;) {
        size_t ran = 0;
        EXPLORE_CHECK(leat_pool_lend(&state->pool, 1, &ran));
        all += ran;
    }
}

/* W6: it has found something in its second look. */
static void
worker_leaving_thread(void *argument)
{
    struct state *state = argument;
    leat_lot_leave(&state->pool.lot, explore_thread());
    worker_thread(argument);
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

static void
lend_thread(void *argument)
{
    struct state *state = argument;
    size_t ran = 0;
    (void)leat_pool_lend(&state->pool, 1, &ran);
}

/* ---- all ------------------------------------------------------------------------------------ */

struct model {
    struct scenario scenario;
    struct explore_model explore;
};

/* Freezes behind one worker, and in front of who makes it good. */
#define FREEZES 1

/* The same behind two workers. */
#define FREEZES_2 2

#define WORKER_SERVES   1
#define WORKERS_SERVE_2 3

/* In the order of what they cost: whoever looks for a fault finds it sooner. */
static const struct model models[] = {
    {.scenario = {.workers = 2, .asleep = true, .woken = 3},
     .explore = {.name = "park_two_wakers", .threads = {wake_thread, wake_thread}}},
    {.scenario = {.workers = 1, .asleep = true, .woken = 1, .given = true},
     .explore = {.name = "park_two_wakers_of_one",
                 .threads = {wake_given_thread, wake_given_thread}}},
    {.scenario = {.workers = 1, .items = 1, .runs = 1, .clears = true},
     .explore = {.name = "park_wake_clears",
                 .threads = {worker_thread, push_thread},
                 .servants = WORKER_SERVES,
                 .sequential = true}},
    {.scenario = {.workers = 1, .items = 1, .runs = 1},
     .explore = {.name = "park_wake_1p1w",
                 .threads = {worker_thread, push_thread},
                 .servants = WORKER_SERVES}},
    {.scenario = {.workers = 1, .items = 1, .runs = 1},
     .explore = {.name = "park_wake_late",
                 .threads = {worker_thread, push_thread},
                 .servants = WORKER_SERVES,
                 .spurious = 1}},
    {.scenario = {.workers = 1, .items = 2, .runs = 2, .batch = true},
     .explore = {.name = "park_wake_batch",
                 .threads = {worker_thread, push_thread},
                 .servants = WORKER_SERVES}},
    {.scenario = {.workers = 1, .ready = 2, .keeps = true},
     .explore = {.name = "park_stop_keep", .threads = {worker_thread, stop_thread}}},
    {.scenario = {.workers = 1},
     .explore = {.name = "park_stop_at_once", .threads = {worker_thread, stop_thread}}},
    {.scenario = {.workers = 2, .ready = 1, .runs = 2, .meets = true, .asleep = true},
     .explore = {.name = "park_wake_meet",
                 .threads = {worker_leaving_thread, worker_asleep_thread, push_second_thread},
                 .servants = WORKERS_SERVE_2,
                 .bounded = true,
                 .preemptions = 1}},
    {.scenario = {.workers = 2, .items = 2, .runs = 2, .meets = true},
     .explore = {.name = "park_wake_meet_2",
                 .threads = {worker_thread, worker_thread, push_thread},
                 .servants = WORKERS_SERVE_2,
                 .bounded = true,
                 .preemptions = 1}},
    {.scenario = {.workers = 2, .items = 2, .runs = 2, .batch = true, .meets = true},
     .explore = {.name = "park_wake_meet_batch",
                 .threads = {worker_thread, worker_thread, push_thread},
                 .servants = WORKERS_SERVE_2,
                 .bounded = true,
                 .preemptions = 1}},
    {.scenario = {.workers = 2, .ready = 1, .runs = 2, .meets = true},
     .explore = {.name = "park_wake_meet_ready",
                 .threads = {worker_thread, worker_thread, push_second_thread},
                 .servants = WORKERS_SERVE_2,
                 .bounded = true,
                 .preemptions = 2}},
    {.scenario = {.workers = 1, .ready = 2, .items = 1, .runs = 3, .claim = 4},
     .explore = {.name = "park_claim_1w",
                 .threads = {worker_thread, push_third_thread},
                 .servants = WORKER_SERVES}},
    {.scenario = {.workers = 2, .ready = 3, .runs = 2, .meets = true, .claim = 4},
     .explore = {.name = "park_claim_meet",
                 .threads = {worker_thread, worker_thread},
                 .servants = WORKERS_SERVE_2,
                 .bounded = true,
                 .preemptions = 2}},
    {.scenario = {.workers = 2, .ready = 1, .runs = 1, .asleep = true},
     .explore = {.name = "park_wake_none", .threads = {worker_leaving_thread}, .servants = 1}},
    {.scenario = {.workers = 2, .ready = 2, .runs = 2, .asleep = true, .woken = 2},
     .explore = {.name = "park_wake_next", .threads = {worker_leaving_thread}, .servants = 1}},
    {.scenario = {.workers = 2, .items = 1, .runs = 1, .asleep = true, .retires = true},
     .explore = {.name = "park_retire",
                 .threads = {worker_asleep_thread, worker_asleep_thread, push_and_retire_thread},
                 .servants = WORKER_SERVES,
                 .bounded = true,
                 .preemptions = 1}},
    {.scenario = {.workers = 2, .items = 1, .runs = 1, .retires = true},
     .explore = {.name = "park_retire_first",
                 .threads = {worker_thread, worker_thread, retire_and_push_thread},
                 .servants = WORKER_SERVES,
                 .bounded = true,
                 .preemptions = 1}},
    {.scenario = {.workers = 2, .asleep = true, .retires = true, .returns = true},
     .explore = {.name = "park_retire_back",
                 .threads = {worker_asleep_thread, worker_asleep_thread, retire_thread},
                 .servants = WORKERS_SERVE_2,
                 .bounded = true,
                 .preemptions = 2}},
    {.scenario = {.workers = 2, .ready = 2, .runs = 3, .keeps = true, .retires = true},
     .explore = {.name = "park_retire_keep",
                 .threads = {worker_thread, worker_thread, retire_thread},
                 .servants = WORKER_SERVES,
                 .bounded = true,
                 .preemptions = 1}},
    {.scenario = {.workers = 2, .items = 2, .runs = 2, .batch = true, .retires = true},
     .explore = {.name = "park_retire_batch",
                 .threads = {worker_thread, worker_thread, push_and_retire_thread},
                 .servants = WORKER_SERVES,
                 .bounded = true,
                 .preemptions = 1}},
    {.scenario = {.workers = 2, .runs = 2, .asleep = true, .retires = true, .freezes = FREEZES_2},
     .explore = {.name = "park_retire_freeze",
                 .threads = {worker_asleep_thread, worker_asleep_thread, freeze_thread,
                             push_behind_thread},
                 .servants = WORKERS_SERVE_2 | 1 << FREEZES_2,
                 .bounded = true,
                 .preemptions = 1}},
    {.scenario = {.lenders = 1, .ready = 1, .runs = 2, .chain = true},
     .explore = {.name = "park_quiet_lend", .threads = {lend_often_thread, quiet_look_thread}}},
    {.scenario = {.lenders = 2, .steals = true},
     .explore = {.name = "park_lend_steal", .threads = {lend_thread, lend_thread}}},
    {.scenario = {.lenders = 2, .ready = 1, .runs = 1, .hides = true},
     .explore = {.name = "park_lend_hide", .threads = {lend_thread, lend_thread}}},
    {.scenario = {.lenders = 1, .ready = 2, .keeps = true},
     .explore = {.name = "park_lend_keep", .threads = {lend_thread, lend_thread}}},
    {.scenario = {.lenders = 1, .ready = 1},
     .explore = {.name = "park_lend_stop", .threads = {lend_thread, stop_thread}}},
    {.scenario = {.workers = 1, .items = 2, .runs = 2},
     .explore = {.name = "park_wake_1p1w_2",
                 .threads = {worker_thread, push_thread},
                 .servants = WORKER_SERVES}},
    {.scenario = {.workers = 2, .items = 1, .runs = 1},
     .explore = {.name = "park_wake_1p2w_c11",
                 .threads = {worker_thread, worker_thread, push_thread},
                 .servants = WORKERS_SERVE_2,
                 .bounded = true,
                 .preemptions = 1}},
    {.scenario = {.workers = 1, .runs = 2, .freezes = FREEZES, .passes = 1},
     .explore = {.name = "park_freeze_2",
                 .threads = {worker_thread, freeze_thread, push_behind_thread},
                 .servants = WORKER_SERVES | 1 << FREEZES,
                 .bounded = true,
                 .preemptions = 1}},
    {.scenario = {.workers = 1, .items = 1, .runs = 1},
     .explore = {.name = "park_stop", .threads = {worker_thread, push_and_stop_thread}}},
    {.scenario = {.workers = 1, .items = 1, .runs = 1},
     .explore = {.name = "park_quiet",
                 .threads = {worker_thread, quiet_thread},
                 .servants = WORKER_SERVES}},
    {.scenario = {.workers = 1, .items = 1, .runs = 1, .elsewhere = true},
     .explore = {.name = "park_quiet_elsewhere",
                 .threads = {worker_thread, quiet_thread, push_elsewhere_thread},
                 .servants = WORKER_SERVES,
                 .bounded = true,
                 .preemptions = 1}},
    {.scenario = {.workers = 2, .items = 2, .runs = 2},
     .explore = {.name = "park_wake_1p2w_2",
                 .threads = {worker_thread, worker_thread, push_thread},
                 .servants = WORKERS_SERVE_2,
                 .bounded = true,
                 .preemptions = 1}},
    {.scenario = {.workers = 1, .freezes = FREEZES},
     .explore = {.name = "park_freeze_stop",
                 .threads = {worker_thread, freeze_thread, stop_behind_thread},
                 .servants = 1 << FREEZES,
                 .bounded = true,
                 .preemptions = 2}},
    {.scenario = {.workers = 1, .runs = 2, .freezes = FREEZES},
     .explore = {.name = "park_freeze_c11",
                 .threads = {worker_thread, freeze_thread, push_behind_thread},
                 .servants = WORKER_SERVES | 1 << FREEZES,
                 .bounded = true,
                 .preemptions = 2}},
    {.scenario = {.lenders = 1, .ready = 2},
     .explore = {.name = "park_lend_place", .threads = {lend_thread, lend_thread, stop_thread}}},
    {.scenario = {.workers = 1, .items = 1, .runs = 2},
     .explore = {.name = "park_wake_2p1w_c11",
                 .threads = {worker_thread, push_thread, push_thread},
                 .servants = WORKER_SERVES,
                 .bounded = true,
                 .preemptions = 2}},
    {.scenario = {.workers = 1, .items = 1, .runs = 2, .chain = true},
     .explore = {.name = "park_quiet_chain",
                 .threads = {worker_thread, quiet_thread},
                 .servants = WORKER_SERVES}},
    {.scenario = {.workers = 2, .items = 3, .runs = 3, .batch = true},
     .explore = {.name = "park_wake_batch_2w",
                 .threads = {worker_thread, worker_thread, push_thread},
                 .servants = WORKERS_SERVE_2,
                 .bounded = true,
                 .preemptions = 1}},
    {.scenario = {.workers = 1, .items = 3, .runs = 3, .batch = true},
     .explore = {.name = "park_quiet_batch",
                 .threads = {worker_thread, quiet_thread},
                 .servants = WORKER_SERVES}},
    {.scenario = {.workers = 1, .items = 1, .runs = 2},
     .explore = {.name = "park_wake_2p1w",
                 .threads = {worker_thread, push_thread, push_thread},
                 .servants = WORKER_SERVES,
                 .sequential = true}},
    {.scenario = {.workers = 2, .items = 1, .runs = 1},
     .explore = {.name = "park_wake_1p2w",
                 .threads = {worker_thread, worker_thread, push_thread},
                 .servants = WORKERS_SERVE_2,
                 .sequential = true,
                 .deep = true}},
    {.scenario = {.workers = 2, .items = 1, .runs = 2, .meets = true},
     .explore = {.name = "park_wake_meet_2p",
                 .threads = {worker_thread, worker_thread, push_thread, push_thread},
                 .servants = WORKERS_SERVE_2,
                 .bounded = true,
                 .preemptions = 1,
                 .deep = true}},
    {.scenario = {.workers = 2, .items = 2, .runs = 2, .batch = true},
     .explore = {.name = "park_quiet_batch_2w",
                 .threads = {worker_thread, worker_thread, quiet_thread},
                 .servants = WORKERS_SERVE_2,
                 .bounded = true,
                 .preemptions = 1,
                 .deep = true}},
    {.scenario = {.workers = 2, .items = 1, .runs = 2, .chain = true},
     .explore = {.name = "park_quiet_chain_2w",
                 .threads = {worker_thread, worker_thread, quiet_thread},
                 .servants = WORKERS_SERVE_2,
                 .bounded = true,
                 .preemptions = 1,
                 .deep = true}},
    {.scenario = {.workers = 1, .runs = 2, .freezes = FREEZES},
     .explore = {.name = "park_freeze",
                 .threads = {worker_thread, freeze_thread, push_behind_thread},
                 .servants = WORKER_SERVES | 1 << FREEZES,
                 .sequential = true,
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
        model.setup = pool_setup;
        model.check = pool_check;
        model.local = (void **)(void *)&current_worker;
        wrong += explore(&model, &counts) ? 0 : 1;
    }
    return wrong == 0 ? 0 : 1;
}
