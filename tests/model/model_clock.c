/* model_clock.c - the real sched/clock.c and ring/doorbell.c: the thread of the clocks beside
 * threads that change what its source names, and threads that look; with C11 memory. The descriptor
 * is a word that is set and emptied by one swap each, and a futex; no time passes, so the thread
 * sleeps until something has changed.
 *
 * changed  What was changed before a ring is seen by the thread, whenever that was; if a ring is
 *          lost, it sleeps beside it.
 * stop     It ends.
 * moved    The wall clock was set: of two who look at once, one says so.
 */
#include <stdio.h>

#include "sched/clock.h"
#include "tests/support/explore.h"

static enum leat_os_result event_open(int *descriptor);
static void event_close(int descriptor);
static void event_set(int descriptor);
static void event_clear(int descriptor);
static enum leat_os_result alarm_open(struct leat_os_alarm *alarm);
static void alarm_close(const struct leat_os_alarm *alarm);
static void alarm_wait(const struct leat_os_alarm *alarm, int event, uint64_t boot_ns,
                       uint64_t wall_ns);

/* The real ones, on a descriptor and an alarm of ours. */
#define leat_os_event_open  event_open
#define leat_os_event_close event_close
#define leat_os_event_set   event_set
#define leat_os_event_clear event_clear
#define leat_os_alarm_open  alarm_open
#define leat_os_alarm_close alarm_close
#define leat_os_alarm_wait  alarm_wait
#include "ring/doorbell.c" /* NOLINT(bugprone-suspicious-include) */
#include "sched/clock.c"   /* NOLINT(bugprone-suspicious-include) */
#undef leat_os_event_open
#undef leat_os_event_close
#undef leat_os_event_set
#undef leat_os_event_clear
#undef leat_os_alarm_open
#undef leat_os_alarm_close
#undef leat_os_alarm_wait

#define CHANGES_MAX 2

struct scenario {
    uint32_t changers; /* threads behind the first one, each with a change of its own */
    bool moved;        /* the wall clock was set */
};

struct state {
    struct leat_clocks clocks;
    leat_atomic_u32 event;                /* a futex: 1 is readable */
    leat_atomic_u32 changes[CHANGES_MAX]; /* 1: made */
    leat_atomic_u32 told;                 /* how often the source was told of a set clock */
    uint32_t seen[CHANGES_MAX];           /* plain: by the thread of the clocks, in its last look */
};

static struct state state_now;
static const struct scenario *scenario;

/* ---- the system ------------------------------------------------------------------------------ */

static enum leat_os_result
event_open(int *descriptor)
{
    *descriptor = 3;
    return LEAT_OS_OK;
}

static void
event_close(int descriptor)
{
    (void)descriptor;
}

static void
event_set(int descriptor)
{
    EXPLORE_CHECK(descriptor == 3);
    (void)atom_swap_acq_rel(&state_now.event, 1);
    leat_os_futex_wake(&state_now.event, UINT32_MAX);
}

static void
event_clear(int descriptor)
{
    EXPLORE_CHECK(descriptor == 3);
    (void)atom_swap_acq_rel(&state_now.event, 0);
}

static enum leat_os_result
alarm_open(struct leat_os_alarm *alarm)
{
    (void)alarm;
    return LEAT_OS_OK;
}

static void
alarm_close(const struct leat_os_alarm *alarm)
{
    (void)alarm;
}

static void
alarm_wait(const struct leat_os_alarm *alarm, int event, uint64_t boot_ns, uint64_t wall_ns)
{
    (void)alarm;
    EXPLORE_CHECK(event == 3);
    EXPLORE_CHECK(boot_ns == LEAT_TIME_NEVER);
    EXPLORE_CHECK(wall_ns == LEAT_TIME_NEVER);
    while (atom_load_acq(&state_now.event) == 0) {
        leat_os_futex_wait(&state_now.event, 0, UINT64_MAX);
    }
}

/* ---- the source ------------------------------------------------------------------------------ */

static uint64_t
source_look(void *context, uint64_t now_ns)
{
    struct state *state = context;
    (void)now_ns;
    for (uint32_t i = 0; i < scenario->changers; i++) {
        state->seen[i] = atom_load_rlx(&state->changes[i]); /* rlx: ordered by listen:A */
    }
    return LEAT_TIME_NEVER;
}

static void
source_moved(void *context)
{
    struct state *state = context;
    (void)atom_add_rlx(&state->told, 1); /* rlx: statistic */
}

static void
clock_setup(void *argument)
{
    struct state *state = argument;
    const struct leat_clock_source source = {
        .look = source_look, .moved = source_moved, .context = state, .time = LEAT_TIME_BOOT};
    EXPLORE_CHECK(leat_clocks_init(&state->clocks) == LEAT_OS_OK);
    leat_clocks_add(&state->clocks, source);
    state->clocks.started = true; /* the first thread of the model is its own */
    if (scenario->moved) {
        atom_init(&state->clocks.drift, LEAT_CLOCK_DRIFT_NS);
    }
}

static void
clock_check(void *argument)
{
    struct state *state = argument;
    for (uint32_t i = 0; i < scenario->changers; i++) {
        EXPLORE_CHECK(state->seen[i] == 1);
    }
    uint32_t told = atom_load_rlx(&state->told); /* rlx: not shared yet */
    EXPLORE_CHECK(told == (scenario->moved ? 1 : 0));
}

/* ---- threads --------------------------------------------------------------------------------- */

static void
clock_thread(void *argument)
{
    struct state *state = argument;
    (void)clock_run(&state->clocks);
}

static void
change_thread(void *argument)
{
    struct state *state = argument;
    atom_store_rlx(&state->changes[explore_thread() - 1], 1); /* rlx: ordered by ring:A */
    leat_clocks_changed(&state->clocks);
}

static void
stop_thread(void *argument)
{
    struct state *state = argument;
    leat_clocks_stop(&state->clocks);
}

static void
look_thread(void *argument)
{
    struct state *state = argument;
    EXPLORE_CHECK(leat_clocks_look(&state->clocks) == LEAT_TIME_NEVER);
}

/* ---- all ------------------------------------------------------------------------------------- */

struct model {
    struct scenario scenario;
    struct explore_model explore;
};

static const struct model models[] = {
    {.scenario = {.moved = true},
     .explore = {.name = "clock_moved", .threads = {look_thread, look_thread}}},
    {.scenario = {.changers = 0},
     .explore = {.name = "clock_stop", .threads = {clock_thread, stop_thread}}},
    {.scenario = {.changers = 1},
     .explore = {.name = "clock_changed", .threads = {clock_thread, change_thread}, .servants = 1}},
    {.scenario = {.changers = 2},
     .explore = {.name = "clock_changed_2",
                 .threads = {clock_thread, change_thread, change_thread},
                 .servants = 1,
                 .bounded = true,
                 .preemptions = 2}},
};

int
main(void)
{
    uint32_t wrong = 0;
    for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
        struct explore_model model = models[i].explore;
        struct explore_counts counts;
        scenario = &models[i].scenario;
        model.state = &state_now;
        model.state_bytes = sizeof(state_now);
        model.setup = clock_setup;
        model.check = clock_check;
        wrong += explore(&model, &counts) ? 0 : 1;
    }
    return wrong == 0 ? 0 : 1;
}
