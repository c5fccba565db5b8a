/* unit_exact.c - queues in exact order, with a lent thread: jobs begin by order_priority and then
 * by their submit, whatever happens to them or to others: cancels, which a sweep gives back,
 * expiry, retries, another time, a pause, caps of queue and type. A more urgent one that comes
 * later waits for those only that were ahead, of which there is one here. What such a queue does
 * not take. Holds I1 to I4 of sched/lists.h, which test_engine_check() looks at in each test. */
#include <stdlib.h>
#include <string.h>

#include "engine/gates.h"
#include "engine/order.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

#define JOBS  4096
#define LEVEL 4 /* of priority NORMAL */

enum way { WAY_DONE, WAY_PENDING, WAY_RETRY_ONCE };

struct fixture {
    struct leat_engine *engine;
    leat_type type;
    leat_type other;
    leat_queue queue;
    uint32_t runs[JOBS]; /* what ran, in order */
    uint32_t count;
    uint32_t urgency[JOBS]; /* by number */
    leat_job_id ids[JOBS];
    leat_token tokens[JOBS];
    enum way way;
    uint64_t delay_ns;
};

static struct leat_outcome
note(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    uint32_t number = *(const uint32_t *)leat_run_payload(run, NULL);
    CHECK(fixture->count < JOBS);
    fixture->runs[fixture->count++] = number;
    fixture->tokens[number] = leat_run_token(run);
    switch (fixture->way) {
    case WAY_PENDING:
        return leat_pending();
    case WAY_RETRY_ONCE:
        return leat_run_attempt(run) == 1 ? leat_retry_in(0) : leat_done();
    case WAY_DONE:
        break;
    }
    return leat_done();
}

static struct fixture *
setup(void)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    CHECK(fixture != NULL);
    struct leat_config config = test_config();
    struct leat_queue_options options = leat_queue_options_default();
    config.jobs_max = JOBS;
    config.workers = 0;
    config.retained_max = 0;
    fixture->engine = test_start(&config);
    fixture->type = test_register(fixture->engine, "note", note, fixture);
    fixture->other = test_register(fixture->engine, "other", note, fixture);
    options.order = LEAT_ORDER_EXACT;
    CHECK_OK(leat_queue_create(fixture->engine, "exact", &options, &fixture->queue));
    return fixture;
}

static uint32_t
ahead(const struct fixture *fixture)
{
    const struct leat_gate *gate = &fixture->engine->pool.queues[fixture->queue.bits - 1].ahead;
    return leat_gate_used(atom_load_rlx(&gate->word));
}

static uint32_t
in_use(const struct fixture *fixture)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < JOBS; i++) {
        /* rlx: statistic */
        uint64_t word = atom_load_rlx(leat_slab_word(&fixture->engine->jobs, i));
        count += (leat_word_generation(word) & 1) != 0 && leat_word_phase(word) != LEAT_PHASE_GONE;
    }
    return count;
}

static void
teardown(struct fixture *fixture)
{
    CHECK_EQUAL(ahead(fixture), 0);
    test_close(fixture->engine);
    free(fixture);
}

static enum leat_status
submit_with(struct fixture *fixture, uint32_t number, struct leat_job_options *options)
{
    struct leat_job job = leat_job_default();
    job.type = fixture->type;
    job.queue = fixture->queue;
    job.payload = &number;
    job.payload_bytes = sizeof(number);
    options->order_priority = fixture->urgency[number];
    job.delay_ns = fixture->delay_ns;
    job.options = options;
    return leat_submit(fixture->engine, &job, &fixture->ids[number]);
}

static void
submit(struct fixture *fixture, uint32_t number, uint32_t urgency)
{
    struct leat_job_options options = leat_job_options_default();
    fixture->urgency[number] = urgency;
    CHECK_OK(submit_with(fixture, number, &options));
}

/* Mixed, some alike, some at the ends of 32 bits. */
static void
submit_mixed(struct fixture *fixture, uint32_t first, uint32_t end)
{
    struct test_prng prng = {first + 1};
    for (uint32_t i = first; i < end; i++) {
        uint32_t urgency = test_random_below(&prng, 500);
        submit(fixture, i, urgency == 0 ? UINT32_MAX : urgency - 1);
    }
}

static uint32_t
run_all(struct fixture *fixture)
{
    uint32_t before = fixture->count;
    size_t ran = 0;
    for (uint32_t i = 0; i < 4 * JOBS && leat_run_some(fixture->engine, 1, &ran) == LEAT_OK; i++) {
    }
    test_engine_check(fixture->engine);
    return fixture->count - before;
}

static bool
in_order(const struct fixture *fixture, uint32_t one, uint32_t other)
{
    uint32_t urgency = fixture->urgency[one];
    return urgency < fixture->urgency[other] || (urgency == fixture->urgency[other] && one < other);
}

static void
check_order(const struct fixture *fixture, uint32_t from)
{
    for (uint32_t i = from; i + 1 < fixture->count; i++) {
        CHECK(in_order(fixture, fixture->runs[i], fixture->runs[i + 1]));
    }
}

/* As a worker that finds no job in the ring. */
static void
hold_often(struct fixture *fixture, uint32_t times)
{
    for (uint32_t i = 0; i < times; i++) {
        CHECK(leat_lists_admit(&fixture->engine->pool, LEVEL));
    }
}

/* ---- order ---------------------------------------------------------------------------------- */

static void
jobs_begin_in_order(void **state)
{
    (void)state;
    static const uint32_t counts[] = {1, 2, 3, LEAT_ADMIT_MOVES + 1, JOBS};
    for (size_t i = 0; i < TEST_COUNT_OF(counts); i++) {
        struct fixture *fixture = setup();
        submit_mixed(fixture, 0, counts[i]);
        CHECK_EQUAL(run_all(fixture), counts[i]);
        check_order(fixture, 0);
        teardown(fixture);
    }
}

static void
one_without_options_is_urgent(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    uint32_t number = 2;
    struct leat_job job = leat_job_default();
    submit(fixture, 0, 1);
    submit(fixture, 1, 0);
    job.type = fixture->type;
    job.queue = fixture->queue;
    job.payload = &number;
    job.payload_bytes = sizeof(number);
    CHECK_OK(leat_submit(fixture->engine, &job, NULL));
    CHECK_EQUAL(run_all(fixture), 3);
    check_order(fixture, 0);
    teardown(fixture);
}

static void
one_that_comes_later_waits_for_one(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    for (uint32_t i = 0; i < 1000; i++) {
        submit(fixture, i, 7);
    }
    CHECK_OK(leat_run_some(fixture->engine, 1, NULL));
    for (uint32_t i = 1000; i < 1100; i++) {
        uint32_t before = fixture->count;
        submit(fixture, i, i % 2);
        CHECK_OK(leat_run_some(fixture->engine, 2, NULL));
        CHECK_EQUAL(fixture->count, before + 2);
        CHECK(fixture->runs[before] == i || fixture->runs[before + 1] == i);
        CHECK(ahead(fixture) <= 1);
    }
    CHECK_EQUAL(run_all(fixture), 1100 - 201);
    teardown(fixture);
}

/* `before` jobs have come a part of the way from the inbox to the heap when more urgent ones come.
 * Returns whether none was ahead then. */
static bool
come_late(uint32_t before, uint32_t holds, uint32_t late)
{
    struct fixture *fixture = setup();
    for (uint32_t i = 0; i < before; i++) {
        submit(fixture, i, 5);
    }
    for (uint32_t i = 0; i < holds; i++) {
        (void)leat_lists_admit(&fixture->engine->pool, LEVEL);
    }
    bool first = ahead(fixture) == 0;
    for (uint32_t i = 0; i < late; i++) {
        submit(fixture, before + i, 0);
    }
    CHECK_EQUAL(run_all(fixture), before + late);
    CHECK_EQUAL(fixture->runs[first ? 0 : 1], before);
    teardown(fixture);
    return first;
}

/* However far that is: the inbox is looked at once more, and all of it is dealt. */
static void
those_that_come_while_others_are_dealt(void **state)
{
    (void)state;
    enum { MOVES = LEAT_ADMIT_MOVES, HOLDS = 12 };
    uint32_t first = 0;
    for (uint32_t holds = 0; holds < HOLDS; holds++) {
        first += come_late(5 * MOVES / 2, holds, 1);
        first += come_late(5 * MOVES / 2, holds, 2 * MOVES);
        first += come_late(7 * MOVES / 2, holds, 1);
        first += come_late(7 * MOVES / 2, holds, 2 * MOVES);
    }
    CHECK(first > 8 && first < 4 * HOLDS);
}

/* One that is counted and not in the inbox yet: its thread may stay away for long. */
static void
who_stops_in_a_submit_holds_up_nobody(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_engine *engine = fixture->engine;
    leat_atomic_u32 *waiting = &engine->pool.queues[fixture->queue.bits - 1].waiting[LEVEL];
    (void)atom_add_rlx(waiting, 1); /* as by another thread */
    for (uint32_t i = 0; i < 3; i++) {
        submit(fixture, i, 3 - i);
    }
    hold_often(fixture, 1);
    CHECK_EQUAL(ahead(fixture), 1);
    (void)atom_sub_rlx(waiting, 1);
    CHECK_EQUAL(run_all(fixture), 3);
    check_order(fixture, 0);
    teardown(fixture);
}

static void
batches_are_in_order(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_job_options options[3];
    struct leat_job jobs[3];
    uint32_t numbers[3] = {0, 1, 2};
    for (uint32_t i = 0; i < 3; i++) {
        options[i] = leat_job_options_default();
        fixture->urgency[i] = 3 - i;
        options[i].order_priority = 3 - i;
        jobs[i] = leat_job_default();
        jobs[i].type = fixture->type;
        jobs[i].queue = fixture->queue;
        jobs[i].payload = &numbers[i];
        jobs[i].payload_bytes = sizeof(numbers[i]);
        jobs[i].options = &options[i];
    }
    CHECK_OK(leat_submit_batch(fixture->engine, jobs, 3, LEAT_BATCH_ALL_OR_NONE, NULL, NULL));
    CHECK_EQUAL(run_all(fixture), 3);
    check_order(fixture, 0);
    teardown(fixture);
}

/* ---- one hold ------------------------------------------------------------------------------- */

/* The jobs come in their order, so the heap is broad, and a sweep comes by the second one late. It
 * begins in the hold that opens the queue. */
static void
a_swept_heap_admits_nothing(void **state)
{
    (void)state;
    enum { ALL = 1000, HOLDS = ALL / LEAT_ADMIT_MOVES };
    struct fixture *fixture = setup();
    const struct leat_lists *lists = &fixture->engine->pool.lists[LEVEL];
    CHECK_OK(leat_queue_pause(fixture->engine, fixture->queue));
    for (uint32_t i = 0; i < ALL; i++) {
        submit(fixture, i, i);
    }
    CHECK_EQUAL(run_all(fixture), 0);
    for (uint32_t i = 0; i < ALL; i++) {
        if (i % 4 > 1) {
            CHECK_OK(leat_cancel(fixture->engine, fixture->ids[i]));
        }
    }
    CHECK_OK(leat_cancel(fixture->engine, fixture->ids[ALL - 3]));
    CHECK_OK(leat_queue_resume(fixture->engine, fixture->queue));
    for (uint32_t i = 0; i < HOLDS; i++) {
        hold_often(fixture, 1);
        CHECK_EQUAL(lists->sweeping, fixture->queue.bits - 1);
        CHECK(lists->lists[lists->sweeping].heap.count != 0);
        CHECK_EQUAL(ahead(fixture), 0);
        test_engine_check(fixture->engine);
    }
    hold_often(fixture, 1);
    CHECK_EQUAL(lists->sweeping, LEAT_INDEX_NONE);
    CHECK_EQUAL(ahead(fixture), 1);
    CHECK_EQUAL(run_all(fixture), ALL / 2 - 1);
    check_order(fixture, 0);
    teardown(fixture);
}

/* It was ahead already, and had a place in the window of its queue's weight. */
static void
a_full_ring_gives_the_places_back(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_engine *engine = fixture->engine;
    const leat_queue exact = fixture->queue;
    uint32_t slots = (uint32_t)leat_mpmc_slots(&engine->pool.rings[LEVEL]);
    CHECK_OK(leat_queue_set_weight(engine, exact, 1));
    fixture->queue = (leat_queue){0}; /* "default" */
    for (uint32_t i = 0; i < slots; i++) {
        submit(fixture, i, 0);
    }
    fixture->queue = exact;
    submit(fixture, slots, 1);
    hold_often(fixture, 4);
    CHECK_EQUAL(ahead(fixture), 0);
    CHECK_EQUAL(atom_load_rlx(&engine->windows.used[LEVEL]), 0);
    CHECK_EQUAL(leat_gate_used(atom_load_rlx(&leat_gate_of(engine, exact.bits - 1)->word)), 0);
    submit(fixture, slots + 1, 0);
    CHECK_EQUAL(run_all(fixture), slots + 2);
    CHECK_EQUAL(fixture->runs[slots], slots + 1);
    CHECK_EQUAL(fixture->runs[slots + 1], slots);
    teardown(fixture);
}

/* So many of another queue come that the inbox cannot be emptied; but its own is there. */
static void
a_flood_of_others_does_not_hold_it_up(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_engine *engine = fixture->engine;
    const leat_queue exact = fixture->queue;
    uint32_t slots = (uint32_t)leat_mpmc_slots(&engine->pool.rings[LEVEL]);
    CHECK_OK(leat_queue_pause(engine, exact));
    submit(fixture, 0, 0);
    hold_often(fixture, 1);
    fixture->queue = (leat_queue){0}; /* "default" */
    for (uint32_t i = 1; i <= slots; i++) {
        submit(fixture, i, 0);
    }
    CHECK_OK(leat_run_some(engine, 1, NULL));
    for (uint32_t i = slots + 1; i < slots + 500; i++) {
        submit(fixture, i, 0);
    }
    CHECK_OK(leat_run_some(engine, 1, NULL));
    fixture->queue = exact;
    CHECK_OK(leat_queue_resume(engine, exact));
    CHECK_EQUAL(ahead(fixture), 0);
    hold_often(fixture, 1);
    CHECK(engine->pool.lists[LEVEL].chain != LEAT_INDEX_NONE);
    CHECK_EQUAL(ahead(fixture), 1);
    CHECK_EQUAL(run_all(fixture), slots + 498);
    CHECK_EQUAL(fixture->runs[slots + 1], 0); /* behind those in the ring */
    teardown(fixture);
}

/* ---- what happens to jobs ------------------------------------------------------------------- */

/* So many that they are swept, one by one, while others come. */
static void
cancelled_ones_leave(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    CHECK_OK(leat_queue_pause(fixture->engine, fixture->queue));
    submit_mixed(fixture, 0, 3000);
    CHECK_EQUAL(run_all(fixture), 0);
    for (uint32_t i = 0; i < 3000; i++) {
        if (i % 8 != 0) {
            CHECK_OK(leat_cancel(fixture->engine, fixture->ids[i]));
        }
    }
    submit_mixed(fixture, 3000, 3500);
    CHECK_EQUAL(run_all(fixture), 0);
    CHECK(in_use(fixture) <= 375 + 500 + 1000);
    CHECK_OK(leat_queue_resume(fixture->engine, fixture->queue));
    CHECK_EQUAL(run_all(fixture), 375 + 500);
    check_order(fixture, 0);
    CHECK_EQUAL(in_use(fixture), 0);
    teardown(fixture);
}

/* A sweep is answered before the jobs are dealt that it was called for: the heap is empty then. */
static void
a_sweep_comes_before_the_jobs(void **state)
{
    (void)state;
    enum { ALL = 2 * LEAT_ADMIT_MOVES, REST = 8 };
    struct fixture *fixture = setup();
    submit_mixed(fixture, 0, ALL);
    for (uint32_t i = 0; i < ALL - REST; i++) {
        CHECK_OK(leat_cancel(fixture->engine, fixture->ids[i]));
    }
    leat_lists_sweep(&fixture->engine->pool, LEVEL, fixture->queue.bits - 1);
    CHECK_EQUAL(run_all(fixture), REST);
    check_order(fixture, 0);
    CHECK_EQUAL(in_use(fixture), 0);
    teardown(fixture);
}

static void
expired_ones_do_not_begin(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    for (uint32_t i = 0; i < 400; i++) {
        struct leat_job_options options = leat_job_options_default();
        fixture->urgency[i] = i * 7919 % 400;
        options.expires_in_ns = i % 2 == 0 ? 1 : LEAT_FOREVER;
        CHECK_OK(submit_with(fixture, i, &options));
    }
    CHECK_EQUAL(run_all(fixture), 200);
    check_order(fixture, 0);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_dead, 200);
    teardown(fixture);
}

/* Its first attempt is followed by the one that was ahead, then by its second. */
static void
a_retry_comes_to_its_place(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    fixture->way = WAY_RETRY_ONCE;
    submit(fixture, 0, 5);
    CHECK_OK(leat_run_some(fixture->engine, 1, NULL));
    fixture->way = WAY_DONE;
    for (uint32_t i = 1; i < 100; i++) {
        submit(fixture, i, 5);
    }
    submit(fixture, 100, 4);
    CHECK_EQUAL(run_all(fixture), 101);
    CHECK(fixture->runs[1] == 0 || fixture->runs[2] == 0);
    CHECK(fixture->runs[1] == 100 || fixture->runs[2] == 100);
    check_order(fixture, 3);
    teardown(fixture);
}

static void
another_time_keeps_the_place(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    const struct leat_when soon = {.delay_ns = TEST_MS};
    CHECK_OK(leat_queue_pause(fixture->engine, fixture->queue));
    for (uint32_t i = 0; i < 500; i++) {
        fixture->delay_ns = i % 3 == 0 ? UINT64_C(3600000) * TEST_MS : 0;
        submit_mixed(fixture, i, i + 1);
    }
    CHECK_EQUAL(run_all(fixture), 0);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_scheduled, 167);
    for (uint32_t i = 0; i < 500; i += 3) {
        CHECK_OK(leat_reschedule(fixture->engine, fixture->ids[i], soon));
    }
    for (uint32_t i = 0; i < 3000 && test_statistics(fixture->engine).jobs_scheduled != 0; i++) {
        CHECK_EQUAL(run_all(fixture), 0);
        test_sleep_ns(TEST_MS);
    }
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_scheduled, 0);
    CHECK_OK(leat_queue_resume(fixture->engine, fixture->queue));
    CHECK_EQUAL(run_all(fixture), 500);
    check_order(fixture, 0);
    teardown(fixture);
}

/* One that waits in the heap is put off: it leaves at its turn, and comes back. */
static void
one_that_is_put_off_comes_later(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    const struct leat_when later = {.delay_ns = UINT64_C(3600000) * TEST_MS};
    const struct leat_when now = {.delay_ns = 0};
    CHECK_OK(leat_queue_pause(fixture->engine, fixture->queue));
    submit_mixed(fixture, 0, 300);
    CHECK_EQUAL(run_all(fixture), 0);
    for (uint32_t i = 0; i < 100; i++) {
        CHECK_OK(leat_reschedule(fixture->engine, fixture->ids[i], later));
    }
    CHECK_OK(leat_queue_resume(fixture->engine, fixture->queue));
    CHECK_EQUAL(run_all(fixture), 200);
    check_order(fixture, 0);
    CHECK_OK(leat_queue_pause(fixture->engine, fixture->queue));
    for (uint32_t i = 0; i < 100; i++) {
        CHECK_OK(leat_reschedule(fixture->engine, fixture->ids[i], now));
    }
    CHECK_EQUAL(run_all(fixture), 0);
    CHECK_OK(leat_queue_resume(fixture->engine, fixture->queue));
    CHECK_EQUAL(run_all(fixture), 100);
    check_order(fixture, 200);
    teardown(fixture);
}

/* ---- gates ---------------------------------------------------------------------------------- */

/* The one that was ahead goes back behind what has come meanwhile. */
static void
a_pause_takes_back_what_is_ahead(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    submit_mixed(fixture, 0, 300);
    CHECK_OK(leat_run_some(fixture->engine, 1, NULL));
    CHECK_OK(leat_queue_pause(fixture->engine, fixture->queue));
    CHECK_EQUAL(run_all(fixture), 0);
    CHECK_EQUAL(ahead(fixture), 0);
    submit_mixed(fixture, 300, 600);
    CHECK_EQUAL(run_all(fixture), 0);
    CHECK_OK(leat_queue_resume(fixture->engine, fixture->queue));
    CHECK_EQUAL(run_all(fixture), 599);
    check_order(fixture, 1);
    teardown(fixture);
}

static void
a_cap_keeps_the_order(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    fixture->way = WAY_PENDING;
    CHECK_OK(leat_queue_set_running_max(fixture->engine, fixture->queue, 3));
    submit_mixed(fixture, 0, 300);
    CHECK_EQUAL(run_all(fixture), 3);
    for (uint32_t i = 0; i < 300; i++) {
        CHECK_OK(
            leat_complete(fixture->engine, fixture->tokens[fixture->runs[i]], leat_done(), NULL));
        CHECK_EQUAL(run_all(fixture), i < 297 ? 1 : 0);
    }
    check_order(fixture, 0);
    teardown(fixture);
}

/* What waits for its type is ahead, so one alone; and when it is cancelled there, the next one. */
static void
a_types_cap_keeps_the_order(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    fixture->way = WAY_PENDING;
    CHECK_OK(leat_type_set_running_max(fixture->engine, fixture->type, 1));
    for (uint32_t i = 0; i < 100; i++) {
        submit(fixture, i, 100 - i);
    }
    CHECK_EQUAL(run_all(fixture), 1);
    CHECK_EQUAL(fixture->runs[0], 99);
    CHECK_EQUAL(ahead(fixture), 1);
    submit(fixture, 100, 0);
    CHECK_OK(leat_cancel(fixture->engine, fixture->ids[97]));
    for (uint32_t i = 0; i < 100; i++) {
        CHECK_OK(
            leat_complete(fixture->engine, fixture->tokens[fixture->runs[i]], leat_done(), NULL));
        CHECK_EQUAL(run_all(fixture), i < 99 ? 1 : 0);
    }
    CHECK_EQUAL(fixture->runs[1], 98);
    CHECK_EQUAL(fixture->runs[2], 100);
    check_order(fixture, 2);
    teardown(fixture);
}

/* The one that waits for its type is cancelled, and others of the queue go on. */
static void
a_cancel_gives_the_place_ahead_back(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    const leat_type type = fixture->type;
    fixture->way = WAY_PENDING;
    CHECK_OK(leat_type_set_running_max(fixture->engine, type, 1));
    submit(fixture, 0, 0);
    submit(fixture, 1, 1);
    CHECK_EQUAL(run_all(fixture), 1);
    fixture->type = fixture->other;
    submit(fixture, 2, 2);
    CHECK_EQUAL(run_all(fixture), 0); /* strictly in order: it waits behind the other one */
    CHECK_OK(leat_cancel(fixture->engine, fixture->ids[1]));
    CHECK_OK(leat_complete(fixture->engine, fixture->tokens[0], leat_done(), NULL));
    CHECK_EQUAL(run_all(fixture), 1);
    CHECK_EQUAL(fixture->runs[1], 2);
    CHECK_OK(leat_complete(fixture->engine, fixture->tokens[2], leat_done(), NULL));
    fixture->type = type;
    teardown(fixture);
}

/* The same while the type stays shut: its list is swept at once. */
static void
a_cancel_behind_a_shut_type_gives_it_back(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    const leat_type type = fixture->type;
    fixture->way = WAY_PENDING;
    CHECK_OK(leat_type_set_running_max(fixture->engine, type, 1));
    submit(fixture, 0, 0);
    submit(fixture, 1, 1);
    CHECK_EQUAL(run_all(fixture), 1);
    CHECK_EQUAL(ahead(fixture), 1);
    fixture->type = fixture->other;
    submit(fixture, 2, 2);
    CHECK_EQUAL(run_all(fixture), 0);
    CHECK_OK(leat_cancel(fixture->engine, fixture->ids[1]));
    CHECK_EQUAL(run_all(fixture), 1);
    CHECK_EQUAL(fixture->runs[1], 2);
    CHECK_OK(leat_complete(fixture->engine, fixture->tokens[2], leat_done(), NULL));
    CHECK_OK(leat_complete(fixture->engine, fixture->tokens[0], leat_done(), NULL));
    fixture->type = type;
    teardown(fixture);
}

/* The same for one that expires there, which a timer finds or the list. */
static void
expire_ahead(bool by_list)
{
    struct fixture *fixture = setup();
    struct leat_job_options options = leat_job_options_default();
    fixture->way = WAY_PENDING;
    CHECK_OK(leat_type_set_running_max(fixture->engine, fixture->type, 1));
    submit(fixture, 0, 0);
    CHECK_EQUAL(run_all(fixture), 1);
    options.expires_in_ns = 400 * TEST_MS; /* long enough to be seen ahead before */
    CHECK_OK(submit_with(fixture, 1, &options));
    CHECK_EQUAL(run_all(fixture), 0);
    CHECK_EQUAL(ahead(fixture), 1);
    submit(fixture, 2, 2);
    test_sleep_ns(410 * TEST_MS);
    CHECK_OK(leat_complete(fixture->engine, fixture->tokens[0], leat_done(), NULL));
    if (by_list) { /* no timer is looked at */
        hold_often(fixture, 1);
        CHECK_EQUAL(test_statistics(fixture->engine).jobs_dead, 1);
    }
    CHECK_EQUAL(run_all(fixture), 1);
    CHECK_EQUAL(fixture->runs[1], 2);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_dead, 1);
    CHECK_OK(leat_complete(fixture->engine, fixture->tokens[2], leat_done(), NULL));
    teardown(fixture);
}

static void
an_expiry_gives_the_place_ahead_back(void **state)
{
    (void)state;
    expire_ahead(false);
    expire_ahead(true);
}

/* One that waits for its type finds its queue paused when that has room: back in the heap it is
 * ahead no more, and a more urgent one goes first. */
static void
one_that_goes_back_gives_the_place_ahead_back(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    fixture->way = WAY_PENDING;
    CHECK_OK(leat_type_set_running_max(fixture->engine, fixture->type, 1));
    submit(fixture, 0, 0);
    submit(fixture, 1, 5);
    CHECK_EQUAL(run_all(fixture), 1);
    CHECK_EQUAL(ahead(fixture), 1);
    CHECK_OK(leat_queue_pause(fixture->engine, fixture->queue));
    CHECK_OK(leat_complete(fixture->engine, fixture->tokens[0], leat_done(), NULL));
    CHECK_EQUAL(run_all(fixture), 0);
    CHECK_EQUAL(ahead(fixture), 0);
    submit(fixture, 2, 4);
    CHECK_OK(leat_queue_resume(fixture->engine, fixture->queue));
    for (uint32_t i = 1; i < 3; i++) {
        CHECK_EQUAL(run_all(fixture), 1);
        CHECK_EQUAL(fixture->runs[i], 3 - i);
        CHECK_OK(leat_complete(fixture->engine, fixture->tokens[3 - i], leat_done(), NULL));
    }
    teardown(fixture);
}

/* ---- what it does not take ------------------------------------------------------------------ */

static void
all_jobs_have_the_queues_priority(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_job job = leat_job_default();
    uint32_t number = 0;
    job.type = fixture->type;
    job.queue = fixture->queue;
    job.payload = &number;
    job.payload_bytes = sizeof(number);
    job.priority = LEAT_PRIORITY_NORMAL + 1;
    CHECK_STATUS(leat_submit(fixture->engine, &job, NULL), LEAT_INVALID);
    job.priority = LEAT_PRIORITY_NORMAL;
    CHECK_OK(leat_submit(fixture->engine, &job, &fixture->ids[0]));
    CHECK_STATUS(leat_priority_set(fixture->engine, fixture->ids[0], 0), LEAT_INVALID);
    CHECK_OK(leat_priority_set(fixture->engine, fixture->ids[0], LEAT_PRIORITY_NORMAL));
    CHECK_EQUAL(run_all(fixture), 1);
    teardown(fixture);
}

static void
a_queue_keeps_its_order(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_queue_options options = leat_queue_options_default();
    leat_queue queue = {0};
    CHECK_STATUS(leat_queue_create(fixture->engine, "exact", &options, &queue), LEAT_EXISTS);
    CHECK(leat_order_exact(fixture->engine, queue.bits - 1));
    options.order = LEAT_ORDER_EXACT;
    CHECK_STATUS(leat_queue_create(fixture->engine, "default", &options, &queue), LEAT_EXISTS);
    CHECK(!leat_order_exact(fixture->engine, queue.bits - 1));
    fixture->queue = queue;
    submit(fixture, 0, 2);
    submit(fixture, 1, 1);
    CHECK_EQUAL(run_all(fixture), 2);
    CHECK_EQUAL(fixture->runs[0], 0);
    queue.bits = 77;
    options.order = (enum leat_order)2;
    CHECK_STATUS(leat_queue_create(fixture->engine, "other", &options, &queue), LEAT_INVALID);
    CHECK_STATUS(leat_queue_find(fixture->engine, "other", &queue), LEAT_NOT_FOUND);
    CHECK_EQUAL(queue.bits, 77);
    teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_begin_in_order),
        cmocka_unit_test(one_without_options_is_urgent),
        cmocka_unit_test(one_that_comes_later_waits_for_one),
        cmocka_unit_test(those_that_come_while_others_are_dealt),
        cmocka_unit_test(who_stops_in_a_submit_holds_up_nobody),
        cmocka_unit_test(batches_are_in_order),
        cmocka_unit_test(a_swept_heap_admits_nothing),
        cmocka_unit_test(a_full_ring_gives_the_places_back),
        cmocka_unit_test(a_flood_of_others_does_not_hold_it_up),
        cmocka_unit_test(cancelled_ones_leave),
        cmocka_unit_test(a_sweep_comes_before_the_jobs),
        cmocka_unit_test(expired_ones_do_not_begin),
        cmocka_unit_test(a_retry_comes_to_its_place),
        cmocka_unit_test(another_time_keeps_the_place),
        cmocka_unit_test(one_that_is_put_off_comes_later),
        cmocka_unit_test(a_pause_takes_back_what_is_ahead),
        cmocka_unit_test(a_cap_keeps_the_order),
        cmocka_unit_test(a_types_cap_keeps_the_order),
        cmocka_unit_test(a_cancel_gives_the_place_ahead_back),
        cmocka_unit_test(a_cancel_behind_a_shut_type_gives_it_back),
        cmocka_unit_test(an_expiry_gives_the_place_ahead_back),
        cmocka_unit_test(one_that_goes_back_gives_the_place_ahead_back),
        cmocka_unit_test(all_jobs_have_the_queues_priority),
        cmocka_unit_test(a_queue_keeps_its_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
