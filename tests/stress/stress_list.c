/* stress_list.c - pages are read while jobs flow. Jobs that stay, some of which go from state to
 * state and from level to level all the time, come exactly once in each pass, whatever the pages;
 * those that come and go, at most once; and each that is listed fitted. Records are used again as
 * soon as they can be. Under ThreadSanitizer payloads are plain data. Holds what the head of the
 * section in engine/leat.h promises of a pass. */
#include <stdlib.h>
#include <string.h>

#include "engine/engine_internal.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

enum { RECORDS = 1024, STAY = 200, TAGGED = 50, FLOW = 100, PAGE_MAX = 64 };
enum { FLOWS = 2, READERS = 2, THREADS = FLOWS + READERS + 1 };

#define HOUR_NS UINT64_C(3600000000000)

/* What a pass asks. */
enum { ALL, BY_TYPE, BY_STATE, BY_TAG, BY_QUEUE, KINDS };

struct reader {
    uint64_t passes[KINDS];
    uint64_t listed;
    leat_job_id seen[RECORDS]; /* the last one that was listed from each record */
    uint32_t times[STAY];      /* in this pass */
};

struct fixture {
    struct leat_engine *engine;
    leat_type stay;
    leat_type flow;
    leat_queue queue; /* of those that stay PENDING; paused */
    leat_job_id ids[STAY];
    leat_atomic_u32 ended;
    struct reader readers[READERS];
    uint64_t seed;
};

static bool
over(struct fixture *fixture)
{
    return atom_load_acq(&fixture->ended) != 0;
}

/* ---- those that come and go ------------------------------------------------------------------ */

static struct leat_outcome
flow_run(struct leat_run *run, void *context)
{
    unsigned char *payload = leat_run_payload(run, NULL);
    (void)context;
    CHECK_EQUAL(payload[1], (unsigned char)~payload[0]);
    payload[2]++; /* plain */
    return payload[0] % 8 == 0 && leat_run_attempt(run) == 1 ? leat_retry_in(1000) : leat_done();
}

static leat_job_id
flow_submit(struct fixture *fixture, struct test_prng *prng)
{
    static const char *const tags[] = {"flow", "red"};
    unsigned char payload[3] = {(unsigned char)test_random_below(prng, 256), 0, 0};
    struct leat_job job = leat_job_default();
    struct leat_job_options options = leat_job_options_default();
    leat_job_id id = {0};
    payload[1] = (unsigned char)~payload[0];
    job.type = fixture->flow;
    job.payload = payload;
    job.payload_bytes = sizeof(payload);
    job.delay_ns = test_random_below(prng, 8) == 0 ? test_random_below(prng, 3000000) : 0;
    if (test_random_below(prng, 4) == 0) {
        job.options = &options;
        options.tags = tags;
        options.tags_count = 1 + test_random_below(prng, 2);
    }
    enum leat_status status = leat_submit(fixture->engine, &job, &id);
    CHECK(status == LEAT_OK || status == LEAT_FULL);
    return id;
}

static void
flows(struct fixture *fixture, struct test_prng *prng)
{
    leat_job_id last[FLOW] = {{0}};
    for (uint32_t i = 0; !over(fixture); i = (i + 1) % FLOW) {
        last[i] = flow_submit(fixture, prng);
        if (test_random_below(prng, 4) == 0) {
            leat_job_id old = last[test_random_below(prng, FLOW)];
            enum leat_status status = leat_cancel(fixture->engine, old);
            CHECK(old.bits == 0 || status != LEAT_NOT_FOUND);
        }
        if (i == 0) {
            test_sleep_ns(50000); /* so that there is room for others */
        }
    }
}

/* ---- those that stay ------------------------------------------------------------------------- */

static bool
is_tagged(uint32_t number)
{
    return number < TAGGED;
}

/* From here on half of them are delayed, and these are moved. */
static bool
is_queued(uint32_t number)
{
    return number % 2 == 0;
}

static void
stay_submit(struct fixture *fixture)
{
    const char *tag = "red";
    struct leat_job_options options = leat_job_options_default();
    options.tags = &tag;
    options.tags_count = 1;
    for (uint32_t i = 0; i < STAY; i++) {
        struct leat_job job = leat_job_default();
        job.type = fixture->stay;
        job.options = is_tagged(i) ? &options : NULL;
        job.queue = is_queued(i) ? fixture->queue : (leat_queue){0};
        job.delay_ns = is_queued(i) ? 0 : HOUR_NS;
        CHECK_OK(leat_submit(fixture->engine, &job, &fixture->ids[i]));
    }
}

/* Those in the queue turn SCHEDULED for a moment by another level; the others stay SCHEDULED. */
static void
moves(struct fixture *fixture, struct test_prng *prng)
{
    while (!over(fixture)) {
        uint32_t number = test_random_below(prng, STAY);
        leat_job_id id = fixture->ids[number];
        uint32_t level = test_random_below(prng, leat_priority_levels());
        enum leat_status status = is_queued(number) || test_random_below(prng, 2) == 0
                                      ? leat_priority_set(fixture->engine, id, level)
                                      : leat_reschedule(fixture->engine, id, leat_when_in(HOUR_NS));
        CHECK(status == LEAT_OK || status == LEAT_BUSY);
        test_sleep_ns(test_random_below(prng, 20000));
    }
}

/* ---- readers --------------------------------------------------------------------------------- */

static struct leat_job_query
query_of(const struct fixture *fixture, uint32_t kind)
{
    struct leat_job_query query = leat_job_query_default();
    if (kind == BY_TYPE) {
        query.type = fixture->stay;
    } else if (kind == BY_STATE) {
        query.states = LEAT_STATE_MASK(LEAT_JOB_SCHEDULED);
        query.in_state_ns_min = 0;
    } else if (kind == BY_TAG) {
        query.tag = "red";
    } else if (kind == BY_QUEUE) {
        query.queue = fixture->queue;
    }
    return query;
}

/* Such a pass must list it. */
static bool
is_due(uint32_t kind, uint32_t number)
{
    switch (kind) {
    case BY_STATE:
        return !is_queued(number);
    case BY_TAG:
        return is_tagged(number);
    case BY_QUEUE:
        return is_queued(number);
    default:
        return true;
    }
}

static void
note(const struct fixture *fixture, struct reader *reader, uint32_t kind, leat_job_id id)
{
    uint32_t index = (uint32_t)(id.bits & LEAT_INDEX_NONE);
    struct leat_job_info info = leat_job_info_default();
    CHECK(index < RECORDS);
    CHECK(reader->seen[index].bits != id.bits);
    reader->seen[index] = id;
    reader->listed++;
    bool found = false;
    for (uint32_t i = 0; i < STAY && !found; i++) {
        found = fixture->ids[i].bits == id.bits;
        reader->times[i] += found ? 1 : 0;
        CHECK(!found || is_due(kind, i) || kind == BY_STATE);
    }
    CHECK(found || (kind != BY_TYPE && kind != BY_QUEUE));
    /* What never changes of a job is as it was asked. */
    if (leat_get(fixture->engine, id, &info) == LEAT_OK) {
        CHECK_EQUAL(info.type.bits, (found ? fixture->stay : fixture->flow).bits);
    }
}

static void
pass(struct fixture *fixture, struct reader *reader, struct test_prng *prng)
{
    uint32_t kind = test_random_below(prng, KINDS);
    struct leat_job_query query = query_of(fixture, kind);
    leat_job_id ids[PAGE_MAX];
    memset(reader->times, 0, sizeof(reader->times));
    memset(reader->seen, 0, sizeof(reader->seen));
    do {
        size_t count = 0;
        size_t capacity = 1 + test_random_below(prng, PAGE_MAX);
        query.look_max = 1 + test_random_below(prng, 2 * PAGE_MAX);
        CHECK_OK(leat_job_list(fixture->engine, &query, ids, capacity, &count));
        CHECK(count <= capacity && count <= query.look_max);
        for (size_t i = 0; i < count; i++) {
            note(fixture, reader, kind, ids[i]);
        }
    } while (query.more);
    for (uint32_t i = 0; i < STAY; i++) {
        CHECK(reader->times[i] == 1 || !is_due(kind, i));
        CHECK(reader->times[i] <= 1);
    }
    reader->passes[kind]++;
}

static void
count_all(struct fixture *fixture)
{
    struct leat_job_query query = leat_job_query_default();
    struct leat_job_tally counts[4];
    memset(counts, 0, sizeof(counts));
    query.look_max = PAGE_MAX;
    query.type = fixture->stay;
    do {
        CHECK_OK(leat_job_count(fixture->engine, &query, counts, TEST_COUNT_OF(counts)));
    } while (query.more);
    CHECK_EQUAL(counts[0].jobs, STAY);
    CHECK_EQUAL(counts[fixture->queue.bits].jobs, STAY / 2);
    CHECK(counts[0].in_state_ns_max <= TEST_PATIENCE_NS * 10);
}

static void
reads(struct fixture *fixture, struct reader *reader, struct test_prng *prng, bool ends)
{
    uint64_t until_ns = test_now_ns() + test_duration_ns();
    while (ends ? test_now_ns() < until_ns : !over(fixture)) {
        pass(fixture, reader, prng);
        count_all(fixture);
    }
    atom_store_rel(&fixture->ended, 1);
}

static void
body(void *shared, uint32_t number)
{
    struct fixture *fixture = shared;
    struct test_prng prng = {fixture->seed + number};
    if (number < FLOWS) {
        flows(fixture, &prng);
    } else if (number < FLOWS + READERS) {
        reads(fixture, &fixture->readers[number - FLOWS], &prng, number == FLOWS);
    } else {
        moves(fixture, &prng);
    }
}

static void
what_stays_is_listed_once(void **state)
{
    (void)state;
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct leat_config config = test_config();
    CHECK(fixture != NULL);
    fixture->seed = test_seed("stress_list");
    config.workers = 2;
    config.jobs_max = RECORDS;
    config.retained_max = 100;
    config.sample_interval = 2;
    fixture->engine = test_open(&config);
    fixture->stay = test_register(fixture->engine, "stay", flow_run, fixture);
    fixture->flow = test_register(fixture->engine, "flow", flow_run, fixture);
    CHECK_OK(leat_queue_create(fixture->engine, "stay", NULL, &fixture->queue));
    CHECK_OK(leat_queue_pause(fixture->engine, fixture->queue));
    stay_submit(fixture);
    CHECK_OK(leat_start(fixture->engine));
    test_threads_run(THREADS, body, fixture);
    for (uint32_t i = 0; i < READERS; i++) {
        const struct reader *reader = &fixture->readers[i];
        uint64_t passes = 0;
        for (uint32_t kind = 0; kind < KINDS; kind++) {
            passes += reader->passes[kind];
        }
        CHECK(passes > 0);
        test_say("stress_list: reader %u: %lu passes, %lu listed\n", i, (unsigned long)passes,
                 (unsigned long)reader->listed);
    }
    struct leat_statistics sum = test_statistics(fixture->engine);
    test_say("stress_list: %lu jobs went by\n", (unsigned long)sum.jobs_run);
    CHECK(sum.jobs_run > RECORDS);
    for (uint32_t i = 0; i < STAY; i++) {
        CHECK_OK(leat_cancel(fixture->engine, fixture->ids[i]));
    }
    test_finish(fixture->engine);
    free(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_stays_is_listed_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
