/* unit_knobs_page.c - the tables of docs/knobs.md are what leat_knob_list() says, and each knob
 * names the row that shows what it buys, or is one of those that are about something else. That the
 * rows are those of bench/knobs/rows.c is for leat_knobs --check (knobs_smoke).
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

/* What is no matter of speed: a new knob is put here, or names its row. */
static const char *const others[] = {
    /* Limits of what is accepted or kept, and of memory. */
    "lenders_max", "payload_bytes_max", "types_max", "queues_max", "dead_max", "workers_max",
    "schedules_max", "payload_bytes_total_max", "events_max", "worker_stack_bytes", "memory_max",
    "memory_soft_percent", "LEAT_FOOTPRINT_KEPT", "LEAT_FOOTPRINT_LOOK_NS", "LEAT_FOOTPRINT_STEP",
    "LEAT_FOOTPRINT_FALL", "LEAT_FOOTPRINT_AGAIN_NS", "LEAT_FOOTPRINT_DROPS", "LEAT_SLAB_UNIT_LOG2",
    "LEAT_SLAB_RUN", "LEAT_ZOMBIES_MIN", "LEAT_TRIM_RECORDS", "LEAT_TRIM_NS", "LEAT_TRIM_STEP",
    /* Their value is the time, or the number of tries, that they are about. */
    "retained_age_ns", "dead_age_ns", "quarantine_after", "queue.*.block_ns", "type.*.max_attempts",
    "type.*.batch_delay_ns", "type.*.retry_kind", "type.*.retry_jitter_percent",
    "type.*.retry_delay_ns", "type.*.retry_delay_ns_max", "type.*.retry_base",
    "type.*.breaker_failure_percent", "type.*.breaker_calls_min", "type.*.breaker_probes",
    "type.*.breaker_open_ns", "LEAT_WATCH_PARTS", "LEAT_SWEEP_NS", "LEAT_SWEEP_RECORDS",
    "LEAT_LENT_LOOK_NS", "LEAT_SCHEDULE_BATCH",
    /* What the disk is asked for; bench/log. */
    "durability", "log_segment_bytes", "log_ring_bytes", "log_compression", "log_bytes_max",
    "log_sync", "log_read_threads",
    /* What is told, and to whom. */
    "worker_name", "log_directory", "log_key_file", "log_takes_plain", "log_level",
    "log_lines_per_s", "threshold_period_ns", "threshold_dead", "threshold_waiting",
    "threshold_failures", "threshold_oldest_ns", "systemd_notify",
    /* For tests; and what threads that wait for jobs share, who sleep. */
    "inline_mode", "LEAT_BELLS",
    /* What a line of cache holds: no other value compiles. */
    "LEAT_CHUNK_ITEMS"};

static bool
is_other(const char *name)
{
    for (size_t i = 0; i < TEST_COUNT_OF(others); i++) {
        if (strcmp(others[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static void
speed_has_a_row(void **state)
{
    (void)state;
    static struct leat_knob_info info;
    size_t count = 1;
    size_t found = 0;
    for (uint32_t i = 0; count == 1; i++) {
        info = leat_knob_info_default();
        CHECK_OK(leat_knob_list(NULL, i, &info, 1, &count));
        if (count == 1 && is_other(info.name) == (info.benchmark != NULL)) {
            test_say("%s: names a row, or is one of `others`\n", info.name);
            CHECK(false);
        }
        found += count == 1 && is_other(info.name) ? 1 : 0;
    }
    CHECK(found == TEST_COUNT_OF(others));
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
        cmocka_unit_test(speed_has_a_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
