/* model.c - what a job goes through, as engine/leat.h says it. Slow and plain. */
#include "tests/reference/reference.h"

#include <string.h>

/* ---- what may be asked ----------------------------------------------------------------------- */

bool
ref_final(const struct ref_job *job)
{
    return job->state >= LEAT_JOB_COMPLETED;
}

bool
ref_live(const struct ref_job *job)
{
    return job->id.bits != 0 && !ref_final(job);
}

bool
ref_waits_for_time(const struct ref_job *job)
{
    return job->state == LEAT_JOB_SCHEDULED || job->state == LEAT_JOB_RETRYING;
}

bool
ref_expired(const struct ref_world *world, const struct ref_job *job)
{
    return job->expires_ns != REF_NEVER && job->expires_ns <= ref_boot(world);
}

bool
ref_due_now(const struct ref_world *world, const struct ref_job *job)
{
    return job->due.low_ns <= (job->due.wall ? ref_wall(world) : ref_boot(world));
}

/* Timers come in steps; the wall clock may go some time beside the other before that is noticed. */
static bool
surely(const struct ref_world *world, const struct ref_due *due)
{
    uint64_t slack_ns =
        (UINT64_C(1) << world->config.timer_tick_log2) + (due->wall ? REF_WALL_SLACK : 0);
    uint64_t now_ns = due->wall ? ref_wall(world) : ref_boot(world);
    return due->high_ns <= now_ns && now_ns - due->high_ns >= slack_ns;
}

bool
ref_due_surely(const struct ref_world *world, const struct ref_job *job)
{
    return surely(world, job->state == LEAT_JOB_RUNNING ? &job->until : &job->due);
}

uint32_t
ref_max_attempts(const struct ref_world *world, const struct ref_job *job)
{
    const struct ref_type *type = &world->types[job->type];
    if (job->max_attempts != 0) {
        return job->max_attempts;
    }
    return type->bound ? type->max_attempts : 3;
}

bool
ref_accepts(const struct ref_world *world)
{
    return world->state == LEAT_ENGINE_OPEN || world->state == LEAT_ENGINE_RUNNING ||
           world->current != NULL;
}

uint32_t
ref_present(const struct ref_world *world)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < REF_RECORDS; i++) {
        count += world->jobs[i].id.bits != 0 && !world->jobs[i].gone ? 1 : 0;
    }
    return count;
}

bool
ref_may_be_gone(const struct ref_world *world, const struct ref_job *job)
{
    bool dead = job->state == LEAT_JOB_DEAD;
    uint32_t most = dead ? world->config.dead_max : world->config.retained_max;
    uint64_t later = (dead ? world->ends_dead : world->ends_other) - job->ends;
    if (!ref_final(job) || job->kept || ref_pinned(job)) {
        return false;
    }
    return later >= most || job->unlisted || job->loose ||
           (!dead && world->pressure != job->pressure);
}

uint32_t
ref_at(const struct ref_job *job)
{
    if (job == NULL) {
        return REF_AT_NOTHING;
    }
    if (job->gone) {
        return REF_AT_GONE;
    }
    return job->awaited ? REF_AT_AWAITED : (uint32_t)job->state;
}

/* ---- ends ------------------------------------------------------------------------------------ */

static uint64_t
zombies(const struct ref_world *world, bool dead)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < REF_RECORDS; i++) {
        const struct ref_job *job = &world->jobs[i];
        bool other = (job->state == LEAT_JOB_DEAD) != dead;
        count += job->id.bits != 0 && ref_final(job) && job->zombie && !job->gone && !other ? 1 : 0;
    }
    return count;
}

static void
completion_put(struct ref_world *world, const struct ref_job *job)
{
    struct ref_completions *queue = &world->completions[job->completions];
    struct ref_completion *completion = &queue->items[queue->count];
    if (queue->count == queue->slots || queue->reserved == 0) {
        ref_fail(world, job, "the model has no slot for a completion");
    }
    queue->count++;
    queue->reserved--;
    completion->item.id = job->id;
    completion->item.state = job->state;
    completion->item.reason = job->reason;
    completion->item.user = job->user;
    completion->fuzzy = world->by_itself;
}

/* job->zombie says whether a place has it yet. */
void
ref_end_alone(struct ref_world *world, struct ref_job *job, enum leat_job_state state,
              enum leat_reason reason)
{
    bool dead = state == LEAT_JOB_DEAD;
    uint64_t *ends = dead ? &world->ends_dead : &world->ends_other;
    uint32_t most = dead ? world->config.dead_max : world->config.retained_max;
    ref_graph_ends(job);
    job->state = state;
    job->reason = reason;
    job->awaited = false;
    job->moved = false;
    ref_key_end(job);
    job->progress = state == LEAT_JOB_COMPLETED ? 100 : job->progress;
    world->counts.completed += state == LEAT_JOB_COMPLETED ? 1 : 0;
    world->counts.dead += dead ? 1 : 0;
    world->counts.cancelled += state == LEAT_JOB_CANCELLED ? 1 : 0;
    uint64_t behind = *ends + 1;
    if (world->by_itself && (world->running || world->cascades)) {
        /* It is not known when in this run. */
        behind = (dead ? world->run_ends_dead : world->run_ends_other) + 1 - world->run_retired;
    }
    (*ends)++;
    if (dead) {
        job->unlisted = false;
        job->died_low = world->by_itself || job->zombie ? world->deaths_synced : world->deaths + 1;
        job->died_high = job->zombie ? REF_NEVER : world->deaths + 1;
        world->deaths++;
    }
    /* Those whose place lets go of them later come behind it, as it were. May go round. */
    job->ends = behind - zombies(world, dead);
    job->pressure = world->by_itself ? world->pressure_synced : world->pressure;
    if (most == 0 && !job->kept && !job->zombie) {
        ref_let_go(job);
    }
    if (job->completions != REF_NONE) {
        completion_put(world, job);
    }
}

void
ref_end(struct ref_world *world, struct ref_job *job, enum leat_job_state state,
        enum leat_reason reason)
{
    bool was_blocked = job->state == LEAT_JOB_BLOCKED;
    ref_end_alone(world, job, state, reason);
    ref_graph_ended(world, job, was_blocked);
}

/* ---- attempts -------------------------------------------------------------------------------- */

static void
leave(struct ref_world *world, struct ref_job *job)
{
    for (uint32_t i = 0; i < ref_parts_count; i++) {
        if (ref_parts[i].left != NULL) {
            ref_parts[i].left(world, job);
        }
    }
}

/* A wheel has the record of one that was pending for a time. */
static bool
on_wheel(const struct ref_job *job)
{
    return job->awaited && job->until.high_ns != 0 && !job->timed_out;
}

static void
attempt_end(struct ref_job *job)
{
    job->awaited = false;
    job->said = false;
    job->timed_out = false;
}

void
ref_wait_in_line(struct ref_world *world, struct ref_job *job)
{
    job->state = LEAT_JOB_PENDING;
    job->since_ns = ref_boot(world);
    job->moved = false;
    job->front = false;
    job->gather_ns = 0;
    job->inlined = false;
    job->let_past = false;
    job->shaken = false;
    job->placed = false;
    job->of_type = false;
    job->key_let = false;
    job->key_owes = false;
    job->low = ++world->sequence;
    job->high = job->low;
    ref_key_enter(job, job->low, job->high);
    ref_order_entered(job, job->low, job->high);
}

/* Between two delays from now on; `since_ns` is when it was decided at the earliest. */
static void
wait_for_time(struct ref_world *world, struct ref_job *job, enum leat_job_state state,
              const uint64_t delays_ns[2])
{
    uint64_t since_ns = world->by_itself ? world->run_begin_ns : ref_boot(world);
    job->state = state;
    job->since_ns = ref_boot(world);
    job->moved = false;
    job->front = false;
    job->due.wall = false;
    job->due.low_ns = ref_after(since_ns, delays_ns[0]);
    job->due.high_ns = ref_after(ref_boot(world), delays_ns[1]);
}

/* At once: behind no one and in front of no one. */
static void
retry_now(struct ref_world *world, struct ref_job *job)
{
    if (on_wheel(job)) {
        const uint64_t none[2] = {0, 0};
        wait_for_time(world, job, LEAT_JOB_RETRYING, none);
        return;
    }
    if (world->by_itself) {
        /* Beside what came due in the same run. One that began inline has no key before this. */
        ref_key_enter(job, world->synced, world->sequence + 1);
    }
    ref_wait_in_line(world, job);
    if (world->by_itself) {
        ref_order_entered(job, world->synced, job->high);
    }
    job->low = 0;
    job->high = REF_NEVER;
}

static void
fail(struct ref_world *world, struct ref_job *job, uint64_t delay_ns)
{
    const struct ref_type *type = &world->types[job->type];
    uint64_t delays_ns[2] = {delay_ns, delay_ns};
    uint32_t policy = job->policy == REF_NONE ? type->policy : job->policy;
    enum leat_reason reason =
        job->timed_out || job->tardy ? LEAT_REASON_TIMEOUT : LEAT_REASON_ATTEMPTS;
    bool again = job->attempts < ref_max_attempts(world, job);
    ref_attempt_note(world, job, LEAT_OUTCOME_RETRY);
    if (again && delay_ns == LEAT_DELAY_OF_POLICY) {
        again = ref_policy_delay(policy, job->attempts, &delays_ns[0], &delays_ns[1]);
        reason = LEAT_REASON_FAILED;
    }
    if (job->cancel) {
        ref_end(world, job, LEAT_JOB_CANCELLED, LEAT_REASON_NONE);
    } else if (!again) {
        ref_end(world, job, LEAT_JOB_DEAD, reason);
    } else {
        world->counts.retried++;
        if (job->inlined) {
            ref_inline_again(world, delays_ns);
        } else if (delays_ns[1] == 0) {
            retry_now(world, job);
        } else {
            wait_for_time(world, job, LEAT_JOB_RETRYING, delays_ns);
        }
    }
    attempt_end(job);
}

static void
snooze(struct ref_world *world, struct ref_job *job, uint64_t delay_ns)
{
    const uint64_t delays_ns[2] = {delay_ns, delay_ns};
    if (job->timed_out) {
        fail(world, job, LEAT_DELAY_OF_POLICY);
        return;
    }
    if (job->cancel) {
        ref_end(world, job, LEAT_JOB_CANCELLED, LEAT_REASON_NONE);
    } else {
        job->attempts--;
        job->inlined = false;
        wait_for_time(world, job, LEAT_JOB_SCHEDULED, delays_ns);
        job->front = delay_ns == 0 && world->queues[job->queue].pull;
    }
    attempt_end(job);
}

static void
end_attempt(struct ref_world *world, struct ref_job *job, enum leat_job_state state,
            enum leat_reason reason)
{
    bool cancelled = job->cancel && state != LEAT_JOB_COMPLETED;
    ref_end(world, job, cancelled ? LEAT_JOB_CANCELLED : state,
            cancelled ? LEAT_REASON_NONE : reason);
    attempt_end(job);
}

void
ref_settle(struct ref_world *world, struct ref_job *job, struct leat_outcome outcome)
{
    leave(world, job);
    job->zombie = on_wheel(job);
    switch (outcome.kind) {
    case LEAT_OUTCOME_DONE:
        if (job->timed_out) {
            fail(world, job, LEAT_DELAY_OF_POLICY);
        } else {
            ref_attempt_note(world, job, LEAT_OUTCOME_DONE);
            end_attempt(world, job, LEAT_JOB_COMPLETED, LEAT_REASON_NONE);
        }
        return;
    case LEAT_OUTCOME_RETRY:
        fail(world, job, outcome.delay_ns);
        return;
    case LEAT_OUTCOME_FAIL:
        ref_attempt_note(world, job, LEAT_OUTCOME_FAIL);
        end_attempt(world, job, LEAT_JOB_DEAD, LEAT_REASON_FAILED);
        return;
    case LEAT_OUTCOME_SNOOZE:
        snooze(world, job, outcome.delay_ns);
        return;
    case LEAT_OUTCOME_PENDING:
        break;
    }
    end_attempt(world, job, LEAT_JOB_DEAD, LEAT_REASON_INVALID);
}

void
ref_await(struct ref_world *world, struct ref_job *job, uint64_t timeout_ns)
{
    if (job->timed_out) {
        leave(world, job);
        job->zombie = false;
        fail(world, job, LEAT_DELAY_OF_POLICY);
        return;
    }
    if (job->said) {
        ref_settle(world, job, job->outcome);
        return;
    }
    job->awaited = true;
    job->inlined = false;
    job->until.wall = false;
    job->until.low_ns = timeout_ns == 0 ? 0 : ref_after(ref_boot(world), timeout_ns);
    job->until.high_ns = timeout_ns == 0 ? 0 : job->until.low_ns + (UINT64_C(1) << 14);
}

/* Its time is over, and nobody completed it. */
static void
await_end(struct ref_world *world, struct ref_job *job)
{
    job->timed_out = true;
    job->zombie = false;
    world->counts.timed_out++;
    leave(world, job);
    /* A lease that is over says nothing of its job, which waits again at once. */
    fail(world, job, world->queues[job->queue].pull ? 0 : LEAT_DELAY_OF_POLICY);
}

void
ref_begin(struct ref_world *world, struct ref_job *job)
{
    job->state = LEAT_JOB_RUNNING;
    job->trail = 0;
    job->runs++;
    job->attempts++;
    job->awaited = false;
    job->said = false;
    job->timed_out = false;
    job->stuck = false;
    job->seen = false;
    job->late = false;
    job->tardy = false;
    job->error[0] = '\0';
    job->asked = false;
    world->counts.run++;
    for (uint32_t i = 0; i < ref_parts_count && !job->inlined; i++) {
        if (ref_parts[i].begun != NULL) {
            ref_parts[i].begun(world, job);
        }
    }
}

/* ---- the watcher ----------------------------------------------------------------------------- */

void
ref_watch(struct ref_world *world)
{
    struct ref_job *job = world->watched;
    uint64_t now_ns = ref_monotonic(world);
    if (job == NULL) {
        return;
    }
    uint64_t timeout_ns = job->timeout_ns == LEAT_TIMEOUT_OF_TYPE
                              ? world->types[job->type].timeout_ns
                              : job->timeout_ns;
    if (!job->seen) {
        job->seen = true;
        job->seen_ns = now_ns;
        return;
    }
    if (timeout_ns == 0 || now_ns - job->seen_ns < timeout_ns) {
        return;
    }
    if (!job->timed_out && !job->said) {
        job->timed_out = true;
        world->counts.timed_out++;
    }
    uint64_t grain_ns = timeout_ns / 8 > REF_MS ? timeout_ns / 8 : REF_MS;
    if (!job->stuck && now_ns - job->seen_ns >= timeout_ns + grain_ns) {
        job->stuck = true;
        world->counts.stuck++;
    }
}

/* ---- what the engine does by itself ---------------------------------------------------------- */

static bool
waits(const struct ref_job *job)
{
    return ref_waits_for_time(job) || job->state == LEAT_JOB_PENDING;
}

/* One step towards `state`. */
static bool
step_to(struct ref_world *world, struct ref_job *job, enum leat_job_state state)
{
    bool goes = state == LEAT_JOB_PENDING || state == LEAT_JOB_DEAD;
    if (job->state == LEAT_JOB_RUNNING && job->awaited && job->until.high_ns != 0 &&
        job->until.low_ns <= ref_boot(world) && world->running) {
        await_end(world, job);
        return true;
    }
    if (waits(job) && state == LEAT_JOB_DEAD && ref_expired(world, job)) {
        job->zombie = true;
        ref_rates_take(world, job, false);
        ref_key_rates_take(world, job, false);
        ref_end(world, job, LEAT_JOB_DEAD, LEAT_REASON_EXPIRED);
        return true;
    }
    if (ref_waits_for_time(job) && goes && ref_due_now(world, job) && world->running) {
        uint64_t low = job->front ? 0 : world->synced;
        bool front = job->front;
        ref_key_enter(job, low, world->sequence + 1);
        ref_wait_in_line(world, job);
        ref_order_entered(job, world->synced, job->high);
        job->low = low;
        job->high = front ? 0 : job->high;
        return true;
    }
    if (job->state == LEAT_JOB_PENDING && state == LEAT_JOB_DEAD && world->running &&
        !world->types[job->type].bound && !world->queues[job->queue].pull) {
        job->zombie = false;
        ref_rates_take(world, job, true);
        ref_key_rates_take(world, job, true);
        ref_end(world, job, LEAT_JOB_DEAD, LEAT_REASON_UNKNOWN_TYPE);
        return true;
    }
    return ref_graph_step(world, job, state);
}

bool
ref_reach(struct ref_world *world, struct ref_job *job, enum leat_job_state state)
{
    bool moves = true;
    world->by_itself = true;
    while (moves && job->state != state && !ref_final(job)) {
        moves = step_to(world, job, state);
    }
    world->by_itself = false;
    return job->state == state;
}
