/* pull.c - see pull.h. */
#include "tests/support/pull.h"

#include <string.h>

#include "tests/support/check.h"
#include "tests/support/engine.h"

struct pull *
pull_setup_with(uint32_t workers, const struct leat_queue_options *given)
{
    static struct pull fixture;
    struct leat_config config = test_config();
    struct leat_queue_options options = leat_queue_options_default();
    memset(&fixture, 0, sizeof(fixture));
    test_clock_init(&fixture.clock);
    test_memory_init(&fixture.memory);
    config.workers = workers;
    config.jobs_max = 2 * PULL_JOBS;
    config.retained_max = 0;
    config.payload_bytes_max = sizeof(fixture.buffer);
    config.clock = test_clock_of(&fixture.clock);
    config.allocator = test_memory_allocator(&fixture.memory);
    fixture.engine = test_start(&config);
    options = given == NULL ? options : *given;
    options.pull = true;
    CHECK_OK(leat_queue_create(fixture.engine, "pull", &options, &fixture.queue));
    return &fixture;
}

struct pull *
pull_setup(void)
{
    return pull_setup_with(0, NULL);
}

void
pull_teardown(struct pull *fixture)
{
    test_close(fixture->engine);
    CHECK_EQUAL(test_memory_blocks(&fixture->memory), 0);
}

struct leat_job
pull_job(const struct pull *fixture)
{
    struct leat_job job = leat_job_default();
    job.type_name = "nobody";
    job.queue = fixture->queue;
    job.flags = LEAT_JOB_KEEP_RESULT;
    return job;
}

leat_job_id
pull_submit(struct pull *fixture)
{
    const struct leat_job job = pull_job(fixture);
    leat_job_id id = {0};
    CHECK_OK(leat_submit(fixture->engine, &job, &id));
    return id;
}

struct leat_reserve_options
pull_asks(struct pull *fixture, uint32_t max)
{
    struct leat_reserve_options options = leat_reserve_options_default();
    options.queue = fixture->queue;
    options.max = max;
    options.lease_ns = S;
    options.buffer = fixture->buffer;
    options.buffer_bytes = sizeof(fixture->buffer);
    return options;
}

enum leat_status
pull_reserve(struct pull *fixture, uint32_t max)
{
    const struct leat_reserve_options options = pull_asks(fixture, max);
    fixture->count = 0;
    return leat_reserve(fixture->engine, &options, fixture->leases, &fixture->count);
}

leat_token
pull_reserve_one(struct pull *fixture, leat_job_id id)
{
    CHECK_OK(pull_reserve(fixture, PULL_JOBS));
    CHECK_EQUAL(fixture->count, 1);
    CHECK_EQUAL(fixture->leases[0].id.bits, id.bits);
    CHECK_EQUAL(fixture->leases[0].token.job, id.bits);
    return fixture->leases[0].token;
}

void
pull_nothing(struct pull *fixture)
{
    CHECK_STATUS(pull_reserve(fixture, 1), LEAT_EMPTY);
}

enum leat_job_state
pull_state(struct pull *fixture, leat_job_id id)
{
    return test_get(fixture->engine, id).state;
}

void
pull_settle(struct pull *fixture)
{
    enum leat_status status = LEAT_OK;
    while (status == LEAT_OK) {
        status = leat_run_some(fixture->engine, 100, NULL);
    }
    CHECK_STATUS(status, LEAT_EMPTY);
    test_engine_check(fixture->engine);
}

void
pull_pass(struct pull *fixture, uint64_t ns)
{
    test_clock_pass(&fixture->clock, fixture->engine, ns);
    pull_settle(fixture);
}

void
pull_check_lost(struct pull *fixture, leat_token token, enum leat_status status)
{
    const struct leat_statistics before = test_statistics(fixture->engine);
    CHECK_STATUS(leat_ack(fixture->engine, token, "lost", 4), status);
    CHECK_STATUS(leat_nack(fixture->engine, token, 0, "lost"), status);
    CHECK_STATUS(leat_nack(fixture->engine, token, S, NULL), status);
    CHECK_STATUS(leat_extend(fixture->engine, token, 0), status);
    CHECK_STATUS(leat_lease_release(fixture->engine, token), status);
    CHECK_STATUS(leat_complete(fixture->engine, token, leat_fail(), "lost"), status);
    const struct leat_statistics after = test_statistics(fixture->engine);
    CHECK(memcmp(&before.jobs_run, &after.jobs_run, 9 * sizeof(uint64_t)) == 0);
}
