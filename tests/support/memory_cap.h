/* memory_cap.h - an engine without workers whose memory has a cap and whose clock is a test's: what
 * the tests of footprint.h share. */
#ifndef TESTS_SUPPORT_MEMORY_CAP_H
#define TESTS_SUPPORT_MEMORY_CAP_H

#include <stdlib.h>
#include <string.h>

#include "engine/engine_internal.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory.h"
#include "tests/support/threads.h"

#define S       UINT64_C(1000000000)
#define LOTS    (UINT64_C(1) << 30)
#define PAYLOAD 1000 /* of the allocator */
#define UNIT    (1u << LEAT_SLAB_UNIT_LOG2)

struct fixture {
    struct test_clock clock;
    struct test_memory memory;
    struct leat_engine *engine;
    leat_type type;
    leat_queue queue;
    enum leat_status said; /* what the handler's calls came to */
    size_t result_bytes;   /* of what it says */
    bool fails;
    uint64_t runs;
    uint32_t raised;
    uint32_t cleared;
    struct leat_event last;
    char line[256];
    struct test_threads threads;
    enum leat_status waited;
};

static unsigned char payload[1 << 20];

static inline struct leat_outcome
run(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    fixture->runs++;
    if (fixture->result_bytes != 0) {
        fixture->said = leat_run_result(run, payload, fixture->result_bytes);
    }
    if (fixture->fails) {
        fixture->said = leat_run_error(run, "why it failed");
        return leat_retry();
    }
    return leat_done();
}

static inline void
event_sink(struct leat_engine *engine, const struct leat_event *event, void *context)
{
    (void)engine;
    struct fixture *fixture = context;
    CHECK_EQUAL(event->threshold, LEAT_THRESHOLD_MEMORY);
    fixture->raised += event->kind == LEAT_EVENT_THRESHOLD_RAISED;
    fixture->cleared += event->kind == LEAT_EVENT_THRESHOLD_CLEARED;
    fixture->last = *event;
}

static inline void
log_sink(struct leat_engine *engine, const struct leat_log_line *line, void *context)
{
    (void)engine;
    struct fixture *fixture = context;
    (void)snprintf(fixture->line, sizeof(fixture->line), "%s", line->text);
}

static inline struct leat_config
config_of(struct fixture *fixture, uint64_t memory_max)
{
    struct leat_config config = test_config();
    config.workers = 0;
    config.jobs_max = 4096;
    config.retained_max = 0;
    config.allocator = test_memory_allocator(&fixture->memory);
    config.clock = test_clock_of(&fixture->clock);
    config.memory_max = memory_max;
    config.event_sink = event_sink;
    config.event_context = fixture;
    config.event_mask =
        LEAT_EVENT_BIT(LEAT_EVENT_THRESHOLD_RAISED) | LEAT_EVENT_BIT(LEAT_EVENT_THRESHOLD_CLEARED);
    config.log_sink = log_sink;
    config.log_context = fixture;
    return config;
}

static inline struct fixture *
begin(void)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    CHECK(fixture != NULL);
    test_clock_init(&fixture->clock);
    test_memory_init(&fixture->memory);
    return fixture;
}

static inline void
start(struct fixture *fixture, const struct leat_config *config)
{
    fixture->engine = test_start(config);
    fixture->type = test_register(fixture->engine, "t", run, fixture);
    CHECK_OK(leat_queue_find(fixture->engine, "default", &fixture->queue));
    CHECK_OK(leat_clock_changed(fixture->engine)); /* the first look of the watchdog */
}

static inline struct fixture *
setup(void)
{
    struct fixture *fixture = begin();
    const struct leat_config config = config_of(fixture, LOTS);
    start(fixture, &config);
    return fixture;
}

/* I1: all that the allocator has out, and what is in none, is counted once. */
static inline void
check_bytes(struct fixture *fixture)
{
    uint64_t bytes = 0;
    CHECK(leat_footprint_check(fixture->engine, &bytes, stderr));
    bytes += atom_load_rlx(&fixture->memory.bytes);
    CHECK_EQUAL(leat_footprint_used(&fixture->engine->footprint), bytes);
}

static inline void
teardown(struct fixture *fixture)
{
    if (fixture->engine->footprint.counted) {
        check_bytes(fixture);
    }
    test_close(fixture->engine);
    CHECK_EQUAL(test_memory_blocks(&fixture->memory), 0);
    CHECK_EQUAL(atom_load_rlx(&fixture->memory.bytes), 0);
    free(fixture);
}

static inline uint64_t
used(const struct fixture *fixture)
{
    return leat_footprint_used(&fixture->engine->footprint);
}

/* The least cap of which submits may use so much. */
static inline uint64_t
cap_for(uint64_t limit)
{
    uint64_t most = limit + limit / (LEAT_FOOTPRINT_KEPT - 1);
    while (most - most / LEAT_FOOTPRINT_KEPT >= limit) {
        most--;
    }
    return most + 1;
}

/* Submits may use so much more than there is; without a look of the watchdog. */
static inline void
leave(struct fixture *fixture, uint64_t room)
{
    atom_store_rlx(&fixture->engine->footprint.most, cap_for(used(fixture) + room));
}

static inline enum leat_status
submit(struct fixture *fixture, size_t bytes, leat_job_id *id)
{
    struct leat_job job = leat_job_default();
    job.type = fixture->type;
    job.queue = fixture->queue;
    job.payload = bytes == 0 ? NULL : payload;
    job.payload_bytes = bytes;
    return leat_submit(fixture->engine, &job, id);
}

static inline void
run_all(struct fixture *fixture)
{
    while (leat_run_some(fixture->engine, 1000, NULL) == LEAT_OK) {
    }
}

static inline uint64_t
refused(struct fixture *fixture)
{
    return test_statistics(fixture->engine).memory_refused;
}

static inline void
change(struct fixture *fixture, uint64_t bytes)
{
    char value[32];
    (void)snprintf(value, sizeof(value), "%lluB", (unsigned long long)bytes);
    CHECK_OK(leat_knob_change(fixture->engine, "memory_max", value, NULL));
    CHECK_OK(leat_clock_changed(fixture->engine));
}

#endif
