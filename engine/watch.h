/* watch.h - running timeouts: who looks how long handlers take, and what becomes of one that is
 * late. Why it is so and not otherwise: docs/design/0014.
 *
 * No attempt has a timer, and none reads a clock. A worker says in its place which job it is in,
 * with a store that its statistics need anyway, and how many attempts it has begun. The watcher
 * comes by now and then and remembers when it first saw what it sees.
 *
 * Source   ours.
 * Roles    the worker of a place writes `running` and `jobs_run`. Any thread looks: the first one
 *          is the watcher and writes `watched`, who comes while it is at it goes on. Worker,
 *          watcher and leat_complete() meet on the job's word.
 * Claims   look    never waits; a swap of a word fails only where another thread's was done.
 *                  BLOCKING in its watcher: while one that has stopped is at it, nobody is timed
 *                  out. Workers and all others go on.
 *          Decided once: that an attempt was timed out is one swap of its word, and so is its end.
 *                  See TIMED_OUT in engine/job.h for what either does where the other came first.
 *          Never early: at two looks that are a timeout apart, and at each between, the word said
 *                  RUNNING with the same generation and bits of attempt, and the worker that it
 *                  had begun no other attempt.
 *          Late by at most what leat_watch_grain_ns() says, and by what the watcher itself is late.
 * Edges    looked:A -> looking:A   `watched`, as the last watcher left it
 * I1       an attempt is timed out at most once, and only while its handler has not answered and
 *          leat_complete() has not said anything
 * I2       a place is stuck only while its worker is in the handler of a late attempt
 * If the watcher stops for ever: no attempt is late any more; if it was asking for a timeout, that
 * one record is not given back. If a worker does: its job is late and then stuck, no other is.
 */
#ifndef ENGINE_WATCH_H
#define ENGINE_WATCH_H

#include "engine/limits.h"
#include "ring/atomic.h"
#include "sched/clock.h"

struct leat_engine;

/* What the watcher knows of one place. Letters: O the watcher; W it writes, many read. */
struct leat_watched {
    LEAT_ALIGNED_LINE uint64_t job; /* O its id; 0: none */
    uint64_t run;                   /* O which run of the worker, by its jobs_run */
    uint64_t word;                  /* O the word's generation and attempt */
    uint64_t since_ns;              /* O the first look that found it there */
    uint64_t timeout_ns;            /* O once asked; 0: none */
    bool asked;                     /* O */
    bool late;                      /* O its time was over at a look */
    leat_atomic_u64 stuck;          /* W id of the job whose handler did not heed it; 0: none */
};

/* Letters: S many writers; T a statistic of one writer. */
struct leat_watch {
    LEAT_ALIGNED_LINE leat_atomic_u64 shortest_ns; /* S of all timeouts so far; 0: none */
    leat_atomic_u32 looking;                       /* S 1: a thread is the watcher */
    leat_atomic_u64 next_ns;                       /* S when to look again, said last */
    leat_atomic_u64 timed_out;                     /* T attempts */
    leat_atomic_u64 stuck;                         /* T of these, not back in time; each once */
};

/* Timeouts of `timeout_ns`, 0: none, are to be watched from now on. Progress: lock-free. */
void leat_watch_expect(struct leat_engine *engine, uint64_t timeout_ns);

/* How often the watcher looks at least, and so how late it may be: an eighth of the shortest
 * timeout, but no less than LEAT_WATCH_NS_MIN. LEAT_FOREVER: there is nothing to look for. */
uint64_t leat_watch_grain_ns(const struct leat_watch *watch);

/* Looks at all places; `now_ns` is by the clock MONOTONIC. Returns when to look again;
 * LEAT_FOREVER: when a timeout is expected. */
uint64_t leat_watch_look(struct leat_engine *engine, uint64_t now_ns);
/* When that is, as far as it matters: LEAT_FOREVER while no handler runs. Progress: wait-free. */
uint64_t leat_watch_next(const struct leat_engine *engine);
/* The same two for the thread of the clocks. */
struct leat_clock_source leat_watch_source(struct leat_engine *engine);

/* The job that a place is stuck in at this moment, or 0. */
uint64_t leat_watch_stuck(const struct leat_engine *engine, uint32_t place);

#endif
