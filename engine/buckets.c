/* buckets.c - rates of queues, types and tenants, see buckets.h. */
#include "engine/buckets.h"

#include "engine/gates.h"
#include "engine/timers.h"
#include "ring/rcu.h"
#include "sched/alarms.h"

static struct leat_bucket *
bucket_of(struct leat_engine *engine, uint32_t list)
{
    return &engine->pool.queues[list].bucket;
}

static uint64_t
now(const struct leat_engine *engine)
{
    return leat_clocks_now(&engine->clocks, LEAT_TIME_BOOT);
}

/* ---- the timers ------------------------------------------------------------------------------ */

static struct leat_wheels_config
wheels_config(const struct leat_config *config, uint64_t start_ns)
{
    return (struct leat_wheels_config){.records = 2 * config->queues_max + config->types_max,
                                       .wheels = 1,
                                       .tick_log2 = LEAT_WHEEL_TICK_LOG2_MIN,
                                       .start_ns = start_ns};
}

static struct leat_wheel *
wheel_of(struct leat_engine *engine)
{
    return leat_wheels_at(&engine->buckets.wheels, 0);
}

static void
fired(void *context, uint32_t list)
{
    struct leat_engine *engine = context;
    leat_gates_call(engine, list, leat_bucket_fired(bucket_of(engine, list)));
}

static struct leat_alarms
alarms_of(struct leat_engine *engine)
{
    return (struct leat_alarms){&engine->clocks, wheel_of(engine), fired, engine};
}

static uint64_t
source_next(void *context)
{
    return leat_wheel_due_ns(wheel_of(context));
}

static uint64_t
source_look(void *context, uint64_t now_ns)
{
    const struct leat_alarms alarms = alarms_of(context);
    return leat_alarms_look(&alarms, now_ns);
}

void
leat_buckets_look(struct leat_engine *engine)
{
    (void)source_look(engine, now(engine));
}

/* pre: the caller has set TIMED, or sets a rate. */
static void
armed(struct leat_engine *engine, enum leat_wheel_result result)
{
    const struct leat_alarms alarms = alarms_of(engine);
    LEAT_ASSERT(result != LEAT_WHEEL_REFUSED);
    leat_alarms_armed(&alarms, result);
}

/* ---- who passes ------------------------------------------------------------------------------ */

bool
leat_buckets_enter(struct leat_engine *engine, uint32_t list, uint32_t level, bool first,
                   bool *entered)
{
    struct leat_bucket *bucket = bucket_of(engine, list);
    *entered = false;
    if (leat_bucket_next(bucket) == LEAT_BUCKET_NONE) {
        return true;
    }
    uint64_t now_ns = now(engine);
    switch (leat_bucket_enter(bucket, now_ns, level, first)) {
    case LEAT_BUCKET_FREE:
        return true;
    case LEAT_BUCKET_PASSED:
        *entered = true;
        return true;
    case LEAT_BUCKET_ARM:
        armed(engine,
              leat_wheel_arm_any(wheel_of(engine), list, leat_bucket_due_ns(bucket, now_ns)));
        break;
    case LEAT_BUCKET_SHUT:
        break;
    }
    return false;
}

uint32_t
leat_buckets_leave(struct leat_engine *engine, uint32_t list, bool took)
{
    const struct leat_bucket *bucket = bucket_of(engine, list);
    uint64_t word = leat_bucket_leave(bucket_of(engine, list));
    uint32_t levels = leat_bucket_wanted(word);
    if (levels == 0 || !took || (word & LEAT_BUCKET_TIMED) == 0) {
        return levels;
    }
    return leat_bucket_missed(bucket, word, now(engine)) ? levels : 0;
}

bool
leat_buckets_take(struct leat_engine *engine, const uint32_t *lists, uint32_t count)
{
    struct leat_bucket_taken taken[LEAT_BUCKETS_OF_JOB];
    uint64_t now_ns = 0;
    LEAT_DCHECK(count <= LEAT_BUCKETS_OF_JOB);
    for (uint32_t i = 0; i < count; i++) {
        struct leat_bucket *bucket = bucket_of(engine, lists[i]);
        bool rated = leat_bucket_next(bucket) != LEAT_BUCKET_NONE;
        now_ns = rated && now_ns == 0 ? now(engine) : now_ns;
        if (leat_bucket_take(bucket, now_ns, &taken[i])) {
            continue;
        }
        while (i > 0) {
            i--;
            leat_bucket_give(bucket_of(engine, lists[i]), &taken[i]);
        }
        return false;
    }
    return true;
}

/* ---- a new rate ------------------------------------------------------------------------------ */

bool
leat_rate_valid(const struct leat_rate *rate)
{
    if (rate->jobs == 0) {
        return true;
    }
    return rate->jobs <= rate->per_ns && rate->jobs <= LEAT_RATE_JOBS_MAX &&
           rate->per_ns <= LEAT_RATE_NS_MAX && rate->burst <= LEAT_RATE_BURST_MAX;
}

struct leat_bucket_rate
leat_buckets_rate(const struct leat_rate *rate)
{
    uint64_t burst = leat_rate_burst(rate);
    struct leat_bucket_rate own = {
        .jobs = (uint32_t)rate->jobs,
        .burst = (uint32_t)(burst < LEAT_RATE_BURST_MAX ? burst : LEAT_RATE_BURST_MAX),
        .per_ns = rate->per_ns,
    };
    return own;
}

/* Tokens of the new rate: those that there were, or all. */
static uint64_t
tokens_of(const struct leat_bucket *bucket, uint64_t next, uint64_t now_ns, uint32_t burst)
{
    uint64_t there = burst;
    if (next > LEAT_BUCKET_CLOSED) {
        there = leat_bucket_tokens(bucket, next, now_ns);
    }
    return there < burst ? there : burst;
}

void
leat_buckets_set(struct leat_engine *engine, uint32_t list, const struct leat_rate *rate)
{
    struct leat_buckets *buckets = &engine->buckets;
    struct leat_bucket *bucket = bucket_of(engine, list);
    const struct leat_bucket_rate own = leat_buckets_rate(rate);
    leat_mutex_lock(&buckets->mutex);
    uint64_t next = leat_bucket_close(bucket);
    leat_gates_settle(engine);
    uint64_t now_ns = now(engine);
    leat_bucket_fill(bucket, &own, now_ns, tokens_of(bucket, next, now_ns, own.burst));
    /* Who has seen it closed has armed the timer when its section has ended. */
    leat_rcu_wait(&engine->domain);
    enum leat_wheel_result result = leat_wheel_rearm(&buckets->wheels, NULL, list, 0);
    if (result == LEAT_WHEEL_REFUSED) {
        /* It is in a hand, which calls them, too; or they wait for one that leaves. */
        uint64_t word = atom_load_rlx(&bucket->word); /* rlx: ordered by rate:B */
        leat_gates_call(engine, list, leat_bucket_wanted(word));
    } else {
        armed(engine, result);
    }
    leat_mutex_unlock(&buckets->mutex);
}

struct leat_rate
leat_buckets_get(struct leat_engine *engine, uint32_t list)
{
    const struct leat_bucket *bucket = bucket_of(engine, list);
    bool none = leat_bucket_next(bucket) == LEAT_BUCKET_NONE;
    return none ? leat_rate_of(0, 0, 0) : leat_rate_of(bucket->jobs, bucket->per_ns, bucket->burst);
}

/* ---- init and fini --------------------------------------------------------------------------- */

size_t
leat_buckets_bytes(const struct leat_config *concrete)
{
    const struct leat_wheels_config config = wheels_config(concrete, 0);
    return leat_wheels_bytes(&config);
}

bool
leat_buckets_init(struct leat_engine *engine)
{
    struct leat_buckets *buckets = &engine->buckets;
    const struct leat_wheels_config config = wheels_config(&engine->config, now(engine));
    const struct leat_clock_source source = {source_look, source_next, NULL, engine,
                                             LEAT_TIME_BOOT};
    if (!leat_wheels_init(&buckets->wheels, &config)) {
        return false;
    }
    leat_mutex_init(&buckets->mutex);
    leat_clocks_add(&engine->clocks, source);
    return true;
}

void
leat_buckets_fini(struct leat_engine *engine)
{
    struct leat_buckets *buckets = &engine->buckets;
    if (buckets->wheels.count != 0) {
        leat_wheels_fini(&buckets->wheels);
        leat_mutex_fini(&buckets->mutex);
    }
}
