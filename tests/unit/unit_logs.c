/* unit_logs.c - log lines: whose they are; the level and the rate below, at and above their limits,
 * with a count of those that were dropped; and their text as logfmt and as JSON, in any room. */
#include "engine/logs.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/fake_clock.h"

#define S UINT64_C(1000000000)

struct fixture {
    struct test_clock clock;
    struct leat_engine *engine;
    leat_type type;
    uint32_t lines; /* that one run writes */
    uint32_t heard;
    uint64_t dropped;
    struct leat_log_line last;
};

static void
sink(struct leat_engine *engine, const struct leat_log_line *line, void *context)
{
    struct fixture *fixture = context;
    CHECK(engine == fixture->engine);
    fixture->last = *line;
    fixture->heard++;
    fixture->dropped += line->dropped;
}

static struct leat_outcome
talks(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    for (uint32_t i = 0; i < fixture->lines; i++) {
        CHECK_OK(leat_run_log(run, i % 4, "text"));
    }
    return leat_done();
}

static struct fixture *
setup(uint32_t lines_per_s, enum leat_log_level level)
{
    static struct fixture fixture;
    struct leat_config config = test_config();
    memset(&fixture, 0, sizeof(fixture));
    test_clock_init(&fixture.clock);
    config.workers = 0;
    config.log_sink = sink;
    config.log_context = &fixture;
    config.log_level = level;
    config.log_lines_per_s = lines_per_s;
    config.clock = test_clock_of(&fixture.clock);
    fixture.engine = test_start(&config);
    fixture.type = test_register(fixture.engine, "t", talks, &fixture);
    return &fixture;
}

static leat_job_id
talk(struct fixture *fixture, uint32_t lines)
{
    struct leat_job job = leat_job_default();
    leat_job_id id = {0};
    job.type = fixture->type;
    fixture->lines = lines;
    CHECK_OK(leat_submit(fixture->engine, &job, &id));
    CHECK_OK(leat_run_some(fixture->engine, 1, NULL));
    return id;
}

static void
whose_it_is(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0, LEAT_LOG_DEBUG);
    leat_job_id id = talk(fixture, 4);
    CHECK_EQUAL(fixture->heard, 4);
    CHECK_EQUAL(fixture->last.id.bits, id.bits);
    CHECK_EQUAL(fixture->last.level, LEAT_LOG_ERROR);
    CHECK_EQUAL(fixture->last.attempt, 1);
    CHECK_EQUAL(fixture->last.worker, 0);
    CHECK_EQUAL(fixture->last.queue.bits, 1);
    CHECK_TEXT(fixture->last.type_name, "t");
    CHECK(fixture->last.queue_name != NULL);
    CHECK(fixture->last.unix_ns > 0);
    test_close(fixture->engine);
}

static void
the_level(void **state)
{
    (void)state;
    for (uint32_t level = 0; level <= LEAT_LOG_ERROR; level++) {
        struct fixture *fixture = setup(0, (enum leat_log_level)level);
        (void)talk(fixture, 4);
        CHECK_EQUAL(fixture->heard, 4 - level);
        CHECK_EQUAL(fixture->dropped, 0); /* they were not too many */
        test_close(fixture->engine);
    }
}

static void
the_rate(void **state)
{
    (void)state;
    struct fixture *fixture = setup(10, LEAT_LOG_DEBUG);
    (void)talk(fixture, 9);
    CHECK_EQUAL(fixture->heard, 9);
    (void)talk(fixture, 1);
    CHECK_EQUAL(fixture->heard, 10);
    (void)talk(fixture, 5);
    CHECK_EQUAL(fixture->heard, 10);
    test_clock_pass(&fixture->clock, fixture->engine, S / 10 - 1);
    (void)talk(fixture, 1);
    CHECK_EQUAL(fixture->heard, 10);
    test_clock_pass(&fixture->clock, fixture->engine, 1);
    (void)talk(fixture, 2);
    CHECK_EQUAL(fixture->heard, 11);
    CHECK_EQUAL(fixture->last.dropped, 6);
    test_clock_pass(&fixture->clock, fixture->engine, 100 * S);
    (void)talk(fixture, 20);
    CHECK_EQUAL(fixture->heard, 21);
    CHECK_EQUAL(fixture->dropped, 7);
    test_close(fixture->engine);
    fixture = setup(0, LEAT_LOG_DEBUG);
    (void)talk(fixture, 100000);
    CHECK_EQUAL(fixture->heard, 100000);
    test_close(fixture->engine);
}

/* ---- text ------------------------------------------------------------------------------------ */

static void
check_text(const struct leat_log_line *line, const char *logfmt, const char *json)
{
    char text[512];
    const char *const wanted[] = {logfmt, json};
    for (uint32_t format = LEAT_LOG_LOGFMT; format <= LEAT_LOG_JSON; format++) {
        size_t bytes = strlen(wanted[format]);
        CHECK_EQUAL(leat_log_format(line, (enum leat_log_format)format, text, sizeof(text)), bytes);
        CHECK_TEXT(text, wanted[format]);
        CHECK_EQUAL(leat_log_format(line, (enum leat_log_format)format, NULL, 0), bytes);
        for (size_t room = 1; room <= bytes + 1; room++) {
            memset(text, '#', sizeof(text));
            CHECK_EQUAL(leat_log_format(line, (enum leat_log_format)format, text, room), bytes);
            CHECK_EQUAL(strlen(text), room - 1);
            CHECK(strncmp(text, wanted[format], room - 1) == 0);
            CHECK_EQUAL(text[room], '#');
        }
    }
}

static void
text_of_lines(void **state)
{
    (void)state;
    struct leat_log_line line = {
        .text = "two words", .level = LEAT_LOG_WARNING, .worker = LEAT_WORKER_NONE};
    check_text(&line, "level=warning msg=\"two words\"\n",
               "{\"level\":\"warning\",\"msg\":\"two words\"}\n");
    line = (struct leat_log_line){.id = {UINT64_MAX},
                                  .type = {1},
                                  .attempt = 3,
                                  .level = LEAT_LOG_ERROR,
                                  .text = "a=\"b\"\n",
                                  .worker = 0,
                                  .unix_ns = UINT64_C(951782399123456789),
                                  .dropped = 7,
                                  .type_name = "t",
                                  .queue_name = "q"};
    check_text(&line,
               "time=2000-02-28T23:59:59.123456Z level=error msg=\"a=\\\"b\\\"\\u000a\" "
               "job=18446744073709551615 attempt=3 type=t queue=q worker=0 dropped=7\n",
               "{\"time\":\"2000-02-28T23:59:59.123456Z\",\"level\":\"error\","
               "\"msg\":\"a=\\\"b\\\"\\u000a\",\"job\":18446744073709551615,\"attempt\":3,"
               "\"type\":\"t\",\"queue\":\"q\",\"worker\":0,\"dropped\":7}\n");
}

static void
what_is_refused(void **state)
{
    (void)state;
    char text[16] = "#";
    struct leat_log_line line = {.text = "x"};
    CHECK_EQUAL(leat_log_format(NULL, LEAT_LOG_JSON, text, sizeof(text)), 0);
    CHECK_EQUAL(leat_log_format(&line, (enum leat_log_format)2, text, sizeof(text)), 0);
    line.level = (enum leat_log_level)4;
    CHECK_EQUAL(leat_log_format(&line, LEAT_LOG_JSON, text, sizeof(text)), 0);
    line.level = LEAT_LOG_INFO;
    line.text = NULL;
    CHECK_EQUAL(leat_log_format(&line, LEAT_LOG_JSON, text, sizeof(text)), 0);
    CHECK_TEXT(text, "#");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whose_it_is),     cmocka_unit_test(the_level),
        cmocka_unit_test(the_rate),        cmocka_unit_test(text_of_lines),
        cmocka_unit_test(what_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
