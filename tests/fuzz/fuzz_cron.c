/* fuzz_cron.c - cron expressions: any bytes are taken or refused with a place inside the text, and
 * never read beyond; what is taken is sound, and fires in bounded time. Random right ones are found
 * day by day over the years, by plain lists and the C library (tests/support/calendar.h), also that
 * there is no such day. Holds I1 and I2 of sched/cron.h.
 *
 *   fuzz_cron [ROUNDS]     more of everything */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sched/cron.h"
#include "tests/support/calendar.h"
#include "tests/support/check.h"
#include "tests/support/tzif.h"

#define TEXTS     60000
#define SCHEDULES 3000
/* Moments that are compared of one schedule. */
#define MOMENTS 6

static uint32_t rounds = 1;

/* ---- any bytes ------------------------------------------------------------------------------ */

/* Letters that mean something, mostly. */
static char
random_letter(struct test_prng *prng)
{
    static const char letters[] = "0123456789*/,-LW#@lw evrymonfridahJA \t\n?";
    uint32_t place = test_random_below(prng, sizeof(letters) + 3);
    if (place < sizeof(letters)) {
        return letters[place];
    }
    return (char)test_random_below(prng, 256);
}

/* A right expression, changed in some places, or letters alone. */
static uint32_t
random_text(struct test_prng *prng, char *text)
{
    struct calendar_cron cron;
    calendar_cron_random(&cron, prng,
                         &(struct calendar_wish){test_random_below(prng, 2) == 0, false, true});
    uint32_t length = (uint32_t)strlen(cron.text);
    memcpy(text, cron.text, length);
    if (test_random_below(prng, 4) == 0) {
        length = test_random_below(prng, 24);
        for (uint32_t i = 0; i < length; i++) {
            text[i] = random_letter(prng);
        }
    }
    if (test_random_below(prng, 8) == 0) {
        length = (uint32_t)snprintf(text, CALENDAR_TEXT_MAX, "@every %u%c%u%c",
                                    test_random_below(prng, 100), random_letter(prng),
                                    test_random_below(prng, 100), random_letter(prng));
    }
    for (uint32_t i = test_random_below(prng, 4); i > 0 && length > 0; i--) {
        text[test_random_below(prng, length)] = random_letter(prng);
    }
    return length > 0 && test_random_below(prng, 4) == 0 ? test_random_below(prng, length) : length;
}

static void
check_refusal(const char *text, const struct leat_cron_error *error)
{
    uint32_t line = 1;
    uint32_t column = 1;
    bool found = error->line == 1 && error->column == 1;
    for (const char *letter = text; *letter != '\0' && !found; letter++) {
        column = *letter == '\n' ? 1 : column + 1;
        line += *letter == '\n';
        found = error->line == line && error->column == column;
    }
    CHECK(found);
    CHECK(strlen(error->text) > 0);
}

static void
check_taken(const struct leat_cron *cron, const struct leat_zone *zone, int64_t after_s)
{
    CHECK(leat_cron_check(cron, stderr));
    int64_t moments_s[MOMENTS];
    CHECK_EQUAL(leat_cron_list(cron, zone, after_s, moments_s, MOMENTS), MOMENTS);
    for (uint32_t i = 0; i < MOMENTS; i++) {
        CHECK(moments_s[i] > after_s);
        after_s = moments_s[i];
    }
}

static void
any_bytes_are_taken_or_refused(void **state)
{
    (void)state;
    struct test_prng prng = {test_seed("fuzz_cron bytes")};
    struct leat_memory memory = leat_memory_default();
    struct leat_zone zone = tzif_zone(&memory, "CET-1CEST,M3.5.0,M10.5.0/3");
    uint32_t taken = 0;
    for (uint32_t i = 0; i < TEXTS * rounds; i++) {
        char letters[CALENDAR_TEXT_MAX];
        uint32_t length = random_text(&prng, letters);
        /* Of exactly that size, so that a sanitizer sees a read beyond. */
        char *text = malloc(length + 1);
        CHECK(text != NULL);
        memcpy(text, letters, length);
        text[length] = '\0';
        struct leat_cron cron;
        struct leat_cron_error error;
        if (leat_cron_parse(&cron, text, &error)) {
            check_taken(&cron, &zone, (int64_t)(test_random(&prng) % 10000000000));
            taken++;
        } else {
            check_refusal(text, &error);
        }
        free(text);
    }
    CHECK(taken > TEXTS / 10);
    CHECK(taken < TEXTS / 10 * 9 * rounds);
    leat_zone_fini(&zone, &memory);
}

/* ---- day by day ----------------------------------------------------------------------------- */

/* The first day from `day` on that matches, within 400 years; -1: there is none. */
static int64_t
day_by_walk(const struct calendar_cron *cron, int64_t day)
{
    for (int64_t i = 0; i < LEAT_PERIOD_DAYS; i++) {
        struct calendar_fields fields = calendar_fields_of((day + i) * LEAT_DAY_S);
        if (calendar_day_matches(cron, &fields)) {
            return day + i;
        }
    }
    return -1;
}

/* The first second of a day that matches, from `second` on; -1: none. */
static int64_t
second_by_walk(const struct calendar_cron *cron, int64_t day, int64_t second)
{
    for (int64_t i = second; i < LEAT_DAY_S; i++) {
        bool hour = cron->hours[i / 3600];
        if (!hour) {
            i += 3599 - i % 3600;
        } else if (!cron->minutes[i / 60 % 60]) {
            i += 59 - i % 60;
        } else if (cron->seconds[i % 60]) {
            return day * LEAT_DAY_S + i;
        }
    }
    return -1;
}

static int64_t
next_by_walk(const struct calendar_cron *cron, int64_t after_s)
{
    int64_t from_s = after_s + 1;
    int64_t day = day_by_walk(cron, from_s / LEAT_DAY_S);
    if (day == from_s / LEAT_DAY_S) {
        int64_t found_s = second_by_walk(cron, day, from_s % LEAT_DAY_S);
        if (found_s >= 0) {
            return found_s;
        }
        day = day_by_walk(cron, day + 1);
    }
    return day < 0 ? -1 : second_by_walk(cron, day, 0);
}

static void
schedules_are_those_of_a_walk(void **state)
{
    (void)state;
    struct test_prng prng = {test_seed("fuzz_cron days")};
    struct leat_zone utc = leat_zone_utc();
    uint32_t never = 0;
    for (uint32_t i = 0; i < SCHEDULES * rounds; i++) {
        struct calendar_cron cron;
        calendar_cron_random(&cron, &prng, &(struct calendar_wish){i % 2 == 0, false, true});
        struct leat_cron parsed;
        struct leat_cron_error error;
        int64_t after_s = (int64_t)(test_random(&prng) % 8000000000);
        if (!leat_cron_parse(&parsed, cron.text, &error)) {
            CHECK(strstr(error.text, "no such day") != NULL);
            CHECK_EQUAL(day_by_walk(&cron, 0), -1);
            never++;
            continue;
        }
        for (uint32_t j = 0; j < MOMENTS; j++) {
            int64_t next_s = 0;
            CHECK(leat_cron_next(&parsed, &utc, after_s, &next_s));
            if (next_s != next_by_walk(&cron, after_s)) {
                test_say("'%s' after %lld: %lld\n", cron.text, (long long)after_s,
                         (long long)next_s);
                CHECK(false);
            }
            after_s = next_s;
        }
    }
    test_say("%u of %u never fire\n", never, SCHEDULES * rounds);
}

int
main(int argc, char **argv)
{
    if (argc > 1) {
        rounds = (uint32_t)strtoul(argv[1], NULL, 10);
    }
    rounds = rounds > 0 ? rounds : 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_bytes_are_taken_or_refused),
        cmocka_unit_test(schedules_are_those_of_a_walk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
