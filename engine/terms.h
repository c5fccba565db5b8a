/* terms.h - what a job has of its own, where most take it from their type: its retry policy, its
 * timeout; and until when it may wait. They are in a block of their own, which only such jobs have:
 * the others pay for one look at a pointer. Why so: docs/design/0014.
 *
 * A job that waits longer than it may is ended by whoever comes to it: the worker that takes it, or
 * that moves it from a waiting list to a ring; or else by the sweep (sweep.h).
 */
#ifndef ENGINE_TERMS_H
#define ENGINE_TERMS_H

#include "engine/backoff.h"
#include "engine/config.h"
#include "engine/job.h"

struct leat_engine;

/* Letters: I set by the submitter; W one writer, many readers. */
struct leat_job_terms {
    uint64_t timeout_ns;         /* I LEAT_TIMEOUT_OF_TYPE, or what leat_timeout_valid() says */
    leat_atomic_u64 expires_ns;  /* W by the clock of delays; LEAT_FOREVER: never, and so from the
                                   moment on at which the job is brought back from the dead */
    bool backs_off;              /* I by a policy of its own: */
    struct leat_backoff backoff; /* I */
};

LEAT_INLINE bool
leat_timeout_valid(uint64_t timeout_ns)
{
    return timeout_ns == 0 ||
           (timeout_ns >= LEAT_TIMEOUT_NS_MIN && timeout_ns <= LEAT_TIMEOUT_NS_MAX);
}

/* LEAT_OK, LEAT_INVALID or LEAT_UNSUPPORTED; *known is as of leat_terms_read(). */
enum leat_status leat_terms_check(const struct leat_job_options *given,
                                  struct leat_job_options *room,
                                  const struct leat_job_options **known);

/* The caller's options where they are all that this library knows; else, and for NULL, *room with
 * the default ones where they say nothing. pre: they were checked. */
LEAT_INLINE const struct leat_job_options *
leat_terms_read(const struct leat_job_options *given, struct leat_job_options *room)
{
    if (LEAT_LIKELY(given != NULL && given->size == sizeof(*given))) {
        return given;
    }
    *room = leat_job_options_default();
    if (given != NULL) {
        enum leat_status status = leat_struct_read(room, sizeof(*room), given);
        LEAT_ASSERT(status == LEAT_OK);
    }
    return room;
}

/* Gives a record that nobody knows yet its terms. The options were checked. LEAT_NO_MEMORY. */
enum leat_status leat_terms_make(struct leat_engine *engine, uint32_t index,
                                 const struct leat_job_options *given);
void leat_terms_free(struct leat_engine *engine, struct leat_job_extra *extra);
/* The same, its labels, and its place in the exact order of its queue, as far as it has them. */
enum leat_status leat_terms_fill(struct leat_engine *engine, uint32_t index, uint32_t queue,
                                 const struct leat_job *job);

/* The job's own, or its type's, or the default one. pre: the caller keeps the record. */
uint64_t leat_terms_timeout_ns(const struct leat_engine *engine, uint32_t index);
const struct leat_backoff *leat_terms_backoff(const struct leat_engine *engine, uint32_t index);

/* Until when the job may wait; and true if it has waited for as long. pre: as above. */
uint64_t leat_terms_expires_ns(const struct leat_job_extra *extra);
bool leat_terms_expired(const struct leat_engine *engine, const struct leat_job_extra *extra);

#endif
