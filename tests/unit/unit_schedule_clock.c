/* unit_schedule_clock.c - schedules whose clock is set ahead and back, or whose zone changes: with
 * fixed hours no moment is served twice, however the clock goes; two jobs of an interval are never
 * nearer than it; a clock that was wrong by more than a day is believed once it is right; and a new
 * file of a zone moves what is to come. After each look I1 to I4 of engine/schedule.h are checked.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/engine_internal.h"
#include "tests/support/check.h"
#include "tests/support/prng.h"
#include "tests/support/schedules.h"
#include "tests/support/tzif.h"

#define SECOND_NS UINT64_C(1000000000)

#define DAY "2026-01-05 " /* a Monday */

static uint64_t
runs(struct test_schedules *all)
{
    return test_schedule_get(all, "s")->runs;
}

static uint64_t
missed(struct test_schedules *all)
{
    return test_schedule_get(all, "s")->runs_missed;
}

/* ---- clocks that are set -------------------------------------------------------------------- */

static void
set_ahead(void **state)
{
    (void)state;
    struct test_schedules all;
    test_schedules_open_with(&all, DAY "12:00:30", "0 13 * * *", LEAT_OVERLAP_ALLOW,
                             LEAT_MISSED_ONE);
    test_fire(&all, "2026-02-05 12:00:00");
    CHECK_EQUAL(runs(&all), 1);
    CHECK_EQUAL(missed(&all), 30);
    CHECK_EQUAL(leat_schedules_next(all.engine), test_ns("2026-02-05 13:00:00"));
    test_schedules_close(&all);
}

/* A job with fixed hours runs once for a moment that comes twice. */
static void
set_back_fixed_hours(void **state)
{
    (void)state;
    struct test_schedules all;
    test_schedules_open_with(&all, DAY "12:00:30", "*/10 12-14 * * *", LEAT_OVERLAP_ALLOW,
                             LEAT_MISSED_ALL);
    test_fire_until(&all, DAY "13:25:00");
    CHECK_EQUAL(runs(&all), 8);
    test_fire(&all, DAY "12:05:00");
    CHECK_EQUAL(leat_schedules_next(all.engine), test_ns(DAY "13:30:00"));
    test_fire_until(&all, DAY "13:29:59");
    CHECK_EQUAL(runs(&all), 8);
    test_fire_until(&all, DAY "13:30:00");
    CHECK_EQUAL(runs(&all), 9);
    CHECK_EQUAL(missed(&all), 0);
    test_schedules_close(&all);
}

/* By a second, as a daemon does that keeps the clock right: nothing comes twice, whatever it is. */
static void
set_back_a_little(void **state)
{
    (void)state;
    static const char *const specs[] = {"* * * * *", "@every 1m", "0-59 10-14 * * *"};
    for (size_t i = 0; i < TEST_COUNT_OF(specs); i++) {
        struct test_schedules all;
        test_schedules_open_with(&all, DAY "12:00:30", specs[i], LEAT_OVERLAP_ALLOW,
                                 LEAT_MISSED_ALL);
        test_fire_ns(&all, test_ns(DAY "12:01:00"));
        CHECK_EQUAL(runs(&all), 1);
        test_fire_ns(&all, test_ns(DAY "12:01:00") - 1);
        CHECK_EQUAL(leat_schedules_next(all.engine), test_ns(DAY "12:02:00"));
        test_fire_until(&all, DAY "12:01:59");
        CHECK_EQUAL(runs(&all), 1);
        test_fire_until(&all, DAY "12:02:00");
        CHECK_EQUAL(runs(&all), 2);
        test_schedules_close(&all);
    }
}

/* Not back behind a moment that was served: nothing changes. */
static void
set_back_in_between(void **state)
{
    (void)state;
    struct test_schedules all;
    test_schedules_open_with(&all, DAY "12:00:30", "0 * * * *", LEAT_OVERLAP_ALLOW,
                             LEAT_MISSED_ALL);
    test_fire_until(&all, DAY "13:50:00");
    test_fire(&all, DAY "13:10:00");
    CHECK_EQUAL(leat_schedules_next(all.engine), test_ns(DAY "14:00:00"));
    /* Behind the time of its adding it has no moment that could come twice. */
    struct leat_schedule schedule = test_schedule(&all, "* * * * *");
    test_schedule_add(&all, "t", &schedule);
    test_fire(&all, DAY "13:09:50");
    CHECK_EQUAL(leat_schedules_next(all.engine), test_ns(DAY "13:11:00"));
    test_schedules_close(&all);
}

/* An interval goes on, with one moment left out: two jobs are never nearer than it. */
static void
set_back_intervals(void **state)
{
    (void)state;
    static const char *const specs[] = {"*/10 * * * *", "@every 10m"};
    for (size_t i = 0; i < TEST_COUNT_OF(specs); i++) {
        struct test_schedules all;
        test_schedules_open_with(&all, DAY "12:00:30", specs[i], LEAT_OVERLAP_ALLOW,
                                 LEAT_MISSED_ALL);
        test_fire_until(&all, DAY "13:20:01");
        CHECK_EQUAL(runs(&all), 8);
        test_fire(&all, DAY "12:19:59");
        CHECK_EQUAL(leat_schedules_next(all.engine), test_ns(DAY "12:30:00"));
        test_fire_until(&all, DAY "12:29:59");
        CHECK_EQUAL(runs(&all), 8);
        test_fire_until(&all, DAY "12:40:00");
        CHECK_EQUAL(runs(&all), 10);
        CHECK_EQUAL(missed(&all), 0);
        test_schedules_close(&all);
    }
}

/* By more than a day: the clock was wrong, and the new one is believed. */
static void
set_back_far(void **state)
{
    (void)state;
    struct test_schedules all;
    test_schedules_open_with(&all, DAY "12:00:30", "0 13 * * *", LEAT_OVERLAP_ALLOW,
                             LEAT_MISSED_ONE);
    test_fire(&all, "2031-01-05 13:00:00");
    CHECK_EQUAL(runs(&all), 1);
    test_fire(&all, "2031-01-04 13:00:00");
    CHECK_EQUAL(leat_schedules_next(all.engine), test_ns("2031-01-06 13:00:00"));
    test_fire(&all, "2031-01-04 12:59:59");
    CHECK_EQUAL(leat_schedules_next(all.engine), test_ns("2031-01-04 13:00:00"));
    test_fire(&all, DAY "12:00:30");
    CHECK_EQUAL(leat_schedules_next(all.engine), test_ns(DAY "13:00:00"));
    test_fire(&all, DAY "13:00:00");
    CHECK_EQUAL(runs(&all), 2);
    test_schedules_close(&all);
}

/* Before anyone has looked: the engine was not started yet. */
static void
set_back_before_the_first_look(void **state)
{
    (void)state;
    struct test_schedules all;
    test_schedules_open_with(&all, "2031-01-05 12:00:30", "0 13 * * *", LEAT_OVERLAP_ALLOW,
                             LEAT_MISSED_ONE);
    /* Who adds another one sees the new time first. */
    atom_store_rlx(&all.now_ns, test_ns(DAY "12:00:30"));
    struct leat_schedule schedule = test_schedule(&all, "0 14 * * *");
    test_schedule_add(&all, "t", &schedule);
    test_fire(&all, DAY "12:00:30");
    CHECK_EQUAL(leat_schedules_next(all.engine), test_ns(DAY "13:00:00"));
    test_schedules_close(&all);
}

/* Set at random, ahead and back by less than a day: each moment of a schedule with fixed hours has
 * one job up to the latest time that the clock has shown. */
static void
set_at_random_fixed_hours(void **state)
{
    (void)state;
    struct test_schedules all;
    struct test_prng prng = {test_seed("unit_schedule_clock")};
    uint64_t latest_ns = test_ns(DAY "00:00:00");
    test_schedules_open(&all, NULL, DAY "00:00:00");
    struct leat_schedule schedule = test_schedule(&all, "*/7 0-23 * * *");
    schedule.overlap = LEAT_OVERLAP_ALLOW;
    schedule.missed = LEAT_MISSED_ALL;
    test_schedule_add(&all, "s", &schedule);
    for (uint32_t i = 0; i < 3000; i++) {
        uint64_t now_ns = atom_load_rlx(&all.now_ns) + test_random_below(&prng, 1000) * SECOND_NS;
        if (test_random_below(&prng, 10) == 0) {
            now_ns += test_random_below(&prng, 20000) * SECOND_NS;
            now_ns -= test_random_below(&prng, 20000) * SECOND_NS;
        }
        latest_ns = now_ns > latest_ns ? now_ns : latest_ns;
        now_ns = latest_ns - now_ns > 86400 * SECOND_NS ? latest_ns : now_ns;
        test_fire_ns(&all, now_ns);
        test_run_all(&all);
        /* 9 in each whole hour: at minutes 0, 7 … 56. */
        uint64_t minutes = (latest_ns - test_ns(DAY "00:00:00")) / (60 * SECOND_NS);
        CHECK_EQUAL(runs(&all), minutes / 60 * 9 + minutes % 60 / 7);
    }
    CHECK_EQUAL(missed(&all), 0);
    test_schedules_close(&all);
}

/* Set back at random: two jobs of an interval are never nearer than it in elapsed time, and the
 * next one is never farther than two. */
static void
set_back_at_random_intervals(void **state)
{
    (void)state;
    static const char *const specs[] = {"* * * * *", "@every 1m"};
    struct test_prng prng = {test_seed("unit_schedule_clock")};
    for (size_t i = 0; i < TEST_COUNT_OF(specs); i++) {
        struct test_schedules all;
        test_schedules_open_with(&all, "2027-01-05 00:00:00", specs[i], LEAT_OVERLAP_ALLOW,
                                 LEAT_MISSED_ALL);
        uint64_t back_ns = 0; /* so much the clock was set back in all */
        uint64_t last_ns = 0; /* when the last job came, in elapsed time */
        for (uint64_t count = 0; count < 1000; count = runs(&all)) {
            uint64_t next_ns = leat_schedules_next(all.engine);
            CHECK(next_ns - atom_load_rlx(&all.now_ns) <= 120 * SECOND_NS);
            if (test_random_below(&prng, 3) == 0) {
                uint64_t by_ns = test_random_below(&prng, 200000) * (SECOND_NS / 1000);
                back_ns += by_ns;
                next_ns -= (next_ns - atom_load_rlx(&all.now_ns)) / 2 + by_ns;
            }
            test_fire_ns(&all, next_ns);
            if (runs(&all) != count) {
                uint64_t elapsed_ns = next_ns + back_ns;
                CHECK(elapsed_ns - last_ns >= 60 * SECOND_NS);
                last_ns = elapsed_ns;
                test_run_all(&all);
            }
        }
        test_schedules_close(&all);
    }
}

/* ---- zones ---------------------------------------------------------------------------------- */

static void
zone_write(const char *folder, const char *rule)
{
    struct tzif *tzif = malloc(sizeof(*tzif));
    static const int32_t offset_s = 3600;
    const struct tzif_plan plan = {
        .version = '2', .offsets_s = &offset_s, .types_count = 1, .footer = rule};
    char path[80];
    char other[80];
    CHECK(tzif != NULL);
    (void)snprintf(path, sizeof(path), "%s/Zone", folder);
    (void)snprintf(other, sizeof(other), "%s/Other", folder);
    tzif_write(tzif, &plan);
    FILE *file = fopen(other, "wb");
    CHECK(file != NULL);
    CHECK_EQUAL(fwrite(tzif->bytes, 1, tzif->size, file), tzif->size);
    CHECK_EQUAL(fclose(file), 0);
    CHECK_EQUAL(rename(other, path), 0);
    free(tzif);
}

/* A new file of tzdata is found within minutes, and what it moves is computed anew. */
static void
zone_changes(void **state)
{
    (void)state;
    struct test_schedules all;
    char folder[] = "/tmp/unit_schedule_XXXXXX";
    char path[80];
    CHECK(mkdtemp(folder) != NULL);
    (void)snprintf(path, sizeof(path), "%s/Zone", folder);
    zone_write(folder, "AAA-1");
    test_schedules_open(&all, NULL, DAY "00:00:00");
    all.engine->schedules.directory = folder;
    struct leat_schedule schedule = test_schedule(&all, "0 8 * * *");
    schedule.zone = "Zone";
    schedule.overlap = LEAT_OVERLAP_ALLOW;
    test_schedule_add(&all, "s", &schedule);
    test_schedule_add(&all, "t", &schedule);
    CHECK_EQUAL(all.engine->schedules.zones->users, 2);
    CHECK_EQUAL(test_schedule_get(&all, "s")->next_unix_ns, test_ns(DAY "07:00:00"));
    test_fire_until(&all, DAY "00:05:00");
    /* An hour earlier from today on. */
    zone_write(folder, "AAA-2");
    CHECK(leat_schedules_next(all.engine) <= atom_load_rlx(&all.now_ns) + LEAT_SCHEDULE_ZONES_NS);
    test_fire_until(&all, DAY "00:10:00");
    CHECK_EQUAL(test_schedule_get(&all, "s")->next_unix_ns, test_ns(DAY "06:00:00"));
    CHECK_EQUAL(test_schedule_get(&all, "t")->next_unix_ns, test_ns(DAY "06:00:00"));
    /* A file that is gone changes nothing, and one that is damaged. */
    CHECK_EQUAL(unlink(path), 0);
    test_fire_until(&all, DAY "00:20:00");
    CHECK_EQUAL(test_schedule_get(&all, "s")->next_unix_ns, test_ns(DAY "06:00:00"));
    test_fire_until(&all, DAY "06:00:00");
    CHECK_EQUAL(runs(&all), 1);
    /* Nor does it matter where the clock is set to. */
    test_fire(&all, DAY "02:00:00");
    CHECK(leat_schedules_next(all.engine) <= atom_load_rlx(&all.now_ns) + LEAT_SCHEDULE_ZONES_NS);
    CHECK_OK(leat_schedule_remove(all.engine, "s"));
    CHECK_OK(leat_schedule_remove(all.engine, "t"));
    CHECK(all.engine->schedules.zones == NULL);
    CHECK_EQUAL(leat_schedules_next(all.engine), LEAT_FOREVER);
    CHECK_EQUAL(rmdir(folder), 0);
    test_schedules_close(&all);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_ahead),
        cmocka_unit_test(set_back_fixed_hours),
        cmocka_unit_test(set_back_a_little),
        cmocka_unit_test(set_back_in_between),
        cmocka_unit_test(set_back_intervals),
        cmocka_unit_test(set_back_far),
        cmocka_unit_test(set_back_before_the_first_look),
        cmocka_unit_test(set_at_random_fixed_hours),
        cmocka_unit_test(set_back_at_random_intervals),
        cmocka_unit_test(zone_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
