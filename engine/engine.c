/* engine.c - the life of an engine.
 *
 * Open    1 read the configuration  2 take memory, in any order  3 the fork page last: it is what
 *         every other call looks at first.
 * Stop    1 STOPPING under the mutex, so that no new work is taken from outside
 *         2 one grace period: submits that saw the old state are through
 *         3 halt the pool: workers end after the handler they are in
 *         4 wait until no thread is inside; past the deadline set the cancel flags and answer
 *         5 join, STOPPED, wake everyone who waits for a job
 * Waiting is done outside the mutex, so that a stop can end a drain, and a second stop can wait
 * beside the first; steps 3 and 5 are done by whoever finds that stop still under way.
 */
#include "engine/batch.h"
#include "engine/completion.h"
#include "engine/durable/durable.h"
#include "engine/events.h"
#include "engine/forked.h"
#include "engine/gather.h"
#include "engine/key_rates.h"
#include "engine/keys.h"
#include "engine/logs.h"
#include "engine/pull.h"
#include "engine/sights.h"
#include "engine/timers.h"
#include "engine/trace.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ring/rcu.h"

/* ---- small things --------------------------------------------------------------------------- */

bool
leat_engine_inside(const struct leat_engine *engine)
{
    const struct leat_worker *worker = leat_worker_current();
    return worker != NULL && worker->pool == &engine->pool;
}

bool
leat_engine_within(const struct leat_engine *engine)
{
    return leat_engine_inside(engine) || leat_acknowledges_inside(engine);
}

/* For calls that wait for handlers, or that handlers have no business to make. */
static enum leat_status
outside_check(const struct leat_engine *engine)
{
    enum leat_status status = leat_engine_check(engine);
    if (status == LEAT_OK && (leat_engine_within(engine) || leat_events_inside(engine))) {
        status = LEAT_DEADLOCK;
    }
    return status;
}

static void
state_set(struct leat_engine *engine, enum leat_engine_state state)
{
    /* state:B release -> state:A.  Carries: see state:A.
     * If relaxed: see state:A. */
    atom_store_rel(&engine->state, (uint32_t)state);
}

enum leat_status
leat_state(const struct leat_engine *engine, enum leat_engine_state *state)
{
    enum leat_status status = leat_engine_check(engine);
    if (status != LEAT_OK) {
        return status;
    }
    if (state == NULL) {
        return LEAT_INVALID;
    }
    *state = leat_engine_state_now(engine);
    return LEAT_OK;
}

enum leat_status
leat_thread_attach(struct leat_engine *engine)
{
    enum leat_status status = leat_engine_check(engine);
    if (status == LEAT_OK) {
        leat_rcu_attach();
    }
    return status;
}

/* ---- open ----------------------------------------------------------------------------------- */

static size_t
inline_bytes_of(const struct leat_config *config)
{
    return config->payload_bytes_inline * (size_t)config->jobs_max;
}

size_t
leat_engine_bytes(const struct leat_config *concrete)
{
    return sizeof(struct leat_engine) + sizeof(struct leat_place) * leat_config_places(concrete) +
           sizeof(struct leat_bell) * LEAT_BELLS + LEAT_PAGE_BYTES + inline_bytes_of(concrete) +
           (sizeof(leat_atomic_pointer) * 2) * concrete->types_max +
           sizeof(leat_atomic_pointer) * concrete->queues_max + leat_rooms_bytes(concrete) +
           leat_tenants_bytes(concrete) + leat_book_bytes(concrete->retained_max) +
           leat_book_bytes(concrete->dead_max) + leat_tally_bytes(concrete);
}

static void
hook_started(void *context, uint32_t worker)
{
    struct leat_engine *engine = context;
    leat_rcu_attach();
    if (engine->config.worker_started != NULL) {
        engine->config.worker_started(engine, worker, engine->config.hook_context);
    }
}

static void
hook_stopping(void *context, uint32_t worker)
{
    struct leat_engine *engine = context;
    if (engine->config.worker_stopping != NULL) {
        engine->config.worker_stopping(engine, worker, engine->config.hook_context);
    }
}

static enum leat_os_result
pool_open(struct leat_engine *engine)
{
    struct leat_pool_config config = leat_config_pool(&engine->config);
    config.ops.run = leat_run_item;
    config.ops.started = hook_started;
    config.ops.stopping = hook_stopping;
    config.ops.ended = leat_group_ended;
    config.ops.advance = leat_timers_advance;
    config.ops.context = engine;
    config.memory = engine->memory;
    config.jobs = &engine->jobs;
    config.lists = leat_queue_lists(engine);
    return leat_pool_init(&engine->pool, &config);
}

static enum leat_os_result
jobs_open(struct leat_engine *engine)
{
    const struct leat_config *config = &engine->config;
    struct leat_slab_config jobs = leat_config_jobs(config);
    jobs.nodes = leat_pool_nodes(&engine->pool);
    if (engine->durable != NULL) {
        engine->life = leat_durable_life(engine->durable);
        jobs.generation_start = leat_durable_generation(engine->durable);
    }
    engine->inline_bytes = inline_bytes_of(config);
    if (!leat_slab_init(&engine->jobs, &jobs)) {
        return LEAT_OS_NO_MEMORY;
    }
    if (engine->inline_bytes != 0) {
        engine->inline_payloads = leat_os_map(engine->inline_bytes);
        if (engine->inline_payloads == NULL) {
            return LEAT_OS_NO_MEMORY;
        }
        leat_slab_spread(&engine->jobs, engine->inline_payloads, config->payload_bytes_inline);
    }
    struct leat_pool_config pool = leat_config_pool(config);
    enum leat_os_result result =
        leat_pool_prepare(&pool, engine->jobs.mapping, engine->jobs.mapping_bytes);
    if (result == LEAT_OS_OK && engine->inline_bytes != 0) {
        result = leat_pool_prepare(&pool, engine->inline_payloads, engine->inline_bytes);
    }
    return result;
}

static enum leat_os_result
parts_open(struct leat_engine *engine)
{
    const struct leat_memory *memory = &engine->memory;
    size_t places = sizeof(struct leat_place) * leat_config_places(&engine->config);
    engine->places = engine->durable != NULL ? leat_durable_places(engine->durable)
                                             : leat_memory_take_lines(memory, places);
    engine->bells = leat_memory_take_lines(memory, sizeof(struct leat_bell) * LEAT_BELLS);
    bool made = leat_schedules_init(engine); /* first, for its part of a close */
    if (!made || engine->places == NULL || engine->bells == NULL || !leat_retention_init(engine)) {
        return LEAT_OS_NO_MEMORY;
    }
    enum leat_os_result result = pool_open(engine); /* it knows the nodes of memory */
    if (result == LEAT_OS_OK) {
        result = jobs_open(engine);
    }
    if (result == LEAT_OS_OK) {
        result = leat_timers_init(engine);
        leat_clocks_add(&engine->clocks, leat_watch_source(engine));
        leat_sweep_init(&engine->sweep);
        leat_clocks_add(&engine->clocks, leat_sweep_source(engine));
        leat_trim_init(engine);
        leat_clocks_add(&engine->clocks, leat_trim_source(engine));
        leat_clocks_add(&engine->clocks, leat_gather_source(engine));
        leat_clocks_add(&engine->clocks, leat_retention_source(engine));
        leat_breakers_init(engine);
        leat_clocks_add(&engine->clocks, leat_breakers_source(engine));
        leat_clocks_add(&engine->clocks, leat_key_rates_source(engine));
        leat_clocks_add(&engine->clocks, leat_vitals_source(engine));
        leat_logs_init(engine);
        leat_thresholds_init(engine);
        leat_clocks_add(&engine->clocks, leat_thresholds_source(engine));
        if (engine->footprint.counted) {
            leat_clocks_add(&engine->clocks, leat_footprint_source(engine));
        }
        leat_clocks_add(&engine->clocks, leat_events_source(engine)); /* last: of the others */
    }
    if (result == LEAT_OS_OK && !(leat_events_init(engine) && leat_buckets_init(engine))) {
        result = LEAT_OS_NO_MEMORY;
    }
    if (result == LEAT_OS_OK && !(leat_rooms_init(engine) && leat_tenants_init(engine))) {
        result = LEAT_OS_NO_MEMORY;
    }
    if (result == LEAT_OS_OK && !(leat_registry_init(engine) && leat_claims_init(engine))) {
        result = LEAT_OS_NO_MEMORY;
    }
    if (result == LEAT_OS_OK && !leat_tally_init(engine)) {
        result = LEAT_OS_NO_MEMORY;
    }
    if (result == LEAT_OS_OK) {
        engine->alive_page = leat_os_map_wiped_on_fork();
        engine->alive = engine->alive_page;
        result = engine->alive == NULL ? LEAT_OS_FAILED : LEAT_OS_OK;
    }
    return result;
}

/* Records in use hold payloads and results from the allocator. */
static void
records_free(struct leat_engine *engine)
{
    const struct leat_slab *jobs = &engine->jobs;
    for (uint32_t i = leat_slab_next(jobs, 0); i < jobs->capacity;
         i = leat_slab_next(jobs, i + 1)) {
        uint64_t word = atom_load_rlx(leat_slab_word(&engine->jobs, i)); /* rlx: single writer */
        bool in_use = (leat_word_generation(word) & 1) != 0;
        if (in_use && leat_word_phase(word) != LEAT_PHASE_GONE) {
            leat_job_reclaim(engine, i);
        }
    }
}

static void
parts_close(struct leat_engine *engine)
{
    const struct leat_memory memory = engine->memory;
    const struct leat_memory below = engine->footprint.below;
    if (engine->jobs.mapping != NULL) {
        leat_keys_fini(engine);
        leat_key_rates_fini(engine);
        leat_sights_fini(engine);
        records_free(engine);
    }
    leat_claims_fini(engine);
    leat_schedules_fini(engine);
    leat_completions_fini(engine);
    leat_buckets_fini(engine);
    leat_timers_fini(engine);
    leat_events_fini(engine);
    leat_os_unmap(engine->alive_page, LEAT_PAGE_BYTES);
    if (engine->pool.places != 0) {
        leat_pool_fini(&engine->pool);
    }
    leat_os_unmap(engine->inline_payloads, engine->inline_bytes);
    leat_slab_fini(&engine->jobs);
    leat_retention_fini(engine);
    leat_registry_fini(engine);
    leat_tenants_fini(engine);
    leat_rooms_fini(engine);
    leat_memory_give(&memory, engine->bells, sizeof(struct leat_bell) * LEAT_BELLS);
    if (engine->durable == NULL) {
        leat_memory_give(&memory, engine->places,
                         sizeof(struct leat_place) * leat_config_places(&engine->config));
    }
    leat_tally_fini(engine);
    leat_vitals_fini(engine);
    leat_reserves_fini(engine);
    leat_footprint_fini(engine);
    leat_durable_close(engine->durable);
    leat_mutex_fini(&engine->mutex);
    leat_memory_give(&below, engine, sizeof(*engine));
}

static enum leat_status
open_failed(enum leat_os_result result, struct leat_error *error)
{
    switch (result) {
    case LEAT_OS_REFUSED:
        return leat_error_set(error, LEAT_REFUSED, "lock_memory",
                              "was refused by the system: raise the limit on locked memory");
    case LEAT_OS_NO_MEMORY:
        return leat_error_set(error, LEAT_NO_MEMORY, "", "no memory for the engine");
    case LEAT_OS_OK:
    case LEAT_OS_FAILED:
        break;
    }
    return leat_error_set(error, LEAT_SYSTEM, "",
                          "the system lacks what is needed: Linux 4.14 or later");
}

/* So much is there before anything is submitted. */
static enum leat_status
cap_failed(uint64_t used, struct leat_error *error)
{
    char text[sizeof(error->text)];
    (void)snprintf(text, sizeof(text),
                   "is too little: an engine of this configuration has %" PRIu64
                   " bytes when it is opened, and a sixteenth is kept for accepted jobs",
                   used);
    return leat_error_set(error, LEAT_INVALID, "memory_max", text);
}

static void *
nothing_run(void *argument)
{
    return argument;
}

/* Whether threads can have the priority that is asked for is known by one that has it: rights,
 * limits and control groups all have a say. */
static enum leat_status
schedule_check(const struct leat_config *config, struct leat_error *error)
{
    char text[sizeof(error->text)];
    pthread_t thread;
    struct leat_os_thread_config probe = {.run = nothing_run};
    probe.schedule = leat_config_schedule(config);
    if (probe.schedule.policy == LEAT_OS_POLICY_INHERIT || config->workers == 0) {
        return LEAT_OK;
    }
    enum leat_os_result result = leat_os_thread_start(&thread, &probe);
    if (result == LEAT_OS_OK) {
        leat_os_thread_join(thread);
        return LEAT_OK;
    }
    uint32_t limit = leat_os_realtime_limit();
    uint32_t wanted = config->scheduling_priority;
    if (limit < wanted) {
        (void)snprintf(text, sizeof(text),
                       "was refused by the system: it wants CAP_SYS_NICE, or RLIMIT_RTPRIO of at "
                       "least %u, which is %u",
                       wanted, limit);
    } else {
        (void)snprintf(text, sizeof(text),
                       "was refused by the system, though RLIMIT_RTPRIO is %u: the control group "
                       "has no real-time run time, or there are too many threads",
                       limit);
    }
    return leat_error_set(error, leat_status_of(result), "scheduling", text);
}

static enum leat_status
engine_open(const struct leat_config *config, struct leat_engine **engine, struct leat_error *say)
{
    struct leat_config concrete;
    enum leat_status status = leat_config_read(&concrete, config, say);
    if (status == LEAT_OK) {
        status = schedule_check(&concrete, say);
    }
    if (status != LEAT_OK) {
        return status;
    }
    struct leat_memory memory = leat_config_memory(&concrete);
    struct leat_durable *durable = NULL;
    if (concrete.log_directory != NULL) {
        status = leat_durable_open(&concrete, &memory, say, &durable);
        if (status != LEAT_OK) {
            return leat_config_explain_log(&concrete, status, say);
        }
    }
    struct leat_engine *opened = leat_memory_take_lines(&memory, sizeof(*opened));
    if (opened == NULL) {
        leat_durable_close(durable);
        return open_failed(LEAT_OS_NO_MEMORY, say);
    }
    opened->durable = durable;
    opened->submits = durable != NULL        ? LEAT_SUBMITS_DURABLE
                      : concrete.inline_mode ? LEAT_SUBMITS_INLINE
                                             : LEAT_SUBMITS_PLAIN;
    opened->config = concrete;
    leat_footprint_init(opened, &memory);
    opened->seed = leat_os_monotonic_ns() ^ (uintptr_t)opened;
    leat_mutex_init(&opened->mutex);
    leat_reserves_init(opened);
    leat_vitals_init(opened);
    enum leat_os_result result = parts_open(opened);
    if (result != LEAT_OS_OK) {
        parts_close(opened);
        return open_failed(result, say);
    }
    status = leat_footprint_open(opened);
    if (status != LEAT_OK) {
        const uint64_t used = leat_footprint_used(&opened->footprint);
        parts_close(opened);
        return status == LEAT_FULL ? cap_failed(used, say) : open_failed(LEAT_OS_NO_MEMORY, say);
    }
    leat_trace_init(opened);
    leat_windows_init(&opened->windows, opened->pool.places);
    opened->config.worker_name = NULL; /* the pool has its copy */
    opened->config.log_directory = NULL;
    opened->config.log_key_file = NULL;
    state_set(opened, LEAT_ENGINE_OPEN);
    atom_store_rlx(opened->alive, 1); /* rlx: not shared yet */
    if (durable != NULL) {
        status = leat_durable_begin(opened, say);
        if (status != LEAT_OK) {
            leat_durable_end(opened);
            parts_close(opened);
            return status;
        }
    }
    leat_footprint_begin(opened);
    *engine = opened;
    return leat_error_set(say, LEAT_OK, "", "ok");
}

enum leat_status
leat_open(const struct leat_config *config, struct leat_engine **engine, struct leat_error *error)
{
    struct leat_error unused;
    struct leat_error *say = error == NULL ? &unused : error;
    if (engine == NULL) {
        return leat_error_set(say, LEAT_INVALID, "engine", "must not be NULL");
    }
    if (!leat_forked_enter()) {
        return leat_error_set(say, LEAT_FORKED, "",
                              "this process was forked while its parent had an engine open: it "
                              "may have one of its own behind exec() only");
    }
    enum leat_status status = engine_open(config, engine, say);
    if (status != LEAT_OK) {
        leat_forked_leave();
    }
    return status;
}

/* ---- start, drain, stop, close -------------------------------------------------------------- */

/* The thread of the clocks, where there are workers for what comes due. */
static enum leat_os_result
clocks_start(struct leat_engine *engine)
{
    struct leat_os_thread_config config = {.run = NULL};
    if (engine->config.workers == 0) {
        return LEAT_OS_OK;
    }
    leat_pool_side_thread(&engine->pool, "clock", &config);
    return leat_clocks_start(&engine->clocks, &config);
}

static enum leat_status
threads_start(struct leat_engine *engine)
{
    enum leat_os_result result = clocks_start(engine);
    if (result == LEAT_OS_OK) {
        result = leat_pool_start(&engine->pool);
        if (result != LEAT_OS_OK) {
            leat_clocks_stop(&engine->clocks);
        }
    }
    return leat_status_of(result);
}

enum leat_status
leat_start(struct leat_engine *engine)
{
    enum leat_status status = outside_check(engine);
    if (status != LEAT_OK) {
        return status;
    }
    leat_mutex_lock(&engine->mutex);
    enum leat_engine_state state = leat_engine_state_now(engine);
    if (state == LEAT_ENGINE_OPEN || state == LEAT_ENGINE_STOPPED) {
        atom_store_rlx(&engine->stop_expired, 0); /* rlx: statistic */
        /* First, so that the first handler finds it running. */
        state_set(engine, LEAT_ENGINE_RUNNING);
        status = threads_start(engine);
        if (status == LEAT_OK) {
            leat_vitals_started(engine);
        } else {
            state_set(engine, state);
            leat_bells_ring_all(engine);
        }
    } else {
        status = LEAT_WRONG_STATE;
    }
    leat_mutex_unlock(&engine->mutex);
    return status;
}

/* LEAT_BUSY: a worker is on its way out of a place that is needed. */
static enum leat_status
workers_set(struct leat_engine *engine, uint32_t count)
{
    bool again = false;
    switch (leat_engine_state_now(engine)) {
    case LEAT_ENGINE_OPEN:
    case LEAT_ENGINE_STOPPED:
        leat_pool_plan(&engine->pool, count);
        return LEAT_OK;
    case LEAT_ENGINE_STOPPING:
        return LEAT_CLOSED;
    case LEAT_ENGINE_RUNNING:
    case LEAT_ENGINE_DRAINING:
        break;
    }
    enum leat_status status = leat_status_of(leat_pool_resize(&engine->pool, count, &again));
    return again ? LEAT_BUSY : status;
}

enum leat_status
leat_workers_set(struct leat_engine *engine, uint32_t count)
{
    enum leat_status status = outside_check(engine);
    if (status != LEAT_OK) {
        return status;
    }
    if (engine->config.workers == 0) {
        return LEAT_WRONG_STATE;
    }
    if (count == 0 || count > engine->config.workers_max) {
        return LEAT_INVALID;
    }
    status = leat_reserves_workers(engine, count);
    if (status != LEAT_OK) {
        return status;
    }
    /* Waiting is done outside the mutex: what is waited for is a hook of the host's. */
    for (;;) {
        leat_mutex_lock(&engine->mutex);
        uint32_t event = leat_pool_left_event(&engine->pool);
        status = workers_set(engine, count);
        leat_mutex_unlock(&engine->mutex);
        if (status == LEAT_OK) {
            return status;
        }
        if (status != LEAT_BUSY) {
            uint32_t active = atom_load_rlx(&engine->pool.active); /* rlx: statistic */
            (void)leat_reserves_workers(engine, active);
            return status;
        }
        leat_pool_left_wait(&engine->pool, event);
    }
}

/* One round of a drain, after its event was read. LEAT_EMPTY: not yet. */
static enum leat_status
drain_look(struct leat_engine *engine, uint64_t deadline_ns)
{
    if (leat_engine_state_now(engine) != LEAT_ENGINE_DRAINING) {
        return LEAT_CLOSED;
    }
    if (leat_pool_quiet(&engine->pool, &engine->outside.awaited)) {
        return LEAT_OK;
    }
    return leat_os_monotonic_ns() >= deadline_ns ? LEAT_TIMEOUT : LEAT_EMPTY;
}

/* With no workers the caller runs the work. What other lent threads and completions bring is no
 * event, so it looks for that now and then. */
static enum leat_status
drain_lent(struct leat_engine *engine, uint64_t deadline_ns)
{
    for (;;) {
        size_t ran = 0;
        uint32_t event = leat_pool_watch_event(&engine->pool);
        (void)leat_clocks_look(&engine->clocks);
        enum leat_status status = drain_look(engine, deadline_ns);
        if (status != LEAT_EMPTY) {
            return status;
        }
        if (!leat_pool_lend(&engine->pool, 1, &ran)) {
            return LEAT_BUSY;
        }
        if (ran == 0) {
            uint64_t soon_ns = leat_os_deadline_ns(LEAT_LENT_LOOK_NS);
            leat_pool_watch_wait(&engine->pool, event,
                                 soon_ns < deadline_ns ? soon_ns : deadline_ns);
        }
    }
}

static enum leat_status
drain_workers(struct leat_engine *engine, uint64_t deadline_ns)
{
    for (;;) {
        uint32_t event = leat_pool_watch_event(&engine->pool);
        enum leat_status status = drain_look(engine, deadline_ns);
        if (status != LEAT_EMPTY) {
            return status;
        }
        leat_pool_watch_wait(&engine->pool, event, deadline_ns);
    }
}

enum leat_status
leat_drain(struct leat_engine *engine, uint64_t timeout_ns)
{
    enum leat_status status = outside_check(engine);
    if (status != LEAT_OK) {
        return status;
    }
    uint64_t deadline_ns = leat_os_deadline_ns(timeout_ns);
    leat_mutex_lock(&engine->mutex);
    enum leat_engine_state state = leat_engine_state_now(engine);
    bool may = state == LEAT_ENGINE_RUNNING || state == LEAT_ENGINE_DRAINING;
    if (may) {
        state_set(engine, LEAT_ENGINE_DRAINING);
        leat_pull_tell_all(engine);
        leat_bells_ring_all(engine); /* for submits that wait for room */
    }
    leat_mutex_unlock(&engine->mutex);
    if (!may) {
        return LEAT_WRONG_STATE;
    }
    leat_rcu_wait(&engine->domain);
    leat_gather_hurry(engine);
    leat_pool_watch(&engine->pool);
    status = engine->config.workers == 0 ? drain_lent(engine, deadline_ns)
                                         : drain_workers(engine, deadline_ns);
    leat_pool_unwatch(&engine->pool);
    return status;
}

/* Begins a stop, or joins one that is under way. False: the engine is stopped. Stops are numbered,
 * so that one that slept through another's end and a new start does not touch what came after. */
static bool
stop_begin(struct leat_engine *engine, uint64_t *round)
{
    leat_mutex_lock(&engine->mutex);
    enum leat_engine_state state = leat_engine_state_now(engine);
    if (state == LEAT_ENGINE_RUNNING || state == LEAT_ENGINE_DRAINING) {
        state_set(engine, LEAT_ENGINE_STOPPING);
        leat_pull_tell_all(engine);
        leat_bells_ring_all(engine);
        state = LEAT_ENGINE_STOPPING;
        engine->stop_round++;
        leat_vitals_stopping(engine);
    } else if (state == LEAT_ENGINE_OPEN) {
        state_set(engine, LEAT_ENGINE_STOPPED);
        leat_bells_ring_all(engine);
    }
    *round = engine->stop_round;
    leat_mutex_unlock(&engine->mutex);
    return state == LEAT_ENGINE_STOPPING;
}

/* Locks, and says whether this stop is still the one under way. */
static bool
stop_lock(struct leat_engine *engine, uint64_t round)
{
    leat_mutex_lock(&engine->mutex);
    return leat_engine_state_now(engine) == LEAT_ENGINE_STOPPING && engine->stop_round == round;
}

enum leat_status
leat_stop(struct leat_engine *engine, uint64_t timeout_ns)
{
    uint64_t round = 0;
    enum leat_status status = outside_check(engine);
    if (status != LEAT_OK) {
        return status;
    }
    uint64_t deadline_ns = leat_os_deadline_ns(timeout_ns);
    bool stopping = stop_begin(engine, &round);
    leat_rcu_wait(&engine->domain);
    if (!stopping) {
        return LEAT_OK;
    }
    if (stop_lock(engine, round)) {
        leat_pool_halt(&engine->pool);
    }
    leat_mutex_unlock(&engine->mutex);
    bool empty = leat_pool_wait_empty(&engine->pool, deadline_ns);
    if (stop_lock(engine, round)) {
        if (empty) {
            leat_pool_join(&engine->pool);
            leat_clocks_stop(&engine->clocks);
            leat_vitals_stopped(engine);
            state_set(engine, LEAT_ENGINE_STOPPED);
            leat_bells_ring_all(engine);
        } else {
            atom_store_rlx(&engine->stop_expired, 1); /* rlx: statistic */
            status = LEAT_TIMEOUT;
        }
    }
    leat_mutex_unlock(&engine->mutex);
    leat_events_drain(engine);
    return status;
}

enum leat_status
leat_close(struct leat_engine *engine)
{
    if (engine == NULL) {
        return LEAT_OK;
    }
    enum leat_status status = outside_check(engine);
    if (status != LEAT_OK) {
        return status;
    }
    enum leat_engine_state state = leat_engine_state_now(engine);
    if (state != LEAT_ENGINE_OPEN && state != LEAT_ENGINE_STOPPED) {
        return LEAT_WRONG_STATE;
    }
    /* What calls of the host's submit is refused from now on. */
    state_set(engine, LEAT_ENGINE_STOPPED);
    leat_durable_end(engine);
    leat_events_drain(engine); /* of what no clock and no stop came by: jobs cancelled since then */
    parts_close(engine);
    leat_forked_leave();
    return LEAT_OK;
}

/* ---- threads lent by the host --------------------------------------------------------------- */

enum leat_status
leat_run_some(struct leat_engine *engine, size_t budget, size_t *ran)
{
    enum leat_status status = outside_check(engine);
    if (status != LEAT_OK) {
        return status;
    }
    if (budget == 0) {
        return LEAT_INVALID;
    }
    enum leat_engine_state state = leat_engine_state_now(engine);
    if (state == LEAT_ENGINE_STOPPED || state == LEAT_ENGINE_STOPPING) {
        return LEAT_CLOSED;
    }
    if (state == LEAT_ENGINE_OPEN || engine->config.workers != 0) {
        return LEAT_WRONG_STATE;
    }
    size_t count = 0;
    (void)leat_clocks_look(&engine->clocks);
    if (!leat_pool_lend(&engine->pool, budget, &count)) {
        return LEAT_BUSY;
    }
    if (count == 0) {
        return LEAT_EMPTY;
    }
    if (ran != NULL) {
        *ran = count;
    }
    return LEAT_OK;
}

enum leat_status
leat_next_due(struct leat_engine *engine, uint64_t *delay_ns)
{
    enum leat_status status = leat_engine_check(engine);
    if (status != LEAT_OK) {
        return status;
    }
    if (delay_ns == NULL) {
        return LEAT_INVALID;
    }
    *delay_ns = leat_pool_work_waits(&engine->pool) ? 0 : leat_clocks_next(&engine->clocks);
    return LEAT_OK;
}

enum leat_status
leat_clock_changed(struct leat_engine *engine)
{
    enum leat_status status = leat_engine_check(engine);
    if (status == LEAT_OK) {
        (void)leat_clocks_look(&engine->clocks);
        leat_batch_clock_changed(engine);
    }
    return status;
}
