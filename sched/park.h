/* park.h - how a worker without work goes to sleep, and how one is woken: nobody who brings work
 * waits for it, and no wake-up is lost. Why it is so and not otherwise: docs/design/0004 and 0006.
 *
 * The parties: a producer that publishes an item in a ring, and workers that look for items. Each
 * worker has a bed (ring/parker.h) and a bit in the idle bitmap, which it alone sets and clears.
 *
 *   producer                                worker without work
 *     P1  publish the item in its ring        W1  own bed = EMPTY
 *     P2  full fence, see below               W2  set own bit in the idle bitmap
 *     P3  set the level's hint bit if clear   W3  clear the hint
 *     P4  read the idle bitmap                W4  full fence
 *     P5  of the workers whose bit is set,    W5  look into every ring, and at the halt flag
 *         notify the first whose bed is       W6  something there: set that level's hint bit, and
 *         not NOTIFIED: make it so, and           keep it for the next pick, where others may have
 *         call the system if it was PARKED        cleared it again; clear own idle bit, go on
 *     P6  all are NOTIFIED: nothing; but      W7  else sleep until the bed is NOTIFIED; then clear
 *         once in LEAT_WAKE_AGAIN times           own bit
 *         repeat the system call for one      W8  with the first item after a time without: full
 *         of them, in turn                        fence; if others sleep and rings have more,
 *                                                 wake one (P4 to P6)
 *                                             W9  before it leaves its place for good, awake and
 *                                                 with its bit clear: the same
 *
 * A push that is a sequentially consistent operation needs no fence: P3 and P4 are such operations,
 * too, so they stand in one order with it and with the fences of the workers. P2 is then the push.
 *
 * Why no item is left behind: let a round be a worker's way from W1 to the end of W6 or W7. P2 and
 * W4 are sequentially consistent, so all are in one order. For a worker, take its last round whose
 * W4 is before P2; the W4 of the next one, if it comes to that, is behind P2. So P4 sees the W2 of
 * that round or something later, and P5 its W1 or something later, since W2 is a release and P4 an
 * acquire. (Who wakes in W8 or for a stop has made a full fence, too.)
 *   Bit clear: the worker has ended the round.
 *   Bit set, bed NOTIFIED: it is so in that round or a later one; the round is over, or ends in W7.
 *   Bit set, bed not NOTIFIED: P5 makes it so.
 *   In each case the worker is awake or going to be, for nobody takes NOTIFIED back but the worker
 *   itself in its next W1. Before it sleeps again it comes through W4 and W5, behind P2, and sees
 *   the item (published before P2) - if it is at the head of its ring. It may stand behind a slot
 *   that another producer has claimed and not yet published. That one still has its own P2 to P6 to
 *   go: then a worker takes its item, and by W8 wakes another one for the item behind.
 *   W7 itself loses nothing: EMPTY becomes PARKED only if no notification came since W1, and the
 *   system puts the worker to sleep only while the bed is PARKED.
 *   A producer that read the bit in an earlier round may make the bed NOTIFIED in a later one. The
 *   worker then comes back for nothing, and looks again. That producer's item was there before the
 *   later round's W4 (else P4 would have seen that round), so nothing hung on this notification.
 * A worker that leaves (there are to be fewer) takes no item any more, and P5 may have chosen it.
 *   It decides to leave while it is awake with its bit clear, and behind that comes W9, with the
 *   fence Q. An item whose P5 chose it has its P2 before Q, else P4 would have seen the bit clear:
 *   so by Q it is taken, or W9 sees it. Then W9 stands in for that producer's P2 to P6, with Q for
 *   P2, and all that is said above holds of the workers that stay. Its bit stays clear, for nobody
 *   else sets it, so whoever comes later does not choose it; a notification that is late reaches a
 *   bed where nobody lies, and the next worker in the place begins with W1. What its local queues
 *   hold was published with a fence of its own, and W9 sees that, too: thieves come for it.
 *   Fewer workers are made by a store, a full fence, and a wake of all whose bit is set, as for a
 *   stop. So none sleeps on in a place that is closed: W4 before that fence means that its bit is
 *   seen, and W4 behind it that W5 sees the place closed.
 * Why an item does not wait behind another one that a worker runs, while others sleep: P5 may have
 * notified just that worker. P2 before the fence of W8, then W8 sees the item and wakes the next
 * worker; that fence before P2, then P4 sees the bit as the worker cleared it, or a later round. So
 * two items whose handlers wait for each other both run.
 * One given worker (sched/posted.h): P1 and P2 are the offer to its inbox, P3 falls away, P4 reads
 *   its bit and P5 and P6 are for its bed; its W5 looks into its inbox, too. What is said above of
 *   each worker holds of this one, so it is awake or going to be and sees the inbox behind P2. None
 *   stands in for it, and it need not: the item is in nobody's way. A push that finds its bed
 *   NOTIFIED by such a post passes it over, or is content with it; the worker then comes with an
 *   item, and W8 looks for that push. Who leaves closes the inbox; what it finds in there goes
 *   through P1 to P6 of the rings.
 * Why a set hint bit is never missing for long: P2 before W4, then W5 sees the item and W6 sets the
 * bit; W4 before P2, then P3 sees the bit that W3 cleared, or what came later, and sets it. W3
 * is then before P3 also in the order of changes of the word, and each worker that clears the bit
 * later has its W4 behind P2. So the bit of a level with an item is
 * clear only while its producer is between P1 and P3, or a worker between W3 and W6. A thread
 * frozen there hides the level from workers that are busy elsewhere, until one of them runs dry and
 * goes through W5.
 *
 * Progress  a producer never waits: P2 to P6 are a bounded number of steps, whatever others do.
 *           What a producer leaves behind that is frozen for ever,
 *           up to P5: nothing; the next push finds the same workers and notifies one.
 *           in P5, between the bed and the end of its system call: one worker that sleeps on, while
 *           others see it NOTIFIED. They notify the other sleepers as ever. Where it is the only
 *           one, BLOCKING up to a bound: LEAT_WAKE_AGAIN pushes later (each behind the other; for
 *           each worker left so, if they are several) one of them wakes it by P6, and a stop wakes
 *           it at once. Fewer pushes than that wait for the frozen thread, or for a worker that is
 *           awake.
 *           A worker that is frozen holds up itself, and who counts on the notification it had.
 */
#ifndef SCHED_PARK_H
#define SCHED_PARK_H

#include "ring/parker.h"
#include "sched/limits.h"

#define LEAT_IDLE_WORDS (LEAT_WORKERS_MAX / 64)

/* Letters: I set at init, then read-only; S many writers; T a statistic, approximate: two threads
 * that count at once may count one. */
struct leat_lot {
    LEAT_ALIGNED_LINE leat_atomic_u64 idle[LEAT_IDLE_WORDS]; /* S one bit per sleeping worker */
    uint32_t words_count;                                    /* I words in use */
    LEAT_ALIGNED_LINE leat_atomic_u32 passes;                /* T how often P6 was reached */
    leat_atomic_u32 turn; /* T where the search for the next one in P6 begins */
};

void leat_lot_init(struct leat_lot *lot, uint32_t workers);

/* W1 and W2. The caller's full fence and second look (W4, W5) come next. */
void leat_lot_enter(struct leat_lot *lot, struct leat_parker *bed, uint32_t worker);
/* W6. */
void leat_lot_leave(struct leat_lot *lot, uint32_t worker);
/* W7: until woken. */
void leat_lot_sleep(struct leat_lot *lot, struct leat_parker *bed, uint32_t worker);

/* P5 and P6: wakes one worker whose idle bit is set. The workers' beds stand one every `stride`
 * bytes. False: by now there was none that had not been notified. */
bool leat_lot_wake(struct leat_lot *lot, struct leat_parker *first_bed, size_t stride);
/* P4 to P6 of one given worker. False: its idle bit is clear, or it had been notified. The caller's
 * full fence (P2) comes before. */
bool leat_lot_wake_this(struct leat_lot *lot, struct leat_parker *bed, uint32_t worker);
/* Wakes all workers whose idle bit is set, also those that a frozen thread has left asleep. */
void leat_lot_wake_all(struct leat_lot *lot, struct leat_parker *first_bed, size_t stride);

/* P4. True if a worker sleeps, is about to, or has been notified and did not come yet. The caller's
 * full fence (P2) comes before. */
LEAT_INLINE bool
leat_lot_any(const struct leat_lot *lot)
{
    uint64_t any = 0;
    for (uint32_t i = 0; i < lot->words_count; i++) {
        /* any:A sc -> park:A, park:B, enter:A.  Orders: item published then idle bits read, against
         * idle bit changed then rings read. */
        any |= atom_load_sc(&lot->idle[i]);
    }
    return any != 0;
}

/* The first worker from `from` on whose idle bit is set; LEAT_WORKERS_MAX: none. */
uint32_t leat_lot_next(const struct leat_lot *lot, uint32_t from);

/* How many sleep at this moment, or have not come yet. */
uint32_t leat_lot_count(const struct leat_lot *lot);

#endif
