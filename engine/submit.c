/* submit.c - taking jobs in, one by one. All checks come first; then a record is taken and filled;
 * then its word is set, and last its index is put into a ring or list. */
#include "engine/batch.h"
#include "engine/batch_room.h"
#include "engine/completion.h"
#include "engine/durable/durable.h"
#include "engine/events.h"
#include "engine/gates.h"
#include "engine/intake.h"
#include "engine/labels.h"
#include "engine/order.h"
#include "engine/payload.h"
#include "engine/record.h"
#include "engine/terms.h"
#include "engine/timers.h"

#include <string.h>

#include "ring/probe.h"
#include "ring/rcu.h"

/* ---- checks --------------------------------------------------------------------------------- */

/* Copies a job of another header's size; the same size is used in place. */
enum leat_status
leat_intake_read(const struct leat_job *given, struct leat_job *copy, const struct leat_job **job)
{
    if (LEAT_LIKELY(given->size == sizeof(*given) && given->version == LEAT_STRUCT_VERSION)) {
        *job = given;
        return LEAT_OK;
    }
    *copy = leat_job_default();
    *job = copy;
    return leat_struct_read(copy, sizeof(*copy), given);
}

static enum leat_status
job_check(const struct leat_engine *engine, const struct leat_job *job)
{
    if (LEAT_UNLIKELY((job->flags & ~LEAT_JOB_KEEP_RESULT) != 0 || job->reserved != 0)) {
        return LEAT_UNSUPPORTED;
    }
    bool valid = job->payload_bytes <= engine->config.payload_bytes_max &&
                 (job->payload != NULL || job->payload_bytes == 0) &&
                 job->max_attempts <= LEAT_ATTEMPTS_MAX &&
                 (job->completions == NULL || job->completions->engine == engine) &&
                 (job->priority < LEAT_PRIORITY_LEVELS || job->priority == LEAT_PRIORITY_OF_QUEUE);
    return LEAT_LIKELY(valid) ? LEAT_OK : LEAT_INVALID;
}

/* When a job that is not to run at once is due; and whether it has to do with other jobs. */
static LEAT_COLD enum leat_status
due_check(const struct leat_engine *engine, const struct leat_job *job, struct leat_intake *intake)
{
    struct leat_job_options room;
    const struct leat_job_options *options = NULL;
    enum leat_status status = leat_terms_check(job->options, &room, &options);
    if (status == LEAT_OK && job->delay_ns != 0 && options->run_at_ns != 0) {
        status = LEAT_INVALID;
    }
    if (status == LEAT_OK) {
        status = leat_labels_check(options);
    }
    if (status == LEAT_OK) {
        status = leat_graph_check_options(options, &intake->ties);
    }
    if (status == LEAT_OK) {
        status = leat_intake_acknowledges_check(engine, job, options, intake);
    }
    if (status != LEAT_OK) {
        return status;
    }
    intake->due = leat_timers_due(engine, job->delay_ns, options->run_at_ns);
    return LEAT_OK;
}

enum leat_status
leat_intake_check(struct leat_engine *engine, const struct leat_job *job,
                  struct leat_intake *intake)
{
    enum leat_status status = job_check(engine, job);
    if (LEAT_UNLIKELY(job->delay_ns != 0 || job->options != NULL) && status == LEAT_OK) {
        intake->extra = job->options != NULL;
        status = due_check(engine, job, intake);
    }
    if (LEAT_LIKELY(status == LEAT_OK)) {
        status = leat_registry_queue(engine, job, &intake->queue);
    }
    if (LEAT_LIKELY(status == LEAT_OK)) {
        status = leat_registry_type(engine, job, &intake->type);
    }
    if (LEAT_LIKELY(status == LEAT_OK)) {
        uint64_t options = leat_queue_options(engine, intake->queue);
        intake->bytes = (uint32_t)job->payload_bytes;
        intake->level =
            job->priority == LEAT_PRIORITY_OF_QUEUE ? leat_queue_priority(options) : job->priority;
        if (LEAT_UNLIKELY((options & (LEAT_QUEUE_LIMITED | LEAT_QUEUE_EXACT)) != 0)) {
            intake->limited = (options & LEAT_QUEUE_LIMITED) != 0;
            intake->extra = intake->extra || (options & LEAT_QUEUE_EXACT) != 0;
            status = leat_order_level(options, intake->level) ? LEAT_OK : LEAT_INVALID;
        }
    }
    return status;
}

/* ---- records -------------------------------------------------------------------------------- */

/* The slots of its completion queues, if a job that was not taken in has some. */
static void
completion_release(const struct leat_engine *engine, uint32_t index)
{
    const struct leat_job_record *record = leat_job_record(engine, index);
    const struct leat_job_extra *extra = leat_job_extra(record);
    leat_completion_release(engine, atom_load_rlx(&record->notice)); /* rlx: single writer */
    if (extra != NULL) {
        leat_completion_release(engine, extra->acknowledgement);
    }
}

static bool
takes_room(const struct leat_intake *intake)
{
    return leat_intake_counted(intake) && intake->alone && !intake->owes;
}

static struct leat_room_ask
room_ask(const struct leat_intake *intake)
{
    return (struct leat_room_ask){intake->queue, intake->level, intake->bytes,
                                  intake->how == LEAT_ROOM_WAITS, intake->owes};
}

static LEAT_COLD enum leat_status
room_take(struct leat_engine *engine, struct leat_intake *intake)
{
    const struct leat_room_ask ask = room_ask(intake);
    if (!leat_engine_accepts(engine)) {
        return LEAT_CLOSED;
    }
    enum leat_status status = leat_room_take(engine, &ask);
    intake->owes = status == LEAT_FULL && leat_batch_room_drops(engine, &ask);
    return intake->owes ? LEAT_OK : status;
}

/* Claims the room that it owes. */
static LEAT_COLD enum leat_status
room_claim(struct leat_engine *engine, struct leat_intake *intake)
{
    const struct leat_room_ask ask = room_ask(intake);
    enum leat_status status = leat_room_take(engine, &ask);
    intake->owes = status != LEAT_OK;
    return status;
}

void
leat_intake_refuse(struct leat_engine *engine, const struct leat_intake *intake)
{
    uint32_t index = intake->index;
    completion_release(engine, index);
    if (takes_room(intake)) {
        leat_room_give(engine, intake->queue, intake->bytes);
    }
    leat_graph_refuse(engine, index);
    leat_job_reclaim(engine, index);
    (void)atom_add_rlx(&engine->outside.refused, 1); /* rlx: statistic */
}

/* The time of submit for one job in sample_interval, chosen by its id; 0 for the others. */
static uint64_t
sample_time(const struct leat_engine *engine, uint32_t index, uint64_t word)
{
    uint32_t hash = (index + (uint32_t)(leat_word_generation(word) >> 1)) * 2654435761u;
    /* rlx: statistic */
    return hash < atom_load_rlx(&engine->sample_below) ? leat_os_monotonic_ns() : 0;
}

/* Memory is short: who waits, or drops, comes again. */
static enum leat_status
refused(const struct leat_intake *intake, enum leat_status status)
{
    return status == LEAT_TIMEOUT && intake->how == LEAT_ROOM_LEAVES ? LEAT_FULL : status;
}

/* What does not stand in its record. */
static LEAT_COLD enum leat_status
extras_make(struct leat_engine *engine, const struct leat_job *job, struct leat_intake *intake)
{
    const uint64_t denied = leat_footprint_denied(&engine->footprint);
    enum leat_status status = LEAT_OK;
    if (intake->extra) {
        status = leat_terms_fill(engine, intake->index, intake->queue, job);
        status = status == LEAT_OK ? leat_intake_acknowledgement_make(engine, job, intake) : status;
    }
    if (intake->ties.noded && status == LEAT_OK) {
        intake->ties.paid = leat_intake_counted(intake);
        status = leat_graph_make(engine, intake->index, job, &intake->ties);
    }
    return leat_footprint_judge(engine, denied, status);
}

/* Fills the record that was taken for it. */
LEAT_INLINE enum leat_status
record_write(struct leat_engine *engine, const struct leat_job *job, struct leat_intake *intake,
             uint32_t completion)
{
    uint32_t index = intake->index;
    enum leat_status status = LEAT_OK;
    struct leat_job_record *record = leat_job_record(engine, index);
    /* rlx: single writer */
    uint64_t word = atom_load_rlx(leat_slab_word(&engine->jobs, index));
    /* rlx: ordered by submit:A */
    atom_store_rlx(&record->submit_ns, sample_time(engine, index, word));
    atom_store_rlx(&record->type, (uint16_t)intake->type); /* rlx: ordered by submit:A */
    record->admitted = 0;
    record->returned = false;
    record->max_attempts = (uint16_t)job->max_attempts;
    atom_store_rlx(&record->queue, (uint16_t)intake->queue); /* rlx: ordered by submit:A */
    /* rlx: ordered by submit:A */
    atom_store_rlx(&record->priority, leat_job_priority_of(intake->level, intake->limited));
    atom_store_rlx(&record->attempts, 0);         /* rlx: ordered by submit:A */
    atom_store_rlx(&record->reason, 0);           /* rlx: ordered by submit:A */
    atom_store_rlx(&record->extra, (void *)NULL); /* rlx: ordered by submit:A */
    atom_store_rlx(&record->notice, completion);  /* rlx: ordered by submit:A */
    status = leat_payload_copy(engine, index, job);
    if (LEAT_UNLIKELY(intake->extra || intake->ties.noded) && status == LEAT_OK) {
        status = extras_make(engine, job, intake);
    }
    if (LEAT_UNLIKELY(status != LEAT_OK)) {
        leat_intake_refuse(engine, intake);
        return refused(intake, status);
    }
    return LEAT_OK;
}

/* Takes and fills a record. Its word still says FILLING. */
enum leat_status
leat_intake_fill(struct leat_engine *engine, const struct leat_job *job, struct leat_intake *intake)
{
    uint32_t index = 0;
    uint32_t completion = 0;
    bool room = takes_room(intake);
    enum leat_status status = LEAT_OK;
    if (LEAT_UNLIKELY(room)) {
        status = room_take(engine, intake);
        if (status != LEAT_OK) {
            return status;
        }
        room = takes_room(intake);
    }
    if (LEAT_UNLIKELY(job->completions != NULL)) {
        status = leat_completion_reserve(job->completions, job->user, &completion);
    }
    if (LEAT_LIKELY(status == LEAT_OK)) {
        status = leat_record_take(engine, &index);
    }
    if (LEAT_UNLIKELY(status != LEAT_OK)) {
        leat_completion_release(engine, completion);
        if (room) {
            leat_room_give(engine, intake->queue, intake->bytes);
        }
        return refused(intake, status);
    }
    intake->index = index;
    return record_write(engine, job, intake, completion);
}

LEAT_COLD enum leat_status
leat_intake_claim(struct leat_engine *engine, const struct leat_intake *intake, leat_job_id *id)
{
    const uint64_t denied = leat_footprint_denied(&engine->footprint);
    enum leat_status status = leat_labels_claim(engine, intake->index, id);
    return refused(intake, leat_footprint_judge(engine, denied, status));
}

/* State first: from here the job waits, and its place is about to have it; or it runs inline.
 * `phase` has what else its word is to begin with. */
leat_job_id
leat_intake_publish(struct leat_engine *engine, uint32_t index, bool kept, uint64_t phase)
{
    leat_atomic_u64 *word = leat_slab_word(&engine->jobs, index);
    uint64_t generation = leat_word_generation(atom_load_rlx(word)); /* rlx: single writer */
    uint64_t next = (leat_word_of(generation, 0) | phase) + leat_graph_holds(engine, index);
    if (kept) {
        next |= LEAT_WORD_KEPT;
    }
    leat_job_id id = {leat_word_of(generation, index)};
    LEAT_PROBE1(job_submit, id.bits);
    /* submit:A release -> change:A, hold:A, claim:A, swept:A, each:A, tallied:A, walked:A,
     * trailed:A.  Carries: the record's fields and the payload.
     * If relaxed: the worker still sees them through the ring, but a thread that guesses the id
     * could read the record of the job before. */
    atom_store_rel(word, next);
    return id;
}

/* The same for one that is due later. The caller holds it, and lets go of it outside of sections:
 * it may have ended by then, and who lets go last tells the log, which may wait for room. */
static LEAT_COLD leat_job_id
record_schedule(struct leat_engine *engine, const struct leat_intake *intake, bool kept)
{
    leat_timers_count(engine, LEAT_PHASE_SCHEDULED, 1);
    leat_timers_set(engine, intake->index, intake->due);
    leat_job_id id = leat_intake_publish(engine, intake->index, kept,
                                         LEAT_PHASE_SCHEDULED | LEAT_WORD_LINKED | LEAT_WORD_HOLD);
    leat_timers_arm(engine, intake->index);
    return id;
}

/* From here the job waits. True: it is PENDING, and the caller puts it; `ties.blocks`: it is
 * BLOCKED, and joins; else it is SCHEDULED, and held. */
LEAT_INLINE bool
record_enter(struct leat_engine *engine, struct leat_intake *intake, bool kept, leat_job_id *id)
{
    uint32_t index = intake->index;
    leat_events_submitted(engine, index); /* first, so that nothing is told before */
    intake->ties.blocks = LEAT_UNLIKELY(intake->ties.noded) && leat_graph_blocks(engine, index);
    if (LEAT_UNLIKELY(intake->ties.blocks)) {
        *id = leat_intake_publish(engine, index, kept, LEAT_PHASE_BLOCKED | LEAT_WORD_LINKED);
        return false;
    }
    if (LEAT_UNLIKELY(intake->due.time != 0)) {
        *id = record_schedule(engine, intake, kept);
        return false;
    }
    *id = leat_intake_publish(engine, index, kept, LEAT_PHASE_PENDING | LEAT_WORD_LINKED);
    return true;
}

static LEAT_COLD void
entered(struct leat_engine *engine, const struct leat_intake *intake, uint64_t options,
        leat_job_id id)
{
    const struct leat_room_entry entry = {.options = options,
                                          .queue = intake->queue,
                                          .level = intake->level,
                                          .waits = intake->due.time == 0};
    if ((options & LEAT_QUEUE_HELD) != 0) {
        leat_job_unhold(engine, intake->index);
    }
    if ((options & LEAT_QUEUE_JOINS) != 0) {
        leat_graph_join(engine, intake->index); /* it may end, which the log is told */
        leat_change_ends(engine);
    }
    if ((options & LEAT_QUEUE_TOLD) != 0) {
        leat_intake_acknowledge(engine, intake, id);
    }
    leat_room_entered(engine, &entry, id);
}

/* What a queue with limits, or one that is closed, is to know of a job that it took in; who waits
 * for its acknowledgement; and whom it waits for. */
void
leat_intake_entered(struct leat_engine *engine, const struct leat_intake *intake, uint64_t options,
                    leat_job_id id)
{
    const uint64_t asks = LEAT_QUEUE_LIMITED | LEAT_QUEUE_CLOSED | LEAT_QUEUE_TOLD |
                          LEAT_QUEUE_JOINS | LEAT_QUEUE_HELD;
    if (LEAT_UNLIKELY((options & asks) != 0)) {
        entered(engine, intake, options, id);
    }
}

/* The same where a record is not taken as most are. */
enum leat_status
leat_intake_write(struct leat_engine *engine, const struct leat_job *job,
                  struct leat_intake *intake)
{
    return record_write(engine, job, intake, 0);
}

bool
leat_intake_enter(struct leat_engine *engine, struct leat_intake *intake, bool kept,
                  leat_job_id *id)
{
    return record_enter(engine, intake, kept, id);
}

/* ---- one job -------------------------------------------------------------------------------- */

/* Puts a job that is to run at once where it waits: one without a key or a gate, in a queue that
 * is like most, into the ring. */
LEAT_INLINE void
put_one(struct leat_engine *engine, const struct leat_job *job, const struct leat_intake *intake,
        uint64_t options)
{
    uint32_t item = leat_item_of(LEAT_KIND_JOB, intake->index);
    bool plain = job->options == NULL && (options & LEAT_QUEUE_PULL) == 0;
    if (LEAT_LIKELY(plain) && !leat_gates_any(engine)) {
        leat_pool_put(&engine->pool, intake->level, intake->queue, item);
    } else {
        leat_gates_put(engine, intake->level, intake->queue, intake->type, item);
    }
}

/* Who lets a job in. */
enum door {
    DOOR_ENGINE, /* the engine and the queue, now */
    DOOR_QUEUE,  /* the engine has done so before */
    DOOR_OPEN    /* a handler submits it, and both have */
};

LEAT_INLINE bool
lets_in(const struct leat_engine *engine, uint64_t options, enum door door)
{
    if (door == DOOR_ENGINE) {
        return LEAT_LIKELY(leat_engine_accepts(engine) && leat_queue_open(engine, options));
    }
    return door == DOOR_OPEN || (options & LEAT_QUEUE_CLOSED) == 0;
}

/* LEAT_QUEUE_TOLD if someone is to be told, and then who. By value: `options` stays in a
 * register. */
static LEAT_COLD uint64_t
told_of(const struct leat_engine *engine, struct leat_intake *intake)
{
    intake->told = leat_intake_acknowledgement(engine, intake->index);
    return intake->told != 0 || intake->calls ? LEAT_QUEUE_TOLD : 0;
}

/* What it claims and has not claimed ahead, as without a log. */
static LEAT_COLD enum leat_status
claim_here(struct leat_engine *engine, const struct leat_job *job, struct leat_intake *intake,
           leat_job_id *id)
{
    enum leat_status status = LEAT_OK;
    if (job->options != NULL && !intake->claimed) {
        status = leat_intake_claim(engine, intake, id);
    }
    if (intake->owes && status == LEAT_OK) {
        status = room_claim(engine, intake);
        if (status != LEAT_OK) {
            leat_labels_unclaim(engine, intake->index);
        }
    }
    return status;
}

/* Puts one filled record where it waits. */
LEAT_INLINE enum leat_status
push_one(struct leat_engine *engine, const struct leat_job *job, struct leat_intake *intake,
         enum door door, leat_job_id *id)
{
    enum leat_status status = LEAT_CLOSED;
    leat_rcu_enter();
    uint64_t options = leat_queue_options(engine, intake->queue);
    if (LEAT_LIKELY(lets_in(engine, options, door))) {
        status = LEAT_OK;
        if (LEAT_UNLIKELY(job->options != NULL || intake->owes)) {
            options |= job->options != NULL ? told_of(engine, intake) : 0;
            status = claim_here(engine, job, intake, id);
        }
    } else if (LEAT_UNLIKELY(intake->claimed)) {
        leat_labels_unclaim(engine, intake->index);
    }
    if (LEAT_LIKELY(status == LEAT_OK)) {
        bool kept = (job->flags & LEAT_JOB_KEEP_RESULT) != 0;
        if (LEAT_LIKELY(record_enter(engine, intake, kept, id))) {
            put_one(engine, job, intake, options);
        } else if (intake->ties.blocks) {
            options |= LEAT_QUEUE_JOINS;
            leat_change_begins(engine); /* a drain that begins from now on waits for it */
        } else {
            options |= LEAT_QUEUE_HELD;
        }
    }
    leat_rcu_leave(&engine->domain);
    if (LEAT_UNLIKELY(status != LEAT_OK)) {
        leat_intake_refuse(engine, intake);
    } else {
        leat_intake_entered(engine, intake, options, *id);
    }
    return status;
}

enum leat_status
leat_submit_check(struct leat_engine *engine, const struct leat_job *given,
                  struct leat_job *checked)
{
    struct leat_job copy;
    const struct leat_job *job = NULL;
    struct leat_intake intake = {.index = 0};
    enum leat_status status = leat_intake_read(given, &copy, &job);
    if (status == LEAT_OK) {
        status = leat_intake_check(engine, job, &intake);
    }
    if (status == LEAT_OK && (intake.ties.noded || intake.acknowledges.queue != NULL)) {
        status = LEAT_INVALID; /* it is submitted when its parents, or its cohort, are long gone */
    }
    if (status == LEAT_OK) {
        *checked = *job;
        checked->type.bits = intake.type + 1;
        checked->queue.bits = intake.queue + 1;
        checked->type_name = NULL;
        checked->queue_name = NULL;
    }
    return status;
}

LEAT_INLINE enum leat_status
once_plain(struct leat_engine *engine, const struct leat_job *given, enum leat_room_how how,
           leat_job_id *id)
{
    struct leat_job copy;
    const struct leat_job *job = NULL;
    struct leat_intake intake = {.how = how, .alone = true};
    enum leat_status status = leat_intake_read(given, &copy, &job);
    if (LEAT_LIKELY(status == LEAT_OK)) {
        status = leat_intake_check(engine, job, &intake);
    }
    if (LEAT_LIKELY(status == LEAT_OK)) {
        status = leat_intake_fill(engine, job, &intake);
    }
    if (LEAT_LIKELY(status == LEAT_OK)) {
        status = push_one(engine, job, &intake, DOOR_ENGINE, id);
    }
    return status;
}

/* ---- durable jobs ---------------------------------------------------------------------------- */

/* What is done to others for its sake is told the log, which may be waited for: that is done in
 * front of the section in which it is let in for good, and outside all. Behind it the queue may be
 * closed: then others gave way for nothing. */
static LEAT_COLD enum leat_status
claim_ahead(struct leat_engine *engine, const struct leat_job *job, struct leat_intake *intake,
            enum door door, leat_job_id *id)
{
    const uint64_t denied = leat_footprint_denied(&engine->footprint);
    bool labelled = job->options != NULL && leat_labels_claims(engine, intake->index);
    enum leat_status status = LEAT_OK;
    if (!labelled && !intake->owes) {
        return LEAT_OK;
    }
    leat_rcu_enter();
    if (!lets_in(engine, leat_queue_options(engine, intake->queue), door)) {
        status = LEAT_CLOSED;
    } else if (labelled) {
        status = leat_intake_claim(engine, intake, id);
    }
    leat_rcu_leave(&engine->domain);
    if (status != LEAT_OK) {
        return status;
    }
    status = refused(
        intake, leat_footprint_judge(engine, denied, leat_durable_claimed(engine, intake->index)));
    if (status == LEAT_OK && intake->owes) {
        status = room_claim(engine, intake);
    }
    intake->claimed = status == LEAT_OK;
    if (status != LEAT_OK) {
        leat_rcu_enter();
        leat_labels_unclaim(engine, intake->index);
        leat_rcu_leave(&engine->domain);
    }
    return status;
}

/* push_one() of an engine with a log. */
static LEAT_COLD enum leat_status
push_ahead(struct leat_engine *engine, const struct leat_job *job, struct leat_intake *intake,
           enum door door, leat_job_id *id)
{
    enum leat_status status = claim_ahead(engine, job, intake, door, id);
    if (status != LEAT_OK) {
        leat_intake_refuse(engine, intake);
        return status;
    }
    return push_one(engine, job, intake, door, id);
}

/* A job is in the log before anybody sees it. What is refused behind that has its end said by who
 * gives the record back. */
static enum leat_status
record_log(struct leat_engine *engine, const struct leat_job *job, const struct leat_intake *intake,
           struct leat_durable_with *with)
{
    uint64_t position = 0;
    if (!leat_durable_wants(engine, job)) {
        return leat_durable_id(engine, intake->index);
    }
    enum leat_status status = leat_durable_image_with(engine, intake->index, job, with, &position);
    return status == LEAT_OK ? leat_durable_wait(engine, position, leat_durable_of(engine, job))
                             : status;
}

/* The same of one for which nobody waits, or one thread for several: it is in the log's ring. The
 * record is not the caller's any more. */
static enum leat_status
record_fly(struct leat_engine *engine, const struct leat_job *job, const struct leat_intake *intake,
           struct leat_transit_told *told, leat_job_id *id)
{
    const uint32_t index = intake->index;
    uint32_t how = (job->options != NULL ? LEAT_TRANSIT_OPTIONS : 0) |
                   ((job->flags & LEAT_JOB_KEEP_RESULT) != 0 ? LEAT_TRANSIT_KEPT : 0) |
                   (intake->owes ? LEAT_TRANSIT_OWES : 0) |
                   (leat_engine_inside(engine) ? LEAT_TRANSIT_INSIDE : 0) |
                   (intake->calls ? LEAT_TRANSIT_CALLS : 0);
    leat_rcu_enter();
    bool accepted = lets_in(engine, leat_queue_options(engine, intake->queue), DOOR_ENGINE);
    if (accepted) {
        leat_change_begins(engine); /* a drain that begins from now on waits for it */
    }
    leat_rcu_leave(&engine->domain);
    if (!accepted) {
        return LEAT_CLOSED;
    }
    if (intake->due.time != 0) {
        how |= LEAT_TRANSIT_DUE;
        leat_timers_set(engine, index, intake->due);
    }
    /* rlx: single writer */
    uint64_t word = atom_load_rlx(leat_slab_word(&engine->jobs, index));
    enum leat_status status = leat_durable_fly(engine, index, job, told, how);
    if (status == LEAT_OK) {
        id->bits = leat_word_of(leat_word_generation(word), index);
    } else {
        leat_change_ends(engine);
    }
    return status;
}

enum leat_status
leat_intake_land(struct leat_engine *engine, struct leat_intake *intake, uint32_t how,
                 leat_job_id *id)
{
    const struct leat_job_options options = leat_job_options_default();
    /* As far as it is asked from here on: the record has the rest. */
    const struct leat_job job = {
        .options = (how & LEAT_TRANSIT_OPTIONS) != 0 ? &options : NULL,
        .flags = (how & LEAT_TRANSIT_KEPT) != 0 ? LEAT_JOB_KEEP_RESULT : 0,
    };
    enum door door = (how & LEAT_TRANSIT_INSIDE) != 0 ? DOOR_OPEN : DOOR_QUEUE;
    return push_ahead(engine, &job, intake, door, id);
}

/* What goes with one job into the log. */
struct beside {
    struct leat_transit_told *told; /* who waits for it together with others; or NULL */
    struct leat_durable_with *with; /* in one unit with it; or NULL */
};

#define ALONE ((struct beside){NULL, NULL})

static LEAT_COLD enum leat_status
once_durable(struct leat_engine *engine, const struct leat_job *given, enum leat_room_how how,
             struct beside beside, leat_job_id *id)
{
    struct leat_job copy;
    struct leat_intake intake = {.how = how, .alone = true};
    const struct leat_job *job = NULL;
    enum leat_status status = leat_intake_read(given, &copy, &job);
    if (status == LEAT_OK) {
        status = leat_intake_check(engine, job, &intake);
    }
    bool acknowledged = intake.acknowledges.queue != NULL;
    if (status == LEAT_OK && !acknowledged && leat_acknowledges_inside(engine) &&
        leat_durable_wants(engine, job)) {
        status = LEAT_DEADLOCK; /* what it would wait for may wait for the call that it is in */
    }
    if (status == LEAT_OK) {
        status = leat_intake_fill(engine, job, &intake);
    }
    if (status != LEAT_OK) {
        return status;
    }
    const uint64_t denied = leat_footprint_denied(&engine->footprint);
    bool flies = (beside.told != NULL || acknowledged) && !intake.ties.noded &&
                 leat_durable_wants(engine, job);
    status = flies ? record_fly(engine, job, &intake, acknowledged ? NULL : beside.told, id)
                   : record_log(engine, job, &intake, beside.with);
    status = refused(&intake, leat_footprint_judge(engine, denied, status));
    if (status != LEAT_OK) {
        leat_intake_refuse(engine, &intake);
        return status;
    }
    if (flies) {
        return LEAT_OK;
    }
    /* What claims a key or a name that another job had until now, waits for the end of that, too:
     * else a crash could find both. */
    bool claims = job->options != NULL && leat_labels_claims(engine, intake.index);
    leat_durable_pass_begin(engine->durable); /* others may give way to it, which is noted */
    status = push_ahead(engine, job, &intake, DOOR_ENGINE, id);
    leat_durable_pass_end(engine->durable);
    return claims && status == LEAT_OK ? leat_durable_wait_all(engine, leat_durable_of(engine, job))
                                       : status;
}

enum leat_status
leat_submit_once(struct leat_engine *engine, const struct leat_job *given, enum leat_room_how how,
                 leat_job_id *id)
{
    return engine->submits == LEAT_SUBMITS_DURABLE ? once_durable(engine, given, how, ALONE, id)
                                                   : once_plain(engine, given, how, id);
}

enum leat_status
leat_submit_joint(struct leat_engine *engine, const struct leat_job *given,
                  struct leat_transit_told *told, leat_job_id *id)
{
    return once_durable(engine, given, LEAT_ROOM_LEAVES, (struct beside){.told = told}, id);
}

enum leat_status
leat_submit_with(struct leat_engine *engine, const struct leat_job *given,
                 struct leat_durable_with *with, leat_job_id *id)
{
    return once_durable(engine, given, LEAT_ROOM_LEAVES, (struct beside){.with = with}, id);
}

/* ---- one job, by the caller ------------------------------------------------------------------ */

/* leat_submit() where leat_config.inline_mode is set. */
static LEAT_COLD enum leat_status
submit_inline(struct leat_engine *engine, const struct leat_job *given, leat_job_id *id)
{
    enum leat_status status = leat_submit_running(engine, given, id);
    if (status == LEAT_OK) {
        leat_inline_run(engine, *id, NULL, NULL);
    }
    return status;
}

LEAT_INLINE enum leat_status
submit_one(struct leat_engine *engine, const struct leat_job *given, uint64_t deadline_ns,
           leat_job_id *id)
{
    enum leat_status status = LEAT_OK;
    if (LEAT_UNLIKELY(engine->submits != LEAT_SUBMITS_PLAIN)) {
        if (engine->submits == LEAT_SUBMITS_INLINE) {
            return submit_inline(engine, given, id);
        }
        status = once_durable(engine, given, LEAT_ROOM_LEAVES, ALONE, id);
    } else {
        status = once_plain(engine, given, LEAT_ROOM_LEAVES, id);
    }
    return LEAT_UNLIKELY(status == LEAT_FULL) ? leat_room_wait(engine, given, deadline_ns, id)
                                              : status;
}

enum leat_status
leat_submit_until(struct leat_engine *engine, const struct leat_job *given, uint64_t deadline_ns,
                  leat_job_id *id)
{
    return submit_one(engine, given, deadline_ns, id);
}

enum leat_status
leat_submit(struct leat_engine *engine, const struct leat_job *job, leat_job_id *id)
{
    enum leat_status status = leat_engine_check(engine);
    if (LEAT_UNLIKELY(status != LEAT_OK)) {
        return status;
    }
    if (LEAT_UNLIKELY(job == NULL)) {
        return LEAT_INVALID;
    }
    leat_job_id given = {0};
    status = submit_one(engine, job, LEAT_FOREVER, &given);
    if (LEAT_LIKELY((status == LEAT_OK || status == LEAT_JOINED) && id != NULL)) {
        *id = given;
    }
    return status;
}
