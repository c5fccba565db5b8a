/* attempts.c - the last attempts of a job, in its records: as many as are kept in memory. Why so:
 * docs/design/0042. */
#include "engine/durable/internal.h"

#include <string.h>

#include "engine/history.h"

/* ---- writing --------------------------------------------------------------------------------- */

static struct leat_job_history *
history_of(const struct leat_engine *engine, uint32_t index)
{
    struct leat_job_extra *extra = leat_job_extra(leat_job_record(engine, index));
    return extra == NULL ? NULL : leat_block(&extra->history);
}

bool
leat_durable_attempts_any(const struct leat_engine *engine, uint32_t index)
{
    return history_of(engine, index) != NULL;
}

static size_t
text_bytes(const struct leat_attempt *attempt)
{
    return attempt->text == NULL ? 0 : attempt->bytes - 1;
}

static size_t
attempt_put(const struct leat_attempt *attempt, unsigned char *to)
{
    const struct leat_durable_attempt head = {
        .ended_ns = attempt->ended_ns,
        .took_ns = attempt->took_ns,
        .number = attempt->number,
        .attempt = attempt->attempt,
        .worker = attempt->worker,
        .outcome = (uint8_t)attempt->outcome,
        .flags = (uint8_t)((attempt->timed_out ? LEAT_DURABLE_TIMED_OUT : 0) |
                           (attempt->started_ns != 0 ? LEAT_DURABLE_TIMED : 0)),
        .text_bytes = (uint16_t)text_bytes(attempt),
    };
    memcpy(to, &head, sizeof(head));
    if (head.text_bytes != 0) {
        memcpy(to + sizeof(head), attempt->text, head.text_bytes);
    }
    return sizeof(head) + head.text_bytes;
}

/* The oldest that is written: what comes behind it fits. `end`: behind the newest. */
static uint32_t
first_of(const struct leat_job_history *history, uint32_t end, size_t room)
{
    uint32_t first = end;
    size_t bytes = 0;
    while (first != 0 && history->count - first < LEAT_ATTEMPTS_KEPT) {
        const struct leat_attempt *attempt = &history->last[(first - 1) % LEAT_ATTEMPTS_KEPT];
        bytes += sizeof(struct leat_durable_attempt) + text_bytes(attempt);
        if (bytes > room) {
            break;
        }
        first--;
    }
    return first;
}

/* One that has not ended by the job's word is left out: a crash repeats it. */
static uint32_t
end_of(const struct leat_job_history *history, uint32_t under_way)
{
    const struct leat_attempt *newest = &history->last[(history->count - 1) % LEAT_ATTEMPTS_KEPT];
    bool ends = history->count != 0 && under_way != 0 && (newest->number & 0xffff) == under_way;
    return history->count - (ends ? 1 : 0);
}

size_t
leat_durable_attempts_put(const struct leat_engine *engine, uint32_t index, uint32_t under_way,
                          unsigned char *to, size_t room)
{
    struct leat_job_history *history = history_of(engine, index);
    size_t bytes = 0;
    if (history == NULL) {
        return 0;
    }
    leat_mutex_lock(&history->mutex);
    uint32_t end = end_of(history, under_way);
    for (uint32_t i = first_of(history, end, room); i < end; i++) {
        bytes += attempt_put(&history->last[i % LEAT_ATTEMPTS_KEPT], to + bytes);
    }
    leat_mutex_unlock(&history->mutex);
    return bytes;
}

/* ---- reading --------------------------------------------------------------------------------- */

bool
leat_durable_attempt_read(struct leat_durable_attempts *attempts,
                          struct leat_durable_attempt *attempt, const char **text)
{
    if (attempts->left < sizeof(*attempt)) {
        return false;
    }
    memcpy(attempt, attempts->at, sizeof(*attempt));
    size_t bytes = sizeof(*attempt) + attempt->text_bytes;
    if (bytes > attempts->left || attempt->text_bytes >= LEAT_ERROR_BYTES) {
        return false;
    }
    *text = (const char *)attempts->at + sizeof(*attempt);
    attempts->at += bytes;
    attempts->left -= bytes;
    return true;
}

bool
leat_durable_attempts_check(const unsigned char *bytes, size_t count)
{
    struct leat_durable_attempts attempts = {bytes, count};
    struct leat_durable_attempt attempt;
    const char *text = NULL;
    uint32_t number = 0;
    while (attempts.left != 0) {
        if (number++ == LEAT_ATTEMPTS_KEPT ||
            !leat_durable_attempt_read(&attempts, &attempt, &text) ||
            attempt.outcome > LEAT_OUTCOME_PENDING) {
            return false;
        }
    }
    return true;
}

/* ---- back ------------------------------------------------------------------------------------ */

static bool
attempt_revive(const struct leat_engine *engine, struct leat_job_history *history,
               const struct leat_durable_attempt *from, const char *text)
{
    struct leat_attempt *to = &history->last[history->count % LEAT_ATTEMPTS_KEPT];
    *to = (struct leat_attempt){.ended_ns = from->ended_ns,
                                .took_ns = from->took_ns,
                                .number = from->number,
                                .attempt = from->attempt,
                                .worker = from->worker,
                                .outcome = (enum leat_outcome_kind)from->outcome,
                                .timed_out = (from->flags & LEAT_DURABLE_TIMED_OUT) != 0};
    if ((from->flags & LEAT_DURABLE_TIMED) != 0) {
        to->started_ns = from->ended_ns - from->took_ns;
    }
    history->count++;
    if (from->text_bytes == 0) {
        return true;
    }
    to->text = leat_memory_take(&engine->memory, (size_t)from->text_bytes + 1);
    if (to->text != NULL) {
        to->bytes = (size_t)from->text_bytes + 1;
        memcpy(to->text, text, from->text_bytes);
        to->text[from->text_bytes] = '\0';
    }
    return to->text != NULL;
}

enum leat_status
leat_durable_attempts_revive(struct leat_engine *engine, uint32_t index,
                             const struct leat_revival *revival)
{
    struct leat_durable_attempts attempts = {revival->attempts_last, revival->attempts_bytes};
    struct leat_durable_attempt attempt;
    const char *text = NULL;
    if (attempts.left == 0) {
        return LEAT_OK;
    }
    struct leat_job_history *history = leat_history_make(engine, leat_job_record(engine, index));
    bool there = history != NULL;
    while (there && leat_durable_attempt_read(&attempts, &attempt, &text)) {
        there = attempt_revive(engine, history, &attempt, text);
    }
    return there ? LEAT_OK : LEAT_NO_MEMORY;
}
