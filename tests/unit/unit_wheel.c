/* unit_wheel.c - timing wheels on one thread, with a clock that the test sets: every level, the
 * tick before, at and behind a deadline, the horizon, past deadlines, jumps of the clock both ways,
 * budgets and chunks, the role, what each call answers, when a wheel says it is due, and that
 * blocks are never used up. Holds I1 to I4 by the checks of the wheels, and shows that these can
 * say no. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sched/wheel_internal.h"
#include "tests/support/check.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

#define RECORDS   20000
#define TICK_LOG2 LEAT_WHEEL_TICK_LOG2_DEFAULT
#define TICK      (UINT64_C(1) << TICK_LOG2)

struct fixture {
    struct leat_wheels wheels;
    struct leat_wheel *wheel; /* the first; held */
    uint32_t handed[RECORDS]; /* how often it expired */
    uint32_t released;
    uint32_t last; /* index handed out last */
};

static struct fixture fixture;

static void
setup(struct leat_wheels_config config)
{
    memset(&fixture, 0, sizeof(fixture));
    config.records = config.records == 0 ? RECORDS : config.records;
    config.wheels = config.wheels == 0 ? 2 : config.wheels;
    config.tick_log2 = config.tick_log2 == 0 ? TICK_LOG2 : config.tick_log2;
    CHECK(leat_wheels_init(&fixture.wheels, &config));
    fixture.wheel = leat_wheels_at(&fixture.wheels, 0);
    CHECK(leat_wheel_enter(fixture.wheel));
}

static void
teardown(void)
{
    CHECK(leat_wheels_check(&fixture.wheels, stderr));
    leat_wheels_fini(&fixture.wheels);
}

/* Advances in full steps to the end; returns how many expired. */
static uint32_t
advance(uint64_t now_ns)
{
    uint32_t expired = 0;
    bool more = true;
    while (more) {
        struct leat_wheel_step step = {.now_ns = now_ns, .budget = LEAT_WHEEL_NODES_MAX};
        more = leat_wheel_advance(fixture.wheel, &step);
        for (uint32_t i = 0; i < step.count; i++) {
            if ((step.indices[i] & LEAT_WHEEL_RELEASED) != 0) {
                fixture.released++;
            } else {
                fixture.handed[step.indices[i]]++;
                fixture.last = step.indices[i];
                expired++;
            }
        }
    }
    return expired;
}

static void
arm(uint32_t index, uint64_t deadline_ns)
{
    CHECK(leat_wheel_arm(fixture.wheel, index, deadline_ns) != LEAT_WHEEL_REFUSED);
}

/* ---- time ------------------------------------------------------------------------------------ */

/* One timer `far` ticks behind `now`: not a nanosecond before its tick, and then. */
static void
one_timer(uint64_t now, uint64_t far)
{
    setup((struct leat_wheels_config){0});
    CHECK_EQUAL(advance(now * TICK), 0);
    arm(7, (now + far) * TICK);
    CHECK(leat_wheels_check(&fixture.wheels, stderr));
    CHECK_EQUAL(now + far == 0 ? 0 : advance((now + far) * TICK - 1), 0);
    CHECK_EQUAL(advance((now + far) * TICK), 1);
    CHECK_EQUAL(fixture.handed[7], 1);
    CHECK_EQUAL(leat_wheel_cancel(&fixture.wheels, fixture.wheel, 7), LEAT_WHEEL_REFUSED);
    teardown();
}

static void
every_level_is_exact(void **state)
{
    (void)state;
    const uint64_t starts[] = {0,        1, 63, 64, 4095, 4096, 262143, (UINT64_C(1) << 36) - 1,
                               123456789};
    for (uint32_t i = 0; i < TEST_COUNT_OF(starts); i++) {
        for (uint32_t level = 0; level <= LEAT_WHEEL_LEVELS; level++) {
            uint64_t edge = UINT64_C(1) << (level * LEAT_WHEEL_SLOTS_LOG2);
            for (uint64_t times = 1; times < 64; times += 31) {
                one_timer(starts[i], edge * times - 1);
                one_timer(starts[i], edge * times);
                one_timer(starts[i], edge * times + 1);
            }
        }
    }
}

/* The same tick by tick, with all deadlines of two rounds of the second level. */
static void
every_tick_hands_out_its_own(void **state)
{
    (void)state;
    setup((struct leat_wheels_config){0});
    CHECK_EQUAL(advance(1000 * TICK), 0);
    for (uint32_t i = 0; i < 9000; i++) {
        arm(i, (1000 + i) * TICK);
    }
    for (uint32_t i = 0; i < 9000; i++) {
        CHECK_EQUAL(advance((1000 + i) * TICK + TICK / 2), 1);
        CHECK_EQUAL(fixture.last, i);
    }
    teardown();
}

static void
deadlines_are_rounded_up(void **state)
{
    (void)state;
    const uint32_t sizes[] = {LEAT_WHEEL_TICK_LOG2_MIN, TICK_LOG2, LEAT_WHEEL_TICK_LOG2_MAX};
    for (uint32_t i = 0; i < TEST_COUNT_OF(sizes); i++) {
        uint64_t tick_ns = UINT64_C(1) << sizes[i];
        uint64_t start_ns = 12345;
        setup((struct leat_wheels_config){.tick_log2 = sizes[i], .start_ns = start_ns});
        arm(0, start_ns + 5 * tick_ns - 1);
        arm(1, start_ns + 5 * tick_ns);
        arm(2, start_ns + 5 * tick_ns + 1);
        arm(3, start_ns + 4 * tick_ns + 1);
        CHECK_EQUAL(advance(start_ns + 5 * tick_ns - 1), 0);
        CHECK_EQUAL(advance(start_ns + 5 * tick_ns), 3);
        CHECK_EQUAL(fixture.handed[2], 0);
        CHECK_EQUAL(advance(start_ns + 6 * tick_ns - 1), 0);
        CHECK_EQUAL(advance(start_ns + 6 * tick_ns), 1);
        teardown();
    }
}

static void
past_is_now(void **state)
{
    (void)state;
    setup((struct leat_wheels_config){.start_ns = 1000 * TICK});
    arm(0, 0);
    arm(1, 999 * TICK);
    arm(2, 1000 * TICK);
    CHECK_EQUAL(advance(0), 3);
    CHECK_EQUAL(advance(1100 * TICK), 0);
    arm(3, 1050 * TICK);
    arm(4, 1100 * TICK);
    CHECK_EQUAL(leat_wheel_arm_any(fixture.wheel, 5, 1), LEAT_WHEEL_DONE);
    CHECK_EQUAL(advance(1100 * TICK), 3);
    teardown();
}

static void
horizon_is_no_end(void **state)
{
    (void)state;
    setup((struct leat_wheels_config){0});
    uint64_t now = 5;
    CHECK_EQUAL(advance(now * TICK), 0);
    arm(0, (now + LEAT_WHEEL_REACH - 1) * TICK);
    arm(1, (now + LEAT_WHEEL_REACH) * TICK);
    arm(2, (now + LEAT_WHEEL_REACH + 1) * TICK);
    arm(3, (now + 3 * LEAT_WHEEL_REACH + 17) * TICK);
    arm(4, UINT64_MAX);
    CHECK_EQUAL(advance((now + LEAT_WHEEL_REACH - 2) * TICK), 0);
    for (uint64_t i = 0; i < 3; i++) {
        CHECK_EQUAL(advance((now + LEAT_WHEEL_REACH - 1 + i) * TICK), 1);
        CHECK_EQUAL(fixture.last, i);
    }
    CHECK_EQUAL(advance((now + 3 * LEAT_WHEEL_REACH + 16) * TICK), 0);
    CHECK_EQUAL(advance((now + 3 * LEAT_WHEEL_REACH + 17) * TICK), 1);
    CHECK_EQUAL(advance(UINT64_MAX), 0); /* rounded down: its tick has not begun */
    CHECK_EQUAL(leat_wheel_cancel(&fixture.wheels, fixture.wheel, 4), LEAT_WHEEL_DONE);
    teardown();
}

static void
the_clock_jumps(void **state)
{
    (void)state;
    setup((struct leat_wheels_config){0});
    CHECK_EQUAL(advance(5000 * TICK), 0);
    for (uint32_t i = 0; i < 1000; i++) {
        arm(i, (5000 + (uint64_t)i * i) * TICK);
    }
    CHECK_EQUAL(advance(5001 * TICK), 2);
    CHECK_EQUAL(advance(100 * TICK), 0);
    CHECK_EQUAL(advance(5001 * TICK), 0);
    /* Armed meanwhile: what the wheel has passed is due as soon as the clock is there again. */
    arm(1000, 200 * TICK);
    CHECK_EQUAL(advance(300 * TICK), 0);
    CHECK_EQUAL(advance(5001 * TICK), 1);
    /* A suspend: all that fell due, in order. */
    CHECK_EQUAL(advance((5000 + 800 * 800) * TICK), 799);
    CHECK_EQUAL(fixture.last, 800);
    CHECK_EQUAL(advance(UINT64_C(1) << 60), 199);
    teardown();
}

/* ---- steps ----------------------------------------------------------------------------------- */

static void
steps_are_bounded(void **state)
{
    (void)state;
    const uint32_t budgets[] = {0, 1, 31, 32, 33, LEAT_WHEEL_NODES_MAX - 1, LEAT_WHEEL_NODES_MAX};
    for (uint32_t i = 0; i < TEST_COUNT_OF(budgets); i++) {
        setup((struct leat_wheels_config){0});
        for (uint32_t j = 0; j < RECORDS; j++) {
            arm(j, (300000 + j % 3) * TICK); /* 3 moves down each, and then out */
        }
        uint32_t looked = 0;
        uint32_t expired = 0;
        bool more = true;
        while (more && (budgets[i] != 0 || looked == 0)) {
            struct leat_wheel_step step = {.now_ns = 300010 * TICK, .budget = budgets[i]};
            more = leat_wheel_advance(fixture.wheel, &step);
            CHECK(step.budget <= budgets[i]);
            CHECK(step.count <= LEAT_WHEEL_CHUNK);
            CHECK(step.budget != budgets[i] || budgets[i] == 0 || !more);
            looked += budgets[i] == 0 ? 1 : budgets[i] - step.budget;
            expired += step.count;
        }
        CHECK_EQUAL(expired, budgets[i] == 0 ? 0 : RECORDS);
        CHECK(looked <= 5 * RECORDS);
        teardown();
    }
}

static void
changes_between_steps(void **state)
{
    (void)state;
    setup((struct leat_wheels_config){0});
    for (uint32_t i = 0; i < 1000; i++) {
        arm(i, 5000 * TICK);
    }
    /* In the midst of moving them down, some are cancelled, moved, and new ones come. */
    struct leat_wheel_step step = {.now_ns = 5000 * TICK, .budget = 100};
    CHECK(leat_wheel_advance(fixture.wheel, &step));
    CHECK_EQUAL(step.count, 0);
    for (uint32_t i = 0; i < 1000; i += 4) {
        CHECK_EQUAL(leat_wheel_cancel(&fixture.wheels, fixture.wheel, i), LEAT_WHEEL_DONE);
        arm(i, 6000 * TICK);
        CHECK(leat_wheel_rearm(&fixture.wheels, fixture.wheel, i + 1, 4100 * TICK) !=
              LEAT_WHEEL_REFUSED);
        CHECK(leat_wheel_rearm(&fixture.wheels, fixture.wheel, i + 2, 7000 * TICK) !=
              LEAT_WHEEL_REFUSED);
    }
    CHECK(leat_wheels_check(&fixture.wheels, stderr));
    CHECK_EQUAL(advance(4100 * TICK), 250);
    CHECK_EQUAL(advance(5000 * TICK), 250);
    CHECK_EQUAL(advance(6000 * TICK), 250);
    CHECK_EQUAL(advance(7000 * TICK), 250);
    teardown();
}

/* What is taken from the inbox counts, too. */
static void
the_inbox_is_bounded(void **state)
{
    (void)state;
    setup((struct leat_wheels_config){0});
    for (uint32_t i = 0; i < 10; i++) {
        CHECK(leat_wheel_arm_any(fixture.wheel, i, 5000 * TICK) != LEAT_WHEEL_REFUSED);
    }
    for (uint32_t i = 0; i < 3; i++) {
        struct leat_wheel_step step = {.now_ns = TICK, .budget = 3};
        CHECK(leat_wheel_advance(fixture.wheel, &step));
        CHECK_EQUAL(step.budget, 0);
        CHECK_EQUAL(fixture.wheel->count, 3 * (i + 1));
    }
    CHECK_EQUAL(advance(TICK), 0);
    CHECK_EQUAL(fixture.wheel->count, 10);
    teardown();
}

/* An idle wheel goes with the time: what is armed then is near, and moves down no level. */
static void
an_idle_wheel_goes_with_the_time(void **state)
{
    (void)state;
    setup((struct leat_wheels_config){0});
    CHECK_EQUAL(advance(4096 * TICK), 0);
    arm(0, 4100 * TICK);
    struct leat_wheel_step step = {.now_ns = 4100 * TICK, .budget = 10};
    CHECK(!leat_wheel_advance(fixture.wheel, &step));
    CHECK_EQUAL(step.count, 1);
    CHECK_EQUAL(step.budget, 9);
    teardown();
}

/* ---- calls ----------------------------------------------------------------------------------- */

/* Each timer of a list of several blocks is cancelled from each position. */
static void
cancel_keeps_the_others(void **state)
{
    (void)state;
    const uint32_t counts[] = {1, LEAT_WHEEL_ENTRIES, LEAT_WHEEL_ENTRIES + 1, 100};
    for (uint32_t i = 0; i < TEST_COUNT_OF(counts); i++) {
        for (uint32_t gone = 0; gone < counts[i]; gone++) {
            setup((struct leat_wheels_config){0});
            for (uint32_t j = 0; j < counts[i]; j++) {
                arm(j, 70 * TICK);
            }
            CHECK_EQUAL(leat_wheel_cancel(&fixture.wheels, fixture.wheel, gone), LEAT_WHEEL_DONE);
            CHECK_EQUAL(leat_wheel_cancel(&fixture.wheels, fixture.wheel, gone),
                        LEAT_WHEEL_REFUSED);
            CHECK(leat_wheels_check(&fixture.wheels, stderr));
            CHECK_EQUAL(advance(70 * TICK), counts[i] - 1);
            CHECK_EQUAL(fixture.handed[gone], 0);
            teardown();
        }
    }
}

static void
rearming_moves_it(void **state)
{
    (void)state;
    setup((struct leat_wheels_config){0});
    CHECK_EQUAL(leat_wheel_rearm(&fixture.wheels, fixture.wheel, 0, TICK), LEAT_WHEEL_REFUSED);
    arm(0, 500 * TICK);
    CHECK_EQUAL(leat_wheel_arm(fixture.wheel, 0, TICK), LEAT_WHEEL_REFUSED);
    CHECK_EQUAL(leat_wheel_arm_any(fixture.wheel, 0, TICK), LEAT_WHEEL_REFUSED);
    CHECK_EQUAL(leat_wheel_rearm(&fixture.wheels, fixture.wheel, 0, 900 * TICK), LEAT_WHEEL_DONE);
    CHECK_EQUAL(leat_wheel_rearm(&fixture.wheels, NULL, 0, 1000 * TICK), LEAT_WHEEL_DONE);
    CHECK(!leat_inbox_ready(&fixture.wheel->inbox)); /* later: not sent */
    CHECK_EQUAL(advance(999 * TICK), 0);
    CHECK_EQUAL(leat_wheel_rearm(&fixture.wheels, NULL, 0, 5000 * TICK), LEAT_WHEEL_DONE);
    CHECK_EQUAL(leat_wheel_rearm(&fixture.wheels, NULL, 0, 1005 * TICK), LEAT_WHEEL_DONE);
    CHECK(leat_inbox_ready(&fixture.wheel->inbox));
    CHECK_EQUAL(advance(1004 * TICK), 0);
    CHECK_EQUAL(advance(1005 * TICK), 1);
    arm(0, 5000 * TICK);
    CHECK_EQUAL(leat_wheel_rearm(&fixture.wheels, fixture.wheel, 0, 1010 * TICK), LEAT_WHEEL_DONE);
    CHECK_EQUAL(advance(1009 * TICK), 0);
    CHECK_EQUAL(advance(1010 * TICK), 1);
    teardown();
}

/* An entry that is early enough stays where it is, beside another one of its list. */
static void
moving_later_moves_nothing(void **state)
{
    (void)state;
    setup((struct leat_wheels_config){0});
    arm(0, 500 * TICK);
    arm(1, 500 * TICK);
    uint32_t place = fixture.wheels.places[0];
    CHECK_EQUAL(leat_wheel_rearm(&fixture.wheels, fixture.wheel, 0, 900 * TICK), LEAT_WHEEL_DONE);
    CHECK_EQUAL(leat_wheel_rearm(&fixture.wheels, fixture.wheel, 0, 800 * TICK), LEAT_WHEEL_DONE);
    CHECK_EQUAL(leat_wheel_rearm(&fixture.wheels, fixture.wheel, 0, 500 * TICK), LEAT_WHEEL_DONE);
    CHECK_EQUAL(fixture.wheels.places[0], place);
    CHECK_EQUAL(leat_wheel_rearm(&fixture.wheels, NULL, 0, 500 * TICK), LEAT_WHEEL_DONE);
    CHECK(!leat_inbox_ready(&fixture.wheel->inbox)); /* the same: not sent */
    CHECK_EQUAL(leat_wheel_rearm(&fixture.wheels, NULL, 0, 900 * TICK), LEAT_WHEEL_DONE);
    CHECK_EQUAL(leat_wheel_rearm(&fixture.wheels, NULL, 0, 800 * TICK), LEAT_WHEEL_DONE);
    CHECK(leat_inbox_ready(&fixture.wheel->inbox));
    CHECK_EQUAL(advance(0), 0);
    CHECK_EQUAL(fixture.wheels.places[0], place);
    CHECK_EQUAL(advance(500 * TICK), 1);
    CHECK_EQUAL(advance(800 * TICK), 1);
    teardown();
}

static void
the_inbox_releases(void **state)
{
    (void)state;
    setup((struct leat_wheels_config){0});
    struct leat_wheel *other = leat_wheels_at(&fixture.wheels, 1);
    CHECK_EQUAL(leat_wheel_arm_any(fixture.wheel, 0, 10 * TICK), LEAT_WHEEL_WAKE);
    CHECK_EQUAL(leat_wheel_cancel(&fixture.wheels, NULL, 0), LEAT_WHEEL_LATER);
    CHECK_EQUAL(leat_wheel_cancel(&fixture.wheels, NULL, 0), LEAT_WHEEL_REFUSED);
    CHECK_EQUAL(leat_wheel_arm_any(fixture.wheel, 0, 10 * TICK), LEAT_WHEEL_REFUSED);
    CHECK_EQUAL(advance(0), 0);
    CHECK_EQUAL(fixture.released, 1);
    /* In the wheel, and cancelled from elsewhere: also by who holds another wheel. */
    CHECK(leat_wheel_enter(other));
    arm(0, 10 * TICK);
    CHECK_EQUAL(leat_wheel_cancel(&fixture.wheels, other, 0), LEAT_WHEEL_LATER);
    CHECK_EQUAL(advance(10 * TICK), 0);
    CHECK_EQUAL(fixture.released, 2);
    /* Sent, then cancelled by the holder, who finds it in the inbox. */
    CHECK_EQUAL(leat_wheel_arm_any(fixture.wheel, 0, 20 * TICK), LEAT_WHEEL_DONE);
    CHECK_EQUAL(leat_wheel_cancel(&fixture.wheels, fixture.wheel, 0), LEAT_WHEEL_LATER);
    CHECK_EQUAL(advance(30 * TICK), 0);
    CHECK_EQUAL(fixture.released, 3);
    CHECK_EQUAL(leat_wheel_arm_any(other, 0, 20 * TICK), LEAT_WHEEL_WAKE);
    CHECK_EQUAL(advance(40 * TICK), 0);
    struct leat_wheel_step step = {.now_ns = 40 * TICK, .budget = 9};
    CHECK(!leat_wheel_advance(other, &step));
    CHECK_EQUAL(step.count, 1);
    CHECK(leat_wheel_leave(other));
    teardown();
}

static void
the_role_is_tried(void **state)
{
    (void)state;
    setup((struct leat_wheels_config){0});
    CHECK(!leat_wheel_enter(fixture.wheel));
    CHECK(!leat_wheel_enter(fixture.wheel));
    CHECK(!leat_wheel_leave(fixture.wheel)); /* somebody came by */
    CHECK(leat_wheel_leave(fixture.wheel));
    CHECK(leat_wheel_enter(fixture.wheel));
    teardown();
}

static uint64_t
due(void)
{
    CHECK(leat_wheel_leave(fixture.wheel));
    CHECK(leat_wheel_enter(fixture.wheel));
    return leat_wheel_due_ns(fixture.wheel);
}

static void
due_bounds_the_sleep(void **state)
{
    (void)state;
    uint64_t start_ns = 77 * TICK + 5;
    setup((struct leat_wheels_config){.start_ns = start_ns});
    CHECK_EQUAL(due(), LEAT_WHEEL_NEVER);
    CHECK_EQUAL(leat_wheel_arm(fixture.wheel, 0, start_ns + 40 * TICK), LEAT_WHEEL_WAKE);
    CHECK_EQUAL(leat_wheel_due_ns(fixture.wheel), start_ns + 40 * TICK);
    CHECK_EQUAL(leat_wheel_arm(fixture.wheel, 1, start_ns + 50 * TICK), LEAT_WHEEL_DONE);
    CHECK_EQUAL(leat_wheel_arm(fixture.wheel, 2, start_ns + 40 * TICK), LEAT_WHEEL_DONE);
    CHECK_EQUAL(due(), start_ns + 40 * TICK);
    CHECK_EQUAL(leat_wheel_arm_any(fixture.wheel, 3, start_ns + 40 * TICK), LEAT_WHEEL_DONE);
    CHECK_EQUAL(leat_wheel_due_ns(fixture.wheel), 0); /* what was sent wants to be looked at */
    CHECK_EQUAL(advance(start_ns), 0);
    CHECK_EQUAL(leat_wheel_arm_any(fixture.wheel, 4, start_ns + 39 * TICK), LEAT_WHEEL_WAKE);
    CHECK_EQUAL(advance(start_ns + 40 * TICK), 4);
    CHECK_EQUAL(due(), start_ns + 50 * TICK);
    CHECK_EQUAL(advance(start_ns + 50 * TICK), 1);
    CHECK_EQUAL(due(), LEAT_WHEEL_NEVER);
    /* A higher level says when to look again: at most once a level, and not after the timer. */
    arm(5, start_ns + 999999 * TICK);
    uint64_t looks = 0;
    while (fixture.handed[5] == 0) {
        uint64_t due_ns = due();
        CHECK(due_ns <= start_ns + 999999 * TICK);
        (void)advance(due_ns);
        looks++;
    }
    CHECK(looks <= LEAT_WHEEL_LEVELS);
    /* Work that was not finished is due at once. */
    arm(6, start_ns + 1000010 * TICK);
    arm(7, start_ns + 1000010 * TICK);
    struct leat_wheel_step step = {.now_ns = start_ns + 1000020 * TICK, .budget = 1};
    CHECK(leat_wheel_advance(fixture.wheel, &step));
    CHECK(due() <= start_ns + 1000020 * TICK);
    CHECK_EQUAL(advance(step.now_ns), 2 - step.count);
    teardown();
}

/* Whoever leaves with work that it has begun: what it moved already does not hide the rest. */
static void
what_is_begun_is_due(void **state)
{
    (void)state;
    setup((struct leat_wheels_config){0});
    struct leat_wheel_step step = {.now_ns = 0, .budget = 1};
    CHECK_EQUAL(leat_wheel_arm_any(fixture.wheel, 0, 5000 * TICK), LEAT_WHEEL_WAKE);
    CHECK_EQUAL(leat_wheel_arm_any(fixture.wheel, 1, 5000 * TICK), LEAT_WHEEL_WAKE);
    CHECK(leat_wheel_advance(fixture.wheel, &step));
    CHECK_EQUAL(due(), 0);
    CHECK_EQUAL(advance(5000 * TICK), 2);
    arm(0, 8192 * TICK);
    arm(1, 8196 * TICK); /* of the same list, and the first to move down */
    step = (struct leat_wheel_step){.now_ns = 8192 * TICK, .budget = 1};
    CHECK(leat_wheel_advance(fixture.wheel, &step));
    CHECK(due() <= 8192 * TICK);
    CHECK_EQUAL(advance(8192 * TICK), 1);
    CHECK_EQUAL(due(), 8196 * TICK);
    CHECK_EQUAL(advance(8196 * TICK), 1);
    teardown();
}

/* Moved by the holder to what is earlier than all it said before; and the last tick there is. */
static void
due_comes_nearer(void **state)
{
    (void)state;
    setup((struct leat_wheels_config){0});
    arm(0, 40 * TICK);
    CHECK_EQUAL(due(), 40 * TICK);
    CHECK_EQUAL(leat_wheel_rearm(&fixture.wheels, fixture.wheel, 0, 30 * TICK), LEAT_WHEEL_WAKE);
    CHECK_EQUAL(leat_wheel_due_ns(fixture.wheel), 30 * TICK);
    CHECK_EQUAL(advance(30 * TICK), 1);
    /* Two in one list, the later one first. */
    CHECK_EQUAL(due(), LEAT_WHEEL_NEVER);
    CHECK_EQUAL(leat_wheel_arm(fixture.wheel, 0, 80 * TICK), LEAT_WHEEL_WAKE);
    CHECK_EQUAL(leat_wheel_arm(fixture.wheel, 1, 70 * TICK), LEAT_WHEEL_WAKE);
    CHECK_EQUAL(leat_wheel_due_ns(fixture.wheel), 70 * TICK);
    CHECK_EQUAL(advance(80 * TICK), 2);
    uint64_t last_ns = LEAT_WHEEL_NEVER / TICK * TICK;
    CHECK_EQUAL(advance(last_ns - TICK), 0);
    arm(0, last_ns);
    CHECK_EQUAL(due(), last_ns);
    CHECK_EQUAL(advance(last_ns), 1);
    teardown();
}

/* ---- memory ---------------------------------------------------------------------------------- */

/* A deadline in a list of its own for each number, seen from tick 0. */
static uint64_t
deadline_alone(uint32_t number)
{
    uint32_t lists = LEAT_WHEEL_SLOTS - 1;
    return ((uint64_t)(1 + number % lists) << number / lists * LEAT_WHEEL_SLOTS_LOG2) * TICK;
}

/* A wheel keeps as many free blocks as it may, and takes them before others. */
static void
free_blocks_are_kept(void **state)
{
    (void)state;
    setup((struct leat_wheels_config){0});
    for (uint32_t round = 0; round < 2; round++) {
        for (uint32_t i = 0; i <= LEAT_WHEEL_SPARES; i++) {
            arm(i, deadline_alone(i));
            CHECK_EQUAL(fixture.wheel->spares,
                        round == 0 || i >= LEAT_WHEEL_SPARES ? 0 : LEAT_WHEEL_SPARES - 1 - i);
        }
        for (uint32_t i = 0; i <= LEAT_WHEEL_SPARES; i++) {
            CHECK_EQUAL(leat_wheel_cancel(&fixture.wheels, fixture.wheel, i), LEAT_WHEEL_DONE);
            CHECK_EQUAL(fixture.wheel->spares, i < LEAT_WHEEL_SPARES ? i + 1 : LEAT_WHEEL_SPARES);
        }
    }
    teardown();
}

/* One timer in each list that there is, and all the rest wherever: arming does not fail. */
static void
blocks_suffice(void **state)
{
    (void)state;
    const uint32_t counts[] = {1, 378, 378 + LEAT_WHEEL_ENTRIES, RECORDS};
    for (uint32_t i = 0; i < TEST_COUNT_OF(counts); i++) {
        setup((struct leat_wheels_config){.records = counts[i], .wheels = 1});
        CHECK(leat_wheels_bytes(&(struct leat_wheels_config){.records = counts[i], .wheels = 1}) >
              counts[i] * sizeof(uint32_t));
        struct test_prng prng = {1};
        for (uint32_t round = 0; round < 4; round++) {
            uint64_t now = UINT64_C(12345) * round;
            for (uint32_t j = 0; j < counts[i]; j++) {
                uint32_t level = j / 63 % LEAT_WHEEL_LEVELS;
                uint64_t far = (uint64_t)(1 + j % 63) << (level * LEAT_WHEEL_SLOTS_LOG2);
                arm(j, (now + far) * TICK);
            }
            CHECK(leat_wheels_check(&fixture.wheels, stderr));
            for (uint32_t j = 0; j < counts[i]; j++) {
                (void)leat_wheel_rearm(&fixture.wheels, fixture.wheel, j,
                                       test_random(&prng) >> test_random_below(&prng, 40));
            }
            CHECK(leat_wheels_check(&fixture.wheels, stderr));
            for (uint32_t j = 0; j < counts[i]; j++) {
                CHECK_EQUAL(leat_wheel_cancel(&fixture.wheels, fixture.wheel, j), LEAT_WHEEL_DONE);
            }
            CHECK_EQUAL(advance((now + 12345) * TICK), 0);
        }
        CHECK_EQUAL(fixture.wheel->count, 0);
        teardown();
    }
}

static void
as_many_wheels_as_there_may_be(void **state)
{
    (void)state;
    setup((struct leat_wheels_config){.wheels = LEAT_WORKERS_MAX});
    for (uint32_t i = 0; i < LEAT_WORKERS_MAX; i++) {
        struct leat_wheel *wheel = leat_wheels_at(&fixture.wheels, i);
        CHECK(i == 0 || leat_wheel_enter(wheel));
        CHECK_EQUAL(leat_wheel_arm(wheel, i, 5 * TICK), LEAT_WHEEL_WAKE);
        CHECK_EQUAL(leat_wheel_arm_any(wheel, 1000 + i, 3 * TICK), LEAT_WHEEL_WAKE);
        struct leat_wheel_step step = {.now_ns = 4 * TICK, .budget = 100};
        CHECK(!leat_wheel_advance(wheel, &step));
        CHECK_EQUAL(step.count, 1);
        CHECK_EQUAL(step.indices[0], 1000 + i);
        CHECK_EQUAL(leat_wheel_cancel(&fixture.wheels, wheel, i), LEAT_WHEEL_DONE);
    }
    teardown();
}

/* ---- the check ------------------------------------------------------------------------------- */

static void
check_can_say_no(void **state)
{
    (void)state;
    setup((struct leat_wheels_config){0});
    for (uint32_t i = 0; i < 40; i++) {
        arm(i, (70 + i % 2) * TICK);
    }
    CHECK_EQUAL(leat_wheel_arm_any(fixture.wheel, 50, TICK), LEAT_WHEEL_WAKE);
    CHECK(leat_wheel_check(fixture.wheel, stderr));
    CHECK(leat_wheels_check(&fixture.wheels, stderr));

    fixture.wheels.places[3]++; /* I4 */
    CHECK(!leat_wheel_check(fixture.wheel, NULL));
    fixture.wheels.places[3]--;
    uint64_t word = atom_load_rlx(&fixture.wheels.words[3]);
    atom_store_rlx(&fixture.wheels.words[3], 0); /* I2 */
    CHECK(!leat_wheel_check(fixture.wheel, NULL));
    atom_store_rlx(&fixture.wheels.words[3], leat_wheel_word_with(word, 60) | LEAT_WHEEL_ARMED);
    CHECK(!leat_wheel_check(fixture.wheel, NULL));
    atom_store_rlx(&fixture.wheels.words[3], word);
    fixture.wheel->now += 100; /* I3 */
    CHECK(!leat_wheel_check(fixture.wheel, NULL));
    fixture.wheel->now -= 100;
    fixture.wheel->occupied[1] = 0;
    CHECK(!leat_wheel_check(fixture.wheel, NULL));
    fixture.wheel->occupied[1] = 2;
    fixture.wheel->count++;
    CHECK(!leat_wheel_check(fixture.wheel, NULL));
    fixture.wheel->count--;
    CHECK(leat_wheels_check(&fixture.wheels, stderr));
    word = atom_load_rlx(&fixture.wheels.words[50]);
    atom_store_rlx(&fixture.wheels.words[50], 0); /* I1 */
    CHECK(!leat_wheels_check(&fixture.wheels, NULL));
    atom_store_rlx(&fixture.wheels.words[50], word);
    CHECK_EQUAL(advance(100 * TICK), 41);
    teardown();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_level_is_exact),
        cmocka_unit_test(every_tick_hands_out_its_own),
        cmocka_unit_test(deadlines_are_rounded_up),
        cmocka_unit_test(past_is_now),
        cmocka_unit_test(horizon_is_no_end),
        cmocka_unit_test(the_clock_jumps),
        cmocka_unit_test(steps_are_bounded),
        cmocka_unit_test(changes_between_steps),
        cmocka_unit_test(the_inbox_is_bounded),
        cmocka_unit_test(an_idle_wheel_goes_with_the_time),
        cmocka_unit_test(cancel_keeps_the_others),
        cmocka_unit_test(rearming_moves_it),
        cmocka_unit_test(moving_later_moves_nothing),
        cmocka_unit_test(the_inbox_releases),
        cmocka_unit_test(the_role_is_tried),
        cmocka_unit_test(due_bounds_the_sleep),
        cmocka_unit_test(what_is_begun_is_due),
        cmocka_unit_test(due_comes_nearer),
        cmocka_unit_test(free_blocks_are_kept),
        cmocka_unit_test(blocks_suffice),
        cmocka_unit_test(as_many_wheels_as_there_may_be),
        cmocka_unit_test(check_can_say_no),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
