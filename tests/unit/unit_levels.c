/* unit_levels.c - each level of priorities on its own at what jobs wait for: a pause, a cap, a
 * rate; a list of each level is turned away at once; and how many picks it waits beside a flood.
 * The build says how many levels there are, and CMakeLists.txt makes this program once more with as
 * many as there can be (unit_levels_16), where words have other fields. Holds I2 of sched/gate.h
 * and I3 of sched/bucket.h. */
#include "engine/gates.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/fake_clock.h"

#define JOBS   256
#define SECOND UINT64_C(1000000000)
/* Of each level. */
#define EACH 3

struct fixture {
    struct leat_engine *engine;
    struct test_clock clock;
    leat_type type;
    leat_queue queue;
    uint32_t levels[JOBS]; /* of what ran, in order */
    uint32_t count;
    bool pending;
    leat_token token; /* of what ran last */
};

static struct leat_outcome
note(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    const uint32_t *level = leat_run_payload(run, NULL);
    CHECK(fixture->count < JOBS);
    fixture->levels[fixture->count] = *level;
    fixture->count++;
    fixture->token = leat_run_token(run);
    return fixture->pending ? leat_pending() : leat_done();
}

static void
setup(struct fixture *fixture)
{
    struct leat_config config = test_config();
    *fixture = (struct fixture){0};
    test_clock_init(&fixture->clock);
    config.clock = test_clock_of(&fixture->clock);
    config.jobs_max = JOBS;
    config.workers = 0;
    config.retained_max = 0;
    config.starvation_picks = 0;
    fixture->engine = test_start(&config);
    fixture->type = test_register(fixture->engine, "note", note, fixture);
    CHECK_OK(leat_queue_find(fixture->engine, "default", &fixture->queue));
}

/* The least urgent ones first. */
static void
submit_all(struct fixture *fixture, uint32_t each)
{
    for (uint32_t level = leat_priority_levels(); level > 0; level--) {
        for (uint32_t i = 0; i < each; i++) {
            uint32_t number = level - 1;
            struct leat_job job = leat_job_default();
            job.type = fixture->type;
            job.priority = number;
            job.payload = &number;
            job.payload_bytes = sizeof(number);
            CHECK_OK(leat_submit(fixture->engine, &job, NULL));
        }
    }
}

static uint32_t
run_some(struct fixture *fixture)
{
    size_t all = 0;
    size_t ran = 0;
    while (leat_run_some(fixture->engine, JOBS, &ran) == LEAT_OK) {
        all += ran;
    }
    return (uint32_t)all;
}

static void
check_all_ran(const struct fixture *fixture, uint32_t each)
{
    uint32_t ran[LEAT_PRIORITY_LEVELS_MAX] = {0};
    CHECK_EQUAL(fixture->count, each * leat_priority_levels());
    for (uint32_t i = 0; i < fixture->count; i++) {
        ran[fixture->levels[i]]++;
    }
    for (uint32_t i = 0; i < leat_priority_levels(); i++) {
        CHECK_EQUAL(ran[i], each);
    }
}

static void
the_build_has_them(void **state)
{
    (void)state;
    CHECK_EQUAL(leat_priority_levels(), LEAT_PRIORITY_LEVELS);
    for (uint32_t level = 0; level < LEAT_PRIORITY_LEVELS; level++) {
        uint64_t bit = leat_gate_level(level);
        CHECK_EQUAL(leat_gate_wanted(bit), UINT32_C(1) << level);
        CHECK_EQUAL(bit & (LEAT_GATE_USED | LEAT_GATE_STOPS | LEAT_GATE_CUT | LEAT_GATE_MOST), 0);
    }
}

/* All levels wait at a pause, and the resume calls all of them. */
static void
a_resume_calls_each(void **state)
{
    (void)state;
    struct fixture fixture;
    setup(&fixture);
    CHECK_OK(leat_queue_pause(fixture.engine, fixture.queue));
    submit_all(&fixture, EACH);
    CHECK_EQUAL(run_some(&fixture), 0);
    CHECK_OK(leat_queue_resume(fixture.engine, fixture.queue));
    CHECK_EQUAL(run_some(&fixture), EACH * leat_priority_levels());
    check_all_ran(&fixture, EACH);
    test_close(fixture.engine);
}

/* With a cap of one, each that leaves lets the next one in, of whatever level. */
static void
a_cap_lets_each_in(void **state)
{
    (void)state;
    struct fixture fixture;
    setup(&fixture);
    CHECK_OK(leat_queue_set_running_max(fixture.engine, fixture.queue, 1));
    fixture.pending = true;
    submit_all(&fixture, EACH);
    for (uint32_t i = 0; i < EACH * leat_priority_levels(); i++) {
        CHECK_EQUAL(run_some(&fixture), 1);
        CHECK_EQUAL(fixture.count, i + 1);
        CHECK_OK(leat_complete(fixture.engine, fixture.token, leat_done(), NULL));
    }
    CHECK_EQUAL(run_some(&fixture), 0);
    check_all_ran(&fixture, EACH);
    test_close(fixture.engine);
}

/* One a second: the timer calls all levels that wait. */
static void
a_rate_lets_each_in(void **state)
{
    (void)state;
    struct fixture fixture;
    setup(&fixture);
    const struct leat_rate rate = {.jobs = 1, .per_ns = SECOND, .burst = 1};
    CHECK_OK(leat_queue_set_rate(fixture.engine, fixture.queue, rate));
    submit_all(&fixture, 1);
    CHECK_EQUAL(run_some(&fixture), 1);
    for (uint32_t i = 1; i < leat_priority_levels(); i++) {
        test_clock_pass(&fixture.clock, fixture.engine, SECOND + SECOND / 10);
        CHECK_EQUAL(run_some(&fixture), 1);
    }
    check_all_ran(&fixture, 1);
    test_close(fixture.engine);
}

/* The greatest cap holds as one, and one more is refused. */
static void
caps_have_an_end(void **state)
{
    (void)state;
    struct fixture fixture;
    setup(&fixture);
    uint32_t most = LEAT_RUNNING_MAX;
    for (uint32_t below = 0; below < 2; below++) {
        struct leat_queue_info info = leat_queue_info_default();
        CHECK_OK(leat_queue_set_running_max(fixture.engine, fixture.queue, most - below));
        CHECK_OK(leat_queue_get_info(fixture.engine, fixture.queue, &info));
        /* As many as there are records are no cap. */
        CHECK_EQUAL(info.running_max, most - below >= LEAT_RECORDS_MAX ? 0 : most - below);
    }
    CHECK_STATUS(leat_queue_set_running_max(fixture.engine, fixture.queue, most + 1), LEAT_INVALID);
    submit_all(&fixture, EACH);
    CHECK_EQUAL(run_some(&fixture), EACH * leat_priority_levels());
    test_close(fixture.engine);
}

/* ---- beside a flood -------------------------------------------------------------------------- */

/* Of the flood, and of each other level. */
#define FLOOD  16384
#define STEADY 8

struct flood {
    struct leat_engine *engine;
    leat_type type;
    uint32_t picks;                           /* so far */
    uint32_t ran[LEAT_PRIORITY_LEVELS_MAX];   /* of each level */
    uint32_t lasts[LEAT_PRIORITY_LEVELS_MAX]; /* the pick that served it, or 0 */
    uint32_t longest;
};

static struct leat_outcome
flood_run(struct leat_run *run, void *context)
{
    struct flood *flood = context;
    uint32_t level = leat_run_priority(run);
    flood->picks++;
    flood->ran[level]++;
    uint32_t waited = flood->picks - flood->lasts[level];
    flood->longest = level != 0 && waited > flood->longest ? waited : flood->longest;
    flood->lasts[level] = flood->picks;
    return leat_done();
}

static void
flood_submit(const struct flood *flood, uint32_t level, uint32_t count)
{
    struct leat_job job = leat_job_default();
    job.type = flood->type;
    job.priority = level;
    for (uint32_t i = 0; i < count; i++) {
        CHECK_OK(leat_submit(flood->engine, &job, NULL));
    }
}

static bool
all_served(const struct flood *flood)
{
    for (uint32_t level = 1; level < leat_priority_levels(); level++) {
        if (flood->ran[level] < STEADY) {
            return false;
        }
    }
    return true;
}

/* Beside a level 0 that never runs dry, each other level with work has a pick in as many as
 * leat.h says: levels x starvation_picks. `guard` 0: strict, and they get none. */
static void
flood_check(uint32_t guard)
{
    struct flood flood = {0};
    struct leat_config config = test_config();
    uint32_t levels = leat_priority_levels();
    config.jobs_max = 2 * FLOOD;
    config.ring_slots = FLOOD; /* what is listed comes to the ring bit by bit */
    config.workers = 0;
    config.retained_max = 0;
    config.starvation_picks = guard;
    flood.engine = test_start(&config);
    flood.type = test_register(flood.engine, "flood", flood_run, &flood);
    flood_submit(&flood, 0, FLOOD);
    for (uint32_t level = 1; level < levels; level++) {
        flood_submit(&flood, level, STEADY);
    }
    while (!all_served(&flood) && flood.ran[0] < FLOOD - LEAT_CLAIM_MAX) {
        size_t ran = 0;
        CHECK_OK(leat_run_some(flood.engine, 1, &ran));
        CHECK_EQUAL(ran, 1);
    }
    CHECK(flood.ran[0] < FLOOD); /* it waits still */
    CHECK_EQUAL(all_served(&flood), guard != 0 || levels == 1);
    CHECK(flood.longest <= levels * guard);
    CHECK(flood.longest >= (guard == 0 || levels == 1 ? 0 : (levels - 1) * guard));
    CHECK(leat_run_some(flood.engine, (size_t)2 * FLOOD, NULL) == LEAT_OK);
    test_finish(flood.engine);
}

static void
a_flood_starves_nobody(void **state)
{
    (void)state;
    const struct leat_config config = leat_config_default();
    CHECK_EQUAL(config.starvation_picks, 61);
    flood_check(config.starvation_picks);
    flood_check(2);
    flood_check(0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_build_has_them), cmocka_unit_test(a_resume_calls_each),
        cmocka_unit_test(a_cap_lets_each_in), cmocka_unit_test(a_rate_lets_each_in),
        cmocka_unit_test(caps_have_an_end),   cmocka_unit_test(a_flood_starves_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
