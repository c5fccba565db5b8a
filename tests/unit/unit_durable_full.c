/* unit_durable_full.c - a log that has no space for another segment: of each kind of end, and of
 * what is refused then, what it comes to below that, with the reserve, and without any room; and
 * that a log which was used up to its end gets free again once its jobs have ended, by what is kept
 * for the cleaner. Nothing that was answered by LEAT_OK is lost, no call hangs, and the other
 * answer is LEAT_NO_SPACE. Settings of queues: unit_durable_queue; schedules:
 * unit_durable_schedule. */
#include "tests/unit/durable_body.h"

#define SEGMENT  UINT64_C(65536)
#define FULL_MAX 4096

/* ---- each kind ------------------------------------------------------------------------------- */

enum regime { REGIME_BELOW, REGIME_RESERVE, REGIME_NONE };

/* One job of each. */
struct kinds {
    leat_job_id kept; /* has a result */
    leat_job_id retried;
    leat_job_id dead;
    leat_job_id released; /* was kept, and is given back */
    leat_job_id cohort;
    leat_job_id member;
    leat_job_id parent;
    leat_job_id child; /* goes on, whatever becomes of its parent */
    leat_job_id held;  /* has a key for a time */
    leat_job_id moved; /* is to come at another time */
};

static leat_job_id
later(struct world *world, const char *payload, struct leat_job_options *options)
{
    struct leat_job job = leat_job_default();
    leat_job_id id;
    job.type = world->type;
    job.payload = payload;
    job.payload_bytes = strlen(payload);
    job.delay_ns = 60 * MINUTE_NS;
    job.options = options;
    CHECK_OK(leat_submit(world->engine, &job, &id));
    return id;
}

static leat_job_id
keyed(struct world *world)
{
    struct leat_job_options options = leat_job_options_default();
    options.unique_key = "key";
    options.unique_key_bytes = 3;
    options.unique_scope = LEAT_UNIQUE_FOR_TIME;
    options.unique_for_ns = 600 * MINUTE_NS;
    return later(world, "held", &options);
}

static struct kinds
kinds_make(struct world *world)
{
    struct leat_cohort_options cohort = leat_cohort_options_default();
    struct leat_job_options options = leat_job_options_default();
    struct kinds kinds = {.held = keyed(world)};
    cohort.flags = LEAT_JOB_KEEP_RESULT;
    CHECK_OK(leat_cohort_open(world->engine, &cohort, &kinds.cohort));
    options.cohort = kinds.cohort;
    kinds.member = later(world, "member", &options);
    options = leat_job_options_default();
    kinds.parent = later(world, "parent", &options);
    kinds.moved = later(world, "moved", &options);
    options.parents = &kinds.parent;
    options.parents_count = 1;
    options.parent_policy = LEAT_PARENT_IGNORE;
    kinds.child = later(world, "child", &options);
    world->way = WAY_RESULT;
    kinds.released = submit(world, "released", NULL, LEAT_JOB_KEEP_RESULT);
    run_all(world);
    return kinds;
}

static leat_job_id
waiting(struct world *world, const char *payload, uint32_t flags)
{
    leat_job_id id = submit(world, payload, NULL, flags);
    CHECK(test_get(world->engine, id).state == LEAT_JOB_PENDING);
    return id;
}

static void
run_as(struct world *world, enum way way)
{
    size_t ran = 0;
    world->way = way;
    CHECK_OK(leat_run_some(world->engine, 1, &ran));
    CHECK_EQUAL(ran, 1);
}

/* No segment can be made, and of those that are there so much is left. */
static void
regime_set(struct world *world, enum regime regime)
{
    struct leat_wal *log = &world->engine->durable->wal;
    leat_durable_clean_stop(world->engine->durable);
    CHECK_OK(leat_wal_stop(log));
    if (regime == REGIME_BELOW) {
        return;
    }
    atom_store_rlx(&log->full, 1);
    if (regime == REGIME_NONE) {
        atom_store_rlx(&log->ready, 0);
        atom_store_rlx(&log->left, SEGMENT / 2);
    }
}

/* All kinds, of which ends are answered by one status, and what is refused first by the other. */
static void
kinds_act(struct world *world, const struct kinds *kinds, enum leat_status ends,
          enum leat_status others)
{
    const struct leat_when soon = {.delay_ns = MINUTE_NS};
    leat_job_id id;
    struct leat_job job = leat_job_default();
    job.type = world->type;
    job.delay_ns = MINUTE_NS;
    run_as(world, WAY_RESULT); /* in the order of their submits */
    run_as(world, WAY_RETRY);
    run_as(world, WAY_FAIL);
    CHECK_STATUS(leat_release(world->engine, kinds->released), ends);
    CHECK_STATUS(leat_cancel(world->engine, kinds->member), ends);
    CHECK_STATUS(leat_cohort_close(world->engine, kinds->cohort), ends);
    CHECK_STATUS(leat_cancel(world->engine, kinds->parent), ends);
    CHECK_STATUS(leat_cancel(world->engine, kinds->held), ends);
    CHECK_STATUS(leat_reschedule(world->engine, kinds->moved, soon), others);
    CHECK_STATUS(leat_submit(world->engine, &job, &id), others);
}

/* Not inline, all three: what a test has on its stack is counted. */
SHARED enum leat_job_state
state_of(struct world *world, leat_job_id id)
{
    return test_get(world->engine, id).state;
}

SHARED bool
is_moved(struct world *world, leat_job_id id)
{
    return test_get(world->engine, id).due_in_ns <= MINUTE_NS;
}

SHARED void
has(struct world *world, leat_job_id id, uint32_t attempts, size_t bytes)
{
    const struct leat_job_info info = test_get(world->engine, id);
    CHECK_EQUAL(info.attempts, attempts);
    CHECK_EQUAL(info.result_bytes, bytes);
}

/* In memory all is done, whatever the log has. */
static void
kinds_done(struct world *world, const struct kinds *kinds)
{
    CHECK(state_of(world, kinds->kept) == LEAT_JOB_COMPLETED);
    CHECK(state_of(world, kinds->retried) == LEAT_JOB_RETRYING);
    CHECK(state_of(world, kinds->dead) == LEAT_JOB_DEAD);
    CHECK(state_of(world, kinds->cohort) == LEAT_JOB_CANCELLED);
    CHECK(state_of(world, kinds->child) == LEAT_JOB_SCHEDULED);
    CHECK(is_moved(world, kinds->moved));
}

SHARED bool
is_known(struct world *world, leat_job_id id)
{
    struct leat_job_info info = leat_job_info_default();
    return leat_get(world->engine, id, &info) == LEAT_OK;
}

SHARED bool
is_there(struct world *world, leat_job_id id)
{
    struct leat_job_info info = leat_job_info_default();
    enum leat_status status = leat_get(world->engine, id, &info);
    return status == LEAT_OK &&
           (info.state == LEAT_JOB_SCHEDULED || info.state == LEAT_JOB_PENDING);
}

/* What the next process finds: what ended has, if there was room for that; what was changed
 * otherwise is so if there was space. */
static void
kinds_found(struct world *world, const struct kinds *kinds, bool ended, bool changed)
{
    CHECK(state_of(world, kinds->kept) == (ended ? LEAT_JOB_COMPLETED : LEAT_JOB_PENDING));
    has(world, kinds->kept, ended ? 1 : 0, ended ? 5 : 0);
    CHECK(state_of(world, kinds->retried) == (changed ? LEAT_JOB_RETRYING : LEAT_JOB_PENDING));
    has(world, kinds->retried, changed ? 1 : 0, 0);
    CHECK((state_of(world, kinds->dead) == LEAT_JOB_DEAD) == ended);
    CHECK(is_known(world, kinds->released) == !ended);
    CHECK(is_there(world, kinds->member) == !ended);
    CHECK(is_there(world, kinds->parent) == !ended);
    CHECK(is_there(world, kinds->held) == !ended);
    enum leat_job_state state = state_of(world, kinds->cohort);
    CHECK(state == (ended ? LEAT_JOB_CANCELLED : LEAT_JOB_BLOCKED));
    state = state_of(world, kinds->child);
    CHECK(state == (ended ? LEAT_JOB_SCHEDULED : LEAT_JOB_BLOCKED));
    CHECK(is_moved(world, kinds->moved) == changed);
}

/* The key is held, by its job or behind its end. */
static void
key_held(struct world *world)
{
    struct leat_job_options options = leat_job_options_default();
    struct leat_job job = leat_job_default();
    leat_job_id id;
    options.unique_key = "key";
    options.unique_key_bytes = 3;
    options.unique_scope = LEAT_UNIQUE_FOR_TIME;
    options.unique_for_ns = MINUTE_NS;
    options.durability = LEAT_DURABILITY_NONE; /* so it comes as far as to its claim */
    job.type = world->type;
    job.options = &options;
    CHECK_STATUS(leat_submit(world->engine, &job, &id), LEAT_EXISTS);
}

static void
each_kind(enum regime regime)
{
    struct world *world = world_make();
    const bool ended = regime != REGIME_NONE;
    const bool changed = regime == REGIME_BELOW;
    test_close(world->engine);
    world->config.log_segment_bytes = SEGMENT;
    world->config.log_ring_bytes = SEGMENT / 4;
    world_open(world);
    struct kinds kinds = kinds_make(world);
    kinds.kept = waiting(world, "kept", LEAT_JOB_KEEP_RESULT);
    kinds.retried = waiting(world, "retried", 0);
    kinds.dead = waiting(world, "dead", 0);
    regime_set(world, regime);
    kinds_act(world, &kinds, ended ? LEAT_OK : LEAT_NO_SPACE, changed ? LEAT_OK : LEAT_NO_SPACE);
    kinds_done(world, &kinds);
    key_held(world);
    world_restart(world);
    kinds_found(world, &kinds, ended, changed);
    key_held(world);
    world_free(world);
}

static void
each_kind_below(void **state)
{
    (void)state;
    each_kind(REGIME_BELOW);
}

static void
each_kind_with_the_reserve(void **state)
{
    (void)state;
    each_kind(REGIME_RESERVE);
}

static void
each_kind_without_any_room(void **state)
{
    (void)state;
    each_kind(REGIME_NONE);
}

/* ---- up to the end, and back ----------------------------------------------------------------- */

struct filled {
    leat_job_id ids[FULL_MAX];
    bool ended[FULL_MAX]; /* and that is in the log */
    uint32_t count;
};

static enum leat_status
submit_large(struct world *world, leat_job_id *id)
{
    static char payload[1000];
    struct leat_job job = leat_job_default();
    job.type = world->type;
    job.payload = payload;
    job.payload_bytes = sizeof(payload);
    job.delay_ns = 60 * MINUTE_NS;
    return leat_submit(world->engine, &job, id);
}

/* Units that leave little room in their blocks. */
#define UNIT 12

static void
fill(struct world *world, struct filled *filled)
{
    static char payload[1000];
    static struct leat_job jobs[UNIT];
    for (uint32_t i = 0; i < UNIT; i++) {
        jobs[i] = leat_job_default();
        jobs[i].type = world->type;
        jobs[i].payload = payload;
        jobs[i].payload_bytes = sizeof(payload);
        jobs[i].delay_ns = 60 * MINUTE_NS;
    }
    for (uint32_t refused = 0; refused < 5 && filled->count + UNIT <= FULL_MAX;) {
        leat_job_id *ids = &filled->ids[filled->count];
        enum leat_status status =
            leat_submit_batch(world->engine, jobs, UNIT, LEAT_BATCH_ALL_OR_NONE, ids, NULL);
        filled->count += status == LEAT_OK ? UNIT : 0;
        refused = status == LEAT_OK ? 0 : refused + 1;
        if (status != LEAT_OK) {
            CHECK_STATUS(status, LEAT_NO_SPACE);
            (void)usleep(60000); /* the cleaner may find some */
        }
    }
    CHECK(filled->count > 50 && filled->count + UNIT <= FULL_MAX);
}

static void
world_of(struct world *world, uint64_t segments)
{
    test_close(world->engine);
    test_directory_empty(world->directory);
    world->config.log_segment_bytes = SEGMENT;
    world->config.log_ring_bytes = SEGMENT / 2;
    world->config.log_bytes_max = segments * SEGMENT;
    world->config.jobs_max = FULL_MAX;
    world_open(world);
}

/* Cancels those from the one to the other; returns how many are in memory only. */
static uint32_t
cancel_all(struct world *world, struct filled *filled, uint32_t from, uint32_t to)
{
    uint32_t refused = 0;
    for (uint32_t i = from; i < to; i++) {
        enum leat_status status = leat_cancel(world->engine, filled->ids[i]);
        CHECK(status == LEAT_OK || status == LEAT_NO_SPACE);
        filled->ended[i] = status == LEAT_OK;
        refused += status == LEAT_OK ? 0 : 1;
    }
    return refused;
}

/* Who found no space asked for it. */
static void
is_free_again(struct world *world)
{
    for (uint32_t i = 0; i < 1000 && leat_durable_state(world->engine) != LEAT_OK; i++) {
        (void)usleep(10000);
    }
    CHECK_OK(leat_durable_state(world->engine));
}

/* Ends use up what is left. They are refused then, each by its status, and are in memory only; and
 * when all have ended the log finds space again, without another process. */
static void
used_up_it_gets_free_again(void **state)
{
    struct world *world = world_make();
    struct filled *filled = calloc(1, sizeof(*filled));
    leat_job_id last = {0};
    (void)state;
    CHECK(filled != NULL);
    world_of(world, 10);
    fill(world, filled);
    CHECK(cancel_all(world, filled, 0, filled->count) > 0);
    is_free_again(world);
    CHECK_OK(submit_large(world, &last));
    world_crash(world);
    for (uint32_t i = 0; i < filled->count; i++) {
        CHECK(!filled->ended[i] || !is_there(world, filled->ids[i]));
    }
    CHECK(is_there(world, last));
    free(filled);
    world_free(world);
}

/* Most of a full log is live, and little of its oldest segments is needed: they go. */
static void
a_part_of_it_is_enough(void **state)
{
    struct world *world = world_make();
    struct filled *filled = calloc(1, sizeof(*filled));
    (void)state;
    CHECK(filled != NULL);
    world_of(world, 10);
    fill(world, filled);
    (void)cancel_all(world, filled, 0, filled->count * 3 / 10);
    is_free_again(world);
    free(filled);
    world_free(world);
}

#define HEAVY 40

static struct leat_outcome
heavy_run(struct leat_run *run, void *context)
{
    static const char result[1500];
    (void)context;
    CHECK_OK(leat_run_result(run, result, sizeof(result)));
    return leat_done();
}

/* Small jobs whose results are kept, in the first segment; the results come later. */
static void
heavy_submit(struct world *world, leat_type type, leat_job_id *ids)
{
    struct leat_job job = leat_job_default();
    job.type = type;
    job.payload = "kept";
    job.payload_bytes = 4;
    job.flags = LEAT_JOB_KEEP_RESULT;
    for (uint32_t i = 0; i < HEAVY; i++) {
        CHECK_OK(leat_submit(world->engine, &job, &ids[i]));
    }
}

/* What is needed of a segment is more by now than stands in it: what is kept is not spent on it,
 * and so is there once nothing is needed. */
static void
heavier_than_it_was(void **state)
{
    struct world *world = world_make();
    struct filled *filled = calloc(1, sizeof(*filled));
    leat_job_id heavy[HEAVY];
    size_t ran = 0;
    (void)state;
    CHECK(filled != NULL);
    world_of(world, 10);
    leat_type type = test_register(world->engine, "heavy", heavy_run, world);
    heavy_submit(world, type, heavy);
    CHECK_OK(leat_start(world->engine));
    const uint64_t first = leat_wal_newest(&world->engine->durable->wal);
    while (leat_wal_newest(&world->engine->durable->wal) == first) {
        CHECK_OK(submit_large(world, &filled->ids[filled->count++]));
    }
    while (leat_run_some(world->engine, 100, &ran) == LEAT_OK) {
    }
    fill(world, filled);
    (void)cancel_all(world, filled, 0, filled->count);
    for (uint32_t i = 0; i < HEAVY; i++) {
        enum leat_status status = leat_release(world->engine, heavy[i]);
        CHECK(status == LEAT_OK || status == LEAT_NO_SPACE);
    }
    is_free_again(world);
    free(filled);
    world_free(world);
}

/* What was refused is not there behind a crash, also where its image was in the ring by then. */
static void
a_refused_submit_is_gone(void **state)
{
    struct world *world = world_make();
    struct filled *filled = calloc(1, sizeof(*filled));
    struct leat_statistics statistics = leat_statistics_default();
    enum leat_status status = LEAT_OK;
    uint32_t there = 0;
    uint32_t ended = 0;
    leat_job_id last = {0};
    (void)state;
    CHECK(filled != NULL);
    world_of(world, 8);
    leat_durable_clean_stop(world->engine->durable);
    CHECK_OK(leat_wal_stop(&world->engine->durable->wal)); /* a thread that makes none ahead */
    while (status == LEAT_OK) {
        status = submit_large(world, &filled->ids[filled->count]);
        filled->count += status == LEAT_OK ? 1 : 0;
    }
    CHECK_STATUS(status, LEAT_NO_SPACE);
    while (leat_wal_room(&world->engine->durable->wal) > SEGMENT / 2) {
        CHECK_OK(leat_cancel(world->engine, filled->ids[ended++]));
    }
    /* As one that came before it was found out. */
    atom_store_rlx(&world->engine->durable->wal.full, 0);
    leat_durable_pace_look(world->engine->durable);
    CHECK_STATUS(submit_large(world, &last), LEAT_NO_SPACE);
    CHECK_EQUAL(atom_load_rlx(&world->engine->durable->pace.asked), 1); /* it asks the cleaner */
    CHECK(leat_bytes_head(&world->engine->durable->wal.ring) !=
          atom_load_rlx(&world->engine->durable->wal.ring.tail));
    (void)cancel_all(world, filled, ended, filled->count);
    CHECK(leat_wal_start(&world->engine->durable->wal));
    CHECK(leat_durable_clean_start(world->engine));
    is_free_again(world);
    world_crash(world);
    for (uint32_t i = 0; i < filled->count; i++) {
        there += is_there(world, filled->ids[i]) ? 1 : 0;
    }
    CHECK_OK(leat_statistics_get(world->engine, &statistics));
    CHECK_EQUAL(statistics.jobs_scheduled, there);
    free(filled);
    world_free(world);
}

static void
asked_not(struct world *world)
{
    leat_durable_pace_look(world->engine->durable);
    CHECK_EQUAL(atom_load_rlx(&world->engine->durable->pace.asked), 0);
}

/* It asks the cleaner, and does not wait in the ring, which others need. */
static void
asked_once(struct world *world)
{
    const struct leat_bytes *ring = &world->engine->durable->wal.ring;
    CHECK_EQUAL(atom_load_rlx(&world->engine->durable->pace.asked), 1);
    CHECK_EQUAL(leat_bytes_head(ring), atom_load_rlx(&ring->tail));
}

/* Not only who submits. */
static void
an_end_without_room_asks(void **state)
{
    struct world *world = world_make();
    (void)state;
    test_close(world->engine);
    world->config.log_segment_bytes = SEGMENT;
    world->config.log_ring_bytes = SEGMENT / 4;
    world_open(world);
    CHECK_OK(leat_start(world->engine));
    (void)waiting(world, "one", 0);
    leat_job_id id = waiting(world, "other", 0);
    regime_set(world, REGIME_NONE);
    asked_not(world);
    CHECK_STATUS(leat_cancel(world->engine, id), LEAT_NO_SPACE);
    asked_once(world);
    asked_not(world);
    run_as(world, WAY_DONE);
    asked_once(world);
    world_free(world);
}

/* Who finds no room while the cleaner looks makes it look once more. */
static void
it_is_heard_during_a_look(void **state)
{
    struct world *world = world_make();
    struct leat_durable *durable = world->engine->durable;
    (void)state;
    leat_durable_clean_stop(durable);
    for (uint32_t i = 0; i < 2; i++) {
        leat_durable_pace_look(durable);
        uint32_t event = atom_load_rlx(&durable->clean_event);
        leat_durable_missed(durable);
        leat_durable_missed(durable); /* which is the same look */
        leat_durable_pace_set(durable, true, false);
        CHECK_EQUAL(atom_load_rlx(&durable->clean_event), event + 1);
        CHECK_EQUAL(atom_load_rlx(&durable->pace.asked), 1);
    }
    leat_durable_pace_end(durable);
    world_free(world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_below),
        cmocka_unit_test(each_kind_with_the_reserve),
        cmocka_unit_test(each_kind_without_any_room),
        cmocka_unit_test(used_up_it_gets_free_again),
        cmocka_unit_test(a_part_of_it_is_enough),
        cmocka_unit_test(heavier_than_it_was),
        cmocka_unit_test(a_refused_submit_is_gone),
        cmocka_unit_test(an_end_without_room_asks),
        cmocka_unit_test(it_is_heard_during_a_look),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
