/* unit_reserved.c - places of workers that are kept for a queue or a type: others together run in
 * no more than the rest, whatever waits in front; whose places are kept begins at once, also from
 * behind others in the same queue; a pending attempt has no place; all that wait come in turn, in
 * the order of their queues; minimums and workers change while jobs run; below, at and above what
 * there are. */
#include <stdlib.h>

#include "engine/gates.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/threads.h"

#define JOBS    2048
#define WORKERS 4
#define QUEUES  100

enum kind { HOG, VIP, KINDS };

struct fixture {
    struct leat_engine *engine;
    leat_type types[KINDS];
    leat_queue queue; /* "default" */
    leat_queue second;
    leat_queue kept; /* the next one that runs keeps a place for it, or 0 */
    bool lent;
    bool pending;
    leat_atomic_u32 running[KINDS];
    leat_atomic_u32 most[KINDS];
    leat_atomic_u32 begun[KINDS];
    leat_atomic_u32 go;  /* jobs that may end */
    uint32_t runs[JOBS]; /* what ran, in order, with a lent thread */
    leat_token tokens[JOBS];
};

static void
raise(leat_atomic_u32 *most, uint32_t value)
{
    uint32_t now = atom_load_rlx(most);
    while (now < value && !atom_cas_rlx(most, &now, value)) {
    }
}

/* Waits until it may end. */
static void
stay(struct fixture *fixture)
{
    for (;;) {
        uint32_t go = atom_load_acq(&fixture->go);
        if (go != 0 && atom_cas_acq_rel(&fixture->go, &go, go - 1)) {
            return;
        }
        test_sleep_ns(100000);
    }
}

static struct leat_outcome
work(struct leat_run *run, struct fixture *fixture, enum kind kind)
{
    uint32_t number = *(const uint32_t *)leat_run_payload(run, NULL);
    raise(&fixture->most[kind], atom_add_acq_rel(&fixture->running[kind], 1) + 1);
    uint32_t place = atom_add_acq_rel(&fixture->begun[kind], 1);
    if (fixture->lent) {
        fixture->runs[place + (kind == HOG ? atom_load_rlx(&fixture->begun[VIP])
                                           : atom_load_rlx(&fixture->begun[HOG]))] = number;
    } else {
        stay(fixture);
    }
    fixture->tokens[number] = leat_run_token(run);
    (void)atom_sub_acq_rel(&fixture->running[kind], 1);
    return fixture->pending ? leat_pending() : leat_done();
}

static struct leat_outcome
hog(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    if (fixture->kept.bits != 0) {
        CHECK_OK(leat_queue_set_running_min(fixture->engine, fixture->kept, 1));
        fixture->kept.bits = 0;
    }
    return work(run, context, HOG);
}

static struct leat_outcome
vip(struct leat_run *run, void *context)
{
    return work(run, context, VIP);
}

static struct fixture *
setup(uint32_t workers)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    CHECK(fixture != NULL);
    struct leat_config config = test_config();
    config.jobs_max = JOBS;
    config.retained_max = 0;
    config.workers = workers;
    config.workers_max = workers == 0 ? 0 : WORKERS;
    config.lenders_max = WORKERS;
    config.queues_max = QUEUES + 2;
    fixture->lent = workers == 0;
    fixture->engine = test_start(&config);
    fixture->types[HOG] = test_register(fixture->engine, "hog", hog, fixture);
    fixture->types[VIP] = test_register(fixture->engine, "vip", vip, fixture);
    CHECK_OK(leat_queue_find(fixture->engine, "default", &fixture->queue));
    CHECK_OK(leat_queue_create(fixture->engine, "second", NULL, &fixture->second));
    return fixture;
}

/* No place is taken. */
static void
check_empty(struct fixture *fixture)
{
    struct leat_engine *engine = fixture->engine;
    CHECK_EQUAL(leat_gate_used(atom_load_rlx(&engine->reserves.shared.word)), 0);
    for (uint32_t i = 0; i < engine->pool.config.queues; i++) {
        CHECK_EQUAL(leat_gate_used(atom_load_rlx(&engine->pool.queues[i].kept.word)), 0);
        CHECK_EQUAL(leat_gate_used(atom_load_rlx(&engine->pool.queues[i].gate.word)), 0);
    }
}

static void
teardown(struct fixture *fixture)
{
    atom_store_rel(&fixture->go, UINT32_MAX);
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    check_empty(fixture);
    test_close(fixture->engine);
    free(fixture);
}

static void
submit(struct fixture *fixture, enum kind kind, leat_queue queue, uint32_t first, uint32_t end)
{
    for (uint32_t i = first; i < end; i++) {
        struct leat_job job = leat_job_default();
        job.type = fixture->types[kind];
        job.queue = queue;
        job.payload = &i;
        job.payload_bytes = sizeof(i);
        CHECK_OK(leat_submit(fixture->engine, &job, NULL));
    }
}

/* So many run in the end, and never more. */
static void
check_running(struct fixture *fixture, enum kind kind, uint32_t count)
{
    while (atom_load_acq(&fixture->running[kind]) != count) {
        test_sleep_ns(100000);
    }
    test_sleep_ns(5 * TEST_MS);
    CHECK_EQUAL(atom_load_acq(&fixture->running[kind]), count);
}

static uint32_t
run_all(struct fixture *fixture)
{
    uint32_t before = atom_load_rlx(&fixture->begun[HOG]) + atom_load_rlx(&fixture->begun[VIP]);
    while (leat_run_some(fixture->engine, 1, NULL) == LEAT_OK) {
    }
    test_engine_check(fixture->engine);
    return atom_load_rlx(&fixture->begun[HOG]) + atom_load_rlx(&fixture->begun[VIP]) - before;
}

/* ---- who runs -------------------------------------------------------------------------------- */

static void
places_are_kept(void **state)
{
    (void)state;
    for (uint32_t of_type = 0; of_type < 2; of_type++) {
        struct fixture *fixture = setup(WORKERS);
        leat_queue queue = of_type == 1 ? fixture->queue : fixture->second;
        if (of_type == 1) {
            CHECK_OK(leat_type_set_running_min(fixture->engine, fixture->types[VIP], 2));
        } else {
            CHECK_OK(leat_queue_set_running_min(fixture->engine, fixture->second, 2));
        }
        submit(fixture, HOG, fixture->queue, 0, 50);
        check_running(fixture, HOG, 2);
        submit(fixture, VIP, queue, 50, 53); /* behind them */
        check_running(fixture, VIP, 2);
        check_running(fixture, HOG, 2);
        atom_store_rel(&fixture->go, UINT32_MAX / 2);
        CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
        CHECK_EQUAL(atom_load_rlx(&fixture->most[HOG]), 2);
        CHECK_EQUAL(atom_load_rlx(&fixture->begun[HOG]), 50);
        CHECK_EQUAL(atom_load_rlx(&fixture->begun[VIP]), 3);
        teardown(fixture);
    }
}

/* Whose places are kept may take those of the rest, too. */
static void
a_minimum_is_no_cap(void **state)
{
    (void)state;
    struct fixture *fixture = setup(WORKERS);
    CHECK_OK(leat_type_set_running_min(fixture->engine, fixture->types[VIP], 1));
    submit(fixture, VIP, fixture->queue, 0, 20);
    check_running(fixture, VIP, WORKERS);
    submit(fixture, HOG, fixture->queue, 20, 30);
    atom_store_rel(&fixture->go, 20);
    CHECK_OK(leat_type_set_running_max(fixture->engine, fixture->types[VIP], 3));
    teardown(fixture);
}

static void
minimums_change(void **state)
{
    (void)state;
    struct fixture *fixture = setup(WORKERS);
    CHECK_OK(leat_type_set_running_min(fixture->engine, fixture->types[VIP], WORKERS));
    submit(fixture, HOG, fixture->queue, 0, 50);
    check_running(fixture, HOG, 0); /* nothing is left for them */
    CHECK_OK(leat_type_set_running_min(fixture->engine, fixture->types[VIP], 3));
    check_running(fixture, HOG, 1);
    CHECK_OK(leat_type_set_running_min(fixture->engine, fixture->types[VIP], 1));
    check_running(fixture, HOG, 3);
    CHECK_OK(leat_queue_set_running_min(fixture->engine, fixture->second, 2));
    atom_store_rel(&fixture->go, 2);
    check_running(fixture, HOG, 1);
    CHECK_OK(leat_type_set_running_min(fixture->engine, fixture->types[VIP], 0));
    CHECK_OK(leat_queue_set_running_min(fixture->engine, fixture->second, 0));
    check_running(fixture, HOG, WORKERS);
    teardown(fixture);
}

static void
workers_change(void **state)
{
    (void)state;
    struct fixture *fixture = setup(2);
    struct leat_engine *engine = fixture->engine;
    CHECK_OK(leat_type_set_running_min(engine, fixture->types[VIP], 1));
    submit(fixture, HOG, fixture->queue, 0, 50);
    check_running(fixture, HOG, 1);
    CHECK_OK(leat_workers_set(engine, WORKERS));
    check_running(fixture, HOG, 3);
    CHECK_OK(leat_type_set_running_min(engine, fixture->types[VIP], 3));
    CHECK_STATUS(leat_workers_set(engine, 2), LEAT_FULL);
    CHECK_OK(leat_workers_set(engine, 3));
    atom_store_rel(&fixture->go, 3);
    check_running(fixture, HOG, 0);
    CHECK_OK(leat_type_set_running_min(engine, fixture->types[VIP], 0));
    check_running(fixture, HOG, 3);
    teardown(fixture);
}

/* ---- with a lent thread ---------------------------------------------------------------------- */

static void
a_pending_attempt_has_no_place(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0);
    fixture->pending = true;
    CHECK_OK(leat_type_set_running_min(fixture->engine, fixture->types[VIP], WORKERS - 1));
    submit(fixture, HOG, fixture->queue, 0, 50);
    CHECK_EQUAL(run_all(fixture), 50);
    submit(fixture, VIP, fixture->queue, 50, 100);
    CHECK_EQUAL(run_all(fixture), 50);
    for (uint32_t i = 0; i < 100; i++) {
        CHECK_OK(leat_complete(fixture->engine, fixture->tokens[i], leat_done(), NULL));
    }
    teardown(fixture);
}

/* One place for a hundred queues: each job comes, those of a queue in their order. */
static void
all_come_in_turn(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0);
    uint32_t next[QUEUES] = {0};
    CHECK_OK(leat_queue_set_running_min(fixture->engine, fixture->second, WORKERS - 1));
    for (uint32_t i = 0; i < QUEUES; i++) {
        char name[16];
        leat_queue queue = {0};
        (void)snprintf(name, sizeof(name), "%u", i);
        CHECK_OK(leat_queue_create(fixture->engine, name, NULL, &queue));
        submit(fixture, HOG, queue, i * 20, i * 20 + 20);
    }
    CHECK_EQUAL(run_all(fixture), QUEUES * 20);
    for (uint32_t i = 0; i < QUEUES * 20; i++) {
        CHECK_EQUAL(fixture->runs[i] % 20, next[fixture->runs[i] / 20]++);
    }
    teardown(fixture);
}

/* One place for two types, of which each has a list for it: they take turns, whoever came first. */
static void
those_that_wait_for_a_place_take_turns(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0);
    CHECK_OK(leat_queue_set_running_min(fixture->engine, fixture->second, WORKERS - 1));
    submit(fixture, HOG, fixture->queue, 0, 100);
    submit(fixture, VIP, fixture->queue, 100, 200);
    CHECK_EQUAL(run_all(fixture), 200);
    uint32_t at = 0;
    while (fixture->runs[at] < 100) { /* those of the second one are dealt later */
        at++;
    }
    for (uint32_t i = 0; i < 160 - at; i++) {
        bool first = i / LEAT_ADMIT_TURN % 2 == 1;
        CHECK((fixture->runs[at + i] < 100) == first);
    }
    teardown(fixture);
}

/* What was in the ring before the first minimum goes back, and keeps its order. */
static void
jobs_in_the_ring_take_places(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0);
    submit(fixture, HOG, fixture->queue, 0, 100);
    CHECK_OK(leat_type_set_running_min(fixture->engine, fixture->types[VIP], WORKERS));
    CHECK_EQUAL(run_all(fixture), 0);
    submit(fixture, VIP, fixture->queue, 100, 110);
    CHECK_EQUAL(run_all(fixture), 10);
    CHECK_OK(leat_type_set_running_min(fixture->engine, fixture->types[VIP], 0));
    CHECK_EQUAL(run_all(fixture), 100);
    for (uint32_t i = 0; i < 110; i++) {
        CHECK_EQUAL(fixture->runs[i], i < 10 ? 100 + i : i - 10);
    }
    teardown(fixture);
}

/* It waits for a place of all, which is taken, and will be none; and gets one of its own. */
static void
a_place_of_its_own(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0);
    CHECK_OK(leat_type_set_running_min(fixture->engine, fixture->types[VIP], WORKERS - 1));
    submit(fixture, HOG, fixture->queue, 0, 1);
    submit(fixture, HOG, fixture->second, 1, 2);
    fixture->kept = fixture->second;
    CHECK_EQUAL(run_all(fixture), 2);
    teardown(fixture);
}

/* Hold by hold, until nothing is left to do: that ends. */
static void
admit_all(struct fixture *fixture)
{
    struct leat_pool *pool = &fixture->engine->pool;
    uint32_t holds = 0;
    for (uint32_t level = 0; level < LEAT_PRIORITY_LEVELS; level++) {
        while (leat_lists_ready(&pool->lists[level])) {
            CHECK(leat_lists_admit(pool, level));
            CHECK(++holds < JOBS);
        }
    }
}

/* More wait for a place, and for their type, than one turn moves; both lists are called. */
static void
types_and_places_are_called_together(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0);
    struct leat_engine *engine = fixture->engine;
    CHECK_OK(leat_type_set_running_min(engine, fixture->types[VIP], WORKERS - 1));
    submit(fixture, HOG, fixture->queue, 0, 40);
    admit_all(fixture);
    CHECK_OK(leat_type_set_running_max(engine, fixture->types[HOG], 1));
    submit(fixture, HOG, fixture->queue, 40, 80);
    admit_all(fixture);
    CHECK_OK(leat_type_set_running_max(engine, fixture->types[HOG], 0));
    CHECK_OK(leat_type_set_running_min(engine, fixture->types[VIP], WORKERS - 2));
    admit_all(fixture);
    CHECK_EQUAL(leat_gate_used(atom_load_rlx(&engine->reserves.shared.word)), 2);
    CHECK_EQUAL(run_all(fixture), 80);
    for (uint32_t i = 0; i < 80; i++) {
        CHECK_EQUAL(fixture->runs[i], i);
    }
    teardown(fixture);
}

/* More jobs of a queue with a place come from their type to that than one turn moves. */
static void
a_type_opens_to_a_full_place(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0);
    struct leat_engine *engine = fixture->engine;
    CHECK_OK(leat_type_set_running_min(engine, fixture->types[VIP], WORKERS - 1));
    CHECK_OK(leat_queue_set_running_min(engine, fixture->second, 1));
    CHECK_OK(leat_type_set_running_max(engine, fixture->types[HOG], 1));
    submit(fixture, HOG, fixture->second, 0, 40);
    admit_all(fixture);
    CHECK_OK(leat_type_set_running_max(engine, fixture->types[HOG], 0));
    admit_all(fixture);
    submit(fixture, HOG, fixture->second, 40, 80);
    /* They go on to places of another kind, behind none that come later. */
    CHECK_OK(leat_queue_set_running_min(engine, fixture->second, 0));
    admit_all(fixture);
    CHECK_OK(leat_queue_set_running_min(engine, fixture->second, 1));
    CHECK_EQUAL(run_all(fixture), 80);
    for (uint32_t i = 0; i < 80; i++) {
        CHECK_EQUAL(fixture->runs[i], i);
    }
    teardown(fixture);
}

static void
with_caps_and_pauses(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0);
    CHECK_OK(leat_type_set_running_min(fixture->engine, fixture->types[VIP], 1));
    CHECK_OK(leat_type_set_running_max(fixture->engine, fixture->types[HOG], 2));
    CHECK_OK(leat_queue_pause(fixture->engine, fixture->queue));
    submit(fixture, HOG, fixture->queue, 0, 100);
    submit(fixture, VIP, fixture->queue, 100, 120);
    CHECK_EQUAL(run_all(fixture), 0);
    check_empty(fixture);
    submit(fixture, HOG, fixture->second, 120, 130);
    CHECK_EQUAL(run_all(fixture), 10);
    CHECK_OK(leat_queue_resume(fixture->engine, fixture->queue));
    CHECK_EQUAL(run_all(fixture), 120);
    teardown(fixture);
}

/* ---- options and errors ---------------------------------------------------------------------- */

static void
limits(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0);
    struct leat_engine *engine = fixture->engine;
    CHECK_STATUS(leat_type_set_running_min(engine, fixture->types[VIP], WORKERS + 1), LEAT_FULL);
    CHECK_STATUS(leat_type_set_running_min(engine, fixture->types[VIP], UINT32_MAX), LEAT_FULL);
    CHECK(!leat_gates_any(engine));
    CHECK_OK(leat_type_set_running_min(engine, fixture->types[VIP], WORKERS));
    CHECK_STATUS(leat_queue_set_running_min(engine, fixture->second, 1), LEAT_FULL);
    CHECK_OK(leat_type_set_running_min(engine, fixture->types[VIP], WORKERS - 1));
    CHECK_STATUS(leat_queue_set_running_min(engine, fixture->second, 2), LEAT_FULL);
    CHECK_OK(leat_queue_set_running_min(engine, fixture->second, 1));
    CHECK_OK(leat_queue_set_running_min(engine, fixture->second, 0));
    teardown(fixture);
}

static void
minimums_by_options(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0);
    struct leat_queue_options queue_options = leat_queue_options_default();
    struct leat_type_options type_options = leat_type_options_default();
    leat_queue queue = {0};
    leat_type type = {0};
    queue_options.running_min = 2;
    type_options.running_min = 2;
    CHECK_OK(leat_queue_create(fixture->engine, "two", &queue_options, &queue));
    CHECK_OK(leat_type_register(fixture->engine, "two", hog, fixture, &type_options, &type));
    submit(fixture, HOG, fixture->queue, 0, 10);
    CHECK_EQUAL(run_all(fixture), 0);
    submit(fixture, HOG, queue, 10, 20);
    CHECK_EQUAL(run_all(fixture), 10);
    /* One that does not fit: it is there, without. */
    CHECK_STATUS(leat_queue_create(fixture->engine, "more", &queue_options, &queue), LEAT_FULL);
    CHECK_OK(leat_queue_find(fixture->engine, "more", &queue));
    CHECK_OK(leat_type_set_running_min(fixture->engine, type, 0));
    CHECK_EQUAL(run_all(fixture), 10);
    teardown(fixture);
}

static void
bad_input(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0);
    struct leat_engine *engine = fixture->engine;
    const leat_queue no_queue = {0};
    const leat_type no_type = {0};
    CHECK_STATUS(leat_queue_set_running_min(NULL, fixture->queue, 1), LEAT_INVALID);
    CHECK_STATUS(leat_queue_set_running_min(engine, no_queue, 1), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_type_set_running_min(NULL, fixture->types[VIP], 1), LEAT_INVALID);
    CHECK_STATUS(leat_type_set_running_min(engine, no_type, 1), LEAT_NOT_FOUND);
    CHECK(!leat_gates_any(engine));
    teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_are_kept),
        cmocka_unit_test(a_minimum_is_no_cap),
        cmocka_unit_test(minimums_change),
        cmocka_unit_test(workers_change),
        cmocka_unit_test(a_pending_attempt_has_no_place),
        cmocka_unit_test(all_come_in_turn),
        cmocka_unit_test(those_that_wait_for_a_place_take_turns),
        cmocka_unit_test(jobs_in_the_ring_take_places),
        cmocka_unit_test(a_place_of_its_own),
        cmocka_unit_test(types_and_places_are_called_together),
        cmocka_unit_test(a_type_opens_to_a_full_place),
        cmocka_unit_test(with_caps_and_pauses),
        cmocka_unit_test(limits),
        cmocka_unit_test(minimums_by_options),
        cmocka_unit_test(bad_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
