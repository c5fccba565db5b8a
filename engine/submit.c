/* submit.c - taking jobs in, singly and in batches. All checks come first; then a record is taken
 * and filled; then its word is set, and last its index is put into a ring or list. */
#include "engine/batch.h"
#include "engine/batch_room.h"
#include "engine/completion.h"
#include "engine/events.h"
#include "engine/gates.h"
#include "engine/labels.h"
#include "engine/order.h"
#include "engine/payload.h"
#include "engine/plan.h"
#include "engine/terms.h"
#include "engine/timers.h"

#include <string.h>

#include "ring/probe.h"
#include "ring/rcu.h"

/* A checked job: what it names, by index. */
struct intake {
    uint32_t type;
    uint32_t queue;
    uint32_t level;
    uint32_t bytes;      /* of its payload */
    uint32_t index;      /* of its record, once taken */
    struct leat_due due; /* time 0: at once */
    uint64_t options;    /* of its queue, as they were when it was put; of batches */
    bool limited;        /* its queue counts its jobs */
    bool extra;          /* it has more than its record has room for: options, an exact order */
    bool waits;          /* see struct leat_room_ask */
    bool alone;          /* else its batch takes room for all, or it runs inline */
    bool owes;           /* room, for which others are dropped when nothing can refuse it */
    struct leat_ties ties;
};

/* ---- checks --------------------------------------------------------------------------------- */

/* Copies a job of another header's size; the same size is used in place. */
static enum leat_status
job_read(const struct leat_job *given, struct leat_job *copy, const struct leat_job **job)
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
due_check(const struct leat_engine *engine, const struct leat_job *job, struct intake *intake)
{
    struct leat_job_options options = leat_job_options_default();
    enum leat_status status = LEAT_OK;
    if (job->options != NULL) {
        status = leat_terms_check(&options, job->options);
    }
    if (status == LEAT_OK && job->delay_ns != 0 && options.run_at_ns != 0) {
        status = LEAT_INVALID;
    }
    if (status == LEAT_OK) {
        status = leat_labels_check(&options);
    }
    if (status == LEAT_OK) {
        status = leat_graph_check_options(&options, &intake->ties);
    }
    if (status != LEAT_OK) {
        return status;
    }
    intake->due = leat_timers_due(engine, job->delay_ns, options.run_at_ns);
    return LEAT_OK;
}

static enum leat_status
intake_check(struct leat_engine *engine, const struct leat_job *job, struct intake *intake)
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

static enum leat_status
record_take(struct leat_engine *engine, uint32_t *index)
{
    uint32_t shard = leat_pool_shard();
    /* Ends: each round gives up one job that had ended, and those are at most jobs_max; others may
     * take what we gave up, then they made progress. */
    while (LEAT_UNLIKELY(!leat_slab_take(&engine->jobs, shard, index))) {
        /* Asked again when the job is put; here, so that nothing is given up for one refused. */
        if (!leat_engine_accepts(engine)) {
            return LEAT_CLOSED;
        }
        if (!leat_retention_yield(engine)) {
            leat_timers_release(engine);
            return LEAT_FULL;
        }
    }
    if (LEAT_UNLIKELY(*index >= engine->trim.floor)) {
        leat_trim_ask(engine);
    }
    return LEAT_OK;
}

/* The slot of its completion queue, if a job that was not taken in has one. */
static void
completion_release(const struct leat_engine *engine, uint32_t index)
{
    /* rlx: single writer */
    leat_completion_release(engine, atom_load_rlx(&leat_job_record(engine, index)->notice));
}

/* A job is counted while it is PENDING. */
static bool
is_counted(const struct intake *intake)
{
    return intake->limited && intake->due.time == 0;
}

static bool
takes_room(const struct intake *intake)
{
    return is_counted(intake) && intake->alone && !intake->owes;
}

static struct leat_room_ask
room_ask(const struct intake *intake)
{
    return (struct leat_room_ask){intake->queue, intake->level, intake->bytes, intake->waits,
                                  intake->owes};
}

static LEAT_COLD enum leat_status
room_take(struct leat_engine *engine, struct intake *intake)
{
    const struct leat_room_ask ask = room_ask(intake);
    if (!leat_engine_accepts(engine)) {
        return LEAT_CLOSED;
    }
    enum leat_status status = leat_room_take(engine, &ask);
    intake->owes = status == LEAT_FULL && leat_batch_room_drops(engine, &ask);
    return intake->owes ? LEAT_OK : status;
}

/* Claims the room that it owes; else it loses what it has claimed already. */
static LEAT_COLD enum leat_status
room_claim(struct leat_engine *engine, struct intake *intake)
{
    const struct leat_room_ask ask = room_ask(intake);
    enum leat_status status = leat_room_take(engine, &ask);
    intake->owes = status != LEAT_OK;
    if (intake->owes) {
        leat_labels_unclaim(engine, intake->index);
    }
    return status;
}

static void
record_refuse(struct leat_engine *engine, const struct intake *intake)
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

/* Takes and fills a record. Its word still says FILLING. */
static enum leat_status
record_fill(struct leat_engine *engine, const struct leat_job *job, struct intake *intake)
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
        status = leat_completion_reserve(job, &completion);
    }
    if (LEAT_LIKELY(status == LEAT_OK)) {
        status = record_take(engine, &index);
    }
    if (LEAT_UNLIKELY(status != LEAT_OK)) {
        leat_completion_release(engine, completion);
        if (room) {
            leat_room_give(engine, intake->queue, intake->bytes);
        }
        return status;
    }
    intake->index = index;
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
    if (LEAT_UNLIKELY(intake->extra) && status == LEAT_OK) {
        status = leat_terms_fill(engine, index, intake->queue, job);
    }
    if (LEAT_UNLIKELY(intake->ties.noded) && status == LEAT_OK) {
        intake->ties.paid = is_counted(intake);
        status = leat_graph_make(engine, index, job, &intake->ties);
    }
    if (LEAT_UNLIKELY(status != LEAT_OK)) {
        record_refuse(engine, intake);
    }
    return status;
}

/* State first: from here the job waits, and its place is about to have it; or it runs inline.
 * `phase` has what else its word is to begin with. */
static leat_job_id
record_publish(struct leat_engine *engine, uint32_t index, bool kept, uint64_t phase)
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

/* The same for one that is due later. */
static LEAT_COLD leat_job_id
record_schedule(struct leat_engine *engine, const struct intake *intake, bool kept)
{
    leat_timers_count(engine, LEAT_PHASE_SCHEDULED, 1);
    leat_timers_set(engine, intake->index, intake->due);
    leat_job_id id = record_publish(engine, intake->index, kept,
                                    LEAT_PHASE_SCHEDULED | LEAT_WORD_LINKED | LEAT_WORD_HOLD);
    leat_timers_arm(engine, intake->index);
    leat_job_unhold(engine, intake->index);
    return id;
}

/* From here the job waits. True: it is PENDING, and the caller puts it; `ties.blocks`: it is
 * BLOCKED, and joins. */
LEAT_INLINE bool
record_enter(struct leat_engine *engine, struct intake *intake, bool kept, leat_job_id *id)
{
    uint32_t index = intake->index;
    leat_events_submitted(engine, index); /* first, so that nothing is told before */
    intake->ties.blocks = LEAT_UNLIKELY(intake->ties.noded) && leat_graph_blocks(engine, index);
    if (LEAT_UNLIKELY(intake->ties.blocks)) {
        *id = record_publish(engine, index, kept, LEAT_PHASE_BLOCKED | LEAT_WORD_LINKED);
        return false;
    }
    if (LEAT_UNLIKELY(intake->due.time != 0)) {
        *id = record_schedule(engine, intake, kept);
        return false;
    }
    *id = record_publish(engine, index, kept, LEAT_PHASE_PENDING | LEAT_WORD_LINKED);
    return true;
}

/* What a queue with limits, or one that is closed, is to know of a job that it took in. */
static void
entered(struct leat_engine *engine, const struct intake *intake, uint64_t options, leat_job_id id)
{
    if (LEAT_UNLIKELY((options & (LEAT_QUEUE_LIMITED | LEAT_QUEUE_CLOSED)) != 0)) {
        const struct leat_room_entry entry = {.options = options,
                                              .queue = intake->queue,
                                              .level = intake->level,
                                              .waits = intake->due.time == 0};
        leat_room_entered(engine, &entry, id);
    }
}

/* ---- one job -------------------------------------------------------------------------------- */

/* Puts a job that is to run at once where it waits: one without a key or a gate, in a queue that
 * is like most, into the ring. */
LEAT_INLINE void
put_one(struct leat_engine *engine, const struct leat_job *job, const struct intake *intake,
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

/* Puts one filled record where it waits. */
static enum leat_status
push_one(struct leat_engine *engine, const struct leat_job *job, struct intake *intake,
         leat_job_id *id)
{
    enum leat_status status = LEAT_CLOSED;
    leat_rcu_enter();
    uint64_t options = leat_queue_options(engine, intake->queue);
    if (LEAT_LIKELY(leat_engine_accepts(engine) && leat_queue_open(engine, options))) {
        status = LEAT_OK;
        if (LEAT_UNLIKELY(job->options != NULL)) {
            status = leat_labels_claim(engine, intake->index, id);
        }
        if (LEAT_UNLIKELY(intake->owes) && status == LEAT_OK) {
            status = room_claim(engine, intake);
        }
    }
    if (LEAT_LIKELY(status == LEAT_OK)) {
        bool kept = (job->flags & LEAT_JOB_KEEP_RESULT) != 0;
        if (LEAT_LIKELY(record_enter(engine, intake, kept, id))) {
            put_one(engine, job, intake, options);
        } else if (intake->ties.blocks) {
            leat_graph_join(engine, intake->index);
        }
    }
    leat_rcu_leave(&engine->domain);
    if (LEAT_UNLIKELY(status != LEAT_OK)) {
        record_refuse(engine, intake);
    } else {
        entered(engine, intake, options, *id);
    }
    return status;
}

enum leat_status
leat_submit_check(struct leat_engine *engine, const struct leat_job *given,
                  struct leat_job *checked)
{
    struct leat_job copy;
    const struct leat_job *job = NULL;
    struct intake intake = {.index = 0};
    enum leat_status status = job_read(given, &copy, &job);
    if (status == LEAT_OK) {
        status = intake_check(engine, job, &intake);
    }
    if (status == LEAT_OK && intake.ties.noded) {
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

enum leat_status
leat_submit_once(struct leat_engine *engine, const struct leat_job *given, bool waits,
                 leat_job_id *id)
{
    struct leat_job copy;
    const struct leat_job *job = NULL;
    struct intake intake = {.waits = waits, .alone = true};
    enum leat_status status = job_read(given, &copy, &job);
    if (LEAT_LIKELY(status == LEAT_OK)) {
        status = intake_check(engine, job, &intake);
    }
    if (LEAT_LIKELY(status == LEAT_OK)) {
        status = record_fill(engine, job, &intake);
    }
    if (LEAT_LIKELY(status == LEAT_OK)) {
        status = push_one(engine, job, &intake, id);
    }
    return status;
}

/* ---- jobs that run inline -------------------------------------------------------------------- */

/* pre: leat_inline_enter(), which leat_inline_run() takes back. */
static leat_job_id
record_run(struct leat_engine *engine, uint32_t index, bool kept)
{
    (void)atom_add_rlx(&engine->outside.beside, 1); /* rlx: statistic */
    leat_events_submitted(engine, index);
    return record_publish(engine, index, kept,
                          LEAT_PHASE_RUNNING | LEAT_WORD_HOLD | leat_word_attempt(1));
}

enum leat_status
leat_submit_running(struct leat_engine *engine, const struct leat_job *given, leat_job_id *id)
{
    struct leat_job copy;
    const struct leat_job *job = NULL;
    struct intake intake = {.index = 0};
    enum leat_status status = job_read(given, &copy, &job);
    if (status == LEAT_OK) {
        status = intake_check(engine, job, &intake);
    }
    if (status == LEAT_OK && intake.ties.noded) {
        status = LEAT_UNSUPPORTED;
    }
    if (status == LEAT_OK) {
        status = leat_inline_enter(engine);
    }
    if (status != LEAT_OK) {
        return status;
    }
    status = record_fill(engine, job, &intake);
    if (status == LEAT_OK) {
        *id = record_run(engine, intake.index, (job->flags & LEAT_JOB_KEEP_RESULT) != 0);
    } else {
        (void)atom_sub_rlx(&engine->outside.inlined, 1); /* rlx: statistic */
    }
    return status;
}

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

/* ---- one job, by the caller ------------------------------------------------------------------ */

LEAT_INLINE enum leat_status
submit_one(struct leat_engine *engine, const struct leat_job *given, uint64_t deadline_ns,
           leat_job_id *id)
{
    if (LEAT_UNLIKELY(engine->config.inline_mode)) {
        return submit_inline(engine, given, id);
    }
    enum leat_status status = leat_submit_once(engine, given, false, id);
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

/* ---- all or none ---------------------------------------------------------------------------- */

/* What an all-or-none batch needs while it is taken in. */
struct group {
    struct leat_engine *engine;
    const struct leat_batch_part *part;
    struct leat_batch_room room;
    struct leat_batch_ask *asks;
    struct intake *intakes;
    uint32_t *items;
    leat_job_id *ids;
    bool *kept;
};

static enum leat_status
group_check_one(struct group *group, size_t index)
{
    struct leat_job copy;
    const struct leat_job *job = NULL;
    const struct leat_job *given = leat_batch_job(group->part->jobs, group->part->first + index);
    struct intake *intake = &group->intakes[index];
    enum leat_status status = LEAT_INVALID;
    if (group->part->plan != NULL) {
        intake->ties = group->part->plan->ties[index];
    }
    if (given->size == group->part->jobs->size) {
        status = job_read(given, &copy, &job);
    }
    if (status == LEAT_OK) {
        status = intake_check(group->engine, job, intake);
    }
    if (status == LEAT_OK && !leat_labels_grouped(job->options)) {
        status = LEAT_INVALID;
    }
    if (status == LEAT_OK && intake->ties.noded && group->engine->config.inline_mode) {
        status = LEAT_UNSUPPORTED;
    }
    if (status != LEAT_OK) {
        return status;
    }
    struct leat_batch_ask *ask = &group->asks[index];
    bool counted = is_counted(intake) && !group->engine->config.inline_mode;
    *ask = (struct leat_batch_ask){.queue = intake->queue,
                                   .type = intake->type,
                                   .level = intake->level,
                                   .bytes = intake->bytes,
                                   .index = LEAT_INDEX_NONE,
                                   .counted = counted};
    if (ask->counted) {
        ask->block_ns = leat_room_block_ns(group->engine, job, intake->queue);
    }
    return LEAT_OK;
}

static enum leat_status
group_check(struct group *group)
{
    enum leat_status first = LEAT_OK;
    for (size_t i = 0; i < group->part->count; i++) {
        enum leat_status status = group_check_one(group, i);
        if (group->part->statuses != NULL) {
            group->part->statuses[i] = status;
        }
        first = first == LEAT_OK ? status : first;
    }
    return first;
}

/* Of the first `count`. */
static void
group_refuse(const struct group *group, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        record_refuse(group->engine, &group->intakes[i]);
    }
}

/* Of one that cannot be taken: a job that it names is missing, or its cohort is. Else there is no
 * room, or no memory, or the engine is closed. */
static bool
is_to_blame(enum leat_status status)
{
    return status != LEAT_FULL && status != LEAT_NO_MEMORY && status != LEAT_CLOSED;
}

static enum leat_status
group_fill(struct group *group)
{
    for (size_t i = 0; i < group->part->count; i++) {
        struct leat_job copy;
        const struct leat_job *job = NULL;
        const struct leat_job *given = leat_batch_job(group->part->jobs, group->part->first + i);
        enum leat_status status = job_read(given, &copy, &job);
        if (status == LEAT_OK) {
            status = record_fill(group->engine, job, &group->intakes[i]);
        }
        if (status != LEAT_OK) {
            group_refuse(group, i);
            if (group->part->statuses != NULL && is_to_blame(status)) {
                group->part->statuses[i] = status;
            }
            return status;
        }
        group->kept[i] = (job->flags & LEAT_JOB_KEEP_RESULT) != 0;
        group->items[i] = group->intakes[i].index;
    }
    return LEAT_OK;
}

/* Of the first `count`. */
static void
group_unclaim(const struct group *group, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        leat_labels_unclaim(group->engine, group->intakes[i].index);
    }
}

/* All of them, or none; and what room has not been taken yet. */
static enum leat_status
group_claim(const struct group *group)
{
    struct leat_engine *engine = group->engine;
    leat_job_id other = {0};
    for (size_t i = 0; i < group->part->count; i++) {
        enum leat_status status = leat_labels_claim(engine, group->intakes[i].index, &other);
        if (status != LEAT_OK) {
            group_unclaim(group, i);
            if (group->part->statuses != NULL) {
                group->part->statuses[i] = status;
            }
            return status;
        }
    }
    if (!leat_batch_room_claim(engine, &group->room)) {
        group_unclaim(group, group->part->count);
        return LEAT_FULL;
    }
    return LEAT_OK;
}

/* True if the engine and all queues take them. */
static bool
group_accepted(const struct group *group)
{
    bool accepted = leat_engine_accepts(group->engine);
    for (size_t i = 0; accepted && i < group->part->count; i++) {
        struct intake *intake = &group->intakes[i];
        intake->options = leat_queue_options(group->engine, intake->queue);
        accepted = leat_queue_open(group->engine, intake->options);
    }
    return accepted;
}

static void
group_publish(struct group *group)
{
    struct leat_engine *engine = group->engine;
    if (group->part->plan != NULL) {
        leat_plan_tie(engine, group->part->plan, group->items);
    }
    for (size_t i = 0; i < group->part->count; i++) {
        struct intake *intake = &group->intakes[i];
        if (record_enter(engine, intake, group->kept[i], &group->ids[i])) {
            group->asks[i].index = intake->index;
        }
    }
}

static enum leat_status
group_push(struct group *group)
{
    struct leat_engine *engine = group->engine;
    leat_rcu_enter();
    enum leat_status status = group_accepted(group) ? group_claim(group) : LEAT_CLOSED;
    if (status == LEAT_OK) {
        group_publish(group);
        leat_batch_put(engine, group->asks, group->part->count, group->items);
        for (size_t i = 0; i < group->part->count; i++) {
            if (LEAT_UNLIKELY(group->intakes[i].ties.blocks)) {
                leat_graph_join(engine, group->intakes[i].index);
            }
        }
    }
    leat_rcu_leave(&engine->domain);
    for (size_t i = 0; status == LEAT_OK && i < group->part->count; i++) {
        const struct intake *intake = &group->intakes[i];
        entered(engine, intake, intake->options, group->ids[i]);
    }
    return status;
}

/* The same where leat_config.inline_mode is set: they run one after another. */
static enum leat_status
group_run(struct group *group)
{
    struct leat_engine *engine = group->engine;
    enum leat_status status = leat_inline_enter(engine);
    for (size_t i = 0; status == LEAT_OK && i < group->part->count; i++) {
        const struct intake *intake = &group->intakes[i];
        group->ids[i] = record_run(engine, intake->index, group->kept[i]);
        leat_inline_run(engine, group->ids[i], NULL, NULL);
        (void)atom_add_rlx(&engine->outside.inlined, 1); /* rlx: statistic */
    }
    if (status == LEAT_OK) {
        (void)atom_sub_rlx(&engine->outside.inlined, 1); /* rlx: statistic */
    }
    return status;
}

/* Takes the records, and puts them. pre: their room is taken, as far as that comes before. */
static enum leat_status
group_take(struct group *group)
{
    enum leat_status status = group_fill(group);
    if (status == LEAT_OK) {
        status = group->engine->config.inline_mode ? group_run(group) : group_push(group);
        if (status != LEAT_OK) {
            group_refuse(group, group->part->count);
        }
    }
    if (status != LEAT_OK) {
        leat_batch_room_give(group->engine, &group->room);
    }
    return status;
}

/* Lays the group's arrays into one block, the most aligned first. */
static size_t
group_lay(struct group *group, unsigned char *block)
{
    size_t count = group->part->count;
    size_t asks = sizeof(leat_job_id) * count;
    size_t intakes = asks + sizeof(struct leat_batch_ask) * count;
    size_t items = intakes + sizeof(struct intake) * count;
    size_t kept = items + sizeof(uint32_t) * count;
    if (block != NULL) {
        group->ids = (leat_job_id *)(void *)block;
        group->asks = (struct leat_batch_ask *)(void *)(block + asks);
        group->intakes = (struct intake *)(void *)(block + intakes);
        group->items = (uint32_t *)(void *)(block + items);
        group->kept = (bool *)(block + kept);
    }
    return kept + sizeof(bool) * count;
}

enum leat_status
leat_submit_all(struct leat_engine *engine, const struct leat_batch_part *part)
{
    const struct leat_memory *memory = &engine->memory;
    struct group group = {.engine = engine, .part = part};
    for (size_t i = 0; part->statuses != NULL && i < part->count; i++) {
        part->statuses[i] = LEAT_OK;
    }
    /* More than there are records, and so more than the block's size could overflow with. */
    if (part->count > engine->config.jobs_max) {
        return LEAT_FULL;
    }
    size_t bytes = group_lay(&group, NULL);
    unsigned char *block = leat_memory_take(memory, bytes);
    if (block == NULL) {
        return LEAT_NO_MEMORY;
    }
    (void)group_lay(&group, block);
    enum leat_status status = group_check(&group);
    if (status == LEAT_OK) {
        status = leat_batch_room_init(engine, &group.room, group.asks, part->count);
    }
    if (status == LEAT_OK) {
        status = leat_batch_room_take(engine, &group.room, part->deadline_ns);
    }
    if (status == LEAT_OK) {
        status = group_take(&group);
    }
    if (status == LEAT_OK && part->ids != NULL) {
        memcpy(part->ids, group.ids, sizeof(leat_job_id) * part->count);
    }
    leat_batch_room_fini(engine, &group.room);
    leat_memory_give(memory, block, bytes);
    return status;
}
