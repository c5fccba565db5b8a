/* op_run.c - work and time go on: threads are lent, clocks move, the engine is drained, stopped,
 * started, and opened anew. */
#include "tests/reference/reference.h"

#include <inttypes.h>
#include <string.h>

#include "engine/engine_internal.h"
#include "engine/events.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"

/* ---- lent threads ---------------------------------------------------------------------------- */

void
ref_run_begin(struct ref_world *world)
{
    world->running = true;
    world->run_begin_ns = ref_boot(world);
    world->run_begins = 0;
    world->run_ends_dead = world->ends_dead;
    world->run_ends_other = world->ends_other;
    world->run_retired = 0;
}

static void
run_end(struct ref_world *world, bool idle)
{
    ref_sync(world);
    world->running = false;
    if (idle) {
        ref_check_idle(world);
        ref_gate_rest(world);
    }
}

static uint64_t
run_right(const struct ref_world *world, size_t budget)
{
    if (budget == 0) {
        return REF_ONE(LEAT_INVALID);
    }
    if (world->state == LEAT_ENGINE_STOPPED) {
        return REF_ONE(LEAT_CLOSED);
    }
    return world->state == LEAT_ENGINE_OPEN ? REF_ONE(LEAT_WRONG_STATE)
                                            : REF_ONE(LEAT_OK) | REF_ONE(LEAT_EMPTY);
}

void
ref_run(struct ref_world *world, size_t budget)
{
    size_t ran = 0;
    uint64_t right = run_right(world, budget);
    ref_note(world, budget, 0, 0);
    struct ref_entry *noted = world->noted;
    ref_run_begin(world);
    if (ref_schedules_due(world) && budget != 0) {
        ref_schedules_expect(world);
    }
    enum leat_status got = leat_run_some(world->engine, budget, &ran);
    ref_schedules_settle(world);
    noted->values[1] = ran;
    world->noted = noted;
    ref_answer(world, REF_AT_NOTHING, right, got);
    if ((ran != 0) != (got == LEAT_OK) || ran > budget || world->run_begins > ran) {
        ref_fail(world, NULL, "ran is %zu of %zu, and %" PRIu64 " handlers began", ran, budget,
                 world->run_begins);
    }
    bool may = world->state == LEAT_ENGINE_RUNNING || world->state == LEAT_ENGINE_DRAINING;
    run_end(world, may && budget != 0 && ran < budget);
}

void
ref_op_run(struct ref_world *world)
{
    static const size_t budgets[] = {1, 1, 2, 3, 5, 10, 20, 40, 1000};
    ref_run(world, ref_chance(world, 1) ? 0 : budgets[ref_below(world, 9)]);
}

/* ---- clocks ---------------------------------------------------------------------------------- */

/* What has been expired for so long must have been found. */
static void
check_swept(struct ref_world *world)
{
    for (uint32_t i = 0; i < REF_RECORDS; i++) {
        const struct ref_job *job = &world->jobs[i];
        bool waits = ref_waits_for_time(job) || job->state == LEAT_JOB_PENDING ||
                     job->state == LEAT_JOB_BLOCKED;
        if (ref_live(job) && waits && job->expires_ns != REF_NEVER &&
            job->expires_ns + REF_S <= ref_boot(world) &&
            job->since_ns + REF_S <= ref_boot(world)) {
            ref_fail(world, job, "the job has been expired for longer than a second");
        }
    }
}

/* The clocks were moved, and the engine is told. */
static void
changed(struct ref_world *world)
{
    ref_schedules_expect(world);
    ref_answer(world, REF_AT_NOTHING, REF_ONE(LEAT_OK), leat_clock_changed(world->engine));
    ref_schedules_settle(world);
    ref_watch(world);
    ref_sync(world);
    check_swept(world);
}

void
ref_clock_pass(struct ref_world *world, uint64_t ns, bool suspended)
{
    ref_note(world, ns, suspended, 0);
    (void)atom_add_acq_rel(&world->clock.suspended, suspended ? ns : 0);
    (void)atom_add_acq_rel(&world->clock.wall, ns);
    (void)atom_add_acq_rel(&world->clock.boot, ns);
    changed(world);
}

void
ref_op_clock(struct ref_world *world)
{
    uint64_t ns = ref_delay(world);
    bool suspended = ref_chance(world, 10);
    ns = ref_chance(world, 2) ? 1000 * REF_S : ns;
    ref_clock_pass(world, ns, suspended);
}

void
ref_op_step(struct ref_world *world)
{
    uint64_t ns = ref_delay(world);
    bool back = ref_chance(world, 50);
    bool far = world->calendar.used && ref_chance(world, 10);
    ns += far ? REF_S * 3600 * ref_below(world, 72) : 0;
    ref_note(world, ns, back, 0);
    (void)atom_add_acq_rel(&world->clock.wall, back ? 0 - ns : ns);
    changed(world);
}

void
ref_op_next_due(struct ref_world *world)
{
    uint64_t delay_ns = 0;
    leat_events_drain(world->engine); /* else it is at once, for those */
    ref_note(world, 0, 0, 0);
    ref_answer(world, REF_AT_NOTHING, REF_ONE(LEAT_OK), leat_next_due(world->engine, &delay_ns));
    world->noted->values[0] = delay_ns;
    if (world->current == NULL) {
        ref_check_due(world, delay_ns);
        ref_breakers_check_due(world, delay_ns);
        ref_schedules_check_due(world, delay_ns);
    }
}

/* ---- lifecycle ------------------------------------------------------------------------------- */

/* Pending attempts end from outside only, and nobody is outside while we drain. */
static bool
drains(const struct ref_world *world, bool *now)
{
    bool awaited = false;
    *now = true;
    for (uint32_t i = 0; i < REF_RECORDS; i++) {
        const struct ref_job *job = &world->jobs[i];
        bool waits = ref_live(job) && job->state == LEAT_JOB_PENDING &&
                     (!ref_held_but(world, job, ref_gather_holds) || ref_gather_takes(world, job));
        awaited = awaited || (ref_live(job) && job->awaited);
        *now = *now && !waits;
    }
    *now = *now && !awaited;
    return !awaited;
}

/* A breaker may let one of its jobs begin in the drain; and what was put off while it was gathered
 * goes on when its batch is taken, which a drain does at once. */
static bool
may_wake(const struct ref_world *world)
{
    bool may = false;
    for (uint32_t i = 0; i < REF_RECORDS; i++) {
        const struct ref_job *job = &world->jobs[i];
        bool waits = ref_live(job) && job->state == LEAT_JOB_PENDING;
        bool stands = ref_live(job) && job->moved && ref_gather_takes(world, job);
        may = may || stands || (waits && ref_breaker_holds(world, job));
    }
    return may;
}

void
ref_op_drain(struct ref_world *world)
{
    bool now = false;
    bool at_all = drains(world, &now);
    uint64_t timeout_ns = at_all && ref_chance(world, 70) ? 5 * REF_S : 0;
    uint64_t right = REF_ONE(LEAT_TIMEOUT) | (now ? REF_ONE(LEAT_OK) : 0);
    /* Handlers may leave attempts pending; then the drain ends by its timeout. */
    ref_note(world, timeout_ns, 0, 0);
    struct ref_entry *noted = world->noted;
    bool may = world->state == LEAT_ENGINE_RUNNING || world->state == LEAT_ENGINE_DRAINING;
    if (may && timeout_ns != 0) {
        ref_run(world, 1000); /* brings it near its end */
        (void)drains(world, &now);
        bool sure = now && !may_wake(world);
        /* A drain that times out looks at the clock for as long, a microsecond each time. */
        timeout_ns = now ? REF_MS : 0;
        timeout_ns = sure ? 5 * REF_S : timeout_ns;
        right = sure ? REF_ONE(LEAT_OK) : REF_ONE(LEAT_TIMEOUT) | REF_ONE(LEAT_OK);
    }
    ref_run_begin(world);
    enum leat_status got = leat_drain(world->engine, timeout_ns);
    world->noted = noted;
    ref_answer(world, REF_AT_NOTHING, may ? right : REF_ONE(LEAT_WRONG_STATE), got);
    world->state = may ? LEAT_ENGINE_DRAINING : world->state;
    run_end(world, got == LEAT_OK);
}

/* One that drains is stopped soon, so that it can be started again. */
void
ref_op_stop(struct ref_world *world)
{
    if (world->state == LEAT_ENGINE_RUNNING && ref_chance(world, 93)) {
        return;
    }
    ref_note(world, 0, 0, 0);
    ref_answer(world, REF_AT_NOTHING, REF_ONE(LEAT_OK), leat_stop(world->engine, 0));
    world->state = LEAT_ENGINE_STOPPED;
}

void
ref_op_start(struct ref_world *world)
{
    bool may = world->state == LEAT_ENGINE_OPEN || world->state == LEAT_ENGINE_STOPPED;
    ref_note(world, 0, 0, 0);
    ref_answer(world, REF_AT_NOTHING, REF_ONE(may ? LEAT_OK : LEAT_WRONG_STATE),
               leat_start(world->engine));
    world->state = may ? LEAT_ENGINE_RUNNING : world->state;
}

void
ref_op_statistics(struct ref_world *world)
{
    enum leat_engine_state state = LEAT_ENGINE_OPEN;
    if (leat_state(world->engine, &state) != LEAT_OK || state != world->state) {
        ref_fail(world, NULL, "the engine's state is %d\n  expected: %d", (int)state,
                 (int)world->state);
    }
    ref_sync(world);
    ref_note(world, 0, 0, 0);
    ref_check_statistics(world);
}

/* ---- episodes -------------------------------------------------------------------------------- */

void
ref_open(struct ref_world *world)
{
    static const uint32_t jobs_max[] = {64, 80, 128};
    static const uint32_t retained_max[] = {0, 8, 40};
    static const uint32_t dead_max[] = {0, 4, 16};
    static const uint32_t starvation[] = {0, 2, 61};
    static const uint32_t tick_log2[] = {14, 17, 20};
    static const uint32_t lenders_max[] = {1, 2, 3};
    struct leat_config config = test_config();
    config.workers = 0;
    config.jobs_max = jobs_max[ref_below(world, 3)];
    config.retained_max = retained_max[ref_below(world, 3)];
    config.dead_max = dead_max[ref_below(world, 3)];
    config.starvation_picks = starvation[ref_below(world, 3)];
    config.timer_tick_log2 = tick_log2[ref_below(world, 3)];
    config.lenders_max = lenders_max[ref_below(world, 3)];
    config.types_max = REF_TYPES - 2;
    config.queues_max = REF_QUEUES - 2;
    config.payload_bytes_max = 256;
    config.sample_interval = 1000000;
    ref_payload_config(world, &config);
    config.inline_mode = ref_chance(world, 6);
    world->calendar.used = !config.inline_mode && ref_chance(world, 40);
    config.schedules_max = REF_SCHEDULES - 1;
    config.event_sink = ref_event;
    config.event_context = world;
    config.event_mask = LEAT_EVENT_BIT(LEAT_EVENT_COMPLETED) | LEAT_EVENT_BIT(LEAT_EVENT_DEAD) |
                        LEAT_EVENT_BIT(LEAT_EVENT_CANCELLED) | LEAT_EVENT_BIT(LEAT_EVENT_EXPIRED);
    config.event_mask |= world->calendar.used ? LEAT_EVENT_BIT(LEAT_EVENT_SUBMITTED) : 0;
    test_clock_init(&world->clock);
    config.clock = test_clock_of(&world->clock);
    world->config = config;
    ref_time_begin();
    world->engine = test_open(&config);
    world->engine->seed = test_random(&world->prng);
    world->state = LEAT_ENGINE_OPEN;
    world->halts = ref_chance(world, 25);
    world->queues[0].priority = LEAT_PRIORITY_NORMAL;
    ref_queue_learn(world, 0);
}

/* Everything is let go of: attempts are completed, queues resumed, jobs cancelled and released. */
static void
let_go(struct ref_world *world)
{
    CHECK_OK(leat_resume_all(world->engine));
    world->halted = false;
    for (uint32_t i = 0; i < REF_QUEUES; i++) {
        if (world->queues[i].handle.bits != 0) {
            CHECK_OK(leat_queue_resume(world->engine, world->queues[i].handle));
            world->queues[i].gate.paused = false;
            world->queues[i].gate.halted = false;
        }
    }
    for (uint32_t i = 0; i < REF_RECORDS; i++) {
        struct ref_job *job = &world->jobs[i];
        if (ref_live(job)) {
            ref_look(world, job); /* it may have ended with another one */
        }
        if (ref_live(job) && job->awaited) {
            const leat_token token = {job->id.bits, job->runs};
            CHECK_OK(leat_complete(world->engine, token, leat_done(), NULL));
            job->late = false;
            ref_settle(world, job, leat_done());
        } else if (ref_live(job)) {
            CHECK_OK(leat_cancel(world->engine, job->id));
            job->zombie = true;
            ref_end(world, job, LEAT_JOB_CANCELLED, LEAT_REASON_NONE);
        }
    }
}

/* The engine is at rest: each record that is in use is one that was asked to be kept, or is
 * retained. */
static void
check_records(struct ref_world *world)
{
    struct leat_statistics got = test_statistics(world->engine);
    ref_check_idle(world);
    uint64_t left = got.jobs_waiting + got.jobs_running + got.jobs_scheduled + got.jobs_retrying +
                    got.jobs_blocked;
    if (left != 0 || got.jobs_submitted + got.dead_retried !=
                         got.jobs_completed + got.jobs_dead + got.jobs_cancelled) {
        ref_fail(world, NULL,
                 "jobs are left: %" PRIu64 " wait, %" PRIu64 " run, %" PRIu64 " and %" PRIu64
                 " wait for a time",
                 got.jobs_waiting, got.jobs_running, got.jobs_scheduled, got.jobs_retrying);
    }
}

void
ref_finish(struct ref_world *world)
{
    if (ref_chance(world, 50)) {
        ref_sync(world);
        let_go(world);
        for (uint32_t i = 0; i < REF_COMPLETIONS; i++) {
            if (world->completions[i].reserved != 0) {
                ref_fail(world, NULL, "a completion is owed by no job");
            }
        }
        ref_sync(world);
        check_records(world);
    }
    ref_sync(world);
    ref_op_statistics(world);
}

void
ref_close(struct ref_world *world)
{
    test_close(world->engine);
    world->engine = NULL;
}
