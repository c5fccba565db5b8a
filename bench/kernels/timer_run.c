/* timer_run.c - the plan of all kinds of timer.h, and a run of one. */
#include <stdlib.h>
#include <string.h>

#include "bench/kernels/thread.h"
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

/* Resident bytes of this process; 0 where the system does not tell. */
static uint64_t
resident(void)
{
    char text[512];
    (void)leat_os_file_read("/proc/self/smaps_rollup", 0, text, sizeof(text));
    const char *found = strstr(text, "\nRss:");
    return found == NULL ? 0 : strtoull(found + strlen("\nRss:"), NULL, 10) * 1024;
}

/* One use, by whichever thread. */
struct call {
    const struct bench_timer_kind *kind;
    void *timers;
    enum bench_timer_use use;
    uint32_t done;
    uint64_t elapsed_ns;
};

static void *
call_run(void *argument)
{
    struct call *call = argument;
    uint64_t begin_ns = leat_os_monotonic_ns();
    call->done = call->kind->does[call->use](call->timers);
    call->elapsed_ns = leat_os_monotonic_ns() - begin_ns;
    return NULL;
}

/* On another thread, then what is left to do on this one. How long that took. */
static uint64_t
call_elsewhere(struct call *call)
{
    cpu_set_t before;
    pthread_t thread = bench_thread_start(call_run, call, 0);
    bench_pin_last(&before);
    leat_os_thread_join(thread);
    uint64_t begin_ns = leat_os_monotonic_ns();
    if (call->kind->take != NULL) {
        uint32_t taken = call->kind->take(call->timers);
        call->done = taken < call->done ? taken : call->done;
    }
    uint64_t taken_ns = leat_os_monotonic_ns() - begin_ns;
    bench_unpin(&before);
    return taken_ns;
}

struct bench_timer_run
bench_timer_measure(const struct bench_timer_kind *kind, const struct bench_timer_plan *plan,
                    enum bench_timer_use use)
{
    uint64_t before = use == BENCH_TIMER_ARM ? resident() : 0;
    struct call call = {.kind = kind, .timers = kind->create(plan, use), .use = use};
    uint64_t made = use == BENCH_TIMER_ARM ? resident() : 0;
    uint64_t taken_ns = 0;
    if (use != BENCH_TIMER_ARM && use != BENCH_TIMER_REMOTE_ARM) {
        uint32_t armed = kind->does[BENCH_TIMER_ARM](call.timers);
        LEAT_ASSERT(armed == plan->count);
    }
    if (use == BENCH_TIMER_REMOTE_ARM || use == BENCH_TIMER_REMOTE_CANCEL) {
        taken_ns = call_elsewhere(&call);
    } else {
        (void)call_run(&call);
    }
    struct bench_timer_run run = {.elapsed_ns = call.elapsed_ns + taken_ns,
                                  .call_ns = call.elapsed_ns,
                                  .wrong = plan->count - call.done};
    if (use == BENCH_TIMER_ARM) {
        uint64_t armed = resident();
        run.bytes = armed - before;
        run.bytes_own = armed - made;
    }
    kind->destroy(call.timers);
    return run;
}
