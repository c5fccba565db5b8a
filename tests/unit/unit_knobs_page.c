/* unit_knobs_page.c - the tables of docs/knobs.md are what leat_knob_list() says.
 *
 *   unit_knobs_page --write >page && mv page docs/knobs.md     writes them anew */
#include <stdlib.h>
#include <string.h>

#include "tests/support/check.h"
#include "tests/support/source.h"

#define PAGE_BYTES (1 << 18)

static const char *const scopes[] = {"engine", "queue", "type", "build"};

struct page {
    char *text;
    size_t length;
};

static void
add(struct page *page, const char *text, size_t length)
{
    CHECK(page->length + length < PAGE_BYTES);
    memcpy(page->text + page->length, text, length);
    page->length += length;
    page->text[page->length] = '\0';
}

static void
row(struct page *page, const struct leat_knob_info *info)
{
    char line[1024];
    const char *last = strrchr(info->name, '.');
    const char *name = last == NULL ? info->name : last + 1;
    const bool build = info->scope == LEAT_KNOB_BUILD;
    const char *live = info->live ? "live" : "restart";
    int length = snprintf(line, sizeof(line), "| `%s` | %s | %s | %s | %s | %s | %s |\n", name,
                          info->unit, info->range, info->fallback, build ? "build" : live,
                          info->text, info->benchmark == NULL ? "" : info->benchmark);
    CHECK(length > 0);
    add(page, line, (size_t)length);
}

static void
table(struct page *page, enum leat_knob_scope scope)
{
    static const char head[] = "\n| knob | unit | range | default | changes | what | shown by |\n"
                               "|---|---|---|---|---|---|---|\n";
    static struct leat_knob_info info;
    size_t count = 1;
    add(page, head, strlen(head));
    for (uint32_t i = 0; count == 1; i++) {
        info = leat_knob_info_default();
        CHECK_OK(leat_knob_list(NULL, i, &info, 1, &count));
        if (count == 1 && info.scope == scope) {
            row(page, &info);
        }
    }
    add(page, "\n", 1);
}

/* The page with its tables anew: what stands outside the marks stays. */
static struct page
page_of(const char *text)
{
    static const char end[] = "<!-- /gen -->";
    struct page page = {calloc(1, PAGE_BYTES), 0};
    CHECK(page.text != NULL);
    for (uint32_t i = 0; i < TEST_COUNT_OF(scopes); i++) {
        char mark[64];
        (void)snprintf(mark, sizeof(mark), "<!-- gen:knobs %s -->\n", scopes[i]);
        const char *begin = strstr(text, mark);
        CHECK(begin != NULL);
        begin += strlen(mark);
        add(&page, text, (size_t)(begin - text));
        table(&page, (enum leat_knob_scope)i);
        text = strstr(begin, end);
        CHECK(text != NULL);
    }
    add(&page, text, strlen(text));
    return page;
}

static void
page_is_fresh(void **state)
{
    (void)state;
    char *text = test_source_read("docs/knobs.md");
    struct page page = page_of(text);
    if (strcmp(page.text, text) != 0) {
        test_say("docs/knobs.md: write it anew, as the head of this test says\n");
    }
    CHECK(strcmp(page.text, text) == 0);
    free(page.text);
    free(text);
}

int
main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--write") == 0) {
        char *text = test_source_read("docs/knobs.md");
        struct page page = page_of(text);
        (void)fputs(page.text, stdout);
        free(page.text);
        free(text);
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(page_is_fresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
