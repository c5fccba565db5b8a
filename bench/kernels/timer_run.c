/* timer_run.c - the plan of all kinds of timer.h, and a run of one. */
#include <stdlib.h>

#include "bench/kernels/timer.h"
#include "ring/base.h"
#include "ring/os.h"

/* Fixed, so that every run and every kind has the same timers. */
#define SEED UINT64_C(20261128)

/* Source: Sebastiano Vigna, "splitmix64", 2015. */
static uint64_t
random_next(uint64_t *state)
{
    *state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t mixed = *state;
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ (mixed >> 31);
}

struct bench_timer_plan *
bench_timer_plan_create(uint32_t count)
{
    struct bench_timer_plan *plan = malloc(sizeof(*plan));
    uint32_t *numbers = malloc(3 * sizeof(uint32_t) * count);
    LEAT_ASSERT(plan != NULL);
    LEAT_ASSERT(numbers != NULL);
    uint64_t state = SEED;
    uint32_t *order = numbers + 2 * (size_t)count;
    for (uint32_t i = 0; i < count; i++) {
        numbers[i] = 1 + (uint32_t)(random_next(&state) % BENCH_TIMER_TICKS);
        numbers[count + i] = 1 + (uint32_t)(random_next(&state) % BENCH_TIMER_TICKS);
        uint32_t other = (uint32_t)(random_next(&state) % (i + 1));
        order[i] = order[other];
        order[other] = i;
    }
    *plan = (struct bench_timer_plan){count, numbers, numbers + count, order, numbers};
    return plan;
}

void
bench_timer_plan_destroy(struct bench_timer_plan *plan)
{
    free(plan->numbers);
    free(plan);
}

struct bench_timer_run
bench_timer_measure(const struct bench_timer_kind *kind, const struct bench_timer_plan *plan,
                    enum bench_timer_use use)
{
    struct bench_timer_run run = {0};
    void *timers = kind->create(plan);
    if (use != BENCH_TIMER_ARM) {
        kind->arm(timers);
    }
    uint64_t begin_ns = leat_os_monotonic_ns();
    uint32_t fired = plan->count;
    if (use == BENCH_TIMER_ARM) {
        kind->arm(timers);
    } else if (use == BENCH_TIMER_CANCEL) {
        kind->cancel(timers);
    } else if (use == BENCH_TIMER_REARM) {
        kind->rearm(timers);
    } else {
        fired = kind->fire(timers);
    }
    run.elapsed_ns = leat_os_monotonic_ns() - begin_ns;
    run.wrong = plan->count - fired;
    run.bytes = use == BENCH_TIMER_ARM && kind->bytes != NULL ? kind->bytes(timers) : 0;
    kind->destroy(timers);
    return run;
}
