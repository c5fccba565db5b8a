/* suspend_wheel.c - arming, moving and cancelling timers from outside, sched/wheel.h, under the
 * suspension test, see suspend.h. One thread is the holder of the role and advances; all others
 * send. While the holder stands still, they must be able to arm every record that there is, and
 * their moves and cancels come back. While one of the others stands still, the holder and the rest
 * go on for ever, with all records but the one that it has in hand. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sched/wheel.h"
#include "tests/support/check.h"
#include "tests/suspend/suspend.h"

#define RECORDS 8
#define TICK    (UINT64_C(1) << LEAT_WHEEL_TICK_LOG2_MIN)

struct wheel_state {
    const struct suspend_subject *subject;
    struct leat_wheels wheels;
    struct leat_wheel *wheel;
    /* Records that are in no wheel and no hand. A mutex has no steps, so nobody is frozen here. */
    pthread_mutex_t mutex;
    uint32_t free[RECORDS];
    uint32_t free_count;
};

static void *
wheel_create(const struct suspend_subject *subject)
{
    size_t bytes = leat_round_up(sizeof(struct wheel_state), LEAT_LINE_BYTES);
    struct wheel_state *state = aligned_alloc(LEAT_LINE_BYTES, bytes);
    CHECK(state != NULL);
    memset(state, 0, bytes);
    state->subject = subject;
    const struct leat_wheels_config config = {
        .records = RECORDS, .wheels = 1, .tick_log2 = LEAT_WHEEL_TICK_LOG2_MIN, .start_ns = 0};
    CHECK(leat_wheels_init(&state->wheels, &config));
    state->wheel = leat_wheels_at(&state->wheels, 0);
    CHECK(leat_wheel_enter(state->wheel));
    CHECK(pthread_mutex_init(&state->mutex, NULL) == 0);
    for (uint32_t i = 0; i < RECORDS; i++) {
        state->free[i] = i;
    }
    state->free_count = RECORDS;
    return state;
}

/* False: all records are armed, or in hands. */
static bool
wheel_arm(void *subject, uint32_t who)
{
    struct wheel_state *state = subject;
    (void)who;
    CHECK(pthread_mutex_lock(&state->mutex) == 0);
    bool any = state->free_count > 0;
    state->free_count -= any ? 1 : 0;
    uint32_t index = state->free[state->free_count % RECORDS];
    CHECK(pthread_mutex_unlock(&state->mutex) == 0);
    if (any) {
        CHECK(leat_wheel_arm_any(state->wheel, index, 100 * TICK) != LEAT_WHEEL_REFUSED);
    }
    return any;
}

/* To an earlier tick, and to a later one. A record may come to be another timer meanwhile: here
 * nobody minds. */
static bool
wheel_move(void *subject, uint32_t who)
{
    struct wheel_state *state = subject;
    bool any = false;
    for (uint32_t i = 0; i < RECORDS; i++) {
        uint64_t tick = 1 + (i + who) % 3 * 60;
        any |= leat_wheel_rearm(&state->wheels, NULL, i, tick * TICK) != LEAT_WHEEL_REFUSED;
    }
    return any;
}

static bool
wheel_cancel(void *subject, uint32_t who)
{
    struct wheel_state *state = subject;
    bool any = false;
    for (uint32_t i = who % 2; i < RECORDS; i += 2) {
        any |= leat_wheel_cancel(&state->wheels, NULL, i) != LEAT_WHEEL_REFUSED;
    }
    return any;
}

static bool
advance(struct wheel_state *state, uint64_t now)
{
    bool any = false;
    bool more = true;
    while (more) {
        struct leat_wheel_step step = {.now_ns = now * TICK, .budget = 4};
        more = leat_wheel_advance(state->wheel, &step);
        CHECK(pthread_mutex_lock(&state->mutex) == 0);
        for (uint32_t i = 0; i < step.count; i++) {
            CHECK(state->free_count < RECORDS);
            state->free[state->free_count] = step.indices[i] & ~LEAT_WHEEL_RELEASED;
            state->free_count++;
            any = true;
        }
        CHECK(pthread_mutex_unlock(&state->mutex) == 0);
    }
    return any;
}

/* Once into the wheel, and once out of it. */
static bool
wheel_advance(void *subject, uint32_t who)
{
    struct wheel_state *state = subject;
    (void)who;
    bool early = advance(state, 0);
    return advance(state, 1000) || early;
}

static void
wheel_destroy(void *subject)
{
    struct wheel_state *state = subject;
    CHECK(leat_wheels_check(&state->wheels, stderr));
    (void)wheel_advance(state, SUSPEND_OTHER);
    CHECK_EQUAL(state->free_count, RECORDS);
    CHECK(leat_wheels_check(&state->wheels, stderr));
    CHECK(pthread_mutex_destroy(&state->mutex) == 0);
    leat_wheels_fini(&state->wheels);
    free(state);
}

static void
wheel_fill(void *subject, uint32_t count)
{
    const struct wheel_state *state = subject;
    suspend_laps(state->subject, subject);
    (void)wheel_advance(subject, SUSPEND_OTHER);
    for (uint32_t i = 0; i < count; i++) {
        CHECK(wheel_arm(subject, SUSPEND_OTHER));
    }
}

static void
wheel_empty(void *subject)
{
    wheel_fill(subject, 0);
}

static void
wheel_half(void *subject)
{
    wheel_fill(subject, RECORDS / 2);
}

static const struct suspend_subject wheel_subject = {
    .name = "wheel",
    .capacity = RECORDS,
    .budget = 500,
    .create = wheel_create,
    .destroy = wheel_destroy,
    .operations = {{.name = "arm", .run = wheel_arm, .hides = 1},
                   {.name = "move", .run = wheel_move, .tries = true},
                   {.name = "cancel", .run = wheel_cancel, .tries = true},
                   {.name = "advance", .run = wheel_advance, .owner = true}},
    /* Items are here the records that can be armed while nobody advances. */
    .situations = {{"empty", wheel_empty, RECORDS, 0}, {"half", wheel_half, RECORDS / 2, 0}},
};

static void
sending_is_lock_free(void **state)
{
    (void)state;
    CHECK(suspend_run(&wheel_subject));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sending_is_lock_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
