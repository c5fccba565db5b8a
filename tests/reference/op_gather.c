/* op_gather.c - handlers that take several jobs in one call. What is gathered for one is PENDING
 * and waits for others, until the delay of the first one is over; it has passed its gates
 * meanwhile, and so may keep others waiting. */
#include "tests/reference/reference.h"

#include <string.h>

#define MOST_MAX  256
#define MOST_HERE 6

/* ---- drawing --------------------------------------------------------------------------------- */

bool
ref_gather_draw(struct ref_world *world, struct leat_type_options *options, bool *bad)
{
    static const uint64_t delays_ns[] = {0, 0, REF_MS, 20 * REF_MS, 2 * REF_S};
    if (!ref_chance(world, 35)) {
        *bad = ref_chance(world, 3);
        options->batch_max = *bad ? 1 : 0; /* it says nothing without a batch */
        return false;
    }
    options->batch_max = 1 + ref_below(world, MOST_HERE);
    options->batch_delay_ns = delays_ns[ref_below(world, 5)];
    *bad = ref_chance(world, 5);
    if (*bad) {
        options->batch_max = ref_below(world, 2) * (MOST_MAX + 1);
    }
    return true;
}

/* ---- what it holds --------------------------------------------------------------------------- */

bool
ref_gather_takes(const struct ref_world *world, const struct ref_job *job)
{
    return world->types[job->type].batch_most != 0 && !world->queues[job->queue].pull;
}

/* It may stand in the list of its type. */
static bool
may_be_gathered(const struct ref_world *world, const struct ref_job *job)
{
    return ref_live(job) && job->state == LEAT_JOB_PENDING && ref_gather_takes(world, job);
}

/* What is put off, cancelled or expired stays in the list until that is taken. */
static bool
may_stand(const struct ref_world *world, const struct ref_job *job)
{
    bool there = job->id.bits != 0 && !job->gone && (job->moved || job->zombie);
    return ref_gather_takes(world, job) && (may_be_gathered(world, job) || there);
}

/* It has what `job` may have to wait for. */
static bool
in_the_way(const struct ref_world *world, const struct ref_job *job, const struct ref_job *other)
{
    const struct ref_queue *queue = &world->queues[job->queue];
    const struct ref_queue *its = &world->queues[other->queue];
    const struct ref_type *type = &world->types[job->type];
    bool tenant = queue->tenant != REF_NONE && queue->tenant == its->tenant &&
                  world->tenants[queue->tenant].bucket.jobs != 0;
    bool of_queue =
        other->queue == job->queue && (queue->gate.most != 0 || queue->bucket.jobs != 0);
    bool of_type = other->type == job->type && (type->gate.most != 0 || type->bucket.jobs != 0 ||
                                                type->breaker.state != LEAT_BREAKER_CLOSED);
    return tenant || of_queue || of_type || world->places;
}

/* Something that is gathered may keep it from going on. */
static bool
is_behind(const struct ref_world *world, const struct ref_job *job)
{
    bool behind = false;
    for (uint32_t i = 0; i < REF_RECORDS; i++) {
        const struct ref_job *other = &world->jobs[i];
        behind =
            behind || (other != job && may_stand(world, other) && in_the_way(world, job, other));
    }
    return behind;
}

bool
ref_gather_holds(const struct ref_world *world, const struct ref_job *job)
{
    bool waits = ref_gather_takes(world, job) && world->state != LEAT_ENGINE_DRAINING &&
                 (job->gather_ns == 0 || ref_boot(world) < job->gather_ns);
    return waits || is_behind(world, job);
}

/* Those that nothing else holds are gathered by now, so they have to go when the delay is over that
 * begins at the latest now. */
void
ref_gather_idle(struct ref_world *world)
{
    uint32_t counts[REF_TYPES] = {0};
    for (uint32_t i = 0; i < REF_RECORDS; i++) {
        struct ref_job *job = &world->jobs[i];
        const struct ref_type *type = &world->types[job->type];
        if (!may_be_gathered(world, job)) {
            continue;
        }
        job->gather_ns = job->gather_ns == 0 || job->shaken
                             ? ref_after(ref_boot(world), type->batch_delay_ns)
                             : job->gather_ns;
        if (ref_held_but(world, job, ref_gather_holds) || job->shaken || is_behind(world, job)) {
            job->gather_ns = 0;
        } else {
            counts[job->type]++;
        }
        if (counts[job->type] >= type->batch_most) {
            ref_fail(world, job, "%u jobs wait for their batch of %u", counts[job->type],
                     type->batch_most);
        }
    }
}

/* Who waits in a list of that kind has been come to, and is passed by others. What was gathered
 * when a gate was shut stays so, and passes those that were turned back from the ring then. */
bool
ref_gather_reorders(const struct ref_world *world, const struct ref_job *job,
                    const struct ref_job *other)
{
    bool stays = ref_gather_takes(world, job) && job->shaken;
    return (ref_gather_takes(world, other) || stays) && other->type != job->type;
}

/* What is on its way, or gathered, is turned back where its type is shut by then. */
void
ref_gather_shut(struct ref_world *world, uint32_t type)
{
    for (uint32_t i = 0; i < REF_RECORDS; i++) {
        struct ref_job *job = &world->jobs[i];
        bool waits = ref_live(job) && job->state == LEAT_JOB_PENDING && job->type == type;
        job->gather_ns = job->type == type ? 0 : job->gather_ns;
        job->shaken = job->shaken || waits;
    }
}

/* ---- a call ---------------------------------------------------------------------------------- */

bool
ref_gather_timed_out(const struct ref_world *world, const struct ref_job *job)
{
    return job->batched && world->watched != NULL && world->watched->timed_out;
}

static uint64_t
timeout_of(const struct ref_world *world, const struct ref_job *job)
{
    return job->timeout_ns == LEAT_TIMEOUT_OF_TYPE ? world->types[job->type].timeout_ns
                                                   : job->timeout_ns;
}

/* The watcher looks at the one that has the most time. */
static struct ref_job *
slowest(struct ref_world *world, struct leat_run *const *runs, size_t count)
{
    struct ref_job *found = ref_job_of(world, leat_run_id(runs[0]));
    for (size_t i = 1; i < count; i++) {
        struct ref_job *job = ref_job_of(world, leat_run_id(runs[i]));
        uint64_t before_ns = timeout_of(world, found);
        uint64_t own_ns = timeout_of(world, job);
        found = own_ns == 0 || (before_ns != 0 && own_ns > before_ns) ? job : found;
    }
    return found;
}

static void
call_begin(struct ref_world *world, struct leat_run *const *runs, size_t count)
{
    ref_schedules_settle(world);
    for (size_t i = 0; i < count; i++) {
        struct ref_job *job = ref_job_of(world, leat_run_id(runs[i]));
        (void)ref_reach(world, job, LEAT_JOB_PENDING);
        job->handled = true;
        job->batched = true;
    }
    for (size_t i = 0; i < count; i++) {
        ref_turn(world, ref_job_of(world, leat_run_id(runs[i])));
    }
    world->watched = slowest(world, runs, count);
    if (count > world->types[world->current->type].batch_most) {
        ref_fail(world, world->current, "%zu jobs come in one call", count);
    }
}

static void
call_end(struct ref_world *world, struct leat_run *const *runs, const struct leat_outcome *outcomes,
         size_t count)
{
    struct ref_job *leader = world->watched;
    for (size_t i = 0; i < count; i++) {
        struct ref_job *job = ref_job_of(world, leat_run_id(runs[i]));
        if (leader->timed_out && job != leader && !job->said) {
            job->timed_out = true;
            world->counts.timed_out++;
        }
    }
    world->watched = NULL;
    for (size_t i = 0; i < count; i++) {
        world->current = ref_job_of(world, leat_run_id(runs[i]));
        world->current->batched = false;
        ref_attempt_leave(world, outcomes[i], NULL);
    }
}

/* One that runs inline comes alone. */
static void
alone(struct ref_world *world, struct leat_run *run, struct leat_outcome *outcome,
      struct ref_job *outer)
{
    world->current->handled = true;
    *outcome = ref_handle(world, run);
    ref_attempt_leave(world, *outcome, outer);
}

void
ref_batch_handler(struct leat_run *const *runs, struct leat_outcome *outcomes, size_t count,
                  void *context)
{
    struct ref_world *world = context;
    struct ref_job *outer = world->current;
    for (size_t i = 0; i < count; i++) {
        if (outcomes[i].kind != LEAT_OUTCOME_DONE) {
            ref_fail(world, NULL, "an outcome of a batch is not done at first");
        }
    }
    if (ref_inline_begin(world, runs[0])) {
        alone(world, runs[0], &outcomes[0], outer);
        return;
    }
    call_begin(world, runs, count);
    for (size_t i = 0; i < count; i++) {
        world->current = ref_job_of(world, leat_run_id(runs[i]));
        outcomes[i] = ref_handle(world, runs[i]);
    }
    call_end(world, runs, outcomes, count);
}
