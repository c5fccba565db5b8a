/* footprint.c - counting memory, and what is done where it becomes much, see footprint.h. */
#include "engine/footprint.h"

#include "engine/completion.h"
#include "engine/engine_internal.h"
#include "engine/events.h"
#include "engine/key_rates.h"
#include "engine/keys.h"
#include "engine/record.h"
#include "engine/sights.h"

#define UNIT (UINT32_C(1) << LEAT_SLAB_UNIT_LOG2)

/* ---- one number ----------------------------------------------------------------------------- */

/* What submits may use of such a cap. */
static uint64_t
part_of(uint64_t most)
{
    return most - most / LEAT_FOOTPRINT_KEPT;
}

static uint64_t
limit_of(const struct leat_footprint *footprint)
{
    return part_of(leat_footprint_most(footprint));
}

static bool
fits(uint64_t bytes, uint64_t now, uint64_t most)
{
    return most == 0 || (bytes <= most && now <= most - bytes);
}

static bool
take(struct leat_footprint *footprint, uint64_t bytes, uint64_t most)
{
    uint64_t now = atom_load_rlx(&footprint->used); /* rlx: statistic */
    do {
        if (!fits(bytes, now, most)) {
            return false;
        }
    } while (!atom_cas_rlx(&footprint->used, &now, now + bytes)); /* rlx: statistic */
    if (now + bytes > atom_load_rlx(&footprint->peak)) {          /* rlx: statistic */
        atom_store_rlx(&footprint->peak, now + bytes);            /* rlx: statistic */
    }
    return true;
}

static void
give(struct leat_footprint *footprint, uint64_t bytes)
{
    uint64_t before = atom_sub_rlx(&footprint->used, bytes); /* rlx: statistic */
    LEAT_ASSERT(before >= bytes);
}

/* ---- the layer ------------------------------------------------------------------------------ */

static void *
layer_allocate(size_t bytes, size_t alignment, void *context)
{
    struct leat_footprint *footprint = context;
    const struct leat_memory *below = &footprint->below;
    if (!take(footprint, bytes, leat_footprint_most(footprint))) {
        (void)atom_add_rlx(&footprint->denied, 1); /* rlx: statistic */
        return NULL;
    }
    void *block = below->allocate(bytes, alignment, below->context);
    if (block == NULL) {
        give(footprint, bytes);
    }
    return block;
}

static void
layer_release(void *block, size_t bytes, void *context)
{
    struct leat_footprint *footprint = context;
    const struct leat_memory *below = &footprint->below;
    below->release(block, bytes, below->context);
    give(footprint, bytes);
}

/* ---- records -------------------------------------------------------------------------------- */

static bool
bit_of(const leat_atomic_u64 *words, uint32_t unit)
{
    /* A thread that has a record of it finds it set: it has set it, or got the record from one that
     * did. rlx: ordered by give:B, aside:A */
    return (atom_load_rlx(&words[unit / 64]) >> unit % 64 & 1) != 0;
}

static uint64_t
records_of(const struct leat_engine *engine, uint32_t unit)
{
    uint32_t left = engine->jobs.capacity - unit * UNIT;
    return left < UNIT ? left : UNIT;
}

/* Sets a unit's bit, behind its bytes were taken; they are given back where it was set by then. */
static void
bit_set(struct leat_footprint *footprint, leat_atomic_u64 *words, uint32_t unit, uint64_t bytes)
{
    uint64_t bit = UINT64_C(1) << unit % 64;
    if ((atom_or_rlx(&words[unit / 64], bit) & bit) != 0) { /* rlx: ordered by give:B, aside:A */
        give(footprint, bytes);
    }
}

/* Of a unit's records: what goes back with them, and what lasts. */
static uint64_t
unit_bytes(const struct leat_engine *engine, uint32_t unit, bool seen)
{
    const struct leat_footprint *footprint = &engine->footprint;
    return records_of(engine, unit) * (footprint->each + (seen ? 0 : footprint->lasting));
}

static bool
unit_take(struct leat_engine *engine, uint32_t unit, uint64_t most)
{
    struct leat_footprint *footprint = &engine->footprint;
    const bool seen = bit_of(footprint->seen, unit);
    const uint64_t bytes = unit_bytes(engine, unit, true);
    const uint64_t lasting = unit_bytes(engine, unit, seen) - bytes;
    if (!take(footprint, bytes + lasting, most)) {
        return false;
    }
    bit_set(footprint, footprint->there, unit, bytes);
    if (!seen) {
        bit_set(footprint, footprint->seen, unit, lasting);
    }
    return true;
}

/* LEAT_FULL: it would not fit if nothing else were there. */
static enum leat_status
refuse(struct leat_footprint *footprint, uint64_t bytes, uint64_t most)
{
    (void)atom_add_rlx(&footprint->refused, 1); /* rlx: statistic */
    return bytes > most ? LEAT_FULL : LEAT_TIMEOUT;
}

enum leat_status
leat_footprint_admit(struct leat_engine *engine, uint32_t index)
{
    struct leat_footprint *footprint = &engine->footprint;
    const uint32_t unit = index / UNIT;
    const uint64_t most = limit_of(footprint);
    const bool there = footprint->whole || bit_of(footprint->there, unit);
    /* Also where nothing more is needed: nothing is taken in above the limit. */
    if (there ? fits(0, leat_footprint_used(footprint), most) : unit_take(engine, unit, most)) {
        return LEAT_OK;
    }
    return refuse(footprint, there ? 0 : unit_bytes(engine, unit, false), most);
}

LEAT_COLD enum leat_status
leat_record_look(struct leat_engine *engine, uint32_t *index)
{
    const bool counted = engine->footprint.counted;
    enum leat_status status = counted ? leat_footprint_admit(engine, *index) : LEAT_OK;
    /* Ends: as leat_record_take_any(). */
    while (status != LEAT_OK) {
        leat_slab_give(&engine->jobs, leat_pool_shard(), *index);
        (void)atom_add_rlx(&engine->outside.refused, 1); /* rlx: statistic */
        if (!leat_retention_yield(engine)) {
            return status;
        }
        enum leat_status taken = leat_record_take_any(engine, index);
        if (taken != LEAT_OK) {
            return taken;
        }
        status = leat_footprint_admit(engine, *index);
    }
    if (*index >= engine->trim.asks) {
        leat_trim_ask(engine);
    }
    return LEAT_OK;
}

void
leat_footprint_units_gone(struct leat_engine *engine, uint32_t first, uint32_t count)
{
    struct leat_footprint *footprint = &engine->footprint;
    uint64_t bytes = 0;
    if (!footprint->counted) {
        return;
    }
    for (uint32_t unit = first / UNIT; unit < (first + count) / UNIT; unit++) {
        uint64_t bit = UINT64_C(1) << unit % 64;
        /* rlx: ordered by give:B, aside:A */
        uint64_t before = atom_and_rlx(&footprint->there[unit / 64], ~bit);
        bytes += (before & bit) != 0 ? footprint->each * records_of(engine, unit) : 0;
    }
    give(footprint, bytes);
}

/* ---- what is counted by its user ------------------------------------------------------------ */

enum leat_status
leat_footprint_take(struct leat_engine *engine, uint64_t bytes)
{
    struct leat_footprint *footprint = &engine->footprint;
    /* Ends: each round lets one job go that is kept, and that only for one that may fit. */
    for (;;) {
        const uint64_t most = limit_of(footprint);
        if (take(footprint, bytes, most)) {
            return LEAT_OK;
        }
        if (bytes > most || !leat_retention_yield(engine)) {
            return refuse(footprint, bytes, most);
        }
    }
}

bool
leat_footprint_call_takes(struct leat_engine *engine, uint64_t bytes)
{
    struct leat_footprint *footprint = &engine->footprint;
    return !footprint->counted || take(footprint, bytes, leat_footprint_most(footprint));
}

void
leat_footprint_give(struct leat_engine *engine, uint64_t bytes)
{
    if (engine->footprint.counted) {
        give(&engine->footprint, bytes);
    }
}

enum leat_status
leat_footprint_judge(struct leat_engine *engine, uint64_t denied, enum leat_status status)
{
    struct leat_footprint *footprint = &engine->footprint;
    return status == LEAT_NO_MEMORY && leat_footprint_denied(footprint) != denied
               ? refuse(footprint, 0, 0)
               : status;
}

uint64_t
leat_footprint_lacks(const struct leat_engine *engine, uint64_t payload_bytes)
{
    const struct leat_footprint *footprint = &engine->footprint;
    const uint64_t most = limit_of(footprint);
    const uint64_t bytes = leat_payload_allocated(engine, payload_bytes) ? payload_bytes : 0;
    const uint64_t used = leat_footprint_used(footprint);
    /* Else it is a unit of records. */
    return fits(bytes, used, most) ? unit_bytes(engine, 0, false) : used + bytes - most;
}

uint64_t
leat_footprint_again(uint64_t deadline_ns)
{
    const uint64_t again_ns = leat_os_deadline_ns(LEAT_FOOTPRINT_AGAIN_NS);
    return again_ns < deadline_ns ? again_ns : deadline_ns;
}

/* ---- what is looked up ---------------------------------------------------------------------- */

static uint64_t
slab_resident(const struct leat_slab *slab)
{
    return leat_os_resident(slab->mapping, slab->mapping_bytes);
}

/* What stands before arrays that are counted with the records. */
static uint64_t
head_resident(void *mapping, const void *arrays)
{
    return leat_os_resident(mapping, (size_t)((const char *)arrays - (const char *)mapping));
}

/* In memory of what is mapped at open, or once, whatever the number of jobs. */
static uint64_t
mapped_now(const struct leat_engine *engine)
{
    const struct leat_pool *pool = &engine->pool;
    const struct leat_wheels *buckets = &engine->buckets.wheels;
    const struct leat_wheels *timers = &engine->timers.wheels;
    uint64_t bytes = head_resident(engine->jobs.mapping, engine->jobs.words);
    bytes += head_resident(timers->mapping, timers->words);
    bytes += head_resident(timers->blocks.mapping, timers->blocks.words);
    bytes += leat_os_resident(engine->events, leat_events_bytes(&engine->config));
    bytes += leat_os_resident(pool->queues_memory, pool->queues_bytes);
    bytes += leat_os_resident(pool->lists_memory, pool->lists_bytes);
    bytes += slab_resident(&pool->tasks) + slab_resident(&pool->chunks);
    bytes += slab_resident(&pool->spawned) + slab_resident(&pool->posted);
    bytes += leat_os_resident(buckets->mapping, buckets->mapping_bytes);
    bytes += slab_resident(&buckets->blocks);
    bytes += leat_os_resident(engine->rooms.queues, engine->rooms.bytes);
    bytes += leat_os_resident(engine->tenants.rooms, engine->tenants.bytes);
    bytes += leat_os_resident(engine->finished.entries, engine->finished.bytes);
    bytes += leat_os_resident(engine->dead.entries, engine->dead.bytes);
    bytes += leat_os_resident(engine->tally.times, engine->tally.times_bytes);
    bytes += leat_keys_resident(engine) + leat_key_rates_resident(engine);
    return bytes + leat_sights_resident(engine);
}

static void
mapped_look(struct leat_engine *engine)
{
    struct leat_footprint *footprint = &engine->footprint;
    const uint64_t now = mapped_now(engine);
    if (now > footprint->mapped) {
        (void)take(footprint, now - footprint->mapped, 0);
    } else {
        give(footprint, footprint->mapped - now);
    }
    footprint->mapped = now;
}

/* ---- the watchdog --------------------------------------------------------------------------- */

/* From here on much is let go of. UINT64_MAX: there is no cap. */
static uint64_t
mark_of(const struct leat_footprint *footprint)
{
    const uint64_t most = leat_footprint_most(footprint);
    const uint32_t percent = atom_load_rlx(&footprint->soft_percent); /* rlx: statistic */
    return most == 0 ? UINT64_MAX : most / 100 * percent + most % 100 * percent / 100;
}

/* Jobs that are kept are let go, the oldest first. False: there are more, and they are to go. */
static bool
let_go(struct leat_engine *engine, uint64_t mark)
{
    for (uint32_t i = 0; i < LEAT_FOOTPRINT_STEP; i++) {
        if (leat_footprint_used(&engine->footprint) <= mark || !leat_retention_yield(engine)) {
            return true;
        }
    }
    return false;
}

/* Memory that is free goes back: of records, where that is worth it (trim.h), and what the
 * allocator keeps, where a spike is over. Each of these looks at all there is, so not at each
 * look. */
static void
give_back(struct leat_engine *engine, uint64_t now_ns, bool above)
{
    struct leat_footprint *footprint = &engine->footprint;
    const uint64_t used = leat_footprint_used(footprint);
    const uint64_t peak = atom_load_rlx(&footprint->peak); /* rlx: statistic */
    const bool fell = used < peak - peak / LEAT_FOOTPRINT_FALL;
    if (now_ns < footprint->back_ns || !(fell || above)) {
        return;
    }
    footprint->back_ns = now_ns + LEAT_TRIM_NS;
    if (fell) {
        atom_store_rlx(&footprint->peak, used); /* rlx: statistic */
    }
    if (fell && engine->config.allocator.allocate == NULL) {
        leat_memory_purge();
    }
    if (!footprint->whole) {
        leat_trim_soon(engine);
    }
}

/* Returns when to look again. */
static uint64_t
look(struct leat_engine *engine, uint64_t now_ns)
{
    mapped_look(engine);
    const uint64_t mark = mark_of(&engine->footprint);
    const uint64_t used = leat_footprint_used(&engine->footprint);
    leat_thresholds_tell(engine, LEAT_THRESHOLD_MEMORY, mark == UINT64_MAX ? 0 : mark, used);
    const bool done = let_go(engine, mark);
    give_back(engine, now_ns, used > mark);
    return done ? now_ns + LEAT_FOOTPRINT_LOOK_NS : now_ns;
}

static uint64_t
source_next(void *context)
{
    const struct leat_engine *engine = context;
    return atom_load_rlx(&engine->footprint.next_ns); /* rlx: statistic */
}

static uint64_t
source_look(void *context, uint64_t now_ns)
{
    struct leat_engine *engine = context;
    struct leat_footprint *footprint = &engine->footprint;
    uint32_t nobody = 0;
    if (now_ns < source_next(engine)) {
        return source_next(engine);
    }
    /* watchdog:A acquire -> watchdog:B.  Carries: what the last look left.
     * If relaxed: what was found mapped could be given back twice. */
    if (!atom_cas_acq(&footprint->busy, &nobody, 1)) {
        return now_ns + LEAT_CLOCK_AGAIN_NS;
    }
    atom_store_rlx(&footprint->next_ns, look(engine, now_ns)); /* rlx: statistic */
    /* watchdog:B release -> watchdog:A.  Carries: see watchdog:A.
     * If relaxed: see watchdog:A. */
    atom_store_rel(&footprint->busy, 0);
    return source_next(engine);
}

struct leat_clock_source
leat_footprint_source(struct leat_engine *engine)
{
    struct leat_clock_source source = {source_look, source_next, NULL, engine, LEAT_TIME_BOOT};
    return source;
}

/* ---- what is set ---------------------------------------------------------------------------- */

static bool
look_soon(struct leat_engine *engine)
{
    if (engine->footprint.counted) {
        atom_store_rlx(&engine->footprint.next_ns, 0); /* rlx: statistic */
        leat_clocks_changed(&engine->clocks);
    }
    return engine->footprint.counted;
}

bool
leat_footprint_limit(struct leat_engine *engine, uint64_t bytes_max)
{
    if (engine->footprint.counted) {
        atom_store_rlx(&engine->footprint.most, bytes_max); /* rlx: statistic */
    }
    return look_soon(engine);
}

bool
leat_footprint_mark(struct leat_engine *engine, uint32_t percent)
{
    if (engine->footprint.counted) {
        atom_store_rlx(&engine->footprint.soft_percent, percent); /* rlx: statistic */
    }
    return look_soon(engine);
}

/* ---- open and close ------------------------------------------------------------------------- */

void
leat_footprint_init(struct leat_engine *engine, const struct leat_memory *memory)
{
    const struct leat_config *config = &engine->config;
    struct leat_footprint *footprint = &engine->footprint;
    footprint->below = *memory;
    engine->memory = *memory;
    if (config->memory_max != 0) {
        footprint->counted = true;
        footprint->whole = config->prefault || config->lock_memory;
        engine->memory.allocate = layer_allocate;
        engine->memory.release = layer_release;
        engine->memory.context = footprint;
        (void)take(footprint, sizeof(*engine), 0);
    }
}

/* Bytes of a job's wheel: a word, two links, and its share of the blocks. */
static uint32_t
wheel_bytes(void)
{
    const size_t share =
        (sizeof(struct leat_wheel_block) + LEAT_WHEEL_ENTRIES - 1) / LEAT_WHEEL_ENTRIES;
    return (uint32_t)(sizeof(leat_atomic_u64) + 2 * sizeof(uint32_t) + share);
}

/* It is made before the engine is. */
static uint64_t
log_bytes(const struct leat_engine *engine)
{
    return engine->durable == NULL ? 0 : engine->config.log_ring_bytes;
}

/* Records that are used one after the other before any is used again (ring/slab.h): else one that
 * was never used, whose unit does not fit, would be looked at before those that are free. */
static void
first_take(struct leat_engine *engine)
{
    const struct leat_slab *jobs = &engine->jobs;
    for (uint32_t i = 0; i < jobs->nodes_count; i++) {
        const struct leat_slab_range *range = &jobs->ranges[i];
        const uint32_t count = range->count < jobs->rotation ? range->count : jobs->rotation;
        for (uint32_t j = 0; j < count; j += UNIT) {
            (void)unit_take(engine, (range->first + j) / UNIT, 0);
        }
    }
}

enum leat_status
leat_footprint_open(struct leat_engine *engine)
{
    struct leat_footprint *footprint = &engine->footprint;
    const struct leat_config *config = &engine->config;
    if (!footprint->counted) {
        return LEAT_OK;
    }
    const size_t words = (engine->jobs.units + 63) / 64;
    footprint->each = (uint32_t)(engine->jobs.record_bytes + config->payload_bytes_inline +
                                 sizeof(struct leat_timer_node));
    footprint->lasting = (uint32_t)sizeof(leat_atomic_u64) + wheel_bytes();
    footprint->units_bytes = sizeof(leat_atomic_u64) * words * 2;
    footprint->there = leat_memory_take(&engine->memory, footprint->units_bytes);
    if (footprint->there == NULL) {
        return LEAT_NO_MEMORY;
    }
    footprint->seen = footprint->there + words;
    (void)take(footprint, log_bytes(engine), 0);
    if (footprint->whole) {
        const uint64_t records = engine->jobs.capacity;
        (void)take(footprint, records * (footprint->each + footprint->lasting), 0);
    } else {
        first_take(engine);
    }
    mapped_look(engine);
    const bool enough = fits(0, leat_footprint_used(footprint), part_of(config->memory_max));
    return enough ? LEAT_OK : LEAT_FULL;
}

void
leat_footprint_begin(struct leat_engine *engine)
{
    const struct leat_config *config = &engine->config;
    const uint64_t used = leat_footprint_used(&engine->footprint);
    uint64_t most = config->memory_max;
    if (!fits(0, used, part_of(most))) {
        /* By the jobs of a log, which are to run: so types are to be registered. */
        most = used + used / (LEAT_FOOTPRINT_KEPT - 1) + 1;
    }
    atom_init(&engine->footprint.soft_percent, config->memory_soft_percent);
    atom_init(&engine->footprint.most, most);
}

void
leat_footprint_fini(struct leat_engine *engine)
{
    struct leat_footprint *footprint = &engine->footprint;
    leat_memory_give(&engine->memory, footprint->there, footprint->units_bytes);
}

/* ---- check ---------------------------------------------------------------------------------- */

/* Bytes of units, by their bits. */
static uint64_t
units_sum(const struct leat_engine *engine, const leat_atomic_u64 *words, uint32_t each)
{
    uint64_t bytes = 0;
    for (uint32_t unit = 0; !engine->footprint.whole && unit < engine->jobs.units; unit++) {
        bytes += bit_of(words, unit) ? each * records_of(engine, unit) : 0;
    }
    return bytes;
}

bool
leat_footprint_check(const struct leat_engine *engine, uint64_t *bytes, FILE *why)
{
    const struct leat_footprint *footprint = &engine->footprint;
    const struct leat_slab *jobs = &engine->jobs;
    bool right = true;
    *bytes = 0;
    if (!footprint->counted) {
        return true;
    }
    for (uint32_t i = leat_slab_next(jobs, 0); i < jobs->capacity;
         i = leat_slab_next(jobs, i + 1)) {
        uint64_t word = atom_load_rlx(leat_slab_word(jobs, i)); /* rlx: single writer */
        bool in_use = (leat_word_generation(word) & 1) != 0;
        right = right && (!in_use || footprint->whole || bit_of(footprint->there, i / UNIT));
    }
    if (!right && why != NULL) {
        (void)fprintf(why, "footprint: I2: a record in use is not counted\n");
    }
    *bytes = footprint->mapped + log_bytes(engine) +
             units_sum(engine, footprint->there, footprint->each) +
             units_sum(engine, footprint->seen, footprint->lasting);
    if (footprint->whole) {
        *bytes += (uint64_t)jobs->capacity * (footprint->each + footprint->lasting);
    }
    for (uint32_t i = 0; i < LEAT_COMPLETION_QUEUES_MAX; i++) {
        const struct leat_completion_queue *queue =
            atom_load_rlx(&engine->completions[i]); /* rlx: single writer */
        *bytes += queue == NULL ? 0 : queue->bytes;
    }
    return right;
}
