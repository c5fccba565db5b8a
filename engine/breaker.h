/* breaker.h - circuit breakers: a type whose attempts fail too often is shut for a while, so that
 * its jobs wait, at the gate of their type, instead of using up their attempts. Why so:
 * docs/design/0023.
 *
 *   CLOSED     attempts are counted in a window; too many failures: OPEN
 *   OPEN       none begins; after open_ns: HALF_OPEN
 *   HALF_OPEN  so many as `probes` may begin. One that fails: OPEN. All succeeded: CLOSED. Those
 *              that came to neither within open_ns (snoozed, cancelled, pending) are replaced.
 *              Attempts that began otherwise, before it opened or inline, count as nothing
 *
 * A probe is marked in its record (LEAT_ADMITTED_PROBE) from its ticket on until its attempt ends;
 * where its job does not begin, it gives the ticket back. One of an earlier half-open time counts
 * in a later one.
 *
 * Roles    whoever ends an attempt counts it; a worker that is about to begin one asks; any thread
 *          looks what is due.
 * Claims   BLOCKING for attempts of a type that has a breaker, on each other: its mutex, held for
 *          some counting. Other types do not meet it.
 * I1       the gate's bit BROKEN is set while OPEN, and while HALF_OPEN with no ticket left; it is
 *          changed under the mutex only
 * Edges    listed:B -> listed:A   a breaker, as it was made
 */
#ifndef ENGINE_BREAKER_H
#define ENGINE_BREAKER_H

#include "engine/gates.h"

struct leat_breaker_slice {
    uint32_t calls;
    uint32_t failures;
};

/* Letters: I set at init, then read-only; S many writers, what
 * is not atomic under the mutex. */
struct leat_breaker {
    pthread_mutex_t mutex;               /* S */
    struct leat_breaker_options options; /* I */
    struct leat_engine *engine;          /* I */
    struct leat_breaker *next;           /* I of those of the engine */
    uint32_t type;                       /* I index, set before it is bound */
    leat_atomic_u32 state;               /* S enum leat_breaker_state, written under the mutex */
    uint32_t tickets;                    /* S HALF_OPEN: attempts that may begin */
    uint32_t successes;                  /* S HALF_OPEN */
    uint64_t until_ns;                   /* S by BOOT: when something is due; LEAT_TIME_NEVER */
    uint64_t openings;                   /* S */
    uint32_t calls;                      /* S in the window */
    uint32_t failures;                   /* S */
    uint32_t place;                      /* S of the next call in `failed` */
    uint64_t slice;                      /* S number of the present one */
    uint64_t failed[LEAT_BREAKER_CALLS_MAX / 64];          /* S a bit for each call */
    struct leat_breaker_slice slices[LEAT_BREAKER_SLICES]; /* S by number */
};

/* LEAT_OK, LEAT_INVALID or LEAT_UNSUPPORTED, and `error` (may be NULL) names the field; fills
 * *known with the caller's options. */
enum leat_status leat_breaker_check(struct leat_breaker_options *known,
                                    const struct leat_breaker_options *given,
                                    struct leat_error *error);
/* The options were checked. NULL: no memory. */
struct leat_breaker *leat_breaker_make(struct leat_engine *engine,
                                       const struct leat_breaker_options *options);
void leat_breaker_free(struct leat_engine *engine, struct leat_breaker *breaker);
/* Its type is bound, and has it from now on. Progress: blocking (a grace period). */
void leat_breaker_stand(struct leat_breaker *breaker);

/* An attempt is about to begin, as a probe or otherwise. False: it may not. */
bool leat_breaker_begin(struct leat_engine *engine, struct leat_job_record *record);
void leat_breaker_ticket_give(struct leat_engine *engine, struct leat_job_record *record);
void leat_breaker_count(const struct leat_run *run, bool failed);

/* The attempt is a probe. pre: the caller has the job in hand. */
LEAT_INLINE bool
leat_breaker_probes(const struct leat_job_record *record)
{
    return (record->admitted & LEAT_ADMITTED_PROBE) != 0;
}

/* It may begin, and does not. */
LEAT_INLINE void
leat_breaker_unbegin(struct leat_engine *engine, struct leat_job_record *record)
{
    if (LEAT_UNLIKELY(leat_breaker_probes(record))) {
        leat_breaker_ticket_give(engine, record);
    }
}

/* An attempt has ended. pre: where it failed, its word does not say so yet. */
LEAT_INLINE void
leat_breaker_ended(const struct leat_run *run, bool failed)
{
    if (LEAT_UNLIKELY(run->breaker != NULL)) {
        leat_breaker_count(run, failed);
    }
}

#endif
