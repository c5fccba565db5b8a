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
 *          without, it writes for all, or waits for who does.
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
 * If a thread stops for ever: in a submit, that job is not there for others, and may be found by
 * the next open; in a note, that is not in the log; as the cleaner, the log grows. With the log's
 * role, see engine/wal/wal.h.
 */
#ifndef ENGINE_DURABLE_DURABLE_H
#define ENGINE_DURABLE_DURABLE_H

#include "engine/engine_internal.h"
#include "engine/timers.h"

struct leat_durable;

/* What a durable job has beside its record. Letters: S many writers; W the cleaner; I. */
struct leat_job_durable {
    leat_atomic_u32 version; /* S the last one that was taken */
    leat_atomic_u32 noted;   /* S the highest one that was appended */
    leat_atomic_u32 ended;   /* S 1: an END was appended */
    leat_atomic_u32 tail;    /* S bytes of its error and result in the log */
    uint32_t image;          /* W the number of the last one */
    uint32_t bytes;          /* I of an image in the log */
    uint32_t durability;     /* I enum leat_durability: GROUP or OS */
};

/* ---- open and close (open.c) ----------------------------------------------------------------- */

/* Opens the log of a configuration that has one, and reads it. `error` says what is wrong. */
enum leat_status leat_durable_open(const struct leat_config *concrete,
                                   const struct leat_memory *memory, struct leat_error *error,
                                   struct leat_durable **opened);
/* The generation that ids begin with. */
uint64_t leat_durable_generation(const struct leat_durable *durable);
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
 * LEAT_LOG_FAILED: then the record is refused, and nothing else is to be done. */
enum leat_status leat_durable_image(struct leat_engine *engine, uint32_t index,
                                    const struct leat_job *job, uint64_t *position);
/* One more record of the same unit: with the id of the first job in it, and whether it was
 * appended. Who brings one has waited for the cleaner before, and does not here: see pace.c. */
struct leat_durable_with {
    void *data; /* NULL: there is none */
    uint32_t bytes;
    uint32_t tag;
    uint32_t id_offset;
    bool done;
};
/* The same of several, as one unit: job(context, i) says them. */
struct leat_durable_unit {
    struct leat_durable_with *with; /* or NULL */
    uint32_t count;
    bool durable;                 /* false: none of them, whatever they say */
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
/* All that anybody has appended so far. */
enum leat_status leat_durable_wait_all(struct leat_engine *engine, enum leat_durability durability);

/* ---- transitions (note.c) -------------------------------------------------------------------- */

void leat_durable_note_slowly(struct leat_engine *engine, leat_job_id id);
/* The job was changed by the caller: puts into the log how it is by now. Nothing where the engine
 * has no log, or the job is not durable, or gone. */
LEAT_INLINE void
leat_durable_note(struct leat_engine *engine, leat_job_id id)
{
    if (LEAT_UNLIKELY(engine->durable != NULL)) {
        leat_durable_note_slowly(engine, id);
    }
}
/* The record is given back. pre: the caller is its only user. */
void leat_durable_gone(struct leat_engine *engine, uint32_t index, struct leat_job_extra *extra);

void leat_durable_unused_slowly(struct leat_engine *engine, uint32_t index);
/* No child needs the record any more. pre: a hold. */
LEAT_INLINE void
leat_durable_unused(struct leat_engine *engine, uint32_t index)
{
    if (LEAT_UNLIKELY(engine->durable != NULL)) {
        leat_durable_unused_slowly(engine, index);
    }
}

void leat_durable_queue_slowly(struct leat_engine *engine, uint32_t queue);
/* A queue was made otherwise than by default. */
LEAT_INLINE void
leat_durable_queue(struct leat_engine *engine, uint32_t queue)
{
    if (LEAT_UNLIKELY(engine->durable != NULL)) {
        leat_durable_queue_slowly(engine, queue);
    }
}

/* ---- schedules (schedules.c); all under their mutex ------------------------------------------ */

/* Its definition, or what has come of it, goes into the log; or that it is removed. */
enum leat_durable_say { LEAT_DURABLE_SAY_ALL, LEAT_DURABLE_SAY_STEP, LEAT_DURABLE_SAY_REMOVED };
void leat_durable_schedule_slowly(struct leat_engine *engine, struct leat_schedule_entry *entry,
                                  enum leat_durable_say what);
LEAT_INLINE void
leat_durable_schedule(struct leat_engine *engine, struct leat_schedule_entry *entry,
                      enum leat_durable_say what)
{
    if (LEAT_UNLIKELY(engine->durable != NULL)) {
        leat_durable_schedule_slowly(engine, entry, what);
    }
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
/* Submits its job once, and says in the same unit of the log that it owes one less. pre: a log, and
 * leat_durable_schedules_pace(). */
enum leat_status leat_durable_schedule_submit(struct leat_engine *engine,
                                              struct leat_schedule_entry *entry, uint64_t now_ns);

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
