/* trace.h - what a worker's flight recorder (ring/flight.h) says: which record stands for what, and
 * writing those that workers write by themselves. Why it is so: docs/design/0034.
 *
 * Nothing here is on the way of a task, and of a job only where it is timed anyway: what a worker
 * says by itself belongs to a park, a steal or a look at timers, each of which costs more than a
 * look at the clock.
 */
#ifndef SCHED_TRACE_H
#define SCHED_TRACE_H

#include "sched/pool.h"

/* A record: time by MONOTONIC | kind 8, and what each has more | two more words. */
enum leat_trace_kind {
    LEAT_TRACE_RUN_BEGIN = 1, /* attempt 16, type 16, queue 16 | id | time of submit */
    LEAT_TRACE_RUN_END,       /* outcome 16 | id | time of begin */
    LEAT_TRACE_PARK,          /* goes to sleep */
    LEAT_TRACE_WAKE,          /* was woken */
    LEAT_TRACE_STEAL,         /* victim 16, level 16, items 16 */
    LEAT_TRACE_TIMERS_BEGIN,  /* advances timers that are due */
    LEAT_TRACE_TIMERS_END
};

enum { LEAT_TRACE_TIME, LEAT_TRACE_WHAT, LEAT_TRACE_SUBJECT, LEAT_TRACE_MORE };

#define LEAT_TRACE_KIND UINT64_C(0xff)

/* Above the three fields: which time it was that records are wanted, 1 to 255. */
#define LEAT_TRACE_ROUND_SHIFT 56
#define LEAT_TRACE_ROUNDS      255U

/* The second word; a field that is not there is 0, and the round is put in by who writes it. */
LEAT_INLINE uint64_t
leat_trace_what(enum leat_trace_kind kind, uint32_t first, uint32_t second, uint32_t third)
{
    return (uint64_t)kind | (uint64_t)(first & UINT16_MAX) << 8 |
           (uint64_t)(second & UINT16_MAX) << 24 | (uint64_t)(third & UINT16_MAX) << 40;
}

/* One of the three. */
LEAT_INLINE uint32_t
leat_trace_field(uint64_t what, uint32_t number)
{
    return (uint32_t)(what >> (8 + 16 * number)) & UINT16_MAX;
}

/* 0: the worker's records are not wanted; else the round. What begins in one does not end in
 * another: what was between is not there. Late is safe: then a few are there too many, or too
 * few. */
LEAT_INLINE uint32_t
leat_trace_round(const struct leat_worker *worker)
{
    /* rlx: statistic */
    return worker->flight.slots == NULL ? 0 : atom_load_rlx(&worker->pool->tracing);
}

/* Writes the record, if it is wanted. pre: the caller is the worker. */
LEAT_INLINE void
leat_trace_put(struct leat_worker *worker, struct leat_flight_record record)
{
    uint32_t round = leat_trace_round(worker);
    if (round != 0) {
        record.words[LEAT_TRACE_WHAT] |= (uint64_t)round << LEAT_TRACE_ROUND_SHIFT;
        leat_flight_write(&worker->flight, &record);
    }
}

/* Writes a record of this moment. pre: the caller is the worker. */
void leat_trace_note(struct leat_worker *worker, uint64_t what);

#endif
