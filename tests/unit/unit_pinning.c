/* unit_pinning.c - on which CPUs workers run: none, the allowed set, or one each in turn over it;
 * from the hook on the worker's own thread, against what the statistics say. The allowed set is the
 * one of the thread that opens the engine, also where it was made smaller. */
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "ring/atomic.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/threads.h"

#define WORKERS 5

struct fixture {
    cpu_set_t sets[WORKERS];
    leat_atomic_u32 started;
};

static void
hook_started(struct leat_engine *engine, uint32_t worker, void *context)
{
    struct fixture *fixture = context;
    (void)engine;
    CPU_ZERO(&fixture->sets[worker]);
    CHECK(sched_getaffinity(0, sizeof(cpu_set_t), &fixture->sets[worker]) == 0);
    (void)atom_add_acq_rel(&fixture->started, 1);
}

/* The n-th CPU of a set, in turn. */
static uint32_t
cpu_in_turn(const cpu_set_t *set, uint32_t number)
{
    uint32_t turn = number % (uint32_t)CPU_COUNT(set);
    for (uint32_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET(cpu, set) && turn-- == 0) {
            return cpu;
        }
    }
    return UINT32_MAX;
}

static void
check_worker(struct leat_engine *engine, const struct fixture *fixture, uint32_t number,
             enum leat_pinning pinning)
{
    struct leat_worker_statistics worker = leat_worker_statistics_default();
    const cpu_set_t *set = &fixture->sets[number];
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    CHECK(sched_getaffinity(0, sizeof(allowed), &allowed) == 0);
    CHECK_OK(leat_worker_statistics_get(engine, number, &worker));
    if (pinning == LEAT_PIN_ONE) {
        uint32_t cpu = cpu_in_turn(&allowed, number);
        CHECK_EQUAL(CPU_COUNT(set), 1);
        CHECK(CPU_ISSET(cpu, set));
        CHECK_EQUAL(worker.cpu, cpu);
    } else {
        CHECK(CPU_EQUAL(set, &allowed));
        CHECK_EQUAL(worker.cpu, UINT64_MAX); /* -1 */
    }
}

static void
check_pinning(enum leat_pinning pinning)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct leat_config config = test_config();
    CHECK(fixture != NULL);
    config.workers = WORKERS;
    config.pinning = pinning;
    config.worker_started = hook_started;
    config.hook_context = fixture;
    struct leat_engine *engine = test_start(&config);
    CHECK_OK(leat_stop(engine, LEAT_FOREVER));
    CHECK_EQUAL(atom_load_acq(&fixture->started), WORKERS);
    for (uint32_t i = 0; i < WORKERS; i++) {
        check_worker(engine, fixture, i, pinning);
    }
    test_close(engine);
    free(fixture);
}

static void
pin_none(void **state)
{
    (void)state;
    check_pinning(LEAT_PIN_NONE);
}

static void
pin_set(void **state)
{
    (void)state;
    check_pinning(LEAT_PIN_SET);
}

static void
pin_one(void **state)
{
    (void)state;
    check_pinning(LEAT_PIN_ONE);
}

static void
within_a_smaller_set(void **state)
{
    (void)state;
    cpu_set_t before;
    cpu_set_t one;
    CPU_ZERO(&before);
    CPU_ZERO(&one);
    CHECK(sched_getaffinity(0, sizeof(before), &before) == 0);
    uint32_t last = cpu_in_turn(&before, (uint32_t)CPU_COUNT(&before) - 1);
    CHECK(last != UINT32_MAX);
    CPU_SET(last, &one);
    CHECK(sched_setaffinity(0, sizeof(one), &one) == 0);
    CHECK_EQUAL(leat_config_default().workers, 1);
    check_pinning(LEAT_PIN_NONE);
    check_pinning(LEAT_PIN_SET);
    check_pinning(LEAT_PIN_ONE);
    CHECK(sched_setaffinity(0, sizeof(before), &before) == 0);
}

/* What the library does to its threads it does not do to the caller's. */
static void
the_caller_stays_where_it_was(void **state)
{
    (void)state;
    cpu_set_t before;
    cpu_set_t after;
    CPU_ZERO(&before);
    CPU_ZERO(&after);
    CHECK(sched_getaffinity(0, sizeof(before), &before) == 0);
    struct leat_config config = test_config();
    config.pinning = LEAT_PIN_ONE;
    config.workers = 0;
    struct leat_engine *engine = test_start(&config);
    CHECK_STATUS(leat_run_some(engine, 1, NULL), LEAT_EMPTY);
    CHECK(sched_getaffinity(0, sizeof(after), &after) == 0);
    CHECK(CPU_EQUAL(&before, &after));
    struct leat_worker_statistics place = leat_worker_statistics_default();
    CHECK_OK(leat_worker_statistics_get(engine, 0, &place));
    CHECK_EQUAL(place.cpu, UINT64_MAX); /* -1: a lent thread is where its owner put it */
    test_close(engine);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pin_none),
        cmocka_unit_test(pin_set),
        cmocka_unit_test(pin_one),
        cmocka_unit_test(within_a_smaller_set),
        cmocka_unit_test(the_caller_stays_where_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
