/* op_places.c - workers' places that are kept for the jobs of a queue or type. There is one thread,
 * so at most one place is in use: a job may begin if one is kept for its queue or, where none are,
 * for its type, or if not all are kept for others. */
#include "tests/reference/reference.h"

#include "ring/base.h"

static uint32_t
kept(const struct ref_world *world)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < REF_QUEUES; i++) {
        sum += world->queues[i].least;
    }
    for (uint32_t i = 0; i < REF_TYPES; i++) {
        sum += world->types[i].least;
    }
    return sum;
}

/* ---- the part -------------------------------------------------------------------------------- */

static bool
has_none(const struct ref_world *world, const struct ref_job *job)
{
    const struct ref_queue *queue = &world->queues[job->queue];
    uint32_t own = queue->least != 0 ? queue->least : world->types[job->type].least;
    return own == 0 && kept(world) >= world->config.lenders_max;
}

/* One that waited when places came to be kept for its queue stands among those of its type yet, and
 * who is in front of it there may have none. */
bool
ref_places_hold(const struct ref_world *world, const struct ref_job *job)
{
    return has_none(world, job) || (job->of_type && kept(world) >= world->config.lenders_max);
}

bool
ref_places_may_begin(const struct ref_world *world, const struct ref_job *job)
{
    return job->placed || !has_none(world, job);
}

/* Those that wait for a place do so in lists of their types, or of their queue. One that finds its
 * gate shut when it has one goes back to that list, and may be passed by those behind it. */
bool
ref_places_reorder(const struct ref_world *world, const struct ref_job *job,
                   const struct ref_job *other)
{
    bool gated = world->queues[job->queue].gate.used || world->types[job->type].gate.used;
    return world->places && (job->type != other->type || gated);
}

void
ref_places_begun(struct ref_world *world, struct ref_job *job)
{
    (void)world;
    job->placed = false;
}

/* ---- operations ------------------------------------------------------------------------------ */

static uint32_t
draw(struct ref_world *world)
{
    if (ref_chance(world, 2)) {
        return UINT32_MAX;
    }
    return ref_chance(world, 70) ? 0 : 1 + ref_below(world, 2);
}

static enum leat_status
set_right(const struct ref_world *world, bool there, uint32_t before, uint32_t least)
{
    uint32_t most = world->config.lenders_max - (kept(world) - before);
    enum leat_status right = least > most ? LEAT_FULL : LEAT_OK;
    return there ? right : LEAT_NOT_FOUND;
}

/* What had a place by then, or was in the ring, may begin yet; or is turned back. */
static void
set(struct ref_world *world, uint32_t queue, uint32_t *before, uint32_t least)
{
    for (uint32_t i = 0; i < REF_RECORDS; i++) {
        struct ref_job *job = &world->jobs[i];
        bool waits = ref_live(job) && (job->state == LEAT_JOB_PENDING || job->moved);
        job->placed = waits || job->placed;
        job->shaken = waits || job->shaken;
        job->of_type = job->of_type || (waits && job->queue == queue && *before == 0);
    }
    world->places = true;
    *before = least;
}

void
ref_op_queue_min(struct ref_world *world)
{
    uint32_t queue = ref_below(world, REF_QUEUES);
    struct ref_queue *of = &world->queues[queue];
    uint32_t least = draw(world);
    enum leat_status right = set_right(world, of->handle.bits != 0, of->least, least);
    ref_note(world, of->handle.bits, least, of->least);
    ref_answer(world, REF_AT_NOTHING, REF_ONE(right),
               leat_queue_set_running_min(world->engine, of->handle, least));
    if (right == LEAT_OK) {
        set(world, queue, &of->least, least);
    }
}

void
ref_op_type_min(struct ref_world *world)
{
    struct ref_type *of = &world->types[ref_below(world, REF_TYPES)];
    uint32_t least = draw(world);
    enum leat_status right = set_right(world, of->handle.bits != 0, of->least, least);
    ref_note(world, of->handle.bits, least, of->least);
    ref_answer(world, REF_AT_NOTHING, REF_ONE(right),
               leat_type_set_running_min(world->engine, of->handle, least));
    if (right == LEAT_OK) {
        set(world, REF_NONE, &of->least, least);
    }
}
