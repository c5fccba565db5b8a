/* unit_durable_limits.c - durable jobs: a log that has failed, is full, or too small, and what
 * health says of it. */
#include "tests/unit/durable_body.h"

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

static void
a_directory_must_be_there(void **state)
{
    struct leat_config config = test_config();
    struct leat_engine *engine = NULL;
    struct leat_error error;
    (void)state;
    config.log_directory = "unit_durable.none";
    CHECK_STATUS(leat_open(&config, &engine, &error), LEAT_NOT_FOUND);
    CHECK(engine == NULL);
    CHECK_TEXT(error.field, "log_directory");
    CHECK(strstr(error.text, "no such directory: unit_durable.none") != NULL);
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
        cmocka_unit_test(a_directory_must_be_there),
        cmocka_unit_test(a_job_fits_half_of_the_ring),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
