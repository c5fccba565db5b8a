/* parts.c - what holds jobs back beside their time: one row per feature. */
#include "tests/reference/reference.h"

/* ---- gates: pauses and caps of queues and types ---------------------------------------------- */

static bool
gate_open(const struct ref_gate *gate)
{
    return !ref_gate_paused(gate) && (gate->most == 0 || gate->inside < gate->most);
}

static bool
gates_may_begin(const struct ref_world *world, const struct ref_job *job)
{
    const struct ref_gate *queue = &world->queues[job->queue].gate;
    const struct ref_gate *type = &world->types[job->type].gate;
    if (ref_gate_paused(queue)) {
        return false;
    }
    /* Lowering a cap ends nothing: who had entered by then begins yet. */
    return job->let_past || (gate_open(queue) && gate_open(type));
}

static bool
gates_hold(const struct ref_world *world, const struct ref_job *job)
{
    return !gate_open(&world->queues[job->queue].gate) || !gate_open(&world->types[job->type].gate);
}

static bool
limits(const struct ref_gate *gate, const struct ref_bucket *bucket)
{
    return gate->most != 0 || bucket->jobs != 0;
}

/* One that comes from its type's list and finds its queue shut goes back to its queue's: those
 * behind it in the type's may pass it, if the queue opens just then. So does one that was gathered,
 * and may not begin when its batch is taken; and one for which a breaker has no probe left. */
static bool
goes_back(const struct ref_world *world, const struct ref_job *job)
{
    const struct ref_queue *queue = &world->queues[job->queue];
    const struct ref_type *type = &world->types[job->type];
    bool both = limits(&queue->gate, &queue->bucket) && limits(&type->gate, &type->bucket);
    bool gathered = queue->gate.used && type->gate.used && ref_gather_takes(world, job);
    return both || gathered || type->breaker.openings != 0;
}

/* A type has lists of its own, in which its jobs keep their order. What was in the ring when its
 * gate was shut, or first used, is turned back by the worker that takes it: behind what was
 * admitted to the ring by then. */
static bool
gates_reorder(const struct ref_world *world, const struct ref_job *job, const struct ref_job *other)
{
    if (other->shaken || goes_back(world, other)) {
        return true;
    }
    return job->type != other->type &&
           (world->types[job->type].gate.used || world->types[other->type].gate.used);
}

static void
gates_begun(struct ref_world *world, struct ref_job *job)
{
    if (world->queues[job->queue].pull) {
        job->inside = world->queues[job->queue].gate.used; /* those of types have no say */
        world->queues[job->queue].gate.inside += job->inside ? 1 : 0;
        return;
    }
    struct ref_gate *queue = &world->queues[job->queue].gate;
    struct ref_gate *type = &world->types[job->type].gate;
    /* What ran before the first cap, pause or minimum is not counted. */
    job->inside = queue->used || type->used || world->places;
    job->let_past = false;
    if (job->inside) {
        queue->inside++;
        type->inside++;
    }
}

static void
gates_left(struct ref_world *world, struct ref_job *job)
{
    if (job->inside) {
        world->queues[job->queue].gate.inside--;
        world->types[job->type].gate.inside -= world->queues[job->queue].pull ? 0 : 1;
        job->inside = false;
    }
}

/* ---- pull queues: no worker takes their jobs ------------------------------------------------- */

static bool
pull_may_begin(const struct ref_world *world, const struct ref_job *job)
{
    return !world->queues[job->queue].pull;
}

static bool
pull_holds(const struct ref_world *world, const struct ref_job *job)
{
    return world->queues[job->queue].pull;
}

/* ---- all of them ----------------------------------------------------------------------------- */

const struct ref_part ref_parts[] = {
    {"gates", gates_may_begin, gates_hold, gates_reorder, gates_begun, gates_left},
    {"keys", ref_key_may_begin, ref_key_holds, ref_key_reorders, ref_key_begun, NULL},
    {"rates", ref_rates_may_begin, ref_rates_hold, NULL, ref_rates_begun, NULL},
    {"rates of keys", ref_key_rates_may_begin, ref_key_rates_hold, NULL, ref_key_rates_begun, NULL},
    {"places", ref_places_may_begin, ref_places_hold, ref_places_reorder, ref_places_begun, NULL},
    {"breakers", ref_breaker_may_begin, ref_breaker_holds, NULL, ref_breaker_begun, NULL},
    {"order", NULL, ref_order_holds, ref_order_reorders, ref_order_begun, NULL},
    {"batches", NULL, ref_gather_holds, ref_gather_reorders, NULL, NULL},
    {"pull queues", pull_may_begin, pull_holds, NULL, NULL, NULL},
};
const uint32_t ref_parts_count = sizeof(ref_parts) / sizeof(ref_parts[0]);

bool
ref_held_but(const struct ref_world *world, const struct ref_job *job,
             bool (*but)(const struct ref_world *, const struct ref_job *))
{
    bool held = false;
    for (uint32_t i = 0; i < ref_parts_count; i++) {
        bool asks = ref_parts[i].holds != NULL && ref_parts[i].holds != but;
        held = held || (asks && ref_parts[i].holds(world, job));
    }
    return held;
}

bool
ref_held(const struct ref_world *world, const struct ref_job *job)
{
    return ref_held_but(world, job, NULL);
}
