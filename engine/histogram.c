/* histogram.c - see histogram.h. */
#include "engine/histogram.h"

#include <string.h>

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

void
leat_histogram_share(struct leat_histogram *histogram, uint64_t duration_ns)
{
    uint64_t duration = duration_ns == 0 ? 1 : duration_ns;
    uint64_t min = atom_load_rlx(&histogram->min_ns); /* rlx: statistic */
    uint64_t max = atom_load_rlx(&histogram->max_ns); /* rlx: statistic */
    /* Both end: a swap fails only where another thread brought a new least, or most. */
    while (min == 0 || duration < min) {
        if (atom_cas_rlx(&histogram->min_ns, &min, duration)) { /* rlx: statistic */
            break;
        }
    }
    while (duration > max) {
        if (atom_cas_rlx(&histogram->max_ns, &max, duration)) { /* rlx: statistic */
            break;
        }
    }
    uint32_t bucket = leat_histogram_bucket(duration);
    (void)atom_add_rlx(&histogram->sum_ns, duration);  /* rlx: statistic */
    (void)atom_add_rlx(&histogram->counts[bucket], 1); /* rlx: statistic */
}

/* ---- reading -------------------------------------------------------------------------------- */

enum { QUANTILES = 5 };

static uint64_t
read_counter(const leat_atomic_u64 *counter)
{
    return atom_load_rlx(counter); /* rlx: statistic */
}

static const struct leat_histogram *
histogram_at(const struct leat_histograms *histograms, uint32_t place)
{
    const unsigned char *first = (const unsigned char *)histograms->first;
    return (const struct leat_histogram *)(const void *)(first + histograms->stride * place);
}

static uint64_t
bucket_sum(const struct leat_histograms *histograms, uint32_t bucket)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < histograms->count; i++) {
        sum += read_counter(&histogram_at(histograms, i)->counts[bucket]);
    }
    return sum;
}

/* Reads the buckets again; what was recorded since they were counted shifts a quantile by less than
 * it would have been wrong a moment later. */
static void
quantiles_find(const struct leat_histograms *histograms, struct leat_latency *latency)
{
    /* In parts of 10 000. */
    static const uint32_t parts[QUANTILES] = {5000, 9000, 9900, 9990, 9999};
    uint64_t *const values[QUANTILES] = {&latency->p50_ns, &latency->p90_ns, &latency->p99_ns,
                                         &latency->p999_ns, &latency->p9999_ns};
    uint64_t seen = 0;
    uint32_t next = 0;
    for (uint32_t bucket = 0; bucket < LEAT_HISTOGRAM_BUCKETS && next < QUANTILES; bucket++) {
        seen += bucket_sum(histograms, bucket);
        /* Rounded up: the p99 of one sample is that sample. */
        while (next < QUANTILES && seen > 0 && seen * 10000 >= latency->samples * parts[next]) {
            uint64_t value = leat_histogram_value(bucket);
            value = value < latency->min_ns ? latency->min_ns : value;
            *values[next] = value > latency->max_ns ? latency->max_ns : value;
            next++;
        }
    }
}

struct leat_latency
leat_histograms_latency(struct leat_histograms histograms)
{
    struct leat_latency latency;
    memset(&latency, 0, sizeof(latency));
    for (uint32_t i = 0; i < histograms.count; i++) {
        const struct leat_histogram *histogram = histogram_at(&histograms, i);
        uint64_t min_ns = read_counter(&histogram->min_ns);
        uint64_t max_ns = read_counter(&histogram->max_ns);
        if (min_ns != 0 && (latency.min_ns == 0 || min_ns < latency.min_ns)) {
            latency.min_ns = min_ns;
        }
        latency.max_ns = max_ns > latency.max_ns ? max_ns : latency.max_ns;
        latency.sum_ns += read_counter(&histogram->sum_ns);
    }
    if (latency.min_ns == 0) {
        return latency; /* a moment early where the first one is being recorded */
    }
    for (uint32_t bucket = 0; bucket < LEAT_HISTOGRAM_BUCKETS; bucket++) {
        latency.samples += bucket_sum(&histograms, bucket);
    }
    if (latency.samples != 0) {
        quantiles_find(&histograms, &latency);
    }
    return latency;
}

uint64_t
leat_histograms_below(struct leat_histograms histograms, uint64_t below[LEAT_HISTOGRAM_OCTAVES])
{
    uint64_t seen = 0;
    uint32_t bucket = 0;
    for (uint32_t octave = 0; octave < LEAT_HISTOGRAM_OCTAVES; octave++) {
        uint32_t end = leat_histogram_bucket(UINT64_C(1) << octave);
        for (; bucket < end; bucket++) {
            seen += bucket_sum(&histograms, bucket);
        }
        below[octave] = seen;
    }
    for (; bucket < LEAT_HISTOGRAM_BUCKETS; bucket++) {
        seen += bucket_sum(&histograms, bucket);
    }
    return seen;
}
