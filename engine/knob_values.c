/* knob_values.c - values of knobs: read, written, checked, and their places in the structs. */
#include "engine/knobs.h"

#include <stdio.h>
#include <string.h>

#include "engine/buckets.h"
#include "engine/config.h"

/* A word behind a number, and what it multiplies by; the largest first. */
struct unit {
    const char *name;
    uint64_t times;
};

static const struct unit durations[] = {
    {"d", UINT64_C(86400000000000)},
    {"h", UINT64_C(3600000000000)},
    {"m", UINT64_C(60000000000)},
    {"s", UINT64_C(1000000000)},
    {"ms", UINT64_C(1000000)},
    {"us", UINT64_C(1000)},
    {"ns", UINT64_C(1)},
    {NULL, 0},
};
/* The first of each are those that are written. */
static const struct unit sizes[] = {
    {"GiB", UINT64_C(1) << 30},
    {"MiB", UINT64_C(1) << 20},
    {"KiB", UINT64_C(1) << 10},
    {"B", UINT64_C(1)},
    {"g", UINT64_C(1) << 30},
    {"m", UINT64_C(1) << 20},
    {"k", UINT64_C(1) << 10},
    {"G", UINT64_C(1) << 30},
    {"M", UINT64_C(1) << 20},
    {"K", UINT64_C(1) << 10},
    {NULL, 0},
};
static const struct unit counts[] = {{NULL, 0}};

static const struct unit *
units_of(enum leat_knob_kind kind)
{
    const struct unit *of_size = kind == LEAT_KNOB_SIZE ? sizes : counts;
    return kind == LEAT_KNOB_DURATION ? durations : of_size;
}

/* ---- the range ------------------------------------------------------------------------------ */

static bool
number_allowed(const struct leat_knob *knob, uint64_t number)
{
    if ((knob->also & LEAT_KNOB_OR_ZERO) != 0 && number == 0) {
        return true;
    }
    if ((knob->also & LEAT_KNOB_OR_AUTO) != 0 && number == LEAT_AUTO) {
        return true;
    }
    if ((knob->also & LEAT_KNOB_OR_FOREVER) != 0 && number == LEAT_FOREVER) {
        return true;
    }
    if ((knob->also & LEAT_KNOB_POWER_OF_TWO) != 0 && (number & (number - 1)) != 0) {
        return false;
    }
    if ((knob->also & LEAT_KNOB_MULTIPLE) != 0 && number % 16 != 0) {
        return false;
    }
    return number >= knob->least && number <= knob->most;
}

bool
leat_knob_allows(const struct leat_knob *knob, const struct leat_knob_value *value)
{
    if (knob->kind == LEAT_KNOB_RATE) {
        const struct leat_rate rate = {value->number[0], value->number[1], value->number[2]};
        return leat_rate_valid(&rate);
    }
    return number_allowed(knob, knob->kind == LEAT_KNOB_TEXT ? value->length : value->number[0]);
}

/* ---- read ----------------------------------------------------------------------------------- */

/* Digits and a unit. False: something else, or more than 64 bits. */
static bool
number_parse(struct leat_slice text, const struct unit *units, uint64_t *number)
{
    uint64_t value = 0;
    size_t digits = 0;
    for (; digits < text.length && text.text[digits] >= '0' && text.text[digits] <= '9'; digits++) {
        uint64_t digit = (uint64_t)(text.text[digits] - '0');
        if (value > (UINT64_MAX - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    const struct leat_slice rest = {text.text + digits, text.length - digits};
    uint64_t times = rest.length == 0 ? 1 : 0;
    for (; units->name != NULL && times == 0; units++) {
        times = leat_slice_is(rest, units->name) ? units->times : 0;
    }
    if (digits == 0 || times == 0 || value > UINT64_MAX / times) {
        return false;
    }
    *number = value * times;
    return true;
}

/* Cuts off what stands before the first `letter`, and that; all where there is none. */
static struct leat_slice
cut(struct leat_slice *rest, char letter)
{
    const char *found = rest->length == 0 ? NULL : memchr(rest->text, letter, rest->length);
    struct leat_slice part = *rest;
    size_t taken = rest->length;
    if (found != NULL) {
        part.length = (size_t)(found - rest->text);
        taken = part.length + 1;
    }
    rest->text += taken;
    rest->length -= taken;
    return part;
}

/* JOBS/TIME or JOBS/TIME/BURST, or 0. */
static bool
rate_parse(struct leat_slice text, uint64_t number[3])
{
    struct leat_slice rest = text;
    const struct leat_slice jobs = cut(&rest, '/');
    const struct leat_slice time = cut(&rest, '/');
    number[1] = 0;
    number[2] = 0;
    if (!number_parse(jobs, counts, &number[0])) {
        return false;
    }
    if (jobs.length == text.length) {
        return number[0] == 0;
    }
    bool bare = time.length + jobs.length + 1 == text.length;
    return number_parse(time, durations, &number[1]) &&
           (bare || number_parse(rest, counts, &number[2]));
}

static bool
switch_parse(struct leat_slice text, uint64_t *number)
{
    static const char *const names[] = {"false", "true", "no", "yes", "off", "on", "0", "1"};
    for (uint32_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (leat_slice_is(text, names[i])) {
            *number = i % 2;
            return true;
        }
    }
    return false;
}

static bool
word_parse(const struct leat_knob *knob, struct leat_slice text, uint64_t *number)
{
    for (uint32_t i = 0; text.length != 0 && knob->words[i] != NULL; i++) {
        if (leat_slice_is(text, knob->words[i])) {
            *number = i;
            return true;
        }
    }
    return false;
}

static bool
named_parse(const struct leat_knob *knob, struct leat_slice text, uint64_t *number)
{
    if ((knob->also & LEAT_KNOB_OR_AUTO) != 0 && leat_slice_is(text, "auto")) {
        *number = LEAT_AUTO;
        return true;
    }
    if ((knob->also & LEAT_KNOB_OR_FOREVER) != 0 && leat_slice_is(text, "forever")) {
        *number = LEAT_FOREVER;
        return true;
    }
    return false;
}

bool
leat_knob_parse(const struct leat_knob *knob, struct leat_slice text, struct leat_knob_value *value)
{
    struct leat_knob_value parsed = {{0, 0, 0}, text.text, text.length};
    bool good = true;
    switch (knob->kind) {
    case LEAT_KNOB_TEXT:
        break;
    case LEAT_KNOB_RATE:
        good = rate_parse(text, parsed.number);
        break;
    case LEAT_KNOB_SWITCH:
        good = switch_parse(text, &parsed.number[0]);
        break;
    case LEAT_KNOB_WORD:
        good = word_parse(knob, text, &parsed.number[0]);
        break;
    case LEAT_KNOB_COUNT:
    case LEAT_KNOB_DURATION:
    case LEAT_KNOB_SIZE:
        good = named_parse(knob, text, &parsed.number[0]) ||
               number_parse(text, units_of(knob->kind), &parsed.number[0]);
        break;
    }
    if (good && leat_knob_allows(knob, &parsed)) {
        *value = parsed;
        return true;
    }
    return false;
}

const char *
leat_knob_units(const struct leat_knob *knob, struct leat_slice text)
{
    uint64_t number = 0;
    if (number_parse(text, units_of(knob->kind), &number)) {
        return "";
    }
    if (knob->kind == LEAT_KNOB_DURATION) {
        return "; its units are ns, us, ms, s, m, h and d";
    }
    return knob->kind == LEAT_KNOB_SIZE ? "; its units are B, KiB, MiB and GiB, or k, m and g" : "";
}

/* ---- written -------------------------------------------------------------------------------- */

/* A number by the largest unit that it is a multiple of. */
static void
number_write(enum leat_knob_kind kind, uint64_t number, char text[32])
{
    const struct unit *unit = units_of(kind);
    while (unit->name != NULL && (number == 0 || number % unit->times != 0)) {
        unit++;
    }
    bool named = unit->name != NULL;
    (void)snprintf(text, 32, "%llu%s", (unsigned long long)(named ? number / unit->times : number),
                   named ? unit->name : "");
}

static void
rate_write(const uint64_t number[3], char *text, size_t bytes)
{
    char time[32];
    if (number[0] == 0) {
        (void)snprintf(text, bytes, "0");
        return;
    }
    number_write(LEAT_KNOB_DURATION, number[1], time);
    int length = snprintf(text, bytes, "%llu/%s", (unsigned long long)number[0], time);
    if (number[2] != 0 && length > 0 && (size_t)length < bytes) {
        (void)snprintf(text + length, bytes - (size_t)length, "/%llu",
                       (unsigned long long)number[2]);
    }
}

void
leat_knob_write(const struct leat_knob *knob, const struct leat_knob_value *value, char *text,
                size_t bytes)
{
    uint64_t number = value->number[0];
    char plain[32];
    if (knob->kind == LEAT_KNOB_RATE) {
        rate_write(value->number, text, bytes);
    } else if (knob->kind == LEAT_KNOB_TEXT) {
        (void)snprintf(text, bytes, "%s", value->text == NULL ? "" : value->text);
    } else if (knob->kind == LEAT_KNOB_SWITCH) {
        (void)snprintf(text, bytes, "%s", number == 0 ? "false" : "true");
    } else if (knob->kind == LEAT_KNOB_WORD) {
        /* A list and a function, which only a program can say, have no word. */
        (void)snprintf(text, bytes, "%s", number <= knob->most ? knob->words[number] : "");
    } else if ((knob->also & LEAT_KNOB_OR_AUTO) != 0 && number == LEAT_AUTO) {
        (void)snprintf(text, bytes, "auto");
    } else if ((knob->also & LEAT_KNOB_OR_FOREVER) != 0 && number == LEAT_FOREVER) {
        (void)snprintf(text, bytes, "forever");
    } else {
        number_write(knob->kind, number, plain);
        (void)snprintf(text, bytes, "%s", plain);
    }
}

static void
words_write(const struct leat_knob *knob, char *text, size_t bytes)
{
    size_t length = 0;
    text[0] = '\0';
    for (uint32_t i = 0; knob->words[i] != NULL; i++) {
        bool last = knob->words[i + 1] == NULL;
        const char *between = last ? " or " : ", ";
        if (knob->words[i][0] != '\0' && length < bytes) {
            int more = snprintf(text + length, bytes - length, "%s%s", length == 0 ? "" : between,
                                knob->words[i]);
            length += more > 0 ? (size_t)more : 0;
        }
    }
}

void
leat_knob_range(const struct leat_knob *knob, char *text, size_t bytes)
{
    char least[32];
    char most[32];
    number_write(knob->kind, knob->least, least);
    number_write(knob->kind, knob->most, most);
    if (knob->kind == LEAT_KNOB_WORD) {
        words_write(knob, text, bytes);
    } else if (knob->kind == LEAT_KNOB_SWITCH) {
        (void)snprintf(text, bytes, "true or false");
    } else if (knob->kind == LEAT_KNOB_RATE) {
        (void)snprintf(text, bytes,
                       "0, JOBS/TIME or JOBS/TIME/BURST with JOBS at most the nanoseconds of TIME "
                       "and %llu, BURST at most %llu",
                       (unsigned long long)LEAT_RATE_JOBS_MAX,
                       (unsigned long long)LEAT_RATE_BURST_MAX);
    } else if (knob->scope == LEAT_KNOB_BUILD && knob->most == 0) {
        text[0] = '\0';
    } else {
        const char *also = "";
        also = (knob->also & LEAT_KNOB_OR_ZERO) != 0 ? "0 or " : also;
        also = (knob->also & LEAT_KNOB_OR_AUTO) != 0 ? "auto or " : also;
        also = (knob->also & LEAT_KNOB_OR_FOREVER) != 0 ? "forever or " : also;
        also = (knob->also & LEAT_KNOB_POWER_OF_TWO) != 0 ? "a power of two from " : also;
        also = (knob->also & LEAT_KNOB_MULTIPLE) != 0 ? "a multiple of 16 from " : also;
        const char *first = knob->kind == LEAT_KNOB_TEXT && knob->also != 0 ? "nothing or " : also;
        (void)snprintf(text, bytes, "%s%s to %s%s", first, least, most,
                       knob->kind == LEAT_KNOB_TEXT ? " bytes" : "");
    }
}

/* ---- places --------------------------------------------------------------------------------- */

struct leat_knob_value
leat_knob_get(const struct leat_knob *knob, const void *base)
{
    const unsigned char *place = (const unsigned char *)base + knob->offset;
    struct leat_knob_value value = {{0, 0, 0}, NULL, 0};
    if (knob->kind == LEAT_KNOB_TEXT) {
        memcpy(&value.text, place, sizeof(value.text));
        value.length = value.text == NULL ? 0 : strnlen(value.text, knob->most + 1);
    } else if (knob->kind == LEAT_KNOB_RATE) {
        struct leat_rate rate;
        memcpy(&rate, place, sizeof(rate));
        value.number[0] = rate.jobs;
        value.number[1] = rate.per_ns;
        value.number[2] = rate.burst;
    } else if (knob->bytes == sizeof(uint64_t)) {
        memcpy(&value.number[0], place, sizeof(uint64_t));
    } else if (knob->bytes == sizeof(uint32_t)) {
        uint32_t number = 0;
        memcpy(&number, place, sizeof(number));
        value.number[0] = number;
    } else {
        value.number[0] = *place;
    }
    return value;
}

void
leat_knob_put(const struct leat_knob *knob, void *base, const struct leat_knob_value *value)
{
    unsigned char *place = (unsigned char *)base + knob->offset;
    uint32_t number = (uint32_t)value->number[0];
    if (knob->kind == LEAT_KNOB_TEXT) {
        memcpy(place, &value->text, sizeof(value->text));
    } else if (knob->kind == LEAT_KNOB_RATE) {
        const struct leat_rate rate = {value->number[0], value->number[1], value->number[2]};
        memcpy(place, &rate, sizeof(rate));
    } else if (knob->bytes == sizeof(uint64_t)) {
        memcpy(place, &value->number[0], sizeof(uint64_t));
    } else if (knob->bytes == sizeof(uint32_t)) {
        memcpy(place, &number, sizeof(number));
    } else {
        *place = (unsigned char)number;
    }
}

/* ---- a configuration ------------------------------------------------------------------------ */

enum leat_status
leat_knobs_check(const struct leat_config *config, struct leat_error *error)
{
    for (uint32_t i = 0; i < leat_knob_first(LEAT_KNOB_QUEUE); i++) {
        const struct leat_knob *knob = leat_knob_at(i);
        const struct leat_knob_value value = leat_knob_get(knob, config);
        if (!leat_knob_allows(knob, &value)) {
            char range[LEAT_KNOB_TEXT_BYTES];
            char text[LEAT_KNOB_TEXT_BYTES + 16];
            leat_knob_range(knob, range, sizeof(range));
            (void)snprintf(text, sizeof(text), "must be %s", range);
            return leat_error_set(error, LEAT_INVALID, knob->name, text);
        }
    }
    return LEAT_OK;
}
