/* gates.c - pause and cap of queues and types, see gates.h. */
#include "engine/gates.h"

#include "engine/breaker.h"

#include "ring/rcu.h"

/* ---- calling who waits ---------------------------------------------------------------------- */

void
leat_gates_call(struct leat_engine *engine, uint32_t list, uint32_t levels)
{
    for (uint32_t level = 0; levels != 0; level++, levels >>= 1) {
        if ((levels & 1) != 0) {
            leat_lists_opened(&engine->pool, level, list);
            leat_pull_tell(engine, list);
        }
    }
}

static void
leave(struct leat_engine *engine, uint32_t list)
{
    leat_gates_call(engine, list, leat_gate_leave(leat_gate_of(engine, list)));
}

static void
leave_bucket(struct leat_engine *engine, uint32_t list, bool took)
{
    leat_gates_call(engine, list, leat_buckets_leave(engine, list, took));
}

/* Behind the take of a token, or instead. */
static void
leave_buckets(struct leat_engine *engine, struct leat_job_record *record, bool took)
{
    uint8_t admitted = record->admitted;
    record->admitted &= (uint8_t) ~(LEAT_ADMITTED_QUEUE | LEAT_ADMITTED_TYPE);
    if ((admitted & LEAT_ADMITTED_QUEUE) != 0) {
        leave_bucket(engine, leat_job_queue(record), took);
    }
    if ((admitted & LEAT_ADMITTED_TYPE) != 0) {
        leave_bucket(engine, leat_gates_list(engine, leat_job_type(record)), took);
    }
}

/* ---- jobs ----------------------------------------------------------------------------------- */

/* The words of both gates together, of which only USED and PAUSED mean something. */
static uint64_t
both(struct leat_engine *engine, uint32_t queue, uint32_t type)
{
    /* A later change is ordered by the grace period of who made it. rlx: ordered by gated:A */
    return leat_reserves_used(&engine->reserves) |
           atom_load_rlx(&leat_gate_of(engine, queue)->word) |
           atom_load_rlx(&leat_gate_of(engine, leat_gates_list(engine, type))->word);
}

bool
leat_gates_stand_slowly(struct leat_engine *engine, uint32_t queue, uint32_t type)
{
    return (both(engine, queue, type) & LEAT_GATE_USED) != 0;
}

void
leat_gates_leave_slowly(struct leat_engine *engine, struct leat_job_record *record)
{
    uint32_t queue = leat_job_queue(record);
    leave_buckets(engine, record, false);
    leat_reserves_leave(engine, record);
    record->admitted = 0;
    leave(engine, queue);
    if (!leat_queue_pulls(engine, queue)) {
        leave(engine, leat_gates_list(engine, leat_job_type(record)));
    }
}

bool
leat_gates_enter_pull(struct leat_engine *engine, struct leat_job_record *record)
{
    struct leat_gate *gate = leat_gate_of(engine, leat_job_queue(record));
    /* rlx: ordered by gated:A */
    if (!leat_gates_any(engine) || (atom_load_rlx(&gate->word) & LEAT_GATE_USED) == 0) {
        return true;
    }
    bool entered = leat_gate_enter(gate, leat_job_level(record), true);
    record->admitted = entered ? LEAT_ADMITTED : 0;
    return entered;
}

bool
leat_gates_turn_back_slowly(struct leat_engine *engine, uint32_t index)
{
    struct leat_job_record *record = leat_job_record(engine, index);
    uint32_t of_type = leat_gates_list(engine, leat_job_type(record));
    /* Who is cancelled later is dropped by the list. rlx: hint, re-checked at change:A */
    uint64_t word = atom_load_rlx(leat_slab_word(&engine->jobs, index));
    uint64_t gates = both(engine, leat_job_queue(record), leat_job_type(record));
    uint64_t shuts = record->admitted != 0 ? LEAT_GATE_STOPS : LEAT_GATE_USED;
    if (leat_word_phase(word) != LEAT_PHASE_PENDING || (gates & LEAT_GATE_USED) == 0) {
        return false;
    }
    if ((gates & shuts) == 0 && leat_breaker_begin(engine, record)) {
        if (leat_buckets_take(engine, leat_job_queue(record), of_type)) {
            leave_buckets(engine, record, true);
            return false;
        }
        leat_breaker_unbegin(engine, record);
    }
    uint32_t item = leat_item_of(LEAT_KIND_JOB, index);
    leat_gates_leave(engine, record);
    record->returned = true;
    leat_lists_add(&engine->pool, leat_job_level(record), &item, 1);
    return true;
}

/* ---- for the lists -------------------------------------------------------------------------- */

/* A job in the admitter's hand. */
struct passer {
    struct leat_engine *engine;
    struct leat_job_record *record;
    uint32_t level;
};

/* It passes the gate of a list, and its bucket. False: it waits there, and has entered nothing. */
static bool
pass(const struct passer *passer, uint32_t list, bool first)
{
    struct leat_engine *engine = passer->engine;
    struct leat_job_record *record = passer->record;
    bool kept = false;
    if (!leat_gate_enter(leat_gate_of(engine, list), passer->level, first)) {
        return false;
    }
    if (!leat_buckets_enter(engine, list, passer->level, first, &kept)) {
        leave(engine, list);
        return false;
    }
    if (kept) {
        bool of_queue = list < engine->config.queues_max;
        record->admitted |= of_queue ? LEAT_ADMITTED_QUEUE : LEAT_ADMITTED_TYPE;
    }
    return true;
}

/* It passes both of its gates, or is behind others at that of its type, if it comes to that one;
 * what comes from the places has been there, and is older than those. False: *other is the list
 * where it waits. pre: a section of rcu.h. */
static bool
pass_both(const struct passer *passer, uint32_t list, uint32_t *other)
{
    struct leat_engine *engine = passer->engine;
    const struct leat_pool *pool = &engine->pool;
    uint32_t level = passer->level;
    uint32_t queue = leat_job_queue(passer->record);
    uint32_t of_type = leat_gates_list(engine, leat_job_type(passer->record));
    bool passes_queue = list != queue && leat_lists_some(pool, level, queue);
    bool passes_type = list != of_type && leat_lists_some(pool, level, of_type);
    *other = queue;
    if (!pass(passer, queue, !passes_queue)) {
        return false;
    }
    *other = of_type;
    /* Else one that comes could take the place that was given up for those. */
    bool behind = list == queue && passes_type;
    if (!behind && pass(passer, of_type, !passes_type)) {
        return true;
    }
    leave_buckets(engine, passer->record, false);
    leave(engine, queue);
    return false;
}

enum leat_passage
leat_gates_enter(void *context, uint32_t index, uint32_t level, uint32_t list, uint32_t *other)
{
    struct leat_engine *engine = context;
    struct leat_job_record *record = leat_job_record(engine, index);
    const struct passer passer = {engine, record, level};
    uint32_t queue = leat_job_queue(record);
    if (!leat_gates_stand(engine, queue, leat_job_type(record))) {
        return LEAT_PASSAGE_GO;
    }
    if (leat_queue_pulls(engine, queue)) {
        return LEAT_PASSAGE_SHUT; /* for good: it is taken from its list */
    }
    leat_rcu_enter(); /* of who sets a rate */
    bool passed = pass_both(&passer, list, other);
    *other = passed ? list : *other;
    bool placed = passed && leat_reserves_enter(engine, record, level, other);
    leat_rcu_leave(&engine->domain);
    if (passed && !placed) {
        leave_buckets(engine, record, false);
        leave(engine, queue);
        leave(engine, leat_gates_list(engine, leat_job_type(record)));
    }
    if (placed) {
        record->admitted |= LEAT_ADMITTED;
        return LEAT_PASSAGE_GO;
    }
    if (*other == list) {
        return passed ? LEAT_PASSAGE_HELD : LEAT_PASSAGE_SHUT;
    }
    /* Jobs come from their queue's list to that of their type, and on to those of places. Back in
     * one of those before, it is older than those there; and so it is in the next ones, then. */
    record->returned = record->returned || *other < list;
    return LEAT_PASSAGE_OTHER;
}

void
leat_gates_undo(void *context, uint32_t index)
{
    struct leat_engine *engine = context;
    leat_gates_leave(engine, leat_job_record(engine, index));
}

bool
leat_gates_returned(void *context, uint32_t index)
{
    const struct leat_engine *engine = context;
    return leat_job_record(engine, index)->returned;
}

/* ---- what the host asks --------------------------------------------------------------------- */

void
leat_gates_settle(struct leat_engine *engine)
{
    /* settle:A release -> gated:A.  Carries: see gated:A.
     * If relaxed: see gated:A. */
    atom_store_rel(&engine->gates, 1);
    leat_rcu_wait(&engine->domain);
}

enum leat_status
leat_queue_pause(struct leat_engine *engine, leat_queue queue)
{
    uint32_t list = 0;
    enum leat_status status = leat_registry_queue_check(engine, queue, &list);
    if (status == LEAT_OK) {
        leat_lists_gate(&engine->pool, list);
        leat_gate_pause(leat_gate_of(engine, list));
        leat_gates_settle(engine);
    }
    return status;
}

enum leat_status
leat_queue_resume(struct leat_engine *engine, leat_queue queue)
{
    uint32_t list = 0;
    enum leat_status status = leat_registry_queue_check(engine, queue, &list);
    if (status == LEAT_OK) {
        leat_gates_call(engine, list, leat_gate_resume(leat_gate_of(engine, list)));
    }
    return status;
}

static void
cap(struct leat_engine *engine, uint32_t list, uint32_t most)
{
    uint32_t levels = leat_gate_cap(leat_gate_of(engine, list), most);
    leat_gates_settle(engine);
    leat_gates_call(engine, list, levels);
}

enum leat_status
leat_queue_set_running_max(struct leat_engine *engine, leat_queue queue, uint32_t running_max)
{
    uint32_t list = 0;
    enum leat_status status = leat_registry_queue_check(engine, queue, &list);
    if (status == LEAT_OK && running_max > LEAT_RUNNING_MAX) {
        status = LEAT_INVALID;
    }
    if (status == LEAT_OK) {
        leat_lists_gate(&engine->pool, list);
        cap(engine, list, running_max);
    }
    return status;
}

static enum leat_status
type_check(struct leat_engine *engine, leat_type type, uint32_t *list)
{
    enum leat_status status = leat_engine_check(engine);
    /* 0 - 1 is beyond every capacity. */
    if (status == LEAT_OK && leat_names_text(&engine->types, type.bits - 1) == NULL) {
        status = LEAT_NOT_FOUND;
    }
    if (status == LEAT_OK) {
        *list = leat_gates_list(engine, type.bits - 1);
    }
    return status;
}

enum leat_status
leat_type_set_running_max(struct leat_engine *engine, leat_type type, uint32_t running_max)
{
    uint32_t list = 0;
    enum leat_status status = type_check(engine, type, &list);
    if (status == LEAT_OK && running_max > LEAT_RUNNING_MAX) {
        status = LEAT_INVALID;
    }
    if (status == LEAT_OK) {
        cap(engine, list, running_max);
    }
    return status;
}

enum leat_status
leat_queue_set_rate(struct leat_engine *engine, leat_queue queue, struct leat_rate rate)
{
    uint32_t list = 0;
    enum leat_status status = leat_registry_queue_check(engine, queue, &list);
    if (status == LEAT_OK && !leat_rate_valid(&rate)) {
        status = LEAT_INVALID;
    }
    if (status == LEAT_OK) {
        leat_lists_gate(&engine->pool, list);
        leat_gate_use(leat_gate_of(engine, list));
        leat_buckets_set(engine, list, &rate);
    }
    return status;
}

enum leat_status
leat_type_set_rate(struct leat_engine *engine, leat_type type, struct leat_rate rate)
{
    uint32_t list = 0;
    enum leat_status status = type_check(engine, type, &list);
    if (status == LEAT_OK && !leat_rate_valid(&rate)) {
        status = LEAT_INVALID;
    }
    if (status == LEAT_OK) {
        leat_gate_use(leat_gate_of(engine, list));
        leat_buckets_set(engine, list, &rate);
    }
    return status;
}

enum leat_status
leat_queue_set_running_min(struct leat_engine *engine, leat_queue queue, uint32_t running_min)
{
    uint32_t list = 0;
    enum leat_status status = leat_registry_queue_check(engine, queue, &list);
    return status == LEAT_OK ? leat_reserves_set(engine, list, running_min) : status;
}

enum leat_status
leat_type_set_running_min(struct leat_engine *engine, leat_type type, uint32_t running_min)
{
    uint32_t list = 0;
    enum leat_status status = type_check(engine, type, &list);
    return status == LEAT_OK ? leat_reserves_set(engine, list, running_min) : status;
}
