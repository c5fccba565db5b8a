/* settings.h - values by name, where each comes from, and what they make of the structs. */
#ifndef ENGINE_SETTINGS_H
#define ENGINE_SETTINGS_H

#include "engine/knobs.h"
#include "ring/memory.h"

/* Where something was said in a file. */
struct leat_spot {
    const char *path; /* NULL: in no file; of the environment, with line 0 */
    uint32_t line;
    uint32_t column;
};

/* One value. DEFAULT: it is not set. */
struct leat_setting {
    enum leat_knob_source source;
    struct leat_spot spot;
    struct leat_knob_value value;
    char *text; /* the value's, of the allocator; or NULL */
};

/* The values of the engine, of a queue, or of a type. */
struct leat_section {
    struct leat_section *next;
    enum leat_knob_scope scope;
    char name[LEAT_NAME_BYTES_MAX + 1];
    union {
        struct leat_config engine;
        struct leat_queue_options queue;
        struct leat_type_options type;
    } made; /* what the caller was given last */
    struct leat_retry_policy retry;
    struct leat_breaker_options breaker;
    uint32_t count; /* of the knobs of its scope */
    struct leat_setting settings[];
};

/* What a call sets: nothing of it counts before all of it is found right. */
struct leat_draft {
    const struct leat_memory *memory;
    struct leat_section *sections;
    enum leat_knob_source source;
    const char *path; /* of a file, owned by the settings; or NULL */
};

struct leat_said_knob {
    struct leat_knob_path path;
    struct leat_slice value;
    struct leat_spot key;
    struct leat_spot spot; /* of the value */
};

/* Ends `error` (may be NULL) with what a format says, behind the file, line and column. */
enum leat_status leat_settings_refuse(struct leat_error *error, const struct leat_spot *spot,
                                      const char *field, const char *format, ...)
    __attribute__((format(__printf__, 4, 5)));

/* Sets one value in the draft. */
enum leat_status leat_draft_set(struct leat_draft *draft, const struct leat_said_knob *said,
                                struct leat_error *error);
/* Says that no knob has this name, and which one is like it. */
enum leat_status leat_knob_unknown(const struct leat_knob_path *path, const struct leat_spot *spot,
                                   struct leat_error *error);
void leat_draft_drop(struct leat_draft *draft);

/* Letters: none; one thread at a time. */
struct leat_settings {
    struct leat_memory memory;
    struct leat_config base;
    struct leat_section *sections; /* the first is the engine's */
    struct leat_settings_file *files;
};

void leat_settings_files_free(struct leat_settings *settings);
/* The text of a file, into a draft. */
enum leat_status leat_settings_read(struct leat_draft *draft, struct leat_slice text,
                                    struct leat_error *error);

/* Takes over what the draft has, where nothing that counts more is set. */
void leat_draft_commit(struct leat_draft *draft, struct leat_settings *settings);

#endif
