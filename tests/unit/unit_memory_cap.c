/* unit_memory_cap.c - the cap on an engine's memory: submits below, at and above it, for payloads
 * and for units of records; what is kept for accepted jobs, and what they are told where that is
 * used up, while they run, retry and end; a cap that is lowered below what is there, and raised;
 * queues that wait and drop; payloads of jobs that are cancelled. Every byte is counted once.
 * Without a cap nothing is.
 * Holds I1 and I2 of engine/footprint.h: I1 by an allocator that counts what is out. */
#include "tests/support/memory_cap.h"

#include "engine/completion.h"

/* ---- submits -------------------------------------------------------------------------------- */

static void
payloads(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    CHECK_OK(submit(fixture, 0, NULL)); /* its unit is there */
    leave(fixture, PAYLOAD);
    const uint64_t before = used(fixture);
    CHECK_STATUS(submit(fixture, PAYLOAD + 1, NULL), LEAT_FULL);
    CHECK_EQUAL(used(fixture), before);
    CHECK_EQUAL(refused(fixture), 1);
    CHECK_OK(submit(fixture, PAYLOAD - 65, NULL));
    CHECK_STATUS(submit(fixture, 66, NULL), LEAT_FULL);
    CHECK_OK(submit(fixture, 65, NULL));
    CHECK_EQUAL(used(fixture), before + PAYLOAD);
    /* At the limit what needs nothing is taken in; above it is not. */
    CHECK_OK(submit(fixture, 0, NULL));
    CHECK_OK(submit(fixture, 64, NULL)); /* inline */
    atom_store_rlx(&fixture->engine->footprint.most, cap_for(used(fixture) - 1));
    CHECK_STATUS(submit(fixture, 0, NULL), LEAT_FULL);
    CHECK_EQUAL(refused(fixture), 3);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_submitted, 5);
    run_all(fixture);
    CHECK_EQUAL(fixture->runs, 5);
    CHECK_EQUAL(used(fixture), before);
    CHECK_OK(submit(fixture, PAYLOAD - 1, NULL));
    CHECK_STATUS(submit(fixture, 65, NULL), LEAT_FULL);
    run_all(fixture);
    teardown(fixture);
}

/* The other limit on payloads has back what the cap refuses. */
static void
below_another_limit(void **state)
{
    (void)state;
    struct fixture *fixture = begin();
    struct leat_config config = config_of(fixture, LOTS);
    config.payload_bytes_total_max = PAYLOAD;
    start(fixture, &config);
    leave(fixture, PAYLOAD - 1);
    CHECK_STATUS(submit(fixture, PAYLOAD, NULL), LEAT_FULL);
    leave(fixture, PAYLOAD);
    CHECK_OK(submit(fixture, PAYLOAD, NULL));
    CHECK_EQUAL(refused(fixture), 1);
    run_all(fixture);
    teardown(fixture);
}

static uint64_t
unit_bytes(const struct fixture *fixture)
{
    const struct leat_footprint *footprint = &fixture->engine->footprint;
    return (uint64_t)UNIT * (footprint->each + footprint->lasting);
}

static void
units_of_records(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    CHECK_EQUAL(fixture->engine->footprint.each, 64 + 64 + 32);
    const uint64_t before = used(fixture);
    /* Those that are used before any is used again are counted from open on. */
    leave(fixture, 0);
    for (uint32_t i = 0; i < LEAT_SLAB_ROTATION; i++) {
        CHECK_OK(submit(fixture, 0, NULL));
    }
    leave(fixture, unit_bytes(fixture) - 1);
    CHECK_STATUS(submit(fixture, 0, NULL), LEAT_FULL);
    CHECK_EQUAL(used(fixture), before);
    leave(fixture, unit_bytes(fixture));
    for (uint32_t i = 0; i < UNIT; i++) {
        CHECK_OK(submit(fixture, 0, NULL));
        CHECK_EQUAL(used(fixture), before + unit_bytes(fixture));
    }
    CHECK_STATUS(submit(fixture, 0, NULL), LEAT_FULL);
    CHECK_EQUAL(used(fixture), before + unit_bytes(fixture));
    leave(fixture, unit_bytes(fixture));
    CHECK_OK(submit(fixture, 0, NULL));
    CHECK_STATUS(submit(fixture, 65, NULL), LEAT_FULL);
    run_all(fixture);
    CHECK_EQUAL(fixture->runs, LEAT_SLAB_ROTATION + UNIT + 1);
    CHECK_EQUAL(used(fixture), before + 2 * unit_bytes(fixture));
    teardown(fixture);
}

/* What is kept makes room for what waits, until nothing is. */
static void
kept_jobs_make_room(void **state)
{
    (void)state;
    struct fixture *fixture = begin();
    struct leat_config config = config_of(fixture, LOTS);
    struct leat_job job = leat_job_default();
    struct leat_job_info info = leat_job_info_default();
    leat_job_id ids[8];
    config.retained_max = 8;
    start(fixture, &config);
    const char *tags[] = {"a-tag-of-some-length"};
    struct leat_job_options options = leat_job_options_default();
    options.tags = tags;
    options.tags_count = 1;
    job.type = fixture->type;
    job.options = &options;
    for (uint32_t i = 0; i < 8; i++) {
        CHECK_OK(leat_submit(fixture->engine, &job, &ids[i]));
    }
    run_all(fixture);
    const uint64_t before = used(fixture);
    leave(fixture, 100);
    CHECK_OK(submit(fixture, 101, NULL)); /* one has to go */
    CHECK_STATUS(leat_get(fixture->engine, ids[0], &info), LEAT_GONE);
    CHECK_OK(leat_get(fixture->engine, ids[1], &info));
    CHECK(used(fixture) < before + 101);
    CHECK_STATUS(submit(fixture, (size_t)PAYLOAD * 100, NULL), LEAT_FULL);
    CHECK_STATUS(leat_get(fixture->engine, ids[7], &info), LEAT_GONE);
    run_all(fixture);
    teardown(fixture);
}

static void
batches(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_job jobs[3];
    leat_job_id ids[3] = {{7}, {7}, {7}};
    CHECK_OK(submit(fixture, 0, NULL));
    for (uint32_t i = 0; i < 3; i++) {
        jobs[i] = leat_job_default();
        jobs[i].type = fixture->type;
        jobs[i].payload = payload;
        jobs[i].payload_bytes = PAYLOAD;
    }
    const uint64_t before = used(fixture);
    /* What the call itself takes is out while it asks. */
    leave(fixture, (size_t)3 * PAYLOAD - 1);
    CHECK_STATUS(leat_submit_batch(fixture->engine, jobs, 3, LEAT_BATCH_ALL_OR_NONE, ids, NULL),
                 LEAT_FULL);
    CHECK_EQUAL(ids[0].bits, 7);
    CHECK_EQUAL(used(fixture), before);
    leave(fixture, (size_t)3 * PAYLOAD + 4096);
    CHECK_OK(leat_submit_batch(fixture->engine, jobs, 3, LEAT_BATCH_ALL_OR_NONE, ids, NULL));
    CHECK_EQUAL(used(fixture), before + (size_t)3 * PAYLOAD);
    run_all(fixture);
    CHECK_EQUAL(fixture->runs, 4);
    teardown(fixture);
}

/* ---- accepted jobs -------------------------------------------------------------------------- */

static void
results(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    leat_job_id ids[3];
    for (uint32_t i = 0; i < 3; i++) {
        ids[i] = test_submit_kept(fixture->engine, fixture->type);
    }
    leave(fixture, 0);
    const uint64_t most = leat_footprint_most(&fixture->engine->footprint);
    const uint64_t kept = most - used(fixture);
    CHECK(kept >= PAYLOAD);
    CHECK_STATUS(submit(fixture, 65, NULL), LEAT_FULL);
    /* What is kept for them no submit may use; they may, up to the cap, and not beyond. */
    fixture->result_bytes = kept - sizeof(struct leat_job_extra) + 1;
    CHECK_OK(leat_run_some(fixture->engine, 1, NULL));
    CHECK_STATUS(fixture->said, LEAT_NO_MEMORY);
    CHECK(used(fixture) <= most);
    fixture->result_bytes = most - used(fixture) - sizeof(struct leat_job_extra);
    CHECK_OK(leat_run_some(fixture->engine, 1, NULL));
    CHECK_OK(fixture->said);
    CHECK_EQUAL(used(fixture), most);
    CHECK_OK(leat_run_some(fixture->engine, 1, NULL));
    CHECK_STATUS(fixture->said, LEAT_NO_MEMORY);
    for (uint32_t i = 0; i < 3; i++) {
        const struct leat_job_info info = test_get(fixture->engine, ids[i]);
        CHECK_EQUAL(info.state, LEAT_JOB_COMPLETED);
        CHECK_EQUAL(info.result_bytes, i == 1 ? fixture->result_bytes : 0);
        CHECK_OK(leat_release(fixture->engine, ids[i]));
    }
    teardown(fixture);
}

/* Not a byte is left: a job runs, fails, waits for its time, retries, and dies. */
static void
failing_without_memory(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_type_options options = leat_type_options_default();
    leat_type type = {0};
    options.max_attempts = 3;
    CHECK_OK(leat_type_register(fixture->engine, "fails", run, fixture, &options, &type));
    fixture->fails = true;
    leat_job_id id = test_submit(fixture->engine, type);
    atom_store_rlx(&fixture->engine->footprint.most, used(fixture));
    for (uint32_t i = 0; i < 3; i++) {
        CHECK_OK(leat_run_some(fixture->engine, 1, NULL));
        CHECK_STATUS(fixture->said, LEAT_NO_MEMORY);
        test_clock_pass(&fixture->clock, fixture->engine, S * 3600);
        atom_store_rlx(&fixture->engine->footprint.most, used(fixture));
    }
    CHECK_EQUAL(fixture->runs, 3);
    struct leat_job_info info = test_get(fixture->engine, id);
    CHECK_EQUAL(info.state, LEAT_JOB_DEAD);
    CHECK_TEXT(info.error, "");
    teardown(fixture);
}

/* ---- the knob ------------------------------------------------------------------------------- */

static void
lowered_below_what_is_there(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    for (uint32_t i = 0; i < 10; i++) {
        CHECK_OK(submit(fixture, (size_t)100 * PAYLOAD, NULL));
    }
    const uint64_t all = used(fixture);
    change(fixture, 1);
    CHECK_EQUAL(test_statistics(fixture->engine).memory_max, 1);
    CHECK_STATUS(submit(fixture, 0, NULL), LEAT_FULL);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_waiting, 10);
    CHECK(used(fixture) >= all);
    change(fixture, cap_for(all - (size_t)500 * PAYLOAD));
    CHECK_STATUS(submit(fixture, 0, NULL), LEAT_FULL);
    CHECK_OK(leat_run_some(fixture->engine, 9, NULL));
    CHECK_OK(submit(fixture, 0, NULL));
    change(fixture, 1);
    CHECK_STATUS(submit(fixture, 0, NULL), LEAT_FULL);
    change(fixture, 0); /* no limit; counted as before */
    CHECK_OK(submit(fixture, sizeof(payload), NULL));
    run_all(fixture);
    CHECK_EQUAL(fixture->runs, 12);
    change(fixture, LOTS);
    teardown(fixture);
}

static void
not_counted(void **state)
{
    (void)state;
    struct fixture *fixture = begin();
    const struct leat_config config = config_of(fixture, 0);
    start(fixture, &config);
    CHECK_OK(submit(fixture, PAYLOAD, NULL));
    CHECK_EQUAL(used(fixture), 0);
    CHECK_STATUS(leat_knob_change(fixture->engine, "memory_max", "1g", NULL), LEAT_WRONG_STATE);
    CHECK_STATUS(leat_knob_change(fixture->engine, "memory_soft_percent", "1", NULL),
                 LEAT_WRONG_STATE);
    CHECK_EQUAL(fixture->engine->trim.floor, LEAT_TRIM_RECORDS);
    CHECK(fixture->engine->memory.allocate == config.allocator.allocate);
    run_all(fixture);
    CHECK_EQUAL(used(fixture), 0);
    teardown(fixture);
}

static void
less_than_at_open(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_error error;
    struct leat_engine *engine = NULL;
    uint64_t there = used(fixture);
    teardown(fixture);
    fixture = begin();
    struct leat_config config = config_of(fixture, 1);
    CHECK_STATUS(leat_open(&config, &engine, &error), LEAT_INVALID);
    CHECK_TEXT(error.field, "memory_max");
    CHECK(strstr(error.text, "is too little") != NULL);
    CHECK_EQUAL(test_memory_blocks(&fixture->memory), 0);
    config.memory_max = there / 2;
    CHECK_STATUS(leat_open(&config, &engine, &error), LEAT_INVALID);
    CHECK_EQUAL(test_memory_blocks(&fixture->memory), 0);
    config.memory_soft_percent = 0;
    CHECK_STATUS(leat_open(&config, &engine, &error), LEAT_INVALID);
    CHECK_TEXT(error.field, "memory_soft_percent");
    config.memory_soft_percent = 101;
    CHECK_STATUS(leat_open(&config, &engine, &error), LEAT_INVALID);
    config.memory_soft_percent = 100;
    config.memory_max = cap_for(there + 65536);
    start(fixture, &config);
    CHECK_EQUAL(test_statistics(fixture->engine).memory_max, config.memory_max);
    CHECK_EQUAL(atom_load_rlx(&fixture->engine->footprint.soft_percent), 100);
    teardown(fixture);
}

static void
prefault(void **state)
{
    (void)state;
    struct fixture *fixture = begin();
    struct leat_config config = config_of(fixture, LOTS);
    config.prefault = true;
    config.jobs_max = 1000; /* no whole number of units */
    start(fixture, &config);
    const uint64_t before = used(fixture);
    leave(fixture, 0);
    for (uint32_t i = 0; i < 1000; i++) {
        CHECK_OK(submit(fixture, 64, NULL));
    }
    CHECK_STATUS(submit(fixture, 0, NULL), LEAT_FULL); /* jobs_max */
    CHECK_EQUAL(refused(fixture), 0);
    CHECK_EQUAL(used(fixture), before);
    run_all(fixture);
    teardown(fixture);
}

static void
completion_queues(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_completion_queue *queue = NULL;
    const uint64_t before = used(fixture);
    CHECK_OK(leat_completion_queue_create(fixture->engine, 1000, &queue));
    CHECK(used(fixture) >= before + sizeof(struct leat_completion) * 1000);
    check_bytes(fixture);
    CHECK_OK(leat_completion_queue_destroy(queue));
    CHECK_EQUAL(used(fixture), before);
    /* The cap holds for all calls. */
    CHECK_OK(leat_completion_queue_create(fixture->engine, 1000, &queue));
    const uint64_t with = used(fixture);
    CHECK_OK(leat_completion_queue_destroy(queue));
    atom_store_rlx(&fixture->engine->footprint.most, with - 1);
    CHECK_STATUS(leat_completion_queue_create(fixture->engine, 1000, &queue), LEAT_NO_MEMORY);
    CHECK_EQUAL(used(fixture), before);
    atom_store_rlx(&fixture->engine->footprint.most, with);
    CHECK_OK(leat_completion_queue_create(fixture->engine, 1000, &queue));
    CHECK_OK(leat_completion_queue_destroy(queue));
    teardown(fixture);
}

/* ---- queues that wait and drop -------------------------------------------------------------- */

static void
create(struct fixture *fixture, enum leat_full_policy full, uint64_t block_ns)
{
    struct leat_queue_options options = leat_queue_options_default();
    options.full = full;
    options.block_ns = block_ns;
    CHECK_OK(leat_queue_create(fixture->engine, "q", &options, &fixture->queue));
}

static void
submit_waiting(void *shared, uint32_t number)
{
    struct fixture *fixture = shared;
    (void)number;
    fixture->waited = submit(fixture, PAYLOAD, NULL);
}

static void
waits_for_memory(void **state)
{
    (void)state;
    struct fixture *fixture = begin();
    struct leat_config config = config_of(fixture, LOTS);
    config.workers = 1;
    config.clock = (struct leat_clock){.now = NULL};
    start(fixture, &config);
    create(fixture, LEAT_FULL_BLOCK, 20 * TEST_MS);
    CHECK((leat_queue_options(fixture->engine, fixture->queue.bits - 1) & LEAT_QUEUE_LIMITED) == 0);
    CHECK_OK(leat_queue_pause(fixture->engine, fixture->queue));
    CHECK_OK(submit(fixture, PAYLOAD, NULL));
    CHECK_OK(leat_knob_change(fixture->engine, "memory_max", "1m", NULL));
    CHECK_STATUS(submit(fixture, sizeof(payload), NULL), LEAT_FULL); /* it never would fit */
    CHECK_OK(leat_knob_change(fixture->engine, "memory_max", "1B", NULL));
    uint64_t begin_ns = test_now_ns();
    CHECK_STATUS(submit(fixture, PAYLOAD, NULL), LEAT_TIMEOUT);
    CHECK(test_now_ns() - begin_ns >= 20 * TEST_MS);
    struct leat_queue_limits limits = leat_queue_limits_default();
    limits.full = LEAT_FULL_BLOCK;
    limits.block_ns = LEAT_FOREVER;
    CHECK_OK(leat_queue_set_limits(fixture->engine, fixture->queue, &limits));
    uint64_t before = refused(fixture);
    test_threads_start(&fixture->threads, 1, submit_waiting, fixture);
    while (refused(fixture) < before + 3) { /* it comes again */
        test_sleep_ns(TEST_MS);
    }
    CHECK_OK(leat_knob_change(fixture->engine, "memory_max", "1g", NULL));
    test_threads_join(&fixture->threads);
    CHECK_OK(fixture->waited);
    CHECK_OK(leat_queue_resume(fixture->engine, fixture->queue));
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER));
    CHECK_EQUAL(fixture->runs, 2);
    CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
    teardown(fixture);
}

static void
drops_the_oldest(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    leat_job_id ids[4];
    create(fixture, LEAT_FULL_DROP_OLDEST, 0);
    for (uint32_t i = 0; i < 4; i++) {
        CHECK_OK(submit(fixture, PAYLOAD, &ids[i]));
    }
    leave(fixture, 0);
    const uint64_t before = used(fixture);
    /* As many go as it needs: two. */
    CHECK_OK(submit(fixture, PAYLOAD + 1, NULL));
    CHECK_EQUAL(test_get(fixture->engine, ids[2]).state, LEAT_JOB_PENDING);
    struct leat_queue_info info = leat_queue_info_default();
    CHECK_OK(leat_queue_get_info(fixture->engine, fixture->queue, &info));
    CHECK_EQUAL(info.dropped, 2);
    /* Their memory is there at once, though their places have them yet. */
    CHECK_EQUAL(used(fixture), before - (size_t)2 * PAYLOAD + PAYLOAD + 1);
    /* Not for one that they would not do for; then none goes. */
    CHECK_STATUS(submit(fixture, (size_t)10 * PAYLOAD, NULL), LEAT_FULL);
    CHECK_OK(leat_queue_get_info(fixture->engine, fixture->queue, &info));
    CHECK_EQUAL(info.dropped, 2);
    run_all(fixture);
    CHECK_EQUAL(fixture->runs, 3);
    CHECK_EQUAL(used(fixture), before - (size_t)4 * PAYLOAD);
    teardown(fixture);
}

static uint64_t
dropped(struct fixture *fixture)
{
    struct leat_queue_info info = leat_queue_info_default();
    CHECK_OK(leat_queue_get_info(fixture->engine, fixture->queue, &info));
    return info.dropped;
}

static enum leat_status
submit_at(struct fixture *fixture, uint32_t priority, size_t bytes)
{
    struct leat_job job = leat_job_default();
    job.type = fixture->type;
    job.queue = fixture->queue;
    job.priority = priority;
    job.payload = payload;
    job.payload_bytes = bytes;
    return leat_submit(fixture->engine, &job, NULL);
}

/* What stands in a record would bring nothing; nor does a less urgent job drop another one. What
 * does is enough to the byte. */
static void
drops_what_is_enough(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    create(fixture, LEAT_FULL_DROP_OLDEST, 0);
    CHECK_OK(submit(fixture, 64, NULL));
    CHECK_OK(submit(fixture, PAYLOAD, NULL));
    leave(fixture, 0);
    CHECK_STATUS(submit(fixture, PAYLOAD + 1, NULL), LEAT_FULL);
    CHECK_STATUS(submit_at(fixture, LEAT_PRIORITY_LOW, PAYLOAD), LEAT_FULL);
    CHECK_EQUAL(dropped(fixture), 0);
    CHECK_OK(submit(fixture, PAYLOAD, NULL));
    CHECK_EQUAL(dropped(fixture), 2);
    CHECK_OK(submit_at(fixture, LEAT_PRIORITY_NORMAL, PAYLOAD));
    CHECK_EQUAL(dropped(fixture), 3);
    run_all(fixture);
    teardown(fixture);
}

static uint32_t
hold_by_many(struct fixture *fixture, leat_job_id id)
{
    uint32_t index = 0;
    for (uint32_t i = 0; i < LEAT_HOLDS_MAX; i++) {
        CHECK_OK(leat_job_hold(fixture->engine, id, LEAT_HOLDS_MAX, &index));
    }
    return index;
}

static void
unhold(struct fixture *fixture, uint32_t index)
{
    for (uint32_t i = 0; i < LEAT_HOLDS_MAX; i++) {
        leat_job_unhold(fixture->engine, index);
    }
}

/* One with all the holds that it may have has its payload until its place lets go of it: it is
 * dropped, and that is not enough. */
static void
drops_what_brings_nothing(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    leat_job_id id = {0};
    create(fixture, LEAT_FULL_DROP_OLDEST, 0);
    CHECK_OK(submit(fixture, PAYLOAD, &id));
    uint32_t index = hold_by_many(fixture, id);
    leave(fixture, 0);
    CHECK_STATUS(submit(fixture, PAYLOAD, NULL), LEAT_FULL);
    CHECK_EQUAL(dropped(fixture), 1);
    CHECK_EQUAL(refused(fixture), 3); /* at once, and before and behind the drop */
    run_all(fixture);
    unhold(fixture, index);
    teardown(fixture);
}

/* No more than LEAT_FOOTPRINT_DROPS go for one job: if it is known that they would not do, none
 * does. */
static void
drops_as_many_as_may_be(void **state)
{
    (void)state;
    struct fixture *fixture = begin();
    struct leat_config config = config_of(fixture, LOTS);
    const size_t each = 100;
    leat_job_id first = {0};
    config.prefault = true; /* no unit of records is to be counted */
    start(fixture, &config);
    create(fixture, LEAT_FULL_DROP_OLDEST, 0);
    CHECK_OK(submit(fixture, each, &first));
    for (uint32_t i = 0; i < LEAT_FOOTPRINT_DROPS + 1; i++) {
        CHECK_OK(submit(fixture, each, NULL));
    }
    leave(fixture, 0);
    CHECK_STATUS(submit(fixture, LEAT_FOOTPRINT_DROPS * each + 1, NULL), LEAT_FULL);
    CHECK_EQUAL(dropped(fixture), 0);
    uint32_t index = hold_by_many(fixture, first);
    CHECK_STATUS(submit(fixture, LEAT_FOOTPRINT_DROPS * each, NULL), LEAT_FULL);
    CHECK_EQUAL(dropped(fixture), LEAT_FOOTPRINT_DROPS);
    run_all(fixture);
    CHECK_EQUAL(fixture->runs, 2);
    unhold(fixture, index);
    teardown(fixture);
}

/* ---- jobs that are ended while they wait ---------------------------------------------------- */

static leat_job_id
submit_with(struct fixture *fixture, const struct leat_job_options *options, uint64_t delay_ns)
{
    struct leat_job job = leat_job_default();
    leat_job_id id = {0};
    job.type = fixture->type;
    job.queue = fixture->queue;
    job.payload = payload;
    job.payload_bytes = PAYLOAD;
    job.delay_ns = delay_ns;
    job.options = options;
    CHECK_OK(leat_submit(fixture->engine, &job, &id));
    return id;
}

/* Whatever has the record yet: the payload of a job that is cancelled is there at once, and once;
 * that of one that expired is a dead letter's. */
static void
cancelled_payloads_are_free_at_once(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_job_options options = leat_job_options_default();
    const char *tags[] = {"a-tag"};
    leat_job_id ids[4];
    options.tags = tags;
    options.tags_count = 1;
    ids[0] = submit_with(fixture, NULL, 0);
    ids[1] = submit_with(fixture, NULL, S);
    ids[2] = submit_with(fixture, &options, 0);
    ids[3] = submit_with(fixture, NULL, 0);
    uint64_t before = used(fixture);
    for (uint32_t i = 0; i < 3; i++) {
        CHECK_OK(leat_cancel(fixture->engine, ids[i]));
        before -= PAYLOAD;
        CHECK(used(fixture) <= before);
        CHECK(used(fixture) + sizeof(struct leat_job_extra) + 200 > before);
        CHECK(leat_cancel(fixture->engine, ids[i]) != LEAT_OK);
    }
    size_t purged = 0;
    CHECK_OK(leat_queue_purge(fixture->engine, fixture->queue, &purged));
    CHECK_EQUAL(purged, 1);
    CHECK(used(fixture) <= before - PAYLOAD);
    run_all(fixture);
    CHECK_EQUAL(fixture->runs, 0);
    CHECK(used(fixture) <= before - PAYLOAD);
    check_bytes(fixture);
    options = leat_job_options_default();
    options.expires_in_ns = S;
    before = used(fixture);
    leat_job_id late = submit_with(fixture, &options, 0);
    test_clock_pass(&fixture->clock, fixture->engine, 3 * S);
    CHECK_OK(leat_clock_changed(fixture->engine));
    run_all(fixture);
    CHECK_EQUAL(test_get(fixture->engine, late).state, LEAT_JOB_DEAD);
    CHECK(used(fixture) >= before + PAYLOAD);
    size_t bytes = 0;
    static unsigned char copy[PAYLOAD];
    CHECK_OK(leat_job_payload(fixture->engine, late, copy, sizeof(copy), &bytes));
    CHECK_EQUAL(bytes, PAYLOAD);
    teardown(fixture);
}

/* A job with all the holds that it may have is let be, and its payload with it, until its place
 * lets go of it. */
static void
held_by_many(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    leat_job_id id = submit_with(fixture, NULL, 0);
    uint32_t index = hold_by_many(fixture, id);
    const uint64_t before = used(fixture);
    CHECK_OK(leat_cancel(fixture->engine, id));
    CHECK_EQUAL(used(fixture), before);
    run_all(fixture);
    CHECK_EQUAL(used(fixture), before - PAYLOAD);
    unhold(fixture, index);
    CHECK_EQUAL(used(fixture), before - PAYLOAD);
    teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(payloads),
        cmocka_unit_test(below_another_limit),
        cmocka_unit_test(units_of_records),
        cmocka_unit_test(kept_jobs_make_room),
        cmocka_unit_test(batches),
        cmocka_unit_test(results),
        cmocka_unit_test(failing_without_memory),
        cmocka_unit_test(lowered_below_what_is_there),
        cmocka_unit_test(not_counted),
        cmocka_unit_test(less_than_at_open),
        cmocka_unit_test(prefault),
        cmocka_unit_test(completion_queues),
        cmocka_unit_test(waits_for_memory),
        cmocka_unit_test(drops_the_oldest),
        cmocka_unit_test(drops_what_is_enough),
        cmocka_unit_test(drops_what_brings_nothing),
        cmocka_unit_test(drops_as_many_as_may_be),
        cmocka_unit_test(cancelled_payloads_are_free_at_once),
        cmocka_unit_test(held_by_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
