/* gather.c - handlers that take several jobs in one call, see gather.h. */
#include "engine/gather.h"

#include <string.h>

#include "engine/order.h"
#include "engine/terms.h"
#include "engine/timers.h"
#include "ring/rcu.h"

static struct leat_gather *
newest(const struct leat_engine *engine)
{
    /* gathers:A acquire -> gathers:B.  Carries: the gather.
     * If relaxed: one could be looked at that is not filled yet. */
    return atom_load_acq(&engine->gathers);
}

static void
look_set(struct leat_gather *gather, uint64_t at_ns)
{
    atom_store_rlx(&gather->look, at_ns); /* rlx: statistic */
}

static uint64_t
look_of(const struct leat_gather *gather)
{
    return atom_load_rlx(&gather->look); /* rlx: statistic */
}

static bool
drains(const struct leat_engine *engine)
{
    return leat_engine_state_now(engine) == LEAT_ENGINE_DRAINING;
}

/* ---- a call --------------------------------------------------------------------------------- */

/* Begins those that may begin. Who was cancelled, changed or paused meanwhile goes its way. */
static void
batch_begin(struct leat_engine *engine, struct leat_worker *worker, struct leat_batch *batch,
            uint32_t taken)
{
    batch->count = 0;
    batch->leader = NULL;
    for (uint32_t i = 0; i < taken; i++) {
        uint32_t index = batch->indices[i];
        struct leat_batch_run *entry = &batch->entries[batch->count];
        entry->batch = batch;
        entry->run = (struct leat_run){.engine = engine,
                                       .worker = worker,
                                       .record = leat_job_record(engine, index),
                                       .word = leat_slab_word(&engine->jobs, index),
                                       .index = index,
                                       .how = LEAT_HOW_BATCH};
        if (!leat_run_begin(&entry->run)) {
            continue;
        }
        uint64_t timeout_ns = leat_terms_timeout_ns(engine, index);
        if (batch->leader == NULL || timeout_ns == 0 ||
            (batch->timeout_ns != 0 && timeout_ns > batch->timeout_ns)) {
            batch->leader = &entry->run;
            batch->timeout_ns = timeout_ns;
        }
        batch->runs[batch->count] = &entry->run;
        batch->outcomes[batch->count] = leat_done();
        batch->count++;
    }
}

/* As for one job alone, see run.c. */
static void
batch_enter(struct leat_place *place, const struct leat_batch *batch, uint64_t now_ns)
{
    for (uint32_t i = 0; i < batch->count; i++) {
        const struct leat_run *run = batch->runs[i];
        /* rlx: ordered by submit:A */
        uint64_t submit_ns = atom_load_rlx(&run->record->submit_ns);
        if (submit_ns != 0 && run->attempt == 1) {
            leat_tally_waited(run->engine, place, run->record, now_ns - submit_ns);
        }
        atom_store_rlx(&run->record->attempts, (uint16_t)run->number); /* rlx: single writer */
    }
    atom_count(&place->jobs_run, batch->count);
    /* The watcher looks at one for all. rlx: statistic */
    (void)atom_add_rlx(&batch->leader->engine->outside.beside, batch->count - 1);
    atom_store_rlx(&place->running, batch->leader->id); /* rlx: statistic */
}

/* Says of all the others what the watcher said of one. */
static void
batch_time_out(const struct leat_batch *batch)
{
    const struct leat_mark late = {
        .set = LEAT_WORD_TIMED_OUT,
        .mask = LEAT_WORD_AWAITED | LEAT_WORD_OUTCOME,
    };
    for (uint32_t i = 0; i < batch->count; i++) {
        const struct leat_run *run = batch->runs[i];
        uint64_t before = 0;
        if (run != batch->leader && leat_job_mark(run->word, &late, &before)) {
            /* rlx: statistic */
            (void)atom_add_rlx(&run->engine->timers.timed_out, 1);
        }
    }
}

static void
batch_leave(struct leat_place *place, const struct leat_batch *batch, uint64_t run_ns)
{
    struct leat_engine *engine = batch->leader->engine;
    atom_store_rlx(&place->running, 0);                            /* rlx: statistic */
    (void)atom_sub_rlx(&engine->outside.beside, batch->count - 1); /* rlx: statistic */
    if (leat_gather_timed_out(batch->leader)) {
        batch_time_out(batch);
    }
    for (uint32_t i = 0; i < batch->count; i++) {
        struct leat_run *run = batch->runs[i];
        /* rlx: ordered by submit:A */
        if (atom_load_rlx(&run->record->submit_ns) != 0) {
            leat_tally_ran(run->engine, place, run->record, run_ns);
        }
        leat_run_settle(run, batch->outcomes[i]);
    }
}

/* A worker has taken so many from the list into its batch. */
static void
batch_run(struct leat_gather *gather, struct leat_worker *worker, uint32_t taken)
{
    struct leat_engine *engine = gather->engine;
    struct leat_batch *batch = &gather->batches[worker->index];
    struct leat_place *place = &engine->places[worker->index];
    batch_begin(engine, worker, batch, taken);
    if (batch->count > 0) {
        uint64_t start_ns = leat_os_monotonic_ns();
        batch_enter(place, batch, start_ns);
        gather->handler(batch->runs, batch->outcomes, batch->count, gather->context);
        batch_leave(place, batch, leat_os_monotonic_ns() - start_ns);
    }
    /* gathered:A release -> drain:A.  Carries: the jobs that were run, the pushes of those that
     * came back, and that the worker is busy.
     * If relaxed: a drain could see a count of 0 beside the worker as it rested before. */
    (void)atom_sub_rel(&engine->outside.awaited, LEAT_OUTSIDE_CHANGE);
    leat_pool_quiet_news(&engine->pool);
}

struct leat_outcome
leat_gather_single(struct leat_run *run, void *context)
{
    const struct leat_gather *gather = context;
    struct leat_run *const runs[1] = {run};
    struct leat_outcome outcome = leat_done();
    gather->handler(runs, &outcome, 1, gather->context);
    return outcome;
}

uint64_t
leat_gather_timeout_ns(const struct leat_run *run)
{
    const struct leat_batch_run *entry = (const struct leat_batch_run *)(const void *)run;
    return entry->batch->timeout_ns;
}

bool
leat_gather_timed_out(const struct leat_run *run)
{
    const struct leat_batch_run *entry = (const struct leat_batch_run *)(const void *)run;
    /* Late is safe, see leat_run_cancelled(). rlx: statistic */
    return leat_word_timed_out(atom_load_rlx(entry->batch->leader->word));
}

/* ---- the list ------------------------------------------------------------------------------- */

/* All that wait, into a worker's batch. pre: the lock. */
static uint32_t
list_take(struct leat_gather *gather, struct leat_batch *batch)
{
    uint32_t taken = gather->count;
    memcpy(batch->indices, gather->indices, sizeof(*gather->indices) * taken);
    gather->count = 0;
    return taken;
}

static void
task_run(void *argument)
{
    struct leat_gather *gather = argument;
    struct leat_worker *worker = leat_worker_current();
    leat_mutex_lock(&gather->mutex);
    gather->called = false;
    uint32_t taken = list_take(gather, &gather->batches[worker->index]);
    leat_mutex_unlock(&gather->mutex);
    if (taken > 0) {
        batch_run(gather, worker, taken);
    }
}

/* Has a worker come for the list, behind what waits in the ring. False: that is full, and it is
 * looked at again. pre: the lock. */
static bool
call(struct leat_gather *gather)
{
    const struct leat_pool_task task = {task_run, gather};
    gather->called = leat_pool_post(&gather->engine->pool, gather->level, &task);
    look_set(gather, gather->called ? LEAT_TIME_NEVER : 0);
    return gather->called;
}

/* The first one has come: sees to it that somebody comes when the delay is over. pre: the lock; a
 * section of rcu.h, so that a drain that begins later finds the list. */
static void
wait_begin(struct leat_gather *gather)
{
    struct leat_engine *engine = gather->engine;
    if (gather->delay_ns == 0 || drains(engine)) {
        gather->due_ns = 0;
        if (!call(gather)) {
            leat_pool_due(&engine->pool);
        }
        return;
    }
    uint64_t now_ns = leat_clocks_now(&engine->clocks, LEAT_TIME_BOOT);
    gather->due_ns = leat_timers_after(now_ns, gather->delay_ns);
    if (gather->due_ns < look_of(gather)) {
        look_set(gather, gather->due_ns);
        leat_clocks_changed(&engine->clocks);
    }
}

/* Returns how many are to run, in the worker's batch. */
static uint32_t
list_add(struct leat_gather *gather, struct leat_batch *batch, uint32_t index)
{
    uint32_t taken = 0;
    leat_mutex_lock(&gather->mutex);
    LEAT_ASSERT(gather->count < gather->most);
    if (gather->count == 0) {
        /* A count before the worker rests. rlx: ordered by busy:A */
        (void)atom_add_rlx(&gather->engine->outside.awaited, LEAT_OUTSIDE_CHANGE);
        gather->level = leat_job_level(leat_job_record(gather->engine, index));
    }
    gather->indices[gather->count++] = index;
    if (gather->count == gather->most) {
        taken = list_take(gather, batch);
    } else if (gather->count == 1 && !gather->called) {
        wait_begin(gather);
    }
    leat_mutex_unlock(&gather->mutex);
    return taken;
}

void
leat_gather_take(struct leat_gather *gather, struct leat_worker *worker, uint32_t index)
{
    struct leat_engine *engine = gather->engine;
    struct leat_job_record *record = leat_job_record(engine, index);
    /* What is gathered has left the ring, and counts as begun: others go on meanwhile. */
    leat_order_begun(engine, record);
    leat_rcu_enter();
    uint32_t taken = list_add(gather, &gather->batches[worker->index], index);
    leat_rcu_leave(&engine->domain);
    if (taken > 0) {
        batch_run(gather, worker, taken);
    }
}

/* ---- what comes due ------------------------------------------------------------------------- */

/* False: it is due and the task did not fit. */
static bool
advance_one(struct leat_gather *gather, uint64_t now_ns, bool hurry)
{
    bool fits = true;
    leat_mutex_lock(&gather->mutex);
    if (gather->count == 0 || gather->called) {
        look_set(gather, LEAT_TIME_NEVER);
    } else if (hurry || gather->due_ns <= now_ns) {
        fits = call(gather);
    } else {
        look_set(gather, gather->due_ns);
        leat_clocks_changed(&gather->engine->clocks);
    }
    leat_mutex_unlock(&gather->mutex);
    return fits;
}

bool
leat_gather_advance(struct leat_engine *engine)
{
    struct leat_gather *gather = newest(engine);
    if (LEAT_LIKELY(gather == NULL)) {
        return false;
    }
    uint64_t now_ns = leat_clocks_now(&engine->clocks, LEAT_TIME_BOOT);
    bool hurry = drains(engine);
    bool more = false;
    for (; gather != NULL; gather = gather->next) {
        uint64_t look_ns = look_of(gather);
        if (look_ns <= now_ns || (hurry && look_ns != LEAT_TIME_NEVER)) {
            more = !advance_one(gather, now_ns, hurry) || more;
        }
    }
    return more;
}

void
leat_gather_hurry(struct leat_engine *engine)
{
    /* Who registers a type behind this finds that the engine drains; it tells the workers. */
    leat_middleware_lock(engine);
    bool any = newest(engine) != NULL;
    leat_middleware_unlock(engine);
    if (any) {
        leat_pool_due(&engine->pool);
    }
}

static uint64_t
source_next(void *context)
{
    const struct leat_engine *engine = context;
    uint64_t next_ns = LEAT_TIME_NEVER;
    for (const struct leat_gather *gather = newest(engine); gather != NULL; gather = gather->next) {
        uint64_t look_ns = look_of(gather);
        next_ns = look_ns < next_ns ? look_ns : next_ns;
    }
    return next_ns;
}

/* The workers do it. */
static uint64_t
source_look(void *context, uint64_t now_ns)
{
    struct leat_engine *engine = context;
    uint64_t next_ns = source_next(context);
    if (next_ns > now_ns) {
        return next_ns;
    }
    leat_pool_due(&engine->pool);
    return now_ns + LEAT_CLOCK_AGAIN_NS;
}

struct leat_clock_source
leat_gather_source(struct leat_engine *engine)
{
    struct leat_clock_source source = {source_look, source_next, NULL, engine, LEAT_TIME_BOOT};
    return source;
}

/* ---- make and free -------------------------------------------------------------------------- */

static bool
batch_make(struct leat_gather *gather, struct leat_batch *batch)
{
    const struct leat_memory *memory = &gather->engine->memory;
    batch->indices = leat_memory_take(memory, sizeof(*batch->indices) * gather->most);
    batch->entries = leat_memory_take(memory, sizeof(*batch->entries) * gather->most);
    batch->runs = leat_memory_take(memory, sizeof(void *) * gather->most);
    batch->outcomes = leat_memory_take(memory, sizeof(*batch->outcomes) * gather->most);
    return batch->indices != NULL && batch->entries != NULL && batch->runs != NULL &&
           batch->outcomes != NULL;
}

static void
batch_free(struct leat_gather *gather, struct leat_batch *batch)
{
    const struct leat_memory *memory = &gather->engine->memory;
    leat_memory_give(memory, batch->indices, sizeof(*batch->indices) * gather->most);
    leat_memory_give(memory, batch->entries, sizeof(*batch->entries) * gather->most);
    leat_memory_give(memory, (void *)batch->runs, sizeof(void *) * gather->most);
    leat_memory_give(memory, batch->outcomes, sizeof(*batch->outcomes) * gather->most);
}

struct leat_gather *
leat_gather_make(struct leat_engine *engine, leat_batch_handler handler, void *context,
                 const struct leat_type_options *options)
{
    const struct leat_memory *memory = &engine->memory;
    struct leat_gather *gather = leat_memory_take(memory, sizeof(*gather));
    if (gather == NULL) {
        return NULL;
    }
    gather->engine = engine;
    gather->handler = handler;
    gather->context = context;
    gather->delay_ns = options->batch_delay_ns;
    gather->most = options->batch_max;
    gather->places = engine->pool.places;
    leat_mutex_init(&gather->mutex);
    atom_init(&gather->look, LEAT_TIME_NEVER);
    gather->indices = leat_memory_take(memory, sizeof(*gather->indices) * gather->most);
    gather->batches = leat_memory_take(memory, sizeof(*gather->batches) * gather->places);
    bool made = gather->indices != NULL && gather->batches != NULL;
    for (uint32_t i = 0; made && i < gather->places; i++) {
        made = batch_make(gather, &gather->batches[i]);
    }
    if (!made) {
        leat_gather_free(gather);
        return NULL;
    }
    return gather;
}

void
leat_gather_begin(struct leat_gather *gather)
{
    struct leat_engine *engine = gather->engine;
    leat_middleware_lock(engine);
    gather->next = newest(engine);
    /* gathers:B release -> gathers:A.  Carries: see gathers:A.
     * If relaxed: see gathers:A. */
    atom_store_rel(&engine->gathers, (void *)gather);
    leat_middleware_unlock(engine);
    /* A job may have come since it was bound, and a drain may have begun. */
    leat_clocks_changed(&engine->clocks);
    leat_pool_due(&engine->pool);
}

void
leat_gather_free(struct leat_gather *gather)
{
    if (gather == NULL) {
        return;
    }
    const struct leat_memory *memory = &gather->engine->memory;
    for (uint32_t i = 0; gather->batches != NULL && i < gather->places; i++) {
        batch_free(gather, &gather->batches[i]);
    }
    leat_memory_give(memory, gather->batches, sizeof(*gather->batches) * gather->places);
    leat_memory_give(memory, gather->indices, sizeof(*gather->indices) * gather->most);
    leat_mutex_fini(&gather->mutex);
    leat_memory_give(memory, gather, sizeof(*gather));
}

void
leat_gathers_fini(struct leat_engine *engine)
{
    struct leat_gather *gather = newest(engine);
    while (gather != NULL) {
        struct leat_gather *next = gather->next;
        leat_gather_free(gather);
        gather = next;
    }
}

/* ---- check ---------------------------------------------------------------------------------- */

bool
leat_gathers_check(struct leat_engine *engine, FILE *why)
{
    const char *wrong = NULL;
    uint64_t lists = 0;
    for (const struct leat_gather *gather = newest(engine); gather != NULL; gather = gather->next) {
        if (gather->count >= gather->most) {
            wrong = "I1: a full list waits";
        }
        if (gather->count > 0 && !gather->called && look_of(gather) > gather->due_ns) {
            wrong = "I2: nobody comes for a list";
        }
        lists += gather->count > 0 ? 1 : 0;
    }
    /* rlx: statistic */
    if (atom_load_rlx(&engine->outside.awaited) / LEAT_OUTSIDE_CHANGE != lists) {
        wrong = "I3: lists are counted wrongly";
    }
    if (wrong != NULL && why != NULL) {
        (void)fprintf(why, "gather: %s\n", wrong);
    }
    return wrong == NULL;
}
