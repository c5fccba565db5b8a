/* gates.c - pause and cap of queues and types, see gates.h. */
#include "engine/gates.h"

#include "ring/rcu.h"

/* ---- calling who waits ---------------------------------------------------------------------- */

static void
call(struct leat_engine *engine, uint32_t list, uint32_t levels)
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
    call(engine, list, leat_gate_leave(leat_gate_of(engine, list)));
}

/* ---- jobs ----------------------------------------------------------------------------------- */

/* The words of both gates together, of which only USED and PAUSED mean something. */
static uint64_t
both(struct leat_engine *engine, uint32_t queue, uint32_t type)
{
    /* A later change is ordered by the grace period of who made it. rlx: ordered by gated:A */
    return atom_load_rlx(&leat_gate_of(engine, queue)->word) |
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
    record->admitted = false;
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
    record->admitted = leat_gate_enter(gate, leat_job_level(record), true);
    return record->admitted;
}

bool
leat_gates_turn_back_slowly(struct leat_engine *engine, uint32_t index)
{
    struct leat_job_record *record = leat_job_record(engine, index);
    /* Who is cancelled later is dropped by the list. rlx: hint, re-checked at change:A */
    uint64_t word = atom_load_rlx(leat_slab_word(&engine->jobs, index));
    uint64_t gates = both(engine, leat_job_queue(record), leat_job_type(record));
    uint64_t shuts = record->admitted ? LEAT_GATE_PAUSED : LEAT_GATE_USED;
    if (leat_word_phase(word) != LEAT_PHASE_PENDING || (gates & shuts) == 0) {
        return false;
    }
    uint32_t item = leat_item_of(LEAT_KIND_JOB, index);
    leat_gates_leave(engine, record);
    record->returned = true;
    leat_lists_add(&engine->pool, leat_job_level(record), &item, 1);
    return true;
}

/* ---- for the lists -------------------------------------------------------------------------- */

enum leat_passage
leat_gates_enter(void *context, uint32_t index, uint32_t level, uint32_t list, uint32_t *other)
{
    struct leat_engine *engine = context;
    struct leat_job_record *record = leat_job_record(engine, index);
    uint32_t queue = leat_job_queue(record);
    uint32_t type = leat_job_type(record);
    if (!leat_gates_stand(engine, queue, type)) {
        return LEAT_PASSAGE_GO;
    }
    if (leat_queue_pulls(engine, queue)) {
        return LEAT_PASSAGE_SHUT; /* for good: it is taken from its list */
    }
    uint32_t of_type = leat_gates_list(engine, type);
    bool passes = list != queue && leat_lists_some(&engine->pool, level, queue);
    /* Else it could take the place that was given up for those. */
    bool behind = list != of_type && leat_lists_some(&engine->pool, level, of_type);
    *other = queue;
    if (leat_gate_enter(leat_gate_of(engine, queue), level, !passes)) {
        *other = of_type;
        if (!behind && leat_gate_enter(leat_gate_of(engine, of_type), level, true)) {
            record->admitted = true;
            return LEAT_PASSAGE_GO;
        }
        leave(engine, queue);
    }
    /* Back in its queue's list, it is older than those there; and so it is at its type, then. */
    record->returned = record->returned || (list == of_type && *other == queue);
    return *other == list ? LEAT_PASSAGE_SHUT : LEAT_PASSAGE_OTHER;
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

/* The gate is shut, or capped, by what the caller has just done: waits until no worker is about to
 * begin a job that it took before. */
static void
stand(struct leat_engine *engine)
{
    /* stand:A release -> gated:A.  Carries: see gated:A.
     * If relaxed: see gated:A. */
    atom_store_rel(&engine->gates, 1);
    leat_rcu_wait(&engine->domain);
}

static enum leat_status
queue_check(struct leat_engine *engine, leat_queue queue, uint32_t *list)
{
    enum leat_status status = leat_engine_check(engine);
    *list = queue.bits - 1;
    if (status == LEAT_OK && !leat_registry_queue_there(engine, *list)) {
        status = LEAT_NOT_FOUND;
    }
    return status;
}

enum leat_status
leat_queue_pause(struct leat_engine *engine, leat_queue queue)
{
    uint32_t list = 0;
    enum leat_status status = queue_check(engine, queue, &list);
    if (status == LEAT_OK) {
        leat_lists_gate(&engine->pool, list);
        leat_gate_pause(leat_gate_of(engine, list));
        stand(engine);
    }
    return status;
}

enum leat_status
leat_queue_resume(struct leat_engine *engine, leat_queue queue)
{
    uint32_t list = 0;
    enum leat_status status = queue_check(engine, queue, &list);
    if (status == LEAT_OK) {
        call(engine, list, leat_gate_resume(leat_gate_of(engine, list)));
    }
    return status;
}

static void
cap(struct leat_engine *engine, uint32_t list, uint32_t most)
{
    uint32_t levels = leat_gate_cap(leat_gate_of(engine, list), most);
    stand(engine);
    call(engine, list, levels);
}

enum leat_status
leat_queue_set_running_max(struct leat_engine *engine, leat_queue queue, uint32_t running_max)
{
    uint32_t list = 0;
    enum leat_status status = queue_check(engine, queue, &list);
    if (status == LEAT_OK && running_max > LEAT_RUNNING_MAX) {
        status = LEAT_INVALID;
    }
    if (status == LEAT_OK) {
        leat_lists_gate(&engine->pool, list);
        cap(engine, list, running_max);
    }
    return status;
}

enum leat_status
leat_type_set_running_max(struct leat_engine *engine, leat_type type, uint32_t running_max)
{
    enum leat_status status = leat_engine_check(engine);
    /* 0 - 1 is beyond every capacity. */
    if (status == LEAT_OK && leat_names_text(&engine->types, type.bits - 1) == NULL) {
        status = LEAT_NOT_FOUND;
    }
    if (status == LEAT_OK && running_max > LEAT_RUNNING_MAX) {
        status = LEAT_INVALID;
    }
    if (status == LEAT_OK) {
        cap(engine, leat_gates_list(engine, type.bits - 1), running_max);
    }
    return status;
}
