/* gate.h - how many may pass at once, and whether any may: the cap and the pause of a queue or a
 * type. Who waits at a gate stands in a list of sched/lists.h. Why it is so: docs/design/0018.
 *
 * Source   ours: a counting semaphore whose word also says who was turned away.
 * Roles    enter   the holder of a level's role (sched/lists.h), for one of its jobs.
 *          leave   any thread, once for each that entered.
 *          set     any thread: the cap, pause and resume.
 * Claims   all lock-free: a swap fails only where another one succeeded.
 *          No wake-up is lost: being turned away and opening are swaps of one word, so whoever
 *          opens the gate behind it sees the level's bit, and calls its list.
 *          A bit stays until the first of its list enters, so each that leaves calls, not the first
 *          alone: if one stops for ever before it has called, the next one does.
 * I1       used: those that entered and have not left; more than `most` only where that was lowered
 * I2       a list that waits at the gate has its level's bit set, or is called already
 * Edges    gate:B -> gate:A   what was done before the gate was left or set: the end of a handler
 */
#ifndef SCHED_GATE_H
#define SCHED_GATE_H

#include "ring/atomic.h"
#include "sched/limits.h"

/* Word, 64 bits; with more than 8 levels there are 16 bits for them, and 18 for the cut
 *   63      USED    it was paused or capped once: jobs pass it before they go to the ring
 *   62      PAUSED
 *   61      BROKEN  of a type: a circuit breaker has it shut
 *           DRAINED of a queue: a drain that took too long has
 *   60      HALTED  all gates of queues are, by who pauses the engine
 *   59..52  wanted  levels whose list waits here
 *   51..26  cut     LEAT_GATE_CAPS less the cap; so 0 is no cap, and a gate that was never used
 *   25..0   used    at most as many as there are records
 */
#define LEAT_GATE_USED    (UINT64_C(1) << 63)
#define LEAT_GATE_PAUSED  (UINT64_C(1) << 62)
#define LEAT_GATE_BROKEN  (UINT64_C(1) << 61)
#define LEAT_GATE_DRAINED LEAT_GATE_BROKEN
#define LEAT_GATE_HALTED  (UINT64_C(1) << 60)
/* What stops all, whatever the cap. */
#define LEAT_GATE_STOPS (LEAT_GATE_PAUSED | LEAT_GATE_BROKEN | LEAT_GATE_HALTED)
#if LEAT_PRIORITY_LEVELS > 8
#    define LEAT_GATE_WANTED_BITS 16
#else
#    define LEAT_GATE_WANTED_BITS 8
#endif
#define LEAT_GATE_WANTED_SHIFT (60 - LEAT_GATE_WANTED_BITS)
#define LEAT_GATE_CUT_SHIFT    26
#define LEAT_GATE_MOST         LEAT_RECORDS_MAX
/* A cap is less. */
#define LEAT_GATE_CAPS ((UINT32_C(1) << (LEAT_GATE_WANTED_SHIFT - LEAT_GATE_CUT_SHIFT)) - 1)
#define LEAT_GATE_CUT  ((uint64_t)LEAT_GATE_CAPS << LEAT_GATE_CUT_SHIFT)

LEAT_STATIC(LEAT_PRIORITY_LEVELS <= LEAT_GATE_WANTED_BITS, "a gate's word has a bit for each");
LEAT_STATIC(LEAT_GATE_MOST == (UINT32_C(1) << LEAT_GATE_CUT_SHIFT) - 1, "used has 26 bits");
LEAT_STATIC(LEAT_GATE_CAPS > LEAT_WORKERS_MAX, "places of workers have a cap");

/* Zeroed at first. Letters: S many writers. */
struct leat_gate {
    leat_atomic_u64 word; /* S */
};

LEAT_INLINE uint32_t
leat_gate_used(uint64_t word)
{
    return (uint32_t)word & LEAT_GATE_MOST;
}

LEAT_INLINE uint32_t
leat_gate_most(uint64_t word)
{
    uint32_t cut = (uint32_t)(word >> LEAT_GATE_CUT_SHIFT) & LEAT_GATE_CAPS;
    bool none = LEAT_GATE_CAPS < LEAT_GATE_MOST && cut == 0;
    return none ? LEAT_GATE_MOST : LEAT_GATE_CAPS - cut;
}

LEAT_INLINE bool
leat_gate_open(uint64_t word)
{
    return (word & LEAT_GATE_STOPS) == 0 && leat_gate_used(word) < leat_gate_most(word);
}

LEAT_INLINE uint64_t
leat_gate_level(uint32_t level)
{
    return UINT64_C(1) << (LEAT_GATE_WANTED_SHIFT + level);
}

/* The levels whose lists are to be called. */
LEAT_INLINE uint32_t
leat_gate_wanted(uint64_t word)
{
    return (uint32_t)(word >> LEAT_GATE_WANTED_SHIFT) & ((1U << LEAT_GATE_WANTED_BITS) - 1);
}

/* One of a level's passes; `first`: no other one stands in the list that waits at this gate, or it
 * comes from there. False: it is shut, and that list will be called. */
LEAT_INLINE bool
leat_gate_enter(struct leat_gate *gate, uint32_t level, bool first)
{
    uint64_t now = atom_load_rlx(&gate->word); /* rlx: hint, re-checked at gate:A */
    uint64_t bit = leat_gate_level(level);
    for (;;) {
        bool open = leat_gate_open(now);
        uint64_t next = open ? (now & ~(first ? bit : 0)) + 1 : now | bit;
        /* gate:A acquire -> gate:B.  Carries: what was done by those who left, of whom the last
         * ones' swaps may stand in between.
         * If relaxed: the next handler could miss what the last one wrote. */
        if (atom_cas_acq(&gate->word, &now, next)) {
            return open;
        }
    }
}

/* Changes the word: clears, sets, and then takes `less` from `used`. Returns the levels to call. */
LEAT_INLINE uint32_t
leat_gate_change(struct leat_gate *gate, uint64_t clear, uint64_t set, uint32_t less)
{
    uint64_t now = atom_load_rlx(&gate->word); /* rlx: hint, re-checked at gate:B */
    uint64_t next = 0;
    do {
        LEAT_ASSERT(leat_gate_used(now) >= less);
        next = ((now & ~clear) | set) - less;
        /* gate:B release -> gate:A.  Carries: see gate:A.
         * If relaxed: see gate:A. */
    } while (!atom_cas_rel(&gate->word, &now, next));
    return leat_gate_open(next) ? leat_gate_wanted(next) : 0;
}

/* One that entered has gone. Returns the levels whose lists are to be called. */
LEAT_INLINE uint32_t
leat_gate_leave(struct leat_gate *gate)
{
    return leat_gate_change(gate, 0, 0, 1);
}

/* At most `most` from now on; those that have entered stay. 0, LEAT_GATE_CAPS or more: no cap. As
 * leave. */
LEAT_INLINE uint32_t
leat_gate_cap(struct leat_gate *gate, uint32_t most)
{
    uint64_t cut = most == 0 || most > LEAT_GATE_CAPS ? 0 : LEAT_GATE_CAPS - most;
    return leat_gate_change(gate, LEAT_GATE_CUT, LEAT_GATE_USED | cut << LEAT_GATE_CUT_SHIFT, 0);
}

/* The same for places: 0 is none. */
LEAT_INLINE uint32_t
leat_gate_places(struct leat_gate *gate, uint32_t most)
{
    uint64_t cut = LEAT_GATE_CAPS - most;
    return leat_gate_change(gate, LEAT_GATE_CUT, LEAT_GATE_USED | cut << LEAT_GATE_CUT_SHIFT, 0);
}

/* Its jobs pass it from now on. */
LEAT_INLINE void
leat_gate_use(struct leat_gate *gate)
{
    (void)leat_gate_change(gate, 0, LEAT_GATE_USED, 0);
}

LEAT_INLINE void
leat_gate_pause(struct leat_gate *gate)
{
    (void)leat_gate_change(gate, 0, LEAT_GATE_USED | LEAT_GATE_PAUSED, 0);
}

/* A pause that a drain makes. pre: of a queue. */
LEAT_INLINE void
leat_gate_drain(struct leat_gate *gate)
{
    (void)leat_gate_change(gate, 0, LEAT_GATE_USED | LEAT_GATE_DRAINED, 0);
}

/* Of both. As leave. pre: of a queue. */
LEAT_INLINE uint32_t
leat_gate_resume(struct leat_gate *gate)
{
    return leat_gate_change(gate, LEAT_GATE_PAUSED | LEAT_GATE_DRAINED, 0, 0);
}

LEAT_INLINE void
leat_gate_halt(struct leat_gate *gate)
{
    (void)leat_gate_change(gate, 0, LEAT_GATE_USED | LEAT_GATE_HALTED, 0);
}

/* As leave. */
LEAT_INLINE uint32_t
leat_gate_go(struct leat_gate *gate)
{
    return leat_gate_change(gate, LEAT_GATE_HALTED, 0, 0);
}

LEAT_INLINE void
leat_gate_break(struct leat_gate *gate)
{
    (void)leat_gate_change(gate, 0, LEAT_GATE_USED | LEAT_GATE_BROKEN, 0);
}

/* As leave. */
LEAT_INLINE uint32_t
leat_gate_mend(struct leat_gate *gate)
{
    return leat_gate_change(gate, LEAT_GATE_BROKEN, 0, 0);
}

#endif
