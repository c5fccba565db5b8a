/* keys.c - order per key, see keys.h. */
#include "engine/keys.h"

#include <string.h>

#include "engine/gates.h"
#include "engine/key_rates.h"
#include "engine/timers.h"
#include "ring/fifo.h"
#include "ring/inbox.h"

/* ---- the table ------------------------------------------------------------------------------ */

struct stripe {
    LEAT_ALIGNED_LINE leat_atomic_u32
        asked;               /* S jobs put into the inbox, since the role is held; 0:
                                                nobody holds it */
    struct leat_inbox inbox; /* S jobs of which something is asked */
};

/* Mapped at the first key of the engine, until that is closed, in pages that are taken as they are
 * used. Letters: I set when it is made; S many writers; O who holds the role of the stripe. */
struct table {
    struct stripe stripes[LEAT_KEYS_STRIPES]; /* S */
    uint32_t mask;                            /* I */
    struct leat_key *buckets[];               /* O those that HOLD */
};

LEAT_STATIC((LEAT_KEYS_STRIPES & (LEAT_KEYS_STRIPES - 1)) == 0, "a stripe is found by a mask");
LEAT_STATIC(LEAT_KEY_BYTES_MAX <= UINT8_MAX, "the length of a key has 8 bits");

static struct table *
table_of(const struct leat_engine *engine)
{
    /* keys:A acquire -> keys:B.  Carries: the empty table.
     * If relaxed: an inbox could be used before it is made. */
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

size_t
leat_keys_resident(const struct leat_engine *engine)
{
    struct table *table = table_of(engine);
    return table == NULL ? 0 : leat_os_resident(table, table_bytes(table->mask + 1));
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
        leat_inbox_init(&table->stripes[i].inbox);
    }
    void *none = NULL;
    /* keys:B release -> keys:A.  Carries: see keys:A.
     * If relaxed: see keys:A. */
    if (!atom_cas_rel(&engine->keys, &none, (void *)table)) {
        leat_os_unmap(table, table_bytes(buckets)); /* two first keys met here */
    }
    return true;
}

static struct stripe *
stripe_of(struct table *table, const struct leat_key *key)
{
    return &table->stripes[key->hash & (LEAT_KEYS_STRIPES - 1)];
}

static bool
same(const struct leat_key *one, const struct leat_key *other)
{
    return one->hash == other->hash && one->bytes == other->bytes &&
           memcmp(one->text, other->text, one->bytes) == 0;
}

/* Where the table points to the one that HOLDS this key; or to nobody, at the end of the chain.
 * Ends: at the end of the chain. */
static struct leat_key **
place_of(struct table *table, const struct leat_key *key)
{
    struct leat_key **place = &table->buckets[key->hash & table->mask];
    while (*place != NULL && !same(*place, key)) {
        place = &(*place)->chain;
    }
    return place;
}

/* ---- lines: all by who holds the role ------------------------------------------------------- */

static enum leat_key_state
state_of(const struct leat_key *key)
{
    /* rlx: single writer */
    return (enum leat_key_state)atom_load_rlx(&key->state);
}

static void
state_set(struct leat_key *key, enum leat_key_state state)
{
    /* Who takes the job from its next place sees it. rlx: ordered by heard:A */
    atom_store_rlx(&key->state, (uint32_t)state);
}

/* Behind all that wait for `holder`; of itself: alone. */
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
    state_set(key, LEAT_KEY_OUTSIDE);
}

static uint64_t
word_of(const struct leat_engine *engine, uint32_t index)
{
    /* Who ends it behind this look asks for another one.
     * life:A acquire -> change:B.  Carries: that it had begun, of one that was snoozed since.
     * If relaxed: it could be taken for one that has not begun, and its key be handed on. */
    return atom_load_acq(leat_slab_word(&engine->jobs, index));
}

/* It has its key, and goes on to its gates when there is a token for it. One that was changed while
 * it waited goes the same way: who takes it there brings it to a wheel. */
static void
put_on(struct leat_engine *engine, struct leat_key *key)
{
    uint32_t index = key->index;
    if (!leat_key_rates_pass(engine, key)) {
        return;
    }
    const struct leat_stand stand = leat_queue_stand(leat_job_record(engine, index));
    leat_gates_put_on(engine, stand.level, stand.queue, stand.type,
                      leat_item_of(LEAT_KIND_JOB, index));
}

/* The next one in line that lives gets the key. Those that have ended leave their place, which was
 * here. Ends: each round takes one out of the line. */
static void
hand_on(struct leat_engine *engine, struct table *table, struct leat_key *key)
{
    struct leat_key **place = place_of(table, key);
    struct leat_key *next = key->next;
    LEAT_ASSERT(*place == key);
    leat_key_rates_settle(engine, key);
    while (next != key && leat_phase_final(leat_word_phase(word_of(engine, next->index)))) {
        line_remove(next);
        leat_timers_route(engine, next->index);
        next = key->next;
    }
    if (next == key) {
        *place = key->chain;
        line_remove(key);
        return;
    }
    next->chain = key->chain;
    *place = next;
    line_remove(key);
    state_set(next, LEAT_KEY_HOLDS);
    put_on(engine, next);
}

/* ---- what is asked: all by who holds the role ------------------------------------------------ */

/* The one that has the key was ended, or given another time. One that waits for a token is in no
 * other place. */
static void
look_holder(struct leat_engine *engine, struct table *table, struct leat_key *key, bool final)
{
    uint32_t index = key->index;
    bool here = key->waits != 0;
    if (here) {
        leat_key_rates_unwait(engine, key);
    }
    if (final || atom_load_rlx(&key->begun) == 0) { /* rlx: ordered by life:A */
        hand_on(engine, table, key);
    }
    if (here) {
        leat_timers_route(engine, index);
    }
}

/* The job was ended, or given another time, or so it was when this was asked. */
static void
look(struct leat_engine *engine, struct table *table, struct leat_key *key)
{
    uint32_t index = key->index;
    enum leat_phase phase = leat_word_phase(word_of(engine, index));
    bool final = leat_phase_final(phase);
    if (!final && phase != LEAT_PHASE_SCHEDULED) {
        return;
    }
    switch (state_of(key)) {
    case LEAT_KEY_WAITS:
        line_remove(key);
        leat_timers_route(engine, index);
        break;
    case LEAT_KEY_HOLDS:
        look_holder(engine, table, key, final);
        break;
    case LEAT_KEY_OUTSIDE:
        break;
    }
}

/* The job turned PENDING, and is here. If it has got another priority meanwhile it has its place
 * all the same; if another time, not. Who has yet to write that asks for a look behind it. */
static void
enter(struct leat_engine *engine, struct table *table, struct leat_key *key)
{
    enum leat_phase phase = leat_word_phase(word_of(engine, key->index));
    LEAT_ASSERT(state_of(key) != LEAT_KEY_WAITS);
    if (state_of(key) == LEAT_KEY_HOLDS) {
        put_on(engine, key);
        look(engine, table, key); /* where it waits now, the one that was asked for may be over */
        return;
    }
    bool later = phase != LEAT_PHASE_PENDING && leat_timers_left(engine, key->index) != 0;
    if (leat_phase_final(phase) || later) {
        leat_timers_route(engine, key->index);
        return;
    }
    struct leat_key **place = place_of(table, key);
    if (*place != NULL) {
        state_set(key, LEAT_KEY_WAITS);
        line_add(*place, key);
        return;
    }
    key->chain = NULL;
    *place = key;
    line_add(key, key);
    state_set(key, LEAT_KEY_HOLDS);
    put_on(engine, key);
}

/* What is asked of a job: bits. */
#define ASK_LOOK   1U
#define ASK_ENTER  2U /* with the index */
#define ASK_RETIRE 4U /* with the index: its place has let go of it, once it has left here */
#define ASK_HELD   8U /* a hold came with it */

static struct leat_key *
key_of(const struct leat_engine *engine, uint32_t index)
{
    return leat_job_extra(leat_job_record(engine, index))->key;
}

/* The look comes first, for what has ended, or got another time, before it could enter. pre: the
 * index was taken from the inbox. */
static void
answer(struct leat_engine *engine, struct table *table, uint32_t index)
{
    struct leat_key *key = key_of(engine, index);
    /* heard:A acq_rel -> ask:A.  Carries: the word as who asked has left it. And back, that what
     * was asked is taken: who asks now puts the job into the inbox again.
     * If relaxed: a cancel that was to be seen here could be missed. */
    uint32_t asks = atom_swap_acq_rel(&key->asks, 0);
    LEAT_ASSERT(asks != 0);
    if ((asks & (ASK_LOOK | ASK_RETIRE)) != 0) {
        look(engine, table, key);
    }
    if ((asks & ASK_ENTER) != 0) {
        enter(engine, table, key);
    }
    if ((asks & ASK_RETIRE) != 0) {
        leat_job_retire(engine, index);
    }
    if ((asks & ASK_HELD) != 0) {
        leat_job_unhold(engine, index);
    }
}

static leat_atomic_u32 *
link_of(void *context, uint32_t index)
{
    return &key_of(context, index)->link;
}

/* Answers all that was asked of a stripe's jobs. */
static void
answer_all(struct leat_engine *engine, struct table *table, struct stripe *stripe)
{
    const struct leat_fifo_links links = {link_of, engine};
    struct leat_fifo asked;
    uint32_t index = 0;
    leat_fifo_init(&asked);
    (void)leat_fifo_take_over(&asked, links, leat_inbox_take(&stripe->inbox));
    while (leat_fifo_pop_front(&asked, links, &index)) {
        answer(engine, table, index);
    }
    leat_key_rates_answer(engine, (uint32_t)(stripe - table->stripes));
}

/* ---- asking --------------------------------------------------------------------------------- */

/* Something is in the stripe's inbox: answers what is there, unless another thread is at it: that
 * one will find it. Ends: each round answers what others asked meanwhile, and each of those is at
 * the end of its own call. */
static void
serve(struct leat_engine *engine, struct table *table, struct stripe *stripe)
{
    uint32_t seen = 1;
    /* stripe:A acq_rel -> stripe:A, stripe:B.  Carries: that the job is in the inbox, to who holds
     * the role; the lines, from who held it last.
     * If relaxed: what is asked could be left in the inbox; a line could be seen as it was. */
    if (atom_add_acq_rel(&stripe->asked, 1) != 0) {
        return;
    }
    do {
        answer_all(engine, table, stripe);
        /* stripe:B acq_rel -> stripe:A.  Carries: see stripe:A; where it fails, who came meanwhile.
         * If relaxed: see stripe:A. */
    } while (!atom_cas_acq_rel(&stripe->asked, &seen, 0));
}

/* False: it is in the inbox with something else that was asked. pre: the caller keeps the record
 * until it is answered, if it is not. Ends: a swap fails only where another thread asked, or was
 * answered. */
static bool
ask(struct leat_engine *engine, struct leat_key *key, uint32_t what, uint32_t alone)
{
    uint32_t before = atom_load_rlx(&key->asks); /* rlx: hint, re-checked at ask:A */
    uint32_t after = 0;
    /* Counted first: a drain that does not see the job in its place finds this. */
    leat_change_begins(engine);
    do {
        after = before | what | (before == 0 ? alone : 0);
        /* ask:A acq_rel -> heard:A.  Carries: see heard:A.
         * If relaxed: see heard:A. */
    } while (!atom_cas_acq_rel(&key->asks, &before, after));
    if (before == 0) {
        struct table *table = table_of(engine);
        struct stripe *stripe = stripe_of(table, key);
        (void)leat_inbox_push(&stripe->inbox, &key->link, key->index);
        serve(engine, table, stripe);
    }
    leat_change_ends(engine);
    return before == 0;
}

bool
leat_keys_enter_slowly(struct leat_engine *engine, uint32_t index)
{
    struct leat_key *key = key_of(engine, index);
    /* rlx: ordered by change:A */
    if (atom_load_rlx(&key->begun) != 0 && !leat_key_rates_any(engine)) {
        return true; /* so it has its key */
    }
    (void)ask(engine, key, ASK_ENTER, 0);
    return false;
}

void
leat_keys_left_slowly(struct leat_engine *engine, uint32_t index)
{
    if (!ask(engine, key_of(engine, index), ASK_LOOK, ASK_HELD)) {
        leat_job_unhold(engine, index);
    }
}

bool
leat_keys_retire_slowly(struct leat_engine *engine, uint32_t index)
{
    struct leat_key *key = key_of(engine, index);
    if (state_of(key) == LEAT_KEY_OUTSIDE) {
        return false;
    }
    (void)ask(engine, key, ASK_RETIRE, 0);
    return true;
}

/* ---- tokens --------------------------------------------------------------------------------- */

void
leat_keys_note_slowly(const struct leat_engine *engine, struct leat_key *key)
{
    atom_store_rlx(&key->began_ns, leat_key_rates_now(engine)); /* rlx: ordered by change:B */
}

void
leat_keys_due(struct leat_engine *engine, uint32_t stripe)
{
    struct table *table = table_of(engine);
    leat_change_begins(engine);
    serve(engine, table, &table->stripes[stripe]);
    leat_change_ends(engine);
}

void
leat_keys_again(struct leat_engine *engine, struct leat_key *key)
{
    leat_key_rates_unwait(engine, key);
    if (!leat_phase_final(leat_word_phase(word_of(engine, key->index)))) {
        put_on(engine, key);
        return;
    }
    /* Who ended it had no hold to come with. */
    uint32_t index = key->index;
    hand_on(engine, table_of(engine), key);
    leat_timers_route(engine, index);
}

/* The first of a chain that waits for room; or NULL. Ends: at the end of the chain. */
static struct leat_key *
starved_in(struct leat_key *key)
{
    while (key != NULL && key->waits != LEAT_KEY_WAITS_FOR_ROOM) {
        key = key->chain;
    }
    return key;
}

void
leat_keys_starved(struct leat_engine *engine, uint32_t stripe, uint32_t *cursor,
                  const bool *starved)
{
    struct table *table = table_of(engine);
    uint32_t count = (table->mask + 1) / LEAT_KEYS_STRIPES;
    for (uint32_t i = 0; i < count; i++) {
        struct leat_key **bucket = &table->buckets[*cursor * LEAT_KEYS_STRIPES + stripe];
        struct leat_key *key = starved_in(*bucket);
        while (key != NULL) {
            leat_keys_again(engine, key);
            if (*starved) {
                return;
            }
            key = starved_in(*bucket);
        }
        *cursor = (*cursor + 1) % count;
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
    atom_init(&key->began_ns, LEAT_TIME_NEVER);
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
        LEAT_ASSERT(state_of(key) == LEAT_KEY_OUTSIDE || table_of(engine) == NULL);
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
        leat_os_unmap(table, table_bytes(table->mask + 1));
    }
}

/* ---- checks --------------------------------------------------------------------------------- */

/* What is wrong in the line of a key; NULL: nothing. */
static const char *
line_check(const struct leat_engine *engine, const struct leat_key *holder)
{
    const struct leat_key *key = holder;
    uint32_t most = engine->config.jobs_max;
    do {
        if (state_of(key) != (key == holder ? LEAT_KEY_HOLDS : LEAT_KEY_WAITS)) {
            return "a state is not that of its place";
        }
        if (!same(key, holder) || key_of(engine, key->index) != key) {
            return "one stands in another key's line";
        }
        if (key->next->before != key || most-- == 0) {
            return "a line is no ring";
        }
        if (!leat_key_rates_waits(engine, key)) {
            return "one waits for a token that another one has";
        }
        if (atom_load_rlx(&key->asks) != 0) { /* rlx: not shared yet */
            return "something is asked of one that is in no inbox";
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
            fault = found ? line_check(engine, *place) : "one is not where it is looked for";
            (*keys)++;
        }
    }
    for (uint32_t i = 0; table != NULL && i < LEAT_KEYS_STRIPES; i++) {
        const struct stripe *stripe = &table->stripes[i];
        /* rlx: not shared yet */
        bool rests = atom_load_rlx(&stripe->asked) == 0 && !leat_inbox_ready(&stripe->inbox);
        fault = rests ? fault : "a stripe has not come to rest";
    }
    if (fault != NULL && why != NULL) {
        (void)fprintf(why, "keys: %s\n", fault);
    }
    return fault == NULL;
}
