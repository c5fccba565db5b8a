/* reached.c - what each run of REF_STEPS steps must have met, each at least once. Written by
 * `tests/campaign reference --cells`, of those that are met often. */
#include "tests/reference/reference.h"

const char *const ref_reached[] = {
    "submit 0 0",
};
const uint32_t ref_reached_count = sizeof(ref_reached) / sizeof(ref_reached[0]);
