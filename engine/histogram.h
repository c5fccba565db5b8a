/* histogram.h - durations in buckets of at most 3.2 % width, from 1 ns to the end of 64 bits.
 *
 * Source   Gil Tene, "HdrHistogram", 2012: an exponent and a few bits of mantissa. Differs: a fixed
 *          five bits of mantissa; below 64 ns every nanosecond has its own bucket.
 * Roles    one writer, any readers; each counter is read as it is at that moment.
 */
#ifndef ENGINE_HISTOGRAM_H
#define ENGINE_HISTOGRAM_H

#include "ring/atomic.h"

#define LEAT_HISTOGRAM_EXACT   64
#define LEAT_HISTOGRAM_BUCKETS (LEAT_HISTOGRAM_EXACT + 58 * 32)

/* Letters: W one writer, many readers. */
struct leat_histogram {
    leat_atomic_u64 min_ns;                         /* W 0: nothing recorded */
    leat_atomic_u64 max_ns;                         /* W */
    leat_atomic_u64 sum_ns;                         /* W */
    leat_atomic_u64 counts[LEAT_HISTOGRAM_BUCKETS]; /* W */
};

void leat_histogram_record(struct leat_histogram *histogram, uint64_t duration_ns);

uint32_t leat_histogram_bucket(uint64_t duration_ns);
/* The middle of a bucket. */
uint64_t leat_histogram_value(uint32_t bucket);

#endif
