/* unit_unique.c - unique keys: each scope and each answer to a conflict against each state that the
 * holder can be in; limits below, at and above; keys of types and their bytes; a time by a clock
 * that the test moves, and its memory given back; batches of both kinds; a queue, a completion and
 * memory that a refused job gives back. Holds I1, I2 of engine/unique.h. */
#include <string.h>

#include "engine/engine_internal.h"
#include "ring/rcu.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory.h"

#define S UINT64_C(1000000000)

struct fixture {
    struct test_clock clock;
    struct test_memory memory;
    struct leat_engine *engine;
    leat_type type;
    leat_type other;
    struct leat_outcome answer;
    leat_token token;
    void (*inside)(struct fixture *fixture); /* called by the next handler */
    uint32_t runs;
    /* What is to be tried, and what came of it. */
    struct leat_job_options options;
    leat_job_id holder;
    leat_job_id got;
    enum leat_status status;
};

static struct leat_outcome
run(struct leat_run *attempt, void *context)
{
    struct fixture *fixture = context;
    void (*inside)(struct fixture *) = fixture->inside;
    fixture->runs++;
    fixture->token = leat_run_token(attempt);
    fixture->inside = NULL;
    if (inside != NULL) {
        inside(fixture);
    }
    return fixture->answer;
}

static struct fixture *
setup(void)
{
    static struct fixture fixture;
    struct leat_config config = test_config();
    memset(&fixture, 0, sizeof(fixture));
    test_clock_init(&fixture.clock);
    test_memory_init(&fixture.memory);
    config.workers = 0;
    config.jobs_max = 4096;
    config.retained_max = 0;
    config.dead_max = 64;
    config.clock = test_clock_of(&fixture.clock);
    config.allocator = test_memory_allocator(&fixture.memory);
    fixture.engine = test_start(&config);
    fixture.type = test_register(fixture.engine, "t", run, &fixture);
    fixture.other = test_register(fixture.engine, "other", run, &fixture);
    fixture.answer = leat_done();
    fixture.options = leat_job_options_default();
    return &fixture;
}

static void
teardown(struct fixture *fixture)
{
    test_close(fixture->engine);
    CHECK_EQUAL(test_memory_blocks(&fixture->memory), 0);
}

static struct leat_job_options
keyed(const char *key, enum leat_unique_scope scope, enum leat_unique_conflict conflict)
{
    struct leat_job_options options = leat_job_options_default();
    options.unique_key = key;
    options.unique_key_bytes = strlen(key);
    options.unique_scope = scope;
    options.unique_conflict = conflict;
    options.unique_for_ns = scope == LEAT_UNIQUE_FOR_TIME ? 100 * S : 0;
    return options;
}

static struct leat_job
job_of(struct fixture *fixture, const struct leat_job_options *options, uint64_t delay_ns)
{
    struct leat_job job = leat_job_default();
    job.type = fixture->type;
    job.flags = LEAT_JOB_KEEP_RESULT;
    job.options = options;
    job.delay_ns = delay_ns;
    return job;
}

static enum leat_status
submit(struct fixture *fixture, const struct leat_job_options *options, uint64_t delay_ns,
       leat_job_id *id)
{
    struct leat_job job = job_of(fixture, options, delay_ns);
    return leat_submit(fixture->engine, &job, id);
}

static void
run_all(struct fixture *fixture)
{
    enum leat_status status = LEAT_OK;
    while (status == LEAT_OK) {
        status = leat_run_some(fixture->engine, 100, NULL);
    }
    CHECK_STATUS(status, LEAT_EMPTY);
}

/* ---- all states ------------------------------------------------------------------------------ */

enum stage {
    STAGE_SCHEDULED,
    STAGE_PENDING,
    STAGE_RUNNING,
    STAGE_AWAITED,
    STAGE_RETRYING,
    STAGE_SNOOZED,
    STAGE_COMPLETED,
    STAGE_DEAD,
    STAGE_CANCELLED,
    STAGE_COUNT
};

static void
try_now(struct fixture *fixture)
{
    fixture->got.bits = 77;
    fixture->status = submit(fixture, &fixture->options, 30 * S, &fixture->got);
}

/* Brings the holder to the stage and tries there. */
static void
holder_at(struct fixture *fixture, enum stage stage, enum leat_unique_scope scope)
{
    struct leat_job_options options = keyed("k", scope, LEAT_UNIQUE_REJECT);
    CHECK_OK(submit(fixture, &options, stage == STAGE_SCHEDULED ? 20 * S : 0, &fixture->holder));
    if (stage == STAGE_RETRYING) {
        fixture->answer = leat_retry_in(20 * S);
    } else if (stage == STAGE_SNOOZED) {
        fixture->answer = leat_snooze(20 * S);
    } else if (stage == STAGE_AWAITED) {
        fixture->answer = leat_pending();
    } else if (stage == STAGE_DEAD) {
        fixture->answer = leat_fail();
    }
    if (stage == STAGE_CANCELLED) {
        CHECK_OK(leat_cancel(fixture->engine, fixture->holder));
    } else if (stage == STAGE_RUNNING) {
        fixture->inside = try_now;
    }
    if (stage != STAGE_SCHEDULED && stage != STAGE_PENDING) {
        run_all(fixture);
    }
    if (stage != STAGE_RUNNING) {
        try_now(fixture);
    }
}

/* It has begun in the moment in which it was to be replaced: nothing happens to it. */
static void
cancel_what_runs(struct fixture *fixture)
{
    struct leat_job_info holder = test_get(fixture->engine, fixture->holder);
    CHECK_EQUAL(holder.state, LEAT_JOB_RUNNING);
    CHECK(!leat_job_purge(fixture->engine, fixture->holder));
    CHECK(!test_get(fixture->engine, fixture->holder).cancel_requested);
}

static void
replaced_too_late(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_job_options options = keyed("k", LEAT_UNIQUE_UNTIL_FINISHED, LEAT_UNIQUE_REJECT);
    CHECK_OK(submit(fixture, &options, 0, &fixture->holder));
    fixture->inside = cancel_what_runs;
    run_all(fixture);
    CHECK_EQUAL(test_get(fixture->engine, fixture->holder).state, LEAT_JOB_COMPLETED);
    CHECK(!leat_job_purge(fixture->engine, fixture->holder));
    teardown(fixture);
}

static bool
holds(enum stage stage, enum leat_unique_scope scope)
{
    switch (scope) {
    case LEAT_UNIQUE_UNTIL_FINISHED:
        return stage < STAGE_COMPLETED;
    case LEAT_UNIQUE_UNTIL_STARTED:
        return stage <= STAGE_PENDING;
    case LEAT_UNIQUE_FOR_TIME:
        break;
    }
    return true;
}

static enum leat_status
expected(enum stage stage, enum leat_unique_scope scope, enum leat_unique_conflict conflict)
{
    bool waits = stage <= STAGE_PENDING || stage == STAGE_RETRYING || stage == STAGE_SNOOZED;
    if (!holds(stage, scope)) {
        return LEAT_OK;
    }
    switch (conflict) {
    case LEAT_UNIQUE_REJECT:
        break;
    case LEAT_UNIQUE_EXISTING:
        return LEAT_JOINED;
    case LEAT_UNIQUE_REPLACE:
        return waits ? LEAT_OK : LEAT_EXISTS;
    case LEAT_UNIQUE_DEBOUNCE:
        return waits ? LEAT_JOINED : LEAT_EXISTS;
    }
    return LEAT_EXISTS;
}

static void
one_case(enum stage stage, enum leat_unique_scope scope, enum leat_unique_conflict conflict)
{
    struct fixture *fixture = setup();
    enum leat_status want = expected(stage, scope, conflict);
    fixture->options = keyed("k", LEAT_UNIQUE_UNTIL_FINISHED, conflict);
    holder_at(fixture, stage, scope);
    if (fixture->status != want) {
        test_say("stage %d scope %d conflict %d\n", (int)stage, (int)scope, (int)conflict);
    }
    CHECK_STATUS(fixture->status, want);
    struct leat_job_info holder = test_get(fixture->engine, fixture->holder);
    if (want == LEAT_EXISTS) {
        CHECK_EQUAL(fixture->got.bits, 77);
    } else if (want == LEAT_JOINED) {
        CHECK_EQUAL(fixture->got.bits, fixture->holder.bits);
        CHECK(conflict != LEAT_UNIQUE_DEBOUNCE || holder.due_in_ns == 30 * S);
    } else {
        /* The new one is there, due in 30 s, and has the key. */
        struct leat_job_options again = keyed("k", LEAT_UNIQUE_UNTIL_FINISHED, LEAT_UNIQUE_REJECT);
        leat_job_id none = {0};
        CHECK_EQUAL(test_get(fixture->engine, fixture->got).due_in_ns, 30 * S);
        CHECK_STATUS(submit(fixture, &again, 0, &none), LEAT_EXISTS);
        bool replaced = holds(stage, scope);
        CHECK(!replaced || holder.state == LEAT_JOB_CANCELLED);
        CHECK_OK(leat_cancel(fixture->engine, fixture->got));
        CHECK_OK(submit(fixture, &again, 0, &none));
    }
    if (stage == STAGE_AWAITED) {
        CHECK_OK(leat_complete(fixture->engine, fixture->token, leat_done(), NULL));
    }
    teardown(fixture);
}

static void
every_state(void **state)
{
    (void)state;
    for (int stage = 0; stage < STAGE_COUNT; stage++) {
        for (int scope = 0; scope <= LEAT_UNIQUE_FOR_TIME; scope++) {
            for (int conflict = 0; conflict <= LEAT_UNIQUE_DEBOUNCE; conflict++) {
                one_case((enum stage)stage, (enum leat_unique_scope)scope,
                         (enum leat_unique_conflict)conflict);
            }
        }
    }
}

/* Behind 64 attempts their number's bits in the word are 0 again. */
static void
started_64_times(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_job_options options = keyed("k", LEAT_UNIQUE_UNTIL_STARTED, LEAT_UNIQUE_REJECT);
    leat_job_id id = {0};
    struct leat_job job = job_of(fixture, &options, 0);
    fixture->answer = leat_retry_in(S);
    job.max_attempts = 65;
    CHECK_OK(leat_submit(fixture->engine, &job, &id));
    for (uint32_t i = 0; i < 64; i++) {
        run_all(fixture);
        test_clock_pass(&fixture->clock, fixture->engine, 2 * S);
    }
    CHECK_EQUAL(fixture->runs, 64);
    CHECK_OK(submit(fixture, &options, 0, &id));
    teardown(fixture);
}

/* ---- a time ---------------------------------------------------------------------------------- */

static void
for_a_time(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_job_options options = keyed("k", LEAT_UNIQUE_FOR_TIME, LEAT_UNIQUE_REJECT);
    leat_job_id first = {0};
    leat_job_id id = {0};
    CHECK_OK(submit(fixture, &options, 0, &first));
    run_all(fixture);
    CHECK_OK(leat_release(fixture->engine, first)); /* the record is gone, the key is not */
    test_clock_pass(&fixture->clock, fixture->engine, 100 * S - 1);
    CHECK_STATUS(submit(fixture, &options, 0, &id), LEAT_EXISTS);
    options.unique_conflict = LEAT_UNIQUE_EXISTING;
    CHECK_STATUS(submit(fixture, &options, 0, &id), LEAT_JOINED);
    CHECK_EQUAL(id.bits, first.bits);
    test_clock_step(&fixture->clock, fixture->engine, 1000 * (int64_t)S); /* not by this clock */
    CHECK_STATUS(submit(fixture, &options, 0, &id), LEAT_JOINED);
    test_clock_suspend(&fixture->clock, fixture->engine, 1);
    CHECK_OK(submit(fixture, &options, 1000 * S, &id));
    /* One that has not ended by the end of its time holds it no more either. */
    test_clock_pass(&fixture->clock, fixture->engine, 100 * S);
    CHECK_OK(submit(fixture, &options, 0, &id));
    options.unique_for_ns = LEAT_FOREVER;
    options.unique_key = "l";
    CHECK_OK(submit(fixture, &options, 0, &id));
    test_clock_pass(&fixture->clock, fixture->engine, 1000000 * S);
    CHECK_STATUS(submit(fixture, &options, 0, &id), LEAT_JOINED);
    teardown(fixture);
}

static void
for_ever(struct fixture *fixture, uint32_t number)
{
    struct leat_job_options options = keyed("", LEAT_UNIQUE_FOR_TIME, LEAT_UNIQUE_REJECT);
    options.unique_key = &number;
    options.unique_key_bytes = sizeof(number);
    options.unique_for_ns = LEAT_FOREVER;
    CHECK_OK(submit(fixture, &options, 0, NULL));
}

/* A key whose time is over is free, also where nobody has looked at it since. */
static void
one_of_many(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_job_options options = keyed("key", LEAT_UNIQUE_FOR_TIME, LEAT_UNIQUE_REJECT);
    for (uint32_t i = 0; i < 20; i++) {
        for_ever(fixture, i);
    }
    CHECK_OK(submit(fixture, &options, 0, NULL));
    test_clock_pass(&fixture->clock, fixture->engine, 100 * S - 1);
    CHECK_STATUS(submit(fixture, &options, 0, NULL), LEAT_EXISTS);
    test_clock_pass(&fixture->clock, fixture->engine, 1);
    CHECK_OK(submit(fixture, &options, 0, NULL));
    CHECK_STATUS(submit(fixture, &options, 0, NULL), LEAT_EXISTS);
    teardown(fixture);
}

/* Keys whose time is over are freed as others come. */
static void
times_give_memory_back(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    uint64_t most = 0;
    uint64_t before = test_memory_blocks(&fixture->memory);
    for (uint32_t round = 0; round < 40; round++) {
        for (uint32_t i = 0; i < 100; i++) {
            struct leat_job_options options = keyed("k", LEAT_UNIQUE_FOR_TIME, LEAT_UNIQUE_REJECT);
            uint32_t number = round * 100 + i;
            options.unique_key = &number;
            options.unique_key_bytes = sizeof(number);
            struct leat_job job = job_of(fixture, &options, 0);
            job.flags = 0;
            CHECK_OK(leat_submit(fixture->engine, &job, NULL));
        }
        run_all(fixture);
        test_clock_pass(&fixture->clock, fixture->engine, 100 * S);
        uint64_t blocks = test_memory_blocks(&fixture->memory) - before;
        most = blocks > most ? blocks : most;
    }
    /* A round, what is over and not yet looked at, and what waits for a grace period. */
    CHECK(most <= 100 + 100 + LEAT_TABLE_REMOVED);
    teardown(fixture);
}

/* ---- keys ------------------------------------------------------------------------------------ */

static void
keys_and_types(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_job_options options = keyed("a", LEAT_UNIQUE_UNTIL_FINISHED, LEAT_UNIQUE_REJECT);
    leat_job_id id = {0};
    char key[129];
    memset(key, 0, sizeof(key));
    CHECK_OK(submit(fixture, &options, 0, &id));
    CHECK_STATUS(submit(fixture, &options, 0, &id), LEAT_EXISTS);
    struct leat_job job = job_of(fixture, &options, 0);
    job.type = fixture->other;
    CHECK_OK(leat_submit(fixture->engine, &job, &id));
    CHECK_STATUS(leat_submit(fixture->engine, &job, &id), LEAT_EXISTS);
    options.unique_key = key; /* zeros, each length another key */
    for (size_t bytes = 1; bytes <= 128; bytes++) {
        options.unique_key_bytes = bytes;
        CHECK_OK(submit(fixture, &options, 0, &id));
        CHECK_STATUS(submit(fixture, &options, 0, &id), LEAT_EXISTS);
    }
    run_all(fixture);
    CHECK_OK(submit(fixture, &options, 0, &id));
    teardown(fixture);
}

static void
refuses(struct fixture *fixture, const struct leat_job_options *options)
{
    leat_job_id id = {77};
    struct leat_statistics before = test_statistics(fixture->engine);
    CHECK_STATUS(submit(fixture, options, 0, &id), LEAT_INVALID);
    CHECK_EQUAL(id.bits, 77);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_submitted, before.jobs_submitted);
}

static void
invalid(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    const char key[129] = "k";
    const struct leat_job_options good = keyed("k", LEAT_UNIQUE_UNTIL_FINISHED, LEAT_UNIQUE_REJECT);
    struct leat_job_options options = good;
    options.unique_key = key;
    options.unique_key_bytes = 129;
    refuses(fixture, &options);
    options.unique_key_bytes = 0;
    refuses(fixture, &options);
    options.unique_key = NULL;
    options.unique_key_bytes = 1;
    refuses(fixture, &options);
    options.unique_key_bytes = 0;
    options.unique_scope = LEAT_UNIQUE_UNTIL_STARTED;
    refuses(fixture, &options);
    options.unique_scope = LEAT_UNIQUE_UNTIL_FINISHED;
    options.unique_conflict = LEAT_UNIQUE_REPLACE;
    refuses(fixture, &options);
    options = good;
    options.unique_scope = (enum leat_unique_scope)(LEAT_UNIQUE_FOR_TIME + 1);
    refuses(fixture, &options);
    options = good;
    options.unique_conflict = (enum leat_unique_conflict)(LEAT_UNIQUE_DEBOUNCE + 1);
    refuses(fixture, &options);
    options = good;
    options.unique_for_ns = 1;
    refuses(fixture, &options);
    options = good;
    options.unique_scope = LEAT_UNIQUE_FOR_TIME;
    refuses(fixture, &options);
    options.unique_for_ns = 1;
    CHECK_OK(submit(fixture, &options, 0, NULL));
    teardown(fixture);
}

/* ---- batches --------------------------------------------------------------------------------- */

static void
batch_each(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_job_options options[4];
    struct leat_job jobs[4];
    leat_job_id ids[4];
    enum leat_status statuses[4];
    for (uint32_t i = 0; i < 4; i++) {
        options[i] = keyed(i == 3 ? "b" : "a", LEAT_UNIQUE_UNTIL_FINISHED,
                           i == 1 ? LEAT_UNIQUE_EXISTING : LEAT_UNIQUE_REJECT);
        jobs[i] = job_of(fixture, &options[i], 0);
    }
    CHECK_OK(leat_submit_batch(fixture->engine, jobs, 2, LEAT_BATCH_EACH, ids, statuses));
    CHECK_STATUS(statuses[0], LEAT_OK);
    CHECK_STATUS(statuses[1], LEAT_JOINED);
    CHECK_EQUAL(ids[1].bits, ids[0].bits);
    CHECK_STATUS(leat_submit_batch(fixture->engine, jobs, 4, LEAT_BATCH_EACH, ids, statuses),
                 LEAT_EXISTS);
    CHECK_STATUS(statuses[0], LEAT_EXISTS);
    CHECK_EQUAL(ids[0].bits, 0);
    CHECK_STATUS(statuses[1], LEAT_JOINED);
    CHECK_STATUS(statuses[2], LEAT_EXISTS);
    CHECK_OK(statuses[3]);
    run_all(fixture);
    CHECK_EQUAL(fixture->runs, 2);
    teardown(fixture);
}

static void
batch_all_or_none(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_job_options options[4];
    struct leat_job jobs[4];
    leat_job_id ids[4] = {{0}};
    enum leat_status statuses[4];
    static const char *const keys[4] = {"a", "b", "c", "b"};
    for (uint32_t i = 0; i < 4; i++) {
        options[i] = keyed(keys[i], i == 0 ? LEAT_UNIQUE_FOR_TIME : LEAT_UNIQUE_UNTIL_FINISHED,
                           LEAT_UNIQUE_REJECT);
        options[i].name = i == 2 ? "name" : NULL;
        jobs[i] = job_of(fixture, &options[i], i == 1 ? S : 0);
    }
    enum leat_batch_mode mode = LEAT_BATCH_ALL_OR_NONE;
    CHECK_STATUS(leat_submit_batch(fixture->engine, jobs, 4, mode, ids, statuses), LEAT_EXISTS);
    CHECK_STATUS(statuses[3], LEAT_EXISTS);
    CHECK_OK(statuses[0]);
    CHECK_EQUAL(ids[0].bits, 0);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_submitted, 0);
    /* None holds anything: each of the others is taken now. */
    CHECK_OK(leat_submit_batch(fixture->engine, jobs, 3, mode, ids, statuses));
    CHECK_STATUS(leat_submit_batch(fixture->engine, jobs, 1, mode, ids, NULL), LEAT_EXISTS);
    options[3].unique_conflict = LEAT_UNIQUE_EXISTING;
    CHECK_STATUS(leat_submit_batch(fixture->engine, &jobs[3], 1, mode, ids, statuses),
                 LEAT_INVALID);
    test_clock_pass(&fixture->clock, fixture->engine, 2 * S);
    run_all(fixture);
    CHECK_EQUAL(fixture->runs, 3);
    teardown(fixture);
}

/* ---- what a refused job gives back ----------------------------------------------------------- */

static void
refused_gives_back(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_queue_options limits = leat_queue_options_default();
    struct leat_job_options options = keyed("k", LEAT_UNIQUE_UNTIL_FINISHED, LEAT_UNIQUE_EXISTING);
    struct leat_completion_queue *completions = NULL;
    struct leat_job job = job_of(fixture, &options, 0);
    leat_job_id id = {0};
    limits.waiting_max = 2;
    CHECK_OK(leat_queue_create(fixture->engine, "two", &limits, &job.queue));
    CHECK_OK(leat_completion_queue_create(fixture->engine, 2, &completions));
    job.completions = completions;
    CHECK_OK(leat_submit(fixture->engine, &job, &id));
    for (uint32_t i = 0; i < 10; i++) {
        CHECK_STATUS(leat_submit(fixture->engine, &job, &id), LEAT_JOINED);
    }
    options.unique_key = "l";
    CHECK_OK(leat_submit(fixture->engine, &job, &id));
    CHECK_STATUS(leat_submit(fixture->engine, &job, &id), LEAT_FULL);
    run_all(fixture);
    CHECK_EQUAL(fixture->runs, 2);
    teardown(fixture);
}

static void
no_memory(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    static const char *const tags[] = {"tag"};
    struct leat_job_options options = keyed("k", LEAT_UNIQUE_FOR_TIME, LEAT_UNIQUE_REJECT);
    enum leat_status status = LEAT_NO_MEMORY;
    uint64_t after = 0;
    options.name = "name";
    options.tags = tags;
    options.tags_count = 1;
    for (; status != LEAT_OK; after++) {
        uint64_t blocks = test_memory_blocks(&fixture->memory);
        CHECK_STATUS(status, LEAT_NO_MEMORY);
        test_memory_fail(&fixture->memory, after, true);
        status = submit(fixture, &options, 0, NULL);
        test_memory_heal(&fixture->memory);
        CHECK(status == LEAT_OK || test_memory_blocks(&fixture->memory) == blocks);
    }
    CHECK_EQUAL(after, 5); /* extra, labels, name, key */
    teardown(fixture);
}

/* A key of a log that is opened. */
static void
no_memory_to_hold(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_engine *engine = fixture->engine;
    const struct leat_claim_text text = {(uint32_t)fixture->type.bits - 1, "k", 1};
    const leat_job_id gone = {77};
    struct leat_job_options options = keyed("k", LEAT_UNIQUE_UNTIL_FINISHED, LEAT_UNIQUE_EXISTING);
    struct leat_claim *held = NULL;
    leat_job_id id = {0};
    test_memory_fail(&fixture->memory, 0, true);
    CHECK_STATUS(leat_claim_hold(engine, text, gone, S, &held), LEAT_NO_MEMORY);
    test_memory_heal(&fixture->memory);
    CHECK(held == NULL);
    CHECK_OK(leat_claim_hold(engine, text, gone, S, &held));
    CHECK(held == engine->claims.first);
    CHECK_STATUS(submit(fixture, &options, 0, &id), LEAT_JOINED);
    CHECK_EQUAL(id.bits, gone.bits);
    teardown(fixture);
}

/* The one that replaces may have the name of the one that it replaces. */
static void
replace_with_a_name(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_job_options options = keyed("k", LEAT_UNIQUE_UNTIL_FINISHED, LEAT_UNIQUE_REPLACE);
    struct leat_job_options third = leat_job_options_default();
    leat_job_id first = {0};
    leat_job_id second = {0};
    leat_job_id id = {0};
    options.name = "name";
    third.name = "taken";
    CHECK_OK(submit(fixture, &third, 0, NULL));
    CHECK_OK(submit(fixture, &options, 0, &first));
    CHECK_OK(submit(fixture, &options, 0, &second));
    CHECK_EQUAL(test_get(fixture->engine, first).state, LEAT_JOB_CANCELLED);
    CHECK_OK(leat_job_find(fixture->engine, "name", &id));
    CHECK_EQUAL(id.bits, second.bits);
    options.name = "taken"; /* by another: then nothing is cancelled */
    CHECK_STATUS(submit(fixture, &options, 0, &id), LEAT_EXISTS);
    CHECK_EQUAL(test_get(fixture->engine, second).state, LEAT_JOB_PENDING);
    run_all(fixture);
    CHECK_EQUAL(fixture->runs, 2);
    teardown(fixture);
}

/* A thread has claimed, and not yet published its job. */
static void
about_to_be_published(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_engine *engine = fixture->engine;
    uint32_t index = 0;
    leat_job_id id = {77};
    CHECK(leat_slab_take(&engine->jobs, 0, &index));
    struct leat_job_record *record = leat_job_record(engine, index);
    memset(record, 0, sizeof(*record));
    atom_store_rlx(&record->type, (uint16_t)(fixture->type.bits - 1));
    struct leat_claim *key = leat_claim_make(engine, index, LEAT_CLAIM_KEY, "k", 1);
    struct leat_claim *name = leat_claim_make(engine, index, LEAT_CLAIM_NAME, "name", 4);
    leat_rcu_enter();
    CHECK_OK(leat_claim_take(engine, key, &id));
    CHECK_OK(leat_claim_take(engine, name, &id));
    leat_rcu_leave(&engine->domain);
    for (int conflict = 0; conflict <= LEAT_UNIQUE_DEBOUNCE; conflict++) {
        struct leat_job_options options =
            keyed("k", LEAT_UNIQUE_UNTIL_FINISHED, (enum leat_unique_conflict)conflict);
        CHECK_STATUS(submit(fixture, &options, 0, &id), conflict == 0 ? LEAT_EXISTS : LEAT_BUSY);
    }
    CHECK_STATUS(leat_job_find(engine, "name", &id), LEAT_NOT_FOUND);
    CHECK_EQUAL(id.bits, 77);
    leat_claim_free(engine, key);
    leat_claim_free(engine, name);
    leat_claim_free(engine, NULL);
    leat_slab_give(&engine->jobs, 0, index);
    (void)atom_add_rlx(&engine->outside.refused, 1);
    struct leat_job_options options = keyed("k", LEAT_UNIQUE_UNTIL_FINISHED, LEAT_UNIQUE_REJECT);
    options.name = "name";
    CHECK_OK(submit(fixture, &options, 0, &id));
    teardown(fixture);
}

/* What leat_claims_check() says where it says no. */
static void
check_says_no(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_job_options options = keyed("k", LEAT_UNIQUE_FOR_TIME, LEAT_UNIQUE_REJECT);
    char text[256];
    CHECK_OK(submit(fixture, &options, 0, NULL));
    struct leat_claim *claim = fixture->engine->claims.first;
    CHECK_EQUAL(atom_load_rlx(&claim->references), 3);
    atom_store_rlx(&claim->references, 4);
    FILE *why = test_why();
    CHECK(!leat_claims_check(&fixture->engine->claims, why));
    test_why_read(why, text, sizeof(text));
    CHECK_TEXT(text, "unique: I2: 1 of 1 claims with a time\n");
    CHECK(!leat_claims_check(&fixture->engine->claims, NULL));
    atom_store_rlx(&claim->references, 3);
    teardown(fixture);
}

/* One that ended before its first attempt has lost its key until that, for ever: back from the
 * dead, it waits without. */
static void
expired_and_brought_back(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_job_options options = keyed("k", LEAT_UNIQUE_UNTIL_STARTED, LEAT_UNIQUE_REJECT);
    struct leat_job_info info = leat_job_info_default();
    leat_job_id id = {0};
    options.expires_in_ns = S;
    CHECK_OK(submit(fixture, &options, 0, &id));
    test_clock_pass(&fixture->clock, fixture->engine, 2 * S);
    run_all(fixture);
    CHECK_OK(leat_get(fixture->engine, id, &info));
    CHECK_EQUAL(info.reason, LEAT_REASON_EXPIRED);
    CHECK_OK(leat_dead_retry(fixture->engine, id, leat_when_in(S)));
    options.unique_conflict = LEAT_UNIQUE_REPLACE;
    CHECK_OK(submit(fixture, &options, 0, NULL));
    CHECK_OK(leat_get(fixture->engine, id, &info));
    CHECK_EQUAL(info.state, LEAT_JOB_SCHEDULED);
    CHECK_STATUS(submit(fixture, &options, 0, &id), LEAT_OK); /* the second one is replaced */
    teardown(fixture);
}

static void
closed(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_job_options options = keyed("k", LEAT_UNIQUE_FOR_TIME, LEAT_UNIQUE_REJECT);
    CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
    CHECK_STATUS(submit(fixture, &options, 0, NULL), LEAT_CLOSED);
    CHECK_OK(leat_start(fixture->engine));
    CHECK_OK(submit(fixture, &options, 0, NULL));
    teardown(fixture); /* it waits yet, and its time is not over */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_state),         cmocka_unit_test(started_64_times),
        cmocka_unit_test(for_a_time),          cmocka_unit_test(times_give_memory_back),
        cmocka_unit_test(keys_and_types),      cmocka_unit_test(invalid),
        cmocka_unit_test(batch_each),          cmocka_unit_test(batch_all_or_none),
        cmocka_unit_test(refused_gives_back),  cmocka_unit_test(no_memory),
        cmocka_unit_test(replace_with_a_name), cmocka_unit_test(closed),
        cmocka_unit_test(replaced_too_late),   cmocka_unit_test(about_to_be_published),

        cmocka_unit_test(one_of_many),

        cmocka_unit_test(check_says_no),       cmocka_unit_test(expired_and_brought_back),

        cmocka_unit_test(no_memory_to_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
