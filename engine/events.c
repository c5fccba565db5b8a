/* events.c - putting and telling events, see events.h. */
#include "engine/events.h"

#include <string.h>

#include "engine/logs.h"
#include "ring/mpmc.h"

/* Another thread is at it: looked again so soon. */
#define AGAIN_NS UINT64_C(1000000)

/* Letters: I set at init, then read-only; S many writers; O who drains. */
struct leat_events {
    struct leat_mpmc ready;                    /* S */
    struct leat_mpmc free;                     /* S */
    struct leat_event *slots;                  /* I each is whose hand has it */
    uint32_t slots_count;                      /* I */
    size_t bytes;                              /* I of the mapping that all of this stands in */
    LEAT_ALIGNED_LINE leat_atomic_u64 dropped; /* S since the last one told */
    leat_atomic_u64 dropped_all;               /* S */
    leat_atomic_u64 drainer;                   /* S its thread; 0: nobody */
    leat_atomic_u32 told;                      /* S the kinds that the host's function is told */
};

/* ---- putting -------------------------------------------------------------------------------- */

/* A ring of another kind than the usual one may say full while a thread is in a pop. */
static void
slot_put(struct leat_mpmc *ring, uint32_t slot)
{
    while (LEAT_UNLIKELY(!leat_mpmc_push(ring, slot))) {
        leat_os_yield();
    }
}

void
leat_events_put(struct leat_engine *engine, struct leat_event event)
{
    struct leat_events *events = engine->events;
    uint32_t slot = 0;
    if (!leat_events_wanted(engine, LEAT_EVENT_BIT(event.kind))) {
        return;
    }
    if (!leat_mpmc_pop(&events->free, &slot)) {
        (void)atom_add_rlx(&events->dropped, 1);     /* rlx: statistic */
        (void)atom_add_rlx(&events->dropped_all, 1); /* rlx: statistic */
        return;
    }
    event.time_ns = leat_clocks_now(&engine->clocks, LEAT_TIME_MONOTONIC);
    events->slots[slot] = event;
    slot_put(&events->ready, slot);
    leat_clocks_changed(&engine->clocks);
}

struct leat_event
leat_events_of(const struct leat_engine *engine, uint32_t index)
{
    const struct leat_job_record *record = leat_job_record(engine, index);
    uint64_t word = atom_load_rlx(leat_slab_word(&engine->jobs, index)); /* rlx: statistic */
    struct leat_event event = {.worker = LEAT_WORKER_NONE};
    event.id.bits = leat_word_of(leat_word_generation(word), index);
    event.type.bits = leat_job_type(record) + 1;
    event.queue.bits = leat_job_queue(record) + 1;
    event.attempt = atom_load_rlx(&record->attempts); /* rlx: statistic */
    return event;
}

void
leat_events_job(struct leat_engine *engine, uint32_t index, enum leat_event_kind kind)
{
    struct leat_event event = leat_events_of(engine, index);
    event.kind = kind;
    leat_events_put(engine, event);
}

void
leat_events_run(const struct leat_run *run, enum leat_event_kind kind)
{
    if (!leat_events_wanted(run->engine, LEAT_EVENT_BIT(kind))) {
        return;
    }
    struct leat_event event = {.kind = kind, .id = leat_run_id(run), .attempt = run->attempt};
    event.type = leat_run_type(run);
    event.queue = leat_run_queue(run);
    event.worker = leat_run_worker(run);
    leat_events_put(run->engine, event);
}

enum leat_event_kind
leat_events_end(enum leat_phase phase, enum leat_reason reason)
{
    if (phase == LEAT_PHASE_DEAD) {
        return reason == LEAT_REASON_EXPIRED ? LEAT_EVENT_EXPIRED : LEAT_EVENT_DEAD;
    }
    return phase == LEAT_PHASE_CANCELLED ? LEAT_EVENT_CANCELLED : LEAT_EVENT_COMPLETED;
}

void
leat_events_ended(struct leat_engine *engine, uint32_t index, struct leat_ending ending)
{
    struct leat_event event = leat_events_of(engine, index);
    event.kind = leat_events_end(ending.phase, ending.reason);
    event.reason = ending.reason;
    leat_events_put(engine, event);
}

void
leat_events_waited(struct leat_engine *engine, leat_job_id id, struct leat_stand stand,
                   struct leat_ending ending)
{
    const struct leat_event event = {.kind = leat_events_end(ending.phase, ending.reason),
                                     .id = id,
                                     .type = {stand.type + 1},
                                     .queue = {stand.queue + 1},
                                     .worker = LEAT_WORKER_NONE,
                                     .reason = ending.reason};
    leat_events_put(engine, event);
}

/* ---- telling -------------------------------------------------------------------------------- */

static uint64_t
self(void)
{
    return (uint64_t)pthread_self();
}

bool
leat_events_inside(const struct leat_engine *engine)
{
    /* Only this thread writes its own number. rlx: statistic */
    return engine->events != NULL && atom_load_rlx(&engine->events->drainer) == self();
}

static void
tell(struct leat_engine *engine, struct leat_event *event)
{
    const struct leat_config *config = &engine->config;
    uint32_t told = atom_load_rlx(&engine->events->told); /* rlx: statistic */
    leat_logs_event(engine, event);
    /* Others are there for their lines in the log. */
    if ((told & LEAT_EVENT_BIT(event->kind)) != 0) {
        event->dropped = atom_swap_rlx(&engine->events->dropped, 0); /* rlx: statistic */
        config->event_sink(engine, event, config->event_context);
    }
}

/* At most as many as there are slots, so that the clocks go on. False: another thread is at it. */
static bool
drain(struct leat_engine *engine)
{
    struct leat_events *events = engine->events;
    uint64_t nobody = 0;
    uint32_t slot = 0;
    /* drain_events:A acquire -> drain_events:B.  Carries: that the last one told is told.
     * If relaxed: the host's function could run twice at once, by what it can see. */
    if (!atom_cas_acq(&events->drainer, &nobody, self())) {
        return false;
    }
    for (uint32_t i = 0; i < events->slots_count && leat_mpmc_pop(&events->ready, &slot); i++) {
        struct leat_event event = events->slots[slot];
        slot_put(&events->free, slot);
        tell(engine, &event);
    }
    /* drain_events:B release -> drain_events:A.  Carries: see drain_events:A.
     * If relaxed: see drain_events:A. */
    atom_store_rel(&events->drainer, 0);
    return true;
}

void
leat_events_drain(struct leat_engine *engine)
{
    if (engine->events != NULL) {
        (void)drain(engine);
    }
}

/* ---- for the clocks ------------------------------------------------------------------------- */

static uint64_t
source_next(void *context)
{
    const struct leat_engine *engine = context;
    bool any = engine->events != NULL && leat_mpmc_ready(&engine->events->ready);
    return any ? 0 : LEAT_TIME_NEVER;
}

static uint64_t
source_look(void *context, uint64_t boot_ns)
{
    struct leat_engine *engine = context;
    if (engine->events == NULL) {
        return LEAT_TIME_NEVER;
    }
    return drain(engine) ? source_next(engine) : boot_ns + AGAIN_NS;
}

struct leat_clock_source
leat_events_source(struct leat_engine *engine)
{
    struct leat_clock_source source = {source_look, source_next, NULL, engine, LEAT_TIME_BOOT};
    return source;
}

/* ---- init, fini, check ----------------------------------------------------------------------- */

static bool
used(const struct leat_config *config)
{
    return config->event_sink != NULL || config->log_sink != NULL;
}

size_t
leat_events_bytes(const struct leat_config *concrete)
{
    size_t head = leat_round_up(sizeof(struct leat_events), LEAT_LINE_BYTES);
    size_t ring = leat_mpmc_bytes(leat_log2_up(concrete->events_max));
    return used(concrete) ? head + 2 * ring + sizeof(struct leat_event) * concrete->events_max : 0;
}

void
leat_events_select(struct leat_engine *engine, uint32_t mask)
{
    const struct leat_config *config = &engine->config;
    uint32_t wanted = config->event_sink != NULL ? mask : 0;
    if (engine->events != NULL) {
        atom_store_rlx(&engine->events->told, wanted); /* rlx: statistic */
    }
    wanted |= config->log_sink != NULL ? LEAT_LOGS_EVENTS : 0;
    wanted |= engine->durable != NULL ? LEAT_EVENTS_LOGGED : 0;
    atom_store_rlx(&engine->events_wanted, wanted); /* rlx: statistic */
}

bool
leat_events_init(struct leat_engine *engine)
{
    const struct leat_config *config = &engine->config;
    if (!used(config)) {
        leat_events_select(engine, 0);
        return true;
    }
    uint32_t slots_log2 = leat_log2_up(config->events_max);
    size_t bytes = leat_events_bytes(config);
    unsigned char *memory = leat_os_map(bytes);
    if (memory == NULL) {
        return false;
    }
    struct leat_events *events = (void *)memory;
    events->bytes = bytes;
    events->slots_count = config->events_max;
    memory += leat_round_up(sizeof(*events), LEAT_LINE_BYTES);
    struct leat_ring_config ring = {.slots_log2 = slots_log2, .memory = memory};
    leat_mpmc_init(&events->ready, &ring);
    ring.memory = memory + leat_mpmc_bytes(slots_log2);
    leat_mpmc_init(&events->free, &ring);
    events->slots = (void *)(memory + 2 * leat_mpmc_bytes(slots_log2));
    for (uint32_t i = 0; i < events->slots_count; i++) {
        slot_put(&events->free, i);
    }
    engine->events = events;
    leat_events_select(engine, config->event_mask);
    return true;
}

void
leat_events_fini(struct leat_engine *engine)
{
    if (engine->events != NULL) {
        leat_os_unmap(engine->events, engine->events->bytes);
        engine->events = NULL;
    }
}

uint64_t
leat_events_dropped(const struct leat_engine *engine)
{
    return engine->events == NULL
               ? 0
               : atom_load_rlx(&engine->events->dropped_all); /* rlx: statistic */
}

bool
leat_events_check(const struct leat_engine *engine, FILE *why)
{
    const struct leat_events *events = engine->events;
    if (events == NULL) {
        return true;
    }
    uint64_t count = leat_mpmc_count(&events->ready) + leat_mpmc_count(&events->free);
    if (count != events->slots_count && why != NULL) {
        (void)fprintf(why, "events: I1: %ju of %u slots\n", (uintmax_t)count, events->slots_count);
    }
    return count == events->slots_count && leat_mpmc_check(&events->ready, why) &&
           leat_mpmc_check(&events->free, why);
}
