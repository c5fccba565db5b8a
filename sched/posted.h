/* posted.h - tasks for one given worker: they wait in an inbox of its place, and no other worker
 * takes them. Why it is so and not otherwise: docs/design/0015.
 *
 * Roles    any thread posts. The place's thread takes all that came, turns it round, and puts it
 *          behind what it took before, by level: from then on it is in its own hands.
 * Look     the inbox's word stands on a line that the worker reads before each pick anyway and that
 *          hardly anybody else writes. So who is posted nothing reads a word more, and no line.
 * Order    FIFO per posting thread, place and level. Beside other items of the level what was
 *          posted has every other turn, so neither keeps the other from its own.
 * Waking   by the protocol of sched/park.h, but of this worker alone: see there, "One given
 *          worker".
 * Leaving  The thread that leaves a place closes its inbox, by one exchange: what came before is in
 *          its hands, what comes later is refused. What it has goes to the rings, for any worker;
 *          what has no room there it runs itself before it leaves. Where a stop comes between,
 *          or the place was taken out of the count while nothing ran, who starts the pool or counts
 *          does it instead, and what has no room goes to place 0, which is always there.
 * Claims   post   lock-free: the swaps of the slab and of the inbox; waking as in park.h
 *          take   as many steps as there are tasks in the inbox, each of them once
 * I1       the inbox of a place in the count is open, and closed where nobody takes from it
 * I2       what is in hand by level agrees with the bit of the level in `held`
 * Edges    its own words have none; what it rests on is
 *          inbox:A -> inbox:B   the task's record and its link, to the thread that runs it
 *          inbox:A -> inbox:E   the same, to who closes the inbox
 *          inbox:B -> inbox:C   that the taker is busy, to leat_posted_ready()
 *          give:B -> take:A     that the task was read, to who fills the record again
 */
#ifndef SCHED_POSTED_H
#define SCHED_POSTED_H

#include "sched/pool.h"

/* Where it waits. Letters: S many writers; Q only while one thread has the record. */
struct leat_posted_record {
    leat_atomic_u64 argument;    /* S the free record's link is here, too: see link_inside */
    leat_pool_function function; /* Q */
    leat_atomic_u32 next;        /* S link of the inbox, and of what is in hand */
    uint32_t level;              /* Q */
    uint64_t unused;             /* Q fills the record */
};

/* Bit of `held`: tasks of the level that were posted are in hand. */
#define LEAT_HELD_POSTED(level) (UINT32_C(1) << (LEAT_PRIORITY_LEVELS_MAX + (level)))

/* Takes what came into the inbox. */
void leat_posted_take(struct leat_worker *worker);
/* Takes it and closes the inbox. */
void leat_posted_close(struct leat_worker *worker);
/* The oldest in hand of a level. pre: its bit of `held` is set. */
void leat_posted_pick(struct leat_worker *worker, uint32_t level, uint32_t *item);
/* The same, every other time; false in between: else what is posted to all workers could keep the
 * ring from its turn. */
bool leat_posted_turn(struct leat_worker *worker, uint32_t level, uint32_t *item);
/* Runs an item of kind LEAT_KIND_POSTED. */
void leat_posted_run(struct leat_worker *worker, uint32_t item);
/* Gives to the rings what is in hand, as far as there is room. */
void leat_posted_give(struct leat_worker *worker);

/* Opens the inboxes of the places that count, and empties and closes the others. pre: no thread is
 * in a place. */
void leat_posted_settle(struct leat_pool *pool);
/* Wakes those who sleep though something was posted to them: for the thread of tick.h. */
void leat_posted_wake(struct leat_pool *pool);
/* True if an inbox has something. */
bool leat_posted_ready(const struct leat_pool *pool);

/* Checks I2 and the links of a place without a thread, of which the pool has `most` tasks at most;
 * *count becomes how many wait there. Says on `why` (may be NULL) what is wrong. */
bool leat_posted_check(const struct leat_worker *worker, uint32_t *count, FILE *why);

#endif
