/* completion.h - completion queues: how the end of a job comes to the event loop of a host.
 *
 * A queue has so many slots. A submit that names it reserves one and the record says which; whoever
 * ends the job fills the slot and puts it into the queue's ring; the host takes it out. So an end
 * always finds a place, however slow the host is: what is refused is the submit.
 *
 *   free   a ring of the slots that nobody has        -> a job's  (reserve)
 *   a job's: it has not ended                         -> ready    (deliver), free (release)
 *   ready  a ring of the slots of jobs that ended     -> free     (take)
 *
 * I1   each slot is in one of the three places, once
 * I2   the doorbell's I1, for the ring `ready`
 *
 * If a thread stops for ever: between a ring and the other one, or in the end of a job, one slot is
 * lost to the others until it goes on. The doorbell says what else.
 */
#ifndef ENGINE_COMPLETION_H
#define ENGINE_COMPLETION_H

#include "engine/engine_internal.h"
#include "ring/doorbell.h"

/* Letters: I set at create, then read-only; S many writers. */
struct leat_completion_queue {
    struct leat_engine *engine; /* I */
    uint32_t number;            /* I place in the engine's table */
    uint32_t slots_count;       /* I */
    size_t bytes;               /* I of the mapping that all of this stands in */
    /* I each is written by whoever has it: `user` since the reservation, the rest since the end */
    struct leat_completion *slots;
    struct leat_doorbell doorbell; /* S */
    struct leat_mpmc ready;        /* S */
    struct leat_mpmc free;         /* S */
};

/* A slot of a queue for one completion, which says `user`. LEAT_OK and *completion, for the record;
 * LEAT_FULL. pre: it is a queue of the job's engine. */
enum leat_status leat_completion_reserve(struct leat_completion_queue *queue, void *user,
                                         uint32_t *completion);
/* Gives the slot of a job that was not taken in back. 0 does nothing. */
void leat_completion_release(const struct leat_engine *engine, uint32_t completion);

/* How a job ended. */
struct leat_completion_end {
    leat_job_id id;
    enum leat_phase phase;
    enum leat_reason reason;
    enum leat_completion_kind kind;
    enum leat_status status;
};

/* Behind the swap that ended the job, by its thread. */
void leat_completion_deliver(struct leat_engine *engine, uint32_t completion,
                             struct leat_completion_end end);

/* Checks I1 of a quiescent queue of which jobs have `reserved` slots; says on `why` (may be NULL)
 * what is wrong. */
bool leat_completion_check(const struct leat_completion_queue *queue, uint32_t reserved, FILE *why);

/* Frees the queues that are left, at the end of an engine. */
void leat_completions_fini(struct leat_engine *engine);

/* The number of the queue that a record's `completion` > 0 names. */
LEAT_INLINE uint32_t
leat_completion_number(uint32_t completion)
{
    return (completion >> LEAT_RING_SLOTS_LOG2_MAX) - 1;
}

#endif
