/* knobs.h - all that can be set, by name: one table, from which come the checks of a configuration,
 * how values are read and written, the lists and the pages. Why it is so: docs/design/0031. */
#ifndef ENGINE_KNOBS_H
#define ENGINE_KNOBS_H

#include "engine/leat.h"
#include "engine/limits.h"

enum leat_knob_kind {
    LEAT_KNOB_COUNT = 0,
    LEAT_KNOB_DURATION, /* nanoseconds */
    LEAT_KNOB_SIZE,     /* bytes */
    LEAT_KNOB_SWITCH,
    LEAT_KNOB_WORD, /* one of `words`; the number is its place */
    LEAT_KNOB_TEXT, /* the limits are those of its length */
    LEAT_KNOB_RATE  /* struct leat_rate */
};

/* What else is allowed, or asked. */
#define LEAT_KNOB_OR_ZERO      1u /* 0 besides the range; no text at all */
#define LEAT_KNOB_OR_AUTO      2u /* LEAT_AUTO */
#define LEAT_KNOB_OR_FOREVER   4u /* LEAT_FOREVER */
#define LEAT_KNOB_POWER_OF_TWO 8u
#define LEAT_KNOB_MULTIPLE     16u /* of 16 */
#define LEAT_KNOB_OF_LOG       32u /* without a log_directory it says nothing */

/* How it is changed while the engine runs. */
enum leat_knob_live {
    LEAT_LIVE_NO = 0,
    LEAT_LIVE_WORKERS,
    LEAT_LIVE_PAYLOADS,
    LEAT_LIVE_MEMORY,
    LEAT_LIVE_MEMORY_MARK,
    LEAT_LIVE_SAMPLE,
    LEAT_LIVE_TRACE,
    LEAT_LIVE_EVENTS,
    LEAT_LIVE_THRESHOLD_PERIOD,
    LEAT_LIVE_THRESHOLD_DEAD,
    LEAT_LIVE_THRESHOLD_WAITING,
    LEAT_LIVE_THRESHOLD_FAILURES,
    LEAT_LIVE_THRESHOLD_OLDEST,
    LEAT_LIVE_RETAINED_AGE,
    LEAT_LIVE_DEAD_AGE,
    LEAT_LIVE_RUNNING_MAX,
    LEAT_LIVE_RUNNING_MIN,
    LEAT_LIVE_RATE,
    LEAT_LIVE_KEY_RATE,
    LEAT_LIVE_LIMIT,
    LEAT_LIVE_WEIGHT
};

/* Which struct the field is of: the one of its scope, or what the options of a type point to. */
enum leat_knob_part { LEAT_PART_OWN = 0, LEAT_PART_RETRY, LEAT_PART_BREAKER };

struct leat_knob {
    const char *name;
    const char *text;      /* one sentence */
    const char *benchmark; /* or NULL */
    const char *fallback;  /* NULL: what the struct has by default; else how it is told */
    const char *const *words;
    uint64_t least;
    uint64_t most;
    uint64_t built; /* LEAT_KNOB_BUILD: the value */
    size_t offset;
    size_t bytes;
    enum leat_knob_scope scope;
    enum leat_knob_kind kind;
    enum leat_knob_live live;
    enum leat_knob_part part;
    uint32_t also;
};

/* A number, a rate's three, or a text. */
struct leat_knob_value {
    uint64_t number[3];
    const char *text; /* not ended by a 0 where it was parsed */
    size_t length;
};

/* Some bytes of a text. */
struct leat_slice {
    const char *text;
    size_t length;
};

/* What a name such as queue.NAME.running_max stands for. */
struct leat_knob_path {
    enum leat_knob_scope scope;
    struct leat_slice section; /* of a queue or type: its name */
    struct leat_slice key;
};

#define LEAT_KNOB_SCOPES     4
#define LEAT_KNOB_TEXT_BYTES 160

/* ---- the table ------------------------------------------------------------------------------ */

/* The knob of a number, NULL beyond the last one; and the first number of a scope, for
 * LEAT_KNOB_SCOPES the number of all. */
const struct leat_knob *leat_knob_at(uint32_t index);
uint32_t leat_knob_first(uint32_t scope);

/* LEAT_KNOBS_NONE: there is none. */
#define LEAT_KNOBS_NONE UINT32_MAX
uint32_t leat_knob_find(enum leat_knob_scope scope, struct leat_slice name);
/* Of the engine: the variable of the environment that sets it. */
void leat_knob_variable(const struct leat_knob *knob, char name[64]);
/* The one whose name takes the fewest letters to become this one, at most `most`; or NULL. */
const struct leat_knob *leat_knob_near(enum leat_knob_scope scope, struct leat_slice name,
                                       uint32_t most);
struct leat_knob_path leat_knob_path_of(const char *name);

/* ---- values --------------------------------------------------------------------------------- */

struct leat_slice leat_slice_of(const char *text);
bool leat_slice_is(struct leat_slice slice, const char *text);

/* The value is in the knob's range. */
bool leat_knob_allows(const struct leat_knob *knob, const struct leat_knob_value *value);
/* False: it is no such value, or out of range. The text is borrowed. */
bool leat_knob_parse(const struct leat_knob *knob, struct leat_slice text,
                     struct leat_knob_value *value);
/* Behind the sentence that refuses a text, where it is no number with one of the knob's units:
 * which those are. Else "". */
const char *leat_knob_units(const struct leat_knob *knob, struct leat_slice text);
/* What is allowed, behind "must be"; and how a value is written. Cut where it is longer. */
void leat_knob_range(const struct leat_knob *knob, char *text, size_t bytes);
void leat_knob_write(const struct leat_knob *knob, const struct leat_knob_value *value, char *text,
                     size_t bytes);

/* Out of a struct, and into it. A text that is put there has to be ended by a 0. */
struct leat_knob_value leat_knob_get(const struct leat_knob *knob, const void *base);
void leat_knob_put(const struct leat_knob *knob, void *base, const struct leat_knob_value *value);

/* The ranges of all fields of a configuration. */
enum leat_status leat_knobs_check(const struct leat_config *config, struct leat_error *error);

#endif
