/* unit_bucket.c - sched/bucket.h alone, with a clock by hand: for rates from one a year to one a
 * nanosecond, each token comes in exactly the nanosecond that a calculation in whole numbers of 128
 * bits says, none is lost or won over a day, and over a year of a long one; a bucket that rests
 * holds its burst and no more; who is turned away is told when to come again, and comes neither in
 * vain nor late; places that are kept count like tokens, and leave no trace; levels that wait are
 * named; a new rate begins with the tokens that it is given.
 * Holds I1 and I2 of sched/bucket.h. */
#include "sched/bucket.h"

#include "tests/support/check.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

#define SECOND UINT64_C(1000000000)
#define DAY    (86400 * SECOND)
#define YEAR   (366 * DAY)
#define START  (1000 * SECOND + 7)

static const struct leat_bucket_rate rates[] = {
    {1, 1, YEAR},
    {1, 1, DAY},
    {1, 5, DAY},
    {7, 1, DAY},
    {1000, 10, DAY},
    {1, 1, SECOND},
    {3, 1, SECOND},
    {3, 2, SECOND},
    {7, 7, SECOND},
    {1000, 1, SECOND},
    {999983, 1, SECOND},
    {1000000, 1000, SECOND},
    {9999991, 100000, SECOND},
    {10000000, 1, SECOND},
    {10000000, 67108864, SECOND},
    {1000000000, 3, SECOND},
    {1, 1, 1},
    {3, 1, 7},
    {1, 67108864, YEAR},
};

static struct leat_bucket
bucket_of(const struct leat_bucket_rate *rate)
{
    struct leat_bucket bucket = {.word = 0};
    CHECK_EQUAL(leat_bucket_close(&bucket), LEAT_BUCKET_NONE);
    leat_bucket_fill(&bucket, rate, START, rate->burst);
    return bucket;
}

static bool
take(struct leat_bucket *bucket, uint64_t now_ns)
{
    struct leat_bucket_taken taken;
    return leat_bucket_take(bucket, now_ns, &taken);
}

/* As the engine does. Returns the levels to call. */
static uint32_t
leave(struct leat_bucket *bucket, bool took, uint64_t now_ns)
{
    uint64_t word = leat_bucket_leave(bucket);
    bool timed = (word & LEAT_BUCKET_TIMED) != 0;
    bool calls = !took || !timed || leat_bucket_missed(bucket, word, now_ns);
    return calls ? leat_bucket_wanted(word) : 0;
}

/* When the n-th token behind the burst is there, if one is taken whenever there is one. */
static uint64_t
exact(const struct leat_bucket_rate *rate, uint64_t n)
{
    leat_bucket_wide all = (leat_bucket_wide)n * rate->per_ns;
    return START + (uint64_t)((all + rate->jobs - 1) / rate->jobs);
}

static uint32_t
take_all(struct leat_bucket *bucket, uint64_t now_ns, uint32_t most)
{
    uint32_t count = 0;
    while (count < most && take(bucket, now_ns)) {
        count++;
    }
    return count;
}

static void
each_token_comes_in_its_nanosecond(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_COUNT_OF(rates); i++) {
        const struct leat_bucket_rate *rate = &rates[i];
        if (rate->burst > 1000 || exact(rate, 1000) - START > YEAR * 100) {
            continue;
        }
        struct leat_bucket bucket = bucket_of(rate);
        CHECK_EQUAL(take_all(&bucket, START, UINT32_MAX), rate->burst);
        for (uint64_t n = 1; n <= 100; n++) {
            uint64_t at_ns = exact(rate, n);
            bool alone = exact(rate, n - 1) < at_ns;
            if (alone) {
                CHECK(!take(&bucket, at_ns - 1));
            }
            CHECK_EQUAL(leat_bucket_due_ns(&bucket, exact(rate, n - 1)), at_ns);
            CHECK(take(&bucket, at_ns));
        }
    }
}

/* Tokens of one rate: so many take some tenths of a second. */
#define TAKEN_MAX UINT64_C(50000000)

/* Whoever comes now and then, never later than the burst lasts, gets all there are. */
static void
no_rate_drifts(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_COUNT_OF(rates); i++) {
        const struct leat_bucket_rate *rate = &rates[i];
        uint64_t span_ns = rate->per_ns / rate->jobs > SECOND ? 20 * YEAR : DAY;
        uint64_t step_ns = rate->per_ns / rate->jobs * (rate->burst - 1);
        if (rate->burst < 2 || rate->burst > 100000 || step_ns == 0) {
            continue;
        }
        struct leat_bucket bucket = bucket_of(rate);
        uint64_t count = 0;
        uint64_t most = (test_sanitized() ? TAKEN_MAX / 100 : TAKEN_MAX) / rate->burst;
        uint64_t steps = span_ns / step_ns < most ? span_ns / step_ns : most;
        for (uint64_t step = 0; step <= steps; step++) {
            count += take_all(&bucket, START + step * step_ns, UINT32_MAX);
        }
        leat_bucket_wide all = (leat_bucket_wide)(steps * step_ns) * rate->jobs;
        CHECK_EQUAL(count, rate->burst + (uint64_t)(all / rate->per_ns));
    }
}

/* Where tokens are there, but for what is kept, the next one is due at once: also in the first
 * nanosecond of a bucket, and when it has rested. */
static void
a_full_bucket_is_due(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_COUNT_OF(rates); i++) {
        struct leat_bucket bucket = bucket_of(&rates[i]);
        CHECK(leat_bucket_due_ns(&bucket, START) <= START);
        CHECK(leat_bucket_due_ns(&bucket, START + YEAR) <= START + YEAR);
    }
}

/* A day of three a second, one by one: 259 200, and the one to begin with. */
static void
a_day_of_three_a_second(void **state)
{
    (void)state;
    static const struct leat_bucket_rate three = {3, 1, SECOND};
    struct leat_bucket bucket = bucket_of(&three);
    uint64_t count = 0;
    for (uint64_t now_ns = START; now_ns <= START + DAY;
         now_ns = leat_bucket_due_ns(&bucket, now_ns)) {
        CHECK(take(&bucket, now_ns));
        CHECK(!take(&bucket, now_ns));
        count++;
    }
    CHECK_EQUAL(count, 3 * 86400 + 1);
}

static void
a_bucket_holds_its_burst(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_COUNT_OF(rates); i++) {
        const struct leat_bucket_rate *rate = &rates[i];
        static const uint64_t rests[] = {0, 1, DAY, YEAR, 100 * YEAR};
        for (size_t j = 0; j < TEST_COUNT_OF(rests); j++) {
            struct leat_bucket bucket = bucket_of(rate);
            uint64_t now_ns = START + rests[j];
            uint32_t most = rate->burst > 1000 ? 1000 : rate->burst;
            CHECK_EQUAL(leat_bucket_tokens(&bucket, leat_bucket_next(&bucket), now_ns),
                        rate->burst);
            CHECK_EQUAL(take_all(&bucket, now_ns, most), most);
            uint64_t left = leat_bucket_tokens(&bucket, leat_bucket_next(&bucket), now_ns);
            CHECK_EQUAL(left, rate->burst - most);
            if (left == 0) {
                CHECK(!take(&bucket, now_ns));
                /* Behind a rest a token takes all its time, but for a part of a mark. */
                uint64_t whole_ns = (rate->per_ns + rate->jobs - 1) / rate->jobs;
                uint64_t due_ns = leat_bucket_due_ns(&bucket, now_ns);
                CHECK(due_ns + 2 >= now_ns + whole_ns);
                CHECK(due_ns <= now_ns + whole_ns);
                CHECK(due_ns == now_ns || !take(&bucket, due_ns - 1));
                CHECK(take(&bucket, due_ns));
            }
        }
    }
}

/* Of any takes at any times, those in any window are at most burst and what comes meanwhile. */
static void
no_window_has_more(void **state)
{
    (void)state;
    static uint64_t times[3000];
    struct test_prng prng = {test_seed("unit_bucket")};
    for (size_t i = 0; i < TEST_COUNT_OF(rates); i++) {
        const struct leat_bucket_rate *rate = &rates[i];
        uint64_t whole_ns = rate->per_ns / rate->jobs + 1;
        struct leat_bucket bucket = bucket_of(rate);
        uint64_t now_ns = START;
        uint32_t count = 0;
        if (rate->burst > 100 || whole_ns > UINT32_MAX / 8) {
            continue;
        }
        for (uint32_t step = 0; step < 100000 && count < TEST_COUNT_OF(times); step++) {
            if (take(&bucket, now_ns)) {
                times[count++] = now_ns;
            } else {
                now_ns += test_random_below(&prng, (uint32_t)whole_ns * 4);
            }
        }
        for (uint32_t from = 0; from < count; from++) {
            for (uint32_t to = from; to < count && to < from + 300; to++) {
                uint64_t span_ns = times[to] - times[from] + 2; /* a mark */
                leat_bucket_wide all = (leat_bucket_wide)span_ns * rate->jobs;
                CHECK(to - from + 1 <= rate->burst + (uint64_t)(all / rate->per_ns));
            }
        }
    }
}

/* ---- places that are kept -------------------------------------------------------------------- */

static void
kept_places_count(void **state)
{
    (void)state;
    static const struct leat_bucket_rate rate = {10, 3, SECOND};
    struct leat_bucket bucket = bucket_of(&rate);
    for (uint32_t i = 0; i < 3; i++) {
        CHECK(leat_bucket_enter(&bucket, START, 0, true) == LEAT_BUCKET_PASSED);
    }
    /* All it can hold is kept: no time helps, and the next one that leaves calls. */
    CHECK(leat_bucket_enter(&bucket, START + DAY, 5, true) == LEAT_BUCKET_SHUT);
    CHECK(leat_bucket_enter(&bucket, START + DAY, 2, true) == LEAT_BUCKET_SHUT);
    CHECK_EQUAL(leave(&bucket, false, START), 1U << 5 | 1U << 2); /* without a token */
    CHECK(leat_bucket_enter(&bucket, START + DAY, 2, true) == LEAT_BUCKET_PASSED);
    for (uint32_t i = 0; i < 3; i++) {
        CHECK(take(&bucket, START + DAY));
        CHECK_EQUAL(leave(&bucket, true, START + DAY), 1U << 5);
    }
    CHECK(!take(&bucket, START + DAY));
    /* Now time helps: who is turned away first arms the timer. */
    CHECK(leat_bucket_enter(&bucket, START + DAY, 5, true) == LEAT_BUCKET_ARM);
    CHECK(leat_bucket_enter(&bucket, START + DAY, 7, true) == LEAT_BUCKET_SHUT);
    uint64_t due_ns = leat_bucket_due_ns(&bucket, START + DAY);
    CHECK(due_ns >= START + DAY + SECOND / 10 - 2);
    CHECK_EQUAL(leat_bucket_fired(&bucket), 1U << 5 | 1U << 7);
    CHECK(leat_bucket_enter(&bucket, due_ns, 5, false) == LEAT_BUCKET_PASSED);
    /* Not the first of its list: the bit stays. */
    CHECK_EQUAL(leave(&bucket, false, due_ns), 1U << 5 | 1U << 7);
    CHECK(leat_bucket_enter(&bucket, due_ns, 5, true) == LEAT_BUCKET_PASSED);
    CHECK(leat_bucket_enter(&bucket, due_ns, 7, true) == LEAT_BUCKET_ARM);
    CHECK(leat_bucket_due_ns(&bucket, due_ns) >= due_ns + SECOND / 10 - 2);
    /* Its token is there for the one that was turned away, before the timer is over. */
    CHECK_EQUAL(leave(&bucket, false, due_ns), 1U << 7);
    CHECK(leat_bucket_enter(&bucket, due_ns, 5, false) == LEAT_BUCKET_PASSED);
    CHECK(take(&bucket, due_ns));
    CHECK_EQUAL(leave(&bucket, true, due_ns), 0); /* the timer calls */
    CHECK_EQUAL(leat_bucket_held(atom_load_rlx(&bucket.word)), 0);
}

/* The timer is for the next token, though places are kept for more than there are: two of them were
 * taken by who kept none, as where another rate was set. */
static void
the_timer_is_for_the_next_token(void **state)
{
    (void)state;
    static const struct leat_bucket_rate rate = {6, 3, SECOND};
    struct leat_bucket bucket = bucket_of(&rate);
    CHECK(leat_bucket_enter(&bucket, START, 0, true) == LEAT_BUCKET_PASSED);
    CHECK(leat_bucket_enter(&bucket, START, 0, true) == LEAT_BUCKET_PASSED);
    CHECK_EQUAL(take_all(&bucket, START, 10), 3);
    CHECK(leat_bucket_enter(&bucket, START, 1, true) == LEAT_BUCKET_ARM);
    CHECK_EQUAL(leat_bucket_due_ns(&bucket, START), exact(&rate, 1));
    CHECK_EQUAL(leave(&bucket, false, START), 1U << 1); /* turned back, and waits with them */
    CHECK_EQUAL(leave(&bucket, false, START), 1U << 1);
    CHECK(leat_bucket_enter(&bucket, exact(&rate, 1) - 1, 1, true) == LEAT_BUCKET_SHUT);
    CHECK(leat_bucket_enter(&bucket, exact(&rate, 1), 1, true) == LEAT_BUCKET_PASSED);
}

/* One that has its token and has not left counts twice. Who is turned away for that is called when
 * it leaves, though there is a timer; who is turned away for want of a token is not. */
static void
who_was_missed_is_called(void **state)
{
    (void)state;
    static const struct leat_bucket_rate rate = {6, 3, SECOND};
    struct leat_bucket bucket = bucket_of(&rate);
    CHECK(take(&bucket, START));
    CHECK(leat_bucket_enter(&bucket, START, 0, true) == LEAT_BUCKET_PASSED);
    CHECK(take(&bucket, START));
    CHECK(leat_bucket_enter(&bucket, START, 1, true) == LEAT_BUCKET_ARM);
    CHECK_EQUAL(leat_bucket_due_ns(&bucket, START), exact(&rate, 1));
    CHECK_EQUAL(leave(&bucket, true, START), 1U << 1);
    CHECK(leat_bucket_enter(&bucket, START, 1, true) == LEAT_BUCKET_PASSED);
    CHECK(leat_bucket_enter(&bucket, START, 0, true) == LEAT_BUCKET_SHUT);
    CHECK(take(&bucket, START));
    CHECK_EQUAL(leave(&bucket, true, exact(&rate, 1) - 1), 0);
    /* A token that comes before the leave is not left to the timer, which may be later. */
    CHECK(leat_bucket_enter(&bucket, exact(&rate, 1), 1, true) == LEAT_BUCKET_PASSED);
    CHECK(leat_bucket_enter(&bucket, exact(&rate, 1), 0, true) == LEAT_BUCKET_SHUT);
    CHECK(take(&bucket, exact(&rate, 1)));
    CHECK_EQUAL(leave(&bucket, true, exact(&rate, 2)), 1U << 0);
    CHECK_EQUAL(leat_bucket_held(atom_load_rlx(&bucket.word)), 0);
    /* Of a rate that is being set nothing is read: what sets it calls. */
    CHECK(leat_bucket_enter(&bucket, exact(&rate, 9), 0, false) == LEAT_BUCKET_PASSED);
    (void)leat_bucket_close(&bucket);
    CHECK_EQUAL(leave(&bucket, true, exact(&rate, 9)), 0);
}

static void
a_token_is_put_back_once(void **state)
{
    (void)state;
    static const struct leat_bucket_rate rate = {10, 2, SECOND};
    struct leat_bucket bucket = bucket_of(&rate);
    struct leat_bucket_taken first;
    struct leat_bucket_taken second;
    CHECK(leat_bucket_take(&bucket, START, &first));
    leat_bucket_give(&bucket, &first);
    CHECK_EQUAL(leat_bucket_tokens(&bucket, leat_bucket_next(&bucket), START), 2);
    CHECK(leat_bucket_take(&bucket, START, &first));
    CHECK(leat_bucket_take(&bucket, START, &second));
    leat_bucket_give(&bucket, &first); /* another one was taken since: not put back */
    CHECK_EQUAL(leat_bucket_tokens(&bucket, leat_bucket_next(&bucket), START), 0);
    leat_bucket_give(&bucket, &second);
    CHECK_EQUAL(leat_bucket_tokens(&bucket, leat_bucket_next(&bucket), START), 1);
}

/* ---- a new rate ------------------------------------------------------------------------------ */

static void
rates_change(void **state)
{
    (void)state;
    static const struct leat_bucket_rate slow = {1, 4, DAY};
    static const struct leat_bucket_rate fast = {1000, 10, SECOND};
    static const struct leat_bucket_rate none = {0, 0, 0};
    struct leat_bucket bucket = bucket_of(&slow);
    CHECK(take(&bucket, START));
    CHECK(leat_bucket_close(&bucket) > LEAT_BUCKET_CLOSED);
    CHECK(!take(&bucket, START + 10 * DAY));
    CHECK(leat_bucket_enter(&bucket, START, 1, true) == LEAT_BUCKET_ARM);
    CHECK_EQUAL(leat_bucket_due_ns(&bucket, START), LEAT_BUCKET_NEVER_NS);
    leat_bucket_fill(&bucket, &fast, START + DAY, 3);
    CHECK_EQUAL(take_all(&bucket, START + DAY, 100), 3);
    CHECK_EQUAL(take_all(&bucket, START + DAY + SECOND, 100), 10);
    CHECK_EQUAL(leat_bucket_fired(&bucket), 1U << 1);
    (void)leat_bucket_close(&bucket);
    leat_bucket_fill(&bucket, &none, START + DAY, 0);
    CHECK_EQUAL(take_all(&bucket, START, 100), 100);
    CHECK(leat_bucket_enter(&bucket, START, 1, true) == LEAT_BUCKET_FREE);
    CHECK_EQUAL(leat_bucket_due_ns(&bucket, START), 0);
    CHECK_EQUAL(leat_bucket_held(atom_load_rlx(&bucket.word)), 0);
}

/* A bucket that never had a rate is closed before it gets one. */
static void
closed(void **state)
{
    struct leat_bucket bucket = {.word = 0};
    struct leat_bucket_taken taken;
    (void)state;
    CHECK_EQUAL(leat_bucket_due_ns(&bucket, START), 0);
    CHECK_EQUAL(leat_bucket_close(&bucket), LEAT_BUCKET_NONE);
    CHECK_EQUAL(leat_bucket_due_ns(&bucket, START), LEAT_BUCKET_NEVER_NS);
    CHECK(!leat_bucket_take(&bucket, START, &taken));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closed),
        cmocka_unit_test(each_token_comes_in_its_nanosecond),
        cmocka_unit_test(no_rate_drifts),
        cmocka_unit_test(a_full_bucket_is_due),
        cmocka_unit_test(a_day_of_three_a_second),
        cmocka_unit_test(a_bucket_holds_its_burst),
        cmocka_unit_test(no_window_has_more),
        cmocka_unit_test(kept_places_count),
        cmocka_unit_test(the_timer_is_for_the_next_token),
        cmocka_unit_test(who_was_missed_is_called),
        cmocka_unit_test(a_token_is_put_back_once),
        cmocka_unit_test(rates_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
