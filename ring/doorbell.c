/* doorbell.c - opening, ringing and listening, see doorbell.h. */
#include "ring/doorbell.h"

enum leat_os_result
leat_doorbell_init(struct leat_doorbell *doorbell)
{
    atom_init(&doorbell->word, 1);
    return leat_os_event_open(&doorbell->descriptor);
}

void
leat_doorbell_fini(struct leat_doorbell *doorbell)
{
    leat_os_event_close(doorbell->descriptor);
}

void
leat_doorbell_tell(struct leat_doorbell *doorbell, uint32_t round)
{
    leat_os_event_set(doorbell->descriptor);
    /* Fails where a listener has begun another round. rlx: ordered by listen:A */
    (void)atom_cas_rlx(&doorbell->word, &round, round + 1);
}

void
leat_doorbell_listen(struct leat_doorbell *doorbell)
{
    leat_os_event_clear(doorbell->descriptor);
    uint32_t round = atom_load_rlx(&doorbell->word); /* rlx: ordered by listen:A */
    /* A new number each time: a ringer of the round before, which has rung before the emptying,
     * must not end this one. Ends: it goes round only where another thread changed the word. */
    for (;;) {
        uint32_t next = (round | 1) + 2;
        if (atom_cas_rlx(&doorbell->word, &round, next)) { /* rlx: ordered by listen:A */
            break;
        }
    }
    /* listen:A sc -> ring:A.  Orders: as ring:A. */
    atom_fence_sc(&doorbell->anchor);
}
