/* watch.c - the watcher of running attempts, see watch.h. */
#include "engine/watch.h"

#include "engine/events.h"
#include "engine/terms.h"

/* What tells one attempt of one record from all others. */
#define WORD_OF_RUN (~(uint64_t)LEAT_INDEX_NONE | LEAT_WORD_ATTEMPT)

/* A look at a place. */
struct look {
    struct leat_engine *engine;
    const struct leat_place *place;
    struct leat_watched *watched;
    uint64_t now_ns;
    uint64_t job;  /* that the worker says it is in */
    uint64_t word; /* of that job's record */
};

/* ---- what is to be watched ------------------------------------------------------------------ */

void
leat_watch_expect(struct leat_engine *engine, uint64_t timeout_ns)
{
    struct leat_watch *watch = &engine->watch;
    /* Late is safe: who brings a shorter one tells the watcher. rlx: statistic */
    uint64_t shortest_ns = atom_load_rlx(&watch->shortest_ns);
    /* Ends: a swap fails only where another thread brought a timeout. */
    while (timeout_ns != 0 && (shortest_ns == 0 || timeout_ns < shortest_ns)) {
        /* rlx: statistic */
        if (atom_cas_rlx(&watch->shortest_ns, &shortest_ns, timeout_ns)) {
            leat_clocks_changed(&engine->clocks);
            return;
        }
    }
}

static uint64_t
grain_of(uint64_t timeout_ns)
{
    uint64_t grain_ns = timeout_ns / LEAT_WATCH_PARTS;
    return grain_ns > LEAT_WATCH_NS_MIN ? grain_ns : LEAT_WATCH_NS_MIN;
}

uint64_t
leat_watch_grain_ns(const struct leat_watch *watch)
{
    uint64_t shortest_ns = atom_load_rlx(&watch->shortest_ns); /* rlx: statistic */
    return shortest_ns == 0 ? LEAT_FOREVER : grain_of(shortest_ns);
}

/* ---- one place ------------------------------------------------------------------------------ */

/* The timeout of the job that is looked at: its own, or its type's. False: it has ended, or so many
 * others look at it that this look must do without. */
static bool
timeout_ask(const struct look *look)
{
    struct leat_engine *engine = look->engine;
    leat_job_id id = {look->job};
    uint32_t index = 0;
    if (leat_job_hold(engine, id, LEAT_HOLDS_TO_LOOK, &index) != LEAT_OK) {
        return false;
    }
    look->watched->timeout_ns = leat_terms_timeout_ns(engine, index);
    look->watched->asked = true;
    leat_job_unhold(engine, index);
    return true;
}

/* Says in the word that the attempt is timed out, unless it has come to an answer. */
static void
time_out(const struct look *look)
{
    const struct leat_mark mark = {
        .set = LEAT_WORD_TIMED_OUT,
        .mask = WORD_OF_RUN | LEAT_WORD_AWAITED | LEAT_WORD_OUTCOME,
        .value = look->watched->word,
    };
    uint64_t before = 0;
    leat_atomic_u64 *word =
        leat_slab_word(&look->engine->jobs, (uint32_t)(look->job & LEAT_INDEX_NONE));
    look->watched->late = true;
    if (leat_job_mark(word, &mark, &before)) {
        atom_count(&look->engine->watch.timed_out, 1);
    }
}

static void
stuck_tell(const struct look *look)
{
    const struct leat_event event = {.kind = LEAT_EVENT_WORKER_STUCK,
                                     .id = {look->job},
                                     .worker = (uint32_t)(look->place - look->engine->places)};
    leat_events_put(look->engine, event);
}

/* It is there since the last look, at least. Returns when to look again. */
static uint64_t
stay(const struct look *look)
{
    struct leat_watched *watched = look->watched;
    if (!watched->asked && !timeout_ask(look)) {
        return LEAT_FOREVER;
    }
    if (watched->timeout_ns == 0) {
        return LEAT_FOREVER;
    }
    uint64_t due_ns = watched->since_ns + watched->timeout_ns;
    if (look->now_ns < due_ns) {
        return due_ns;
    }
    if (!watched->late) {
        time_out(look);
    }
    /* A handler that heeds it has left by then. */
    due_ns += grain_of(watched->timeout_ns);
    if (look->now_ns < due_ns) {
        return due_ns;
    }
    /* rlx: single writer */
    if (atom_load_rlx(&watched->stuck) == 0) {
        atom_store_rlx(&watched->stuck, look->job); /* rlx: statistic */
        atom_count(&look->engine->watch.stuck, 1);
        stuck_tell(look);
    }
    return LEAT_FOREVER;
}

static void
watched_begin(const struct look *look, uint64_t run)
{
    struct leat_watched *watched = look->watched;
    watched->job = look->job;
    watched->run = run;
    watched->word = look->word;
    watched->since_ns = look->now_ns;
    watched->timeout_ns = 0;
    watched->asked = false;
    watched->late = false;
    atom_store_rlx(&watched->stuck, 0); /* rlx: statistic */
}

/* Returns when this place wants to be looked at again, beside the regular looks. */
static uint64_t
place_look(struct leat_engine *engine, struct leat_place *place, uint64_t now_ns)
{
    struct look look = {engine, place, &place->watched, now_ns, 0, 0};
    /* What is read here may be old, and of two moments: then the word tells it.
     * rlx: hint, re-checked at mark:B */
    look.job = atom_load_rlx(&place->running);
    uint64_t run = atom_load_rlx(&place->jobs_run); /* rlx: hint, re-checked at mark:B */
    if (look.job != 0) {
        uint32_t index = (uint32_t)(look.job & LEAT_INDEX_NONE);
        /* rlx: hint, re-checked at mark:B */
        uint64_t word = atom_load_rlx(leat_slab_word(&engine->jobs, index));
        bool runs = leat_word_phase(word) == LEAT_PHASE_RUNNING &&
                    leat_word_generation(word) == leat_word_generation(look.job);
        look.job = runs ? look.job : 0;
        look.word = word & WORD_OF_RUN;
    }
    const struct leat_watched *seen = look.watched;
    if (look.job != 0 && seen->job == look.job && seen->run == run && seen->word == look.word) {
        return stay(&look);
    }
    watched_begin(&look, run);
    return LEAT_FOREVER;
}

uint64_t
leat_watch_look(struct leat_engine *engine, uint64_t now_ns)
{
    struct leat_watch *watch = &engine->watch;
    uint64_t grain_ns = leat_watch_grain_ns(watch);
    if (grain_ns == LEAT_FOREVER) {
        return LEAT_FOREVER;
    }
    uint64_t next_ns = now_ns + grain_ns;
    uint32_t nobody = 0;
    /* looking:A acquire -> looked:A.  Carries: what the last watcher left of `watched`.
     * If relaxed: an attempt could be timed out that was seen for the first time. */
    if (!atom_cas_acq(&watch->looking, &nobody, 1)) {
        return next_ns;
    }
    for (uint32_t i = 0; i < engine->pool.places; i++) {
        uint64_t due_ns = place_look(engine, &engine->places[i], now_ns);
        next_ns = due_ns < next_ns ? due_ns : next_ns;
    }
    atom_store_rlx(&watch->next_ns, next_ns); /* rlx: statistic */
    /* looked:A release -> looking:A.  Carries: see looking:A.
     * If relaxed: see looking:A. */
    atom_store_rel(&watch->looking, 0);
    return next_ns;
}

uint64_t
leat_watch_next(const struct leat_engine *engine)
{
    bool runs = false;
    for (uint32_t i = 0; i < engine->pool.places; i++) {
        /* rlx: statistic */
        runs = runs || atom_load_rlx(&engine->places[i].running) != 0;
    }
    if (!runs || leat_watch_grain_ns(&engine->watch) == LEAT_FOREVER) {
        return LEAT_FOREVER;
    }
    return atom_load_rlx(&engine->watch.next_ns); /* rlx: statistic */
}

/* ---- for the clocks -------------------------------------------------------------------------- */

/* A time of MONOTONIC by BOOT. A suspend until then makes the next look early, no more. */
static uint64_t
boot_of(const struct leat_engine *engine, uint64_t boot_ns, uint64_t at_ns)
{
    uint64_t now_ns = leat_clocks_now(&engine->clocks, LEAT_TIME_MONOTONIC);
    if (at_ns == LEAT_FOREVER) {
        return LEAT_TIME_NEVER;
    }
    return at_ns > now_ns ? boot_ns + (at_ns - now_ns) : boot_ns;
}

static uint64_t
source_look(void *context, uint64_t boot_ns)
{
    struct leat_engine *engine = context;
    uint64_t now_ns = leat_clocks_now(&engine->clocks, LEAT_TIME_MONOTONIC);
    return boot_of(engine, boot_ns, leat_watch_look(engine, now_ns));
}

static uint64_t
source_next(void *context)
{
    const struct leat_engine *engine = context;
    uint64_t boot_ns = leat_clocks_now(&engine->clocks, LEAT_TIME_BOOT);
    return boot_of(engine, boot_ns, leat_watch_next(engine));
}

struct leat_clock_source
leat_watch_source(struct leat_engine *engine)
{
    struct leat_clock_source source = {source_look, source_next, NULL, engine, LEAT_TIME_BOOT};
    return source;
}

/* ---- who is stuck ---------------------------------------------------------------------------- */

uint64_t
leat_watch_stuck(const struct leat_engine *engine, uint32_t place)
{
    const struct leat_place *of = &engine->places[place];
    uint64_t job = atom_load_rlx(&of->watched.stuck);    /* rlx: statistic */
    return atom_load_rlx(&of->running) == job ? job : 0; /* rlx: statistic */
}
