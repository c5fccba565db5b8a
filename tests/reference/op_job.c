/* op_job.c - what is done to one job by its id. */
#include "tests/reference/reference.h"

#include <string.h>

static void
cancel(struct ref_world *world, struct ref_target target)
{
    struct ref_job *job = target.job;
    enum leat_status right = target.missing;
    if (job != NULL) {
        right = ref_final(job) ? LEAT_ENDED : LEAT_OK;
        right = job->state == LEAT_JOB_RUNNING ? LEAT_RUNNING : right;
    }
    ref_note(world, target.id.bits, 0, 0);
    ref_answer(world, target.at, REF_ONE(right),
               target.name == NULL ? leat_cancel(world->engine, target.id)
                                   : leat_cancel_by_name(world->engine, target.name));
    if (job == NULL) {
        return;
    }
    if (right == LEAT_RUNNING) {
        job->cancel = true;
    } else if (right == LEAT_OK) {
        job->zombie = true;
        ref_end(world, job, LEAT_JOB_CANCELLED, LEAT_REASON_NONE);
    }
}

static void
get(struct ref_world *world, struct ref_target target)
{
    struct leat_job_info info = leat_job_info_default();
    ref_note(world, target.id.bits, 0, 0);
    enum leat_status got = target.name == NULL
                               ? leat_get(world->engine, target.id, &info)
                               : leat_get_by_name(world->engine, target.name, &info);
    ref_answer(world, target.at, REF_ONE(target.job == NULL ? target.missing : LEAT_OK), got);
    if (got == LEAT_OK) {
        ref_look_at_info(world, target.job, &info);
    }
}

static void
wait(struct ref_world *world, struct ref_target target)
{
    struct leat_job_info info = leat_job_info_default();
    enum leat_status right = target.missing;
    if (target.job != NULL) {
        right = world->state == LEAT_ENGINE_STOPPED ? LEAT_CLOSED : LEAT_TIMEOUT;
        right = ref_final(target.job) ? LEAT_OK : right;
    }
    ref_note(world, target.id.bits, 0, 0);
    ref_answer(world, target.at, REF_ONE(right),
               target.name == NULL ? leat_wait(world->engine, target.id, 0, &info)
                                   : leat_wait_by_name(world->engine, target.name, 0, &info));
    if (right == LEAT_OK || right == LEAT_TIMEOUT) {
        ref_look_at_info(world, target.job, &info);
    }
}

static void
result(struct ref_world *world, struct ref_target target)
{
    unsigned char buffer[REF_RESULT_MAX];
    size_t bytes = SIZE_MAX;
    size_t capacity = ref_chance(world, 70) ? sizeof(buffer) : ref_below(world, REF_RESULT_MAX);
    const struct ref_job *job = target.job;
    enum leat_status right = target.missing;
    if (job != NULL) {
        right = job->result_bytes <= capacity ? LEAT_OK : LEAT_FULL;
        right = ref_final(job) ? right : LEAT_WRONG_STATE;
    }
    ref_note(world, target.id.bits, capacity, 0);
    ref_answer(world, target.at, REF_ONE(right),
               target.name == NULL
                   ? leat_result(world->engine, target.id, buffer, capacity, &bytes)
                   : leat_result_by_name(world->engine, target.name, buffer, capacity, &bytes));
    bool sized = right == LEAT_OK || right == LEAT_FULL;
    if (bytes != (job != NULL && sized ? job->result_bytes : SIZE_MAX) ||
        (job != NULL && right == LEAT_OK && bytes != 0 &&
         memcmp(buffer, job->result, bytes) != 0)) {
        ref_fail(world, job, "the result has %zu bytes, or others", bytes);
    }
}

static bool
held_back(const struct ref_world *world, const struct ref_job *job)
{
    (void)world;
    return ref_final(job) && job->kept;
}

static void
release(struct ref_world *world, struct ref_target target)
{
    struct ref_job *job = target.job;
    enum leat_status right = target.missing;
    if (job != NULL) {
        right = job->kept ? LEAT_OK : LEAT_WRONG_STATE;
    }
    ref_note(world, target.id.bits, 0, 0);
    ref_answer(world, target.at, REF_ONE(right),
               target.name == NULL ? leat_release(world->engine, target.id)
                                   : leat_release_by_name(world->engine, target.name));
    if (job == NULL || right != LEAT_OK) {
        return;
    }
    job->kept = false;
    bool dead = job->state == LEAT_JOB_DEAD;
    if (ref_final(job) && job->zombie && !dead) {
        world->ends_other++; /* it is retained when its place lets go of it */
        job->loose = true;
    } else if (ref_final(job) && (!dead || job->unlisted || world->config.dead_max == 0)) {
        if (!job->zombie) {
            ref_let_go(job);
        }
    }
}

/* ---- changes in place ------------------------------------------------------------------------ */

/* A name is looked for before anything else is. */
static bool
unnamed(const struct ref_target *target)
{
    return target->name != NULL && target->job == NULL;
}

static enum leat_status
change_right(const struct ref_target *target)
{
    if (target->job == NULL) {
        return target->missing;
    }
    if (ref_final(target->job)) {
        return LEAT_ENDED;
    }
    bool fixed = target->job->state == LEAT_JOB_RUNNING || target->job->state == LEAT_JOB_BLOCKED;
    return fixed ? LEAT_WRONG_STATE : LEAT_OK;
}

/* It waits for a time now; where it stood in line it stands there yet. */
static void
put_off(struct ref_job *job, bool wall, uint64_t at_ns)
{
    job->due.wall = wall;
    job->due.low_ns = at_ns;
    job->due.high_ns = at_ns;
    job->front = false;
    job->trail = 0; /* it waits for a time */
    if (job->state == LEAT_JOB_PENDING) {
        job->state = LEAT_JOB_SCHEDULED;
        job->moved = true;
    }
}

void
ref_rescheduled(struct ref_world *world, struct ref_job *job, struct leat_when when)
{
    bool later = when.delay_ns != 0 || when.run_at_ns > ref_wall(world);
    if (!later && job->state == LEAT_JOB_PENDING) {
        return;
    }
    ref_key_leave(job);
    if (!later) {
        put_off(job, false, 0);
    } else if (when.delay_ns != 0) {
        put_off(job, false, ref_after(ref_boot(world), when.delay_ns));
    } else {
        /* Where it is beyond the last time that there is, it is that one. */
        put_off(job, true, when.run_at_ns > INT64_MAX ? INT64_MAX : when.run_at_ns);
    }
}

static void
reschedule(struct ref_world *world, struct ref_target target)
{
    struct leat_when when = leat_when_now();
    uint32_t way = ref_below(world, 10);
    enum leat_status right = change_right(&target);
    if (way < 6) {
        when = leat_when_in(ref_delay(world));
    } else if (way < 8) {
        when = leat_when_at(ref_wall_draw(world));
    } else if (way == 8 && ref_chance(world, 20)) {
        when.delay_ns = 1;
        when.run_at_ns = 1;
        right = unnamed(&target) ? LEAT_NOT_FOUND : LEAT_INVALID;
    }
    ref_note(world, target.id.bits, when.delay_ns, when.run_at_ns);
    ref_answer(world, target.at, REF_ONE(right),
               target.name == NULL ? leat_reschedule(world->engine, target.id, when)
                                   : leat_reschedule_by_name(world->engine, target.name, when));
    if (right == LEAT_OK) {
        ref_rescheduled(world, target.job, when);
        ref_look(world, target.job);
    }
}

static void
priority(struct ref_world *world, struct ref_target target)
{
    uint32_t level = ref_below(world, leat_priority_levels() + (ref_chance(world, 5) ? 1 : 0));
    enum leat_status right = change_right(&target);
    if (target.job != NULL && ref_order_right(world, target.job->queue, level) != LEAT_OK) {
        right = LEAT_INVALID;
    }
    right = level >= leat_priority_levels() && !unnamed(&target) ? LEAT_INVALID : right;
    ref_note(world, target.id.bits, level, 0);
    ref_answer(world, target.at, REF_ONE(right),
               target.name == NULL ? leat_priority_set(world->engine, target.id, level)
                                   : leat_priority_set_by_name(world->engine, target.name, level));
    if (right != LEAT_OK || target.job->level == level) {
        return;
    }
    target.job->level = level;
    if (target.job->state == LEAT_JOB_PENDING) {
        put_off(target.job, false, 0);
    }
    ref_look(world, target.job);
}

/* ---- operations ------------------------------------------------------------------------------ */

void
ref_op_cancel(struct ref_world *world)
{
    cancel(world, ref_target(world));
}

void
ref_op_cancel_by_name(struct ref_world *world)
{
    cancel(world, ref_target_by_name(world));
}

void
ref_op_get(struct ref_world *world)
{
    get(world, ref_target(world));
}

void
ref_op_get_by_name(struct ref_world *world)
{
    get(world, ref_target_by_name(world));
}

void
ref_op_wait(struct ref_world *world)
{
    wait(world, ref_target(world));
}

void
ref_op_wait_by_name(struct ref_world *world)
{
    wait(world, ref_target_by_name(world));
}

void
ref_op_result(struct ref_world *world)
{
    result(world, ref_target(world));
}

void
ref_op_result_by_name(struct ref_world *world)
{
    result(world, ref_target_by_name(world));
}

void
ref_op_release(struct ref_world *world)
{
    release(world, ref_chance(world, 70) ? ref_target_of(world, held_back) : ref_target(world));
}

void
ref_op_release_by_name(struct ref_world *world)
{
    release(world, ref_target_by_name(world));
}

void
ref_op_reschedule(struct ref_world *world)
{
    reschedule(world, ref_target(world));
}

void
ref_op_reschedule_by_name(struct ref_world *world)
{
    reschedule(world, ref_target_by_name(world));
}

void
ref_op_priority(struct ref_world *world)
{
    priority(world, ref_target(world));
}

void
ref_op_priority_by_name(struct ref_world *world)
{
    priority(world, ref_target_by_name(world));
}
