/* parker.c - sleeping and waking, see parker.h. */
#include "ring/parker.h"

#include <inttypes.h>

bool
leat_parker_wait(struct leat_parker *parker, uint64_t deadline_ns)
{
    uint32_t empty = LEAT_PARKER_EMPTY;
    /* Fails where a notifier was faster. */
    /* rlx: hint, re-checked at parker:B */
    (void)atom_cas_rlx(&parker->word, &empty, LEAT_PARKER_PARKED);
    for (;;) {
        /* parker:B acquire -> parker:A.  Carries: what the notifier wrote before.
         * If relaxed: the owner could come back and not see it. */
        if (atom_load_acq(&parker->word) == LEAT_PARKER_NOTIFIED) {
            return true;
        }
        if (deadline_ns != UINT64_MAX && leat_os_monotonic_ns() >= deadline_ns) {
            return false;
        }
        leat_os_futex_wait(&parker->word, LEAT_PARKER_PARKED, deadline_ns);
    }
}

bool
leat_parker_notify(struct leat_parker *parker)
{
    /* parker:A release -> parker:B, parker:C.  Carries: what the notifier wrote before.
     * If relaxed: see parker:B. */
    uint32_t before = atom_swap_rel(&parker->word, LEAT_PARKER_NOTIFIED);
    if (before == LEAT_PARKER_PARKED) {
        leat_os_futex_wake(&parker->word, 1);
    }
    return before != LEAT_PARKER_NOTIFIED;
}

void
leat_parker_again(struct leat_parker *parker)
{
    leat_os_futex_wake(&parker->word, 1);
}

bool
leat_parker_check(const struct leat_parker *parker, FILE *why)
{
    uint32_t word = atom_load_rlx(&parker->word); /* rlx: not shared yet */
    if (word > LEAT_PARKER_NOTIFIED && why != NULL) {
        (void)fprintf(why, "parker: I1: the word is %" PRIu32 "\n", word);
    }
    return word <= LEAT_PARKER_NOTIFIED;
}
