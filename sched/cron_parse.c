/* cron_parse.c - reads the text of a cron expression, from left to right and without a step back,
 * and says at which character it is wrong. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sched/cron.h"

#define NUMBER_SHOWN_MAX 20 /* digits of a number that is refused */
#define WORD_SHOWN_MAX   8  /* letters of a word that is: with all months the sentence fits */

enum field_id { SECOND, MINUTE, HOUR, DAY, MONTH, WEEKDAY, FIELDS };

/* The last value of a weekday is 7, Sunday once more. */
static const struct field {
    char name[16];
    char names[40]; /* three letters each, from the first value */
    uint32_t low;
    uint32_t high;
} fields[FIELDS] = {
    [SECOND] = {"second", "", 0, 59},
    [MINUTE] = {"minute", "", 0, 59},
    [HOUR] = {"hour", "", 0, 23},
    [DAY] = {"day of month", "", 1, 31},
    [MONTH] = {"month", "janfebmaraprmayjunjulaugsepoctnovdec", 1, 12},
    [WEEKDAY] = {"day of week", "sunmontuewedthufrisat", 0, 7},
};

static const struct macro {
    char name[12];
    char text[16];
} macros[] = {
    {"@hourly", "0 * * * *"},   {"@daily", "0 0 * * *"},   {"@midnight", "0 0 * * *"},
    {"@weekly", "0 0 * * 0"},   {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"},
    {"@annually", "0 0 1 1 *"},
};

/* From one value to another, each step-th. */
struct range {
    uint32_t low;
    uint32_t high;
    uint32_t step;
};

struct reader {
    const char *text;
    uint32_t at;  /* the next character */
    uint32_t end; /* of the field, later of the text */
    enum field_id id;
    struct leat_cron cron;
    uint64_t bits[FIELDS];
    struct leat_cron_error *error;
};

/* ---- characters ----------------------------------------------------------------------------- */

/* Always false. */
static bool
refuse(struct reader *reader, uint32_t at, const char *text)
{
    struct leat_cron_error error = {
        .line = 1, .column = 1, .field = reader->id < FIELDS ? fields[reader->id].name : ""};
    for (uint32_t i = 0; i < at; i++) {
        error.line += reader->text[i] == '\n';
        error.column = reader->text[i] == '\n' ? 1 : error.column + 1;
    }
    (void)snprintf(error.text, sizeof(error.text), "%s", text);
    *reader->error = error;
    return false;
}

/* The same of the number that begins at `at` and ends here, however long it is. */
static bool
refuse_number(struct reader *reader, uint32_t at)
{
    const struct field *field = &fields[reader->id];
    char text[sizeof(reader->error->text)];
    uint32_t digits = reader->at - at < NUMBER_SHOWN_MAX ? reader->at - at : NUMBER_SHOWN_MAX;
    (void)snprintf(text, sizeof(text), "%.*s is out of range %" PRIu32 "-%" PRIu32, (int)digits,
                   reader->text + at, field->low, field->high);
    return refuse(reader, at, text);
}

static char
lower(char letter)
{
    if (letter >= 'A' && letter <= 'Z') {
        return (char)(letter + ('a' - 'A'));
    }
    return letter;
}

static bool
is_space(char letter)
{
    return letter == ' ' || letter == '\t' || letter == '\n' || letter == '\r';
}

static bool
is_digit(char letter)
{
    return letter >= '0' && letter <= '9';
}

static bool
is_letter(char letter)
{
    return lower(letter) >= 'a' && lower(letter) <= 'z';
}

/* The next character, in lower case; 0 at the end. */
static char
peek(const struct reader *reader)
{
    if (reader->at == reader->end) {
        return '\0';
    }
    return lower(reader->text[reader->at]);
}

static bool
take(struct reader *reader, char wanted)
{
    bool taken = peek(reader) == wanted;
    reader->at += taken;
    return taken;
}

static void
skip_spaces(struct reader *reader)
{
    while (is_space(peek(reader))) {
        reader->at++;
    }
}

/* The end of the word that begins here. */
static uint32_t
word_end(const struct reader *reader)
{
    uint32_t end = reader->at;
    while (end < reader->end && !is_space(reader->text[end])) {
        end++;
    }
    return end;
}

/* Whether the text from `at` on reads like `word`, whatever the case. */
static bool
reads(const struct reader *reader, uint32_t at, const char *word, uint32_t length)
{
    bool same = reader->end - at >= length;
    for (uint32_t i = 0; i < length && same; i++) {
        same = lower(reader->text[at + i]) == word[i];
    }
    return same;
}

/* A number up to `most`; beyond: most + 1. The caller has seen a digit. */
static uint64_t
take_number(struct reader *reader, uint64_t most)
{
    uint64_t value = 0;
    while (is_digit(peek(reader))) {
        value = value * 10 + (uint64_t)(peek(reader) - '0');
        value = value > most ? most + 1 : value;
        reader->at++;
    }
    return value;
}

/* ---- items of a field ----------------------------------------------------------------------- */

/* The letters from `at` on are no name of the field. Says which there are. */
static bool
refuse_name(struct reader *reader, uint32_t at)
{
    const char *names = fields[reader->id].names;
    char text[sizeof(reader->error->text)];
    uint32_t count = 0;
    while (count < WORD_SHOWN_MAX && at + count < reader->end &&
           is_letter(reader->text[at + count])) {
        count++;
    }
    if (names[0] == '\0') {
        return refuse(reader, at, "this field has no names");
    }
    int length =
        snprintf(text, sizeof(text), "%.*s is no name; there are", (int)count, reader->text + at);
    for (; *names != '\0' && length > 0 && (size_t)length + 5 <= sizeof(text); names += 3) {
        text[length] = ' ';
        for (uint32_t i = 0; i < 3; i++) {
            text[length + 1 + (int)i] = (char)(names[i] - ('a' - 'A'));
        }
        length += 4;
        text[length] = '\0';
    }
    return refuse(reader, at, text);
}

/* Three letters of a month or weekday. */
static bool
take_name(struct reader *reader, uint32_t *value)
{
    const struct field *field = &fields[reader->id];
    uint32_t begin = reader->at;
    while (is_letter(peek(reader)) && reader->at - begin < 3) {
        reader->at++;
    }
    uint32_t count = (uint32_t)strlen(field->names) / 3;
    uint32_t found = 0;
    while (found < count && !(reader->at - begin == 3 &&
                              reads(reader, begin, field->names + (size_t)found * 3, 3))) {
        found++;
    }
    if (found == count) {
        return refuse_name(reader, begin);
    }
    *value = field->low + found;
    return true;
}

/* A number or name of the field. */
static bool
take_value(struct reader *reader, uint32_t *value)
{
    const struct field *field = &fields[reader->id];
    uint32_t begin = reader->at;
    if (is_letter(peek(reader))) {
        return take_name(reader, value);
    }
    if (peek(reader) == '?') {
        return refuse(reader, begin, "a value is missing: what is ? elsewhere is * here");
    }
    if (!is_digit(peek(reader))) {
        return refuse(reader, begin, "a value is missing");
    }
    *value = (uint32_t)take_number(reader, field->high);
    return (*value >= field->low && *value <= field->high) || refuse_number(reader, begin);
}

/* The part behind a star or a range: nothing, or a step that leaves more than one value. */
static bool
take_step(struct reader *reader, struct range *range)
{
    range->step = 1;
    if (!take(reader, '/')) {
        return true;
    }
    uint32_t begin = reader->at;
    if (!is_digit(peek(reader))) {
        return refuse(reader, begin, "a step is missing");
    }
    uint32_t step = (uint32_t)take_number(reader, 99);
    if (step == 0) {
        return refuse(reader, begin, "a step is at least 1");
    }
    if (step > 1 && step > range->high - range->low) {
        return refuse(reader, begin, "the step is larger than its range, so it leaves one value");
    }
    range->step = step;
    return true;
}

static void
add(struct reader *reader, const struct range *range)
{
    for (uint32_t i = range->low; i <= range->high; i += range->step) {
        reader->bits[reader->id] |= UINT64_C(1) << i;
        if (reader->id == WEEKDAY) {
            reader->cron.weekdays[i % 7] |= LEAT_CRON_EACH;
        }
    }
}

/* L, L-n, LW of the day of the month. The L is taken. */
static bool
take_last_day(struct reader *reader)
{
    if (take(reader, 'w')) {
        reader->cron.flags |= LEAT_CRON_LAST_NEAR;
        return true;
    }
    uint32_t days = 0;
    if (take(reader, '-')) {
        uint32_t begin = reader->at;
        if (!is_digit(peek(reader))) {
            return refuse(reader, begin, "a number of days is missing");
        }
        days = (uint32_t)take_number(reader, 30);
        if (days < 1 || days > 30) {
            return refuse(reader, begin, "days before the last are 1 to 30");
        }
    }
    reader->cron.days_last |= UINT32_C(1) << days;
    return true;
}

/* What may stand behind one weekday: #n or L. */
static bool
take_which(struct reader *reader, uint32_t weekday, bool *taken)
{
    *taken = true;
    if (take(reader, 'l')) {
        reader->cron.weekdays[weekday % 7] |= LEAT_CRON_LAST_WEEK;
        return true;
    }
    if (take(reader, '#')) {
        uint32_t begin = reader->at;
        uint64_t which = is_digit(peek(reader)) ? take_number(reader, 5) : 0;
        if (which < 1 || which > 5) {
            return refuse(reader, begin, "behind # stands a number from 1 to 5");
        }
        reader->cron.weekdays[weekday % 7] |= (uint8_t)(1U << (which - 1));
        return true;
    }
    *taken = false;
    return true;
}

/* What is neither star nor range: a value, and its L, W or #. */
static bool
take_single(struct reader *reader, uint32_t value)
{
    bool taken = false;
    if (reader->id == DAY && take(reader, 'w')) {
        reader->cron.days_near |= UINT32_C(1) << value;
        return true;
    }
    if (reader->id == WEEKDAY && !take_which(reader, value, &taken)) {
        return false;
    }
    if (peek(reader) == '/') {
        return refuse(reader, reader->at, "a step stands behind a star or a range");
    }
    if (!taken) {
        add(reader, &(struct range){value, value, 1});
    }
    return true;
}

/* One item of a list. */
static bool
take_item(struct reader *reader)
{
    const struct field *field = &fields[reader->id];
    uint32_t begin = reader->at;
    /* A star does not mean Sunday twice: it would spoil the steps. */
    struct range range = {field->low, reader->id == WEEKDAY ? 6 : field->high, 1};
    if (take(reader, '*')) {
        if (!take_step(reader, &range)) {
            return false;
        }
        add(reader, &range);
        return true;
    }
    if (reader->id == DAY && take(reader, 'l')) {
        return take_last_day(reader);
    }
    if (reader->id == WEEKDAY && peek(reader) == 'l') {
        return refuse(reader, begin, "the last of which weekday: write 5L or FRIL");
    }
    if (!take_value(reader, &range.low)) {
        return false;
    }
    if (!take(reader, '-')) {
        return take_single(reader, range.low);
    }
    bool named = is_letter(peek(reader));
    if (!take_value(reader, &range.high)) {
        return false;
    }
    /* FRI-SUN: a Sunday at the end of a range is the one behind Saturday. */
    range.high =
        reader->id == WEEKDAY && named && range.high == 0 && range.low > 0 ? 7 : range.high;
    if (range.low > range.high) {
        return refuse(reader, begin, "the range runs backwards");
    }
    if (!take_step(reader, &range)) {
        return false;
    }
    add(reader, &range);
    return true;
}

/* What stands here is no part of an item. */
static bool
refuse_rest(struct reader *reader)
{
    uint32_t letters = 0;
    while (letters < 4 && letters <= reader->at && is_letter(reader->text[reader->at - letters])) {
        letters++;
    }
    return refuse(reader, reader->at,
                  letters == 4 ? "this letter does not belong here: names have three, as JAN or FRI"
                               : "this character does not belong here");
}

/* Items with commas between them, up to `end`. */
static bool
take_field(struct reader *reader, enum field_id id, uint32_t end)
{
    static const uint8_t star_flags[FIELDS] = {
        [HOUR] = LEAT_CRON_ELAPSED, [DAY] = LEAT_CRON_ANY_DAY, [WEEKDAY] = LEAT_CRON_ANY_WEEKDAY};
    reader->id = id;
    reader->end = end;
    /* As in Vixie cron, the first character alone decides. */
    if (peek(reader) == '*') {
        reader->cron.flags |= star_flags[id];
    }
    do { /* each round takes a character at least, or refuses */
        if (!take_item(reader)) {
            return false;
        }
    } while (take(reader, ','));
    return reader->at == end || refuse_rest(reader);
}

/* ---- expressions ---------------------------------------------------------------------------- */

/* Where the words begin, at most one more than there are fields. */
static uint32_t
words_find(struct reader *reader, uint32_t begins[FIELDS + 1])
{
    uint32_t count = 0;
    skip_spaces(reader);
    while (reader->at < reader->end && count <= FIELDS) {
        begins[count] = reader->at;
        count++;
        reader->at = word_end(reader);
        skip_spaces(reader);
    }
    return count;
}

/* Five or six fields, in a reader at the beginning. */
static bool
take_fields(struct reader *reader)
{
    uint32_t begins[FIELDS + 1] = {0};
    uint32_t text_end = reader->end;
    uint32_t count = words_find(reader, begins);
    if (count > FIELDS) {
        return refuse(reader, begins[FIELDS], "there are 5 fields, or 6 with the seconds first");
    }
    if (count < FIELDS - 1) {
        return refuse(reader, text_end, "fields are missing: there are 5, or 6 with the seconds");
    }
    reader->bits[SECOND] = 1;
    uint32_t skipped = FIELDS - count;
    if (skipped == 0) {
        reader->bits[SECOND] = 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        reader->at = begins[i];
        reader->end = text_end;
        if (!take_field(reader, (enum field_id)(i + skipped), word_end(reader))) {
            return false;
        }
    }
    struct leat_cron *cron = &reader->cron;
    cron->seconds = reader->bits[SECOND];
    cron->minutes = reader->bits[MINUTE];
    cron->hours = (uint32_t)reader->bits[HOUR];
    cron->days = (uint32_t)reader->bits[DAY];
    cron->months = (uint16_t)reader->bits[MONTH];
    cron->years = leat_cron_years(cron);
    reader->id = DAY;
    return cron->years != 0 ||
           refuse(reader, begins[DAY - skipped], "there is no such day, so it would never fire");
}

/* What stands behind a number of an interval is none of its units, or comes too late. */
static bool
refuse_unit(struct reader *reader)
{
    static const char *const smaller[] = {"ms", "us", "ns"};
    for (uint32_t i = 0; i < 3; i++) {
        if (reads(reader, reader->at, smaller[i], 2)) {
            return refuse(reader, reader->at,
                          "here stands a unit: d, h, m, s; nothing is shorter than a second");
        }
    }
    return refuse(reader, reader->at, "here stands a unit: d, h, m, s, in this order");
}

/* Parts such as 1h30m, from the largest unit to the smallest, each at most once. */
static bool
take_interval(struct reader *reader)
{
    static const char units[] = "dhms";
    static const uint64_t seconds[] = {86400, 3600, 60, 1};
    uint32_t begin = reader->at;
    uint32_t next = 0;
    uint64_t sum_s = 0;
    if (reader->at == reader->end) {
        return refuse(reader, begin, "an interval is missing, such as 90s or 1h30m");
    }
    while (reader->at < reader->end) { /* each round takes a unit */
        if (!is_digit(peek(reader))) {
            return refuse(reader, reader->at, "a number is missing");
        }
        uint64_t number = take_number(reader, LEAT_CRON_EVERY_MAX_S);
        bool milli = reads(reader, reader->at, "ms", 2); /* else it were minutes */
        while (next < 4 && (milli || peek(reader) != units[next])) {
            next++;
        }
        if (next == 4) {
            return refuse_unit(reader);
        }
        sum_s += number * seconds[next];
        next++;
        reader->at++;
    }
    if (sum_s < 1 || sum_s > LEAT_CRON_EVERY_MAX_S) {
        return refuse(reader, begin, "an interval is at least 1s and at most 366d");
    }
    reader->cron.every_s = sum_s;
    return true;
}

/* @every or a name. On return the reader is behind it; fields of a name are taken. */
static bool
take_macro(struct reader *reader)
{
    uint32_t begin = reader->at;
    uint32_t text_end = reader->end;
    uint32_t end = word_end(reader);
    uint32_t length = end - begin;
    reader->at = end;
    skip_spaces(reader);
    if (length == 6 && reads(reader, begin, "@every", 6)) {
        reader->end = word_end(reader);
        if (!take_interval(reader)) {
            return false;
        }
        reader->end = text_end;
        skip_spaces(reader);
        return reader->at == text_end ||
               refuse(reader, reader->at, "behind the interval stands nothing");
    }
    if (reader->at < text_end) {
        return refuse(reader, reader->at, "behind such a name stands nothing");
    }
    for (uint32_t i = 0; i < sizeof(macros) / sizeof(macros[0]); i++) {
        const struct macro *macro = &macros[i];
        if (length == strlen(macro->name) && reads(reader, begin, macro->name, length)) {
            reader->text = macro->text;
            reader->at = 0;
            reader->end = (uint32_t)strlen(macro->text);
            return take_fields(reader);
        }
    }
    return refuse(reader, begin, "there is no schedule of this name");
}

bool
leat_cron_parse(struct leat_cron *cron, const char *text, struct leat_cron_error *error)
{
    struct reader reader = {.text = text,
                            .end = (uint32_t)strnlen(text, LEAT_CRON_TEXT_MAX + 1),
                            .id = FIELDS,
                            .error = error};
    if (reader.end > LEAT_CRON_TEXT_MAX) {
        return refuse(&reader, LEAT_CRON_TEXT_MAX, "the text is too long");
    }
    skip_spaces(&reader);
    bool taken = peek(&reader) == '@' ? take_macro(&reader) : take_fields(&reader);
    if (taken) {
        *cron = reader.cron;
    }
    return taken;
}
