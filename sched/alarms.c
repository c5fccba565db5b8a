/* alarms.c - short timers as a source of the clocks, see alarms.h. */
#include "sched/alarms.h"

/* Hands out what is due. True: there is more to do. */
static bool
advance(const struct leat_alarms *alarms)
{
    struct leat_wheel_step step = {.budget = LEAT_WHEEL_NODES_MAX};
    bool more = true;
    step.now_ns = leat_clocks_now(alarms->clocks, LEAT_TIME_BOOT);
    while (more && step.budget > 0) {
        more = leat_wheel_advance(alarms->wheel, &step);
        for (uint32_t i = 0; i < step.count; i++) {
            alarms->fired(alarms->context, step.indices[i]);
        }
    }
    return more;
}

uint64_t
leat_alarms_look(const struct leat_alarms *alarms, uint64_t now_ns)
{
    uint64_t due_ns = leat_wheel_due_ns(alarms->wheel);
    bool more = false;
    if (due_ns > now_ns) {
        return due_ns;
    }
    if (!leat_wheel_enter(alarms->wheel)) {
        return now_ns + LEAT_CLOCK_AGAIN_NS;
    }
    do {
        more = advance(alarms);
    } while (!leat_wheel_leave(alarms->wheel));
    return more ? now_ns : leat_wheel_due_ns(alarms->wheel);
}

void
leat_alarms_armed(const struct leat_alarms *alarms, enum leat_wheel_result result)
{
    if (result == LEAT_WHEEL_WAKE) {
        leat_clocks_changed(alarms->clocks);
    }
    /* A host may have moved its clock on, and looked, before this timer was there. */
    (void)leat_alarms_look(alarms, leat_clocks_now(alarms->clocks, LEAT_TIME_BOOT));
}
