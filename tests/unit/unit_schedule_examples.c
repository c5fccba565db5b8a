/* unit_schedule_examples.c - the tables of docs/cron.md: each row's runs on the days on which the
 * clock of its zone is changed, asked of an engine. The zones are rules of their own, so that
 * nothing here depends on tzdata. Holds the rules of sched/cron.h, through the engine. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/engine_internal.h"
#include "tests/support/check.h"
#include "tests/support/schedules.h"
#include "tests/support/source.h"
#include "tests/support/tzif.h"

#define HOUR_S    3600
#define SECOND_NS UINT64_C(1000000000)

/* What the tables show: up to this hour. */
#define HOURS_SHOWN 5
/* More than any row has. */
#define MOMENTS_MAX 64

static const struct place {
    const char *zone;
    const char *rule;
    int32_t offset_s; /* without the rule */
} places[] = {
    {"Europe/Berlin", "CET-1CEST,M3.5.0,M10.5.0/3", 3600},
    {"America/New_York", "EST5EDT,M3.2.0,M11.1.0", -5 * 3600},
    {"Australia/Lord_Howe", "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", 37800},
};

enum { PLACES = TEST_COUNT_OF(places) };

struct fixture {
    struct test_schedules all;
    char folder[48];
    uint32_t rows;
    uint32_t wrong;
};

/* ---- zones ---------------------------------------------------------------------------------- */

static void
path_of(const struct fixture *fixture, const char *name, char path[96])
{
    (void)snprintf(path, 96, "%s/%s", fixture->folder, name);
}

static void
zones_write(struct fixture *fixture)
{
    struct tzif *tzif = malloc(sizeof(*tzif));
    char path[96];
    CHECK(tzif != NULL);
    (void)snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/unit_schedule_XXXXXX");
    CHECK(mkdtemp(fixture->folder) != NULL);
    for (size_t i = 0; i < PLACES; i++) {
        const struct tzif_plan plan = {.version = '2',
                                       .offsets_s = &places[i].offset_s,
                                       .types_count = 1,
                                       .footer = places[i].rule};
        path_of(fixture, places[i].zone, path);
        char *slash = strrchr(path, '/');
        *slash = '\0';
        CHECK_EQUAL(mkdir(path, 0700), 0);
        *slash = '/';
        tzif_write(tzif, &plan);
        FILE *file = fopen(path, "wb");
        CHECK(file != NULL);
        CHECK_EQUAL(fwrite(tzif->bytes, 1, tzif->size, file), tzif->size);
        CHECK_EQUAL(fclose(file), 0);
    }
    free(tzif);
}

static void
zones_remove(const struct fixture *fixture)
{
    char path[96];
    for (size_t i = 0; i < PLACES; i++) {
        path_of(fixture, places[i].zone, path);
        CHECK_EQUAL(unlink(path), 0);
        *strrchr(path, '/') = '\0';
        CHECK_EQUAL(rmdir(path), 0);
    }
    CHECK_EQUAL(rmdir(fixture->folder), 0);
}

/* ---- one row -------------------------------------------------------------------------------- */

/* Whether the clock has shown the same within the hours before. */
static bool
shown_before(const struct leat_zone *zone, int64_t moment_s)
{
    struct leat_zone_span span = leat_zone_span(zone, moment_s);
    int64_t local_s = moment_s + span.offset_s;
    struct leat_zone_span before = leat_zone_span(zone, span.begin_s - 1);
    return local_s - before.offset_s < span.begin_s;
}

/* The first moment of a local day. */
static int64_t
day_begin(const struct leat_zone *zone, const char *date)
{
    char text[32];
    (void)snprintf(text, sizeof(text), "%.10s 00:00:00", date);
    int64_t local_s = test_time(text);
    int64_t guess_s = local_s - leat_zone_span(zone, local_s).offset_s;
    return local_s - leat_zone_span(zone, guess_s).offset_s;
}

/* Writes the runs of a schedule on a day as a cell of the table. */
static void
runs_write(struct fixture *fixture, const char *date, char *cell, size_t bytes)
{
    struct leat_engine *engine = fixture->all.engine;
    const struct leat_zone *zone = &engine->schedules.zones->file.zone;
    int64_t begin_s = day_begin(zone, date);
    int64_t local_begin_s = begin_s + leat_zone_span(zone, begin_s).offset_s;
    uint64_t moments[MOMENTS_MAX];
    size_t count = 0;
    size_t length = 0;
    atom_store_rlx(&fixture->all.now_ns, (uint64_t)(begin_s - 1) * SECOND_NS);
    CHECK_OK(leat_schedule_pause(engine, "row"));
    CHECK_OK(leat_schedule_next(engine, "row", moments, MOMENTS_MAX, &count));
    for (size_t i = 0; i < count; i++) {
        int64_t moment_s = (int64_t)(moments[i] / SECOND_NS);
        int64_t shown_s = moment_s + leat_zone_span(zone, moment_s).offset_s - local_begin_s;
        if (shown_s >= (int64_t)HOURS_SHOWN * HOUR_S) {
            break;
        }
        length +=
            (size_t)snprintf(cell + length, bytes - length, "%s%u:%02u%s", length > 0 ? ", " : "",
                             (uint32_t)(shown_s / HOUR_S), (uint32_t)(shown_s / 60 % 60),
                             shown_before(zone, moment_s) ? " (2)" : "");
        CHECK(length < bytes);
    }
    if (length == 0) {
        (void)snprintf(cell, bytes, "none");
    }
}

/* "| `spec` | cell | cell |" */
static void
row_check(struct fixture *fixture, const char *zone, const char *dates[2], const char *line)
{
    char spec[64] = "";
    char got[2][128];
    char want[360];
    struct leat_schedule schedule = test_schedule(&fixture->all, spec);
    CHECK_EQUAL(sscanf(line, "| `%63[^`]`", spec), 1);
    schedule.zone = zone;
    test_schedule_add(&fixture->all, "row", &schedule);
    for (size_t i = 0; i < 2; i++) {
        runs_write(fixture, dates[i], got[i], sizeof(got[i]));
    }
    CHECK_OK(leat_schedule_remove(fixture->all.engine, "row"));
    (void)snprintf(want, sizeof(want), "| `%s` | %s | %s |", spec, got[0], got[1]);
    fixture->rows++;
    if (strcmp(line, want) != 0) {
        test_say("docs/cron.md, %s:\n  has  %s\n  want %s\n", zone, line, want);
        fixture->wrong++;
    }
}

/* ---- the page ------------------------------------------------------------------------------- */

static void
every_row_is_true(void **state)
{
    (void)state;
    struct fixture fixture = {.rows = 0};
    test_schedules_open(&fixture.all, NULL, "2025-01-01 00:00:00");
    zones_write(&fixture);
    fixture.all.engine->schedules.directory = fixture.folder;
    char *text = test_source_read("docs/cron.md");
    char zone[64] = "";
    char days[2][11] = {"", ""};
    const char *dates[2] = {days[0], days[1]};
    uint32_t tables = 0;
    char *rest = text;
    for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n")) {
        if (line[0] == '#') {
            zone[0] = '\0';
            tables += sscanf(line, "### %63[^,], %10s and %10s", zone, days[0], days[1]) == 3;
        } else if (zone[0] != '\0' && strncmp(line, "| `", 3) == 0) {
            row_check(&fixture, zone, dates, line);
        }
    }
    free(text);
    zones_remove(&fixture);
    test_schedules_close(&fixture.all);
    CHECK_EQUAL(fixture.wrong, 0);
    CHECK_EQUAL(tables, PLACES);
    CHECK(fixture.rows >= 30);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_true),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
