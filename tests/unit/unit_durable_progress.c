/* unit_durable_progress.c - what leat_open() says of a log while it reads it: which phases, in
 * which order, how much of how much, how often, and in which thread. */
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/check.h"
#include "tests/support/directory.h"
#include "tests/support/engine.h"
#include "tests/support/threads.h"

#define JOBS      2000
#define SLEEPS    4 /* first calls of a phase that take their time, as its last one does */
#define PERIOD_NS (UINT64_C(100) * TEST_MS)

struct world {
    char directory[32];
    struct leat_config config;
    struct leat_engine *engine;
    pthread_t thread;
    struct leat_recovery_progress last;
    uint32_t calls[LEAT_RECOVERY_CLEANS + 1];
    uint64_t at_ns; /* of the last call */
    bool sleeps;    /* some calls take as long as the next one has to wait */
    bool ended;     /* the last call was that of the end of its phase */
};

/* ---- what is told ---------------------------------------------------------------------------- */

static bool
is_end(const struct leat_recovery_progress *now)
{
    return now->phase == LEAT_RECOVERY_READS     ? now->bytes_read == now->bytes_found
           : now->phase == LEAT_RECOVERY_REVIVES ? now->jobs_made == now->jobs_found
                                                 : true;
}

static void
progress(const struct leat_recovery_progress *now, void *context)
{
    struct world *world = context;
    const uint64_t now_ns = test_now_ns();
    CHECK(pthread_equal(world->thread, pthread_self()) != 0);
    CHECK_EQUAL(now->size, sizeof(*now));
    CHECK_EQUAL(now->version, LEAT_STRUCT_VERSION);
    CHECK(now->phase >= LEAT_RECOVERY_READS && now->phase <= LEAT_RECOVERY_CLEANS);
    CHECK(now->bytes_read <= now->bytes_found && now->jobs_made <= now->jobs_found);
    CHECK(now->bytes_read >= world->last.bytes_read && now->jobs_made >= world->last.jobs_made);
    if (world->last.phase != 0 && now->phase != world->last.phase) {
        CHECK_EQUAL(now->phase, world->last.phase + 1);
        CHECK(world->ended);
    }
    if (now->phase == LEAT_RECOVERY_READS) {
        CHECK_EQUAL(now->jobs_found, 0);
    } else {
        CHECK_EQUAL(now->bytes_read, now->bytes_found);
        CHECK_EQUAL(now->bytes_found, world->last.bytes_found);
    }
    world->ended = is_end(now);
    if (!world->ended) { /* at most ten times a second */
        CHECK(world->at_ns == 0 || now_ns - world->at_ns >= PERIOD_NS - TEST_MS);
    }
    world->at_ns = now_ns;
    world->last = *now;
    world->calls[now->phase]++;
    if (world->sleeps && (world->calls[now->phase] <= SLEEPS || world->ended)) {
        test_sleep_ns(PERIOD_NS + TEST_MS);
    }
}

/* ---- worlds ---------------------------------------------------------------------------------- */

static struct leat_outcome
handler(struct leat_run *run, void *context)
{
    (void)run;
    (void)context;
    return leat_done();
}

static void
forget(struct world *world, bool sleeps)
{
    memset(&world->last, 0, sizeof(world->last));
    memset(world->calls, 0, sizeof(world->calls));
    world->at_ns = 0;
    world->sleeps = sleeps;
    world->ended = false;
}

static struct world *
world_make(void)
{
    struct world *world = calloc(1, sizeof(*world));
    CHECK(world != NULL);
    strcpy(world->directory, "progress.XXXXXX");
    CHECK(mkdtemp(world->directory) != NULL);
    world->config = test_config();
    world->config.workers = 0;
    world->config.jobs_max = 2 * JOBS;
    world->config.log_segment_bytes = UINT64_C(1) << 19;
    world->config.log_ring_bytes = UINT64_C(1) << 18;
    world->config.log_directory = world->directory;
    world->config.recovery_progress = progress;
    world->config.recovery_context = world;
    world->thread = pthread_self();
    return world;
}

static void
world_free(struct world *world)
{
    test_directory_remove(world->directory);
    free(world);
}

static void
jobs_submit(struct world *world)
{
    static const char payload[600];
    static struct leat_job jobs[JOBS];
    leat_type type = test_register(world->engine, "work", handler, NULL);
    for (uint32_t i = 0; i < JOBS; i++) {
        jobs[i] = leat_job_default();
        jobs[i].type = type;
        jobs[i].payload = payload;
        jobs[i].payload_bytes = sizeof(payload);
    }
    CHECK_OK(leat_submit_batch(world->engine, jobs, JOBS, LEAT_BATCH_EACH, NULL, NULL));
}

/* A log with all jobs in it, which nobody has open. */
static struct world *
world_filled(void)
{
    struct world *world = world_make();
    world->engine = test_open(&world->config);
    jobs_submit(world);
    test_close(world->engine);
    forget(world, false);
    return world;
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void
each_phase_has_an_end(void **state)
{
    struct world *world = world_make();
    (void)state;
    world->engine = test_open(&world->config);
    for (uint32_t phase = LEAT_RECOVERY_READS; phase <= LEAT_RECOVERY_CLEANS; phase++) {
        CHECK_EQUAL(world->calls[phase], 1); /* an empty log, too */
    }
    CHECK_EQUAL(world->last.bytes_found, 0);
    CHECK_EQUAL(world->last.jobs_found, 0);
    jobs_submit(world);
    test_close(world->engine);
    CHECK_EQUAL(world->calls[LEAT_RECOVERY_CLEANS], 1); /* nothing behind the open */
    forget(world, false);
    world->engine = test_open(&world->config);
    CHECK(world->last.phase == LEAT_RECOVERY_CLEANS && world->ended);
    CHECK_EQUAL(world->last.jobs_made, JOBS);
    CHECK_EQUAL(world->last.jobs_found, JOBS);
    CHECK(world->last.bytes_found > UINT64_C(600) * JOBS);
    CHECK_EQUAL(world->last.bytes_found % world->config.log_segment_bytes, 0);
    test_close(world->engine);
    world_free(world);
}

/* Each call but the last one of its phase comes a tenth of a second behind the one before, and
 * there are some. */
static void
on_its_way(void **state)
{
    struct world *world = world_filled();
    (void)state;
    forget(world, true);
    world->engine = test_open(&world->config);
    CHECK(world->calls[LEAT_RECOVERY_READS] > SLEEPS);
    CHECK(world->calls[LEAT_RECOVERY_REVIVES] > SLEEPS);
    CHECK_EQUAL(world->calls[LEAT_RECOVERY_CLEANS], 1);
    test_close(world->engine);
    world_free(world);
}

static void
not_told(void **state)
{
    struct world *world = world_filled();
    struct leat_error error;
    (void)state;
    /* Who was built with an earlier header. */
    struct leat_config earlier = world->config;
    earlier.size = (uint32_t)offsetof(struct leat_config, recovery_progress);
    world->engine = test_open(&earlier);
    test_close(world->engine);
    CHECK_EQUAL(world->last.phase, 0);
    /* No log. */
    earlier = world->config;
    earlier.log_directory = NULL;
    world->engine = test_open(&earlier);
    test_close(world->engine);
    CHECK_EQUAL(world->last.phase, 0);
    /* A log that is not taken: it is read, and nothing more. */
    world->config.jobs_max = JOBS / 2;
    CHECK(leat_open(&world->config, &world->engine, &error) != LEAT_OK);
    CHECK_EQUAL(world->last.phase, LEAT_RECOVERY_READS);
    CHECK(world->ended);
    world_free(world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_phase_has_an_end),
        cmocka_unit_test(on_its_way),
        cmocka_unit_test(not_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
