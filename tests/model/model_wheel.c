/* model_wheel.c - every interleaving of two or three threads over a timing wheel of two slots a
 * level, with C11 memory.
 *
 * cancel    A timer is cancelled from elsewhere while the holder advances past its tick: it expires
 *           and the cancel is refused, or it is released, once; never both, never neither.
 * move      The same with re-arming, to an earlier or a later tick, also beside a cancel, or by two
 *           threads: it expires once, not before the deadline it has, and is not left where it was.
 * arm       A record is armed from elsewhere while the holder advances. What its thread wrote
 *           before is plain data, read by who is handed the record (inbox:A -> inbox:B). So is what
 *           who moves or cancels it wrote before (word:A, word:B -> word:C, word:D).
 * again     A record expires, and is armed on another wheel, whose holder hands it out again.
 * role      Two threads try to hold one wheel: never both (role:B -> role:A; a race on plain data),
 *           and a timer that was sent before its thread came by is handed out by one of them before
 *           both have left (role:C -> role:D). The same for a clock that its thread has set.
 * wake      A thread that asks when the wheel is due and sleeps until then, and threads that arm
 *           and move: if the timer is before the end of the sleep, one of them was told to wake it
 *           (due:A, due:B), if need be once more.
 * state     One thread changes a state, arms, and looks at the state again; another changes the
 *           state and cancels: one of both cancels the timer.
 * moved     One thread arms by a time, and looks at the time again; another writes a new time, and
 *           moves the timer: one of both moves it, so that it stands where the time says (word:A ->
 *           due:B), also where it has fired between.
 *
 * At the end what is left is handed out, and the wheels' checks hold (I1 to I4). */
#include <stdio.h>

#include "sched/wheel.h"
#include "tests/support/explore.h"

#define RECORDS 2
#define WHEELS  2
#define TICK    (UINT64_C(1) << LEAT_WHEEL_TICK_LOG2_MIN)
/* Where a timer is moved to that only this says. */
#define LATER (6 * TICK)
/* Behind all deadlines. */
#define END (16 * TICK)

struct state {
    struct leat_wheels wheels;
    uint64_t payload[RECORDS]; /* plain */
    uint64_t moved;            /* plain: who moved it wrote it before */
    uint64_t called_off;       /* plain: who cancelled it wrote it before */
    uint64_t held[WHEELS];     /* plain: touched by the holder only */
    uint8_t expired[RECORDS];
    uint8_t released[RECORDS];
    uint8_t armed[RECORDS];     /* successes */
    uint8_t cancelled[RECORDS]; /* cancels that were LATER */
    uint8_t woken;
    uint8_t slept;
    uint64_t sleep_ns;
    leat_atomic_u32 final; /* of `state` */
    leat_atomic_u64 time;  /* of `moved`: in ticks */
    leat_atomic_u32 told;  /* the mover was told to wake the sleeper */
    leat_atomic_u64 clock; /* ticks */
};

static struct state state_now;
/* A timer of record 0 that is armed at the start; 0: none. */
static uint64_t armed_ns;
/* One thread only cancels: it writes what who is handed the record reads. */
static bool alone;

static struct leat_wheel *
wheel_at(struct state *state, uint32_t number)
{
    return leat_wheels_at(&state->wheels, number);
}

static void
wheel_setup(void *argument)
{
    struct state *state = argument;
    const struct leat_wheels_config config = {
        .records = RECORDS, .wheels = WHEELS, .tick_log2 = LEAT_WHEEL_TICK_LOG2_MIN, .start_ns = 0};
    EXPLORE_CHECK(leat_wheels_init(&state->wheels, &config));
    if (armed_ns != 0) {
        EXPLORE_CHECK(leat_wheel_enter(wheel_at(state, 0)));
        EXPLORE_CHECK(leat_wheel_arm(wheel_at(state, 0), 0, armed_ns) == LEAT_WHEEL_WAKE);
        EXPLORE_CHECK(leat_wheel_leave(wheel_at(state, 0)));
        state->armed[0]++;
    }
}

static uint64_t
deadline_of(struct state *state, uint32_t index)
{
    /* rlx: not shared yet; nobody changes what has expired */
    return (atom_load_rlx(&state->wheels.words[index]) >> 12) * TICK;
}

/* Returns 1 if it expired, 0 if it was released. */
static uint32_t
hand_out(struct state *state, uint32_t item, uint64_t now_ns)
{
    uint32_t index = item & ~LEAT_WHEEL_RELEASED;
    EXPLORE_CHECK(index < RECORDS);
    explore_plain_write(&state->payload[index], "payload");
    if ((item & LEAT_WHEEL_RELEASED) != 0) {
        state->released[index]++;
        explore_plain_read(&state->called_off, "called off");
        return 0;
    }
    state->expired[index]++;
    uint64_t deadline_ns = deadline_of(state, index);
    EXPLORE_CHECK(now_ns >= deadline_ns);
    if (deadline_ns == LATER) {
        explore_plain_read(&state->moved, "moved");
    }
    return 1;
}

/* pre: the role. Hands out all that is due by now_ns. Returns how many expired. */
static uint32_t
advance(struct state *state, uint32_t number, uint64_t now_ns)
{
    uint32_t expired = 0;
    bool more = true;
    explore_plain_write(&state->held[number], "wheel");
    while (more) {
        struct leat_wheel_step step = {.now_ns = now_ns, .budget = 2};
        more = leat_wheel_advance(wheel_at(state, number), &step);
        for (uint32_t i = 0; i < step.count; i++) {
            expired += hand_out(state, step.indices[i], now_ns);
        }
    }
    return expired;
}

static uint32_t
hold(struct state *state, uint32_t number, uint64_t now_ns)
{
    uint32_t expired = 0;
    if (leat_wheel_enter(wheel_at(state, number))) {
        do {
            expired += advance(state, number, now_ns);
        } while (!leat_wheel_leave(wheel_at(state, number)));
    }
    return expired;
}

static void
note_woken(struct state *state, enum leat_wheel_result result)
{
    explore_point();
    if (result == LEAT_WHEEL_WAKE) {
        state->woken++;
    }
}

/* ---- threads --------------------------------------------------------------------------------- */

static void
cancel_thread(void *argument)
{
    struct state *state = argument;
    if (alone) {
        explore_plain_write(&state->called_off, "called off");
    }
    enum leat_wheel_result result = leat_wheel_cancel(&state->wheels, NULL, 0);
    EXPLORE_CHECK(result == LEAT_WHEEL_LATER || result == LEAT_WHEEL_REFUSED);
    explore_point();
    if (result == LEAT_WHEEL_LATER) {
        state->cancelled[0]++;
    }
}

/* As a worker: it may be the holder. */
static void
cancel_here_thread(void *argument)
{
    struct state *state = argument;
    struct leat_wheel *wheel = wheel_at(state, 0);
    if (!leat_wheel_enter(wheel)) {
        cancel_thread(argument);
        return;
    }
    explore_plain_write(&state->held[0], "wheel");
    enum leat_wheel_result result = leat_wheel_cancel(&state->wheels, wheel, 0);
    if (result == LEAT_WHEEL_DONE) {
        state->released[0]++;
    }
    if (result != LEAT_WHEEL_REFUSED) {
        state->cancelled[0]++;
    }
    while (!leat_wheel_leave(wheel)) {
        (void)advance(state, 0, TICK);
    }
}

static void
earlier_thread(void *argument)
{
    struct state *state = argument;
    note_woken(state, leat_wheel_rearm(&state->wheels, NULL, 0, TICK));
}

static void
later_thread(void *argument)
{
    struct state *state = argument;
    explore_plain_write(&state->moved, "moved");
    note_woken(state, leat_wheel_rearm(&state->wheels, NULL, 0, LATER));
}

static void
hold_thread(void *argument)
{
    (void)hold(argument, 0, 3 * TICK);
}

static void
hold_soon_thread(void *argument)
{
    (void)hold(argument, 0, TICK);
}

static void
arm_thread(void *argument)
{
    struct state *state = argument;
    explore_plain_write(&state->payload[1], "payload");
    enum leat_wheel_result result = leat_wheel_arm_any(wheel_at(state, 0), 1, 3 * TICK);
    EXPLORE_CHECK(result != LEAT_WHEEL_REFUSED);
    note_woken(state, result);
    state->armed[1]++;
}

static void
arm_and_hold_thread(void *argument)
{
    arm_thread(argument);
    hold_thread(argument);
}

static void
arm_and_later_thread(void *argument)
{
    struct state *state = argument;
    arm_thread(argument);
    note_woken(state, leat_wheel_rearm(&state->wheels, NULL, 1, 5 * TICK));
}

static void
earlier_second_thread(void *argument)
{
    struct state *state = argument;
    note_woken(state, leat_wheel_rearm(&state->wheels, NULL, 1, 2 * TICK));
}

/* Hands out record 0 and arms it on the other wheel. */
static void
again_thread(void *argument)
{
    struct state *state = argument;
    if (hold(state, 0, 3 * TICK) != 0) {
        explore_plain_write(&state->payload[0], "payload");
        EXPLORE_CHECK(leat_wheel_arm_any(wheel_at(state, 1), 0, 2 * TICK) != LEAT_WHEEL_REFUSED);
        state->armed[0]++;
    }
}

static void
other_wheel_thread(void *argument)
{
    (void)hold(argument, 1, 3 * TICK);
}

static void
sleep_thread(void *argument)
{
    struct state *state = argument;
    state->sleep_ns = leat_wheel_due_ns(wheel_at(state, 0));
    state->slept = 1;
}

/* Advances, and goes to sleep. */
static void
hold_and_sleep_thread(void *argument)
{
    hold_thread(argument);
    sleep_thread(argument);
}

static void
hold_late_thread(void *argument)
{
    (void)hold(argument, 0, 8 * TICK);
}

static void
arm_late_thread(void *argument)
{
    struct state *state = argument;
    note_woken(state, leat_wheel_arm_any(wheel_at(state, 0), 1, 7 * TICK));
    state->armed[1]++;
}

/* Wakes the sleeper, who then looks and sleeps again. */
static void
earlier_tell_thread(void *argument)
{
    struct state *state = argument;
    enum leat_wheel_result result = leat_wheel_rearm(&state->wheels, NULL, 1, 2 * TICK);
    atom_store_rel(&state->told, result == LEAT_WHEEL_WAKE ? 1 : 2);
}

static void
sleep_again_thread(void *argument)
{
    struct state *state = argument;
    while (atom_load_acq(&state->told) == 0) {
        explore_pause();
    }
    sleep_thread(argument);
}

/* As one who sees by the clock that the wheel is late. */
static void
clock_and_hold_thread(void *argument)
{
    struct state *state = argument;
    atom_store_rlx(&state->clock, 3); /* rlx: ordered by role:C */
    hold_thread(argument);
}

static void
hold_by_clock_thread(void *argument)
{
    struct state *state = argument;
    if (leat_wheel_enter(wheel_at(state, 0))) {
        do {
            (void)advance(state, 0, atom_load_rlx(&state->clock) * TICK);
        } while (!leat_wheel_leave(wheel_at(state, 0)));
    }
}

static void
state_and_arm_thread(void *argument)
{
    struct state *state = argument;
    EXPLORE_CHECK(leat_wheel_arm_any(wheel_at(state, 0), 0, 3 * TICK) != LEAT_WHEEL_REFUSED);
    state->armed[0]++;
    if (atom_load_rlx(&state->final) != 0) { /* rlx: ordered by word:E */
        cancel_thread(argument);
    }
}

static void
state_and_cancel_thread(void *argument)
{
    struct state *state = argument;
    atom_store_rlx(&state->final, 1); /* rlx: ordered by word:E */
    cancel_thread(argument);
}

static void
time_and_arm_thread(void *argument)
{
    struct state *state = argument;
    uint64_t time = atom_load_rlx(&state->time); /* rlx: ordered by due:B */
    uint64_t after = time;
    EXPLORE_CHECK(leat_wheel_arm_any(wheel_at(state, 0), 0, (3 + time) * TICK) !=
                  LEAT_WHEEL_REFUSED);
    state->armed[0]++;
    after = atom_load_rlx(&state->time); /* rlx: ordered by due:B */
    if (after != time) {
        (void)leat_wheel_rearm(&state->wheels, NULL, 0, (3 + after) * TICK);
    }
}

static void
time_and_later_thread(void *argument)
{
    struct state *state = argument;
    atom_store_rlx(&state->time, 2); /* rlx: ordered by word:A */
    (void)leat_wheel_rearm(&state->wheels, NULL, 0, 5 * TICK);
}

/* ---- checks ---------------------------------------------------------------------------------- */

/* Each timer came to one end. */
static void
ends_check(void *argument)
{
    struct state *state = argument;
    for (uint32_t i = 0; i < WHEELS; i++) {
        EXPLORE_CHECK(leat_wheels_check(&state->wheels, stdout));
        (void)hold(state, i, END);
    }
    EXPLORE_CHECK(leat_wheels_check(&state->wheels, stdout));
    for (uint32_t i = 0; i < RECORDS; i++) {
        EXPLORE_CHECK(state->expired[i] + state->released[i] == state->armed[i]);
        EXPLORE_CHECK(state->released[i] == state->cancelled[i]);
    }
}

static void
role_check(void *argument)
{
    struct state *state = argument;
    EXPLORE_CHECK(state->expired[1] == 1);
    ends_check(argument);
}

static void
clock_check(void *argument)
{
    struct state *state = argument;
    EXPLORE_CHECK(state->expired[0] == 1);
    ends_check(argument);
}

static void
wake_check(void *argument)
{
    struct state *state = argument;
    uint32_t index = state->armed[1] != 0 ? 1 : 0;
    uint64_t deadline_ns = deadline_of(state, index);
    bool over = state->expired[index] != 0;
    EXPLORE_CHECK(over || state->sleep_ns <= deadline_ns || state->woken != 0);
    ends_check(argument);
}

static void
state_check(void *argument)
{
    struct state *state = argument;
    EXPLORE_CHECK(state->cancelled[0] == 1);
    ends_check(argument);
}

static void
moved_check(void *argument)
{
    struct state *state = argument;
    EXPLORE_CHECK(state->expired[0] == 1 || deadline_of(state, 0) == 5 * TICK);
    ends_check(argument);
}

/* ---- all ------------------------------------------------------------------------------------- */

struct model {
    uint64_t armed_ns;
    struct explore_model explore;
    bool several; /* threads cancel */
};

static const struct model models[] = {
    {.armed_ns = 2 * TICK,
     .explore = {.name = "wheel_cancel", .threads = {cancel_thread, hold_thread}}},
    {.armed_ns = 2 * TICK,
     .explore = {.name = "wheel_cancel_here", .threads = {cancel_here_thread, hold_thread}}},
    {.armed_ns = 2 * TICK,
     .explore = {.name = "wheel_cancel_2",
                 .threads = {cancel_thread, cancel_here_thread, hold_thread}},
     .several = true},
    {.armed_ns = 3 * TICK,
     .explore = {.name = "wheel_earlier", .threads = {earlier_thread, hold_soon_thread}}},
    {.armed_ns = 2 * TICK,
     .explore = {.name = "wheel_later", .threads = {later_thread, hold_thread}}},
    {.armed_ns = 2 * TICK,
     .explore = {.name = "wheel_move_2", .threads = {later_thread, earlier_thread, hold_thread}}},
    {.armed_ns = 2 * TICK,
     .explore = {.name = "wheel_move_cancel",
                 .threads = {earlier_thread, cancel_thread, hold_thread}}},
    {.explore = {.name = "wheel_arm", .threads = {arm_thread, hold_thread}}},
    {.explore = {.name = "wheel_arm_later", .threads = {arm_and_later_thread, hold_thread}}},
    {.armed_ns = 2 * TICK,
     .explore = {.name = "wheel_again", .threads = {again_thread, other_wheel_thread}}},
    {.armed_ns = 2 * TICK,
     .explore = {.name = "wheel_again_3",
                 .threads = {again_thread, other_wheel_thread, hold_thread}}},
    {.explore = {.name = "wheel_role",
                 .threads = {arm_and_hold_thread, hold_thread},
                 .check = role_check}},
    {.armed_ns = 2 * TICK,
     .explore = {.name = "wheel_role_3",
                 .threads = {arm_and_hold_thread, hold_thread, hold_thread},
                 .check = role_check}},
    {.explore = {.name = "wheel_wake", .threads = {arm_thread, sleep_thread}, .check = wake_check}},
    {.armed_ns = 9 * TICK,
     .explore = {.name = "wheel_wake_2",
                 .threads = {later_thread, earlier_thread, sleep_thread},
                 .check = wake_check}},
    {.explore = {.name = "wheel_wake_arm",
                 .threads = {arm_thread, earlier_second_thread, sleep_thread},
                 .check = wake_check}},
    {.armed_ns = 2 * TICK,
     .explore = {.name = "wheel_clock",
                 .threads = {clock_and_hold_thread, hold_by_clock_thread},
                 .check = clock_check}},
    {.armed_ns = 2 * TICK,
     .explore = {.name = "wheel_wake_hold",
                 .threads = {arm_late_thread, hold_and_sleep_thread},
                 .check = wake_check}},
    {.armed_ns = 5 * TICK,
     .explore = {.name = "wheel_wake_again",
                 .threads = {arm_late_thread, earlier_tell_thread, sleep_again_thread},
                 .check = wake_check}},
    {.armed_ns = 2 * TICK,
     .explore = {.name = "wheel_later_late", .threads = {later_thread, hold_late_thread}}},
    {.armed_ns = 8 * TICK,
     .explore = {.name = "wheel_move_later",
                 .threads = {earlier_thread, later_thread, hold_late_thread}}},
    {.explore = {.name = "wheel_state",
                 .threads = {state_and_arm_thread, state_and_cancel_thread},
                 .check = state_check},
     .several = true},
    {.explore = {.name = "wheel_moved",
                 .threads = {time_and_arm_thread, time_and_later_thread},
                 .check = moved_check}},
    {.explore = {.name = "wheel_moved_3",
                 .threads = {time_and_arm_thread, time_and_later_thread, hold_thread},
                 .check = moved_check}},
};

int
main(void)
{
    uint32_t wrong = 0;
    for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
        struct explore_model model = models[i].explore;
        struct explore_counts counts;
        armed_ns = models[i].armed_ns;
        alone = !models[i].several;
        model.state = &state_now;
        model.state_bytes = sizeof(state_now);
        model.setup = wheel_setup;
        model.check = model.check == NULL ? ends_check : model.check;
        wrong += explore(&model, &counts) ? 0 : 1;
    }
    return wrong == 0 ? 0 : 1;
}
