/* observe.c - the engine is asked, and the model follows where the engine may choose: when a timer
 * fires, when an expired job is found, when the record of an ended one is given up. All else must
 * be what the model says. */
#include "tests/reference/reference.h"

#include <inttypes.h>
#include <string.h>

#include "engine/engine_internal.h"
#include "engine/events.h"

#define INDEX_MASK ((UINT64_C(1) << 26) - 1)

/* ---- ends that were told --------------------------------------------------------------------- */

/* The last thing that is known of a job whose record is gone. */
void
ref_event(struct leat_engine *engine, const struct leat_event *event, void *context)
{
    struct ref_world *world = context;
    (void)engine;
    if (event->kind == LEAT_EVENT_SUBMITTED) {
        ref_schedules_came(world, event->id);
    } else {
        world->ends[(event->id.bits & INDEX_MASK) % REF_RECORDS] = *event;
    }
    if (event->dropped != 0) {
        ref_fail(world, NULL, "%" PRIu64 " events were dropped", event->dropped);
    }
}

static enum leat_event_kind
event_of(const struct ref_job *job)
{
    if (job->state == LEAT_JOB_DEAD) {
        return job->reason == LEAT_REASON_EXPIRED ? LEAT_EVENT_EXPIRED : LEAT_EVENT_DEAD;
    }
    return job->state == LEAT_JOB_COMPLETED ? LEAT_EVENT_COMPLETED : LEAT_EVENT_CANCELLED;
}

enum leat_job_state
ref_told_end(struct ref_world *world, const struct ref_job *job)
{
    leat_events_drain(world->engine);
    const struct leat_event *event = &world->ends[job - world->jobs];
    if (event->id.bits != job->id.bits || event->kind == LEAT_EVENT_CANCELLED) {
        return LEAT_JOB_CANCELLED;
    }
    return event->kind == LEAT_EVENT_COMPLETED ? LEAT_JOB_COMPLETED : LEAT_JOB_DEAD;
}

/* pre: it has ended, in the model, too. */
static void
check_event(struct ref_world *world, struct ref_job *job)
{
    leat_events_drain(world->engine);
    const struct leat_event *event = &world->ends[job - world->jobs];
    if (event->id.bits != job->id.bits || event->kind != event_of(job) ||
        event->reason != job->reason || event->type.bits != world->types[job->type].handle.bits ||
        event->queue.bits != world->queues[job->queue].handle.bits) {
        ref_fail(world, job, "its last event says: %" PRIx64 " is %s, %s, type %u, queue %u",
                 event->id.bits, leat_event_text(event->kind), leat_reason_text(event->reason),
                 event->type.bits, event->queue.bits);
    }
}

/* ---- one job --------------------------------------------------------------------------------- */

static void
same(struct ref_world *world, const struct ref_job *job, const char *what, uint64_t got,
     uint64_t right)
{
    if (got != right) {
        ref_fail(world, job, "%s is %" PRIu64 "\n  expected: %" PRIu64, what, got, right);
    }
}

/* Where a time was drawn, or cut, it is known from now on. */
static void
look_at_due(struct ref_world *world, struct ref_job *job, uint64_t left_ns)
{
    uint64_t now_ns = job->due.wall ? ref_wall(world) : ref_boot(world);
    uint64_t low_ns = job->due.low_ns > now_ns ? job->due.low_ns - now_ns : 0;
    uint64_t high_ns = job->due.high_ns > now_ns ? job->due.high_ns - now_ns : 0;
    if (!ref_waits_for_time(job)) {
        same(world, job, "due_in_ns", left_ns, 0);
        return;
    }
    if (left_ns < low_ns || left_ns > high_ns) {
        ref_fail(world, job, "due_in_ns is %" PRIu64 "\n  expected: %" PRIu64 " to %" PRIu64,
                 left_ns, low_ns, high_ns);
    }
    if (left_ns != 0) {
        job->due.low_ns = now_ns + left_ns;
        job->due.high_ns = now_ns + left_ns;
    }
}

static void
look_at_end(struct ref_world *world, struct ref_job *job, const struct leat_job_info *info)
{
    const char *error = job->late ? job->late_error : job->error;
    if (!ref_final(job)) {
        return;
    }
    check_event(world, job);
    ref_result_learn(world, job, info->result_bytes);
    same(world, job, "the reason", info->reason, job->reason);
    same(world, job, "result_bytes", info->result_bytes, job->result_bytes);
    if (strcmp(info->error, error) != 0) {
        ref_fail(world, job, "the error is \"%s\"\n  expected: \"%s\"", info->error, error);
    }
}

void
ref_look_at_info(struct ref_world *world, struct ref_job *job, const struct leat_job_info *info)
{
    if (!ref_reach(world, job, info->state)) {
        ref_fail(world, job, "the state is %s, reason %s", leat_job_state_text(info->state),
                 leat_reason_text(info->reason));
    }
    same(world, job, "the id", info->id.bits, job->id.bits);
    same(world, job, "the type", info->type.bits, world->types[job->type].handle.bits);
    same(world, job, "the queue", info->queue.bits, world->queues[job->queue].handle.bits);
    same(world, job, "the priority", info->priority, job->level);
    same(world, job, "attempts", info->attempts, job->attempts);
    same(world, job, "max_attempts", info->max_attempts, ref_max_attempts(world, job));
    same(world, job, "the progress", info->progress, job->progress);
    same(world, job, "cancel_requested", info->cancel_requested, job->cancel);
    same(world, job, "payload_bytes", info->payload_bytes, job->payload_bytes);
    same(world, job, "the submitter", info->submitter.bits, job->submitter.bits);
    look_at_due(world, job, info->due_in_ns);
    look_at_end(world, job, info);
}

/* One that has ended long enough ago, or that gave its record to a job that waits. */
static void
gone_check(struct ref_world *world, struct ref_job *job)
{
    if (job->gone_now && ref_pinned(job)) {
        ref_graph_lost(world, job);
    }
    if (job->gone_now && !ref_may_be_gone(world, job)) {
        ref_fail(world, job, "its record is gone");
    }
    job->gone_now = false;
}

static void
look(struct ref_world *world, struct ref_job *job)
{
    struct leat_job_info info = leat_job_info_default();
    enum leat_status status = leat_get(world->engine, job->id, &info);
    world->coverage->checks++;
    if (status == LEAT_OK && !job->gone) {
        ref_look_at_info(world, job, &info);
        return;
    }
    if (status == LEAT_GONE && !ref_final(job)) {
        /* It may have come to an end, and be given up, since. */
        (void)ref_reach(world, job, ref_told_end(world, job));
    }
    if (status != LEAT_GONE || !(job->gone || ref_final(job))) {
        ref_fail(world, job, "leat_get: %s", leat_status_text(status));
    }
    job->gone_now = !job->gone;
    job->gone = true;
}

/* Tolerant: the call at work may have done more to it than the model knows by now. */
void
ref_peek(struct ref_world *world, struct ref_job *job)
{
    struct leat_job_info info = leat_job_info_default();
    bool gone = leat_get(world->engine, job->id, &info) != LEAT_OK;
    if (!ref_final(job)) {
        (void)ref_reach(world, job, gone ? ref_told_end(world, job) : info.state);
    }
    if (gone && ref_final(job)) {
        job->gone_now = !job->gone;
        job->gone = true;
    }
}

void
ref_look(struct ref_world *world, struct ref_job *job)
{
    if (job->state == LEAT_JOB_BLOCKED) {
        ref_graph_catch_up(world);
    }
    look(world, job);
    if (job->gone_now && ref_pinned(job)) {
        ref_graph_follow(world); /* who needed it may need it no more */
    }
    gone_check(world, job);
}

/* ---- all jobs -------------------------------------------------------------------------------- */

/* No more ended ones are kept than were asked for. */
static void
check_retained(struct ref_world *world)
{
    uint32_t dead = 0;
    uint32_t other = 0;
    for (uint32_t i = 0; i < REF_RECORDS; i++) {
        const struct ref_job *job = &world->jobs[i];
        if (job->id.bits != 0 && !job->gone && ref_final(job) && !job->kept && !job->zombie &&
            !ref_pinned(job)) {
            dead += job->state == LEAT_JOB_DEAD ? 1 : 0;
            other += job->state != LEAT_JOB_DEAD ? 1 : 0;
        }
    }
    if (dead > world->config.dead_max || other > world->config.retained_max) {
        ref_fail(world, NULL, "%u dead and %u other jobs are retained", dead, other);
    }
}

void
ref_sync(struct ref_world *world)
{
    ref_graph_catch_up(world);
    for (uint32_t i = 0; i < REF_RECORDS; i++) {
        struct ref_job *job = &world->jobs[i];
        bool begins = job == world->current || (job->handled && job->state != LEAT_JOB_RUNNING);
        if (job->id.bits != 0 && !job->gone && !begins) {
            look(world, job);
        }
    }
    for (uint32_t i = 0; i < REF_RECORDS; i++) {
        gone_check(world, &world->jobs[i]); /* now that it is known who else has ended */
    }
    check_retained(world);
    ref_breakers_check(world);
    if (world->current == NULL || world->current->state == LEAT_JOB_RUNNING) {
        ref_limits_check(world); /* its begin is known by now */
        ref_tenants_check(world);
    }
    world->synced = world->sequence;
    world->pressure_synced = world->pressure;
    world->deaths_synced = world->deaths;
}

/* ---- nothing is left ------------------------------------------------------------------------- */

void
ref_check_idle(struct ref_world *world)
{
    ref_gather_idle(world);
    ref_key_rates_idle(world);
    for (uint32_t i = 0; i < REF_RECORDS; i++) {
        const struct ref_job *job = &world->jobs[i];
        if (!ref_live(job)) {
            continue;
        }
        bool held = ref_held(world, job);
        if (job->state == LEAT_JOB_PENDING && !held) {
            ref_fail(world, job, "nothing is left to run, but this job waits");
        }
        if (ref_waits_for_time(job) && ref_due_surely(world, job) && !(job->moved && held)) {
            ref_fail(world, job, "nothing is left to run, but this job is due");
        }
        if (job->awaited && job->until.high_ns != 0 && ref_due_surely(world, job)) {
            ref_fail(world, job, "nothing is left to run, but the time of this attempt is over");
        }
    }
}

/* ---- statistics ------------------------------------------------------------------------------ */

/* Jobs in a state now. */
static uint64_t
in_state(const struct ref_world *world, enum leat_job_state state)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < REF_RECORDS; i++) {
        count += ref_live(&world->jobs[i]) && world->jobs[i].state == state ? 1 : 0;
    }
    return count;
}

void
ref_check_statistics(struct ref_world *world)
{
    struct leat_statistics got = leat_statistics_default();
    const struct ref_counts *right = &world->counts;
    uint32_t least = 0;
    uint32_t most = 0;
    enum leat_status status = leat_statistics_get(world->engine, &got);
    ref_answer(world, REF_AT_NOTHING, REF_ONE(LEAT_OK), status);
    same(world, NULL, "jobs_submitted", got.jobs_submitted, right->submitted);
    same(world, NULL, "jobs_run", got.jobs_run, right->run);
    same(world, NULL, "jobs_completed", got.jobs_completed, right->completed);
    same(world, NULL, "jobs_dead", got.jobs_dead, right->dead);
    same(world, NULL, "jobs_cancelled", got.jobs_cancelled, right->cancelled);
    same(world, NULL, "jobs_retried", got.jobs_retried, right->retried);
    same(world, NULL, "jobs_timed_out", got.jobs_timed_out, right->timed_out);
    same(world, NULL, "jobs_stuck", got.jobs_stuck, right->stuck);
    same(world, NULL, "jobs_running", got.jobs_running, in_state(world, LEAT_JOB_RUNNING));
    same(world, NULL, "jobs_waiting", got.jobs_waiting, in_state(world, LEAT_JOB_PENDING));
    same(world, NULL, "jobs_blocked", got.jobs_blocked, in_state(world, LEAT_JOB_BLOCKED));
    same(world, NULL, "jobs_scheduled", got.jobs_scheduled, in_state(world, LEAT_JOB_SCHEDULED));
    same(world, NULL, "jobs_retrying", got.jobs_retrying, in_state(world, LEAT_JOB_RETRYING));
    same(world, NULL, "dead_retried", got.dead_retried, right->brought_back);
    ref_letters(world, &least, &most);
    if (got.dead_letters < least || got.dead_letters > most) {
        ref_fail(world, NULL, "dead_letters is %" PRIu64 "\n  expected: %u to %u", got.dead_letters,
                 least, most);
    }
    if (got.dead_dropped > right->dead) {
        ref_fail(world, NULL, "dead_dropped is %" PRIu64 " of %" PRIu64, got.dead_dropped,
                 right->dead);
    }
}

/* ---- when to come back ----------------------------------------------------------------------- */

/* The latest answer that is in time for this job; LEAT_FOREVER: any. */
static uint64_t
latest(const struct ref_world *world, const struct ref_job *job)
{
    const struct ref_due *due = job->state == LEAT_JOB_RUNNING ? &job->until : &job->due;
    bool held = ref_held(world, job);
    uint64_t now_ns = due->wall ? ref_wall(world) : ref_boot(world);
    uint64_t slack_ns =
        (UINT64_C(1) << world->config.timer_tick_log2) + (due->wall ? REF_WALL_SLACK : 0);
    bool timed = ref_waits_for_time(job) ? !job->moved : job->awaited && due->high_ns != 0;
    if (job->state == LEAT_JOB_PENDING) {
        return held ? ref_key_rates_latest(world, job) : 0;
    }
    if (!timed) {
        return LEAT_FOREVER;
    }
    return due->high_ns + slack_ns > now_ns ? due->high_ns + slack_ns - now_ns : 0;
}

void
ref_check_due(struct ref_world *world, uint64_t delay_ns)
{
    for (uint32_t i = 0; i < REF_RECORDS; i++) {
        const struct ref_job *job = &world->jobs[i];
        if (!ref_live(job) || job == world->current) {
            continue;
        }
        uint64_t right = latest(world, job);
        if (delay_ns > right) {
            ref_fail(world, job, "leat_next_due() says %" PRIu64 "\n  expected: at most %" PRIu64,
                     delay_ns, right);
        }
    }
}

/* ---- what a call is aimed at ----------------------------------------------------------------- */

static struct ref_target
nobody(struct ref_world *world)
{
    struct ref_target target = {.missing = LEAT_NOT_FOUND, .at = REF_AT_NOTHING};
    struct ref_job *job = &world->jobs[ref_below(world, REF_RECORDS)];
    switch (ref_below(world, 4)) {
    case 0:
        break;
    case 1:
        target.id.bits = UINT64_C(1) << 26 | INDEX_MASK; /* beyond all records */
        break;
    case 2:
        target.id.bits = job->id.bits + (UINT64_C(1) << 26); /* generations in use are odd */
        break;
    default:
        target.id.bits = job->id.bits + (UINT64_C(1) << 50); /* not given out yet */
        break;
    }
    if (job->id.bits == 0) {
        target.id.bits = 0;
    }
    return target;
}

static bool
is_live(const struct ref_world *world, const struct ref_job *job)
{
    (void)world;
    return ref_live(job);
}

static bool
is_current(const struct ref_world *world, const struct ref_job *job)
{
    return job == world->current;
}

static bool
is_final(const struct ref_world *world, const struct ref_job *job)
{
    (void)world;
    return ref_final(job);
}

struct ref_target
ref_target_of(struct ref_world *world, ref_wanted wanted)
{
    struct ref_target target = {.missing = LEAT_GONE, .at = REF_AT_GONE};
    uint32_t first = ref_below(world, world->config.jobs_max);
    for (uint32_t i = 0; i < REF_RECORDS && target.job == NULL; i++) {
        struct ref_job *job = &world->jobs[(first + i) % REF_RECORDS];
        if (job->id.bits != 0 && wanted(world, job)) {
            target.job = job;
        }
    }
    if (target.job == NULL) {
        return nobody(world);
    }
    target.id = target.job->id;
    if (target.job != world->current) {
        ref_look(world, target.job);
    }
    target.at = ref_at(target.job);
    if (target.job->gone) {
        target.job = NULL;
    }
    return target;
}

struct ref_target
ref_target(struct ref_world *world)
{
    struct ref_target target = {.missing = LEAT_GONE, .at = REF_AT_GONE};
    uint32_t way = ref_below(world, 20);
    if (way == 0) {
        return nobody(world);
    }
    if (way == 1 && world->old_count != 0) {
        uint64_t kept = world->old_count < REF_OLD ? world->old_count : REF_OLD;
        target.id = world->old[ref_below(world, (uint32_t)kept)];
        return target;
    }
    if (world->current != NULL && ref_chance(world, 20)) {
        return ref_target_of(world, is_current);
    }
    return ref_target_of(world, ref_chance(world, 75) ? is_live : is_final);
}
