/* wheel.h - hierarchical timing wheels over records that are known by their index: millions of
 * timers, armed, moved and cancelled in constant time, by any thread. Why so: docs/design/0009.
 *
 * Source   George Varghese and Tony Lauck, "Hashed and hierarchical timing wheels", 1987, scheme 7;
 *          the level as the top digit in which deadline and now differ is Tokio's. Differs: a slot
 *          is no list through the records but a stack of blocks of entries, deadline and index in
 *          one word. So moving a slot to the levels below reads and writes memory in a row, and the
 *          records of what is due are known long before they are touched.
 * Roles    any thread arms, re-arms and cancels. What is inside a wheel belongs to who holds its
 *          role, a word that is tried and never waited for: a worker, another one while that is
 *          busy, a thread that was lent. Nobody else acts on a record from its end (handed out, or
 *          a cancel that was DONE) until it is armed again, and who calls here with an index keeps
 *          the record from being used for something else until the call returns.
 * Claims   arm_any, rearm, cancel  lock-free: a swap fails only if another call succeeded.
 *          enter, leave  lock-free. The role itself is BLOCKING: if its holder stops for ever, the
 *                timers of that wheel wait, and what is sent to its inbox; other wheels do not.
 *                Likewise a record whose first sender stops between word and inbox waits with it.
 *          advance  looks at no more timers than its budget says, those included that only move to
 *                another level. Work per timer: at most one move for each level, one more for each
 *                time that it was put off, and one for each 2.2 years (of ticks of 2^20 ns).
 *          Memory: 16 bytes for each record, 8 more for each that is armed, and for each wheel at
 *                most its slots' blocks that are not full. All there from the start, so arming
 *                cannot fail.
 * Time     A tick is 2^tick_log2 ns. A deadline is rounded up to a tick and now down, so no timer
 *          is early; where advance is called in every tick and comes to its end, a timer is handed
 *          out in the first tick that is not before its deadline. Timers of different ticks come in
 *          the order of ticks, but for what is in the inbox, which joins when the wheel has come to
 *          now; those of one tick come in any order. A deadline that the wheel has passed is due at
 *          once. By a clock that went back nothing is due until it is where it was; one that jumped
 *          ahead hands out all in between.
 * Word     of each record, 64 bits:  tick of its deadline 52 | wheel 8 | unused 2 | INBOX | ARMED
 *            -            -> ARMED          arm
 *            -            -> ARMED INBOX    arm_any
 *            ARMED        -> ARMED          re-armed: here, or from elsewhere to a later tick
 *            ARMED        -> ARMED INBOX    re-armed from elsewhere to an earlier tick
 *            ARMED INBOX  -> ARMED INBOX    re-armed again
 *            ARMED [INBOX]-> INBOX          cancelled from elsewhere
 *            ARMED        -> -              expired, or cancelled here
 *            [ARMED] INBOX-> [ARMED]        taken from the inbox; not ARMED: handed out, released
 *          So ARMED -> not ARMED is where cancel and expiry meet: one of them is told so.
 * I1       a record is in the inbox of its wheel, or in the chain taken from it, or its sender is
 *          on the way there, if and only if INBOX is set: once
 * I2       ARMED without INBOX: there is one entry, whose tick is not behind the word's (or the
 *          holder is at it). A timer that is put off keeps its entry, which then is looked at too
 *          early and moved. No entry without ARMED or INBOX.
 * I3       an entry of tick t stands in the slot of t's digit of the top digit in which t and the
 *          wheel's now differ (or of the last level), and now <= t; but for the list that is being
 *          worked off, whose entries are on their way down
 * I4       an entry's place is in places[index], 0 where there is none
 * Edges    role:B -> role:A    the wheel
 *          role:C -> role:D    what was late for who came by while the role was held
 *          word:A -> word:C, word:D    what who moves the deadline wrote before
 *          word:B -> word:C, word:D    what who cancels wrote before
 *          word:A -> due:B     a move that found nothing, to who arms after it
 *          word:B -> due:B     the same for a cancel
 */
#ifndef SCHED_WHEEL_H
#define SCHED_WHEEL_H

#include "ring/inbox.h"
#include "ring/slab.h"
#include "sched/limits.h"

#define LEAT_WHEEL_SLOTS   (UINT32_C(1) << LEAT_WHEEL_SLOTS_LOG2)
#define LEAT_WHEEL_LISTS   (LEAT_WHEEL_LEVELS * LEAT_WHEEL_SLOTS)
#define LEAT_WHEEL_BLOCK   (UINT32_C(1) << LEAT_WHEEL_BLOCK_LOG2)
#define LEAT_WHEEL_ENTRIES (LEAT_WHEEL_BLOCK - 1)
#define LEAT_WHEEL_NEVER   UINT64_MAX
/* A later deadline is looked at again after so many ticks. */
#define LEAT_WHEEL_REACH                                                                           \
    ((uint64_t)(LEAT_WHEEL_SLOTS - 1) << (LEAT_WHEEL_LEVELS - 1) * LEAT_WHEEL_SLOTS_LOG2)

/* A list is a stack of blocks, of which only the top one may have room. Letters: W one writer at a
 * time, the holder of the list's wheel. */
struct leat_wheel_block {
    leat_atomic_u64 head; /* W list | block below, LEAT_INDEX_NONE: none; the slab's while free */
    uint64_t entries[LEAT_WHEEL_ENTRIES]; /* W tick, low 38 bits | index 26 */
};

/* Letters: I set at init, then read-only; S many writers; W the holder writes, any thread reads; O
 * the holder of the role only. */
struct leat_wheel {
    LEAT_ALIGNED_LINE leat_atomic_u32 role; /* S */
    uint32_t number;                        /* I */
    struct leat_wheels *all;                /* I */
    /* With the role: who looks whether the wheel is late tries the role next. */
    leat_atomic_u64 due; /* W tick by which to advance; LEAT_WHEEL_NEVER; see leat_wheel_due */
    LEAT_ALIGNED_LINE struct leat_inbox inbox; /* S */

    LEAT_ALIGNED_LINE uint64_t now;       /* O tick up to which all was done, but for `current` */
    uint32_t current;                     /* O list that is being worked off; LISTS: none */
    uint32_t chain;                       /* O records from the inbox not yet looked at */
    uint32_t spares;                      /* O free blocks that are kept */
    uint32_t spare;                       /* O the first of them */
    uint64_t count;                       /* O entries */
    uint64_t occupied[LEAT_WHEEL_LEVELS]; /* O a bit for each list that is not empty */
    uint32_t tops[LEAT_WHEEL_LISTS];      /* O place of each list's last entry; LEAT_WHEEL_EMPTY */
};

/* The wheels of one engine, and what they share. Letters: I set at init, then read-only. */
struct leat_wheels {
    leat_atomic_u64 *words;  /* I of each record */
    leat_atomic_u32 *links;  /* I of each record: the inbox's */
    uint64_t *cells;         /* I all words of all blocks: an entry's is cells[its place] */
    uint32_t *places;        /* I of each record's entry: block | number, 0: none */
    struct leat_wheel *each; /* I */
    uint32_t records;        /* I */
    uint32_t count;          /* I */
    uint32_t tick_log2;      /* I */
    uint64_t start_ns;       /* I */
    struct leat_slab blocks; /* S never used up: see blocks_most() */
    void *mapping;           /* I */
    size_t mapping_bytes;    /* I */
};

struct leat_wheels_config {
    uint32_t records;   /* 1 to LEAT_RECORDS_MAX */
    uint32_t wheels;    /* 1 to LEAT_WORKERS_MAX */
    uint32_t tick_log2; /* LEAT_WHEEL_TICK_LOG2_MIN to _MAX */
    uint64_t start_ns;  /* what the clock shows now; earlier is the same as this */
};

enum leat_wheel_result {
    LEAT_WHEEL_REFUSED = 0, /* arm: it is armed, or not yet released. rearm, cancel: it is not
                               armed, any more or at all. Nothing has changed. */
    LEAT_WHEEL_DONE,        /* so it is; after a cancel the record is the caller's */
    LEAT_WHEEL_LATER,       /* cancel: it does not expire, and is handed out when it is released */
    LEAT_WHEEL_WAKE         /* arm, rearm: DONE, and the wheel was not due before this deadline: who
                               sleeps until it is due must be woken, or has to look */
};

/* An index that was released and has not expired. */
#define LEAT_WHEEL_RELEASED (UINT32_C(1) << 31)

/* One step, in and out. */
struct leat_wheel_step {
    uint64_t now_ns;                    /* in */
    uint32_t budget;                    /* in, out: timers that it may look at, to NODES_MAX */
    uint32_t count;                     /* out */
    uint32_t indices[LEAT_WHEEL_CHUNK]; /* out: expired, or released */
};

/* Bytes of address space that leat_wheels_init() maps; pages are taken as they are used. */
size_t leat_wheels_bytes(const struct leat_wheels_config *config);
/* False: no memory. */
bool leat_wheels_init(struct leat_wheels *wheels, const struct leat_wheels_config *config);
void leat_wheels_fini(struct leat_wheels *wheels);

/* ---- the role -------------------------------------------------------------------------------- */

/* Tries to become the holder. False: there is one, who will look at the time again before it
 * leaves. Progress: lock-free. */
bool leat_wheel_enter(struct leat_wheel *wheel);
/* Lets go of the role. False: somebody came by meanwhile, and the caller still has the role: it
 * looks at the clock, advances, and leaves again. Progress: lock-free. */
bool leat_wheel_leave(struct leat_wheel *wheel);

/* ---- for who holds the role of `wheel` ------------------------------------------------------- */

/* Arms a record that is nobody's. Returns: DONE, WAKE, REFUSED. */
enum leat_wheel_result leat_wheel_arm(struct leat_wheel *wheel, uint32_t index,
                                      uint64_t deadline_ns);
/* Hands out what is due, up to a chunk, and moves on what comes nearer, within the budget. False:
 * nothing is left to do up to now_ns. True: call again, at once or when there is time. */
bool leat_wheel_advance(struct leat_wheel *wheel, struct leat_wheel_step *step);

/* ---- for any thread -------------------------------------------------------------------------- */

/* `held` is a wheel whose role the caller has, or NULL: then, or if the record is in another one,
 * the call goes through the inbox. */

/* Arms a record that is nobody's, on `wheel`. Returns: DONE, WAKE, REFUSED. Progress: lock-free. */
enum leat_wheel_result leat_wheel_arm_any(struct leat_wheel *wheel, uint32_t index,
                                          uint64_t deadline_ns);
/* Moves the deadline of an armed timer. Later costs one swap. Returns: DONE, WAKE, REFUSED; after
 * that, as leat_wheel_cancel(). Progress: lock-free. */
enum leat_wheel_result leat_wheel_rearm(struct leat_wheels *wheels, struct leat_wheel *held,
                                        uint32_t index, uint64_t deadline_ns);
/* Returns: DONE, LATER, REFUSED. Who arms the record after a REFUSED knows what the caller wrote
 * before. Progress: lock-free. */
enum leat_wheel_result leat_wheel_cancel(struct leat_wheels *wheels, struct leat_wheel *held,
                                         uint32_t index);

/* When to advance, at the latest: 0: at once; LEAT_WHEEL_NEVER. For who looks whether a wheel is
 * late, and before a sleep: an arm that comes too late to be seen here returns WAKE. It may be
 * earlier than the first deadline. */
uint64_t leat_wheel_due_ns(struct leat_wheel *wheel);

/* Checks I2 to I4 of a quiescent wheel; says on `why` (may be NULL) what is wrong. */
bool leat_wheel_check(const struct leat_wheel *wheel, FILE *why);
/* Checks all wheels, I1, and that no block was lost. */
bool leat_wheels_check(const struct leat_wheels *wheels, FILE *why);

LEAT_INLINE struct leat_wheel *
leat_wheels_at(const struct leat_wheels *wheels, uint32_t number)
{
    LEAT_DCHECK(number < wheels->count);
    return &wheels->each[number];
}

#endif
