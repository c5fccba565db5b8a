/* histogram.c - see histogram.h. */
#include "engine/histogram.h"

uint32_t
leat_histogram_bucket(uint64_t duration_ns)
{
    if (duration_ns < LEAT_HISTOGRAM_EXACT) {
        return (uint32_t)duration_ns;
    }
    uint32_t exponent = 63 - (uint32_t)__builtin_clzll(duration_ns);
    uint32_t mantissa = (uint32_t)(duration_ns >> (exponent - 5)) & 31;
    return LEAT_HISTOGRAM_EXACT + (exponent - 6) * 32 + mantissa;
}

uint64_t
leat_histogram_value(uint32_t bucket)
{
    LEAT_ASSERT(bucket < LEAT_HISTOGRAM_BUCKETS);
    if (bucket < LEAT_HISTOGRAM_EXACT) {
        return bucket;
    }
    uint32_t exponent = (bucket - LEAT_HISTOGRAM_EXACT) / 32 + 6;
    uint64_t mantissa = (bucket - LEAT_HISTOGRAM_EXACT) % 32 + 32;
    uint64_t width = UINT64_C(1) << (exponent - 5);
    return mantissa * width + width / 2;
}

void
leat_histogram_record(struct leat_histogram *histogram, uint64_t duration_ns)
{
    /* 0 would read as "nothing recorded". */
    uint64_t duration = duration_ns == 0 ? 1 : duration_ns;
    uint64_t min = atom_load_rlx(&histogram->min_ns); /* rlx: single writer */
    if (min == 0 || duration < min) {
        atom_store_rlx(&histogram->min_ns, duration); /* rlx: statistic */
    }
    if (duration > atom_load_rlx(&histogram->max_ns)) { /* rlx: single writer */
        atom_store_rlx(&histogram->max_ns, duration);   /* rlx: statistic */
    }
    atom_count(&histogram->sum_ns, duration);
    atom_count(&histogram->counts[leat_histogram_bucket(duration)], 1);
}
