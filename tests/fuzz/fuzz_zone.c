/* fuzz_zone.c - damaged TZif files: zones of tzdata and some of our own with changed, missing and
 * foreign bytes, and random TZ strings in the footer. None is read beyond its end; what is taken is
 * sound, its spans join, and schedules in it are computed in bounded time. A file that is refused
 * keeps no memory. Holds I1 and I2 of sched/zone.h.
 *
 *   fuzz_zone [ROUNDS]     more of everything */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sched/cron.h"
#include "tests/support/calendar.h"
#include "tests/support/check.h"
#include "tests/support/memory.h"
#include "tests/support/tzif.h"

#define FILES 20000
#define RULES 20000
/* Spans that are followed from one place. */
#define SPANS 20

static uint32_t rounds = 1;

struct fixture {
    struct test_prng prng;
    struct test_memory counter;
    struct leat_memory memory;
    struct leat_cron crons[3];
    struct tzif tzif;
    uint32_t taken;
};

static struct fixture *
setup(const char *name)
{
    static const char *const texts[] = {"30 2 * * *", "*/20 * * * *", "0 */12 29 2 *"};
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    CHECK(fixture != NULL);
    fixture->prng.state = test_seed(name);
    test_memory_init(&fixture->counter);
    fixture->memory = test_memory_table(&fixture->counter);
    for (size_t i = 0; i < TEST_COUNT_OF(texts); i++) {
        struct leat_cron_error error;
        CHECK(leat_cron_parse(&fixture->crons[i], texts[i], &error));
    }
    return fixture;
}

static void
check_schedules(struct fixture *fixture, const struct leat_zone *zone, int64_t from_s)
{
    for (size_t i = 0; i < TEST_COUNT_OF(fixture->crons); i++) {
        int64_t next_s = from_s;
        bool found = leat_cron_next(&fixture->crons[i], zone, from_s, &next_s);
        CHECK(!found || next_s > from_s);
        CHECK(next_s <= LEAT_TIME_LAST_S);
    }
}

static void
check_zone(struct fixture *fixture, const struct leat_zone *zone)
{
    CHECK(leat_zone_check(zone, stderr));
    uint64_t range = (uint64_t)(LEAT_TIME_LAST_S - LEAT_TIME_FIRST_S);
    int64_t from_s = LEAT_TIME_FIRST_S + (int64_t)(test_random(&fixture->prng) % range);
    if (zone->changes_count > 0 && test_random_below(&fixture->prng, 2) == 0) {
        from_s = zone->changes[test_random_below(&fixture->prng, zone->changes_count)].at_s;
    }
    check_schedules(fixture, zone, from_s);
    struct leat_zone_span span = leat_zone_span(zone, from_s);
    for (uint32_t i = 0; i < SPANS && span.end_s < LEAT_TIME_LAST_S; i++) {
        CHECK(span.begin_s < span.end_s);
        struct leat_zone_span next = leat_zone_span(zone, span.end_s);
        CHECK_EQUAL(next.begin_s, span.end_s);
        CHECK_EQUAL(leat_zone_span(zone, next.begin_s - 1).offset_s, span.offset_s);
        span = next;
    }
}

static void
read_it(struct fixture *fixture)
{
    /* Of exactly that size, so that a sanitizer sees a read beyond. */
    size_t size = fixture->tzif.size;
    uint8_t *copy = malloc(size > 0 ? size : 1);
    CHECK(copy != NULL);
    memcpy(copy, fixture->tzif.bytes, size);
    struct leat_zone zone;
    enum leat_zone_result result = leat_zone_init(&zone, &fixture->memory, copy, size);
    free(copy);
    if (result == LEAT_ZONE_OK) {
        check_zone(fixture, &zone);
        leat_zone_fini(&zone, &fixture->memory);
        fixture->taken++;
    }
    CHECK_EQUAL(test_memory_blocks(&fixture->counter), 0);
}

/* A file of tzdata, or one of our own where there is none. */
static void
seed_file(struct fixture *fixture, const struct calendar_names *names)
{
    static const int64_t times[] = {-5000, 1000000, 2000000, 1700000000};
    static const uint8_t indexes[] = {1, 0, 1, 2};
    static const int32_t offsets[] = {3600, 7200, -3600};
    tzif_write(&fixture->tzif, &(struct tzif_plan){.version = '3',
                                                   .times = times,
                                                   .indexes = indexes,
                                                   .times_count = 4,
                                                   .offsets_s = offsets,
                                                   .types_count = 3,
                                                   .footer = "CET-1CEST,M3.5.0,M10.5.0/3"});
    if (names->count > 0 && test_random_below(&fixture->prng, 4) != 0) {
        char path[256];
        (void)snprintf(path, sizeof(path), "%s/%s", LEAT_ZONE_DIRECTORY,
                       names->names[test_random_below(&fixture->prng, names->count)]);
        FILE *stream = fopen(path, "re");
        CHECK(stream != NULL);
        fixture->tzif.size = fread(fixture->tzif.bytes, 1, LEAT_ZONE_FILE_BYTES_MAX, stream);
        CHECK_EQUAL(fclose(stream), 0);
    }
}

/* Bytes of the header or anywhere, parts cut out or doubled, an end that is missing. */
static void
damage(struct fixture *fixture)
{
    struct tzif *tzif = &fixture->tzif;
    for (uint32_t i = test_random_below(&fixture->prng, 5); i > 0; i--) {
        uint32_t within = test_random_below(&fixture->prng, 2) == 0 ? 44 : (uint32_t)tzif->size;
        uint32_t place = test_random_below(&fixture->prng, within);
        static const uint8_t bytes[] = {0, 1, 2, 0x7f, 0x80, 0xff};
        bool known = test_random_below(&fixture->prng, 2) == 0;
        tzif->bytes[place] = known ? bytes[test_random_below(&fixture->prng, sizeof(bytes))]
                                   : (uint8_t)test_random(&fixture->prng);
    }
    if (test_random_below(&fixture->prng, 4) == 0) {
        uint32_t place = test_random_below(&fixture->prng, (uint32_t)tzif->size);
        uint32_t length = test_random_below(&fixture->prng, (uint32_t)tzif->size - place);
        memmove(tzif->bytes + place, tzif->bytes + place + length, tzif->size - place - length);
        tzif->size -= length;
    }
    if (test_random_below(&fixture->prng, 4) == 0) {
        tzif->size = test_random_below(&fixture->prng, (uint32_t)tzif->size + 1);
    }
}

static void
damaged_files(void **state)
{
    (void)state;
    struct fixture *fixture = setup("fuzz_zone files");
    struct calendar_names *names = calloc(1, sizeof(*names));
    CHECK(names != NULL);
    (void)calendar_names_read(names, LEAT_ZONE_DIRECTORY);
    for (uint32_t i = 0; i < FILES * rounds; i++) {
        seed_file(fixture, names);
        damage(fixture);
        read_it(fixture);
    }
    CHECK(fixture->taken > FILES / 20);
    free(names);
    free(fixture);
}

/* A rule of parts that fit, with foreign letters now and then. */
static void
random_rule(struct test_prng *prng, char *text, size_t size)
{
    static const char *const begins[] = {"CET-1", "<+03>-3", "A5",  "ABC24:59:59",
                                         "EST5",  "<-12>12", "<>1", "XYZ-24"};
    static const char *const seconds[] = {"CEST", "EDT4", "<-01>", "DEF-24", "", "DE", "GHI+1:30"};
    static const char *const days[] = {",M3.5.0",  ",J1",        ",J365", ",0",
                                       ",365/167", ",J59/5",     ",60",   ",M10.1.6/-1:30",
                                       "",         ",M2.5.3/24", ",J366", ",M12.5.6/-167"};
    (void)snprintf(text, size, "%s%s%s%s", begins[test_random_below(prng, TEST_COUNT_OF(begins))],
                   seconds[test_random_below(prng, TEST_COUNT_OF(seconds))],
                   days[test_random_below(prng, TEST_COUNT_OF(days))],
                   days[test_random_below(prng, TEST_COUNT_OF(days))]);
    if (test_random_below(prng, 4) == 0) {
        text[test_random_below(prng, (uint32_t)strlen(text))] =
            (char)(1 + test_random_below(prng, 255));
    }
}

static void
random_rules(void **state)
{
    (void)state;
    struct fixture *fixture = setup("fuzz_zone rules");
    static const int64_t times[] = {0};
    static const uint8_t indexes[] = {0};
    static const int32_t offsets[] = {3600};
    for (uint32_t i = 0; i < RULES * rounds; i++) {
        char rule[64];
        random_rule(&fixture->prng, rule, sizeof(rule));
        tzif_write(&fixture->tzif, &(struct tzif_plan){.version = '3',
                                                       .times = times,
                                                       .indexes = indexes,
                                                       .times_count = i % 2,
                                                       .offsets_s = offsets,
                                                       .types_count = 1,
                                                       .footer = rule});
        read_it(fixture);
    }
    CHECK(fixture->taken > RULES / 20);
    free(fixture);
}

int
main(int argc, char **argv)
{
    if (argc > 1) {
        rounds = (uint32_t)strtoul(argv[1], NULL, 10);
    }
    rounds = rounds > 0 ? rounds : 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damaged_files),
        cmocka_unit_test(random_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
