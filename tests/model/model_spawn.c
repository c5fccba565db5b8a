/* model_spawn.c - the real sched/spawn.c, sched/worker.c, sched/park.c and the deque: every
 * interleaving of a worker that spawns and waits with workers that look, steal, sleep and wake, and
 * with threads that are none, with C11 memory. A deque has two slots.
 *
 * join   A task spawns and waits; another worker steals, or does not. Each task runs once, and what
 *        it wrote is there behind the wait, though it is plain data. The wait always comes to an
 *        end: nobody misses it, and who ends the last task wakes a waiter that sleeps. Behind
 *        the wait the group's memory is used for a new group: whoever still counted in the old one
 *        would be found in the new one. In full, the deque has no room, and tasks run inside the
 *        spawn.
 * meet   A task spawns another one and stands still until that has begun: the other worker comes,
 *        however far it was on its way to sleep. In meet_two, it spawns two, which wait for each
 *        other, and waits: both workers come, the one through its wait.
 * help   A stolen task spawns one and stands still until that has begun: the worker that waits for
 *        the stolen one takes it, also out of its sleep.
 * aside  Two workers spawn at once, and two sleep in waits: both are woken.
 * low    A worker that waits in a task does not take what is not deeper, and its wait ends.
 * out    A thread that is no worker spawns, waits and is woken; its group goes, too.
 * refuse The same, while another thread's spawn into the group is refused by a full ring: whoever
 *        counts last, the waiter is woken.
 * revoke What was spawned outside is taken back, or runs, and never both.
 * quiet  leat_pool_quiet() answers only when all that was spawned has ended, also what its task did
 *        not wait for, and was stolen; and never if a stolen task puts an item into a ring in which
 *        it stays.
 */
#include <stdio.h>

#include "sched/pool.h"
#include "sched/spawn.h"
#include "tests/support/explore.h"

/* Not its header: each thread of the model has a `current_worker` of its own. */
#include "sched/worker.c" /* NOLINT(bugprone-suspicious-include) */

#define TASKS_MAX 6

struct scenario {
    uint32_t workers;
    uint32_t spawns;
    uint32_t runs;  /* tasks that have run at the end; the most, if one may be revoked */
    bool asleep;    /* the second worker sleeps at first */
    bool again;     /* a second group in the memory of the first */
    bool meets;     /* the task goes on when its first one has begun */
    bool pairs;     /* the first two go on when both have begun */
    bool nests;     /* the first one spawns another, and goes on when that has begun */
    bool leaves;    /* does not wait */
    bool brings;    /* the first worker has a task that puts an item into the ring */
    bool full;      /* the ring is, and the group has a task that was taken from it */
    uint64_t depth; /* of the task that spawns */
    uint32_t aside; /* workers behind the first two that sleep in waits */
};

struct task {
    struct state *state;
    uint32_t number;
};

struct state {
    struct leat_pool pool;
    struct leat_join join;
    struct task tasks[TASKS_MAX];
    leat_atomic_u32 begun[TASKS_MAX];
    leat_atomic_u32 bell;
    leat_atomic_u64 elsewhere;
    uint32_t answers[TASKS_MAX]; /* plain, like the following */
    uint32_t questions[TASKS_MAX];
    uint32_t revoked;
    uint32_t waited;
};

static struct state state_now;
static const struct scenario *scenario;

/* ---- tasks ---------------------------------------------------------------------------------- */

static void task_run(void *argument);

static void
task_spawn(struct state *state, uint32_t number)
{
    struct task *task = &state->tasks[number];
    explore_plain_write(&state->questions[number], "question");
    state->questions[number] = number + 1;
    task->state = state;
    task->number = number;
    leat_spawn(current_worker, &state->join, (uintptr_t)task_run, (uintptr_t)task);
}

static void
begun_await(struct state *state, uint32_t number)
{
    while (atom_load_rlx(&state->begun[number]) == 0) { /* rlx: statistic */
        explore_pause();
    }
}

static void
task_run(void *argument)
{
    const struct task *task = argument;
    struct state *state = task->state;
    uint32_t number = task->number;
    explore_plain_read(&state->questions[number], "question");
    EXPLORE_CHECK(state->questions[number] == number + 1);
    (void)atom_add_rlx(&state->begun[number], 1); /* rlx: statistic */
    if (scenario->pairs && number < 2) {
        begun_await(state, 1 - number);
    }
    if (scenario->nests && number == 0) {
        task_spawn(state, TASKS_MAX - 1);
        begun_await(state, TASKS_MAX - 1);
    }
    explore_plain_write(&state->answers[number], "answer");
    EXPLORE_CHECK(state->answers[number] == 0);
    state->answers[number] = 1;
}

static void
task_bring(void *argument)
{
    struct state *state = argument;
    EXPLORE_CHECK(leat_pool_push(&state->pool, 0, leat_item_of(LEAT_KIND_JOB, 0)));
}

static void
answers_read(struct state *state, uint32_t first, uint32_t end)
{
    for (uint32_t i = first; i < end; i++) {
        explore_plain_read(&state->answers[i], "answer");
        EXPLORE_CHECK(state->answers[i] == 1);
    }
}

/* One round of spawns and a wait. */
static void
fork_and_join(struct state *state, uint32_t first)
{
    struct leat_worker *worker = current_worker;
    leat_join_init(&state->join, &state->pool, worker, NULL);
    for (uint32_t i = 0; i < scenario->spawns; i++) {
        task_spawn(state, first + i);
    }
    if (scenario->meets) {
        begun_await(state, first);
    }
    if (scenario->leaves) {
        return;
    }
    EXPLORE_CHECK(leat_join_wait(&state->join, UINT64_MAX));
    EXPLORE_CHECK(leat_join_ended(&state->join));
    answers_read(state, first, first + scenario->spawns);
    if (scenario->nests) {
        answers_read(state, TASKS_MAX - 1, TASKS_MAX);
    }
    state->waited++;
}

/* ---- the pool ------------------------------------------------------------------------------- */

/* An item that came through the ring: the task that spawns. */
static void
item_run(void *context, struct leat_worker *worker, uint32_t item)
{
    (void)item;
    EXPLORE_CHECK(current_worker == worker);
    fork_and_join(context, 0);
}

static void
join_ended(void *context, const struct leat_join *join)
{
    struct state *state = context;
    EXPLORE_CHECK(join == &state->join);
    (void)atom_add_rel(&state->bell, 1);
    leat_os_futex_wake(&state->bell, UINT32_MAX);
}

static void
pool_setup(void *argument)
{
    struct state *state = argument;
    struct leat_pool_config config = {
        .workers = scenario->workers,
        .ring_slots_log2 = 1,
        .tasks_max = 1,
        .memory = explore_memory_table(),
        .ops = {.run = item_run, .ended = join_ended, .context = state},
    };
    struct leat_pool *pool = &state->pool;
    EXPLORE_CHECK(leat_pool_init(pool, &config) == LEAT_OS_OK);
    for (uint32_t i = 0; i < pool->places; i++) {
        explore_ignore(&pool->workers[i].parks);
        explore_ignore(&pool->workers[i].wakes);
    }
    explore_ignore(&pool->wakes_outside);
    explore_ignore(&pool->lot.passes);
    atom_init(&pool->alive, scenario->workers);
    leat_join_init(&state->join, pool, NULL, NULL);
    if (scenario->full) {
        (void)atom_add_rlx(&state->join.others, 2); /* rlx: not shared yet */
        while (leat_pool_push(pool, LEAT_SPAWNED_LEVEL, leat_item_of(LEAT_KIND_JOB, 0))) {
        }
    }
    if (scenario->brings) {
        leat_spawn(&pool->workers[0], &state->join, (uintptr_t)task_bring, (uintptr_t)state);
    }
    for (uint32_t i = 2; i < 2 + scenario->aside; i++) {
        leat_lot_enter(&pool->helpers, &pool->workers[i].bed, i);
    }
    if (scenario->asleep) {
        leat_lot_enter(&pool->lot, &pool->workers[1].bed, 1);
    }
}

static void
pool_check(void *argument)
{
    struct state *state = argument;
    uint32_t ran = 0;
    for (uint32_t i = 0; i < TASKS_MAX; i++) {
        ran += state->answers[i];
    }
    EXPLORE_CHECK(ran + state->revoked == scenario->runs);
    EXPLORE_CHECK(atom_load_rlx(&state->join.others) + 2 * state->join.own == 0);
    for (uint32_t i = 0; i < state->pool.places; i++) {
        EXPLORE_CHECK(leat_deque_check(&state->pool.workers[i].deque, stdout));
        EXPLORE_CHECK(!leat_deque_ready(&state->pool.workers[i].deque));
    }
    EXPLORE_CHECK(leat_lot_count(&state->pool.helpers) == scenario->aside);
    for (uint32_t i = 2; i < 2 + scenario->aside; i++) {
        EXPLORE_CHECK(leat_parker_notified(&state->pool.workers[i].bed));
    }
}

/* ---- threads -------------------------------------------------------------------------------- */

/* The first worker, in the middle of an item. */
static void
spawner_thread(void *argument)
{
    struct state *state = argument;
    current_worker = &state->pool.workers[0];
    busy_begin(current_worker);
    current_worker->depth = scenario->depth;
    fork_and_join(state, 0);
    if (scenario->again) {
        fork_and_join(state, scenario->spawns);
    }
    current_worker->depth = 0;
    leat_spawn_empty(current_worker);
    busy_end(current_worker);
}

/* One of the first two, with a task of its own. */
static void
spawner_aside_thread(void *argument)
{
    current_worker = &((struct state *)argument)->pool.workers[explore_thread()];
    task_spawn(argument, explore_thread());
    leat_spawn_empty(current_worker);
}

/* As spawner_thread(), and asks whether all is quiet: it knows what it spawned. */
static void
spawner_quiet_thread(void *argument)
{
    struct state *state = argument;
    spawner_thread(argument);
    if (leat_pool_quiet(&state->pool, &state->elsewhere)) {
        answers_read(state, 0, scenario->runs);
    }
}

static void
worker_thread(void *argument)
{
    struct state *state = argument;
    (void)leat_worker_run(&state->pool.workers[1]);
}

/* W7. */
static void
worker_asleep_thread(void *argument)
{
    struct state *state = argument;
    leat_lot_sleep(&state->pool.lot, &state->pool.workers[1].bed, 1);
    worker_thread(argument);
}

/* The second worker, in a wait of its own for a task that the first one has, as deep as what that
 * one spawns. */
static void
waiter_thread(void *argument)
{
    struct state *state = argument;
    struct leat_join join;
    current_worker = &state->pool.workers[1];
    current_worker->depth = 1;
    leat_join_init(&join, &state->pool, current_worker, NULL);
    (void)leat_join_wait(&join, UINT64_MAX);
    EXPLORE_CHECK(!leat_deque_ready(&current_worker->deque));
    struct leat_deque_entry entry;
    for (uint32_t i = 0; i < 2; i++) {
        EXPLORE_CHECK(leat_deque_steal(&state->pool.workers[0].deque, 2, &entry) != LEAT_DEQUE_GOT);
    }
}

static bool
outside_spawn(struct state *state, uint32_t *index)
{
    explore_plain_write(&state->questions[0], "question");
    state->questions[0] = 1;
    state->tasks[0].state = state;
    return leat_spawn_outside(&state->join, (uintptr_t)task_run, (uintptr_t)&state->tasks[0],
                              index);
}

/* As in engine/group.c. */
static void
outside_wait(struct state *state)
{
    bool ended = leat_join_mark(&state->join);
    while (!ended) {
        uint32_t count = atom_load_acq(&state->bell);
        ended = leat_join_ended(&state->join);
        if (!ended) {
            leat_os_futex_wait(&state->bell, count, UINT64_MAX);
        }
    }
    leat_join_unmark(&state->join);
    answers_read(state, 0, 1);
}

static void
outside_thread(void *argument)
{
    struct state *state = argument;
    uint32_t index = 0;
    EXPLORE_CHECK(outside_spawn(state, &index));
    outside_wait(state);
    leat_join_init(&state->join, &state->pool, NULL, NULL);
}

static void
waiting_thread(void *argument)
{
    outside_wait(argument);
}

/* A worker that has the group's task. */
static void
ending_thread(void *argument)
{
    struct state *state = argument;
    struct task *task = &state->tasks[0];
    current_worker = &state->pool.workers[0];
    explore_plain_write(&state->questions[0], "question");
    state->questions[0] = 1;
    task->state = state;
    leat_spawn_run(current_worker, &(struct leat_deque_entry){{(uintptr_t)task_run, (uintptr_t)task,
                                                               (uintptr_t)&state->join, 0}});
}

static void
refused_thread(void *argument)
{
    struct state *state = argument;
    uint32_t index = 0;
    EXPLORE_CHECK(!leat_spawn_outside(&state->join, 0, 0, &index));
}

static void
revoke_thread(void *argument)
{
    struct state *state = argument;
    uint32_t index = 0;
    EXPLORE_CHECK(outside_spawn(state, &index));
    if (leat_spawn_revoke(&state->join, index)) {
        state->revoked = 1;
        EXPLORE_CHECK(leat_join_ended(&state->join));
    }
}

static void
quiet_thread(void *argument)
{
    struct state *state = argument;
    EXPLORE_CHECK(leat_pool_push(&state->pool, 0, leat_item_of(LEAT_KIND_JOB, 0)));
    leat_pool_watch(&state->pool);
    for (;;) {
        uint32_t event = leat_pool_watch_event(&state->pool);
        if (leat_pool_quiet(&state->pool, &state->elsewhere)) {
            break;
        }
        leat_pool_watch_wait(&state->pool, event, UINT64_MAX);
    }
    leat_pool_unwatch(&state->pool);
    answers_read(state, 0, scenario->runs);
}

/* Until it has run the one that it steals. */
static void
thief_thread(void *argument)
{
    struct state *state = argument;
    struct leat_deque_entry entry;
    current_worker = &state->pool.workers[1];
    busy_begin(current_worker);
    EXPLORE_CHECK(leat_spawn_take(current_worker, &entry));
    leat_spawn_run(current_worker, &entry);
    busy_end(current_worker);
}

static void
never_quiet_thread(void *argument)
{
    struct state *state = argument;
    EXPLORE_CHECK(!leat_pool_quiet(&state->pool, &state->elsewhere));
}

static void
first_worker_thread(void *argument)
{
    struct state *state = argument;
    (void)leat_worker_run(&state->pool.workers[0]);
}

/* ---- all ------------------------------------------------------------------------------------ */

struct model {
    struct scenario scenario;
    struct explore_model explore;
};

#define SECOND_SERVES 2

static const struct model models[] = {
    {.scenario = {.workers = 1, .spawns = 3, .runs = 3},
     .explore = {.name = "spawn_join_alone", .threads = {spawner_thread}}},
    {.scenario = {.workers = 2, .spawns = 1, .runs = 1},
     .explore = {.name = "spawn_join",
                 .threads = {spawner_thread, worker_thread},
                 .servants = SECOND_SERVES}},
    {.scenario = {.workers = 2, .spawns = 1, .runs = 1, .asleep = true},
     .explore = {.name = "spawn_join_asleep",
                 .threads = {spawner_thread, worker_asleep_thread},
                 .servants = SECOND_SERVES}},
    {.scenario = {.workers = 2, .spawns = 1, .runs = 1, .meets = true},
     .explore = {.name = "spawn_meet",
                 .threads = {spawner_thread, worker_thread},
                 .servants = SECOND_SERVES}},
    {.scenario = {.workers = 2, .spawns = 1, .runs = 1, .meets = true, .asleep = true},
     .explore = {.name = "spawn_meet_asleep",
                 .threads = {spawner_thread, worker_asleep_thread},
                 .servants = SECOND_SERVES}},
    {.scenario = {.workers = 2, .spawns = 1, .runs = 2, .again = true},
     .explore = {.name = "spawn_join_again",
                 .threads = {spawner_thread, worker_thread},
                 .servants = SECOND_SERVES,
                 .bounded = true,
                 .preemptions = 2}},
    {.scenario = {.workers = 2, .spawns = 2, .runs = 2},
     .explore = {.name = "spawn_join_two",
                 .threads = {spawner_thread, worker_thread},
                 .servants = SECOND_SERVES,
                 .bounded = true,
                 .preemptions = 2}},
    {.scenario = {.workers = 2, .spawns = 2, .runs = 2, .pairs = true},
     .explore = {.name = "spawn_meet_two",
                 .threads = {spawner_thread, worker_thread},
                 .servants = SECOND_SERVES,
                 .bounded = true,
                 .preemptions = 2}},
    {.scenario = {.workers = 2, .spawns = 3, .runs = 3},
     .explore = {.name = "spawn_join_full",
                 .threads = {spawner_thread, worker_thread},
                 .servants = SECOND_SERVES,
                 .bounded = true,
                 .preemptions = 2}},
    {.scenario = {.workers = 2, .spawns = 1, .runs = 2, .nests = true, .meets = true},
     .explore = {.name = "spawn_help",
                 .threads = {spawner_thread, worker_thread},
                 .servants = SECOND_SERVES,
                 .bounded = true,
                 .preemptions = 2}},
    {.scenario = {.workers = 4, .runs = 2, .aside = 2},
     .explore = {.name = "spawn_aside", .threads = {spawner_aside_thread, spawner_aside_thread}}},
    {.scenario = {.workers = 2, .spawns = 1, .runs = 1},
     .explore = {.name = "spawn_low", .threads = {spawner_thread, waiter_thread}}},
    {.scenario = {.workers = 2, .runs = 1},
     .explore = {.name = "spawn_out",
                 .threads = {outside_thread, worker_thread},
                 .servants = SECOND_SERVES}},
    {.scenario = {.workers = 1, .runs = 1, .full = true},
     .explore = {.name = "spawn_refuse",
                 .threads = {waiting_thread, ending_thread, refused_thread}}},
    {.scenario = {.workers = 2, .runs = 1},
     .explore = {.name = "spawn_revoke",
                 .threads = {revoke_thread, worker_thread},
                 .servants = SECOND_SERVES}},
    {.scenario = {.workers = 2, .spawns = 1, .runs = 1, .leaves = true},
     .explore = {.name = "spawn_quiet_left",
                 .threads = {spawner_quiet_thread, worker_thread},
                 .servants = SECOND_SERVES,
                 .bounded = true,
                 .preemptions = 2}},
    {.scenario = {.workers = 2, .brings = true},
     .explore = {.name = "spawn_quiet_brings", .threads = {never_quiet_thread, thief_thread}}},
    {.scenario = {.workers = 2, .spawns = 1, .runs = 1, .leaves = true},
     .explore = {.name = "spawn_quiet",
                 .threads = {first_worker_thread, worker_thread, quiet_thread},
                 .servants = 1 | SECOND_SERVES,
                 .bounded = true,
                 .preemptions = 1,
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
