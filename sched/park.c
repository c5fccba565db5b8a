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
}

void
leat_lot_enter(struct leat_lot *lot, struct leat_bed *bed, uint32_t worker)
{
    atom_store_rlx(&bed->token, 0); /* rlx: ordered by enter:A */
    /* enter:A sc -> wake:A.  Orders: W2 then W5, against P1 then P4 (with park:A and notify:A). */
    (void)atom_or_sc(&lot->idle[worker / 64], UINT64_C(1) << (worker % 64));
}

void
leat_lot_leave(struct leat_lot *lot, uint32_t worker)
{
    /* leave:A sc -> wake:A.  Orders: nothing of its own; the word has one kind of change. */
    (void)atom_and_sc(&lot->idle[worker / 64], ~(UINT64_C(1) << (worker % 64)));
}

void
leat_lot_sleep(struct leat_lot *lot, struct leat_bed *bed, uint32_t worker, uint64_t deadline_ns)
{
    /* sleep:A acquire -> wake:B.  Carries: that work was brought.
     * If relaxed: nothing is lost, since the worker looks into the rings anyway; the edge keeps
     * the waker's writes in front of what the worker does next. */
    while (atom_load_acq(&bed->token) == 0) {
        leat_os_futex_wait(&bed->token, 0, deadline_ns);
        if (deadline_ns != UINT64_MAX && leat_os_monotonic_ns() >= deadline_ns) {
            leat_lot_leave(lot, worker);
            return;
        }
    }
}

bool
leat_lot_wake(struct leat_lot *lot, struct leat_bed *first_bed, size_t stride)
{
    for (uint32_t i = 0; i < lot->words_count; i++) {
        uint64_t idle = atom_load_rlx(&lot->idle[i]); /* rlx: hint, re-checked at wake:A */
        while (idle != 0) {
            uint32_t place = (uint32_t)__builtin_ctzll(idle);
            uint64_t bit = UINT64_C(1) << place;
            /* wake:A sc -> enter:A, leave:A.  Orders: nothing of its own; who clears the bit, and
             * nobody else, owes the token. */
            uint64_t before = atom_and_sc(&lot->idle[i], ~bit);
            if ((before & bit) != 0) {
                size_t offset = stride * (i * 64 + place);
                struct leat_bed *bed = (void *)((unsigned char *)first_bed + offset);
                /* wake:B release -> sleep:A.  Carries: see sleep:A.
                 * If relaxed: see sleep:A. */
                atom_store_rel(&bed->token, 1);
                leat_os_futex_wake(&bed->token, 1);
                return true;
            }
            idle = before & ~bit;
        }
    }
    return false;
}

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
