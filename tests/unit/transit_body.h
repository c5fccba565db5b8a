/* transit_body.h - an engine with a log and a completion queue, for tests of submits that do not
 * wait; and what the log's own threads do, by the test. */
#ifndef TESTS_UNIT_TRANSIT_BODY_H
#define TESTS_UNIT_TRANSIT_BODY_H

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/durable/internal.h"
#include "engine/wal/internal.h"
#include "tests/support/check.h"
#include "tests/support/directory.h"
#include "tests/support/engine.h"

/* Not inline: what a test has on its stack is counted. */
#define SHARED static __attribute__((noinline, unused))

#define MINUTE_NS (UINT64_C(60) * 1000000000)

struct world {
    char directory[32];
    struct leat_config config;
    struct leat_engine *engine;
    struct leat_completion_queue *queue;
    struct leat_job_options options;
    struct leat_job job;
    leat_type type;
    uint32_t runs;
    bool submits; /* the handler does so, once */
    leat_job_id child;
};

/* ---- worlds ---------------------------------------------------------------------------------- */

SHARED struct leat_outcome
handler(struct leat_run *run, void *context)
{
    struct world *world = context;
    world->runs++;
    if (world->submits) {
        world->submits = false;
        CHECK_OK(leat_run_submit(run, &world->job, &world->child));
    }
    return leat_done();
}

SHARED void
world_open(struct world *world, uint32_t slots)
{
    world->engine = test_open(&world->config);
    world->type = test_register(world->engine, "work", handler, world);
    CHECK_OK(leat_completion_queue_create(world->engine, slots, &world->queue));
    world->options = leat_job_options_default();
    world->options.acknowledgements = world->queue;
    world->job = leat_job_default();
    world->job.type = world->type;
    world->job.options = &world->options;
    world->runs = 0;
}

SHARED struct world *
world_make(uint32_t slots)
{
    struct world *world = calloc(1, sizeof(*world));
    CHECK(world != NULL);
    strcpy(world->directory, "transit.XXXXXX");
    CHECK(mkdtemp(world->directory) != NULL);
    world->config = test_config();
    world->config.workers = 0;
    world->config.jobs_max = 4096;
    world->config.log_segment_bytes = UINT64_C(1) << 20;
    world->config.log_ring_bytes = UINT64_C(1) << 18;
    world->config.payload_bytes_max = 8192;
    world->config.log_directory = world->directory;
    world_open(world, slots);
    return world;
}

/* An acknowledgement is there a moment before the log's thread has counted it. */
SHARED void
world_close(struct world *world)
{
    struct leat_durable *durable = world->engine->durable;
    while (durable != NULL && durable->wal.threads.run && atom_load_acq(&durable->flying) != 0) {
        (void)usleep(100);
    }
    test_close(world->engine);
}

SHARED void
world_free(struct world *world)
{
    world_close(world);
    test_directory_remove(world->directory);
    free(world);
}

SHARED struct leat_wal *
log_of(struct world *world)
{
    return &world->engine->durable->wal;
}

/* From now on nothing is written, synced or landed, but by the test. */
SHARED void
log_rest(struct world *world)
{
    CHECK_OK(leat_wal_stop(log_of(world)));
}

/* So many were written. */
SHARED uint64_t
log_batches(struct world *world)
{
    struct leat_wal_role *role = &log_of(world)->role;
    while (!leat_wal_role_take(role)) {
        (void)usleep(100);
    }
    uint64_t batches = log_of(world)->batch;
    leat_wal_role_give(role, false);
    return batches;
}

SHARED void
log_land(struct world *world)
{
    (void)leat_wal_step(log_of(world), false);
    leat_durable_landed(world->engine->durable);
}

/* ---- jobs ------------------------------------------------------------------------------------ */

SHARED enum leat_status
try_submit(struct world *world, void *user, leat_job_id *id)
{
    world->job.user = user;
    return leat_submit(world->engine, &world->job, id);
}

SHARED leat_job_id
submit(struct world *world, void *user)
{
    leat_job_id id = {0};
    CHECK_OK(try_submit(world, user, &id));
    CHECK(id.bits != 0);
    return id;
}

SHARED void
take_none(struct world *world)
{
    struct leat_completion item;
    size_t taken = 0;
    CHECK_STATUS(leat_completion_queue_take(world->queue, &item, 1, &taken), LEAT_EMPTY);
}

SHARED struct leat_completion
take(struct world *world)
{
    struct leat_completion item;
    size_t taken = 0;
    CHECK_OK(leat_completion_queue_take(world->queue, &item, 1, &taken));
    return item;
}

SHARED struct leat_completion
take_acknowledgement(struct world *world, enum leat_status status, void *user)
{
    struct leat_completion item = take(world);
    CHECK_EQUAL(item.kind, LEAT_COMPLETION_ACKNOWLEDGED);
    CHECK_STATUS(item.status, status);
    CHECK(item.user == user);
    return item;
}

SHARED bool
is_there(struct world *world, leat_job_id id)
{
    struct leat_job_info info = leat_job_info_default();
    enum leat_status status = leat_get(world->engine, id, &info);
    CHECK(status == LEAT_OK || status == LEAT_NOT_FOUND || status == LEAT_GONE);
    return status == LEAT_OK;
}

SHARED void
run_all(struct world *world)
{
    while (leat_run_some(world->engine, 16, NULL) == LEAT_OK) {
    }
}

SHARED uint64_t
jobs_found(struct world *world)
{
    struct leat_recovery_info info = leat_recovery_info_default();
    CHECK_OK(leat_recovery_get(world->engine, &info));
    return info.jobs;
}

#endif
