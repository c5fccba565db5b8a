/* lists.h - where jobs wait that found their ring full, or others of their queue waiting, and how
 * workers admit them to the ring. Why it is so and not otherwise: docs/design/0012.
 *
 * Source   ours. Any number of threads list; the role of a level is a try-lock that hands on what
 *          was missed.
 * Roles    any thread lists and cancels. One worker at a time holds the role of a level and admits,
 *          or any thread, and takes for itself.
 * Claims   list    lock-free: the inbox's swap. Needs no memory: the links are in the records.
 *          admit   BLOCKING in its holder: one that stops while it holds the role holds up what is
 *                  listed at its level. Whoever finds the role held marks it and goes on. A hold
 *                  touches at most 4 * LEAT_ADMIT_MOVES records, however many wait; 6 times as
 *                  many where a list is in exact order, and for who takes.
 *          take    BLOCKING in the holder, too: who takes waits for the role, as long as a hold is.
 *                  And it takes nothing before what was listed is dealt, as with Exact: those in
 *                  front of the others (`returned`) could be among it. Each hold deals a part, so
 *                  that takes as many holds as there are parts.
 *          Order   FIFO per submitting thread, queue and level, what is pushed directly included.
 *          Exact   a list in exact order is a heap (heap.h), of which the first one is admitted,
 *                  or taken, where the hold has emptied the inbox, last of all before, and dealt
 *                  what was there, or else all that the list's word counts; and not while it is
 *                  swept. So what it admits is the first of all that were listed before. For each
 *                  record that a hold moves, it touches some more, by the logarithm of the list's
 *                  length.
 *          Shares  the lists that are ready take turns, deficit round robin (M. Shreedhar and
 *                  G. Varghese, Efficient Fair Queueing using Deficit Round Robin, SIGCOMM 1995):
 *                  a turn is weight * LEAT_ADMIT_TURN jobs that go on, to the ring or to another
 *                  list, and goes on in the next hold where this one, the ring, or the places that
 *                  lists are held for, end first. Differs: all jobs cost one, so what is left when
 *                  a list is empty, or shut, is forgotten. While two lists stay ready, or held, the
 *                  numbers of their jobs that go on, divided by their weights, differ by at most
 *                  two turns.
 *          Sweep   a cancel that finds more cancelled jobs than others, and than LEAT_ZOMBIES_MIN,
 *                  asks for a sweep: what was cancelled by then leaves as workers come by, also
 *                  beside a full ring.
 *          ABA, reclamation: see ring/inbox.h; a record is the place's until it lets go.
 * I1       a job is in one place: ring, local queue, hand, inbox, chain, turned or list
 * I2       waiting >= jobs of that queue and level in inbox, chain, turned, list and holder's hand
 * I3       who reads the word as 0 has every job listed before in front of it in the ring
 * I4       FREE: the holder's part is empty. A queue is on `ready` if its list has jobs, and does
 *          not wait at a gate, and on `held` if it waits for a place, whatever place
 * Edges    admitted:A -> plain:A   the pushes to the ring of what was listed
 *          hand_on:A -> admitter:A     the holder's part, which the next holder goes on with
 *          call:A -> call:B            the gate that was opened; and back, that the link is free
 *          admitter:A -> look:A        that the holder is busy, for leat_pool_quiet()
 *          counted:A -> forget:A       which jobs the cancels were of that a sweep forgets
 */
#ifndef SCHED_LISTS_H
#define SCHED_LISTS_H

#include <stdio.h>

#include "ring/fifo.h"
#include "ring/inbox.h"
#include "sched/bucket.h"
#include "sched/gate.h"
#include "sched/heap.h"
#include "sched/limits.h"
#include "sched/takers.h"

struct leat_pool;

/* The word of a queue and level.
 *   31     SWEEP     asked for, and not yet begun
 *   30     OPENED    a gate at which its list waited may be open
 *   29     GATED     all its jobs are listed
 *   28     EXACT     its list is a heap; set before its first job, with GATED
 *   26..0  waiting   see I2
 * Transitions: +1 by who lists; -n by the holder; SWEEP set by a cancel, OPENED by who opens a
 * gate, both cleared by the holder; GATED set once by who first shuts a gate. */
#define LEAT_LIST_SWEEP   (UINT32_C(1) << 31)
#define LEAT_LIST_OPENED  (UINT32_C(1) << 30)
#define LEAT_LIST_GATED   (UINT32_C(1) << 29)
#define LEAT_LIST_EXACT   (UINT32_C(1) << 28)
#define LEAT_LIST_CALLS   (LEAT_LIST_SWEEP | LEAT_LIST_OPENED)
#define LEAT_LIST_WAITING ((UINT32_C(1) << 27) - 1)

/* What all threads read of a queue at each submit. Letters: S many writers. */
struct leat_queue_words {
    LEAT_ALIGNED_LINE leat_atomic_u64 options;     /* S of who hands the queues out; 0 at first */
    leat_atomic_u32 waiting[LEAT_PRIORITY_LEVELS]; /* S see above, by level */
    leat_atomic_u32 weight;                        /* S of its lists' turns; 0: as 1 */
    LEAT_ALIGNED_LINE struct leat_gate gate;       /* S theirs, too */
    struct leat_bucket bucket;                     /* S theirs, too */
    struct leat_gate kept;                         /* S theirs, too: workers' places */
    struct leat_takers takers;                     /* S theirs, too */
    struct leat_gate ahead;                        /* S theirs, too: jobs out of exact order */
    leat_atomic_u64 sequence;                      /* S theirs, too: jobs in exact order so far */
};

/* The jobs of one queue and level. Letters: O the holder of the level's role; S many writers. */
struct leat_list {
    struct leat_fifo returned; /* O older than the others; they were admitted, or listed, before */
    struct leat_fifo swept;    /* O older than `jobs`; a sweep has looked at them */
    struct leat_fifo jobs;     /* O */
    struct leat_heap heap;     /* O those in exact order; the chains above have none, but for */
    uint32_t under;            /* O those in the heaps, being swept, whose roots are in `jobs` */
    bool on_ready;             /* O the queue is on the level's `ready`, or `held` */
    bool shut;                 /* O it waits at a gate, whose opening calls it */
    uint32_t turn_left;        /* O jobs that it may still admit in its turn; 0: that is over */
    leat_atomic_u32 next;      /* S link of `ready` */
    leat_atomic_u32 next_call; /* S link of `calls` */
    leat_atomic_u32 zombies;   /* S cancelled since the last sweep began, some in the ring */
};

enum leat_role {
    LEAT_ROLE_FREE = 0, /* the holder's part is empty */
    LEAT_ROLE_LEFT,     /* it is not */
    LEAT_ROLE_HELD,
    LEAT_ROLE_MARKED /* held, and another worker was turned away */
};

/* One level. Letters: I set at init, then read-only; O the holder of the role; S many writers. */
struct leat_lists {
    LEAT_ALIGNED_LINE struct leat_inbox inbox; /* S jobs */
    LEAT_ALIGNED_LINE struct leat_inbox calls; /* S queues that are to be swept, or opened */
    LEAT_ALIGNED_LINE leat_atomic_u32 role;    /* S enum leat_role */
    uint32_t chain;                            /* O taken from the inbox, newest first */
    uint32_t chain_calls;                      /* O taken from `calls` */
    uint32_t sweeping;                         /* O queue, or LEAT_INDEX_NONE */
    uint32_t sweep_left;                       /* O jobs that this sweep has still to look at */
    bool heaps;                                /* O it had a job in exact order */
    bool settled;                              /* O of this hold, if it settles: see Exact */
    struct leat_fifo turned;                   /* O taken and turned round: oldest first */
    struct leat_fifo ready;                    /* O queues with jobs in their lists */
    struct leat_fifo held;                     /* O the same, that wait for a place */
    struct leat_list *lists;                   /* I by queue */
};

enum leat_passage {
    LEAT_PASSAGE_GO,    /* to the ring */
    LEAT_PASSAGE_SHUT,  /* its list waits at a gate: the others of the list do, too */
    LEAT_PASSAGE_HELD,  /* the same, for one of the places that many lists wait for */
    LEAT_PASSAGE_OTHER, /* it waits in another list, at a gate that is not for all of its list */
    LEAT_PASSAGE_FULL,  /* as where the ring is full. Whoever makes room is a worker that takes from
                           the ring, and so comes by here */
};

/* What is asked of who knows the jobs. */
struct leat_lists_ops {
    leat_atomic_u32 *(*link)(void *context, uint32_t index);
    uint32_t (*queue)(void *context, uint32_t index);
    /* True: it is not to be admitted (cancelled, say), and the record is let go of. */
    bool (*drop)(void *context, uint32_t index);
    void *context;
    /* Where there are gates. A job of `list`, that was not dropped, passes those that it has to.
     * *other: the list, if that is the answer. */
    enum leat_passage (*enter)(void *context, uint32_t index, uint32_t level, uint32_t list,
                               uint32_t *other);
    /* It passed, and the ring was full: as before. */
    void (*leave)(void *context, uint32_t index);
    /* It was admitted or listed before, and is older than the others of its list. */
    bool (*returned)(void *context, uint32_t index);
    /* Of jobs in exact order. */
    struct leat_heap_node *(*node)(void *context, uint32_t index);
    bool (*before)(void *context, uint32_t index, uint32_t other);
};

/* One word and one list for each queue and level. */
size_t leat_lists_bytes(uint32_t queues);
/* Lays the lists of all levels, and then the queues, into zeroed memory. */
void leat_lists_init(struct leat_lists *lists, uint32_t queues, void *memory);
struct leat_queue_words *leat_lists_queues(uint32_t queues, void *memory);

/* Lists `count` jobs of a level, all at once, and tells the workers. They are in state PENDING.
 * Progress: lock-free. */
void leat_lists_add(struct leat_pool *pool, uint32_t level, const uint32_t *items, uint32_t count);

/* A gate at which the list of `queue` waited may be open. Progress: lock-free. */
void leat_lists_opened(struct leat_pool *pool, uint32_t level, uint32_t queue);

/* There may be a place: calls all lists that are held. Progress: lock-free. */
void leat_lists_placed(struct leat_pool *pool, uint32_t level);

/* All jobs of a queue are listed from now on, on all levels. */
void leat_lists_gate(struct leat_pool *pool, uint32_t queue);

/* The same for a queue that has had no job, in exact order from now on. */
void leat_lists_exact(struct leat_pool *pool, uint32_t queue);

/* True if a worker that looks for work should try to admit. */
bool leat_lists_ready(const struct leat_lists *lists);

/* Admits what there is room for, as far as one hold goes. False: another worker holds the role.
 * pre: the calling worker has counted it, see leat_pool_quiet(). */
bool leat_lists_admit(struct leat_pool *pool, uint32_t level);

enum leat_taken {
    LEAT_TAKEN_ALL,  /* the list is empty, and so was the inbox; or the taker wants no more */
    LEAT_TAKEN_PART, /* as far as one hold goes: come again */
    LEAT_TAKEN_BUSY  /* another thread holds the role, for a moment: come again */
};

/* Who takes jobs out of a list beside the ring. `take` is given the oldest job of the list that was
 * not dropped; false: it stays there, and no other one is wanted. */
struct leat_taker {
    bool (*take)(void *context, uint32_t index);
    void *context;
};

/* Gives a taker what is listed of the queue and level. It takes the role as a worker does: so what
 * it holds up, and who holds it up, is as with leat_lists_admit(). pre: as there; a thread that is
 * no worker has counted itself. */
enum leat_taken leat_lists_take(struct leat_pool *pool, uint32_t level, uint32_t queue,
                                const struct leat_taker *taker);

/* A job of the queue and level that waited, somewhere, is one that will be dropped. Progress:
 * lock-free. */
void leat_lists_cancelled(struct leat_pool *pool, uint32_t level, uint32_t queue);
/* The same, told before, has something that others wait for: it is dropped at once. */
void leat_lists_sweep(struct leat_pool *pool, uint32_t level, uint32_t queue);

/* True if lists of the level wait for a place. pre: as in the next one. */
bool leat_lists_held(const struct leat_pool *pool, uint32_t level);

/* True if there are jobs in the list of the queue. pre: the level's role, as in ops.enter. */
bool leat_lists_some(const struct leat_pool *pool, uint32_t level, uint32_t queue);

/* Checks I2 and I4 of a quiescent level; says on `why` (may be NULL) what is wrong. */
bool leat_lists_check(const struct leat_pool *pool, uint32_t level, FILE *why);

#endif
