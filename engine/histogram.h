/* histogram.h - durations in buckets of at most 3.2 % width, from 1 ns to the end of 64 bits.
 *
 * Source   Gil Tene, "HdrHistogram", 2012: an exponent and a few bits of mantissa. Differs: a fixed
 *          five bits of mantissa; below 64 ns every nanosecond has its own bucket.
 * Roles    one writer with leat_histogram_record(), any with leat_histogram_share(), not both of
 *          one histogram; any readers; each counter is read as it is at that moment.
 */
#ifndef ENGINE_HISTOGRAM_H
#define ENGINE_HISTOGRAM_H

#include "engine/leat.h"
#include "ring/atomic.h"

#define LEAT_HISTOGRAM_EXACT   64
#define LEAT_HISTOGRAM_BUCKETS (LEAT_HISTOGRAM_EXACT + 58 * 32)

/* Letters: W one writer, many readers; of a shared one, S many writers. */
struct leat_histogram {
    leat_atomic_u64 min_ns;                         /* W 0: nothing recorded */
    leat_atomic_u64 max_ns;                         /* W */
    leat_atomic_u64 sum_ns;                         /* W */
    leat_atomic_u64 counts[LEAT_HISTOGRAM_BUCKETS]; /* W */
};

void leat_histogram_record(struct leat_histogram *histogram, uint64_t duration_ns);
/* The same by several threads. Progress: lock-free. */
void leat_histogram_share(struct leat_histogram *histogram, uint64_t duration_ns);

uint32_t leat_histogram_bucket(uint64_t duration_ns);
/* The middle of a bucket. */
uint64_t leat_histogram_value(uint32_t bucket);

/* ---- reading -------------------------------------------------------------------------------- */

/* Histograms that are read as one: `count` of them, `stride` bytes apart. */
struct leat_histograms {
    const struct leat_histogram *first;
    size_t stride;
    uint32_t count;
};

LEAT_INLINE struct leat_histograms
leat_histograms_one(const struct leat_histogram *histogram)
{
    struct leat_histograms one = {histogram, 0, 1};
    return one;
}

/* All 0 where nothing was recorded. Progress: wait-free. */
struct leat_latency leat_histograms_latency(struct leat_histograms histograms);

#define LEAT_HISTOGRAM_OCTAVES 64
/* below[k]: how many durations are less than 2^k ns. Returns how many there are: at least below[k]
 * for each k, as all is counted in one go. */
uint64_t leat_histograms_below(struct leat_histograms histograms,
                               uint64_t below[LEAT_HISTOGRAM_OCTAVES]);

#endif
