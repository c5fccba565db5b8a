/* batch.h - many jobs in one call: chunks, a rate, what comes behind a refusal, who is told. How
 * one job and how an all-or-none chunk is taken in: submit.c. Why it is so: docs/design/0029.
 *
 * Progress: as of the submits. BLOCKING with a rate: the caller's thread sleeps, with nothing in
 * hand.
 */
#ifndef ENGINE_BATCH_H
#define ENGINE_BATCH_H

#include <stddef.h>

#include "engine/leat.h"

struct leat_engine;
struct leat_plan;

/* Jobs that are taken in as a whole. */
struct leat_batch_part {
    const struct leat_job *jobs; /* all of the call's, of which these are */
    size_t first;
    size_t count;
    leat_job_id *ids;             /* of these, or NULL; untouched where they are refused */
    enum leat_status *statuses;   /* the same, or NULL; the culprits', and LEAT_OK of the others */
    uint64_t deadline_ns;         /* of a wait for room, by the system's monotonic clock */
    const struct leat_plan *plan; /* they are a graph; or NULL */
};

/* An array of jobs has the stride of the header that its program was built with. */
static inline const struct leat_job *
leat_batch_job(const struct leat_job *jobs, size_t index)
{
    const unsigned char *bytes = (const unsigned char *)jobs;
    return (const struct leat_job *)(const void *)(bytes + (size_t)jobs->size * index);
}

/* What one of them asks for. */
struct leat_batch_ask {
    uint64_t block_ns; /* see leat_room_block_ns(); if it is counted */
    uint32_t queue;
    uint32_t type;
    uint32_t level;
    uint32_t bytes;
    uint32_t index; /* of its record, if it is published and to run at once; else none */
    bool counted;   /* it waits from now on, and its queue counts it */
};

/* Puts those that have an index where they wait, the most urgent level first. `items` has room for
 * as many. Progress: lock-free. */
void leat_batch_put(struct leat_engine *engine, const struct leat_batch_ask *asks, size_t count,
                    uint32_t *items);

/* The host's clock has moved: calls who sleeps by it. */
void leat_batch_clock_changed(struct leat_engine *engine);

/* ---- submit.c ------------------------------------------------------------------------------- */

enum leat_status leat_submit_all(struct leat_engine *engine, const struct leat_batch_part *part);
/* leat_submit() of a job, without a wait for room beyond the deadline. */
enum leat_status leat_submit_until(struct leat_engine *engine, const struct leat_job *given,
                                   uint64_t deadline_ns, leat_job_id *id);

#endif
