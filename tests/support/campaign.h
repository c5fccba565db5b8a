/* campaign.h - the command line of campaigns that are told how much to do, and a seed. */
#ifndef TESTS_SUPPORT_CAMPAIGN_H
#define TESTS_SUPPORT_CAMPAIGN_H

#include <stdint.h>

struct test_campaign {
    const char *name;   /* of the program */
    const char *option; /* without its dashes: "jobs", "seconds" */
    uint64_t usual;
    uint64_t least;
    uint64_t most;
};

/* How much, and the seed; where none is given, or 0, one of test_seed(). Ends the program with 2
 * and a line on how to use it, if the command line is anything else. */
void test_campaign_read(const struct test_campaign *campaign, int argc, char **argv,
                        uint64_t *amount, uint64_t *seed);

#endif
