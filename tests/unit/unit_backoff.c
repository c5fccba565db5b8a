/* unit_backoff.c - retry policies, to the nanosecond: what each kind says behind an attempt, at the
 * ends of its fields and of 64 bits; which policies are refused, and what is said of them; that a
 * list is copied; the reach and the evenness of the jitter. */
#include <stdlib.h>
#include <string.h>

#include "engine/backoff.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/prng.h"

#define SECOND_NS UINT64_C(1000000000)
#define YEAR_NS   LEAT_RETRY_NS_MAX

static struct leat_backoff
read_policy(const struct leat_retry_policy *policy)
{
    struct leat_backoff backoff;
    struct leat_error error;
    CHECK_OK(leat_backoff_read(&backoff, policy, &error));
    return backoff;
}

static uint64_t
delay_of(const struct leat_backoff *backoff, uint32_t attempt, uint64_t random)
{
    const struct leat_failure failure = {.attempt = attempt, .max_attempts = 5, .error = "why"};
    return leat_backoff_delay(backoff, &failure, random);
}

/* Whatever the random number is. */
static void
check_exact(const struct leat_backoff *backoff, uint32_t attempt, uint64_t want_ns)
{
    CHECK_EQUAL(delay_of(backoff, attempt, 0), want_ns);
    CHECK_EQUAL(delay_of(backoff, attempt, UINT64_MAX), want_ns);
    CHECK_EQUAL(delay_of(backoff, attempt, UINT64_C(0x123456789abcdef1)), want_ns);
}

static void
check_refused(const struct leat_retry_policy *policy, enum leat_status want, const char *field)
{
    struct leat_backoff backoff;
    struct leat_backoff before;
    struct leat_error error;
    memset(&backoff, 7, sizeof(backoff));
    before = backoff;
    CHECK_STATUS(leat_backoff_read(&backoff, policy, &error), want);
    CHECK(memcmp(&backoff, &before, sizeof(backoff)) == 0);
    CHECK_EQUAL(error.status, want);
    CHECK_TEXT(error.field, field);
    CHECK_STATUS(leat_retry_policy_check(policy, NULL), want);
    memset(&error, 7, sizeof(error));
    CHECK_STATUS(leat_retry_policy_check(policy, &error), want);
    CHECK_TEXT(error.field, field);
    CHECK(strncmp(error.text, field, strlen(field)) == 0);
}

static void
check_taken(const struct leat_retry_policy *policy)
{
    struct leat_error error;
    CHECK_OK(leat_retry_policy_check(policy, &error));
    CHECK_OK(leat_retry_policy_check(policy, NULL));
    (void)read_policy(policy);
}

/* ---- what each kind says -------------------------------------------------------------------- */

/* 1 s, 5 s, 30 s, 5 min; the last repeats. */
static void
a_list(void **state)
{
    (void)state;
    uint64_t delays_ns[] = {SECOND_NS, 5 * SECOND_NS, 30 * SECOND_NS, 300 * SECOND_NS};
    const struct leat_retry_policy policy = leat_retry_list(delays_ns, TEST_COUNT_OF(delays_ns));
    const struct leat_backoff backoff = read_policy(&policy);
    /* It was copied. */
    memset(delays_ns, 0, sizeof(delays_ns));
    check_exact(&backoff, 1, SECOND_NS);
    check_exact(&backoff, 2, 5 * SECOND_NS);
    check_exact(&backoff, 3, 30 * SECOND_NS);
    check_exact(&backoff, 4, 300 * SECOND_NS);
    check_exact(&backoff, 5, 300 * SECOND_NS);
    check_exact(&backoff, LEAT_ATTEMPTS_MAX, 300 * SECOND_NS);
    check_exact(&backoff, UINT32_MAX, 300 * SECOND_NS);
}

static void
lists_of_one_and_of_most(void **state)
{
    (void)state;
    uint64_t delays_ns[LEAT_RETRY_DELAYS_MAX + 1];
    for (uint32_t i = 0; i <= LEAT_RETRY_DELAYS_MAX; i++) {
        delays_ns[i] = 1000 - i;
    }
    struct leat_retry_policy policy = leat_retry_list(delays_ns, 1);
    struct leat_backoff backoff = read_policy(&policy);
    check_exact(&backoff, 1, 1000);
    check_exact(&backoff, 2, 1000);
    policy.delays_count = LEAT_RETRY_DELAYS_MAX;
    backoff = read_policy(&policy);
    for (uint32_t i = 0; i < LEAT_RETRY_DELAYS_MAX; i++) {
        check_exact(&backoff, i + 1, 1000 - i);
    }
    check_exact(&backoff, LEAT_RETRY_DELAYS_MAX + 1, 1001 - LEAT_RETRY_DELAYS_MAX);
}

/* 2, 4, 8 s: base^n seconds with base 2. */
static void
powers_of_two_seconds(void **state)
{
    (void)state;
    const struct leat_retry_policy policy = leat_retry_exponential(2 * SECOND_NS, 2);
    const struct leat_backoff backoff = read_policy(&policy);
    check_exact(&backoff, 1, 2 * SECOND_NS);
    check_exact(&backoff, 2, 4 * SECOND_NS);
    check_exact(&backoff, 3, 8 * SECOND_NS);
    check_exact(&backoff, 10, 1024 * SECOND_NS);
    /* 2^24 s is less than a year, 2^25 s more. */
    check_exact(&backoff, 24, (UINT64_C(1) << 24) * SECOND_NS);
    check_exact(&backoff, 25, YEAR_NS);
    check_exact(&backoff, LEAT_ATTEMPTS_MAX, YEAR_NS);
    check_exact(&backoff, UINT32_MAX, YEAR_NS);
}

static void
powers_up_to_a_cap(void **state)
{
    (void)state;
    struct leat_retry_policy policy = leat_retry_exponential(3, 10);
    policy.delay_ns_max = 3000;
    struct leat_backoff backoff = read_policy(&policy);
    check_exact(&backoff, 3, 300);
    check_exact(&backoff, 4, 3000);
    check_exact(&backoff, 5, 3000);
    policy.delay_ns_max = 2999;
    backoff = read_policy(&policy);
    check_exact(&backoff, 3, 300);
    check_exact(&backoff, 4, 2999);
    policy.delay_ns_max = 3;
    backoff = read_policy(&policy);
    check_exact(&backoff, 1, 3);
    check_exact(&backoff, 2, 3);
    policy = leat_retry_exponential(YEAR_NS, LEAT_RETRY_BASE_MAX);
    backoff = read_policy(&policy);
    check_exact(&backoff, 1, YEAR_NS);
    check_exact(&backoff, 2, YEAR_NS);
    policy = leat_retry_exponential(1, LEAT_RETRY_BASE_MAX);
    backoff = read_policy(&policy);
    check_exact(&backoff, 6, UINT64_C(1000000000000000));
    check_exact(&backoff, 7, YEAR_NS);
}

static void
fixed_delays(void **state)
{
    (void)state;
    static const uint64_t delays_ns[] = {0, 1, SECOND_NS, YEAR_NS - 1, YEAR_NS};
    for (size_t i = 0; i < TEST_COUNT_OF(delays_ns); i++) {
        const struct leat_retry_policy policy = leat_retry_fixed(delays_ns[i]);
        const struct leat_backoff backoff = read_policy(&policy);
        check_exact(&backoff, 1, delays_ns[i]);
        check_exact(&backoff, 2, delays_ns[i]);
        check_exact(&backoff, UINT32_MAX, delays_ns[i]);
    }
}

/* Fourth powers of seconds, with 10 % of jitter. NULL is the same. */
static void
the_default(void **state)
{
    (void)state;
    const struct leat_retry_policy policy = leat_retry_policy_default();
    const struct leat_backoff given = read_policy(&policy);
    struct leat_backoff backoff = read_policy(NULL);
    CHECK(memcmp(&given, &backoff, sizeof(given)) == 0);
    CHECK_EQUAL(backoff.kind, LEAT_RETRY_QUARTIC);
    CHECK_EQUAL(backoff.jitter_percent, 10);
    CHECK_EQUAL(delay_of(&backoff, 1, 0), SECOND_NS * 9 / 10);
    CHECK_EQUAL(delay_of(&backoff, 1, SECOND_NS / 5), SECOND_NS * 11 / 10);
    CHECK_EQUAL(delay_of(&backoff, 1, SECOND_NS / 5 + 1), SECOND_NS * 9 / 10);
    backoff.jitter_percent = 0;
    check_exact(&backoff, 1, SECOND_NS);
    check_exact(&backoff, 2, 16 * SECOND_NS);
    check_exact(&backoff, 3, 81 * SECOND_NS);
    check_exact(&backoff, 4, 256 * SECOND_NS);
    check_exact(&backoff, 5, 625 * SECOND_NS);
    check_exact(&backoff, 25, 390625 * SECOND_NS);
    check_exact(&backoff, 74, UINT64_C(29986576) * SECOND_NS);
    check_exact(&backoff, 75, YEAR_NS);
    check_exact(&backoff, LEAT_ATTEMPTS_MAX, YEAR_NS);
    check_exact(&backoff, UINT32_MAX, YEAR_NS);
    backoff.delay_ns_max = 80 * SECOND_NS;
    check_exact(&backoff, 2, 16 * SECOND_NS);
    check_exact(&backoff, 3, 80 * SECOND_NS);
}

/* What the function was asked, and what it answers. */
struct asked {
    struct leat_failure failure;
    uint64_t answer;
};

static uint64_t
ask(const struct leat_failure *failure, void *context)
{
    struct asked *asked = context;
    asked->failure = *failure;
    return asked->answer;
}

static void
a_function(void **state)
{
    (void)state;
    struct asked asked = {.answer = 77};
    struct leat_retry_policy policy = leat_retry_policy_default();
    policy.kind = LEAT_RETRY_FUNCTION;
    policy.function = ask;
    policy.context = &asked;
    struct leat_backoff backoff = read_policy(&policy);
    check_exact(&backoff, 4, 77);
    CHECK_EQUAL(asked.failure.attempt, 4);
    CHECK_EQUAL(asked.failure.max_attempts, 5);
    CHECK_TEXT(asked.failure.error, "why");
    static const uint64_t answers[] = {0, YEAR_NS - 1, YEAR_NS, LEAT_FOREVER};
    for (size_t i = 0; i < TEST_COUNT_OF(answers); i++) {
        asked.answer = answers[i];
        check_exact(&backoff, 1, answers[i]);
    }
    asked.answer = YEAR_NS + 1;
    check_exact(&backoff, 1, YEAR_NS);
    asked.answer = LEAT_FOREVER - 1;
    check_exact(&backoff, 1, YEAR_NS);
    /* No jitter makes a date of never. */
    policy.jitter_percent = 100;
    backoff = read_policy(&policy);
    asked.answer = LEAT_FOREVER;
    check_exact(&backoff, 1, LEAT_FOREVER);
}

/* ---- what is refused ------------------------------------------------------------------------ */

static void
kinds_and_jitter(void **state)
{
    (void)state;
    struct leat_retry_policy policy = leat_retry_fixed(5);
    policy.kind = (enum leat_retry_kind)(LEAT_RETRY_FUNCTION + 1);
    check_refused(&policy, LEAT_INVALID, "kind");
    policy.kind = (enum leat_retry_kind)UINT32_MAX;
    check_refused(&policy, LEAT_INVALID, "kind");
    policy.kind = LEAT_RETRY_FIXED;
    static const uint32_t good[] = {0, 1, 99, 100, LEAT_AUTO};
    for (size_t i = 0; i < TEST_COUNT_OF(good); i++) {
        policy.jitter_percent = good[i];
        check_taken(&policy);
    }
    policy.jitter_percent = 101;
    check_refused(&policy, LEAT_INVALID, "jitter_percent");
    policy.jitter_percent = LEAT_AUTO - 1;
    check_refused(&policy, LEAT_INVALID, "jitter_percent");
}

static void
delays_beyond_a_year(void **state)
{
    (void)state;
    struct leat_retry_policy policy = leat_retry_fixed(YEAR_NS + 1);
    check_refused(&policy, LEAT_INVALID, "delay_ns");
    policy.delay_ns = UINT64_MAX;
    check_refused(&policy, LEAT_INVALID, "delay_ns");
    uint64_t delays_ns[3] = {1, YEAR_NS, YEAR_NS};
    policy = leat_retry_list(delays_ns, 3);
    check_taken(&policy);
    delays_ns[2]++;
    check_refused(&policy, LEAT_INVALID, "delays_ns");
    policy.delays_count = 2;
    check_taken(&policy);
}

static void
growing_delays(void **state)
{
    (void)state;
    struct leat_retry_policy policy = leat_retry_exponential(1, 2);
    static const enum leat_retry_kind kinds[] = {LEAT_RETRY_EXPONENTIAL, LEAT_RETRY_QUARTIC};
    for (size_t i = 0; i < TEST_COUNT_OF(kinds); i++) {
        policy.kind = kinds[i];
        policy.delay_ns = 1;
        policy.delay_ns_max = YEAR_NS;
        check_taken(&policy);
        policy.delay_ns_max = YEAR_NS + 1;
        check_refused(&policy, LEAT_INVALID, "delay_ns_max");
        policy.delay_ns_max = 1;
        check_taken(&policy);
        policy.delay_ns = 2;
        check_refused(&policy, LEAT_INVALID, "delay_ns");
        policy.delay_ns = 0;
        check_refused(&policy, LEAT_INVALID, "delay_ns");
        policy.delay_ns_max = 0;
        check_refused(&policy, LEAT_INVALID, "delay_ns");
    }
    static const uint32_t bad[] = {0, 1, LEAT_RETRY_BASE_MAX + 1, UINT32_MAX};
    for (size_t i = 0; i < TEST_COUNT_OF(bad); i++) {
        policy = leat_retry_exponential(1, bad[i]);
        check_refused(&policy, LEAT_INVALID, "base");
    }
    policy.base = 2;
    check_taken(&policy);
    policy.base = LEAT_RETRY_BASE_MAX;
    check_taken(&policy);
}

static void
lists_and_functions_that_are_none(void **state)
{
    (void)state;
    static const uint64_t delays_ns[LEAT_RETRY_DELAYS_MAX + 1] = {1};
    struct leat_retry_policy policy = leat_retry_list(delays_ns, 0);
    check_refused(&policy, LEAT_INVALID, "delays_count");
    policy.delays_count = LEAT_RETRY_DELAYS_MAX + 1;
    check_refused(&policy, LEAT_INVALID, "delays_count");
    policy.delays_count = LEAT_RETRY_DELAYS_MAX;
    check_taken(&policy);
    policy.delays_ns = NULL;
    check_refused(&policy, LEAT_INVALID, "delays_ns");
    policy.kind = LEAT_RETRY_FUNCTION;
    check_refused(&policy, LEAT_INVALID, "function");
}

static void
structs_of_other_ages(void **state)
{
    (void)state;
    struct leat_retry_policy policy;
    memset(&policy, 0, sizeof(policy));
    check_refused(&policy, LEAT_INVALID, "size");
    policy = leat_retry_policy_default();
    policy.version++;
    check_refused(&policy, LEAT_UNSUPPORTED, "version");
    policy.version = 0;
    check_refused(&policy, LEAT_UNSUPPORTED, "version");
    struct {
        struct leat_retry_policy policy;
        uint64_t newer;
    } later = {leat_retry_fixed(9), 0};
    later.policy.size = sizeof(later);
    check_taken(&later.policy);
    later.newer = 1;
    check_refused(&later.policy, LEAT_UNSUPPORTED, "version");
    /* An older one that ends before `base`. */
    policy = leat_retry_exponential(4, 1);
    policy.size = offsetof(struct leat_retry_policy, base);
    const struct leat_backoff backoff = read_policy(&policy);
    check_exact(&backoff, 3, 16);
}

static struct leat_outcome
done(struct leat_run *run, void *context)
{
    (void)run;
    (void)context;
    return leat_done();
}

/* A type refuses what the check refuses, and is not there then. */
static void
types_check_their_policy(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    struct leat_engine *engine = test_open(&config);
    struct leat_type_options options = leat_type_options_default();
    struct leat_retry_policy policy = leat_retry_list(NULL, 1);
    leat_type type = {7};
    CHECK(options.retry == NULL);
    options.retry = &policy;
    CHECK_STATUS(leat_type_register(engine, "one", done, NULL, &options, &type), LEAT_INVALID);
    policy.version++;
    CHECK_STATUS(leat_type_register(engine, "one", done, NULL, &options, &type), LEAT_UNSUPPORTED);
    CHECK_EQUAL(type.bits, 7);
    CHECK_STATUS(leat_type_find(engine, "one", &type), LEAT_NOT_FOUND);
    policy = leat_retry_fixed(0);
    CHECK_OK(leat_type_register(engine, "one", done, NULL, &options, &type));
    test_close(engine);
}

/* ---- jitter --------------------------------------------------------------------------------- */

/* Every value between the ends comes, and none beyond. */
static void
jitter_reaches_its_ends(void **state)
{
    (void)state;
    struct leat_retry_policy policy = leat_retry_fixed(100);
    static const uint32_t percents[] = {0, 1, 20, 99, 100};
    for (size_t i = 0; i < TEST_COUNT_OF(percents); i++) {
        uint64_t reach_ns = percents[i];
        uint8_t counts[201] = {0};
        policy.jitter_percent = percents[i];
        const struct leat_backoff backoff = read_policy(&policy);
        for (uint64_t random = 0; random < 2 * reach_ns + 1; random++) {
            uint64_t delay_ns = delay_of(&backoff, 1, random);
            CHECK(delay_ns >= 100 - reach_ns && delay_ns <= 100 + reach_ns);
            counts[delay_ns]++;
        }
        for (uint64_t ns = 100 - reach_ns; ns <= 100 + reach_ns; ns++) {
            CHECK_EQUAL(counts[ns], 1);
        }
    }
}

/* At the longest delay, where a product is nearest to its limit: the year stays the limit. */
static void
jitter_of_a_year(void **state)
{
    (void)state;
    struct test_prng prng = {test_seed("unit_backoff")};
    struct leat_retry_policy policy = leat_retry_fixed(YEAR_NS);
    policy.jitter_percent = 100;
    struct leat_backoff backoff = read_policy(&policy);
    CHECK_EQUAL(delay_of(&backoff, 1, 0), 0);
    CHECK_EQUAL(delay_of(&backoff, 1, YEAR_NS - 1), YEAR_NS - 1);
    CHECK_EQUAL(delay_of(&backoff, 1, YEAR_NS), YEAR_NS);
    CHECK_EQUAL(delay_of(&backoff, 1, YEAR_NS + 1), YEAR_NS);
    CHECK_EQUAL(delay_of(&backoff, 1, 2 * YEAR_NS), YEAR_NS);
    for (uint32_t i = 0; i < 10000; i++) {
        CHECK(delay_of(&backoff, 1, test_random(&prng)) <= YEAR_NS);
    }
    /* And a cap is of the middle. */
    policy = leat_retry_exponential(100, 2);
    policy.delay_ns_max = 1000;
    policy.jitter_percent = 50;
    backoff = read_policy(&policy);
    CHECK_EQUAL(delay_of(&backoff, 9, 0), 500);
    CHECK_EQUAL(delay_of(&backoff, 9, 1000), 1500);
}

/* The numbers of jobs' attempts fall evenly into 16 parts of 8 to 12 s: chi-squared with 15 degrees
 * of freedom is below 57 in all but one of 2^20 tries. */
static void
jitter_is_even(void **state)
{
    (void)state;
    enum { PARTS = 16, JOBS = 16000 };
    struct leat_retry_policy policy = leat_retry_fixed(10 * SECOND_NS);
    policy.jitter_percent = 20;
    const struct leat_backoff backoff = read_policy(&policy);
    for (uint32_t attempt = 1; attempt <= 3; attempt++) {
        uint64_t counts[PARTS] = {0};
        uint64_t squares = 0;
        for (uint64_t job = 0; job < JOBS; job++) {
            const struct leat_failure failure = {.id = {(job / 64) << 27 | UINT64_C(1) << 26 | job},
                                                 .attempt = attempt};
            uint64_t random = leat_backoff_random(42, &failure);
            uint64_t delay_ns = leat_backoff_delay(&backoff, &failure, random);
            CHECK(delay_ns >= 8 * SECOND_NS && delay_ns <= 12 * SECOND_NS);
            counts[(delay_ns - 8 * SECOND_NS) * PARTS / (4 * SECOND_NS + 1)]++;
        }
        for (uint32_t i = 0; i < PARTS; i++) {
            uint64_t apart =
                counts[i] > JOBS / PARTS ? counts[i] - JOBS / PARTS : JOBS / PARTS - counts[i];
            squares += apart * apart;
        }
        CHECK(squares < UINT64_C(57) * (JOBS / PARTS));
    }
}

/* Neighbours differ: in the job, the attempt, the process. */
static void
numbers_differ(void **state)
{
    (void)state;
    const struct leat_failure failure = {.id = {5}, .attempt = 1};
    struct leat_failure other = failure;
    uint64_t random = leat_backoff_random(1, &failure);
    CHECK_EQUAL(leat_backoff_random(1, &other), random);
    CHECK(leat_backoff_random(2, &failure) != random);
    other.attempt = 2;
    CHECK(leat_backoff_random(1, &other) != random);
    other.attempt = 1;
    other.id.bits = 6;
    CHECK(leat_backoff_random(1, &other) != random);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list),
        cmocka_unit_test(lists_of_one_and_of_most),
        cmocka_unit_test(powers_of_two_seconds),
        cmocka_unit_test(powers_up_to_a_cap),
        cmocka_unit_test(fixed_delays),
        cmocka_unit_test(the_default),
        cmocka_unit_test(a_function),
        cmocka_unit_test(kinds_and_jitter),
        cmocka_unit_test(delays_beyond_a_year),
        cmocka_unit_test(growing_delays),
        cmocka_unit_test(lists_and_functions_that_are_none),
        cmocka_unit_test(structs_of_other_ages),
        cmocka_unit_test(types_check_their_policy),
        cmocka_unit_test(jitter_reaches_its_ends),
        cmocka_unit_test(jitter_of_a_year),
        cmocka_unit_test(jitter_is_even),
        cmocka_unit_test(numbers_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
