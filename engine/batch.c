/* batch.c - many jobs in one call, see batch.h. */
#include "engine/batch.h"

#include "engine/durable/durable.h"
#include "engine/gates.h"

/* ---- putting an all-or-none batch ----------------------------------------------------------- */

/* Jobs of one level that stand next to each other in the batch, and are put as one. */
struct stretch {
    struct leat_engine *engine;
    const struct leat_batch_ask *asks;
    uint32_t *items;
    size_t first; /* of the asks from which the items are */
    uint32_t count;
    uint32_t level;
    bool stands; /* one of them has a gate to pass */
};

/* Puts what stands before `end`, and goes on there. */
static void
stretch_put(struct stretch *stretch, size_t end)
{
    struct leat_pool *pool = &stretch->engine->pool;
    if (stretch->count != 0 && stretch->stands) {
        leat_lists_add(pool, stretch->level, stretch->items, stretch->count);
        for (size_t i = stretch->first; i < end; i++) {
            leat_pull_tell(stretch->engine, stretch->asks[i].queue);
        }
    } else if (stretch->count != 0) {
        leat_pool_put_n(pool, stretch->level, stretch->items, stretch->count);
    }
    stretch->first = end;
    stretch->count = 0;
    stretch->stands = false;
}

/* One with a key is put on by who answers for that, so what stands before it is put before. */
static void
stretch_add(struct stretch *stretch, size_t i)
{
    struct leat_engine *engine = stretch->engine;
    const struct leat_batch_ask *ask = &stretch->asks[i];
    if (leat_keys_has(engine, ask->index)) {
        stretch_put(stretch, i);
    }
    if (leat_keys_enter(engine, ask->index)) {
        stretch->items[stretch->count++] = leat_item_of(LEAT_KIND_JOB, ask->index);
        stretch->stands = stretch->stands || leat_gates_stand(engine, ask->queue, ask->type);
    }
}

/* The jobs of some levels, as they are in the batch. */
static void
put_levels(struct stretch *stretch, size_t count, uint32_t levels)
{
    for (size_t i = 0; i < count; i++) {
        const struct leat_batch_ask *ask = &stretch->asks[i];
        if (ask->index == LEAT_INDEX_NONE || (levels >> ask->level & 1) == 0) {
            continue;
        }
        if (ask->level != stretch->level) {
            stretch_put(stretch, i);
            stretch->level = ask->level;
        }
        stretch_add(stretch, i);
    }
    stretch_put(stretch, count);
}

/* The most urgent level first; but jobs of one key may have several levels, and come to the key as
 * they stand in the batch. */
void
leat_batch_put(struct leat_engine *engine, const struct leat_batch_ask *asks, size_t count,
               uint32_t *items)
{
    struct stretch stretch = {.engine = engine, .asks = asks};
    stretch.items = items;
    uint32_t levels = 0;
    bool keyed = false;
    for (size_t i = 0; i < count; i++) {
        if (asks[i].index != LEAT_INDEX_NONE) {
            levels |= UINT32_C(1) << asks[i].level;
            keyed = keyed || leat_keys_has(engine, asks[i].index);
        }
    }
    if (keyed) {
        put_levels(&stretch, count, levels);
        return;
    }
    for (; levels != 0; levels &= levels - 1) {
        stretch.level = (uint32_t)__builtin_ctz(levels);
        stretch.first = 0;
        put_levels(&stretch, count, UINT32_C(1) << stretch.level);
    }
}

/* ---- a rate --------------------------------------------------------------------------------- */

/* A token bucket that is full at the start, as virtual scheduling (ITU-T I.371, annex A). Time goes
 * in marks: per_ns of them to the token, `jobs` to the nanosecond; so nothing is rounded. */
struct pace {
    uint64_t jobs; /* 0: no rate */
    uint64_t per_ns;
    uint64_t burst;
    uint64_t start_ns;
    leat_bucket_wide full; /* the mark from which on the bucket is full, if nothing is taken */
};

static struct pace
pace_of(const struct leat_rate *rate, uint64_t now_ns)
{
    const struct pace pace = {.jobs = rate->jobs,
                              .per_ns = rate->per_ns,
                              .burst = leat_rate_burst(rate),
                              .start_ns = now_ns};
    return pace;
}

/* When there are `count` tokens. pre: there is a rate, and count is at most the burst. */
static uint64_t
pace_due(const struct pace *pace, uint64_t count)
{
    leat_bucket_wide spare = (leat_bucket_wide)(pace->burst - count) * pace->per_ns;
    leat_bucket_wide marks = pace->full < spare ? 0 : pace->full - spare;
    leat_bucket_wide due_ns = (marks + pace->jobs - 1) / pace->jobs + pace->start_ns;
    return due_ns < UINT64_MAX ? (uint64_t)due_ns : UINT64_MAX;
}

/* pre: it is pace_due(). */
static void
pace_take(struct pace *pace, uint64_t count, uint64_t now_ns)
{
    leat_bucket_wide now = (leat_bucket_wide)(now_ns - pace->start_ns) * pace->jobs;
    pace->full = (pace->full < now ? now : pace->full) + (leat_bucket_wide)count * pace->per_ns;
}

/* ---- one call ------------------------------------------------------------------------------- */

struct call {
    struct leat_engine *engine;
    const struct leat_bulk *bulk;
    uint64_t deadline_ns; /* by the engine's MONOTONIC clock; UINT64_MAX: none */
    struct pace pace;
    size_t done;
    size_t refused;
    enum leat_status first; /* that says that a job was not taken */
};

static uint64_t
now_of(const struct leat_engine *engine)
{
    return leat_clocks_now(&engine->clocks, LEAT_TIME_MONOTONIC);
}

static bool
taken(enum leat_status status)
{
    return status == LEAT_OK || status == LEAT_JOINED;
}

/* Says what became of a job. */
static void
tell(struct call *call, size_t index, enum leat_status status, leat_job_id id)
{
    const struct leat_bulk *bulk = call->bulk;
    if (!taken(status)) {
        id.bits = 0;
        call->first = call->first == LEAT_OK ? status : call->first;
    }
    if (bulk->ids != NULL) {
        bulk->ids[index] = id;
    }
    if (bulk->statuses != NULL) {
        bulk->statuses[index] = status;
    }
}

/* The jobs from `first` on are not tried. */
static void
tell_rest(struct call *call, size_t first, enum leat_status status)
{
    for (size_t i = first; i < call->bulk->count; i++) {
        tell(call, i, status, (leat_job_id){0});
    }
}

/* Until when a submit may wait for room. Those waits go by the system's clock, whatever the
 * engine's is. */
static uint64_t
room_deadline(const struct call *call)
{
    if (call->deadline_ns == UINT64_MAX) {
        return UINT64_MAX;
    }
    uint64_t now_ns = now_of(call->engine);
    return leat_os_deadline_ns(now_ns < call->deadline_ns ? call->deadline_ns - now_ns : 0);
}

/* What became of a job that was tried. */
static void
tried_one(struct call *call, size_t index, enum leat_status status, leat_job_id id)
{
    tell(call, index, status, id);
    call->done += taken(status) ? 1 : 0;
    call->refused += taken(status) ? 0 : 1;
}

/* Durable jobs that wait for the disk together. */
#define TOGETHER_MAX 1024

/* All are told. One that found no room waits for that, but only when those before it are in. */
static void
together_land(struct call *call, size_t first, size_t count, struct leat_transit_told *told)
{
    uint64_t deadline_ns = room_deadline(call);
    for (size_t i = 0; i < count; i++) {
        if (told[i].status == LEAT_FULL) {
            const struct leat_job *job = leat_batch_job(call->bulk->jobs, first + i);
            told[i].status = leat_submit_until(call->engine, job, deadline_ns, &told[i].id);
        }
        tried_one(call, first + i, told[i].status, told[i].id);
    }
}

/* Tries up to so many jobs, and waits for the disk once. Returns how many: 0: no memory. */
static size_t
submit_together(struct call *call, size_t first, size_t count)
{
    struct leat_engine *engine = call->engine;
    struct leat_transit_call transit = {.position = 0};
    const size_t most = count < TOGETHER_MAX ? count : TOGETHER_MAX;
    struct leat_transit_told *told = leat_memory_take(&engine->memory, sizeof(*told) * most);
    bool room = true;
    size_t tried = 0;
    while (told != NULL && tried < most && room) {
        const struct leat_job *job = leat_batch_job(call->bulk->jobs, first + tried);
        const uint64_t before = transit.position;
        leat_job_id id = {0};
        told[tried].call = &transit;
        enum leat_status status = leat_submit_joint(engine, job, &told[tried], &id);
        if (transit.position == before) { /* else it is told, or was already */
            told[tried].status = status;
            told[tried].id = id;
        }
        room = status != LEAT_FULL;
        tried++;
    }
    if (transit.position != 0) {
        leat_transit_wait(engine, &transit);
    }
    if (told != NULL) {
        together_land(call, first, tried, told);
    }
    leat_memory_give(&engine->memory, told, sizeof(*told) * most);
    return tried;
}

/* Returns how many it tried: fewer than count only where it stops at an error. */
static size_t
submit_each(struct call *call, size_t first, size_t count)
{
    const struct leat_bulk *bulk = call->bulk;
    uint64_t deadline_ns = room_deadline(call);
    size_t tried = 0;
    bool goes_on = true;
    if (call->engine->submits == LEAT_SUBMITS_DURABLE && !bulk->stop_at_error) {
        size_t some = 1;
        while (tried < count && some != 0) {
            some = submit_together(call, first + tried, count - tried);
            tried += some;
        }
    }
    while (tried < count && goes_on) {
        leat_job_id id = {0};
        enum leat_status status = leat_submit_until(
            call->engine, leat_batch_job(bulk->jobs, first + tried), deadline_ns, &id);
        tried_one(call, first + tried, status, id);
        goes_on = taken(status) || !bulk->stop_at_error;
        tried++;
    }
    return tried;
}

/* Behind a chunk that was refused: those that are not to blame have no status yet. */
static void
tell_chunk(struct call *call, size_t first, size_t count, enum leat_status status)
{
    enum leat_status *statuses = call->bulk->statuses;
    bool named = false;
    for (size_t i = 0; statuses != NULL && i < count; i++) {
        named = named || statuses[first + i] != LEAT_OK;
    }
    call->first = call->first == LEAT_OK ? status : call->first;
    call->refused += count;
    for (size_t i = 0; i < count; i++) {
        enum leat_status own = named ? statuses[first + i] : status;
        tell(call, first + i, own == LEAT_OK ? LEAT_SKIPPED : own, (leat_job_id){0});
    }
}

static void
submit_chunk(struct call *call, size_t first, size_t count)
{
    const struct leat_bulk *bulk = call->bulk;
    const struct leat_batch_part part = {.jobs = bulk->jobs,
                                         .first = first,
                                         .count = count,
                                         .ids = bulk->ids == NULL ? NULL : bulk->ids + first,
                                         .statuses =
                                             bulk->statuses == NULL ? NULL : bulk->statuses + first,
                                         .deadline_ns = room_deadline(call)};
    enum leat_status status = leat_submit_all(call->engine, &part);
    if (status == LEAT_OK) {
        call->done += count;
    } else {
        tell_chunk(call, first, count, status);
    }
}

/* ---- waiting for the rate ------------------------------------------------------------------- */

/* Who sleeps for a rate sleeps here: of all bells one that is rung when the engine is drained or
 * stopped, and when the host's clock moves. */
#define PACE_BELL 0

void
leat_batch_clock_changed(struct leat_engine *engine)
{
    if (engine->clocks.now != NULL) {
        leat_job_ring_bell(engine, PACE_BELL, LEAT_WORD_HOLD);
    }
}

/* Takes `count` tokens, which it waits for. LEAT_OK, LEAT_TIMEOUT, LEAT_CLOSED. */
static enum leat_status
pace_wait(struct call *call, size_t count)
{
    struct leat_engine *engine = call->engine;
    bool fast = call->pace.jobs == 0;
    uint64_t due_ns = fast ? 0 : pace_due(&call->pace, count);
    uint64_t until_ns = due_ns < call->deadline_ns ? due_ns : call->deadline_ns;
    /* A host's clock rings. */
    uint64_t asleep_ns = engine->clocks.now == NULL ? until_ns : UINT64_MAX;
    /* Ends: when it is due, or the deadline comes. */
    for (;;) {
        uint32_t event = leat_room_listen(engine, PACE_BELL);
        uint64_t now_ns = now_of(engine);
        if (now_ns >= call->deadline_ns) {
            return LEAT_TIMEOUT;
        }
        if (now_ns >= due_ns) {
            if (!fast) {
                pace_take(&call->pace, count, now_ns);
            }
            return LEAT_OK;
        }
        if (!leat_engine_accepts(engine)) {
            return LEAT_CLOSED;
        }
        leat_os_futex_wait(&engine->bells[PACE_BELL].count, event, asleep_ns);
    }
}

/* ---- chunks --------------------------------------------------------------------------------- */

/* Jobs to a chunk. */
static size_t
chunk_of(const struct leat_bulk *bulk)
{
    if (bulk->chunk != 0) {
        return bulk->chunk;
    }
    uint64_t burst = leat_rate_burst(&bulk->rate);
    return burst != 0 && burst < bulk->count ? (size_t)burst : bulk->count;
}

/* True: the caller wants to go on. */
static bool
report(const struct call *call)
{
    const struct leat_bulk *bulk = call->bulk;
    struct leat_bulk_progress progress = {.size = (uint32_t)sizeof(progress),
                                          .version = LEAT_STRUCT_VERSION,
                                          .done = call->done,
                                          .refused = call->refused,
                                          .total = bulk->count};
    return bulk->progress == NULL || bulk->progress(&progress, bulk->context);
}

static enum leat_status
call_run(struct call *call)
{
    const struct leat_bulk *bulk = call->bulk;
    size_t chunk = chunk_of(bulk);
    size_t next = 0;
    while (next < bulk->count) {
        size_t count = bulk->count - next < chunk ? bulk->count - next : chunk;
        enum leat_status status = pace_wait(call, count);
        if (status != LEAT_OK) {
            tell_rest(call, next, status);
            return call->first;
        }
        if (bulk->mode == LEAT_BATCH_EACH) {
            next += submit_each(call, next, count);
        } else {
            submit_chunk(call, next, count);
            next += count;
        }
        bool goes_on = report(call) && !(bulk->stop_at_error && call->first != LEAT_OK);
        if (!goes_on) {
            tell_rest(call, next, LEAT_SKIPPED);
            return call->first;
        }
    }
    return call->first;
}

/* ---- calls ---------------------------------------------------------------------------------- */

static enum leat_status
jobs_check(const struct leat_job *jobs, size_t count, enum leat_batch_mode mode)
{
    bool valid = (jobs != NULL || count == 0) &&
                 (count <= 1 || jobs->size >= sizeof(uint32_t) * 2) &&
                 (mode == LEAT_BATCH_EACH || mode == LEAT_BATCH_ALL_OR_NONE);
    return valid ? LEAT_OK : LEAT_INVALID;
}

/* A chunk that is larger than the burst would never have its tokens. */
static enum leat_status
bulk_check(const struct leat_engine *engine, const struct leat_bulk *bulk)
{
    enum leat_status status = jobs_check(bulk->jobs, bulk->count, bulk->mode);
    if (status != LEAT_OK || bulk->rate.jobs == 0) {
        return status;
    }
    uint64_t burst = leat_rate_burst(&bulk->rate);
    bool whole = bulk->mode == LEAT_BATCH_ALL_OR_NONE && bulk->chunk == 0;
    if (!leat_rate_valid(&bulk->rate) || bulk->chunk > burst || (whole && bulk->count > burst)) {
        return LEAT_INVALID;
    }
    return leat_engine_inside(engine) ? LEAT_WRONG_STATE : LEAT_OK;
}

enum leat_status
leat_submit_bulk(struct leat_engine *engine, const struct leat_bulk *given)
{
    enum leat_status status = leat_engine_check(engine);
    struct leat_bulk bulk = leat_bulk_default();
    if (status == LEAT_OK) {
        status = given == NULL ? LEAT_INVALID : leat_struct_read(&bulk, sizeof(bulk), given);
    }
    if (status == LEAT_OK) {
        status = bulk_check(engine, &bulk);
    }
    if (status != LEAT_OK) {
        return status;
    }
    uint64_t now_ns = now_of(engine);
    bool timed = bulk.timeout_ns != 0 && bulk.timeout_ns < UINT64_MAX - now_ns;
    struct call call = {.engine = engine,
                        .bulk = &bulk,
                        .deadline_ns = timed ? now_ns + bulk.timeout_ns : UINT64_MAX,
                        .pace = pace_of(&bulk.rate, now_ns)};
    return call_run(&call);
}

enum leat_status
leat_submit_batch(struct leat_engine *engine, const struct leat_job *jobs, size_t count,
                  enum leat_batch_mode mode, leat_job_id *ids, enum leat_status *statuses)
{
    enum leat_status status = leat_engine_check(engine);
    if (status == LEAT_OK) {
        status = jobs_check(jobs, count, mode);
    }
    if (status != LEAT_OK || count == 0) {
        return status;
    }
    if (mode == LEAT_BATCH_ALL_OR_NONE) {
        struct leat_batch_part part = {.jobs = jobs, .count = count, .deadline_ns = LEAT_FOREVER};
        part.ids = ids;
        part.statuses = statuses;
        return leat_submit_all(engine, &part);
    }
    struct leat_bulk bulk = {.jobs = jobs, .count = count};
    bulk.ids = ids;
    bulk.statuses = statuses;
    struct call call = {.engine = engine, .bulk = &bulk, .deadline_ns = UINT64_MAX};
    (void)submit_each(&call, 0, count);
    return call.first;
}
