/* verbs.h - what the command `leat` can do, and how its parts print. */
#ifndef TOOLS_LEAT_VERBS_H
#define TOOLS_LEAT_VERBS_H

#include "engine/out.h"

/* Exit statuses. */
enum {
    LEAT_EXIT_OK = 0,
    LEAT_EXIT_DAMAGED = 1, /* what was looked at is not as it should be */
    LEAT_EXIT_USAGE = 2,
    LEAT_EXIT_SYSTEM = 3 /* it is not there, or could not be looked at */
};

/* What stands behind the verb. */
struct leat_arguments {
    int count;
    char **words;
    bool json;
    bool payload;         /* what jobs carry is shown, too */
    const char *key_file; /* as leat_config.log_key_file; or NULL */
};

int leat_verb_wal(const struct leat_arguments *arguments);
int leat_verb_config(const struct leat_arguments *arguments);

/* Writes to standard output. */
bool leat_print(const char *text, size_t bytes, void *context);
/* The end of what is printed; returns `status`, if all of it could be. */
int leat_finish(struct leat_out *out, int status);
/* "leat: TEXT" to standard error; returns `status`. */
int leat_complain(int status, const char *text);

#endif
