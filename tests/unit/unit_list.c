/* unit_list.c - leat_job_list() and leat_job_count(): each field of a query, by itself and with
 * others; pages, their bounds below, at and above the limits, and cursors of all kinds; what moves
 * between two pages; jobs that come and go; how long jobs are known to be in their state; mistakes.
 * Holds I1 of engine/sights.h. */
#include <stdlib.h>
#include <string.h>

#include "engine/engine_internal.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/fake_clock.h"
#include "tests/support/threads.h"

#define JOBS    200
#define HOUR_NS UINT64_C(3600000000000)
#define HOLDS   239

/* A clock's word of time is a step of 2^20 ns; one may be nearly over at the first look, and one
 * has hardly begun at the last. */
#define STEP_NS (UINT64_C(1) << 20)

struct fixture {
    struct leat_engine *engine;
    struct test_clock clock;
    struct test_gate gate;
    leat_type types[2];
    leat_queue queues[3]; /* "default" is the first */
    leat_tenant tenant;   /* of the last queue */
    leat_job_id listed[JOBS];
    size_t count;
};

static struct leat_outcome
done_run(struct leat_run *run, void *context)
{
    (void)run;
    (void)context;
    return leat_done();
}

static struct leat_outcome
held_run(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    (void)run;
    test_gate_wait(&fixture->gate);
    return leat_fail();
}

static struct fixture *
setup(uint32_t sample_interval)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct leat_config config = test_config();
    struct leat_queue_options options = leat_queue_options_default();
    CHECK(fixture != NULL);
    test_clock_init(&fixture->clock);
    test_gate_init(&fixture->gate);
    config.clock = test_clock_of(&fixture->clock);
    config.jobs_max = JOBS;
    config.sample_interval = sample_interval;
    fixture->engine = test_open(&config);
    fixture->types[0] = test_register(fixture->engine, "done", done_run, fixture);
    fixture->types[1] = test_register(fixture->engine, "held", held_run, fixture);
    CHECK_OK(leat_queue_find(fixture->engine, "default", &fixture->queues[0]));
    CHECK_OK(leat_queue_create(fixture->engine, "a", &options, &fixture->queues[1]));
    CHECK_OK(leat_tenant_create(fixture->engine, "t", NULL, &fixture->tenant));
    options.tenant = fixture->tenant;
    CHECK_OK(leat_queue_create(fixture->engine, "b", &options, &fixture->queues[2]));
    return fixture;
}

static void
teardown(struct fixture *fixture)
{
    test_gate_open(&fixture->gate);
    test_close(fixture->engine);
    test_gate_fini(&fixture->gate);
    free(fixture);
}

static leat_job_id
bring(struct fixture *fixture, uint32_t type, uint32_t queue, uint64_t delay_ns)
{
    struct leat_job job = leat_job_default();
    leat_job_id id = {0};
    job.type = fixture->types[type];
    job.queue = fixture->queues[queue];
    job.delay_ns = delay_ns;
    CHECK_OK(leat_submit(fixture->engine, &job, &id));
    return id;
}

static leat_job_id
bring_labelled(struct fixture *fixture, const char *tag, const char *key, const char *name)
{
    struct leat_job job = leat_job_default();
    struct leat_job_options options = leat_job_options_default();
    leat_job_id id = {0};
    job.type = fixture->types[0];
    job.options = &options;
    options.tags = &tag;
    options.tags_count = tag == NULL ? 0 : 1;
    options.key = key;
    options.key_bytes = key == NULL ? 0 : strlen(key);
    options.name = name;
    CHECK_OK(leat_submit(fixture->engine, &job, &id));
    return id;
}

/* A whole pass, in pages of so many ids and looks. */
static void
list(struct fixture *fixture, struct leat_job_query query, size_t capacity, uint32_t look_max)
{
    uint32_t pages = 0;
    query.look_max = look_max;
    query.more = true;
    fixture->count = 0;
    for (; query.more; pages++) {
        size_t room = JOBS - fixture->count;
        size_t count = 0;
        CHECK(pages < 2 * JOBS + 2);
        CHECK(room > 0);
        CHECK_OK(leat_job_list(fixture->engine, &query, fixture->listed + fixture->count,
                               capacity < room ? capacity : room, &count));
        CHECK(count <= capacity);
        fixture->count += count;
    }
}

static uint32_t
times_listed(const struct fixture *fixture, leat_job_id id)
{
    uint32_t times = 0;
    for (size_t i = 0; i < fixture->count; i++) {
        times += fixture->listed[i].bits == id.bits ? 1 : 0;
    }
    return times;
}

/* Whatever the pages, the same jobs come; leat_job_count() counts as many. */
static void
expect(struct fixture *fixture, const struct leat_job_query *query, const leat_job_id *ids,
       size_t count)
{
    static const size_t capacities[] = {JOBS, 1, 3};
    static const uint32_t looks[] = {0, 1, 7};
    for (uint32_t i = 0; i < TEST_COUNT_OF(capacities); i++) {
        list(fixture, *query, capacities[i], looks[i]);
        CHECK_EQUAL(fixture->count, count);
        for (size_t j = 0; j < count; j++) {
            CHECK_EQUAL(times_listed(fixture, ids[j]), 1);
        }
    }
    struct leat_job_tally all = {0, 0, {0}};
    struct leat_job_query copy = *query;
    CHECK_OK(leat_job_count(fixture->engine, &copy, &all, 1));
    CHECK_EQUAL(all.jobs, count);
    CHECK_EQUAL(all.longest.bits != 0, count != 0);
    CHECK(!copy.more);
}

static void
expect_one(struct fixture *fixture, const struct leat_job_query *query, leat_job_id id)
{
    expect(fixture, query, &id, 1);
}

/* ---- what is asked --------------------------------------------------------------------------- */

static void
nothing_there(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1);
    struct leat_job_query query = leat_job_query_default();
    expect(fixture, &query, NULL, 0);
    teardown(fixture);
}

static void
by_state(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1);
    struct leat_job_query query = leat_job_query_default();
    leat_job_id ids[6];
    CHECK_OK(leat_start(fixture->engine));
    ids[0] = bring(fixture, 0, 0, 0);
    CHECK_EQUAL(test_wait(fixture->engine, ids[0]).state, LEAT_JOB_COMPLETED);
    ids[1] = bring(fixture, 1, 0, 0);
    test_gate_arrivals(&fixture->gate, 1);
    ids[2] = bring(fixture, 0, 0, 0);
    ids[3] = bring(fixture, 0, 0, HOUR_NS);
    ids[4] = bring(fixture, 0, 0, HOUR_NS);
    CHECK_OK(leat_cancel(fixture->engine, ids[4]));
    struct leat_job job = leat_job_default();
    struct leat_job_options options = leat_job_options_default();
    job.type = fixture->types[0];
    job.options = &options;
    options.parents = &ids[1];
    options.parents_count = 1;
    CHECK_OK(leat_submit(fixture->engine, &job, &ids[5]));
    static const enum leat_job_state states[] = {LEAT_JOB_COMPLETED, LEAT_JOB_RUNNING,
                                                 LEAT_JOB_PENDING,   LEAT_JOB_SCHEDULED,
                                                 LEAT_JOB_CANCELLED, LEAT_JOB_BLOCKED};
    expect(fixture, &query, ids, 6);
    for (uint32_t i = 0; i < TEST_COUNT_OF(states); i++) {
        query.states = LEAT_STATE_MASK(states[i]);
        /* The wheel keeps one that is cancelled for a while; then a book does. */
        expect_one(fixture, &query, ids[i]);
    }
    query.states = LEAT_STATE_MASK(LEAT_JOB_RUNNING) | LEAT_STATE_MASK(LEAT_JOB_PENDING);
    expect(fixture, &query, ids + 1, 2);
    query.states = LEAT_STATE_MASK(LEAT_JOB_DEAD) | LEAT_STATE_MASK(LEAT_JOB_RETRYING);
    expect(fixture, &query, NULL, 0);
    test_gate_open(&fixture->gate);
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    /* A dead letter is in both lists. */
    query.states = LEAT_STATE_MASK(LEAT_JOB_DEAD);
    expect_one(fixture, &query, ids[1]);
    struct leat_dead_query dead = leat_dead_query_default();
    leat_job_id letter = {0};
    size_t count = 0;
    CHECK_OK(leat_dead_list(fixture->engine, &dead, &letter, 1, &count));
    CHECK_EQUAL(letter.bits, ids[1].bits);
    teardown(fixture);
}

static void
by_queue_type_priority_and_tenant(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1);
    leat_job_id ids[6];
    for (uint32_t i = 0; i < 6; i++) {
        ids[i] = bring(fixture, i % 2, i % 3, 0);
    }
    CHECK_OK(leat_priority_set(fixture->engine, ids[4], LEAT_PRIORITY_HIGH));
    struct leat_job_query query = leat_job_query_default();
    query.queue = fixture->queues[1];
    const leat_job_id of_queue[] = {ids[1], ids[4]};
    expect(fixture, &query, of_queue, 2);
    query.type = fixture->types[0];
    expect_one(fixture, &query, ids[4]);
    query.priorities = 1u << LEAT_PRIORITY_NORMAL;
    expect(fixture, &query, NULL, 0);
    query.priorities |= 1u << LEAT_PRIORITY_HIGH;
    expect_one(fixture, &query, ids[4]);
    query = leat_job_query_default();
    query.priorities = 1u << LEAT_PRIORITY_HIGH;
    expect_one(fixture, &query, ids[4]);
    query = leat_job_query_default();
    query.tenant = fixture->tenant;
    const leat_job_id of_tenant[] = {ids[2], ids[5]};
    expect(fixture, &query, of_tenant, 2);
    query.type = fixture->types[1];
    expect_one(fixture, &query, ids[5]);
    teardown(fixture);
}

static void
by_tag_key_and_name(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1);
    leat_job_id plain = bring(fixture, 0, 0, 0);
    leat_job_id ids[4];
    ids[0] = bring_labelled(fixture, "red", "k", "report/1");
    ids[1] = bring_labelled(fixture, "redder", "k1", "report/2");
    ids[2] = bring_labelled(fixture, "red", NULL, "other");
    ids[3] = bring_labelled(fixture, NULL, "k", NULL);
    struct leat_job_query query = leat_job_query_default();
    query.tag = "red";
    const leat_job_id red[] = {ids[0], ids[2]};
    expect(fixture, &query, red, 2);
    query.name_prefix = "report";
    expect_one(fixture, &query, ids[0]);
    query = leat_job_query_default();
    query.name_prefix = "report/";
    expect(fixture, &query, ids, 2);
    query.name_prefix = "report/2";
    expect_one(fixture, &query, ids[1]);
    query.name_prefix = "report/22";
    expect(fixture, &query, NULL, 0);
    query.name_prefix = "";
    expect(fixture, &query, ids, 3);
    query = leat_job_query_default();
    query.key = "k";
    query.key_bytes = 1;
    const leat_job_id keyed[] = {ids[0], ids[3]};
    expect(fixture, &query, keyed, 2);
    query.queue = fixture->queues[1];
    expect(fixture, &query, NULL, 0);
    query = leat_job_query_default();
    list(fixture, query, JOBS, 0);
    CHECK_EQUAL(times_listed(fixture, plain), 1);
    CHECK_EQUAL(fixture->count, 5);
    teardown(fixture);
}

/* At 239 lookers a job is passed over by who asks for its tag, and by nobody else. */
static void
with_many_lookers(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1);
    leat_job_id id = bring_labelled(fixture, "red", NULL, NULL);
    uint32_t index = 0;
    struct leat_job_query tagged = leat_job_query_default();
    struct leat_job_query plain = leat_job_query_default();
    tagged.tag = "red";
    for (uint32_t i = 0; i < HOLDS; i++) {
        CHECK_OK(leat_job_hold(fixture->engine, id, HOLDS, &index));
        expect_one(fixture, &plain, id);
        expect(fixture, &tagged, &id, i + 1 < HOLDS ? 1 : 0);
    }
    for (uint32_t i = 0; i < HOLDS; i++) {
        leat_job_unhold(fixture->engine, index);
    }
    expect_one(fixture, &tagged, id);
    teardown(fixture);
}

/* ---- pages ----------------------------------------------------------------------------------- */

/* What is there from the first page to the last comes once, wherever it goes; one that comes or
 * goes, at most once; each page looks at as many records as it may. */
static void
moves_between_pages(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1);
    enum { STAY = 60 };
    static leat_job_id ids[STAY];
    for (uint32_t i = 0; i < STAY; i++) {
        ids[i] = bring(fixture, 0, i % 3, i % 2 == 0 ? 0 : HOUR_NS);
    }
    struct leat_job_query query = leat_job_query_default();
    fixture->count = 0;
    uint32_t round = 0;
    do {
        size_t count = 0;
        query.look_max = 5;
        leat_job_id fleeting = bring(fixture, 0, 0, HOUR_NS);
        CHECK_OK(
            leat_job_list(fixture->engine, &query, fixture->listed + fixture->count, 9, &count));
        CHECK(count <= 5);
        fixture->count += count;
        CHECK_OK(leat_cancel(fixture->engine, fleeting));
        leat_job_id moved = ids[round * 7 % STAY];
        CHECK_OK(leat_reschedule(fixture->engine, moved, leat_when_in(HOUR_NS)));
        CHECK_OK(leat_priority_set(fixture->engine, ids[round * 11 % STAY], round % 4));
        round++;
    } while (query.more);
    CHECK(round >= STAY / 5);
    for (uint32_t i = 0; i < STAY; i++) {
        CHECK_EQUAL(times_listed(fixture, ids[i]), 1);
    }
    for (size_t i = 0; i < fixture->count; i++) {
        CHECK_EQUAL(times_listed(fixture, fixture->listed[i]), 1);
    }
    teardown(fixture);
}

static void
cursors(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1);
    size_t count = 0;
    for (uint32_t i = 0; i < 3; i++) {
        (void)bring(fixture, 0, 0, 0);
    }
    struct leat_job_query query = leat_job_query_default();
    CHECK_OK(leat_job_list(fixture->engine, &query, fixture->listed, 2, &count));
    CHECK_EQUAL(count, 2);
    CHECK(query.more);
    struct leat_job_query again = query;
    for (uint32_t i = 0; i < 2; i++) {
        query = again; /* a cursor may be kept and used twice */
        CHECK_OK(leat_job_list(fixture->engine, &query, fixture->listed, 2, &count));
        CHECK_EQUAL(count, 1);
        CHECK(!query.more);
    }
    /* Behind the end there is nothing; what a cursor is not comes to an end, too. */
    CHECK_OK(leat_job_list(fixture->engine, &query, fixture->listed, 2, &count));
    CHECK_EQUAL(count, 0);
    CHECK(!query.more);
    static const uint64_t wild[] = {JOBS - 1, JOBS, JOBS + 1, UINT32_MAX, UINT64_MAX};
    for (uint32_t i = 0; i < TEST_COUNT_OF(wild); i++) {
        query.cursor = wild[i];
        CHECK_OK(leat_job_list(fixture->engine, &query, fixture->listed, 2, &count));
        CHECK_EQUAL(count, 0);
        CHECK(!query.more);
    }
    teardown(fixture);
}

static void
bounds(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1);
    leat_job_id id = bring(fixture, 0, 0, 0);
    size_t count = 0;
    struct leat_job_query query = leat_job_query_default();
    const uint32_t looks[] = {0, 1, (1u << 26) - 1, 1u << 26, (1u << 26) + 1, UINT32_MAX};
    for (uint32_t i = 0; i < TEST_COUNT_OF(looks); i++) {
        query = leat_job_query_default();
        query.look_max = looks[i];
        CHECK_STATUS(leat_job_list(fixture->engine, &query, &id, 1, &count),
                     looks[i] <= 1u << 26 ? LEAT_OK : LEAT_INVALID);
        CHECK_EQUAL(query.look_max, looks[i]);
    }
    query = leat_job_query_default();
    static char text[140];
    memset(text, 'x', sizeof(text));
    for (size_t bytes = 127; bytes <= 129; bytes++) {
        query.key = text;
        query.key_bytes = bytes;
        CHECK_STATUS(leat_job_list(fixture->engine, &query, &id, 1, &count),
                     bytes <= 128 ? LEAT_OK : LEAT_INVALID);
        query = leat_job_query_default();
        query.name_prefix = text + sizeof(text) - 1 - bytes;
        text[sizeof(text) - 1] = '\0';
        CHECK_STATUS(leat_job_list(fixture->engine, &query, &id, 1, &count),
                     bytes <= 128 ? LEAT_OK : LEAT_INVALID);
        query = leat_job_query_default();
    }
    for (size_t bytes = 31; bytes <= 33; bytes++) {
        query.cursor = 0;
        query.tag = text + sizeof(text) - 1 - bytes;
        CHECK_STATUS(leat_job_list(fixture->engine, &query, &id, 1, &count),
                     bytes <= 32 ? LEAT_OK : LEAT_INVALID);
    }
    for (uint32_t bit = 0; bit < 32; bit++) {
        query = leat_job_query_default();
        query.states = 1u << bit;
        CHECK_STATUS(leat_job_list(fixture->engine, &query, &id, 1, &count),
                     bit >= 1 && bit <= 8 ? LEAT_OK : LEAT_INVALID);
        query = leat_job_query_default();
        query.priorities = 1u << bit;
        CHECK_STATUS(leat_job_list(fixture->engine, &query, &id, 1, &count),
                     bit < leat_priority_levels() ? LEAT_OK : LEAT_INVALID);
    }
    teardown(fixture);
}

/* A pass over records of which only some were ever used looks at those alone; the last one, too. */
static void
full_to_the_last_record(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1);
    for (uint32_t i = 0; i < JOBS; i++) {
        (void)bring(fixture, 0, 0, HOUR_NS);
    }
    struct leat_job_query query = leat_job_query_default();
    struct leat_job_tally all = {0, 0, {0}};
    query.look_max = JOBS - 1;
    CHECK_OK(leat_job_count(fixture->engine, &query, &all, 1));
    CHECK_EQUAL(all.jobs, JOBS - 1);
    CHECK(query.more);
    CHECK_OK(leat_job_count(fixture->engine, &query, &all, 1));
    CHECK_EQUAL(all.jobs, JOBS);
    CHECK(!query.more);
    query = leat_job_query_default();
    query.look_max = JOBS;
    CHECK_OK(leat_job_count(fixture->engine, &query, &all, 1));
    CHECK_EQUAL(all.jobs, 2 * JOBS); /* it adds */
    CHECK(!query.more);
    teardown(fixture);
}

/* ---- counts and times ------------------------------------------------------------------------ */

static void
counts_of_queues(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1);
    for (uint32_t i = 0; i < 12; i++) {
        (void)bring(fixture, 0, i % 4 == 3 ? 2 : i % 4, 0);
    }
    for (size_t capacity = 1; capacity <= 5; capacity++) {
        struct leat_job_tally counts[6];
        struct leat_job_query query = leat_job_query_default();
        memset(counts, 0, sizeof(counts));
        CHECK_OK(leat_job_count(fixture->engine, &query, counts, capacity));
        CHECK_EQUAL(counts[0].jobs, 12);
        for (uint32_t i = 0; i < 3; i++) {
            uint32_t at = fixture->queues[i].bits;
            CHECK_EQUAL(counts[at].jobs, at < capacity ? (i == 2 ? 6 : 3) : 0);
        }
        CHECK_EQUAL(counts[5].jobs, 0);
    }
    teardown(fixture);
}

static struct leat_job_tally
waiting(struct fixture *fixture, leat_queue queue)
{
    struct leat_job_tally counts[5];
    struct leat_job_query query = leat_job_query_default();
    memset(counts, 0, sizeof(counts));
    query.states = LEAT_STATE_MASK(LEAT_JOB_PENDING);
    CHECK_OK(leat_job_count(fixture->engine, &query, counts, TEST_COUNT_OF(counts)));
    return counts[queue.bits];
}

static void
expect_age(struct leat_job_tally tally, leat_job_id id, uint64_t age_ns)
{
    CHECK_EQUAL(tally.longest.bits, id.bits);
    CHECK(tally.in_state_ns_max <= age_ns);
    CHECK(tally.in_state_ns_max + 2 * STEP_NS >= age_ns);
}

/* Jobs that are not timed: known since the first look. */
static void
oldest_by_sight(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1000000);
    leat_job_id first = bring(fixture, 0, 0, 0);
    CHECK_EQUAL(waiting(fixture, fixture->queues[0]).jobs, 1);
    test_clock_pass(&fixture->clock, fixture->engine, HOUR_NS);
    leat_job_id second = bring(fixture, 0, 1, 0);
    expect_age(waiting(fixture, fixture->queues[0]), first, HOUR_NS);
    expect_age(waiting(fixture, fixture->queues[1]), second, 0);
    test_clock_pass(&fixture->clock, fixture->engine, HOUR_NS / 2);
    expect_age(waiting(fixture, fixture->queues[0]), first, 3 * HOUR_NS / 2);
    expect_age(waiting(fixture, fixture->queues[1]), second, HOUR_NS / 2);
    expect_age(waiting(fixture, (leat_queue){0}), first, 3 * HOUR_NS / 2);
    /* By what is known a list can be had. */
    struct leat_job_query query = leat_job_query_default();
    query.in_state_ns_min = HOUR_NS;
    expect_one(fixture, &query, first);
    query.in_state_ns_min = HOUR_NS / 4;
    expect(fixture, &query, (const leat_job_id[]){first, second}, 2);
    query.in_state_ns_min = 2 * HOUR_NS;
    expect(fixture, &query, NULL, 0);
    /* Another state is another time; and so is another job in the same record. */
    CHECK_OK(leat_reschedule(fixture->engine, first, leat_when_in(HOUR_NS)));
    query.in_state_ns_min = HOUR_NS;
    expect(fixture, &query, NULL, 0);
    CHECK_OK(leat_cancel(fixture->engine, first));
    CHECK_EQUAL(waiting(fixture, fixture->queues[0]).jobs, 0);
    expect_age(waiting(fixture, (leat_queue){0}), second, HOUR_NS / 2);
    teardown(fixture);
}

/* Jobs that are timed: from the first look on, by the system's clock. */
static void
oldest_by_its_time(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1);
    uint64_t before_ns = test_now_ns();
    leat_job_id first = bring(fixture, 0, 0, 0);
    uint64_t behind_ns = test_now_ns();
    test_sleep_ns(20 * TEST_MS);
    uint64_t least_ns = test_now_ns() - behind_ns;
    struct leat_job_tally tally = waiting(fixture, fixture->queues[0]);
    CHECK_EQUAL(tally.longest.bits, first.bits);
    CHECK(tally.in_state_ns_max >= least_ns);
    CHECK(tally.in_state_ns_max <= test_now_ns() - before_ns);
    /* One that is due later does not wait yet, and waits from then on. */
    leat_job_id later = bring(fixture, 0, 1, HOUR_NS);
    CHECK_EQUAL(waiting(fixture, fixture->queues[1]).jobs, 0);
    struct leat_job_query query = leat_job_query_default();
    struct leat_job_tally all = {0, 0, {0}};
    query.states = LEAT_STATE_MASK(LEAT_JOB_SCHEDULED);
    CHECK_OK(leat_job_count(fixture->engine, &query, &all, 1));
    expect_age(all, later, 0);
    teardown(fixture);
}

/* As many as there is room for beside those of the round before: of a list that is shut, cancelled
 * jobs may keep their records until there are more of them. */
#define ROUND (JOBS / 2)

static bool
fill(void *argument)
{
    struct fixture *fixture = argument;
    struct leat_job job = leat_job_default();
    job.type = fixture->types[0];
    job.queue = fixture->queues[1];
    while (fixture->count < ROUND && leat_submit(fixture->engine, &job, NULL) == LEAT_OK) {
        fixture->count++;
    }
    return fixture->count == ROUND;
}

/* Records are used again, by jobs in the same state. */
static void
another_job_counts_anew(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1000000);
    CHECK_OK(leat_queue_pause(fixture->engine, fixture->queues[1]));
    CHECK_OK(leat_start(fixture->engine));
    for (uint32_t round = 0; round < 6; round++) {
        fixture->count = 0;
        CHECK(test_until(fill, fixture));
        struct leat_job_tally tally = waiting(fixture, fixture->queues[1]);
        CHECK_EQUAL(tally.jobs, ROUND);
        CHECK(tally.in_state_ns_max < HOUR_NS / 2); /* one of them may be timed */
        test_clock_pass(&fixture->clock, fixture->engine, HOUR_NS);
        tally = waiting(fixture, fixture->queues[1]);
        expect_age(tally, tally.longest, HOUR_NS);
        CHECK_OK(leat_queue_purge(fixture->engine, fixture->queues[1], NULL));
    }
    teardown(fixture);
}

static struct leat_outcome
retried_run(struct leat_run *run, void *context)
{
    (void)context;
    return leat_run_attempt(run) == 1 ? leat_retry_in(HOUR_NS) : leat_done();
}

/* What was run does not count the time before. */
static void
another_attempt_waits_anew(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1);
    leat_type type = test_register(fixture->engine, "retried", retried_run, NULL);
    struct leat_job job = leat_job_default();
    struct leat_job_query query = leat_job_query_default();
    struct leat_job_tally all = {0, 0, {0}};
    leat_job_id id = {0};
    job.type = type;
    CHECK_OK(leat_submit(fixture->engine, &job, &id));
    CHECK_EQUAL(waiting(fixture, fixture->queues[0]).jobs, 1);
    test_clock_pass(&fixture->clock, fixture->engine, HOUR_NS);
    CHECK_OK(leat_start(fixture->engine));
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    CHECK_EQUAL(test_get(fixture->engine, id).state, LEAT_JOB_RETRYING);
    CHECK_OK(leat_job_count(fixture->engine, &query, &all, 1));
    expect_age(all, id, 0);
    test_clock_pass(&fixture->clock, fixture->engine, HOUR_NS / 2);
    query.cursor = 0;
    CHECK_OK(leat_job_count(fixture->engine, &query, &all, 1));
    expect_age(all, id, HOUR_NS / 2);
    teardown(fixture);
}

/* ---- mistakes -------------------------------------------------------------------------------- */

static void
refused(struct fixture *fixture, struct leat_job_query query, enum leat_status want)
{
    struct leat_job_tally all = {7, 7, {7}};
    struct leat_job_query before = query;
    leat_job_id id = {7};
    size_t count = 7;
    CHECK_STATUS(leat_job_list(fixture->engine, &query, &id, 1, &count), want);
    CHECK_STATUS(leat_job_count(fixture->engine, &query, &all, 1), want);
    CHECK_EQUAL(id.bits, 7);
    CHECK_EQUAL(count, 7);
    CHECK_EQUAL(all.jobs, 7);
    CHECK_EQUAL(query.cursor, before.cursor);
    CHECK_EQUAL(query.more, before.more);
    CHECK_EQUAL(query.states, before.states);
}

static void
mistakes(void **state)
{
    (void)state;
    struct fixture *fixture = setup(1);
    struct leat_job_query good = leat_job_query_default();
    struct leat_job_query query = good;
    leat_job_id id = bring(fixture, 0, 0, 0);
    size_t count = 7;
    query.queue.bits = 99;
    refused(fixture, query, LEAT_NOT_FOUND);
    query = good;
    query.type.bits = 99;
    refused(fixture, query, LEAT_NOT_FOUND);
    query.type.bits = UINT32_MAX;
    refused(fixture, query, LEAT_NOT_FOUND);
    query = good;
    query.tenant.bits = 99;
    refused(fixture, query, LEAT_NOT_FOUND);
    query = good;
    query.tag = "";
    refused(fixture, query, LEAT_INVALID);
    query = good;
    query.key = "k";
    refused(fixture, query, LEAT_INVALID);
    query = good;
    query.key_bytes = 1;
    refused(fixture, query, LEAT_INVALID);
    query = good;
    query.size = 4;
    refused(fixture, query, LEAT_INVALID);
    query = good;
    query.version++;
    refused(fixture, query, LEAT_UNSUPPORTED);
    CHECK_STATUS(leat_job_list(fixture->engine, &good, NULL, 1, &count), LEAT_INVALID);
    CHECK_STATUS(leat_job_list(fixture->engine, &good, &id, 0, &count), LEAT_INVALID);
    CHECK_STATUS(leat_job_list(fixture->engine, &good, &id, 1, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_job_list(fixture->engine, NULL, &id, 1, &count), LEAT_INVALID);
    CHECK_STATUS(leat_job_list(NULL, &good, &id, 1, &count), LEAT_INVALID);
    struct leat_job_tally all = {7, 7, {7}};
    CHECK_STATUS(leat_job_count(fixture->engine, &good, NULL, 1), LEAT_INVALID);
    CHECK_STATUS(leat_job_count(fixture->engine, &good, &all, 0), LEAT_INVALID);
    CHECK_STATUS(leat_job_count(fixture->engine, NULL, &all, 1), LEAT_INVALID);
    CHECK_STATUS(leat_job_count(NULL, &good, &all, 1), LEAT_INVALID);
    CHECK_EQUAL(all.jobs, 7);
    CHECK_EQUAL(count, 7);
    teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_there),
        cmocka_unit_test(by_state),
        cmocka_unit_test(by_queue_type_priority_and_tenant),
        cmocka_unit_test(by_tag_key_and_name),
        cmocka_unit_test(with_many_lookers),
        cmocka_unit_test(moves_between_pages),
        cmocka_unit_test(cursors),
        cmocka_unit_test(bounds),
        cmocka_unit_test(full_to_the_last_record),
        cmocka_unit_test(counts_of_queues),
        cmocka_unit_test(oldest_by_sight),
        cmocka_unit_test(oldest_by_its_time),
        cmocka_unit_test(another_job_counts_anew),
        cmocka_unit_test(another_attempt_waits_anew),
        cmocka_unit_test(mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
