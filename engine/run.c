/* run.c - one attempt of one job on a worker, from the take to its end; completion from elsewhere.
 */
#include "engine/breaker.h"
#include "engine/dead.h"
#include "engine/durable/durable.h"
#include "engine/events.h"
#include "engine/gates.h"
#include "engine/gather.h"
#include "engine/history.h"
#include "engine/keys.h"
#include "engine/pending.h"
#include "engine/terms.h"
#include "engine/timers.h"
#include "engine/trace.h"

#include <string.h>

#include "ring/probe.h"
#include "ring/rcu.h"

/* ---- settling an attempt -------------------------------------------------------------------- */

static void
count_retry(struct leat_engine *engine, struct leat_worker *worker, struct leat_tally_key key)
{
    if (worker == NULL) {
        leat_tally_share(engine, key, LEAT_TALLY_RETRIED);
    } else {
        struct leat_cell *cells = engine->places[worker->index].cells;
        leat_tally_count(&engine->tally, cells, key, LEAT_TALLY_RETRIED);
    }
}

/* Cancelled while it ran, and heeded. */
static void
cancelled(const struct leat_run *run)
{
    const struct leat_ending ending = {LEAT_PHASE_CANCELLED, LEAT_REASON_NONE, run->worker,
                                       run->late};
    (void)leat_job_end(run->engine, run->index, ending);
}

/* Says where the error of this attempt is, should it be the last one: before a swap that lets the
 * job wait, from when on others may end it. */
static void
late_keep(const struct leat_run *run)
{
    atom_store_rlx(&run->record->late, run->late ? 1 : 0); /* rlx: ordered by change:B */
}

/* RUNNING to a phase that waits for a time; `at_ns` 0: at once. Uses up no attempt where that is
 * SCHEDULED. A record that a wheel has yet goes on from there. */
static void
wait_until(const struct leat_run *run, enum leat_phase phase, uint64_t at_ns)
{
    struct leat_engine *engine = run->engine;
    const struct leat_change change = {
        .from = LEAT_PHASE_RUNNING,
        .to = phase,
        .set = LEAT_WORD_LINKED,
        .clear = LEAT_WORD_OF_ATTEMPT,
        .unless = LEAT_WORD_CANCEL,
        .hold = true,
    };
    uint64_t before = 0;
    uint64_t after = 0;
    const struct leat_due due = {LEAT_TIME_BOOT, at_ns};
    const bool snoozes = phase == LEAT_PHASE_SCHEDULED;
    late_keep(run);
    leat_timers_set(engine, run->index, due);
    leat_timers_count(engine, phase, 1);
    if (snoozes) {
        leat_timers_snoozed(engine, run->index, 1);
    }
    if (!leat_job_change(run->word, &change, &before, &after)) {
        leat_timers_count(engine, phase, -1);
        if (snoozes) {
            leat_timers_snoozed(engine, run->index, -1);
        }
        cancelled(run);
        return;
    }
    if ((before & LEAT_WORD_LINKED) == 0) {
        leat_timers_arm(engine, run->index);
    }
    if (at_ns == 0 || (before & LEAT_WORD_LINKED) != 0) {
        leat_pool_due(&engine->pool); /* before a drain sees that the attempt has ended */
    }
    if (phase == LEAT_PHASE_RETRYING) {
        count_retry(engine, run->worker, leat_tally_key_of(run->record));
    }
    leat_durable_note(engine,
                      (leat_job_id){leat_word_of(leat_word_generation(before), run->index)});
    leat_job_unhold(engine, run->index);
}

/* RUNNING to PENDING, for another attempt at once; by way of the wheel, where that has the record
 * yet. */
static void
retry(const struct leat_run *run)
{
    struct leat_engine *engine = run->engine;
    const struct leat_change change = {
        .from = LEAT_PHASE_RUNNING,
        .to = LEAT_PHASE_PENDING,
        .set = LEAT_WORD_LINKED,
        .clear = LEAT_WORD_OF_ATTEMPT,
        .unless = LEAT_WORD_CANCEL | LEAT_WORD_LINKED,
    };
    uint32_t level = leat_job_level(run->record);
    uint32_t queue = leat_job_queue(run->record);
    uint32_t type = leat_job_type(run->record);
    bool counted = leat_job_counted(run->record);
    uint64_t before = 0;
    uint64_t after = 0;
    late_keep(run);
    run->record->returned = false;
    if (counted) {
        leat_room_force(engine, queue, leat_job_payload_bytes(run->record));
    }
    if (!leat_job_change(run->word, &change, &before, &after)) {
        if (counted) {
            leat_room_give(engine, queue, leat_job_payload_bytes(run->record));
        }
        wait_until(run, LEAT_PHASE_RETRYING, 0); /* or it ends there */
        return;
    }
    const struct leat_tally_key key = {level, queue, type};
    count_retry(engine, run->worker, key);
    leat_durable_note(engine,
                      (leat_job_id){leat_word_of(leat_word_generation(before), run->index)});
    if (!leat_keys_enter(engine, run->index)) {
        return;
    }
    uint32_t item = leat_item_of(LEAT_KIND_JOB, run->index);
    /* Of a batch there may be more than a hand has room for. */
    if (run->worker == NULL || run->how == LEAT_HOW_BATCH ||
        leat_gates_stand(engine, queue, type)) {
        leat_gates_put_on(engine, level, queue, type, item);
    } else {
        leat_worker_keep(run->worker, level, item);
    }
}

static uint64_t
after(const struct leat_run *run, uint64_t delay_ns)
{
    return leat_timers_after(leat_clocks_now(&run->engine->clocks, LEAT_TIME_BOOT), delay_ns);
}

/* Another attempt, now or later. */
static void
again(const struct leat_run *run, uint64_t delay_ns)
{
    if (run->how == LEAT_HOW_INLINE) {
        if (leat_inline_again(run, delay_ns)) {
            count_retry(run->engine, NULL, leat_tally_key_of(run->record));
        } else {
            cancelled(run);
        }
    } else if (delay_ns == 0) {
        retry(run);
    } else {
        wait_until(run, LEAT_PHASE_RETRYING, after(run, delay_ns));
    }
}

/* What the retry policy says; LEAT_FOREVER: no further attempt. */
static uint64_t
policy_delay_ns(const struct leat_run *run)
{
    const struct leat_backoff *backoff = leat_terms_backoff(run->engine, run->index);
    struct leat_failure failure = {.id = leat_run_id(run),
                                   .type = leat_run_type(run),
                                   .attempt = run->attempt,
                                   .max_attempts = run->max_attempts,
                                   .error = leat_error_text(run->record, run->late)};
    return leat_backoff_delay(backoff, &failure, leat_backoff_random(run->engine->seed, &failure));
}

/* The attempt failed, but not for good. */
static void
fail(const struct leat_run *run, uint64_t delay_ns)
{
    const enum leat_reason over = run->timed_out ? LEAT_REASON_TIMEOUT : LEAT_REASON_ATTEMPTS;
    struct leat_ending ending = {LEAT_PHASE_DEAD, over, run->worker, run->late};
    leat_breaker_ended(run, true);
    leat_gates_leave(run->engine, run->record);
    leat_history_note(run, LEAT_OUTCOME_RETRY);
    leat_events_run(run, LEAT_EVENT_FAILED);
    if (run->attempt < run->max_attempts) {
        uint64_t after_ns = delay_ns == LEAT_DELAY_OF_POLICY ? policy_delay_ns(run) : delay_ns;
        if (after_ns != LEAT_FOREVER) {
            leat_events_run(run, LEAT_EVENT_RETRYING);
            again(run, after_ns);
            return;
        }
        ending.reason = LEAT_REASON_FAILED;
    }
    (void)leat_job_end(run->engine, run->index, ending);
}

/* A lease that is given back is a snooze of no time: the job goes in front of those that wait. */
static uint64_t
snoozes_until(const struct leat_run *run, uint64_t delay_ns)
{
    bool front = delay_ns == 0 && leat_queue_pulls(run->engine, leat_job_queue(run->record));
    return front ? LEAT_TIMERS_FRONT : after(run, delay_ns);
}

/* A handler's snooze is said like a completion, so that the watcher comes too late. False: it came
 * first. */
static bool
snooze_say(const struct leat_run *run)
{
    const struct leat_mark mark = {
        .set = (uint64_t)LEAT_OUTCOME_RETRY << LEAT_WORD_OUTCOME_SHIFT,
        .mask = LEAT_WORD_OUTCOME,
    };
    uint64_t before = 0;
    return leat_job_mark(run->word, &mark, &before) || !leat_word_timed_out(before);
}

/* The attempt succeeded, as most do. */
LEAT_INLINE void
done(const struct leat_run *run)
{
    const struct leat_ending ending = {LEAT_PHASE_COMPLETED, LEAT_REASON_NONE, run->worker,
                                       run->late};
    leat_gates_leave(run->engine, run->record);
    leat_history_note(run, LEAT_OUTCOME_DONE);
    if (LEAT_LIKELY(leat_job_end(run->engine, run->index, ending))) {
        leat_breaker_ended(run, false);
    } else {
        fail(run, LEAT_DELAY_OF_POLICY); /* too late */
    }
}

/* What an attempt's answer comes to. run->worker NULL: said by leat_complete(). */
static void
settle(const struct leat_run *run, struct leat_outcome outcome)
{
    struct leat_ending ending = {LEAT_PHASE_DEAD, LEAT_REASON_INVALID, run->worker, run->late};
    leat_gates_leave(run->engine, run->record);
    switch (outcome.kind) {
    case LEAT_OUTCOME_DONE:
        done(run);
        return;
    case LEAT_OUTCOME_RETRY:
        fail(run, outcome.delay_ns);
        return;
    case LEAT_OUTCOME_FAIL:
        leat_breaker_ended(run, true);
        leat_history_note(run, LEAT_OUTCOME_FAIL);
        leat_events_run(run, LEAT_EVENT_FAILED);
        ending.reason = LEAT_REASON_FAILED;
        break;
    case LEAT_OUTCOME_SNOOZE:
        if (snooze_say(run)) {
            leat_events_run(run, LEAT_EVENT_SNOOZED);
            wait_until(run, LEAT_PHASE_SCHEDULED, snoozes_until(run, outcome.delay_ns));
        } else {
            fail(run, LEAT_DELAY_OF_POLICY);
        }
        return;
    case LEAT_OUTCOME_PENDING:
        break;
    }
    (void)leat_job_end(run->engine, run->index, ending);
}

/* The handler answered pending: leat_complete() ends the attempt, or has said how already; or its
 * time does, if it has one (timeout_ns not 0). */
void
leat_run_await(struct leat_run *run, uint64_t timeout_ns)
{
    struct leat_engine *engine = run->engine;
    const struct leat_mark awaited = {.set = LEAT_WORD_AWAITED, .mask = LEAT_WORD_OUTCOME};
    uint64_t before = 0;
    /* Counted first: a drain that misses the worker's busy flag finds this. */
    /* await:B acq_rel -> settled:A.  Carries: nothing; a count before a flag.
     * If relaxed: see await:A. */
    (void)atom_add_acq_rel(&engine->outside.awaited, 1);
    if (timeout_ns == 0 ? leat_job_mark(run->word, &awaited, &before)
                        : leat_pending_begin(run, timeout_ns, &before)) {
        return;
    }
    /* await:A acq_rel -> settled:A.  Carries: nothing; the worker is busy still.
     * If relaxed: nothing changes. */
    (void)atom_sub_acq_rel(&engine->outside.awaited, 1);
    if (leat_word_timed_out(before)) {
        fail(run, LEAT_DELAY_OF_POLICY);
        return;
    }
    uint64_t said = (before & LEAT_WORD_OUTCOME) >> LEAT_WORD_OUTCOME_SHIFT;
    uint64_t kind = said & LEAT_WORD_OUTCOME_KIND;
    run->late = (said & LEAT_WORD_OUTCOME_TEXT) != 0;
    settle(run, leat_timers_answer(engine, run->index, (enum leat_outcome_kind)kind));
}

/* As leat_run_settle(). */
LEAT_INLINE void
answered(struct leat_run *run, struct leat_outcome outcome)
{
    if (LEAT_LIKELY(outcome.kind == LEAT_OUTCOME_DONE)) {
        done(run);
    } else if (outcome.kind == LEAT_OUTCOME_PENDING) {
        leat_gates_rest(run->engine, run->record);
        leat_run_await(run, outcome.delay_ns);
    } else {
        settle(run, outcome);
    }
}

void
leat_run_settle(struct leat_run *run, struct leat_outcome outcome)
{
    answered(run, outcome);
}

/* ---- one attempt on a worker ---------------------------------------------------------------- */

/* PENDING to RUNNING. False: while it waited it was cancelled, swept or changed. */
LEAT_INLINE bool
begin(struct leat_run *run)
{
    struct leat_job_record *record = run->record;
    uint32_t attempts = atom_load_rlx(&record->attempts); /* rlx: single writer */
    run->number = (attempts + 1) & UINT16_MAX;
    /* Both counts may have gone round. */
    run->attempt = (attempts + 1 - leat_timers_snoozes(run->engine, run->index)) & UINT16_MAX;
    const struct leat_change change = {
        .from = LEAT_PHASE_PENDING,
        .to = LEAT_PHASE_RUNNING,
        .set = leat_word_attempt(run->number),
        .clear = LEAT_WORD_LINKED | LEAT_WORD_ATTEMPT,
    };
    uint64_t before = 0;
    uint64_t after = 0;
    if (LEAT_LIKELY(leat_job_change_inline(run->word, &change, &before, &after))) {
        if (LEAT_UNLIKELY(leat_job_counted(record))) {
            leat_room_give(run->engine, leat_job_queue(record), leat_job_payload_bytes(record));
        }
        run->id = leat_word_of(leat_word_generation(after), run->index);
        return true;
    }
    return false;
}

/* An attempt of a job that has more than its record. False: it has waited for too
 * long, or is not to run at all. */
static LEAT_COLD bool
begin_extra(const struct leat_run *run, struct leat_job_extra *extra)
{
    bool quarantined = leat_job_quarantined(run->engine, extra);
    if (quarantined || leat_terms_expired(run->engine, extra)) {
        /* rlx: single writer */
        bool late = atom_load_rlx(&run->record->late) != 0;
        const struct leat_ending unfit = {
            LEAT_PHASE_DEAD, quarantined ? LEAT_REASON_QUARANTINED : LEAT_REASON_EXPIRED,
            run->worker, late};
        leat_breaker_unbegin(run->engine, run->record);
        leat_gates_leave(run->engine, run->record);
        (void)leat_job_end(run->engine, run->index, unfit);
        return false;
    }
    leat_error_clear(run->record); /* nobody reads it before the end */
    leat_keys_begun(run->engine, extra, true);
    return true;
}

static const struct leat_binding *
binding_of(const struct leat_run *run)
{
    return leat_binding_of(run->engine, leat_job_type(run->record));
}

static struct leat_breaker *
breaker_of(const struct leat_run *run, const struct leat_binding *binding)
{
    bool leased = leat_queue_pulls(run->engine, leat_job_queue(run->record));
    return binding == NULL || leased ? NULL : binding->breaker;
}

static uint32_t
max_attempts_of(const struct leat_job_record *record, const struct leat_binding *binding)
{
    if (record->max_attempts != 0) {
        return record->max_attempts;
    }
    return binding == NULL ? LEAT_ATTEMPTS_DEFAULT : binding->max_attempts;
}

static void
call(struct leat_run *run, const struct leat_binding *binding)
{
    struct leat_place *place = &run->engine->places[run->worker->index];
    uint64_t submit_ns = atom_load_rlx(&run->record->submit_ns); /* rlx: ordered by submit:A */
    uint64_t start_ns = 0;
    if (LEAT_UNLIKELY(submit_ns != 0)) {
        start_ns = leat_os_monotonic_ns();
        leat_trace_run_begin(run, start_ns);
        if (run->attempt == 1) {
            leat_tally_waited(run->engine, place, run->record, start_ns - submit_ns);
        }
    }
    leat_history_begin(run, start_ns);
    /* Behind the swap: until then it is the number of the attempt before, which no token fits whose
     * bits are in the word now. rlx: single writer */
    atom_store_rlx(&run->record->attempts, (uint16_t)run->number);
    atom_count(&place->jobs_run, 1);
    atom_store_rlx(&place->running, run->id); /* rlx: statistic */
    LEAT_PROBE4(job_start, run->id, leat_job_type(run->record), run->attempt, run->worker->index);
    struct leat_outcome outcome = binding->handler(run, binding->context);
    LEAT_PROBE3(job_end, run->id, outcome.kind, run->worker->index);
    atom_store_rlx(&place->running, 0); /* rlx: statistic */
    if (LEAT_UNLIKELY(submit_ns != 0)) {
        uint64_t end_ns = leat_os_monotonic_ns();
        leat_tally_ran(run->engine, place, run->record, end_ns - start_ns);
        leat_trace_run_end(run, start_ns, end_ns, outcome.kind);
    }
    answered(run, outcome);
}

/* As leat_run_begin(). */
LEAT_INLINE bool
take(struct leat_run *run, const struct leat_binding *binding)
{
    struct leat_engine *engine = run->engine;
    leat_rcu_enter();
    bool back = leat_gates_turn_back(engine, run->index);
    bool begun = LEAT_LIKELY(!back) && begin(run);
    leat_rcu_leave(&engine->domain);
    if (LEAT_UNLIKELY(!begun)) {
        if (!back) {
            leat_breaker_unbegin(engine, run->record);
            leat_gates_leave(engine, run->record);
            leat_timers_route(engine, run->index);
        }
        return false;
    }
    struct leat_job_extra *extra = leat_job_extra(run->record);
    if (LEAT_UNLIKELY(extra != NULL) && !begin_extra(run, extra)) {
        return false;
    }
    run->max_attempts = max_attempts_of(run->record, binding);
    leat_events_started(run);
    return true;
}

bool
leat_run_begin(struct leat_run *run)
{
    const struct leat_binding *binding = binding_of(run);
    if (!take(run, binding)) {
        return false;
    }
    run->breaker = breaker_of(run, binding);
    run->probe = leat_breaker_probes(run->record);
    leat_history_begin(run, 0);
    return true;
}

void
leat_run_item(void *context, struct leat_worker *worker, uint32_t item)
{
    struct leat_engine *engine = context;
    uint32_t index = leat_item_index(item);
    LEAT_ASSERT(leat_item_kind(item) == LEAT_KIND_JOB);
    struct leat_run run = {.engine = engine,
                           .worker = worker,
                           .record = leat_job_record(engine, index),
                           .word = leat_slab_word(&engine->jobs, index),
                           .index = index};
    const struct leat_binding *binding = binding_of(&run);
    if (LEAT_LIKELY(binding != NULL) && LEAT_UNLIKELY(binding->gather != NULL)) {
        leat_gather_take(binding->gather, worker, index);
        return;
    }
    if (LEAT_UNLIKELY(!take(&run, binding))) {
        return;
    }
    if (LEAT_UNLIKELY(binding == NULL)) {
        const struct leat_ending unknown = {LEAT_PHASE_DEAD, LEAT_REASON_UNKNOWN_TYPE, worker,
                                            false};
        leat_gates_leave(engine, run.record);
        (void)leat_job_end(engine, index, unknown);
        return;
    }
    run.breaker = binding->breaker;
    run.probe = leat_breaker_probes(run.record);
    call(&run, binding);
}

/* ---- the end of an attempt that is pending -------------------------------------------------- */

/* As its handler had it, for a thread that is not its worker. */
struct leat_run
leat_run_of(struct leat_engine *engine, uint32_t index)
{
    struct leat_run run = {.engine = engine,
                           .worker = NULL,
                           .record = leat_job_record(engine, index),
                           .word = leat_slab_word(&engine->jobs, index),
                           .index = index};
    return run;
}

/* pre: run->number is right. */
static void
attempt_of(struct leat_run *run)
{
    const struct leat_binding *binding = binding_of(run);
    run->attempt = (run->number - leat_timers_snoozes(run->engine, run->index)) & UINT16_MAX;
    run->max_attempts = max_attempts_of(run->record, binding);
    run->breaker = breaker_of(run, binding);
}

static void
settled(struct leat_engine *engine)
{
    /* settled:A acq_rel -> await:A, await:B, drain:A.  Carries: the pushes of a retry.
     * If relaxed: a drain could see no pending completion and an empty ring. */
    (void)atom_sub_acq_rel(&engine->outside.awaited, 1);
    leat_pool_quiet_news(&engine->pool);
}

bool
leat_run_time_out(struct leat_engine *engine, uint32_t index)
{
    const struct leat_mark late = {
        .set = LEAT_WORD_TIMED_OUT,
        .clear = LEAT_WORD_LINKED,
        .mask = LEAT_WORD_AWAITED | LEAT_WORD_LINKED | LEAT_WORD_OUTCOME,
        .value = LEAT_WORD_AWAITED | LEAT_WORD_LINKED,
    };
    struct leat_run run = leat_run_of(engine, index);
    uint64_t before = 0;
    if (!leat_job_mark(run.word, &late, &before)) {
        return false;
    }
    (void)atom_add_rlx(&engine->timers.timed_out, 1);  /* rlx: statistic */
    run.number = atom_load_rlx(&run.record->attempts); /* rlx: ordered by mark:A */
    attempt_of(&run);
    run.probe = leat_breaker_probes(run.record);
    /* A lease that is over says nothing of its job, which waits again at once. */
    fail(&run, leat_queue_pulls(engine, leat_job_queue(run.record)) ? 0 : LEAT_DELAY_OF_POLICY);
    settled(engine);
    return true;
}

bool
leat_run_lease(struct leat_run *run)
{
    struct leat_job_extra *extra = leat_job_extra(run->record);
    if (!begin(run)) {
        return false;
    }
    leat_error_clear(run->record); /* nobody reads it before the end */
    if (extra != NULL) {
        leat_keys_begun(run->engine, extra, true);
    }
    run->max_attempts = max_attempts_of(run->record, binding_of(run));
    leat_events_started(run);
    /* As in call(). rlx: single writer */
    atom_store_rlx(&run->record->attempts, (uint16_t)run->number);
    (void)atom_add_rlx(&run->engine->outside.leased, 1); /* rlx: statistic */
    leat_history_begin(run, 0);
    return true;
}

/* Gives the claim back: the token still holds. False: it does not, the attempt was timed out. */
static bool
unclaim(const struct leat_run *run)
{
    const struct leat_mark mark = {
        .clear = LEAT_WORD_CLAIMED,
        .mask = LEAT_WORD_CLAIMED | LEAT_WORD_ATTEMPT,
        .value = LEAT_WORD_CLAIMED | leat_word_attempt(run->number),
    };
    uint64_t before = 0;
    return leat_job_mark(run->word, &mark, &before);
}

/* Makes this completion the only one of its attempt. pre: a hold. */
static enum leat_status
claim(struct leat_run *run, uint32_t number)
{
    run->number = number;
    const struct leat_mark mark = {
        .set = LEAT_WORD_CLAIMED,
        .mask = LEAT_WORD_CLAIMED | LEAT_WORD_ATTEMPT,
        .value = leat_word_attempt(run->number),
    };
    uint64_t before = 0;
    if (!leat_job_mark(run->word, &mark, &before)) {
        return LEAT_STALE;
    }
    /* rlx: ordered by mark:A */
    if (atom_load_rlx(&run->record->attempts) != number) {
        (void)unclaim(run);
        return LEAT_STALE;
    }
    return LEAT_OK;
}

/* The attempt ends by this completion alone. */
static void
result_set(const struct leat_run *run, const struct leat_said *said)
{
    struct leat_job_extra *extra = leat_job_extra(run->record);
    if (said->result != NULL) {
        leat_memory_give(&run->engine->memory, extra->result, extra->result_bytes);
        extra->result = said->result;
        extra->result_bytes = said->result_bytes;
    }
}

/* The claim holds: says the outcome, and ends the attempt where the handler has answered pending;
 * else its worker does. Unless it was said that it is timed out. */
static enum leat_status
finish(struct leat_run *run, struct leat_outcome outcome, const struct leat_said *said)
{
    uint64_t text = run->late ? LEAT_WORD_OUTCOME_TEXT : 0;
    uint64_t kind = leat_timers_answer_keep(run, outcome);
    const struct leat_mark say = {
        .set = (kind | text) << LEAT_WORD_OUTCOME_SHIFT,
        .mask = LEAT_WORD_CLAIMED | LEAT_WORD_OUTCOME | LEAT_WORD_ATTEMPT,
        .value = LEAT_WORD_CLAIMED | leat_word_attempt(run->number),
    };
    uint64_t before = 0;
    if (!leat_job_mark(run->word, &say, &before)) {
        return LEAT_STALE;
    }
    if ((before & LEAT_WORD_AWAITED) == 0) {
        return LEAT_OK;
    }
    if ((before & LEAT_WORD_LINKED) != 0) {
        leat_timers_cancelled(run->engine, run->index);
    }
    result_set(run, said);
    if (run->timed_out) {
        (void)atom_add_rlx(&run->engine->timers.timed_out, 1); /* rlx: statistic */
    }
    run->probe = leat_breaker_probes(run->record); /* by now the record is this thread's */
    settle(run, outcome);
    settled(run->engine);
    return LEAT_OK;
}

/* Puts the text where the end finds it. The lock keeps the completion of a later attempt away from
 * the text, and whoever gets it looks whether its own attempt is still the one that runs. */
static enum leat_status
late_write(const struct leat_run *run, struct leat_job_errors *errors, const char *error)
{
    const struct leat_mark still = {
        .mask = LEAT_WORD_CLAIMED | LEAT_WORD_ATTEMPT,
        .value = LEAT_WORD_CLAIMED | leat_word_attempt(run->number),
    };
    uint64_t before = 0;
    uint32_t unlocked = 0;
    /* late:A acq_rel -> late:B.  Carries: the end of the last writer's copy.
     * If relaxed: two texts could mix. */
    if (!atom_cas_acq_rel(&errors->late_lock, &unlocked, 1)) {
        (void)unclaim(run);
        return LEAT_BUSY;
    }
    if (!leat_job_mark(run->word, &still, &before)) {
        return LEAT_STALE;
    }
    leat_text_copy(errors->late, error);
    return LEAT_OK;
}

static void
late_unlock(struct leat_job_errors *errors)
{
    /* late:B release -> late:A.  Carries: see late:A.
     * If relaxed: see late:A. */
    atom_store_rel(&errors->late_lock, 0);
}

/* The claim holds, and there is more to say than the outcome. */
static enum leat_status
finish_extra(struct leat_run *run, struct leat_outcome outcome, const struct leat_said *said)
{
    bool says = said->error != NULL;
    struct leat_job_errors *errors = says ? leat_job_errors_make(run->engine, run->record) : NULL;
    bool none = says ? errors == NULL : leat_job_extra_make(run->engine, run->record) == NULL;
    /* While the claim holds it stays so. rlx: hint, re-checked at mark:A */
    uint64_t now = atom_load_rlx(run->word);
    bool early = (now & LEAT_WORD_AWAITED) == 0;
    if (none || ((said->result != NULL || said->timed_out) && early)) {
        enum leat_status status = none ? LEAT_NO_MEMORY : LEAT_WRONG_STATE;
        return unclaim(run) && !leat_word_timed_out(now) ? status : LEAT_STALE;
    }
    if (!says) {
        return finish(run, outcome, said);
    }
    enum leat_status status = late_write(run, errors, said->error);
    if (status == LEAT_BUSY) {
        return status;
    }
    if (status == LEAT_OK) {
        status = finish(run, outcome, said);
    }
    late_unlock(errors);
    return status;
}

enum leat_status
leat_run_complete(struct leat_run *run, uint32_t number, struct leat_outcome outcome,
                  const struct leat_said *said)
{
    enum leat_status status = claim(run, number);
    if (status != LEAT_OK) {
        return status;
    }
    attempt_of(run);
    run->late = said->error != NULL;
    run->timed_out = said->timed_out;
    bool plain = said->error == NULL && said->result == NULL && !said->timed_out;
    return plain ? finish(run, outcome, said) : finish_extra(run, outcome, said);
}

enum leat_status
leat_outcome_check(struct leat_outcome outcome)
{
    switch (outcome.kind) {
    case LEAT_OUTCOME_DONE:
    case LEAT_OUTCOME_FAIL:
    case LEAT_OUTCOME_RETRY:
    case LEAT_OUTCOME_SNOOZE:
        return LEAT_OK;
    case LEAT_OUTCOME_PENDING:
        break;
    }
    return LEAT_INVALID;
}

enum leat_status
leat_complete(struct leat_engine *engine, leat_token token, struct leat_outcome outcome,
              const char *error)
{
    enum leat_status status = leat_engine_check(engine);
    if (status == LEAT_OK) {
        status = leat_outcome_check(outcome);
    }
    uint32_t index = 0;
    uint32_t number = 0;
    if (status == LEAT_OK) {
        status = leat_token_hold(engine, token, &index, &number);
    }
    if (status != LEAT_OK) {
        return status;
    }
    const struct leat_said said = {.error = error};
    struct leat_run run = leat_run_of(engine, index);
    status = leat_run_complete(&run, number, outcome, &said);
    leat_job_unhold(engine, index);
    return leat_durable_settle(engine, status);
}
