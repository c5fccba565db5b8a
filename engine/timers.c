/* timers.c - jobs that wait for a time, see timers.h. */
#include "engine/timers.h"

#include "engine/gates.h"
#include "engine/gather.h"
#include "engine/pending.h"

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

/* ---- when ------------------------------------------------------------------------------------ */

#define BY_WALL (UINT64_C(1) << 63)

struct leat_due
leat_timers_due(const struct leat_engine *engine, uint64_t delay_ns, uint64_t run_at_ns)
{
    struct leat_due due = {.at_ns = 0};
    if (delay_ns != 0) {
        due.time = LEAT_TIME_BOOT;
        due.at_ns = leat_timers_after(leat_clocks_now(&engine->clocks, due.time), delay_ns);
    } else if (run_at_ns > leat_clocks_now(&engine->clocks, LEAT_TIME_WALL)) {
        due.time = LEAT_TIME_WALL;
        due.at_ns = run_at_ns;
    }
    return due;
}

void
leat_timers_set(struct leat_engine *engine, uint32_t index, struct leat_due due)
{
    uint64_t word = due.at_ns < BY_WALL ? due.at_ns : BY_WALL - 1; /* in the year 2262 */
    word |= due.time == LEAT_TIME_WALL ? BY_WALL : 0;
    atom_store_rlx(&node_of(engine, index)->due, word); /* rlx: ordered by word:A */
}

static uint64_t
left(const struct leat_engine *engine, struct leat_due due)
{
    if (due.at_ns == 0) {
        return 0;
    }
    uint64_t now_ns = leat_clocks_now(&engine->clocks, due.time);
    return due.at_ns > now_ns ? due.at_ns - now_ns : 0;
}

/* ---- arming and cancelling ------------------------------------------------------------------- */

/* When a time comes, by BOOT; 0: it is over. */
static uint64_t
boot_of(const struct leat_engine *engine, struct leat_due due)
{
    if (due.time == LEAT_TIME_BOOT) {
        return due.at_ns;
    }
    uint64_t wall_ns = leat_clocks_now(&engine->clocks, LEAT_TIME_WALL);
    uint64_t boot_ns = leat_clocks_now(&engine->clocks, LEAT_TIME_BOOT);
    return due.at_ns <= wall_ns ? 0 : leat_timers_after(boot_ns, due.at_ns - wall_ns);
}

static uint64_t
word_now(const struct leat_engine *engine, uint32_t index)
{
    /* waiting:A acquire -> change:B, mark:B, end:A, cancel:A, claim:B, changed:A.
     * Carries: the record's fields.
     * If relaxed: they could be read as they were before the job waited. */
    return atom_load_acq(leat_slab_word(&engine->jobs, index));
}

static bool
waits(uint64_t word)
{
    enum leat_phase phase = leat_word_phase(word);
    return phase == LEAT_PHASE_SCHEDULED || phase == LEAT_PHASE_RETRYING || leat_word_pending(word);
}

/* What a job waits for, where its word says that it does. */
static struct leat_due
due_of(const struct leat_engine *engine, uint32_t index)
{
    struct leat_due due = {LEAT_TIME_BOOT, 0};
    uint64_t job = word_now(engine, index);
    if (leat_word_phase(job) == LEAT_PHASE_RUNNING) {
        due.at_ns = leat_word_pending(job) ? leat_pending_until_ns(engine, index) : 0;
        return due;
    }
    /* rlx: hint, re-checked at word:C */
    uint64_t word = atom_load_rlx(&node_of(engine, index)->due);
    due.time = (word & BY_WALL) != 0 ? LEAT_TIME_WALL : LEAT_TIME_BOOT;
    due.at_ns = word & ~BY_WALL;
    return due;
}

/* Takes the timer off a job that does not wait for it any more. True: its wheel hands the record
 * out; that it does so before it is due is seen to now and then, and by who needs it. */
static bool
take_off(struct leat_engine *engine, uint32_t index)
{
    struct leat_timers *timers = &engine->timers;
    if (leat_wheel_cancel(&timers->wheels, NULL, index) != LEAT_WHEEL_LATER) {
        return false;
    }
    /* rlx: statistic */
    if (atom_add_rlx(&timers->taken_off, 1) % LEAT_TIMERS_OFF == LEAT_TIMERS_OFF - 1) {
        leat_pool_due(&engine->pool);
    }
    return true;
}

/* A timer was armed, or moved. One that is due by now is on its way: a drain that comes by from now
 * on waits for it. */
static void
tell(struct leat_engine *engine, uint64_t boot_ns, enum leat_wheel_result result)
{
    if (boot_ns == 0) {
        leat_pool_due(&engine->pool);
        return;
    }
    if (result != LEAT_WHEEL_WAKE) {
        return;
    }
    /* It is due before all others of its wheel. */
    leat_clocks_changed(&engine->clocks);
    /* A host's clock has no thread that would see that the time is over by now. */
    if (engine->clocks.now != NULL && boot_ns <= leat_clocks_now(&engine->clocks, LEAT_TIME_BOOT)) {
        leat_pool_due(&engine->pool);
    }
}

static bool
same(struct leat_due one, struct leat_due other)
{
    return one.time == other.time && one.at_ns == other.at_ns;
}

/* Moves a timer to where its time is by now. False: it is not armed. pre: a hold. Ends: once more
 * only where the job was changed meanwhile, or run, and waits for another time. */
static bool
rearm(struct leat_engine *engine, uint32_t index)
{
    enum leat_wheel_result result = LEAT_WHEEL_REFUSED;
    struct leat_due due;
    struct leat_due after = due_of(engine, index);
    do {
        due = after;
        uint64_t boot_ns = boot_of(engine, due);
        result = leat_wheel_rearm(&engine->timers.wheels, NULL, index, boot_ns);
        if (result != LEAT_WHEEL_REFUSED) {
            tell(engine, boot_ns, result);
        }
        after = due_of(engine, index);
    } while (!same(due, after));
    return result != LEAT_WHEEL_REFUSED;
}

/* pre: a hold, or the role of the wheel: what is cancelled there goes nowhere without it. */
static void
arm_on(struct leat_engine *engine, struct leat_wheel *wheel, uint32_t index, struct leat_due due)
{
    uint64_t boot_ns = boot_of(engine, due);
    enum leat_wheel_result result = leat_wheel_arm_any(wheel, index, boot_ns);
    LEAT_ASSERT(result != LEAT_WHEEL_REFUSED);
    tell(engine, boot_ns, result);
    uint64_t word = word_now(engine, index);
    if (!waits(word)) {
        /* Who completed it found nothing to take off, and its next attempt must not wait. */
        if (take_off(engine, index)) {
            leat_pool_due(&engine->pool);
        }
    } else if (!same(due_of(engine, index), due) ||
               (due.time == LEAT_TIME_WALL &&
                boot_of(engine, due) + LEAT_CLOCK_DRIFT_NS < boot_ns)) {
        /* It was completed, or changed, and waits for another time. Or the clock was set ahead
         * since, and who moved all timers may have found none here. Set back, that is seen at the
         * expiry. */
        (void)rearm(engine, index);
    }
}

void
leat_timers_arm(struct leat_engine *engine, uint32_t index)
{
    struct leat_wheels *wheels = &engine->timers.wheels;
    struct leat_wheel *wheel = leat_wheels_at(wheels, leat_pool_shard() % wheels->count);
    arm_on(engine, wheel, index, due_of(engine, index));
}

void
leat_timers_arm_late(struct leat_engine *engine, uint32_t index)
{
    leat_timers_arm(engine, index);
    if (left(engine, due_of(engine, index)) == 0) {
        leat_pool_due(&engine->pool);
    }
}

bool
leat_timers_move(struct leat_engine *engine, uint32_t index)
{
    return rearm(engine, index);
}

void
leat_timers_cancelled(struct leat_engine *engine, uint32_t index)
{
    (void)take_off(engine, index);
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

struct leat_due
leat_timers_due_of(const struct leat_engine *engine, uint32_t index)
{
    return due_of(engine, index);
}

uint64_t
leat_timers_left(const struct leat_engine *engine, uint32_t index)
{
    return left(engine, due_of(engine, index));
}

uint32_t
leat_timers_snoozes_slowly(const struct leat_engine *engine, uint32_t index)
{
    return atom_load_rlx(&node_of(engine, index)->snoozes); /* rlx: single writer */
}

void
leat_timers_snoozed(struct leat_engine *engine, uint32_t index, int change)
{
    struct leat_job_record *record = leat_job_record(engine, index);
    uint32_t snoozes = leat_timers_snoozes(engine, index) + (uint32_t)change;
    atom_store_rlx(&node_of(engine, index)->snoozes, snoozes); /* rlx: ordered by change:B */
    (void)atom_or_rlx(&record->priority, LEAT_JOB_SNOOZED);    /* rlx: ordered by inbox:A */
}

/* ---- answers that wait for their handler's ----------------------------------------------------
 *
 * Word: number of the run 16 | SNOOZE | COARSE | delay 46, in ns; COARSE: in units of 2^15 ns, for
 * what is above 19 hours; all ones: of the policy. With the number it is never what it was before:
 * so a swap fails where the completion of a later run has been here since. */

#define ANSWER_RUN_SHIFT    48
#define ANSWER_SNOOZE       (UINT64_C(1) << 47)
#define ANSWER_COARSE       (UINT64_C(1) << 46)
#define ANSWER_COARSE_SHIFT 15
#define ANSWER_DELAY        (ANSWER_COARSE - 1)

static uint64_t
answer_word(uint32_t number, struct leat_outcome outcome)
{
    uint64_t word = (uint64_t)number << ANSWER_RUN_SHIFT;
    word |= outcome.kind == LEAT_OUTCOME_SNOOZE ? ANSWER_SNOOZE : 0;
    if (outcome.delay_ns < ANSWER_DELAY) {
        return word | outcome.delay_ns;
    }
    if (outcome.kind == LEAT_OUTCOME_RETRY && outcome.delay_ns == LEAT_DELAY_OF_POLICY) {
        return word | ANSWER_DELAY;
    }
    uint64_t units = ((outcome.delay_ns - 1) >> ANSWER_COARSE_SHIFT) + 1;
    return word | ANSWER_COARSE | (units < ANSWER_DELAY ? units : ANSWER_DELAY);
}

/* DONE and FAIL stand for themselves; RETRY for itself and for SNOOZE, as the word says. */
uint64_t
leat_timers_answer_keep(const struct leat_run *run, struct leat_outcome outcome)
{
    const uint64_t bits = LEAT_WORD_CLAIMED | LEAT_WORD_ATTEMPT;
    leat_atomic_u64 *answer = &node_of(run->engine, run->index)->answer;
    if (outcome.kind != LEAT_OUTCOME_RETRY && outcome.kind != LEAT_OUTCOME_SNOOZE) {
        return (uint64_t)outcome.kind;
    }
    /* answer:A acquire -> answer:B.  Carries: that the run is over, where a later one wrote.
     * If relaxed: the claim below could seem to hold, and the later one's be lost. */
    uint64_t before = atom_load_acq(answer);
    uint64_t word = word_now(run->engine, run->index);
    /* Once the handler has answered nobody reads it. */
    if (leat_word_phase(word) == LEAT_PHASE_RUNNING && (word & LEAT_WORD_AWAITED) == 0 &&
        (word & bits) == (LEAT_WORD_CLAIMED | leat_word_attempt(run->number))) {
        /* answer:B release -> answer:A.  Carries: see answer:A; to the handler's worker, mark:B
         * does.
         * If relaxed: see answer:A. */
        (void)atom_cas_rel(answer, &before, answer_word(run->number, outcome));
    }
    return LEAT_OUTCOME_RETRY;
}

struct leat_outcome
leat_timers_answer(const struct leat_engine *engine, uint32_t index, enum leat_outcome_kind kind)
{
    if (kind != LEAT_OUTCOME_RETRY) {
        return leat_outcome_of(kind, 0);
    }
    uint64_t word = atom_load_rlx(&node_of(engine, index)->answer); /* rlx: ordered by mark:A */
    uint64_t delay = word & ANSWER_DELAY;
    kind = (word & ANSWER_SNOOZE) != 0 ? LEAT_OUTCOME_SNOOZE : LEAT_OUTCOME_RETRY;
    if ((word & ANSWER_COARSE) != 0) {
        return leat_outcome_of(kind, delay << ANSWER_COARSE_SHIFT);
    }
    return leat_outcome_of(kind, delay == ANSWER_DELAY ? LEAT_DELAY_OF_POLICY : delay);
}

void
leat_timers_count(struct leat_engine *engine, enum leat_phase phase, int change)
{
    struct leat_timers *timers = &engine->timers;
    leat_atomic_u64 *count = phase == LEAT_PHASE_SCHEDULED ? &timers->scheduled : &timers->retrying;
    (void)atom_add_rlx(count, (uint64_t)(int64_t)change); /* rlx: statistic */
}

/* ---- what comes due -------------------------------------------------------------------------- */

/* What a thread that has the index of a job in hand makes of the marks in its word. It gets `hold`
 * with it, and the phase. False: it has it no more. Ends: a swap fails only where another thread
 * changed the job, cancelled it, or looks at it. */
static bool
in_hand(struct leat_engine *engine, uint32_t index, uint64_t hold, enum leat_phase *phase)
{
    leat_atomic_u64 *word = leat_slab_word(&engine->jobs, index);
    uint64_t now = word_now(engine, index);
    for (;;) {
        LEAT_ASSERT((now & LEAT_WORD_LINKED) != 0);
        *phase = leat_word_phase(now);
        if (leat_phase_final(*phase)) {
            leat_job_retire(engine, index);
            return false;
        }
        if (*phase == LEAT_PHASE_RUNNING) {
            return true; /* its bits mean something else */
        }
        LEAT_ASSERT(waits(now));
        LEAT_ASSERT((now & LEAT_WORD_HANDED) == 0);
        LEAT_ASSERT(hold == 0 || (now & LEAT_WORD_HOLDS) != LEAT_WORD_HOLDS);
        bool changing = (now & LEAT_WORD_CHANGING) != 0;
        uint64_t next = changing ? now | LEAT_WORD_HANDED : (now & ~LEAT_WORD_MOVED) + hold;
        if (next == now) {
            return true;
        }
        /* in_hand:A acq_rel -> changed:A, claim:A, claim:B.  Carries: the index, to who changes the
         * job; time and level, from who has changed it.
         * If relaxed: the job could be armed by the time that it had before. */
        if (atom_cas_acq_rel(word, &now, next)) {
            return !changing;
        }
    }
}

void
leat_timers_route(struct leat_engine *engine, uint32_t index)
{
    enum leat_phase phase = LEAT_PHASE_PENDING;
    if (in_hand(engine, index, LEAT_WORD_HOLD, &phase)) {
        leat_timers_arm_late(engine, index);
        leat_job_unhold(engine, index);
    }
}

/* The job goes on. False: it was cancelled, or is being changed. */
static bool
go_on(struct leat_engine *engine, uint32_t index, enum leat_phase from)
{
    struct leat_job_record *record = leat_job_record(engine, index);
    const struct leat_change change = {
        .from = from,
        .to = LEAT_PHASE_PENDING,
        .unless = LEAT_WORD_MOVED | LEAT_WORD_CHANGING,
    };
    uint32_t queue = leat_job_queue(record);
    uint32_t type = leat_job_type(record);
    bool counted = leat_job_counted(record);
    uint64_t before = 0;
    uint64_t after = 0;
    record->returned =
        leat_queue_pulls(engine, queue) && due_of(engine, index).at_ns == LEAT_TIMERS_FRONT;
    if (counted) {
        leat_room_force(engine, queue, leat_job_payload_bytes(record));
    }
    if (atom_load_rlx(&record->submit_ns) != 0) { /* rlx: single writer */
        /* It waits for a worker from now on. rlx: ordered by change:B */
        atom_store_rlx(&record->submit_ns, leat_os_monotonic_ns());
    }
    if (!leat_job_change(leat_slab_word(&engine->jobs, index), &change, &before, &after)) {
        if (counted) {
            leat_room_give(engine, queue, leat_job_payload_bytes(record));
        }
        return false;
    }
    leat_timers_count(engine, from, -1);
    /* Behind the swap: who changes it now marks it, and who takes it from there sees that. */
    uint32_t level = leat_job_level(record);
    leat_gates_put(engine, level, queue, type, leat_item_of(LEAT_KIND_JOB, index));
    return true;
}

/* A wheel handed the record out. Ends: once more only where the job was changed meanwhile. */
static void
expire(struct leat_engine *engine, struct leat_wheel *wheel, uint32_t index, uint64_t boot_ns)
{
    enum leat_phase phase = LEAT_PHASE_PENDING;
    while (in_hand(engine, index, 0, &phase)) {
        struct leat_due due = due_of(engine, index);
        bool late = due.time == LEAT_TIME_BOOT ? due.at_ns <= boot_ns : left(engine, due) == 0;
        if (!late) {
            /* The wall clock was set back, or went slower; or it was put off. Not
             * leat_wheel_arm(): a cancel may come. */
            arm_on(engine, wheel, index, due);
            return;
        }
        if (phase == LEAT_PHASE_RUNNING
                ? leat_pending_over(engine, index, word_now(engine, index), boot_ns)
                : go_on(engine, index, phase)) {
            return;
        }
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
            expire(engine, wheel, step.indices[i] & ~LEAT_WHEEL_RELEASED, step.now_ns);
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
    bool more = leat_gather_advance(engine);
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
        uint64_t word = word_now(engine, i);
        leat_job_id id = {leat_word_of(leat_word_generation(word), i)};
        uint32_t index = 0;
        if (!waits(word) || due_of(engine, i).time != LEAT_TIME_WALL ||
            leat_job_hold(engine, id, LEAT_HOLDS_TO_COMPLETE, &index) != LEAT_OK) {
            continue;
        }
        (void)rearm(engine, index);
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
