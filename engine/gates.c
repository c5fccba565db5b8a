/* gates.c - pause and cap of queues and types, see gates.h. */
#include "engine/gates.h"

#include "engine/breaker.h"
#include "engine/durable/durable.h"
#include "engine/order.h"

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

/* What a job passes, in this order, each by its list: its queue, its type, and its tenant, if it
 * has one. */
struct way {
    uint32_t lists[LEAT_BUCKETS_OF_JOB];
    uint32_t count;
};

/* Of these the first have a gate. */
#define GATES 2

/* Of a bucket whose token is kept, by its number on the way. */
static const uint8_t kept_bits[] = {LEAT_ADMITTED_QUEUE, LEAT_ADMITTED_TYPE, LEAT_ADMITTED_TENANT};

#define KEPT_BITS (LEAT_ADMITTED_QUEUE | LEAT_ADMITTED_TYPE | LEAT_ADMITTED_TENANT)

static struct way
way_of(const struct leat_engine *engine, const struct leat_job_record *record)
{
    uint32_t queue = leat_job_queue(record);
    uint32_t tenant = leat_room_tenant(engine, queue);
    struct way way = {{queue, leat_gates_list(engine, leat_job_type(record))}, 2};
    if (LEAT_UNLIKELY(tenant != 0)) {
        way.lists[way.count++] = leat_gates_list_tenant(engine, tenant - 1);
    }
    return way;
}

/* Behind the take of a token, or instead. */
static void
leave_buckets(struct leat_engine *engine, struct leat_job_record *record, bool took)
{
    uint16_t admitted = record->admitted;
    if ((admitted & KEPT_BITS) == 0) {
        return;
    }
    const struct way way = way_of(engine, record);
    record->admitted &= (uint16_t)~KEPT_BITS;
    for (uint32_t i = 0; i < way.count; i++) {
        if ((admitted & kept_bits[i]) != 0) {
            leave_bucket(engine, way.lists[i], took);
        }
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
    leat_order_begun(engine, record);
    if (record->admitted == 0) {
        return;
    }
    record->admitted = 0;
    leave(engine, queue);
    if (!leat_queue_pulls(engine, queue)) {
        leave(engine, leat_gates_list(engine, leat_job_type(record)));
    }
}

/* A token of its queue's rate for a job that is taken now. False: there is none, and who takes from
 * the queue will be told. Ends: each round another one has taken a token that was there. */
static bool
take_pull(struct leat_engine *engine, uint32_t queue, uint32_t level)
{
    bool kept = true;
    bool took = false;
    while (kept && !took) {
        if (!leat_buckets_enter(engine, queue, level, true, &kept)) {
            return false;
        }
        took = kept && leat_buckets_take(engine, &queue, 1);
        if (kept) {
            leave_bucket(engine, queue, took);
        }
    }
    return true;
}

bool
leat_gates_enter_pull(struct leat_engine *engine, struct leat_job_record *record)
{
    uint32_t queue = leat_job_queue(record);
    uint32_t level = leat_job_level(record);
    struct leat_gate *gate = leat_gate_of(engine, queue);
    /* rlx: ordered by gated:A */
    if (!leat_gates_any(engine) || (atom_load_rlx(&gate->word) & LEAT_GATE_USED) == 0) {
        return true;
    }
    bool entered = leat_gate_enter(gate, level, true);
    bool passed = entered && take_pull(engine, queue, level);
    record->admitted = passed ? LEAT_ADMITTED : 0;
    if (entered && !passed) {
        leave(engine, queue);
    }
    return passed;
}

bool
leat_gates_turn_back_slowly(struct leat_engine *engine, uint32_t index)
{
    struct leat_job_record *record = leat_job_record(engine, index);
    /* Who is cancelled later is dropped by the list. rlx: hint, re-checked at change:A */
    uint64_t word = atom_load_rlx(leat_slab_word(&engine->jobs, index));
    uint64_t gates = both(engine, leat_job_queue(record), leat_job_type(record));
    uint64_t shuts = record->admitted != 0 ? LEAT_GATE_STOPS : LEAT_GATE_USED;
    leat_order_begun(engine, record);
    if (leat_word_phase(word) != LEAT_PHASE_PENDING || (gates & LEAT_GATE_USED) == 0) {
        return false;
    }
    if ((gates & shuts) == 0 && leat_breaker_begin(engine, record)) {
        const struct way way = way_of(engine, record);
        if (leat_buckets_take(engine, way.lists, way.count)) {
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

/* It passes one list on its way: the gate, which a tenant has not, and the bucket. False: it waits
 * there, and has entered nothing. */
static bool
pass(const struct passer *passer, const struct way *way, uint32_t number, bool first)
{
    struct leat_engine *engine = passer->engine;
    uint32_t list = way->lists[number];
    bool gated = number < GATES;
    bool kept = false;
    if (gated && !leat_gate_enter(leat_gate_of(engine, list), passer->level, first)) {
        return false;
    }
    if (!leat_buckets_enter(engine, list, passer->level, first, &kept)) {
        if (gated) {
            leave(engine, list);
        }
        return false;
    }
    passer->record->admitted |= kept ? kept_bits[number] : 0;
    return true;
}

/* It gives back what it entered, of the first `count` on its way. */
static void
pass_back(const struct passer *passer, const struct way *way, uint32_t count)
{
    leave_buckets(passer->engine, passer->record, false);
    for (uint32_t i = 0; i < count && i < GATES; i++) {
        leave(passer->engine, way->lists[i]);
    }
}

/* It passes all on its way, or is behind others where it comes to for the first time; what comes
 * from a later list has been there, and is older than those. False: *other is the list where it
 * waits. pre: a section of rcu.h. */
static bool
pass_all(const struct passer *passer, const struct way *way, uint32_t list, uint32_t *other)
{
    const struct leat_pool *pool = &passer->engine->pool;
    for (uint32_t i = 0; i < way->count; i++) {
        uint32_t here = way->lists[i];
        bool others = list != here && leat_lists_some(pool, passer->level, here);
        /* Else one that comes could take the place that was given up for those. */
        bool behind = list < here && others;
        *other = here;
        if (behind || !pass(passer, way, i, !others)) {
            pass_back(passer, way, i);
            return false;
        }
        bool of_queue = i == 0;
        if (of_queue && !leat_order_enter(passer->engine, passer->record, passer->level, !others)) {
            pass_back(passer, way, 1);
            return false;
        }
    }
    return true;
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
    const struct way way = way_of(engine, record);
    bool windowed = leat_weight_of(engine, queue) != 0;
    if (windowed && leat_windows_full(&engine->windows, level)) {
        return LEAT_PASSAGE_FULL;
    }
    leat_rcu_enter(); /* of who sets a rate */
    bool passed = pass_all(&passer, &way, list, other);
    *other = passed ? list : *other;
    bool placed = passed && leat_reserves_enter(engine, record, level, other);
    leat_rcu_leave(&engine->domain);
    if (passed && !placed) {
        pass_back(&passer, &way, way.count);
    }
    if (placed) {
        record->admitted |= LEAT_ADMITTED;
        if (windowed) {
            leat_windows_enter(&engine->windows, record, level);
        }
        return LEAT_PASSAGE_GO;
    }
    if (*other == list) {
        return passed ? LEAT_PASSAGE_HELD : LEAT_PASSAGE_SHUT;
    }
    /* Jobs come from their queue's list to that of their type, of their tenant, and of places. Back
     * in one of those before, it is older than those there; and so it is in the next ones, then. */
    record->returned = record->returned || *other < list;
    if (*other == queue) {
        leat_order_leave(engine, record);
    }
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

void
leat_gates_pause(struct leat_engine *engine, uint32_t queue)
{
    leat_lists_gate(&engine->pool, queue);
    leat_gate_pause(leat_gate_of(engine, queue));
    leat_gates_settle(engine);
}

void
leat_gates_drain(struct leat_engine *engine, uint32_t queue)
{
    leat_lists_gate(&engine->pool, queue);
    leat_gate_drain(leat_gate_of(engine, queue));
    leat_gates_settle(engine);
}

enum leat_status
leat_queue_pause(struct leat_engine *engine, leat_queue queue)
{
    uint32_t list = 0;
    enum leat_status status = leat_registry_queue_check(engine, queue, &list);
    if (status == LEAT_OK) {
        leat_gates_pause(engine, list);
    }
    return leat_durable_tuned(engine, list, LEAT_TUNED_PAUSE, status);
}

enum leat_status
leat_queue_resume(struct leat_engine *engine, leat_queue queue)
{
    uint32_t list = 0;
    enum leat_status status = leat_registry_queue_check(engine, queue, &list);
    if (status == LEAT_OK) {
        leat_gates_call(engine, list, leat_gate_resume(leat_gate_of(engine, list)));
    }
    return leat_durable_tuned(engine, list, LEAT_TUNED_PAUSE, status);
}

/* Those of queues that are not there yet, too. One at a time: so a resume does not end in between.
 * A handler may come here, so the mutex is not that of the lifecycle: a start that fails has it
 * while it waits for handlers. */
enum leat_status
leat_pause_all(struct leat_engine *engine)
{
    enum leat_status status = leat_engine_check(engine);
    if (status != LEAT_OK) {
        return status;
    }
    leat_mutex_lock(&engine->reserves.mutex);
    for (uint32_t i = 0; i < engine->config.queues_max; i++) {
        leat_lists_gate(&engine->pool, i);
        leat_gate_halt(leat_gate_of(engine, i));
    }
    leat_gates_settle(engine);
    leat_mutex_unlock(&engine->reserves.mutex);
    return LEAT_OK;
}

enum leat_status
leat_resume_all(struct leat_engine *engine)
{
    enum leat_status status = leat_engine_check(engine);
    if (status != LEAT_OK) {
        return status;
    }
    leat_mutex_lock(&engine->reserves.mutex);
    for (uint32_t i = 0; i < engine->config.queues_max; i++) {
        leat_gates_call(engine, i, leat_gate_go(leat_gate_of(engine, i)));
    }
    leat_mutex_unlock(&engine->reserves.mutex);
    return LEAT_OK;
}

static void
cap(struct leat_engine *engine, uint32_t list, uint32_t most)
{
    uint32_t levels = leat_gate_cap(leat_gate_of(engine, list), most);
    leat_gates_settle(engine);
    leat_gates_call(engine, list, levels);
}

void
leat_gates_cap(struct leat_engine *engine, uint32_t queue, uint32_t running_max)
{
    leat_lists_gate(&engine->pool, queue);
    cap(engine, queue, running_max);
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
        leat_gates_cap(engine, list, running_max);
    }
    return leat_durable_tuned(engine, list, LEAT_TUNED_RUNNING_MAX, status);
}

enum leat_status
leat_gates_type_check(struct leat_engine *engine, leat_type type, uint32_t *list)
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
    enum leat_status status = leat_gates_type_check(engine, type, &list);
    if (status == LEAT_OK && running_max > LEAT_RUNNING_MAX) {
        status = LEAT_INVALID;
    }
    if (status == LEAT_OK) {
        cap(engine, list, running_max);
    }
    return status;
}

void
leat_gates_rate(struct leat_engine *engine, uint32_t queue, const struct leat_rate *rate)
{
    leat_lists_gate(&engine->pool, queue);
    leat_gate_use(leat_gate_of(engine, queue));
    leat_buckets_set(engine, queue, rate);
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
        leat_gates_rate(engine, list, &rate);
    }
    return leat_durable_tuned(engine, list, LEAT_TUNED_RATE, status);
}

enum leat_status
leat_type_set_rate(struct leat_engine *engine, leat_type type, struct leat_rate rate)
{
    uint32_t list = 0;
    enum leat_status status = leat_gates_type_check(engine, type, &list);
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
    if (status == LEAT_OK) {
        status = leat_reserves_set(engine, list, running_min);
    }
    return leat_durable_tuned(engine, list, LEAT_TUNED_RUNNING_MIN, status);
}

enum leat_status
leat_type_set_running_min(struct leat_engine *engine, leat_type type, uint32_t running_min)
{
    uint32_t list = 0;
    enum leat_status status = leat_gates_type_check(engine, type, &list);
    return status == LEAT_OK ? leat_reserves_set(engine, list, running_min) : status;
}
