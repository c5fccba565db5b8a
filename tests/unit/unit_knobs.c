/* unit_knobs.c - the table of knobs, row by row: each at its limits and one beyond, by name and in
 * the structs, and against what the engine itself takes; how values are written and read; that the
 * rows of a build are those that can be set, and that benchmarks exist that rows name. The limits
 * themselves are written down once more in unit_config.c. */
#include <stdlib.h>
#include <string.h>

#include "engine/backoff.h"
#include "engine/breaker.h"
#include "engine/config.h"
#include "engine/knobs.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/source.h"

#define VALUES_MAX 8

struct tried {
    uint64_t number;
    bool good;
};

static bool
fits(const struct leat_knob *knob, uint64_t number)
{
    return knob->bytes >= sizeof(uint64_t) || number >> (8 * knob->bytes) == 0;
}

static bool
numeric(const struct leat_knob *knob)
{
    return knob->scope != LEAT_KNOB_BUILD && knob->kind != LEAT_KNOB_TEXT &&
           knob->kind != LEAT_KNOB_RATE;
}

/* Numbers at the limits of a knob and beside them, as the words of the table say. */
static uint32_t
tried_of(const struct leat_knob *knob, struct tried tried[VALUES_MAX])
{
    uint32_t count = 0;
    const uint32_t shape = knob->also & (LEAT_KNOB_POWER_OF_TWO | LEAT_KNOB_MULTIPLE);
    tried[count++] = (struct tried){knob->least, true};
    tried[count++] = (struct tried){knob->most, true};
    if (knob->least > 1) {
        tried[count++] = (struct tried){knob->least - 1, false};
    }
    if (knob->least > 0) {
        tried[count++] = (struct tried){0, (knob->also & LEAT_KNOB_OR_ZERO) != 0};
    }
    if (knob->most < UINT64_MAX - 1 && fits(knob, knob->most + 1)) {
        tried[count++] = (struct tried){knob->most + 1, false};
    }
    if (shape != 0) {
        tried[count++] = (struct tried){knob->most - 1, false};
    }
    if ((knob->also & LEAT_KNOB_OR_AUTO) != 0) {
        tried[count++] = (struct tried){LEAT_AUTO, true};
    }
    if ((knob->also & LEAT_KNOB_OR_FOREVER) != 0) {
        tried[count++] = (struct tried){LEAT_FOREVER, true};
    }
    return count;
}

static const char *
full_name(const struct leat_knob *knob, char name[96])
{
    const char *const scopes[] = {"", "queue.q.", "type.t.", ""};
    (void)snprintf(name, 96, "%s%s", scopes[knob->scope], knob->name);
    return name;
}

/* A word, a switch, auto and forever are said by name, and beyond them there is no name. */
static void
set_number(const struct leat_knob *knob, const struct tried *tried)
{
    char name[96];
    char value[96];
    struct leat_settings *settings = NULL;
    struct leat_error error;
    const struct leat_knob_value number = {{tried->number, 0, 0}, NULL, 0};
    CHECK_OK(leat_settings_create(NULL, &settings));
    if (knob->kind == LEAT_KNOB_WORD || knob->kind == LEAT_KNOB_SWITCH) {
        (void)snprintf(value, sizeof(value), "%llu", (unsigned long long)tried->number);
        if (tried->good) {
            leat_knob_write(knob, &number, value, sizeof(value));
        }
    } else {
        leat_knob_write(knob, &number, value, sizeof(value));
    }
    (void)full_name(knob, name);
    enum leat_status status = leat_settings_set(settings, name, value, &error);
    if ((status == LEAT_OK) != tried->good) {
        test_say("%s = %s: %s\n", name, value, error.text);
    }
    CHECK_STATUS(status, tried->good ? LEAT_OK : LEAT_INVALID);
    CHECK_STATUS(error.status, status);
    CHECK_TEXT(error.field, tried->good ? "" : knob->name);
    leat_settings_destroy(settings);
}

static void
every_knob_at_its_limits(void **state)
{
    (void)state;
    uint32_t values = 0;
    for (uint32_t i = 0; leat_knob_at(i) != NULL; i++) {
        const struct leat_knob *knob = leat_knob_at(i);
        struct tried tried[VALUES_MAX];
        uint32_t count = numeric(knob) ? tried_of(knob, tried) : 0;
        for (uint32_t j = 0; j < count; j++) {
            struct leat_knob_value value = {{tried[j].number, 0, 0}, NULL, 0};
            CHECK_EQUAL(leat_knob_allows(knob, &value), tried[j].good);
            set_number(knob, &tried[j]);
        }
        values += count;
    }
    CHECK(values > 150);
}

/* What leat_config_check() says of each number is what the table says. */
static void
configurations_agree(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < leat_knob_first(LEAT_KNOB_QUEUE); i++) {
        const struct leat_knob *knob = leat_knob_at(i);
        struct tried tried[VALUES_MAX];
        uint32_t count = numeric(knob) ? tried_of(knob, tried) : 0;
        for (uint32_t j = 0; j < count; j++) {
            struct leat_config config = leat_config_default();
            struct leat_error error;
            const struct leat_knob_value value = {{tried[j].number, 0, 0}, NULL, 0};
            leat_knob_put(knob, &config, &value);
            CHECK_EQUAL(leat_knob_get(knob, &config).number[0], tried[j].number);
            enum leat_status status = leat_config_check(&config, &error);
            /* A limit of another field may forbid what its own range allows. */
            CHECK(status == LEAT_OK || strlen(error.field) > 0);
            CHECK_EQUAL(tried[j].good || strcmp(error.field, knob->name) == 0, 1);
        }
    }
}

/* ---- queues and types ----------------------------------------------------------------------- */

static void
queue_agrees(struct leat_engine *engine, const struct leat_knob *knob, const struct tried *tried)
{
    static uint32_t queues;
    struct leat_queue_options options = leat_queue_options_default();
    const struct leat_knob_value value = {{tried->number, 0, 0}, NULL, 0};
    leat_queue queue = {0};
    char name[32];
    (void)snprintf(name, sizeof(name), "q%u", queues++);
    leat_knob_put(knob, &options, &value);
    enum leat_status status = leat_queue_create(engine, name, &options, &queue);
    bool full = status == LEAT_FULL && knob->live == LEAT_LIVE_RUNNING_MIN;
    if (!full && status != (tried->good ? LEAT_OK : LEAT_INVALID)) {
        test_say("%s %llu\n", knob->name, (unsigned long long)tried->number);
    }
    CHECK(full || status == (tried->good ? LEAT_OK : LEAT_INVALID));
}

static struct leat_outcome
done(struct leat_run *run, void *context)
{
    (void)run;
    (void)context;
    return leat_done();
}

static enum leat_status
retry_status(const struct leat_knob *knob, const struct leat_knob_value *value)
{
    struct leat_retry_policy policy = leat_retry_exponential(1, 2);
    if (strcmp(knob->name, "retry_delay_ns") == 0) {
        policy = leat_retry_fixed(1);
    }
    leat_knob_put(knob, &policy, value);
    return leat_retry_policy_check(&policy, NULL);
}

static enum leat_status
breaker_status(const struct leat_knob *knob, const struct leat_knob_value *value)
{
    struct leat_breaker_options options = leat_breaker_options_default();
    struct leat_breaker_options known;
    options.calls_min = 1;
    options.window_calls = LEAT_BREAKER_CALLS_MAX;
    leat_knob_put(knob, &options, value);
    return leat_breaker_check(&known, &options, NULL);
}

static enum leat_status
type_status(struct leat_engine *engine, const struct leat_knob *knob,
            const struct leat_knob_value *value)
{
    static uint32_t types;
    struct leat_type_options options = leat_type_options_default();
    char name[32];
    (void)snprintf(name, sizeof(name), "t%u", types++);
    leat_knob_put(knob, &options, value);
    return leat_type_register(engine, name, done, NULL, &options, NULL);
}

static void
type_agrees(struct leat_engine *engine, const struct leat_knob *knob, const struct tried *tried)
{
    const struct leat_knob_value value = {{tried->number, 0, 0}, NULL, 0};
    enum leat_status status = LEAT_OK;
    if (knob->part == LEAT_PART_RETRY) {
        status = retry_status(knob, &value);
    } else if (knob->part == LEAT_PART_BREAKER) {
        status = breaker_status(knob, &value);
    } else {
        status = type_status(engine, knob, &value);
    }
    bool full = status == LEAT_FULL && knob->live == LEAT_LIVE_RUNNING_MIN;
    if (!full && status != (tried->good ? LEAT_OK : LEAT_INVALID)) {
        test_say("%s %llu\n", knob->name, (unsigned long long)tried->number);
    }
    CHECK(full || status == (tried->good ? LEAT_OK : LEAT_INVALID));
}

/* A function says what a word does not, and only a handler of batches takes what batches have. */
static bool
left_out(const struct leat_knob *knob)
{
    return strcmp(knob->name, "retry_kind") == 0 || strncmp(knob->name, "batch_", 6) == 0;
}

static void
options_agree(struct leat_engine *engine, const struct leat_knob *knob, const struct tried *tried)
{
    /* No bool has a third value. */
    if (knob->kind == LEAT_KNOB_SWITCH && !tried->good) {
        return;
    }
    if (knob->scope == LEAT_KNOB_QUEUE) {
        queue_agrees(engine, knob, tried);
    } else {
        type_agrees(engine, knob, tried);
    }
}

static void
queues_and_types_agree(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    config.queues_max = 256;
    config.types_max = 256;
    struct leat_engine *engine = test_open(&config);
    for (uint32_t i = leat_knob_first(LEAT_KNOB_QUEUE); i < leat_knob_first(LEAT_KNOB_BUILD); i++) {
        const struct leat_knob *knob = leat_knob_at(i);
        struct tried tried[VALUES_MAX];
        uint32_t count = numeric(knob) && !left_out(knob) ? tried_of(knob, tried) : 0;
        for (uint32_t j = 0; j < count; j++) {
            options_agree(engine, knob, &tried[j]);
        }
    }
    test_close(engine);
}

/* ---- values --------------------------------------------------------------------------------- */

struct text_case {
    const char *knob;
    const char *text;
    bool good;
    uint64_t number;
    const char *written;
};

static const struct text_case text_cases[] = {
    {"spin_ns", "0", true, 0, "0"},
    {"spin_ns", "50000", true, 50000, "50us"},
    {"spin_ns", "50us", true, 50000, "50us"},
    {"spin_ns", "1ms", true, 1000000, "1ms"},
    {"spin_ns", "1001us", false, 0, NULL},
    {"spin_ns", "50 us", false, 0, NULL},
    {"spin_ns", "50US", false, 0, NULL},
    {"spin_ns", "us", false, 0, NULL},
    {"spin_ns", "-1", false, 0, NULL},
    {"spin_ns", "+1", false, 0, NULL},
    {"spin_ns", "", false, 0, NULL},
    {"spin_ns", "1.5us", false, 0, NULL},
    {"spin_ns", "0x10", false, 0, NULL},
    {"spin_ns", "18446744073709551616", false, 0, NULL},
    {"spin_ns", "18446744073709551616us", false, 0, NULL},
    {"spin_ns", "213504d", false, 0, NULL}, /* times a day: beyond 64 bits, and then small */
    {"retained_age_ns", "2h", true, UINT64_C(7200000000000), "2h"},
    {"retained_age_ns", "90m", true, UINT64_C(5400000000000), "90m"},
    {"retained_age_ns", "366d", true, LEAT_AGE_NS_MAX, "366d"},
    {"retained_age_ns", "5s", true, UINT64_C(5000000000), "5s"},
    {"payload_bytes_max", "64k", true, 65536, "64KiB"},
    {"payload_bytes_max", "64K", true, 65536, "64KiB"},
    {"payload_bytes_max", "4MiB", true, 4194304, "4MiB"},
    {"payload_bytes_max", "4m", true, 4194304, "4MiB"},
    {"payload_bytes_max", "100B", true, 100, "100B"},
    {"payload_bytes_max", "64kB", false, 0, NULL},
    {"payload_bytes_max", "17g", false, 0, NULL},
    {"payload_bytes_total_max", "16777216g", true, UINT64_C(1) << 54, "16777216GiB"},
    {"payload_bytes_total_max", "17179869184g", false, 0, NULL}, /* 2^64 */
    {"payload_bytes_total_max", "18446744073709551615", true, UINT64_MAX, "18446744073709551615B"},
    {"tasks_max", "64", true, 64, "64"},
    {"tasks_max", "64k", false, 0, NULL},
    {"retained_max", "auto", true, LEAT_AUTO, "auto"},
    {"tasks_max", "auto", false, 0, NULL},
    {"busy_poll", "yes", true, 1, "true"},
    {"busy_poll", "off", true, 0, "false"},
    {"busy_poll", "1", true, 1, "true"},
    {"busy_poll", "2", false, 0, NULL},
    {"busy_poll", "True", false, 0, NULL},
    {"pinning", "set", true, LEAT_PIN_SET, "set"},
    {"pinning", "se", false, 0, NULL},
    {"pinning", "", false, 0, NULL},
    {"scheduling", "round_robin", true, LEAT_SCHEDULING_ROUND_ROBIN, "round_robin"},
};

static const struct leat_knob *
engine_knob(const char *name)
{
    const uint32_t index = leat_knob_find(LEAT_KNOB_ENGINE, leat_slice_of(name));
    CHECK(index != LEAT_KNOBS_NONE);
    return leat_knob_at(index);
}

static void
values_are_read_and_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_COUNT_OF(text_cases); i++) {
        const struct text_case *tried = &text_cases[i];
        const struct leat_knob *knob = engine_knob(tried->knob);
        struct leat_knob_value value = {{7, 7, 7}, NULL, 0};
        char written[64];
        bool good = leat_knob_parse(knob, leat_slice_of(tried->text), &value);
        if (good != tried->good) {
            test_say("%s = '%s'\n", tried->knob, tried->text);
        }
        CHECK_EQUAL(good, tried->good);
        if (good) {
            CHECK_EQUAL(value.number[0], tried->number);
            leat_knob_write(knob, &value, written, sizeof(written));
            CHECK_TEXT(written, tried->written);
        } else {
            CHECK_EQUAL(value.number[0], 7);
        }
    }
}

static void
rates_are_read_and_written(void **state)
{
    (void)state;
    static const char *const good[] = {"0", "100/1s", "100/1s/20", "1/366d", "1000000000/1s"};
    static const char *const bad[] = {"",        "100",    "100/",     "/1s",
                                      "100/1s/", "0/1s/x", "100/1s/x", "100/1s/1/1",
                                      "2/1ns",   "1/367d", "1s/100",   "1/1s/67108865"};
    const struct leat_knob *knob =
        leat_knob_at(leat_knob_find(LEAT_KNOB_QUEUE, leat_slice_of("rate")));
    struct leat_knob_value value;
    char written[64];
    for (size_t i = 0; i < TEST_COUNT_OF(good); i++) {
        CHECK(leat_knob_parse(knob, leat_slice_of(good[i]), &value));
        leat_knob_write(knob, &value, written, sizeof(written));
        CHECK_TEXT(written, good[i]);
    }
    for (size_t i = 0; i < TEST_COUNT_OF(bad); i++) {
        if (leat_knob_parse(knob, leat_slice_of(bad[i]), &value)) {
            test_say("'%s'\n", bad[i]);
            CHECK(false);
        }
    }
}

static void
texts_at_their_limits(void **state)
{
    (void)state;
    const struct leat_knob *name = engine_knob("worker_name");
    const struct leat_knob *directory = engine_knob("log_directory");
    struct leat_knob_value value;
    char *path = malloc(4097);
    CHECK(path != NULL);
    memset(path, 'x', 4096);
    path[4096] = '\0';
    CHECK(leat_knob_parse(name, leat_slice_of("eleven-byte"), &value));
    CHECK(!leat_knob_parse(name, leat_slice_of("twelve-bytes"), &value));
    CHECK(!leat_knob_parse(name, leat_slice_of(""), &value));
    CHECK(leat_knob_parse(directory, leat_slice_of(""), &value));
    CHECK(!leat_knob_parse(directory, leat_slice_of(path), &value));
    path[4095] = '\0';
    CHECK(leat_knob_parse(directory, leat_slice_of(path), &value));
    free(path);
}

static void
names_that_are_near(void **state)
{
    (void)state;
    const struct leat_slice letters = leat_slice_of("wrkers");
    CHECK_TEXT(leat_knob_near(LEAT_KNOB_ENGINE, letters, 4)->name, "workers");
    CHECK(leat_knob_near(LEAT_KNOB_ENGINE, letters, 1) != NULL);
    CHECK(leat_knob_near(LEAT_KNOB_ENGINE, letters, 0) == NULL);
    CHECK(leat_knob_near(LEAT_KNOB_ENGINE, leat_slice_of("something_else"), 4) == NULL);
    CHECK_TEXT(leat_knob_near(LEAT_KNOB_QUEUE, leat_slice_of("runing_max"), 4)->name,
               "running_max");
    CHECK_TEXT(leat_knob_near(LEAT_KNOB_ENGINE, leat_slice_of("payload_bytes_totl_max"), 4)->name,
               "payload_bytes_total_max");
    /* Of any length. */
    char longer[256];
    memset(longer, 'w', sizeof(longer));
    for (size_t i = 0; i <= sizeof(longer); i++) {
        (void)leat_knob_near(LEAT_KNOB_ENGINE, (struct leat_slice){longer, i}, 4);
    }
}

/* ---- the table as a whole ------------------------------------------------------------------- */

static void
rows_are_sound(void **state)
{
    (void)state;
    const struct leat_knob *before = leat_knob_at(0);
    for (uint32_t i = 0; leat_knob_at(i) != NULL; i++) {
        const struct leat_knob *knob = leat_knob_at(i);
        char range[LEAT_KNOB_TEXT_BYTES];
        leat_knob_range(knob, range, sizeof(range));
        CHECK(strlen(range) < sizeof(((struct leat_knob_info *)NULL)->range));
        CHECK(strlen(range) > 0 || knob->scope == LEAT_KNOB_BUILD);
        CHECK(knob->scope >= before->scope);
        CHECK_EQUAL(leat_knob_find(knob->scope, leat_slice_of(knob->name)), i);
        CHECK(strlen(knob->name) < 48);
        CHECK(knob->text[strlen(knob->text) - 1] == '.');
        CHECK(knob->scope != LEAT_KNOB_BUILD || knob->live == LEAT_LIVE_NO);
        before = knob;
    }
}

/* Every field of leat_config that is no function, pointer or head has its knob. */
static void
fields_have_knobs(void **state)
{
    (void)state;
    bool known[sizeof(struct leat_config)] = {false};
    for (uint32_t i = 0; i < leat_knob_first(LEAT_KNOB_QUEUE); i++) {
        const struct leat_knob *knob = leat_knob_at(i);
        memset(&known[knob->offset], 1, knob->bytes);
    }
#define LEFT_OUT(field)                                                                            \
    memset(&known[offsetof(struct leat_config, field)], 1,                                         \
           sizeof(((struct leat_config *)NULL)->field))
    LEFT_OUT(size);
    LEFT_OUT(version);
    LEFT_OUT(worker_started);
    LEFT_OUT(worker_stopping);
    LEFT_OUT(hook_context);
    LEFT_OUT(allocator);
    LEFT_OUT(clock);
    LEFT_OUT(log_sink);
    LEFT_OUT(log_context);
    LEFT_OUT(event_sink);
    LEFT_OUT(event_context);
    LEFT_OUT(log_key);
    LEFT_OUT(log_key_context);
#undef LEFT_OUT
    uint32_t gap = 0;
    for (size_t i = 0; i < sizeof(known); i++) {
        gap = known[i] ? 0 : gap + 1;
        CHECK(gap < 8); /* padding is shorter */
    }
}

/* What a limits.h lets a build set has a row. */
static void
build_has_its_rows(void **state)
{
    (void)state;
    static const char *const files[] = {"ring/limits.h", "sched/limits.h", "engine/limits.h"};
    uint32_t count = 0;
    for (size_t i = 0; i < TEST_COUNT_OF(files); i++) {
        char *text = test_source_read(files[i]);
        static const char mark[] = "#ifndef LEAT_";
        for (char *found = strstr(text, mark); found != NULL; found = strstr(found + 1, mark)) {
            const char *name = found + strlen("#ifndef ");
            const struct leat_slice slice = {name, strcspn(name, " \n")};
            if (leat_knob_find(LEAT_KNOB_BUILD, slice) == LEAT_KNOBS_NONE) {
                test_say("%s: %.*s has no row\n", files[i], (int)slice.length, slice.text);
                CHECK(false);
            }
            count++;
        }
        free(text);
    }
    CHECK(count >= 9);
}

/* As bench/knobs/rows.c writes them; both ways round is for leat_knobs --check (knobs_smoke). */
static void
benchmarks_exist(void **state)
{
    (void)state;
    static const char *const begins[] = {"knob_", "knob_queue_", "knob_type_", "knob_"};
    static const char *const macros[] = {"ENGINE", "QUEUE", "TYPE", "BUILD"};
    char *text = test_source_read("bench/knobs/rows.c");
    for (uint32_t i = 0; leat_knob_at(i) != NULL; i++) {
        const struct leat_knob *knob = leat_knob_at(i);
        if (knob->benchmark == NULL) {
            continue;
        }
        const char *begin = begins[knob->scope];
        CHECK(strncmp(knob->benchmark, begin, strlen(begin)) == 0);
        char row[128];
        (void)snprintf(row, sizeof(row), "{%s(%s),", macros[knob->scope],
                       knob->benchmark + strlen(begin));
        if (strstr(text, row) == NULL) {
            test_say("%s: there is no %s\n", knob->name, knob->benchmark);
        }
        CHECK(strstr(text, row) != NULL);
    }
    free(text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_knob_at_its_limits),   cmocka_unit_test(configurations_agree),
        cmocka_unit_test(queues_and_types_agree),     cmocka_unit_test(values_are_read_and_written),
        cmocka_unit_test(rates_are_read_and_written), cmocka_unit_test(texts_at_their_limits),
        cmocka_unit_test(names_that_are_near),        cmocka_unit_test(rows_are_sound),
        cmocka_unit_test(fields_have_knobs),          cmocka_unit_test(build_has_its_rows),
        cmocka_unit_test(benchmarks_exist),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
