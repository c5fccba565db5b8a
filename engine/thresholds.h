/* thresholds.h - numbers that are looked at now and then: above its limit there is an event, and
 * once more below. Why it is so: docs/design/0034.
 *
 * Roles    any thread sets a limit. Any thread looks: the first one does, who comes while it is at
 *          it goes on.
 * Claims   look  never waits. BLOCKING in who looks: while that has stopped nothing is looked at.
 * Edges    threshold:B -> threshold:A   what the last look left
 */
#ifndef ENGINE_THRESHOLDS_H
#define ENGINE_THRESHOLDS_H

#include "engine/leat.h"
#include "ring/atomic.h"
#include "sched/clock.h"

#define LEAT_THRESHOLDS 5

/* The records are looked at in pieces, with a rest behind each: so no time is served later by more
 * than a piece, however many jobs there are. */
#define LEAT_THRESHOLD_PIECE   16384
#define LEAT_THRESHOLD_REST_NS UINT64_C(2000000)

/* What is usual: mean and variance of a share, moving.
 *
 * Source   S. W. Roberts, "Control chart tests based on geometric moving averages", 1959, for the
 *          mean; T. Finch, "Incremental calculation of weighted mean and variance", 2009, for the
 *          variance. Differs: what is above the limit counts as the limit, so that one bad period
 *          does not become what is usual, and a lasting change does in time; and the variance of a
 *          share of few is added, as that is there however steady all is. */
struct leat_baseline {
    double mean;
    double variance;
    uint32_t periods; /* so far, up to LEAT_BASELINE_PERIODS */
    bool raised;
};

/* So many periods are looked at before one can be unusual; and so many are what is usual. */
#define LEAT_BASELINE_PERIODS 8
#define LEAT_BASELINE_WEIGHT  (1.0 / 16)
/* With fewer attempts in it a period says nothing. */
#define LEAT_BASELINE_ATTEMPTS 16

/* Takes a period in, of which `failed` of `attempts` attempts failed; `sigmas` above the mean is
 * unusual. Says in raised whether it is, and the share that would be, in *limit. */
void leat_baseline_add(struct leat_baseline *baseline, uint32_t sigmas, uint64_t attempts,
                       uint64_t failed, double *limit);

/* Letters: S many writers; W who looks writes, many read; O who looks. */
struct leat_thresholds {
    LEAT_ALIGNED_LINE leat_atomic_u64
        limits[LEAT_THRESHOLDS];             /* S by enum leat_threshold; 0: none */
    leat_atomic_u64 period_ns;               /* S */
    leat_atomic_u64 next_ns;                 /* S by BOOT; of the next look */
    leat_atomic_u64 piece_ns;                /* W the same, of the next piece; NEVER: none */
    leat_atomic_u32 looking;                 /* S 1: a thread looks */
    leat_atomic_u32 raised[LEAT_THRESHOLDS]; /* W 1: it was said so */
    uint64_t ended;                          /* O attempts, at the last look */
    uint64_t failed;                         /* O of these */
    struct leat_baseline baseline;           /* O */
    uint64_t cursor;                         /* O of a pass over the records */
    uint64_t oldest_ns;                      /* O what waits longest, of the pass so far */
};

struct leat_engine;

void leat_thresholds_init(struct leat_engine *engine);
/* 0: none. Looked at soon. */
void leat_thresholds_set(struct leat_engine *engine, enum leat_threshold which, uint64_t limit);
void leat_thresholds_period(struct leat_engine *engine, uint64_t period_ns);
/* One that is not looked at here, but by one thread at a time that knows both numbers. */
void leat_thresholds_tell(struct leat_engine *engine, enum leat_threshold which, uint64_t limit,
                          uint64_t value);
/* For the thread of the clocks. */
struct leat_clock_source leat_thresholds_source(struct leat_engine *engine);

#endif
