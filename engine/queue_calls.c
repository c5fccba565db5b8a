/* queue_calls.c - what a host asks of a whole queue: its limits, a purge, a drain, what is in it.
 * There is no list of a queue's jobs: they are in rings, lists, wheels and hands. So these calls go
 * over all records. Why so: docs/design/0025. */
#include "engine/durable/durable.h"
#include "engine/gates.h"
#include "engine/timers.h"

/* ---- limits --------------------------------------------------------------------------------- */

enum leat_status
leat_queue_set_limits(struct leat_engine *engine, leat_queue queue,
                      const struct leat_queue_limits *limits)
{
    const leat_tenant same = {0};
    struct leat_queue_limits known = leat_queue_limits_default();
    uint32_t index = 0;
    enum leat_status status = leat_registry_queue_check(engine, queue, &index);
    if (status == LEAT_OK && limits == NULL) {
        status = LEAT_INVALID;
    }
    if (status == LEAT_OK) {
        status = leat_struct_read(&known, sizeof(known), limits);
    }
    if (status == LEAT_OK) {
        status = leat_room_check(engine, &known, same);
    }
    if (status == LEAT_OK) {
        status = leat_room_set(engine, index, &known, same);
    }
    return leat_durable_tuned(engine, index, LEAT_TUNED_LIMITS, status);
}

/* ---- the jobs of a queue -------------------------------------------------------------------- */

struct found {
    leat_job_id id;
    enum leat_phase phase;
    uint32_t bytes; /* of its payload */
};

/* Instead of a queue: each. */
#define ANY_QUEUE UINT32_MAX

/* The first job of the queue from record *index on that has not ended. False: there is none. */
static bool
next(const struct leat_engine *engine, uint32_t queue, uint32_t *index, struct found *found)
{
    const struct leat_slab *jobs = &engine->jobs;
    /* Ends: it goes over each record once. */
    for (uint32_t i = leat_slab_next(jobs, *index); i < jobs->capacity;
         i = leat_slab_next(jobs, i + 1)) {
        /* each:A acquire -> submit:A, change:B.  Carries: the record's fields. Where they are of
         * a later job by now, the one of this word has ended, and so its id says.
         * If relaxed: those of the job before could be read. */
        uint64_t word = atom_load_acq(leat_slab_word(jobs, i));
        const struct leat_job_record *record = leat_job_record(engine, i);
        enum leat_phase phase = leat_word_phase(word);
        bool lives = (leat_word_generation(word) & 1) != 0 && phase != LEAT_PHASE_FILLING &&
                     phase < LEAT_PHASE_COMPLETED;
        if (lives && (queue == ANY_QUEUE || leat_job_queue(record) == queue)) {
            found->id.bits = leat_word_of(leat_word_generation(word), i);
            found->phase = phase;
            found->bytes = leat_job_payload_bytes(record);
            *index = i;
            return true;
        }
    }
    return false;
}

static void
purge(struct leat_engine *engine, uint32_t queue, size_t *count)
{
    struct found found;
    size_t purged = 0;
    for (uint32_t i = 0; next(engine, queue, &i, &found); i++) {
        purged += leat_job_purge(engine, found.id) ? 1 : 0;
    }
    if (count != NULL) {
        *count = purged;
    }
}

enum leat_status
leat_queue_purge(struct leat_engine *engine, leat_queue queue, size_t *count)
{
    uint32_t index = 0;
    enum leat_status status = leat_registry_queue_check(engine, queue, &index);
    if (status == LEAT_OK) {
        purge(engine, index, count);
    }
    return leat_durable_settle(engine, status);
}

enum leat_status
leat_purge_all(struct leat_engine *engine, size_t *count)
{
    enum leat_status status = leat_engine_check(engine);
    if (status == LEAT_OK) {
        purge(engine, ANY_QUEUE, count);
    }
    return leat_durable_settle(engine, status);
}

/* ---- what is in it -------------------------------------------------------------------------- */

static void
count(struct leat_queue_info *info, const struct found *found)
{
    info->waiting += found->phase == LEAT_PHASE_PENDING ? 1 : 0;
    info->waiting_bytes += found->phase == LEAT_PHASE_PENDING ? found->bytes : 0;
    info->scheduled += found->phase == LEAT_PHASE_SCHEDULED ? 1 : 0;
    info->retrying += found->phase == LEAT_PHASE_RETRYING ? 1 : 0;
    info->running += found->phase == LEAT_PHASE_RUNNING ? 1 : 0;
}

static void
info_fill(struct leat_engine *engine, uint32_t queue, struct leat_queue_info *info)
{
    uint64_t options = leat_queue_options(engine, queue);
    uint64_t gate = atom_load_rlx(&leat_gate_of(engine, queue)->word); /* rlx: statistic */
    uint32_t most = leat_gate_most(gate);
    info->priority = leat_queue_priority(options);
    info->running_max = most == LEAT_GATE_MOST ? 0 : most;
    info->paused = (gate & LEAT_GATE_STOPS) != 0;
    info->draining = (options & LEAT_QUEUE_CLOSED) != 0;
    leat_room_tell(engine, queue, info);
    struct found found;
    for (uint32_t i = 0; next(engine, queue, &i, &found); i++) {
        count(info, &found);
    }
}

enum leat_status
leat_queue_get_info(struct leat_engine *engine, leat_queue queue, struct leat_queue_info *info)
{
    uint32_t index = 0;
    enum leat_status status = leat_registry_queue_check(engine, queue, &index);
    if (status == LEAT_OK && info == NULL) {
        status = LEAT_INVALID;
    }
    if (status != LEAT_OK) {
        return status;
    }
    struct leat_queue_info filled = leat_queue_info_default();
    info_fill(engine, index, &filled);
    return leat_struct_write(info, &filled, sizeof(filled));
}

/* ---- drain ---------------------------------------------------------------------------------- */

/* A job is waited for in steps, since one that turns RETRYING rings no bell. */
#define STEP_NS UINT64_C(10000000)

static uint64_t
left_ns(uint64_t deadline_ns)
{
    uint64_t now_ns = leat_os_monotonic_ns();
    return now_ns < deadline_ns ? deadline_ns - now_ns : 0;
}

/* Whatever the wait answers, the job is looked at again. */
static void
nap(struct leat_engine *engine, leat_job_id id, uint64_t step_ns)
{
    enum leat_status unused = leat_wait(engine, id, step_ns, NULL);
    (void)unused;
}

/* Runs some of what waits, or sleeps for a while where nothing does. */
static enum leat_status
lend(struct leat_engine *engine, leat_job_id id, uint64_t step_ns)
{
    size_t ran = 0;
    (void)leat_clocks_look(&engine->clocks);
    if (!leat_pool_lend(&engine->pool, 1, &ran)) {
        return LEAT_BUSY;
    }
    if (ran == 0) {
        step_ns = step_ns < LEAT_LENT_LOOK_NS ? step_ns : LEAT_LENT_LOOK_NS;
        nap(engine, id, step_ns);
    }
    return LEAT_OK;
}

/* Waits for one job, for a while. LEAT_OK: look at it again. */
static enum leat_status
step(struct leat_engine *engine, leat_job_id id, uint64_t deadline_ns)
{
    uint64_t most_ns = left_ns(deadline_ns);
    uint64_t step_ns = most_ns < STEP_NS ? most_ns : STEP_NS;
    enum leat_engine_state state = leat_engine_state_now(engine);
    if (state != LEAT_ENGINE_RUNNING && state != LEAT_ENGINE_DRAINING) {
        return LEAT_CLOSED;
    }
    if (most_ns == 0) {
        return LEAT_TIMEOUT;
    }
    if (engine->config.workers == 0) {
        return lend(engine, id, step_ns);
    }
    nap(engine, id, step_ns);
    return LEAT_OK;
}

/* What has come due, and no lent thread has come to. Ends: each round brings some of it. */
static void
bring_due(struct leat_engine *engine)
{
    (void)leat_clocks_look(&engine->clocks);
    while (leat_timers_advance(engine, 0)) {
    }
}

/* Goes over the records once, and stays at each job until it neither waits nor runs. So does each
 * one that did at the beginning; behind it come those that handlers of this queue have submitted:
 * they are counted once they are there, while their handler still runs, so that a round at whose
 * beginning and end the count is the same has missed none. One whose time came behind the look at
 * it is found by the next round. *passed: this one stayed nowhere, and the count is the same. */
static enum leat_status
round_wait(struct leat_engine *engine, uint32_t queue, uint64_t deadline_ns, bool *passed)
{
    uint64_t within = leat_room_within(engine, queue);
    uint32_t i = 0;
    bool stayed = false;
    struct found found;
    if (engine->config.workers == 0) {
        bring_due(engine);
    }
    while (next(engine, queue, &i, &found)) {
        bool busy = found.phase == LEAT_PHASE_PENDING || found.phase == LEAT_PHASE_RUNNING;
        enum leat_status status = busy ? step(engine, found.id, deadline_ns) : LEAT_OK;
        if (status != LEAT_OK) {
            return status;
        }
        i += busy ? 0 : 1;
        stayed = stayed || busy;
    }
    *passed = !stayed && leat_room_within(engine, queue) == within;
    return LEAT_OK;
}

static enum leat_status
drain_check(struct leat_engine *engine, leat_queue queue, uint32_t *index)
{
    enum leat_status status = leat_registry_queue_check(engine, queue, index);
    enum leat_engine_state state = LEAT_ENGINE_OPEN;
    if (status == LEAT_OK && leat_engine_within(engine)) {
        status = LEAT_DEADLOCK;
    }
    if (status == LEAT_OK) {
        state = leat_engine_state_now(engine);
    }
    if (status == LEAT_OK && state != LEAT_ENGINE_RUNNING && state != LEAT_ENGINE_DRAINING) {
        status = LEAT_WRONG_STATE;
    }
    return status;
}

enum leat_status
leat_queue_drain(struct leat_engine *engine, leat_queue queue, uint64_t timeout_ns)
{
    uint32_t index = 0;
    bool passed = false;
    enum leat_status status = drain_check(engine, queue, &index);
    if (status != LEAT_OK) {
        return status;
    }
    uint64_t deadline_ns = leat_os_deadline_ns(timeout_ns);
    leat_room_close(engine, index);
    while (status == LEAT_OK && !passed) {
        status = round_wait(engine, index, deadline_ns, &passed);
    }
    if (status == LEAT_TIMEOUT) {
        leat_gates_drain(engine, index);
    }
    return status;
}

enum leat_status
leat_queue_reopen(struct leat_engine *engine, leat_queue queue)
{
    uint32_t index = 0;
    enum leat_status status = leat_registry_queue_check(engine, queue, &index);
    if (status == LEAT_OK) {
        leat_room_reopen(engine, index);
        status = leat_queue_resume(engine, queue);
    }
    return status;
}
