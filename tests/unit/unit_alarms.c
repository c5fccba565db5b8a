/* unit_alarms.c - short timers as a source of the clocks, by a clock that is moved by hand: what is
 * due is handed out once, what is left is named, a look is bounded, who has the wheel is not waited
 * for, and who sleeps is told of an earlier timer. */
#include <string.h>

#include "sched/alarms.h"
#include "tests/support/check.h"

#define RECORDS 2048
#define TICK    (UINT64_C(1) << LEAT_WHEEL_TICK_LOG2_MIN)
#define NOW     (1000 * TICK)

struct fixture {
    struct leat_clocks clocks;
    struct leat_wheels wheels;
    struct leat_wheel *wheel;
    struct leat_alarms alarms;
    uint64_t now_ns;
    uint32_t fired;
    uint32_t last;  /* index */
    uint32_t calls; /* how often a callback comes by the wheel */
};

static struct fixture fixture;

static uint64_t
now(enum leat_time time, void *context)
{
    (void)time;
    (void)context;
    return fixture.now_ns;
}

/* While it has the wheel, another one comes by in vain, with a timer that is due. */
static void
fired(void *context, uint32_t index)
{
    CHECK(context == &fixture);
    fixture.fired++;
    fixture.last = index;
    if (fixture.calls != 0) {
        fixture.calls--;
        CHECK(leat_wheel_arm_any(fixture.wheel, index + 1, NOW) != LEAT_WHEEL_REFUSED);
        CHECK(!leat_wheel_enter(fixture.wheel));
    }
}

static void
setup(void)
{
    const struct leat_wheels_config config = {RECORDS, 1, LEAT_WHEEL_TICK_LOG2_MIN, NOW};
    memset(&fixture, 0, sizeof(fixture));
    fixture.now_ns = NOW;
    fixture.clocks.now = now;
    CHECK_EQUAL(leat_clocks_init(&fixture.clocks), LEAT_OS_OK);
    CHECK(leat_wheels_init(&fixture.wheels, &config));
    fixture.wheel = leat_wheels_at(&fixture.wheels, 0);
    fixture.alarms = (struct leat_alarms){&fixture.clocks, fixture.wheel, fired, &fixture};
}

static void
teardown(void)
{
    CHECK(leat_wheels_check(&fixture.wheels, stderr));
    leat_wheels_fini(&fixture.wheels);
    leat_clocks_fini(&fixture.clocks);
}

static enum leat_wheel_result
arm(uint32_t index, uint64_t ticks)
{
    enum leat_wheel_result result = leat_wheel_arm_any(fixture.wheel, index, NOW + ticks * TICK);
    CHECK(result != LEAT_WHEEL_REFUSED);
    return result;
}

static uint64_t
look(void)
{
    return leat_alarms_look(&fixture.alarms, fixture.now_ns);
}

static void
pass(uint64_t ticks)
{
    fixture.now_ns += ticks * TICK;
}

/* ---- tests ---------------------------------------------------------------------------------- */

static void
each_is_handed_out_once(void **state)
{
    (void)state;
    setup();
    CHECK_EQUAL(look(), LEAT_TIME_NEVER);
    (void)arm(3, 2);
    (void)arm(4, 5);
    CHECK_EQUAL(look(), NOW + 2 * TICK); /* also takes them out of the inbox */
    pass(1);
    CHECK_EQUAL(look(), NOW + 2 * TICK);
    CHECK_EQUAL(fixture.fired, 0);
    pass(1);
    CHECK_EQUAL(look(), NOW + 5 * TICK);
    CHECK_EQUAL(fixture.fired, 1);
    CHECK_EQUAL(fixture.last, 3);
    pass(3);
    CHECK_EQUAL(look(), LEAT_TIME_NEVER);
    CHECK_EQUAL(fixture.fired, 2);
    CHECK_EQUAL(fixture.last, 4);
    teardown();
}

/* A look hands out so many, and says that there are more. */
static void
a_look_is_bounded(void **state)
{
    (void)state;
    setup();
    for (uint32_t i = 0; i < LEAT_WHEEL_NODES_MAX + 100; i++) {
        (void)arm(i, 1);
    }
    while (look() == fixture.now_ns) { /* out of the inbox, within the budget */
    }
    CHECK_EQUAL(fixture.fired, 0);
    pass(2);
    CHECK_EQUAL(look(), fixture.now_ns);
    CHECK(fixture.fired > 0);
    CHECK(fixture.fired <= LEAT_WHEEL_NODES_MAX);
    while (look() == fixture.now_ns) {
    }
    CHECK_EQUAL(fixture.fired, LEAT_WHEEL_NODES_MAX + 100);
    CHECK_EQUAL(look(), LEAT_TIME_NEVER);
    teardown();
}

/* Who has the wheel is asked again later, if something is due; else its time is known. */
static void
another_has_the_wheel(void **state)
{
    (void)state;
    setup();
    (void)arm(3, 2);
    CHECK_EQUAL(look(), NOW + 2 * TICK);
    CHECK(leat_wheel_enter(fixture.wheel));
    CHECK_EQUAL(look(), NOW + 2 * TICK);
    pass(2);
    CHECK_EQUAL(look(), fixture.now_ns + LEAT_CLOCK_AGAIN_NS);
    CHECK_EQUAL(fixture.fired, 0);
    while (!leat_wheel_leave(fixture.wheel)) {
    }
    CHECK_EQUAL(look(), LEAT_TIME_NEVER);
    CHECK_EQUAL(fixture.fired, 1);
    teardown();
}

/* Who comes by in vain leaves it to the one that has the wheel. */
static void
another_comes_by(void **state)
{
    (void)state;
    setup();
    fixture.calls = 3;
    (void)arm(3, 1);
    CHECK_EQUAL(look(), NOW + TICK);
    pass(1);
    CHECK_EQUAL(look(), LEAT_TIME_NEVER);
    CHECK_EQUAL(fixture.fired, 4);
    CHECK_EQUAL(fixture.last, 6);
    teardown();
}

/* What is armed for now fires at once; who sleeps is told only of what is earlier. */
static void
told_of_an_earlier_timer(void **state)
{
    struct leat_doorbell *bell = &fixture.clocks.doorbell;
    (void)state;
    setup();
    enum leat_wheel_result result = arm(3, 4);
    CHECK_EQUAL(result, LEAT_WHEEL_WAKE);
    CHECK_EQUAL(atom_load_rlx(&bell->word) & 1, 1); /* as from the init */
    leat_alarms_armed(&fixture.alarms, result);
    CHECK_EQUAL(atom_load_rlx(&bell->word) & 1, 0);
    leat_doorbell_listen(bell);
    result = arm(4, 6);
    CHECK_EQUAL(result, LEAT_WHEEL_DONE);
    leat_alarms_armed(&fixture.alarms, result);
    CHECK_EQUAL(atom_load_rlx(&bell->word) & 1, 1);
    CHECK_EQUAL(fixture.fired, 0);
    leat_alarms_armed(&fixture.alarms, arm(5, 0));
    CHECK_EQUAL(fixture.fired, 1);
    CHECK_EQUAL(fixture.last, 5);
    teardown();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_handed_out_once),  cmocka_unit_test(a_look_is_bounded),
        cmocka_unit_test(another_has_the_wheel),    cmocka_unit_test(another_comes_by),
        cmocka_unit_test(told_of_an_earlier_timer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
