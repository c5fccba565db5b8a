/* trail.h - which jobs of a queue with LEAT_FULL_DROP_OLDEST came first. Ids in the order of their
 * submits, one row for each level, under one lock. Who leaves the queue leaves its id behind: those
 * at the front are passed by with the next submit, and a full row is tidied, so a row has at most
 * twice as many places as jobs wait, and a submit costs two looks at a word on the average.
 *
 * Progress: BLOCKING in who holds the lock; who takes, runs or cancels a job does not ask for it.
 */
#ifndef ENGINE_TRAIL_H
#define ENGINE_TRAIL_H

#include "engine/leat.h"
#include "engine/limits.h"
#include "ring/atomic.h"
#include "ring/mutex.h"

struct leat_engine;
struct leat_stand;

/* Under the lock: ids[first .. end). */
struct leat_trail_row {
    leat_job_id *ids;
    uint32_t first;
    uint32_t end;
    uint32_t capacity;
};

/* Letters: S many writers, those without a remark under the lock. */
struct leat_trail {
    pthread_mutex_t mutex;                            /* S */
    leat_atomic_u64 dropped;                          /* S without it */
    struct leat_trail_row rows[LEAT_PRIORITY_LEVELS]; /* S */
};

/* NULL: no memory. */
struct leat_trail *leat_trail_create(struct leat_engine *engine);
void leat_trail_destroy(struct leat_engine *engine, struct leat_trail *trail);

/* A job was submitted. Where there is no memory to note it, it is not going to be dropped. */
void leat_trail_add(struct leat_engine *engine, struct leat_trail *trail, uint32_t level,
                    leat_job_id id);
/* Ends the oldest job of the least urgent ones that are not more urgent than `level`. False: there
 * is none. */
bool leat_trail_drop(struct leat_engine *engine, struct leat_trail *trail, uint32_t level);

/* Goes over those that leat_trail_drop() would end, in that order, as they are now: its caller
 * keeps the lock, so that others drop none of them meanwhile. They may leave by themselves. */
struct leat_trail_look {
    uint32_t rows; /* those from here on are done; LEAT_PRIORITY_LEVELS at first */
    uint32_t at;   /* passed by in the row before that */
};

/* The next one, as it stands in its queue. False: there is none. */
bool leat_trail_next(const struct leat_engine *engine, const struct leat_trail *trail,
                     uint32_t level, struct leat_trail_look *look, struct leat_stand *stand);

#endif
