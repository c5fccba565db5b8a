/* unit_durable_queue.c - what calls have set of queues, and a log: each setting is there behind a
 * close and behind a crash (durable_body.h), before the jobs of its queue can begin; the last one
 * counts, in whatever order the records stand; what leat_queue_create() says counts where no call
 * has said another thing; a pause that a drain made ends with its process. */
#include <pthread.h>

#include "engine/gates.h"
#include "engine/key_rates.h"
#include "engine/order.h"
#include "tests/unit/durable_body.h"

#define SECOND_NS UINT64_C(1000000000)

struct set {
    bool paused;
    bool draining;
    uint32_t running_max;
    uint32_t running_min;
    uint32_t weight;
    struct leat_queue_limits limits;
    struct leat_rate rate;
    struct leat_rate key_rate;
};

static leat_queue
queue_of(struct world *world, const char *name)
{
    leat_queue queue;
    CHECK_OK(leat_queue_find(world->engine, name, &queue));
    return queue;
}

static leat_queue
create(struct world *world, const char *name, const struct leat_queue_options *options)
{
    leat_queue queue;
    CHECK_OK(leat_queue_create(world->engine, name, options, &queue));
    return queue;
}

static struct set
set_of(struct world *world, const char *name)
{
    struct leat_engine *engine = world->engine;
    struct leat_queue_info info = leat_queue_info_default();
    leat_queue queue = queue_of(world, name);
    CHECK_OK(leat_queue_get_info(engine, queue, &info));
    struct set set = {.paused = info.paused,
                      .draining = info.draining,
                      .running_max = info.running_max,
                      .running_min = leat_reserves_get(engine, queue.bits - 1),
                      .weight = leat_weight_of(engine, queue.bits - 1),
                      .limits = leat_room_limits(engine, queue.bits - 1)};
    leat_mutex_lock(&engine->buckets.mutex);
    set.rate = leat_buckets_get(engine, queue.bits - 1);
    set.key_rate = leat_key_rates_get(engine, queue.bits - 1);
    leat_mutex_unlock(&engine->buckets.mutex);
    return set;
}

/* What nobody has set. */
static struct set
set_none(void)
{
    return (struct set){.limits = leat_queue_limits_default()};
}

static void
are(const struct set *found_now, const struct set *wanted)
{
    CHECK(found_now->paused == wanted->paused);
    CHECK(found_now->draining == wanted->draining);
    CHECK_EQUAL(found_now->running_max, wanted->running_max);
    CHECK_EQUAL(found_now->running_min, wanted->running_min);
    CHECK_EQUAL(found_now->weight, wanted->weight);
    CHECK(memcmp(&found_now->limits, &wanted->limits, sizeof(wanted->limits)) == 0);
    CHECK(memcmp(&found_now->rate, &wanted->rate, sizeof(wanted->rate)) == 0);
    CHECK(memcmp(&found_now->key_rate, &wanted->key_rate, sizeof(wanted->key_rate)) == 0);
}

static void
is(struct world *world, const char *name, const struct set *wanted)
{
    const struct set found_now = set_of(world, name);
    are(&found_now, wanted);
}

/* The how many-th of what can be set; what it makes of a queue is added. */
#define SETTINGS 7
static void
set_one(struct world *world, leat_queue queue, uint32_t which, struct set *set)
{
    struct leat_engine *engine = world->engine;
    switch (which) {
    case 0:
        CHECK_OK(leat_queue_pause(engine, queue));
        set->paused = true;
        break;
    case 1:
        set->running_max = 3;
        CHECK_OK(leat_queue_set_running_max(engine, queue, 3));
        break;
    case 2:
        set->rate = leat_rate_of(5, SECOND_NS, 9);
        CHECK_OK(leat_queue_set_rate(engine, queue, set->rate));
        break;
    case 3:
        set->key_rate = leat_rate_of(7, 2 * SECOND_NS, 8);
        CHECK_OK(leat_queue_set_key_rate(engine, queue, set->key_rate));
        break;
    case 4:
        set->running_min = 2;
        CHECK_OK(leat_queue_set_running_min(engine, queue, 2));
        break;
    case 5:
        set->weight = 77;
        CHECK_OK(leat_queue_set_weight(engine, queue, 77));
        break;
    default:
        set->limits.waiting_max = 11;
        set->limits.full = LEAT_FULL_BLOCK;
        set->limits.waiting_bytes_max = 12345;
        set->limits.block_ns = 678;
        CHECK_OK(leat_queue_set_limits(engine, queue, &set->limits));
        break;
    }
}

static struct world *
wide_make(void)
{
    struct world *world = world_make();
    test_close(world->engine);
    world->config.lenders_max = 8;
    world_open(world);
    return world;
}

static leat_job_id
submit_to(struct world *world, leat_queue queue)
{
    leat_job_id id;
    struct leat_job job = leat_job_default();
    job.type = world->type;
    job.queue = queue;
    CHECK_OK(leat_submit(world->engine, &job, &id));
    return id;
}

/* ---- what comes back ------------------------------------------------------------------------- */

/* Alone, and without a word of leat_queue_create(). */
static void
each_setting_comes_back(void **state)
{
    (void)state;
    for (uint32_t which = 0; which < SETTINGS; which++) {
        struct world *world = wide_make();
        struct set set = set_none();
        const struct set none = set_none();
        (void)create(world, "plain", NULL);
        set_one(world, create(world, "set", NULL), which, &set);
        is(world, "set", &set);
        world_crash(world);
        is(world, "set", &set);
        is(world, "plain", &none);
        world_restart(world);
        is(world, "set", &set);
        world_crash(world); /* what was read is as good as what was set */
        is(world, "set", &set);
        world_free(world);
    }
}

static void
all_of_them_come_back(void **state)
{
    struct world *world = wide_make();
    struct set set = set_none();
    struct set of_default = set_none();
    (void)state;
    leat_queue queue = create(world, "set", NULL);
    for (uint32_t i = 0; i < SETTINGS; i++) {
        set_one(world, queue, i, &set);
    }
    set_one(world, queue_of(world, "default"), 1, &of_default);
    world_crash(world);
    is(world, "set", &set);
    is(world, "default", &of_default);
    world_free(world);
}

static void
the_last_one_counts(void **state)
{
    struct world *world = wide_make();
    struct set set = set_none();
    (void)state;
    leat_queue queue = create(world, "set", NULL);
    for (uint32_t i = 0; i < SETTINGS; i++) {
        set_one(world, queue, i, &set);
    }
    CHECK_OK(leat_queue_set_running_max(world->engine, queue, 0));
    CHECK_OK(leat_queue_set_rate(world->engine, queue, leat_rate_of(0, 0, 0)));
    CHECK_OK(leat_queue_set_weight(world->engine, queue, 78));
    CHECK_OK(leat_queue_resume(world->engine, queue));
    set.running_max = 0;
    set.rate = leat_rate_of(0, 0, 0);
    set.weight = 78;
    set.paused = false;
    world_crash(world);
    is(world, "set", &set);
    queue = queue_of(world, "set");
    CHECK_OK(leat_queue_set_key_rate(world->engine, queue, leat_rate_of(0, 0, 0)));
    CHECK_OK(leat_queue_set_running_min(world->engine, queue, 0));
    set.key_rate = leat_rate_of(0, 0, 0);
    set.running_min = 0;
    set.limits = leat_queue_limits_default();
    CHECK_OK(leat_queue_set_limits(world->engine, queue, &set.limits));
    world_crash(world);
    is(world, "set", &set);
    world_free(world);
}

/* In front of its jobs: none begins, and all are counted. */
static void
jobs_meet_what_was_set(void **state)
{
    struct world *world = wide_make();
    struct leat_queue_limits limits = leat_queue_limits_default();
    struct leat_job job = leat_job_default();
    (void)state;
    leat_queue queue = create(world, "set", NULL);
    limits.waiting_max = 2;
    CHECK_OK(leat_queue_set_limits(world->engine, queue, &limits));
    (void)submit_to(world, queue);
    (void)submit_to(world, queue);
    CHECK_OK(leat_queue_pause(world->engine, queue));
    world_crash(world);
    queue = queue_of(world, "set");
    run_all(world);
    CHECK(found(world).jobs == 2 && world->runs == 0);
    job.type = world->type;
    job.queue = queue;
    CHECK_STATUS(leat_submit(world->engine, &job, NULL), LEAT_FULL);
    CHECK_OK(leat_queue_resume(world->engine, queue));
    run_all(world);
    CHECK(world->runs == 2);
    CHECK_OK(leat_submit(world->engine, &job, NULL));
    world_free(world);
}

static void
a_knob_that_was_changed_comes_back(void **state)
{
    struct world *world = wide_make();
    struct leat_error error;
    struct set set = set_none();
    (void)state;
    (void)create(world, "set", NULL);
    CHECK_OK(leat_knob_change(world->engine, "queue.set.waiting_max", "4", &error));
    CHECK_OK(leat_knob_change(world->engine, "queue.set.running_max", "5", &error));
    set.limits.waiting_max = 4;
    set.running_max = 5;
    world_crash(world);
    is(world, "set", &set);
    world_free(world);
}

/* ---- leat_queue_create() --------------------------------------------------------------------- */

static struct leat_queue_options
options_full(void)
{
    struct leat_queue_options options = leat_queue_options_default();
    options.running_max = 6;
    options.running_min = 1;
    options.weight = 9;
    options.waiting_max = 100;
    options.rate = leat_rate_of(1, SECOND_NS, 1);
    options.key_rate = leat_rate_of(2, SECOND_NS, 2);
    return options;
}

static struct set
set_full(void)
{
    struct set set = set_none();
    set.running_max = 6;
    set.running_min = 1;
    set.weight = 9;
    set.limits.waiting_max = 100;
    set.rate = leat_rate_of(1, SECOND_NS, 1);
    set.key_rate = leat_rate_of(2, SECOND_NS, 2);
    return set;
}

/* What a call has set stays, the rest is as the program says this time. */
static void
a_program_makes_it_again(void **state)
{
    (void)state;
    for (uint32_t which = 0; which < SETTINGS; which++) {
        struct world *world = wide_make();
        const struct leat_queue_options options = options_full();
        struct set set = set_full();
        if (which == SETTINGS - 1) {
            set.limits = leat_queue_limits_default();
        }
        set_one(world, create(world, "set", &options), which, &set);
        is(world, "set", &set);
        world_crash(world);
        CHECK(set_of(world, "set").running_max == (which == 1 ? 3 : 0)); /* only that */
        leat_queue queue = create(world, "set", &options);
        is(world, "set", &set);
        CHECK_STATUS(leat_queue_create(world->engine, "set", &options, &queue), LEAT_EXISTS);
        is(world, "set", &set);
        world_restart(world);
        struct leat_queue_options other = options;
        other.priority = options.priority + 1;
        CHECK_STATUS(leat_queue_create(world->engine, "set", &other, &queue), LEAT_EXISTS);
        other = options;
        other.running_max = 8;
        (void)create(world, "set", &other); /* the next version of the program */
        set.running_max = which == 1 ? 3 : 8;
        is(world, "set", &set);
        world_free(world);
    }
}

/* So no job is counted for the queue and not for its tenant. */
static void
limits_come_with_the_tenant(void **state)
{
    struct world *world = wide_make();
    struct leat_tenant_options of_tenant = leat_tenant_options_default();
    struct leat_queue_options options = leat_queue_options_default();
    struct leat_queue_limits limits = leat_queue_limits_default();
    struct leat_tenant_info info = leat_tenant_info_default();
    leat_queue queue;
    (void)state;
    of_tenant.jobs_max = 50;
    limits.waiting_max = 3;
    CHECK_OK(leat_tenant_create(world->engine, "t", &of_tenant, &options.tenant));
    queue = create(world, "set", &options);
    CHECK_OK(leat_queue_set_limits(world->engine, queue, &limits));
    (void)submit_to(world, queue);
    for (uint32_t i = 0; i < 2; i++) { /* the second time read from what was read */
        world_crash(world);
        CHECK_EQUAL(set_of(world, "set").limits.waiting_max, 3);
        CHECK_OK(leat_queue_pause(world->engine, queue_of(world, "set"))); /* which is noted */
        world_crash(world);
        CHECK_OK(leat_tenant_create(world->engine, "t", &of_tenant, &options.tenant));
        queue = create(world, "set", &options);
        (void)submit_to(world, queue);
        CHECK_OK(leat_tenant_get(world->engine, options.tenant, &info));
        CHECK_EQUAL(info.jobs, 1);
        CHECK_EQUAL(set_of(world, "set").limits.waiting_max, 3);
        CHECK_OK(leat_queue_pause(world->engine, queue));
    }
    CHECK_OK(leat_queue_resume(world->engine, queue));
    run_all(world);
    CHECK_OK(leat_tenant_get(world->engine, options.tenant, &info));
    CHECK(info.jobs == 0 && world->runs == 3);
    world_free(world);
}

/* Its limits had none: then one that comes late is refused. */
static void
a_tenant_that_is_late_is_refused(void **state)
{
    struct world *world = wide_make();
    struct leat_queue_options options = leat_queue_options_default();
    struct leat_queue_limits limits = leat_queue_limits_default();
    leat_queue queue = create(world, "set", NULL);
    (void)state;
    limits.waiting_max = 3;
    CHECK_OK(leat_queue_set_limits(world->engine, queue, &limits));
    world_crash(world);
    CHECK_OK(leat_tenant_create(world->engine, "t", NULL, &options.tenant));
    CHECK_STATUS(leat_queue_create(world->engine, "set", &options, &queue), LEAT_EXISTS);
    options.tenant.bits = 0;
    (void)create(world, "set", &options);
    CHECK_EQUAL(set_of(world, "set").limits.waiting_max, 3);
    world_free(world);
}

static void
a_minimum_has_to_fit(void **state)
{
    struct world *world = wide_make();
    struct leat_queue_options options = leat_queue_options_default();
    (void)state;
    CHECK_OK(leat_queue_set_running_min(world->engine, create(world, "set", NULL), 8));
    CHECK_OK(leat_queue_pause(world->engine, queue_of(world, "set")));
    test_close(world->engine);
    world->config.lenders_max = 7;
    world_open(world);
    CHECK(set_of(world, "set").running_min == 0 && set_of(world, "set").paused);
    test_close(world->engine);
    world->config.lenders_max = 8;
    world_open(world);
    CHECK_EQUAL(set_of(world, "set").running_min, 8);
    test_close(world->engine);
    world->config.lenders_max = 7;
    world_open(world);
    options.running_min = 7;
    (void)create(world, "set", &options);
    CHECK_EQUAL(set_of(world, "set").running_min, 7);
    world_free(world);
}

/* ---- drains ---------------------------------------------------------------------------------- */

/* A job runs for ever, so a drain does not end. */
static leat_queue
drained(struct world *world, bool paused)
{
    leat_queue queue = create(world, "set", NULL);
    world->way = WAY_PENDING;
    (void)submit_to(world, queue);
    run_all(world);
    world->way = WAY_DONE;
    if (paused) {
        CHECK_OK(leat_queue_pause(world->engine, queue));
    }
    CHECK_STATUS(leat_queue_drain(world->engine, queue, 1000000), LEAT_TIMEOUT);
    CHECK(set_of(world, "set").paused && set_of(world, "set").draining);
    return queue;
}

static void
the_pause_of_a_drain_ends_with_its_process(void **state)
{
    struct world *world = wide_make();
    struct set set = set_none();
    (void)state;
    leat_queue queue = drained(world, false);
    set.weight = 5;
    CHECK_OK(leat_queue_set_weight(world->engine, queue, 5)); /* which is noted behind it */
    world_crash(world);
    is(world, "set", &set);
    run_all(world);
    CHECK(world->runs == 1);
    /* Also where the log knows of a pause that was taken back, and all is noted anew. */
    CHECK_OK(leat_queue_pause(world->engine, queue_of(world, "set")));
    CHECK_OK(leat_queue_resume(world->engine, queue_of(world, "set")));
    queue = drained(world, false);
    set.weight = 6;
    CHECK_OK(leat_queue_set_weight(world->engine, queue, 6));
    world_restart(world);
    is(world, "set", &set);
    world_free(world);
}

static void
the_pause_of_a_user_stays_beside_a_drain(void **state)
{
    struct world *world = wide_make();
    struct set set = set_none();
    (void)state;
    set.paused = true;
    (void)drained(world, true); /* in front of it */
    world_crash(world);
    is(world, "set", &set);
    CHECK_OK(leat_queue_reopen(world->engine, queue_of(world, "set")));
    leat_queue queue = drained(world, false);
    CHECK_OK(leat_queue_pause(world->engine, queue)); /* behind it */
    world_crash(world);
    is(world, "set", &set);
    CHECK_OK(leat_queue_resume(world->engine, queue_of(world, "set")));
    queue = drained(world, true);
    CHECK_OK(leat_queue_reopen(world->engine, queue)); /* takes both back */
    CHECK(!set_of(world, "set").paused && !set_of(world, "set").draining);
    world_crash(world);
    set.paused = false;
    is(world, "set", &set);
    world_free(world);
}

/* A pause of all is of the engine, and ends with it. */
static void
a_pause_of_all_is_not_of_the_queue(void **state)
{
    struct world *world = wide_make();
    struct set set = set_none();
    (void)state;
    leat_queue queue = create(world, "set", NULL);
    CHECK_OK(leat_pause_all(world->engine));
    set.weight = 5;
    CHECK_OK(leat_queue_set_weight(world->engine, queue, 5));
    CHECK(set_of(world, "set").paused);
    world_crash(world);
    is(world, "set", &set);
    world_free(world);
}

/* ---- records --------------------------------------------------------------------------------- */

static struct leat_durable_tuning
tuning_of(uint32_t version, uint32_t weight)
{
    return (struct leat_durable_tuning){.format = LEAT_DURABLE_FORMAT,
                                        .tuned = LEAT_TUNED_WEIGHT,
                                        .version = version,
                                        .weight = weight,
                                        .block_ns = LEAT_FOREVER};
}

static void
append(struct world *world, uint32_t tag, const struct leat_durable_tuning *tuning,
       const char *name, size_t bytes)
{
    const struct leat_wal_entry entry = {.tag = tag,
                                         .head = tuning,
                                         .head_bytes = sizeof(*tuning),
                                         .data = name,
                                         .data_bytes = (uint32_t)bytes};
    CHECK_OK(leat_durable_append(world->engine->durable, &entry));
}

/* Who has looked first may append last. */
static void
the_higher_version_counts(void **state)
{
    struct world *world = wide_make();
    struct leat_durable_tuning tuning = tuning_of(1, 500);
    (void)state;
    leat_queue queue = create(world, "set", NULL);
    CHECK_OK(leat_queue_set_weight(world->engine, queue, 2));
    CHECK_OK(leat_queue_set_weight(world->engine, queue, 3)); /* version 2 */
    append(world, LEAT_DURABLE_TUNING, &tuning, "set", 3);
    world_crash(world);
    CHECK_EQUAL(set_of(world, "set").weight, 3);
    tuning = tuning_of(3, 501);
    append(world, LEAT_DURABLE_TUNING, &tuning, "set", 3);
    append(world, LEAT_DURABLE_TUNING, &tuning, "new", 3); /* of no other record */
    world_crash(world);
    CHECK_EQUAL(set_of(world, "set").weight, 501);
    CHECK_EQUAL(set_of(world, "new").weight, 501);
    queue = queue_of(world, "set");
    CHECK_OK(leat_queue_set_weight(world->engine, queue, 4)); /* is above what was read */
    world_crash(world);
    CHECK_EQUAL(set_of(world, "set").weight, 4);
    world_free(world);
}

/* An open that finds this record is refused. */
static void
refused(uint32_t tag, const struct leat_durable_tuning *tuning, const char *name, size_t bytes,
        enum leat_status status)
{
    struct world *world = wide_make();
    struct leat_engine *engine = NULL;
    struct leat_error error;
    append(world, tag, tuning, name, bytes);
    test_close(world->engine);
    CHECK_STATUS(leat_open(&world->config, &engine, &error), status);
    CHECK_TEXT(error.field, "log_directory");
    test_directory_empty(world->directory);
    world_open(world);
    world_free(world);
}

static void
what_is_not_as_it_should_be_is_refused(void **state)
{
    static char longest[LEAT_NAME_BYTES_MAX + 1];
    struct leat_durable_tuning tuning = tuning_of(1, 1);
    (void)state;
    memset(longest, 'q', sizeof(longest));
    refused(LEAT_DURABLE_TUNING, &tuning, "", 0, LEAT_CORRUPT);
    refused(LEAT_DURABLE_TUNING, &tuning, "a b", 3, LEAT_CORRUPT);
    refused(LEAT_DURABLE_TUNING, &tuning, longest, sizeof(longest), LEAT_CORRUPT);
    refused(LEAT_DURABLE_TAG_LATER, &tuning, "q", 1, LEAT_UNSUPPORTED);
    tuning.format = LEAT_DURABLE_FORMAT + 1;
    refused(LEAT_DURABLE_TUNING, &tuning, "q", 1, LEAT_UNSUPPORTED);
    tuning = tuning_of(1, 0);
    refused(LEAT_DURABLE_TUNING, &tuning, "q", 1, LEAT_INVALID);
    tuning = tuning_of(1, 1001);
    refused(LEAT_DURABLE_TUNING, &tuning, "q", 1, LEAT_INVALID);
    tuning = tuning_of(1, 1);
    tuning.running_max = LEAT_RUNNING_MAX + 1;
    refused(LEAT_DURABLE_TUNING, &tuning, "q", 1, LEAT_INVALID);
    tuning = tuning_of(1, 1);
    tuning.rate = leat_rate_of(2, 1, 0);
    refused(LEAT_DURABLE_TUNING, &tuning, "q", 1, LEAT_INVALID);
    tuning = tuning_of(1, 1);
    tuning.tuned |= LEAT_TUNED_KEY_RATE;
    tuning.key_rate = leat_rate_of(2, 1, 0);
    refused(LEAT_DURABLE_TUNING, &tuning, "q", 1, LEAT_INVALID);
    tuning = tuning_of(1, 1);
    tuning.tuned |= LEAT_TUNED_LIMITS;
    tuning.full = LEAT_FULL_DROP_OLDEST + 1;
    refused(LEAT_DURABLE_TUNING, &tuning, "q", 1, LEAT_INVALID);
}

/* Until nothing is in the log that is older than now, but as a copy. */
static void
log_turns(struct world *world)
{
    static char payload[2048];
    struct leat_wal *wal = &world->engine->durable->wal;
    const uint64_t newest = leat_wal_newest(wal);
    struct leat_job job = leat_job_default();
    job.type = world->type;
    job.payload = payload;
    job.payload_bytes = sizeof(payload);
    for (uint32_t i = 0; leat_wal_oldest(wal) <= newest; i++) {
        leat_job_id id;
        CHECK(i < 100000);
        CHECK_OK(leat_submit(world->engine, &job, &id));
        CHECK_OK(leat_cancel(world->engine, id));
        run_all(world);
    }
}

/* With the longest name, and a record that is the first of its segment. */
static void
the_cleaner_keeps_what_is_set(void **state)
{
    static char longest[LEAT_NAME_BYTES_MAX + 1];
    struct world *world = wide_make();
    struct set set = set_none();
    (void)state;
    test_close(world->engine);
    world->config.log_segment_bytes = UINT64_C(1) << 16;
    world->config.log_ring_bytes = UINT64_C(1) << 15;
    world_open(world);
    memset(longest, 'q', LEAT_NAME_BYTES_MAX);
    leat_queue queue = create(world, longest, NULL);
    for (uint32_t i = 0; i < SETTINGS; i++) {
        set_one(world, queue, i, &set);
    }
    log_turns(world);
    log_turns(world);                     /* what was copied is copied */
    for (uint32_t i = 0; i < 1000; i++) { /* what is old is not */
        set.weight = i % 1000 + 1;
        CHECK_OK(leat_queue_set_weight(world->engine, queue, set.weight));
    }
    const uint64_t most = world->config.log_segment_bytes * 4;
    for (uint32_t i = 0; i < 1000 && leat_durable_bytes(world->engine) > most; i++) {
        usleep(10000);
    }
    CHECK(leat_durable_bytes(world->engine) <= most);
    log_turns(world);
    world_crash(world);
    is(world, longest, &set);
    world_free(world);
}

/* ---- a log that cannot ----------------------------------------------------------------------- */

static void
a_log_that_cannot_says_so(void **state)
{
    struct world *world = wide_make();
    struct set set = set_none();
    (void)state;
    leat_queue queue = create(world, "set", NULL);
    CHECK_OK(leat_queue_set_weight(world->engine, queue, 7));
    leat_durable_clean_stop(world->engine->durable);
    CHECK_OK(leat_wal_stop(&world->engine->durable->wal));
    atom_store_rlx(&world->engine->durable->wal.full, 1);
    CHECK_STATUS(leat_queue_set_weight(world->engine, queue, 8), LEAT_NO_SPACE);
    CHECK_STATUS(leat_queue_pause(world->engine, queue), LEAT_NO_SPACE);
    CHECK(set_of(world, "set").weight == 8 && set_of(world, "set").paused);
    CHECK_STATUS(leat_queue_set_weight(world->engine, queue, 0), LEAT_INVALID);
    set.weight = 7;
    world_restart(world);
    is(world, "set", &set); /* as it was before */
    queue = queue_of(world, "set");
    atom_store_rlx(&world->engine->durable->wal.failed, 1);
    CHECK_STATUS(leat_queue_resume(world->engine, queue), LEAT_LOG_FAILED);
    CHECK_STATUS(leat_queue_set_running_max(world->engine, queue, 1), LEAT_LOG_FAILED);
    CHECK_STATUS(leat_queue_set_rate(world->engine, queue, leat_rate_of(1, 1, 1)), LEAT_LOG_FAILED);
    CHECK_STATUS(leat_queue_set_key_rate(world->engine, queue, leat_rate_of(1, 1, 1)),
                 LEAT_LOG_FAILED);
    CHECK_STATUS(leat_queue_set_running_min(world->engine, queue, 1), LEAT_LOG_FAILED);
    CHECK_STATUS(leat_queue_set_limits(world->engine, queue, &set.limits), LEAT_LOG_FAILED);
    CHECK_STATUS(leat_queue_reopen(world->engine, queue), LEAT_LOG_FAILED);
    world_free(world);
}

/* ---- several threads ------------------------------------------------------------------------- */

#define ROUNDS  12
#define CHANGES 10

struct setter {
    struct world *world;
    uint32_t number;
};

static void *
setter_run(void *argument)
{
    const struct setter *setter = argument;
    struct leat_engine *engine = setter->world->engine;
    leat_queue queue = queue_of(setter->world, "set");
    for (uint32_t i = 0; i < CHANGES; i++) {
        if (setter->number == 0) {
            CHECK_OK(leat_queue_set_weight(engine, queue, i + 1));
            CHECK_OK(leat_queue_set_rate(engine, queue, leat_rate_of(i + 1, SECOND_NS, 1)));
        } else if (setter->number == 1) {
            CHECK_OK(leat_queue_set_running_max(engine, queue, i + 1));
            CHECK_OK(leat_queue_pause(engine, queue));
        } else {
            CHECK_OK(leat_queue_resume(engine, queue));
            CHECK_OK(leat_queue_set_weight(engine, queue, CHANGES + i));
        }
    }
    return NULL;
}

/* What the log has is what was there when the last call had returned. */
static void
the_log_has_what_is_set(void **state)
{
    struct world *world = wide_make();
    struct setter setters[3];
    pthread_t threads[3];
    (void)state;
    (void)create(world, "set", NULL);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        for (uint32_t i = 0; i < 3; i++) {
            setters[i] = (struct setter){world, i};
            CHECK(pthread_create(&threads[i], NULL, setter_run, &setters[i]) == 0);
        }
        for (uint32_t i = 0; i < 3; i++) {
            CHECK(pthread_join(threads[i], NULL) == 0);
        }
        const struct set before = set_of(world, "set");
        world_crash(world);
        is(world, "set", &before);
    }
    world_free(world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_setting_comes_back),
        cmocka_unit_test(all_of_them_come_back),
        cmocka_unit_test(the_last_one_counts),
        cmocka_unit_test(jobs_meet_what_was_set),
        cmocka_unit_test(a_knob_that_was_changed_comes_back),
        cmocka_unit_test(a_program_makes_it_again),
        cmocka_unit_test(limits_come_with_the_tenant),
        cmocka_unit_test(a_tenant_that_is_late_is_refused),
        cmocka_unit_test(a_minimum_has_to_fit),
        cmocka_unit_test(the_pause_of_a_drain_ends_with_its_process),
        cmocka_unit_test(the_pause_of_a_user_stays_beside_a_drain),
        cmocka_unit_test(a_pause_of_all_is_not_of_the_queue),
        cmocka_unit_test(the_higher_version_counts),
        cmocka_unit_test(what_is_not_as_it_should_be_is_refused),
        cmocka_unit_test(the_cleaner_keeps_what_is_set),
        cmocka_unit_test(a_log_that_cannot_says_so),
        cmocka_unit_test(the_log_has_what_is_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
