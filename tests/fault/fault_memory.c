/* fault_memory.c - the allocator fails at its first, second, third … call, once or from then on,
 * until the operation succeeds: each failure is a clean LEAT_NO_MEMORY, nothing has changed,
 * nothing leaks, and the same call works when there is memory again. Just so below a cap on memory,
 * where each byte stays counted; and a cap that is reached at every few bytes: LEAT_FULL, or
 * LEAT_NO_MEMORY. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "engine/engine_internal.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/memory.h"
#include "tests/support/threads.h"

/* More than any single operation takes. */
#define CALLS_MAX 200

/* Of the engines from here on; 0: none. */
static uint64_t memory_max;

struct world {
    struct test_memory memory;
    struct leat_engine *engine;
    leat_type type;
    leat_queue drops; /* 3 jobs may wait */
    uint32_t round;   /* makes names new */
};

static struct leat_outcome
done(struct leat_run *run, void *context)
{
    (void)run;
    (void)context;
    return leat_done();
}

static struct leat_config
config_of(struct world *world)
{
    struct leat_config config = test_config();
    config.allocator = test_memory_allocator(&world->memory);
    config.workers = 0;
    config.memory_max = memory_max;
    return config;
}

/* All that is out is counted, where something is. */
static void
check_counted(const struct world *world)
{
    const struct leat_footprint *footprint = &world->engine->footprint;
    uint64_t bytes = 0;
    CHECK(leat_footprint_check(world->engine, &bytes, stderr));
    if (footprint->counted) {
        CHECK_EQUAL(leat_footprint_used(footprint), bytes + atom_load_rlx(&world->memory.bytes));
    }
}

static struct world *
setup(void)
{
    struct world *world = calloc(1, sizeof(*world));
    CHECK(world != NULL);
    test_memory_init(&world->memory);
    struct leat_config config = config_of(world);
    world->engine = test_start(&config);
    world->type = test_register(world->engine, "t", done, NULL);
    struct leat_job job = leat_job_default();
    struct leat_schedule schedule = leat_schedule_default();
    job.type = world->type;
    schedule.spec = "0 0 1 1 *";
    schedule.job = &job;
    CHECK_OK(leat_schedule_add(world->engine, "there", &schedule, NULL));
    return world;
}

static void
teardown(struct world *world)
{
    test_memory_heal(&world->memory);
    test_finish(world->engine);
    CHECK_EQUAL(test_memory_blocks(&world->memory), 0);
    free(world);
}

/* ---- open ----------------------------------------------------------------------------------- */

static void
open_fails(bool for_ever)
{
    struct world world = {.engine = NULL};
    uint64_t nth = 0;
    test_memory_init(&world.memory);
    struct leat_config config = config_of(&world);
    config.workers = 2;
    for (;; nth++) {
        struct leat_error error;
        CHECK(nth < CALLS_MAX);
        test_memory_fail(&world.memory, nth, for_ever);
        enum leat_status status = leat_open(&config, &world.engine, &error);
        if (status == LEAT_OK) {
            break;
        }
        CHECK_STATUS(status, LEAT_NO_MEMORY);
        CHECK_STATUS(error.status, LEAT_NO_MEMORY);
        CHECK(strlen(error.text) > 0);
        CHECK(world.engine == NULL);
        CHECK_EQUAL(test_memory_blocks(&world.memory), 0);
    }
    /* The engine, its places, its tables: several at least. */
    CHECK(nth >= 5);
    test_memory_heal(&world.memory);
    CHECK_OK(leat_start(world.engine));
    test_finish(world.engine);
    CHECK_EQUAL(test_memory_blocks(&world.memory), 0);
}

static void
opening(void **state)
{
    (void)state;
    open_fails(false);
    open_fails(true);
}

/* ---- calls of an open engine ---------------------------------------------------------------- */

/* One call that needs memory; the same again each time until it works. */
typedef enum leat_status (*attempt)(struct world *world);

static enum leat_status
register_type(struct world *world)
{
    char name[32];
    leat_type type = {7};
    (void)snprintf(name, sizeof(name), "type-%u", world->round);
    enum leat_status status = leat_type_register(world->engine, name, done, NULL, NULL, &type);
    if (status != LEAT_OK) {
        CHECK_EQUAL(type.bits, 7);
        test_memory_heal(&world->memory);
        /* Not half registered: a job of it would find no handler, and a second try works. */
        CHECK_STATUS(leat_type_find(world->engine, name, &type), LEAT_NOT_FOUND);
    }
    return status;
}

static void
batch(struct leat_run *const *runs, struct leat_outcome *outcomes, size_t count, void *context)
{
    (void)runs;
    (void)outcomes;
    (void)count;
    (void)context;
}

static enum leat_status
register_batch(struct world *world)
{
    char name[32];
    leat_type type = {7};
    struct leat_type_options options = leat_type_options_default();
    options.batch_max = 4;
    (void)snprintf(name, sizeof(name), "batch-%u", world->round);
    enum leat_status status =
        leat_type_register_batch(world->engine, name, batch, NULL, &options, &type);
    if (status != LEAT_OK) {
        CHECK_EQUAL(type.bits, 7);
        test_memory_heal(&world->memory);
        CHECK_STATUS(leat_type_find(world->engine, name, &type), LEAT_NOT_FOUND);
    }
    return status;
}

static struct leat_outcome
around(struct leat_run *run, struct leat_next *next, void *context)
{
    (void)run;
    (void)context;
    return leat_next_run(next);
}

static enum leat_status
add_middleware(struct world *world)
{
    return leat_middleware_add(world->engine, around, NULL);
}

static enum leat_status
add_to_type(struct world *world)
{
    return leat_type_middleware_add(world->engine, world->type, around, NULL);
}

/* Where there is middleware of all types. */
static enum leat_status
register_around(struct world *world)
{
    return register_type(world);
}

/* Of the caller's thread. */
static enum leat_status
run_inline(struct world *world)
{
    static const char payload[3000];
    struct leat_job job = leat_job_default();
    struct leat_job_info info = leat_job_info_default();
    job.type = world->type;
    job.payload = payload;
    job.payload_bytes = sizeof(payload);
    enum leat_status status = leat_run_inline(world->engine, &job, &info, NULL);
    CHECK((info.id.bits == 0) == (status != LEAT_OK));
    return status;
}

static enum leat_status
create_queue(struct world *world)
{
    char name[32];
    leat_queue queue = {7};
    (void)snprintf(name, sizeof(name), "queue-%u", world->round);
    enum leat_status status = leat_queue_create(world->engine, name, NULL, &queue);
    if (status != LEAT_OK) {
        CHECK_EQUAL(queue.bits, 7);
        test_memory_heal(&world->memory);
        CHECK_STATUS(leat_queue_find(world->engine, name, &queue), LEAT_NOT_FOUND);
    }
    return status;
}

static enum leat_status
submit_payload(struct world *world)
{
    static const char payload[3000];
    struct leat_job job = leat_job_default();
    leat_job_id id = {7};
    job.type = world->type;
    job.payload = payload;
    job.payload_bytes = sizeof(payload);
    enum leat_status status = leat_submit(world->engine, &job, &id);
    CHECK((id.bits == 7) == (status != LEAT_OK));
    return status;
}

static enum leat_status
submit_names(struct world *world)
{
    char name[32];
    struct leat_job job = leat_job_default();
    (void)snprintf(name, sizeof(name), "used-%u", world->round);
    job.type_name = name;
    job.queue_name = name;
    return leat_submit(world->engine, &job, NULL);
}

static enum leat_status
submit_batch(struct world *world)
{
    static const char payload[3000];
    struct leat_job jobs[3];
    leat_job_id ids[3] = {{7}, {7}, {7}};
    for (uint32_t i = 0; i < 3; i++) {
        jobs[i] = leat_job_default();
        jobs[i].type = world->type;
        jobs[i].payload = payload;
        jobs[i].payload_bytes = sizeof(payload);
    }
    enum leat_status status =
        leat_submit_batch(world->engine, jobs, 3, LEAT_BATCH_ALL_OR_NONE, ids, NULL);
    CHECK((ids[2].bits == 7) == (status != LEAT_OK));
    return status;
}

/* One job waits in a queue that drops, so that there is a place for the order of its jobs. */
static void
make_drops(struct world *world)
{
    struct leat_queue_options options = leat_queue_options_default();
    struct leat_job job = leat_job_default();
    options.waiting_max = 3;
    options.full = LEAT_FULL_DROP_OLDEST;
    CHECK_OK(leat_queue_create(world->engine, "drops", &options, &world->drops));
    job.type = world->type;
    job.queue = world->drops;
    CHECK_OK(leat_submit(world->engine, &job, NULL));
}

/* All that waits is dropped for it, or nothing. */
static enum leat_status
submit_bulk(struct world *world)
{
    struct leat_job jobs[3];
    leat_job_id ids[3] = {{7}, {7}, {7}};
    struct leat_bulk bulk = leat_bulk_default();
    struct leat_queue_info info = leat_queue_info_default();
    CHECK_OK(leat_queue_get_info(world->engine, world->drops, &info));
    uint64_t dropped = info.dropped;
    uint64_t waiting = info.waiting;
    for (uint32_t i = 0; i < 3; i++) {
        jobs[i] = leat_job_default();
        jobs[i].type = world->type;
        jobs[i].queue = world->drops;
    }
    bulk.jobs = jobs;
    bulk.count = 3;
    bulk.ids = ids;
    bulk.mode = LEAT_BATCH_ALL_OR_NONE;
    enum leat_status status = leat_submit_bulk(world->engine, &bulk);
    CHECK((ids[2].bits == 0) == (status != LEAT_OK));
    CHECK_OK(leat_queue_get_info(world->engine, world->drops, &info));
    CHECK_EQUAL(info.dropped, dropped + (status == LEAT_OK ? waiting : 0));
    return status;
}

/* A schedule in a zone that no other one uses. */
static enum leat_status
schedule_put(struct world *world, const char *name)
{
    static const char payload[3000];
    struct leat_job job = leat_job_default();
    struct leat_schedule schedule = leat_schedule_default();
    struct leat_error error;
    job.type = world->type;
    job.payload = payload;
    job.payload_bytes = sizeof(payload);
    schedule.spec = "0 3 * * *";
    schedule.zone = world->round % 2 == 0 ? "Europe/Berlin" : "America/New_York";
    schedule.job = &job;
    bool there = strcmp(name, "there") == 0;
    enum leat_status status = there ? leat_schedule_change(world->engine, name, &schedule, &error)
                                    : leat_schedule_add(world->engine, name, &schedule, &error);
    CHECK_STATUS(error.status, status);
    CHECK(leat_schedules_check(&world->engine->schedules, stderr));
    return status;
}

static enum leat_status
add_schedule(struct world *world)
{
    enum leat_status status = schedule_put(world, "new");
    if (status == LEAT_OK) {
        CHECK_OK(leat_schedule_remove(world->engine, "new"));
    }
    return status;
}

static enum leat_status
change_schedule(struct world *world)
{
    return schedule_put(world, "there");
}

static void
repeat(attempt call, uint64_t jobs, bool for_ever)
{
    struct world *world = setup();
    CHECK(call != register_around || add_middleware(world) == LEAT_OK);
    if (call == submit_bulk) {
        make_drops(world);
    }
    for (world->round = 0; world->round < 3; world->round++) {
        uint64_t nth = 0;
        uint64_t submitted = test_statistics(world->engine).jobs_submitted;
        for (;; nth++) {
            CHECK(nth < CALLS_MAX);
            uint64_t blocks = test_memory_blocks(&world->memory);
            test_memory_fail(&world->memory, nth, for_ever);
            enum leat_status status = call(world);
            test_memory_heal(&world->memory);
            if (status == LEAT_OK) {
                break;
            }
            CHECK_STATUS(status, LEAT_NO_MEMORY);
            CHECK_EQUAL(test_statistics(world->engine).jobs_submitted, submitted);
            /* Names of types and queues that went in before the failure may stay. */
            CHECK(test_memory_blocks(&world->memory) <= blocks + (call == submit_names ? 1 : 0));
            test_engine_check(world->engine);
            check_counted(world);
        }
        CHECK(nth >= 1);
        CHECK_EQUAL(test_statistics(world->engine).jobs_submitted, submitted + jobs);
    }
    teardown(world);
}

/* Bytes between one cap and the next: blocks are no smaller. */
#define CAP_STEP 16

/* The cap leaves a little more at each try, until the call works. */
static void
squeeze(attempt call, uint64_t jobs)
{
    struct world *world = setup();
    struct leat_footprint *footprint = &world->engine->footprint;
    uint64_t refusals = 0;
    uint64_t submitted = test_statistics(world->engine).jobs_submitted;
    CHECK(call != register_around || add_middleware(world) == LEAT_OK);
    if (call == submit_bulk) {
        make_drops(world);
        submitted++;
    }
    const uint64_t used = leat_footprint_used(footprint);
    for (;; refusals++) {
        CHECK(refusals < 10000);
        uint64_t blocks = test_memory_blocks(&world->memory);
        atom_store_rlx(&footprint->most, used + refusals * CAP_STEP);
        enum leat_status status = call(world);
        if (status == LEAT_OK) {
            break;
        }
        CHECK(status == LEAT_NO_MEMORY || status == LEAT_FULL);
        CHECK_EQUAL(test_statistics(world->engine).jobs_submitted, submitted);
        CHECK(test_memory_blocks(&world->memory) <= blocks + (call == submit_names ? 1 : 0));
        CHECK(leat_footprint_used(footprint) <= used + refusals * CAP_STEP);
        check_counted(world);
    }
    CHECK(refusals >= 1);
    CHECK_EQUAL(test_statistics(world->engine).jobs_submitted, submitted + jobs);
    atom_store_rlx(&footprint->most, memory_max);
    test_engine_check(world->engine);
    teardown(world);
}

static void
a_cap_at_every_step(void **state)
{
    (void)state;
    memory_max = UINT64_C(1) << 30;
    squeeze(register_type, 0);
    squeeze(register_batch, 0);
    squeeze(register_around, 0);
    squeeze(add_middleware, 0);
    squeeze(add_to_type, 0);
    squeeze(run_inline, 1);
    squeeze(create_queue, 0);
    squeeze(submit_payload, 1);
    squeeze(submit_names, 1);
    squeeze(submit_batch, 3);
    squeeze(submit_bulk, 3);
    squeeze(add_schedule, 0);
    squeeze(change_schedule, 0);
    memory_max = 0;
}

static void
calls(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 2; i++) {
        bool for_ever = i == 1;
        repeat(register_type, 0, for_ever);
        repeat(register_batch, 0, for_ever);
        repeat(register_around, 0, for_ever);
        repeat(add_middleware, 0, for_ever);
        repeat(add_to_type, 0, for_ever);
        repeat(run_inline, 1, for_ever);
        repeat(create_queue, 0, for_ever);
        repeat(submit_payload, 1, for_ever);
        repeat(submit_names, 1, for_ever);
        repeat(submit_batch, 3, for_ever);
        repeat(submit_bulk, 3, for_ever);
        repeat(add_schedule, 0, for_ever);
        repeat(change_schedule, 0, for_ever);
    }
}

static void
calls_below_a_cap(void **state)
{
    memory_max = UINT64_C(1) << 30;
    calls(state);
    memory_max = 0;
}

/* ---- in handlers ---------------------------------------------------------------------------- */

static struct leat_outcome
starved_run(struct leat_run *run, void *context)
{
    struct world *world = context;
    char result[100];
    memset(result, 'r', sizeof(result));
    CHECK_OK(leat_run_result(run, "before", 6));
    for (uint64_t nth = 0; nth < 3; nth++) {
        test_memory_fail(&world->memory, nth, true);
        enum leat_status status = leat_run_result(run, result, sizeof(result));
        test_memory_heal(&world->memory);
        if (status == LEAT_OK) {
            CHECK(nth >= 1);
            break;
        }
        /* What was set before stands. */
        CHECK_STATUS(status, LEAT_NO_MEMORY);
    }
    test_memory_fail(&world->memory, 0, true);
    CHECK_STATUS(leat_run_result(run, "lost", 4), LEAT_NO_MEMORY);
    test_memory_heal(&world->memory);
    return leat_done();
}

static struct leat_outcome
starved_extra_run(struct leat_run *run, void *context)
{
    struct world *world = context;
    test_memory_fail(&world->memory, 0, true);
    CHECK_STATUS(leat_run_error(run, "why"), LEAT_NO_MEMORY);
    CHECK_OK(leat_run_error(run, NULL));
    CHECK_STATUS(leat_run_progress(run, 10, NULL), LEAT_NO_MEMORY);
    CHECK_STATUS(leat_run_result(run, "x", 1), LEAT_NO_MEMORY);
    test_memory_heal(&world->memory);
    return leat_fail();
}

static void
handlers(void **state)
{
    (void)state;
    struct world *world = setup();
    char result[100];
    size_t bytes = 0;
    leat_type starved = test_register(world->engine, "starved", starved_run, world);
    leat_type extra = test_register(world->engine, "extra", starved_extra_run, world);
    leat_job_id first = test_submit_kept(world->engine, starved);
    leat_job_id second = test_submit_kept(world->engine, extra);
    CHECK_OK(leat_run_some(world->engine, 2, NULL));
    CHECK_EQUAL(test_get(world->engine, first).state, LEAT_JOB_COMPLETED);
    CHECK_OK(leat_result(world->engine, first, result, sizeof(result), &bytes));
    CHECK_EQUAL(bytes, sizeof(result));
    CHECK_EQUAL(result[99], 'r');
    struct leat_job_info info = test_get(world->engine, second);
    CHECK_EQUAL(info.state, LEAT_JOB_DEAD);
    CHECK_EQUAL(info.reason, LEAT_REASON_FAILED);
    CHECK_TEXT(info.error, "");
    CHECK_EQUAL(info.result_bytes, 0);
    teardown(world);
}

/* Without any memory jobs still run, retry, are cancelled and looked at. */
static struct leat_outcome
retries(struct leat_run *run, void *context)
{
    (void)context;
    return leat_run_attempt(run) < 3 ? leat_retry() : leat_done();
}

static void
the_rest_goes_on(void **state)
{
    (void)state;
    struct world *world = setup();
    leat_type type = test_register(world->engine, "retries", retries, NULL);
    struct leat_job_info info = leat_job_info_default();
    test_memory_fail(&world->memory, 0, true);
    for (uint32_t i = 0; i < 200; i++) {
        leat_job_id kept = test_submit_kept(world->engine, type);
        leat_job_id cancelled = test_submit(world->engine, world->type);
        CHECK_OK(leat_cancel(world->engine, cancelled));
        CHECK_OK(leat_run_some(world->engine, 10, NULL));
        CHECK_OK(leat_wait(world->engine, kept, LEAT_FOREVER, &info));
        CHECK_EQUAL(info.state, LEAT_JOB_COMPLETED);
        CHECK_OK(leat_result(world->engine, kept, NULL, 0, NULL));
        CHECK_OK(leat_release(world->engine, kept));
    }
    CHECK_OK(leat_stop(world->engine, LEAT_FOREVER));
    CHECK_OK(leat_start(world->engine));
    CHECK_OK(leat_drain(world->engine, LEAT_FOREVER));
    teardown(world);
}

static void
below_a_cap(void **state)
{
    memory_max = UINT64_C(1) << 30;
    open_fails(false);
    open_fails(true);
    handlers(state);
    the_rest_goes_on(state);
    memory_max = 0;
}

/* A snapshot of the numbers is wait-free, so it can depend on nobody's allocator. */
static void
statistics_need_none(void **state)
{
    (void)state;
    struct world *world = setup();
    (void)test_submit(world->engine, world->type);
    struct leat_statistics sum = leat_statistics_default();
    struct leat_worker_statistics worker = leat_worker_statistics_default();
    test_memory_fail(&world->memory, 0, true);
    CHECK_OK(leat_worker_statistics_get(world->engine, 0, &worker));
    CHECK_OK(leat_statistics_get(world->engine, &sum));
    CHECK_EQUAL(sum.jobs_submitted, 1);
    teardown(world);
}

/* ---- address space -------------------------------------------------------------------------- */

static void
limit_address_space(rlim_t bytes)
{
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_AS, &limit) == 0);
    limit.rlim_cur = bytes == 0 ? limit.rlim_max : bytes;
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
}

static void
open_in_little_space(void *argument)
{
    struct leat_config config = leat_config_default();
    struct leat_engine *engine = NULL;
    struct leat_error error;
    uint32_t refused = 0;
    (void)argument;
    config.jobs_max = 1 << 22;
    size_t wants = leat_memory_size(&config);
    for (size_t percent = 5; percent <= 100; percent += 5) {
        limit_address_space((rlim_t)(wants / 100 * percent));
        enum leat_status status = leat_open(&config, &engine, &error);
        CHECK_STATUS(error.status, status);
        if (status == LEAT_OK) {
            CHECK_OK(leat_close(engine));
            engine = NULL;
        } else {
            CHECK_STATUS(status, LEAT_NO_MEMORY);
            CHECK(engine == NULL);
            refused++;
        }
    }
    CHECK(refused >= 10);
    limit_address_space(0);
    CHECK_OK(leat_open(&config, &engine, &error));
    CHECK_OK(leat_close(engine));
}

/* Rings and slabs are mapped: a process that may not have more is refused, and can go on. */
static void
address_space(void **state)
{
    (void)state;
    if (test_sanitized()) {
        skip();
    }
    test_child(open_in_little_space, NULL);
}

static void
open_locked(void *argument)
{
    struct leat_config config = test_config();
    struct leat_engine *engine = NULL;
    struct leat_error error;
    const struct rlimit none = {0, 0};
    (void)argument;
    CHECK(setrlimit(RLIMIT_MEMLOCK, &none) == 0);
    /* A user without CAP_IPC_LOCK. */
    CHECK(getuid() != 0 || setuid(65534) == 0);
    config.lock_memory = true;
    CHECK_STATUS(leat_open(&config, &engine, &error), LEAT_REFUSED);
    CHECK_STATUS(error.status, LEAT_REFUSED);
    CHECK_TEXT(error.field, "lock_memory");
    CHECK(engine == NULL);
    config.lock_memory = false;
    CHECK_OK(leat_open(&config, &engine, &error));
    CHECK_OK(leat_close(engine));
}

/* mlock is refused to who may not: the status says so and the error names the field. */
static void
locked_memory(void **state)
{
    (void)state;
    /* Sanitizers make mlock do nothing. */
    if (test_sanitized()) {
        skip();
    }
    test_child(open_locked, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opening),           cmocka_unit_test(calls),
        cmocka_unit_test(calls_below_a_cap), cmocka_unit_test(a_cap_at_every_step),
        cmocka_unit_test(handlers),          cmocka_unit_test(the_rest_goes_on),
        cmocka_unit_test(below_a_cap),       cmocka_unit_test(statistics_need_none),
        cmocka_unit_test(address_space),     cmocka_unit_test(locked_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
