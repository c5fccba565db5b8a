/* unit_tenant_rates.c - the rate of a tenant, exactly, with a lent thread and a clock by hand: what
 * jobs of its queues begin when, and in which order; that no other tenant's or queue's wait for
 * them; that a type's rate and the tenant's hold together; queues that are named before and behind
 * the first rate, jobs that were in the ring by then; cancels of those that wait; rates that change
 * and go; bad input changes nothing. */
#include <stdlib.h>

#include "engine/gates.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/fake_clock.h"

#define JOBS   1000
#define SECOND UINT64_C(1000000000)
/* A timer's: a tick of its wheel. */
#define LATE_NS (UINT64_C(1) << LEAT_WHEEL_TICK_LOG2_MIN)

enum { FIRST, SECOND_QUEUE, OTHERS, NOBODYS, QUEUES };

struct fixture {
    struct leat_engine *engine;
    struct test_clock clock;
    uint64_t start_ns;
    leat_type type;
    leat_type other;
    leat_tenant tenant;
    leat_queue queues[QUEUES]; /* two of the tenant, one of another one, one of nobody */
    uint32_t runs[JOBS];       /* what ran, in order */
    uint64_t at_ns[JOBS];
    uint32_t count;
    leat_job_id ids[JOBS];
};

static uint64_t
now(struct fixture *fixture)
{
    return atom_load_rlx(&fixture->clock.boot) - fixture->start_ns;
}

static struct leat_outcome
note(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    const uint32_t *what = leat_run_payload(run, NULL);
    CHECK(fixture->count < JOBS);
    fixture->at_ns[fixture->count] = now(fixture);
    fixture->runs[fixture->count++] = *what;
    return leat_done();
}

static leat_queue
queue_new(struct fixture *fixture, const char *name, leat_tenant tenant)
{
    struct leat_queue_options options = leat_queue_options_default();
    leat_queue queue = {0};
    options.tenant = tenant;
    CHECK_OK(leat_queue_create(fixture->engine, name, &options, &queue));
    return queue;
}

static struct fixture *
setup(void)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    CHECK(fixture != NULL);
    struct leat_config config = test_config();
    const leat_tenant nobody = {0};
    leat_tenant other = {0};
    test_clock_init(&fixture->clock);
    config.clock = test_clock_of(&fixture->clock);
    config.jobs_max = JOBS;
    config.workers = 0;
    config.ring_slots = 64;
    fixture->start_ns = atom_load_rlx(&fixture->clock.boot);
    fixture->engine = test_start(&config);
    fixture->type = test_register(fixture->engine, "note", note, fixture);
    fixture->other = test_register(fixture->engine, "other", note, fixture);
    CHECK_OK(leat_tenant_create(fixture->engine, "tenant", NULL, &fixture->tenant));
    CHECK_OK(leat_tenant_create(fixture->engine, "other", NULL, &other));
    fixture->queues[FIRST] = queue_new(fixture, "first", fixture->tenant);
    fixture->queues[OTHERS] = queue_new(fixture, "others", other);
    fixture->queues[NOBODYS] = queue_new(fixture, "nobodys", nobody);
    return fixture;
}

static void
set_rate(struct fixture *fixture, struct leat_rate rate)
{
    CHECK_OK(leat_tenant_set_rate(fixture->engine, fixture->tenant, rate));
}

/* The second queue of the tenant comes behind its first rate. */
static struct fixture *
setup_rated(struct leat_rate rate)
{
    struct fixture *fixture = setup();
    set_rate(fixture, rate);
    fixture->queues[SECOND_QUEUE] = queue_new(fixture, "second", fixture->tenant);
    return fixture;
}

static void
submit(struct fixture *fixture, uint32_t queue, uint32_t first, uint32_t end)
{
    for (uint32_t i = first; i < end; i++) {
        struct leat_job job = leat_job_default();
        job.type = fixture->type;
        job.queue = fixture->queues[queue];
        job.payload = &i;
        job.payload_bytes = sizeof(i);
        CHECK_OK(leat_submit(fixture->engine, &job, &fixture->ids[i]));
    }
}

static uint32_t
run_all(struct fixture *fixture)
{
    uint32_t before = fixture->count;
    for (uint32_t i = 0; i < 4 * JOBS && leat_run_some(fixture->engine, 1, NULL) == LEAT_OK; i++) {
    }
    test_engine_check(fixture->engine);
    return fixture->count - before;
}

/* Goes from one time that is named to the next, up to `end_ns`, running what can run. */
static void
run_until(struct fixture *fixture, uint64_t end_ns)
{
    (void)run_all(fixture);
    for (uint32_t i = 0; i < 10 * JOBS; i++) {
        uint64_t delay_ns = 0;
        CHECK_OK(leat_next_due(fixture->engine, &delay_ns));
        if (delay_ns > end_ns - now(fixture)) {
            break;
        }
        test_clock_pass(&fixture->clock, fixture->engine, delay_ns);
        (void)run_all(fixture);
    }
}

/* The n-th that began, from 1 on, did so when its token was there, and a tick later at most. */
static void
check_time(const struct fixture *fixture, uint32_t place, uint64_t behind, struct leat_rate rate)
{
    uint64_t earliest_ns = (behind * rate.per_ns + rate.jobs - 1) / rate.jobs;
    CHECK(fixture->at_ns[place] >= earliest_ns);
    CHECK(fixture->at_ns[place] <= earliest_ns + LATE_NS);
}

static void
teardown(struct fixture *fixture)
{
    for (uint32_t i = 0; i < fixture->engine->pool.config.queues; i++) {
        struct leat_queue_words *words = &fixture->engine->pool.queues[i];
        CHECK_EQUAL(leat_bucket_held(atom_load_rlx(&words->bucket.word)), 0);
        CHECK_EQUAL(leat_gate_used(atom_load_rlx(&words->gate.word)), 0);
    }
    CHECK(leat_wheels_check(&fixture->engine->buckets.wheels, stdout));
    test_close(fixture->engine);
    free(fixture);
}

/* ---- when ------------------------------------------------------------------------------------ */

/* Both queues take of one bucket, and what waits begins in the order in which it came. */
static void
queues_share_a_bucket(void **state)
{
    (void)state;
    static const struct leat_rate rate = {7, SECOND, 4};
    struct fixture *fixture = setup_rated(rate);
    submit(fixture, FIRST, 0, 3);
    CHECK_EQUAL(run_all(fixture), 3); /* below the burst */
    submit(fixture, SECOND_QUEUE, 3, 4);
    CHECK_EQUAL(run_all(fixture), 1); /* at it */
    for (uint32_t i = 4; i < 40; i++) {
        submit(fixture, i % 2 == 0 ? FIRST : SECOND_QUEUE, i, i + 1);
        CHECK_EQUAL(run_all(fixture), 0);
    }
    run_until(fixture, 10 * SECOND);
    CHECK_EQUAL(fixture->count, 40);
    for (uint32_t i = 4; i < 40; i++) {
        CHECK_EQUAL(fixture->runs[i], i);
        check_time(fixture, i, i - 3, rate);
    }
    teardown(fixture);
}

static void
others_go_on(void **state)
{
    (void)state;
    struct fixture *fixture = setup_rated(leat_rate_of(1, SECOND, 1));
    submit(fixture, FIRST, 0, 200);
    submit(fixture, SECOND_QUEUE, 200, 300);
    submit(fixture, OTHERS, 300, 400);
    submit(fixture, NOBODYS, 400, 500);
    CHECK_EQUAL(run_all(fixture), 201);
    CHECK_OK(leat_drain(fixture->engine, LEAT_FOREVER)); /* does not wait for them */
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_waiting, 299);
    teardown(fixture);
}

/* A job needs a token of its type and of its tenant; who finds one alone leaves it to others. */
static void
a_type_and_a_tenant(void **state)
{
    (void)state;
    static const struct leat_rate rate = {1, SECOND, 10};
    struct fixture *fixture = setup_rated(rate);
    CHECK_OK(leat_type_set_rate(fixture->engine, fixture->type, leat_rate_of(1, SECOND, 3)));
    submit(fixture, FIRST, 0, 20);
    CHECK_EQUAL(run_all(fixture), 3);
    fixture->type = fixture->other;
    submit(fixture, SECOND_QUEUE, 20, 40);
    CHECK_EQUAL(run_all(fixture), 7);
    run_until(fixture, 40 * SECOND);
    CHECK_EQUAL(fixture->count, 40);
    uint32_t next[2] = {0, 20};
    for (uint32_t i = 0; i < 40; i++) {
        CHECK_EQUAL(fixture->runs[i], next[fixture->runs[i] / 20]++);
        check_time(fixture, i, i < 10 ? 0 : i - 9, rate);
    }
    teardown(fixture);
}

/* ---- what changes ---------------------------------------------------------------------------- */

/* What is in the ring when the tenant gets its first rate waits, too, as does what a cap had let
 * through. */
static void
the_first_rate(void **state)
{
    (void)state;
    static const struct leat_rate rate = {1, SECOND, 2};
    for (uint32_t capped = 0; capped < 2; capped++) {
        struct fixture *fixture = setup();
        if (capped == 1) {
            CHECK_OK(leat_queue_set_running_max(fixture->engine, fixture->queues[FIRST], 50));
        }
        submit(fixture, FIRST, 0, 10);
        CHECK_OK(leat_run_some(fixture->engine, 1, NULL));
        set_rate(fixture, rate);
        CHECK_EQUAL(run_all(fixture), 2);
        run_until(fixture, 10 * SECOND);
        CHECK_EQUAL(fixture->count, 10);
        for (uint32_t i = 3; i < 10; i++) {
            CHECK_EQUAL(fixture->runs[i], i);
            check_time(fixture, i, i - 2, rate);
        }
        teardown(fixture);
    }
}

/* Those that wait for the tenant may be cancelled, by hundreds; the next one begins in its time. */
static void
cancels(void **state)
{
    (void)state;
    static const struct leat_rate rate = {1, SECOND, 1};
    struct fixture *fixture = setup_rated(rate);
    submit(fixture, FIRST, 0, 500);
    CHECK_EQUAL(run_all(fixture), 1);
    for (uint32_t i = 1; i < 498; i++) {
        CHECK_OK(leat_cancel(fixture->engine, fixture->ids[i]));
    }
    run_until(fixture, 10 * SECOND);
    CHECK_EQUAL(fixture->count, 3);
    for (uint32_t i = 1; i < 3; i++) {
        CHECK_EQUAL(fixture->runs[i], 497 + i);
        CHECK(fixture->at_ns[i] >= i * SECOND);
        CHECK(fixture->at_ns[i] <= i * (SECOND + LATE_NS));
    }
    teardown(fixture);
}

static void
rates_change(void **state)
{
    (void)state;
    struct fixture *fixture = setup_rated(leat_rate_of(1, 100 * SECOND, 1));
    submit(fixture, FIRST, 0, 20);
    CHECK_EQUAL(run_all(fixture), 1);
    set_rate(fixture, leat_rate_of(10, SECOND, 5)); /* with the tokens that there were: none */
    CHECK_EQUAL(run_all(fixture), 0);
    test_clock_pass(&fixture->clock, fixture->engine, SECOND / 10 + LATE_NS);
    CHECK_EQUAL(run_all(fixture), 1);
    CHECK_OK(leat_queue_pause(fixture->engine, fixture->queues[FIRST]));
    test_clock_pass(&fixture->clock, fixture->engine, SECOND);
    CHECK_EQUAL(run_all(fixture), 0);
    CHECK_OK(leat_queue_resume(fixture->engine, fixture->queues[FIRST]));
    CHECK_EQUAL(run_all(fixture), 5);
    set_rate(fixture, leat_rate_of(0, 0, 0));
    CHECK_EQUAL(run_all(fixture), 13);
    for (uint32_t i = 0; i < 20; i++) {
        CHECK_EQUAL(fixture->runs[i], i);
    }
    teardown(fixture);
}

static bool
gated(struct fixture *fixture, uint32_t list)
{
    return (atom_load_rlx(&leat_gate_of(fixture->engine, list)->word) & LEAT_GATE_USED) != 0;
}

/* Whose jobs pass a gate from its rate on: those of the tenant's queues, to the last one that there
 * may be, and no others; nor is looked at what stands behind those. */
static void
gates_of_its_queues(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct leat_config *config = &fixture->engine->config;
    const uint32_t all = config->queues_max;
    const uint32_t last = fixture->queues[NOBODYS].bits;
    CHECK(last < all);
    config->queues_max = last; /* as if this were all */
    atom_store_rlx(&fixture->engine->rooms.queues[last].tenant, fixture->tenant.bits);
    atom_store_rlx(&fixture->engine->rooms.queues[last - 1].tenant, fixture->tenant.bits);
    set_rate(fixture, leat_rate_of(0, 0, 0));
    config->queues_max = all;
    CHECK(gated(fixture, fixture->queues[FIRST].bits - 1));
    CHECK(!gated(fixture, fixture->queues[OTHERS].bits - 1));
    CHECK(gated(fixture, last - 1));
    CHECK(!gated(fixture, last));
    atom_store_rlx(&fixture->engine->rooms.queues[last].tenant, 0);
    atom_store_rlx(&fixture->engine->rooms.queues[last - 1].tenant, 0);
    teardown(fixture);
}

static void
bad_input(void **state)
{
    (void)state;
    struct fixture *fixture = setup_rated(leat_rate_of(1, SECOND, 1));
    static const struct leat_rate bad[] = {
        {2, 1, 1},
        {1, UINT64_C(366) * 86400 * SECOND + 1, 1},
        {1000000001, 2 * SECOND, 1},
        {1, SECOND, 67108865},
    };
    const leat_tenant none = {fixture->tenant.bits + 2};
    for (size_t i = 0; i < TEST_COUNT_OF(bad); i++) {
        CHECK_STATUS(leat_tenant_set_rate(fixture->engine, fixture->tenant, bad[i]), LEAT_INVALID);
        CHECK_STATUS(leat_tenant_set_rate(fixture->engine, none, bad[i]), LEAT_NOT_FOUND);
    }
    CHECK_STATUS(leat_tenant_set_rate(fixture->engine, none, leat_rate_of(0, 0, 0)),
                 LEAT_NOT_FOUND);
    CHECK(!fixture->engine->tenants.rooms[none.bits - 1].rated);
    submit(fixture, FIRST, 0, 10);
    CHECK_EQUAL(run_all(fixture), 1); /* nothing has changed */
    set_rate(fixture,
             leat_rate_of(1, UINT64_C(366) * 86400 * SECOND, 67108864)); /* at the limits */
    set_rate(fixture, leat_rate_of(1000000000, SECOND, 1));
    set_rate(fixture, leat_rate_of(0, 0, 0));
    CHECK_EQUAL(run_all(fixture), 9);
    teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queues_share_a_bucket),
        cmocka_unit_test(others_go_on),
        cmocka_unit_test(a_type_and_a_tenant),
        cmocka_unit_test(the_first_rate),
        cmocka_unit_test(cancels),
        cmocka_unit_test(rates_change),
        cmocka_unit_test(gates_of_its_queues),
        cmocka_unit_test(bad_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
