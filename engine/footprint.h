/* footprint.h - how much memory an engine has, and its cap. Why it is so: docs/design/0038.
 *
 * Only where leat_config.memory_max is set: then each allocation goes through a layer that counts,
 * each unit of records is counted when the first of its records is taken, and what is in memory of
 * rings, lists and task records is looked up at each look of the watchdog. Without a cap there is
 * no layer, no unit is looked at, and no clock asks.
 *
 * Two limits on one number. What asks for work to be taken in may use all but a part
 * (LEAT_FOOTPRINT_KEPT); the rest, to the cap, is for what accepted jobs say: results, texts of
 * errors, progress. Neither is exceeded by what is counted as it is taken; what is looked up comes
 * on top, up to the next look.
 *
 * Roles    any thread takes, gives and sets the cap. Any thread looks: the first one does, who
 *          comes while it is at it goes on.
 * Claims   take, give, admit   lock-free: a swap fails only where another one succeeded.
 *          look   never waits. BLOCKING in who looks: while that has stopped nothing is let go,
 *                 given back or told. Submits go on.
 * I1       used = what is out of the layer, payloads of the allocator, completion queues, units
 *          whose bit is set in `there`, what lasts of those in `seen`, and `mapped`
 * I2       a record in use is of a unit whose bit is set in `there`
 * Edges    watchdog:B -> watchdog:A   what the last look left
 */
#ifndef ENGINE_FOOTPRINT_H
#define ENGINE_FOOTPRINT_H

#include <stdio.h>

#include "engine/leat.h"
#include "engine/limits.h"
#include "ring/atomic.h"
#include "ring/memory.h"
#include "sched/clock.h"

struct leat_engine;

/* Letters: I set at open, then read-only; S many writers; O who looks. */
struct leat_footprint {
    struct leat_memory below;               /* I what the host gave, or the build */
    bool counted;                           /* I memory_max was set at open */
    bool whole;                             /* I the pages of all records are there from open on */
    uint32_t each;                          /* I bytes of a record that go back to the system */
    uint32_t lasting;                       /* I that do not, once they were touched */
    leat_atomic_u64 *there;                 /* I units that are counted, a bit each */
    leat_atomic_u64 *seen;                  /* I that were ever */
    size_t units_bytes;                     /* I of both */
    LEAT_ALIGNED_LINE leat_atomic_u64 used; /* S */
    leat_atomic_u64 most;                   /* S 0: no limit */
    leat_atomic_u64 peak;                   /* S of used, about, since memory was last given back */
    leat_atomic_u64 refused;                /* S submits */
    leat_atomic_u64 denied;                 /* S blocks of the layer */
    leat_atomic_u64 next_ns;                /* S by BOOT; of the next look */
    leat_atomic_u32 soft_percent;           /* S */
    leat_atomic_u32 busy;                   /* S 1: a thread looks */
    uint64_t mapped;                        /* O of used: what was found in memory */
    uint64_t back_ns;                       /* O before it no memory is given back again */
};

/* Before anything is allocated but the engine. */
void leat_footprint_init(struct leat_engine *engine, const struct leat_memory *memory);
/* When all else is open: counts what is there. LEAT_OK; LEAT_NO_MEMORY; LEAT_FULL: it is more than
 * submits may use. */
enum leat_status leat_footprint_open(struct leat_engine *engine);
/* The cap holds from now on. */
void leat_footprint_begin(struct leat_engine *engine);
void leat_footprint_fini(struct leat_engine *engine);
/* For the thread of the clocks. pre: counted. */
struct leat_clock_source leat_footprint_source(struct leat_engine *engine);

/* A submit has taken a record: its unit is counted. LEAT_OK, LEAT_TIMEOUT: there is no room at
 * present, LEAT_FULL: nor will there be, below this cap. pre: counted. */
enum leat_status leat_footprint_admit(struct leat_engine *engine, uint32_t index);
/* The memory of these units went back to the system. pre: their records are nobody's. */
void leat_footprint_units_gone(struct leat_engine *engine, uint32_t first, uint32_t count);

/* For a payload, which is allocated from `below`. As leat_footprint_admit(). pre: counted. */
enum leat_status leat_footprint_take(struct leat_engine *engine, uint64_t bytes);
/* For a call that is no submit. False: it would be above the cap. */
bool leat_footprint_call_takes(struct leat_engine *engine, uint64_t bytes);
void leat_footprint_give(struct leat_engine *engine, uint64_t bytes);

/* What a submit is told whose block could not be had: LEAT_NO_MEMORY only where the layer has not
 * denied one since `denied`. */
enum leat_status leat_footprint_judge(struct leat_engine *engine, uint64_t denied,
                                      enum leat_status status);

/* How much less there would have to be for a job with such a payload to be taken in, which was
 * refused. */
uint64_t leat_footprint_lacks(const struct leat_engine *engine, uint64_t payload_bytes);
/* Until when a submit sleeps that waits for room: nobody is called when there is memory again. */
uint64_t leat_footprint_again(uint64_t deadline_ns);

/* Another cap (0: none), or mark. False: nothing was counted from open on. */
bool leat_footprint_limit(struct leat_engine *engine, uint64_t bytes_max);
bool leat_footprint_mark(struct leat_engine *engine, uint32_t percent);

/* For quiescent moments: I2, and of I1 the *bytes that are no allocator's: records, what was looked
 * up, completion queues. `why` may be NULL. */
bool leat_footprint_check(const struct leat_engine *engine, uint64_t *bytes, FILE *why);

/* 0: nothing is counted. */
LEAT_INLINE uint64_t
leat_footprint_used(const struct leat_footprint *footprint)
{
    return atom_load_rlx(&footprint->used); /* rlx: statistic */
}

LEAT_INLINE uint64_t
leat_footprint_denied(const struct leat_footprint *footprint)
{
    return atom_load_rlx(&footprint->denied); /* rlx: statistic */
}

LEAT_INLINE uint64_t
leat_footprint_most(const struct leat_footprint *footprint)
{
    return atom_load_rlx(&footprint->most); /* rlx: statistic */
}

#endif
