/* windows.h - how many jobs of queues with a weight may be in the ring, per level: what waits in
 * lists is begun in the order of the lists' turns, and the more is in the ring in front of it, the
 * later does a weight show. Why so: docs/design/0027.
 *
 * The holder of a level's role takes a place when it admits such a job, and stops where there is
 * none, as where the ring is full. The worker that takes the job, or whoever else lets go of it,
 * gives the place back. Nobody is told: while lists are ready no worker sleeps (docs/design/0012),
 * and where the window is full there are jobs that any of them may take.
 *
 * Progress: wait-free. A worker that stops for ever between the take from the ring and the begin of
 * a job keeps its place, and those of the jobs that it has claimed with it.
 */
#ifndef ENGINE_WINDOWS_H
#define ENGINE_WINDOWS_H

#include "engine/job.h"

/* Letters: I set at init, then read-only; S many writers. */
struct leat_windows {
    LEAT_ALIGNED_LINE leat_atomic_u32 used[LEAT_PRIORITY_LEVELS]; /* S */
    uint32_t most;                                                /* I of each level */
};

/* For so many workers. */
LEAT_INLINE void
leat_windows_init(struct leat_windows *windows, uint32_t workers)
{
    windows->most = workers * LEAT_WINDOW_PLACES;
}

/* pre: the level's role, for this and the next: so nobody else takes a place meanwhile. */
LEAT_INLINE bool
leat_windows_full(const struct leat_windows *windows, uint32_t level)
{
    /* Who is about to give one back is seen in the next hold. rlx: ordered by hand_on:A */
    return atom_load_rlx(&windows->used[level]) >= windows->most;
}

LEAT_INLINE void
leat_windows_enter(struct leat_windows *windows, struct leat_job_record *record, uint32_t level)
{
    LEAT_ASSERT(record->window == 0);
    record->window = (uint8_t)(level + 1);
    (void)atom_add_rlx(&windows->used[level], 1); /* rlx: ordered by hand_on:A */
}

/* If it has a place. pre: the caller has the record in hand. */
LEAT_INLINE void
leat_windows_leave(struct leat_windows *windows, struct leat_job_record *record)
{
    if (record->window != 0) {
        /* The job's level may have changed meanwhile. rlx: hint, re-checked at hand_on:A */
        uint32_t before = atom_sub_rlx(&windows->used[record->window - 1], 1);
        LEAT_ASSERT(before != 0);
        record->window = 0;
    }
}

#endif
