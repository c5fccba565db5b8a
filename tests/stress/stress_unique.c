/* stress_unique.c - threads that submit jobs with a few keys and names, in all scopes and with all
 * answers to a conflict, alone and in batches, while others find jobs by name, cancel them and put
 * them off, and the clock goes on; handlers fail and snooze. What a key or a name protects is
 * plain data of its holder's handler: two at once are seen by their numbers, and by
 * ThreadSanitizer. A find never answers a job of another name; each job that is accepted ends once;
 * in the end all memory is back. Holds I1, I2 of engine/unique.h and engine/table.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine_internal.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

#define SUBMITTERS 3
#define TEXTS      8 /* keys, and names */
#define MS         UINT64_C(1000000)

/* What a handler is told. */
struct order {
    uint32_t text;
    bool keyed; /* UNTIL_FINISHED, by the key; else by the name */
    bool named;
};

struct guarded {
    LEAT_ALIGNED_LINE uint64_t inside; /* plain: of whose job runs */
    uint64_t runs;                     /* plain */
};

struct fixture {
    struct test_clock clock;
    struct test_memory memory;
    struct leat_engine *engine;
    leat_type type;
    uint64_t seed;
    uint64_t end_ns;
    leat_atomic_u64 accepted;
    leat_atomic_u64 answers[LEAT_STATUS_COUNT];
    leat_atomic_u64 finds;
    struct guarded keys[TEXTS];
    struct guarded names[TEXTS];
};

static void
name_of(char *name, uint32_t text)
{
    (void)snprintf(name, 16, "name %u", text);
}

static void
enter(struct guarded *guarded, uint64_t id)
{
    CHECK_EQUAL(guarded->inside, 0);
    guarded->inside = id;
    guarded->runs++;
}

static void
leave(struct guarded *guarded, uint64_t id)
{
    CHECK_EQUAL(guarded->inside, id);
    guarded->inside = 0;
}

static struct leat_outcome
run(struct leat_run *attempt, void *context)
{
    struct fixture *fixture = context;
    const struct order *order = leat_run_payload(attempt, NULL);
    uint64_t id = leat_run_id(attempt).bits;
    struct leat_outcome outcome = leat_done();
    if (order->keyed) {
        enter(&fixture->keys[order->text], id);
    }
    if (order->named) {
        char name[16];
        leat_job_id found = {0};
        enter(&fixture->names[order->text], id);
        name_of(name, order->text);
        CHECK_OK(leat_job_find(fixture->engine, name, &found));
        CHECK_EQUAL(found.bits, id);
    }
    if (leat_run_attempt(attempt) == 1 && id % 7 == 0) {
        outcome = leat_retry_in(id % 3 * MS);
    } else if (id % 11 == 0 && leat_run_attempt(attempt) < 2) {
        outcome = leat_snooze(id % 5 * MS + 1);
        outcome = leat_run_token(attempt).attempt < 4 ? outcome : leat_done();
    }
    if (order->named) {
        leave(&fixture->names[order->text], id);
    }
    if (order->keyed) {
        leave(&fixture->keys[order->text], id);
    }
    return outcome;
}

/* ---- submitters ------------------------------------------------------------------------------ */

struct draft {
    struct order order;
    char key[16];
    char name[16];
    struct leat_job_options options;
    struct leat_job job;
};

static void
draft(struct fixture *fixture, struct test_prng *prng, bool grouped, struct draft *draft)
{
    uint64_t random = test_random(prng);
    memset(draft, 0, sizeof(*draft));
    draft->order.text = (uint32_t)(random % TEXTS);
    draft->options = leat_job_options_default();
    if (random >> 16 & 1) {
        draft->order.keyed = true;
        draft->options.unique_scope = LEAT_UNIQUE_UNTIL_FINISHED;
    } else {
        draft->options.unique_scope =
            random >> 17 & 1 ? LEAT_UNIQUE_UNTIL_STARTED : LEAT_UNIQUE_FOR_TIME;
        draft->options.unique_for_ns =
            draft->options.unique_scope == LEAT_UNIQUE_FOR_TIME ? MS * (1 + (random >> 20) % 4) : 0;
    }
    /* Of each scope keys of its own: the holder's scope says who may run. */
    (void)snprintf(draft->key, sizeof(draft->key), "%d %u", (int)draft->options.unique_scope,
                   draft->order.text);
    draft->options.unique_key = draft->key;
    draft->options.unique_key_bytes = strlen(draft->key);
    draft->options.unique_conflict =
        grouped ? LEAT_UNIQUE_REJECT : (enum leat_unique_conflict)(random >> 24 & 3);
    if ((random >> 32) % 3 == 0) {
        draft->order.named = true;
        name_of(draft->name, draft->order.text);
        draft->options.name = draft->name;
    }
    draft->job = leat_job_default();
    draft->job.type = fixture->type;
    draft->job.delay_ns = (random >> 40) % 4 == 0 ? MS : 0;
    draft->job.payload = &draft->order;
    draft->job.payload_bytes = sizeof(draft->order);
}

static void
count(struct fixture *fixture, enum leat_status status)
{
    (void)atom_add_rlx(&fixture->answers[status], 1);
    CHECK(status == LEAT_OK || status == LEAT_EXISTS || status == LEAT_JOINED ||
          status == LEAT_BUSY || status == LEAT_FULL);
}

static void
submit_one(struct fixture *fixture, struct test_prng *prng)
{
    struct draft one;
    leat_job_id id = {0};
    draft(fixture, prng, false, &one);
    one.job.options = &one.options;
    enum leat_status status = leat_submit(fixture->engine, &one.job, &id);
    count(fixture, status);
    CHECK((id.bits != 0) == (status == LEAT_OK || status == LEAT_JOINED));
    if (status == LEAT_OK) {
        (void)atom_add_rlx(&fixture->accepted, 1);
    }
}

static void
submit_group(struct fixture *fixture, struct test_prng *prng)
{
    struct draft drafts[3];
    struct leat_job jobs[3];
    leat_job_id ids[3];
    for (uint32_t i = 0; i < 3; i++) {
        draft(fixture, prng, true, &drafts[i]);
        drafts[i].job.options = &drafts[i].options;
        jobs[i] = drafts[i].job;
    }
    enum leat_status status =
        leat_submit_batch(fixture->engine, jobs, 3, LEAT_BATCH_ALL_OR_NONE, ids, NULL);
    count(fixture, status);
    if (status == LEAT_OK) {
        (void)atom_add_rlx(&fixture->accepted, 3);
    }
}

static void
submitter(struct fixture *fixture, struct test_prng *prng)
{
    if (test_random(prng) % 8 == 0) {
        submit_group(fixture, prng);
    } else {
        submit_one(fixture, prng);
    }
}

/* ---- by name --------------------------------------------------------------------------------- */

/* Each answer is right: the job may have gone on meanwhile. */
static void
any(enum leat_status status)
{
    CHECK(status != LEAT_INVALID);
}

static void
by_name(struct fixture *fixture, struct test_prng *prng)
{
    uint64_t random = test_random(prng);
    leat_job_id id = {0};
    char name[16];
    char text[16];
    name_of(name, (uint32_t)(random % TEXTS));
    if (leat_job_find(fixture->engine, name, &id) != LEAT_OK) {
        return;
    }
    (void)atom_add_rlx(&fixture->finds, 1);
    if (leat_job_name(fixture->engine, id, text, sizeof(text)) == LEAT_OK) {
        CHECK_TEXT(text, name);
    }
    switch (random >> 8 & 7) {
    case 0:
        any(leat_cancel(fixture->engine, id));
        break;
    case 1:
        any(leat_reschedule(fixture->engine, id, leat_when_in((random >> 12) % MS)));
        break;
    case 2:
        any(leat_cancel_by_name(fixture->engine, name));
        break;
    default:
        break;
    }
}

static void
body(void *shared, uint32_t number)
{
    struct fixture *fixture = shared;
    struct test_prng prng = {fixture->seed + number};
    while (test_now_ns() < fixture->end_ns) {
        for (uint32_t i = 0; i < 64; i++) {
            if (number < SUBMITTERS) {
                submitter(fixture, &prng);
            } else {
                by_name(fixture, &prng);
            }
        }
        if (number == SUBMITTERS) {
            test_clock_pass(&fixture->clock, fixture->engine, MS);
        }
    }
}

/* ---- the test -------------------------------------------------------------------------------- */

static void
keys_and_names(void **state)
{
    (void)state;
    struct fixture *fixture = aligned_alloc(LEAT_LINE_BYTES, sizeof(*fixture));
    struct leat_config config = test_config();
    CHECK(fixture != NULL);
    memset(fixture, 0, sizeof(*fixture));
    test_clock_init(&fixture->clock);
    test_memory_init(&fixture->memory);
    fixture->seed = test_seed("stress_unique");
    config.workers = 2;
    config.jobs_max = 4096;
    config.retained_max = 16;
    config.clock = test_clock_of(&fixture->clock);
    config.allocator = test_memory_allocator(&fixture->memory);
    fixture->engine = test_start(&config);
    fixture->type = test_register(fixture->engine, "t", run, fixture);
    fixture->end_ns = test_now_ns() + test_duration_ns();
    test_threads_run(SUBMITTERS + 1, body, fixture);
    for (uint32_t i = 0; i < 20; i++) {
        test_clock_pass(&fixture->clock, fixture->engine, 1000 * MS);
        CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    }
    struct leat_statistics statistics = test_statistics(fixture->engine);
    uint64_t accepted = atom_load_rlx(&fixture->accepted);
    CHECK_EQUAL(statistics.jobs_submitted, accepted);
    CHECK_EQUAL(statistics.jobs_completed + statistics.jobs_dead + statistics.jobs_cancelled,
                accepted);
    for (uint32_t i = 0; i < TEXTS; i++) {
        CHECK_EQUAL(fixture->keys[i].inside, 0);
        CHECK(fixture->keys[i].runs != 0);
        CHECK(fixture->names[i].runs != 0);
    }
    for (uint32_t i = 0; i < LEAT_STATUS_COUNT; i++) {
        if (atom_load_rlx(&fixture->answers[i]) != 0) {
            test_say("%" PRIu64 " submits: %s\n", atom_load_rlx(&fixture->answers[i]),
                     leat_status_text((enum leat_status)i));
        }
    }
    CHECK(atom_load_rlx(&fixture->answers[LEAT_EXISTS]) != 0);
    CHECK(atom_load_rlx(&fixture->answers[LEAT_JOINED]) != 0);
    test_say("%" PRIu64 " finds\n", atom_load_rlx(&fixture->finds));
    test_close(fixture->engine);
    CHECK_EQUAL(test_memory_blocks(&fixture->memory), 0);
    free(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(keys_and_names)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
