/* timers.h - jobs that wait for a time: the wheels of an engine, and what the engine's files ask of
 * them. Why so: docs/design/0016.
 *
 * A job that waits here is in phase SCHEDULED or RETRYING, or RUNNING and pending for a time
 * (pending.h), and LINKED for its place on a wheel. State first, timer second: who makes it wait
 * changes the word, arms the timer, and looks at the word again; who cancels or completes it
 * changes the word and then cancels the timer. One of both sees the other, and takes the timer off.
 * Whoever has a record from its wheel, for whatever reason, sends it where its word says by then.
 * So a timer that is taken off, or moved ahead, in vain does no harm. Whoever calls with an index
 * has a hold on the record, so that it is not another job's by then.
 */
#ifndef ENGINE_TIMERS_H
#define ENGINE_TIMERS_H

#include "engine/engine_internal.h"

/* Delays and times from now on, as far as a clock of 64 bits goes for sure: 146 years. */
LEAT_INLINE uint64_t
leat_timers_after(uint64_t now_ns, uint64_t delay_ns)
{
    const uint64_t most = UINT64_C(1) << 62;
    return now_ns >= most || delay_ns > most - now_ns ? most : now_ns + delay_ns;
}

enum leat_os_result leat_timers_init(struct leat_engine *engine);
void leat_timers_fini(struct leat_engine *engine);
/* Bytes that are mapped. */
size_t leat_timers_bytes(const struct leat_config *concrete);

/* A time that is over: then a job goes in front of those that wait, if it is a pull queue's. */
#define LEAT_TIMERS_FRONT 1

/* When a job is to go on. */
struct leat_due {
    enum leat_time time; /* BOOT or WALL; 0: at once */
    uint64_t at_ns;
};

/* What a caller asked for: one of both, or 0 for at once. A time that is past is at once. */
struct leat_due leat_timers_due(const struct leat_engine *engine, uint64_t delay_ns,
                                uint64_t run_at_ns);

/* Says when the job is due. pre: nobody else may: its word does not yet say that it waits, or the
 * caller has CHANGING. */
void leat_timers_set(struct leat_engine *engine, uint32_t index, struct leat_due due);
/* Arms the timer of a job whose word was just made to say that it waits. pre: a hold; the record is
 * in no other place. Progress: lock-free. */
void leat_timers_arm(struct leat_engine *engine, uint32_t index);
/* The same where its time may be over by now. */
void leat_timers_arm_late(struct leat_engine *engine, uint32_t index);
/* Moves the timer to when the job is due now. False: it is not armed. pre: a hold. Progress:
 * lock-free. */
bool leat_timers_move(struct leat_engine *engine, uint32_t index);
/* The caller took the index from a ring, a list or a hand, and the job is not PENDING: it was
 * cancelled, and its place lets go of it; or changed, and goes to a wheel. Progress: lock-free. */
void leat_timers_route(struct leat_engine *engine, uint32_t index);
/* What the job waited for here has come, or it was cancelled: its wheel lets go of it, soon. pre: a
 * hold. Progress: lock-free. */
void leat_timers_cancelled(struct leat_engine *engine, uint32_t index);
/* There is no free record: has a worker take those of cancelled jobs off the wheels, which would
 * come to it with the next timer only. Progress: lock-free. */
void leat_timers_release(struct leat_engine *engine);
/* When the job is due, as it was said. */
struct leat_due leat_timers_due_of(const struct leat_engine *engine, uint32_t index);
/* How long a job that waits here still has to, as far as that can be seen. */
uint64_t leat_timers_left(const struct leat_engine *engine, uint32_t index);

/* How often the job was snoozed so far; and once more (1), or less (-1). pre: nobody else can run
 * it: the caller does. */
uint32_t leat_timers_snoozes_slowly(const struct leat_engine *engine, uint32_t index);
LEAT_INLINE uint32_t
leat_timers_snoozes(const struct leat_engine *engine, uint32_t index)
{
    bool snoozed = leat_job_snoozed(leat_job_record(engine, index));
    return LEAT_UNLIKELY(snoozed) ? leat_timers_snoozes_slowly(engine, index) : 0;
}
void leat_timers_snoozed(struct leat_engine *engine, uint32_t index, int change);

/* What a leat_complete() says while the handler is still at work: kept until it answers. Returns
 * the kind that stands for it in the word, which has no room for more. pre: a claim; where that was
 * lost meanwhile, nothing is kept. */
uint64_t leat_timers_answer_keep(const struct leat_run *run, struct leat_outcome outcome);
struct leat_outcome leat_timers_answer(const struct leat_engine *engine, uint32_t index,
                                       enum leat_outcome_kind kind);

/* Jobs that begin (1) or end (-1) to wait in a phase, for the statistics. */
void leat_timers_count(struct leat_engine *engine, enum leat_phase phase, int change);

/* For pool.ops.advance. */
bool leat_timers_advance(void *context, uint32_t worker);

#endif
