/* op_order.c - who goes first: queues in exact order, and weights.
 *
 * Exact order is a rule about pairs, too. A job that surely came later than a more urgent one does
 * not begin in front of it; and of those that came before it at most as many as there are places
 * for lent threads, which may have been on their way by then.
 *
 * Weights are a rule about stretches: as long as the same queues have more jobs of a level than may
 * be under way, each begins its share of what all of them begin, but for one turn. */
#include "tests/reference/submit.h"

#include <inttypes.h>
#include <string.h>

#define WEIGHT_MAX 1000
#define TURN       8  /* jobs of weight 1 */
#define AHEAD      4  /* jobs for each worker, of all queues with weights */
#define ENOUGH     32 /* begins of a stretch that says something */

/* ---- drawing --------------------------------------------------------------------------------- */

static uint32_t
weight_draw(struct ref_world *world)
{
    static const uint32_t weights[] = {1, 1, 2, 3};
    return ref_chance(world, 2) ? WEIGHT_MAX : weights[ref_below(world, 4)];
}

enum leat_status
ref_order_draw(struct ref_world *world, struct ref_queue *queue, struct leat_queue_options *options)
{
    queue->exact = ref_chance(world, 35);
    queue->weight = ref_chance(world, 50) ? weight_draw(world) : 0;
    queue->weight_most = queue->weight;
    queue->gate.used = queue->exact || queue->weight != 0;
    options->order = queue->exact ? LEAT_ORDER_EXACT : LEAT_ORDER_FIFO;
    options->weight = queue->weight;
    if (!ref_chance(world, 3)) {
        return LEAT_OK;
    }
    if (ref_chance(world, 50)) {
        options->order = (enum leat_order)2;
    } else {
        options->weight = WEIGHT_MAX + 1;
    }
    return LEAT_INVALID;
}

/* ---- exact order ----------------------------------------------------------------------------- */

enum leat_status
ref_order_right(const struct ref_world *world, uint32_t queue, uint32_t level)
{
    const struct ref_queue *of = &world->queues[queue];
    return of->exact && level != of->priority ? LEAT_INVALID : LEAT_OK;
}

void
ref_order_submitted(struct ref_world *world, struct ref_job *job, uint32_t order)
{
    job->order = order;
    job->number = ++world->queues[job->queue].numbers;
}

void
ref_order_entered(struct ref_job *job, uint64_t low, uint64_t high)
{
    job->came_low = low;
    job->came_high = high;
    job->passed = 0;
}

bool
ref_order_before(const struct ref_job *job, const struct ref_job *other)
{
    return job->order < other->order || (job->order == other->order && job->number < other->number);
}

/* It may have left the list of its queue, and wait where that has no say. */
static bool
waits_behind(const struct ref_world *world, const struct ref_job *job)
{
    const struct ref_queue *queue = &world->queues[job->queue];
    bool tenant = queue->tenant != REF_NONE && world->tenants[queue->tenant].rated;
    return world->types[job->type].gate.used || world->places || tenant ||
           ref_gather_takes(world, job);
}

/* A job that is to begin passes by one that waits: `other`. False: that is no fault. */
static bool
passes(const struct ref_world *world, const struct ref_job *job, const struct ref_job *other)
{
    bool waits = ref_live(other) && other->state == LEAT_JOB_PENDING && other != job &&
                 other->queue == job->queue;
    return waits && ref_order_before(other, job) && other->key == REF_NONE &&
           !ref_expired(world, other) && !waits_behind(world, other);
}

bool
ref_order_first(const struct ref_world *world, const struct ref_job *job,
                const struct ref_job *other)
{
    return passes(world, job, other) &&
           (job->came_low > other->came_high ||
            (other->passed >= world->config.lenders_max && !ref_gather_takes(world, job)));
}

/* Its type, its tenant or the places of others hold it, and so it may have left the list. */
static bool
held_behind(const struct ref_world *world, const struct ref_job *job)
{
    const struct ref_gate *type = &world->types[job->type].gate;
    bool full = type->most != 0 && type->inside >= type->most;
    return full || ref_rates_hold(world, job) || ref_places_hold(world, job) ||
           ref_breaker_holds(world, job) || ref_gather_holds(world, job);
}

/* All places ahead of the order may be those of jobs that wait for something else. */
bool
ref_order_holds(const struct ref_world *world, const struct ref_job *job)
{
    uint32_t ahead = 0;
    if (!world->queues[job->queue].exact || world->queues[job->queue].pull) {
        return false;
    }
    for (uint32_t i = 0; i < REF_RECORDS; i++) {
        const struct ref_job *other = &world->jobs[i];
        bool waits = ref_live(other) && other->state == LEAT_JOB_PENDING && other != job &&
                     other->queue == job->queue;
        ahead += waits && held_behind(world, other) ? 1 : 0;
    }
    return ahead >= world->config.lenders_max;
}

/* ---- weights --------------------------------------------------------------------------------- */

/* What a queue with a weight has under way changes places when it runs out of its rate. */
bool
ref_order_reorders(const struct ref_world *world, const struct ref_job *job,
                   const struct ref_job *other)
{
    const struct ref_queue *queue = &world->queues[job->queue];
    (void)other;
    return queue->weight != 0 && queue->bucket.jobs != 0;
}

/* Nothing but a worker is short for it, and it stands in the list of its queue or behind that. */
static bool
is_plain(const struct ref_world *world, const struct ref_job *job)
{
    return job->state == LEAT_JOB_PENDING && job->key == REF_NONE && !job->shaken &&
           !job->let_past && !job->placed && !waits_behind(world, job) &&
           !ref_expired(world, job) && world->types[job->type].bound;
}

/* It has more jobs of the level than may be under way, and no others. */
static bool
takes_part(const struct ref_world *world, uint32_t queue, uint32_t level)
{
    const struct ref_queue *of = &world->queues[queue];
    uint32_t count = 0;
    bool plain = of->weight != 0 && !of->exact && !of->pull && !ref_gate_paused(&of->gate) &&
                 of->gate.most == 0 && of->bucket.jobs == 0;
    for (uint32_t i = 0; plain && i < REF_RECORDS; i++) {
        const struct ref_job *job = &world->jobs[i];
        bool here = ref_live(job) && job->queue == queue && job->level == level &&
                    (job->state == LEAT_JOB_PENDING || job->moved);
        plain = !here || is_plain(world, job);
        count += here ? 1 : 0;
    }
    return plain && count > AHEAD * world->config.lenders_max;
}

static void
shares_check(struct ref_world *world, const struct ref_job *job, const struct ref_shares *shares)
{
    uint64_t weights = 0;
    uint64_t turns = 0; /* of weights of before, that may run yet */
    for (uint32_t i = 0; i < REF_QUEUES; i++) {
        const struct ref_queue *queue = &world->queues[i];
        weights += shares->in[i] ? queue->weight : 0;
        turns += shares->in[i] && queue->weight_most != queue->weight ? queue->weight_most : 0;
    }
    for (uint32_t i = 0; i < REF_QUEUES; i++) {
        uint64_t weight = world->queues[i].weight;
        uint64_t got = shares->begun[i] * weights;
        uint64_t right = shares->all * weight;
        uint64_t away = got > right ? got - right : right - got;
        if (shares->in[i] && away > TURN * (weight + turns) * weights) {
            ref_fail(world, job,
                     "queue %u of weight %" PRIu64 " began %" PRIu64 " of %" PRIu64
                     " jobs, and all weights are %" PRIu64,
                     i, weight, shares->begun[i], shares->all, weights);
        }
    }
}

static void
shares_begun(struct ref_world *world, const struct ref_job *job)
{
    struct ref_shares *shares = &world->shares[job->level];
    bool same = true;
    uint32_t count = 0;
    if (world->queues[job->queue].weight == 0) {
        return;
    }
    for (uint32_t i = 0; i < REF_QUEUES; i++) {
        bool in = world->queues[i].handle.bits != 0 && takes_part(world, i, job->level);
        same = same && in == shares->in[i];
        shares->in[i] = in;
        count += in ? 1 : 0;
    }
    if (!same) {
        memset(shares->begun, 0, sizeof(shares->begun));
        shares->all = 0;
        shares->ahead = AHEAD * world->config.lenders_max;
    }
    if (shares->ahead != 0) {
        shares->ahead--; /* under way since others had their turns */
        return;
    }
    if (shares->in[job->queue] && count > 1) {
        shares->begun[job->queue]++;
        shares->all++;
        shares_check(world, job, shares);
        world->shares_long += shares->all == ENOUGH ? 1 : 0;
    }
}

/* A list that is empty or shut forgets what is left of its turn, and comes behind the others when
 * it is ready again. So a stretch is over when one of its queues takes part no more, be it while
 * nothing begins. */
void
ref_order_look(struct ref_world *world)
{
    for (uint32_t level = 0; level < REF_LEVELS; level++) {
        struct ref_shares *shares = &world->shares[level];
        bool same = true;
        for (uint32_t i = 0; same && i < REF_QUEUES; i++) {
            same = !shares->in[i] || takes_part(world, i, level);
        }
        if (!same) {
            memset(shares, 0, sizeof(*shares));
        }
    }
}

static void
weight_set(struct ref_world *world, struct ref_queue *queue, uint32_t weight)
{
    if (!queue->gate.used) {
        ref_gate_shake(world, &queue->gate); /* what is in the ring goes on from there */
    }
    queue->gate.used = true;
    queue->weight = weight;
    queue->weight_most = weight > queue->weight_most ? weight : queue->weight_most;
    memset(world->shares, 0, sizeof(world->shares));
}

/* ---- begins ---------------------------------------------------------------------------------- */

void
ref_order_begun(struct ref_world *world, struct ref_job *job)
{
    if (world->queues[job->queue].pull) {
        return;
    }
    /* What is gathered counts as begun: of those any number may have been. */
    bool counts = world->queues[job->queue].exact && !ref_gather_takes(world, job);
    for (uint32_t i = 0; counts && i < REF_RECORDS; i++) {
        world->jobs[i].passed += passes(world, job, &world->jobs[i]) ? 1 : 0;
    }
    shares_begun(world, job);
}

/* ---- operations ------------------------------------------------------------------------------ */

void
ref_op_queue_weight(struct ref_world *world)
{
    leat_queue handle;
    uint32_t queue = ref_queue_choose(world, &handle);
    bool bad = ref_chance(world, 5);
    uint32_t weight = weight_draw(world);
    weight = bad ? ref_below(world, 2) * (WEIGHT_MAX + 1) : weight;
    enum leat_status right = bad ? LEAT_INVALID : LEAT_OK;
    right = queue == REF_NONE ? LEAT_NOT_FOUND : right;
    ref_note(world, queue, weight, 0);
    ref_answer(world, REF_AT_NOTHING, REF_ONE(right),
               leat_queue_set_weight(world->engine, handle, weight));
    if (right == LEAT_OK) {
        weight_set(world, &world->queues[queue], weight);
    }
}

void
ref_submit_plain(struct ref_world *world, uint32_t queue, uint32_t level, uint32_t key)
{
    struct spec spec;
    leat_job_id id = {0};
    uint32_t first = ref_below(world, REF_TYPES);
    ref_spec_nothing(&spec);
    for (uint32_t i = 0; i < REF_TYPES; i++) {
        uint32_t type = (first + i) % REF_TYPES;
        bool plain = world->types[type].bound && !world->types[type].gate.used &&
                     world->types[type].batch_most == 0;
        spec.type = plain || spec.type == REF_NONE ? type : spec.type;
    }
    spec.job.type_name = ref_type_name(spec.type);
    spec.queue = queue;
    spec.job.queue = world->queues[queue].handle;
    spec.job.priority = level;
    spec.options = leat_job_options_default();
    spec.options.order_priority = ref_below(world, 3);
    spec.key = key;
    if (key != REF_NONE) {
        spec.options.key = ref_key_text(key, &spec.options.key_bytes);
    }
    spec.job.options = &spec.options;
    ref_note(world, spec.type, queue, level);
    enum leat_status got = leat_submit(world->engine, &spec.job, &id);
    world->noted->values[0] = id.bits;
    ref_answer(world, REF_AT_NOTHING, ref_spec_right(world, &spec), got);
    ref_spec_answered(world, &spec, got, id);
}

/* Queues that nothing holds. */
static uint32_t
plain_queues(const struct ref_world *world, uint32_t queues[REF_QUEUES])
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < REF_QUEUES; i++) {
        const struct ref_queue *queue = &world->queues[i];
        bool limited = queue->limits.jobs_max != 0 || queue->limits.bytes_max != 0;
        bool shut =
            ref_gate_paused(&queue->gate) || queue->gate.most != 0 || queue->bucket.jobs != 0;
        if (queue->handle.bits != 0 && !queue->exact && !queue->pull && !limited && !shut &&
            queue->tenant == REF_NONE && !queue->closed) {
            queues[count++] = i;
        }
    }
    return count;
}

/* It has a weight from now on. */
static void
weigh(struct ref_world *world, uint32_t queue)
{
    struct ref_queue *of = &world->queues[queue];
    uint32_t weight = 1 + ref_below(world, 3);
    if (of->weight == 0) {
        ref_note(world, queue, weight, 0);
        ref_answer(world, REF_AT_NOTHING, REF_ONE(LEAT_OK),
                   leat_queue_set_weight(world->engine, of->handle, weight));
        weight_set(world, of, weight);
    }
}

/* Many jobs for a few queues, and time to run them; so that there are shares to be looked at. */
void
ref_op_shares(struct ref_world *world)
{
    uint32_t queues[REF_QUEUES];
    uint32_t count = plain_queues(world, queues);
    uint32_t level = ref_below(world, leat_priority_levels());
    uint64_t before = world->shares_long;
    if (count < 2 || world->config.inline_mode) {
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        weigh(world, queues[i]);
    }
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < 40; i++) {
            ref_submit_plain(world, queues[i % count], level, REF_NONE);
        }
        ref_sync(world);
        ref_run(world, 10 + ref_below(world, 20));
    }
    if (world->shares_long != before) {
        ref_note(world, count, level, 0);
        ref_answer(world, LEAT_JOB_COMPLETED, REF_ONE(LEAT_OK), LEAT_OK);
    }
}

/* Jobs for a queue in exact order, and one that begins now and then. */
void
ref_op_exact(struct ref_world *world)
{
    uint32_t first = ref_below(world, REF_QUEUES);
    uint32_t queue = REF_NONE;
    for (uint32_t i = 0; i < REF_QUEUES; i++) {
        uint32_t next = (first + i) % REF_QUEUES;
        const struct ref_queue *of = &world->queues[next];
        queue = of->handle.bits != 0 && of->exact && !of->pull && !world->config.inline_mode
                    ? next
                    : queue;
    }
    for (uint32_t round = 0; round < 12 && queue != REF_NONE; round++) {
        ref_submit_plain(world, queue, world->queues[queue].priority, REF_NONE);
        if (ref_chance(world, 25)) {
            ref_sync(world);
            ref_run(world, 1 + ref_below(world, 3));
        }
    }
}
