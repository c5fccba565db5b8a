/* trace.c - records of parks, steals and timers, see trace.h. */
#include "sched/trace.h"

void
leat_trace_note(struct leat_worker *worker, uint64_t what)
{
    if (leat_trace_round(worker) == 0) { /* no clock is read */
        return;
    }
    const struct leat_flight_record record = {
        .words = {[LEAT_TRACE_TIME] = leat_os_monotonic_ns(), [LEAT_TRACE_WHAT] = what}};
    leat_trace_put(worker, record);
}
