/* cron.h - cron expressions: read once into a small record of bits, from which the moments at which
 * they fire are computed, in any zone.
 *
 * Source   the fields and the rule for two restricted day fields are those of Vixie cron
 *          (crontab(5); Paul Vixie, 1987); L, W and # are those of Quartz (Terracotta, 2001).
 *          Differs: docs/design/0010, which has all rules with examples.
 * Claims   leat_cron_next(), leat_cron_list()  read only, no allocation, no lock; bounded steps: of
 *          40 years at most one day is looked for, and from span to span of the zone up to the year
 *          9999.
 * Rules    Two kinds of schedules, by the first character of the hour field.
 *          fixed     (not `*`)  A local time fires at the first moment at which the zone's clock
 *                    shows it or has passed it: once right after a gap that skips it, and the first
 *                    time only where it comes twice.
 *          elapsed   (`*`, or `*` with a step)  Each moment fires at which the clock shows a time
 *                    that matches: not in a gap, and again when times come again.
 * I1       of seconds, minutes, hours and months at least one bit is set, and none beyond the field
 * I2       years says for each of the 14 kinds of years whether it has a day that matches, and at
 *          least one kind has; or every_s > 0, and then nothing else counts but anchor_s
 */
#ifndef SCHED_CRON_H
#define SCHED_CRON_H

#include "sched/zone.h"

enum leat_cron_flag {
    LEAT_CRON_ELAPSED = 1,     /* the hour field begins with a star */
    LEAT_CRON_ANY_DAY = 2,     /* so does the day of the month */
    LEAT_CRON_ANY_WEEKDAY = 4, /* and the day of the week */
    LEAT_CRON_LAST_NEAR = 8    /* LW: the last day from Monday to Friday */
};

/* Bit 0 to 4 of a weekday: the first to fifth one of a month; bit 5: the last one. */
#define LEAT_CRON_EACH      0x1f
#define LEAT_CRON_LAST_WEEK 0x20

/* Bit n stands for the value n, unless said otherwise. */
struct leat_cron {
    uint64_t seconds;
    uint64_t minutes;
    uint32_t hours;
    uint32_t days;       /* 1 to 31 */
    uint32_t days_last;  /* bit n: n days before the last of the month */
    uint32_t days_near;  /* the day from Monday to Friday that is nearest to the n-th */
    uint16_t months;     /* 1 to 12 */
    uint16_t years;      /* bit weekday of 1 January, + 7 in a leap year */
    uint8_t weekdays[7]; /* from Sunday */
    uint8_t flags;       /* of enum leat_cron_flag */
    uint64_t every_s;    /* not 0: fires at anchor_s + k * every_s */
    int64_t anchor_s;    /* 0; whoever adds a schedule may put its moment here, if in the years 1 to
                            9999 */
};

/* Why an expression was refused. */
struct leat_cron_error {
    uint32_t line;     /* from 1 */
    uint32_t column;   /* from 1, in bytes; one behind the end where something is missing */
    const char *field; /* "hour", or "" */
    char text[80];     /* one sentence without a full stop */
};

/* Reads an expression. False: it is refused, also if it never fired, such as 30 February; then
 * `error` says why, and `cron` is untouched. */
bool leat_cron_parse(struct leat_cron *cron, const char *text, struct leat_cron_error *error);

/* The first moment after `after_s` at which it fires. False: there is none up to the year 9999, and
 * `next_s` is untouched. Moments are of the years 1 to 9999; an earlier `after_s` counts as just
 * before them. */
bool leat_cron_next(const struct leat_cron *cron, const struct leat_zone *zone, int64_t after_s,
                    int64_t *next_s);

/* The first `count` moments after `after_s`, ascending. Returns how many there are. */
uint32_t leat_cron_list(const struct leat_cron *cron, const struct leat_zone *zone, int64_t after_s,
                        int64_t *moments_s, uint32_t count);

/* Whether it has a day in a year of this kind: what I2 says, computed anew. */
uint16_t leat_cron_years(const struct leat_cron *cron);

/* Checks I1 and I2; says on `why` (may be NULL) what is wrong. */
bool leat_cron_check(const struct leat_cron *cron, FILE *why);

#endif
