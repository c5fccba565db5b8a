/* unit_durable_schedule.c - schedules and a log: what the next open finds of them, and that no run
 * comes twice. A crash of the process is a copy of the log's directory, taken while the engine is
 * open; the clock on the wall is the test's. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/durable/internal.h"
#include "tests/support/check.h"
#include "tests/support/directory.h"
#include "tests/support/engine.h"
#include "tests/support/schedules.h"

struct world {
    char directory[48];
    char copy[48];
    struct leat_config config;
    struct test_schedules all;
};

static void
world_open(struct world *world, const char *now)
{
    world->config.log_directory = world->directory;
    test_schedules_open(&world->all, &world->config, now);
}

static struct world *
world_make(const char *now)
{
    struct world *world = calloc(1, sizeof(*world));
    CHECK(world != NULL);
    strcpy(world->directory, "unit_durable_schedule.XXXXXX");
    strcpy(world->copy, "unit_durable_schedule.XXXXXX");
    CHECK(mkdtemp(world->directory) != NULL && mkdtemp(world->copy) != NULL);
    world->config = test_config();
    world->config.log_segment_bytes = UINT64_C(1) << 16;
    world->config.log_ring_bytes = UINT64_C(1) << 15;
    world->config.jobs_max = 256;
    world->config.schedules_max = 8;
    world_open(world, now);
    return world;
}

static void
world_free(struct world *world)
{
    test_schedules_close(&world->all);
    test_directory_remove(world->directory);
    test_directory_remove(world->copy);
    free(world);
}

/* The process is gone at this moment, and another one opens the log at the time `now`. */
static void
world_crash(struct world *world, const char *now)
{
    char directory[sizeof(world->directory)];
    struct leat_durable *durable = world->all.engine->durable;
    leat_durable_clean_stop(durable);
    CHECK_OK(leat_wal_stop(&durable->wal));
    test_directory_empty(world->copy);
    test_directory_copy(world->directory, world->copy);
    test_schedules_close(&world->all);
    memcpy(directory, world->directory, sizeof(directory));
    memcpy(world->directory, world->copy, sizeof(directory));
    memcpy(world->copy, directory, sizeof(directory));
    world_open(world, now);
}

static void
world_restart(struct world *world, const char *now)
{
    test_schedules_close(&world->all);
    world_open(world, now);
}

static uint64_t
jobs_found(struct world *world)
{
    struct leat_recovery_info info = leat_recovery_info_default();
    CHECK_OK(leat_recovery_get(world->all.engine, &info));
    return info.jobs;
}

static void
add(struct world *world, const char *name, const char *spec, enum leat_missed missed)
{
    struct leat_schedule schedule = test_schedule(&world->all, spec);
    schedule.overlap = LEAT_OVERLAP_ALLOW;
    schedule.missed = missed;
    test_schedule_add(&world->all, name, &schedule);
}

static void
is_gone(struct world *world, const char *name)
{
    uint64_t moments[1];
    size_t count = 0;
    CHECK_STATUS(leat_schedule_next(world->all.engine, name, moments, 1, &count), LEAT_NOT_FOUND);
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void
a_schedule_is_there_again(void **state)
{
    struct world *world = world_make("2025-01-01 00:30:00");
    (void)state;
    add(world, "hourly", "0 * * * *", LEAT_MISSED_ONE);
    world_crash(world, "2025-01-01 00:40:00");
    const struct leat_schedule_info *info = test_schedule_get(&world->all, "hourly");
    CHECK_TEXT(info->spec, "0 * * * *");
    CHECK_TEXT(info->zone, "UTC");
    CHECK(info->runs == 0 && info->overlap == LEAT_OVERLAP_ALLOW);
    CHECK(info->next_unix_ns == test_ns("2025-01-01 01:00:00"));
    test_fire_until(&world->all, "2025-01-01 01:00:00");
    test_run_all(&world->all);
    CHECK(world->all.ran == 1);
    world_restart(world, "2025-01-01 01:10:00");
    test_fire_until(&world->all, "2025-01-01 02:00:01");
    CHECK(test_schedule_get(&world->all, "hourly")->runs == 2);
    world_free(world);
}

/* Between the submit and its end, and behind both. */
static void
a_run_comes_once(void **state)
{
    struct world *world = world_make("2025-01-01 00:30:00");
    (void)state;
    add(world, "hourly", "0 * * * *", LEAT_MISSED_ALL);
    test_fire_until(&world->all, "2025-01-01 01:00:00");
    leat_job_id id = test_schedule_get(&world->all, "hourly")->last_job;
    world_crash(world, "2025-01-01 01:00:01");
    CHECK(jobs_found(world) == 1);
    test_fire_until(&world->all, "2025-01-01 01:00:30");
    const struct leat_schedule_info *info = test_schedule_get(&world->all, "hourly");
    CHECK(info->runs == 1 && info->last_job.bits == id.bits && info->owed == 0);
    CHECK(info->last_unix_ns == test_ns("2025-01-01 01:00:00"));
    test_run_all(&world->all);
    CHECK(world->all.ran == 1);
    world_crash(world, "2025-01-01 01:00:40");
    test_fire_until(&world->all, "2025-01-01 01:30:00");
    test_run_all(&world->all);
    CHECK(world->all.ran == 0 && jobs_found(world) == 0);
    world_free(world);
}

static void
missed_moments_follow_the_schedule(void **state)
{
    struct world *world = world_make("2025-01-01 00:30:00");
    (void)state;
    add(world, "all", "0 * * * *", LEAT_MISSED_ALL);
    add(world, "one", "0 * * * *", LEAT_MISSED_ONE);
    add(world, "skip", "0 * * * *", LEAT_MISSED_SKIP);
    world_crash(world, "2025-01-01 05:30:00");
    test_fire(&world->all, "2025-01-01 05:30:00");
    CHECK(test_schedule_get(&world->all, "all")->runs == 5);
    CHECK(test_schedule_get(&world->all, "one")->runs == 1);
    CHECK(test_schedule_get(&world->all, "one")->runs_missed == 4);
    CHECK(test_schedule_get(&world->all, "skip")->runs == 0);
    CHECK(test_schedule_get(&world->all, "skip")->runs_missed == 5);
    world_crash(world, "2025-01-01 05:31:00"); /* what is settled stays so */
    test_fire(&world->all, "2025-01-01 05:31:00");
    CHECK(test_schedule_get(&world->all, "all")->runs == 5);
    CHECK(test_schedule_get(&world->all, "one")->runs == 1);
    CHECK(test_schedule_get(&world->all, "skip")->runs_missed == 5);
    world_free(world);
}

static void
what_is_owed_is_owed_again(void **state)
{
    struct world *world = world_make("2025-01-01 00:30:00");
    (void)state;
    struct leat_schedule schedule = test_schedule(&world->all, "0 * * * *");
    schedule.overlap = LEAT_OVERLAP_QUEUE;
    schedule.missed = LEAT_MISSED_ALL;
    test_schedule_add(&world->all, "s", &schedule);
    test_fire_until(&world->all, "2025-01-01 03:00:00"); /* the first one has not run */
    CHECK(test_schedule_get(&world->all, "s")->owed == 2);
    world_crash(world, "2025-01-01 03:00:01");
    CHECK(test_schedule_get(&world->all, "s")->owed == 2);
    for (uint32_t i = 0; i < 4; i++) {
        test_run_all(&world->all);
        test_fire_ns(&world->all, atom_load_rlx(&world->all.now_ns) + UINT64_C(1100000000));
    }
    CHECK(world->all.ran == 3 && test_schedule_get(&world->all, "s")->owed == 0);
    CHECK(test_schedule_get(&world->all, "s")->runs == 3);
    world_free(world);
}

static void
a_program_adds_it_again(void **state)
{
    struct world *world = world_make("2025-01-01 00:30:00");
    struct leat_error error;
    (void)state;
    add(world, "s", "0 * * * *", LEAT_MISSED_ALL);
    test_fire_until(&world->all, "2025-01-01 01:00:00");
    world_crash(world, "2025-01-01 03:30:00");
    add(world, "s", "0 * * * *", LEAT_MISSED_ALL); /* goes on from its last run */
    struct leat_schedule schedule = test_schedule(&world->all, "0 * * * *");
    CHECK_STATUS(leat_schedule_add(world->all.engine, "s", &schedule, &error), LEAT_EXISTS);
    test_fire(&world->all, "2025-01-01 03:30:00");
    CHECK(test_schedule_get(&world->all, "s")->runs == 3);
    world_crash(world, "2025-01-01 03:40:00");
    add(world, "s", "45 * * * *", LEAT_MISSED_ONE); /* what is new counts */
    world_restart(world, "2025-01-01 03:43:00");
    const struct leat_schedule_info *info = test_schedule_get(&world->all, "s");
    CHECK_TEXT(info->spec, "45 * * * *");
    CHECK(info->runs == 3 && info->missed == LEAT_MISSED_ONE);
    CHECK(info->next_unix_ns == test_ns("2025-01-01 03:45:00"));
    world_free(world);
}

static void
a_pause_and_a_removal_stay(void **state)
{
    struct world *world = world_make("2025-01-01 00:30:00");
    (void)state;
    add(world, "gone", "0 * * * *", LEAT_MISSED_ALL);
    add(world, "rests", "0 * * * *", LEAT_MISSED_ALL);
    CHECK_OK(leat_schedule_pause(world->all.engine, "rests"));
    CHECK_OK(leat_schedule_remove(world->all.engine, "gone"));
    world_crash(world, "2025-01-01 05:30:00");
    is_gone(world, "gone");
    add(world, "rests", "0 * * * *", LEAT_MISSED_ALL);
    CHECK(test_schedule_get(&world->all, "rests")->paused);
    test_fire(&world->all, "2025-01-01 06:30:00");
    CHECK(test_schedule_get(&world->all, "rests")->runs == 0);
    CHECK_OK(leat_schedule_resume(world->all.engine, "rests"));
    add(world, "gone", "30 * * * *", LEAT_MISSED_ALL);
    world_crash(world, "2025-01-01 07:00:00");
    test_fire(&world->all, "2025-01-01 07:00:00");
    CHECK(test_schedule_get(&world->all, "rests")->runs == 1);
    CHECK_TEXT(test_schedule_get(&world->all, "gone")->spec, "30 * * * *");
    world_free(world);
}

static void
its_job_comes_back_whole(void **state)
{
    struct world *world = world_make("2025-01-01 00:30:00");
    leat_job_id other;
    (void)state;
    struct leat_job_options options = leat_job_options_default();
    options.name = "the one";
    options.expires_in_ns = UINT64_C(3600000000000);
    struct leat_job job = world->all.job;
    job.options = &options;
    job.payload = "bread";
    job.payload_bytes = 5;
    job.priority = 1;
    job.delay_ns = UINT64_C(60000000000);
    job.queue_name = "bakery";
    struct leat_schedule schedule = test_schedule(&world->all, "0 * * * *");
    schedule.job = &job;
    schedule.zone = "UTC";
    test_schedule_add(&world->all, "s", &schedule);
    world_crash(world, "2025-01-01 01:00:00");
    test_fire(&world->all, "2025-01-01 01:00:00");
    CHECK_OK(leat_job_find(world->all.engine, "the one", &other));
    struct leat_job_info info = test_get(world->all.engine, other);
    const char *queue = NULL;
    CHECK(info.state == LEAT_JOB_SCHEDULED && info.payload_bytes == 5 && info.priority == 1);
    CHECK(info.type.bits == world->all.job.type.bits);
    CHECK_OK(leat_queue_name(world->all.engine, info.queue, &queue));
    CHECK_TEXT(queue, "bakery");
    CHECK_OK(leat_cancel(world->all.engine, other));
    world_free(world);
}

static uint64_t
retry_never(const struct leat_failure *failure, void *context)
{
    (void)failure;
    (void)context;
    return 0;
}

/* What has a function in it cannot be written: it is there until the engine is closed. */
static void
a_function_stays_here(void **state)
{
    struct world *world = world_make("2025-01-01 00:30:00");
    (void)state;
    struct leat_retry_policy retry = leat_retry_policy_default();
    struct leat_job_options options = leat_job_options_default();
    retry.kind = LEAT_RETRY_FUNCTION;
    retry.function = retry_never;
    options.retry = &retry;
    options.durability = LEAT_DURABILITY_NONE;
    static struct leat_job job;
    job = world->all.job;
    job.options = &options;
    static struct leat_schedule schedule;
    schedule = test_schedule(&world->all, "0 * * * *");
    add(world, "s", "0 * * * *", LEAT_MISSED_ONE);
    schedule.job = &job;
    CHECK_OK(leat_schedule_change(world->all.engine, "s", &schedule, NULL));
    test_fire_until(&world->all, "2025-01-01 01:00:00");
    CHECK(test_schedule_get(&world->all, "s")->runs == 1);
    world_crash(world, "2025-01-01 01:00:01");
    is_gone(world, "s");
    world_free(world);
}

/* A job without a log of its own: its schedule has one. */
static void
a_light_job_has_a_durable_schedule(void **state)
{
    struct world *world = world_make("2025-01-01 00:30:00");
    (void)state;
    struct leat_job_options options = leat_job_options_default();
    options.durability = LEAT_DURABILITY_NONE;
    struct leat_job job = world->all.job;
    job.options = &options;
    struct leat_schedule schedule = test_schedule(&world->all, "0 * * * *");
    schedule.job = &job;
    test_schedule_add(&world->all, "s", &schedule);
    test_fire_until(&world->all, "2025-01-01 01:00:00");
    world_crash(world, "2025-01-01 01:00:01");
    CHECK(jobs_found(world) == 0);
    test_fire_until(&world->all, "2025-01-01 02:00:00");
    CHECK(test_schedule_get(&world->all, "s")->runs == 2);
    world_crash(world, "2025-01-01 02:00:01");
    CHECK(jobs_found(world) == 0);
    world_free(world);
}

static void
the_cleaner_keeps_schedules(void **state)
{
    struct world *world = world_make("2025-01-01 00:30:00");
    static char payload[2048];
    (void)state;
    add(world, "stays", "0 12 1 1 *", LEAT_MISSED_ALL);
    add(world, "rests", "0 12 1 1 *", LEAT_MISSED_ALL);
    add(world, "gone", "0 12 1 1 *", LEAT_MISSED_ALL);
    CHECK_OK(leat_schedule_pause(world->all.engine, "rests"));
    CHECK_OK(leat_schedule_remove(world->all.engine, "gone"));
    struct leat_job job = world->all.job;
    job.payload = payload;
    job.payload_bytes = sizeof(payload);
    for (uint32_t i = 0; i < 1000; i++) {
        leat_job_id id;
        CHECK_OK(leat_submit(world->all.engine, &job, &id));
        CHECK_OK(leat_cancel(world->all.engine, id));
        if (i % 64 == 63) {
            test_run_all(&world->all);
        }
    }
    const uint64_t most = world->config.log_segment_bytes * 6;
    for (uint32_t i = 0; i < 1000 && leat_durable_bytes(world->all.engine) > most; i++) {
        usleep(10000);
    }
    CHECK(leat_durable_bytes(world->all.engine) <= most);
    world_crash(world, "2025-01-01 01:00:00");
    CHECK(!test_schedule_get(&world->all, "stays")->paused);
    CHECK(test_schedule_get(&world->all, "rests")->paused);
    is_gone(world, "gone");
    world_free(world);
}

/* ---- a log that ends within a run ------------------------------------------------------------ */

#define BREAD      9000 /* so that the unit of a run is of several blocks */
#define PATH_BYTES 128
#define STEP       509 /* of cuts: a prime, which falls into headers, records and gaps */

/* Behind the last byte of a segment that is not zero. */
static uint64_t
written_end(const char *path)
{
    unsigned char bytes[1024];
    uint64_t end = 0;
    uint64_t at = 0;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    CHECK(file >= 0);
    ssize_t got = read(file, bytes, sizeof(bytes));
    while (got > 0) {
        for (ssize_t i = 0; i < got; i++) {
            end = bytes[i] != 0 ? at + (uint64_t)i + 1 : end;
        }
        at += (uint64_t)got;
        got = read(file, bytes, sizeof(bytes));
    }
    CHECK(got == 0 && close(file) == 0);
    return end;
}

static void
path_of(const struct world *world, uint64_t number, char *path)
{
    char name[LEAT_WAL_NAME_BYTES];
    leat_wal_name(name, number, false);
    (void)snprintf(path, PATH_BYTES, "%s/%s", world->directory, name);
}

/* What stands behind `at` had not come to the disk. */
static void
cut(const char *path, uint64_t at, uint64_t end)
{
    static const unsigned char zeros[32768];
    int file = open(path, O_WRONLY | O_CLOEXEC);
    CHECK(file >= 0 && end - at <= sizeof(zeros));
    CHECK(pwrite(file, zeros, (size_t)(end - at), (off_t)at) == (ssize_t)(end - at));
    CHECK(close(file) == 0);
}

static uint64_t
segment_of(const struct world *world)
{
    struct leat_wal *wal = &world->all.engine->durable->wal;
    leat_mutex_lock(&wal->mutex);
    uint64_t number = wal->known[0].number;
    leat_mutex_unlock(&wal->mutex);
    return number;
}

/* One schedule and one run of it. The log ends `back` bytes before the end of that run. False: so
 * far back there was no run yet. */
static bool
cut_once(uint64_t back)
{
    struct world *world = world_make("2025-01-01 00:30:00");
    static char payload[BREAD];
    char path[PATH_BYTES];
    char directory[sizeof(world->directory)];
    memset(payload, 'b', sizeof(payload));
    world->all.job.payload = payload;
    world->all.job.payload_bytes = sizeof(payload);
    add(world, "s", "0 * * * *", LEAT_MISSED_ALL);
    path_of(world, segment_of(world), path);
    uint64_t begin = written_end(path);
    test_fire_until(&world->all, "2025-01-01 01:00:00");
    CHECK(test_schedule_get(&world->all, "s")->runs == 1);
    leat_durable_clean_stop(world->all.engine->durable);
    CHECK_OK(leat_wal_stop(&world->all.engine->durable->wal));
    uint64_t end = written_end(path);
    CHECK(end > begin + BREAD);
    bool within = back <= end - begin;
    test_directory_copy(world->directory, world->copy);
    uint64_t number = segment_of(world);
    test_schedules_close(&world->all);
    memcpy(directory, world->directory, sizeof(directory));
    memcpy(world->directory, world->copy, sizeof(directory));
    memcpy(world->copy, directory, sizeof(directory));
    path_of(world, number, path);
    cut(path, within ? end - back : begin, end);
    world_open(world, "2025-01-01 01:00:01");
    uint64_t jobs = jobs_found(world);
    CHECK_EQUAL(test_schedule_get(&world->all, "s")->runs, jobs); /* both, or none */
    CHECK(back != 0 || jobs == 1);
    CHECK(within || jobs == 0);
    test_fire_until(&world->all, "2025-01-01 01:00:30");
    test_run_all(&world->all);
    CHECK_EQUAL(world->all.ran, 1);
    CHECK_EQUAL(test_schedule_get(&world->all, "s")->runs, 1);
    world_free(world);
    return within;
}

static void
a_cut_loses_no_run_and_doubles_none(void **state)
{
    uint64_t back = 0;
    (void)state;
    while (cut_once(back)) { /* ends: at the size of one run */
        back += STEP;
    }
}

/* ---- the cleaner and who fires --------------------------------------------------------------- */

static void *
fire_run(void *argument)
{
    struct world *world = argument;
    test_fire(&world->all, "2025-01-01 01:00:00");
    return NULL;
}

/* The cleaner is behind, and who fires waits for it: without the mutex, which the cleaner takes. */
static void
who_fires_waits_without_the_mutex(void **state)
{
    struct world *world = world_make("2025-01-01 00:30:00");
    struct leat_durable *durable = world->all.engine->durable;
    uint64_t moments[1];
    size_t count = 0;
    pthread_t thread;
    (void)state;
    add(world, "s", "0 * * * *", LEAT_MISSED_ONE);
    leat_durable_clean_stop(durable);
    atom_store_rel(&durable->pace.limit, 0);
    CHECK(pthread_create(&thread, NULL, fire_run, world) == 0);
    usleep(50000);
    CHECK_OK(leat_schedule_next(world->all.engine, "s", moments, 1, &count));
    CHECK_EQUAL(moments[0], test_ns("2025-01-01 01:00:00")); /* it has not come yet */
    leat_durable_pace_end(durable);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(test_schedule_get(&world->all, "s")->runs == 1);
    world_free(world);
}

struct holder {
    struct world *world;
    leat_atomic_u32 done;
};

static void *
holder_run(void *argument)
{
    struct holder *holder = argument;
    struct test_schedules *all = &holder->world->all;
    struct leat_schedules *schedules = &all->engine->schedules;
    leat_schedules_lock(schedules);
    struct leat_schedule_entry *entry = leat_schedule_named(schedules, "s");
    entry->owed = 1;
    atom_store_rel(&all->engine->durable->pace.limit, 0);
    leat_job_id id = {0};
    CHECK_OK(leat_durable_schedule_submit(all->engine, entry, atom_load_rlx(&all->now_ns), &id));
    entry->owed = 0;
    leat_schedules_unlock(schedules);
    atom_store_rel(&holder->done, 1);
    return NULL;
}

/* The log comes to its limit when who fires has the mutex. */
static void
who_has_the_mutex_waits_for_no_cleaner(void **state)
{
    struct world *world = world_make("2025-01-01 00:30:00");
    struct leat_durable *durable = world->all.engine->durable;
    struct holder holder = {world, 0};
    pthread_t thread;
    (void)state;
    add(world, "s", "0 * * * *", LEAT_MISSED_ONE);
    leat_durable_clean_stop(durable);
    CHECK(pthread_create(&thread, NULL, holder_run, &holder) == 0);
    for (uint32_t i = 0; i < 1000 && atom_load_acq(&holder.done) == 0; i++) {
        usleep(10000);
    }
    bool in_time = atom_load_acq(&holder.done) != 0;
    leat_durable_pace_end(durable);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(in_time);
    world_free(world);
}

/* ---- no space -------------------------------------------------------------------------------- */

/* Until nothing new has room; nobody finds any from then on. */
static void
fill(struct world *world)
{
    static char payload[2048];
    struct leat_durable *durable = world->all.engine->durable;
    struct leat_job job = world->all.job;
    uint32_t refused = 0;
    job.payload = payload;
    job.payload_bytes = sizeof(payload);
    job.delay_ns = UINT64_C(3600000000000);
    for (uint32_t i = 0; refused < 5 && i < world->config.jobs_max; i++) {
        enum leat_status status = leat_submit(world->all.engine, &job, NULL);
        refused = status == LEAT_OK ? 0 : refused + 1;
        if (status != LEAT_OK) {
            CHECK_STATUS(status, LEAT_NO_SPACE);
            usleep(60000); /* the cleaner may find some */
        }
    }
    CHECK(refused == 5);
    leat_durable_clean_stop(durable);
    CHECK_OK(leat_wal_stop(&durable->wal));
    atom_store_rlx(&durable->wal.full, 1);
}

/* What is new is refused, a change is in memory only, a removal has room. */
static void
without_space_what_is_new_is_refused(void **state)
{
    struct world *world = world_make("2025-01-01 00:30:00");
    struct leat_error error;
    (void)state;
    add(world, "s", "0 * * * *", LEAT_MISSED_ONE);
    add(world, "stays", "0 * * * *", LEAT_MISSED_ONE);
    world->config.log_bytes_max = 10 * world->config.log_segment_bytes;
    world->config.jobs_max = 1024;
    world_restart(world, "2025-01-01 00:31:00");
    fill(world);
    struct leat_schedule schedule = test_schedule(&world->all, "5 * * * *");
    CHECK_STATUS(leat_schedule_add(world->all.engine, "t", &schedule, &error), LEAT_NO_SPACE);
    is_gone(world, "t");
    CHECK_STATUS(leat_schedule_change(world->all.engine, "stays", &schedule, &error),
                 LEAT_NO_SPACE);
    CHECK_TEXT(test_schedule_get(&world->all, "stays")->spec, "5 * * * *");
    CHECK_STATUS(leat_schedule_pause(world->all.engine, "stays"), LEAT_NO_SPACE);
    CHECK(test_schedule_get(&world->all, "stays")->paused);
    CHECK_OK(leat_schedule_remove(world->all.engine, "s"));
    world_restart(world, "2025-01-01 00:32:00");
    is_gone(world, "s");
    is_gone(world, "t");
    CHECK_TEXT(test_schedule_get(&world->all, "stays")->spec, "0 * * * *");
    CHECK(!test_schedule_get(&world->all, "stays")->paused);
    world_free(world);
}

static void
fewer_places_are_refused(void **state)
{
    struct world *world = world_make("2025-01-01 00:30:00");
    struct leat_engine *other = NULL;
    struct leat_error error;
    (void)state;
    add(world, "a", "0 * * * *", LEAT_MISSED_ONE);
    add(world, "b", "0 * * * *", LEAT_MISSED_ONE);
    test_schedules_close(&world->all);
    world->config.schedules_max = 1;
    CHECK_STATUS(leat_open(&world->config, &other, &error), LEAT_FULL);
    CHECK_TEXT(error.field, "log_directory");
    world->config.schedules_max = 2;
    world_open(world, "2025-01-01 00:40:00");
    (void)test_schedule_get(&world->all, "b");
    world_free(world);
}

static void
a_log_that_failed_is_said(void **state)
{
    struct world *world = world_make("2025-01-01 00:30:00");
    struct leat_error error;
    (void)state;
    struct leat_schedule schedule = test_schedule(&world->all, "0 * * * *");
    add(world, "s", "0 * * * *", LEAT_MISSED_ONE);
    atom_store_rlx(&world->all.engine->durable->wal.failed, 1);
    CHECK_STATUS(leat_schedule_add(world->all.engine, "t", &schedule, &error), LEAT_LOG_FAILED);
    is_gone(world, "t");
    CHECK_STATUS(leat_schedule_pause(world->all.engine, "s"), LEAT_LOG_FAILED);
    CHECK_STATUS(leat_schedule_remove(world->all.engine, "s"), LEAT_LOG_FAILED);
    world_free(world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_schedule_is_there_again),
        cmocka_unit_test(a_run_comes_once),
        cmocka_unit_test(missed_moments_follow_the_schedule),
        cmocka_unit_test(what_is_owed_is_owed_again),
        cmocka_unit_test(a_program_adds_it_again),
        cmocka_unit_test(a_pause_and_a_removal_stay),
        cmocka_unit_test(its_job_comes_back_whole),
        cmocka_unit_test(a_function_stays_here),
        cmocka_unit_test(a_light_job_has_a_durable_schedule),
        cmocka_unit_test(the_cleaner_keeps_schedules),
        cmocka_unit_test(a_cut_loses_no_run_and_doubles_none),
        cmocka_unit_test(who_fires_waits_without_the_mutex),
        cmocka_unit_test(who_has_the_mutex_waits_for_no_cleaner),
        cmocka_unit_test(without_space_what_is_new_is_refused),
        cmocka_unit_test(fewer_places_are_refused),
        cmocka_unit_test(a_log_that_failed_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
