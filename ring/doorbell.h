/* doorbell.h - tells whoever waits on a descriptor that a ring has something to take, once for each
 * time that the ring was found empty.
 *
 * Source   the edge "empty to not empty" as event loops use it. Differs: a word with a number for
 *          each round says whether someone listens, and a ringer rings before it changes that word:
 *          so it may stop anywhere, and none of the others counts on it.
 * Roles    any number of ringers (push, then leat_doorbell_ring()) and of listeners. A listener
 *          takes from the ring until it finds it empty, calls leat_doorbell_listen(), looks at the
 *          ring once more, and if there is something rings itself; then it waits for the
 *          descriptor. A listener that leaves something in the ring calls neither.
 * Claims   ring    wait-free: no loop; a system call only while someone listens, by each ringer
 *                  that comes before the first of them has changed the word.
 *          listen  lock-free: its swap fails only if another ringer or listener has changed the
 *                  word. One system call.
 *          A ringer that stops for ever holds up nobody: it rings first. BLOCKING for the waiting
 *          of listeners, if there are several: one that stops between its emptying of the
 *          descriptor and its second look may have taken the others' ring with it, until the next
 *          one listens.
 *          The descriptor may be readable once for nothing: a ringer may come late.
 *          Wrap  a ringer that sleeps between its look and its swap for exactly 2^31 rounds could
 *                end a round that is not its own. Each is a system call: hours at full speed, and
 *                then one chance in 2e9.
 * Word     odd   someone listens, or is about to; the next ringer rings and makes it even
 *          even  nobody does: the descriptor is readable, or about to be, or a listener has not
 *                come to its second look
 *          odd -> even: ring, to the next number.  any -> odd: listen, to a number not used before
 * I1       where the ring has something and no thread is in a call or between its push and its
 *          ring, the descriptor is readable
 * Edges    ring:A -> listen:A   either the ringer sees that someone listens, or the listener the
 *                               item
 */
#ifndef RING_DOORBELL_H
#define RING_DOORBELL_H

#include "ring/os.h"

/* Letters: I set at init, then read-only; S many writers. */
struct leat_doorbell {
    LEAT_ALIGNED_LINE leat_atomic_u32 word; /* S see Word */
    int descriptor;                         /* I */
    leat_atomic_u64 anchor;                 /* S see atom_fence_sc() */
};

/* Opens the descriptor. pre: a zeroed doorbell. post: someone listens. */
enum leat_os_result leat_doorbell_init(struct leat_doorbell *doorbell);
void leat_doorbell_fini(struct leat_doorbell *doorbell);

/* The part of leat_doorbell_ring() for when someone listens. */
void leat_doorbell_tell(struct leat_doorbell *doorbell, uint32_t round);
/* Behind a take that found the ring empty, and before the second look. */
void leat_doorbell_listen(struct leat_doorbell *doorbell);

/* Behind a push, or a second look that found something. */
LEAT_INLINE void
leat_doorbell_ring(struct leat_doorbell *doorbell)
{
    /* ring:A sc -> listen:A.  Orders: item pushed then word read, against word made odd then ring
     * looked at. */
    atom_fence_sc(&doorbell->anchor);
    uint32_t round = atom_load_rlx(&doorbell->word); /* rlx: ordered by ring:A */
    if (LEAT_UNLIKELY((round & 1) != 0)) {
        leat_doorbell_tell(doorbell, round);
    }
}

#endif
