/* timer_leat.c - the timing wheel of sched/ as a kind of timer.h. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/kernels/timer.h"
#include "ring/os.h"
#include "sched/wheel.h"

#define NS_PER_S  UINT64_C(1000000000)
#define TICK_LOG2 LEAT_WHEEL_TICK_LOG2_DEFAULT
#define TICK_NS   (UINT64_C(1) << TICK_LOG2)

struct timers {
    struct leat_wheels wheels;
    struct leat_wheel *wheel;
    const struct bench_timer_plan *plan;
};

static void *
leat_create(const struct bench_timer_plan *plan, enum bench_timer_use use)
{
    (void)use;
    struct timers *made =
        aligned_alloc(LEAT_LINE_BYTES, leat_round_up(sizeof(struct timers), LEAT_LINE_BYTES));
    LEAT_ASSERT(made != NULL);
    memset(made, 0, sizeof(*made));
    made->plan = plan;
    const struct leat_wheels_config config = {
        .records = plan->count, .wheels = 1, .tick_log2 = TICK_LOG2, .start_ns = 0};
    LEAT_ASSERT(leat_wheels_init(&made->wheels, &config));
    /* What a record needs is there before, as the nodes of other libraries are; what arming takes
     * is not. */
    leat_os_huge(made->wheels.mapping, made->wheels.mapping_bytes);
    LEAT_ASSERT(leat_os_prefault(made->wheels.mapping, made->wheels.mapping_bytes) == LEAT_OS_OK);
    leat_os_huge(made->wheels.blocks.mapping, made->wheels.blocks.mapping_bytes);
    made->wheel = leat_wheels_at(&made->wheels, 0);
    LEAT_ASSERT(leat_wheel_enter(made->wheel));
    return made;
}

static void
leat_destroy(void *timers)
{
    struct timers *made = timers;
    leat_wheels_fini(&made->wheels);
    free(made);
}

static bool
arm(struct timers *made, uint32_t index, uint32_t tick)
{
    return leat_wheel_arm(made->wheel, index, tick * TICK_NS) != LEAT_WHEEL_REFUSED;
}

static uint32_t
leat_arm(void *timers)
{
    struct timers *made = timers;
    uint32_t done = 0;
    for (uint32_t i = 0; i < made->plan->count; i++) {
        done += arm(made, i, made->plan->deadlines[i]) ? 1 : 0;
    }
    return done;
}

static uint32_t
leat_cancel(void *timers)
{
    struct timers *made = timers;
    uint32_t done = 0;
    for (uint32_t i = 0; i < made->plan->count; i++) {
        uint32_t index = made->plan->order[i];
        done += leat_wheel_cancel(&made->wheels, made->wheel, index) == LEAT_WHEEL_DONE ? 1 : 0;
    }
    return done;
}

static uint32_t
leat_rearm(void *timers)
{
    struct timers *made = timers;
    uint32_t done = 0;
    for (uint32_t i = 0; i < made->plan->count; i++) {
        uint32_t index = made->plan->order[i];
        uint64_t deadline_ns = made->plan->moved[index] * TICK_NS;
        enum leat_wheel_result result =
            leat_wheel_rearm(&made->wheels, made->wheel, index, deadline_ns);
        done += result != LEAT_WHEEL_REFUSED ? 1 : 0;
    }
    return done;
}

/* How many of those that a step handed out are due at this tick. */
static uint32_t
on_time(const struct timers *made, const struct leat_wheel_step *step, uint32_t tick)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < step->count; i++) {
        count += made->plan->deadlines[step->indices[i]] == tick ? 1 : 0;
    }
    return count;
}

static uint32_t
leat_fire(void *timers)
{
    struct timers *made = timers;
    uint32_t fired = 0;
    for (uint32_t tick = 1; tick <= BENCH_TIMER_TICKS; tick++) {
        struct leat_wheel_step step = {.now_ns = tick * TICK_NS};
        bool more = true;
        while (more) {
            step.budget = LEAT_WHEEL_NODES_MAX;
            more = leat_wheel_advance(made->wheel, &step);
            fired += on_time(made, &step, tick);
        }
    }
    return fired;
}

static uint32_t
leat_net(void *timers)
{
    struct timers *made = timers;
    uint32_t done = 0;
    for (uint32_t i = 0; i < made->plan->count; i++) {
        uint32_t index = made->plan->order[i];
        if (!bench_timer_fires(i)) {
            (void)leat_wheel_cancel(&made->wheels, made->wheel, index);
            done += arm(made, index, bench_timer_later(made->plan, index)) ? 1 : 0;
        }
    }
    return done + leat_fire(timers);
}

/* ---- through the inbox ----------------------------------------------------------------------- */

static uint32_t
leat_remote_arm(void *timers)
{
    struct timers *made = timers;
    uint32_t done = 0;
    for (uint32_t i = 0; i < made->plan->count; i++) {
        uint64_t deadline_ns = made->plan->deadlines[i] * TICK_NS;
        done += leat_wheel_arm_any(made->wheel, i, deadline_ns) != LEAT_WHEEL_REFUSED ? 1 : 0;
    }
    return done;
}

static uint32_t
leat_remote_cancel(void *timers)
{
    struct timers *made = timers;
    uint32_t done = 0;
    for (uint32_t i = 0; i < made->plan->count; i++) {
        uint32_t index = made->plan->order[i];
        done += leat_wheel_cancel(&made->wheels, NULL, index) == LEAT_WHEEL_LATER ? 1 : 0;
    }
    return done;
}

static uint32_t
leat_take(void *timers)
{
    struct timers *made = timers;
    struct leat_wheel_step step = {.now_ns = 0};
    uint32_t released = 0;
    bool more = true;
    while (more) {
        step.budget = LEAT_WHEEL_NODES_MAX;
        more = leat_wheel_advance(made->wheel, &step);
        released += step.count;
    }
    return released + (uint32_t)made->wheel->count;
}

/* ---- steps ----------------------------------------------------------------------------------- */

static uint64_t
thread_cpu_ns(void)
{
    struct timespec time;
    LEAT_ASSERT(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) == 0);
    return (uint64_t)time.tv_sec * NS_PER_S + (uint64_t)time.tv_nsec;
}

struct bench_timer_steps
bench_timer_steps_measure(const struct bench_timer_plan *plan)
{
    struct bench_timer_steps steps = {.wrong = plan->count};
    struct timers *made = leat_create(plan, BENCH_TIMER_FIRE);
    LEAT_ASSERT(leat_arm(made) == plan->count);
    for (uint32_t tick = 1; tick <= BENCH_TIMER_TICKS; tick++) {
        struct leat_wheel_step step = {.now_ns = tick * TICK_NS};
        bool more = true;
        while (more) {
            step.budget = LEAT_WHEEL_NODES_MAX;
            uint64_t begin_ns = thread_cpu_ns();
            more = leat_wheel_advance(made->wheel, &step);
            uint64_t cpu_ns = thread_cpu_ns() - begin_ns;
            uint32_t nodes = LEAT_WHEEL_NODES_MAX - step.budget;
            steps.cpu_ns_most = cpu_ns > steps.cpu_ns_most ? cpu_ns : steps.cpu_ns_most;
            steps.nodes_most = nodes > steps.nodes_most ? nodes : steps.nodes_most;
            steps.wrong -= on_time(made, &step, tick);
        }
    }
    leat_destroy(made);
    return steps;
}

const struct bench_timer_kind bench_timers_leat[] = {
    {"leat wheel",
     "",
     leat_create,
     leat_destroy,
     {leat_arm, leat_cancel, leat_fire, leat_rearm, leat_net, leat_remote_arm, leat_remote_cancel},
     leat_take},
    {.name = NULL},
};
