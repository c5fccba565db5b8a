/* cron.c - when an expression fires: first in local times, which know no zone, then as moments of a
 * zone. cron_parse.c reads the expressions. */
#include "sched/cron.h"

#include <string.h>

/* A kind of year comes again after 40 years at most: a leap year that begins on a certain weekday,
 * across a year such as 1900. */
#define YEARS_MAX 40

/* Whoever looks so far back has seen every time from which the clock may have been set back. */
#define REACH_S (LEAT_ZONE_OFFSET_MAX_S - LEAT_ZONE_OFFSET_MIN_S)

#define SUNDAY   0
#define SATURDAY 6

/* ---- days ----------------------------------------------------------------------------------- */

static uint32_t
bits_from(uint64_t bits, uint32_t first)
{
    uint64_t rest = first < 64 ? bits >> first << first : 0;
    return rest == 0 ? 64 : (uint32_t)__builtin_ctzll(rest);
}

/* The day from Monday to Friday that is nearest to `day`, in its month, whose first day is the
 * weekday `first`. */
static uint32_t
day_near(uint32_t day, uint32_t first, uint32_t length)
{
    uint32_t weekday = (first + day - 1) % 7;
    if (weekday == SATURDAY) {
        return day > 1 ? day - 1 : day + 2;
    }
    if (weekday == SUNDAY) {
        return day < length ? day + 1 : day - 2;
    }
    return day;
}

static uint32_t
days_of_month_field(const struct leat_cron *cron, uint32_t first, uint32_t length)
{
    uint32_t found = cron->days;
    /* Bits 0 to 30, so at most 31 rounds; the same below. */
    for (uint32_t i = bits_from(cron->days_last, 0); i < length;
         i = bits_from(cron->days_last, i + 1)) {
        found |= UINT32_C(1) << (length - i);
    }
    for (uint32_t i = bits_from(cron->days_near, 0); i <= length;
         i = bits_from(cron->days_near, i + 1)) {
        found |= UINT32_C(1) << day_near(i, first, length);
    }
    if ((cron->flags & LEAT_CRON_LAST_NEAR) != 0) {
        found |= UINT32_C(1) << day_near(length, first, length);
    }
    return found;
}

static uint32_t
days_of_week_field(const struct leat_cron *cron, uint32_t first, uint32_t length)
{
    uint32_t found = 0;
    for (uint32_t day = 1; day <= length; day++) {
        uint32_t wanted = cron->weekdays[(first + day - 1) % 7];
        bool last = day + 7 > length;
        if ((wanted >> (day - 1) / 7 & 1) != 0 || (last && (wanted & LEAT_CRON_LAST_WEEK) != 0)) {
            found |= UINT32_C(1) << day;
        }
    }
    return found;
}

/* The days of a month that match, bit n for the n-th. */
static uint32_t
month_days(const struct leat_cron *cron, uint32_t first, uint32_t length)
{
    uint32_t by_month = days_of_month_field(cron, first, length);
    uint32_t by_week = days_of_week_field(cron, first, length);
    bool both = (cron->flags & (LEAT_CRON_ANY_DAY | LEAT_CRON_ANY_WEEKDAY)) != 0;
    uint32_t found = both ? by_month & by_week : by_month | by_week;
    return found & UINT32_MAX >> (31 - length) & ~UINT32_C(1);
}

static uint32_t
year_kind(int32_t year)
{
    return leat_weekday(leat_days_of_date(year, 1, 1)) + 7 * (uint32_t)leat_year_leap(year);
}

/* The first day from `date` on that matches, in its year, counted from 1970. False: none. */
static bool
day_in_year(const struct leat_cron *cron, const struct leat_date *date, int64_t *found)
{
    uint32_t day = date->day;
    for (uint32_t month = bits_from(cron->months, date->month); month <= 12;
         month = bits_from(cron->months, month + 1)) {
        int64_t first = leat_days_of_date(date->year, month, 1);
        uint32_t days = month_days(cron, leat_weekday(first), leat_month_length(date->year, month));
        uint32_t at = bits_from(days, month == date->month ? day : 1);
        if (at < 64) {
            *found = first + at - 1;
            return true;
        }
    }
    return false;
}

/* The first day from `day` on that matches. */
static int64_t
day_next(const struct leat_cron *cron, int64_t day)
{
    struct leat_date date = leat_date_of_days(day);
    int64_t found = 0;
    bool any = day_in_year(cron, &date, &found);
    for (uint32_t i = 0; i < YEARS_MAX && !any; i++) {
        date = (struct leat_date){date.year + 1, 1, 1};
        any = (cron->years >> year_kind(date.year) & 1) != 0 && day_in_year(cron, &date, &found);
    }
    LEAT_ASSERT(any); /* I2 */
    return found;
}

uint16_t
leat_cron_years(const struct leat_cron *cron)
{
    uint16_t kinds = 0;
    /* All 14 kinds are among any 400 years. */
    for (int32_t year = 2000; year < 2000 + LEAT_PERIOD_YEARS; year++) {
        uint32_t kind = year_kind(year);
        const struct leat_date begin = {year, 1, 1};
        int64_t day = 0;
        if ((kinds >> kind & 1) == 0 && day_in_year(cron, &begin, &day)) {
            kinds |= (uint16_t)(1U << kind);
        }
    }
    return kinds;
}

/* ---- local times ---------------------------------------------------------------------------- */

/* The first second of a day from `second` on that matches; LEAT_DAY_S: none. */
static int64_t
second_of_day(const struct leat_cron *cron, int64_t second)
{
    uint32_t hour = (uint32_t)(second / 3600);
    uint32_t minute = (uint32_t)(second / 60 % 60);
    uint32_t at_second = bits_from(cron->seconds, (uint32_t)(second % 60));
    /* From the smallest unit on: what is beyond the end of one moves the next one on. */
    minute += at_second == 64;
    uint32_t at_minute = bits_from(cron->minutes, minute);
    hour += at_minute == 64;
    uint32_t at_hour = bits_from(cron->hours, hour);
    if (at_hour == 64) {
        return LEAT_DAY_S;
    }
    if (at_hour != (uint32_t)(second / 3600)) {
        at_minute = bits_from(cron->minutes, 0);
        at_second = 64;
    }
    if (at_minute != (uint32_t)(second / 60 % 60) || at_second == 64) {
        at_second = bits_from(cron->seconds, 0);
    }
    return (int64_t)at_hour * 3600 + (int64_t)at_minute * 60 + at_second;
}

/* The first local time from `from_s` on that matches. */
static int64_t
local_next(const struct leat_cron *cron, int64_t from_s)
{
    int64_t day = leat_days_of_time(from_s);
    int64_t second = second_of_day(cron, from_s - day * LEAT_DAY_S);
    if (second == LEAT_DAY_S) {
        day++;
        second = second_of_day(cron, 0);
    }
    int64_t found = day_next(cron, day);
    return found * LEAT_DAY_S + (found == day ? second : second_of_day(cron, 0));
}

/* ---- moments -------------------------------------------------------------------------------- */

/* The latest local time that the clock has shown up to `moment_s`: it shows an earlier one now, if
 * it was set back a little before. */
static int64_t
local_highest(const struct leat_zone *zone, int64_t moment_s)
{
    struct leat_zone_span span = leat_zone_span(zone, moment_s);
    int64_t highest_s = moment_s + span.offset_s;
    while (span.begin_s > moment_s - REACH_S) { /* each round goes to the span before */
        int64_t last_s = span.begin_s - 1;
        span = leat_zone_span(zone, last_s);
        if (last_s + span.offset_s > highest_s) {
            highest_s = last_s + span.offset_s;
        }
    }
    return highest_s;
}

/* The first moment at which the clock shows `local_s` or has passed it. */
static int64_t
moment_of_local(const struct leat_zone *zone, int64_t local_s)
{
    /* Before this moment no offset reaches so far. */
    struct leat_zone_span span = leat_zone_span(zone, local_s - LEAT_ZONE_OFFSET_MAX_S);
    int64_t moment_s = local_s - span.offset_s;
    while (moment_s >= span.end_s) { /* ends, since offsets have a least one */
        span = leat_zone_span(zone, span.end_s);
        moment_s = local_s - span.offset_s;
    }
    return moment_s > span.begin_s ? moment_s : span.begin_s;
}

/* The first moment from `from_s` on at which the clock shows a time that matches; one beyond the
 * last that is computed with, if there is none. */
static int64_t
moment_shown(const struct leat_cron *cron, const struct leat_zone *zone, int64_t from_s)
{
    struct leat_zone_span span = leat_zone_span(zone, from_s);
    int64_t moment_s = local_next(cron, from_s + span.offset_s) - span.offset_s;
    /* Ends, since each round goes to the next span. */
    while (moment_s >= span.end_s && span.end_s <= LEAT_TIME_LAST_S) {
        int64_t begin_s = span.end_s;
        span = leat_zone_span(zone, begin_s);
        moment_s = local_next(cron, begin_s + span.offset_s) - span.offset_s;
    }
    return moment_s;
}

/* The first of anchor_s + k * every_s after `after_s`. */
static int64_t
moment_every(const struct leat_cron *cron, int64_t after_s)
{
    int64_t every_s = (int64_t)cron->every_s;
    int64_t beyond_s = (after_s - cron->anchor_s) % every_s;
    beyond_s += beyond_s < 0 ? every_s : 0;
    return after_s - beyond_s + every_s;
}

bool
leat_cron_next(const struct leat_cron *cron, const struct leat_zone *zone, int64_t after_s,
               int64_t *next_s)
{
    if (after_s >= LEAT_TIME_LAST_S) {
        return false;
    }
    after_s = after_s < LEAT_TIME_FIRST_S ? LEAT_TIME_FIRST_S - 1 : after_s;
    int64_t found_s = 0;
    if (cron->every_s > 0) {
        found_s = moment_every(cron, after_s);
    } else if ((cron->flags & LEAT_CRON_ELAPSED) != 0) {
        found_s = moment_shown(cron, zone, after_s + 1);
    } else {
        int64_t local_s = local_next(cron, local_highest(zone, after_s) + 1);
        found_s = moment_of_local(zone, local_s);
    }
    LEAT_ASSERT(found_s > after_s);
    if (found_s > LEAT_TIME_LAST_S) {
        return false;
    }
    *next_s = found_s;
    return true;
}

uint32_t
leat_cron_list(const struct leat_cron *cron, const struct leat_zone *zone, int64_t after_s,
               int64_t *moments_s, uint32_t count)
{
    uint32_t found = 0;
    while (found < count && leat_cron_next(cron, zone, after_s, &moments_s[found])) {
        after_s = moments_s[found];
        found++;
    }
    return found;
}

/* ---- checks --------------------------------------------------------------------------------- */

static bool
bits_within(uint64_t bits, uint32_t first, uint32_t last)
{
    return bits != 0 && bits_from(bits, 0) >= first && bits_from(bits, last + 1) == 64;
}

bool
leat_cron_check(const struct leat_cron *cron, FILE *why)
{
    const char *wrong = NULL;
    if (cron->every_s > 0) {
        wrong = cron->every_s > LEAT_CRON_EVERY_MAX_S ? "interval" : NULL;
    } else if (!bits_within(cron->seconds, 0, 59) || !bits_within(cron->minutes, 0, 59)) {
        wrong = "seconds or minutes";
    } else if (!bits_within(cron->hours, 0, 23) || !bits_within(cron->months, 1, 12)) {
        wrong = "hours or months";
    } else if ((cron->days & 1) != 0 || cron->days_last >> 31 != 0 || (cron->days_near & 1) != 0) {
        wrong = "days";
    } else if (cron->years == 0 || cron->years != leat_cron_years(cron)) {
        wrong = "years";
    }
    if (wrong != NULL && why != NULL) {
        (void)fprintf(why, "cron: %s\n", wrong);
    }
    return wrong == NULL;
}
