/* unit_durable_clock.c - a log and a wall clock that is set: a delay, a retry, a snooze, another
 * time, an expiry and a key that is held for a time last at most as long behind an open as was left
 * of them when that was written, wherever the wall clock was set back to, before or while the
 * process was down; a time of day stays one. And of a log that is older and does not say when it
 * was written: as the wall clock says. */
#include "tests/unit/durable_body.h"

#define DAY_NS  (UINT64_C(24) * 60 * MINUTE_NS)
#define WAIT_NS (10 * MINUTE_NS)
#define PAST_NS (4 * MINUTE_NS)
#define MS_NS   UINT64_C(1000000)

/* ---- what is left ---------------------------------------------------------------------------- */

/* Each of these makes something wait for WAIT_NS, by its job; look() says how long it waits yet,
 * and ends it. */
struct wait {
    const char *name;
    leat_job_id (*begin)(struct world *world);
    uint64_t (*look)(struct world *world, leat_job_id id);
};

static leat_job_id
delayed(struct world *world, uint64_t delay_ns, const struct leat_job_options *options)
{
    leat_job_id id = {0};
    struct leat_job job = leat_job_default();
    job.type = world->type;
    job.delay_ns = delay_ns;
    job.options = options;
    CHECK_OK(leat_submit(world->engine, &job, &id));
    return id;
}

static leat_job_id
begin_delay(struct world *world)
{
    return delayed(world, WAIT_NS, NULL);
}

static leat_job_id
begin_change(struct world *world)
{
    const struct leat_when when = {.delay_ns = WAIT_NS};
    leat_job_id id = delayed(world, WAIT_NS, NULL);
    test_clock_pass(&world->clock, world->engine, MINUTE_NS);
    CHECK_OK(leat_reschedule(world->engine, id, when));
    return id;
}

/* Some time behind its submit: what its content says of that is older. */
static leat_job_id
begin_run(struct world *world, enum way way)
{
    leat_job_id id = delayed(world, 0, NULL);
    test_clock_pass(&world->clock, world->engine, MINUTE_NS);
    world->way = way;
    run_all(world);
    CHECK_EQUAL(world->runs, 1);
    world->way = WAY_DONE;
    return id;
}

static leat_job_id
begin_retry(struct world *world)
{
    return begin_run(world, WAY_RETRY);
}

static leat_job_id
begin_snooze(struct world *world)
{
    return begin_run(world, WAY_SNOOZE);
}

static uint64_t
look_due(struct world *world, leat_job_id id)
{
    const uint64_t left_ns = test_get(world->engine, id).due_in_ns;
    const uint32_t before = world->runs;
    test_clock_pass(&world->clock, world->engine, left_ns - MS_NS);
    run_all(world);
    CHECK_EQUAL(world->runs, before);
    test_clock_pass(&world->clock, world->engine, 2 * MS_NS);
    run_all(world);
    CHECK_EQUAL(world->runs, before + 1);
    return left_ns;
}

static leat_job_id
begin_expiry(struct world *world)
{
    struct leat_job_options options = leat_job_options_default();
    options.expires_in_ns = WAIT_NS;
    return delayed(world, 10 * DAY_NS, &options);
}

/* Minute by minute: who sweeps has a second for it. */
static uint64_t
look_expiry(struct world *world, leat_job_id id)
{
    uint64_t left_ns = 0;
    while (test_get(world->engine, id).state == LEAT_JOB_SCHEDULED) {
        CHECK(left_ns < 60 * MINUTE_NS);
        test_clock_pass(&world->clock, world->engine, MINUTE_NS / 2);
        left_ns += MINUTE_NS / 2;
    }
    const struct leat_job_info info = test_get(world->engine, id);
    CHECK(info.state == LEAT_JOB_DEAD && info.reason == LEAT_REASON_EXPIRED);
    return left_ns;
}

static const char key[] = "key";

static void
key_options(struct leat_job_options *options)
{
    *options = leat_job_options_default();
    options->unique_key = key;
    options->unique_key_bytes = sizeof(key) - 1;
    options->unique_scope = LEAT_UNIQUE_FOR_TIME;
    options->unique_for_ns = WAIT_NS;
}

static leat_job_id
begin_key(struct world *world)
{
    struct leat_job_options options;
    key_options(&options);
    return delayed(world, 10 * DAY_NS, &options);
}

static leat_job_id
begin_held(struct world *world)
{
    const leat_job_id id = begin_key(world);
    CHECK_OK(leat_cancel(world->engine, id));
    return id;
}

static uint64_t
look_key(struct world *world, leat_job_id id)
{
    struct leat_job_options options;
    struct leat_job job = leat_job_default();
    leat_job_id other = {0};
    uint64_t left_ns = 0;
    (void)id;
    key_options(&options);
    job.type = world->type;
    job.options = &options;
    while (leat_submit(world->engine, &job, &other) == LEAT_EXISTS) {
        CHECK(left_ns < 60 * MINUTE_NS);
        test_clock_pass(&world->clock, world->engine, MINUTE_NS / 2);
        left_ns += MINUTE_NS / 2;
    }
    CHECK(other.bits != 0);
    return left_ns;
}

/* It is in the log from now on: retries and snoozes get there within moments. */
static leat_job_id
begin(struct world *world, const struct wait *wait)
{
    const leat_job_id id = wait->begin(world);
    CHECK_OK(leat_durable_wait_all(world->engine, LEAT_DURABILITY_GROUP));
    return id;
}

static const struct wait waits[] = {
    {"delay", begin_delay, look_due},      {"change", begin_change, look_due},
    {"retry", begin_retry, look_due},      {"snooze", begin_snooze, look_due},
    {"expiry", begin_expiry, look_expiry}, {"key", begin_key, look_key},
    {"held key", begin_held, look_key},
};

#define WAITS (sizeof(waits) / sizeof(waits[0]))

/* ---- clocks ---------------------------------------------------------------------------------- */

/* While nobody is there. */
static void
wall_set(struct world *world, int64_t ns)
{
    (void)atom_add_rlx(&world->clock.wall, (uint64_t)ns);
}

/* It is closed, or gone, and the wall clock is set meanwhile. */
static void
opened_again(struct world *world, bool crash, int64_t ns)
{
    if (crash) {
        leat_durable_clean_stop(world->engine->durable);
        CHECK_OK(leat_wal_stop(&world->engine->durable->wal));
        test_directory_empty(world->copy);
        test_directory_copy(world->directory, world->copy);
        wall_set(world, ns);
        world_copied(world);
    } else {
        test_close(world->engine);
        wall_set(world, ns);
        world->runs = 0;
        world_open(world);
    }
    CHECK_EQUAL(found(world).refused, 0);
}

/* By so much is it set: before it begins to wait, behind that, and while nobody is there. Then it
 * waits for so long. */
struct steps {
    int64_t before_ns;
    int64_t behind_ns;
    int64_t down_ns;
    uint64_t left_ns;
};

static void
waits_for(const struct wait *wait, const struct steps *steps, bool crash)
{
    struct world *world = world_make();
    test_clock_step(&world->clock, world->engine, steps->before_ns);
    const leat_job_id id = begin(world, wait);
    test_clock_pass(&world->clock, world->engine, PAST_NS);
    test_clock_step(&world->clock, world->engine, steps->behind_ns);
    opened_again(world, crash, steps->down_ns);
    const uint64_t left_ns = wait->look(world, id);
    if (left_ns != steps->left_ns) {
        print_error("%s: %llu ns left\n", wait->name, (unsigned long long)left_ns);
    }
    CHECK_EQUAL(left_ns, steps->left_ns);
    world_free(world);
}

static void
nothing_lasts_longer(void **state)
{
    const int64_t day = (int64_t)DAY_NS;
    const int64_t minute = (int64_t)MINUTE_NS;
    const struct steps all[] = {
        {0, 0, 0, WAIT_NS - PAST_NS},
        {0, 0, -day, WAIT_NS},
        {0, -day, 0, WAIT_NS},
        {0, 0, -minute, WAIT_NS - PAST_NS + MINUTE_NS},
        {0, 0, minute, WAIT_NS - PAST_NS - MINUTE_NS},
        {-day, 0, 0, WAIT_NS - PAST_NS},
        {day, 0, -day, WAIT_NS},
        {day, 0, 0, WAIT_NS - PAST_NS},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        for (size_t k = 0; k < WAITS; k++) {
            waits_for(&waits[k], &all[i], i % 2 == 0);
            waits_for(&waits[k], &all[i], i % 2 != 0);
        }
    }
}

/* Behind an open the same holds of the next one: what was not written again waits as long as at
 * first, and what was, as long as by then. */
static void
the_next_open_too(void **state)
{
    (void)state;
    for (size_t k = 0; k < WAITS; k++) {
        struct world *world = world_make();
        const leat_job_id id = begin(world, &waits[k]);
        opened_again(world, true, -(int64_t)DAY_NS);
        test_clock_pass(&world->clock, world->engine, PAST_NS);
        opened_again(world, true, 0);
        CHECK_EQUAL(waits[k].look(world, id), WAIT_NS);
        world_free(world);
    }
}

/* Whom somebody has brought back from the dead, it has no expiry any more: neither behind an open,
 * nor once it was written anew by that one. */
static void
brought_back_it_lasts(void **state)
{
    struct world *world = world_make();
    const struct leat_when later = {.delay_ns = DAY_NS};
    const leat_job_id id = begin_expiry(world);
    (void)state;
    (void)look_expiry(world, id);
    run_all(world); /* it comes to the letters */
    CHECK_OK(leat_dead_retry(world->engine, id, later));
    opened_again(world, true, 0);
    CHECK_OK(leat_reschedule(world->engine, id, later));
    opened_again(world, true, 0);
    for (uint64_t i = 0; i < 2 * WAIT_NS / MINUTE_NS; i++) {
        test_clock_pass(&world->clock, world->engine, MINUTE_NS);
    }
    CHECK_EQUAL(look_due(world, id), DAY_NS - 2 * WAIT_NS);
    world_free(world);
}

/* ---- a time of day --------------------------------------------------------------------------- */

static void
a_time_of_day_stays(void **state)
{
    struct world *world = world_make();
    struct leat_job_options options = leat_job_options_default();
    (void)state;
    options.run_at_ns = atom_load_rlx(&world->clock.wall) + WAIT_NS;
    const leat_job_id id = delayed(world, 0, &options);
    opened_again(world, true, -(int64_t)DAY_NS);
    CHECK_EQUAL(test_get(world->engine, id).due_in_ns, DAY_NS + WAIT_NS);
    opened_again(world, false, (int64_t)DAY_NS);
    CHECK_EQUAL(look_due(world, id), WAIT_NS);
    world_free(world);
}

/* ---- older logs ------------------------------------------------------------------------------ */

/* Batches without their time, as older versions write them. With the role, as the log's own thread
 * may be about to write one. */
static void
get_older(struct world *world)
{
    struct leat_wal *wal = &world->engine->durable->wal;
    while (!leat_wal_role_take(&wal->role)) {
        leat_os_yield();
    }
    wal->config.wall_ns = NULL;
    leat_wal_role_give(&wal->role, true);
}

static void
an_older_log_goes_by_the_wall_clock(void **state)
{
    (void)state;
    for (size_t k = 0; k < WAITS; k++) {
        struct world *world = world_make();
        get_older(world);
        const leat_job_id id = begin(world, &waits[k]);
        test_clock_pass(&world->clock, world->engine, PAST_NS);
        opened_again(world, true, -(int64_t)MINUTE_NS);
        CHECK_EQUAL(waits[k].look(world, id), WAIT_NS - PAST_NS + MINUTE_NS);
        world_free(world);
    }
}

/* A delay a day long: what a key is held for in all was known before. */
static void
an_older_log_waits_as_it_did(void **state)
{
    struct world *world = world_make();
    (void)state;
    get_older(world);
    const leat_job_id id = begin(world, &waits[2]);
    opened_again(world, true, -(int64_t)DAY_NS);
    CHECK_EQUAL(look_due(world, id), WAIT_NS + DAY_NS);
    world_free(world);
}

/* ---- cleaning -------------------------------------------------------------------------------- */

/* Jobs that come and go, until the cleaner has passed what was there. */
static void
churn(struct world *world)
{
    static const char payload[4096];
    struct leat_wal *wal = &world->engine->durable->wal;
    const uint64_t newest = leat_wal_newest(wal);
    bool passed = false;
    struct leat_job job = leat_job_default();
    job.type = world->type;
    job.delay_ns = MINUTE_NS;
    job.payload = payload;
    job.payload_bytes = sizeof(payload);
    for (uint32_t i = 0; i < 10000 && !passed; i++) {
        leat_job_id id = {0};
        CHECK_OK(leat_submit(world->engine, &job, &id));
        CHECK_OK(leat_cancel(world->engine, id));
        const uint64_t oldest = leat_wal_oldest(wal);
        passed = leat_wal_newest(wal) > newest && (oldest == 0 || oldest > newest);
    }
    CHECK(passed);
}

/* It is written anew with what is left by then, also where the wall clock was set meanwhile. */
static void
copied(const struct wait *wait, int64_t step_ns, int64_t down_ns, uint64_t wanted_ns)
{
    struct world *world = world_make();
    world->config.log_segment_bytes = UINT64_C(1) << 16;
    world->config.log_ring_bytes = UINT64_C(1) << 15;
    world_restart(world);
    const leat_job_id id = begin(world, wait);
    test_clock_pass(&world->clock, world->engine, PAST_NS);
    test_clock_step(&world->clock, world->engine, step_ns);
    churn(world);
    opened_again(world, true, down_ns);
    const uint64_t left_ns = wait->look(world, id);
    if (left_ns != wanted_ns) {
        print_error("%s: %llu ns left\n", wait->name, (unsigned long long)left_ns);
    }
    CHECK_EQUAL(left_ns, wanted_ns);
    world_free(world);
}

static void
what_is_copied_has_less_left(void **state)
{
    const int64_t day = (int64_t)DAY_NS;
    (void)state;
    for (size_t k = 0; k < WAITS; k++) {
        copied(&waits[k], 0, -day, WAIT_NS - PAST_NS);
        copied(&waits[k], -day, 0, WAIT_NS - PAST_NS);
        copied(&waits[k], -day, -day, WAIT_NS - PAST_NS);
    }
}

/* ---- whose clock ----------------------------------------------------------------------------- */

struct seen {
    uint64_t written_ns;
    uint32_t jobs;
};

static bool
record_see(void *context, struct leat_wal_place place, const struct leat_wal_record *record)
{
    struct seen *seen = context;
    if (record->tag == LEAT_DURABLE_JOB) {
        seen->jobs++;
        seen->written_ns = place.written_ns;
    }
    return true;
}

static struct seen
seen_in(const struct world *world)
{
    struct seen seen = {0};
    struct leat_wal_report report;
    const struct leat_wal_reader reader = {record_see, &seen};
    const struct leat_wal_config config = {.files = &leat_wal_files_system,
                                           .directory = world->copy,
                                           .memory = leat_memory_default(),
                                           .segment_bytes = world->config.log_segment_bytes,
                                           .ring_bytes = world->config.log_ring_bytes};
    CHECK_OK(leat_wal_read(&config, &reader, &report));
    return seen;
}

/* The engine's, which is the system's if it has no other. */
static void
the_log_has_the_clock_of_its_engine(void **state)
{
    struct world *world = world_make();
    (void)state;
    test_clock_pass(&world->clock, world->engine, 12345);
    const uint64_t wall_ns = atom_load_rlx(&world->clock.wall);
    (void)delayed(world, WAIT_NS, NULL);
    opened_again(world, true, 0);
    test_close(world->engine);
    struct seen seen = seen_in(world);
    CHECK(seen.jobs == 1 && seen.written_ns == wall_ns);
    world->config.clock = (struct leat_clock){NULL, NULL};
    world_open(world);
    const uint64_t before_ns = leat_os_wall_ns();
    (void)delayed(world, WAIT_NS, NULL);
    world_crash(world);
    test_close(world->engine);
    const uint64_t behind_ns = leat_os_wall_ns(); /* the cleaner may have come by */
    seen = seen_in(world);
    CHECK(seen.jobs >= 2 && seen.written_ns >= before_ns && seen.written_ns <= behind_ns);
    world_open(world);
    world_free(world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_lasts_longer),
        cmocka_unit_test(the_next_open_too),
        cmocka_unit_test(brought_back_it_lasts),
        cmocka_unit_test(a_time_of_day_stays),
        cmocka_unit_test(an_older_log_goes_by_the_wall_clock),
        cmocka_unit_test(an_older_log_waits_as_it_did),
        cmocka_unit_test(what_is_copied_has_less_left),
        cmocka_unit_test(the_log_has_the_clock_of_its_engine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
