/* history.h - why attempts of a job failed: the texts of the last one, and the last eight attempts.
 * Only jobs that have texts, or an attempt that failed, have memory for them. Why so:
 * docs/design/0023.
 *
 * No clock is read at the begin of a first attempt, which most often is the last one: when it began
 * is known only where it is timed for the statistics anyway.
 *
 * Roles    who ends an attempt notes it, before the swap that ends it; any thread that has a hold
 *          reads.
 * Claims   note and read BLOCKING on each other, of one job: a mutex in its history, held for a
 *          copy of some hundred bytes, or of eight times that.
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

/* One attempt. Letters: S under the mutex. */
struct leat_attempt {
    uint64_t ended_ns;              /* S by WALL */
    uint64_t started_ns;            /* S the same; 0: not known */
    uint64_t took_ns;               /* S */
    uint32_t number;                /* S of the run */
    uint32_t attempt;               /* S */
    uint32_t worker;                /* S or LEAT_WORKER_OUTSIDE */
    enum leat_outcome_kind outcome; /* S */
    bool timed_out;                 /* S */
    char *text;                     /* S or NULL; from the allocator */
    size_t bytes;                   /* S of the text, with its end */
};

/* From the allocator, at the first attempt that fails, until the record is gone. */
struct leat_job_history {
    pthread_mutex_t mutex;                        /* S */
    uint32_t count;                               /* S noted so far */
    struct leat_attempt last[LEAT_ATTEMPTS_KEPT]; /* S by count */
};

/* The attempt begins. `timed_ns`: its start by MONOTONIC, if that was read; or 0. */
LEAT_INLINE void
leat_history_begin(struct leat_run *run, uint64_t timed_ns)
{
    const struct leat_clocks *clocks = &run->engine->clocks;
    run->start_ns = clocks->now == NULL ? timed_ns : 0;
    if (LEAT_UNLIKELY(run->number > 1) && run->start_ns == 0) {
        run->start_ns = leat_clocks_now(clocks, LEAT_TIME_MONOTONIC);
    }
}

/* The attempt is about to end so. One that succeeds is noted only behind one that failed. */
void leat_history_note_slowly(const struct leat_run *run, enum leat_outcome_kind outcome);

LEAT_INLINE void
leat_history_note(const struct leat_run *run, enum leat_outcome_kind outcome)
{
    if (LEAT_UNLIKELY(run->number > 1 || outcome != LEAT_OUTCOME_DONE)) {
        leat_history_note_slowly(run, outcome);
    }
}

/* The texts, or NULL; and the same made at need, where NULL is no memory. */
struct leat_job_errors *leat_job_errors(const struct leat_job_record *record);
struct leat_job_errors *leat_job_errors_make(struct leat_engine *engine,
                                             struct leat_job_record *record);
/* The attempts, made at need. NULL: no memory. pre: who ends an attempt, or nobody else knows the
 * job. */
struct leat_job_history *leat_history_make(struct leat_engine *engine,
                                           struct leat_job_record *record);
/* Gives back all that is kept here. */
void leat_history_free(struct leat_engine *engine, struct leat_job_extra *extra);

/* What was said of the last attempt, or "". `late`: by a leat_complete(). */
const char *leat_error_text(const struct leat_job_record *record, bool late);
/* The next attempt has said nothing yet. pre: the caller runs it. */
void leat_error_clear(const struct leat_job_record *record);
/* Copies a text to where there is room for so many bytes, cut at a UTF-8 boundary; the same for
 * LEAT_ERROR_BYTES. */
void leat_text_cut(char *to, const char *from, size_t bytes);
void leat_text_copy(char *to, const char *from);

#endif
