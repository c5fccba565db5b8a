/* retain.c - the end of jobs: the final swap, who is woken, what is kept for how long, and giving
 * records back. */
#include "engine/completion.h"
#include "engine/terms.h"

#include <string.h>

/* ---- giving back ---------------------------------------------------------------------------- */

struct leat_job_extra *
leat_job_extra(const struct leat_job_record *record)
{
    /* extra:A acquire -> extra:B.  Carries: the zeroed block.
     * If relaxed: a reader could see an old progress in it. */
    return atom_load_acq(&record->extra);
}

struct leat_job_extra *
leat_job_extra_make(struct leat_engine *engine, struct leat_job_record *record)
{
    struct leat_job_extra *extra = leat_job_extra(record);
    if (extra != NULL) {
        return extra;
    }
    extra = leat_memory_take(&engine->memory, sizeof(*extra));
    void *none = NULL;
    /* extra:B acq_rel -> extra:A.  Carries: see extra:A.
     * If relaxed: see extra:A. */
    if (extra != NULL && !atom_cas_acq_rel(&record->extra, &none, (void *)extra)) {
        /* A handler and a completion met here; the first block stays. */
        leat_memory_give(&engine->memory, extra, sizeof(*extra));
        extra = none;
    }
    return extra;
}

void
leat_text_copy(char *to, const char *from)
{
    size_t length = strnlen(from, LEAT_ERROR_BYTES);
    if (length >= LEAT_ERROR_BYTES) {
        length = LEAT_ERROR_BYTES - 1;
        /* Not in the middle of a character: 10xxxxxx continues one. */
        while (length > 0 && ((unsigned char)from[length] & 0xc0) == 0x80) {
            length--;
        }
    }
    memcpy(to, from, length);
    to[length] = '\0';
}

static void
heap_free(struct leat_engine *engine, void *payload, size_t bytes)
{
    leat_memory_give(&engine->memory, payload, bytes);
    leat_room_payload_give(engine, bytes);
}

void
leat_job_free_payload(struct leat_engine *engine, uint32_t index)
{
    struct leat_job_record *record = leat_job_record(engine, index);
    if (record->payload_place == LEAT_PAYLOAD_HEAP) {
        heap_free(engine, record->payload.pointer, leat_job_payload_bytes(record));
    }
    record->payload_place = LEAT_PAYLOAD_NONE;
}

void
leat_job_reclaim(struct leat_engine *engine, uint32_t index)
{
    struct leat_job_record *record = leat_job_record(engine, index);
    struct leat_job_extra *extra = leat_job_extra(record);
    leat_job_free_payload(engine, index);
    if (extra != NULL) {
        leat_memory_give(&engine->memory, extra->result, extra->result_bytes);
        leat_terms_free(engine, extra);
        leat_memory_give(&engine->memory, extra, sizeof(*extra));
        atom_store_rlx(&record->extra, (void *)NULL); /* rlx: ordered by give:B */
    }
    leat_slab_give(&engine->jobs, leat_pool_shard(), index);
}

/* ---- retention ------------------------------------------------------------------------------ */

/* The retention lets go of a record that it has LINKED. */
static void
drop(struct leat_engine *engine, const struct leat_retention *retention, uint32_t index)
{
    if (retention == &engine->dead) {
        (void)atom_add_rlx(&engine->outside.dead_dropped, 1); /* rlx: statistic */
    }
    if (leat_job_let_go(leat_slab_word(&engine->jobs, index), LEAT_WORD_LINKED)) {
        leat_job_reclaim(engine, index);
    }
}

/* Drops the oldest record of a ring. False: there is none. */
static bool
evict(struct leat_engine *engine, struct leat_retention *retention)
{
    uint32_t index = 0;
    if (!leat_mpmc_pop(&retention->ring, &index)) {
        return false;
    }
    drop(engine, retention, index);
    return true;
}

bool
leat_retention_yield(struct leat_engine *engine)
{
    return engine->finished.max != 0 && evict(engine, &engine->finished);
}

/* The word has LINKED for this ring. Several threads at once may keep a few more than max. */
static void
keep(struct leat_engine *engine, struct leat_retention *retention, uint32_t index)
{
    while (leat_mpmc_count(&retention->ring) >= retention->max && evict(engine, retention)) {
    }
    while (!leat_mpmc_push(&retention->ring, index)) {
        if (!evict(engine, retention)) {
            /* A frozen thread holds up the ring: dropped rather than waited with. */
            drop(engine, retention, index);
            return;
        }
    }
}

static struct leat_retention *
retention_of(struct leat_engine *engine, enum leat_phase phase)
{
    return phase == LEAT_PHASE_DEAD ? &engine->dead : &engine->finished;
}

/* True if a job that ends as `phase` with this word goes into a retention ring. */
static bool
retained(struct leat_engine *engine, enum leat_phase phase, uint64_t word)
{
    bool for_submitter = phase != LEAT_PHASE_DEAD && (word & LEAT_WORD_KEPT) != 0;
    return retention_of(engine, phase)->max != 0 && !for_submitter;
}

void
leat_job_retire(struct leat_engine *engine, uint32_t index)
{
    leat_atomic_u64 *word = leat_slab_word(&engine->jobs, index);
    uint64_t now = atom_load_rlx(word); /* rlx: ordered by change:A */
    enum leat_phase phase = leat_word_phase(now);
    LEAT_ASSERT(leat_phase_final(phase));
    if (phase != LEAT_PHASE_DEAD) {
        leat_job_free_payload(engine, index);
    }
    if (retained(engine, phase, now)) {
        keep(engine, retention_of(engine, phase), index);
    } else if (leat_job_let_go(word, LEAT_WORD_LINKED)) {
        leat_job_reclaim(engine, index);
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
    /* bell:A acq_rel -> wait:B, asleep:A.  Carries: the final word; or that there is room.
     * If relaxed: a waiter could see the bell and not yet the end, and sleep for ever. */
    (void)atom_add_acq_rel(&bell->count, 1);
    leat_os_futex_wake(&bell->count, UINT32_MAX);
}

void
leat_bells_ring_all(struct leat_engine *engine)
{
    for (uint32_t i = 0; i < LEAT_BELLS; i++) {
        leat_job_ring_bell(engine, i, LEAT_WORD_HOLD);
    }
}

static void
count_end(struct leat_engine *engine, struct leat_worker *worker, enum leat_phase phase)
{
    struct leat_outside *outside = &engine->outside;
    leat_atomic_u64 *shared = &outside->completed;
    if (phase == LEAT_PHASE_DEAD) {
        shared = &outside->dead;
    } else if (phase == LEAT_PHASE_CANCELLED) {
        shared = &outside->cancelled;
    }
    if (worker == NULL) {
        (void)atom_add_rlx(shared, 1); /* rlx: statistic */
        return;
    }
    struct leat_place *place = &engine->places[worker->index];
    leat_atomic_u64 *own = &place->completed;
    if (phase == LEAT_PHASE_DEAD) {
        own = &place->dead;
    } else if (phase == LEAT_PHASE_CANCELLED) {
        own = &place->cancelled;
    }
    atom_count(own, 1);
}

/* What an ending is where the word says this. False: it is none. A failure after a cancel is a
 * cancel. */
static bool
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
 * no retention ring, but dead letters are kept for the operator as well. *before and *after are the
 * word. False: refused. */
static bool
end_swap(struct leat_engine *engine, uint32_t index, struct leat_ending *ending, uint64_t *before,
         uint64_t *after)
{
    leat_atomic_u64 *word = leat_slab_word(&engine->jobs, index);
    struct leat_job_record *record = leat_job_record(engine, index);
    uint8_t payload = record->payload_place;
    void *heap = payload == LEAT_PAYLOAD_HEAP ? record->payload.pointer : NULL;
    size_t heap_bytes = leat_job_payload_bytes(record);
    uint64_t now = atom_load_rlx(word); /* rlx: hint, re-checked at end:A */
    for (;;) {
        LEAT_ASSERT(leat_word_phase(now) == LEAT_PHASE_RUNNING);
        if (LEAT_UNLIKELY(!ending_judge(ending, now))) {
            record->payload_place = payload;
            return false;
        }
        uint64_t link = retained(engine, ending->phase, now) ? LEAT_WORD_LINKED : 0;
        /* Behind the swap the record may be another job's; before it, another attempt may yet need
         * the payload. */
        bool keeps_payload = ending->phase == LEAT_PHASE_DEAD;
        record->payload_place = keeps_payload ? payload : (uint8_t)LEAT_PAYLOAD_NONE;
        atom_store_rlx(&record->reason, (uint8_t)ending->reason); /* rlx: ordered by end:A */
        atom_store_rlx(&record->late, ending->late ? 1 : 0);      /* rlx: ordered by end:A */
        *after = leat_word_with((now & ~LEAT_WORD_OF_ATTEMPT) | link, ending->phase);
        /* end:A acq_rel -> wait:A, let_go:A, waiting:A.  Carries: the record as its end leaves it.
         * If relaxed: who sees the end could read a result that is not there yet. */
        if (LEAT_LIKELY(atom_cas_acq_rel(word, &now, *after))) {
            count_end(engine, ending->worker, ending->phase);
            if (!keeps_payload && heap != NULL) {
                heap_free(engine, heap, heap_bytes);
            }
            *before = now;
            return true;
        }
    }
}

bool
leat_job_end(struct leat_engine *engine, uint32_t index, struct leat_ending ending)
{
    uint64_t before = 0;
    uint64_t after = 0;
    /* Now, while the record is this job's. rlx: single writer */
    uint32_t completion = atom_load_rlx(&leat_job_record(engine, index)->notice);
    if (LEAT_UNLIKELY(!end_swap(engine, index, &ending, &before, &after))) {
        return false;
    }
    leat_job_ring_bell(engine, index, before);
    if (leat_word_phase(after) == LEAT_PHASE_GONE) {
        leat_job_reclaim(engine, index);
    } else if ((after & ~before & LEAT_WORD_LINKED) != 0) {
        /* One that a wheel has is retired by who takes it off. */
        keep(engine, retention_of(engine, leat_word_phase(after)), index);
    }
    if (LEAT_UNLIKELY(completion != 0)) {
        const struct leat_completion_end end = {
            {leat_word_of(leat_word_generation(before), index)}, ending.phase, ending.reason};
        leat_completion_deliver(engine, completion, end);
    }
    return true;
}

/* ---- init and fini -------------------------------------------------------------------------- */

static bool
ring_init(struct leat_retention *retention, uint32_t max)
{
    retention->max = max;
    if (max == 0) {
        return true;
    }
    uint32_t log2 = leat_log2_up(max);
    log2 = log2 < LEAT_RING_SLOTS_LOG2_MIN ? LEAT_RING_SLOTS_LOG2_MIN : log2;
    retention->bytes = leat_mpmc_bytes(log2);
    retention->memory = leat_os_map(retention->bytes);
    if (retention->memory == NULL) {
        return false;
    }
    const struct leat_ring_config config = {.slots_log2 = log2, .memory = retention->memory};
    leat_mpmc_init(&retention->ring, &config);
    return true;
}

bool
leat_retention_init(struct leat_engine *engine)
{
    return ring_init(&engine->finished, engine->config.retained_max) &&
           ring_init(&engine->dead, engine->config.dead_max);
}

void
leat_retention_fini(struct leat_engine *engine)
{
    leat_os_unmap(engine->finished.memory, engine->finished.bytes);
    leat_os_unmap(engine->dead.memory, engine->dead.bytes);
}
