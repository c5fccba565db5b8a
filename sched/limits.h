/* limits.h - the limits of the scheduler, each with its reason. */
#ifndef SCHED_LIMITS_H
#define SCHED_LIMITS_H

#include "ring/limits.h"

/* Four words of idle bitmap; more cores than one process of this kind is given. */
#define LEAT_WORKERS_MAX 256

#ifndef LEAT_PRIORITY_LEVELS
#    define LEAT_PRIORITY_LEVELS 8
#endif

/* Three bits of the hint word each; 16 are more than anyone tells apart. */
#define LEAT_PRIORITY_LEVELS_MAX 16

/* Kinds of items; in a ring they have 2 bits. The scheduler runs tasks itself, takes chunks apart,
 * and hands the rest up. */
enum leat_item_kind {
    LEAT_KIND_TASK = 0,
    LEAT_KIND_JOB = 1,
    LEAT_KIND_CHUNK = 2,
    LEAT_KIND_SPAWNED = 3, /* of a group, from a thread that is no worker */
    LEAT_KIND_POSTED = 4   /* to one worker: in its inbox, never in a ring */
};
#define LEAT_ITEM_KINDS 4

/* Slots of a worker's deque of spawned tasks, of 32 bytes: more than a divide and conquer is deep,
 * so that only wide loops meet the end and go on inline; and no more than the L1 cache. */
#ifndef LEAT_SPAWN_SLOTS_LOG2 /* a model has fewer */
#    define LEAT_SPAWN_SLOTS_LOG2 10
#endif

/* Who steals a task that lasts less than the first lets its owner alone for the second: each steal
 * takes two lines from the owner, so a thief of shorter tasks makes all of it slower. */
#define LEAT_STOLEN_SHORT_NS 1000
#ifndef LEAT_STOLEN_REST_NS /* in a model the clock stands still */
#    define LEAT_STOLEN_REST_NS 4000
#endif

/* The level of what is spawned outside. */
#define LEAT_SPAWNED_LEVEL (LEAT_PRIORITY_LEVELS / 2)

/* How often a worker that waits for a group looks before it sleeps, and the pauses in between: some
 * microseconds, less than it takes to be woken. */
#ifndef LEAT_JOIN_ROUNDS /* a model does not look */
#    define LEAT_JOIN_ROUNDS 64
#endif
#define LEAT_JOIN_PAUSES 8

/* Items that a worker takes from a ring at once at most: two lines of slots. */
#define LEAT_CLAIM_MAX 16
/* It takes fewer where those it took before lasted longer than this in all: two wake-ups of a
 * sleeping thread. So long may an item wait behind those of one worker while others run newer
 * ones. */
#define LEAT_CLAIM_NS 100000
/* One that takes them singly looks so often whether it may take more: that reads the clock. */
#define LEAT_CLAIM_EVERY 8

/* Records that the holder of a level's role touches at most, in each of its four steps: some 10 us,
 * with a miss of the caches for each. */
#ifndef LEAT_ADMIT_MOVES /* the models leave more behind */
#    define LEAT_ADMIT_MOVES 64
#endif
/* Jobs of one queue that it admits before it goes on to the next: a few subtractions fewer. */
#define LEAT_ADMIT_TURN 8
/* Of a queue. Its turn is then some ten milliseconds of short jobs, for which others wait. */
#define LEAT_WEIGHT_MAX 1000
/* One in so many picks beside waiting lists admits though the ring has items: more jobs than were
 * taken since, so the ring stays full, for the price of one hold. */
#ifndef LEAT_ADMIT_EVERY
#    define LEAT_ADMIT_EVERY 16
#endif
/* So many cancelled jobs may stay in a list, whatever else is in it. */
#define LEAT_ZOMBIES_MIN 64

/* One in so many pushes that find every sleeping worker notified repeats a wake-up. Most often the
 * worker is on its way, for as long as some hundred pushes take: so it must be rare enough that the
 * system call costs little beside the pushes, and often enough that a few more pushes make good
 * what a frozen thread left undone. */
#define LEAT_WAKE_AGAIN 16

/* Once in so many times that a worker goes to a ring, while others have items of that level in
 * their queues, it takes from those before: rarely enough that robbing workers who are at work
 * costs nothing, and often enough that a queue nobody works at is soon empty. */
#define LEAT_ROB_EVERY 32

/* Records of tasks that a worker gives back by one swap, where it works off a batch: they count as
 * waiting until then, though their tasks have begun. And blocks of batches, of which the pool has
 * so many more for each worker. */
#define LEAT_SPENT_MAX 16

/* Where looking for work begins to pay, it is first done for this part of the longest time. */
#define LEAT_SPIN_PARTS 16

/* Looks at the clock once in so many rounds of a spin: a read costs as much as 10 pauses. */
#define LEAT_SPIN_ROUNDS 16

/* Shape of a timing wheel. Six levels of 64 slots reach 2^36 ticks less one slot of the last level,
 * 2.2 years of ticks of 2^20 ns; an occupied slot is a bit of one word. */
#define LEAT_WHEEL_LEVELS 6
#ifndef LEAT_WHEEL_SLOTS_LOG2 /* a model has fewer */
#    define LEAT_WHEEL_SLOTS_LOG2 6
#endif

/* Words of a block of timers, its link among them: 256 bytes, so that the links and the part that
 * is not full cost little beside the timers, and a slot with one timer not much. */
#ifndef LEAT_WHEEL_BLOCK_LOG2 /* a model has smaller ones */
#    define LEAT_WHEEL_BLOCK_LOG2 5
#endif

/* Free blocks that a wheel keeps for itself, warm: a cascade fills a level's lists, which are then
 * emptied one by one, and frees and fills a few more in turn. */
#define LEAT_WHEEL_SPARES ((1 << LEAT_WHEEL_SLOTS_LOG2) + 8)

/* Ticks as a power of two of nanoseconds: below 16 us a tick is shorter than what wakes a thread;
 * above 17 s nobody calls it a timer. */
#define LEAT_WHEEL_TICK_LOG2_MIN     14
#define LEAT_WHEEL_TICK_LOG2_DEFAULT 20
#define LEAT_WHEEL_TICK_LOG2_MAX     34

/* Timers that one step looks at, those that only move on included: a few ten microseconds. */
#define LEAT_WHEEL_NODES_MAX 1024

/* Timers that a step hands out at once: as many as a chunk of a ring takes. */
#define LEAT_WHEEL_CHUNK LEAT_CHUNK_ITEMS

/* How far the wall clock may drift from the one that is never set, before what waits for a time of
 * day is looked at again. */
#define LEAT_CLOCK_DRIFT_NS UINT64_C(1000000)

/* How soon those who are to advance a wheel are told once more, while it stays overdue: the one who
 * heard it may have been stopped before it began. */
#define LEAT_CLOCK_AGAIN_NS UINT64_C(10000000)

/* The longest name of a zone has 32 letters; one more byte ends the text. */
#define LEAT_ZONE_NAME_BYTES 64

/* The largest file of tzdata has less than 4 000 bytes; so many are read at most. */
#define LEAT_ZONE_FILE_BYTES_MAX 65536

/* Changes in the table of a file: as in the reference implementation of tzcode. The busiest zone
 * has less than 250. */
#define LEAT_ZONE_CHANGES_MAX 2000

/* Bytes of a cron expression, without the one that ends it: every minute of an hour in a list has
 * 170, and nobody reads a longer one. */
#define LEAT_CRON_TEXT_MAX 512

/* The longest interval of @every, a year: what is rarer has a date. */
#define LEAT_CRON_EVERY_MAX_S (UINT64_C(366) * 86400)

LEAT_STATIC(LEAT_PRIORITY_LEVELS >= 1, "one level at least");
LEAT_STATIC(LEAT_PRIORITY_LEVELS <= LEAT_PRIORITY_LEVELS_MAX, "the hint word has 3 bits for each");
LEAT_STATIC(LEAT_WORKERS_MAX % 64 == 0, "the idle bitmap is made of whole words");

#endif
