/* pool.h - a pool of workers over one ring per priority level. It moves items and knows of them
 * only their kind: tasks it runs itself, everything else it hands up through leat_pool_ops.
 *
 * Order of picks  A worker reads the hint word before every pick. Lowest set bit first: 0 is most
 *   urgent. Every `starvation_picks`-th pick serves the next non-empty level in rotation, so each
 *   of L waiting levels gets at least one pick in L * starvation_picks, whatever floods the others.
 * FIFO  per pushing thread and level, up to the parallelism of the workers.
 * Claims  A worker whose local queue is empty takes as many items from the ring as wait for it and
 *   for each of the others, and puts all but the first into its local queue, where others may
 *   steal them. How many: at most LEAT_CLAIM_MAX, and fewer where the last ones took long.
 * Batches  are one item of kind CHUNK in the ring, see ring/chunk.h. Who takes one runs its first
 *   item and puts the others into a local queue of its own, one per level, before it takes anything
 *   else of that level; other workers steal from there.
 * Hint word  bit L: the ring of level L may have items; bit 16 + L: a local queue of level L may;
 *   bit 32 + L: a waiting list of level L may. Bit 48 is for the deques of spawned tasks.
 * Workers  are threads in places 0 .. active - 1 of workers_max, and that may change while they
 *   run, see leat_pool_resize(). What a place's local queues hold stays there for thieves, also
 *   while no thread is in it, or one that is stuck in a handler.
 * Sleep and wake  see sched/park.h. Quiet (nothing waits, nothing runs) see leat_pool_quiet().
 */
#ifndef SCHED_POOL_H
#define SCHED_POOL_H

#include "ring/chunk.h"
#include "ring/deque.h"
#include "ring/fifo.h"
#include "ring/flight.h"
#include "ring/inbox.h"
#include "ring/local.h"
#include "ring/memory.h"
#include "ring/mpmc.h"
#include "ring/slab.h"
#include "sched/lists.h"
#include "sched/park.h"
#include "sched/tick.h"
#include "sched/topology.h"

struct leat_join;
struct leat_pool;

typedef void (*leat_pool_function)(void *argument);

/* A task: what a ring item of kind TASK stands for. */
struct leat_pool_task {
    leat_pool_function function;
    void *argument;
};

/* Who is in a place that has threads of ours. TAKEN -> ASKED -> TAKEN, by who changes their number;
 * ASKED -> LEAVING -> LEFT, by the thread in the place; and from EMPTY or LEFT to TAKEN by a start,
 * from any to EMPTY by a join, under the lock of who calls. */
enum leat_seat {
    LEAT_SEAT_EMPTY,
    LEAT_SEAT_TAKEN,
    LEAT_SEAT_ASKED,
    LEAT_SEAT_LEAVING,
    LEAT_SEAT_LEFT
};

/* What became of a post to one worker. */
enum leat_post_result {
    LEAT_POST_OK,
    LEAT_POST_FULL, /* no record is free */
    LEAT_POST_AWAY  /* the place is not in the count */
};

/* Where it waits. Letters: S many writers; Q only while one thread has the record. */
struct leat_task_record {
    leat_atomic_u64 argument;    /* S the free record's link is here, too: see link_inside */
    leat_pool_function function; /* Q */
};

/* Records of a slab that a worker gives back together. Letters: O the worker's own thread. */
struct leat_spent {
    uint32_t indices[LEAT_SPENT_MAX]; /* O */
    uint32_t count;                   /* O */
    uint32_t most;                    /* O give them back when they are so many */
};

/* Letters: I set at init, then read-only; O the worker's own thread; W one writer, many readers;
 * S many writers; Q only while quiescent; T a statistic, approximate. */
struct leat_worker {
    struct leat_parker bed;                 /* S */
    LEAT_ALIGNED_LINE leat_atomic_u32 busy; /* W 1 from before a pick until nothing was found */
    leat_atomic_u32 stocked;                /* W bit per level: its local queue may have items */
    leat_atomic_u64 taken;                  /* W items taken */
    leat_atomic_u64 ended;                  /* W of these, how many came to their end */
    leat_atomic_u64 tasks_run;              /* W */
    leat_atomic_u64 parks;                  /* W */
    leat_atomic_u64 wakes;                  /* W */
    leat_atomic_u64 steals;                 /* W takings from other places' local queues */
    uint32_t picks;                         /* O since the last one in rotation */
    uint32_t rotation;                      /* O the level that had the last one */
    uint32_t held;                          /* O bit per level that has an item in hand; 16 bits up,
                                                 per level that has tasks posted to it in hand */
    uint32_t unadmitted;                    /* O picks beside waiting lists since it admitted */
    uint32_t claim;                         /* O items it may take from a ring at once */
    uint32_t rounds;                        /* O to rings since it robbed others before */
    uint32_t singles;                       /* O items taken singly since it last asked for more */
    uint64_t seen;                          /* O hint bits that its last second look found */
    uint64_t claim_ns;                      /* O when it last asked */
    uint64_t spin_ns;                       /* O how long it looks for work before it parks */
    struct leat_spent tasks_spent;          /* O records of tasks that have begun */
    struct leat_spent chunks_spent;         /* O blocks that were taken apart */
    uint32_t hand[LEAT_PRIORITY_LEVELS];    /* O items to run again, by level */
    uint32_t passed;                        /* O bit per level whose last one was posted */
    struct leat_fifo posted[LEAT_PRIORITY_LEVELS]; /* O see posted.h */
    uint64_t depth;                                /* O of the task that runs, see spawn.h */
    leat_atomic_u64 floor;                         /* W that depth, when it last slept in a wait */
    LEAT_ALIGNED_LINE struct leat_pool *pool;      /* I */
    uint32_t index;                                /* I */
    int32_t cpu;                                   /* I -1: not pinned to one */
    pthread_t thread;                              /* Q */
    const uint8_t *victims;                        /* I the other places, the near ones first */
    uint32_t victims_count[LEAT_DISTANCES];        /* I of each distance */
    leat_atomic_u32 lent;                          /* S 1: a lent thread is inside */
    leat_atomic_u32 seat;                          /* S enum leat_seat */
    struct leat_inbox inbox;                       /* S what is posted to it; closed: nothing is */
    leat_atomic_u64 seen_running;                  /* T see leat_worker_run_ns() */
    struct leat_local local[LEAT_PRIORITY_LEVELS]; /* S what it took of batches, by level */
    struct leat_deque deque;                       /* S what it spawned */
    struct leat_flight flight;                     /* W see trace.h; without slots: none */
};

struct leat_pool_ops {
    /* Runs an item that is not a task, on the worker's thread. */
    void (*run)(void *context, struct leat_worker *worker, uint32_t item);
    /* First and last thing on a worker's thread. May be NULL. */
    void (*started)(void *context, uint32_t worker);
    void (*stopping)(void *context, uint32_t worker);
    /* All tasks of a group that no worker began have ended, and it was marked (spawn.h). The group
     * may be gone. */
    void (*ended)(void *context, const struct leat_join *join);
    /* Advances timers that leat_pool_due() told of, and puts what they bring; on a worker's thread.
     * True: there is more to do. NULL: there are none. */
    bool (*advance)(void *context, uint32_t worker);
    void *context;
};

enum leat_pool_pin { LEAT_POOL_PIN_NONE, LEAT_POOL_PIN_SET, LEAT_POOL_PIN_ONE };

struct leat_pool_config {
    uint32_t workers;     /* threads to start; 0: threads are lent */
    uint32_t workers_max; /* that leat_pool_resize() may start; workers if that is more */
    uint32_t lenders_max; /* used where workers is 0 */
    uint32_t ring_slots_log2;
    uint32_t flight_slots_log2; /* of each place's flight recorder; 0: none */
    uint32_t tasks_max;
    uint32_t items_max;        /* that can wait, tasks included: bounds the chunks */
    uint32_t starvation_picks; /* 0: never */
    enum leat_pool_pin pin;
    struct leat_os_schedule schedule;
    bool busy_poll;
    bool prefault;
    bool lock_memory;
    bool huge_pages;
    uint64_t spin_ns;
    uint64_t tick_ns; /* 0: a push wakes; else a thread does, so often */
    size_t stack_bytes;
    char name[12];
    struct leat_memory memory;
    struct leat_pool_ops ops;
    uint32_t queues;              /* whose jobs are listed where a ring is full; 0: none */
    struct leat_lists_ops lists;  /* used where there are queues */
    const struct leat_slab *jobs; /* records of the items handed up; NULL: they have none */
};

struct leat_pool {
    struct leat_pool_config config;                 /* I */
    struct leat_worker *workers;                    /* I */
    uint32_t places;                                /* I workers_max, or lenders_max */
    uint32_t cpus_count;                            /* I */
    uint64_t spin_ns;                               /* I at most; UINT64_MAX: for ever */
    const struct leat_slab *slabs[LEAT_ITEM_KINDS]; /* I records of items, by kind; or NULL */
    void *queues_memory;                            /* I rings and local queues */
    size_t queues_bytes;                            /* I */
    uint16_t *cpus;                                 /* I that this process may use */
    struct leat_topology *topology;                 /* I of these */
    uint8_t *victims;                               /* I of all places */
    struct leat_queue_words *queues;                /* I */
    leat_atomic_u32 tracing;                        /* S 0: nothing is recorded; see trace.h */
    void *lists_memory;                             /* I queues and their lists */
    size_t lists_bytes;                             /* I */
    struct leat_slab tasks;                         /* S */
    struct leat_slab chunks;                        /* S */
    struct leat_slab spawned;                       /* S what is spawned outside, in rings */
    struct leat_slab posted;                        /* S tasks for one worker, in inboxes */
    struct leat_mpmc rings[LEAT_PRIORITY_LEVELS];   /* S */
    struct leat_lists lists[LEAT_PRIORITY_LEVELS];  /* S */
    LEAT_ALIGNED_LINE leat_atomic_u64 hint;         /* S see above */
    leat_atomic_u32 due;                            /* S 1: ops.advance is to be called */
    struct leat_lot lot;                            /* S */
    struct leat_lot helpers;                        /* S who sleep in a wait, see spawn.h */
    LEAT_ALIGNED_LINE leat_atomic_u32 open;         /* S places from this on take nothing more */
    leat_atomic_u32 active;                         /* W places that are open while it runs */
    leat_atomic_u32 alive;                          /* S threads running, lent ones included */
    leat_atomic_u32 left_event;    /* S a futex: one more when alive comes to 0, and at a
                                               start */
    leat_atomic_u32 watchers;      /* S threads between leat_pool_watch() and unwatch */
    leat_atomic_u32 quiet_event;   /* S a futex: counts workers that ran dry while watched */
    leat_atomic_u64 wakes_outside; /* S by threads that are no workers */
    leat_atomic_u64 tasks_refused; /* S records taken and given back unused */
    struct leat_tick tick;         /* S */
    LEAT_ALIGNED_LINE leat_atomic_u64 anchor; /* S see atom_fence_sc() */
};

/* Bytes that leat_pool_init() maps or allocates. */
size_t leat_pool_bytes(const struct leat_pool_config *config);

/* Fills a zeroed pool. On failure nothing is held. */
enum leat_os_result leat_pool_init(struct leat_pool *pool, const struct leat_pool_config *config);
/* pre: halted and joined, or never started. Items that wait are forgotten. */
void leat_pool_fini(struct leat_pool *pool);

/* Does to a mapping what the configuration asks: huge pages, prefault, lock. */
enum leat_os_result leat_pool_prepare(const struct leat_pool_config *config, void *memory,
                                      size_t bytes);

/* Starts the workers. On failure those started are stopped again. Start, resize, halt and join:
 * one at a time, by a lock of the caller's. */
enum leat_os_result leat_pool_start(struct leat_pool *pool);
/* Makes it `count` workers, 1 to places, from the next start on. What was posted to a worker that
 * is not among them goes to the others. pre: not running. */
void leat_pool_plan(struct leat_pool *pool, uint32_t count);
/* Makes it `count` workers now. A worker that is one too many leaves when it has ended what it
 * runs, and nobody waits for it here. On failure there are as many as could be started. *again: one
 * is on its way out of a place that is needed; call again when leat_pool_left_event() has changed.
 * pre: running. */
enum leat_os_result leat_pool_resize(struct leat_pool *pool, uint32_t count, bool *again);
uint32_t leat_pool_left_event(const struct leat_pool *pool);
void leat_pool_left_wait(struct leat_pool *pool, uint32_t event);
/* Tells all workers to take nothing more, and wakes them. */
void leat_pool_halt(struct leat_pool *pool);
/* Waits until no thread is inside, or the pool was started again. False: the deadline came first.
 */
bool leat_pool_wait_empty(struct leat_pool *pool, uint64_t deadline_ns);
/* pre: leat_pool_wait_empty() was true since leat_pool_halt(). Joins the threads. */
void leat_pool_join(struct leat_pool *pool);

/* Puts an item behind the others of its level. False: the ring is full. */
bool leat_pool_push(struct leat_pool *pool, uint32_t level, uint32_t item);
/* All of count items next to each other as one item of the ring, or none. False: the ring is full,
 * or the slab of chunks. */
bool leat_pool_push_n(struct leat_pool *pool, uint32_t level, const uint32_t *items,
                      uint32_t count);
/* Puts a job behind the others of its queue and level: into the ring, or, where that is full or
 * others of them wait, into its list. Where jobs that one thread puts meet in the ring, they are in
 * order. */
void leat_pool_put(struct leat_pool *pool, uint32_t level, uint32_t queue, uint32_t item);
/* The same for jobs of one level and any queues, all at once. */
void leat_pool_put_n(struct leat_pool *pool, uint32_t level, const uint32_t *items, uint32_t count);
/* Posts a task. False: the ring or the task slab is full. */
bool leat_pool_post(struct leat_pool *pool, uint32_t level, const struct leat_pool_task *task);
/* Posts tasks[0 .. count), at most LEAT_CHUNK_ITEMS, next to each other. Returns how many: fewer
 * where there were no more records, 0 where the ring is full. */
uint32_t leat_pool_post_n(struct leat_pool *pool, uint32_t level,
                          const struct leat_pool_task *tasks, uint32_t count);

/* Posts a task that only the worker of that place runs. pre: places have threads of ours. */
enum leat_post_result leat_pool_post_to(struct leat_pool *pool, uint32_t place, uint32_t level,
                                        const struct leat_pool_task *task);

/* On a worker, in ops.run: runs `item` again before the others of its level. pre: nothing of the
 * level is in hand, as it is while an item of the level runs. */
void leat_worker_keep(struct leat_worker *worker, uint32_t level, uint32_t item);

/* How long the worker has been in the item that it runs, as far as anyone looked: since the first
 * of the calls that found it there. 0: it runs none, or one that no call has seen. To a
 * millisecond. */
uint64_t leat_worker_run_ns(struct leat_worker *worker);

/* The worker whose thread this is, or NULL. */
struct leat_worker *leat_worker_current(void);

/* True if there was a moment in the call at which nothing waited, nobody had work in hand, and
 * *also, a count of work that goes on elsewhere, was 0. */
bool leat_pool_quiet(struct leat_pool *pool, const leat_atomic_u64 *also);
/* Waiting for that: between watch and unwatch, read the event, then look at whatever may end the
 * wait, then sleep while there was no other event. A halt is an event too. */
void leat_pool_watch(struct leat_pool *pool);
void leat_pool_unwatch(struct leat_pool *pool);
uint32_t leat_pool_watch_event(const struct leat_pool *pool);
void leat_pool_watch_wait(struct leat_pool *pool, uint32_t event, uint64_t deadline_ns);
/* Something that keeps the pool from being quiet has ended: makes those who wait for it look. */
void leat_pool_quiet_news(struct leat_pool *pool);
/* True if work waits that any worker may take, or left in hand by a lent thread. */
bool leat_pool_work_waits(const struct leat_pool *pool);

/* Runs up to `budget` items in the calling thread. False: all places are taken. */
bool leat_pool_lend(struct leat_pool *pool, size_t budget, size_t *ran);

/* Fills in what the threads of the pool beside its workers have in common; `what` ends the name. */
void leat_pool_side_thread(const struct leat_pool *pool, const char *what,
                           struct leat_os_thread_config *config);
/* Timers are due: has some worker call ops.advance, soon. Progress: lock-free. */
void leat_pool_due(struct leat_pool *pool);

/* The bits of the hint word that are true of a level at this moment. */
uint64_t leat_pool_look(const struct leat_pool *pool, uint32_t level);

/* The nodes of memory, where it has several; else NULL. */
LEAT_INLINE const struct leat_nodes *
leat_pool_nodes(const struct leat_pool *pool)
{
    return pool->topology->nodes.count > 1 ? &pool->topology->nodes : NULL;
}

/* Bits of the hint word for the ring, the local queues and the waiting lists of a level. */
#define LEAT_HINT_RING(level)  (UINT64_C(1) << (level))
#define LEAT_HINT_LOCAL(level) (UINT64_C(1) << (LEAT_PRIORITY_LEVELS_MAX + (level)))
#define LEAT_HINT_LIST(level)  (UINT64_C(1) << (2 * LEAT_PRIORITY_LEVELS_MAX + (level)))
/* For timers that are due. */
#define LEAT_HINT_DUE (UINT64_C(1) << 63)

/* A number that spreads threads over the shards of slabs: the CPU of this moment. */
LEAT_INLINE uint32_t
leat_pool_shard(void)
{
    return leat_os_cpu();
}

/* A ring item from kind and index, and back. */
LEAT_INLINE uint32_t
leat_item_of(enum leat_item_kind kind, uint32_t index)
{
    return (uint32_t)kind << LEAT_INDEX_BITS | index;
}

LEAT_INLINE enum leat_item_kind
leat_item_kind(uint32_t item)
{
    return (enum leat_item_kind)(item >> LEAT_INDEX_BITS);
}

LEAT_INLINE uint32_t
leat_item_index(uint32_t item)
{
    return item & LEAT_INDEX_NONE;
}

#endif
