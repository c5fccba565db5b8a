/* durable_body.h - what unit_durable.c and unit_durable_limits.c share: an engine with a log, a
 * lent thread and a clock by hand, which crashes and comes back. */
#ifndef TESTS_UNIT_DURABLE_BODY_H
#define TESTS_UNIT_DURABLE_BODY_H

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/durable/internal.h"
#include "tests/support/check.h"
#include "tests/support/directory.h"
#include "tests/support/engine.h"
#include "tests/support/fake_clock.h"

/* Not inline: what a test has on its stack is counted. */
#define SHARED static __attribute__((noinline, unused))

#define MINUTE_NS (UINT64_C(60) * 1000000000)
#define RUNS_MAX  64

enum way { WAY_DONE, WAY_RETRY, WAY_FAIL, WAY_RESULT, WAY_SNOOZE, WAY_PENDING };

struct world {
    char directory[32];
    char copy[32];
    struct leat_config config;
    struct test_clock clock;
    struct leat_engine *engine;
    leat_type type;
    enum way way;
    char payloads[RUNS_MAX][32]; /* that handlers have seen, in order */
    uint32_t runs;
    uint32_t attempt; /* of the last run */
    leat_token token;
};

/* ---- handlers -------------------------------------------------------------------------------- */

SHARED struct leat_outcome
handler(struct leat_run *run, void *context)
{
    struct world *world = context;
    size_t bytes = 0;
    const char *payload = leat_run_payload(run, &bytes);
    CHECK(world->runs < RUNS_MAX && bytes < 32);
    if (bytes != 0) {
        memcpy(world->payloads[world->runs], payload, bytes);
    }
    world->payloads[world->runs++][bytes] = '\0';
    world->attempt = leat_run_attempt(run);
    world->token = leat_run_token(run);
    switch (world->way) {
    case WAY_RETRY:
        CHECK_OK(leat_run_error(run, "not now"));
        return leat_retry_in(10 * MINUTE_NS);
    case WAY_FAIL:
        CHECK_OK(leat_run_error(run, "never"));
        return leat_fail();
    case WAY_RESULT:
        CHECK_OK(leat_run_result(run, "fruit", 5));
        return leat_done();
    case WAY_SNOOZE:
        return leat_snooze(10 * MINUTE_NS);
    case WAY_PENDING:
        return leat_pending();
    case WAY_DONE:
        break;
    }
    return leat_done();
}

/* ---- worlds ---------------------------------------------------------------------------------- */

SHARED void
world_open(struct world *world)
{
    world->config.log_directory = world->directory;
    world->engine = test_open(&world->config);
    world->type = test_register(world->engine, "work", handler, world);
}

SHARED struct world *
world_make(void)
{
    struct world *world = calloc(1, sizeof(*world));
    CHECK(world != NULL);
    strcpy(world->directory, "unit_durable.XXXXXX");
    strcpy(world->copy, "unit_durable.XXXXXX");
    CHECK(mkdtemp(world->directory) != NULL && mkdtemp(world->copy) != NULL);
    world->config = test_config();
    world->config.workers = 0;
    world->config.log_segment_bytes = UINT64_C(1) << 20;
    world->config.log_ring_bytes = UINT64_C(1) << 19;
    world->config.payload_bytes_max = 4096;
    test_clock_init(&world->clock);
    world->config.clock = test_clock_of(&world->clock);
    world->config.jobs_max = 256;
    world_open(world);
    return world;
}

SHARED void
world_free(struct world *world)
{
    test_close(world->engine);
    test_directory_remove(world->directory);
    test_directory_remove(world->copy);
    free(world);
}

/* Another process opens the copy of the log. */
SHARED void
world_copied(struct world *world)
{
    char directory[sizeof(world->directory)];
    test_close(world->engine);
    memcpy(directory, world->directory, sizeof(directory));
    memcpy(world->directory, world->copy, sizeof(directory));
    memcpy(world->copy, directory, sizeof(directory));
    world->runs = 0;
    world_open(world);
}

/* The process is gone, moments later, with this job in a handler (0: none), and another one opens
 * the log. The log's threads rest while its files are copied: a copy takes its time. */
SHARED void
world_crash_in(struct world *world, uint64_t id)
{
    leat_durable_clean_stop(world->engine->durable);
    CHECK_OK(leat_wal_stop(&world->engine->durable->wal));
    atom_store_rlx(&world->engine->places[0].running, id);
    test_directory_empty(world->copy);
    test_directory_copy(world->directory, world->copy);
    atom_store_rlx(&world->engine->places[0].running, 0);
    world_copied(world);
}

SHARED void
world_crash(struct world *world)
{
    world_crash_in(world, 0);
}

/* It ends as it should. */
SHARED void
world_restart(struct world *world)
{
    test_close(world->engine);
    world->runs = 0;
    world_open(world);
}

SHARED void
run_all(struct world *world)
{
    size_t ran = 0;
    if (test_state(world->engine) == LEAT_ENGINE_OPEN) {
        CHECK_OK(leat_start(world->engine));
    }
    while (leat_run_some(world->engine, 100, &ran) == LEAT_OK) {
    }
}

SHARED leat_job_id
submit(struct world *world, const char *payload, const struct leat_job_options *options,
       uint32_t flags)
{
    leat_job_id id;
    struct leat_job job = leat_job_default();
    job.type = world->type;
    job.payload = payload;
    job.payload_bytes = strlen(payload);
    job.options = options;
    job.flags = flags;
    CHECK_OK(leat_submit(world->engine, &job, &id));
    return id;
}

SHARED struct leat_recovery_info
found(struct world *world)
{
    struct leat_recovery_info info = leat_recovery_info_default();
    CHECK_OK(leat_recovery_get(world->engine, &info));
    return info;
}

#endif
