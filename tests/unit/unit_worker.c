/* unit_worker.c - what a worker picks, with exact counts: how many items it claims, steals and
 * admits at which pick, in which order it looks at its queues, and which records it gives back
 * when. What it does without work is in unit_worker_loop.c. */
#include "tests/support/alone.h"

/* ---- claims --------------------------------------------------------------------------------- */

/* Only the default ring tells how many items wait, so only from that are several claimed. */
static void
needs_a_look_ahead(void)
{
    if (LEAT_RING != LEAT_RING_PACKED) {
        skip();
    }
}

/* The stock behind each pick: one of 8 asks; then twice as many each time, up to 16. */
static void
claims_double(void **state)
{
    (void)state;
    needs_a_look_ahead();
    struct leat_worker *worker = setup(2);
    push(0, 110);
    for (uint32_t i = 1; i < 2 * LEAT_CLAIM_EVERY; i++) {
        picks(worker, i - 1);
        CHECK_EQUAL(stock(worker), 0);
        CHECK(!is_stocked(worker));
        CHECK_EQUAL(worker->claim, i < LEAT_CLAIM_EVERY ? 0 : 1);
        CHECK_EQUAL(worker->singles, i % LEAT_CLAIM_EVERY);
        CHECK_EQUAL(fixture.looks, i / LEAT_CLAIM_EVERY);
    }
    CHECK_EQUAL(hint(), RING);
    uint32_t next = 2 * LEAT_CLAIM_EVERY - 1;
    static const uint32_t claims[] = {2, 4, 8, 16, 16};
    for (uint32_t i = 0; i < TEST_COUNT_OF(claims); i++) {
        worker->tasks_spent.most = LEAT_SPENT_MAX;
        fixture.now_ns += LEAT_CLAIM_NS; /* not long */
        picks(worker, next);
        CHECK_EQUAL(worker->claim, claims[i]);
        CHECK_EQUAL(worker->claim_ns, fixture.now_ns);
        CHECK_EQUAL(worker->tasks_spent.most, 1);
        CHECK_EQUAL(stock(worker), claims[i] - 1);
        CHECK(is_stocked(worker));
        CHECK_EQUAL(hint(), RING | LOCAL);
        picks_n(worker, next + 1, claims[i] - 1);
        next += claims[i];
    }
    CHECK_EQUAL(fixture.looks, 1 + TEST_COUNT_OF(claims));
    static const uint32_t fewer[] = {8, 4, 2, 1};
    for (uint32_t i = 0; i < TEST_COUNT_OF(fewer); i++) {
        fixture.now_ns += LEAT_CLAIM_NS + 1;
        picks(worker, next);
        CHECK_EQUAL(worker->claim, fewer[i]);
        CHECK_EQUAL(stock(worker), fewer[i] - 1);
        picks_n(worker, next + 1, fewer[i] - 1);
        next += fewer[i];
    }
    picks_slowly(worker, next, 110 - next);
    CHECK_EQUAL(worker->claim, 1);
    picks_nothing(worker);
    CHECK_EQUAL(worker->seen, 0);
    CHECK(!is_stocked(worker));
    leat_pool_fini(&fixture.pool);
}

/* For each of the other workers as many are left. */
static void
claims_are_shares(void **state)
{
    (void)state;
    needs_a_look_ahead();
    struct leat_worker *worker = setup(2);
    worker->claim = LEAT_CLAIM_MAX;
    push(0, 8);
    picks(worker, 0);
    CHECK_EQUAL(worker->claim, 4);
    CHECK_EQUAL(stock(worker), 3);
    CHECK_EQUAL(ring_count(), 4);
    picks_n(worker, 1, 3);
    worker->claim = LEAT_CLAIM_MAX;
    push(8, 3);
    picks(worker, 4); /* it leaves 6: one fewer than 4 would need */
    CHECK_EQUAL(worker->claim, 2);
    CHECK_EQUAL(stock(worker), 1);
    picks(worker, 5);
    worker->claim = LEAT_CLAIM_MAX;
    picks(worker, 6);
    CHECK_EQUAL(worker->claim, 2);
    picks_n(worker, 7, 1);
    picks_n(worker, 8, 3);
    CHECK_EQUAL(worker->claim, 1);
    CHECK_EQUAL(worker->singles, 2);
    CHECK_EQUAL(ring_count(), 0);
    picks_nothing(worker);
    /* The last item of a ring, at the turn to ask. */
    worker->singles = LEAT_CLAIM_EVERY - 1;
    push(11, 1);
    picks(worker, 11);
    CHECK_EQUAL(worker->claim, 1);
    CHECK(!is_stocked(worker));
    leat_pool_fini(&fixture.pool);
}

/* A batch is the last that is claimed, for it is opened into an empty queue. */
static void
claims_end_with_a_batch(void **state)
{
    (void)state;
    needs_a_look_ahead();
    struct leat_worker *worker = setup(1);
    push(0, 2);
    push_batch(2, 3);
    push(5, 4);
    worker->claim = 4;
    picks(worker, 0);
    CHECK_EQUAL(worker->claim, 4); /* of 8, which the ring does not have */
    CHECK_EQUAL(stock(worker), 2);
    CHECK_EQUAL(ring_count(), 4);
    picks(worker, 1);
    CHECK_EQUAL(worker->tasks_spent.most, 1);
    picks(worker, 2);
    CHECK_EQUAL(worker->tasks_spent.most, LEAT_SPENT_MAX);
    CHECK_EQUAL(stock(worker), 2);
    picks_n(worker, 3, 6);
    picks_nothing(worker);
    /* A batch in front is no claim. */
    worker->claim = 4;
    push_batch(9, 2);
    push(11, 8);
    picks(worker, 9);
    CHECK_EQUAL(stock(worker), 1);
    CHECK_EQUAL(ring_count(), 8);
    picks_n(worker, 10, 9);
    picks_nothing(worker);
    CHECK(!is_stocked(worker));
    leat_pool_fini(&fixture.pool);
}

/* What is more urgent does not wait for what was claimed before it came. */
static void
claims_let_urgent_ones_pass(void **state)
{
    (void)state;
    needs_a_look_ahead();
    struct leat_worker *worker = setup(1);
    worker->claim = LEAT_CLAIM_MAX;
    push(0, 8);
    picks(worker, 0);
    CHECK_EQUAL(stock(worker), 3);
    push_to(LEVEL - 1, 20);
    push_to(LEVEL + 1, 21);
    picks(worker, 20);
    CHECK_EQUAL(stock(worker), 3);
    picks_n(worker, 1, 7);
    picks(worker, 21);
    picks_nothing(worker);
    leat_pool_fini(&fixture.pool);
}

/* ---- stealing ------------------------------------------------------------------------------- */

/* Which victim comes first goes by what the thief took so far. */
static void
thieves_begin_elsewhere(void **state)
{
    (void)state;
    struct leat_worker *thief = setup(3);
    struct leat_worker *one = thief + 1;
    struct leat_worker *two = thief + 2;
    push_batch(0, 9);
    picks(one, 0);
    push_batch(10, 9);
    uint32_t item = 0;
    CHECK(ring_pick(two, LEVEL, &item));
    CHECK_EQUAL(item, job(10));
    CHECK_EQUAL(stock(one), 8);
    CHECK_EQUAL(stock(two), 8);
    picks(thief, 1);
    CHECK_EQUAL(stock(thief), 3);
    CHECK(is_stocked(thief));
    CHECK_EQUAL(stock(one), 4);
    picks_n(thief, 2, 3);
    atom_init(&thief->taken, 1);
    picks(thief, 11);
    picks_n(thief, 12, 3);
    CHECK_EQUAL(stock(two), 4);
    picks(thief, 15); /* again: the number is the same */
    picks(thief, 16);
    picks(thief, 17);
    CHECK(!is_stocked(thief));
    picks(thief, 18);
    CHECK_EQUAL(stock(two), 0);
    picks(thief, 5);
    CHECK_EQUAL(stock(one), 2);
    picks_n(thief, 6, 3);
    CHECK_EQUAL(stock(one), 0);
    CHECK_EQUAL(hint(), RING | LOCAL);
    picks_nothing(thief);
    CHECK_EQUAL(hint(), RING);
    leat_pool_fini(&fixture.pool);
}

/* Something comes to a queue behind its look there: the bit is set again. */
static void
the_bit_comes_back(void **state)
{
    (void)state;
    struct leat_worker *thief = setup(2);
    push_batch(0, 2);
    picks(thief + 1, 0);
    thief->victims_count[LEAT_SAME_CACHE] = 0;
    picks_nothing(thief);
    CHECK_EQUAL(hint(), RING | LOCAL);
    thief->victims_count[LEAT_SAME_CACHE] = 1;
    picks(thief, 1);
    picks_nothing(thief);
    CHECK_EQUAL(hint(), RING);
    leat_pool_fini(&fixture.pool);
}

/* What goes on with a batch is stolen, too, and opened by the thief. */
static void
a_batch_is_stolen(void **state)
{
    (void)state;
    struct leat_worker *owner = setup(2);
    struct leat_worker *thief = owner + 1;
    push_batch(0, LEAT_CHUNK_ITEMS + 1);
    picks(owner, 0);
    CHECK_EQUAL(stock(owner), 1);
    atom_init(&fixture.pool.hint, LOCAL);
    picks(thief, 1);
    CHECK_EQUAL(stock(thief), LEAT_CHUNK_ITEMS - 1);
    CHECK(is_stocked(thief));
    CHECK_EQUAL(stock(owner), 0);
    picks_n(thief, 2, LEAT_CHUNK_ITEMS - 1);
    picks_nothing(thief);
    picks_nothing(owner);
    CHECK(!is_stocked(owner));
    CHECK(!is_stocked(thief));
    leat_pool_fini(&fixture.pool);
}

/* Once in so many times that it goes to the ring, it robs others before. */
static void
robs_in_turn(void **state)
{
    (void)state;
    struct leat_worker *thief = setup(2);
    struct leat_worker *owner = thief + 1;
    push(0, 2);
    picks_slowly(thief, 0, 2);
    CHECK_EQUAL(thief->rounds, 0); /* nobody has anything */
    push_batch(100, 5);
    CHECK(pick(owner, &(uint32_t){0}));
    CHECK_EQUAL(hint(), RING | LOCAL);
    push(2, 80);
    picks_slowly(thief, 2, LEAT_ROB_EVERY - 1);
    CHECK_EQUAL(thief->rounds, LEAT_ROB_EVERY - 1);
    CHECK_EQUAL(stock(owner), 4);
    picks_slowly(thief, 101, 1);
    CHECK_EQUAL(thief->rounds, 0);
    CHECK_EQUAL(stock(thief), 1);
    CHECK_EQUAL(stock(owner), 2);
    picks_slowly(thief, 102, 1);
    CHECK_EQUAL(thief->rounds, 0); /* its own come without a way to the ring */
    picks_slowly(thief, 2 + LEAT_ROB_EVERY - 1, LEAT_ROB_EVERY - 1);
    picks_slowly(thief, 103, 1);
    CHECK_EQUAL(stock(owner), 1);
    picks_slowly(thief, 2 + 2 * (LEAT_ROB_EVERY - 1), 80 - 2 * (LEAT_ROB_EVERY - 1));
    CHECK_EQUAL(ring_count(), 0);
    picks_slowly(thief, 104, 1);
    picks_nothing(thief);
    leat_pool_fini(&fixture.pool);
}

/* ---- waiting lists -------------------------------------------------------------------------- */

/* Beside a ring that has items, one pick in so many admits. */
static void
admits_in_turn(void **state)
{
    (void)state;
    struct leat_worker *worker = setup_listed(6);
    push(0, 1);
    picks_slowly(worker, 0, 1);
    CHECK_EQUAL(worker->unadmitted, 0);
    put(1, 74);
    CHECK_EQUAL(ring_count(), 64);
    CHECK_EQUAL(hint(), RING | LIST);
    picks_slowly(worker, 1, LEAT_ADMIT_EVERY - 1);
    CHECK_EQUAL(worker->unadmitted, LEAT_ADMIT_EVERY - 1);
    CHECK_EQUAL(ring_count(), 64 - (LEAT_ADMIT_EVERY - 1));
    CHECK_EQUAL(atom_load_rlx(&worker->taken), 0);
    picks_slowly(worker, LEAT_ADMIT_EVERY, 1);
    CHECK_EQUAL(worker->unadmitted, 0);
    CHECK_EQUAL(ring_count(), 74 - LEAT_ADMIT_EVERY);
    CHECK_EQUAL(atom_load_rlx(&worker->taken), 1);
    CHECK_EQUAL(atom_load_rlx(&worker->ended), 1);
    /* The bit is left; nothing is listed, so nothing is counted. */
    picks_slowly(worker, LEAT_ADMIT_EVERY + 1, 74 - LEAT_ADMIT_EVERY);
    picks_nothing(worker);
    CHECK_EQUAL(worker->unadmitted, 0);
    CHECK_EQUAL(atom_load_rlx(&worker->taken), 1);
    CHECK_EQUAL(atom_load_rlx(&worker->ended), 1);
    leat_pool_fini(&fixture.pool);
}

/* And one that finds the ring empty, in the same pick. */
static void
admits_where_the_ring_is_empty(void **state)
{
    (void)state;
    struct leat_worker *worker = setup_listed(1);
    struct leat_pool *pool = &fixture.pool;
    uint32_t item = 0;
    put(0, 4);
    CHECK(leat_mpmc_pop(&pool->rings[LEVEL], &item));
    CHECK(leat_mpmc_pop(&pool->rings[LEVEL], &item));
    atom_init(&pool->hint, RING);
    picks_nothing(worker); /* no bit says so */
    atom_init(&pool->hint, LIST);
    atom_init(&pool->lists[LEVEL].role, LEAT_ROLE_HELD);
    picks_nothing(worker);
    CHECK_EQUAL(atom_load_rlx(&worker->taken), 1);
    CHECK_EQUAL(atom_load_rlx(&pool->lists[LEVEL].role), LEAT_ROLE_MARKED);
    picks_nothing(worker);
    CHECK_EQUAL(atom_load_rlx(&worker->taken), 1);
    atom_init(&pool->lists[LEVEL].role, LEAT_ROLE_FREE);
    picks(worker, 2);
    CHECK_EQUAL(atom_load_rlx(&worker->taken), 2);
    CHECK_EQUAL(atom_load_rlx(&worker->ended), 2);
    picks(worker, 3);
    picks_nothing(worker);
    leat_pool_fini(pool);
}

/* They were all cancelled: nothing comes of it. */
static void
admits_nothing(void **state)
{
    (void)state;
    struct leat_worker *worker = setup_listed(1);
    uint32_t item = 0;
    fixture.drops = true;
    for (uint32_t round = 0; round < 2; round++) {
        put(0, 4);
        CHECK(leat_mpmc_pop(&fixture.pool.rings[LEVEL], &item));
        CHECK(leat_mpmc_pop(&fixture.pool.rings[LEVEL], &item));
        if (round == 0) {
            picks_nothing(worker);
        } else {
            atom_init(&fixture.pool.hint, 0); /* seen in the second look only */
            CHECK_EQUAL(leat_worker_some(worker, 10), 0);
        }
        CHECK_EQUAL(atom_load_rlx(&worker->taken), round + 1);
    }
    teardown();
}

/* ---- timers --------------------------------------------------------------------------------- */

static void
timers_are_advanced(void **state)
{
    (void)state;
    struct leat_worker *worker = setup(1);
    fixture.advances_more = 2;
    picks_nothing(worker);
    CHECK_EQUAL(fixture.advances, 0);
    CHECK_EQUAL(atom_load_rlx(&worker->taken), 0);
    leat_pool_due(&fixture.pool);
    for (uint32_t i = 1; i <= 3; i++) {
        picks_nothing(worker);
        CHECK_EQUAL(fixture.advances, i);
        CHECK_EQUAL(hint(), LEAT_HINT_DUE);
        CHECK_EQUAL(leat_pool_due_waits(&fixture.pool), i < 3);
    }
    picks_nothing(worker);
    CHECK_EQUAL(hint(), 0);
    CHECK_EQUAL(fixture.advances, 3);
    CHECK_EQUAL(atom_load_rlx(&worker->taken), 4);
    CHECK_EQUAL(atom_load_rlx(&worker->ended), 4);
    picks_nothing(worker);
    CHECK_EQUAL(atom_load_rlx(&worker->taken), 4);
    leat_pool_fini(&fixture.pool);
}

/* ---- records of tasks ----------------------------------------------------------------------- */

static uint32_t tasks_run;
static uint32_t tasks_held[TASKS_MAX]; /* by those that ran, and others that wait */

static void
task_count(void *argument)
{
    const struct leat_pool *pool = argument;
    uint32_t held = 0;
    while (!leat_slab_check(&pool->tasks, held, NULL)) {
        CHECK(held < TASKS_MAX);
        held++;
    }
    tasks_held[tasks_run % TASKS_MAX] = held;
    tasks_run++;
}

static void
post_tasks(uint32_t count)
{
    struct leat_pool_task tasks[LEAT_CHUNK_ITEMS];
    for (uint32_t i = 0; i < count; i++) {
        tasks[i] = (struct leat_pool_task){task_count, &fixture.pool};
    }
    CHECK_EQUAL(leat_pool_post_n(&fixture.pool, LEVEL, tasks, count), count);
    tasks_run = 0;
}

static void
records_come_back_together(void **state)
{
    (void)state;
    struct leat_worker *worker = setup(1);
    post_tasks(LEAT_SPENT_MAX + 4);
    runs(worker, LEAT_SPENT_MAX + 4);
    for (uint32_t i = 0; i < LEAT_SPENT_MAX + 4; i++) {
        CHECK_EQUAL(tasks_held[i], i + 1 < LEAT_SPENT_MAX ? LEAT_SPENT_MAX + 4 : 4);
    }
    CHECK_EQUAL(worker->tasks_spent.count, 4);
    picks_nothing(worker);
    /* No batch is at work: at once, with those that are left. */
    post_tasks(1);
    runs(worker, 1);
    CHECK_EQUAL(tasks_held[0], 0);
    CHECK_EQUAL(worker->tasks_spent.count, 0);
    CHECK_EQUAL(atom_load_rlx(&worker->tasks_run), LEAT_SPENT_MAX + 5);
    CHECK_EQUAL(atom_load_rlx(&worker->taken), LEAT_SPENT_MAX + 5);
    CHECK_EQUAL(atom_load_rlx(&worker->ended), LEAT_SPENT_MAX + 5);
    CHECK(hand_over(worker)); /* nothing to give back */
    /* Of single tasks each record at once, whatever is claimed. */
    worker->claim = 4;
    for (uint32_t i = 0; i < 4; i++) {
        post_tasks(1);
    }
    runs(worker, 4);
    for (uint32_t i = 0; i < 4; i++) {
        CHECK_EQUAL(tasks_held[i], 3 - i);
    }
    picks_nothing(worker);
    CHECK_EQUAL(fixture.ran_count, 0);
    teardown();
}

/* So do the blocks of batches, those that are left as the worker leaves. */
static void
blocks_come_back_together(void **state)
{
    (void)state;
    struct leat_worker *worker = setup(1);
    const struct leat_slab *blocks = &fixture.pool.chunks;
    for (uint32_t i = 0; i < LEAT_SPENT_MAX + 2; i++) {
        push_batch(2 * i, 2);
        picks_n(worker, 2 * i, 2);
        uint32_t kept = (i + 1) % LEAT_SPENT_MAX;
        CHECK_EQUAL(worker->chunks_spent.count, kept);
        CHECK(leat_slab_check(blocks, kept, stdout));
    }
    CHECK(hand_over(worker));
    CHECK_EQUAL(worker->chunks_spent.count, 0);
    CHECK(leat_slab_check(blocks, 0, stdout));
    teardown();
}

/* That of what it will take next: the oldest of its own, else the oldest in the ring. */
static void
records_are_prefetched(void **state)
{
    (void)state;
    struct leat_worker *worker = setup(1);
    uint32_t item = 0;
    uint32_t all = 0;
    bool told = false;
    post_tasks(3);
    post_tasks(1);
    post_tasks(1);
    for (uint32_t i = 0; i < 5; i++) {
        uint32_t next = fixture.prefetched;
        CHECK(pick(worker, &item));
        CHECK(!told || leat_item_index(item) == next);
        /* Of the batch two are its own; not every ring tells what waits in it. */
        told = i < 2 || (i < 4 && LEAT_RING == LEAT_RING_PACKED);
        all += told ? 1 : 0;
        CHECK_EQUAL(fixture.prefetches, all);
        run(worker, item);
    }
    picks_nothing(worker);
    CHECK_EQUAL(fixture.prefetches, all);
    teardown();
}

/* ---- in hand, and posted -------------------------------------------------------------------- */

static void
posted_has_every_other_turn(void **state)
{
    (void)state;
    struct leat_worker *worker = setup(1);
    current_worker = worker;
    push(0, 3);
    runs(worker, 1);
    CHECK_EQUAL(worker->passed, 0); /* nothing was posted */
    post_to(0, LEVEL, 10);
    post_to(0, LEVEL, 11);
    post_to(0, LOW, 12);
    runs(worker, 3);
    MUST_HAVE_RUN(0, 10, 1, 11);
    CHECK_EQUAL(worker->held, LEAT_HELD_POSTED(LOW));
    CHECK_EQUAL(worker->passed, 1 << LEVEL);
    /* In front of all is what is in hand, and no turn is lost by it. */
    leat_worker_keep(worker, LEVEL, job(20));
    push_to(LOW, 30);
    runs(worker, 2);
    MUST_HAVE_RUN(20, 2);
    runs(worker, 2);
    MUST_HAVE_RUN(12, 30);
    CHECK_EQUAL(worker->held, 0);
    /* Where nothing else waits, without a turn. */
    post_to(0, LOW, 40);
    post_to(0, LOW, 41);
    runs(worker, 2);
    MUST_HAVE_RUN(40, 41);
    CHECK_EQUAL(worker->held, 0);
    picks_nothing(worker);
    current_worker = NULL;
    teardown();
}

/* What is in hand goes into a list where the ring is full. */
static void
put_back_into_a_list(void **state)
{
    (void)state;
    struct leat_worker *worker = setup_listed(1);
    put(0, 2);
    leat_worker_keep(worker, LEVEL, job(2));
    CHECK(hand_over(worker));
    CHECK_EQUAL(worker->held, 0);
    CHECK_EQUAL(ring_count(), 2);
    CHECK_EQUAL(hint(), RING | LIST);
    picks_n(worker, 0, 3);
    picks_nothing(worker);
    teardown();
}

/* ---- spawned tasks -------------------------------------------------------------------------- */

static void
act_push(struct leat_worker *worker, uint32_t item)
{
    (void)worker;
    if (item == 3) {
        push(100, 1);
    }
}

/* A thief of short tasks lets the owner alone for a while, or until there is other work. */
static void
thieves_rest(void **state)
{
    (void)state;
    struct leat_worker *worker = setup(2);
    bool first = false;
    leat_join_init(&join, &fixture.pool, NULL, NULL);
    spawn(worker, 0);
    CHECK(spawned_step(worker, &first));
    CHECK_EQUAL(fixture.looks, 0); /* its own */
    MUST_HAVE_RUN(0);
    for (uint32_t i = 1; i <= 3; i++) {
        spawn(worker + 1, i);
    }
    fixture.step_ns = LEAT_STOLEN_SHORT_NS;
    CHECK(spawned_step(worker, &first));
    CHECK_EQUAL(fixture.looks, 2); /* not short */
    fixture.step_ns = LEAT_STOLEN_SHORT_NS / 2;
    CHECK(spawned_step(worker, &first));
    CHECK_EQUAL(fixture.looks, 4 + LEAT_STOLEN_REST_NS / fixture.step_ns);
    fixture.looks = 0;
    fixture.act = act_push;
    CHECK(spawned_step(worker, &first));
    CHECK_EQUAL(fixture.looks, 3);
    MUST_HAVE_RUN(1, 2, 3);
    CHECK_EQUAL(atom_load_rlx(&worker->taken), 4);
    CHECK_EQUAL(atom_load_rlx(&worker->ended), 4);
    picks(worker, 100);
    CHECK(!spawned_step(worker, &first));
    CHECK_EQUAL(atom_load_rlx(&worker->taken), 4);
    CHECK(leat_join_ended(&join));
    teardown();
}

/* From outside through the ring, in the own deque, and in another one: all within the budget. */
static void
spawned_tasks_are_items(void **state)
{
    (void)state;
    struct leat_worker *worker = setup(2);
    uint32_t index = 0;
    fixture.step_ns = LEAT_STOLEN_SHORT_NS;
    leat_join_init(&join, &fixture.pool, NULL, NULL);
    CHECK(leat_spawn_outside(&join, (uintptr_t)spawned_note, 0, &index));
    spawn(worker, 1);
    spawn(worker + 1, 2);
    spawn(worker + 1, 3);
    CHECK_EQUAL(leat_worker_some(worker, 3), 3);
    MUST_HAVE_RUN(0, 1, 2);
    CHECK_EQUAL(leat_worker_some(worker, 3), 1);
    MUST_HAVE_RUN(3);
    CHECK_EQUAL(leat_worker_some(worker, 3), 0);
    CHECK(leat_slab_check(&fixture.pool.spawned, 0, stdout));
    CHECK(leat_join_ended(&join));
    teardown();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claims_double),
        cmocka_unit_test(claims_are_shares),
        cmocka_unit_test(claims_end_with_a_batch),
        cmocka_unit_test(claims_let_urgent_ones_pass),
        cmocka_unit_test(thieves_begin_elsewhere),
        cmocka_unit_test(the_bit_comes_back),
        cmocka_unit_test(a_batch_is_stolen),
        cmocka_unit_test(robs_in_turn),
        cmocka_unit_test(admits_in_turn),
        cmocka_unit_test(admits_where_the_ring_is_empty),
        cmocka_unit_test(admits_nothing),
        cmocka_unit_test(timers_are_advanced),
        cmocka_unit_test(records_come_back_together),
        cmocka_unit_test(blocks_come_back_together),
        cmocka_unit_test(records_are_prefetched),
        cmocka_unit_test(posted_has_every_other_turn),
        cmocka_unit_test(put_back_into_a_list),
        cmocka_unit_test(thieves_rest),
        cmocka_unit_test(spawned_tasks_are_items),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
