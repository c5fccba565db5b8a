/* timer.h - what is measured of timers, of Leat's and of others: arming, cancelling, firing and
 * moving many of them. A kind is a table of functions, each of which does a whole phase, so that
 * what it calls inlines. */
#ifndef BENCH_KERNELS_TIMER_H
#define BENCH_KERNELS_TIMER_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Deadlines are random over so many ticks. */
#define BENCH_TIMER_TICKS UINT32_C(60000)
/* Of timeouts, one in so many fires. */
#define BENCH_TIMER_FIRES UINT32_C(1000)

/* The timers 0 to count - 1, the same for all kinds. Times are in ticks from the start. */
struct bench_timer_plan {
    uint32_t count;
    const uint32_t *deadlines; /* 1 to BENCH_TIMER_TICKS */
    const uint32_t *moved;     /* where re-arming moves them to: likewise */
    const uint32_t *order;     /* in which they are cancelled and moved */
    uint32_t *numbers;         /* all of them */
};

/* What a kind is asked to do, each in a new state and with all timers. Those of `remote` are called
 * on another thread than the one that made the timers and lets the time go on. */
enum bench_timer_use {
    BENCH_TIMER_ARM,
    BENCH_TIMER_CANCEL,
    BENCH_TIMER_FIRE,  /* the time goes through all ticks one by one */
    BENCH_TIMER_REARM, /* in place, to `moved` */
    /* Timeouts of connections: each is cancelled and armed again for later, but for one in
     * BENCH_TIMER_FIRES of the order, which fires as the time goes through all ticks. */
    BENCH_TIMER_NET,
    BENCH_TIMER_REMOTE_ARM,
    BENCH_TIMER_REMOTE_CANCEL
};
#define BENCH_TIMER_USES 7

struct bench_timer_kind {
    const char *name; /* NULL: the end of a list */
    const char *note; /* what a reader of the figures should know; or "" */
    void *(*create)(const struct bench_timer_plan *plan, enum bench_timer_use use);
    void (*destroy)(void *timers);
    /* By use. NULL: it cannot, or not in a time that is worth it. How many it did as it should: of
     * those that fire, none early or late. */
    uint32_t (*does[BENCH_TIMER_USES])(void *timers);
    /* After a use of another thread, on the one that made the timers: takes what was sent, and says
     * of how many timers. NULL: nothing is. */
    uint32_t (*take)(void *timers);
};

struct bench_timer_run {
    uint64_t elapsed_ns;
    uint64_t call_ns;   /* of another thread's use: without the taking */
    uint32_t wrong;     /* timers that did not, or twice, or at another tick */
    uint64_t bytes;     /* of an arm: resident memory of all timers, what the caller has included */
    uint64_t bytes_own; /* of an arm: of that, what arming took */
};

/* Ends the process where it cannot have the memory. */
struct bench_timer_plan *bench_timer_plan_create(uint32_t count);
void bench_timer_plan_destroy(struct bench_timer_plan *plan);

/* As BENCH_TIMER_NET says, of a number of the order. */
static inline bool
bench_timer_fires(uint32_t number)
{
    return number % BENCH_TIMER_FIRES == 0;
}

/* When one is due that BENCH_TIMER_NET has armed again: after all ticks, and with those who cannot
 * be handed a clock after the run. */
static inline uint32_t
bench_timer_later(const struct bench_timer_plan *plan, uint32_t index)
{
    return 2 * BENCH_TIMER_TICKS + plan->moved[index];
}

/* Creates timers, brings them into the state in which `use` begins, and measures that. The figures
 * of memory are right where nothing of an earlier run is in the process. */
struct bench_timer_run bench_timer_measure(const struct bench_timer_kind *kind,
                                           const struct bench_timer_plan *plan,
                                           enum bench_timer_use use);

extern const struct bench_timer_kind bench_timers_leat[];

/* Over all steps of the wheel while the time goes through all ticks. */
struct bench_timer_steps {
    uint64_t cpu_ns_most; /* of the thread, in one step */
    uint32_t nodes_most;  /* timers that one step looked at */
    uint32_t wrong;       /* as in a run */
};

struct bench_timer_steps bench_timer_steps_measure(const struct bench_timer_plan *plan);

#ifdef __cplusplus
}
#endif

#endif
