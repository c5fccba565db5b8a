/* alarms.h - a wheel whose timers are too short for the workers' ones, as a source of the clocks:
 * what rates wait for. Whoever looks advances it.
 *
 * Progress: lock-free, but what sched/wheel.h says of its role: BLOCKING in who has it.
 */
#ifndef SCHED_ALARMS_H
#define SCHED_ALARMS_H

#include "sched/clock.h"
#include "sched/wheel.h"

/* Made for a call. */
struct leat_alarms {
    struct leat_clocks *clocks;
    struct leat_wheel *wheel;                     /* by BOOT */
    void (*fired)(void *context, uint32_t index); /* the timer is the callee's */
    void *context;
};

/* As a source's functions. */
uint64_t leat_alarms_look(const struct leat_alarms *alarms, uint64_t now_ns);

/* A timer was armed or moved, with this result: whoever sleeps until the next one is told. */
void leat_alarms_armed(const struct leat_alarms *alarms, enum leat_wheel_result result);

#endif
