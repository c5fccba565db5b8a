/* calendar.c - zones by the C library, and expressions with their meaning in plain lists. Slow and
 * simple on purpose; nothing here is shared with sched/. */
#include "tests/support/calendar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/support/check.h"

/* ---- zones ---------------------------------------------------------------------------------- */

bool
calendar_names_read(struct calendar_names *names, const char *directory)
{
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/tzdata.zi", directory);
    FILE *stream = fopen(path, "re");
    names->count = 0;
    if (stream == NULL) {
        return false;
    }
    char line[512];
    while (fgets(line, sizeof(line), stream) != NULL) {
        char name[CALENDAR_NAME_BYTES];
        bool found = sscanf(line, "Z %63s", name) == 1 || sscanf(line, "L %*s %63s", name) == 1;
        if (found) {
            CHECK(names->count < CALENDAR_NAMES_MAX);
            memcpy(names->names[names->count], name, sizeof(name));
            names->count++;
        }
    }
    CHECK_EQUAL(fclose(stream), 0);
    return names->count > 0;
}

void
calendar_zone_set(const char *directory, const char *name)
{
    char text[384];
    (void)snprintf(text, sizeof(text), ":%s/%s", directory, name);
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the tests that use this have one thread. */
    CHECK_EQUAL(setenv("TZ", text, 1), 0);
    tzset();
}

int64_t
calendar_offset(int64_t moment_s)
{
    struct tm time;
    time_t moment = (time_t)moment_s;
    CHECK(localtime_r(&moment, &time) != NULL);
    return time.tm_gmtoff;
}

int64_t
calendar_local(int64_t moment_s)
{
    return moment_s + calendar_offset(moment_s);
}

/* ---- matching ------------------------------------------------------------------------------- */

struct calendar_fields
calendar_fields_of(int64_t local_s)
{
    static const uint32_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    struct tm time;
    time_t local = (time_t)local_s;
    CHECK(gmtime_r(&local, &time) != NULL);
    int year = time.tm_year + 1900;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return (struct calendar_fields){.second = (uint32_t)time.tm_sec,
                                    .minute = (uint32_t)time.tm_min,
                                    .hour = (uint32_t)time.tm_hour,
                                    .day = (uint32_t)time.tm_mday,
                                    .month = (uint32_t)time.tm_mon + 1,
                                    .weekday = (uint32_t)time.tm_wday,
                                    .length = lengths[time.tm_mon] + (time.tm_mon == 1 && leap)};
}

static bool
in_steps(const struct calendar_item *item, uint32_t value)
{
    for (uint32_t i = item->first; i <= item->last; i += item->step) {
        if (i == value) {
            return true;
        }
    }
    return false;
}

/* Whether `fields` is the day from Monday to Friday that is nearest to `wanted`: walks away from it
 * day by day, backwards first, and stays in the month. */
static bool
is_nearest(const struct calendar_fields *fields, uint32_t wanted)
{
    static const int32_t walk[] = {0, -1, 1, -2, 2};
    if (wanted > fields->length) {
        return false;
    }
    for (size_t i = 0; i < TEST_COUNT_OF(walk); i++) {
        int32_t day = (int32_t)wanted + walk[i];
        int32_t weekday = ((int32_t)fields->weekday + day - (int32_t)fields->day + 70) % 7;
        bool inside = day >= 1 && day <= (int32_t)fields->length;
        if (inside && weekday != 0 && weekday != 6) {
            return day == (int32_t)fields->day;
        }
    }
    return false;
}

static bool
day_item_matches(const struct calendar_item *item, const struct calendar_fields *fields)
{
    switch (item->kind) {
    case '=':
        return in_steps(item, fields->day);
    case 'L':
        return fields->day + item->first == fields->length;
    case 'W':
        return is_nearest(fields, item->first);
    default:
        return is_nearest(fields, fields->length);
    }
}

static bool
weekday_item_matches(const struct calendar_item *item, const struct calendar_fields *fields)
{
    bool same = fields->weekday == item->first % 7;
    switch (item->kind) {
    case '=':
        return in_steps(item, fields->weekday) || (fields->weekday == 0 && in_steps(item, 7));
    case 'L':
        return same && fields->day + 7 > fields->length;
    default:
        return same && fields->day > 7 * (item->last - 1) && fields->day <= 7 * item->last;
    }
}

bool
calendar_day_matches(const struct calendar_cron *cron, const struct calendar_fields *fields)
{
    bool day = false;
    bool weekday = false;
    for (uint32_t i = 0; i < cron->days_count; i++) {
        day = day || day_item_matches(&cron->days[i], fields);
    }
    for (uint32_t i = 0; i < cron->weekdays_count; i++) {
        weekday = weekday || weekday_item_matches(&cron->weekdays[i], fields);
    }
    bool either = !cron->day_star && !cron->weekday_star;
    return cron->months[fields->month] && (either ? day || weekday : day && weekday);
}

bool
calendar_matches(const struct calendar_cron *cron, const struct calendar_fields *fields)
{
    return cron->seconds[fields->second] && cron->minutes[fields->minute] &&
           cron->hours[fields->hour] && calendar_day_matches(cron, fields);
}

/* ---- making expressions --------------------------------------------------------------------- */

struct writer {
    struct test_prng *prng;
    char *text;
    size_t length;
};

static void put(struct writer *writer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void
put(struct writer *writer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(writer->text + writer->length, CALENDAR_TEXT_MAX - writer->length,
                           format, arguments);
    va_end(arguments);
    CHECK(length >= 0);
    writer->length += (size_t)length;
    CHECK(writer->length < CALENDAR_TEXT_MAX);
}

static uint32_t
below(struct writer *writer, uint32_t count)
{
    return test_random_below(writer->prng, count);
}

static bool
one_in(struct writer *writer, uint32_t count)
{
    return below(writer, count) == 0;
}

/* A value as a number, with a zero in front maybe, or as its name. */
static void
put_value(struct writer *writer, uint32_t value, const char *names, uint32_t names_low)
{
    if (names != NULL && one_in(writer, 3)) {
        const char *name = names + (size_t)(value - names_low) * 3;
        for (uint32_t i = 0; i < 3; i++) {
            bool upper = one_in(writer, 2);
            put(writer, "%c", upper ? name[i] - 'a' + 'A' : name[i]);
        }
    } else {
        put(writer, one_in(writer, 8) ? "%02u" : "%u", value);
    }
}

struct span {
    uint32_t low;
    uint32_t high;
    uint32_t star_high; /* the last value of a star */
    const char *names;
};

/* One value, a range, a star; with steps maybe. */
static struct calendar_item
put_steps(struct writer *writer, const struct span *span)
{
    struct calendar_item item = {'=', span->low, span->star_high, 1};
    bool range = true;
    if (one_in(writer, 4)) {
        put(writer, "*");
    } else {
        item.first = span->low + below(writer, span->high - span->low + 1);
        item.last = item.first;
        range = one_in(writer, 2);
        put_value(writer, item.first, span->names, span->low);
        if (range) {
            item.last += below(writer, span->high - item.first + 1);
            put(writer, "-");
            /* A name of Sunday at the end is tried in unit_cron. */
            put_value(writer, item.last, item.last > span->star_high ? NULL : span->names,
                      span->low);
        }
    }
    if (range && item.last > item.first && one_in(writer, 2)) {
        item.step = 1 + below(writer, item.last - item.first);
        put(writer, "/%u", item.step);
    }
    return item;
}

static void
mark(bool *set, const struct calendar_item *item)
{
    for (uint32_t i = item->first; i <= item->last; i += item->step) {
        set[i] = true;
    }
}

/* A list into a set. */
static void
put_set(struct writer *writer, const struct span *span, bool *set)
{
    uint32_t count = 1 + (one_in(writer, 3) ? below(writer, CALENDAR_ITEMS_MAX) : 0);
    for (uint32_t i = 0; i < count; i++) {
        put(writer, i > 0 ? "," : "");
        struct calendar_item item = put_steps(writer, span);
        mark(set, &item);
    }
}

static struct calendar_item
put_day_item(struct writer *writer)
{
    static const struct span span = {1, 31, 31, NULL};
    struct calendar_item item = {'L', 0, 0, 1};
    switch (below(writer, 8)) {
    case 0:
        put(writer, "L");
        return item;
    case 1:
        item.first = 1 + below(writer, 30);
        put(writer, "L-%u", item.first);
        return item;
    case 2:
        item.kind = 'W';
        item.first = 1 + below(writer, 31);
        put(writer, "%uW", item.first);
        return item;
    case 3:
        item.kind = 'X';
        put(writer, "LW");
        return item;
    default:
        return put_steps(writer, &span);
    }
}

static struct calendar_item
put_weekday_item(struct writer *writer)
{
    static const char names[] = "sunmontuewedthufrisat";
    static const struct span span = {0, 7, 6, names};
    struct calendar_item item = {'L', below(writer, 7), 0, 1};
    switch (below(writer, 4)) {
    case 0:
        put_value(writer, item.first, names, 0);
        put(writer, "L");
        return item;
    case 1:
        item.kind = '#';
        item.last = 1 + below(writer, 5);
        put_value(writer, item.first, names, 0);
        put(writer, "#%u", item.last);
        return item;
    default:
        /* 7 has no name. */
        return one_in(writer, 4) ? put_steps(writer, &(struct span){0, 7, 6, NULL})
                                 : put_steps(writer, &(struct span){0, 6, 6, span.names});
    }
}

static uint32_t
put_days(struct writer *writer, struct calendar_item *items,
         struct calendar_item (*put_item)(struct writer *writer), const struct calendar_item *star)
{
    if (one_in(writer, 2)) {
        put(writer, "*");
        items[0] = *star;
        return 1;
    }
    uint32_t count = 1 + (one_in(writer, 3) ? below(writer, CALENDAR_ITEMS_MAX) : 0);
    for (uint32_t i = 0; i < count; i++) {
        put(writer, i > 0 ? "," : "");
        items[i] = put_item(writer);
    }
    return count;
}

void
calendar_cron_random(struct calendar_cron *cron, struct test_prng *prng,
                     const struct calendar_wish *wish)
{
    static const struct span minute = {0, 59, 59, NULL};
    static const struct span hour = {0, 23, 23, NULL};
    static const struct span night = {0, 4, 23, NULL};
    static const struct span month = {1, 12, 12, "janfebmaraprmayjunjulaugsepoctnovdec"};
    memset(cron, 0, sizeof(*cron));
    struct writer writer = {prng, cron->text, 0};
    if (wish->with_seconds) {
        put_set(&writer, &minute, cron->seconds);
        put(&writer, " ");
    } else {
        cron->seconds[0] = true;
    }
    put_set(&writer, &minute, cron->minutes);
    put(&writer, " ");
    size_t begin = writer.length;
    put_set(&writer, wish->at_night && one_in(&writer, 2) ? &night : &hour, cron->hours);
    cron->hour_star = cron->text[begin] == '*';
    put(&writer, "\t");
    begin = writer.length;
    cron->days_count =
        put_days(&writer, cron->days, put_day_item, &(struct calendar_item){'=', 1, 31, 1});
    cron->day_star = cron->text[begin] == '*';
    put(&writer, "  ");
    if (wish->any_month) {
        put_set(&writer, &month, cron->months);
    } else {
        put(&writer, "*");
        mark(cron->months, &(struct calendar_item){'=', 1, 12, 1});
    }
    put(&writer, " ");
    begin = writer.length;
    cron->weekdays_count =
        put_days(&writer, cron->weekdays, put_weekday_item, &(struct calendar_item){'=', 0, 6, 1});
    cron->weekday_star = cron->text[begin] == '*';
}
