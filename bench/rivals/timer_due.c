/* timer_due.c - one run of timer_due.h, and its contestants that are of this project, or of the
 * system alone. */
#include "bench/rivals/timer_due.h"

#include <stdlib.h>
#include <string.h>

#include "bench/kernels/thread.h"
#include "ring/os.h"
#include "sched/clock.h"
#include "sched/wheel.h"

/* Before the first deadline: to arm all. */
#define LEAD_NS UINT64_C(2000000)
/* From one deadline to the next, at random up to twice that: longer than a sleep takes. */
#define PERIOD_NS UINT64_C(150000)
#define SEED      UINT64_C(20261128)

/* ---- a run ---------------------------------------------------------------------------------- */

void
bench_due_fire(struct bench_due_plan *plan, uint32_t index)
{
    plan->fired_ns[index] = leat_os_monotonic_ns();
    plan->fires[index]++;
    plan->fired++;
}

/* Source: George Marsaglia, "Xorshift RNGs", 2003. */
static uint64_t
random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

uint64_t
bench_due_measure(const struct bench_due_kind *kind, bool busy, uint32_t count, double *samples)
{
    uint64_t *times = calloc(2 * (size_t)count, sizeof(*times));
    uint32_t *fires = calloc(count, sizeof(*fires));
    LEAT_ASSERT(times != NULL);
    LEAT_ASSERT(fires != NULL);
    cpu_set_t before;
    bench_pin_last(&before);
    uint64_t state = SEED;
    uint64_t deadline_ns = leat_os_monotonic_ns() + LEAD_NS;
    for (uint32_t i = 0; i < count; i++) {
        deadline_ns += random_next(&state) % (2 * PERIOD_NS);
        times[i] = deadline_ns;
    }
    struct bench_due_plan plan = {.count = count,
                                  .busy = busy,
                                  .deadlines_ns = times,
                                  .fired_ns = times + count,
                                  .fires = fires};
    kind->run(&plan);
    uint64_t wrong = 0;
    for (uint32_t i = 0; i < count; i++) {
        bool late = plan.fired_ns[i] >= times[i];
        wrong += late && fires[i] == 1 ? 0 : 1;
        samples[i] = late ? (double)(plan.fired_ns[i] - times[i]) : 0;
    }
    bench_unpin(&before);
    free(fires);
    free(times);
    return wrong;
}

/* ---- the wheel ------------------------------------------------------------------------------ */

/* Hands out what is due. */
static void
wheel_look(struct leat_wheel *wheel, struct bench_due_plan *plan)
{
    struct leat_wheel_step step = {.now_ns = leat_os_monotonic_ns()};
    bool more = true;
    while (more) {
        step.budget = LEAT_WHEEL_NODES_MAX;
        more = leat_wheel_advance(wheel, &step);
        for (uint32_t i = 0; i < step.count; i++) {
            bench_due_fire(plan, step.indices[i]);
        }
    }
}

/* Sleeps until the wheel is due, as the engine's clock thread does: by a timer of the system that a
 * descriptor tells of. Nothing rings the doorbell. */
static void
wheel_sleep(const struct leat_clocks *clocks, struct leat_wheel *wheel)
{
    uint64_t due_ns = leat_wheel_due_ns(wheel);
    uint64_t now_ns = leat_os_monotonic_ns();
    uint64_t left_ns = due_ns > now_ns ? due_ns - now_ns : 0;
    leat_os_alarm_wait(&clocks->alarm, clocks->doorbell.descriptor, leat_os_boot_ns() + left_ns,
                       UINT64_MAX);
}

static void
wheel_run(struct bench_due_plan *plan, uint32_t tick_log2)
{
    struct leat_clocks clocks = {0};
    struct leat_wheels wheels;
    const struct leat_wheels_config config = {.records = plan->count,
                                              .wheels = 1,
                                              .tick_log2 = tick_log2,
                                              .start_ns = leat_os_monotonic_ns()};
    LEAT_ASSERT(leat_wheels_init(&wheels, &config));
    struct leat_wheel *wheel = leat_wheels_at(&wheels, 0);
    LEAT_ASSERT(leat_wheel_enter(wheel));
    for (uint32_t i = 0; i < plan->count; i++) {
        (void)leat_wheel_arm(wheel, i, plan->deadlines_ns[i]);
    }
    LEAT_ASSERT(leat_clocks_init(&clocks) == LEAT_OS_OK);
    wheel_look(wheel, plan);
    while (plan->fired < plan->count) {
        if (!plan->busy && leat_wheel_leave(wheel)) {
            wheel_sleep(&clocks, wheel);
            LEAT_ASSERT(leat_wheel_enter(wheel));
        }
        wheel_look(wheel, plan);
    }
    leat_clocks_fini(&clocks);
    leat_wheels_fini(&wheels);
}

static void
wheel_usual(struct bench_due_plan *plan)
{
    wheel_run(plan, LEAT_WHEEL_TICK_LOG2_DEFAULT);
}

static void
wheel_fine(struct bench_due_plan *plan)
{
    wheel_run(plan, LEAT_WHEEL_TICK_LOG2_MIN);
}

/* ---- nothing but the clock ------------------------------------------------------------------ */

/* One deadline after the other. */
static void
bare(struct bench_due_plan *plan)
{
    leat_atomic_u32 never;
    atom_init(&never, 0);
    for (uint32_t i = 0; i < plan->count; i++) {
        while (leat_os_monotonic_ns() < plan->deadlines_ns[i]) {
            if (!plan->busy) {
                leat_os_futex_wait(&never, 0, plan->deadlines_ns[i]);
            }
        }
        bench_due_fire(plan, i);
    }
}

const struct bench_due_kind bench_dues_leat[] = {
    {"leat wheel", "ticks of 2^20 ns, the usual ones", wheel_usual},
    {"leat wheel, fine", "ticks of 2^14 ns, the least", wheel_fine},
    {"bare wait", "no timers: the clock, or a futex, for one deadline after the other", bare},
    {.name = NULL},
};
