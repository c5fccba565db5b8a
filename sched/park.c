/* park.c - the steps of park.h. */
#include "sched/park.h"

void
leat_lot_init(struct leat_lot *lot, uint32_t workers)
{
    LEAT_ASSERT(workers >= 1);
    LEAT_ASSERT(workers <= LEAT_WORKERS_MAX);
    lot->words_count = (workers + 63) / 64;
    for (uint32_t i = 0; i < LEAT_IDLE_WORDS; i++) {
        atom_init(&lot->idle[i], 0);
    }
    atom_init(&lot->passes, 0);
    atom_init(&lot->turn, 0);
}

/* ---- workers -------------------------------------------------------------------------------- */

void
leat_lot_enter(struct leat_lot *lot, struct leat_parker *bed, uint32_t worker)
{
    leat_parker_prepare(bed);
    /* enter:A release -> any:A, this:A.  Carries: the EMPTY bed.
     * If relaxed: a waker could see the bit, and the bed as the last round left it, NOTIFIED; or
     * its notification come before the EMPTY. */
    (void)atom_or_rel(&lot->idle[worker / 64], UINT64_C(1) << (worker % 64));
}

void
leat_lot_leave(struct leat_lot *lot, uint32_t worker)
{
    /* Who sees the bit still set notifies a worker that is awake, and that will look into the rings
     * before it sleeps. */
    /* rlx: hint, re-checked at parker:A */
    (void)atom_and_rlx(&lot->idle[worker / 64], ~(UINT64_C(1) << (worker % 64)));
}

void
leat_lot_sleep(struct leat_lot *lot, struct leat_parker *bed, uint32_t worker)
{
    (void)leat_parker_wait(bed, UINT64_MAX);
    leat_lot_leave(lot, worker);
}

/* ---- wakers --------------------------------------------------------------------------------- */

static struct leat_parker *
bed_of(struct leat_parker *first_bed, size_t stride, uint32_t worker)
{
    return (void *)((unsigned char *)first_bed + stride * worker);
}

uint32_t
leat_lot_next(const struct leat_lot *lot, uint32_t from)
{
    uint64_t wanted = UINT64_MAX << from % 64;
    for (uint32_t i = from / 64; i < lot->words_count; i++) {
        uint64_t idle = atom_load_rlx(&lot->idle[i]) & wanted; /* rlx: ordered by any:A */
        if (idle != 0) {
            return i * 64 + (uint32_t)__builtin_ctzll(idle);
        }
        wanted = UINT64_MAX;
    }
    return LEAT_WORKERS_MAX;
}

/* P6: true once in LEAT_WAKE_AGAIN times. */
static bool
repeats(struct leat_lot *lot)
{
    uint32_t passes = atom_load_rlx(&lot->passes) + 1; /* rlx: statistic */
    atom_store_rlx(&lot->passes, passes);              /* rlx: statistic */
    return passes % LEAT_WAKE_AGAIN == 0;
}

static void
repeat_in_turn(struct leat_lot *lot, struct leat_parker *first_bed, size_t stride)
{
    uint32_t worker = leat_lot_next(lot, atom_load_rlx(&lot->turn)); /* rlx: statistic */
    if (worker == LEAT_WORKERS_MAX) {
        worker = leat_lot_next(lot, 0);
    }
    if (worker != LEAT_WORKERS_MAX) {
        atom_store_rlx(&lot->turn, worker + 1); /* rlx: statistic */
        leat_parker_again(bed_of(first_bed, stride, worker));
    }
}

bool
leat_lot_wake(struct leat_lot *lot, struct leat_parker *first_bed, size_t stride)
{
    uint32_t worker = leat_lot_next(lot, 0);
    while (worker != LEAT_WORKERS_MAX) {
        struct leat_parker *bed = bed_of(first_bed, stride, worker);
        if (!leat_parker_notified(bed) && leat_parker_notify(bed)) {
            return true;
        }
        worker = leat_lot_next(lot, worker + 1);
    }
    if (repeats(lot)) {
        repeat_in_turn(lot, first_bed, stride);
    }
    return false;
}

bool
leat_lot_wake_this(struct leat_lot *lot, struct leat_parker *bed, uint32_t worker)
{
    /* this:A sc -> park:A, enter:A.  Orders: task posted then idle bit read, against idle bit set
     * then inbox read. */
    if ((atom_load_sc(&lot->idle[worker / 64]) >> worker % 64 & 1) == 0) {
        return false;
    }
    if (!leat_parker_notified(bed) && leat_parker_notify(bed)) {
        return true;
    }
    if (repeats(lot)) {
        leat_parker_again(bed);
    }
    return false;
}

void
leat_lot_wake_all(struct leat_lot *lot, struct leat_parker *first_bed, size_t stride)
{
    uint32_t worker = leat_lot_next(lot, 0);
    while (worker != LEAT_WORKERS_MAX) {
        struct leat_parker *bed = bed_of(first_bed, stride, worker);
        if (!leat_parker_notify(bed)) {
            leat_parker_again(bed);
        }
        worker = leat_lot_next(lot, worker + 1);
    }
}

/* ---- statistics ----------------------------------------------------------------------------- */

uint32_t
leat_lot_count(const struct leat_lot *lot)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < lot->words_count; i++) {
        /* rlx: statistic */
        count += (uint32_t)__builtin_popcountll(atom_load_rlx(&lot->idle[i]));
    }
    return count;
}
