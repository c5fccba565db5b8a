/* timers.c - jobs that wait for a time, see timers.h. */
#include "engine/timers.h"

/* ---- nodes ----------------------------------------------------------------------------------- */

static struct leat_timer_node *
node_of(const struct leat_engine *engine, uint32_t index)
{
    return &engine->timers.nodes[index];
}

static size_t
nodes_bytes(const struct leat_config *config)
{
    return sizeof(struct leat_timer_node) * (size_t)config->jobs_max;
}

static struct leat_wheels_config
wheels_config(const struct leat_config *config, uint64_t start_ns)
{
    return (struct leat_wheels_config){.records = config->jobs_max,
                                       .wheels = leat_config_places(config),
                                       .tick_log2 = config->timer_tick_log2,
                                       .start_ns = start_ns};
}

size_t
leat_timers_bytes(const struct leat_config *concrete)
{
    const struct leat_wheels_config wheels = wheels_config(concrete, 0);
    return nodes_bytes(concrete) + leat_wheels_bytes(&wheels);
}

/* ---- arming and cancelling ------------------------------------------------------------------- */

/* When a time comes, by BOOT. */
static uint64_t
boot_of(const struct leat_engine *engine, struct leat_due due)
{
    if (due.time == LEAT_TIME_BOOT) {
        return due.at_ns;
    }
    uint64_t wall_ns = leat_clocks_now(&engine->clocks, LEAT_TIME_WALL);
    uint64_t boot_ns = leat_clocks_now(&engine->clocks, LEAT_TIME_BOOT);
    return due.at_ns <= wall_ns ? boot_ns : leat_timers_after(boot_ns, due.at_ns - wall_ns);
}

static uint64_t
word_now(const struct leat_engine *engine, uint32_t index)
{
    /* waiting:A acquire -> change:B, cancel:A.  Carries: the record's fields.
     * If relaxed: they could be read as they were before the job waited. */
    return atom_load_acq(leat_slab_word(&engine->jobs, index));
}

static bool
waits(uint64_t word)
{
    enum leat_phase phase = leat_word_phase(word);
    return phase == LEAT_PHASE_SCHEDULED || phase == LEAT_PHASE_RETRYING;
}

/* Takes the timer off a cancelled job. Who is told that it is done has the record's place. */
static void
take_off(struct leat_engine *engine, uint32_t index)
{
    if (leat_wheel_cancel(&engine->timers.wheels, NULL, index) == LEAT_WHEEL_DONE) {
        leat_job_retire(engine, index);
    }
}

static struct leat_due
due_of(const struct leat_timer_node *node)
{
    struct leat_due due;
    due.time = (enum leat_time)atom_load_rlx(&node->time); /* rlx: hint, re-checked at word:C */
    due.at_ns = atom_load_rlx(&node->due_ns);              /* rlx: hint, re-checked at word:C */
    return due;
}

/* A timer is due before all others of its wheel. */
static void
came_first(struct leat_engine *engine, uint64_t boot_ns)
{
    leat_clocks_changed(&engine->clocks);
    /* A host's clock has no thread that would see that the time is over by now. */
    if (engine->clocks.now != NULL && boot_ns <= leat_clocks_now(&engine->clocks, LEAT_TIME_BOOT)) {
        leat_pool_due(&engine->pool);
    }
}

/* Moves a timer to where its time is by now. pre: a hold. Ends: once more only where the job was
 * run meanwhile, and waits for another time. */
static void
rearm(struct leat_engine *engine, uint32_t index)
{
    const struct leat_timer_node *node = node_of(engine, index);
    struct leat_due due = due_of(node);
    struct leat_due after = due;
    do {
        due = after;
        uint64_t boot_ns = boot_of(engine, due);
        if (leat_wheel_rearm(&engine->timers.wheels, NULL, index, boot_ns) == LEAT_WHEEL_WAKE) {
            came_first(engine, boot_ns);
        }
        after = due_of(node);
    } while (after.time != due.time || after.at_ns != due.at_ns);
}

/* pre: a hold, or the role of the wheel: what is cancelled there goes nowhere without it. */
static void
arm_on(struct leat_engine *engine, struct leat_wheel *wheel, uint32_t index, struct leat_due due)
{
    uint64_t boot_ns = boot_of(engine, due);
    enum leat_wheel_result result = leat_wheel_arm_any(wheel, index, boot_ns);
    LEAT_ASSERT(result != LEAT_WHEEL_REFUSED);
    if (result == LEAT_WHEEL_WAKE) {
        came_first(engine, boot_ns);
    }
    if (leat_word_phase(word_now(engine, index)) == LEAT_PHASE_CANCELLED) {
        take_off(engine, index);
    } else if (due.time == LEAT_TIME_WALL && boot_of(engine, due) + LEAT_CLOCK_DRIFT_NS < boot_ns) {
        /* The clock was set ahead since, and who moved all timers may have found none here. Set
         * back, it is seen when the timer expires. */
        rearm(engine, index);
    }
}

void
leat_timers_arm(struct leat_engine *engine, uint32_t index, struct leat_due due)
{
    struct leat_wheels *wheels = &engine->timers.wheels;
    struct leat_timer_node *node = node_of(engine, index);
    atom_store_rlx(&node->time, (uint32_t)due.time); /* rlx: ordered by word:A */
    atom_store_rlx(&node->due_ns, due.at_ns);        /* rlx: ordered by word:A */
    arm_on(engine, leat_wheels_at(wheels, leat_pool_shard() % wheels->count), index, due);
}

void
leat_timers_cancelled(struct leat_engine *engine, uint32_t index)
{
    take_off(engine, index);
}

void
leat_timers_release(struct leat_engine *engine)
{
    const struct leat_wheels *wheels = &engine->timers.wheels;
    for (uint32_t i = 0; i < wheels->count; i++) {
        if (leat_inbox_ready(&leat_wheels_at(wheels, i)->inbox)) {
            leat_pool_due(&engine->pool);
            return;
        }
    }
}

uint64_t
leat_timers_left(const struct leat_engine *engine, uint32_t index)
{
    const struct leat_timer_node *node = node_of(engine, index);
    /* rlx: statistic */
    enum leat_time time = (enum leat_time)atom_load_rlx(&node->time);
    uint64_t due_ns = atom_load_rlx(&node->due_ns); /* rlx: statistic */
    if (time != LEAT_TIME_BOOT && time != LEAT_TIME_WALL) {
        return 0; /* about to be armed for the first time */
    }
    uint64_t now_ns = leat_clocks_now(&engine->clocks, time);
    return due_ns > now_ns ? due_ns - now_ns : 0;
}

uint32_t
leat_timers_snoozes(const struct leat_engine *engine, uint32_t index)
{
    if (LEAT_LIKELY(!leat_job_snoozed(leat_job_record(engine, index)))) {
        return 0;
    }
    return atom_load_rlx(&node_of(engine, index)->snoozes); /* rlx: single writer */
}

void
leat_timers_snoozed(struct leat_engine *engine, uint32_t index)
{
    struct leat_job_record *record = leat_job_record(engine, index);
    uint32_t snoozes = leat_timers_snoozes(engine, index) + 1;
    atom_store_rlx(&node_of(engine, index)->snoozes, snoozes); /* rlx: ordered by change:B */
    uint8_t priority = atom_load_rlx(&record->priority);       /* rlx: single writer */
    /* rlx: ordered by change:B */
    atom_store_rlx(&record->priority, (uint8_t)(priority | LEAT_JOB_SNOOZED));
}

/* DONE and FAIL stand for themselves; RETRY for itself and for SNOOZE, as the node says. */
uint64_t
leat_timers_answer_keep(struct leat_engine *engine, uint32_t index, struct leat_outcome outcome)
{
    struct leat_timer_node *node = node_of(engine, index);
    if (outcome.kind != LEAT_OUTCOME_RETRY && outcome.kind != LEAT_OUTCOME_SNOOZE) {
        return (uint64_t)outcome.kind;
    }
    atom_store_rlx(&node->answer_kind, (uint32_t)outcome.kind); /* rlx: ordered by mark:B */
    atom_store_rlx(&node->answer_ns, outcome.delay_ns);         /* rlx: ordered by mark:B */
    return LEAT_OUTCOME_RETRY;
}

struct leat_outcome
leat_timers_answer(const struct leat_engine *engine, uint32_t index, enum leat_outcome_kind kind)
{
    const struct leat_timer_node *node = node_of(engine, index);
    if (kind != LEAT_OUTCOME_RETRY) {
        return leat_outcome_of(kind, 0);
    }
    /* rlx: ordered by mark:A */
    kind = (enum leat_outcome_kind)atom_load_rlx(&node->answer_kind);
    return leat_outcome_of(kind, atom_load_rlx(&node->answer_ns)); /* rlx: ordered by mark:A */
}

void
leat_timers_count(struct leat_engine *engine, enum leat_phase phase, int change)
{
    struct leat_timers *timers = &engine->timers;
    leat_atomic_u64 *count = phase == LEAT_PHASE_SCHEDULED ? &timers->scheduled : &timers->retrying;
    (void)atom_add_rlx(count, (uint64_t)(int64_t)change); /* rlx: statistic */
}

/* ---- what comes due -------------------------------------------------------------------------- */

/* The job goes on. False: it was cancelled. */
static bool
go_on(struct leat_engine *engine, uint32_t index, enum leat_phase from)
{
    struct leat_job_record *record = leat_job_record(engine, index);
    const struct leat_change change = {.from = from, .to = LEAT_PHASE_PENDING};
    uint32_t level = leat_job_level(record);
    uint32_t queue = leat_job_queue(record);
    bool counted = leat_job_counted(record);
    uint64_t before = 0;
    uint64_t after = 0;
    if (counted) {
        leat_queue_room_force(engine, queue);
    }
    if (record->submit_ns != 0) {
        record->submit_ns = leat_os_monotonic_ns(); /* it waits for a worker from now on */
    }
    if (!leat_job_change(leat_slab_word(&engine->jobs, index), &change, &before, &after)) {
        if (counted) {
            leat_queue_room_give(engine, queue);
        }
        return false;
    }
    leat_timers_count(engine, from, -1);
    leat_pool_put(&engine->pool, level, queue, leat_item_of(LEAT_KIND_JOB, index));
    return true;
}

/* A wheel handed the record out. */
static void
expire(struct leat_engine *engine, struct leat_wheel *wheel, uint32_t index)
{
    struct leat_timer_node *node = node_of(engine, index);
    enum leat_phase phase = leat_word_phase(word_now(engine, index));
    if (phase == LEAT_PHASE_CANCELLED) {
        leat_job_retire(engine, index);
        return;
    }
    LEAT_ASSERT(phase == LEAT_PHASE_SCHEDULED || phase == LEAT_PHASE_RETRYING);
    /* rlx: ordered by word:C */
    struct leat_due due = {(enum leat_time)atom_load_rlx(&node->time),
                           atom_load_rlx(&node->due_ns)}; /* rlx: ordered by word:C */
    if (due.time == LEAT_TIME_WALL && due.at_ns > leat_clocks_now(&engine->clocks, due.time)) {
        /* The wall clock was set back, or went slower. Not leat_wheel_arm(): a cancel may come. */
        arm_on(engine, wheel, index, due);
    } else if (!go_on(engine, index, phase)) {
        leat_job_retire(engine, index);
    }
}

/* One hold of a wheel's role, within the budget. True: there is more to do. */
static bool
advance_one(struct leat_engine *engine, struct leat_wheel *wheel)
{
    struct leat_wheel_step step = {.budget = LEAT_WHEEL_NODES_MAX};
    bool more = true;
    step.now_ns = leat_clocks_now(&engine->clocks, LEAT_TIME_BOOT);
    while (more && step.budget > 0) {
        more = leat_wheel_advance(wheel, &step);
        for (uint32_t i = 0; i < step.count; i++) {
            expire(engine, wheel, step.indices[i] & ~LEAT_WHEEL_RELEASED);
        }
    }
    return more;
}

bool
leat_timers_advance(void *context, uint32_t worker)
{
    struct leat_engine *engine = context;
    struct leat_wheels *wheels = &engine->timers.wheels;
    uint64_t now_ns = leat_clocks_now(&engine->clocks, LEAT_TIME_BOOT);
    bool held = false;
    bool more = false;
    for (uint32_t i = 0; i < wheels->count; i++) {
        struct leat_wheel *wheel = leat_wheels_at(wheels, (worker + i) % wheels->count);
        if (leat_wheel_due_ns(wheel) > now_ns || !leat_wheel_enter(wheel)) {
            continue;
        }
        held = true;
        do {
            more = advance_one(engine, wheel) || more;
        } while (!leat_wheel_leave(wheel));
    }
    /* Who was turned away everywhere says nothing: the holder does, when he is done. */
    if (held && !more) {
        leat_clocks_changed(&engine->clocks);
    }
    return more;
}

/* ---- for the clocks -------------------------------------------------------------------------- */

static uint64_t
wheels_next(void *context)
{
    const struct leat_engine *engine = context;
    const struct leat_wheels *wheels = &engine->timers.wheels;
    uint64_t next_ns = LEAT_TIME_NEVER;
    for (uint32_t i = 0; i < wheels->count; i++) {
        uint64_t due_ns = leat_wheel_due_ns(leat_wheels_at(wheels, i));
        next_ns = due_ns < next_ns ? due_ns : next_ns;
    }
    return next_ns;
}

/* The workers do it. */
static uint64_t
wheels_look(void *context, uint64_t now_ns)
{
    struct leat_engine *engine = context;
    const struct leat_wheels *wheels = &engine->timers.wheels;
    uint64_t next_ns = LEAT_TIME_NEVER;
    bool due = false;
    for (uint32_t i = 0; i < wheels->count; i++) {
        uint64_t due_ns = leat_wheel_due_ns(leat_wheels_at(wheels, i));
        due = due || due_ns <= now_ns;
        next_ns = due_ns > now_ns && due_ns < next_ns ? due_ns : next_ns;
    }
    if (due) {
        leat_pool_due(&engine->pool);
        uint64_t again_ns = now_ns + LEAT_CLOCK_AGAIN_NS;
        next_ns = again_ns < next_ns ? again_ns : next_ns;
    }
    return next_ns;
}

/* The wall clock was set: what waits for a time of day is armed anew. */
static void
wheels_moved(void *context)
{
    struct leat_engine *engine = context;
    const struct leat_slab *jobs = &engine->jobs;
    for (uint32_t i = leat_slab_next(jobs, 0); i < jobs->capacity;
         i = leat_slab_next(jobs, i + 1)) {
        struct leat_timer_node *node = node_of(engine, i);
        uint64_t word = word_now(engine, i);
        leat_job_id id = {leat_word_of(leat_word_generation(word), i)};
        uint32_t index = 0;
        /* rlx: hint, re-checked at word:C */
        if (!waits(word) || atom_load_rlx(&node->time) != LEAT_TIME_WALL ||
            leat_job_hold(engine, id, LEAT_HOLDS_TO_COMPLETE, &index) != LEAT_OK) {
            continue;
        }
        rearm(engine, index);
        leat_job_unhold(engine, index);
    }
}

/* ---- init and fini --------------------------------------------------------------------------- */

static uint64_t
host_now(enum leat_time time, void *context)
{
    const struct leat_engine *engine = context;
    const struct leat_clock *clock = &engine->config.clock;
    return clock->now((enum leat_clock_kind)time, clock->context);
}

enum leat_os_result
leat_timers_init(struct leat_engine *engine)
{
    struct leat_timers *timers = &engine->timers;
    const struct leat_config *config = &engine->config;
    engine->clocks.now = config->clock.now == NULL ? NULL : host_now;
    engine->clocks.context = engine;
    enum leat_os_result result = leat_clocks_init(&engine->clocks);
    if (result != LEAT_OS_OK) {
        return result;
    }
    timers->nodes = leat_os_map(nodes_bytes(config));
    if (timers->nodes == NULL) {
        return LEAT_OS_NO_MEMORY;
    }
    uint64_t start_ns = leat_clocks_now(&engine->clocks, LEAT_TIME_BOOT);
    const struct leat_wheels_config wheels = wheels_config(config, start_ns);
    if (!leat_wheels_init(&timers->wheels, &wheels)) {
        return LEAT_OS_NO_MEMORY;
    }
    const struct leat_clock_source source = {wheels_look, wheels_next, wheels_moved, engine,
                                             LEAT_TIME_BOOT};
    leat_clocks_add(&engine->clocks, source);
    struct leat_pool_config pool = leat_config_pool(config);
    result = leat_pool_prepare(&pool, timers->nodes, nodes_bytes(config));
    if (result == LEAT_OS_OK) {
        result = leat_pool_prepare(&pool, timers->wheels.mapping, timers->wheels.mapping_bytes);
    }
    if (result == LEAT_OS_OK) {
        const struct leat_slab *blocks = &timers->wheels.blocks;
        result = leat_pool_prepare(&pool, blocks->mapping, blocks->mapping_bytes);
    }
    return result;
}

void
leat_timers_fini(struct leat_engine *engine)
{
    struct leat_timers *timers = &engine->timers;
    if (timers->wheels.count != 0) {
        leat_wheels_fini(&timers->wheels);
    }
    if (timers->nodes != NULL) {
        leat_os_unmap(timers->nodes, nodes_bytes(&engine->config));
    }
    leat_clocks_fini(&engine->clocks);
}
