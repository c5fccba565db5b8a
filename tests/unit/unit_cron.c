/* unit_cron.c - cron expressions: what each form means, when it fires, also where the clock of a
 * zone is changed, and each thing that is refused, with its line and column. Holds I1 and I2 of
 * cron.h. The zones are rules of their own, so that nothing here depends on tzdata. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sched/cron.h"
#include "tests/support/check.h"
#include "tests/support/tzif.h"

/* Moments that a case lists, at most. */
#define MOMENTS_MAX 8

#define BERLIN     "CET-1CEST,M3.5.0,M10.5.0/3"
#define SAO_PAULO  "<-03>3<-02>,M10.3.0/0,M2.3.0/0"
#define LORD_HOWE  "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0"
#define TURNS_BACK "AAA0BBB-24,J100/0,J200/24"

struct example {
    const char *zone; /* NULL: UTC */
    const char *text;
    const char *after;                /* UTC */
    const char *moments[MOMENTS_MAX]; /* UTC */
};

static struct leat_cron
parse(const char *text)
{
    struct leat_cron cron;
    struct leat_cron_error error;
    if (!leat_cron_parse(&cron, text, &error)) {
        test_say("'%s': line %u, column %u: %s: %s\n", text, error.line, error.column, error.field,
                 error.text);
        CHECK(false);
    }
    CHECK(leat_cron_check(&cron, stderr));
    return cron;
}

static void
check_example(const struct example *example)
{
    struct leat_memory memory = leat_memory_default();
    struct leat_zone zone =
        example->zone == NULL ? leat_zone_utc() : tzif_zone(&memory, example->zone);
    struct leat_cron cron = parse(example->text);
    uint32_t count = 0;
    while (count < MOMENTS_MAX && example->moments[count] != NULL) {
        count++;
    }
    int64_t moments_s[MOMENTS_MAX] = {0};
    CHECK_EQUAL(leat_cron_list(&cron, &zone, test_time(example->after), moments_s, count), count);
    for (uint32_t i = 0; i < count; i++) {
        if (moments_s[i] != test_time(example->moments[i])) {
            char got[32];
            struct tm time;
            (void)gmtime_r(&moments_s[i], &time);
            (void)strftime(got, sizeof(got), "%Y-%m-%d %H:%M:%S", &time);
            test_say("'%s' after %s in %s: got %s, want %s\n", example->text, example->after,
                     example->zone, got, example->moments[i]);
            CHECK(false);
        }
    }
    leat_zone_fini(&zone, &memory);
}

static void
check_examples(const struct example *examples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        check_example(&examples[i]);
    }
}

/* ---- fields --------------------------------------------------------------------------------- */

static void
fields(void **state)
{
    (void)state;
    static const struct example examples[] = {
        {NULL, "* * * * *", "2026-01-01 00:00:00", {"2026-01-01 00:01:00", "2026-01-01 00:02:00"}},
        {NULL,
         "* * * * * *",
         "2026-01-01 00:00:59",
         {"2026-01-01 00:01:00", "2026-01-01 00:01:01"}},
        {NULL, "30 4 * * *", "2026-01-01 04:30:00", {"2026-01-02 04:30:00"}},
        {NULL, "30 4 * * *", "2026-01-01 04:29:59", {"2026-01-01 04:30:00"}},
        {NULL, "15 30 4 * * *", "2026-01-01 00:00:00", {"2026-01-01 04:30:15"}},
        {NULL,
         "59 59 23 31 12 *",
         "2026-12-31 23:59:58",
         {"2026-12-31 23:59:59", "2027-12-31 23:59:59"}},
        {NULL,
         "*/25 * * * *",
         "2026-01-01 00:00:00",
         {"2026-01-01 00:25:00", "2026-01-01 00:50:00", "2026-01-01 01:00:00"}},
        {NULL,
         "5-9/2,50 12 * * *",
         "2026-01-01 00:00:00",
         {"2026-01-01 12:05:00", "2026-01-01 12:07:00", "2026-01-01 12:09:00",
          "2026-01-01 12:50:00", "2026-01-02 12:05:00"}},
        {NULL,
         "0,0,59 0-0 1-31/30 JAN,mar *",
         "2026-01-01 00:30:00",
         {"2026-01-01 00:59:00", "2026-01-31 00:00:00", "2026-01-31 00:59:00",
          "2026-03-01 00:00:00"}},
        {NULL, "0 0 * jan-Dec/5 *", "2026-01-31 00:00:00", {"2026-06-01 00:00:00"}},
        {NULL, " \t0  0\n1\r\n* * ", "2026-01-01 00:00:00", {"2026-02-01 00:00:00"}},
        {NULL, "007 04 * * *", "2026-01-01 00:00:00", {"2026-01-01 04:07:00"}},
        {NULL, "20 10 5 * * *", "2026-01-01 05:10:21", {"2026-01-02 05:10:20"}},
        {NULL, "20 10,30 5 * * *", "2026-01-01 05:10:21", {"2026-01-01 05:30:20"}},
        {NULL, "20 10,30 5,7 * * *", "2026-01-01 05:30:21", {"2026-01-01 07:10:20"}},
        {NULL, "20 10,30 5,7 * * *", "2026-01-01 05:45:05", {"2026-01-01 07:10:20"}},
        {NULL, "20 10,30 5,7 * * *", "2026-01-01 05:15:30", {"2026-01-01 05:30:20"}},
        {NULL, "20 10,30 5,7 * * *", "2026-01-01 06:15:30", {"2026-01-01 07:10:20"}},
    };
    check_examples(examples, TEST_COUNT_OF(examples));
}

/* 1 January 2026 is a Thursday. */
static void
weekdays(void **state)
{
    (void)state;
    static const struct example examples[] = {
        {NULL, "0 0 * * 0", "2026-01-01 00:00:00", {"2026-01-04 00:00:00", "2026-01-11 00:00:00"}},
        {NULL, "0 0 * * 7", "2026-01-01 00:00:00", {"2026-01-04 00:00:00", "2026-01-11 00:00:00"}},
        {NULL, "0 0 * * Sun", "2026-01-01 00:00:00", {"2026-01-04 00:00:00"}},
        {NULL,
         "0 0 * * 1-5",
         "2026-01-01 00:00:00",
         {"2026-01-02 00:00:00", "2026-01-05 00:00:00"}},
        {NULL,
         "0 0 * * 5-7",
         "2026-01-01 00:00:00",
         {"2026-01-02 00:00:00", "2026-01-03 00:00:00", "2026-01-04 00:00:00",
          "2026-01-09 00:00:00"}},
        {NULL,
         "0 0 * * fri-sun",
         "2026-01-01 00:00:00",
         {"2026-01-02 00:00:00", "2026-01-03 00:00:00", "2026-01-04 00:00:00",
          "2026-01-09 00:00:00"}},
        {NULL,
         "0 0 * * sun-tue",
         "2026-01-01 00:00:00",
         {"2026-01-04 00:00:00", "2026-01-05 00:00:00", "2026-01-06 00:00:00",
          "2026-01-11 00:00:00"}},
        {NULL,
         "0 0 * * sun-sun",
         "2026-01-01 00:00:00",
         {"2026-01-04 00:00:00", "2026-01-11 00:00:00"}},
        {NULL,
         "0 0 * * 0-7",
         "2026-01-01 00:00:00",
         {"2026-01-02 00:00:00", "2026-01-03 00:00:00", "2026-01-04 00:00:00",
          "2026-01-05 00:00:00"}},
        {NULL,
         "0 0 * * */3",
         "2026-01-01 00:00:00",
         {"2026-01-03 00:00:00", "2026-01-04 00:00:00", "2026-01-07 00:00:00"}},
        {NULL,
         "0 0 * * Mon,WED",
         "2026-01-01 00:00:00",
         {"2026-01-05 00:00:00", "2026-01-07 00:00:00"}},
    };
    check_examples(examples, TEST_COUNT_OF(examples));
}

/* Two restricted day fields: either. A star at the beginning of one: both, as in Vixie cron. */
static void
two_day_fields(void **state)
{
    (void)state;
    static const struct example examples[] = {
        {NULL,
         "30 4 1,15 * 5",
         "2026-01-01 00:00:00",
         {"2026-01-01 04:30:00", "2026-01-02 04:30:00", "2026-01-09 04:30:00",
          "2026-01-15 04:30:00", "2026-01-16 04:30:00"}},
        {NULL, "0 0 13 * *", "2026-01-01 00:00:00", {"2026-01-13 00:00:00", "2026-02-13 00:00:00"}},
        /* Odd days that are Mondays: the star counts although it has a step. */
        {NULL,
         "0 0 */2 * 1",
         "2026-01-01 00:00:00",
         {"2026-01-05 00:00:00", "2026-01-19 00:00:00", "2026-02-09 00:00:00"}},
        {NULL,
         "0 0 1-31/2 * 1",
         "2026-01-01 00:00:00",
         {"2026-01-03 00:00:00", "2026-01-05 00:00:00", "2026-01-07 00:00:00",
          "2026-01-09 00:00:00", "2026-01-11 00:00:00", "2026-01-12 00:00:00"}},
        {NULL,
         "0 0 13 * */5",
         "2026-01-01 00:00:00",
         {"2026-02-13 00:00:00", "2026-03-13 00:00:00", "2026-09-13 00:00:00"}},
        /* The first character alone decides. */
        {NULL,
         "0 0 *,10 * 2",
         "2026-01-01 00:00:00",
         {"2026-01-06 00:00:00", "2026-01-13 00:00:00"}},
        {NULL,
         "0 0 10,* * 2",
         "2026-01-01 00:00:00",
         {"2026-01-02 00:00:00", "2026-01-03 00:00:00"}},
        {NULL,
         "0 0 L * 1#1",
         "2026-01-01 00:00:00",
         {"2026-01-05 00:00:00", "2026-01-31 00:00:00", "2026-02-02 00:00:00"}},
        {NULL, "0 0 30 2 1", "2026-01-01 00:00:00", {"2026-02-02 00:00:00", "2026-02-09 00:00:00"}},
    };
    check_examples(examples, TEST_COUNT_OF(examples));
}

static void
last_days_and_nearest_weekdays(void **state)
{
    (void)state;
    static const struct example examples[] = {
        {NULL,
         "0 0 L * *",
         "2028-01-01 00:00:00",
         {"2028-01-31 00:00:00", "2028-02-29 00:00:00", "2028-03-31 00:00:00",
          "2028-04-30 00:00:00"}},
        {NULL,
         "0 0 L 2 *",
         "2026-01-01 00:00:00",
         {"2026-02-28 00:00:00", "2027-02-28 00:00:00", "2028-02-29 00:00:00"}},
        {NULL,
         "0 0 l-1,15 2 *",
         "2026-01-01 00:00:00",
         {"2026-02-15 00:00:00", "2026-02-27 00:00:00"}},
        {NULL,
         "0 0 L-30 * *",
         "2026-01-01 00:00:00",
         {"2026-03-01 00:00:00", "2026-05-01 00:00:00"}},
        {NULL, "0 0 L-28 2 *", "2026-01-01 00:00:00", {"2028-02-01 00:00:00"}},
        /* 15 Feb 2026 is a Sunday, 14 March a Saturday, 15 April a Wednesday. */
        {NULL,
         "0 0 15W * *",
         "2026-02-01 00:00:00",
         {"2026-02-16 00:00:00", "2026-03-16 00:00:00", "2026-04-15 00:00:00"}},
        {NULL, "0 0 14w 3 *", "2026-02-01 00:00:00", {"2026-03-13 00:00:00"}},
        /* Never out of the month: 1 Aug 2026 is a Saturday, 31 May a Sunday. */
        {NULL, "0 0 1W 8 *", "2026-02-01 00:00:00", {"2026-08-03 00:00:00"}},
        {NULL, "0 0 31W 5 *", "2026-02-01 00:00:00", {"2026-05-29 00:00:00"}},
        {NULL,
         "0 0 31W * *",
         "2026-03-31 12:00:00",
         {"2026-05-29 00:00:00", "2026-07-31 00:00:00"}},
        {NULL,
         "0 0 LW * *",
         "2026-01-01 00:00:00",
         {"2026-01-30 00:00:00", "2026-02-27 00:00:00", "2026-03-31 00:00:00"}},
        {NULL, "0 0 * * 5L", "2026-01-01 00:00:00", {"2026-01-30 00:00:00", "2026-02-27 00:00:00"}},
        {NULL,
         "0 0 * * friL",
         "2026-01-01 00:00:00",
         {"2026-01-30 00:00:00", "2026-02-27 00:00:00"}},
        {NULL, "0 0 * * 7L", "2026-01-01 00:00:00", {"2026-01-25 00:00:00"}},
        {NULL,
         "0 0 * * FRI#2",
         "2026-01-01 00:00:00",
         {"2026-01-09 00:00:00", "2026-02-13 00:00:00"}},
        {NULL, "0 0 * * 7#1", "2026-01-01 00:00:00", {"2026-01-04 00:00:00"}},
        {NULL,
         "0 0 * * 4#5",
         "2026-01-01 00:00:00",
         {"2026-01-29 00:00:00", "2026-04-30 00:00:00"}},
        {NULL,
         "0 0 * * 4#1,4#5,1",
         "2026-01-01 00:00:00",
         {"2026-01-05 00:00:00", "2026-01-12 00:00:00", "2026-01-19 00:00:00",
          "2026-01-26 00:00:00", "2026-01-29 00:00:00"}},
    };
    check_examples(examples, TEST_COUNT_OF(examples));
}

static void
names_and_intervals(void **state)
{
    (void)state;
    static const struct example examples[] = {
        {NULL, "@hourly", "2026-01-01 00:00:00", {"2026-01-01 01:00:00"}},
        {NULL, "@daily", "2026-01-01 00:00:00", {"2026-01-02 00:00:00"}},
        {NULL, " @Midnight ", "2026-01-01 00:00:00", {"2026-01-02 00:00:00"}},
        {NULL, "@weekly", "2026-01-01 00:00:00", {"2026-01-04 00:00:00"}},
        {NULL, "@monthly", "2026-01-01 00:00:00", {"2026-02-01 00:00:00"}},
        {NULL, "@yearly", "2026-01-01 00:00:00", {"2027-01-01 00:00:00"}},
        {NULL, "@ANNUALLY", "2026-01-01 00:00:00", {"2027-01-01 00:00:00"}},
        {NULL, "@every 90s", "1970-01-01 00:00:00", {"1970-01-01 00:01:30", "1970-01-01 00:03:00"}},
        {NULL, "@every 90s", "1970-01-01 00:01:29", {"1970-01-01 00:01:30"}},
        {NULL, "@every 90s", "1969-12-31 23:59:50", {"1970-01-01 00:00:00", "1970-01-01 00:01:30"}},
        {NULL, "@every 90s", "1969-12-31 23:58:30", {"1970-01-01 00:00:00"}},
        {NULL, "@Every  1D2h3M4s ", "1970-01-01 00:00:00", {"1970-01-02 02:03:04"}},
        {BERLIN,
         "@every 1h",
         "2025-10-25 23:30:00",
         {"2025-10-26 00:00:00", "2025-10-26 01:00:00", "2025-10-26 02:00:00"}},
    };
    check_examples(examples, TEST_COUNT_OF(examples));
    struct leat_zone utc = leat_zone_utc();
    struct leat_cron cron = parse("@every 10s");
    int64_t next_s = 0;
    cron.anchor_s = 7;
    CHECK(leat_cron_next(&cron, &utc, 100, &next_s));
    CHECK_EQUAL(next_s, 107);
    cron.anchor_s = 1003;
    CHECK(leat_cron_next(&cron, &utc, 103, &next_s));
    CHECK_EQUAL(next_s, 113);
    CHECK_EQUAL(parse("@every 1s").every_s, 1);
    CHECK_EQUAL(parse("@every 366d").every_s, LEAT_CRON_EVERY_MAX_S);
    CHECK_EQUAL(parse("@every 31622400s").every_s, LEAT_CRON_EVERY_MAX_S);
}

/* ---- zones ---------------------------------------------------------------------------------- */

/* Berlin: on 30 March 2025 from 2:00 to 3:00, at 01:00 UTC; on 26 October from 3:00 to 2:00. */
static void
skipped_times_run_once_after_the_gap(void **state)
{
    (void)state;
    static const struct example examples[] = {
        {BERLIN,
         "30 2 * * *",
         "2025-03-29 12:00:00",
         {"2025-03-30 01:00:00", "2025-03-31 00:30:00"}},
        {BERLIN,
         "0 2 * * *",
         "2025-03-29 12:00:00",
         {"2025-03-30 01:00:00", "2025-03-31 00:00:00"}},
        {BERLIN,
         "0 3 * * *",
         "2025-03-29 12:00:00",
         {"2025-03-30 01:00:00", "2025-03-31 01:00:00"}},
        {BERLIN, "59 59 1 * * *", "2025-03-29 12:00:00", {"2025-03-30 00:59:59"}},
        /* Several of them: once. One behind the gap at its end: the same moment. */
        {BERLIN,
         "*/10 2 * * *",
         "2025-03-29 12:00:00",
         {"2025-03-30 01:00:00", "2025-03-31 00:00:00"}},
        {BERLIN,
         "*/30 2-3 * * *",
         "2025-03-29 12:00:00",
         {"2025-03-30 01:00:00", "2025-03-30 01:30:00", "2025-03-31 00:00:00"}},
        /* From within the gap's last second, and from its end. */
        {BERLIN, "30 2 * * *", "2025-03-30 00:59:59", {"2025-03-30 01:00:00"}},
        {BERLIN, "30 2 * * *", "2025-03-30 01:00:00", {"2025-03-31 00:30:00"}},
        /* A day that has no midnight. */
        {SAO_PAULO,
         "@daily",
         "2026-10-17 12:00:00",
         {"2026-10-18 03:00:00", "2026-10-19 02:00:00"}},
        /* Sunday has no 2:15; the day counts, not only the hour. */
        {BERLIN,
         "15 2 * * 0",
         "2025-03-29 12:00:00",
         {"2025-03-30 01:00:00", "2025-04-06 00:15:00"}},
        {BERLIN, "15 2 * * 1", "2025-03-29 12:00:00", {"2025-03-31 00:15:00"}},
        /* A whole day is skipped: 10 April. */
        {TURNS_BACK,
         "0 8 * * *",
         "2026-04-09 00:00:00",
         {"2026-04-09 08:00:00", "2026-04-10 00:00:00", "2026-04-10 08:00:00"}},
        {LORD_HOWE,
         "10 2 * * *",
         "2026-10-03 00:00:00",
         {"2026-10-03 15:30:00", "2026-10-04 15:10:00"}},
    };
    check_examples(examples, TEST_COUNT_OF(examples));
}

static void
repeated_times_run_once(void **state)
{
    (void)state;
    static const struct example examples[] = {
        {BERLIN,
         "30 2 * * *",
         "2025-10-25 12:00:00",
         {"2025-10-26 00:30:00", "2025-10-27 01:30:00"}},
        {BERLIN,
         "0 2 * * *",
         "2025-10-25 12:00:00",
         {"2025-10-26 00:00:00", "2025-10-27 01:00:00"}},
        {BERLIN,
         "0 3 * * *",
         "2025-10-25 12:00:00",
         {"2025-10-26 02:00:00", "2025-10-27 02:00:00"}},
        {BERLIN,
         "*/30 1-3 * * *",
         "2025-10-25 22:59:59",
         {"2025-10-25 23:00:00", "2025-10-25 23:30:00", "2025-10-26 00:00:00",
          "2025-10-26 00:30:00", "2025-10-26 02:00:00", "2025-10-26 02:30:00",
          "2025-10-27 00:00:00"}},
        /* From the middle of the second time. */
        {BERLIN, "45 2 * * *", "2025-10-26 01:30:00", {"2025-10-27 01:45:00"}},
        {BERLIN, "45 2 * * *", "2025-10-26 00:30:00", {"2025-10-26 00:45:00"}},
        {BERLIN, "45 2 * * *", "2025-10-26 00:45:00", {"2025-10-27 01:45:00"}},
        /* Midnight comes twice: the day before goes on for an hour. */
        {SAO_PAULO,
         "30 23 * * *",
         "2026-02-14 12:00:00",
         {"2026-02-15 01:30:00", "2026-02-16 02:30:00"}},
        {SAO_PAULO,
         "@daily",
         "2026-02-14 12:00:00",
         {"2026-02-15 03:00:00", "2026-02-16 03:00:00"}},
        /* A whole day comes twice; also seen from within it. */
        {TURNS_BACK, "0 8 * * *", "2026-07-19 05:00:00", {"2026-07-20 08:00:00"}},
        {TURNS_BACK, "45 23 * * *", "2026-07-19 23:30:00", {"2026-07-20 23:45:00"}},
        {TURNS_BACK,
         "0 8 * * *",
         "2026-07-18 00:00:00",
         {"2026-07-18 08:00:00", "2026-07-20 08:00:00"}},
        {LORD_HOWE,
         "*/15 1 * * *",
         "2026-04-04 13:00:00",
         {"2026-04-04 14:00:00", "2026-04-04 14:15:00", "2026-04-04 14:30:00",
          "2026-04-04 14:45:00", "2026-04-05 14:30:00"}},
    };
    check_examples(examples, TEST_COUNT_OF(examples));
}

static void
wildcard_hours_follow_elapsed_time(void **state)
{
    (void)state;
    static const struct example examples[] = {
        {BERLIN,
         "@hourly",
         "2025-03-29 23:30:00",
         {"2025-03-30 00:00:00", "2025-03-30 01:00:00", "2025-03-30 02:00:00"}},
        {BERLIN,
         "*/30 * * * *",
         "2025-03-30 00:15:00",
         {"2025-03-30 00:30:00", "2025-03-30 01:00:00", "2025-03-30 01:30:00"}},
        {BERLIN,
         "30 * * * *",
         "2025-10-25 23:45:00",
         {"2025-10-26 00:30:00", "2025-10-26 01:30:00", "2025-10-26 02:30:00"}},
        /* Every other hour by the clock: 2:00 is skipped, and comes twice. */
        {BERLIN,
         "0 */2 * * *",
         "2025-03-29 22:30:00",
         {"2025-03-29 23:00:00", "2025-03-30 02:00:00", "2025-03-30 04:00:00"}},
        {BERLIN,
         "0 */2 * * *",
         "2025-10-25 21:30:00",
         {"2025-10-25 22:00:00", "2025-10-26 00:00:00", "2025-10-26 01:00:00",
          "2025-10-26 03:00:00"}},
        {LORD_HOWE,
         "0 * * * *",
         "2026-04-04 14:00:00",
         {"2026-04-04 15:30:00", "2026-04-04 16:30:00"}},
    };
    check_examples(examples, TEST_COUNT_OF(examples));
}

/* Several changes within a day, on the way from a local time to its moment. */
static void
several_changes_in_a_day(void **state)
{
    (void)state;
    static const int64_t times[] = {100000, 110000, 120000, 172700, 172710};
    static const uint8_t indexes[] = {1, 2, 3, 1, 3};
    static const int32_t offsets[] = {0, 60, 120, 180};
    struct leat_memory memory = leat_memory_default();
    struct tzif *tzif = malloc(sizeof(*tzif));
    CHECK(tzif != NULL);
    tzif_write(tzif, &(struct tzif_plan){.version = '2',
                                         .times = times,
                                         .indexes = indexes,
                                         .times_count = 5,
                                         .offsets_s = offsets,
                                         .types_count = 4,
                                         .footer = ""});
    struct leat_zone zone;
    CHECK_EQUAL(leat_zone_init(&zone, &memory, tzif->bytes, tzif->size), LEAT_ZONE_OK);
    free(tzif);
    /* Midnight is 172 800: with 180 seconds ahead it comes at 172 620. The clock is set back behind
     * it, and forward over it again. */
    struct leat_cron cron = parse("0 0 * * *");
    int64_t moments_s[2];
    CHECK_EQUAL(leat_cron_list(&cron, &zone, 90000, moments_s, 2), 2);
    CHECK_EQUAL(moments_s[0], 172620);
    CHECK_EQUAL(moments_s[1], 172620 + LEAT_DAY_S);
    for (int64_t after_s = 172620; after_s < 173000; after_s++) {
        CHECK(leat_cron_next(&cron, &zone, after_s, moments_s));
        CHECK_EQUAL(moments_s[0], 172620 + LEAT_DAY_S);
    }
    leat_zone_fini(&zone, &memory);
}

/* A day that the zone never shows: a bounded search says so. */
static void
days_that_a_zone_skips(void **state)
{
    (void)state;
    struct leat_memory memory = leat_memory_default();
    struct leat_zone zone = tzif_zone(&memory, TURNS_BACK);
    struct leat_cron cron = parse("0 * 10 4 *");
    int64_t next_s = 5;
    CHECK(!leat_cron_next(&cron, &zone, 0, &next_s));
    CHECK_EQUAL(next_s, 5);
    leat_zone_fini(&zone, &memory);
}

/* ---- limits of time ------------------------------------------------------------------------- */

static void
rare_days_are_found(void **state)
{
    (void)state;
    static const struct example examples[] = {
        {NULL, "0 0 29 2 *", "2096-03-01 00:00:00", {"2104-02-29 00:00:00"}},
        {NULL, "0 0 */29 2 6", "2026-03-01 00:00:00", {"2031-02-01 00:00:00"}},
        {NULL, "* 0 29-29 2 *", "2026-01-01 00:00:00", {"2028-02-29 00:00:00"}},
        /* Five Thursdays in February: 40 years apart at most. */
        {NULL, "0 0 * 2 4#5", "1872-03-01 00:00:00", {"1912-02-29 00:00:00"}},
        {NULL, "0 0 * 2 6#5", "2076-03-01 00:00:00", {"2116-02-29 00:00:00"}},
        {BERLIN,
         "30 2 * 3 7L",
         "2025-03-01 00:00:00",
         {"2025-03-30 01:00:00", "2026-03-29 01:00:00"}},
    };
    check_examples(examples, TEST_COUNT_OF(examples));
    /* The longest way of all kinds of years, from each year of a period. */
    struct leat_zone utc = leat_zone_utc();
    int64_t longest_s = 0;
    for (uint32_t weekday = 0; weekday < 7; weekday++) {
        char text[16];
        (void)snprintf(text, sizeof(text), "0 0 * 2 %u#5", weekday);
        struct leat_cron cron = parse(text);
        int64_t before_s = test_time("1600-01-01 00:00:00");
        while (before_s < test_time("2400-01-01 00:00:00")) {
            int64_t next_s = 0;
            CHECK(leat_cron_next(&cron, &utc, before_s, &next_s));
            longest_s = next_s - before_s > longest_s ? next_s - before_s : longest_s;
            before_s = next_s;
        }
    }
    CHECK_EQUAL(longest_s, (INT64_C(40) * 365 + 9) * LEAT_DAY_S);
}

static void
calendar_has_ends(void **state)
{
    (void)state;
    struct leat_zone utc = leat_zone_utc();
    struct leat_cron second = parse("* * * * * *");
    struct leat_cron every = parse("@every 1s");
    const struct leat_cron *both[] = {&second, &every};
    for (size_t i = 0; i < 2; i++) {
        const struct leat_cron *cron = both[i];
        int64_t next_s = 7;
        CHECK(leat_cron_next(cron, &utc, INT64_MIN, &next_s));
        CHECK_EQUAL(next_s, LEAT_TIME_FIRST_S);
        CHECK(leat_cron_next(cron, &utc, LEAT_TIME_FIRST_S - 1, &next_s));
        CHECK_EQUAL(next_s, LEAT_TIME_FIRST_S);
        CHECK(leat_cron_next(cron, &utc, LEAT_TIME_FIRST_S, &next_s));
        CHECK_EQUAL(next_s, LEAT_TIME_FIRST_S + 1);
        CHECK(leat_cron_next(cron, &utc, LEAT_TIME_LAST_S - 1, &next_s));
        CHECK_EQUAL(next_s, LEAT_TIME_LAST_S);
        next_s = 7;
        CHECK(!leat_cron_next(cron, &utc, LEAT_TIME_LAST_S, &next_s));
        CHECK(!leat_cron_next(cron, &utc, INT64_MAX, &next_s));
        CHECK_EQUAL(next_s, 7);
        int64_t moments_s[3];
        CHECK_EQUAL(leat_cron_list(cron, &utc, LEAT_TIME_LAST_S - 2, moments_s, 3), 2);
        CHECK_EQUAL(moments_s[1], LEAT_TIME_LAST_S);
        CHECK_EQUAL(leat_cron_list(cron, &utc, 0, moments_s, 0), 0);
    }
    /* Zones at both ends. */
    static const char *const rules[] = {"AAA-24", "AAA24"};
    struct leat_memory memory = leat_memory_default();
    for (size_t i = 0; i < TEST_COUNT_OF(rules); i++) {
        struct leat_zone zone = tzif_zone(&memory, rules[i]);
        static const char *const texts[] = {"0 12 * * *", "0 */12 29 2 *"};
        for (size_t j = 0; j < TEST_COUNT_OF(texts); j++) {
            struct leat_cron cron = parse(texts[j]);
            int64_t next_s = 0;
            CHECK(leat_cron_next(&cron, &zone, INT64_MIN, &next_s));
            CHECK(next_s >= LEAT_TIME_FIRST_S);
            CHECK(!leat_cron_next(&cron, &zone, LEAT_TIME_LAST_S - 5, &next_s));
        }
        leat_zone_fini(&zone, &memory);
    }
}

/* ---- what is refused ------------------------------------------------------------------------ */

static const struct refusal {
    const char *text;
    uint32_t line;
    uint32_t column;
    const char *field;
    const char *why; /* a part of the sentence */
} refusals[] = {
    {"", 1, 1, "", "fields are missing"},
    {"  ", 1, 3, "", "fields are missing"},
    {"* * * *", 1, 8, "", "fields are missing"},
    {"* * * * * * *", 1, 13, "", "there are 5 fields"},
    {"60 * * * *", 1, 1, "minute", "60 is out of range 0-59"},
    {"60 * * * * *", 1, 1, "second", "60 is out of range 0-59"},
    {"* 60 * * * *", 1, 3, "minute", "60 is out of range 0-59"},
    {"* 24 * * *", 1, 3, "hour", "24 is out of range 0-23"},
    {"* * 0 * *", 1, 5, "day of month", "0 is out of range 1-31"},
    {"* * 32 * *", 1, 5, "day of month", "32 is out of range 1-31"},
    {"* * 1-32 * *", 1, 7, "day of month", "32 is out of range 1-31"},
    {"* * * 0 *", 1, 7, "month", "0 is out of range 1-12"},
    {"* * * 13 *", 1, 7, "month", "13 is out of range 1-12"},
    {"* * * * 8", 1, 9, "day of week", "8 is out of range 0-7"},
    {"4294967296 * * * *", 1, 1, "minute", "4294967296 is out of range 0-59"},
    {"123456789012345678901 * * * *", 1, 1, "minute", "12345678901234567890 is out of range 0-59"},
    {"18446744073709551616 * * * *", 1, 1, "minute", "18446744073709551616 is out of range 0-59"},
    {"*\n*\n* x *", 3, 3, "month", "no name"},
    {"* * * janu *", 1, 10, "month", "does not belong"},
    {"* * * ja *", 1, 7, "month",
     "ja is no name; there are JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC"},
    {"* * * septembre *", 1, 10, "month", "names have three"},
    {"* * * Oktober-12 *", 1, 7, "month", "Oktober is no name; there are JAN FEB"},
    {"* * * abcdefghij *", 1, 7, "month",
     "abcdefgh is no name; there are JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC"},
    {"* * * * mun", 1, 9, "day of week", "mun is no name; there are SUN MON TUE WED THU FRI SAT"},
    {"* * * mon *", 1, 7, "month", "no name"},
    {"* * * * jan", 1, 9, "day of week", "no name"},
    {"* mon * * *", 1, 3, "hour", "has no names"},
    {"-1 * * * *", 1, 1, "minute", "value is missing"},
    {"1- * * * *", 1, 3, "minute", "value is missing"},
    {"1,,2 * * * *", 1, 3, "minute", "value is missing"},
    {"1, * * * *", 1, 3, "minute", "value is missing"},
    {",1 * * * *", 1, 1, "minute", "value is missing"},
    {"? * * * *", 1, 1, "minute", "what is ? elsewhere is * here"},
    {"0 0 12 ? * MON", 1, 8, "day of month", "value is missing: what is ? elsewhere"},
    {"1-2-3 * * * *", 1, 4, "minute", "does not belong"},
    {"** * * * *", 1, 2, "minute", "does not belong"},
    {"*-5 * * * *", 1, 2, "minute", "does not belong"},
    {"1.5 * * * *", 1, 2, "minute", "does not belong"},
    {"1\v2 * * * *", 1, 2, "minute", "does not belong"},
    {"9-5 * * * *", 1, 1, "minute", "backwards"},
    {"* 22-4 * * *", 1, 3, "hour", "backwards"},
    {"* * * * sat-mon", 1, 9, "day of week", "backwards"},
    {"* * * * 6-0", 1, 9, "day of week", "backwards"},
    {"*/0 * * * *", 1, 3, "minute", "at least 1"},
    {"*/ * * * *", 1, 3, "minute", "step is missing"},
    {"*/x * * * *", 1, 3, "minute", "step is missing"},
    {"*/60 * * * *", 1, 3, "minute", "larger than its range"},
    {"*/90 * * * *", 1, 3, "minute", "larger than its range"},
    {"*/4294967297 * * * *", 1, 3, "minute", "larger than its range"},
    {"* */24 * * *", 1, 5, "hour", "larger than its range"},
    {"* * * * */7", 1, 11, "day of week", "larger than its range"},
    {"1-5/5 * * * *", 1, 5, "minute", "larger than its range"},
    {"5/10 * * * *", 1, 2, "minute", "behind a star or a range"},
    {"*/2/3 * * * *", 1, 4, "minute", "does not belong"},
    {"* * L-0 * *", 1, 7, "day of month", "1 to 30"},
    {"* * L-31 * *", 1, 7, "day of month", "1 to 30"},
    {"* * L- * *", 1, 7, "day of month", "number of days"},
    {"* * LL * *", 1, 6, "day of month", "does not belong"},
    {"* * L/2 * *", 1, 6, "day of month", "does not belong"},
    {"* * W * *", 1, 5, "day of month", "has no names"},
    {"* * 1-5W * *", 1, 8, "day of month", "does not belong"},
    {"* * 5W/2 * *", 1, 7, "day of month", "does not belong"},
    {"* * 5# * *", 1, 6, "day of month", "does not belong"},
    {"* L * * *", 1, 3, "hour", "has no names"},
    {"* * * L *", 1, 7, "month", "no name"},
    {"* * * * L", 1, 9, "day of week", "5L or FRIL"},
    {"* * * * 5#0", 1, 11, "day of week", "1 to 5"},
    {"* * * * 5#6", 1, 11, "day of week", "1 to 5"},
    {"* * * * 5#", 1, 11, "day of week", "1 to 5"},
    {"* * * * 1-5L", 1, 12, "day of week", "does not belong"},
    {"* * * * 5#2/2", 1, 12, "day of week", "behind a star or a range"},
    {"* * * * 5L#2", 1, 11, "day of week", "does not belong"},
    {"* * * * monday", 1, 12, "day of week", "does not belong here: names have three"},
    {"* * * * friLx", 1, 13, "day of week", "does not belong"},
    {"* * * * 5Lx", 1, 11, "day of week", "this character does not belong"},
    {"0 0 30 2 *", 1, 5, "day of month", "no such day"},
    {"0 0 0 30 2 *", 1, 7, "day of month", "no such day"},
    {"0 0 31 2,4,6,9,11 *", 1, 5, "day of month", "no such day"},
    {"0 0 31W apr *", 1, 5, "day of month", "no such day"},
    {"0 0 L-29 2 *", 1, 5, "day of month", "no such day"},
    {"@reboot", 1, 1, "", "no schedule of this name"},
    {"@dail", 1, 1, "", "no schedule of this name"},
    {"@dailyx", 1, 1, "", "no schedule of this name"},
    {" @", 1, 2, "", "no schedule of this name"},
    {"@daily *", 1, 8, "", "stands nothing"},
    {"@every", 1, 7, "", "interval is missing"},
    {"@every ", 1, 8, "", "interval is missing"},
    {"@every s", 1, 8, "", "number is missing"},
    {"@every 90", 1, 10, "", "stands a unit"},
    {"@every 1w", 1, 9, "", "stands a unit"},
    {"@every 500ms", 1, 11, "", "d, h, m, s; nothing is shorter than a second"},
    {"@every 1s500MS", 1, 13, "", "nothing is shorter than a second"},
    {"@every 1us", 1, 9, "", "nothing is shorter than a second"},
    {"@every 1.5s", 1, 9, "", "stands a unit"},
    {"@every 1s1m", 1, 11, "", "stands a unit"},
    {"@every 1m1m", 1, 11, "", "stands a unit"},
    {"@every 0s", 1, 8, "", "at least 1s"},
    {"@every 366d1s", 1, 8, "", "at most 366d"},
    {"@every 99999999999999999999d", 1, 8, "", "at most 366d"},
    {"@every 90s x", 1, 12, "", "stands nothing"},
    {"@every 1h 30m", 1, 11, "", "stands nothing"},
};

static void
errors_have_their_column(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_COUNT_OF(refusals); i++) {
        const struct refusal *refusal = &refusals[i];
        struct leat_cron cron;
        memset(&cron, 0x5a, sizeof(cron));
        struct leat_cron_error error = {0};
        bool taken = leat_cron_parse(&cron, refusal->text, &error);
        if (taken || error.line != refusal->line || error.column != refusal->column ||
            strcmp(error.field, refusal->field) != 0 || strstr(error.text, refusal->why) == NULL) {
            test_say("'%s': %s line %u, column %u, field '%s': %s\n", refusal->text,
                     taken ? "taken" : "refused", error.line, error.column, error.field,
                     error.text);
            CHECK(false);
        }
        for (size_t j = 0; j < sizeof(cron); j++) {
            CHECK_EQUAL(((const uint8_t *)&cron)[j], 0x5a);
        }
    }
}

static void
texts_have_a_limit(void **state)
{
    (void)state;
    char text[LEAT_CRON_TEXT_MAX + 2];
    memset(text, ' ', sizeof(text));
    memcpy(text, "0 0 * * *", 9);
    struct leat_cron cron;
    struct leat_cron_error error = {0};
    text[LEAT_CRON_TEXT_MAX - 1] = '\0';
    CHECK(leat_cron_parse(&cron, text, &error));
    text[LEAT_CRON_TEXT_MAX - 1] = ' ';
    text[LEAT_CRON_TEXT_MAX] = '\0';
    CHECK(leat_cron_parse(&cron, text, &error));
    text[LEAT_CRON_TEXT_MAX] = ' ';
    text[LEAT_CRON_TEXT_MAX + 1] = '\0';
    CHECK(!leat_cron_parse(&cron, text, &error));
    CHECK_EQUAL(error.column, LEAT_CRON_TEXT_MAX + 1);
    CHECK(strstr(error.text, "too long") != NULL);
}

static void
check_can_say_no(void **state)
{
    (void)state;
    const struct leat_cron good = parse("0 0 * * *");
    struct leat_cron bad[8] = {good, good, good, good, good, good, good, good};
    bad[0].seconds = 0;
    bad[1].minutes |= UINT64_C(1) << 60;
    bad[2].hours |= 1U << 24;
    bad[3].months |= 1;
    bad[4].days |= 1;
    bad[5].days_last |= UINT32_C(1) << 31;
    bad[6].years ^= 1;
    bad[7].every_s = LEAT_CRON_EVERY_MAX_S + 1;
    for (size_t i = 0; i < TEST_COUNT_OF(bad); i++) {
        CHECK(!leat_cron_check(&bad[i], NULL));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields),
        cmocka_unit_test(weekdays),
        cmocka_unit_test(two_day_fields),
        cmocka_unit_test(last_days_and_nearest_weekdays),
        cmocka_unit_test(names_and_intervals),
        cmocka_unit_test(skipped_times_run_once_after_the_gap),
        cmocka_unit_test(repeated_times_run_once),
        cmocka_unit_test(wildcard_hours_follow_elapsed_time),
        cmocka_unit_test(several_changes_in_a_day),
        cmocka_unit_test(days_that_a_zone_skips),
        cmocka_unit_test(rare_days_are_found),
        cmocka_unit_test(calendar_has_ends),
        cmocka_unit_test(errors_have_their_column),
        cmocka_unit_test(texts_have_a_limit),
        cmocka_unit_test(check_can_say_no),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
