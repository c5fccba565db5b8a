/* zone.h - time zones: what a clock on the wall shows at a moment, from the files of tzdata, by our
 * own reader. TZ and the zone of the process are never looked at, and a host may change them.
 *
 * Source   A. D. Olson, P. Eggert, K. Murchison, "The Time Zone Information Format (TZif)", RFC
 *          9636 (2024), and RFC 8536 (2019) before it: versions 1 to 4. The rule in the footer of a
 *          file is a TZ string of POSIX.1-2024, its hours from -167 to 167. That the rule is
 *          written out for one period of the calendar and then repeated is an idea of cctz
 *          (Google, 2015).
 * Words    A moment is in seconds from 1970 in UTC, without leap seconds. A local time is what the
 *          clock on the wall shows, counted in the same way: moment + offset.
 * Claims   leat_zone_span()  reads only: no lock, no allocation, one binary search.
 *          A table is not changed while others may read it: see leat_zone_file_refresh().
 * I1       changes ascend, each with another offset than the one before it, within the years 1 to
 *          9999; offsets lie between -25 h and 26 h
 * I2       from cycle_s on everything repeats after 400 years, and changes end before the first
 *          repetition; INT64_MAX: nothing repeats, and the last offset stays
 * (docs/design/0010)
 */
#ifndef SCHED_ZONE_H
#define SCHED_ZONE_H

#include <stdio.h>

#include "ring/memory.h"
#include "sched/civil.h"
#include "sched/limits.h"

/* Where the spans begin and end that have no change before or behind them: beyond all times that
 * are computed with, and still far from the end of 64 bits. */
#define LEAT_ZONE_BEGIN_S (-(INT64_C(1) << 40))
#define LEAT_ZONE_END_S   (INT64_C(1) << 40)

/* No offset is as large: RFC 9636, section 3.2. */
#define LEAT_ZONE_OFFSET_MIN_S (-25 * 3600 + 1)
#define LEAT_ZONE_OFFSET_MAX_S (26 * 3600 - 1)

/* From `at_s` on local time is `offset_s` ahead of UTC. */
struct leat_zone_change {
    int64_t at_s;
    int32_t offset_s;
};

struct leat_zone {
    struct leat_zone_change *changes;
    uint32_t changes_count;
    uint32_t capacity;      /* of changes, in entries; for the allocator */
    int32_t offset_first_s; /* before the first change */
    int64_t cycle_s;
};

/* Moments from begin_s up to and without end_s, in which nothing changes. */
struct leat_zone_span {
    int64_t begin_s;
    int64_t end_s;
    int32_t offset_s;
};

enum leat_zone_result {
    LEAT_ZONE_OK = 0,
    LEAT_ZONE_NAME,        /* no name of a zone: empty, too long, or leads out of the directory */
    LEAT_ZONE_MISSING,     /* no such file */
    LEAT_ZONE_UNREADABLE,  /* the system refused or failed, or the file changed while it was read */
    LEAT_ZONE_DAMAGED,     /* no TZif file, or one that contradicts itself */
    LEAT_ZONE_UNSUPPORTED, /* of a later version, or with leap seconds */
    LEAT_ZONE_TOO_LARGE,   /* beyond the limits */
    LEAT_ZONE_NO_MEMORY
};

/* One lower-case sentence without a full stop. Returns borrowed for ever. */
const char *leat_zone_result_text(enum leat_zone_result result);

/* UTC, which needs no file and no memory. */
struct leat_zone leat_zone_utc(void);

/* Makes a zone from the contents of a TZif file. On an error `zone` is untouched. */
enum leat_zone_result leat_zone_init(struct leat_zone *zone, const struct leat_memory *memory,
                                     const uint8_t *bytes, size_t size);
/* `memory` as for init; also a zone of leat_zone_utc(). */
void leat_zone_fini(struct leat_zone *zone, const struct leat_memory *memory);

/* pre: LEAT_ZONE_BEGIN_S <= moment_s < LEAT_ZONE_END_S. The neighbour spans are those of begin_s -
 * 1 and of end_s; a span may end without a change, where a period of the calendar does. */
struct leat_zone_span leat_zone_span(const struct leat_zone *zone, int64_t moment_s);

/* Checks I1 and I2; says on `why` (may be NULL) what is wrong. */
bool leat_zone_check(const struct leat_zone *zone, FILE *why);

/* ---- files ---------------------------------------------------------------------------------- */

/* Which file was read: a package manager puts a new one in its place, others write into it. */
struct leat_zone_stamp {
    uint64_t device;
    uint64_t file;
    uint64_t bytes;
    int64_t changed_s;
    int64_t changed_ns;
};

struct leat_zone_file {
    struct leat_zone zone;
    struct leat_zone_stamp stamp;
    struct leat_memory memory;
    const char *directory;
    char name[LEAT_ZONE_NAME_BYTES];
};

/* Where tzdata is on Debian, and on most other systems. */
#define LEAT_ZONE_DIRECTORY "/usr/share/zoneinfo"

/* Opens the zone `name`, such as Europe/Berlin, of `directory` (NULL: LEAT_ZONE_DIRECTORY; borrowed
 * until close). The name UTC is answered without a file. On an error `file` is untouched. */
enum leat_zone_result leat_zone_file_open(struct leat_zone_file *file,
                                          const struct leat_memory *memory, const char *directory,
                                          const char *name);
void leat_zone_file_close(struct leat_zone_file *file);

/* Reads the file again if it is not the one that was read. *changed tells whether there is a new
 * table; then what was computed from the old one is out of date. On an error the old table stays,
 * and the next call tries again. Nobody may read the zone meanwhile. */
enum leat_zone_result leat_zone_file_refresh(struct leat_zone_file *file, bool *changed);

#endif
