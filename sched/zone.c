/* zone.c - the TZif reader of zone.h, the rule in a file's footer, and the search in the table. All
 * that is read is checked before it is believed; the bytes may come from anywhere. */
#include "sched/zone.h"

#include <string.h>

/* Of a header: "TZif", a version, 15 reserved bytes, six numbers. */
#define HEADER_BYTES 44
#define TYPE_BYTES   6

/* The rule is written out from the year before the last change of the table, and the repeated
 * period begins two years behind it, when the rule alone holds. */
#define RULE_YEARS_BEFORE 1
#define RULE_YEARS_AFTER  2
#define RULE_CHANGES_MAX  (2 * (RULE_YEARS_BEFORE + RULE_YEARS_AFTER + LEAT_PERIOD_YEARS + 1))

/* Hours of an offset and of the time of a change in a TZ string. */
#define OFFSET_HOURS_MAX 24
#define TIME_HOURS_MAX   167

enum day_kind {
    DAY_JULIAN,  /* Jn: 1 to 365, 29 February is never counted */
    DAY_COUNTED, /* n: 0 to 365 */
    DAY_WEEKDAY  /* Mm.w.d: the w-th weekday d of month m, the last one if w is 5 */
};

struct day_rule {
    enum day_kind kind;
    uint32_t month;
    uint32_t week;
    uint32_t day;
    int32_t time_s; /* local, from midnight */
};

/* A TZ string. */
struct rule {
    bool present;
    bool summer; /* there is a second offset */
    int32_t standard_s;
    int32_t summer_s;
    struct day_rule begin; /* of the second offset, in local time of the first one */
    struct day_rule end;   /* in local time of the second one */
};

/* What is not read yet. */
struct rest {
    const uint8_t *at;
    const uint8_t *end;
};

struct header {
    uint8_t version;
    uint32_t isut_count;
    uint32_t isstd_count;
    uint32_t leap_count;
    uint32_t time_count;
    uint32_t type_count;
    uint32_t char_count;
};

/* Where the data stand that are used, in a file whose sizes fit. */
struct block {
    struct header header;
    uint32_t width; /* bytes of a moment: 4 in version 1, else 8 */
    const uint8_t *times;
    const uint8_t *indexes;
    const uint8_t *types;
};

/* ---- search --------------------------------------------------------------------------------- */

struct leat_zone_span
leat_zone_span(const struct leat_zone *zone, int64_t moment_s)
{
    LEAT_ASSERT(moment_s >= LEAT_ZONE_BEGIN_S);
    LEAT_ASSERT(moment_s < LEAT_ZONE_END_S);
    bool cycles = zone->cycle_s != INT64_MAX;
    int64_t shift_s = 0;
    if (cycles && moment_s - zone->cycle_s >= LEAT_PERIOD_S) {
        shift_s = (moment_s - zone->cycle_s) / LEAT_PERIOD_S * LEAT_PERIOD_S;
    }
    /* Changes before `low` are not after the moment, those from `high` on are. Halves each time. */
    uint32_t low = 0;
    uint32_t high = zone->changes_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (zone->changes[middle].at_s <= moment_s - shift_s) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    struct leat_zone_span span = {LEAT_ZONE_BEGIN_S, LEAT_ZONE_END_S, zone->offset_first_s};
    if (low > 0) {
        span.begin_s = zone->changes[low - 1].at_s + shift_s;
        span.offset_s = zone->changes[low - 1].offset_s;
    }
    if (low < zone->changes_count) {
        span.end_s = zone->changes[low].at_s + shift_s;
    }
    if (cycles) {
        int64_t period_s = zone->cycle_s + shift_s;
        span.begin_s = shift_s > 0 && span.begin_s < period_s ? period_s : span.begin_s;
        span.end_s = span.end_s > period_s + LEAT_PERIOD_S ? period_s + LEAT_PERIOD_S : span.end_s;
    }
    return span;
}

/* ---- the TZ string -------------------------------------------------------------------------- */

static bool
take_char(struct rest *rest, char wanted)
{
    if (rest->at == rest->end || *rest->at != (uint8_t)wanted) {
        return false;
    }
    rest->at++;
    return true;
}

static bool
is_digit(uint8_t letter)
{
    return letter >= '0' && letter <= '9';
}

static bool
is_letter(uint8_t letter)
{
    return (letter | 0x20) >= 'a' && (letter | 0x20) <= 'z';
}

/* A number in [least, most] of at most 3 digits. */
static bool
take_number(struct rest *rest, uint32_t least, uint32_t most, uint32_t *number)
{
    uint32_t value = 0;
    uint32_t digits = 0;
    for (; digits < 3 && rest->at < rest->end && is_digit(*rest->at); digits++) {
        value = value * 10 + (uint32_t)(*rest->at - '0');
        rest->at++;
    }
    *number = value;
    return digits > 0 && value >= least && value <= most;
}

/* The name of an offset: three letters or more, or anything harmless in angle brackets. Nobody
 * wants it, but behind it the offset begins. */
static bool
take_name(struct rest *rest)
{
    bool quoted = take_char(rest, '<');
    const uint8_t *begin = rest->at;
    while (rest->at < rest->end &&
           (is_letter(*rest->at) ||
            (quoted && (is_digit(*rest->at) || *rest->at == '+' || *rest->at == '-')))) {
        rest->at++;
    }
    return rest->at - begin >= 3 && (!quoted || take_char(rest, '>'));
}

/* [+-]hh[:mm[:ss]] in seconds. */
static bool
take_time(struct rest *rest, uint32_t hours_max, int32_t *seconds)
{
    bool negative = take_char(rest, '-');
    if (!negative) {
        (void)take_char(rest, '+');
    }
    uint32_t hour = 0;
    uint32_t minute = 0;
    uint32_t second = 0;
    if (!take_number(rest, 0, hours_max, &hour)) {
        return false;
    }
    if (take_char(rest, ':')) {
        if (!take_number(rest, 0, 59, &minute)) {
            return false;
        }
        if (take_char(rest, ':') && !take_number(rest, 0, 59, &second)) {
            return false;
        }
    }
    int32_t value = (int32_t)(hour * 3600 + minute * 60 + second);
    *seconds = negative ? -value : value;
    return true;
}

/* ,date[/time] */
static bool
take_day(struct rest *rest, struct day_rule *day)
{
    bool taken = take_char(rest, ',');
    if (take_char(rest, 'M')) {
        day->kind = DAY_WEEKDAY;
        taken = taken && take_number(rest, 1, 12, &day->month) && take_char(rest, '.') &&
                take_number(rest, 1, 5, &day->week) && take_char(rest, '.') &&
                take_number(rest, 0, 6, &day->day);
    } else if (take_char(rest, 'J')) {
        day->kind = DAY_JULIAN;
        taken = taken && take_number(rest, 1, 365, &day->day);
    } else {
        day->kind = DAY_COUNTED;
        taken = taken && take_number(rest, 0, 365, &day->day);
    }
    day->time_s = 2 * 3600;
    return taken && (!take_char(rest, '/') || take_time(rest, TIME_HOURS_MAX, &day->time_s));
}

/* In a TZ string offsets are counted to the west. A second offset without dates is not enough here:
 * what POSIX leaves to the system is no rule of a zone. */
static bool
rule_read(struct rest rest, struct rule *rule)
{
    memset(rule, 0, sizeof(*rule));
    if (rest.at == rest.end) {
        return true;
    }
    int32_t west_s = 0;
    if (!take_name(&rest) || !take_time(&rest, OFFSET_HOURS_MAX, &west_s)) {
        return false;
    }
    rule->present = true;
    rule->standard_s = -west_s;
    if (rest.at == rest.end) {
        return true;
    }
    rule->summer = true;
    if (!take_name(&rest)) {
        return false;
    }
    west_s -= 3600;
    if (rest.at < rest.end && *rest.at != ',' && !take_time(&rest, OFFSET_HOURS_MAX, &west_s)) {
        return false;
    }
    rule->summer_s = -west_s;
    return take_day(&rest, &rule->begin) && take_day(&rest, &rule->end) && rest.at == rest.end;
}

/* Local time of a change in a year. */
static int64_t
day_local(const struct day_rule *rule, int32_t year)
{
    int64_t day = leat_days_of_date(year, 1, 1) + rule->day;
    if (rule->kind == DAY_JULIAN) {
        day -= leat_year_leap(year) && rule->day >= 60 ? 0 : 1;
    } else if (rule->kind == DAY_WEEKDAY) {
        int64_t first = leat_days_of_date(year, rule->month, 1);
        uint32_t date = 1 + (rule->day + 7 - leat_weekday(first)) % 7 + 7 * (rule->week - 1);
        /* The fifth one is the last one, where a month has four. */
        date -= date > leat_month_length(year, rule->month) ? 7 : 0;
        day = first + date - 1;
    }
    return day * LEAT_DAY_S + rule->time_s;
}

/* ---- the table ------------------------------------------------------------------------------ */

/* pre: not before the last one. What changes nothing is left out: also where summer time ends and
 * begins in the same moment, which is how a rule says that it never ends. */
static void
append(struct leat_zone *zone, int64_t at_s, int32_t offset_s)
{
    if (at_s > LEAT_TIME_LAST_S) {
        return;
    }
    if (at_s < LEAT_TIME_FIRST_S) {
        zone->offset_first_s = offset_s;
        return;
    }
    uint32_t count = zone->changes_count;
    if (count > 0 && zone->changes[count - 1].at_s == at_s) {
        count--;
    }
    int32_t before_s = count > 0 ? zone->changes[count - 1].offset_s : zone->offset_first_s;
    if (offset_s != before_s) {
        LEAT_ASSERT(count < zone->capacity);
        zone->changes[count].at_s = at_s;
        zone->changes[count].offset_s = offset_s;
        count++;
    }
    zone->changes_count = count;
}

/* Writes the rule out behind `last_s`, the last change of the file, up to the end of the period
 * that is repeated. False: in its order of changes one year overtakes another. */
static bool
extend(struct leat_zone *zone, const struct rule *rule, int64_t last_s)
{
    int64_t from_s = last_s < LEAT_TIME_FIRST_S ? LEAT_TIME_FIRST_S : last_s;
    int32_t year = leat_date_of_days(leat_days_of_time(from_s)).year;
    int32_t cycle_year = year + RULE_YEARS_AFTER;
    zone->cycle_s = leat_days_of_date(cycle_year, 1, 1) * LEAT_DAY_S;
    int64_t end_s = zone->cycle_s + LEAT_PERIOD_S;
    int64_t previous_s = INT64_MIN;
    for (int32_t i = year - RULE_YEARS_BEFORE; i <= cycle_year + LEAT_PERIOD_YEARS; i++) {
        struct leat_zone_change pair[2] = {
            {day_local(&rule->begin, i) - rule->standard_s, rule->summer_s},
            {day_local(&rule->end, i) - rule->summer_s, rule->standard_s}};
        uint32_t first = pair[1].at_s < pair[0].at_s;
        if (pair[first].at_s < previous_s) {
            return false;
        }
        previous_s = pair[1 - first].at_s;
        for (uint32_t j = 0; j < 2; j++) {
            const struct leat_zone_change *change = &pair[j ^ first];
            if (change->at_s > last_s && change->at_s < end_s) {
                append(zone, change->at_s, change->offset_s);
            }
        }
    }
    return true;
}

/* ---- the file ------------------------------------------------------------------------------- */

/* Most significant byte first, in two's complement. */
static int64_t
big_endian(const uint8_t *bytes, uint32_t width)
{
    uint64_t value = (bytes[0] & 0x80) != 0 ? UINT64_MAX : 0;
    for (uint32_t i = 0; i < width; i++) {
        value = value << 8 | bytes[i];
    }
    return (int64_t)value;
}

static bool
header_read(struct rest *rest, struct header *header)
{
    if (rest->end - rest->at < HEADER_BYTES || memcmp(rest->at, "TZif", 4) != 0) {
        return false;
    }
    uint32_t counts[6];
    for (uint32_t i = 0; i < 6; i++) {
        counts[i] = (uint32_t)big_endian(rest->at + 20 + (size_t)i * 4, 4);
    }
    header->version = rest->at[4];
    header->isut_count = counts[0];
    header->isstd_count = counts[1];
    header->leap_count = counts[2];
    header->time_count = counts[3];
    header->type_count = counts[4];
    header->char_count = counts[5];
    rest->at += HEADER_BYTES;
    return true;
}

/* Reads a header and steps over its data. False: they do not fit into the file. */
static bool
block_read(struct rest *rest, uint32_t width, struct block *block)
{
    struct header *header = &block->header;
    if (!header_read(rest, header)) {
        return false;
    }
    /* Sums of products of 32 bits do not overflow 64. */
    uint64_t times_bytes = (uint64_t)header->time_count * width;
    uint64_t types_bytes = (uint64_t)header->type_count * TYPE_BYTES;
    uint64_t bytes = times_bytes + header->time_count + types_bytes + header->char_count +
                     (uint64_t)header->leap_count * (width + 4) + header->isstd_count +
                     header->isut_count;
    if (bytes > (uint64_t)(rest->end - rest->at)) {
        return false;
    }
    block->width = width;
    block->times = rest->at;
    block->indexes = block->times + times_bytes;
    block->types = block->indexes + header->time_count;
    rest->at += bytes;
    return true;
}

static int32_t
type_offset(const struct block *block, uint32_t type)
{
    return (int32_t)big_endian(block->types + (size_t)type * TYPE_BYTES, 4);
}

static int64_t
time_at(const struct block *block, uint32_t index)
{
    return big_endian(block->times + (size_t)index * block->width, block->width);
}

/* RFC 9636, section 3: what a reader may rely on. */
static bool
block_sound(const struct block *block)
{
    const struct header *header = &block->header;
    bool sound = header->type_count > 0 && header->char_count > 0 &&
                 (header->isstd_count == 0 || header->isstd_count == header->type_count) &&
                 (header->isut_count == 0 || header->isut_count == header->type_count);
    for (uint32_t i = 0; i < header->type_count && sound; i++) {
        const uint8_t *type = block->types + (size_t)i * TYPE_BYTES;
        int32_t offset_s = type_offset(block, i);
        sound = offset_s >= LEAT_ZONE_OFFSET_MIN_S && offset_s <= LEAT_ZONE_OFFSET_MAX_S &&
                type[4] <= 1 && type[5] < header->char_count;
    }
    for (uint32_t i = 0; i < header->time_count && sound; i++) {
        sound = block->indexes[i] < header->type_count &&
                (i == 0 || time_at(block, i - 1) < time_at(block, i));
    }
    return sound;
}

/* The text between two line ends behind the second block; empty in version 1. */
static bool
footer_find(struct rest rest, struct rest *footer)
{
    if (!take_char(&rest, '\n')) {
        return false;
    }
    const uint8_t *end = memchr(rest.at, '\n', (size_t)(rest.end - rest.at));
    footer->at = rest.at;
    footer->end = end;
    return end != NULL;
}

/* The block that counts, and the footer. */
static enum leat_zone_result
file_read(struct rest rest, struct block *block, struct rest *footer)
{
    footer->at = rest.end;
    footer->end = rest.end;
    if (!block_read(&rest, 4, block)) {
        return LEAT_ZONE_DAMAGED;
    }
    if (block->header.version != 0) {
        if (block->header.version < '2' || block->header.version > '4') {
            return LEAT_ZONE_UNSUPPORTED;
        }
        uint8_t version = block->header.version;
        if (!block_read(&rest, 8, block) || block->header.version != version ||
            !footer_find(rest, footer)) {
            return LEAT_ZONE_DAMAGED;
        }
    }
    if (block->header.leap_count > 0) {
        return LEAT_ZONE_UNSUPPORTED;
    }
    if (block->header.time_count > LEAT_ZONE_CHANGES_MAX) {
        return LEAT_ZONE_TOO_LARGE;
    }
    return block_sound(block) ? LEAT_ZONE_OK : LEAT_ZONE_DAMAGED;
}

enum leat_zone_result
leat_zone_init(struct leat_zone *zone, const struct leat_memory *memory, const uint8_t *bytes,
               size_t size)
{
    struct block block;
    struct rest footer;
    struct rule rule;
    enum leat_zone_result result = file_read((struct rest){bytes, bytes + size}, &block, &footer);
    if (result != LEAT_ZONE_OK) {
        return result;
    }
    if (!rule_read(footer, &rule)) {
        return LEAT_ZONE_DAMAGED;
    }
    uint32_t times = block.header.time_count;
    struct leat_zone made = leat_zone_utc();
    made.capacity = times + (rule.summer ? RULE_CHANGES_MAX : 0);
    if (made.capacity > 0) {
        made.changes = leat_memory_take(memory, made.capacity * sizeof(*made.changes));
        if (made.changes == NULL) {
            return LEAT_ZONE_NO_MEMORY;
        }
    }
    /* A footer holds behind the last change; without any, always. */
    made.offset_first_s = times == 0 && rule.present ? rule.standard_s : type_offset(&block, 0);
    int64_t last_s = INT64_MIN;
    for (uint32_t i = 0; i < times; i++) {
        last_s = time_at(&block, i);
        append(&made, last_s, type_offset(&block, block.indexes[i]));
    }
    if (rule.summer && last_s <= LEAT_TIME_LAST_S && !extend(&made, &rule, last_s)) {
        leat_zone_fini(&made, memory);
        return LEAT_ZONE_DAMAGED;
    }
    *zone = made;
    return LEAT_ZONE_OK;
}

void
leat_zone_fini(struct leat_zone *zone, const struct leat_memory *memory)
{
    leat_memory_give(memory, zone->changes, zone->capacity * sizeof(*zone->changes));
    *zone = leat_zone_utc();
}

struct leat_zone
leat_zone_utc(void)
{
    return (struct leat_zone){.cycle_s = INT64_MAX};
}

const char *
leat_zone_result_text(enum leat_zone_result result)
{
    switch (result) {
    case LEAT_ZONE_OK:
        return "ok";
    case LEAT_ZONE_NAME:
        return "this is no name of a time zone";
    case LEAT_ZONE_MISSING:
        return "there is no such time zone";
    case LEAT_ZONE_UNREADABLE:
        return "the file of the time zone cannot be read";
    case LEAT_ZONE_DAMAGED:
        return "the file of the time zone is damaged";
    case LEAT_ZONE_UNSUPPORTED:
        return "the file of the time zone is of a later version, or counts leap seconds";
    case LEAT_ZONE_TOO_LARGE:
        return "the file of the time zone is too large";
    case LEAT_ZONE_NO_MEMORY:
        return "there is no memory for the time zone";
    }
    return "unknown result";
}

/* ---- checks --------------------------------------------------------------------------------- */

static bool
offset_sound(int32_t offset_s)
{
    return offset_s >= LEAT_ZONE_OFFSET_MIN_S && offset_s <= LEAT_ZONE_OFFSET_MAX_S;
}

bool
leat_zone_check(const struct leat_zone *zone, FILE *why)
{
    bool sound = zone->changes_count <= zone->capacity && offset_sound(zone->offset_first_s);
    int64_t end_s = LEAT_TIME_LAST_S;
    if (zone->cycle_s < LEAT_TIME_LAST_S - LEAT_PERIOD_S) {
        end_s = zone->cycle_s + LEAT_PERIOD_S - 1;
    }
    int64_t before_s = LEAT_TIME_FIRST_S - 1;
    int32_t offset_s = zone->offset_first_s;
    for (uint32_t i = 0; i < zone->changes_count && sound; i++) {
        const struct leat_zone_change *change = &zone->changes[i];
        sound = change->at_s > before_s && change->at_s <= end_s && change->offset_s != offset_s &&
                offset_sound(change->offset_s);
        before_s = change->at_s;
        offset_s = change->offset_s;
        if (!sound && why != NULL) {
            (void)fprintf(why, "zone: change %u at %lld is out of order or range\n", i,
                          (long long)change->at_s);
        }
    }
    return sound;
}
