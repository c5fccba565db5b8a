/* calendar.h - what is known of zones and cron expressions without Leat: the C library says what a
 * clock shows, and expressions are made together with the plain lists of what they stand for. With
 * these a schedule is found by walking from minute to minute, or from second to second. */
#ifndef TESTS_SUPPORT_CALENDAR_H
#define TESTS_SUPPORT_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/support/prng.h"

/* ---- zones ---------------------------------------------------------------------------------- */

#define CALENDAR_NAME_BYTES 64
#define CALENDAR_NAMES_MAX  1024

struct calendar_names {
    char names[CALENDAR_NAMES_MAX][CALENDAR_NAME_BYTES];
    uint32_t count;
};

/* The zones and links of tzdata, listed in DIRECTORY/tzdata.zi. False: that is not there. */
bool calendar_names_read(struct calendar_names *names, const char *directory);

/* The C library's zone of this process. One thread only. */
void calendar_zone_set(const char *directory, const char *name);

/* What the clock shows at a moment, and how far it is ahead of UTC. */
int64_t calendar_local(int64_t moment_s);
int64_t calendar_offset(int64_t moment_s);

/* ---- expressions ---------------------------------------------------------------------------- */

#define CALENDAR_ITEMS_MAX 4
#define CALENDAR_TEXT_MAX  256

/* Of a day field. */
struct calendar_item {
    char kind; /* = from first to last each step; L W X (LW) of the month; L # of the week */
    uint32_t first;
    uint32_t last;
    uint32_t step;
};

/* An expression, and what it stands for. */
struct calendar_cron {
    char text[CALENDAR_TEXT_MAX];
    bool seconds[60];
    bool minutes[60];
    bool hours[24];
    bool months[13];
    struct calendar_item days[CALENDAR_ITEMS_MAX];
    struct calendar_item weekdays[CALENDAR_ITEMS_MAX];
    uint32_t days_count;
    uint32_t weekdays_count;
    bool hour_star;
    bool day_star;
    bool weekday_star;
};

/* Fields of a local time. */
struct calendar_fields {
    uint32_t second;
    uint32_t minute;
    uint32_t hour;
    uint32_t day;
    uint32_t month;
    uint32_t weekday;
    uint32_t length; /* of the month */
};

struct calendar_fields calendar_fields_of(int64_t local_s);

/* What to make: of 6 fields or 5; of hours in which clocks are changed; of any months. */
struct calendar_wish {
    bool with_seconds;
    bool at_night;
    bool any_month;
};

void calendar_cron_random(struct calendar_cron *cron, struct test_prng *prng,
                          const struct calendar_wish *wish);

bool calendar_day_matches(const struct calendar_cron *cron, const struct calendar_fields *fields);
bool calendar_matches(const struct calendar_cron *cron, const struct calendar_fields *fields);

#endif
