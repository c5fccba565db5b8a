/* trim.h - memory behind job records that were used once and are free now: when it is given back to
 * the system. Why so: docs/design/0005.
 *
 * An engine that never had LEAT_TRIM_RECORDS jobs at once, and whose memory has no cap
 * (footprint.h), never comes here. In one that had, a
 * submit that gets a record behind these says so; some seconds later the records in use are
 * counted, and where the pages that are there are far more than those, the slab is trimmed
 * (ring/slab.h). Records and what stands beside them by index: payloads and times. Words stay, and
 * so does what the wheels have. It is a source of the clocks, and works in small steps.
 *
 * Source   ours.
 * Roles    any thread that submits asks. Any thread looks: the first one works, who comes while it
 *          is at it goes on.
 * Claims   ask     lock-free: a swap.
 *          look    never waits. BLOCKING in its worker: while one that has stopped is at it,
 *                  nothing is given back, and the records that it has in hand are taken.
 *          What is free stays free: a submit finds what was put aside.
 * Edges    trimmed:B -> trimmer:A    how far it is
 */
#ifndef ENGINE_TRIM_H
#define ENGINE_TRIM_H

#include "ring/slab.h"
#include "sched/clock.h"

struct leat_engine;

enum leat_trim_phase { LEAT_TRIM_COUNTS = 0, LEAT_TRIM_GIVES };

/* Letters: I set at open, then read-only; S many writers; O who works. */
struct leat_trim {
    uint32_t floor;                         /* I a record from this one on is looked at */
    uint32_t asks;                          /* I one from this one on asks */
    LEAT_ALIGNED_LINE leat_atomic_u32 busy; /* S 1: a thread works */
    leat_atomic_u64 next_ns;                /* S by BOOT; LEAT_TIME_NEVER: nobody has asked */
    leat_atomic_u64 pause_ns;               /* S from who asks to the look */
    enum leat_trim_phase phase;             /* O */
    uint32_t index;                         /* O record to count next */
    uint32_t in_use;                        /* O counted so far */
    struct leat_slab_trim slab;             /* O */
};

void leat_trim_init(struct leat_engine *engine);
/* A record behind `asks` was taken. Progress: lock-free. */
void leat_trim_ask(struct leat_engine *engine);
/* The same whoever was taken, and at once. */
void leat_trim_soon(struct leat_engine *engine);
/* For the thread of the clocks. */
struct leat_clock_source leat_trim_source(struct leat_engine *engine);

#endif
