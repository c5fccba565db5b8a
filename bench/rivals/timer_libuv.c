/* timer_libuv.c - the timers of a libuv loop. Its clock cannot be handed in; so the loop's time is
 * set back when the timers are armed, and all are due, in their order, when it looks at the clock.
 * Only its own thread may call: others leave a list of wishes, and wake it; with them the time is
 * set forward, so that nothing is due. */
#include <stdlib.h>
#include <uv.h>

#include "bench/kernels/timer.h"
#include "bench/rivals/timer_due.h"
#include "ring/base.h"

extern const struct bench_timer_kind bench_timers_libuv[];
extern const struct bench_due_kind bench_dues_libuv[];

#define NS_PER_MS UINT64_C(1000000)

struct timers {
    uv_loop_t loop;
    const struct bench_timer_plan *plan;
    uv_timer_t *each;
    uint32_t fired;
    uint32_t last;
    /* What other threads wish. */
    uv_mutex_t mutex;
    uv_async_t wake;
    uint32_t *wishes; /* under the mutex */
    uint32_t wished;  /* under the mutex */
    uint32_t done;
    bool cancels;
};

static void
on_timer(uv_timer_t *timer)
{
    struct timers *made = timer->data;
    uint32_t deadline = made->plan->deadlines[timer - made->each];
    made->fired += deadline >= made->last ? 1 : 0;
    made->last = deadline;
}

static bool
start(struct timers *made, uint32_t index, uint32_t deadline)
{
    return uv_timer_start(&made->each[index], on_timer, deadline, 0) == 0;
}

static bool
stop(struct timers *made, uint32_t index)
{
    return uv_is_active((uv_handle_t *)&made->each[index]) &&
           uv_timer_stop(&made->each[index]) == 0;
}

/* Grants all wishes that there are. */
static void
on_wake(uv_async_t *wake)
{
    struct timers *made = wake->data;
    uv_mutex_lock(&made->mutex);
    for (; made->done < made->wished; made->done++) {
        uint32_t index = made->wishes[made->done];
        bool granted =
            made->cancels ? stop(made, index) : start(made, index, made->plan->deadlines[index]);
        LEAT_ASSERT(granted);
    }
    uv_mutex_unlock(&made->mutex);
}

static void *
libuv_create(const struct bench_timer_plan *plan, enum bench_timer_use use)
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
    if (use == BENCH_TIMER_REMOTE_ARM || use == BENCH_TIMER_REMOTE_CANCEL) {
        made->loop.time += BENCH_TIMER_TICKS;
        made->wishes = malloc(((size_t)plan->count + 1) * sizeof(uint32_t));
        LEAT_ASSERT(made->wishes != NULL);
        made->cancels = use == BENCH_TIMER_REMOTE_CANCEL;
    } else {
        made->loop.time -= BENCH_TIMER_TICKS + 1;
    }
    LEAT_ASSERT(uv_mutex_init(&made->mutex) == 0);
    LEAT_ASSERT(uv_async_init(&made->loop, &made->wake, on_wake) == 0);
    made->wake.data = made;
    return made;
}

static void
libuv_destroy(void *timers)
{
    struct timers *made = timers;
    for (uint32_t i = 0; i < made->plan->count; i++) {
        uv_close((uv_handle_t *)&made->each[i], NULL);
    }
    uv_close((uv_handle_t *)&made->wake, NULL);
    (void)uv_run(&made->loop, UV_RUN_NOWAIT);
    uv_mutex_destroy(&made->mutex);
    free(made->wishes);
    LEAT_ASSERT(uv_loop_close(&made->loop) == 0);
    free(made->each);
    free(made);
}

static uint32_t
libuv_arm(void *timers)
{
    struct timers *made = timers;
    uint32_t done = 0;
    for (uint32_t i = 0; i < made->plan->count; i++) {
        done += start(made, i, made->plan->deadlines[i]) ? 1 : 0;
    }
    return done;
}

static uint32_t
libuv_rearm(void *timers)
{
    struct timers *made = timers;
    uint32_t done = 0;
    for (uint32_t i = 0; i < made->plan->count; i++) {
        uint32_t index = made->plan->order[i];
        done += start(made, index, made->plan->moved[index]) ? 1 : 0;
    }
    return done;
}

static uint32_t
libuv_cancel(void *timers)
{
    struct timers *made = timers;
    uint32_t done = 0;
    for (uint32_t i = 0; i < made->plan->count; i++) {
        done += stop(made, made->plan->order[i]) ? 1 : 0;
    }
    return done;
}

static uint32_t
libuv_fire(void *timers)
{
    struct timers *made = timers;
    (void)uv_run(&made->loop, UV_RUN_NOWAIT);
    return made->fired;
}

static uint32_t
libuv_net(void *timers)
{
    struct timers *made = timers;
    uint32_t done = 0;
    for (uint32_t i = 0; i < made->plan->count; i++) {
        uint32_t index = made->plan->order[i];
        if (!bench_timer_fires(i)) {
            (void)stop(made, index);
            done += start(made, index, bench_timer_later(made->plan, index)) ? 1 : 0;
        }
    }
    return done + libuv_fire(timers);
}

static void
wish(struct timers *made, uint32_t index)
{
    uv_mutex_lock(&made->mutex);
    made->wishes[made->wished] = index;
    made->wished++;
    uv_mutex_unlock(&made->mutex);
    (void)uv_async_send(&made->wake);
}

static uint32_t
libuv_remote_arm(void *timers)
{
    struct timers *made = timers;
    for (uint32_t i = 0; i < made->plan->count; i++) {
        wish(made, i);
    }
    return made->plan->count;
}

static uint32_t
libuv_remote_cancel(void *timers)
{
    struct timers *made = timers;
    for (uint32_t i = 0; i < made->plan->count; i++) {
        wish(made, made->plan->order[i]);
    }
    return made->plan->count;
}

static uint32_t
libuv_take(void *timers)
{
    struct timers *made = timers;
    (void)uv_run(&made->loop, UV_RUN_NOWAIT);
    return made->done;
}

const struct bench_timer_kind bench_timers_libuv[] = {
    {"libuv",
     "fires all in one turn of the loop; for other threads a list in a mutex",
     libuv_create,
     libuv_destroy,
     {libuv_arm, libuv_cancel, libuv_fire, libuv_rearm, libuv_net, libuv_remote_arm,
      libuv_remote_cancel},
     libuv_take},
    {.name = NULL},
};

/* ---- on the clock --------------------------------------------------------------------------- */

struct due {
    uv_timer_t timer;
    uint32_t index;
};

static void
on_due(uv_timer_t *timer)
{
    struct due *due = (struct due *)(void *)timer;
    bench_due_fire(timer->data, due->index);
}

static void
libuv_due(struct bench_due_plan *plan)
{
    uv_loop_t loop;
    struct due *each = calloc(plan->count, sizeof(*each));
    LEAT_ASSERT(each != NULL);
    LEAT_ASSERT(uv_loop_init(&loop) == 0);
    for (uint32_t i = 0; i < plan->count; i++) {
        each[i].index = i;
        LEAT_ASSERT(uv_timer_init(&loop, &each[i].timer) == 0);
        each[i].timer.data = plan;
        uint64_t deadline_ms = (plan->deadlines_ns[i] + NS_PER_MS - 1) / NS_PER_MS;
        LEAT_ASSERT(uv_timer_start(&each[i].timer, on_due, deadline_ms - uv_now(&loop), 0) == 0);
    }
    while (plan->fired < plan->count) {
        (void)uv_run(&loop, plan->busy ? UV_RUN_NOWAIT : UV_RUN_ONCE);
    }
    for (uint32_t i = 0; i < plan->count; i++) {
        uv_close((uv_handle_t *)&each[i].timer, NULL);
    }
    (void)uv_run(&loop, UV_RUN_NOWAIT);
    LEAT_ASSERT(uv_loop_close(&loop) == 0);
    free(each);
}

const struct bench_due_kind bench_dues_libuv[] = {
    {"libuv", "milliseconds", libuv_due},
    {.name = NULL},
};
