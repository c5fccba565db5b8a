/* glib.c - the timeout sources of a GLib main context: arming and cancelling. Each turn of its loop
 * looks at every source, so that firing one by one is not for so many. */
#include <glib.h>
#include <stdlib.h>

#include "bench/kernels/timer.h"
#include "ring/base.h"

extern const struct bench_timer_kind bench_timers_glib[];

struct timers {
    GMainContext *context;
    const struct bench_timer_plan *plan;
    GSource **each;
};

static void *
glib_create(const struct bench_timer_plan *plan)
{
    struct timers *made = calloc(1, sizeof(*made));
    LEAT_ASSERT(made != NULL);
    made->plan = plan;
    made->context = g_main_context_new();
    made->each = (GSource **)malloc(plan->count * sizeof(GSource *));
    LEAT_ASSERT(made->each != NULL);
    for (uint32_t i = 0; i < plan->count; i++) {
        made->each[i] = g_timeout_source_new(plan->deadlines[i]);
    }
    return made;
}

static void
glib_destroy(void *timers)
{
    struct timers *made = timers;
    g_main_context_unref(made->context);
    for (uint32_t i = 0; i < made->plan->count; i++) {
        g_source_unref(made->each[i]);
    }
    free((void *)made->each);
    free(made);
}

static void
glib_arm(void *timers)
{
    struct timers *made = timers;
    for (uint32_t i = 0; i < made->plan->count; i++) {
        (void)g_source_attach(made->each[i], made->context);
    }
}

static void
glib_cancel(void *timers)
{
    struct timers *made = timers;
    for (uint32_t i = 0; i < made->plan->count; i++) {
        g_source_destroy(made->each[made->plan->order[i]]);
    }
}

const struct bench_timer_kind bench_timers_glib[] = {
    {{"glib", BENCH_TIMER_ARM | BENCH_TIMER_CANCEL, "sources are made before"},
     glib_create,
     glib_destroy,
     glib_arm,
     glib_cancel,
     NULL,
     NULL,
     NULL},
    {.facts = {.name = NULL}},
};
