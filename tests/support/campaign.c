/* campaign.c - reads the command line of a campaign, see campaign.h. */
#include "tests/support/campaign.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/prng.h"

static _Noreturn void
usage(const struct test_campaign *campaign)
{
    (void)fprintf(stderr, "usage: %s [--%s N] [--seed S], N from %" PRIu64 " to %" PRIu64 "\n",
                  campaign->name, campaign->option, campaign->least, campaign->most);
    exit(2); /* NOLINT(concurrency-mt-unsafe): the only thread */
}

static uint64_t
number(const struct test_campaign *campaign, uint64_t least, uint64_t most)
{
    char *end = NULL;
    uint64_t value = strtoull(optarg, &end, 10);
    if (end == optarg || *end != '\0' || value < least || value > most) {
        usage(campaign);
    }
    return value;
}

void
test_campaign_read(const struct test_campaign *campaign, int argc, char **argv, uint64_t *amount,
                   uint64_t *seed)
{
    const struct option names[] = {{campaign->option, required_argument, NULL, 'n'},
                                   {"seed", required_argument, NULL, 's'},
                                   {NULL, 0, NULL, 0}};
    int name = 0;
    *amount = campaign->usual;
    *seed = 0;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the only thread */
    while ((name = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (name == 'n') {
            *amount = number(campaign, campaign->least, campaign->most);
        } else if (name == 's') {
            *seed = number(campaign, 0, UINT64_MAX);
        } else {
            usage(campaign);
        }
    }
    if (optind != argc) {
        usage(campaign);
    }
    *seed = *seed == 0 ? test_seed(campaign->name) : *seed;
}
