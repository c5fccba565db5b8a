/* history.c - why attempts failed, see history.h. */
#include "engine/history.h"

#include <string.h>

/* ---- texts ---------------------------------------------------------------------------------- */

struct leat_job_errors *
leat_job_errors(const struct leat_job_record *record)
{
    const struct leat_job_extra *extra = leat_job_extra(record);
    return extra == NULL ? NULL : leat_block(&extra->errors);
}

struct leat_job_errors *
leat_job_errors_make(struct leat_engine *engine, struct leat_job_record *record)
{
    struct leat_job_extra *extra = leat_job_extra_make(engine, record);
    return extra == NULL ? NULL
                         : leat_block_make(engine, &extra->errors, sizeof(struct leat_job_errors));
}

const char *
leat_error_text(const struct leat_job_record *record, bool late)
{
    const struct leat_job_errors *errors = leat_job_errors(record);
    if (errors == NULL) {
        return "";
    }
    return late ? errors->late : errors->error;
}

void
leat_error_clear(const struct leat_job_record *record)
{
    struct leat_job_errors *errors = leat_job_errors(record);
    if (errors != NULL) {
        errors->error[0] = '\0';
    }
}

void
leat_text_copy(char *to, const char *from)
{
    size_t length = strnlen(from, LEAT_ERROR_BYTES);
    if (length >= LEAT_ERROR_BYTES) {
        length = LEAT_ERROR_BYTES - 1;
        /* Not in the middle of a character: 10xxxxxx continues one. */
        while (length > 0 && ((unsigned char)from[length] & 0xc0) == 0x80) {
            length--;
        }
    }
    memcpy(to, from, length);
    to[length] = '\0';
}

/* ---- giving back ---------------------------------------------------------------------------- */

void
leat_history_free(struct leat_engine *engine, struct leat_job_extra *extra)
{
    leat_memory_give(&engine->memory, leat_block(&extra->errors), sizeof(struct leat_job_errors));
}
