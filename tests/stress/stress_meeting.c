/* stress_meeting.c - all features of jobs at once, one thread, a fake clock, random steps: keys,
 * unique keys, names, batches, pull queues, gates, rates, minimums, limits, breakers, jobs that run
 * inline, dead letters that come back, stops and drains. Behind each step: of one key at most one
 * job is under way, of one unique key or name at most one lives, and limits count what waits. At
 * the end nothing is left: no job, no place in a gate, no room taken, no memory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/gates.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory.h"
#include "tests/support/prng.h"

#define MS      UINT64_C(1000000)
#define S       (1000 * MS)
#define SHADOWS 4096 /* jobs of a round */
#define TEXTS   4
#define QUEUES  4
#define TYPES   4
#define STEPS   3000

/* What is known of a job. */
struct shadow {
    leat_job_id id;
    leat_token token; /* of its last attempt that is pending, or leased; may be over */
    uint8_t key;      /* 0: none */
    uint8_t unique;   /* the same; UNTIL_FINISHED */
    uint8_t name;
    uint8_t type;
    bool inlined;
    bool begun;       /* since it was submitted or brought back */
    bool told;        /* it has a completion to come */
    uint8_t told_now; /* completions that came */
};

struct world {
    struct test_clock clock;
    struct test_memory memory;
    struct leat_engine *engine;
    struct leat_completion_queue *completions;
    struct test_prng prng;
    leat_type types[TYPES];
    leat_queue queues[QUEUES];
    leat_tenant tenants[QUEUES];
    struct shadow shadows[SHADOWS];
    uint32_t count;
    bool done; /* handlers answer that from now on */
    uint64_t step;
};

enum { PULL = 2 };

static uint32_t
below(struct world *world, uint32_t most)
{
    return test_random_below(&world->prng, most);
}

static enum leat_job_state
state_of(struct world *world, uint32_t i)
{
    struct leat_job_info info = leat_job_info_default();
    if (world->shadows[i].id.bits == 0 ||
        leat_get(world->engine, world->shadows[i].id, &info) != LEAT_OK) {
        return LEAT_JOB_CANCELLED; /* gone */
    }
    return info.state;
}

static void
begins(struct world *world, uint32_t own)
{
    struct shadow *shadow = &world->shadows[own];
    shadow->begun = true;
    for (uint32_t i = 0; i < world->count && shadow->key != 0 && !shadow->inlined; i++) {
        const struct shadow *other = &world->shadows[i];
        if (i != own && other->key == shadow->key && other->begun && !other->inlined &&
            state_of(world, i) < LEAT_JOB_COMPLETED) {
            (void)fprintf(stderr, "step %lu: jobs %u and %u of key %u, state %u\n",
                          (unsigned long)world->step, own, i, shadow->key,
                          (unsigned)state_of(world, i));
            CHECK(false);
        }
    }
}

static struct leat_outcome
outcome_of(struct world *world)
{
    if (world->done) {
        return leat_done();
    }
    switch (below(world, 12)) {
    case 0:
        return leat_retry_in(0);
    case 1:
        return leat_retry_in(below(world, 3000) * MS);
    case 2:
    case 3:
        return leat_fail();
    case 4:
        return leat_snooze(below(world, 2) * S);
    case 5:
        return leat_pending_for(S);
    case 6:
        return leat_pending();
    default:
        return leat_done();
    }
}

static struct leat_outcome
run_one(struct world *world, struct leat_run *run)
{
    uint32_t own = 0;
    size_t bytes = 0;
    const void *payload = leat_run_payload(run, &bytes);
    memcpy(&own, payload, sizeof(own));
    CHECK(own < world->count);
    begins(world, own);
    struct leat_outcome outcome = outcome_of(world);
    world->shadows[own].token = leat_run_token(run);
    if (below(world, 4) == 0) {
        CHECK_OK(leat_run_error(run, "e"));
    }
    return outcome;
}

static struct leat_outcome
handler(struct leat_run *run, void *context)
{
    return run_one(context, run);
}

static void
batch_handler(struct leat_run *const *runs, struct leat_outcome *outcomes, size_t count,
              void *context)
{
    for (size_t i = 0; i < count; i++) {
        outcomes[i] = run_one(context, runs[i]);
    }
}

/* ---- steps ----------------------------------------------------------------------------------- */

static const char *const texts[TEXTS] = {NULL, "a", "b", "c"};

/* Fills one more shadow and its job. */
static uint32_t
job_make(struct world *world, struct leat_job *job, struct leat_job_options *options)
{
    static const char *const tags[1] = {"tag"};
    static unsigned char payload[200];
    uint32_t own = world->count++;
    struct shadow *shadow = &world->shadows[own];
    memset(shadow, 0, sizeof(*shadow));
    memcpy(payload, &own, sizeof(own));
    *job = leat_job_default();
    *options = leat_job_options_default();
    shadow->type = (uint8_t)below(world, TYPES);
    if (below(world, 2) == 0) {
        shadow->key = (uint8_t)below(world, TEXTS);
    }
    if (below(world, 3) == 0) {
        shadow->unique = (uint8_t)below(world, TEXTS);
    }
    if (below(world, 4) == 0) {
        shadow->name = (uint8_t)below(world, TEXTS);
    }
    options->key = texts[shadow->key];
    options->key_bytes = shadow->key == 0 ? 0 : 1;
    options->unique_key = texts[shadow->unique];
    options->unique_key_bytes = shadow->unique == 0 ? 0 : 1;
    if (shadow->unique != 0) {
        options->unique_conflict = (enum leat_unique_conflict)below(world, 4);
    }
    options->name = texts[shadow->name];
    options->tags = tags;
    options->tags_count = below(world, 2);
    options->expires_in_ns = below(world, 6) == 0 ? below(world, 3000) * MS : LEAT_FOREVER;
    job->type = world->types[shadow->type];
    job->queue = world->queues[below(world, QUEUES)];
    job->payload = payload;
    job->payload_bytes = below(world, 4) == 0 ? sizeof(payload) : sizeof(own);
    job->priority = below(world, 2) == 0 ? below(world, 8) : LEAT_PRIORITY_OF_QUEUE;
    job->flags = below(world, 4) == 0 ? LEAT_JOB_KEEP_RESULT : 0;
    job->max_attempts = 1 + below(world, 3);
    job->delay_ns = below(world, 4) == 0 ? below(world, 3000) * MS : 0;
    job->options = options;
    if (below(world, 3) == 0) {
        job->completions = world->completions;
        job->user = shadow;
    }
    return own;
}

static void
submit(struct world *world)
{
    struct leat_job job;
    struct leat_job_options options;
    uint32_t own = job_make(world, &job, &options);
    leat_job_id id = {0};
    if (leat_submit(world->engine, &job, &id) == LEAT_OK) {
        world->shadows[own].id = id;
        world->shadows[own].told = job.completions != NULL;
    }
}

static void
run_inline(struct world *world)
{
    struct leat_job job;
    struct leat_job_options options;
    struct leat_job_info info = leat_job_info_default();
    uint32_t own = job_make(world, &job, &options);
    job.queue = world->queues[0];
    struct shadow *shadow = &world->shadows[own];
    shadow->inlined = true;
    if (leat_run_inline(world->engine, &job, &info, NULL) == LEAT_OK) {
        shadow->id = info.id;
        shadow->told = job.completions != NULL;
    }
}

static void
submit_group(struct world *world)
{
    struct leat_job jobs[3];
    struct leat_job_options options[3];
    leat_job_id ids[3];
    uint32_t first = world->count;
    uint32_t payloads[3];
    for (uint32_t i = 0; i < 3; i++) {
        payloads[i] = job_make(world, &jobs[i], &options[i]);
        jobs[i].payload = &payloads[i];
        jobs[i].payload_bytes = sizeof(payloads[i]);
        jobs[i].priority = LEAT_PRIORITY_NORMAL;
        options[i].unique_conflict = LEAT_UNIQUE_REJECT;
    }
    if (leat_submit_batch(world->engine, jobs, 3, LEAT_BATCH_ALL_OR_NONE, ids, NULL) == LEAT_OK) {
        for (uint32_t i = 0; i < 3; i++) {
            world->shadows[first + i].id = ids[i];
            world->shadows[first + i].told = jobs[i].completions != NULL;
        }
    }
}

static const struct shadow *
any(struct world *world)
{
    static const struct shadow none;
    uint32_t back = below(world, 60);
    return world->count > back ? &world->shadows[world->count - 1 - back] : &none;
}

static void
reserve(struct world *world)
{
    static _Alignas(16) unsigned char buffer[4096];
    struct leat_lease leases[4];
    struct leat_reserve_options options = leat_reserve_options_default();
    size_t count = 0;
    options.queue = world->queues[PULL];
    options.max = 1 + below(world, 4);
    options.lease_ns = S;
    options.buffer = buffer;
    options.buffer_bytes = sizeof(buffer);
    if (leat_reserve(world->engine, &options, leases, &count) != LEAT_OK) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t own = 0;
        memcpy(&own, leases[i].payload, sizeof(own));
        begins(world, own);
        world->shadows[own].token = leases[i].token;
    }
}

static void
answer(struct world *world)
{
    struct leat_engine *engine = world->engine;
    leat_token token = any(world)->token;
    enum leat_status unused = LEAT_OK;
    switch (below(world, 6)) {
    case 0:
        unused = leat_nack(engine, token, below(world, 2) * S, "nack");
        break;
    case 1:
        unused = leat_lease_release(engine, token);
        break;
    case 2:
        unused = leat_extend(engine, token, S);
        break;
    case 3:
        unused = leat_complete(engine, token, leat_fail(), "fail");
        break;
    default:
        unused = leat_ack(engine, token, "r", 1);
        break;
    }
    (void)unused;
}

static struct shadow *
shadow_of(struct world *world, leat_job_id id)
{
    for (uint32_t i = 0; i < world->count; i++) {
        if (world->shadows[i].id.bits == id.bits) {
            return &world->shadows[i];
        }
    }
    CHECK(false);
    return NULL;
}

static void
bring_back(struct world *world)
{
    struct leat_dead_query query = leat_dead_query_default();
    leat_job_id ids[16];
    size_t count = 0;
    CHECK_OK(leat_dead_list(world->engine, &query, ids, 16, &count));
    for (size_t i = 0; i < count; i++) {
        const struct leat_when when = {below(world, 2) * S, 0};
        if (below(world, 3) == 0) {
            enum leat_status unused = leat_dead_delete(world->engine, ids[i]);
            (void)unused;
        } else if (leat_dead_retry(world->engine, ids[i], when) == LEAT_OK) {
            struct shadow *shadow = shadow_of(world, ids[i]);
            shadow->begun = false;
            shadow->inlined = false;
        }
    }
}

static void
gates(struct world *world)
{
    struct leat_engine *engine = world->engine;
    leat_queue queue = world->queues[below(world, QUEUES)];
    leat_type type = world->types[below(world, TYPES)];
    struct leat_queue_limits limits = leat_queue_limits_default();
    switch (below(world, 10)) {
    case 8:
        limits.waiting_max = below(world, 12);
        limits.waiting_bytes_max = below(world, 2) * UINT64_C(1000);
        limits.full = below(world, 2) == 0 ? LEAT_FULL_REJECT : LEAT_FULL_DROP_OLDEST;
        if (queue.bits != world->queues[0].bits) {
            CHECK_OK(leat_queue_set_limits(engine, queue, &limits));
        }
        break;
    case 9: {
        enum leat_status unused = leat_queue_drain(engine, queue, MS);
        (void)unused;
        break;
    }
    case 0:
        CHECK_OK(leat_queue_pause(engine, queue));
        break;
    case 1:
    case 2:
        CHECK_OK(leat_queue_reopen(engine, queue));
        break;
    case 3:
        CHECK_OK(leat_queue_set_running_max(engine, queue, below(world, 4)));
        break;
    case 4:
        CHECK_OK(leat_type_set_running_max(engine, type, below(world, 4)));
        break;
    case 5:
        CHECK_OK(leat_queue_set_rate(engine, queue, leat_rate_of(below(world, 6), S, 2)));
        break;
    case 6:
        CHECK_OK(leat_type_set_rate(engine, type, leat_rate_of(below(world, 6), S, 2)));
        break;
    default: {
        enum leat_status unused = leat_queue_set_running_min(engine, queue, below(world, 2));
        (void)unused;
        break;
    }
    }
}

static void
lifecycle(struct world *world)
{
    enum leat_status status = leat_drain(world->engine, 20 * MS);
    CHECK(status == LEAT_OK || status == LEAT_TIMEOUT);
    CHECK_OK(leat_stop(world->engine, LEAT_FOREVER));
    test_engine_check(world->engine);
    CHECK_OK(leat_start(world->engine));
}

static void
run_some(struct world *world, uint32_t budget)
{
    enum leat_status status = leat_run_some(world->engine, budget, NULL);
    CHECK(status == LEAT_OK || status == LEAT_EMPTY);
}

static void
change(struct world *world)
{
    enum leat_status unused = LEAT_OK;
    const struct leat_when when = {below(world, 3) * S / 2, 0};
    switch (below(world, 4)) {
    case 0:
        unused = leat_cancel(world->engine, any(world)->id);
        break;
    case 1:
        unused = leat_reschedule(world->engine, any(world)->id, when);
        break;
    case 2:
        unused = leat_priority_set(world->engine, any(world)->id, below(world, 8));
        break;
    default:
        unused = leat_release(world->engine, any(world)->id);
        break;
    }
    (void)unused;
}

/* Of each job that is to have one, one comes, whatever its end. */
static void
completions_take(struct world *world)
{
    struct leat_completion items[16];
    size_t count = 0;
    while (leat_completion_queue_take(world->completions, items, 16, &count) == LEAT_OK) {
        for (size_t i = 0; i < count; i++) {
            struct shadow *shadow = items[i].user;
            CHECK(items[i].state >= LEAT_JOB_COMPLETED);
            CHECK_EQUAL(++shadow->told_now, 1);
        }
    }
}

static void
step(struct world *world)
{
    uint32_t what = below(world, 100);
    if (what < 25) {
        submit(world);
    } else if (what < 28) {
        submit_group(world);
    } else if (what < 31) {
        run_inline(world);
    } else if (what < 51) {
        run_some(world, 1 + below(world, 6));
    } else if (what < 61) {
        test_clock_pass(&world->clock, world->engine, below(world, 1500) * MS);
    } else if (what < 71) {
        change(world);
    } else if (what < 77) {
        reserve(world);
    } else if (what < 87) {
        answer(world);
    } else if (what < 91) {
        bring_back(world);
    } else if (what < 98) {
        gates(world);
    } else if (what < 99) {
        CHECK_OK(leat_queue_purge(world->engine, world->queues[below(world, QUEUES)], NULL));
    } else if (below(world, 4) == 0) {
        lifecycle(world);
    }
}

/* ---- what holds behind each step ------------------------------------------------------------- */

static void
check_claims(struct world *world)
{
    uint32_t keys[TYPES][TEXTS] = {{0}};
    uint32_t names[TEXTS] = {0};
    for (uint32_t i = world->count < 400 ? 0 : world->count - 400; i < world->count; i++) {
        const struct shadow *shadow = &world->shadows[i];
        if (!shadow->inlined && (shadow->unique | shadow->name) != 0 &&
            state_of(world, i) < LEAT_JOB_COMPLETED) {
            keys[shadow->type][shadow->unique]++;
            names[shadow->name]++;
        }
    }
    for (uint32_t i = 1; i < TEXTS; i++) {
        CHECK(names[i] <= 1);
        for (uint32_t j = 0; j < TYPES; j++) {
            CHECK(keys[j][i] <= 1);
        }
    }
}

static void
check_room(struct world *world)
{
    for (uint32_t i = 1; i < QUEUES; i++) {
        struct leat_queue_info info = leat_queue_info_default();
        struct leat_tenant_info tenant = leat_tenant_info_default();
        CHECK_OK(leat_queue_get_info(world->engine, world->queues[i], &info));
        CHECK_OK(leat_tenant_get(world->engine, world->tenants[i], &tenant));
        CHECK_EQUAL(tenant.jobs, info.waiting);
        CHECK_EQUAL(tenant.bytes, info.waiting_bytes);
    }
}

static void
world_open(struct world *world, uint64_t seed)
{
    struct leat_config config = test_config();
    memset(world, 0, sizeof(*world));
    world->prng.state = seed;
    test_clock_init(&world->clock);
    test_memory_init(&world->memory);
    config.workers = 0;
    config.jobs_max = 512;
    config.retained_max = 8;
    config.dead_max = 16;
    config.ring_slots = below(world, 2) == 0 ? 64 : 1024;
    config.clock = test_clock_of(&world->clock);
    config.allocator = test_memory_allocator(&world->memory);
    world->engine = test_start(&config);
    CHECK_OK(leat_completion_queue_create(world->engine, 512, &world->completions));
    for (uint32_t i = 0; i < TYPES; i++) {
        struct leat_type_options options = leat_type_options_default();
        struct leat_breaker_options breaker = leat_breaker_options_default();
        char name[2] = {(char)('a' + i), '\0'};
        breaker.calls_min = 4;
        breaker.open_ns = S;
        options.breaker = i == 1 || i == 3 ? &breaker : NULL;
        options.batch_max = i >= 2 ? 3 : 0;
        options.batch_delay_ns = i == 3 ? 500 * MS : 0;
        if (i >= 2) {
            CHECK_OK(leat_type_register_batch(world->engine, name, batch_handler, world, &options,
                                              &world->types[i]));
        } else {
            CHECK_OK(leat_type_register(world->engine, name, handler, world, &options,
                                        &world->types[i]));
        }
    }
    for (uint32_t i = 0; i < QUEUES; i++) {
        struct leat_queue_options options = leat_queue_options_default();
        char name[2] = {(char)('p' + i), '\0'};
        CHECK_OK(leat_tenant_create(world->engine, name, NULL, &world->tenants[i]));
        options.waiting_max = i == 0 ? 0 : 8;
        options.full = i == 1 ? LEAT_FULL_DROP_OLDEST : LEAT_FULL_REJECT;
        options.pull = i == PULL;
        options.tenant = i == 0 ? (leat_tenant){0} : world->tenants[i];
        CHECK_OK(leat_queue_create(world->engine, name, &options, &world->queues[i]));
    }
}

/* All that still lives runs to its end. */
static void
world_end(struct world *world)
{
    struct leat_engine *engine = world->engine;
    uint32_t left = 0;
    world->done = true;
    for (uint32_t i = 0; i < QUEUES; i++) {
        CHECK_OK(leat_queue_resume(engine, world->queues[i]));
        CHECK_OK(leat_queue_set_running_max(engine, world->queues[i], 0));
        CHECK_OK(leat_queue_set_rate(engine, world->queues[i], leat_rate_of(0, 0, 0)));
        CHECK_OK(leat_queue_set_running_min(engine, world->queues[i], 0));
    }
    for (uint32_t i = 0; i < TYPES; i++) {
        CHECK_OK(leat_type_set_running_max(engine, world->types[i], 0));
        CHECK_OK(leat_type_set_rate(engine, world->types[i], leat_rate_of(0, 0, 0)));
    }
    for (uint32_t i = 0; i < 200; i++) {
        test_clock_pass(&world->clock, engine, S);
        run_some(world, 1000);
        reserve(world);
        for (uint32_t j = 0; j < world->count; j++) {
            enum leat_status unused = leat_ack(engine, world->shadows[j].token, NULL, 0);
            (void)unused;
        }
    }
    for (uint32_t i = 0; i < world->count; i++) {
        enum leat_job_state state = state_of(world, i);
        if (state < LEAT_JOB_COMPLETED) {
            const struct shadow *shadow = &world->shadows[i];
            struct leat_job_info info = test_get(engine, shadow->id);
            (void)fprintf(stderr, "job %u is left: %u, type %u, queue %u, key %u, inline %d\n", i,
                          (unsigned)state, shadow->type, info.queue.bits, shadow->key,
                          shadow->inlined ? 1 : 0);
            left++;
        }
    }
    CHECK_EQUAL(left, 0);
    completions_take(world);
    for (uint32_t i = 0; i < world->count; i++) {
        CHECK_EQUAL(world->shadows[i].told_now, world->shadows[i].told ? 1 : 0);
    }
    CHECK_OK(leat_completion_queue_destroy(world->completions));
}

static void
world_check(struct world *world)
{
    struct leat_engine *engine = world->engine;
    struct leat_statistics sum = test_statistics(engine);
    uint32_t keys = 7;
    CHECK_EQUAL(sum.jobs_waiting + sum.jobs_scheduled + sum.jobs_retrying, 0);
    CHECK_EQUAL(sum.jobs_running, 0);
    CHECK(leat_keys_check(engine, &keys, stderr));
    CHECK_EQUAL(keys, 0);
    for (uint32_t i = 0; i < engine->config.queues_max + engine->config.types_max; i++) {
        CHECK_EQUAL(leat_gate_used(atom_load_rlx(&leat_gate_of(engine, i)->word)), 0);
        CHECK_EQUAL(leat_gate_used(atom_load_rlx(&engine->pool.queues[i].kept.word)), 0);
    }
    CHECK_EQUAL(leat_gate_used(atom_load_rlx(&engine->reserves.shared.word)), 0);
    CHECK_OK(leat_drain(engine, LEAT_FOREVER));
    for (uint32_t i = 0; i < QUEUES; i++) {
        CHECK_EQUAL(leat_quota_used(&engine->rooms.queues[world->queues[i].bits - 1].room.jobs), 0);
    }
}

static void
all_at_once(void **unused)
{
    (void)unused;
    static struct world world;
    uint64_t seed = test_seed("meeting");
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the only thread */
    const char *rounds_text = getenv("ROUNDS");
    uint32_t rounds = rounds_text == NULL ? 20 : (uint32_t)strtoul(rounds_text, NULL, 10);
    for (uint32_t round = 0; round < rounds; round++) {
        (void)fprintf(stderr, "round seed %lu\n", (unsigned long)(seed + round));
        world_open(&world, seed + round);
        for (world.step = 0; world.step < STEPS && world.count + 4 < SHADOWS; world.step++) {
            step(&world);
            completions_take(&world);
            check_claims(&world);
            check_room(&world);
        }
        world_end(&world);
        world_check(&world);
        test_close(world.engine);
        CHECK_EQUAL(test_memory_blocks(&world.memory), 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_at_once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
