/* campaign_cron.c - cron schedules against a walk. In each zone of tzdata, around changes of its
 * clock in the years 1970 to 2100, random expressions are computed by sched/cron.h, and found by
 * asking the C library for the local time of one minute after the other (second, where there are
 * seconds): the same moments must come out, none more, none less, also from moments in between.
 *
 *   campaign_cron [--windows N] [--expressions N] [--seed S] [--directory DIR]
 *
 * Windows are for each zone: at as many changes, all of them if there are no more, or else random
 * ones. Without windows the campaign is as long as a stress test. The last line says what was
 * compared. Exit status as that of campaign_zone. Holds the rules of sched/cron.h. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sched/cron.h"
#include "tests/support/calendar.h"
#include "tests/support/check.h"
#include "tests/support/tzif.h"

/* Before a window the walk learns how far the clock has been: no clock was set back by more since
 * 1970. Then minutes for days, or seconds for hours. */
#define LEAD_S        (25 * INT64_C(3600))
#define AROUND_S      (31 * INT64_C(3600))
#define AROUND_FINE_S (4 * INT64_C(3600))
/* All local times from the least to the greatest of a walk; no change is larger than a day. */
#define STEPS_MAX (2 * (LEAD_S + 2 * AROUND_FINE_S) + 90000)
/* One window in so many has seconds. */
#define FINE_ONE_IN 32
/* Moments in between from which the next one is asked for. */
#define BETWEEN   4
#define ZONES_MIN 400
/* Of one zone, from 1970 to 2100. */
#define CHANGES_MAX 1024

struct campaign {
    const char *directory;
    uint32_t windows;
    uint32_t expressions;
    struct test_prng prng;
    struct leat_zone_file file;
    /* What the clock shows at begin_s + i * step_s, and all local times from lowest_s on. */
    int64_t begin_s;
    int64_t step_s;
    uint32_t lead;
    uint32_t steps;
    int64_t lowest_s;
    uint32_t locals_count;
    int64_t *shown_s;
    struct calendar_fields *locals;
    int64_t *fires_s;
    int64_t *changes_s;
    uint32_t fires_count;
    uint64_t windows_done;
    uint64_t schedules;
    uint64_t moments;
    uint64_t never;
    uint64_t differences;
};

/* ---- the walk ------------------------------------------------------------------------------- */

/* Asks for all local times around a moment. With seconds also where the clock does not show whole
 * minutes at whole minutes. */
static void
walk(struct campaign *campaign, int64_t middle_s, bool fine)
{
    middle_s -= middle_s % 60;
    bool odd = calendar_offset(middle_s - LEAD_S) % 60 != 0 ||
               calendar_offset(middle_s) % 60 != 0 || calendar_offset(middle_s + 60) % 60 != 0;
    campaign->step_s = fine || odd ? 1 : 60;
    int64_t around_s = fine || odd ? AROUND_FINE_S : AROUND_S;
    campaign->begin_s = middle_s - around_s - LEAD_S;
    campaign->lead = (uint32_t)(LEAD_S / campaign->step_s);
    campaign->steps = (uint32_t)((2 * around_s + LEAD_S) / campaign->step_s);
    int64_t highest_s = INT64_MIN;
    campaign->lowest_s = INT64_MAX;
    for (uint32_t i = 0; i < campaign->steps; i++) {
        int64_t local_s = calendar_local(campaign->begin_s + i * campaign->step_s);
        campaign->shown_s[i] = local_s;
        campaign->lowest_s = local_s < campaign->lowest_s ? local_s : campaign->lowest_s;
        highest_s = local_s > highest_s ? local_s : highest_s;
    }
    campaign->locals_count = (uint32_t)((highest_s - campaign->lowest_s) / campaign->step_s) + 1;
    CHECK(campaign->locals_count <= STEPS_MAX);
    for (uint32_t i = 0; i < campaign->locals_count; i++) {
        campaign->locals[i] = calendar_fields_of(campaign->lowest_s + i * campaign->step_s);
    }
}

static bool
local_matches(const struct campaign *campaign, const struct calendar_cron *cron, int64_t local_s)
{
    int64_t place = (local_s - campaign->lowest_s) / campaign->step_s;
    CHECK(place >= 0);
    CHECK(place < campaign->locals_count);
    return calendar_matches(cron, &campaign->locals[place]);
}

/* Whether a moment fires, at which the clock shows `local_s`, and `highest_s` was the highest
 * before: with a star for the hour if that matches; else if anything does that it shows or passes
 * for the first time. */
static bool
fires(const struct campaign *campaign, const struct calendar_cron *cron, int64_t local_s,
      int64_t highest_s)
{
    if (cron->hour_star) {
        return local_matches(campaign, cron, local_s);
    }
    for (int64_t i = highest_s + campaign->step_s; i <= local_s; i += campaign->step_s) {
        if (local_matches(campaign, cron, i)) {
            return true;
        }
    }
    return false;
}

static void
find_fires(struct campaign *campaign, const struct calendar_cron *cron)
{
    int64_t highest_s = campaign->shown_s[0];
    campaign->fires_count = 0;
    for (uint32_t i = 1; i < campaign->steps; i++) {
        int64_t local_s = campaign->shown_s[i];
        if (i > campaign->lead && fires(campaign, cron, local_s, highest_s)) {
            campaign->fires_s[campaign->fires_count] = campaign->begin_s + i * campaign->step_s;
            campaign->fires_count++;
        }
        highest_s = local_s > highest_s ? local_s : highest_s;
    }
}

/* ---- comparing ------------------------------------------------------------------------------ */

static void
different(struct campaign *campaign, const struct calendar_cron *cron, int64_t after_s,
          int64_t next_s)
{
    campaign->differences++;
    (void)fprintf(stderr, "%s: '%s' after %" PRId64 ": %" PRId64 "\n", campaign->file.name,
                  cron->text, after_s, next_s);
}

/* The first moment of the walk after `after_s`, or one behind its end. */
static int64_t
next_of_walk(const struct campaign *campaign, int64_t after_s)
{
    for (uint32_t i = 0; i < campaign->fires_count; i++) {
        if (campaign->fires_s[i] > after_s) {
            return campaign->fires_s[i];
        }
    }
    return INT64_MAX;
}

/* Returns the next moment by sched/cron.h. */
static int64_t
compare_next(struct campaign *campaign, const struct calendar_cron *cron,
             const struct leat_cron *parsed, int64_t after_s, int64_t want_s)
{
    int64_t end_s = campaign->begin_s + campaign->steps * campaign->step_s;
    int64_t next_s = INT64_MAX;
    if (!leat_cron_next(parsed, &campaign->file.zone, after_s, &next_s) || next_s >= end_s) {
        next_s = INT64_MAX;
    }
    campaign->moments++;
    if (next_s != want_s) {
        different(campaign, cron, after_s, next_s);
    }
    return next_s;
}

static void
compare_schedule(struct campaign *campaign, const struct calendar_cron *cron)
{
    struct leat_cron parsed;
    struct leat_cron_error error;
    campaign->schedules++;
    find_fires(campaign, cron);
    int64_t after_s = campaign->begin_s + campaign->lead * campaign->step_s;
    if (!leat_cron_parse(&parsed, cron->text, &error)) {
        /* The only right refusal: fuzz_cron shows that there is no such day. */
        campaign->never++;
        if (strstr(error.text, "no such day") == NULL || campaign->fires_count > 0) {
            different(campaign, cron, after_s, -(int64_t)error.column);
        }
        return;
    }
    int64_t first_s = after_s;
    for (uint32_t i = 0; i <= campaign->fires_count && after_s != INT64_MAX; i++) {
        int64_t want_s = i < campaign->fires_count ? campaign->fires_s[i] : INT64_MAX;
        after_s = compare_next(campaign, cron, &parsed, after_s, want_s);
    }
    for (uint32_t i = 0; i < BETWEEN; i++) {
        uint32_t span = (uint32_t)((campaign->steps - campaign->lead) * campaign->step_s);
        int64_t between_s = first_s + test_random_below(&campaign->prng, span);
        (void)compare_next(campaign, cron, &parsed, between_s, next_of_walk(campaign, between_s));
    }
}

static void
compare_window(struct campaign *campaign, int64_t middle_s)
{
    bool fine = test_random_below(&campaign->prng, FINE_ONE_IN) == 0;
    walk(campaign, middle_s, fine);
    campaign->windows_done++;
    for (uint32_t i = 0; i < campaign->expressions; i++) {
        struct calendar_cron cron;
        calendar_cron_random(
            &cron, &campaign->prng,
            &(struct calendar_wish){.with_seconds = campaign->step_s == 1, .at_night = true});
        compare_schedule(campaign, &cron);
    }
}

static void
compare_zone(struct campaign *campaign)
{
    int64_t begin_s = test_time("1970-01-03 00:00:00");
    int64_t end_s = test_time("2101-01-01 00:00:00");
    int64_t *changes_s = campaign->changes_s;
    uint32_t count = 0;
    struct leat_zone_span span = leat_zone_span(&campaign->file.zone, begin_s);
    while (span.end_s < end_s) {
        CHECK(count < CHANGES_MAX);
        changes_s[count] = span.end_s;
        count++;
        span = leat_zone_span(&campaign->file.zone, span.end_s);
    }
    for (uint32_t i = 0; i < campaign->windows; i++) {
        uint64_t random = test_random(&campaign->prng);
        int64_t middle_s = begin_s + (int64_t)(random % (uint64_t)(end_s - begin_s));
        if (campaign->windows >= count && i < count) {
            middle_s = changes_s[i];
        } else if (campaign->windows < count) {
            middle_s = changes_s[random % count];
        } else if (i > count) {
            break; /* one window without a change is enough */
        }
        compare_window(campaign, middle_s);
    }
}

static int
run(struct campaign *campaign)
{
    struct calendar_names *names = malloc(sizeof(*names));
    campaign->shown_s = calloc(STEPS_MAX, sizeof(*campaign->shown_s));
    campaign->fires_s = calloc(STEPS_MAX, sizeof(*campaign->fires_s));
    campaign->changes_s = calloc(CHANGES_MAX, sizeof(*campaign->changes_s));
    campaign->locals = calloc(STEPS_MAX, sizeof(*campaign->locals));
    CHECK(names != NULL);
    CHECK(campaign->shown_s != NULL);
    CHECK(campaign->fires_s != NULL);
    CHECK(campaign->locals != NULL);
    CHECK(campaign->changes_s != NULL);
    int status = TEST_SKIPPED;
    struct leat_memory memory = leat_memory_default();
    if (calendar_names_read(names, campaign->directory)) {
        for (uint32_t i = 0; i < names->count; i++) {
            CHECK_EQUAL(
                leat_zone_file_open(&campaign->file, &memory, campaign->directory, names->names[i]),
                LEAT_ZONE_OK);
            calendar_zone_set(campaign->directory, names->names[i]);
            compare_zone(campaign);
            leat_zone_file_close(&campaign->file);
        }
        (void)printf("cron: %" PRIu32 " zones, %" PRIu64 " windows, %" PRIu64 " schedules (%" PRIu64
                     " never fire), %" PRIu64 " moments, %" PRIu64 " differences\n",
                     names->count, campaign->windows_done, campaign->schedules, campaign->never,
                     campaign->moments, campaign->differences);
        status = campaign->differences == 0 && names->count >= ZONES_MIN ? 0 : 1;
    } else {
        (void)fprintf(stderr, "%s has no tzdata.zi\n", campaign->directory);
    }
    free(names);
    free(campaign->shown_s);
    free(campaign->fires_s);
    free(campaign->locals);
    free(campaign->changes_s);
    return status;
}

/* ---- options -------------------------------------------------------------------------------- */

static _Noreturn void
usage(void)
{
    (void)fprintf(stderr, "usage: campaign_cron [--windows N] [--expressions N] [--seed S]"
                          " [--directory DIR]\n");
    _exit(2);
}

static uint64_t
number(const char *text, uint64_t most)
{
    char *end = NULL;
    unsigned long long value = strtoull(text, &end, 10);
    if (end == text || *end != '\0' || value > most) {
        usage();
    }
    return value;
}

int
main(int argc, char **argv)
{
    static const struct option names[] = {{"windows", required_argument, NULL, 'w'},
                                          {"expressions", required_argument, NULL, 'e'},
                                          {"seed", required_argument, NULL, 'r'},
                                          {"directory", required_argument, NULL, 'd'},
                                          {NULL, 0, NULL, 0}};
    struct campaign campaign = {.directory = LEAT_ZONE_DIRECTORY, .windows = 1, .expressions = 16};
    bool seeded = false;
    int name = 0;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): there is no other thread. */
    while ((name = getopt_long(argc, argv, "", names, NULL)) != -1) {
        switch (name) {
        case 'w':
            campaign.windows = (uint32_t)number(optarg, UINT32_MAX);
            break;
        case 'e':
            campaign.expressions = (uint32_t)number(optarg, UINT32_MAX);
            break;
        case 'r':
            campaign.prng.state = number(optarg, UINT64_MAX);
            seeded = true;
            break;
        case 'd':
            campaign.directory = optarg;
            break;
        default:
            usage();
        }
    }
    if (optind != argc || campaign.windows < 1 || campaign.expressions < 1) {
        usage();
    }
    if (!seeded) {
        campaign.prng.state = test_seed("campaign_cron");
    }
    return run(&campaign);
}
