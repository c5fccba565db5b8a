/* libevent.c - the timers of a libevent base. Its clock cannot be handed in; so all are armed for a
 * time that is past, in their order, and fire when the loop looks at the clock. */
#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdlib.h>

#include "bench/kernels/timer.h"
#include "ring/base.h"

extern const struct bench_timer_kind bench_timers_libevent[];

#define US_PER_TICK 1000
#define US_PER_S    1000000

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
libevent_create(const struct bench_timer_plan *plan)
{
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

static void
libevent_cancel(void *timers)
{
    struct timers *made = timers;
    for (uint32_t i = 0; i < made->plan->count; i++) {
        (void)event_del(&made->each[made->plan->order[i]]);
    }
}

static void
libevent_destroy(void *timers)
{
    struct timers *made = timers;
    libevent_cancel(timers);
    event_base_free(made->base);
    free(made->each);
    free(made);
}

static void
add_all(struct timers *made, const uint32_t *deadlines, const uint32_t *order)
{
    for (uint32_t i = 0; i < made->plan->count; i++) {
        uint32_t index = order == NULL ? i : order[i];
        int64_t past_us =
            ((int64_t)deadlines[index] - (int64_t)BENCH_TIMER_TICKS - 1) * US_PER_TICK;
        int64_t seconds = past_us / US_PER_S - 1;
        struct timeval when = {.tv_sec = seconds, .tv_usec = past_us - seconds * US_PER_S};
        if (when.tv_usec >= US_PER_S) {
            when.tv_sec++;
            when.tv_usec -= US_PER_S;
        }
        (void)event_add(&made->each[index], &when);
    }
}

static void
libevent_arm(void *timers)
{
    struct timers *made = timers;
    add_all(made, made->plan->deadlines, NULL);
}

static void
libevent_rearm(void *timers)
{
    struct timers *made = timers;
    add_all(made, made->plan->moved, made->plan->order);
}

static uint32_t
libevent_fire(void *timers)
{
    struct timers *made = timers;
    (void)event_base_loop(made->base, EVLOOP_NONBLOCK);
    return made->fired;
}

const struct bench_timer_kind bench_timers_libevent[] = {
    {{"libevent", BENCH_TIMER_ARM | BENCH_TIMER_CANCEL | BENCH_TIMER_FIRE | BENCH_TIMER_REARM,
      "reads the clock in each arm; fires all in one turn of the loop"},
     libevent_create,
     libevent_destroy,
     libevent_arm,
     libevent_cancel,
     libevent_rearm,
     libevent_fire,
     NULL},
    {.facts = {.name = NULL}},
};
