/* unit_worker_loop.c - what a worker does around its picks, step by step: whom it wakes, where it
 * looks before it sleeps and for how long, how it starts, stops and leaves; and what becomes of
 * what is posted to it meanwhile. What it picks is in unit_worker.c. */
#include "tests/support/alone.h"

static void
halt_at(struct leat_worker *worker, uint32_t item)
{
    (void)worker;
    if (item + 1 == JOBS) {
        leat_pool_halt(&fixture.pool);
    }
}

/* ---- waking the next ------------------------------------------------------------------------ */

/* Item 0 lets the other one lie down again: only a first item wakes. The last one halts. */
static void
act_lie(struct leat_worker *worker, uint32_t item)
{
    if (item == 0) {
        CHECK(is_woken(1));
        CHECK_EQUAL(atom_load_rlx(&worker->wakes), 1);
        lie_down(1);
    }
    halt_at(worker, item);
}

static void
the_first_item_wakes(void **state)
{
    (void)state;
    struct leat_worker *worker = setup(2);
    fixture.act = act_lie;
    push(0, 2);
    push(JOBS - 1, 1);
    lie_down(1);
    thread_run(0);
    MUST_HAVE_RUN(0, 1, JOBS - 1);
    CHECK_EQUAL(atom_load_rlx(&worker->wakes), 1);
    CHECK_EQUAL(atom_load_rlx(&worker->busy), 0);
    teardown();
    /* Nobody sleeps: it does not even look. */
    worker = setup(2);
    fixture.act = NULL;
    push(0, 2);
    bool first = true;
    current_worker = worker;
    CHECK(step(worker, &first));
    CHECK_EQUAL(worker->seen, 0);
    CHECK(step(worker, &first));
    MUST_HAVE_RUN(0, 1);
    current_worker = NULL;
    teardown();
    /* Nothing else waits. */
    worker = setup(2);
    fixture.act = halt_at;
    push(JOBS - 1, 1);
    lie_down(1);
    thread_run(0);
    MUST_HAVE_RUN(JOBS - 1);
    CHECK_EQUAL(atom_load_rlx(&worker->wakes), 0);
    teardown();
}

/* Two others sleep: the first stolen task wakes one, that what is left can be stolen the other. */
static void
the_first_stolen_task_wakes(void **state)
{
    (void)state;
    struct leat_worker *worker = setup(3);
    bool first = true;
    fixture.step_ns = LEAT_STOLEN_SHORT_NS;
    leat_join_init(&join, &fixture.pool, NULL, NULL);
    for (uint32_t i = 0; i < 3; i++) {
        spawn(worker + 1, i);
    }
    lie_down(1);
    lie_down(2);
    current_worker = worker;
    CHECK(step(worker, &first));
    CHECK(!first);
    CHECK_EQUAL(atom_load_rlx(&worker->wakes), 2);
    lie_down(1);
    lie_down(2);
    CHECK(step(worker, &first));
    CHECK_EQUAL(atom_load_rlx(&worker->wakes), 3);
    CHECK(step(worker, &first));
    CHECK(!step(worker, &first));
    CHECK_EQUAL(atom_load_rlx(&worker->wakes), 3);
    current_worker = NULL;
    MUST_HAVE_RUN(0, 1, 2);
    teardown();
}

/* ---- without work --------------------------------------------------------------------------- */

static void
looks_everywhere(void **state)
{
    (void)state;
    struct leat_worker *worker = setup(1);
    const uint64_t last = LEAT_HINT_RING(LEAT_PRIORITY_LEVELS - 1);
    CHECK(!leat_worker_look(worker));
    CHECK(!second_look(worker));
    push_to(LEAT_PRIORITY_LEVELS - 1, 0);
    push_to(0, 1);
    atom_init(&fixture.pool.hint, 0);
    CHECK(leat_worker_look(worker));
    CHECK_EQUAL(worker->seen, last | 1);
    CHECK_EQUAL(hint(), last | 1);
    CHECK(second_look(worker));
    /* Kept, also where another worker clears it meanwhile; and for one pick. */
    atom_init(&fixture.pool.hint, 0);
    picks(worker, 1);
    CHECK_EQUAL(worker->seen, 0);
    picks_nothing(worker);
    CHECK(leat_worker_look(worker));
    CHECK_EQUAL(hint(), last);
    picks(worker, 0);
    atom_init(&fixture.pool.due, 1);
    CHECK(leat_worker_look(worker));
    CHECK_EQUAL(worker->seen, LEAT_HINT_DUE);
    picks_nothing(worker);
    CHECK_EQUAL(fixture.advances, 1);
    leat_join_init(&join, &fixture.pool, NULL, NULL);
    spawn(worker, 0);
    CHECK(!leat_worker_look(worker));
    CHECK(second_look(worker));
    leat_spawn_empty(worker);
    MUST_HAVE_RUN(0);
    CHECK_EQUAL(hint(), last | LEAT_HINT_DUE);
    teardown();
}

static void
asleep_nothing(uint32_t worker)
{
    CHECK_EQUAL(worker, 0);
    CHECK_EQUAL(atom_load_rlx(&fixture.pool.workers[0].parks), fixture.sleeps);
}

/* It waits: sleeps as often as is said, and lies nowhere behind it. */
static void
waits(struct leat_worker *worker, uint32_t sleeps)
{
    uint32_t before = fixture.sleeps;
    leat_worker_wait(worker);
    CHECK_EQUAL(fixture.sleeps - before, sleeps);
    CHECK_EQUAL(atom_load_rlx(&worker->parks), fixture.sleeps);
    CHECK(!lies(0));
}

static void
sleeps_where_there_is_nothing(void **state)
{
    (void)state;
    struct leat_worker *worker = setup(1);
    fixture.asleep = asleep_nothing;
    waits(worker, 1);
    atom_init(&fixture.pool.hint, RING | LOCAL | LEAT_HINT_DUE);
    waits(worker, 1);
    CHECK_EQUAL(hint(), 0);
    push(0, 1);
    waits(worker, 0);
    CHECK_EQUAL(hint(), RING);
    picks(worker, 0);
    post_to(0, LOW, 1);
    waits(worker, 0);
    runs(worker, 1);
    MUST_HAVE_RUN(1);
    leat_join_init(&join, &fixture.pool, NULL, NULL);
    spawn(worker, 2);
    waits(worker, 0);
    leat_spawn_empty(worker);
    MUST_HAVE_RUN(2);
    waits(worker, 1);
    atom_init(&fixture.pool.open, 0);
    waits(worker, 0);
    CHECK_EQUAL(fixture.looks, 0); /* it does not learn how long to look */
    teardown();
}

#define SPIN_NS UINT64_C(16000)
#define LEAST   (SPIN_NS / LEAT_SPIN_PARTS)

static struct leat_worker *
setup_spin(uint32_t workers)
{
    struct leat_pool_config config = config_of(workers);
    config.spin_ns = SPIN_NS;
    open_with(&config);
    fixture.asleep = asleep_nothing;
    return &fixture.pool.workers[0];
}

/* How long it looks the next time, by how long it was without work. */
static void
learns_how_long_to_look(void **state)
{
    (void)state;
    struct leat_worker *worker = setup_spin(1);
    static const uint64_t more[] = {LEAST, 2 * LEAST, 4 * LEAST, 8 * LEAST, SPIN_NS, SPIN_NS};
    fixture.step_ns = 1;
    for (uint32_t i = 0; i < TEST_COUNT_OF(more); i++) {
        worker->spin_ns = i == 0 ? 0 : more[i - 1];
        spin_learn(worker, SPIN_NS);
        CHECK_EQUAL(worker->spin_ns, more[i]);
    }
    for (uint64_t ns = SPIN_NS / 2; ns >= LEAST; ns /= 2) {
        spin_learn(worker, SPIN_NS + 1);
        CHECK_EQUAL(worker->spin_ns, ns);
    }
    spin_learn(worker, SPIN_NS + 1);
    CHECK_EQUAL(worker->spin_ns, 0);
    CHECK_EQUAL(fixture.looks, 0);
    /* It sleeps at once, for as long as a look at the clock. */
    waits(worker, 1);
    CHECK_EQUAL(fixture.looks, 2);
    CHECK_EQUAL(worker->spin_ns, LEAST);
    /* It looks, and sleeps then. */
    waits(worker, 1);
    CHECK_EQUAL(fixture.looks, 2 + LEAST + 2);
    CHECK_EQUAL(worker->spin_ns, 2 * LEAST);
    /* It finds something, and learns nothing. */
    push(0, 1);
    fixture.looks = 0;
    waits(worker, 0);
    CHECK_EQUAL(fixture.looks, 1);
    CHECK_EQUAL(worker->seen, 0);
    CHECK_EQUAL(worker->spin_ns, 2 * LEAST);
    picks(worker, 0);
    teardown();
}

/* Where the workers fill all CPUs they let others run, once for each look at the clock. */
static void
yields_where_it_is_crowded(void **state)
{
    (void)state;
    struct leat_worker *worker = setup_spin(2);
    struct leat_pool *pool = &fixture.pool;
    fixture.step_ns = LEAST;
    for (uint32_t cpus = 1; cpus <= 3; cpus++) {
        pool->cpus_count = cpus;
        worker->spin_ns = 4 * LEAST;
        fixture.yields = 0;
        CHECK(!spin(worker));
        CHECK_EQUAL(fixture.yields, cpus <= 2 ? 3 : 0);
    }
    pool->cpus_count = 2;
    pool->config.busy_poll = true;
    CHECK(!spin(worker));
    CHECK_EQUAL(fixture.yields, 0);
    teardown();
}

/* ---- a thread from its start to its end ------------------------------------------------------ */

static void
hook_started(void *context, uint32_t worker)
{
    CHECK(context == &fixture);
    CHECK_EQUAL(worker, 0);
    CHECK_EQUAL(fixture.hooks, 0);
    CHECK_EQUAL(fixture.ran_count, 0);
    fixture.hooks |= 1;
}

static void
hook_stopping(void *context, uint32_t worker)
{
    CHECK(context == &fixture);
    CHECK_EQUAL(worker, 0);
    CHECK_EQUAL(fixture.hooks, 1);
    fixture.hooks |= 2;
}

static void
asleep_push(uint32_t worker)
{
    CHECK_EQUAL(worker, 0);
    CHECK(leat_pool_quiet(&fixture.pool, &fixture.elsewhere));
    push(JOBS - 1, 1);
    push(1, 1);
}

/* A stop leaves what waits, and what is in hand where there is no room for it. */
static void
runs_until_a_stop(void **state)
{
    (void)state;
    struct leat_pool_config config = config_of(1);
    config.ops.started = hook_started;
    config.ops.stopping = hook_stopping;
    open_with(&config);
    struct leat_worker *worker = &fixture.pool.workers[0];
    fixture.act = halt_at;
    fixture.asleep = asleep_push;
    push(0, 1);
    thread_run(0);
    MUST_HAVE_RUN(0, JOBS - 1);
    CHECK_EQUAL(fixture.hooks, 3);
    CHECK_EQUAL(fixture.sleeps, 1);
    CHECK_EQUAL(atom_load_rlx(&worker->busy), 0);
    CHECK_EQUAL(atom_load_rlx(&worker->taken), 2);
    CHECK_EQUAL(atom_load_rlx(&worker->ended), 2);
    picks(worker, 1);
    teardown();
}

/* The last item is kept beside a full ring. */
static void
act_keep(struct leat_worker *worker, uint32_t item)
{
    leat_worker_keep(worker, LEVEL, job(item));
    push(1, 2);
    leat_pool_halt(&fixture.pool);
}

static void
a_stop_with_an_item_in_hand(void **state)
{
    (void)state;
    struct leat_pool_config config = config_of(1);
    config.ring_slots_log2 = 1;
    open_with(&config);
    struct leat_worker *worker = &fixture.pool.workers[0];
    fixture.act = act_keep;
    push(0, 1);
    thread_run(0);
    MUST_HAVE_RUN(0);
    CHECK_EQUAL(worker->held, 1 << LEVEL);
    CHECK_EQUAL(atom_load_rlx(&worker->busy), 1);
    picks_n(worker, 0, 3);
    teardown();
}

/* ---- leaving -------------------------------------------------------------------------------- */

/* Worker 1 is one too many, and asked to leave. */
static struct leat_worker *
setup_leaver(void)
{
    struct leat_pool_config config = config_of(2);
    config.ring_slots_log2 = 1;
    open_with(&config);
    struct leat_worker *worker = &fixture.pool.workers[1];
    current_worker = worker;
    CHECK(!leaves(worker));
    atom_init(&worker->seat, LEAT_SEAT_ASKED);
    atom_init(&fixture.pool.open, 1);
    CHECK(!leat_worker_halted(worker - 1));
    CHECK(leat_worker_halted(worker));
    return worker;
}

static void
finish_leaver(struct leat_worker *worker)
{
    current_worker = NULL;
    CHECK_EQUAL(atom_load_rlx(&worker->busy), 0);
    CHECK(leat_pool_quiet(&fixture.pool, &fixture.elsewhere));
    teardown();
}

static void
leaves_where_it_is_asked_to(void **state)
{
    (void)state;
    struct leat_worker *worker = setup_leaver();
    atom_init(&worker->seat, LEAT_SEAT_TAKEN);
    CHECK(!leaves(worker)); /* no more */
    atom_init(&worker->seat, LEAT_SEAT_ASKED);
    lie_down(0);
    push(0, 1);
    lie_down(0);
    CHECK(leaves(worker));
    CHECK(is_woken(0)); /* for what the wake-up of that push may have been for */
    CHECK_EQUAL(atom_load_rlx(&worker->wakes), 2);
    CHECK_EQUAL(atom_load_rlx(&worker->seat), LEAT_SEAT_LEAVING);
    CHECK(leat_pool_post_to(&fixture.pool, 1, 0, &(struct leat_pool_task){task_note, NULL}) ==
          LEAT_POST_AWAY);
    CHECK_EQUAL(atom_load_rlx(&worker->taken), 1);
    CHECK_EQUAL(atom_load_rlx(&worker->ended), 1);
    picks(worker - 1, 0);
    finish_leaver(worker);
    /* For a stop at once, whoever is asked. */
    worker = setup_leaver();
    leat_worker_keep(worker, LEVEL, job(0));
    atom_init(&worker->seat, LEAT_SEAT_TAKEN);
    atom_init(&fixture.pool.open, 0);
    CHECK(leaves(worker));
    CHECK_EQUAL(fixture.ran_count, 0);
    CHECK_EQUAL(atom_load_rlx(&worker->seat), LEAT_SEAT_TAKEN);
    picks(worker, 0);
    finish_leaver(worker);
}

/* Not with an item in hand: it goes on, item by item. */
static void
leaves_with_empty_hands(void **state)
{
    (void)state;
    struct leat_worker *worker = setup_leaver();
    leat_worker_keep(worker, LEVEL, job(0));
    push_to(0, 1);
    CHECK(!leaves(worker));
    MUST_HAVE_RUN(1);
    CHECK(!leaves(worker));
    MUST_HAVE_RUN(0);
    CHECK_EQUAL(atom_load_rlx(&worker->seat), LEAT_SEAT_ASKED);
    CHECK(leaves(worker));
    finish_leaver(worker);
    /* Where it is not to leave, an item in hand waits for the loop. */
    worker = setup_leaver();
    leat_worker_keep(worker, LEVEL, job(0));
    atom_init(&fixture.pool.open, 2);
    CHECK(!leaves(worker));
    CHECK_EQUAL(fixture.ran_count, 0);
    picks(worker, 0);
    finish_leaver(worker);
}

/* Records given back unused: of what was given away, and of tries for which there was no room. */
static uint64_t
refused(void)
{
    return atom_load_rlx(&fixture.pool.tasks_refused);
}

/* What came into its inbox goes to the ring, where there is room for both, for one, and for none;
 * it runs the rest, item by item. */
static void
posted_is_given_away(void **state)
{
    (void)state;
    struct leat_worker *worker = setup_leaver();
    post_to(1, LEVEL, 0);
    post_to(1, LEVEL, 1);
    CHECK(leaves(worker));
    CHECK_EQUAL(fixture.ran_count, 0);
    CHECK_EQUAL(refused(), 2);
    runs(worker - 1, 2);
    MUST_HAVE_RUN(0, 1);
    finish_leaver(worker);
    worker = setup_leaver();
    push(100, 1);
    post_to(1, LEVEL, 0);
    post_to(1, LEVEL, 1);
    CHECK(leaves(worker));
    MUST_HAVE_RUN(1);
    CHECK_EQUAL(refused(), 1 + 1);
    runs(worker - 1, 2);
    MUST_HAVE_RUN(100, 0);
    finish_leaver(worker);
    worker = setup_leaver();
    push(100, 2);
    post_to(1, LEVEL, 0);
    post_to(1, LEVEL, 1);
    CHECK(leaves(worker));
    MUST_HAVE_RUN(0, 100); /* in turn; then there is room */
    CHECK_EQUAL(refused(), 1 + 2);
    runs(worker - 1, 2);
    MUST_HAVE_RUN(101, 1);
    CHECK_EQUAL(atom_load_rlx(&worker->taken), 3);
    CHECK_EQUAL(atom_load_rlx(&worker->ended), 3);
    finish_leaver(worker);
}

static void
act_halt(struct leat_worker *worker, uint32_t item)
{
    (void)worker;
    (void)item;
    leat_pool_halt(&fixture.pool);
}

/* A stop comes while it runs what it could not give away. Then the place is not quiet. */
static void
a_stop_ends_that(void **state)
{
    (void)state;
    struct leat_worker *worker = setup_leaver();
    fixture.act = act_halt;
    push(100, 2);
    post_to(1, LEVEL, 0);
    post_to(1, LEVEL, 1);
    CHECK(leaves(worker));
    MUST_HAVE_RUN(0, 100);
    CHECK_EQUAL(worker->held, LEAT_HELD_POSTED(LEVEL));
    CHECK_EQUAL(refused(), 2);
    CHECK_EQUAL(atom_load_rlx(&worker->busy), 1);
    leat_pool_plan(&fixture.pool, 1);
    CHECK_EQUAL(worker->held, 0);
    CHECK_EQUAL(refused(), 1 + 2);
    runs(worker - 1, 2);
    MUST_HAVE_RUN(101, 1);
    finish_leaver(worker);
}

/* ---- posting -------------------------------------------------------------------------------- */

static bool
is_closed(uint32_t place)
{
    return atom_load_rlx(&fixture.pool.workers[place].inbox.newest) == LEAT_INBOX_CLOSED;
}

static uint64_t
wakes_outside(void)
{
    return atom_load_rlx(&fixture.pool.wakes_outside);
}

static void
a_post_wakes_its_worker(void **state)
{
    (void)state;
    struct leat_worker *worker = setup(2);
    struct leat_pool *pool = &fixture.pool;
    post_to(1, LOW, 0);
    CHECK_EQUAL(wakes_outside(), 0); /* it is awake */
    lie_down(0);
    lie_down(1);
    post_to(1, LOW, 1);
    post_to(1, LOW, 2);
    CHECK_EQUAL(wakes_outside(), 1);
    CHECK(is_woken(1));
    CHECK(!is_woken(0));
    lie_down(1);
    /* By the clock only, where there is one; and none behind the places. */
    pool->config.tick_ns = 1;
    post_to(1, LOW, 3);
    CHECK(!is_woken(1));
    pool->places = 1;
    CHECK(!leat_posted_ready(pool));
    leat_posted_wake(pool);
    CHECK_EQUAL(wakes_outside(), 1);
    pool->places = 2;
    CHECK(leat_posted_ready(pool));
    leat_posted_wake(pool);
    CHECK_EQUAL(wakes_outside(), 2);
    CHECK(is_woken(1));
    CHECK(!is_woken(0));
    runs(worker + 1, 4);
    MUST_HAVE_RUN(0, 1, 2, 3);
    CHECK(!leat_posted_ready(pool));
    teardown();
}

/* Only the inboxes of places that count are open, if these have threads of their own. */
static void
inboxes_are_closed(void **state)
{
    (void)state;
    struct leat_worker *worker = setup(3);
    struct leat_pool *pool = &fixture.pool;
    for (uint32_t i = 0; i < 3; i++) {
        CHECK(!is_closed(i));
    }
    post_to(1, LOW, 0);
    post_to(1, LEVEL, 1);
    post_to(2, LOW, 2);
    pool->places = 2;
    leat_pool_plan(pool, 1);
    CHECK(!is_closed(0));
    CHECK(is_closed(1));
    CHECK(!is_closed(2)); /* behind the places */
    CHECK_EQUAL(refused(), 2);
    runs(worker, 2);
    MUST_HAVE_RUN(1, 0);
    pool->places = 3;
    leat_pool_plan(pool, 2);
    CHECK(!is_closed(1));
    CHECK(is_closed(2));
    runs(worker + 1, 1);
    MUST_HAVE_RUN(2);
    const struct leat_pool_task task = {task_note, NULL};
    CHECK(leat_pool_post_to(pool, 2, 0, &task) == LEAT_POST_AWAY);
    CHECK_EQUAL(refused(), 3);
    teardown();
    struct leat_pool_config config = config_of(0);
    config.lenders_max = 1;
    open_with(&config);
    CHECK(is_closed(0));
    teardown();
}

/* What has no room in the ring goes to place 0; a place that has nothing left is quiet. */
static void
posted_is_moved(void **state)
{
    (void)state;
    struct leat_pool_config config = config_of(2);
    config.ring_slots_log2 = 1;
    open_with(&config);
    struct leat_worker *worker = &fixture.pool.workers[0];
    const uint32_t last = LEAT_PRIORITY_LEVELS - 1;
    for (uint32_t i = 0; i < 4; i++) {
        post_to(1, last, 20 + i);
        post_to(1, 0, 10 + i);
    }
    atom_init(&worker[1].busy, 1);
    worker[1].depth = UINT64_MAX; /* what stands behind the lists is none */
    atom_init(&worker[1].floor, UINT64_MAX);
    leat_pool_plan(&fixture.pool, 1);
    CHECK_EQUAL(worker[1].held, 0);
    CHECK_EQUAL(atom_load_rlx(&worker[1].busy), 0);
    CHECK_EQUAL(refused(), 4 + 2);
    runs(worker, 8);
    MUST_HAVE_RUN(12, 10, 13, 11, 22, 20, 23, 21);
    /* With an item in hand it is not. */
    leat_worker_keep(worker + 1, LEVEL, job(0));
    atom_init(&worker[1].busy, 1);
    leat_posted_settle(&fixture.pool);
    CHECK_EQUAL(atom_load_rlx(&worker[1].busy), 1);
    picks(worker + 1, 0);
    teardown();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_item_wakes),
        cmocka_unit_test(the_first_stolen_task_wakes),
        cmocka_unit_test(looks_everywhere),
        cmocka_unit_test(sleeps_where_there_is_nothing),
        cmocka_unit_test(learns_how_long_to_look),
        cmocka_unit_test(yields_where_it_is_crowded),
        cmocka_unit_test(runs_until_a_stop),
        cmocka_unit_test(a_stop_with_an_item_in_hand),
        cmocka_unit_test(leaves_where_it_is_asked_to),
        cmocka_unit_test(leaves_with_empty_hands),
        cmocka_unit_test(posted_is_given_away),
        cmocka_unit_test(a_stop_ends_that),
        cmocka_unit_test(a_post_wakes_its_worker),
        cmocka_unit_test(inboxes_are_closed),
        cmocka_unit_test(posted_is_moved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
