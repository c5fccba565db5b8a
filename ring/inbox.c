/* inbox.c - the check of inbox.h. */
#include "ring/inbox.h"

#include <inttypes.h>

bool
leat_inbox_check(const struct leat_inbox *inbox,
                 leat_atomic_u32 *(*link_of)(void *context, uint32_t index), void *context,
                 uint32_t most, FILE *why)
{
    uint32_t index = atom_load_rlx(&inbox->newest); /* rlx: not shared yet */
    if (index == LEAT_INBOX_CLOSED) {
        return true;
    }
    for (uint32_t i = 0; i < most && index < LEAT_INDEX_NONE; i++) {
        index = atom_load_rlx(link_of(context, index)); /* rlx: not shared yet */
    }
    if (index != LEAT_INDEX_NONE && why != NULL) {
        (void)fprintf(why, "inbox: I1: behind %" PRIu32 " records stands %" PRIu32 "\n", most,
                      index);
    }
    return index == LEAT_INDEX_NONE;
}
