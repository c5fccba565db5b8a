/* spawn.h - fork and join: tasks that a task spawns, and the groups in which they are counted. How
 * it came to this, with measurements: docs/design/0011.
 *
 * A spawned task goes to the deque of the worker that spawns it (ring/deque.h), and runs at once if
 * that is full. Its worker takes the newest one first, other workers steal the oldest. Nothing is
 * allocated. What a thread that is no worker spawns goes through a ring, as items of their own
 * kind.
 *
 * Depth  Each spawned task has a depth: one more than the task that spawned it; what a worker takes
 *   from a ring has depth 0. A worker that waits in a task of depth d takes only tasks deeper than
 *   d, from its own deque and from others'. So the tasks on one stack get deeper and deeper: they
 *   are never more than the longest chain of spawns, as if each spawn were a call.
 *
 * D1  In a deque the depths do not fall from the oldest entry to the newest.
 * D2  Who runs a spawned task, runs what it left in the own deque before anything else.
 * D3  A group is waited for by the task that began it, after which its tasks are spawned: by it, or
 *     by tasks below it. So each task of the group is deeper than the one that waits.
 * D4  A worker without work has an empty deque, and so has one whose thread leaves.
 *
 * Why D1: what is pushed has the depth of the top of the stack, plus 1. Let it be the first entry
 * ever that is shallower than an older one y in the same deque, and let p be who pushes it. Who
 * pushed y was deeper than p. If p was running then, on the same stack, it has come back to p
 * since, and by D2 y is gone. So p began later, beside y. It did not come from this deque: it would
 * have been pushed behind y and be shallower, before the first one that is. It was not stolen: then
 * p is deeper than the task that waits, whose depth is at least that of the newest entry, which is
 * at least that of y. Out of a ring a worker takes only at the bottom of its stack, where by D2
 * there are only entries of depth 1, and none is shallower.
 * Why all who wait come to an end: suppose that everything stands still. Let F be the deepest task
 * that waits at the top of a stack. What it waits for is deeper (D3). None of it is running, for
 * then the top of that stack would wait, deeper than F. So it is in a deque, whose worker waits at
 * the top of its stack no deeper than F; by D1 the newest entry there is at least as deep, and the
 * worker takes it. Workers outside tasks take whatever there is. So the waits need no help from
 * others, and whether a worker that waits is woken for what it could steal is a question of speed
 * alone.
 *
 * Count  of the tasks of a group that have not ended: the sum of `own`, which the worker that began
 *   it counts without atomic operations, and `others`, which all other threads add to and subtract
 *   from; it may be negative. A task is counted before it is pushed, and what it spawns before it
 *   ends. So the sum comes to 0 once, when all have ended, and only the one that waits can begin
 *   again. Before that one sleeps, it adds `own` to `others`, which are then all, and a mark; who
 *   brings them to 0 sees the mark in the very word that it subtracts from, and wakes the sleeper.
 *   That subtraction is the last time that it touches the group: once the sum is 0 the memory is
 *   the waiter's. The sleeper's bed is its worker's, or a bell of who opened the pool.
 *
 * Waking  by the protocol of sched/park.h. A spawn is P1, P2, P4, P5; instead of a hint (P3), a
 *   worker looks into all deques whenever it finds no item, and in W5. Workers that sleep in a wait
 *   stand in a lot of their own: what comes into a ring is not for them. They are woken if no other
 *   worker sleeps, and only if they may steal the oldest entry.
 *
 * Progress  spawn  wait-free but for the wake-up, see park.h, while there is room in the deque;
 *                  else the task runs inside the call. Lock-free from outside.
 *           wait   blocking, by its nature: a group ends when its tasks end.
 *           A thief that stops for ever holds up who waits for the task in its hand. A worker that
 *           stops inside a pop hides the entry that it pops.
 *
 * Edges     join:A -> join:B                what the tasks did, to the one that waits
 *           join:A -> join:C                the same, where the waiter adds its mark first
 *           join:C -> join:A                that the bed is prepared, to who wakes the waiter
 *           deque_push:B -> deque_steal:B   what was written before a spawn, to who steals the task
 *           push:C -> pop:B                 the same, to who takes what was spawned outside
 */
#ifndef SCHED_SPAWN_H
#define SCHED_SPAWN_H

#include "sched/pool.h"

typedef void (*leat_range_body)(size_t begin, size_t end, void *argument);

/* What is done with a range: pieces of it, each at least `grain` long, in any order. */
struct leat_range_work {
    leat_range_body body;
    void *argument;
    size_t grain;
};

/* A group. Letters: I set at init, then read-only; O the owner's thread; S many writers. */
struct leat_join {
    struct leat_pool *pool;             /* I */
    struct leat_worker *owner;          /* I on which it was begun; NULL: on no worker */
    const struct leat_range_work *work; /* I NULL: its tasks are functions */
    uint64_t depth;                     /* I of the task that began it */
    uint64_t own;                       /* O see above */
    leat_atomic_u64 others;             /* S twice the count, and 1 if the waiter sleeps */
    leat_atomic_u32 unusual;            /* S LEAT_JOIN_ bits */
    leat_atomic_u32 error;              /* S the first that failed; 0: none */
};

/* What is spawned outside, as it waits in a ring. Letters: S many writers; Q only while one thread
 * has the record. */
struct leat_spawned {
    leat_atomic_u64 join; /* S 0: taken, or revoked */
    uint64_t function;    /* Q */
    uint64_t argument;    /* Q */
    uint64_t unused;      /* Q fills the record */
};

#define LEAT_JOIN_CANCELLED UINT32_C(1)
#define LEAT_JOIN_WORK      UINT32_C(2) /* its tasks are pieces of `work` */

/* `work` may be NULL. */
void leat_join_init(struct leat_join *join, struct leat_pool *pool, struct leat_worker *owner,
                    const struct leat_range_work *work);

/* On a worker of the group's pool: spawns function(argument), or a piece if the group has work.
 * Always takes it. */
void leat_spawn(struct leat_worker *worker, struct leat_join *join, uint64_t function,
                uint64_t argument);
/* Works on a range, in the calling task. */
void leat_join_work(struct leat_worker *worker, struct leat_join *join, size_t begin, size_t end);
/* leat_spawn() on a thread that is no worker. False: the ring or the slab is full. */
bool leat_spawn_outside(struct leat_join *join, uint64_t function, uint64_t argument,
                        uint32_t *index);
/* Takes back what was spawned so, of a group in which it is the only one. False: it has begun. */
bool leat_spawn_revoke(struct leat_join *join, uint32_t index);

/* Waits on the owner's thread, and helps. False: the deadline (UINT64_MAX: none) came first. */
bool leat_join_wait(struct leat_join *join, uint64_t deadline_ns);
/* Where the group has no owner: true if all have ended; else who ends the last one calls ops.ended,
 * until leat_join_unmark(). */
bool leat_join_mark(struct leat_join *join);
bool leat_join_ended(const struct leat_join *join);
void leat_join_unmark(struct leat_join *join);

/* Tasks that have not begun are passed over. */
void leat_join_cancel(struct leat_join *join);
/* Cancels, with an error other than 0; the first one counts. */
void leat_join_fail(struct leat_join *join, uint32_t error);

/* ---- for the worker's loop ------------------------------------------------------------------ */

/* Takes a spawned task from the own deque, or another worker's. False: there was none. */
bool leat_spawn_take(struct leat_worker *worker, struct leat_deque_entry *entry);
void leat_spawn_run(struct leat_worker *worker, const struct leat_deque_entry *entry);
/* Runs all that is in the own deque. */
void leat_spawn_empty(struct leat_worker *worker);
/* Runs an item of kind LEAT_KIND_SPAWNED. */
void leat_spawn_item(struct leat_worker *worker, uint32_t item);
/* True if a deque has something to steal. */
bool leat_spawn_ready(const struct leat_pool *pool);

#endif
