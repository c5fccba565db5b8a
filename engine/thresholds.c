/* thresholds.c - looking at numbers now and then, see thresholds.h. */
#include "engine/thresholds.h"

#include <math.h>

#include "engine/events.h"

/* ---- what is usual --------------------------------------------------------------------------- */

void
leat_baseline_add(struct leat_baseline *baseline, uint32_t sigmas, uint64_t attempts,
                  uint64_t failed, double *limit)
{
    const double count = (double)attempts;
    const double share = (double)failed / count;
    const double mean = baseline->mean;
    const double spread = sqrt(baseline->variance + mean * (1 - mean) / count);
    const double margin = (double)sigmas * spread + 0.01;
    double learned = share;
    double weight = LEAT_BASELINE_WEIGHT;
    *limit = mean + margin;
    if (baseline->periods < LEAT_BASELINE_PERIODS) {
        baseline->periods++;
        weight = 1.0 / baseline->periods; /* the plain mean, as long as there are few */
    } else {
        baseline->raised = share > (baseline->raised ? mean + margin / 2 : *limit);
        learned = share > *limit ? *limit : share;
    }
    const double step = weight * (learned - mean);
    baseline->mean += step;
    baseline->variance = (1 - weight) * (baseline->variance + (learned - mean) * step);
}

/* ---- one look -------------------------------------------------------------------------------- */

static void
told(struct leat_engine *engine, enum leat_threshold which, bool raised, uint64_t value,
     uint64_t limit)
{
    struct leat_thresholds *thresholds = &engine->thresholds;
    const struct leat_event event = {.kind = raised ? LEAT_EVENT_THRESHOLD_RAISED
                                                    : LEAT_EVENT_THRESHOLD_CLEARED,
                                     .worker = LEAT_WORKER_NONE,
                                     .threshold = which,
                                     .value = value,
                                     .limit = limit};
    bool before = atom_load_rlx(&thresholds->raised[which]) != 0; /* rlx: single writer */
    if (before != raised) {
        atom_store_rlx(&thresholds->raised[which], raised ? 1 : 0); /* rlx: statistic */
        leat_events_put(engine, event);
    }
}

static uint64_t
limit_of(const struct leat_engine *engine, enum leat_threshold which)
{
    return atom_load_rlx(&engine->thresholds.limits[which]); /* rlx: statistic */
}

/* Over where it is a fifth below: so a number that goes up and down at its limit is said once. One
 * that is not looked at any more is over. */
static void
count_look(struct leat_engine *engine, enum leat_threshold which, uint64_t value)
{
    const uint64_t limit = limit_of(engine, which);
    /* rlx: single writer */
    bool before = atom_load_rlx(&engine->thresholds.raised[which]) != 0;
    bool raised = limit != 0 && value > (before ? limit / 5 * 4 + limit % 5 * 4 / 5 : limit);
    told(engine, which, raised, value, limit);
}

void
leat_thresholds_tell(struct leat_engine *engine, enum leat_threshold which, uint64_t limit,
                     uint64_t value)
{
    atom_store_rlx(&engine->thresholds.limits[which], limit); /* rlx: single writer */
    count_look(engine, which, value);
}

static void
failures_look(struct leat_engine *engine, const struct leat_statistics *now)
{
    struct leat_thresholds *thresholds = &engine->thresholds;
    const uint32_t sigmas = (uint32_t)limit_of(engine, LEAT_THRESHOLD_FAILURES);
    const uint64_t all_failed = now->jobs_retried + now->jobs_dead;
    const uint64_t all_ended = now->jobs_completed + all_failed;
    const uint64_t ended = all_ended - thresholds->ended;
    const uint64_t failed = all_failed - thresholds->failed;
    double limit = 0;
    if (sigmas == 0) {
        thresholds->baseline = (struct leat_baseline){.periods = 0};
        told(engine, LEAT_THRESHOLD_FAILURES, false, 0, 0);
    }
    /* Few attempts are put together with those of the next period. */
    if (sigmas != 0 && ended < LEAT_BASELINE_ATTEMPTS) {
        return;
    }
    thresholds->ended = all_ended;
    thresholds->failed = all_failed;
    if (sigmas != 0) {
        leat_baseline_add(&thresholds->baseline, sigmas, ended, failed, &limit);
        told(engine, LEAT_THRESHOLD_FAILURES, thresholds->baseline.raised, failed * 10000 / ended,
             (uint64_t)(limit * 10000));
    }
}

/* A piece of a pass over the records. False: there are more. Without memory for the times nothing
 * is known, and the pass is over. */
static bool
oldest_look(struct leat_engine *engine)
{
    struct leat_thresholds *thresholds = &engine->thresholds;
    struct leat_job_query query = leat_job_query_default();
    struct leat_job_tally tally = {.jobs = 0};
    query.states = LEAT_STATE_MASK(LEAT_JOB_PENDING);
    query.look_max = LEAT_THRESHOLD_PIECE;
    query.cursor = thresholds->cursor;
    if (limit_of(engine, LEAT_THRESHOLD_OLDEST) != 0 &&
        leat_job_count(engine, &query, &tally, 1) == LEAT_OK) {
        if (tally.in_state_ns_max > thresholds->oldest_ns) {
            thresholds->oldest_ns = tally.in_state_ns_max;
        }
        thresholds->cursor = query.cursor;
        if (query.more) {
            return false;
        }
    }
    count_look(engine, LEAT_THRESHOLD_OLDEST, thresholds->oldest_ns);
    thresholds->cursor = 0;
    thresholds->oldest_ns = 0;
    return true;
}

static void
numbers_look(struct leat_engine *engine)
{
    struct leat_statistics now = leat_statistics_default();
    enum leat_status status = leat_statistics_get(engine, &now);
    LEAT_ASSERT(status == LEAT_OK);
    count_look(engine, LEAT_THRESHOLD_DEAD, now.dead_letters);
    count_look(engine, LEAT_THRESHOLD_WAITING, now.jobs_waiting);
    failures_look(engine, &now);
}

/* What is due by now. A pass that is not over by the next period goes on; the next one begins in
 * the period behind it. */
static void
look(struct leat_engine *engine, uint64_t boot_ns)
{
    struct leat_thresholds *thresholds = &engine->thresholds;
    uint64_t piece_ns = atom_load_rlx(&thresholds->piece_ns); /* rlx: single writer */
    if (boot_ns >= atom_load_rlx(&thresholds->next_ns)) {     /* rlx: statistic */
        /* Before the look: so who sets a limit meanwhile does not wait for a period. */
        uint64_t period_ns = atom_load_rlx(&thresholds->period_ns); /* rlx: statistic */
        atom_store_rlx(&thresholds->next_ns, boot_ns + period_ns);  /* rlx: statistic */
        numbers_look(engine);
        piece_ns = piece_ns == LEAT_TIME_NEVER ? boot_ns : piece_ns;
    }
    if (boot_ns >= piece_ns) {
        piece_ns = oldest_look(engine) ? LEAT_TIME_NEVER : boot_ns + LEAT_THRESHOLD_REST_NS;
    }
    atom_store_rlx(&thresholds->piece_ns, piece_ns); /* rlx: statistic */
}

/* ---- for the clocks -------------------------------------------------------------------------- */

/* Something is to be looked at, or to be said to be over; or a pass is to be left off. Of memory
 * its watchdog tells. */
static bool
any(const struct leat_engine *engine)
{
    bool some = atom_load_rlx(&engine->thresholds.piece_ns) != LEAT_TIME_NEVER; /* rlx: statistic */
    for (uint32_t i = 0; i < LEAT_THRESHOLD_MEMORY; i++) {
        some = some || limit_of(engine, (enum leat_threshold)i) != 0 ||
               atom_load_rlx(&engine->thresholds.raised[i]) != 0; /* rlx: statistic */
    }
    return some;
}

static uint64_t
source_next(void *context)
{
    const struct leat_engine *engine = context;
    uint64_t next_ns = atom_load_rlx(&engine->thresholds.next_ns);   /* rlx: statistic */
    uint64_t piece_ns = atom_load_rlx(&engine->thresholds.piece_ns); /* rlx: statistic */
    return any(engine) ? (next_ns < piece_ns ? next_ns : piece_ns) : LEAT_TIME_NEVER;
}

static uint64_t
source_look(void *context, uint64_t boot_ns)
{
    struct leat_engine *engine = context;
    struct leat_thresholds *thresholds = &engine->thresholds;
    uint32_t nobody = 0;
    if (boot_ns < source_next(engine)) {
        return source_next(engine);
    }
    /* threshold:A acquire -> threshold:B.  Carries: what the last look left.
     * If relaxed: a threshold could be raised twice. */
    if (atom_cas_acq(&thresholds->looking, &nobody, 1)) {
        look(engine, boot_ns);
        /* threshold:B release -> threshold:A.  Carries: see threshold:A.
         * If relaxed: see threshold:A. */
        atom_store_rel(&thresholds->looking, 0);
    }
    uint64_t next_ns = source_next(engine);
    return next_ns > boot_ns ? next_ns : boot_ns + LEAT_THRESHOLD_NS_MIN;
}

struct leat_clock_source
leat_thresholds_source(struct leat_engine *engine)
{
    struct leat_clock_source source = {source_look, source_next, NULL, engine, LEAT_TIME_BOOT};
    return source;
}

/* ---- what is set ----------------------------------------------------------------------------- */

static void
look_soon(struct leat_engine *engine)
{
    atom_store_rlx(&engine->thresholds.next_ns, 0); /* rlx: statistic */
    leat_clocks_changed(&engine->clocks);
}

void
leat_thresholds_set(struct leat_engine *engine, enum leat_threshold which, uint64_t limit)
{
    atom_store_rlx(&engine->thresholds.limits[which], limit); /* rlx: statistic */
    look_soon(engine);
}

void
leat_thresholds_period(struct leat_engine *engine, uint64_t period_ns)
{
    atom_store_rlx(&engine->thresholds.period_ns, period_ns); /* rlx: statistic */
    look_soon(engine);
}

void
leat_thresholds_init(struct leat_engine *engine)
{
    const struct leat_config *config = &engine->config;
    struct leat_thresholds *thresholds = &engine->thresholds;
    atom_init(&thresholds->period_ns, config->threshold_period_ns);
    atom_init(&thresholds->limits[LEAT_THRESHOLD_DEAD], config->threshold_dead);
    atom_init(&thresholds->limits[LEAT_THRESHOLD_WAITING], config->threshold_waiting);
    atom_init(&thresholds->limits[LEAT_THRESHOLD_FAILURES], config->threshold_failures);
    atom_init(&thresholds->limits[LEAT_THRESHOLD_OLDEST], config->threshold_oldest_ns);
    atom_init(&thresholds->piece_ns, LEAT_TIME_NEVER);
}
