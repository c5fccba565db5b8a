/* trim.c - gives the memory of free records back, see trim.h. */
#include "engine/trim.h"

#include "engine/engine_internal.h"

void
leat_trim_init(struct leat_engine *engine)
{
    struct leat_trim *trim = &engine->trim;
    const struct leat_config *config = &engine->config;
    /* Who wants pages to be there does not want them back. */
    bool keeps = config->prefault || config->lock_memory;
    trim->asks = keeps ? UINT32_MAX : LEAT_TRIM_RECORDS;
    trim->floor = engine->footprint.counted ? 0 : trim->asks;
    atom_init(&trim->next_ns, LEAT_TIME_NEVER);
    atom_init(&trim->pause_ns, LEAT_TRIM_NS);
}

void
leat_trim_ask(struct leat_engine *engine)
{
    struct leat_trim *trim = &engine->trim;
    uint64_t never = LEAT_TIME_NEVER;
    if (atom_load_rlx(&trim->next_ns) == never) { /* rlx: statistic */
        uint64_t now_ns = leat_clocks_now(&engine->clocks, LEAT_TIME_BOOT);
        uint64_t pause_ns = atom_load_rlx(&trim->pause_ns); /* rlx: statistic */
        /* Nothing is carried but the time. rlx: statistic */
        if (atom_cas_rlx(&trim->next_ns, &never, now_ns + pause_ns)) {
            leat_clocks_changed(&engine->clocks);
        }
    }
}

void
leat_trim_soon(struct leat_engine *engine)
{
    atom_store_rlx(&engine->trim.next_ns, 0); /* rlx: statistic */
    leat_clocks_changed(&engine->clocks);
}

/* ---- what stands behind records -------------------------------------------------------------- */

struct part {
    unsigned char *memory;
    size_t bytes; /* of each record */
};

#define PARTS 3

static void
parts_of(const struct leat_engine *engine, struct part *parts)
{
    parts[0] = (struct part){engine->jobs.records, engine->jobs.record_bytes};
    parts[1] = (struct part){engine->inline_payloads, engine->config.payload_bytes_inline};
    parts[2] = (struct part){(unsigned char *)engine->timers.nodes, sizeof(struct leat_timer_node)};
}

static void
release(void *context, uint32_t first, uint32_t count)
{
    struct part parts[PARTS];
    parts_of(context, parts);
    for (uint32_t i = 0; i < PARTS; i++) {
        if (parts[i].bytes != 0) {
            leat_os_release(parts[i].memory + first * parts[i].bytes, count * parts[i].bytes);
        }
    }
    leat_footprint_units_gone(context, first, count);
}

/* Much more is there than the jobs need. */
static bool
pays(const struct leat_engine *engine, uint32_t in_use)
{
    struct part parts[PARTS];
    size_t there = 0;
    size_t each = 0;
    uint32_t taken = leat_slab_taken(&engine->jobs);
    parts_of(engine, parts);
    for (uint32_t i = 0; i < PARTS; i++) {
        there += leat_os_resident(parts[i].memory, parts[i].bytes * engine->jobs.capacity);
        each += parts[i].bytes;
    }
    size_t spare =
        (size_t)(taken < LEAT_TRIM_RECORDS ? LEAT_TRIM_RECORDS : taken) * each / LEAT_TRIM_PART;
    return there > in_use * each + spare;
}

/* ---- steps ----------------------------------------------------------------------------------- */

/* True: all were counted. */
static bool
count(struct leat_engine *engine)
{
    struct leat_trim *trim = &engine->trim;
    const struct leat_slab *jobs = &engine->jobs;
    for (uint32_t i = 0; i < LEAT_TRIM_STEP; i++) {
        trim->index = leat_slab_next(jobs, trim->index);
        if (trim->index == jobs->capacity) {
            return true;
        }
        uint64_t word = atom_load_rlx(leat_slab_word(jobs, trim->index)); /* rlx: statistic */
        trim->in_use += (uint32_t)(leat_word_generation(word) & 1);
        trim->index++;
    }
    return false;
}

/* All are counted: whether memory is given back. */
static bool
decide(struct leat_engine *engine)
{
    struct leat_trim *trim = &engine->trim;
    bool gives = pays(engine, trim->in_use);
    uint64_t pause_ns = atom_load_rlx(&trim->pause_ns); /* rlx: statistic */
    /* Where it is soon there again, less and less often: each trim touches all free records. */
    uint64_t longer_ns = pause_ns < LEAT_TRIM_NS_MAX ? 2 * pause_ns : pause_ns;
    atom_store_rlx(&trim->pause_ns, gives ? longer_ns : LEAT_TRIM_NS); /* rlx: statistic */
    return gives;
}

/* Returns when to come again. */
static uint64_t
step(struct leat_engine *engine, uint64_t now_ns)
{
    struct leat_trim *trim = &engine->trim;
    if (trim->phase == LEAT_TRIM_GIVES) {
        if (leat_slab_trim_step(&engine->jobs, &trim->slab, LEAT_TRIM_STEP, release, engine)) {
            return now_ns;
        }
        trim->phase = LEAT_TRIM_COUNTS;
    } else if (!count(engine)) {
        return now_ns;
    } else if (decide(engine)) {
        trim->phase = LEAT_TRIM_GIVES;
        leat_slab_trim_begin(&engine->jobs, &trim->slab);
        return now_ns;
    }
    bool many = trim->in_use >= LEAT_TRIM_RECORDS;
    trim->index = 0;
    trim->in_use = 0;
    /* They may end, and nobody need come after them. */
    return many ? now_ns + LEAT_TRIM_NS : LEAT_TIME_NEVER;
}

static uint64_t
source_next(void *context)
{
    const struct leat_engine *engine = context;
    return atom_load_rlx(&engine->trim.next_ns); /* rlx: statistic */
}

static uint64_t
source_look(void *context, uint64_t now_ns)
{
    struct leat_engine *engine = context;
    struct leat_trim *trim = &engine->trim;
    uint32_t nobody = 0;
    uint64_t next_ns = source_next(engine);
    if (next_ns > now_ns) {
        return next_ns;
    }
    /* trimmer:A acquire -> trimmed:B.  Carries: how far the last one came.
     * If relaxed: a record could be put aside, and not be listed again. */
    if (!atom_cas_acq(&trim->busy, &nobody, 1)) {
        return now_ns + LEAT_CLOCK_AGAIN_NS;
    }
    atom_store_rlx(&trim->next_ns, step(engine, now_ns)); /* rlx: statistic */
    /* trimmed:B release -> trimmer:A.  Carries: see trimmer:A.
     * If relaxed: see trimmer:A. */
    atom_store_rel(&trim->busy, 0);
    return source_next(engine);
}

struct leat_clock_source
leat_trim_source(struct leat_engine *engine)
{
    struct leat_clock_source source = {source_look, source_next, NULL, engine, LEAT_TIME_BOOT};
    return source;
}
