/* unit_unique_holder.c - unique keys whose holder is in a state that lasts a moment, or for long:
 * its worker has begun it and not written so yet; so many look at it that nobody else can; its
 * record is filled for another job; it was snoozed until the numbers of its runs went round; it is
 * cancelled for another job, and meanwhile a third one has the key. */
#include <string.h>

#include "engine/engine_internal.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/fake_clock.h"

#define S    UINT64_C(1000000000)
#define JOBS 4096

struct fixture {
    struct test_clock clock;
    struct leat_engine *engine;
    leat_type type;
    struct leat_outcome answer;
    void (*between)(struct fixture *fixture); /* see now() */
    uint32_t runs;
    leat_job_id holder;
};

/* When a job that is cancelled has just ended, the event asks for the time: what another thread
 * does in that moment is done here, once. */
static uint64_t
now(enum leat_clock_kind kind, void *context)
{
    struct fixture *fixture = context;
    const struct leat_clock clock = test_clock_of(&fixture->clock);
    void (*between)(struct fixture *) = fixture->between;
    if (between != NULL && kind == LEAT_CLOCK_MONOTONIC) {
        fixture->between = NULL;
        between(fixture);
    }
    return clock.now(kind, clock.context);
}

static void
sink(struct leat_engine *engine, const struct leat_event *event, void *context)
{
    (void)engine;
    (void)event;
    (void)context;
}

static struct leat_outcome
run(struct leat_run *attempt, void *context)
{
    struct fixture *fixture = context;
    (void)attempt;
    fixture->runs++;
    return fixture->answer;
}

static struct fixture *
setup(void)
{
    static struct fixture fixture;
    struct leat_config config = test_config();
    memset(&fixture, 0, sizeof(fixture));
    test_clock_init(&fixture.clock);
    config.workers = 0;
    config.jobs_max = JOBS;
    config.retained_max = 0;
    config.clock = (struct leat_clock){now, &fixture};
    config.event_sink = sink;
    config.event_mask = LEAT_EVENT_BIT(LEAT_EVENT_CANCELLED);
    fixture.engine = test_start(&config);
    fixture.type = test_register(fixture.engine, "t", run, &fixture);
    fixture.answer = leat_done();
    return &fixture;
}

static void
teardown(struct fixture *fixture)
{
    test_close(fixture->engine);
}

static struct leat_job_options
keyed(enum leat_unique_scope scope, enum leat_unique_conflict conflict)
{
    struct leat_job_options options = leat_job_options_default();
    options.unique_key = "k";
    options.unique_key_bytes = 1;
    options.unique_scope = scope;
    options.unique_conflict = conflict;
    options.unique_for_ns = scope == LEAT_UNIQUE_FOR_TIME ? 100 * S : 0;
    return options;
}

static enum leat_status
submit(struct fixture *fixture, const struct leat_job_options *options, leat_job_id *id)
{
    struct leat_job job = leat_job_default();
    job.type = fixture->type;
    job.flags = LEAT_JOB_KEEP_RESULT;
    job.options = options;
    return leat_submit(fixture->engine, &job, id);
}

static void
run_all(struct fixture *fixture)
{
    while (leat_run_some(fixture->engine, 100, NULL) == LEAT_OK) {
    }
}

/* Snoozes do not count as attempts, and the numbers of runs go round; it was run all the same. */
static void
snoozed_many_times(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_job_options options = keyed(LEAT_UNIQUE_UNTIL_STARTED, LEAT_UNIQUE_REJECT);
    leat_job_id id = {0};
    fixture->answer = leat_snooze(S);
    CHECK_OK(submit(fixture, &options, &id));
    while (fixture->runs < UINT16_MAX + 1) {
        CHECK_OK(leat_run_some(fixture->engine, 1, NULL));
        test_clock_pass(&fixture->clock, fixture->engine, 2 * S);
    }
    const struct leat_job_record *record =
        leat_job_record(fixture->engine, (uint32_t)(id.bits & LEAT_INDEX_NONE));
    CHECK_EQUAL(atom_load_rlx(&record->attempts), 0);
    CHECK_OK(submit(fixture, &options, &id));
    fixture->answer = leat_done();
    teardown(fixture);
}

static leat_atomic_u64 *
word_of(struct fixture *fixture, leat_job_id id)
{
    return leat_slab_word(&fixture->engine->jobs, (uint32_t)(id.bits & LEAT_INDEX_NONE));
}

/* Its worker has begun it, and not yet written so into its record. */
static void
begins(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_job_options options = keyed(LEAT_UNIQUE_UNTIL_STARTED, LEAT_UNIQUE_REJECT);
    leat_job_id id = {0};
    CHECK_OK(submit(fixture, &options, &fixture->holder));
    uint64_t waits = atom_load_rlx(word_of(fixture, fixture->holder));
    atom_store_rlx(word_of(fixture, fixture->holder),
                   leat_word_with(waits, LEAT_PHASE_RUNNING) | leat_word_attempt(1));
    CHECK_OK(submit(fixture, &options, &id));
    atom_store_rlx(word_of(fixture, fixture->holder), waits);
    run_all(fixture);
    CHECK_EQUAL(fixture->runs, 2);
    teardown(fixture);
}

/* So many look at the holder that nobody else can: it counts as one that waits, and is not put
 * off. */
static void
held_by_many(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_job_options options = keyed(LEAT_UNIQUE_UNTIL_STARTED, LEAT_UNIQUE_REJECT);
    leat_job_id id = {0};
    uint32_t index = 0;
    CHECK_OK(submit(fixture, &options, &fixture->holder));
    const uint64_t waits = atom_load_rlx(word_of(fixture, fixture->holder));
    for (uint32_t i = 0; i < LEAT_HOLDS_TO_LOOK; i++) {
        CHECK_OK(leat_job_hold(fixture->engine, fixture->holder, LEAT_HOLDS_TO_LOOK, &index));
    }
    CHECK_STATUS(submit(fixture, &options, &id), LEAT_EXISTS);
    options.unique_conflict = LEAT_UNIQUE_DEBOUNCE;
    CHECK_STATUS(submit(fixture, &options, &id), LEAT_BUSY);
    for (uint32_t i = 0; i < LEAT_HOLDS_TO_LOOK; i++) {
        leat_job_unhold(fixture->engine, index);
    }
    CHECK_EQUAL(atom_load_rlx(word_of(fixture, fixture->holder)), waits);
    teardown(fixture);
}

/* The key of a time is held by a job whose record a thread is filling for another one. */
static void
of_another_record(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_engine *engine = fixture->engine;
    struct leat_job_options options = keyed(LEAT_UNIQUE_FOR_TIME, LEAT_UNIQUE_EXISTING);
    static uint32_t taken[JOBS];
    uint32_t count = 0;
    leat_job_id id = {0};
    CHECK_OK(submit(fixture, &options, &fixture->holder));
    run_all(fixture);
    CHECK_OK(leat_release(engine, fixture->holder));
    do {
        CHECK(leat_slab_take(&engine->jobs, 0, &taken[count]));
    } while (taken[count++] != (fixture->holder.bits & LEAT_INDEX_NONE));
    leat_slab_give(&engine->jobs, 0, taken[0]); /* for the job that is to come */
    if (count == 1) {
        CHECK(leat_slab_take(&engine->jobs, 0, &taken[0]));
    }
    CHECK_STATUS(submit(fixture, &options, &id), LEAT_JOINED);
    CHECK_EQUAL(id.bits, fixture->holder.bits);
    for (uint32_t i = 1; i < count; i++) {
        leat_slab_give(&engine->jobs, 0, taken[i]);
    }
    (void)atom_add_rlx(&engine->outside.refused, count);
    teardown(fixture);
}

static void
third_takes(struct fixture *fixture)
{
    struct leat_job_options options = keyed(LEAT_UNIQUE_UNTIL_FINISHED, LEAT_UNIQUE_REJECT);
    CHECK_OK(submit(fixture, &options, &fixture->holder));
}

/* Who ended the holder finds another one, and does not have the key beside it. */
static void
taken_by_a_third(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_job_options options = keyed(LEAT_UNIQUE_UNTIL_FINISHED, LEAT_UNIQUE_REPLACE);
    leat_job_id first = {0};
    leat_job_id id = {0};
    CHECK_OK(submit(fixture, &options, &first));
    fixture->between = third_takes;
    CHECK_OK(submit(fixture, &options, &id));
    CHECK(fixture->between == NULL);
    CHECK_EQUAL(test_get(fixture->engine, first).state, LEAT_JOB_CANCELLED);
    CHECK_EQUAL(test_get(fixture->engine, fixture->holder).state, LEAT_JOB_CANCELLED);
    run_all(fixture);
    CHECK_EQUAL(fixture->runs, 1);
    CHECK_EQUAL(test_get(fixture->engine, id).state, LEAT_JOB_COMPLETED);
    teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(snoozed_many_times), cmocka_unit_test(begins),
        cmocka_unit_test(held_by_many),       cmocka_unit_test(of_another_record),
        cmocka_unit_test(taken_by_a_third),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
