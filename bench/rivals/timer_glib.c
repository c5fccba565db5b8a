/* timer_glib.c - the timeout sources of a GLib main context: arming and cancelling, which any
 * thread may do. Each turn of its loop looks at every source, so that firing one by one is not for
 * so many. */
#include <glib.h>
#include <stdlib.h>

#include "bench/kernels/timer.h"
#include "bench/rivals/timer_due.h"
#include "ring/base.h"

extern const struct bench_timer_kind bench_timers_glib[];
extern const struct bench_due_kind bench_dues_glib[];

#define NS_PER_US 1000

struct timers {
    GMainContext *context;
    const struct bench_timer_plan *plan;
    GSource **each;
};

static void *
glib_create(const struct bench_timer_plan *plan, enum bench_timer_use use)
{
    (void)use;
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

static uint32_t
glib_arm(void *timers)
{
    struct timers *made = timers;
    uint32_t done = 0;
    for (uint32_t i = 0; i < made->plan->count; i++) {
        done += g_source_attach(made->each[i], made->context) > 0 ? 1 : 0;
    }
    return done;
}

static uint32_t
glib_cancel(void *timers)
{
    struct timers *made = timers;
    for (uint32_t i = 0; i < made->plan->count; i++) {
        g_source_destroy(made->each[made->plan->order[i]]);
    }
    return made->plan->count;
}

const struct bench_timer_kind bench_timers_glib[] = {
    {"glib",
     "sources are made before",
     glib_create,
     glib_destroy,
     {glib_arm, glib_cancel, NULL, NULL, NULL, glib_arm, glib_cancel},
     NULL},
    {.name = NULL},
};

/* ---- on the clock --------------------------------------------------------------------------- */

struct due {
    struct bench_due_plan *plan;
    uint32_t index;
};

static gboolean
on_due(gpointer argument)
{
    const struct due *due = argument;
    bench_due_fire(due->plan, due->index);
    return G_SOURCE_REMOVE;
}

static void
glib_due(struct bench_due_plan *plan)
{
    GMainContext *context = g_main_context_new();
    struct due *each = calloc(plan->count, sizeof(*each));
    LEAT_ASSERT(each != NULL);
    for (uint32_t i = 0; i < plan->count; i++) {
        each[i] = (struct due){plan, i};
        GSource *source = g_timeout_source_new(0);
        g_source_set_callback(source, on_due, &each[i], NULL);
        g_source_set_ready_time(source, (gint64)(plan->deadlines_ns[i] / NS_PER_US + 1));
        (void)g_source_attach(source, context);
        g_source_unref(source);
    }
    while (plan->fired < plan->count) {
        (void)g_main_context_iteration(context, !plan->busy);
    }
    g_main_context_unref(context);
    free(each);
}

const struct bench_due_kind bench_dues_glib[] = {
    {"glib", "sleeps whole milliseconds", glib_due},
    {.name = NULL},
};
