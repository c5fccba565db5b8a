/* timer_due.h - how late timers fire on the clock of the machine. A thread arms all of them and
 * drives them: it looks again and again (busy), or sleeps until one is due (parked). */
#ifndef BENCH_RIVALS_TIMER_DUE_H
#define BENCH_RIVALS_TIMER_DUE_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bench_due_plan {
    uint32_t count;
    bool busy;
    const uint64_t *deadlines_ns; /* ascending, monotonic */
    uint64_t *fired_ns;           /* 0: not yet; the contestant writes when it fired */
    uint32_t *fires;              /* how often */
    uint32_t fired;               /* in all */
};

struct bench_due_kind {
    const char *name; /* NULL: the end of a list */
    const char *note;
    /* Returns when all have fired. Ends the process on failure. */
    void (*run)(struct bench_due_plan *plan);
};

extern const struct bench_due_kind bench_dues_leat[];

/* For the contestants: timer `index` fires now. */
void bench_due_fire(struct bench_due_plan *plan, uint32_t index);

/* Measures `count` timers, about so many in 150 microseconds each; samples[] is how late each was.
 * How many were early, or fired more than once. */
uint64_t bench_due_measure(const struct bench_due_kind *kind, bool busy, uint32_t count,
                           double *samples);

#ifdef __cplusplus
}
#endif

#endif
