/* op_names.c - types and queues: registered, created, found; paused and capped. */
#include "tests/reference/reference.h"

#include "ring/base.h"

const char *
ref_type_name(uint32_t type)
{
    static const char *const names[REF_TYPES] = {"mail.send",  "image/resize", "pay:charge",
                                                 "a",          "b_2",          "report",
                                                 "spare.type", "never",        LEAT_COHORT_TYPE};
    return names[type];
}

const char *
ref_queue_name(uint32_t queue)
{
    static const char *const names[REF_QUEUES] = {"default", "mail",   "bulk", "tenant-7",
                                                  "night",   "second", "last"};
    return names[queue];
}

/* A name that the engine has taken in: from now on its handle is known. */
void
ref_type_learn(struct ref_world *world, uint32_t type)
{
    if (leat_type_find(world->engine, ref_type_name(type), &world->types[type].handle) != LEAT_OK) {
        ref_fail(world, NULL, "the type %s is not found", ref_type_name(type));
    }
}

void
ref_queue_learn(struct ref_world *world, uint32_t queue)
{
    struct ref_queue *of = &world->queues[queue];
    if (of->handle.bits == 0) {
        of->tenant = REF_NONE;
        of->block_ns = LEAT_FOREVER;
        ref_gate_join(world, &of->gate);
    }
    if (leat_queue_find(world->engine, ref_queue_name(queue), &of->handle) != LEAT_OK) {
        ref_fail(world, NULL, "the queue %s is not found", ref_queue_name(queue));
    }
}

static uint32_t
types_known(const struct ref_world *world)
{
    uint32_t known = 0;
    for (uint32_t i = 0; i < REF_TYPES; i++) {
        known += world->types[i].handle.bits != 0 ? 1 : 0;
    }
    return known;
}

static uint32_t
queues_known(const struct ref_world *world)
{
    uint32_t known = 0;
    for (uint32_t i = 0; i < REF_QUEUES; i++) {
        known += world->queues[i].handle.bits != 0 ? 1 : 0;
    }
    return known;
}

/* ---- caps and pauses ------------------------------------------------------------------------- */

bool
ref_gate_paused(const struct ref_gate *gate)
{
    return gate->paused || gate->halted;
}

void
ref_gate_join(const struct ref_world *world, struct ref_gate *gate)
{
    gate->used = gate->used || world->halted_once;
    gate->halted = world->halted;
}

static bool
of_gate(const struct ref_world *world, const struct ref_gate *gate, const struct ref_job *job)
{
    bool of = gate == &world->queues[job->queue].gate || gate == &world->types[job->type].gate;
    return ref_live(job) && of && job->state == LEAT_JOB_PENDING;
}

/* The gate is shut, or capped for the first time: what is in the ring is turned back. */
void
ref_gate_shake(struct ref_world *world, const struct ref_gate *gate)
{
    for (uint32_t i = 0; i < REF_RECORDS; i++) {
        struct ref_job *job = &world->jobs[i];
        job->shaken = job->shaken || of_gate(world, gate, job);
        job->gather_ns = of_gate(world, gate, job) ? 0 : job->gather_ns;
    }
}

void
ref_gate_rest(struct ref_world *world)
{
    for (uint32_t i = 0; i < REF_RECORDS; i++) {
        struct ref_job *job = &world->jobs[i];
        job->shaken = job->shaken && ref_gather_takes(world, job);
    }
}

/* Who waits may have entered by now, and begins then though the cap is lowered. */
static void
cap_set(struct ref_world *world, struct ref_gate *gate, uint32_t most)
{
    for (uint32_t i = 0; i < REF_RECORDS; i++) {
        struct ref_job *job = &world->jobs[i];
        bool passes = world->queues[job->queue].gate.used || world->types[job->type].gate.used ||
                      world->places;
        if (of_gate(world, gate, job) && passes &&
            (gate->most == 0 || (most != 0 && most < gate->most))) {
            job->let_past = true;
        }
    }
    if (!gate->used) {
        ref_gate_shake(world, gate);
    }
    gate->used = true;
    gate->most = most;
}

static uint32_t
cap_draw(struct ref_world *world)
{
    if (ref_chance(world, 2)) {
        return (1U << 26) + 1;
    }
    return ref_chance(world, 30) ? 0 : 1 + ref_below(world, 3);
}

uint32_t
ref_queue_choose(struct ref_world *world, leat_queue *handle)
{
    uint32_t queue = ref_below(world, REF_QUEUES);
    *handle = world->queues[queue].handle;
    if (handle->bits == 0) {
        handle->bits = ref_chance(world, 50) ? 0 : 9999;
        queue = REF_NONE;
    }
    return queue;
}

void
ref_op_pause(struct ref_world *world)
{
    leat_queue handle;
    uint32_t queue = ref_queue_choose(world, &handle);
    ref_note(world, queue, 0, 0);
    ref_answer(world, REF_AT_NOTHING, REF_ONE(queue == REF_NONE ? LEAT_NOT_FOUND : LEAT_OK),
               leat_queue_pause(world->engine, handle));
    if (queue != REF_NONE) {
        ref_gate_shake(world, &world->queues[queue].gate);
        world->queues[queue].gate.used = true;
        world->queues[queue].gate.paused = true;
    }
}

void
ref_op_resume(struct ref_world *world)
{
    leat_queue handle;
    uint32_t queue = ref_queue_choose(world, &handle);
    ref_note(world, queue, 0, 0);
    ref_answer(world, REF_AT_NOTHING, REF_ONE(queue == REF_NONE ? LEAT_NOT_FOUND : LEAT_OK),
               leat_queue_resume(world->engine, handle));
    if (queue != REF_NONE) {
        world->queues[queue].gate.paused = false;
    }
}

/* From then on all jobs go through lists; so it is not in each episode. */
void
ref_op_pause_all(struct ref_world *world)
{
    if (!world->halts) {
        return;
    }
    ref_note(world, world->halted, 0, 0);
    ref_answer(world, REF_AT_NOTHING, REF_ONE(LEAT_OK), leat_pause_all(world->engine));
    world->halted = true;
    world->halted_once = true;
    for (uint32_t i = 0; i < REF_QUEUES; i++) {
        ref_gate_shake(world, &world->queues[i].gate);
        ref_gate_join(world, &world->queues[i].gate);
    }
}

void
ref_op_resume_all(struct ref_world *world)
{
    if (!world->halts) {
        return;
    }
    ref_note(world, world->halted, 0, 0);
    ref_answer(world, REF_AT_NOTHING, REF_ONE(LEAT_OK), leat_resume_all(world->engine));
    world->halted = false;
    for (uint32_t i = 0; i < REF_QUEUES; i++) {
        ref_gate_join(world, &world->queues[i].gate);
    }
}

void
ref_op_queue_cap(struct ref_world *world)
{
    leat_queue handle;
    uint32_t queue = ref_queue_choose(world, &handle);
    uint32_t most = cap_draw(world);
    enum leat_status right = most > 1U << 26 ? LEAT_INVALID : LEAT_OK;
    right = queue == REF_NONE ? LEAT_NOT_FOUND : right;
    ref_note(world, queue, most, 0);
    ref_answer(world, REF_AT_NOTHING, REF_ONE(right),
               leat_queue_set_running_max(world->engine, handle, most));
    if (right == LEAT_OK) {
        cap_set(world, &world->queues[queue].gate, most);
    }
}

void
ref_op_type_cap(struct ref_world *world)
{
    uint32_t type = ref_below(world, REF_TYPES);
    leat_type handle = world->types[type].handle;
    uint32_t most = cap_draw(world);
    enum leat_status right = most > 1U << 26 ? LEAT_INVALID : LEAT_OK;
    right = handle.bits == 0 ? LEAT_NOT_FOUND : right;
    ref_note(world, type, most, 0);
    ref_answer(world, REF_AT_NOTHING, REF_ONE(right),
               leat_type_set_running_max(world->engine, handle, most));
    if (right == LEAT_OK) {
        cap_set(world, &world->types[type].gate, most);
    }
}

/* ---- types ----------------------------------------------------------------------------------- */

static enum leat_status
register_right(const struct ref_world *world, uint32_t type, bool valid)
{
    if (!valid) {
        return LEAT_INVALID;
    }
    if (world->types[type].bound) {
        return LEAT_EXISTS;
    }
    bool room = world->types[type].handle.bits != 0 || types_known(world) < world->config.types_max;
    return room ? LEAT_OK : LEAT_FULL;
}

void
ref_op_register(struct ref_world *world)
{
    static const uint64_t timeouts[] = {0, REF_MS, 10 * REF_MS, 2 * REF_S, 60 * REF_S};
    struct leat_type_options options = leat_type_options_default();
    uint32_t type = ref_below(world, REF_TYPES);
    struct ref_type *of = &world->types[type];
    uint32_t policy = ref_below(world, REF_POLICY_BAD + (ref_chance(world, 10) ? 1 : 0));
    struct leat_retry_policy retry = ref_policy(policy);
    leat_type handle = {0};
    bool bad = ref_chance(world, 5);
    options.max_attempts = bad ? 0 : 1 + ref_below(world, 5);
    options.timeout_ns = timeouts[ref_below(world, 5)];
    options.running_max = ref_chance(world, 80) ? 0 : 1 + ref_below(world, 3);
    options.retry = &retry;
    bool ours = ref_chance(world, 10);
    struct leat_breaker_options breaker_options;
    struct ref_breaker breaker;
    bool broken = ref_breaker_draw(world, &breaker_options, &breaker) != LEAT_OK;
    options.breaker = broken || breaker.there ? &breaker_options : NULL;
    bool odd = false;
    bool batch = !ours && ref_gather_draw(world, &options, &odd);
    bad = bad || odd;
    bad = ref_key_rate_draw(world, &options.key_rate) != LEAT_OK || bad;
    enum leat_status right =
        register_right(world, type, ours || (!bad && !broken && policy != REF_POLICY_BAD));
    ref_note(world, type, policy, options.running_max);
    ref_answer(world, REF_AT_NOTHING, REF_ONE(right),
               batch ? leat_type_register_batch(world->engine, ref_type_name(type),
                                                ref_batch_handler, world, &options, &handle)
                     : leat_type_register(world->engine, ref_type_name(type), ref_handler, world,
                                          ours ? NULL : &options, &handle));
    if (right != LEAT_OK) {
        return;
    }
    if (of->handle.bits != 0 && of->handle.bits != handle.bits) {
        ref_fail(world, NULL, "the type %s has another handle", ref_type_name(type));
    }
    of->handle = handle;
    of->bound = true;
    of->batch_most = batch ? options.batch_max : 0;
    of->batch_delay_ns = options.batch_delay_ns;
    of->max_attempts = ours ? 3 : options.max_attempts;
    of->timeout_ns = ours ? 60 * REF_S : options.timeout_ns;
    of->policy = ours ? REF_POLICY_OURS : policy;
    if (!ours && options.running_max != 0) {
        cap_set(world, &of->gate, options.running_max);
    }
    if (!ours && options.key_rate.jobs != 0) {
        ref_key_rate_set(world, &of->pace, &options.key_rate);
    }
    if (!ours && breaker.there) {
        of->breaker = breaker;
        ref_gate_shake(world, &of->gate); /* from now on they go through lists */
        of->gate.used = true;
    }
}

void
ref_op_type_find(struct ref_world *world)
{
    uint32_t type = ref_below(world, REF_TYPES);
    leat_type handle = {77};
    bool known = world->types[type].handle.bits != 0;
    ref_note(world, type, 0, 0);
    ref_answer(world, REF_AT_NOTHING, REF_ONE(known ? LEAT_OK : LEAT_NOT_FOUND),
               leat_type_find(world->engine, ref_type_name(type), &handle));
    if (handle.bits != (known ? world->types[type].handle.bits : 77)) {
        ref_fail(world, NULL, "the type %s has another handle", ref_type_name(type));
    }
}

/* ---- queues ---------------------------------------------------------------------------------- */

void
ref_op_queue_create(struct ref_world *world)
{
    struct leat_queue_options options = leat_queue_options_default();
    uint32_t queue = ref_below(world, REF_QUEUES);
    struct ref_queue *of = &world->queues[queue];
    leat_queue handle = {0};
    bool known = of->handle.bits != 0;
    options.priority = ref_below(world, leat_priority_levels() + (ref_chance(world, 5) ? 1 : 0));
    options.running_max = ref_chance(world, 80) ? 0 : 1 + ref_below(world, 3);
    options.pull = ref_chance(world, 60);
    enum leat_status right = known ? LEAT_EXISTS : LEAT_OK;
    right = !known && queues_known(world) >= world->config.queues_max ? LEAT_FULL : right;
    right = options.priority >= leat_priority_levels() ? LEAT_INVALID : right;
    struct ref_queue made = ref_queue_draw(world, &options);
    right = ref_order_draw(world, &made, &options) == LEAT_OK ? right : LEAT_INVALID;
    right = ref_key_rate_draw(world, &options.key_rate) == LEAT_OK ? right : LEAT_INVALID;
    ref_note(world, queue, options.waiting_max, options.running_max);
    ref_answer(world, REF_AT_NOTHING, REF_ONE(right),
               leat_queue_create(world->engine, ref_queue_name(queue), &options, &handle));
    if (right == LEAT_EXISTS && handle.bits != of->handle.bits) {
        ref_fail(world, NULL, "the queue %s has another handle", ref_queue_name(queue));
    }
    if (right == LEAT_OK) {
        made.handle = handle;
        made.priority = options.priority;
        made.pull = options.pull;
        *of = made;
        ref_gate_join(world, &of->gate);
        ref_rates_joined(world, queue);
        ref_key_rate_set(world, &of->pace, &options.key_rate);
        if (options.running_max != 0) {
            cap_set(world, &of->gate, options.running_max);
        }
    }
}

void
ref_op_queue_find(struct ref_world *world)
{
    uint32_t queue = ref_below(world, REF_QUEUES);
    leat_queue handle = {77};
    bool known = world->queues[queue].handle.bits != 0;
    ref_note(world, queue, 0, 0);
    ref_answer(world, REF_AT_NOTHING, REF_ONE(known ? LEAT_OK : LEAT_NOT_FOUND),
               leat_queue_find(world->engine, ref_queue_name(queue), &handle));
    if (handle.bits != (known ? world->queues[queue].handle.bits : 77)) {
        ref_fail(world, NULL, "the queue %s has another handle", ref_queue_name(queue));
    }
}
