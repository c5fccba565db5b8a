/* tzif.c - the writer of tzif.h. */
#include "tests/support/tzif.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/support/check.h"

static void
put(struct tzif *tzif, int64_t value, uint32_t width)
{
    CHECK(tzif->size + width <= TZIF_BYTES_MAX);
    for (uint32_t i = width; i > 0; i--) {
        tzif->bytes[tzif->size++] = (uint8_t)((uint64_t)value >> (i - 1) * 8);
    }
}

static void
put_header(struct tzif *tzif, char version, uint32_t times, uint32_t types)
{
    put(tzif, 0x545a6966, 4); /* TZif */
    put(tzif, version == '1' ? 0 : version, 1);
    for (uint32_t i = 0; i < 18; i++) { /* reserved bytes, then no indicators, no leap seconds */
        put(tzif, 0, i < 15 ? 1 : 4);
    }
    put(tzif, times, 4);
    put(tzif, types, 4);
    put(tzif, 4, 4); /* bytes of names */
}

void
tzif_write(struct tzif *tzif, const struct tzif_plan *plan)
{
    uint32_t width = plan->version == '1' ? 4 : 8;
    tzif->size = 0;
    if (plan->version != '1') {
        put_header(tzif, plan->version, 0, 1);
        put(tzif, 0, 6);
        put(tzif, 0, 4);
    }
    tzif->block = tzif->size;
    put_header(tzif, plan->version, plan->times_count, plan->types_count);
    for (uint32_t i = 0; i < plan->times_count; i++) {
        put(tzif, plan->times[i], width);
    }
    for (uint32_t i = 0; i < plan->times_count; i++) {
        put(tzif, plan->indexes[i], 1);
    }
    for (uint32_t i = 0; i < plan->types_count; i++) {
        put(tzif, plan->offsets_s[i], 4);
        put(tzif, 0, 2);
    }
    put(tzif, 0x58595a00, 4); /* "XYZ" */
    if (plan->version != '1') {
        put(tzif, '\n', 1);
        for (const char *letter = plan->footer; *letter != '\0'; letter++) {
            put(tzif, *letter, 1);
        }
        put(tzif, '\n', 1);
    }
}

struct leat_zone
tzif_zone(const struct leat_memory *memory, const char *rule)
{
    static const int32_t offset_s = 0;
    struct tzif *tzif = malloc(sizeof(*tzif));
    CHECK(tzif != NULL);
    tzif_write(tzif, &(struct tzif_plan){
                         .version = '3', .offsets_s = &offset_s, .types_count = 1, .footer = rule});
    struct leat_zone zone;
    enum leat_zone_result result = leat_zone_init(&zone, memory, tzif->bytes, tzif->size);
    free(tzif);
    CHECK_EQUAL(result, LEAT_ZONE_OK);
    return zone;
}

int64_t
test_time(const char *text)
{
    struct tm time = {0};
    const char *end = strptime(text, "%Y-%m-%d %H:%M:%S", &time);
    CHECK(end != NULL);
    CHECK(*end == '\0');
    return timegm(&time);
}
