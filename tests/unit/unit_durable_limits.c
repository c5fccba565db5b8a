/* unit_durable_limits.c - durable jobs: a log that has failed, is full, or too small, and what
 * health says of it; what a unit of it may take, at its limit, above and far above; and jobs at
 * which as many look as can while the cleaner comes to them. */
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

/* ---- units ----------------------------------------------------------------------------------- */

#define RING  UINT64_C(65536)
#define UNIT  (RING / 2)
#define PLAIN 16000 /* bytes of the first job's payload */
#define MANY  40

enum kind { KIND_BATCH, KIND_CHAIN, KIND_COUNT };

static char unit_payload[UNIT];

/* Of jobs with so many bytes; the last one with those of `last`. */
static enum leat_status
unit_submit(struct world *world, enum kind kind, uint32_t count, size_t last)
{
    static struct leat_job jobs[MANY];
    leat_job_id ids[MANY] = {{7}};
    for (uint32_t i = 0; i < count; i++) {
        jobs[i] = leat_job_default();
        jobs[i].type = world->type;
        jobs[i].payload = unit_payload;
        jobs[i].payload_bytes = i + 1 == count ? last : PLAIN;
    }
    enum leat_status status =
        kind == KIND_BATCH
            ? leat_submit_batch(world->engine, jobs, count, LEAT_BATCH_ALL_OR_NONE, ids, NULL)
            : leat_submit_chain(world->engine, jobs, count, ids);
    CHECK(status == LEAT_OK || ids[0].bits == 7);
    return status;
}

static uint64_t
appended(const struct world *world)
{
    return atom_load_rlx(&world->engine->durable->wal.ring.tail);
}

/* What must not change by a submit that is refused. */
struct before {
    uint64_t appended;
    uint64_t live;
    uint64_t waiting;
};

static struct before
before_of(struct world *world)
{
    const struct leat_statistics now = test_statistics(world->engine);
    return (struct before){appended(world), health(world).log_live_bytes,
                           now.jobs_waiting + now.jobs_blocked};
}

static void
unit_refused(struct world *world, enum kind kind, uint32_t count, size_t last)
{
    const struct before before = before_of(world);
    CHECK_STATUS(unit_submit(world, kind, count, last), LEAT_INVALID);
    const struct before after = before_of(world);
    CHECK_EQUAL(after.appended, before.appended);
    CHECK_EQUAL(after.live, before.live);
    CHECK_EQUAL(after.waiting, before.waiting);
}

/* A unit of exactly half of the ring is taken, one with a byte more is not, nor one that is far
 * larger than the ring: and that changes nothing. */
static void
a_unit_fits_half_of_the_ring(void **state)
{
    struct world *world = world_make();
    uint64_t jobs = 0;
    (void)state;
    test_close(world->engine);
    world->config.log_ring_bytes = RING;
    world->config.payload_bytes_max = sizeof(unit_payload);
    world_open(world);
    for (enum kind kind = KIND_BATCH; kind < KIND_COUNT; kind++) {
        uint64_t tail = appended(world);
        size_t last = PLAIN;
        CHECK_OK(unit_submit(world, kind, 2, last));
        last += UNIT - (appended(world) - tail) - 16;
        do {
            tail = appended(world);
            jobs += 2;
            last++;
        } while (unit_submit(world, kind, 2, last) == LEAT_OK && appended(world) - tail < UNIT);
        CHECK_EQUAL(appended(world) - tail, UNIT);
        jobs += 2;
        while (unit_submit(world, kind, 2, last + 1) == LEAT_OK) { /* what it was rounded up by */
            jobs += 2;
            last++;
        }
        unit_refused(world, kind, 2, last + 1);
        unit_refused(world, kind, 2, sizeof(unit_payload));
        unit_refused(world, kind, MANY, PLAIN);
    }
    world_restart(world);
    CHECK_EQUAL(found(world).jobs, jobs);
    world_free(world);
}

/* ---- results --------------------------------------------------------------------------------- */

struct maker {
    struct world *world;
    size_t bytes; /* of results */
    enum leat_status status;
};

static struct leat_outcome
make_result(struct leat_run *run, void *context)
{
    struct maker *maker = context;
    maker->status = leat_run_result(run, unit_payload, maker->bytes);
    return leat_done();
}

static leat_job_id
make(struct maker *maker, leat_type type, size_t payload_bytes, size_t bytes)
{
    struct leat_job job = leat_job_default();
    leat_job_id id;
    job.type = type;
    job.payload = unit_payload;
    job.payload_bytes = payload_bytes;
    job.flags = LEAT_JOB_KEEP_RESULT;
    maker->bytes = bytes;
    CHECK_OK(leat_submit(maker->world->engine, &job, &id));
    run_all(maker->world);
    return id;
}

static size_t
result_bytes(struct world *world, leat_job_id id)
{
    static char result[UNIT];
    size_t bytes = 0;
    CHECK(test_get(world->engine, id).state == LEAT_JOB_COMPLETED);
    CHECK_OK(leat_result(world->engine, id, result, sizeof(result), &bytes));
    return bytes;
}

/* So much goes through the log that the cleaner has passed all that is in it. */
static void
pass_all(struct world *world, leat_type type)
{
    const uint64_t newest = leat_wal_newest(&world->engine->durable->wal);
    struct leat_job job = leat_job_default();
    job.type = type;
    job.payload = unit_payload;
    job.payload_bytes = 8000;
    job.delay_ns = 1000 * MINUTE_NS;
    for (uint32_t i = 0; i < 2000 && leat_wal_oldest(&world->engine->durable->wal) <= newest; i++) {
        leat_job_id id;
        CHECK_OK(leat_submit(world->engine, &job, &id));
        CHECK_OK(leat_cancel(world->engine, id));
    }
    CHECK(leat_wal_oldest(&world->engine->durable->wal) > newest);
}

/* One that is too large for the log is refused. One that is not has room, also where its job's
 * payload is as large: in a copy by the cleaner both stand. */
static void
a_result_has_room_beside_its_payload(void **state)
{
    struct world *world = world_make();
    struct maker maker = {.world = world};
    size_t most = UNIT;
    (void)state;
    test_close(world->engine);
    world->config.log_ring_bytes = RING;
    world->config.log_segment_bytes = 2 * RING;
    world->config.payload_bytes_max = sizeof(unit_payload);
    memset(unit_payload, 'r', sizeof(unit_payload));
    world_open(world);
    leat_type type = test_register(world->engine, "makes", make_result, &maker);
    do {
        (void)make(&maker, type, 1, most);
        most -= maker.status == LEAT_OK ? 0 : 64;
    } while (maker.status != LEAT_OK);
    CHECK(most > UNIT - 2048 && most < UNIT);
    leat_job_id small = make(&maker, type, 1, most);
    leat_job_id large = make(&maker, type, UNIT - 1000, most);
    CHECK_OK(maker.status);
    CHECK_EQUAL(health(world).log_unwritten, 0);
    pass_all(world, type);
    CHECK_EQUAL(health(world).log_unwritten, 0);
    world_crash(world);
    CHECK_EQUAL(result_bytes(world, small), most);
    CHECK_EQUAL(result_bytes(world, large), most);
    type = test_register(world->engine, "makes", make_result, &maker);
    CHECK_OK(leat_start(world->engine));
    pass_all(world, type); /* as it came from the log */
    world_crash(world);
    CHECK_EQUAL(result_bytes(world, large), most);
    world_free(world);
}

/* ---- as many look as can --------------------------------------------------------------------- */

#define SEGMENT UINT64_C(65536)

/* That segment was let go of. */
static bool
is_cleaned(struct world *world, uint64_t segment, uint32_t patience)
{
    struct leat_wal *log = &world->engine->durable->wal;
    for (uint32_t i = 0; i < patience && leat_wal_oldest(log) <= segment; i++) {
        (void)usleep(1000);
    }
    return leat_wal_oldest(log) > segment;
}

/* Fills the log with what nobody needs, so that there is something to be cleaned. */
static void
litter(struct world *world)
{
    struct leat_durable *durable = world->engine->durable;
    const uint64_t newest = leat_wal_newest(&durable->wal);
    while (leat_wal_newest(&durable->wal) < newest + 5) {
        CHECK_OK(leat_cancel(world->engine, submit(world, "litter", NULL, 0)));
    }
}

/* So many look at a job. The cleaner waits at it if they are 255, comes to it when one has gone,
 * and nothing is lost. */
static void
looked_at(uint32_t looks, bool waits)
{
    struct world *world = world_make();
    uint32_t index = 0;
    test_close(world->engine);
    world->config.log_segment_bytes = SEGMENT;
    world->config.log_ring_bytes = SEGMENT / 2;
    world_open(world);
    leat_durable_clean_stop(world->engine->durable);
    leat_job_id id = submit(world, "looked at", NULL, 0);
    uint64_t segment = leat_wal_newest(&world->engine->durable->wal);
    litter(world);
    for (uint32_t i = 0; i < looks; i++) {
        CHECK_OK(leat_job_hold_any(world->engine, id, LEAT_HOLDS_MAX, &index));
    }
    CHECK_STATUS(leat_job_hold_any(world->engine, id, looks, &index), LEAT_BUSY);
    CHECK(leat_durable_clean_start(world->engine));
    CHECK(is_cleaned(world, segment, waits ? 100 : 10000) == !waits);
    CHECK_OK(leat_cancel(world->engine, submit(world, "beside it", NULL, 0)));
    leat_job_unhold(world->engine, index);
    CHECK(is_cleaned(world, segment, 10000));
    for (uint32_t i = 1; i < looks; i++) {
        leat_job_unhold(world->engine, index);
    }
    CHECK_EQUAL(health(world).log_unwritten, 0);
    world_crash(world);
    CHECK_EQUAL(found(world).jobs, 1);
    run_all(world);
    CHECK_EQUAL(world->runs, 1);
    CHECK_TEXT(world->payloads[0], "looked at");
    world_free(world);
}

static void
the_cleaner_comes_to_a_job_that_all_look_at(void **state)
{
    (void)state;
    looked_at(LEAT_HOLDS_MAX - 1, false);
    looked_at(LEAT_HOLDS_MAX, true);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_log_that_failed_acknowledges_nothing),
        cmocka_unit_test(a_full_disk_takes_no_jobs_in),
        cmocka_unit_test(a_directory_must_be_there),
        cmocka_unit_test(a_job_fits_half_of_the_ring),
        cmocka_unit_test(a_unit_fits_half_of_the_ring),
        cmocka_unit_test(a_result_has_room_beside_its_payload),
        cmocka_unit_test(the_cleaner_comes_to_a_job_that_all_look_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
