/* history.h - why attempts of a job failed: the texts of the last one. Only jobs that fail with a
 * text have them.
 */
#ifndef ENGINE_HISTORY_H
#define ENGINE_HISTORY_H

#include "engine/engine_internal.h"

/* From the allocator, at the first text, until the record is gone.
 * Letters: O the attempt's thread while RUNNING, readers after the end; Q see each; S many
 * writers. */
struct leat_job_errors {
    char error[LEAT_ERROR_BYTES]; /* O set by the handler */
    char late[LEAT_ERROR_BYTES];  /* Q set by leat_complete() that holds late_lock and has found its
                                     claim to hold since */
    leat_atomic_u32 late_lock;    /* S 1: a leat_complete() is at the text */
};

/* The texts, or NULL; and the same made at need, where NULL is no memory. */
struct leat_job_errors *leat_job_errors(const struct leat_job_record *record);
struct leat_job_errors *leat_job_errors_make(struct leat_engine *engine,
                                             struct leat_job_record *record);
/* Gives back all that is kept here. */
void leat_history_free(struct leat_engine *engine, struct leat_job_extra *extra);

/* What was said of the last attempt, or "". `late`: by a leat_complete(). */
const char *leat_error_text(const struct leat_job_record *record, bool late);
/* The next attempt has said nothing yet. pre: the caller runs it. */
void leat_error_clear(const struct leat_job_record *record);
/* Copies at most 255 bytes, cut at a UTF-8 boundary. */
void leat_text_copy(char *to, const char *from);

#endif
