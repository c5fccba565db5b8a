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
leat_text_cut(char *to, const char *from, size_t bytes)
{
    size_t length = strnlen(from, bytes);
    if (length >= bytes) {
        length = bytes - 1;
        /* Not in the middle of a character: 10xxxxxx continues one. */
        while (length > 0 && ((unsigned char)from[length] & 0xc0) == 0x80) {
            length--;
        }
    }
    memcpy(to, from, length);
    to[length] = '\0';
}

void
leat_text_copy(char *to, const char *from)
{
    leat_text_cut(to, from, LEAT_ERROR_BYTES);
}

/* ---- attempts ------------------------------------------------------------------------------- */

struct leat_job_history *
leat_history_make(struct leat_engine *engine, struct leat_job_record *record)
{
    struct leat_job_extra *extra = leat_job_extra_make(engine, record);
    struct leat_job_history *history =
        extra == NULL ? NULL : leat_memory_take(&engine->memory, sizeof(*history));
    if (history != NULL) {
        leat_mutex_init(&history->mutex);
        /* history:A release -> block:A.  Carries: the empty history. Nobody else makes one: only
         * one thread at a time ends an attempt of a job.
         * If relaxed: a reader could find no mutex in it. */
        atom_store_rel(&extra->history, (void *)history);
    }
    return history;
}

/* The job's history, made by the first attempt that failed. NULL: none did, or no memory. */
static struct leat_job_history *
history_of(const struct leat_run *run, enum leat_outcome_kind outcome)
{
    struct leat_job_extra *extra = leat_job_extra(run->record);
    struct leat_job_history *history = extra == NULL ? NULL : leat_block(&extra->history);
    bool failed = outcome == LEAT_OUTCOME_RETRY || outcome == LEAT_OUTCOME_FAIL;
    return history != NULL || !failed ? history : leat_history_make(run->engine, run->record);
}

/* Where the attempt is to be noted: in the place of the oldest, or in its own, if what it was said
 * to come to has come too late. */
static struct leat_attempt *
attempt_place(struct leat_job_history *history, uint32_t number)
{
    uint32_t newest = history->count - 1;
    if (history->count == 0 || history->last[newest % LEAT_ATTEMPTS_KEPT].number != number) {
        newest = history->count++;
    }
    return &history->last[newest % LEAT_ATTEMPTS_KEPT];
}

void
leat_history_note_slowly(const struct leat_run *run, enum leat_outcome_kind outcome)
{
    struct leat_engine *engine = run->engine;
    struct leat_job_history *history = history_of(run, outcome);
    if (history == NULL) {
        return;
    }
    const char *said = leat_error_text(run->record, run->late);
    struct leat_attempt made = {.number = run->number, .attempt = run->attempt};
    made.ended_ns = leat_clocks_now(&engine->clocks, LEAT_TIME_WALL);
    if (run->start_ns != 0) {
        uint64_t now_ns = leat_clocks_now(&engine->clocks, LEAT_TIME_MONOTONIC);
        made.took_ns = now_ns - run->start_ns;
        made.started_ns = made.ended_ns - made.took_ns;
    }
    made.worker = run->worker == NULL ? LEAT_WORKER_OUTSIDE : run->worker->index;
    made.outcome = outcome;
    /* rlx: statistic */
    made.timed_out = run->timed_out || leat_word_timed_out(atom_load_rlx(run->word));
    made.bytes = said[0] == '\0' ? 0 : strlen(said) + 1;
    made.text = made.bytes == 0 ? NULL : leat_memory_take(&engine->memory, made.bytes);
    if (made.text != NULL) {
        memcpy(made.text, said, made.bytes);
    }
    leat_mutex_lock(&history->mutex);
    struct leat_attempt *place = attempt_place(history, run->number);
    struct leat_attempt before = *place;
    *place = made;
    leat_mutex_unlock(&history->mutex);
    leat_memory_give(&engine->memory, before.text, before.bytes);
}

static struct leat_attempt_info
attempt_tell(const struct leat_attempt *attempt)
{
    struct leat_attempt_info info = leat_attempt_info_default();
    info.attempt = attempt->attempt;
    info.worker = attempt->worker;
    info.outcome = attempt->outcome;
    info.timed_out = attempt->timed_out;
    info.ended_unix_ns = attempt->ended_ns;
    info.started_unix_ns = attempt->started_ns;
    info.duration_ns = attempt->took_ns;
    if (attempt->text != NULL) {
        memcpy(info.error, attempt->text, attempt->bytes);
    }
    return info;
}

/* Copies the newest ones, at most `capacity`, oldest first. */
static enum leat_status
history_tell(struct leat_job_history *history, struct leat_attempt_info *infos, size_t capacity,
             size_t *count)
{
    unsigned char *bytes = (unsigned char *)infos;
    size_t stride = infos->size;
    enum leat_status status = LEAT_OK;
    leat_mutex_lock(&history->mutex);
    uint32_t kept = history->count < LEAT_ATTEMPTS_KEPT ? history->count : LEAT_ATTEMPTS_KEPT;
    uint32_t told = kept < capacity ? kept : (uint32_t)capacity;
    for (uint32_t i = 0; status == LEAT_OK && i < told; i++) {
        uint32_t at = history->count - told + i;
        struct leat_attempt_info info = attempt_tell(&history->last[at % LEAT_ATTEMPTS_KEPT]);
        void *to = bytes + stride * i;
        memmove(to, infos, sizeof(uint32_t) * 2); /* size and version */
        status = leat_struct_write(to, &info, sizeof(info));
    }
    leat_mutex_unlock(&history->mutex);
    if (status == LEAT_OK) {
        *count = told;
    }
    return status;
}

static enum leat_status
attempts_check(const struct leat_attempt_info *infos, size_t capacity, const size_t *count)
{
    if (infos == NULL || capacity == 0 || count == NULL || infos->size < sizeof(uint32_t) * 2) {
        return LEAT_INVALID;
    }
    return infos->version == LEAT_STRUCT_VERSION ? LEAT_OK : LEAT_UNSUPPORTED;
}

enum leat_status
leat_job_attempts(struct leat_engine *engine, leat_job_id id, struct leat_attempt_info *infos,
                  size_t capacity, size_t *count)
{
    uint32_t index = 0;
    enum leat_status status = leat_engine_check(engine);
    if (status == LEAT_OK) {
        status = attempts_check(infos, capacity, count);
    }
    if (status == LEAT_OK) {
        status = leat_job_hold(engine, id, LEAT_HOLDS_TO_LOOK, &index);
    }
    if (status != LEAT_OK) {
        return status;
    }
    const struct leat_job_extra *extra = leat_job_extra(leat_job_record(engine, index));
    struct leat_job_history *history = extra == NULL ? NULL : leat_block(&extra->history);
    if (history == NULL) {
        *count = 0;
    } else {
        status = history_tell(history, infos, capacity, count);
    }
    leat_job_unhold(engine, index);
    return status;
}

/* ---- giving back ---------------------------------------------------------------------------- */

void
leat_history_free(struct leat_engine *engine, struct leat_job_extra *extra)
{
    struct leat_memory *memory = &engine->memory;
    struct leat_job_history *history = leat_block(&extra->history);
    leat_memory_give(memory, leat_block(&extra->errors), sizeof(struct leat_job_errors));
    if (history == NULL) {
        return;
    }
    for (uint32_t i = 0; i < LEAT_ATTEMPTS_KEPT; i++) {
        leat_memory_give(memory, history->last[i].text, history->last[i].bytes);
    }
    leat_mutex_fini(&history->mutex);
    leat_memory_give(memory, history, sizeof(*history));
}
