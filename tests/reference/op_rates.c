/* op_rates.c - how many attempts may begin in a time: rates of queues, types and tenants. The
 * bucket counts in marks, as docs/design/0019 says; so it is known to the nanosecond who may begin.
 * What is not seen from here (a job that is only found to have expired when it has its tokens) may
 * have taken some: so a bucket is between two. */
#include "tests/reference/reference.h"

#include <string.h>

#define TICK_NS   (UINT64_C(1) << 14) /* of the timers of buckets */
#define BURST_MAX 67108864
#define NS_MAX    (366 * UINT64_C(86400) * REF_S)

__extension__ typedef unsigned __int128 wide;

/* ---- one bucket ------------------------------------------------------------------------------ */

static uint64_t
mark(const struct ref_bucket *bucket, uint64_t now_ns)
{
    uint64_t elapsed_ns = now_ns > bucket->start_ns ? now_ns - bucket->start_ns : 0;
    wide marks = (wide)elapsed_ns * ((wide)bucket->jobs << bucket->shift);
    return (uint64_t)(marks / bucket->per_ns);
}

/* Tokens that there are, where the bucket would be full from `next` on. */
static uint64_t
tokens(const struct ref_bucket *bucket, uint64_t next, uint64_t now_ns)
{
    uint64_t end = mark(bucket, now_ns) + ((uint64_t)bucket->burst << bucket->shift);
    uint64_t there = next > end ? 0 : (end - next) >> bucket->shift;
    return there < bucket->burst ? there : bucket->burst;
}

/* One token less, at one moment between two. */
static void
take(struct ref_bucket *bucket, uint64_t from_ns, uint64_t to_ns, bool surely)
{
    if (bucket->jobs == 0) {
        return;
    }
    uint64_t first = mark(bucket, from_ns);
    uint64_t last = mark(bucket, to_ns);
    uint64_t unit = UINT64_C(1) << bucket->shift;
    if (surely) {
        bucket->low = (bucket->low > first ? bucket->low : first) + unit;
    }
    bucket->high = (bucket->high > last ? bucket->high : last) + unit;
}

static void
fill(struct ref_bucket *bucket, const struct leat_rate *rate, uint64_t now_ns)
{
    struct ref_bucket before = *bucket;
    uint64_t most = 0;
    uint64_t least = 0;
    memset(bucket, 0, sizeof(*bucket));
    if (rate->jobs == 0) {
        return;
    }
    bucket->jobs = rate->jobs;
    bucket->per_ns = rate->per_ns;
    bucket->burst = rate->burst == 0 ? rate->jobs : rate->burst;
    bucket->start_ns = now_ns;
    while (bucket->jobs << bucket->shift <= bucket->per_ns / 2 &&
           bucket->burst << bucket->shift < UINT64_C(1) << 59) {
        bucket->shift++;
    }
    most = before.jobs == 0 ? bucket->burst : tokens(&before, before.low, now_ns);
    least = before.jobs == 0 ? bucket->burst : tokens(&before, before.high, now_ns);
    most = most < bucket->burst ? most : bucket->burst;
    least = least < bucket->burst ? least : bucket->burst;
    bucket->low = (bucket->burst - most) << bucket->shift;
    bucket->high = (bucket->burst - least) << bucket->shift;
}

/* ---- the part -------------------------------------------------------------------------------- */

static bool
may(const struct ref_bucket *bucket, uint64_t now_ns)
{
    return bucket->jobs == 0 || tokens(bucket, bucket->low, now_ns) != 0;
}

/* Of the tenant, which pull queues do not heed. */
static const struct ref_bucket *
third(const struct ref_world *world, const struct ref_job *job)
{
    static const struct ref_bucket none;
    const struct ref_queue *queue = &world->queues[job->queue];
    bool heeds = queue->tenant != REF_NONE && !queue->pull;
    return heeds ? &world->tenants[queue->tenant].bucket : &none;
}

bool
ref_rates_may_begin(const struct ref_world *world, const struct ref_job *job)
{
    uint64_t now_ns = ref_boot(world);
    return may(&world->queues[job->queue].bucket, now_ns) &&
           may(&world->types[job->type].bucket, now_ns) && may(third(world, job), now_ns);
}

/* Its timer may be as late as a tick. */
static bool
must(const struct ref_bucket *bucket, uint64_t now_ns)
{
    uint64_t by_ns = now_ns - TICK_NS;
    return bucket->jobs == 0 ||
           (by_ns >= bucket->start_ns && tokens(bucket, bucket->high, by_ns) != 0);
}

bool
ref_rates_hold(const struct ref_world *world, const struct ref_job *job)
{
    uint64_t now_ns = ref_boot(world);
    return !must(&world->queues[job->queue].bucket, now_ns) ||
           !must(&world->types[job->type].bucket, now_ns) || !must(third(world, job), now_ns);
}

bool
ref_rates_queue_may(const struct ref_world *world, uint32_t queue)
{
    return may(&world->queues[queue].bucket, ref_boot(world));
}

bool
ref_rates_queue_must(const struct ref_world *world, uint32_t queue)
{
    return must(&world->queues[queue].bucket, ref_boot(world));
}

void
ref_rates_take(struct ref_world *world, const struct ref_job *job, bool surely)
{
    uint64_t from_ns = world->by_itself ? world->run_begin_ns : ref_boot(world);
    take(&world->queues[job->queue].bucket, from_ns, ref_boot(world), surely);
    const struct ref_queue *queue = &world->queues[job->queue];
    if (!queue->pull) {
        take(&world->types[job->type].bucket, from_ns, ref_boot(world), surely);
    }
    if (!queue->pull && queue->tenant != REF_NONE) {
        take(&world->tenants[queue->tenant].bucket, from_ns, ref_boot(world), surely);
    }
}

void
ref_rates_begun(struct ref_world *world, struct ref_job *job)
{
    ref_rates_take(world, job, true);
}

/* ---- operations ------------------------------------------------------------------------------ */

static void
draw(struct ref_world *world, struct leat_rate *rate)
{
    static const uint64_t per_ns[] = {REF_MS, 7 * REF_MS, 333 * REF_MS, REF_S, 10 * REF_S, 1000};
    memset(rate, 0, sizeof(*rate));
    if (ref_chance(world, 75)) {
        rate->jobs = 1 + ref_below(world, 12);
        rate->per_ns = per_ns[ref_below(world, 6)];
        rate->burst = ref_below(world, 5);
    }
}

enum leat_status
ref_rate_draw(struct ref_world *world, struct leat_rate *rate)
{
    draw(world, rate);
    if (!ref_chance(world, 4)) {
        return LEAT_OK;
    }
    *rate = leat_rate_of(1, REF_S, 1);
    switch (ref_below(world, 3)) {
    case 0:
        rate->jobs = rate->per_ns + 1;
        break;
    case 1:
        rate->burst = BURST_MAX + 1;
        break;
    default:
        rate->per_ns = NS_MAX + 1;
        break;
    }
    return LEAT_INVALID;
}

static void
set(struct ref_world *world, struct ref_gate *gate, struct ref_bucket *bucket,
    const struct leat_rate *rate)
{
    ref_gate_shake(world, gate); /* what is in the ring has kept no token */
    gate->used = true;
    fill(bucket, rate, ref_boot(world));
}

void
ref_op_queue_rate(struct ref_world *world)
{
    uint32_t queue = ref_below(world, REF_QUEUES);
    struct ref_queue *of = &world->queues[queue];
    struct leat_rate rate;
    enum leat_status right = ref_rate_draw(world, &rate);
    right = of->handle.bits == 0 ? LEAT_NOT_FOUND : right;
    ref_note(world, queue, rate.jobs, rate.per_ns);
    ref_answer(world, REF_AT_NOTHING, REF_ONE(right),
               leat_queue_set_rate(world->engine, of->handle, rate));
    if (right == LEAT_OK) {
        set(world, &of->gate, &of->bucket, &rate);
    }
}

void
ref_op_type_rate(struct ref_world *world)
{
    uint32_t type = ref_below(world, REF_TYPES);
    struct ref_type *of = &world->types[type];
    struct leat_rate rate;
    enum leat_status right = ref_rate_draw(world, &rate);
    right = of->handle.bits == 0 ? LEAT_NOT_FOUND : right;
    ref_note(world, type, rate.jobs, rate.per_ns);
    ref_answer(world, REF_AT_NOTHING, REF_ONE(right),
               leat_type_set_rate(world->engine, of->handle, rate));
    if (right == LEAT_OK) {
        set(world, &of->gate, &of->bucket, &rate);
    }
}

void
ref_rates_joined(struct ref_world *world, uint32_t queue)
{
    struct ref_queue *of = &world->queues[queue];
    of->gate.used = of->gate.used || (of->tenant != REF_NONE && world->tenants[of->tenant].rated);
}

void
ref_op_tenant_rate(struct ref_world *world)
{
    leat_tenant handle;
    uint32_t tenant = ref_tenant_draw(world, &handle);
    struct leat_rate rate;
    enum leat_status right = ref_rate_draw(world, &rate);
    right = tenant == REF_NONE ? LEAT_NOT_FOUND : right;
    ref_note(world, tenant, rate.jobs, rate.per_ns);
    ref_answer(world, REF_AT_NOTHING, REF_ONE(right),
               leat_tenant_set_rate(world->engine, handle, rate));
    if (right != LEAT_OK) {
        return;
    }
    world->tenants[tenant].rated = true;
    for (uint32_t i = 0; i < REF_QUEUES; i++) {
        struct ref_queue *queue = &world->queues[i];
        if (queue->handle.bits != 0 && queue->tenant == tenant) {
            ref_gate_shake(world, &queue->gate);
            queue->gate.used = true;
        }
    }
    fill(&world->tenants[tenant].bucket, &rate, ref_boot(world));
}
