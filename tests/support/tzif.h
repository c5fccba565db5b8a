/* tzif.h - writes TZif files for tests, right ones and wrong ones, and zones from a rule alone. */
#ifndef TESTS_SUPPORT_TZIF_H
#define TESTS_SUPPORT_TZIF_H

#include "sched/zone.h"

#define TZIF_BYTES_MAX ((size_t)2 * LEAT_ZONE_FILE_BYTES_MAX)

struct tzif {
    uint8_t bytes[TZIF_BYTES_MAX];
    size_t size;
    size_t block; /* where the header of the block that counts begins */
};

/* What stands in the block that counts. In version 2 and later an empty one is in front of it. */
struct tzif_plan {
    char version; /* '1' is written as 0 */
    const int64_t *times;
    const uint8_t *indexes;
    uint32_t times_count;
    const int32_t *offsets_s;
    uint32_t types_count;
    const char *footer; /* without its line ends; not in version 1 */
};

void tzif_write(struct tzif *tzif, const struct tzif_plan *plan);

/* A zone whose file has no changes but the rule in its footer. */
struct leat_zone tzif_zone(const struct leat_memory *memory, const char *rule);

/* "2025-03-30 02:00:00" as seconds from 1970. */
int64_t test_time(const char *text);

#endif
