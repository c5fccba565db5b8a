/* unit_durable_size.c - what a submit is worth, and how large the log may become:
 * LEAT_DURABILITY_OS is written and not synced; with a cap on the log's files, which is a small
 * disk, submits are refused, and a cancel is not; what is changed meanwhile
 * is so in memory only; and no number of changes, or of crashes, makes the log grow. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/durable/internal.h"
#include "tests/support/check.h"
#include "tests/support/directory.h"
#include "tests/support/engine.h"
#include "tests/support/threads.h"

#define SEGMENT   UINT64_C(65536)
#define MINUTE_NS (UINT64_C(60) * 1000000000)
#define JOBS_MAX  4096

struct world {
    char directory[32];
    struct leat_config config;
    struct leat_engine *engine;
    leat_type type;
    leat_job_id ids[JOBS_MAX];
    uint32_t count;
    char payload[1000];
    struct leat_job_options os;
    struct leat_job_options group;
    struct leat_job jobs[3];
    struct leat_job_info info;
};

static struct leat_outcome
handler(struct leat_run *run, void *context)
{
    (void)context;
    CHECK_OK(leat_run_result(run, "0123456789abcdef", 16));
    return leat_done();
}

static void
world_open(struct world *world)
{
    world->config.log_directory = world->directory;
    world->engine = test_open(&world->config);
    world->type = test_register(world->engine, "work", handler, NULL);
}

static void
world_restart(struct world *world)
{
    test_close(world->engine);
    world_open(world);
}

static struct world *
world_make(uint64_t log_bytes_max)
{
    struct world *world = calloc(1, sizeof(*world));
    CHECK(world != NULL);
    strcpy(world->directory, "unit_durable_size.XXXXXX");
    CHECK(mkdtemp(world->directory) != NULL);
    world->config = test_config();
    world->config.workers = 0;
    world->config.log_segment_bytes = SEGMENT;
    world->config.log_ring_bytes = SEGMENT / 4;
    world->config.log_bytes_max = log_bytes_max;
    world->config.payload_bytes_max = 4096;
    world->config.jobs_max = JOBS_MAX;
    world->info = leat_job_info_default();
    world->os = leat_job_options_default();
    world->group = leat_job_options_default();
    world->os.durability = LEAT_DURABILITY_OS;
    world->group.durability = LEAT_DURABILITY_GROUP;
    world_open(world);
    return world;
}

static void
world_free(struct world *world)
{
    test_close(world->engine);
    test_directory_remove(world->directory);
    free(world);
}

static enum leat_status
submit_as(struct world *world, const struct leat_job_options *options, leat_job_id *id)
{
    struct leat_job job = leat_job_default();
    job.type = world->type;
    job.payload = world->payload;
    job.payload_bytes = sizeof(world->payload);
    job.delay_ns = 100 * MINUTE_NS;
    job.options = options;
    return leat_submit(world->engine, &job, id);
}

static struct leat_recovery_info
found(struct world *world)
{
    struct leat_recovery_info info = leat_recovery_info_default();
    CHECK_OK(leat_recovery_get(world->engine, &info));
    return info;
}

static struct leat_health
health(struct world *world)
{
    struct leat_health found_now = leat_health_default();
    CHECK_OK(leat_health_get(world->engine, &found_now));
    return found_now;
}

/* ---- durability ------------------------------------------------------------------------------ */

static enum leat_durability
durability_of(struct world *world, leat_job_id id)
{
    CHECK_OK(leat_get(world->engine, id, &world->info));
    return world->info.durability;
}

/* Syncs so far, of records. */
static uint64_t
durable_now(struct world *world)
{
    return leat_wal_durable(&world->engine->durable->wal);
}

static uint64_t
appended_now(struct world *world)
{
    return atom_load_rlx(&world->engine->durable->wal.ring.tail);
}

/* Without the log's threads whoever waits writes, and syncs if it has to. */
static void
os_is_written_and_not_synced(void **state)
{
    struct world *world = world_make(0);
    (void)state;
    leat_durable_clean_stop(world->engine->durable);
    CHECK_OK(leat_wal_stop(&world->engine->durable->wal));
    uint64_t before = durable_now(world);
    leat_job_id first;
    CHECK_OK(submit_as(world, &world->os, &first));
    leat_job_id cancelled;
    CHECK_OK(submit_as(world, &world->os, &cancelled));
    CHECK_OK(leat_cancel(world->engine, cancelled));
    for (uint32_t i = 0; i < TEST_COUNT_OF(world->jobs); i++) {
        world->jobs[i] = leat_job_default();
        world->jobs[i].type = world->type;
        world->jobs[i].options = &world->os;
    }
    CHECK_OK(leat_submit_batch(world->engine, world->jobs, 3, LEAT_BATCH_ALL_OR_NONE, NULL, NULL));
    CHECK(durable_now(world) == before);
    CHECK(leat_wal_is_written(&world->engine->durable->wal, appended_now(world)));
    CHECK(durability_of(world, first) == LEAT_DURABILITY_OS);
    leat_job_id synced;
    CHECK_OK(submit_as(world, &world->group, &synced));
    CHECK(durable_now(world) == appended_now(world));
    CHECK(durability_of(world, synced) == LEAT_DURABILITY_GROUP);
    CHECK_OK(leat_cancel(world->engine, first)); /* as it was submitted */
    before = durable_now(world);
    CHECK(before != appended_now(world));
    CHECK_OK(leat_cancel(world->engine, synced));
    CHECK(durable_now(world) == appended_now(world));
    world->jobs[1].options = &world->group; /* the batch is as safe as that */
    CHECK_OK(leat_submit_batch(world->engine, world->jobs, 3, LEAT_BATCH_ALL_OR_NONE, NULL, NULL));
    CHECK(durable_now(world) == appended_now(world));
    leat_job_id last;
    CHECK_OK(submit_as(world, &world->os, &last));
    world_restart(world);
    CHECK(found(world).jobs == 7);
    CHECK(durability_of(world, last) == LEAT_DURABILITY_OS);
    world_free(world);
}

static void
an_engine_says_its_durability(void **state)
{
    struct world *world = world_make(0);
    (void)state;
    CHECK(health(world).durability == LEAT_DURABILITY_GROUP);
    world->config.durability = LEAT_DURABILITY_OS;
    world_restart(world);
    CHECK(health(world).durability == LEAT_DURABILITY_OS);
    leat_job_id id;
    CHECK_OK(submit_as(world, NULL, &id));
    CHECK(durability_of(world, id) == LEAT_DURABILITY_OS);
    world->config.durability = LEAT_DURABILITY_NONE;
    world_restart(world);
    CHECK(health(world).durability == LEAT_DURABILITY_NONE);
    CHECK(health(world).log_bytes >= world->config.log_segment_bytes);
    CHECK(durability_of(world, id) == LEAT_DURABILITY_OS); /* it stays so */
    CHECK_OK(submit_as(world, NULL, &id));
    CHECK(durability_of(world, id) == LEAT_DURABILITY_NONE);
    world_free(world);
}

/* ---- size ------------------------------------------------------------------------------------ */

/* Twice its live bytes, and so many segments: docs/design/0037. */
#define BOUND_SEGMENTS 10

static void
changes_do_not_make_it_grow(void **state)
{
    struct world *world = world_make(0);
    leat_job_id ids[4];
    uint64_t most = 0;
    (void)state;
    for (uint32_t i = 0; i < TEST_COUNT_OF(ids); i++) {
        CHECK_OK(submit_as(world, NULL, &ids[i]));
    }
    uint64_t live = health(world).log_live_bytes;
    CHECK(live > TEST_COUNT_OF(ids) * sizeof(world->payload));
    for (uint32_t i = 0; i < 2000; i++) {
        const struct leat_when when = {.delay_ns = MINUTE_NS + i};
        CHECK_OK(leat_reschedule(world->engine, ids[i % TEST_COUNT_OF(ids)], when));
        uint64_t bytes = health(world).log_bytes;
        most = bytes > most ? bytes : most;
    }
    CHECK(leat_wal_laid(&world->engine->durable->wal) > SEGMENT * 2 * BOUND_SEGMENTS);
    CHECK(most <= 2 * live + BOUND_SEGMENTS * SEGMENT);
    CHECK(health(world).log_live_bytes == live);
    world_restart(world);
    CHECK(found(world).jobs == TEST_COUNT_OF(ids));
    CHECK(health(world).log_live_bytes == live);
    world_free(world);
}

/* Errors and results stand in the log, too, as long as their job does. */
static void
what_ended_and_stays_is_counted(void **state)
{
    struct world *world = world_make(0);
    leat_job_id id;
    (void)state;
    CHECK_OK(submit_as(world, NULL, &id));
    uint64_t live = health(world).log_live_bytes;
    CHECK_OK(leat_cancel(world->engine, id));
    CHECK(health(world).log_live_bytes == 0);
    struct leat_job job = leat_job_default();
    job.type = world->type;
    job.flags = LEAT_JOB_KEEP_RESULT;
    job.payload = world->payload;
    job.payload_bytes = sizeof(world->payload);
    CHECK_OK(leat_submit(world->engine, &job, &id));
    CHECK_OK(leat_start(world->engine));
    size_t ran = 0;
    while (leat_run_some(world->engine, 100, &ran) == LEAT_OK) {
    }
    CHECK(health(world).log_live_bytes >= live + 16);
    live = health(world).log_live_bytes;
    world_restart(world);
    CHECK(health(world).log_live_bytes == live);
    CHECK_OK(leat_release(world->engine, id));
    CHECK(health(world).log_live_bytes == 0);
    world_free(world);
}

/* Submits until there is no space, and that is what it stays. */
static void
fill(struct world *world)
{
    uint32_t refused = 0;
    for (uint32_t tries = 0; refused < 5 && tries < JOBS_MAX; tries++) {
        enum leat_status status = submit_as(world, NULL, &world->ids[world->count]);
        CHECK(health(world).log_bytes <= world->config.log_bytes_max);
        world->count += status == LEAT_OK ? 1 : 0;
        refused = status == LEAT_OK ? 0 : refused + 1;
        if (status != LEAT_OK) {
            CHECK_STATUS(status, LEAT_NO_SPACE);
            test_sleep_ns(60 * TEST_MS); /* the cleaner may find some */
        }
    }
    CHECK(refused == 5);
}

static void
changes_are_in_memory_only_without_space(void **state)
{
    struct world *world = world_make(10 * SEGMENT);
    const struct leat_when soon = {.delay_ns = MINUTE_NS};
    (void)state;
    CHECK_OK(leat_start(world->engine));
    fill(world);
    /* Its threads would find room. */
    leat_durable_clean_stop(world->engine->durable);
    CHECK_OK(leat_wal_stop(&world->engine->durable->wal));
    atom_store_rlx(&world->engine->durable->wal.full, 1);
    uint64_t lost = health(world).log_unwritten;
    CHECK(health(world).reasons == LEAT_HEALTH_LOG_FULL);
    CHECK_STATUS(leat_reschedule(world->engine, world->ids[0], soon), LEAT_NO_SPACE);
    CHECK(health(world).log_unwritten == lost + 1);
    CHECK(test_get(world->engine, world->ids[0]).due_in_ns <= MINUTE_NS);
    CHECK_OK(leat_cancel(world->engine, world->ids[1]));
    uint32_t count = world->count;
    world_restart(world);
    CHECK(found(world).jobs == count - 1);
    world_free(world);
}

/* What a job asks for is taken, and is worth nothing. */
static void
without_a_log_nothing_is_durable(void **state)
{
    struct world *world = world_make(0);
    struct leat_recovery_info info = leat_recovery_info_default();
    (void)state;
    test_close(world->engine);
    struct leat_config config = world->config;
    world->config.log_directory = NULL;
    world->engine = test_open(&world->config);
    world->type = test_register(world->engine, "work", handler, NULL);
    leat_job_id id;
    CHECK_OK(submit_as(world, &world->group, &id));
    CHECK(durability_of(world, id) == LEAT_DURABILITY_NONE);
    CHECK(health(world).durability == LEAT_DURABILITY_NONE);
    CHECK_STATUS(leat_recovery_get(world->engine, &info), LEAT_WRONG_STATE);
    test_close(world->engine);
    world->config = config;
    world_open(world);
    CHECK(found(world).jobs == 0);
    world_free(world);
}

/* Each open begins a segment, and a process that crashes at once does not come to let one go. The
 * next open returns when the log is within its bound; below that it does not wait. */
static void
crashes_do_not_make_it_grow(void **state)
{
    struct world *world = world_make(0);
    struct leat_wal *wal = NULL;
    leat_job_id id;
    (void)state;
    CHECK_OK(submit_as(world, NULL, &id));
    const uint64_t live = health(world).log_live_bytes;
    for (uint32_t i = 0; i < 12; i++) {
        /* Crashed: no cleaner has been there. */
        leat_durable_clean_stop(world->engine->durable);
        CHECK_OK(leat_wal_stop(&world->engine->durable->wal));
        world_restart(world);
        wal = &world->engine->durable->wal;
        CHECK(leat_wal_bytes(wal) <= 2 * live + 4 * SEGMENT);
        CHECK_OK(leat_get(world->engine, id, &world->info));
    }
    world_free(world);
}

/* Nor for a cleaner that cannot help. */
static void
an_open_waits_for_no_cleaner_in_vain(void **state)
{
    struct world *world = world_make(0);
    struct leat_durable *durable = world->engine->durable;
    (void)state;
    leat_durable_clean_stop(durable);
    atom_store_rlx(&durable->pace.bound, 0);
    leat_durable_pace_set(durable, true, false);
    CHECK_EQUAL(atom_load_rlx(&durable->pace.bound), 1);
    leat_durable_pace_bound(durable);
    leat_durable_pace_end(durable);
    world_free(world);
}

/* ---- who waits for the cleaner --------------------------------------------------------------- */

struct submitter {
    struct world *world;
    leat_atomic_u32 done;
};

static void *
submitter_run(void *argument)
{
    struct submitter *submitter = argument;
    CHECK_OK(submit_as(submitter->world, &submitter->world->os, NULL));
    atom_store_rel(&submitter->done, 1);
    return NULL;
}

/* Without a cleaner there is no limit; here it is one that nobody raises, until the test does. */
static void
who_appends_waits_for_the_cleaner(void **state)
{
    struct world *world = world_make(0);
    struct leat_durable *durable = world->engine->durable;
    struct submitter submitter = {world, 0};
    pthread_t thread;
    (void)state;
    leat_durable_clean_stop(durable);
    CHECK_OK(submit_as(world, &world->os, NULL));
    CHECK(leat_wal_laid(&durable->wal) > atom_load_rlx(&durable->pace.copied));
    atom_store_rel(&durable->pace.limit, 0);
    CHECK(pthread_create(&thread, NULL, submitter_run, &submitter) == 0);
    test_sleep_ns(50 * TEST_MS);
    CHECK_EQUAL(atom_load_acq(&submitter.done), 0);
    leat_durable_pace_end(durable);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK_EQUAL(atom_load_acq(&submitter.done), 1);
    world_free(world);
}

static struct leat_job
keyed_job(struct world *world)
{
    world->group.unique_key = "k";
    world->group.unique_key_bytes = 1;
    world->group.unique_conflict = LEAT_UNIQUE_REPLACE;
    struct leat_job job = leat_job_default();
    job.type = world->type;
    job.delay_ns = 100 * MINUTE_NS;
    job.options = &world->group;
    return job;
}

static void *
replacer_run(void *argument)
{
    struct submitter *submitter = argument;
    const struct leat_job job = keyed_job(submitter->world);
    CHECK_OK(leat_submit(submitter->world->engine, &job, NULL));
    atom_store_rel(&submitter->done, 1);
    return NULL;
}

static void *
batch_run(void *argument)
{
    struct submitter *submitter = argument;
    struct world *world = submitter->world;
    for (uint32_t i = 0; i < 2; i++) {
        world->jobs[i] = leat_job_default();
        world->jobs[i].type = world->type;
    }
    CHECK_OK(leat_submit_batch(world->engine, world->jobs, 2, LEAT_BATCH_ALL_OR_NONE, NULL, NULL));
    atom_store_rel(&submitter->done, 1);
    return NULL;
}

/* The log comes to its limit by a job that ends others, or by its batch. The cleaner may wait for
 * that job, so nothing of its submit waits for the cleaner. */
static void
ends_others_in_time(struct world *world, void *(*run)(void *), uint64_t jobs)
{
    struct leat_durable *durable = world->engine->durable;
    struct submitter submitter = {world, 0};
    pthread_t thread;
    leat_durable_clean_stop(durable);
    uint64_t laid = leat_wal_laid(&durable->wal) - atom_load_rlx(&durable->pace.copied);
    atom_store_rel(&durable->pace.limit, laid + 1);
    CHECK(pthread_create(&thread, NULL, run, &submitter) == 0);
    for (uint32_t i = 0; i < 1000 && atom_load_acq(&submitter.done) == 0; i++) {
        test_sleep_ns(10 * TEST_MS);
    }
    bool in_time = atom_load_acq(&submitter.done) != 0;
    leat_durable_pace_end(durable);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(in_time);
    world_restart(world);
    CHECK(found(world).jobs == jobs);
    world_free(world);
}

static void
who_replaces_waits_for_no_cleaner(void **state)
{
    struct world *world = world_make(0);
    const struct leat_job job = keyed_job(world);
    (void)state;
    CHECK_OK(leat_submit(world->engine, &job, NULL));
    ends_others_in_time(world, replacer_run, 1);
}

static void
a_batch_that_drops_waits_for_no_cleaner(void **state)
{
    struct world *world = world_make(0);
    struct submitter submitter = {world, 0};
    leat_queue queue;
    (void)state;
    struct leat_queue_limits limits = leat_queue_limits_default();
    limits.waiting_max = 3;
    limits.full = LEAT_FULL_DROP_OLDEST;
    CHECK_OK(leat_queue_find(world->engine, "default", &queue));
    CHECK_OK(leat_queue_set_limits(world->engine, queue, &limits));
    (void)batch_run(&submitter);
    ends_others_in_time(world, batch_run, 3);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(os_is_written_and_not_synced),
        cmocka_unit_test(an_engine_says_its_durability),
        cmocka_unit_test(changes_do_not_make_it_grow),
        cmocka_unit_test(without_a_log_nothing_is_durable),
        cmocka_unit_test(crashes_do_not_make_it_grow),
        cmocka_unit_test(an_open_waits_for_no_cleaner_in_vain),
        cmocka_unit_test(who_appends_waits_for_the_cleaner),
        cmocka_unit_test(who_replaces_waits_for_no_cleaner),
        cmocka_unit_test(a_batch_that_drops_waits_for_no_cleaner),
        cmocka_unit_test(what_ended_and_stays_is_counted),
        cmocka_unit_test(changes_are_in_memory_only_without_space),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
