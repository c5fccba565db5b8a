/* unit_transit_log.c - what the log asks of submits that do not wait for the disk: near the bound
 * of its size they are refused, and the log's thread does not wait for the cleaner; those of
 * LEAT_DURABILITY_OS are told when they are written; sealed records; and a sync that fails while
 * the log's thread waits for it. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>

#include "tests/unit/transit_body.h"

/* ---- the log's bound ------------------------------------------------------------------------- */

/* So many bytes may be laid from now on. */
static void
bound_set(struct world *world, uint64_t left)
{
    struct leat_durable *durable = world->engine->durable;
    uint64_t laid = leat_wal_laid(&durable->wal);
    atom_store_rel(&durable->pace.asked, 0);
    atom_store_rel(&durable->pace.limit, laid + left - atom_load_rlx(&durable->pace.copied));
}

/* Nobody raises the limit, but the test. */
static void
near_the_bound_it_is_refused(void **state)
{
    struct world *world = world_make(8);
    struct leat_durable *durable = world->engine->durable;
    leat_job_id id = {77};
    (void)state;
    leat_durable_clean_stop(durable);
    log_rest(world);
    bound_set(world, 2);
    (void)submit(world, NULL);
    bound_set(world, 1);
    (void)submit(world, NULL);
    uint64_t live = atom_load_rlx(&durable->live_bytes);
    uint64_t tail = atom_load_rlx(&durable->wal.ring.tail);
    bound_set(world, 0);
    CHECK_STATUS(try_submit(world, NULL, &id), LEAT_FULL);
    CHECK_EQUAL(id.bits, 77);
    CHECK_EQUAL(atom_load_rlx(&durable->pace.asked), 1); /* the cleaner was told */
    CHECK_EQUAL(atom_load_rlx(&durable->live_bytes), live);
    CHECK_EQUAL(atom_load_rlx(&durable->wal.ring.tail), tail);
    log_land(world); /* which does not wait */
    (void)take_acknowledgement(world, LEAT_OK, NULL);
    (void)take_acknowledgement(world, LEAT_OK, NULL);
    take_none(world);
    atom_store_rlx(&durable->wal.failed, 1);
    CHECK_STATUS(try_submit(world, NULL, &id), LEAT_LOG_FAILED); /* nor will it ever go on */
    atom_store_rlx(&durable->wal.failed, 0);
    leat_durable_pace_end(durable);
    (void)submit(world, NULL);
    log_land(world);
    (void)take_acknowledgement(world, LEAT_OK, NULL);
    CHECK_EQUAL(test_statistics(world->engine).jobs_waiting, 3);
    world_free(world);
}

/* What it has to append for those that it takes in, it does: the cleaner may wait for them. */
static void
the_logs_thread_does_not_wait_for_the_cleaner(void **state)
{
    struct world *world = world_make(8);
    struct pollfd look = {.events = POLLIN};
    (void)state;
    CHECK_OK(leat_completion_queue_descriptor(world->queue, &look.fd));
    leat_durable_clean_stop(world->engine->durable);
    world->options.unique_key = "k";
    world->options.unique_key_bytes = 1;
    world->options.unique_conflict = LEAT_UNIQUE_REPLACE;
    for (uint32_t i = 0; i < 2; i++) {
        while (!leat_wal_role_take(&log_of(world)->role)) {
            (void)usleep(100);
        }
        (void)submit(world, NULL);
        if (i == 1) { /* its claim ends the first one */
            bound_set(world, 0);
        }
        leat_wal_role_give(&log_of(world)->role, true);
        CHECK_EQUAL(poll(&look, 1, 10000), 1);
        (void)take_acknowledgement(world, LEAT_OK, NULL);
        take_none(world);
    }
    leat_durable_pace_end(world->engine->durable);
    world_close(world);
    world_open(world, 1);
    CHECK_EQUAL(jobs_found(world), 1);
    world_free(world);
}

/* ---- durability os --------------------------------------------------------------------------- */

static uint64_t
tail_of(struct world *world)
{
    return atom_load_rlx(&log_of(world)->ring.tail);
}

/* In an engine that writes only, and beside one that is to be synced. */
static void
os_is_told_when_it_is_written(void **state)
{
    struct world *world = world_make(8);
    char tags[4];
    (void)state;
    world_close(world);
    world->config.durability = LEAT_DURABILITY_OS;
    world_open(world, 8);
    log_rest(world);
    uint64_t durable = leat_wal_durable(log_of(world));
    (void)submit(world, &tags[0]);
    world->options.name = "one";
    (void)submit(world, &tags[1]);
    take_none(world);
    log_land(world);
    (void)take_acknowledgement(world, LEAT_OK, &tags[0]);
    (void)take_acknowledgement(world, LEAT_OK, &tags[1]);
    CHECK_EQUAL(leat_wal_durable(log_of(world)), durable);
    CHECK(leat_wal_is_written(log_of(world), tail_of(world)));
    world->options.durability = LEAT_DURABILITY_GROUP;
    world->options.name = NULL;
    (void)submit(world, &tags[2]);
    log_land(world);
    (void)take_acknowledgement(world, LEAT_OK, &tags[2]);
    CHECK(leat_wal_is_durable(log_of(world), tail_of(world)));
    world->options.name = "two";
    (void)submit(world, &tags[3]);
    log_land(world);
    (void)take_acknowledgement(world, LEAT_OK, &tags[3]);
    CHECK(leat_wal_is_durable(log_of(world), tail_of(world)));
    world_close(world);
    world_open(world, 1);
    CHECK_EQUAL(jobs_found(world), 4);
    world_free(world);
}

/* Where the engine's jobs are synced, but whoever writes does not. */
static void
os_does_not_wait_for_a_sync(void **state)
{
    struct world *world = world_make(8);
    struct leat_job_options os = leat_job_options_default();
    struct leat_job job = leat_job_default();
    char tags[2];
    (void)state;
    log_rest(world);
    (void)submit(world, &tags[0]);
    world->options.durability = LEAT_DURABILITY_OS;
    (void)submit(world, &tags[1]);
    CHECK(leat_wal_role_take(&log_of(world)->role)); /* nobody asks for those in flight yet */
    uint64_t durable = leat_wal_durable(log_of(world));
    leat_wal_role_give(&log_of(world)->role, false);
    os.durability = LEAT_DURABILITY_OS;
    job.type = world->type;
    job.options = &os;
    CHECK_OK(leat_submit(world->engine, &job, NULL));
    leat_durable_landed(world->engine->durable);
    (void)take_acknowledgement(world, LEAT_OK, &tags[1]); /* which passes by the other one */
    (void)take_acknowledgement(world, LEAT_OK, &tags[0]); /* that had it synced */
    CHECK(leat_wal_durable(log_of(world)) != durable);
    durable = leat_wal_durable(log_of(world));
    (void)submit(world, &tags[1]);
    CHECK_OK(leat_submit(world->engine, &job, NULL));
    leat_durable_landed(world->engine->durable);
    (void)take_acknowledgement(world, LEAT_OK, &tags[1]);
    CHECK_EQUAL(leat_wal_durable(log_of(world)), durable);
    world_free(world);
}

struct lander {
    struct world *world;
    leat_atomic_u32 stop;
};

static void *
lander_run(void *argument)
{
    struct lander *lander = argument;
    while (atom_load_acq(&lander->stop) == 0) {
        leat_durable_landed(lander->world->engine->durable);
        (void)usleep(100);
    }
    return NULL;
}

/* A batch waits for what its jobs ask for. Its caller writes, and another thread takes in. */
static void
a_batch_of_each_waits_as_its_jobs_do(void **state)
{
    struct world *world = world_make(8);
    struct lander lander = {world, 0};
    struct leat_job_options os = leat_job_options_default();
    struct leat_job jobs[3];
    pthread_t thread;
    (void)state;
    os.durability = LEAT_DURABILITY_OS;
    for (uint32_t i = 0; i < TEST_COUNT_OF(jobs); i++) {
        jobs[i] = leat_job_default();
        jobs[i].type = world->type;
        jobs[i].options = &os;
    }
    log_rest(world);
    CHECK(pthread_create(&thread, NULL, lander_run, &lander) == 0);
    uint64_t durable = leat_wal_durable(log_of(world));
    CHECK_OK(leat_submit_batch(world->engine, jobs, 3, LEAT_BATCH_EACH, NULL, NULL));
    CHECK_EQUAL(leat_wal_durable(log_of(world)), durable);
    jobs[1].options = NULL;
    CHECK_OK(leat_submit_batch(world->engine, jobs, 3, LEAT_BATCH_EACH, NULL, NULL));
    CHECK(leat_wal_is_durable(log_of(world), tail_of(world)));
    atom_store_rel(&lander.stop, 1);
    CHECK(pthread_join(thread, NULL) == 0);
    world_free(world);
}

/* ---- sealed ---------------------------------------------------------------------------------- */

static bool
key_of(void *context, uint32_t number, unsigned char key[LEAT_LOG_KEY_BYTES])
{
    (void)context;
    memset(key, 7, LEAT_LOG_KEY_BYTES);
    return number == 0;
}

/* Compressed, encrypted: those that are refused leave nothing, and the others come back. */
static void
sealed_records_fly(void **state)
{
    static char payload[8192];
    struct world *world = world_make(1024);
    struct leat_engine *engine = NULL;
    uint32_t taken = 0;
    (void)state;
    world_close(world);
    test_directory_empty(world->directory);
    world->config.log_key = key_of;
    if (leat_open(&world->config, &engine, NULL) == LEAT_UNSUPPORTED) {
        world->config.log_key = NULL; /* the build has no cryptography */
    } else {
        test_close(engine);
    }
    world_open(world, 1024);
    log_rest(world);
    world->job.payload = payload;
    world->job.payload_bytes = sizeof(payload);
    leat_job_id id = {77};
    enum leat_status status = LEAT_OK;
    while (status == LEAT_OK) {
        status = try_submit(world, NULL, &id);
        taken += status == LEAT_OK ? 1 : 0;
    }
    CHECK_STATUS(status, LEAT_FULL);
    CHECK(taken > 28 && taken < 32);
    while (atom_load_rlx(&world->engine->durable->flying) != 0) {
        log_land(world);
    }
    for (uint32_t i = 0; i < taken; i++) {
        (void)take_acknowledgement(world, LEAT_OK, NULL);
    }
    take_none(world);
    world_close(world);
    world_open(world, 1);
    CHECK_EQUAL(jobs_found(world), taken);
    CHECK_EQUAL(test_get(world->engine, id).payload_bytes, sizeof(payload));
    world_free(world);
}

/* ---- a log that fails ------------------------------------------------------------------------ */

static int
no_sync(void *disk, int file)
{
    (void)disk;
    (void)file;
    return -EIO;
}

/* A claim is told behind one more wait, for a record that who appended it writes, which fails. */
static void
a_failure_wakes_the_logs_thread(void **state)
{
    struct world *world = world_make(8);
    struct leat_wal *wal = log_of(world);
    struct leat_wal_files files = *wal->config.files;
    const uint64_t nobody = UINT64_C(3) << 26;
    uint64_t position = 0;
    struct pollfd look = {.events = POLLIN};
    (void)state;
    CHECK_OK(leat_completion_queue_descriptor(world->queue, &look.fd));
    files.sync = no_sync;
    world->options.name = "n";
    while (!leat_wal_role_take(&wal->role)) {
        (void)usleep(100);
    }
    (void)submit(world, NULL);
    CHECK(leat_bytes_reserve(&wal->ring, leat_bytes_size(sizeof(nobody)), &position));
    leat_wal_role_give(&wal->role, true);
    (void)usleep(50000);
    while (!leat_wal_role_take(&wal->role)) {
        (void)usleep(100);
    }
    wal->config.files = &files;
    leat_wal_role_give(&wal->role, false);
    take_none(world);
    leat_bytes_copy(&wal->ring, position, 0, &nobody, sizeof(nobody));
    leat_bytes_publish(&wal->ring, position, leat_bytes_word(sizeof(nobody), LEAT_DURABLE_END));
    CHECK_STATUS(leat_wal_wait(wal, position + leat_bytes_size(sizeof(nobody)), UINT64_MAX),
                 LEAT_LOG_FAILED);
    CHECK_EQUAL(poll(&look, 1, 10000), 1);
    (void)take_acknowledgement(world, LEAT_LOG_FAILED, NULL);
    world_free(world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(near_the_bound_it_is_refused),
        cmocka_unit_test(the_logs_thread_does_not_wait_for_the_cleaner),
        cmocka_unit_test(os_is_told_when_it_is_written),
        cmocka_unit_test(os_does_not_wait_for_a_sync),
        cmocka_unit_test(a_batch_of_each_waits_as_its_jobs_do),
        cmocka_unit_test(sealed_records_fly),
        cmocka_unit_test(a_failure_wakes_the_logs_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
