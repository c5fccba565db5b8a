/* pace.c - how far who appends may be ahead of the cleaner, so that the log has a bound: why so,
 * and the proof, in docs/design/0037.
 *
 * What others than the cleaner lay into segments may grow by half a segment, then the cleaner has
 * to have looked, and let go of a segment where the log is large. Above twice the most bytes that
 * live jobs had in this round, and four segments, nothing is appended until it has.
 *
 * Who waits here waits for the cleaner, and that for the disk, for one of a job's 255 holds, for
 * jobs whose image is appended and whose submit is not done, and for the mutex of the schedules. So
 * nobody waits here between image and submit, nor with that mutex: what such a submit appends, an
 * END where it is refused, or those of jobs that give way to it, is not counted. With a hold do all
 * who change a job by its id: the cleaner finds none left only where 255 have one job in hand.
 * The log's thread does not wait here at all, as it lands those that the cleaner waits for; and a
 * submit that does not wait for the disk is refused instead.
 * Each open begins a segment, and a process that crashes soon does not come to clean. So an open
 * waits, too, until the log is no larger than that.
 * If the cleaner stops for ever, so does who appends; if it cannot clean, nobody waits for it.
 */
#include "engine/durable/internal.h"

#include "ring/rcu.h"

#define LIMIT_NONE (UINT64_MAX / 4)

/* Of segments. */
#define STEP_PARTS 2 /* may be laid for each look of the cleaner */
#define STOP_COUNT 4 /* above twice the live bytes */

/* What is laid, without the copies, is so near the limit. */
static bool
is_near(const struct leat_durable *durable, uint64_t bytes)
{
    const struct leat_durable_pace *pace = &durable->pace;
    /* rlx: statistic */
    uint64_t limit = atom_load_rlx(&pace->limit) + atom_load_rlx(&pace->copied);
    return leat_wal_laid(&durable->wal) + bytes >= limit;
}

static void
ask(struct leat_durable *durable)
{
    /* asked:A acq_rel -> asked:A, asked:B.  Carries: what has ended, to the look that is to come.
     * If relaxed: a look could miss that, and nobody would ask for another one. */
    if (atom_swap_acq_rel(&durable->pace.asked, 1) == 0) {
        leat_durable_clean_ask(durable);
    }
}

void
leat_durable_pace(struct leat_durable *durable)
{
    while (LEAT_UNLIKELY(is_near(durable, 0)) && !leat_durable_passes(durable)) {
        LEAT_ASSERT(!leat_rcu_inside());
        /* pace:A acquire -> pace:B.  Carries: the limit.
         * If relaxed: who was woken could see the old one, and sleep beside the next. */
        uint32_t event = atom_load_acq(&durable->pace.event);
        /* Nothing is laid any more, and nobody needs to wait. rlx: statistic */
        if (!is_near(durable, 0) || atom_load_rlx(&durable->wal.failed) != 0) {
            return;
        }
        ask(durable);
        leat_wal_kick(&durable->wal); /* see wal.h */
        leat_os_futex_wait(&durable->pace.event, event, UINT64_MAX);
    }
}

bool
leat_durable_pace_stops(struct leat_durable *durable)
{
    /* rlx: statistic */
    bool stops = is_near(durable, 0) && atom_load_rlx(&durable->wal.failed) == 0;
    if (LEAT_UNLIKELY(stops)) {
        ask(durable);
    }
    return stops;
}

void
leat_durable_grown(struct leat_durable *durable)
{
    if (LEAT_UNLIKELY(is_near(durable, durable->segment_bytes / STEP_PARTS / 2))) {
        ask(durable);
    }
}

void
leat_durable_missed(struct leat_durable *durable)
{
    ask(durable);
}

static void
set(struct leat_durable *durable, uint64_t limit)
{
    struct leat_durable_pace *pace = &durable->pace;
    atom_store_rlx(&pace->limit, limit); /* rlx: ordered by pace:B */
    /* pace:B release -> pace:A, pace:C.  Carries: see there.
     * If relaxed: see there. */
    (void)atom_add_rel(&pace->event, 1);
    leat_os_futex_wake(&pace->event, UINT32_MAX);
}

/* Above it nothing is appended. */
static bool
is_above(struct leat_durable *durable)
{
    const uint64_t stop = 2 * durable->pace.peak + STOP_COUNT * durable->segment_bytes;
    return leat_wal_bytes(&durable->wal) > stop;
}

void
leat_durable_pace_look(struct leat_durable *durable)
{
    /* asked:B acq_rel -> asked:A.  Carries: nothing; who asks from now on wants another look.
     * If relaxed: see asked:A. */
    (void)atom_swap_acq_rel(&durable->pace.asked, 0);
}

void
leat_durable_pace_set(struct leat_durable *durable, bool large, bool cleaned)
{
    struct leat_durable_pace *pace = &durable->pace;
    uint64_t live = atom_load_rlx(&durable->live_bytes); /* rlx: statistic */
    uint64_t limit = atom_load_rlx(&pace->limit);        /* rlx: single writer */
    pace->peak = large && live < pace->peak ? pace->peak : live;
    if (!cleaned || !is_above(durable)) {
        atom_store_rlx(&pace->bound, 1); /* rlx: ordered by pace:B */
        /* rlx: single writer */
        limit = leat_wal_laid(&durable->wal) - atom_load_rlx(&pace->copied) +
                durable->segment_bytes / STEP_PARTS;
    }
    set(durable, limit);
}

void
leat_durable_pace_begin(struct leat_durable *durable)
{
    leat_durable_pace_set(durable, false, false);
    atom_store_rlx(&durable->pace.bound, is_above(durable) ? 0 : 1); /* rlx: not shared yet */
}

/* Ends: the cleaner lets go of one segment after the other, or says that it cannot. */
void
leat_durable_pace_bound(struct leat_durable *durable)
{
    for (;;) {
        /* pace:C acquire -> pace:B.  Carries: that the log is within its bound.
         * If relaxed: the open could miss that, and sleep beside it. */
        uint32_t event = atom_load_acq(&durable->pace.event);
        if (atom_load_rlx(&durable->pace.bound) != 0) { /* rlx: ordered by pace:C */
            return;
        }
        leat_os_futex_wait(&durable->pace.event, event, UINT64_MAX);
    }
}

void
leat_durable_pace_end(struct leat_durable *durable)
{
    set(durable, LIMIT_NONE);
}
