/* key_rates.c - rates of each key, see key_rates.h. */
#include "engine/key_rates.h"

#include <string.h>

#include "engine/durable/durable.h"
#include "engine/gates.h"
#include "ring/fifo.h"
#include "ring/inbox.h"
#include "ring/rcu.h"
#include "sched/alarms.h"
#include "sched/pace.h"

/* ---- the table ------------------------------------------------------------------------------- */

/* Letters: S many writers; W who holds the role writes; O who holds the role. */
struct bucket {
    leat_atomic_u64 spare;                  /* S of the slab, while it is nobody's */
    leat_atomic_u32 link;                   /* S of the inbox */
    leat_atomic_u32 list;                   /* W of the queue or type */
    leat_bucket_wide full;                  /* O the count at which it is full */
    struct leat_key *waiter;                /* O who has no token; or NULL */
    uint32_t chain;                         /* O index + 1 of the next one of its head, or 0 */
    uint32_t hash;                          /* O */
    bool timed;                             /* O see I1 */
    bool pinned;                            /* O its token is kept for who has the key */
    uint8_t bytes;                          /* O */
    unsigned char text[LEAT_KEY_BYTES_MAX]; /* O */
};

/* The buckets of a stripe of keys. */
struct shelf {
    LEAT_ALIGNED_LINE struct leat_inbox fired; /* S whose timer has come */
    leat_atomic_u32 link;                      /* S of its own timer */
    uint32_t cursor;                           /* O where the next sweep begins */
    bool timed;                                /* O its own timer is set */
    bool starved;                              /* O a key found no bucket */
};

/* Mapped at the first rate of keys, until the engine is closed, in pages that are taken as they are
 * used. Timers are those of the shelves, by stripe, and behind them those of the buckets. */
struct rates {
    struct leat_slab buckets;                /* S */
    struct leat_wheels wheels;               /* S one */
    size_t bytes;                            /* I */
    leat_atomic_pointer *paces;              /* I by list; S struct leat_pace, or NULL */
    uint32_t *heads;                         /* I by hash; O index + 1, or 0 */
    uint32_t mask;                           /* I */
    uint32_t lists;                          /* I */
    struct shelf shelves[LEAT_KEYS_STRIPES]; /* S by stripe */
};

#define BUCKET_BYTES ((sizeof(struct bucket) + 63) / 64 * 64)

static struct rates *
rates_of(const struct leat_engine *engine)
{
    return atom_load_rlx(&engine->key_rates); /* rlx: ordered by rated:A */
}

static struct bucket *
bucket_at(const struct rates *rates, uint32_t index)
{
    return leat_slab_record(&rates->buckets, index);
}

uint64_t
leat_key_rates_now(const struct leat_engine *engine)
{
    return leat_clocks_now(&engine->clocks, LEAT_TIME_BOOT);
}

/* NULL: no rate was ever set. pre: a section of rcu.h, to which it belongs. */
static const struct leat_pace *
pace_of(const struct rates *rates, uint32_t list)
{
    /* paced:A acquire -> paced:B.  Carries: the rate.
     * If relaxed: it could be read as it was before. */
    return atom_load_acq(&rates->paces[list]);
}

static bool
limits(const struct leat_pace *pace)
{
    return pace != NULL && pace->jobs != 0;
}

/* ---- timers ---------------------------------------------------------------------------------- */

#define TIMER_OF(bucket) (LEAT_KEYS_STRIPES + (bucket))
#define BUCKET_OF(timer) ((timer)-LEAT_KEYS_STRIPES)

static leat_atomic_u32 *
timer_link(void *context, uint32_t timer)
{
    struct rates *rates = context;
    return timer < LEAT_KEYS_STRIPES ? &rates->shelves[timer].link
                                     : &bucket_at(rates, BUCKET_OF(timer))->link;
}

static void
timer_fired(void *context, uint32_t timer)
{
    struct leat_engine *engine = context;
    struct rates *rates = rates_of(engine);
    uint32_t stripe = timer;
    if (timer >= LEAT_KEYS_STRIPES) {
        /* It is not forgotten before it has come to its stripe. */
        stripe = bucket_at(rates, BUCKET_OF(timer))->hash & (LEAT_KEYS_STRIPES - 1);
    }
    (void)leat_inbox_push(&rates->shelves[stripe].fired, timer_link(rates, timer), timer);
    leat_keys_due(engine, stripe);
}

static struct leat_alarms
alarms_of(struct leat_engine *engine)
{
    return (struct leat_alarms){&engine->clocks, leat_wheels_at(&rates_of(engine)->wheels, 0),
                                timer_fired, engine};
}

/* Sets a timer, or moves it: one that has just come is looked at anyway. */
static void
arm(struct leat_engine *engine, uint32_t timer, bool *timed, uint64_t due_ns)
{
    const struct leat_alarms alarms = alarms_of(engine);
    enum leat_wheel_result result = LEAT_WHEEL_DONE;
    if (*timed) {
        result = leat_wheel_rearm(&rates_of(engine)->wheels, NULL, timer, due_ns);
    } else {
        *timed = true;
        result = leat_wheel_arm_any(alarms.wheel, timer, due_ns);
        LEAT_ASSERT(result != LEAT_WHEEL_REFUSED);
    }
    leat_alarms_armed(&alarms, result);
}

static uint64_t
source_next(void *context)
{
    struct leat_engine *engine = context;
    if (!leat_key_rates_any(engine)) {
        return LEAT_TIME_NEVER;
    }
    return leat_wheel_due_ns(leat_wheels_at(&rates_of(engine)->wheels, 0));
}

static uint64_t
source_look(void *context, uint64_t now_ns)
{
    struct leat_engine *engine = context;
    if (!leat_key_rates_any(engine)) {
        return LEAT_TIME_NEVER;
    }
    const struct leat_alarms alarms = alarms_of(engine);
    return leat_alarms_look(&alarms, now_ns);
}

struct leat_clock_source
leat_key_rates_source(struct leat_engine *engine)
{
    return (struct leat_clock_source){source_look, source_next, NULL, engine, LEAT_TIME_BOOT};
}

/* ---- buckets: all by who holds the role of their stripe -------------------------------------- */

static bool
bucket_is(const struct bucket *bucket, uint32_t list, const struct leat_key *key)
{
    return bucket->bytes == key->bytes && memcmp(bucket->text, key->text, key->bytes) == 0 &&
           atom_load_rlx(&bucket->list) == list; /* rlx: single writer */
}

/* Where the chain says this bucket, or that there is none. Ends: at the end of the chain. */
static uint32_t *
bucket_place(const struct rates *rates, uint32_t list, const struct leat_key *key)
{
    uint32_t *place = &rates->heads[key->hash & rates->mask];
    while (*place != 0 && !bucket_is(bucket_at(rates, *place - 1), list, key)) {
        place = &bucket_at(rates, *place - 1)->chain;
    }
    return place;
}

static struct bucket *
find(const struct rates *rates, uint32_t list, const struct leat_key *key, uint32_t *index)
{
    uint32_t place = *bucket_place(rates, list, key);
    *index = place - 1;
    return place == 0 ? NULL : bucket_at(rates, place - 1);
}

/* Found, or made as one that is full. NULL: there is no room. */
static struct bucket *
find_or_make(struct rates *rates, uint32_t list, const struct leat_key *key, uint32_t *index)
{
    struct bucket *bucket = find(rates, list, key, index);
    if (bucket != NULL || !leat_slab_take(&rates->buckets, 0, index)) {
        return bucket;
    }
    bucket = bucket_at(rates, *index);
    atom_store_rlx(&bucket->list, list); /* rlx: hint, re-checked at paced:A */
    bucket->full = 0;
    bucket->waiter = NULL;
    bucket->hash = key->hash;
    bucket->timed = false;
    bucket->pinned = false;
    bucket->bytes = key->bytes;
    memcpy(bucket->text, key->text, key->bytes);
    bucket->chain = rates->heads[key->hash & rates->mask];
    rates->heads[key->hash & rates->mask] = *index + 1;
    return bucket;
}

static void
forget(struct rates *rates, struct bucket *bucket, uint32_t index)
{
    uint32_t *place = &rates->heads[bucket->hash & rates->mask];
    while (*place != index + 1) {
        place = &bucket_at(rates, *place - 1)->chain;
    }
    *place = bucket->chain;
    leat_slab_give(&rates->buckets, 0, index);
}

/* Of who has just done with it: it is forgotten, or waits until it is full. One that is waited for
 * has its timer (I1). */
static void
rest(struct leat_engine *engine, struct bucket *bucket, uint32_t index, uint64_t now_ns)
{
    struct rates *rates = rates_of(engine);
    const struct leat_pace *pace =
        pace_of(rates, atom_load_rlx(&bucket->list)); /* rlx: single writer */
    if (bucket->timed || bucket->pinned) {
        return;
    }
    if (!limits(pace) || bucket->full <= leat_pace_at(pace, now_ns)) {
        forget(rates, bucket, index);
        return;
    }
    bucket->full = leat_pace_owed(pace, bucket->full, leat_pace_at(pace, now_ns));
    arm(engine, TIMER_OF(index), &bucket->timed, leat_pace_ns(pace, bucket->full));
}

/* The two that a job passes. */
#define LISTS 2

static void
lists_of(const struct leat_engine *engine, const struct leat_key *key, uint32_t lists[LISTS])
{
    const struct leat_job_record *record = leat_job_record(engine, key->index);
    lists[0] = leat_job_queue(record);
    lists[1] = leat_gates_list(engine, leat_job_type(record));
}

/* The attempt that it was let through for has begun, or will not. pre: a section of rcu.h. */
static void
settle(struct leat_engine *engine, struct leat_key *key, const uint32_t lists[LISTS],
       uint64_t now_ns)
{
    struct rates *rates = rates_of(engine);
    uint64_t began_ns = atom_load_rlx(&key->began_ns); /* rlx: ordered by life:A */
    atom_store_rlx(&key->began_ns, LEAT_TIME_NEVER);   /* rlx: ordered by life:A */
    for (uint32_t i = 0; i < LISTS; i++) {
        const struct leat_pace *pace = pace_of(rates, lists[i]);
        bool counts = limits(pace) && began_ns != LEAT_TIME_NEVER && began_ns >= pace->since_ns;
        uint32_t index = 0;
        struct bucket *bucket = counts ? find_or_make(rates, lists[i], key, &index)
                                       : find(rates, lists[i], key, &index);
        if (bucket == NULL) {
            continue;
        }
        if (counts) {
            bucket->full = leat_pace_take(bucket->full, leat_pace_at(pace, began_ns));
        }
        bucket->pinned = false;
        rest(engine, bucket, index, now_ns);
    }
}

void
leat_key_rates_settle_slowly(struct leat_engine *engine, struct leat_key *key)
{
    uint32_t lists[LISTS];
    lists_of(engine, key, lists);
    leat_rcu_enter();
    settle(engine, key, lists, leat_key_rates_now(engine));
    leat_rcu_leave(&engine->domain);
}

/* ---- who passes ------------------------------------------------------------------------------ */

/* A job at its buckets. */
struct visit {
    struct bucket *buckets[LISTS]; /* NULL: no rate */
    uint32_t indices[LISTS];
    uint64_t due_ns; /* when to look again */
    uint32_t last;   /* whose token comes then; LISTS: there are tokens */
};

/* False: there is no room for a bucket, and no token is waited for. */
static bool
look_at(struct rates *rates, const struct leat_key *key, const uint32_t lists[LISTS],
        uint64_t now_ns, struct visit *visit)
{
    for (uint32_t i = 0; i < LISTS; i++) {
        const struct leat_pace *pace = pace_of(rates, lists[i]);
        if (!limits(pace)) {
            continue;
        }
        struct bucket *bucket = find_or_make(rates, lists[i], key, &visit->indices[i]);
        if (bucket == NULL) {
            visit->last = LISTS;
            return false;
        }
        leat_bucket_wide now = leat_pace_at(pace, now_ns);
        visit->buckets[i] = bucket;
        bucket->full = leat_pace_owed(pace, bucket->full, now);
        leat_bucket_wide needs = leat_pace_needs(pace, bucket->full);
        uint64_t due_ns = needs <= now ? 0 : leat_pace_ns(pace, needs);
        if (due_ns > visit->due_ns) {
            visit->due_ns = due_ns;
            visit->last = i;
        }
    }
    return true;
}

/* There is no room: its shelf looks again. */
static void
starve(struct leat_engine *engine, struct leat_key *key, uint64_t now_ns)
{
    struct rates *rates = rates_of(engine);
    uint32_t number = key->hash & (LEAT_KEYS_STRIPES - 1);
    struct shelf *shelf = &rates->shelves[number];
    key->waits = LEAT_KEY_WAITS_FOR_ROOM;
    shelf->starved = true;
    if (!shelf->timed) {
        arm(engine, number, &shelf->timed, now_ns + LEAT_KEYS_ROOM_NS);
    }
}

static bool
pass(struct leat_engine *engine, struct leat_key *key)
{
    struct rates *rates = rates_of(engine);
    struct visit visit = {.last = LISTS};
    uint64_t now_ns = leat_key_rates_now(engine);
    uint32_t lists[LISTS];
    lists_of(engine, key, lists);
    settle(engine, key, lists, now_ns);
    bool room = look_at(rates, key, lists, now_ns, &visit);
    bool passes = room && visit.last == LISTS;
    for (uint32_t i = 0; i < LISTS; i++) {
        struct bucket *bucket = visit.buckets[i];
        if (bucket == NULL) {
            continue;
        }
        bucket->pinned = passes;
        if (i == visit.last) {
            bucket->waiter = key;
            key->waits = visit.indices[i] + 1;
            arm(engine, TIMER_OF(visit.indices[i]), &bucket->timed, visit.due_ns);
        }
        rest(engine, bucket, visit.indices[i], now_ns);
    }
    if (!room) {
        starve(engine, key, now_ns);
    }
    return passes;
}

bool
leat_key_rates_pass_slowly(struct leat_engine *engine, struct leat_key *key)
{
    leat_rcu_enter(); /* of who sets a rate */
    bool passes = pass(engine, key);
    leat_rcu_leave(&engine->domain);
    return passes;
}

void
leat_key_rates_unwait(struct leat_engine *engine, struct leat_key *key)
{
    if (key->waits != LEAT_KEY_WAITS_FOR_ROOM) {
        bucket_at(rates_of(engine), key->waits - 1)->waiter = NULL; /* which has its timer */
    }
    key->waits = 0;
}

/* ---- what comes due -------------------------------------------------------------------------- */

static void
bucket_due(struct leat_engine *engine, uint32_t index)
{
    struct bucket *bucket = bucket_at(rates_of(engine), index);
    struct leat_key *waiter = bucket->waiter;
    bucket->timed = false;
    if (waiter != NULL) {
        leat_keys_again(engine, waiter); /* which sees to the bucket, too */
        return;
    }
    leat_rcu_enter();
    rest(engine, bucket, index, leat_key_rates_now(engine));
    leat_rcu_leave(&engine->domain);
}

/* Those that found no room, key by key, until one of them does not again. */
static void
shelf_due(struct leat_engine *engine, uint32_t number)
{
    struct shelf *shelf = &rates_of(engine)->shelves[number];
    shelf->timed = false;
    shelf->starved = false;
    leat_keys_starved(engine, number, &shelf->cursor, &shelf->starved);
}

void
leat_key_rates_answer_slowly(struct leat_engine *engine, uint32_t stripe)
{
    struct rates *rates = rates_of(engine);
    const struct leat_fifo_links links = {timer_link, rates};
    struct leat_fifo due;
    uint32_t timer = 0;
    leat_fifo_init(&due);
    (void)leat_fifo_take_over(&due, links, leat_inbox_take(&rates->shelves[stripe].fired));
    while (leat_fifo_pop_front(&due, links, &timer)) {
        if (timer < LEAT_KEYS_STRIPES) {
            shelf_due(engine, timer);
        } else {
            bucket_due(engine, BUCKET_OF(timer));
        }
    }
}

/* ---- a new rate ------------------------------------------------------------------------------ */

static uint32_t
heads_of(uint32_t buckets)
{
    uint32_t heads = LEAT_KEYS_STRIPES;
    while (heads < buckets) {
        heads *= 2;
    }
    return heads;
}

static void
rates_free(struct rates *rates)
{
    leat_slab_fini(&rates->buckets);
    leat_wheels_fini(&rates->wheels);
    leat_os_unmap(rates, rates->bytes);
}

/* NULL: no memory. */
static struct rates *
rates_new(const struct leat_engine *engine)
{
    const uint32_t jobs = engine->config.jobs_max;
    const uint32_t most = jobs < LEAT_KEYS_RATED_MAX ? jobs : LEAT_KEYS_RATED_MAX;
    const uint32_t lists = engine->config.queues_max + engine->config.types_max;
    const uint32_t heads = heads_of(most);
    const struct leat_slab_config slab = {.capacity = most,
                                          .shards = 1,
                                          .record_bytes = BUCKET_BYTES,
                                          .without_ids = true,
                                          .link_inside = true};
    const struct leat_wheels_config wheels = {.records = most + LEAT_KEYS_STRIPES,
                                              .wheels = 1,
                                              .tick_log2 = LEAT_WHEEL_TICK_LOG2_MIN,
                                              .start_ns = leat_key_rates_now(engine)};
    size_t bytes =
        sizeof(struct rates) + lists * sizeof(leat_atomic_pointer) + heads * sizeof(uint32_t);
    struct rates *rates = leat_os_map(bytes);
    if (rates == NULL) {
        return NULL;
    }
    rates->bytes = bytes;
    rates->mask = heads - 1;
    rates->lists = lists;
    unsigned char *behind = (unsigned char *)(rates + 1);
    rates->paces = (leat_atomic_pointer *)(void *)behind;
    rates->heads = (uint32_t *)(void *)(behind + lists * sizeof(leat_atomic_pointer));
    for (uint32_t i = 0; i < LEAT_KEYS_STRIPES; i++) {
        leat_inbox_init(&rates->shelves[i].fired);
    }
    if (!leat_slab_init(&rates->buckets, &slab)) {
        leat_os_unmap(rates, bytes);
        return NULL;
    }
    if (!leat_wheels_init(&rates->wheels, &wheels)) {
        leat_slab_fini(&rates->buckets);
        leat_os_unmap(rates, bytes);
        return NULL;
    }
    return rates;
}

/* pre: the buckets' mutex. False: no memory. */
static bool
rates_make(struct leat_engine *engine)
{
    if (rates_of(engine) == NULL) {
        struct rates *rates = rates_new(engine);
        /* rated:B release -> rated:A.  Carries: see rated:A.
         * If relaxed: see rated:A. */
        atom_store_rel(&engine->key_rates, (void *)rates);
    }
    return rates_of(engine) != NULL;
}

/* Brings the timers of a list forward, and those for room. */
static void
all_due(struct leat_engine *engine, uint32_t list)
{
    struct rates *rates = rates_of(engine);
    const struct leat_alarms alarms = alarms_of(engine);
    uint32_t capacity = rates->buckets.capacity;
    uint32_t index = leat_slab_next(&rates->buckets, 0);
    for (; index < capacity; index = leat_slab_next(&rates->buckets, index + 1)) {
        /* One that is made anew meanwhile knows the rate. rlx: hint, re-checked at paced:A */
        if (atom_load_rlx(&bucket_at(rates, index)->list) == list) {
            const uint32_t timer = TIMER_OF(index);
            leat_alarms_armed(&alarms, leat_wheel_rearm(&rates->wheels, NULL, timer, 0));
        }
    }
    for (uint32_t i = 0; i < LEAT_KEYS_STRIPES; i++) {
        leat_alarms_armed(&alarms, leat_wheel_rearm(&rates->wheels, NULL, i, 0));
    }
}

enum leat_status
leat_key_rates_set(struct leat_engine *engine, uint32_t list, const struct leat_rate *rate)
{
    enum leat_status status = leat_rate_valid(rate) ? LEAT_OK : LEAT_INVALID;
    struct leat_pace *pace = NULL;
    const struct leat_bucket_rate own = leat_buckets_rate(rate);
    if (status != LEAT_OK) {
        return status;
    }
    leat_mutex_lock(&engine->buckets.mutex);
    if (rates_make(engine)) {
        pace = leat_memory_take(&engine->memory, sizeof(*pace));
    }
    if (pace != NULL) {
        leat_atomic_pointer *place = &rates_of(engine)->paces[list];
        struct leat_pace *old = atom_load_rlx(place); /* rlx: single writer */
        *pace = leat_pace_set(old, &own, leat_key_rates_now(engine));
        /* paced:B release -> paced:A.  Carries: see paced:A.
         * If relaxed: see paced:A. */
        atom_store_rel(place, (void *)pace);
        /* Who has read the old one has armed its timer when its section has ended. */
        leat_rcu_wait(&engine->domain);
        leat_memory_give(&engine->memory, old, sizeof(*old));
        all_due(engine, list);
    }
    leat_mutex_unlock(&engine->buckets.mutex);
    return pace != NULL ? LEAT_OK : LEAT_NO_MEMORY;
}

struct leat_rate
leat_key_rates_get(const struct leat_engine *engine, uint32_t list)
{
    const struct rates *rates = rates_of(engine);
    const struct leat_pace *pace = rates == NULL ? NULL : pace_of(rates, list);
    return limits(pace) ? leat_rate_of(pace->jobs, pace->per_ns, pace->burst)
                        : leat_rate_of(0, 0, 0);
}

enum leat_status
leat_queue_set_key_rate(struct leat_engine *engine, leat_queue queue, struct leat_rate rate)
{
    uint32_t list = 0;
    enum leat_status status = leat_registry_queue_check(engine, queue, &list);
    if (status == LEAT_OK) {
        status = leat_key_rates_set(engine, list, &rate);
    }
    return leat_durable_tuned(engine, list, LEAT_TUNED_KEY_RATE, status);
}

enum leat_status
leat_type_set_key_rate(struct leat_engine *engine, leat_type type, struct leat_rate rate)
{
    uint32_t list = 0;
    enum leat_status status = leat_gates_type_check(engine, type, &list);
    return status == LEAT_OK ? leat_key_rates_set(engine, list, &rate) : status;
}

size_t
leat_key_rates_resident(const struct leat_engine *engine)
{
    struct rates *rates = rates_of(engine);
    if (rates == NULL) {
        return 0;
    }
    const struct leat_slab *buckets = &rates->buckets;
    const struct leat_slab *blocks = &rates->wheels.blocks;
    size_t bytes = leat_os_resident(rates, rates->bytes);
    bytes += leat_os_resident(rates->wheels.mapping, rates->wheels.mapping_bytes);
    bytes += leat_os_resident(buckets->mapping, buckets->mapping_bytes);
    return bytes + leat_os_resident(blocks->mapping, blocks->mapping_bytes);
}

void
leat_key_rates_fini(struct leat_engine *engine)
{
    struct rates *rates = rates_of(engine);
    if (rates == NULL) {
        return;
    }
    for (uint32_t i = 0; i < rates->lists; i++) {
        struct leat_pace *pace = atom_load_rlx(&rates->paces[i]); /* rlx: not shared yet */
        leat_memory_give(&engine->memory, pace, sizeof(*pace));
    }
    atom_store_rlx(&engine->key_rates, (void *)NULL); /* rlx: not shared yet */
    rates_free(rates);
}

/* ---- checks ---------------------------------------------------------------------------------- */

bool
leat_key_rates_waits(const struct leat_engine *engine, const struct leat_key *key)
{
    const struct rates *rates = rates_of(engine);
    return key->waits == 0 || key->waits == LEAT_KEY_WAITS_FOR_ROOM ||
           bucket_at(rates, key->waits - 1)->waiter == key;
}

static const char *
bucket_check(const struct bucket *bucket, uint32_t place)
{
    if (!bucket->timed && !bucket->pinned) {
        return "a bucket has no timer, and is nobody's";
    }
    if (bucket->waiter != NULL && (bucket->pinned || !bucket->timed)) {
        return "one waits at a bucket without a timer, or of another one";
    }
    if (bucket->waiter != NULL && bucket->waiter->waits != place) {
        return "one waits at a bucket, and does not say so";
    }
    return NULL;
}

bool
leat_key_rates_check(struct leat_engine *engine, uint32_t *buckets, FILE *why)
{
    struct rates *rates = rates_of(engine);
    const char *fault = NULL;
    *buckets = 0;
    if (rates == NULL) {
        return true;
    }
    for (uint32_t i = 0; i <= rates->mask; i++) {
        for (uint32_t place = rates->heads[i]; place != 0;) {
            const struct bucket *bucket = bucket_at(rates, place - 1);
            const char *found = bucket_check(bucket, place);
            fault = found != NULL ? found : fault;
            fault = (bucket->hash & rates->mask) == i ? fault : "one is not where it is looked for";
            (*buckets)++;
            place = bucket->chain;
        }
    }
    if (fault != NULL && why != NULL) {
        (void)fprintf(why, "key rates: %s\n", fault);
    }
    return fault == NULL && leat_slab_check(&rates->buckets, *buckets, why) &&
           leat_wheels_check(&rates->wheels, why);
}
