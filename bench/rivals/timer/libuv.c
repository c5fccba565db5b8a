/* libuv.c - the timers of a libuv loop. Its clock cannot be handed in; so the loop's time is set
 * back when the timers are armed, and all are due, in their order, when it looks at the clock. */
#include <stdlib.h>
#include <uv.h>

#include "bench/kernels/timer.h"
#include "ring/base.h"

extern const struct bench_timer_kind bench_timers_libuv[];

struct timers {
    uv_loop_t loop;
    const struct bench_timer_plan *plan;
    uv_timer_t *each;
    uint32_t fired;
    uint32_t last;
};

static void
on_timer(uv_timer_t *timer)
{
    struct timers *made = timer->data;
    uint32_t deadline = made->plan->deadlines[timer - made->each];
    made->fired += deadline >= made->last ? 1 : 0;
    made->last = deadline;
}

static void *
libuv_create(const struct bench_timer_plan *plan)
{
    struct timers *made = calloc(1, sizeof(*made));
    LEAT_ASSERT(made != NULL);
    made->plan = plan;
    made->each = malloc(plan->count * sizeof(uv_timer_t));
    LEAT_ASSERT(made->each != NULL);
    LEAT_ASSERT(uv_loop_init(&made->loop) == 0);
    for (uint32_t i = 0; i < plan->count; i++) {
        LEAT_ASSERT(uv_timer_init(&made->loop, &made->each[i]) == 0);
        made->each[i].data = made;
    }
    uv_update_time(&made->loop);
    made->loop.time -= BENCH_TIMER_TICKS + 1;
    return made;
}

static void
libuv_destroy(void *timers)
{
    struct timers *made = timers;
    for (uint32_t i = 0; i < made->plan->count; i++) {
        uv_close((uv_handle_t *)&made->each[i], NULL);
    }
    (void)uv_run(&made->loop, UV_RUN_NOWAIT);
    LEAT_ASSERT(uv_loop_close(&made->loop) == 0);
    free(made->each);
    free(made);
}

static void
start_all(struct timers *made, const uint32_t *deadlines, const uint32_t *order)
{
    for (uint32_t i = 0; i < made->plan->count; i++) {
        uint32_t index = order == NULL ? i : order[i];
        (void)uv_timer_start(&made->each[index], on_timer, deadlines[index], 0);
    }
}

static void
libuv_arm(void *timers)
{
    struct timers *made = timers;
    start_all(made, made->plan->deadlines, NULL);
}

static void
libuv_rearm(void *timers)
{
    struct timers *made = timers;
    start_all(made, made->plan->moved, made->plan->order);
}

static void
libuv_cancel(void *timers)
{
    struct timers *made = timers;
    for (uint32_t i = 0; i < made->plan->count; i++) {
        (void)uv_timer_stop(&made->each[made->plan->order[i]]);
    }
}

static uint32_t
libuv_fire(void *timers)
{
    struct timers *made = timers;
    (void)uv_run(&made->loop, UV_RUN_NOWAIT);
    return made->fired;
}

const struct bench_timer_kind bench_timers_libuv[] = {
    {{"libuv", BENCH_TIMER_ARM | BENCH_TIMER_CANCEL | BENCH_TIMER_FIRE | BENCH_TIMER_REARM,
      "fires all in one turn of the loop"},
     libuv_create,
     libuv_destroy,
     libuv_arm,
     libuv_cancel,
     libuv_rearm,
     libuv_fire,
     NULL},
    {.facts = {.name = NULL}},
};
