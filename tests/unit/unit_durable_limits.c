/* unit_durable_limits.c - durable jobs: a log that has failed, is full, or too small, and what
 * health says of it. */
#include "tests/unit/durable_body.h"

<<<<<<< HEAD:tests/unit/unit_durable_limits.c
=======
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
    struct world *world = world_make();
    static struct leat_job jobs[3];
    (void)state;
    static struct leat_job_options os;
    static struct leat_job_options group;
    os = leat_job_options_default();
    group = leat_job_options_default();
    os.durability = LEAT_DURABILITY_OS;
    group.durability = LEAT_DURABILITY_GROUP;
    leat_durable_clean_stop(world->engine->durable);
    CHECK_OK(leat_wal_stop(&world->engine->durable->wal));
    uint64_t before = durable_now(world);
    leat_job_id first = submit(world, "one", &os, 0);
    leat_job_id cancelled = submit(world, "two", &os, 0);
    CHECK_OK(leat_cancel(world->engine, cancelled));
    for (uint32_t i = 0; i < TEST_COUNT_OF(jobs); i++) {
        jobs[i] = leat_job_default();
        jobs[i].type = world->type;
        jobs[i].options = &os;
    }
    CHECK_OK(leat_submit_batch(world->engine, jobs, 3, LEAT_BATCH_ALL_OR_NONE, NULL, NULL));
    CHECK(durable_now(world) == before);
    CHECK(leat_wal_is_written(&world->engine->durable->wal, appended_now(world)));
    CHECK(test_get(world->engine, first).durability == LEAT_DURABILITY_OS);
    leat_job_id synced = submit(world, "three", &group, 0);
    CHECK(durable_now(world) == appended_now(world));
    CHECK(test_get(world->engine, synced).durability == LEAT_DURABILITY_GROUP);
    CHECK_OK(leat_cancel(world->engine, first)); /* as it was submitted */
    before = durable_now(world);
    CHECK(before != appended_now(world));
    CHECK_OK(leat_cancel(world->engine, synced));
    CHECK(durable_now(world) == appended_now(world));
    jobs[1].options = &group; /* the batch is as safe as that */
    CHECK_OK(leat_submit_batch(world->engine, jobs, 3, LEAT_BATCH_ALL_OR_NONE, NULL, NULL));
    CHECK(durable_now(world) == appended_now(world));
    leat_job_id last = submit(world, "four", &os, 0);
    world_crash(world);
    CHECK(found(world).jobs == 7);
    CHECK(test_get(world->engine, last).durability == LEAT_DURABILITY_OS);
    world_free(world);
}

>>>>>>> main:tests/unit/unit_durable_modes.c
static struct leat_health
health(struct world *world)
{
    struct leat_health found_now = leat_health_default();
    CHECK_OK(leat_health_get(world->engine, &found_now));
    return found_now;
}

static void
a_log_that_failed_acknowledges_nothing(void **state)
{
    struct world *world = world_make();
    (void)state;
    leat_job_id id = submit(world, "before", NULL, 0);
    leat_job_id other = submit(world, "cancelled", NULL, 0);
    struct leat_job job = leat_job_default();
    job.type = world->type;
    CHECK_OK(leat_start(world->engine));
    CHECK(health(world).reasons == 0);
    atom_store_rlx(&world->engine->durable->wal.failed, 1);
    CHECK_STATUS(leat_submit(world->engine, &job, NULL), LEAT_LOG_FAILED);
    CHECK_STATUS(leat_cancel(world->engine, other), LEAT_LOG_FAILED);
    CHECK(test_get(world->engine, other).state == LEAT_JOB_CANCELLED);
    CHECK(health(world).state == LEAT_HEALTH_FAILED);
    CHECK(health(world).reasons == LEAT_HEALTH_LOG_FAILED);
    run_all(world);
    CHECK(world->runs == 1);
    CHECK(test_get(world->engine, id).state == LEAT_JOB_COMPLETED);
    world_free(world);
}

static void
a_full_disk_takes_no_jobs_in(void **state)
{
    struct world *world = world_make();
    (void)state;
    leat_job_id id = submit(world, "before", NULL, 0);
    struct leat_job job = leat_job_default();
    job.type = world->type;
    CHECK_OK(leat_start(world->engine));
    /* Its threads would find room again. */
    CHECK_OK(leat_wal_stop(&world->engine->durable->wal));
    atom_store_rlx(&world->engine->durable->wal.full, 1);
    CHECK_STATUS(leat_submit(world->engine, &job, NULL), LEAT_NO_SPACE);
    CHECK(health(world).state == LEAT_HEALTH_DEGRADED);
    CHECK(health(world).reasons == LEAT_HEALTH_LOG_FULL);
    CHECK_OK(leat_cancel(world->engine, id));
    atom_store_rlx(&world->engine->durable->wal.full, 0);
    CHECK_OK(leat_submit(world->engine, &job, NULL));
    world_restart(world);
    CHECK(found(world).jobs == 1);
    world_free(world);
}

/* Half of the ring is what a unit may take. */
static void
a_job_fits_half_of_the_ring(void **state)
{
    static char payload[65536];
    struct world *world = world_make();
    uint64_t least = 1;
    uint64_t most = sizeof(payload);
    uint64_t jobs = 0;
    (void)state;
    test_close(world->engine);
    world->config.log_ring_bytes = 65536;
    world->config.payload_bytes_max = sizeof(payload);
    world_open(world);
    struct leat_job job = leat_job_default();
    job.type = world->type;
    job.payload = payload;
    while (most - least > 1) {
        leat_job_id id;
        job.payload_bytes = (least + most) / 2;
        enum leat_status status = leat_submit(world->engine, &job, &id);
        CHECK(status == LEAT_OK || status == LEAT_INVALID);
        jobs += status == LEAT_OK ? 1 : 0;
        least = status == LEAT_OK ? job.payload_bytes : least;
        most = status == LEAT_OK ? most : job.payload_bytes;
    }
    CHECK(least > 32768 - 400 && least < 32768);
    world_restart(world);
    CHECK(found(world).jobs == jobs); /* those that were refused left nothing */
    world_free(world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_log_that_failed_acknowledges_nothing),
        cmocka_unit_test(a_full_disk_takes_no_jobs_in),
        cmocka_unit_test(a_job_fits_half_of_the_ring),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
