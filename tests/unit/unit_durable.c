/* unit_durable.c - durable jobs: what the next open of a log finds. A crash of the process is a
 * copy of the log's directory, taken while the engine is open. */
#include "tests/unit/durable_body.h"

/* ---- tests ----------------------------------------------------------------------------------- */

static void
a_job_that_waits_is_there_again(void **state)
{
    struct world *world = world_make();
    (void)state;
    leat_job_id first = submit(world, "one", NULL, 0);
    leat_job_id second = submit(world, "two", NULL, 0);
    world_crash(world);
    CHECK(found(world).jobs == 2 && found(world).waiting == 2 && found(world).crashed == 0);
    CHECK(test_get(world->engine, first).state == LEAT_JOB_PENDING);
    CHECK(test_get(world->engine, second).state == LEAT_JOB_PENDING);
    CHECK(test_get(world->engine, second).payload_bytes == 3);
    run_all(world);
    CHECK(world->runs == 2);
    CHECK_TEXT(world->payloads[0], "one");
    CHECK_TEXT(world->payloads[1], "two");
    world_crash(world);
    CHECK(found(world).jobs == 0);
    world_free(world);
}

static void
what_has_ended_stays_ended(void **state)
{
    struct world *world = world_make();
    (void)state;
    leat_job_id done = submit(world, "done", NULL, 0);
    run_all(world);
    leat_job_id waits = submit(world, "waits", NULL, 0);
    leat_job_id cancelled = submit(world, "cancelled", NULL, 0);
    CHECK_OK(leat_cancel(world->engine, cancelled));
    world_restart(world);
    CHECK(found(world).jobs == 1);
    struct leat_job_info info = leat_job_info_default();
    CHECK(leat_get(world->engine, done, &info) != LEAT_OK);
    CHECK(leat_get(world->engine, cancelled, &info) != LEAT_OK);
    CHECK_OK(leat_get(world->engine, waits, &info));
    world_restart(world);
    CHECK(found(world).jobs == 1);
    world_free(world);
}

static void
a_retry_keeps_attempt_and_time(void **state)
{
    struct world *world = world_make();
    (void)state;
    leat_job_id id = submit(world, "again", NULL, 0);
    world->way = WAY_RETRY;
    run_all(world);
    world_restart(world);
    struct leat_job_info info = test_get(world->engine, id);
    CHECK(info.state == LEAT_JOB_RETRYING && info.attempts == 1);
    CHECK(info.due_in_ns > 9 * MINUTE_NS && info.due_in_ns <= 10 * MINUTE_NS);
    run_all(world);
    CHECK(world->runs == 0);
    test_clock_pass(&world->clock, world->engine, 10 * MINUTE_NS + 2000000);
    world->way = WAY_DONE;
    run_all(world);
    CHECK(world->runs == 1 && world->attempt == 2);
    world_free(world);
}

static void
a_snooze_uses_no_attempt(void **state)
{
    struct world *world = world_make();
    (void)state;
    leat_job_id id = submit(world, "later", NULL, 0);
    world->way = WAY_SNOOZE;
    run_all(world);
    world_crash(world);
    struct leat_job_info info = test_get(world->engine, id);
    CHECK(info.state == LEAT_JOB_SCHEDULED && info.attempts == 0);
    world_free(world);
}

static void
a_delay_goes_on_while_nobody_looks(void **state)
{
    struct world *world = world_make();
    leat_job_id id;
    (void)state;
    struct leat_job job = leat_job_default();
    job.type = world->type;
    job.delay_ns = 10 * MINUTE_NS;
    CHECK_OK(leat_submit(world->engine, &job, &id));
    test_close(world->engine);
    (void)atom_add_rlx(&world->clock.wall, 4 * MINUTE_NS);
    world_open(world);
    struct leat_job_info info = test_get(world->engine, id);
    CHECK(info.state == LEAT_JOB_SCHEDULED);
    CHECK(info.due_in_ns > 5 * MINUTE_NS && info.due_in_ns <= 6 * MINUTE_NS);
    const struct leat_when when = {.delay_ns = MINUTE_NS};
    CHECK_OK(leat_reschedule(world->engine, id, when));
    world_crash(world);
    CHECK(test_get(world->engine, id).due_in_ns <= MINUTE_NS);
    world_free(world);
}

static void
dead_letters_keep_their_error(void **state)
{
    struct world *world = world_make();
    (void)state;
    leat_job_id dead = submit(world, "dies", NULL, 0);
    leat_job_id deleted = submit(world, "dies too", NULL, 0);
    world->way = WAY_FAIL;
    run_all(world);
    CHECK_OK(leat_dead_delete(world->engine, deleted));
    world_crash(world);
    struct leat_job_info info = test_get(world->engine, dead);
    CHECK(found(world).jobs == 1 && found(world).dead == 1);
    CHECK(info.state == LEAT_JOB_DEAD && info.reason == LEAT_REASON_FAILED);
    CHECK_TEXT(info.error, "never");
    const struct leat_when now = {.delay_ns = 0};
    CHECK_OK(leat_dead_retry(world->engine, dead, now));
    world_crash(world);
    CHECK(test_get(world->engine, dead).state == LEAT_JOB_PENDING);
    world->way = WAY_DONE;
    run_all(world);
    CHECK(world->runs == 1);
    CHECK_TEXT(world->payloads[0], "dies");
    world_free(world);
}

static bool
jobs_count(void *context, struct leat_wal_place place, const struct leat_wal_record *record)
{
    (void)place;
    *(uint32_t *)context += record->tag == LEAT_DURABLE_JOB || record->tag == LEAT_DURABLE_END;
    return true;
}

/* Closes the engine, and counts what the log has of jobs. */
static uint32_t
records_of_jobs(struct world *world)
{
    struct leat_wal_report report;
    uint32_t count = 0;
    const struct leat_wal_reader reader = {jobs_count, &count};
    const struct leat_wal_config config = {.files = &leat_wal_files_system,
                                           .directory = world->directory,
                                           .memory = leat_memory_default(),
                                           .segment_bytes = world->config.log_segment_bytes,
                                           .ring_bytes = world->config.log_ring_bytes};
    test_close(world->engine);
    CHECK_OK(leat_wal_read(&config, &reader, &report));
    return count;
}

/* What is dropped is said, and does not come back. */
static void
drops_the_dead(struct world *world)
{
    world->config.dead_max = 0;
    world_open(world);
    (void)records_of_jobs(world);
    world->config.dead_max = LEAT_AUTO;
    world_open(world);
}

/* A dead letter with and without a parent, a result that is kept: what the log has of them is not
 * said again by an open, but where the cleaner comes to it. */
static void
an_open_says_no_end_again(void **state)
{
    struct world *world = world_make();
    struct leat_job_options options = leat_job_options_default();
    (void)state;
    leat_job_id parent = submit(world, "kept", NULL, LEAT_JOB_KEEP_RESULT);
    world->way = WAY_RESULT;
    run_all(world);
    options.parents = &parent;
    options.parents_count = 1;
    leat_job_id child = submit(world, "dies", &options, 0);
    leat_job_id dead = submit(world, "dies too", NULL, 0);
    world->way = WAY_FAIL;
    run_all(world);
    const uint32_t before = records_of_jobs(world);
    for (uint32_t i = 0; i < 3; i++) {
        world_open(world);
        CHECK(found(world).jobs == 3 && found(world).dead == 2);
        CHECK(test_get(world->engine, parent).state == LEAT_JOB_COMPLETED);
        CHECK_TEXT(test_get(world->engine, child).error, "never");
        CHECK_TEXT(test_get(world->engine, dead).error, "never");
        const uint32_t now = records_of_jobs(world);
        CHECK(now >= 3 && now <= before); /* the cleaner leaves out what is not needed */
    }
    drops_the_dead(world);
    CHECK(found(world).jobs == 1 && found(world).dead == 0);
    world_free(world);
}

static void
a_kept_result_waits_for_its_release(void **state)
{
    struct world *world = world_make();
    char result[16] = "";
    size_t bytes = 0;
    (void)state;
    leat_job_id id = submit(world, "grow", NULL, LEAT_JOB_KEEP_RESULT);
    world->way = WAY_RESULT;
    run_all(world);
    world_restart(world);
    CHECK(test_get(world->engine, id).state == LEAT_JOB_COMPLETED);
    CHECK_OK(leat_result(world->engine, id, result, sizeof(result), &bytes));
    CHECK(bytes == 5 && memcmp(result, "fruit", 5) == 0);
    CHECK_OK(leat_release(world->engine, id));
    world_crash(world);
    CHECK(found(world).jobs == 0);
    world_free(world);
}

/* Somebody looks at a job, and has its record last; what ended it is in the log all the same, when
 * it is answered for. */
static void
an_end_beside_who_looks(void **state)
{
    struct world *world = world_make();
    leat_job_id ids[4];
    uint32_t held[4];
    (void)state;
    ids[0] = submit(world, "kept", NULL, LEAT_JOB_KEEP_RESULT);
    world->way = WAY_RESULT;
    run_all(world);
    ids[1] = submit(world, "pending", NULL, 0);
    world->way = WAY_PENDING;
    run_all(world);
    struct leat_job job = leat_job_default();
    job.type = world->type;
    job.delay_ns = MINUTE_NS;
    CHECK_OK(leat_submit(world->engine, &job, &ids[2]));
    job.delay_ns = 0;
    CHECK_OK(leat_submit(world->engine, &job, &ids[3]));
    for (uint32_t i = 0; i < 4; i++) {
        CHECK_OK(leat_job_hold(world->engine, ids[i], LEAT_HOLDS_TO_LOOK, &held[i]));
    }
    CHECK_OK(leat_release(world->engine, ids[0]));
    CHECK_OK(leat_complete(world->engine, world->token, leat_done(), NULL));
    CHECK_OK(leat_cancel(world->engine, ids[2]));
    CHECK_OK(leat_cancel(world->engine, ids[3]));
    struct leat_wal *wal = &world->engine->durable->wal;
    CHECK(leat_wal_is_durable(wal, atom_load_rlx(&wal->ring.tail)));
    test_directory_copy(world->directory, world->copy);
    for (uint32_t i = 0; i < 4; i++) {
        leat_job_unhold(world->engine, held[i]);
    }
    world_copied(world);
    CHECK(found(world).jobs == 0);
    world_free(world);
}

static void
options_come_back(void **state)
{
    struct world *world = world_make();
    static const char *const tags[] = {"red", "green"};
    struct leat_tag read[2];
    uint32_t count = 0;
    char name[64];
    leat_job_id other;
    (void)state;
    struct leat_job_options options = leat_job_options_default();
    options.name = "the one";
    options.unique_key = "key";
    options.unique_key_bytes = 3;
    options.tags = tags;
    options.tags_count = 2;
    options.timeout_ns = MINUTE_NS;
    options.key = "line";
    options.key_bytes = 4;
    leat_job_id id = submit(world, "named", &options, 0);
    world_crash(world);
    CHECK_OK(leat_job_find(world->engine, "the one", &other));
    CHECK(other.bits == id.bits);
    CHECK_OK(leat_job_name(world->engine, id, name, sizeof(name)));
    CHECK_OK(leat_job_tags(world->engine, id, read, 2, &count));
    CHECK(count == 2);
    CHECK_TEXT(read[1].text, "green");
    struct leat_job job = leat_job_default();
    job.type = world->type;
    job.options = &options;
    CHECK_STATUS(leat_submit(world->engine, &job, &other), LEAT_EXISTS);
    options.name = NULL;
    CHECK_STATUS(leat_submit(world->engine, &job, &other), LEAT_EXISTS);
    world_crash(world); /* what was refused is not there */
    CHECK(found(world).jobs == 1 && found(world).refused == 0);
    run_all(world);
    CHECK_OK(leat_submit(world->engine, &job, &other));
    world_free(world);
}

static void
ids_are_not_given_out_twice(void **state)
{
    struct world *world = world_make();
    leat_job_id ids[200];
    (void)state;
    for (uint32_t i = 0; i < 200; i++) {
        ids[i] = submit(world, "x", NULL, 0);
        run_all(world);
        world->runs = 0;
        if (i % 20 == 19) {
            world_crash(world);
        }
        for (uint32_t j = 0; j < i; j++) {
            CHECK(ids[j].bits != ids[i].bits);
        }
    }
    world_free(world);
}

static void
a_batch_is_one_unit(void **state)
{
    struct world *world = world_make();
    struct leat_job jobs[10];
    leat_job_id ids[10];
    (void)state;
    for (uint32_t i = 0; i < 10; i++) {
        jobs[i] = leat_job_default();
        jobs[i].type = world->type;
        jobs[i].payload = "batch";
        jobs[i].payload_bytes = 5;
    }
    CHECK_OK(leat_submit_batch(world->engine, jobs, 10, LEAT_BATCH_ALL_OR_NONE, ids, NULL));
    world_crash(world);
    CHECK(found(world).jobs == 10);
    for (uint32_t i = 0; i < 10; i++) {
        CHECK(test_get(world->engine, ids[i]).state == LEAT_JOB_PENDING);
    }
    world_free(world);
}

static void
queues_come_back(void **state)
{
    struct world *world = world_make();
    leat_queue queue;
    leat_job_id id;
    (void)state;
    struct leat_queue_options options = leat_queue_options_default();
    options.priority = 2;
    options.order = LEAT_ORDER_EXACT;
    CHECK_OK(leat_queue_create(world->engine, "exact", &options, &queue));
    struct leat_job job = leat_job_default();
    job.type = world->type;
    job.queue = queue;
    CHECK_OK(leat_submit(world->engine, &job, &id));
    job.queue = (leat_queue){0};
    job.queue_name = "plain";
    CHECK_OK(leat_submit(world->engine, &job, NULL));
    world_crash(world);
    CHECK(test_get(world->engine, id).priority == 2);
    CHECK_OK(leat_queue_create(world->engine, "exact", &options, &queue));
    CHECK(test_get(world->engine, id).queue.bits == queue.bits);
    CHECK_STATUS(leat_queue_create(world->engine, "exact", &options, &queue), LEAT_EXISTS);
    struct leat_queue_options plain = leat_queue_options_default();
    plain.waiting_max = 7;
    CHECK_OK(leat_queue_create(world->engine, "plain", &plain, &queue));
    struct leat_queue_info info = leat_queue_info_default();
    CHECK_OK(leat_queue_get_info(world->engine, queue, &info));
    CHECK(info.waiting == 1);
    run_all(world);
    CHECK(world->runs == 2);
    world_free(world);
}

static void
who_ran_in_a_crash_is_counted(void **state)
{
    struct world *world = world_make();
    (void)state;
    leat_job_id id = submit(world, "bomb", NULL, 0);
    world->config.quarantine_after = 2;
    for (uint32_t i = 0; i < 2; i++) {
        world_crash_in(world, id.bits);
        CHECK(found(world).crashed == 1);
        struct leat_durable *durable = world->engine->durable;
        uint64_t last = leat_durable_last(durable); /* of this thread: the cleaner may go on */
        CHECK(last != 0 && leat_wal_is_durable(&durable->wal, last)); /* before it can run */
    }
    world_restart(world); /* a clean stop counts for none */
    CHECK(found(world).crashed == 0);
    run_all(world);
    CHECK(world->runs == 0);
    struct leat_job_info info = test_get(world->engine, id);
    CHECK(info.state == LEAT_JOB_DEAD && info.reason == LEAT_REASON_QUARANTINED);
    world_free(world);
}

static void
who_says_so_is_not_durable(void **state)
{
    struct world *world = world_make();
    (void)state;
    struct leat_job_options options = leat_job_options_default();
    options.durability = LEAT_DURABILITY_NONE;
    leat_job_id id = submit(world, "light", &options, 0);
    CHECK(test_get(world->engine, id).state == LEAT_JOB_PENDING);
    world_restart(world);
    CHECK(found(world).jobs == 0);
    leat_job_id other = submit(world, "light", &options, 0);
    CHECK(other.bits != id.bits);
    world_free(world);
}

static void
the_log_is_cleaned(void **state)
{
    struct world *world = world_make();
    leat_job_id ids[16];
    static char payload[2048];
    (void)state;
    memset(payload, 'p', sizeof(payload) - 1);
    payload[sizeof(payload) - 1] = '\0';
    struct leat_job_options options = leat_job_options_default();
    struct leat_job job = leat_job_default();
    job.type = world->type;
    job.delay_ns = 100 * MINUTE_NS;
    job.payload = "stays";
    job.payload_bytes = 5;
    job.options = &options;
    for (uint32_t i = 0; i < 16; i++) {
        CHECK_OK(leat_submit(world->engine, &job, &ids[i]));
    }
    for (uint32_t i = 0; i < 4000; i++) {
        leat_job_id id;
        job.delay_ns = MINUTE_NS;
        job.payload = payload;
        job.payload_bytes = sizeof(payload) - 1;
        CHECK_OK(leat_submit(world->engine, &job, &id));
        CHECK_OK(leat_cancel(world->engine, id));
        if (i % 64 == 63) {
            run_all(world);
        }
    }
    /* The cleaner is a thread of its own: it comes to it. */
    for (uint32_t i = 0; i < 1000 && leat_durable_bytes(world->engine) > (UINT64_C(5) << 20); i++) {
        usleep(10000);
    }
    CHECK(leat_durable_bytes(world->engine) <= UINT64_C(5) << 20);
    world_crash(world);
    CHECK(found(world).jobs == 16 && found(world).scheduled == 16);
    for (uint32_t i = 0; i < 16; i++) {
        CHECK(test_get(world->engine, ids[i]).state == LEAT_JOB_SCHEDULED);
    }
    world_free(world);
}

static void
what_is_not_written_is_refused(void **state)
{
    struct world *world = world_make();
    leat_job_id cohort;
    leat_job_id other;
    (void)state;
    struct leat_job_options options = leat_job_options_default();
    struct leat_job job = leat_job_default();
    job.type = world->type;
    job.options = &options;
    struct leat_cohort_options of_cohort = leat_cohort_options_default();
    of_cohort.durability = LEAT_DURABILITY_NONE;
    CHECK_OK(leat_cohort_open(world->engine, &of_cohort, &cohort));
    options.cohort = cohort;
    CHECK_STATUS(leat_submit(world->engine, &job, &other), LEAT_UNSUPPORTED);
    options.cohort = (leat_job_id){0};
    options.parents = &cohort;
    options.parents_count = 1;
    CHECK_STATUS(leat_submit(world->engine, &job, &other), LEAT_UNSUPPORTED);
    options.durability = LEAT_DURABILITY_NONE;
    CHECK_OK(leat_submit(world->engine, &job, &other));
    options.parents = &other; /* that is not durable */
    options.durability = LEAT_DURABILITY_GROUP;
    CHECK_STATUS(leat_submit(world->engine, &job, &other), LEAT_UNSUPPORTED);
    options.parents_count = 0;
    options.durability = LEAT_DURABILITY_OS;
    CHECK_OK(leat_submit(world->engine, &job, &other));
    CHECK_OK(leat_cancel(world->engine, other));
    options.durability = (enum leat_durability)(LEAT_DURABILITY_GROUP + 1);
    CHECK_STATUS(leat_submit(world->engine, &job, &other), LEAT_INVALID);
    options.durability = LEAT_DURABILITY_GROUP;
    CHECK_OK(leat_submit(world->engine, &job, &other));
    CHECK_OK(leat_cohort_close(world->engine, cohort));
    world_restart(world);
    CHECK(found(world).jobs == 1);
    world_free(world);
}

static void
a_log_has_one_user(void **state)
{
    struct world *world = world_make();
    struct leat_engine *other = NULL;
    struct leat_error error;
    (void)state;
    CHECK_STATUS(leat_open(&world->config, &other, &error), LEAT_BUSY);
    CHECK_TEXT(error.field, "log_directory");
    world->config.log_directory = "unit_durable.none";
    CHECK_STATUS(leat_open(&world->config, &other, &error), LEAT_NOT_FOUND);
    CHECK_TEXT(error.field, "log_directory");
    CHECK_TEXT(error.text, "log_directory cannot be used: no such directory: unit_durable.none");
    world->config.log_directory = "/dev/null";
    CHECK_STATUS(leat_open(&world->config, &other, &error), LEAT_NOT_FOUND);
    CHECK_TEXT(error.text, "log_directory cannot be used: not a directory: /dev/null");
    world->config.log_directory = "/proc";
    CHECK_STATUS(leat_open(&world->config, &other, &error), LEAT_SYSTEM);
    CHECK_TEXT(error.field, "log_directory");
    CHECK_TEXT(error.text, "log_directory /proc cannot hold a log: the system refuses fsync: "
                           "Invalid argument");
    CHECK(other == NULL);
    world_free(world);
}

static void
fewer_records_are_refused(void **state)
{
    struct world *world = world_make();
    struct leat_engine *other = NULL;
    struct leat_error error;
    (void)state;
    for (uint32_t i = 0; i < 70; i++) {
        (void)submit(world, "many", NULL, 0);
    }
    test_close(world->engine);
    uint32_t jobs_max = world->config.jobs_max;
    world->config.jobs_max = 64;
    CHECK_STATUS(leat_open(&world->config, &other, &error), LEAT_INVALID);
    CHECK_TEXT(error.text, "log_directory has jobs that want a jobs_max of at least 70");
    world->config.jobs_max = 69;
    CHECK_STATUS(leat_open(&world->config, &other, &error), LEAT_INVALID);
    world->config.jobs_max = 70;
    world_open(world);
    CHECK(found(world).jobs == 70);
    test_close(world->engine);
    world->config.jobs_max = jobs_max;
    world_open(world); /* nothing was changed */
    CHECK(found(world).jobs == 70);
    world_free(world);
}

static void
a_completion_is_durable(void **state)
{
    struct world *world = world_make();
    (void)state;
    leat_job_id id = submit(world, "pends", NULL, 0);
    world->way = WAY_PENDING;
    run_all(world);
    world_crash(world); /* it was pending: it waits again */
    CHECK(test_get(world->engine, id).state == LEAT_JOB_PENDING);
    run_all(world);
    CHECK_OK(leat_complete(world->engine, world->token, leat_done(), NULL));
    world_crash(world);
    CHECK(found(world).jobs == 0);
    world_free(world);
}

static struct leat_outcome
heavy(struct leat_run *run, void *context)
{
    (void)run;
    *(uint32_t *)context += 1;
    return leat_done();
}

/* What a log brings back is accepted, and counted, whatever the cap is by then; there is room for
 * types, and none for more jobs. */
static void
jobs_come_back_above_a_cap(void **state)
{
    struct world *world = world_make();
    (void)state;
    static char payload[4000];
    uint64_t bytes = 0;
    uint32_t runs = 0;
    struct leat_job job = leat_job_default();
    job.payload = payload;
    job.payload_bytes = sizeof(payload);
    world->config.memory_max = UINT64_C(1) << 30;
    world_restart(world);
    const uint64_t empty = leat_footprint_used(&world->engine->footprint);
    job.type = test_register(world->engine, "heavy", heavy, &runs);
    for (uint32_t i = 0; i < 200; i++) {
        CHECK_OK(leat_submit(world->engine, &job, NULL));
    }
    world->config.memory_max = empty + empty / 8;
    world_restart(world);
    job.type = test_register(world->engine, "heavy", heavy, &runs);
    CHECK(found(world).jobs == 200);
    CHECK(leat_footprint_check(world->engine, &bytes, stderr));
    CHECK(leat_footprint_used(&world->engine->footprint) > world->config.memory_max);
    CHECK(leat_submit(world->engine, &job, NULL) == LEAT_FULL);
    run_all(world);
    CHECK(runs == 200);
    CHECK_OK(leat_submit(world->engine, &job, NULL));
    run_all(world);
    CHECK(runs == 201);
    world_free(world);
}

/* What this thread has appended to one log is nothing to the next one, wherever that stands. */
static void
a_thread_waits_for_its_own_log(void **state)
{
    struct world *world = world_make();
    leat_job_id id = {0};
    (void)state;
    for (uint32_t i = 0; i < 20; i++) {
        id = submit(world, "x", NULL, 0);
        CHECK_OK(leat_cancel(world->engine, id));
    }
    (void)submit(world, "y", NULL, 0);
    for (uint32_t i = 0; i < 4; i++) {
        world_restart(world);
        CHECK(leat_cancel(world->engine, id) != LEAT_OK); /* and does not wait for ever */
    }
    world_free(world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_come_back_above_a_cap),
        cmocka_unit_test(a_job_that_waits_is_there_again),
        cmocka_unit_test(what_has_ended_stays_ended),
        cmocka_unit_test(a_retry_keeps_attempt_and_time),
        cmocka_unit_test(a_snooze_uses_no_attempt),
        cmocka_unit_test(a_delay_goes_on_while_nobody_looks),
        cmocka_unit_test(dead_letters_keep_their_error),
        cmocka_unit_test(an_open_says_no_end_again),
        cmocka_unit_test(a_kept_result_waits_for_its_release),
        cmocka_unit_test(an_end_beside_who_looks),
        cmocka_unit_test(options_come_back),
        cmocka_unit_test(ids_are_not_given_out_twice),
        cmocka_unit_test(a_batch_is_one_unit),
        cmocka_unit_test(queues_come_back),
        cmocka_unit_test(who_ran_in_a_crash_is_counted),
        cmocka_unit_test(who_says_so_is_not_durable),
        cmocka_unit_test(the_log_is_cleaned),
        cmocka_unit_test(what_is_not_written_is_refused),
        cmocka_unit_test(a_log_has_one_user),
        cmocka_unit_test(fewer_records_are_refused),
        cmocka_unit_test(a_completion_is_durable),
        cmocka_unit_test(a_thread_waits_for_its_own_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
