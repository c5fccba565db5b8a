/* unit_histogram.c - buckets of durations: each value lies within 3.2 % of what its bucket stands
 * for, buckets are in the order of the values and all of them fit, from 0 to the end of 64 bits;
 * and quantiles are as near to those of the values. */
#include <stdlib.h>
#include <string.h>

#include "engine/histogram.h"
#include "tests/support/check.h"
#include "tests/support/prng.h"

static void
check_error(uint64_t duration_ns)
{
    uint32_t bucket = leat_histogram_bucket(duration_ns);
    CHECK(bucket < LEAT_HISTOGRAM_BUCKETS);
    uint64_t value = leat_histogram_value(bucket);
    uint64_t difference = value > duration_ns ? value - duration_ns : duration_ns - value;
    /* Whole numbers: 3.2 % is 4 / 125. */
    CHECK(difference / 4 <= duration_ns / 125 || difference * 125 <= duration_ns * 4);
    /* The middle of a bucket lies in it. */
    CHECK_EQUAL(leat_histogram_bucket(value), bucket);
}

/* Where one bucket ends and the next begins, and around it. */
static void
error_is_bounded_at_the_edges(void **state)
{
    (void)state;
    for (uint32_t shift = 0; shift < 64; shift++) {
        for (uint64_t mantissa = 32; mantissa < 64; mantissa++) {
            uint64_t edge = shift < 58 ? mantissa << shift : mantissa << 58;
            check_error(edge);
            check_error(edge - 1);
            check_error(edge + 1);
        }
    }
    check_error(0);
    check_error(UINT64_MAX);
    check_error(UINT64_MAX - 1);
}

static void
error_is_bounded_anywhere(void **state)
{
    (void)state;
    struct test_prng prng = {test_seed("unit_histogram")};
    for (uint32_t i = 0; i < 1000000; i++) {
        check_error(test_random(&prng) >> test_random_below(&prng, 64));
    }
}

static void
buckets_are_in_order(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 100000; i++) {
        CHECK(leat_histogram_bucket(i) <= leat_histogram_bucket(i + 1));
    }
    for (uint32_t bucket = 1; bucket < LEAT_HISTOGRAM_BUCKETS; bucket++) {
        CHECK(leat_histogram_value(bucket) > leat_histogram_value(bucket - 1));
        CHECK_EQUAL(leat_histogram_bucket(leat_histogram_value(bucket)), bucket);
    }
    CHECK_EQUAL(leat_histogram_bucket(UINT64_MAX), LEAT_HISTOGRAM_BUCKETS - 1);
}

static void
record_counts(void **state)
{
    (void)state;
    struct leat_histogram *histogram = calloc(1, sizeof(*histogram));
    CHECK(histogram != NULL);
    static const uint64_t durations[] = {700, 3, 700, 1000000, 0, UINT64_MAX};
    for (size_t i = 0; i < TEST_COUNT_OF(durations); i++) {
        leat_histogram_record(histogram, durations[i]);
        if (i == 3) {
            CHECK_EQUAL(atom_load_rlx(&histogram->min_ns), 3);
            CHECK_EQUAL(atom_load_rlx(&histogram->max_ns), 1000000);
        }
    }
    /* 0 counts as 1, since a least of 0 says that there is none. */
    CHECK_EQUAL(atom_load_rlx(&histogram->min_ns), 1);
    CHECK_EQUAL(atom_load_rlx(&histogram->max_ns), UINT64_MAX);
    uint64_t sum = 0;
    for (uint32_t i = 0; i < LEAT_HISTOGRAM_BUCKETS; i++) {
        sum += atom_load_rlx(&histogram->counts[i]);
    }
    CHECK_EQUAL(sum, TEST_COUNT_OF(durations));
    CHECK_EQUAL(atom_load_rlx(&histogram->counts[leat_histogram_bucket(700)]), 2);
    CHECK_EQUAL(atom_load_rlx(&histogram->counts[leat_histogram_bucket(3)]), 1);
    free(histogram);
}

static int
compare(const void *a, const void *b)
{
    uint64_t first = *(const uint64_t *)a;
    uint64_t second = *(const uint64_t *)b;
    return first < second ? -1 : first > second;
}

static void
check_quantile(uint64_t got, const uint64_t *sorted, uint64_t count, uint64_t parts)
{
    uint64_t want = sorted[(count * parts + 9999) / 10000 - 1];
    uint64_t difference = got > want ? got - want : want - got;
    CHECK(difference * 125 <= want * 4);
}

/* Quantiles of values that are known, spread over one histogram with one writer and a shared one,
 * against the sorted values: from one value, whose quantiles are all it, to many. */
static void
quantiles_are_near(void **state)
{
    (void)state;
    struct test_prng prng = {test_seed("unit_histogram")};
    static const uint32_t counts[] = {1, 2, 99, 100, 101, 9999, 10000, 10001, 50000};
    uint64_t *values = calloc(50000, sizeof(*values));
    struct leat_histogram *two = calloc(2, sizeof(*two));
    CHECK(values != NULL);
    CHECK(two != NULL);
    for (size_t i = 0; i < TEST_COUNT_OF(counts); i++) {
        const uint32_t count = counts[i];
        memset(two, 0, 2 * sizeof(*two));
        for (uint32_t j = 0; j < count; j++) {
            values[j] = 1 + (test_random(&prng) >> (20 + test_random_below(&prng, 40)));
            if (j % 2 == 0) {
                leat_histogram_record(&two[0], values[j]);
            } else {
                leat_histogram_share(&two[1], values[j]);
            }
        }
        qsort(values, count, sizeof(*values), compare);
        struct leat_histograms all = {two, sizeof(*two), 2};
        struct leat_latency latency = leat_histograms_latency(all);
        CHECK_EQUAL(latency.samples, count);
        CHECK_EQUAL(latency.min_ns, values[0]);
        CHECK_EQUAL(latency.max_ns, values[count - 1]);
        check_quantile(latency.p50_ns, values, count, 5000);
        check_quantile(latency.p90_ns, values, count, 9000);
        check_quantile(latency.p99_ns, values, count, 9900);
        check_quantile(latency.p999_ns, values, count, 9990);
        check_quantile(latency.p9999_ns, values, count, 9999);
    }
    free(values);
    free(two);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(error_is_bounded_at_the_edges),
        cmocka_unit_test(error_is_bounded_anywhere),
        cmocka_unit_test(buckets_are_in_order),
        cmocka_unit_test(record_counts),
        cmocka_unit_test(quantiles_are_near),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
