/* stress_sources.c - what the clocks have looked at, by several threads at once: circuit breakers
 * that open and half open while types with new ones are registered. What a breaker is made of is
 * plain memory, which ThreadSanitizer watches. In the end each breaker has opened once and is half
 * open. Holds the edge listed:B -> listed:A of engine/breaker.h. */
#include <stdio.h>

#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/fake_clock.h"
#include "tests/support/threads.h"

#define THREADS 3
#define TYPES   150
#define MS      UINT64_C(1000000)
#define JOBS    64 /* that come and go with each type */

struct fixture {
    struct test_clock clock;
    struct leat_engine *engine;
    leat_type types[TYPES];
    leat_atomic_u32 registering;
};

static struct leat_outcome
fails(struct leat_run *run, void *context)
{
    (void)run;
    (void)context;
    return leat_fail();
}

static void
run_all(struct fixture *fixture)
{
    while (leat_run_some(fixture->engine, 100, NULL) == LEAT_OK) {
    }
}

static void
registers(struct fixture *fixture)
{
    struct leat_breaker_options breaker = leat_breaker_options_default();
    struct leat_type_options options = leat_type_options_default();
    options.breaker = &breaker;
    breaker.calls_min = 1;
    breaker.open_ns = MS;
    for (uint32_t i = 0; i < TYPES; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "t%u", i);
        CHECK_OK(
            leat_type_register(fixture->engine, name, fails, NULL, &options, &fixture->types[i]));
        for (uint32_t j = 0; j < JOBS; j++) {
            leat_job_id id = test_submit(fixture->engine, fixture->types[i]);
            CHECK(j == 0 || leat_cancel(fixture->engine, id) == LEAT_OK);
        }
        run_all(fixture);
    }
    atom_store_rel(&fixture->registering, 0);
}

static void
body(void *shared, uint32_t number)
{
    struct fixture *fixture = shared;
    if (number == 0) {
        registers(fixture);
    }
    while (atom_load_acq(&fixture->registering) != 0) {
        test_clock_pass(&fixture->clock, fixture->engine, 400 * MS);
    }
}

static void
looked_at_by_several(void **state)
{
    static struct fixture fixture;
    struct leat_config config = test_config();
    (void)state;
    test_clock_init(&fixture.clock);
    config.workers = 0;
    config.types_max = TYPES;
    config.jobs_max = 1024;
    config.retained_max = 0;
    config.dead_max = 0;
    config.clock = test_clock_of(&fixture.clock);
    fixture.engine = test_start(&config);
    atom_init(&fixture.registering, 1);
    test_threads_run(THREADS, body, &fixture);
    test_clock_pass(&fixture.clock, fixture.engine, 2 * MS);
    for (uint32_t i = 0; i < TYPES; i++) {
        struct leat_breaker_info info = leat_breaker_info_default();
        CHECK_OK(leat_breaker_get(fixture.engine, fixture.types[i], &info));
        CHECK_EQUAL(info.state, LEAT_BREAKER_HALF_OPEN);
        CHECK_EQUAL(info.openings, 1);
    }
    test_finish(fixture.engine);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(looked_at_by_several),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
