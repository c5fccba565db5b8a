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

/* The deadlines of timers 0 to count - 1, in ticks from the start, and an order to cancel in: both
 * the same for all kinds. */
struct bench_timer_plan {
    uint32_t count;
    const uint32_t *deadlines; /* 1 to BENCH_TIMER_TICKS */
    const uint32_t *moved;     /* where re-arming moves them to */
    const uint32_t *order;     /* of cancelling, and of re-arming */
    uint32_t *numbers;         /* all of them */
};

/* What a kind is asked to do, each from an empty state and on one thread. */
enum bench_timer_use {
    BENCH_TIMER_ARM = 1,
    BENCH_TIMER_CANCEL = 2,
    BENCH_TIMER_FIRE = 4,
    BENCH_TIMER_REARM = 8
};

struct bench_timer_facts {
    const char *name; /* NULL: the end of a list */
    unsigned uses;    /* bits of bench_timer_use: what it can, in a time that is worth it */
    const char *note;
};

/* `arm` arms all. `cancel` cancels all that are armed, `rearm` moves all. `fire` lets the time go
 * through all ticks one by one; it returns how many fired, none of them early or late. */
struct bench_timer_kind {
    struct bench_timer_facts facts;
    void *(*create)(const struct bench_timer_plan *plan);
    void (*destroy)(void *timers);
    void (*arm)(void *timers);
    void (*cancel)(void *timers);
    void (*rearm)(void *timers);
    uint32_t (*fire)(void *timers);
    uint64_t (*bytes)(void *timers); /* beside what the caller has for each timer; 0: unknown */
};

struct bench_timer_run {
    uint64_t elapsed_ns;
    uint32_t wrong; /* timers that did not fire, or twice, or at another tick */
    uint64_t bytes; /* of an arm: what kind->bytes says then */
};

/* Ends the process where it cannot have the memory. */
struct bench_timer_plan *bench_timer_plan_create(uint32_t count);
void bench_timer_plan_destroy(struct bench_timer_plan *plan);

/* Creates timers, brings them into the state in which `use` begins, and measures that. */
struct bench_timer_run bench_timer_measure(const struct bench_timer_kind *kind,
                                           const struct bench_timer_plan *plan,
                                           enum bench_timer_use use);

extern const struct bench_timer_kind bench_timers_leat[];

/* The way through the inbox: from another thread, and the taking by who holds the wheel's role. */
struct bench_timer_remote {
    uint64_t sent_ns;
    uint64_t taken_ns;
};

/* Of timers that bench_timers_leat has created. */
struct bench_timer_remote bench_timer_remote_arm(void *timers);
struct bench_timer_remote bench_timer_remote_cancel(void *timers);

#ifdef __cplusplus
}
#endif

#endif
