/* sweep.c - the sweep of jobs that wait for longer than they may, see sweep.h. */
#include "engine/sweep.h"

#include "engine/engine_internal.h"
#include "engine/terms.h"

void
leat_sweep_init(struct leat_sweep *sweep)
{
    atom_init(&sweep->next_ns, LEAT_TIME_NEVER);
}

void
leat_sweep_expect(struct leat_engine *engine, uint64_t expires_ns)
{
    if (leat_sweep_bring(&engine->sweep, expires_ns)) {
        leat_clocks_changed(&engine->clocks);
    }
}

/* ---- one record ------------------------------------------------------------------------------ */

/* Ends the job if it waits and has expired. Returns when to come again for it. */
static uint64_t
record_look(struct leat_engine *engine, uint32_t index, uint64_t now_ns)
{
    /* swept:A acquire -> submit:A, change:B.  Carries: the record's fields.
     * If relaxed: those of the job before could be read; then the hold is refused. */
    uint64_t word = atom_load_acq(leat_slab_word(&engine->jobs, index));
    leat_job_id id = {leat_word_of(leat_word_generation(word), index)};
    enum leat_phase phase = leat_word_phase(word);
    uint64_t expires_ns = LEAT_TIME_NEVER;
    if ((leat_word_generation(word) & 1) == 0 || phase >= LEAT_PHASE_COMPLETED) {
        return LEAT_TIME_NEVER;
    }
    if (phase == LEAT_PHASE_FILLING) {
        return now_ns; /* it may be one that expires */
    }
    /* What few jobs have; most are passed by without a swap. */
    if (leat_job_extra(leat_job_record(engine, index)) == NULL) {
        return LEAT_TIME_NEVER;
    }
    enum leat_status status = leat_job_hold(engine, id, LEAT_HOLDS_TO_LOOK, &index);
    if (status != LEAT_OK) {
        return status == LEAT_BUSY ? now_ns : LEAT_TIME_NEVER;
    }
    const struct leat_job_extra *extra = leat_job_extra(leat_job_record(engine, index));
    if (extra != NULL) {
        expires_ns = leat_terms_expires_ns(extra);
    }
    bool ended = expires_ns <= now_ns && leat_job_expire(engine, id);
    leat_job_unhold(engine, index);
    return ended ? LEAT_TIME_NEVER : expires_ns;
}

/* ---- all of them ----------------------------------------------------------------------------- */

/* The next records of the sweep. True: there are more. pre: the caller is the sweeper. */
static bool
step(struct leat_engine *engine, uint64_t now_ns)
{
    struct leat_sweep *sweep = &engine->sweep;
    const struct leat_slab *jobs = &engine->jobs;
    uint32_t index = atom_load_rlx(&sweep->index); /* rlx: single writer */
    uint64_t first_ns = LEAT_TIME_NEVER;
    if (index == 0) {
        leat_sweep_begin(sweep);
    }
    index = leat_slab_next(jobs, index);
    for (uint32_t i = 0; i < LEAT_SWEEP_RECORDS && index < jobs->capacity; i++) {
        uint64_t next_ns = record_look(engine, index, now_ns);
        first_ns = next_ns < first_ns ? next_ns : first_ns;
        index = leat_slab_next(jobs, index + 1);
    }
    bool more = index < jobs->capacity;
    (void)leat_sweep_bring(sweep, first_ns);
    atom_store_rlx(&sweep->not_before_ns, now_ns + LEAT_SWEEP_NS); /* rlx: ordered by sweeping:A */
    atom_store_rlx(&sweep->index, more ? index : 0);               /* rlx: ordered by sweeping:A */
    return more;
}

static uint64_t
source_next(void *context)
{
    const struct leat_engine *engine = context;
    const struct leat_sweep *sweep = &engine->sweep;
    if (atom_load_rlx(&sweep->index) != 0) { /* rlx: statistic */
        return 0;
    }
    uint64_t next_ns = atom_load_rlx(&sweep->next_ns);             /* rlx: statistic */
    uint64_t not_before_ns = atom_load_rlx(&sweep->not_before_ns); /* rlx: statistic */
    return next_ns > not_before_ns ? next_ns : not_before_ns;
}

static uint64_t
source_look(void *context, uint64_t now_ns)
{
    struct leat_engine *engine = context;
    struct leat_sweep *sweep = &engine->sweep;
    uint32_t nobody = 0;
    uint64_t next_ns = source_next(engine);
    if (next_ns > now_ns) {
        return next_ns;
    }
    /* sweeping:A acquire -> swept:B.  Carries: how far the last sweeper came.
     * If relaxed: records could be passed over. */
    if (!atom_cas_acq(&sweep->looking, &nobody, 1)) {
        return now_ns + LEAT_CLOCK_AGAIN_NS;
    }
    (void)step(engine, now_ns);
    /* swept:B release -> sweeping:A.  Carries: see sweeping:A.
     * If relaxed: see sweeping:A. */
    atom_store_rel(&sweep->looking, 0);
    return source_next(engine);
}

struct leat_clock_source
leat_sweep_source(struct leat_engine *engine)
{
    struct leat_clock_source source = {source_look, source_next, NULL, engine, LEAT_TIME_BOOT};
    return source;
}
