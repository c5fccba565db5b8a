/* timer_libevent.c - the timers of a libevent base. Its clock cannot be handed in; so all are armed
 * for a time that is past, in their order, and fire when the loop looks at the clock. Where other
 * threads call, it locks. */
#include <event2/event.h>
#include <event2/event_struct.h>
#include <event2/thread.h>
#include <stdlib.h>

#include "bench/kernels/timer.h"
#include "bench/rivals/timer_due.h"
#include "ring/os.h"

extern const struct bench_timer_kind bench_timers_libevent[];
extern const struct bench_due_kind bench_dues_libevent[];

#define US_PER_TICK 1000
#define US_PER_S    1000000
#define NS_PER_US   1000

struct timers {
    struct event_base *base;
    const struct bench_timer_plan *plan;
    struct event *each;
    uint32_t fired;
};

static void
on_timer(evutil_socket_t unused, short what, void *argument)
{
    struct timers *made = argument;
    (void)unused;
    made->fired += (what & EV_TIMEOUT) != 0 ? 1 : 0;
}

static void *
libevent_create(const struct bench_timer_plan *plan, enum bench_timer_use use)
{
    if (use == BENCH_TIMER_REMOTE_ARM || use == BENCH_TIMER_REMOTE_CANCEL) {
        LEAT_ASSERT(evthread_use_pthreads() == 0);
    }
    struct timers *made = calloc(1, sizeof(*made));
    LEAT_ASSERT(made != NULL);
    made->plan = plan;
    made->each = malloc(plan->count * sizeof(struct event));
    LEAT_ASSERT(made->each != NULL);
    made->base = event_base_new();
    LEAT_ASSERT(made->base != NULL);
    for (uint32_t i = 0; i < plan->count; i++) {
        LEAT_ASSERT(event_assign(&made->each[i], made->base, -1, 0, on_timer, made) == 0);
    }
    return made;
}

static uint32_t
libevent_cancel(void *timers)
{
    struct timers *made = timers;
    uint32_t done = 0;
    for (uint32_t i = 0; i < made->plan->count; i++) {
        done += event_del(&made->each[made->plan->order[i]]) == 0 ? 1 : 0;
    }
    return done;
}

static void
libevent_destroy(void *timers)
{
    struct timers *made = timers;
    (void)libevent_cancel(timers);
    event_base_free(made->base);
    free(made->each);
    free(made);
}

/* So that a deadline within all ticks is past, and a later one is not. */
static bool
add(struct timers *made, uint32_t index, uint32_t deadline)
{
    int64_t us = ((int64_t)deadline - (int64_t)BENCH_TIMER_TICKS - 1) * US_PER_TICK;
    int64_t seconds = us / US_PER_S - (us % US_PER_S < 0 ? 1 : 0);
    struct timeval when = {.tv_sec = seconds, .tv_usec = us - seconds * US_PER_S};
    return event_add(&made->each[index], &when) == 0;
}

static uint32_t
libevent_arm(void *timers)
{
    struct timers *made = timers;
    uint32_t done = 0;
    for (uint32_t i = 0; i < made->plan->count; i++) {
        done += add(made, i, made->plan->deadlines[i]) ? 1 : 0;
    }
    return done;
}

static uint32_t
libevent_rearm(void *timers)
{
    struct timers *made = timers;
    uint32_t done = 0;
    for (uint32_t i = 0; i < made->plan->count; i++) {
        uint32_t index = made->plan->order[i];
        done += add(made, index, made->plan->moved[index]) ? 1 : 0;
    }
    return done;
}

static uint32_t
libevent_fire(void *timers)
{
    struct timers *made = timers;
    (void)event_base_loop(made->base, EVLOOP_NONBLOCK);
    return made->fired;
}

static uint32_t
libevent_net(void *timers)
{
    struct timers *made = timers;
    uint32_t done = 0;
    for (uint32_t i = 0; i < made->plan->count; i++) {
        uint32_t index = made->plan->order[i];
        if (!bench_timer_fires(i)) {
            (void)event_del(&made->each[index]);
            done += add(made, index, bench_timer_later(made->plan, index)) ? 1 : 0;
        }
    }
    return done + libevent_fire(timers);
}

const struct bench_timer_kind bench_timers_libevent[] = {
    {"libevent",
     "reads the clock in each arm; fires all in one turn of the loop",
     libevent_create,
     libevent_destroy,
     {libevent_arm, libevent_cancel, libevent_fire, libevent_rearm, libevent_net, libevent_arm,
      libevent_cancel},
     NULL},
    {.name = NULL},
};

/* ---- on the clock --------------------------------------------------------------------------- */

struct due {
    struct event event;
    struct bench_due_plan *plan;
    uint32_t index;
};

static void
on_due(evutil_socket_t unused, short what, void *argument)
{
    const struct due *due = argument;
    (void)unused;
    (void)what;
    bench_due_fire(due->plan, due->index);
}

static void
libevent_due(struct bench_due_plan *plan)
{
    struct event_config *config = event_config_new();
    struct due *each = calloc(plan->count, sizeof(*each));
    LEAT_ASSERT(config != NULL);
    LEAT_ASSERT(each != NULL);
    LEAT_ASSERT(event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER) == 0);
    struct event_base *base = event_base_new_with_config(config);
    LEAT_ASSERT(base != NULL);
    for (uint32_t i = 0; i < plan->count; i++) {
        each[i].plan = plan;
        each[i].index = i;
        LEAT_ASSERT(event_assign(&each[i].event, base, -1, 0, on_due, &each[i]) == 0);
        /* One more, as its clock has whole microseconds, and one for what is cut off here. */
        int64_t us = (int64_t)(plan->deadlines_ns[i] - leat_os_monotonic_ns()) / NS_PER_US + 2;
        struct timeval when = {.tv_sec = us / US_PER_S, .tv_usec = us % US_PER_S};
        LEAT_ASSERT(event_add(&each[i].event, &when) == 0);
    }
    while (plan->fired < plan->count) {
        (void)event_base_loop(base, plan->busy ? EVLOOP_NONBLOCK : EVLOOP_ONCE);
    }
    event_base_free(base);
    event_config_free(config);
    free(each);
}

const struct bench_due_kind bench_dues_libevent[] = {
    {"libevent", "with precise timers", libevent_due},
    {.name = NULL},
};
