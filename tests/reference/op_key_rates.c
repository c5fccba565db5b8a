/* op_key_rates.c - how many attempts of each key may begin in a time, by a rate of its queue and by
 * one of its type. Each key has the whole of both. A bucket is known by the count of tokens at
 * which it is full: the rate brings them from when it was set, and another one goes on from there.
 * What is not seen from here may have taken some: so a bucket is between two. */
#include "tests/reference/submit.h"

#include <inttypes.h>

#include "engine/key_rates.h"

#define TICK_NS (UINT64_C(1) << 14) /* of the timers of keys */
#define TOKEN   ((ref_wide)1 << 64)

/* ---- one rate -------------------------------------------------------------------------------- */

static ref_wide
larger(ref_wide one, ref_wide other)
{
    return one > other ? one : other;
}

static ref_wide
smaller(ref_wide one, ref_wide other)
{
    return one < other ? one : other;
}

static ref_wide
count_at(const struct ref_pace *pace, uint64_t now_ns)
{
    if (pace->jobs == 0 || now_ns <= pace->start_ns) {
        return pace->start;
    }
    ref_wide elapsed_ns = now_ns - pace->start_ns;
    return pace->start + elapsed_ns * pace->jobs * TOKEN / pace->per_ns;
}

/* The count at which a bucket has a token that would be full at another one. */
static ref_wide
needed(const struct ref_pace *pace, ref_wide full)
{
    ref_wide spare = (pace->burst - 1) * TOKEN;
    return full > spare ? full - spare : 0;
}

static bool
has_token(const struct ref_pace *pace, ref_wide full, uint64_t now_ns)
{
    return pace->jobs == 0 || needed(pace, full) <= count_at(pace, now_ns);
}

/* Its timer may be as late as a tick. */
static bool
must(const struct ref_pace *pace, uint32_t key, uint64_t now_ns)
{
    uint64_t by_ns = now_ns - TICK_NS;
    return pace->jobs == 0 || (by_ns >= pace->start_ns && has_token(pace, pace->high[key], by_ns));
}

/* One token less, at one moment between two. */
static void
take(struct ref_pace *pace, const struct ref_job *job, uint64_t from_ns, uint64_t to_ns,
     bool surely)
{
    ref_wide *low = &pace->low[job->key];
    ref_wide *high = &pace->high[job->key];
    ref_wide all = pace->burst * TOKEN;
    if (pace->jobs == 0) {
        return;
    }
    ref_wide first = count_at(pace, from_ns);
    ref_wide last = count_at(pace, to_ns);
    if (surely) {
        /* No more than the burst is owed. */
        *low = smaller(larger(*low, first) + TOKEN, first + all);
    }
    *high = larger(*high, last) + TOKEN;
    if (!job->key_let) {
        *high = smaller(*high, last + all); /* there was a token */
    }
}

/* ---- the part -------------------------------------------------------------------------------- */

bool
ref_key_rates_may_begin(const struct ref_world *world, const struct ref_job *job)
{
    const struct ref_pace *queue = &world->queues[job->queue].pace;
    const struct ref_pace *type = &world->types[job->type].pace;
    uint64_t now_ns = ref_boot(world);
    if (job->key == REF_NONE || job->key_let) {
        return true;
    }
    return has_token(queue, queue->low[job->key], now_ns) &&
           has_token(type, type->low[job->key], now_ns);
}

bool
ref_key_rates_hold(const struct ref_world *world, const struct ref_job *job)
{
    uint64_t now_ns = ref_boot(world);
    return job->key != REF_NONE && (!must(&world->queues[job->queue].pace, job->key, now_ns) ||
                                    !must(&world->types[job->type].pace, job->key, now_ns));
}

void
ref_key_rates_take(struct ref_world *world, const struct ref_job *job, bool surely)
{
    uint64_t from_ns = world->by_itself ? world->run_begin_ns : ref_boot(world);
    if (job->key != REF_NONE) {
        take(&world->queues[job->queue].pace, job, from_ns, ref_boot(world), surely);
        take(&world->types[job->type].pace, job, from_ns, ref_boot(world), surely);
    }
}

void
ref_key_rates_begun(struct ref_world *world, struct ref_job *job)
{
    ref_key_rates_take(world, job, true);
    job->key_let = false;
    job->key_owes = true;
    job->began_ns = ref_boot(world);
}

/* ---- when to come back ----------------------------------------------------------------------- */

/* In how long the bucket has a token, and its timer has come. */
static uint64_t
latest(const struct ref_pace *pace, uint32_t key, uint64_t now_ns)
{
    ref_wide needs = needed(pace, pace->high[key]);
    if (pace->jobs == 0 || needs <= pace->start) {
        return TICK_NS;
    }
    ref_wide parts = (needs - pace->start) * pace->per_ns;
    uint64_t due_ns = pace->start_ns + (uint64_t)(parts / TOKEN / pace->jobs) + 1;
    return due_ns > now_ns ? due_ns - now_ns + TICK_NS : TICK_NS;
}

uint64_t
ref_key_rates_latest(const struct ref_world *world, const struct ref_job *job)
{
    uint64_t now_ns = ref_boot(world);
    if (job->key == REF_NONE || job->key_let || ref_key_waits(world, job) ||
        ref_held_but(world, job, ref_key_rates_hold)) {
        return LEAT_FOREVER;
    }
    uint64_t queue_ns = latest(&world->queues[job->queue].pace, job->key, now_ns);
    uint64_t type_ns = latest(&world->types[job->type].pace, job->key, now_ns);
    return queue_ns > type_ns ? queue_ns : type_ns;
}

/* ---- what the engine remembers --------------------------------------------------------------- */

/* A job that may have the bucket's token: of this rate, with this key. */
static bool
in_use(const struct ref_world *world, const struct ref_pace *pace, uint32_t key)
{
    bool used = false;
    for (uint32_t i = 0; i < REF_RECORDS; i++) {
        const struct ref_job *job = &world->jobs[i];
        bool of = pace == &world->queues[job->queue].pace || pace == &world->types[job->type].pace;
        used =
            used || (of && ref_live(job) && job->key == key && (job->key_placed || job->key_begun));
    }
    return used;
}

/* Buckets that must be there, and that may be. One is forgotten when it is full. */
static void
buckets_add(struct ref_world *world, struct ref_pace *pace, uint32_t *least, uint32_t *most)
{
    uint64_t now_ns = ref_boot(world);
    for (uint32_t key = 0; key < REF_KEYS; key++) {
        bool used = in_use(world, pace, key);
        bool owes = pace->jobs != 0 && pace->low[key] > count_at(pace, now_ns);
        bool owed = pace->jobs != 0 && pace->high[key] > count_at(pace, now_ns - TICK_NS);
        *least += owes && !used ? 1 : 0;
        *most += owed || used ? 1 : 0;
        if (!used && pace->start_ns < now_ns) {
            /* It was looked at when the rate was set. */
            ref_wide all = count_at(pace, now_ns) + pace->burst * TOKEN;
            pace->high[key] = smaller(pace->high[key], all);
        }
    }
}

void
ref_key_rates_idle(struct ref_world *world)
{
    uint32_t least = 0;
    uint32_t most = 0;
    uint32_t got = 0;
    for (uint32_t i = 0; i < REF_QUEUES; i++) {
        buckets_add(world, &world->queues[i].pace, &least, &most);
    }
    for (uint32_t i = 0; i < REF_TYPES; i++) {
        buckets_add(world, &world->types[i].pace, &least, &most);
    }
    for (uint32_t i = 0; i < REF_RECORDS; i++) {
        const struct ref_job *job = &world->jobs[i];
        if (ref_live(job) && job->state == LEAT_JOB_PENDING &&
            !ref_key_rates_may_begin(world, job) && !ref_key_waits(world, job)) {
            ref_met(world, REF_MET_KEY_WAITS);
        }
    }
    if (!leat_key_rates_check(world->engine, &got, stderr) || got < least || got > most) {
        ref_fail(world, NULL, "%u buckets of keys are there\n  expected: %u to %u", got, least,
                 most);
    }
}

/* ---- operations ------------------------------------------------------------------------------ */

enum leat_status
ref_key_rate_draw(struct ref_world *world, struct leat_rate *rate)
{
    return ref_chance(world, 20) ? ref_rate_draw(world, rate) : LEAT_OK;
}

/* A job that the new rate finds on its way. */
static void
meets(struct ref_pace *pace, struct ref_job *job, bool first)
{
    job->key_let = job->key_let || job->state == LEAT_JOB_PENDING;
    /* What began before the first rate does not count; what did at its very nanosecond, may. What
     * began before another one counts from then on. */
    if (job->key_owes && (!first || job->began_ns == pace->start_ns)) {
        pace->high[job->key] = larger(pace->high[job->key], pace->start + TOKEN);
    }
}

void
ref_key_rate_set(struct ref_world *world, struct ref_pace *pace, const struct leat_rate *rate)
{
    bool first = pace->jobs == 0;
    pace->start = count_at(pace, ref_boot(world));
    pace->start_ns = ref_boot(world);
    pace->jobs = rate->jobs;
    pace->per_ns = rate->per_ns;
    pace->burst = rate->burst == 0 ? rate->jobs : rate->burst;
    for (uint32_t key = 0; key < REF_KEYS; key++) {
        ref_wide all = pace->start + pace->burst * TOKEN;
        pace->low[key] = first ? 0 : smaller(pace->low[key], all);
        pace->high[key] = first ? 0 : pace->high[key];
    }
    for (uint32_t i = 0; i < REF_RECORDS; i++) {
        struct ref_job *job = &world->jobs[i];
        bool of = pace == &world->queues[job->queue].pace || pace == &world->types[job->type].pace;
        if (of && ref_live(job) && job->key != REF_NONE) {
            meets(pace, job, first);
        }
    }
}

static void
queue_rate(struct ref_world *world, uint32_t queue, struct leat_rate rate, enum leat_status right)
{
    struct ref_queue *of = &world->queues[queue];
    right = of->handle.bits == 0 ? LEAT_NOT_FOUND : right;
    ref_note(world, queue, rate.jobs, rate.per_ns);
    ref_answer(world, REF_AT_NOTHING, REF_ONE(right),
               leat_queue_set_key_rate(world->engine, of->handle, rate));
    if (right == LEAT_OK) {
        ref_key_rate_set(world, &of->pace, &rate);
    }
}

void
ref_op_queue_key_rate(struct ref_world *world)
{
    uint32_t queue = ref_below(world, REF_QUEUES);
    struct leat_rate rate;
    enum leat_status right = ref_rate_draw(world, &rate);
    queue_rate(world, queue, rate, right);
}

void
ref_op_type_key_rate(struct ref_world *world)
{
    uint32_t type = ref_below(world, REF_TYPES);
    struct ref_type *of = &world->types[type];
    struct leat_rate rate;
    enum leat_status right = ref_rate_draw(world, &rate);
    right = of->handle.bits == 0 ? LEAT_NOT_FOUND : right;
    ref_note(world, type, rate.jobs, rate.per_ns);
    ref_answer(world, REF_AT_NOTHING, REF_ONE(right),
               leat_type_set_key_rate(world->engine, of->handle, rate));
    if (right == LEAT_OK) {
        ref_key_rate_set(world, &of->pace, &rate);
    }
}

/* Jobs of one key for a queue, whose rate changes while some of them wait, run or are pending. */
void
ref_op_keyed(struct ref_world *world)
{
    uint32_t queue = ref_below(world, REF_QUEUES);
    uint32_t key = ref_below(world, REF_KEYS);
    if (world->queues[queue].handle.bits == 0 || world->config.inline_mode) {
        return;
    }
    for (uint32_t round = 0; round < 4; round++) {
        struct leat_rate rate = {0, 2 * REF_S, 0};
        rate.jobs = 1 + ref_below(world, 3);
        rate.burst = 1 + ref_below(world, 4);
        if (round == 0 || ref_chance(world, 50)) {
            queue_rate(world, queue, rate, LEAT_OK);
        }
        for (uint32_t i = 0; i < 4; i++) {
            ref_submit_plain(world, queue, world->queues[queue].priority, key);
        }
        ref_sync(world);
        ref_run(world, 1 + ref_below(world, 20));
        ref_op_clock(world);
    }
}
