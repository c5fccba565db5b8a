/* tick.h - waking by the clock: for programs whose submits must make no system call.
 *
 * A push then leaves sleeping workers alone. A thread of the pool looks at fixed intervals, and
 * wakes one worker if work waits and a worker sleeps; that one wakes the next while there is more
 * (W8 of sched/park.h). It wakes those, too, to whom something was posted. So work that finds no
 * worker awake waits for one interval at most, and the time that a wake-up takes.
 */
#ifndef SCHED_TICK_H
#define SCHED_TICK_H

#include <pthread.h>

#include "ring/os.h"

struct leat_pool;

/* Letters: S many writers; Q only while the pool is started or joined. */
struct leat_tick {
    leat_atomic_u32 ended; /* S a futex: 1 once the thread is to end */
    pthread_t thread;      /* Q */
};

/* Starts the thread, if the pool is configured to have one. */
enum leat_os_result leat_tick_start(struct leat_pool *pool);
/* Ends and joins it. pre: leat_tick_start() was successful. */
void leat_tick_stop(struct leat_pool *pool);

#endif
