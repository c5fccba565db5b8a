/* pending.c - until when an attempt may be pending, see pending.h. */
#include "engine/pending.h"

#include "engine/timers.h"

#define NUMBER_BITS 16
#define UNITS_MAX   ((UINT64_C(1) << (64 - NUMBER_BITS)) - 1)

LEAT_STATIC(62 - LEAT_WHEEL_TICK_LOG2_MIN <= 64 - NUMBER_BITS, "every time fits, to one unit");

static leat_atomic_u64 *
pending_of(const struct leat_engine *engine, uint32_t index)
{
    return &engine->timers.nodes[index].pending;
}

/* ---- times ----------------------------------------------------------------------------------- */

/* From now on so long, in units; at least 1. */
static uint64_t
units_after(const struct leat_engine *engine, uint64_t timeout_ns)
{
    uint64_t start_ns = engine->timers.wheels.start_ns;
    uint64_t now_ns = leat_clocks_now(&engine->clocks, LEAT_TIME_BOOT);
    uint64_t until_ns = leat_timers_after(now_ns, timeout_ns);
    if (until_ns <= start_ns) {
        return 1;
    }
    uint64_t units = ((until_ns - start_ns - 1) >> LEAT_WHEEL_TICK_LOG2_MIN) + 1;
    return units < UNITS_MAX ? units : UNITS_MAX;
}

static uint64_t
units_of(uint64_t pending)
{
    return pending & UNITS_MAX;
}

static uint64_t
pending_word(uint64_t number, uint64_t units)
{
    return number << (64 - NUMBER_BITS) | units;
}

static uint64_t
until_ns(const struct leat_engine *engine, uint64_t pending)
{
    uint64_t units = units_of(pending);
    return units == 0 ? 0 : engine->timers.wheels.start_ns + (units << LEAT_WHEEL_TICK_LOG2_MIN);
}

uint64_t
leat_pending_until_ns(const struct leat_engine *engine, uint32_t index)
{
    /* rlx: ordered by waiting:A */
    return until_ns(engine, atom_load_rlx(pending_of(engine, index)));
}

/* ---- begin and end --------------------------------------------------------------------------- */

bool
leat_pending_begin(const struct leat_run *run, uint64_t timeout_ns, uint64_t *before)
{
    struct leat_engine *engine = run->engine;
    const struct leat_mark awaited = {
        .set = LEAT_WORD_AWAITED | LEAT_WORD_LINKED,
        .mask = LEAT_WORD_OUTCOME,
        .hold = true,
    };
    uint64_t pending = pending_word(run->number, units_after(engine, timeout_ns));
    atom_store_rlx(pending_of(engine, run->index), pending); /* rlx: ordered by mark:B */
    if (!leat_job_mark(run->word, &awaited, before)) {
        return false;
    }
    leat_timers_arm(engine, run->index);
    leat_job_unhold(engine, run->index);
    return true;
}

/* Ends the time of the attempt, so that nobody extends it. False: somebody has. */
static bool
end_time(const struct leat_engine *engine, uint32_t index, uint64_t now_ns)
{
    leat_atomic_u64 *word = pending_of(engine, index);
    uint64_t pending = atom_load_rlx(word); /* rlx: ordered by waiting:A */
    /* rlx: ordered by waiting:A */
    return until_ns(engine, pending) <= now_ns &&
           atom_cas_rlx(word, &pending, pending & ~UNITS_MAX);
}

bool
leat_pending_over(struct leat_engine *engine, uint32_t index, uint64_t word, uint64_t now_ns)
{
    const struct leat_mark leave = {
        .clear = LEAT_WORD_LINKED,
        .mask = LEAT_WORD_AWAITED | LEAT_WORD_LINKED,
        .value = LEAT_WORD_AWAITED | LEAT_WORD_LINKED,
    };
    uint64_t before = 0;
    if (leat_word_pending(word)) {
        return end_time(engine, index, now_ns) && leat_run_time_out(engine, index);
    }
    /* From now on it is the record of who completes it. */
    return leat_job_mark(leat_slab_word(&engine->jobs, index), &leave, &before);
}

/* ---- extending ------------------------------------------------------------------------------- */

/* LEAT_OK: the run of that number is pending for a time; LEAT_WRONG_STATE: not, or not yet;
 * LEAT_STALE. pre: a hold. */
static enum leat_status
judge(const struct leat_engine *engine, uint32_t index, uint32_t number)
{
    /* pending:A acquire -> mark:B.  Carries: until when it may take.
     * If relaxed: the time could be that of the run before, and the token stale. */
    uint64_t word = atom_load_acq(leat_slab_word(&engine->jobs, index));
    uint64_t attempt = leat_word_attempt(number);
    if (leat_word_phase(word) != LEAT_PHASE_RUNNING || (word & LEAT_WORD_ATTEMPT) != attempt ||
        (word & LEAT_WORD_OUTCOME) != 0) {
        return LEAT_STALE;
    }
    /* rlx: ordered by pending:A */
    if (atom_load_rlx(&leat_job_record(engine, index)->attempts) != number) {
        return LEAT_STALE;
    }
    return leat_word_pending(word) ? LEAT_OK : LEAT_WRONG_STATE;
}

static enum leat_status
extend(const struct leat_engine *engine, uint32_t index, uint32_t number, uint64_t timeout_ns)
{
    leat_atomic_u64 *word = pending_of(engine, index);
    enum leat_status status = judge(engine, index, number);
    uint64_t units = units_after(engine, timeout_ns);
    uint64_t pending = atom_load_rlx(word); /* rlx: ordered by pending:A */
    bool extended = false;
    /* Ends: a swap fails only where another thread extended it, or its time is over. */
    while (status == LEAT_OK && !extended) {
        if (pending >> (64 - NUMBER_BITS) != number || units_of(pending) == 0) {
            return LEAT_STALE;
        }
        /* rlx: ordered by pending:A */
        extended =
            units <= units_of(pending) || atom_cas_rlx(word, &pending, pending_word(number, units));
    }
    /* It may have been completed before. */
    return status == LEAT_OK ? judge(engine, index, number) : status;
}

enum leat_status
leat_pending_extend(struct leat_engine *engine, leat_token token, uint64_t timeout_ns)
{
    enum leat_status status = leat_engine_check(engine);
    uint32_t index = 0;
    uint32_t number = 0;
    if (status == LEAT_OK) {
        status = leat_token_hold(engine, token, &index, &number);
    }
    if (status == LEAT_OK) {
        status = extend(engine, index, number, timeout_ns);
        leat_job_unhold(engine, index);
    }
    return status;
}
