/* park.h - how a worker without work goes to sleep, and how one is woken: nobody who brings work
 * waits for it, and no wake-up is lost.
 *
 * The parties: a producer that publishes an item in a ring, and workers that look for items.
 *
 *   producer                                worker without work
 *     P1  publish the item in its ring        W1  token = 0
 *     P2  full fence                          W2  set own bit in the idle bitmap
 *     P3  set the level's hint bit if clear   W3  clear the hint
 *     P4  read the idle bitmap                W4  full fence
 *     P5  bit seen: clear it; who cleared     W5  look into every ring, and at the halt flag
 *         it stores token = 1 and wakes       W6  something there: set that level's hint bit, clear
 *                                                 own idle bit, go on
 *                                             W7  else sleep while token == 0; then clear own bit
 *                                             W8  with the first item after a time without: if
 *                                                 others sleep and rings have more, wake one
 *
 * Why no item is left behind: P2 and W4 are full fences, so one comes first.
 *   P2 first: W5 sees the item (published before P2) and does not sleep - if it is at the head of
 *   its ring. It may stand behind a slot that another producer has claimed and not yet published.
 *   That one still has its own P2 to P5 to go: it wakes a worker, which takes its item, and by W8
 *   wakes another one for the item behind.
 *   W4 first: P4 sees the bit that W2 set, or that someone else cleared it. Whoever cleared it
 *   stores the token (P5), and the worker wakes and looks again.
 *   A wake between W5 and W7 is not lost: the token is a level, and W7 sleeps only while it is 0.
 *   A late token from an earlier round ends W7 while the idle bit is still set; the worker clears
 *   the bit before it does anything else, so that no wake is spent on one that is awake.
 * Why a set hint bit is never missing for long: P3 and W3 are the same argument with "hint bit" for
 * "idle bit": P2 before W4, then W5 sees the item and W6 sets the bit; W4 before P2, then P3 sees
 * the cleared bit and sets it. So the bit of a level with an item is clear only while its producer
 * is between P1 and P3, or a worker between W3 and W6. A thread frozen there hides the level from
 * workers that are busy elsewhere, until one of them runs dry and goes through W5.
 *
 * Progress  BLOCKING at one step: a thread frozen in P5 between clearing the bit and the end of its
 *           system call leaves one worker asleep whose bit nobody sees any more. The other workers
 *           go on; where there is no other, nothing runs until that thread moves.
 */
#ifndef SCHED_PARK_H
#define SCHED_PARK_H

#include "ring/os.h"
#include "sched/limits.h"

#define LEAT_IDLE_WORDS (LEAT_WORKERS_MAX / 64)

/* Letters: I set at init, then read-only; S many writers. */
struct leat_lot {
    LEAT_ALIGNED_LINE leat_atomic_u64 idle[LEAT_IDLE_WORDS]; /* S one bit per sleeping worker */
    uint32_t words_count;                                    /* I words in use */
};

/* A worker's own place to sleep, on its own line. */
struct leat_bed {
    LEAT_ALIGNED_LINE leat_atomic_u32 token; /* S 1: woken */
};

void leat_lot_init(struct leat_lot *lot, uint32_t workers);

/* W1 and W2. The caller's full fence and second look (W4, W5) come next. */
void leat_lot_enter(struct leat_lot *lot, struct leat_bed *bed, uint32_t worker);
/* W6. */
void leat_lot_leave(struct leat_lot *lot, uint32_t worker);
/* W7: until woken, or the monotonic deadline. */
void leat_lot_sleep(struct leat_lot *lot, struct leat_bed *bed, uint32_t worker,
                    uint64_t deadline_ns);

/* P5: wakes one worker whose idle bit is set. `beds` are all workers' beds, one every `stride`
 * bytes. False: by now none was. */
bool leat_lot_wake(struct leat_lot *lot, struct leat_bed *first_bed, size_t stride);

/* P4. True if a worker sleeps, or is about to. The caller's full fence (P2) comes before. */
LEAT_INLINE bool
leat_lot_any(const struct leat_lot *lot)
{
    uint64_t any = 0;
    for (uint32_t i = 0; i < lot->words_count; i++) {
        any |= atom_load_rlx(&lot->idle[i]); /* rlx: ordered by notify:A */
    }
    return any != 0;
}

/* How many sleep at this moment. */
uint32_t leat_lot_count(const struct leat_lot *lot);

#endif
