/* unit_zone.c - the TZif reader, byte by byte: versions 1 to 4, rules of each form in the footer,
 * the years far behind the table, and every way in which a file can be wrong that its reader must
 * notice. Files by name: what is a name, what is read again and when. Holds I1 and I2 of zone.h. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sched/zone.h"
#include "tests/support/check.h"
#include "tests/support/memory.h"
#include "tests/support/tzif.h"

struct fixture {
    struct tzif tzif;
    struct test_memory counter;
    struct leat_memory memory;
    struct leat_zone zone;
};

static const int64_t two_times[] = {-100, 1000};
static const uint8_t two_indexes[] = {1, 2};
static const int32_t three_offsets[] = {60, 3600, -7200};

static const struct tzif_plan plain = {.version = '2',
                                       .times = two_times,
                                       .indexes = two_indexes,
                                       .times_count = 2,
                                       .offsets_s = three_offsets,
                                       .types_count = 3,
                                       .footer = "ABC2"};

static struct fixture *
setup(void)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    CHECK(fixture != NULL);
    test_memory_init(&fixture->counter);
    fixture->memory = test_memory_table(&fixture->counter);
    fixture->zone = leat_zone_utc();
    return fixture;
}

static void
teardown(struct fixture *fixture)
{
    CHECK(leat_zone_check(&fixture->zone, stderr));
    leat_zone_fini(&fixture->zone, &fixture->memory);
    CHECK_EQUAL(test_memory_blocks(&fixture->counter), 0);
    free(fixture);
}

/* Reads what was written. What is not taken changes nothing and keeps no memory. */
static enum leat_zone_result
read_it(struct fixture *fixture)
{
    leat_zone_fini(&fixture->zone, &fixture->memory);
    fixture->zone.offset_first_s = 77;
    /* Of exactly that size, so that a sanitizer sees a read beyond. */
    uint8_t *copy = malloc(fixture->tzif.size > 0 ? fixture->tzif.size : 1);
    CHECK(copy != NULL);
    memcpy(copy, fixture->tzif.bytes, fixture->tzif.size);
    enum leat_zone_result result =
        leat_zone_init(&fixture->zone, &fixture->memory, copy, fixture->tzif.size);
    free(copy);
    if (result != LEAT_ZONE_OK) {
        CHECK_EQUAL(fixture->zone.offset_first_s, 77);
        CHECK_EQUAL(test_memory_blocks(&fixture->counter), 0);
        fixture->zone = leat_zone_utc();
    } else {
        CHECK(leat_zone_check(&fixture->zone, stderr));
    }
    return result;
}

static enum leat_zone_result
read_plan(struct fixture *fixture, struct tzif_plan plan)
{
    tzif_write(&fixture->tzif, &plan);
    return read_it(fixture);
}

static enum leat_zone_result
read_rule(struct fixture *fixture, const char *rule)
{
    struct tzif_plan plan = {
        .version = '3', .offsets_s = three_offsets, .types_count = 1, .footer = rule};
    return read_plan(fixture, plan);
}

static int32_t
offset(const struct fixture *fixture, int64_t moment_s)
{
    struct leat_zone_span span = leat_zone_span(&fixture->zone, moment_s);
    CHECK(span.begin_s <= moment_s);
    CHECK(moment_s < span.end_s);
    return span.offset_s;
}

/* The offset is `before_s` until `text`, in UTC, and then `after_s`. */
static void
check_change(const struct fixture *fixture, const char *text, int32_t before_s, int32_t after_s)
{
    int64_t moment_s = test_time(text);
    CHECK_EQUAL(offset(fixture, moment_s - 1), before_s);
    CHECK_EQUAL(offset(fixture, moment_s), after_s);
    CHECK_EQUAL(leat_zone_span(&fixture->zone, moment_s).begin_s, moment_s);
    CHECK_EQUAL(leat_zone_span(&fixture->zone, moment_s - 1).end_s, moment_s);
}

/* ---- versions ------------------------------------------------------------------------------- */

static void
versions_are_read(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    static const char versions[] = {'1', '2', '3', '4'};
    for (size_t i = 0; i < sizeof(versions); i++) {
        struct tzif_plan plan = plain;
        plan.version = versions[i];
        CHECK_EQUAL(read_plan(fixture, plan), LEAT_ZONE_OK);
        CHECK_EQUAL(offset(fixture, -101), 60);
        CHECK_EQUAL(offset(fixture, -100), 3600);
        CHECK_EQUAL(offset(fixture, 999), 3600);
        CHECK_EQUAL(offset(fixture, 1000), -7200);
        CHECK_EQUAL(offset(fixture, LEAT_TIME_LAST_S), -7200);
        CHECK_EQUAL(fixture->zone.changes_count, 2);
        CHECK_EQUAL(leat_zone_span(&fixture->zone, 1000).end_s, LEAT_ZONE_END_S);
        CHECK_EQUAL(leat_zone_span(&fixture->zone, -101).begin_s, LEAT_ZONE_BEGIN_S);
    }
    static const char others[] = {1, '1', '5', '9', 'x'};
    for (size_t i = 0; i < sizeof(others); i++) {
        tzif_write(&fixture->tzif, &plain);
        fixture->tzif.bytes[4] = (uint8_t)others[i];
        CHECK_EQUAL(read_it(fixture), LEAT_ZONE_UNSUPPORTED);
    }
    teardown(fixture);
}

/* Version 1 has 32 bits, the others the whole calendar; what is beyond it counts as before or after
 * everything. */
static void
moments_of_64_bits(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    const int64_t times[] = {INT64_MIN,        LEAT_TIME_FIRST_S - 1, LEAT_TIME_FIRST_S,
                             LEAT_TIME_LAST_S, LEAT_TIME_LAST_S + 1,  INT64_MAX};
    static const uint8_t indexes[] = {1, 2, 3, 4, 5, 6};
    static const int32_t offsets[] = {0, 10, 20, 30, 40, 50, 60};
    struct tzif_plan plan = {.version = '2',
                             .times = times,
                             .indexes = indexes,
                             .times_count = 6,
                             .offsets_s = offsets,
                             .types_count = 7,
                             .footer = "ABC1DEF,J1,J100"};
    CHECK_EQUAL(read_plan(fixture, plan), LEAT_ZONE_OK);
    CHECK_EQUAL(fixture->zone.changes_count, 2);
    CHECK_EQUAL(offset(fixture, LEAT_TIME_FIRST_S - 1), 20);
    CHECK_EQUAL(offset(fixture, LEAT_TIME_FIRST_S), 30);
    CHECK_EQUAL(offset(fixture, LEAT_TIME_LAST_S), 40);
    teardown(fixture);
}

/* What changes a name only is no change. */
static void
equal_offsets_are_one(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    static const int32_t offsets[] = {60, 60, 60};
    struct tzif_plan plan = plain;
    plan.offsets_s = offsets;
    plan.footer = "";
    CHECK_EQUAL(read_plan(fixture, plan), LEAT_ZONE_OK);
    CHECK_EQUAL(fixture->zone.changes_count, 0);
    CHECK_EQUAL(offset(fixture, 5), 60);
    teardown(fixture);
}

/* ---- rules ---------------------------------------------------------------------------------- */

static void
rules_of_each_form(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    CHECK_EQUAL(read_rule(fixture, "CET-1CEST,M3.5.0,M10.5.0/3"), LEAT_ZONE_OK);
    check_change(fixture, "2025-03-30 01:00:00", 3600, 7200);
    check_change(fixture, "2025-10-26 01:00:00", 7200, 3600);
    check_change(fixture, "0001-10-28 01:00:00", 7200, 3600);
    check_change(fixture, "9999-03-28 01:00:00", 3600, 7200);
    /* The second one of a month, and the fourth and fifth where they differ. */
    CHECK_EQUAL(read_rule(fixture, "EST5EDT,M3.2.0,M11.1.0"), LEAT_ZONE_OK);
    check_change(fixture, "2026-03-08 07:00:00", -18000, -14400);
    check_change(fixture, "2026-11-01 06:00:00", -14400, -18000);
    CHECK_EQUAL(read_rule(fixture, "AAA0BBB,M8.4.6/0,M8.5.6/0"), LEAT_ZONE_OK);
    check_change(fixture, "2026-08-22 00:00:00", 0, 3600);
    check_change(fixture, "2026-08-28 23:00:00", 3600, 0);
    /* South of the equator the year begins in summer. */
    CHECK_EQUAL(read_rule(fixture, "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0"), LEAT_ZONE_OK);
    check_change(fixture, "2026-04-04 15:00:00", 39600, 37800);
    check_change(fixture, "2026-10-03 15:30:00", 37800, 39600);
    /* Summer time behind standard time, as in Ireland. */
    CHECK_EQUAL(read_rule(fixture, "IST-1GMT0,M10.5.0,M3.5.0/1"), LEAT_ZONE_OK);
    check_change(fixture, "2026-03-29 01:00:00", 0, 3600);
    check_change(fixture, "2026-10-25 01:00:00", 3600, 0);
    /* Days counted with and without 29 February. */
    CHECK_EQUAL(read_rule(fixture, "AAA0BBB,J60/0,J300/0"), LEAT_ZONE_OK);
    check_change(fixture, "2027-03-01 00:00:00", 0, 3600);
    check_change(fixture, "2028-03-01 00:00:00", 0, 3600);
    CHECK_EQUAL(read_rule(fixture, "AAA0BBB,J59/0,59/0"), LEAT_ZONE_OK);
    check_change(fixture, "2027-02-28 00:00:00", 0, 3600);
    check_change(fixture, "2028-02-28 00:00:00", 0, 3600);
    check_change(fixture, "2027-02-28 23:00:00", 3600, 0);
    check_change(fixture, "2028-02-28 23:00:00", 3600, 0);
    CHECK_EQUAL(read_rule(fixture, "AAA0BBB,59/0,60/0"), LEAT_ZONE_OK);
    check_change(fixture, "2027-03-01 00:00:00", 0, 3600);
    check_change(fixture, "2028-02-29 00:00:00", 0, 3600);
    /* Times before and behind their day, as in Greenland; offsets with minutes and seconds. */
    CHECK_EQUAL(read_rule(fixture, "<-02>2<-01>,M3.5.0/-1,M10.5.0/0"), LEAT_ZONE_OK);
    check_change(fixture, "2026-03-29 01:00:00", -7200, -3600);
    CHECK_EQUAL(read_rule(fixture, "AAA-1:02:03BBB-2:3,J10/-167:59:59,J100/+167:0:1"),
                LEAT_ZONE_OK);
    check_change(fixture, "2026-01-02 22:57:58", 3723, 7380);
    check_change(fixture, "2026-04-16 20:57:01", 7380, 3723);
    /* Always summer, in the words of RFC 9636. */
    CHECK_EQUAL(read_rule(fixture, "XXX3EDT4,0/0,J365/23"), LEAT_ZONE_OK);
    CHECK_EQUAL(fixture->zone.changes_count, 0);
    CHECK_EQUAL(offset(fixture, 0), -14400);
    CHECK_EQUAL(read_rule(fixture, "EST5"), LEAT_ZONE_OK);
    CHECK_EQUAL(offset(fixture, 0), -18000);
    CHECK_EQUAL(read_rule(fixture, "<-0330>+3:30"), LEAT_ZONE_OK);
    CHECK_EQUAL(offset(fixture, 0), -12600);
    teardown(fixture);
}

static void
rules_that_are_none(void **state)
{
    (void)state;
    static const char *const rules[] = {
        "A5",
        "AB5",
        "ABC",
        "5",
        "<A5",
        "<A>5",
        "<ABC5",
        "ABC25",
        "ABC5:60",
        "ABC5:00:60",
        "ABC5:",
        "ABC5DEF",
        "ABC5DEF4",
        "ABC5DEF,J1",
        "ABC5DEF,J1,",
        "ABC5DEF,J0,J9",
        "ABC5DEF,J366,J9",
        "ABC5DEF,366,9",
        "ABC5DEF,M0.1.0,9",
        "ABC5DEF,M13.1.0,9",
        "ABC5DEF,M1.0.0,9",
        "ABC5DEF,M1.6.0,9",
        "ABC5DEF,M1.1.7,9",
        "ABC5DEF,M1.1,9",
        "ABC5DEF,M1,9",
        "ABC5DEF,J1/168,J9",
        "ABC5DEF,J1/-168,J9",
        "ABC5DEF,J1/,J9",
        "ABC5DEF,J1,J9x",
        "ABC5DEF,J1,J9 ",
        "ABC5DE,J1,J9",
        "ABC5DEF25,J1,J9",
        "ABC--5",
        " ABC5",
        "ABC5DEF,J1,J9,J10",
        "AB1C5",
        "ABC0005",
        /* One year overtakes the next one. */
        "ABC5DEF,0/-167,J365/167",
    };
    struct fixture *fixture = setup();
    for (size_t i = 0; i < TEST_COUNT_OF(rules); i++) {
        if (read_rule(fixture, rules[i]) != LEAT_ZONE_DAMAGED) {
            test_say("%s was taken\n", rules[i]);
            CHECK(false);
        }
    }
    teardown(fixture);
}

/* A rule goes on where the table ends, and repeats every 400 years. */
static void
rule_behind_the_table(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    const int64_t times[] = {test_time("2025-03-30 01:00:00")};
    static const uint8_t indexes[] = {1};
    static const int32_t offsets[] = {3600, 7200};
    struct tzif_plan plan = {.version = '2',
                             .times = times,
                             .indexes = indexes,
                             .times_count = 1,
                             .offsets_s = offsets,
                             .types_count = 2,
                             .footer = "CET-1CEST,M3.5.0,M10.5.0/3"};
    CHECK_EQUAL(read_plan(fixture, plan), LEAT_ZONE_OK);
    CHECK_EQUAL(offset(fixture, test_time("2024-07-01 00:00:00")), 3600);
    check_change(fixture, "2025-03-30 01:00:00", 3600, 7200);
    check_change(fixture, "2025-10-26 01:00:00", 7200, 3600);
    check_change(fixture, "2100-03-28 01:00:00", 3600, 7200);
    check_change(fixture, "2426-10-25 01:00:00", 7200, 3600);
    check_change(fixture, "2427-03-28 01:00:00", 3600, 7200);
    for (int64_t moment = times[0]; moment < LEAT_TIME_LAST_S - LEAT_PERIOD_S; moment += 9999991) {
        CHECK_EQUAL(offset(fixture, moment), offset(fixture, moment + LEAT_PERIOD_S));
    }
    /* The spans join. */
    int64_t moment = LEAT_ZONE_BEGIN_S;
    while (moment <= LEAT_TIME_LAST_S) {
        struct leat_zone_span span = leat_zone_span(&fixture->zone, moment);
        CHECK_EQUAL(span.begin_s, moment);
        CHECK(span.end_s > moment);
        moment = span.end_s;
    }
    teardown(fixture);
}

/* What was before the last change of the table does not come again, nor does a last change that the
 * rule contradicts: it holds until the next one of the rule. */
static void
table_does_not_repeat(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    static const uint8_t indexes[] = {1, 2};
    static const int32_t offsets[] = {3600, 9000, 7200};
    int64_t times[] = {test_time("2025-03-01 00:00:00"), test_time("2025-03-30 01:00:00")};
    struct tzif_plan plan = {.version = '2',
                             .times = times,
                             .indexes = indexes,
                             .times_count = 2,
                             .offsets_s = offsets,
                             .types_count = 3,
                             .footer = "CET-1CEST,M3.5.0,M10.5.0/3"};
    CHECK_EQUAL(read_plan(fixture, plan), LEAT_ZONE_OK);
    CHECK_EQUAL(offset(fixture, test_time("2025-03-15 00:00:00")), 9000);
    CHECK_EQUAL(offset(fixture, test_time("2425-03-15 00:00:00")), 3600);
    times[1] = test_time("2025-11-15 00:00:00");
    CHECK_EQUAL(read_plan(fixture, plan), LEAT_ZONE_OK);
    CHECK_EQUAL(offset(fixture, test_time("2026-01-15 00:00:00")), 7200);
    check_change(fixture, "2026-10-25 01:00:00", 7200, 3600);
    CHECK_EQUAL(offset(fixture, test_time("2426-01-15 00:00:00")), 3600);
    /* Two changes at one moment are none that a file may have. */
    times[0] = times[1];
    CHECK_EQUAL(read_plan(fixture, plan), LEAT_ZONE_DAMAGED);
    teardown(fixture);
}

/* ---- damage --------------------------------------------------------------------------------- */

static void
short_files_are_refused(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    static const char versions[] = {'1', '2', '3'};
    for (size_t i = 0; i < sizeof(versions); i++) {
        struct tzif_plan plan = plain;
        plan.version = versions[i];
        tzif_write(&fixture->tzif, &plan);
        for (size_t size = fixture->tzif.size; size > 0; size--) {
            fixture->tzif.size = size - 1;
            CHECK_EQUAL(read_it(fixture), LEAT_ZONE_DAMAGED);
        }
    }
    teardown(fixture);
}

/* One byte of the block that counts, from its beginning, is replaced. */
static enum leat_zone_result
read_with(struct fixture *fixture, size_t at, uint8_t byte)
{
    tzif_write(&fixture->tzif, &plain);
    fixture->tzif.bytes[fixture->tzif.block + at] = byte;
    return read_it(fixture);
}

static void
wrong_bytes_are_noticed(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    enum {
        HEADER = 44,
        INDEXES = HEADER + 16,
        TYPES = INDEXES + 2,
        NAMES = TYPES + 18,
        FOOTER = NAMES + 4
    };
    CHECK_EQUAL(read_with(fixture, 0, 'T'), LEAT_ZONE_OK);
    CHECK_EQUAL(read_with(fixture, 0, 't'), LEAT_ZONE_DAMAGED);
    CHECK_EQUAL(read_with(fixture, 4, '3'), LEAT_ZONE_DAMAGED);
    /* Counts: of indicators, of types, of names; larger than the file. */
    CHECK_EQUAL(read_with(fixture, 23, 1), LEAT_ZONE_DAMAGED);
    CHECK_EQUAL(read_with(fixture, 27, 1), LEAT_ZONE_DAMAGED);
    CHECK_EQUAL(read_with(fixture, 39, 0), LEAT_ZONE_DAMAGED);
    CHECK_EQUAL(read_with(fixture, 43, 0), LEAT_ZONE_DAMAGED);
    for (size_t i = 20; i < HEADER; i += 4) {
        CHECK_EQUAL(read_with(fixture, i, 0xff), LEAT_ZONE_DAMAGED);
    }
    /* Moments that do not ascend, an index without a type. */
    CHECK_EQUAL(read_with(fixture, HEADER, 0x10), LEAT_ZONE_DAMAGED);
    CHECK_EQUAL(read_with(fixture, INDEXES, 2), LEAT_ZONE_OK);
    CHECK_EQUAL(read_with(fixture, INDEXES, 3), LEAT_ZONE_DAMAGED);
    /* Offsets, the summer flag, the place of a name. */
    CHECK_EQUAL(read_with(fixture, TYPES, 0x10), LEAT_ZONE_DAMAGED);
    CHECK_EQUAL(read_with(fixture, TYPES + 4, 1), LEAT_ZONE_OK);
    CHECK_EQUAL(read_with(fixture, TYPES + 4, 2), LEAT_ZONE_DAMAGED);
    CHECK_EQUAL(read_with(fixture, TYPES + 5, 3), LEAT_ZONE_OK);
    CHECK_EQUAL(read_with(fixture, TYPES + 5, 4), LEAT_ZONE_DAMAGED);
    CHECK_EQUAL(read_with(fixture, FOOTER, ' '), LEAT_ZONE_DAMAGED);
    CHECK_EQUAL(read_with(fixture, FOOTER + 5, ' '), LEAT_ZONE_DAMAGED);
    teardown(fixture);
}

/* Nothing is read behind a file's end, whatever its counts say; and with leap seconds it is told
 * apart from damage. */
static void
leap_seconds_are_unsupported(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct tzif_plan plan = plain;
    plan.times_count = 0;
    tzif_write(&fixture->tzif, &plan);
    /* 12 bytes more, in front of the footer. */
    fixture->tzif.bytes[fixture->tzif.block + 31] = 1;
    memmove(fixture->tzif.bytes + fixture->tzif.size + 6,
            fixture->tzif.bytes + fixture->tzif.size - 6, 6);
    fixture->tzif.size += 12;
    CHECK_EQUAL(read_it(fixture), LEAT_ZONE_UNSUPPORTED);
    teardown(fixture);
}

static void
offsets_have_limits(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    struct tzif_plan plan = plain;
    int32_t offsets[3] = {LEAT_ZONE_OFFSET_MIN_S, LEAT_ZONE_OFFSET_MAX_S, 0};
    plan.offsets_s = offsets;
    CHECK_EQUAL(read_plan(fixture, plan), LEAT_ZONE_OK);
    offsets[0]--;
    CHECK_EQUAL(read_plan(fixture, plan), LEAT_ZONE_DAMAGED);
    offsets[0]++;
    offsets[1]++;
    CHECK_EQUAL(read_plan(fixture, plan), LEAT_ZONE_DAMAGED);
    teardown(fixture);
}

static void
changes_have_a_limit(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    int64_t *times = calloc(LEAT_ZONE_CHANGES_MAX + 1, sizeof(*times));
    uint8_t *indexes = calloc(LEAT_ZONE_CHANGES_MAX + 1, sizeof(*indexes));
    CHECK(times != NULL);
    CHECK(indexes != NULL);
    for (uint32_t i = 0; i <= LEAT_ZONE_CHANGES_MAX; i++) {
        times[i] = i;
        indexes[i] = (uint8_t)(1 + i % 2);
    }
    struct tzif_plan plan = plain;
    plan.times = times;
    plan.indexes = indexes;
    plan.times_count = LEAT_ZONE_CHANGES_MAX;
    plan.footer = "ABC2DEF,J50,J100";
    CHECK_EQUAL(read_plan(fixture, plan), LEAT_ZONE_OK);
    for (uint32_t i = 0; i < LEAT_ZONE_CHANGES_MAX; i++) {
        CHECK_EQUAL(offset(fixture, i), three_offsets[indexes[i]]);
    }
    plan.times_count++;
    CHECK_EQUAL(read_plan(fixture, plan), LEAT_ZONE_TOO_LARGE);
    free(times);
    free(indexes);
    teardown(fixture);
}

static void
without_memory_nothing_changes(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    test_memory_fail(&fixture->counter, 0, false);
    CHECK_EQUAL(read_plan(fixture, plain), LEAT_ZONE_NO_MEMORY);
    test_memory_heal(&fixture->counter);
    CHECK_EQUAL(read_plan(fixture, plain), LEAT_ZONE_OK);
    teardown(fixture);
}

/* ---- files ---------------------------------------------------------------------------------- */

/* Each time with a later date: the system's own is of the last tick of its clock, and two writes
 * may fall into one. */
static void
write_bytes(const char *path, const uint8_t *bytes, size_t size)
{
    static time_t date = 1000000;
    FILE *stream = fopen(path, "wbe");
    CHECK(stream != NULL);
    CHECK_EQUAL(fwrite(bytes, 1, size, stream), size);
    CHECK_EQUAL(fflush(stream), 0);
    date++;
    const struct timespec times[2] = {{date, 0}, {date, 0}};
    CHECK_EQUAL(futimens(fileno(stream), times), 0);
    CHECK_EQUAL(fclose(stream), 0);
}

static void
names_are_checked(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    static const char *const names[] = {"",    "/",   "/UTC", "a/", "a//b", "..",     "../x",
                                        "a/.", "a.b", "a b",  "ä",  "a\n",  "a/../b", ":UTC"};
    struct leat_zone_file file = {.directory = "untouched"};
    for (size_t i = 0; i < TEST_COUNT_OF(names); i++) {
        CHECK_EQUAL(leat_zone_file_open(&file, &fixture->memory, "/", names[i]), LEAT_ZONE_NAME);
    }
    char name[LEAT_ZONE_NAME_BYTES + 1];
    memset(name, 'a', sizeof(name));
    name[LEAT_ZONE_NAME_BYTES] = '\0';
    CHECK_EQUAL(leat_zone_file_open(&file, &fixture->memory, "/", name), LEAT_ZONE_NAME);
    name[LEAT_ZONE_NAME_BYTES - 1] = '\0';
    CHECK_EQUAL(leat_zone_file_open(&file, &fixture->memory, "/", name), LEAT_ZONE_MISSING);
    CHECK_EQUAL(leat_zone_file_open(&file, &fixture->memory, "/", "dev"), LEAT_ZONE_MISSING);
    CHECK_EQUAL(leat_zone_file_open(&file, &fixture->memory, "/dev", "null"), LEAT_ZONE_DAMAGED);
    CHECK_EQUAL(leat_zone_file_open(&file, &fixture->memory, "/nowhere", "a"), LEAT_ZONE_MISSING);
    CHECK_TEXT(file.directory, "untouched");
    /* UTC wants no directory. */
    CHECK_EQUAL(leat_zone_file_open(&file, &fixture->memory, "/nowhere", "UTC"), LEAT_ZONE_OK);
    CHECK_EQUAL(leat_zone_span(&file.zone, 0).offset_s, 0);
    bool changed = true;
    CHECK_EQUAL(leat_zone_file_refresh(&file, &changed), LEAT_ZONE_OK);
    CHECK(!changed);
    leat_zone_file_close(&file);
    teardown(fixture);
}

static void
files_are_read_again(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    char folder[] = "/tmp/unit_zone.XXXXXX";
    CHECK(mkdtemp(folder) != NULL);
    char path[64];
    char other[64];
    (void)snprintf(path, sizeof(path), "%s/Zone", folder);
    (void)snprintf(other, sizeof(other), "%s/Other", folder);
    tzif_write(&fixture->tzif, &plain);
    write_bytes(path, fixture->tzif.bytes, fixture->tzif.size);
    struct leat_zone_file file;
    CHECK_EQUAL(leat_zone_file_open(&file, &fixture->memory, folder, "Zone"), LEAT_ZONE_OK);
    CHECK_EQUAL(leat_zone_span(&file.zone, 5).offset_s, 3600);
    bool changed = true;
    CHECK_EQUAL(leat_zone_file_refresh(&file, &changed), LEAT_ZONE_OK);
    CHECK(!changed);
    /* Another file takes its place. */
    static const int32_t offsets[] = {60, 1800, -7200};
    struct tzif_plan plan = plain;
    plan.offsets_s = offsets;
    tzif_write(&fixture->tzif, &plan);
    write_bytes(other, fixture->tzif.bytes, fixture->tzif.size);
    CHECK_EQUAL(rename(other, path), 0);
    CHECK_EQUAL(leat_zone_file_refresh(&file, &changed), LEAT_ZONE_OK);
    CHECK(changed);
    CHECK_EQUAL(leat_zone_span(&file.zone, 5).offset_s, 1800);
    /* Damaged, gone: what was read stays, and the next one is read. */
    write_bytes(path, fixture->tzif.bytes, fixture->tzif.size - 1);
    CHECK_EQUAL(leat_zone_file_refresh(&file, &changed), LEAT_ZONE_DAMAGED);
    CHECK_EQUAL(leat_zone_file_refresh(&file, &changed), LEAT_ZONE_DAMAGED);
    CHECK_EQUAL(unlink(path), 0);
    CHECK_EQUAL(leat_zone_file_refresh(&file, &changed), LEAT_ZONE_MISSING);
    CHECK(!changed);
    CHECK_EQUAL(leat_zone_span(&file.zone, 5).offset_s, 1800);
    tzif_write(&fixture->tzif, &plain);
    write_bytes(path, fixture->tzif.bytes, fixture->tzif.size);
    test_memory_fail(&fixture->counter, 1, false);
    CHECK_EQUAL(leat_zone_file_refresh(&file, &changed), LEAT_ZONE_NO_MEMORY);
    test_memory_heal(&fixture->counter);
    CHECK_EQUAL(leat_zone_file_refresh(&file, &changed), LEAT_ZONE_OK);
    CHECK(changed);
    CHECK_EQUAL(leat_zone_span(&file.zone, 5).offset_s, 3600);
    leat_zone_file_close(&file);
    CHECK_EQUAL(unlink(path), 0);
    /* A pipe is not waited for. */
    CHECK_EQUAL(mkfifo(path, 0600), 0);
    CHECK_EQUAL(leat_zone_file_open(&file, &fixture->memory, folder, "Zone"), LEAT_ZONE_DAMAGED);
    CHECK_EQUAL(unlink(path), 0);
    CHECK_EQUAL(rmdir(folder), 0);
    teardown(fixture);
}

static void
date_set(const char *path)
{
    const struct timespec times[2] = {{77, 5}, {77, 5}};
    CHECK_EQUAL(utimensat(AT_FDCWD, path, times, 0), 0);
}

/* Each part of a stamp alone tells a file from the one that was read: its date, its size, which
 * file it is. */
static void
files_have_stamps(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    char folder[] = "/tmp/unit_zone.XXXXXX";
    CHECK(mkdtemp(folder) != NULL);
    char path[64];
    char other[64];
    (void)snprintf(path, sizeof(path), "%s/Zone", folder);
    (void)snprintf(other, sizeof(other), "%s/Other", folder);
    tzif_write(&fixture->tzif, &plain);
    write_bytes(path, fixture->tzif.bytes, fixture->tzif.size);
    struct leat_zone_file file;
    bool changed = false;
    CHECK_EQUAL(leat_zone_file_open(&file, &fixture->memory, folder, "Zone"), LEAT_ZONE_OK);
    date_set(path);
    CHECK_EQUAL(leat_zone_file_refresh(&file, &changed), LEAT_ZONE_OK);
    CHECK(changed);
    write_bytes(path, fixture->tzif.bytes, fixture->tzif.size + 1);
    date_set(path);
    CHECK_EQUAL(leat_zone_file_refresh(&file, &changed), LEAT_ZONE_OK);
    CHECK(changed);
    write_bytes(other, fixture->tzif.bytes, fixture->tzif.size + 1);
    date_set(other);
    CHECK_EQUAL(rename(other, path), 0);
    CHECK_EQUAL(leat_zone_file_refresh(&file, &changed), LEAT_ZONE_OK);
    CHECK(changed);
    CHECK_EQUAL(leat_zone_file_refresh(&file, &changed), LEAT_ZONE_OK);
    CHECK(!changed);
    leat_zone_file_close(&file);
    CHECK_EQUAL(unlink(path), 0);
    CHECK_EQUAL(rmdir(folder), 0);
    teardown(fixture);
}

static void
files_have_a_limit(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    char folder[] = "/tmp/unit_zone.XXXXXX";
    CHECK(mkdtemp(folder) != NULL);
    char path[64];
    (void)snprintf(path, sizeof(path), "%s/Zone", folder);
    tzif_write(&fixture->tzif, &plain);
    memset(fixture->tzif.bytes + fixture->tzif.size, 0, TZIF_BYTES_MAX - fixture->tzif.size);
    struct leat_zone_file file;
    /* Bytes behind the footer are none of ours. */
    write_bytes(path, fixture->tzif.bytes, LEAT_ZONE_FILE_BYTES_MAX - 1);
    CHECK_EQUAL(leat_zone_file_open(&file, &fixture->memory, folder, "Zone"), LEAT_ZONE_OK);
    leat_zone_file_close(&file);
    write_bytes(path, fixture->tzif.bytes, LEAT_ZONE_FILE_BYTES_MAX);
    CHECK_EQUAL(leat_zone_file_open(&file, &fixture->memory, folder, "Zone"), LEAT_ZONE_OK);
    leat_zone_file_close(&file);
    write_bytes(path, fixture->tzif.bytes, LEAT_ZONE_FILE_BYTES_MAX + 1);
    CHECK_EQUAL(leat_zone_file_open(&file, &fixture->memory, folder, "Zone"), LEAT_ZONE_TOO_LARGE);
    write_bytes(path, fixture->tzif.bytes, 0);
    CHECK_EQUAL(leat_zone_file_open(&file, &fixture->memory, folder, "Zone"), LEAT_ZONE_DAMAGED);
    CHECK_EQUAL(unlink(path), 0);
    CHECK_EQUAL(rmdir(folder), 0);
    teardown(fixture);
}

/* ---- the rest ------------------------------------------------------------------------------- */

static void
results_have_texts(void **state)
{
    (void)state;
    for (uint32_t i = 0; i <= LEAT_ZONE_NO_MEMORY; i++) {
        CHECK(strlen(leat_zone_result_text((enum leat_zone_result)i)) > 0);
        for (uint32_t j = 0; j < i; j++) {
            CHECK(strcmp(leat_zone_result_text((enum leat_zone_result)i),
                         leat_zone_result_text((enum leat_zone_result)j)) != 0);
        }
    }
}

static void
check_can_say_no(void **state)
{
    (void)state;
    struct fixture *fixture = setup();
    CHECK_EQUAL(read_plan(fixture, plain), LEAT_ZONE_OK);
    struct leat_zone_change *changes = fixture->zone.changes;
    struct leat_zone_change kept = changes[1];
    changes[1].at_s = changes[0].at_s;
    CHECK(!leat_zone_check(&fixture->zone, NULL));
    changes[1].at_s = LEAT_TIME_LAST_S + 1;
    CHECK(!leat_zone_check(&fixture->zone, NULL));
    changes[1] = kept;
    changes[1].offset_s = changes[0].offset_s;
    CHECK(!leat_zone_check(&fixture->zone, NULL));
    changes[1].offset_s = LEAT_ZONE_OFFSET_MAX_S + 1;
    CHECK(!leat_zone_check(&fixture->zone, NULL));
    changes[1] = kept;
    fixture->zone.cycle_s = changes[1].at_s - LEAT_PERIOD_S;
    CHECK(!leat_zone_check(&fixture->zone, NULL));
    fixture->zone.cycle_s = INT64_MAX;
    fixture->zone.offset_first_s = LEAT_ZONE_OFFSET_MIN_S - 1;
    CHECK(!leat_zone_check(&fixture->zone, NULL));
    fixture->zone.offset_first_s = 0;
    teardown(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_are_read),
        cmocka_unit_test(moments_of_64_bits),
        cmocka_unit_test(equal_offsets_are_one),
        cmocka_unit_test(rules_of_each_form),
        cmocka_unit_test(rules_that_are_none),
        cmocka_unit_test(rule_behind_the_table),
        cmocka_unit_test(table_does_not_repeat),
        cmocka_unit_test(short_files_are_refused),
        cmocka_unit_test(wrong_bytes_are_noticed),
        cmocka_unit_test(leap_seconds_are_unsupported),
        cmocka_unit_test(offsets_have_limits),
        cmocka_unit_test(changes_have_a_limit),
        cmocka_unit_test(without_memory_nothing_changes),
        cmocka_unit_test(names_are_checked),
        cmocka_unit_test(files_are_read_again),
        cmocka_unit_test(files_have_stamps),
        cmocka_unit_test(files_have_a_limit),
        cmocka_unit_test(results_have_texts),
        cmocka_unit_test(check_can_say_no),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
