/* unit_metrics.c - the text of the metrics: values that are escaped, pieces that join, a sink that
 * wants no more at each piece, the bounds of buckets, and the two formats. That the text is well
 * formed is checked by promtool and by the parser of prometheus_client, in embed_metrics. */
#include <stdlib.h>
#include <string.h>

#include "engine/histogram.h"
#include "engine/metrics.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"

struct paper {
    char *text;
    size_t bytes;
    size_t pieces;
    size_t most; /* pieces that are taken */
};

static bool
paper_write(const char *text, size_t bytes, void *context)
{
    struct paper *paper = context;
    CHECK(bytes > 0 && bytes <= LEAT_METRICS_BYTES);
    if (paper->pieces == paper->most) {
        return false;
    }
    paper->pieces++;
    paper->text = realloc(paper->text, paper->bytes + bytes + 1);
    CHECK(paper->text != NULL);
    memcpy(paper->text + paper->bytes, text, bytes);
    paper->bytes += bytes;
    paper->text[paper->bytes] = '\0';
    return true;
}

static void
escaping(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        const char *want;
    } cases[] = {{"plain", "plain"}, {"a\"b", "a\\\"b"},        {"a\\b", "a\\\\b"},
                 {"a\nb", "a\\nb"},  {"\\\"\n", "\\\\\\\"\\n"}, {"\xc3\xa9", "\xc3\xa9"}};
    for (size_t i = 0; i < TEST_COUNT_OF(cases); i++) {
        struct paper paper = {.most = 1};
        static struct leat_metrics_text text;
        leat_metrics_begin(&text, LEAT_METRICS_OPENMETRICS, paper_write, &paper);
        leat_metrics_escape(&text, cases[i].value);
        CHECK(leat_out_end(&text.out));
        CHECK_TEXT(paper.text, cases[i].want);
        free(paper.text);
    }
}

static struct leat_outcome
done(struct leat_run *run, void *context)
{
    (void)run;
    (void)context;
    return leat_done();
}

static struct leat_engine *
engine_with_jobs(void)
{
    struct leat_config config = test_config();
    struct leat_engine *engine = test_start(&config);
    leat_type type = test_register(engine, "mail/send", done, NULL);
    for (uint32_t i = 0; i < 10; i++) {
        (void)test_submit(engine, type);
    }
    CHECK_OK(leat_drain(engine, LEAT_FOREVER));
    return engine;
}

static void
formats(void **state)
{
    (void)state;
    struct leat_engine *engine = engine_with_jobs();
    struct paper open = {.most = SIZE_MAX};
    struct paper plain = {.most = SIZE_MAX};
    CHECK_OK(leat_metrics_write(engine, LEAT_METRICS_OPENMETRICS, paper_write, &open));
    CHECK_OK(leat_metrics_write(engine, LEAT_METRICS_PROMETHEUS, paper_write, &plain));
    CHECK(strstr(open.text, "# TYPE leat_jobs_completed counter\n") != NULL);
    CHECK(strstr(open.text, "\nleat_jobs_completed_total 10\n") != NULL);
    CHECK(strstr(open.text, "# UNIT leat_wait_seconds seconds\n") != NULL);
    CHECK_TEXT(open.text + open.bytes - 6, "# EOF\n");
    CHECK(strstr(plain.text, "# TYPE leat_jobs_completed_total counter\n") != NULL);
    CHECK(strstr(plain.text, "# UNIT") == NULL);
    CHECK(strstr(plain.text, "# EOF") == NULL);
    CHECK(strstr(plain.text, "\nleat_type_jobs_ended_total{type=\"mail/send\",state=\"completed\"} "
                             "10\n") != NULL);
    CHECK(strstr(plain.text, "\nleat_type_run_seconds_count{type=\"mail/send\"} 10\n") != NULL);
    CHECK(strstr(plain.text, "le=\"0.000001023\"} ") != NULL);
    CHECK(strstr(plain.text, "le=\"274.877906943\"} ") != NULL);
    free(open.text);
    free(plain.text);
    test_close(engine);
}

/* A sink may end it at each piece. */
static void
sinks_that_end(void **state)
{
    (void)state;
    struct leat_engine *engine = engine_with_jobs();
    struct paper all = {.most = SIZE_MAX};
    CHECK_OK(leat_metrics_write(engine, LEAT_METRICS_PROMETHEUS, paper_write, &all));
    CHECK(all.pieces > 2);
    for (size_t most = 0; most < all.pieces; most++) {
        struct paper some = {.most = most};
        CHECK_STATUS(leat_metrics_write(engine, LEAT_METRICS_PROMETHEUS, paper_write, &some),
                     LEAT_REFUSED);
        CHECK_EQUAL(some.pieces, most);
        free(some.text);
    }
    free(all.text);
    test_close(engine);
}

/* What is below each power of two, at the edges. */
static void
octaves(void **state)
{
    (void)state;
    struct leat_histogram *histogram = calloc(1, sizeof(*histogram));
    uint64_t below[LEAT_HISTOGRAM_OCTAVES];
    CHECK(histogram != NULL);
    for (uint32_t k = 0; k < LEAT_HISTOGRAM_OCTAVES; k++) {
        leat_histogram_share(histogram, UINT64_C(1) << k);
        leat_histogram_share(histogram, (UINT64_C(1) << k) - 1);
    }
    leat_histogram_share(histogram, UINT64_MAX);
    uint64_t all = leat_histograms_below(leat_histograms_one(histogram), below);
    CHECK_EQUAL(all, 2 * LEAT_HISTOGRAM_OCTAVES + 1);
    CHECK_EQUAL(below[0], 0);
    CHECK_EQUAL(below[1], 3); /* 1, and 0 and 1, which both count as 1 */
    for (uint32_t k = 2; k < LEAT_HISTOGRAM_OCTAVES; k++) {
        CHECK_EQUAL(below[k], below[k - 1] + 2);
    }
    CHECK_EQUAL(atom_load_rlx(&histogram->min_ns), 1);
    CHECK_EQUAL(atom_load_rlx(&histogram->max_ns), UINT64_MAX);
    free(histogram);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escaping),
        cmocka_unit_test(formats),
        cmocka_unit_test(sinks_that_end),
        cmocka_unit_test(octaves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
