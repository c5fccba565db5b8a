/* unit_gates.c - pause and caps of queues and types, exactly, with a lent thread: what is paused
 * does not begin, also where it was in the ring or admitted already, and goes on in its order; a
 * cap holds below, at and above it, for attempts that answered pending too, and may change at any
 * time; one type's cap is in nobody else's way; whatever ends a job gives its place up: its end, a
 * retry, a cancel before it began; cancelled jobs behind a gate give their records back. */
#include <stdlib.h>
#include <string.h>

#include "engine/gates.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"

#define JOBS 4096
#define RING 64
#define MANY (LEAT_ADMIT_MOVES + 1) /* queues */

enum way { WAY_DONE, WAY_PENDING, WAY_RETRY_ONCE, WAY_PAUSE };

struct fixture {
    struct leat_engine *engine;
    leat_type type;
    leat_type other;
    leat_queue queue; /* "default" */
    leat_queue second;
    uint32_t runs[JOBS]; /* what ran, in order */
    uint32_t count;
    leat_token tokens[JOBS]; /* by number */
    leat_job_id ids[JOBS];
    enum way way;
};

static struct leat_outcome
note(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    size_t bytes = 0;
    const uint32_t *what = leat_run_payload(run, &bytes);
    CHECK_EQUAL(bytes, sizeof(*what));
    CHECK(fixture->count < JOBS);
    fixture->runs[fixture->count++] = *what;
    fixture->tokens[*what] = leat_run_token(run);
    switch (fixture->way) {
    case WAY_PENDING:
        return leat_pending();
    case WAY_RETRY_ONCE:
        return leat_run_attempt(run) == 1 ? leat_retry_in(0) : leat_done();
    case WAY_PAUSE:
        CHECK_OK(leat_queue_pause(fixture->engine, fixture->queue));
        break;
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
    config.jobs_max = JOBS;
    config.workers = 0;
    config.retained_max = 0;
    config.ring_slots = RING;
    config.queues_max = 2 * RING;
    fixture->engine = test_start(&config);
    fixture->type = test_register(fixture->engine, "note", note, fixture);
    fixture->other = test_register(fixture->engine, "other", note, fixture);
    CHECK_OK(leat_queue_find(fixture->engine, "default", &fixture->queue));
    CHECK_OK(leat_queue_create(fixture->engine, "second", NULL, &fixture->second));
    return fixture;
}

static void
teardown(struct fixture *fixture)
{
    test_close(fixture->engine);
    free(fixture);
}

struct where {
    leat_type type;
    leat_queue queue;
    uint32_t priority;
};

static void
submit_to(struct fixture *fixture, struct where where, uint32_t first, uint32_t end)
{
    for (uint32_t i = first; i < end; i++) {
        struct leat_job job = leat_job_default();
        job.type = where.type;
        job.queue = where.queue;
        job.priority = where.priority;
        job.payload = &i;
        job.payload_bytes = sizeof(i);
        CHECK_OK(leat_submit(fixture->engine, &job, &fixture->ids[i]));
    }
}

static struct where
usual(const struct fixture *fixture)
{
    struct where where = {fixture->type, fixture->queue, LEAT_PRIORITY_OF_QUEUE};
    return where;
}

static void
submit(struct fixture *fixture, uint32_t first, uint32_t end)
{
    submit_to(fixture, usual(fixture), first, end);
}

/* Runs what can run. Returns how many. */
static uint32_t
run_all(struct fixture *fixture)
{
    uint32_t before = fixture->count;
    size_t ran = 0;
    for (uint32_t i = 0; i < 2 * JOBS && leat_run_some(fixture->engine, 1, &ran) == LEAT_OK; i++) {
    }
    test_engine_check(fixture->engine);
    return fixture->count - before;
}

static void
check_order(const struct fixture *fixture, uint32_t count)
{
    CHECK_EQUAL(fixture->count, count);
    for (uint32_t i = 0; i < count; i++) {
        CHECK_EQUAL(fixture->runs[i], i);
    }
}

static uint32_t
waiting(struct fixture *fixture)
{
    return (uint32_t)test_statistics(fixture->engine).jobs_waiting;
}

/* What both gates of the usual queue and type count. */
static void
check_used(struct fixture *fixture, uint32_t used)
{
    uint32_t type = leat_gates_list(fixture->engine, fixture->type.bits - 1);
    uint32_t queue = fixture->queue.bits - 1;
    CHECK_EQUAL(leat_gate_used(atom_load_rlx(&leat_gate_of(fixture->engine, queue)->word)), used);
    CHECK_EQUAL(leat_gate_used(atom_load_rlx(&leat_gate_of(fixture->engine, type)->word)), used);
}

static void
complete(struct fixture *fixture, uint32_t number)
{
    CHECK_OK(leat_complete(fixture->engine, fixture->tokens[number], leat_done(), NULL));
}

/* ---- pause ---------------------------------------------------------------------------------- */

/* Some are in the ring before, some in the list, some come later. */
static void
paused_jobs_wait_in_order(void **state)
{
    (void)state;
    static const uint32_t befores[] = {0, 1, RING, RING + 1, 1000};
    for (size_t i = 0; i < TEST_COUNT_OF(befores); i++) {
        struct fixture *fixture = setup();
        submit(fixture, 0, befores[i]);
        CHECK_OK(leat_queue_pause(fixture->engine, fixture->queue));
        submit(fixture, befores[i], befores[i] + 100);
        CHECK_EQUAL(run_all(fixture), 0);
        CHECK_EQUAL(waiting(fixture), befores[i] + 100);
        CHECK_OK(leat_queue_pause(fixture->engine, fixture->queue)); /* twice is no error */
        CHECK_EQUAL(run_all(fixture), 0);
        CHECK_OK(leat_queue_resume(fixture->engine, fixture->queue));
        CHECK_OK(leat_queue_resume(fixture->engine, fixture->queue));
        CHECK_EQUAL(run_all(fixture), befores[i] + 100);
        check_order(fixture, befores[i] + 100);
        check_used(fixture, 0);
        teardown(fixture);
    }
}

/* Jobs that were admitted to the ring when their queue is paused again leave their gates. */
static void
admitted_jobs_are_turned_back(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    CHECK_OK(leat_queue_pause(fixture->engine, fixture->queue));
    submit(fixture, 0, 200);
    CHECK_OK(leat_queue_resume(fixture->engine, fixture->queue));
    CHECK_OK(leat_run_some(fixture->engine, 1, NULL));
    CHECK(fixture->count == 1);
    check_used(fixture, RING - 1 + 0); /* the ring was filled, one ran */
    CHECK_OK(leat_queue_pause(fixture->engine, fixture->queue));
    CHECK_EQUAL(run_all(fixture), 0);
    check_used(fixture, 0);
    submit(fixture, 200, 210);
    CHECK_OK(leat_queue_resume(fixture->engine, fixture->queue));
    CHECK_EQUAL(run_all(fixture), 209);
    check_order(fixture, 210);
    teardown(fixture);
}

static void
others_go_on(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    CHECK_OK(leat_queue_pause(fixture->engine, fixture->queue));
    submit(fixture, 0, 1000);
    struct where second = usual(fixture);
    second.queue = fixture->second;
    submit_to(fixture, second, 1000, 1500);
    CHECK_EQUAL(run_all(fixture), 500);
    CHECK_EQUAL(fixture->runs[0], 1000);
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER)); /* does not wait for them */
    CHECK_EQUAL(waiting(fixture), 1000);
    teardown(fixture);
}

static void
a_handler_pauses_its_queue(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    fixture->way = WAY_PAUSE;
    submit(fixture, 0, 10);
    for (uint32_t i = 0; i < 10; i++) {
        CHECK_EQUAL(run_all(fixture), 1);
        CHECK_OK(leat_queue_resume(fixture->engine, fixture->queue));
    }
    check_order(fixture, 10);
    teardown(fixture);
}

/* Nobody takes from a paused queue, and still its cancelled jobs go. */
static void
cancelled_jobs_of_a_paused_queue_leave(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    CHECK_OK(leat_queue_pause(fixture->engine, fixture->queue));
    submit(fixture, 0, JOBS);
    CHECK_EQUAL(run_all(fixture), 0);
    for (uint32_t i = 0; i < JOBS; i++) {
        CHECK_OK(leat_cancel(fixture->engine, fixture->ids[i]));
    }
    CHECK_EQUAL(waiting(fixture), 0);
    CHECK_EQUAL(run_all(fixture), 0);
    uint32_t gone = 0;
    struct leat_job_info info = leat_job_info_default();
    for (uint32_t i = 0; i < JOBS; i++) {
        gone += leat_get(fixture->engine, fixture->ids[i], &info) == LEAT_GONE;
    }
    CHECK(gone >= JOBS - LEAT_ZOMBIES_MIN);
    submit(fixture, 0, JOBS - LEAT_ZOMBIES_MIN);
    CHECK_OK(leat_queue_resume(fixture->engine, fixture->queue));
    CHECK_EQUAL(run_all(fixture), JOBS - LEAT_ZOMBIES_MIN);
    teardown(fixture);
}

/* Lists that wait at a gate, on the level of all jobs here. */
static uint32_t
lists_shut(const struct fixture *fixture)
{
    const struct leat_pool *pool = &fixture->engine->pool;
    uint32_t shut = 0;
    for (uint32_t i = 0; i < pool->config.queues; i++) {
        shut += pool->lists[LEAT_PRIORITY_NORMAL].lists[i].shut ? 1 : 0;
    }
    return shut;
}

/* One hold of a level's role answers so many calls, and the next one goes on. */
static void
many_queues_are_resumed(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    leat_queue queues[MANY];
    for (uint32_t i = 0; i < MANY; i++) {
        char name[16];
        struct where where = usual(fixture);
        (void)snprintf(name, sizeof(name), "%u", i);
        CHECK_OK(leat_queue_create(fixture->engine, name, NULL, &queues[i]));
        CHECK_OK(leat_queue_pause(fixture->engine, queues[i]));
        where.queue = queues[i];
        submit_to(fixture, where, i, i + 1);
    }
    CHECK_EQUAL(run_all(fixture), 0);
    CHECK_EQUAL(lists_shut(fixture), MANY);
    for (uint32_t i = 0; i < MANY; i++) {
        CHECK_OK(leat_queue_resume(fixture->engine, queues[i]));
    }
    CHECK(leat_lists_admit(&fixture->engine->pool, LEAT_PRIORITY_NORMAL));
    CHECK_EQUAL(lists_shut(fixture), MANY - LEAT_ADMIT_MOVES);
    CHECK(leat_lists_admit(&fixture->engine->pool, LEAT_PRIORITY_NORMAL));
    CHECK_EQUAL(lists_shut(fixture), 0);
    CHECK_EQUAL(run_all(fixture), MANY);
    teardown(fixture);
}

static void
a_limit_holds_while_paused(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_queue_options options = leat_queue_options_default();
    struct where where = usual(fixture);
    options.waiting_max = 10;
    CHECK_OK(leat_queue_create(fixture->engine, "short", &options, &where.queue));
    CHECK_OK(leat_queue_pause(fixture->engine, where.queue));
    submit_to(fixture, where, 0, 10);
    struct leat_job job = leat_job_default();
    job.type = where.type;
    job.queue = where.queue;
    CHECK_STATUS(leat_submit(fixture->engine, &job, NULL), LEAT_FULL);
    CHECK_OK(leat_queue_resume(fixture->engine, where.queue));
    CHECK_EQUAL(run_all(fixture), 10);
    check_order(fixture, 10);
    teardown(fixture);
}

/* ---- caps ----------------------------------------------------------------------------------- */

/* Attempts that are pending count; each that ends lets one in, in order. */
static void
a_cap_is_exact(void **state)
{
    (void)state;
    for (uint32_t cap = 1; cap <= 3; cap++) {
        struct fixture *fixture = setup();
        fixture->way = WAY_PENDING;
        CHECK_OK(leat_queue_set_running_max(fixture->engine, fixture->queue, cap));
        submit(fixture, 0, 300);
        CHECK_EQUAL(run_all(fixture), cap);
        check_used(fixture, cap);
        for (uint32_t i = 0; i < 300; i++) {
            complete(fixture, i);
            CHECK_EQUAL(run_all(fixture), i + cap < 300 ? 1 : 0);
        }
        check_order(fixture, 300);
        check_used(fixture, 0);
        teardown(fixture);
    }
}

static void
a_cap_changes_while_jobs_run(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_engine *engine = fixture->engine;
    fixture->way = WAY_PENDING;
    CHECK_OK(leat_queue_set_running_max(engine, fixture->queue, 2));
    submit(fixture, 0, 20);
    CHECK_EQUAL(run_all(fixture), 2);
    CHECK_OK(leat_queue_set_running_max(engine, fixture->queue, 5));
    CHECK_EQUAL(run_all(fixture), 3);
    CHECK_OK(leat_queue_set_running_max(engine, fixture->queue, 1));
    CHECK_EQUAL(run_all(fixture), 0);
    for (uint32_t i = 0; i < 4; i++) {
        complete(fixture, i);
        CHECK_EQUAL(run_all(fixture), 0); /* still at, or over, the new cap */
    }
    complete(fixture, 4);
    CHECK_EQUAL(run_all(fixture), 1);
    CHECK_OK(leat_queue_set_running_max(engine, fixture->queue, 0));
    CHECK_EQUAL(run_all(fixture), 14);
    check_order(fixture, 20);
    for (uint32_t i = 5; i < 20; i++) {
        complete(fixture, i);
    }
    check_used(fixture, 0);
    teardown(fixture);
}

/* A pause and a cap of one queue do not open each other. */
static void
both_on_one_queue(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    fixture->way = WAY_PENDING;
    CHECK_OK(leat_queue_set_running_max(fixture->engine, fixture->queue, 1));
    CHECK_OK(leat_queue_pause(fixture->engine, fixture->queue));
    submit(fixture, 0, 3);
    CHECK_OK(leat_queue_set_running_max(fixture->engine, fixture->queue, 2));
    CHECK_EQUAL(run_all(fixture), 0);
    CHECK_OK(leat_queue_resume(fixture->engine, fixture->queue));
    CHECK_EQUAL(run_all(fixture), 2);
    CHECK_OK(leat_queue_pause(fixture->engine, fixture->queue));
    complete(fixture, 0);
    complete(fixture, 1);
    CHECK_EQUAL(run_all(fixture), 0);
    CHECK_OK(leat_queue_resume(fixture->engine, fixture->queue));
    CHECK_EQUAL(run_all(fixture), 1);
    complete(fixture, 2);
    teardown(fixture);
}

/* One type's jobs stand in front of all others of the queue, and hold up none. */
static void
a_capped_type_is_in_nobodys_way(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct where other = usual(fixture);
    other.type = fixture->other;
    fixture->way = WAY_PENDING;
    CHECK_OK(leat_type_set_running_max(fixture->engine, fixture->type, 2));
    submit(fixture, 0, 500);
    submit_to(fixture, other, 500, 600);
    CHECK_EQUAL(run_all(fixture), 102);
    CHECK_EQUAL(fixture->runs[0], 0);
    CHECK_EQUAL(fixture->runs[101], 599);
    for (uint32_t i = 0; i < 500; i++) {
        complete(fixture, i);
        CHECK_EQUAL(run_all(fixture), i + 2 < 500 ? 1 : 0);
        CHECK_EQUAL(fixture->runs[fixture->count - 1], i + 2 < 500 ? i + 2 : 499);
    }
    for (uint32_t i = 500; i < 600; i++) {
        complete(fixture, i);
    }
    check_used(fixture, 0);
    teardown(fixture);
}

/* Who waits for its type stands in front of those that come to its queue when a place is free. */
static void
new_jobs_do_not_overtake_their_type(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    fixture->way = WAY_PENDING;
    CHECK_OK(leat_type_set_running_max(fixture->engine, fixture->type, 1));
    submit(fixture, 0, 50);
    CHECK_EQUAL(run_all(fixture), 1);
    for (uint32_t i = 0; i < 50; i++) {
        submit(fixture, 50 + i, 50 + i + 1);
        complete(fixture, fixture->runs[i]);
        CHECK_EQUAL(run_all(fixture), 1);
    }
    for (uint32_t i = 50; i < 100; i++) {
        complete(fixture, i);
        CHECK_EQUAL(run_all(fixture), i < 99 ? 1 : 0);
    }
    check_order(fixture, 100);
    check_used(fixture, 0);
    teardown(fixture);
}

/* Who waited for its type, and then found its queue paused, keeps its place at both. */
static void
from_gate_to_gate_in_order(void **state)
{
    (void)state;
    static const uint32_t order[] = {0, 2, 1, 3, 4, 5};
    struct fixture *fixture = setup();
    struct where second = usual(fixture);
    second.queue = fixture->second;
    fixture->way = WAY_PENDING;
    CHECK_OK(leat_type_set_running_max(fixture->engine, fixture->type, 1));
    for (uint32_t i = 0; i < 6; i++) {
        submit_to(fixture, i % 2 == 0 ? second : usual(fixture), i, i + 1);
        CHECK_EQUAL(run_all(fixture), i == 0 ? 1 : 0);
    }
    CHECK_OK(leat_queue_pause(fixture->engine, fixture->queue));
    complete(fixture, 0);
    CHECK_EQUAL(run_all(fixture), 1);
    CHECK_OK(leat_queue_resume(fixture->engine, fixture->queue));
    for (uint32_t i = 1; i < 6; i++) {
        CHECK_EQUAL(run_all(fixture), i == 1 ? 0 : 1);
        complete(fixture, fixture->runs[i]);
    }
    CHECK_EQUAL(fixture->count, 6);
    for (uint32_t i = 0; i < 6; i++) {
        CHECK_EQUAL(fixture->runs[i], order[i]);
    }
    teardown(fixture);
}

/* Between the leave and the call of one thread another one has left: it calls, too, though a job of
 * another list has passed meanwhile. */
static void
who_leaves_calls_for_who_has_not(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct where other = usual(fixture);
    struct where second = usual(fixture);
    other.type = fixture->other;
    second.queue = fixture->second;
    fixture->way = WAY_PENDING;
    CHECK_OK(leat_type_set_running_max(fixture->engine, fixture->type, 1));
    CHECK_OK(leat_queue_set_running_max(fixture->engine, fixture->queue, 1));
    submit_to(fixture, second, 0, 1);
    submit(fixture, 1, 2); /* waits for its type, which 0 has */
    CHECK_EQUAL(run_all(fixture), 1);
    submit_to(fixture, other, 2, 4); /* 3 waits for the queue, which 2 has */
    CHECK_EQUAL(run_all(fixture), 1);
    /* As if who completes 2 stopped before it calls. */
    struct leat_gate *gate = leat_gate_of(fixture->engine, fixture->queue.bits - 1);
    CHECK(leat_gate_leave(gate) != 0);
    complete(fixture, 0);
    CHECK_EQUAL(run_all(fixture), 1);
    CHECK_EQUAL(fixture->runs[2], 1);
    complete(fixture, 1);
    CHECK_EQUAL(run_all(fixture), 1);
    CHECK_EQUAL(fixture->runs[3], 3);
    /* Its place is given up once. */
    (void)atom_add_rlx(&gate->word, 1);
    complete(fixture, 2);
    complete(fixture, 3);
    check_used(fixture, 0);
    teardown(fixture);
}

/* The queue lets three in, the type two, so the queue's third place is another type's. */
static void
a_queue_and_a_type(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct where other = usual(fixture);
    other.type = fixture->other;
    fixture->way = WAY_PENDING;
    CHECK_OK(leat_type_set_running_max(fixture->engine, fixture->type, 2));
    CHECK_OK(leat_queue_set_running_max(fixture->engine, fixture->queue, 3));
    submit(fixture, 0, 10);
    submit_to(fixture, other, 10, 20);
    CHECK_EQUAL(run_all(fixture), 3);
    CHECK_EQUAL(fixture->runs[2], 10);
    uint32_t ended = 0;
    while (ended < 20) {
        complete(fixture, fixture->runs[ended++]);
        uint32_t ran = run_all(fixture);
        CHECK_EQUAL(ran, ended + 3 <= 20 && fixture->count > ended + 1 ? 1 : ran);
        uint32_t of_type = 0;
        for (uint32_t i = ended; i < fixture->count; i++) {
            of_type += fixture->runs[i] < 10 ? 1 : 0;
        }
        CHECK(of_type <= 2);
        CHECK(fixture->count - ended <= 3);
        CHECK(fixture->count - ended >= 1 || ended == 20);
    }
    CHECK_EQUAL(fixture->count, 20);
    check_used(fixture, 0);
    teardown(fixture);
}

/* Levels share one cap; who is called first is the most urgent one. */
static void
levels_share_a_cap(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct where urgent = usual(fixture);
    urgent.priority = 0;
    fixture->way = WAY_PENDING;
    CHECK_OK(leat_queue_set_running_max(fixture->engine, fixture->queue, 1));
    submit(fixture, 0, 5);
    CHECK_EQUAL(run_all(fixture), 1);
    submit_to(fixture, urgent, 5, 10);
    for (uint32_t i = 0; i < 10; i++) {
        CHECK_EQUAL(fixture->count, i + 1);
        complete(fixture, fixture->runs[i]);
        CHECK_EQUAL(run_all(fixture), i < 9 ? 1 : 0);
    }
    for (uint32_t i = 0; i < 5; i++) {
        CHECK_EQUAL(fixture->runs[1 + i], 5 + i);
    }
    teardown(fixture);
}

/* ---- whatever ends an attempt ---------------------------------------------------------------- */

static void
a_retry_gives_its_place_up(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    fixture->way = WAY_RETRY_ONCE;
    CHECK_OK(leat_queue_set_running_max(fixture->engine, fixture->queue, 1));
    submit(fixture, 0, 100);
    CHECK_EQUAL(run_all(fixture), 200);
    check_used(fixture, 0);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_completed, 100);
    teardown(fixture);
}

static void
a_cancel_gives_its_place_up(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    CHECK_OK(leat_queue_pause(fixture->engine, fixture->queue));
    submit(fixture, 0, 200);
    CHECK_OK(leat_queue_resume(fixture->engine, fixture->queue));
    CHECK_OK(leat_run_some(fixture->engine, 1, NULL));
    for (uint32_t i = 1; i < 200; i += 2) {
        CHECK_OK(leat_cancel(fixture->engine, fixture->ids[i]));
    }
    CHECK_EQUAL(run_all(fixture), 99);
    check_used(fixture, 0);
    teardown(fixture);
}

static void
a_type_without_handler(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_job job = leat_job_default();
    job.type_name = "nobody";
    CHECK_OK(leat_queue_set_running_max(fixture->engine, fixture->queue, 1));
    for (uint32_t i = 0; i < 10; i++) {
        CHECK_OK(leat_submit(fixture->engine, &job, NULL));
    }
    CHECK_EQUAL(run_all(fixture), 0);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_dead, 10);
    check_used(fixture, 0);
    teardown(fixture);
}

/* ---- options and errors --------------------------------------------------------------------- */

static void
caps_by_options(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_queue_options queue_options = leat_queue_options_default();
    struct leat_type_options type_options = leat_type_options_default();
    struct where where = usual(fixture);
    fixture->way = WAY_PENDING;
    queue_options.running_max = 3;
    type_options.running_max = 2;
    CHECK_OK(leat_queue_create(fixture->engine, "three", &queue_options, &where.queue));
    submit_to(fixture, where, 0, 5);
    CHECK_EQUAL(run_all(fixture), 3);
    CHECK_OK(leat_type_register(fixture->engine, "two", note, fixture, &type_options, &where.type));
    where.queue = fixture->queue;
    submit_to(fixture, where, 5, 10);
    CHECK_EQUAL(run_all(fixture), 2);
    for (uint32_t i = 0; i < fixture->count; i++) {
        complete(fixture, fixture->runs[i]);
        (void)run_all(fixture);
    }
    CHECK_EQUAL(fixture->count, 10);
    teardown(fixture);
}

static void
bad_input(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_engine *engine = fixture->engine;
    const leat_queue no_queue = {0};
    const leat_queue far_queue = {64 + 1};
    const leat_type no_type = {0};
    struct leat_queue_options queue_options = leat_queue_options_default();
    struct leat_type_options type_options = leat_type_options_default();
    leat_queue queue = {7};
    CHECK_STATUS(leat_queue_pause(NULL, fixture->queue), LEAT_INVALID);
    CHECK_STATUS(leat_queue_resume(NULL, fixture->queue), LEAT_INVALID);
    CHECK_STATUS(leat_queue_pause(engine, no_queue), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_queue_resume(engine, far_queue), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_queue_set_running_max(engine, no_queue, 1), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_queue_set_running_max(NULL, fixture->queue, 1), LEAT_INVALID);
    CHECK_STATUS(leat_type_set_running_max(engine, no_type, 1), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_type_set_running_max(NULL, fixture->type, 1), LEAT_INVALID);
    uint32_t most = LEAT_RUNNING_MAX;
    CHECK_STATUS(leat_queue_set_running_max(engine, fixture->queue, most + 1), LEAT_INVALID);
    CHECK_STATUS(leat_type_set_running_max(engine, fixture->type, most + 1), LEAT_INVALID);
    queue_options.running_max = most + 1;
    type_options.running_max = most + 1;
    CHECK_STATUS(leat_queue_create(engine, "x", &queue_options, &queue), LEAT_INVALID);
    CHECK_STATUS(leat_type_register(engine, "x", note, NULL, &type_options, NULL), LEAT_INVALID);
    CHECK_EQUAL(queue.bits, 7);
    CHECK(!leat_gates_any(engine));
    CHECK_OK(leat_queue_set_running_max(engine, fixture->queue, most));
    CHECK_OK(leat_type_set_running_max(engine, fixture->type, most));
    submit(fixture, 0, 300);
    CHECK_EQUAL(run_all(fixture), 300);
    check_order(fixture, 300);
    teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paused_jobs_wait_in_order),
        cmocka_unit_test(admitted_jobs_are_turned_back),
        cmocka_unit_test(others_go_on),
        cmocka_unit_test(a_handler_pauses_its_queue),
        cmocka_unit_test(cancelled_jobs_of_a_paused_queue_leave),
        cmocka_unit_test(many_queues_are_resumed),
        cmocka_unit_test(a_limit_holds_while_paused),
        cmocka_unit_test(a_cap_is_exact),
        cmocka_unit_test(a_cap_changes_while_jobs_run),
        cmocka_unit_test(both_on_one_queue),
        cmocka_unit_test(a_capped_type_is_in_nobodys_way),
        cmocka_unit_test(new_jobs_do_not_overtake_their_type),
        cmocka_unit_test(from_gate_to_gate_in_order),
        cmocka_unit_test(who_leaves_calls_for_who_has_not),
        cmocka_unit_test(a_queue_and_a_type),
        cmocka_unit_test(levels_share_a_cap),
        cmocka_unit_test(a_retry_gives_its_place_up),
        cmocka_unit_test(a_cancel_gives_its_place_up),
        cmocka_unit_test(a_type_without_handler),
        cmocka_unit_test(caps_by_options),
        cmocka_unit_test(bad_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
