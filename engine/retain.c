/* retain.c - the end of jobs: the final swap, who is woken, what is kept for how long, and giving
 * records back. */
#include "engine/completion.h"
#include "engine/durable/durable.h"
#include "engine/events.h"
#include "engine/graph.h"
#include "engine/history.h"
#include "engine/keys.h"
#include "engine/labels.h"
#include "engine/terms.h"

/* ---- giving back ---------------------------------------------------------------------------- */

void *
leat_block_make(struct leat_engine *engine, leat_atomic_pointer *place, size_t bytes)
{
    void *block = leat_block(place);
    if (block != NULL) {
        return block;
    }
    block = leat_memory_take(&engine->memory, bytes);
    void *none = NULL;
    /* made:A acq_rel -> block:A.  Carries: see block:A.
     * If relaxed: see block:A. */
    if (block != NULL && !atom_cas_acq_rel(place, &none, block)) {
        /* A handler and a completion met here; the first block stays. */
        leat_memory_give(&engine->memory, block, bytes);
        block = none;
    }
    return block;
}

struct leat_job_extra *
leat_job_extra_make(struct leat_engine *engine, struct leat_job_record *record)
{
    return leat_block_make(engine, &record->extra, sizeof(struct leat_job_extra));
}

static void
heap_free(struct leat_engine *engine, void *payload, size_t bytes)
{
    leat_memory_give(&engine->footprint.below, payload, bytes);
    leat_room_payload_give(engine, bytes);
}

/* Who cancels a job that waits, and the place that lets go of it, may both come here. */
static void
heap_free_once(struct leat_engine *engine, struct leat_job_record *record)
{
    /* rlx: ordered by submit:A, let_go:A */
    if (atom_swap_rlx(&record->payload_place, LEAT_PAYLOAD_NONE) == LEAT_PAYLOAD_HEAP) {
        heap_free(engine, record->payload.pointer, leat_job_payload_bytes(record));
    }
}

LEAT_INLINE void
payload_free(struct leat_engine *engine, struct leat_job_record *record)
{
    if (LEAT_UNLIKELY(leat_payload_place(record) == LEAT_PAYLOAD_HEAP)) {
        heap_free_once(engine, record);
    } else {
        leat_payload_place_set(record, LEAT_PAYLOAD_NONE);
    }
}

void
leat_job_free_payload(struct leat_engine *engine, uint32_t index)
{
    payload_free(engine, leat_job_record(engine, index));
}

static void
extra_free(struct leat_engine *engine, uint32_t index, struct leat_job_extra *extra)
{
    struct leat_job_record *record = leat_job_record(engine, index);
    if (LEAT_UNLIKELY(engine->durable != NULL)) {
        leat_durable_gone(engine, index, extra);
    }
    leat_memory_give(&engine->memory, extra->result, extra->result_bytes);
    leat_terms_free(engine, extra);
    leat_history_free(engine, extra);
    leat_memory_give(&engine->memory, leat_block(&extra->progress), sizeof(struct leat_progress));
    leat_labels_free(engine, extra);
    leat_graph_free(engine, extra);
    leat_memory_give(&engine->memory, extra, sizeof(*extra));
    atom_store_rlx(&record->extra, (void *)NULL); /* rlx: ordered by give:B */
}

/* As leat_job_reclaim(). */
LEAT_INLINE void
reclaim(struct leat_engine *engine, uint32_t index)
{
    struct leat_job_record *record = leat_job_record(engine, index);
    struct leat_job_extra *extra = leat_job_extra(record);
    payload_free(engine, record);
    if (LEAT_UNLIKELY(extra != NULL)) {
        extra_free(engine, index, extra);
    }
    leat_slab_give(&engine->jobs, leat_pool_shard(), index);
}

void
leat_job_reclaim(struct leat_engine *engine, uint32_t index)
{
    reclaim(engine, index);
}

/* ---- retention ------------------------------------------------------------------------------ */

/* Its last place lets go of a job that has ended. One that is dead cannot be brought back any more,
 * and who waits for that is told. */
static void
unlink_last(struct leat_engine *engine, uint32_t index)
{
    leat_atomic_u64 *word = leat_slab_word(&engine->jobs, index);
    uint64_t now = atom_load_rlx(word); /* rlx: single writer */
    leat_job_id id = {leat_word_of(leat_word_generation(now), index)};
    bool holds = leat_word_phase(now) == LEAT_PHASE_DEAD &&
                 leat_job_hold(engine, id, LEAT_HOLDS_MAX, &index) == LEAT_OK;
    if (leat_job_let_go(word, LEAT_WORD_LINKED)) {
        leat_job_reclaim(engine, index);
    } else if (holds) {
        leat_graph_forsaken(engine, index);
        leat_durable_note(engine, id); /* it is no dead letter any more */
        leat_job_unhold(engine, index);
    }
}

/* The caller has taken the id out of its book, or could not put it in. */
void
leat_retention_drop(struct leat_engine *engine, uint64_t id)
{
    unlink_last(engine, (uint32_t)(id & LEAT_INDEX_NONE));
}

/* Drops the oldest record before `end`. False: there is none. */
static bool
drop_oldest(struct leat_engine *engine, struct leat_book *book, uint64_t end)
{
    uint64_t id = leat_book_pop(book, end);
    if (id != 0) {
        leat_retention_drop(engine, id);
    }
    return id != 0;
}

bool
leat_retention_yield(struct leat_engine *engine)
{
    return drop_oldest(engine, &engine->finished, leat_book_end(&engine->finished));
}

static void
dead_dropped(struct leat_engine *engine)
{
    (void)atom_add_rlx(&engine->outside.dead_dropped, 1); /* rlx: statistic */
}

void
leat_retention_put(struct leat_engine *engine, struct leat_book *book, uint32_t index)
{
    uint64_t word = atom_load_rlx(leat_slab_word(&engine->jobs, index)); /* rlx: single writer */
    uint64_t before = leat_book_put(book, leat_word_of(leat_word_generation(word), index));
    if (before != 0 && book == &engine->dead) {
        dead_dropped(engine);
    }
    if (before != 0) {
        leat_retention_drop(engine, before);
    }
}

static struct leat_book *
book_of(struct leat_engine *engine, enum leat_phase phase)
{
    return phase == LEAT_PHASE_DEAD ? &engine->dead : &engine->finished;
}

/* True if a job that ends as `phase` with this word is kept in a book. */
static bool
retained(struct leat_engine *engine, enum leat_phase phase, uint64_t word)
{
    bool for_submitter = phase != LEAT_PHASE_DEAD && (word & LEAT_WORD_KEPT) != 0;
    return book_of(engine, phase)->max != 0 && !for_submitter;
}

void
leat_job_retire(struct leat_engine *engine, uint32_t index)
{
    /* rlx: ordered by change:A */
    uint64_t now = atom_load_rlx(leat_slab_word(&engine->jobs, index));
    enum leat_phase phase = leat_word_phase(now);
    LEAT_ASSERT(leat_phase_final(phase));
    if (LEAT_UNLIKELY(leat_keys_retire(engine, index))) {
        return;
    }
    if (phase != LEAT_PHASE_DEAD) {
        leat_job_free_payload(engine, index);
    }
    if (retained(engine, phase, now)) {
        leat_retention_put(engine, book_of(engine, phase), index);
    } else {
        unlink_last(engine, index);
    }
}

/* ---- ends ----------------------------------------------------------------------------------- */

void
leat_job_ring_bell(struct leat_engine *engine, uint32_t index, uint64_t word)
{
    if (LEAT_LIKELY((word & LEAT_WORD_HOLDS) == 0)) {
        return;
    }
    struct leat_bell *bell = &engine->bells[index % LEAT_BELLS];
    /* bell:A acq_rel -> wait:B, waitall:A, asleep:A.  Carries: the final word; or that there is
     * room.
     * If relaxed: a waiter could see the bell and not yet the end, and sleep for ever. */
    (void)atom_add_acq_rel(&bell->count, 1);
    leat_os_futex_wake(&bell->count, UINT32_MAX);
    leat_crowd_ring(&engine->crowd);
}

void
leat_bells_ring_all(struct leat_engine *engine)
{
    for (uint32_t i = 0; i < LEAT_BELLS; i++) {
        leat_job_ring_bell(engine, i, LEAT_WORD_HOLD);
    }
}

LEAT_INLINE void
count_end(struct leat_engine *engine, struct leat_worker *worker, struct leat_tally_key key,
          enum leat_phase phase)
{
    if (worker == NULL) {
        leat_tally_share(engine, key, leat_tally_of(phase));
        return;
    }
    struct leat_cell *cells = engine->places[worker->index].cells;
    leat_tally_count(&engine->tally, cells, key, leat_tally_of(phase));
}

/* What an ending is where the word says this. False: it is none. A failure after a cancel is a
 * cancel. */
LEAT_INLINE bool
ending_judge(struct leat_ending *ending, uint64_t word)
{
    bool timed_out = leat_word_timed_out(word);
    if (LEAT_LIKELY(ending->phase == LEAT_PHASE_COMPLETED)) {
        return !timed_out;
    }
    if ((word & LEAT_WORD_CANCEL) != 0) {
        ending->phase = LEAT_PHASE_CANCELLED;
        ending->reason = LEAT_REASON_NONE;
    } else if (timed_out && ending->reason == LEAT_REASON_ATTEMPTS) {
        ending->reason = LEAT_REASON_TIMEOUT;
    }
    return true;
}

/* The swap that ends an attempt; *ending is what it comes to. What is kept for its submitter needs
 * no book, but dead letters are kept for the operator as well. *before and *after are the
 * word; one that has a key, or that somebody has a hold on, is held. False: refused. */
LEAT_INLINE bool
end_swap(struct leat_engine *engine, uint32_t index, struct leat_ending *ending, uint64_t *before,
         uint64_t *after)
{
    leat_atomic_u64 *word = leat_slab_word(&engine->jobs, index);
    struct leat_job_record *record = leat_job_record(engine, index);
    uint8_t payload = leat_payload_place(record);
    void *heap = payload == LEAT_PAYLOAD_HEAP ? record->payload.pointer : NULL;
    size_t heap_bytes = leat_job_payload_bytes(record);
    const struct leat_tally_key key = leat_tally_key_of(record);
    uint64_t hold = leat_keys_hold(engine, index);
    uint64_t now = atom_load_rlx(word); /* rlx: hint, re-checked at end:A */
    for (;;) {
        LEAT_ASSERT(leat_word_phase(now) == LEAT_PHASE_RUNNING);
        if (LEAT_UNLIKELY(!ending_judge(ending, now))) {
            leat_payload_place_set(record, payload);
            return false;
        }
        uint64_t link = retained(engine, ending->phase, now) ? LEAT_WORD_LINKED : 0;
        /* Behind the swap the record may be another job's; before it, another attempt may yet need
         * the payload. */
        bool keeps_payload = ending->phase == LEAT_PHASE_DEAD;
        leat_payload_place_set(record, keeps_payload ? payload : (uint8_t)LEAT_PAYLOAD_NONE);
        atom_store_rlx(&record->reason, (uint8_t)ending->reason); /* rlx: ordered by end:A */
        atom_store_rlx(&record->late, ending->late ? 1 : 0);      /* rlx: ordered by end:A */
        LEAT_ASSERT((now & LEAT_WORD_HOLDS) != LEAT_WORD_HOLDS);
        uint64_t held = LEAT_UNLIKELY((now & LEAT_WORD_HOLDS) != 0) ? LEAT_WORD_HOLD : hold;
        uint64_t next = ((now & ~LEAT_WORD_OF_ATTEMPT) | link) + held;
        *after = leat_word_with(next, ending->phase);
        /* end:A acq_rel -> wait:A, let_go:A, waiting:A, graph:A.
         * Carries: the record as its end leaves it.
         * If relaxed: who sees the end could read a result that is not there yet. */
        if (LEAT_LIKELY(atom_cas_acq_rel(word, &now, *after))) {
            count_end(engine, ending->worker, key, ending->phase);
            if (!keeps_payload && heap != NULL) {
                heap_free(engine, heap, heap_bytes);
            }
            *before = now;
            return true;
        }
    }
}

/* As leat_job_end(); *ending is what it comes to. */
LEAT_INLINE bool
end(struct leat_engine *engine, uint32_t index, struct leat_ending *ending)
{
    uint64_t before = 0;
    uint64_t after = 0;
    /* Now, while the record is this job's. rlx: single writer */
    uint32_t completion = atom_load_rlx(&leat_job_record(engine, index)->notice);
    if (LEAT_UNLIKELY(!end_swap(engine, index, ending, &before, &after))) {
        return false;
    }
    bool held = ((after ^ before) & LEAT_WORD_HOLDS) != 0;
    leat_job_ring_bell(engine, index,
                       LEAT_UNLIKELY(held) ? leat_graph_lookers(engine, index, before) : before);
    if (leat_word_phase(after) == LEAT_PHASE_GONE) {
        reclaim(engine, index);
    } else if ((after & ~before & LEAT_WORD_LINKED) != 0) {
        /* One that a wheel has is retired by who takes it off. */
        leat_retention_put(engine, book_of(engine, leat_word_phase(after)), index);
    }
    if (LEAT_UNLIKELY(completion != 0)) {
        const struct leat_completion_end end = {
            .id = {leat_word_of(leat_word_generation(before), index)},
            .phase = ending->phase,
            .reason = ending->reason};
        leat_completion_deliver(engine, completion, end);
    }
    if (LEAT_UNLIKELY(held)) {
        leat_graph_ended(engine, index, before);
        leat_keys_left(engine, index);
    }
    return true;
}

/* One that failed, or heeded a cancel; or one of which is told. */
static LEAT_COLD bool
end_otherwise(struct leat_engine *engine, uint32_t index, struct leat_ending ending)
{
    /* Behind the swap the record may be another job's. */
    struct leat_event event = leat_events_of(engine, index);
    if (!end(engine, index, &ending)) {
        return false;
    }
    leat_durable_note(engine, event.id);
    event.kind = leat_events_end(ending.phase, ending.reason);
    event.reason = ending.reason;
    event.worker = ending.worker == NULL ? LEAT_WORKER_NONE : ending.worker->index;
    leat_events_put(engine, event);
    return true;
}

bool
leat_job_end(struct leat_engine *engine, uint32_t index, struct leat_ending ending)
{
    if (LEAT_UNLIKELY(ending.phase != LEAT_PHASE_COMPLETED) ||
        leat_events_wanted(engine, LEAT_EVENT_BIT(LEAT_EVENT_COMPLETED) | LEAT_EVENTS_LOGGED)) {
        return end_otherwise(engine, index, ending);
    }
    return end(engine, index, &ending);
}

/* ---- ages ----------------------------------------------------------------------------------- */

static uint64_t
source_next(void *context)
{
    const struct leat_engine *engine = context;
    uint64_t finished_ns = atom_load_rlx(&engine->finished.look_ns); /* rlx: statistic */
    uint64_t dead_ns = atom_load_rlx(&engine->dead.look_ns);         /* rlx: statistic */
    return finished_ns < dead_ns ? finished_ns : dead_ns;
}

static uint64_t
source_look(void *context, uint64_t now_ns)
{
    struct leat_engine *engine = context;
    uint64_t finished = leat_book_look(&engine->finished, now_ns);
    uint64_t dead = leat_book_look(&engine->dead, now_ns);
    /* Both end with their books. */
    while (finished != 0 && drop_oldest(engine, &engine->finished, finished)) {
    }
    while (dead != 0 && drop_oldest(engine, &engine->dead, dead)) {
        dead_dropped(engine);
    }
    return source_next(engine);
}

struct leat_clock_source
leat_retention_source(struct leat_engine *engine)
{
    struct leat_clock_source source = {source_look, source_next, NULL, engine, LEAT_TIME_BOOT};
    return source;
}

/* ---- init and fini -------------------------------------------------------------------------- */

bool
leat_retention_init(struct leat_engine *engine)
{
    const struct leat_config *config = &engine->config;
    return leat_book_init(&engine->finished, config->retained_max, config->retained_age_ns) &&
           leat_book_init(&engine->dead, config->dead_max, config->dead_age_ns);
}

void
leat_retention_fini(struct leat_engine *engine)
{
    leat_book_fini(&engine->finished);
    leat_book_fini(&engine->dead);
}
