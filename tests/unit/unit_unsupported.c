/* unit_unsupported.c - docs/status.md says what is declared and not built; each of its lines really
 * answers LEAT_UNSUPPORTED, or ends a job with LEAT_REASON_UNSUPPORTED. A line without its case
 * here, or a case without its line, fails: so the list can neither be forgotten nor outlive what it
 * lists. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/source.h"

static struct leat_outcome
done(struct leat_run *run, void *context)
{
    (void)run;
    (void)context;
    return leat_done();
}

/* ---- the list ------------------------------------------------------------------------------- */

struct entry {
    const char *line; /* how the line begins, without back-ticks */
    enum leat_status (*call)(struct leat_engine *engine);
};

/* Ends with one without a line. */
static const struct entry entries[] = {
    {NULL, NULL},
};

enum { ENTRIES = TEST_COUNT_OF(entries) - 1 };

/* The line's case, or NULL. */
static const struct entry *
entry_of(const char *line)
{
    for (size_t i = 0; entries[i].line != NULL; i++) {
        size_t length = strlen(entries[i].line);
        if (strncmp(line, entries[i].line, length) == 0 &&
            (line[length] == '\0' || strchr(" :", line[length]) != NULL)) {
            return &entries[i];
        }
    }
    return NULL;
}

/* The text of the next list item in the sections that name what is not built, without back-ticks;
 * NULL at the end. */
static const char *
next_line(char **rest)
{
    while (*rest != NULL && **rest != '\0') {
        char *line = *rest;
        char *end = strchr(line, '\n');
        *rest = end == NULL ? line + strlen(line) : end + 1;
        if (end != NULL) {
            *end = '\0';
        }
        if (strncmp(line, "## The log", 10) == 0) {
            return NULL;
        }
        if (strncmp(line, "- ", 2) == 0) {
            char *to = line;
            for (const char *from = line + 2; *from != '\0'; from++) {
                *to = *from;
                to += *from == '`' ? 0 : 1;
            }
            *to = '\0';
            return line;
        }
    }
    return NULL;
}

static void
every_line_is_true(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    config.starvation_picks = 0;
    char *text = test_source_read("docs/status.md");
    char *rest = text;
    uint32_t count = 0;
    static bool listed[ENTRIES + 1];
    for (const char *line = next_line(&rest); line != NULL; line = next_line(&rest)) {
        const struct entry *entry = entry_of(line);
        if (entry == NULL) {
            test_say("docs/status.md: nothing here tests: %s\n", line);
        }
        CHECK(entry != NULL);
        CHECK(!listed[entry - entries]);
        listed[entry - entries] = true;
        struct leat_engine *engine = test_start(&config);
        (void)test_register(engine, "good", done, NULL);
        enum leat_status status = entry->call(engine);
        if (status != LEAT_UNSUPPORTED) {
            test_say("docs/status.md: %s\n", line);
        }
        CHECK_STATUS(status, LEAT_UNSUPPORTED);
        test_finish(engine);
        count++;
    }
    for (size_t i = 0; entries[i].line != NULL; i++) {
        if (!listed[i]) {
            test_say("docs/status.md has no line: %s\n", entries[i].line);
        }
        CHECK(listed[i]);
    }
    CHECK_EQUAL(count, ENTRIES);
    free(text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_line_is_true),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
