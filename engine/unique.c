/* unique.c - claims: unique keys and names of jobs, see unique.h. */
#include "engine/unique.h"

#include <inttypes.h>
#include <string.h>

#include "engine/durable/durable.h"
#include "engine/engine_internal.h"
#include "engine/timers.h"
#include "ring/rcu.h"

/* How often it is waited for a submit that is about to publish its job: a few steps of a thread
 * that runs. */
#define PUBLISH_YIELDS 64

/* Claims with a time that are looked at for each one that is added: more than one, so that those
 * whose time is over become fewer. */
#define TIMED_LOOKS 4

/* ---- checks ---------------------------------------------------------------------------------- */

enum leat_status
leat_claims_check_options(const struct leat_job_options *options)
{
    bool timed = options->unique_scope == LEAT_UNIQUE_FOR_TIME;
    bool keyed = options->unique_key_bytes != 0;
    bool plain = options->unique_scope == LEAT_UNIQUE_UNTIL_FINISHED &&
                 options->unique_conflict == LEAT_UNIQUE_REJECT;
    bool valid = options->unique_key_bytes <= LEAT_UNIQUE_KEY_BYTES_MAX &&
                 (options->unique_key != NULL || plain) && keyed == (options->unique_key != NULL) &&
                 options->unique_scope <= LEAT_UNIQUE_FOR_TIME &&
                 options->unique_conflict <= LEAT_UNIQUE_DEBOUNCE &&
                 timed == (options->unique_for_ns != 0);
    if (valid && options->name != NULL) {
        size_t bytes = strnlen(options->name, LEAT_JOB_NAME_BYTES_MAX + 1);
        valid = bytes >= 1 && bytes <= LEAT_JOB_NAME_BYTES_MAX;
    }
    return valid ? LEAT_OK : LEAT_INVALID;
}

/* ---- who holds ------------------------------------------------------------------------------- */

enum holder {
    HOLDER_NONE,  /* it holds no more */
    HOLDER_COMES, /* it is about to be published, or brought back */
    HOLDER_HOLDS  /* it waits or runs, or its time is not over */
};

static uint64_t
now_of(const struct leat_engine *engine)
{
    return leat_clocks_now(&engine->clocks, LEAT_TIME_BOOT);
}

/* It has been run. The low bits of the number of its run are in the word; where they are 0 the
 * whole number is looked at, and where that is 0 whether it went round: only snoozes bring it so
 * far. */
static bool
begun(struct leat_engine *engine, leat_job_id id, uint64_t word)
{
    uint32_t index = 0;
    if ((word & LEAT_WORD_ATTEMPT) != 0) {
        return true;
    }
    /* It has ended meanwhile, or too many look at it: it counts as it was a moment ago. */
    if (leat_job_hold(engine, id, LEAT_HOLDS_TO_LOOK, &index) != LEAT_OK) {
        return false;
    }
    const struct leat_job_record *record = leat_job_record(engine, index);
    /* rlx: ordered by hold:A */
    bool more = atom_load_rlx(&record->attempts) != 0 || leat_job_snoozed(record);
    leat_job_unhold(engine, index);
    return more;
}

static enum holder
holder_of(struct leat_engine *engine, const struct leat_claim *claim)
{
    uint64_t word = 0;
    bool timed = claim->scope == LEAT_UNIQUE_FOR_TIME;
    if (timed && now_of(engine) >= claim->until_ns) {
        return HOLDER_NONE;
    }
    /* comes:A acquire -> comes:B.  Carries: the word of the job that is back; read behind it.
     * If relaxed: the job could be seen dead, and not coming any more. */
    bool comes = atom_load_acq(&claim->comes) != 0;
    if (!leat_job_word_of(engine, claim->id, &word) ||
        leat_word_phase(word) >= LEAT_PHASE_COMPLETED) {
        enum holder over = timed ? HOLDER_HOLDS : HOLDER_NONE;
        return comes ? HOLDER_COMES : over;
    }
    if (leat_word_phase(word) == LEAT_PHASE_FILLING) {
        return HOLDER_COMES;
    }
    bool over = claim->scope == LEAT_UNIQUE_UNTIL_STARTED && begun(engine, claim->id, word);
    return over ? HOLDER_NONE : HOLDER_HOLDS;
}

/* The same, but that a holder who is about to be published is waited for, for a while. */
static enum holder
holder_settled(struct leat_engine *engine, const struct leat_claim *claim)
{
    enum holder holder = holder_of(engine, claim);
    for (uint32_t i = 0; holder == HOLDER_COMES && i < PUBLISH_YIELDS; i++) {
        leat_os_yield();
        holder = holder_of(engine, claim);
    }
    return holder;
}

/* ---- conflicts ------------------------------------------------------------------------------- */

/* The last holder of whom something was asked: to end, or to come later. */
struct asked {
    leat_job_id id;
    bool ended;
};

/* Answers that it is to be looked at once more. */
#define AGAIN LEAT_STATUS_COUNT

static enum leat_status
debounce(struct leat_engine *engine, leat_job_id holder, struct leat_when when)
{
    enum leat_status status = leat_reschedule(engine, holder, when);
    bool unsaid = status == LEAT_NO_SPACE || status == LEAT_NO_MEMORY || status == LEAT_LOG_FAILED;
    if (status == LEAT_OK) {
        return LEAT_JOINED;
    }
    /* It is done in memory only; or the holder does not wait any more. */
    return status == LEAT_BUSY || unsaid ? status : AGAIN;
}

/* With a log this may wait for the disk, so the section is left meanwhile: claims that were found
 * in it may be gone. */
static enum leat_status
ask(struct leat_engine *engine, const struct leat_claim *claim, struct asked *asked)
{
    const bool leaves = engine->durable != NULL;
    enum leat_status status = AGAIN;
    if (leaves) {
        leat_rcu_leave(&engine->domain);
    }
    if (claim->answers == LEAT_UNIQUE_REPLACE) {
        asked->ended = leat_job_purge(engine, asked->id);
    } else {
        status = debounce(engine, asked->id, claim->when);
    }
    if (leaves) {
        leat_rcu_enter();
    }
    return status;
}

/* What becomes of `claim` where another one has the text. LEAT_OK: that one gives way. */
static enum leat_status
conflict(struct leat_engine *engine, const struct leat_claim *claim, const struct leat_claim *held,
         struct asked *asked, leat_job_id *id)
{
    const leat_job_id holder_id = held->id;
    bool rejects = claim->answers == LEAT_UNIQUE_REJECT;
    enum holder holder = rejects ? holder_of(engine, held) : holder_settled(engine, held);
    enum leat_status status = LEAT_EXISTS;
    if (holder == HOLDER_NONE || claim->answers == LEAT_CLAIM_TAKES ||
        (asked->ended && asked->id.bits == holder_id.bits)) {
        return LEAT_OK;
    }
    if (holder == HOLDER_COMES && !rejects) {
        return LEAT_BUSY;
    }
    if (claim->answers == LEAT_UNIQUE_EXISTING) {
        status = LEAT_JOINED;
    } else if (!rejects && asked->id.bits != holder_id.bits) {
        *asked = (struct asked){.id = holder_id};
        status = ask(engine, claim, asked);
    }
    *id = holder_id;
    return status;
}

/* ---- a claim --------------------------------------------------------------------------------- */

/* In front of a key's text: its kind and type. */
#define KEY_HEAD (1 + sizeof(uint32_t))

/* Returns the bytes. */
static size_t
key_put(struct leat_claim_text text, unsigned char *to)
{
    to[0] = (unsigned char)LEAT_CLAIM_KEY;
    memcpy(to + 1, &text.type, sizeof(text.type));
    memcpy(to + KEY_HEAD, text.text, text.bytes);
    return KEY_HEAD + text.bytes;
}

static size_t
name_put(const void *text, size_t bytes, unsigned char *to)
{
    to[0] = (unsigned char)LEAT_CLAIM_NAME;
    memcpy(to + 1, text, bytes);
    return 1 + bytes;
}

struct leat_claim *
leat_claim_make(struct leat_engine *engine, uint32_t index, enum leat_claim_kind kind,
                const void *text, size_t bytes)
{
    unsigned char key[LEAT_CLAIM_BYTES_MAX];
    const struct leat_claim_text whole = {leat_job_type(leat_job_record(engine, index)), text,
                                          bytes};
    size_t key_bytes = kind == LEAT_CLAIM_KEY ? key_put(whole, key) : name_put(text, bytes, key);
    struct leat_claim *claim =
        leat_table_make(&engine->claims.table, sizeof(*claim), key, key_bytes);
    if (claim != NULL) {
        /* rlx: single writer */
        uint64_t word = atom_load_rlx(leat_slab_word(&engine->jobs, index));
        claim->id.bits = leat_word_of(leat_word_generation(word), index);
    }
    return claim;
}

struct leat_claim *
leat_claim_renew(struct leat_engine *engine, const struct leat_claim *old)
{
    struct leat_claim *claim =
        leat_table_make(&engine->claims.table, sizeof(*claim), old->node.key, old->node.key_bytes);
    if (claim != NULL) {
        claim->id = old->id;
        claim->scope = old->scope;
        claim->answers = LEAT_UNIQUE_REJECT;
        atom_init(&claim->comes, 1);
    }
    return claim;
}

void
leat_claim_renewed(struct leat_claim *claim)
{
    /* comes:B release -> comes:A.  Carries: see comes:A.
     * If relaxed: see comes:A. */
    atom_store_rel(&claim->comes, 0);
}

/* Nothing in the log is needed for its sake. */
static void
unlog(struct leat_engine *engine, struct leat_claim *claim)
{
    if (LEAT_UNLIKELY(atom_load_rlx(&claim->logged) != 0)) {           /* rlx: statistic */
        leat_durable_unheld(engine, atom_swap_rlx(&claim->logged, 0)); /* rlx: statistic */
    }
}

/* One who referred to it does so no more. */
static void
drop(struct leat_engine *engine, struct leat_claim *claim)
{
    /* drop:A acq_rel -> drop:A.  Carries: what the others did with it.
     * If relaxed: it could be freed while it is taken out. */
    if (atom_sub_acq_rel(&claim->references, 1) == 1) {
        unlog(engine, claim);
        leat_table_free(&engine->claims.table, &claim->node);
    }
}

static void
timed_add(struct leat_engine *engine, struct leat_claim *claim)
{
    struct leat_claims *claims = &engine->claims;
    claim->next = NULL;
    if (claims->first == NULL) {
        claims->first = claim;
    } else {
        claims->last->next = claim;
    }
    claims->last = claim;
    claims->timed++;
}

static struct leat_claim *
timed_take(struct leat_engine *engine)
{
    struct leat_claims *claims = &engine->claims;
    struct leat_claim *claim = claims->first;
    if (claim != NULL) {
        claims->first = claim->next;
        claims->timed--;
    }
    return claim;
}

/* A log may have the holder as one who has it yet: its end is not there, or its time is. */
static bool
may_contradict(const struct leat_engine *engine, const struct leat_claim *claim,
               const struct leat_claim *held)
{
    bool cancelled = held->scope == LEAT_UNIQUE_FOR_TIME && claim->answers == LEAT_UNIQUE_REPLACE;
    return engine->durable != NULL && (cancelled || leat_job_live(engine, held->id));
}

enum leat_status
leat_claim_take(struct leat_engine *engine, struct leat_claim *claim, leat_job_id *id)
{
    struct leat_table *table = &engine->claims.table;
    bool timed = claim->scope == LEAT_UNIQUE_FOR_TIME;
    struct asked asked = {.ended = false};
    atom_store_rlx(&claim->references, timed ? 3 : 2); /* rlx: not shared yet */
    /* Ends: in each round but the last one another thread took the text, or let go of it, or one
     * that had it was asked something, which is done once. */
    for (;;) {
        struct leat_table_node *there = leat_table_add(table, &claim->node);
        if (there == &claim->node) {
            break;
        }
        struct leat_claim *held = (struct leat_claim *)(void *)there;
        enum leat_status status = conflict(engine, claim, held, &asked, id);
        if (status == AGAIN) {
            continue;
        }
        if (status != LEAT_OK) {
            atom_store_rlx(&claim->references, 0); /* rlx: not shared yet */
            return status;
        }
        claim->took = claim->took || may_contradict(engine, claim, held);
        if (leat_table_replace(table, there, &claim->node)) {
            drop(engine, held);
            break;
        }
    }
    if (timed) {
        leat_mutex_lock(&engine->claims.mutex);
        timed_add(engine, claim);
        leat_mutex_unlock(&engine->claims.mutex);
    }
    return LEAT_OK;
}

void
leat_claim_take_back(struct leat_engine *engine, struct leat_claim *claim)
{
    /* One that was never added, as its job ran inline, is in no table. rlx: ordered by drop:A */
    bool added = atom_load_rlx(&claim->references) != 0;
    if (added && leat_table_remove(&engine->claims.table, &claim->node)) {
        drop(engine, claim);
    }
}

void
leat_claim_free(struct leat_engine *engine, struct leat_claim *claim)
{
    if (claim == NULL) {
        return;
    }
    if (atom_load_rlx(&claim->references) == 0) { /* rlx: not shared yet */
        leat_table_unmake(&engine->claims.table, &claim->node);
        return;
    }
    if (claim->scope != LEAT_UNIQUE_FOR_TIME) {
        leat_rcu_enter();
        leat_claim_take_back(engine, claim);
        leat_rcu_leave(&engine->domain);
    }
    drop(engine, claim);
}

/* ---- keys of jobs that have ended ------------------------------------------------------------ */

struct leat_claim_text
leat_claim_text_of(const struct leat_claim *key)
{
    struct leat_claim_text text = {.text = key->node.key + KEY_HEAD,
                                   .bytes = key->node.key_bytes - KEY_HEAD};
    memcpy(&text.type, key->node.key + 1, sizeof(text.type));
    return text;
}

uint64_t
leat_claim_left_ns(struct leat_engine *engine, struct leat_claim_text text, leat_job_id id)
{
    unsigned char key[LEAT_CLAIM_BYTES_MAX];
    size_t bytes = key_put(text, key);
    uint64_t now_ns = now_of(engine);
    uint64_t left_ns = 0;
    leat_rcu_enter();
    const struct leat_claim *claim =
        (const struct leat_claim *)(const void *)leat_table_find(&engine->claims.table, key, bytes);
    if (claim != NULL && claim->id.bits == id.bits && claim->scope == LEAT_UNIQUE_FOR_TIME) {
        left_ns = claim->until_ns > now_ns ? claim->until_ns - now_ns : 0;
    }
    leat_rcu_leave(&engine->domain);
    return left_ns;
}

enum leat_status
leat_claim_hold(struct leat_engine *engine, struct leat_claim_text text, leat_job_id id,
                uint64_t left_ns, struct leat_claim **held)
{
    unsigned char key[LEAT_CLAIM_BYTES_MAX];
    leat_job_id other = {0};
    size_t bytes = key_put(text, key);
    struct leat_claim *claim = leat_table_make(&engine->claims.table, sizeof(*claim), key, bytes);
    if (claim == NULL) {
        return LEAT_NO_MEMORY;
    }
    claim->id = id;
    claim->scope = LEAT_UNIQUE_FOR_TIME;
    claim->answers = LEAT_CLAIM_TAKES;
    claim->until_ns = leat_timers_after(now_of(engine), left_ns);
    leat_rcu_enter();
    enum leat_status status = leat_claim_take(engine, claim, &other);
    leat_rcu_leave(&engine->domain);
    LEAT_ASSERT(status == LEAT_OK); /* the holder gives way */
    drop(engine, claim);            /* no record refers to it */
    *held = claim;
    return LEAT_OK;
}

leat_job_id
leat_claim_holder(struct leat_engine *engine, const struct leat_claim *claim)
{
    leat_job_id id = {0};
    const struct leat_claim *held = (const struct leat_claim *)(const void *)leat_table_find(
        &engine->claims.table, claim->node.key, claim->node.key_bytes);
    if (held != NULL && holder_of(engine, held) != HOLDER_NONE) {
        id = held->id;
    }
    return id;
}

const unsigned char *
leat_claim_text(const struct leat_claim *name, size_t *bytes)
{
    *bytes = name->node.key_bytes - 1;
    return name->node.key + 1;
}

leat_job_id
leat_claim_find_name(struct leat_engine *engine, const char *name)
{
    unsigned char key[LEAT_CLAIM_BYTES_MAX];
    leat_job_id id = {0};
    size_t bytes = strnlen(name, LEAT_JOB_NAME_BYTES_MAX + 1);
    if (bytes > LEAT_JOB_NAME_BYTES_MAX) {
        return id;
    }
    size_t key_bytes = name_put(name, bytes, key);
    leat_rcu_enter();
    const struct leat_claim *claim = (const struct leat_claim *)(const void *)leat_table_find(
        &engine->claims.table, key, key_bytes);
    if (claim != NULL) {
        id = claim->id;
    }
    leat_rcu_leave(&engine->domain);
    return id;
}

/* ---- giving memory back ---------------------------------------------------------------------- */

/* The next claim with a time: out, if that is over. pre: the mutex, and there is one. */
static void
timed_look(struct leat_engine *engine, uint64_t now_ns)
{
    struct leat_claim *claim = timed_take(engine);
    if (now_ns < claim->until_ns) {
        timed_add(engine, claim);
        return;
    }
    leat_claim_take_back(engine, claim);
    unlog(engine, claim);
    drop(engine, claim);
}

void
leat_claims_tidy(struct leat_engine *engine)
{
    struct leat_claims *claims = &engine->claims;
    if (pthread_mutex_trylock(&claims->mutex) == 0) {
        uint64_t now_ns = claims->timed == 0 ? 0 : now_of(engine);
        leat_rcu_enter();
        for (uint32_t i = 0; i < TIMED_LOOKS && claims->timed != 0; i++) {
            timed_look(engine, now_ns);
        }
        leat_rcu_leave(&engine->domain);
        leat_mutex_unlock(&engine->claims.mutex);
    }
    if (leat_table_untidy(&claims->table)) {
        leat_table_tidy(&claims->table);
    }
}

/* ---- init, fini, check ----------------------------------------------------------------------- */

bool
leat_claims_init(struct leat_engine *engine)
{
    struct leat_claims *claims = &engine->claims;
    leat_mutex_init(&claims->mutex);
    return leat_table_init(&claims->table, &engine->memory, &engine->domain);
}

void
leat_claims_fini(struct leat_engine *engine)
{
    struct leat_claims *claims = &engine->claims;
    if (claims->table.lfht == NULL) {
        return;
    }
    leat_rcu_enter();
    while (claims->timed != 0) {
        timed_look(engine, UINT64_MAX);
    }
    leat_rcu_leave(&engine->domain);
    leat_table_fini(&claims->table);
    leat_mutex_fini(&claims->mutex);
}

bool
leat_claims_check(const struct leat_claims *claims, FILE *why)
{
    uint32_t timed = 0;
    uint32_t wrong = 0;
    for (const struct leat_claim *claim = claims->first; timed < claims->timed; timed++) {
        uint32_t references = atom_load_rlx(&claim->references); /* rlx: not shared yet */
        wrong += references >= 1 && references <= 3 && claim->scope == LEAT_UNIQUE_FOR_TIME ? 0 : 1;
        claim = claim->next;
    }
    if (wrong == 0) {
        return leat_table_check(&claims->table, why);
    }
    if (why != NULL) {
        (void)fprintf(why, "unique: I2: %" PRIu32 " of %" PRIu32 " claims with a time\n", wrong,
                      timed);
    }
    return false;
}
