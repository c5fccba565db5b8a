/* key_rates_body.h - what unit_key_rates.c and unit_key_room.c share: an engine with a lent thread
 * and a clock by hand, whose handlers note who began when. */
#ifndef TESTS_UNIT_KEY_RATES_BODY_H
#define TESTS_UNIT_KEY_RATES_BODY_H

#include <stdlib.h>
#include <string.h>

#include "engine/key_rates.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory.h"

#define JOBS   1024
#define SECOND UINT64_C(1000000000)
#define DAY    (86400 * SECOND)
/* A timer's: a tick of its wheel. */
#define LATE_NS (UINT64_C(1) << LEAT_WHEEL_TICK_LOG2_MIN)
/* Of the wheels of jobs. */
#define TICK_NS (UINT64_C(1) << 20)
#define NO_KEY  UINT32_MAX

enum way { WAY_DONE, WAY_RETRY_ONCE, WAY_SNOOZE_ONCE };

struct fixture {
    struct test_clock clock;
    struct test_memory memory;
    struct leat_engine *engine;
    uint64_t start_ns;
    leat_type type;
    leat_queue queue;
    leat_queue second;
    uint32_t runs[JOBS];
    uint64_t at_ns[JOBS];
    uint32_t count;
    leat_job_id ids[JOBS];
    bool seen[JOBS];
    enum way way;
    struct leat_rate set_by_handler; /* jobs 0: not */
    uint64_t handler_ns;             /* that it runs before that */
};

static inline uint64_t
now(const struct fixture *fixture)
{
    return atom_load_rlx(&fixture->clock.boot) - fixture->start_ns;
}

static inline struct leat_outcome
note(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    uint32_t number = *(const uint32_t *)leat_run_payload(run, NULL);
    bool first = !fixture->seen[number];
    fixture->seen[number] = true;
    CHECK(fixture->count < JOBS);
    fixture->at_ns[fixture->count] = now(fixture);
    fixture->runs[fixture->count++] = number;
    if (fixture->set_by_handler.jobs != 0) {
        (void)atom_add_acq_rel(&fixture->clock.boot, fixture->handler_ns);
        CHECK_OK(leat_queue_set_key_rate(fixture->engine, fixture->queue, fixture->set_by_handler));
    }
    if (fixture->way == WAY_RETRY_ONCE && first) {
        return leat_retry_in(0);
    }
    return fixture->way == WAY_SNOOZE_ONCE && first ? leat_snooze(0) : leat_done();
}

static inline struct fixture *
setup_at(uint32_t jobs_max, uint64_t boot_ns)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    CHECK(fixture != NULL);
    struct leat_config config = test_config();
    test_clock_init(&fixture->clock);
    atom_init(&fixture->clock.boot, boot_ns);
    test_memory_init(&fixture->memory);
    config.clock = test_clock_of(&fixture->clock);
    config.allocator = test_memory_allocator(&fixture->memory);
    config.jobs_max = jobs_max;
    config.workers = 0;
    config.retained_max = 0;
    fixture->start_ns = boot_ns;
    fixture->engine = test_start(&config);
    fixture->type = test_register(fixture->engine, "note", note, fixture);
    CHECK_OK(leat_queue_find(fixture->engine, "default", &fixture->queue));
    CHECK_OK(leat_queue_create(fixture->engine, "second", NULL, &fixture->second));
    return fixture;
}

static inline struct fixture *
setup(uint32_t jobs_max)
{
    return setup_at(jobs_max, 1000 * SECOND);
}

/* How many buckets there are; and all is as it says. */
static inline uint32_t
buckets(struct fixture *fixture)
{
    uint32_t keys = 0;
    uint32_t found = 0;
    CHECK(leat_keys_check(fixture->engine, &keys, stderr));
    CHECK(leat_key_rates_check(fixture->engine, &found, stderr));
    return found;
}

static inline void
teardown(struct fixture *fixture)
{
    (void)buckets(fixture);
    test_close(fixture->engine);
    CHECK_EQUAL(test_memory_blocks(&fixture->memory), 0);
    free(fixture);
}

static inline void
submit_to(struct fixture *fixture, leat_queue queue, uint32_t key, uint32_t number)
{
    struct leat_job job = leat_job_default();
    struct leat_job_options options = leat_job_options_default();
    if (key != NO_KEY) {
        options.key = &key;
        options.key_bytes = sizeof(key);
    }
    job.options = &options;
    job.type = fixture->type;
    job.queue = queue;
    job.payload = &number;
    job.payload_bytes = sizeof(number);
    CHECK_OK(leat_submit(fixture->engine, &job, &fixture->ids[number]));
}

static inline void
submit(struct fixture *fixture, uint32_t key, uint32_t first, uint32_t end)
{
    for (uint32_t i = first; i < end; i++) {
        submit_to(fixture, fixture->queue, key, i);
    }
}

/* Comes behind `delay_ns`, two ticks later at most, with a key of this hash. */
static inline void
submit_hashed(struct fixture *fixture, const char *key, uint32_t hash, uint64_t delay_ns,
              uint32_t number)
{
    struct leat_job job = leat_job_default();
    struct leat_job_options options = leat_job_options_default();
    options.key = key;
    options.key_bytes = strlen(key);
    job.options = &options;
    job.type = fixture->type;
    job.queue = fixture->queue;
    job.payload = &number;
    job.payload_bytes = sizeof(number);
    job.delay_ns = delay_ns;
    CHECK_OK(leat_submit(fixture->engine, &job, &fixture->ids[number]));
    test_key_hash(fixture->engine, fixture->ids[number], hash);
}

/* Runs what can run now. Returns how many. */
static inline uint32_t
run_all(struct fixture *fixture)
{
    uint32_t before = fixture->count;
    for (uint32_t i = 0; i < 2 * JOBS && leat_run_some(fixture->engine, 1, NULL) == LEAT_OK; i++) {
    }
    return fixture->count - before;
}

static inline uint64_t
next_due(struct fixture *fixture)
{
    uint64_t delay_ns = 0;
    CHECK_OK(leat_next_due(fixture->engine, &delay_ns));
    return delay_ns;
}

static inline uint32_t
pass(struct fixture *fixture, uint64_t ns)
{
    test_clock_pass(&fixture->clock, fixture->engine, ns);
    return run_all(fixture);
}

/* Goes from one time that is named to the next, up to `end_ns`, running what can run. */
static inline void
run_until(struct fixture *fixture, uint64_t end_ns)
{
    (void)run_all(fixture);
    for (uint32_t i = 0; i < 10 * JOBS; i++) {
        uint64_t delay_ns = next_due(fixture);
        if (delay_ns > end_ns - now(fixture)) {
            break;
        }
        (void)pass(fixture, delay_ns);
    }
    (void)pass(fixture, end_ns - now(fixture));
}

static inline void
set(struct fixture *fixture, uint64_t jobs, uint64_t per_ns, uint64_t burst)
{
    CHECK_OK(leat_queue_set_key_rate(fixture->engine, fixture->queue,
                                     leat_rate_of(jobs, per_ns, burst)));
}

#endif
