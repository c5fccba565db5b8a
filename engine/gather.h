/* gather.h - handlers that take several jobs of their type in one call. Why so: docs/design/0024.
 *
 * A worker that takes a job of such a type does not begin it, but puts it into the type's list.
 * Whoever fills the list takes all of it and runs the call. Where it does not fill, a task of the
 * pool comes for it: posted at once where nothing is to be waited for, or when the delay is over.
 * So no worker is held while jobs are gathered.
 *
 * Source   ours.
 * Roles    any worker adds, takes, and posts the task; the thread of the clocks, and who lends one
 *          a thread, look when that is to be done.
 * Claims   BLOCKING in the type's mutex, for the jobs of that type: who stops behind it keeps them,
 *          and whoever comes to them, or to lists that are due; and a grace period waits for these.
 *          Held for a copy of at most LEAT_BATCH_MAX numbers, and a post; never while a function of
 *          the user's runs.
 *          A job in the list is PENDING and LINKED: it is its place. Who takes it from there begins
 *          it as from a ring, or passes it on where it was cancelled, changed or paused meanwhile.
 * `look`   when to look at the list, by BOOT; at most when its delay is over, and often earlier, as
 *          it is left alone when the list is taken: so the thread of the clocks is not woken for
 *          each list, and finds out by itself when the next time is.
 * I1       count < most behind each call
 * I2       count > 0: a task was posted that has not begun, or look is at most due_ns
 * I3       count > 0, or what was taken is not through: counted in leat_outside.awaited
 * Edges    gathers:B -> gathers:A   the gather, as it was made
 *          gathered:A -> drain:A    that what was taken is through
 * If a thread stops for ever: with a list that it took, those jobs wait with it.
 */
#ifndef ENGINE_GATHER_H
#define ENGINE_GATHER_H

#include "engine/engine_internal.h"

/* One job of a call. The run comes first: a handler has the one and we want the other. */
struct leat_batch_run {
    struct leat_run run;
    struct leat_batch *batch;
};

/* What one place needs for a call, made when the type is registered. */
struct leat_batch {
    uint32_t *indices;              /* taken from the list */
    struct leat_batch_run *entries; /* those of them that were begun */
    struct leat_run **runs;         /* the same, for the handler */
    struct leat_outcome *outcomes;
    uint32_t count;
    uint64_t timeout_ns;           /* the longest; 0: none */
    const struct leat_run *leader; /* who has it */
};

/* Letters: I set when it is made; S under the mutex; W written under it. */
struct leat_gather {
    struct leat_engine *engine; /* I */
    leat_batch_handler handler; /* I */
    void *context;              /* I */
    uint64_t delay_ns;          /* I */
    uint32_t type;              /* I */
    uint32_t most;              /* I */
    uint32_t places;            /* I */
    struct leat_batch *batches; /* I by place; each its worker's */
    uint32_t *indices;          /* S those that wait */
    struct leat_gather *next;   /* I the one before it */
    pthread_mutex_t mutex;      /* S */
    leat_atomic_u64 look;       /* W when to look at it; LEAT_TIME_NEVER: not */
    uint64_t due_ns;            /* S when the delay is over, of what waits */
    uint32_t count;             /* S */
    uint32_t level;             /* S of the first one */
    bool called;                /* S a task is on its way */
};

/* NULL: no memory. */
struct leat_gather *leat_gather_make(struct leat_engine *engine, leat_batch_handler handler,
                                     void *context, const struct leat_type_options *options);
/* The type is bound: from now on the clocks know of it. */
void leat_gather_begin(struct leat_gather *gather);
/* One that has not begun. NULL does nothing. */
void leat_gather_free(struct leat_gather *gather);
void leat_gathers_fini(struct leat_engine *engine);

/* A worker took a job of the type from its place. */
void leat_gather_take(struct leat_gather *gather, struct leat_worker *worker, uint32_t index);
/* As a leat_handler, for a job that runs inline. `context` is the gather. */
struct leat_outcome leat_gather_single(struct leat_run *run, void *context);

/* Of a run of a batch: the time of all; 0: none. It is over. */
uint64_t leat_gather_timeout_ns(const struct leat_run *run);
bool leat_gather_timed_out(const struct leat_run *run);

/* Posts tasks for the lists that are due. On a worker's thread. True: one did not fit. */
bool leat_gather_advance(struct leat_engine *engine);
/* The engine drains: no list waits any longer. */
void leat_gather_hurry(struct leat_engine *engine);
struct leat_clock_source leat_gather_source(struct leat_engine *engine);

/* Checks I1 to I3 of a quiescent engine, as far as they can be seen; says on `why` (may be NULL)
 * what is wrong. */
bool leat_gathers_check(struct leat_engine *engine, FILE *why);

#endif
