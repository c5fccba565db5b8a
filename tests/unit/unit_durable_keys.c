/* unit_durable_keys.c - unique keys and a log: a key that is held for a time is held till its
 * moment, though its job is gone and the process, too; and at an open no job gives way that was
 * acknowledged, nor does one get in that was refused. Each prefix of a log is gone on with. */
#include <pthread.h>

#include "tests/support/log_cut.h"
#include "tests/unit/durable_body.h"

#define FOR_NS (10 * MINUTE_NS)

/* ---- submits --------------------------------------------------------------------------------- */

struct want {
    const char *key;
    enum leat_unique_scope scope;
    enum leat_unique_conflict conflict;
    uint64_t delay_ns;
    uint32_t flags;
};

static void
want_read(struct world *world, const struct want *want, struct leat_job_options *options,
          struct leat_job *job)
{
    *options = leat_job_options_default();
    options->unique_key = want->key;
    options->unique_key_bytes = strlen(want->key);
    options->unique_scope = want->scope;
    options->unique_conflict = want->conflict;
    options->unique_for_ns = want->scope == LEAT_UNIQUE_FOR_TIME ? FOR_NS : 0;
    *job = leat_job_default();
    job->type = world->type;
    job->delay_ns = want->delay_ns;
    job->flags = want->flags;
    job->options = options;
}

static enum leat_status
try_submit(struct world *world, struct want want, leat_job_id *id)
{
    struct leat_job_options options;
    struct leat_job job;
    want_read(world, &want, &options, &job);
    return leat_submit(world->engine, &job, id);
}

static leat_job_id
let_in(struct world *world, struct want want)
{
    leat_job_id id = {0};
    CHECK_OK(try_submit(world, want, &id));
    return id;
}

static const struct want timed = {.key = "key", .scope = LEAT_UNIQUE_FOR_TIME};

/* Another one with that key is not let in, nor found at the next open. */
static void
is_held(struct world *world)
{
    leat_job_id id = {0};
    CHECK_STATUS(try_submit(world, timed, &id), LEAT_EXISTS);
}

static bool
is_there(struct world *world, leat_job_id id)
{
    struct leat_job_info info = leat_job_info_default();
    return leat_get(world->engine, id, &info) == LEAT_OK;
}

/* The machine is off for so long. */
static void
world_off(struct world *world, uint64_t ns)
{
    test_close(world->engine);
    (void)atom_add_rlx(&world->clock.wall, ns);
    world_open(world);
}

/* ---- held for a time ------------------------------------------------------------------------- */

/* Each of these ends a job with such a key. */
static void
end_done(struct world *world)
{
    (void)let_in(world, timed);
    run_all(world);
    CHECK_EQUAL(world->runs, 1);
}

static void
end_cancelled(struct world *world)
{
    struct want want = timed;
    want.delay_ns = MINUTE_NS;
    CHECK_OK(leat_cancel(world->engine, let_in(world, want)));
}

static void
end_deleted(struct world *world)
{
    world->way = WAY_FAIL;
    leat_job_id id = let_in(world, timed);
    run_all(world);
    world->way = WAY_DONE;
    CHECK_OK(leat_dead_delete(world->engine, id));
}

static void
end_dead(struct world *world)
{
    world->way = WAY_FAIL;
    (void)let_in(world, timed);
    run_all(world);
    world->way = WAY_DONE;
}

static void
end_kept(struct world *world)
{
    struct want want = timed;
    want.flags = LEAT_JOB_KEEP_RESULT;
    (void)let_in(world, want);
    run_all(world);
}

static void
end_released(struct world *world)
{
    struct want want = timed;
    want.flags = LEAT_JOB_KEEP_RESULT;
    leat_job_id id = let_in(world, want);
    run_all(world);
    CHECK_OK(leat_release(world->engine, id));
}

static void
end_none(struct world *world)
{
    struct want want = timed;
    want.delay_ns = 60 * MINUTE_NS;
    (void)let_in(world, want);
}

/* Once more written anew, as an open may, it says by then what is left; and once not. */
static void
held_till_its_moment(void (*end)(struct world *world), bool again)
{
    struct world *world = world_make();
    end(world);
    is_held(world);
    world_crash(world);
    is_held(world);
    world_off(world, FOR_NS - 2 * MINUTE_NS);
    CHECK_EQUAL(found(world).refused, 0);
    is_held(world);
    test_clock_pass(&world->clock, world->engine, MINUTE_NS);
    if (again) {
        world_restart(world);
        is_held(world);
    }
    test_clock_pass(&world->clock, world->engine, MINUTE_NS - 1000000);
    is_held(world);
    test_clock_pass(&world->clock, world->engine, 2000000);
    (void)let_in(world, timed);
    world_free(world);
}

static void
a_key_is_held_till_its_moment(void **state)
{
    static void (*const ends[])(struct world * world) = {
        end_done, end_cancelled, end_deleted, end_dead, end_kept, end_released, end_none};
    (void)state;
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        held_till_its_moment(ends[i], true);
        held_till_its_moment(ends[i], false);
    }
}

/* Keys are of their type, and a letter that comes back from the dead has its key. */
static void
a_letter_that_comes_back(void **state)
{
    struct world *world = world_make();
    const struct leat_when now = {.delay_ns = 0};
    (void)state;
    world->way = WAY_FAIL;
    leat_job_id id = let_in(world, timed);
    run_all(world);
    world->way = WAY_DONE;
    world_crash(world);
    leat_type type = world->type;
    world->type = test_register(world->engine, "other", handler, world);
    (void)let_in(world, timed);
    world->type = type;
    CHECK_OK(leat_dead_retry(world->engine, id, now));
    is_held(world);
    run_all(world);
    CHECK_EQUAL(world->runs, 2);
    world_crash(world);
    is_held(world);
    world_free(world);
}

/* ---- who never had it ------------------------------------------------------------------------ */

static void
who_was_refused_holds_nothing(void **state)
{
    struct world *world = world_make();
    struct leat_job_options options[2];
    struct leat_job jobs[2];
    leat_job_id ids[2];
    struct want fresh = timed;
    (void)state;
    fresh.key = "fresh";
    end_none(world);
    is_held(world);
    want_read(world, &fresh, &options[0], &jobs[0]);
    want_read(world, &timed, &options[1], &jobs[1]);
    CHECK_STATUS(leat_submit_batch(world->engine, jobs, 2, LEAT_BATCH_ALL_OR_NONE, ids, NULL),
                 LEAT_EXISTS);
    test_clock_pass(&world->clock, world->engine, FOR_NS - MINUTE_NS);
    is_held(world);
    test_clock_pass(&world->clock, world->engine, 2 * MINUTE_NS);
    world_crash(world);
    CHECK_EQUAL(found(world).jobs, 1);
    (void)let_in(world, fresh);
    (void)let_in(world, timed);
    world_free(world);
}

/* ---- who comes behind ------------------------------------------------------------------------ */

/* Behind each prefix of what was logged: how many of two are there, at the first one that is. */
static void
prefixes_check(struct world *world, const leat_job_id *ids, bool one_always)
{
    char cut[] = "unit_durable_cut.XXXXXX";
    test_close(world->engine);
    struct test_log *log = test_log_read(world->directory);
    bool began = false;
    for (uint32_t count = 1; count <= test_log_count(log); count++) {
        if (!test_log_whole(log, count)) {
            continue;
        }
        strcpy(cut, "unit_durable_cut.XXXXXX");
        CHECK(mkdtemp(cut) != NULL);
        test_log_write(log, count, cut);
        world->config.log_directory = cut;
        world->engine = test_open(&world->config);
        uint32_t there = 0;
        for (uint32_t i = 0; i < 2; i++) {
            there += is_there(world, ids[i]) ? 1 : 0;
        }
        began = began || there != 0;
        CHECK(there <= 1);
        CHECK(!one_always || !began || there == 1);
        CHECK(one_always || found(world).jobs == there);
        test_close(world->engine);
        test_directory_remove(cut);
    }
    CHECK(began);
    test_log_free(log);
    world_open(world);
}

/* It is cancelled for the other one: at no moment are both gone, or both there. */
static void
one_replaces_another(void **state)
{
    struct world *world = world_make();
    struct want want = timed;
    leat_job_id ids[2];
    (void)state;
    want.delay_ns = 60 * MINUTE_NS;
    ids[0] = let_in(world, want);
    want.conflict = LEAT_UNIQUE_REPLACE;
    test_clock_pass(&world->clock, world->engine, FOR_NS / 2);
    ids[1] = let_in(world, want);
    world_crash(world);
    CHECK(!is_there(world, ids[0]) && is_there(world, ids[1]));
    prefixes_check(world, ids, true);
    test_clock_pass(&world->clock, world->engine, FOR_NS / 2 + MINUTE_NS);
    is_held(world); /* for its own time */
    CHECK(is_there(world, ids[1]));
    world_free(world);
}

/* One that replaces comes too late for who has ended: it is refused, and stays so. */
static void
one_cannot_replace_a_key(void **state)
{
    struct world *world = world_make();
    struct want want = timed;
    leat_job_id ids[2] = {{0}};
    (void)state;
    want.delay_ns = 60 * MINUTE_NS;
    ids[0] = let_in(world, want);
    CHECK_OK(leat_cancel(world->engine, ids[0]));
    test_clock_pass(&world->clock, world->engine, MINUTE_NS);
    want.conflict = LEAT_UNIQUE_REPLACE;
    CHECK_STATUS(try_submit(world, want, &ids[1]), LEAT_EXISTS);
    prefixes_check(world, ids, false);
    is_held(world);
    CHECK_EQUAL(found(world).jobs, 0);
    world_free(world);
}

/* While a job waits its time is over, and another one gets in; then the clock on the wall is set
 * back: neither gives way. */
static void
a_clock_that_is_set_back(void **state)
{
    struct world *world = world_make();
    struct want want = timed;
    (void)state;
    want.delay_ns = 60 * MINUTE_NS;
    leat_job_id first = let_in(world, want);
    test_clock_pass(&world->clock, world->engine, FOR_NS + MINUTE_NS);
    leat_job_id second = let_in(world, want);
    test_close(world->engine);
    (void)atom_sub_rlx(&world->clock.wall, FOR_NS);
    world_open(world);
    CHECK_EQUAL(found(world).refused, 0);
    CHECK(is_there(world, first) && is_there(world, second));
    is_held(world);
    world_free(world);
}

/* A machine without a clock of its own begins in the past: a key of before does not stand in the
 * way of who came behind it, nor for longer than it ever was to be held. */
static void
a_clock_that_begins_anew(void **state)
{
    struct world *world = world_make();
    struct want want = timed;
    struct want other = timed;
    (void)state;
    end_done(world);
    other.key = "other";
    CHECK_OK(leat_cancel(world->engine, let_in(world, other)));
    test_clock_pass(&world->clock, world->engine, FOR_NS + MINUTE_NS);
    want.delay_ns = 60 * MINUTE_NS;
    leat_job_id second = let_in(world, want);
    test_close(world->engine);
    uint64_t wall_ns = atom_load_rlx(&world->clock.wall);
    atom_store_rlx(&world->clock.wall, MINUTE_NS);
    world_open(world);
    CHECK_EQUAL(found(world).refused, 0);
    CHECK(is_there(world, second));
    is_held(world);
    leat_job_id id = {0};
    CHECK_STATUS(try_submit(world, other, &id), LEAT_EXISTS);
    test_clock_pass(&world->clock, world->engine, FOR_NS);
    (void)let_in(world, other);
    (void)let_in(world, timed);
    atom_store_rlx(&world->clock.wall, wall_ns);
    world_restart(world);
    CHECK(is_there(world, second));
    world_free(world);
}

/* A key until the begin of its job, which runs, and has submitted the next one. The process crashes
 * in that moment. */
struct begun {
    struct world *world;
    leat_job_id next;
};

static struct leat_outcome
begun_handler(struct leat_run *run, void *context)
{
    struct begun *begun = context;
    struct world *world = begun->world;
    (void)run;
    if (begun->next.bits == 0) {
        begun->next = let_in(
            world,
            (struct want){.key = "key", .scope = LEAT_UNIQUE_UNTIL_STARTED, .delay_ns = MINUTE_NS});
        leat_durable_clean_stop(world->engine->durable);
        CHECK_OK(leat_wal_stop(&world->engine->durable->wal));
        test_directory_copy(world->directory, world->copy);
    }
    return leat_done();
}

static void
begun_register(struct begun *begun)
{
    begun->world->type = test_register(begun->world->engine, "begun", begun_handler, begun);
}

static void
who_has_begun_gives_way(void **state)
{
    struct world *world = world_make();
    struct begun begun = {.world = world};
    (void)state;
    begun_register(&begun);
    leat_job_id first =
        let_in(world, (struct want){.key = "key", .scope = LEAT_UNIQUE_UNTIL_STARTED});
    run_all(world);
    CHECK(begun.next.bits != 0);
    world_copied(world);
    CHECK_EQUAL(found(world).refused, 0);
    CHECK(is_there(world, first) && is_there(world, begun.next));
    begun_register(&begun);
    run_all(world);
    world_restart(world);
    CHECK(!is_there(world, first) && is_there(world, begun.next));
    world_free(world);
}

static uint32_t
claimed_count(struct world *world)
{
    test_close(world->engine);
    struct test_log *log = test_log_read(world->directory);
    uint32_t count = test_log_tagged(log, LEAT_DURABLE_CLAIMED);
    test_log_free(log);
    world_open(world);
    return count;
}

/* Where who had it has ended, and the log says so, nothing more has to be said; where the log may
 * have two that have it, once. */
static void
used_again_and_again(void **state)
{
    struct world *world = world_make();
    struct want want = {.key = "key", .scope = LEAT_UNIQUE_UNTIL_FINISHED};
    struct want later = want;
    struct want instead = want;
    (void)state;
    later.delay_ns = MINUTE_NS;
    instead.delay_ns = MINUTE_NS;
    instead.conflict = LEAT_UNIQUE_REPLACE;
    for (uint32_t i = 0; i < 5; i++) {
        (void)let_in(world, want);
        run_all(world);
        CHECK_OK(leat_cancel(world->engine, let_in(world, later)));
        (void)let_in(world, later);
        CHECK_OK(leat_cancel(world->engine, let_in(world, instead)));
    }
    CHECK_EQUAL(claimed_count(world), 0);
    want.scope = LEAT_UNIQUE_UNTIL_STARTED;
    world->way = WAY_PENDING;
    (void)let_in(world, want);
    run_all(world);
    (void)let_in(world, want);
    CHECK_EQUAL(claimed_count(world), 1);
    world_free(world);
}

/* While a job claims, another thread is at work: once, when the first time is asked for behind the
 * image of that job, which is whether who has the key has it yet. */
struct between {
    struct world *world;
    bool armed;
    uint64_t sequence; /* of the last image before */
};

/* Meanwhile the time of who has the key is over, though not by the wall, whose clock is set back;
 * and another job takes the key, and ends. That one is in no log. */
static void *
another_comes_and_goes(void *context)
{
    struct world *world = context;
    struct leat_job_options options;
    struct leat_job job;
    leat_job_id id = {0};
    want_read(world, &(struct want){.key = "key"}, &options, &job);
    options.durability = LEAT_DURABILITY_NONE;
    (void)atom_add_rlx(&world->clock.boot, FOR_NS);
    CHECK_OK(leat_submit(world->engine, &job, &id));
    CHECK_OK(leat_cancel(world->engine, id));
    return NULL;
}

static uint64_t
sequence_of(struct world *world)
{
    return atom_load_rlx(&world->engine->durable->sequence);
}

static uint64_t
between_now(enum leat_clock_kind kind, void *context)
{
    struct between *between = context;
    const struct leat_clock clock = test_clock_of(&between->world->clock);
    if (between->armed && kind == LEAT_CLOCK_BOOT &&
        sequence_of(between->world) != between->sequence) {
        pthread_t other;
        between->armed = false;
        CHECK(pthread_create(&other, NULL, another_comes_and_goes, between->world) == 0);
        CHECK(pthread_join(other, NULL) == 0);
    }
    return clock.now(kind, clock.context);
}

/* The log has the key as the first one's, whatever came between them: that it was taken is said. */
static void
one_comes_between(void **state)
{
    struct world *world = world_make();
    struct between between = {.world = world};
    struct want want = timed;
    (void)state;
    test_close(world->engine);
    world->config.clock = (struct leat_clock){between_now, &between};
    world_open(world);
    want.delay_ns = 60 * MINUTE_NS;
    leat_job_id first = let_in(world, want);
    between.sequence = sequence_of(world);
    between.armed = true;
    leat_job_id second = let_in(world, (struct want){.key = "key"});
    CHECK(!between.armed);
    CHECK_EQUAL(claimed_count(world), 1);
    CHECK_EQUAL(found(world).refused, 0);
    CHECK(is_there(world, first) && is_there(world, second));
    is_held(world);
    world_free(world);
}

/* ---- cleaning -------------------------------------------------------------------------------- */

static void
small_segments(struct world *world)
{
    test_close(world->engine);
    world->config.log_segment_bytes = UINT64_C(1) << 16;
    world->config.log_ring_bytes = UINT64_C(1) << 15;
    world_open(world);
}

/* So much goes through the log that the cleaner has passed all that is in it. */
static void
pass_all(struct world *world)
{
    static char payload[4001];
    struct leat_wal *wal = &world->engine->durable->wal;
    const uint64_t newest = leat_wal_newest(wal);
    bool passed = false;
    memset(payload, 'p', sizeof(payload) - 1);
    for (uint32_t i = 0; i < 10000 && !passed; i++) {
        leat_job_id id = submit(world, payload, NULL, 0);
        CHECK_OK(leat_cancel(world->engine, id));
        if (i % 32 == 31) {
            size_t ran = 0; /* whose places have the records */
            while (leat_run_some(world->engine, 100, &ran) == LEAT_OK) {
            }
        }
        uint64_t oldest = leat_wal_oldest(wal);
        passed = leat_wal_newest(wal) > newest && (oldest == 0 || oldest > newest);
    }
    CHECK(passed);
}

static uint64_t
live_bytes(struct world *world)
{
    struct leat_health health = leat_health_default();
    CHECK_OK(leat_health_get(world->engine, &health));
    return health.log_live_bytes;
}

static void
the_cleaner_keeps_keys(void **state)
{
    struct world *world = world_make();
    (void)state;
    small_segments(world);
    uint64_t none = live_bytes(world);
    end_done(world);
    uint64_t one = live_bytes(world);
    CHECK(one > none);
    pass_all(world);
    CHECK_EQUAL(live_bytes(world), one);
    world_crash(world);
    CHECK_EQUAL(live_bytes(world), one);
    is_held(world);
    CHECK_EQUAL(live_bytes(world), one);
    run_all(world);
    pass_all(world);
    world_crash(world);
    is_held(world);
    test_clock_pass(&world->clock, world->engine, FOR_NS);
    leat_job_id id = let_in(world, timed);
    CHECK_OK(leat_cancel(world->engine, id));
    test_clock_pass(&world->clock, world->engine, FOR_NS);
    struct want other = timed;
    other.scope = LEAT_UNIQUE_UNTIL_FINISHED;
    run_all(world);
    CHECK_OK(leat_cancel(world->engine, let_in(world, other)));
    CHECK_EQUAL(live_bytes(world), none);
    pass_all(world);
    world_crash(world);
    CHECK_EQUAL(live_bytes(world), none);
    test_close(world->engine);
    struct test_log *log = test_log_read(world->directory);
    CHECK_EQUAL(test_log_tagged(log, LEAT_DURABLE_HELD), 0);
    test_log_free(log);
    world_open(world);
    world_free(world);
}

/* More keys than there are jobs: the log is as large as they are, and no larger. */
static void
many_keys_are_held(void **state)
{
    struct world *world = world_make();
    char key[16];
    const uint32_t keys = 600;
    leat_job_id id = {0};
    (void)state;
    small_segments(world);
    run_all(world);
    for (uint32_t i = 0; i < keys; i++) {
        struct want want = timed;
        (void)snprintf(key, sizeof(key), "key-%u", i);
        want.key = key;
        want.delay_ns = MINUTE_NS;
        CHECK_OK(leat_cancel(world->engine, let_in(world, want)));
        run_all(world);
    }
    pass_all(world);
    const uint64_t live = live_bytes(world);
    CHECK(live >= (uint64_t)keys * sizeof(struct leat_durable_held));
    CHECK(leat_durable_bytes(world->engine) <= 2 * live + 10 * world->config.log_segment_bytes);
    world_crash(world);
    CHECK_EQUAL(live_bytes(world), live);
    for (uint32_t i = 0; i < keys; i += 7) {
        struct want want = timed;
        (void)snprintf(key, sizeof(key), "key-%u", i);
        want.key = key;
        CHECK_STATUS(try_submit(world, want, &id), LEAT_EXISTS);
    }
    world_free(world);
}

/* ---- records --------------------------------------------------------------------------------- */

static bool
record_pass(void *context, struct leat_wal_place place, const struct leat_wal_record *record)
{
    (void)context;
    (void)place;
    (void)record;
    return true;
}

/* One more record in the log; and what the open of that says. */
static void
opened_with(struct world *world, uint32_t tag, const void *data, uint32_t bytes,
            enum leat_status wanted)
{
    static struct leat_wal wal;
    struct leat_wal_report report;
    struct leat_engine *engine = NULL;
    struct leat_error error;
    uint64_t position = 0;
    const struct leat_wal_reader reader = {record_pass, NULL};
    const struct leat_wal_config config = {.files = &leat_wal_files_system,
                                           .directory = world->copy,
                                           .memory = leat_memory_default(),
                                           .segment_bytes = UINT64_C(1) << 20,
                                           .ring_bytes = UINT64_C(1) << 19};
    const struct leat_wal_entry entry = {.tag = tag, .data = data, .data_bytes = bytes};
    test_directory_empty(world->copy);
    CHECK_OK(leat_wal_open(&wal, &config, &reader, &report));
    CHECK_OK(leat_wal_append(&wal, &entry, 1, LEAT_WAL_LAST, &position));
    CHECK_OK(leat_wal_stop(&wal));
    leat_wal_close(&wal);
    world->config.log_directory = world->copy;
    CHECK_STATUS(leat_open(&world->config, &engine, &error), wanted);
    if (wanted == LEAT_OK) {
        test_close(engine);
    }
}

static void
records_are_checked(void **state)
{
    struct world *world = world_make();
    struct {
        struct leat_durable_held head;
        char texts[8]; /* type and key */
    } record = {.head = {.format = LEAT_DURABLE_FORMAT,
                         .type_bytes = 5,
                         .key_bytes = 3,
                         .id = 1,
                         .until_ns = 1},
                .texts = "work\0key"};
    const uint32_t bytes = sizeof(record);
    const uint64_t id = UINT64_C(1) << LEAT_INDEX_BITS;
    (void)state;
    opened_with(world, LEAT_DURABLE_HELD, &record, bytes, LEAT_OK);
    opened_with(world, LEAT_DURABLE_HELD, &record, bytes - 1, LEAT_CORRUPT);
    opened_with(world, LEAT_DURABLE_HELD, &record, sizeof(record.head) - 1, LEAT_CORRUPT);
    record.head.format++;
    opened_with(world, LEAT_DURABLE_HELD, &record, bytes, LEAT_UNSUPPORTED);
    record.head.format--;
    record.head.id = 0;
    opened_with(world, LEAT_DURABLE_HELD, &record, bytes, LEAT_CORRUPT);
    record.head.id = 1;
    record.texts[4] = 's';
    opened_with(world, LEAT_DURABLE_HELD, &record, bytes, LEAT_CORRUPT);
    record.texts[4] = '\0';
    record.head.phase = LEAT_PHASE_COUNT;
    opened_with(world, LEAT_DURABLE_HELD, &record, bytes, LEAT_CORRUPT);
    opened_with(world, LEAT_DURABLE_CLAIMED, &id, sizeof(id), LEAT_OK);
    opened_with(world, LEAT_DURABLE_CLAIMED, &id, sizeof(id) - 1, LEAT_CORRUPT);
    opened_with(world, LEAT_DURABLE_TAG_LATER, &id, sizeof(id), LEAT_UNSUPPORTED);
    world_free(world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_held_till_its_moment), cmocka_unit_test(a_letter_that_comes_back),
        cmocka_unit_test(who_was_refused_holds_nothing), cmocka_unit_test(one_replaces_another),
        cmocka_unit_test(one_cannot_replace_a_key),      cmocka_unit_test(a_clock_that_is_set_back),
        cmocka_unit_test(a_clock_that_begins_anew),      cmocka_unit_test(who_has_begun_gives_way),
        cmocka_unit_test(used_again_and_again),          cmocka_unit_test(one_comes_between),
        cmocka_unit_test(the_cleaner_keeps_keys),        cmocka_unit_test(many_keys_are_held),
        cmocka_unit_test(records_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
