/* unit_lists.c - waiting lists of the engine with rings of 64 slots: a hundred times as many jobs
 * all run, with one worker in the order in which they came, queue by queue; listed jobs survive a
 * stop, go with a close, and are seen by a lent thread; cancelled ones leave at their turn or by a
 * sweep; a queue's limit is exact below, at and above it, and does not keep a retry out.
 * Holds I1 to I4 of sched/lists.h, which test_engine_check() looks at in each test. */
#include <stdlib.h>
#include <string.h>

#include "engine/engine_internal.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/threads.h"

#define JOBS  6400
#define LEVEL 4 /* the default priority's */

struct fixture {
    struct leat_engine *engine;
    leat_type type;
    uint32_t runs[JOBS]; /* what ran, in order */
    uint32_t count;
    leat_job_id ids[JOBS];
};

static struct leat_outcome
note(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    size_t bytes = 0;
    const uint32_t *what = leat_run_payload(run, &bytes);
    CHECK_EQUAL(bytes, sizeof(*what));
    CHECK(fixture->count < JOBS);
    fixture->runs[fixture->count] = *what;
    fixture->count++;
    return leat_done();
}

static struct fixture *
setup(uint32_t workers)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    CHECK(fixture != NULL);
    struct leat_config config = test_config();
    config.jobs_max = JOBS;
    config.workers = workers;
    config.retained_max = 0;
    config.queues_max = 80;
    fixture->engine = test_open(&config);
    fixture->type = test_register(fixture->engine, "note", note, fixture);
    return fixture;
}

static void
teardown(struct fixture *fixture)
{
    test_close(fixture->engine);
    free(fixture);
}

static void
submit_to(struct fixture *fixture, leat_queue queue, uint32_t first, uint32_t end)
{
    for (uint32_t i = first; i < end; i++) {
        struct leat_job job = leat_job_default();
        job.queue = queue;
        job.type = fixture->type;
        job.payload = &i;
        job.payload_bytes = sizeof(i);
        CHECK_OK(leat_submit(fixture->engine, &job, &fixture->ids[i]));
    }
}

static void
submit(struct fixture *fixture, uint32_t first, uint32_t end)
{
    submit_to(fixture, (leat_queue){0}, first, end);
}

static void
check_order(const struct fixture *fixture, uint32_t count)
{
    CHECK_EQUAL(fixture->count, count);
    for (uint32_t i = 0; i < count; i++) {
        CHECK_EQUAL(fixture->runs[i], i);
    }
}

/* ---- order ---------------------------------------------------------------------------------- */

static void
all_run_in_order(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1);
    submit(fixture, 0, JOBS);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_waiting, JOBS);
    test_engine_check(fixture->engine);
    CHECK_OK(leat_start(fixture->engine));
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    check_order(fixture, JOBS);
    teardown(fixture);
}

/* The submitter goes on while the worker runs: jobs are pushed directly and listed in turn. */
static void
in_order_while_running(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < 20; round++) {
        struct fixture *fixture = setup(1);
        submit(fixture, 0, 63 + round);
        CHECK_OK(leat_start(fixture->engine));
        submit(fixture, 63 + round, JOBS);
        CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
        check_order(fixture, JOBS);
        teardown(fixture);
    }
}

static void
a_batch_is_listed_whole(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1);
    static struct leat_job jobs[40];
    static uint32_t numbers[40];
    submit(fixture, 0, 64);
    for (uint32_t i = 0; i < 40; i++) {
        numbers[i] = 64 + i;
        jobs[i] = leat_job_default();
        jobs[i].type = fixture->type;
        jobs[i].payload = &numbers[i];
        jobs[i].payload_bytes = sizeof(numbers[i]);
    }
    CHECK_OK(leat_submit_batch(fixture->engine, jobs, 40, LEAT_BATCH_ALL_OR_NONE, NULL, NULL));
    submit(fixture, 104, 110);
    test_engine_check(fixture->engine);
    CHECK_OK(leat_start(fixture->engine));
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    check_order(fixture, 110);
    teardown(fixture);
}

/* Two queues with jobs in their lists are admitted in turn, whichever listed more. A hold deals
 * more jobs to the lists than the ring takes meanwhile, so later ones overtake those of a flood. */
static void
queues_take_turns(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1);
    submit(fixture, 0, 3000);
    struct leat_job job = leat_job_default();
    job.type = fixture->type;
    job.queue_name = "other";
    job.payload_bytes = sizeof(uint32_t);
    for (uint32_t i = 3000; i < 3100; i++) {
        job.payload = &i;
        CHECK_OK(leat_submit(fixture->engine, &job, NULL));
    }
    CHECK_OK(leat_start(fixture->engine));
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    uint32_t last = 0;
    for (uint32_t i = 0; i < 3100; i++) {
        last = fixture->runs[i] == 3099 ? i : last;
    }
    CHECK(last >= 64 + 100);
    CHECK(last <= 2500);
    teardown(fixture);
}

/* ---- life ----------------------------------------------------------------------------------- */

static void
closed_with_listed_jobs(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1);
    submit(fixture, 0, 1000);
    teardown(fixture);
}

static void
a_lent_thread_admits(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0);
    submit(fixture, 0, JOBS);
    CHECK_OK(leat_start(fixture->engine));
    for (uint32_t i = 0; i < JOBS; i++) {
        size_t ran = 0;
        uint64_t due_ns = 1;
        CHECK_OK(leat_next_due(fixture->engine, &due_ns));
        CHECK_EQUAL(due_ns, 0);
        CHECK_OK(leat_run_some(fixture->engine, 1, &ran));
        CHECK_EQUAL(ran, 1);
    }
    CHECK_STATUS(leat_run_some(fixture->engine, 1, NULL), LEAT_EMPTY);
    check_order(fixture, JOBS);
    teardown(fixture);
}

/* ---- cancel --------------------------------------------------------------------------------- */

static void
cancelled_jobs_do_not_run(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1);
    submit(fixture, 0, 1000);
    for (uint32_t i = 1; i < 1000; i += 2) {
        CHECK_OK(leat_cancel(fixture->engine, fixture->ids[i]));
    }
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_waiting, 500);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_cancelled, 500);
    test_engine_check(fixture->engine);
    CHECK_OK(leat_start(fixture->engine));
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    CHECK_EQUAL(fixture->count, 500);
    for (uint32_t i = 0; i < 500; i++) {
        CHECK_EQUAL(fixture->runs[i], 2 * i);
    }
    teardown(fixture);
}

/* How many records are in use. */
static uint32_t
in_use(const struct fixture *fixture)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < JOBS; i++) {
        uint64_t word = atom_load_rlx(leat_slab_word(&fixture->engine->jobs, i));
        count += (leat_word_generation(word) & 1) != 0 && leat_word_phase(word) != LEAT_PHASE_GONE;
    }
    return count;
}

/* As a worker does beside a full ring. */
static void
hold_often(struct fixture *fixture, uint32_t times)
{
    for (uint32_t i = 0; i < times; i++) {
        CHECK(leat_lists_admit(&fixture->engine->pool, LEVEL));
    }
}

static void
a_sweep_gives_records_back(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1);
    submit(fixture, 0, 64 + 1000);
    hold_often(fixture, 40);
    CHECK_EQUAL(in_use(fixture), 1064);
    /* 500 of 1000: not more than those that live. */
    for (uint32_t i = 0; i < 500; i++) {
        CHECK_OK(leat_cancel(fixture->engine, fixture->ids[64 + 2 * i + 1]));
    }
    hold_often(fixture, 40);
    CHECK_EQUAL(in_use(fixture), 1064);
    CHECK_OK(leat_cancel(fixture->engine, fixture->ids[64 + 2]));
    hold_often(fixture, 40);
    CHECK_EQUAL(in_use(fixture), 64 + 499);
    submit(fixture, 1064, 1074); /* behind those that were swept */
    hold_often(fixture, 2);
    test_engine_check(fixture->engine);
    CHECK_OK(leat_start(fixture->engine));
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    CHECK_EQUAL(fixture->count, 64 + 499 + 10);
    for (uint32_t i = 1; i < fixture->count; i++) {
        CHECK(fixture->runs[i] > fixture->runs[i - 1]);
    }
    teardown(fixture);
}

/* 64 may stay behind one that lives, whatever else there is. At the head they go at once. */
static void
a_few_zombies_stay(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1);
    submit(fixture, 0, 65 + 65);
    hold_often(fixture, 10);
    for (uint32_t i = 0; i < 64; i++) {
        CHECK_OK(leat_cancel(fixture->engine, fixture->ids[65 + i]));
    }
    hold_often(fixture, 10);
    CHECK_EQUAL(in_use(fixture), 65 + 65);
    CHECK_OK(leat_cancel(fixture->engine, fixture->ids[65 + 64]));
    hold_often(fixture, 10);
    CHECK_EQUAL(in_use(fixture), 65);
    teardown(fixture);
}

/* ---- what one hold does --------------------------------------------------------------------- */

static struct leat_lists *
lists_of(const struct fixture *fixture)
{
    return &fixture->engine->pool.lists[LEVEL];
}

static uint32_t
word_of(const struct fixture *fixture, leat_queue queue)
{
    return atom_load_rlx(&fixture->engine->pool.queues[queue.bits - 1].waiting[LEVEL]);
}

static leat_queue
queue_named(struct fixture *fixture, const char *name)
{
    leat_queue queue = {0};
    CHECK_OK(leat_queue_create(fixture->engine, name, NULL, &queue));
    return queue;
}

static void
cancel(struct fixture *fixture, uint32_t first, uint32_t end)
{
    for (uint32_t i = first; i < end; i++) {
        CHECK_OK(leat_cancel(fixture->engine, fixture->ids[i]));
    }
}

/* Runs the oldest items of the ring, as a worker does that admits nothing. */
static void
run_from_ring(struct fixture *fixture, uint32_t count)
{
    struct leat_pool *pool = &fixture->engine->pool;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t item = 0;
        CHECK(leat_mpmc_pop(&pool->rings[LEVEL], &item));
        pool->config.ops.run(pool->config.ops.context, &pool->workers[0], item);
    }
}

/* All that is left runs. */
static void
finish(struct fixture *fixture)
{
    test_engine_check(fixture->engine);
    CHECK_OK(leat_start(fixture->engine));
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    CHECK_EQUAL(in_use(fixture), 0);
    teardown(fixture);
}

/* 64 are turned, or dealt when all are turned; what comes meanwhile stays in the inbox. */
static void
a_hold_turns_and_deals_64(void **state)
{
    (void)state;
    static const struct {
        uint32_t turned, dealt;
    } holds[] = {{64, 0}, {128, 0}, {192, 0}, {136, 64}, {72, 128}, {8, 192}, {0, 200}, {0, 210}};
    struct fixture *fixture = setup(1);
    struct leat_lists *lists = lists_of(fixture);
    submit(fixture, 0, 64 + 200);
    for (size_t i = 0; i < TEST_COUNT_OF(holds); i++) {
        hold_often(fixture, 1);
        CHECK_EQUAL(lists->turned.count, holds[i].turned);
        CHECK_EQUAL(lists->lists[0].jobs.count, holds[i].dealt);
        if (i == 1) {
            submit(fixture, 264, 274);
        }
    }
    CHECK_OK(leat_start(fixture->engine));
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    check_order(fixture, 274);
    teardown(fixture);
}

/* Numbers of jobs, first and how many. */
struct part {
    uint32_t first, count;
};

static void
check_ran(const struct fixture *fixture, uint32_t begin, const struct part *parts, size_t count)
{
    uint32_t at = begin;
    for (size_t i = 0; i < count; i++) {
        for (uint32_t j = 0; j < parts[i].count; j++) {
            CHECK(at < fixture->count);
            CHECK_EQUAL(fixture->runs[at], parts[i].first + j);
            at++;
        }
    }
    CHECK_EQUAL(at, fixture->count);
}

/* 8 jobs of each queue in turn, and a queue that found the ring full goes on next time. */
static void
turns_of_eight(void **state)
{
    (void)state;
    static const struct part first[] = {{100, 3}, {200, 8}};
    static const struct part second[] = {{300, 8}, {208, 2}};
    static const struct part third[] = {{210, 6}, {308, 8}, {216, 8}, {316, 4}, {224, 38}};
    struct fixture *fixture = setup(1);
    submit(fixture, 0, 64);
    submit_to(fixture, queue_named(fixture, "a"), 100, 103);
    submit_to(fixture, queue_named(fixture, "b"), 200, 300);
    submit_to(fixture, queue_named(fixture, "c"), 300, 320);
    hold_often(fixture, 10);
    run_from_ring(fixture, 11);
    hold_often(fixture, 1);
    run_from_ring(fixture, 10);
    hold_often(fixture, 1);
    run_from_ring(fixture, 43);
    check_order(fixture, 64);
    run_from_ring(fixture, 11);
    check_ran(fixture, 64, first, TEST_COUNT_OF(first));
    run_from_ring(fixture, 10);
    check_ran(fixture, 75, second, TEST_COUNT_OF(second));
    hold_often(fixture, 1);
    run_from_ring(fixture, 64);
    check_ran(fixture, 85, third, TEST_COUNT_OF(third));
    finish(fixture);
}

/* 64 leave their lists in a hold, whether they are admitted or were cancelled: here cancelled ones
 * at the front, for which the ring needs no room. */
static void
a_hold_admits_64(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1);
    submit(fixture, 0, 64);
    submit_to(fixture, queue_named(fixture, "a"), 64, 67);
    submit_to(fixture, queue_named(fixture, "b"), 67, 367);
    hold_often(fixture, 20);
    cancel(fixture, 64, 67);
    cancel(fixture, 67, 217);
    static const uint32_t left[] = {239, 175, 150, 150};
    for (size_t i = 0; i < TEST_COUNT_OF(left); i++) {
        hold_often(fixture, 1);
        CHECK_EQUAL(in_use(fixture), 64 + left[i]);
    }
    finish(fixture);
}

/* Queues that a sweep emptied count for one each, so that a hold ends. */
static void
a_hold_passes_64_empty_queues(void **state)
{
    (void)state;
    enum { QUEUES = 66, EACH = 65 };
    struct fixture *fixture = setup(1);
    struct leat_lists *lists = lists_of(fixture);
    submit(fixture, 0, 65);
    for (uint32_t i = 0; i < QUEUES; i++) {
        char name[8];
        (void)snprintf(name, sizeof(name), "%u", i);
        submit_to(fixture, queue_named(fixture, name), 65 + EACH * i, 65 + EACH * (i + 1));
    }
    hold_often(fixture, 150);
    cancel(fixture, 65, 65 + QUEUES * EACH);
    hold_often(fixture, 2 * QUEUES);
    CHECK_EQUAL(in_use(fixture), 65);
    CHECK_EQUAL(lists->ready.count, 1 + QUEUES);
    run_from_ring(fixture, 1);
    hold_often(fixture, 1);
    CHECK_EQUAL(lists->ready.count, QUEUES - 63);
    hold_often(fixture, 1);
    CHECK_EQUAL(lists->ready.count, 0);
    CHECK_EQUAL(atom_load_rlx(&lists->role), LEAT_ROLE_FREE);
    finish(fixture);
}

/* ---- sweeps --------------------------------------------------------------------------------- */

static const leat_queue default_queue = {1};

/* Cancelled in the ring, with nothing listed: they count for nothing. */
static void
no_sweep_where_nothing_is_listed(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1);
    submit(fixture, 0, 64);
    cancel(fixture, 0, 64);
    run_from_ring(fixture, 64);
    CHECK_EQUAL(in_use(fixture), 0);
    submit(fixture, 64, 65);
    cancel(fixture, 64, 65);
    CHECK_EQUAL(word_of(fixture, default_queue), 0);
    CHECK(!leat_lists_ready(lists_of(fixture)));
    finish(fixture);
}

/* 64 are looked at in a hold, and none that came after it began. A second one looks at those that
 * the first one left and at those that came since. */
static void
a_sweep_looks_at_64(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1);
    struct leat_lists *lists = lists_of(fixture);
    submit(fixture, 0, 64 + 200);
    hold_often(fixture, 20);
    cancel(fixture, 65, 165);
    CHECK_EQUAL(word_of(fixture, default_queue), 200);
    cancel(fixture, 165, 166);
    CHECK_EQUAL(word_of(fixture, default_queue), 200 | LEAT_LIST_SWEEP);
    hold_often(fixture, 1);
    CHECK_EQUAL(in_use(fixture), 264 - 63);
    CHECK_EQUAL(word_of(fixture, default_queue), 200 - 63);
    hold_often(fixture, 1);
    CHECK_EQUAL(in_use(fixture), 264 - 101);
    submit(fixture, 264, 274);
    hold_often(fixture, 1);
    CHECK_EQUAL(lists->lists[0].jobs.count, 8 + 10);
    cancel(fixture, 264, 274);
    CHECK_EQUAL(lists->sweeping, 0);
    hold_often(fixture, 1);
    CHECK_EQUAL(lists->sweeping, LEAT_INDEX_NONE);
    CHECK_EQUAL(in_use(fixture), 264 - 101 + 10);
    CHECK_EQUAL(lists->lists[0].swept.count, 99);
    test_engine_check(fixture->engine);
    cancel(fixture, 166, 220);
    CHECK_EQUAL(word_of(fixture, default_queue), 109);
    cancel(fixture, 220, 221);
    hold_often(fixture, 2);
    CHECK_EQUAL(in_use(fixture), 64 + 44);
    CHECK_EQUAL(word_of(fixture, default_queue), 44);
    finish(fixture);
}

/* Cancelled behind the look at them: few beside those that waited then, many beside those that the
 * sweep leaves. Up to 64 stay. */
static void
swept_once_more(void **state)
{
    (void)state;
    for (uint32_t more = 64; more <= 65; more++) {
        struct fixture *fixture = setup(1);
        submit(fixture, 0, 64 + 400);
        hold_often(fixture, 20);
        cancel(fixture, 64 + 100, 64 + 400);
        hold_often(fixture, 3); /* it has looked at 192 */
        CHECK_EQUAL(word_of(fixture, default_queue), 400 - 92);
        cancel(fixture, 65, 65 + more);
        CHECK_EQUAL(word_of(fixture, default_queue), 400 - 92);
        hold_often(fixture, 10);
        CHECK_EQUAL(word_of(fixture, default_queue), 100 - (more <= 64 ? 0 : more));
        finish(fixture);
    }
}

/* Not where as many others are left. */
static void
not_swept_beside_as_many(void **state)
{
    (void)state;
    for (uint32_t left = 140; left <= 141; left++) {
        struct fixture *fixture = setup(1);
        submit(fixture, 0, 64 + 400);
        hold_often(fixture, 20);
        cancel(fixture, 64 + left, 64 + 400);
        hold_often(fixture, 3);
        cancel(fixture, 65, 65 + 70);
        hold_often(fixture, 10);
        CHECK_EQUAL(word_of(fixture, default_queue), left);
        finish(fixture);
    }
}

/* Jobs that are dealt while a second sweep looks at what the first one left. */
static void
dealt_behind_a_sweep(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1);
    struct leat_list *list = &lists_of(fixture)->lists[0];
    submit(fixture, 0, 64 + 400);
    hold_often(fixture, 20);
    cancel(fixture, 65, 266);
    hold_often(fixture, 7);
    CHECK_EQUAL(list->swept.count, 199);
    CHECK_EQUAL(list->jobs.count, 0);
    cancel(fixture, 266, 366);
    hold_often(fixture, 1);
    CHECK_EQUAL(in_use(fixture), 64 + 199 - 63);
    submit(fixture, 464, 469);
    hold_often(fixture, 10);
    CHECK_EQUAL(in_use(fixture), 64 + 99 + 5);
    test_engine_check(fixture->engine);
    CHECK_OK(leat_start(fixture->engine));
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    CHECK_EQUAL(fixture->count, 64 + 99 + 5);
    CHECK_EQUAL(fixture->runs[64], 64);
    for (uint32_t i = 65; i < fixture->count; i++) {
        CHECK_EQUAL(fixture->runs[i], 366 + i - 65);
    }
    teardown(fixture);
}

/* What a sweep has still to look at is admitted before it comes to that. */
static void
admitted_under_a_sweep(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1);
    struct leat_lists *lists = lists_of(fixture);
    submit(fixture, 0, 64 + 128);
    hold_often(fixture, 10);
    run_from_ring(fixture, 64);
    cancel(fixture, 64, 129);
    hold_often(fixture, 1);
    CHECK_EQUAL(in_use(fixture), 63);
    CHECK_EQUAL(lists->sweeping, 0);
    CHECK_EQUAL(lists->ready.count, 0);
    CHECK_EQUAL(atom_load_rlx(&lists->role), LEAT_ROLE_LEFT);
    hold_often(fixture, 1);
    CHECK_EQUAL(lists->sweeping, LEAT_INDEX_NONE);
    CHECK_EQUAL(atom_load_rlx(&lists->role), LEAT_ROLE_FREE);
    CHECK_EQUAL(word_of(fixture, default_queue), 0);
    hold_often(fixture, 1); /* with none to sweep */
    finish(fixture);
}

/* One queue is swept after the other, the one that asked last first; a third one that asks
 * meanwhile waits for those two. */
static void
queues_are_swept_in_turn(void **state)
{
    (void)state;
    enum { QUEUES = 3, EACH = 100 };
    static const char *const names[QUEUES] = {"a", "b", "c"};
    struct fixture *fixture = setup(1);
    struct leat_lists *lists = lists_of(fixture);
    leat_queue queues[QUEUES];
    submit(fixture, 0, 64);
    for (uint32_t i = 0; i < QUEUES; i++) {
        queues[i] = queue_named(fixture, names[i]);
        submit_to(fixture, queues[i], 64 + EACH * i, 64 + EACH * (i + 1));
    }
    const uint32_t sweeping[] = {queues[1].bits - 1, LEAT_INDEX_NONE,    queues[0].bits - 1,
                                 LEAT_INDEX_NONE,    queues[2].bits - 1, LEAT_INDEX_NONE};
    static const uint32_t dropped[] = {63, 65, 128, 130, 193, 195};
    hold_often(fixture, 20);
    cancel(fixture, 65, 130);
    cancel(fixture, 165, 230);
    for (size_t i = 0; i < TEST_COUNT_OF(sweeping); i++) {
        hold_often(fixture, 1);
        CHECK_EQUAL(lists->sweeping, sweeping[i]);
        CHECK_EQUAL(in_use(fixture), 64 + QUEUES * EACH - dropped[i]);
        if (i == 0) {
            cancel(fixture, 265, 330);
        }
    }
    for (uint32_t i = 0; i < QUEUES; i++) {
        CHECK_EQUAL(word_of(fixture, queues[i]), EACH - 65);
    }
    finish(fixture);
}

/* In the inbox when the sweep begins: they leave when they are dealt, though the ring is full. */
static void
cancelled_before_they_are_dealt(void **state)
{
    (void)state;
    static const uint32_t left[] = {101, 38, 1, 1};
    struct fixture *fixture = setup(1);
    submit(fixture, 0, 64 + 101);
    cancel(fixture, 65, 165);
    for (size_t i = 0; i < TEST_COUNT_OF(left); i++) {
        hold_often(fixture, 1);
        CHECK_EQUAL(in_use(fixture), 64 + left[i]);
        CHECK_EQUAL(word_of(fixture, default_queue), left[i]);
    }
    finish(fixture);
}

/* ---- a queue's limit ------------------------------------------------------------------------ */

static struct leat_outcome
retry_once(struct leat_run *run, void *context)
{
    (void)context;
    return leat_run_attempt(run) == 1 ? leat_retry() : leat_done();
}

static leat_queue
limited(struct fixture *fixture, uint32_t most)
{
    leat_queue queue = {0};
    struct leat_queue_options options = leat_queue_options_default();
    options.waiting_max = most;
    CHECK_OK(leat_queue_create(fixture->engine, "limited", &options, &queue));
    return queue;
}

static void
a_limit_is_exact(void **state)
{
    (void)state;
    static const uint32_t limits[] = {1, 2, 63, 64, 65, 200};
    for (size_t i = 0; i < TEST_COUNT_OF(limits); i++) {
        struct fixture *fixture = setup(1);
        struct leat_job job = leat_job_default();
        job.queue = limited(fixture, limits[i]);
        job.type = test_register(fixture->engine, "retry", retry_once, NULL);
        leat_job_id first = {0};
        CHECK_OK(leat_submit(fixture->engine, &job, &first));
        for (uint32_t j = 1; j < limits[i]; j++) {
            CHECK_OK(leat_submit(fixture->engine, &job, NULL));
        }
        CHECK_STATUS(leat_submit(fixture->engine, &job, NULL), LEAT_FULL);
        CHECK_EQUAL(test_statistics(fixture->engine).jobs_waiting, limits[i]);
        /* Others do not mind. */
        submit(fixture, 0, 1);
        /* A cancel gives room back at once, for one. */
        CHECK_OK(leat_cancel(fixture->engine, first));
        CHECK_OK(leat_submit(fixture->engine, &job, NULL));
        CHECK_STATUS(leat_submit(fixture->engine, &job, NULL), LEAT_FULL);
        test_engine_check(fixture->engine);
        CHECK_OK(leat_start(fixture->engine));
        CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
        CHECK_EQUAL(test_statistics(fixture->engine).jobs_retried, limits[i]);
        teardown(fixture);
    }
}

/* A batch of all or none takes all its room or none. */
static void
a_batch_over_the_limit(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1);
    static struct leat_job jobs[11];
    leat_queue queue = limited(fixture, 10);
    for (uint32_t i = 0; i < 11; i++) {
        jobs[i] = leat_job_default();
        jobs[i].type = fixture->type;
        jobs[i].queue = queue;
    }
    CHECK_STATUS(leat_submit_batch(fixture->engine, jobs, 11, LEAT_BATCH_ALL_OR_NONE, NULL, NULL),
                 LEAT_FULL);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_waiting, 0);
    CHECK_OK(leat_submit_batch(fixture->engine, jobs, 10, LEAT_BATCH_ALL_OR_NONE, NULL, NULL));
    CHECK_STATUS(leat_submit(fixture->engine, &jobs[0], NULL), LEAT_FULL);
    test_engine_check(fixture->engine);
    teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_run_in_order),
        cmocka_unit_test(in_order_while_running),
        cmocka_unit_test(a_batch_is_listed_whole),
        cmocka_unit_test(queues_take_turns),
        cmocka_unit_test(closed_with_listed_jobs),
        cmocka_unit_test(a_lent_thread_admits),
        cmocka_unit_test(cancelled_jobs_do_not_run),
        cmocka_unit_test(a_sweep_gives_records_back),
        cmocka_unit_test(a_few_zombies_stay),
        cmocka_unit_test(a_hold_turns_and_deals_64),
        cmocka_unit_test(turns_of_eight),
        cmocka_unit_test(a_hold_admits_64),
        cmocka_unit_test(a_hold_passes_64_empty_queues),
        cmocka_unit_test(no_sweep_where_nothing_is_listed),
        cmocka_unit_test(a_sweep_looks_at_64),
        cmocka_unit_test(swept_once_more),
        cmocka_unit_test(not_swept_beside_as_many),
        cmocka_unit_test(dealt_behind_a_sweep),
        cmocka_unit_test(admitted_under_a_sweep),
        cmocka_unit_test(queues_are_swept_in_turn),
        cmocka_unit_test(cancelled_before_they_are_dealt),
        cmocka_unit_test(a_limit_is_exact),
        cmocka_unit_test(a_batch_over_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
