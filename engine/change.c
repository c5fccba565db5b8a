/* change.c - another time or level for a job that waits, wherever that is. See docs/design/0017.
 *
 * A change holds the record, claims the job (CHANGING), writes, and ends the claim. Where the index
 * is in a place that only its taker can reach, the job is left there with a mark (MOVED), and the
 * taker brings it to a wheel. Who takes it from there during the claim leaves it to this thread
 * (HANDED). */
#include "engine/durable/durable.h"
#include "engine/keys.h"
#include "engine/order.h"
#include "engine/timers.h"

/* What is to be changed. */
struct asked {
    bool level_only;
    uint32_t level;      /* level_only */
    struct leat_due due; /* otherwise */
};

/* What a claim found. */
enum claim {
    CLAIM_NONE,   /* it is so already: nothing is claimed */
    CLAIM_PLACE,  /* it was PENDING */
    CLAIM_WAITING /* it waited for a time */
};

/* ---- the claim ------------------------------------------------------------------------------ */

void
leat_change_begins(struct leat_engine *engine)
{
    /* Counted first: a drain that misses the worker who left the job to this thread finds it. */
    /* changes:A acq_rel -> changes:B.  Carries: nothing; a count before a claim.
     * If relaxed: a drain could end while the job is in no place. */
    (void)atom_add_acq_rel(&engine->outside.awaited, LEAT_OUTSIDE_CHANGE);
}

void
leat_change_ends(struct leat_engine *engine)
{
    /* changes:B acq_rel -> changes:A, drain:A.  Carries: that a timer is due.
     * If relaxed: a drain could see no change at work and no timer. */
    (void)atom_sub_acq_rel(&engine->outside.awaited, LEAT_OUTSIDE_CHANGE);
    leat_pool_quiet_news(&engine->pool);
}

/* Says in *claim what would be found where the word says this. */
static enum leat_status
claim_judge(const struct leat_job_record *record, const struct asked *asked, uint64_t word,
            enum claim *claim)
{
    enum leat_phase phase = leat_word_phase(word);
    if (leat_phase_final(phase)) {
        return LEAT_ENDED;
    }
    bool pending = phase == LEAT_PHASE_PENDING;
    if (!pending && phase != LEAT_PHASE_SCHEDULED && phase != LEAT_PHASE_RETRYING) {
        return LEAT_WRONG_STATE;
    }
    if (!pending && (word & LEAT_WORD_CHANGING) != 0) {
        return LEAT_BUSY;
    }
    bool so = asked->level_only ? leat_job_level(record) == asked->level
                                : pending && asked->due.time == 0;
    *claim = pending ? CLAIM_PLACE : CLAIM_WAITING;
    *claim = so ? CLAIM_NONE : *claim;
    return LEAT_OK;
}

/* From the swap on the job is neither taken nor due, and no other thread changes it. pre: a hold.
 * Ends: a swap fails only where another thread did something to the job, or looks at it. */
static enum leat_status
claim(struct leat_engine *engine, uint32_t index, const struct asked *asked, enum claim *claim)
{
    leat_atomic_u64 *word = leat_slab_word(&engine->jobs, index);
    /* claim:A acquire -> changed:A, in_hand:A, change:B, submit:A.  Carries: level and phase
     * belong together.
     * If relaxed: a job could be taken to have a level that it has no more. */
    uint64_t now = atom_load_acq(word);
    for (;;) {
        enum leat_status status = claim_judge(leat_job_record(engine, index), asked, now, claim);
        if (status != LEAT_OK || *claim == CLAIM_NONE) {
            return status;
        }
        uint64_t next = now | LEAT_WORD_CHANGING;
        if (*claim == CLAIM_PLACE) {
            next = leat_word_with(next | LEAT_WORD_MOVED, LEAT_PHASE_SCHEDULED);
            leat_timers_count(engine, LEAT_PHASE_SCHEDULED, 1);
        }
        /* claim:B acq_rel -> change:A, in_hand:A, changed:A, waiting:A.  Carries: nothing of its
         * own; time and level, from the last one who changed them.
         * If relaxed: this change could be overtaken by the last one's writes. */
        if (atom_cas_acq_rel(word, &now, next)) {
            return LEAT_OK;
        }
        if (*claim == CLAIM_PLACE) {
            leat_timers_count(engine, LEAT_PHASE_SCHEDULED, -1);
        }
    }
}

/* Ends the claim. `left`: the timer was not armed, so whoever has the index in hand looks at the
 * time again. Ends: as claim(). */
static enum leat_status
claim_end(struct leat_engine *engine, uint32_t index, bool left)
{
    leat_atomic_u64 *word = leat_slab_word(&engine->jobs, index);
    uint64_t now = atom_load_rlx(word); /* rlx: hint, re-checked at changed:A */
    uint64_t next = 0;
    bool ended = false;
    bool handed = false;
    do {
        LEAT_ASSERT((now & LEAT_WORD_CHANGING) != 0);
        ended = leat_phase_final(leat_word_phase(now)); /* cancelled, or swept */
        handed = (now & LEAT_WORD_HANDED) != 0;
        next = now & ~(LEAT_WORD_CHANGING | LEAT_WORD_HANDED);
        if (handed) {
            next &= ~LEAT_WORD_MOVED;
        } else if (left && !ended) {
            next |= LEAT_WORD_MOVED;
        }
        /* changed:A acq_rel -> claim:A, claim:B, in_hand:A, change:A, waiting:A, hold:A, wait:A.
         * Carries: time and level; the index, from who left it here.
         * If relaxed: the job could come by the time, or at the level, that it had before. */
    } while (!atom_cas_acq_rel(word, &now, next));
    if (handed && ended) {
        leat_job_retire(engine, index);
    } else if (handed) {
        leat_timers_arm_late(engine, index);
    }
    return ended ? LEAT_ENDED : LEAT_OK;
}

/* ---- the change ----------------------------------------------------------------------------- */

static void
level_set(struct leat_job_record *record, uint32_t level)
{
    uint8_t now = atom_load_rlx(&record->priority); /* rlx: hint, re-checked at changed:A */
    uint8_t next = 0;
    /* Ends: a swap fails only where a snooze has set its bit. */
    do {
        next = (uint8_t)((now & ~LEAT_JOB_LEVEL) | level);
    } while (!atom_cas_rlx(&record->priority, &now, next)); /* rlx: ordered by changed:A */
}

/* pre: a hold. */
static enum leat_status
change_held(struct leat_engine *engine, uint32_t index, const struct asked *asked)
{
    struct leat_job_record *record = leat_job_record(engine, index);
    enum claim found = CLAIM_NONE;
    uint64_t options = leat_queue_options(engine, leat_job_queue(record));
    if (asked->level_only && !leat_order_level(options, asked->level)) {
        return LEAT_INVALID;
    }
    enum leat_status status = claim(engine, index, asked, &found);
    if (status != LEAT_OK || found == CLAIM_NONE) {
        return status;
    }
    if (found == CLAIM_PLACE) {
        leat_queue_left(engine, leat_queue_stand(record));
        leat_job_set_put_off(record);
    }
    if (asked->level_only) {
        level_set(record, asked->level);
    }
    bool moves = false;
    if (found == CLAIM_PLACE || !asked->level_only) {
        leat_timers_set(engine, index, asked->due);
        moves = true;
    }
    bool left = moves && (found == CLAIM_PLACE || !leat_timers_move(engine, index));
    return claim_end(engine, index, left);
}

static enum leat_status
change(struct leat_engine *engine, leat_job_id id, const struct asked *asked)
{
    uint32_t index = 0;
    enum leat_status status = leat_job_hold(engine, id, LEAT_HOLDS_TO_LOOK, &index);
    if (status == LEAT_OK) {
        leat_change_begins(engine);
        status = change_held(engine, index, asked);
        if (status == LEAT_OK) {
            leat_durable_note(engine, id);
        }
        if (status == LEAT_OK && !asked->level_only) {
            leat_keys_left(engine, index);
        } else {
            leat_job_unhold(engine, index);
        }
        leat_change_ends(engine);
    }
    return status;
}

enum leat_status
leat_reschedule(struct leat_engine *engine, leat_job_id id, struct leat_when when)
{
    enum leat_status status = leat_engine_check(engine);
    if (status == LEAT_OK && when.delay_ns != 0 && when.run_at_ns != 0) {
        status = LEAT_INVALID;
    }
    if (status == LEAT_OK) {
        const struct asked asked = {.due = leat_timers_due(engine, when.delay_ns, when.run_at_ns)};
        status = change(engine, id, &asked);
    }
    return leat_durable_settle(engine, status);
}

enum leat_status
leat_priority_set(struct leat_engine *engine, leat_job_id id, uint32_t priority)
{
    enum leat_status status = leat_engine_check(engine);
    if (status == LEAT_OK && priority >= LEAT_PRIORITY_LEVELS) {
        status = LEAT_INVALID;
    }
    if (status == LEAT_OK) {
        const struct asked asked = {.level_only = true, .level = priority};
        status = change(engine, id, &asked);
    }
    return leat_durable_settle(engine, status);
}
