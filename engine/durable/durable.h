/* durable.h - jobs that outlive their process: what becomes of them is written to the log
 * (engine/wal/), and read back by the next open. Why so: docs/design/0037.
 *
 * An image has the whole of a job and is durable before anybody sees the job. A step says how it is
 * by now. An end says that it is not to come back.
 *
 *   submit          record filled ──► image ──► durable ──► claims ──► published, as without a log
 *   any transition  swap of the word ──► version taken ──► the job looked at ──► step, or end
 *   the cleaner     image of the oldest segment ──► is the job's last one ──► version taken ──► the
 *                   job looked at ──► image anew ──► if it has ended by then: end anew
 *
 * Roles    image  who submits the job, before others know it.
 *          note   who has made a transition, behind its swap; any number at once of one job.
 *          gone   who gives the record back.
 *          clean  one thread of the engine's own.
 * Claims   submit, and calls that answer for a change: BLOCKING, on the disk.
 *          note of a handler's end: as leat_wal_append(), lock-free, while the log's ring has room;
 *          without, it writes for all, or waits for who does. Of a job that has failed before:
 *          BLOCKING on others who note it, for a copy of its attempts.
 * I1       what is in the log with a job's highest version is how the job was at some moment behind
 *          the last transition that was noted: a version is taken behind the swap, and the look is
 *          behind the taking, so who has a higher one has seen the swaps behind the lower ones
 * I2       a job that others know has an image in the log; its last one in a segment that the
 *          cleaner has not passed
 * I3       behind the end of a job, and behind each image of one that has ended, there is an END in
 *          the log that is not older
 * I4       behind the record of a child that was not ended, no END of a parent of it: a parent that
 *          has ended stays, as how it did, while its record is used (graph.h), and a child lets go
 *          of it behind its own end
 * I5       a generation below the ceiling: so an id is never given out again
 * I6       behind the end of a cohort that was not cancelled, no end of a member of it; and the end
 *          of a member is one unit with the numbers that have it (docs/design/0040)
 * I7       a key that is held for a time: its job is in the log, or a HELD of it; and of two jobs
 *          in the log whose one key was acknowledged, the later one is CLAIMED, or noted
 *          (docs/design/0042)
 * If a thread stops for ever: in a submit, that job is not there for others, and may be found by
 * the next open; in a note, that is not in the log; as the cleaner, the log grows. With the log's
 * role, see engine/wal/wal.h.
 */
#ifndef ENGINE_DURABLE_DURABLE_H
#define ENGINE_DURABLE_DURABLE_H

#include "engine/engine_internal.h"
#include "engine/timers.h"

struct leat_durable;

/* What a durable job has beside its record. Letters: S many writers; W the cleaner; I; O who has
 * the submit in hand: its thread, the log's role, the log's thread. */
struct leat_job_durable {
    leat_atomic_u32 version; /* S the last one that was taken */
    leat_atomic_u32 noted;   /* S the highest one that was appended */
    leat_atomic_u32 ended;   /* S 1: an END was appended */
    leat_atomic_u32 tail;    /* S bytes of its error and result in the log */
    leat_atomic_u32 counted; /* S 1: the numbers of its cohort have it, in the log */
    enum leat_phase outcome; /* S under its cohort's lock: how it ended, if it is not */
    uint32_t image;          /* W the number of the last one */
    uint32_t bytes;          /* I of an image in the log */
    uint32_t durability;     /* I enum leat_durability: GROUP or OS */
    uint32_t transit;        /* O of transit.c, as the two below */
    uint64_t position;       /* O where its first image ends in the log */
    uint64_t key_for_ns;     /* I it has a unique key for so long; 0: not for a time */
    union {
        struct leat_transit_told *told; /* O or NULL */
        struct leat_acknowledger *call; /* O with LEAT_TRANSIT_CALLS */
    } tells;
};

/* ---- open and close (open.c) ----------------------------------------------------------------- */

/* Opens the log of a configuration that has one, and reads it. `error` says what is wrong. */
enum leat_status leat_durable_open(const struct leat_config *concrete,
                                   const struct leat_memory *memory, struct leat_error *error,
                                   struct leat_durable **opened);
/* The generation that ids begin with. */
uint64_t leat_durable_generation(const struct leat_durable *durable);
/* The number of this open: at least 1, and above that of each open of the log that has returned an
 * engine. */
uint32_t leat_durable_life(const struct leat_durable *durable);
/* The engine is there: makes the jobs that were read, and starts the log's threads. */
enum leat_status leat_durable_begin(struct leat_engine *engine, struct leat_error *error);
/* All that was appended is durable by the return, if that can be. Nobody is at the engine. */
void leat_durable_end(struct leat_engine *engine);
/* LEAT_OK, also without a log; LEAT_LOG_FAILED; LEAT_NO_SPACE. */
enum leat_status leat_durable_state(const struct leat_engine *engine);
/* Bytes of the log's segments. */
uint64_t leat_durable_bytes(struct leat_engine *engine);
/* Fills what is of the log. */
void leat_durable_health(struct leat_engine *engine, struct leat_health *health);
/* Gives all back. NULL does nothing. */
void leat_durable_close(struct leat_durable *durable);
/* The places of the engine, zeroed, in a mapping that the next process can read. They are the
 * log's. */
void *leat_durable_places(const struct leat_durable *durable);

/* ---- submit (note.c) ------------------------------------------------------------------------- */

/* What a submit of the job is worth, in an engine with a log: NONE, OS or GROUP. */
enum leat_durability leat_durable_of(const struct leat_engine *engine, const struct leat_job *job);
/* The job is to be durable. */
bool leat_durable_wants(const struct leat_engine *engine, const struct leat_job *job);
/* Its id may be given out: for a job that is not durable. LEAT_LOG_FAILED, LEAT_NO_SPACE. */
enum leat_status leat_durable_id(struct leat_engine *engine, uint32_t index);
/* Appends an image of a filled record, and says in *position what to wait for. LEAT_UNSUPPORTED,
 * LEAT_NO_MEMORY, LEAT_INVALID (it is larger than half of the log's ring), LEAT_NO_SPACE,
 * LEAT_LOG_FAILED, and without `waits` LEAT_FULL: then the record is refused, and nothing else is
 * to be done. */
enum leat_status leat_durable_image(struct leat_engine *engine, uint32_t index,
                                    const struct leat_job *job, bool waits, uint64_t *position);
/* The same, and one more record in one unit with it, which gets the job's id; waits. */
struct leat_durable_with {
    void *data; /* NULL: there is none */
    uint32_t bytes;
    uint32_t tag;
    uint32_t id_offset; /* in it */
    bool done;          /* it was appended */
};
enum leat_status leat_durable_image_with(struct leat_engine *engine, uint32_t index,
                                         const struct leat_job *job,
                                         struct leat_durable_with *with, /* or NULL */
                                         uint64_t *position);
/* The same of several, as one unit: job(context, i) says them. */
struct leat_durable_unit {
    uint32_t count;
    const struct leat_plan *plan; /* what they wait for among each other; or NULL */
    uint32_t (*index)(void *context, uint32_t number);
    const struct leat_job *(*job)(void *context, uint32_t number);
    void *context;
};
enum leat_status leat_durable_images(struct leat_engine *engine,
                                     const struct leat_durable_unit *unit, uint64_t *position);
/* Until it is as safe as that. */
enum leat_status leat_durable_wait(struct leat_engine *engine, uint64_t position,
                                   enum leat_durability durability);
/* From here to the end this thread has what the cleaner waits for, a job whose image is appended or
 * the mutex of the schedules, and so does not wait for that. May be nested. pre: a log. */
void leat_durable_pass_begin(const struct leat_durable *durable);
void leat_durable_pass_end(const struct leat_durable *durable);
/* All that anybody has appended so far. */
enum leat_status leat_durable_wait_all(struct leat_engine *engine, enum leat_durability durability);

/* ---- submits for which no thread waits (transit.c) ------------------------------------------- */

/* A thread waits for several together. Letters: O the thread; S many writers. */
struct leat_transit_call {
    leat_atomic_u32 left;            /* S that are not told yet */
    enum leat_durability durability; /* O of the one that asks for most */
    uint64_t position;               /* O of the last one */
};

/* What one of them has come to. */
struct leat_transit_told {
    struct leat_transit_call *call;
    leat_job_id id;
    enum leat_status status;
};

/* Appends an image of a filled record, which is taken in when that is durable, and `told` then;
 * or, with NULL, the record's acknowledgement, or with LEAT_TRANSIT_CALLS whom the job's options
 * say. `how`: LEAT_TRANSIT_ of intake.h. As leat_durable_image(), LEAT_FULL only with NULL; with
 * LEAT_OK the record is not the caller's any more. pre: leat_change_begins(), which is ended when
 * it is told. */
enum leat_status leat_durable_fly(struct leat_engine *engine, uint32_t index,
                                  const struct leat_job *job, struct leat_transit_told *told,
                                  uint32_t how);
/* Returns when all of the call are told. pre: there was one. */
void leat_transit_wait(struct leat_engine *engine, struct leat_transit_call *call);
/* leat_submit() of one of a call, without a wait for room: LEAT_OK where it is told, or was taken
 * in otherwise: then nothing is told, and *id says the job. (submit.c) */
enum leat_status leat_submit_joint(struct leat_engine *engine, const struct leat_job *given,
                                   struct leat_transit_told *told, leat_job_id *id);

/* ---- acknowledgements by a call (append.c), with or without a log ---------------------------- */

/* Whom a submit is told, by a call of the host's: see leat_job_options.acknowledged. */
struct leat_acknowledger {
    void (*acknowledged)(leat_job_id id, enum leat_status status, void *context);
    void *context;
};

/* Calls the host. pre: the caller is in no section, and has no lock. */
void leat_acknowledge(const struct leat_engine *engine, const struct leat_acknowledger *who,
                      leat_job_id id, enum leat_status status);
/* The calling thread is in such a call, for the engine. */
bool leat_acknowledges_inside(const struct leat_engine *engine);

/* ---- transitions (note.c) -------------------------------------------------------------------- */

void leat_durable_note_slowly(struct leat_engine *engine, leat_job_id id, bool follows);
/* The job was changed by the caller: puts into the log how it is by now. Nothing where the engine
 * has no log, or the job is not durable, or gone. */
LEAT_INLINE void
leat_durable_note(struct leat_engine *engine, leat_job_id id)
{
    if (LEAT_UNLIKELY(engine->durable != NULL)) {
        leat_durable_note_slowly(engine, id, false);
    }
}
/* The same of a change that follows from the end of another job: without space it goes where that
 * does, which is answered for. */
LEAT_INLINE void
leat_durable_note_follows(struct leat_engine *engine, leat_job_id id)
{
    if (LEAT_UNLIKELY(engine->durable != NULL)) {
        leat_durable_note_slowly(engine, id, true);
    }
}
/* The record is given back. pre: the caller is its only user. */
void leat_durable_gone(struct leat_engine *engine, uint32_t index, struct leat_job_extra *extra);

void leat_durable_refused_slowly(struct leat_engine *engine, uint32_t index);
/* The record of a member is to be given back, and nobody has seen the job: its end is in the log
 * before its cohort can end. pre: as above. */
LEAT_INLINE void
leat_durable_refused(struct leat_engine *engine, uint32_t index)
{
    if (LEAT_UNLIKELY(engine->durable != NULL)) {
        leat_durable_refused_slowly(engine, index);
    }
}

void leat_durable_unused_slowly(struct leat_engine *engine, uint32_t index);
/* No child needs the record any more. pre: a hold. */
LEAT_INLINE void
leat_durable_unused(struct leat_engine *engine, uint32_t index)
{
    if (LEAT_UNLIKELY(engine->durable != NULL)) {
        leat_durable_unused_slowly(engine, index);
    }
}

/* A result of so many bytes has room in the log, if the job is to be there. */
bool leat_durable_result_fits(const struct leat_engine *engine, uint32_t index, size_t bytes);

/* ---- unique keys (held.c) -------------------------------------------------------------------- */

enum leat_status leat_durable_claimed_slowly(struct leat_engine *engine, uint32_t index);
/* A job that is not published has claimed its key and name: if the log may have them as another
 * one's, that it has them now goes there, and who submits it waits for that. Otherwise it is to be
 * refused: LEAT_NO_SPACE, LEAT_NO_MEMORY, LEAT_LOG_FAILED. */
LEAT_INLINE enum leat_status
leat_durable_claimed(struct leat_engine *engine, uint32_t index)
{
    return engine->durable == NULL ? LEAT_OK : leat_durable_claimed_slowly(engine, index);
}

/* A claim is forgotten, for whose sake the log had so many bytes. */
void leat_durable_unheld(struct leat_engine *engine, uint32_t bytes);

/* ---- cohorts (cohort.c) ---------------------------------------------------------------------- */

struct leat_cohort;
/* For who is about to change something, and has no hold yet: waits for the cleaner. */
void leat_durable_ready(struct leat_engine *engine);
/* It is closed: puts that into the log, before it can end. pre: it is logged, and a hold. */
void leat_durable_cohort_closed(struct leat_engine *engine, leat_job_id id,
                                struct leat_cohort *cohort);

/* ---- queues (tuning.c) ----------------------------------------------------------------------- */

void leat_durable_queue_slowly(struct leat_engine *engine, uint32_t queue);
/* A queue was made otherwise than by default. */
LEAT_INLINE void
leat_durable_queue(struct leat_engine *engine, uint32_t queue)
{
    if (LEAT_UNLIKELY(engine->durable != NULL)) {
        leat_durable_queue_slowly(engine, queue);
    }
}

/* What a call sets of a queue that is there; else its options have. Bits. */
enum leat_tuned {
    LEAT_TUNED_PAUSE = 1,
    LEAT_TUNED_RUNNING_MAX = 2,
    LEAT_TUNED_RATE = 4,
    LEAT_TUNED_KEY_RATE = 8,
    LEAT_TUNED_RUNNING_MIN = 16,
    LEAT_TUNED_WEIGHT = 32,
    LEAT_TUNED_LIMITS = 64
};

enum leat_status leat_durable_tuned_slowly(struct leat_engine *engine, uint32_t queue,
                                           enum leat_tuned what);
/* For such a call, which has come to `status`: puts what is set into the log, and waits until it is
 * durable. `status` is the answer, but for LEAT_LOG_FAILED, LEAT_NO_SPACE. */
LEAT_INLINE enum leat_status
leat_durable_tuned(struct leat_engine *engine, uint32_t queue, enum leat_tuned what,
                   enum leat_status status)
{
    return status == LEAT_OK && LEAT_UNLIKELY(engine->durable != NULL)
               ? leat_durable_tuned_slowly(engine, queue, what)
               : status;
}

uint32_t leat_durable_tuned_by_calls_slowly(const struct leat_engine *engine, uint32_t queue);
/* Bits of enum leat_tuned: what calls have set, in this process or an earlier one of the log. */
LEAT_INLINE uint32_t
leat_durable_tuned_by_calls(const struct leat_engine *engine, uint32_t queue)
{
    return engine->durable == NULL ? 0 : leat_durable_tuned_by_calls_slowly(engine, queue);
}

/* ---- schedules (schedules.c); all under their mutex ------------------------------------------ */

/* Its definition, or what has come of it, goes into the log; or that it is removed. LEAT_OK, or why
 * it did not: then leat_durable_settle() says so, too. */
enum leat_durable_say { LEAT_DURABLE_SAY_ALL, LEAT_DURABLE_SAY_STEP, LEAT_DURABLE_SAY_REMOVED };
enum leat_status leat_durable_schedule_slowly(struct leat_engine *engine,
                                              struct leat_schedule_entry *entry,
                                              enum leat_durable_say what);
LEAT_INLINE enum leat_status
leat_durable_schedule(struct leat_engine *engine, struct leat_schedule_entry *entry,
                      enum leat_durable_say what)
{
    return LEAT_UNLIKELY(engine->durable != NULL)
               ? leat_durable_schedule_slowly(engine, entry, what)
               : LEAT_OK;
}
/* Waits for the cleaner, where that is behind: before the mutex is taken, which it takes, too. */
void leat_durable_schedules_pace_slowly(struct leat_engine *engine);
LEAT_INLINE void
leat_durable_schedules_pace(struct leat_engine *engine)
{
    if (LEAT_UNLIKELY(engine->durable != NULL)) {
        leat_durable_schedules_pace_slowly(engine);
    }
}
/* Submits its job once, and says in the same unit of the log that it owes one less; *id as by
 * leat_submit_once(). pre: a log, and leat_durable_schedules_pace(). */
enum leat_status leat_durable_schedule_submit(struct leat_engine *engine,
                                              struct leat_schedule_entry *entry, uint64_t now_ns,
                                              leat_job_id *id);

enum leat_status leat_durable_settle_slowly(struct leat_engine *engine, enum leat_status status);
/* For calls that answer for a change: waits until what this thread has appended is durable.
 * or with jobs of LEAT_DURABILITY_OS, written. `status` is the answer, but for LEAT_LOG_FAILED or
 * LEAT_NO_SPACE. */
LEAT_INLINE enum leat_status
leat_durable_settle(struct leat_engine *engine, enum leat_status status)
{
    bool logs = engine != NULL && engine->durable != NULL;
    return LEAT_UNLIKELY(logs) ? leat_durable_settle_slowly(engine, status) : status;
}

#endif
