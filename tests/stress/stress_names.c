/* stress_names.c - names of types and queues that several threads bring, register, create, find
 * and submit by at the same moment, while the tables grow and then are full: one name has one
 * handle for everyone, one registration of a name wins, a handle that was found serves at once,
 * jobs submitted by name reach their handler or die of an unknown type, and nothing of the tables
 * is left behind.
 *
 * Each round is a new engine, so that the tables grow again; all threads go through the same names
 * in nearly the same order. The context of a handler is plain data written just before the
 * registration. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine_internal.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/memory.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

#define THREADS 4

/* Names that exist are fewer than those that are tried: the tables end full. */
#define NAMES_MAX   700
#define NAMES_TRIED 800
/* How far threads stray from the common order. */
#define STRAY 4

struct round;

/* One type name and one queue name. */
struct pair {
    struct round *round;
    uint32_t number;         /* plain; given to the handler as context by who registers */
    leat_atomic_u32 type;    /* handle that someone saw; 0: nobody yet */
    leat_atomic_u32 queue;   /* the same */
    leat_atomic_u32 winners; /* registrations that went well */
    leat_atomic_u32 created; /* creations of the queue that went well */
    leat_atomic_u32 accepted;
    leat_atomic_u32 run;
};

struct context {
    const struct pair *pair; /* plain */
    uint32_t number;
};

struct round {
    struct leat_engine *engine;
    struct test_memory memory;
    uint64_t seed;
    struct pair pairs[NAMES_TRIED];
    struct context contexts[NAMES_TRIED][THREADS];
};

/* ---- what must hold -------------------------------------------------------------------------- */

/* Everyone who learns the handle of a name learns the same one. */
static void
same_handle(leat_atomic_u32 *seen, uint32_t handle)
{
    uint32_t before = 0;
    CHECK(handle != 0);
    if (!atom_cas_rlx(seen, &before, handle)) {
        CHECK_EQUAL(handle, before);
    }
}

static void
saw_type(struct round *round, uint32_t number, leat_type type, const char *name)
{
    const char *text = NULL;
    same_handle(&round->pairs[number].type, type.bits);
    CHECK_OK(leat_type_name(round->engine, type, &text));
    CHECK_TEXT(text, name);
}

static void
saw_queue(struct round *round, uint32_t number, leat_queue queue, const char *name)
{
    const char *text = NULL;
    same_handle(&round->pairs[number].queue, queue.bits);
    CHECK_OK(leat_queue_name(round->engine, queue, &text));
    CHECK_TEXT(text, name);
}

static struct leat_outcome
named_run(struct leat_run *run, void *context)
{
    const struct context *given = context;
    size_t bytes = 0;
    uint32_t number = 0;
    const void *payload = leat_run_payload(run, &bytes);
    CHECK_EQUAL(bytes, sizeof(number));
    memcpy(&number, payload, sizeof(number));
    CHECK_EQUAL(number, given->number);
    CHECK_EQUAL(given->pair->number, number);
    same_handle(&given->pair->round->pairs[number].type, leat_run_type(run).bits);
    (void)atom_add_rlx(&given->pair->round->pairs[number].run, 1);
    return leat_done();
}

/* ---- one thread ------------------------------------------------------------------------------ */

struct walker {
    struct round *round;
    struct test_prng prng;
    uint32_t thread;
    char type_name[24];
    char queue_name[24];
};

static void
register_one(struct walker *walker, uint32_t number)
{
    struct round *round = walker->round;
    struct context *context = &round->contexts[number][walker->thread];
    leat_type type = {0};
    /* A thread may come by twice; what won is not touched any more. */
    struct context fresh = {&round->pairs[number], number};
    if (context->pair == NULL) {
        *context = fresh;
    }
    enum leat_status status =
        leat_type_register(round->engine, walker->type_name, named_run, context, NULL, &type);
    if (status == LEAT_OK) {
        (void)atom_add_rlx(&round->pairs[number].winners, 1);
        saw_type(round, number, type, walker->type_name);
    } else if (status != LEAT_FULL) {
        CHECK_STATUS(status, LEAT_EXISTS);
        CHECK_OK(leat_type_find(round->engine, walker->type_name, &type));
        saw_type(round, number, type, walker->type_name);
    }
}

static void
create_one(struct walker *walker, uint32_t number)
{
    struct round *round = walker->round;
    struct leat_queue_options options = leat_queue_options_default();
    leat_queue queue = {0};
    options.priority = number % leat_priority_levels();
    enum leat_status status =
        leat_queue_create(round->engine, walker->queue_name, &options, &queue);
    if (status == LEAT_OK) {
        (void)atom_add_rlx(&round->pairs[number].created, 1);
    } else if (status != LEAT_FULL) {
        CHECK_STATUS(status, LEAT_EXISTS);
    }
    if (status != LEAT_FULL) {
        saw_queue(round, number, queue, walker->queue_name);
    }
}

static void
submit_one(struct walker *walker, uint32_t number, const struct leat_job *how)
{
    struct leat_job job = *how;
    job.payload = &number;
    job.payload_bytes = sizeof(number);
    enum leat_status status = leat_submit(walker->round->engine, &job, NULL);
    if (status == LEAT_OK) {
        (void)atom_add_rlx(&walker->round->pairs[number].accepted, 1);
    } else {
        CHECK_STATUS(status, LEAT_FULL);
    }
}

static void
submit_by_names(struct walker *walker, uint32_t number)
{
    struct leat_job job = leat_job_default();
    job.type_name = walker->type_name;
    job.queue_name = walker->queue_name;
    submit_one(walker, number, &job);
}

/* By handles that were found this moment: what another thread is about to create. */
static void
submit_by_handles(struct walker *walker, uint32_t number)
{
    struct round *round = walker->round;
    struct leat_job job = leat_job_default();
    enum leat_status found = leat_type_find(round->engine, walker->type_name, &job.type);
    if (found != LEAT_OK) {
        CHECK_STATUS(found, LEAT_NOT_FOUND);
        return;
    }
    saw_type(round, number, job.type, walker->type_name);
    found = leat_queue_find(round->engine, walker->queue_name, &job.queue);
    if (found == LEAT_OK) {
        saw_queue(round, number, job.queue, walker->queue_name);
    } else {
        CHECK_STATUS(found, LEAT_NOT_FOUND);
    }
    submit_one(walker, number, &job);
}

static void
walk(void *shared, uint32_t thread)
{
    struct walker walker = {.round = shared, .thread = thread};
    walker.prng.state = walker.round->seed + thread;
    for (uint32_t step = 0; step < NAMES_TRIED * 2; step++) {
        uint32_t number = step / 2 + test_random_below(&walker.prng, STRAY);
        number = number < NAMES_TRIED ? number : NAMES_TRIED - 1;
        (void)snprintf(walker.type_name, sizeof(walker.type_name), "type/%u", number);
        (void)snprintf(walker.queue_name, sizeof(walker.queue_name), "queue/%u", number);
        switch (test_random_below(&walker.prng, 4)) {
        case 0:
            register_one(&walker, number);
            break;
        case 1:
            create_one(&walker, number);
            break;
        case 2:
            submit_by_names(&walker, number);
            break;
        default:
            submit_by_handles(&walker, number);
            break;
        }
    }
}

/* ---- one round ------------------------------------------------------------------------------- */

struct totals {
    uint32_t types;
    uint32_t queues;
    uint64_t accepted;
    uint64_t run;
};

/* Who created a queue got what it asked for; who only named it got the default. */
static void
check_priority(struct pair *pair)
{
    const struct leat_engine *engine = pair->round->engine;
    struct leat_queue_options defaults = leat_queue_options_default();
    uint32_t handle = atom_load_rlx(&pair->queue);
    if (handle != 0) {
        bool created = atom_load_rlx(&pair->created) != 0;
        CHECK_EQUAL(atom_load_rlx(&engine->pool.queues[handle - 1].options) - 1,
                    created ? pair->number % leat_priority_levels() : defaults.priority);
    }
}

static void
check_pair(struct pair *pair, struct totals *totals)
{
    uint32_t winners = atom_load_rlx(&pair->winners);
    uint32_t accepted = atom_load_rlx(&pair->accepted);
    uint32_t run = atom_load_rlx(&pair->run);
    CHECK(winners <= 1);
    CHECK(atom_load_rlx(&pair->created) <= 1);
    CHECK(run <= accepted);
    CHECK(winners == 1 || run == 0);
    check_priority(pair);
    totals->accepted += accepted;
    totals->run += run;
}

/* Finds each name once more, and counts. */
static void
check_names(struct round *round, struct totals *totals)
{
    for (uint32_t i = 0; i < NAMES_TRIED; i++) {
        char name[24];
        leat_type type = {0};
        leat_queue queue = {0};
        (void)snprintf(name, sizeof(name), "type/%u", i);
        if (leat_type_find(round->engine, name, &type) == LEAT_OK) {
            saw_type(round, i, type, name);
            totals->types++;
        } else {
            CHECK_EQUAL(atom_load_rlx(&round->pairs[i].type), 0);
        }
        (void)snprintf(name, sizeof(name), "queue/%u", i);
        if (leat_queue_find(round->engine, name, &queue) == LEAT_OK) {
            saw_queue(round, i, queue, name);
            totals->queues++;
        } else {
            CHECK_EQUAL(atom_load_rlx(&round->pairs[i].queue), 0);
        }
        check_pair(&round->pairs[i], totals);
    }
}

static void
one_round(uint64_t seed)
{
    struct round *round = calloc(1, sizeof(*round));
    struct leat_config config = test_config();
    struct totals totals = {0};
    CHECK(round != NULL);
    test_memory_init(&round->memory);
    config.allocator = test_memory_allocator(&round->memory);
    config.workers = 2;
    config.types_max = NAMES_MAX;
    config.queues_max = NAMES_MAX;
    config.ring_slots = 256;
    config.jobs_max = 1024;
    config.retained_max = 16;
    config.dead_max = 16;
    round->seed = seed;
    for (uint32_t i = 0; i < NAMES_TRIED; i++) {
        round->pairs[i].round = round;
        round->pairs[i].number = i;
    }
    round->engine = test_start(&config);
    test_threads_run(THREADS, walk, round);
    CHECK_OK(leat_drain(round->engine, LEAT_FOREVER));
    check_names(round, &totals);
    CHECK_EQUAL(totals.types, NAMES_MAX);
    CHECK_EQUAL(totals.queues, NAMES_MAX - 1); /* "default" is one */
    struct leat_statistics sum = test_statistics(round->engine);
    CHECK_EQUAL(sum.jobs_submitted, totals.accepted);
    CHECK_EQUAL(sum.jobs_completed, totals.run);
    CHECK_EQUAL(sum.jobs_dead, totals.accepted - totals.run);
    test_close(round->engine);
    CHECK_EQUAL(test_memory_blocks(&round->memory), 0);
    free(round);
}

static void
names_under_load(void **state)
{
    (void)state;
    struct test_prng prng = {test_seed("stress_names")};
    uint64_t deadline_ns = test_now_ns() + test_duration_ns();
    uint32_t rounds = 0;
    do {
        one_round(test_random(&prng));
        rounds++;
    } while (test_now_ns() < deadline_ns);
    test_say("stress_names: %u rounds\n", rounds);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_under_load),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
