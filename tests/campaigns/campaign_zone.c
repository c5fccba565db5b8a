/* campaign_zone.c - the offsets of all zones of tzdata against those of the C library: at moments
 * that lie evenly over the years 1970 to 2100, at each change that the library has between two of
 * them, to the second, at each change that Leat knows, and at random moments of the 800 years
 * behind.
 *
 *   campaign_zone [--step SECONDS] [--seed S] [--directory DIR]
 *
 * Without a step the campaign is as long as a stress test. The last line says what was compared.
 * Exit status: 0 all right; 1 something was different; 2 it cannot run like this; 77 there is no
 * tzdata. Holds I1 and I2 of sched/zone.h. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sched/zone.h"
#include "tests/support/calendar.h"
#include "tests/support/check.h"
#include "tests/support/tzif.h"

/* Without a step: nearly a week, so that all hours and weekdays are met. */
#define STEP_DEFAULT_S 600011
/* Moments for each zone behind the year 2100. */
#define LATER     200
#define ZONES_MIN 400

struct campaign {
    const char *directory;
    int64_t step_s;
    struct test_prng prng;
    struct leat_zone_file file;
    int64_t begin_s;
    int64_t end_s;
    uint64_t moments;
    uint64_t changes;
    uint64_t differences;
};

static void
compare(struct campaign *campaign, int64_t moment_s, int64_t want_s)
{
    struct leat_zone_span span = leat_zone_span(&campaign->file.zone, moment_s);
    campaign->moments++;
    if (span.offset_s != want_s || span.begin_s > moment_s || span.end_s <= moment_s) {
        campaign->differences++;
        (void)fprintf(stderr, "%s at %" PRId64 ": %" PRId32 " instead of %" PRId64 "\n",
                      campaign->file.name, moment_s, span.offset_s, want_s);
    }
}

/* The change of the C library between two moments with different offsets. */
static void
compare_change(struct campaign *campaign, int64_t low_s, int64_t high_s)
{
    int64_t offset_s = calendar_offset(low_s);
    while (high_s - low_s > 1) {
        int64_t middle_s = low_s + (high_s - low_s) / 2;
        if (calendar_offset(middle_s) == offset_s) {
            low_s = middle_s;
        } else {
            high_s = middle_s;
        }
    }
    compare(campaign, low_s, offset_s);
    compare(campaign, high_s, calendar_offset(high_s));
    campaign->changes++;
}

static void
compare_zone(struct campaign *campaign)
{
    int64_t before_s = calendar_offset(campaign->begin_s);
    for (int64_t moment_s = campaign->begin_s; moment_s < campaign->end_s;
         moment_s += campaign->step_s) {
        int64_t offset_s = calendar_offset(moment_s);
        compare(campaign, moment_s, offset_s);
        if (offset_s != before_s) {
            compare_change(campaign, moment_s - campaign->step_s, moment_s);
        }
        before_s = offset_s;
    }
    struct leat_zone_span span = leat_zone_span(&campaign->file.zone, campaign->begin_s);
    while (span.end_s < campaign->end_s) {
        compare(campaign, span.end_s - 1, calendar_offset(span.end_s - 1));
        compare(campaign, span.end_s, calendar_offset(span.end_s));
        span = leat_zone_span(&campaign->file.zone, span.end_s);
    }
    for (uint32_t i = 0; i < LATER; i++) {
        uint64_t seconds = test_random(&campaign->prng) % (2 * (uint64_t)LEAT_PERIOD_S);
        int64_t moment_s = campaign->end_s + (int64_t)seconds;
        compare(campaign, moment_s, calendar_offset(moment_s));
    }
}

static int
run(struct campaign *campaign)
{
    struct calendar_names *names = malloc(sizeof(*names));
    CHECK(names != NULL);
    if (!calendar_names_read(names, campaign->directory)) {
        (void)fprintf(stderr, "%s has no tzdata.zi\n", campaign->directory);
        free(names);
        return TEST_SKIPPED;
    }
    struct leat_memory memory = leat_memory_default();
    campaign->begin_s = test_time("1970-01-01 00:00:00");
    campaign->end_s = test_time("2101-01-01 00:00:00");
    for (uint32_t i = 0; i < names->count; i++) {
        enum leat_zone_result result =
            leat_zone_file_open(&campaign->file, &memory, campaign->directory, names->names[i]);
        if (result != LEAT_ZONE_OK) {
            (void)fprintf(stderr, "%s: %s\n", names->names[i], leat_zone_result_text(result));
            campaign->differences++;
            continue;
        }
        CHECK(leat_zone_check(&campaign->file.zone, stderr));
        calendar_zone_set(campaign->directory, names->names[i]);
        compare_zone(campaign);
        leat_zone_file_close(&campaign->file);
    }
    (void)printf("zone: %" PRIu32 " zones, %" PRIu64 " moments, %" PRIu64 " changes, %" PRIu64
                 " differences\n",
                 names->count, campaign->moments, campaign->changes, campaign->differences);
    bool enough = names->count >= ZONES_MIN;
    free(names);
    return campaign->differences == 0 && enough ? 0 : 1;
}

static _Noreturn void
usage(void)
{
    (void)fprintf(stderr, "usage: campaign_zone [--step SECONDS] [--seed S] [--directory DIR]\n");
    _exit(2);
}

/* A whole number from 0 on. */
static int64_t
number(const char *text)
{
    char *end = NULL;
    long long value = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || value < 0) {
        usage();
    }
    return value;
}

int
main(int argc, char **argv)
{
    static const struct option names[] = {{"step", required_argument, NULL, 's'},
                                          {"seed", required_argument, NULL, 'r'},
                                          {"directory", required_argument, NULL, 'd'},
                                          {NULL, 0, NULL, 0}};
    struct campaign campaign = {.directory = LEAT_ZONE_DIRECTORY, .step_s = STEP_DEFAULT_S};
    bool seeded = false;
    int name = 0;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): there is no other thread. */
    while ((name = getopt_long(argc, argv, "", names, NULL)) != -1) {
        switch (name) {
        case 's':
            campaign.step_s = number(optarg);
            break;
        case 'r':
            campaign.prng.state = (uint64_t)number(optarg);
            seeded = true;
            break;
        case 'd':
            campaign.directory = optarg;
            break;
        default:
            usage();
        }
    }
    if (optind != argc || campaign.step_s < 1) {
        usage();
    }
    if (!seeded) {
        campaign.prng.state = test_seed("campaign_zone");
    }
    return run(&campaign);
}
