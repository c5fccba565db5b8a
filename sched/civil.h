/* civil.h - days and dates of the Gregorian calendar, also before it was in use.
 *
 * Source   Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", 2013: years begin in
 *          March, so that the leap day is the last one, and 400 of them are one period.
 */
#ifndef SCHED_CIVIL_H
#define SCHED_CIVIL_H

#include "ring/base.h"

#define LEAT_DAY_S INT64_C(86400)

/* After so many years the calendar repeats, weekdays too: 146 097 days are 20 871 weeks. */
#define LEAT_PERIOD_YEARS 400
#define LEAT_PERIOD_DAYS  146097
#define LEAT_PERIOD_S     (LEAT_PERIOD_DAYS * LEAT_DAY_S)

/* What is computed with: the years 1 to 9999. Beyond them nobody has dates that mean anything, and
 * sums of times stay far from the end of 64 bits. */
#define LEAT_TIME_FIRST_S INT64_C(-62135596800)
#define LEAT_TIME_LAST_S  INT64_C(253402300799)

struct leat_date {
    int32_t year;
    uint32_t month; /* 1 to 12 */
    uint32_t day;   /* 1 to 31 */
};

LEAT_INLINE bool
leat_year_leap(int32_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

LEAT_INLINE uint32_t
leat_month_length(int32_t year, uint32_t month)
{
    /* 31 days have the odd months up to July and the even ones from August. */
    return month == 2 ? 28 + (uint32_t)leat_year_leap(year) : 30 + ((month ^ month >> 3) & 1);
}

/* Whole days from 1 January 1970 up to `time_s`. */
LEAT_INLINE int64_t
leat_days_of_time(int64_t time_s)
{
    return time_s >= 0 ? time_s / LEAT_DAY_S : -((LEAT_DAY_S - 1 - time_s) / LEAT_DAY_S);
}

/* 0 is Sunday; 1 January 1970 was a Thursday. */
LEAT_INLINE uint32_t
leat_weekday(int64_t days)
{
    return (uint32_t)(((days + 4) % 7 + 7) % 7);
}

/* Days from 1 January 1970 to a date. */
LEAT_INLINE int64_t
leat_days_of_date(int32_t year, uint32_t month, uint32_t day)
{
    int64_t march_year = (int64_t)year - (month <= 2);
    int64_t period = (march_year >= 0 ? march_year : march_year - 399) / LEAT_PERIOD_YEARS;
    int64_t year_of_period = march_year - period * LEAT_PERIOD_YEARS;
    int64_t day_of_year = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_period =
        year_of_period * 365 + year_of_period / 4 - year_of_period / 100 + day_of_year;
    /* 719 468 days from 1 March of the year 0 to 1 January 1970. */
    return period * LEAT_PERIOD_DAYS + day_of_period - 719468;
}

LEAT_INLINE struct leat_date
leat_date_of_days(int64_t days)
{
    int64_t from_march = days + 719468;
    int64_t period =
        (from_march >= 0 ? from_march : from_march - (LEAT_PERIOD_DAYS - 1)) / LEAT_PERIOD_DAYS;
    int64_t day_of_period = from_march - period * LEAT_PERIOD_DAYS;
    int64_t year_of_period =
        (day_of_period - day_of_period / 1460 + day_of_period / 36524 - day_of_period / 146096) /
        365;
    int64_t day_of_year =
        day_of_period - (365 * year_of_period + year_of_period / 4 - year_of_period / 100);
    int64_t month = (5 * day_of_year + 2) / 153;
    struct leat_date date = {.month = (uint32_t)(month < 10 ? month + 3 : month - 9),
                             .day = (uint32_t)(day_of_year - (153 * month + 2) / 5 + 1)};
    date.year = (int32_t)(year_of_period + period * LEAT_PERIOD_YEARS) + (date.month <= 2);
    return date;
}

#endif
