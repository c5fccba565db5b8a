/* unit_out.c - text piece by piece: strings of all kinds as JSON and logfmt want them, whole pieces
 * around the size of the buffer, and a writer that refuses. */
#include <stdlib.h>
#include <string.h>

#include "engine/out.h"
#include "tests/support/check.h"

struct text {
    char bytes[4096];
    size_t used;
    uint32_t pieces;
    uint32_t takes; /* pieces */
};

static bool
keep(const char *bytes, size_t count, void *context)
{
    struct text *text = context;
    text->pieces++;
    if (text->pieces > text->takes) {
        return false;
    }
    CHECK(count > 0);
    CHECK(text->used + count < sizeof(text->bytes));
    memcpy(text->bytes + text->used, bytes, count);
    text->used += count;
    text->bytes[text->used] = '\0';
    return true;
}

static struct text *
fresh(uint32_t takes)
{
    static struct text text;
    memset(&text, 0, sizeof(text));
    text.takes = takes;
    return &text;
}

static void
check(void (*write)(struct leat_out *out, const char *given), const char *given, const char *wanted)
{
    struct text *text = fresh(1);
    struct leat_out out;
    leat_out_init(&out, keep, text);
    write(&out, given);
    CHECK(leat_out_end(&out));
    CHECK_TEXT(text->bytes, wanted);
}

static void
strings_are_escaped(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", "\"\""},
        {"plain text", "\"plain text\""},
        {"a\"b\\c", "\"a\\\"b\\\\c\""},
        {"\n\t\x01\x1f\x7f", "\"\\u000a\\u0009\\u0001\\u001f\\u007f\""},
        /* Letters of two, three and four bytes, the first and the last of each. */
        {"\xc2\x80\xdf\xbf", "\"\xc2\x80\xdf\xbf\""},
        {"\xe0\xa0\x80\xef\xbf\xbf", "\"\xe0\xa0\x80\xef\xbf\xbf\""},
        {"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", "\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\""},
        /* Too long, half of a pair, beyond the last, without its rest, a rest alone. */
        {"\xc1\xbfz", "\"\xef\xbf\xbd\xef\xbf\xbdz\""},
        {"\xe0\x9f\xbfz", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\""},
        {"\xed\xa0\x80z", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\""},
        {"\xf4\x90\x80\x80z", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\""},
        {"\xc3", "\"\xef\xbf\xbd\""},
        {"\xe2\x82", "\"\xef\xbf\xbd\xef\xbf\xbd\""},
        {"\xf0\x9f\x98", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
        {"\x80\xff", "\"\xef\xbf\xbd\xef\xbf\xbd\""},
    };
    for (size_t i = 0; i < TEST_COUNT_OF(cases); i++) {
        check(leat_out_string, cases[i][0], cases[i][1]);
    }
}

static void
words_are_quoted_at_need(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", "\"\""},       {"word", "word"},        {"two words", "\"two words\""},
        {"a=b", "\"a=b\""}, {"a\"b", "\"a\\\"b\""},  {"a\\b", "\"a\\\\b\""},
        {"~!", "~!"},       {"\x7f", "\"\\u007f\""}, {"\xc3\xa4", "\"\xc3\xa4\""},
    };
    for (size_t i = 0; i < TEST_COUNT_OF(cases); i++) {
        check(leat_out_word, cases[i][0], cases[i][1]);
    }
}

static void
numbers(void **state)
{
    (void)state;
    struct text *text = fresh(1);
    struct leat_out out;
    leat_out_init(&out, keep, text);
    leat_out_number(&out, 0);
    leat_out_text(&out, " ");
    leat_out_number(&out, UINT64_MAX);
    leat_out_text(&out, " ");
    leat_out_us(&out, 7);
    leat_out_text(&out, " ");
    leat_out_us(&out, UINT64_MAX);
    CHECK(leat_out_end(&out));
    CHECK_TEXT(text->bytes, "0 18446744073709551615 0.007 18446744073709551.615");
}

/* Below, at and above the size of the buffer, in one piece and in two. */
static void
pieces_are_whole(void **state)
{
    (void)state;
    static char given[1200];
    for (size_t bytes = 0; bytes < sizeof(given) - 1; bytes++) {
        struct text *text = fresh(UINT32_MAX);
        struct leat_out out;
        memset(given, 'x', bytes);
        given[bytes] = '\0';
        leat_out_init(&out, keep, text);
        leat_out_text(&out, given);
        leat_out_text(&out, given);
        CHECK(leat_out_end(&out));
        CHECK_EQUAL(text->used, 2 * bytes);
        CHECK_EQUAL(text->pieces, (2 * bytes + sizeof(out.buffer) - 1) / sizeof(out.buffer));
    }
}

static void
a_refusal_is_the_last_call(void **state)
{
    (void)state;
    static char given[4 * 512 + 1];
    memset(given, 'x', sizeof(given) - 1);
    given[sizeof(given) - 1] = '\0';
    for (uint32_t takes = 0; takes <= 4; takes++) {
        struct text *text = fresh(takes);
        struct leat_out out;
        leat_out_init(&out, keep, text);
        leat_out_text(&out, given);
        CHECK(leat_out_end(&out) == (takes == 4));
        CHECK_EQUAL(text->pieces, takes < 4 ? takes + 1 : 4);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_are_escaped),
        cmocka_unit_test(words_are_quoted_at_need),
        cmocka_unit_test(numbers),
        cmocka_unit_test(pieces_are_whole),
        cmocka_unit_test(a_refusal_is_the_last_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
