/* keys.c - order per key, see keys.h. */
#include "engine/keys.h"

#include <string.h>

#include "engine/gates.h"
#include "engine/timers.h"

/* ---- the table ------------------------------------------------------------------------------ */

struct stripe {
    LEAT_ALIGNED_LINE pthread_mutex_t mutex;
};

/* Mapped at the first key of the engine, until that is closed, in pages that are taken as they are
 * used. Letters: I set when it is made; L under the mutex of the stripe. */
struct table {
    struct stripe stripes[LEAT_KEYS_STRIPES];
    uint32_t mask;              /* I */
    struct leat_key *buckets[]; /* L those that HOLD */
};

LEAT_STATIC((LEAT_KEYS_STRIPES & (LEAT_KEYS_STRIPES - 1)) == 0, "a stripe is found by a mask");
LEAT_STATIC(LEAT_KEY_BYTES_MAX <= UINT8_MAX, "the length of a key has 8 bits");

static struct table *
table_of(const struct leat_engine *engine)
{
    /* keys:A acquire -> keys:B.  Carries: the empty table.
     * If relaxed: a mutex could be taken before it is made. */
    return atom_load_acq(&engine->keys);
}

static uint32_t
buckets_of(const struct leat_engine *engine)
{
    uint32_t buckets = LEAT_KEYS_STRIPES;
    while (buckets < engine->config.jobs_max / LEAT_KEYS_LOAD && buckets < LEAT_KEYS_BUCKETS_MAX) {
        buckets *= 2;
    }
    return buckets;
}

static size_t
table_bytes(uint32_t buckets)
{
    return sizeof(struct table) + sizeof(struct leat_key *) * buckets;
}

static void
table_free(struct table *table)
{
    for (uint32_t i = 0; i < LEAT_KEYS_STRIPES; i++) {
        (void)pthread_mutex_destroy(&table->stripes[i].mutex);
    }
    leat_os_unmap(table, table_bytes(table->mask + 1));
}

/* False: no memory. */
static bool
table_make(struct leat_engine *engine)
{
    if (table_of(engine) != NULL) {
        return true;
    }
    uint32_t buckets = buckets_of(engine);
    struct table *table = leat_os_map(table_bytes(buckets));
    if (table == NULL) {
        return false;
    }
    table->mask = buckets - 1;
    for (uint32_t i = 0; i < LEAT_KEYS_STRIPES; i++) {
        int failed = pthread_mutex_init(&table->stripes[i].mutex, NULL);
        LEAT_ASSERT(failed == 0);
    }
    void *none = NULL;
    /* keys:B acq_rel -> keys:A.  Carries: see keys:A.
     * If relaxed: see keys:A. */
    if (!atom_cas_acq_rel(&engine->keys, &none, (void *)table)) {
        table_free(table); /* two first keys met here */
    }
    return true;
}

static struct stripe *
lock(struct table *table, const struct leat_key *key)
{
    struct stripe *stripe = &table->stripes[key->hash & (LEAT_KEYS_STRIPES - 1)];
    int failed = pthread_mutex_lock(&stripe->mutex);
    LEAT_ASSERT(failed == 0);
    return stripe;
}

static void
unlock(struct stripe *stripe)
{
    int failed = pthread_mutex_unlock(&stripe->mutex);
    LEAT_ASSERT(failed == 0);
}

static bool
same(const struct leat_key *one, const struct leat_key *other)
{
    return one->hash == other->hash && one->bytes == other->bytes &&
           memcmp(one->text, other->text, one->bytes) == 0;
}

/* Where the table points to the one that HOLDS this key; or to nobody, at the end of the chain.
 * Under the mutex. Ends: at the end of the chain. */
static struct leat_key **
place_of(struct table *table, const struct leat_key *key)
{
    struct leat_key **place = &table->buckets[key->hash & table->mask];
    while (*place != NULL && !same(*place, key)) {
        place = &(*place)->chain;
    }
    return place;
}

/* ---- lines ---------------------------------------------------------------------------------- */

/* Behind all that wait for `holder`; of itself: alone. Under the mutex. */
static void
line_add(struct leat_key *holder, struct leat_key *key)
{
    if (holder == key) {
        key->before = key;
    }
    key->next = holder;
    key->before = holder->before;
    key->before->next = key;
    holder->before = key;
}

static void
line_remove(struct leat_key *key)
{
    key->before->next = key->next;
    key->next->before = key->before;
    key->state = LEAT_KEY_OUTSIDE;
}

/* What the job's word says, under the mutex, by which who swaps it comes to leat_keys_left(): what
 * is missed here is seen there. */
static enum leat_phase
phase_of(const struct leat_engine *engine, const struct leat_key *key)
{
    /* rlx: ordered by cancel:A */
    return leat_word_phase(atom_load_rlx(leat_slab_word(&engine->jobs, key->index)));
}

/* Gives the key to the next one in line that lives, which it returns; or NULL. Those that do not
 * come to *dropped, and are the caller's. Under the mutex. */
static struct leat_key *
hand_on(struct leat_engine *engine, struct table *table, struct leat_key *key,
        struct leat_key **dropped)
{
    struct leat_key **place = place_of(table, key);
    struct leat_key *next = key->next;
    LEAT_ASSERT(*place == key);
    /* Ends: each round takes one out of the line. */
    while (next != key && leat_phase_final(phase_of(engine, next))) {
        line_remove(next);
        next->chain = *dropped;
        *dropped = next;
        next = key->next;
    }
    if (next == key) {
        *place = key->chain;
        next = NULL;
    } else {
        next->chain = key->chain;
        next->state = LEAT_KEY_HOLDS;
        *place = next;
    }
    line_remove(key);
    return next;
}

/* ---- jobs ----------------------------------------------------------------------------------- */

static struct leat_key *
key_of(const struct leat_engine *engine, uint32_t index)
{
    return leat_job_extra(leat_job_record(engine, index))->key;
}

bool
leat_keys_enter_slowly(struct leat_engine *engine, uint32_t index)
{
    struct table *table = table_of(engine);
    struct leat_key *key = key_of(engine, index);
    bool goes_on = true;
    struct stripe *stripe = lock(table, key);
    LEAT_ASSERT(key->state != LEAT_KEY_WAITS);
    /* One that was cancelled or changed meanwhile goes on to who sees to that. */
    if (key->state == LEAT_KEY_OUTSIDE && phase_of(engine, key) == LEAT_PHASE_PENDING) {
        struct leat_key **place = place_of(table, key);
        goes_on = *place == NULL;
        key->state = goes_on ? LEAT_KEY_HOLDS : LEAT_KEY_WAITS;
        if (goes_on) {
            key->chain = NULL;
            *place = key;
        }
        line_add(*place, key);
    }
    unlock(stripe);
    return goes_on;
}

/* The next one of a key goes on to its gates. One that was changed while it waited goes the same
 * way: who takes it there brings it to a wheel. Under the mutex, so that a drain which sees the job
 * before it ended sees this one in its place. */
static void
put_on(struct leat_engine *engine, const struct leat_key *next)
{
    const struct leat_stand stand = leat_queue_stand(leat_job_record(engine, next->index));
    leat_gates_put_on(engine, stand.level, stand.queue, stand.type,
                      leat_item_of(LEAT_KIND_JOB, next->index));
}

/* It has ended; or it has another time, and no attempt has begun. Under the mutex. */
static bool
gives_up(const struct leat_engine *engine, const struct leat_key *key)
{
    const struct leat_job_record *record = leat_job_record(engine, key->index);
    /* rlx: ordered by claim:A */
    return leat_phase_final(phase_of(engine, key)) || atom_load_rlx(&record->attempts) == 0;
}

void
leat_keys_left_slowly(struct leat_engine *engine, uint32_t index)
{
    struct table *table = table_of(engine);
    struct leat_key *key = key_of(engine, index);
    struct leat_key *dropped = NULL;
    struct stripe *stripe = lock(table, key);
    if (key->state == LEAT_KEY_WAITS) {
        line_remove(key);
        key->chain = NULL;
        dropped = key;
    } else if (key->state == LEAT_KEY_HOLDS && gives_up(engine, key)) {
        const struct leat_key *next = hand_on(engine, table, key, &dropped);
        if (next != NULL) {
            put_on(engine, next);
        }
    }
    unlock(stripe);
    /* Their places were here. Ends: each was in the line. */
    while (dropped != NULL) {
        const struct leat_key *one = dropped;
        dropped = one->chain;
        leat_timers_route(engine, one->index);
    }
}

/* ---- made and freed -------------------------------------------------------------------------- */

enum leat_status
leat_keys_check_options(const struct leat_job_options *options)
{
    bool none = options->key == NULL && options->key_bytes == 0;
    bool some =
        options->key != NULL && options->key_bytes > 0 && options->key_bytes <= LEAT_KEY_BYTES_MAX;
    return none || some ? LEAT_OK : LEAT_INVALID;
}

/* FNV-1a from the engine's seed, its bits mixed once more, since only the low ones are used. */
static uint32_t
hash_of(const struct leat_engine *engine, const unsigned char *bytes, size_t count)
{
    uint64_t hash = engine->seed ^ UINT64_C(14695981039346656037);
    for (size_t i = 0; i < count; i++) {
        hash = (hash ^ bytes[i]) * UINT64_C(1099511628211);
    }
    hash = (hash ^ hash >> 32) * UINT64_C(0xd6e8feb86659fd93);
    return (uint32_t)(hash >> 32);
}

static size_t
key_size(size_t bytes)
{
    return offsetof(struct leat_key, text) + bytes;
}

enum leat_status
leat_keys_make(struct leat_engine *engine, uint32_t index, const struct leat_job_options *options)
{
    size_t bytes = options->key_bytes;
    struct leat_job_extra *extra = leat_job_extra_make(engine, leat_job_record(engine, index));
    if (extra == NULL || !table_make(engine)) {
        return LEAT_NO_MEMORY;
    }
    struct leat_key *key = leat_memory_take(&engine->memory, key_size(bytes));
    if (key == NULL) {
        return LEAT_NO_MEMORY;
    }
    key->hash = hash_of(engine, options->key, bytes);
    key->index = index;
    key->bytes = (uint8_t)bytes;
    memcpy(key->text, options->key, bytes);
    extra->key = key;
    return LEAT_OK;
}

void
leat_keys_free(struct leat_engine *engine, struct leat_job_extra *extra)
{
    struct leat_key *key = extra->key;
    if (key != NULL) {
        LEAT_ASSERT(key->state == LEAT_KEY_OUTSIDE || table_of(engine) == NULL);
        leat_memory_give(&engine->memory, key, key_size(key->bytes));
        extra->key = NULL;
    }
}

void
leat_keys_fini(struct leat_engine *engine)
{
    struct table *table = table_of(engine);
    if (table != NULL) {
        atom_store_rlx(&engine->keys, (void *)NULL); /* rlx: not shared yet */
        table_free(table);
    }
}

/* ---- checks --------------------------------------------------------------------------------- */

/* What is wrong in the line of a key; NULL: nothing. */
static const char *
line_fault(const struct leat_engine *engine, const struct leat_key *holder)
{
    const struct leat_key *key = holder;
    uint32_t most = engine->config.jobs_max;
    do {
        if (key->state != (key == holder ? LEAT_KEY_HOLDS : LEAT_KEY_WAITS)) {
            return "a state is not that of its place";
        }
        if (!same(key, holder) || key_of(engine, key->index) != key) {
            return "one stands in another key's line";
        }
        if (key->next->before != key || most-- == 0) {
            return "a line is no ring";
        }
        key = key->next;
    } while (key != holder);
    return NULL;
}

bool
leat_keys_check(struct leat_engine *engine, uint32_t *keys, FILE *why)
{
    struct table *table = table_of(engine);
    const char *fault = NULL;
    *keys = 0;
    for (uint32_t i = 0; table != NULL && i <= table->mask && fault == NULL; i++) {
        struct leat_key **place = &table->buckets[i];
        for (; *place != NULL && fault == NULL; place = &(*place)->chain) {
            bool found = place_of(table, *place) == place && ((*place)->hash & table->mask) == i;
            fault = found ? line_fault(engine, *place) : "one is not where it is looked for";
            (*keys)++;
        }
    }
    if (fault != NULL && why != NULL) {
        (void)fprintf(why, "keys: %s\n", fault);
    }
    return fault == NULL;
}
