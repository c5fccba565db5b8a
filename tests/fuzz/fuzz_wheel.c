/* fuzz_wheel.c - random calls of one thread on timing wheels, beside a naive list of who is armed
 * for when. After each advance exactly those were handed out that the list says: none early, none
 * late, none twice, in the order of ticks; and those that were cancelled through the inbox were
 * released, once. Budgets, the distance of deadlines, jumps of the clock, wheels and ticks vary by
 * round. Now and then the checks of all wheels (I1 to I4). */
#include <stdio.h>
#include <stdlib.h>

#include "sched/wheel.h"
#include "tests/support/check.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

#define RECORDS 3000
#define WHEELS  3
#define ROUNDS  40
#define CALLS   60000

enum state { IDLE, ARMED, CANCELLED };

/* What must be. */
struct timer {
    enum state state;
    uint32_t wheel;
    uint64_t deadline_ns;
    bool sent; /* through the inbox, or late: it joins at any time of an advance */
};

struct fixture {
    struct leat_wheels wheels;
    struct timer timers[RECORDS];
    struct test_prng prng;
    uint64_t now_ns;
    uint64_t start_ns;
    uint32_t tick_log2;
    uint32_t spread_log2;  /* deadlines are up to so far away */
    uint32_t records_used; /* few: re-used at once */
    uint64_t expired;
    uint64_t released;
};

static uint64_t
tick_down(const struct fixture *fixture, uint64_t ns)
{
    return ns <= fixture->start_ns ? 0 : (ns - fixture->start_ns) >> fixture->tick_log2;
}

static uint64_t
tick_up(const struct fixture *fixture, uint64_t ns)
{
    uint64_t tick = tick_down(fixture, ns);
    return ns > fixture->start_ns + (tick << fixture->tick_log2) ? tick + 1 : tick;
}

static uint64_t
deadline_random(struct fixture *fixture)
{
    uint64_t far = test_random(&fixture->prng) >> (64 - fixture->spread_log2);
    far >>= test_random_below(&fixture->prng, fixture->spread_log2);
    uint64_t base = fixture->now_ns;
    if (test_random_below(&fixture->prng, 16) == 0) {
        return base > far ? base - far : 0; /* past */
    }
    return base + far < base ? UINT64_MAX : base + far;
}

/* A handed out index, against the list. */
static void
receive(struct fixture *fixture, struct leat_wheel *wheel, uint32_t item, uint64_t *tick_last)
{
    uint32_t index = item & ~LEAT_WHEEL_RELEASED;
    CHECK(index < RECORDS);
    struct timer *timer = &fixture->timers[index];
    CHECK_EQUAL(timer->wheel, wheel->number);
    if ((item & LEAT_WHEEL_RELEASED) != 0) {
        CHECK(timer->state == CANCELLED);
        fixture->released++;
    } else {
        CHECK(timer->state == ARMED);
        CHECK(timer->deadline_ns <= fixture->now_ns);
        uint64_t tick = tick_up(fixture, timer->deadline_ns);
        CHECK(tick <= tick_down(fixture, fixture->now_ns));
        CHECK(timer->sent || tick >= *tick_last);
        *tick_last = timer->sent ? *tick_last : tick;
        fixture->expired++;
    }
    timer->state = IDLE;
}

/* Advances one wheel to the end, in steps of any budget. */
static void
advance(struct fixture *fixture, struct leat_wheel *wheel)
{
    uint64_t tick_last = 0;
    bool more = true;
    while (more) {
        uint32_t budget = 1 + test_random_below(&fixture->prng, LEAT_WHEEL_NODES_MAX);
        budget = test_random_below(&fixture->prng, 2) == 0 ? budget : 1 + budget % 8;
        struct leat_wheel_step step = {.now_ns = fixture->now_ns, .budget = budget};
        more = leat_wheel_advance(wheel, &step);
        CHECK(step.budget <= budget);
        CHECK(step.count <= LEAT_WHEEL_CHUNK);
        for (uint32_t i = 0; i < step.count; i++) {
            receive(fixture, wheel, step.indices[i], &tick_last);
        }
    }
    for (uint32_t i = 0; i < RECORDS; i++) {
        const struct timer *timer = &fixture->timers[i];
        if (timer->wheel == wheel->number && timer->state != IDLE) {
            CHECK(timer->state == ARMED);
            CHECK(tick_up(fixture, timer->deadline_ns) > tick_down(fixture, fixture->now_ns));
        }
    }
}

static void
clock_move(struct fixture *fixture)
{
    uint64_t far = test_random(&fixture->prng) >> (64 - fixture->spread_log2);
    far >>= test_random_below(&fixture->prng, fixture->spread_log2);
    if (test_random_below(&fixture->prng, 16) != 0) {
        fixture->now_ns += fixture->now_ns + far < fixture->now_ns ? 0 : far;
    }
}

/* The clock goes back for one call: nothing happens but what was sent is taken. */
static void
advance_back(struct fixture *fixture, struct leat_wheel *wheel)
{
    struct leat_wheel_step step = {.now_ns = fixture->now_ns / 2, .budget = 5};
    (void)leat_wheel_advance(wheel, &step);
    uint64_t tick_last = 0;
    for (uint32_t i = 0; i < step.count; i++) {
        receive(fixture, wheel, step.indices[i], &tick_last);
    }
}

/* Nothing that is armed comes before this; what was sent is due at once. */
static void
due_check(struct fixture *fixture, struct leat_wheel *wheel)
{
    CHECK(leat_wheel_leave(wheel));
    uint64_t due_ns = leat_wheel_due_ns(wheel);
    for (uint32_t i = 0; i < RECORDS; i++) {
        const struct timer *timer = &fixture->timers[i];
        if (timer->wheel == wheel->number && timer->state == ARMED) {
            uint64_t tick = tick_up(fixture, timer->deadline_ns);
            CHECK(due_ns == 0 || tick_down(fixture, due_ns) <= tick || due_ns <= fixture->now_ns);
        }
    }
    CHECK(leat_wheel_enter(wheel));
}

static void
call_arm(struct fixture *fixture, uint32_t index, struct leat_wheel *wheel)
{
    struct timer *timer = &fixture->timers[index];
    uint64_t deadline_ns = deadline_random(fixture);
    bool sent = test_random_below(&fixture->prng, 2) == 0;
    enum leat_wheel_result got = sent ? leat_wheel_arm_any(wheel, index, deadline_ns)
                                      : leat_wheel_arm(wheel, index, deadline_ns);
    CHECK((got == LEAT_WHEEL_REFUSED) == (timer->state != IDLE));
    if (got != LEAT_WHEEL_REFUSED) {
        CHECK(got == LEAT_WHEEL_DONE || got == LEAT_WHEEL_WAKE);
        bool late = deadline_ns <= fixture->now_ns;
        *timer = (struct timer){ARMED, wheel->number, deadline_ns, sent || late};
    }
}

static void
call_rearm(struct fixture *fixture, uint32_t index, struct leat_wheel *held)
{
    struct timer *timer = &fixture->timers[index];
    uint64_t deadline_ns = deadline_random(fixture);
    enum leat_wheel_result got = leat_wheel_rearm(&fixture->wheels, held, index, deadline_ns);
    CHECK((got == LEAT_WHEEL_REFUSED) == (timer->state != ARMED));
    if (got != LEAT_WHEEL_REFUSED) {
        CHECK(got == LEAT_WHEEL_DONE || got == LEAT_WHEEL_WAKE);
        timer->deadline_ns = deadline_ns;
        timer->sent = true;
    }
}

static void
call_cancel(struct fixture *fixture, uint32_t index, struct leat_wheel *held)
{
    struct timer *timer = &fixture->timers[index];
    enum leat_wheel_result got = leat_wheel_cancel(&fixture->wheels, held, index);
    CHECK((got == LEAT_WHEEL_REFUSED) == (timer->state != ARMED));
    if (got != LEAT_WHEEL_REFUSED) {
        CHECK(got == LEAT_WHEEL_DONE || got == LEAT_WHEEL_LATER);
        CHECK(got == LEAT_WHEEL_LATER || held != NULL);
        timer->state = got == LEAT_WHEEL_DONE ? IDLE : CANCELLED;
    }
}

static void
call_one(struct fixture *fixture)
{
    uint32_t index = test_random_below(&fixture->prng, fixture->records_used);
    uint32_t number = test_random_below(&fixture->prng, WHEELS);
    struct leat_wheel *wheel = leat_wheels_at(&fixture->wheels, number);
    struct leat_wheel *held = test_random_below(&fixture->prng, 3) == 0 ? NULL : wheel;
    uint32_t what = test_random_below(&fixture->prng, 1000);
    if (what < 500) {
        call_arm(fixture, index, wheel);
    } else if (what < 700) {
        call_rearm(fixture, index, held);
    } else if (what < 960) {
        call_cancel(fixture, index, held);
    } else if (what < 995) {
        clock_move(fixture);
        advance(fixture, wheel);
    } else if (what < 997) {
        advance_back(fixture, wheel);
    } else if (what < 999) {
        due_check(fixture, wheel);
    } else if (test_random_below(&fixture->prng, 10) == 0) {
        CHECK(leat_wheels_check(&fixture->wheels, stderr));
    }
}

static void
round_start(struct fixture *fixture, struct test_prng prng)
{
    *fixture = (struct fixture){.prng = prng};
    fixture->tick_log2 = LEAT_WHEEL_TICK_LOG2_MIN + test_random_below(&fixture->prng, 21);
    fixture->spread_log2 = 1 + test_random_below(&fixture->prng, 63);
    fixture->records_used = 1 + test_random_below(&fixture->prng, RECORDS);
    fixture->start_ns = test_random(&fixture->prng) >> test_random_below(&fixture->prng, 64);
    fixture->now_ns = fixture->start_ns;
    const struct leat_wheels_config config = {.records = RECORDS,
                                              .wheels = WHEELS,
                                              .tick_log2 = fixture->tick_log2,
                                              .start_ns = fixture->start_ns};
    CHECK(leat_wheels_init(&fixture->wheels, &config));
    for (uint32_t i = 0; i < WHEELS; i++) {
        CHECK(leat_wheel_enter(leat_wheels_at(&fixture->wheels, i)));
    }
}

static void
against_a_list(void **state)
{
    (void)state;
    static struct fixture fixture;
    struct test_prng prng = {test_seed("fuzz_wheel")};
    uint64_t expired = 0;
    uint64_t released = 0;
    uint32_t rounds = test_sanitized() ? ROUNDS / 8 : ROUNDS;
    for (uint32_t round = 0; round < rounds; round++) {
        round_start(&fixture, prng);
        for (uint32_t i = 0; i < CALLS; i++) {
            call_one(&fixture);
        }
        CHECK(leat_wheels_check(&fixture.wheels, stderr));
        expired += fixture.expired;
        released += fixture.released;
        prng = fixture.prng;
        leat_wheels_fini(&fixture.wheels);
    }
    test_say("%u rounds of %u calls: %llu expired, %llu released\n", rounds, CALLS,
             (unsigned long long)expired, (unsigned long long)released);
    CHECK(expired > 1000);
    CHECK(released > 1000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(against_a_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
