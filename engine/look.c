/* look.c - jobs by id: get, wait, result, release, cancel. A reader first takes a hold, which keeps
 * the record where it is; what it then reads is either fixed since submit, or atomic, or fixed
 * since the end. */
#include "engine/completion.h"
#include "engine/durable/durable.h"
#include "engine/events.h"
#include "engine/graph.h"
#include "engine/history.h"
#include "engine/keys.h"
#include "engine/timers.h"

#include <string.h>

/* ---- holds ---------------------------------------------------------------------------------- */

enum leat_status
leat_word_judge(uint64_t word, leat_job_id id)
{
    uint64_t now = leat_word_generation(word);
    uint64_t asked = leat_word_generation(id.bits);
    if (now != asked) {
        return now > asked ? LEAT_GONE : LEAT_NOT_FOUND;
    }
    switch (leat_word_phase(word)) {
    case LEAT_PHASE_FILLING:
        return LEAT_NOT_FOUND;
    case LEAT_PHASE_GONE:
        return LEAT_GONE;
    case LEAT_PHASE_SCHEDULED:
    case LEAT_PHASE_BLOCKED:
    case LEAT_PHASE_PENDING:
    case LEAT_PHASE_RUNNING:
    case LEAT_PHASE_RETRYING:
    case LEAT_PHASE_COMPLETED:
    case LEAT_PHASE_DEAD:
    case LEAT_PHASE_CANCELLED:
    case LEAT_PHASE_COUNT:
        break;
    }
    return LEAT_OK;
}

enum leat_status
leat_job_locate(const struct leat_engine *engine, leat_job_id id, uint32_t *index)
{
    uint32_t place = (uint32_t)(id.bits & LEAT_INDEX_NONE);
    /* Generations in use are odd. */
    if (place >= engine->jobs.capacity || (leat_word_generation(id.bits) & 1) == 0) {
        return LEAT_NOT_FOUND;
    }
    *index = place;
    return LEAT_OK;
}

enum leat_status
leat_job_hold_any(struct leat_engine *engine, leat_job_id id, uint32_t most, uint32_t *index)
{
    enum leat_status status = leat_job_locate(engine, id, index);
    if (status != LEAT_OK) {
        return status;
    }
    leat_atomic_u64 *word = leat_slab_word(&engine->jobs, *index);
    /* hold:A acquire -> change:B, submit:A, changed:A.  Carries: the record's fields.
     * If relaxed: they could be those of the job before. */
    uint64_t now = atom_load_acq(word);
    for (;;) {
        status = leat_word_judge(now, id);
        if (status != LEAT_OK) {
            return status;
        }
        if ((now & LEAT_WORD_HOLDS) / LEAT_WORD_HOLD >= most) {
            return LEAT_BUSY;
        }
        /* hold:B acq_rel -> change:B.  Carries: that someone waits, to who ends the job.
         * If relaxed: nothing changes, the bit travels in the word. */
        if (atom_cas_acq_rel(word, &now, now + LEAT_WORD_HOLD)) {
            return LEAT_OK;
        }
    }
}

enum leat_status
leat_job_hold(struct leat_engine *engine, leat_job_id id, uint32_t most, uint32_t *index)
{
    enum leat_status status = leat_job_hold_any(engine, id, most, index);
    if (status != LEAT_OK) {
        return status;
    }
    /* The own hold keeps the generation. rlx: ordered by hold:B */
    uint64_t now = atom_load_rlx(leat_slab_word(&engine->jobs, *index));
    /* One that nothing has but holds is about to go, unless jobs that waited for it use it: whoever
     * ended it may have its hold yet. */
    bool last =
        leat_phase_final(leat_word_phase(now)) && (now & (LEAT_WORD_LINKED | LEAT_WORD_KEPT)) == 0;
    if (LEAT_UNLIKELY(last) && !leat_graph_uses(engine, *index)) {
        leat_job_unhold(engine, *index);
        return LEAT_GONE;
    }
    return LEAT_OK;
}

/* The life is looked at here, and not where the run is: who claims a job in vain, for a moment,
 * makes who has the right token fail. */
enum leat_status
leat_token_hold(struct leat_engine *engine, leat_token token, uint32_t *index, uint32_t *number)
{
    leat_job_id id = {token.job};
    enum leat_status status = leat_job_hold(engine, id, LEAT_HOLDS_TO_COMPLETE, index);
    if (status == LEAT_OK && token.attempt >> 32 != engine->life) {
        leat_job_unhold(engine, *index);
        return LEAT_STALE;
    }
    *number = (uint32_t)token.attempt;
    return status;
}

void
leat_job_unhold(struct leat_engine *engine, uint32_t index)
{
    if (leat_job_let_go(leat_slab_word(&engine->jobs, index), LEAT_WORD_HOLD)) {
        leat_job_reclaim(engine, index);
    }
}

/* ---- get and wait --------------------------------------------------------------------------- */

LEAT_STATIC(sizeof(((struct leat_job_info *)NULL)->progress_text) == LEAT_PROGRESS_BYTES,
            "a text fits");

static void
info_fill(const struct leat_engine *engine, leat_job_id id, uint32_t index, uint64_t word,
          struct leat_job_info *info)
{
    const struct leat_job_record *record = leat_job_record(engine, index);
    const struct leat_job_extra *extra = leat_job_extra(record);
    const struct leat_binding *binding = leat_binding_of(engine, leat_job_type(record));
    enum leat_phase phase = leat_word_phase(word);
    *info = leat_job_info_default();
    info->id = id;
    info->state = (enum leat_job_state)phase;
    info->type.bits = leat_job_type(record) + 1;
    info->queue.bits = leat_job_queue(record) + 1;
    info->priority = leat_job_level(record);
    /* rlx: ordered by hold:A */
    info->attempts = atom_load_rlx(&record->attempts);
    info->attempts = (info->attempts - leat_timers_snoozes(engine, index)) & UINT16_MAX;
    if (phase == LEAT_PHASE_SCHEDULED || phase == LEAT_PHASE_RETRYING) {
        info->due_in_ns = leat_timers_left(engine, index);
    }
    info->max_attempts = record->max_attempts;
    if (info->max_attempts == 0) {
        info->max_attempts = binding == NULL ? LEAT_ATTEMPTS_DEFAULT : binding->max_attempts;
    }
    info->cancel_requested = (word & LEAT_WORD_CANCEL) != 0;
    info->payload_bytes = leat_job_payload_bytes(record);
    const struct leat_progress *progress = extra == NULL ? NULL : leat_block(&extra->progress);
    info->submitter.bits = extra == NULL ? 0 : extra->submitter;
    info->durability = extra == NULL || extra->durable == NULL
                           ? LEAT_DURABILITY_NONE
                           : (enum leat_durability)extra->durable->durability;
    if (progress != NULL) {
        info->progress = leat_progress_read(progress, info->progress_text);
    }
    if (phase == LEAT_PHASE_COMPLETED) {
        info->progress = 100;
    }
    if (!leat_phase_final(phase)) {
        return;
    }
    bool expired = phase == LEAT_PHASE_DEAD && (word & LEAT_WORD_EXPIRED) != 0;
    if (phase == LEAT_PHASE_DEAD) { /* one that was brought back may have had a reason before */
        info->reason =
            (enum leat_reason)atom_load_rlx(&record->reason); /* rlx: ordered by wait:A */
        info->reason = expired ? LEAT_REASON_EXPIRED : info->reason;
    } else if (phase == LEAT_PHASE_CANCELLED && (word & LEAT_WORD_DROPPED) != 0) {
        info->reason = LEAT_REASON_DROPPED;
    } else if (phase == LEAT_PHASE_CANCELLED && (word & LEAT_WORD_PARENT) != 0) {
        info->reason = LEAT_REASON_PARENT;
    }
    if (extra != NULL) {
        info->result_bytes = extra->result_bytes;
        bool late = atom_load_rlx(&record->late) != 0; /* rlx: ordered by wait:A */
        leat_text_copy(info->error, leat_error_text(record, late));
    }
}

static uint64_t
word_now(const struct leat_engine *engine, uint32_t index)
{
    /* wait:A acquire -> change:B, end:A, release:A, cancel:A, changed:A.
     * Carries: the record as its end left it.
     * If relaxed: a result could be read that is not there yet. */
    return atom_load_acq(leat_slab_word(&engine->jobs, index));
}

enum leat_phase
leat_job_phase_held(const struct leat_engine *engine, uint32_t index)
{
    return leat_word_phase(word_now(engine, index));
}

void
leat_job_tell(const struct leat_engine *engine, leat_job_id id, uint32_t index,
              struct leat_job_info *info)
{
    info_fill(engine, id, index, word_now(engine, index), info);
}

bool
leat_job_word_of(const struct leat_engine *engine, leat_job_id id, uint64_t *word)
{
    uint32_t index = 0;
    if (leat_job_locate(engine, id, &index) != LEAT_OK) {
        return false;
    }
    *word = word_now(engine, index);
    return leat_word_generation(*word) == leat_word_generation(id.bits);
}

bool
leat_job_live(const struct leat_engine *engine, leat_job_id id)
{
    uint64_t word = 0;
    return leat_job_word_of(engine, id, &word) && leat_word_judge(word, id) == LEAT_OK &&
           !leat_phase_final(leat_word_phase(word));
}

enum leat_status
leat_get(struct leat_engine *engine, leat_job_id id, struct leat_job_info *info)
{
    enum leat_status status = leat_engine_check(engine);
    uint32_t index = 0;
    if (status == LEAT_OK && info == NULL) {
        status = LEAT_INVALID;
    }
    if (status == LEAT_OK) {
        status = leat_job_hold(engine, id, LEAT_HOLDS_TO_LOOK, &index);
    }
    if (status != LEAT_OK) {
        return status;
    }
    struct leat_job_info filled;
    leat_job_tell(engine, id, index, &filled);
    leat_job_unhold(engine, index);
    return leat_struct_write(info, &filled, sizeof(filled));
}

/* pre: a hold. *word is the job's last word. */
static enum leat_status
wait_end(struct leat_engine *engine, uint32_t index, uint64_t timeout_ns, uint64_t *word)
{
    struct leat_bell *bell = &engine->bells[index % LEAT_BELLS];
    uint64_t deadline_ns = leat_os_deadline_ns(timeout_ns);
    for (;;) {
        /* wait:B acquire -> bell:A.  Carries: the final word; read before it.
         * If relaxed: see bell:A. */
        uint32_t count = atom_load_acq(&bell->count);
        *word = word_now(engine, index);
        if (leat_phase_final(leat_word_phase(*word))) {
            return LEAT_OK;
        }
        if (leat_engine_state_now(engine) == LEAT_ENGINE_STOPPED) {
            return LEAT_CLOSED;
        }
        if (timeout_ns == 0) {
            return LEAT_TIMEOUT;
        }
        if (leat_engine_within(engine)) {
            return LEAT_DEADLOCK;
        }
        if (leat_os_monotonic_ns() >= deadline_ns) {
            return LEAT_TIMEOUT;
        }
        leat_os_futex_wait(&bell->count, count, deadline_ns);
    }
}

enum leat_status
leat_wait(struct leat_engine *engine, leat_job_id id, uint64_t timeout_ns,
          struct leat_job_info *info)
{
    enum leat_status status = leat_engine_check(engine);
    uint32_t index = 0;
    if (status == LEAT_OK) {
        status = leat_job_hold(engine, id, LEAT_HOLDS_TO_LOOK, &index);
    }
    if (status != LEAT_OK) {
        return status;
    }
    uint64_t word = 0;
    struct leat_job_info filled;
    status = wait_end(engine, index, timeout_ns, &word);
    info_fill(engine, id, index, word, &filled);
    leat_job_unhold(engine, index);
    if (info != NULL && (status == LEAT_OK || status == LEAT_TIMEOUT)) {
        enum leat_status written = leat_struct_write(info, &filled, sizeof(filled));
        status = written == LEAT_OK ? status : written;
    }
    return status;
}

enum leat_status
leat_result(struct leat_engine *engine, leat_job_id id, void *buffer, size_t capacity,
            size_t *bytes)
{
    enum leat_status status = leat_engine_check(engine);
    uint32_t index = 0;
    if (status == LEAT_OK && buffer == NULL && capacity > 0) {
        status = LEAT_INVALID;
    }
    if (status == LEAT_OK) {
        status = leat_job_hold(engine, id, LEAT_HOLDS_TO_LOOK, &index);
    }
    if (status != LEAT_OK) {
        return status;
    }
    if (leat_phase_final(leat_word_phase(word_now(engine, index)))) {
        const struct leat_job_extra *extra = leat_job_extra(leat_job_record(engine, index));
        size_t count = extra == NULL ? 0 : extra->result_bytes;
        status = count <= capacity ? LEAT_OK : LEAT_FULL;
        if (status == LEAT_OK && count > 0) {
            memcpy(buffer, extra->result, count);
        }
        if (bytes != NULL) {
            *bytes = count;
        }
    } else {
        status = LEAT_WRONG_STATE;
    }
    leat_job_unhold(engine, index);
    return status;
}

/* ---- release and cancel ---------------------------------------------------------------------
 *
 * One swap each, against the generation in the id: they need no hold, so they cannot be kept out by
 * those who have one. */

/* Of a job that is not as it was asked for: `plain`, or that it is gone, which get and wait say of
 * it already. Where all holds are taken, someone looks at it. */
static enum leat_status
unless_gone(struct leat_engine *engine, leat_job_id id, enum leat_status plain)
{
    uint32_t index = 0;
    enum leat_status status = leat_job_hold(engine, id, LEAT_HOLDS_TO_LOOK, &index);
    if (status == LEAT_OK) {
        leat_job_unhold(engine, index);
    }
    return status == LEAT_OK || status == LEAT_BUSY ? plain : status;
}

/* Finds the job's word and what it says now. */
static enum leat_status
word_find(struct leat_engine *engine, leat_job_id id, uint32_t *index, uint64_t *now)
{
    enum leat_status status = leat_engine_check(engine);
    if (status == LEAT_OK) {
        status = leat_job_locate(engine, id, index);
    }
    if (status == LEAT_OK) {
        *now = word_now(engine, *index);
    }
    return status;
}

enum leat_status
leat_release(struct leat_engine *engine, leat_job_id id)
{
    uint32_t index = 0;
    uint64_t now = 0;
    enum leat_status status = word_find(engine, id, &index, &now);
    while (status == LEAT_OK) {
        status = leat_word_judge(now, id);
        if (status != LEAT_OK) {
            return status;
        }
        if ((now & LEAT_WORD_KEPT) == 0) {
            return unless_gone(engine, id, LEAT_WRONG_STATE);
        }
        /* What is noted is the end only with a hold. Where none is left, whoever has the record
         * last says it, at some time, and this call does not wait for it. */
        bool holds =
            engine->durable != NULL && (now & LEAT_WORD_HOLDS) / LEAT_WORD_HOLD < LEAT_HOLDS_MAX;
        uint64_t held = holds ? now + LEAT_WORD_HOLD : now;
        uint64_t next = leat_word_with(held & ~LEAT_WORD_KEPT, leat_word_phase(now));
        /* release:A acq_rel -> change:A, let_go:A, wait:A.  Carries: what this thread read of the
         * record.
         * If relaxed: as let_go:A. */
        if (atom_cas_acq_rel(leat_slab_word(&engine->jobs, index), &now, next)) {
            if (leat_word_phase(next) == LEAT_PHASE_GONE) {
                leat_job_reclaim(engine, index);
            }
            if (LEAT_UNLIKELY(holds)) {
                leat_durable_note(engine, id);
                leat_job_unhold(engine, index);
            }
            return leat_durable_settle(engine, LEAT_OK);
        }
    }
    return status;
}

/* Who ends a job that waits. */
enum canceller {
    CANCELLER_HOST = 0, /* one that runs is told */
    CANCELLER_PURGE,
    CANCELLER_DROP, /* only what is PENDING and was not run, or 64 times */
    CANCELLER_EXPIRY
};

/* Such a job ends as: */
static const struct leat_ending endings[] = {
    [CANCELLER_HOST] = {LEAT_PHASE_CANCELLED, LEAT_REASON_NONE, NULL, false},
    [CANCELLER_PURGE] = {LEAT_PHASE_CANCELLED, LEAT_REASON_NONE, NULL, false},
    [CANCELLER_DROP] = {LEAT_PHASE_CANCELLED, LEAT_REASON_DROPPED, NULL, false},
    [CANCELLER_EXPIRY] = {LEAT_PHASE_DEAD, LEAT_REASON_EXPIRED, NULL, false},
};

/* What becomes of a live job's word; and the answer. `more`: it may have a key, or a payload of the
 * allocator. */
static enum leat_status
cancelled(uint64_t now, enum canceller who, bool more, uint64_t *next)
{
    enum leat_phase phase = leat_word_phase(now);
    enum leat_phase end = endings[who].phase;
    bool begun = phase != LEAT_PHASE_PENDING || (now & LEAT_WORD_ATTEMPT) != 0;
    if (phase == LEAT_PHASE_RUNNING) {
        *next = now | LEAT_WORD_CANCEL;
        return LEAT_RUNNING;
    }
    if (!leat_phase_may(phase, end) || (who == CANCELLER_DROP && begun)) {
        return LEAT_ENDED;
    }
    /* Its place still has it, and gives the record back. */
    uint64_t moved = phase == LEAT_PHASE_PENDING ? 0 : LEAT_WORD_MOVED;
    /* EXPIRED, or DROPPED. */
    uint64_t reason = endings[who].reason != LEAT_REASON_NONE ? LEAT_WORD_EXPIRED : 0;
    *next = leat_word_with(now & ~moved, end) | reason;
    LEAT_ASSERT(leat_word_phase(*next) == end);
    /* A wheel is told, and a key, and a payload freed, by who has a hold; where none is left, they
     * find out in time. So are those who wait for it: they have a hold, which may be new while the
     * word is the same. */
    bool told = more || phase != LEAT_PHASE_PENDING || (now & LEAT_WORD_HOLDS) != 0;
    if (told && (now & LEAT_WORD_HOLDS) / LEAT_WORD_HOLD < LEAT_HOLDS_MAX) {
        *next += LEAT_WORD_HOLD;
    }
    return LEAT_OK;
}

/* What of a job is read before it is cancelled: behind the swap the record may be another job's.
 * Then the swap has failed. */
struct cancelled {
    leat_job_id id;
    uint32_t index;
    uint32_t completion;
    struct leat_stand stand;
};

static struct cancelled
cancelled_read(const struct leat_engine *engine, leat_job_id id, uint32_t index)
{
    const struct leat_job_record *record = leat_job_record(engine, index);
    struct cancelled job = {.id = id, .index = index};
    job.stand = leat_queue_stand(record);
    /* rlx: hint, re-checked at cancel:A */
    job.completion = atom_load_rlx(&record->notice);
    return job;
}

/* Its place lets go of it: a list by a sweep, a wheel or its key at once. Its words are given. */
static void
cancelled_leave(struct leat_engine *engine, const struct cancelled *job, uint64_t before,
                uint64_t after)
{
    const enum leat_phase phase = leat_word_phase(before);
    const bool held = (before & LEAT_WORD_HOLDS) != (after & LEAT_WORD_HOLDS);
    if (held && leat_word_phase(after) == LEAT_PHASE_CANCELLED) {
        leat_job_free_payload(engine, job->index);
    }
    if (phase == LEAT_PHASE_PENDING) {
        leat_queue_left(engine, job->stand);
    } else if (phase == LEAT_PHASE_BLOCKED) {
        leat_graph_unblocked(engine, job->index);
    } else {
        leat_timers_count(engine, phase, -1);
    }
    if (held) {
        leat_graph_ended(engine, job->index, before);
        leat_timers_cancelled(engine, job->index);
        leat_keys_left(engine, job->index);
    }
}

static enum leat_status
cancel(struct leat_engine *engine, leat_job_id id, enum canceller who)
{
    uint32_t index = 0;
    uint64_t now = 0;
    enum leat_status status = word_find(engine, id, &index, &now);
    while (status == LEAT_OK) {
        uint64_t next = 0;
        status = leat_word_judge(now, id);
        if (status != LEAT_OK) {
            return status;
        }
        struct cancelled job = cancelled_read(engine, id, index);
        bool more = leat_keys_may(engine, index) || leat_payload_allocated(engine, job.stand.bytes);
        enum leat_status answer = cancelled(now, who, more, &next);
        if (answer == LEAT_ENDED || (answer == LEAT_RUNNING && who != CANCELLER_HOST)) {
            return answer == LEAT_ENDED ? unless_gone(engine, id, answer) : answer;
        }
        /* cancel:A acq_rel -> change:A, mark:A, let_go:A, wait:A, waiting:A, graph:A.
         * Carries: nothing of its own; the caller's writes before the cancel.
         * If relaxed: a handler that sees the flag could miss why it was set. */
        if (!atom_cas_acq_rel(leat_slab_word(&engine->jobs, index), &now, next)) {
            continue;
        }
        if (answer == LEAT_OK) {
            const struct leat_tally_key key = {job.stand.level, job.stand.queue, job.stand.type};
            leat_tally_share(engine, key, leat_tally_of(endings[who].phase));
            leat_events_waited(engine, id, job.stand, endings[who]);
            leat_durable_note(engine, id);
            leat_job_ring_bell(engine, index, now);
            cancelled_leave(engine, &job, now, next);
            if (LEAT_UNLIKELY(job.completion != 0)) {
                const struct leat_completion_end how = {
                    .id = id, .phase = endings[who].phase, .reason = endings[who].reason};
                leat_completion_deliver(engine, job.completion, how);
            }
        }
        return answer;
    }
    return status;
}

enum leat_status
leat_cancel(struct leat_engine *engine, leat_job_id id)
{
    return leat_durable_settle(engine, cancel(engine, id, CANCELLER_HOST));
}

bool
leat_job_expire(struct leat_engine *engine, leat_job_id id)
{
    return cancel(engine, id, CANCELLER_EXPIRY) == LEAT_OK;
}

bool
leat_job_purge(struct leat_engine *engine, leat_job_id id)
{
    return cancel(engine, id, CANCELLER_PURGE) == LEAT_OK;
}

bool
leat_job_drop(struct leat_engine *engine, leat_job_id id)
{
    return cancel(engine, id, CANCELLER_DROP) == LEAT_OK;
}
