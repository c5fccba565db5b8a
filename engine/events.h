/* events.h - telling a host what becomes of its jobs, off their way: who makes a transition puts an
 * event into a queue, and the thread of the clocks takes it out and calls the host. Why it is so:
 * docs/design/0034.
 *
 *   free    a ring of the slots that nobody has  -> a putter's (put)
 *   ready   a ring of the slots with an event    -> the drainer's, who copies it -> free
 *
 * Roles    put    any thread, also with a mutex of the engine's own, and in a section of rcu.h.
 *          drain  one thread at a time: the clocks' thread, who asks the clocks, or who stops.
 * Claims   put    never waits for a drainer: without a free slot the event is dropped, and counted.
 *                 As lock-free as the ring of the library (ring/mpmc.h).
 *          drain  BLOCKING in the host's function: while that is at it nobody else drains.
 *          The events of one job come in the order in which they happened: each is put before the
 *          swap that lets another thread go on with the job; that of an end behind its swap, since
 *          nothing comes after it. (A dead letter that is brought back in this moment may have its
 *          next event before it.)
 *          No event stays behind: who has put one rings the doorbell of the clocks, and a drainer
 *          that finds another one at it asks to be called again.
 * Edges    those of ring/mpmc.h
 * I1       each slot is in one of both rings, or in one thread's hand
 * If a thread stops for ever: between the rings one slot is lost. In the host's function, no event
 * is told any more, and no time is served: it is the thread of the clocks.
 */
#ifndef ENGINE_EVENTS_H
#define ENGINE_EVENTS_H

#include "engine/engine_internal.h"

/* Beside the kinds: the engine has a log, which is told of each end. */
#define LEAT_EVENTS_LOGGED (UINT32_C(1) << 31)
LEAT_STATIC(LEAT_EVENT_KINDS < 31, "the kinds leave a bit");

/* Somebody wants one of these kinds: bits of LEAT_EVENT_BIT(). Late is safe: an event more or less
 * where the mask is being changed. */
LEAT_INLINE bool
leat_events_wanted(const struct leat_engine *engine, uint32_t kinds)
{
    /* rlx: statistic */
    return LEAT_UNLIKELY((atom_load_rlx(&engine->events_wanted) & kinds) != 0);
}

/* False: no memory. Nothing is taken where the host has no function for events or log lines. */
bool leat_events_init(struct leat_engine *engine);
void leat_events_fini(struct leat_engine *engine);
size_t leat_events_bytes(const struct leat_config *concrete);
/* The kinds that the host asks for from now on. */
void leat_events_select(struct leat_engine *engine, uint32_t mask);

/* Puts an event, with its time, if somebody wants its kind. */
void leat_events_put(struct leat_engine *engine, struct leat_event event);
/* Of an attempt, or of a job that is this thread's. */
void leat_events_run(const struct leat_run *run, enum leat_event_kind kind);
void leat_events_job(struct leat_engine *engine, uint32_t index, enum leat_event_kind kind);
/* One of a job that is this thread's, without its kind. */
struct leat_event leat_events_of(const struct leat_engine *engine, uint32_t index);
/* A job is about to be taken in. */
LEAT_INLINE void
leat_events_submitted(struct leat_engine *engine, uint32_t index)
{
    if (leat_events_wanted(engine, LEAT_EVENT_BIT(LEAT_EVENT_SUBMITTED))) {
        leat_events_job(engine, index, LEAT_EVENT_SUBMITTED);
    }
}
/* An attempt begins. */
LEAT_INLINE void
leat_events_started(const struct leat_run *run)
{
    if (leat_events_wanted(run->engine, LEAT_EVENT_BIT(LEAT_EVENT_STARTED))) {
        leat_events_run(run, LEAT_EVENT_STARTED);
    }
}
/* A job has ended, on which the caller has a hold; or one that waited, by what was read of it
 * before. */
void leat_events_ended(struct leat_engine *engine, uint32_t index, struct leat_ending ending);
void leat_events_waited(struct leat_engine *engine, leat_job_id id, struct leat_stand stand,
                        struct leat_ending ending);
/* How a job ended, by its phase and reason. */
enum leat_event_kind leat_events_end(enum leat_phase phase, enum leat_reason reason);

/* Hands all that is there to the host. For who stops the engine. */
void leat_events_drain(struct leat_engine *engine);
/* For the thread of the clocks. */
struct leat_clock_source leat_events_source(struct leat_engine *engine);
/* The calling thread is in the host's function. */
bool leat_events_inside(const struct leat_engine *engine);

/* How many were dropped so far. */
uint64_t leat_events_dropped(const struct leat_engine *engine);

/* Checks I1 while nobody is at it; says on `why` (may be NULL) what is wrong. */
bool leat_events_check(const struct leat_engine *engine, FILE *why);

#endif
