/* fuzz_settings.c - files of settings: any bytes are taken or refused, with a place inside the
 * text, and never read beyond; random right ones come to what a plain list of their lines comes
 * to; and numbers with units stay in 64 bits, or are refused.
 *
 *   fuzz_settings [ROUNDS]     more of everything */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/settings.h"
#include "tests/support/check.h"
#include "tests/support/prng.h"

#define TEXTS      60000
#define FILES      3000
#define NUMBERS    200000
#define TEXT_BYTES 2048
#define LINES      12

static uint32_t rounds = 1;

static const struct leat_memory *
memory_of(void)
{
    static struct leat_memory memory;
    memory = leat_memory_default();
    return &memory;
}

/* ---- lines ---------------------------------------------------------------------------------- */

/* A knob of one of the three scopes that a file has. */
static const struct leat_knob *
random_knob(struct test_prng *prng, enum leat_knob_scope scope)
{
    uint32_t first = leat_knob_first((uint32_t)scope);
    return leat_knob_at(first + test_random_below(prng, leat_knob_first(scope + 1u) - first));
}

/* A right value, or letters. */
static void
random_value(struct test_prng *prng, const struct leat_knob *knob, char *text, size_t bytes)
{
    struct leat_knob_value value = {{knob->least, 1000000000, 0}, "text", 4};
    uint64_t span = knob->most - knob->least;
    if (span != 0) {
        value.number[0] += test_random(prng) % span;
    }
    if ((knob->also & LEAT_KNOB_POWER_OF_TWO) != 0) {
        /* The least one that is in the range, or a few above. */
        value.number[0] = UINT64_C(1)
                          << (leat_log2_up((uint32_t)knob->least) + test_random_below(prng, 10));
    }
    if ((knob->also & LEAT_KNOB_MULTIPLE) != 0) {
        value.number[0] -= value.number[0] % 16;
    }
    if (knob->kind == LEAT_KNOB_RATE) {
        value.number[0] = test_random_below(prng, 1000) + 1;
        value.number[2] = test_random_below(prng, 3);
    }
    leat_knob_write(knob, &value, text, bytes);
    /* The words of a program have none. */
    if (text[0] == '\0') {
        (void)snprintf(text, bytes, "fixed");
    }
}

static const char *
section_name(enum leat_knob_scope scope, uint32_t number, char name[32])
{
    const char *const words[] = {"engine", "queue", "type"};
    if (scope == LEAT_KNOB_ENGINE) {
        (void)snprintf(name, 32, "%s", words[scope]);
    } else {
        (void)snprintf(name, 32, "%s n%u", words[scope], number);
    }
    return name;
}

/* ---- any bytes ------------------------------------------------------------------------------ */

static char
random_letter(struct test_prng *prng)
{
    static const char letters[] = "[]=#; \t\n\r0123456789kmsKMiBeor_.queueworkers";
    uint32_t place = test_random_below(prng, sizeof(letters) + 2);
    if (place < sizeof(letters)) {
        return letters[place];
    }
    return (char)(unsigned char)test_random_below(prng, 256);
}

static size_t
random_text(struct test_prng *prng, char *text)
{
    size_t length = 0;
    uint32_t lines = test_random_below(prng, LINES);
    for (uint32_t i = 0; i < lines; i++) {
        enum leat_knob_scope scope = (enum leat_knob_scope)test_random_below(prng, 3);
        const struct leat_knob *knob = random_knob(prng, scope);
        char name[32];
        char value[64];
        random_value(prng, knob, value, sizeof(value));
        length += (size_t)snprintf(text + length, TEXT_BYTES - length, "[%s]\n%s = %s\n",
                                   section_name(scope, i, name), knob->name, value);
    }
    for (uint32_t i = test_random_below(prng, 4); i > 0 && length > 0; i--) {
        text[test_random_below(prng, (uint32_t)length)] = random_letter(prng);
    }
    if (test_random_below(prng, 4) == 0) {
        length = test_random_below(prng, 40);
        for (size_t i = 0; i < length; i++) {
            text[i] = random_letter(prng);
        }
    }
    return length > 0 && test_random_below(prng, 4) == 0 ? test_random_below(prng, (uint32_t)length)
                                                         : length;
}

/* The place is that of a letter, or one behind a line. */
static void
check_refusal(const char *text, size_t length, const struct leat_error *error)
{
    CHECK_STATUS(error->status, LEAT_INVALID);
    CHECK(strncmp(error->text, "f:", 2) == 0);
    char *after = NULL;
    unsigned long line = strtoul(error->text + 2, &after, 10);
    CHECK(*after == ':');
    unsigned long column = strtoul(after + 1, &after, 10);
    CHECK(*after == ':');
    size_t begin = 0;
    for (unsigned long i = 1; i < line; i++) {
        const char *found = memchr(text + begin, '\n', length - begin);
        CHECK(found != NULL);
        begin = (size_t)(found - text) + 1;
    }
    const char *end = begin < length ? memchr(text + begin, '\n', length - begin) : NULL;
    size_t letters = (end == NULL ? length : (size_t)(end - text)) - begin;
    CHECK(column >= 1 && column <= letters + 1);
}

static void
any_bytes_are_taken_or_refused(void **state)
{
    (void)state;
    struct test_prng prng = {test_seed("fuzz_settings bytes")};
    uint32_t taken = 0;
    for (uint32_t i = 0; i < TEXTS * rounds; i++) {
        static char letters[TEXT_BYTES];
        size_t length = random_text(&prng, letters);
        /* Of exactly that size, so that a sanitizer sees a read beyond. */
        char *text = malloc(length == 0 ? 1 : length);
        CHECK(text != NULL);
        memcpy(text, letters, length);
        struct leat_draft draft = {.memory = memory_of(), .source = LEAT_SOURCE_FILE, .path = "f"};
        struct leat_error error;
        enum leat_status status =
            leat_settings_read(&draft, (struct leat_slice){text, length}, &error);
        if (status == LEAT_OK) {
            taken++;
        } else {
            check_refusal(text, length, &error);
        }
        leat_draft_drop(&draft);
        free(text);
    }
    test_say("%u of %u taken\n", taken, TEXTS * rounds);
    CHECK(taken > TEXTS / 10);
    CHECK(taken < TEXTS / 10 * 9 * rounds);
}

/* ---- right files ---------------------------------------------------------------------------- */

struct line {
    const struct leat_knob *knob;
    char section[32];
    char value[64];
};

/* Blanks, comments and ends of lines that do not count. */
static size_t
noise(struct test_prng *prng, char *text, bool between)
{
    static const char *const blanks[] = {"", " ", "\t", "  \t"};
    static const char *const lines[] = {"", "\n", "# x = 1\n", " ; [y]\n", "\r\n"};
    const char *chosen = between ? lines[test_random_below(prng, TEST_COUNT_OF(lines))]
                                 : blanks[test_random_below(prng, TEST_COUNT_OF(blanks))];
    memcpy(text, chosen, strlen(chosen)); /* NOLINT(bugprone-not-null-terminated-result) */
    return strlen(chosen);
}

static size_t
line_write(struct test_prng *prng, const struct line *line, char *text)
{
    size_t length = noise(prng, text, true);
    length += (size_t)sprintf(text + length, "[%s]", line->section);
    length += noise(prng, text + length, false);
    text[length++] = '\n';
    length += noise(prng, text + length, false);
    length += (size_t)sprintf(text + length, "%s", line->knob->name);
    length += noise(prng, text + length, false);
    text[length++] = '=';
    length += noise(prng, text + length, false);
    length += (size_t)sprintf(text + length, "%s", line->value);
    length += noise(prng, text + length, false);
    text[length++] = '\n';
    return length;
}

/* The value that is set in the draft for this section, as it is written; "" where none is. */
static void
value_of(const struct leat_draft *draft, const struct line *line, char *text, size_t bytes)
{
    text[0] = '\0';
    for (const struct leat_section *one = draft->sections; one != NULL; one = one->next) {
        const char *blank = strchr(line->section, ' ');
        const char *name = blank == NULL ? "" : blank + 1;
        if (one->scope == line->knob->scope && strcmp(one->name, name) == 0) {
            uint32_t index = leat_knob_find(one->scope, leat_slice_of(line->knob->name));
            const struct leat_setting *set =
                &one->settings[index - leat_knob_first((uint32_t)one->scope)];
            if (set->source == LEAT_SOURCE_FILE) {
                leat_knob_write(line->knob, &set->value, text, bytes);
            }
        }
    }
}

static void
files_are_lists_of_lines(void **state)
{
    (void)state;
    struct test_prng prng = {test_seed("fuzz_settings files")};
    for (uint32_t i = 0; i < FILES * rounds; i++) {
        static struct line lines[LINES];
        static char text[TEXT_BYTES * 2];
        size_t length = 0;
        bool twice = false;
        for (uint32_t j = 0; j < LINES; j++) {
            enum leat_knob_scope scope = (enum leat_knob_scope)test_random_below(&prng, 3);
            lines[j].knob = random_knob(&prng, scope);
            (void)section_name(scope, test_random_below(&prng, 4), lines[j].section);
            random_value(&prng, lines[j].knob, lines[j].value, sizeof(lines[j].value));
            length += line_write(&prng, &lines[j], text + length);
            for (uint32_t k = 0; k < j; k++) {
                twice |= lines[k].knob == lines[j].knob &&
                         strcmp(lines[k].section, lines[j].section) == 0;
            }
        }
        struct leat_draft draft = {.memory = memory_of(), .source = LEAT_SOURCE_FILE, .path = "f"};
        struct leat_error error;
        enum leat_status status =
            leat_settings_read(&draft, (struct leat_slice){text, length}, &error);
        if (status != (twice ? LEAT_INVALID : LEAT_OK)) {
            test_say("%s\n%.*s", error.text, (int)length, text);
        }
        CHECK_STATUS(status, twice ? LEAT_INVALID : LEAT_OK);
        for (uint32_t j = 0; !twice && j < LINES; j++) {
            char value[64];
            value_of(&draft, &lines[j], value, sizeof(value));
            CHECK_TEXT(value, lines[j].value);
        }
        leat_draft_drop(&draft);
    }
}

/* ---- numbers -------------------------------------------------------------------------------- */

static void
numbers_stay_in_64_bits(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint64_t times;
    } units[] = {{"", 1},          {"B", 1},       {"k", 1 << 10}, {"KiB", 1 << 10},
                 {"MiB", 1 << 20}, {"g", 1 << 30}, {"G", 1 << 30}, {"kB", 0}};
    struct test_prng prng = {test_seed("fuzz_settings numbers")};
    const struct leat_knob *knob =
        leat_knob_at(leat_knob_find(LEAT_KNOB_ENGINE, leat_slice_of("payload_bytes_total_max")));
    for (uint32_t i = 0; i < NUMBERS * rounds; i++) {
        uint64_t number = test_random(&prng) >> test_random_below(&prng, 64);
        uint32_t unit = test_random_below(&prng, TEST_COUNT_OF(units));
        char text[64];
        struct leat_knob_value value = {{0, 0, 0}, NULL, 0};
        (void)snprintf(text, sizeof(text), "%llu%s", (unsigned long long)number, units[unit].name);
        uint64_t times = units[unit].times;
        bool fits = times != 0 && number <= UINT64_MAX / times;
        CHECK_EQUAL(leat_knob_parse(knob, leat_slice_of(text), &value), fits);
        if (fits) {
            CHECK_EQUAL(value.number[0], number * times);
            leat_knob_write(knob, &value, text, sizeof(text));
            struct leat_knob_value again = {{0, 0, 0}, NULL, 0};
            CHECK(leat_knob_parse(knob, leat_slice_of(text), &again));
            CHECK_EQUAL(again.number[0], value.number[0]);
        }
    }
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
        cmocka_unit_test(files_are_lists_of_lines),
        cmocka_unit_test(numbers_stay_in_64_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
